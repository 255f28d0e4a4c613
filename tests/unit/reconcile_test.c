#include "config.h"

#include <criterion/criterion.h>

#include "engine_park.h"
#include "gateway/sync/engine_private.h"
#include "gateway/sync/older.h"
#include "gateway/sync/sync.h"
#include "store/db.h"

/* The slow comparison of everything: who is due, and what the engine makes of it; and the site that
 * holds because its database is older than the world. */

#define HOUR_US (3600 * CLOCK_SECOND_US)

/* ---- when ---- */

Test(reconcile, each_account_has_its_time_of_day_and_they_spread)
{
	int hours[24] = { 0 };

	for (int64_t account = 1; account <= 2400; account++) {
		int64_t slot = engine_reconcile_slot_us(account);

		cr_assert(slot >= 0 && slot < ENGINE_DAY_US);
		cr_assert_eq(slot, engine_reconcile_slot_us(account));
		hours[slot / HOUR_US]++;
	}
	for (int h = 0; h < 24; h++)
		cr_expect(hours[h] > 50 && hours[h] < 200, "%d of 2400 in hour %d", hours[h], h);
}

Test(reconcile, due_once_a_day_while_the_service_runs)
{
	const int64_t account = 7, slot = engine_reconcile_slot_us(account);
	const int64_t today = 20000 * ENGINE_DAY_US + slot; /* its time, on some day */
	const struct {
		const char *what;
		int64_t last_us, began_us, now_us;
		bool due;
	} cases[] = {
		{ "its time has come", today - ENGINE_DAY_US, today - HOUR_US, today, true },
		{ "not yet", today - ENGINE_DAY_US, today - HOUR_US, today - 1, false },
		{ "it was compared since", today + 1, today - HOUR_US, today + HOUR_US, false },
		{ "late is better than never", today - HOUR_US, today - HOUR_US, today + HOUR_US,
		  true },
		{ "the service was away then", today - ENGINE_DAY_US, today + 1, today + HOUR_US,
		  false },
		{ "and on the day before", today - 2 * ENGINE_DAY_US, today + 1, today + HOUR_US,
		  true },
		{ "never, in a database of before", 0, today + 1, today + HOUR_US, true },
		{ "the clock was set back", today + 9 * ENGINE_DAY_US, 0, today, true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_eq(engine_reconcile_is_due(account, cases[i].last_us, cases[i].began_us,
						     cases[i].now_us),
			     cases[i].due, "%s", cases[i].what);
}

/* ---- who ---- */

static struct folder *folder_of(struct engine_world *world, int number)
{
	struct folder *folders = NULL;
	size_t count = 0;

	ENGINE_OK(link_folders(world->store, world->mem, world_account(world, number, 'a')->id,
			       &folders, &count));
	cr_assert_eq(count, 1);
	return folders;
}

static void was_compared(struct engine_world *world, int number, int64_t at_us)
{
	struct folder *folder = folder_of(world, number);

	folder->reconciled_us = at_us;
	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(link_folder_set(world->store, folder));
	ENGINE_OK(store_commit(world->store));
}

static bool is_compared(struct engine_world *world, void *data)
{
	const int *number = data;

	return folder_of(world, *number)->reconciled_us > 1;
}

Test(reconcile, the_service_makes_up_for_what_was_missed, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	int two = 2;

	world_start(world, 4, NULL, true);
	expect_done(world, 3);
	cr_assert(world_until(world_is_idle, world, NULL), "%s", world_log(world));
	world_stop(world);
	cr_expect_eq(world_logged(world, "kind=reconcile"), 0, "what was just made is compared");
	was_compared(world, 2, 1);
	world_start(world, 4, NULL, true);
	cr_assert(world_until(is_compared, world, &two), "%s", world_log(world));
	cr_assert(world_until(world_is_idle, world, NULL), "%s", world_log(world));
	world_stop(world);
	cr_expect_eq(world_logged(world, "account=a/p2@a.example.com kind=reconcile"), 1, "%s",
		     world_log(world));
	cr_expect_eq(world_logged(world, "kind=reconcile"), 1, "nobody else is due");
	cr_expect_eq(world_logged(world, "compared=1 amiss=0"), 1, "%s", world_log(world));
	world_free(world);
}

/* `sync` compares only what it is asked to. */
Test(reconcile, sync_compares_on_demand, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
	struct sync_options options = { .full = false };
	struct sync_result *result = NULL;

	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->report->folders, 0);
	was_compared(world, 2, 1);
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->report->folders, 0);
	options.full = true;
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->report->folders, 3);
	cr_expect_eq(result->report->compared, 3);
	cr_expect_eq(result->report->amiss, 0);
	cr_expect_eq(result->stats.writes, 0);
	cr_expect_eq(result->waiting_jobs, 0, "no job waits for its day");
	cr_expect(is_compared(world, &(int){ 2 }));
	world_free(world);
}

