#include "config.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "decide/expr.h"
#include "decide/rules.h"

/* Hostile expressions, one test each. LOCKED ones are refused by both walls (expr.h), each by
 * itself; SCANNED ones by the scanner, and do no harm behind it; TAMED ones may compile, but fail
 * or end within the budget. The suite needs no file, database or extension: had one of these a way
 * out, it would have to make its own. */

#define SECONDS_MAX 2.0 /* of CPU, with sanitizers on a busy machine; else some 50 ms */

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* "" when it is refused or fails, else what it gives. */
static const char *scanner(TALLOC_CTX *mem, const char *text)
{
	struct fault *fault = rules_try(mem, text);

	if (fault)
		cr_expect_gt(strlen(fault->text), 0, "%s", text);
	return fault ? "" : "compiled";
}

static const char *lock(TALLOC_CTX *mem, const char *text)
{
	struct expr_engine *engine;
	struct expr *expr;
	struct expr_value value = { .type = EXPR_NULL };
	struct fault *fault;

	cr_assert_null(expr_engine_new(mem, &engine));
	fault = expr_compile_unscanned(mem, engine, text, &expr);
	if (!fault)
		fault = expr_evaluate(mem, expr, NULL, &value);
	return fault ? "" : mem_printf(mem, "a value of type %s", expr_type_name(value.type));
}

static void check_refused(const char *text, bool by_lock)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_expect_str_eq(scanner(mem, text), "", "the scanner lets pass: %.200s", text);
	if (by_lock)
		cr_expect_str_eq(lock(mem, text), "", "the lock lets pass: %.200s -> %s", text,
				 lock(mem, text));
	else
		(void)lock(mem, text);
	talloc_free(mem);
}

static void check_tamed(const char *text, size_t len)
{
	static char notes[RULES_LENGTH_MAX];
	TALLOC_CTX *mem = talloc_new(NULL);
	double start = cpu_seconds();
	struct expr_engine *engine;
	struct expr *expr;
	struct expr_value bound[EXPR_NAMES] = { { 0 } }, value;
	struct fault *fault;

	memset(notes, 'a', sizeof notes - 1);
	for (int i = 0; i < EXPR_NAMES; i++)
		bound[i] = (struct expr_value){ .type = EXPR_TEXT, .text = notes };
	cr_assert_null(expr_engine_new(mem, &engine));
	fault = expr_compile(mem, engine, text, len, &expr);
	if (!fault)
		fault = expr_evaluate(mem, expr, bound, &value);
	if (!fault && value.type == EXPR_TEXT)
		cr_expect_leq(strlen(value.text), (size_t)RULES_LENGTH_MAX);
	cr_expect_lt(cpu_seconds() - start, SECONDS_MAX, "%.60s: %s", text,
		     fault ? fault->text : "evaluated");
	cr_expect_lt(talloc_total_size(mem), (size_t)1 << 20, "%.60s", text);
	talloc_free(mem);
}

/* Must fail, with these words in the reason, and in time. */
static void check_fails(const char *text, const char *why)
{
	static char notes[RULES_LENGTH_MAX];
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr;
	struct expr_value bound[EXPR_NAMES] = { { 0 } }, value;
	struct fault *fault;

	memset(notes, 'a', sizeof notes - 1);
	bound[EXPR_NEW + FIELD_notes] = (struct expr_value){ .type = EXPR_TEXT, .text = notes };
	cr_assert_null(expr_engine_new(mem, &engine));
	fault = expr_compile(mem, engine, text, strlen(text), &expr);
	if (!fault)
		fault = expr_evaluate(mem, expr, bound, &value);
	cr_assert_not_null(fault, "evaluated: %.200s", text);
	cr_expect_not_null(strstr(fault->text, why), "%.200s\nexpected ...%s...\nactual   %s", text,
			   why, fault->text);
	talloc_free(mem);
	check_tamed(text, strlen(text));
}

#define LOCKED(name, text)                                                                         \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		check_refused(text, true);                                                         \
	}
#define SCANNED(name, text)                                                                        \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		check_refused(text, false);                                                        \
	}
#define TAMED(name, text)                                                                          \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		check_tamed(text, sizeof(text) - 1);                                               \
	}
#define FAILS(name, text, why)                                                                     \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		check_fails(text, why);                                                            \
	}

