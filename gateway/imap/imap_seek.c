#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mappers/message.h"

/* A mailbox known by the items that stood in it, for servers that give mailboxes no identity.
 *
 *   stay     the present one of that name, while any of the items is in it, whatever others hold
 *   count    STATUS of the others, by one command where the server has that
 *   number   those that have the old UIDVALIDITY, which most servers leave to a renamed mailbox: it is the
 *            one where most of the items stand at their very UIDs
 *   content  those that hold next to nothing else: it is the first that has most of the items
 *
 * 1. One or two items may be anywhere, as copies: a mailbox counts that holds more than half of those that
 *    are asked for, with what is done; not what is marked as deleted: so many clients leave what they move.
 * 2. EXAMINE, because SELECT takes from new mail that it is new (RFC 3501 section 6.3.2).
 * 3. By content alone a person's own mailbox is never taken: not one that has a use of its own, nor one
 *    with other mail in it, where all of the items may well have been moved. What is taken is renamed, and
 *    all that stands in it is read.
 * 4. Where several mailboxes have one UIDVALIDITY, it and the UIDs tell nothing: copies have them, too. */

/* Messages that are no items, in a folder of ours: a person's new tasks. Always fewer than items. */
#define FOREIGN_MAX 2
#define ALL_MAX 100000          /* messages that are searched in all: a second or some for 10,000 */
#define COPIES_MAX IMAP_SET_MAX /* of our items in one mailbox, that are looked at one by one */

struct item {
	const char *uid;
	struct imap_spot spot; /* where it stood; `uid` 0: not known */
	bool found;
};

struct seeking {
	struct imap *imap;
	TALLOC_CTX *mem;
	const struct endpoint_trace *trace;
	struct item *items; /* that can be asked for */
	size_t count, hits;
	uint32_t number, done_number; /* the old UIDVALIDITY of both; 0: it tells nothing (4) */
	struct imap_status *status;
	size_t status_count;
	size_t messages; /* that were searched */
	bool open;       /* a mailbox is, by EXAMINE */
	bool unsure;     /* a search was refused */
};

struct candidate {
	const struct imap_status *own, *done; /* DONE: below it; NULL: none */
	bool special;
};

/* As our own are: nothing that would need quoting, or a character set. */
static bool is_plain(const char *uid)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.@";

	return *uid && strspn(uid, plain) == strlen(uid);
}

static struct seeking *seeking_new(struct imap *imap, TALLOC_CTX *mem,
				   const struct endpoint_trace *trace)
{
	struct seeking *seeking = MEM_NEW(mem, struct seeking);

	*seeking = (struct seeking){ .imap = imap, .mem = mem, .trace = trace };
	seeking->items = MEM_ARRAY(mem, struct item, trace->known_count);
	for (size_t i = 0; i < trace->known_count; i++) {
		const struct endpoint_known *known = &trace->known[i];
		struct item item = { .uid = known->uid };

		if (!is_plain(known->uid))
			continue;
		if (!known->address || !imap_set_spot_read(known->address, &item.spot))
			item.spot = (struct imap_spot){ .uid = 0 };
		seeking->items[seeking->count++] = item;
	}
	return seeking;
}

/* (1) */
static size_t enough(const struct seeking *seeking)
{
	return seeking->count / 2 + 1;
}

/* ---- which ---- */

static const struct imap_status *status_of(const struct seeking *seeking, const char *name)
{
	for (size_t i = 0; name && i < seeking->status_count; i++)
		if (seeking->status[i].told && !strcmp(seeking->status[i].mailbox, name))
			return &seeking->status[i];
	return NULL;
}

/* The mailbox that NAME is below, if NAME is that for its done tasks. */
static bool is_done_of_another(const struct seeking *seeking, const char *name)
{
	const char *last = strrchr(name, imap_session_delimiter(seeking->imap->session));
	char *above, *done;

	if (!seeking->imap->account.done_folder || !last || last == name)
		return false;
	above = mem_strndup(seeking->mem, name, (size_t)(last - name));
	done = imap_done_mailbox(seeking->imap, seeking->mem, above);
	return done && !strcmp(done, name) && status_of(seeking, above);
}

