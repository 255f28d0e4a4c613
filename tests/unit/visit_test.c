/* A visit asks no more than it has to: counted in what the server is asked. */
#include "config.h"

#include "gateway/sync/visit.h"

#include <criterion/criterion.h>

#include "gateway/memory/memory.h"
#include "round_world.h"

#define PROJECTS 5

/* A server in memory that counts. */
struct counter {
	struct endpoint endpoint; /* first */
	struct endpoint_ops ops;
	struct endpoint *inner;
	int sweeps, notices, fetches, ensures;
	bool full; /* nothing more can be put */
};

static struct counter *counter_of(struct endpoint *endpoint)
{
	return (struct counter *)endpoint;
}

static struct fault *counted_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				    const struct endpoint_folder *folder, const char *known,
				    char **address_r, bool *created_r)
{
	counter_of(endpoint)->ensures++;
	return endpoint_ensure(counter_of(endpoint)->inner, mem, folder, known, address_r,
			       created_r);
}

static struct fault *counted_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *token, struct endpoint_notice **notice_r)
{
	counter_of(endpoint)->notices++;
	return endpoint_notice(counter_of(endpoint)->inner, mem, folder, token, notice_r);
}

static struct fault *counted_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   const char *const *addresses, size_t count,
				   struct endpoint_item **items_r)
{
	counter_of(endpoint)->fetches++;
	return endpoint_fetch(counter_of(endpoint)->inner, mem, folder, addresses, count, items_r);
}

static struct fault *counted_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count)
{
	if (counter_of(endpoint)->full)
		return fault_new(mem, FAULT_FULL, "no space left");
	return endpoint_put(counter_of(endpoint)->inner, mem, folder, puts, count);
}

static char *counted_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *uid)
{
	return endpoint_address(counter_of(endpoint)->inner, mem, folder, uid);
}

static struct fault *counted_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
				   struct endpoint_sweep *folders, size_t count)
{
	counter_of(endpoint)->sweeps++;
	return endpoint_sweep(counter_of(endpoint)->inner, mem, folders, count);
}

static const struct endpoint_ops counted_ops = {
	.kind = "counted",
	.ensure = counted_ensure,
	.notice = counted_notice,
	.fetch = counted_fetch,
	.put = counted_put,
	.address = counted_address,
	.sweep = counted_sweep,
};

/* ---- PROJECTS projects with a task each ---- */

struct places {
	struct round_world *world;
	struct counter *counter;
	struct visit visit;
	struct project *projects[PROJECTS];
	int64_t assignments[PROJECTS];
	int64_t publish; /* this one of them; 0: none */
	int changed;	 /* rounds that told so */
};

static void add_project(struct places *places, int i)
{
	struct round_world *world = places->world;
	struct project project = { .code = mem_printf(world, "p%d", i),
				   .source_key = mem_printf(world, "p%d", i),
				   .name = mem_printf(world, "Project %d", i) };
	int64_t id = 0;

	round_world_must(store_begin(world->store));
	round_world_must(project_add(world->store, &project, &id));
	round_world_must(project_set_state(world->store, id, PROJECT_PUBLISHED));
	round_world_must(project_by_id(world->store, world, id, &places->projects[i]));
	world->project = places->projects[i];
	places->assignments[i] = round_world_add_task(world, (size_t)i + 100);
	round_world_must(store_commit(world->store));
}

static struct fault *seen(void *data, TALLOC_CTX *mem, const struct visit_round *round)
{
	(void)mem;
	((struct places *)data)->changed += round->changed;
	return NULL;
}

static struct fault *visit_once(struct places *places, TALLOC_CTX *mem, int64_t project, bool full)
{
	struct round_world *world = places->world;
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };

	clock_sleep(world->clock, 60 * CLOCK_SECOND_US);
	places->counter->sweeps = places->counter->notices = places->counter->fetches = 0;
	talloc_free(world->report);
	world->report = round_report_new(world);
	places->visit = (struct visit){ .env = &env,
					.account = world->account,
					.resource = world->resource,
					.server = &world->conf->servers[0],
					.endpoint = &places->counter->endpoint,
					.project = project,
					.publish = places->publish,
					.options = { .full = full },
					.sweep = true,
					.seen = seen,
					.data = places,
					.report = world->report };
	places->changed = 0;
	return visit_run(mem, &places->visit);
}

