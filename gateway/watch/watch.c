/* watch.c - one spot per account, a hash to find it and a heap by due time.
 *
 *                  turn                    wake, job needed               give
 *   parked ----------------> told --------------------------> (job) ----------------> parked
 *     ^                       |  wake: nothing of interest      |  failed
 *     `-----------------------'                                 `--> resting (until a job succeeds)
 *
 * A parked spot has an endpoint that listens, or none and is polled. Its descriptor is armed for
 * one event (EPOLLONESHOT), so an account is told once and then not again before it was parked
 * anew; a spot that was told is polled meanwhile, so that nobody is forgotten when no job comes of
 * it.
 *
 * A spot that is polled has its endpoint and its places (places.h) where these are known; wake() then asks
 * the endpoint, and mostly no job comes of it.
 *
 * An endpoint is in one place: in its spot, or in the hands of a worker (`lent` by take() until
 * give(), or for the moment of wake()). A worker that comes back to a spot that has another one, or
 * is lent, frees its own.
 *
 * The lock guards all but the descriptors' numbers; talloc trees are not made for several threads,
 * so everything below `struct watch` is allocated under it too. */
#include "config.h"

#include "gateway/watch/watch.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "gateway/watch/pace.h"
#include "gateway/watch/places.h"

#define EVENTS_MAX 64 /* of one system call */
#define BELL 0        /* no account has this id */

enum reason { REASON_POLL, REASON_HEARD, REASON_RENEW };

struct spot {
	int64_t account;
	struct endpoint *endpoint;
	char *folder;     /* that it listens to */
	int fd;           /* in the epoll set; -1: it does not listen */
	bool alone;       /* no other folder has to be polled */
	bool lent, heard; /* heard: readable, but it was looked at a moment ago */
	int64_t poll_us, poll_max_us;
	struct pace pace;
	struct places *places; /* that its endpoint can be asked of; NULL: it takes a job */
	uint64_t dice;
	int64_t poll_at_us, renew_at_us, rest_until_us;
	int64_t due_us; /* the first of all that; INT64_MAX: nothing */
	enum reason reason;
	size_t place; /* in the heap */
	UT_hash_handle hh;
};

struct watch {
	struct clock *clock;
	int64_t wall_us; /* the people's time less the clock's */
	int epoll, bell;
	pthread_mutex_t lock; /* for all below */
	struct spot *spots;   /* hash by account */
	struct spot **heap;
	size_t count, listening;
	int64_t told_us; /* the next turn, as the loop knows it */
};

static int64_t monotonic_us(struct clock *clock)
{
	struct timespec now;

	(void)clock;
	clock_gettime(CLOCK_MONOTONIC, &now); /* fails only for a clock that is not there */
	return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

/* ---- times ---- */

static int64_t wall_us(struct watch *watch)
{
	return clock_now_us(watch->clock) + watch->wall_us;
}

/* From now on, by what has happened in the account, and its dice. */
static int64_t interval_us(struct watch *watch, struct spot *spot)
{
	return pace_jitter_us(pace_interval_us(&spot->pace, spot->poll_us, spot->poll_max_us,
					       clock_now_us(watch->clock), wall_us(watch)),
			      &spot->dice);
}

static void swap(struct watch *watch, size_t a, size_t b)
{
	struct spot *spot = watch->heap[a];

	watch->heap[a] = watch->heap[b];
	watch->heap[b] = spot;
	watch->heap[a]->place = a;
	watch->heap[b]->place = b;
}

static void sift(struct watch *watch, size_t at)
{
	while (at && watch->heap[(at - 1) / 2]->due_us > watch->heap[at]->due_us) {
		swap(watch, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < watch->count;
		     child++)
			if (watch->heap[child]->due_us < watch->heap[least]->due_us)
				least = child;
		if (least == at)
			return;
		swap(watch, at, least);
		at = least;
	}
}

/* Brings the spot to its place, and tells the loop when it is due sooner than that knows. */
static void schedule(struct watch *watch, struct spot *spot)
{
	static const uint64_t one = 1;

	spot->due_us = spot->poll_at_us < spot->renew_at_us ? spot->poll_at_us : spot->renew_at_us;
	if (spot->heard && spot->rest_until_us < spot->due_us)
		spot->due_us = spot->rest_until_us;
	sift(watch, spot->place);
	if (spot->due_us >= watch->told_us)
		return;
	watch->told_us = spot->due_us;
	(void)!write(watch->bell, &one, sizeof one); /* full: it rings already */
}

/* ---- spots ---- */

static struct spot *spot_find(struct watch *watch, int64_t account)
{
	struct spot *spot;

	HASH_FIND(hh, watch->spots, &account, sizeof account, spot);
	return spot;
}

static struct spot *spot_add(struct watch *watch, int64_t account)
{
	struct spot *spot = MEM_NEW(watch, struct spot);

	spot->account = account;
	spot->fd = -1;
	spot->dice = (uint64_t)account;
	pace_begin(&spot->pace, clock_now_us(watch->clock), wall_us(watch));
	spot->poll_at_us = spot->renew_at_us = spot->due_us = INT64_MAX;
	HASH_ADD(hh, watch->spots, account, sizeof spot->account, spot);
	watch->heap = MEM_GROW(watch, watch->heap, struct spot *, watch->count + 1);
	spot->place = watch->count;
	watch->heap[watch->count++] = spot;
	return spot;
}

static void spot_remove(struct watch *watch, struct spot *spot)
{
	size_t place = spot->place;

	HASH_DEL(watch->spots, spot);
	swap(watch, place, watch->count - 1);
	watch->count--;
	if (place < watch->count)
		sift(watch, place);
	talloc_free(spot);
}

/* The spot has no endpoint any more; returns it, for the caller to use or to free. */
static struct endpoint *spot_empty(struct watch *watch, struct spot *spot)
{
	struct endpoint *endpoint = spot->endpoint;

	if (spot->fd >= 0) {
		/* fails when the endpoint has closed it, which does the same */
		(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, spot->fd, NULL);
		watch->listening--;
	}
	spot->endpoint = NULL;
	spot->fd = -1;
	spot->heard = false;
	spot->renew_at_us = INT64_MAX;
	return endpoint;
}

/* Gives an empty spot its endpoint. FD -1: it is only kept, for a job that comes at once; the same
 * when the system lets us listen to no more. */
static void spot_fill(struct watch *watch, struct spot *spot, struct endpoint *endpoint, int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
				     .data = { .u64 = (uint64_t)spot->account } };

	spot->endpoint = endpoint;
	if (fd < 0 || epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event))
		return;
	spot->fd = fd;
	watch->listening++;
	spot->renew_at_us = clock_now_us(watch->clock) + WATCH_RENEW_US -
			    (int64_t)(pace_dice(&spot->dice) % (WATCH_RENEW_US / 5));
}

