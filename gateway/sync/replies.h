/* replies.h - the mailbox that tasks are answered to: each mail read once, what it says done.
 *
 *   notice    what has come since the token
 *   read      mails that no row tells of yet
 *   decide    by the address: which assignment, whose (model/reply_token.h); by From, To and DMARC:
 *             whether it is that person who says so; by the text: what (mappers/card_reply.h)
 *   commit    one transaction per mail: values, bookings, revisions, jobs for those who show it, and the
 *             row that it was read
 *   file      the mail is marked as read, or moved
 *   token     last
 *
 * A mail counts as if its person had edited the card of the message that it answers. What is not proven
 * to be that person's becomes a proposal, whatever it is about; a mail by a machine, with no address of
 * ours, or with a forged one, is left alone and only counted. Nothing is ever sent: what is to be said
 * stands in the task's own message, or is put into the person's inbox, so that no two machines can
 * answer each other.
 */
#ifndef TASKFERRY_SYNC_REPLIES_H
#define TASKFERRY_SYNC_REPLIES_H

#include "gateway/sync/round.h"

#define REPLIES_FETCH 20         /* mails read at once */
#define REPLIES_PROPOSALS_MAX 10 /* per assignment and day, of mails whose sender is not proven */
#define REPLIES_ANSWERS_MAX 5    /* per person and hour */

struct replies {
	const struct round_env *env; /* with a reply_secret */
	struct endpoint *endpoint;   /* of the mailbox */
	int64_t account;             /* replies_account() */
	struct round_report *report;
	/* out: */
	const char *mailbox; /* its address, to listen to; NULL: not known */
	const char *token;   /* up to where it is read; NULL: not at all */
	char **lines;        /* for the log: one for each mail; with the report */
	size_t line_count;
	bool moved;   /* something was read */
	bool changed; /* there are new jobs */
	bool later;   /* a mail could not be read now */
};

/* The fault is of the account or the server. */
struct fault *replies_run(TALLOC_CTX *mem, struct replies *replies) ATTR_MUST_CHECK;

/* Puts what its person is to be told about replies into the inbox of ACCOUNT, whose endpoint that is, each
 * once. */
struct fault *replies_tell(TALLOC_CTX *mem, const struct round_env *env, int64_t account,
			   struct endpoint *endpoint, struct round_report *report) ATTR_MUST_CHECK;

#endif
