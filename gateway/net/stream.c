#include "config.h"

#include "gateway/net/stream.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/net/stream_deflate.h"
#include "gateway/net/stream_private.h"

/* The design.
 *
 *   try      one recv, send, SSL_read, SSL_write or SSL_connect; never waits; tells what it would
 *            wait for
 *   wait     one poll on the descriptor and the stop descriptor, until the deadline
 *   the rest is loops of these two, with DEFLATE before the one and behind the other
 *
 * 1. The descriptor is non-blocking from its first moment to its last.
 * 2. The deadline is looked at before each try as well: a peer that always has one more byte does
 *    not get past it.
 * 3. The peer's bytes in the clear and inside of TLS never mix: start_tls refuses what came early.
 */

#define KEEPALIVE_IDLE_S 120 /* a parked connection: before most routers forget it */
#define KEEPALIVE_EVERY_S 30
#define KEEPALIVE_TIMES 4
#define CHUNK 16384 /* bytes read at once: a TLS record */
#define COMPRESS_AT_ONCE ((size_t)64 << 10)

struct stream {
	int fd;
	SSL *ssl; /* NULL: plain */
	struct trusts *trusts;
	char *host; /* without the brackets of an IPv6 address */
	char *tls_ca, *tls_cert, *tls_key, *tls_pin;
	char *peer; /* "host:port", for people */
	int stop_fd;
	bool loopback;
	int64_t deadline_ms;            /* monotonic */
	struct stream_deflate *deflate; /* NULL: not compressed */
	struct stream_stats stats;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int stream_free(struct stream *stream)
{
	SSL_free(stream->ssl);
	if (stream->fd >= 0)
		close(stream->fd);
	return 0;
}

/* ---- faults ---- */

static struct fault *unreachable(struct stream *stream, const char *words)
{
	return fault_new(stream, FAULT_UNREACHABLE, "%s: %s", stream->peer, words);
}

static struct fault *closed(struct stream *stream)
{
	return unreachable(stream, "connection closed by the server");
}

static const struct {
	long code;
	const char *words;
} verify_words[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, "the certificate has expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "the certificate is not valid yet" },
	{ X509_V_ERR_HOSTNAME_MISMATCH, "the certificate is not for this host" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, "the certificate is not for this address" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "the certificate is not signed by a known CA" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	  "the certificate is not signed by a known CA" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	  "the certificate is not signed by a known CA" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the certificate is not signed by a known CA" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the certificate is self-signed" },
};

static bool is_unknown_ca(long code)
{
	return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
}

static struct fault *certificate_fault(struct stream *stream, long code)
{
	const char *words = X509_verify_cert_error_string(code);

	for (size_t i = 0; i < COUNT_OF(verify_words); i++)
		if (verify_words[i].code == code)
			words = verify_words[i].words;
	return fault_new(stream, FAULT_TLS, "%s: %s%s", stream->peer, words,
			 is_unknown_ca(code) ? " (a CA of your own is named by tls_ca)" : "");
}

/* What OpenSSL left in its queue. */
static struct fault *tls_fault(struct stream *stream)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);
	long code = SSL_get_verify_result(stream->ssl);

	ERR_clear_error();
	if (code != X509_V_OK)
		return certificate_fault(stream, code);
	if (ERR_GET_REASON(error) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED && !stream->tls_cert)
		return fault_new(stream, FAULT_TLS,
				 "%s: the server wants a certificate of ours (tls_cert)",
				 stream->peer);
	if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
		return fault_new(stream, FAULT_TLS,
				 "%s: TLS: what answers at this port does not begin with it (a port "
				 "for STARTTLS goes with imap://)",
				 stream->peer);
	return fault_new(stream, FAULT_TLS, "%s: TLS: %s", stream->peer,
			 reason ? reason : "the connection failed");
}

/* ---- try ---- */

