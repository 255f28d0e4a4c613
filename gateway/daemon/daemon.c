/* daemon.c - the loop: signals, timers, what is watched, the beginning and the end. */
#include "config.h"

#include "gateway/daemon/daemon_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/daemon/lock.h"
#include "gateway/daemon/machine.h"
#include "gateway/daemon/notify.h"
#include "gateway/sync/older.h"
#include "model/when.h"
#include "store/link.h"

#define LOOK_MAX 256 /* accounts in one turn */
#define TICK_MS 1000
#define DRAIN_MS 20   /* between two looks whether the engine has ended */
#define SPARE_FDS 256 /* workers, their databases, HTTP, clients, log */

static const int signal_numbers[] = { SIGTERM, SIGINT, SIGHUP };
_Static_assert(COUNT_OF(signal_numbers) == COUNT_OF(((struct daemon *)0)->signals),
	       "one handle each");

struct fault *daemon_uv_fault(TALLOC_CTX *mem, int rc, const char *what)
{
	return fault_new(mem, FAULT_IO, "%s: %s", what, uv_strerror(rc));
}

/* ---- who has to be looked at ---- */

static void look(struct daemon *daemon);

static void look_readable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* an error too is a reason to look */
	(void)events;
	look(poll->data);
}

static void look_due(uv_timer_t *timer)
{
	look(timer->data);
}

static void look(struct daemon *daemon)
{
	int64_t accounts[LOOK_MAX], wait_us = INT64_MAX;
	size_t count = watch_turn(daemon->now->watch, accounts, LOOK_MAX, &wait_us);

	if (count)
		engine_look(daemon->now->engine, accounts, count);
	if (wait_us == INT64_MAX)
		uv_timer_stop(&daemon->look_timer);
	else
		uv_timer_start(&daemon->look_timer, look_due, (uint64_t)(wait_us + 999) / 1000, 0);
}

static void forget_poll(uv_handle_t *handle)
{
	talloc_free(handle);
}

static struct fault *begin_to_look(struct daemon *daemon)
{
	uv_poll_t *poll = MEM_NEW(daemon, uv_poll_t);
	int rc = uv_poll_init(&daemon->loop, poll, watch_fd(daemon->now->watch));

	if (rc) {
		talloc_free(poll);
		return daemon_uv_fault(daemon, rc, "accounts cannot be watched");
	}
	poll->data = daemon;
	daemon->watch_poll = poll;
	uv_poll_start(poll, UV_READABLE, look_readable);
	look(daemon);
	return NULL;
}

static void end_looking(struct daemon *daemon)
{
	uv_timer_stop(&daemon->look_timer);
	if (daemon->watch_poll)
		uv_close((uv_handle_t *)daemon->watch_poll, forget_poll);
	daemon->watch_poll = NULL;
}

/* ---- a generation begins: threads that no signal disturbs ---- */

static struct fault *begin(struct daemon *daemon, struct conf *conf)
{
	struct fault *fault;
	sigset_t ours, before;

	sigemptyset(&ours);
	for (size_t i = 0; i < COUNT_OF(signal_numbers); i++)
		sigaddset(&ours, signal_numbers[i]);
	pthread_sigmask(SIG_BLOCK, &ours, &before);
	fault = generation_new(daemon, conf, &daemon->now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!fault)
		fault = begin_to_look(daemon);
	if (!fault)
		daemon->state = DAEMON_RUNNING;
	return fault;
}

/* ---- the end ---- */

