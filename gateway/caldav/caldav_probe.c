#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

/* What a server does, found by trying it.
 *
 * 1. Everything is tried in two collections made for that purpose in the account's home, PREFIX +
 * time + random digits, with a display name that says so. Nothing else is ever written to.
 * 2. They are removed however the probe ends. What a crash leaves behind is known by its name, and
 * removed by a later probe when it is older than LEFT_US: until then it may be another process's.
 * 3. A trait is only set by an answer that can mean nothing else; else it stays unknown.
 * 4. Requests go out one after the other, each with a deadline of its own; the probe ends early after
 * a few that were not answered, when the server asks to be left alone, and when its time is over.
 *
 * The steps of the table below are done in their order; each relies on what those above it have left
 * in the collection. About 35 requests. */

#define PREFIX "taskferry-probe-"
#define NAME_DIGITS 16 /* seconds since 1970, and as many random digits, eight each */
#define LEFT_US (3600 * CLOCK_SECOND_US) /* far more than a probe takes */
#define LEFT_MAX 8                       /* removed at once; the rest by the next probe */
#define REQUEST_MS 10000 /* most answers take milliseconds; one more time-out is no news */
#define PROBE_US (60 * CLOCK_SECOND_US) /* a job waits for it */
#define STAMP_US                                                                                   \
	(INT64_C(1767258000) * CLOCK_SECOND_US) /* 2026-01-01T09:00:00Z, see caldav_sample.c */
#define SILENT_MAX 3 /* requests without an answer: one may be a crash over an odd request */
#define CONNECTION_REQUESTS 3 /* a connection that serves as many stays open; refusals close some */
#define CONNECTION_REQUESTS_MIN 16 /* fewer tell nothing */
#define SAME_SECOND_TRIES 4        /* to do two things in one second of the server's clock */
#define STRANGE_TOKEN "http://taskferry.invalid/never-given"
#define STRANGE_VERSION "\"taskferry-never-given\""

/* What moves, or does not, with a write; with the server's time when it was told. */
struct marks {
	const char *version, *ctag;
	char *token;
	int64_t version_us, ctag_us, token_us;
	int64_t own_us; /* when it was written, by our clock */
};

struct probe {
	struct caldav *caldav;
	TALLOC_CTX *mem;
	struct caldav_traits *traits; /* what is found */
	int64_t until_us;
	int silent;
	bool ended;
	struct fault *fault; /* what ended it, where any other request would meet it as well */
	char *stem;          /* of UIDs and names: random */
	char *names[2];
	char *folder, *second; /* their addresses */
	char *item;            /* address of the item that is written again and again; NULL: none */
	char *text;            /* as it was put last */
	bool second_item;      /* there is one */
	int edition;
	const char *older; /* a version of the item that it has no more */
	struct marks marks;
	int64_t before_us;         /* when it was written before the last write, by our clock */
	bool moved[CALDAV_TRAITS]; /* a mark moved with the write before the last */
};

static void find(struct probe *probe, enum caldav_trait trait, bool yes)
{
	probe->traits->answer[trait] = yes ? CALDAV_YES : CALDAV_NO;
}

static bool does(const struct probe *probe, enum caldav_trait trait)
{
	return probe->traits->answer[trait] == CALDAV_YES;
}

static bool lacks(const struct probe *probe, enum caldav_trait trait)
{
	return probe->traits->answer[trait] == CALDAV_NO;
}

/* ---- requests ---- */

static bool asks_for_rest(const struct http_request *request)
{
	return request->status == 429 || request->status == 503;
}

/* (4) True when there is an answer. */
static bool send(struct probe *probe, struct http_request *request)
{
	if (probe->ended)
		return false;
	request->body_max = request->body_max ? request->body_max : CALDAV_ITEM_MAX;
	caldav_send(probe->caldav, probe->mem, request, 1);
	if (request->fault && ++probe->silent == SILENT_MAX)
		probe->ended = true;
	if (request->fault && request->fault->kind == FAULT_TRY_LATER)
		probe->fault = request->fault;
	if (!request->fault && request->status == 401)
		probe->fault = caldav_fault(probe->mem, request);
	if (probe->fault || (!request->fault && asks_for_rest(request)) ||
	    clock_now_us(probe->caldav->clock) > probe->until_us)
		probe->ended = true;
	return !request->fault && !probe->fault;
}