/* The UIDVALIDITY that the items had, if no other mailbox has it (4). */
static uint32_t number_of(const struct seeking *seeking, bool done)
{
	uint32_t number = 0;
	size_t having = 0;

	for (size_t i = 0; i < seeking->count; i++)
		if (seeking->items[i].spot.uid && seeking->items[i].spot.done == done)
			number = seeking->items[i].spot.uidvalidity;
	for (size_t i = 0; i < seeking->status_count && number; i++)
		if (seeking->status[i].told && seeking->status[i].counts.uidvalidity == number &&
		    is_done_of_another(seeking, seeking->status[i].mailbox) == done)
			having++;
	return having == 1 ? number : 0;
}

static size_t messages_of(const struct candidate *candidate)
{
	return (size_t)candidate->own->counts.exists +
	       (candidate->done ? candidate->done->counts.exists : 0);
}

static bool may_be(const struct seeking *seeking, const struct candidate *candidate)
{
	const char *name = candidate->own->mailbox;

	return strcasecmp(name, "INBOX") != 0 && messages_of(candidate) >= enough(seeking) &&
	       !is_done_of_another(seeking, name);
}

static bool has_number(const struct imap_status *status, uint32_t number)
{
	return status && number && status->counts.uidvalidity == number;
}

/* (3) */
static size_t foreign_max(const struct seeking *seeking)
{
	size_t items = seeking->trace->items, foreign = items ? items - 1 : 0;

	return foreign < FOREIGN_MAX ? foreign : FOREIGN_MAX;
}

/* As far as that can be told by numbers. */
static bool holds_nothing_else(const struct seeking *seeking, const struct candidate *candidate)
{
	return !candidate->special &&
	       messages_of(candidate) <= seeking->trace->items + foreign_max(seeking);
}

/* Those with a mailbox for done tasks come first. */
static int by_likelihood(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (!x->done != !y->done)
		return x->done ? -1 : 1;
	return (x->own > y->own) - (x->own < y->own);
}

static size_t choose(const struct seeking *seeking, const struct imap_seek_name *names,
		     struct candidate *candidates)
{
	const char *folder = seeking->trace->folder;
	const char *done = imap_done_mailbox(seeking->imap, seeking->mem, folder);
	size_t n = 0;

	for (size_t i = 0; i < seeking->status_count; i++) {
		struct candidate *candidate = &candidates[n];

		if (!seeking->status[i].told || text_same(names[i].text, folder) ||
		    text_same(names[i].text, done)) /* which may stay where a folder is deleted */
			continue;
		candidate->own = &seeking->status[i];
		candidate->done = status_of(
			seeking, imap_done_mailbox(seeking->imap, seeking->mem, names[i].text));
		candidate->special = names[i].special;
		if (may_be(seeking, candidate))
			n++;
	}
	qsort(candidates, n, sizeof *candidates, by_likelihood);
	return n;
}

/* ---- what is in it ---- */

/* "OR HEADER X a OR HEADER X b HEADER X c" */
static char *any_of(const struct seeking *seeking)
{
	char *criteria = mem_strdup(seeking->mem, "UNDELETED");

	for (size_t i = 0; i < seeking->count; i++)
		criteria = mem_printf(seeking->mem, "%s%s HEADER %s %s", criteria,
				      i + 1 < seeking->count ? " OR" : "", MESSAGE_UID_FIELD,
				      seeking->items[i].uid);
	return criteria;
}

/* Which of them stand in the mailbox that is open, among UIDS. */
static struct fault *tell_apart(struct seeking *seeking, const struct imap_uids *uids)
{
	size_t most = uids->count < COPIES_MAX ? uids->count : COPIES_MAX;
	char *set = imap_set_text(seeking->mem, uids->uid, most);

