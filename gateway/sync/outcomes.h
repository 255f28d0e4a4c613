/* outcomes.h - how it went with each account of a `sync`, and the lines that tell it. */
#ifndef TASKFERRY_OUTCOMES_H
#define TASKFERRY_OUTCOMES_H

#include "gateway/sync/engine.h"

struct outcomes;

struct outcomes *outcomes_new(TALLOC_CTX *mem);

/* The last word counts: what went wrong on the way to a success is no news. FAULT NULL: the account
 * was served. All is copied but SERVER. */
void outcomes_set(struct outcomes *outcomes, int64_t account, const char *resource,
		  const struct conf_server *server, const struct fault *fault);

bool outcomes_has(const struct outcomes *outcomes, int64_t account);

/* Counts the accounts into RESULT and puts a line for each trouble into its report. A server that
 * does not answer is one line, however many accounts wait for it. */
void outcomes_tell(const struct outcomes *outcomes, struct sync_result *result);

#endif
