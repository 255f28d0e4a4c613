#include "config.h"

#include "scripted.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One thread takes connections, one more serves each. At the end the sockets are shut down, which
 * wakes all who wait for them; who waits for the time looks at `stopping`. */

#define HEAD_MAX 65536
#define HEARD_MAX (1 << 20)
#define DRIP_MS 50
#define TICK_MS 10

struct connection {
	struct connection *next; /* all that ever were */
	struct scripted *scripted;
	pthread_t thread;
	int fd; /* shut down at the end, closed after its thread */
	char *in;
	size_t len;
};

struct scripted {
	int fd;
	pthread_t thread;
	char *url;
	scripted_reply *reply;
	void *context;
	pthread_mutex_t lock;
	struct scripted_counts counts;
	int open;
	bool stopping;
	struct connection *all;
	char *heard; /* all requests, one after another */
	size_t heard_len;
};

static void nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static bool is_stopping(struct scripted *scripted)
{
	bool stopping;

	pthread_mutex_lock(&scripted->lock);
	stopping = scripted->stopping;
	pthread_mutex_unlock(&scripted->lock);
	return stopping;
}

static bool send_bytes(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		n -= (size_t)sent;
	}
	return true;
}

static size_t body_length(const char *head)
{
	for (const char *line = head; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncasecmp(line, "Content-Length:", 15))
			return (size_t)strtoul(line + 15, NULL, 10);
	}
	return 0;
}

/* Reads one request; it is left in `in`, NUL-terminated. */
static bool read_request(struct connection *c)
{
	size_t need = 0;

	c->len = 0;
	for (;;) {
		char *end;
		ssize_t n;

		c->in[c->len] = '\0';
		end = strstr(c->in, "\r\n\r\n");
		if (end && !need)
			need = (size_t)(end - c->in) + 4 + body_length(c->in);
		if (need && c->len >= need)
			return true;
		if (c->len == HEAD_MAX && !need)
			return false;
		if (c->len > HEAD_MAX / 2 && need) { /* a long body is read and forgotten */
			need -= c->len - HEAD_MAX / 2;
			c->len = HEAD_MAX / 2;
		}
		n = recv(c->fd, c->in + c->len, HEAD_MAX - c->len, 0);
		if (n <= 0)
			return false;
		c->len += (size_t)n;
	}
}

static void hear(struct scripted *scripted, const char *request)
{
	size_t n = strlen(request);

	pthread_mutex_lock(&scripted->lock);
	scripted->counts.requests++;
	if (scripted->heard_len + n < HEARD_MAX) {
		memcpy(scripted->heard + scripted->heard_len, request, n + 1);
		scripted->heard_len += n;
	}
	pthread_mutex_unlock(&scripted->lock);
}

static void drip(int fd, const char *text)
{
	for (const char *c = text; *c && send_bytes(fd, c, 1); c++)
		nap(DRIP_MS);
}

static void pour(int fd)
{
	char block[16384];

	memset(block, 'x', sizeof block);
	while (send_bytes(fd, block, sizeof block))
		;
}

/* False: the connection ends. */
static bool answer(struct connection *c, const struct scripted_answer *a)
{
	const char *text = a->text ? a->text : "";
	size_t len = a->cut ? a->cut : strlen(text);

	nap(a->delay_ms);
	switch (a->manner) {
	case SCRIPTED_ANSWER:
		(void)send_bytes(c->fd, text, len);
		return false;
	case SCRIPTED_KEEP:
		return send_bytes(c->fd, text, len);
	case SCRIPTED_CUT:
		(void)send_bytes(c->fd, text, a->cut);
		return false;
	case SCRIPTED_DRIP:
		drip(c->fd, text);
		return false;
	case SCRIPTED_ENDLESS:
		if (send_bytes(c->fd, text, strlen(text)))
			pour(c->fd);
		return false;
	case SCRIPTED_HANG:
		break;
	}
	while (!is_stopping(c->scripted))
		nap(TICK_MS);
	return false;
}

