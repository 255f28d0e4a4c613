/* stream_private.h - what a stream and the trusts share. */
#ifndef TASKFERRY_STREAM_PRIVATE_H
#define TASKFERRY_STREAM_PRIVATE_H

#include <openssl/ssl.h>

#include "gateway/net/stream.h"

/* A new TLS client that trusts `ca` (NULL: the system's) and is told nothing else yet: no name, no
 * descriptor. TLS fault (scope SERVER): the file cannot be read, or holds no certificate. The
 * caller frees it. */
struct fault *trusts_client(TALLOC_CTX *mem, struct trusts *trusts, const char *ca,
			    SSL **ssl_r) ATTR_MUST_CHECK;

/* A BIO whose bytes go through the two functions below with CONTEXT. */
BIO *trusts_bio(struct trusts *trusts, struct stream *context);

/* One recv() or send() that neither waits nor raises a signal: bytes, 0 at the end, or -1 and
 * errno. */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t cap);
ssize_t stream_send(struct stream *stream, const void *bytes, size_t n);

#endif
