#include "config.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/point.h"

/* The rows that callers and the manual rely on (DESIGN section 10: exit codes). */
Test(fault, kinds)
{
	static const struct {
		enum fault_kind kind;
		const char *name;
		int exit_code;
		enum fault_scope scope;
		enum fault_next next;
	} rows[] = {
		{ FAULT_USAGE, "USAGE", 64, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_DATA, "DATA", 65, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_NO_INPUT, "NO_INPUT", 66, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_UNREACHABLE, "UNREACHABLE", 69, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY },
		{ FAULT_INTERNAL, "INTERNAL", 70, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_CANNOT_CREATE, "CANNOT_CREATE", 73, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_IO, "IO", 74, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_TRY_LATER, "TRY_LATER", 75, FAULT_SCOPE_SITE, FAULT_NEXT_RETRY },
		{ FAULT_NOT_PERMITTED, "NOT_PERMITTED", 77, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_CONFIG, "CONFIG", 78, FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP },
		{ FAULT_REFUSED, "REFUSED", 69, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD },
		{ FAULT_LOGIN, "LOGIN", 69, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD },
		{ FAULT_TOKEN, "TOKEN", 69, FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fault *fault = fault_new(mem, rows[i].kind, "text %zu", i);

		cr_expect_str_eq(fault_kind_name(rows[i].kind), rows[i].name);
		cr_expect(fault_exit(fault) == rows[i].exit_code, "%s: exit %d", rows[i].name,
			  fault_exit(fault));
		cr_expect(fault->scope == rows[i].scope, "%s: scope %s", rows[i].name,
			  fault_scope_name(fault->scope));
		cr_expect(fault->next == rows[i].next, "%s: next %s", rows[i].name,
			  fault_next_name(fault->next));
		cr_expect(!fault->maybe_done && fault->retry_after_s == 0);
	}
	cr_expect(fault_exit(NULL) == 0);
	talloc_free(mem);
}

Test(fault, every_kind_has_words)
{
	for (int i = 0; i < FAULT_KINDS; i++)
		cr_expect(*fault_kind_name((enum fault_kind)i) &&
			  *fault_kind_words((enum fault_kind)i));
	cr_expect_str_eq(fault_scope_name(FAULT_SCOPE_ITEM), "item");
	cr_expect_str_eq(fault_scope_name(FAULT_SCOPE_SITE), "site");
	cr_expect_str_eq(fault_next_name(FAULT_NEXT_RETRY), "retry");
	cr_expect_str_eq(fault_next_name(FAULT_NEXT_GIVE_UP), "give up");
}

Test(fault, text_is_one_clean_line)
{
	void *mem = talloc_new(NULL);
	struct fault *fault = fault_new(mem, FAULT_DATA, "a\nb\x1b[0m \xff %s", "\xc2\x9b\xc3\xa4");

	cr_expect_str_eq(fault->text, "a b [0m \xef\xbf\xbd  \xc3\xa4");
	cr_expect(fault_prefix(fault, "file\r.xml:%d: ", 7) == fault);
	cr_expect_str_eq(fault->text, "file .xml:7: a b [0m \xef\xbf\xbd  \xc3\xa4");
	talloc_free(mem);
}

Test(fault, text_is_bounded)
{
	void *mem = talloc_new(NULL);
	char *flood = MEM_ARRAY(mem, char, 100001);
	struct fault *fault;

	memset(flood, 'x', 100000);
	fault = fault_new(mem, FAULT_DATA, "%s", flood);
	cr_expect(strlen(fault->text) == FAULT_TEXT_CHARS - 1 + 3, "got %zu bytes",
		  strlen(fault->text));
	talloc_free(mem);
}

Test(fault, reaches)
{
	void *mem = talloc_new(NULL);
	struct fault *fault = fault_new(mem, FAULT_DATA, "text");

	cr_expect(fault_reaches(fault, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD) == fault);
	cr_expect(fault->scope == FAULT_SCOPE_ACCOUNT && fault->next == FAULT_NEXT_HOLD);
	cr_expect(fault->kind == FAULT_DATA);
	talloc_free(mem);
}

static struct fault *pass_on(struct fault *fault, int *reached_r)
{
	FAULT_TRY(fault);
	*reached_r = 1;
	return NULL;
}

Test(fault, try_returns_the_fault)
{
	void *mem = talloc_new(NULL);
	struct fault *fault = fault_new(mem, FAULT_IO, "text");
	int reached = 0;

	cr_expect(pass_on(fault, &reached) == fault && !reached);
	cr_expect(pass_on(NULL, &reached) == NULL && reached);
	talloc_free(mem);
}

Test(buf, grows_and_stays_terminated)
{
	void *mem = talloc_new(NULL);
	struct buf *buf = buf_new(mem);
	size_t len = 4711;
	char *text;

	cr_expect(buf->len == 0 && !*buf->data);
	for (int i = 0; i < 1000; i++) {
		buf_printf(buf, "%d,", i % 10);
		cr_assert(buf->len == 2 * ((size_t)i + 1) && buf->len < buf->size &&
			  !buf->data[buf->len]);
	}
	buf_clear(buf);
	cr_expect(buf->len == 0 && !*buf->data);
	buf_puts(buf, "ab");
	buf_putc(buf, 'c');
	buf_add(buf, "\0d", 2);
	buf_add(buf, NULL, 0);
	text = buf_steal(&buf, mem, &len);
	cr_expect(!buf && len == 5 && !memcmp(text, "abc\0d", 6));
	cr_expect(talloc_parent(text) == mem);
	talloc_free(mem);
}

Test(buf, fills_its_room_exactly)
{
	void *mem = talloc_new(NULL);
	char bytes[4096];

	memset(bytes, 'x', sizeof bytes);
	for (size_t n = 250; n < 260; n++) {
		struct buf *buf = buf_new(mem);

		buf_add(buf, bytes, n);
		cr_expect(buf->len == n && buf->data[n] == '\0' && buf->size > n, "n %zu", n);
		buf_add(buf, bytes, sizeof bytes);
		cr_expect(buf->len == n + sizeof bytes && !buf->data[buf->len], "n %zu", n);
		talloc_free(buf);
	}
	talloc_free(mem);
}

Test(buf, steal_outlives_its_owner)
{
	void *mem = talloc_new(NULL), *short_lived = talloc_new(NULL);
	struct buf *buf = buf_new(short_lived);
	char *text;

	buf_puts(buf, "kept");
	text = buf_steal(&buf, mem, NULL);
	talloc_free(short_lived);
	cr_expect_str_eq(text, "kept");
	talloc_free(mem);
}

Test(mem, copies)
{
	void *mem = talloc_new(NULL);
	struct fault *zeroed = MEM_NEW(mem, struct fault);
	int *numbers = MEM_ARRAY(mem, int, 3), *none = MEM_ARRAY(mem, int, 0);

	cr_expect(zeroed->text == NULL && zeroed->kind == 0);
	cr_expect(!numbers[0] && !numbers[1] && !numbers[2] && none);
	numbers[2] = 7;
	numbers = MEM_GROW(mem, numbers, int, 1000);
	cr_expect(numbers[2] == 7);
	cr_expect(mem_strdup(mem, NULL) == NULL && mem_strndup(mem, NULL, 3) == NULL);
	cr_expect_str_eq(mem_strdup(mem, "abc"), "abc");
	cr_expect_str_eq(mem_strndup(mem, "abc", 2), "ab");
	cr_expect_str_eq(mem_strndup(mem, "abc", 9), "abc");
	cr_expect(!memcmp(mem_bytes(mem, "a\0b", 3), "a\0b", 4));
	cr_expect_str_eq(mem_bytes(mem, NULL, 0), "");
	cr_expect_str_eq(mem_printf(mem, "%s-%d", "a", 1), "a-1");
	cr_expect(mem_must(mem) == mem);
	talloc_free(mem);
}

Test(mem, out_of_memory_ends_the_process, .signal = SIGABRT)
{
	mem_must(NULL);
}

Test(point, names)
{
	for (int i = 0; i < POINTS; i++)
		cr_expect(*point_name((enum point)i) && *point_words((enum point)i));
	cr_expect_str_eq(point_name(POINT_INIT_MIGRATED), "INIT_MIGRATED");
	cr_expect_str_eq(point_name(POINT_HTTP_ANSWERED), "HTTP_ANSWERED");
}

Test(point, passes_other_points)
{
	void *mem = talloc_new(NULL);
	struct points *points = points_new(mem, "PUSH_SENT:2", NULL);

	point_reach(NULL, POINT_PUSH_SENT);
	point_reach(points, POINT_PUSH_STARTING);
	point_reach(points, POINT_PUSH_SENT); /* the first time */
	point_reach(points_new(mem, NULL, NULL), POINT_PUSH_SENT);
	point_reach(points_new(mem, "PUSH", NULL), POINT_PUSH_SENT); /* half a name is none */
	talloc_free(mem);
}

Test(point, kills_at_the_named_time, .signal = SIGKILL)
{
	struct points *points = points_new(NULL, "PUSH_SENT:2", NULL);

	point_reach(points, POINT_PUSH_SENT);
	point_reach(points, POINT_PUSH_SENT);
}
