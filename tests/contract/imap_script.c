#include "config.h"

#include "imap_script.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define SAY_AT_ONCE ((size_t)64 << 10)

/* One thread, one client at a time: the next one is taken when the last has gone. */

#define HEARD_MAX ((size_t)8 << 20)
#define DRIP_MS 20
#define TICK_MS 10

#define CAPS                                                                                       \
	"IMAP4rev1 SASL-IR AUTH=PLAIN IDLE UIDPLUS CONDSTORE LITERAL+ MULTIAPPEND NAMESPACE "      \
	"ESEARCH ID"

struct imap_server {
	int fd, port;
	struct imap_script script;
	size_t *used; /* how often each of its rows was; the thread's own */
	pthread_t thread;
	pthread_mutex_t lock;
	bool stopping;
	int client;        /* -1: none */
	struct buf *heard; /* of a tree of its own: the thread's, and whoever holds the lock */
	size_t said;
};

/* Of one client; the thread's own. */
struct client {
	struct imap_server *server;
	TALLOC_CTX *mem;
	int fd;
	size_t said;
	struct buf *in;
	bool gone;
};

static bool is_stopping(struct imap_server *server)
{
	bool stopping;

	pthread_mutex_lock(&server->lock);
	stopping = server->stopping;
	pthread_mutex_unlock(&server->lock);
	return stopping;
}

