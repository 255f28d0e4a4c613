/* http.h - HTTP for many callers through one curl multi handle on a thread of its own.
 *
 * HTTP/1.1 keep-alive, at most HTTP_HOST_CONNECTIONS per host and HTTP_CONNECTIONS in all,
 * certificates always verified (N9), CAPATH never used (facts: 3.9 MB per connection). Callers
 * block. An answer is gathered, up to a bound, or taken by the caller while it arrives, so that its
 * length costs no memory. Credentials go out over https or to loopback only. Redirects are not
 * followed here: the caller sees them. "Expect: 100-continue" is never sent: items are small, and a
 * server that knows nothing of it would cost a second per write.
 */
#ifndef TASKFERRY_HTTP_H
#define TASKFERRY_HTTP_H

#include "base/clock.h"
#include "base/fault.h"
#include "base/point.h"
#include "base/secret.h"
#include "gateway/net/http_digest.h"

#define HTTP_HOST_CONNECTIONS 8 /* DESIGN section 11 */
#define HTTP_CONNECTIONS 32     /* DESIGN section 11: 125 MB of TLS state at worst */
#define HTTP_DEADLINE_MS                                                                           \
	60000 /* one request, absolute: a server that drips is as bad as one that hangs */
#define HTTP_BATCH_DEADLINE_MS                                                                     \
	600000 /* one http_run(), absolute: what has not been sent by then is not sent */
#define HTTP_CONNECT_TIMEOUT_MS 10000 /* a host that does not answer at all */
#define HTTP_BODY_MAX                                                                              \
	((size_t)64 << 20) /* bytes: a multistatus of 10,000 items with text is some 20 MB */
#define HTTP_TAKEN_MAX                                                                             \
	((size_t)1 << 30) /* bytes of a body that is taken while it arrives: it only has to end */
#define HTTP_PIPE_SIZE                                                                             \
	((size_t)128                                                                               \
	 << 10) /* bytes of such a body that wait for their taker; then the server does */
#define HTTP_REFUSAL_MAX ((size_t)1 << 20) /* bytes of any other answer to such a request */
#define HTTP_HEAD_MAX                                                                              \
	((size_t)64 << 10) /* bytes: all header lines of one answer, interim answers included */
#define HTTP_RETRY_AFTER_MAX_S 86400 /* a server that asks for more is asked again after a day */

struct http;

struct http_stats {
	int64_t requests, writes, connections, sent_bytes, received_bytes;
};

enum http_auth {
	HTTP_AUTH_PASSWORD, /* Basic; Digest where a server refuses that and offers only this */
	HTTP_AUTH_BASIC,
	HTTP_AUTH_DIGEST,      /* the password is never sent */
	HTTP_AUTH_BEARER,      /* `password` is a token */
	HTTP_AUTH_NEGOTIATE,   /* the process's own Kerberos ticket */
	HTTP_AUTH_CERTIFICATE, /* by tls_cert only */
	HTTP_AUTHS
};

/* A token in place of one that was refused; called in the thread that called http_run(). The one
 * before lives as long as the site: what is under way may still be sent with it. */
typedef struct fault *http_renew(void *context, const struct secret **token_r);

/* One host with its trust and its login; shared by all its requests, and outlives them. Used by one
 * http_run() at a time. */
struct http_site {
	const char *tls_ca;  /* a file, or NULL: the system's bundle */
	const char *tls_pin; /* "sha256//BASE64", several with ';' between: public keys of which the
				server must have one, its certificate verified all the same; or NULL */
	const char *tls_cert,
		*tls_key; /* files: who we are; NULL: nobody; the key in the same file */
	enum http_auth auth;
	const char *user; /* NULL: no login, or one without a name */
	const struct secret *password;
	http_renew *renew; /* BEARER: after a 401, once per http_run() and not within a minute; or
			      NULL */
	void *renew_context;
	struct http_challenge challenge; /* http_run()'s own: Digest is spoken with this */
	int64_t renewed_ms;              /* likewise */
	uint32_t logins;                 /* likewise: how often either has changed */
	struct http_stats *stats; /* http_run() adds what it took; NULL: nobody wants to know. Not
				     for several threads at once */
};

struct http_request;

/* Takes the next LEN bytes of an answer's body; called in the thread that called http_run() and
 * before that returns, with all that the head tells set in REQUEST. A fault ends the transfer and
 * becomes its result, with method and path before its text. */
typedef struct fault *http_take(void *context, const struct http_request *request, const char *data,
				size_t len);

