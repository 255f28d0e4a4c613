#include "config.h"

#include "gateway/net/http_private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/text.h"

#define HTTP_LOGINS_MAX 3 /* of one http_run(): as we are, by a challenge, by a fresh one */

/* The design.
 *
 *   caller   http_run() checks its requests, makes a batch on its own stack and memory, puts it into
 *            the inbox, wakes the net thread and sleeps on the batch's condition; then it turns
 *            what came back into its own memory. This file.
 *   net      takes the inbox, starts transfers while the host's and the total window allow (batches
 *            take turns, so a long one does not starve a short one), lets curl work, marks what is
 *            done. http_net.c; what curl is told, http_option.c.
 *
 * 1. A talloc tree belongs to one thread: the net thread allocates by malloc only, and only reads
 * what the caller owns.
 * 2. Whatever the net thread writes into a transfer, the caller reads only after the batch is done
 * (under the lock).
 * 3. The net thread does not touch a batch after it has signalled it: the memory is the caller's
 * stack.
 * 4. Nothing is parsed on the net thread but curl's own framing: heads and bodies are kept as
 * bytes, each with a bound.
 * 5. A caller waits for pieces of bodies too, where it takes them as they come (http_take.c). Its
 * callback runs on its own thread and without the lock.
 * 6. A transfer whose request may have reached the server is `sent`; only then can a write be
 * "maybe done".
 */

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
	error = pthread_create(&http->thread, NULL, http_net_loop, http);
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
				     struct http_batch *batch)
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
	batch->loopback = http_url_is_loopback(url.host);
	if (http_auth_is_secret(batch->site) && !batch->tls && !batch->loopback)
		return fault_reaches(
			fault_new(mem, FAULT_CONFIG,
				  "a login goes over https or to loopback only, not to %s", origin),
			FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
	return NULL;
}

