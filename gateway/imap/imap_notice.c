#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* What changed in a folder. A token is "UIDVALIDITY UIDNEXT EXISTS SIGN": the numbers of a listing L
 * such that L has EXISTS messages, and every message whose UID is below UIDNEXT is in L or was not
 * there any more; SIGN tells whether marks are still those of L. Texts never change, so:
 *
 *   all the same                  nothing changed
 *   UIDNEXT or the sign moved     what is new and what has other flags is asked for; if the old and
 *                                 the new ones together are as many as there are, nothing has gone
 *   something has gone            with QRESYNC the server says what; what it says beyond that (it may
 *                                 name what went long ago) does no harm
 *   all else                      a listing
 *
 * 1. A listing is complete or a fault: it must have as many messages as the server said that there
 *    are, before it or after it (messages come meanwhile).
 * 2. A server that does not tell UIDNEXT is asked for a listing every time.
 * 3. \Deleted is a wish; a message that has it is there.
 * 4. UIDNEXT counts all that was ever stored. When it has moved by as many as we have stored, and
 *    EXISTS by as many as we have stored less those that we have removed, nobody else has stored or
 *    removed anything: then the token moves on behind our own writes; its sign does so when no flag
 *    is other than what we vouched for.
 * 5. Without mod-sequences flags have to be listed to see that none has changed: some 40 bytes for
 *    each message of the folder and look. None of it while the mailbox stays selected and the server
 *    has told of no change, as it must (RFC 3501 section 7.4.2).
 * 6. A token without a sign is of a time when flags meant nothing. It is not understood any more: what
 *    is set by now has to be known, so that what is set next is news.
 * 7. Messages of done tasks stand in a mailbox of their own, whose numbers are in the token too. It is
 *    asked for them by STATUS, and selected only if something in it has changed. There \Deleted is
 *    more than a wish: who copies a message back and marks the copy there as deleted has moved it
 *    back. That it is not there is believed of one that had messages only if the server does not
 *    list it either (N5). */

#define LISTINGS_MAX 3 /* tries, while messages come and go */

static bool same_messages(const struct imap_counts *a, const struct imap_counts *b)
{
	return a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext &&
	       a->exists == b->exists;
}

static bool same_counts(const struct imap_counts *a, const struct imap_counts *b)
{
	return same_messages(a, b) && a->sign == b->sign && a->flags == b->flags;
}

/* How the selected mailbox is, by what the server told without being asked for a listing. */
static struct imap_counts counts_now(struct imap *imap)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);

	return (struct imap_counts){
		.uidvalidity = selected->uidvalidity,
		.uidnext = selected->uidnext,
		.exists = selected->exists,
		.sign = selected->highestmodseq ? IMAP_SIGN_MODSEQ : IMAP_SIGN_NONE,
		.flags = selected->highestmodseq,
	};
}

/* ---- what was noticed last ---- */

struct imap_noticed *imap_notice_last(struct imap *imap, const char *folder)
{
	for (size_t i = 0; i < imap->noticed_count; i++)
		if (!strcmp(imap->noticed[i].folder, folder))
			return &imap->noticed[i];
	return NULL;
}

static void remember(struct imap *imap, const char *folder, const struct imap_counts *counts)
{
	struct imap_noticed *last = imap_notice_last(imap, folder);

	if (!last) {
		imap->noticed =
			MEM_GROW(imap, imap->noticed, struct imap_noticed, imap->noticed_count + 1);
		last = &imap->noticed[imap->noticed_count++];
		*last = (struct imap_noticed){ .folder = mem_strdup(imap, folder) };
	}
	last->counts = *counts;
	last->selection = imap->selection;
	last->changes = imap->changes;
	last->appended = last->removed = 0;
	talloc_free(last->placed.list);
	last->placed = (struct imap_listing){ .count = 0 };
}

static void add_copy(struct imap *imap, struct imap_listing *to, const struct imap_listed *listed)
{
	imap_listing_add(imap, to, listed);
	to->list[to->count - 1].marks = mem_strdup(to->list, listed->marks);
}

