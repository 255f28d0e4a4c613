#include "config.h"

#include "decide/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules_world.h"

Test(rules_builtin, percent_over_range_is_done)
{
	CHECK("",
	      { "status=in-process; percent=40", "status=in-process; percent=140",
		"corrected " DONE " | percent-range:percent done-agrees:status,completed_at" },
	      { "", "percent=140",
		"corrected " DONE " | percent-range:percent done-agrees:status,completed_at" },
	      { "percent=40", "percent=101",
		"corrected " DONE " | percent-range:percent done-agrees:status,completed_at" },
	      { DONE_BEFORE, "status=completed; percent=140; completed_at=2026-11-02T10:00:00Z",
		"corrected " DONE_BEFORE " | percent-range:percent" });
}

Test(rules_builtin, percent_below_range_is_nothing)
{
	CHECK("",
	      { "status=in-process; percent=40", "status=in-process; percent=-5",
		"corrected status=in-process; percent=0 | percent-range:percent" },
	      { "percent=40", "percent=-9223372036854775808",
		"corrected percent=0 | percent-range:percent" });
}

Test(rules_builtin, percent_within_range_is_left)
{
	CHECK("", { "percent=40", "percent=0", "accept percent=0 |" },
	      { "percent=40", "percent=99", "accept percent=99 |" },
	      { "percent=40", "", "accept  |" }, { "", "percent=1", "accept percent=1 |" });
}

Test(rules_builtin, done_by_status)
{
	CHECK("",
	      { "status=in-process; percent=40", "status=completed; percent=40",
		"corrected " DONE " | done-agrees:percent,completed_at" },
	      { "", "status=completed", "corrected " DONE " | done-agrees:percent,completed_at" },
	      { "percent=40", "status=completed; percent=60; completed_at=2026-11-02T10:00:00Z",
		"corrected " DONE_BEFORE " | done-agrees:percent" },
	      { "percent=40", DONE_BEFORE, "accept " DONE_BEFORE " |" },
	      { "status=cancelled; percent=40", "status=completed; percent=40",
		"corrected " DONE " | done-agrees:percent,completed_at" });
}

Test(rules_builtin, done_by_percent)
{
	CHECK("",
	      { "status=in-process; percent=40", "status=in-process; percent=100",
		"corrected " DONE " | done-agrees:status,completed_at" },
	      { "", "percent=100; completed_at=2026-11-02T10:00:00Z",
		"corrected " DONE_BEFORE " | done-agrees:status" },
	      { "status=cancelled; percent=40", "status=cancelled; percent=100",
		"corrected " DONE " | done-agrees:status,completed_at" });
}

Test(rules_builtin, done_by_date)
{
	CHECK("",
	      { "status=in-process; percent=40",
		"status=in-process; percent=40; completed_at=2026-11-02T10:00:00Z",
		"corrected " DONE_BEFORE " | done-agrees:status,percent" },
	      { "status=cancelled; percent=40",
		"status=cancelled; percent=40; completed_at=2026-11-02T10:00:00Z",
		"corrected " DONE_BEFORE " | done-agrees:status,percent" },
	      { DONE_BEFORE, "status=completed; percent=100; completed_at=2026-11-03",
		"accept status=completed; percent=100; completed_at=2026-11-03 |" });
}

Test(rules_builtin, undone_by_status)
{
	CHECK("",
	      { DONE_BEFORE, "status=in-process; percent=100; completed_at=2026-11-02T10:00:00Z",
		"corrected status=in-process; percent=0 | done-agrees:percent,completed_at" },
	      /* all three removed, as Tasks.org and Thunderbird do */
	      { DONE_BEFORE, "", "accept  |" },
	      /* COMPLETED is the time of un-checking, as Endeavour writes it */
	      { DONE_BEFORE, "status=needs-action; percent=0; completed_at=2026-11-21T08:00:00Z",
		"corrected status=needs-action; percent=0 | done-agrees:completed_at" },
	      { DONE_BEFORE, "status=in-process; percent=60; completed_at=2026-11-02T10:00:00Z",
		"corrected status=in-process; percent=60 | done-agrees:completed_at" },
	      /* the percentage that was, where it is one of work */
	      { "status=needs-action; percent=30", "status=in-process; percent=100",
		"corrected status=in-process; percent=30 | done-agrees:percent" },
	      { "status=cancelled; percent=100", "status=in-process; percent=100",
		"corrected status=in-process; percent=0 | done-agrees:percent" });
}

