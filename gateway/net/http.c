#include "config.h"

#include "gateway/net/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <utlist.h>

#include "base/text.h"
#include "gateway/net/http_private.h"

/* The design.
 *
 *   caller:  http_run() checks its requests, makes a batch on its own stack and memory, puts it
 * into the inbox, wakes the net thread and sleeps on the batch's condition; then it turns what came
 * back into its own memory. net:     takes the inbox, starts transfers while the host's and the
 * total window allow (batches take turns, so a long one does not starve a short one), lets curl
 * work, marks what is done.
 *
 * 1. A talloc tree belongs to one thread: the net thread allocates by malloc only, and only reads
 * what the caller owns.
 * 2. Whatever the net thread writes into a transfer, the caller reads only after the batch is done
 * (under the lock).
 * 3. The net thread does not touch a batch after it has signalled it: the memory is the caller's
 * stack.
 * 4. Nothing is parsed on the net thread but curl's own framing: heads and bodies are kept as
 * bytes, each with a bound.
 * 5. A transfer whose request may have reached the server is `sent`; only then can a write be
 * "maybe done".
 */

#define HTTP_FIRST_SIZE 4096 /* bytes of a new body buffer: most answers are small */
#define HTTP_IDLE_MS 60000   /* longest sleep without work; a wake-up ends it */
#define HTTP_TICK_MS 500     /* longest sleep with work: batch deadlines are that exact */
#define HTTP_TIMEOUTS_MAX 2  /* of one batch */
#define HTTP_SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

struct bytes {
	char *data;
	size_t len, size, max;
};

struct batch;

struct transfer {
	struct batch *batch;
	const struct http_request *request;
	struct curl_slist *headers;
	CURL *easy; /* while it is under way */
	struct bytes head, body;
	size_t head_total; /* with interim answers */
	bool head_done, over, sent, done;
	const char *untried;            /* why it never went out, or NULL */
	const struct transfer *because; /* the one whose failure made it pointless to try */
	CURLcode code;
	int status;
	int64_t answered_us;
	struct http_stats took;
	char error[CURL_ERROR_SIZE];
};

struct host {
	struct host *prev, *next;
	char *origin;
	size_t active, batches;
};

/* One http_run(). */
struct batch {
	struct batch *prev, *next;
	struct http *http;
	const struct http_site *site;
	const char *origin;
	bool loopback, tls;
	struct transfer *transfers;
	size_t count, started, ended, timeouts;
	int64_t deadline_ms; /* monotonic */
	struct host *host;   /* the net thread's */
	bool done;
	pthread_cond_t ended_cond;
};

