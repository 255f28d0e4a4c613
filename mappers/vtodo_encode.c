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

char *vtodo_encode_stamp(TALLOC_CTX *mem, int64_t us)
{
	int64_t seconds = us / CLOCK_SECOND_US - (us % CLOCK_SECOND_US < 0);
	int64_t day = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0);
	int second = (int)(seconds - day * DAY_SECONDS), year, month, month_day;
	struct buf *text;

	when_day_to_civil((int32_t)day, &year, &month, &month_day);
	text = buf_new_sized(mem, sizeof "20261121T080000Z");
	put_date(text, year, month, month_day);
	buf_putc(text, 'T');
	buf_number(text, second / 3600, 2);
	buf_number(text, second / 60 % 60, 2);
	buf_number(text, second % 60, 2);
	buf_putc(text, 'Z');
	return text->data;
}

char *vtodo_encode_edition(TALLOC_CTX *mem, const struct vtodo_publish *publish)
{
	const char *hash = publish->edition_hash;
	struct buf *text = buf_new_sized(mem, sizeof "1000000000-9f86d081");

	buf_number(text, publish->edition, 0);
	buf_join(text, hash ? "-" : "", hash ? hash : "", NULL);
	return text->data;
}

char *vtodo_encode_description(TALLOC_CTX *mem, const char *notes, const char *trailer)
{
	if (trailer && *trailer)
		return trailer_join(mem, notes ? notes : "", trailer);
	return mem_strdup(mem, notes ? notes : "");
}

static struct vtodo_written plain(const char *value)
{
	return (struct vtodo_written){ .params = "", .value = value };
}

static struct vtodo_written write_text(TALLOC_CTX *mem, const struct value *value)
{
	return plain(vtodo_text_escape(mem, value->text));
}

static struct vtodo_written write_parent(TALLOC_CTX *mem, const struct value *value)
{
	return (struct vtodo_written){ ";RELTYPE=PARENT", vtodo_text_escape(mem, value->text) };
}

static struct vtodo_written write_list(TALLOC_CTX *mem, const struct value *value)
{
	struct buf *buf = buf_new(mem);

	for (const char *name = value->text; *name;) {
		size_t len = strcspn(name, "\n");

		if (buf->len)
			buf_putc(buf, ',');
		buf_puts(buf, vtodo_text_escape(mem, mem_strndup(mem, name, len)));
		name += len + (name[len] == '\n');
	}
	return plain(buf->data);
}

static struct vtodo_written write_when(TALLOC_CTX *mem, const struct value *value)
{
	int year, month, day;
	struct buf *text;

	if (value->when.kind == WHEN_INSTANT)
		return plain(vtodo_encode_stamp(mem, value->when.us));
	when_day_to_civil(value->when.day, &year, &month, &day);
	text = buf_new_sized(mem, sizeof "20261121");
	put_date(text, year, month, day);
	return (struct vtodo_written){ ";VALUE=DATE", text->data };
}

struct when vtodo_encode_utc(const struct when *when)
{
	return when->kind == WHEN_DATE ? when_from_local(when->day, NOON, 0, 0, NULL) : *when;
}

static struct vtodo_written write_utc(TALLOC_CTX *mem, const struct value *value)
{
	return plain(vtodo_encode_stamp(mem, vtodo_encode_utc(&value->when).us));
}

static struct vtodo_written write_number(TALLOC_CTX *mem, const struct value *value)
{
	struct buf *text = buf_new_sized(mem, sizeof "100");

	buf_number(text, value->number, 0);
	return plain(text->data);
}

static struct vtodo_written write_effort(TALLOC_CTX *mem, const struct value *value)
{
	return plain(effort_to_iso(mem, value->number));
}

static struct vtodo_written write_status(TALLOC_CTX *mem, const struct value *value)
{
	static const char *const names[] = {
		[STATUS_NEEDS_ACTION] = "NEEDS-ACTION",
		[STATUS_IN_PROCESS] = "IN-PROCESS",
		[STATUS_COMPLETED] = "COMPLETED",
		[STATUS_CANCELLED] = "CANCELLED",
	};
	_Static_assert(COUNT_OF(names) == STATUSES, "a name for every status");