static void close_handle(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* The loop runs out of handles, and returns. */
static void end(struct daemon *daemon)
{
	daemon->state = DAEMON_ENDED;
	daemon_answer(daemon);
	daemon_control_close(daemon);
	uv_walk(&daemon->loop, close_handle, NULL);
}

static void end_hard(struct daemon *daemon)
{
	log_line(daemon->log, LOG_LEVEL_WARNING,
		 "service ends although work is under way; it is done again by the next start");
	daemon_remove_socket(daemon);
	_exit(daemon->fault ? fault_exit(daemon->fault) : 0);
}

static void cancel(struct daemon *daemon)
{
	if (!daemon->cancelled)
		generation_cancel(daemon->now);
	daemon->cancelled = true;
}

static void halt(struct daemon *daemon, enum daemon_state state);
static void reload(struct daemon *daemon);

/* ---- the next configuration takes over ---- */

static void fail(struct daemon *daemon, struct fault *fault)
{
	log_fault(daemon->log, LOG_LEVEL_ERROR, fault, "service cannot go on");
	if (!daemon->fault)
		daemon->fault = fault;
}

static struct fault *take_over(struct daemon *daemon)
{
	struct conf *conf = daemon->next;
	enum log_level level;

	daemon->next = NULL;
	generation_end(&daemon->now); /* from here on there is one thread: the zone may change */
	FAULT_TRY(zone_use(daemon, conf->site.timezone));
	if (!daemon->options->verbose && log_level_from_name(conf->log_level, &level))
		log_set_level(daemon->log, level);
	return begin(daemon, conf);
}

static void reloaded(struct daemon *daemon)
{
	struct fault *fault;

	daemon_answer(daemon);
	fault = take_over(daemon);
	if (fault) {
		fail(daemon, fault);
		notify_stopping();
		end(daemon);
		return;
	}
	log_line(daemon->log, LOG_LEVEL_INFO, "service reloaded");
	daemon_control_go_on(daemon);
	notify_ready();
	if (daemon->again) {
		daemon->again = false;
		reload(daemon);
	}
}

/* ---- the engine comes to its end ---- */

static void drain(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;
	uint64_t ms = uv_now(&daemon->loop) - daemon->halted_ms;
	bool ends = daemon->state == DAEMON_STOPPING;

	if (engine_join(daemon->now->engine, 0)) {
		uv_timer_stop(timer);
		if (ends)
			end(daemon);
		else
			reloaded(daemon);
		return;
	}
	if (ms >= (ends ? DAEMON_CANCEL_MS : DAEMON_RELOAD_MS))
		cancel(daemon);
	if (ends && ms >= DAEMON_END_MS)
		end_hard(daemon);
}

/* No new work; STATE says what for. */
static void halt(struct daemon *daemon, enum daemon_state state)
{
	daemon->state = state;
	daemon->cancelled = false;
	daemon->halted_ms = uv_now(&daemon->loop);
	end_looking(daemon);
	engine_stop(daemon->now->engine);
	daemon_answer(daemon); /* those who wait for a reload that is broken off */
	uv_timer_start(&daemon->drain_timer, drain, 0, DRAIN_MS);
}

static void stop(struct daemon *daemon)
{
	if (daemon->state == DAEMON_ENDED)
		return;
	if (daemon->state == DAEMON_STOPPING) { /* asked a second time: somebody is in a hurry */
		cancel(daemon);
		return;
	}
	notify_stopping();
	halt(daemon, DAEMON_STOPPING);
}

static void reload(struct daemon *daemon)
{
	if (daemon->state == DAEMON_RELOADING)
		daemon->again = true;
	if (daemon->state != DAEMON_RUNNING)
		return;
	notify_reloading();
	if (reload_read(daemon))
		halt(daemon, DAEMON_RELOADING);
	else
		notify_ready();
}

/* ---- signals and timers ---- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct daemon *daemon = handle->data;
	const struct log_pair why = { "signal", number == SIGHUP    ? "SIGHUP"
						: number == SIGTERM ? "SIGTERM"
								    : "SIGINT" };

	log_pairs(daemon->log, LOG_LEVEL_INFO, &why, 1,
		  number == SIGHUP ? "service reloads" : "service ends");
	if (number == SIGHUP)
		reload(daemon);
	else
		stop(daemon);
}

static void show_figures(struct daemon *daemon)
{
	struct watch_figures figures = watch_figures(daemon->now->watch);

	if (figures.watched == daemon->shown.watched &&
	    figures.listening == daemon->shown.listening)
		return;
	notify_status("%zu accounts watched, %zu listened to", figures.watched, figures.listening);
	daemon->shown = figures;
}

static void tick(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;
	struct fault *fault;

	daemon_control_tick(daemon);
	if (daemon->state != DAEMON_RUNNING)
		return;
	show_figures(daemon);
	fault = engine_fault(daemon->now->engine, daemon);
	if (fault) {
		fail(daemon, fault);
		stop(daemon);
	}
}

static void alive(uv_timer_t *timer)
{
	(void)timer;
	notify_alive();
}

/* ---- the beginning ---- */

static struct fault *open_timers(struct daemon *daemon)
{
	uv_timer_t *timers[] = { &daemon->look_timer, &daemon->tick_timer, &daemon->drain_timer,
				 &daemon->alive_timer };
	uint64_t watchdog_ms = notify_watchdog_ms();

	for (size_t i = 0; i < COUNT_OF(timers); i++) {
		uv_timer_init(&daemon->loop, timers[i]); /* cannot fail, nor can starting one */
		timers[i]->data = daemon;
	}
	uv_timer_start(&daemon->tick_timer, tick, TICK_MS, TICK_MS);
	if (watchdog_ms)
		uv_timer_start(&daemon->alive_timer, alive, watchdog_ms, watchdog_ms);
	return NULL;
}

static struct fault *open_signals(struct daemon *daemon)
{
	for (size_t i = 0; i < COUNT_OF(signal_numbers); i++) {
		int rc = uv_signal_init(&daemon->loop, &daemon->signals[i]);

		daemon->signals[i].data = daemon;
		if (!rc)
			rc = uv_signal_start(&daemon->signals[i], on_signal, signal_numbers[i]);
		if (rc)
			return daemon_uv_fault(daemon, rc, "no signals");
	}
	return NULL;
}

/* One descriptor per account that is listened to. */
static void raise_limit(struct daemon *daemon, size_t accounts)
{
	struct rlimit limit;
	char have[24], need[24];
	const struct log_pair pairs[] = { { "limit", have }, { "needed", need } };

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= accounts + SPARE_FDS)
		return;
	snprintf(have, sizeof have, "%llu", (unsigned long long)limit.rlim_cur);
	snprintf(need, sizeof need, "%zu", accounts + SPARE_FDS);
	log_pairs(daemon->log, LOG_LEVEL_WARNING, pairs, COUNT_OF(pairs),
		  "fewer open files are allowed than accounts may need (LimitNOFILE= of the unit)");
}

