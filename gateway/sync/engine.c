/* engine.c - the workers take turns at leading.
 *
 *                    .------------------ follows <-----------------.
 *                    | turn                                        |
 *                    v                                             |
 *     start ----> leads: looks into the queue, waits ----> works on what it found
 *
 * There is one leader at most. It alone makes jobs, leases them and ends requests, so that a job is
 * never leased without its worker being counted, and a quota never exceeded. As soon as it has
 * found something to do it lets somebody else lead, and does it. When all workers are busy nobody
 * leads; the first to be done looks. Of those who wait, the one that worked last is called, and no
 * other: what it needs is in its memory, and the rest keep still.
 *
 * Workers begin with the work. The first one has a connection to the database; each further one opens
 * its own when it leads for the first time, and that it does when there is a job for it, when somebody
 * poked, or when nobody has led for a while (leases have to be renewed). A `sync` that finds nothing
 * to do for its only account has one connection.
 *
 * The leader looks when it begins, when a job is due, when a worker has ended a job, when it was
 * poked, and when somebody else has changed the database; it asks for the last once a second. The
 * queue is not read otherwise, and nothing is written unless there is something to do. Waiting is by
 * the monotonic clock, due times by the wall clock; when the latter is set back, all that waits is
 * due at once, because nobody knows what its times meant. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "gateway/sync/older.h"

#define LOOK_US CLOCK_SECOND_US       /* between two looks at the database's data_version */
#define BUSY_PAUSE_US CLOCK_SECOND_US /* until a busy database is asked again */
#define BUSY_MAX 20 /* times DB_BUSY_MS: five minutes, then something is wrong with it */
#define CLOCK_JUMP_US (5 * CLOCK_SECOND_US) /* less is a clock that is being disciplined */
#define FOREVER_US (INT64_MAX / 4)
#define REST_US (10 * CLOCK_SECOND_US) /* of waiting: a burst of jobs has longer gaps nowhere */

int64_t engine_mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* fails only for a clock that is not there */
	return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

static struct timespec mono_timespec(int64_t us)
{
	return (struct timespec){ .tv_sec = us / CLOCK_SECOND_US,
				  .tv_nsec = us % CLOCK_SECOND_US * 1000 };
}

struct fault *engine_copy(TALLOC_CTX *mem, const struct fault *fault)
{
	struct fault *copy = fault_new(mem, fault->kind, "%s", fault->text);

	copy->retry_after_s = fault->retry_after_s;
	copy->maybe_done = fault->maybe_done;
	return fault_reaches(copy, fault->scope, fault->next);
}

void engine_add_stats(struct endpoint_stats *sum, const struct endpoint_stats *stats)
{
	sum->requests += stats->requests;
	sum->writes += stats->writes;
	sum->connections += stats->connections;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_bytes += stats->received_bytes;
}

/* ---- under the lock ---- */

static bool is_ending(const struct engine *engine)
{
	return engine->stopping || engine->fault;
}

struct engine_account *engine_account(struct engine *engine, int64_t id)
{
	struct engine_account *account;

	HASH_FIND(hh, engine->accounts, &id, sizeof id, account);
	if (account)
		return account;
	account = MEM_NEW(engine->mem, struct engine_account);
	account->id = id;
	HASH_ADD(hh, engine->accounts, id, sizeof account->id, account);
	return account;
}

static void poke(struct engine *engine)
{
	engine->look = true;
	pthread_cond_signal(&engine->wake);
}

/* Nobody leads: one of those who wait may, one with a connection if there is any. Only one wakes. */
static void call_follower(struct engine *engine)
{
	struct engine_worker *chosen = engine->followers;

	for (struct engine_worker *at = chosen; at; at = at->below) {
		if (at->store) {
			chosen = at;
			break;
		}
	}
	if (chosen && !engine->led)
		pthread_cond_signal(&chosen->turn);
}

static void call_all(struct engine *engine)
{
	pthread_cond_broadcast(&engine->wake);
	for (struct engine_worker *at = engine->followers; at; at = at->below)
		pthread_cond_signal(&at->turn);
}

