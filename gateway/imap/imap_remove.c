#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decide/mark.h"

/* Removing: \Deleted on exactly these messages, then they are expunged, and no other. At most
 * IMAP_SET_MAX at a time:
 *
 *   look      flags and mod-sequences of the old messages and of their successors
 *   carry     flags that a person has set on the old one since it was replaced go to the successor; where
 *             that stands in the other mailbox (tasks that are done) this one is left for a moment, and
 *             the old one is looked at again (5)
 *   mark      STORE (UNCHANGEDSINCE) +FLAGS \Deleted; who was changed meanwhile is looked at again,
 *             TRIES times
 *   expunge   UID EXPUNGE, and a look whether they are gone (N7)
 *
 * 1. A message's text never changes, so only its flags can have changed since it was replaced: what is
 *    set and was not then goes to the successor, and what it was not given stays away. When a crash
 *    lay between and nobody knows what was set then, all goes but \Seen.
 * 2. UNCHANGEDSINCE is the mailbox's HIGHESTMODSEQ as SELECT told it, which was before the look:
 *    whoever has a higher one after it is changed. A message that was higher already in the look
 *    goes by its own number. So flags that are set between look and mark are never lost.
 * 3. Without UIDPLUS there is only EXPUNGE, which removes all that is marked: it is used only when
 *    nothing else is; before anything is marked, and once more after.
 * 4. Where the successor has gone there is nobody to carry to; the old one is removed all the same,
 *    it is no item of its own.
 * 5. Most have nothing to carry into the other mailbox, and then nothing is selected but this one. To
 *    carry the same once more, after a crash, changes nothing.
 * 6. Where there is no successor the person's marks must be those of the version, else it is CHANGED: the
 *    caller looks first. */

#define TRIES 4 /* one to carry away, one to mark, and the same once more */

struct one {
	struct endpoint_remove *remove;
	uint32_t uid, successor; /* 0: none in this mailbox */
	struct imap_spot away;   /* the successor in the other one; uid 0: none */
	struct imap_flags *gone; /* what it had when that was done; NULL: it was not */
	bool waits;              /* something was just now: it is looked at before it is marked */
	const char *marks;       /* (6) NULL: no condition */
	bool was_marked;         /* as deleted, by whomever, before we marked it */
	bool marked, settled;
};

struct removal {
	struct imap *imap;
	TALLOC_CTX *results, *mem;
	const char *folder;
	bool done;                        /* it is about the mailbox for tasks that are done */
	const char *mailbox;              /* that one, or FOLDER; belongs to RESULTS */
	const char *other;                /* FOLDER, or that one; NULL: there is none */
	struct endpoint_remove **removes; /* those that stand in it */
	size_t count;
	uint32_t uidvalidity;
	uint64_t highest; /* (2); 0: no CONDSTORE */
	/* the part that is under way */
	struct one *ones;
	size_t one_count;
	struct imap_messages messages;
};

static void settle(struct one *one, struct fault *fault)
{
	one->remove->fault = fault;
	one->settled = true;
}

static bool is_open(const struct one *one)
{
	return !one->settled && !one->marked;
}

/* ---- looking ---- */

static struct fault *not_there(struct removal *removal, const struct one *one)
{
	return fault_new(removal->results, FAULT_GONE, "%s is not in %s", one->remove->address,
			 removal->folder);
}

/* (6) */
static const char *marks_known(const struct endpoint_remove *remove)
{
	struct imap_spot spot;

	if (remove->successor || !imap_set_spot_read(remove->if_version, &spot))
		return NULL;
	return remove->if_version + strcspn(remove->if_version, " ");
}

static bool same_spot(const struct imap_spot *a, const struct imap_spot *b)
{
	return a->done == b->done && a->uidvalidity == b->uidvalidity && a->uid == b->uid;
}

static void prepare(struct removal *removal, struct one *one, struct endpoint_remove *remove,
		    uint32_t uidvalidity)
{
	const char *if_version = remove->if_version;
	struct imap_spot spot = { .uid = 0 }, other;

	remove->fault = NULL;
	*one = (struct one){ .remove = remove };
	if (!imap_set_spot_read(remove->address, &spot) || spot.uidvalidity != uidvalidity)
		settle(one, not_there(removal, one));
	else if (imap_set_spot_read(if_version, &other) && !same_spot(&spot, &other))
		settle(one, fault_new(removal->results, FAULT_CHANGED, "%s is not %s",
				      remove->address, if_version));
	one->uid = spot.uid;
	one->marks = marks_known(remove);
	if (!imap_set_spot_read(remove->successor, &other))
		return;
	if (other.done != removal->done)
		one->away = other;
	else if (other.uidvalidity == uidvalidity && other.uid != one->uid)
		one->successor = other.uid;
}

