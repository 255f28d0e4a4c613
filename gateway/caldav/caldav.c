#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

/* The endpoint and its requests. Every request goes out at caldav_send(), which puts the origin
 * before the address; every answer's meaning is decided by caldav_judge(), after the table of
 * caldav_outcome.h. Nothing is repeated here but what a redirect refused: when to try again is the
 * caller's business. */

#define ITEM_NAME_MAX                                                                              \
	200 /* bytes of an item's name without ".ics": safe on all servers (facts/servers.md) */

_Static_assert(MULTISTATUS_DATA_MAX == CALDAV_ITEM_MAX,
	       "one bound for an item, however it is read");

struct http_request caldav_request(TALLOC_CTX *mem, const char *method, const char *path,
				   const char *depth, const char *body)
{
	const char **headers = MEM_ARRAY(mem, const char *, 3);
	struct http_request request = { .method = method, .url = path, .headers = headers };
	size_t n = 0;

	if (depth)
		headers[n++] = mem_printf(mem, "Depth: %s", depth);
	if (body) {
		headers[n++] = "Content-Type: application/xml; charset=utf-8";
		request.body = body;
		request.body_len = strlen(body);
	}
	return request;
}

static void learn(struct caldav *caldav, const struct http_request *request)
{
	if (request->server && !caldav->server && request->status < 400)
		caldav->server = mem_strdup(caldav, request->server);
}

bool caldav_does(const struct caldav *caldav, enum caldav_trait trait)
{
	return caldav->traits.answer[trait] == CALDAV_YES;
}

bool caldav_does_not(const struct caldav *caldav, enum caldav_trait trait)
{
	return caldav->traits.answer[trait] == CALDAV_NO;
}

/* Each request has a fault of its own: what becomes of it is the caller's business. */
static struct fault *copy_of(TALLOC_CTX *mem, const struct fault *fault)
{
	struct fault *own = MEM_NEW(mem, struct fault);

	*own = *fault;
	own->text = mem_strdup(own, fault->text);
	return own;
}

static void refuse_all(struct http_request *requests, size_t count, TALLOC_CTX *mem,
		       const struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		requests[i].fault = copy_of(mem, fault);
}

/* The requests with the origin before their addresses. */
static struct http_request *complete(struct caldav *caldav, TALLOC_CTX *mem,
				     const struct http_request *requests, size_t count)
{
	struct http_request *sent = MEM_ARRAY(mem, struct http_request, count);

	for (size_t i = 0; i < count; i++) {
		sent[i] = requests[i];
		sent[i].url = mem_printf(sent, "%s%s", caldav->origin, requests[i].url);
		if (!sent[i].deadline_ms)
			sent[i].deadline_ms = caldav->deadline_ms;
	}
	return sent;
}

/* What came back, with the addresses as before. */
static void take_back(struct caldav *caldav, const struct http_request *sent,
		      struct http_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *address = requests[i].url;

		requests[i] = sent[i];
		requests[i].url = address;
		if (!requests[i].fault)
			learn(caldav, &requests[i]);
	}
}

static void send_once(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests,
		      size_t count)
{
	struct http_request *sent = complete(caldav, mem, requests, count);

	http_run(caldav->http, mem, &caldav->site, sent, count);
	take_back(caldav, sent, requests, count);
	talloc_free(sent);
}

/* True when the host has got none of them. */
static bool is_silent(const struct http_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!requests[i].fault || requests[i].fault->kind != FAULT_UNREACHABLE ||
		    requests[i].sent)
			return false;
	return count > 0;
}

void caldav_send(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests,
		 size_t count)
{
	struct fault *fault = caldav_where(caldav, mem);

	if (fault) {
		refuse_all(requests, count, mem, fault);
		talloc_free(fault);
		return;
	}
	do
		send_once(caldav, mem, requests, count);
	while (is_silent(requests, count) && caldav_where_next(caldav, mem));
}

static bool is_redirected(const struct http_request *request)
{
	return !request->fault && request->status >= 300 && request->status < 400;
}

/* Where it leads nobody serves us: perhaps to a page for people while the server is being looked
 * after, so that the account is tried again. */
static void refuse_redirected(struct http_request *request, struct fault *fault)
{
	if (fault->kind == FAULT_PROTOCOL)
		fault_reaches(fault, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY);
	request->fault = fault;
	request->sent = false;
}

