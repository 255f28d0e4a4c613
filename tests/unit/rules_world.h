/* rules_world.h - rules with a context, and judgements as lines of text: a vector as in spec.h, a
 * judgement as "VERDICT values | rule:field,field rule:field", a context as "summary; open=2". */
#ifndef TASKFERRY_TESTS_RULES_WORLD_H
#define TASKFERRY_TESTS_RULES_WORLD_H

#include "decide/rules.h"
#include "spec.h"

#define NOW "2026-11-21T09:00:00Z"
#define DONE "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z"
#define DONE_BEFORE "status=completed; percent=100; completed_at=2026-11-02T10:00:00Z"

static const char *const verdict_names[] = { "accept", "corrected", "rejected", "held" };
_Static_assert(COUNT_OF(verdict_names) == RULES_HELD + 1, "one name per verdict");

/* What the context answers when it is asked for open predecessors. */
struct answer {
	int64_t open;
	const char *trouble; /* NULL: none */
	int asked;
};

struct world {
	TALLOC_CTX *mem;
	struct rules *rules;
	struct rules_context context;
	struct answer *answer;
};

static inline char *outcome_of(TALLOC_CTX *mem, const struct rules_result *result)
{
	struct buf *buf = buf_new(mem);

	buf_printf(buf, "%s %s |", verdict_names[result->verdict],
		   spec_text(mem, result->values, true));
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

static inline struct conf *conf_of(TALLOC_CTX *mem, const char *ini, struct conf_report **report_r)
{
	struct conf *conf = NULL;

	cr_assert_null(conf_parse(mem, "test.ini", ini, strlen(ini), 0600, &conf, report_r));
	cr_assert_not_null(conf, "%s: %s", ini,
			   (*report_r)->count ? (*report_r)->findings[0].text : "?");
	return conf;
}

static inline struct fault *answer_open(TALLOC_CTX *mem, void *asked, int64_t *open_r)
{
	struct answer *answer = asked;

	answer->asked++;
	if (answer->trouble)
		return fault_new(mem, FAULT_TRY_LATER, "%s", answer->trouble);
	*open_r = answer->open;
	return NULL;
}

static inline struct world world_of(const char *ini)
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
	world.answer = MEM_NEW(world.mem, struct answer);
	world.context.predecessors_open = answer_open;
	world.context.asked = world.answer;
	world.context.now_us = spec_time(NOW);
	cr_assert(when_day_from_civil(2026, 11, 21, &world.context.today));
	return world;
}

/* One word of a context: summary, state=STATE, closed=DAY, actor=ACTOR, account=KEY, open=N,
 * open=?, open=TROUBLE. */
static inline void world_put(struct world *world, const char *word)
{
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
	struct rules_context *context = &world->context;

	if (!strcmp(word, "summary"))
		context->summary = true;
	else if (text_starts(word, "state="))
		context->project_state = value;
	else if (text_starts(word, "closed="))
		context->closed_until = value;
	else if (text_starts(word, "actor="))
		context->actor = value;
	else if (text_starts(word, "account="))
		context->actor_key = value;
	else if (!strcmp(word, "open=?"))
		context->predecessors_open = NULL;
	else if (text_starts(word, "open=") && !text_to_int(value, &world->answer->open))
		world->answer->trouble = value;
	else
		cr_assert(text_starts(word, "open="), "no such word: %s", word);
}

static inline void world_about(struct world *world, const char *about)
{
	char *copy = mem_strdup(world->mem, about), *save = NULL;

	for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save))
		if (*text_trim(world->mem, word))
			world_put(world, text_trim(world->mem, word));
}

struct step {
	const char *old, *new, *outcome;
};

static inline void check_steps(const char *ini, const char *about, const struct step *steps,
			       size_t count)
{
	struct world world = world_of(ini);

	world_about(&world, about);
	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem = talloc_new(world.mem);
		struct vector *old = spec_vector(mem, steps[i].old),
			      *new = spec_vector(mem, steps[i].new);
		struct rules_result *result =
			rules_judge(mem, world.rules, &world.context, old, new);

		cr_expect_str_eq(outcome_of(mem, result), steps[i].outcome,
				 "row %zu\nrules    %s\nabout    %s\nold      %s\nnew      "
				 "%s\nexpected %s\nactual   %s",
				 i, ini, about, steps[i].old, steps[i].new, steps[i].outcome,
				 outcome_of(mem, result));
		talloc_free(mem);
	}
	talloc_free(world.mem);
}

/* Steps under INI, in a context that is the ordinary one but for ABOUT. */
#define CHECK_ABOUT(ini, about, ...)                                                               \
	do {                                                                                       \
		static const struct step steps_[] = { __VA_ARGS__ };                               \
		check_steps(ini, about, steps_, COUNT_OF(steps_));                                 \
	} while (0)
#define CHECK(ini, ...) CHECK_ABOUT(ini, "", __VA_ARGS__)

#endif
