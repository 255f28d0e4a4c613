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
 * 2. For what is new nobody asks beforehand: its APPEND tells whether it may. Why it was refused is then asked
 *    for (imap_refusal.c), and whatever is missing is told at once.
 * 3. RFC 2086 has `d` for what is `t` and `e` since. A server of today shows it as well, whenever one of
 *    `t`, `e` and `x` is there (RFC 4314 section 2.1.1); so it says something where none of them is. */

#define TO_STORE "i" /* at all: without the next two flags are dropped */
#define TO_APPEND TO_STORE "sw"
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
	const char *rights;
	struct imap_rights its;
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

/* (3) */
static char *rights_of(TALLOC_CTX *mem, const char *letters)
{
	bool old = strchr(letters, 'd') && !strpbrk(letters, "tex");

	return mem_printf(mem, "%s%s", those_in(mem, ALL, letters, true), old ? TO_REMOVE : "");
}

struct imap_line *imap_rights_line(TALLOC_CTX *mem, const char *mailbox)
{
	struct imap_line *line = imap_line_new(mem, "MYRIGHTS ", false);

	imap_line_mailbox(line, mailbox);
	return line;
}

/* `* MYRIGHTS box lrswite` */
void imap_rights_take(struct imap_rights *rights, TALLOC_CTX *mem,
		      const struct imap_response *response)
{
	const struct imap_node *name = response->args, *letters = name ? name->next : NULL;
	char *mailbox;

	if (rights->granted || strcmp(response->name, "MYRIGHTS") != 0 || !letters ||
	    (name->kind != IMAP_ATOM && name->kind != IMAP_STRING) ||
	    (letters->kind != IMAP_ATOM && letters->kind != IMAP_STRING))
		return;
	mailbox = imap_name_told(NULL, name->text);
	if (!strcmp(rights->mailbox, mailbox))
		rights->granted = rights_of(mem, letters->text);
	talloc_free(mailbox);
}

static void take_rights(void *context, const struct imap_response *response)
{
	const struct asking *asking = context;

	for (size_t i = 0; i < asking->count; i++)
		imap_rights_take(&asking->needs[i].its, asking->mem, response);
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
	const struct imap_granted *granted = granted_in(imap, need->its.mailbox);

	return granted && strspn(need->rights, granted->rights) == strlen(need->rights);
}

/* After they were asked for. */
static struct fault *judge(struct imap *imap, TALLOC_CTX *mem, const struct need *need)
{
	const char *granted = need->its.granted ? need->its.granted : ALL;
	const char *missing = those_in(mem, need->rights, granted, false);

	if (*missing)
		return missing_fault(mem, need->its.mailbox, missing);
	set_granted(imap, need->its.mailbox, granted);
	return NULL;
}

bool imap_rights_are_told(const struct imap *imap)
{
	return imap_session_can(imap->session, IMAP_CAP_ACL);
}

static bool never_asks(const struct imap *imap, const struct imap_uids *uids)
{
	return !uids->count || !imap_rights_are_told(imap);
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
		lines[i] = imap_rights_line(mem, needs[i].its.mailbox);
	FAULT_TRY(imap_look_beside(imap, mem, uids, &beside, messages_r));
	for (size_t i = 0; i < asking.count; i++)
		FAULT_TRY(judge(imap, mem, &needs[i]));
	return NULL;
}

struct fault *imap_rights_look_replaced(struct imap *imap, TALLOC_CTX *mem, const char *folder,
					bool done, const struct imap_uids *uids,
					struct imap_messages *messages_r)
{
	const char *from = imap_session_selected(imap->session)->mailbox, *beside;
	struct need needs[NEEDS_MAX] = { { TO_REMOVE, { from, NULL } },
					 { TO_APPEND, { folder, NULL } } };

	if (never_asks(imap, uids))
		return imap_look(imap, mem, uids, messages_r);
	beside = done ? imap_done_mailbox(imap, mem, folder) : NULL;
	needs[1].its.mailbox = beside ? beside : folder;
	if (strcmp(from, needs[1].its.mailbox) != 0)
		return look(imap, mem, needs, NEEDS_MAX, uids, messages_r);
	needs[0].rights = ALL;
	return look(imap, mem, needs, 1, uids, messages_r);
}

struct fault *imap_rights_look_removed(struct imap *imap, TALLOC_CTX *mem,
				       const struct imap_uids *uids,
				       struct imap_messages *messages_r)
{
	struct need need = { TO_REMOVE, { imap_session_selected(imap->session)->mailbox, NULL } };

	if (never_asks(imap, uids))
		return imap_look(imap, mem, uids, messages_r);
	return look(imap, mem, &need, 1, uids, messages_r);
}

/* ---- without a look ---- */

static struct fault *take_alone(void *context, const struct imap_response *response)
{
	take_rights(context, response);
	return NULL;
}

struct fault *imap_rights_fall_back(struct imap *imap, TALLOC_CTX *mem, const char *gone,
				    const char *folder)
{
	struct need need = { TO_APPEND, { folder, NULL } };
	struct asking asking = { mem, &need, 1 };
	struct imap_answer answer;

	if (!imap_rights_are_told(imap))
		return NULL;
	set_granted(imap, gone, ""); /* the next one of that name has rights of its own */
	if (is_known(imap, &need))
		return NULL;
	FAULT_TRY(imap_session_run(imap->session, mem, imap_rights_line(mem, folder), take_alone,
				   &asking, &answer));
	return judge(imap, mem, &need);
}

struct fault *imap_rights_refused(struct imap *imap, TALLOC_CTX *mem,
				  const struct imap_rights *rights)
{
	if (!rights->granted || strpbrk(rights->granted, TO_STORE))
		return NULL;
	set_granted(imap, rights->mailbox, rights->granted);
	return missing_fault(mem, rights->mailbox, those_in(mem, ALL, rights->granted, false));
}