/* Statements, as they are and behind a parenthesis that closes ours. */
LOCKED(select_subquery, "(SELECT 1)")
LOCKED(select_bare, "SELECT 1")
LOCKED(select_from_schema, "(SELECT sql FROM sqlite_master)")
LOCKED(select_from_schema_unparenthesised, "1) FROM sqlite_master WHERE (1")
/* constant, so SQLite forgets them */
SCANNED(select_order, "1) ORDER BY (SELECT 1")
LOCKED(select_pragma_function, "(SELECT * FROM pragma_database_list)")
LOCKED(select_table_function, "(SELECT count(*) FROM generate_series(1, 1000000000))")
LOCKED(with_common_table, "(WITH t(x) AS (VALUES (1)) SELECT x FROM t)")
LOCKED(with_recursive,
       "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c)")
LOCKED(values, "(VALUES (1))")
LOCKED(values_bare, "VALUES (1)")
LOCKED(compound_union, "1) UNION SELECT (2")
LOCKED(compound_union_all, "1) UNION ALL VALUES (2")
LOCKED(compound_except, "1) EXCEPT SELECT (2")
LOCKED(compound_intersect, "1) INTERSECT SELECT (2")
LOCKED(insert, "INSERT INTO t VALUES (1)")
LOCKED(insert_behind, "1); INSERT INTO sqlite_master VALUES (1")
LOCKED(replace_into, "1); REPLACE INTO t VALUES (1")
LOCKED(update, "UPDATE t SET x = 1")
LOCKED(update_behind, "1); UPDATE sqlite_master SET sql = (1")
LOCKED(delete_rows, "DELETE FROM sqlite_master")
LOCKED(delete_behind, "1); DELETE FROM sqlite_master WHERE (1")
LOCKED(attach, "ATTACH '/tmp/x.db' AS x")
LOCKED(attach_behind, "1); ATTACH '/tmp/x.db' AS (x")
LOCKED(detach, "1); DETACH main; SELECT (1")
LOCKED(pragma, "PRAGMA writable_schema = 1")
LOCKED(pragma_behind, "1); PRAGMA writable_schema = (1")
LOCKED(vacuum, "VACUUM")
LOCKED(vacuum_into, "1); VACUUM INTO ('/tmp/x.db'")
LOCKED(create_table, "1); CREATE TABLE t (x")
LOCKED(create_trigger, "1); CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; END; SELECT (1")
LOCKED(create_view, "1); CREATE VIEW v AS SELECT (1")
LOCKED(create_virtual_table, "1); CREATE VIRTUAL TABLE v USING fts5 (x")
LOCKED(drop_table, "1); DROP TABLE t; SELECT (1")
LOCKED(alter_table, "1); ALTER TABLE t RENAME TO u; SELECT (1")
LOCKED(explain, "EXPLAIN SELECT 1")
LOCKED(explain_behind, "1); EXPLAIN SELECT (1")
LOCKED(begin, "BEGIN")
LOCKED(begin_behind, "1); BEGIN; SELECT (1")
LOCKED(commit, "1); COMMIT; SELECT (1")
LOCKED(rollback, "1); ROLLBACK; SELECT (1")
LOCKED(savepoint, "1); SAVEPOINT s; SELECT (1")
LOCKED(release, "1); RELEASE s; SELECT (1")
LOCKED(reindex, "1); REINDEX; SELECT (1")
LOCKED(analyze, "1); ANALYZE; SELECT (1")
LOCKED(second_statement, "1); SELECT (2")
LOCKED(semicolon_only, "1);")
SCANNED(semicolon_at_end, "1;")

/* Subqueries in the places of an expression. */
LOCKED(exists, "EXISTS (SELECT 1)")
LOCKED(not_exists, "NOT EXISTS (SELECT 1)")
LOCKED(in_select, "1 IN (SELECT 1)")
LOCKED(in_table, "1 IN sqlite_master")
LOCKED(in_table_function, "1 IN generate_series(1, 10)")
LOCKED(case_select, "CASE WHEN 1 THEN (SELECT 1) END")
LOCKED(argument_select, "abs((SELECT 1))")
LOCKED(between_select, "1 BETWEEN 0 AND (SELECT 2)")
LOCKED(row_value_select, "(1, 2) = (SELECT 1, 2)")
LOCKED(raise, "RAISE(ABORT, 'x')")
LOCKED(raise_ignore, "RAISE(IGNORE)")

