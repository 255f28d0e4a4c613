/* Connections that go and come back, several folders, and how many are kept open. */
#include "config.h"

#include "watch_world.h"

/* ---- connections that go ---- */

static void hang_up(struct fake *fake)
{
	close(fake->ends[1]);
	fake->ends[1] = -1;
}

/* Nothing was lost by it: it comes back by itself. */
Test(watch, a_closed_connection_comes_back_without_a_job)
{
	struct world world = world_new();
	int freed = 0, ends[2];
	struct fake *fake = fake_new(&freed);

	give(&world, 1, fake, true);
	hang_up(fake);
	cr_expect(is_readable(&world));
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_LATER);
	cr_expect_eq(freed, 0);
	expect_figures(&world, 1, 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(fake->ends[0]);
	fake->ends[0] = ends[0];
	fake->ends[1] = ends[1];
	cr_expect_leq(wait_us(&world), SEATS_RETURN_JITTER_US);
	pass(&world, SEATS_RETURN_JITTER_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	expect_figures(&world, 1, 1);
	cr_expect_gt(wait_us(&world), 20 * MINUTE_US);
	talloc_free(world.mem);
}

Test(watch, a_connection_that_does_not_come_back_needs_a_job)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, true);
	hang_up(fake);
	fake->broken = true;
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_LATER);
	pass(&world, SEATS_RETURN_JITTER_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_JOB);
	talloc_free(world.mem);
}

/* A server that begins anew ends all of them at once. */
Test(watch, a_thousand_do_not_come_back_at_once)
{
	struct world world = world_new();
	int64_t accounts[64], wait = 0, second[30] = { 0 }, begun;
	struct fake *fake[300];
	size_t back = 0, count;

	for (int64_t i = 0; i < 300; i++) {
		fake[i] = fake_new(NULL);
		give(&world, i + 1, fake[i], true);
	}
	for (int i = 0; i < 300; i++) {
		fake[i]->broken = true;
		hang_up(fake[i]);
	}
	while ((count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait)))
		for (size_t i = 0; i < count; i++)
			cr_assert_eq(wake(&world, accounts[i]), ENGINE_WAKE_LATER);
	begun = clock_now_us(world.clock);
	while (back < 300) {
		pass(&world, wait);
		count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait);
		back += count;
		second[(clock_now_us(world.clock) - begun) / CLOCK_SECOND_US] += (int64_t)count;
	}
	for (size_t i = 0; i < COUNT_OF(second); i++)
		cr_expect_leq(second[i], 130, "%lld in second %zu", (long long)second[i], i);
	talloc_free(world.mem);
}

/* What a server says again and again is no reason not to begin anew (RFC 2177). */
Test(watch, what_is_of_no_interest_puts_nothing_off)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give(&world, 1, fake, true);
	for (int minute = 0; minute < 29; minute++) {
		pass(&world, MINUTE_US);
		say(fake);
		if (turn(&world))
			cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	}
	cr_expect_eq(fake->listened, 2);
	talloc_free(world.mem);
}

/* ---- several folders ---- */

static bool give_resting(struct world *world, int64_t account, struct fake *fake, bool active)
{
	struct engine_parked parked = { .account = account,
					.server = &world->server,
					.endpoint = &fake->endpoint,
					.places = folders,
					.place_count = COUNT_OF(folders),
					.whole = true,
					.rests = true,
					.active = active };

	return world->park.give(world->park.data, &parked);
}

Test(watch, who_listens_to_all_folders_is_not_polled)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	fake->wide = true;
	give_resting(&world, 1, fake, false);
	pass(&world, 22 * MINUTE_US);
	cr_expect_eq(turn(&world), 0);
	talloc_free(world.mem);
}

/* Where a server may miss something it is asked again, by listening anew. */
Test(watch, who_listens_with_doubt_looks_from_time_to_time)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	fake->wide = fake->doubtful = true;
	give_resting(&world, 1, fake, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	cr_expect_eq(fake->swept, 0);
	cr_expect_eq(fake->listened, 2);
	fake->changed = true;
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_JOB);
	talloc_free(world.mem);
}