/* 0: no answer. */
static int send_status(struct probe *probe, struct http_request *request)
{
	if (!send(probe, request))
		return 0;
	talloc_free(caldav_fault(probe->mem, request)); /* the status inside of a 207 */
	return request->status;
}

static bool is_done(int status)
{
	return status >= 200 && status < 300;
}

static bool is_refused(int status)
{
	return status >= 400 && status < 500;
}

/* Sends a request for a multistatus; the status, 0 where it cannot be read. */
static int ask(struct probe *probe, struct http_request *request, multistatus_each *each,
	       void *context, char **token_r)
{
	struct fault *fault;

	if (!send(probe, request))
		return 0;
	if (request->status != 207)
		return request->status;
	fault = multistatus_read(probe->mem, request->answer, request->answer_len, each, context,
				 token_r);
	talloc_free(fault);
	return fault ? 0 : 207;
}

static struct http_request put_request(struct probe *probe, const char *address,
				       const char *condition, const char *text)
{
	const char **headers = MEM_ARRAY(probe->mem, const char *, 3);

	headers[0] = condition;
	headers[1] = "Content-Type: text/calendar; charset=utf-8";
	return (struct http_request){ .method = "PUT",
				      .url = address,
				      .headers = headers,
				      .body = text,
				      .body_len = strlen(text),
				      .writes = true };
}

static struct http_request write_request(struct probe *probe, const char *method,
					 const char *address, const char *header)
{
	const char **headers = MEM_ARRAY(probe->mem, const char *, 3);

	headers[0] = header;
	return (struct http_request){
		.method = method, .url = address, .headers = headers, .writes = true
	};
}

/* ---- items ---- */

static char *calendar(TALLOC_CTX *mem, const char *uid, int edition)
{
	return caldav_sample_calendar(mem, caldav_sample_todo(mem, uid, edition));
}

static char *uid_of(struct probe *probe, const char *name)
{
	return mem_printf(probe->mem, "%s-%s", probe->stem, name);
}

static char *address_of(struct probe *probe, const char *folder, const char *name)
{
	return mem_printf(probe->mem, "%s%s-%s.ics", folder, probe->stem, name);
}

static const char *if_match(struct probe *probe, const char *version)
{
	return version ? mem_printf(probe->mem, "If-Match: %s",
				    text_starts(version, "W/") ? version + 2 : version)
		       : NULL;
}

/* Reads the item: its version, and whether it is what was put. */
static int get_item(struct probe *probe, struct http_request *request_r)
{
	*request_r = caldav_request(probe->mem, "GET", probe->item, NULL, NULL);
	return send(probe, request_r) ? request_r->status : 0;
}

/* Puts the item again, otherwise than before. */
static int put_item(struct probe *probe, const char *condition)
{
	char *text = calendar(probe->mem, uid_of(probe, "a"), ++probe->edition);
	struct http_request request = put_request(probe, probe->item, condition, text), get;
	int64_t began_us = clock_now_us(probe->caldav->clock);
	int status = send_status(probe, &request);

	if (!is_done(status))
		return status;
	probe->text = text;
	probe->marks.own_us = began_us;
	probe->older = probe->marks.version;
	probe->marks.version = caldav_version(probe->mem, request.etag);
	probe->marks.version_us = request.date_us;
	if (probe->marks.version)
		return status;
	find(probe, CALDAV_TRAIT_STRONG_ETAG, false);
	if (get_item(probe, &get) == 200)
		probe->marks.version = caldav_version(probe->mem, get.etag);
	return status;
}

/* ---- the home: what the server says of itself, and what was left behind ---- */

