#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>

#include "base/text.h"
#include "model/effort.h"
#include "model/ids.h"

/* One row of `properties` reads one property. What its absence means is part of the row: the core
 * set is CLEARED, the other properties are ABSENT, until vtodo_writer_apply() asks who wrote the
 * item. A value that is not understood is ABSENT whatever the row says, and named among the
 * problems: nobody can have meant "none" by garbage.
 *
 * The first of several properties counts. The due date comes from DUE, else from DTSTART and
 * DURATION; dates of a recurring item belong to one instance of a series and are left alone.
 */

#define READ_POOL ((size_t)16 << 10) /* bytes: what is made while most items are read */
#define OPEN_POOL ((size_t)16 << 10) /* their lines */

struct reader {
	TALLOC_CTX *tmp;
	const struct icaltext *ical;
	uint32_t todo;
	const char *last;
	struct vtodo_seen *seen;
	struct vtodo *vtodo;
	struct vtodo_time start; /* read before the due date */
};

static void problem(struct reader *reader, const char *property, const char *text)
{
	struct vtodo *vtodo = reader->vtodo;

	if (vtodo->problem_count == VTODO_PROBLEMS_MAX)
		return;
	vtodo->problems = MEM_GROW(vtodo, vtodo->problems, const char *, vtodo->problem_count + 1);
	vtodo->problems[vtodo->problem_count++] =
		mem_printf(vtodo->problems, "%s: %s", property, text);
}

static void problem_value(struct reader *reader, const struct icaltext_line *line,
			  const char *property, const char *what)
{
	char *word = vtodo_text_word(reader->tmp, line);

	problem(reader, property,
		mem_printf(reader->tmp, "%s: %s", what,
			   text_one_line(reader->tmp, word, VTODO_SHOWN_CHARS)));
}

/* The first property of that name; more than one is a problem. */
static const struct icaltext_line *single(struct reader *reader, const char *name)
{
	const struct icaltext_line *line = icaltext_find(reader->ical, reader->todo, name, NULL);

	if (line && icaltext_find(reader->ical, reader->todo, name, line))
		problem(reader, name, "given more than once; the first one counts");
	return line;
}

static char *read_text(struct reader *reader, const struct icaltext_line *line,
		       const char *property)
{
	bool clean;
	char *text = vtodo_text_read(reader->tmp, line, &clean);

	if (!clean)
		problem(reader, property,
			"not UTF-8 or with control characters; they are replaced");
	return text;
}

/* Readers of properties. Each one sets the field or leaves it absent. */

static void read_subject(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	char *text = read_text(reader, line, field_table[field].vtodo);
	size_t length = text_prefix_chars(text, SUBJECT_MAX_CHARS);

	if (text[length])
		problem(reader, field_table[field].vtodo, "too long; cut");
	text[length] = '\0';
	if (*text)
		vector_text(reader->vtodo->values, field, text);
	else
		problem(reader, field_table[field].vtodo, "empty");
}

static void read_notes(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	char *text = read_text(reader, line, field_table[field].vtodo);

	reader->vtodo->description = mem_strdup(reader->vtodo, text);
	vector_text(reader->vtodo->values, field, trailer_split(reader->tmp, text, reader->last));
}

static void read_start(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	(void)line; /* read by read_first() */
	if (reader->start.known)
		vector_when(reader->vtodo->values, field, reader->start.when);
}

static void read_due(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	struct vtodo_time time;

	vtodo_time_read(reader->tmp, reader->ical, line, &time);
	reader->seen->due_written = time.written;
	vtodo_time_whole_day(&time);
	if (time.problem)
		problem(reader, field_table[field].vtodo, time.problem);
	if (time.known)
		vector_when(reader->vtodo->values, field, time.when);
}

static void read_completed(struct reader *reader, enum field field,
			   const struct icaltext_line *line)
{
	struct vtodo_time time;

	vtodo_time_read(reader->tmp, reader->ical, line, &time);
	if (time.problem)
		problem(reader, field_table[field].vtodo, time.problem);
	if (time.known)
		vector_when(reader->vtodo->values, field, time.when);
}

static void read_percent(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	int64_t number;

	if (text_to_int(vtodo_text_word(reader->tmp, line), &number))
		vector_number(reader->vtodo->values, field, number);
	else
		problem_value(reader, line, field_table[field].vtodo, "no whole number");
}

static void read_priority(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	char *word = vtodo_text_word(reader->tmp, line);
	int64_t number;

	if (!*word)
		vector_clear(reader->vtodo->values, field);
	else if (text_to_int(word, &number) && number >= 0 && number <= PRIORITY_MAX)
		vector_number(reader->vtodo->values, field, number);
	else
		problem_value(reader, line, field_table[field].vtodo, "no number from 0 to 9");
}