	(void)mem;
	return plain(names[value->number]);
}

typedef struct vtodo_written writer(TALLOC_CTX *mem, const struct value *value);

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

static struct vtodo_written written_by(const struct property *property, TALLOC_CTX *mem,
				       const struct value *value)
{
	const struct value status = { .presence = SET, .number = STATUS_NEEDS_ACTION };

	if (value->presence == SET)
		return property->write(mem, value);
	return property->field == FIELD_status ? write_status(mem, &status) : plain(NULL);
}

struct vtodo_written vtodo_encode_field(TALLOC_CTX *mem, enum field field,
					const struct value *value)
{
	for (size_t i = 0; i < COUNT_OF(properties); i++)
		if (properties[i].field == field)
			return written_by(&properties[i], mem, value);
	return plain(NULL);
}

/* The lines of a new item. */
struct item {
	TALLOC_CTX *own; /* what is made on the way */
	struct buf *text;
	size_t longest;
};

static void add(struct item *item, const char *name, const char *params, const char *value)
{
	size_t from = item->text->len, len;

	buf_join(item->text, name, params, ":", value, NULL);
	len = item->text->len - from;
	item->longest = len > item->longest ? len : item->longest;
	icaltext_fold_last(item->text, from, "\r\n");
}

static void add_head(struct item *item, const struct vtodo_publish *publish)
{
	char *now = vtodo_encode_stamp(item->own, publish->now_us);

	add(item, "BEGIN", "", "VCALENDAR");
	add(item, "VERSION", "", "2.0");
	add(item, "PRODID", "", VTODO_PRODID);
	add(item, "BEGIN", "", "VTODO");
	add(item, "UID", "", vtodo_text_escape(item->own, publish->uid));
	add(item, "DTSTAMP", "", now);
	add(item, "CREATED", "", now);
	add(item, "LAST-MODIFIED", "", now);
}

static void add_description(struct item *item, const struct vtodo_publish *publish,
			    const struct vector *values)
{
	char *text = vtodo_encode_description(item->own, vector_str(values, FIELD_notes),
					      publish->trailer);

	if (*text)
		add(item, field_table[FIELD_notes].vtodo, "", vtodo_text_escape(item->own, text));
}

struct fault *vtodo_encode(TALLOC_CTX *mem, const struct vtodo_publish *publish, char **text_r,
			   size_t *len_r)
{
	TALLOC_CTX *own = MEM_CONTEXT(mem);
	struct item item = { .own = own, .text = buf_new_sized(mem, FIRST_TEXT) };
	struct vector *values = vtodo_shape(own, publish->values);
	struct fault *fault;

	assert(publish->uid && *publish->uid);
	add_head(&item, publish);
	for (size_t i = 0; i < COUNT_OF(properties); i++) {
		enum field field = properties[i].field;
		struct vtodo_written written =
			written_by(&properties[i], own, &values->value[field]);

		if (written.value)
			add(&item, field_table[field].vtodo, written.params, written.value);
	}
	if (publish->edition)
		add(&item, VTODO_EDITION, "", vtodo_encode_edition(own, publish));
	add_description(&item, publish, values);
	for (size_t i = 0; i < publish->file_count; i++)
		icaltext_fold(item.text, vtodo_files_line(own, &publish->files[i]), "\r\n");
	add(&item, "END", "", "VTODO");
	add(&item, "END", "", "VCALENDAR");
	if (item.longest <= VTODO_LINE_MAX && item.text->len <= VTODO_TEXT_MAX) {
		*text_r = buf_steal(&item.text, mem, len_r);
		talloc_free(own);
		return NULL;
	}
	fault = fault_new(mem, FAULT_DATA, "an item of %zu bytes with a line of %zu: too long",
			  item.text->len, item.longest);
	talloc_free(item.text);
	talloc_free(own);
	return fault_reaches(fault, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}
