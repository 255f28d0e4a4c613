/* engine_request.c - what is asked of the engine: jobs made, calls of `sync` begun and ended.
 *
 * A request makes its jobs, then it only looks on: a job of one of its accounts, whoever asked for
 * it, is told to it when it ends. It is over when nothing of its accounts is leased, and nothing of
 * them will be due within what is left of its patience. Patience is spent by waiting while nothing
 * of them is worked on, and by a server that takes its time not to answer. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/sync/delivery.h"

/* At the service's beginning accounts are looked at one after the other: 20 of them in a second, more
 * only where all would take longer than that. */
#define START_PACE_US (CLOCK_SECOND_US / 20)
#define START_SPAN_US (60 * CLOCK_SECOND_US)
#define HELD_REST_US (3600 * CLOCK_SECOND_US) /* as long as refused logins are counted */

struct engine_request {
	struct engine_request *prev, *next;
	struct queue_filter filter;
	bool full;
	void (*progress)(void *data, const char *what, int64_t done, int64_t total);
	void *progress_data;
	engine_done *done;
	void *data;
	int64_t serial;
	struct sync_result *result;
	struct outcomes *outcomes;
	int64_t *accounts; /* that it looks on, sorted */
	size_t account_count;
	int64_t *in_full; /* accounts that have been done in full */
	size_t full_count;
	int64_t waited_us, idle_since_us; /* monotonic; 0: something is worked on */
	int64_t sent, to_send;            /* items */
};

/* ---- making jobs ---- */

/* The accounts that get a job, as they are found. */
struct accounts {
	int64_t *ids;
	size_t count;
	bool spread;     /* they are due one after the other */
	int64_t pace_us; /* at this distance */
};

static struct fault *account_ids(TALLOC_CTX *mem, struct engine_worker *worker,
				 const struct resource *resource, struct accounts *accounts)
{
	int64_t *ids = NULL;
	size_t count = 0;

	FAULT_TRY(delivery_accounts(mem, worker->env.conf, worker->store, resource, &ids, &count));
	accounts->ids = MEM_GROW(mem, accounts->ids, int64_t, accounts->count + count);
	for (size_t i = 0; i < count; i++)
		accounts->ids[accounts->count++] = ids[i];
	return NULL;
}

/* PACE_US apart, the first of them at DUE_US. */
static struct fault *add_jobs(struct engine_worker *worker, const int64_t *ids, size_t count,
			      int64_t project, int64_t due_us, int64_t pace_us)
{
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(queue_add(worker->store, engine_replies_kind(worker->engine, ids[i]),
				    ids[i], project, due_us + (int64_t)i * pace_us, NULL));
	return NULL;
}

/* People COUNT by COUNT, a transaction for each lot. */
static struct fault *pull_people(struct engine_worker *worker, TALLOC_CTX *mem,
				 const struct resource *people, size_t count, int64_t project,
				 struct accounts *accounts)
{
	size_t before = accounts->count;
	struct fault *fault;

	FAULT_TRY(store_begin(worker->store));
	fault = NULL;
	for (size_t i = 0; i < count && !fault; i++)
		fault = account_ids(mem, worker, &people[i], accounts);
	if (!fault)
		fault = add_jobs(worker, accounts->ids + before, accounts->count - before, project,
				 clock_now_us(worker->env.clock) +
					 (int64_t)before * accounts->pace_us,
				 accounts->pace_us);
	if (!fault)
		fault = store_commit(worker->store);
	store_rollback(worker->store);
	if (!fault)
		point_reach(worker->env.points, POINT_JOB_ADDED);
	return fault;
}

static int64_t start_pace_us(size_t count)
{
	int64_t pace = START_SPAN_US / (count ? (int64_t)count : 1);

	return pace < START_PACE_US ? pace : START_PACE_US;
}

static struct fault *pull_project(struct engine_worker *worker, TALLOC_CTX *mem, int64_t project,
				  struct accounts *accounts)
{
	struct resource *people = NULL;
	size_t count = 0;

