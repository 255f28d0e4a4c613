/* Accounts that announce nothing: asked by their own endpoint, without a job, more and more seldom. */
#include "config.h"

#include "gateway/watch/places.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gateway/watch/watch.h"

#define START_US INT64_C(1000000000)
#define MINUTE_US (60 * CLOCK_SECOND_US)
#define FOLDERS_MAX 3

/* ---- an endpoint that says what the test wants ---- */

struct server {
	struct endpoint endpoint;
	struct endpoint_ops ops;
	bool sweeps; /* tells of all folders at once */
	bool broken;
	bool moved[FOLDERS_MAX]; /* folder "0", "1" ... */
	const char *version;     /* of what a folder that has moved lists */
	bool full;
	int swept, noticed;
	int *freed;
	void (*meanwhile)(void *data); /* while it is asked */
	void *data;
};

static struct fault *broken(TALLOC_CTX *mem)
{
	return fault_new(mem, FAULT_UNREACHABLE, "no answer");
}

static struct fault *server_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
				  struct endpoint_sweep *folders, size_t count)
{
	struct server *server = (struct server *)endpoint;

	server->swept++;
	if (server->meanwhile)
		server->meanwhile(server->data);
	if (server->broken)
		return broken(mem);
	for (size_t i = 0; i < count && server->sweeps; i++) {
		folders[i].asked = true;
		folders[i].moved = server->moved[*folders[i].folder - '0'];
	}
	return NULL;
}

static struct fault *server_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   const char *token, struct endpoint_notice **notice_r)
{
	struct server *server = (struct server *)endpoint;
	struct endpoint_notice *notice = MEM_NEW(mem, struct endpoint_notice);

	server->noticed++;
	if (server->broken)
		return broken(mem);
	cr_expect_str_eq(token, "t");
	notice->full = server->full;
	notice->token = "u";
	notice->changes = MEM_ARRAY(notice, struct endpoint_change, 1);
	notice->changes[0] = (struct endpoint_change){ .address = "x", .version = server->version };
	notice->count = server->moved[*folder - '0'];
	*notice_r = notice;
	return NULL;
}

static int server_free(struct server *server)
{
	if (server->freed)
		++*server->freed;
	return 0;
}

static struct server *server_new(bool sweeps, int *freed)
{
	struct server *server = MEM_NEW(NULL, struct server);

	server->ops = (struct endpoint_ops){ .kind = "server",
					     .sweep = server_sweep,
					     .notice = server_notice };
	server->endpoint.ops = &server->ops;
	server->sweeps = sweeps;
	server->version = "1";
	server->freed = freed;
	talloc_set_destructor(server, server_free);
	return server;
}

static const struct endpoint_sweep folders[FOLDERS_MAX] = { { .folder = "0", .token = "t" },
							    { .folder = "1", .token = "t" },
							    { .folder = "2", .token = "t" } };

/* ---- places ---- */

static const struct {
	const char *what;
	bool sweeps, broken, full;
	int moved; /* folder; -1: none */
	bool expected;
	int swept, noticed;
} cases[] = {
	{ "at rest, by a sweep", true, false, false, -1, false, 1, 0 },
	{ "moved, by a sweep", true, false, false, 2, true, 1, 0 },
	{ "at rest, one by one", false, false, false, -1, false, 1, 3 },
	{ "moved, one by one", false, false, false, 1, true, 1, 2 },
	{ "listed anew", false, false, true, -1, true, 1, 1 },
	{ "no answer", true, true, false, -1, true, 1, 0 },
};

Test(places, whether_anything_has_moved)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct server *server = server_new(cases[i].sweeps, NULL);
		struct places *places = NULL;

		server->broken = cases[i].broken;
		server->full = cases[i].full;
		if (cases[i].moved >= 0)
			server->moved[cases[i].moved] = true;
		places_take(server, &places, folders, FOLDERS_MAX);
		cr_expect_eq(places_moved(places, 0, &server->endpoint), cases[i].expected, "%s",
			     cases[i].what);
		cr_expect_eq(server->swept, cases[i].swept, "%s", cases[i].what);
		cr_expect_eq(server->noticed, cases[i].noticed, "%s: %d", cases[i].what,
			     server->noticed);
		talloc_free(server);
	}
}

/* Some servers tell of a change again and again, to the token that they gave after it. */
Test(places, what_is_repeated_is_no_news)
{
	struct server *server = server_new(false, NULL);
	struct places *places = NULL;

	server->moved[1] = true;
	places_take(server, &places, folders, FOLDERS_MAX);
	cr_expect(places_moved(places, 0, &server->endpoint));
	places_take(server, &places, folders, FOLDERS_MAX); /* after the job */
	cr_expect_not(places_moved(places, 0, &server->endpoint));
	server->version = "2";
	cr_expect(places_moved(places, 0, &server->endpoint));
	/* a job that failed may not have seen it */
	places_take(server, &places, NULL, 0);
	cr_expect_null(places);
	places_take(server, &places, folders, FOLDERS_MAX);
	cr_expect(places_moved(places, 0, &server->endpoint));
	talloc_free(server);
}

