#include "config.h"

#include "mappers/vtodo_private.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/effort.h"

/* Values are first made normal (vtodo_shape(), in vtodo.c): what an item cannot or shall not say is
 * gone from them. Each field's type then has one way of being written. STATUS always stands in an
 * item; everything else only where it says something. */

#define DAY_SECONDS 86400
#define FIRST_TEXT 2000 /* bytes of most items */
#define NOON 12 /* of a day that is told as an instant: the same day wherever the reader is */

static void put_date(struct buf *out, int year, int month, int day)
{
	buf_number(out, year, 4);
	buf_number(out, month, 2);
	buf_number(out, day, 2);
}

void vtodo_encode_stamp(struct buf *out, int64_t us)
{
	int64_t seconds = us / CLOCK_SECOND_US - (us % CLOCK_SECOND_US < 0);
	int64_t day = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
	int second = (int)(seconds - day * DAY_SECONDS), year, month, month_day;

	when_day_to_civil((int32_t)day, &year, &month, &month_day);
	put_date(out, year, month, month_day);
	buf_putc(out, 'T');
	buf_number(out, second / 3600, 2);
	buf_number(out, second / 60 % 60, 2);
	buf_number(out, second % 60, 2);
	buf_putc(out, 'Z');
}

void vtodo_encode_edition(struct buf *out, const struct vtodo_publish *publish)
{
	buf_number(out, publish->edition, 0);
	if (publish->edition_hash)
		buf_join(out, "-", publish->edition_hash, NULL);
}

char *vtodo_encode_description(TALLOC_CTX *mem, const char *notes, const char *trailer)
{
	if (trailer && *trailer)
		return trailer_join(mem, notes ? notes : "", trailer);
	return mem_strdup(mem, notes ? notes : "");
}

static void write_text(struct buf *out, const struct value *value)
{
	buf_putc(out, ':');
	vtodo_text_put_clean(out, value->text);
}

static void write_parent(struct buf *out, const struct value *value)
{
	buf_puts(out, ";RELTYPE=PARENT");
	write_text(out, value);
}

static void write_list(struct buf *out, const struct value *value)
{
	char *names = mem_strdup(NULL, value->text);

	buf_putc(out, ':');
	for (char *name = names; *name;) {
		size_t len = strcspn(name, "\n");
		bool more = name[len];

		name[len] = '\0';
		if (name != names)
			buf_putc(out, ',');
		vtodo_text_put_clean(out, name);
		name += len + more;
	}
	talloc_free(names);
}

static void write_when(struct buf *out, const struct value *value)
{
	int year, month, day;

	if (value->when.kind == WHEN_INSTANT) {
		buf_putc(out, ':');
		vtodo_encode_stamp(out, value->when.us);
		return;
	}
	when_day_to_civil(value->when.day, &year, &month, &day);
	buf_puts(out, ";VALUE=DATE:");
	put_date(out, year, month, day);
}

struct when vtodo_encode_utc(const struct when *when)
{
	return when->kind == WHEN_DATE ? when_from_local(when->day, NOON, 0, 0, NULL) : *when;
}

static void write_utc(struct buf *out, const struct value *value)
{
	buf_putc(out, ':');
	vtodo_encode_stamp(out, vtodo_encode_utc(&value->when).us);
}

static void write_number(struct buf *out, const struct value *value)
{
	buf_putc(out, ':');
	buf_number(out, value->number, 0);
}

static void write_effort(struct buf *out, const struct value *value)
{
	buf_putc(out, ':');
	effort_put_iso(out, value->number);
}

static void write_status(struct buf *out, const struct value *value)
{
	static const char *const names[] = {
		[STATUS_NEEDS_ACTION] = ":NEEDS-ACTION",
		[STATUS_IN_PROCESS] = ":IN-PROCESS",
		[STATUS_COMPLETED] = ":COMPLETED",
		[STATUS_CANCELLED] = ":CANCELLED",
	};
	_Static_assert(COUNT_OF(names) == STATUSES, "a name for every status");

	buf_puts(out, names[value->number]);
}

typedef void writer(struct buf *out, const struct value *value);

/* In the order of a new item. Notes are not here: their text is made with the trailer. */
static const struct property {
	enum field field;
	writer *write;
} properties[] = {
	{ FIELD_subject, write_text },       { FIELD_start, write_when },
	{ FIELD_due, write_when },           { FIELD_status, write_status },
	{ FIELD_percent, write_number },     { FIELD_completed_at, write_utc },
	{ FIELD_priority, write_number },    { FIELD_categories, write_list },
	{ FIELD_parent, write_parent },      { FIELD_total_work, write_effort },
	{ FIELD_actual_work, write_effort },
};

