#include "config.h"

#include "decide/item.h"

#include <stdio.h>
#include <stdlib.h>

#include "decide/publish.h"
#include "spec.h"

#define SEEN_AT "2026-11-21T09:00:00Z"    /* the item was last seen unchanged */
#define PROJECT_AT "2026-11-21T09:20:00Z" /* the project's values were set */
#define MAILBOX_AT "2026-11-21T09:30:00Z" /* the server's time of the item */
#define NOW "2026-11-21T10:00:00Z"

struct world {
	TALLOC_CTX *mem;
	struct rules *rules;
	struct rules_context context;
	bool assignee[GROUPS];
	int64_t project_at_us[FIELDS];
};

static struct world world_of(const char *ini)
{
	struct world world = { .mem = talloc_new(NULL) };
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	cr_assert_null(zone_use(world.mem, "Europe/Berlin"));
	cr_assert_null(conf_parse(world.mem, "test.ini", ini, strlen(ini), 0600, &conf, &report));
	cr_assert_not_null(conf, "%s: %s", ini, report->count ? report->findings[0].text : "?");
	world.rules = rules_new(world.mem, conf, report);
	cr_assert_not_null(world.rules, "%s", ini);
	memcpy(world.assignee, conf->rights.assignee, sizeof world.assignee);
	world.context = (struct rules_context){ .task_key = "1",
						.project_code = "p",
						.project_name = "P",
						.project_state = "published",
						.resource_key = "ana@example.com",
						.actor = "mailbox",
						.now_us = spec_time(NOW) };
	cr_assert(when_day_from_civil(2026, 11, 21, &world.context.today));
	for (int f = 0; f < FIELDS; f++)
		world.project_at_us[f] = spec_time(PROJECT_AT);
	return world;
}

static struct item_input input_of(struct world *world, const char *project, const char *want,
				  const char *seen, const char *item)
{
	struct item_input input = { .project_at_us = world->project_at_us,
				    .dates = DATES_DAY,
				    .assignee = world->assignee,
				    .rules = world->rules,
				    .context = &world->context };

	input.project = spec_vector(world->mem, project);
	input.want =
		want ? publish_vector(world->mem, spec_vector(world->mem, want), DATES_DAY, NULL)
		     : NULL;
	input.seen = spec_vector_or_null(world->mem, seen);
	input.item = spec_vector_or_null(world->mem, item);
	input.times = (struct merge_times){ .server_us = spec_time(MAILBOX_AT),
					    .unchanged_us = spec_time(SEEN_AT),
					    .changed_us = spec_time(NOW) };
	return input;
}

static const char *text_of(TALLOC_CTX *mem, enum field field, const struct value *value)
{
	return value->presence == SET ? value_text(mem, field, value) : "-";
}

/* "STATE[rule] field:base>theirs>ours ..., ..." */
static char *revisions_text(TALLOC_CTX *mem, const struct item_decision *decision)
{
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < decision->revision_count; i++) {
		const struct revision *revision = decision->revisions[i];

		buf_printf(buf, "%s%s%s%s%s", i ? ", " : "", revision_state_name(revision->state),
			   revision->rule ? "[" : "", revision->rule ? revision->rule : "",
			   revision->rule ? "]" : "");
		for (int f = 0; f < FIELDS; f++)
			if (revision->has[f])
				buf_printf(buf, " %s:%s>%s>%s", field_table[f].name,
					   text_of(mem, (enum field)f, &revision->field[f].base),
					   text_of(mem, (enum field)f, &revision->field[f].theirs),
					   text_of(mem, (enum field)f, &revision->field[f].ours));
	}
	return buf_steal(&buf, mem, NULL);
}

struct item_case {
	const char *label;
	const char *was;     /* the project's values when the item was published; what the item then
				showed */
	const char *project; /* now; NULL: as then */
	const char *item;    /* what a person made of it; what is not named is as it was shown */
	const char *outcome; /* the project's values */
	const char *revisions;
	bool corrected; /* counted by M8 */
};

/* What an item shows, with PUT over it. */
static struct vector *item_with(TALLOC_CTX *mem, const struct vector *shown, const char *put)
{
	struct vector *item = vector_copy(mem, shown);

	spec_put(item, put);
	return item;
}