	for (size_t i = 0; i < seeking->count; i++) {
		struct imap_uids one;

		if (seeking->items[i].found)
			continue;
		FAULT_TRY(imap_look_search(seeking->imap, seeking->mem,
					   mem_printf(seeking->mem, "UID %s HEADER %s %s", set,
						      MESSAGE_UID_FIELD, seeking->items[i].uid),
					   &one));
		seeking->items[i].found = one.count > 0;
		seeking->hits += one.count > 0;
	}
	return NULL;
}

/* UIDs that a mailbox has by CRITERIA (2). One that cannot be looked into is not ours. */
static struct fault *search(struct seeking *seeking, const char *mailbox, const char *criteria,
			    struct imap_uids *uids_r)
{
	struct imap *imap = seeking->imap;
	struct imap_answer answer;
	struct fault *fault;

	*uids_r = (struct imap_uids){ 0 };
	imap_afar_forget(imap);
	imap->selection++;
	FAULT_TRY(imap_session_examine(imap->session, seeking->mem, mailbox, &answer));
	seeking->open = answer.status == IMAP_OK;
	if (!seeking->open)
		return NULL;
	fault = imap_look_search(imap, seeking->mem, criteria, uids_r);
	if (!fault || !imap_is_connected(imap))
		return fault;
	seeking->unsure = true;
	talloc_free(fault);
	return NULL;
}

/* If it breaks, what was found is found. */
static void close_last(struct seeking *seeking)
{
	struct imap *imap = seeking->imap;

	if (seeking->open && imap_is_connected(imap))
		talloc_free(imap_session_examine(imap->session, seeking->mem, NULL, NULL));
}

/* "(UID 3 HEADER X a)" for all that stood in that mailbox, with OR before all but the last. */
static char *at_their_uids(const struct seeking *seeking, bool done, uint32_t number)
{
	uint32_t *uids = MEM_ARRAY(seeking->mem, uint32_t, seeking->count);
	char *criteria = NULL;
	size_t n = 0;

	for (size_t i = 0; i < seeking->count; i++) {
		const struct item *item = &seeking->items[i];

		if (!item->spot.uid || item->spot.done != done || item->spot.uidvalidity != number)
			continue;
		uids[n++] = item->spot.uid;
		criteria = mem_printf(seeking->mem, "%s%s(UID %" PRIu32 " HEADER %s %s)",
				      criteria ? "OR " : "",
				      criteria ? mem_printf(seeking->mem, "%s ", criteria) : "",
				      item->spot.uid, MESSAGE_UID_FIELD, item->uid);
	}
	return n ? mem_printf(seeking->mem, "UNDELETED UID %s %s",
			      imap_set_text(seeking->mem, uids, n), criteria)
		 : NULL;
}

static struct fault *search_number(struct seeking *seeking, const struct imap_status *status,
				   bool done)
{
	uint32_t number = done ? seeking->done_number : seeking->number;
	struct imap_uids uids;

	if (!has_number(status, number) || !status->counts.exists)
		return NULL;
	FAULT_TRY(search(seeking, status->mailbox, at_their_uids(seeking, done, number), &uids));
	seeking->hits += uids.count;
	return NULL;
}

static struct fault *search_content(struct seeking *seeking, const struct imap_status *status)
{
	struct fault *fault = NULL;
	struct imap_uids uids;

	if (!status || !status->counts.exists)
		return NULL;
	seeking->messages += status->counts.exists;
	FAULT_TRY(search(seeking, status->mailbox, any_of(seeking), &uids));
	if (uids.count)
		fault = tell_apart(seeking, &uids);
	if (!fault || !imap_is_connected(seeking->imap))
		return fault;
	talloc_free(fault);
	return NULL;
}

static struct fault *judge_number(struct seeking *seeking, const struct candidate *candidate)
{
	seeking->hits = 0;
	FAULT_TRY(search_number(seeking, candidate->own, false));
	return search_number(seeking, candidate->done, true);
}