/* What is there: as deleted by whomever, and with the marks that are known? */
static void take_looked(struct removal *removal, struct one *one,
			const struct imap_message *message)
{
	one->waits = false;
	one->was_marked = imap_flags_have(message->flags, "\\Deleted");
	if (one->marks &&
	    !mark_same(one->marks, imap_flags_marks(removal->mem, message->flags,
						    removal->done ? IMAP_DONE_MARK : NULL)))
		settle(one, fault_new(removal->results, FAULT_CHANGED, "%s bears other marks",
				      one->remove->address));
}

static struct fault *look(struct removal *removal)
{
	struct imap_uids uids = { 0 };

	for (size_t i = 0; i < removal->one_count; i++) {
		const struct one *one = &removal->ones[i];

		if (!is_open(one))
			continue;
		imap_set_add(removal->mem, &uids, one->uid);
		if (one->successor)
			imap_set_add(removal->mem, &uids, one->successor);
	}
	FAULT_TRY(imap_rights_look_removed(removal->imap, removal->mem, &uids, &removal->messages));
	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];
		const struct imap_message *message =
			is_open(one) ? imap_look_find(&removal->messages, one->uid) : NULL;

		if (message && message->there)
			take_looked(removal, one, message);
		else if (message)
			settle(one, not_there(removal, one));
	}
	return NULL;
}

/* ---- carrying ---- */

/* "MODSEQ 12 FLAGS (\Seen work)", as imap_write.c says it of a message that was replaced; either half
 * may be missing: modseq 0, flags NULL. Or a version, with the marks that were known. */
struct then {
	uint64_t modseq;
	const struct imap_flags *flags;
};

static struct then read_then(TALLOC_CTX *mem, const char *if_version)
{
	static const char first[] = "MODSEQ ", second[] = "FLAGS (";
	struct then then = { .modseq = 0 };
	const char *flags;
	struct imap_spot spot;
	int64_t modseq;

	if (!if_version)
		return then;
	if (imap_set_spot_read(if_version, &spot)) {
		flags = if_version + strcspn(if_version, " ");
		then.flags = imap_flags_of_text(mem, mem_printf(mem, "\\Seen%s", flags));
		return then;
	}
	if (text_starts(if_version, first)) {
		const char *digits = if_version + strlen(first);

		if (text_to_int(mem_strndup(mem, digits, strcspn(digits, " ")), &modseq) &&
		    modseq > 0)
			then.modseq = (uint64_t)modseq;
	}
	flags = strstr(if_version, second);
	if (flags && text_ends(flags, ")")) {
		flags += strlen(second);
		then.flags = imap_flags_of_text(mem, mem_strndup(mem, flags, strlen(flags) - 1));
	}
	return then;
}

/* (1) What a person has set on OLD, and SUCCESSOR lacks; what we did not carry over then stays away. */
static struct imap_flags *late_flags(TALLOC_CTX *mem, const struct imap_message *old,
				     const char *if_version, const struct imap_message *successor)
{
	static const char *const seen_name[] = { "\\Seen" };
	const struct imap_flags seen = { (const char **)(uintptr_t)seen_name, 1 };
	struct then then = read_then(mem, if_version);
	struct imap_flags *late;

	if (then.modseq && then.modseq == old->modseq)
		return MEM_NEW(mem, struct imap_flags);
	late = imap_flags_lacking(mem, old->flags, successor->flags);
	return imap_flags_lacking(mem, late, then.flags ? then.flags : &seen);
}

/* The command that gives the successor what it lacks; NULL: nothing. */
static struct imap_line *carry_line(const struct removal *removal, const struct one *one)
{
	const struct imap_selected *selected = imap_session_selected(removal->imap->session);
	const struct imap_message *old = imap_look_find(&removal->messages, one->uid);
	const struct imap_message *successor =
		one->successor ? imap_look_find(&removal->messages, one->successor) : NULL;
	struct imap_flags *late;
	struct imap_line *line;

