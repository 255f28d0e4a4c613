#include "config.h"

#include "decide/publish.h"

#include "base/text.h"
#include "model/carried.h"

static void put_day(struct vector *item, enum field field, const struct value *value,
		    enum conf_dates dates)
{
	if (dates == DATES_DAY)
		vector_when(item, field, when_date(when_local_day(&value->when)));
	else
		vector_when(item, field, value->when);
}

struct vector *publish_vector(TALLOC_CTX *mem, const struct vector *project, enum conf_dates dates,
			      const char *parent_uid)
{
	struct vector *item = vector_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		const struct value *value = &project->value[f];

		if (!field_table[f].vtodo)
			continue;
		if (f == FIELD_parent)
			vector_text(item, FIELD_parent, parent_uid);
		else if (value->presence == ABSENT && field_table[f].type == FIELD_FILES)
			continue; /* none ever: what a person attached is not ours to touch */
		else if (value->presence != SET)
			vector_clear(item, (enum field)f);
		else if (f == FIELD_subject)
			vector_text(item, FIELD_subject,
				    text_trim_line(item, value->text, SUBJECT_MAX_CHARS));
		else if (f == FIELD_start || f == FIELD_due)
			put_day(item, (enum field)f, value, dates);
		else
			vector_put(item, (enum field)f, value);
	}
	carried_texts(item);
	if (!vector_is_set(item, FIELD_status))
		vector_number(item, FIELD_status, STATUS_NEEDS_ACTION);
	/* A start that is not before the due date is not shown (RFC 5545 section 3.8.2.3 wants DUE
	 * later). */
	if (vector_is_set(item, FIELD_start) && vector_is_set(item, FIELD_due) &&
	    when_compare(&item->value[FIELD_start].when, &item->value[FIELD_due].when) >= 0)
		vector_clear(item, FIELD_start);
	return item;
}

bool publish_differs(const struct vector *want, const struct vector *before,
		     const struct vector *seen)
{
	for (int f = 0; f < FIELDS; f++) {
		bool readable =
			field_table[f].owner == OWNER_BOTH && seen->value[f].presence != ABSENT;
		const struct value *there = readable ? &seen->value[f]
					    : before ? &before->value[f]
						     : NULL;

		if (!field_table[f].vtodo || !there)
			continue;
		if (!value_same((enum field)f, &want->value[f], there))
			return true;
	}
	return false;
}
