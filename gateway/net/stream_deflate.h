/* stream_deflate.h - raw DEFLATE both ways over a byte stream (RFC 1951, as RFC 4978 uses it).
 *
 * It moves no bytes itself: compressed ones are handed in and taken out. What comes in is inflated
 * only as far as there is room for it, so that a small input that stands for a large one costs no
 * more than the caller asked for (N10).
 *
 * Memory: some 32 KiB for what we send, while it is in use, and some 42 KiB for what the server
 * sends, for good: its window is 32 KiB.
 */
#ifndef TASKFERRY_STREAM_DEFLATE_H
#define TASKFERRY_STREAM_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"

struct stream_deflate;

/* NULL: no memory, or a zlib of another version. */
struct stream_deflate *stream_deflate_new(TALLOC_CTX *mem);

/* Compressed bytes from the peer. */
void stream_deflate_feed(struct stream_deflate *both, const char *bytes, size_t n);

/* At most CAP bytes of what they stand for; 0 in *N_R: more must be fed. PROTOCOL (scope ACCOUNT):
 * they are not DEFLATE. The end of the compressed stream: UNREACHABLE. */
struct fault *stream_deflate_take(struct stream_deflate *both, TALLOC_CTX *mem, char *bytes,
				  size_t cap, size_t *n_r) ATTR_MUST_CHECK;

/* True when stream_deflate_take() may have something without being fed. */
bool stream_deflate_has_more(const struct stream_deflate *both);

/* N bytes, compressed and flushed, at the end of OUT: the peer can read all of them. */
void stream_deflate_put(struct stream_deflate *both, const char *bytes, size_t n, struct buf *out);

/* Gives back what sending takes, until the next stream_deflate_put(). */
void stream_deflate_rest(struct stream_deflate *both);

#endif