/* ---- what the database itself says ---- */

Test(reconcile, rows_that_contradict_themselves_are_told, .timeout = 300)
{
	static const struct {
		const char *sql, *told;
	} cases[] = {
		{ "UPDATE link SET dirty = TRUE, want_vector = NULL", "nothing says what" },
		{ "UPDATE link SET seen_version = NULL", "not in which version" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct engine_world *world = world_new("a", 1);
		struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
		struct sync_options options = { .full = false };
		struct sync_result *result = NULL;
		struct link_amiss *rows = NULL;
		struct link *links = NULL;
		int64_t folder;
		size_t count = 0;

		ENGINE_OK(sync_run(world->mem, &env, &options, &result));
		folder = folder_of(world, 1)->id;
		ENGINE_OK(link_amiss(world->store, world->mem, folder, &rows, &count));
		cr_assert_eq(count, 0, "a healthy folder");
		ENGINE_OK(link_versions(world->store, world->mem, folder, &links, &count));
		cr_assert_eq(count, 1);
		ENGINE_OK(db_execute(world->store->db, cases[i].sql));
		ENGINE_OK(link_amiss(world->store, world->mem, folder, &rows, &count));
		cr_assert_eq(count, 1, "%s", cases[i].sql);
		cr_expect(strstr(rows[0].what, cases[i].told), "%s", rows[0].what);
		cr_expect_eq(rows[0].id, links[0].id);
		world_free(world);
	}
}

/* ---- a database that is older than the world ---- */

static const char *token_of(struct engine_world *world)
{
	return folder_of(world, 1)->token;
}

Test(reconcile, a_site_that_holds_asks_until_it_is_taken_over, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
	struct engine_env engine_env = world_env(world);
	struct sync_options options = { .full = false };
	struct sync_result *result = NULL;
	struct engine *engine = NULL;
	struct fault *fault;

	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_assert_not_null(token_of(world));
	ENGINE_OK(older_take_over(world->mem, world->store));
	cr_assert_not_null(token_of(world), "where it does not hold nothing is forgotten");
	ENGINE_OK(older_check(world->mem, world->store));
	ENGINE_OK(older_note(world->store, "item 5 carries edition 9"));
	for (int dry = 0; dry < 2; dry++) {
		options.dry_run = dry;
		fault = sync_run(world->mem, &env, &options, &result);
		cr_assert_not_null(fault);
		cr_expect_eq(fault_exit(fault), 75);
		cr_expect_eq(fault->scope, FAULT_SCOPE_SITE);
		cr_expect_eq(fault->next, FAULT_NEXT_HOLD);
		cr_expect(strstr(fault->text, "item 5 carries edition 9"), "%s", fault->text);
		cr_expect(strstr(fault->text, "taskferry run --takeover"), "%s", fault->text);
	}
	ENGINE_OK(engine_new(world->mem, &engine_env, 2, NULL, &engine));
	fault = engine_start(engine, true);
	cr_assert_not_null(fault);
	cr_expect_eq(fault_exit(fault), 75);
	talloc_free(engine);
	ENGINE_OK(older_take_over(world->mem, world->store));
	cr_expect_null(token_of(world), "what was believed is forgotten");
	options.dry_run = false;
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->stats.writes, 0, "what stands there is adopted");
	cr_assert_not_null(token_of(world));
	world_free(world);
}