	if (project)
		FAULT_TRY(project_resources(worker->store, mem, project, &people, &count));
	else
		FAULT_TRY(project_people(worker->store, mem, &people, &count));
	accounts->pace_us = accounts->spread ? start_pace_us(count) : 0;
	for (size_t i = 0; i < count; i += ENGINE_BATCH) {
		size_t lot = count - i < ENGINE_BATCH ? count - i : ENGINE_BATCH;

		FAULT_TRY(pull_people(worker, mem, people + i, lot, project, accounts));
	}
	return NULL;
}

static struct fault *pull_ids(struct engine_worker *worker, const int64_t *ids, size_t count,
			      int64_t project)
{
	struct fault *fault;

	FAULT_TRY(store_begin(worker->store));
	fault = add_jobs(worker, ids, count, project, clock_now_us(worker->env.clock), 0);
	if (!fault)
		fault = store_commit(worker->store);
	store_rollback(worker->store);
	if (!fault)
		point_reach(worker->env.points, POINT_JOB_ADDED);
	return fault;
}

/* ---- accounts that woke us ---- */

/* Up to ENGINE_BATCH that get a job; not those that are held. */
static size_t take_pulls(struct engine *engine, int64_t *ids)
{
	int64_t now = engine_mono_us();
	size_t count = 0;

	pthread_mutex_lock(&engine->lock);
	while (engine->pull_count && count < ENGINE_BATCH) {
		int64_t id = engine->pulls[--engine->pull_count];
		const struct engine_account *account = engine_account(engine, id);

		if (!account->held_us || now - account->held_us >= HELD_REST_US)
			ids[count++] = id;
	}
	pthread_mutex_unlock(&engine->lock);
	return count;
}

static void give_back_pulls(struct engine *engine, const int64_t *ids, size_t count)
{
	pthread_mutex_lock(&engine->lock);
	engine->pulls = MEM_GROW(engine->mem, engine->pulls, int64_t, engine->pull_count + count);
	memcpy(engine->pulls + engine->pull_count, ids, count * sizeof *ids);
	engine->pull_count += count;
	pthread_mutex_unlock(&engine->lock);
}

static struct fault *pull_woken(struct engine_worker *worker)
{
	int64_t ids[ENGINE_BATCH];
	size_t count;

	while ((count = take_pulls(worker->engine, ids))) {
		struct fault *fault = pull_ids(worker, ids, count, 0);

		if (fault) {
			give_back_pulls(worker->engine, ids, count);
			return fault;
		}
	}
	return NULL;
}

/* ---- requests ---- */

void engine_request(struct engine *engine, const struct sync_options *options, engine_done *done,
		    void *data)
{
	struct engine_request *request = MEM_NEW(NULL, struct engine_request);

	if (options->account)
		request->filter.account = options->account->id;
	if (options->project)
		request->filter.project = options->project->id;
	request->full = options->full;
	request->progress = options->progress;
	request->progress_data = options->data;
	request->done = done;
	request->data = data;
	request->result = MEM_NEW(request, struct sync_result);
	request->result->report = round_report_new(request->result);
	request->outcomes = outcomes_new(request);
	request->accounts = request->in_full = NULL;
	pthread_mutex_lock(&engine->lock);
	request->serial = ++engine->serial;
	DL_APPEND(engine->inbox, request);
	engine_call(engine, true);
	pthread_mutex_unlock(&engine->lock);
}

static void end(struct engine_request *request, const struct fault *fault)
{
	request->done(request->data, fault ? NULL : request->result, fault);
	talloc_free(request);
}

static int compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The ids may come from another process: what they name need not be there. */
static struct fault *is_there(struct engine_worker *worker, TALLOC_CTX *mem,
			      const struct queue_filter *filter, bool *there_r)
{
	struct account *account = NULL;
	struct project *project = NULL;

	if (filter->account)
		FAULT_TRY(link_account_by_id(worker->store, mem, filter->account, &account));
	if (filter->project)
		FAULT_TRY(project_by_id(worker->store, mem, filter->project, &project));
	*there_r = (account || !filter->account) && (project || !filter->project);
	return NULL;
}

