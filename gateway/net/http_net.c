#include "config.h"

#include "gateway/net/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

/* The net thread; the design is at the head of http.c. */

#define HTTP_IDLE_MS 60000  /* longest sleep without work; a wake-up ends it */
#define HTTP_TICK_MS 500    /* longest sleep with work: batch deadlines are that exact */
#define HTTP_TIMEOUTS_MAX 2 /* of one batch */

int64_t http_net_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void http_net_end(struct http_transfer *t)
{
	t->done = true;
	t->batch->ended++;
}

static void transfer_start(struct http *http, struct http_transfer *t)
{
	t->easy = mem_must(curl_easy_init());
	if (t->request->writes)
		point_reach(http->points, POINT_HTTP_SENDING);
	if (!http_option_set(t->easy, t) ||
	    curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		t->untried = "curl did not take the request";
		http_net_end(t);
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

void http_net_count(struct http_stats *sum, const struct http_stats *stats)
{
	sum->requests += stats->requests;
	sum->writes += stats->writes;
	sum->connections += stats->connections;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_bytes += stats->received_bytes;
}

static void transfer_count(struct http *http, struct http_transfer *t)
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
	http_net_count(&http->stats, &t->took);
	pthread_mutex_unlock(&http->lock);
}

void http_net_stop(struct http *http, struct http_transfer *t, CURLcode code)
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
	http_net_end(t);
}

/* What is true for one is true for all of its host, and trying on does harm. One text alone may
 * make a server hang; two are a server that hangs. */
static bool transfer_hopeless(const struct http_transfer *t)
{
	if (t->code == CURLE_OPERATION_TIMEDOUT && ++t->batch->timeouts >= HTTP_TIMEOUTS_MAX)
		return true;
	return (t->code == CURLE_OK && t->status == 401) || (t->code != CURLE_OK && !t->sent);
}

void http_net_skip(struct http_batch *batch, const struct http_transfer *because,
		   const char *untried)
{
	for (; batch->started < batch->count; batch->started++) {
		struct http_transfer *t = &batch->transfers[batch->started];

		if (t->done)
			continue;
		t->because = because;
		t->untried = untried;
		http_net_end(t);
	}
}

static struct http_host *host_join(struct http *http, const char *origin)
{
	struct http_host *host;

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

static void host_leave(struct http *http, struct http_host *host)
{
	if (--host->batches)
		return;
	DL_DELETE(http->hosts, host);
	free(host->origin);
	free(host);
}

/* Gives a finished batch back to its caller (3). */
static void batch_finish(struct http *http, struct http_batch *batch)
{
	DL_DELETE(http->batches, batch);
	host_leave(http, batch->host);
	pthread_mutex_lock(&http->lock);
	batch->done = true;
	http->calls -= batch->calls;
	pthread_cond_signal(&batch->ended_cond);
	pthread_mutex_unlock(&http->lock);
}

static void http_finish_batches(struct http *http)
{
	struct http_batch *batch, *next;
	int64_t now = http_net_now_ms();

	DL_FOREACH_SAFE(http->batches, batch, next)
	{
		if (now >= batch->deadline_ms)
			http_net_skip(batch, NULL,
				      "not sent: the requests before it took too long");
		if (batch->ended == batch->count)
			batch_finish(http, batch);
	}
}

static bool batch_has_more(struct http_batch *batch)
{
	while (batch->started < batch->count && batch->transfers[batch->started].done)
		batch->started++;
	return batch->started < batch->count;
}

/* True while something of its site is to be sent first: what is waited for, or was sent before. */
static bool batch_is_behind(struct http *http, struct http_batch *batch)
{
	struct http_batch *other;

	if (!batch->behind)
		return false;
	DL_FOREACH(http->batches, other)
	{
		if (other->site == batch->site && other != batch &&
		    (!other->behind || other->serial < batch->serial) && batch_has_more(other))
			return true;
	}
	return false;
}

static struct http_transfer *batch_next(struct http *http, struct http_batch *batch)
{
	if (!batch_has_more(batch) || batch->host->active >= HTTP_HOST_CONNECTIONS ||
	    batch_is_behind(http, batch))
		return NULL;
	return &batch->transfers[batch->started];
}

/* Fills the windows; the batch that was served goes to the end of the line. */
static void http_start(struct http *http)
{
	struct http_batch *batch = http->batches;

	while (batch && http->active < HTTP_CONNECTIONS) {
		struct http_transfer *t = batch_next(http, batch);

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
		struct http_transfer *t = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) !=
			    CURLE_OK)
			continue;
		http_net_stop(http, t, code);
		any = true;
		if (code == CURLE_OK && t->request->writes)
			point_reach(http->points, POINT_HTTP_ANSWERED);
		if (transfer_hopeless(t))
			http_net_skip(t->batch, t, NULL);
	}
	return any;
}

/* Moves the inbox to the net thread's list, and hears what else there is; false when the service
 * ends. */
static bool http_take_inbox(struct http *http)
{
	struct http_batch *inbox, *batch, *next;
	bool stopping, called;

	pthread_mutex_lock(&http->lock);
	inbox = http->inbox;
	http->inbox = NULL;
	stopping = http->stopping;
	http->aborting = http->cancelled;
	called = http->calls;
	pthread_mutex_unlock(&http->lock);
	DL_FOREACH_SAFE(inbox, batch, next)
	{
		DL_DELETE(inbox, batch);
		batch->host = host_join(http, batch->origin);
		batch->serial = ++http->serial;
		DL_APPEND(http->batches, batch);
	}
	if (called)
		http_take_calls(http);
	return !stopping;
}

static void http_abort(struct http *http)
{
	struct http_batch *batch, *next;

	DL_FOREACH_SAFE(http->batches, batch, next)
	{
		http_net_skip(batch, NULL, "not sent: the service is ending");
		for (size_t i = 0; i < batch->count; i++)
			if (batch->transfers[i].easy)
				http_net_stop(http, &batch->transfers[i],
					      CURLE_ABORTED_BY_CALLBACK);
		batch_finish(http, batch);
	}
}

void *http_net_loop(void *context)
{
	struct http *http = context;
	int running;

	while (http_take_inbox(http)) {
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
