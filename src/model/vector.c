#include "config.h"

#include "model/vector.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "model/effort.h"
#include "model/files.h"

/* Everything that depends on a field's type is one row of `kinds`.
 *
 * Meaning: two values that people would call the same have the same meaning, a number or a text;
 * nothing set, and what comes to the same (0 per cent, needs-action, an empty text), has none.
 * value_same() compares meanings; the hash is made of them. Only dates need more: "same day" is no
 * equivalence (two times of one day each equal its date), so value_same() compares two instants by
 * the minute (clients put seconds of their own into a time), and the hash knows the day only.
 */

#define MINUTE_US INT64_C(60000000)
#define FIRST_TEXT 255 /* bytes of most encoded vectors */
#define SHOWN_CHARS 60 /* of a refused value in a message */
#define HASH_CHARS 8

/* What stands for a value in comparisons. */
struct meaning {
	int64_t number;
	char *text; /* of texts and lists */
};

struct kind {
	/* false: the value comes to nothing. TEXT is owned by MEM. */
	bool (*meaning)(TALLOC_CTX *mem, enum field field, const struct value *value,
			struct meaning *meaning_r);
	void (*put)(struct buf *buf, const struct value *value);
	/* false: the text, trimmed unless it is a text's or a list's, is no such value */
	bool (*parse)(TALLOC_CTX *mem, enum field field, const char *text, struct value *value);
	const char *wanted; /* for the message */
};

static struct value value_number(int64_t number)
{
	return (struct value){ .presence = SET, .number = number };
}

static struct value value_string(const char *text)
{
	return (struct value){ .presence = text && *text ? SET : CLEARED,
			       .text = text && *text ? text : NULL };
}

/* Texts */

#define HARD_BLANK "\u00a0" /* which editors of HTML leave behind */

static size_t blank_at(const char *text)
{
	if (text_starts(text, HARD_BLANK))
		return strlen(HARD_BLANK);
	return *text == ' ' || *text == '\t' || *text == '\v' || *text == '\f';
}

/* CR LF and CR become LF; blanks at the end of lines and blank lines at the end of the text go. */
static char *plain_text(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_bytes(mem, text, strlen(text));
	size_t len = 0, keep = 0;

	for (const char *c = text; *c; c++) {
		size_t blank = blank_at(c);

		if (*c == '\r' && c[1] == '\n')
			continue;
		if (*c == '\r' || *c == '\n') {
			len = keep;
			copy[len++] = '\n';
			keep = len;
			continue;
		}
		copy[len++] = *c;
		if (blank > 1)
			copy[len++] = *++c;
		if (!blank)
			keep = len;
	}
	len = keep;
	while (len && copy[len - 1] == '\n')
		len--;
	copy[len] = '\0';
	return copy;
}

static bool text_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			 struct meaning *meaning_r)
{
	(void)field;
	if (value->presence != SET || !value->text)
		return false;
	*meaning_r = (struct meaning){ .text = plain_text(mem, value->text) };
	return *meaning_r->text;
}

static void put_text(struct buf *buf, const struct value *value)
{
	buf_puts(buf, value->text ? value->text : "");
}

static bool text_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	(void)field;
	if (!text_is_utf8(text, strlen(text)))
		return false;
	*value = value_string(mem_strdup(mem, text));
	return true;
}

/* Lists */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of LINES trimmed, sorted, none twice, one a line without a newline at the end; "" when
 * there are none. */
static char *plain_list(TALLOC_CTX *mem, const char *lines)
{
	char *plain = plain_text(mem, lines), *line = plain, *end;
	char **names = NULL;
	size_t count = 0, size = 0;
	struct buf *buf = buf_new(mem);

	for (; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		while (blank_at(line))
			line += blank_at(line);
		if (!*line)
			continue;
		if (count == size) {
			size = size ? size * 2 : 8;
			names = MEM_GROW(plain, names, char *, size);
		}
		names[count++] = line;
	}
	if (count)
		qsort(names, count, sizeof *names, by_text);
	for (size_t i = 0; i < count; i++) {
		if (i && !strcmp(names[i], names[i - 1]))
			continue;
		if (buf->len)
			buf_putc(buf, '\n');
		buf_puts(buf, names[i]);
	}
	talloc_free(plain);
	return buf_steal(&buf, mem, NULL);
}

