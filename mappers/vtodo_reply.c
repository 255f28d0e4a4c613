#include "config.h"

#include "mappers/vtodo_reply.h"

#include <string.h>

#include "base/text.h"
#include "mappers/vtodo_private.h"

struct reader {
	TALLOC_CTX *tmp;
	struct vtodo_item item;
	struct vtodo *vtodo;
	struct vtodo_reply *reply;
	enum status said; /* of PARTSTAT; STATUSES: nothing */
};

static const struct {
	const char *name;
	enum vtodo_reply_part part;
	enum status status;
} parts[] = {
	{ "NEEDS-ACTION", VTODO_REPLY_NEEDS_ACTION, STATUSES },
	{ "TENTATIVE", VTODO_REPLY_NEEDS_ACTION, STATUSES },
	{ "ACCEPTED", VTODO_REPLY_ACCEPTED, STATUSES },
	{ "IN-PROCESS", VTODO_REPLY_ACCEPTED, STATUS_IN_PROCESS },
	{ "COMPLETED", VTODO_REPLY_ACCEPTED, STATUS_COMPLETED },
	{ "DECLINED", VTODO_REPLY_DECLINED, STATUSES },
	{ "DELEGATED", VTODO_REPLY_DELEGATED, STATUSES },
};

static const char *const part_names[] = {
	[VTODO_REPLY_NEEDS_ACTION] = "needs-action",
	[VTODO_REPLY_ACCEPTED] = "accepted",
	[VTODO_REPLY_DECLINED] = "declined",
	[VTODO_REPLY_DELEGATED] = "delegated",
};
_Static_assert(COUNT_OF(part_names) == VTODO_REPLY_PARTS, "a name for each");

const char *vtodo_reply_part_name(enum vtodo_reply_part part)
{
	return part_names[part];
}

static struct fault *malformed(const struct reader *reader, const char *why)
{
	return fault_reaches(fault_new(reader->reply, FAULT_DATA, "%s", why), FAULT_SCOPE_ITEM,
			     FAULT_NEXT_HOLD);
}

static void add_problem(struct reader *reader, const char *text)
{
	struct vtodo_reply *reply = reader->reply;

	reply->problems = MEM_GROW(reply, reply->problems, const char *, reply->problem_count + 1);
	reply->problems[reply->problem_count++] = mem_strdup(reply->problems, text);
}

static const struct icaltext_line *find(const struct reader *reader, const char *name,
					const struct icaltext_line *after)
{
	return icaltext_find(reader->item.ical, reader->item.todo, name, after);
}

/* ---- whose, of what ---- */

static struct fault *read_method(struct reader *reader)
{
	const struct icaltext *ical = reader->item.ical;
	uint32_t calendar = ical->components[reader->item.todo].parent, todos = 0;
	const struct icaltext_line *line =
		calendar == ICALTEXT_NONE ? NULL : icaltext_find(ical, calendar, "METHOD", NULL);

	if (!line || !text_equal_nocase(vtodo_text_word(reader->tmp, line), "REPLY"))
		return malformed(reader, "its calendar has no METHOD:REPLY");
	if (icaltext_find(ical, calendar, "METHOD", line))
		return malformed(reader, "its calendar has more than one METHOD");
	for (uint32_t i = 0; i < ical->component_count; i++)
		todos += text_equal_nocase(ical->components[i].name, "VTODO");
	return todos == 1 ? NULL : malformed(reader, "more than one VTODO");
}

static void read_part(struct reader *reader, const struct icaltext_line *line)
{
	char *word = icaltext_param(reader->tmp, line, "PARTSTAT");

	reader->said = STATUSES;
	if (!word || !*word)
		return;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (text_equal_nocase(word, parts[i].name)) {
			reader->reply->part = parts[i].part;
			reader->said = parts[i].status;
			return;
		}
	add_problem(reader, mem_printf(reader->tmp, "PARTSTAT: \"%s\" is not understood",
				       text_one_line(reader->tmp, word, VTODO_SHOWN_CHARS)));
}

static struct fault *read_attendee(struct reader *reader)
{
	static const char scheme[] = "mailto:";
	const struct icaltext_line *line = find(reader, "ATTENDEE", NULL);
	char *word;

	if (!line || find(reader, "ATTENDEE", line))
		return malformed(reader, "it does not have exactly one ATTENDEE");
	word = text_lower(reader->tmp, vtodo_text_word(reader->tmp, line));
	if (!text_starts(word, scheme) || !word[strlen(scheme)])
		return malformed(reader, "its ATTENDEE is no address (mailto:)");
	reader->reply->attendee = mem_strdup(reader->reply, word + strlen(scheme));
	read_part(reader, line);
	return NULL;
}

static struct fault *read_order(struct reader *reader)
{
	const struct icaltext_line *line = find(reader, "SEQUENCE", NULL);
	struct vtodo_time time;

