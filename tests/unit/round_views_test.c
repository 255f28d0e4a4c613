/* round_views_test.c - what was decided on is kept until it is composed, unless the project changes
 * between. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define ITEMS (2 * ROUND_PUSH_BATCH) /* decided on in one transaction, sent in two */
#define LATE (ITEMS - 1)

static struct round_world *changing; /* NULL: nobody changes anything */

static struct fault *put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 struct endpoint_put *puts, size_t count)
{
	struct round_world *world = changing;
	const struct value work = { .presence = SET, .number = 960 };

	changing = NULL;
	if (world) {
		round_world_must(store_begin(world->store));
		round_world_value(world, 0, world->assignments[LATE], FIELD_total_work, &work);
		round_world_must(store_commit(world->store));
	}
	return round_world_put(endpoint, mem, folder, puts, count);
}

/* What the item shows of the work that is planned. */
static const char *shown(bool changes)
{
	struct round_world *world = round_world_new(ITEMS);
	struct endpoint_ops ops = round_world_ops;
	const char *text;

	ops.put = put;
	world->server->endpoint.ops = &ops;
	changing = changes ? world : NULL;
	round_world_round(world, true);
	cr_assert_null(changing);
	cr_assert_eq(world->report->created, ITEMS);
	text = round_world_item_of(world, LATE)->text;
	text = strstr(text, "of 16 h") ? "16 h" : strstr(text, "of 8 h") ? "8 h" : "nothing";
	round_world_free(world);
	return text;
}

Test(round_views, a_change_while_it_is_sent_is_seen)
{
	cr_expect_str_eq(shown(false), "8 h");
	cr_expect_str_eq(shown(true), "16 h");
}
