#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/buf.h"

/* Items by address. First calendar-multiget, CALDAV_MULTIGET_MAX at a time and a few at once; then,
 * one by one, what that did not bring: because the server says it is not there (N5: some do so for
 * every address), because the whole answer could not be read (one bad item must not stop the
 * others, N6), or because it has no ETag in it, or two different answers; and, where they are few, because the server tells
 * the time of a change with a GET only (M3 needs it). An item ends in exactly one way: its text, or
 * a fault. What would meet every further request as well (login, connection) ends the whole call.
 */

#define MULTIGETS_AT_ONCE 4 /* they are read while they arrive; two are under way while two are */
#define TIMES_MAX                                                                                  \
	100 /* items whose time is worth a GET each: more at once is a first look, where nothing   \
	       conflicts */
#define GETS_AT_ONCE 32 /* answers in memory: 32 x CALDAV_ITEM_MAX */

struct fetch {
	struct caldav *caldav;
	TALLOC_CTX *work; /* of one call */
	const char *folder;
	struct endpoint_item *items; /* the results; all they point to hangs from them */
	bool *settled, *doubted;
	size_t count;
	bool timed;          /* somebody asks when the items were changed */
	bool asked, answers; /* what was under way last: whether the server answers at all */
};

/* A part of the items, asked for by one REPORT. */
struct chunk {
	struct fetch *fetch;
	size_t from, to;
	struct caldav_reading reading;
};

/* The server's time by our clock. */
static int64_t own_time(const struct http_request *request, int64_t server_us)
{
	int64_t us = server_us;

	if (!us)
		return 0;
	if (request->date_us)
		us += request->answered_us - request->date_us;
	return us > request->answered_us ? request->answered_us : us;
}

/* Some servers tell the DTSTAMP that the item's writer gave it: a client's clock, which is no time
 * (M3). */
static bool tells_own_times(const struct fetch *fetch)
{
	return caldav_does(fetch->caldav, CALDAV_TRAIT_TIMES) ||
	       (!caldav_does_not(fetch->caldav, CALDAV_TRAIT_TIMES) &&
		!strstr(fetch->folder, "/caldav.php/"));
}

static char *item_address(const struct fetch *fetch, TALLOC_CTX *mem, const char *href)
{
	return href_normalise(mem, fetch->folder, fetch->caldav->host, href);
}

/* XML makes every CR LF a single LF; where no CR has come through (escaped), they are put back. */
static char *with_line_ends(TALLOC_CTX *mem, const char *data, size_t len, size_t *len_r)
{
	struct buf *out;

	if (memchr(data, '\r', len)) {
		*len_r = len;
		return mem_bytes(mem, data, len);
	}
	out = buf_new(mem);
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t line = end ? (size_t)(end - data) : len;

		buf_add(out, data, line);
		if (end)
			buf_puts(out, "\r\n");
		data += line + (end != NULL);
		len -= line + (end != NULL);
	}
	return buf_steal(&out, mem, len_r);
}

static void settle_fault(struct fetch *fetch, size_t i, struct fault *fault)
{
	fetch->items[i].fault = talloc_steal(fetch->items, fault);
	fetch->settled[i] = true;
}

