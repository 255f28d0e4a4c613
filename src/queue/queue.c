#include "config.h"

#include "queue/queue.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/link.h"
#include "store/rows.h"

#define QUEUE_DONE_KEPT                                                                            \
	10000 /* ids: done jobs older than that are forgotten, for a database of bounded size */

static const char *const kind_names[] = { "publish",   "pull",     "push",
					  "reconcile", "withdraw", "report" };
_Static_assert(COUNT_OF(kind_names) == JOB_KINDS, "one name per kind");

static const char *const state_names[] = { "ready", "leased", "waiting", "held", "dead", "done" };
_Static_assert(COUNT_OF(state_names) == JOB_STATES, "one name per state");

#define EDGE(state) (1U << JOB_##state)
static const unsigned edges[JOB_STATES] = {
	[JOB_READY] = EDGE(LEASED) | EDGE(READY),
	[JOB_LEASED] = EDGE(DONE) | EDGE(WAITING) | EDGE(HELD) | EDGE(DEAD) | EDGE(READY),
	[JOB_WAITING] = EDGE(READY) | EDGE(LEASED),
	[JOB_HELD] = EDGE(READY) | EDGE(DONE),
	[JOB_DEAD] = EDGE(READY) | EDGE(DONE),
};

const char *job_kind_name(enum job_kind kind)
{
	return kind_names[kind];
}

const char *job_state_name(enum job_state state)
{
	return state_names[state];
}

/* The 22nd field of /proc/PID/stat: when the process started, so that a number given out again is
 * told apart. -1: there is none, or it has ended, and nobody has asked yet how (the third field; in a
 * container there may be nobody who does). */
static long long process_start(long pid)
{
	char path[64], line[1024];
	long long start = -1;
	char *p;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fgets(line, sizeof line, file) && (p = strrchr(line, ')')) && p[1] == ' ' &&
	    !strchr("ZX", p[2])) {
		for (int field = 2; field < 22 && p; field++)
			p = strchr(p + 1, ' ');
		if (p)
			start = strtoll(p, NULL, 10);
	}
	fclose(file);
	return start;
}

static char *host_name(TALLOC_CTX *mem)
{
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) < 0)
		return mem_strdup(mem, "localhost");
	return mem_strdup(mem, host);
}

char *queue_owner(TALLOC_CTX *mem)
{
	return mem_printf(mem, "%s %ld %lld", host_name(mem), (long)getpid(),
			  process_start((long)getpid()));
}

static bool owner_is_here(TALLOC_CTX *mem, const char *owner, long *pid_r, long long *start_r)
{
	char *host = host_name(mem);
	size_t len = strlen(host);

	return owner && !strncmp(owner, host, len) &&
	       sscanf(owner + len, " %ld %lld", pid_r, start_r) == 2;
}

/* True when OWNER is a process of this host that no longer lives. */
static bool owner_is_dead(TALLOC_CTX *mem, const char *owner)
{
	long pid = 0;
	long long start = 0;

	if (!owner_is_here(mem, owner, &pid, &start))
		return false;
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return true;
	return process_start(pid) != start;
}

static void read_job(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct job *job = element;
	char *kind = db_text(cursor, mem, 1), *state = db_text(cursor, mem, 4);

	job->id = db_int(cursor, 0);
	job->kind = JOB_REPORT;
	for (int i = 0; i < JOB_KINDS; i++)
		if (kind && !strcmp(kind_names[i], kind))
			job->kind = (enum job_kind)i;
	job->account_id = db_int(cursor, 2);
	job->project_id = db_int(cursor, 3);
	job->state = JOB_HELD;
	for (int i = 0; i < JOB_STATES; i++)
		if (state && !strcmp(state_names[i], state))
			job->state = (enum job_state)i;
	job->attempts = db_int(cursor, 5);
	job->due_us = db_int(cursor, 6);
	job->lease_owner = db_text(cursor, mem, 7);
	job->lease_until_us = db_int(cursor, 8);
	job->error = db_text(cursor, mem, 9);
	job->created_us = db_int(cursor, 10);
}

static struct fault *move(struct store *store, struct job *job, enum job_state state,
			  const char *why)
{
	if (!(edges[job->state] & (1U << state)))
		return fault_new(store, FAULT_INTERNAL, "job %lld cannot go from %s to %s",
				 (long long)job->id, state_names[job->state], state_names[state]);
	if (state != JOB_LEASED) {
		job->lease_owner = NULL;
		job->lease_until_us = 0;
	}
	FAULT_TRY(db_run(store->db, SQL_JOB_MOVE, "itiitit", job->id, state_names[state],
			 job->attempts, job->due_us, job->lease_owner, job->lease_until_us, why));
	job->state = state;
	job->error = mem_strdup(job, why);
	return NULL;
}

