#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What changed in a folder. The token tells the way:
 *
 *   NULL   sync-collection (RFC 6578) with an empty token; where the server has none, as "c:"
 *   "s:T"  sync-collection since T
 *   "c:T"  nothing changed while the CTag is T; else a listing
 *
 * To "s:T" the mark that the last sweep told is added (caldav_token.h).
 *
 * 1. An initial answer without a sync-token is no answer (it would make a folder look empty, N5).
 * 2. A CTag is read before its listing, so that a change in between is seen again rather than lost.
 * 3. Pages of a truncated answer (507) are put together; of several lines for one address the last
 * one counts.
 * 4. An address outside of the folder is a fault: behind a proxy that rewrites paths every item
 * would seem to be missing.
 * 5. A member without an ETag is not listed: one broken item must not stop the folder, and what is
 * missing from a listing is asked for directly before anybody believes that it is gone.
 * 6. A listing names the folder itself, too.
 * 7. Some servers answer a token that they have forgotten with a full listing, as if it were a list of
 * changes: what was removed meanwhile is not in it. There every answer that may be one is replaced by
 * a full listing that was asked for.
 * 8. A token that is made from what the folder holds does not show what a person took back of our
 * own writes since, or of what was read since: everything is listed anew after them. */

#define PAGES_MAX 1000      /* of one truncated listing */
#define LISTING_MAX 1000000 /* lines of one listing, all pages */

static const char list_members[] = CALDAV_XML
	"<D:propfind " CALDAV_NS "><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>\n";
static const char ask_ctag[] = CALDAV_XML
	"<D:propfind " CALDAV_NS "><D:prop><S:getctag/><D:resourcetype/></D:prop></D:propfind>\n";

struct listing {
	TALLOC_CTX *mem;
	struct caldav *caldav;
	const char *folder;
	struct endpoint_change *changes;
	size_t count, size, lines;
	bool truncated, gone, self;
	char *ctag; /* of the folder itself */
};

static void add_change(struct listing *listing, const char *address, char *version)
{
	if (listing->count == listing->size) {
		listing->size = listing->size ? listing->size * 2 : 64;
		listing->changes = MEM_GROW(listing->mem, listing->changes, struct endpoint_change,
					    listing->size);
	}
	listing->changes[listing->count++] = (struct endpoint_change){ .address = address,
								       .version = version,
								       .removed = !version };
}

static void take_self(struct listing *listing, const struct multistatus_response *response)
{
	listing->gone = listing->gone || response->status == 404 || response->status == 410;
	listing->self = listing->self || listing->gone || response->status < 400;
	if (response->ctag && !listing->ctag)
		listing->ctag = mem_strdup(listing->mem, response->ctag);
}

static void take_member(struct listing *listing, const char *address,
			const struct multistatus_response *response)
{
	if (response->status == 404 || response->status == 410)
		add_change(listing, address, NULL);
	else if (response->etag && *response->etag)
		add_change(listing, address, caldav_version(listing->mem, response->etag));
}

static struct fault *take_line(void *context, const struct multistatus_response *response)
{
	struct listing *listing = context;
	char *address = href_normalise(listing->mem, listing->folder, listing->caldav->host,
				       response->href);
	enum href_place place = address ? href_place(listing->folder, address) : HREF_OUTSIDE;
	size_t before = listing->count;