struct http {
	struct clock *clock;
	struct points *points;
	CURLM *multi;
	pthread_t thread;
	/* the net thread's */
	struct batch *batches;
	struct host *hosts;
	size_t active;
	bool aborting; /* as `cancelled`, when it looked last */
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct batch *inbox;
	size_t callers;
	bool cancelled; /* nothing is to be carried out any more */
	bool stopping;  /* nor will anybody call */
	struct http_stats stats;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what curl calls: bounded buffers, nothing else ---- */

static bool bytes_add(struct bytes *bytes, const char *data, size_t n)
{
	size_t size = bytes->size ? bytes->size : HTTP_FIRST_SIZE;

	if (n > bytes->max - bytes->len)
		return false;
	while (size < bytes->len + n)
		size *= 2;
	if (size != bytes->size) {
		bytes->data = mem_must(realloc(bytes->data, size));
		bytes->size = size;
	}
	memcpy(bytes->data + bytes->len, data, n);
	bytes->len += n;
	return true;
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
	struct transfer *t = context;

	if (!bytes_add(&t->body, data, size * n)) {
		t->over = true;
		return CURL_WRITEFUNC_ERROR;
	}
	return size * n;
}

static size_t take_head(char *data, size_t size, size_t n, void *context)
{
	struct transfer *t = context;
	size_t len = size * n;

	if (len >= 5 &&
	    !memcmp(data, "HTTP/", 5)) { /* after an interim answer another head begins */
		t->head.len = 0;
		t->head_done = false;
		t->answered_us = clock_now_us(t->batch->http->clock);
	}
	t->head_total += len;
	if (t->head_total > HTTP_HEAD_MAX || (!t->head_done && !bytes_add(&t->head, data, len))) {
		t->over = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (len && (data[0] == '\r' || data[0] == '\n'))
		t->head_done = true; /* what follows the body is a trailer, and not believed */
	return len;
}

/* ---- the net thread ---- */

static const struct {
	CURLoption option;
	long value;
} fixed_options[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
	{ CURLOPT_HTTPAUTH, CURLAUTH_BASIC },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_TCP_KEEPALIVE, 1 },
};

static bool set_text(CURL *easy, CURLoption option, const char *text)
{
	return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

/* Who we trust and who we are. The secret is revealed here and nowhere else (N8). */
static bool set_site(CURL *easy, const struct batch *batch)
{
	const struct http_site *site = batch->site;
	bool ok = set_text(easy, CURLOPT_CAPATH, NULL) &&
		  set_text(easy, CURLOPT_CAINFO, site->tls_ca ? site->tls_ca : HTTP_SYSTEM_CA) &&
		  set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
		  set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");

	if (batch->loopback)
		ok = ok && set_text(easy, CURLOPT_PROXY, "");
	if (site->user)
		ok = ok && set_text(easy, CURLOPT_USERNAME, site->user) &&
		     set_text(easy, CURLOPT_PASSWORD,
			      site->password ? secret_reveal(site->password) : "");
	return ok;
}

static bool set_request(CURL *easy, struct transfer *t)
{
	const struct http_request *request = t->request;
	bool ok = set_text(easy, CURLOPT_URL, request->url) &&
		  set_text(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION) &&
		  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;

	if (!strcmp(request->method, "HEAD"))
		ok = ok && curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	else
		ok = ok && set_text(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body)
		ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				      (curl_off_t)request->body_len) == CURLE_OK;
	/* only listings: a compressing proxy changes the ETag of an item */
	if (!strcmp(request->method, "REPORT") || !strcmp(request->method, "PROPFIND"))
		ok = ok && set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	return ok;
}

static bool set_limits(CURL *easy, struct transfer *t)
{
	int32_t asked = t->request->deadline_ms ? t->request->deadline_ms : HTTP_DEADLINE_MS;
	int64_t left = t->batch->deadline_ms - now_ms();
	long deadline = left < 1 ? 1 : left < asked ? (long)left : asked;
	long connect = deadline < HTTP_CONNECT_TIMEOUT_MS ? deadline : HTTP_CONNECT_TIMEOUT_MS;

	return curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, deadline) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK;
}

static bool set_all(CURL *easy, struct transfer *t)
{
	for (size_t i = 0; i < COUNT_OF(fixed_options); i++)
		if (curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value) !=
		    CURLE_OK)
			return false;
	return set_site(easy, t->batch) && set_request(easy, t) && set_limits(easy, t);
}

static void transfer_end(struct transfer *t)
{
	t->done = true;
	t->batch->ended++;
}

static void transfer_start(struct http *http, struct transfer *t)
{
	t->easy = mem_must(curl_easy_init());
	if (t->request->writes)
		point_reach(http->points, POINT_HTTP_SENDING);
	if (!set_all(t->easy, t) || curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		t->untried = "curl did not take the request";
		transfer_end(t);
		return;
	}
	http->active++;
	t->batch->host->active++;
}

static int64_t info_bytes(CURL *easy, CURLINFO info)
{
	curl_off_t value = 0;

	return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? (int64_t)value : 0;
}