static void check(const char *ini, const struct item_case *cases, size_t count)
{
	struct world world = world_of(ini);

	for (size_t i = 0; i < count; i++) {
		const struct item_case *c = &cases[i];
		struct item_input input =
			input_of(&world, c->project ? c->project : c->was, c->was, NULL, NULL);
		struct item_decision *decision;
		char *outcome, *revisions;

		input.seen = input.want;
		input.item = item_with(world.mem, input.want, c->item);
		decision = item_decide(world.mem, &input);
		outcome = spec_text(world.mem, decision->project, true);
		revisions = revisions_text(world.mem, decision);
		cr_expect_str_eq(outcome, c->outcome,
				 "%s: {%s} -> {%s}, item {%s}\nexpected %s\nactual   %s", c->label,
				 c->was, c->project ? c->project : c->was, c->item, c->outcome,
				 outcome);
		cr_expect_str_eq(revisions, c->revisions, "%s: revisions\nexpected %s\nactual   %s",
				 c->label, c->revisions, revisions);
		cr_expect_eq(decision->pushed_back, c->corrected,
			     "%s: pushed back: expected %d, actual %d", c->label, c->corrected,
			     decision->pushed_back);
		for (int f = 0; f < FIELDS; f++)
			cr_expect_eq(decision->changed[f],
				     !value_identical((enum field)f, &input.project->value[f],
						      &decision->project->value[f]),
				     "%s: %s is wrongly %s as changed", c->label,
				     field_table[f].name,
				     decision->changed[f] ? "marked" : "not marked");
	}
	talloc_free(world.mem);
}

Test(item, what_an_assignee_may_change)
{
	static const struct item_case cases[] = {
		{ "progress", "subject=S; status=needs-action", NULL,
		  "status=in-process; percent=40", "subject=S; status=in-process; percent=40", "",
		  false },
		{ "done", "subject=S", NULL,
		  "status=completed; percent=100; completed_at=2026-11-21T09:29:00Z",
		  "subject=S; status=completed; percent=100; completed_at=2026-11-21T09:29:00Z", "",
		  false },
		{ "done without a date: the server's time of the change", "subject=S", NULL,
		  "status=completed",
		  "subject=S; status=completed; percent=100; completed_at=" MAILBOX_AT, "", false },
		{ "notes", "subject=S", NULL, "notes=call them", "subject=S; notes=call them", "",
		  false },
		{ "notes cleared", "subject=S; notes=n", NULL, "notes=", "subject=S", "", false },
		{ "nothing", "subject=S; percent=40; status=in-process", NULL, "",
		  "subject=S; status=in-process; percent=40", "", false },
	};

	check("", cases, COUNT_OF(cases));
}

Test(item, a_plan_field_becomes_a_proposal)
{
	static const struct item_case cases[] = {
		{ "due", "subject=S; due=2026-11-25T16:00:00Z", NULL, "due=2026-11-30",
		  "subject=S; due=2026-11-25T16:00:00Z",
		  "proposed due:2026-11-25>2026-11-30>2026-11-25", true },
		{ "several are one proposal", "subject=S; due=2026-11-25; priority=1", NULL,
		  "due=2026-11-30; priority=9; subject=T", "subject=S; due=2026-11-25; priority=1",
		  "proposed subject:S>T>S due:2026-11-25>2026-11-30>2026-11-25 priority:1>9>1",
		  true },
		{ "a cleared one too", "subject=S; due=2026-11-25", NULL, "due=",
		  "subject=S; due=2026-11-25", "proposed due:2026-11-25>->2026-11-25", true },
		{ "progress beside it counts", "subject=S; due=2026-11-25", NULL,
		  "due=2026-11-30; status=in-process; percent=40",
		  "subject=S; due=2026-11-25; status=in-process; percent=40",
		  "proposed due:2026-11-25>2026-11-30>2026-11-25", true },
		{ "the project moved it meanwhile, earlier", "due=2026-11-25", "due=2026-11-27",
		  "due=2026-11-30", "due=2026-11-27",
		  "proposed due:2026-11-25>2026-11-30>2026-11-27", true },
		{ "both to the same: nothing to propose", "due=2026-11-25", "due=2026-11-30",
		  "due=2026-11-30", "due=2026-11-30", "", false },
		{ "the same day is no proposal", "due=2026-11-25T16:00:00Z", NULL,
		  "due=2026-11-25T08:00:00Z", "due=2026-11-25T16:00:00Z", "", false },
	};

	check("", cases, COUNT_OF(cases));
}