static bool serve_one(struct connection *c)
{
	char method[32] = "", path[4096] = "";
	TALLOC_CTX *mem;
	struct scripted_answer a;
	bool more;

	if (!read_request(c))
		return false;
	hear(c->scripted, c->in);
	if (sscanf(c->in, "%31s %4095s", method, path) != 2)
		return false;
	mem = MEM_CONTEXT(NULL);
	a = c->scripted->reply(c->scripted->context, mem, method, path, c->in);
	more = answer(c, &a);
	talloc_free(mem);
	return more;
}

static void *serve(void *context)
{
	struct connection *c = context;
	struct scripted *scripted = c->scripted;

	while (serve_one(c))
		;
	shutdown(c->fd, SHUT_WR);
	while (recv(c->fd, c->in, HEAD_MAX, 0) > 0)
		; /* so that what was sent is not thrown away by a reset */
	pthread_mutex_lock(&scripted->lock);
	scripted->open--;
	pthread_mutex_unlock(&scripted->lock);
	return NULL;
}

static void connection_new(struct scripted *scripted, int fd)
{
	struct connection *c = mem_must(calloc(1, sizeof *c));

	c->scripted = scripted;
	c->fd = fd;
	c->in = mem_must(malloc(HEAD_MAX + 1));
	pthread_mutex_lock(&scripted->lock);
	c->next = scripted->all;
	scripted->all = c;
	scripted->counts.connections++;
	if (++scripted->open > scripted->counts.open_most)
		scripted->counts.open_most = scripted->open;
	pthread_mutex_unlock(&scripted->lock);
	if (pthread_create(&c->thread, NULL, serve, c)) {
		perror("scripted server");
		abort();
	}
}

static void *take_connections(void *context)
{
	struct scripted *scripted = context;
	int fd;

	while ((fd = accept(scripted->fd, NULL, NULL)) >= 0)
		connection_new(scripted, fd);
	return NULL;
}

static int scripted_close(struct scripted *scripted)
{
	struct connection *c, *next;

	pthread_mutex_lock(&scripted->lock);
	scripted->stopping = true;
	pthread_mutex_unlock(&scripted->lock);
	shutdown(scripted->fd, SHUT_RDWR);
	pthread_join(scripted->thread, NULL);
	close(scripted->fd);
	for (c = scripted->all; c; c = next) {
		next = c->next;
		shutdown(c->fd, SHUT_RDWR);
		pthread_join(c->thread, NULL);
		close(c->fd);
		free(c->in);
		free(c);
	}
	pthread_mutex_destroy(&scripted->lock);
	return 0;
}

struct scripted *scripted_new(TALLOC_CTX *mem, scripted_reply *reply, void *context)
{
	struct scripted *scripted = MEM_NEW(mem, struct scripted);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	scripted->reply = reply;
	scripted->context = context;
	scripted->heard = MEM_ARRAY(scripted, char, HEARD_MAX);
	pthread_mutex_init(&scripted->lock, NULL);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	scripted->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (scripted->fd < 0 || bind(scripted->fd, (struct sockaddr *)&at, sizeof at) ||
	    listen(scripted->fd, 64) || getsockname(scripted->fd, (struct sockaddr *)&at, &len) ||
	    pthread_create(&scripted->thread, NULL, take_connections, scripted)) {
		perror("scripted server");
		abort();
	}
	talloc_set_destructor(scripted, scripted_close);
	scripted->url = mem_printf(scripted, "http://127.0.0.1:%d", ntohs(at.sin_port));
	return scripted;
}

const char *scripted_url(const struct scripted *scripted)
{
	return scripted->url;
}

struct scripted_counts scripted_counts(struct scripted *scripted)
{
	struct scripted_counts counts;

	pthread_mutex_lock(&scripted->lock);
	counts = scripted->counts;
	pthread_mutex_unlock(&scripted->lock);
	return counts;
}

bool scripted_heard(struct scripted *scripted, const char *text)
{
	bool heard;

	pthread_mutex_lock(&scripted->lock);
	heard = strstr(scripted->heard, text) != NULL;
	pthread_mutex_unlock(&scripted->lock);
	return heard;
}