/* Those with marks: what a digest is made of. */
static void remember_marked(struct imap *imap, struct imap_noticed *last,
			    const struct imap_listing *listing)
{
	talloc_free(last->marked.list);
	last->marked = (struct imap_listing){ .count = 0 };
	if (last->counts.sign == IMAP_SIGN_DIGEST)
		for (size_t i = 0; i < listing->count; i++)
			if (*listing->list[i].marks || listing->list[i].deleted)
				add_copy(imap, &last->marked, &listing->list[i]);
}

void imap_notice_wrote(struct imap *imap, const char *folder, uint32_t appended, uint32_t removed)
{
	struct imap_noticed *last = imap_notice_last(imap, folder);

	if (!last)
		return;
	last->appended += appended;
	last->removed += removed;
}

void imap_notice_placed(struct imap *imap, const char *folder, const char *version)
{
	struct imap_noticed *last = imap_notice_last(imap, folder);
	const char *marks = strchr(version, ' ');
	struct imap_listed listed = { .marks = marks ? marks + 1 : "" };
	struct imap_spot spot;

	if (!last || !imap_set_spot_read(version, &spot))
		return;
	listed.uid = spot.uid;
	add_copy(imap, &last->placed, &listed);
}

/* (5) */
static bool has_stayed(struct imap *imap, const struct imap_noticed *last)
{
	return last->selection == imap->selection &&
	       last->changes == imap_session_selected(imap->session)->changes;
}

bool imap_notice_is_current(struct imap *imap, const char *folder)
{
	const struct imap_noticed *last = imap_notice_last(imap, folder);
	struct imap_counts now = counts_now(imap);

	if (!last || !same_messages(&last->counts, &now))
		return false;
	return has_stayed(imap, last) ||
	       (now.uidnext && now.sign == IMAP_SIGN_MODSEQ && same_counts(&last->counts, &now));
}

char *imap_notice_version(TALLOC_CTX *mem, const char *address, const char *marks)
{
	return marks && *marks ? mem_printf(mem, "%s %s", address, marks)
			       : mem_strdup(mem, address);
}

/* ---- noticing ---- */

enum { OWN, DONE, SIDES };

/* One of the two mailboxes, and what was found in it. */
struct side {
	const char *mailbox;             /* NULL: there is none, nor messages in it */
	bool wanted;                     /* there may be one at any time */
	bool done;                       /* it is that for tasks that are done */
	const struct imap_counts *since; /* NULL: nothing is known of before */
	struct imap_resync resync;
	struct imap_changes changes; /* if RESYNC was told */
	struct imap_listing listing;
	struct imap_uids vanished;
	bool full;
	bool uidnext_found; /* COUNTS have what is behind the last message, of a server that tells none */
	struct imap_counts counts;
};

struct noticing {
	TALLOC_CTX *mem; /* of the result */
	const char *folder, *token;
	const char *object_id;            /* the session's; NULL: not told */
	struct imap_ahead *ahead;         /* NULL: nothing was asked before */
	struct imap_status status[SIDES]; /* of both mailboxes, if they were */
	bool asked;
	struct endpoint_notice *notice;
};

static void add_change(struct endpoint_notice *notice, const struct side *side,
		       const struct imap_listed *listed, char *text)
{
	const struct imap_spot spot = { side->done, side->counts.uidvalidity, listed->uid };
	struct endpoint_change *change = &notice->changes[notice->count];

	if (listed->deleted && notice->full)
		return;
	notice->count++;
	imap_set_spot_write(text, &spot);
	change->address = text;
	change->removed = listed->deleted;
	if (listed->deleted)
		return;
	change->version = text;
	if (*listed->marks)
		change->version = imap_notice_version(notice, text, listed->marks);
	change->marks = *listed->marks ? change->version + strlen(text) + 1 : "";
}

