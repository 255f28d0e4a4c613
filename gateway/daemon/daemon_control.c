/* daemon_control.c - the service's side of the control socket.
 *
 * A client sends lines; each is answered at once, but a `sync`: that becomes an errand, which the
 * engine's workers write their progress and their result into. They wake the loop, and the loop
 * passes it on. A client that hangs up leaves its errand behind, which ends by itself. While the
 * service reloads an errand waits, and begins, or begins again, with the new configuration.
 *
 * Nobody can hold the loop or fill the memory: a bounded number of clients, a bounded line, a
 * bounded backlog of answers that are not read, a limit for the time between two commands. */
#include "config.h"

#include "gateway/daemon/daemon_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "base/text.h"

#define CLIENTS_MAX 32
#define PENDING_MAX 64                     /* connections not yet accepted */
#define BACKLOG_MAX (4 * CONTROL_LINE_MAX) /* bytes of answers that a client has not read */
#define IDLE_MS 10000                      /* between connecting or an answer, and a command */
#define ENDING "the service is ending; try again"

struct errand {
	struct daemon *daemon;
	/* the loop thread's: */
	struct client *client;    /* NULL: has hung up */
	int64_t account, project; /* 0: all */
	bool full;
	bool waits; /* for the next configuration: no engine knows it */
	/* under the lock: */
	char *what; /* of the last step, and whether it was passed on */
	int64_t done, total;
	bool stepped, ended;
	TALLOC_CTX *end; /* a root; owns the two: */
	char *line;      /* of the result, or */
	struct fault *fault;
	struct errand *prev, *next;
};

struct client {
	uv_pipe_t pipe;
	struct daemon *daemon;
	struct errand *errand; /* its `sync`; what it sends meanwhile waits */
	uint64_t since_ms;
	char input[CONTROL_LINE_MAX];
	size_t len;
	struct client *prev, *next;
};

static bool is_over(const struct daemon *daemon)
{
	return daemon->state == DAEMON_STOPPING || daemon->state == DAEMON_ENDED;
}

/* ---- talking to a client ---- */

static void client_gone(uv_handle_t *handle)
{
	talloc_free(handle->data);
}

static void client_drop(struct client *client)
{
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	DL_DELETE(client->daemon->clients, client);
	client->daemon->client_count--;
	if (client->errand)
		client->errand->client = NULL;
	uv_close((uv_handle_t *)&client->pipe, client_gone);
}

struct message {
	uv_write_t request;
	char *line;
};

static void message_sent(uv_write_t *request, int status)
{
	(void)status; /* who does not read is dropped elsewhere */
	talloc_free(request->data);
}

/* Sends LINE, which is used up. */
static void client_say(struct client *client, char *line)
{
	struct message *message;
	uv_buf_t bytes = uv_buf_init(line, (unsigned)strlen(line));

	if (uv_is_closing((uv_handle_t *)&client->pipe)) {
		talloc_free(line);
		return;
	}
	message = MEM_NEW(client, struct message);
	message->line = talloc_steal(message, line);
	message->request.data = message;
	if (uv_write(&message->request, (uv_stream_t *)&client->pipe, &bytes, 1, message_sent))
		talloc_free(message);
	if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > BACKLOG_MAX)
		client_drop(client);
}

static void client_refuse(struct client *client, enum fault_kind kind, const char *why)
{
	struct fault *fault = fault_new(client, kind, "%s", why);

	client_say(client, control_fault_line(client, fault));
	talloc_free(fault);
}

/* ---- errands ---- */

/* On a worker's thread. */
static void errand_step(void *data, const char *what, int64_t done, int64_t total)
{
	struct errand *errand = data;

	pthread_mutex_lock(&errand->daemon->lock);
	if (!errand->what || strcmp(errand->what, what)) {
		talloc_free(errand->what);
		errand->what = mem_strdup(NULL, what);
	}
	errand->done = done;
	errand->total = total;
	errand->stepped = true;
	pthread_mutex_unlock(&errand->daemon->lock);
	uv_async_send(&errand->daemon->answers);
}

/* Likewise; the errand is the loop's from here on. */
static void errand_end(void *data, struct sync_result *result, const struct fault *fault)
{
	struct errand *errand = data;
	struct daemon *daemon = errand->daemon;
	TALLOC_CTX *root = MEM_CONTEXT(NULL);
	char *line = NULL;
	struct fault *copy = NULL;

	if (fault)
		copy = fault_new(root, fault->kind, "%s", fault->text);
	else
		line = control_sync_line(root, result);
	pthread_mutex_lock(&daemon->lock);
	errand->end = root;
	errand->line = line;
	errand->fault = copy;
	errand->ended = true;
	pthread_mutex_unlock(&daemon->lock);
	uv_async_send(&daemon->answers);
}

