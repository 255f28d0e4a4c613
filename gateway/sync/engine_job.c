/* engine_job.c - one job, from its lease to its end.
 *
 *   rounds      over the parked endpoint, or a new one
 *   judged      a fault is of the server (breaker), the account (held, or retried), a folder; or
 *               nobody's: the service ends, or the database is busy, and the job goes back
 *   logged      by one line, when all is where it belongs: what follows is nobody's waiting; a fault
 *               when it is known what becomes of the job
 *   given back  the endpoint, before the job ends: until then no other job of the account begins
 *   told        to the requests that look on, before the job ends: then they may be over
 *   ended       in the queue */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/homes.h"
#include "gateway/sync/replies.h"
#include "gateway/sync/traits.h"
#include "store/replies.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)
#define BUSY_PAUSE_US CLOCK_SECOND_US      /* until a busy database is asked again */
#define BUSY_WAIT_US (5 * CLOCK_SECOND_US) /* until a job that met one is begun again */

struct work {
	struct engine_worker *worker;
	struct engine *engine;
	struct engine_task *task;
	struct job leased, along; /* the jobs as they were; the second one where there is one */
	struct account *account;
	struct resource *resource;
	const char *name; /* "SERVER/RESOURCE" */
	struct endpoint *endpoint;
	bool parked; /* so it was before this job */
	struct endpoint_place
		*place; /* as it was remembered; later: what is to be; NULL: nothing */
	struct endpoint_stats before; /* of a parked endpoint */
	struct endpoint_stats took;
	struct visit visit;
	const struct fault *of_job; /* of the folder of the job's own project; NULL: none */
	int64_t since_us;                  /* monotonic */
	int64_t begin_us;                  /* by the wall clock */
	int64_t series_done, series_total; /* of the folder that it pushes just now */
	int64_t moved_project;             /* the last one in which something happened */
	bool answered;                     /* so the server does */
	const char *full_error;  /* of the account, if it was full before this job; or NULL */
	struct replies *replies; /* it is the mailbox with replies; NULL: it is not */
	bool later;              /* nobody's fault: it is done again */
	bool is_done;            /* the leased job: it waits for nothing */
	bool logged;
};

