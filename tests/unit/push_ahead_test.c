/* push_ahead_test.c - items on their way while decisions are still made: what is decided on meanwhile is
 * not lost when the answers come. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define COUNT 700 /* more than one transaction decides on, so that pushing begins before its end */
#define LATE 600  /* from here on items have waited since the round before */

/* ---- the table, as a server that answers later ---- */

struct endpoint_putting {
	struct endpoint_put *puts;
	size_t count;
	bool locked;
};

static bool is_locked; /* every item, for the moment */

static struct fault *begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   struct endpoint_put *puts, size_t count,
			   struct endpoint_putting **putting_r)
{
	struct endpoint_putting *putting = MEM_NEW(mem, struct endpoint_putting);

	putting->puts = puts;
	putting->count = count;
	putting->locked = is_locked;
	*putting_r = putting;
	return is_locked ? NULL : round_world_put(endpoint, mem, folder, puts, count);
}

static struct fault *end(struct endpoint_putting *putting, TALLOC_CTX *mem)
{
	for (size_t i = 0; putting->locked && i < putting->count; i++)
		putting->puts[i].fault = fault_new(mem, FAULT_LOCKED, "somebody else writes it");
	talloc_free(putting);
	return NULL;
}

static struct endpoint_ops later_ops(void)
{
	struct endpoint_ops ops = round_world_ops;

	ops.put_begin = begin;
	ops.put_end = end;
	return ops;
}

/* ---- */

static size_t count_showing(struct round_world *world, int percent)
{
	char *line = mem_printf(world, "PERCENT-COMPLETE:%d\r", percent);
	size_t count = 0;

	for (size_t i = 0; i < COUNT; i++)
		count += strstr(round_world_item_of(world, i)->text, line) != NULL;
	return count;
}

Test(push_ahead, what_changes_while_it_is_on_its_way_is_sent_too)
{
	struct round_world *world = round_world_new(COUNT);
	struct endpoint_ops ops = later_ops();

	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	cr_assert_eq(world->report->created, COUNT);
	is_locked = true;
	for (size_t i = LATE; i < COUNT; i++)
		round_world_set(world, i, 10);
	round_world_round(world, false);
	cr_assert_eq(world->report->waiting, COUNT - LATE);
	is_locked = false;
	for (size_t i = 0; i < COUNT; i++)
		round_world_set(world, i, 20);
	clock_sleep(world->clock, 3600 * CLOCK_SECOND_US);
	round_world_round(world, false);
	cr_assert_eq(count_showing(world, 20), COUNT, "before: 100 of 700 stayed at 10; now %zu",
		     COUNT - count_showing(world, 20));
	cr_assert_eq(world->report->updated, COUNT);
	round_world_round(world, false);
	cr_assert_eq(world->report->updated, 0);
	round_world_free(world);
}

/* ---- what has just been made, beside what waited ---- */

static void add_tasks(struct round_world *world, size_t count)
{
	size_t end = world->count + count;

	world->assignments = MEM_GROW(world->mem, world->assignments, int64_t, end);
	round_world_must(store_begin(world->store));
	for (; world->count < end; world->count++)
		world->assignments[world->count] = round_world_add_task(world, world->count);
	round_world_must(store_commit(world->store));
}

/* Of OLD items one half waits for an hour where they are put ahead, the other half for its turn. */
static void made_beside_old(struct endpoint_ops ops, size_t old, size_t new)
{
	struct round_world *world = round_world_new(old);

	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	is_locked = true;
	for (size_t i = 0; i < old / 2; i++)
		round_world_set(world, i, 10);
	round_world_round(world, false);
	is_locked = false;
	for (size_t i = old / 2; i < old; i++)
		round_world_set(world, i, 30);
	add_tasks(world, new);
	round_world_round(world, false);
	cr_expect_eq((size_t)world->report->created, new);
	cr_expect_geq((size_t)world->report->updated, old - old / 2);
	clock_sleep(world->clock, 3600 * CLOCK_SECOND_US);
	round_world_round(world, false);
	cr_expect_eq(world->report->created, 0);
	round_world_round(world, false);
	cr_expect_eq(world->report->updated, 0);
	for (size_t i = 0; i < old; i++) {
		const char *line = i < old / 2 ? "PERCENT-COMPLETE:10\r" : "PERCENT-COMPLETE:30\r";

		cr_expect(strstr(round_world_item_of(world, i)->text, line), "item %zu", i);
	}
	for (size_t i = old; i < old + new; i++) {
		char *subject = mem_printf(world, "Schiffskiste %zu ", i);

		cr_expect(strstr(round_world_item_of(world, i)->text, subject), "item %zu", i);
	}
	round_world_free(world);
}

Test(push_ahead, what_was_just_made_goes_out_beside_what_waited)
{
	made_beside_old(later_ops(), 20, 30);
	made_beside_old(later_ops(), 250, COUNT);
}

Test(push_ahead, likewise_where_nothing_is_put_ahead)
{
	made_beside_old(round_world_ops, 20, 30);
	made_beside_old(round_world_ops, 250, COUNT);
}
