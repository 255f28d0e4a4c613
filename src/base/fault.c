#include "config.h"

#include "base/fault.h"

#include "base/text.h"

struct fault_row {
	const char *name;
	int exit_code;
	enum fault_scope scope;
	enum fault_next next;
	const char *words;
};

static const struct fault_row fault_rows[] = {
#define X(kind, exit, scope, next, words)                                                          \
	{ #kind, exit, FAULT_SCOPE_##scope, FAULT_NEXT_##next, words },
	FAULT_TABLE(X)
#undef X
};
_Static_assert(COUNT_OF(fault_rows) == FAULT_KINDS, "one row per kind");

static const char *const scope_names[] = { "item", "folder", "account", "server", "site" };
_Static_assert(COUNT_OF(scope_names) == FAULT_SCOPES, "one name per scope");

static const char *const next_names[] = { "retry", "hold", "give up" };
_Static_assert(COUNT_OF(next_names) == FAULT_NEXTS, "one name per next step");

/* TEXT, which it frees, fit for a terminal, a JSON document and a UTF-8 database, wherever it
 * came from. */
static const char *one_line(struct fault *fault, char *text)
{
	const char *line = text_one_line(fault, text, FAULT_TEXT_CHARS);

	talloc_free(text);
	return line;
}

struct fault *fault_new(TALLOC_CTX *mem, enum fault_kind kind, const char *fmt, ...)
{
	struct fault *fault = MEM_NEW(mem, struct fault);
	va_list ap;

	fault->kind = kind;
	fault->scope = fault_rows[kind].scope;
	fault->next = fault_rows[kind].next;
	va_start(ap, fmt);
	fault->text = one_line(fault, mem_vprintf(fault, fmt, ap));
	va_end(ap);
	return fault;
}

struct fault *fault_prefix(struct fault *fault, const char *fmt, ...)
{
	va_list ap;
	char *words;

	va_start(ap, fmt);
	words = mem_vprintf(fault, fmt, ap);
	va_end(ap);
	fault->text = one_line(fault, mem_printf(fault, "%s%s", words, fault->text));
	return fault;
}

struct fault *fault_reaches(struct fault *fault, enum fault_scope scope, enum fault_next next)
{
	fault->scope = scope;
	fault->next = next;
	return fault;
}

const char *fault_kind_name(enum fault_kind kind)
{
	return fault_rows[kind].name;
}

const char *fault_kind_words(enum fault_kind kind)
{
	return fault_rows[kind].words;
}

int fault_exit(const struct fault *fault)
{
	return fault ? fault_rows[fault->kind].exit_code : 0;
}

const char *fault_scope_name(enum fault_scope scope)
{
	return scope_names[scope];
}

const char *fault_next_name(enum fault_next next)
{
	return next_names[next];
}
