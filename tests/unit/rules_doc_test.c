/* The manual of the rules and the program say the same. */
#include "config.h"

#include "decide/expr_private.h"

#include <stdlib.h>

#include "manual.h"
#include "rules_world.h"

#define MANUAL TF_SRCDIR "/doc/taskferry-rules.7"

static char *part(TALLOC_CTX *mem, const char *heading)
{
	return manual_part(mem, manual_load(mem, MANUAL), heading);
}

/* One `.It Cm NAME` with `.Em TYPE .` below it. */
struct entry {
	const char *name, *type;
};

static size_t entries(TALLOC_CTX *mem, const char *heading, struct entry list_r[64])
{
	const char *at = part(mem, heading);
	size_t count = 0;
	char *line;

	while ((line = manual_line(mem, &at))) {
		if (!text_starts(line, ".It Cm "))
			continue;
		cr_assert_lt(count, (size_t)64);
		list_r[count].name = line + strlen(".It Cm ");
		line = manual_line(mem, &at);
		cr_assert(text_starts(line, ".Em ") && text_ends(line, " ."), "%s: %s",
			  list_r[count].name, line);
		list_r[count++].type =
			mem_strndup(mem, line + 4, strlen(line) - strlen(".Em ") - 2);
	}
	return count;
}

/* ---- names ---- */

Test(rules_doc, fields)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct entry list[64];
	size_t count = entries(mem, ".Ss Fields", list);

	cr_assert_eq(count, (size_t)FIELDS, "%zu fields in the manual", count);
	for (int f = 0; f < FIELDS; f++) {
		cr_expect_str_eq(list[f].name, field_table[f].name);
		cr_expect_str_eq(list[f].type, field_type_name(field_table[f].type), "%s",
				 list[f].name);
	}
	talloc_free(mem);
}

Test(rules_doc, types_of_values)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = part(mem, ".Ss Values");

	for (int type = 0; type < FIELD_TYPES; type++)
		cr_expect_not_null(strstr(text, mem_printf(mem, ".It Em %s\n",
							   field_type_name((enum field_type)type))),
				   "%s", field_type_name((enum field_type)type));
	for (int status = 0; status < STATUSES; status++)
		cr_expect_not_null(
			strstr(text, mem_printf(mem, ".Ql %s", status_name((enum status)status))),
			"%s", status_name((enum status)status));
	talloc_free(mem);
}

/* The name is bound to what the manual calls its type. */
static void expect_type(const struct entry *entry)
{
	bool is_number = !strcmp(entry->type, "number") || !strcmp(entry->type, "flag");
	char *ini = mem_printf(NULL,
			       "[rule r]\nwhen = new.notes IS NOT NULL AND typeof(%s) = '%s'\n"
			       "action = reject\nmessage = M.\n",
			       entry->name, is_number ? "integer" : "text");
	struct world world = world_of(ini);
	struct rules_result *result;

	cr_expect(is_number || !strcmp(entry->type, "text") || !strcmp(entry->type, "when"),
		  "%s: %s", entry->name, entry->type);
	world_about(&world, "closed=2026-10-31; account=bob");
	world.context.resource_email = "ana@example.com";
	result = rules_judge(world.mem, world.rules, &world.context, spec_vector(world.mem, ""),
			     spec_vector(world.mem, "notes=n"));
	cr_expect_eq(result->verdict, RULES_REJECTED, "%s is no %s", entry->name, entry->type);
	talloc_free(world.mem);
	talloc_free(ini);
}

Test(rules_doc, other_names)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct entry list[64];
	size_t count = entries(mem, ".Ss Other names", list);

	cr_assert_eq(count, (size_t)(EXPR_NAMES - EXPR_LAST_FIELD - 1), "%zu names in the manual",
		     count);
	for (size_t i = 0; i < count; i++) {
		enum expr_name name = (enum expr_name)(EXPR_LAST_FIELD + 1 + i);

		cr_expect_str_eq(list[i].name, expr_name_text(name));
		expect_type(&list[i]);
	}
	talloc_free(mem);
}

/* ---- functions ---- */

/* "like(PATTERN, TEXT[, ESCAPE])", "max(X, Y, ...)": how many values there may be. */
static void count_args(const char *heading, int *min_r, int *max_r)
{
	const char *optional = strchr(heading, '[');
	int commas = 0, before = 0;

	for (const char *c = heading; *c; c++) {
		commas += *c == ',';
		before += *c == ',' && optional && c < optional;
	}
	*max_r = commas + 1;
	*min_r = optional ? before + 1 : commas + 1;
	if (strstr(heading, ", ...")) {
		*min_r = commas;
		*max_r = EXPR_ARGUMENTS_MAX;
	}
}