	if (++listing->lines > LISTING_MAX)
		return fault_reaches(
			fault_new(listing->mem, FAULT_PROTOCOL, "more than %d items", LISTING_MAX),
			FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
	if (response->status == 507)
		listing->truncated = true;
	else if (place == HREF_SELF)
		take_self(listing, response);
	else if (place == HREF_OUTSIDE)
		return fault_reaches(fault_new(listing->mem, FAULT_PROTOCOL,
					       "an address outside of the folder: %s",
					       response->href),
				     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
	else if (place == HREF_CHILD && !text_ends(address, "/") && !response->collection)
		take_member(listing, address, response);
	if (listing->count == before)
		talloc_free(address);
	return NULL;
}

/* ---- putting it together (3) ---- */

struct line {
	struct endpoint_change change;
	size_t at;
};

static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int order = strcmp(a->change.address, b->change.address);

	return order ? order : a->at < b->at ? -1 : 1;
}

/* Sorted by address, one line for each; of a full listing only what is there. */
static struct endpoint_notice *make_notice(TALLOC_CTX *mem, const struct listing *listing,
					   bool full, char *token)
{
	struct endpoint_notice *notice = MEM_NEW(mem, struct endpoint_notice);
	struct line *lines = MEM_ARRAY(notice, struct line, listing->count);

	for (size_t i = 0; i < listing->count; i++)
		lines[i] = (struct line){ listing->changes[i], i };
	qsort(lines, listing->count, sizeof *lines, compare_lines);
	notice->full = full;
	notice->token = talloc_steal(notice, token);
	notice->changes = MEM_ARRAY(notice, struct endpoint_change, listing->count);
	for (size_t i = 0; i < listing->count; i++) {
		const struct endpoint_change *change = &lines[i].change;

		if (i + 1 < listing->count && !strcmp(change->address, lines[i + 1].change.address))
			continue;
		if (full && change->removed)
			continue;
		notice->changes[notice->count++] = (struct endpoint_change){
			.address = mem_strdup(notice->changes, change->address),
			.version = mem_strdup(notice->changes, change->version),
			.removed = change->removed,
		};
	}
	talloc_free(lines);
	return notice;
}

static struct fault *folder_gone(TALLOC_CTX *mem, const char *folder)
{
	return caldav_widen(fault_new(mem, FAULT_GONE, "%s: there is no such folder", folder),
			    FAULT_SCOPE_FOLDER);
}

/* What did not answer may be this folder only (N6). */
static struct fault *ask(struct listing *listing, struct http_request *request, char **token_r,
			 struct caldav_verdict *verdict_r)
{
	struct caldav *caldav = listing->caldav;
	struct fault *fault =
		caldav_ask(caldav, listing->mem, request, take_line, listing, token_r);

	*verdict_r = caldav_judge(listing->mem, request);
	if (fault && verdict_r->outcome == CALDAV_OUTCOME_UNANSWERED &&
	    caldav_answers(caldav, listing->folder))
		fault->scope = FAULT_SCOPE_FOLDER;
	return fault;
}

/* ---- sync-collection ---- */

/* TOKEN: ask without one. *WAY_R: of OTHER_WAY and OTHER_WAY_NOW, ask another way; else untouched. */
static struct fault *sync_page(struct listing *listing, const char *token, char **token_r,
			       enum caldav_outcome *way_r)
{
	char *body = mem_printf(
		listing->mem,
		CALDAV_XML
		"<D:sync-collection " CALDAV_NS "><D:sync-token>%s</D:sync-token>"
		"<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>\n",
		caldav_xml(listing->mem, token));
	struct http_request request =
		caldav_request(listing->mem, "REPORT", listing->folder, "0", body);
	struct caldav_verdict verdict;
	struct fault *fault;