/* ---- what workers call ---- */

static struct endpoint *take(void *data, int64_t account)
{
	struct watch *watch = data;
	struct endpoint *endpoint = NULL;
	struct spot *spot;

	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	if (spot) {
		endpoint = spot_empty(watch, spot);
		spot->lent = true;
		spot->poll_at_us = INT64_MAX;
		schedule(watch, spot);
	}
	pthread_mutex_unlock(&watch->lock);
	return endpoint;
}

static void forget(struct watch *watch, int64_t account)
{
	struct endpoint *old = NULL;
	struct spot *spot;

	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	if (spot) {
		old = spot_empty(watch, spot);
		spot_remove(watch, spot);
	}
	pthread_mutex_unlock(&watch->lock);
	talloc_free(old);
}

/* Lets the endpoint listen. One whose kind cannot is kept all the same, for it holds no connection;
 * one whose server does not, or that fails at it, is freed and *ENDPOINT is NULL. */
static int begin_to_listen(struct endpoint **endpoint, const char *folder, bool *changed_r)
{
	struct fault *fault = NULL;
	bool changed = false;
	int fd = -1;

	if (*endpoint && !endpoint_can_listen(*endpoint))
		return -1;
	if (*endpoint && folder)
		fault = endpoint_listen(*endpoint, folder, &fd, &changed);
	if (!fault && changed) {
		*changed_r = true;
		return -1;
	}
	if (!fault && fd >= 0)
		return fd;
	talloc_free(*endpoint);
	*endpoint = NULL;
	return -1;
}

/* Parks what a job left. Returns the endpoint that is not needed any more. */
static struct endpoint *park(struct watch *watch, struct spot *spot,
			     const struct engine_parked *parked, struct endpoint *endpoint, int fd)
{
	struct endpoint *old = spot_empty(watch, spot);

	spot->lent = false;
	spot->alone = parked->alone;
	spot->poll_us = parked->server->poll_us;
	spot->poll_max_us = parked->server->poll_max_us;
	if (parked->active)
		pace_happened(&spot->pace, clock_now_us(watch->clock), wall_us(watch));
	places_take(spot, &spot->places, endpoint && fd < 0 ? parked->places : NULL,
		    parked->place_count);
	talloc_free(spot->folder);
	spot->folder = mem_strdup(spot, parked->folder);
	if (endpoint)
		spot_fill(watch, spot, endpoint, fd);
	spot->poll_at_us = INT64_MAX;
	if (!parked->failed && !(spot->fd >= 0 && spot->alone))
		spot->poll_at_us = clock_now_us(watch->clock) + interval_us(watch, spot);
	return old;
}