/* Columns, tables, identifiers in disguise. */
LOCKED(column, "rowid")
LOCKED(table_column, "sqlite_master.sql")
LOCKED(three_parts, "main.sqlite_master.sql")
LOCKED(star, "*")
LOCKED(star_in_call, "max(*)")
LOCKED(double_quotes, "\"new.percent\"")
LOCKED(double_quotes_as_text, "\"text\" = 'text'")
LOCKED(backticks, "`rowid`")
LOCKED(brackets, "[rowid]")
LOCKED(collate_unknown, "'a' = 'b' COLLATE unknown")
LOCKED(json_arrow, "'{\"a\":1}' -> 'a'")
LOCKED(json_double_arrow, "'{\"a\":1}' ->> 'a'")
SCANNED(blob_literal, "x'41'")
SCANNED(blob_cast, "CAST('a' AS BLOB)")
LOCKED(alias, "1) AS (x")
SCANNED(limit, "1) LIMIT (1")
LOCKED(two_columns, "1) , (2")
LOCKED(two_columns_more, "1), (2), (3")
LOCKED(list, "1, 2")
LOCKED(row_value, "(1, 2)")

/* Parameters. */
LOCKED(parameter_anonymous, "?")
LOCKED(parameter_numbered, "?1")
LOCKED(parameter_number_huge, "?999999")
LOCKED(parameter_colon, ":a")
LOCKED(parameter_at, "@a")
LOCKED(parameter_dollar, "$a")
LOCKED(parameter_dollar_tcl, "$a::b(c)")

/* Comments and broken text. */
SCANNED(comment_to_the_end, "1 -- 2")
SCANNED(comment_hides_parentheses, "1 -- ) , (")
SCANNED(comment_closed, "1 /* 2 */")
SCANNED(comment_open, "1 /* 2")
LOCKED(comment_swallows, "1) -- ")
SCANNED(comment_in_word, "new/**/.percent")
LOCKED(parenthesis_open, "(1")
LOCKED(parenthesis_close, "1)")
LOCKED(parenthesis_turned, ")1(")
LOCKED(text_open, "'abc")
LOCKED(empty, "")
LOCKED(blank, " \t ")
LOCKED(operator_only, "+")
LOCKED(bom, "\xef\xbb\xbf"
	    "1 2")
LOCKED(no_break_space, "1\xc2\xa0+ 1")
LOCKED(keyword_only, "CASE")

/* Functions: state, files, randomness, the clock, extensions, memory. */
LOCKED(function_random, "random()")
LOCKED(function_randomblob, "randomblob(1000000000)")
LOCKED(function_zeroblob, "zeroblob(1000000000)")
LOCKED(function_load_extension, "load_extension('/tmp/x.so')")
LOCKED(function_load_extension_entry, "load_extension('x', 'y')")
LOCKED(function_readfile, "readfile('/etc/passwd')")
LOCKED(function_writefile, "writefile('/tmp/x', 'y')")
LOCKED(function_edit, "edit('x', 'vi')")
LOCKED(function_changes, "changes()")
LOCKED(function_total_changes, "total_changes()")
LOCKED(function_last_insert_rowid, "last_insert_rowid()")
LOCKED(function_sqlite_version, "sqlite_version()")
LOCKED(function_sqlite_source_id, "sqlite_source_id()")
LOCKED(function_compileoption_used, "sqlite_compileoption_used('DEBUG')")
LOCKED(function_compileoption_get, "sqlite_compileoption_get(1)")
LOCKED(function_sqlite_log, "sqlite_log(1, 'x')")
LOCKED(function_sqlite_offset, "sqlite_offset(1)")
LOCKED(function_subtype, "subtype(1)")
LOCKED(function_printf, "printf('%1000000000d', 1)")
LOCKED(function_format, "format('%.*c', 1000000000, 'x')")
LOCKED(function_hex, "hex('abc')")
LOCKED(function_quote, "quote('abc')")
LOCKED(function_char, "char(0)")
LOCKED(function_unicode, "unicode('a')")
LOCKED(function_soundex, "soundex('a')")
LOCKED(function_likelihood, "likelihood(1, 0.5)")
LOCKED(function_unlikely, "unlikely(1)")
LOCKED(function_match, "match('a', 'b')")
LOCKED(function_match_operator, "'a' MATCH 'b'")
LOCKED(function_regexp, "regexp('(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaa!')")
LOCKED(function_regexp_operator, "'a' REGEXP '(a+)+$'")
LOCKED(function_fts3_tokenizer, "fts3_tokenizer('simple')")
LOCKED(function_fts5, "fts5(1)")
LOCKED(function_snippet, "snippet(1)")
LOCKED(function_matchinfo, "matchinfo(1)")
LOCKED(function_rtreenode, "rtreenode(2, 'x')")
LOCKED(function_json, "json('{}')")
LOCKED(function_json_extract, "json_extract('{\"a\":1}', '$.a')")
LOCKED(function_json_array, "json_array(1, 2)")
LOCKED(function_json_valid, "json_valid('[]')")
LOCKED(function_time, "time('12:00')")
LOCKED(function_datetime, "datetime('now')")
LOCKED(function_unixepoch, "unixepoch()")
LOCKED(function_strftime, "strftime('%s', 'now')")
LOCKED(function_current_time, "CURRENT_TIME")
LOCKED(function_current_date, "CURRENT_DATE")
LOCKED(function_current_timestamp, "CURRENT_TIMESTAMP")
LOCKED(date_without_value, "date()")
LOCKED(date_now, "date('now')")
LOCKED(date_now_upper, "date('NOW')")
LOCKED(date_now_shifted, "date('now', '+1 day')")
LOCKED(date_localtime, "date('2026-11-21', 'localtime')")
LOCKED(date_utc, "date('2026-11-21', 'utc')")
LOCKED(date_two_modifiers, "date('2026-11-21', '+1 day', 'localtime')")
LOCKED(date_unixepoch, "date(0, 'unixepoch')")
LOCKED(date_made_at_run_time, "date('n' || lower('OW'))")
LOCKED(julianday_without_value, "julianday()")
LOCKED(julianday_now, "julianday('now')")
LOCKED(julianday_modifier, "julianday('2026-11-21', 'localtime')")
LOCKED(function_math, "pow(10, 308)")
LOCKED(function_unknown, "no_such_function(1)")
LOCKED(function_too_many_values,
       "coalesce(1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3)")
