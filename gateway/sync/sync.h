/* sync.h - what the commands `publish` and `sync` do. */
#ifndef TASKFERRY_SYNC_H
#define TASKFERRY_SYNC_H

#include "gateway/sync/engine.h"

struct sync_env {
	const struct conf *conf;
	struct clock *clock;
	struct points *points;
	struct store *store; /* sync_run() takes it over; NULL: it opens one */
};

/* Marks a project as published and makes one job per person and account. People without an address
 * or an account are named in NOTES (a report), the rest goes on. One transaction. */
struct fault *sync_publish(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			   struct project *project, struct round_report *notes,
			   int64_t *jobs_r) ATTR_MUST_CHECK;

/* Makes a pull job for every account concerned and works until nothing is due any more, or
 * ENGINE_PATIENCE_US of waiting are over: an engine with one request. A dry run only looks, one
 * account after the other, and writes nothing anywhere. Only what concerns the whole site is a
 * fault. */
struct fault *sync_run(TALLOC_CTX *mem, const struct sync_env *env,
		       const struct sync_options *options,
		       struct sync_result **result_r) ATTR_MUST_CHECK;

#endif
