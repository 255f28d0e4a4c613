/* sync.c - workers take jobs from the queue until none is due. Each has a connection and a rule
 * machine of its own; what they share is behind one mutex. A server that does not answer is left
 * alone by all of them for a while (the breaker), so that it costs one timeout and not one per
 * account. */
#include "config.h"

#include "gateway/sync/sync.h"

#include <pthread.h>
#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "queue/queue.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)
#define PROBE_LOOK_US (10 * 1000)      /* between two looks whether the server has answered */
#define PROBE_PATIENCE_US (300 * 1000) /* then the worker turns to other servers */
#define PROBE_AGAIN_US (2 * CLOCK_SECOND_US)
#define IDLE_PAUSE_US (50 * 1000) /* between two looks while another worker is busy */

struct breaker {
	int64_t until_us; /* nobody tries before; 0: closed */
	char *why;
	int failures;
	bool proven;  /* it has answered in this run, and not failed since */
	bool probing; /* one worker is finding out; until then the others leave it alone (N6) */
};

struct shared {
	const struct sync_env *env;
	const struct sync_options *options;
	struct http *http;
	struct trusts *trusts;
	const char *owner;
	pthread_mutex_t lock;     /* for all below */
	struct breaker *breakers; /* one per server */
	struct sync_result *result;
	struct outcome *outcomes; /* one per account */
	size_t outcome_count;
	struct fault *fault; /* of the site: everybody stops */
	int busy;            /* workers with a job */
	int64_t waited_us;   /* how long all were idle */
	int64_t done, total; /* items sent and to be sent, as far as known */
};

struct worker {
	pthread_t thread;
	bool started;
	bool waits;                        /* for what is due later */
	int64_t series_done, series_total; /* of the folder that it pushes just now */
	struct shared *shared;
	TALLOC_CTX *mem; /* of this thread alone */
	struct store *store;
	struct round_env env;
	struct conf_report *rule_report;
};

/* ---- making jobs ---- */

static struct fault *jobs_for(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			      enum job_kind kind, const struct resource *resource, int64_t project,
			      size_t *servers_r, int64_t *jobs)
{
	const struct conf_server **servers =
		MEM_ARRAY(mem, const struct conf_server *, env->conf->server_count);
	size_t count = delivery_servers(env->conf, resource, servers);

	for (size_t i = 0; i < count; i++) {
		struct account *account = NULL;

		FAULT_TRY(link_account(store, mem, servers[i]->name, resource->id, true, &account));
		FAULT_TRY(queue_add(store, kind, account->id, project, clock_now_us(env->clock),
				    NULL));
		++*jobs;
	}
	*servers_r = count;
	return NULL;
}

static void note_nowhere(struct round_report *notes, const struct resource *resource)
{
	if (!resource->email)
		round_note(notes,
			   "not published to %s: no e-mail address is known (give one: taskferry "
			   "resource set %s "
			   "email=ADDRESS, or an [account SERVER %s] section)",
			   resource->name ? resource->name : resource->key, resource->key,
			   resource->key);
	else
		round_note(notes,
			   "not published to %s: no [server] of the configuration has an account "
			   "for that address",
			   resource->key);
	notes->held++;
}

static struct fault *publish(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			     struct project *project, struct round_report *notes, int64_t *jobs)
{
	struct resource *people = NULL;
	size_t count = 0, servers = 0;

	FAULT_TRY(project_set_state(store, project->id, PROJECT_PUBLISHED));
	FAULT_TRY(project_resources(store, mem, project->id, &people, &count));
	for (size_t i = 0; i < count; i++) {
		FAULT_TRY(jobs_for(mem, env, store, JOB_PUBLISH, &people[i], project->id, &servers,
				   jobs));
		if (!servers)
			note_nowhere(notes, &people[i]);
	}
	point_reach(env->points, POINT_PUBLISH_STAGED);
	return NULL;
}

struct fault *sync_publish(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			   struct project *project, struct round_report *notes, int64_t *jobs_r)
{
	struct fault *fault;
	int64_t jobs = 0;

