#include "config.h"

#include "decide/rules.h"

#include "rules_world.h"

/* ---- the machine ---- */

Test(rules, set_lines_see_those_before)
{
	CHECK("[rule r]\nwhen = new.priority > 5\naction = correct\nset.priority = 3\nset.notes = "
	      "'p' || new.priority || old.priority\n"
	      "set.description = new.notes || '!'\nmessage = M.\n",
	      { "priority=1", "priority=7",
		"corrected priority=3; notes=p31; description=p31! | "
		"r:priority,notes,description" });
}

Test(rules, order_is_the_files)
{
	CHECK("[rule b]\nwhen = new.subject = 'x'\naction = correct\nset.notes = "
	      "coalesce(new.notes, '') || 'b'\nset.subject = 'y'\nmessage = M.\n"
	      "[rule a]\nwhen = new.subject = 'y'\naction = correct\nset.notes = "
	      "coalesce(new.notes, '') || 'a'\nset.subject = 'z'\nmessage = M.\n",
	      { "", "subject=x",
		"corrected subject=z; notes=ba | b:subject,notes a:subject,notes" });
}

Test(rules, chain_needs_as_many_passes_as_it_has_links)
{
	/* the rules stand in the reverse order, so each pass carries one link; the fourth pass
	 * finds nothing to do */
	CHECK("[rule third]\nwhen = new.subject = 'c'\naction = correct\nset.subject = "
	      "'d'\nmessage = M.\n"
	      "[rule second]\nwhen = new.subject = 'b'\naction = correct\nset.subject = "
	      "'c'\nmessage = M.\n"
	      "[rule first]\nwhen = new.subject = 'a'\naction = correct\nset.subject = "
	      "'b'\nmessage = M.\n",
	      { "", "subject=a",
		"corrected subject=d | first:subject second:subject third:subject" });
	/* one link more, and the fourth pass still corrects */
	CHECK("[rule fourth]\nwhen = new.subject = 'd'\naction = correct\nset.subject = "
	      "'e'\nmessage = M.\n"
	      "[rule third]\nwhen = new.subject = 'c'\naction = correct\nset.subject = "
	      "'d'\nmessage = M.\n"
	      "[rule second]\nwhen = new.subject = 'b'\naction = correct\nset.subject = "
	      "'c'\nmessage = M.\n"
	      "[rule first]\nwhen = new.subject = 'a'\naction = correct\nset.subject = "
	      "'b'\nmessage = M.\n",
	      { "subject=o", "subject=a; notes=n", "held subject=o; notes=n | fourth:subject" });
}

#define LOOP                                                                                       \
	"[rule up]\nwhen = new.priority < 5\naction = correct\nset.priority = 9\nmessage = M.\n"   \
	"[rule down]\nwhen = new.priority >= 5\naction = correct\nset.priority = 1\nmessage = "    \
	"M.\n"

Test(rules, two_that_correct_each_other_hold)
{
	CHECK(LOOP, { "priority=2", "priority=3", "held priority=2 | down:priority" },
	      { "", "priority=9; notes=n", "held notes=n | down:priority" });
}

Test(rules, loop_holds_only_what_it_is_about)
{
	CHECK(LOOP, { "priority=2; percent=10", "priority=3; percent=140",
		      "held priority=2; status=completed; percent=100; "
		      "completed_at=2026-11-21T09:00:00Z | "
		      "down:priority percent-range:percent done-agrees:status,completed_at" });
}

Test(rules, one_that_corrects_itself_holds)
{
	CHECK("[rule more]\nwhen = new.priority > 0\naction = correct\nset.priority = new.priority "
	      "+ 1\nmessage = M.\n",
	      { "", "priority=1", "held  | more:priority" });
}

Test(rules, loop_over_other_fields_holds_its_cause)
{
	/* what loops is notes; what started it is the subject */
	CHECK("[rule start]\nwhen = new.subject = 'go'\naction = correct\nset.notes = "
	      "coalesce(new.notes, 'n')\nmessage = M.\n"
	      "[rule more]\nwhen = new.notes IS NOT NULL\naction = correct\nset.notes = new.notes "
	      "|| '+'\nmessage = M.\n",
	      { "", "subject=go; priority=3", "held priority=3 | more:subject,notes" });
}

