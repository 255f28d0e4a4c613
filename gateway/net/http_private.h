/* http_private.h - what the files of HTTP share: http.c the caller's side, http_net.c the net
 * thread, http_take.c bodies on their way, http_auth.c and http_digest.c who we are, http_option.c what curl is told, http_url.c addresses, http_answer.c what came back. */
#ifndef TASKFERRY_HTTP_PRIVATE_H
#define TASKFERRY_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <pthread.h>

#include "gateway/net/http.h"

#define HTTP_PIN_SIZE 64 /* bytes: "sha256//", 44 of Base64, NUL */

struct http_bytes {
	char *data;
	size_t len, size, max;
};

struct http_batch;

struct http_transfer {
	struct http_batch *batch;
	struct http_request *request; /* the net thread reads only */
	struct curl_slist *headers;
	CURL *easy; /* while it is under way */
	struct http_bytes head, body;
	size_t head_total;           /* with interim answers */
	size_t streamed, stream_max; /* bytes of a body that is taken */
	bool head_done, body_begun, over, sent, done;
	bool streams; /* its body goes into the pipe */
	/* under the lock: */
	struct http_bytes pipe; /* what waits for its taker */
	bool full;              /* curl was told to wait */
	bool resume, drop;      /* the caller's word: go on, or no more */
	/* the caller's */
	bool told;                           /* the head is in the request already */
	struct fault *taken;                 /* what the taker said */
	const char *untried;                 /* why it never went out, or NULL */
	const struct http_transfer *because; /* the one whose failure made it pointless to try */
	CURLcode code;
	int status;
	int64_t answered_us;
	struct http_stats took;
	char error[CURL_ERROR_SIZE];
	char pin[HTTP_PIN_SIZE]; /* the server's public key, where keys are pinned; "" unknown */
};

struct http_host {
	struct http_host *prev, *next;
	char *origin;
	size_t active, batches;
};

/* One http_run(). */
struct http_batch {
	struct http_batch *prev, *next;
	struct http *http;
	const struct http_site *site; /* the net thread reads only what never changes */
	const struct secret *password; /* as they were when it began */
	bool challenged;
	uint32_t logins;
	const char *origin;
	bool loopback, tls;
	struct http_transfer *transfers;
	size_t count, started, ended, timeouts;
	size_t ready, calls; /* under the lock: pipes with something in them; words for the net */
	int64_t deadline_ms; /* monotonic */
	struct http_host *host; /* the net thread's */
	int64_t serial;         /* the net thread's: in the order of their coming */
	bool behind;            /* others of its site go first */
	bool sent;              /* the net thread was given it */
	bool done;
	pthread_cond_t ended_cond;
};

struct http {
	struct clock *clock;
	struct points *points;
	CURLM *multi;
	pthread_t thread;
	/* the net thread's */
	struct http_batch *batches;
	struct http_host *hosts;
	size_t active;
	int64_t serial;
	bool aborting; /* as `cancelled`, when it looked last */
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct http_batch *inbox;
	size_t callers, calls; /* calls: the sum of the batches' */
	bool cancelled;        /* nothing is to be carried out any more */
	bool stopping;         /* nor will anybody call */
	struct http_stats stats;
};

/* ---- http_net.c ---- */

/* The net thread; CONTEXT is the struct http. */
void *http_net_loop(void *context);

/* Milliseconds of the monotonic clock. */
int64_t http_net_now_ms(void);

/* Takes a transfer out of curl, however it ended. */
void http_net_stop(struct http *http, struct http_transfer *t, CURLcode code);

/* What has not been started yet ends untried: because of another one's failure, or for the reason
 * in words. */
void http_net_skip(struct http_batch *batch, const struct http_transfer *because,
		   const char *untried);

/* Marks a transfer as done, however it ended. */
void http_net_end(struct http_transfer *t);

void http_net_count(struct http_stats *sum, const struct http_stats *stats);

/* ---- http_take.c ---- */

/* N more bytes; false: over its `max`. */
bool http_take_add(struct http_bytes *bytes, const char *data, size_t n);

/* CURLOPT_WRITEFUNCTION of a transfer. */
size_t http_take_body(char *data, size_t size, size_t n, void *context);

/* Hands one full pipe on to its taker; false if there is none. The caller's; called with the lock,
 * which is released meanwhile. */
bool http_take_ready(struct http_batch *batch, TALLOC_CTX *mem);

/* Goes on with, or ends, what callers have spoken of; for when `calls` is not 0. The net's. */
void http_take_calls(struct http *http);

/* ---- http_option.c ---- */

/* Tells curl all about a transfer; false: it did not take it. */
bool http_option_set(CURL *easy, struct http_transfer *t);

/* The header lines of a request; curl_slist_free_all() is the caller's. */
struct curl_slist *http_option_headers(const struct http_request *request);

/* ---- http_auth.c ---- */

/* True if requests to SITE show something that only its server may see. */
bool http_auth_is_secret(const struct http_site *site);

/* Tells curl the login; false: it did not take it. */
bool http_auth_set(CURL *easy, const struct http_batch *batch);

/* LIST with the header lines that say who we are; in the caller's thread. */
struct curl_slist *http_auth_headers(struct curl_slist *list, struct http_site *site,
				     const struct http_request *request);

/* REFUSED, of a batch that began with LOGINS, was answered with 401: true if SITE says now who we are
 * in another way, so that it is worth to try again. */
bool http_auth_again(struct http_site *site, const struct http_request *refused, uint32_t logins);

/* ---- http_url.c ---- */

/* HOST as http_url_parse() gives it. */
bool http_url_is_loopback(const char *host);

/* ---- http_answer.c ---- */

/* Reads the header lines of an answer (LEN bytes, status line first) into REQUEST's fields. Its
 * `answered_us` is set. */
void http_answer_head(TALLOC_CTX *mem, struct http_request *request, const char *bytes, size_t len);

/* The path of a URL, cut where it is long, and without a query, which may be secret: for the text of a
 * fault. */
const char *http_answer_path(TALLOC_CTX *mem, const char *url);

#endif
