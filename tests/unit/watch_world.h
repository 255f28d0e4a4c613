/* watch_world.h - a watch with a set clock, socket pairs, and endpoints that count what is asked of them. */
#ifndef TASKFERRY_TESTS_WATCH_WORLD_H
#define TASKFERRY_TESTS_WATCH_WORLD_H

#include "gateway/watch/watch.h"

#include "gateway/watch/seats.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define START_US INT64_C(1000000000)
#define MINUTE_US (60 * CLOCK_SECOND_US)
#define MANY 2000

/* ---- an endpoint that does nothing but listen ---- */

struct fake {
	struct endpoint endpoint;
	int ends[2]; /* its own, the server's */
	bool listens;
	bool doubtful; /* it may miss something */
	bool wide;     /* it tells of all folders */
	bool deaf;     /* it turns out that it tells of none */
	int listened, hushed, heard, rested, swept;
	bool moved;       /* in the folders that it does not tell of */
	bool changed;     /* something has come before it listens */
	bool missed;      /* and when it listened last, too */
	bool interesting; /* what comes is */
	bool broken;
	int *freed;
	void (*meanwhile)(void *data); /* in the middle of heard() */
	void *data;
};

static inline struct fault *broken(void)
{
	return fault_new(NULL, FAULT_UNREACHABLE, "closed by the server");
}

static inline struct fault *fake_listen(struct endpoint *endpoint,
					const struct endpoint_sweep *folders, size_t count,
					struct endpoint_ear *ear_r)
{
	struct fake *fake = (struct fake *)endpoint;

	cr_expect_str_eq(folders[0].folder, "INBOX");
	cr_expect_geq(count, 1);
	cr_expect(!fake->listens, "it listens already");
	fake->listened++;
	if (fake->broken)
		return talloc_steal(fake, broken());
	fake->listens = !fake->changed && !fake->deaf;
	*ear_r = (struct endpoint_ear){ .fd = fake->listens ? fake->ends[0] : -1,
					.changed = fake->changed,
					.missed = fake->missed,
					.count = fake->wide ? count : 1,
					.doubtful = fake->doubtful,
					.how = "fake" };
	return NULL;
}

static inline struct fault *fake_heard(struct endpoint *endpoint, bool *changed_r)
{
	struct fake *fake = (struct fake *)endpoint;
	char bytes[64];

	cr_expect(fake->listens, "it does not listen");
	fake->heard++;
	if (fake->meanwhile)
		fake->meanwhile(fake->data);
	if (fake->broken || recv(fake->ends[0], bytes, sizeof bytes, MSG_DONTWAIT) == 0)
		return talloc_steal(fake, broken());
	*changed_r = fake->interesting;
	return NULL;
}

static inline struct fault *fake_hush(struct endpoint *endpoint)
{
	struct fake *fake = (struct fake *)endpoint;

	fake->hushed += fake->listens;
	fake->listens = false;
	return fake->broken ? talloc_steal(fake, broken()) : NULL;
}

static inline void fake_rest(struct endpoint *endpoint)
{
	struct fake *fake = (struct fake *)endpoint;

	fake->rested++;
	fake->listens = false;
}

static inline struct fault *fake_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
				       struct endpoint_sweep *folders, size_t count)
{
	struct fake *fake = (struct fake *)endpoint;

	cr_expect(!fake->listens, "it listens");
	fake->swept += (int)count;
	for (size_t i = 0; i < count; i++) {
		folders[i].asked = true;
		folders[i].moved = fake->moved;
	}
	return fake->broken ? talloc_steal(mem, broken()) : NULL;
}

static const struct endpoint_ops listening = { .kind = "fake",
					       .sweep = fake_sweep,
					       .listen = fake_listen,
					       .heard = fake_heard,
					       .hush = fake_hush,
					       .rest = fake_rest };
static const struct endpoint_ops deaf = { .kind = "deaf" };

static inline int fake_free(struct fake *fake)
{
	close(fake->ends[0]);
	if (fake->ends[1] >= 0)
		close(fake->ends[1]);
	if (fake->freed)
		++*fake->freed;
	return 0;
}

static inline struct fake *fake_new(int *freed)
{
	struct fake *fake = MEM_NEW(NULL, struct fake);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fake->ends), 0);
	fake->endpoint.ops = &listening;
	fake->freed = freed;
	talloc_set_destructor(fake, fake_free);
	return fake;
}

static inline void say(struct fake *fake)
{
	cr_assert_eq(send(fake->ends[1], "x", 1, 0), 1);
}

/* ---- the world ---- */

struct world {
	TALLOC_CTX *mem;
	struct clock *clock;
	struct watch *watch;
	struct engine_park park;
	struct conf_server server;
};

static inline struct world world_new(void)
{
	struct world world = {
		.mem = talloc_new(NULL),
		.server = { .name = "mail", .poll_us = MINUTE_US, .connections = MANY }
	};

	world.clock = clock_set(world.mem, START_US);
	cr_assert_null(watch_new(world.mem, world.clock, &world.watch));
	world.park = watch_park(world.watch);
	return world;
}

static const struct endpoint_sweep folders[] = { { .folder = "INBOX", .token = "t" },
						 { .folder = "two", .token = "t" },
						 { .folder = "three", .token = "t" } };

static inline bool give(struct world *world, int64_t account, struct fake *fake, bool alone)
{
	struct engine_parked parked = { .account = account,
					.server = &world->server,
					.endpoint = fake ? &fake->endpoint : NULL,
					.places = folders,
					.place_count = alone ? 1 : 2,
					.whole = true };

	return world->park.give(world->park.data, &parked);
}

/* As a worker does it. */
static inline struct fake *take(struct world *world, int64_t account)
{
	struct fake *fake = (struct fake *)world->park.take(world->park.data, account);

	if (fake)
		cr_expect_null(endpoint_hush(&fake->endpoint));
	return fake;
}

static inline enum engine_wake wake(struct world *world, int64_t account)
{
	bool all = false;

	return world->park.wake(world->park.data, account, &all);
}

/* The one account whose turn it is; 0: none. */
static inline int64_t turn(struct world *world)
{
	int64_t accounts[8] = { 0 }, wait_us = -1;
	size_t count = watch_turn(world->watch, accounts, 8, &wait_us);

	cr_assert_leq(count, 1);
	cr_assert_geq(wait_us, 0);
	return accounts[0];
}

static inline int64_t wait_us(struct world *world)
{
	int64_t account = 0, us = -1;

	cr_assert_eq(watch_turn(world->watch, &account, 1, &us), 0, "account %lld is told",
		     (long long)account);
	return us;
}

static inline void pass(struct world *world, int64_t us)
{
	clock_sleep(world->clock, us);
}

static inline bool is_readable(struct world *world)
{
	struct pollfd pollfd = { .fd = watch_fd(world->watch), .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static inline void expect_figures(struct world *world, size_t watched, size_t listens)
{
	struct watch_figures figures = watch_figures(world->watch);

	cr_expect_eq(figures.watched, watched, "%zu watched, expected %zu", figures.watched,
		     watched);
	cr_expect_eq(figures.listening, listens, "%zu listen, expected %zu", figures.listening,
		     listens);
}

#endif