static struct fault *too_big(struct fetch *fetch, size_t i)
{
	return fault_reaches(fault_new(fetch->items, FAULT_PROTOCOL, "%s is longer than %zu bytes",
				       fetch->items[i].address, CALDAV_ITEM_MAX),
			     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* What was not answered while the server answers others is the item's, or the answer's for many, and
 * not the server's (N6). Asked once for what was under way together. */
static bool is_own(struct fetch *fetch, const struct caldav_verdict *verdict)
{
	if (verdict->outcome == CALDAV_OUTCOME_AS_TOLD) /* not sent because of such a one */
		return verdict->fault->kind == FAULT_UNREACHABLE && fetch->asked && fetch->answers;
	if (verdict->outcome != CALDAV_OUTCOME_UNANSWERED)
		return false;
	if (!fetch->asked)
		fetch->answers = caldav_answers(fetch->caldav, fetch->folder);
	fetch->asked = true;
	return fetch->answers;
}

/* ---- multiget ---- */

static size_t find_item(const struct chunk *chunk, const char *address)
{
	for (size_t i = chunk->from; i < chunk->to; i++)
		if (!strcmp(chunk->fetch->items[i].address, address))
			return i;
	return chunk->to;
}

/* Two answers for one address: the same again, or neither is believed. */
static void doubt(struct fetch *fetch, size_t i, const struct multistatus_response *response)
{
	struct endpoint_item *item = &fetch->items[i];
	char *version = caldav_version(fetch->work, response->etag);

	if (!item->fault && version && !strcmp(version, item->version))
		return;
	*item = (struct endpoint_item){ .address = item->address };
	fetch->settled[i] = false;
	fetch->doubted[i] = true;
}

static struct fault *take_item(void *context, const struct multistatus_response *response)
{
	struct chunk *chunk = context;
	struct fetch *fetch = chunk->fetch;
	char *address = item_address(fetch, fetch->work, response->href);
	size_t i = address ? find_item(chunk, address) : chunk->to;
	struct endpoint_item *item = &fetch->items[i];

	talloc_free(address);
	if (i == chunk->to || fetch->doubted[i])
		return NULL;
	if (fetch->settled[i]) {
		doubt(fetch, i, response);
		return NULL;
	}
	if (response->data_over) {
		settle_fault(fetch, i, too_big(fetch, i));
		return NULL;
	}
	if (!response->data_len || !response->etag || !*response->etag)
		return NULL;
	item->version = caldav_version(fetch->items, response->etag);
	item->text = with_line_ends(fetch->items, response->data, response->data_len, &item->len);
	if (response->last_modified && tells_own_times(fetch))
		item->modified_us =
			own_time(chunk->reading.answer, http_date_us(response->last_modified));
	caldav_found_item(fetch->caldav, item->address, item->version, item->text, item->len);
	fetch->settled[i] = true;
	return NULL;
}

static struct http_request multiget(const struct fetch *fetch, size_t from, size_t to)
{
	struct buf *body = buf_new(fetch->work);

	buf_puts(body, CALDAV_XML "<C:calendar-multiget " CALDAV_NS
				  "><D:prop><D:getetag/><D:getlastmodified/>"
				  "<C:calendar-data/></D:prop>\n");
	for (size_t i = from; i < to; i++)
		buf_printf(body, "<D:href>%s</D:href>\n",
			   caldav_xml(body, fetch->items[i].address));
	buf_puts(body, "</C:calendar-multiget>\n");
	return caldav_request(fetch->work, "REPORT", fetch->folder, "1", body->data);
}

/* NULL also when nothing of it could be used: single requests follow. Where it could not be read to
 * its end, items that came before that are good: each has a version of its own. */
static struct fault *end_multiget(struct chunk *chunk, struct http_request *request)
{
	struct fetch *fetch = chunk->fetch;
	struct fault *fault = caldav_read_end(&chunk->reading, fetch->work, request, NULL);
	struct caldav_verdict verdict = caldav_judge(fetch->work, request);

	talloc_free(chunk->reading.multistatus);
	if (!fault || verdict.outcome == CALDAV_OUTCOME_READ ||
	    verdict.outcome == CALDAV_OUTCOME_DIRECTLY || is_own(fetch, &verdict))
		return NULL;
	return verdict.fault;
}

static struct fault *fetch_by_multiget(struct fetch *fetch)
{
	size_t at = 0;

	while (at < fetch->count) {
		struct http_request requests[MULTIGETS_AT_ONCE] = { 0 };
		struct chunk chunks[MULTIGETS_AT_ONCE];
		size_t n = 0;

		for (; n < MULTIGETS_AT_ONCE && at < fetch->count; n++) {
			size_t to = fetch->count - at > CALDAV_MULTIGET_MAX
					    ? at + CALDAV_MULTIGET_MAX
					    : fetch->count;

			chunks[n] = (struct chunk){ .fetch = fetch, .from = at, .to = to };
			requests[n] = multiget(fetch, at, to);
			caldav_read(&chunks[n].reading, fetch->work, &requests[n], take_item,
				    &chunks[n]);
			at = to;
		}
		caldav_run(fetch->caldav, fetch->work, requests, n);
		fetch->asked = false;
		for (size_t i = 0; i < n; i++) {
			FAULT_TRY(end_multiget(&chunks[i], &requests[i]));
			talloc_free(requests[i].answer);
		}
	}
	return NULL;
}

/* ---- one by one ---- */

static struct fault *take_get(struct fetch *fetch, size_t i, struct http_request *request)
{
	struct endpoint_item *item = &fetch->items[i];
	struct caldav_verdict verdict = caldav_judge(fetch->items, request);

	if (verdict.fault && is_own(fetch, &verdict))
		verdict.fault->scope = FAULT_SCOPE_ITEM;
	if (verdict.fault && caldav_is_wide(verdict.fault))
		return verdict.fault;
	if (verdict.fault) {
		settle_fault(fetch, i, verdict.fault);
		return NULL;
	}
	item->version = caldav_version(fetch->items, request->etag);
	item->text = mem_bytes(fetch->items, request->answer, request->answer_len);
	item->len = request->answer_len;
	item->modified_us = own_time(request, request->last_modified_us);
	caldav_found_item(fetch->caldav, item->address, item->version, item->text, item->len);
	fetch->settled[i] = true;
	talloc_free(request->answer);
	return NULL;
}

static struct fault *fetch_by_get(struct fetch *fetch)
{
	size_t at = 0;

	while (at < fetch->count) {
		struct http_request requests[GETS_AT_ONCE] = { 0 };
		size_t which[GETS_AT_ONCE], n = 0;

		for (; n < GETS_AT_ONCE && at < fetch->count; at++) {
			if (fetch->settled[at])
				continue;
			requests[n] = caldav_request(fetch->work, "GET", fetch->items[at].address,
						     NULL, NULL);
			requests[n].body_max = CALDAV_ITEM_MAX;
			which[n++] = at;
		}
		if (n)
			caldav_run(fetch->caldav, fetch->work, requests, n);
		fetch->asked = false;
		for (size_t i = 0; i < n; i++)
			FAULT_TRY(take_get(fetch, which[i], &requests[i]));
	}
	return NULL;
}

static size_t settled_count(const struct fetch *fetch)
{
	size_t n = 0;

	for (size_t i = 0; i < fetch->count; i++)
		n += fetch->settled[i];
	return n;
}

static bool any_text(const struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->count; i++)
		if (fetch->items[i].text)
			return true;
	return false;
}

/* Marks what came without a time for a GET. */
static void ask_times(struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->count; i++) {
		struct endpoint_item *item = &fetch->items[i];

		if (!item->text || item->modified_us)
			continue;
		*item = (struct endpoint_item){ .address = item->address };
		fetch->settled[i] = false;
		caldav_found(fetch->caldav, CALDAV_TRAIT_TIMES, false);
	}
}

