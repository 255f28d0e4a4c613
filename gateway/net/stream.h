/* stream.h - one connection: TCP, and TLS over it, with deadlines.
 *
 * Every wait is a poll() on one descriptor (and on the stop descriptor), never longer than the
 * deadline that the caller has set; so a peer that hangs or drips costs a known time (N10).
 * Certificates are always verified: the chain against `tls_ca` or the system's, the name by the
 * host, TLS 1.2 at least, and its key against `tls_pin` where one is named (N9). Whether a password may go over a plain stream is the caller's
 * affair; stream_is_safe() tells.
 *
 * Faults of functions without a MEM belong to the stream: who frees that first moves the fault
 * before (talloc_steal).
 *
 * Memory per stream is small, because thousands are parked: OpenSSL's buffers are released while
 * nothing is under way, and streams of one CA file share one SSL_CTX.
 */
#ifndef TASKFERRY_STREAM_H
#define TASKFERRY_STREAM_H

#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"

#define STREAM_CONNECT_MS 10000 /* one address of a host that does not answer */
#define STREAM_ADDRESSES_MAX 8  /* tried of one host name */

/* SSL_CTX objects by CA file; shared by all threads; made once per process. A CA file that changed
 * on disk is read anew by the next stream. */
struct trusts;
struct trusts *trusts_new(TALLOC_CTX *mem);

/* A fault when the file cannot be read, or holds no certificates. */
struct fault *trusts_look(TALLOC_CTX *mem, struct trusts *trusts, const char *ca) ATTR_MUST_CHECK;

struct stream_options {
	const char *host; /* a name or an address; also what the certificate must be for */
	int port;
	bool tls;              /* from the first byte on */
	const char *tls_ca;    /* a file, or NULL: the system's */
	const char *tls_cert, *tls_key; /* files: who we are; NULL: nobody; the key in the same */
	const char *tls_pin; /* "sha256//BASE64;...": the server's key is one of them; or NULL */
	struct trusts *trusts; /* needed for TLS, now or later; outlives the stream */
	int stop_fd;         /* when it becomes readable every wait ends with TRY_LATER; -1: none */
	int32_t deadline_ms; /* for connecting and the TLS handshake, all addresses together */
};

struct stream;

struct stream_stats {
	int64_t sent_bytes, received_bytes; /* on the wire's inside: without TLS, compressed */
};

/* UNREACHABLE (scope SERVER): no such host, refused, timeout; the text names host and port. TLS
 * (scope SERVER): handshake or certificate; the text says which: expired, not for this host, not
 * signed by a known CA (and then how to name one: tls_ca), not pinned (and then what the server has).
 * CONFIG (retry; scope SERVER for tls_ca, ACCOUNT for the others): a file that is named cannot be
 * read or is not what it should be; TLS is not tried then. Freeing closes, without a farewell. The
 * name look-up blocks; the resolver's own limits hold for it. */
struct fault *stream_open(TALLOC_CTX *mem, const struct stream_options *options,
			  struct stream **stream_r) ATTR_MUST_CHECK;

/* TLS from here on. Bytes that came before the handshake are an error (command injection,
 * CVE-2011-0411): PROTOCOL; the caller hands in how many it has read and not used. */
struct fault *stream_start_tls(struct stream *stream, size_t unused_input) ATTR_MUST_CHECK;

/* DEFLATE from here on, both ways (RFC 4978); N bytes at BYTES have been read already and were
 * compressed. False: it cannot be. Not while TLS has still to begin. */
bool stream_compress(struct stream *stream, const char *bytes, size_t n);
bool stream_is_compressed(const struct stream *stream);

/* Nothing will be sent for a while: gives back memory. */
void stream_rest(struct stream *stream);

/* All reads and writes from now on end within MS milliseconds (monotonic clock). */
void stream_deadline(struct stream *stream, int64_t ms);

/* At least one byte, at most CAP. UNREACHABLE: deadline, reset, or the end of the stream
 * ("connection closed by the server"). */
struct fault *stream_read(struct stream *stream, char *bytes, size_t cap,
			  size_t *n_r) ATTR_MUST_CHECK;

/* All N bytes. While the peer does not take them, what it sends is added to INPUT (at most
 * INPUT_MAX bytes, then PROTOCOL), so that two that both write do not wait for each other. */
struct fault *stream_write(struct stream *stream, const char *bytes, size_t n, struct buf *input,
			   size_t input_max) ATTR_MUST_CHECK;

/* True when bytes can be had without a look at the descriptor (inside of TLS). */
bool stream_has_input(struct stream *stream);

/* Reads what is there without waiting; 0 in *N_R: nothing. For a parked stream that became
 * readable. */
struct fault *stream_read_ready(struct stream *stream, char *bytes, size_t cap,
				size_t *n_r) ATTR_MUST_CHECK;

int stream_fd(const struct stream *stream);
bool stream_is_tls(const struct stream *stream);

bool stream_is_loopback(const struct stream *stream);

/* True when a password may be sent: TLS, or the peer's address is loopback (N9). */
bool stream_is_safe(const struct stream *stream);

struct stream_stats stream_stats(const struct stream *stream);

#endif