Test(item, rights_are_configuration)
{
	static const struct item_case plan[] = {
		{ "an assignee who plans", "subject=S; due=2026-11-25T16:00:00Z", NULL,
		  "due=2026-11-30", "subject=S; due=2026-11-30", "", false },
	};
	static const struct item_case notes[] = {
		{ "progress is not theirs", "subject=S; status=in-process; percent=40", NULL,
		  "percent=60; notes=n", "subject=S; status=in-process; percent=40; notes=n",
		  "proposed percent:40>60>40", true },
	};

	check("[rights]\nassignee = plan, progress, notes\n", plan, COUNT_OF(plan));
	check("[rights]\nassignee = notes\n", notes, COUNT_OF(notes));
}

Test(item, rules_correct_and_reject)
{
	static const struct item_case builtin[] = {
		{ "140 is 100 and done", "subject=S; status=in-process; percent=40", NULL,
		  "percent=140", "subject=S; status=completed; percent=100; completed_at=" NOW,
		  "corrected[percent-range] percent:40>140>100", true },
		{ "-5 is 0", "subject=S; status=in-process; percent=40", NULL, "percent=-5",
		  "subject=S; status=in-process; percent=0",
		  "corrected[percent-range] percent:40>-5>0", true },
		{ "140 beside notes", "subject=S", NULL, "percent=140; notes=n",
		  "subject=S; status=completed; percent=100; completed_at=" NOW "; notes=n",
		  "corrected[percent-range] percent:->140>100", true },
	};
	static const struct item_case own[] = {
		{ "rejected", "subject=S; status=in-process; percent=40", NULL, "percent=20",
		  "subject=S; status=in-process; percent=40",
		  "rejected[no-way-back] percent:40>20>40", true },
		{ "and what it does not name stays", "subject=S; status=in-process; percent=40",
		  NULL, "percent=20; notes=n", "subject=S; status=in-process; percent=40; notes=n",
		  "rejected[no-way-back] percent:40>20>40", true },
		{ "what is taken back together is kept together",
		  "subject=S; status=in-process; percent=40", NULL,
		  "status=needs-action; percent=0", "subject=S; status=in-process; percent=40",
		  "rejected[no-way-back] status:in-process>needs-action>in-process percent:40>0>40",
		  true },
		{ "held is a proposal", "subject=S", NULL, "notes=secret", "subject=S",
		  "proposed[ask-first] notes:->secret>-", true },
		{ "a warning changes nothing", "subject=S; status=in-process; percent=40", NULL,
		  "percent=90", "subject=S; status=in-process; percent=90", "", false },
	};

	check("", builtin, COUNT_OF(builtin));
	check("[rule no-way-back]\nwhen = new.percent < old.percent\naction = reject\nmessage = "
	      "Progress goes up only.\n"
	      "[rule ask-first]\nwhen = new.notes = 'secret'\naction = hold\nmessage = The manager "
	      "is asked.\n",
	      own, COUNT_OF(own));
}

Test(item, the_words_of_a_correction)
{
	struct world world = world_of("");
	struct item_input input =
		input_of(&world, "percent=40; status=in-process", "percent=40; status=in-process",
			 "percent=40; status=in-process", "percent=140; status=in-process");
	struct item_decision *decision = item_decide(world.mem, &input);

	cr_expect_null(decision->remark, "the revision says it");
	cr_assert_eq(decision->revision_count, 1);
	cr_expect_not_null(strstr(decision->revisions[0]->message, "between 0 and 100"), "%s",
			   decision->revisions[0]->message);
	cr_expect_str_eq(decision->rule[FIELD_percent], "percent-range");
	cr_expect_not_null(decision->message[FIELD_percent]);
	cr_expect_str_eq(decision->rule[FIELD_status], "done-agrees");
	cr_expect_null(decision->rule[FIELD_notes]);
	input = input_of(&world, "due=2026-11-25", "due=2026-11-25", "due=2026-11-25",
			 "due=2026-11-30");
	decision = item_decide(world.mem, &input);
	cr_assert_eq(decision->revision_count, 1);
	cr_expect_not_null(strstr(decision->revisions[0]->message, "proposal"), "%s",
			   decision->revisions[0]->message);
	talloc_free(world.mem);
}

