#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* What changed in a folder. A token is "UIDVALIDITY UIDNEXT EXISTS": the numbers of a listing L
 * such that L has EXISTS messages, and every message whose UID is below UIDNEXT is in L or was not
 * there any more. Messages never change, so:
 *
 *   the same UIDNEXT and EXISTS   nothing has come, so nothing has gone: nothing changed
 *   UIDNEXT moved                 what is new is searched for; if the old and the new ones together
 *                                 are as many as there are, nothing has gone
 *   all else                      a listing
 *
 * 1. A listing is complete or a fault: it must have as many messages as the server said that there
 *    are, before it or after it (messages come meanwhile).
 * 2. A server that does not tell UIDNEXT is asked for a listing every time.
 * 3. \Deleted is a wish; a message that has it is there.
 * 4. UIDNEXT counts all that was ever stored. When it has moved by as many as we have stored, and
 *    EXISTS by as many as we have stored less those that we have removed, nobody else has done
 *    anything: then the token moves on behind our own writes. */

#define LISTINGS_MAX 3 /* tries, while messages come and go */

/* ---- tokens ---- */

/* Digits without zeros in front. */
static bool read_number(const char **at, char end, uint32_t *value_r)
{
	size_t n = strspn(*at, "0123456789");
	uint64_t value = 0;

	if (!n || n > 10 || (n > 1 && **at == '0') || (*at)[n] != end)
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint64_t)((*at)[i] - '0');
	if (value > UINT32_MAX)
		return false;
	*at += n + (end != '\0');
	*value_r = (uint32_t)value;
	return true;
}

static bool read_token(const char *token, struct imap_counts *counts_r)
{
	struct imap_counts counts;

	if (!read_number(&token, ' ', &counts.uidvalidity) ||
	    !read_number(&token, ' ', &counts.uidnext) ||
	    !read_number(&token, '\0', &counts.exists) || !counts.uidvalidity || !counts.uidnext)
		return false;
	*counts_r = counts;
	return true;
}

/* (2) */
static char *write_token(TALLOC_CTX *mem, const struct imap_counts *counts)
{
	if (!counts->uidnext)
		return NULL;
	return mem_printf(mem, "%" PRIu32 " %" PRIu32 " %" PRIu32, counts->uidvalidity,
			  counts->uidnext, counts->exists);
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
		last->folder = mem_strdup(imap, folder);
	}
	last->counts = *counts;
	last->selection = imap->selection;
	last->appended = last->removed = 0;
}

void imap_notice_wrote(struct imap *imap, const char *folder, uint32_t appended, uint32_t removed)
{
	struct imap_noticed *last = imap_notice_last(imap, folder);

	if (!last)
		return;
	last->appended += appended;
	last->removed += removed;
}

/* ---- noticing ---- */

struct noticing {
	TALLOC_CTX *mem; /* of the result */
	const char *folder, *token;
	const char *object_id; /* the session's; NULL: not told */
	struct endpoint_notice *notice;
};

/* All addresses in one piece of memory; an address is its own version. */
static void fill(struct noticing *noticing, uint32_t uidvalidity, const struct imap_uids *uids,
		 bool full, const struct imap_counts *counts)
{
	struct endpoint_notice *notice = MEM_NEW(noticing->mem, struct endpoint_notice);
	char *text = MEM_ARRAY(notice, char, uids->count *IMAP_ADDRESS_SIZE);

	notice->object_id = noticing->object_id ? mem_strdup(notice, noticing->object_id) : NULL;
	notice->changes = MEM_ARRAY(notice, struct endpoint_change, uids->count);
	notice->count = uids->count;
	notice->full = full;
	notice->token = write_token(notice, counts);
	for (size_t i = 0; i < uids->count; i++, text += IMAP_ADDRESS_SIZE) {
		imap_set_address_write(text, uidvalidity, uids->uid[i]);
		notice->changes[i].address = notice->changes[i].version = text;
	}
	noticing->notice = notice;
}

static uint32_t behind_all(uint32_t uidnext, const struct imap_uids *uids)
{
	uint32_t last = uids->count ? uids->uid[uids->count - 1] : 0;

	return uidnext && last >= uidnext && last < UINT32_MAX ? last + 1 : uidnext;
}

