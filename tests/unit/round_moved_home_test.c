/* round_moved_home_test.c - an account's folders are somewhere else from now on: what was in the old one
 * is made in the new one. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define ELSEWHERE "/elsewhere/ana/project/"

static bool is_carried_over; /* somebody has put it all there already */

static struct fault *ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
			    const struct endpoint_folder *folder, const char *known,
			    char **address_r, bool *created_r)
{
	(void)endpoint;
	(void)folder;
	*created_r = !is_carried_over && strcmp(known, ELSEWHERE) != 0;
	*address_r = mem_strdup(mem, ELSEWHERE);
	return NULL;
}

static struct fault *put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 struct endpoint_put *puts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_starts(puts[i].address, folder))
			puts[i].fault = fault_new(mem, FAULT_REFUSED, "%s is not an item of %s",
						  puts[i].address, folder);
		else
			FAULT_TRY(round_world_put(endpoint, mem, folder, &puts[i], 1));
	return NULL;
}

static size_t count_elsewhere(struct round_world *world)
{
	struct round_world_item *item, *next;
	size_t count = 0;

	HASH_ITER(hh, world->server->items, item, next)
	count += item->text && text_starts(item->address, ELSEWHERE);
	return count;
}

Test(round_moved_home, items_are_made_where_the_folder_is)
{
	struct round_world *world = round_world_new(3);
	struct endpoint_ops ops = round_world_ops;
	struct round_world_item *item, *next;

	round_world_round(world, true);
	HASH_ITER(hh, world->server->items, item, next)
	item->text = NULL; /* the old server is no more */
	ops.ensure = ensure;
	ops.put = put;
	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	cr_expect_eq(world->report->held, 0);
	cr_expect_eq(count_elsewhere(world), 3, "%zu of 3", count_elsewhere(world));
	round_world_round(world, false);
	cr_expect_eq(world->report->created + world->report->updated, 0);
	cr_expect_eq(count_elsewhere(world), 3);
	round_world_free(world);
}

/* The new server takes the old one's token for its own, and says that nothing has changed since. */
Test(round_moved_home, items_that_were_carried_over_are_found)
{
	struct round_world *world = round_world_new(3);
	struct endpoint_ops ops = round_world_ops;
	struct round_world_item *item, *next;
	size_t told;

	round_world_round(world, true);
	round_world_round(world, false);
	told = world->server->change_count;
	HASH_ITER(hh, world->server->items, item, next)
	if (item->text && !text_starts(item->address, ELSEWHERE)) {
		round_world_store(
			world->server,
			mem_printf(world, ELSEWHERE "%s", strrchr(item->address, '/') + 1),
			item->text);
		TALLOC_FREE(item->text);
	}
	world->server->change_count = told;
	is_carried_over = true;
	ops.ensure = ensure;
	ops.put = put;
	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	cr_expect_geq(world->report->read, 3); /* and where they stood before */
	cr_expect_eq(world->report->waiting, 0);
	cr_expect_eq(world->report->created, 0);
	round_world_set(world, 1, 50);
	round_world_round(world, false);
	cr_expect_eq(world->report->updated, 1);
	cr_expect_eq(world->report->held, 0);
	round_world_free(world);
}