Test(rules_doc, functions)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *at = part(mem, ".Ss Functions");
	size_t i = 0;
	char *line;

	while ((line = manual_line(mem, &at))) {
		int min, max, doc_min, doc_max, function;
		char *name;

		if (!text_starts(line, ".It Li "))
			continue;
		name = mem_strndup(mem, line + 7, strcspn(line + 7, "("));
		function = expr_function_find(name);
		cr_assert_geq(function, 0, "there is no %s()", name);
		cr_expect_eq((size_t)function, i,
			     "%s() is out of order, or one before it is missing", name);
		i = (size_t)function + 1;
		expr_function_args(function, &min, &max);
		count_args(line, &doc_min, &doc_max);
		cr_expect(min == doc_min && max == doc_max, "%s: takes %d to %d values", line + 7,
			  min, max);
	}
	cr_expect_null(expr_function_name(i), "%s() is missing", expr_function_name(i));
	talloc_free(mem);
}

static struct fault *evaluate(TALLOC_CTX *mem, const char *text, struct expr_value *value_r)
{
	struct expr_engine *engine;
	struct expr *expr;

	FAULT_TRY(expr_engine_new(mem, &engine));
	FAULT_TRY(expr_compile(mem, engine, text, strlen(text), &expr));
	return expr_evaluate(mem, expr, NULL, value_r);
}

static char *value_of(TALLOC_CTX *mem, const char *text)
{
	struct expr_value value = { .type = EXPR_NULL };
	struct fault *fault = evaluate(mem, text, &value);

	if (fault)
		return mem_printf(mem, "error: %s", fault->text);
	switch (value.type) {
	case EXPR_INTEGER:
		return mem_printf(mem, "%lld", (long long)value.integer);
	case EXPR_REAL:
		return mem_printf(mem, "%g", value.real);
	case EXPR_TEXT:
		return mem_strdup(mem, value.text);
	case EXPR_NULL:
	case EXPR_TYPES:
		break;
	}
	return mem_strdup(mem, "NULL");
}

/* Below each function stands at least one line `.Dl EXPRESSION = VALUE`. */
Test(rules_doc, what_functions_give)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *at = part(mem, ".Ss Functions"), *name = NULL;
	char *line, *equals;
	bool shown = true;

	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	while ((line = manual_line(mem, &at))) {
		if (text_starts(line, ".It Li ")) {
			cr_expect(shown, "no example of %s", name);
			name = mem_strndup(mem, line + 7, strcspn(line + 7, "(") + 1);
			shown = false;
		}
		if (!text_starts(line, ".Dl "))
			continue;
		equals = strstr(line, " = ");
		cr_assert_not_null(equals, "%s", line);
		*equals = '\0';
		cr_expect_not_null(strstr(line, name), "%s is no example of %s", line, name);
		cr_expect_str_eq(value_of(mem, line + 4), equals + 3, "%s: %s", line,
				 value_of(mem, line + 4));
		shown = true;
	}
	cr_expect(shown, "no example of %s", name);
	talloc_free(mem);
}

/* "NULL in gives NULL out, but for ..." */
Test(rules_doc, functions_of_null)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = part(mem, ".Ss Functions");
	const char *end = strstr(text, ".Bl -tag");
	char *but = mem_strndup(mem, text, (size_t)(end - text));
	size_t excepted = 0;

	for (size_t i = 0; expr_function_name(i); i++) {
		const char *name = expr_function_name(i);
		struct buf *call = buf_new(mem);
		int min, max;

		if (strstr(but, mem_printf(mem, ".Fn %s", name))) {
			excepted++;
			continue;
		}
		expr_function_args((int)i, &min, &max);
		buf_printf(call, "%s(NULL", name);
		for (int n = 1; n < min; n++)
			buf_puts(call, ", 1");
		buf_puts(call, ")");
		cr_expect_str_eq(value_of(mem, call->data), "NULL", "%s: %s", call->data,
				 value_of(mem, call->data));
	}
	cr_expect_eq(excepted, 5);
	talloc_free(mem);
}

/* Values of expressions in running text. */
Test(rules_doc, words_about_expressions)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = part(mem, ".Sh EXPRESSIONS");

	cr_expect_not_null(strstr(text, ".Ql 7 / 2\nis 3,\n.Ql 7 / 2.0\nis 3.5."));
	cr_expect_str_eq(value_of(mem, "7 / 2"), "3");
	cr_expect_str_eq(value_of(mem, "7 / 2.0"), "3.5");
	cr_expect_not_null(strstr(text, mem_printf(mem, "at most %d bytes, a value %d bytes",
						   RULES_EXPRESSION_MAX, RULES_LENGTH_MAX)));
	cr_expect_eq(RULES_PASSES_MAX, 4, "the manual says four");
	talloc_free(mem);
}