Test(rules_builtin, undone_by_percent)
{
	CHECK("",
	      { DONE_BEFORE, "status=completed; percent=40; completed_at=2026-11-02T10:00:00Z",
		"corrected status=in-process; percent=40 | done-agrees:status,completed_at" },
	      { DONE_BEFORE, "status=completed; percent=0; completed_at=2026-11-02T10:00:00Z",
		"corrected status=needs-action; percent=0 | done-agrees:status,completed_at" },
	      { DONE_BEFORE, "status=completed; percent=-3; completed_at=2026-11-02T10:00:00Z",
		"corrected status=needs-action; percent=0 | percent-range:percent "
		"done-agrees:status,completed_at" },
	      { DONE_BEFORE, "status=completed; completed_at=2026-11-02T10:00:00Z",
		"corrected status=needs-action | done-agrees:status,completed_at" },
	      /* the percentage goes before the date */
	      { "status=in-process; percent=20",
		"status=in-process; percent=40; completed_at=2026-11-02",
		"corrected status=in-process; percent=40 | done-agrees:completed_at" });
}

Test(rules_builtin, undone_by_date)
{
	CHECK("", { DONE_BEFORE, "status=completed; percent=100",
		    "corrected status=needs-action; percent=0 | done-agrees:status,percent" });
}

Test(rules_builtin, cancelled_keeps_its_percentage)
{
	CHECK("",
	      { "status=in-process; percent=40", "status=cancelled; percent=40",
		"accept status=cancelled; percent=40 |" },
	      { DONE_BEFORE, "status=cancelled; percent=100; completed_at=2026-11-02T10:00:00Z",
		"corrected status=cancelled; percent=100 | done-agrees:completed_at" },
	      { "status=in-process; percent=40", "status=cancelled; percent=100",
		"accept status=cancelled; percent=100 |" },
	      { "status=cancelled; percent=40", "status=cancelled; percent=60",
		"accept status=cancelled; percent=60 |" },
	      { "status=cancelled; percent=40",
		"status=cancelled; percent=60; completed_at=2026-11-02",
		"corrected status=cancelled; percent=60 | done-agrees:completed_at" });
}

Test(rules_builtin, due_before_start_is_rejected)
{
	CHECK("",
	      { "start=2026-11-10; due=2026-11-20", "start=2026-11-10; due=2026-11-09",
		"rejected start=2026-11-10; due=2026-11-20 | due-after-start:due" },
	      { "start=2026-11-10; due=2026-11-20", "start=2026-11-21; due=2026-11-20",
		"rejected start=2026-11-10; due=2026-11-20 | due-after-start:start" },
	      { "start=2026-11-10; due=2026-11-20", "start=2026-12-10; due=2026-12-09",
		"rejected start=2026-11-10; due=2026-11-20 | due-after-start:start,due" },
	      { "", "start=2026-12-10; due=2026-12-09; notes=late",
		"rejected notes=late | due-after-start:start,due" },
	      { "due=2026-11-20", "start=2026-11-10T10:00:00Z; due=2026-11-10T09:59:59Z",
		"rejected due=2026-11-20 | due-after-start:start,due" },
	      { "due=2026-11-20", "start=2026-11-10T10:00:00.5Z; due=2026-11-10T10:00:00Z",
		"rejected due=2026-11-20 | due-after-start:start,due" },
	      /* 23:30Z is the 11th in Berlin */
	      { "due=2026-11-20", "start=2026-11-10T23:30:00Z; due=2026-11-10",
		"rejected due=2026-11-20 | due-after-start:start,due" });
}

