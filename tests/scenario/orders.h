/* orders.h - faults that a scenario orders from a real server: what becomes of the N-th item of an
 * operation of rounds, counted from the order. The words are those of a server in memory
 * (gateway/memory/memory.h). */
#ifndef TASKFERRY_TESTS_ORDERS_H
#define TASKFERRY_TESTS_ORDERS_H

#include "base/fault.h"

struct order {
	const char *operation, *word;
	int64_t left; /* items to go */
};

struct orders {
	TALLOC_CTX *mem;
	struct order *list;
	size_t count;
};

/* The FROM_NOW-th (1: the next). Fails the test where it is no word. */
void orders_add(struct orders *orders, const char *operation, int64_t from_now, const char *word);

/* What is ordered for the next item of that operation, or NULL. */
const char *orders_next(struct orders *orders, const char *operation);

/* The fault of a word that means one: the item is not tried. NULL: it is. */
struct fault *orders_fault(TALLOC_CTX *mem, const char *word);

/* Done, and no answer came. */
struct fault *orders_lost(TALLOC_CTX *mem);

/* "denied-KIND": it is done, and answered by that fault all the same. KIND, or NULL: it is no such
 * word. */
const char *orders_denied(const char *word);

#endif
