/* round_first_test.c - a database that is new meets a folder with many messages. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define ITEMS (2 * ROUND_BATCH + 3) /* three pieces */

static size_t most; /* of what was fetched at once */

static struct fault *fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   const char *const *addresses, size_t count,
			   struct endpoint_item **items_r)
{
	most = count > most ? count : most;
	return round_world_fetch(endpoint, mem, folder, addresses, count, items_r);
}

/* A later edition of an item, which stands behind all others. */
static const char *add_later(struct round_world *world, size_t number)
{
	static const char edition[] = "X-TASKFERRY-EDITION:1-";
	const char *address = ROUND_WORLD_FOLDER "z.ics";
	char *text = mem_strdup(world, round_world_item_of(world, number)->text);
	char *at = strstr(text, edition);

	cr_assert_not_null(at, "%s", text);
	at[strlen(edition) - 2] = '2';
	round_world_store(world->server, address, text);
	return address;
}

/* Memory does not follow the folder's size, and yet the newest of several messages of an item is
 * adopted, in whichever piece it is. */
Test(round_first, pieces_and_the_newest_all_the_same)
{
	struct round_world *before = round_world_new(ITEMS), *world = round_world_new(ITEMS);
	struct endpoint_ops ops = round_world_ops;
	const char *later;
	struct folder *folder = NULL;
	struct link *link = NULL;

	round_world_round(before, true);
	later = add_later(before, 7);
	talloc_free(world->server);
	world->server = before->server;
	ops.fetch = fetch;
	ops.appends = true;
	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	cr_expect_leq(most, ROUND_BATCH);
	cr_expect_eq(world->report->read, ITEMS + 1);
	cr_expect_eq(world->report->adopted, ITEMS);
	cr_expect_eq(world->report->held, 0, "%s",
		     world->report->note_count ? world->report->notes[0] : "");
	cr_expect_eq(world->report->created, 0);
	round_world_must(link_folder(world->store, world, world->account->id, world->project->id,
				     false, &folder));
	round_world_must(link_of_assignment(world->store, world, folder->id, world->assignments[7],
					    false, &link));
	cr_expect_str_eq(link->address, later);
	world->server = MEM_NEW(world, struct round_world_server);
	round_world_free(world);
	round_world_free(before);
}