/* Something has changed already: true when it may be looked at once more now. */
static bool may_look(struct watch *watch, struct spot *spot)
{
	int64_t now = clock_now_us(watch->clock);

	if (now < spot->rest_until_us) {
		spot->poll_at_us = spot->rest_until_us;
		return false;
	}
	spot->rest_until_us = now + WATCH_PAUSE_US;
	return true;
}

static bool give(void *data, const struct engine_parked *parked)
{
	struct endpoint *endpoint = parked->endpoint, *old;
	struct watch *watch = data;
	bool changed = false;
	struct spot *spot;
	int fd = -1;

	if (parked->gone || parked->failed) {
		talloc_free(endpoint);
		endpoint = NULL;
	}
	if (parked->gone) {
		forget(watch, parked->account);
		return false;
	}
	fd = begin_to_listen(&endpoint, parked->folder, &changed);
	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, parked->account);
	if (!spot)
		spot = spot_add(watch, parked->account);
	old = park(watch, spot, parked, endpoint, fd);
	changed = changed && may_look(watch, spot);
	schedule(watch, spot);
	pthread_mutex_unlock(&watch->lock);
	talloc_free(old);
	return changed;
}

/* Takes what has come, or renews the IDLE; *FD is the descriptor afterwards. */
static struct fault *listen_on(struct endpoint *endpoint, enum reason reason, const char *folder,
			       int *fd, bool *changed_r)
{
	if (reason == REASON_HEARD)
		return endpoint_heard(endpoint, changed_r);
	FAULT_TRY(endpoint_hush(endpoint));
	return endpoint_listen(endpoint, folder, fd, changed_r);
}

/* The endpoint comes back from wake(); true: it was needed. */
static bool come_back(struct watch *watch, int64_t account, struct endpoint *endpoint, int fd)
{
	struct spot *spot = spot_find(watch, account);

	if (!spot || spot->lent || spot->endpoint)
		return false;
	spot_fill(watch, spot, endpoint, fd);
	if (spot->fd >= 0 && spot->alone)
		spot->poll_at_us = INT64_MAX;
	schedule(watch, spot);
	return true;
}

/* Lends the endpoint of an account whose turn it is for another reason than polling. */
static struct endpoint *borrow(struct watch *watch, int64_t account, enum reason *reason_r,
			       char **folder_r, int *fd_r, bool *alone_r)
{
	struct endpoint *endpoint = NULL;
	struct spot *spot;

	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	if (spot && spot->fd >= 0 && spot->reason != REASON_POLL) {
		*reason_r = spot->reason;
		*folder_r = mem_strdup(NULL, spot->folder);
		*fd_r = spot->fd;
		*alone_r = spot->alone;
		endpoint = spot_empty(watch, spot);
	}
	pthread_mutex_unlock(&watch->lock);
	return endpoint;
}

/* It is to be polled: its endpoint is asked, where nothing else waits for a job. */
static bool wake_polled(struct watch *watch, int64_t account)
{
	struct endpoint *endpoint = NULL;
	struct places *places = NULL;
	struct spot *spot;
	bool moved;

	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	if (spot && spot->endpoint && spot->fd < 0 && spot->places) {
		places = talloc_steal(NULL, spot->places);
		spot->places = NULL;
		endpoint = spot_empty(watch, spot);
	}
	pthread_mutex_unlock(&watch->lock);
	if (!endpoint)
		return true;
	moved = places_moved(places, endpoint);
	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	if (spot && !spot->lent && !spot->endpoint) {
		spot->places = talloc_steal(spot, places);
		spot->endpoint = endpoint;
		endpoint = NULL;
	}
	pthread_mutex_unlock(&watch->lock);
	if (endpoint) { /* a job was faster; it has looked itself */
		talloc_free(places);
		talloc_free(endpoint);
	}
	return moved;
}

static bool wake(void *data, int64_t account, bool *all_r)
{
	struct watch *watch = data;
	enum reason reason = REASON_POLL;
	bool changed = false, needed;
	char *folder = NULL;
	int fd = -1;
	struct endpoint *endpoint = borrow(watch, account, &reason, &folder, &fd, all_r);
	struct fault *fault;

	if (!endpoint)
		*all_r = true;
	if (!endpoint)
		return wake_polled(watch, account);
	fault = listen_on(endpoint, reason, folder, &fd, &changed);
	talloc_free(folder);
	if (fault) {
		talloc_free(endpoint);
		return true;
	}
	pthread_mutex_lock(&watch->lock);
	needed = come_back(watch, account, endpoint, changed ? -1 : fd);
	pthread_mutex_unlock(&watch->lock);
	if (!needed)
		talloc_free(endpoint);
	return changed || !needed;
}

