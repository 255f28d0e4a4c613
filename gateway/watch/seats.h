/* seats.h - how many connections stay open to one server while nothing happens on them: its seats. Pure.
 *
 * A person's own clients need room on the server too, so there are no more seats than the
 * configuration says (`connections`), for a while fewer when the server has said that there are too
 * many connections. One account has one seat at most. Who has none is polled, over a connection that
 * ends at once.
 *
 * When a server begins again all its connections are gone at once; they do not come back at once.
 */
#ifndef TASKFERRY_SEATS_H
#define TASKFERRY_SEATS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "conf/conf.h"

/* A server that has too many connections gets this long to find room, before we come back. */
#define SEATS_CROWDED_US (10 * 60 * CLOCK_SECOND_US)
/* Many refusals in a minute have one reason. */
#define SEATS_CROWDED_AGAIN_US (60 * CLOCK_SECOND_US)
/* Of those that have a seat, this part leaves: a quarter, at least one. */
#define SEATS_CROWDED_SHARE 4
/* So much quieter has to be who gives a seat to another; else they would take turns all the time. */
#define SEATS_QUIET_US (60 * CLOCK_SECOND_US)
/* Connections that were lost come back at most a hundred a second: a server that begins takes a few
 * milliseconds for each. */
#define SEATS_RETURN_US (CLOCK_SECOND_US / 100)
/* And each within this time after its turn, so that several services do not come in step. */
#define SEATS_RETURN_JITTER_US CLOCK_SECOND_US

struct seats {
	const struct conf_server *server;
	size_t taken;
	size_t lowered; /* that many only, until: */
	int64_t lowered_until_us, lowered_at_us;
	int64_t return_us; /* the last turn that was given away */
	struct seats *next;
};

size_t seats_limit(const struct seats *seats, int64_t now_us);
bool seats_has_room(const struct seats *seats, int64_t now_us);

/* The server has too many connections. False: that is known. */
bool seats_crowded(struct seats *seats, int64_t now_us);

/* When a connection that was lost may come back, by the dice of its account. */
int64_t seats_return_us(struct seats *seats, int64_t now_us, uint64_t *dice);

#endif