/* UIDNEXT counts all that was ever stored (4), unless it was found: then the last message may have come
 * and gone again. A mailbox that is not there, or was not, may have come and gone with all that it had. */
static bool nothing_came(const struct side *side)
{
	if (!side->mailbox || !side->since)
		return !side->since && !side->wanted;
	return !side->uidnext_found && side->counts.uidnext <= side->since->uidnext;
}

/* What has come since the token, by us or by others. Where the token did not move on behind our own
 * writes, no count and no VANISHED tells of one of them that has gone by now. */
static void add_span(struct endpoint_notice *notice, const struct side *side)
{
	struct imap_spot first = { .done = side->done },
			 last = { side->done, UINT32_MAX, UINT32_MAX };
	char *from, *to;

	if (notice->full || nothing_came(side))
		return;
	if (side->since) { /* under another UIDVALIDITY it is a full listing, or no more there */
		first.uidvalidity = last.uidvalidity = side->since->uidvalidity;
		first.uid = side->since->uidnext;
	}
	from = MEM_ARRAY(notice, char, IMAP_ADDRESS_SIZE);
	to = MEM_ARRAY(notice, char, IMAP_ADDRESS_SIZE);
	imap_set_spot_write(from, &first);
	imap_set_spot_write(to, &last);
	notice->spans[notice->span_count++] = (struct endpoint_span){ from, to };
}

/* All addresses in one piece of memory; one without marks is its own version. */
static void fill(struct noticing *noticing, const struct side *sides, size_t count)
{
	struct endpoint_notice *notice = MEM_NEW(noticing->mem, struct endpoint_notice);
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < count; i++)
		n += sides[i].listing.count + sides[i].vanished.count;
	notice->object_id = noticing->object_id ? mem_strdup(notice, noticing->object_id) : NULL;
	notice->changes = MEM_ARRAY(notice, struct endpoint_change, n);
	notice->full = sides[0].full;
	text = MEM_ARRAY(notice, char, n *IMAP_ADDRESS_SIZE);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sides[i].listing.count; j++, text += IMAP_ADDRESS_SIZE)
			add_change(notice, &sides[i], &sides[i].listing.list[j], text);
		for (size_t j = 0; j < sides[i].vanished.count; j++, text += IMAP_ADDRESS_SIZE)
			add_change(notice, &sides[i],
				   &(struct imap_listed){ .uid = sides[i].vanished.uid[j],
							  .deleted = true },
				   text);
	}
	for (size_t i = 0; i < count; i++)
		add_span(notice, &sides[i]);
	noticing->notice = notice;
}

/* What is found is LISTING; from now on the mailbox is known to be as COUNTS say. */
static void conclude(struct imap *imap, struct side *side, const struct imap_listing *listing,
		     bool full, const struct imap_counts *counts)
{
	side->listing = *listing;
	side->vanished = (struct imap_uids){ .count = 0 };
	side->full = full;
	side->counts = *counts;
	remember(imap, side->mailbox, counts);
}

static uint32_t behind_all(uint32_t uidnext, const struct imap_listing *listing)
{
	uint32_t last = listing->count ? listing->list[listing->count - 1].uid : 0;

	return uidnext && last >= uidnext && last < UINT32_MAX ? last + 1 : uidnext;
}