/* A call for everything looks into the mailbox with replies too. */
static struct fault *add_replies(struct engine_worker *worker, TALLOC_CTX *mem,
				 const struct engine_request *request, struct accounts *found)
{
	int64_t account = 0;

	if (request->filter.project)
		return NULL;
	FAULT_TRY(engine_replies_ask(worker, mem, &account));
	found->ids = MEM_GROW(mem, found->ids, int64_t, found->count + 1);
	if (account)
		found->ids[found->count++] = account;
	return NULL;
}

static struct fault *make_jobs(struct engine_worker *worker, TALLOC_CTX *mem,
			       struct engine_request *request)
{
	struct accounts found = { .ids = MEM_ARRAY(mem, int64_t, 1) };
	bool there = false;

	FAULT_TRY(is_there(worker, mem, &request->filter, &there));
	if (!there)
		return NULL;
	if (request->filter.account) {
		found.ids[found.count++] = request->filter.account;
		FAULT_TRY(pull_ids(worker, found.ids, 1, request->filter.project));
	} else {
		FAULT_TRY(pull_project(worker, mem, request->filter.project, &found));
		FAULT_TRY(add_replies(worker, mem, request, &found));
	}
	qsort(found.ids, found.count, sizeof *found.ids, compare_ids);
	request->accounts = talloc_steal(request, found.ids);
	request->account_count = found.count;
	return NULL;
}

static struct engine_request *first_of_inbox(struct engine *engine)
{
	struct engine_request *request;

	pthread_mutex_lock(&engine->lock);
	request = engine->inbox;
	pthread_mutex_unlock(&engine->lock);
	return request;
}

/* Jobs that end from here on are told to it. */
static void begin(struct engine *engine, struct engine_request *request)
{
	pthread_mutex_lock(&engine->lock);
	DL_DELETE(engine->inbox, request);
	pthread_mutex_unlock(&engine->lock);
	pthread_mutex_lock(&engine->tell);
	DL_APPEND(engine->requests, request);
	pthread_mutex_unlock(&engine->tell);
}

struct fault *engine_request_begin(struct engine_worker *worker, TALLOC_CTX *mem)
{
	struct engine *engine = worker->engine;
	struct engine_request *request;
	bool everybody;

	pthread_mutex_lock(&engine->lock);
	everybody = engine->everybody;
	pthread_mutex_unlock(&engine->lock);
	if (everybody) {
		struct accounts all = { .spread = true };
		int64_t replies = 0;

		FAULT_TRY(pull_project(worker, mem, 0, &all));
		FAULT_TRY(engine_replies_ask(worker, mem, &replies));
		pthread_mutex_lock(&engine->lock);
		engine->everybody = false;
		pthread_mutex_unlock(&engine->lock);
	}
	while ((request = first_of_inbox(engine))) {
		FAULT_TRY(make_jobs(worker, mem, request));
		begin(engine, request);
	}
	return pull_woken(worker);
}

/* ---- what happens to its accounts ---- */

/* Under `tell`. */
static bool is_of(const struct engine_request *request, int64_t account)
{
	return request->account_count &&
	       bsearch(&account, request->accounts, request->account_count,
		       sizeof *request->accounts, compare_ids);
}

static bool was_in_full(const struct engine_request *request, int64_t account)
{
	for (size_t i = 0; i < request->full_count; i++)
		if (request->in_full[i] == account)
			return true;
	return false;
}

bool engine_request_full(struct engine *engine, const struct engine_task *task)
{
	struct engine_request *request;
	bool full = false;

	pthread_mutex_lock(&engine->tell);
	DL_FOREACH(engine->requests, request)
	full |= request->full && is_of(request, task->job->account_id) &&
		!was_in_full(request, task->job->account_id);
	pthread_mutex_unlock(&engine->tell);
	return full;
}

