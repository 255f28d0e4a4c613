#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

#include "gateway/imap/imap_name.h"

/* What this account may do in a mailbox (RFC 4314). PERMANENTFLAGS tells of the right `t` only, and of the
 * others a server says nothing until it is too late: a message that replaces another, which then cannot be
 * removed, would be a second item (N2).
 *
 * 1. MYRIGHTS goes with the look at the old messages, so that it costs no round trip, and not again on a
 *    connection that knows enough. That rights are missing is not believed for ever: the next one that
 *    needs them asks again.
 * 2. RFC 2086 has `d` for what is `t` and `e` since. A server of today shows it as well, whenever one of
 *    `t`, `e` and `x` is there (RFC 4314 section 2.1.1); so it says something where none of them is. */

#define TO_APPEND "isw"
#define TO_REMOVE "te"
#define ALL TO_APPEND TO_REMOVE
#define NEEDS_MAX 2 /* mailboxes: where the old ones are, and where the new ones go */

static const struct {
	char right;
	const char *what;
} told[] = {
	{ 'i', "insert" },
	{ 's', "keep what was read" },
	{ 'w', "flag" },
	{ 't', "mark as deleted" },
	{ 'e', "expunge" },
};

/* `\*` speaks of keywords: Dovecot says it, and drops \Deleted where the right `t` is missing. */
static bool keeps_deleted(TALLOC_CTX *mem, const struct imap_selected *selected)
{
	const char *permanent = selected->permanent_flags;

	return !permanent || imap_flags_have(imap_flags_of_text(mem, permanent), "\\Deleted");
}

struct fault *imap_rights_fault(TALLOC_CTX *mem, const char *folder, const char *what)
{
	return fault_reaches(fault_new(mem, FAULT_REFUSED,
				       "%s: %s; give this account the rights to insert, flag and "
				       "delete messages there (ACL \"lrswite\")",
				       folder, what),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
}

struct fault *imap_rights_check(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				bool removes)
{
	const struct imap_selected *selected = imap_session_selected(imap->session);

	if (selected->read_only)
		return imap_rights_fault(mem, folder, "the server lets it be read only");
	if (removes && !keeps_deleted(mem, selected))
		return imap_rights_fault(mem, folder,
					 "messages cannot be marked as deleted (right \"t\")");
	return NULL;
}

/* ---- as the server tells them ---- */

/* What is to be done in a mailbox takes these. */
struct need {
	const char *mailbox, *rights;
	char *granted; /* as told now; NULL: it was not */
};

struct asking {
	TALLOC_CTX *mem;
	struct need *needs;
	size_t count;
};

/* Those of RIGHTS that stand among LETTERS, or (THERE false) that do not. */
static char *those_in(TALLOC_CTX *mem, const char *rights, const char *letters, bool there)
{
	char *those = MEM_ARRAY(mem, char, strlen(rights) + 1), *end = those;

	for (; *rights; rights++)
		if ((strchr(letters, *rights) != NULL) == there)
			*end++ = *rights;
	return those;
}

/* (2) */
static char *rights_of(TALLOC_CTX *mem, const char *letters)
{
	bool old = strchr(letters, 'd') && !strpbrk(letters, "tex");

	return mem_printf(mem, "%s%s", those_in(mem, ALL, letters, true), old ? TO_REMOVE : "");
}

/* `* MYRIGHTS box lrswite` */
static void take_rights(void *context, const struct imap_response *response)
{
	const struct asking *asking = context;
	const struct imap_node *name = response->args, *letters = name ? name->next : NULL;
	char *mailbox;

	if (strcmp(response->name, "MYRIGHTS") != 0 || !letters ||
	    (name->kind != IMAP_ATOM && name->kind != IMAP_STRING) ||
	    (letters->kind != IMAP_ATOM && letters->kind != IMAP_STRING))
		return;
	mailbox = imap_name_told(NULL, name->text);
	for (size_t i = 0; i < asking->count; i++) /* what is told again adds nothing */
		if (!asking->needs[i].granted && !strcmp(asking->needs[i].mailbox, mailbox))
			asking->needs[i].granted = rights_of(asking->mem, letters->text);
	talloc_free(mailbox);
}

static struct fault *missing_fault(TALLOC_CTX *mem, const char *mailbox, const char *missing)
{
	char *words = mem_strdup(mem, "rights are missing:");

