/* sync.h - jobs made and jobs worked off: what `publish` and `sync` do, and later the service. */
#ifndef TASKFERRY_SYNC_H
#define TASKFERRY_SYNC_H

#include "gateway/net/http.h"
#include "gateway/sync/round.h"

#define SYNC_WORKERS 4 /* accounts worked on at once */
#define SYNC_PATIENCE_US                                                                           \
	(30 * CLOCK_SECOND_US) /* `sync` waits that long for settle times and back-off (DESIGN     \
				  section 10) */
#define SYNC_LOGINS_MAX 3      /* refused logins of one account in an hour (DESIGN section 8) */

struct sync_options {
	const struct account *account; /* only this one; NULL: all */
	const struct project *project; /* only this one; NULL: all published */
	bool full, dry_run;
	/* how far the pushing is, in items of the folder that is worked on; from a worker's thread,
	 * one at a time; may be NULL */
	void (*progress)(void *data, const char *what, int64_t done, int64_t total);
	void *data;
};

struct sync_env {
	const struct conf *conf;
	struct clock *clock;
	struct points *points;
};

/* What a run came to. `notes` of the report hold every line that a person should read. */
struct sync_result {
	struct round_report *report;
	int64_t served, unreachable, held_accounts; /* accounts */
	int64_t waiting_jobs, dead_jobs;
	struct http_stats http;
};

/* Marks a project as published and makes one job per person and account. People without an address
 * or an account are named in NOTES (a report), the rest goes on. One transaction. */
struct fault *sync_publish(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			   struct project *project, struct round_report *notes,
			   int64_t *jobs_r) ATTR_MUST_CHECK;

/* Makes a pull job for every account concerned and works until nothing is due any more, or
 * SYNC_PATIENCE_US of waiting are over. Only what concerns the whole site is a fault. */
struct fault *sync_run(TALLOC_CTX *mem, const struct sync_env *env,
		       const struct sync_options *options,
		       struct sync_result **result_r) ATTR_MUST_CHECK;

#endif