/* Every message (1). */
static struct fault *list_all(struct imap *imap, TALLOC_CTX *mem, const char *mailbox, bool done,
			      struct imap_listing *listing_r, struct imap_counts *counts_r)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);
	struct imap_listing listing = { .count = 0 };

	for (int i = 0; i < LISTINGS_MAX; i++) {
		uint32_t before = selected->exists;
		struct imap_counts counts = counts_now(imap);

		FAULT_TRY(imap_listing(imap, mem, done, 1, &listing));
		if (listing.count != before && listing.count != selected->exists) {
			FAULT_TRY(imap_noop(imap, mem));
			continue;
		}
		counts.uidnext = behind_all(counts.uidnext, &listing);
		counts.exists = (uint32_t)listing.count;
		if (counts.sign == IMAP_SIGN_NONE) {
			counts.sign = IMAP_SIGN_DIGEST;
			counts.flags = imap_listing_digest(&listing, UINT32_MAX);
		}
		*listing_r = listing;
		*counts_r = counts;
		return NULL;
	}
	return fault_reaches(fault_new(mem, FAULT_PROTOCOL,
				       "%s: the server lists %zu messages, and says that there are "
				       "%" PRIu32,
				       mailbox, listing.count, selected->exists),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

/* Those from UID FIRST on. */
static struct imap_listing tail(const struct imap_listing *listing, uint32_t first)
{
	struct imap_listing tail = *listing;

	while (tail.count && tail.list->uid < first) {
		tail.list++;
		tail.count--;
	}
	return tail;
}

static bool nothing_gone(const struct imap_counts *since, size_t fresh,
			 const struct imap_counts *now)
{
	return now->uidnext >= since->uidnext && (uint64_t)since->exists + fresh == now->exists;
}

/* A listing of all, of which it may turn out that only the tail of it is new. */
static struct fault *compare_all(struct imap *imap, TALLOC_CTX *mem, struct side *side)
{
	const struct imap_counts *since = side->since;
	struct imap_listing listing, fresh;
	struct imap_counts counts;
	bool same;

	FAULT_TRY(list_all(imap, mem, side->mailbox, side->done, &listing, &counts));
	fresh = since ? tail(&listing, since->uidnext) : listing;
	same = since && nothing_gone(since, fresh.count, &counts) &&
	       since->sign == IMAP_SIGN_DIGEST &&
	       since->flags == imap_listing_digest(&listing, since->uidnext);
	conclude(imap, side, same ? &fresh : &listing, !same, &counts);
	remember_marked(imap, imap_notice_last(imap, side->mailbox), &listing);
	return NULL;
}

/* What the server says to have gone, of what was there at the time of SINCE, if it is enough to account
 * for those that are missing now. */
static bool accounts_for(const struct imap_counts *since, const struct imap_changes *changes,
			 uint32_t exists, struct imap_uids *gone_r)
{
	uint64_t before = (uint64_t)since->exists + tail(&changes->listing, since->uidnext).count;
	struct imap_uids gone = changes->vanished;

	while (gone.count && gone.uid[gone.count - 1] >= since->uidnext)
		gone.count--;
	if (before == exists)
		gone.count = 0;
	else if (before < exists || changes->lost || before - exists > gone.count)
		return false;
	*gone_r = gone;
	return true;
}

static struct fault *ask_changed(struct imap *imap, TALLOC_CTX *mem, struct side *side,
				 const struct imap_counts *now)
{
	if (side->resync.told)
		imap_listing_resynced(&side->changes);
	else if (!same_counts(side->since, now))
		return imap_listing_changed(imap, mem, side->done, side->since->flags,
					    &side->changes);
	return NULL;
}

/* By mod-sequences. *DONE_R false: it cannot be told by them. */
static struct fault *list_changed(struct imap *imap, TALLOC_CTX *mem, struct side *side,
				  bool *done_r)
{
	const struct imap_counts *since = side->since;
	struct imap_counts now = counts_now(imap);
	struct imap_uids gone;

	*done_r = false;
	if (now.sign != IMAP_SIGN_MODSEQ || now.uidnext < since->uidnext ||
	    since->sign != now.sign || since->flags > now.flags)
		return NULL;
	FAULT_TRY(ask_changed(imap, mem, side, &now));
	now.exists = imap_session_selected(imap->session)->exists;
	if (!accounts_for(since, &side->changes, now.exists, &gone))
		return NULL;
	now.uidnext = behind_all(now.uidnext, &side->changes.listing);
	conclude(imap, side, &side->changes.listing, false, &now);
	side->vanished = gone;
	*done_r = true;
	return NULL;
}

/* (5) */
static bool is_as_before(struct imap *imap, const struct side *side)
{
	const struct imap_noticed *last = imap_notice_last(imap, side->mailbox);

	return side->since && last && same_counts(&last->counts, side->since) &&
	       has_stayed(imap, last) && imap_notice_is_current(imap, side->mailbox);
}

/* The selected mailbox. */
static struct fault *look(struct imap *imap, TALLOC_CTX *mem, struct side *side)
{
	const struct imap_listing nothing = { .count = 0 };
	bool done = false;

	side->uidnext_found = imap_session_selected(imap->session)->uidnext_found;
	if (is_as_before(imap, side)) {
		conclude(imap, side, &nothing, false, side->since);
		return NULL;
	}
	if (side->since)
		FAULT_TRY(list_changed(imap, mem, side, &done));
	return done ? NULL : compare_all(imap, mem, side);
}

static struct fault *open_side(struct imap *imap, TALLOC_CTX *mem, struct side *side,
			       struct imap_ahead *ahead)
{
	bool resyncs = side->since && side->since->sign == IMAP_SIGN_MODSEQ &&
		       imap_session_resyncs(imap->session);

	side->changes = (struct imap_changes){ .mem = mem, .done = side->done };
	side->resync.told =
		imap_ahead_changes(imap, ahead, side->mailbox, side->since, &side->changes);
	if (side->resync.told)
		return NULL;
	if (resyncs)
		imap_listing_resync(&side->changes, side->since, &side->resync);
	return imap_folder_open_since(imap, mem, side->mailbox,
				      imap_ahead_is_still(ahead, side->mailbox),
				      resyncs ? &side->resync : NULL);
}

/* ---- the mailbox for tasks that are done (7) ---- */

static struct fault *is_absent(struct imap *imap, TALLOC_CTX *mem, struct side *side)
{
	bool there = false;

	side->full = side->since && side->since->exists;
	if (!side->full) {
		side->mailbox = NULL;
		return NULL;
	}
	FAULT_TRY(imap_folder_is_there(imap, mem, side->mailbox, &there));
	if (there)
		return fault_reaches(fault_new(mem, FAULT_REFUSED,
					       "%s: the server does not say what is in it",
					       side->mailbox),
				     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
	side->mailbox = NULL;
	return NULL;
}

static bool is_untouched(const struct imap_counts *since, const struct imap_counts *now)
{
	if (!since || !now->uidnext)
		return false;
	if (now->sign == IMAP_SIGN_MODSEQ)
		return same_counts(since, now);
	return since->sign != IMAP_SIGN_MODSEQ && same_messages(since, now) && !now->exists;
}

/* There is nothing to be listed. */
static bool is_empty(const struct imap_counts *counts)
{
	return !counts->exists && counts->uidnext && counts->sign == IMAP_SIGN_MODSEQ;
}

static struct fault *look_at_done(struct imap *imap, TALLOC_CTX *mem, struct side *side,
				  const struct noticing *noticing)
{
	const struct imap_listing nothing = { .count = 0 };
	struct imap_status status = { .mailbox = side->mailbox };
	bool first = noticing->token && !side->since; /* all that is told is told since a token */
	struct fault *fault;

	if (noticing->asked)
		status = noticing->status[DONE];
	else if (!imap_ahead_done(noticing->ahead, &status))
		FAULT_TRY(imap_status(imap, mem, &status, 1));
	if (!status.told)
		return is_absent(imap, mem, side);
	if (is_untouched(side->since, &status.counts)) {
		side->counts = *side->since;
		return NULL;
	}
	if (!side->since && is_empty(&status.counts)) {
		conclude(imap, side, &nothing, !first, &status.counts);
		return NULL;
	}
	fault = open_side(imap, mem, side, NULL);
	if (fault && fault->kind == FAULT_GONE) /* since then: it is not the folder that has gone */
		return is_absent(imap, mem, side);
	FAULT_TRY(fault);
	if (side->since &&
	    side->since->uidvalidity != imap_session_selected(imap->session)->uidvalidity)
		side->since = NULL;
	FAULT_TRY(look(imap, mem, side));
	side->full = side->full && !first; /* all of it is new, and nothing else has gone */
	return NULL;
}

/* ---- both ---- */

static struct fault *old_token(TALLOC_CTX *mem, const char *folder, const char *why)
{
	return fault_new(mem, FAULT_TOKEN, "%s: %s", folder, why);
}

static struct fault *prepare(struct imap *imap, TALLOC_CTX *mem, struct noticing *noticing,
			     struct imap_token *since, struct side *sides)
{
	sides[OWN].mailbox = noticing->folder;
	sides[DONE].mailbox = imap_done_mailbox(imap, mem, noticing->folder);
	sides[DONE].wanted = sides[DONE].mailbox != NULL;
	sides[DONE].done = true;
	if (!noticing->token)
		return NULL;
	if (!imap_token_read(mem, noticing->token, since))
		return old_token(mem, noticing->folder, "not a token of an IMAP server");
	sides[OWN].since = &since->counts;
	if (since->has_done)
		sides[DONE].since = &since->done;
	if (!sides[DONE].mailbox) /* not any more */
		sides[DONE].full = since->has_done && since->done.exists;
	return NULL;
}

/* If one of them is a whole listing, so is the other. */
static struct fault *complete(struct imap *imap, TALLOC_CTX *mem, struct side *sides)
{
	bool full = sides[OWN].full || sides[DONE].full;

	if (!full)
		return NULL;
	for (size_t i = 0; i < SIDES; i++) {
		struct side *side = &sides[SIDES - 1 - i];

		side->since = NULL;
		if (side->full || !side->mailbox)
			continue;
		FAULT_TRY(imap_folder_open(imap, mem, side->mailbox, true));
		FAULT_TRY(compare_all(imap, mem, side));
	}
	sides[OWN].full = sides[DONE].full = true;
	return NULL;
}

/* By STATUS it can be seen that nothing has changed, of both mailboxes at once; that is worth it when the
 * folder's own one would have to be selected. */
static struct fault *ask_both(struct imap *imap, TALLOC_CTX *mem, struct noticing *noticing,
			      const struct side *sides)
{
	const struct side *own = &sides[OWN], *done = &sides[DONE];

	if (noticing->ahead || !own->since || own->since->sign != IMAP_SIGN_MODSEQ ||
	    !imap_session_can(imap->session, IMAP_CAP_CONDSTORE) ||
	    imap_folder_is_selected(imap, own->mailbox))
		return NULL;
	noticing->status[OWN].mailbox = own->mailbox;
	noticing->status[DONE].mailbox = done->mailbox;
	noticing->asked = true;
	return imap_status_each(imap, mem, noticing->status, done->mailbox ? 2 : 1);
}

/* True: neither has, and nothing has to be selected. */
static bool both_are_still(struct imap *imap, struct noticing *noticing, struct side *sides)
{
	const struct imap_status *own = &noticing->status[OWN], *done = &noticing->status[DONE];

	if (!noticing->asked || !own->told || !is_untouched(sides[OWN].since, &own->counts))
		return false;
	if (done->told ? !is_untouched(sides[DONE].since, &done->counts)
		       : sides[DONE].since || sides[DONE].full)
		return false;
	if (!done->told)
		sides[DONE].mailbox = NULL;
	sides[OWN].counts = *sides[OWN].since;
	remember(imap, sides[OWN].mailbox, sides[OWN].since);
	if (done->told)
		sides[DONE].counts = *sides[DONE].since;
	return true;
}

/* The folder's own mailbox comes last, so that it is the one that stays selected. */
static struct fault *look_at_both(struct imap *imap, TALLOC_CTX *mem, struct noticing *noticing,
				  struct side *sides)
{
	const struct imap_counts *since = sides[OWN].since;

	if (sides[DONE].mailbox)
		FAULT_TRY(look_at_done(imap, mem, &sides[DONE], noticing));
	FAULT_TRY(open_side(imap, mem, &sides[OWN], noticing->ahead));
	noticing->object_id = imap_session_selected(imap->session)->mailbox_id;
	if (since && since->uidvalidity != imap_session_selected(imap->session)->uidvalidity)
		return old_token(mem, noticing->folder,
				 "the server has given all messages new numbers");
	FAULT_TRY(look(imap, mem, &sides[OWN]));
	return complete(imap, mem, sides);
}

struct fault *imap_notice_do(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct noticing *noticing = context;
	struct side sides[SIDES] = { 0 };
	struct imap_token since, now = { .knows_done = imap->account.done_folder != NULL };

	FAULT_TRY(imap_ahead_take(imap, mem, &noticing->ahead));
	FAULT_TRY(prepare(imap, mem, noticing, &since, sides));
	FAULT_TRY(ask_both(imap, mem, noticing, sides));
	if (!both_are_still(imap, noticing, sides))
		FAULT_TRY(look_at_both(imap, mem, noticing, sides));
	fill(noticing, sides, SIDES);
	now.counts = sides[OWN].counts;
	now.done = sides[DONE].counts;
	now.has_done = sides[DONE].mailbox != NULL;
	noticing->notice->token = imap_token_write(noticing->notice, &now);
	return NULL;
}

struct fault *imap_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *token, struct endpoint_notice **notice_r)
{
	struct noticing noticing = { .mem = mem, .folder = folder, .token = token };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, imap_notice_do, &noticing);

	if (fault)
		return fault;
	*notice_r = noticing.notice;
	return NULL;
}