struct fault *queue_add(struct store *store, enum job_kind kind, int64_t account, int64_t project,
			int64_t due_us, bool *added_r)
{
	struct db_cursor *cursor = NULL;
	int64_t id = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_JOB_FIND_ANY, "tii", kind_names[kind],
			   account, project));
	FAULT_TRY(rows_int(cursor, 0, &id));
	if (added_r)
		*added_r = !id;
	if (id)
		return db_run(store->db, SQL_JOB_HASTEN, "ii", id, due_us);
	FAULT_TRY(store_id(store, &id));
	return db_run(store->db, SQL_JOB_ADD, "itiiii", id, kind_names[kind], account, project,
		      due_us, clock_now_us(store->clock));
}

/* ---- leasing ---- */

static const struct queue_filter everything = { .account = 0 };

static bool has_lapsed(struct store *store, TALLOC_CTX *mem, const struct job *job,
		       const char *owner)
{
	if (job->lease_until_us <= clock_now_us(store->clock))
		return true;
	return strcmp(job->lease_owner ? job->lease_owner : "", owner) &&
	       owner_is_dead(mem, job->lease_owner);
}

static struct fault *free_lease(struct store *store, TALLOC_CTX *mem, struct job *job)
{
	struct db_cursor *cursor = NULL;
	int64_t same = 0;

	/* One that says the same may have been added meanwhile: then this one is done with. */
	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_FIND, "tii", kind_names[job->kind],
			   job->account_id, job->project_id));
	FAULT_TRY(rows_int(cursor, 0, &same));
	return move(store, job, same ? JOB_DONE : JOB_READY, job->error);
}

/* Jobs whose lease is over. */
static struct fault *lapsed(struct store *store, TALLOC_CTX *mem, const char *owner,
			    struct job ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;
	struct job *jobs = NULL, **list;
	size_t leased = 0, count = 0;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_LEASED, ""));
	FAULT_TRY(rows_all(cursor, mem, read_job, sizeof *jobs, &jobs, &leased));
	list = MEM_ARRAY(mem, struct job *, leased);
	for (size_t i = 0; i < leased; i++) {
		if (!has_lapsed(store, mem, &jobs[i], owner))
			continue;
		list[count] = MEM_NEW(list, struct job);
		*list[count++] = jobs[i];
	}
	*list_r = list;
	*count_r = count;
	return NULL;
}

static bool is_left_out(const struct queue_filter *filter, const char *server)
{
	for (size_t i = 0; i < filter->without_count; i++)
		if (!strcmp(filter->without[i], server))
			return true;
	return false;
}

/* The servers that have jobs to be leased, but for those that FILTER leaves out, in order of name:
 * after SERVER, "" before the first; NULL behind the last. */
static struct fault *next_server(struct store *store, TALLOC_CTX *mem,
				 const struct queue_filter *filter, char **server)
{
	do {
		struct db_cursor *cursor = NULL;
		char *next = NULL;

		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_SERVER, "t", *server));
		if (db_next(cursor))
			next = db_text(cursor, mem, 0);
		FAULT_TRY(db_close(&cursor));
		*server = next;
	} while (*server && is_left_out(filter, *server));
	return NULL;
}

static bool is_before(const struct job *a, const struct job *b)
{
	return !b || a->due_us < b->due_us || (a->due_us == b->due_us && a->id < b->id);
}

static struct fault *next_job(struct store *store, TALLOC_CTX *mem,
			      const struct queue_filter *filter, struct job **job_r)
{
	struct job *first = NULL;
	char *server = mem_strdup(mem, "");

	for (;;) {
		struct db_cursor *cursor = NULL;
		struct job *job = NULL;

		FAULT_TRY(next_server(store, mem, filter, &server));
		if (!server)
			break;
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_NEXT, "iiti", filter->account,
				   filter->project, server, clock_now_us(store->clock)));
		FAULT_TRY(rows_one(cursor, mem, read_job, sizeof *job, &job));
		if (job && is_before(job, first))
			first = job;
	}
	*job_r = first;
	return NULL;
}

/* Whether there is anything to write; most looks find nothing, and must not disturb writers. */
static struct fault *has_work(struct store *store, TALLOC_CTX *mem, const char *owner,
			      const struct queue_filter *filter, bool *has_r)
{
	struct job *job = NULL, **over = NULL;
	size_t count = 0;

	FAULT_TRY(lapsed(store, mem, owner, &over, &count));
	FAULT_TRY(next_job(store, mem, filter, &job));
	*has_r = count > 0 || job;
	return NULL;
}