/* Each operator that the manual names, in use. */
Test(rules_doc, operators)
{
	static const char *const rows[][3] = {
		{ "+", "40 + 2", "42" },
		{ "-", "40 - 2", "38" },
		{ "*", "6 * 7", "42" },
		{ "/", "7 / 2", "3" },
		{ "%", "47 % 10", "7" },
		{ "||", "'a' || 1", "a1" },
		{ "=", "1 = 1", "1" },
		{ "<>", "1 <> 1", "0" },
		{ "<", "1 < 2", "1" },
		{ "<=", "2 <= 2", "1" },
		{ ">", "1 > 2", "0" },
		{ ">=", "2 >= 2", "1" },
		{ "&", "6 & 3", "2" },
		{ "\\&|", "6 | 3", "7" },
		{ "~", "~0", "-1" },
		{ "<<", "1 << 3", "8" },
		{ ">>", "8 >> 3", "1" },
		{ "AND", "1 AND 0", "0" },
		{ "OR", "1 OR 0", "1" },
		{ "NOT", "NOT 1", "0" },
		{ "IS", "NULL IS NULL", "1" },
		{ "IS NOT", "1 IS NOT NULL", "1" },
		{ "ISNULL", "1 ISNULL", "0" },
		{ "NOTNULL", "1 NOTNULL", "1" },
		{ "IN (...)", "'a' IN ('a', 'b')", "1" },
		{ "BETWEEN", "2 BETWEEN 1 AND 3", "1" },
		{ "LIKE", "'Ana' LIKE 'a%'", "1" },
		{ "ESCAPE", "'5%' LIKE '5!%' ESCAPE '!'", "1" },
		{ "GLOB", "'Ana' GLOB 'A*'", "1" },
		{ "CASE WHEN ... THEN ... ELSE ... END", "CASE WHEN 1 THEN 2 ELSE 3 END", "2" },
		{ "CAST(... AS INTEGER)", "CAST(1.5 AS INTEGER)", "1" },
		{ "COLLATE NOCASE", "'a' = 'A' COLLATE NOCASE", "1" },
		{ "NULL", "NULL", "NULL" },
		{ "TRUE", "TRUE", "1" },
		{ "FALSE", "FALSE", "0" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = part(mem, ".Sh EXPRESSIONS");
	const char *end = strstr(text, ".El");
	size_t named = 0;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *line = mem_printf(mem, "\n.Ql %s", rows[i][0]);
		const char *found = strstr(text, line);

		while (found && !strchr(" \n", found[strlen(line)]))
			found = strstr(found + 1, line);
		cr_expect(found && found < end, "the manual lacks %s", rows[i][0]);
		cr_expect_str_eq(value_of(mem, rows[i][1]), rows[i][2], "%s: %s", rows[i][1],
				 value_of(mem, rows[i][1]));
	}
	for (const char *at = strstr(text, ".It\n.Ql +"); (at = strstr(at, "\n.Ql ")) && at < end;
	     at++)
		named++;
	cr_expect_eq(named, COUNT_OF(rows), "the manual names %zu", named);
	talloc_free(mem);
}

/* ---- built-in rules ---- */

/* `.It Cm NAME`, `.Cm ACTION :`, text, `.D1 MESSAGE`: in the order of the rules. */
Test(rules_doc, builtin_rules)
{
	static const char *const actions[] = { "correct", "reject", "hold", "warn" };
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *at = part(mem, ".Sh BUILT-IN RULES");
	struct conf_report *report;
	struct conf *conf = conf_of(mem, rules_builtin_text(), &report);
	const struct conf_rule *rule = conf->rules;
	char *line;

	while ((line = manual_line(mem, &at))) {
		if (text_starts(line, ".It Cm ")) {
			cr_assert_lt((size_t)(rule - conf->rules), conf->rule_count, "%s", line);
			cr_expect_str_eq(line + 7, rule->name);
			line = manual_line(mem, &at);
			cr_expect_str_eq(line, mem_printf(mem, ".Cm %s :", actions[rule->action]));
		}
		if (text_starts(line, ".D1 "))
			cr_expect_str_eq(line + 4, rule++->message);
	}
	cr_expect_eq((size_t)(rule - conf->rules), conf->rule_count);
	talloc_free(mem);
}

/* ---- examples ---- */

static void expect_accepted(TALLOC_CTX *mem, const char *ini)
{
	struct conf_report *report;
	struct conf *conf = conf_of(mem, ini, &report);
	struct rules *rules = rules_new(mem, conf, report);

	for (size_t i = 0; i < report->count; i++)
		cr_expect_fail("%s\nline %ld: %s", ini, report->findings[i].line,
			       report->findings[i].text);
	cr_expect_not_null(rules, "%s", ini);
}

Test(rules_doc, examples_are_accepted)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *manual = manual_load(mem, MANUAL);
	char *all = manual_blocks(mem, manual, ""), *each = manual_blocks(mem, manual, "\1");
	char *save = NULL;
	size_t count = 0;

	expect_accepted(mem, all);
	for (char *ini = strtok_r(each, "\1", &save); ini; ini = strtok_r(NULL, "\1", &save)) {
		expect_accepted(mem, ini);
		count++;
	}
	cr_expect_gt(count, 6);
	talloc_free(mem);
}