static struct fault *in_transaction(struct work *work,
				    struct fault *(*write)(struct work *work, const void *data),
				    const void *data)
{
	struct store *store = work->worker->store;
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = write(work, data);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* WRITE again and again, as long as the database is only busy: what a job has done is not lost for
 * that. */
static struct fault *insist(struct work *work, TALLOC_CTX *mem,
			    struct fault *(*write)(struct work *work, const void *data),
			    const void *data)
{
	struct fault *fault;

	while ((fault = write(work, data))) {
		if (fault->kind != FAULT_TRY_LATER ||
		    engine_ends(work->engine, engine_copy(mem, fault)))
			return fault;
		clock_sleep(work->engine->env.clock, BUSY_PAUSE_US);
	}
	return NULL;
}

/* ---- while it runs ---- */

static void answers(struct work *work)
{
	if (!work->answered)
		engine_server_answers(work->engine, work->task->server);
	work->answered = true;
}

static void forward_progress(void *data, int64_t done, int64_t total)
{
	struct work *work = data;

	if (done > 0)
		answers(work);
	if (done <= work->series_done) { /* another folder, or another pass over this one */
		work->series_done = 0;
		work->series_total = 0;
	}
	engine_request_progress(work->engine, work->task, done - work->series_done,
				total - work->series_total);
	work->series_done = done;
	work->series_total = total;
}

struct others {
	const int64_t *accounts;
	size_t count;
	int64_t project;
};

static struct fault *add_pushes(struct work *work, const void *data)
{
	const struct others *others = data;

	for (size_t i = 0; i < others->count; i++)
		FAULT_TRY(queue_add(work->worker->store, JOB_PUSH, others->accounts[i],
				    others->project, clock_now_us(work->engine->env.clock), NULL));
	return NULL;
}

static struct fault *add_pushes_now(struct work *work, const void *others)
{
	return in_transaction(work, add_pushes, others);
}

/* What a person reported may have to go to others (a second account, a shared task): they get a
 * push job. */
static struct fault *tell_others(struct work *work, TALLOC_CTX *mem, const struct project *project)
{
	struct others others = { .project = project->id };
	int64_t *accounts = NULL;

	FAULT_TRY(link_behind(work->worker->store, mem, project->id, work->account->id, &accounts,
			      &others.count));
	if (!others.count)
		return NULL;
	others.accounts = accounts;
	FAULT_TRY(insist(work, mem, add_pushes_now, &others));
	engine_poke(work->engine);
	return NULL;
}

/* Notes that wait for a person begin so. */
static const char *const grave[] = { "held:", "not read:", "set aside:",
				     "found by comparing everything:", "taken for moved:" };

static void log_notes(struct work *work, const struct visit_round *round)
{
	const struct round_report *report = work->visit.report;

	for (size_t i = round->first_note; i < report->note_count; i++) {
		struct log_pair pairs[] = { { "account", work->name },
					    { "project", round->project->code },
					    { "text", report->notes[i] } };
		enum log_level level = round->fault ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;

		for (size_t j = 0; j < COUNT_OF(grave); j++)
			if (text_starts(report->notes[i], grave[j]))
				level = LOG_LEVEL_WARNING;
		if (!engine_notes_said(work->engine, work->account->id, report->notes[i]))
			log_pairs(work->engine->env.log, level, pairs, COUNT_OF(pairs), "note");
	}
}

static struct fault *seen(void *data, TALLOC_CTX *mem, const struct visit_round *round)
{
	struct work *work = data;

	if (!round->fault || round->fault->scope < FAULT_SCOPE_SERVER)
		answers(work);
	log_notes(work, round);
	if (round->project->id == work->task->job->project_id)
		work->of_job = round->fault;
	if (round->moved)
		work->moved_project = round->project->id;
	return round->changed ? tell_others(work, mem, round->project) : NULL;
}

static bool goes_on(void *data)
{
	struct work *work = data;

	return !engine_is_ending(work->engine);
}

/* The only project that is looked at; 0: all of them. */
static int64_t only_project(const struct job *job)
{
	return job->along && !job->along->project_id ? 0 : job->project_id;
}

/* ---- the endpoint ---- */

static struct fault *make_endpoint(struct work *work, TALLOC_CTX *mem)
{
	const struct engine_env *env = &work->engine->env;
	struct delivery delivery = { .http = env->http,
				     .clock = env->clock,
				     .points = env->points,
				     .conf = env->conf,
				     .trusts = env->trusts,
				     .stop_fd = env->stop_fd };
	struct endpoint *endpoint = NULL;
	struct fault *fault;
	TALLOC_CTX *root;

	if (!work->replies)
		FAULT_TRY(homes_load(work->worker->store, mem, work->account->id, &work->place));
	delivery.place = work->place;
	root = MEM_CONTEXT(NULL);
	fault = work->replies ? delivery_replies(root, &delivery, &endpoint)
			      : delivery_endpoint(root, &delivery, work->task->server->conf,
						  work->resource, &endpoint);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(root);
		return fault;
	}
	talloc_steal(NULL, endpoint); /* what it was made with lives as long as it */
	talloc_steal(endpoint, root);
	work->endpoint = endpoint;
	return NULL;
}

/* A job that is about all folders looks at those that it listens to. */
static struct fault *hush(struct work *work)
{
	bool looks = work->task->job && !only_project(work->task->job);

	if (work->task->heard || looks)
		return endpoint_follow(work->endpoint, work->task->heard);
	return endpoint_hush(work->endpoint);
}

static struct fault *find_endpoint(struct work *work, TALLOC_CTX *mem)
{
	const struct engine_park *park = &work->engine->park;

	if (park->take)
		work->endpoint = park->take(park->data, work->account->id);
	if (work->endpoint)
		work->before = endpoint_stats(work->endpoint); /* hush() may ask ahead */
	if (work->endpoint && hush(work)) {
		talloc_free(
			work->endpoint); /* it broke while it was parked: no failure of the job */
		work->endpoint = NULL;
	}
	work->parked = work->endpoint != NULL;
	if (work->endpoint)
		return NULL;
	FAULT_TRY(make_endpoint(work, mem));
	work->before = endpoint_stats(work->endpoint);
	return NULL;
}

