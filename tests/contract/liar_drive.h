/* liar_drive.h - every operation of a CalDAV endpoint, done against a liar (liar.h). */
#ifndef TASKFERRY_LIAR_DRIVE_H
#define TASKFERRY_LIAR_DRIVE_H

#include "lab.h"
#include "liar.h"

struct drive {
	struct lab *lab;
	struct liar *liar;
	struct endpoint *endpoint;
	int serial;        /* of the next item to be made */
	const char *token; /* of the last listing, NULL: none */
};

/* A server with a.ics, b.ics and c.ics, and an account on it. The lab belongs to the caller. */
struct drive drive_new(void);

/* What the items say at first. */
extern const char drive_a[], drive_b[];

/* Does what makes the endpoint send a request of that kind first; fails the test when what is told
 * without a fault is not what the server holds. Returns the fault of the item or of the whole. */
struct fault *drive_once(struct drive *drive, enum caldav_op op);

/* The kinds that drive_once() knows. */
bool drive_can(enum caldav_op op);

#endif
