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
	struct job *along; /* leased with it, by queue_lease(); NULL: none */
};

const char *job_kind_name(enum job_kind kind);
const char *job_state_name(enum job_state state);

/* Who this process is, for leases: "HOST PID START". */
char *queue_owner(TALLOC_CTX *mem);

/* Adds a job, or hastens the one that says the same (a held or dead one is ready again). In the
 * caller's write transaction. *ADDED_R may be NULL. */
struct fault *queue_add(struct store *store, enum job_kind kind, int64_t account, int64_t project,
			int64_t due_us, bool *added_r) ATTR_MUST_CHECK;

#define QUEUE_OWNER_US CLOCK_SECOND_US /* between two looks whether another process still lives */

/* Which jobs a caller means; all zero, or NULL instead: all. */
struct queue_filter {
	int64_t account;            /* of this account */
	int64_t project;            /* of people with a task in this project */
	const char *const *without; /* not on these servers, by name; for leasing and due times */
	size_t without_count;
};

/* Leases the job of those meant that is due first and whose account has no other leased one; NULL
 * when there is none. Leases that ran out, or whose owner is a process of this host that no longer
 * lives, are freed first. A transaction of its own, if there is anything to write.
 *
 * With a publish job a pull job of the account goes along, if one is due that looks at everything or
 * at the same project: one visit does both. Each is a lease of its own, to be renewed and ended. */
struct fault *queue_lease(struct store *store, TALLOC_CTX *mem, const char *owner,
			  const struct queue_filter *filter, struct job **job_r) ATTR_MUST_CHECK;

/* queue_add() of a job that is due now and queue_lease() of the account's, in one transaction. NULL:
 * the account has a leased one; the job waits for its end. */
struct fault *queue_lease_new(struct store *store, TALLOC_CTX *mem, const char *owner,
			      enum job_kind kind, int64_t account,
			      struct job **job_r) ATTR_MUST_CHECK;

/* When it is to be looked whether a lease of another owner than OWNER is over, by its time or because
 * the process has ended, which nobody is told of; INT64_MAX: nobody else has one. */
struct fault *queue_next_lapse(struct store *store, const char *owner,
			       int64_t *due_us_r) ATTR_MUST_CHECK;

/* The lease of a job that is still worked on begins anew; in the caller's write transaction. */
struct fault *queue_renew(struct store *store, int64_t id, int64_t *until_us_r) ATTR_MUST_CHECK;

/* Ends a leased job: done; or by a fault: retry later (dead after QUEUE_ATTEMPTS_MAX, but
 * not for a server that is away), held (in the place of a held one that says the same), dead. */
struct fault *queue_done(struct store *store, struct job *job) ATTR_MUST_CHECK;
struct fault *queue_fail(struct store *store, struct job *job,
			 const struct fault *why) ATTR_MUST_CHECK;

/* Puts a leased job off until DUE_US without counting an attempt (settle time, grace). */
struct fault *queue_wait(struct store *store, struct job *job, int64_t due_us,
			 const char *why) ATTR_MUST_CHECK;

/* Jobs of the same account that queue_wait() put off for WHY are done: JOB looked at everything
 * that they wait for, and waits itself for what is left of it. */
struct fault *queue_absorb(struct store *store, const struct job *job,
			   const char *why) ATTR_MUST_CHECK;

/* Gives a leased job back as if it had not been leased: nobody had the time for it. */
struct fault *queue_release(struct store *store, struct job *job) ATTR_MUST_CHECK;

/* SERVER does not answer: its accounts that have a due job and were well until now are unreachable,
 * WHY. In the caller's write transaction. */
struct fault *queue_unreachable(struct store *store, const char *server,
				const char *why) ATTR_MUST_CHECK;

/* The clock was set back: due times are of another time, so that what waits is due now. One
 * transaction. */
struct fault *queue_clock_set_back(struct store *store) ATTR_MUST_CHECK;

/* A person's word: the job is ready now. DATA fault when there is no such job, or it is leased. ID
 * 0: every held, dead or waiting one; *COUNT_R how many. */
struct fault *queue_retry(struct store *store, int64_t id, int64_t *count_r) ATTR_MUST_CHECK;

/* All jobs but the done ones, in order of id. */
struct fault *queue_list(struct store *store, TALLOC_CTX *mem, struct job **list_r,
			 size_t *count_r) ATTR_MUST_CHECK;

/* When the next one of those meant can be leased; INT64_MAX: none waits. Accounts that are being
 * worked on are left out. */
struct fault *queue_next_due(struct store *store, const struct queue_filter *filter,
			     int64_t *due_us_r) ATTR_MUST_CHECK;

/* How many of those meant are leased, whoever has them. */
struct fault *queue_busy(struct store *store, const struct queue_filter *filter,
			 int64_t *count_r) ATTR_MUST_CHECK;

/* The accounts on SERVER with a job of those meant that is due and not worked on, by resource. */
struct queue_overdue {
	int64_t account;
	const char *resource; /* key */
};
struct fault *queue_overdue(struct store *store, TALLOC_CTX *mem, const struct queue_filter *filter,
			    const char *server, struct queue_overdue **list_r,
			    size_t *count_r) ATTR_MUST_CHECK;

/* Accounts with a folder that is compared in full from time to time, that are not held and have no
 * such job, and when the one of their folders that waits longest was. By account. */
struct queue_unreconciled {
	int64_t account, last_us;
};
struct fault *queue_unreconciled(struct store *store, TALLOC_CTX *mem,
				 struct queue_unreconciled **list_r,
				 size_t *count_r) ATTR_MUST_CHECK;

/* Jobs of those meant per state, done ones included. */
struct fault *queue_counts(struct store *store, const struct queue_filter *filter,
			   int64_t counts_r[JOB_STATES]) ATTR_MUST_CHECK;

/* The pause before attempt number ATTEMPTS + 1, without jitter: for tests and `queue`. */
int64_t queue_backoff_us(int64_t attempts);

#endif