static void visit(struct places *places, int64_t project, bool full)
{
	TALLOC_CTX *mem = MEM_CONTEXT(places->world);

	round_world_must(visit_once(places, mem, project, full));
	cr_assert_null(places->visit.folder_fault, "%s", places->visit.folder_fault->text);
	talloc_free(mem);
}

static void expect(struct places *places, const char *what, int sweeps, int notices, int fetches)
{
	const struct counter *counter = places->counter;

	cr_expect_eq(counter->sweeps, sweeps, "%s: %d sweeps", what, counter->sweeps);
	cr_expect_eq(counter->notices, notices, "%s: %d notices", what, counter->notices);
	cr_expect_eq(counter->fetches, fetches, "%s: %d times read", what, counter->fetches);
	cr_expect_eq(places->visit.rounds, (size_t)PROJECTS, "%s: %zu rounds", what,
		     places->visit.rounds);
}

static struct places places_new(void)
{
	struct places places = { .world = round_world_new(0) };
	struct round_world *world = places.world;
	struct counter *counter = places.counter = MEM_NEW(world, struct counter);

	counter->inner = memory_new(world, mem_printf(world, "%s/s", world->directory), "ana",
				    world->clock, NULL);
	counter->ops = counted_ops;
	counter->endpoint.ops = &counter->ops;
	round_world_must(store_begin(world->store));
	round_world_must(project_set_state(world->store, world->project->id, PROJECT_ARCHIVED));
	round_world_must(store_commit(world->store));
	for (int i = 0; i < PROJECTS; i++)
		add_project(&places, i);
	visit(&places, 0, false); /* makes the folders */
	visit(&places, 0, false); /* notices what it wrote itself */
	return places;
}

static struct folder *folder_of(struct places *places, int i)
{
	struct folder *folder = NULL;

	round_world_must(link_folder(places->world->store, places->world,
				     places->world->account->id, places->projects[i]->id, false,
				     &folder));
	return folder;
}

/* The person writes the item as it stands once more; OLD becomes NEW in it, unless that is NULL. */
static void rewrite(struct places *places, int i, const char *old, const char *new)
{
	struct endpoint_notice *notice = NULL;
	struct endpoint_item *items = NULL;
	struct endpoint_put put = { .if_version = NULL };
	const char *folder = folder_of(places, i)->address, *address;
	TALLOC_CTX *mem = places->world;

	round_world_must(endpoint_notice(places->counter->inner, mem, folder, NULL, &notice));
	cr_assert_eq(notice->count, 1);
	address = notice->changes[0].address;
	round_world_must(endpoint_fetch(places->counter->inner, mem, folder, &address, 1, &items));
	if (old) {
		const char *at = strstr(items[0].text, old);

		cr_assert(at, "%s", items[0].text);
		items[0].text = mem_printf(mem, "%.*s%s%s", (int)(at - items[0].text),
					   items[0].text, new, at + strlen(old));
	}
	put = (struct endpoint_put){ .address = address,
				     .text = items[0].text,
				     .len = strlen(items[0].text),
				     .if_version = items[0].version };
	round_world_must(endpoint_put(places->counter->inner, mem, folder, &put, 1));
	cr_assert_null(put.fault);
}

static void touch(struct places *places, int i)
{
	rewrite(places, i, NULL, NULL);
}

Test(visit, nothing_has_changed)
{
	struct places places = places_new();
	struct folder *before = folder_of(&places, 2);

	visit(&places, 0, false);
	expect(&places, "at rest", 1, 0, 0);
	cr_expect_eq(places.visit.still_count, (size_t)PROJECTS);
	cr_expect_eq(folder_of(&places, 2)->last_round_us, before->last_round_us,
		     "a visit writes nothing");
	round_world_free(places.world);
}

Test(visit, one_folder_has_moved)
{
	struct places places = places_new();

	touch(&places, 3);
	visit(&places, 0, false);
	expect(&places, "moved", 1, 1, 1);
	cr_expect_eq(places.visit.still_count, (size_t)PROJECTS - 1);
	visit(&places, 0, false);
	expect(&places, "at rest again", 1, 0, 0);
	round_world_free(places.world);
}

/* What waits in a folder, or is to be asked by somebody's wish, is not for a sweep to leave out. */
static void nothing(struct places *places)
{
	(void)places;
}

static void set(struct places *places, enum field field, int64_t number)
{
	struct value value = { .presence = SET, .number = number };
	struct round_world *world = places->world;
	struct assignment *assignment = NULL;

	world->project = places->projects[1];
	round_world_must(store_begin(world->store));
	round_world_must(
		project_assignment(world->store, world, places->assignments[1], &assignment));
	round_world_value(world, assignment->task_id, assignment->id, field, &value);
	round_world_must(store_commit(world->store));
}

