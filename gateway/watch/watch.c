/* watch.c - one spot per account, a hash to find it and a heap by due time.
 *
 *                  turn                    wake, job needed               give
 *   parked ----------------> told --------------------------> (job) ----------------> parked
 *     ^                       |  wake: nothing of interest      |  failed
 *     |-----------------------'                                 `--> resting (until a job succeeds)
 *     `--- returning <--------'  wake: its connection has gone
 *
 * A parked spot has an endpoint that listens, or one that is asked, or none and takes a job. Its
 * descriptor is armed for one event (EPOLLONESHOT), so an account is told once and then not again
 * before it was parked anew; a spot that was told is polled meanwhile, so that nobody is forgotten
 * when no job comes of it.
 *
 * A spot that listens has one of its server's seats (seats.h). When there are none left, who was
 * active just now gets the seat of who has been quiet for longest, who leaves at its next turn, which
 * is now. Where a server tells of some folders only, the others are polled at the same pace as those
 * of an account that does not listen.
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

#include "gateway/watch/attend.h"
#include "gateway/watch/pace.h"
#include "gateway/watch/places.h"
#include "gateway/watch/seats.h"
#include "gateway/watch/ways.h"

#define EVENTS_MAX 64 /* of one system call */
#define BELL 0        /* no account has this id */

enum reason { REASON_POLL, REASON_HEARD, REASON_RENEW };

struct spot {
	int64_t account;
	struct seats *seats; /* of its server; NULL: nobody has given it yet */
	bool sits, leaving;  /* it has one; but not for long */
	struct endpoint *endpoint;
	struct endpoint_ear ear; /* its descriptor is in the epoll set */
	struct places *places;   /* all that are known; NULL: it takes a job */
	bool whole;              /* there are no others */
	bool rests;              /* it is enough to ask them */
	bool lent, heard;        /* heard: readable, but it was looked at a moment ago */
	bool returning;          /* its connection has gone, and comes back at renew_at_us */
	int64_t poll_us, poll_max_us;
	struct pace pace;
	uint64_t dice;
	int64_t poll_at_us, renew_at_us, rest_until_us;
	int64_t looked_us; /* what its looks have used up, at one a second */
	int64_t listen_until_us; /* what renew_at_us is while it is not told */
	int64_t due_us;          /* the first of all that; INT64_MAX: nothing */
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
	struct seats *seats; /* of all servers */
	int64_t told_us;     /* the next turn, as the loop knows it */
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
	spot->ear = ATTEND_DEAF;
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

	if (spot->ear.fd >= 0) {
		/* fails when the endpoint has closed it, which does the same */
		(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, spot->ear.fd, NULL);
		watch->listening--;
	}
	spot->endpoint = NULL;
	spot->ear = ATTEND_DEAF;
	spot->heard = spot->returning = false;
	spot->renew_at_us = INT64_MAX;
	return endpoint;
}

/* Gives an empty spot its endpoint. EAR without a descriptor: it is only kept; the same when the
 * system lets us listen to no more. ANEW: it has begun to listen just now. */
static void spot_fill(struct watch *watch, struct spot *spot, struct endpoint *endpoint,
		      const struct endpoint_ear *ear, bool anew)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
				     .data = { .u64 = (uint64_t)spot->account } };

	spot->endpoint = endpoint;
	if (ear->fd < 0 || epoll_ctl(watch->epoll, EPOLL_CTL_ADD, ear->fd, &event))
		return;
	spot->ear = *ear;
	watch->listening++;
	if (anew)
		spot->listen_until_us = clock_now_us(watch->clock) + WATCH_RENEW_US -
					(int64_t)(pace_dice(&spot->dice) % (WATCH_RENEW_US / 5));
	spot->renew_at_us = spot->listen_until_us;
}

static size_t place_count(const struct spot *spot)
{
	size_t count = 0;

	if (spot->places)
		(void)places_folders(spot->places, &count);
	return count;
}

/* Whether nothing has to be polled while it listens. */
static bool hears_all(const struct spot *spot)
{
	return spot->whole && attend_hears_all(&spot->ear, place_count(spot));
}

/* ---- seats ---- */