/* A server that has ceased to tell, in an account where nothing happens: what changes is found within the
 * longest pause and a fifth, and soon where something has happened lately. */
Test(watch, what_a_silent_server_keeps_back_is_found_in_time)
{
	static const struct {
		int64_t quiet_us, within_us;
	} silences[] = { { 0, MINUTE_US }, { 600 * MINUTE_US, 15 * MINUTE_US } };

	for (size_t i = 0; i < COUNT_OF(silences); i++) {
		struct world world = world_new();
		struct fake *fake = fake_new(NULL);
		enum engine_wake woken = ENGINE_WAKE_NOTHING;
		int64_t waited_us = 0;

		world.server.poll_max_us = 15 * MINUTE_US;
		fake->wide = fake->doubtful = true;
		give_resting(&world, 1, fake, true);
		for (int64_t us = 0; us < silences[i].quiet_us; us += MINUTE_US / 4) {
			pass(&world, MINUTE_US / 4);
			if (turn(&world))
				cr_assert_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
		}
		fake->changed = fake->missed = true;
		while (woken == ENGINE_WAKE_NOTHING && waited_us < 60 * MINUTE_US) {
			pass(&world, CLOCK_SECOND_US);
			waited_us += CLOCK_SECOND_US;
			if (turn(&world))
				woken = wake(&world, 1);
		}
		cr_expect_eq(woken, ENGINE_WAKE_MISSED);
		cr_expect_leq(waited_us, silences[i].within_us * 6 / 5 + CLOCK_SECOND_US,
			      "%zu: %lld s", i, (long long)(waited_us / CLOCK_SECOND_US));
		talloc_free(world.mem);
	}
}

/* What it has heard is worth a job that has to wait, and the turn comes again: it ends listening before
 * it is asked. */
Test(watch, who_was_heard_and_got_no_job_is_asked)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	fake->interesting = true;
	give_resting(&world, 1, fake, false);
	pass(&world, 2 * WATCH_PAUSE_US);
	say(fake);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_HEARD);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	cr_expect_eq(fake->swept, (int)COUNT_OF(folders));
	cr_expect_eq(fake->hushed, 1);
	cr_expect_eq(fake->listened, 2);
	talloc_free(world.mem);
}

/* While one is listened to, the others are asked, and no job comes of it. */
Test(watch, the_folders_that_are_not_heard_are_swept)
{
	struct world world = world_new();
	struct fake *fake = fake_new(NULL);

	give_resting(&world, 1, fake, false);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	cr_expect_eq(fake->swept, 2, "not the one that it listens to");
	cr_expect_eq(fake->hushed, 1);
	cr_expect_eq(fake->listened, 2);
	expect_figures(&world, 1, 1);
	fake->moved = true;
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1);
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_JOB);
	cr_expect_eq(take(&world, 1), fake);
	talloc_free(fake);
	talloc_free(world.mem);
}

/* ---- seats ---- */

/* Two connections, three accounts. */
static void crowd(struct world *world, struct fake *fake[3], bool active)
{
	world->server.connections = 2;
	world->server.poll_max_us = MINUTE_US;
	for (int i = 0; i < 3; i++) {
		fake[i] = fake_new(NULL);
		fake[i]->wide = true;
		give_resting(world, i + 1, fake[i], active);
	}
}

Test(watch, beyond_the_budget_accounts_are_polled_over_short_connections)
{
	struct world world = world_new();
	struct fake *fake[3];

	crowd(&world, fake, false);
	expect_figures(&world, 3, 2);
	cr_expect_eq(fake[2]->listened, 0);
	cr_expect_eq(fake[2]->rested, 1);
	for (int i = 1; i < 5; i++) {
		pass(&world, 2 * MINUTE_US);
		cr_expect_eq(turn(&world), 3);
		cr_expect_eq(wake(&world, 3), ENGINE_WAKE_NOTHING);
		cr_expect_eq(fake[2]->swept, 3 * i);
		cr_expect_eq(fake[2]->rested, 1 + i);
	}
	fake[2]->moved = true;
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 3);
	cr_expect_eq(wake(&world, 3), ENGINE_WAKE_JOB);
	talloc_free(world.mem);
}