static const char what_is_home[] = CALDAV_XML
	"<D:propfind " CALDAV_NS
	"><D:prop><D:resourcetype/><D:current-user-privilege-set/></D:prop></D:propfind>\n";

struct home {
	struct probe *probe;
	bool privileges;
	char *left[LEFT_MAX];
	size_t left_count;
};

/* (2) */
static bool is_left(const struct probe *probe, const char *address)
{
	const char *home = probe->caldav->home, *digits;
	char seconds[9] = "";
	int64_t made_us;

	if (!text_starts(address, home) || !text_starts(address + strlen(home), PREFIX))
		return false;
	digits = address + strlen(home) + strlen(PREFIX);
	if (strspn(digits, "0123456789abcdef") != NAME_DIGITS ||
	    (digits[NAME_DIGITS] && strcmp(digits + NAME_DIGITS, "/")))
		return false;
	memcpy(seconds, digits, 8);
	made_us = (int64_t)strtoull(seconds, NULL, 16) * CLOCK_SECOND_US;
	return made_us + LEFT_US < clock_now_us(probe->caldav->clock);
}

static struct fault *take_home(void *context, const struct multistatus_response *response)
{
	struct home *home = context;
	struct probe *probe = home->probe;
	char *address = href_normalise(probe->mem, probe->caldav->home, probe->caldav->host,
				       response->href);

	home->privileges = home->privileges || response->privileges;
	if (address && home->left_count < LEFT_MAX && is_left(probe, address))
		home->left[home->left_count++] = href_collection(probe->mem, address);
	return NULL;
}

static void look_at_home(struct probe *probe)
{
	struct http_request options =
		caldav_request(probe->mem, "OPTIONS", probe->caldav->home, NULL, NULL);
	struct http_request list =
		caldav_request(probe->mem, "PROPFIND", probe->caldav->home, "1", what_is_home);
	struct home home = { .probe = probe };

	if (send(probe, &options) && options.dav)
		probe->caldav->dav = mem_strdup(probe->caldav, options.dav);
	list.body_max = HTTP_BODY_MAX;
	if (ask(probe, &list, take_home, &home, NULL) == 207)
		find(probe, CALDAV_TRAIT_PRIVILEGES, home.privileges);
	for (size_t i = 0; i < home.left_count && !probe->ended; i++)
		(void)caldav_folder_remove(probe->caldav, probe->mem, home.left[i]);
}

/* ---- the collection ---- */

static struct fault *make_folder(struct probe *probe, const char *path, bool *made_r)
{
	struct endpoint_folder folder = {
		.path = path, .display = "taskferry trial of this server - may be deleted"
	};
	char *address;

	return caldav_folder_ensure(&probe->caldav->endpoint, probe->mem, &folder, NULL, &address,
				    made_r);
}

static const char what_is_folder[] = CALDAV_XML
	"<D:propfind " CALDAV_NS "><D:prop><D:resourcetype/><S:getctag/><D:sync-token/>"
	"<D:supported-report-set/><D:current-user-privilege-set/>"
	"<C:supported-calendar-component-set/><C:max-resource-size/></D:prop></D:propfind>\n";

static struct fault *take_folder(void *context, const struct multistatus_response *response)
{
	struct probe *probe = context;
	int64_t size;

	find(probe, CALDAV_TRAIT_COMPONENTS,
	     response->components && response->todo && !response->others);
	find(probe, CALDAV_TRAIT_PRIVILEGES, response->privileges);
	if (response->max_size && text_to_int(response->max_size, &size) && size > 0)
		probe->traits->item_max = size;
	if (!response->ctag)
		find(probe, CALDAV_TRAIT_CTAG, false);
	return NULL;
}

static void look_at_folder(struct probe *probe)
{
	struct http_request request =
		caldav_request(probe->mem, "PROPFIND", probe->folder, "0", what_is_folder);

	(void)ask(probe, &request, take_folder, probe, NULL);
}

/* ---- lists, and how fine their marks are ---- */

struct list {
	struct probe *probe;
	size_t items;
	bool has_item, has_data, truncated;
	const char *ctag;
};