	if (!successor || !successor->there)
		return NULL;
	late = late_flags(removal->mem, old, one->remove->if_version, successor);
	late = imap_flags_kept(removal->mem, late, selected->any_keyword,
			       selected->permanent_flags);
	if (!late->count)
		return NULL;
	line = imap_line_new(removal->mem, "UID STORE ", true);
	imap_line_add(line, "%" PRIu32 " +FLAGS.SILENT (%s)", successor->uid,
		      imap_flags_text(line, late));
	return line;
}

static struct fault *carry(struct removal *removal)
{
	struct imap_line **lines = MEM_ARRAY(removal->mem, struct imap_line *, removal->one_count);
	struct imap_answer *answers =
		MEM_ARRAY(removal->mem, struct imap_answer, removal->one_count);
	struct one **whose = MEM_ARRAY(removal->mem, struct one *, removal->one_count);
	size_t n = 0, answered;

	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];
		struct imap_line *line = is_open(one) ? carry_line(removal, one) : NULL;

		if (!line)
			continue;
		whose[n] = one;
		lines[n++] = line;
	}
	FAULT_TRY(imap_session_run_all(removal->imap->session, removal->mem, lines, n, NULL, NULL,
				       answers, &answered));
	for (size_t i = 0; i < n; i++)
		if (answers[i].status != IMAP_OK)
			settle(whose[i], imap_answer_fault(removal->results, &answers[i],
							   FAULT_SCOPE_ITEM, "STORE"));
	return NULL;
}

/* ---- carrying into the other mailbox (5) ---- */

/* What its successor there is to get, beyond what that HAS (NULL: not known) and what was carried. */
static struct imap_flags *late_away(const struct removal *removal, const struct one *one,
				    const struct imap_message *has)
{
	struct imap_message nothing = { .flags = MEM_NEW(removal->mem, struct imap_flags) };
	const struct imap_message *old = imap_look_find(&removal->messages, one->uid);
	struct imap_flags *late;

	late = late_flags(removal->mem, old, one->remove->if_version, has ? has : &nothing);
	return one->gone ? imap_flags_lacking(removal->mem, late, one->gone) : late;
}

/* The other mailbox is selected. */
static struct fault *give_away(struct removal *removal, struct one *one,
			       const struct imap_messages *there)
{
	const struct imap_selected *selected = imap_session_selected(removal->imap->session);
	const struct imap_message *successor = imap_look_find(there, one->away.uid);
	struct imap_line *line = imap_line_new(removal->mem, "UID STORE ", true);
	struct imap_flags *late;
	struct imap_answer answer;

	if (!successor || !successor->there || selected->uidvalidity != one->away.uidvalidity)
		return NULL;
	late = imap_flags_kept(removal->mem, late_away(removal, one, successor),
			       selected->any_keyword, selected->permanent_flags);
	if (!late->count)
		return NULL;
	imap_line_add(line, "%" PRIu32 " +FLAGS.SILENT (%s)", successor->uid,
		      imap_flags_text(line, late));
	FAULT_TRY(
		imap_session_run(removal->imap->session, removal->mem, line, NULL, NULL, &answer));
	if (answer.status != IMAP_OK)
		settle(one,
		       imap_answer_fault(removal->results, &answer, FAULT_SCOPE_ITEM, "STORE"));
	return NULL;
}

static struct fault *give_all_away(struct removal *removal)
{
	struct fault *fault = imap_folder_open(removal->imap, removal->mem, removal->other, true);
	struct imap_messages there = { .count = 0 };
	struct imap_uids uids = { 0 };

	if (fault && fault->kind == FAULT_GONE) /* (4) */
		return NULL;
	FAULT_TRY(fault);
	for (size_t i = 0; i < removal->one_count; i++)
		if (removal->ones[i].waits)
			imap_set_add(removal->mem, &uids, removal->ones[i].away.uid);
	FAULT_TRY(imap_look(removal->imap, removal->mem, &uids, &there));
	for (size_t i = 0; i < removal->one_count; i++)
		if (removal->ones[i].waits)
			FAULT_TRY(give_away(removal, &removal->ones[i], &there));
	return NULL;
}

