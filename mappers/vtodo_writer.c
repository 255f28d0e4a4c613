#include "config.h"

#include "mappers/vtodo_private.h"

#include "model/writer.h"

/* Three kinds of silence: a property that its writer edits and took away (CLEARED), one that it
 * dropped because it does not know it (ABSENT), and one that stands there with nothing in it, which
 * somebody must have meant (CLEARED, whoever it was). */

static bool has(const struct vtodo_item *item, const char *name)
{
	return icaltext_find(item->ical, item->todo, name, NULL);
}

/* A due date may stand as DURATION. */
static bool stands_there(const struct vtodo_item *item, enum field field)
{
	return has(item, field_table[field].vtodo) || (field == FIELD_due && has(item, "DURATION"));
}

/* Attachments are lost with all else by whoever makes the item anew, so only who kept what is ours
 * took them away. */
static bool clears(const struct vtodo_item *item, const struct writer *writer, enum field field)
{
	return writer_clears(writer, field) &&
	       (field != FIELD_attachments || has(item, VTODO_EDITION));
}

static bool is_dated(enum field field)
{
	return field == FIELD_start || field == FIELD_due;
}

void vtodo_writer_apply(const struct vtodo_item *item, struct vtodo *vtodo)
{
	const struct writer *writer = writer_find(vtodo->prodid, has(item, VTODO_EDITION));
	struct value *start = &vtodo->values->value[FIELD_start];
	const struct value *due = &vtodo->values->value[FIELD_due];

	for (int f = 0; f < FIELDS; f++) {
		enum field field = (enum field)f;

		if (field_table[f].owner != OWNER_BOTH || !field_table[f].vtodo ||
		    field == FIELD_subject || stands_there(item, field) ||
		    (vtodo->recurring && is_dated(field)))
			continue;
		vtodo->values->value[f].presence = clears(item, writer, field) ? CLEARED : ABSENT;
	}
	if (writer->start_is_due && start->presence == SET && due->presence == SET &&
	    value_same(FIELD_start, start, due))
		start->presence = ABSENT;
}