static struct fault *take_list(void *context, const struct multistatus_response *response)
{
	struct list *list = context;
	struct probe *probe = list->probe;
	char *address =
		href_normalise(probe->mem, probe->folder, probe->caldav->host, response->href);
	bool there = response->etag && *response->etag;

	list->truncated = list->truncated || response->status == 507;
	if (response->ctag)
		list->ctag = mem_strdup(probe->mem, response->ctag);
	list->has_data = list->has_data || response->data_len > 0;
	list->items += there;
	if (address && probe->item && !strcmp(address, probe->item))
		list->has_item = list->has_item || there;
	return NULL;
}

static int sync_list(struct probe *probe, const char *token, const char *limit, bool data,
		     struct list *list_r, char **token_r, struct http_request *request_r)
{
	char *body = mem_printf(
		probe->mem,
		CALDAV_XML "<D:sync-collection " CALDAV_NS
			   "><D:sync-token>%s</D:sync-token><D:sync-level>1</D:sync-level>"
			   "%s<D:prop><D:getetag/>%s</D:prop></D:sync-collection>\n",
		caldav_xml(probe->mem, token), limit, data ? "<C:calendar-data/>" : "");

	*list_r = (struct list){ .probe = probe };
	*request_r = caldav_request(probe->mem, "REPORT", probe->folder, "0", body);
	return ask(probe, request_r, take_list, list_r, token_r);
}

static void ask_ctag(struct probe *probe, struct marks *marks)
{
	static const char body[] =
		CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><S:getctag/></D:prop></D:propfind>\n";
	struct http_request request =
		caldav_request(probe->mem, "PROPFIND", probe->folder, "0", body);
	struct list list = { .probe = probe };

	if (lacks(probe, CALDAV_TRAIT_CTAG) || ask(probe, &request, take_list, &list, NULL) != 207)
		return;
	marks->ctag = list.ctag;
	marks->ctag_us = request.date_us;
}

static bool is_no_report(int status)
{
	return status == 501 || (is_refused(status) && status != 404 && status != 423);
}

/* Creates the item and lists it. False: nothing more can be tried. */
static bool first_item(struct probe *probe)
{
	struct http_request request;
	struct list list;
	int status;

	probe->item = address_of(probe, probe->folder, "a");
	if (!is_done(put_item(probe, "If-None-Match: *"))) {
		probe->item = NULL;
		return false;
	}
	status = sync_list(probe, "", "", true, &list, &probe->marks.token, &request);
	probe->marks.token_us = request.date_us;
	if (status == 207 && list.has_item && probe->marks.token)
		find(probe, CALDAV_TRAIT_SYNC_DATA, list.has_data);
	else if (status == 207 || is_no_report(status))
		find(probe, CALDAV_TRAIT_SYNC, false);
	ask_ctag(probe, &probe->marks);
	return true;
}

static bool same_second(int64_t a_us, int64_t b_us)
{
	return a_us && b_us && a_us / CLOCK_SECOND_US == b_us / CLOCK_SECOND_US;
}

/* (3) That a mark is another one says something only when both are of the same second: by the
 * server's clock (WITHIN), or when it was another one twice within a second of ours (SOON), in which
 * the server's can have begun a new second once. */
static void judge_mark(struct probe *probe, enum caldav_trait trait, const char *was,
		       const char *now, bool within, bool soon)
{
	if (!was || !now || lacks(probe, trait))
		return;
	if (!strcmp(was, now))
		find(probe, trait, false);
	else if (within || (soon && probe->moved[trait]))
		find(probe, trait, true);
	probe->moved[trait] = strcmp(was, now) != 0;
}

/* Whatever was listed once and is not listed after another write is lost for who relies on it. */
static void ask_changes(struct probe *probe, const struct marks *was)
{
	struct http_request request;
	struct list list;
	char *token = NULL;

	if (!was->token || lacks(probe, CALDAV_TRAIT_SYNC) ||
	    sync_list(probe, was->token, "", false, &list, &token, &request) != 207)
		return;
	find(probe, CALDAV_TRAIT_SYNC, list.has_item && token);
	probe->marks.token = token;
	probe->marks.token_us = request.date_us;
}

