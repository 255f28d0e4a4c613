#include "config.h"

#include "mappers/message.h"

#include <string.h>

#include "base/text.h"
#include "mappers/message_private.h"
#include "model/ids.h"

/* Where the fields of the message itself lie. */
struct header {
	const struct message_tree *tree;
	struct message *message;
};

static const char *field_of(const struct header *header, const char *name)
{
	const struct message_part *top = &header->tree->parts[0];

	return message_mime_words(header->message, header->tree->text, top->from, top->body, name);
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* NUMBER-HASH; the hash may be missing. */
static void read_edition(const struct header *header)
{
	const char *text = field_of(header, MESSAGE_EDITION_FIELD), *hash;
	int64_t number;

	if (!text)
		return;
	hash = strchr(text, '-');
	if (!text_to_int(hash ? mem_strndup(header->message, text, (size_t)(hash - text)) : text,
			 &number) ||
	    number <= 0 || number > EDITION_MAX)
		return;
	header->message->edition = number;
	header->message->edition_hash = hash ? or_null(hash + 1) : NULL;
}

/* As it is written between its angle brackets; comments around them are none of it. */
static void read_id(const struct header *header)
{
	const char *text = field_of(header, message_header_name(MESSAGE_ID));
	const char *open = text ? strchr(text, '<') : NULL;
	const char *close = open ? strchr(open, '>') : NULL;

	if (close)
		text = mem_strndup(header->message, open + 1, (size_t)(close - open - 1));
	header->message->message_id = or_null(text);
}

static void read_card(const struct message_tree *tree, struct message *message)
{
	const struct message_part *part = &tree->parts[tree->card];
	TALLOC_CTX *tmp = MEM_CONTEXT(message);
	size_t len;
	char *bytes = message_body_decode(tmp, tree, part, &len), *text;
	bool clean;

	text = message_body_convert(tmp, part->kind.charset, bytes, len, &len, &clean);
	text = message_body_plain(part->kind.flowed ? tmp : message, text ? text : bytes, len);
	message->card =
		part->kind.flowed ? message_flow_join(message, text, part->kind.delsp) : text;
	talloc_free(tmp);
}

/* Its own mapper knows better what to do with bytes that are no text. */
static void read_calendar(const struct message_tree *tree, struct message *message)
{
	const struct message_part *part = &tree->parts[tree->calendar];
	size_t text_len;
	bool clean;
	char *text;

	message->calendar = message_body_decode(message, tree, part, &message->calendar_len);
	text = message_body_convert(message, part->kind.charset, message->calendar,
				    message->calendar_len, &text_len, &clean);
	if (!text || !clean)
		return;
	message->calendar = text;
	message->calendar_len = text_len;
}

struct fault *message_parse(TALLOC_CTX *mem, const char *text, size_t len,
			    struct message **message_r)
{
	struct message_tree *tree;
	struct header header;

	FAULT_TRY(message_tree_parse(mem, text, len, &tree));
	header = (struct header){ .tree = tree, .message = MEM_NEW(mem, struct message) };
	header.message->uid = or_null(field_of(&header, MESSAGE_UID_FIELD));
	header.message->subject = field_of(&header, message_header_name(MESSAGE_SUBJECT));
	header.message->agent = or_null(field_of(&header, "User-Agent"));
	if (!header.message->agent)
		header.message->agent = or_null(field_of(&header, "X-Mailer"));
	read_edition(&header);
	read_id(&header);
	if (tree->card != MESSAGE_NONE)
		read_card(tree, header.message);
	if (tree->calendar != MESSAGE_NONE)
		read_calendar(tree, header.message);
	header.message->files = message_files_all(header.message, tree);
	talloc_free(tree);
	*message_r = header.message;
	return NULL;
}