static void client_work(struct client *client);

/* The last of an errand: it is freed, and LINE, which is used up, is the answer. */
static void errand_close(struct daemon *daemon, struct errand *errand, char *line)
{
	struct client *client = errand->client;

	DL_DELETE(daemon->errands, errand);
	if (client) {
		client->errand = NULL;
		client->since_ms = uv_now(&daemon->loop);
		client_say(client, line);
	}
	talloc_free(errand->end);
	talloc_free(errand->what);
	talloc_free(errand);
	if (client)
		client_work(client);
}

/* The engine that ended has left it undone; the next one begins it anew. */
static void errand_put_off(struct errand *errand)
{
	TALLOC_FREE(errand->end);
	errand->line = NULL;
	errand->fault = NULL;
	errand->ended = false;
	errand->waits = true;
}

static void errand_answer(struct daemon *daemon, struct errand *errand)
{
	const struct fault *fault = errand->fault;

	if (fault && fault->kind == FAULT_TRY_LATER && daemon->state == DAEMON_RELOADING)
		errand_put_off(errand);
	else
		errand_close(daemon, errand,
			     fault ? control_fault_line(errand, fault)
				   : mem_strdup(errand, errand->line));
}

static void errand_refuse(struct daemon *daemon, struct errand *errand)
{
	struct fault *fault = fault_new(errand, FAULT_TRY_LATER, ENDING);

	errand_close(daemon, errand, control_fault_line(errand, fault));
}

/* Steps are passed on as fast as the client reads them; the others are left out. */
static char *errand_news(struct daemon *daemon, struct errand *errand, bool *ended_r)
{
	struct client *client = errand->client;
	char *line = NULL;

	pthread_mutex_lock(&daemon->lock);
	*ended_r = errand->ended;
	if (client && errand->stepped &&
	    !uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe)) {
		line = control_progress_line(client, errand->what, errand->done, errand->total);
		errand->stepped = false;
	}
	pthread_mutex_unlock(&daemon->lock);
	return line;
}

void daemon_answer(struct daemon *daemon)
{
	struct errand *errand, *next;

	DL_FOREACH_SAFE(daemon->errands, errand, next)
	{
		bool ended = false;
		char *line = errand_news(daemon, errand, &ended);

		if (line)
			client_say(errand->client, line);
		if (ended)
			errand_answer(daemon, errand);
		else if (errand->waits && is_over(daemon))
			errand_refuse(daemon, errand);
	}
}

static void errand_begin(struct errand *errand)
{
	struct account account = { .id = errand->account };
	struct project project = { .id = errand->project };
	struct sync_options options = { .account = account.id ? &account : NULL,
					.project = project.id ? &project : NULL,
					.full = errand->full,
					.progress = errand_step,
					.data = errand };

	errand->waits = false;
	engine_request(errand->daemon->now->engine, &options, errand_end, errand);
}

void daemon_control_go_on(struct daemon *daemon)
{
	struct errand *errand, *next;

	DL_FOREACH_SAFE(daemon->errands, errand, next)
	{
		if (errand->client)
			errand_begin(errand);
		else
			errand_close(daemon, errand, NULL);
	}
}

static void answers_came(uv_async_t *answers)
{
	daemon_answer(answers->data);
}

/* ---- commands ---- */

static void do_sync(struct client *client, const struct control_request *request)
{
	struct daemon *daemon = client->daemon;
	struct errand *errand = MEM_NEW(daemon, struct errand);

	errand->daemon = daemon;
	errand->client = client;
	errand->account = request->account_id;
	errand->project = request->project_id;
	errand->full = request->full;
	errand->waits = true;
	client->errand = errand;
	DL_APPEND(daemon->errands, errand);
	client_say(client, control_progress_line(client, "accepted", 0, 0));
	if (daemon->state == DAEMON_RUNNING)
		errand_begin(errand);
}

static void do_status(struct client *client)
{
	struct daemon *daemon = client->daemon;
	struct watch_figures watched = watch_figures(daemon->now->watch);
	struct engine_figures engine = engine_figures(daemon->now->engine);
	struct control_status status = { .pid = getpid(),
					 .version = PACKAGE_VERSION,
					 .started_us = daemon->started_us,
					 .watched = (int64_t)watched.watched,
					 .listening = (int64_t)watched.listening,
					 .workers = engine.workers,
					 .busy = engine.busy,
					 .ways = watch_ways(daemon->now->watch, client,
							    CONTROL_WAYS_MAX) };

	client_say(client, control_status_line(client, &status));
}

