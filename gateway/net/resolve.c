#include "config.h"

#include "gateway/net/resolve.h"

#include <ares.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/digest.h"
#include "base/text.h"

/* One c-ares channel per look-up, driven by poll() on the caller's thread until both queries have
 * ended or the deadline has come; then what is left is cancelled, which ends it too. So a call
 * never lasts longer than its deadline, which the resolver of the C library does not promise.
 * ares_library_init() is for Windows only. */

#define TRY_MS 1500 /* per name server and attempt; c-ares doubles it with each further one */
#define TRIES 3
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-_."
#define PATH_KEY "path="
/* RFC 1035 section 3.2, RFC 2782 */
#define CLASS_IN 1
#define TYPE_TXT 16
#define TYPE_SRV 33

struct query {
	TALLOC_CTX *mem;
	bool over;
	int status; /* of c-ares */
	struct resolve_service *service;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- pure ---- */

static size_t host_len(const char *host)
{
	size_t len = strlen(host);

	return len && host[len - 1] == '.' ? len - 1 : len;
}

bool resolve_is_within(const char *host, const char *domain)
{
	size_t len = host_len(host), end = host_len(domain);

	if (!end || len < end || strncasecmp(host + len - end, domain, end) != 0)
		return false;
	return len == end || host[len - end - 1] == '.';
}

static void swap(struct resolve_target *a, struct resolve_target *b)
{
	struct resolve_target c = *a;

	*a = *b;
	*b = c;
}

/* The next of COUNT targets of one priority: at random, by weight. */
static size_t choose(const struct resolve_target *targets, size_t count,
		     uint64_t (*random)(void *context, uint64_t bound), void *context)
{
	uint64_t sum = 0, at;
	size_t i = 0;

	for (size_t j = 0; j < count; j++)
		sum += (uint64_t)targets[j].weight;
	if (!sum)
		return (size_t)random(context, count);
	at = random(context, sum);
	while (i + 1 < count && at >= (uint64_t)targets[i].weight)
		at -= (uint64_t)targets[i++].weight;
	return i;
}

void resolve_order(struct resolve_target *targets, size_t count,
		   uint64_t (*random)(void *context, uint64_t bound), void *context)
{
	for (size_t i = 0; i < count; i++) {
		size_t same = 1;

		for (size_t j = i + 1; j < count; j++)
			if (targets[j].priority < targets[i].priority)
				swap(&targets[i], &targets[j]);
		for (size_t j = i + 1; j < count; j++)
			if (targets[j].priority == targets[i].priority)
				swap(&targets[i + same++], &targets[j]);
		swap(&targets[i], &targets[i + choose(targets + i, same, random, context)]);
	}
}

static uint64_t by_chance(void *context, uint64_t bound)
{
	(void)context;
	return digest_random(bound);
}

/* ---- records ---- */

static void take_target(struct query *query, const struct ares_srv_reply *record)
{
	struct resolve_service *service = query->service;
	char *host = text_lower(query->mem, record->host);
	size_t len = host_len(host);

	host[len] = '\0';
	if (!len) {
		service->refused = true;
		return;
	}
	if (len > RESOLVE_HOST_MAX || strspn(host, HOST_CHARS) != len || *host == '-' ||
	    !record->port || service->count == RESOLVE_TARGETS_MAX)
		return;
	service->targets[service->count++] = (struct resolve_target){
		.host = host,
		.port = record->port,
		.priority = record->priority,
		.weight = record->weight,
	};
}

static void take_srv(void *data, int status, int timeouts, unsigned char *answer, int len)
{
	struct query *query = data;
	struct ares_srv_reply *records = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(answer, len, &records);
	query->service->targets = MEM_ARRAY(query->mem, struct resolve_target, RESOLVE_TARGETS_MAX);
	for (const struct ares_srv_reply *record = records; record; record = record->next)
		take_target(query, record);
	if (records)
		ares_free_data(records);
	query->service->refused = query->service->refused && !query->service->count;
	query->status = status;
	query->over = true;
}

static void take_txt(void *data, int status, int timeouts, unsigned char *answer, int len)
{
	struct query *query = data;
	struct ares_txt_ext *records = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = ares_parse_txt_reply_ext(answer, len, &records);
	for (const struct ares_txt_ext *record = records; record; record = record->next) {
		const char *text = (const char *)record->txt;
		size_t key = strlen(PATH_KEY);

		if (!query->service->path && record->length > key &&
		    !strncasecmp(text, PATH_KEY, key) && !memchr(text, '\0', record->length))
			query->service->path =
				mem_strndup(query->mem, text + key, record->length - key);
	}
	if (records)
		ares_free_data(records);
	query->status = status;
	query->over = true;
}

/* ---- the wire ---- */

static void wait_a_while(ares_channel channel, int64_t left_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polls[ARES_GETSOCK_MAXNUM];
	/* its macros for these bits shift a one into the sign */
	unsigned bits = (unsigned)ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
	int ready;
	struct timeval most = { left_ms / 1000, (left_ms % 1000) * 1000 }, next;
	const struct timeval *wait = ares_timeout(channel, &most, &next);
	nfds_t count = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short events = 0;

		if (bits >> i & 1)
			events |= POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			events |= POLLOUT;
		if (events)
			polls[count++] = (struct pollfd){ .fd = sockets[i], .events = events };
	}
	ready = poll(polls, count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
	if (ready <= 0)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (nfds_t i = 0; ready > 0 && i < count; i++)
		if (polls[i].revents)
			ares_process_fd(channel,
					polls[i].revents & POLLOUT ? ARES_SOCKET_BAD : polls[i].fd,
					polls[i].revents & POLLOUT ? polls[i].fd : ARES_SOCKET_BAD);
}

static void ask(ares_channel channel, const char *name, int type, ares_callback take,
		struct query *query, int64_t end_ms)
{
	ares_query(channel, name, CLASS_IN, type, take, query);
	while (!query->over) {
		int64_t left = end_ms - now_ms();

		if (left > 0)
			wait_a_while(channel, left);
		else
			ares_cancel(channel);
	}
}

static struct fault *unanswered(TALLOC_CTX *mem, const char *name, int status)
{
	const char *why = status == ARES_ECANCELLED ? "no answer in time" : ares_strerror(status);