static void count_stats(struct work *work)
{
	struct endpoint_stats now;

	if (!work->endpoint)
		return;
	now = endpoint_stats(work->endpoint);
	work->took = (struct endpoint_stats){
		.requests = now.requests - work->before.requests,
		.writes = now.writes - work->before.writes,
		.connections = now.connections - work->before.connections,
		.sent_bytes = now.sent_bytes - work->before.sent_bytes,
		.received_bytes = now.received_bytes - work->before.received_bytes,
	};
}

static struct fault *add_pull(struct work *work, const void *data)
{
	(void)data;
	return queue_add(work->worker->store, engine_replies_kind(work->engine, work->account->id),
			 work->account->id, 0, clock_now_us(work->engine->env.clock), NULL);
}

static struct fault *add_pull_now(struct work *work, const void *data)
{
	return in_transaction(work, add_pull, data);
}

/* The mailbox with replies is the only place of its account. */
static void park_mailbox(const struct work *work, TALLOC_CTX *mem, struct engine_parked *parked)
{
	struct endpoint_sweep *place = MEM_NEW(mem, struct endpoint_sweep);

	parked->active = work->replies->moved;
	if (!work->replies->mailbox)
		return;
	place->folder = work->replies->mailbox;
	place->token = work->replies->token;
	parked->places = place;
	parked->place_count = 1;
	parked->whole = true;
	parked->rests = !work->replies->later;
}

/* Gives the endpoint away, or frees it where it is of no use any more. */
static struct fault *give(struct work *work, TALLOC_CTX *mem, const struct fault *fault)
{
	const struct engine_park *park = &work->engine->park;
	bool failed = fault && fault->scope >= FAULT_SCOPE_ACCOUNT;
	struct engine_parked parked = { .account = work->account->id,
					.server = work->task->server->conf,
					.failed = failed && !work->later,
					.crowded = fault && fault->kind == FAULT_CROWDED };
	struct fault *broken = NULL; /* the database */

	parked.gone = work->visit.listed && !work->visit.project_count;
	parked.active = work->moved_project != 0;
	if (failed || parked.gone || !park->give)
		talloc_free(work->endpoint);
	else
		parked.endpoint = work->endpoint;
	work->endpoint = NULL;
	if (!park->give)
		return NULL;
	if (work->replies && parked.endpoint)
		park_mailbox(work, mem, &parked);
	else if (work->visit.listed && parked.endpoint)
		broken = engine_poll_places(work->worker, mem, &work->visit, work->moved_project,
					    &parked);
	if (broken) {
		talloc_free(parked.endpoint);
		return broken;
	}
	if (!park->give(park->data, &parked))
		return NULL;
	return insist(work, mem, add_pull_now, NULL);
}

/* ---- the rounds ---- */

static struct fault *find_work(struct work *work, TALLOC_CTX *mem)
{
	struct store *store = work->worker->store;
	const struct job *job = work->task->job;

	FAULT_TRY(link_account_by_id(store, mem, job->account_id, &work->account));
	if (!work->account)
		return fault_new(mem, FAULT_INTERNAL, "job %lld has no account",
				 (long long)job->id);
	FAULT_TRY(project_resource(store, mem, work->account->resource_id, &work->resource));
	if (!work->resource)
		return fault_new(mem, FAULT_INTERNAL, "account %lld has no resource",
				 (long long)work->account->id);
	work->name = mem_printf(mem, "%s/%s", work->account->server, work->resource->key);
	return NULL;
}

/* The hour may lie in the future when the clock was set back: then it counts for nothing. */
static bool is_in_hour(const struct work *work)
{
	int64_t passed = clock_now_us(work->engine->env.clock) - work->account->login_since_us;

	return passed >= 0 && passed < HOUR_US;
}

/* Whole seconds, for people. */
static int64_t next_login_us(const struct account *account)
{
	return (account->login_since_us + HOUR_US) / CLOCK_SECOND_US * CLOCK_SECOND_US;
}

static struct fault *login_is_spent(struct work *work, TALLOC_CTX *mem)
{
	if (work->account->login_failures < ENGINE_LOGINS_MAX || !is_in_hour(work))
		return NULL;
	work->account
		->login_failures--; /* this one is not tried: judge_account() counts it again */
	return fault_new(mem, FAULT_LOGIN,
			 "the login was refused %d times within the hour, it is not tried again "
			 "before %s; when "
			 "the password is right: taskferry queue retry --all",
			 ENGINE_LOGINS_MAX, clock_rfc3339(mem, next_login_us(work->account)));
}