enum imap_moved imap_notice_moved(TALLOC_CTX *mem, const char *text, const struct imap_status *own,
				  const struct imap_status *done)
{
	struct imap_token token;

	if (!text || !imap_token_read(mem, text, &token) || token.counts.sign != IMAP_SIGN_MODSEQ ||
	    token.knows_done != (done != NULL))
		return IMAP_MOVED_UNKNOWN;
	if (!own->told || !is_untouched(&token.counts, &own->counts))
		return IMAP_MOVED;
	if (!done || (!done->told && !token.has_done))
		return IMAP_STILL;
	return done->told && token.has_done && is_untouched(&token.done, &done->counts)
		       ? IMAP_STILL
		       : IMAP_MOVED;
}

/* ---- behind our own writes (4) ---- */

struct advancing {
	TALLOC_CTX *mem; /* of the result */
	const char *folder, *token;
	char *later; /* NULL: the token stays */
};

/* True when LISTING shows nothing but marks that were there before or that we have given. */
static bool marks_are_ours(struct imap_noticed *last, const struct imap_listing *listing)
{
	bool by_modseq = last->counts.sign == IMAP_SIGN_MODSEQ;

	imap_listing_sort(&last->placed);
	for (size_t i = 0; i < listing->count; i++) {
		const struct imap_listed *listed = &listing->list[i];
		bool fresh = listed->uid >= last->counts.uidnext;
		const char *marks =
			imap_listing_marks(fresh ? &last->placed : &last->marked, listed->uid);

		if (listed->deleted || (!fresh && by_modseq))
			return false; /* what it had before is not known */
		if (strcmp(marks ? marks : "", listed->marks) != 0)
			return false;
	}
	return true;
}