static bool knows(const struct probe *probe, enum caldav_trait trait)
{
	return does(probe, trait) || lacks(probe, trait);
}

/* One more write. True when there is nothing more to learn of marks. */
static bool write_again(struct probe *probe)
{
	struct marks was = probe->marks;
	bool soon;

	if (!is_done(put_item(probe, if_match(probe, was.version))))
		return true;
	ask_changes(probe, &was);
	ask_ctag(probe, &probe->marks);
	soon = clock_now_us(probe->caldav->clock) - probe->before_us < CLOCK_SECOND_US;
	judge_mark(probe, CALDAV_TRAIT_FINE_ETAG, was.version, probe->marks.version,
		   same_second(was.version_us, probe->marks.version_us), soon);
	judge_mark(probe, CALDAV_TRAIT_CTAG, was.ctag, probe->marks.ctag,
		   same_second(was.ctag_us, probe->marks.ctag_us), soon);
	probe->before_us = was.own_us;
	return knows(probe, CALDAV_TRAIT_FINE_ETAG) && knows(probe, CALDAV_TRAIT_CTAG);
}

static void try_marks(struct probe *probe)
{
	for (int i = 0; i < SAME_SECOND_TRIES && !write_again(probe) && !probe->ended; i++)
		;
}

/* ---- what comes back ---- */

static void try_reading(struct probe *probe)
{
	struct http_request get;
	char *version;

	if (get_item(probe, &get) != 200)
		return;
	version = caldav_version(probe->mem, get.etag);
	find(probe, CALDAV_TRAIT_KEEPS_BYTES, !strcmp(get.answer, probe->text));
	find(probe, CALDAV_TRAIT_KEEPS_LINES, caldav_same_content(probe->text, get.answer));
	if (!lacks(probe, CALDAV_TRAIT_STRONG_ETAG))
		find(probe, CALDAV_TRAIT_STRONG_ETAG,
		     version && *version == '"' && text_same(version, probe->marks.version));
	probe->marks.version = version;
}

struct got {
	struct probe *probe;
	bool found, timed;
};

/* A time that stands in the item's own text, and so is none of the server's. */
static bool is_stamp(int64_t us)
{
	return us >= STAMP_US && us < STAMP_US + 60 * CLOCK_SECOND_US;
}

static struct fault *take_got(void *context, const struct multistatus_response *response)
{
	struct got *got = context;

	if (!response->data_len || !response->etag)
		return NULL;
	got->found = true;
	got->timed = response->last_modified && !is_stamp(http_date_us(response->last_modified));
	return NULL;
}

static void try_multiget(struct probe *probe)
{
	char *body =
		mem_printf(probe->mem,
			   CALDAV_XML "<C:calendar-multiget " CALDAV_NS
				      "><D:prop><D:getetag/><D:getlastmodified/>"
				      "<C:calendar-data/></D:prop>\n<D:href>%s</D:href>\n"
				      "<D:href>%s</D:href>\n</C:calendar-multiget>\n",
			   caldav_xml(probe->mem, probe->item),
			   caldav_xml(probe->mem, address_of(probe, probe->folder, "missing")));
	struct http_request request =
		caldav_request(probe->mem, "REPORT", probe->folder, "1", body);
	struct got got = { .probe = probe };
	int status = ask(probe, &request, take_got, &got, NULL);

	if (status != 207 && !is_no_report(status) && status != 404)
		return;
	find(probe, CALDAV_TRAIT_MULTIGET, got.found);
	find(probe, CALDAV_TRAIT_TIMES, got.timed);
}

/* ---- conditions that do not hold ---- */

static void judge_guard(struct probe *probe, enum caldav_trait trait, int status)
{
	if (status == 412)
		find(probe, trait, true);
	else if (is_done(status))
		find(probe, trait, false);
}