Test(rules_builtin, due_not_before_start_is_accepted)
{
	CHECK("",
	      { "", "start=2026-11-10; due=2026-11-10",
		"accept start=2026-11-10; due=2026-11-10 |" },
	      { "", "start=2026-11-10T10:00:00Z; due=2026-11-10",
		"accept start=2026-11-10T10:00:00Z; due=2026-11-10 |" },
	      { "", "start=2026-11-10; due=2026-11-10T10:00:00Z",
		"accept start=2026-11-10; due=2026-11-10T10:00:00Z |" },
	      { "", "start=2026-11-10T10:00:00Z; due=2026-11-10T10:00:00.5Z",
		"accept start=2026-11-10T10:00:00Z; due=2026-11-10T10:00:00.500000Z |" },
	      { "", "due=2026-11-10", "accept due=2026-11-10 |" },
	      { "start=2026-11-10; due=2026-11-20", "start=2026-11-30",
		"accept start=2026-11-30 |" },
	      { "start=2026-11-10; due=2026-11-20", "start=2027-01-10; due=2027-01-20",
		"accept start=2027-01-10; due=2027-01-20 |" });
}

Test(rules_builtin, negative_work_is_rejected)
{
	CHECK("",
	      { "total_work=60", "total_work=-1",
		"rejected total_work=60 | work-not-negative:total_work" },
	      { "remaining_work=60", "remaining_work=-1",
		"rejected remaining_work=60 | work-not-negative:remaining_work" },
	      { "actual_work=60", "actual_work=-1",
		"rejected actual_work=60 | work-not-negative:actual_work" },
	      { "total_work=60", "total_work=0", "accept total_work=0 |" },
	      { "total_work=60", "", "accept  |" },
	      /* what was negative before is no reason against what changes now */
	      { "total_work=60; actual_work=-1", "total_work=90; actual_work=-1",
		"accept total_work=90; actual_work=-1 |" });
}

Test(rules_builtin, rejection_and_correction_at_once)
{
	CHECK("", { "percent=40; total_work=60", "percent=140; total_work=-5; notes=x",
		    "rejected total_work=60; status=completed; percent=100; "
		    "completed_at=2026-11-21T09:00:00Z; notes=x | "
		    "work-not-negative:total_work percent-range:percent "
		    "done-agrees:status,completed_at" });
}

Test(rules_builtin, standing_values_never_fire)
{
	CHECK("",
	      { "percent=140; notes=a", "percent=140; notes=b", "accept percent=140; notes=b |" },
	      { "status=completed; percent=20", "status=completed; percent=20; notes=b",
		"accept status=completed; percent=20; notes=b |" },
	      { "start=2026-11-10; due=2026-11-01; total_work=-3; notes=a",
		"start=2026-11-10; due=2026-11-01; total_work=-3; notes=b",
		"accept start=2026-11-10; due=2026-11-01; total_work=-3; notes=b |" });
}

Test(rules_builtin, switched_off)
{
	CHECK("[rule percent-range]\nenabled = no\n[rule done-agrees]\nenabled = no\n",
	      { "percent=40", "percent=140", "accept percent=140 |" },
	      { "", "status=completed", "accept status=completed |" },
	      { "", "total_work=-1", "rejected  | work-not-negative:total_work" });
	CHECK("[rule due-after-start]\nenabled = no\n[rule work-not-negative]\nenabled = no\n",
	      { "", "start=2026-11-10; due=2026-11-09; total_work=-1",
		"accept start=2026-11-10; due=2026-11-09; total_work=-1 |" });
	CHECK("[rule percent-range]\nenabled = yes\n",
	      { "percent=40", "percent=-2", "corrected percent=0 | percent-range:percent" });
}

Test(rules_builtin, replaced_by_one_of_the_same_name)
{
	CHECK("[rule percent-range]\nwhen = new.percent > 100\naction = reject\nmessage = No.\n",
	      { "percent=40", "percent=140", "rejected percent=40 | percent-range:percent" },
	      { "percent=40", "percent=-140", "accept percent=-140 |" });
}

/* ---- who may report what, and when ---- */

