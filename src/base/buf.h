/* buf.h - a growing string of bytes. The bytes always end with a NUL that does not count. */
#ifndef TASKFERRY_BUF_H
#define TASKFERRY_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

struct buf {
	char *data; /* owned by the buf, or as buf_of() has it; never NULL */
	size_t len;
	size_t size;
};

struct buf *buf_new(TALLOC_CTX *mem);

/* For about BYTES: it grows like any other. */
struct buf *buf_new_sized(TALLOC_CTX *mem, size_t bytes);

/* The same for who needs only the bytes in the end: they belong to MEM. */
struct buf buf_of(TALLOC_CTX *mem, size_t bytes);

/* Makes room for N more bytes and the NUL behind them. */
void buf_room(struct buf *buf, size_t n);

/* Here for the compiler to see: most that is added are words of ours, whose length it knows. */
static inline void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	if (buf->len + n >= buf->size)
		buf_room(buf, n);
	if (n)
		memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

static inline void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

/* The texts behind BUF, up to a NULL. */
void buf_join(struct buf *buf, ...) ATTR_SENTINEL;

/* With zeros in front of it up to so many DIGITS; 0: none. */
void buf_number(struct buf *buf, int64_t number, unsigned digits);

static inline void buf_putc(struct buf *buf, char c)
{
	if (buf->len + 1 >= buf->size)
		buf_room(buf, 1);
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

void buf_printf(struct buf *buf, const char *fmt, ...) ATTR_PRINTF(2, 3);
void buf_clear(struct buf *buf);

/* Drops what stands behind the first LEN bytes. */
void buf_cut(struct buf *buf, size_t len);

/* Moves the bytes to MEM and frees the buf. *LEN_R may be NULL. */
char *buf_steal(struct buf **buf, TALLOC_CTX *mem, size_t *len_r);

#endif
