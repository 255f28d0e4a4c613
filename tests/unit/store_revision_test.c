#include "config.h"

#include "store/revisions.h"

#include "spec.h"
#include "store/sql.h"
#include "store_world.h"

static struct revision *revision_of(struct store_world *world, enum revision_state state)
{
	struct revision *revision = revision_new(world->mem, state);
	struct vector *base = spec_vector(world->mem, "percent=40; notes=a\nb"),
		      *theirs = spec_vector(world->mem, "percent=140");
	struct vector *ours = spec_vector(world->mem, "percent=100; notes=c; due=2026-11-21");

	revision_field(revision, FIELD_percent, &base->value[FIELD_percent],
		       &theirs->value[FIELD_percent], &ours->value[FIELD_percent]);
	revision_field(revision, FIELD_notes, &base->value[FIELD_notes],
		       &theirs->value[FIELD_notes], &ours->value[FIELD_notes]);
	revision_field(revision, FIELD_due, NULL, &theirs->value[FIELD_due],
		       &ours->value[FIELD_due]);
	revision->assignment_id = world->assignment->id;
	revision->rule = "percent-range";
	revision->message = "too much";
	revision->author = "mailbox:a/ana";
	revision->at_us = STORE_START_US;
	return revision;
}

static size_t revision_count(struct store_world *world, enum revision_state state)
{
	struct revision *list = NULL;
	size_t count = 0;

	STORE_OK(revisions_list(world->store, world->mem, state, &list, &count));
	return count;
}

static const char *value_of(struct store_world *world, enum field field, const struct value *value)
{
	return value->presence == SET ? value_text(world->mem, field, value) : "-";
}

Test(store_revision, a_revision_keeps_three_values)
{
	struct store_world world = store_world_new();
	struct revision *list = NULL, *one = NULL;
	struct buf *out = buf_new(world.mem);
	size_t count = 0;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	STORE_OK(revisions_add(world.store, revision_of(&world, REVISION_CORRECTED)));
	STORE_OK(store_commit(world.store));
	STORE_OK(revisions_list(world.store, world.mem, REVISION_STATES, &list, &count));
	cr_assert_eq(count, 1);
	for (int f = 0; f < FIELDS; f++)
		if (list[0].has[f])
			buf_printf(out, "%s:%s>%s>%s ", field_table[f].name,
				   value_of(&world, (enum field)f, &list[0].field[f].base),
				   value_of(&world, (enum field)f, &list[0].field[f].theirs),
				   value_of(&world, (enum field)f, &list[0].field[f].ours));
	cr_expect_str_eq(out->data, "due:->->2026-11-21 percent:40>140>100 notes:a\nb>->c ");
	cr_expect_str_eq(list[0].rule, "percent-range");
	cr_expect_str_eq(list[0].message, "too much");
	cr_expect_str_eq(list[0].author, "mailbox:a/ana");
	cr_expect_eq(list[0].at_us, STORE_START_US);
	cr_expect_eq(list[0].state, REVISION_CORRECTED);
	STORE_OK(revisions_get(world.store, world.mem, list[0].id, &one));
	cr_assert_not_null(one);
	cr_expect_eq(one->assignment_id, world.assignment->id);
	STORE_OK(revisions_get(world.store, world.mem, list[0].id + 1, &one));
	cr_expect_null(one);
	store_world_free(&world);
}

Test(store_revision, a_decision_is_kept_with_its_revision)
{
	struct store_world world = store_world_new();
	struct revision *kept, *list = NULL, *one = NULL;
	size_t count = 0;

	store_world_fill(&world);
	kept = revision_of(&world, REVISION_REJECTED);
	STORE_OK(store_begin(world.store));
	for (int i = 0; i < 3; i++) {
		kept->at_us = STORE_START_US + i;
		kept->writer = i == 1 ? "project:carla" : "mailbox:a/ana";
		kept->against = "import:plan.xml";
		STORE_OK(revisions_add(world.store, kept));
	}
	STORE_OK(revisions_of(world.store, world.mem, world.assignment->id, &list, &count));
	cr_assert_eq(count, 3);
	cr_expect_eq(list[0].decided_us, 0);
	cr_expect_null(list[0].comment);
	list[0].state = REVISION_DISMISSED;
	list[0].comment = "no";
	list[0].decided_us = STORE_START_US + 9;
	list[0].decided_by = "project:dora";
	STORE_OK(revisions_decide(world.store, &list[0]));
	STORE_OK(store_commit(world.store));
	STORE_OK(revisions_get(world.store, world.mem, list[0].id, &one));
	cr_expect_eq(one->state, REVISION_DISMISSED);
	cr_expect_eq(one->origin, REVISION_REJECTED);
	cr_expect_str_eq(one->comment, "no");
	cr_expect_str_eq(one->decided_by, "project:dora");
	cr_expect_eq(one->decided_us, STORE_START_US + 9);
	cr_expect_str_eq(one->against, "import:plan.xml");
	STORE_OK(revisions_newest(world.store, world.mem, world.assignment->id, &list, &count));
	cr_assert_eq(count, 2, "the project's own value is nothing that a person is told of");
	cr_expect_eq(list[0].id, one->id, "it was decided last");
	store_world_free(&world);
}

/* A round that is repeated meets a proposal again; a correction that happens twice is two events.
 */
Test(store_revision, a_standing_proposal_is_not_written_twice)
{
	struct store_world world = store_world_new();

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	for (int i = 0; i < 2; i++) {
		STORE_OK(revisions_add(world.store, revision_of(&world, REVISION_PROPOSED)));
		STORE_OK(revisions_add(world.store, revision_of(&world, REVISION_CORRECTED)));
	}
	STORE_OK(store_commit(world.store));
	cr_expect_eq(revision_count(&world, REVISION_PROPOSED), 1);
	cr_expect_eq(revision_count(&world, REVISION_CORRECTED), 2);
	cr_expect_eq(revision_count(&world, REVISION_STATES), 3);
	store_world_free(&world);
}
