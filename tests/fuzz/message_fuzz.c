#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mappers/message_private.h"

/* libFuzzer: the first byte chooses what is published (its lowest two bits: a row; the others: enum
 * choice), the rest is a message from somewhere.
 *
 *   F1  a text is read or refused, never both; its texts are UTF-8 without CR
 *   F2  what was read can be patched, unless the new text would be over the limits
 *   F3  a patched message gives the texts that were published
 *   F4  the same patch again changes nothing
 *   F5  parts of others and header fields of others stay byte for byte (N4)
 *   F6  a file that comes stands in it then, one that goes does not, all others stay
 *   F7  with stand-ins for its parts, and put together again, it is the same text
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; message_fuzz -max_len=4096 CORPUS
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, __VA_ARGS__);                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The cards have lines that look like delimiters of the messages to be found. */
static const struct {
	const char *subject, *card, *calendar;
} publications[] = {
	{ "Paint the fence", "Task: Paint the fence\nStatus: done\n", "BEGIN:VCALENDAR\r\n" },
	{ "M\xc3\xbcll =?x?Q?y?=", "Task: M\xc3\xbcll \n\nFrom here\n", "SUMMARY:M\xc3\xbcll\n" },
	{ "", "", "" },
	{ "a\r\nBcc: b", "--b\n--b--\n--a\n--=_taskferry\n", "--b\r\n--b--\r\n--a\r\n" },
};

enum choice {
	CHOICE_ROW = 0x03,
	CHOICE_COMES = 0x04, /* a file */
	CHOICE_GOES = 0x08,  /* the first one that there is */
	CHOICE_HTML = 0x40,
};

#define COMING "new"
static const struct file coming = {
	.digest = "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437",
	.name = "new",
	.size = sizeof COMING - 1,
};

static const struct message_publish publish_base = {
	.uid = "4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001",
	.edition = 3,
	.edition_hash = "0123abcd",
	.site_host = "pm.example.com",
	.from_name = "H\xc3\xa4"
		     "fen \"x\"",
	.to_name = "Ana",
	.to_email = "ana@example.com",
	.now_us = INT64_C(1795251600000000),
};

static void check_text(const char *text, const char *what)
{
	MUST(!text || text_is_utf8(text, strlen(text)), "F1: %s is not UTF-8", what);
	MUST(!text || !strchr(text, '\r'), "F1: %s has a CR", what);
}

static bool holds(const char *text, size_t len, const char *part, size_t part_len)
{
	for (size_t i = 0; i + part_len <= len; i++)
		if (memcmp(text + i, part, part_len) == 0)
			return true;
	return false;
}

static bool is_ours(const struct message_tree *tree, const struct message_field *field)
{
	for (int own = 0; own < MESSAGE_OWNS; own++)
		if (message_field_is(tree->text, field, message_header_name((enum message_own)own)))
			return true;
	return field->name_len > 8 && strncasecmp(tree->text + field->from, "Content-", 8) == 0;
}

/* Only where the message keeps its structure and what is within an alternative stays out of it. */
static void check_kept(const struct message_tree *tree, const char *text, size_t len, bool goes)
{
	struct message_field field;

	for (size_t at = 0; message_field_read(tree->text, at, tree->parts[0].body, &field);
	     at = field.to)
		MUST(is_ours(tree, &field) ||
			     holds(text, len, tree->text + field.from, field.to - field.from),
		     "F5: a field is gone\n%s", text);
	for (uint32_t i = 1; i < tree->count; i++) {
		const struct message_part *part = &tree->parts[i];
		bool form = text_starts(part->kind.type, "text/") && !part->kind.file &&
			    strcmp(part->kind.type, "text/plain") != 0 &&
			    strcmp(part->kind.type, "text/calendar") != 0;

		MUST(part->past != i + 1 || i == tree->card || i == tree->calendar || form ||
			     part->split || (goes && part->kind.file) ||
			     holds(text, len, tree->text + part->from, part->to - part->from),
		     "F5: part %u is gone\n%s", i, text);
	}
}

static bool stands(const struct files *files, const char *id)
{
	return files && files_find(files, id);
}

