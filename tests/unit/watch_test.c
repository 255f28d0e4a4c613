/* Who has to be looked at, and when. */
#include "config.h"

#include "watch_world.h"

/* ---- times ---- */

Test(watch, nobody_is_told_before_anybody_is_known)
{
	struct world world = world_new();

	cr_expect_eq(wait_us(&world), INT64_MAX);
	cr_expect(!is_readable(&world));
	cr_expect_null(take(&world, 1));
	cr_expect(wake(&world, 1), "an account that is not known needs a job");
	talloc_free(world.mem);
}

/* Every account is told in its own minute, and the watch says exactly when. */
Test(watch, thousands_of_accounts_in_order)
{
	struct world world = world_new();
	int told[MANY + 1] = { 0 };
	int64_t accounts[16], wait, turns = 0;
	size_t count;

	world.server.poll_max_us = MINUTE_US;
	for (int64_t account = 1; account <= MANY; account++)
		give(&world, account, NULL, false);
	(void)wait_us(&world);
	while (clock_now_us(world.clock) < START_US + 10 * MINUTE_US) {
		count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait);
		for (size_t i = 0; i < count; i++)
			told[accounts[i]]++;
		pass(&world, wait);
		turns++;
	}
	for (int64_t account = 1; account <= MANY; account++)
		cr_expect(told[account] >= 8 && told[account] <= 12, "account %lld: %d times",
			  (long long)account, told[account]);
	cr_expect_gt(turns, MANY, "they are not told all at once");
	talloc_free(world.mem);
}

Test(watch, the_loop_is_told_when_something_is_due_sooner_than_it_knows)
{
	struct world world = world_new();

	give(&world, 1, NULL, false);
	cr_expect(is_readable(&world), "the first account");
	(void)wait_us(&world);
	cr_expect(!is_readable(&world));
	world.server.poll_us = 600 * MINUTE_US;
	give(&world, 2, NULL, false);
	cr_expect(!is_readable(&world), "later than the first");
	world.server.poll_us = CLOCK_SECOND_US;
	give(&world, 3, NULL, false);
	cr_expect(is_readable(&world), "sooner than the first");
	cr_expect_leq(wait_us(&world), 1200000);
	talloc_free(world.mem);
}

Test(watch, more_than_fit_are_told_in_the_next_turn)
{
	struct world world = world_new();
	int64_t accounts[3], wait = -1;

	for (int64_t account = 1; account <= 5; account++)
		give(&world, account, NULL, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(watch_turn(world.watch, accounts, 3, &wait), 3);
	cr_expect_eq(wait, 0);
	cr_expect_eq(watch_turn(world.watch, accounts, 3, &wait), 2);
	cr_expect_gt(wait, 40 * CLOCK_SECOND_US);
	talloc_free(world.mem);
}

/* ---- polling ---- */

/* It holds no connection. */
Test(watch, an_endpoint_that_cannot_listen_is_kept_for_the_next_job)
{
	struct world world = world_new();
	int freed = 0;
	struct fake *fake = fake_new(&freed);

	fake->endpoint.ops = &deaf;
	cr_expect(!give(&world, 1, fake, true));
	cr_expect_eq(freed, 0);
	expect_figures(&world, 1, 0);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect(wake(&world, 1), "nothing is known that it could be asked: it needs a job");
	cr_expect_eq(take(&world, 1), fake);
	talloc_free(fake);
	talloc_free(world.mem);
}

Test(watch, an_endpoint_that_breaks_when_it_shall_listen_is_not_kept)
{
	struct world world = world_new();
	int freed = 0;
	struct fake *fake = fake_new(&freed);

	fake->broken = true;
	cr_expect(!give(&world, 1, fake, true));
	cr_expect_eq(freed, 1);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1, "polled, though it is alone");
	talloc_free(world.mem);
}

