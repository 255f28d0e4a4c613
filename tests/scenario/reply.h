/* reply.h - people who answer the message of a task. */
#ifndef TASKFERRY_TESTS_REPLY_H
#define TASKFERRY_TESTS_REPLY_H

#include "world.h"

#define REPLY_CONF                                                                                 \
	"[replies]\naddress = tasks+%%{token}@example.com\nserver = a\naccount = tasks\n"            \
	"authserv_id = mx.example.com\nsecret_file = %s/secret\n[account a tasks]\nlogin = tasks\n"

/* `replies` in a scenario: server a has the mailbox. */
void reply_configure(struct world *world);

/* A mail in answer to the item of that title, with TEXT (`\n` is a line end) on top and the card quoted
 * below, delivered to the mailbox. HOW: words, separated by `+`:
 *
 *   -             by the person, DMARC passed
 *   unproven      without Authentication-Results
 *   forged        a letter of the token is another one
 *   auto          an automatic answer
 *   bounce        to an empty Return-Path
 *   passed        the person wrote it to somebody else, who has passed it on to the task's address
 *   nameless      without a Message-ID
 *   twice         the last mail once more, to the letter
 *   by=ADDRESS    by somebody else, for whom DMARC passed
 *   imip          by a task program instead (RFC 6047), to the address without a token; TEXT is a PARTSTAT, then
 *                 lines of the VTODO. `other`: its ATTENDEE is eve; `stray`: its UID is nobody's
 */
void reply_send(struct world *world, const char *how, const char *who, const char *title,
		const char *text);

/* Reads the mailbox, as a `report` job does. */
void reply_read_all(struct world *world, struct round_env *env);

/* How many messages are in the mailbox, or a person's inbox, in whose text TEXT stands. */
int64_t reply_count(struct world *world, const char *user, const char *mailbox, const char *text);

#endif