static const char *traits_name_of(struct work *work, TALLOC_CTX *mem)
{
	return traits_name(mem, work->task->server->conf, work->resource);
}

static struct fault *visit_with(struct work *work, TALLOC_CTX *mem)
{
	FAULT_TRY(engine_traits_before(work->worker, mem, work->task, traits_name_of(work, mem),
				       work->endpoint));
	work->visit.endpoint = work->endpoint;
	work->visit.rounds = work->visit.still_count = 0;
	work->visit.folder_fault = NULL;
	return visit_run(mem, &work->visit);
}

/* The password that a parked endpoint was made with may be an old one. */
static struct fault *visit_all(struct work *work, TALLOC_CTX *mem)
{
	struct fault *fault = visit_with(work, mem);

	if (!fault || fault->kind != FAULT_LOGIN || !work->parked)
		return fault;
	TALLOC_FREE(work->endpoint);
	FAULT_TRY(make_endpoint(work, mem));
	work->before = endpoint_stats(work->endpoint);
	return visit_with(work, mem);
}

/* ---- the mailbox with replies ---- */

static void log_replies(struct work *work)
{
	for (size_t i = 0; i < work->replies->line_count; i++) {
		struct log_pair pairs[] = { { "account", work->name },
					    { "text", work->replies->lines[i] } };

		log_pairs(work->engine->env.log, LOG_LEVEL_INFO, pairs, COUNT_OF(pairs), "reply");
	}
}

static struct fault *read_replies(struct work *work, TALLOC_CTX *mem)
{
	struct fault *fault;

	work->replies->endpoint = work->endpoint;
	work->visit.rounds = 1;
	fault = replies_run(mem, work->replies);
	log_replies(work);
	if (work->replies->changed)
		engine_poke(work->engine);
	return fault;
}

/* As visit_all(): the password may be a new one. */
static struct fault *all_replies(struct work *work, TALLOC_CTX *mem)
{
	struct fault *fault;

	if (!work->worker->env.reply_secret)
		return NULL; /* [replies] is not there any more, and there is nothing to read */
	work->replies = MEM_NEW(mem, struct replies);
	work->replies->env = &work->worker->env;
	work->replies->account = work->account->id;
	work->replies->report = work->visit.report;
	FAULT_TRY(login_is_spent(work, mem));
	FAULT_TRY(find_endpoint(work, mem));
	fault = read_replies(work, mem);
	if (!fault || fault->kind != FAULT_LOGIN || !work->parked)
		return fault;
	TALLOC_FREE(work->endpoint);
	FAULT_TRY(make_endpoint(work, mem));
	work->before = endpoint_stats(work->endpoint);
	return read_replies(work, mem);
}

static struct fault *all_rounds(struct work *work, TALLOC_CTX *mem)
{
	const struct job *job = work->task->job;
	struct visit *visit = &work->visit;

	if (!strcmp(work->resource->key, REPLIES_KEY))
		return all_replies(work, mem);
	FAULT_TRY(login_is_spent(work, mem));
	FAULT_TRY(find_endpoint(work, mem));
	visit->env = &work->worker->env;
	visit->account = work->account;
	visit->resource = work->resource;
	visit->server = work->task->server->conf;
	visit->project = only_project(job);
	visit->publish = job->kind == JOB_PUBLISH ? job->project_id : 0;
	visit->sweep = job->kind == JOB_PULL || job->along;
	visit->options =
		(struct round_options){ .reconcile = job->kind == JOB_RECONCILE ||
						     engine_request_full(work->engine, work->task),
					.data = work,
					.progress = forward_progress };
	visit->seen = seen;
	visit->goes_on = goes_on;
	visit->data = work;
	FAULT_TRY(visit_all(work, mem));
	return replies_tell(mem, visit->env, work->account->id, work->endpoint, visit->report);
}

/* ---- what it comes to ---- */

static bool is_of_server(const struct fault *fault)
{
	return fault && fault->scope == FAULT_SCOPE_SERVER && fault->next == FAULT_NEXT_RETRY;
}