	return fault_new(mem, FAULT_UNREACHABLE,
			 "the name servers do not tell about %s: %s; a whole URL in `url` needs no "
			 "such records",
			 name, why);
}

static struct fault *open_channel(TALLOC_CTX *mem, const struct resolve_dns *dns,
				  ares_channel *channel_r)
{
	struct ares_options options = { .timeout = TRY_MS, .tries = TRIES };
	int status = ares_init_options(channel_r, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (status == ARES_SUCCESS && dns && dns->servers) {
		status = ares_set_servers_ports_csv(*channel_r, dns->servers);
		if (status != ARES_SUCCESS)
			ares_destroy(*channel_r);
	}
	if (status == ARES_SUCCESS)
		return NULL;
	return fault_reaches(
		fault_new(mem, FAULT_TRY_LATER, "no name look-up: %s", ares_strerror(status)),
		FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
}

struct fault *resolve_service(TALLOC_CTX *mem, const char *name, const struct resolve_dns *dns,
			      struct resolve_service *service_r)
{
	int32_t limit = dns && dns->deadline_ms ? dns->deadline_ms : RESOLVE_DEADLINE_MS;
	int64_t end_ms = now_ms() + limit;
	struct resolve_service service = { 0 };
	struct query srv = { .mem = mem, .service = &service }, txt = srv;
	ares_channel channel;

	FAULT_TRY(open_channel(mem, dns, &channel));
	ask(channel, name, TYPE_SRV, take_srv, &srv, end_ms);
	if (srv.status == ARES_SUCCESS && service.count)
		ask(channel, name, TYPE_TXT, take_txt, &txt, end_ms);
	ares_destroy(channel);
	if (srv.status != ARES_SUCCESS && srv.status != ARES_ENODATA &&
	    srv.status != ARES_ENOTFOUND)
		return unanswered(mem, name, srv.status);
	resolve_order(service.targets, service.count, by_chance, NULL);
	*service_r = service;
	return NULL;
}