Test(watch, no_account_is_told_while_a_worker_has_it)
{
	struct world world = world_new();

	give(&world, 1, NULL, false);
	(void)take(&world, 1);
	pass(&world, 10 * MINUTE_US);
	cr_expect_eq(wait_us(&world), INT64_MAX);
	give(&world, 1, NULL, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	talloc_free(world.mem);
}

Test(watch, a_failed_account_is_left_to_the_queue)
{
	struct world world = world_new();
	int freed = 0;
	struct engine_parked failed = { .account = 1,
					.server = &world.server,
					.endpoint = &fake_new(&freed)->endpoint,
					.failed = true };

	give(&world, 1, fake_new(&freed), false);
	cr_expect(!world.park.give(world.park.data, &failed));
	cr_expect_eq(freed, 2);
	pass(&world, 100 * MINUTE_US);
	cr_expect_eq(wait_us(&world), INT64_MAX);
	expect_figures(&world, 1, 0);
	give(&world, 1, NULL, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	talloc_free(world.mem);
}

Test(watch, an_account_without_a_project_is_forgotten)
{
	struct world world = world_new();
	int freed = 0;
	struct engine_parked gone = { .account = 2, .server = &world.server, .gone = true };

	for (int64_t account = 1; account <= 3; account++)
		give(&world, account, fake_new(&freed), false);
	cr_expect(!world.park.give(world.park.data, &gone));
	cr_expect(!world.park.give(world.park.data, &gone), "twice is harmless");
	cr_expect_eq(freed, 1);
	expect_figures(&world, 2, 2);
	pass(&world, 2 * MINUTE_US);
	for (int i = 0; i < 2; i++) {
		int64_t account, wait;

		cr_assert_eq(watch_turn(world.watch, &account, 1, &wait), 1);
		cr_expect_neq(account, 2);
	}
	cr_expect_gt(wait_us(&world), 0);
	talloc_free(world.mem);
	cr_expect_eq(freed, 3, "the others end with the watch");
}

/* ---- listening ---- */

Test(watch, what_a_server_announces_is_told_at_once)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	fake->interesting = true;
	cr_expect(!give(&world, 1, fake, true));
	expect_figures(&world, 1, 1);
	(void)wait_us(&world);
	say(fake);
	cr_expect(is_readable(&world));
	cr_expect_eq(turn(&world), 1);
	cr_expect(!is_readable(&world), "told once");
	cr_expect(wake(&world, 1));
	cr_expect_eq(fake->heard, 1);
	cr_expect_eq(take(&world, 1), fake);
	cr_expect_eq(fake->hushed, 1);
	talloc_free(fake);
	talloc_free(world.mem);
}

/* What is told of one folder says nothing of the others. */
Test(watch, only_who_has_one_folder_is_seen_in_all_of_them)
{
	for (int alone = 0; alone <= 1; alone++) {
		struct world world = world_new();
		struct fake *fake = fake_new(NULL);
		bool all = !alone;

		give(&world, 1, fake, alone);
		(void)wait_us(&world);
		say(fake);
		cr_expect_eq(turn(&world), 1);
		cr_expect_not(world.park.wake(world.park.data, 1, &all));
		cr_expect_eq(all, alone);
		talloc_free(world.mem);
	}
}

Test(watch, what_is_of_no_interest_needs_no_job)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, true);
	for (int i = 1; i <= 100; i++) {
		pass(&world, 2 * MINUTE_US);
		if (wait_us(&world) < 5 * MINUTE_US) /* else it would be renewed in between */
			give(&world, 1, take(&world, 1), true);
		say(fake);
		cr_expect_eq(turn(&world), 1);
		cr_expect(!wake(&world, 1));
		cr_expect_eq(fake->heard, i);
		expect_figures(&world, 1, 1);
	}
	talloc_free(world.mem);
}

Test(watch, polling_goes_on_while_a_server_says_that_it_is_there)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);
	int64_t told = 0, polled = 0;

	give(&world, 1, fake, false);
	for (int second = 0; second < 600; second += 10) {
		say(fake);
		told += turn(&world);
		if (wake(&world, 1)) {
			polled++;
			give(&world, 1, take(&world, 1), false);
		}
		pass(&world, 10 * CLOCK_SECOND_US);
	}
	cr_expect_gt(told, 50);
	cr_expect(polled >= 7 && polled <= 13, "polled %lld times in ten minutes",
		  (long long)polled);
	talloc_free(world.mem);
}

Test(watch, a_server_that_announces_without_end_costs_a_look_a_second)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);
	int looks = 0;

	fake->interesting = true;
	give(&world, 1, fake, true);
	for (int i = 0; i < 100; i++) { /* ten seconds */
		say(fake);
		if (i == WATCH_AT_ONCE)
			cr_expect_eq(looks, WATCH_AT_ONCE, "the first ones wait for nothing");
		if (turn(&world)) {
			looks++;
			cr_expect(wake(&world, 1));
			give(&world, 1, take(&world, 1), true);
		}
		pass(&world, CLOCK_SECOND_US / 10);
	}
	cr_expect(looks >= 8 + WATCH_AT_ONCE && looks <= 10 + WATCH_AT_ONCE, "%d looks", looks);
	talloc_free(world.mem);
}