Test(rules_builtin, summary_takes_no_progress)
{
	CHECK_ABOUT(
		"", "summary",
		{ "", "percent=40; status=in-process; notes=n",
		  "rejected notes=n | summary-is-computed:status,percent" },
		{ "percent=20; status=in-process", DONE_BEFORE,
		  "rejected status=in-process; percent=20 | "
		  "summary-is-computed:status,percent,completed_at" },
		/* what followed from it goes with it */
		{ "percent=20", "percent=140",
		  "rejected percent=20 | summary-is-computed:status,percent,completed_at" },
		{ "", "remaining_work=60", "rejected  | summary-is-computed:remaining_work" },
		{ "actual_work=30", "actual_work=60",
		  "rejected actual_work=30 | summary-is-computed:actual_work" },
		{ "", "status=needs-action; percent=0", "accept status=needs-action; percent=0 |" },
		{ "percent=20", "percent=20; due=2026-12-01; notes=n; total_work=60",
		  "accept due=2026-12-01; total_work=60; percent=20; notes=n |" });
	CHECK_ABOUT("", "summary; actor=project",
		    { "", "percent=40", "rejected  | summary-is-computed:percent" });
	CHECK_ABOUT("", "summary; actor=import", { "", "percent=40", "accept percent=40 |" });
	CHECK("", { "", "percent=40", "accept percent=40 |" });
}

Test(rules_builtin, archived_project_holds_progress)
{
	CHECK_ABOUT("", "state=archived",
		    { "percent=40; status=in-process", "percent=60; status=in-process; notes=n",
		      "held status=in-process; percent=40; notes=n | project-open:percent" },
		    { "", "remaining_work=60", "held  | project-open:remaining_work" },
		    { "", "actual_work=60", "held  | project-open:actual_work" },
		    { "percent=40", "percent=40; due=2026-12-01; notes=n",
		      "accept due=2026-12-01; percent=40; notes=n |" });
	CHECK_ABOUT("", "state=archived; actor=project",
		    { "", "percent=40", "held  | project-open:percent" });
	CHECK_ABOUT("", "state=archived; actor=import",
		    { "", "percent=40", "accept percent=40 |" });
	CHECK_ABOUT("", "state=draft", { "", "percent=40", "accept percent=40 |" });
}

#define OCTOBER "status=completed; percent=100; completed_at=2026-10-31"
#define NOVEMBER "status=completed; percent=100; completed_at=2026-11-01"

Test(rules_builtin, closed_period_holds_progress)
{
	CHECK_ABOUT(
		"", "closed=2026-10-31",
		{ "percent=40; status=in-process", OCTOBER,
		  "held status=in-process; percent=40 | "
		  "project-open:status,percent,completed_at" },
		{ "percent=40; status=in-process", NOVEMBER, "accept " NOVEMBER " |" },
		/* 23:30Z is the 1st of November in Berlin */
		{ "", "status=completed; percent=100; completed_at=2026-10-31T22:59:59Z",
		  "held  | project-open:status,percent,completed_at" },
		{ "", "status=completed; percent=100; completed_at=2026-10-31T23:30:00Z",
		  "accept status=completed; percent=100; completed_at=2026-10-31T23:30:00Z |" },
		{ "percent=40", "percent=60", "accept percent=60 |" },
		{ "", "status=completed", "corrected " DONE " | done-agrees:percent,completed_at" },
		/* what was completed then stays */
		{ OCTOBER, "status=needs-action; percent=0",
		  "held " OCTOBER " | project-open:status,percent,completed_at" },
		{ OCTOBER, NOVEMBER, "held " OCTOBER " | project-open:completed_at" },
		{ OCTOBER, OCTOBER "; actual_work=60",
		  "held " OCTOBER " | project-open:actual_work" },
		{ OCTOBER, OCTOBER "; notes=n", "accept " OCTOBER "; notes=n |" });
	CHECK_ABOUT("", "closed=2026-11-30",
		    { "", "status=completed", "held  | project-open:status,percent,completed_at" });
	CHECK_ABOUT("", "closed=2026-10-31; actor=project",
		    { "", OCTOBER, "held  | project-open:status,percent,completed_at" });
	CHECK_ABOUT("", "closed=2026-10-31; actor=import", { "", OCTOBER, "accept " OCTOBER " |" });
	CHECK("", { "", OCTOBER, "accept " OCTOBER " |" });
}