Test(rules, rejecting_a_correction_rejects_its_cause)
{
	CHECK("[rule a]\nwhen = new.subject = 'go'\naction = correct\nset.notes = 'auto'\nmessage "
	      "= M.\n"
	      "[rule b]\nwhen = new.notes = 'auto'\naction = correct\nset.priority = 9\nmessage = "
	      "M.\n"
	      "[rule c]\nwhen = new.priority = 9\naction = reject\nmessage = M.\n",
	      { "subject=wait", "subject=go; description=d",
		"rejected subject=wait; description=d | c:subject,priority,notes" },
	      { "subject=wait", "subject=go; priority=9",
		"rejected subject=wait | c:subject,priority,notes" });
}

Test(rules, correction_from_a_rejected_value_is_undone)
{
	CHECK("[rule a]\nwhen = new.subject = 'go'\naction = correct\nset.notes = 'auto'\nmessage "
	      "= M.\n"
	      "[rule b]\nwhen = new.subject = 'go'\naction = reject\nmessage = M.\n",
	      { "subject=wait", "subject=go", "rejected subject=wait | b:subject" });
}

Test(rules, coupled_fields_are_taken_back_together)
{
	CHECK("[rule a]\nwhen = new.percent > 50\naction = reject\nmessage = M.\n",
	      { "status=needs-action; percent=10", "status=in-process; percent=60; notes=n",
		"rejected status=needs-action; percent=10; notes=n | a:percent" },
	      { "status=needs-action; percent=10", "status=needs-action; percent=140; notes=n",
		"rejected status=needs-action; percent=10; notes=n | a:percent" });
}

Test(rules, hold_takes_back)
{
	CHECK("[rule a]\nwhen = new.total_work > 100 AND new.subject IS NOT NULL\naction = "
	      "hold\nmessage = M.\n",
	      { "total_work=60; subject=s", "total_work=160; subject=s; notes=n",
		"held subject=s; total_work=60; notes=n | a:total_work" });
}

Test(rules, held_is_stronger_than_rejected)
{
	CHECK("[rule a]\nwhen = new.priority > 1\naction = hold\nmessage = M.\n"
	      "[rule b]\nwhen = new.notes = 'n'\naction = reject\nmessage = M.\n",
	      { "", "priority=2; notes=n; percent=-1",
		"held percent=0 | a:priority b:notes percent-range:percent" },
	      { "", "priority=1; notes=n; percent=-1",
		"rejected priority=1; percent=0 | b:notes percent-range:percent" });
}

Test(rules, warn_keeps_the_value)
{
	CHECK("[rule w]\nwhen = new.percent > 50\naction = warn\nmessage = M.\n",
	      { "percent=10", "percent=60", "accept percent=60 | w:percent" },
	      { "percent=10", "percent=160",
		"corrected " DONE
		" | percent-range:percent done-agrees:status,completed_at w:percent" });
}

Test(rules, warn_is_about_what_comes_out)
{
	CHECK("[rule w]\nwhen = new.notes = 'bad'\naction = warn\nmessage = M.\n"
	      "[rule c]\nwhen = new.notes = 'bad'\naction = correct\nset.notes = 'good'\nmessage = "
	      "M.\n",
	      { "", "notes=bad", "corrected notes=good | c:notes" });
}

Test(rules, null_does_not_fire)
{
	CHECK("[rule a]\nwhen = new.percent > old.percent\naction = reject\nmessage = M.\n",
	      { "", "percent=60", "accept percent=60 |" },
	      { "percent=40", "percent=60", "rejected percent=40 | a:percent" },
	      { "percent=40", "", "accept  |" });
	CHECK("[rule a]\nwhen = NULL AND new.percent > 0\naction = reject\nmessage = M.\n",
	      { "", "percent=60", "accept percent=60 |" });
}

Test(rules, null_clears)
{
	CHECK("[rule a]\nwhen = new.notes = 'x'\naction = correct\nset.notes = NULL\nset.due = "
	      "old.due\nset.start = ''\nmessage = M.\n",
	      { "", "notes=x; due=2026-11-10; start=2026-11-01",
		"corrected  | a:start,due,notes" });
}

Test(rules, error_holds)
{
	CHECK("[rule a]\nwhen = abs(new.total_work) > 5\naction = reject\nmessage = M.\n[rule "
	      "work-not-negative]\nenabled = no\n",
	      { "total_work=1", "total_work=-9223372036854775808; notes=n",
		"held total_work=1; notes=n | a:total_work" },
	      { "total_work=1", "total_work=2; notes=n", "accept total_work=2; notes=n |" });
	CHECK("[rule a]\nwhen = date(new.notes) > today\naction = warn\nmessage = M.\n",
	      { "", "notes=now", "held  | a:notes" }, { "", "notes=localtime", "held  | a:notes" },
	      { "", "notes=2026-11-22", "accept notes=2026-11-22 | a:notes" });
}

