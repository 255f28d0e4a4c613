#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* Messages by address, IMAP_FETCH_MAX to a command, commands pipelined. An item ends in exactly one
 * way: its text, or a fault.
 *
 *   another UIDVALIDITY, or no address of ours   GONE, without asking
 *   not returned                                 asked once more after a NOOP; then GONE
 *   returned without a text                      asked once more; then PROTOCOL
 *   larger than IMAP_WHOLE_MAX                   its large parts are elided (imap_parts.c); one byte
 *                                                more than that is asked for
 *
 * A refusal counts as not returned the first time (RFC 2180 section 4.1), the second time as what it
 * is: nothing is taken for gone because a server said NO (N5). */

#define BODY_ASKED (IMAP_WHOLE_MAX + 1)

enum state { ELSEWHERE, WAITING, SETTLED, WITHOUT_TEXT, LARGE };

struct wanted {
	uint32_t uid;
	enum state state; /* ELSEWHERE: not in the mailbox that is asked now */
};

struct fetch {
	struct imap *imap;
	const char *folder;
	bool done; /* it is asked in the mailbox for tasks that are done */
	TALLOC_CTX *results;
	const char *const *addresses;
	size_t count;
	struct endpoint_item *items; /* all they point to hangs from them */
	struct wanted *wanted;
};

static bool is_open(const struct wanted *wanted)
{
	return wanted->state == WAITING || wanted->state == WITHOUT_TEXT;
}

static void settle(struct fetch *fetch, size_t i, struct fault *fault)
{
	fetch->items[i].fault = fault;
	fetch->wanted[i].state = SETTLED;
}

/* ---- answers ---- */

static const struct imap_node *body_of(const struct imap_node *items)
{
	const struct imap_node *body = imap_node_after(items, "BODY[]<0>");

	return body ? body : imap_node_after(items, "BODY[]");
}

/* The server's clock is taken for right, but nothing was changed in the future. */
static int64_t saved_at(struct imap *imap, const struct imap_node *items)
{
	const struct imap_node *date = imap_node_after(items, "SAVEDATE");
	int64_t us, now = clock_now_us(imap->clock);

	if (!date || date->kind != IMAP_STRING || !imap_set_date_read(date->text, &us) || us < 0)
		return 0;
	return us < now ? us : now;
}

/* NULL: not told. */
static const char *marks_of(struct fetch *fetch, const struct imap_node *items)
{
	const struct imap_node *flags = imap_node_after(items, "FLAGS");

	if (!flags || flags->kind != IMAP_LIST)
		return NULL;
	return imap_flags_marks(fetch->items, imap_flags_of_list(fetch->items, flags),
				fetch->done ? IMAP_DONE_MARK : NULL);
}

static struct fault *not_there(const struct fetch *fetch, const char *address)
{
	return fault_new(fetch->items, FAULT_GONE, "%s is not in %s", address, fetch->folder);
}

/* In the mailbox for tasks that are done: there nobody sees it any more (imap_notice.c, 7). */
static bool is_put_away(struct fetch *fetch, const struct imap_node *items)
{
	const struct imap_node *flags = imap_node_after(items, "FLAGS");

	return fetch->done && flags && flags->kind == IMAP_LIST &&
	       imap_flags_have(imap_flags_of_list(fetch->items, flags), "\\Deleted");
}

static void take_text(struct fetch *fetch, size_t i, const struct imap_node *items)
{
	const struct imap_node *body = body_of(items);
	struct endpoint_item *item = &fetch->items[i];

	if (!body)
		return;
	if (body->kind != IMAP_STRING) {
		fetch->wanted[i].state = WITHOUT_TEXT;
		return;
	}
	if (is_put_away(fetch, items)) {
		settle(fetch, i, not_there(fetch, item->address));
		return;
	}
	item->marks = marks_of(fetch, items);
	item->version = imap_notice_version(fetch->items, item->address, item->marks);
	item->text = mem_bytes(fetch->items, body->text, body->len);
	item->len = body->len;
	item->modified_us = saved_at(fetch->imap, items);
	fetch->wanted[i].state = body->len > IMAP_WHOLE_MAX ? LARGE : SETTLED;
}

