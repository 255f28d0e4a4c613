/* engine_traits.c - what the server of a job does: told to its endpoint before the rounds, tried when
 * it is time (by one worker of that server; the others go on with what is known), and kept when the
 * rounds have shown that it is otherwise. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include "gateway/sync/traits.h"

/* A database that is busy is no reason to fail: what was found is found again. */
static struct fault *keep(struct engine_worker *worker, TALLOC_CTX *mem, const char *server,
			  const char *news, bool probed, char **words_r)
{
	struct fault *fault = traits_keep(worker->store, mem, server, news, probed, words_r);

	if (fault && fault->kind == FAULT_TRY_LATER) {
		talloc_free(fault);
		return NULL;
	}
	return fault;
}

static void tell(struct engine *engine, const char *server, const char *words)
{
	struct log_pair pairs[] = { { "server", server }, { "text", words } };

	if (words)
		log_pairs(engine->env.log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
			  "server does otherwise than before");
}

static bool may_learn(struct engine *engine, struct engine_server *server)
{
	bool may;

	pthread_mutex_lock(&engine->lock);
	may = !server->learning;
	server->learning = true;
	pthread_mutex_unlock(&engine->lock);
	return may;
}

static void has_learned(struct engine *engine, struct engine_server *server)
{
	pthread_mutex_lock(&engine->lock);
	server->learning = false;
	pthread_mutex_unlock(&engine->lock);
}

static struct fault *learn(struct engine_worker *worker, TALLOC_CTX *mem, const char *name,
			   struct endpoint *endpoint)
{
	struct log_pair pair = { "server", name };
	char *words = NULL;

	FAULT_TRY(endpoint_learn(endpoint, mem));
	FAULT_TRY(keep(worker, mem, name, endpoint_traits(endpoint, mem), true, &words));
	if (words)
		tell(worker->engine, name, words);
	else
		log_pairs(worker->engine->env.log, LOG_LEVEL_INFO, &pair, 1,
			  "server was tried; see: taskferry doctor");
	return NULL;
}

struct fault *engine_traits_before(struct engine_worker *worker, TALLOC_CTX *mem,
				   struct engine_task *task, const char *name,
				   struct endpoint *endpoint)
{
	struct engine_server *server = task->server;
	struct server_traits *kept = NULL;
	struct fault *fault;

	if (!endpoint_can_learn(endpoint))
		return NULL;
	FAULT_TRY(server_traits(worker->store, mem, name, &kept));
	endpoint_know(endpoint, kept ? kept->traits : NULL);
	if (!traits_are_due(server->conf, kept, clock_now_us(worker->engine->env.clock)) ||
	    !may_learn(worker->engine, server))
		return NULL;
	fault = learn(worker, mem, name, endpoint);
	has_learned(worker->engine, server);
	return fault;
}

struct fault *engine_traits_after(struct engine_worker *worker, TALLOC_CTX *mem, const char *name,
				  struct endpoint *endpoint)
{
	char *news = endpoint_traits(endpoint, mem), *words = NULL;

	if (!news)
		return NULL;
	FAULT_TRY(keep(worker, mem, name, news, false, &words));
	tell(worker->engine, name, words);
	return NULL;
}