	listing->truncated = false;
	fault = ask(listing, &request, token_r, &verdict);
	talloc_free(request.answer);
	if (!fault && listing->gone)
		return folder_gone(listing->mem, listing->folder);
	if (!fault && *token_r)
		return NULL;
	if (!fault) /* (1) */
		verdict.outcome =
			caldav_outcome_of(caldav_op_of(&request), CALDAV_SAID_WITHOUT, 0, NULL)
				->outcome;
	if (verdict.outcome == CALDAV_OUTCOME_FORGET_TOKEN) {
		/* whatever else it says may be a passing weakness, of which nothing follows */
		if (verdict.condition && !strcmp(verdict.condition, "valid-sync-token"))
			caldav_found(listing->caldav, CALDAV_TRAIT_TOKEN_REFUSED, true);
		return fault_new(listing->mem, FAULT_TOKEN,
				 "%s: the server does not know the token any more%s%s",
				 listing->folder, fault ? ": " : "", fault ? fault->text : "");
	}
	if (verdict.outcome != CALDAV_OUTCOME_OTHER_WAY &&
	    verdict.outcome != CALDAV_OUTCOME_OTHER_WAY_NOW)
		return fault;
	*way_r = verdict.outcome;
	return NULL;
}

/* Addresses of servers known for (7), where nobody has tried. */
static const char *const silent_servers[] = { "/caldav.php/", "/SOGo/" };

static bool forgets_silently(const struct listing *listing)
{
	if (caldav_does(listing->caldav, CALDAV_TRAIT_TOKEN_REFUSED))
		return false;
	for (size_t i = 0; i < COUNT_OF(silent_servers); i++)
		if (strstr(listing->folder, silent_servers[i]))
			return true;
	return caldav_does_not(listing->caldav, CALDAV_TRAIT_TOKEN_REFUSED);
}

/* (7): a full listing names nobody who is gone, and comes with another token than the old one. */
static bool may_be_full(const struct listing *listing, const char *since, const char *next)
{
	if (!*since || !strcmp(since, next) || !forgets_silently(listing))
		return false;
	for (size_t i = 0; i < listing->count; i++)
		if (listing->changes[i].removed)
			return false;
	return true;
}

static struct fault *sync_folder(struct listing *listing, const char *since,
				 struct endpoint_notice **notice_r, enum caldav_outcome *way_r,
				 TALLOC_CTX *mem)
{
	const char *token = since;

	for (int page = 0; page < PAGES_MAX; page++) {
		char *next = NULL;

		FAULT_TRY(sync_page(listing, token, &next, way_r));
		if (*way_r != CALDAV_OUTCOME_DONE)
			return NULL;
		if (!listing->truncated && may_be_full(listing, since, next)) {
			struct listing whole = { .mem = listing->mem,
						 .caldav = listing->caldav,
						 .folder = listing->folder };

			return sync_folder(&whole, "", notice_r, way_r, mem);
		}
		if (!listing->truncated) {
			struct caldav_token given = { .sync = next,
						      .mark = caldav_sweep_mark(
							      listing->caldav, listing->mem,
							      listing->folder,
							      *since && !listing->count) };

			*notice_r = make_notice(mem, listing, !*since,
						caldav_token_text(listing->mem, &given));
			return NULL;
		}
		if (!strcmp(next, token))
			break;
		token = next;
	}
	return fault_reaches(fault_new(listing->mem, FAULT_PROTOCOL, "%s: a listing without end",
				       listing->folder),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

/* ---- without it ---- */

/* The token of a listing that was made after the CTag was read. */
static char *listed_token(struct listing *listing, const struct caldav_mark *known,
			  const struct caldav_mark *now)
{
	struct caldav *caldav = listing->caldav;
	bool fine = caldav->traits.answer[CALDAV_TRAIT_CTAG] == CALDAV_YES ||
		    (now->text && !caldav_mark_is_coarse(now->text));
	struct caldav_token given = { .mark = caldav_mark_next(known, now, fine,
							       clock_now_us(caldav->clock) /
								       CLOCK_SECOND_US) };

	return caldav_token_text(listing->mem, &given);
}

static struct fault *list_folder(struct listing *listing, const struct caldav_mark *known,
				 bool remember, struct endpoint_notice **notice_r, TALLOC_CTX *mem)
{
	struct http_request look =
		caldav_request(listing->mem, "PROPFIND", listing->folder, "0", ask_ctag);
	struct http_request list =
		caldav_request(listing->mem, "PROPFIND", listing->folder, "1", list_members);
	struct caldav_mark now = { .kind = CALDAV_MARK_CTAG };
	struct caldav_token same = { .sync = NULL };
	struct caldav_verdict verdict;

	FAULT_TRY(ask(listing, &look, NULL, &verdict));
	if (!listing->self)
		return caldav_lacks(listing->mem, &look);
	now.text = listing->ctag; /* (2) */
	listing->count = 0;
	if (!listing->gone && caldav_mark_stands(known, &now)) {
		same.mark = now;
		*notice_r =
			make_notice(mem, listing, false, caldav_token_text(listing->mem, &same));
		return NULL;
	}
	listing->self = false;
	if (!listing->gone)
		FAULT_TRY(ask(listing, &list, NULL, &verdict));
	if (listing->gone)
		return folder_gone(listing->mem, listing->folder);
	if (!listing->self) /* (6) */
		return caldav_lacks(listing->mem, &list);
	*notice_r = make_notice(mem, listing, true,
				remember ? listed_token(listing, known, &now) : NULL);
	return NULL;
}

static struct fault *notice(struct caldav *caldav, TALLOC_CTX *mem, TALLOC_CTX *work,
			    const char *folder, const char *text, struct endpoint_notice **notice_r)
{
	struct listing listing = { .mem = work, .caldav = caldav, .folder = folder };
	bool lacks_sync = caldav_does_not(caldav, CALDAV_TRAIT_SYNC);
	struct caldav_token token = { .sync = text || lacks_sync ? NULL : "" };
	enum caldav_outcome way = CALDAV_OUTCOME_DONE;

	if (text && !caldav_token_read(work, text, &token))
		return fault_new(work, FAULT_TOKEN, "%s: not a token of a CalDAV server", folder);
	if (text && token.sync && lacks_sync)
		return fault_new(work, FAULT_TOKEN,
				 "%s: the server's lists of changes are not used", folder);
	if (token.written) /* (8) */
		token.sync = "";
	if (token.sync) {
		FAULT_TRY(sync_folder(&listing, token.sync, notice_r, &way, mem));
		if (way == CALDAV_OUTCOME_DONE)
			return NULL;
		listing = (struct listing){ .mem = work, .caldav = caldav, .folder = folder };
		token.mark = (struct caldav_mark){ .kind = 0 }; /* of another listing */
	}
	FAULT_TRY(list_folder(&listing, &token.mark, way != CALDAV_OUTCOME_OTHER_WAY_NOW, notice_r,
			      mem));
	if (way == CALDAV_OUTCOME_OTHER_WAY)
		caldav_found(caldav, CALDAV_TRAIT_SYNC, false);
	return NULL;
}

struct fault *caldav_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			    const char *token, struct endpoint_notice **notice_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct fault *fault = notice((struct caldav *)endpoint, mem, work, folder, token, notice_r);

	if (fault)
		caldav_widen(talloc_steal(mem, fault), FAULT_SCOPE_FOLDER);
	talloc_free(work);
	return fault;
}

/* ---- access ---- */

static const char ask_privileges[] = CALDAV_XML
	"<D:propfind " CALDAV_NS "><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>\n";

struct privileges {
	bool given, may_read;
};

static struct fault *take_privileges(void *context, const struct multistatus_response *response)
{
	struct privileges *privileges = context;

	privileges->given = privileges->given || response->privileges;
	privileges->may_read = privileges->may_read || response->may_read;
	return NULL;
}

/* RFC 3744 section 5.4. A server that does not tell, or not this account, is believed. */
struct fault *caldav_may_read(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct http_request request = caldav_request(work, "PROPFIND", folder, "0", ask_privileges);
	struct privileges privileges = { .given = false };
	struct fault *fault = caldav_ask((struct caldav *)endpoint, work, &request, take_privileges,
					 &privileges, NULL);

	if (!fault && privileges.given && !privileges.may_read)
		fault = fault_reaches(
			fault_new(work, FAULT_REFUSED,
				  "%s: the server says that this account may not read "
				  "it any more; nothing in it is taken for deleted; "
				  "have its access rights put right",
				  folder),
			FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
	if (fault)
		caldav_widen(talloc_steal(mem, fault), FAULT_SCOPE_FOLDER);
	talloc_free(work);
	return fault;
}