static void note_login(struct work *work)
{
	struct account *account = work->account;

	if (!is_in_hour(work)) {
		account->login_since_us = clock_now_us(work->engine->env.clock);
		account->login_failures = 0;
	}
	account->login_failures++;
}

static void judge_account(struct work *work, const struct fault *fault)
{
	struct account *account = work->account;

	if (!fault && !work->visit.rounds)
		return; /* nobody was asked */
	work->full_error = !fault && account->full_since_us ? account->error : NULL;
	if (!fault) {
		account->state = ACCOUNT_OK;
		account->error = NULL;
		account->last_seen_us = clock_now_us(work->engine->env.clock);
		account->login_failures = 0;
		return;
	}
	account->state = fault->next == FAULT_NEXT_RETRY ? ACCOUNT_UNREACHABLE : ACCOUNT_HELD;
	account->error = fault->text;
	if (fault->kind != FAULT_FULL)
		account->full_since_us = 0;
	else if (!account->full_since_us)
		account->full_since_us = clock_now_us(work->engine->env.clock);
	if (fault->kind == FAULT_LOGIN)
		note_login(work);
}

/* A round that did not try again what found no room says nothing of room. */
static struct fault *judge_room(struct work *work)
{
	struct account *account = work->account;
	bool waits = false;

	if (!work->full_error)
		return NULL;
	FAULT_TRY(link_account_waits(work->worker->store, account, account->id, work->full_error,
				     &waits));
	account->state = waits ? ACCOUNT_UNREACHABLE : ACCOUNT_OK;
	account->error = waits ? work->full_error : NULL;
	if (!waits)
		account->full_since_us = 0;
	return NULL;
}

/* A held account is said once, and left alone for a while. */
static void keep_held(struct work *work)
{
	bool held = work->account->state == ACCOUNT_HELD, news;
	struct log_pair pairs[] = { { "account", work->name }, { "error", work->account->error } };
	struct engine_account *account;

	pthread_mutex_lock(&work->engine->lock);
	account = engine_account(work->engine, work->account->id);
	account->server = work->task->server;
	news = held && !account->held_us;
	account->held_us = held ? engine_mono_us() : 0;
	pthread_mutex_unlock(&work->engine->lock);
	if (news)
		log_pairs(work->engine->env.log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
			  "account is held; see: taskferry queue");
}

/* The host was looked up again meanwhile: that is news only for the next endpoint. */
static struct fault *note_place(struct work *work, TALLOC_CTX *mem)
{
	struct endpoint_place *before = work->place, *place = NULL;

	work->place = NULL;
	if (!before || !work->endpoint)
		return NULL;
	FAULT_TRY(endpoint_place(work->endpoint, mem, false, &place));
	if (place && place->found_us > before->found_us && !strcmp(place->home, before->home))
		work->place = place;
	return NULL;
}

static struct fault *write_account(struct work *work, const void *data)
{
	const struct fault *fault = data;

	if (work->place)
		FAULT_TRY(homes_renew(work->worker->store, work->account->id, work->place));

	FAULT_TRY(judge_room(work));
	FAULT_TRY(link_account_set(work->worker->store, work->account));
	for (size_t i = 0; i < work->visit.still_count; i++)
		FAULT_TRY(link_folder_seen(work->worker->store, work->visit.still[i],
					   work->begin_us));
	if (!is_of_server(fault))
		return NULL;
	return queue_unreachable(work->worker->store, work->account->server, fault->text);
}

static struct fault *save_account(struct work *work, const void *fault)
{
	return in_transaction(work, write_account, fault);
}

#define WAITS "waits for settle time or a retry"

static struct fault *end_one(struct work *work, struct job *job, const struct fault *fault)
{
	struct store *store = work->worker->store;