/* The same message may have been asked for twice. */
static struct fault *take_item(void *context, const struct imap_response *response)
{
	struct fetch *fetch = context;
	const struct imap_node *items = response->args ? response->args->first : NULL;
	uint32_t uid;

	if (strcmp(response->name, "FETCH") != 0 ||
	    !imap_node_u32(imap_node_after(items, "UID"), &uid) || !uid)
		return NULL;
	for (size_t i = 0; i < fetch->count; i++)
		if (fetch->wanted[i].uid == uid && is_open(&fetch->wanted[i]))
			take_text(fetch, i, items);
	return NULL;
}

/* ---- asking ---- */

static struct imap_line *fetch_line(const struct fetch *fetch, TALLOC_CTX *mem,
				    const struct imap_uids *uids, size_t from)
{
	struct imap_line *line = imap_line_new(mem, "UID FETCH ", false);
	size_t left = uids->count - from;

	imap_line_add(
		line, "%s (UID FLAGS BODY.PEEK[]<0.%zu>%s)",
		imap_set_text(mem, uids->uid + from, left > IMAP_FETCH_MAX ? IMAP_FETCH_MAX : left),
		BODY_ASKED,
		imap_session_can(fetch->imap->session, IMAP_CAP_SAVEDATE) ? " SAVEDATE" : "");
	return line;
}

/* Asks for all that are not settled. *REFUSED_R: what the server said to the first that it refused,
 * or NULL. */
static struct fault *ask(struct fetch *fetch, TALLOC_CTX *mem, struct fault **refused_r)
{
	struct imap_uids uids = { 0 };
	struct imap_line **lines;
	struct imap_answer *answers;
	size_t n = 0, answered;

	for (size_t i = 0; i < fetch->count; i++)
		if (is_open(&fetch->wanted[i]))
			imap_set_add(mem, &uids, fetch->wanted[i].uid);
	lines = MEM_ARRAY(mem, struct imap_line *, uids.count);
	answers = MEM_ARRAY(mem, struct imap_answer, uids.count);
	(void)imap_set_sort(&uids);
	for (size_t from = 0; from < uids.count; from += IMAP_FETCH_MAX)
		lines[n++] = fetch_line(fetch, mem, &uids, from);
	FAULT_TRY(imap_session_run_all(fetch->imap->session, mem, lines, n, take_item, fetch,
				       answers, &answered));
	*refused_r = NULL;
	for (size_t i = 0; i < n && !*refused_r; i++)
		*refused_r = imap_answer_fault(mem, &answers[i], FAULT_SCOPE_ITEM, "FETCH");
	return NULL;
}

static size_t unsettled(const struct fetch *fetch)
{
	size_t n = 0;

	for (size_t i = 0; i < fetch->count; i++)
		n += is_open(&fetch->wanted[i]);
	return n;
}

static struct fault *without_text(const struct fetch *fetch, const char *address)
{
	return fault_new(fetch->items, FAULT_PROTOCOL, "%s: the server does not give its text",
			 address);
}

static void settle_rest(struct fetch *fetch, const struct fault *refused)
{
	for (size_t i = 0; i < fetch->count; i++) {
		const char *address = fetch->items[i].address;

		if (!is_open(&fetch->wanted[i]))
			continue;
		if (refused)
			settle(fetch, i, imap_fault_copy(fetch->items, refused));
		else if (fetch->wanted[i].state == WITHOUT_TEXT)
			settle(fetch, i, without_text(fetch, address));
		else
			settle(fetch, i, not_there(fetch, address));
	}
}

/* Who stands in the mailbox that is to be asked waits; returns their number. */
static size_t prepare(struct fetch *fetch)
{
	size_t n = 0;

	for (size_t i = 0; i < fetch->count; i++) {
		struct wanted *wanted = &fetch->wanted[i];
		struct imap_spot spot;

		if (!imap_set_spot_read(fetch->items[i].address, &spot))
			settle(fetch, i, not_there(fetch, fetch->items[i].address));
		else if (wanted->state == ELSEWHERE && spot.done == fetch->done)
			*wanted = (struct wanted){ spot.uid, WAITING };
		n += is_open(wanted);
	}
	return n;
}