/* The sign goes on only if nobody has changed a flag (4). */
static struct fault *advance_sign(struct imap *imap, TALLOC_CTX *mem, struct imap_noticed *last,
				  bool done, struct imap_counts *counts)
{
	struct imap_listing listing = { .count = 0 };
	struct imap_changes changes = { .listing = listing };
	struct imap_counts now = counts_now(imap);

	if (now.sign == IMAP_SIGN_NONE && counts->sign == IMAP_SIGN_DIGEST)
		FAULT_TRY(list_all(imap, mem, last->folder, done, &listing, &now));
	else if (now.sign == counts->sign && now.flags > counts->flags)
		FAULT_TRY(imap_listing_changed(imap, mem, done, counts->flags, &changes));
	else
		return NULL;
	if (now.sign == IMAP_SIGN_MODSEQ)
		listing = changes.listing;
	if (!marks_are_ours(last, &listing))
		return NULL;
	counts->flags = now.flags;
	remember_marked(imap, last, &listing);
	return NULL;
}

/* COUNTS of one of the two mailboxes; they stay where that is not certain. */
static struct fault *advance_counts(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				    bool done, struct imap_counts *counts)
{
	struct imap_noticed *last = imap_notice_last(imap, mailbox);
	struct imap_counts later = *counts, now;

