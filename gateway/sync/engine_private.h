/* engine_private.h - what the files of the engine share.
 *
 * Two locks, never held at once, never while the database or the network is asked:
 *   lock   what is short: who works, what woke us, servers, accounts. Also for all memory that
 *          hangs from engine->mem.
 *   tell   the requests that run, and all memory that hangs from them.
 */
#ifndef TASKFERRY_ENGINE_PRIVATE_H
#define TASKFERRY_ENGINE_PRIVATE_H

#include "gateway/sync/engine.h"

#include <pthread.h>
#include <uthash.h>

#include "gateway/sync/outcomes.h"
#include "gateway/sync/visit.h"
#include "queue/queue.h"

#define ENGINE_BATCH 250 /* accounts that get a job in one transaction */

/* What the engine knows of a server (N6), under `lock`. Times are monotonic. */
struct engine_server {
	const struct conf_server *conf;
	int busy;         /* workers */
	bool proven;      /* it has answered, and not failed since */
	bool probing;     /* one worker is finding out; until then the others leave it alone */
	bool learning;    /* one worker tries what it does */
	int failures;     /* one after the other */
	int64_t until_us; /* the breaker: nobody tries before */
	int64_t failed_us;
	int64_t silent_us;  /* since when it does not answer; 0: it does, as far as is known */
	int64_t crowded_us; /* when it last said that it has too many connections; 0: never */
	int64_t missed_us; /* when people were last told that it keeps changes to itself; 0: never */
	struct fault *why; /* the last failure; NULL: none */
};

/* What the engine knows of an account beyond the database, under `lock`. */
struct engine_account {
	int64_t id;
	struct engine_server *server;
	int64_t held_us; /* monotonic, when it was held; 0: it is not */
	int64_t seen_us; /* when it was polled last, to be written; 0: nothing is */
	int64_t all_us;  /* ... all of its folders; 0: not since then */
	char *folder;    /* where something happened last */
	uint64_t *notes; /* hashes of what was said of it: the same is not said at every job */
	size_t note_count;
	UT_hash_handle hh;
};

/* What a worker is to do: a job, or one account's connection that woke us. */
struct engine_task {
	struct job *job;
	int64_t wake;                 /* account; 0: none */
	struct engine_server *server; /* NULL: not in the configuration any more */
	bool heard;                   /* WAKE has just said so, and its job follows */
	bool probes;                  /* finds out whether it answers */
	int64_t serial;               /* requests up to this one were there when it began */
};

struct engine_request;

struct engine_worker {
	struct engine *engine;
	TALLOC_CTX *mem; /* of this thread alone */
	pthread_t thread;
	struct store *store; /* NULL: it has not led yet */
	struct round_env env;
	int64_t version;     /* data_version when it looked last */
	pthread_cond_t turn; /* it may become the leader */
	/* under `lock`: */
	int64_t jobs[2], lease_until_us; /* what it works on, what goes along; 0: nothing */
	struct engine_worker *below; /* in `followers` */
};

struct engine {
	struct engine_env env;
	struct engine_park park; /* all NULL: none */
	int64_t only;            /* `sync`: jobs of this account only; 0: of all */
	int patience;            /* how often one after the other the database may be busy */
	const char *owner;
	TALLOC_CTX *mem; /* a root */
	struct engine_worker *workers;
	int worker_count;
	pthread_mutex_t lock, tell;
	pthread_cond_t wake; /* the leader */
	pthread_cond_t gone; /* a worker ended */
	/* under `lock`: */
	bool led;        /* a worker looks into the queue, or waits for a reason to */
	bool look;       /* there may be one */
	bool need;       /* there may be work for one more worker than have led so far */
	bool need_later; /* ... as soon as a server has answered */
	bool everybody;  /* everybody gets a pull job */
	int64_t replies; /* the account of the mailbox with replies; 0: none was asked yet */
	bool stopping;
	struct fault *fault;
	int started, opened, running, busy; /* workers */
	struct engine_worker *followers;    /* who has worked last is the first */
	int refusals;                       /* of a busy database, one after the other */
	struct engine_server *servers;
	struct engine_account *accounts; /* hash by id */
	int64_t *looks, *pulls;          /* accounts that woke us; that get a pull job */
	size_t look_count, pull_count;
	struct engine_request *inbox; /* not begun yet */
	int64_t serial;               /* of the last request */
	struct engine_figures figures;
	int64_t flush_us; /* monotonic, when to write who was polled; 0: nobody since the last time */
	int64_t drift_us; /* wall clock minus monotonic clock, the most that was seen */
	/* the leader's: */
	bool reconciles;      /* compares everything once a day */
	int64_t began_us;     /* by the wall clock */
	int64_t reconcile_us; /* monotonic, when to look next who is to be compared */
	/* under `tell`; begun and ended by the leader only: */
	struct engine_request *requests;
};