static void nap(int ms)
{
	struct timespec t = { 0, (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

/* ---- bytes ---- */

static void send_bytes(struct client *client, const char *bytes, size_t n)
{
	size_t cut = client->server->script.cut;

	if (cut && n > cut - client->said)
		n = cut - client->said;
	while (n && !client->gone) {
		ssize_t sent;

		/* under the lock: who has read the bytes finds them counted */
		pthread_mutex_lock(&client->server->lock);
		sent = send(client->fd, bytes, n < SAY_AT_ONCE ? n : SAY_AT_ONCE,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0)
			client->server->said = client->said += (size_t)sent;
		pthread_mutex_unlock(&client->server->lock);
		if (sent < 0 && errno == EAGAIN && !is_stopping(client->server)) {
			(void)poll(&(struct pollfd){ .fd = client->fd, .events = POLLOUT }, 1, 100);
			continue;
		}
		if (sent <= 0) {
			client->gone = true;
			break;
		}
		bytes += sent;
		n -= (size_t)sent;
	}
	if (cut && client->said >= cut)
		client->gone = true;
}

static void hear(struct imap_server *server, const char *bytes, size_t n)
{
	pthread_mutex_lock(&server->lock);
	if (server->heard->len + n <= HEARD_MAX)
		buf_add(server->heard, bytes, n);
	pthread_mutex_unlock(&server->lock);
}

static void receive(struct client *client)
{
	char bytes[16384];
	ssize_t n = recv(client->fd, bytes, sizeof bytes, 0);

	if (n <= 0) {
		client->gone = true;
		return;
	}
	hear(client->server, bytes, (size_t)n);
	buf_add(client->in, bytes, (size_t)n);
}

/* The text with its marks filled in. */
static struct buf *fill_in(TALLOC_CTX *mem, const char *say, const char *tag)
{
	struct buf *out = buf_new(mem);

	for (; *say; say++) {
		if (say[0] == '$' && say[1] == 'T')
			buf_puts(out, tag);
		else if (say[0] == '$' && say[1] == '0')
			buf_putc(out, '\0');
		else
			buf_putc(out, *say);
		say += say[0] == '$' && (say[1] == 'T' || say[1] == '0');
	}
	return out;
}

static void say_in_manner(struct client *client, const struct buf *say, const char *again,
			  enum imap_script_then then)
{
	const struct buf *text = say;

	if (again) {
		send_bytes(client, say->data, say->len);
		text = fill_in(client->mem, again, "?");
	}
	switch (then) {
	case IMAP_SCRIPT_GO_ON:
	case IMAP_SCRIPT_CLOSE:
	case IMAP_SCRIPT_HANG:
		send_bytes(client, text->data, text->len);
		break;
	case IMAP_SCRIPT_DRIP:
		for (size_t i = 0; !client->gone && !is_stopping(client->server); i++) {
			send_bytes(client, text->data + i % text->len, 1);
			nap(DRIP_MS);
		}
		break;
	case IMAP_SCRIPT_ENDLESS:
		while (!client->gone)
			send_bytes(client, text->data, text->len);
		break;
	}
	if (then == IMAP_SCRIPT_CLOSE)
		client->gone = true;
	while (then == IMAP_SCRIPT_HANG && !client->gone && !is_stopping(client->server)) {
		struct pollfd fd = { .fd = client->fd, .events = POLLIN };

		if (poll(&fd, 1, TICK_MS) > 0)
			receive(client);
	}
}

/* ---- a good server ---- */

static const struct {
	const char *when, *say;
} good[] = {
	{ "", "* OK [CAPABILITY $C] scripted server ready\r\n" },
	{ "+", "+ go on\r\n" },
	{ "CAPABILITY", "* CAPABILITY $C\r\n$T OK done\r\n" },
	{ "LOGIN", "$T OK [CAPABILITY $C] logged in\r\n" },
	{ "AUTHENTICATE", "$T OK [CAPABILITY $C] logged in\r\n" },
	{ "REPLY", "$T OK [CAPABILITY $C] logged in\r\n" },
	{ "LIST", "* LIST (\\Noselect) \"/\" \"\"\r\n$T OK done\r\n" },
	{ "NAMESPACE", "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n$T OK done\r\n" },
	{ "ID (", "* ID (\"name\" \"Scripted\" \"version\" \"1\")\r\n$T OK done\r\n" },
	{ "SELECT", "* FLAGS (\\Seen)\r\n"
		    "* OK [PERMANENTFLAGS (\\Seen \\Deleted $Mdn \\*)] ok\r\n"
		    "* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 77] ok\r\n"
		    "* OK [UIDNEXT 10] ok\r\n* OK [HIGHESTMODSEQ 900] ok\r\n"
		    "$T OK [READ-WRITE] done\r\n" },
	{ "APPEND", "$T OK [APPENDUID 77 10] done\r\n" },
	{ "UID FETCH", "* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[] {5}\r\nhello)\r\n"
		       "* 2 FETCH (UID 8 FLAGS () BODY[] \"x\")\r\n$T OK done\r\n" },
	{ "UID STORE", "* 1 FETCH (UID 7 FLAGS (\\Deleted))\r\n$T OK done\r\n" },
	{ "IDLE", "+ idling\r\n" },
	{ "DONE", "$T OK idled\r\n" },
	{ "LOGOUT", "* BYE see you\r\n$T OK done\r\n" },
	{ "", "$T OK done\r\n" },
};

/* "$C" first: it does not know the marks of a client's text. */
static char *good_words(struct client *client, const char *command)
{
	const char *caps = client->server->script.caps ? client->server->script.caps : CAPS;
	const char *say = good[COUNT_OF(good) - 1].say;
	struct buf *out = buf_new(client->mem);

	if (!*command)
		say = good[0].say;
	for (size_t i = 1; *command && i + 1 < COUNT_OF(good); i++)
		if (!strncmp(command, good[i].when, strlen(good[i].when))) {
			say = good[i].say;
			break;
		}
	for (; *say; say++) {
		if (say[0] == '$' && say[1] == 'C') {
			buf_puts(out, caps);
			say++;
		} else {
			buf_putc(out, *say);
		}
	}
	return out->data;
}

/* True: it began with "+". */
static bool answer(struct client *client, const char *tag, const char *command)
{
	const struct imap_script *script = &client->server->script;
	const char *say = good_words(client, command);
	enum imap_script_then then = IMAP_SCRIPT_GO_ON;
	const char *again = NULL;
	bool plus;

	for (size_t i = 0; i < script->count; i++) {
		const struct imap_script_row *row = &script->rows[i];

		if (*row->when ? strncmp(command, row->when, strlen(row->when)) : *command)
			continue;
		if (row->times && client->server->used[i] >= row->times)
			continue;
		client->server->used[i]++;
		say = row->say ? row->say : say;
		then = row->then;
		again = row->again;
		break;
	}
	plus = *say == '+';
	say_in_manner(client, fill_in(client->mem, say, tag), again, then);
	if (!strncmp(command, "LOGOUT", strlen("LOGOUT")))
		client->gone = true;
	return plus;
}

/* ---- commands ---- */

/* Reads up to a line end behind FROM; its place, or 0 when the client has gone. */
static size_t line_end(struct client *client, size_t from)
{
	while (!client->gone) {
		char *end = memchr(client->in->data + from, '\n', client->in->len - from);

		if (end)
			return (size_t)(end - client->in->data) + 1;
		receive(client);
	}
	return 0;
}

/* "{5}" or "{5+}" at the end of a line. */
static bool literal_of(const char *line, size_t len, size_t *size_r, bool *sync_r)
{
	char *text = mem_strndup(NULL, line, len), *open = strrchr(text, '{'), *end;
	bool is = false;

	if (open && open[1] >= '0' && open[1] <= '9') {
		*size_r = strtoul(open + 1, &end, 10);
		*sync_r = *end == '}';
		is = !strcmp(end, "}\r\n") || !strcmp(end, "+}\r\n");
	}
	talloc_free(text);
	return is;
}

static void drop(struct client *client, size_t n)
{
	memmove(client->in->data, client->in->data + n, client->in->len - n + 1);
	client->in->len -= n;
}

/* One command with its literals; its length, or 0: gone, or refused at a literal. */
static size_t read_command(struct client *client)
{
	size_t from = 0, end, size = 0;
	bool sync = false;

	for (;;) {
		end = line_end(client, from);
		if (!end || !literal_of(client->in->data + from, end - from, &size, &sync))
			return end;
		if (sync && !answer(client,
				    mem_strndup(client->mem, client->in->data,
						strcspn(client->in->data, " ")),
				    "+")) {
			drop(client, end);
			return 0;
		}
		while (client->in->len < end + size && !client->gone)
			receive(client);
		if (client->gone)
			return 0;
		from = end + size;
	}
}

/* What follows a `+` of AUTHENTICATE: each line is a command "REPLY line". */
static void converse(struct client *client, const char *tag)
{
	size_t n;

	do {
		char *line;

		n = line_end(client, 0);
		if (!n)
			return;
		line = mem_strndup(client->mem, client->in->data, n);
		drop(client, n);
		line[strcspn(line, "\r\n")] = '\0';
		if (!answer(client, tag, mem_printf(client->mem, "REPLY %s", line)))
			return;
	} while (!client->gone);
}

static void serve_command(struct client *client, char **idle_tag)
{
	size_t n = read_command(client);
	char *text, *blank;

	if (!n)
		return;
	text = mem_bytes(client->mem, client->in->data, n);
	drop(client, n);
	text[strcspn(text, "\r\n")] = '\0';
	if (!strcmp(text, "DONE")) {
		(void)answer(client, *idle_tag, text);
		return;
	}
	blank = strchr(text, ' ');
	if (!blank) {
		client->gone = true;
		return;
	}
	*blank = '\0';
	*idle_tag = text;
	if (!strcmp(blank + 1, "AUTHENTICATE PLAIN")) {
		if (!answer(client, text, "+") || !(n = line_end(client, 0)))
			return;
		drop(client, n);
	}
	if (answer(client, text, blank + 1) && text_starts(blank + 1, "AUTHENTICATE"))
		converse(client, text);
}

static void serve(struct imap_server *server, int fd)
{
	struct client client = { .server = server, .fd = fd, .mem = MEM_CONTEXT(NULL) };
	char *tag = mem_strdup(client.mem, "?");
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	client.in = buf_new(client.mem);
	(void)answer(&client, tag, "");
	while (!client.gone)
		serve_command(&client, &tag);
	shutdown(fd, SHUT_WR);
	for (client.gone = false; !client.gone;)
		receive(&client); /* so that what was sent is not thrown away by a reset */
	talloc_free(client.mem);
}

static void *server_loop(void *context)
{
	struct imap_server *server = context;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&server->lock);
		server->client = fd;
		server->said = 0;
		pthread_mutex_unlock(&server->lock);
		if (!is_stopping(server))
			serve(server, fd);
		pthread_mutex_lock(&server->lock);
		server->client = -1;
		pthread_mutex_unlock(&server->lock);
		close(fd);
	}
	return NULL;
}

static int server_end(struct imap_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	if (server->client >= 0)
		shutdown(server->client, SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
	pthread_mutex_destroy(&server->lock);
	talloc_free(server->heard);
	return 0;
}

struct imap_server *imap_server_new(TALLOC_CTX *mem, const struct imap_script *script)
{
	struct imap_server *server = MEM_NEW(mem, struct imap_server);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	server->script = *script;
	server->used = MEM_ARRAY(server, size_t, script->count);
	server->client = -1;
	server->heard = buf_new(NULL);
	pthread_mutex_init(&server->lock, NULL);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&at, sizeof at) ||
	    listen(server->fd, 64) || getsockname(server->fd, (struct sockaddr *)&at, &len) ||
	    pthread_create(&server->thread, NULL, server_loop, server)) {
		perror("scripted IMAP server");
		abort();
	}
	server->port = ntohs(at.sin_port);
	talloc_set_destructor(server, server_end);
	return server;
}

int imap_server_port(const struct imap_server *server)
{
	return server->port;
}

char *imap_server_heard(struct imap_server *server, TALLOC_CTX *mem, size_t *len_r)
{
	char *copy;

	pthread_mutex_lock(&server->lock);
	copy = mem_bytes(mem, server->heard->data, server->heard->len);
	if (len_r)
		*len_r = server->heard->len;
	pthread_mutex_unlock(&server->lock);
	return copy;
}

size_t imap_server_said(struct imap_server *server)
{
	size_t said;

	pthread_mutex_lock(&server->lock);
	said = server->said;
	pthread_mutex_unlock(&server->lock);
	return said;
}
