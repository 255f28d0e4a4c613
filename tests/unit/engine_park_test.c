/* What becomes of an account's endpoint between two of its jobs. */
#include "config.h"

#include <criterion/criterion.h>

#include "engine_park.h"

Test(engine_park, one_job_of_an_account_at_a_time, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;
	int one = 1;

	park = park_of(&test, world);
	test.slow = 'a';
	world_start(world, 8, &park, false);
	engine_look(world->engine, &account, 1);
	cr_assert(world_until(busy_are, world, &one));
	engine_look(world->engine, &account, 1); /* while it is worked on */
	world_pause(300);
	cr_expect_eq(engine_figures(world->engine).busy, 1);
	park_open(&test);
	expect_done(world, 2);
	cr_assert(world_until(world_is_idle, world, NULL));
	cr_expect_eq(engine_figures(world->engine).jobs_done, 2);
	cr_expect_not(test.twice);
	world_free(world);
	park_end(&test);
}

/* N6: a quarter of the workers, at most. */
Test(engine_park, a_slow_server_does_not_take_all_workers, .timeout = 300)
{
	struct engine_world *world = world_new("ab", 20);
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	test.slow = 'a';
	world_start(world, ENGINE_WORKERS, &park, true);
	expect_done(world, 20);   /* of the other one */
	expect_held_up(&test, 1); /* before it has answered one worker tries it */
	park_open(&test);
	expect_done(world, 40);
	cr_assert(world_until(world_is_idle, world, NULL));
	test.slow = 'a'; /* it is known to answer, and becomes slow */
	for (int i = 1; i <= 20; i++) {
		int64_t ids[] = { world_account(world, i, 'a')->id,
				  world_account(world, i, 'b')->id };

		engine_look(world->engine, ids, 2);
	}
	expect_done(world, 60);
	expect_held_up(&test, ENGINE_WORKERS / 4);
	park_open(&test);
	expect_done(world, 80);
	cr_expect_not(test.twice);
	world_free(world);
	park_end(&test);
}

Test(engine_park, what_a_park_is_given, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL));
	cr_expect(test.had_endpoint && test.whole && test.rests && !test.failed && !test.gone);
	cr_expect(text_starts(test.folder, "/p1@a.example.com/"), "%s", test.folder);
	test.again = 2; /* something came while it was parked */
	engine_look(world->engine, &account, 1);
	expect_done(world, 4);
	cr_expect_eq(test.gives, 4);
	world_script(world, 'a', "notice 5 login\n");
	engine_look(world->engine, &account, 1);
	expect_failed(world, 1);
	cr_expect(!test.had_endpoint && test.failed && !test.gone);
	world_free(world);
	park_end(&test);
}

Test(engine_park, an_account_without_a_project_is_gone, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(project_set_state(world->store, world->project, PROJECT_ARCHIVED));
	ENGINE_OK(store_commit(world->store));
	world_start(world, 2, &park, true);
	engine_look(world->engine, &account, 1);
	expect_done(world, 1);
	cr_expect(!test.had_endpoint && test.gone && !test.failed);
	cr_expect_eq(world_account(world, 1, 'a')->state, ACCOUNT_NEW, "nobody was asked");
	world_free(world);
	park_end(&test);
}

/* Two folders: the one where something happened last is the one to listen to. */
Test(engine_park, the_folder_to_listen_to, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;
	char first[256], last[256];

	park = park_of(&test, world);
	world_add_project(world, "second", "a", 1);
	world_start(world, 1, &park, true);
	expect_done(world, 1);
	cr_expect(test.whole && test.place_count == 2);
	snprintf(last, sizeof last, "%s", test.folder);
	cr_expect_not_null(strstr(last, "second"), "%s", last);
	engine_look(world->engine, &account, 1);
	expect_done(world, 2);
	cr_expect_str_eq(test.folder, last, "nothing happened: it stays");
	world_edit(world, 1, 'a');
	engine_look(world->engine, &account, 1);
	expect_done(world, 3);
	snprintf(first, sizeof first, "%s", test.folder);
	cr_expect_not_null(strstr(first, "first"), "%s", first);
	engine_look(world->engine, &account, 1);
	expect_done(world, 4);
	cr_expect_str_eq(test.folder, first);
	world_free(world);
	park_end(&test);
}

static struct fault *broken_hush(struct endpoint *endpoint)
{
	return fault_new(endpoint, FAULT_UNREACHABLE, "it broke while it was parked");
}

