/* daemon_reload.c - what a configuration brings with it, begun and ended; and SIGHUP's half of it. */
#include "config.h"

#include "gateway/daemon/daemon_private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "decide/rules.h"

/* ---- generations ---- */

static int generation_close(struct generation *generation)
{
	/* the engine's threads use all of it; parked sessions say goodbye without waiting */
	generation_cancel(generation);
	if (generation->engine) {
		engine_stop(generation->engine);
		while (!engine_join(generation->engine, CLOCK_SECOND_US))
			;
	}
	talloc_free(generation->engine);
	talloc_free(generation->watch);
	talloc_free(generation->http);
	talloc_free(generation->trusts);
	if (generation->stop_fd >= 0)
		close(generation->stop_fd);
	return 0;
}

void generation_cancel(struct generation *generation)
{
	static const uint64_t one = 1;

	if (generation->stop_fd >= 0)
		(void)!write(generation->stop_fd, &one, sizeof one);
	if (generation->http)
		http_cancel(generation->http);
}

void generation_end(struct generation **generation)
{
	talloc_free(*generation);
	*generation = NULL;
}

static struct fault *generation_open(struct daemon *daemon, struct generation *generation)
{
	const struct daemon_options *options = daemon->options;

	generation->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (generation->stop_fd < 0)
		return fault_new(daemon, FAULT_IO, "no descriptor left: %s", strerror(errno));
	FAULT_TRY(http_new(generation, options->clock, options->points, &generation->http));
	generation->trusts = trusts_new(generation);
	FAULT_TRY(watch_new(generation, NULL, &generation->watch));
	generation->park = watch_park(generation->watch);
	generation->env = (struct engine_env){ .conf = generation->conf,
					       .clock = options->clock,
					       .points = options->points,
					       .log = options->log,
					       .http = generation->http,
					       .trusts = generation->trusts,
					       .stop_fd = generation->stop_fd };
	FAULT_TRY(engine_new(generation, &generation->env, ENGINE_WORKERS, &generation->park,
			     &generation->engine));
	return engine_start(generation->engine, true);
}

struct fault *generation_new(struct daemon *daemon, struct conf *conf,
			     struct generation **generation_r)
{
	struct generation *generation = MEM_NEW(daemon, struct generation);
	struct fault *fault;

	generation->stop_fd = -1;
	generation->conf = conf;
	talloc_set_destructor(generation, generation_close);
	fault = generation_open(daemon, generation);
	if (fault) {
		talloc_steal(daemon, fault);
		talloc_free(generation);
		return fault;
	}
	*generation_r = generation;
	return NULL;
}

/* ---- reading the configuration again ---- */

static void log_findings(struct daemon *daemon, const struct conf_report *report)
{
	char line[24];

	for (size_t i = 0; i < report->count; i++) {
		const struct conf_finding *finding = &report->findings[i];
		const struct log_pair pairs[] = {
			{ "file", report->path },
			{ "line", finding->line ? line : NULL },
			{ "finding", finding->text },
		};

		snprintf(line, sizeof line, "%ld", finding->line);
		log_pairs(daemon->log, finding->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
			  pairs, COUNT_OF(pairs), "configuration");
	}
}

/* What stands in the process for its whole life cannot be changed by a reload. */
static struct fault *check_fixed(TALLOC_CTX *mem, const struct conf *old, const struct conf *new)
{
	if (strcmp(old->dsn, new->dsn))
		return fault_new(mem, FAULT_CONFIG,
				 "[store] dsn is another one; that takes a restart");
	return NULL;
}

static struct fault *read_conf(struct daemon *daemon, TALLOC_CTX *mem, struct conf **conf_r)
{
	struct conf_report *report = NULL;
	const char *socket_path;
	struct conf *conf = NULL;
	bool sound;

	FAULT_TRY(conf_read(mem, daemon->options->conf_path, &conf, &report));
	sound = conf && rules_new(mem, conf, report);
	log_findings(daemon, report);
	if (!sound)
		return fault_new(mem, FAULT_CONFIG, "the configuration has errors");
	FAULT_TRY(check_fixed(mem, daemon->now->conf, conf));
	socket_path = conf->control_socket;
	if (strcmp(socket_path, daemon->socket_path))
		FAULT_TRY(daemon_listen(daemon, socket_path));
	*conf_r = conf;
	return NULL;
}

bool reload_read(struct daemon *daemon)
{
	TALLOC_CTX *mem = MEM_CONTEXT(daemon);
	struct conf *conf = NULL;
	struct fault *fault = read_conf(daemon, mem, &conf);

	if (fault)
		log_fault(daemon->log, LOG_LEVEL_ERROR, fault, "the configuration stays as it was");
	else
		daemon->next = talloc_steal(daemon, conf);
	talloc_free(mem);
	return !fault;
}