static long info_long(CURL *easy, CURLINFO info)
{
	long value = 0;

	return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static void stats_add(struct http_stats *sum, const struct http_stats *stats)
{
	sum->requests += stats->requests;
	sum->writes += stats->writes;
	sum->connections += stats->connections;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_bytes += stats->received_bytes;
}

static void transfer_count(struct http *http, struct transfer *t)
{
	t->took = (struct http_stats){
		.requests = 1,
		.writes = t->request->writes,
		.connections = info_long(t->easy, CURLINFO_NUM_CONNECTS),
		.sent_bytes = info_long(t->easy, CURLINFO_REQUEST_SIZE) +
			      info_bytes(t->easy, CURLINFO_SIZE_UPLOAD_T),
		.received_bytes = info_long(t->easy, CURLINFO_HEADER_SIZE) +
				  info_bytes(t->easy, CURLINFO_SIZE_DOWNLOAD_T),
	};
	pthread_mutex_lock(&http->lock);
	stats_add(&http->stats, &t->took);
	pthread_mutex_unlock(&http->lock);
}

/* Takes a transfer out of curl, however it ended. */
static void transfer_stop(struct http *http, struct transfer *t, CURLcode code)
{
	t->code = code;
	t->status = (int)info_long(t->easy, CURLINFO_RESPONSE_CODE);
	t->sent = info_bytes(t->easy, CURLINFO_PRETRANSFER_TIME_T) > 0 ||
		  info_long(t->easy, CURLINFO_REQUEST_SIZE) > 0;
	transfer_count(http, t);
	curl_multi_remove_handle(http->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
	http->active--;
	t->batch->host->active--;
	transfer_end(t);
}

/* What is true for one is true for all of its host, and trying on does harm. One text alone may
 * make a server hang; two are a server that hangs. */
static bool transfer_hopeless(const struct transfer *t)
{
	if (t->code == CURLE_OPERATION_TIMEDOUT && ++t->batch->timeouts >= HTTP_TIMEOUTS_MAX)
		return true;
	return (t->code == CURLE_OK && t->status == 401) || (t->code != CURLE_OK && !t->sent);
}

static void batch_skip(struct batch *batch, const struct transfer *because, const char *untried)
{
	for (; batch->started < batch->count; batch->started++) {
		struct transfer *t = &batch->transfers[batch->started];

		if (t->done)
			continue;
		t->because = because;
		t->untried = untried;
		transfer_end(t);
	}
}

static struct host *host_join(struct http *http, const char *origin)
{
	struct host *host;

	DL_FOREACH(http->hosts, host)
	{
		if (!strcmp(host->origin, origin))
			break;
	}
	if (!host) {
		size_t size = strlen(origin) + 1;

		host = mem_must(calloc(1, sizeof *host));
		host->origin = mem_must(malloc(size));
		memcpy(host->origin, origin, size);
		DL_APPEND(http->hosts, host);
	}
	host->batches++;
	return host;
}

static void host_leave(struct http *http, struct host *host)
{
	if (--host->batches)
		return;
	DL_DELETE(http->hosts, host);
	free(host->origin);
	free(host);
}

/* Gives a finished batch back to its caller (3). */
static void batch_finish(struct http *http, struct batch *batch)
{
	DL_DELETE(http->batches, batch);
	host_leave(http, batch->host);
	pthread_mutex_lock(&http->lock);
	batch->done = true;
	pthread_cond_signal(&batch->ended_cond);
	pthread_mutex_unlock(&http->lock);
}

static void http_finish_batches(struct http *http)
{
	struct batch *batch, *next;
	int64_t now = now_ms();

	DL_FOREACH_SAFE(http->batches, batch, next)
	{
		if (now >= batch->deadline_ms)
			batch_skip(batch, NULL, "not sent: the requests before it took too long");
		if (batch->ended == batch->count)
			batch_finish(http, batch);
	}
}

static struct transfer *batch_next(struct batch *batch)
{
	while (batch->started < batch->count && batch->transfers[batch->started].done)
		batch->started++;
	if (batch->started == batch->count || batch->host->active >= HTTP_HOST_CONNECTIONS)
		return NULL;
	return &batch->transfers[batch->started];
}

/* Fills the windows; the batch that was served goes to the end of the line. */
static void http_start(struct http *http)
{
	struct batch *batch = http->batches;

	while (batch && http->active < HTTP_CONNECTIONS) {
		struct transfer *t = batch_next(batch);

		if (!t) {
			batch = batch->next;
			continue;
		}
		batch->started++;
		transfer_start(http, t);
		DL_DELETE(http->batches, batch);
		DL_APPEND(http->batches, batch);
		batch = http->batches;
	}
}

static bool http_finish_transfers(struct http *http)
{
	CURLMsg *message;
	int left;
	bool any = false;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct transfer *t = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) !=
			    CURLE_OK)
			continue;
		transfer_stop(http, t, code);
		any = true;
		if (code == CURLE_OK && t->request->writes)
			point_reach(http->points, POINT_HTTP_ANSWERED);
		if (transfer_hopeless(t))
			batch_skip(t->batch, t, NULL);
	}
	return any;
}

/* Moves the inbox to the net thread's list; false when the service ends. */
static bool http_take(struct http *http)
{
	struct batch *inbox, *batch, *next;
	bool stopping;

	pthread_mutex_lock(&http->lock);
	inbox = http->inbox;
	http->inbox = NULL;
	stopping = http->stopping;
	http->aborting = http->cancelled;
	pthread_mutex_unlock(&http->lock);
	DL_FOREACH_SAFE(inbox, batch, next)
	{
		DL_DELETE(inbox, batch);
		batch->host = host_join(http, batch->origin);
		DL_APPEND(http->batches, batch);
	}
	return !stopping;
}