void engine_call(struct engine *engine, bool more)
{
	engine->need = engine->need || more;
	call_follower(engine);
	poke(engine);
}

/* ---- */

bool engine_is_ending(struct engine *engine)
{
	bool ending;

	pthread_mutex_lock(&engine->lock);
	ending = is_ending(engine);
	pthread_mutex_unlock(&engine->lock);
	return ending;
}

bool engine_ends(struct engine *engine, struct fault *fault)
{
	bool busy = fault->kind == FAULT_TRY_LATER && fault->next == FAULT_NEXT_RETRY, ends;

	pthread_mutex_lock(&engine->lock);
	ends = !busy || engine->stopping || ++engine->refusals >= engine->patience;
	if (ends && !engine->fault && !(busy && engine->stopping))
		engine->fault = engine_copy(engine->mem, fault);
	if (ends)
		call_all(engine);
	pthread_mutex_unlock(&engine->lock);
	talloc_free(fault);
	return ends;
}

void engine_poke(struct engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine_call(engine, true);
	pthread_mutex_unlock(&engine->lock);
}

void engine_look(struct engine *engine, const int64_t *accounts, size_t count)
{
	pthread_mutex_lock(&engine->lock);
	engine->looks = MEM_GROW(engine->mem, engine->looks, int64_t, engine->look_count + count);
	for (size_t i = 0; i < count; i++)
		engine->looks[engine->look_count++] = accounts[i];
	if (engine->led)
		poke(engine); /* take_look() calls others, if there is more to do */
	else
		engine_call(engine, true);
	pthread_mutex_unlock(&engine->lock);
}

void engine_stop(struct engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine->stopping = true;
	call_all(engine);
	pthread_mutex_unlock(&engine->lock);
}

/* ---- what there is to do ---- */

/* Under the lock. */
static void add_pull(struct engine *engine, int64_t account)
{
	engine->pulls = MEM_GROW(engine->mem, engine->pulls, int64_t, engine->pull_count + 1);
	engine->pulls[engine->pull_count++] = account;
}

/* Whether an account's own connection can be asked what has come. Where nobody is to disturb its
 * server, the queue keeps the job until somebody may. */
static enum engine_entry look_entry(struct engine *engine, int64_t id)
{
	const struct engine_server *server = engine_account(engine, id)->server;

	return engine->park.wake && server ? engine_server_entry(engine, server) : ENGINE_SHUT;
}

/* True when an account was taken whose connection is to be asked; those that are not asked go to
 * `pulls`, those of a server that has its share of the workers stay. */
static bool take_look(struct engine *engine, struct engine_task *task)
{
	size_t kept = 0;

	pthread_mutex_lock(&engine->lock);
	for (size_t i = 0; i < engine->look_count; i++) {
		int64_t id = engine->looks[i];
		enum engine_entry entry = look_entry(engine, id);

		if (entry == ENGINE_SHUT) {
			add_pull(engine, id);
		} else if (entry == ENGINE_FULL || task->wake) {
			engine->looks[kept++] = id;
		} else {
			task->wake = id;
			task->server = engine_account(engine, id)->server;
		}
	}
	engine->look_count = kept;
	engine->need = engine->need || (task->wake && kept);
	engine->look = engine->look || (task->wake && kept);
	pthread_mutex_unlock(&engine->lock);
	if (task->wake)
		engine_server_enter(engine, task);
	return task->wake != 0;
}

/* Whether the job of an account that was just asked may begin at once; else it goes through the
 * leader's hands, who knows what holds it up. */
static bool may_go_on(struct engine *engine, const struct engine_task *task)
{
	bool may;

	pthread_mutex_lock(&engine->lock);
	may = !is_ending(engine) && !engine_account(engine, task->wake)->held_us &&
	      engine_server_entry(engine, task->server) != ENGINE_SHUT;
	pthread_mutex_unlock(&engine->lock);
	return may;
}

static void note_lease(struct engine_worker *worker, const struct job *job)
{
	struct engine *engine = worker->engine;

	pthread_mutex_lock(&engine->lock);
	engine->refusals = 0;
	worker->jobs[0] = job->id;
	worker->jobs[1] = job->along ? job->along->id : 0;
	worker->lease_until_us = job->lease_until_us;
	pthread_mutex_unlock(&engine->lock);
}

