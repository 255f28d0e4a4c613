/* buf.h - a growing string of bytes. The bytes always end with a NUL that does not count. */
#ifndef TASKFERRY_BUF_H
#define TASKFERRY_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"

struct buf {
	char *data; /* owned by the buf; never NULL */
	size_t len;
	size_t size;
};

struct buf *buf_new(TALLOC_CTX *mem);
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) ATTR_PRINTF(2, 3);
void buf_clear(struct buf *buf);

/* Moves the bytes to MEM and frees the buf. *LEN_R may be NULL. */
char *buf_steal(struct buf **buf, TALLOC_CTX *mem, size_t *len_r);

#endif