static void a_change(struct places *places)
{
	set(places, FIELD_percent, 30);
}

static void a_priority(struct places *places)
{
	set(places, FIELD_priority, 1);
}

static void a_pending_item(struct places *places)
{
	struct round_world *world = places->world;

	round_world_must(store_begin(world->store));
	round_world_must(db_run(world->store->db, SQL_PENDING_PUT, "ittii",
				folder_of(places, 1)->id, "/ana/x.ics", "settle",
				clock_now_us(world->clock), clock_now_us(world->clock)));
	round_world_must(store_commit(world->store));
}

static void set_link(struct places *places, enum link_state state, bool dirty)
{
	struct round_world *world = places->world;
	struct link *link = NULL;

	round_world_must(store_begin(world->store));
	round_world_must(link_of_assignment(world->store, world, folder_of(places, 1)->id,
					    places->assignments[1], false, &link));
	link->state = state;
	link->dirty = dirty;
	link->due_us = dirty ? clock_now_us(world->clock) + 24 * 3600 * CLOCK_SECOND_US : 0;
	round_world_must(link_set(world->store, link));
	round_world_must(store_commit(world->store));
}

static void a_dirty_link(struct places *places)
{
	set_link(places, LINK_OK, true);
}

static void a_held_link(struct places *places)
{
	set_link(places, LINK_HELD, false);
}

static void a_missing_link(struct places *places)
{
	set_link(places, LINK_MISSING, false);
}

static void no_token(struct places *places)
{
	struct folder *folder = folder_of(places, 1);

	folder->token = NULL;
	round_world_must(store_begin(places->world->store));
	round_world_must(link_folder_set(places->world->store, folder));
	round_world_must(store_commit(places->world->store));
}

static const struct {
	const char *what;
	void (*happen)(struct places *places);
	int sweeps, notices;
} cases[] = {
	{ "nothing", nothing, 1, 0 },
	{ "a change in the project", a_change, 1, 1 },
	{ "an item in its quiet time", a_pending_item, 1, 1 },
	{ "an item to be written later", a_dirty_link, 1, 1 },
	{ "an item that waits for a person", a_held_link, 1, 0 },
	{ "a missing item: everywhere", a_missing_link, 0, PROJECTS },
	{ "no token", no_token, 1, 1 },
};

Test(visit, what_waits_is_not_left_out)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct places places = places_new();

		cases[i].happen(&places);
		visit(&places, 0, false);
		cr_expect_eq(places.counter->sweeps, cases[i].sweeps, "%s: %d sweeps",
			     cases[i].what, places.counter->sweeps);
		cr_expect_eq(places.counter->notices, cases[i].notices, "%s: %d notices",
			     cases[i].what, places.counter->notices);
		round_world_free(places.world);
	}
}

Test(visit, one_project_or_all_of_it_needs_no_sweep)
{
	struct places places = places_new();

	visit(&places, places.projects[2]->id, false);
	cr_expect_eq(places.counter->sweeps, 0);
	cr_expect_eq(places.counter->notices, 1);
	visit(&places, 0, true);
	expect(&places, "in full", 0, PROJECTS, 0);
	round_world_free(places.world);
}

/* One project is published, and all folders are looked at. */
Test(visit, what_is_published_is_not_swept)
{
	struct places places = places_new();

	touch(&places, 3);
	places.publish = places.projects[1]->id;
	places.counter->ensures = 0;
	visit(&places, 0, false);
	expect(&places, "published", 1, 2, 1);
	cr_expect_eq(places.counter->ensures, 1, "%d looked for", places.counter->ensures);
	cr_expect_eq(places.visit.still_count, (size_t)PROJECTS - 2);
	round_world_free(places.world);
}

/* What a person reported is the project's, and others hear of it, even where the round ends badly then. */
Test(visit, what_was_committed_is_told_of)
{
	struct places places = places_new();
	struct fault *fault;

	rewrite(&places, 1, "STATUS:NEEDS-ACTION", "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40");
	a_priority(&places);
	places.counter->full = true;
	fault = visit_once(&places, places.world, 0, false);
	cr_assert(fault);
	cr_expect_eq(fault->kind, FAULT_FULL);
	cr_expect_eq(places.world->report->changed, 1);
	cr_expect_eq(places.changed, 1);
	round_world_free(places.world);
}
