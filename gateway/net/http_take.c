#include "config.h"

#include "gateway/net/http_private.h"

#include <stdlib.h>
#include <string.h>

/* Bodies on their way from curl to the caller. An ordinary one is gathered until the transfer has
 * ended. One that is taken while it arrives goes through a pipe of HTTP_PIPE_SIZE bytes: the net
 * thread fills it, the caller swaps it for an empty one and hands on what was in it. While it is
 * full, curl keeps the piece that did not fit and reads no more from that connection, so that in
 * the end the server waits; the deadline goes on. (Of a compressed answer the rest of what was read
 * already, 16 KiB before it is unpacked, waits in curl.) */

#define HTTP_FIRST_SIZE 4096 /* bytes of a new body buffer: most answers are small */

/* ---- curl calls, in the net thread ---- */

bool http_take_add(struct http_bytes *bytes, const char *data, size_t n)
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

static size_t fill_pipe(struct http_transfer *t, const char *data, size_t n)
{
	struct http_batch *batch = t->batch;
	bool fits;

	pthread_mutex_lock(&batch->http->lock);
	fits = n <= t->pipe.max - t->pipe.len;
	if (fits) {
		batch->ready += !t->pipe.len;
		(void)http_take_add(&t->pipe, data, n);
		pthread_cond_signal(&batch->ended_cond);
	}
	t->full = !fits;
	pthread_mutex_unlock(&batch->http->lock);
	return fits ? n : CURL_WRITEFUNC_PAUSE;
}

static void body_begin(struct http_transfer *t)
{
	const struct http_request *request = t->request;
	long status = 0;

	t->body_begun = true;
	t->streams = request->take &&
		     curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
		     status == request->take_status;
	t->pipe.max = HTTP_PIPE_SIZE;
	t->body.max = request->take       ? HTTP_REFUSAL_MAX
		      : request->body_max ? request->body_max
					  : HTTP_BODY_MAX;
	t->stream_max = request->body_max ? request->body_max : HTTP_TAKEN_MAX;
}

size_t http_take_body(char *data, size_t size, size_t n, void *context)
{
	struct http_transfer *t = context;
	size_t len = size * n;

	if (!t->body_begun)
		body_begin(t);
	if (t->streams && len <= t->stream_max - t->streamed) {
		size_t took = fill_pipe(t, data, len);

		t->streamed += took == len ? len : 0;
		return took;
	}
	if (!t->streams && http_take_add(&t->body, data, len))
		return len;
	t->over = true;
	return CURL_WRITEFUNC_ERROR;
}

/* ---- the caller ---- */

static void call_net(struct http_batch *batch, bool *word)
{
	if (batch->done || *word)
		return;
	*word = true;
	batch->calls++;
	batch->http->calls++;
	curl_multi_wakeup(batch->http->multi);
}

static struct http_transfer *next_ready(struct http_batch *batch)
{
	struct http_transfer *t = batch->transfers;

	while (!t->pipe.len)
		t++;
	return t;
}

static void hand_on(TALLOC_CTX *mem, struct http_transfer *t, const struct http_bytes *bytes)
{
	struct http_request *request = t->request;

	if (!t->told) {
		request->status = request->take_status;
		request->answered_us = t->answered_us;
		http_answer_head(mem, request, t->head.data, t->head.len);
	}
	t->told = true;
	if (!t->taken)
		t->taken = request->take(request->take_context, request, bytes->data, bytes->len);
}

bool http_take_ready(struct http_batch *batch, TALLOC_CTX *mem)
{
	struct http_transfer *t;
	struct http_bytes bytes;

	if (!batch->ready)
		return false;
	t = next_ready(batch);
	bytes = t->pipe;
	t->pipe = (struct http_bytes){ .max = bytes.max };
	batch->ready--;
	if (t->full)
		call_net(batch, &t->resume);
	pthread_mutex_unlock(&batch->http->lock);
	hand_on(mem, t, &bytes);
	free(bytes.data);
	pthread_mutex_lock(&batch->http->lock);
	if (t->taken)
		call_net(batch, &t->drop);
	return true;
}

/* ---- the net thread, when it is called ---- */

/* Takes the words of one transfer; true if it is to end. */
static bool hear(struct http_transfer *t, bool *resume_r)
{
	bool drop = t->drop && t->easy;

	*resume_r = t->resume && t->easy;
	t->full = t->full && !t->resume;
	t->resume = false;
	return drop;
}

static void hear_batch(struct http_batch *batch)
{
	for (size_t i = 0; i < batch->started; i++) {
		struct http_transfer *t = &batch->transfers[i];
		bool resume, drop;

		if (!t->streams)
			continue;
		pthread_mutex_lock(&batch->http->lock);
		drop = hear(t, &resume);
		pthread_mutex_unlock(&batch->http->lock);
		if (drop)
			http_net_stop(batch->http, t, CURLE_ABORTED_BY_CALLBACK);
		else if (resume)
			(void)curl_easy_pause(t->easy, CURLPAUSE_CONT);
	}
}

void http_take_calls(struct http *http)
{
	struct http_batch *batch;

	for (batch = http->batches; batch; batch = batch->next) {
		bool called;

		pthread_mutex_lock(&http->lock);
		called = batch->calls;
		http->calls -= batch->calls;
		batch->calls = 0;
		pthread_mutex_unlock(&http->lock);
		if (called)
			hear_batch(batch);
	}
}