/* Whether items were read and none of them came with a time, though each was asked for by GET. */
static bool is_timeless(const struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->count; i++)
		if (fetch->items[i].modified_us)
			return false;
	return any_text(fetch);
}

static struct fault *fetch_all(struct fetch *fetch)
{
	bool few = fetch->timed && fetch->count <= TIMES_MAX && !fetch->caldav->timeless,
	     by_multiget, brought_nothing;

	by_multiget = !caldav_does_not(fetch->caldav, CALDAV_TRAIT_MULTIGET) &&
		      !(few && caldav_does_not(fetch->caldav, CALDAV_TRAIT_TIMES));
	if (by_multiget)
		FAULT_TRY(fetch_by_multiget(fetch));
	brought_nothing = by_multiget && !settled_count(fetch);
	if (few)
		ask_times(fetch);
	FAULT_TRY(fetch_by_get(fetch));
	fetch->caldav->timeless = fetch->caldav->timeless || (few && is_timeless(fetch));
	if (brought_nothing && any_text(fetch)) /* it finds nothing that is there */
		caldav_found(fetch->caldav, CALDAV_TRAIT_MULTIGET, false);
	return NULL;
}

static struct fault *read_items(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *const *addresses, size_t count, bool timed,
				struct endpoint_item **items_r)
{
	struct fetch fetch = { .caldav = (struct caldav *)endpoint,
			       .folder = folder,
			       .count = count,
			       .timed = timed };
	struct fault *fault;

	fetch.work = MEM_CONTEXT(mem);
	fetch.items = MEM_ARRAY(mem, struct endpoint_item, count);
	fetch.settled = MEM_ARRAY(fetch.work, bool, count);
	fetch.doubted = MEM_ARRAY(fetch.work, bool, count);
	for (size_t i = 0; i < count; i++)
		fetch.items[i].address = mem_strdup(fetch.items, addresses[i]);
	fault = fetch_all(&fetch);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(fetch.items);
	} else {
		*items_r = fetch.items;
	}
	talloc_free(fetch.work);
	return fault;
}

struct fault *caldav_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   const char *const *addresses, size_t count,
			   struct endpoint_item **items_r)
{
	return read_items(endpoint, mem, folder, addresses, count, true, items_r);
}

struct fault *caldav_read_back(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       const char *const *addresses, size_t count,
			       struct endpoint_item **items_r)
{
	return read_items(endpoint, mem, folder, addresses, count, false, items_r);
}