static bool list_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			 struct meaning *meaning_r)
{
	(void)field;
	if (value->presence != SET || !value->text)
		return false;
	*meaning_r = (struct meaning){ .text = plain_list(mem, value->text) };
	return *meaning_r->text;
}

static bool list_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	(void)field;
	if (!text_is_utf8(text, strlen(text)))
		return false;
	*value = value_string(plain_list(mem, text));
	return true;
}

/* Files */

static bool files_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			  struct meaning *meaning_r)
{
	(void)field;
	if (value->presence != SET || !value->text)
		return false;
	*meaning_r = (struct meaning){ .text = files_ids(mem, value->text) };
	return *meaning_r->text;
}

static bool files_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	(void)field;
	if (!files_valid(text))
		return false;
	*value = value_string(files_write(mem, files_read(mem, text)));
	return true;
}

/* Numbers */

/* RFC 5545 section 3.8.1.9: 1 to 4 high, 5 medium, 6 to 9 low. What is out of range stands for
 * itself. */
static int64_t priority_band(int64_t priority)
{
	if (priority >= 1 && priority <= 4)
		return 1;
	if (priority >= 6 && priority <= PRIORITY_MAX)
		return PRIORITY_MAX;
	return priority;
}

/* For the types whose zero is nothing: no priority, no progress, no flag, needs-action. */
static bool number_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			   struct meaning *meaning_r)
{
	int64_t number = value->presence == SET ? value->number : 0;

	(void)mem;
	*meaning_r = (struct meaning){ .number = field == FIELD_priority ? priority_band(number)
									 : number };
	return number != 0;
}

static void put_number(struct buf *buf, const struct value *value)
{
	buf_number(buf, value->number, 0);
}

static bool number_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	size_t len = strlen(text);
	int64_t number;

	if (field == FIELD_percent && text_ends(text, "%"))
		text = text_trim(mem, mem_strndup(mem, text, len - 1));
	if (!text_to_int(text, &number))
		return false;
	*value = value_number(number);
	return true;
}

/* No work is something else than work that nobody has estimated. */
static bool effort_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			   struct meaning *meaning_r)
{
	(void)mem;
	(void)field;
	if (value->presence != SET)
		return false;
	*meaning_r = (struct meaning){ .number = value->number };
	return true;
}

/* The length of a day is not known here, so "2d" is not read. */
static bool effort_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	int64_t minutes;

	(void)mem;
	(void)field;
	if (!text_to_int(text, &minutes) && !effort_from_text(text, 0, &minutes) &&
	    !effort_from_iso(text, &minutes))
		return false;
	*value = value_number(minutes);
	return true;
}

static void put_flag(struct buf *buf, const struct value *value)
{
	buf_puts(buf, value->number ? "true" : "false");
}

static bool flag_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	static const struct {
		const char *word;
		bool flag;
	} words[] = {
		{ "true", true }, { "false", false }, { "yes", true },
		{ "no", false },  { "1", true },      { "0", false },
	};

	(void)mem;
	(void)field;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (text_equal_nocase(text, words[i].word)) {
			*value = value_number(words[i].flag);
			return true;
		}
	return false;
}

static void put_status(struct buf *buf, const struct value *value)
{
	buf_puts(buf, status_name((enum status)value->number));
}

static bool status_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	enum status status = status_find(text);

	(void)field;
	if (status == STATUSES) {
		char *name = text_lower(mem, text);

		for (char *c = name; *c; c++)
			if (*c == ' ' || *c == '_')
				*c = '-';
		status = status_find(name);
	}
	if (status == STATUSES)
		return false;
	*value = value_number(status);
	return true;
}