Test(rules, value_that_is_none_holds)
{
	CHECK("[rule a]\nwhen = new.subject = 'x'\naction = correct\nset.notes = 'n'\nset.percent "
	      "= 'many'\nmessage = M.\n",
	      { "subject=o", "subject=x; priority=2", "held subject=o; priority=2 | a:subject" });
	CHECK("[rule a]\nwhen = new.subject = 'x'\naction = correct\nset.percent = 12.5\nmessage = "
	      "M.\n",
	      { "subject=o", "subject=x", "held subject=o | a:subject" });
	CHECK("[rule a]\nwhen = new.subject = 'x'\naction = correct\nset.percent = 1e300\nmessage "
	      "= M.\n",
	      { "subject=o", "subject=x", "held subject=o | a:subject" });
	CHECK("[rule a]\nwhen = new.subject = 'x'\naction = correct\nset.status = 'done'\nmessage "
	      "= M.\n",
	      { "subject=o", "subject=x", "held subject=o | a:subject" });
}

Test(rules, set_converts_to_the_type)
{
	CHECK("[rule a]\nwhen = new.subject = 'x'\naction = correct\nset.due = date(today, '+7 "
	      "days')\nset.priority = round(2.4)\n"
	      "set.categories = 'b'\nset.milestone = 1\nset.total_work = '1.5h'\nset.status = "
	      "'in-process'\nset.notes = 12\nmessage = M.\n",
	      { "", "subject=x",
		"corrected subject=x; due=2026-11-28; priority=2; categories=b; milestone=true; "
		"total_work=90; "
		"status=in-process; notes=12 | "
		"a:due,priority,categories,milestone,total_work,status,notes" });
}

Test(rules, correction_that_changes_nothing_is_none)
{
	CHECK("[rule a]\nwhen = new.priority = 3\naction = correct\nset.priority = 3\nset.notes = "
	      "new.notes\nmessage = M.\n",
	      { "", "priority=3; notes=n", "accept priority=3; notes=n |" });
}

Test(rules, design_example)
{
	CHECK("[rule no-overrun]\nwhen = new.actual_work > 1.5 * new.total_work\naction = correct\n"
	      "set.actual_work = CAST(1.5 * new.total_work AS INTEGER)\nmessage = M.\n",
	      { "total_work=61; actual_work=10", "total_work=61; actual_work=100",
		"corrected total_work=61; actual_work=91 | no-overrun:actual_work" },
	      { "total_work=61; actual_work=10", "total_work=61; actual_work=91",
		"accept total_work=61; actual_work=91 |" });
}

Test(rules, context_is_bound)
{
	CHECK_ABOUT("[rule a]\nwhen = new.subject IS NOT NULL\naction = correct\n"
		    "set.notes = task.key || '/' || task.milestone || '/' || task.summary || '/' "
		    "|| task.predecessors_open || '/' || project.code || '/' || project.name || "
		    "'/' || project.state || '/' || project.closed_until || '/' || resource.key "
		    "|| '/' || resource.name || '/' || coalesce(resource.email, '-') || '/' || "
		    "actor || '/' || actor.key || '/' || today || '/' || now\nmessage = M.\n",
		    "open=2; closed=2026-10-31; account=bob",
		    { "", "subject=x",
		      "corrected subject=x; notes=17/1/0/2/CRATE/Ship a "
		      "crate/published/2026-10-31/ana@example.com/Ana/-/mailbox/bob/2026-11-21/" NOW
		      " | a:notes" });
}

Test(rules, context_that_is_not_known_is_null)
{
	CHECK_ABOUT("[rule a]\nwhen = new.subject IS NOT NULL AND task.predecessors_open IS NULL "
		    "AND project.closed_until IS NULL AND actor.key IS NULL\naction = reject\n"
		    "message = M.\n",
		    "open=?", { "", "subject=x; notes=n", "rejected notes=n | a:subject" });
}

