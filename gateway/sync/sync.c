#include "config.h"

#include "gateway/sync/sync.h"

#include <pthread.h>

#include "gateway/sync/delivery.h"
#include "gateway/sync/engine_private.h"
#include "gateway/sync/homes.h"
#include "gateway/sync/older.h"
#include "gateway/sync/outcomes.h"
#include "gateway/sync/traits.h"
#include "gateway/sync/visit.h"
#include "queue/queue.h"
#include "store/server.h"

#define FOREVER_US INT64_MAX /* no job lasts for ever: every wait has its deadline */

/* ---- publish ---- */

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

/* Whose assignments were all withdrawn misses nothing. */
static struct fault *note_if_missed(TALLOC_CTX *mem, struct store *store, int64_t project,
				    const struct resource *resource, struct round_report *notes)
{
	struct assignment *list = NULL;
	size_t count = 0, active = 0;

	FAULT_TRY(project_assignments(store, mem, project, resource->id, &list, &count));
	for (size_t i = 0; i < count; i++)
		active += list[i].state != ASSIGNMENT_WITHDRAWN;
	if (active)
		note_nowhere(notes, resource);
	return NULL;
}

static struct fault *publish(TALLOC_CTX *mem, const struct sync_env *env, struct store *store,
			     struct project *project, struct round_report *notes, int64_t *jobs)
{
	struct resource *people = NULL;
	int64_t *accounts = NULL;
	size_t count = 0, n = 0;

	FAULT_TRY(project_set_state(store, project->id, PROJECT_PUBLISHED));
	FAULT_TRY(project_resources(store, mem, project->id, &people, &count));
	for (size_t i = 0; i < count; i++) {
		FAULT_TRY(delivery_accounts(mem, env->conf, store, &people[i], &accounts, &n));
		for (size_t a = 0; a < n; a++)
			FAULT_TRY(queue_add(store, JOB_PUBLISH, accounts[a], project->id,
					    clock_now_us(env->clock), NULL));
		if (!n)
			FAULT_TRY(note_if_missed(mem, store, project->id, &people[i], notes));
		*jobs += (int64_t)n;
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

/* ---- a dry run: the same rounds without the queue, one after the other ---- */

struct dry {
	const struct engine_env *env;
	const struct sync_options *options;
	TALLOC_CTX *mem;
	struct round_env round;
	struct conf_report *rule_report;
	struct fault **silent; /* per server: why it does not answer; NULL: it does */
	struct sync_result *result;
	struct outcomes *outcomes;
};

static struct fault *dry_rounds(struct dry *dry, TALLOC_CTX *mem, struct visit *visit)
{
	struct delivery delivery = { .http = dry->env->http,
				     .clock = dry->env->clock,
				     .points = dry->env->points,
				     .conf = dry->env->conf,
				     .trusts = dry->env->trusts,
				     .stop_fd = dry->env->stop_fd };
	struct endpoint_place *place = NULL;
	struct server_traits *kept = NULL;

	FAULT_TRY(homes_load(dry->round.store, mem, visit->account->id, &place));
	delivery.place = place;
	FAULT_TRY(delivery_endpoint(mem, &delivery, visit->server, visit->resource,
				    &visit->endpoint));
	FAULT_TRY(server_traits(dry->round.store, mem,
				traits_name(mem, visit->server, visit->resource), &kept));
	endpoint_know(visit->endpoint, kept ? kept->traits : NULL);
	return visit_run(mem, visit);
}

/* A server that does not answer costs one timeout, not one per account. */
static struct fault *dry_visit(struct dry *dry, TALLOC_CTX *mem, struct visit *visit)
{
	struct fault **silent = &dry->silent[visit->server - dry->env->conf->servers];
	struct fault *fault = *silent ? engine_copy(mem, *silent) : dry_rounds(dry, mem, visit);

	if (fault && fault->scope == FAULT_SCOPE_SITE)
		return fault;
	if (fault && fault->scope == FAULT_SCOPE_SERVER && !*silent)
		*silent = engine_copy(dry->mem, fault);
	round_report_add(dry->result->report, visit->report);
	outcomes_set(dry->outcomes, visit->account->id, visit->resource->key, visit->server, fault);
	return NULL;
}

static struct fault *dry_account(struct dry *dry, TALLOC_CTX *mem, const struct conf_server *server,
				 const struct resource *resource)
{
	const struct sync_options *options = dry->options;
	struct account *account = NULL;
	struct visit visit = { .env = &dry->round,
			       .resource = resource,
			       .server = server,
			       .project = options->project ? options->project->id : 0,
			       .options = { .full = options->full, .dry_run = true } };

	FAULT_TRY(link_account(dry->round.store, mem, server->name, resource->id, false, &account));
	if (!account) {
		round_note(dry->result->report,
			   "%s on server %s: not looked at yet, all items are new", resource->key,
			   server->name);
		return NULL;
	}
	if (options->account && options->account->id != account->id)
		return NULL;
	visit.account = account;
	visit.report = round_report_new(mem);
	return dry_visit(dry, mem, &visit);
}

static struct fault *dry_accounts(struct dry *dry)
{
	const struct conf *conf = dry->env->conf;
	const struct conf_server **servers =
		MEM_ARRAY(dry->mem, const struct conf_server *, conf->server_count);
	struct resource *people = NULL;
	size_t count = 0;

	FAULT_TRY(project_people(dry->round.store, dry->mem, &people, &count));
	for (size_t i = 0; i < count; i++) {
		size_t n = delivery_servers(conf, &people[i], servers);

		for (size_t s = 0; s < n; s++) {
			TALLOC_CTX *mem = MEM_CONTEXT(dry->mem);

			FAULT_TRY(dry_account(dry, mem, servers[s], &people[i]));
			talloc_free(mem);
		}
	}
	return NULL;
}

static struct fault *dry_open(struct dry *dry)
{
	const struct engine_env *env = dry->env;

	dry->rule_report = MEM_NEW(dry->mem, struct conf_report);
	dry->outcomes = outcomes_new(dry->mem);
	dry->silent = MEM_ARRAY(dry->mem, struct fault *, env->conf->server_count);
	dry->result = MEM_NEW(dry->mem, struct sync_result);
	dry->result->report = round_report_new(dry->result);
	dry->round =
		(struct round_env){ .conf = env->conf, .clock = env->clock, .points = env->points };
	FAULT_TRY(store_open(dry->mem, env->conf->dsn, env->clock, env->points, &dry->round.store));
	FAULT_TRY(older_check(dry->mem, dry->round.store));
	dry->round.rules = rules_new(dry->mem, env->conf, dry->rule_report);
	if (!dry->round.rules)
		return fault_new(
			dry->mem, FAULT_CONFIG,
			"a rule of the configuration is not accepted; see: taskferry check");
	return NULL;
}

static struct fault *run_dry(TALLOC_CTX *mem, const struct engine_env *env,
			     const struct sync_options *options, struct sync_result **result_r)
{
	struct dry dry = { .env = env, .options = options, .mem = MEM_CONTEXT(mem) };
	struct fault *fault = dry_open(&dry);

	if (!fault)
		fault = dry_accounts(&dry);
	if (fault) {
		talloc_steal(mem, fault);
	} else {
		outcomes_tell(dry.outcomes, dry.result);
		*result_r = talloc_steal(mem, dry.result);
	}
	talloc_free(dry.mem);
	return fault;
}

/* ---- the real one ---- */

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
	struct sync_result *result; /* a root; NULL: FAULT */
	struct fault *fault;        /* likewise */
};

static void take_result(void *data, struct sync_result *result, const struct fault *fault)
{
	struct waiter *waiter = data;

	pthread_mutex_lock(&waiter->lock);
	waiter->result = talloc_steal(NULL, result);
	waiter->fault = fault ? engine_copy(NULL, fault) : NULL;
	waiter->done = true;
	pthread_cond_signal(&waiter->ended);
	pthread_mutex_unlock(&waiter->lock);
}

static void wait_for(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->done)
		pthread_cond_wait(&waiter->ended, &waiter->lock);
	pthread_mutex_unlock(&waiter->lock);
}

