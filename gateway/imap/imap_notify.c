#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

#include "gateway/imap/imap_name.h"

/* NOTIFY (RFC 5465): one connection, on which no mailbox is selected, tells of all folders.
 *
 *   NOTIFY SET STATUS (mailboxes (...) (MessageNew MessageExpunge FlagChange))
 *
 * The server answers by how each mailbox is, before the OK: compared with what the last notice found,
 * so that nothing is lost in between. From then on it sends STATUS whenever one changes.
 *
 * 1. A mailbox that it does not answer for is one that it does not tell of. Dovecot 2.3 takes names as
 *    plain UTF-8 (and sends them so), where the standard has modified UTF-7: whose name was not known
 *    that way is named the other way. If that does not help, NOTIFY is of no use.
 * 2. What a STATUS does not say has not changed; one that says what is known already is no news.
 * 3. For one folder IDLE does the same, and costs a server less: Dovecot hibernates IDLE only. Its
 *    mailbox for done tasks makes no difference: who moves a message there or back does something in
 *    the folder, and what is done to it there can wait for the next poll.
 * 4. Without mod-sequences a STATUS tells of no flags.
 * 5. Dovecot may not tell, although the connection lives: doc/servers.md has the causes. Two of them
 *    we keep out of: MailboxName is not asked for (who asks for it mostly hears nothing more, for ever,
 *    when anybody renames a mailbox, and loses what comes within half a second of one that was made and
 *    removed), and no SET without a NONE before it (its watch on the log would be gone). For the rest
 *    who relies on it begins anew from time to time. What NOOP does not bring and the next SET does
 *    has been missed, or came in the moment between the two: then the connection goes, since another
 *    process of the server may do better; and the second time within an hour it is IDLE's turn for an
 *    hour, and people are told.
 * 6. After NONE a server tells nothing even of the mailbox that is selected, not to NOOP and not to
 *    IDLE: what it does without NOTIFY has to be asked for.
 * 7. A mailbox that was answered for before and is not now has gone. */

#define NOTIFY_AGAIN_US (3600 * CLOCK_SECOND_US)

struct heed {
	const char *folder; /* or its mailbox for done tasks, which need not be there: */
	bool optional;
	struct imap_counts known;
	uint64_t modseq; /* 0: not told yet */
	bool told, moved;
};

struct imap_notify {
	struct heed *list;
	size_t count, unknown; /* unknown: folders that nobody has looked into */
	bool overflowed;
};

/* ---- STATUS ---- */

static struct heed *heed_find(const struct imap_notify *notify, const char *name)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *decoded = imap_name_decode(mem, name);
	struct heed *found = NULL;

	for (size_t i = 0; i < notify->count && !found; i++)
		if (!strcmp(notify->list[i].folder, name) ||
		    (decoded && !strcmp(notify->list[i].folder, decoded)))
			found = &notify->list[i];
	talloc_free(mem);
	return found;
}

/* (2) */
static void compare(const struct imap_node *items, const char *word, uint32_t *known, bool *moved)
{
	const struct imap_node *node = imap_node_after(items, word);
	uint32_t number;

	if (!node || !imap_node_u32(node, &number) || number == *known)
		return;
	*known = number;
	*moved = true;
}

static void take_status(struct imap_notify *notify, const struct imap_node *name)
{
	const struct imap_node *list = name ? name->next : NULL, *modseq;
	uint64_t number;
	struct heed *heed;

	if (!name || name->kind == IMAP_LIST || !list || list->kind != IMAP_LIST)
		return;
	heed = heed_find(notify, name->text);
	if (!heed)
		return;
	heed->told = true;
	compare(list->first, "UIDVALIDITY", &heed->known.uidvalidity, &heed->moved);
	compare(list->first, "UIDNEXT", &heed->known.uidnext, &heed->moved);
	compare(list->first, "MESSAGES", &heed->known.exists, &heed->moved);
	modseq = imap_node_after(list->first, "HIGHESTMODSEQ");
	if (!modseq || !imap_node_u64(modseq, &number) || number == heed->modseq)
		return;
	heed->moved |= heed->modseq != 0;
	heed->modseq = number;
}

/* `* LIST (\NonExistent) "." NAME` */
static void take_list(struct imap_notify *notify, const struct imap_node *attributes)
{
	const struct imap_node *name =
		attributes && attributes->next ? attributes->next->next : NULL;
	struct heed *heed = name && name->kind != IMAP_LIST ? heed_find(notify, name->text) : NULL;

	if (heed)
		heed->moved = true;
}

static struct fault *take(void *context, const struct imap_response *response)
{
	struct imap_notify *notify = context;

	if (!strcmp(response->name, "STATUS"))
		take_status(notify, response->args);
	else if (!strcmp(response->name, "LIST"))
		take_list(notify, response->args);
	else if (!strcmp(response->name, "OK") && response->code &&
		 !strcmp(response->code, "NOTIFICATIONOVERFLOW"))
		notify->overflowed = true;
	return NULL;
}

