/* engine_server.c - what one server may take of the others' time (N6).
 *
 *     unproven --enter--> probing --answers--> proven --fails--> silent (breaker open)
 *         ^                  | fails                                  | time is over
 *         `------------------+------------> silent                    |
 *         ^-----------------------------------------------------------'
 *
 * Only a server that is proven has more than one worker, and never more than its share. Everything
 * here is under the lock; the log is written outside of it. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include <string.h>

#define SHARES 4 /* no server has more than this part of the workers */

/* A server that says again within this time that it has too many connections says nothing new. */
#define CROWDED_NEWS_US (3600 * CLOCK_SECOND_US)
#define MISSED_NEWS_US (3600 * CLOCK_SECOND_US)

/* A server that is back is noticed within this time; one connection attempt in it harms nobody. */
#define BREAKER_MAX_US (5 * 60 * CLOCK_SECOND_US)

static int share(const struct engine *engine)
{
	int part = engine->worker_count / SHARES;

	if (engine->env.conf->server_count == 1)
		return engine->worker_count;
	return part > 0 ? part : 1;
}

static bool is_open(const struct engine_server *server, int64_t now)
{
	return !server->proven && server->until_us > now;
}

static bool is_shut(const struct engine_server *server, int64_t now)
{
	return is_open(server, now) || (!server->proven && server->probing);
}

struct engine_server *engine_server_find(struct engine *engine, const char *name)
{
	const struct conf_server *conf = conf_server_find(engine->env.conf, name);

	return conf ? &engine->servers[conf - engine->env.conf->servers] : NULL;
}

size_t engine_server_closed(struct engine *engine, TALLOC_CTX *mem, bool open_only,
			    const char ***names_r, int64_t *until_r)
{
	const char **names = MEM_ARRAY(mem, const char *, engine->env.conf->server_count);
	int64_t now = engine_mono_us(), until = INT64_MAX;
	size_t count = 0;

	pthread_mutex_lock(&engine->lock);
	for (size_t i = 0; i < engine->env.conf->server_count; i++) {
		const struct engine_server *server = &engine->servers[i];
		bool open = is_open(server, now);

		if (open && server->until_us < until)
			until = server->until_us;
		if (open_only ? open : engine_server_entry(engine, server) != ENGINE_ENTER)
			names[count++] = server->conf->name;
	}
	pthread_mutex_unlock(&engine->lock);
	*names_r = names;
	*until_r = until;
	return count;
}

enum engine_entry engine_server_entry(const struct engine *engine,
				      const struct engine_server *server)
{
	if (is_shut(server, engine_mono_us()))
		return ENGINE_SHUT;
	return server->busy >= share(engine) ? ENGINE_FULL : ENGINE_ENTER;
}

void engine_server_enter(struct engine *engine, struct engine_task *task)
{
	struct engine_server *server = task->server;

	pthread_mutex_lock(&engine->lock);
	task->serial = engine->serial;
	if (server) {
		server->busy++;
		task->probes = !server->proven && !server->probing;
		server->probing |= task->probes;
	}
	pthread_mutex_unlock(&engine->lock);
}

void engine_server_leave(struct engine *engine, struct engine_task *task)
{
	pthread_mutex_lock(&engine->lock);
	if (task->server) {
		task->server->busy--;
		if (task->probes)
			task->server->probing = false;
	}
	pthread_mutex_unlock(&engine->lock);
}

void engine_server_answers(struct engine *engine, struct engine_server *server)
{
	int64_t silent_us;

	pthread_mutex_lock(&engine->lock);
	silent_us = server->silent_us;
	if (!server->proven) /* others may enter */
		engine_call(engine, engine->need_later);
	server->proven = true;
	server->failures = 0;
	server->until_us = server->silent_us = 0;
	talloc_free(server->why);
	server->why = NULL;
	pthread_mutex_unlock(&engine->lock);
	if (silent_us)
		log_pairs(engine->env.log, LOG_LEVEL_INFO,
			  &(struct log_pair){ "server", server->conf->name }, 1,
			  "server answers again after %lld s",
			  (long long)((engine_mono_us() - silent_us) / CLOCK_SECOND_US));
}

/* How long nobody tries; several workers that fail at the same time are one failure. */
static int64_t breaker_pause(struct engine_server *server, const struct fault *fault,
			     int64_t since_us)
{
	int64_t pause;

	if (!server->failures || since_us > server->failed_us)
		server->failures++;
	pause = queue_backoff_us(server->failures);
	if (pause > BREAKER_MAX_US)
		pause = BREAKER_MAX_US;
	if (pause < fault->retry_after_s * CLOCK_SECOND_US)
		pause = fault->retry_after_s * CLOCK_SECOND_US;
	return pause;
}

void engine_server_fails(struct engine *engine, struct engine_server *server,
			 const struct fault *fault, int64_t since_us)
{
	int64_t now = engine_mono_us();
	struct log_pair pairs[] = { { "server", server->conf->name }, { "error", fault->text } };
	bool news;

	pthread_mutex_lock(&engine->lock);
	news = !server->silent_us;
	server->proven = false;
	server->until_us = now + breaker_pause(server, fault, since_us);
	server->failed_us = now;
	if (news)
		server->silent_us = now;
	talloc_free(server->why);
	server->why = engine_copy(engine->mem, fault);
	pthread_mutex_unlock(&engine->lock);
	if (news)
		log_pairs(engine->env.log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
			  "server does not answer; its accounts wait");
}

void engine_server_crowded(struct engine *engine, struct engine_server *server,
			   const struct fault *fault)
{
	struct log_pair pairs[] = { { "server", server->conf->name }, { "error", fault->text } };
	int64_t now = engine_mono_us();
	bool news;

	pthread_mutex_lock(&engine->lock);
	news = !server->crowded_us || now - server->crowded_us > CROWDED_NEWS_US;
	server->crowded_us = now;
	pthread_mutex_unlock(&engine->lock);
	if (news)
		log_pairs(engine->env.log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
			  "server has too many connections; fewer of ours are kept open for a "
			  "while (connections = ...)");
}

void engine_server_missed(struct engine *engine, struct engine_server *server)
{
	struct log_pair pairs[] = { { "server", server->conf->name } };
	int64_t now = engine_mono_us();
	bool news;

	pthread_mutex_lock(&engine->lock);
	news = !server->missed_us || now - server->missed_us > MISSED_NEWS_US;
	if (news)
		server->missed_us = now;
	pthread_mutex_unlock(&engine->lock);
	if (news)
		log_pairs(
			engine->env.log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
			"server has not told of a change, though it was listened to; it was found "
			"by asking (poll = ...)");
}

size_t engine_server_silent(struct engine *engine, TALLOC_CTX *mem, struct engine_server **list_r)
{
	size_t servers = engine->env.conf->server_count, count = 0;
	struct engine_server *list = MEM_ARRAY(mem, struct engine_server, servers);

	pthread_mutex_lock(&engine->lock);
	for (size_t i = 0; i < servers; i++) {
		if (!engine->servers[i].why)
			continue;
		list[count] = engine->servers[i];
		list[count].why = engine_copy(list, engine->servers[i].why);
		count++;
	}
	pthread_mutex_unlock(&engine->lock);
	*list_r = list;
	return count;
}