ssize_t stream_receive(struct stream *stream, void *bytes, size_t cap)
{
	ssize_t n = recv(stream->fd, bytes, cap, MSG_DONTWAIT);
	int error = errno, one = 1;

	/* Without it the kernel keeps the acknowledgement back for 40 ms, and a server with
	 * Nagle's algorithm waits for it. */
	(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
	errno = error;
	return n;
}

ssize_t stream_send(struct stream *stream, const void *bytes, size_t n)
{
	return send(stream->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static struct fault *socket_result(struct stream *stream, ssize_t n, short event, size_t *n_r,
				   short *want_r)
{
	if (n == 0)
		return closed(stream);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return unreachable(stream, strerror(errno));
	*n_r = n > 0 ? (size_t)n : 0;
	*want_r = n > 0 ? 0 : event;
	return NULL;
}

/* RESULT is what an SSL function returned, N the bytes it moved. */
static struct fault *ssl_result(struct stream *stream, int result, size_t n, size_t *n_r,
				short *want_r)
{
	int error = errno;

	*n_r = result > 0 ? n : 0;
	*want_r = 0;
	if (result > 0)
		return NULL;
	switch (SSL_get_error(stream->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*want_r = POLLIN;
		return NULL;
	case SSL_ERROR_WANT_WRITE:
		*want_r = POLLOUT;
		return NULL;
	case SSL_ERROR_ZERO_RETURN:
		return closed(stream);
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return error ? unreachable(stream, strerror(error)) : closed(stream);
	default:
		return tls_fault(stream);
	}
}

/* At most CAP bytes into BYTES; 0 in *N_R: *WANT_R must be waited for. */
static struct fault *try_read_raw(struct stream *stream, char *bytes, size_t cap, size_t *n_r,
				  short *want_r)
{
	size_t n = 0;
	int result;

	if (!stream->ssl) {
		FAULT_TRY(socket_result(stream, stream_receive(stream, bytes, cap), POLLIN, n_r,
					want_r));
	} else {
		ERR_clear_error();
		errno = 0;
		result = SSL_read_ex(stream->ssl, bytes, cap, &n);
		FAULT_TRY(ssl_result(stream, result, n, n_r, want_r));
	}
	stream->stats.received_bytes += (int64_t)*n_r;
	return NULL;
}

/* The same, inflated. 0 in *N_R and *WANT_R: bytes have come that stand for nothing yet. */
static struct fault *try_read(struct stream *stream, char *bytes, size_t cap, size_t *n_r,
			      short *want_r)
{
	char chunk[CHUNK];
	size_t n;

	if (!stream->deflate)
		return try_read_raw(stream, bytes, cap, n_r, want_r);
	*want_r = 0;
	FAULT_TRY(stream_deflate_take(stream->deflate, stream, bytes, cap, n_r));
	if (*n_r)
		return NULL;
	FAULT_TRY(try_read_raw(stream, chunk, sizeof chunk, &n, want_r));
	if (!n)
		return NULL;
	stream_deflate_feed(stream->deflate, chunk, n);
	return stream_deflate_take(stream->deflate, stream, bytes, cap, n_r);
}

static struct fault *try_write(struct stream *stream, const char *bytes, size_t size, size_t *n_r,
			       short *want_r)
{
	size_t n = 0;
	int result;

	if (!stream->ssl) {
		FAULT_TRY(socket_result(stream, stream_send(stream, bytes, size), POLLOUT, n_r,
					want_r));
	} else {
		ERR_clear_error();
		errno = 0;
		result = SSL_write_ex(stream->ssl, bytes, size, &n);
		FAULT_TRY(ssl_result(stream, result, n, n_r, want_r));
	}
	stream->stats.sent_bytes += (int64_t)*n_r;
	return NULL;
}

/* ---- wait ---- */

static struct fault *late(struct stream *stream)
{
	return unreachable(stream, "no answer in time");
}

/* *GOT_R: what became true of EVENTS, or an error that the next try will tell. */
static struct fault *stream_wait(struct stream *stream, short events, int64_t until_ms,
				 short *got_r)
{
	struct pollfd fds[2] = { { .fd = stream->fd, .events = events },
				 { .fd = stream->stop_fd, .events = POLLIN } };

	for (;;) {
		int64_t left = until_ms - now_ms();
		int n;

		if (left <= 0)
			return late(stream);
		n = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n < 0 && errno != EINTR)
			return unreachable(stream, strerror(errno));
		if (n > 0 && fds[1].revents)
			return fault_new(stream, FAULT_TRY_LATER, "%s: the service is ending",
					 stream->peer);
		if (n > 0 && fds[0].revents) {
			*got_r = fds[0].revents;
			return NULL;
		}
	}
}

void stream_deadline(struct stream *stream, int64_t ms)
{
	stream->deadline_ms = now_ms() + ms;
}

/* ---- reading and writing ---- */

struct fault *stream_read(struct stream *stream, char *bytes, size_t cap, size_t *n_r)
{
	size_t n = 0;
	short want, got;

	assert(cap > 0);
	for (;;) {
		if (now_ms() >= stream->deadline_ms)
			return late(stream);
		FAULT_TRY(try_read(stream, bytes, cap, &n, &want));
		if (n)
			break;
		if (want)
			FAULT_TRY(stream_wait(stream, want, stream->deadline_ms, &got));
	}
	*n_r = n;
	return NULL;
}

struct fault *stream_read_ready(struct stream *stream, char *bytes, size_t cap, size_t *n_r)
{
	short want;

	assert(cap > 0);
	return try_read(stream, bytes, cap, n_r, &want);
}

/* Takes what the peer sends while we write. */
static struct fault *take_input(struct stream *stream, struct buf *input, size_t input_max)
{
	char bytes[CHUNK];
	size_t n;

	do {
		FAULT_TRY(stream_read_ready(stream, bytes, sizeof bytes, &n));
		if (n > input_max || input->len > input_max - n)
			return fault_reaches(
				fault_new(stream, FAULT_PROTOCOL,
					  "%s: more than %zu bytes without being asked",
					  stream->peer, input_max),
				FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY);
		buf_add(input, bytes, n);
	} while (n);
	return NULL;
}

static struct fault *write_raw(struct stream *stream, const char *bytes, size_t n,
			       struct buf *input, size_t input_max)
{
	while (n) {
		size_t done = 0;
		short want, got;

		if (now_ms() >= stream->deadline_ms)
			return late(stream);
		FAULT_TRY(try_write(stream, bytes, n, &done, &want));
		bytes += done;
		n -= done;
		if (done)
			continue;
		FAULT_TRY(stream_wait(stream, (short)(want | POLLIN), stream->deadline_ms, &got));
		if (got & POLLIN)
			FAULT_TRY(take_input(stream, input, input_max));
	}
	return NULL;
}

/* In pieces, so that a large text is never there a second time as a whole. */
struct fault *stream_write(struct stream *stream, const char *bytes, size_t n, struct buf *input,
			   size_t input_max)
{
	struct fault *fault = NULL;
	struct buf *small;

	if (!stream->deflate)
		return write_raw(stream, bytes, n, input, input_max);
	small = buf_new(stream);
	while (n && !fault) {
		size_t part = n < COMPRESS_AT_ONCE ? n : COMPRESS_AT_ONCE;

		buf_clear(small);
		stream_deflate_put(stream->deflate, bytes, part, small);
		fault = write_raw(stream, small->data, small->len, input, input_max);
		bytes += part;
		n -= part;
	}
	talloc_free(small);
	return fault;
}

bool stream_compress(struct stream *stream, const char *bytes, size_t n)
{
	assert(!stream->deflate);
	stream->deflate = stream_deflate_new(stream);
	if (stream->deflate)
		stream_deflate_feed(stream->deflate, bytes, n);
	return stream->deflate != NULL;
}

bool stream_is_compressed(const struct stream *stream)
{
	return stream->deflate != NULL;
}

void stream_rest(struct stream *stream)
{
	if (stream->deflate)
		stream_deflate_rest(stream->deflate);
}

bool stream_has_input(struct stream *stream)
{
	return (stream->deflate && stream_deflate_has_more(stream->deflate)) ||
	       (stream->ssl && SSL_pending(stream->ssl) > 0);
}

/* ---- TLS ---- */

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Whom the certificate must name; a name is told to the server too (SNI), an address is not. */
static bool ssl_expect(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

static struct fault *handshake(struct stream *stream)
{
	for (;;) {
		short want = 0, got;
		size_t n;
		int result;

		if (now_ms() >= stream->deadline_ms)
			return late(stream);
		ERR_clear_error();
		errno = 0;
		result = SSL_connect(stream->ssl);
		FAULT_TRY(ssl_result(stream, result, 0, &n, &want));
		if (result > 0)
			return NULL;
		FAULT_TRY(stream_wait(stream, want, stream->deadline_ms, &got));
	}
}

static struct fault *start_tls(struct stream *stream)
{
	struct fault *fault;
	BIO *bio;

	assert(stream->trusts && !stream->ssl);
	fault = trusts_client(stream, stream->trusts, stream->tls_ca, &stream->ssl);
	if (!fault && stream->tls_cert)
		fault = stream_cert_show(stream, stream->ssl, stream->tls_cert, stream->tls_key);
	if (fault)
		return fault_prefix(fault, "%s: ", stream->peer);
	bio = trusts_bio(stream->trusts, stream);
	SSL_set_bio(stream->ssl, bio, bio);
	if (!ssl_expect(stream->ssl, stream->host))
		return fault_new(stream, FAULT_TLS, "%s: not a host name that TLS can check",
				 stream->peer);
	FAULT_TRY(handshake(stream));
	fault = stream->tls_pin ? stream_cert_pinned(stream, stream->ssl, stream->tls_pin) : NULL;
	return fault ? fault_prefix(fault, "%s: ", stream->peer) : NULL;
}

struct fault *stream_start_tls(struct stream *stream, size_t unused_input)
{
	if (unused_input)
		return fault_reaches(
			fault_new(stream, FAULT_PROTOCOL,
				  "%s: the server, or somebody between, sent %zu bytes in the "
				  "clear behind its answer to STARTTLS",
				  stream->peer, unused_input),
			FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
	return start_tls(stream);
}

/* ---- connecting ---- */

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->sa_family != AF_INET6)
		return false;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

static const struct {
	int level, option, value;
} socket_options[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
	{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S },
	{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TIMES },
};

static struct fault *connect_wait(struct stream *stream)
{
	int64_t until = now_ms() + STREAM_CONNECT_MS;
	int error = 0;
	socklen_t len = sizeof error;
	short got;

	if (until > stream->deadline_ms)
		until = stream->deadline_ms;
	FAULT_TRY(stream_wait(stream, POLLOUT, until, &got));
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	return error ? unreachable(stream, strerror(error)) : NULL;
}

static struct fault *connect_one(struct stream *stream, const struct addrinfo *address)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return unreachable(stream, strerror(errno));
	for (size_t i = 0; i < COUNT_OF(socket_options); i++)
		(void)setsockopt(stream->fd, socket_options[i].level, socket_options[i].option,
				 &socket_options[i].value, sizeof socket_options[i].value);
	stream->loopback = is_loopback(address->ai_addr);
	if (!connect(stream->fd, address->ai_addr, address->ai_addrlen))
		return NULL;
	if (errno != EINPROGRESS && errno != EINTR)
		return unreachable(stream, strerror(errno));
	return connect_wait(stream);
}

/* The fault of the last address stands for all; the stop descriptor ends the search. */
static struct fault *connect_any(struct stream *stream, const struct addrinfo *addresses)
{
	struct fault *fault = unreachable(stream, "no address");
	int tried = 0;

	for (const struct addrinfo *a = addresses; a && tried < STREAM_ADDRESSES_MAX;
	     a = a->ai_next, tried++) {
		talloc_free(fault);
		fault = connect_one(stream, a);
		if (!fault || fault->kind == FAULT_TRY_LATER || now_ms() >= stream->deadline_ms)
			break;
	}
	return fault;
}

static struct fault *connect_host(struct stream *stream, int port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *addresses = NULL;
	char service[16];
	struct fault *fault;
	int error;

	(void)snprintf(service, sizeof service, "%d", port);
	error = getaddrinfo(stream->host, service, &hints, &addresses);
	if (error)
		return unreachable(stream,
				   error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	fault = connect_any(stream, addresses);
	freeaddrinfo(addresses);
	return fault;
}

/* "[::1]" is an address in brackets; "host." is the same name as "host", in certificates too. */
static char *plain_host(TALLOC_CTX *mem, const char *host)
{
	size_t n = strlen(host);

	if (n > 2 && host[0] == '[' && host[n - 1] == ']')
		return mem_strndup(mem, host + 1, n - 2);
	return mem_strndup(mem, host, n > 1 && host[n - 1] == '.' ? n - 1 : n);
}

struct fault *stream_open(TALLOC_CTX *mem, const struct stream_options *options,
			  struct stream **stream_r)
{
	struct stream *stream = MEM_NEW(mem, struct stream);
	struct fault *fault;

	stream->fd = -1;
	stream->stop_fd = options->stop_fd;
	stream->trusts = options->trusts;
	stream->host = plain_host(stream, options->host);
	stream->tls_ca = mem_strdup(stream, options->tls_ca);
	stream->tls_cert = mem_strdup(stream, options->tls_cert);
	stream->tls_key = mem_strdup(stream, options->tls_key);
	stream->tls_pin = mem_strdup(stream, options->tls_pin);
	stream->peer = mem_printf(stream, "%s:%d", options->host, options->port);
	talloc_set_destructor(stream, stream_free);
	stream_deadline(stream, options->deadline_ms);
	fault = connect_host(stream, options->port);
	if (!fault && options->tls)
		fault = start_tls(stream);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(stream);
		return fault;
	}
	*stream_r = stream;
	return NULL;
}

/* ---- questions ---- */

int stream_fd(const struct stream *stream)
{
	return stream->fd;
}

bool stream_is_tls(const struct stream *stream)
{
	return stream->ssl != NULL;
}

bool stream_is_loopback(const struct stream *stream)
{
	return stream->loopback;
}

bool stream_is_safe(const struct stream *stream)
{
	return stream->ssl || stream->loopback;
}

struct stream_stats stream_stats(const struct stream *stream)
{
	return stream->stats;
}