/* ---- engine.c ---- */

int64_t engine_mono_us(void);

/* There may be something to do; MORE: for one more worker than have led so far. Under `lock`. */
void engine_call(struct engine *engine, bool more);

/* True from the moment on that no new job is begun. */
bool engine_is_ending(struct engine *engine);

/* A fault of the whole site: true when the engine ends by it (it is kept), or ends anyway; false
 * when the database was only busy, and it is worth while to try again in a while. FAULT is freed. */
bool engine_ends(struct engine *engine, struct fault *fault);

/* The account's entry, made when there is none. Under `lock`. */
struct engine_account *engine_account(struct engine *engine, int64_t id);

void engine_add_stats(struct endpoint_stats *sum, const struct endpoint_stats *stats);

/* A copy of a fault for another owner. */
struct fault *engine_copy(TALLOC_CTX *mem, const struct fault *fault);

/* ---- engine_server.c ---- */

/* NULL: none of that name in the configuration. */
struct engine_server *engine_server_find(struct engine *engine, const char *name);

/* The servers whose jobs are not to be leased now: their names, under MEM. With OPEN_ONLY just those
 * that are not to be tried before some time, which goes to *UNTIL_R (monotonic; INT64_MAX: none). */
size_t engine_server_closed(struct engine *engine, TALLOC_CTX *mem, bool open_only,
			    const char ***names_r, int64_t *until_r);

/* Whether a worker may wake an account there now. Under `lock`. */
enum engine_entry { ENGINE_ENTER, ENGINE_FULL, ENGINE_SHUT };
enum engine_entry engine_server_entry(const struct engine *engine,
				      const struct engine_server *server);

/* A worker begins and ends its work there. */
void engine_server_enter(struct engine *engine, struct engine_task *task);
void engine_server_leave(struct engine *engine, struct engine_task *task);

/* It has answered; it has not, in an attempt that began at SINCE_US. */
void engine_server_answers(struct engine *engine, struct engine_server *server);
void engine_server_fails(struct engine *engine, struct engine_server *server,
			 const struct fault *fault, int64_t since_us);

/* It has too many connections; that is told once. */
void engine_server_crowded(struct engine *engine, struct engine_server *server,
			   const struct fault *fault);

/* It has not told of a change that it was listened to for; that is told once an hour. */
void engine_server_missed(struct engine *engine, struct engine_server *server);

/* Servers that do not answer now, with their last failures as copies. */
size_t engine_server_silent(struct engine *engine, TALLOC_CTX *mem, struct engine_server **list_r);

/* ---- engine_request.c ---- */

