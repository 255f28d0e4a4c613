#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* UIDs and marks of the selected mailbox by one command. What comes unasked in between (another
 * client sets a flag) is newer, and so is taken as well: of two answers about one message the later
 * one counts. */

#define LISTING_MAX 1000000  /* messages of a mailbox */
#define MARKS_MAX (64 << 20) /* bytes of all their marks: a million with some 60 each */
#define VANISHED_MAX 10000   /* of them told as gone one by one; more is worth a listing */

void imap_listing_add(TALLOC_CTX *mem, struct imap_listing *listing,
		      const struct imap_listed *listed)
{
	if (listing->count == listing->size) {
		listing->size = listing->size ? listing->size * 2 : 64;
		listing->list = MEM_GROW(mem, listing->list, struct imap_listed, listing->size);
	}
	listing->list[listing->count] = *listed;
	listing->list[listing->count].order = listing->count;
	listing->count++;
}

static struct fault *not_messages(TALLOC_CTX *mem)
{
	return fault_reaches(
		fault_new(mem, FAULT_PROTOCOL, "FETCH: the server names messages that cannot be"),
		FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

static struct imap_listed listed_of(const struct imap_changes *taking, uint32_t uid,
				    const struct imap_node *list)
{
	struct imap_listed listed = { .uid = uid, .marks = "" };
	struct imap_flags *flags;

	if (!taking->done && !imap_flags_are_marks(list))
		return listed;
	flags = imap_flags_of_list(taking->mem, list);
	listed.marks = imap_flags_marks(taking->mem, flags, taking->done ? IMAP_DONE_MARK : NULL);
	listed.deleted = taking->done && imap_flags_have(flags, "\\Deleted");
	talloc_free(flags);
	return listed;
}

static struct fault *take_message(struct imap_changes *taking, const struct imap_response *response)
{
	const struct imap_node *items = response->args ? response->args->first : NULL;
	const struct imap_node *flags = imap_node_after(items, "FLAGS");
	struct imap_listed listed;
	uint32_t uid;

	if (!imap_node_u32(imap_node_after(items, "UID"), &uid) || !flags ||
	    flags->kind != IMAP_LIST)
		return NULL;
	if (!uid || taking->listing.count == LISTING_MAX || taking->marks_len > MARKS_MAX)
		return not_messages(taking->mem);
	listed = listed_of(taking, uid, flags);
	taking->marks_len += listed.marks ? strlen(listed.marks) : 0;
	imap_listing_add(taking->mem, &taking->listing, &listed);
	return NULL;
}

/* `* VANISHED (EARLIER) 41,43:116` (RFC 7162 section 3.2.10): without EARLIER it is no answer to us,
 * but what it names has gone all the same. Far more than ever stood there may be named. */
static void take_vanished(struct imap_changes *taking, const struct imap_response *response)
{
	const struct imap_node *set = response->args;

	if (set && set->kind == IMAP_LIST)
		set = set->next;
	if (!set || set->kind != IMAP_ATOM ||
	    !imap_set_read(taking->mem, set->text, VANISHED_MAX, &taking->vanished))
		taking->lost = true;
}

static struct fault *take(void *context, const struct imap_response *response)
{
	struct imap_changes *taking = context;

	if (!strcmp(response->name, "FETCH"))
		return take_message(taking, response);
	if (!strcmp(response->name, "VANISHED"))
		take_vanished(taking, response);
	if (!strcmp(response->name, "OK") && response->code && !strcmp(response->code, "CLOSED"))
		taking->listing.count = taking->vanished.count = taking->marks_len =
			0; /* of another mailbox */
	return NULL;
}

static int compare(const void *left, const void *right)
{
	const struct imap_listed *a = left, *b = right;

	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void imap_listing_sort(struct imap_listing *listing)
{
	size_t n = 0;

	if (listing->count)
		qsort(listing->list, listing->count, sizeof *listing->list, compare);
	for (size_t i = 0; i < listing->count; i++) {
		if (n && listing->list[n - 1].uid == listing->list[i].uid)
			n--;
		listing->list[n++] = listing->list[i];
	}
	listing->count = n;
}

const char *imap_listing_marks(const struct imap_listing *listing, uint32_t uid)
{
	size_t low = 0, high = listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (listing->list[middle].uid == uid)
			return listing->list[middle].marks;
		if (listing->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct fault *imap_listing(struct imap *imap, TALLOC_CTX *mem, bool done, uint32_t first,
			   struct imap_listing *listing_r)
{
	struct imap_changes taking = { .mem = mem, .done = done };
	struct imap_listing *listing = &taking.listing;
	struct imap_line *line = imap_line_new(mem, "UID FETCH ", false);
	size_t n = 0;

	imap_line_add(line, "%" PRIu32 ":* (UID FLAGS)", first);
	if (imap_session_selected(imap->session)->exists)
		FAULT_TRY(imap_run(imap, mem, line, take, &taking, FAULT_SCOPE_FOLDER, "FETCH"));
	imap_listing_sort(listing);
	/* `n:*` also finds the last message, wherever it stands */
	while (n < listing->count && listing->list[n].uid < first)
		n++;
	if (n)
		listing->list += n;
	listing->count -= n;
	*listing_r = *listing;
	return NULL;
}

struct fault *imap_listing_changed(struct imap *imap, TALLOC_CTX *mem, bool done, uint64_t since,
				   struct imap_changes *changes_r)
{
	struct imap_changes taking = { .mem = mem, .done = done };
	struct imap_line *line = imap_line_new(mem, "UID FETCH 1:* (UID FLAGS) ", false);
	bool resyncs = imap_session_resyncs(imap->session),
	     any = imap_session_selected(imap->session)->exists;

	imap_line_add(line, "(CHANGEDSINCE %" PRIu64 "%s)", since, resyncs ? " VANISHED" : "");
	if (any)
		FAULT_TRY(imap_run(imap, mem, line, take, &taking, FAULT_SCOPE_FOLDER, "FETCH"));
	taking.lost = taking.lost || !resyncs || !any;
	imap_listing_resynced(&taking);
	*changes_r = taking;
	return NULL;
}

void imap_listing_resync(struct imap_changes *changes, const struct imap_counts *since,
			 struct imap_resync *resync_r)
{
	*resync_r = (struct imap_resync){ .uidvalidity = since->uidvalidity,
					  .modseq = since->flags,
					  .each = take,
					  .context = changes };
}

/* What is said to be there has not vanished. */
void imap_listing_resynced(struct imap_changes *changes)
{
	struct imap_uids *vanished = &changes->vanished;
	size_t n = 0;

	imap_listing_sort(&changes->listing);
	(void)imap_set_sort(vanished);
	for (size_t i = 0; i < vanished->count; i++)
		if ((!n || vanished->uid[n - 1] != vanished->uid[i]) &&
		    !imap_listing_marks(&changes->listing, vanished->uid[i]))
			vanished->uid[n++] = vanished->uid[i];
	vanished->count = n;
}

/* FNV-1a, and stirred (the finalizer of SplitMix64), so that sums of them tell. */
static uint64_t digest_of(const struct imap_listed *listed)
{
	uint64_t hash = 0xcbf29ce484222325u ^ listed->uid ^ (uint64_t)listed->deleted << 32;

	for (const char *c = listed->marks; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
	return hash ^ hash >> 31;
}

uint64_t imap_listing_digest(const struct imap_listing *listing, uint32_t below)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < listing->count && listing->list[i].uid < below; i++)
		if (*listing->list[i].marks || listing->list[i].deleted)
			sum += digest_of(&listing->list[i]);
	return sum;
}