/* DONE and TOTAL: more by so much than at the last call. */
void engine_request_progress(struct engine *engine, const struct engine_task *task, int64_t done,
			     int64_t total)
{
	struct engine_request *request;

	pthread_mutex_lock(&engine->tell);
	DL_FOREACH(engine->requests, request)
	{
		if (!request->progress || request->serial > task->serial ||
		    !is_of(request, task->job->account_id))
			continue;
		request->sent += done;
		request->to_send += total;
		request->progress(request->progress_data, "items sent", request->sent,
				  request->to_send);
	}
	pthread_mutex_unlock(&engine->tell);
}

static void tell(struct engine_request *request, const struct engine_outcome *outcome)
{
	round_report_add(request->result->report, outcome->report);
	engine_add_stats(&request->result->stats, &outcome->stats);
	if (outcome->later)
		return;
	if (outcome->serial >= request->serial)
		outcomes_set(request->outcomes, outcome->account, outcome->resource,
			     outcome->server, outcome->fault);
	request->waited_us += outcome->failed_us;
	if (!request->full || !outcome->full || outcome->fault)
		return;
	request->in_full = MEM_GROW(request, request->in_full, int64_t, request->full_count + 1);
	request->in_full[request->full_count++] = outcome->account;
}

void engine_request_tell(struct engine *engine, const struct engine_outcome *outcome)
{
	struct engine_request *request;

	pthread_mutex_lock(&engine->tell);
	DL_FOREACH(engine->requests, request)
	if (is_of(request, outcome->account))
		tell(request, outcome);
	pthread_mutex_unlock(&engine->tell);
}

/* ---- the end of a request ---- */

/* When something of it can be leased, by the monotonic clock; INT64_MAX: nothing waits. What waits
 * for a server that is not tried now can be when that is. */
static struct fault *next_due(struct engine_worker *worker, TALLOC_CTX *mem,
			      const struct engine_request *request, int64_t *due_r)
{
	int64_t drift = engine_mono_us() - clock_now_us(worker->env.clock);
	int64_t due = INT64_MAX, all = INT64_MAX, until = INT64_MAX;
	struct queue_filter filter = request->filter;
	const char **names = NULL;

	filter.without_count = engine_server_closed(worker->engine, mem, true, &names, &until);
	filter.without = names;
	FAULT_TRY(queue_next_due(worker->store, &filter, &due));
	if (filter.without_count)
		FAULT_TRY(queue_next_due(worker->store, &request->filter, &all));
	due = due == INT64_MAX ? due : due + drift;
	all = all == INT64_MAX ? all : all + drift;
	if (all < until)
		all = until;
	*due_r = all < due && filter.without_count ? all : due;
	return NULL;
}

/* Nothing of it is worked on. True: it is over; else *WAKE_R is when to look again. */
static bool is_impatient(struct engine *engine, struct engine_request *request, int64_t due,
			 int64_t *wake_r)
{
	int64_t now = engine_mono_us(), left;

	if (due == INT64_MAX)
		return true;
	pthread_mutex_lock(&engine->tell);
	if (!request->idle_since_us)
		request->idle_since_us = now;
	left = ENGINE_PATIENCE_US - request->waited_us - (now - request->idle_since_us);
	pthread_mutex_unlock(&engine->tell);
	if (left <= 0 || due - now > left)
		return true;
	*wake_r = due > now ? due : now + left;
	return false;
}

static void works_on(struct engine *engine, struct engine_request *request)
{
	pthread_mutex_lock(&engine->tell);
	if (request->idle_since_us)
		request->waited_us += engine_mono_us() - request->idle_since_us;
	request->idle_since_us = 0;
	pthread_mutex_unlock(&engine->tell);
}

static struct fault *is_over(struct engine_worker *worker, TALLOC_CTX *mem,
			     struct engine_request *request, bool *over_r, int64_t *wake_r)
{
	int64_t busy = 0, due = INT64_MAX;