static bool written_by(const struct property *property, struct buf *out, const struct value *value)
{
	const struct value status = { .presence = SET, .number = STATUS_NEEDS_ACTION };

	if (value->presence == SET)
		property->write(out, value);
	else if (property->field == FIELD_status)
		write_status(out, &status);
	else
		return false;
	return true;
}

bool vtodo_encode_field(struct buf *out, enum field field, const struct value *value)
{
	for (size_t i = 0; i < COUNT_OF(properties); i++)
		if (properties[i].field == field)
			return written_by(&properties[i], out, value);
	return false;
}

/* ---- a new item ---- */

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:" VTODO_PRODID "\r\nBEGIN:VTODO\r\n"
#define TAIL "END:VTODO\r\nEND:VCALENDAR\r\n"
_Static_assert(sizeof "PRODID:" VTODO_PRODID < ICALTEXT_FOLD - 1, "a line that is not folded");

struct item {
	TALLOC_CTX *own; /* what is made on the way */
	struct buf text;
	size_t longest;
};

/* Ends the line that begins at FROM. */
static void end_line(struct item *item, size_t from)
{
	size_t len = item->text.len - from;

	item->longest = len > item->longest ? len : item->longest;
	icaltext_fold_last(item->own, &item->text, from, "\r\n");
}

static void add_head(struct item *item, const struct vtodo_publish *publish)
{
	static const char *const stamped[] = { "DTSTAMP:", "CREATED:", "LAST-MODIFIED:" };
	struct buf *text = &item->text, now = buf_of(item->own, sizeof "20261121T080000Z");
	size_t from;

	vtodo_encode_stamp(&now, publish->now_us);
	buf_puts(text, HEAD);
	from = text->len;
	buf_puts(text, "UID:");
	vtodo_text_put(text, publish->uid);
	end_line(item, from);
	for (size_t i = 0; i < COUNT_OF(stamped); i++) {
		buf_puts(text, stamped[i]);
		buf_add(text, now.data, now.len);
		buf_puts(text, "\r\n");
	}
}

static void add_properties(struct item *item, const struct vector *values)
{
	for (size_t i = 0; i < COUNT_OF(properties); i++) {
		enum field field = properties[i].field;
		size_t from = item->text.len;

		buf_puts(&item->text, field_table[field].vtodo);
		if (written_by(&properties[i], &item->text, &values->value[field]))
			end_line(item, from);
		else
			buf_cut(&item->text, from);
	}
}

static void add_edition(struct item *item, const struct vtodo_publish *publish)
{
	size_t from = item->text.len;

	if (!publish->edition)
		return;
	buf_puts(&item->text, VTODO_EDITION ":");
	vtodo_encode_edition(&item->text, publish);
	end_line(item, from);
}

static void add_description(struct item *item, const struct vtodo_publish *publish,
			    const struct vector *values)
{
	char *text = vtodo_encode_description(item->own, vector_str(values, FIELD_notes),
					      publish->trailer);
	size_t from = item->text.len;

	if (!*text)
		return;
	buf_join(&item->text, field_table[FIELD_notes].vtodo, ":", NULL);
	vtodo_text_put(&item->text, text);
	end_line(item, from);
}

struct fault *vtodo_encode(TALLOC_CTX *mem, const struct vtodo_publish *publish, char **text_r,
			   size_t *len_r)
{
	struct item item = { .own = MEM_CONTEXT(mem), .text = buf_of(mem, FIRST_TEXT) };
	struct vector *values = vector_view(item.own, publish->values);
	struct fault *fault;

	assert(publish->uid && *publish->uid);
	vtodo_shape(values);
	add_head(&item, publish);
	add_properties(&item, values);
	add_edition(&item, publish);
	add_description(&item, publish, values);
	for (size_t i = 0; i < publish->file_count; i++)
		icaltext_fold(&item.text, vtodo_files_line(item.own, &publish->files[i]), "\r\n");
	buf_puts(&item.text, TAIL);
	talloc_free(item.own);
	if (item.longest <= VTODO_LINE_MAX && item.text.len <= VTODO_TEXT_MAX) {
		*text_r = item.text.data;
		if (len_r)
			*len_r = item.text.len;
		return NULL;
	}
	fault = fault_new(mem, FAULT_DATA, "an item of %zu bytes with a line of %zu: too long",
			  item.text.len, item.longest);
	talloc_free(item.text.data);
	return fault_reaches(fault, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}