	for (size_t i = 0; i < COUNT_OF(told); i++)
		if (strchr(missing, told[i].right))
			words = mem_printf(mem, "%s%s \"%c\" (%s)", words,
					   told[i].right == *missing ? "" : ",", told[i].right,
					   told[i].what);
	return imap_rights_fault(mem, mailbox, words);
}

/* ---- what the connection knows ---- */

void imap_rights_forget(struct imap *imap)
{
	TALLOC_FREE(imap->granted);
	imap->granted_count = 0;
}

static struct imap_granted *granted_in(const struct imap *imap, const char *mailbox)
{
	for (size_t i = 0; i < imap->granted_count; i++)
		if (!strcmp(imap->granted[i].mailbox, mailbox))
			return &imap->granted[i];
	return NULL;
}

static void set_granted(struct imap *imap, const char *mailbox, const char *rights)
{
	struct imap_granted *granted = granted_in(imap, mailbox);

	if (!granted) {
		imap->granted =
			MEM_GROW(imap, imap->granted, struct imap_granted, imap->granted_count + 1);
		granted = &imap->granted[imap->granted_count++];
		*granted = (struct imap_granted){ .mailbox = mem_strdup(imap->granted, mailbox) };
	}
	talloc_free(granted->rights);
	granted->rights = mem_strdup(imap->granted, rights);
}

static bool is_known(const struct imap *imap, const struct need *need)
{
	const struct imap_granted *granted = granted_in(imap, need->mailbox);

	return granted && strspn(need->rights, granted->rights) == strlen(need->rights);
}

static struct imap_line *question(TALLOC_CTX *mem, const char *mailbox)
{
	struct imap_line *line = imap_line_new(mem, "MYRIGHTS ", false);

	imap_line_mailbox(line, mailbox);
	return line;
}

static bool never_asks(const struct imap *imap, const struct imap_uids *uids)
{
	return !uids->count || !imap_session_can(imap->session, IMAP_CAP_ACL);
}

/* Those of NEEDS that the connection does not know come first; so many. */
static size_t unknown_first(const struct imap *imap, struct need *needs, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_known(imap, &needs[i]))
			needs[n++] = needs[i];
	return n;
}

/* (1) */
static struct fault *look(struct imap *imap, TALLOC_CTX *mem, struct need *needs, size_t count,
			  const struct imap_uids *uids, struct imap_messages *messages_r)
{
	struct asking asking = { mem, needs, unknown_first(imap, needs, count) };
	struct imap_line *lines[NEEDS_MAX];
	struct imap_beside beside = { lines, asking.count, take_rights, &asking };

	for (size_t i = 0; i < asking.count; i++)
		lines[i] = question(mem, needs[i].mailbox);
	FAULT_TRY(imap_look_beside(imap, mem, uids, &beside, messages_r));
	for (size_t i = 0; i < asking.count; i++) {
		const char *granted = needs[i].granted ? needs[i].granted : ALL;
		const char *missing = those_in(mem, needs[i].rights, granted, false);

		if (*missing)
			return missing_fault(mem, needs[i].mailbox, missing);
		set_granted(imap, needs[i].mailbox, granted);
	}
	return NULL;
}

struct fault *imap_rights_look_replaced(struct imap *imap, TALLOC_CTX *mem, const char *folder,
					bool done, const struct imap_uids *uids,
					struct imap_messages *messages_r)
{
	const char *from = imap_session_selected(imap->session)->mailbox, *beside;
	struct need needs[NEEDS_MAX] = { { from, TO_REMOVE, NULL }, { folder, TO_APPEND, NULL } };

	if (never_asks(imap, uids))
		return imap_look(imap, mem, uids, messages_r);
	beside = done ? imap_done_mailbox(imap, mem, folder) : NULL;
	needs[1].mailbox = beside ? beside : folder;
	if (strcmp(from, needs[1].mailbox) != 0)
		return look(imap, mem, needs, NEEDS_MAX, uids, messages_r);
	needs[0].rights = ALL;
	return look(imap, mem, needs, 1, uids, messages_r);
}

struct fault *imap_rights_look_removed(struct imap *imap, TALLOC_CTX *mem,
				       const struct imap_uids *uids,
				       struct imap_messages *messages_r)
{
	struct need need = { imap_session_selected(imap->session)->mailbox, TO_REMOVE, NULL };

	if (never_asks(imap, uids))
		return imap_look(imap, mem, uids, messages_r);
	return look(imap, mem, &need, 1, uids, messages_r);
}
