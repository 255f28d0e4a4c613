/* message_kit.h - messages for tests: written with LF for the eye, shown as one text. */
#ifndef TASKFERRY_TESTS_MESSAGE_KIT_H
#define TASKFERRY_TESTS_MESSAGE_KIT_H

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/message.h"

#define KIT_CARD "Task: Paint the fence\nStatus: in process\nPercent: 40\n\nNotes.\n"
#define KIT_CALENDAR "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"

static const struct message_publish kit_publish = {
	.uid = "4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001",
	.edition = 3,
	.edition_hash = "0123abcd",
	.site_host = "pm.example.com",
	.from_name = "Harbour",
	.to_name = "Ana Silva",
	.to_email = "ana@example.com",
	.subject = "Paint the fence",
	.now_us = INT64_C(1795251600000000), /* 2026-11-21T09:00:00Z */
	.card = KIT_CARD,
	.calendar = KIT_CALENDAR,
	.calendar_len = sizeof KIT_CALENDAR - 1,
};

/* With CR LF. */
static inline char *kit_crlf(TALLOC_CTX *mem, const char *text)
{
	struct buf *buf = buf_new(mem);

	for (; *text; text++)
		if (*text == '\n')
			buf_puts(buf, "\r\n");
		else
			buf_putc(buf, *text);
	return buf->data;
}

/* TEXT again and again, as often as it takes for LEN bytes. */
static inline void kit_repeat(struct buf *buf, const char *text, size_t times)
{
	while (times--)
		buf_puts(buf, text);
}

/* CR as `\r`, NUL as `\0`, so that an expectation can be written. */
static inline char *kit_visible(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\r')
			buf_puts(buf, "\\r");
		else if (!text[i])
			buf_puts(buf, "\\0");
		else
			buf_putc(buf, text[i]);
	return buf->data;
}

static inline void kit_put(struct buf *buf, const char *name, const char *text)
{
	if (text)
		buf_printf(buf, "%s=[%s]", name, text);
}

/* What a message says; what it does not say is left out. */
static inline char *kit_shown(TALLOC_CTX *mem, const struct message *message)
{
	struct buf *buf = buf_new(mem);

	kit_put(buf, "uid", message->uid);
	if (message->edition)
		buf_printf(buf, "edition=[%" PRId64 "]", message->edition);
	kit_put(buf, "hash", message->edition_hash);
	kit_put(buf, "id", message->message_id);
	kit_put(buf, "subject", message->subject);
	kit_put(buf, "agent", message->agent);
	kit_put(buf, "card", message->card);
	if (message->calendar)
		kit_put(buf, "calendar",
			kit_visible(mem, message->calendar, message->calendar_len));
	return buf->data;
}

static inline char *kit_parsed(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct message *message = NULL;
	struct fault *fault = message_parse(mem, text, len, &message);

	if (!fault)
		return kit_shown(mem, message);
	cr_expect(!message && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM &&
			  fault->next == FAULT_NEXT_HOLD,
		  "%s", fault->text);
	return mem_printf(mem, "FAULT %s", fault->text);
}

#endif