static void http_abort(struct http *http)
{
	struct batch *batch, *next;

	DL_FOREACH_SAFE(http->batches, batch, next)
	{
		batch_skip(batch, NULL, "not sent: the service is ending");
		for (size_t i = 0; i < batch->count; i++)
			if (batch->transfers[i].easy)
				transfer_stop(http, &batch->transfers[i],
					      CURLE_ABORTED_BY_CALLBACK);
		batch_finish(http, batch);
	}
}

static void *http_loop(void *context)
{
	struct http *http = context;
	int running;

	while (http_take(http)) {
		if (http->aborting)
			http_abort(http);
		http_start(http);
		if (curl_multi_perform(http->multi, &running) != CURLM_OK)
			http_abort(http); /* curl is out of order: better faults than callers that
					     wait for ever */
		if (!http_finish_transfers(http)) {
			http_finish_batches(http);
			(void)curl_multi_poll(http->multi, NULL, 0,
					      http->batches ? HTTP_TICK_MS : HTTP_IDLE_MS, NULL);
		}
		http_finish_batches(http);
	}
	http_abort(http);
	return NULL;
}

/* ---- start and end ---- */

static void http_end(struct http *http, bool stopping)
{
	pthread_mutex_lock(&http->lock);
	http->cancelled = true;
	http->stopping = stopping;
	pthread_mutex_unlock(&http->lock);
	curl_multi_wakeup(http->multi);
}

void http_cancel(struct http *http)
{
	http_end(http, false);
}

static int http_close(struct http *http)
{
	http_end(http, true);
	pthread_join(http->thread, NULL);
	pthread_mutex_lock(&http->lock);
	while (http->callers)
		pthread_cond_wait(&http->left, &http->lock);
	pthread_mutex_unlock(&http->lock);
	curl_multi_cleanup(http->multi);
	curl_global_cleanup();
	pthread_cond_destroy(&http->left);
	pthread_mutex_destroy(&http->lock);
	return 0;
}

/* Signals are the main thread's business. */
static int start_thread(struct http *http)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&http->thread, NULL, http_loop, http);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct fault *http_new(TALLOC_CTX *mem, struct clock *clock, struct points *points,
		       struct http **http_r)
{
	struct http *http;
	int error;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fault_new(mem, FAULT_INTERNAL, "libcurl does not start");
	http = MEM_NEW(mem, struct http);
	http->clock = clock;
	http->points = points;
	http->multi = mem_must(curl_multi_init());
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
				(long)HTTP_CONNECTIONS);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
				(long)HTTP_HOST_CONNECTIONS);
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->left, NULL);
	error = start_thread(http);
	if (error) {
		curl_multi_cleanup(http->multi);
		curl_global_cleanup();
		talloc_free(http);
		return fault_new(mem, FAULT_INTERNAL, "no thread for HTTP: %s", strerror(error));
	}
	talloc_set_destructor(http, http_close);
	*http_r = http;
	return NULL;
}

struct http_stats http_stats(struct http *http)
{
	struct http_stats stats;

	pthread_mutex_lock(&http->lock);
	stats = http->stats;
	pthread_mutex_unlock(&http->lock);
	return stats;
}

/* ---- addresses ---- */