/* What the examples make of a change; each of their rules has something to say to one. */
static const struct {
	const char *rule, *about, *old, *new, *outcome;
} cases[] = {
	{ "no-way-back", "", "percent=40", "percent=30", "rejected percent=40 |" },
	{ "no-way-back", "", "percent=40", "percent=50", "accept percent=50 |" },
	{ "no-way-back", "actor=project", "percent=40", "percent=30", "accept percent=30 |" },
	{ "tens", "", "", "percent=47", "corrected percent=40 |" },
	{ "tens", "", "", "percent=99", "corrected percent=90 |" },
	{ "no-overrun", "", "total_work=60; actual_work=30", "total_work=60; actual_work=120",
	  "corrected total_work=60; actual_work=90 |" },
	{ "no-overrun", "", "total_work=60; actual_work=30", "total_work=60; actual_work=90",
	  "accept total_work=60; actual_work=90 |" },
	{ "milestone-notes", "", "", DONE, "rejected  |" },
	{ "milestone-notes", "", "", DONE "; notes=well", "accept " DONE "; notes=well |" },
	{ "not-in-advance", "", "notes=n",
	  "status=completed; percent=100; completed_at=2026-11-22; notes=n",
	  "corrected " DONE "; notes=n |" },
	{ "two-weeks", "", "due=2026-12-01", "due=2026-12-16", "held due=2026-12-01 |" },
	{ "two-weeks", "", "due=2026-12-01", "due=2026-12-15", "accept due=2026-12-15 |" },
	{ "not-beyond-deadline", "", "due=2026-12-01; deadline=2026-12-05",
	  "due=2026-12-06; deadline=2026-12-05", "rejected due=2026-12-01; deadline=2026-12-05 |" },
	{ "partner-acceptance", "", "notes=n", DONE "; notes=n", "accept " DONE "; notes=n |" },
	{ "partner-acceptance", "resource=eva@partner.example", "notes=n", DONE "; notes=n",
	  "held notes=n |" },
	{ "predecessors-first", "open=1", "notes=n", DONE "; notes=n", "rejected notes=n |" },
	{ "predecessors-first", "open=1", "", "percent=40", "accept percent=40 |" },
	{ "predecessors-first", "open=0", "notes=n", DONE "; notes=n",
	  "accept " DONE "; notes=n |" },
	{ "due-after-start", "", "", "start=2026-12-05; due=2026-12-01",
	  "accept start=2026-12-05; due=2026-12-01 |" },
};

Test(rules_doc, examples_do_what_they_say)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *ini = manual_blocks(mem, manual_load(mem, MANUAL), "");
	struct conf_report *report;
	struct conf *conf = conf_of(mem, ini, &report);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world world = world_of(ini);
		struct rules_result *result;
		char *outcome;

		if (text_starts(cases[i].about, "resource="))
			world.context.resource_key = cases[i].about + strlen("resource=");
		else
			world_about(&world, cases[i].about);
		result = rules_judge(world.mem, world.rules, &world.context,
				     spec_vector(world.mem, cases[i].old),
				     spec_vector(world.mem, cases[i].new));
		outcome = outcome_of(world.mem, result);
		cr_expect(text_starts(outcome, cases[i].outcome), "%s: %s -> %s: %s", cases[i].rule,
			  cases[i].old, cases[i].new, outcome);
		cr_expect_eq(strstr(outcome, mem_printf(world.mem, " %s:", cases[i].rule)) != NULL,
			     !text_starts(cases[i].outcome, "accept"), "%s: %s", cases[i].rule,
			     outcome);
		talloc_free(world.mem);
	}
	for (size_t r = 0; r < conf->rule_count; r++) {
		bool tried = false;

		for (size_t i = 0; i < COUNT_OF(cases); i++)
			tried |= !strcmp(cases[i].rule, conf->rules[r].name);
		cr_expect(tried, "no change is judged by the example %s", conf->rules[r].name);
	}
	talloc_free(mem);
}
