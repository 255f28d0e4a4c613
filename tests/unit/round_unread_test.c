/* round_unread_test.c - an item that cannot be read is asked for less and less often. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

static struct fault *fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   const char *const *addresses, size_t count,
			   struct endpoint_item **items_r)
{
	struct fault *fault = round_world_fetch(endpoint, mem, folder, addresses, count, items_r);

	for (size_t i = 0; i < count; i++)
		(*items_r)[i].fault = fault_new(mem, FAULT_PROTOCOL, "half an item");
	return fault;
}

Test(round_unread, its_pauses_grow_and_begin_anew)
{
	struct round_world *world = round_world_new(2);
	struct endpoint_ops ops = round_world_ops;
	int64_t pause_s[5];

	round_world_round(world, true);
	round_world_edit(world, 1, 35);
	ops.fetch = fetch;
	world->server->endpoint.ops = &ops;
	for (size_t i = 0; i < COUNT_OF(pause_s); i++) {
		round_world_round(world, false);
		cr_assert_eq(world->report->waiting, 1);
		pause_s[i] = (world->report->due_us - clock_now_us(world->clock)) / CLOCK_SECOND_US;
	}
	cr_expect_eq(pause_s[0], ROUND_FIRST_RETRY_US / CLOCK_SECOND_US);
	for (size_t i = 1; i < COUNT_OF(pause_s); i++)
		cr_expect_eq(pause_s[i], 2 * pause_s[i - 1], "%zu: %lld s", i,
			     (long long)pause_s[i]);
	world->server->endpoint.ops = &round_world_ops;
	clock_sleep(world->clock, 3600 * CLOCK_SECOND_US);
	round_world_round(world, false);
	cr_expect_eq(world->report->changed, 1);
	round_world_edit(world, 1, 45);
	world->server->endpoint.ops = &ops;
	round_world_round(world, false);
	cr_expect_eq((world->report->due_us - clock_now_us(world->clock)) / CLOCK_SECOND_US,
		     pause_s[0]);
	round_world_free(world);
}
