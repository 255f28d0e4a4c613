/* queue.h - durable jobs on the store: work of one kind for one account.
 *
 * Jobs say whom to look at, never what to write: the work on an item is derived (`want` differs from `seen`). They
 * survive restarts, merge when they say the same, run one at a time per account, and retry with jittered exponential
 * back-off. States and their allowed edges (the one writer is move() in queue.c):
 *
 *     ready --> leased --> done            waiting --> ready, leased
 *       ^         | `----> waiting         held    --> ready, done (*)
 *       |         | `----> held            dead    --> ready, done (*)
 *       `---------' `----> dead            leased  --> ready (lease over, owner dead)
 *
 * (*) merged into one that says the same.
 */
#ifndef TASKFERRY_QUEUE_H
#define TASKFERRY_QUEUE_H

#include "store/store.h"

enum job_kind {
	JOB_PUBLISH,
	JOB_PULL,
	JOB_PUSH,
	JOB_RECONCILE,
	JOB_WITHDRAW,
	JOB_REPORT,
	JOB_KINDS
};
enum job_state { JOB_READY, JOB_LEASED, JOB_WAITING, JOB_HELD, JOB_DEAD, JOB_DONE, JOB_STATES };

#define QUEUE_LEASE_US (15 * 60 * CLOCK_SECOND_US) /* longer than a batch's deadline (10 min) */
#define QUEUE_BACKOFF_FIRST_US (1 * CLOCK_SECOND_US)
#define QUEUE_BACKOFF_MAX_US (3600 * CLOCK_SECOND_US)
#define QUEUE_ATTEMPTS_MAX 50 /* some two days of retries; then a person has to look */

struct job {
	int64_t id;
	enum job_kind kind;
	int64_t account_id;
	int64_t project_id; /* 0: all projects of the account */
	enum job_state state;
	int64_t attempts;
	int64_t due_us;
	const char *lease_owner;
	int64_t lease_until_us;
	const char *error;
	int64_t created_us;
};

const char *job_kind_name(enum job_kind kind);
const char *job_state_name(enum job_state state);

/* Who this process is, for leases: "HOST PID START". */
char *queue_owner(TALLOC_CTX *mem);

/* Adds a job, or hastens the one that says the same (a held or dead one is ready again). In the
 * caller's write transaction. *ADDED_R may be NULL. */
struct fault *queue_add(struct store *store, enum job_kind kind, int64_t account, int64_t project,
			int64_t due_us, bool *added_r) ATTR_MUST_CHECK;

/* Leases the job (of ACCOUNT, 0: of any) that is due first and whose account has no other leased
 * one; NULL when there is none. A transaction of its own. Leases that ran out, or whose owner is a
 * process of this host that no longer lives, are freed first. */
struct fault *queue_lease(struct store *store, TALLOC_CTX *mem, const char *owner, int64_t account,
			  struct job **job_r) ATTR_MUST_CHECK;

/* Ends a leased job: done; or by a fault: retry later (dead after QUEUE_ATTEMPTS_MAX), held, dead.
 */
struct fault *queue_done(struct store *store, struct job *job) ATTR_MUST_CHECK;
struct fault *queue_fail(struct store *store, struct job *job,
			 const struct fault *why) ATTR_MUST_CHECK;

/* Puts a leased job off until DUE_US without counting an attempt (settle time, grace). */
struct fault *queue_wait(struct store *store, struct job *job, int64_t due_us,
			 const char *why) ATTR_MUST_CHECK;

/* A person's word: the job is ready now. DATA fault when there is no such job, or it is leased. ID
 * 0: every held, dead or waiting one; *COUNT_R how many. */
struct fault *queue_retry(struct store *store, int64_t id, int64_t *count_r) ATTR_MUST_CHECK;

/* All jobs but the done ones, in order of id; when the next one (of ACCOUNT, 0: of any) is due,
 * INT64_MAX: none waits. */
struct fault *queue_list(struct store *store, TALLOC_CTX *mem, struct job **list_r,
			 size_t *count_r) ATTR_MUST_CHECK;
struct fault *queue_next_due(struct store *store, int64_t account,
			     int64_t *due_us_r) ATTR_MUST_CHECK;

/* Jobs per state, done ones included. */
struct fault *queue_counts(struct store *store, int64_t counts_r[JOB_STATES]) ATTR_MUST_CHECK;

/* The pause before attempt number ATTEMPTS + 1, without jitter: for tests and `queue`. */
int64_t queue_backoff_us(int64_t attempts);

#endif