static void do_request(struct client *client, const struct control_request *request)
{
	struct daemon *daemon = client->daemon;

	if (is_over(daemon) && request->command == CONTROL_SYNC) {
		client_refuse(client, FAULT_TRY_LATER, ENDING);
		return;
	}
	switch (request->command) {
	case CONTROL_SYNC:
		do_sync(client, request);
		return;
	case CONTROL_STATUS:
		do_status(client);
		return;
	default:
		if (daemon->state == DAEMON_RUNNING) /* else the next one looks at everything */
			engine_poke(daemon->now->engine);
		client_say(client, control_poke_line(client));
	}
}

static void do_line(struct client *client, const char *line, size_t len)
{
	TALLOC_CTX *mem = MEM_CONTEXT(client);
	struct control_request request;
	struct fault *fault = control_request_parse(mem, line, len, &request);

	client->since_ms = uv_now(&client->daemon->loop);
	if (fault)
		client_refuse(client, fault->kind, fault->text);
	else if (request.instance && !text_same(request.instance, client->daemon->instance))
		client_refuse(client, FAULT_CONFIG,
			      "the service that answers here works on another database");
	else
		do_request(client, &request);
	talloc_free(mem);
}

static bool is_closing(const struct client *client)
{
	return uv_is_closing((const uv_handle_t *)&client->pipe);
}

/* All whole lines that have come, one command at a time. */
static void client_work(struct client *client)
{
	char *end;

	if (client->daemon->state == DAEMON_ENDED)
		return; /* nothing is there any more that could answer */
	while (!is_closing(client) && !client->errand &&
	       (end = memchr(client->input, '\n', client->len))) {
		do_line(client, client->input, (size_t)(end - client->input));
		client->len -= (size_t)(end + 1 - client->input);
		memmove(client->input, end + 1, client->len);
	}
	if (client->len < CONTROL_LINE_MAX || is_closing(client))
		return;
	client_refuse(client, FAULT_USAGE, "control socket: that is more than a line may be");
	client_drop(client);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes)
{
	struct client *client = handle->data;

	(void)suggested;
	*bytes = uv_buf_init(client->input + client->len,
			     (unsigned)(CONTROL_LINE_MAX - client->len));
}

static void bytes_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	struct client *client = stream->data;

	(void)bytes;
	if (n < 0) {
		client_drop(client);
		return;
	}
	client->len += (size_t)n;
	client_work(client);
}

/* ---- clients ---- */

static const char *why_not(const struct client *client)
{
	uv_os_fd_t fd = -1;

	if (uv_fileno((const uv_handle_t *)&client->pipe, &fd) || !control_trusts(fd))
		return "only the service's own user, or root, may ask it";
	if (client->daemon->client_count > CLIENTS_MAX)
		return "too many ask the service at once; try again";
	return NULL;
}

static void client_came(uv_stream_t *listener, int status)
{
	struct daemon *daemon = listener->data;
	struct client *client;
	const char *why;

	if (status)
		return;
	client = MEM_NEW(daemon, struct client);
	uv_pipe_init(&daemon->loop, &client->pipe, 0); /* cannot fail */
	client->pipe.data = client;
	client->daemon = daemon;
	client->since_ms = uv_now(&daemon->loop);
	DL_APPEND(daemon->clients, client);
	daemon->client_count++;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe)) {
		client_drop(client);
		return;
	}
	why = why_not(client);
	if (why) {
		client_refuse(client,
			      daemon->client_count > CLIENTS_MAX ? FAULT_TRY_LATER
								 : FAULT_NOT_PERMITTED,
			      why);
		client_drop(client);
	} else if (uv_read_start((uv_stream_t *)&client->pipe, give_room, bytes_came)) {
		client_drop(client);
	}
}

void daemon_control_tick(struct daemon *daemon)
{
	struct client *client, *next;
	uint64_t now = uv_now(&daemon->loop);

	DL_FOREACH_SAFE(daemon->clients, client, next)
	{
		if (!client->errand && now - client->since_ms > IDLE_MS)
			client_drop(client);
	}
}

/* ---- the socket ---- */

static struct fault *cannot(struct daemon *daemon, const char *path)
{
	return fault_new(daemon, errno == EACCES ? FAULT_NOT_PERMITTED : FAULT_CANNOT_CREATE,
			 "[control] socket %s: %s%s", path, strerror(errno),
			 errno == EACCES ? "; its folder must be this user's; or name another one"
					 : "");
}

