#include "config.h"

#include "mappers/card_private.h"

#include <string.h>

#include "base/text.h"
#include "model/cardline.h"
#include "model/effort.h"

/* A card is read line by line:
 *
 *   R1  the key block is the first paragraph with a line `KEY: value` of ours, above the separator;
 *       what stands before it is notes, as when somebody answers on top
 *   R2  in the block, a line that is no key line is notes; so is one whose value is not understood,
 *       and that is a problem
 *   R3  a key that stands there twice: the line that differs from what we wrote last counts; when
 *       both do, the first
 *   R4  a line that continues what we wrote last was wrapped on its way
 *   R5  notes are what stands before the block, in it, and behind it, without the trailer
 *
 * A block of nothing is the line "Notes:", so that a line of the notes that looks like a key line
 * is none. Text that stands behind that key is notes.
 */

#define PROBLEMS_MAX 50 /* what comes after is not named */
#define SHOWN_CHARS 60  /* of a refused value in a problem */

char *card_squeeze(TALLOC_CTX *mem, const char *text, size_t len)
{
	char *copy = mem_strndup(mem, text, len), *out = copy;

	for (const char *c = cardline_skip_blanks(copy); *c;) {
		const char *next = cardline_skip_blanks(c);

		if (next == c) {
			*out++ = *c++;
			continue;
		}
		if (*next)
			*out++ = ' ';
		c = next;
	}
	*out = '\0';
	return copy;
}

const char *card_skip_blank_lines(const char *text)
{
	for (;;) {
		const char *end = cardline_skip_blanks(text);

		if (*end != '\n' && *end != '\r')
			return text;
		text = end + 1;
	}
}

/* Values */