/* M3: PROJECT_AT is before MAILBOX_AT. */
Test(item, the_loser_is_a_revision)
{
	static const struct item_case mailbox[] = {
		{ "mailbox newer, notes", "notes=a", "notes=p", "notes=m", "notes=m",
		  "losing notes:a>p>m", false },
		{ "mailbox newer, progress", "status=in-process; percent=40",
		  "status=in-process; percent=60", "percent=80", "status=in-process; percent=80",
		  "losing percent:40>60>80", false },
		{ "not in conflict", "notes=a; status=in-process; percent=40",
		  "notes=p; status=in-process; percent=40", "percent=80",
		  "status=in-process; percent=80; notes=p", "", false },
		{ "done against 60 %", "status=in-process; percent=40",
		  "status=in-process; percent=60",
		  "status=completed; percent=100; completed_at=2026-11-21T09:29:00Z",
		  "status=completed; percent=100; completed_at=2026-11-21T09:29:00Z",
		  "losing status:in-process>in-process>completed percent:40>60>100 "
		  "completed_at:->->2026-11-21T09:29:00Z",
		  false },
	};
	struct world world = world_of("");
	struct item_input input = input_of(&world, "notes=p", "notes=a", "notes=a", "notes=m");
	const char *by[FIELDS] = { [FIELD_notes] = "project:carla", [FIELD_percent] = "rule:r" };
	struct item_decision *decision;

	check("", mailbox, COUNT_OF(mailbox));
	for (int f = 0; f < FIELDS; f++)
		world.project_at_us[f] = spec_time("2026-11-21T09:40:00Z");
	decision = item_decide(world.mem, &input);
	cr_expect_str_eq(spec_text(world.mem, decision->project, true), "notes=p");
	cr_expect_str_eq(revisions_text(world.mem, decision), "losing notes:a>m>p");
	cr_expect_not(decision->pushed_back, "an edit that lost is no fight with a rule");
	/* both sides lose in one round: each in a revision of its own, with who wrote what */
	world.project_at_us[FIELD_percent] = spec_time("2026-11-21T09:10:00Z");
	world.project_at_us[FIELD_status] = world.project_at_us[FIELD_percent];
	world.project_at_us[FIELD_completed_at] = world.project_at_us[FIELD_percent];
	input = input_of(&world, "status=in-process; percent=60; notes=p",
			 "status=in-process; percent=40; notes=a",
			 "status=in-process; percent=40; notes=a",
			 "status=in-process; percent=80; notes=m");
	input.project_by = by;
	input.author = "mailbox:a/ana";
	decision = item_decide(world.mem, &input);
	cr_expect_str_eq(revisions_text(world.mem, decision),
			 "losing notes:a>m>p, losing percent:40>60>80");
	cr_expect_str_eq(decision->revisions[0]->writer, "mailbox:a/ana");
	cr_expect_str_eq(decision->revisions[0]->against, "project:carla");
	cr_expect_str_eq(decision->revisions[1]->writer, "rule:r");
	cr_expect_str_eq(decision->revisions[1]->against, "mailbox:a/ana");
	/* what an item does not say cannot lose: a client that writes the status alone */
	for (int f = 0; f < FIELDS; f++)
		world.project_at_us[f] = spec_time("2026-11-21T09:40:00Z");
	input = input_of(&world, "status=in-process; percent=60; notes=p",
			 "status=needs-action; notes=p", "status=needs-action", "status=completed");
	decision = item_decide(world.mem, &input);
	cr_expect_str_eq(revisions_text(world.mem, decision),
			 "losing status:needs-action>completed>in-process percent:->100>60 "
			 "completed_at:->" MAILBOX_AT ">-");
	talloc_free(world.mem);
}

/* N1, where a rule or a right meets a conflict: both values of people are kept. */
Test(item, a_conflict_with_an_impossible_number)
{
	static const struct item_case cases[] = {
		{ "140 wins and is corrected; 60 lost", "status=in-process; percent=40",
		  "status=in-process; percent=60", "percent=140",
		  "status=completed; percent=100; completed_at=" NOW,
		  "losing percent:40>60>140, corrected[percent-range] percent:60>140>100", true },
	};

	check("", cases, COUNT_OF(cases));
}