static struct seats *seats_of(struct watch *watch, const struct conf_server *server)
{
	struct seats *seats = watch->seats;

	while (seats && seats->server != server)
		seats = seats->next;
	if (seats)
		return seats;
	seats = MEM_NEW(watch, struct seats);
	seats->server = server;
	seats->next = watch->seats;
	watch->seats = seats;
	return seats;
}

static void sit(struct spot *spot, bool sits)
{
	if (spot->sits != sits)
		spot->seats->taken += sits ? 1 : SIZE_MAX; /* less one */
	spot->sits = sits;
	spot->leaving = false;
}

/* Of those that sit at SEATS, were quiet since BEFORE_US and are not about to leave, the one that has
 * been so for longest; NULL: there is none. */
static struct spot *quietest(struct watch *watch, const struct seats *seats, int64_t before_us)
{
	struct spot *least = NULL;

	for (size_t i = 0; i < watch->count; i++) {
		struct spot *spot = watch->heap[i];

		if (spot->seats == seats && spot->ear.fd >= 0 && !spot->leaving &&
		    spot->pace.active_us <= before_us &&
		    (!least || spot->pace.active_us < least->pace.active_us))
			least = spot;
	}
	return least;
}

/* It leaves when it is woken, which is now. */
static bool send_away(struct watch *watch, struct spot *spot)
{
	if (!spot)
		return false;
	spot->leaving = true;
	spot->renew_at_us = clock_now_us(watch->clock);
	schedule(watch, spot);
	return true;
}

/* An account that ACTIVE says was active just now comes to SEATS; true: it has one. */
static bool find_seat(struct watch *watch, struct spot *spot, bool active)
{
	int64_t now = clock_now_us(watch->clock);

	if (spot->leaving)
		sit(spot, false);
	if (!spot->sits &&
	    (seats_has_room(spot->seats, now) ||
	     (active && send_away(watch, quietest(watch, spot->seats, now - SEATS_QUIET_US)))))
		sit(spot, true);
	return spot->sits;
}

/* The server has too many connections: some leave. */
static void make_room(struct watch *watch, struct seats *seats)
{
	int64_t now = clock_now_us(watch->clock);
	size_t leave;

	if (!seats_crowded(seats, now))
		return;
	leave = seats->taken - seats_limit(seats, now);
	while (leave && send_away(watch, quietest(watch, seats, now)))
		leave--;
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
		sit(spot, false);
		spot_remove(watch, spot);
	}
	pthread_mutex_unlock(&watch->lock);
	talloc_free(old);
}

/* Before an account is parked: its spot, and whether its endpoint may listen. */
static bool receive(struct watch *watch, const struct engine_parked *parked,
		    const struct endpoint *endpoint)
{
	struct spot *spot;
	bool sits;

	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, parked->account);
	if (!spot)
		spot = spot_add(watch, parked->account);
	spot->seats = seats_of(watch, parked->server);
	if (parked->crowded)
		make_room(watch, spot->seats);
	if (!endpoint || !endpoint_can_listen(endpoint) || !parked->place_count)
		sit(spot, false);
	else
		(void)find_seat(watch, spot, parked->active);
	sits = spot->sits;
	pthread_mutex_unlock(&watch->lock);
	return sits;
}

/* Parks what a job left. Returns the endpoint that is not needed any more. */
static struct endpoint *park(struct watch *watch, struct spot *spot,
			     const struct engine_parked *parked, const struct attend *attend,
			     enum attend_end end)
{
	struct endpoint *old = spot_empty(watch, spot);

	spot->lent = false;
	spot->whole = parked->whole;
	spot->rests = parked->rests;
	spot->poll_us = parked->server->poll_us;
	spot->poll_max_us = parked->server->poll_max_us;
	if (parked->active)
		pace_happened(&spot->pace, clock_now_us(watch->clock), wall_us(watch));
	places_take(spot, &spot->places, attend->endpoint ? parked->places : NULL,
		    parked->place_count);
	if (attend->endpoint)
		spot_fill(watch, spot, attend->endpoint, &attend->ear, true);
	if (spot->ear.fd < 0 && end != ATTEND_MOVED)
		sit(spot, false);
	spot->poll_at_us = INT64_MAX;
	if (!parked->failed && !hears_all(spot))
		spot->poll_at_us = clock_now_us(watch->clock) + interval_us(watch, spot);
	return old;
}