Test(rules_builtin, started_before_a_predecessor_is_warned_of)
{
	CHECK_ABOUT(
		"", "open=1",
		{ "", "status=in-process", "accept status=in-process | predecessors-first:status" },
		{ "status=needs-action", "status=in-process; percent=20",
		  "accept status=in-process; percent=20 | predecessors-first:status,percent" },
		{ "percent=0", "percent=20", "accept percent=20 | predecessors-first:percent" },
		{ "", "status=completed",
		  "corrected " DONE " | done-agrees:percent,completed_at "
		  "predecessors-first:status,percent" },
		/* said once */
		{ "status=in-process", "status=in-process; percent=20",
		  "accept status=in-process; percent=20 |" },
		{ "percent=20", "percent=40; status=in-process",
		  "accept status=in-process; percent=40 |" },
		{ "status=in-process; percent=20", "status=needs-action; percent=0",
		  "accept status=needs-action; percent=0 |" },
		{ "", "status=cancelled; percent=20", "accept status=cancelled; percent=20 |" },
		{ "", "status=needs-action; percent=0", "accept status=needs-action; percent=0 |" },
		{ "", "notes=n", "accept notes=n |" });
	CHECK_ABOUT("", "open=3; actor=project",
		    { "", "percent=20", "accept percent=20 | predecessors-first:percent" });
	CHECK_ABOUT("", "open=1; actor=import", { "", "percent=20", "accept percent=20 |" });
	CHECK_ABOUT("", "open=0", { "", "percent=20", "accept percent=20 |" });
	CHECK_ABOUT("", "open=?", { "", "percent=20", "accept percent=20 |" });
}

Test(rules_builtin, only_the_assignee_reports)
{
	CHECK_ABOUT("", "account=bob@example.com",
		    { "percent=20; status=in-process",
		      "percent=40; status=in-process; notes=n; due=2026-12-01",
		      "rejected due=2026-12-01; status=in-process; percent=20; notes=n | "
		      "own-work-only:percent" },
		    { "", DONE_BEFORE, "rejected  | own-work-only:status,percent,completed_at" },
		    { "", "remaining_work=60", "rejected  | own-work-only:remaining_work" },
		    { "", "actual_work=60", "rejected  | own-work-only:actual_work" },
		    { "percent=20", "percent=20; notes=n", "accept percent=20; notes=n |" });
	CHECK_ABOUT("", "account=ana@example.com", { "", "percent=40", "accept percent=40 |" });
	CHECK_ABOUT("", "actor=project", { "", "percent=40", "accept percent=40 |" });
	CHECK_ABOUT("", "actor=import", { "", "percent=40", "accept percent=40 |" });
}

#define ALL_OFF                                                                                    \
	"[rule percent-range]\nenabled = no\n[rule done-agrees]\nenabled = no\n"                   \
	"[rule due-after-start]\nenabled = no\n[rule work-not-negative]\nenabled = no\n"           \
	"[rule summary-is-computed]\nenabled = no\n[rule project-open]\nenabled = no\n"            \
	"[rule predecessors-first]\nenabled = no\n[rule own-work-only]\nenabled = no\n"

Test(rules_builtin, all_switched_off)
{
	CHECK_ABOUT(ALL_OFF,
		    "summary; state=archived; closed=2026-11-30; open=1; account=bob@example.com",
		    { "", "start=2026-11-10; due=2026-11-09; total_work=-1; percent=140",
		      "accept start=2026-11-10; due=2026-11-09; total_work=-1; percent=140 |" },
		    { "", OCTOBER, "accept " OCTOBER " |" });
}

/* Every rule of the text has a name that can be switched off, and none other is there. */
Test(rules_builtin, names_are_known_to_the_configuration)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t count = 0;

	for (const char *at = rules_builtin_text(); (at = strstr(at, "\n[rule ")); at++, count++) {
		const char *name = at + strlen("\n[rule ");
		char *line = mem_printf(mem, "[rule %.*s]\nenabled = no\n", (int)strcspn(name, "]"),
					name);
		struct conf_report *report;

		(void)conf_of(mem, line, &report);
		cr_expect_eq(report->count, 0, "%s", line);
		cr_expect_not_null(strstr(ALL_OFF, line), "%s", line);
	}
	cr_expect_eq(count, 8, "%zu rules", count);
	talloc_free(mem);
}

Test(rules_builtin, messages_are_sentences)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report;
	struct conf *conf = conf_of(mem, rules_builtin_text(), &report);

	cr_expect_eq(report->count, 0);
	for (size_t i = 0; i < conf->rule_count; i++)
		cr_expect(text_ends(conf->rules[i].message, "."), "%s: %s", conf->rules[i].name,
			  conf->rules[i].message);
	talloc_free(mem);
}

