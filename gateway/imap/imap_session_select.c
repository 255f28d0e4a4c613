#include "config.h"

#include "gateway/imap/imap_session_private.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/imap/imap_set.h"

#define OBJECT_ID_MAX 255 /* characters */
#define VANISHED_MAX 1000000 /* in one response: EXISTS is no bound, it is the server's word */
#define OBJECT_ID_SIGNS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* The selected mailbox: numbers are taken from responses as they come, whoever asked for them. */

/* Numbers of what was selected before are not ours: CLOSED stands between (RFC 7162 3.2.11). */
static void selected_reset(struct imap_session *session)
{
	const char *mailbox = session->selected.mailbox;

	session->selected = (struct imap_selected){ .mailbox = mailbox };
}

/* RFC 8474 section 4: 1 to 255 characters of [A-Za-z0-9_-]. */
static const char *read_object_id(TALLOC_CTX *mem, const struct imap_node *args)
{
	const struct imap_node *id = args && args->kind == IMAP_LIST ? args->first : NULL;

	if (!id || id->kind != IMAP_ATOM || !id->len || id->len > OBJECT_ID_MAX ||
	    strspn(id->text, OBJECT_ID_SIGNS) != id->len)
		return NULL;
	return mem_strdup(mem, id->text);
}

static void note_code(struct imap_session *session, const char *code, const struct imap_node *args)
{
	struct imap_selected *selected = &session->selected;

	if (!strcmp(code, "UIDVALIDITY"))
		(void)imap_node_u32(args, &selected->uidvalidity);
	else if (!strcmp(code, "UIDNEXT"))
		(void)imap_node_u32(args, &selected->uidnext);
	else if (!strcmp(code, "HIGHESTMODSEQ") && imap_session_can(session, IMAP_CAP_CONDSTORE))
		(void)imap_node_u64(args, &selected->highestmodseq);
	else if (!strcmp(code, "NOMODSEQ"))
		selected->highestmodseq = 0;
	else if (!strcmp(code, "READ-ONLY"))
		selected->read_only = true;
	else if (!strcmp(code, "READ-WRITE"))
		selected->read_only = false;
	else if (!strcmp(code, "CLOSED") && session->selecting)
		selected_reset(session);
	if (!strcmp(code, "MAILBOXID"))
		selected->mailbox_id = read_object_id(session->selected_mem, args);
	if (!strcmp(code, "PERMANENTFLAGS") && args && args->kind == IMAP_LIST) {
		selected->permanent_flags = imap_session_words(session->selected_mem, args->first);
		selected->any_keyword = imap_node_has(args, "\\*");
	}
}

/* A FETCH response that no command of ours explains: without a UID it cannot be the answer to a UID
 * command (RFC 3501 section 6.4.8). */
static bool is_unasked(const struct imap_response *response, bool asked)
{
	const struct imap_node *items = response->args;

	return !asked || !items || items->kind != IMAP_LIST ||
	       !imap_node_after(items->first, "UID");
}

/* Changed since SELECT, by whomever: with CONDSTORE and QRESYNC such a one may come with its UID in
 * the middle of an answer (RFC 7162 section 3.2.4). */
static bool is_later(const struct imap_session *session, const struct imap_response *response)
{
	const struct imap_node *items = response->args, *modseq;
	uint64_t number;

	if (!items || items->kind != IMAP_LIST)
		return false;
	modseq = imap_node_after(items->first, "MODSEQ");
	return modseq && modseq->kind == IMAP_LIST && imap_node_u64(modseq->first, &number) &&
	       number > session->selected.highestmodseq;
}

/* `* VANISHED 41,43:45` (RFC 7162 section 3.2.10.2): so many fewer. With EARLIER they are not counted
 * any more, and it is an answer to us. */
static void note_vanished(struct imap_selected *selected, const struct imap_response *response)
{
	const struct imap_node *set = response->args;
	size_t most = selected->exists < VANISHED_MAX ? selected->exists : VANISHED_MAX;
	struct imap_uids uids = { 0 };
	TALLOC_CTX *mem;

	if (set && set->kind == IMAP_LIST)
		return;
	mem = MEM_CONTEXT(NULL);
	selected->changes++;
	if (!set || set->kind != IMAP_ATOM || !imap_set_read(mem, set->text, most, &uids))
		uids.count = 0; /* it cannot be: the next listing tells */
	selected->exists -= (uint32_t)uids.count;
	talloc_free(mem);
}

void imap_session_note_selected(struct imap_session *session, const struct imap_response *response,
				bool asked)
{
	struct imap_selected *selected = &session->selected;

	if (!selected->mailbox)
		return;
	if (!strcmp(response->name, "OK") && response->code) {
		note_code(session, response->code, response->code_args);
	} else if (!strcmp(response->name, "EXISTS")) {
		selected->exists = response->number;
		selected->changes++;
	} else if (!strcmp(response->name, "EXPUNGE")) {
		selected->exists -= selected->exists > 0;
		selected->changes++;
	} else if (!strcmp(response->name, "VANISHED")) {
		note_vanished(selected, response);
	} else if (!strcmp(response->name, "FETCH") &&
		   (is_unasked(response, asked) || is_later(session, response))) {
		selected->changes++;
	}
}

static void selected_clear(struct imap_session *session)
{
	session->selected = (struct imap_selected){ 0 };
	TALLOC_FREE(session->selected_mem);
}

/* From here on what comes is about the new mailbox. MAILBOX may be the old one's own name. */
static void selected_begin(struct imap_session *session, const char *mailbox)
{
	TALLOC_CTX *mem = MEM_CONTEXT(session);
	const char *name = mem_strdup(mem, mailbox);

	selected_clear(session);
	session->selected_mem = mem;
	session->selected.mailbox = name;
	session->selecting = true;
}

