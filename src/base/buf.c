#include "config.h"

#include "base/buf.h"

#include <string.h>

#define BUF_FIRST_SIZE 256 /* bytes; most texts here are short lines */

struct buf *buf_new(TALLOC_CTX *mem)
{
	struct buf *buf = MEM_NEW(mem, struct buf);

	buf->size = BUF_FIRST_SIZE;
	buf->data = MEM_ARRAY(buf, char, buf->size);
	return buf;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	if (buf->len + n + 1 > buf->size) {
		while (buf->len + n + 1 > buf->size)
			buf->size *= 2;
		buf->data = MEM_GROW(buf, buf->data, char, buf->size);
	}
	if (n)
		memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(buf, fmt, ap);
	va_end(ap);
	buf_puts(buf, text);
	talloc_free(text);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->data[0] = '\0';
}

char *buf_steal(struct buf **buf, TALLOC_CTX *mem, size_t *len_r)
{
	char *data = talloc_steal(mem, (*buf)->data);

	if (len_r)
		*len_r = (*buf)->len;
	talloc_free(*buf);
	*buf = NULL;
	return data;
}