/* Every step between any two states of the three coupled fields: done is one thing afterwards, and
 * judging again changes nothing (N3). */

static const char *const some_status[] = { "", "status=needs-action; ", "status=in-process; ",
					   "status=completed; ", "status=cancelled; " };
static const char *const some_percent[] = {
	"", "percent=0; ", "percent=40; ", "percent=100; ", "percent=140; ", "percent=-5; "
};
static const char *const some_date[] = { "", "completed_at=2026-11-02T10:00:00Z",
					 "completed_at=2026-11-03" };

#define STATES (COUNT_OF(some_status) * COUNT_OF(some_percent) * COUNT_OF(some_date))

static struct vector *state(TALLOC_CTX *mem, size_t i)
{
	return spec_vector(mem, mem_printf(mem, "%s%s%s", some_status[i % 5],
					   some_percent[i / 5 % 6], some_date[i / 30]));
}

static bool agrees(const struct vector *v)
{
	int64_t status = vector_get(v, FIELD_status, STATUS_NEEDS_ACTION);
	bool hundred = vector_get(v, FIELD_percent, 0) == 100,
	     dated = vector_is_set(v, FIELD_completed_at);

	if (status == STATUS_CANCELLED)
		return !dated;
	return (status == STATUS_COMPLETED) == hundred && hundred == dated;
}

static bool same_progress(const struct vector *a, const struct vector *b)
{
	return value_identical(FIELD_status, &a->value[FIELD_status], &b->value[FIELD_status]) &&
	       value_identical(FIELD_percent, &a->value[FIELD_percent], &b->value[FIELD_percent]) &&
	       value_identical(FIELD_completed_at, &a->value[FIELD_completed_at],
			       &b->value[FIELD_completed_at]);
}

static void check_stable(struct world *world, const struct vector *old, const struct vector *new)
{
	TALLOC_CTX *mem = talloc_new(world->mem);
	struct rules_result *once = rules_judge(mem, world->rules, &world->context, old, new);
	struct rules_result *again =
		rules_judge(mem, world->rules, &world->context, old, once->values);
	struct rules_result *standing =
		rules_judge(mem, world->rules, &world->context, once->values, once->values);
	char *step = mem_printf(mem, "%s -> %s: %s", spec_text(mem, old, true),
				spec_text(mem, new, true), outcome_of(mem, once));

	if (same_progress(old, new))
		cr_expect_eq(once->hit_count, 0, "standing: %s", step);
	if (!same_progress(old, once->values)) /* 140 may come out as the 100 that stood there, at
						  odds as it was */
		cr_expect(agrees(once->values), "%s", step);
	cr_expect_leq((int)once->verdict, (int)RULES_CORRECTED, "%s", step);
	cr_expect_eq(again->hit_count, 0, "%s; again: %s", step, outcome_of(mem, again));
	cr_expect_eq(standing->hit_count, 0, "%s; standing: %s", step, outcome_of(mem, standing));
	talloc_free(mem);
}

Test(rules_builtin, every_step_agrees_and_is_stable, .timeout = 300)
{
	struct world world = world_of("");
	struct vector *states[STATES];

	for (size_t i = 0; i < STATES; i++)
		states[i] = state(world.mem, i);
	for (size_t i = 0; i < STATES; i++)
		for (size_t k = 0; k < STATES; k++)
			check_stable(&world, states[i], states[k]);
	talloc_free(world.mem);
}

Test(rules_builtin, text_is_the_shipped_file)
{
	const char *dir = getenv("srcdir");
	char *path = mem_printf(NULL, "%s/etc/rules.ini", dir ? dir : ".");
	FILE *file = fopen(path, "r");
	static char bytes[65536];
	size_t n;

	cr_assert_not_null(
		file, "cannot open %s (set srcdir, or run at the top of the source tree)", path);
	n = fread(bytes, 1, sizeof bytes - 1, file);
	fclose(file);
	cr_expect_eq(n, strlen(rules_builtin_text()));
	cr_expect_str_eq(bytes, rules_builtin_text());
	talloc_free(path);
}