/* Back to where the old ones are, if it is still that. */
static struct fault *come_back(struct removal *removal)
{
	FAULT_TRY(imap_folder_open(removal->imap, removal->mem, removal->mailbox, true));
	if (imap_session_selected(removal->imap->session)->uidvalidity == removal->uidvalidity)
		return NULL;
	return fault_reaches(fault_new(removal->mem, FAULT_CHANGED, "%s was made anew meanwhile",
				       removal->mailbox),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

static struct fault *carry_away(struct removal *removal)
{
	bool any = false;

	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];

		if (!is_open(one) || !one->away.uid || !removal->other)
			continue;
		one->waits = late_away(removal, one, NULL)->count > 0;
		any = any || one->waits;
	}
	if (!any)
		return NULL;
	FAULT_TRY(give_all_away(removal));
	for (size_t i = 0; i < removal->one_count; i++)
		if (removal->ones[i].waits)
			removal->ones[i].gone =
				imap_look_find(&removal->messages, removal->ones[i].uid)->flags;
	return come_back(removal);
}

/* ---- marking ---- */

/* Those that go by one UNCHANGEDSINCE. */
struct group {
	uint64_t since; /* 0: no condition */
	struct imap_uids uids;
};

static uint64_t since_of(const struct removal *removal, const struct one *one)
{
	uint64_t modseq = imap_look_find(&removal->messages, one->uid)->modseq;

	if (!removal->highest || !modseq)
		return 0;
	return modseq <= removal->highest ? removal->highest : modseq; /* (2) */
}

static size_t group_them(const struct removal *removal, struct group *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < removal->one_count; i++) {
		const struct one *one = &removal->ones[i];
		uint64_t since;
		size_t g = 0;

		if (!is_open(one) || one->waits)
			continue;
		since = since_of(removal, one);
		while (g < n && groups[g].since != since)
			g++;
		groups[g].since = since;
		imap_set_add(removal->mem, &groups[g].uids, one->uid);
		n += g == n;
	}
	return n;
}

static struct imap_line *mark_line(const struct removal *removal, const struct group *group)
{
	struct imap_line *line = imap_line_new(removal->mem, "UID STORE ", true);

	imap_line_add(line, "%s ", imap_set_text(line, group->uids.uid, group->uids.count));
	if (group->since)
		imap_line_add(line, "(UNCHANGEDSINCE %" PRIu64 ") ", group->since);
	imap_line_add(line, "+FLAGS.SILENT (\\Deleted)");
	return line;
}

/* `OK [MODIFIED 7,9]` (RFC 7162 section 3.1.3): these not, all others. NO with it means the same. */
static void take_marked(struct removal *removal, struct group *group,
			const struct imap_answer *answer)
{
	struct imap_uids modified = { 0 };
	bool some = answer->code && !strcmp(answer->code, "MODIFIED");

	if (some && (!answer->code_args || !imap_set_read(removal->mem, answer->code_args->text,
							  IMAP_SET_MAX, &modified)))
		modified = group->uids; /* not understood: all are looked at again */
	(void)imap_set_sort(&modified);
	(void)imap_set_sort(&group->uids);
	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];

		if (!is_open(one) || !imap_set_has(&group->uids, one->uid))
			continue;
		if (answer->status != IMAP_OK && !some)
			settle(one, imap_answer_fault(removal->results, answer, FAULT_SCOPE_ITEM,
						      "STORE"));
		else
			one->marked = !imap_set_has(&modified, one->uid);
	}
}

static struct fault *mark(struct removal *removal)
{
	struct group *groups = MEM_ARRAY(removal->mem, struct group, removal->one_count + 1);
	size_t n = group_them(removal, groups), answered;
	struct imap_line **lines = MEM_ARRAY(removal->mem, struct imap_line *, n);
	struct imap_answer *answers = MEM_ARRAY(removal->mem, struct imap_answer, n);

	for (size_t i = 0; i < n; i++)
		lines[i] = mark_line(removal, &groups[i]);
	FAULT_TRY(imap_session_run_all(removal->imap->session, removal->mem, lines, n, NULL, NULL,
				       answers, &answered));
	for (size_t i = 0; i < n; i++)
		take_marked(removal, &groups[i], &answers[i]);
	return NULL;
}

/* ---- expunging ---- */

static void add_marked(struct removal *removal, bool marked, struct imap_uids *uids)
{
	for (size_t i = 0; i < removal->one_count; i++)
		if (!removal->ones[i].settled && removal->ones[i].marked == marked)
			imap_set_add(removal->mem, uids, removal->ones[i].uid);
	(void)imap_set_sort(uids);
}

static void settle_open(struct removal *removal, enum fault_kind kind, const char *why)
{
	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];

		if (!one->settled)
			settle(one, fault_new(removal->results, kind, "%s: %s",
					      one->remove->address, why));
	}
}