/* A look is made NOW: when the next one may be. */
static void count_look(struct spot *spot, int64_t now)
{
	if (spot->looked_us < now)
		spot->looked_us = now;
	spot->looked_us += WATCH_PAUSE_US;
	spot->rest_until_us = spot->looked_us - (WATCH_AT_ONCE - 1) * WATCH_PAUSE_US;
}

/* Something has changed already: true when it may be looked at once more now. */
static bool may_look(struct watch *watch, struct spot *spot)
{
	int64_t now = clock_now_us(watch->clock);

	if (now < spot->rest_until_us) {
		spot->poll_at_us = spot->rest_until_us;
		spot->rests = false; /* it is known already that something has moved */
		return false;
	}
	count_look(spot, now);
	return true;
}

/* What an endpoint that a job left does from now on; freed when it fails at it. */
static enum attend_end begin(struct attend *attend)
{
	enum attend_end end;

	if (!attend->endpoint)
		return ATTEND_QUIET;
	end = attend_listen(attend);
	if (end == ATTEND_LOST)
		TALLOC_FREE(attend->endpoint);
	return end;
}

static bool give(void *data, const struct engine_parked *parked)
{
	struct attend attend = { .endpoint = parked->endpoint,
				 .folders = parked->places,
				 .count = parked->place_count,
				 .ear = ATTEND_DEAF };
	struct watch *watch = data;
	struct endpoint *old;
	enum attend_end end;
	struct spot *spot;
	bool changed;

	if (parked->gone || parked->failed)
		TALLOC_FREE(attend.endpoint);
	if (parked->gone) {
		forget(watch, parked->account);
		return false;
	}
	attend.sits = receive(watch, parked, attend.endpoint);
	end = begin(&attend);
	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, parked->account);
	old = park(watch, spot, parked, &attend, end);
	changed = end == ATTEND_MOVED && may_look(watch, spot);
	schedule(watch, spot);
	pthread_mutex_unlock(&watch->lock);
	talloc_free(old);
	return changed;
}

/* ---- waking ---- */

enum turn { TURN_HEARD, TURN_RENEW, TURN_POLL, TURN_RETURN, TURN_LEAVE };

struct lent {
	struct attend attend;
	enum turn turn;
	bool whole; /* what goes for all its folders goes for the account */
};

static enum turn turn_of(const struct spot *spot)
{
	if (spot->leaving)
		return TURN_LEAVE;
	if (spot->returning)
		return TURN_RETURN;
	if (spot->ear.fd < 0 || spot->reason == REASON_POLL)
		return TURN_POLL;
	return spot->reason == REASON_HEARD ? TURN_HEARD : TURN_RENEW;
}

/* Lends the endpoint of an account whose turn it is. False: it takes a job. */
static bool lend(struct watch *watch, struct spot *spot, struct lent *lent)
{
	struct attend *attend = &lent->attend;

	if (!spot || !spot->endpoint || !spot->places)
		return false;
	lent->turn = turn_of(spot);
	if (lent->turn == TURN_POLL && !spot->rests)
		return false;
	if (lent->turn == TURN_POLL && endpoint_can_listen(spot->endpoint))
		(void)find_seat(watch, spot, false);
	lent->whole = spot->whole;
	attend->sits = spot->sits;
	attend->ear = spot->ear;
	attend->places = talloc_steal(NULL, spot->places);
	attend->folders = places_folders(attend->places, &attend->count);
	spot->places = NULL;
	attend->endpoint = spot_empty(watch, spot);
	return true;
}

static enum attend_end attend_turn(struct lent *lent)
{
	switch (lent->turn) {
	case TURN_HEARD:
		return attend_heard(&lent->attend);
	case TURN_RENEW:
		return attend_renew(&lent->attend);
	case TURN_POLL:
		return attend_poll(&lent->attend);
	case TURN_RETURN:
		return attend_listen(&lent->attend);
	case TURN_LEAVE:
		break;
	}
	return attend_rest(&lent->attend);
}