	if (work->later && engine_is_ending(work->engine))
		return queue_release(store, job);
	if (work->later)
		return queue_wait(store, job, clock_now_us(store->clock) + BUSY_WAIT_US,
				  fault->text);
	if (fault)
		return queue_fail(store, job, fault);
	if (!job->project_id && work->visit.listed)
		FAULT_TRY(queue_absorb(store, job, WAITS));
	if (work->visit.report->due_us < INT64_MAX && job->kind == JOB_RECONCILE) {
		/* everything is not compared again for what waits */
		FAULT_TRY(queue_add(store, JOB_PULL, job->account_id, 0, work->visit.report->due_us,
				    NULL));
		return queue_done(store, job);
	}
	if (work->visit.report->due_us < INT64_MAX)
		return queue_wait(store, job, work->visit.report->due_us,
				  work->visit.report->why ? work->visit.report->why : WAITS);
	return queue_done(store, job);
}

static struct fault *end_leased(struct work *work, const void *fault)
{
	struct job *job = work->task->job;

	*job = work->leased;
	if (work->is_done)
		return queue_done(work->worker->store, job);
	return end_one(work, job, fault);
}

static struct fault *end_along(struct work *work, const void *fault)
{
	struct job *job = work->task->job->along;

	*job = work->along;
	return end_one(work, job, fault);
}

/* Where all went well, the one that went along waits for what there is to wait for: it looks at no
 * less. Another project's folder is its affair alone. Each has its end for itself, so that none is
 * repeated. */
static struct fault *end_jobs(struct work *work, TALLOC_CTX *mem, const struct fault *fault)
{
	const struct fault *own = fault;

	if (!work->task->job->along)
		return insist(work, mem, end_leased, fault);
	if (fault && fault == work->visit.folder_fault)
		own = work->of_job;
	work->is_done = !fault && !work->later;
	FAULT_TRY(insist(work, mem, end_leased, own));
	return insist(work, mem, end_along, fault);
}

/* ---- the log line ---- */

static const char *result_name(const struct work *work, const struct fault *fault)
{
	enum job_state state = work->task->job->state;

	if (work->later)
		return "waiting";
	if (fault)
		return state == JOB_HELD || state == JOB_DEAD ? job_state_name(state) : "retry";
	return work->visit.report->due_us < INT64_MAX ? "waiting" : "done";
}

static const char *project_code(const struct work *work)
{
	for (size_t i = 0; i < work->visit.project_count; i++)
		if (work->visit.projects[i].id == work->task->job->project_id)
			return work->visit.projects[i].code;
	return "-";
}

#define LOG_PAIRS_MAX 24

struct line {
	TALLOC_CTX *mem;
	struct log_pair pairs[LOG_PAIRS_MAX];
	size_t count;
};

static void put(struct line *line, const char *key, const char *value)
{
	line->pairs[line->count++] = (struct log_pair){ key, value };
}

static void put_number(struct line *line, const char *key, int64_t number)
{
	put(line, key, mem_printf(line->mem, "%lld", (long long)number));
}

static void log_transfer(struct work *work, TALLOC_CTX *mem, const struct fault *fault)
{
	const struct round_report *r = work->visit.report;
	struct line line = { .mem = mem };
	bool carried = r->read || r->changed || r->created || r->updated || r->removed ||
		       r->corrected || r->rejected || r->proposed || r->losing || r->folders;
	enum log_level level = carried || fault ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

	if (work->logged || !log_is_on(work->engine->env.log, level))
		return;
	put(&line, "account", work->name);
	put(&line, "kind", job_kind_name(work->task->job->kind));
	put(&line, "project", project_code(work));
	put_number(&line, "read", r->read);
	put_number(&line, "changed", r->changed);
	put_number(&line, "created", r->created);
	put_number(&line, "updated", r->updated);
	put_number(&line, "removed", r->removed);
	put_number(&line, "corrected", r->corrected);
	put_number(&line, "rejected", r->rejected);
	put_number(&line, "proposed", r->proposed);
	put_number(&line, "losing", r->losing);
	put_number(&line, "waiting", r->waiting);
	if (r->folders) {
		put_number(&line, "compared", r->compared);
		put_number(&line, "amiss", r->amiss);
	}
	put_number(&line, "requests", work->took.requests);
	put_number(&line, "sent", work->took.sent_bytes);
	put_number(&line, "received", work->took.received_bytes);
	put_number(&line, "ms", (engine_mono_us() - work->since_us) / 1000);
	put(&line, "result", result_name(work, fault));
	put(&line, "error", fault ? fault->text : NULL);
	log_pairs(work->engine->env.log, level, line.pairs, line.count, "transfer");
	work->logged = true;
}

