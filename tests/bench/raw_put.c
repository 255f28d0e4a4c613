/* raw_put.c - how fast a server takes new items, whoever sends them: N items, each a PUT with
 * If-None-Match: * over one of a few kept connections, each with one request in flight. Plain
 * sockets, nothing kept, nothing understood but the status and the length of an answer.
 *
 * usage: raw_put URL USER:PASSWORD DIRECTORY [CONNECTIONS]
 *
 * Every file of DIRECTORY goes to URL + its name; DIRECTORY is read before the clock starts. Prints
 * "ITEMS SECONDS"; anything but 201 or 204 ends it. Loopback and plain http:// only. */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define ANSWER_MAX 65536 /* bytes, head and body: what a server says to a PUT */
#define CHUNKED ((size_t)-1)

struct item {
	char *request;
	size_t len;
};

struct work {
	struct sockaddr_in address;
	struct item *items;
	size_t count;
	atomic_size_t next;
};

static void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static char *base64(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(text), at = 0;
	char *out = calloc(1, n * 2 + 5);

	for (size_t i = 0; out && i < n; i += 3) {
		unsigned bits = (unsigned)(unsigned char)text[i] << 16;

		if (i + 1 < n)
			bits |= (unsigned)(unsigned char)text[i + 1] << 8;
		if (i + 2 < n)
			bits |= (unsigned char)text[i + 2];
		out[at++] = digits[bits >> 18 & 63];
		out[at++] = digits[bits >> 12 & 63];
		out[at++] = i + 1 < n ? digits[bits >> 6 & 63] : '=';
		out[at++] = i + 2 < n ? digits[bits & 63] : '=';
	}
	return out;
}

static char *read_file(const char *directory, const char *name, size_t *len_r)
{
	char path[4096];
	long size;
	FILE *file;
	char *text;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "re");
	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		die("%s cannot be read", path);
	rewind(file);
	text = calloc(1, (size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
		die("%s cannot be read", path);
	fclose(file);
	*len_r = (size_t)size;
	return text;
}

static void add_item(struct work *work, const char *head, const char *path, const char *directory,
		     const char *name)
{
	size_t len, n;
	char *text = read_file(directory, name, &len), *request = NULL;
	int head_len =
		asprintf(&request,
			 "PUT %s%s HTTP/1.1\r\n%sContent-Type: text/calendar; charset=utf-8\r\n"
			 "If-None-Match: *\r\nContent-Length: %zu\r\n\r\n",
			 path, name, head, len);

	if (head_len < 0)
		die("no memory");
	n = (size_t)head_len;
	request = realloc(request, n + len);
	work->items = realloc(work->items, (work->count + 1) * sizeof *work->items);
	if (!request || !work->items)
		die("no memory");
	memcpy(request + n, text, len);
	work->items[work->count++] = (struct item){ request, n + len };
	free(text);
}

static int connect_to(const struct work *work)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&work->address, sizeof work->address))
		die("no connection");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static void send_all(int fd, const struct item *item)
{
	for (size_t done = 0; done < item->len;) {
		ssize_t n = send(fd, item->request + done, item->len - done, MSG_NOSIGNAL);

		if (n <= 0)
			die("the connection broke while sending");
		done += (size_t)n;
	}
}

/* The length of the body as the head gives it; none: 0. */
static size_t body_length(const char *head)
{
	for (const char *line = head; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncasecmp(line, "Content-Length:", 15))
			return strtoul(line + 15, NULL, 10);
		if (!strncasecmp(line, "Transfer-Encoding:", 18))
			return CHUNKED;
	}
	return 0;
}

/* Of answers that are read before the next request is sent. */
static bool ends_chunks(const char *answer, size_t len)
{
	static const char last[] = "\r\n0\r\n\r\n";
	size_t n = sizeof last - 1;

	return len >= n && !memcmp(answer + len - n, last, n);
}

/* Reads one answer. True: the server closes the connection after it. */
static bool read_answer(int fd)
{
	char answer[ANSWER_MAX + 1];
	size_t len = 0, whole = 0;
	bool closes;

	while (!whole || (whole == CHUNKED ? !ends_chunks(answer, len) : len < whole)) {
		ssize_t n = len < ANSWER_MAX ? recv(fd, answer + len, ANSWER_MAX - len, 0) : 0;
		const char *end;

		if (n <= 0)
			die("the connection broke while reading");
		len += (size_t)n;
		answer[len] = '\0';
		end = whole ? NULL : strstr(answer, "\r\n\r\n");
		if (end)
			whole = body_length(answer);
		if (end && whole != CHUNKED)
			whole += (size_t)(end - answer) + 4;
	}
	if (strncmp(answer + 8, " 201", 4) != 0 && strncmp(answer + 8, " 204", 4) != 0)
		die("refused:\n%s", answer);
	closes = !strncmp(answer, "HTTP/1.0", 8) || strcasestr(answer, "\nConnection: close");
	return closes;
}

static void *run(void *data)
{
	struct work *work = data;
	int fd = connect_to(work);
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->count) {
		send_all(fd, &work->items[i]);
		if (!read_answer(fd))
			continue;
		close(fd);
		fd = connect_to(work);
	}
	close(fd);
	return NULL;
}

static void read_items(struct work *work, const char *url, const char *login, const char *directory)
{
	char host[64] = "", head[1024], path[2048] = "";
	struct dirent *entry;
	int port = 80;
	DIR *dir;

	if (sscanf(url, "http://%63[0-9.]:%d%2047s", host, &port, path) < 3 ||
	    inet_pton(AF_INET, host, &work->address.sin_addr) != 1)
		die("URL is http://ADDRESS:PORT/PATH/");
	work->address.sin_family = AF_INET;
	work->address.sin_port = htons((uint16_t)port);
	snprintf(head, sizeof head, "Host: %s:%d\r\nAuthorization: Basic %s\r\n", host, port,
		 base64(login));
	dir = opendir(directory);
	if (!dir)
		die("%s cannot be read", directory);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_item(work, head, path, directory, entry->d_name);
	closedir(dir);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MAX];
	struct work work = { .count = 0 };
	int count = argc > 4 ? atoi(argv[4]) : 8;
	double start;

	if (argc < 4 || count < 1 || count > CONNECTIONS_MAX)
		die("usage: raw_put URL USER:PASSWORD DIRECTORY [CONNECTIONS]");
	read_items(&work, argv[1], argv[2], argv[3]);
	start = seconds();
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run, &work))
			die("no thread");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%zu %.3f\n", work.count, seconds() - start);
	return 0;
}
