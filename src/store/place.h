/* place.h - where an account's folders are made: what was found out, as it is remembered. */
#ifndef TASKFERRY_PLACE_H
#define TASKFERRY_PLACE_H

#include "store/store.h"

struct place {
	int64_t account_id;
	const char *asked;	     /* what of the configuration it follows from */
	const char *origin, *home;   /* together: what no two accounts share */
	const char *principal, *how; /* or NULL */
	int64_t found_us;
};

/* *PLACE_R NULL: nothing is remembered. */
struct fault *place_get(struct store *store, TALLOC_CTX *mem, int64_t account,
			struct place **place_r) ATTR_MUST_CHECK;

/* In the caller's write transaction. */
struct fault *place_set(struct store *store, const struct place *place) ATTR_MUST_CHECK;

/* The places of other accounts that are the same. */
struct fault *place_same(struct store *store, TALLOC_CTX *mem, const struct place *place,
			 struct place **list_r, size_t *count_r) ATTR_MUST_CHECK;

#endif
