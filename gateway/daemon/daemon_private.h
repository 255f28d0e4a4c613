/* daemon_private.h - what the files of the service share. All of it is the loop thread's, but what
 * says otherwise. */
#ifndef TASKFERRY_DAEMON_PRIVATE_H
#define TASKFERRY_DAEMON_PRIVATE_H

#include <pthread.h>
#include <uv.h>

#include "gateway/daemon/control.h"
#include "gateway/daemon/daemon.h"
#include "gateway/watch/watch.h"

/*  RUNNING --SIGHUP--> RELOADING --engine ended--> RUNNING
 *     |                    |
 *     `--SIGTERM, fault----+--> STOPPING --engine ended--> ENDED */
enum daemon_state { DAEMON_RUNNING, DAEMON_RELOADING, DAEMON_STOPPING, DAEMON_ENDED };

/* All that a configuration brings with it. A reload ends one and begins the next. */
struct generation {
	struct conf *conf;
	struct http *http;
	struct trusts *trusts;
	struct watch *watch;
	struct engine *engine;
	struct engine_env env;
	struct engine_park park;
	int stop_fd; /* an eventfd: readable when nobody shall wait for a server any more */
};

struct daemon {
	const struct daemon_options *options;
	struct log *log;
	int64_t started_us;
	char *instance; /* of the database */
	enum daemon_state state;
	struct fault *fault; /* why it ends; NULL: it was asked to */
	struct generation *now;
	struct conf *next; /* while RELOADING */
	bool again;        /* SIGHUP came while RELOADING */
	uint64_t halted_ms;
	bool cancelled;
	struct watch_figures shown; /* by notify_status() */

	uv_loop_t loop;
	uv_signal_t signals[3];
	uv_timer_t look_timer, tick_timer, drain_timer, alive_timer;
	uv_poll_t *watch_poll;

	/* daemon_control.c */
	uv_pipe_t *listener;
	const char *socket_path;
	dev_t socket_dev;
	ino_t socket_ino;
	struct client *clients;
	int client_count;
	uv_async_t answers;
	struct errand *errands;
	pthread_mutex_t lock; /* of what workers write into errands */
};

/* ---- daemon_reload.c: generations ---- */

struct fault *generation_new(struct daemon *daemon, struct conf *conf,
			     struct generation **generation_r) ATTR_MUST_CHECK;

/* Network waits end at once. */
void generation_cancel(struct generation *generation);

/* When the engine has ended. NULL is allowed. */
void generation_end(struct generation **generation);

/* The configuration read anew and checked; logs what is wrong with it, or changes nothing. True:
 * daemon->next is the new one. */
bool reload_read(struct daemon *daemon);

/* ---- daemon_control.c: the control socket ---- */

/* Once, before all others. */
struct fault *daemon_control_open(struct daemon *daemon) ATTR_MUST_CHECK;

/* From now on clients come by PATH. A file that nobody listens on is replaced when it is ours. CANNOT_CREATE fault: it is somebody
 * else's, or somebody answers there. */
struct fault *daemon_listen(struct daemon *daemon, const char *path) ATTR_MUST_CHECK;

/* Passes on what workers have answered; when the service ends, that to those who wait for it. */
void daemon_answer(struct daemon *daemon);

/* The new configuration is in use: what waited for it begins. */
void daemon_control_go_on(struct daemon *daemon);

/* Clients that take too long are dropped; once a second. */
void daemon_control_tick(struct daemon *daemon);

/* No more clients; the file is removed. */
void daemon_control_close(struct daemon *daemon);

/* The file, if it is still the one that was made. */
void daemon_remove_socket(struct daemon *daemon);

/* An IO fault with libuv's words for RC. */
struct fault *daemon_uv_fault(TALLOC_CTX *mem, int rc, const char *what);

#endif