	FAULT_TRY(store_begin(store));
	fault = publish(mem, env, store, project, notes, &jobs);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (fault)
		return fault;
	point_reach(env->points, POINT_PUBLISH_DONE);
	project->state = PROJECT_PUBLISHED;
	*jobs_r = jobs;
	return NULL;
}

static struct fault *pull_jobs(TALLOC_CTX *mem, const struct sync_env *env,
			       const struct sync_options *options, struct store *store)
{
	int64_t project = options->project ? options->project->id : 0, jobs = 0;
	struct resource *people = NULL;
	size_t count = 0, servers = 0;

	if (options->account)
		return queue_add(store, JOB_PULL, options->account->id, project,
				 clock_now_us(env->clock), NULL);
	if (options->project)
		FAULT_TRY(project_resources(store, mem, project, &people, &count));
	else
		FAULT_TRY(project_people(store, mem, &people, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(
			jobs_for(mem, env, store, JOB_PULL, &people[i], project, &servers, &jobs));
	return NULL;
}

static struct fault *add_pull_jobs(TALLOC_CTX *mem, const struct sync_env *env,
				   const struct sync_options *options, struct store *store)
{
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = pull_jobs(mem, env, options, store);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(env->points, POINT_JOB_ADDED);
	return fault;
}

/* ---- the breaker ---- */

static struct breaker *breaker_of(struct shared *shared, const struct conf_server *server)
{
	return &shared->breakers[server - shared->env->conf->servers];
}

/* One look at the gate: NULL when the worker may go in. Otherwise *UNTIL_R is set, and the fault is the server's last
 * one; or, while another worker finds out whether it answers, one of kind TRY_LATER. */
static struct fault *breaker_look(struct shared *shared, TALLOC_CTX *mem,
				  const struct conf_server *server, int64_t *until_r)
{
	int64_t now = clock_now_us(shared->env->clock);
	struct breaker *breaker = breaker_of(shared, server);
	struct fault *fault = NULL;

	pthread_mutex_lock(&shared->lock);
	if (breaker->until_us > now) {
		fault = fault_new(mem, FAULT_UNREACHABLE, "%s", breaker->why);
		*until_r = breaker->until_us;
	} else if (!breaker->proven && breaker->probing) {
		fault = fault_new(mem, FAULT_TRY_LATER, "waits for the first answer of the server");
		*until_r = now + PROBE_AGAIN_US;
	} else if (!breaker->proven) {
		breaker->probing = true;
	}
	pthread_mutex_unlock(&shared->lock);
	return fault;
}

/* The same with a little patience: most first answers come at once. */
static struct fault *breaker_enter(struct shared *shared, TALLOC_CTX *mem,
				   const struct conf_server *server, int64_t *until_r)
{
	struct fault *fault = breaker_look(shared, mem, server, until_r);

	for (int64_t waited = 0;
	     fault && fault->kind == FAULT_TRY_LATER && waited < PROBE_PATIENCE_US;
	     waited += PROBE_LOOK_US) {
		clock_sleep(shared->env->clock, PROBE_LOOK_US);
		talloc_free(fault);
		fault = breaker_look(shared, mem, server, until_r);
	}
	return fault;
}

/* The time that a failed attempt took counts as waiting, so that a server that hangs is not tried again and again by a
 * command that people wait for. */
static void breaker_leave(struct shared *shared, const struct conf_server *server,
			  const struct fault *fault, int64_t since_us)
{
	struct breaker *breaker = breaker_of(shared, server);

	pthread_mutex_lock(&shared->lock);
	if (fault && fault->scope == FAULT_SCOPE_SERVER)
		shared->waited_us += clock_now_us(shared->env->clock) - since_us;
	breaker->probing = false;
	breaker->proven = !fault || fault->scope != FAULT_SCOPE_SERVER;
	if (breaker->proven) {
		breaker->until_us = 0;
		breaker->failures = 0;
	} else {
		breaker->until_us =
			clock_now_us(shared->env->clock) + queue_backoff_us(++breaker->failures);
		breaker->why = mem_strdup(shared->breakers, fault->text);
	}
	pthread_mutex_unlock(&shared->lock);
}

/* ---- one job ---- */

struct work {
	struct job *job;
	struct account *account;
	struct resource *resource;
	const struct conf_server *server;
	struct round_report *report;
	struct fault *folder_fault; /* the first that was of one folder only */
};

static void forward_progress(void *data, int64_t done, int64_t total)
{
	struct worker *worker = data;
	struct shared *shared = worker->shared;

	pthread_mutex_lock(&shared->lock);
	if (done <= worker->series_done) { /* another folder, or another pass over this one */
		worker->series_done = 0;
		worker->series_total = 0;
	}
	shared->done += done - worker->series_done;
	shared->total += total - worker->series_total;
	worker->series_done = done;
	worker->series_total = total;
	shared->options->progress(shared->options->data, "items sent", shared->done, shared->total);
	pthread_mutex_unlock(&shared->lock);
}

/* What a person reported may have to go to others (a second account, a shared task): they get a
 * push job. */
static struct fault *tell_others(struct worker *worker, TALLOC_CTX *mem, const struct work *work,
				 const struct project *project)
{
	struct store *store = worker->store;
	int64_t *accounts = NULL;
	struct fault *fault = NULL;
	size_t count = 0;

	FAULT_TRY(link_behind(store, mem, project->id, work->account->id, &accounts, &count));
	if (!count)
		return NULL;
	FAULT_TRY(store_begin(store));
	for (size_t i = 0; i < count && !fault; i++)
		fault = queue_add(store, JOB_PUSH, accounts[i], project->id,
				  clock_now_us(worker->env.clock), NULL);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

static struct fault *one_round(struct worker *worker, TALLOC_CTX *mem, struct work *work,
			       struct endpoint *endpoint, const struct project *project)
{
	const struct sync_options *options = worker->shared->options;
	struct round_options round = { .ensure = work->job->kind == JOB_PUBLISH,
				       .full = options->full,
				       .dry_run = options->dry_run,
				       .data = worker,
				       .progress = options->progress ? forward_progress : NULL };
	int64_t changed = work->report->changed;
	struct fault *fault = round_run(mem, &worker->env, work->server, endpoint, work->account,
					project, &round, work->report);

	if (!fault && work->report->changed > changed && !options->dry_run)
		return tell_others(worker, mem, work, project);
	if (!fault || fault->scope > FAULT_SCOPE_FOLDER)
		return fault;
	round_note(work->report, "project %s of %s on server %s: %s", project->code,
		   work->resource->key, work->server->name, fault->text);
	if (!work->folder_fault)
		work->folder_fault = fault;
	return NULL;
}

static struct fault *all_rounds(struct worker *worker, TALLOC_CTX *mem, struct work *work)
{
	struct delivery delivery = { .http = worker->shared->http,
				     .trusts = worker->shared->trusts,
				     .stop_fd = -1,
				     .clock = worker->env.clock,
				     .points = worker->env.points,
				     .conf = worker->env.conf };
	struct endpoint *endpoint = NULL;
	struct project *projects = NULL;
	size_t count = 0;

	FAULT_TRY(delivery_endpoint(mem, &delivery, work->server, work->resource, &endpoint));
	FAULT_TRY(project_list_of(worker->store, mem, work->resource->id, &projects, &count));
	for (size_t i = 0; i < count; i++)
		if (!work->job->project_id || work->job->project_id == projects[i].id)
			FAULT_TRY(one_round(worker, mem, work, endpoint, &projects[i]));
	return NULL;
}

static bool is_login_spent(struct worker *worker, const struct account *account)
{
	return account->login_failures >= SYNC_LOGINS_MAX &&
	       clock_now_us(worker->env.clock) - account->login_since_us < HOUR_US;
}

/* Whole seconds, for people. */
static int64_t next_login_us(const struct account *account)
{
	return (account->login_since_us + HOUR_US) / CLOCK_SECOND_US * CLOCK_SECOND_US;
}

static void note_login(struct worker *worker, struct account *account)
{
	int64_t now = clock_now_us(worker->env.clock);

	if (now - account->login_since_us >= HOUR_US) {
		account->login_since_us = now;
		account->login_failures = 0;
	}
	account->login_failures++;
}

static struct fault *save_account(struct worker *worker, struct work *work,
				  const struct fault *fault)
{
	struct account *account = work->account;
	struct fault *late;

	if (!fault) {
		account->state = ACCOUNT_OK;
		account->error = NULL;
		account->last_seen_us = clock_now_us(worker->env.clock);
		account->login_failures = 0;
	} else {
		account->state =
			fault->next == FAULT_NEXT_RETRY ? ACCOUNT_UNREACHABLE : ACCOUNT_HELD;
		account->error = fault->text;
		if (fault->kind == FAULT_LOGIN)
			note_login(worker, account);
	}
	FAULT_TRY(store_begin(worker->store));
	late = link_account_set(worker->store, account);
	if (!late)
		late = store_commit(worker->store);
	store_rollback(worker->store);
	return late;
}

/* How it went with an account in the end; what went wrong on the way to a success is no news. */
struct outcome {
	int64_t account;
	const char *resource;
	const struct conf_server *server;
	struct fault *fault; /* NULL: served */
	bool told;
};

static struct outcome *outcome_of(struct shared *shared, const struct work *work)
{
	struct outcome *outcome;

	for (size_t i = 0; i < shared->outcome_count; i++)
		if (shared->outcomes[i].account == work->account->id)
			return &shared->outcomes[i];
	shared->outcomes = MEM_GROW(shared->result, shared->outcomes, struct outcome,
				    shared->outcome_count + 1);
	outcome = &shared->outcomes[shared->outcome_count++];
	*outcome = (struct outcome){ .account = work->account->id, .server = work->server };
	outcome->resource = mem_strdup(shared->result, work->resource->key);
	return outcome;
}

static void add_result(struct worker *worker, const struct work *work, const struct fault *fault)
{
	struct shared *shared = worker->shared;
	struct outcome *outcome;

	pthread_mutex_lock(&shared->lock);
	round_report_add(shared->result->report, work->report);
	outcome = outcome_of(shared, work);
	talloc_free(outcome->fault);
	outcome->fault = NULL;
	if (fault)
		outcome->fault =
			fault_reaches(fault_new(shared->result, fault->kind, "%s", fault->text),
				      fault->scope, fault->next);
	pthread_mutex_unlock(&shared->lock);
}

/* A server that does not answer is one line, however many accounts wait for it. */
static void tell_server(struct shared *shared, const struct outcome *first)
{
	int64_t accounts = 0;

	for (size_t i = 0; i < shared->outcome_count; i++) {
		struct outcome *outcome = &shared->outcomes[i];

		if (outcome->server != first->server || !outcome->fault ||
		    outcome->fault->scope != FAULT_SCOPE_SERVER)
			continue;
		outcome->told = true;
		accounts++;
	}
	round_note(shared->result->report, "server %s (%s): %s; %lld %s", first->server->name,
		   first->server->url, first->fault->text, (long long)accounts,
		   accounts == 1 ? "account waits" : "accounts wait");
}

static void tell_outcomes(struct shared *shared)
{
	struct sync_result *result = shared->result;

	for (size_t i = 0; i < shared->outcome_count; i++) {
		struct outcome *outcome = &shared->outcomes[i];

		if (!outcome->fault)
			result->served++;
		else if (outcome->fault->next == FAULT_NEXT_RETRY)
			result->unreachable++;
		else
			result->held_accounts++;
		if (!outcome->fault || outcome->told)
			continue;
		if (outcome->fault->scope == FAULT_SCOPE_SERVER)
			tell_server(shared, outcome);
		else
			round_note(result->report, "%s on server %s: %s", outcome->resource,
				   outcome->server->name, outcome->fault->text);
	}
}

static struct fault *find_work(struct worker *worker, TALLOC_CTX *mem, struct work *work)
{
	FAULT_TRY(link_account_by_id(worker->store, mem, work->job->account_id, &work->account));
	if (!work->account)
		return fault_new(mem, FAULT_INTERNAL, "job %lld has no account",
				 (long long)work->job->id);
	FAULT_TRY(
		project_resource(worker->store, mem, work->account->resource_id, &work->resource));
	if (!work->resource)
		return fault_new(mem, FAULT_INTERNAL, "account %lld has no resource",
				 (long long)work->account->id);
	work->server = conf_server_find(worker->env.conf, work->account->server);
	return NULL;
}

static struct fault *end_job(struct worker *worker, struct work *work, const struct fault *fault)
{
	if (!fault)
		fault = work->folder_fault;
	if (fault && fault->scope < FAULT_SCOPE_SITE)
		return queue_fail(worker->store, work->job, fault);
	if (work->report->due_us < INT64_MAX)
		return queue_wait(worker->store, work->job, work->report->due_us,
				  "waits for settle time or a retry");
	return queue_done(worker->store, work->job);
}

static struct fault *login_is_spent(struct worker *worker, TALLOC_CTX *mem, struct work *work)
{
	if (!is_login_spent(worker, work->account))
		return NULL;
	work->account->login_failures--; /* this one is not tried: save_account() counts it again */
	return fault_new(mem, FAULT_LOGIN,
			 "the login was refused %d times within the hour, it is not tried again "
			 "before %s; when "
			 "the password is right: taskferry queue retry --all",
			 SYNC_LOGINS_MAX, clock_rfc3339(mem, next_login_us(work->account)));
}

/* A server that is not to be tried now: the job comes back, which counts for nothing. */
static struct fault *put_off(struct worker *worker, struct work *work, const struct fault *why,
			     int64_t until_us)
{
	if (why->kind == FAULT_UNREACHABLE) {
		FAULT_TRY(save_account(worker, work, why));
		add_result(worker, work, why);
	}
	return queue_wait(worker->store, work->job, until_us, why->text);
}

static struct fault *run_job(struct worker *worker, TALLOC_CTX *mem, struct job *job)
{
	struct work work = { .job = job, .report = round_report_new(mem) };
	struct fault *fault;
	int64_t until_us = 0, since_us;

	FAULT_TRY(find_work(worker, mem, &work));
	if (!work.server)
		return queue_fail(worker->store, job,
				  fault_reaches(fault_new(mem, FAULT_CONFIG,
							  "server %s is not in the configuration "
							  "any more; put it back, or "
							  "drop the job",
							  work.account->server),
						FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD));
	fault = login_is_spent(worker, mem, &work);
	if (!fault) {
		fault = breaker_enter(worker->shared, mem, work.server, &until_us);
		if (fault)
			return put_off(worker, &work, fault, until_us);
		since_us = clock_now_us(worker->env.clock);
		fault = all_rounds(worker, mem, &work);
		breaker_leave(worker->shared, work.server, fault, since_us);
	}
	if (fault && fault->scope == FAULT_SCOPE_SITE)
		return fault;
	FAULT_TRY(save_account(worker, &work, fault));
	add_result(worker, &work, fault);
	return end_job(worker, &work, fault);
}

/* ---- workers ---- */

static void stop_all(struct shared *shared, const struct fault *fault)
{
	pthread_mutex_lock(&shared->lock);
	if (!shared->fault)
		shared->fault =
			fault_reaches(fault_new(shared->result, fault->kind, "%s", fault->text),
				      fault->scope, fault->next);
	pthread_mutex_unlock(&shared->lock);
}

/* Takes a job, or tells whether to look again. While somebody works, everybody stays: what is
 * leased now may be due again. Only the first worker waits for what is due later, so that the
 * patience is counted once. All under the lock, so that a job is never leased without its worker
 * being counted as busy. */
static struct fault *next_job_locked(struct worker *worker, TALLOC_CTX *mem, struct job **job_r,
				     int64_t *pause_r)
{
	struct shared *shared = worker->shared;
	int64_t account = shared->options->account ? shared->options->account->id : 0,
		due = INT64_MAX, now, pause;

	FAULT_TRY(queue_lease(worker->store, mem, shared->owner, account, job_r));
	if (*job_r) {
		shared->busy++;
		return NULL;
	}
	FAULT_TRY(queue_next_due(worker->store, account, &due));
	now = clock_now_us(shared->env->clock);
	pause = !due || due < now + IDLE_PAUSE_US ? IDLE_PAUSE_US : due - now;
	if (shared->busy > 0) {
		*pause_r = IDLE_PAUSE_US;
	} else if (due < INT64_MAX && worker->waits &&
		   pause <= SYNC_PATIENCE_US - shared->waited_us) {
		shared->waited_us += pause;
		*pause_r = pause;
	}
	return NULL;
}

static struct fault *next_job(struct worker *worker, TALLOC_CTX *mem, struct job **job_r,
			      bool *again_r)
{
	struct shared *shared = worker->shared;
	struct fault *fault = NULL;
	int64_t pause = 0; /* none: the end */

	pthread_mutex_lock(&shared->lock);
	if (!shared->fault)
		fault = next_job_locked(worker, mem, job_r, &pause);
	pthread_mutex_unlock(&shared->lock);
	FAULT_TRY(fault);
	*again_r = *job_r || pause;
	if (pause)
		clock_sleep(shared->env->clock, pause);
	return NULL;
}

static void end_busy(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	shared->busy--;
	pthread_mutex_unlock(&shared->lock);
}

static void *work(void *data)
{
	struct worker *worker = data;
	bool again = true;

	while (again) {
		TALLOC_CTX *mem = MEM_CONTEXT(worker->mem);
		struct job *job = NULL;
		struct fault *fault = next_job(worker, mem, &job, &again);

		if (!fault && job) {
			fault = run_job(worker, mem, job);
			end_busy(worker->shared);
		}
		if (fault) {
			stop_all(worker->shared, fault);
			again = false;
		}
		talloc_free(mem);
	}
	return NULL;
}

static struct fault *worker_open(TALLOC_CTX *mem, struct shared *shared, struct worker *worker)
{
	const struct sync_env *env = shared->env;

	worker->shared = shared;
	worker->mem = MEM_CONTEXT(NULL);
	worker->rule_report = MEM_NEW(worker->mem, struct conf_report);
	FAULT_TRY(store_open(worker->mem, env->conf->dsn, env->clock, env->points, &worker->store));
	worker->env = (struct round_env){ .conf = env->conf,
					  .store = worker->store,
					  .clock = env->clock,
					  .points = env->points };
	worker->env.rules = rules_new(worker->mem, env->conf, worker->rule_report);
	if (!worker->env.rules)
		return fault_new(
			mem, FAULT_CONFIG,
			"a rule of the configuration is not accepted; see: taskferry check");
	return NULL;
}

static struct fault *worker_start(TALLOC_CTX *mem, struct shared *shared, struct worker *worker)
{
	FAULT_TRY(worker_open(mem, shared, worker));
	if (pthread_create(&worker->thread, NULL, work, worker))
		return fault_new(mem, FAULT_INTERNAL, "no thread could be started");
	worker->started = true;
	return NULL;
}

static struct fault *run_workers(TALLOC_CTX *mem, struct shared *shared)
{
	struct worker workers[SYNC_WORKERS];
	struct fault *fault = NULL;

	memset(workers, 0, sizeof workers);
	for (int i = 0; i < SYNC_WORKERS && !fault; i++) {
		workers[i].waits = i == 0;
		fault = worker_start(mem, shared, &workers[i]);
	}
	if (fault)
		stop_all(shared, fault);
	for (int i = 0; i < SYNC_WORKERS; i++) {
		if (workers[i].started)
			pthread_join(workers[i].thread, NULL);
		talloc_free(workers[i].mem);
	}
	return shared->fault;
}

/* ---- a dry run: the same rounds without the queue, one after the other ---- */

static bool is_asked_for(const struct sync_options *options, const struct account *account)
{
	return !options->account || options->account->id == account->id;
}

static struct fault *dry_account(struct worker *worker, TALLOC_CTX *mem,
				 const struct conf_server *server, struct resource *resource)
{
	const struct sync_options *options = worker->shared->options;
	struct job job = { .kind = JOB_PULL,
			   .project_id = options->project ? options->project->id : 0 };
	struct work work = {
		.job = &job, .resource = resource, .server = server, .report = round_report_new(mem)
	};
	struct fault *fault;
	int64_t until_us = 0;

	FAULT_TRY(
		link_account(worker->store, mem, server->name, resource->id, false, &work.account));
	if (!work.account) {
		round_note(worker->shared->result->report,
			   "%s on server %s: not looked at yet, all items are new", resource->key,
			   server->name);
		return NULL;
	}
	if (!is_asked_for(options, work.account))
		return NULL;
	fault = breaker_look(worker->shared, mem, server, &until_us);
	if (!fault) {
		fault = all_rounds(worker, mem, &work);
		breaker_leave(worker->shared, server, fault, clock_now_us(worker->env.clock));
	}
	if (fault && fault->scope == FAULT_SCOPE_SITE)
		return fault;
	add_result(worker, &work, fault);
	return NULL;
}

static struct fault *dry_accounts(struct worker *worker)
{
	const struct conf *conf = worker->env.conf;
	const struct conf_server **servers =
		MEM_ARRAY(worker->mem, const struct conf_server *, conf->server_count);
	struct resource *people = NULL;
	size_t count = 0;

	FAULT_TRY(project_people(worker->store, worker->mem, &people, &count));
	for (size_t i = 0; i < count; i++) {
		size_t n = delivery_servers(conf, &people[i], servers);

		for (size_t s = 0; s < n; s++)
			FAULT_TRY(dry_account(worker, worker->mem, servers[s], &people[i]));
	}
	return NULL;
}

static struct fault *run_dry(TALLOC_CTX *mem, struct shared *shared)
{
	struct worker worker = { .started = false };
	struct fault *fault = worker_open(mem, shared, &worker);

	if (!fault)
		fault = dry_accounts(&worker);
	if (fault)
		stop_all(shared, fault);
	talloc_free(worker.mem);
	return shared->fault;
}

static struct fault *count_leftovers(struct store *store, struct sync_result *result)
{
	int64_t counts[JOB_STATES];

	FAULT_TRY(queue_counts(store, counts));
	result->waiting_jobs = counts[JOB_WAITING] + counts[JOB_READY];
	result->dead_jobs = counts[JOB_DEAD];
	return NULL;
}

struct fault *sync_run(TALLOC_CTX *mem, const struct sync_env *env,
		       const struct sync_options *options, struct sync_result **result_r)
{
	struct sync_result *result = MEM_NEW(mem, struct sync_result);
	struct shared shared = {
		.env = env, .options = options, .owner = queue_owner(result), .result = result
	};
	struct store *store = NULL;
	struct fault *fault;

	result->report = round_report_new(result);
	shared.breakers = MEM_ARRAY(result, struct breaker, env->conf->server_count);
	pthread_mutex_init(&shared.lock, NULL);
	FAULT_TRY(store_open(result, env->conf->dsn, env->clock, env->points, &store));
	if (!options->dry_run)
		FAULT_TRY(add_pull_jobs(result, env, options, store));
	FAULT_TRY(http_new(result, env->clock, env->points, &shared.http));
	shared.trusts = trusts_new(result);
	fault = options->dry_run ? run_dry(mem, &shared) : run_workers(mem, &shared);
	tell_outcomes(&shared);
	result->http = http_stats(shared.http);
	if (!fault && !options->dry_run)
		fault = count_leftovers(store, result);
	pthread_mutex_destroy(&shared.lock);
	if (fault)
		return fault;
	talloc_free(store);
	*result_r = result;
	return NULL;
}