/* (3) *OTHERS_R: something besides OURS is marked. The NOOP brings what others have just done. */
static struct fault *look_for_others(struct removal *removal, const struct imap_uids *ours,
				     bool *others_r)
{
	struct imap_uids marked = { 0 };

	FAULT_TRY(imap_noop(removal->imap, removal->mem));
	FAULT_TRY(imap_look_search(removal->imap, removal->mem, "DELETED", &marked));
	*others_r = false;
	for (size_t i = 0; i < marked.count; i++)
		*others_r = *others_r || !imap_set_has(ours, marked.uid[i]);
	return NULL;
}

static const char others_marked[] = "another message of that folder is marked as deleted";

/* (3) The first time, before anything is marked. */
static struct fault *check_others(struct removal *removal)
{
	struct imap_uids ours = { 0 };
	bool others = false;

	if (imap_session_can(removal->imap->session, IMAP_CAP_UIDPLUS))
		return NULL;
	add_marked(removal, false, &ours);
	if (ours.count)
		FAULT_TRY(look_for_others(removal, &ours, &others));
	if (others)
		settle_open(removal, FAULT_LOCKED, others_marked);
	return NULL;
}

/* Takes back what we have marked, and nobody before us. */
static struct fault *unmark(struct removal *removal)
{
	struct imap_uids uids = { 0 };
	struct imap_line *line = imap_line_new(removal->mem, "UID STORE ", true);

	for (size_t i = 0; i < removal->one_count; i++) {
		const struct one *one = &removal->ones[i];

		if (!one->settled && one->marked && !one->was_marked)
			imap_set_add(removal->mem, &uids, one->uid);
	}
	if (!uids.count)
		return NULL;
	imap_line_add(line, "%s -FLAGS.SILENT (\\Deleted)",
		      imap_set_text(line, uids.uid, uids.count));
	return imap_run(removal->imap, removal->mem, line, NULL, NULL, FAULT_SCOPE_FOLDER, "STORE");
}

static struct fault *expunge_marked(struct removal *removal, const struct imap_uids *uids)
{
	bool precise = imap_session_can(removal->imap->session, IMAP_CAP_UIDPLUS), others = false;
	struct imap_line *line =
		imap_line_new(removal->mem, precise ? "UID EXPUNGE " : "EXPUNGE", true);

	if (precise)
		imap_line_add(line, "%s", imap_set_text(line, uids->uid, uids->count));
	else
		FAULT_TRY(look_for_others(removal, uids, &others));
	if (others) {
		FAULT_TRY(unmark(removal));
		settle_open(removal, FAULT_LOCKED, others_marked);
		return NULL;
	}
	return imap_run(removal->imap, removal->mem, line, NULL, NULL, FAULT_SCOPE_FOLDER,
			"EXPUNGE");
}

/* EXPUNGE was carried out, and it is still there: unmarked by somebody at that moment, or, where it still is
 * marked, the account may not expunge (the right `e`). */
static struct fault *still_there(struct removal *removal, const struct one *one,
				 const struct imap_uids *stuck)
{
	if (!imap_set_has(stuck, one->uid))
		return fault_new(removal->results, FAULT_LOCKED, "%s: the server did not remove it",
				 one->remove->address);
	return imap_rights_fault(
		removal->results, removal->mailbox,
		"messages that are marked as deleted are not removed (right \"e\")");
}

/* Only what is not found any more is removed. */
static struct fault *expunge(struct removal *removal)
{
	struct imap_uids uids = { 0 }, left = { 0 }, stuck = { 0 };
	char *criteria;

	add_marked(removal, true, &uids);
	if (!uids.count)
		return NULL;
	FAULT_TRY(expunge_marked(removal, &uids));
	criteria = mem_printf(removal->mem, "UID %s",
			      imap_set_text(removal->mem, uids.uid, uids.count));
	FAULT_TRY(imap_look_search(removal->imap, removal->mem, criteria, &left));
	if (left.count)
		FAULT_TRY(imap_look_search(removal->imap, removal->mem,
					   mem_printf(removal->mem, "%s DELETED", criteria),
					   &stuck));
	for (size_t i = 0; i < removal->one_count; i++) {
		struct one *one = &removal->ones[i];

		if (one->settled || !one->marked)
			continue;
		settle(one,
		       imap_set_has(&left, one->uid) ? still_there(removal, one, &stuck) : NULL);
	}
	return NULL;
}

