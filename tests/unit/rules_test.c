#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "decide/rules.h"

/* A vector stands here as "percent=40; status=in-process", its set fields in the order of the field
 * table; a judgement as "VERDICT values | rule:field,field rule:field". */

#define NOW "2026-11-21T09:00:00Z"

static const char *const verdict_names[] = { "accept", "corrected", "rejected", "held" };
_Static_assert(COUNT_OF(verdict_names) == RULES_HELD + 1, "one name per verdict");

struct world {
	TALLOC_CTX *mem;
	struct rules *rules;
	struct rules_context context;
};

static struct vector *vector_of(TALLOC_CTX *mem, const char *spec)
{
	struct vector *vector = vector_new(mem);
	char *copy = mem_strdup(mem, spec), *save = NULL;

	for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		char *name = text_trim(mem, word);
		char *text = strchr(name, '=');
		struct value value;
		enum field field;

		if (!*name)
			continue;
		cr_assert_not_null(text, "no '=' in %s", spec);
		*text++ = '\0';
		field = field_find(name);
		cr_assert_lt((int)field, (int)FIELDS, "no field %s in %s", name, spec);
		cr_assert_null(value_parse(mem, field, text, &value), "no value: %s", spec);
		vector_put(vector, field, &value);
	}
	return vector;
}

static char *spec_of(TALLOC_CTX *mem, const struct vector *vector)
{
	struct buf *buf = buf_new(mem);

	for (int i = 0; i < FIELDS; i++)
		if (vector_is_set(vector, (enum field)i))
			buf_printf(buf, "%s%s=%s", buf->len ? "; " : "", field_table[i].name,
				   value_text(mem, (enum field)i, &vector->value[i]));
	return buf_steal(&buf, mem, NULL);
}

static char *outcome_of(TALLOC_CTX *mem, const struct rules_result *result)
{
	struct buf *buf = buf_new(mem);

	buf_printf(buf, "%s %s |", verdict_names[result->verdict], spec_of(mem, result->values));
	for (size_t i = 0; i < result->hit_count; i++) {
		char mark = ':';

		buf_printf(buf, " %s", result->hits[i].rule);
		for (int k = 0; k < FIELDS; k++)
			if (result->hits[i].field[k]) {
				buf_printf(buf, "%c%s", mark, field_table[k].name);
				mark = ',';
			}
	}
	return buf_steal(&buf, mem, NULL);
}

static struct conf *conf_of(TALLOC_CTX *mem, const char *ini, struct conf_report **report_r)
{
	struct conf *conf = NULL;

	cr_assert_null(conf_parse(mem, "test.ini", ini, strlen(ini), 0600, &conf, report_r));
	cr_assert_not_null(conf, "%s: %s", ini,
			   (*report_r)->count ? (*report_r)->findings[0].text : "?");
	return conf;
}

static struct world world_of(const char *ini)
{
	struct world world = { .mem = talloc_new(NULL) };
	struct conf_report *report;
	struct conf *conf = conf_of(world.mem, ini, &report);

	cr_assert_null(zone_use(world.mem, "Europe/Berlin"));
	world.rules = rules_new(world.mem, conf, report);
	cr_assert_not_null(world.rules, "%s: %s", ini,
			   report->count ? report->findings[0].text : "?");
	world.context = (struct rules_context){ .task_key = "17",
						.milestone = true,
						.project_code = "CRATE",
						.project_name = "Ship a crate",
						.project_state = "published",
						.resource_key = "ana@example.com",
						.resource_name = "Ana",
						.actor = "mailbox" };
	cr_assert(clock_from_rfc3339(NOW, &world.context.now_us));
	cr_assert(when_day_from_civil(2026, 11, 21, &world.context.today));
	return world;
}

struct step {
	const char *old, *new, *outcome;
};

