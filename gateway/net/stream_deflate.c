#include "config.h"

#include "gateway/net/stream_deflate.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

/* Our side uses a small window: commands and messages repeat themselves within few kilobytes. It may be
 * given back whenever everything is flushed, because a new one refers to nothing that was before. */

#define WINDOW_BITS (-15) /* the server's may be as large as there is; negative: raw */
#define OUR_WINDOW_BITS (-12)
#define OUR_MEMORY_LEVEL 5
#define CHUNK 4096

struct stream_deflate {
	z_stream in, out;
	bool sends; /* `out` is made */
	bool full;  /* the last take filled its room: there may be more */
	bool ended;
	struct buf *fed; /* what has come and is not inflated */
	size_t used;
};

static int deflate_free(struct stream_deflate *both)
{
	(void)inflateEnd(&both->in);
	stream_deflate_rest(both);
	return 0;
}

struct stream_deflate *stream_deflate_new(TALLOC_CTX *mem)
{
	struct stream_deflate *both = MEM_NEW(mem, struct stream_deflate);

	if (inflateInit2(&both->in, WINDOW_BITS) != Z_OK) {
		talloc_free(both);
		return NULL;
	}
	both->fed = buf_new(both);
	talloc_set_destructor(both, deflate_free);
	return both;
}

void stream_deflate_feed(struct stream_deflate *both, const char *bytes, size_t n)
{
	buf_add(both->fed, bytes, n);
}

static void drop_used(struct stream_deflate *both)
{
	if (both->used < both->fed->len)
		return;
	talloc_free(both->fed);
	both->fed = buf_new(both);
	both->used = 0;
}

static struct fault *nonsense(TALLOC_CTX *mem)
{
	return fault_reaches(
		fault_new(mem, FAULT_PROTOCOL, "what the server sends is not DEFLATE any more"),
		FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY);
}

struct fault *stream_deflate_take(struct stream_deflate *both, TALLOC_CTX *mem, char *bytes,
				  size_t cap, size_t *n_r)
{
	z_stream *in = &both->in;
	size_t left = both->fed->len - both->used;
	int result;

	if (both->ended)
		return fault_new(mem, FAULT_UNREACHABLE, "connection closed by the server");
	*n_r = 0;
	if (!left && !both->full)
		return NULL;
	in->next_in = (Bytef *)both->fed->data + both->used;
	in->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
	in->next_out = (Bytef *)bytes;
	in->avail_out = cap < UINT_MAX ? (uInt)cap : UINT_MAX;
	result = inflate(in, Z_SYNC_FLUSH);
	if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
		return nonsense(mem);
	both->ended = result == Z_STREAM_END;
	both->used = (size_t)(in->next_in - (Bytef *)both->fed->data);
	both->full = in->avail_out == 0;
	*n_r = (size_t)(in->next_out - (Bytef *)bytes);
	drop_used(both);
	return NULL;
}

bool stream_deflate_has_more(const struct stream_deflate *both)
{
	return both->full || both->used < both->fed->len;
}

/* ---- what we send ---- */

static void start_sending(struct stream_deflate *both)
{
	if (both->sends)
		return;
	memset(&both->out, 0, sizeof both->out);
	mem_must(deflateInit2(&both->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, OUR_WINDOW_BITS,
			      OUR_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK
			 ? both
			 : NULL);
	both->sends = true;
}

void stream_deflate_put(struct stream_deflate *both, const char *bytes, size_t n, struct buf *out)
{
	z_stream *z = &both->out;
	char chunk[CHUNK];

	start_sending(both);
	z->next_in = (Bytef *)(uintptr_t)bytes;
	z->avail_in = (uInt)n;
	do {
		z->next_out = (Bytef *)chunk;
		z->avail_out = sizeof chunk;
		(void)deflate(z,
			      Z_SYNC_FLUSH); /* cannot fail: there is room, and it was made well */
		buf_add(out, chunk, sizeof chunk - z->avail_out);
	} while (z->avail_out == 0);
}

void stream_deflate_rest(struct stream_deflate *both)
{
	if (both->sends)
		(void)deflateEnd(&both->out);
	both->sends = false;
}