LOCKED(function_trim_with_set, "trim('abc', 'a')")
LOCKED(function_ltrim_with_set, "ltrim('abc', 'a')")
LOCKED(function_rtrim_with_set, "rtrim('abc', 'a')")

/* Aggregate and window functions. */
LOCKED(aggregate_count, "count(*)")
LOCKED(aggregate_sum, "sum(1)")
LOCKED(aggregate_total, "total(1)")
LOCKED(aggregate_avg, "avg(1)")
LOCKED(aggregate_max, "max(1)")
LOCKED(aggregate_min, "min(1)")
LOCKED(aggregate_group_concat, "group_concat('a')")
LOCKED(aggregate_json, "json_group_array(1)")
LOCKED(aggregate_distinct, "max(DISTINCT 1)")
LOCKED(aggregate_filter, "max(1) FILTER (WHERE 1)")
LOCKED(window_row_number, "row_number() OVER ()")
LOCKED(window_rank, "rank() OVER (ORDER BY 1)")
LOCKED(window_lag, "lag(1) OVER ()")
LOCKED(window_scalar, "max(1, 2) OVER ()")
LOCKED(window_named, "max(1, 2) OVER w")

/* Errors at evaluation. */
FAILS(overflow_abs, "abs(-9223372036854775807 - 1)", "integer overflow")
FAILS(long_concatenation, "new.notes || new.notes", "too long")
FAILS(long_concatenation_twice, "length((new.notes || new.notes) || (new.notes || new.notes))",
      "too long")
FAILS(long_replace, "replace(new.notes, 'a', 'bb')", "too long")
FAILS(long_replace_nested,
      "replace(replace(replace(replace(new.notes,'a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','"
      "aaaaaaaaaa'),'a','aaaaaaaaaa')",
      "too long")
FAILS(long_like_pattern, "'a' LIKE new.notes", "pattern is too long")
FAILS(long_glob_pattern, "'a' GLOB new.notes", "pattern is too long")
FAILS(long_date, "date(new.notes)", "not a date")
FAILS(long_distance, "date('2026-11-21', new.notes)", "not a distance")
FAILS(long_escape, "'a' LIKE 'b' ESCAPE new.notes", "ESCAPE")
FAILS(search_instr, "instr(new.notes, substr(new.notes, 30000) || 'b')", "too long")
FAILS(search_replace, "replace(new.notes, substr(new.notes, 30000) || 'b', '')", "too long")

/* Within bounds. */
TAMED(like_many_wildcards,
      "new.notes LIKE "
      "'%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b'")
TAMED(like_long_run,
      "new.notes LIKE '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'")
TAMED(like_underscores, "new.notes LIKE '%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_%_b'")
TAMED(glob_classes,
      "new.notes GLOB '*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]*[!b]b'")
