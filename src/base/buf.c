#include "config.h"

#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BUF_FIRST_SIZE 256 /* bytes; most texts here are short lines */

struct buf *buf_new(TALLOC_CTX *mem)
{
	return buf_new_sized(mem, BUF_FIRST_SIZE - 1);
}

struct buf *buf_new_sized(TALLOC_CTX *mem, size_t bytes)
{
	struct buf *buf = mem_must(talloc(mem, struct buf));

	*buf = buf_of(buf, bytes);
	return buf;
}

struct buf buf_of(TALLOC_CTX *mem, size_t bytes)
{
	struct buf buf = { .data = mem_must(talloc_size(mem, bytes + 1)), .size = bytes + 1 };

	buf.data[0] = '\0';
	return buf;
}

void buf_room(struct buf *buf, size_t n)
{
	if (buf->len + n < buf->size)
		return;
	assert(buf->size); /* one that only stands for bytes of others does not grow */
	while (buf->len + n >= buf->size)
		buf->size *= 2;
	buf->data = MEM_GROW(NULL, buf->data, char, buf->size); /* stays with its owner */
}

void buf_join(struct buf *buf, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, buf);
	while ((text = va_arg(ap, const char *))) {
		size_t n = strlen(text);

		if (buf->len + n >= buf->size)
			buf_room(buf, n);
		memcpy(buf->data + buf->len, text, n);
		buf->len += n;
	}
	va_end(ap);
	buf->data[buf->len] = '\0';
}

void buf_number(struct buf *buf, int64_t number, unsigned digits)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	size_t n = 1;

	for (uint64_t more = rest; more >= 10; more /= 10)
		n++;
	n = n < digits ? digits : n;
	if (number < 0)
		buf_putc(buf, '-');
	buf_room(buf, n);
	for (size_t i = n; i-- > 0; rest /= 10)
		buf->data[buf->len + i] = (char)('0' + rest % 10);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	for (;;) {
		size_t room = buf->size - buf->len;

		va_start(ap, fmt);
		n = vsnprintf(buf->data + buf->len, room, fmt, ap);
		va_end(ap);
		mem_must(n < 0 ? NULL : buf);
		if ((size_t)n < room)
			break;
		buf_room(buf, (size_t)n);
	}
	buf->len += (size_t)n;
}

void buf_clear(struct buf *buf)
{
	buf_cut(buf, 0);
}

void buf_cut(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	buf->data[len] = '\0';
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