	if (!last || !same_counts(counts, &last->counts) || (!last->appended && !last->removed))
		return NULL;
	later.uidnext += last->appended;
	later.exists += last->appended - last->removed;
	FAULT_TRY(imap_folder_open(imap, mem, mailbox, true));
	now = counts_now(imap);
	if (!same_messages(&now, &later))
		return NULL;
	FAULT_TRY(advance_sign(imap, mem, last, done, &later));
	remember(imap, mailbox, &later);
	*counts = later;
	return NULL;
}

static struct fault *advance(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct advancing *advancing = context;
	char *done = imap_done_mailbox(imap, mem, advancing->folder);
	struct imap_token token;

	if (imap_afar_is(imap, advancing->folder))
		return NULL; /* many messages: to look at all of them takes long */
	if (!imap_token_read(mem, advancing->token, &token))
		return NULL;
	if (done && token.has_done)
		FAULT_TRY(advance_counts(imap, mem, done, true, &token.done));
	FAULT_TRY(advance_counts(imap, mem, advancing->folder, false, &token.counts));
	advancing->later = imap_token_write(advancing->mem, &token);
	return NULL;
}

struct fault *imap_notice_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *token, char **token_r)
{
	struct advancing advancing = { .mem = mem, .folder = folder, .token = token };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, advance, &advancing);

	if (fault)
		return fault;
	*token_r = advancing.later ? advancing.later : mem_strdup(mem, token);
	return NULL;
}