static struct fault *list_all(struct imap *imap, TALLOC_CTX *mem, struct noticing *noticing)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);
	struct imap_uids uids = { 0 };
	struct imap_counts counts = { 0 };

	for (int i = 0; i < LISTINGS_MAX; i++) {
		uint32_t before = selected->exists;

		FAULT_TRY(imap_look_search(imap, mem, "ALL", &uids));
		if (uids.count != before && uids.count != selected->exists) {
			FAULT_TRY(imap_noop(imap, mem));
			continue;
		}
		counts.uidvalidity = selected->uidvalidity;
		counts.uidnext = behind_all(selected->uidnext, &uids);
		counts.exists = (uint32_t)uids.count;
		fill(noticing, counts.uidvalidity, &uids, true, &counts);
		remember(imap, noticing->folder, &counts);
		return NULL;
	}
	return fault_reaches(fault_new(mem, FAULT_PROTOCOL,
				       "%s: the server lists %zu messages, and says that there are "
				       "%" PRIu32,
				       noticing->folder, uids.count, selected->exists),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
}

/* `n:*` also finds the last message, wherever it stands. */
static void drop_below(struct imap_uids *sorted, uint32_t first)
{
	size_t n = 0;

	while (n < sorted->count && sorted->uid[n] < first)
		n++;
	sorted->count -= n;
	if (sorted->count)
		memmove(sorted->uid, sorted->uid + n, sorted->count * sizeof *sorted->uid);
}

/* *DONE_R false: something has gone, or may have. */
static struct fault *list_new(struct imap *imap, TALLOC_CTX *mem, struct noticing *noticing,
			      const struct imap_counts *since, bool *done_r)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);
	struct imap_counts counts = *since;
	struct imap_uids uids = { 0 };

	if (selected->uidnext > since->uidnext)
		FAULT_TRY(imap_look_search(
			imap, mem, mem_printf(mem, "UID %" PRIu32 ":*", since->uidnext), &uids));
	drop_below(&uids, since->uidnext);
	*done_r = selected->uidnext >= since->uidnext &&
		  (uint64_t)since->exists + uids.count == selected->exists;
	if (!*done_r)
		return NULL;
	counts.uidnext = behind_all(selected->uidnext, &uids);
	counts.exists += (uint32_t)uids.count;
	fill(noticing, counts.uidvalidity, &uids, false, &counts);
	remember(imap, noticing->folder, &counts);
	return NULL;
}

static struct fault *old_token(TALLOC_CTX *mem, const char *folder, const char *why)
{
	return fault_new(mem, FAULT_TOKEN, "%s: %s", folder, why);
}

static struct fault *notice(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct noticing *noticing = context;
	struct imap_counts since;
	bool done = false;

	FAULT_TRY(imap_folder_open(imap, mem, noticing->folder, true));
	noticing->object_id = imap_session_selected(imap->session)->mailbox_id;
	if (!noticing->token)
		return list_all(imap, mem, noticing);
	if (!read_token(noticing->token, &since))
		return old_token(mem, noticing->folder, "not a token of an IMAP server");
	if (since.uidvalidity != imap_session_selected(imap->session)->uidvalidity)
		return old_token(mem, noticing->folder,
				 "the server has given all messages new numbers");
	FAULT_TRY(list_new(imap, mem, noticing, &since, &done));
	return done ? NULL : list_all(imap, mem, noticing);
}

struct fault *imap_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *token, struct endpoint_notice **notice_r)
{
	struct noticing noticing = { .mem = mem, .folder = folder, .token = token };
	struct fault *fault = imap_do((struct imap *)endpoint, mem, notice, &noticing);

	if (fault)
		return fault;
	*notice_r = noticing.notice;
	return NULL;
}

/* ---- behind our own writes (4) ---- */

struct advancing {
	TALLOC_CTX *mem; /* of the result */
	const char *folder, *token;
	char *later; /* NULL: the token stays */
};

static struct fault *advance(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct advancing *advancing = context;
	struct imap_noticed *last = imap_notice_last(imap, advancing->folder);
	const struct imap_selected *now;
	struct imap_counts counts, since;

	if (!last || !read_token(advancing->token, &since) ||
	    memcmp(&since, &last->counts, sizeof since) != 0)
		return NULL;
	counts = last->counts;
	counts.uidnext += last->appended;
	counts.exists += last->appended - last->removed;
	FAULT_TRY(imap_folder_open(imap, mem, advancing->folder, true));
	now = imap_session_selected(imap->session);
	if (now->uidvalidity != counts.uidvalidity || now->uidnext != counts.uidnext ||
	    now->exists != counts.exists)
		return NULL;
	remember(imap, advancing->folder, &counts);
	advancing->later = write_token(advancing->mem, &counts);
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

void imap_notice_believe(struct imap *imap, const char *folder, const char *token)
{
	struct imap_counts counts;

	if (token && !imap_notice_last(imap, folder) && read_token(token, &counts))
		remember(imap, folder, &counts);
}