Test(watch, who_listens_to_its_only_folder_is_not_polled)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, true);
	pass(&world, 22 * MINUTE_US);
	cr_expect_eq(turn(&world), 0);
	talloc_free(world.mem);
}

Test(watch, who_has_other_folders_is_polled_too)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect(wake(&world, 1));
	cr_expect_eq(fake->heard, 0);
	cr_expect_eq(take(&world, 1), fake);
	talloc_free(fake);
	talloc_free(world.mem);
}

/* By a worker, without a job. */
Test(watch, idle_is_renewed_before_the_server_ends_it)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);
	int64_t us;

	give(&world, 1, fake, true);
	for (int i = 2; i < 20; i++) {
		us = wait_us(&world);
		cr_expect(us > 22 * MINUTE_US && us <= 28 * MINUTE_US, "after %lld s",
			  (long long)(us / CLOCK_SECOND_US));
		pass(&world, us);
		cr_expect_eq(turn(&world), 1);
		cr_expect(!wake(&world, 1));
		cr_expect_eq(fake->listened, i);
		cr_expect_eq(fake->hushed, i - 1);
	}
	fake->changed = true;
	pass(&world, wait_us(&world));
	cr_expect_eq(turn(&world), 1);
	cr_expect(wake(&world, 1), "something came in between");
	cr_expect_eq(take(&world, 1), fake);
	talloc_free(fake);
	talloc_free(world.mem);
}

Test(watch, a_change_before_it_listens_is_looked_at_again)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	fake->changed = true;
	for (int i = 0; i < WATCH_AT_ONCE; i++) {
		cr_expect(give(&world, 1, fake, true), "look again");
		expect_figures(&world, 1, 0);
		cr_expect_eq(take(&world, 1), fake, "with the same connection");
	}
	cr_expect(!give(&world, 1, fake, true), "not without end");
	cr_expect_leq(wait_us(&world), WATCH_PAUSE_US);
	pass(&world, WATCH_PAUSE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect(wake(&world, 1));
	fake->changed = false;
	cr_expect_eq(take(&world, 1), fake);
	cr_expect(!give(&world, 1, fake, true));
	expect_figures(&world, 1, 1);
	talloc_free(world.mem);
}

/* An account that was told and of which no job came, whatever the reason, is told again. */
Test(watch, nobody_is_forgotten_when_no_job_comes)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, true);
	say(fake);
	for (int i = 0; i < 5; i++) {
		cr_expect_eq(turn(&world), 1);
		pass(&world, 2 * MINUTE_US);
	}
	talloc_free(world.mem);
}

/* ---- two workers at one account ---- */

static void job_begins(void *data)
{
	cr_expect_null(take(data, 1), "it is in other hands");
}

Test(watch, a_job_that_begins_while_another_worker_listens)
{
	struct world world = world_new();
	int freed = 0;
	struct fake *fake = fake_new(&freed);

	fake->meanwhile = job_begins;
	fake->data = &world;
	give(&world, 1, fake, true);
	say(fake);
	cr_expect_eq(turn(&world), 1);
	cr_expect(wake(&world, 1));
	cr_expect_eq(freed, 1, "the job has a connection of its own by now");
	give(&world, 1, fake_new(&freed), true);
	expect_figures(&world, 1, 1);
	talloc_free(world.mem);
	cr_expect_eq(freed, 2);
}

struct worker {
	pthread_t thread;
	struct world *world;
	int64_t first;
};

static void *work(void *data)
{
	struct worker *worker = data;

	for (int round = 0; round < 200; round++)
		for (int64_t account = worker->first; account < worker->first + 8; account++) {
			struct fake *fake = take(worker->world, account);

			if (!fake)
				fake = fake_new(NULL);
			say(fake);
			give(worker->world, account, fake, round % 2 == 0);
			(void)wake(worker->world, account);
		}
	return NULL;
}

Test(watch, workers_park_while_the_loop_turns)
{
	struct world world = world_new();
	struct worker workers[8];
	int64_t accounts[16], wait;
	size_t told = 0;

	talloc_free(world.watch);
	cr_assert_null(watch_new(world.mem, NULL, &world.watch), "with the system's clock");
	world.park = watch_park(world.watch);
	for (int i = 0; i < 8; i++) {
		workers[i].world = &world;
		workers[i].first = 1 + 8 * i;
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 2000; i++)
		told += watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait);
	for (int i = 0; i < 8; i++)
		pthread_join(workers[i].thread, NULL);
	for (int i = 0; i < 10; i++)
		told += watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait);
	cr_expect_geq(told, 64, "%zu told", told);
	expect_figures(&world, 64, 64);
	talloc_free(world.mem);
}