static void check_steps(const char *ini, const struct step *steps, size_t count)
{
	struct world world = world_of(ini);

	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem = talloc_new(world.mem);
		struct vector *old = vector_of(mem, steps[i].old),
			      *new = vector_of(mem, steps[i].new);
		struct rules_result *result =
			rules_judge(mem, world.rules, &world.context, old, new);

		cr_expect_str_eq(
			outcome_of(mem, result), steps[i].outcome,
			"row %zu\nrules    %s\nold      %s\nnew      %s\nexpected %s\nactual   %s",
			i, ini, steps[i].old, steps[i].new, steps[i].outcome,
			outcome_of(mem, result));
		talloc_free(mem);
	}
	talloc_free(world.mem);
}

#define CHECK(ini, ...)                                                                            \
	do {                                                                                       \
		static const struct step steps_[] = { __VA_ARGS__ };                               \
		check_steps(ini, steps_, COUNT_OF(steps_));                                        \
	} while (0)

/* ---- built-in rules ---- */

#define DONE "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z"
#define DONE_BEFORE "status=completed; percent=100; completed_at=2026-11-02T10:00:00Z"

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

Test(rules_builtin, messages_are_sentences)
{
	struct world world = world_of("");
	struct vector *old = vector_of(world.mem, ""),
		      *new = vector_of(world.mem, "percent=140; total_work=-5");
	struct rules_result *result = rules_judge(world.mem, world.rules, &world.context, old, new);

	cr_assert_eq(result->hit_count, 3);
	for (size_t i = 0; i < result->hit_count; i++)
		cr_expect(text_ends(result->hits[i].message, "."), "%s: %s", result->hits[i].rule,
			  result->hits[i].message);
	talloc_free(world.mem);
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
	return vector_of(mem, mem_printf(mem, "%s%s%s", some_status[i % 5], some_percent[i / 5 % 6],
					 some_date[i / 30]));
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
	char *step = mem_printf(mem, "%s -> %s: %s", spec_of(mem, old), spec_of(mem, new),
				outcome_of(mem, once));

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

Test(rules_builtin, every_step_agrees_and_is_stable, .timeout = 120)
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
	CHECK("[rule a]\nwhen = new.subject IS NOT NULL\naction = correct\n"
	      "set.notes = task.key || '/' || task.milestone || '/' || task.summary || '/' || "
	      "project.code || '/' || project.name "
	      "|| '/' || project.state || '/' || resource.key || '/' || resource.name || '/' || "
	      "coalesce(resource.email, '-') "
	      "|| '/' || actor || '/' || today || '/' || now\nmessage = M.\n",
	      { "", "subject=x",
		"corrected subject=x; notes=17/1/0/CRATE/Ship a "
		"crate/published/ana@example.com/Ana/-/mailbox/2026-11-21/" NOW " | a:notes" });
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
		result = rules_judge(mem, world.rules, &world.context, vector_of(mem, rows[i].spec),
				     vector_of(mem, ""));
		expected = mem_printf(mem, "held %s | from:%s",
				      spec_of(mem, vector_of(mem, rows[i].spec)), name);
		cr_expect_str_eq(outcome_of(mem, result), expected, "%s: %s", name,
				 outcome_of(mem, result));
		result = rules_judge(mem, world.rules, &world.context, vector_of(mem, ""),
				     vector_of(mem, rows[i].spec));
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
	struct vector *old = vector_of(world.mem, ""), *new = vector_of(world.mem, "percent=40");
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
	struct vector *new = vector_of(world.mem, "percent=140; notes=n");
	struct rules_result *result =
		rules_judge(mem, world.rules, &world.context, vector_of(world.mem, ""), new);

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
		rules_judge(world.mem, world.rules, &world.context, vector_of(world.mem, ""),
			    vector_of(world.mem, "priority=3"));

	cr_assert_eq(result->hit_count, 1);
	cr_expect_str_eq(result->hits[0].message, "The change is not allowed (rule r).");
	talloc_free(world.mem);
}