/* Dates */

static bool date_meaning(TALLOC_CTX *mem, enum field field, const struct value *value,
			 struct meaning *meaning_r)
{
	(void)mem;
	(void)field;
	if (value->presence != SET)
		return false;
	*meaning_r = (struct meaning){ .number = when_local_day(&value->when) };
	return true;
}

static void put_date(struct buf *buf, const struct value *value)
{
	when_put(buf, &value->when);
}

static bool date_parse(TALLOC_CTX *mem, enum field field, const char *text, struct value *value)
{
	struct fault *fault;

	(void)field;
	*value = (struct value){ .presence = SET };
	fault = when_parse(mem, text, &value->when);
	talloc_free(fault); /* value_parse() says it with the field's name */
	return !fault;
}

static const struct kind kinds[] = {
	[FIELD_TEXT] = { text_meaning, put_text, text_parse, "UTF-8 text" },
	[FIELD_NUMBER] = { number_meaning, put_number, number_parse, "a whole number" },
	[FIELD_WHEN] = { date_meaning, put_date, date_parse,
			 "a date such as 2026-11-21 or 2026-11-21T08:00:00Z, years 1900 to 2999" },
	[FIELD_EFFORT] = { effort_meaning, put_number, effort_parse,
			   "an effort such as 90, 1.5h or 2h 30m" },
	[FIELD_FLAG] = { number_meaning, put_flag, flag_parse, "true or false" },
	[FIELD_STATUS] = { number_meaning, put_status, status_parse,
			   "needs-action, in-process, completed or cancelled" },
	[FIELD_LIST] = { list_meaning, put_text, list_parse, "UTF-8 text" },
	[FIELD_FILES] = { files_meaning, put_text, files_parse, "a list of attachments" },
};
_Static_assert(COUNT_OF(kinds) == FIELD_TYPES, "one row per type");

static const struct kind *kind_of(enum field field)
{
	assert(field < FIELDS);
	return &kinds[field_table[field].type];
}

static bool holds_text(enum field field)
{
	enum field_type type = field_table[field].type;

	return type == FIELD_TEXT || type == FIELD_LIST || type == FIELD_FILES;
}

/* Vectors */

struct vector *vector_new(TALLOC_CTX *mem)
{
	return MEM_NEW(mem, struct vector);
}

struct vector *vector_copy(TALLOC_CTX *mem, const struct vector *vector)
{
	struct vector *copy = vector_view(mem, vector);

	for (int i = 0; i < FIELDS; i++) {
		struct value *value = &copy->value[i];

		if (value->presence != SET)
			*value = (struct value){ .presence = value->presence };
		else if (holds_text((enum field)i))
			value->text = mem_strdup(copy, value->text);
		else if (value->when.zone)
			value->when.zone = mem_strdup(copy, value->when.zone);
	}
	return copy;
}

struct vector *vector_view(TALLOC_CTX *mem, const struct vector *vector)
{
	struct vector *view = mem_must(talloc(mem, struct vector));

	*view = *vector;
	return view;
}

void vector_clear(struct vector *vector, enum field field)
{
	assert(field < FIELDS);
	vector->value[field] = (struct value){ .presence = CLEARED };
}

void vector_number(struct vector *vector, enum field field, int64_t number)
{
	assert(field < FIELDS && !holds_text(field) && field_table[field].type != FIELD_WHEN);
	assert(field_table[field].type != FIELD_STATUS || (number >= 0 && number < STATUSES));
	vector->value[field] =
		value_number(field_table[field].type == FIELD_FLAG ? number != 0 : number);
}