/* What costs a look-up is asked for once, and only for a rule that runs and names it. */
Test(rules, predecessors_are_asked_for_when_they_count)
{
	static const struct {
		const char *ini, *new;
		int asked;
	} rows[] = {
		{ "", "notes=n", 0 },
		{ "", "percent=40", 1 },
		{ "", "percent=140; total_work=-1", 1 },
		{ "[rule predecessors-first]\nenabled = no\n", "percent=40", 0 },
		{ "[rule predecessors-first]\nwhen = new.notes = 'x' AND task.predecessors_open > "
		  "0\naction = warn\nmessage = M.\n",
		  "percent=40", 0 },
		{ "[rule predecessors-first]\nenabled = no\n[rule a]\nwhen = new.percent > 1\n"
		  "action = correct\nset.notes = task.predecessors_open\nmessage = M.\n",
		  "percent=40", 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct world world = world_of(rows[i].ini);

		(void)rules_judge(world.mem, world.rules, &world.context,
				  spec_vector(world.mem, ""), spec_vector(world.mem, rows[i].new));
		cr_expect_eq(world.answer->asked, rows[i].asked, "row %zu: %d", i,
			     world.answer->asked);
		talloc_free(world.mem);
	}
}

Test(rules, predecessors_that_cannot_be_found_out_hold)
{
	struct world world = world_of("");
	struct rules_result *result;

	world_about(&world, "open=the disk is full");
	result = rules_judge(world.mem, world.rules, &world.context, spec_vector(world.mem, ""),
			     spec_vector(world.mem, "percent=40; notes=n"));
	cr_expect_str_eq(outcome_of(world.mem, result),
			 "held notes=n | predecessors-first:percent");
	cr_expect(strstr(result->hits[0].message, "the disk is full"), "%s",
		  result->hits[0].message);
	talloc_free(world.mem);
}

/* Every field, in new. and old., as the contract says how. */
Test(rules, fields_are_bound)
{
	static const struct {
		const char *spec, *text;
	} rows[] = {
		{ "subject=s", "text:s" },
		{ "start=2026-11-10", "text:2026-11-10" },
		{ "due=2026-11-10T10:00:00Z", "text:2026-11-10T10:00:00Z" },
		{ "deadline=2026-11-10", "text:2026-11-10" },
		{ "priority=4", "integer:4" },
		{ "categories=b\na", "text:a\nb" },
		{ "parent=p", "text:p" },
		{ "milestone=true", "integer:1" },
		{ "summary=false", "integer:0" },
		{ "predecessors=p", "text:p" },
		{ "total_work=90", "integer:90" },
		{ "status=in-process", "text:in-process" },
		{ "percent=140", "integer:140" },
		{ "completed_at=2026-11-10", "text:2026-11-10" },
		{ "remaining_work=5", "integer:5" },
		{ "actual_work=-5", "integer:-5" },
		{ "notes=a 'b'", "text:a 'b'" },
		{ "description=d", "text:d" },
		{ "attachments=https://x.example/a - - a", "text:https://x.example/a - - a" },
	};
	_Static_assert(COUNT_OF(rows) == FIELDS, "one row per field");
	struct world world;

	for (int i = 0; i < FIELDS; i++) {
		const char *name = field_table[i].name;
		char *ini, *expected;
		struct rules_result *result;
		TALLOC_CTX *mem = talloc_new(NULL);

		ini = mem_printf(
			mem,
			"[rule percent-range]\nenabled = no\n[rule done-agrees]\nenabled = no\n"
			"[rule work-not-negative]\nenabled = no\n[rule to]\nwhen = new.%s IS NOT "
			"NULL\n"
			"action = hold\nmessage = M.\n[rule from]\nwhen = typeof(old.%s) || ':' || "
			"old.%s = '%s' AND "
			"new.%s IS NULL\naction = hold\nmessage = M.\n",
			name, name, name, i == FIELD_notes ? "text:a ''b''" : rows[i].text, name);
		if (strchr(rows[i].text, '\n')) { /* no newline in an ini file */
			talloc_free(mem);
			continue;
		}
		world = world_of(ini);
		result = rules_judge(mem, world.rules, &world.context,
				     spec_vector(mem, rows[i].spec), spec_vector(mem, ""));
		expected = mem_printf(mem, "held %s | from:%s",
				      spec_text(mem, spec_vector(mem, rows[i].spec), true), name);
		cr_expect_str_eq(outcome_of(mem, result), expected, "%s: %s", name,
				 outcome_of(mem, result));
		result = rules_judge(mem, world.rules, &world.context, spec_vector(mem, ""),
				     spec_vector(mem, rows[i].spec));
		expected = mem_printf(mem, "held  | to:%s", name);
		cr_expect_str_eq(outcome_of(mem, result), expected, "%s: %s", name,
				 outcome_of(mem, result));
		talloc_free(world.mem);
		talloc_free(mem);
	}
}

Test(rules, long_value_holds_only_rules_that_name_it)
{
	struct world world =
		world_of("[rule a]\nwhen = new.notes LIKE '%x'\naction = warn\nmessage = M.\n");
	struct vector *old = spec_vector(world.mem, ""),
		      *new = spec_vector(world.mem, "percent=40");
	char *text = MEM_ARRAY(world.mem, char, RULES_LENGTH_MAX + 2);
	struct rules_result *result;

	memset(text, 'x', RULES_LENGTH_MAX + 1);
	vector_text(new, FIELD_notes, text);
	result = rules_judge(world.mem, world.rules, &world.context, old, new);
	cr_expect_str_eq(outcome_of(world.mem, result), "held percent=40 | a:notes");
	text[RULES_LENGTH_MAX] = '\0';
	vector_text(new, FIELD_notes, text);
	result = rules_judge(world.mem, world.rules, &world.context, old, new);
	cr_expect_eq(result->verdict, RULES_ACCEPT);
	cr_expect_eq(result->hit_count, 1);
	talloc_free(world.mem);
}

Test(rules, results_do_not_depend_on_the_judge)
{
	struct world world = world_of("");
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *new = spec_vector(world.mem, "percent=140; notes=n");
	struct rules_result *result =
		rules_judge(mem, world.rules, &world.context, spec_vector(world.mem, ""), new);

	talloc_free(world.mem);
	cr_expect_str_eq(outcome_of(mem, result),
			 "corrected " DONE
			 "; notes=n | percent-range:percent done-agrees:status,completed_at");
	talloc_free(mem);
}

/* ---- findings ---- */

static void check_finding(const char *ini, long line, bool warning, const char *text)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report;
	struct conf *conf = conf_of(mem, ini, &report);
	struct rules *rules = rules_new(mem, conf, report);

	cr_assert_eq(report->count, 1, "%s: %zu findings", ini, report->count);
	cr_expect_eq(report->findings[0].line, line, "%s: line %ld", ini, report->findings[0].line);
	cr_expect_eq(report->findings[0].warning, warning);
	cr_expect_eq(rules == NULL, !warning);
	cr_expect_str_eq(report->findings[0].text, text, "%s\nexpected %s\nactual   %s", ini, text,
			 report->findings[0].text);
	talloc_free(mem);
}