/* Two folders that both repeat themselves do not make news of each other. */
Test(places, repeated_by_several)
{
	struct server *server = server_new(false, NULL);
	struct places *places = NULL;
	int jobs = 0;

	server->moved[0] = server->moved[2] = true;
	for (int i = 0; i < 10; i++) {
		places_take(server, &places, folders, FOLDERS_MAX);
		jobs += places_moved(places, 0, &server->endpoint);
	}
	cr_expect_eq(jobs, 2, "one for each of them, not %d", jobs);
	talloc_free(server);
}

/* ---- in the watch ---- */

struct world {
	TALLOC_CTX *mem;
	struct clock *clock;
	struct watch *watch;
	struct engine_park park;
	struct conf_server server;
};

static struct world world_new(void)
{
	struct world world = {
		.mem = talloc_new(NULL),
		.server = { .name = "dav", .poll_us = MINUTE_US, .poll_max_us = 15 * MINUTE_US }
	};

	world.clock = clock_set(world.mem, START_US);
	cr_assert_null(watch_new(world.mem, world.clock, &world.watch));
	world.park = watch_park(world.watch);
	return world;
}

static void give(struct world *world, struct server *server, bool rests, bool active)
{
	struct engine_parked parked = { .account = 1,
					.server = &world->server,
					.endpoint = server ? &server->endpoint : NULL,
					.places = folders,
					.place_count = FOLDERS_MAX,
					.whole = true,
					.rests = rests,
					.active = active };

	cr_expect_not(world->park.give(world->park.data, &parked));
}

/* Lets the time come at which the account is told. Returns how long that took. */
static int64_t next_turn(struct world *world)
{
	int64_t account = 0, wait_us = 0, begin = clock_now_us(world->clock);

	while (!watch_turn(world->watch, &account, 1, &wait_us))
		clock_sleep(world->clock, wait_us);
	cr_assert_eq(account, 1);
	return clock_now_us(world->clock) - begin;
}

static bool wake(struct world *world)
{
	bool all = false;
	enum engine_wake woken = world->park.wake(world->park.data, 1, &all);

	cr_expect(all, "all of its folders were asked");
	cr_expect_neq(woken, ENGINE_WAKE_LATER);
	return woken == ENGINE_WAKE_JOB;
}

Test(watch_poll, no_job_while_nothing_moves)
{
	struct world world = world_new();
	int freed = 0;
	struct server *server = server_new(true, &freed);

	give(&world, server, true, false);
	for (int i = 0; i < 10; i++) {
		(void)next_turn(&world);
		cr_expect_not(wake(&world), "turn %d", i);
	}
	cr_expect_eq(server->swept, 10);
	server->moved[1] = true;
	(void)next_turn(&world);
	cr_expect(wake(&world));
	cr_expect_eq(world.park.take(world.park.data, 1), &server->endpoint);
	cr_expect_eq(freed, 0);
	talloc_free(server);
	talloc_free(world.mem);
}

Test(watch_poll, an_account_where_something_waits_needs_a_job)
{
	struct world world = world_new();
	struct server *server = server_new(true, NULL);

	give(&world, server, false, false);
	(void)next_turn(&world);
	cr_expect(wake(&world));
	cr_expect_eq(server->swept, 0);
	talloc_free(world.mem);
}

struct intruder {
	struct world *world;
	struct server *other;
};

static void job(void *data)
{
	struct intruder *intruder = data;

	cr_expect_null(intruder->world->park.take(intruder->world->park.data, 1));
	give(intruder->world, intruder->other, true, true);
}

Test(watch_poll, a_job_meanwhile_has_its_own)
{
	struct world world = world_new();
	int freed = 0, other_freed = 0;
	struct server *server = server_new(true, &freed), *other = server_new(true, &other_freed);
	struct intruder intruder = { &world, other };

	server->meanwhile = job;
	server->data = &intruder;
	give(&world, server, true, false);
	(void)next_turn(&world);
	cr_expect_not(wake(&world));
	cr_expect_eq(freed, 1);
	cr_expect_eq(other_freed, 0);
	(void)next_turn(&world);
	cr_expect_not(wake(&world));
	cr_expect_eq(other->swept, 1);
	talloc_free(world.mem);
	cr_expect_eq(other_freed, 1);
}

/* The longer nothing happens, the more seldom; what happens ends that. */
Test(watch_poll, how_often_follows_what_happens)
{
	struct world world = world_new();
	struct server *server = server_new(true, NULL);
	int64_t begin = clock_now_us(world.clock), us = 0;
	int turns = 0;

	give(&world, server, true, false);
	for (; clock_now_us(world.clock) < begin + 600 * MINUTE_US; turns++) {
		us = next_turn(&world);
		cr_assert(us >= 48 * CLOCK_SECOND_US && us <= 18 * MINUTE_US, "%lld",
			  (long long)us);
		cr_assert_not(wake(&world));
	}
	cr_expect(turns > 45 && turns < 90, "%d times in ten hours", turns);
	cr_expect_geq(us, 12 * MINUTE_US);
	world.park.take(world.park.data, 1);
	give(&world, server, true, true);
	us = next_turn(&world);
	cr_expect_leq(us, 72 * CLOCK_SECOND_US, "%lld", (long long)us);
	talloc_free(world.mem);
}