TAMED(glob_open_class, "new.notes GLOB '*[a'")
TAMED(round_far, "round(1e300, 2147483647) || round(1, -2147483648)")
TAMED(substr_extremes, "substr(new.notes, -9223372036854775808, 9223372036854775807)")
TAMED(number_huge, "99999999999999999999999999999999999999 * 1e308 * 1e308")
TAMED(number_hex_huge, "0xFFFFFFFFFFFFFFFFFFFFFF")
TAMED(number_exponent_huge, "1e999999999999999999999")
TAMED(division_by_zero, "1 / 0 + 1 % 0")
TAMED(modulo_minus_one, "(-9223372036854775807 - 1) % -1")
TAMED(divide_minus_one, "(-9223372036854775807 - 1) / -1")
TAMED(shift_huge, "1 << 9223372036854775807 | 1 >> -9223372036854775808")
TAMED(cast_long_text,
      "CAST(new.notes AS INTEGER) + CAST(new.notes AS REAL) + CAST(new.notes AS NUMERIC)")

static char *repeated(TALLOC_CTX *mem, const char *before, const char *part, size_t n,
		      const char *after)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, before);
	while (n--)
		buf_puts(buf, part);
	buf_puts(buf, after);
	return buf_steal(&buf, mem, NULL);
}

#define REPEATED(name, before, part, n, after, outcome)                                            \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		TALLOC_CTX *mem = talloc_new(NULL);                                                \
		char *text = repeated(mem, before, part, n, after);                                \
                                                                                                   \
		outcome(text);                                                                     \
		talloc_free(mem);                                                                  \
	}
#define IS_REFUSED(text) check_refused(text, true)
#define IS_SCANNED(text) check_refused(text, false)
#define IS_TAMED(text) check_tamed(text, strlen(text))
#define IS_TOO_DEEP(text) check_fails(text, "too large (maximum depth 64)")
#define IS_BOUNDED_WORK(text) check_fails(text, "takes too long")

REPEATED(depth_parentheses_open, "", "(", 4000, "", IS_REFUSED)
REPEATED(depth_parentheses, "1", " + (1", 100, repeated(mem, "", ")", 100, ""), IS_REFUSED)
REPEATED(depth_not, "", "NOT ", 1000, "1", IS_REFUSED)
REPEATED(depth_minus, "", "- ", 1500, "1", IS_REFUSED)
REPEATED(depth_plus, "1", "+1", 1500, "", IS_REFUSED)
REPEATED(depth_plus_a_little, "1", "+1", RULES_DEPTH_MAX, "", IS_TOO_DEEP)
REPEATED(depth_case, "", "CASE WHEN 1 THEN ", 200, "1", IS_REFUSED)
REPEATED(depth_concatenation, "new.notes", "||new.notes", 300, "", IS_TAMED)
REPEATED(length_4_kib, "'", "x", 4095, "'", IS_SCANNED)
REPEATED(length_5_kib, "'", "x", 5000, "'", IS_REFUSED)
REPEATED(length_1_mib, "'", "x", 1 << 20, "'", IS_REFUSED)
REPEATED(length_blanks, "1", " ", 1 << 20, "", IS_REFUSED)
REPEATED(program_too_long, "new.percent IN (1", ",abs(new.percent)", 200, ")", IS_TAMED)
REPEATED(list_long, "new.percent IN (1", ",2", 2000, ")", IS_TAMED)
REPEATED(word_long, "", "x", 4000, "", IS_REFUSED)
REPEATED(word_dots, "new", ".percent", 400, "", IS_REFUSED)
REPEATED(number_long, "", "9", 4000, "", IS_TAMED)
REPEATED(commas, "max(1", ",", 4000, ")", IS_REFUSED)
REPEATED(lower_many, "max(1", ",lower(new.notes)", 30, ")", IS_TAMED)
REPEATED(work_like, "max(1",
	 ",new.notes LIKE "
	 "'%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'",
	 30, ")", IS_BOUNDED_WORK)
REPEATED(work_glob, "max(1",
	 ",new.notes GLOB "
	 "'*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'",
	 30, ")", IS_BOUNDED_WORK)
REPEATED(work_instr, "max(1", ",instr(new.notes,substr(new.notes,64000)||'b')", 30, ")",
	 IS_BOUNDED_WORK)
REPEATED(work_replace, "max(1", ",replace(new.notes,substr(new.notes,64000)||'b','')", 30, ")",
	 IS_BOUNDED_WORK)