static struct fault *take(struct store *store, const char *owner, struct job *job)
{
	job->lease_owner = mem_strdup(job, owner);
	job->lease_until_us = clock_now_us(store->clock) + QUEUE_LEASE_US;
	return move(store, job, JOB_LEASED, job->error);
}

/* The pull job that goes along with a publish job. */
static struct fault *take_along(struct store *store, const char *owner, struct job *job)
{
	struct db_cursor *cursor = NULL;

	if (job->kind != JOB_PUBLISH)
		return NULL;
	FAULT_TRY(db_query(store->db, job, &cursor, SQL_JOB_ALONG, "tiii", kind_names[JOB_PULL],
			   job->account_id, job->project_id, clock_now_us(store->clock)));
	FAULT_TRY(rows_one(cursor, job, read_job, sizeof *job, &job->along));
	return job->along ? take(store, owner, job->along) : NULL;
}

static struct fault *lease(struct store *store, TALLOC_CTX *mem, const char *owner,
			   const struct queue_filter *filter, struct job **job_r)
{
	struct job *job = NULL, **over = NULL;
	size_t count = 0;

	FAULT_TRY(lapsed(store, mem, owner, &over, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(free_lease(store, mem, over[i]));
	FAULT_TRY(next_job(store, mem, filter, &job));
	if (job) {
		FAULT_TRY(take(store, owner, job));
		FAULT_TRY(take_along(store, owner, job));
	}
	*job_r = job;
	return NULL;
}

struct fault *queue_lease(struct store *store, TALLOC_CTX *mem, const char *owner,
			  const struct queue_filter *filter, struct job **job_r)
{
	struct job *job = NULL;
	struct fault *fault;
	bool has = false;

	filter = filter ? filter : &everything;
	FAULT_TRY(has_work(store, mem, owner, filter, &has));
	if (!has) {
		*job_r = NULL;
		return NULL;
	}
	FAULT_TRY(store_begin(store));
	fault = lease(store, mem, owner, filter, &job);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (fault)
		return fault;
	if (job)
		point_reach(store->points, POINT_JOB_LEASED);
	*job_r = job;
	return NULL;
}

struct fault *queue_lease_new(struct store *store, TALLOC_CTX *mem, const char *owner,
			      enum job_kind kind, int64_t account, struct job **job_r)
{
	struct queue_filter filter = { .account = account };
	struct job *job = NULL;
	struct fault *fault;

	/* a job that is lost by a power failure is made again: who begins looks at everybody */
	FAULT_TRY(store_begin_loose(store));
	fault = queue_add(store, kind, account, 0, clock_now_us(store->clock), NULL);
	if (!fault)
		fault = lease(store, mem, owner, &filter, &job);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (fault)
		return fault;
	point_reach(store->points, POINT_JOB_ADDED);
	if (job)
		point_reach(store->points, POINT_JOB_LEASED);
	*job_r = job;
	return NULL;
}

struct fault *queue_next_lapse(struct store *store, const char *owner, int64_t *due_us_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(store);
	struct db_cursor *cursor = NULL;
	struct job *jobs = NULL;
	size_t count = 0;
	int64_t due = INT64_MAX, soon = clock_now_us(store->clock) + QUEUE_OWNER_US;
	struct fault *fault = db_query(store->db, work, &cursor, SQL_JOB_LEASED, "");

	if (!fault)
		fault = rows_all(cursor, work, read_job, sizeof *jobs, &jobs, &count);
	for (size_t i = 0; i < count && !fault; i++) {
		int64_t until = jobs[i].lease_until_us;
		long long start = 0;
		long pid = 0;

		if (text_same(jobs[i].lease_owner, owner))
			continue;
		if (owner_is_here(work, jobs[i].lease_owner, &pid, &start) && soon < until)
			until = soon;
		due = until < due ? until : due;
	}
	talloc_steal(store, fault);
	talloc_free(work);
	if (!fault)
		*due_us_r = due;
	return fault;
}

struct fault *queue_renew(struct store *store, int64_t id, int64_t *until_us_r)
{
	int64_t until = clock_now_us(store->clock) + QUEUE_LEASE_US;

	FAULT_TRY(db_run(store->db, SQL_JOB_RENEW, "ii", id, until));
	*until_us_r = until;
	return NULL;
}

/* ---- ending ---- */

/* Ends a lease in a transaction of its own. A job that would wait or be ready while one that says
 * the same is already there is merged into that one; a held one takes the place of such a one. */
static struct fault *finish(struct store *store, struct job *job, enum job_state state,
			    const char *why)
{
	bool open = state == JOB_WAITING || state == JOB_READY;
	struct db_cursor *cursor = NULL;
	struct fault *fault;
	int64_t same = 0;

	point_reach(store->points, POINT_JOB_FINISHING);
	FAULT_TRY(store_begin(store));
	fault = db_query(store->db, store, &cursor, SQL_JOB_FIND, "tii", kind_names[job->kind],
			 job->account_id, job->project_id);
	if (!fault)
		fault = rows_int(cursor, 0, &same);
	if (!fault)
		fault = move(store, job, same && open ? JOB_DONE : state, why);
	if (!fault && state == JOB_HELD) /* one row to look at, with the latest reason */
		fault = db_run(store->db, SQL_JOB_REPLACED, "tiii", kind_names[job->kind],
			       job->account_id, job->project_id, job->id);
	if (!fault && state == JOB_DONE)
		fault = db_run(store->db, SQL_JOB_PURGE, "i", job->id - QUEUE_DONE_KEPT);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(store->points, POINT_JOB_FINISHED);
	return fault;
}

struct fault *queue_done(struct store *store, struct job *job)
{
	return finish(store, job, JOB_DONE, NULL);
}

int64_t queue_backoff_us(int64_t attempts)
{
	int64_t pause = QUEUE_BACKOFF_FIRST_US;

	for (int64_t i = 1; i < attempts && pause < QUEUE_BACKOFF_MAX_US; i++)
		pause *= 2;
	return pause < QUEUE_BACKOFF_MAX_US ? pause : QUEUE_BACKOFF_MAX_US;
}

/* A server that is away for a week comes back by itself; no person has to look at the jobs. */
static bool is_the_servers(const struct fault *why)
{
	return why->scope == FAULT_SCOPE_SERVER && why->next == FAULT_NEXT_RETRY;
}

struct fault *queue_fail(struct store *store, struct job *job, const struct fault *why)
{
	int64_t pause = queue_backoff_us(++job->attempts);

	if (why->next == FAULT_NEXT_HOLD)
		return finish(store, job, JOB_HELD, why->text);
	if (job->attempts >= QUEUE_ATTEMPTS_MAX && is_the_servers(why))
		job->attempts = QUEUE_ATTEMPTS_MAX - 1;
	if (why->next == FAULT_NEXT_GIVE_UP || job->attempts >= QUEUE_ATTEMPTS_MAX)
		return finish(store, job, JOB_DEAD, why->text);
	pause = pause * 3 / 4 + (int64_t)digest_random((uint64_t)pause / 2);
	if (pause > QUEUE_BACKOFF_MAX_US)
		pause = QUEUE_BACKOFF_MAX_US;
	if (pause < why->retry_after_s * CLOCK_SECOND_US)
		pause = why->retry_after_s * CLOCK_SECOND_US;
	job->due_us = clock_now_us(store->clock) + pause;
	return finish(store, job, JOB_WAITING, why->text);
}

struct fault *queue_wait(struct store *store, struct job *job, int64_t due_us, const char *why)
{
	job->due_us = due_us;
	return finish(store, job, JOB_WAITING, why);
}

struct fault *queue_absorb(struct store *store, const struct job *job, const char *why)
{
	return db_run(store->db, SQL_JOB_ABSORB, "iit", job->account_id, job->id, why);
}

struct fault *queue_release(struct store *store, struct job *job)
{
	return finish(store, job, JOB_READY, job->error);
}

struct fault *queue_unreachable(struct store *store, const char *server, const char *why)
{
	return db_run(store->db, SQL_ACCOUNT_UNREACHABLE, "tti", server, why,
		      clock_now_us(store->clock));
}

struct fault *queue_clock_set_back(struct store *store)
{
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = db_run(store->db, SQL_JOB_ALL_DUE, "i", clock_now_us(store->clock));
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* ---- a person's word ---- */

static struct fault *retry_one(struct store *store, struct job *job, int64_t *count)
{
	struct db_cursor *cursor = NULL;
	int64_t same = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_JOB_FIND, "tii", kind_names[job->kind],
			   job->account_id, job->project_id));
	FAULT_TRY(rows_int(cursor, 0, &same));
	job->due_us = clock_now_us(store->clock);
	job->attempts = 0;
	++*count;
	FAULT_TRY(link_account_release(store, job->account_id));
	if (same && same != job->id) { /* the one that is there already does it */
		FAULT_TRY(db_run(store->db, SQL_JOB_HASTEN, "ii", same, job->due_us));
		return move(store, job, JOB_DONE, NULL);
	}
	return move(store, job, JOB_READY, NULL);
}

static struct fault *retry_all(struct store *store, TALLOC_CTX *mem, int64_t id, int64_t *count)
{
	struct job *jobs = NULL;
	size_t n = 0;

	FAULT_TRY(queue_list(store, mem, &jobs, &n));
	for (size_t i = 0; i < n; i++) {
		struct job *job = MEM_NEW(mem, struct job);

		*job = jobs[i];
		if (id && job->id != id)
			continue;
		if (job->state == JOB_LEASED && id)
			return fault_new(mem, FAULT_DATA, "job %lld is being worked on just now",
					 (long long)id);
		if (job->state != JOB_LEASED)
			FAULT_TRY(retry_one(store, job, count));
	}
	if (id && !*count)
		return fault_new(mem, FAULT_DATA,
				 "there is no job %lld in the queue; `taskferry queue` shows all",
				 (long long)id);
	return NULL;
}

struct fault *queue_retry(struct store *store, int64_t id, int64_t *count_r)
{
	TALLOC_CTX *mem = MEM_CONTEXT(store);
	struct fault *fault;
	int64_t count = 0;

	FAULT_TRY(store_begin(store));
	fault = retry_all(store, mem, id, &count);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		*count_r = count;
	talloc_steal(store, fault);
	talloc_free(mem);
	return fault;
}

struct fault *queue_list(struct store *store, TALLOC_CTX *mem, struct job **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_ALL, ""));
	return rows_all(cursor, mem, read_job, sizeof **list_r, list_r, count_r);
}