/* ---- beginning ---- */

/* One for done tasks that was not there is news as soon as it is told of. */
static void heed_one(struct imap *imap, struct imap_notify *notify, const char *mailbox,
		     bool optional)
{
	const struct imap_noticed *last = imap_notice_last(imap, mailbox);
	struct heed heed = { .folder = mem_strdup(notify, mailbox), .optional = optional };

	if (last)
		heed.known = last->counts;
	if (last && last->counts.sign == IMAP_SIGN_MODSEQ)
		heed.modseq = last->counts.flags;
	notify->unknown += !last && !optional;
	notify->list[notify->count++] = heed;
}

static struct imap_notify *heed_all(struct imap *imap, const struct endpoint_sweep *folders,
				    size_t count)
{
	struct imap_notify *notify = MEM_NEW(imap, struct imap_notify);
	char *done;

	notify->list = MEM_ARRAY(notify, struct heed, 2 * count);
	for (size_t i = 0; i < count; i++) {
		heed_one(imap, notify, folders[i].folder, false);
		done = imap_done_mailbox(imap, notify, folders[i].folder);
		if (done)
			heed_one(imap, notify, done, true);
	}
	return notify;
}

static struct imap_line *set_line(TALLOC_CTX *mem, const struct imap_notify *notify, bool plain)
{
	struct imap_line *line = imap_line_new(mem, "NOTIFY SET STATUS (mailboxes (", false);

	for (size_t i = 0; i < notify->count; i++) {
		if (i)
			imap_line_add(line, " ");
		if (plain)
			imap_line_string(line, notify->list[i].folder);
		else
			imap_line_mailbox(line, notify->list[i].folder);
	}
	imap_line_add(line, ") (MessageNew MessageExpunge FlagChange))");
	return line;
}

static bool all_told(const struct imap_notify *notify)
{
	for (size_t i = 0; i < notify->count; i++)
		if (!notify->list[i].told && !notify->list[i].optional)
			return false;
	return true;
}

static bool any_moved(const struct imap_notify *notify)
{
	for (size_t i = 0; i < notify->count; i++)
		if (notify->list[i].moved)
			return true;
	return false;
}

/* *WORKS_R: it tells of all mailboxes. */
static struct fault *set(struct imap *imap, TALLOC_CTX *mem, bool plain, bool *works_r)
{
	struct imap_answer answer;

	FAULT_TRY(imap_session_run(imap->session, mem, set_line(mem, imap->notify, plain), take,
				   imap->notify, &answer));
	*works_r = answer.status == IMAP_OK && !imap->notify->overflowed && all_told(imap->notify);
	return NULL;
}

#define NONE_LINES 2

/* (6) */
static void none_lines(TALLOC_CTX *mem, struct imap_line **lines)
{
	lines[0] = imap_line_new(mem, "NOTIFY NONE", false);
	lines[1] = imap_line_new(
		mem, "NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))", false);
}

static struct fault *none(struct imap *imap, TALLOC_CTX *mem)
{
	struct imap_line *lines[NONE_LINES];
	struct imap_answer answers[NONE_LINES];
	size_t answered;

	none_lines(mem, lines);
	return imap_session_run_all(imap->session, mem, lines, NONE_LINES, NULL, NULL, answers,
				    &answered);
}

static struct fault *stop(struct imap *imap, TALLOC_CTX *mem)
{
	TALLOC_FREE(imap->notify);
	return none(imap, mem);
}

/* (1), (5) */
static struct fault *set_somehow(struct imap *imap, TALLOC_CTX *mem, bool *works_r)
{
	FAULT_TRY(set(imap, mem, imap->notify_plain, works_r));
	if (*works_r || imap->notify->overflowed || imap->notify_plain || imap->notify_worked)
		return NULL;
	FAULT_TRY(none(imap, mem));
	FAULT_TRY(set(imap, mem, true, works_r));
	imap->notify_plain = *works_r;
	return NULL;
}

/* (3) */
static bool may_notify(struct imap *imap, const struct endpoint_sweep *folders, size_t count)
{
	struct imap_session *session = imap->session;

	if (count < 2 || imap->notify_refused ||
	    clock_now_us(imap->clock) < imap->notify_again_us ||
	    !imap_session_can(session, IMAP_CAP_NOTIFY) ||
	    !imap_session_can(session, IMAP_CAP_CONDSTORE) ||
	    (imap_session_selected(session)->mailbox &&
	     !imap_session_can(session, IMAP_CAP_UNSELECT)))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct imap_noticed *last = imap_notice_last(imap, folders[i].folder);

		if (last && !last->counts.uidnext)
			return false;
	}
	return true;
}

