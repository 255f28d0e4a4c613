#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mappers/card_reply.h"
#include "mappers/message_mail.h"
#include "mappers/vtodo_reply.h"

/* libFuzzer: a mail from somewhere.
 *
 *   R1  it is read or refused; what is taken from it is UTF-8 where people read it, and bounded
 *   R2  nobody is believed whose name does not stand in it
 *   R3  a quote below changes nothing
 *   R4  an answer of a task program is read wholly or not at all, and says nothing out of bounds
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; reply_fuzz -max_len=8192 CORPUS
 */

#define AUTHSERV "mx.fuzz.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition, text)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s\n", text);                                             \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_reply(TALLOC_CTX *mem, const char *text)
{
	struct card_reply *reply = card_reply_read(mem, text), *again;
	struct card_reply *below =
		card_reply_read(mem, mem_printf(mem, "%s\n> Percent: 5\n", text));

	MUST(text_is_utf8(reply->note, strlen(reply->note)), "R1: the note is not UTF-8");
	MUST(strlen(reply->note) <= CARD_REPLY_NOTE_MAX, "R1: the note is too long");
	again = card_reply_read(mem, text);
	MUST(!strcmp(again->note, reply->note), "R1: read otherwise the second time");
	MUST(!strcmp(below->note, reply->note), "R3: the note is another one");
	for (int f = 0; f < FIELDS; f++)
		MUST(value_identical((enum field)f, &below->values->value[f],
				     &reply->values->value[f]),
		     "R3: a value is another one");
}

static void check_calendar(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct vtodo_reply *reply = NULL;
	struct fault *fault = vtodo_reply_read(mem, text, len, &reply);
	int64_t percent;

	MUST(!fault != !reply, "R4: read and refused");
	if (!reply)
		return;
	percent = vector_get(reply->values, FIELD_percent, 1);
	MUST(reply->uid && *reply->uid && reply->attendee && *reply->attendee, "R4: whose is it");
	MUST(percent >= 1 && percent <= 100, "R4: percent");
	MUST(reply->sequence >= 0, "R4: sequence");
	MUST(vector_get(reply->values, FIELD_status, 0) != STATUS_CANCELLED, "R4: status");
	MUST(text_is_utf8(reply->note, strlen(reply->note)), "R4: the note is not UTF-8");
	MUST(strlen(reply->note) <= VTODO_REPLY_NOTE_MAX, "R4: the note is too long");
	for (int f = 0; f < FIELDS; f++)
		MUST(reply->values->value[f].presence == ABSENT || f == FIELD_status ||
			     f == FIELD_percent || f == FIELD_completed_at,
		     "R4: a value that is not the attendee's");
}

static bool is_named(TALLOC_CTX *mem, const char *text, size_t len)
{
	char *lower = mem_bytes(mem, text, len);

	for (size_t i = 0; i < len; i++)
		if (lower[i] == '\0')
			lower[i] = ' ';
	return strstr(text_lower(mem, lower), AUTHSERV) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *text = mem_bytes(mem, data, size);
	struct message_mail *mail = NULL;
	struct fault *fault = message_mail_read(mem, text, size, AUTHSERV, &mail);

	MUST(!fault != !mail, "R1: read and refused");
	if (mail) {
		MUST(mail->to.count <= MESSAGE_MAIL_ADDRESSES_MAX, "R1: too many addresses");
		MUST(!mail->dmarc_domain || is_named(mem, text, size), "R2: believed");
		if (mail->text)
			check_reply(mem, mail->text);
		if (mail->reply)
			check_calendar(mem, mail->reply, mail->reply_len);
	} else {
		check_calendar(mem, text, size);
	}
	talloc_free(mem);
	return 0;
}