/* A redirected request has not been carried out, so that even one that writes may go again. */
static void follow_redirects(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests,
			     size_t count)
{
	struct fault *fault = NULL;
	const char *before;
	size_t redirected = 0;

	for (size_t i = 0; i < count; i++)
		redirected += is_redirected(&requests[i]);
	if (!redirected || (caldav->discovered && !caldav->remembered))
		return;
	before = mem_strdup(mem, caldav->origin);
	caldav_where_forget(caldav);
	fault = caldav_discover(caldav, mem);
	for (size_t i = 0; i < count; i++) {
		if (!is_redirected(&requests[i]))
			continue;
		if (fault)
			refuse_redirected(&requests[i], copy_of(mem, fault));
		else if (strcmp(before, caldav->origin))
			caldav_send(caldav, mem, &requests[i], 1);
	}
}

void caldav_run(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *requests, size_t count)
{
	caldav_send(caldav, mem, requests, count);
	follow_redirects(caldav, mem, requests, count);
}

struct caldav_sending {
	struct caldav *caldav;
	struct http_request *requests, *sent;
	size_t count;
	struct http_sending *sending; /* NULL: nothing was sent */
};

struct caldav_sending *caldav_begin(struct caldav *caldav, TALLOC_CTX *mem,
				    struct http_request *requests, size_t count)
{
	struct caldav_sending *sending = MEM_NEW(mem, struct caldav_sending);
	struct fault *fault = caldav_where(caldav, mem);

	*sending = (struct caldav_sending){ caldav, requests, NULL, count, NULL };
	if (fault) {
		refuse_all(requests, count, mem, fault);
		talloc_free(fault);
		return sending;
	}
	sending->sent = complete(caldav, sending, requests, count);
	sending->sending =
		http_send(caldav->http, sending->sent, &caldav->site, sending->sent, count);
	return sending;
}

void caldav_end(struct caldav_sending *sending, TALLOC_CTX *mem)
{
	struct caldav *caldav = sending->caldav;
	struct http_request *requests = sending->requests;
	size_t count = sending->count;

	if (sending->sending) {
		http_wait(sending->sending, mem);
		take_back(caldav, sending->sent, requests, count);
		if (is_silent(requests, count) && caldav_where_next(caldav, mem))
			caldav_send(caldav, mem, requests, count);
		follow_redirects(caldav, mem, requests, count);
	}
	talloc_free(sending);
}

static struct fault *feed(void *context, const struct http_request *request, const char *data,
			  size_t len)
{
	struct caldav_reading *reading = context;

	reading->answer = request;
	reading->fault = multistatus_feed(reading->multistatus, data, len);
	return reading->fault;
}

void caldav_read(struct caldav_reading *reading, TALLOC_CTX *mem, struct http_request *request,
		 multistatus_each *each, void *context)
{
	*reading = (struct caldav_reading){ .multistatus = multistatus_new(mem, each, context) };
	request->take = feed;
	request->take_context = reading;
	request->take_status = 207;
}

/* Of a text that cannot be read the server's part is over and done: it has answered 207. */
struct fault *caldav_read_end(struct caldav_reading *reading, TALLOC_CTX *mem,
			      struct http_request *request, char **token_r)
{
	struct fault *fault = reading->fault;

	if (fault && request->fault == fault) {
		request->fault = NULL;
		request->answer = mem_strdup(mem, "");
		request->answer_len = 0;
	} else {
		FAULT_TRY(caldav_fault(mem, request));
		fault = multistatus_end(reading->multistatus, mem, token_r);
		if (fault)
			fault_prefix(fault, "%s %s: ", request->method, request->url);
	}
	return fault;
}

struct fault *caldav_ask(struct caldav *caldav, TALLOC_CTX *mem, struct http_request *request,
			 multistatus_each *each, void *context, char **token_r)
{
	struct caldav_reading reading;
	struct fault *fault;

	caldav_read(&reading, mem, request, each, context);
	caldav_run(caldav, mem, request, 1);
	fault = caldav_read_end(&reading, mem, request, token_r);
	talloc_free(reading.multistatus);
	return fault;
}