/* ---- what the loop calls ---- */

/* It is this account's turn; should no job come of it, it is polled. */
static int64_t tell(struct watch *watch, struct spot *spot, enum reason reason, int64_t now)
{
	int64_t next_us = now + interval_us(watch, spot);

	spot->reason = spot->poll_at_us <= now ? REASON_POLL : reason;
	spot->heard = false;
	if (spot->reason == REASON_POLL || next_us < spot->poll_at_us)
		spot->poll_at_us = next_us;
	spot->renew_at_us = INT64_MAX;
	spot->rest_until_us = now + WATCH_PAUSE_US;
	schedule(watch, spot);
	return spot->account;
}

static size_t tell_heard(struct watch *watch, const struct epoll_event *event, int64_t *accounts,
			 size_t count, int64_t now)
{
	struct spot *spot = spot_find(watch, (int64_t)event->data.u64);
	uint64_t rings;

	if (event->data.u64 == BELL)
		(void)!read(watch->bell, &rings, sizeof rings);
	if (!spot || spot->fd < 0)
		return count; /* taken meanwhile */
	if (now < spot->rest_until_us) {
		spot->heard = true;
		schedule(watch, spot);
		return count;
	}
	accounts[count] = tell(watch, spot, REASON_HEARD, now);
	return count + 1;
}

static size_t turn(struct watch *watch, int64_t *accounts, size_t max, int64_t now)
{
	struct epoll_event events[EVENTS_MAX];
	size_t count = 0;
	int n = 1;

	while (n > 0 && count < max) {
		size_t room = max - count < EVENTS_MAX ? max - count : EVENTS_MAX;

		n = epoll_wait(watch->epoll, events, (int)room, 0);
		for (int i = 0; i < n; i++)
			count = tell_heard(watch, &events[i], accounts, count, now);
	}
	while (count < max && watch->count && watch->heap[0]->due_us <= now) {
		struct spot *spot = watch->heap[0];

		accounts[count++] =
			tell(watch, spot, spot->heard ? REASON_HEARD : REASON_RENEW, now);
	}
	return count;
}

size_t watch_turn(struct watch *watch, int64_t *accounts, size_t max, int64_t *wait_us_r)
{
	int64_t now = clock_now_us(watch->clock);
	size_t count;

	assert(max > 0);
	pthread_mutex_lock(&watch->lock);
	watch->told_us = 0; /* nothing rings on the way */
	count = turn(watch, accounts, max, now);
	watch->told_us = watch->count ? watch->heap[0]->due_us : INT64_MAX;
	if (count == max)
		*wait_us_r = 0;
	else
		*wait_us_r = watch->told_us == INT64_MAX ? INT64_MAX : watch->told_us - now;
	pthread_mutex_unlock(&watch->lock);
	return count;
}

struct watch_figures watch_figures(struct watch *watch)
{
	struct watch_figures figures;

	pthread_mutex_lock(&watch->lock);
	figures = (struct watch_figures){ watch->count, watch->listening };
	pthread_mutex_unlock(&watch->lock);
	return figures;
}

int watch_fd(const struct watch *watch)
{
	return watch->epoll;
}

struct engine_park watch_park(struct watch *watch)
{
	return (struct engine_park){ .data = watch, .take = take, .give = give, .wake = wake };
}

/* ---- beginning and end ---- */

static int watch_close(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		talloc_free(watch->heap[i]->endpoint);
	HASH_CLEAR(hh, watch->spots);
	if (watch->bell >= 0)
		close(watch->bell);
	if (watch->epoll >= 0)
		close(watch->epoll);
	pthread_mutex_destroy(&watch->lock);
	return 0;
}

struct fault *watch_new(TALLOC_CTX *mem, struct clock *clock, struct watch **watch_r)
{
	struct watch *watch = MEM_NEW(mem, struct watch);
	struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = BELL } };

	watch->clock = clock;
	if (!clock) {
		watch->clock = MEM_NEW(watch, struct clock);
		watch->clock->now_us = monotonic_us;
		watch->wall_us = (int64_t)time(NULL) * CLOCK_SECOND_US - clock_now_us(watch->clock);
	}
	watch->told_us = INT64_MAX;
	watch->heap = MEM_ARRAY(watch, struct spot *, 0);
	pthread_mutex_init(&watch->lock, NULL);
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	talloc_set_destructor(watch, watch_close);
	if (watch->epoll < 0 || watch->bell < 0 ||
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->bell, &event)) {
		int error = errno;

		talloc_free(watch);
		return fault_new(mem, FAULT_IO, "no descriptor to watch accounts with: %s",
				 strerror(error));
	}
	*watch_r = watch;
	return NULL;
}