/* The worker is counted and its server's share taken: it goes on with the account's job itself. */
static struct fault *lease_woken(struct engine_worker *worker, TALLOC_CTX *mem,
				 struct engine_task *task)
{
	struct engine *engine = worker->engine;

	FAULT_TRY(queue_lease_new(worker->store, mem, engine->owner,
				  engine_replies_kind(engine, task->wake), task->wake, &task->job));
	if (!task->job)
		return NULL;
	note_lease(worker, task->job);
	return NULL;
}

/* Nothing in TASK->job: no job of it is to be done now, and the server's share is given back. */
static struct fault *wake_account(struct engine_worker *worker, TALLOC_CTX *mem,
				  struct engine_task *task)
{
	struct engine *engine = worker->engine;
	struct fault *fault = NULL;
	bool job, waits;
	int64_t at_us = clock_now_us(engine->env.clock);
	bool all = false;
	enum engine_wake woken = engine->park.wake(engine->park.data, task->wake, &all);

	if (woken == ENGINE_WAKE_NOTHING)
		engine_poll_answered(engine, task->wake, at_us, all);
	task->heard = woken == ENGINE_WAKE_HEARD;
	job = task->heard || woken == ENGINE_WAKE_JOB || woken == ENGINE_WAKE_MISSED;
	if (woken == ENGINE_WAKE_MISSED)
		engine_server_missed(engine, task->server);
	waits = job && !may_go_on(engine, task);
	if (job && !waits)
		fault = lease_woken(worker, mem, task);
	pthread_mutex_lock(&engine->lock);
	if (waits || fault)
		add_pull(engine, task->wake);
	pthread_mutex_unlock(&engine->lock);
	if (!task->job)
		engine_server_leave(engine, task);
	return fault;
}

/* Leases of jobs that take long begin anew, before they run out. */
static struct fault *renew(struct engine_worker *worker)
{
	struct engine *engine = worker->engine;
	int64_t soon = clock_now_us(engine->env.clock) + QUEUE_LEASE_US / 2, until = 0;
	struct fault *fault = NULL;
	bool any = false;

	for (int i = 0; i < engine->worker_count && !fault; i++) {
		struct engine_worker *other = &engine->workers[i];
		int64_t jobs[2] = { 0, 0 };

		pthread_mutex_lock(&engine->lock);
		if (other->lease_until_us < soon)
			memcpy(jobs, other->jobs, sizeof jobs);
		pthread_mutex_unlock(&engine->lock);
		if (!jobs[0])
			continue;
		if (!any)
			FAULT_TRY(store_begin(worker->store));
		any = true;
		for (size_t j = 0; j < COUNT_OF(jobs) && jobs[j] && !fault; j++)
			fault = queue_renew(worker->store, jobs[j], &until);
		pthread_mutex_lock(&engine->lock);
		if (!fault && other->jobs[0] == jobs[0])
			other->lease_until_us = until;
		pthread_mutex_unlock(&engine->lock);
	}
	if (any && !fault)
		fault = store_commit(worker->store);
	store_rollback(worker->store);
	return fault;
}

static struct fault *watch_clock(struct engine_worker *worker, bool *set_back_r)
{
	struct engine *engine = worker->engine;
	int64_t drift = clock_now_us(engine->env.clock) - engine_mono_us(), back;

	pthread_mutex_lock(&engine->lock);
	back = engine->drift_us - drift;
	if (back < 0)
		engine->drift_us = drift;
	pthread_mutex_unlock(&engine->lock);
	if (back <= CLOCK_JUMP_US)
		return NULL;
	FAULT_TRY(queue_clock_set_back(worker->store));
	pthread_mutex_lock(&engine->lock);
	engine->drift_us = drift;
	pthread_mutex_unlock(&engine->lock);
	*set_back_r = true;
	log_line(engine->env.log, LOG_LEVEL_WARNING,
		 "the clock was set back by %lld s; all jobs that wait are due now",
		 (long long)(back / CLOCK_SECOND_US));
	return NULL;
}

