#include "config.h"

#include "gateway/imap/imap_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mappers/message.h"

/* A mailbox known by the items that stood in it, for servers that give mailboxes no identity.
 *
 *   count    STATUS of all, by one command where the server has that: who holds too few messages is not it
 *   order    the present one of that name; those with a mailbox for done tasks below; those with the number
 *            (UIDVALIDITY) of the old one, which most servers leave to a renamed one; others
 *   search   EXAMINE, SEARCH, one mailbox after the other, up to the first that has most of the items
 *
 * 1. One or two items may be anywhere, as copies: a mailbox counts that holds more than half of those that
 *    are asked for, with what is done; not what is marked as deleted: so many clients leave what they move.
 * 2. EXAMINE, because SELECT takes from new mail that it is new (RFC 3501 section 6.3.2).
 * 3. Servers open each message for SEARCH, some the first time only: what is too large to be a project's
 *    folder is passed over. */

#define MESSAGES_MAX 10000      /* of others, in a folder of ours: a second or some each */
#define ALL_MAX 100000          /* messages that are searched in all, likewise */
#define COPIES_MAX IMAP_SET_MAX /* of our items in one mailbox, that are looked at one by one */

struct seeking {
	struct imap *imap;
	TALLOC_CTX *mem;
	const struct endpoint_trace *trace;
	const struct endpoint_known **known; /* of these those that can be asked for */
	bool *found;
	size_t count, hits;
	uint32_t uidvalidity; /* of the old one; 0: not known */
	struct imap_status *status;
	size_t status_count;
	size_t messages; /* that were searched */
	bool open;       /* a mailbox is, by EXAMINE */
};

struct candidate {
	const struct imap_status *own, *done; /* DONE: below it; NULL: none */
	int rank;                             /* the lower, the likelier */
};

/* As our own are: nothing that would need quoting, or a character set. */
static bool is_plain(const char *uid)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.@";

	return *uid && strspn(uid, plain) == strlen(uid);
}

static void choose_known(struct seeking *seeking)
{
	const struct endpoint_trace *trace = seeking->trace;

	seeking->known = MEM_ARRAY(seeking->mem, const struct endpoint_known *, trace->known_count);
	seeking->found = MEM_ARRAY(seeking->mem, bool, trace->known_count);
	for (size_t i = 0; i < trace->known_count; i++) {
		const struct endpoint_known *known = &trace->known[i];
		struct imap_spot spot;

		if (is_plain(known->uid))
			seeking->known[seeking->count++] = known;
		if (known->address && imap_set_spot_read(known->address, &spot) && !spot.done)
			seeking->uidvalidity = spot.uidvalidity;
	}
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

static int rank_of(const struct seeking *seeking, const struct candidate *candidate)
{
	if (text_same(candidate->own->mailbox, seeking->trace->folder))
		return 0;
	return 4 - (candidate->done ? 2 : 0) -
	       (candidate->own->counts.uidvalidity == seeking->uidvalidity ? 1 : 0);
}

static size_t messages_of(const struct candidate *candidate)
{
	return (size_t)candidate->own->counts.exists +
	       (candidate->done ? candidate->done->counts.exists : 0);
}

/* (3) */
static bool may_be(const struct seeking *seeking, const struct candidate *candidate)
{
	const char *name = candidate->own->mailbox;
	size_t messages = messages_of(candidate);

	return strcasecmp(name, "INBOX") != 0 && messages >= enough(seeking) &&
	       messages <= MESSAGES_MAX + 2 * seeking->trace->items &&
	       !is_done_of_another(seeking, name);
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank - y->rank;
	return (x->own > y->own) - (x->own < y->own);
}

static size_t choose(const struct seeking *seeking, struct candidate *candidates)
{
	size_t n = 0;

	for (size_t i = 0; i < seeking->status_count; i++) {
		struct candidate *candidate = &candidates[n];

		if (!seeking->status[i].told)
			continue;
		candidate->own = &seeking->status[i];
		candidate->done = status_of(seeking, imap_done_mailbox(seeking->imap, seeking->mem,
								       seeking->status[i].mailbox));
		if (!may_be(seeking, candidate))
			continue;
		candidate->rank = rank_of(seeking, candidate);
		n++;
	}
	qsort(candidates, n, sizeof *candidates, by_rank);
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
				      seeking->known[i]->uid);
	return criteria;
}

