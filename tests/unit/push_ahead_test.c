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
