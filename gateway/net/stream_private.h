/* stream_private.h - what a stream and the trusts share. */
#ifndef TASKFERRY_STREAM_PRIVATE_H
#define TASKFERRY_STREAM_PRIVATE_H

#include <openssl/ssl.h>

#include "gateway/net/stream.h"

/* A new TLS client that trusts `ca` (NULL: the system's) and is told nothing else yet: no name, no
 * descriptor, no certificate of ours. CONFIG (scope SERVER, retry): the file cannot be read, or holds
 * no certificate. The caller frees it. */
struct fault *trusts_client(TALLOC_CTX *mem, struct trusts *trusts, const char *ca,
			    SSL **ssl_r) ATTR_MUST_CHECK;

/* ---- stream_cert.c: who we are, and who the server must be ---- */

/* Shows the certificate of the file CERT to the server; the key is in KEY (NULL: in the same file).
 * Read anew each time, since every person may have one. CONFIG (scope ACCOUNT, retry): they cannot be
 * read, are not what they should be, or do not belong together. */
struct fault *stream_cert_show(TALLOC_CTX *mem, SSL *ssl, const char *cert,
			       const char *key) ATTR_MUST_CHECK;

/* TLS (scope SERVER): the server's public key is none of PINS, "sha256//BASE64;sha256//BASE64...". */
struct fault *stream_cert_pinned(TALLOC_CTX *mem, SSL *ssl, const char *pins) ATTR_MUST_CHECK;

/* CONFIG (scope SERVER, retry): the file that KEY names cannot be read. */
struct fault *stream_cert_readable(TALLOC_CTX *mem, const char *key,
				   const char *path) ATTR_MUST_CHECK;

/* A BIO whose bytes go through the two functions below with CONTEXT. */
BIO *trusts_bio(struct trusts *trusts, struct stream *context);

/* One recv() or send() that neither waits nor raises a signal: bytes, 0 at the end, or -1 and
 * errno. */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t cap);
ssize_t stream_send(struct stream *stream, const void *bytes, size_t n);

#endif