Test(item, without_an_item_only_the_project_counts)
{
	struct world world = world_of("");
	struct item_input input = input_of(
		&world, "subject=S; due=2026-11-25T16:00:00Z; percent=140", NULL, NULL, NULL);
	struct item_decision *decision = item_decide(world.mem, &input);

	cr_expect_str_eq(spec_text(world.mem, decision->want, true),
			 "subject=S; due=2026-11-25; status=needs-action; percent=140");
	cr_expect_eq(decision->revision_count, 0);
	cr_expect_null(decision->remark);
	talloc_free(world.mem);
}

Test(item, first_contact_takes_progress_and_keeps_the_plan)
{
	struct world world = world_of("");
	struct item_input input =
		input_of(&world, "subject=S; due=2026-11-25; status=needs-action", NULL, NULL,
			 "subject=S; due=2026-12-24; status=in-process; percent=60; notes=n");
	struct item_decision *decision = item_decide(world.mem, &input);

	cr_expect_str_eq(spec_text(world.mem, decision->project, true),
			 "subject=S; due=2026-11-25; status=in-process; percent=60; notes=n");
	cr_expect_str_eq(spec_text(world.mem, decision->want, true),
			 "subject=S; due=2026-11-25; status=in-process; percent=60; notes=n");
	talloc_free(world.mem);
}

/* ---- N3: a decision repeated with what came of it decides nothing ---- */

#define RANDOM_CASES 4000

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245U + 12345U;
	return *state >> 16;
}

static const char *pick(unsigned *state, const char *const *words, size_t count)
{
	return words[next_random(state) % count];
}

#define PICK(state, ...)                                                                           \
	pick(state, (const char *const[]){ __VA_ARGS__ },                                          \
	     COUNT_OF(((const char *const[]){ __VA_ARGS__ })))

/* Two words in three cases are empty: vectors of one case are to share most of their values. */
static char *random_spec(TALLOC_CTX *mem, unsigned *state, bool of_item)
{
	char *percents = mem_strdup(mem, PICK(state, "", "percent=0;", "percent=40;", "percent=60;",
					      "percent=100;", "percent=;"));

	if (of_item && next_random(state) % 4 == 0)
		percents = mem_strdup(mem, PICK(state, "percent=140;", "percent=-5;", "percent=1;",
						"percent=50;", "percent=99;"));
	return mem_printf(
		mem, "%s%s%s%s%s%s%s%s%s", percents,
		PICK(state, "", "status=;", "status=needs-action;", "status=in-process;",
		     "status=completed;", "status=cancelled;"),
		PICK(state, "", "", "completed_at=;", "completed_at=2026-11-20T08:00:00Z;",
		     "completed_at=2026-11-21;"),
		PICK(state, "", "", "notes=;", "notes=a;", "notes=b;"),
		PICK(state, "", "", "subject=S;", "subject=T;"),
		PICK(state, "", "", "due=;", "due=2026-11-21;", "due=2026-11-25T10:00:00Z;"),
		PICK(state, "", "", "start=;", "start=2026-11-20;", "start=2026-11-24;"),
		PICK(state, "", "", "priority=;", "priority=1;", "priority=4;", "priority=9;"),
		PICK(state, "", "", "total_work=60;", "total_work=120;"));
}

static struct vector *random_over(TALLOC_CTX *mem, unsigned *state, const struct vector *under,
				  bool of_item)
{
	struct vector *vector = vector_copy(mem, under);

	if (next_random(state) % 3)
		spec_put(vector, random_spec(mem, state, of_item));
	return vector;
}

/* A project's values as rules leave them. */
static struct vector *coherent(struct world *world, const struct vector *values)
{
	struct rules_result *result = rules_judge(world->mem, world->rules, &world->context,
						  vector_new(world->mem), values);

	return result->values;
}