static void batch_prepare(TALLOC_CTX *mem, struct http_batch *batch, struct http_site *site,
			  struct http_request *const *requests)
{
	batch->transfers = MEM_ARRAY(mem, struct http_transfer, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct http_transfer *t = &batch->transfers[i];

		t->batch = batch;
		t->request = requests[i];
		t->head.max = HTTP_HEAD_MAX;
		t->request->fault = request_refused(mem, t->request, batch);
		if (t->request->fault) {
			http_net_end(t);
			continue;
		}
		t->headers = http_auth_headers(http_option_headers(t->request), site, t->request);
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
	{ CURLE_SSL_CACERT_BADFILE, FAULT_CONFIG },
	{ CURLE_SSL_CONNECT_ERROR, FAULT_TLS },
	{ CURLE_SSL_CERTPROBLEM, FAULT_CONFIG },
	{ CURLE_SSL_CIPHER, FAULT_TLS },
	{ CURLE_SSL_ISSUER_ERROR, FAULT_TLS },
	{ CURLE_SSL_PINNEDPUBKEYNOTMATCH, FAULT_TLS },
	{ CURLE_WEIRD_SERVER_REPLY, FAULT_PROTOCOL },
	{ CURLE_UNSUPPORTED_PROTOCOL, FAULT_PROTOCOL },
	{ CURLE_BAD_CONTENT_ENCODING, FAULT_PROTOCOL },
	{ CURLE_WRITE_ERROR, FAULT_PROTOCOL },
	{ CURLE_OUT_OF_MEMORY, FAULT_PROTOCOL }, /* what curl says to a header line over 100 KB */
	{ CURLE_ABORTED_BY_CALLBACK, FAULT_TRY_LATER },
};

static const char *pin_words(TALLOC_CTX *mem, const struct http_transfer *t)
{
	return mem_printf(mem,
			  "the server's public key is none of those in tls_pin; it has %s; if its "
			  "administrator says that this is right, put it there",
			  *t->pin ? t->pin : "another one");
}

/* What curl says of certificates, with the key that is to be looked at; NULL: nothing of them. */
static const char *certificate_words(TALLOC_CTX *mem, const struct http_transfer *t,
				     const char *words)
{
	const struct http_site *site = t->batch->site;

	if (t->code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return pin_words(mem, t);
	if (t->code == CURLE_SSL_CACERT_BADFILE && site->tls_ca)
		return mem_printf(mem, "tls_ca %s: %s", site->tls_ca, words);
	if (t->code == CURLE_SSL_CERTPROBLEM && site->tls_cert)
		return mem_printf(mem, "tls_cert %s%s%s: %s", site->tls_cert,
				  site->tls_key ? ", tls_key " : "",
				  site->tls_key ? site->tls_key : "", words);
	if (t->code == CURLE_PEER_FAILED_VERIFICATION && !site->tls_ca)
		return mem_printf(mem, "%s; a CA that the system does not know goes into tls_ca",
				  words);
	return NULL;
}

static struct fault *code_fault(TALLOC_CTX *mem, const struct http_transfer *t)
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
	else if (certificate_words(mem, t, words))
		words = certificate_words(mem, t, words);
	fault = fault_new(mem, kind, "%s %s: %s", t->request->method,
			  http_answer_path(mem, t->request->url), words);
	fault->maybe_done = t->request->writes && t->sent;
	if (kind == FAULT_TRY_LATER || t->code == CURLE_SSL_CACERT_BADFILE)
		fault_reaches(fault, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
	if (t->code == CURLE_SSL_CERTPROBLEM)
		fault_reaches(fault, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY);
	return fault;
}

/* The taker's own. The server has done what it was asked for. */
static struct fault *taken_fault(TALLOC_CTX *mem, const struct http_transfer *t)
{
	t->taken->maybe_done = t->request->writes;
	return fault_prefix(talloc_steal(mem, t->taken), "%s %s: ", t->request->method,
			    http_answer_path(mem, t->request->url));
}

static struct fault *transfer_fault(TALLOC_CTX *mem, const struct http_transfer *t)
{
	if (t->taken)
		return taken_fault(mem, t);
	if (t->untried)
		return fault_reaches(fault_new(mem, FAULT_TRY_LATER, "%s %s: %s",
					       t->request->method,
					       http_answer_path(mem, t->request->url), t->untried),
				     FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
	if (t->because && t->because->code == CURLE_OK)
		return fault_new(mem, FAULT_LOGIN,
				 "not tried, because the login was refused before");
	if (t->because) {
		struct fault *fault = code_fault(mem, t->because);

		fault->maybe_done = false;
		return fault_prefix(fault, "not tried, because of ");
	}
	/* curl takes a head that breaks off for a whole one */
	return t->code == CURLE_OK && t->head_done ? NULL : code_fault(mem, t);
}

static void transfer_drop(struct http_transfer *t)
{
	free(t->head.data);
	free(t->body.data);
	free(t->pipe.data);
	curl_slist_free_all(t->headers);
}

static void transfer_collect(TALLOC_CTX *mem, struct http_transfer *t, struct http_request *request)
{
	request->sent = t->sent;
	if (!request->fault)
		request->fault = transfer_fault(mem, t);
	if (!request->fault) {
		request->status = t->status;
		request->answered_us = t->answered_us;
		if (!t->told)
			http_answer_head(mem, request, t->head.data, t->head.len);
		request->answer = mem_bytes(mem, t->body.data, t->body.len);
		request->answer_len = t->body.len;
	}
	transfer_drop(t);
}

/* Puts it into the inbox; where nothing is carried out any more, it has ended by that. */
static void batch_send(struct http *http, struct http_batch *batch)
{
	pthread_cond_init(&batch->ended_cond, NULL);
	pthread_mutex_lock(&http->lock);
	if (http->cancelled)
		http_net_skip(batch, NULL, "not sent: the service is ending");
	batch->sent = batch->ended < batch->count;
	batch->done = !batch->sent;
	if (batch->sent) {
		http->callers++;
		DL_APPEND(http->inbox, batch);
		curl_multi_wakeup(http->multi);
	}
	pthread_mutex_unlock(&http->lock);
}

static void batch_wait(struct http *http, struct http_batch *batch, TALLOC_CTX *mem)
{
	pthread_mutex_lock(&http->lock);
	while (http_take_ready(batch, mem) || !batch->done)
		if (!batch->ready && !batch->done)
			pthread_cond_wait(&batch->ended_cond, &http->lock);
	if (batch->sent) {
		http->callers--;
		pthread_cond_signal(&http->left);
	}
	pthread_mutex_unlock(&http->lock);
	pthread_cond_destroy(&batch->ended_cond);
}

struct http_sending {
	struct http_batch batch;
	struct http_site *site;
	struct http_request **requests;
	bool waited;
};

static int sending_free(struct http_sending *sending)
{
	if (sending->waited)
		return 0;
	batch_wait(sending->batch.http, &sending->batch, sending);
	for (size_t i = 0; i < sending->batch.count; i++)
		transfer_drop(&sending->batch.transfers[i]);
	return 0;
}

/* The requests that REQUESTS points to, behind others or in turn with them. */
static struct http_sending *begin(struct http *http, TALLOC_CTX *mem, struct http_site *site,
				  struct http_request *const *requests, size_t count,
				  int64_t deadline_ms, bool behind)
{
	struct http_sending *sending = MEM_NEW(mem, struct http_sending);
	struct http_batch *batch = &sending->batch;

	sending->site = site;
	sending->requests = MEM_ARRAY(sending, struct http_request *, count);
	for (size_t i = 0; i < count; i++)
		sending->requests[i] = requests[i];
	*batch = (struct http_batch){ .http = http,
				      .site = site,
				      .password = site->password,
				      .challenged = site->challenge.known,
				      .logins = site->logins,
				      .count = count,
				      .deadline_ms = deadline_ms,
				      .behind = behind };
	batch_prepare(sending, batch, site, sending->requests);
	batch_send(http, batch);
	talloc_set_destructor(sending, sending_free);
	return sending;
}

static void finish(struct http_sending *sending, TALLOC_CTX *mem)
{
	struct http_batch *batch = &sending->batch;

	batch_wait(batch->http, batch, mem);
	sending->waited = true;
	for (size_t i = 0; i < batch->count; i++) {
		struct http_request *request = sending->requests[i];

		talloc_steal(mem, request->fault);
		if (batch->site->stats)
			http_net_count(batch->site->stats, &batch->transfers[i].took);
		transfer_collect(mem, &batch->transfers[i], request);
	}
}

static bool is_refused(const struct http_request *request)
{
	return request->fault ? request->fault->kind == FAULT_LOGIN : request->status == 401;
}

/* Leaves of the COUNT in REQUESTS those whose login was refused; *ONE_R is one that was sent. */
static size_t keep_refused(struct http_request **requests, size_t count,
			   const struct http_request **one_r)
{
	size_t n = 0;

	*one_r = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!is_refused(requests[i]))
			continue;
		if (!requests[i]->fault)
			*one_r = requests[i];
		requests[n++] = requests[i];
	}
	return n;
}

void http_wait(struct http_sending *sending, TALLOC_CTX *mem)
{
	struct http_batch *batch = &sending->batch;
	const struct http_request *refused = NULL;
	size_t count = batch->count;
	uint32_t logins = batch->logins;

	finish(sending, mem);
	for (int tries = 1; tries < HTTP_LOGINS_MAX; tries++) {
		struct http_sending *again;

		count = keep_refused(sending->requests, count, &refused);
		if (!refused || !http_auth_again(sending->site, refused, logins))
			break;
		again = begin(batch->http, mem, sending->site, sending->requests, count,
			      batch->deadline_ms, false);
		logins = again->batch.logins;
		finish(again, mem);
		talloc_free(again);
	}
	talloc_free(sending);
}

static struct http_sending *begin_all(struct http *http, TALLOC_CTX *mem, struct http_site *site,
				      struct http_request *requests, size_t count, bool behind)
{
	struct http_request **list = MEM_ARRAY(mem, struct http_request *, count);
	struct http_sending *sending;

	for (size_t i = 0; i < count; i++)
		list[i] = &requests[i];
	sending = begin(http, mem, site, list, count, http_net_now_ms() + HTTP_BATCH_DEADLINE_MS,
			behind);
	talloc_free(list);
	return sending;
}

struct http_sending *http_send(struct http *http, TALLOC_CTX *mem, struct http_site *site,
			       struct http_request *requests, size_t count)
{
	return begin_all(http, mem, site, requests, count, true);
}

void http_run(struct http *http, TALLOC_CTX *mem, struct http_site *site,
	      struct http_request *requests, size_t count)
{
	http_wait(begin_all(http, mem, site, requests, count, false), mem);
}
