/* round_doubt_test.c - a round that records and never comes to its token: what a person takes back
 * then is told by the next notice, also where tokens are made from what the folder holds. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"

#define ITEMS 4
#define EDITED 1
#define REMOVED 2

struct story {
	struct endpoint_ops ops;
	struct round_world *world;
};

/* The addresses and versions of all items. */
static char *holds(TALLOC_CTX *mem, struct round_world_server *server)
{
	char *text = mem_strdup(mem, "");

	for (struct round_world_item *item = server->items; item; item = item->hh.next)
		if (item->text)
			text = talloc_asprintf_append(text, "%s %lld,", item->address,
						      (long long)item->version);
	return text;
}

static struct fault *notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *token, struct endpoint_notice **notice_r)
{
	struct round_world_server *server = (struct round_world_server *)endpoint;
	char *now = holds(mem, server);

	FAULT_TRY(round_world_notice(endpoint, mem, folder, NULL, notice_r));
	(*notice_r)->token = now;
	if (!text_same(token, now))
		return NULL;
	(*notice_r)->full = false;
	(*notice_r)->count = 0;
	return NULL;
}

static char *doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token)
{
	(void)endpoint;
	return mem_printf(mem, "%s?", token);
}

static struct fault *advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *token, char **token_r)
{
	(void)folder;
	*token_r = doubt(endpoint, mem, token);
	return NULL;
}

/* Both end a round that has recorded before it comes to its token. */
static struct fault *no_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *token, char **token_r)
{
	(void)endpoint;
	(void)folder;
	(void)token;
	(void)token_r;
	return fault_new(mem, FAULT_UNREACHABLE, "the connection is lost");
}

static struct fault *no_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    struct endpoint_put *puts, size_t count)
{
	(void)endpoint;
	(void)folder;
	(void)puts;
	(void)count;
	return fault_new(mem, FAULT_UNREACHABLE, "the connection is lost");
}

static struct fault *go(struct story *story)
{
	struct round_world *world = story->world;
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };
	struct round_options options = { .ensure = false };

	clock_sleep(world->clock, 60 * CLOCK_SECOND_US);
	talloc_free(world->report);
	world->report = round_report_new(world);
	return round_run(world, &env, &world->conf->servers[0], &world->server->endpoint,
			 world->account, world->project, &options, world->report);
}

static struct folder *folder_of(struct story *story)
{
	struct round_world *world = story->world;
	struct folder *folder = NULL;

	round_world_must(link_folder(world->store, world, world->account->id, world->project->id,
				     false, &folder));
	return folder;
}

/* Published, at rest, and its token that of what stands there. */
static void begin(struct story *story)
{
	struct round_world *world = story->world = round_world_new(ITEMS);

	story->ops = round_world_ops;
	story->ops.notice = notice;
	story->ops.doubt = doubt;
	story->ops.advance = advance;
	world->server->endpoint.ops = &story->ops;
	round_world_round(world, true);
	round_world_round(world, false);
	cr_assert_str_eq(folder_of(story)->token, holds(world, world->server));
}

static enum link_state state_of(struct story *story, size_t number)
{
	struct round_world *world = story->world;
	struct link *link = NULL;

	round_world_must(link_of_assignment(world->store, world, folder_of(story)->id,
					    world->assignments[number], false, &link));
	cr_assert_not_null(link);
	return link->state;
}

static size_t add_task(struct round_world *world)
{
	world->assignments = MEM_GROW(world->mem, world->assignments, int64_t, world->count + 1);
	round_world_must(store_begin(world->store));
	world->assignments[world->count] = round_world_add_task(world, world->count);
	round_world_must(store_commit(world->store));
	return world->count++;
}

Test(round_doubt, what_was_put_and_is_removed)
{
	struct story story;
	size_t added;

	begin(&story);
	added = add_task(story.world);
	story.ops.advance = no_advance;
	cr_assert_not_null(go(&story));
	cr_expect_eq(state_of(&story, added), LINK_OK);
	round_world_delete(story.world, added);
	story.ops.advance = advance;
	cr_assert_null(go(&story));
	cr_expect_eq(state_of(&story, added), LINK_MISSING);
	round_world_free(story.world);
}

Test(round_doubt, what_was_read_and_is_as_before)
{
	struct story story;
	struct round_world_item *item, before;

	begin(&story);
	item = round_world_item_of(story.world, REMOVED);
	before = *item;
	before.text = mem_strdup(story.world, item->text);
	round_world_delete(story.world, REMOVED);
	round_world_set(story.world, EDITED, 50);
	story.ops.put = no_put;
	cr_assert_not_null(go(&story));
	cr_expect_eq(state_of(&story, REMOVED), LINK_MISSING);
	item->text = before.text;
	item->version = before.version;
	story.ops.put = round_world_put;
	cr_assert_null(go(&story));
	cr_expect_eq(state_of(&story, REMOVED), LINK_OK);
	round_world_free(story.world);
}

/* Who comes to the end doubts no more. */
Test(round_doubt, what_was_only_read_has_the_token_of_its_notice)
{
	struct story story;

	begin(&story);
	round_world_edit(story.world, EDITED, 50);
	cr_assert_null(go(&story));
	cr_expect_eq(story.world->report->read, 1);
	cr_expect_str_eq(folder_of(&story)->token, holds(story.world, story.world->server));
	round_world_free(story.world);
}