static struct fault *next_due(struct store *store, TALLOC_CTX *mem,
			      const struct queue_filter *filter, int64_t *due_us_r)
{
	char *server = mem_strdup(mem, "");
	int64_t first = INT64_MAX;

	for (;;) {
		struct db_cursor *cursor = NULL;
		int64_t due = INT64_MAX;

		FAULT_TRY(next_server(store, mem, filter, &server));
		if (!server)
			break;
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_SOONEST, "iit", filter->account,
				   filter->project, server));
		FAULT_TRY(rows_int(cursor, INT64_MAX, &due));
		if (due < first)
			first = due;
	}
	*due_us_r = first;
	return NULL;
}

struct fault *queue_next_due(struct store *store, const struct queue_filter *filter,
			     int64_t *due_us_r)
{
	TALLOC_CTX *mem = MEM_CONTEXT(store);
	struct fault *fault = next_due(store, mem, filter ? filter : &everything, due_us_r);

	talloc_steal(store, fault);
	talloc_free(mem);
	return fault;
}

struct fault *queue_busy(struct store *store, const struct queue_filter *filter, int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	filter = filter ? filter : &everything;
	FAULT_TRY(db_query(store->db, store, &cursor, SQL_JOB_BUSY, "ii", filter->account,
			   filter->project));
	return rows_int(cursor, 0, count_r);
}