/* ---- all of it ---- */

static void learn_of_server(struct work *work, const struct fault *fault)
{
	if (work->later)
		return;
	if (fault && fault->kind == FAULT_CROWDED)
		engine_server_crowded(work->engine, work->task->server, fault);
	if (is_of_server(fault))
		engine_server_fails(work->engine, work->task->server, fault, work->since_us);
	else if (work->visit.rounds && (!fault || fault->scope < FAULT_SCOPE_SERVER))
		answers(work);
}

static void tell_requests(struct work *work, const struct fault *fault)
{
	struct engine_outcome outcome = { .account = work->account->id,
					  .resource = work->resource->key,
					  .server = work->task->server->conf,
					  .report = work->visit.report,
					  .stats = work->took,
					  .fault = fault,
					  .later = work->later,
					  .full = work->visit.options.reconcile,
					  .serial = work->task->serial };

	if (is_of_server(fault))
		outcome.failed_us = engine_mono_us() - work->since_us;
	engine_request_tell(work->engine, &outcome);
}

static struct fault *visit_account(struct work *work, TALLOC_CTX *mem, struct fault **fault_r)
{
	struct fault *fault = all_rounds(work, mem);

	work->later = fault && fault->kind == FAULT_TRY_LATER && fault->next == FAULT_NEXT_RETRY &&
		      (fault->scope == FAULT_SCOPE_SITE || engine_is_ending(work->engine));
	if (fault && fault->scope == FAULT_SCOPE_SITE && !work->later)
		return fault;
	if (work->later && !engine_is_ending(work->engine) &&
	    engine_ends(work->engine, engine_copy(mem, fault)))
		return fault;
	count_stats(work);
	if (!fault && !work->visit.folder_fault)
		log_transfer(work, mem, NULL);
	learn_of_server(work, fault);
	FAULT_TRY(note_place(work, mem));
	if (work->endpoint && !work->replies)
		FAULT_TRY(engine_traits_after(work->worker, mem, traits_name_of(work, mem),
					      work->endpoint));
	FAULT_TRY(give(work, mem, fault));
	if (!work->later) {
		judge_account(work, fault);
		keep_held(work);
		FAULT_TRY(insist(work, mem, save_account, fault));
	}
	engine_notes_keep(work->engine, work->account->id, work->visit.report,
			  work->visit.project != 0);
	tell_requests(work, fault);
	*fault_r = fault;
	return NULL;
}

static struct fault *no_server(struct work *work, TALLOC_CTX *mem)
{
	return fault_reaches(fault_new(mem, FAULT_CONFIG,
				       "server %s is not in the configuration any more; put it "
				       "back, or drop the job",
				       work->account->server),
			     FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

static void count(struct work *work, const struct fault *fault)
{
	struct engine *engine = work->engine;

	pthread_mutex_lock(&engine->lock);
	engine->figures.jobs_done += !fault && !work->later;
	engine->figures.jobs_failed += fault && !work->later;
	engine_add_stats(&engine->figures.stats, &work->took);
	pthread_mutex_unlock(&engine->lock);
}

static struct fault *run(struct work *work, TALLOC_CTX *mem)
{
	struct fault *fault = NULL;

	FAULT_TRY(find_work(work, mem));
	if (work->task->server)
		FAULT_TRY(visit_account(work, mem, &fault));
	else
		fault = no_server(work, mem);
	if (!fault)
		fault = work->visit.folder_fault;
	FAULT_TRY(end_jobs(work, mem, fault));
	log_transfer(work, mem, fault);
	count(work, fault);
	return NULL;
}

struct fault *engine_job_run(struct engine_worker *worker, TALLOC_CTX *mem,
			     struct engine_task *task)
{
	struct work work = { .worker = worker,
			     .engine = worker->engine,
			     .task = task,
			     .leased = *task->job,
			     .since_us = engine_mono_us(),
			     .begin_us = clock_now_us(worker->engine->env.clock) };
	struct fault *fault;

	if (task->job->along)
		work.along = *task->job->along;
	work.visit.report = round_report_new(mem);
	fault = run(&work, mem);
	talloc_free(work.endpoint);
	engine_server_leave(worker->engine, task);
	return fault;
}