Test(watch, a_seat_that_becomes_free_is_taken)
{
	struct world world = world_new();
	struct engine_parked gone = { .account = 1, .server = &world.server, .gone = true };
	struct fake *fake[3];

	crowd(&world, fake, false);
	cr_expect(!world.park.give(world.park.data, &gone));
	expect_figures(&world, 2, 1);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 3);
	cr_expect_eq(wake(&world, 3), ENGINE_WAKE_NOTHING);
	expect_figures(&world, 2, 2);
	cr_expect_eq(fake[2]->listened, 1);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 0, "it is not polled any more");
	talloc_free(world.mem);
}

/* Who was active just now gets the seat of who has been quiet for longest. */
Test(watch, activity_takes_a_seat)
{
	struct world world = world_new();
	struct fake *fake[3];

	crowd(&world, fake, true);
	expect_figures(&world, 3, 2);
	pass(&world, SEATS_QUIET_US - 1);
	give_resting(&world, 3, take(&world, 3), true);
	expect_figures(&world, 3, 2);
	cr_expect_eq(fake[2]->listened, 0, "nobody has been quiet for long enough");
	give_resting(&world, 2, take(&world, 2), true);
	pass(&world, SEATS_QUIET_US / 2);
	give_resting(&world, 3, take(&world, 3), true);
	cr_expect_eq(fake[2]->listened, 1);
	cr_expect_eq(turn(&world), 1, "the first one leaves");
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	cr_expect_eq(fake[0]->rested, 1);
	expect_figures(&world, 3, 2);
	pass(&world, 2 * MINUTE_US);
	cr_expect_eq(turn(&world), 1, "and is polled");
	cr_expect_eq(wake(&world, 1), ENGINE_WAKE_NOTHING);
	cr_expect_eq(fake[0]->swept, 3);
	expect_figures(&world, 3, 2);
	talloc_free(world.mem);
}

/* A server that has too many connections has fewer of ours for a while. */
Test(watch, a_crowded_server_is_left_by_some)
{
	struct world world = world_new();
	struct engine_parked crowded = {
		.account = 100, .server = &world.server, .failed = true, .crowded = true
	};
	int64_t accounts[16], wait;
	size_t count;

	for (int64_t i = 1; i <= 8; i++) {
		struct fake *fake = fake_new(NULL);

		fake->wide = true;
		give_resting(&world, i, fake, false);
		pass(&world, CLOCK_SECOND_US);
	}
	expect_figures(&world, 8, 8);
	for (int i = 0; i < 3; i++) /* one reason */
		cr_expect(!world.park.give(world.park.data, &crowded));
	count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait);
	cr_assert_eq(count, 2, "%zu", count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_leq(accounts[i], 2, "the quietest");
		cr_expect_eq(wake(&world, accounts[i]), ENGINE_WAKE_NOTHING);
	}
	expect_figures(&world, 9, 6);
	pass(&world, 5 * MINUTE_US);
	while ((count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait)))
		for (size_t i = 0; i < count; i++)
			cr_expect_eq(wake(&world, accounts[i]), ENGINE_WAKE_NOTHING);
	expect_figures(&world, 9, 6);
	pass(&world, SEATS_CROWDED_US);
	while ((count = watch_turn(world.watch, accounts, COUNT_OF(accounts), &wait)))
		for (size_t i = 0; i < count; i++)
			cr_expect_eq(wake(&world, accounts[i]), ENGINE_WAKE_NOTHING);
	expect_figures(&world, 9, 8);
	talloc_free(world.mem);
}
