/* control_client.c - the commands' side of the control socket: blocking, each wait with its end. */
#include "config.h"

/* struct ucred */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "gateway/daemon/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FOREVER (-1)

bool control_trusts(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

struct call {
	int fd;
	char bytes[CONTROL_LINE_MAX + 1]; /* what was read and not used */
	size_t len;
};

static int call_close(struct call *call)
{
	close(call->fd);
	return 0;
}

/* A service that hangs with a full backlog must not hold the command. */
static bool limit_waits(int fd)
{
	struct timeval limit = { .tv_sec = CONTROL_ANSWER_MS / 1000 };

	return !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static bool reach(int fd, const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(socket_path) >= sizeof address.sun_path)
		return false;
	strcpy(address.sun_path, socket_path);
	return limit_waits(fd) && !connect(fd, (const struct sockaddr *)&address, sizeof address) &&
	       control_trusts(fd);
}

/* True also when the service has refused us already: it has said why. */
static bool say(int fd, const char *line)
{
	size_t len = strlen(line), sent = 0;
	ssize_t n = 0;

	for (; sent < len && n >= 0; sent += n > 0 ? (size_t)n : 0)
		n = send(fd, line + sent, len - sent, MSG_NOSIGNAL);
	return sent == len || errno == EPIPE;
}

/* A connection on which REQUEST was sent; NULL: nobody is there. */
static struct call *call_new(TALLOC_CTX *mem, const char *socket_path,
			     const struct control_request *request)
{
	struct call *call = MEM_NEW(mem, struct call);
	char *line = control_request_line(call, request);

	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	talloc_set_destructor(call, call_close);
	if (call->fd >= 0 && reach(call->fd, socket_path) && say(call->fd, line))
		return call;
	talloc_free(call);
	return NULL;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* More bytes of the answer; false: the end, or nothing until UNTIL_MS (FOREVER: never ends). */
static bool read_more(struct call *call, int64_t until_ms)
{
	struct pollfd pollfd = { .fd = call->fd, .events = POLLIN };
	ssize_t n;
	int ready;

	do {
		int64_t left = until_ms == FOREVER ? FOREVER : until_ms - now_ms();

		if (until_ms != FOREVER && left < 0)
			return false;
		ready = poll(&pollfd, 1, (int)left);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return false;
	n = recv(call->fd, call->bytes + call->len, CONTROL_LINE_MAX - call->len, 0);
	call->len += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* The next line of the answer. UNREACHABLE: there is none. */
static struct fault *next_answer(struct call *call, TALLOC_CTX *mem, enum control_command command,
				 int64_t limit_ms, struct control_answer *answer_r)
{
	int64_t until_ms = limit_ms == FOREVER ? FOREVER : now_ms() + limit_ms;
	struct fault *fault;
	char *end;

	while (!(end = memchr(call->bytes, '\n', call->len)))
		if (call->len == CONTROL_LINE_MAX || !read_more(call, until_ms))
			return fault_new(mem, FAULT_UNREACHABLE, "the service gives no answer");
	fault = control_answer_parse(mem, command, call->bytes, (size_t)(end - call->bytes),
				     answer_r);
	call->len -= (size_t)(end + 1 - call->bytes);
	memmove(call->bytes, end + 1, call->len);
	return fault;
}

/* A command that is answered by one line, at once. */
static bool ask(TALLOC_CTX *mem, const char *socket_path, const char *instance,
		enum control_command command, struct control_answer *answer)
{
	struct control_request request = { .command = command, .instance = instance };
	struct call *call = call_new(mem, socket_path, &request);

	return call && !next_answer(call, mem, command, CONTROL_ANSWER_MS, answer) &&
	       answer->kind == CONTROL_RESULT;
}

bool control_poke(const char *socket_path, const char *instance)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct control_answer answer;
	bool heard = ask(mem, socket_path, instance, CONTROL_POKE, &answer);

	talloc_free(mem);
	return heard;
}

struct control_status *control_ask_status(TALLOC_CTX *mem, const char *socket_path,
					  const char *instance)
{
	struct control_answer answer;

	return ask(mem, socket_path, instance, CONTROL_STATUS, &answer) ? answer.status : NULL;
}

struct fault *control_hand_over(TALLOC_CTX *mem, const char *socket_path,
				const struct control_request *request,
				void (*progress)(void *data, const char *what, int64_t done,
						 int64_t total),
				void *data, struct sync_result **result_r)
{
	struct call *call = call_new(mem, socket_path, request);
	struct control_answer answer = { .kind = CONTROL_PROGRESS };
	int64_t limit_ms = CONTROL_ANSWER_MS;
	struct fault *fault = NULL;

	if (!call)
		return fault_new(mem, FAULT_UNREACHABLE, "no service answers on %s", socket_path);
	while (!fault && answer.kind == CONTROL_PROGRESS) {
		fault = next_answer(call, mem, request->command, limit_ms, &answer);
		if (!fault && answer.kind == CONTROL_PROGRESS && answer.total && progress)
			progress(data, answer.what, answer.done, answer.total);
		limit_ms = FOREVER; /* it was heard; a slow server may take its time */
	}
	talloc_free(call);
	if (!fault && answer.kind == CONTROL_ERROR)
		fault = answer.fault;
	if (fault)
		return fault;
	*result_r = answer.sync;
	return NULL;
}
