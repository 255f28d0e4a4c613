/* message_mail.h - a mail that somebody sent: who wrote it, to which addresses, in answer to what, and
 * what the person said. Nothing in it is believed; what may be is for the caller to decide. Pure. */
#ifndef TASKFERRY_MESSAGE_MAIL_H
#define TASKFERRY_MESSAGE_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

#define MESSAGE_MAIL_ADDRESSES_MAX                                                                 \
	100                      /* recipients that are looked at; a task's is among the first */
#define MESSAGE_MAIL_REFS_MAX 50 /* of the newest references */

struct message_words {
	const char **list;
	size_t count;
};

struct message_mail {
	struct message_words from; /* all addresses of all From fields, in lower case */
	/* the addresses that it came by, in lower case: those that servers note (X-Original-To,
	 * Delivered-To, Envelope-To), then To and Cc */
	struct message_words to;
	/* those of To alone, where there is exactly one such field: it is what a writer's DKIM
	 * signature covers; all others are up to whoever passes the mail on */
	struct message_words only_to;
	const char *message_id;    /* without < >; NULL: none */
	struct message_words refs; /* of In-Reply-To, then References, the newest first */
	/* why nobody wrote it: an automatic answer, a bounce, a list (RFC 3834, 3464, 2369), or one of our
	 * own; NULL: a person did */
	const char *machine;
	/* What the server AUTHSERV says of it in Authentication-Results (RFC 8601) about DMARC (RFC 7489): the
	 * domain of From for which that passed; NULL: it did not, or nobody says so */
	const char *dmarc_domain;
	/* text/plain, or what a text/html says (blocks as lines, a quote as a line `>`); NULL: neither */
	const char *text;
	const char *calendar; /* as in struct message */
	size_t calendar_len;
	/* the first text/calendar anywhere in it whose parameter `method` is REPLY (RFC 6047 section 2.4), in
	 * UTF-8 where its charset is known; NULL: none */
	const char *reply;
	size_t reply_len;
};

/* AUTHSERV NULL: nobody is believed. Only the topmost fields of that server count, as far as nothing
 * stands between them: whatever is further down came with the mail. DATA fault (scope ITEM): over the
 * limits of message.h, no header. */
struct fault *message_mail_read(TALLOC_CTX *mem, const char *text, size_t len, const char *authserv,
				struct message_mail **mail_r) ATTR_MUST_CHECK;

/* What a text/html says, in plain text. */
char *message_mail_plain(TALLOC_CTX *mem, const char *html);

#endif