/* ---- listening ---- */

static void believe(struct imap *imap, const char *mailbox, const struct imap_counts *counts)
{
	if (!imap_notice_last(imap, mailbox))
		remember(imap, mailbox, counts);
}

void imap_notice_believe(struct imap *imap, TALLOC_CTX *mem, const char *folder, const char *token)
{
	char *done = imap_done_mailbox(imap, mem, folder);
	struct imap_token said;

	if (!token || !imap_token_read(mem, token, &said))
		return;
	believe(imap, folder, &said.counts);
	if (done && said.has_done)
		believe(imap, done, &said.done);
}

struct fault *imap_notice_again(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				bool *current_r)
{
	const struct imap_noticed *last = imap_notice_last(imap, folder), *done_last = NULL;
	char *done = imap_done_mailbox(imap, mem, folder);
	struct noticing noticing = { .mem = mem, .folder = folder };
	struct imap_token token = { .knows_done = done != NULL };
	uint32_t appended;

	*current_r = imap_notice_is_current(imap, folder);
	if (*current_r || !last || last->counts.sign != IMAP_SIGN_DIGEST ||
	    last->counts.uidvalidity != counts_now(imap).uidvalidity)
		return NULL;
	token.counts = last->counts;
	if (done)
		done_last = imap_notice_last(imap, done);
	token.has_done = done_last != NULL;
	if (done_last)
		token.done = done_last->counts;
	noticing.token = imap_token_write(mem, &token);
	if (!noticing.token)
		return NULL;
	appended = last->appended; /* the look forgets it */
	FAULT_TRY(imap_notice_do(imap, mem, &noticing));
	last = imap_notice_last(imap, folder);
	/* what came may have gone again */
	*current_r = !noticing.notice->full && !noticing.notice->count && !appended &&
		     same_messages(&token.counts, &last->counts);
	return NULL;
}
