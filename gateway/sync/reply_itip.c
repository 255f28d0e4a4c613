/* reply_itip.c - an answer that a task program sent: METHOD:REPLY by mail.
 *
 * It goes to an organizer, not to the address with the token, so the token is neither asked for nor looked
 * at. Whose it is, is proven as for other replies, by From and DMARC, and the ATTENDEE has to be the person
 * too (RFC 6047 section 2.3); whatever is not proven is a proposal. */
#include "config.h"

#include "gateway/sync/replies_private.h"

#include <string.h>

#include "base/text.h"
#include "mappers/vtodo_reply.h"

static struct fault *drop(struct reply_mail *mail, enum reply_outcome outcome, const char *why)
{
	mail->outcome = outcome;
	mail->why = why;
	return NULL;
}

/* Leaves the assignment NULL where it is nobody's of ours. */
static struct fault *find(TALLOC_CTX *mem, struct reply_mail *mail, const struct vtodo_reply *said)
{
	struct store *store = mail->replies->env->store;
	struct assignment *assignment = NULL;
	struct resource *resource = NULL;

	FAULT_TRY(project_assignment_by_uid(store, mem, said->uid, &assignment));
	if (assignment)
		FAULT_TRY(project_resource(store, mem, assignment->resource_id, &resource));
	if (!resource)
		return drop(mail, REPLY_FOREIGN, "no task of ours has its UID");
	if (!resource->email || !text_equal_nocase(resource->email, said->attendee))
		return drop(mail, REPLY_FORGED, "its ATTENDEE is not the person of the task");
	mail->assignment = assignment;
	mail->resource = resource;
	return NULL;
}

/* An equal one is the same answer in another mail. */
static bool is_newer(const struct vtodo_reply *said, const struct replies_order *last)
{
	return said->sequence != last->sequence ? said->sequence > last->sequence
						: said->stamp_us > last->stamp_us;
}

/* What the project has decides what "accepted" and "declined" change. */
static struct fault *take_part(TALLOC_CTX *mem, struct reply_mail *mail,
			       const struct vtodo_reply *said, struct vector *values)
{
	struct stamped *stamped = NULL;
	int64_t status;

	FAULT_TRY(project_values(mail->replies->env->store, mem, mail->assignment, &stamped));
	status = vector_get(stamped->values, FIELD_status, STATUS_NEEDS_ACTION);
	if (said->part == VTODO_REPLY_ACCEPTED && status == STATUS_CANCELLED &&
	    values->value[FIELD_status].presence == ABSENT)
		vector_number(values, FIELD_status,
			      vector_get(stamped->values, FIELD_percent, 0) ? STATUS_IN_PROCESS
									    : STATUS_NEEDS_ACTION);
	/* who tidies up what is done takes nothing back */
	if (said->part == VTODO_REPLY_DECLINED && status != STATUS_COMPLETED)
		vector_number(values, FIELD_status, STATUS_CANCELLED);
	return NULL;
}

static struct card_reply *words(TALLOC_CTX *mem, const struct vtodo_reply *said)
{
	struct card_reply *words = MEM_NEW(mem, struct card_reply);

	words->values = said->values;
	words->note = said->note;
	words->problems = said->problems;
	words->problem_count = said->problem_count;
	words->any = true;
	return words;
}

/* Where a deleted item is no refusal, an answer is none by itself either. */
static const char *doubt(TALLOC_CTX *mem, const struct reply_mail *mail,
			 const struct vtodo_reply *said)
{
	const char *why = reply_doubt(mem, mail);

	if (!why && said->part == VTODO_REPLY_DECLINED &&
	    mail->replies->env->conf->rights.on_delete != ON_DELETE_DECLINE)
		return "people do not decline tasks by themselves here ([rights] on_delete)";
	return why;
}

/* Only what is proven counts, else anybody could keep the person from being heard by a high number; nor does
 * a clock that runs ahead. */
static struct fault *note_order(TALLOC_CTX *mem, const struct reply_mail *mail,
				const struct vtodo_reply *said)
{
	struct replies_order order = { said->sequence, said->stamp_us < mail->at_us ? said->stamp_us
										    : mail->at_us };

	if (reply_doubt(mem, mail))
		return NULL;
	return replies_order_set(mail->replies->env->store, mail->assignment->id, &order);
}

static struct fault *take(TALLOC_CTX *mem, struct reply_mail *mail, const struct vtodo_reply *said)
{
	struct store *store = mail->replies->env->store;
	struct replies_order last;
	bool met = false;

	FAULT_TRY(replies_met(store, mail->assignment->id, mail->key, &met));
	if (met)
		return drop(mail, REPLY_TWICE, NULL);
	FAULT_TRY(replies_order(store, mail->assignment->id, &last));
	if (!is_newer(said, &last))
		return drop(mail, REPLY_OLDER, "a newer answer of that person has counted");
	if (said->part == VTODO_REPLY_DELEGATED)
		return drop(
			mail, REPLY_EMPTY,
			"a task cannot be handed to somebody else by an answer: ask the project "
			"manager");
	FAULT_TRY(take_part(mem, mail, said, said->values));
	mail->said = words(mem, said);
	FAULT_TRY(reply_apply(mem, mail, doubt(mem, mail, said)));
	return note_order(mem, mail, said);
}

struct fault *reply_itip(TALLOC_CTX *mem, struct reply_mail *mail)
{
	struct vtodo_reply *said = NULL;
	struct fault *fault =
		vtodo_reply_read(mem, mail->mail->reply, mail->mail->reply_len, &said);

	if (fault)
		return drop(mail, REPLY_MALFORMED, fault->text);
	FAULT_TRY(find(mem, mail, said));
	return mail->assignment ? take(mem, mail, said) : NULL;
}