static void read_overdue(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct queue_overdue *overdue = element;

	overdue->account = db_int(cursor, 0);
	overdue->resource = db_text(cursor, mem, 1);
}

struct fault *queue_overdue(struct store *store, TALLOC_CTX *mem, const struct queue_filter *filter,
			    const char *server, struct queue_overdue **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	filter = filter ? filter : &everything;
	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_JOB_OVERDUE, "iiti", filter->account,
			   filter->project, server, clock_now_us(store->clock)));
	return rows_all(cursor, mem, read_overdue, sizeof **list_r, list_r, count_r);
}

static void read_unreconciled(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct queue_unreconciled *row = element;

	(void)mem;
	row->account = db_int(cursor, 0);
	row->last_us = db_int(cursor, 1);
}

struct fault *queue_unreconciled(struct store *store, TALLOC_CTX *mem,
				 struct queue_unreconciled **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ACCOUNT_UNRECONCILED, ""));
	return rows_all(cursor, mem, read_unreconciled, sizeof **list_r, list_r, count_r);
}

struct fault *queue_counts(struct store *store, const struct queue_filter *filter,
			   int64_t counts_r[JOB_STATES])
{
	struct db_cursor *cursor = NULL;

	filter = filter ? filter : &everything;
	for (int i = 0; i < JOB_STATES; i++)
		counts_r[i] = 0;
	FAULT_TRY(db_query(store->db, store, &cursor, SQL_JOB_COUNTS, "ii", filter->account,
			   filter->project));
	while (db_next(cursor)) {
		char *state = db_text(cursor, store, 0);

		for (int i = 0; i < JOB_STATES; i++)
			if (state && !strcmp(state_names[i], state))
				counts_r[i] = db_int(cursor, 1);
		talloc_free(state);
	}
	return db_close(&cursor);
}