static struct fault *look_around(struct daemon *daemon)
{
	const struct daemon_options *options = daemon->options;
	char pid[24], accounts[24], servers[24];
	const struct log_pair pairs[] = { { "version", PACKAGE_VERSION },
					  { "pid", pid },
					  { "servers", servers },
					  { "accounts", accounts } };
	struct account *list = NULL;
	size_t count = 0;

	FAULT_TRY(machine_check(daemon, options->store, options->takeover));
	if (options->takeover)
		FAULT_TRY(older_take_over(daemon, options->store));
	FAULT_TRY(older_check(daemon, options->store));
	FAULT_TRY(store_meta(options->store, daemon, "instance", &daemon->instance));
	FAULT_TRY(link_accounts(options->store, daemon, &list, &count));
	talloc_free(list);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	snprintf(accounts, sizeof accounts, "%zu", count);
	snprintf(servers, sizeof servers, "%zu", options->conf->server_count);
	log_pairs(daemon->log, LOG_LEVEL_INFO, pairs, COUNT_OF(pairs), "service starts");
	if (!options->conf->server_count)
		log_line(daemon->log, LOG_LEVEL_WARNING,
			 "the configuration has no [server]: there is nobody to talk to");
	raise_limit(daemon, count);
	return NULL;
}

static struct fault *open_all(struct daemon *daemon)
{
	FAULT_TRY(open_timers(daemon));
	FAULT_TRY(open_signals(daemon));
	FAULT_TRY(daemon_control_open(daemon));
	FAULT_TRY(daemon_listen(daemon, daemon->options->conf->control_socket));
	FAULT_TRY(begin(daemon, daemon->options->conf));
	log_line(daemon->log, LOG_LEVEL_INFO, "service is ready");
	notify_ready();
	return NULL;
}

static struct fault *run_loop(struct daemon *daemon)
{
	struct fault *fault;
	int rc = uv_loop_init(&daemon->loop);

	if (rc)
		return daemon_uv_fault(daemon, rc, "no event loop");
	fault = open_all(daemon);
	if (fault) {
		daemon->fault = fault;
		end(daemon);
	}
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	generation_end(&daemon->now);
	uv_loop_close(&daemon->loop);
	return daemon->fault;
}

struct fault *daemon_run(TALLOC_CTX *mem, const struct daemon_options *options)
{
	struct daemon *daemon = MEM_NEW(mem, struct daemon);
	struct lock *lock = NULL;
	struct fault *fault;

	daemon->options = options;
	daemon->log = options->log;
	daemon->started_us = clock_now_us(options->clock);
	FAULT_TRY(lock_take(daemon, options->conf->dsn, &lock));
	FAULT_TRY(look_around(daemon));
	pthread_mutex_init(&daemon->lock, NULL);
	fault = run_loop(daemon);
	pthread_mutex_destroy(&daemon->lock);
	if (fault)
		talloc_steal(mem, fault);
	else
		log_line(options->log, LOG_LEVEL_INFO, "service has ended");
	talloc_free(daemon);
	return fault;
}
