#include "config.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mem_must(void *p)
{
	if (!p) {
		fputs("taskferry: out of memory\n", stderr);
		abort();
	}
	return p;
}

/* None where every allocation is watched. */
#ifdef __SANITIZE_ADDRESS__
#define WATCHED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED true
#endif
#endif
#ifndef WATCHED
#define WATCHED false
#endif

TALLOC_CTX *mem_pool(TALLOC_CTX *mem, size_t bytes)
{
	return mem_must(WATCHED ? talloc_new(mem) : talloc_pool(mem, bytes));
}

void mem_pool_clear(TALLOC_CTX *pool)
{
	talloc_free_children(pool);
}

char *mem_strdup(TALLOC_CTX *mem, const char *text)
{
	return text ? mem_must(talloc_strdup(mem, text)) : NULL;
}

char *mem_strndup(TALLOC_CTX *mem, const char *text, size_t n)
{
	return text ? mem_must(talloc_strndup(mem, text, n)) : NULL;
}

char *mem_bytes(TALLOC_CTX *mem, const void *bytes, size_t n)
{
	char *copy = mem_must(talloc_size(mem, n + 1));

	if (n)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	return copy;
}

char *mem_join(TALLOC_CTX *mem, ...)
{
	const char *text;
	size_t n = 0;
	char *joined, *to;
	va_list ap;

	va_start(ap, mem);
	while ((text = va_arg(ap, const char *)))
		n += strlen(text);
	va_end(ap);
	joined = to = mem_must(talloc_size(mem, n + 1));
	va_start(ap, mem);
	while ((text = va_arg(ap, const char *)))
		to = stpcpy(to, text);
	va_end(ap);
	*to = '\0';
	return joined;
}

char *mem_vprintf(TALLOC_CTX *mem, const char *fmt, va_list ap)
{
	return mem_must(talloc_vasprintf(mem, fmt, ap));
}

char *mem_printf(TALLOC_CTX *mem, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(mem, fmt, ap);
	va_end(ap);
	return text;
}