void vector_when(struct vector *vector, enum field field, struct when when)
{
	assert(field < FIELDS && field_table[field].type == FIELD_WHEN);
	when.zone = when.kind == WHEN_INSTANT ? mem_strdup(vector, when.zone) : NULL;
	vector->value[field] = (struct value){ .presence = SET, .when = when };
}

void vector_text(struct vector *vector, enum field field, const char *text)
{
	assert(field < FIELDS && holds_text(field));
	if (text && *text && field_table[field].type == FIELD_LIST)
		vector->value[field] = value_string(plain_list(vector, text));
	else
		vector->value[field] =
			value_string(text && *text ? mem_strdup(vector, text) : NULL);
}

void vector_list(struct vector *vector, enum field field, const char *lines)
{
	assert(field < FIELDS && field_table[field].type == FIELD_LIST);
	vector_text(vector, field, lines);
}

void vector_put(struct vector *vector, enum field field, const struct value *value)
{
	assert(field < FIELDS);
	if (value->presence == ABSENT)
		vector->value[field] = (struct value){ .presence = ABSENT };
	else if (value->presence == CLEARED)
		vector_clear(vector, field);
	else if (holds_text(field))
		vector_text(vector, field, value->text);
	else if (field_table[field].type == FIELD_WHEN)
		vector_when(vector, field, value->when);
	else
		vector_number(vector, field, value->number);
}

int64_t vector_get(const struct vector *vector, enum field field, int64_t otherwise)
{
	return vector_is_set(vector, field) ? vector->value[field].number : otherwise;
}

const char *vector_str(const struct vector *vector, enum field field)
{
	return vector_is_set(vector, field) ? vector->value[field].text : NULL;
}

/* Comparing */

static bool same_meaning(enum field field, const struct value *a, const struct value *b)
{
	const struct kind *kind = kind_of(field);
	TALLOC_CTX *own = holds_text(field) ? MEM_CONTEXT(NULL) : NULL;
	struct meaning first, second;
	bool has_first = kind->meaning(own, field, a, &first);
	bool has_second = kind->meaning(own, field, b, &second);
	bool same = has_first == has_second;

	if (same && has_first)
		same = own ? !strcmp(first.text, second.text) : first.number == second.number;
	talloc_free(own);
	return same;
}

static int64_t minute_of(const struct when *when)
{
	return when->us / MINUTE_US - (when->us % MINUTE_US < 0);
}

static bool same_when(const struct when *a, const struct when *b)
{
	if (a->kind == WHEN_DATE)
		return when_on_day(b, a->day);
	if (b->kind == WHEN_DATE)
		return when_on_day(a, b->day);
	return minute_of(a) == minute_of(b);
}

bool value_same(enum field field, const struct value *a, const struct value *b)
{
	assert(field < FIELDS);
	if (field_table[field].type == FIELD_WHEN && a->presence == SET && b->presence == SET)
		return same_when(&a->when, &b->when);
	return same_meaning(field, a, b);
}

bool value_identical(enum field field, const struct value *a, const struct value *b)
{
	assert(field < FIELDS);
	if (a->presence != SET || b->presence != SET)
		return (a->presence == SET) == (b->presence == SET);
	if (holds_text(field))
		return text_same(a->text, b->text);
	if (field_table[field].type == FIELD_WHEN)
		return when_equal(&a->when, &b->when);
	return a->number == b->number;
}

/* Texts of values */

char *value_text(TALLOC_CTX *mem, enum field field, const struct value *value)
{
	struct buf buf;

	if (value->presence != SET)
		return NULL;
	buf = buf_of(mem, SHOWN_CHARS);
	kind_of(field)->put(&buf, value);
	return buf.data;
}

struct fault *value_parse(TALLOC_CTX *mem, enum field field, const char *text,
			  struct value *value_r)
{
	const struct kind *kind = kind_of(field);
	struct value value = { .presence = CLEARED };
	char *shown;