static char *url_part(TALLOC_CTX *mem, CURLU *parsed, CURLUPart what, unsigned flags)
{
	char *part = NULL, *copy;

	if (curl_url_get(parsed, what, &part, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(mem, part);
	curl_free(part);
	return copy;
}

bool http_url_parse(TALLOC_CTX *mem, const char *url, struct http_url *url_r)
{
	CURLU *parsed = mem_must(curl_url());
	bool ok = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK;
	char *scheme = ok ? url_part(mem, parsed, CURLUPART_SCHEME, 0) : NULL;
	char *host = ok ? url_part(mem, parsed, CURLUPART_HOST, 0) : NULL;
	char *port = ok ? url_part(mem, parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT) : NULL;
	char *path = ok ? url_part(mem, parsed, CURLUPART_PATH, 0) : NULL;
	int64_t number;

	curl_url_cleanup(parsed);
	if (!scheme || !host || !port || !path || !text_to_int(port, &number))
		return false;
	if (strcmp(scheme, "https") && strcmp(scheme, "http"))
		return false;
	url_r->tls = !strcmp(scheme, "https");
	url_r->host = text_lower(mem, host);
	url_r->port = (int)number;
	url_r->path = path;
	return true;
}

static bool host_is_loopback(const char *host)
{
	struct in_addr v4;

	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool http_is_loopback(const char *url)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct http_url parsed;
	bool loopback = http_url_parse(mem, url, &parsed) && host_is_loopback(parsed.host);

	talloc_free(mem);
	return loopback;
}

/* ---- from a request to a transfer ---- */

static bool is_clean(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

/* True unless a header would be cut in two: versions come from servers. */
static bool headers_clean(const struct http_request *request)
{
	for (const char *const *header = request->headers; header && *header; header++)
		if (!is_clean(*header))
			return false;
	return is_clean(request->method) && is_clean(request->url);
}

static struct fault *request_refused(TALLOC_CTX *mem, const struct http_request *request,
				     struct batch *batch)
{
	struct http_url url;
	char *origin;

	if (!headers_clean(request))
		return fault_new(mem, FAULT_PROTOCOL,
				 "%s: a control character in an address or header",
				 request->method);
	if (!http_url_parse(mem, request->url, &url))
		return fault_reaches(
			fault_new(mem, FAULT_CONFIG,
				  "not an address of a web server, or with a user in it"),
			FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
	origin = mem_printf(mem, "%s://%s:%d", url.tls ? "https" : "http", url.host, url.port);
	if (batch->origin && strcmp(batch->origin, origin))
		return fault_new(mem, FAULT_INTERNAL, "%s: two hosts in one run", request->method);
	batch->origin = origin;
	batch->tls = url.tls;
	batch->loopback = host_is_loopback(url.host);
	if (batch->site->user && !batch->tls && !batch->loopback)
		return fault_reaches(
			fault_new(mem, FAULT_CONFIG,
				  "a password goes over https or to loopback only, not to %s",
				  origin),
			FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
	return NULL;
}

static struct curl_slist *make_headers(const struct http_request *request)
{
	/* curl would add these two by itself; a Content-Type comes from the caller or not at all */
	struct curl_slist *list = mem_must(curl_slist_append(NULL, "Expect:"));
	bool typed = false;

	for (const char *const *header = request->headers; header && *header; header++) {
		typed = typed || !strncasecmp(*header, "Content-Type:", strlen("Content-Type:"));
		list = mem_must(curl_slist_append(list, *header));
	}
	return typed ? list : mem_must(curl_slist_append(list, "Content-Type:"));
}

static void batch_prepare(TALLOC_CTX *mem, struct batch *batch, struct http_request *requests)
{
	batch->transfers = MEM_ARRAY(mem, struct transfer, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct transfer *t = &batch->transfers[i];

		t->batch = batch;
		t->request = &requests[i];
		t->head.max = HTTP_HEAD_MAX;
		t->body.max = requests[i].body_max ? requests[i].body_max : HTTP_BODY_MAX;
		requests[i].fault = request_refused(mem, &requests[i], batch);
		if (requests[i].fault) {
			transfer_end(t);
			continue;
		}
		t->headers = make_headers(&requests[i]);
	}
}

/* ---- from a transfer to a result ---- */

static const struct {
	CURLcode code;
	enum fault_kind kind;
} code_kinds[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, FAULT_UNREACHABLE },
	{ CURLE_COULDNT_RESOLVE_PROXY, FAULT_UNREACHABLE },
	{ CURLE_COULDNT_CONNECT, FAULT_UNREACHABLE },
	{ CURLE_OPERATION_TIMEDOUT, FAULT_UNREACHABLE },
	{ CURLE_GOT_NOTHING, FAULT_UNREACHABLE },
	{ CURLE_SEND_ERROR, FAULT_UNREACHABLE },
	{ CURLE_RECV_ERROR, FAULT_UNREACHABLE },
	{ CURLE_PARTIAL_FILE, FAULT_UNREACHABLE },
	{ CURLE_PEER_FAILED_VERIFICATION, FAULT_TLS },
	{ CURLE_SSL_CACERT_BADFILE, FAULT_TLS },
	{ CURLE_SSL_CONNECT_ERROR, FAULT_TLS },
	{ CURLE_SSL_CERTPROBLEM, FAULT_TLS },
	{ CURLE_SSL_CIPHER, FAULT_TLS },
	{ CURLE_SSL_ISSUER_ERROR, FAULT_TLS },
	{ CURLE_WEIRD_SERVER_REPLY, FAULT_PROTOCOL },
	{ CURLE_UNSUPPORTED_PROTOCOL, FAULT_PROTOCOL },
	{ CURLE_BAD_CONTENT_ENCODING, FAULT_PROTOCOL },
	{ CURLE_WRITE_ERROR, FAULT_PROTOCOL },
	{ CURLE_OUT_OF_MEMORY, FAULT_PROTOCOL }, /* what curl says to a header line over 100 KB */
	{ CURLE_ABORTED_BY_CALLBACK, FAULT_TRY_LATER },
};

static struct fault *code_fault(TALLOC_CTX *mem, const struct transfer *t)
{
	enum fault_kind kind = FAULT_UNREACHABLE; /* whatever else curl says: no usable answer */
	const char *words = *t->error ? t->error : curl_easy_strerror(t->code);
	struct fault *fault;

	for (size_t i = 0; i < COUNT_OF(code_kinds); i++)
		if (code_kinds[i].code == t->code)
			kind = code_kinds[i].kind;
	if (t->over || t->code == CURLE_OUT_OF_MEMORY)
		words = "the answer is longer than allowed";
	else if (t->code == CURLE_ABORTED_BY_CALLBACK)
		words = "the service is ending";
	else if (t->code == CURLE_OK)
		words = "the answer ends within its head";
	fault = fault_new(mem, kind, "%s %s: %s", t->request->method,
			  http_answer_path(mem, t->request->url), words);
	fault->maybe_done = t->request->writes && t->sent;
	if (kind == FAULT_TRY_LATER)
		fault_reaches(fault, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
	return fault;
}

static struct fault *transfer_fault(TALLOC_CTX *mem, const struct transfer *t)
{
	if (t->untried)
		return fault_reaches(fault_new(mem, FAULT_TRY_LATER, "%s %s: %s", t->request->method,
					       http_answer_path(mem, t->request->url), t->untried),
				     FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
	if (t->because && t->because->code == CURLE_OK)
		return fault_new(mem, FAULT_LOGIN,
				 "not tried, because the login was refused before");
	if (t->because)
		return fault_prefix(code_fault(mem, t->because), "not tried, because of ");
	/* curl takes a head that breaks off for a whole one */
	return t->code == CURLE_OK && t->head_done ? NULL : code_fault(mem, t);
}

static void transfer_collect(TALLOC_CTX *mem, struct transfer *t, struct http_request *request)
{
	if (!request->fault)
		request->fault = transfer_fault(mem, t);
	if (!request->fault) {
		request->status = t->status;
		request->answered_us = t->answered_us;
		http_answer_head(mem, request, t->head.data, t->head.len);
		request->answer = mem_bytes(mem, t->body.data, t->body.len);
		request->answer_len = t->body.len;
	}
	free(t->head.data);
	free(t->body.data);
	curl_slist_free_all(t->headers);
}

static void batch_wait(struct http *http, struct batch *batch)
{
	bool refused;

	pthread_cond_init(&batch->ended_cond, NULL);
	pthread_mutex_lock(&http->lock);
	refused = http->cancelled;
	if (!refused) {
		http->callers++;
		DL_APPEND(http->inbox, batch);
		curl_multi_wakeup(http->multi);
		while (!batch->done)
			pthread_cond_wait(&batch->ended_cond, &http->lock);
		http->callers--;
		pthread_cond_signal(&http->left);
	}
	pthread_mutex_unlock(&http->lock);
	pthread_cond_destroy(&batch->ended_cond);
	if (refused)
		batch_skip(batch, NULL, "not sent: the service is ending");
}

void http_run(struct http *http, TALLOC_CTX *mem, const struct http_site *site,
	      struct http_request *requests, size_t count)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct batch batch = { .http = http, .site = site, .count = count };

	batch.deadline_ms = now_ms() + HTTP_BATCH_DEADLINE_MS;
	batch_prepare(work, &batch, requests);
	if (batch.ended < count)
		batch_wait(http, &batch);
	for (size_t i = 0; i < count; i++) {
		talloc_steal(mem, requests[i].fault);
		if (site->stats)
			stats_add(site->stats, &batch.transfers[i].took);
		transfer_collect(mem, &batch.transfers[i], &requests[i]);
	}
	talloc_free(work);
}
