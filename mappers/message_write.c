#include "config.h"

#include "mappers/message_private.h"

#include <assert.h>
#include <string.h>

#define FIRST_TEXT 2000   /* bytes of most cards and calendars */
#define FIRST_HEADER 1200 /* bytes of most headers, and what lies between the parts */

/* The order of a new message's fields. */
static const enum message_own fields[] = {
	MESSAGE_FROM, MESSAGE_TO,         MESSAGE_REPLY_TO, MESSAGE_SUBJECT, MESSAGE_DATE,
	MESSAGE_ID,   MESSAGE_REFERENCES, MESSAGE_UID,      MESSAGE_EDITION, MESSAGE_VERSION,
};
_Static_assert(COUNT_OF(fields) == MESSAGE_OWNS, "every field once");

struct fault *message_write(TALLOC_CTX *mem, const struct message_publish *publish, char **text_r,
			    size_t *len_r)
{
	struct buf *card = buf_new_sized(mem, FIRST_TEXT),
		   *calendar = buf_new_sized(card, FIRST_TEXT), *out;
	struct fault *fault = NULL;
	char *boundary;
	size_t plain;

	assert(publish->uid && publish->subject && publish->card && publish->calendar);
	message_body_card(card, publish, NULL);
	message_body_calendar(calendar, publish->calendar, publish->calendar_len, NULL);
	out = buf_new_sized(mem, card->len + calendar->len + FIRST_HEADER);
	boundary = message_header_boundary(card, publish, "",
					   (struct message_slice[]){
						   { card->data, card->len },
						   { calendar->data, calendar->len },
					   },
					   2);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		(void)message_header_add(card, out, fields[i], publish);
	message_header_multipart(out, "mixed", boundary);
	buf_join(out, "\r\n--", boundary, "\r\n", NULL);
	buf_add(out, card->data, card->len);
	buf_join(out, "\r\n--", boundary, "\r\n", NULL);
	buf_add(out, calendar->data, calendar->len);
	plain = out->len;
	for (size_t i = 0; i < publish->file_count; i++) {
		buf_join(out, "\r\n--", boundary, "\r\n", NULL);
		message_files_add(out, publish, &publish->files[i]);
	}
	buf_join(out, "\r\n--", boundary, "--\r\n", NULL);
	if (plain <= MESSAGE_TEXT_MAX && out->len <= MESSAGE_WHOLE_MAX) {
		talloc_free(card);
		*text_r = buf_steal(&out, mem, len_r);
		return NULL;
	}
	fault = message_fault(mem,
			      "a message of %zu bytes, and %zu with its files: more than %zu, or "
			      "%zu",
			      plain, out->len, MESSAGE_TEXT_MAX, MESSAGE_WHOLE_MAX);
	talloc_free(card);
	talloc_free(out);
	return fault;
}
