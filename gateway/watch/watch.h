/* watch.h - who has to be looked at, and when.
 *
 * Keeps the connections of accounts between two jobs (struct engine_park) and tells whose turn it
 * is: whose server has announced something, who is to be polled, whose IDLE has to be renewed. All
 * parked descriptors stand in one epoll set, which is itself a descriptor: whoever turns the loop
 * waits for that one, and calls watch_turn() when it is readable or the time has come.
 *
 * How often an account is polled follows from what happens in it (pace.h). An account of which nothing
 * waits is polled without a job and without the database: its endpoint is kept, with the folders and
 * their tokens, and asked whether any has moved.
 *
 * Workers park and take accounts while the loop waits, without asking it. What blocks (LOGOUT,
 * DONE, reading TLS) is done by the workers, outside of the lock.
 */
#ifndef TASKFERRY_WATCH_H
#define TASKFERRY_WATCH_H

#include "base/clock.h"
#include "gateway/sync/engine.h"

/* RFC 2177: IDLE is to be issued again at least every 29 minutes. Each account's time is a little
 * shorter, so that thousands do not come in step. */
#define WATCH_RENEW_US (28 * 60 * CLOCK_SECOND_US)
/* A server that announces without end costs one look a second in the long run. What people do comes in
 * twos and threes (a star, then a tag; a move is a copy and a removal): so many looks wait for nothing,
 * and each second gives back one. */
#define WATCH_PAUSE_US CLOCK_SECOND_US
#define WATCH_AT_ONCE 4

struct watch;

/* CLOCK must never jump; NULL: the system's monotonic one. IO fault: no descriptors left. */
struct fault *watch_new(TALLOC_CTX *mem, struct clock *clock,
			struct watch **watch_r) ATTR_MUST_CHECK;

/* For engine_new(). An account is known from the first time that a job of it was given. One whose
 * job failed is left alone until a job of it succeeds: the queue tries it again. */
struct engine_park watch_park(struct watch *watch);

/* Readable when watch_turn() has something to tell, or when it is to be called sooner than it said.
 * Belongs to the watch. */
int watch_fd(const struct watch *watch);

/* At most MAX accounts whose turn it is; returns how many. *WAIT_US_R: how long until the next one,
 * 0: there are more now, INT64_MAX: nobody is waited for. Takes no longer than a few system calls.
 * One thread. */
size_t watch_turn(struct watch *watch, int64_t *accounts, size_t max, int64_t *wait_us_r);

/* How many accounts are known, and how many of them listen. Any thread. */
struct watch_figures {
	size_t watched, listening;
};
struct watch_figures watch_figures(struct watch *watch);

/* How each account is watched, as ways_text(). Any thread. */
char *watch_ways(struct watch *watch, TALLOC_CTX *mem, size_t max);

#endif