static void try_guards(struct probe *probe)
{
	const char *stale = probe->older && !text_same(probe->older, probe->marks.version)
				    ? probe->older
				    : STRANGE_VERSION;

	judge_guard(probe, CALDAV_TRAIT_CREATE_GUARD, put_item(probe, "If-None-Match: *"));
	judge_guard(probe, CALDAV_TRAIT_REPLACE_GUARD, put_item(probe, if_match(probe, stale)));
}

/* Of the second item: it may be gone then. Where there is none a condition fails by that alone. */
static void try_removing(struct probe *probe)
{
	struct http_request request =
		write_request(probe, "DELETE", address_of(probe, probe->folder, "b"),
			      if_match(probe, STRANGE_VERSION));

	if (probe->second_item)
		judge_guard(probe, CALDAV_TRAIT_REMOVE_GUARD, send_status(probe, &request));
}

/* ---- a second item, and pages ---- */

static int put_other(struct probe *probe, const char *folder, const char *name, const char *uid)
{
	struct http_request request =
		put_request(probe, address_of(probe, folder, name), "If-None-Match: *",
			    calendar(probe->mem, uid_of(probe, uid), 1));

	return send_status(probe, &request);
}

static void judge_uid(struct probe *probe, enum caldav_trait trait, int status)
{
	if (is_done(status))
		find(probe, trait, false);
	else if (status == 403 || status == 409 || status == 412)
		find(probe, trait, true);
}

static void try_second_item(struct probe *probe)
{
	int status = put_other(probe, probe->folder, "b", "a");

	judge_uid(probe, CALDAV_TRAIT_ONE_UID, status);
	if (status && !is_done(status))
		status = put_other(probe, probe->folder, "b", "b");
	probe->second_item = is_done(status);
}

/* One product says 500. What may as well be a passing weakness is none. */
static bool is_no_token(int status)
{
	return status == 500 || (is_refused(status) && status != 401 && status != 404 &&
				 status != 408 && status != 423 && status != 429);
}

static void try_lists(struct probe *probe)
{
	struct http_request request;
	struct list list;
	char *token = NULL;
	int status;

	if (!does(probe, CALDAV_TRAIT_SYNC))
		return;
	status = sync_list(probe, "", "<D:limit><D:nresults>1</D:nresults></D:limit>", false, &list,
			   &token, &request);
	if (status == 207)
		find(probe, CALDAV_TRAIT_PAGES, list.truncated && list.items == 1);
	else if (status)
		find(probe, CALDAV_TRAIT_PAGES, false);
	status = sync_list(probe, STRANGE_TOKEN, "", false, &list, &token, &request);
	if (status == 207 || is_no_token(status))
		find(probe, CALDAV_TRAIT_TOKEN_REFUSED, status != 207);
}

/* ---- moving; files ---- */

/* Some servers want a whole URL (RFC 2518), some understand a path only where they stand behind a
 * proxy. */
static void try_moving(struct probe *probe)
{
	const char *origins[] = { probe->caldav->origin, "" };
	char *to = address_of(probe, probe->folder, "moved");

	for (size_t i = 0; i < COUNT_OF(origins); i++) {
		struct http_request request =
			write_request(probe, "MOVE", probe->item,
				      mem_printf(probe->mem, "Destination: %s%s", origins[i], to));
		int status = send_status(probe, &request);
		struct http_request get;

		if (!status)
			return;
		if (!is_done(status)) {
			find(probe, CALDAV_TRAIT_MOVE, false);
			continue;
		}
		probe->item = to;
		status = get_item(probe, &get);
		if (status)
			find(probe, CALDAV_TRAIT_MOVE, status == 200);
		return;
	}
}

