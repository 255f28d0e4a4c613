/* mem.h - allocation by talloc that cannot fail.
 *
 * Every allocation has one owner, the talloc context that it is made under. Input is bounded
 * everywhere (DESIGN section 11), so running out of memory is a broken machine, not an input: the
 * process says so and aborts; whatever was not committed is done again by the next run.
 */
#ifndef TASKFERRY_MEM_H
#define TASKFERRY_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <talloc.h>

#include "base/attr.h"

/* One zeroed object of a type; an array of N zeroed objects; an array made larger (the new part is
 * not zeroed). */
#define MEM_NEW(mem, type) ((type *)mem_must(talloc_zero(mem, type)))
#define MEM_ARRAY(mem, type, n) ((type *)mem_must(talloc_zero_array(mem, type, (n) > 0 ? (n) : 1)))
#define MEM_GROW(mem, array, type, n)                                                              \
	((type *)mem_must(talloc_realloc(mem, array, type, (n) > 0 ? (n) : 1)))

/* A context that owns others. */
#define MEM_CONTEXT(mem) mem_must(talloc_new(mem))

/* One that takes what is made below it from BYTES of its own, as far as they go: for many small things
 * that all end together. What is moved out of it keeps all of them: copy it. */
TALLOC_CTX *mem_pool(TALLOC_CTX *mem, size_t bytes);

/* Drops what is below it, after which it has them all again. */
void mem_pool_clear(TALLOC_CTX *pool);

/* Copies of strings; NULL gives NULL. mem_strndup stops at N bytes or at a NUL. */
char *mem_strdup(TALLOC_CTX *mem, const char *text);
char *mem_strndup(TALLOC_CTX *mem, const char *text, size_t n);

/* N bytes copied, with a NUL behind them that does not count. */
char *mem_bytes(TALLOC_CTX *mem, const void *bytes, size_t n);

/* The texts behind MEM, up to a NULL, as one. */
char *mem_join(TALLOC_CTX *mem, ...) ATTR_SENTINEL;

char *mem_printf(TALLOC_CTX *mem, const char *fmt, ...) ATTR_PRINTF(2, 3);
char *mem_vprintf(TALLOC_CTX *mem, const char *fmt, va_list ap) ATTR_PRINTF(2, 0);

/* Returns P, or ends the process when it is NULL. */
void *mem_must(void *p);

#endif