/* The endpoint comes back to its spot, which waits for it. */
static enum engine_wake come_back(struct watch *watch, struct spot *spot, struct lent *lent,
				  enum attend_end end)
{
	enum engine_wake wake = ENGINE_WAKE_JOB;

	spot->places = talloc_steal(spot, lent->attend.places);
	spot_fill(watch, spot, lent->attend.endpoint, &lent->attend.ear, lent->turn != TURN_HEARD);
	if (end == ATTEND_QUIET) {
		if (spot->ear.fd < 0)
			sit(spot, false);
		if (hears_all(spot))
			spot->poll_at_us = INT64_MAX;
		wake = ENGINE_WAKE_NOTHING;
	} else if (end == ATTEND_LOST && lent->turn != TURN_RETURN) {
		spot->returning = true;
		spot->renew_at_us =
			seats_return_us(spot->seats, clock_now_us(watch->clock), &spot->dice);
		wake = ENGINE_WAKE_LATER;
	}
	schedule(watch, spot);
	return wake;
}

static enum engine_wake wake(void *data, int64_t account, bool *all_r)
{
	enum engine_wake wake = ENGINE_WAKE_JOB;
	struct lent lent = { .whole = false };
	struct watch *watch = data;
	enum attend_end end;
	struct spot *spot;
	bool asked, wanted;

	pthread_mutex_lock(&watch->lock);
	asked = lend(watch, spot_find(watch, account), &lent);
	pthread_mutex_unlock(&watch->lock);
	*all_r = true;
	if (!asked)
		return ENGINE_WAKE_JOB;
	end = attend_turn(&lent);
	*all_r = lent.turn == TURN_POLL ||
		 (lent.whole && attend_hears_all(&lent.attend.ear, lent.attend.count));
	pthread_mutex_lock(&watch->lock);
	spot = spot_find(watch, account);
	wanted = spot && !spot->lent && !spot->endpoint;
	if (wanted)
		wake = come_back(watch, spot, &lent, end);
	pthread_mutex_unlock(&watch->lock);
	if (wanted && wake == ENGINE_WAKE_JOB && lent.attend.missed)
		return ENGINE_WAKE_MISSED;
	if (wanted)
		return wake == ENGINE_WAKE_JOB && lent.turn == TURN_HEARD ? ENGINE_WAKE_HEARD
									  : wake;
	/* a job was faster; it has looked itself */
	talloc_free(lent.attend.places);
	talloc_free(lent.attend.endpoint);
	return end == ATTEND_QUIET && lent.turn == TURN_POLL ? ENGINE_WAKE_NOTHING
							     : ENGINE_WAKE_JOB;
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
	count_look(spot, now);
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
	if (!spot || spot->ear.fd < 0)
		return count; /* taken meanwhile */
	if (now < spot->rest_until_us) {
		spot->heard = true;
		schedule(watch, spot);
		return count;
	}
	accounts[count] =
		tell(watch, spot, spot->renew_at_us <= now ? REASON_RENEW : REASON_HEARD, now);
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

/* In steps of a tenth, so that those of which much the same is to be said stand together. */
static int64_t about(int64_t seconds)
{
	int64_t step = 1;

	while (seconds / step >= 100)
		step *= 10;
	return seconds / step * step;
}

static struct ways_account way_of(struct watch *watch, struct spot *spot)
{
	struct ways_account way = { .account = spot->account,
				    .how = spot->ear.how ? spot->ear.how : "polled" };

	if (!hears_all(spot))
		way.every_s = about(pace_interval_us(&spot->pace, spot->poll_us, spot->poll_max_us,
						     clock_now_us(watch->clock), wall_us(watch)) /
				    CLOCK_SECOND_US);
	return way;
}

char *watch_ways(struct watch *watch, TALLOC_CTX *mem, size_t max)
{
	struct ways_account *list;
	size_t count;
	char *text;

	pthread_mutex_lock(&watch->lock);
	count = watch->count;
	list = MEM_ARRAY(mem, struct ways_account, count);
	for (size_t i = 0; i < count; i++)
		list[i] = way_of(watch, watch->heap[i]);
	pthread_mutex_unlock(&watch->lock);
	text = ways_text(mem, list, count, max);
	talloc_free(list);
	return text;
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
