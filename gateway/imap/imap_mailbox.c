#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

/* A mailbox that others write into: what has been read is marked, and moved if it is to be. What is not
 * there any more is done; so each step may be repeated. Without MOVE (RFC 6851): COPY, then exactly these
 * are marked and expunged; without UIDPLUS they stay, marked as deleted. */

struct shelving {
	const char *mailbox, *into;
	const char *const *addresses;
	size_t count;
};

struct fault *imap_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			   char **address_r)
{
	(void)endpoint;
	*address_r = mem_strdup(mem, name);
	return NULL;
}

static struct fault *store_flag(struct imap *imap, TALLOC_CTX *mem, const char *set,
				const char *flag)
{
	struct imap_line *line = imap_line_new(mem, "UID STORE ", true);

	imap_line_add(line, "%s +FLAGS.SILENT (%s)", set, flag);
	return imap_run(imap, mem, line, NULL, NULL, FAULT_SCOPE_FOLDER, "STORE");
}

/* WORDS: "COPY" or "MOVE". */
static struct imap_line *transfer_line(TALLOC_CTX *mem, const char *words, const char *set,
				       const char *into)
{
	struct imap_line *line = imap_line_new(mem, "UID ", true);

	imap_line_add(line, "%s %s ", words, set);
	imap_line_mailbox(line, into);
	return line;
}

static bool is_not_there(const struct imap_answer *answer)
{
	return answer->status == IMAP_NO && answer->code &&
	       (!strcmp(answer->code, "TRYCREATE") || !strcmp(answer->code, "NONEXISTENT"));
}

/* The other mailbox is made when the server says that it is not there. */
static struct fault *transfer(struct imap *imap, TALLOC_CTX *mem, const char *words,
			      const char *set, const char *into)
{
	struct imap_line *create;
	struct imap_answer answer;

	FAULT_TRY(imap_session_run(imap->session, mem, transfer_line(mem, words, set, into), NULL,
				   NULL, &answer));
	if (!is_not_there(&answer))
		return imap_answer_fault(mem, &answer, FAULT_SCOPE_FOLDER, words);
	create = imap_line_new(mem, "CREATE ", true);
	imap_line_mailbox(create, into);
	FAULT_TRY(imap_run(imap, mem, create, NULL, NULL, FAULT_SCOPE_FOLDER, "CREATE"));
	return imap_run(imap, mem, transfer_line(mem, words, set, into), NULL, NULL,
			FAULT_SCOPE_FOLDER, words);
}

static struct fault *copy_and_remove(struct imap *imap, TALLOC_CTX *mem, const char *set,
				     const char *into)
{
	struct imap_line *line;

	FAULT_TRY(transfer(imap, mem, "COPY", set, into));
	FAULT_TRY(store_flag(imap, mem, set, "\\Deleted"));
	if (!imap_session_can(imap->session, IMAP_CAP_UIDPLUS))
		return NULL;
	line = imap_line_new(mem, "UID EXPUNGE ", true);
	imap_line_add(line, "%s", set);
	return imap_run(imap, mem, line, NULL, NULL, FAULT_SCOPE_FOLDER, "EXPUNGE");
}

static struct fault *shelve_set(struct imap *imap, TALLOC_CTX *mem, const char *set,
				const char *into)
{
	FAULT_TRY(store_flag(imap, mem, set, "\\Seen"));
	if (!into)
		return NULL;
	if (imap_session_can(imap->session, IMAP_CAP_MOVE))
		return transfer(imap, mem, "MOVE", set, into);
	return copy_and_remove(imap, mem, set, into);
}

/* Only messages that are there: to name others is an error to some servers. */
static struct fault *shelve(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	const struct shelving *shelving = context;
	struct imap_uids uids = { 0 }, there = { 0 };
	struct imap_messages messages;
	uint32_t validity, uid;

	FAULT_TRY(imap_folder_open(imap, mem, shelving->mailbox, true));
	for (size_t i = 0; i < shelving->count; i++)
		if (imap_set_address_read(shelving->addresses[i], &validity, &uid) &&
		    validity == imap_session_selected(imap->session)->uidvalidity)
			imap_set_add(mem, &uids, uid);
	FAULT_TRY(imap_look(imap, mem, &uids, &messages));
	for (size_t i = 0; i < messages.count; i++)
		if (messages.list[i].there && !imap_flags_have(messages.list[i].flags, "\\Deleted"))
			imap_set_add(mem, &there, messages.list[i].uid);
	for (size_t from = 0; from < there.count; from += IMAP_SET_MAX) {
		size_t left = there.count - from;

		FAULT_TRY(shelve_set(imap, mem,
				     imap_set_text(mem, there.uid + from,
						   left > IMAP_SET_MAX ? IMAP_SET_MAX : left),
				     shelving->into));
	}
	return NULL;
}

struct fault *imap_mailbox_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
				  const char *const *addresses, size_t count, const char *into)
{
	struct shelving shelving = { mailbox, into, addresses, count };

	return imap_do((struct imap *)endpoint, mem, shelve, &shelving);
}

/* ---- into the inbox ---- */

#define INBOX "INBOX"

struct telling {
	const char *message_id, *text;
	size_t len;
	bool again;
};

static struct fault *tell(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	const struct telling *telling = context;
	struct imap_line *line = imap_line_new(mem, "APPEND ", true);
	struct imap_uids uids = { 0 };
	struct imap_answer answer;

	if (telling->again) {
		FAULT_TRY(imap_folder_open(imap, mem, INBOX, true));
		FAULT_TRY(imap_look_search(
			imap, mem, mem_printf(mem, "HEADER Message-ID \"%s\"", telling->message_id),
			&uids));
	}
	if (uids.count)
		return NULL;
	imap_line_mailbox(line, INBOX);
	imap_line_add(line, " ");
	imap_line_literal(line, telling->text, telling->len);
	FAULT_TRY(imap_session_run(imap->session, mem, line, NULL, NULL, &answer));
	return imap_refusal_judge(imap, mem, INBOX, telling->len, &answer,
				  imap_answer_fault(mem, &answer, FAULT_SCOPE_ACCOUNT, "APPEND"));
}

struct fault *imap_mailbox_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
				const char *text, size_t len, bool again)
{
	struct telling telling = { message_id, text, len, again };

	return imap_do((struct imap *)endpoint, mem, tell, &telling);
}
