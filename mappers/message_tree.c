#include "config.h"

#include "mappers/message_private.h"

#include <string.h>
#include <strings.h>

/* One reading of a message's structure, for reading and for patching it: were there two, a message
 * could be made in which they disagree, and a patch would lose what the other one saw. So the
 * structure is found here, in places of the text, and libetpan is asked about single fields only
 * (message_mime.c); its own tree gives no reliable places (it underflows at a boundary in the
 * version that Debian has).
 *
 *   S1  a header ends at the first blank line, or at the first line that is no field: nothing of a
 *       body without a header is taken for one
 *   S2  a delimiter is a whole line: "--", the boundary, "--" in the last one, blanks (RFC 2046
 *       section 5.1.1); the line end before it belongs to it
 *   S3  an outer multipart is split before its parts are, so its delimiters end everything within;
 *       a multipart that is not closed ends with the text
 *   S4  a multipart without a usable boundary or without a delimiter has no parts
 *   S5  attached messages (message/rfc822) are not looked into: their texts are not ours
 *
 * Time is the text's length times its depth, which is bounded.
 */

#define PARTS_FIRST 8 /* a message of ours has three */

struct fault *message_fault(TALLOC_CTX *mem, const char *fmt, ...)
{
	struct fault *fault;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(mem, fmt, ap);
	va_end(ap);
	fault = fault_new(mem, FAULT_DATA, "%s", text);
	talloc_free(text);
	return fault_reaches(fault, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* Fields */

/* Behind the line that stands at AT. */
static size_t next_line(const char *text, size_t at, size_t end)
{
	const char *newline = at < end ? memchr(text + at, '\n', end - at) : NULL;

	return newline ? (size_t)(newline - text) + 1 : end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool message_field_read(const char *text, size_t at, size_t end, struct message_field *field_r)
{
	size_t name = at, colon, to;

	while (name < end && text[name] > ' ' && text[name] < 0x7f && text[name] != ':')
		name++;
	for (colon = name; colon < end && is_blank(text[colon]);)
		colon++;
	if (name == at || colon == end || text[colon] != ':')
		return false;
	for (to = next_line(text, at, end); to < end && is_blank(text[to]);)
		to = next_line(text, to, end);
	*field_r = (struct message_field){ at, to, name - at, colon + 1 };
	return true;
}

bool message_field_is(const char *text, const struct message_field *field, const char *name)
{
	return field->name_len == strlen(name) &&
	       strncasecmp(text + field->from, name, field->name_len) == 0;
}

bool message_field_find(const char *text, size_t from, size_t end, const char *name,
			struct message_field *field_r)
{
	struct message_field field;

	for (; message_field_read(text, from, end, &field); from = field.to) {
		if (!message_field_is(text, &field, name))
			continue;
		*field_r = field;
		return true;
	}
	return false;
}

/* S1: where the body begins; *END_R is where the header's fields end. */
static size_t body_of(const char *text, size_t from, size_t to, size_t *end_r)
{
	struct message_field field;

	while (message_field_read(text, from, to, &field))
		from = field.to;
	*end_r = from;
	if (from < to && text[from] == '\n')
		return from + 1;
	if (from + 1 < to && text[from] == '\r' && text[from + 1] == '\n')
		return from + 2;
	return from;
}

/* Delimiters */

struct delimiter {
	size_t from, to; /* with the line ends on both sides */
	bool last;
};

/* S2: true if the line [AT, END) delimits; END is behind its line end. */
static bool is_delimiter(const char *text, size_t at, size_t end, const char *boundary,
			 bool *last_r)
{
	size_t len = strlen(boundary);

	if (end - at < len + 2 || memcmp(text + at, "--", 2) != 0 ||
	    memcmp(text + at + 2, boundary, len) != 0)
		return false;
	at += len + 2;
	*last_r = end - at >= 2 && memcmp(text + at, "--", 2) == 0;
	at += *last_r ? 2 : 0;
	while (at < end && is_blank(text[at]))
		at++;
	if (at < end && text[at] == '\r')
		at++;
	return at == end || text[at] == '\n';
}

/* The first one at or behind AT, which begins a line; FROM is where the text before it began. */
static bool find_delimiter(const char *text, size_t from, size_t at, size_t end,
			   const char *boundary, struct delimiter *delimiter_r)
{
	for (size_t next; at < end; at = next) {
		bool last;

		next = next_line(text, at, end);
		if (!is_delimiter(text, at, next, boundary, &last))
			continue;
		if (at > from && text[at - 1] == '\n')
			at--;
		if (at > from && text[at] == '\n' && text[at - 1] == '\r')
			at--;
		*delimiter_r = (struct delimiter){ at, next, last };
		return true;
	}
	return false;
}

/* Parts */

bool message_part_arranges(const struct message_part *part)
{
	static const char *const types[] = { "multipart/alternative", "multipart/mixed",
					     "multipart/related" };

	for (size_t i = 0; part->split && i < COUNT_OF(types); i++)
		if (!strcmp(part->kind.type, types[i]))
			return true;
	return false;
}

static struct fault *add_part(struct message_tree *tree, size_t from, size_t to, uint32_t parent,
			      uint32_t depth);

/* S3, S4 */
static struct fault *split(struct message_tree *tree, uint32_t index, uint32_t depth)
{
	const char *boundary = tree->parts[index].kind.boundary;
	size_t body = tree->parts[index].body, end = tree->parts[index].to;
	struct delimiter open, next;
	bool more;

	if (!find_delimiter(tree->text, body, body, end, boundary, &open) || open.last)
		return NULL;
	tree->parts[index].split = true;
	do {
		more = find_delimiter(tree->text, open.to, open.to, end, boundary, &next);
		FAULT_TRY(add_part(tree, open.to, more ? next.from : end, index, depth + 1));
		more = more && !next.last;
		if (more)
			open = next;
	} while (more);
	return NULL;
}

static struct fault *read_kind(struct message_tree *tree, struct message_part *part)
{
	const char *inherited = "text/plain";
	size_t header_end;

	if (part->parent != MESSAGE_NONE &&
	    !strcmp(tree->parts[part->parent].kind.type, "multipart/digest"))
		inherited = "message/rfc822"; /* RFC 2046 section 5.1.5 */
	part->body = body_of(tree->text, part->from, part->to, &header_end);
	if (header_end - part->from > MESSAGE_HEADER_MAX)
		return message_fault(tree, "a header of %zu bytes: more than %zu",
				     header_end - part->from, MESSAGE_HEADER_MAX);
	if (part->parent == MESSAGE_NONE && header_end == part->from)
		return message_fault(tree, "no header: not a message");
	return message_mime_kind(tree, tree->text, part->from, header_end, inherited, &part->kind);
}

static struct fault *add_part(struct message_tree *tree, size_t from, size_t to, uint32_t parent,
			      uint32_t depth)
{
	struct message_part part = { .from = from, .to = to, .parent = parent };
	uint32_t index = tree->count;

	if (index == MESSAGE_PARTS_MAX)
		return message_fault(tree, "more than %d parts", MESSAGE_PARTS_MAX);
	if (depth > MESSAGE_DEPTH_MAX)
		return message_fault(tree, "parts nested more than %d deep", MESSAGE_DEPTH_MAX);
	FAULT_TRY(read_kind(tree, &part));
	if (index == talloc_array_length(tree->parts))
		tree->parts = MEM_GROW(tree, tree->parts, struct message_part, 2 * (size_t)index);
	tree->parts[index] = part;
	tree->count++;
	if (part.kind.boundary && part.kind.encoding == MESSAGE_IDENTITY)
		FAULT_TRY(split(tree, index, depth));
	tree->parts[index].past = tree->count;
	return NULL;
}

static bool holds_card(const struct message_kind *kind)
{
	return !kind->file && !strcmp(kind->type, "text/plain");
}

static bool holds_calendar(const struct message_kind *kind)
{
	return !strcmp(kind->type, "text/calendar") || !strcmp(kind->type, "application/ics");
}

/* The first part of that kind that can be decoded. */
static uint32_t find_part(const struct message_tree *tree,
			  bool (*holds)(const struct message_kind *kind))
{
	for (uint32_t i = 0; i < tree->count; i++)
		if (tree->parts[i].kind.encoding != MESSAGE_OPAQUE && holds(&tree->parts[i].kind))
			return i;
	return MESSAGE_NONE;
}

/* Files are bounded with the whole. */
static struct fault *check_length(TALLOC_CTX *mem, const struct message_tree *tree)
{
	size_t len = tree->len;

	for (uint32_t i = 0; i < tree->count && tree->len > MESSAGE_TEXT_MAX; i++)
		if (message_files_is(tree, i))
			len -= tree->parts[i].to - tree->parts[i].body;
	if (len <= MESSAGE_TEXT_MAX)
		return NULL;
	return message_fault(mem, "a message of %zu bytes without its files: more than %zu", len,
			     MESSAGE_TEXT_MAX);
}

struct fault *message_tree_parse(TALLOC_CTX *mem, const char *text, size_t len,
				 struct message_tree **tree_r)
{
	struct message_tree *tree;
	struct fault *fault;

	if (len > MESSAGE_WHOLE_MAX)
		return message_fault(mem, "a message of %zu bytes: more than %zu", len,
				     MESSAGE_WHOLE_MAX);
	tree = MEM_NEW(mem, struct message_tree);
	tree->text = text;
	tree->len = len;
	tree->parts = MEM_ARRAY(tree, struct message_part, PARTS_FIRST);
	fault = add_part(tree, 0, len, MESSAGE_NONE, 0);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(tree);
		return fault;
	}
	tree->card = find_part(tree, holds_card);
	tree->calendar = find_part(tree, holds_calendar);
	fault = check_length(mem, tree);
	if (fault) {
		talloc_free(tree);
		return fault;
	}
	*tree_r = tree;
	return NULL;
}