/* RFC 8607 section 3.4. Tried where the server says that it has them. */
static void try_files(struct probe *probe)
{
	const char **headers = MEM_ARRAY(probe->mem, const char *, 3);
	struct http_request request, get;
	int status;

	if (!probe->caldav->dav || !strstr(probe->caldav->dav, "calendar-managed-attachments")) {
		find(probe, CALDAV_TRAIT_MANAGED, false);
		return;
	}
	headers[0] = "Content-Type: text/plain";
	headers[1] = "Content-Disposition: attachment; filename=\"trial.txt\"";
	request = (struct http_request){ .method = "POST",
					 .url = mem_printf(probe->mem, "%s?action=attachment-add",
							   probe->item),
					 .headers = headers,
					 .body = "trial\n",
					 .body_len = 6,
					 .writes = true };
	status = send_status(probe, &request);
	if (status && !is_done(status))
		find(probe, CALDAV_TRAIT_MANAGED, false);
	if (is_done(status) && get_item(probe, &get) == 200)
		find(probe, CALDAV_TRAIT_MANAGED, strstr(get.answer, "MANAGED-ID") != NULL);
}

/* ---- the second collection ---- */

struct members {
	struct probe *probe;
	const char *folder;
	bool calendar;
	size_t items;
};

static struct fault *take_member(void *context, const struct multistatus_response *response)
{
	struct members *members = context;
	struct probe *probe = members->probe;
	char *address =
		href_normalise(probe->mem, members->folder, probe->caldav->host, response->href);

	if (address && href_place(members->folder, address) == HREF_SELF)
		members->calendar = response->calendar;
	else if (response->etag && !response->collection)
		members->items++;
	return NULL;
}

/* The items of the second collection; -1: it is no calendar, or cannot be listed. */
static int count_members(struct probe *probe)
{
	static const char body[] = CALDAV_XML "<D:propfind " CALDAV_NS
					      "><D:prop><D:resourcetype/><D:getetag/></D:prop>"
					      "</D:propfind>\n";
	struct http_request list = caldav_request(probe->mem, "PROPFIND", probe->second, "1", body);
	struct members members = { .probe = probe, .folder = probe->second };

	return ask(probe, &list, take_member, &members, NULL) == 207 && members.calendar
		       ? (int)members.items
		       : -1;
}

static int put_whole(struct probe *probe, const char *items)
{
	struct http_request request = put_request(probe, probe->second, "If-None-Match: *",
						  caldav_sample_calendar(probe->mem, items));

	return send_status(probe, &request);
}

/* One product makes a calendar so, and replaces it in spite of the condition: of use is only one that
 * refuses the second time. */
static void try_whole(struct probe *probe)
{
	char *one = caldav_sample_todo(probe->mem, uid_of(probe, "w1"), 1);
	char *two = caldav_sample_todo(probe->mem, uid_of(probe, "w2"), 1);
	int status = put_whole(probe, mem_printf(probe->mem, "%s%s", one, two)), count;

	if (!status)
		return;
	count = is_done(status) ? count_members(probe) : -1;
	if (count == 2) {
		status = put_whole(probe, caldav_sample_todo(probe->mem, uid_of(probe, "w3"), 1));
		count = is_refused(status) ? count_members(probe) : -1;
	}
	if (!probe->ended)
		find(probe, CALDAV_TRAIT_WHOLE_PUT, count == 2);
}

static void try_second_folder(struct probe *probe)
{
	bool made;

	try_whole(probe);
	if (probe->ended)
		return;
	if (lacks(probe, CALDAV_TRAIT_ONE_UID)) { /* then nowhere */
		find(probe, CALDAV_TRAIT_ONE_UID_HOME, false);
		return;
	}
	if (does(probe, CALDAV_TRAIT_WHOLE_PUT) || !make_folder(probe, probe->names[1], &made))
		judge_uid(probe, CALDAV_TRAIT_ONE_UID_HOME,
			  put_other(probe, probe->second, "c", "a"));
}

/* ---- connections ---- */

static char *new_name(struct probe *probe)
{
	int64_t now_us = clock_now_us(probe->caldav->clock);

	return mem_printf(probe->mem, PREFIX "%08x%08x",
			  (unsigned)(uint32_t)(now_us / CLOCK_SECOND_US),
			  (unsigned)digest_random(UINT64_C(1) << 32));
}