	FAULT_TRY(queue_busy(worker->store, &request->filter, &busy));
	if (busy) {
		works_on(worker->engine, request);
		*over_r = false;
		return NULL;
	}
	FAULT_TRY(next_due(worker, mem, request, &due));
	*over_r = is_impatient(worker->engine, request, due, wake_r);
	return NULL;
}

/* What the end of a request is told with. */
struct ending {
	struct engine_server *silent;   /* servers that do not answer */
	struct queue_overdue **waiting; /* accounts there that nobody has tried, per server */
	size_t *waiting_counts, silent_count;
	int64_t jobs[JOB_STATES];
};

static struct fault *ending_read(struct engine_worker *worker, TALLOC_CTX *mem,
				 const struct engine_request *request, struct ending *ending)
{
	ending->silent_count = engine_server_silent(worker->engine, mem, &ending->silent);
	ending->waiting = MEM_ARRAY(mem, struct queue_overdue *, ending->silent_count);
	ending->waiting_counts = MEM_ARRAY(mem, size_t, ending->silent_count);
	for (size_t i = 0; i < ending->silent_count; i++)
		FAULT_TRY(queue_overdue(worker->store, mem, &request->filter,
					ending->silent[i].conf->name, &ending->waiting[i],
					&ending->waiting_counts[i]));
	return queue_counts(worker->store, &request->filter, ending->jobs);
}

/* Nobody else knows the request any more. */
static void conclude(struct engine_request *request, const struct ending *ending)
{
	struct sync_result *result = request->result;

	for (size_t i = 0; i < ending->silent_count; i++)
		for (size_t j = 0; j < ending->waiting_counts[i]; j++) {
			const struct queue_overdue *account = &ending->waiting[i][j];

			if (!outcomes_has(request->outcomes, account->account))
				outcomes_set(request->outcomes, account->account, account->resource,
					     ending->silent[i].conf, ending->silent[i].why);
		}
	result->waiting_jobs = ending->jobs[JOB_WAITING] + ending->jobs[JOB_READY];
	result->dead_jobs = ending->jobs[JOB_DEAD];
	outcomes_tell(request->outcomes, result);
	end(request, NULL);
}

static struct fault *finish(struct engine_worker *worker, TALLOC_CTX *mem,
			    struct engine_request *request)
{
	struct ending ending = { .silent = NULL };

	FAULT_TRY(ending_read(worker, mem, request, &ending));
	pthread_mutex_lock(&worker->engine->tell);
	DL_DELETE(worker->engine->requests, request);
	pthread_mutex_unlock(&worker->engine->tell);
	conclude(request, &ending);
	return NULL;
}

struct fault *engine_request_look(struct engine_worker *worker, TALLOC_CTX *mem, int64_t *wake_r)
{
	struct engine_request *request, *next;
	int64_t first = INT64_MAX;

	DL_FOREACH_SAFE(worker->engine->requests, request, next)
	{
		int64_t wake = INT64_MAX;
		bool over = false;

		FAULT_TRY(is_over(worker, mem, request, &over, &wake));
		if (over)
			FAULT_TRY(finish(worker, mem, request));
		else if (wake < first)
			first = wake;
	}
	*wake_r = first;
	return NULL;
}

static struct engine_request *take_any(struct engine *engine)
{
	struct engine_request *request = first_of_inbox(engine);

	if (request) {
		pthread_mutex_lock(&engine->lock);
		DL_DELETE(engine->inbox, request);
		pthread_mutex_unlock(&engine->lock);
		return request;
	}
	pthread_mutex_lock(&engine->tell);
	request = engine->requests;
	if (request)
		DL_DELETE(engine->requests, request);
	pthread_mutex_unlock(&engine->tell);
	return request;
}

void engine_request_abort(struct engine *engine)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct fault *fault = engine_fault(engine, mem);
	struct engine_request *request;

	if (!fault)
		fault = fault_new(mem, FAULT_TRY_LATER, "the service is ending");
	while ((request = take_any(engine)))
		end(request, fault);
	talloc_free(mem);
}