/* A connection that died while it was parked is no failure of the job. */
Test(engine_park, a_parked_endpoint_that_broke, .timeout = 300)
{
	static const struct endpoint_ops ops = { .kind = "broken", .hush = broken_hush };
	struct engine_world *world = world_new("a", 1);
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	test.endpoint = MEM_NEW(NULL, struct endpoint);
	test.endpoint->ops = &ops;
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 0);
	cr_expect(test.had_endpoint);
	world_free(world);
	park_end(&test);
}

/* Passwords change: what was parked with the old one is no reason to hold the account. */
Test(engine_park, a_parked_endpoint_with_an_old_password, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL));
	test.endpoint = test.kept;
	test.kept = NULL;
	cr_assert_not_null(test.endpoint);
	world_script(world, 'a', "notice 2 login\n");
	engine_look(world->engine, &account, 1);
	expect_done(world, 2);
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 0);
	world_free(world);
	park_end(&test);
}

static bool is_polled(struct engine_world *world, void *data)
{
	(void)data;
	return engine_figures(world->engine).polls == 1;
}

/* An account that was polled without a job has been seen, and its folder with it. */
Test(engine_park, seen_without_a_job, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct account *before, *after;
	struct folder *folders = NULL;
	struct engine_park park;
	struct test_park test;
	size_t count = 0;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL));
	cr_expect_eq(test.place_count, 1, "nothing waits in the one folder");
	cr_expect(test.active, "the items were made");
	before = world_account(world, 1, 'a');
	test.needed = false;
	engine_look(world->engine, &before->id, 1);
	cr_assert(world_until(is_polled, world, NULL));
	world_stop(world);
	after = world_account(world, 1, 'a');
	cr_expect_gt(after->last_seen_us, before->last_seen_us);
	ENGINE_OK(link_folders(world->store, world->mem, before->id, &folders, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(folders[0].last_round_us, after->last_seen_us);
	world_free(world);
	park_end(&test);
}

/* One that was told of one folder only has been seen; its folders have not. */
Test(engine_park, seen_in_part, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct folder *before = NULL, *after = NULL;
	struct account *account;
	struct engine_park park;
	struct test_park test;
	size_t count = 0;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL));
	account = world_account(world, 1, 'a');
	ENGINE_OK(link_folders(world->store, world->mem, account->id, &before, &count));
	test.needed = false;
	test.partly = true;
	engine_look(world->engine, &account->id, 1);
	cr_assert(world_until(is_polled, world, NULL));
	world_stop(world);
	cr_expect_gt(world_account(world, 1, 'a')->last_seen_us, account->last_seen_us);
	ENGINE_OK(link_folders(world->store, world->mem, account->id, &after, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(after[0].last_round_us, before[0].last_round_us);
	world_free(world);
	park_end(&test);
}

/* A server's idle chatter wakes the account, but makes no job. */
Test(engine_park, nothing_of_interest, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	test.needed = false;
	engine_look(world->engine, &account, 1);
	cr_assert(world_until(woken_are, world, &(struct park_crowd){ &test, 1 }));
	world_pause(300);
	cr_expect_eq(test.woken, 1);
	cr_expect_eq(engine_figures(world->engine).jobs_done, 1);
	test.needed = true;
	engine_look(world->engine, &account, 1);
	expect_done(world, 2);
	world_free(world);
	park_end(&test);
}

/* A server that should have told: the job is done all the same, and people are told, once an hour. */
Test(engine_park, a_server_that_keeps_changes_to_itself, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_expect_eq(world_logged(world, "has not told of a change"), 0);
	test.missed = true;
	for (int done = 2; done <= 3; done++) {
		engine_look(world->engine, &account, 1);
		expect_done(world, done);
		cr_expect_eq(world_logged(world, "has not told of a change"), 1, "%s",
			     world_log(world));
	}
	world_free(world);
	park_end(&test);
}

/* A server that has too many connections: the park is told, the others go on, and people once. */
Test(engine_park, a_crowded_server, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	struct engine_park park;
	struct test_park test;

	park = park_of(&test, world);
	world_start(world, 2, &park, true);
	expect_done(world, 1);
	cr_expect_not(test.crowded);
	world_script(world, 'a', "notice 2 crowded\n");
	engine_look(world->engine, &account, 1);
	expect_failed(world, 1);
	cr_expect(test.crowded && test.failed && !test.had_endpoint);
	cr_expect_neq(world_account(world, 1, 'a')->state, ACCOUNT_HELD);
	world_free(world);
	park_end(&test);
}