	if (text && !holds_text(field) && text_has_margin(text))
		text = text_trim(mem, text);
	if (text && *text && !kind->parse(mem, field, text, &value)) {
		shown = text_to_utf8(mem, text, strlen(text));
		return fault_new(mem, FAULT_DATA, "%s: \"%s\" is not %s", field_table[field].name,
				 text_one_line(mem, shown, SHOWN_CHARS), kind->wanted);
	}
	*value_r = value;
	return NULL;
}

/* The lines of the database:
 *
 *   NAME VALUE   set; in texts `\` is `\\` and a newline is `\n`; an instant has its date in the
 *                zone where it was written behind a `/`, where known, and its zone behind a blank
 *   NAME!        cleared
 */

static void put_escaped(struct buf *buf, const char *text)
{
	for (size_t n;; text += n + 1) {
		n = strcspn(text, "\\\n");
		buf_add(buf, text, n);
		if (!text[n])
			break;
		buf_puts(buf, text[n] == '\n' ? "\\n" : "\\\\");
	}
}

static void put_zone(struct buf *buf, const struct when *when)
{
	struct when day = when_date(when->wall_day);

	if (when->wall_day) {
		buf_putc(buf, '/');
		when_put(buf, &day);
	}
	if (!when->zone)
		return;
	buf_putc(buf, ' ');
	put_escaped(buf, when->zone);
}