bool card_is_nothing(const char *text)
{
	static const char *const words[] = { "", "-", "--", "\u2013", "\u2014" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

/* Only a date and work have no other meaning for the word. */
static bool is_none(enum field_type type, const char *text)
{
	return (type == FIELD_WHEN || type == FIELD_EFFORT) && text_equal_nocase(text, "none");
}

static char *list_lines(TALLOC_CTX *mem, const char *text)
{
	char *lines = mem_strdup(mem, text), *out = lines;

	for (; *text; text++)
		if (*text == '\\' && (text[1] == ',' || text[1] == '\\'))
			*out++ = *++text;
		else
			*out++ = *text == ',' ? '\n' : *text;
	*out = '\0';
	return lines;
}

static bool read_priority(TALLOC_CTX *mem, const char *text, struct value *value)
{
	if (!card_priority_find(mem, text, &value->number) && !text_to_int(text, &value->number))
		return false;
	if (value->number == 0)
		value->presence = CLEARED;
	return value->number >= 0 && value->number <= PRIORITY_MAX;
}

bool card_value(TALLOC_CTX *mem, enum field field, const char *text, struct value *value_r)
{
	enum field_type type = field_table[field].type;
	struct value value = { .presence = SET };
	struct fault *fault;

	if (card_is_nothing(text) || is_none(type, text)) {
		*value_r = (struct value){ .presence = CLEARED };
		return true;
	}
	if (type == FIELD_STATUS) {
		if (!card_status_find(mem, text, &value.number))
			return false;
	} else if (field == FIELD_priority) {
		if (!read_priority(mem, text, &value))
			return false;
	} else if (type == FIELD_EFFORT) {
		if (!effort_from_text(text, 0, &value.number))
			return false;
	} else {
		if (type == FIELD_LIST)
			text = list_lines(mem, text);
		fault = value_parse(mem, field, text, &value);
		if (fault)
			return false;
	}
	*value_r = value;
	return true;
}

/* Lines */

struct lines {
	char **line; /* well-formed UTF-8, LF taken off */
	size_t count;
};

static struct lines lines_of(TALLOC_CTX *mem, const char *text)
{
	char *plain = text_to_utf8(mem, text, strlen(text));
	struct lines lines = { NULL, 0 };
	size_t size = 1;

	for (const char *c = plain; *c; c++)
		size += *c == '\n' || *c == '\r';
	lines.line = MEM_ARRAY(mem, char *, size);
	while (*plain) {
		char *end = plain + strcspn(plain, "\r\n");
		char *next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : *end ? 1 : 0);

		*end = '\0';
		lines.line[lines.count++] = plain;
		plain = next;
	}
	return lines;
}

static bool is_blank(const char *line)
{
	return !*cardline_skip_blanks(line);
}

/* What stands below it is not ours to search for keys. */
static bool is_separator(TALLOC_CTX *mem, const char *line)
{
	return text_length(line) <= CARD_LINE_MAX_CHARS && cardline_is_separator(mem, line);
}

/* As cardline_field(), but longer lines are notes. */
static enum field key_of(const char *line, const char **value_r)
{
	enum field field = cardline_field(line, value_r);

	return field == FIELDS || text_length(line) > CARD_LINE_MAX_CHARS ? FIELDS : field;
}

/* R1: the lines [from, to); both the same where there is no block. */
struct block {
	size_t from, to;
};

static struct block find_block(TALLOC_CTX *mem, const struct lines *lines)
{
	struct block block = { 0, 0 };
	const char *value;
	bool found = false;

	for (size_t i = 0; i < lines->count && !is_separator(mem, lines->line[i]); i++) {
		if (is_blank(lines->line[i])) {
			if (found)
				break;
			block.from = i + 1;
			continue;
		}
		found = found || key_of(lines->line[i], &value) != FIELDS;
		block.to = i + 1;
	}
	return found ? block : (struct block){ 0, 0 };
}

/* Reading */

struct reading {
	TALLOC_CTX *mem;
	const struct reading *last; /* of the card that we wrote last; NULL: not known */
	struct lines lines;
	struct block block;
	struct card *card;
	const char *raw[FIELDS]; /* squeezed values; NULL: no such key */
	enum field open;         /* of the line before, if it was a key line; else FIELDS */
	struct buf *notes;
};

static void problem(struct reading *reading, enum field field, const char *why)
{
	struct card *card = reading->card;

	if (card->problem_count == PROBLEMS_MAX)
		return;
	card->problems = MEM_GROW(card, card->problems, const char *, card->problem_count + 1);
	card->problems[card->problem_count++] =
		mem_printf(card, "%s: %s", field_table[field].card, why);
}

static void add_note(struct reading *reading, const char *line)
{
	buf_printf(reading->notes, "%s\n", line);
}

static void put(struct reading *reading, enum field field, const char *line, const char *raw)
{
	struct value value;

	if (card_value(reading->mem, field, raw, &value)) {
		reading->raw[field] = raw;
		vector_put(reading->card->values, field, &value);
		reading->open = field;
		return;
	}
	problem(reading, field,
		mem_printf(reading->mem, "\"%s\" is not understood",
			   text_one_line(reading->mem, raw, SHOWN_CHARS)));
	add_note(reading, line);
}

/* R3 */
static void put_again(struct reading *reading, enum field field, const char *line, const char *raw)
{
	const char *before = reading->last ? reading->last->raw[field] : NULL;

	if (!strcmp(raw, reading->raw[field]) || text_same(raw, before))
		return;
	if (text_same(reading->raw[field], before)) {
		put(reading, field, line, raw);
		return;
	}
	problem(reading, field, "stands there more than once");
	add_note(reading, line);
}

/* R4: only texts are long enough to be wrapped. */
static bool continues(struct reading *reading, const char *line)
{
	enum field field = reading->open;
	const char *before = reading->last && field != FIELDS ? reading->last->raw[field] : NULL;
	char *joined;
	size_t len;

	if (!before)
		return false;
	joined = mem_printf(reading->mem, "%s %s", reading->raw[field],
			    card_squeeze(reading->mem, line, strlen(line)));
	len = strlen(joined);
	if (strncmp(before, joined, len) != 0 || (before[len] && before[len] != ' '))
		return false;
	put(reading, field, line, joined);
	return true;
}

static void read_line(struct reading *reading, const char *line)
{
	const char *text;
	enum field field = key_of(line, &text);
	char *raw;

	if (field == FIELDS) {
		if (!continues(reading, line)) {
			add_note(reading, line);
			reading->open = FIELDS;
		}
		return;
	}
	reading->open = FIELDS;
	raw = card_squeeze(reading->mem, text, strlen(text));
	if (field == FIELD_notes) {
		if (*raw)
			add_note(reading, cardline_skip_blanks(text));
	} else if (reading->raw[field]) {
		put_again(reading, field, line, raw);
	} else {
		put(reading, field, line, raw);
	}
}

/* What stands behind the block. */
static char *rest_of(const struct reading *reading)
{
	struct buf *rest = buf_new(reading->mem);
	size_t i = reading->block.to;

	if (i < reading->lines.count && i > 0 && is_blank(reading->lines.line[i]))
		i++;
	for (; i < reading->lines.count; i++)
		buf_printf(rest, "%s\n", reading->lines.line[i]);
	return rest->data;
}

/* R5 */
static void read_notes(struct reading *reading)
{
	char *last = reading->last ? rest_of(reading->last) : NULL;
	char *rest = rest_of(reading);
	const char *notes;

	if (*rest && *text_trim(reading->mem, reading->notes->data) &&
	    !text_ends(reading->notes->data, "\n\n"))
		buf_putc(reading->notes, '\n');
	buf_puts(reading->notes, rest);
	notes = trailer_split(reading->mem, reading->notes->data, last);
	vector_text(reading->card->values, FIELD_notes, card_skip_blank_lines(notes));
}

static struct reading *read_card(TALLOC_CTX *mem, const char *text, const struct reading *last,
				 struct card *card)
{
	struct reading *reading = MEM_NEW(mem, struct reading);

	reading->mem = mem;
	reading->last = last;
	reading->lines = lines_of(mem, text);
	reading->block = find_block(mem, &reading->lines);
	reading->card = card;
	reading->open = FIELDS;
	reading->notes = buf_new(mem);
	for (size_t i = 0; i < reading->block.from; i++)
		add_note(reading, reading->lines.line[i]);
	for (size_t i = reading->block.from; i < reading->block.to; i++)
		read_line(reading, reading->lines.line[i]);
	return reading;
}

static struct card *new_card(TALLOC_CTX *mem)
{
	struct card *card = MEM_NEW(mem, struct card);

	card->values = vector_new(card);
	return card;
}

struct card *card_read(TALLOC_CTX *mem, const char *text, const char *last)
{
	struct card *card = new_card(mem);
	TALLOC_CTX *tmp = MEM_CONTEXT(mem);
	struct reading *before = last ? read_card(tmp, last, NULL, new_card(tmp)) : NULL;

	read_notes(read_card(tmp, text, before, card));
	talloc_free(tmp);
	return card;
}