/* Which of them stand in the mailbox that is open, among UIDS. */
static struct fault *tell_apart(struct seeking *seeking, const struct imap_uids *uids)
{
	size_t most = uids->count < COPIES_MAX ? uids->count : COPIES_MAX;
	char *set = imap_set_text(seeking->mem, uids->uid, most);

	for (size_t i = 0; i < seeking->count; i++) {
		struct imap_uids one;

		if (seeking->found[i])
			continue;
		FAULT_TRY(imap_look_search(seeking->imap, seeking->mem,
					   mem_printf(seeking->mem, "UID %s HEADER %s %s", set,
						      MESSAGE_UID_FIELD, seeking->known[i]->uid),
					   &one));
		seeking->found[i] = one.count > 0;
		seeking->hits += one.count > 0;
	}
	return NULL;
}

/* (2) One that cannot be looked into is not ours. */
static struct fault *search_in(struct seeking *seeking, const struct imap_status *status)
{
	struct imap *imap = seeking->imap;
	struct imap_uids uids = { 0 };
	struct imap_answer answer;
	struct fault *fault;

	if (!status || !status->counts.exists)
		return NULL;
	seeking->messages += status->counts.exists;
	imap_afar_forget(imap);
	imap->selection++;
	FAULT_TRY(imap_session_examine(imap->session, seeking->mem, status->mailbox, &answer));
	seeking->open = answer.status == IMAP_OK;
	if (!seeking->open)
		return NULL;
	fault = imap_look_search(imap, seeking->mem, any_of(seeking), &uids);
	if (!fault && uids.count)
		fault = tell_apart(seeking, &uids);
	if (!fault || !imap_is_connected(imap))
		return fault;
	talloc_free(fault);
	return NULL;
}

static struct fault *search_all(struct seeking *seeking, const struct candidate *candidates,
				size_t count, const char **mailbox_r)
{
	for (size_t i = 0; i < count && seeking->messages < ALL_MAX; i++) {
		seeking->hits = 0;
		memset(seeking->found, 0, seeking->count * sizeof *seeking->found);
		FAULT_TRY(search_in(seeking, candidates[i].own));
		if (seeking->hits < enough(seeking))
			FAULT_TRY(search_in(seeking, candidates[i].done));
		if (seeking->hits < enough(seeking))
			continue;
		*mailbox_r = candidates[i].own->mailbox;
		return NULL;
	}
	return NULL;
}

static struct fault *count_messages(struct seeking *seeking, const char *const *names, size_t count)
{
	seeking->status = MEM_ARRAY(seeking->mem, struct imap_status, count);
	seeking->status_count = count;
	for (size_t i = 0; i < count; i++)
		seeking->status[i].mailbox = names[i];
	return imap_status(seeking->imap, seeking->mem, seeking->status, count);
}

struct fault *imap_seek(struct imap *imap, TALLOC_CTX *mem, const char *const *names, size_t count,
			const struct endpoint_trace *trace, const char **mailbox_r)
{
	struct seeking seeking = { .imap = imap, .mem = mem, .trace = trace };
	struct candidate *candidates = MEM_ARRAY(mem, struct candidate, count);
	struct fault *fault;

	choose_known(&seeking);
	if (!seeking.count || !count)
		return NULL;
	FAULT_TRY(count_messages(&seeking, names, count));
	fault = search_all(&seeking, candidates, choose(&seeking, candidates), mailbox_r);
	if (seeking.open && imap_is_connected(imap)) /* if it breaks, what was found is found */
		talloc_free(imap_session_examine(imap->session, mem, NULL, NULL));
	return fault;
}
