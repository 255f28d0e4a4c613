/* attend.h - what is done with one account's endpoint between two jobs: it listens, is asked, or rests.
 * Blocks as the endpoint does; by one thread at a time.
 */
#ifndef TASKFERRY_ATTEND_H
#define TASKFERRY_ATTEND_H

#include "gateway/watch/places.h"

struct attend {
	struct endpoint *endpoint;
	const struct endpoint_sweep *folders; /* all of them, the busiest first */
	size_t count;
	struct places *places; /* of the same; NULL: attend_poll() is not called */
	bool sits;             /* it may keep its connection */
	struct endpoint_ear ear;
	bool missed; /* out: of what has moved it should have heard before */
};

enum attend_end {
	ATTEND_QUIET, /* nothing has happened; it listens if `ear` has a descriptor, else it rests */
	ATTEND_MOVED, /* something has, or could not be told; it does not listen */
	ATTEND_LOST,  /* the connection has gone, or it does not want to listen */
};

/* What it is when it does not listen. */
#define ATTEND_DEAF                                                                                \
	(struct endpoint_ear)                                                                      \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* It does not listen yet. */
enum attend_end attend_listen(struct attend *attend);

/* It listens, and its descriptor was readable: goes on listening if that was nothing. */
enum attend_end attend_heard(struct attend *attend);

/* It listens; begins anew. */
enum attend_end attend_renew(struct attend *attend);

/* It listens or not: asks the folders that it does not tell of, then listens to the others (again). */
enum attend_end attend_poll(struct attend *attend);

/* The connection goes. */
enum attend_end attend_rest(struct attend *attend);

/* True when it tells of all, for certain. */
bool attend_hears_all(const struct endpoint_ear *ear, size_t count);

#endif
