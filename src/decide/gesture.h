/* gesture.h - what a person meant by the status, percentage and completion date that a client
 * wrote.
 *
 * Clients write the three in every combination and invent numbers: 1, 50, 99 or 0 with a change of
 * status is a gesture, not a measurement (model/writer.h: who invents which; model/habit.h: what
 * they mean). So what counts is what changed since `seen`, status before percent before date.
 */
#ifndef TASKFERRY_GESTURE_H
#define TASKFERRY_GESTURE_H

#include "model/vector.h"

struct gesture_input {
	const struct vector
		*seen; /* as last read; NULL: first contact, then everything is as written */
	const struct vector *now; /* as read now */
	const struct vector *
		agreed; /* status, percent and date as they were agreed (the project's), coherent */
	const char *writer;  /* the PRODID of the client that wrote NOW, or NULL */
	int64_t own_percent; /* the last agreed percentage below 100, which an un-check brings back
			      */
	int64_t changed_us; /* when the item was changed: the completion date of a tick that carries
			       none */
};

/* NOW with a coherent status, percentage and date. A percentage outside of 0..100 that the person
 * changed is kept as it is, for the rules to judge. Pure. */
struct vector *gesture_read(TALLOC_CTX *mem, const struct gesture_input *input);

/* Makes the progress of NOW absent where PROJECT is a summary task's and the client of that PRODID
 * computes it from the tasks below: nobody reported anything, so it is neither taken nor refused
 * nor put right. From any other client it goes to the rules. */
void gesture_drop_computed(struct vector *now, const struct vector *project, const char *writer);

/* What the person wrote that READ, gesture_read() of INPUT, leaves out because something that counts
 * for more was written with it, and that no client invents: percentage and date have to be kept (N1).
 */
bool gesture_leaves(const struct gesture_input *input, const struct vector *read, enum field field);

#endif