static void expect_standstill(struct world *world, const struct item_input *first,
			      const struct item_decision *decision, const struct vector *item,
			      const char *label, unsigned number)
{
	struct item_input again = *first;
	struct item_decision *second;
	char *context = mem_printf(
		world->mem,
		"case %u, %s:\nproject {%s}\nwant {%s}\nseen {%s}\nitem {%s}\nthen project {%s}\n"
		"then item {%s}",
		number, label, spec_text(world->mem, first->project, false),
		first->want ? spec_text(world->mem, first->want, false) : "none",
		first->seen ? spec_text(world->mem, first->seen, false) : "none",
		spec_text(world->mem, first->item, false),
		spec_text(world->mem, decision->project, false),
		spec_text(world->mem, item, false));

	again.project = decision->project;
	again.want = decision->want;
	again.seen = again.item = item;
	second = item_decide(world->mem, &again);
	for (int f = 0; f < FIELDS; f++) {
		cr_assert_not(second->changed[f], "%s\n%s changed to {%s}", context,
			      field_table[f].name, spec_text(world->mem, second->project, false));
		cr_assert(value_identical((enum field)f, &second->want->value[f],
					  &decision->want->value[f]),
			  "%s\n%s wanted anew", context, field_table[f].name);
	}
	cr_assert_eq(second->revision_count, 0, "%s\nrevisions %s", context,
		     revisions_text(world->mem, second));
	cr_assert_null(second->remark, "%s", context);
}

/* N1: whatever the item said and the project does not say in the end is in a revision. */
static void expect_nothing_lost(struct world *world, const struct item_input *input,
				const struct item_decision *decision, unsigned number)
{
	for (int f = 0; f < FIELDS; f++) {
		const struct value *now = &input->item->value[f];
		bool kept = false;

		/* what a client invents with a gesture is not what the person said */
		if (field_table[f].merge != MERGE_NEWER || !input->seen ||
		    now->presence == ABSENT ||
		    value_same((enum field)f, now, &input->seen->value[f]) ||
		    value_same((enum field)f, now, &decision->want->value[f]))
			continue;
		for (size_t i = 0; i < decision->revision_count; i++)
			kept = kept || (decision->revisions[i]->has[f] &&
					value_same((enum field)f,
						   &decision->revisions[i]->field[f].theirs, now));
		cr_assert(kept,
			  "case %u: the item's %s is lost: project {%s} seen {%s} item {%s}, "
			  "revisions %s",
			  number, field_table[f].name, spec_text(world->mem, input->project, false),
			  spec_text(world->mem, input->seen, false),
			  spec_text(world->mem, input->item, false),
			  revisions_text(world->mem, decision));
	}
}

Test(item, decided_again_it_stands_still)
{
	unsigned state = 20261121;

	for (unsigned n = 0; n < RANDOM_CASES;) {
		struct world world = world_of("");

		for (unsigned batch = 0; batch < 200 && n < RANDOM_CASES; batch++, n++) {
			struct vector *base =
				spec_vector(world.mem, random_spec(world.mem, &state, false));
			struct item_input input = input_of(&world, "", NULL, NULL, NULL);
			struct item_decision *decision;

			base = coherent(&world, base);
			input.project =
				coherent(&world, random_over(world.mem, &state, base, false));
			input.own_percent = next_random(&state) % 2 ? 40 : 0;
			if (next_random(&state) % 8) {
				input.want = publish_vector(world.mem, base, DATES_DAY, NULL);
				input.seen = random_over(world.mem, &state, input.want, true);
			}
			input.item = random_over(world.mem, &state, input.seen ? input.seen : base,
						 true);
			if (next_random(&state) % 2) /* the project's change is the newer one */
				input.times.server_us = spec_time("2026-11-21T09:10:00Z");
			decision = item_decide(world.mem, &input);
			expect_nothing_lost(&world, &input, decision, n);
			expect_standstill(&world, &input, decision, input.item, "not pushed yet",
					  n);
			expect_standstill(&world, &input, decision, decision->want, "pushed", n);
		}
		talloc_free(world.mem);
	}
}

/* ---- attachments: one letter each; lower case are small, upper case too large for an item ---- */

static const char *files_of(TALLOC_CTX *mem, const char *letters)
{
	struct files *files = MEM_NEW(mem, struct files);

	for (const char *c = letters; c && *c; c++) {
		char digest[65], name[2] = { *c, '\0' };
		bool large = *c >= 'A' && *c <= 'Z';

		memset(digest, large ? *c - 'A' + '0' : *c, 64);
		digest[64] = '\0';
		files_add(files, &(struct file){ .digest = digest,
						 .name = name,
						 .size = large ? 5000 : 10 });
	}
	return files_write(mem, files);
}

static const char *letters_of(TALLOC_CTX *mem, const char *lines)
{
	struct files *files = files_read(mem, lines);
	struct buf *letters = buf_new(mem);

	for (size_t i = 0; i < files->count; i++)
		buf_puts(letters, files->list[i].name);
	return letters->data;
}

