#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Messages of the selected mailbox without their text. What a server does not return has been
 * removed, or it does not know it yet: after a NOOP it is asked once more, and what is then still
 * not returned is not there. A refusal the first time means the same (RFC 2180 section 4.1: NO when
 * one of them has been removed), the second time it is a refusal. */

#define SEARCH_MAX 1000000 /* UIDs that one search may find */

struct imap_message *imap_look_find(const struct imap_messages *messages, uint32_t uid)
{
	size_t low = 0, high = messages->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (messages->list[middle].uid == uid)
			return &messages->list[middle];
		if (messages->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- flags, date, mod-sequence ---- */

struct look {
	TALLOC_CTX *mem;
	struct imap_messages *messages;
	const struct imap_beside *beside; /* NULL: nothing */
};

static struct fault *take_message(void *context, const struct imap_response *response)
{
	struct look *look = context;
	const struct imap_node *items = response->args ? response->args->first : NULL;
	const struct imap_node *flags, *date, *modseq;
	struct imap_message *message;
	uint32_t uid;
	int64_t us;

	if (look->beside)
		look->beside->take(look->beside->context, response);
	if (strcmp(response->name, "FETCH") != 0 || !items ||
	    !imap_node_u32(imap_node_after(items, "UID"), &uid))
		return NULL;
	message = imap_look_find(look->messages, uid);
	flags = imap_node_after(items, "FLAGS");
	if (!message || !flags || flags->kind != IMAP_LIST)
		return NULL;
	date = imap_node_after(items, "INTERNALDATE");
	modseq = imap_node_after(items, "MODSEQ");
	message->there = true;
	talloc_free(message->flags); /* of two answers the later one counts */
	message->flags = imap_flags_of_list(look->mem, flags);
	if (!message->date && date && date->kind == IMAP_STRING &&
	    imap_set_date_read(date->text, &us))
		message->date = mem_strdup(look->mem, date->text);
	if (modseq)
		(void)imap_node_u64(modseq->first, &message->modseq);
	return NULL;
}

static struct fault *ask(struct imap *imap, TALLOC_CTX *mem, const uint32_t *uids, size_t count,
			 const struct imap_beside *beside, struct imap_messages *messages)
{
	struct look look = { mem, messages, beside };
	size_t n = (count + IMAP_SET_MAX - 1) / IMAP_SET_MAX, answered;
	size_t all = n + (beside ? beside->count : 0);
	struct imap_line **lines = MEM_ARRAY(mem, struct imap_line *, all);
	struct imap_answer *answers = MEM_ARRAY(mem, struct imap_answer, all);
	bool modseq = imap_session_can(imap->session, IMAP_CAP_CONDSTORE) &&
		      imap_session_selected(imap->session)->highestmodseq;

	for (size_t i = 0; i < n; i++) {
		size_t from = i * IMAP_SET_MAX,
		       to = count - from > IMAP_SET_MAX ? from + IMAP_SET_MAX : count;

		lines[i] = imap_line_new(mem, "UID FETCH ", false);
		imap_line_add(lines[i], "%s (UID FLAGS INTERNALDATE%s)",
			      imap_set_text(mem, uids + from, to - from), modseq ? " MODSEQ" : "");
	}
	for (size_t i = n; i < all; i++)
		lines[i] = beside->lines[i - n];
	FAULT_TRY(imap_session_run_all(imap->session, mem, lines, all, take_message, &look, answers,
				       &answered));
	for (size_t i = 0; i < n; i++)
		FAULT_TRY(imap_answer_fault(mem, &answers[i], FAULT_SCOPE_FOLDER, "FETCH"));
	return NULL;
}

static struct fault *ask_again(struct imap *imap, TALLOC_CTX *mem, struct imap_messages *messages)
{
	struct imap_uids missing = { 0 };

	for (size_t i = 0; i < messages->count; i++)
		if (!messages->list[i].there)
			imap_set_add(mem, &missing, messages->list[i].uid);
	if (!missing.count)
		return NULL;
	FAULT_TRY(imap_noop(imap, mem));
	return ask(imap, mem, missing.uid, missing.count, NULL, messages);
}

struct fault *imap_look(struct imap *imap, TALLOC_CTX *mem, const struct imap_uids *uids,
			struct imap_messages *messages_r)
{
	return imap_look_beside(imap, mem, uids, NULL, messages_r);
}

struct fault *imap_look_beside(struct imap *imap, TALLOC_CTX *mem, const struct imap_uids *uids,
			       const struct imap_beside *beside, struct imap_messages *messages_r)
{
	struct imap_messages messages = { MEM_ARRAY(mem, struct imap_message, uids->count), 0 };
	struct imap_uids sorted = { MEM_ARRAY(mem, uint32_t, uids->count), uids->count,
				    uids->count };
	struct fault *fault;

	if (uids->count)
		memcpy(sorted.uid, uids->uid, uids->count * sizeof *uids->uid);
	(void)imap_set_sort(&sorted);
	for (size_t i = 0; i < sorted.count; i++)
		if (!i || sorted.uid[i] != sorted.uid[i - 1])
			messages.list[messages.count++].uid = sorted.uid[i];
	if (sorted.count) {
		fault = ask(imap, mem, sorted.uid, sorted.count, beside, &messages);
		if (fault && !imap_is_connected(imap))
			return fault;
		FAULT_TRY(ask_again(imap, mem, &messages));
	}
	*messages_r = messages;
	return NULL;
}

/* ---- searching ---- */

struct search {
	TALLOC_CTX *mem;
	struct imap_uids *uids;
};

static struct fault *not_uids(TALLOC_CTX *mem, const char *what)
{
	return fault_reaches(fault_new(mem, FAULT_PROTOCOL, "SEARCH: %s", what), FAULT_SCOPE_FOLDER,
			     FAULT_NEXT_RETRY);
}

/* `* ESEARCH (TAG "T7") UID ALL 1:5,7` (RFC 4731). */
static struct fault *take_set(struct search *search, const struct imap_response *response)
{
	for (const struct imap_node *node = response->args; node; node = node->next)
		if (imap_node_is(node, "ALL") && node->next &&
		    !imap_set_read(search->mem, node->next->text, SEARCH_MAX, search->uids))
			return not_uids(search->mem, "the server names messages that cannot be");
	return NULL;
}

static struct fault *take_found(void *context, const struct imap_response *response)
{
	struct search *search = context;
	uint32_t uid;

	if (!strcmp(response->name, "ESEARCH"))
		return take_set(search, response);
	if (strcmp(response->name, "SEARCH") != 0)
		return NULL;
	for (const struct imap_node *node = response->args; node; node = node->next) {
		if (node->kind == IMAP_LIST)
			continue; /* (MODSEQ n) */
		if (!imap_node_u32(node, &uid) || !uid || search->uids->count == SEARCH_MAX)
			return not_uids(search->mem, "the server names messages that cannot be");
		imap_set_add(search->mem, search->uids, uid);
	}
	return NULL;
}

struct fault *imap_look_search(struct imap *imap, TALLOC_CTX *mem, const char *criteria,
			       struct imap_uids *uids_r)
{
	struct imap_uids uids = { 0 };
	struct search search = { mem, &uids };
	bool compact = imap_session_can(imap->session, IMAP_CAP_ESEARCH);
	struct imap_line *line =
		imap_line_new(mem, compact ? "UID SEARCH RETURN (ALL) " : "UID SEARCH ", false);

	imap_line_add(line, "%s", criteria);
	FAULT_TRY(imap_run(imap, mem, line, take_found, &search, FAULT_SCOPE_FOLDER, "SEARCH"));
	if (!imap_set_sort(&uids))
		return not_uids(mem, "the server names a message twice");
	*uids_r = uids;
	return NULL;
}