static struct imap_line *select_line(const struct imap_session *session, TALLOC_CTX *mem,
				     const char *mailbox, const struct imap_resync *resync)
{
	struct imap_line *line = imap_line_new(mem, "SELECT ", false);

	imap_line_mailbox(line, mailbox);
	if (resync)
		imap_line_add(line, " (QRESYNC (%" PRIu32 " %" PRIu64 "))", resync->uidvalidity,
			      resync->modseq);
	else if (imap_session_can(session, IMAP_CAP_CONDSTORE))
		imap_line_add(line, " (CONDSTORE)");
	return line;
}

/* ---- UIDNEXT of a server whose SELECT tells none, as Courier's ----
 *
 * What is behind the last message of this very view does as well: as many messages with the same last
 * one are the same messages. STATUS would tell of another moment. */

static struct fault *take_uid(void *context, const struct imap_response *response)
{
	const struct imap_node *items = response->args;

	if (!strcmp(response->name, "FETCH") && items && items->kind == IMAP_LIST)
		(void)imap_node_u32(imap_node_after(items->first, "UID"), context);
	return NULL;
}

static struct fault *find_uidnext(struct imap_session *session, TALLOC_CTX *mem)
{
	struct imap_selected *selected = &session->selected;
	struct imap_line *line = imap_line_new(mem, "FETCH ", false);
	struct imap_answer answer;
	uint32_t last = 0;

	imap_line_add(line, "%" PRIu32 " (UID)", selected->exists);
	if (selected->exists)
		FAULT_TRY(imap_session_run(session, mem, line, take_uid, &last, &answer));
	if (last < UINT32_MAX && (last || !selected->exists))
		selected->uidnext = last + 1;
	selected->uidnext_found = true;
	return NULL;
}

struct fault *imap_session_select(struct imap_session *session, TALLOC_CTX *mem,
				  const char *mailbox, bool again, struct imap_answer *answer_r)
{
	return imap_session_select_since(session, mem, mailbox, again, NULL, answer_r);
}

struct fault *imap_session_select_since(struct imap_session *session, TALLOC_CTX *mem,
					const char *mailbox, bool again, struct imap_resync *resync,
					struct imap_answer *answer_r)
{
	struct imap_line *line;
	struct imap_answer answer = { .status = IMAP_OK, .text = "" };
	struct fault *fault;

	FAULT_TRY(imap_session_sound(session, mem));
	if (session->selected.mailbox && !strcmp(session->selected.mailbox, mailbox) && !again) {
		*answer_r = answer;
		return NULL;
	}
	line = imap_session_select_line(session, mem, mailbox, resync);
	fault = imap_session_run(session, mem, line, resync ? resync->each : NULL,
				 resync ? resync->context : NULL, &answer);
	talloc_free(line);
	if (fault) {
		if (session->selecting)
			selected_clear(session);
		session->selecting = false;
		return fault;
	}
	FAULT_TRY(imap_session_select_done(session, mem, resync, &answer));
	*answer_r = answer;
	return NULL;
}

struct imap_line *imap_session_select_line(struct imap_session *session, TALLOC_CTX *mem,
					   const char *mailbox, const struct imap_resync *resync)
{
	struct imap_line *line = select_line(session, mem, mailbox, resync);

	if (!line->refused)
		selected_begin(session, mailbox);
	return line;
}

struct fault *imap_session_select_done(struct imap_session *session, TALLOC_CTX *mem,
				       struct imap_resync *resync,
				       const struct imap_answer *answer)
{
	struct fault *fault = NULL;

	if (session->selecting && answer->status != IMAP_OK)
		selected_clear(session);
	session->selecting = false;
	if (answer->status == IMAP_OK && !session->selected.uidnext)
		fault = find_uidnext(session, mem);
	session->selected.changes = 0;
	if (!fault && resync)
		resync->told = answer->status == IMAP_OK;
	return fault;
}

bool imap_session_resyncs(const struct imap_session *session)
{
	return session->resyncs;
}

struct fault *imap_session_unselect(struct imap_session *session, TALLOC_CTX *mem)
{
	struct imap_line *line;
	struct imap_answer answer;

	FAULT_TRY(imap_session_sound(session, mem));
	if (!session->selected.mailbox)
		return NULL;
	line = imap_line_new(mem, "UNSELECT", false);
	FAULT_TRY(imap_session_run(session, mem, line, NULL, NULL, &answer));
	selected_clear(session);
	return imap_answer_fault(mem, &answer, FAULT_SCOPE_ACCOUNT, "UNSELECT");
}

/* CLOSE of a mailbox that is open for reading expunges nothing (RFC 3501 section 6.4.2); UNSELECT is not
 * for all that tell it. */
struct fault *imap_session_examine(struct imap_session *session, TALLOC_CTX *mem,
				   const char *mailbox, struct imap_answer *answer_r)
{
	struct imap_line *line = imap_line_new(mem, mailbox ? "EXAMINE " : "CLOSE", false);
	struct imap_answer answer;

	FAULT_TRY(imap_session_sound(session, mem));
	if (mailbox)
		imap_line_mailbox(line, mailbox);
	selected_clear(session);
	FAULT_TRY(imap_session_run(session, mem, line, NULL, NULL, &answer));
	if (mailbox)
		*answer_r = answer;
	return NULL;
}

const struct imap_selected *imap_session_selected(const struct imap_session *session)
{
	return &session->selected;
}
