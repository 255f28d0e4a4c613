#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "decide/expr.h"
#include "decide/rules.h"

/* What an expression gives, and in which words it is refused; what is hostile is in
 * rules_hostile_test.c. */

static void check_expr(const char *text, const char *expected)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr;
	struct expr_value value = { 0 };
	struct expr_value bound[EXPR_NAMES] = { { 0 } };
	struct fault *fault = expr_engine_new(mem, &engine);
	char *actual;

	bound[EXPR_NEW + FIELD_percent] =
		(struct expr_value){ .type = EXPR_INTEGER, .integer = 60 };
	bound[EXPR_OLD + FIELD_percent] =
		(struct expr_value){ .type = EXPR_INTEGER, .integer = 40 };
	bound[EXPR_NEW + FIELD_notes] =
		(struct expr_value){ .type = EXPR_TEXT, .text = "Grün, 'new.percent'" };
	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	if (!fault)
		fault = expr_compile(mem, engine, text, strlen(text), &expr);
	if (!fault)
		fault = expr_evaluate(mem, expr, bound, &value);
	actual = fault                     ? mem_printf(mem, "error: %s", fault->text)
		 : value.type == EXPR_TEXT ? mem_printf(mem, "text %s", value.text)
		 : value.type == EXPR_INTEGER
			 ? mem_printf(mem, "integer %lld", (long long)value.integer)
		 : value.type == EXPR_REAL ? mem_printf(mem, "real %.6f", value.real)
					   : mem_printf(mem, "null");
	cr_expect_str_eq(actual, expected, "%s\nexpected %s\nactual   %s", text, expected, actual);
	cr_expect_eq(expr_type_name(value.type)[0], fault ? 'n' : actual[0]);
	talloc_free(mem);
}

