#include "config.h"

#include "mappers/card.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "mappers/card_private.h"
#include "model/effort.h"

/* What is written can be read: a line whose value would not be understood (work of less than
 * nothing, categories that fill more than a line) is left out, and so its field is absent for the
 * reader, never changed. By that, and because card_normal() is the reading of a written card (with
 * a trailer, as every published one), no card that nobody touched differs from what was published.
 */

#define FIRST_TEXT 1000 /* bytes of most cards */

/* The lines of a card in their order. */
static const struct row {
	enum field field;
	const char *nothing; /* what stands where there is no value; NULL: no line then */
} rows[] = {
	{ FIELD_subject, "-" },       { FIELD_status, "not started" },
	{ FIELD_percent, "0" },       { FIELD_start, NULL },
	{ FIELD_due, "-" },           { FIELD_priority, NULL },
	{ FIELD_categories, NULL },   { FIELD_total_work, NULL },
	{ FIELD_completed_at, NULL },
};

static const struct card_word status_words[] = {
	{ STATUS_NEEDS_ACTION, "not started" },
	{ STATUS_IN_PROCESS, "in process" },
	{ STATUS_COMPLETED, "done" },
	{ STATUS_CANCELLED, "cancelled" },
	{ STATUS_NEEDS_ACTION, "needs action" },
	{ STATUS_NEEDS_ACTION, "to do" },
	{ STATUS_NEEDS_ACTION, "open" },
	{ STATUS_IN_PROCESS, "in progress" },
	{ STATUS_IN_PROCESS, "started" },
	{ STATUS_COMPLETED, "completed" },
	{ STATUS_COMPLETED, "complete" },
	{ STATUS_COMPLETED, "finished" },
	{ STATUS_CANCELLED, "canceled" },
};

static const struct card_word priority_words[] = {
	{ 1, "high" }, { 5, "medium" }, { PRIORITY_MAX, "low" }, { 0, "none" }, { 5, "normal" },
};

static const char *first_word(const struct card_word *words, size_t count, int64_t number)
{
	size_t i = 0;

	while (i < count && words[i].number != number)
		i++;
	return i < count ? words[i].word : NULL;
}

static bool find_word(TALLOC_CTX *mem, const struct card_word *words, size_t count,
		      const char *word, int64_t *number_r)
{
	char *plain = text_lower(mem, word);

	for (char *c = plain; *c; c++)
		if (*c == '-' || *c == '_')
			*c = ' ';
	for (size_t i = 0; i < count; i++)
		if (!strcmp(words[i].word, plain)) {
			*number_r = words[i].number;
			return true;
		}
	return false;
}

const char *card_status_word(enum status status)
{
	return first_word(status_words, COUNT_OF(status_words), status);
}

bool card_status_find(TALLOC_CTX *mem, const char *word, int64_t *number_r)
{
	return find_word(mem, status_words, COUNT_OF(status_words), word, number_r);
}

const char *card_priority_word(int64_t priority)
{
	return first_word(priority_words, COUNT_OF(priority_words),
			  priority < 5   ? 1
			  : priority > 5 ? PRIORITY_MAX
					 : 5);
}

bool card_priority_find(TALLOC_CTX *mem, const char *word, int64_t *number_r)
{
	return find_word(mem, priority_words, COUNT_OF(priority_words), word, number_r);
}

/* Values as they are written; NULL: a card cannot say it. */

static char *subject_text(TALLOC_CTX *mem, const char *subject)
{
	char *line = text_one_line(mem, subject, strlen(subject));

	line[text_prefix_chars(line, SUBJECT_MAX_CHARS)] = '\0';
	return line;
}

/* `, ` between names; a comma or a backslash in one has a backslash before it. */
static char *list_text(TALLOC_CTX *mem, const char *names)
{
	struct buf *buf = buf_new(mem);

	while (*names) {
		size_t len = strcspn(names, "\n");
		char *name = text_one_line(mem, mem_strndup(mem, names, len), len);

		name = card_squeeze(mem, name, strlen(name));
		if (card_is_nothing(name))
			*name = '\0';
		if (buf->len && *name)
			buf_puts(buf, ", ");
		for (; *name; name++) {
			if (*name == ',' || *name == '\\')
				buf_putc(buf, '\\');
			buf_putc(buf, *name);
		}
		names += len + (names[len] == '\n');
	}
	return buf->data;
}

static char *date_text(TALLOC_CTX *mem, const struct when *when)
{
	struct when day = when_date(when_local_day(when));

	return when_text(mem, &day);
}

