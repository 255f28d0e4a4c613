#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

/* Cyrus says no more than NO, without a code, of a full mailbox and of a right that is missing, and its words
 * are for people. So the server is asked for its numbers (RFC 9208) and for the rights (RFC 4314), once for
 * all that was refused together. One that has neither is not asked, and what it refused is the item's
 * affair. A right goes before room: it is missing for each message, whatever its size. */

#define QUESTIONS_MAX 2

struct asking {
	TALLOC_CTX *mem;
	struct imap_quota quota;
	struct imap_rights rights;
};

struct imap_refusal imap_refusal_of(const struct imap_answer *answer)
{
	struct imap_refusal refusal = { .words = NULL };

	if (answer->status != IMAP_NO)
		return refusal;
	refusal.by_right = answer->code && !strcmp(answer->code, "NOPERM");
	if (!answer->code || refusal.by_right)
		refusal.words = answer->text;
	return refusal;
}

static struct fault *take(void *context, const struct imap_response *response)
{
	struct asking *asking = context;

	imap_quota_take(&asking->quota, asking->mem, response);
	imap_rights_take(&asking->rights, asking->mem, response);
	return NULL;
}

/* A refusal of these says nothing. ROOM: not only rights. */
static struct fault *ask(struct imap *imap, TALLOC_CTX *mem, const char *mailbox, bool room,
			 struct asking *asking_r)
{
	struct asking asking = { .mem = mem, .rights = { .mailbox = mailbox } };
	struct imap_line *lines[QUESTIONS_MAX];
	struct imap_answer answers[QUESTIONS_MAX];
	size_t count = 0, answered;

	if (room && imap_session_can(imap->session, IMAP_CAP_QUOTA))
		lines[count++] = imap_quota_line(mem, mailbox);
	if (imap_rights_are_told(imap))
		lines[count++] = imap_rights_line(mem, mailbox);
	if (count)
		FAULT_TRY(imap_session_run_all(imap->session, mem, lines, count, take, &asking,
					       answers, &answered));
	*asking_r = asking;
	return NULL;
}

struct fault *imap_refusal_judge(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				 size_t size, const struct imap_answer *answer, struct fault *fault)
{
	struct imap_quota quota;
	struct fault *full;

	if (!fault || answer->status != IMAP_NO || answer->code)
		return fault;
	FAULT_TRY(imap_quota_ask(imap, mem, mailbox, &quota));
	full = imap_quota_fault(mem, &quota, size, answer->text);
	return full ? full : fault;
}

/* ---- many ---- */

/* What is told of one put; NULL: nothing. */
static struct fault *judge(struct imap *imap, TALLOC_CTX *mem, const struct asking *asking,
			   const struct imap_refusal *refusal, size_t size)
{
	struct fault *fault = imap_rights_refused(imap, mem, &asking->rights);

	if (fault || refusal->by_right)
		return fault;
	return imap_quota_fault(mem, &asking->quota, size, refusal->words);
}

struct fault *imap_refusal_judge_puts(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				      struct endpoint_put *puts, struct imap_refusal *refusals,
				      size_t count)
{
	struct asking asking = { .mem = mem };
	struct fault *fault = NULL;
	bool any = false, room = false;

	for (size_t i = 0; i < count; i++) {
		any = any || refusals[i].words;
		room = room || (refusals[i].words && !refusals[i].by_right);
	}
	if (any)
		fault = ask(imap, mem, mailbox, room, &asking);
	for (size_t i = 0; i < count; i++) {
		struct fault *why;

		if (!refusals[i].words)
			continue;
		why = fault ? NULL : judge(imap, mem, &asking, &refusals[i], puts[i].len);
		if (why)
			puts[i].fault = why;
		else if (fault && puts[i].fault)
			puts[i].fault = imap_fault_copy(mem, fault);
		refusals[i].words = NULL;
	}
	return fault;
}
