/* engine_park.h - a park for tests: keeps what it is given, and can be told to be slow. */
#ifndef TASKFERRY_TESTS_ENGINE_PARK_H
#define TASKFERRY_TESTS_ENGINE_PARK_H

#include "engine_world.h"

#define PARKED_MAX 256

/* Holds every job of the accounts on `slow` until it is opened; counts who is at work. */
struct test_park {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct engine_world *world;
	char slow; /* a server's letter; 0: none */
	int slow_at_once, slow_most;
	int64_t at_work[PARKED_MAX];
	bool twice; /* an account had two jobs at once */
	/* of the last give() */
	bool failed, gone, whole, rests, crowded, had_endpoint, active;
	size_t place_count;
	char folder[256];
	int gives;
	int again; /* so many times something has changed since */
	int woken; /* calls of wake() */
	bool needed;
	bool missed;               /* and should have been told of before */
	bool partly;               /* wake() asks not all of the folders */
	struct endpoint *endpoint; /* what the next take() returns */
	struct endpoint *kept;     /* what give() has left */
};

static inline bool is_slow(struct test_park *park, int64_t account)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct account *row = NULL;
	struct store *store = NULL;
	bool slow;

	ENGINE_OK(store_open(mem, park->world->dsn, &park->world->clock->clock, NULL, &store));
	ENGINE_OK(link_account_by_id(store, mem, account, &row));
	slow = row && row->server[0] == park->slow;
	talloc_free(mem);
	return slow;
}

static inline struct endpoint *test_take(void *data, int64_t account)
{
	struct test_park *park = data;
	bool slow = park->slow && is_slow(park, account);
	struct endpoint *endpoint;

	pthread_mutex_lock(&park->lock);
	park->twice |= park->at_work[account % PARKED_MAX]++ > 0;
	park->slow_at_once += slow;
	if (park->slow_at_once > park->slow_most)
		park->slow_most = park->slow_at_once;
	while (slow && park->slow)
		pthread_cond_wait(&park->changed, &park->lock);
	park->slow_at_once -= slow;
	endpoint = park->endpoint;
	park->endpoint = NULL;
	pthread_mutex_unlock(&park->lock);
	return endpoint;
}

static inline bool test_give(void *data, const struct engine_parked *parked)
{
	struct test_park *park = data;
	bool again;

	pthread_mutex_lock(&park->lock);
	park->at_work[parked->account % PARKED_MAX]--;
	park->failed = parked->failed;
	park->gone = parked->gone;
	park->whole = parked->whole;
	park->rests = parked->rests;
	park->crowded = parked->crowded;
	park->active = parked->active;
	park->place_count = parked->place_count;
	park->had_endpoint = parked->endpoint != NULL;
	snprintf(park->folder, sizeof park->folder, "%s",
		 parked->place_count ? parked->places[0].folder : "");
	park->gives++;
	again = park->again > 0;
	park->again -= again;
	talloc_free(park->kept);
	park->kept = parked->endpoint;
	pthread_mutex_unlock(&park->lock);
	return again;
}

static inline enum engine_wake test_wake(void *data, int64_t account, bool *all_r)
{
	struct test_park *park = data;
	enum engine_wake wake = ENGINE_WAKE_NOTHING;

	(void)account;
	pthread_mutex_lock(&park->lock);
	park->woken++;
	if (park->needed)
		wake = park->missed ? ENGINE_WAKE_MISSED : ENGINE_WAKE_JOB;
	*all_r = !park->partly;
	pthread_mutex_unlock(&park->lock);
	return wake;
}

static inline struct engine_park park_of(struct test_park *park, struct engine_world *world)
{
	memset(park, 0, sizeof *park);
	pthread_mutex_init(&park->lock, NULL);
	pthread_cond_init(&park->changed, NULL);
	park->world = world;
	park->needed = true;
	return (struct engine_park){
		.data = park, .take = test_take, .give = test_give, .wake = test_wake
	};
}

static inline void park_open(struct test_park *park)
{
	pthread_mutex_lock(&park->lock);
	park->slow = 0;
	pthread_cond_broadcast(&park->changed);
	pthread_mutex_unlock(&park->lock);
}

/* So many jobs of a slow server wait in take(); a worker counts as busy before it has come there. */
struct park_crowd {
	struct test_park *park;
	int count;
};

static inline bool waiting_are(struct engine_world *world, void *data)
{
	const struct park_crowd *crowd = data;
	int waiting;

	pthread_mutex_lock(&crowd->park->lock);
	waiting = crowd->park->slow_at_once;
	pthread_mutex_unlock(&crowd->park->lock);
	return waiting == crowd->count && engine_figures(world->engine).busy == crowd->count;
}

/* COUNT workers are held up by the slow server, and no further one comes. */
static inline void expect_held_up(struct test_park *park, int count)
{
	struct park_crowd crowd = { park, count };

	cr_assert(world_until(waiting_are, park->world, &crowd), "%d wait, %d are busy",
		  park->slow_at_once, engine_figures(park->world->engine).busy);
	world_pause(300);
	cr_expect_eq(park->slow_most, count, "%d, expected %d", park->slow_most, count);
}

static inline bool woken_are(struct engine_world *world, void *data)
{
	const struct park_crowd *crowd = data;
	int woken;

	(void)world;
	pthread_mutex_lock(&crowd->park->lock);
	woken = crowd->park->woken;
	pthread_mutex_unlock(&crowd->park->lock);
	return woken >= crowd->count;
}

static inline void park_end(struct test_park *park)
{
	talloc_free(park->kept);
	talloc_free(park->endpoint);
	pthread_cond_destroy(&park->changed);
	pthread_mutex_destroy(&park->lock);
}

#endif