/* Bytes that no C string holds, or no text. */
static void check_bytes(const char *bytes, size_t len)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr = NULL;
	struct fault *fault;

	cr_assert_null(expr_engine_new(mem, &engine));
	fault = expr_compile(mem, engine, bytes, len, &expr);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_CONFIG);
	cr_expect_str_eq(fault->text, "the expression is not UTF-8");
	cr_expect_null(expr);
	talloc_free(mem);
}

#define BYTES(name, text)                                                                          \
	Test(rules_hostile, name)                                                                  \
	{                                                                                          \
		check_bytes(text, sizeof(text) - 1);                                               \
	}

BYTES(bytes_nul, "1\0); DROP TABLE t")
BYTES(bytes_nul_in_text, "'a\0b'")
BYTES(bytes_nul_only, "\0")
BYTES(bytes_not_utf8, "'\xff\xfe'")
BYTES(bytes_cut_utf8, "'\xc3'")
BYTES(bytes_overlong_quote, "'\xc0\xa7'")
BYTES(bytes_surrogate, "'\xed\xa0\x80'")

/* What is refused leaves nothing behind, and what stood before still works. */
Test(rules_hostile, engine_survives)
{
	static const char *const texts[] = {
		"(SELECT 1)",        "random()", "1) , (2", "ATTACH 'x' AS y", "(1",
		"max(1, 2) OVER ()", "?",        "",        "BEGIN",           "abs(1, 2)"
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr, *other;
	struct expr_value value;

	cr_assert_null(expr_engine_new(mem, &engine));
	cr_assert_null(expr_compile(mem, engine, "1 + 2", 5, &expr));
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		cr_expect_not_null(expr_compile(mem, engine, texts[i], strlen(texts[i]), &other),
				   "%s", texts[i]);
		cr_expect_not_null(expr_compile_unscanned(mem, engine, texts[i], &other), "%s",
				   texts[i]);
		cr_assert_null(expr_evaluate(mem, expr, NULL, &value));
		cr_expect_eq(value.integer, 3, "after %s", texts[i]);
	}
	talloc_free(mem);
}

/* A failed evaluation does not spoil the next, and each has a budget of its own. */
Test(rules_hostile, budget_is_per_evaluation)
{
	static char notes[RULES_LENGTH_MAX];
	const char *text = "instr(new.notes, substr(new.notes, 1, 200) || 'b')";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct expr_engine *engine;
	struct expr *expr;
	struct expr_value bound[EXPR_NAMES] = { { 0 } }, value;

	memset(notes, 'a', sizeof notes - 1);
	cr_assert_null(expr_engine_new(mem, &engine));
	cr_assert_null(expr_compile(mem, engine, text, strlen(text), &expr));
	for (int i = 0; i < 10; i++) {
		bound[EXPR_NEW + FIELD_notes] =
			(struct expr_value){ .type = EXPR_TEXT, .text = notes };
		cr_assert_null(expr_evaluate(mem, expr, bound, &value));
		cr_expect_eq(value.integer, 0);
	}
	talloc_free(mem);
}

/* Functions that the list has and SQLite does not would pass the authorizer as unknown ones; each
 * is there. */
Test(rules_hostile, list_has_no_dead_rows)
{
	static const char *const calls[] = {
		"abs(1)",
		"coalesce(1, 2)",
		"date('2026-11-21')",
		"date('2026-11-21', '+1 day')",
		"glob('a', 'b')",
		"ifnull(1, 2)",
		"iif(1, 2, 3)",
		"instr('a', 'b')",
		"julianday('2026-11-21')",
		"length('a')",
		"like('a', 'b')",
		"like('a', 'b', 'c')",
		"lower('A')",
		"ltrim('a')",
		"max(1, 2)",
		"min(1, 2)",
		"nullif(1, 2)",
		"replace('a', 'b', 'c')",
		"round(1)",
		"round(1, 2)",
		"rtrim('a')",
		"sign(1)",
		"substr('a', 1)",
		"substr('a', 1, 1)",
		"substring('a', 1)",
		"substring('a', 1, 1)",
		"trim('a')",
		"typeof(1)",
		"upper('a')",
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		cr_expect_str_eq(scanner(mem, calls[i]), "compiled", "%s", calls[i]);
		cr_expect_str_neq(lock(mem, calls[i]), "", "%s", calls[i]);
	}
	talloc_free(mem);
}
