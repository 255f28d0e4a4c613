/* message_answer.h - a message that tells a person something about a mail of theirs; plain text. Pure. */
#ifndef TASKFERRY_MESSAGE_ANSWER_H
#define TASKFERRY_MESSAGE_ANSWER_H

#include "mappers/message.h"

/* Of ENVELOPE its from_name, to_name, to_email, subject, site_host and now_us, and `uid`, which together with
 * `edition` makes its Message-ID; its card is the text. IN_REPLY_TO: a Message-ID without < >, or NULL; one
 * that cannot stand in a header is left out. It says that a machine wrote it (RFC 3834). */
char *message_answer(TALLOC_CTX *mem, const struct message_publish *envelope,
		     const char *in_reply_to, size_t *len_r);

#endif
