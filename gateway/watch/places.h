/* places.h - the folders of one account, and whether any of them has moved: asked of its endpoint, without
 * the database.
 */
#ifndef TASKFERRY_PLACES_H
#define TASKFERRY_PLACES_H

#include "gateway/endpoint.h"

struct places;

/* *PLACES, of SPOT, become copies of COUNT folders with their tokens; NULL when there are none. */
void places_take(TALLOC_CTX *spot, struct places **places, const struct endpoint_sweep *folders,
		 size_t count);

/* For endpoint_listen(); they belong to PLACES. */
const struct endpoint_sweep *places_folders(const struct places *places, size_t *count_r);

/* True when something has moved in the folders from FIRST on, or it could not be told. A server that
 * repeats an answer that a job has been made for since says nothing new by it. */
bool places_moved(struct places *places, size_t first, struct endpoint *endpoint);

#endif
