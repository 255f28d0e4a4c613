/* round_span_test.c - what was put behind a token, and is removed before the next look, is told by no
 * change: it is missing from what has come since. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define ITEMS 5
#define REMOVED 2

static bool told; /* those that are there stand among the changes */

/* As of a server that counts: nothing is said of what came and went again. */
static struct fault *notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *token, struct endpoint_notice **notice_r)
{
	struct round_world_server *server = (struct round_world_server *)endpoint;
	struct endpoint_notice *made;
	struct round_world_item *item, *next;

	FAULT_TRY(round_world_notice(endpoint, mem, folder, token, notice_r));
	made = *notice_r;
	if (made->full)
		return NULL;
	made->changes = MEM_ARRAY(made, struct endpoint_change, HASH_COUNT(server->items));
	made->count = 0;
	if (told)
		HASH_ITER(hh, server->items, item, next)
	if (item->text)
		round_world_tell(made, item);
	made->spans[made->span_count++] = (struct endpoint_span){ "/", "/z" };
	return NULL;
}

static size_t count_links(struct round_world *world, enum link_state state)
{
	struct folder *folder = NULL;
	struct link *links = NULL;
	size_t count = 0, n = 0;

	round_world_must(link_folder(world->store, world, world->account->id, world->project->id,
				     false, &folder));
	round_world_must(link_versions(world->store, world, folder->id, &links, &count));
	for (size_t i = 0; i < count; i++)
		n += links[i].state == state;
	return n;
}

static void try_removed(bool tells, size_t read)
{
	struct round_world *world = round_world_new(ITEMS);
	struct endpoint_ops ops = round_world_ops;

	ops.notice = notice;
	told = tells;
	round_world_round(world, true);
	world->server->endpoint.ops = &ops;
	round_world_delete(world, REMOVED);
	round_world_round(world, false);
	cr_expect_eq(count_links(world, LINK_OK), ITEMS - 1);
	cr_expect_eq((size_t)world->report->read, read);
	round_world_free(world);
}

Test(round_span, what_is_missing_is_asked_for_and_seen_to_have_gone)
{
	try_removed(true, 1);
}

/* A server that lists nothing has not lost everything: each is asked for before it is believed. */
Test(round_span, what_is_only_not_told_stays)
{
	try_removed(false, ITEMS);
}

/* A complete listing says all by itself. */
Test(round_span, a_full_notice_needs_none)
{
	struct round_world *world = round_world_new(ITEMS);
	struct endpoint_ops ops = round_world_ops;

	ops.notice = notice;
	world->server->endpoint.ops = &ops;
	round_world_round(world, true);
	cr_expect_eq(count_links(world, LINK_OK), ITEMS);
	round_world_free(world);
}

static struct round_world *meddled; /* an item goes behind its first notice; NULL: no more */

static struct fault *notice_meddled(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *token, struct endpoint_notice **notice_r)
{
	struct fault *fault = notice(endpoint, mem, folder, token, notice_r);

	if (meddled)
		round_world_delete(meddled, REMOVED);
	meddled = NULL;
	return fault;
}

static void reconcile(struct round_world *world)
{
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };
	struct round_options options = { .reconcile = true };

	talloc_free(world->report);
	world->report = round_report_new(world);
	round_world_must(round_run(world, &env, &world->conf->servers[0], &world->server->endpoint,
				   world->account, world->project, &options, world->report));
}

/* It would have been told by the next notice, and people hear of no fault. */
Test(round_span, what_goes_behind_the_token_is_no_finding_of_a_comparison)
{
	struct round_world *world = round_world_new(ITEMS);
	struct endpoint_ops ops = round_world_ops;

	ops.notice = notice_meddled;
	told = true;
	round_world_round(world, true);
	world->server->endpoint.ops = &ops;
	meddled = world;
	reconcile(world);
	cr_expect_eq(world->report->amiss, 0, "%s",
		     world->report->note_count ? world->report->notes[0] : "");
	cr_expect_eq(count_links(world, LINK_OK), ITEMS - 1);
	round_world_free(world);
}