/* ---- a part ---- */

static bool any_open(const struct removal *removal)
{
	for (size_t i = 0; i < removal->one_count; i++)
		if (is_open(&removal->ones[i]))
			return true;
	return false;
}

static struct fault *remove_part(struct removal *removal)
{
	for (int i = 0; i < TRIES && any_open(removal); i++) {
		FAULT_TRY(look(removal));
		if (i == 0)
			FAULT_TRY(check_others(removal));
		FAULT_TRY(carry(removal));
		FAULT_TRY(carry_away(removal));
		FAULT_TRY(mark(removal));
	}
	FAULT_TRY(expunge(removal));
	settle_open(removal, FAULT_CHANGED, "its flags change all the time");
	return NULL;
}

/* Selects the mailbox. *GONE_R: there is none for tasks that are done, and so nothing in it. */
static struct fault *open_mailbox(struct removal *removal, bool *gone_r)
{
	char *done = imap_done_mailbox(removal->imap, removal->results, removal->folder);
	struct fault *fault = NULL;

	removal->mailbox = removal->done ? done : removal->folder;
	removal->other = removal->done ? removal->folder : done;
	if (removal->mailbox)
		fault = imap_folder_open(removal->imap, removal->mem, removal->mailbox, true);
	*gone_r = !removal->mailbox || (removal->done && fault && fault->kind == FAULT_GONE);
	return *gone_r ? NULL : fault;
}

static struct fault *remove_all(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct removal *removal = context;
	int64_t writes = imap_writes(imap);
	struct fault *fault = NULL;
	uint32_t uidvalidity = 0; /* of no message */
	bool gone = false;

	removal->imap = imap;
	removal->mem = mem;
	FAULT_TRY(open_mailbox(removal, &gone));
	if (!gone) {
		FAULT_TRY(imap_rights_check(imap, mem, removal->mailbox, true));
		removal->highest = imap_session_selected(imap->session)->highestmodseq;
		uidvalidity = imap_session_selected(imap->session)->uidvalidity;
		removal->uidvalidity = uidvalidity;
	}
	for (size_t i = 0; i < removal->count; i++)
		prepare(removal, &removal->ones[i], removal->removes[i], uidvalidity);
	for (size_t i = 0; i < removal->count && !fault && !gone; i += IMAP_SET_MAX) {
		size_t left = removal->count - i;
		struct removal part = *removal;

		part.ones = removal->ones + i;
		part.one_count = left > IMAP_SET_MAX ? IMAP_SET_MAX : left;
		fault = remove_part(&part);
	}
	if (!fault || imap_writes(imap) == writes)
		return fault;
	for (size_t i = 0; i < removal->count; i++)
		if (!removal->ones[i].settled)
			settle(&removal->ones[i], imap_fault_copy(removal->results, fault));
	return NULL;
}

/* Those of one of the two mailboxes; what is no address is looked for in the folder's own. */
static struct fault *remove_some(struct imap *imap, TALLOC_CTX *mem, const char *folder, bool done,
				 struct endpoint_remove *removes, size_t count)
{
	struct removal removal = { .results = mem, .folder = folder, .done = done };
	uint32_t removed = 0;
	struct fault *fault;

	removal.removes = MEM_ARRAY(mem, struct endpoint_remove *, count);
	for (size_t i = 0; i < count; i++) {
		struct imap_spot spot = { .done = false };

		(void)imap_set_spot_read(removes[i].address, &spot);
		if (spot.done == done)
			removal.removes[removal.count++] = &removes[i];
	}
	if (!removal.count)
		return NULL;
	removal.ones = MEM_ARRAY(mem, struct one, removal.count);
	fault = imap_do(imap, mem, remove_all, &removal);
	for (size_t i = 0; i < removal.count && !fault; i++)
		removed += !removal.removes[i]->fault;
	if (removal.mailbox)
		imap_notice_wrote(imap, removal.mailbox, 0, removed);
	talloc_free(removal.ones);
	talloc_free(removal.removes);
	return fault;
}

/* The folder's own mailbox comes last, so that it is the one that stays selected. */
struct fault *imap_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  struct endpoint_remove *removes, size_t count)
{
	struct imap *imap = (struct imap *)endpoint;

	FAULT_TRY(remove_some(imap, mem, folder, true, removes, count));
	return remove_some(imap, mem, folder, false, removes, count);
}
