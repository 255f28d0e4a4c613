/* replies.h - what is kept of mails that were sent in reply: each is read once. */
#ifndef TASKFERRY_STORE_REPLIES_H
#define TASKFERRY_STORE_REPLIES_H

#include "store/store.h"

/* The mailbox with replies is an account like others, of this "resource", which is in no list of people:
 * no person's key begins so. */
#define REPLIES_KEY "@replies"

enum reply_outcome {
	REPLY_APPLIED,
	REPLY_PROPOSED,
	REPLY_EMPTY,   /* nothing stands above the quote */
	REPLY_REFUSED, /* rules or values did not let anything of it through */
	REPLY_MACHINE, /* nobody wrote it */
	REPLY_FOREIGN, /* no address of ours in it */
	REPLY_FORGED,  /* or of an assignment that is not there */
	REPLY_EXPIRED,
	REPLY_TWICE,    /* the same mail once more */
	REPLY_TOO_MANY, /* proposals of nobody knows whom */
	REPLY_OLDER,     /* by a task program, which has said something newer since */
	REPLY_MALFORMED, /* by a task program, and not as RFC 5546 wants it */
	REPLY_UNREADABLE,
	REPLY_OUTCOMES
};

const char *reply_outcome_name(enum reply_outcome outcome);

/* Finds or makes the account of the mailbox on SERVER; making needs a write transaction, so CREATE false
 * gives 0 when there is none. */
struct fault *replies_account(struct store *store, TALLOC_CTX *mem, const char *server, bool create,
			      int64_t *account_r) ATTR_MUST_CHECK;

/* What came of the mail at ADDRESS; in the transaction of its effect. MESSAGE_ID may be NULL, ASSIGNMENT
 * 0. */
struct replies_row {
	int64_t account_id;
	const char *address, *message_id;
	int64_t assignment_id;
	enum reply_outcome outcome;
	int64_t at_us;
};
struct fault *replies_add(struct store *store, const struct replies_row *row) ATTR_MUST_CHECK;
struct fault *replies_has(struct store *store, int64_t account, const char *address,
			  bool *has_r) ATTR_MUST_CHECK;

/* The same mail had an effect on that assignment before. */
struct fault *replies_met(struct store *store, int64_t assignment, const char *message_id,
			  bool *met_r) ATTR_MUST_CHECK;

/* How many mails have had that outcome for it since. */
struct fault *replies_count(struct store *store, int64_t assignment, enum reply_outcome outcome,
			    int64_t since_us, int64_t *count_r) ATTR_MUST_CHECK;

/* The newest answer of a task program that counted: which one that is, is told by its SEQUENCE, then by its
 * DTSTAMP (RFC 5546 section 2.1.5). Both -1: none yet. */
struct replies_order {
	int64_t sequence, stamp_us;
};
struct fault *replies_order(struct store *store, int64_t assignment,
			    struct replies_order *order_r) ATTR_MUST_CHECK;
struct fault *replies_order_set(struct store *store, int64_t assignment,
				const struct replies_order *order) ATTR_MUST_CHECK;

/* Mails that are read, and do not look it in the mailbox yet: at most MOST. */
struct fault *replies_unfiled(struct store *store, TALLOC_CTX *mem, int64_t account, int64_t most,
			      char ***list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *replies_filed(struct store *store, int64_t account,
			    const char *address) ATTR_MUST_CHECK;

/* Forgets mails that were read before; only where they are not in the mailbox any more, for a listing would
 * make them new. */
struct fault *replies_purge(struct store *store, int64_t account,
			    int64_t before_us) ATTR_MUST_CHECK;

/* Forgets answers that were told by then. */
struct fault *replies_answers_purge(struct store *store, int64_t before_us) ATTR_MUST_CHECK;

/* Up to where the mailbox is read; NULL: not at all. */
struct fault *replies_token(struct store *store, TALLOC_CTX *mem, int64_t account,
			    char **token_r) ATTR_MUST_CHECK;
struct fault *replies_token_set(struct store *store, int64_t account,
				const char *token) ATTR_MUST_CHECK;

/* A message that a person is to find in the inbox of that account. TRIED: it may be there already. */
struct answer {
	int64_t id;
	const char *message_id, *text;
	bool tried;
};
struct fault *replies_answer(struct store *store, int64_t account, const char *message_id,
			     const char *text, int64_t now_us) ATTR_MUST_CHECK;
struct fault *replies_answers_since(struct store *store, int64_t account, int64_t since_us,
				    int64_t *count_r) ATTR_MUST_CHECK;
struct fault *replies_answers(struct store *store, TALLOC_CTX *mem, int64_t account,
			      struct answer **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *replies_answer_tried(struct store *store, int64_t id) ATTR_MUST_CHECK;
struct fault *replies_answer_done(struct store *store, int64_t id) ATTR_MUST_CHECK;

#endif