static int64_t commands(const struct imap *imap)
{
	return imap_session_stats(imap->session).commands;
}

/* (5): nothing was asked since it listened last, and NOOP brought nothing. */
static bool nothing_was_told(const struct imap *imap)
{
	return imap->notify_quiet && imap->notify_quiet == commands(imap);
}

/* (7), and (1) the next time. */
static struct fault *does_not_work(struct imap *imap, TALLOC_CTX *mem, struct endpoint_ear *ear)
{
	ear->changed = imap->notify_worked && !imap->notify->overflowed;
	imap->notify_refused = !ear->changed;
	imap->notify_worked = false;
	return stop(imap, mem);
}

/* No STATUS tells of the mailbox that is selected: it is the turn of IDLE. */
static struct fault *may_not_leave(struct imap *imap, struct fault *fault)
{
	TALLOC_FREE(imap->notify);
	if (!imap_is_connected(imap))
		return fault;
	talloc_free(fault);
	imap->notify_refused = true;
	return NULL;
}

struct fault *imap_notify_begin(struct imap *imap, TALLOC_CTX *mem,
				const struct endpoint_sweep *folders, size_t count,
				struct endpoint_ear *ear)
{
	bool works = false, untold;
	struct fault *fault;

	if (!may_notify(imap, folders, count))
		return NULL;
	untold = nothing_was_told(imap);
	imap->notify = heed_all(imap, folders, count);
	if (imap->notify->unknown) {
		TALLOC_FREE(imap->notify);
		ear->changed = true;
		return NULL;
	}
	fault = imap_session_unselect(imap->session, mem);
	if (fault)
		return may_not_leave(imap, fault);
	FAULT_TRY(set_somehow(imap, mem, &works));
	if (!works)
		return does_not_work(imap, mem, ear);
	imap->notify_worked = true;
	if (any_moved(imap->notify) || !imap_session_is_drained(imap->session)) {
		ear->changed = true;
		ear->missed = untold && any_moved(imap->notify);
		return stop(imap, mem);
	}
	*ear = (struct endpoint_ear){ .fd = imap_session_fd(imap->session),
				      .count = count,
				      .doubtful = true, /* (5) */
				      .how = "notify" };
	return NULL;
}

bool imap_notify_missed(struct imap *imap)
{
	int64_t now = clock_now_us(imap->clock);
	bool again = imap->notify_missed_us && now - imap->notify_missed_us < NOTIFY_AGAIN_US;

	if (again)
		imap->notify_again_us = now + NOTIFY_AGAIN_US;
	imap->notify_missed_us = now;
	imap_disconnect(imap);
	return again;
}

/* ---- while it listens ---- */

/* The questions of the look that follows, together with the end of listening. */
static struct fault *ask_ahead(struct imap *imap)
{
	TALLOC_CTX *mem = MEM_CONTEXT(imap);
	struct imap_line *lines[NONE_LINES];
	bool asked = false;
	struct fault *fault;

	none_lines(mem, lines);
	fault = imap_ahead_ask(imap, imap->notify->list[0].folder, lines, NONE_LINES, &asked);
	if (asked)
		TALLOC_FREE(imap->notify);
	talloc_free(mem);
	return fault;
}

struct fault *imap_notify_heard(struct imap *imap, bool *changed_r)
{
	struct imap_notify *notify = imap->notify;

	FAULT_TRY(imap_session_ready(imap->session, take, notify));
	if (notify->overflowed)
		imap->notify_refused = true;
	*changed_r =
		notify->overflowed || any_moved(notify) || !imap_session_is_drained(imap->session);
	return *changed_r && imap->listens == 1 ? ask_ahead(imap) : NULL;
}

/* (5): NOOP first, if nothing was heard: it brings what waits for its moment (Dovecot tells half a
 * second late) and what the server has overlooked. */
static struct fault *end(struct imap *imap, TALLOC_CTX *mem)
{
	struct imap_notify *notify = talloc_steal(mem, imap->notify);
	struct imap_line *lines[1 + NONE_LINES];
	struct imap_answer answers[1 + NONE_LINES];
	size_t first = any_moved(notify) ? 1 : 0, answered;

	imap->notify = NULL;
	lines[0] = imap_line_new(mem, "NOOP", false);
	none_lines(mem, lines + 1);
	FAULT_TRY(imap_session_run_all(imap->session, mem, lines + first, COUNT_OF(lines) - first,
				       take, notify, answers, &answered));
	imap->notify_quiet = any_moved(notify) ? 0 : commands(imap);
	return NULL;
}

struct fault *imap_notify_end(struct imap *imap)
{
	TALLOC_CTX *mem = MEM_CONTEXT(imap);
	struct fault *fault = end(imap, mem);

	talloc_steal(imap->session, fault);
	talloc_free(mem);
	return fault;
}