/* PENDING and FAILED: RFC 10051 section 11.2; names with blanks: vCalendar 1.0. */
static void read_status(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	static const struct {
		const char *name;
		enum status status;
	} names[] = {
		{ "NEEDS-ACTION", STATUS_NEEDS_ACTION }, { "IN-PROCESS", STATUS_IN_PROCESS },
		{ "COMPLETED", STATUS_COMPLETED },       { "CANCELLED", STATUS_CANCELLED },
		{ "PENDING", STATUS_NEEDS_ACTION },      { "FAILED", STATUS_CANCELLED },
		{ "NEEDS ACTION", STATUS_NEEDS_ACTION }, { "IN PROCESS", STATUS_IN_PROCESS },
	};
	char *word = vtodo_text_word(reader->tmp, line);

	if (!*word)
		vector_clear(reader->vtodo->values, field);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (text_equal_nocase(word, names[i].name))
			vector_number(reader->vtodo->values, field, names[i].status);
	if (reader->vtodo->values->value[field].presence == ABSENT)
		problem_value(reader, line, field_table[field].vtodo, "no status of a task");
}

static void read_effort(struct reader *reader, enum field field, const struct icaltext_line *line)
{
	int64_t minutes;

	if (effort_from_iso(vtodo_text_word(reader->tmp, line), &minutes))
		vector_number(reader->vtodo->values, field, minutes);
	else
		problem_value(reader, line, field_table[field].vtodo, "no such duration");
}

static const struct property {
	enum field field;
	enum presence missing; /* what it means that the item has no such property */
	bool dated;            /* not read from a recurring item */
	void (*read)(struct reader *reader, enum field field, const struct icaltext_line *line);
} properties[] = {
	{ FIELD_subject, ABSENT, false, read_subject },
	{ FIELD_start, CLEARED, true, read_start },
	{ FIELD_due, CLEARED, true, read_due },
	{ FIELD_priority, CLEARED, false, read_priority },
	{ FIELD_total_work, ABSENT, false, read_effort },
	{ FIELD_status, CLEARED, false, read_status },
	{ FIELD_percent, CLEARED, false, read_percent },
	{ FIELD_completed_at, CLEARED, false, read_completed },
	{ FIELD_notes, CLEARED, false, read_notes },
};

static void read_categories(struct reader *reader)
{
	const struct icaltext_line *line = NULL;
	struct buf *names = buf_new(reader->tmp);

	while ((line = icaltext_find(reader->ical, reader->todo,
				     field_table[FIELD_categories].vtodo, line)))
		vtodo_text_read_list(reader->tmp, line, names);
	vector_list(reader->vtodo->values, FIELD_categories, names->data);
}

/* Only the superior one is ours: the first RELATED-TO that names a parent. */
static void read_parent(struct reader *reader)
{
	const char *name = field_table[FIELD_parent].vtodo;
	const struct icaltext_line *line = NULL, *parent = NULL;

	while ((line = icaltext_find(reader->ical, reader->todo, name, line))) {
		if (!vtodo_is_parent(reader->tmp, line))
			continue;
		if (parent)
			problem(reader, name, "more than one parent; the first one counts");
		else
			parent = line;
	}
	if (parent)
		vector_text(reader->vtodo->values, FIELD_parent, read_text(reader, parent, name));
}

/* "12-9f86d081"; the hash may be missing. */
static void read_edition(struct reader *reader)
{
	const struct icaltext_line *line = single(reader, VTODO_EDITION);
	char *word, *hash;
	int64_t number;

	if (!line)
		return;
	word = vtodo_text_word(reader->tmp, line);
	hash = strchr(word, '-');
	if (hash)
		*hash++ = '\0';
	if (!text_to_int(word, &number) || number <= 0 || number > EDITION_MAX) {
		problem_value(reader, line, VTODO_EDITION, "no edition");
		return;
	}
	reader->vtodo->edition = number;
	if (hash && *hash)
		reader->vtodo->edition_hash = mem_strdup(reader->vtodo, hash);
}

static void read_last_modified(struct reader *reader)
{
	const struct icaltext_line *line =
		icaltext_find(reader->ical, reader->todo, "LAST-MODIFIED", NULL);
	struct vtodo_time time;

	if (!line)
		return;
	vtodo_time_read(reader->tmp, reader->ical, line, &time);
	if (time.known && time.when.kind == WHEN_INSTANT)
		reader->vtodo->last_modified_us = time.when.us;
	else
		problem_value(reader, line, "LAST-MODIFIED", "no such time");
}

static bool has(const struct reader *reader, const char *name)
{
	return icaltext_find(reader->ical, reader->todo, name, NULL);
}

/* What the other readers build upon. */
static void read_first(struct reader *reader)
{
	static const char *const recurring[] = { "RRULE", "RDATE", "RECURRENCE-ID" };
	uint32_t calendar = reader->ical->components[reader->todo].parent;
	const struct icaltext_line *line = single(reader, "UID");

	if (line)
		reader->vtodo->uid = mem_strdup(reader->vtodo, read_text(reader, line, "UID"));
	line = calendar == ICALTEXT_NONE ? NULL
					 : icaltext_find(reader->ical, calendar, "PRODID", NULL);
	if (line)
		reader->vtodo->prodid =
			mem_strdup(reader->vtodo, vtodo_text_word(reader->tmp, line));
	for (size_t i = 0; i < COUNT_OF(recurring); i++)
		reader->vtodo->recurring = reader->vtodo->recurring || has(reader, recurring[i]);
	line = icaltext_find(reader->ical, reader->todo, "DTSTART", NULL);
	if (line)
		vtodo_time_read(reader->tmp, reader->ical, line, &reader->start);
	if (line && reader->start.problem)
		problem(reader, "DTSTART", reader->start.problem);
}