struct http_request {
	const char *method;
	const char *url;            /* http:// or https://; a user part is refused */
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	const char *body;
	size_t body_len;
	bool writes;     /* PUT, DELETE, MKCALENDAR ...: fault points, and maybe_done when no answer
			    comes */
	size_t body_max; /* 0: HTTP_BODY_MAX, HTTP_TAKEN_MAX for what is taken */
	/* NULL, or who takes the body of an answer of status `take_status`; bodies of other answers are
	 * gathered as ever, up to HTTP_REFUSAL_MAX. What was taken is worth nothing when in the end
	 * there is a fault. */
	http_take *take;
	void *take_context;
	int take_status;
	int32_t deadline_ms; /* 0: HTTP_DEADLINE_MS */
	/* out: */
	bool sent;           /* it may have reached the server */
	struct fault *fault; /* no usable answer: UNREACHABLE, TLS, PROTOCOL; NULL: the rest is set,
				whatever the status */
	int status;
	const char *etag, *last_modified, *location, *dav, *allow, *server, *content_type,
		*authenticate;    /* NULL: not sent */
	int64_t date_us;          /* Date, 0: not sent */
	int64_t last_modified_us; /* 0: not sent or not understood */
	int64_t answered_us;      /* our clock when the answer's header arrived */
	int32_t retry_after_s;
	char *answer; /* the body, NUL-terminated; never NULL when fault is NULL; "" if taken */
	size_t answer_len;
};

/* Starts the thread. CLOCK and POINTS outlive it. Freeing (talloc) ends the thread; open requests
 * end with a fault. */
struct fault *http_new(TALLOC_CTX *mem, struct clock *clock, struct points *points,
		       struct http **http_r) ATTR_MUST_CHECK;

/* Carries out COUNT requests, all of one host, and returns when all have a result. At most
 * HTTP_HOST_CONNECTIONS are under way at once, started in their order; hosts and callers take
 * turns. Results belong to MEM. Any thread may call. Once the login is refused or no connection can
 * be made, and SITE cannot do better (a new token, or Digest), what has not been sent yet is not tried and gets that fault too: a wrong password is not
 * offered hundreds of times. */
void http_run(struct http *http, TALLOC_CTX *mem, struct http_site *site,
	      struct http_request *requests, size_t count);

/* http_run() in two halves, so that the caller can do something else meanwhile: what is sent here and
 * not waited for yet is sent behind everything that is waited for, and in the order of its sending
 * among that of the same site. SITE and REQUESTS are not touched until http_wait(), which gives them
 * their results and frees the sending; freeing it waits as well and gives none. The same thread. */
struct http_sending;
struct http_sending *http_send(struct http *http, TALLOC_CTX *mem, struct http_site *site,
			       struct http_request *requests, size_t count);
void http_wait(struct http_sending *sending, TALLOC_CTX *mem);

/* Everything that is under way, and everything later, ends with TRY_LATER at once: the process is
 * about to end. Any thread. */
void http_cancel(struct http *http);

/* True if this libcurl can speak Negotiate. */
bool http_has_negotiate(void);

/* Counters since the start; for tests and `status`. */
struct http_stats http_stats(struct http *http);

/* A date as HTTP and WebDAV write it ("Sat, 21 Nov 2026 09:00:00 GMT"); 0 if it is not understood.
 */
int64_t http_date_us(const char *text);

/* True for hosts that plaintext credentials may go to: localhost, 127.0.0.0/8, [::1] (N9). */
bool http_is_loopback(const char *url);

/* A URL taken apart. Only http and https, and never with a user part: false, and nothing set. PORT
 * is set even where it is the scheme's own; HOST is in lower case, an IPv6 address in brackets;
 * PATH is as written, "/" at least. */
struct http_url {
	bool tls;
	const char *host;
	int port;
	const char *path;
};
bool http_url_parse(TALLOC_CTX *mem, const char *url, struct http_url *url_r);

/* The fault that a status means for a request, or NULL for 2xx: 401 LOGIN, 403 REFUSED, 404 and 410
 * GONE, 409 REFUSED, 412 CHANGED, 413 and 415 REFUSED, 423 LOCKED, 429 and 503 BUSY with
 * Retry-After, 507 FULL, other 5xx BUSY, 3xx PROTOCOL. A 500 reaches one item only (some servers
 * fail so on a single bad text), 502 to 504 the server, 429 the account. The text names method,
 * path and status. */
struct fault *http_status_fault(TALLOC_CTX *mem, const struct http_request *request);

#endif
