#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/effort.h"
#include "model/ids.h"

/* The normal values (vtodo_normal()) are what an item says; here is what else becomes of them on the
 * way out and in again:
 *
 *   instants      lose their zone, and a due one that ends a day becomes the date (vtodo_time.c)
 *   no status     is written as NEEDS-ACTION
 *   what is not there   was cleared or is nobody's, as vtodo_writer_apply() has it for our PRODID
 *
 * A case that is not clear is not decided here.
 */

static bool comes_back(const char *text)
{
	size_t len = strlen(text);

	return text_is_clean(text, len) && !memchr(text, '\r', len);
}

/* An instant as its stamp is read; false: it has none that can be. */
static bool read_stamp(int64_t us, struct when *when_r)
{
	int64_t s = us / CLOCK_SECOND_US - (us % CLOCK_SECOND_US < 0);
	struct when when = when_instant(s * CLOCK_SECOND_US, "UTC");

	if (when.us != s * CLOCK_SECOND_US)
		return false;
	*when_r = when;
	return true;
}

static bool foresee_when(enum field field, struct when *when)
{
	struct vtodo_time time = { .known = true, .written = WHEN_INSTANT, .utc = true };

	if (when->kind == WHEN_DATE && field != FIELD_completed_at)
		return when_date(when->day).day == when->day;
	if (when->kind == WHEN_DATE)
		*when = vtodo_encode_utc(when);
	if (!read_stamp(when->us, &time.when))
		return false;
	if (field == FIELD_due)
		vtodo_time_whole_day(&time);
	*when = time.when;
	return true;
}

static bool foresee_set(struct vector *values, enum field field)
{
	struct value *value = &values->value[field];

	switch (field_table[field].type) {
	case FIELD_WHEN:
		return foresee_when(field, &value->when);
	case FIELD_EFFORT:
		return value->number <= EFFORT_MAX_MIN;
	default:
		return true;
	}
}

static bool foresee_values(struct vector *values, bool edition)
{
	vector_clear(values, FIELD_attachments);
	for (int i = 0; i < FIELDS; i++) {
		enum field field = (enum field)i;
		bool nobodys = field == FIELD_subject || field == FIELD_parent ||
			       field == FIELD_total_work ||
			       (field == FIELD_attachments && !edition);

		if (!field_table[i].vtodo || field == FIELD_actual_work)
			continue;
		if (!vector_is_set(values, field))
			values->value[i].presence = nobodys ? ABSENT : CLEARED;
		else if (!foresee_set(values, field))
			return false;
	}
	if (!vector_is_set(values, FIELD_status))
		vector_number(values, FIELD_status, STATUS_NEEDS_ACTION);
	return true;
}

/* Of a trailer that begins with a letter it is known that it stands under a separator. */
static bool is_clear(const struct vtodo_publish *publish)
{
	const char *hash = publish->edition_hash, *trailer = publish->trailer;

	return !publish->file_count && trailer && text_printable(trailer, 1) && *trailer != ' ' &&
	       publish->edition >= 0 && publish->edition <= EDITION_MAX &&
	       comes_back(publish->uid) && (!hash || !hash[strspn(hash, "0123456789abcdef")]);
}

struct vtodo *vtodo_foresee(TALLOC_CTX *mem, const struct vtodo_publish *publish)
{
	struct vtodo *vtodo;
	struct when modified;

	if (!is_clear(publish) || !read_stamp(publish->now_us, &modified))
		return NULL;
	vtodo = MEM_NEW(mem, struct vtodo);
	vtodo->values = vector_copy(vtodo, publish->values);
	vtodo_shape(vtodo->values);
	vtodo->values->value[FIELD_actual_work].presence = ABSENT;
	if (!foresee_values(vtodo->values, publish->edition)) {
		talloc_free(vtodo);
		return NULL;
	}
	vtodo->uid = mem_strdup(vtodo, publish->uid);
	vtodo->edition = publish->edition;
	if (publish->edition && publish->edition_hash && *publish->edition_hash)
		vtodo->edition_hash = mem_strdup(vtodo, publish->edition_hash);
	vtodo->prodid = VTODO_PRODID;
	vtodo->last_modified_us = modified.us;
	vtodo->elapsed_s = -1;
	return vtodo;
}
