/* engine.h - workers that take jobs from the queue: what `sync` (until nothing is due) and the
 * service (for ever) have in common.
 *
 * A bounded pool of threads runs rounds as plain blocking code. What is to be done stands in the
 * queue only; so every way to wake the engine (a poke, a woken account, a job that becomes due)
 * ends in "look into the queue". One idle worker waits for the next due time, the others for a
 * signal; an idle engine uses no CPU but one look at the database's data_version a second, by which
 * it notices changes of other processes.
 *
 * N6: a server that does not answer has a breaker, one worker at a time finds out whether it
 * answers again, and no server occupies more than a quarter of the workers (at least one), unless
 * it is the only one of the configuration. An account that is held is left alone for an hour, unless
 * a person says otherwise. What a server, an account and a job come to is decided in engine_server.c
 * and engine_job.c.
 */
#ifndef TASKFERRY_ENGINE_H
#define TASKFERRY_ENGINE_H

#include "base/log.h"
#include "gateway/net/http.h"
#include "gateway/net/stream.h"
#include "gateway/sync/round.h"

#define ENGINE_WORKERS 16     /* of the service (DESIGN section 9: under 26 threads in all) */
#define ENGINE_SYNC_WORKERS 8 /* of the command `sync` */
#define ENGINE_PATIENCE_US                                                                         \
	(30 * CLOCK_SECOND_US) /* `sync` waits that long for settle times and back-off */
#define ENGINE_LOGINS_MAX 3    /* refused logins of one account in an hour (DESIGN section 8) */

/* Shared by all threads; all outlive the engine. */
struct engine_env {
	const struct conf *conf;
	struct clock *clock;
	struct points *points;
	struct log *log; /* NULL: no log lines */
	struct http *http;
	struct trusts *trusts;
	int stop_fd;         /* readable: network waits end with TRY_LATER; -1: none */
	struct store *store; /* the first worker's, who keeps it from engine_start() on; NULL: it
				opens one */
};

/* An endpoint between two jobs of its account. */
struct engine_parked {
	int64_t account;
	const struct conf_server *server;
	struct endpoint
		*endpoint;  /* a talloc root of its own; NULL: none (polling only, or it broke) */
	/* its folders with their tokens, as far as they have been made, the one where something
	 * happened last in front. The receiver copies them */
	const struct endpoint_sweep *places;
	size_t place_count;
	bool whole; /* there is no other: while all of them are listened to, nothing has to be
		     * polled */
	bool rests; /* nothing waits in any of them, and it is enough to ask whether one has moved;
		     * else the next look takes a job */
	bool active; /* something was read, changed or written */
	bool failed; /* the job ended with a fault of account or server */
	bool crowded; /* and it was that the server has too many connections */
	bool gone;   /* the account has no published project any more: forget it */
};

/* What came of waking an account. */
enum engine_wake {
	ENGINE_WAKE_NOTHING, /* of interest ("* OK Still here"): its server has answered, the account is
				parked again and needs no job */
	ENGINE_WAKE_JOB,
	ENGINE_WAKE_HEARD, /* a job likewise, which endpoint_follow()s what it has heard, if it comes
			      at once */
	ENGINE_WAKE_MISSED, /* a job likewise; its server should have told before, and has not */
	ENGINE_WAKE_LATER, /* its connection has gone; another one is made when it is woken again */
};

/* Where endpoints stay between two jobs; the service has one, `sync` none (then an endpoint ends
 * with its job). Called by workers, for one account by one thread at a time. */
struct engine_park {
	void *data;
	/* the account's endpoint, or NULL; it is the caller's now, who ends its listening */
	struct endpoint *(*take)(void *data, int64_t account);
	/* takes over what a job left, and the endpoint with it. True: something has changed since
	 * the job looked; the engine looks again at once */
	bool (*give)(void *data, const struct engine_parked *parked);
	/* before the job of an account of engine_look() is made: takes what has come, by the
	 * account's own connection, or asks whether anything has moved, without SQL. *ALL_R: what it
	 * says goes for all of its folders. May be NULL: always ENGINE_WAKE_JOB */
	enum engine_wake (*wake)(void *data, int64_t account, bool *all_r);
};

/* One call of `sync`. */
struct sync_options {
	const struct account *account; /* only this one; NULL: all */
	const struct project *project; /* only this one; NULL: all published */
	bool full, dry_run;
	/* how far the pushing is, in items; from a worker's thread, one at a time; may be NULL */
	void (*progress)(void *data, const char *what, int64_t done, int64_t total);
	void *data;
};

/* What it came to. `notes` of the report hold every line that a person should read. */
struct sync_result {
	struct round_report *report;
	int64_t served, unreachable, held_accounts; /* accounts */
	int64_t waiting_jobs, dead_jobs;
	struct endpoint_stats stats;
};

struct engine;

/* Nothing runs yet. PARK may be NULL. Freeing stops it and waits for all threads. */
struct fault *engine_new(TALLOC_CTX *mem, const struct engine_env *env, int workers,
			 const struct engine_park *park, struct engine **engine_r) ATTR_MUST_CHECK;

/* Starts the threads. EVERYBODY: a pull job for every account with a published project, due one after
 * the other within a minute (the service's beginning). A fault belongs to the engine's MEM. */
struct fault *engine_start(struct engine *engine, bool everybody) ATTR_MUST_CHECK;

/* Something changed in the database: look. Any thread, never blocks. */
void engine_poke(struct engine *engine);

/* Something woke these accounts (push, or it is time to poll): each gets a pull job, made by a
 * worker. Any thread, never blocks for long. */
void engine_look(struct engine *engine, const int64_t *accounts, size_t count);

/* Pull jobs for all accounts that OPTIONS concern, and what follows from them, until nothing of it
 * is due any more or the patience is over. DONE is called once, by a worker's thread (by
 * engine_join()'s caller when there is none any more), with a result
 * (the receiver's: talloc_steal it, or copy) or a fault (of the whole site, or TRY_LATER when the
 * engine was stopped); what OPTIONS point to is copied. Any thread; several requests at once are
 * allowed, each sees what happens to its accounts while it waits. dry_run is not for here. */
typedef void engine_done(void *data, struct sync_result *result, const struct fault *fault);
void engine_request(struct engine *engine, const struct sync_options *options, engine_done *done,
		    void *data);

/* No new jobs from now on; the running ones end by themselves. */
void engine_stop(struct engine *engine);

/* Waits until all threads have ended, at most PATIENCE_US (then false: they still run). */
bool engine_join(struct engine *engine, int64_t patience_us);

/* For `status` and tests. */
struct engine_figures {
	int workers, busy;
	int64_t jobs_done, jobs_failed;
	int64_t polls; /* without a job, that found nothing */
	struct endpoint_stats stats;
};
struct engine_figures engine_figures(struct engine *engine);

/* The fault that ended the engine (database gone, disk full ...); NULL: none. Belongs to MEM. */
struct fault *engine_fault(struct engine *engine, TALLOC_CTX *mem);

#endif