/* Jobs for everybody, for requests that were made, for accounts that woke us. The leader's. */
struct fault *engine_request_begin(struct engine_worker *worker, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* Ends the requests that are over. *WAKE_R: when to look again at the latest (monotonic). The
 * leader's; nothing could be leased just now. */
struct fault *engine_request_look(struct engine_worker *worker, TALLOC_CTX *mem,
				  int64_t *wake_r) ATTR_MUST_CHECK;

/* The engine ends: so do they. */
void engine_request_abort(struct engine *engine);

/* Whether a job of an account is to be done in full. */
bool engine_request_full(struct engine *engine, const struct engine_task *task);

/* Items sent; for all requests of that account that were there when the job began. */
void engine_request_progress(struct engine *engine, const struct engine_task *task, int64_t done,
			     int64_t total);

/* How a job ended, for all requests of its account. */
struct engine_outcome {
	int64_t account;
	const char *resource;
	const struct conf_server *server;
	const struct round_report *report;
	struct endpoint_stats stats;
	const struct fault *fault; /* NULL: served */
	bool later;                /* neither: it is done again */
	bool full;
	int64_t serial;    /* of the task: what began before a request is not what it asked for */
	int64_t failed_us; /* how long it took to find out that the server does not answer; else 0 */
};
void engine_request_tell(struct engine *engine, const struct engine_outcome *outcome);

/* ---- engine_reconcile.c ---- */

#define ENGINE_DAY_US (24 * 3600 * CLOCK_SECOND_US)

/* The time of day (UTC) at which an account is compared in full. */
int64_t engine_reconcile_slot_us(int64_t account);

/* Whether it is to be compared NOW: its time of day has come since LAST (when it last was), and the
 * service has run (since BEGAN) then, or was away for too long. Pure. */
bool engine_reconcile_is_due(int64_t account, int64_t last_us, int64_t began_us, int64_t now_us);

/* Jobs for those; *WAKE_R is lowered to the time of the next look (monotonic). The leader's. */
struct fault *engine_reconcile_look(struct engine_worker *worker, TALLOC_CTX *mem,
				    int64_t *wake_r) ATTR_MUST_CHECK;

/* ---- engine_replies.c ---- */

/* For the worker's rounds: the secret of [replies], if there is one. A fault of the site. */
struct fault *engine_replies_open(struct engine_worker *worker, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* A job for the mailbox with replies; *ACCOUNT_R 0: there is none. A transaction of its own. The leader's. */
struct fault *engine_replies_ask(struct engine_worker *worker, TALLOC_CTX *mem,
				 int64_t *account_r) ATTR_MUST_CHECK;

/* What a job that looks at an account is called. */
enum job_kind engine_replies_kind(struct engine *engine, int64_t account);

/* ---- engine_poll.c ---- */

/* What listening and polling have to know of the account of VISIT, in which something happened in
 * MOVED_PROJECT last (0: nothing). */
struct fault *engine_poll_places(struct engine_worker *worker, TALLOC_CTX *mem,
				 const struct visit *visit, int64_t moved_project,
				 struct engine_parked *parked) ATTR_MUST_CHECK;

/* The account was polled without a job at AT_US, and nothing had changed: in ALL of its folders, or in the
 * one that it listens to. */
void engine_poll_answered(struct engine *engine, int64_t account, int64_t at_us, bool all);

/* Writes that for all, some time later; when the engine ends, at once. The leader's. */
struct fault *engine_poll_look(struct engine_worker *worker, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* *WAKE_R is lowered to the time at which that is due (monotonic). */
void engine_poll_wait(struct engine *engine, int64_t *wake_r);

/* ---- engine_traits.c ---- */

/* Before and after the rounds of a job; NAME: traits_name(). A fault that the rounds would have met as well, or of the
 * whole site. */
struct fault *engine_traits_before(struct engine_worker *worker, TALLOC_CTX *mem,
				   struct engine_task *task, const char *name,
				   struct endpoint *endpoint) ATTR_MUST_CHECK;
struct fault *engine_traits_after(struct engine_worker *worker, TALLOC_CTX *mem, const char *name,
				  struct endpoint *endpoint) ATTR_MUST_CHECK;

/* ---- engine_notes.c ---- */

/* Whether NOTE was said of that account at its last job. */
bool engine_notes_said(struct engine *engine, int64_t id, const char *note);

/* What a job said of it is remembered; PARTLY: of one project only, and it knows nothing of the notes of
 * others, which stay. */
void engine_notes_keep(struct engine *engine, int64_t id, const struct round_report *report,
		       bool partly);

/* ---- engine_job.c ---- */

/* Works off a leased job, and what goes along with it, to their end in the queue. A fault only of the
 * whole site. */
struct fault *engine_job_run(struct engine_worker *worker, TALLOC_CTX *mem,
			     struct engine_task *task) ATTR_MUST_CHECK;

#endif
