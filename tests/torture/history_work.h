/* history_work.h - what the model knows of reported work: each line is booked once. */
#ifndef TASKFERRY_TESTS_HISTORY_WORK_H
#define TASKFERRY_TESTS_HISTORY_WORK_H

#include "../scenario/client.h"

struct history_work {
	const char *who, *title;
	char *const *lines; /* that the person wrote into the notes */
	size_t count;
	int64_t assignment;
	int64_t says; /* the project's actual work, minutes */
};

/* Each line once, and the sum of them. */
void history_work_check(struct world *world, TALLOC_CTX *mem, const struct history_work *work);

/* A line that stands in the item is booked. */
void history_work_check_item(struct world *world, TALLOC_CTX *mem, const struct history_work *work,
			     const struct client_item *item);

#endif