static struct fault *count_ours(struct seeking *seeking, const struct imap_status *status,
				size_t *ours)
{
	struct imap_uids uids = { 0 };

	if (status && status->counts.exists)
		FAULT_TRY(search(seeking, status->mailbox, "HEADER " MESSAGE_UID_FIELD " \"\"",
				 &uids));
	*ours += uids.count;
	return NULL;
}

/* (3), by what is in it: some of the items may have been moved to what a person has there. */
static struct fault *judge_rest(struct seeking *seeking, const struct candidate *candidate)
{
	size_t ours = 0;

	FAULT_TRY(count_ours(seeking, candidate->own, &ours));
	FAULT_TRY(count_ours(seeking, candidate->done, &ours));
	if (messages_of(candidate) > ours + foreign_max(seeking))
		seeking->hits = 0;
	return NULL;
}

static struct fault *judge_content(struct seeking *seeking, const struct candidate *candidate)
{
	seeking->hits = 0;
	for (size_t i = 0; i < seeking->count; i++)
		seeking->items[i].found = false;
	if (seeking->messages >= ALL_MAX || !holds_nothing_else(seeking, candidate))
		return NULL;
	FAULT_TRY(search_content(seeking, candidate->own));
	if (seeking->hits < enough(seeking))
		FAULT_TRY(search_content(seeking, candidate->done));
	return seeking->hits < enough(seeking) ? NULL : judge_rest(seeking, candidate);
}

typedef struct fault *judge(struct seeking *seeking, const struct candidate *candidate);

/* What is certain comes first. */
static struct fault *search_all(struct seeking *seeking, const struct candidate *candidates,
				size_t count, const char **mailbox_r)
{
	static judge *const judges[] = { judge_number, judge_content };

	for (size_t way = 0; way < COUNT_OF(judges); way++) {
		for (size_t i = 0; i < count; i++) {
			FAULT_TRY(judges[way](seeking, &candidates[i]));
			if (seeking->hits < enough(seeking))
				continue;
			*mailbox_r = candidates[i].own->mailbox;
			return NULL;
		}
	}
	return NULL;
}

static struct fault *count_messages(struct seeking *seeking, const struct imap_seek_name *names,
				    size_t count)
{
	seeking->status = MEM_ARRAY(seeking->mem, struct imap_status, count);
	seeking->status_count = count;
	for (size_t i = 0; i < count; i++)
		seeking->status[i].mailbox = names[i].text;
	FAULT_TRY(imap_status(seeking->imap, seeking->mem, seeking->status, count));
	seeking->number = number_of(seeking, false);
	seeking->done_number = number_of(seeking, true);
	return NULL;
}

struct fault *imap_seek(struct imap *imap, TALLOC_CTX *mem, const struct imap_seek_name *names,
			size_t count, const struct endpoint_trace *trace, const char **mailbox_r)
{
	struct seeking *seeking = seeking_new(imap, mem, trace);
	struct candidate *candidates = MEM_ARRAY(mem, struct candidate, count);
	struct fault *fault;

	if (!seeking->count || !count)
		return NULL;
	FAULT_TRY(count_messages(seeking, names, count));
	fault = search_all(seeking, candidates, choose(seeking, names, candidates), mailbox_r);
	close_last(seeking);
	return fault;
}

struct fault *imap_seek_stays(struct imap *imap, TALLOC_CTX *mem,
			      const struct endpoint_trace *trace, bool *stays_r)
{
	struct seeking *seeking = seeking_new(imap, mem, trace);
	const char *done = imap_done_mailbox(imap, mem, trace->folder);
	struct imap_uids uids = { 0 };

	if (seeking->count)
		FAULT_TRY(search(seeking, trace->folder, any_of(seeking), &uids));
	if (seeking->open && !uids.count && done)
		FAULT_TRY(search(seeking, done, any_of(seeking), &uids));
	*stays_r = uids.count > 0 || seeking->unsure;
	close_last(seeking);
	return NULL;
}