/* FAULT: of the mailbox; NULL: none, but it may have been given other numbers. */
static void settle_gone(struct fetch *fetch, const struct fault *fault, uint32_t uidvalidity)
{
	struct imap_spot spot;

	for (size_t i = 0; i < fetch->count; i++) {
		const char *address = fetch->items[i].address;

		if (!is_open(&fetch->wanted[i]))
			continue;
		if (fault && !fetch->done)
			settle(fetch, i, imap_fault_copy(fetch->items, fault));
		else if (fault || !imap_set_spot_read(address, &spot) ||
			 spot.uidvalidity != uidvalidity)
			settle(fetch, i, not_there(fetch, address));
	}
}

/* What is longer than its first bytes. */
static struct fault *read_large(struct fetch *fetch, TALLOC_CTX *mem)
{
	for (size_t i = 0; i < fetch->count; i++) {
		TALLOC_CTX *scratch = MEM_CONTEXT(mem);
		struct endpoint_item *item = &fetch->items[i];
		struct fault *fault;
		char *text = NULL;

		if (fetch->wanted[i].state != LARGE)
			continue;
		fault = imap_parts_read(fetch->imap, scratch, item->address, fetch->wanted[i].uid,
					item->text, item->len, &text, &item->len);
		if (fault && !imap_is_connected(fetch->imap))
			return talloc_steal(mem, fault);
		if (fault)
			settle(fetch, i, imap_fault_copy(fetch->items, fault));
		else
			item->text = talloc_steal(fetch->items, text);
		fetch->wanted[i].state = SETTLED;
		talloc_free(scratch);
	}
	return NULL;
}

/* *FAULT_R: there is no such mailbox; NULL: it is selected. */
static struct fault *open_mailbox(struct fetch *fetch, TALLOC_CTX *mem, struct fault **fault_r)
{
	const char *mailbox =
		fetch->done ? imap_done_mailbox(fetch->imap, mem, fetch->folder) : fetch->folder;
	struct fault *fault = mailbox ? imap_folder_open(fetch->imap, mem, mailbox, false)
				      : fault_new(mem, FAULT_GONE, "there is no such mailbox");

	if (fault && fault->kind != FAULT_GONE)
		return fault;
	*fault_r = fault;
	return NULL;
}

static struct fault *fetch_some(struct imap *imap, TALLOC_CTX *mem, struct fetch *fetch)
{
	struct fault *refused = NULL, *gone = NULL;

	if (!prepare(fetch))
		return NULL;
	FAULT_TRY(open_mailbox(fetch, mem, &gone));
	settle_gone(fetch, gone, gone ? 0 : imap_session_selected(imap->session)->uidvalidity);
	if (unsettled(fetch))
		FAULT_TRY(ask(fetch, mem, &refused));
	if (unsettled(fetch)) {
		FAULT_TRY(imap_noop(imap, mem));
		FAULT_TRY(ask(fetch, mem, &refused));
		settle_rest(fetch, refused);
	}
	return read_large(fetch, mem);
}

/* The folder's own mailbox comes last, so that it is the one that stays selected. */
static struct fault *fetch_all(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct fetch *fetch = context;

	talloc_free(fetch->items);
	fetch->items = MEM_ARRAY(fetch->results, struct endpoint_item, fetch->count);
	fetch->wanted = MEM_ARRAY(mem, struct wanted, fetch->count);
	for (size_t i = 0; i < fetch->count; i++)
		fetch->items[i].address = mem_strdup(fetch->items, fetch->addresses[i]);
	fetch->done = true;
	FAULT_TRY(fetch_some(imap, mem, fetch));
	fetch->done = false;
	return fetch_some(imap, mem, fetch);
}

struct fault *imap_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 const char *const *addresses, size_t count, struct endpoint_item **items_r)
{
	struct fetch fetch = { .imap = (struct imap *)endpoint,
			       .folder = folder,
			       .results = mem,
			       .addresses = addresses,
			       .count = count };
	struct fault *fault = NULL;

	if (count)
		fault = imap_do(fetch.imap, mem, fetch_all, &fetch);
	else
		fetch.items = MEM_ARRAY(mem, struct endpoint_item, 0);
	if (fault) {
		talloc_free(fetch.items);
		return fault;
	}
	*items_r = fetch.items;
	return NULL;
}