static struct vector *with_files(TALLOC_CTX *mem, const char *letters)
{
	struct vector *values = letters ? vector_new(mem) : NULL;

	if (values && strcmp(letters, "?") != 0)
		vector_text(values, FIELD_attachments, files_of(mem, letters));
	return values;
}

Test(item, attachments)
{
	static const struct shown_room small = { .inline_max = 100 }, keeps = { .managed = true };
	static const struct {
		const char *label, *project, *want, *seen,
			*item; /* "?": says nothing; NULL: never */
		const struct shown_room *room;
		bool denied;
		const char *outcome, *shown, *not_taken;
		size_t revisions;
	} cases[] = {
		{ "added there", "a", "a", "a", "ab", &small, false, "ab", "ab", "", 0 },
		{ "added here", "ab", "a", "a", "a", &small, false, "ab", "ab", "", 0 },
		{ "removed there", "ab", "ab", "ab", "b", &small, false, "b", "b", "", 0 },
		{ "removed here", "b", "ab", "ab", "ab", &small, false, "b", "b", "", 0 },
		{ "all removed there", "a", "a", "a", "", &small, false, "", "", "", 0 },
		{ "both add and remove", "bc", "ab", "ab", "ad", &small, false, "cd", "cd", "", 0 },
		{ "the same on both sides", "ab", "a", "a", "ab", &small, false, "ab", "ab", "",
		  0 },
		{ "a client that says nothing", "ab", "ab", "ab", "?", &small, false, "ab", "ab",
		  "", 0 },
		{ "no room: not removed", "aB", "a", "a", "a", &small, false, "Ba", "a", "", 0 },
		{ "no room, another added", "aB", "a", "a", "ac", &small, false, "Bac", "ac", "",
		  0 },
		{ "no room, another removed", "aB", "a", "a", "", &small, false, "B", "", "", 0 },
		{ "large, and put there by the person", "a", "a", "a", "aB", &small, false, "Ba", "Ba", "", 0 },
		{ "large, and taken away by the person", "aB", "aB", "aB", "a", &small, false, "a",
		  "a", "", 0 },
		{ "not uploaded yet", "ab", "a", "a", "a", &keeps, false, "ab", "a", "", 0 },
		{ "uploaded, the answer was lost", "ab", "a", "a", "ab", &keeps, false, "ab", "ab",
		  "", 0 },
		{ "first contact", "ab", NULL, NULL, "bc", &small, false, "abc", "abc", "", 0 },
		{ "first contact, none there", "ab", NULL, NULL, "?", &small, false, "ab", "ab", "",
		  0 },
		{ "not by right: a proposal, left there", "a", "a", "a", "ab", &small, true, "a",
		  "a", "b", 1 },
		{ "removed, not by right: put back", "ab", "ab", "ab", "b", &small, true, "ab",
		  "ab", "", 1 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world world =
			world_of(cases[i].denied ? "[rights]\nassignee = progress\n" : "");
		struct item_input input = input_of(&world, "", NULL, NULL, NULL);
		struct item_decision *decision;

		input.project = with_files(world.mem, cases[i].project);
		input.want = with_files(world.mem, cases[i].want);
		input.seen = with_files(world.mem, cases[i].seen);
		input.item = with_files(world.mem, cases[i].item);
		input.room = cases[i].room;
		decision = item_decide(world.mem, &input);
		cr_expect_str_eq(
			letters_of(world.mem, vector_str(decision->project, FIELD_attachments)),
			cases[i].outcome, "%s: the project has %s", cases[i].label,
			letters_of(world.mem, vector_str(decision->project, FIELD_attachments)));
		cr_expect_str_eq(
			letters_of(world.mem, vector_str(decision->want, FIELD_attachments)),
			cases[i].shown, "%s: the item shows %s", cases[i].label,
			letters_of(world.mem, vector_str(decision->want, FIELD_attachments)));
		cr_expect_str_eq(letters_of(world.mem, decision->not_taken), cases[i].not_taken,
				 "%s: not taken", cases[i].label);
		cr_expect_eq(decision->revision_count, cases[i].revisions, "%s: %zu revisions",
			     cases[i].label, decision->revision_count);
		talloc_free(world.mem);
	}
}