Test(expr, values)
{
	static const char *const rows[][2] = {
		{ "new.percent", "integer 60" },
		{ "NEW.PERCENT - old.Percent", "integer 20" },
		{ "new.percent>old.percent", "integer 1" },
		{ "new.percent+new.percent", "integer 120" },
		{ "'new.percent'", "text new.percent" },
		{ "'it''s'", "text it's" },
		{ "''", "text " },
		{ "'-- /* ; ? :a \" '", "text -- /* ; ? :a \" " },
		{ "1.5 * 2", "real 3.000000" },
		{ ".5 + 1e1 + 1.e-1", "real 10.600000" },
		{ "0x1F", "integer 31" },
		{ "7 / 2 + 7 % 4", "integer 6" },
		{ "1 - -1", "integer 2" },
		{ "(1 << 4 | 3) & ~1", "integer 18" },
		{ "1 <> 2 AND 1 != 2 AND 2 == 2 AND NOT 1 > 2", "integer 1" },
		{ "CASE WHEN new.percent BETWEEN 50 AND 70 THEN 'mid' ELSE 'out' END", "text mid" },
		{ "new.percent IN (10, 60)", "integer 1" },
		{ "new.percent NOT IN (10, 61, 62)", "integer 1" },
		{ "new.due IS NULL", "integer 1" },
		{ "new.due ISNULL OR new.due NOTNULL", "integer 1" },
		{ "coalesce(new.due, old.due, 'none')", "text none" },
		{ "CAST('12' AS INTEGER) + CAST('1' AS INT)", "integer 13" },
		{ "CAST(1 AS TEXT) || CAST('2.5' AS REAL) || CAST('3' AS NUMERIC)", "text 12.53" },
		{ "'A' = 'a' COLLATE NOCASE", "integer 1" },
		{ "true + false", "integer 1" },
		{ "NULL", "null" },
		{ "max(1, 3, 2) - min(4, 5)", "integer -1" },
		{ "length(new.notes)", "integer 19" },
		{ "upper('a') || lower('B') || trim('  x ') || ltrim(' y') || rtrim('z ')",
		  "text Abxyz" },
		{ "substr('abcd', 2, 2) || substring('abcd', -1)", "text bcd" },
		{ "round(2.567, 1)", "real 2.600000" },
		{ "sign(-4)", "integer -1" },
		{ "abs(-4) || typeof(1.0)", "text 4real" },
		{ "ifnull(NULL, 1) + nullif(2, 3) + iif(0, 1, 2)", "integer 5" },
		{ "instr(new.notes, 'n,')", "integer 4" },
		{ "instr('abc', '') + instr('abc', 'x')", "integer 1" },
		{ "instr('aab', 'ab')", "integer 2" },
		{ "instr(NULL, 'a')", "null" },
		{ "replace('aXbX', 'X', '--')", "text a--b--" },
		{ "replace('aaa', 'aa', 'b') || replace('abc', '', 'x') || replace('', 'a', 'b')",
		  "text baabc" },
		{ "replace('abc', 'b', '')", "text ac" },
		{ "replace('a', 'a', NULL)", "null" },
		{ "new.notes LIKE 'GR_n%'", "integer 1" },
		{ "'50%' LIKE '50\\%' ESCAPE '\\'", "integer 1" },
		{ "'50x' NOT LIKE ('50\\%') ESCAPE '\\'", "integer 1" },
		{ "'abc' GLOB 'a[b-d]*' AND NOT 'Abc' GLOB 'a*'", "integer 1" },
		{ "NULL LIKE 'a'", "null" },
		{ "date('2026-11-10T23:30:00Z')", "text 2026-11-11" },
		{ "date('2026-12-31', '+1 day') || date('2026-03-01', '-1 days')",
		  "text 2027-01-012026-02-28" },
		{ "date(NULL)", "null" },
		{ "date('2026-11-10', NULL)", "null" },
		{ "julianday('2026-11-21') - julianday('2026-11-20T12:00:00Z')", "real 0.500000" },
		{ "julianday('2026-11-10') - julianday('2026-10-11')", "real 30.000000" },
		{ "julianday('1970-01-01T00:00:00Z')", "real 2440587.500000" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_expr(rows[i][0], rows[i][1]);
}

Test(expr, errors)
{
	static const char *const rows[][2] = {
		{ "", "error: the expression is empty" },
		{ " \t", "error: the expression is empty" },
		{ "new.", "error: new. is not known in a rule" },
		{ "new.percent.x",
		  "error: new.percent.x is not known in a rule; did you mean new.percent?" },
		{ "new .percent", "error: new is not known in a rule; did you mean now?" },
		{ "foo.bar", "error: foo.bar is not known in a rule" },
		{ "project.cod",
		  "error: project.cod is not known in a rule; did you mean project.code?" },
		{ "tody", "error: tody is not known in a rule; did you mean today?" },
		{ "totl_work",
		  "error: totl_work is not known in a rule; did you mean new.total_work?" },
		{ "abs()", "error: abs() takes 1 value, not 0" },
		{ "abs(1, 2)", "error: abs() takes 1 value, not 2" },
		{ "coalesce(1)", "error: coalesce() takes at least 2 values, not 1" },
		{ "substr('a', 1, 2, 3)", "error: substr() takes at most 3 values, not 4" },
		{ "new.percent(1)", "error: near \"(\": syntax error" },
		{ "5new.percent", "error: a number is not written that way" },
		{ "1.2.3", "error: a number is not written that way" },
		{ "0x", "error: unrecognized token: \"0x\"" },
		{ "1e", "error: unrecognized token: \"1e\"" },
		{ "'open", "error: a text '...' is not closed" },
		{ "(1", "error: a parenthesis is not closed" },
		{ "1)", "error: a closing parenthesis without an opening one" },
		{ "1, 2", "error: a rule is one expression, not a list" },
		{ "\xc3\xa4", "error: letters outside of ASCII are allowed within '...' only" },
		{ "1 \x01", "error: a control character is not allowed" },
		{ "1 ! 2", "error: ! is not allowed" },
		{ "{1}", "error: { is not allowed" },
		{ "date('2026-11-10', '+1 month')", "error: not a distance such as '+7 days'" },
		{ "date('2026-11-10', '+1234567 days')",
		  "error: not a distance such as '+7 days'" },
		{ "date('2026-11-10', '+999999 days')",
		  "error: the date is outside of all calendars" },
		{ "date('2026-11-10', '-999999 days')",
		  "error: the date is outside of all calendars" },
		{ "date('12:00')",
		  "error: not a date; the present is `today` or `now`, without quotes" },
		{ "date(2460000)",
		  "error: not a date; the present is `today` or `now`, without quotes" },
		{ "'a' LIKE 'b' ESCAPE ''", "error: ESCAPE takes one ASCII character" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_expr(rows[i][0], rows[i][1]);
}

Test(expr, names)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr;
	const char *text = "new.percent + old.status + new.percent + NOW";

	cr_expect_str_eq(expr_name_text(EXPR_NEW), "new.subject");
	cr_expect_str_eq(expr_name_text(EXPR_OLD + FIELD_description), "old.description");
	cr_expect_str_eq(expr_name_text(EXPR_TASK_KEY), "task.key");
	cr_expect_str_eq(expr_name_text(EXPR_NOW), "now");
	cr_assert_null(expr_engine_new(mem, &engine));
	cr_assert_null(expr_compile(mem, engine, text, strlen(text), &expr));
	for (int i = 0; i < EXPR_NAMES; i++)
		cr_expect_eq(expr_uses(expr, (enum expr_name)i),
			     i == EXPR_NEW + FIELD_percent || i == EXPR_OLD + FIELD_status ||
				     i == EXPR_NOW,
			     "%s", expr_name_text((enum expr_name)i));
	talloc_free(mem);
}

Test(expr, every_name_at_once)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *buf = buf_new(mem);

	for (int i = 0; i < EXPR_NAMES; i++)
		buf_printf(buf, "%s%s", i ? i % 30 ? ", " : "), coalesce(" : "coalesce(coalesce(",
			   expr_name_text((enum expr_name)i));
	buf_puts(buf, "))");
	cr_expect_null(rules_try(mem, buf->data), "%s", buf->data);
	talloc_free(mem);
}