/* Local time; seconds only where there are any. At the ends of the years that we know local time
 * may lie beyond them. */
static char *local_text(TALLOC_CTX *mem, const struct when *when)
{
	int64_t s = when->us / CLOCK_SECOND_US - (when->us % CLOCK_SECOND_US < 0);
	char *date = date_text(mem, when), seconds[8] = "";
	time_t time = (time_t)s;
	struct tm tm;

	if (when->kind == WHEN_DATE || !localtime_r(&time, &tm) ||
	    tm.tm_year + 1900 < WHEN_YEAR_MIN || tm.tm_year + 1900 > WHEN_YEAR_MAX)
		return date;
	if (tm.tm_sec)
		(void)strftime(seconds, sizeof seconds, ":%S", &tm);
	return mem_printf(mem, "%s %02d:%02d%s", date, tm.tm_hour, tm.tm_min, seconds);
}

static char *value_line(TALLOC_CTX *mem, enum field field, const struct value *value)
{
	switch (field_table[field].type) {
	case FIELD_TEXT:
		return subject_text(mem, value->text);
	case FIELD_LIST:
		return list_text(mem, value->text);
	case FIELD_STATUS:
		return mem_strdup(mem, card_status_word((enum status)value->number));
	case FIELD_WHEN:
		return local_text(mem, &value->when);
	case FIELD_EFFORT:
		return effort_to_text(mem, value->number);
	default:
		if (field != FIELD_priority)
			return value_text(mem, field, value);
		if (value->number < 1 || value->number > PRIORITY_MAX)
			return NULL;
		return mem_strdup(mem, card_priority_word(value->number));
	}
}

/* A word of ours, or a date. */
static bool is_always_read(enum field field, const struct value *value)
{
	enum field_type type = field_table[field].type;

	return type == FIELD_STATUS || (type == FIELD_WHEN && value->when.kind == WHEN_DATE);
}

/* NULL: no line. */
static const char *line_text(TALLOC_CTX *mem, const struct row *row, const struct value *value)
{
	char *text = value->presence == SET ? value_line(mem, row->field, value) : NULL;
	struct value again;

	if (value->presence == ABSENT)
		return NULL;
	if (!text)
		return row->nothing;
	if (is_always_read(row->field, value))
		return text;
	text = card_squeeze(mem, text, strlen(text));
	if (!card_value(mem, row->field, text, &again))
		return NULL;
	return again.presence == SET ? text : row->nothing;
}

/* As many bytes as that have no more characters. */
static bool fits_line(const char *key, const char *text)
{
	return strlen(key) + 2 + strlen(text) <= CARD_LINE_MAX_CHARS ||
	       text_length(key) + 2 + text_length(text) <= CARD_LINE_MAX_CHARS;
}

static void add_line(TALLOC_CTX *tmp, struct buf *card, const struct row *row,
		     const struct value *value)
{
	const char *key = field_table[row->field].card, *text = line_text(tmp, row, value);

	if (!text || !fits_line(key, text))
		return;
	buf_puts(card, key);
	buf_puts(card, ": ");
	buf_puts(card, text);
	buf_putc(card, '\n');
}

/* Without control characters, which do not get through mail, and without blank lines in front. */
static const char *plain_notes(TALLOC_CTX *mem, const char *notes)
{
	return card_skip_blank_lines(
		text_to_utf8(mem, notes ? notes : "", notes ? strlen(notes) : 0));
}

char *card_write(TALLOC_CTX *mem, const struct vector *values, const char *trailer)
{
	struct buf card = buf_of(mem, FIRST_TEXT);
	TALLOC_CTX *tmp = MEM_CONTEXT(mem);
	const char *notes = plain_notes(tmp, vector_str(values, FIELD_notes));
	char *below = trailer_join(tmp, notes, trailer ? trailer : "");

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		add_line(tmp, &card, &rows[i], &values->value[rows[i].field]);
	if (!card.len && *notes)
		buf_join(&card, field_table[FIELD_notes].card, ":\n", NULL);
	if (*below)
		buf_join(&card, card.len ? "\n" : "", below, "\n", NULL);
	talloc_free(tmp);
	return card.data;
}

struct vector *card_normal(TALLOC_CTX *mem, const struct vector *values)
{
	char *text = card_write(mem, values, TRAILER_HOW_TO_REPORT "\n");
	struct card *card = card_read(mem, text, text);
	struct vector *normal = talloc_steal(mem, card->values);

	talloc_free(card);
	talloc_free(text);
	return normal;
}