static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* EAGAIN: it is so busy that it does not even accept */
	bool there = fd >= 0 && (!connect(fd, (const struct sockaddr *)address, sizeof *address) ||
				 errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return there;
}

/* What a service left that was killed goes; anything else stays. */
static struct fault *clear(struct daemon *daemon, const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? NULL : cannot(daemon, path);
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return fault_new(daemon, FAULT_CANNOT_CREATE,
				 "[control] socket %s: there is something else by that name, which "
				 "is not this user's socket",
				 path);
	if (answers(address))
		return fault_new(daemon, FAULT_CANNOT_CREATE,
				 "[control] socket %s: another service answers there; give each "
				 "its own",
				 path);
	return unlink(path) ? cannot(daemon, path) : NULL;
}

/* Everybody may look into the folder; the socket is its owner's. */
static struct fault *make_folder(struct daemon *daemon, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_strndup(daemon, path, slash ? (size_t)(slash - path) : 0);
	struct fault *fault = NULL;

	if (*folder && !mkdir(folder, 0755))
		(void)chmod(folder, 0755); /* umask */
	else if (*folder && errno != EEXIST)
		fault = cannot(daemon, path);
	talloc_free(folder);
	return fault;
}

static struct fault *open_socket(struct daemon *daemon, const struct sockaddr_un *address,
				 int *fd_r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct fault *fault;

	if (fd >= 0 && !bind(fd, (const struct sockaddr *)address, sizeof *address) &&
	    !chmod(address->sun_path, 0600)) {
		*fd_r = fd;
		return NULL;
	}
	fault = cannot(daemon, address->sun_path);
	if (fd >= 0)
		close(fd);
	return fault;
}

static void free_handle(uv_handle_t *handle)
{
	talloc_free(handle);
}

static struct fault *listen_on(struct daemon *daemon, int fd, uv_pipe_t **listener_r)
{
	uv_pipe_t *listener = MEM_NEW(daemon, uv_pipe_t);
	int rc;

	uv_pipe_init(&daemon->loop, listener, 0);
	listener->data = daemon;
	rc = uv_pipe_open(listener, fd);
	if (rc)
		close(fd);
	else
		rc = uv_listen((uv_stream_t *)listener, PENDING_MAX, client_came);
	if (rc) {
		uv_close((uv_handle_t *)listener, free_handle);
		return daemon_uv_fault(daemon, rc, "[control] socket");
	}
	*listener_r = listener;
	return NULL;
}

void daemon_remove_socket(struct daemon *daemon)
{
	struct stat st;

	if (daemon->socket_path && !lstat(daemon->socket_path, &st) &&
	    st.st_dev == daemon->socket_dev && st.st_ino == daemon->socket_ino)
		(void)unlink(daemon->socket_path);
}

static void close_listener(struct daemon *daemon)
{
	daemon_remove_socket(daemon);
	if (daemon->listener)
		uv_close((uv_handle_t *)daemon->listener, free_handle);
	daemon->listener = NULL;
	daemon->socket_path = NULL;
}

struct fault *daemon_listen(struct daemon *daemon, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uv_pipe_t *listener = NULL;
	struct stat st;
	int fd = -1;

	if (strlen(path) >= sizeof address.sun_path)
		return fault_new(daemon, FAULT_CONFIG, "[control] socket %s: more than %zu bytes",
				 path, sizeof address.sun_path - 1);
	strcpy(address.sun_path, path);
	FAULT_TRY(make_folder(daemon, path));
	FAULT_TRY(clear(daemon, &address));
	FAULT_TRY(open_socket(daemon, &address, &fd));
	FAULT_TRY(listen_on(daemon, fd, &listener));
	close_listener(daemon);
	daemon->listener = listener;
	daemon->socket_path = mem_strdup(daemon, path);
	if (!lstat(path, &st)) {
		daemon->socket_dev = st.st_dev;
		daemon->socket_ino = st.st_ino;
	}
	return NULL;
}

struct fault *daemon_control_open(struct daemon *daemon)
{
	int rc = uv_async_init(&daemon->loop, &daemon->answers, answers_came);

	daemon->answers.data = daemon;
	return rc ? daemon_uv_fault(daemon, rc, "the loop cannot be woken") : NULL;
}

void daemon_control_close(struct daemon *daemon)
{
	struct client *client, *next;

	close_listener(daemon);
	DL_FOREACH_SAFE(daemon->clients, client, next)
	{
		client_drop(client);
	}
}