/* How lines begin, and whole ones of what is cleared. */
static const struct {
	const char *begin, *cleared;
	size_t begin_len, cleared_len;
} lines[FIELDS] = {
#define X(name, type, scope, group, owner, merge, vtodo, card, mspdi)                              \
	{ #name " ", #name "!\n", sizeof #name " " - 1, sizeof #name "!\n" - 1 },
	FIELD_TABLE(X)
#undef X
};

static void put_line(struct buf *buf, enum field field, const struct value *value)
{
	bool texts = holds_text(field);

	if (value->presence == ABSENT)
		return;
	if (value->presence == CLEARED || (texts && !(value->text && *value->text))) {
		buf_add(buf, lines[field].cleared, lines[field].cleared_len);
		return;
	}
	buf_add(buf, lines[field].begin, lines[field].begin_len);
	if (texts)
		put_escaped(buf, value->text);
	else
		kind_of(field)->put(buf, value);
	if (field_table[field].type == FIELD_WHEN && value->when.kind == WHEN_INSTANT)
		put_zone(buf, &value->when);
	buf_putc(buf, '\n');
}

char *vector_encode(TALLOC_CTX *mem, const struct vector *vector)
{
	struct buf buf = buf_of(mem, FIRST_TEXT);

	for (int i = 0; i < FIELDS; i++)
		put_line(&buf, (enum field)i, &vector->value[i]);
	return buf.data;
}

void vector_put_group(struct buf *buf, const struct vector *vector, enum field_group group)
{
	for (int i = 0; i < FIELDS; i++)
		if (field_table[i].group == group)
			put_line(buf, (enum field)i, &vector->value[i]);
}

/* Undoes put_escaped() in place; false: a `\` before something else. */
static bool unescape(char *text)
{
	char *out = strchr(text, '\\');

	if (!out)
		return true;
	for (text = out; *text; text++) {
		char c = *text;

		if (c == '\\') {
			c = *++text;
			if (c != '\\' && c != 'n')
				return false;
			c = c == 'n' ? '\n' : c;
		}
		*out++ = c;
	}
	*out = '\0';
	return true;
}

/* The day behind the `/` of TEXT, which is cut off. */
static bool decode_wall_day(TALLOC_CTX *mem, char *text, int32_t *day_r)
{
	char *day = strchr(text, '/');
	struct value value;

	*day_r = 0;
	if (!day)
		return true;
	*day++ = '\0';
	if (!date_parse(mem, FIELD_due, day, &value) || value.when.kind != WHEN_DATE)
		return false;
	*day_r = value.when.day;
	return true;
}

/* TEXT is changed, and the value's texts lie in it. MEM is for what is made on the way. */
static bool decode_value(TALLOC_CTX *mem, enum field field, char *text, struct value *value)
{
	char *zone = NULL;
	int32_t wall_day = 0;

	if (!unescape(text) || !*text)
		return false;
	if (holds_text(field)) {
		*value = value_string(text);
		return true;
	}
	if (field_table[field].type == FIELD_WHEN && (zone = strchr(text, ' ')))
		*zone++ = '\0';
	if (field_table[field].type == FIELD_WHEN && !decode_wall_day(mem, text, &wall_day))
		return false;
	if (!kind_of(field)->parse(mem, field, text, value))
		return false;
	if ((zone || wall_day) && value->when.kind != WHEN_INSTANT)
		return false;
	value->when.zone = zone;
	value->when.wall_day = wall_day;
	return true;
}

static size_t name_length(const char *line)
{
	size_t n = 0;

	while ((line[n] >= 'a' && line[n] <= 'z') || (line[n] >= '0' && line[n] <= '9') ||
	       line[n] == '_')
		n++;
	return n;
}

/* One line, changed, in which the value's texts then lie; OWN is for what is made on the way. NULL
 * when it is good or its name is unknown. */
static struct fault *decode_line(TALLOC_CTX *mem, char *line, TALLOC_CTX *own,
				 struct vector *vector)
{
	size_t len = name_length(line);
	char mark = line[len];
	char *rest = mark ? line + len + 1 : line;
	enum field field;
	struct value value;

	if (!len || (mark != ' ' && (mark != '!' || *rest)))
		return fault_new(mem, FAULT_DATA, "\"%s\" is no line of a vector",
				 text_one_line(mem, line, SHOWN_CHARS));
	line[len] = '\0';
	field = field_find(line);
	if (field == FIELDS)
		return NULL;
	if (mark == '!') {
		vector_clear(vector, field);
		return NULL;
	}
	if (!decode_value(own, field, rest, &value))
		return fault_new(mem, FAULT_DATA, "%s: \"%s\" is not %s", line,
				 text_one_line(mem, rest, SHOWN_CHARS), kind_of(field)->wanted);
	if (field_table[field].type == FIELD_LIST)
		vector_list(vector, field, value.text); /* whoever wrote it */
	else
		vector->value[field] = value;
	return NULL;
}

struct fault *vector_decode(TALLOC_CTX *mem, const char *text, struct vector **vector_r)
{
	struct vector *vector = vector_new(mem);
	char *copy = mem_strdup(vector, text ? text : ""), *rest = copy;
	struct fault *fault = NULL;

	while (!fault && *rest) {
		char *line = rest, *end = strchr(rest, '\n');

		if (!end) {
			fault = fault_new(mem, FAULT_DATA,
					  "\"%s\": the vector's last line is cut off",
					  text_one_line(mem, line, SHOWN_CHARS));
			break;
		}
		*end = '\0';
		rest = end + 1;
		fault = decode_line(mem, line, copy, vector);
	}
	if (fault) {
		talloc_free(vector);
		return fault;
	}
	*vector_r = vector;
	return NULL;
}

char *vector_hash(TALLOC_CTX *mem, const struct vector *vector)
{
	struct buf *buf = buf_new(mem);
	char *hash;

	for (int i = 0; i < FIELDS; i++) {
		struct meaning meaning;

		if (!field_table[i].vtodo ||
		    !kind_of((enum field)i)
			     ->meaning(buf, (enum field)i, &vector->value[i], &meaning))
			continue;
		buf_puts(buf, field_table[i].name);
		buf_putc(buf, ' ');
		if (meaning.text)
			put_escaped(buf, meaning.text);
		else
			buf_number(buf, meaning.number, 0);
		buf_putc(buf, '\n');
	}
	hash = digest_short(mem, buf->data, buf->len, HASH_CHARS);
	talloc_free(buf);
	return hash;
}