/* As far as a message's files are told. */
static void check_files(const struct message *before, const struct message *after,
			const struct message_publish *publish, const char *text)
{
	const struct files *files = before->files;
	const char *gone = publish->gone_count ? publish->gone[0] : NULL;

	if (after->files && after->files->count == FILES_COUNT_MAX)
		return;
	MUST(!publish->file_count || stands(after->files, coming.digest), "F6: none came\n%s",
	     text);
	MUST(!gone || (publish->file_count && !strcmp(gone, coming.digest)) ||
		     !stands(after->files, gone),
	     "F6: %s is still there\n%s", gone, text);
	for (size_t i = 0; files && i < files->count; i++) {
		const char *id = files_id(&files->list[i]);

		MUST(text_same(id, gone) || stands(after->files, id), "F6: %s went\n%s", id, text);
	}
}

static struct message_publish publish_of(const struct message *before, uint8_t choice,
					 const struct files_content *come, const char **gone)
{
	struct message_publish publish = publish_base;
	size_t row = choice & CHOICE_ROW;

	publish.subject = publications[row].subject;
	publish.card = publications[row].card;
	publish.calendar = publications[row].calendar;
	publish.calendar_len = strlen(publish.calendar);
	if (choice & CHOICE_HTML)
		publish.html = publish.card;
	publish.files = come;
	publish.file_count = choice & CHOICE_COMES ? 1 : 0;
	if (before->files && choice & CHOICE_GOES) {
		*gone = files_id(&before->files->list[0]);
		publish.gone = gone;
		publish.gone_count = 1;
	}
	return publish;
}

static void check_patch(TALLOC_CTX *mem, const char *text, size_t len, const struct message *before,
			uint8_t choice)
{
	static const struct files_content come = { &coming, COMING, sizeof COMING - 1 };
	const char *gone;
	struct message_publish publish = publish_of(before, choice, &come, &gone);
	struct message_tree *tree;
	struct message *message;
	struct fault *fault;
	char *first, *second;
	size_t first_len, second_len;

	fault = message_patch(mem, text, len, &publish, &first, &first_len);
	if (fault) {
		MUST(strstr(fault->text, "more than"), "F2: %s", fault->text);
		return;
	}
	fault = message_parse(mem, first, first_len, &message);
	MUST(!fault, "F3: %s\n%s", fault->text, first);
	MUST(message->card && !strcmp(message->card, publish.card), "F3: card\n%s", first);
	MUST(message->calendar && message->calendar_len == publish.calendar_len &&
		     !memcmp(message->calendar, publish.calendar, publish.calendar_len),
	     "F3: calendar\n%s", first);
	MUST(text_same(message->uid, publish.uid) && message->edition == 3 &&
		     text_same(message->edition_hash, publish.edition_hash),
	     "F3: uid, edition\n%s", first);
	check_files(before, message, &publish, first);
	MUST(!message_patch(mem, first, first_len, &publish, &second, &second_len),
	     "F4: refused\n%s", first);
	MUST(first_len == second_len && !memcmp(first, second, first_len), "F4:\n%s\n=====\n%s",
	     first, second);
	MUST(!message_tree_parse(mem, text, len, &tree), "F2");
	check_kept(tree, first, first_len, publish.gone_count);
}

static void check_elided(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct message_piece *pieces;
	struct buf *again = buf_new(mem);
	size_t count, elided_len;
	char *elided;

	if (message_elide_pieces(mem, text, len, &pieces, &count) || count != 1)
		return; /* some stand there already */
	elided = message_elide_all(mem, text, len, "4.7", 1, &elided_len);
	MUST(!message_elide_pieces(mem, elided, elided_len, &pieces, &count), "F7: %s", elided);
	MUST(message_elide_sound(mem, elided, elided_len, count / 2), "F7: %s", elided);
	for (size_t i = 0; i < count; i++) {
		const char *body = pieces[i].text;
		size_t body_len = pieces[i].len;

		MUST(body || message_elide_find(mem, text, len, pieces[i].standin.section, &body,
						&body_len),
		     "F7: %s", elided);
		buf_add(again, body, body_len);
	}
	MUST(again->len == len && !memcmp(again->data, text, len), "F7: %s\n=====\n%s", elided,
	     again->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *text = (const char *)data + 1;
	struct message *message = NULL;
	struct fault *fault;

	if (size > 0) {
		fault = message_parse(mem, text, size - 1, &message);
		MUST(!fault == (message != NULL), "F1");
		if (message) {
			check_text(message->uid, "uid");
			check_text(message->subject, "subject");
			check_text(message->message_id, "message_id");
			check_text(message->agent, "agent");
			check_text(message->card, "card");
			check_patch(mem, text, size - 1, message, data[0]);
			check_elided(mem, text, size - 1);
		}
	}
	talloc_free(mem);
	return 0;
}