static void count_connections(struct probe *probe, const struct http_stats *before)
{
	const struct http_stats *now = &probe->caldav->stats;
	int64_t requests = now->requests - before->requests;
	int64_t connections = now->connections - before->connections;

	if (requests >= CONNECTION_REQUESTS_MIN)
		find(probe, CALDAV_TRAIT_KEEPS_OPEN, connections * CONNECTION_REQUESTS <= requests);
}

/* ---- all of it ---- */

static void try_all(struct probe *probe)
{
	look_at_folder(probe);
	if (!first_item(probe))
		return;
	try_marks(probe);
	try_reading(probe);
	try_multiget(probe);
	try_second_item(probe);
	try_lists(probe);
	try_guards(probe);
	try_files(probe);
	try_second_folder(probe);
	try_removing(probe);
	try_moving(probe);
}

/* (2) What cannot be removed is told, and left to a later probe. The item with a file goes first, so
 * that nobody finds the crash of a server in its log that cannot remove a folder with one. */
static void clear_away(struct probe *probe)
{
	char *addresses[] = { probe->second, probe->folder };

	if (does(probe, CALDAV_TRAIT_MANAGED)) {
		struct http_request request = write_request(probe, "DELETE", probe->item, NULL);

		caldav_send(probe->caldav, probe->mem, &request, 1);
	}
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		if (!caldav_folder_remove(probe->caldav, probe->mem, addresses[i]))
			probe->caldav->left = mem_strdup(probe->caldav, addresses[i]);
}

static void run(struct probe *probe)
{
	struct fault *fault;
	bool made = false;

	for (size_t i = 0; i < COUNT_OF(probe->names); i++)
		probe->names[i] = new_name(probe);
	probe->folder = mem_printf(probe->mem, "%s%s/", probe->caldav->home, probe->names[0]);
	probe->second = mem_printf(probe->mem, "%s%s/", probe->caldav->home, probe->names[1]);
	probe->stem = digest_uuid4(probe->mem);
	look_at_home(probe);
	if (probe->ended)
		return;
	fault = make_folder(probe, probe->names[0], &made);
	if (fault && !fault->maybe_done) {
		probe->ended = caldav_is_wide(fault);
		return;
	}
	if (!fault && !made) /* it stood there: whatever name is asked for, something answers (1) */
		return;
	point_reach(probe->caldav->points, POINT_PROBE_MADE);
	if (fault)
		probe->ended = true;
	else
		try_all(probe);
	point_reach(probe->caldav->points, POINT_PROBE_TRIED);
	clear_away(probe);
	point_reach(probe->caldav->points, POINT_PROBE_CLEARED);
}

/* What is not known this time, but was, stays. */
static void take(struct caldav *caldav, const struct caldav_traits *found)
{
	for (size_t i = 0; i < CALDAV_TRAITS; i++)
		if (found->answer[i] != CALDAV_UNKNOWN)
			caldav->traits.answer[i] = found->answer[i];
	if (found->item_max)
		caldav->traits.item_max = found->item_max;
	caldav->traits.cut = found->cut;
}

struct fault *caldav_probe_learn(struct endpoint *endpoint, TALLOC_CTX *mem)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	struct http_stats before = caldav->stats;
	struct caldav_traits found = { 0 };
	struct probe probe = { .caldav = caldav, .mem = MEM_CONTEXT(mem), .traits = &found };
	int32_t deadline_ms = caldav->deadline_ms;
	struct fault *fault;

	if (!caldav->deadline_ms || caldav->deadline_ms > REQUEST_MS)
		caldav->deadline_ms = REQUEST_MS; /* (4) */
	probe.until_us = clock_now_us(caldav->clock) + PROBE_US;
	fault = caldav_discover(caldav, probe.mem);
	if (!fault) {
		run(&probe);
		count_connections(&probe, &before);
		found.cut = probe.ended;
		fault = probe.fault;
	}
	caldav->deadline_ms = deadline_ms;
	if (!fault)
		take(caldav, &found);
	talloc_steal(mem, fault);
	talloc_free(probe.mem);
	return fault;
}