#define RULE(when, set)                                                                            \
	"[rule r]\nwhen = " when "\naction = correct\nset.notes = " set "\nmessage = M.\n"

Test(rules_new, finding_has_line_and_hint)
{
	check_finding(RULE("new.percnt > 1", "1"), 2, false,
		      "rule r: when: new.percnt is not known in a rule; did you mean new.percent?");
	check_finding(RULE("percent > 1", "1"), 2, false,
		      "rule r: when: percent: write new.percent or old.percent");
	check_finding(RULE("new.percent > 1", "lenght(new.notes)"), 4, false,
		      "rule r: set.notes: lenght is not known in a rule; did you mean length?");
	check_finding(RULE("new.percent >", "1"), 2, false,
		      "rule r: when: near \")\": syntax error");
	check_finding(RULE("new.percent 1", "1"), 2, false,
		      "rule r: when: near \"1\": syntax error");
	check_finding(RULE("1 new.percent", "1"), 2, false,
		      "rule r: when: near \"new.percent\": syntax error");
	check_finding(RULE("new.due < date('now')", "1"), 2, false,
		      "rule r: when: not a date; the present is `today` or `now`, without quotes");
	check_finding(RULE("abs > new.percent", "1"), 2, false,
		      "rule r: when: abs is a function: write abs(...)");
}

Test(rules_new, rule_that_never_runs_is_warned_of)
{
	check_finding(RULE("old.percent > 1", "1"), 2, true,
		      "rule r: when names no new.FIELD, so the rule never runs");
}

Test(rules_new, every_wrong_expression_is_found)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report;
	struct conf *conf = conf_of(mem,
				    "[rule r]\nwhen = x1\naction = correct\nset.notes = "
				    "y1\nset.subject = z1\nmessage = M.\n",
				    &report);

	cr_expect_null(rules_new(mem, conf, report));
	cr_expect_eq(report->errors, 3);
	talloc_free(mem);
}

Test(rules_new, switched_off_rule_is_not_compiled)
{
	CHECK("[rule r]\nwhen = nonsense(\naction = reject\nmessage = M.\nenabled = no\n",
	      { "", "priority=1", "accept priority=1 |" });
}

Test(rules_new, rule_without_message_has_one)
{
	struct world world = world_of("[rule r]\nwhen = new.priority > 1\naction = reject\n");
	struct rules_result *result =
		rules_judge(world.mem, world.rules, &world.context, spec_vector(world.mem, ""),
			    spec_vector(world.mem, "priority=3"));

	cr_assert_eq(result->hit_count, 1);
	cr_expect_str_eq(result->hits[0].message, "The change is not allowed (rule r).");
	talloc_free(world.mem);
}