static struct fault *run_engine(TALLOC_CTX *mem, const struct engine_env *env,
				const struct sync_options *options, struct waiter *waiter)
{
	struct engine *engine = NULL;
	struct fault *fault;

	FAULT_TRY(engine_new(mem, env, ENGINE_SYNC_WORKERS, NULL, &engine));
	engine->only = options->account ? options->account->id : 0;
	engine->patience = 1; /* a person waits, and can try again */
	engine_request(engine, options, take_result, waiter);
	fault = engine_start(engine, false);
	if (!fault)
		wait_for(waiter);
	engine_stop(engine);
	(void)engine_join(engine, FOREVER_US);
	talloc_free(engine);
	return fault;
}

static struct fault *run_real(TALLOC_CTX *mem, const struct engine_env *env,
			      const struct sync_options *options, struct sync_result **result_r)
{
	struct waiter waiter = { .done = false };
	struct fault *fault;

	pthread_mutex_init(&waiter.lock, NULL);
	pthread_cond_init(&waiter.ended, NULL);
	fault = run_engine(mem, env, options, &waiter);
	pthread_cond_destroy(&waiter.ended);
	pthread_mutex_destroy(&waiter.lock);
	if (fault)
		talloc_free(waiter.fault); /* it never began, which is the better reason */
	else
		fault = talloc_steal(mem, waiter.fault);
	if (!fault)
		*result_r = talloc_steal(mem, waiter.result);
	return fault;
}

struct fault *sync_run(TALLOC_CTX *mem, const struct sync_env *env,
		       const struct sync_options *options, struct sync_result **result_r)
{
	struct engine_env all = { .conf = env->conf,
				  .clock = env->clock,
				  .points = env->points,
				  .stop_fd = -1,
				  .store = env->store };
	struct fault *fault;

	FAULT_TRY(http_new(mem, env->clock, env->points, &all.http));
	all.trusts = trusts_new(all.http);
	if (options->dry_run)
		fault = run_dry(mem, &all, options, result_r);
	else
		fault = run_real(mem, &all, options, result_r);
	talloc_free(all.http);
	return fault;
}
