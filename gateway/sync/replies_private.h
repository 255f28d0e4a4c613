/* replies_private.h - what the files that read replies share. */
#ifndef TASKFERRY_SYNC_REPLIES_PRIVATE_H
#define TASKFERRY_SYNC_REPLIES_PRIVATE_H

#include "gateway/sync/replies.h"
#include "mappers/message_mail.h"
#include "mappers/card_reply.h"
#include "store/replies.h"

/* One mail, inside its transaction. */
struct reply_mail {
	struct replies *replies;
	const struct message_mail *mail;
	const char *key;   /* of the mail: for bookings */
	int64_t at_us;     /* now */
	int64_t came_us;   /* when the server took it, where that is known: what was said then */
	const char *token; /* of its address; NULL: none */
	/* of the token, once it is proven; NULL before: */
	struct assignment *assignment;
	struct resource *resource;
	/* out: */
	enum reply_outcome outcome;
	const char *why; /* for the log and the answer; NULL: nothing to say */
	struct card_reply *said;
	struct buf *complaints; /* lines for the answer */
};

/* Why it may be somebody else's word than RESOURCE's; NULL: it is that person's. (replies.c) */
const char *reply_doubt(TALLOC_CTX *mem, const struct reply_mail *mail);

/* What comes of a mail with an answer of a task program (RFC 5546, RFC 6047), which is found by its UID and
 * needs no token: it is sent to an organizer. In the caller's write transaction. (reply_itip.c) */
struct fault *reply_itip(TALLOC_CTX *mem, struct reply_mail *mail) ATTR_MUST_CHECK;

/* What SAID changes: as the person's own, or, where DOUBT says why it may not be theirs, as a proposal. In the
 * caller's write transaction. (reply_apply.c) */
struct fault *reply_apply(TALLOC_CTX *mem, struct reply_mail *mail,
			  const char *doubt) ATTR_MUST_CHECK;

/* Keeps what the mail's person is to be told of it, if anything; in the same transaction (reply_answer.c). */
struct fault *reply_answer(TALLOC_CTX *mem, const struct reply_mail *mail) ATTR_MUST_CHECK;

#endif