	if (line &&
	    (!text_to_int(vtodo_text_word(reader->tmp, line), &reader->reply->sequence) ||
	     reader->reply->sequence < 0 || reader->reply->sequence > VTODO_REPLY_SEQUENCE_MAX))
		return malformed(reader, "its SEQUENCE is no number");
	line = find(reader, "DTSTAMP", NULL);
	if (!line)
		return malformed(reader, "it has no DTSTAMP");
	vtodo_time_read(reader->tmp, reader->item.ical, line, &time);
	if (!time.known || time.when.kind != WHEN_INSTANT || !time.utc)
		return malformed(reader, "its DTSTAMP is no time in UTC");
	reader->reply->stamp_us = time.when.us;
	return NULL;
}

/* ---- what ---- */

static enum status farther(enum status one, enum status other)
{
	return one == STATUS_COMPLETED || other == STATUS_COMPLETED ? STATUS_COMPLETED
								    : STATUS_IN_PROCESS;
}

static void read_status(struct reader *reader)
{
	const struct vector *seen = reader->vtodo->values;
	enum status status = (enum status)vector_get(seen, FIELD_status, STATUSES);
	bool is_copy = reader->reply->part != VTODO_REPLY_NEEDS_ACTION;

	if (reader->reply->part == VTODO_REPLY_DECLINED || status == STATUS_CANCELLED ||
	    (status == STATUS_NEEDS_ACTION && is_copy))
		status = STATUSES;
	if (reader->said != STATUSES)
		status = status == STATUSES ? reader->said : farther(reader->said, status);
	if (status != STATUSES)
		vector_number(reader->reply->values, FIELD_status, status);
}

static void read_values(struct reader *reader)
{
	const struct vector *seen = reader->vtodo->values;
	struct vector *values = reader->reply->values;
	int64_t percent = vector_get(seen, FIELD_percent, 0), status;

	read_status(reader);
	status = vector_get(values, FIELD_status, STATUSES);
	if (reader->reply->part == VTODO_REPLY_DECLINED)
		return;
	if (percent < 0 || percent > 100)
		add_problem(reader,
			    mem_printf(reader->tmp, "PERCENT-COMPLETE: %lld is not from 0 to 100",
				       (long long)percent));
	else if (percent > 0)
		vector_number(values, FIELD_percent, percent);
	else if (status == STATUS_NEEDS_ACTION)
		vector_clear(values, FIELD_percent);
	if (status == STATUS_COMPLETED && seen->value[FIELD_completed_at].presence == SET)
		vector_put(values, FIELD_completed_at, &seen->value[FIELD_completed_at]);
}

static void read_note(struct reader *reader)
{
	const struct icaltext_line *line = NULL;
	struct buf *note = buf_new(reader->tmp);
	char *text;
	bool clean;

	while ((line = find(reader, "COMMENT", line)))
		buf_printf(note, "%s\n", vtodo_text_read(reader->tmp, line, &clean));
	text = text_trim(reader->tmp, note->data);
	if (strlen(text) > VTODO_REPLY_NOTE_MAX) {
		size_t cut = VTODO_REPLY_NOTE_MAX;

		while (((unsigned char)text[cut] & 0xC0) == 0x80)
			cut--;
		text[cut] = '\0';
	}
	reader->reply->note = mem_strdup(reader->reply, text);
}

/* Only of what counts here. */
static void read_problems(struct reader *reader)
{
	static const char *const names[] = { "STATUS: ", "PERCENT-COMPLETE: ", "COMPLETED: " };

	for (size_t p = 0; p < reader->vtodo->problem_count; p++)
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (text_starts(reader->vtodo->problems[p], names[i]))
				add_problem(reader, reader->vtodo->problems[p]);
}

static struct fault *read(struct reader *reader, const char *text, size_t len)
{
	FAULT_TRY(vtodo_open(reader->tmp, text, len, &reader->item));
	FAULT_TRY(vtodo_decode(reader->tmp, text, len, NULL, &reader->vtodo));
	FAULT_TRY(read_method(reader));
	if (!reader->vtodo->uid || !*reader->vtodo->uid)
		return malformed(reader, "it has no UID");
	if (reader->vtodo->recurring)
		return malformed(reader, "it is about a series");
	FAULT_TRY(read_attendee(reader));
	FAULT_TRY(read_order(reader));
	reader->reply->uid = mem_strdup(reader->reply, reader->vtodo->uid);
	read_values(reader);
	read_note(reader);
	read_problems(reader);
	return NULL;
}

struct fault *vtodo_reply_read(TALLOC_CTX *mem, const char *text, size_t len,
			       struct vtodo_reply **reply_r)
{
	struct reader reader = { .tmp = MEM_CONTEXT(mem),
				 .reply = MEM_NEW(mem, struct vtodo_reply) };
	struct fault *fault;

	reader.reply->values = vector_new(reader.reply);
	fault = read(&reader, text, len);
	if (fault) {
		talloc_steal(mem, fault);
		talloc_free(reader.reply);
	} else {
		*reply_r = reader.reply;
	}
	talloc_free(reader.tmp);
	return fault;
}