char *caldav_version(TALLOC_CTX *mem, const char *etag)
{
	char *version = etag ? text_trim(mem, etag) : NULL;

	if (!version || !*version)
		return NULL;
	if (*version == '"' || text_starts(version, "W/"))
		return version;
	return mem_printf(mem, "\"%s\"", version);
}

char *caldav_xml(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (const char *c = text; *c; c++) {
		const char *entity = text_entity(*c);

		if (entity)
			buf_puts(out, entity);
		else
			buf_putc(out, (unsigned char)*c < 0x20 ? ' ' : *c);
	}
	return buf_steal(&out, mem, NULL);
}

static bool is_safe_name(const char *uid)
{
	size_t len =
		strspn(uid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@");

	return len && !uid[len] && len <= ITEM_NAME_MAX && *uid != '.';
}

static char *caldav_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *uid)
{
	char *name =
		is_safe_name(uid) ? href_segment(mem, uid) : digest_sha256(mem, uid, strlen(uid));
	char *parent = href_collection(mem, folder);
	char *address = mem_printf(mem, "%s%s.ics", parent, name);

	(void)endpoint;
	talloc_free(parent);
	talloc_free(name);
	return address;
}

static void caldav_stats(struct endpoint *endpoint, struct endpoint_stats *stats_r)
{
	const struct http_stats *stats = &((struct caldav *)endpoint)->stats;

	*stats_r = (struct endpoint_stats){ .requests = stats->requests,
					    .writes = stats->writes,
					    .connections = stats->connections,
					    .sent_bytes = stats->sent_bytes,
					    .received_bytes = stats->received_bytes };
}

static void caldav_know(struct endpoint *endpoint, const char *traits)
{
	struct caldav *caldav = (struct caldav *)endpoint;

	caldav_traits_read(traits, &caldav->traits);
	caldav->told = caldav->traits;
}

static char *caldav_news(struct endpoint *endpoint, TALLOC_CTX *mem)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	char *news;

	if (caldav->server)
		caldav_traits_name(&caldav->traits, caldav->server);
	news = caldav_traits_news(mem, &caldav->told, &caldav->traits);
	caldav->told = caldav->traits;
	if (*news)
		return news;
	talloc_free(news);
	return NULL;
}

static const struct endpoint_ops caldav_ops = {
	.kind = "caldav",
	.probe = caldav_doctor_probe,
	.ensure = caldav_folder_ensure,
	.whole_site = caldav_whole_site,
	.whole_make = caldav_whole_make,
	.notice = caldav_notice,
	.fetch = caldav_fetch,
	.read_back = caldav_read_back,
	.put = caldav_write_put,
	.put_begin = caldav_write_begin,
	.put_end = caldav_write_end,
	.remove = caldav_write_remove,
	.address = caldav_address,
	.advance = caldav_advance,
	.doubt = caldav_doubt,
	.may_read = caldav_may_read,
	.place = caldav_place,
	.sweep = caldav_sweep,
	.attaches = caldav_files_attaches,
	.attach = caldav_files_attach,
	.download = caldav_files_download,
	.learn = caldav_probe_learn,
	.know = caldav_know,
	.traits = caldav_news,
	.stats = caldav_stats,
};

struct endpoint *caldav_new(TALLOC_CTX *mem, struct http *http, struct clock *clock,
			    const struct caldav_account *account)
{
	struct caldav *caldav = MEM_NEW(mem, struct caldav);

	caldav->endpoint.ops = &caldav_ops;
	caldav->http = http;
	caldav->clock = clock;
	caldav->points = account->points;
	caldav->site.tls_ca = mem_strdup(caldav, account->tls_ca);
	caldav->site.tls_cert = mem_strdup(caldav, account->tls_cert);
	caldav->site.tls_key = mem_strdup(caldav, account->tls_key);
	caldav->site.tls_pin = mem_strdup(caldav, account->tls_pin);
	caldav->site.auth = account->auth;
	caldav->site.renew = account->renew;
	caldav->site.renew_context = account->renew_context;
	caldav->site.user = mem_strdup(caldav, account->user);
	caldav->site.password = account->password;
	caldav->site.stats = &caldav->stats;
	caldav->deadline_ms = account->deadline_ms;
	caldav_where_init(caldav, account);
	return &caldav->endpoint;
}