/* An item without DUE may have DURATION instead; with DUE, DURATION says nothing. */
static void read_duration(struct reader *reader)
{
	const struct icaltext_line *line = single(reader, "DURATION");
	struct vtodo_time due;

	if (!line)
		return;
	if (has(reader, "DUE")) {
		problem(reader, "DURATION", "stands beside DUE, which counts");
		return;
	}
	reader->vtodo->values->value[FIELD_due].presence = ABSENT;
	if (!reader->start.known) {
		problem(reader, "DURATION", "without DTSTART");
		return;
	}
	vtodo_time_add(reader->tmp, reader->ical, &reader->start, line, &due);
	vtodo_time_whole_day(&due);
	reader->seen->due_written = due.written;
	if (due.known)
		vector_when(reader->vtodo->values, FIELD_due, due.when);
	else
		problem(reader, "DURATION", due.problem);
}

/* What the server manages has no digest yet, and is not among the values. */
static void read_files(struct reader *reader, const struct vtodo_item *item)
{
	struct files *all = vtodo_files_all(reader->vtodo, item), *known;

	reader->vtodo->files = all;
	vector_clear(reader->vtodo->values, FIELD_attachments);
	if (!all)
		return;
	known = MEM_NEW(reader->tmp, struct files);
	for (size_t i = 0; i < all->count; i++)
		if (!all->list[i].managed_id)
			files_add(known, &all->list[i]);
	vector_text(reader->vtodo->values, FIELD_attachments, files_write(known, known));
}

static void read_properties(struct reader *reader)
{
	struct vector *values = reader->vtodo->values;

	for (size_t i = 0; i < COUNT_OF(properties); i++) {
		const struct property *property = &properties[i];
		const struct icaltext_line *line =
			single(reader, field_table[property->field].vtodo);

		if (property->dated && reader->vtodo->recurring)
			continue;
		if (line)
			property->read(reader, property->field, line);
		else if (property->missing == CLEARED)
			vector_clear(values, property->field);
	}
	if (reader->vtodo->recurring)
		problem(reader, "RRULE", "the item recurs; its dates are left alone");
	else
		read_duration(reader);
	read_categories(reader);
	read_parent(reader);
}

static void read_actual_work(struct reader *reader)
{
	const struct icaltext_line *line = icaltext_find(
		reader->ical, reader->todo, field_table[FIELD_actual_work].vtodo, NULL);
	int64_t minutes;

	if (line && effort_from_iso(vtodo_text_word(reader->tmp, line), &minutes))
		reader->seen->actual_work = (struct value){ .presence = SET, .number = minutes };
}

/* Written by Tasks.org, and by whom a site teaches it. */
static void read_elapsed(struct reader *reader)
{
	const struct icaltext_line *line = single(reader, "X-TASKS-ELAPSED-SECONDS");
	int64_t seconds;

	reader->vtodo->elapsed_s = -1;
	if (!line)
		return;
	if (text_to_int(vtodo_text_word(reader->tmp, line), &seconds) && seconds >= 0)
		reader->vtodo->elapsed_s = seconds;
	else
		problem_value(reader, line, "X-TASKS-ELAPSED-SECONDS", "no number of seconds");
}

void vtodo_decode_item(TALLOC_CTX *mem, const struct vtodo_item *item, const char *last,
		       struct vtodo_seen *seen_r)
{
	struct reader reader = {
		.tmp = mem_pool(mem, READ_POOL),
		.ical = item->ical,
		.todo = item->todo,
		.last = last,
		.seen = seen_r,
		.vtodo = MEM_NEW(mem, struct vtodo),
	};

	*seen_r = (struct vtodo_seen){ .vtodo = reader.vtodo };
	reader.vtodo->values = vector_new(reader.vtodo);
	read_first(&reader);
	read_properties(&reader);
	read_edition(&reader);
	read_last_modified(&reader);
	read_actual_work(&reader);
	read_elapsed(&reader);
	read_files(&reader, item);
	talloc_free(reader.tmp);
}

struct fault *vtodo_decode(TALLOC_CTX *mem, const char *text, size_t len, const char *last,
			   struct vtodo **vtodo_r)
{
	TALLOC_CTX *tmp = mem_pool(mem, OPEN_POOL);
	struct vtodo_item item;
	struct vtodo_seen seen;
	struct fault *fault = vtodo_open(tmp, text, len, &item);

	if (fault) {
		talloc_steal(mem, fault);
	} else {
		vtodo_decode_item(mem, &item, last, &seen);
		vtodo_writer_apply(&item, seen.vtodo);
		*vtodo_r = seen.vtodo;
	}
	talloc_free(tmp);
	return fault;
}