/* A server's share is taken, and its breaker asked, before anybody else leads. */
static struct fault *lease(struct engine_worker *worker, TALLOC_CTX *mem, struct engine_task *task)
{
	struct engine *engine = worker->engine;
	struct queue_filter filter = { .account = engine->only };
	struct account *account = NULL;
	const char **names = NULL;
	int64_t until;

	filter.without_count = engine_server_closed(engine, mem, false, &names, &until);
	filter.without = names;
	FAULT_TRY(queue_lease(worker->store, mem, engine->owner, &filter, &task->job));
	if (!task->job)
		return NULL;
	FAULT_TRY(link_account_by_id(worker->store, mem, task->job->account_id, &account));
	if (account)
		task->server = engine_server_find(engine, account->server);
	engine_server_enter(engine, task);
	note_lease(worker, task->job);
	return NULL;
}

/* When a job can be leased next: by the wall clock; INT64_MAX: none waits. ALL: also of servers that
 * are to be left alone now. */
static struct fault *next_due(struct engine_worker *worker, TALLOC_CTX *mem, bool all,
			      int64_t *due_r)
{
	struct engine *engine = worker->engine;
	struct queue_filter filter = { .account = engine->only };
	const char **names = NULL;
	int64_t until;

	if (!all)
		filter.without_count = engine_server_closed(engine, mem, false, &names, &until);
	filter.without = names;
	return queue_next_due(worker->store, &filter, due_r);
}

/* A job was found: whether there is work for one more worker, now or when a server has answered. */
static struct fault *see_need(struct engine_worker *worker, TALLOC_CTX *mem)
{
	struct engine *engine = worker->engine;
	int64_t now = clock_now_us(engine->env.clock), due = 0, any = 0;
	bool complete;

	pthread_mutex_lock(&engine->lock);
	complete = engine->opened == engine->worker_count;
	pthread_mutex_unlock(&engine->lock);
	if (complete)
		return NULL;
	FAULT_TRY(next_due(worker, mem, false, &due));
	FAULT_TRY(next_due(worker, mem, true, &any));
	pthread_mutex_lock(&engine->lock);
	engine->need = engine->need || due <= now;
	engine->need_later = any <= now;
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

/* What the leader waits for. */
struct horizon {
	int64_t due_us;  /* a job, by the wall clock */
	int64_t wake_us; /* a request or a server, by the monotonic clock */
};

/* One look. Nothing in TASK: nothing to do before HORIZON. */
static struct fault *look(struct engine_worker *worker, TALLOC_CTX *mem, struct engine_task *task,
			  struct horizon *horizon)
{
	struct engine *engine = worker->engine;
	const char **names = NULL;
	int64_t until = INT64_MAX, lapse = INT64_MAX;

	FAULT_TRY(engine_poll_look(worker, mem));
	if (take_look(engine, task))
		return NULL;
	FAULT_TRY(engine_request_begin(worker, mem));
	FAULT_TRY(renew(worker));
	FAULT_TRY(lease(worker, mem, task));
	if (task->job)
		return see_need(worker, mem);
	FAULT_TRY(engine_request_look(worker, mem, &horizon->wake_us));
	FAULT_TRY(engine_reconcile_look(worker, mem, &horizon->wake_us));
	engine_poll_wait(engine, &horizon->wake_us);
	(void)engine_server_closed(engine, mem, true, &names, &until);
	if (until < horizon->wake_us)
		horizon->wake_us = until;
	FAULT_TRY(queue_next_lapse(worker->store, engine->owner, &lapse));
	FAULT_TRY(next_due(worker, mem, false, &horizon->due_us));
	if (lapse < horizon->due_us)
		horizon->due_us = lapse;
	return NULL;
}

/* Whether there is a reason to look: we were poked, something is due, or somebody else has written. */
static struct fault *has_reason(struct engine_worker *worker, const struct horizon *horizon,
				bool *reason_r)
{
	struct engine *engine = worker->engine;
	bool reason, set_back = false;
	int64_t version = 0;

	FAULT_TRY(watch_clock(worker, &set_back));
	FAULT_TRY(store_data_version(worker->store, &version));
	pthread_mutex_lock(&engine->lock);
	reason = engine->look || version != worker->version;
	engine->look = false;
	pthread_mutex_unlock(&engine->lock);
	worker->version = version;
	*reason_r = reason || set_back || clock_now_us(engine->env.clock) >= horizon->due_us ||
		    engine_mono_us() >= horizon->wake_us;
	return NULL;
}

static void wait_for_reason(struct engine *engine, const struct horizon *horizon)
{
	int64_t now = engine_mono_us(), pause = LOOK_US, due;
	struct timespec until;

	due = horizon->due_us == INT64_MAX ? pause
					   : horizon->due_us - clock_now_us(engine->env.clock);
	if (due < pause)
		pause = due;
	if (horizon->wake_us - now < pause)
		pause = horizon->wake_us - now;
	until = mono_timespec(now + (pause > 0 ? pause : 0));
	pthread_mutex_lock(&engine->lock);
	while (!is_ending(engine) && !engine->look &&
	       pthread_cond_timedwait(&engine->wake, &engine->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&engine->lock);
}

/* A pause that the end of the engine cuts short. */
static void pause_busy(struct engine *engine)
{
	struct timespec until = mono_timespec(engine_mono_us() + BUSY_PAUSE_US);

	pthread_mutex_lock(&engine->lock);
	while (!is_ending(engine) &&
	       pthread_cond_timedwait(&engine->wake, &engine->lock, &until) != ETIMEDOUT)
		;
	engine->look = true;
	pthread_mutex_unlock(&engine->lock);
}

/* Its connection and rules, when it leads for the first time. */
static struct fault *worker_open(struct engine_worker *worker, TALLOC_CTX *mem)
{
	struct engine *engine = worker->engine;
	const struct engine_env *env = &engine->env;
	struct conf_report *report;
	struct store *store = NULL;
	struct fault *fault = NULL;

	if (worker->store)
		return NULL;
	if (env->store && worker == engine->workers)
		store = talloc_steal(worker->mem, env->store);
	else
		fault = store_open(worker->mem, env->conf->dsn, env->clock, env->points, &store);
	if (fault)
		return talloc_steal(mem, fault);
	report = MEM_NEW(store, struct conf_report);
	worker->env = (struct round_env){
		.conf = env->conf, .store = store, .clock = env->clock, .points = env->points
	};
	worker->env.rules = rules_new(store, env->conf, report);
	if (!worker->env.rules) {
		talloc_free(store);
		return fault_new(
			mem, FAULT_CONFIG,
			"a rule of the configuration is not accepted; see: taskferry check");
	}
	fault = engine_replies_open(worker, mem);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(store);
		return fault;
	}
	pthread_mutex_lock(&engine->lock);
	worker->store = store;
	engine->opened++;
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

/* Leads until there is something to do; nothing in TASK: the engine ends. */
static void lead(struct engine_worker *worker, TALLOC_CTX *mem, struct engine_task *task)
{
	struct engine *engine = worker->engine;
	struct horizon horizon = { .due_us = 0 };

	while (!engine_is_ending(engine)) {
		TALLOC_CTX *scratch = MEM_CONTEXT(mem);
		bool reason = false;
		struct fault *fault = worker_open(worker, scratch);

		if (!fault)
			fault = has_reason(worker, &horizon, &reason);
		if (!fault && reason)
			fault = look(worker, scratch, task, &horizon);
		talloc_steal(mem, task->job);
		if (!fault && !task->job && !task->wake)
			wait_for_reason(engine, &horizon);
		if (fault && !engine_ends(engine, fault))
			pause_busy(engine);
		talloc_free(scratch);
		if (task->job || task->wake)
			return;
	}
	if (worker->store) /* what is not written now is only shown too old */
		talloc_free(engine_poll_look(worker, mem));
	engine_request_abort(engine);
}

/* ---- workers ---- */

/* Its connection gives back the pages that it keeps, and the C library what lies free. */
static void rest(struct store *store)
{
	store_rest(store);
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* Waits while somebody leads; a worker that has done so for long gives back the memory of
 * its connection, once: so many would keep the same pages while nothing happens. */
static void wait_behind(struct engine_worker *worker, bool *rested)
{
	struct engine *engine = worker->engine;
	struct timespec until = mono_timespec(engine_mono_us() + REST_US);

	if (*rested || !worker->store) {
		pthread_cond_wait(&worker->turn, &engine->lock);
	} else if (pthread_cond_timedwait(&worker->turn, &engine->lock, &until) == ETIMEDOUT) {
		*rested = true;
		pthread_mutex_unlock(&engine->lock);
		rest(worker->store);
		pthread_mutex_lock(&engine->lock);
	}
}

static void leave_followers(struct engine_worker *worker)
{
	struct engine_worker **at = &worker->engine->followers;

	while (*at != worker)
		at = &(*at)->below;
	*at = worker->below;
}

/* Waits until it is this worker's turn. One without a connection leaves it to the others for a while
 * unless it is needed. */
static void follow(struct engine_worker *worker)
{
	struct engine *engine = worker->engine;
	bool waited = false, rested = false;

	pthread_mutex_lock(&engine->lock);
	worker->below = engine->followers;
	engine->followers = worker;
	while (engine->led || !(worker->store || engine->need || waited || engine->reconciles ||
				is_ending(engine))) {
		struct timespec until = mono_timespec(engine_mono_us() + LOOK_US);

		if (engine->led)
			wait_behind(worker, &rested);
		else
			waited = pthread_cond_timedwait(&worker->turn, &engine->lock, &until) ==
				 ETIMEDOUT;
	}
	leave_followers(worker);
	engine->led = true;
	engine->need = false;
	pthread_mutex_unlock(&engine->lock);
}

static void hand_over(struct engine *engine, const struct engine_task *task)
{
	pthread_mutex_lock(&engine->lock);
	engine->led = false;
	if (task->job || task->wake)
		engine->busy++;
	call_follower(engine);
	pthread_mutex_unlock(&engine->lock);
}

static void carry_out(struct engine_worker *worker, TALLOC_CTX *mem, struct engine_task *task)
{
	struct engine *engine = worker->engine;
	struct fault *fault = NULL;

	if (task->wake)
		fault = wake_account(worker, mem, task);
	if (task->job)
		fault = engine_job_run(worker, mem, task);
	if (fault)
		(void)engine_ends(engine, fault);
	pthread_mutex_lock(&engine->lock);
	engine->busy--;
	worker->jobs[0] = 0;
	poke(engine);
	pthread_mutex_unlock(&engine->lock);
	store_settle(worker->store);
}

static int start_worker(struct engine *engine);

static void *work(void *data)
{
	struct engine_worker *worker = data;
	struct engine *engine = worker->engine;
	bool ended = false, alone = true;

	while (!ended) {
		TALLOC_CTX *mem = MEM_CONTEXT(worker->mem);
		struct engine_task task = { .job = NULL };

		follow(worker);
		lead(worker, mem, &task);
		if (alone && (task.job || task.wake))
			alone = start_worker(engine) != 0; /* else there are fewer for a while */
		hand_over(engine, &task);
		ended = !task.job && !task.wake;
		if (!ended)
			carry_out(worker, mem, &task);
		talloc_free(mem);
	}
	pthread_mutex_lock(&engine->lock);
	engine->running--;
	pthread_cond_broadcast(&engine->gone);
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

/* The next one, as long as there are any: each starts its successor when it first has work. */
static int start_worker(struct engine *engine)
{
	int error = 0;

	pthread_mutex_lock(&engine->lock);
	if (engine->started < engine->worker_count && !is_ending(engine)) {
		struct engine_worker *worker = &engine->workers[engine->started];

		error = pthread_create(&worker->thread, NULL, work, worker);
		engine->started += !error;
		engine->running += !error;
	}
	pthread_mutex_unlock(&engine->lock);
	return error;
}

/* ---- beginning and end ---- */

/* Signals are the main thread's business; the other workers' threads inherit the mask. */
static int start_first(struct engine *engine)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = start_worker(engine);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct fault *engine_start(struct engine *engine, bool everybody)
{
	TALLOC_CTX *mem = talloc_parent(engine);
	int error;

	for (int i = 0; i < engine->worker_count; i++) {
		engine->workers[i].engine = engine;
		engine->workers[i].mem = MEM_CONTEXT(NULL);
	}
	FAULT_TRY(worker_open(&engine->workers[0], mem));
	FAULT_TRY(older_check(mem, engine->workers[0].store));
	engine->everybody = engine->reconciles = everybody;
	engine->began_us = clock_now_us(engine->env.clock);
	engine->look = true;
	engine->drift_us = clock_now_us(engine->env.clock) - engine_mono_us();
	error = start_first(engine);
	if (!error)
		return NULL;
	engine_stop(engine);
	return fault_new(mem, FAULT_INTERNAL, "no thread could be started: %s", strerror(error));
}

bool engine_join(struct engine *engine, int64_t patience_us)
{
	int64_t most = patience_us < FOREVER_US ? patience_us : FOREVER_US;
	struct timespec until = mono_timespec(engine_mono_us() + most);
	int error = 0;
	bool ended;

	pthread_mutex_lock(&engine->lock);
	while (engine->running && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&engine->gone, &engine->lock, &until);
	ended = !engine->running;
	pthread_mutex_unlock(&engine->lock);
	if (!ended)
		return false;
	for (; engine->started; engine->started--)
		pthread_join(engine->workers[engine->started - 1].thread, NULL);
	engine_request_abort(engine);
	return true;
}

static int engine_close(struct engine *engine)
{
	engine_stop(engine);
	(void)engine_join(engine, FOREVER_US);
	for (int i = 0; i < engine->worker_count; i++) {
		pthread_cond_destroy(&engine->workers[i].turn);
		talloc_free(engine->workers[i].mem);
	}
	HASH_CLEAR(hh, engine->accounts);
	pthread_cond_destroy(&engine->gone);
	pthread_cond_destroy(&engine->wake);
	pthread_mutex_destroy(&engine->tell);
	pthread_mutex_destroy(&engine->lock);
	talloc_free(engine->mem);
	return 0;
}

static void make_conditions(struct engine *engine)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->wake, &monotonic);
	pthread_cond_init(&engine->gone, &monotonic);
	for (int i = 0; i < engine->worker_count; i++)
		pthread_cond_init(&engine->workers[i].turn, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct fault *engine_new(TALLOC_CTX *mem, const struct engine_env *env, int workers,
			 const struct engine_park *park, struct engine **engine_r)
{
	struct engine *engine = MEM_NEW(mem, struct engine);

	engine->env = *env;
	if (park)
		engine->park = *park;
	engine->patience = BUSY_MAX;
	engine->mem = MEM_CONTEXT(NULL);
	engine->owner = queue_owner(engine->mem);
	engine->worker_count = engine->figures.workers = workers;
	engine->workers = MEM_ARRAY(engine->mem, struct engine_worker, workers);
	engine->servers = MEM_ARRAY(engine->mem, struct engine_server, env->conf->server_count);
	for (size_t i = 0; i < env->conf->server_count; i++)
		engine->servers[i].conf = &env->conf->servers[i];
	engine->looks = MEM_ARRAY(engine->mem, int64_t, 0);
	engine->pulls = MEM_ARRAY(engine->mem, int64_t, 0);
	pthread_mutex_init(&engine->lock, NULL);
	pthread_mutex_init(&engine->tell, NULL);
	make_conditions(engine);
	talloc_set_destructor(engine, engine_close);
	*engine_r = engine;
	return NULL;
}

struct engine_figures engine_figures(struct engine *engine)
{
	struct engine_figures figures;

	pthread_mutex_lock(&engine->lock);
	figures = engine->figures;
	figures.busy = engine->busy;
	pthread_mutex_unlock(&engine->lock);
	return figures;
}

struct fault *engine_fault(struct engine *engine, TALLOC_CTX *mem)
{
	struct fault *fault;

	pthread_mutex_lock(&engine->lock);
	fault = engine->fault ? engine_copy(mem, engine->fault) : NULL;
	pthread_mutex_unlock(&engine->lock);
	return fault;
}
