#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/carried.h"

/* A patch first decides, on vectors alone, which fields to write (decide()), then edits the lines
 * of these fields. vtodo_same() is the same decision without the edit, so "needs a write" and "what
 * is written" cannot disagree (N3).
 *
 *   P1  a field that PUBLISH leaves absent is not touched, but for P3 and P4
 *   P2  a field is touched when its normal value does not mean the same as the decoded one
 *   P3  DTSTART and DUE agree after every write: DTSTART earlier, both of one type, DURATION beside
 * neither. One that stays is not rewritten for the other's sake: the other takes its type, a date
 * standing for its local midnight as a start and for 23:59:59 as a due time P4  COMPLETED stands
 * only beside STATUS:COMPLETED P5  the first line of a touched property is rewritten in its place,
 * further ones of the same meaning go; all other lines stay byte for byte (N4) P6  DTSTAMP,
 * LAST-MODIFIED, the edition and the trailer are written by every patch P7  attachments are not
 * compared here: lines go and come as PUBLISH says (vtodo_files.c)
 */

#define LAST_SECOND (24 * 3600 - 1) /* of a day */

const struct icaltext_limits vtodo_limits = {
	.text = VTODO_TEXT_MAX,
	.line = VTODO_LINE_MAX,
	.attach = VTODO_TEXT_MAX,
	.depth = VTODO_DEPTH_MAX,
};

static struct fault *not_ours(TALLOC_CTX *mem, const char *why)
{
	return fault_reaches(fault_new(mem, FAULT_DATA, "%s", why), FAULT_SCOPE_ITEM,
			     FAULT_NEXT_HOLD);
}

static const struct icaltext_line *uid_of(const struct icaltext *ical, uint32_t todo)
{
	return icaltext_find(ical, todo, "UID", NULL);
}

/* A VTODO that does not stand for the task: one instance of a series (RFC 5545 section 3.8.4.4), or
 * an empty one that a client left behind. */
static bool is_beside(TALLOC_CTX *mem, const struct icaltext *ical, uint32_t todo, const char *uid)
{
	const struct icaltext_line *line = uid_of(ical, todo);

	return !line || (icaltext_find(ical, todo, "RECURRENCE-ID", NULL) &&
			 text_same(vtodo_text_word(mem, line), uid));
}

/* Among several VTODOs the one that all others stand beside; ICALTEXT_NONE when there is none. */
static uint32_t find_master(TALLOC_CTX *mem, const struct icaltext *ical)
{
	const struct icaltext_line *line;
	uint32_t master = ICALTEXT_NONE;

	for (uint32_t i = 0; i < ical->component_count; i++) {
		if (!text_equal_nocase(ical->components[i].name, "VTODO") || !uid_of(ical, i) ||
		    icaltext_find(ical, i, "RECURRENCE-ID", NULL))
			continue;
		if (master != ICALTEXT_NONE)
			return ICALTEXT_NONE;
		master = i;
	}
	line = master == ICALTEXT_NONE ? NULL : uid_of(ical, master);
	for (uint32_t i = 0; line && i < ical->component_count; i++)
		if (i != master && text_equal_nocase(ical->components[i].name, "VTODO") &&
		    (ical->components[i].parent != ical->components[master].parent ||
		     !is_beside(mem, ical, i, vtodo_text_word(mem, line))))
			return ICALTEXT_NONE;
	return master;
}

struct fault *vtodo_open(TALLOC_CTX *mem, const char *text, size_t len, struct vtodo_item *item_r)
{
	struct icaltext *ical;
	uint32_t todo = ICALTEXT_NONE, parent, count = 0;

	FAULT_TRY(icaltext_parse(mem, text, len, &vtodo_limits, &ical));
	if (ical->component_count == 0)
		return not_ours(mem, "not iCalendar");
	for (uint32_t i = 0; i < ical->component_count; i++) {
		if (!text_equal_nocase(ical->components[i].name, "VTODO"))
			continue;
		todo = i;
		count++;
	}
	if (!count)
		return not_ours(mem, "no VTODO in it");
	if (count > 1)
		todo = find_master(mem, ical);
	if (todo == ICALTEXT_NONE)
		return not_ours(mem, "more than one VTODO");
	parent = ical->components[todo].parent;
	if (parent != ICALTEXT_NONE &&
	    !text_equal_nocase(ical->components[parent].name, "VCALENDAR"))
		return not_ours(mem, "a VTODO within another component");
	*item_r = (struct vtodo_item){ .ical = ical, .todo = todo };
	return NULL;
}

bool vtodo_is_parent(TALLOC_CTX *mem, const struct icaltext_line *line)
{
	char *type = line->params[0] ? icaltext_param(mem, line, "RELTYPE") : NULL;

	return !type || !*type || text_equal_nocase(type, "PARENT");
}

/* Normal values */

static void shape_instant(struct vector *values, enum field field)
{
	struct value *value = &values->value[field];
	int64_t rest;

	if (value->presence != SET || value->when.kind != WHEN_INSTANT)
		return;
	rest = value->when.us % CLOCK_SECOND_US;
	value->when.us -= rest < 0 ? rest + CLOCK_SECOND_US : rest;
}

/* Gives a date, or an instant, the kind KIND; SECOND of the day is the time that a date stands for.
 */
static void adapt(struct value *value, enum when_kind kind, int second)
{
	if (value->when.kind == kind)
		return;
	if (kind == WHEN_DATE)
		value->when = when_date(when_local_day(&value->when));
	else
		value->when = when_from_local(value->when.day, second / 3600, second / 60 % 60,
					      second % 60, NULL);
}

/* RFC 5545 section 3.8.2.3: DUE is later than DTSTART and of the same type. */
static void shape_start(struct vector *values)
{
	struct value *start = &values->value[FIELD_start], *due = &values->value[FIELD_due];

	if (start->presence != SET || due->presence != SET)
		return;
	adapt(start, due->when.kind, 0);
	if (when_compare(&start->when, &due->when) >= 0)
		vector_clear(values, FIELD_start);
}

static void shape_progress(struct vector *values)
{
	int64_t percent = vector_get(values, FIELD_percent, 0);

	if (vector_is_set(values, FIELD_percent) && percent <= 0)
		vector_clear(values, FIELD_percent);
	else if (percent > 100)
		vector_number(values, FIELD_percent, 100);
	if (vector_is_set(values, FIELD_completed_at) &&
	    vector_get(values, FIELD_status, STATUS_NEEDS_ACTION) != STATUS_COMPLETED)
		vector_clear(values, FIELD_completed_at);
}

/* Clients know three priorities: RFC 5545 section 3.8.1.9. */
static void shape_priority(struct vector *values)
{
	int64_t priority = vector_get(values, FIELD_priority, 0);

	if (!vector_is_set(values, FIELD_priority))
		return;
	if (priority < 1 || priority > PRIORITY_MAX)
		vector_clear(values, FIELD_priority);
	else
		vector_number(values, FIELD_priority,
			      priority < 5   ? 1
			      : priority > 5 ? PRIORITY_MAX
					     : 5);
}

/* RFC 10051 section 10.1: a positive duration. */
static void shape_effort(struct vector *values, enum field field)
{
	if (vector_is_set(values, field) && vector_get(values, field, 0) <= 0)
		vector_clear(values, field);
}

static void shape_subject(struct vector *values)
{
	const char *subject = vector_str(values, FIELD_subject);
	char *cut;

	if (!subject || strlen(subject) <= SUBJECT_MAX_CHARS)
		return;
	cut = mem_strdup(values, subject);
	cut[text_prefix_chars(cut, SUBJECT_MAX_CHARS)] = '\0';
	vector_text(values, FIELD_subject, cut);
	talloc_free(cut);
}

void vtodo_shape(struct vector *values)
{
	for (int i = 0; i < FIELDS; i++)
		if (!field_table[i].vtodo)
			values->value[i].presence = ABSENT;
	carried_texts(values);
	shape_instant(values, FIELD_start);
	shape_instant(values, FIELD_due);
	shape_instant(values, FIELD_completed_at);
	shape_start(values);
	shape_progress(values);
	shape_priority(values);
	shape_effort(values, FIELD_total_work);
	shape_effort(values, FIELD_actual_work);
	shape_subject(values);
}

struct vector *vtodo_normal(TALLOC_CTX *mem, const struct vector *values)
{
	struct vector *normal = vector_view(mem, values);

	vtodo_shape(normal);
	normal->value[FIELD_actual_work].presence = ABSENT;
	return normal;
}

/* The decision */

struct decision {
	struct vector *want; /* normal values */
	bool touch[FIELDS];
};

static bool given(const struct vector *values, enum field field)
{
	return values->value[field].presence != ABSENT;
}

static bool differ(enum field field, const struct vector *a, const struct vector *b)
{
	return !value_same(field, &a->value[field], &b->value[field]);
}

/* P3: a date that means what the item says already is the item's. */
static void merge_dates(struct vector *merged, const struct vector *seen)
{
	bool keep_start = !differ(FIELD_start, merged, seen),
	     keep_due = !differ(FIELD_due, merged, seen);

	if (keep_start)
		vector_put(merged, FIELD_start, &seen->value[FIELD_start]);
	if (keep_due)
		vector_put(merged, FIELD_due, &seen->value[FIELD_due]);
	if (keep_start && !keep_due && vector_is_set(merged, FIELD_start) &&
	    vector_is_set(merged, FIELD_due))
		adapt(&merged->value[FIELD_due], merged->value[FIELD_start].when.kind, LAST_SECOND);
}

static void decide_dates(struct decision *decision, const struct vector *merged,
			 const struct vector *seen, bool recurs)
{
	bool *start = &decision->touch[FIELD_start], *due = &decision->touch[FIELD_due];

	*due = *due && !recurs;
	*start = !recurs && (*due || differ(FIELD_start, merged, seen)) &&
		 differ(FIELD_start, decision->want, seen);
}

/* VALUES over SEEN: the coupled fields that are not given are taken from the item. */
static void decide(TALLOC_CTX *mem, const struct vector *values, const struct vector *seen,
		   bool recurs, struct decision *decision_r)
{
	static const enum field coupled[] = { FIELD_start, FIELD_due, FIELD_status,
					      FIELD_completed_at };
	struct vector *merged = vector_copy(mem, values);

	for (size_t i = 0; i < COUNT_OF(coupled); i++)
		if (!given(values, coupled[i]))
			vector_put(merged, coupled[i], &seen->value[coupled[i]]);
	merge_dates(merged, seen);
	*decision_r = (struct decision){ .want = vector_view(mem, merged) };
	vtodo_shape(decision_r->want);
	for (int i = 0; i < FIELDS; i++) {
		enum field field = (enum field)i;

		decision_r->touch[i] = field_table[i].vtodo && i != FIELD_attachments &&
				       given(values, field) &&
				       differ(field, decision_r->want, seen);
	}
	decide_dates(decision_r, merged, seen, recurs);
	if (given(values, FIELD_status)) /* P4 */
		decision_r->touch[FIELD_completed_at] =
			differ(FIELD_completed_at, decision_r->want, seen);
}

bool vtodo_same(const struct vector *values, const struct vector *seen)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	/* A date that is not there is cleared. Where neither could be read the item recurs, as far
	 * as a vector tells. */
	bool recurs = !given(seen, FIELD_start) && !given(seen, FIELD_due), same = true;
	struct decision decision;

	decide(mem, values, seen, recurs, &decision);
	for (int i = 0; i < FIELDS; i++)
		if (i != FIELD_actual_work && decision.touch[i])
			same = false;
	talloc_free(mem);
	return same;
}

/* The edit */

struct patch {
	TALLOC_CTX *mem;
	const struct vtodo_item *item;
	const struct vtodo_publish *publish;
	struct vtodo_seen seen;
	struct decision decision;
	struct icaltext_edit *edit;
};

static const struct icaltext_line *next_line(const struct patch *patch, const char *name,
					     const struct icaltext_line *line)
{
	bool parents = strcasecmp(name, field_table[FIELD_parent].vtodo) == 0;

	do
		line = icaltext_find(patch->item->ical, patch->item->todo, name, line);
	while (line && parents && !vtodo_is_parent(patch->mem, line));
	return line;
}

static void delete_all(struct patch *patch, const char *name, const struct icaltext_line *line)
{
	while ((line = next_line(patch, name, line)))
		icaltext_delete(patch->edit, line);
}

/* P5. Parameters that a new value would make untrue go; all others stay. SAID: as of
 * vtodo_encode_field(), NULL: the property goes. */
static void put(struct patch *patch, const char *name, const char *said)
{
	static const char *const untrue[] = { "VALUE",   "TZID",   "ENCODING", "QUOTED-PRINTABLE",
					      "CHARSET", "ALTREP", "DERIVED",  "RELTYPE",
					      NULL };
	const struct icaltext_line *line = next_line(patch, name, NULL);
	size_t params = said ? strcspn(said, ":") : 0;

	if (!said) {
		delete_all(patch, name, NULL);
		return;
	}
	if (!line) {
		icaltext_insert(patch->edit, patch->item->todo,
				mem_join(patch->mem, name, said, NULL));
		return;
	}
	icaltext_replace(patch->edit, line,
			 mem_printf(patch->mem, "%s%.*s%s%s", line->name, (int)params, said,
				    icaltext_params_without(patch->mem, line, untrue),
				    said + params));
	delete_all(patch, name, line);
}

static void put_field(struct patch *patch, enum field field)
{
	struct buf *said = buf_new(patch->mem);
	bool has = vtodo_encode_field(said, field, &patch->decision.want->value[field]);

	put(patch, field_table[field].vtodo, has ? said->data : NULL);
}

static bool has(const struct patch *patch, const char *name)
{
	return icaltext_find(patch->item->ical, patch->item->todo, name, NULL);
}

/* P3, as far as only the text tells: DURATION, and a whole day that is written as 23:59:59. */
static void agree_dates(struct patch *patch)
{
	struct vector *want = patch->decision.want;
	bool *start = &patch->decision.touch[FIELD_start], *due = &patch->decision.touch[FIELD_due];

	if (*start && has(patch, "DURATION") && !has(patch, "DUE"))
		*due = vector_is_set(want, FIELD_due); /* it would move with DTSTART */
	if (*due)
		delete_all(patch, "DURATION", NULL);
	else if (*start && vector_is_set(want, FIELD_start) && vector_is_set(want, FIELD_due))
		adapt(&want->value[FIELD_start], patch->seen.due_written, 0);
}

static void patch_description(struct patch *patch)
{
	const struct vector *from = given(patch->publish->values, FIELD_notes)
					    ? patch->decision.want
					    : patch->seen.vtodo->values;
	char *text = vtodo_encode_description(patch->mem, vector_str(from, FIELD_notes),
					      patch->publish->trailer);
	struct value want = { .presence = SET, .text = text };
	struct value seen = { .presence = SET, .text = patch->seen.vtodo->description };
	struct buf *said = buf_new_sized(patch->mem, strlen(text));

	if (value_same(FIELD_notes, &want, &seen))
		return;
	delete_all(patch, "X-ALT-DESC", NULL);
	buf_putc(said, ':');
	vtodo_text_put(said, text);
	put(patch, field_table[FIELD_notes].vtodo, *text ? said->data : NULL);
}

/* P6 */
static void patch_head(struct patch *patch)
{
	struct buf *now = buf_new(patch->mem), *edition = buf_new(patch->mem);

	buf_putc(now, ':');
	vtodo_encode_stamp(now, patch->publish->now_us);
	put(patch, "DTSTAMP", now->data);
	put(patch, "LAST-MODIFIED", now->data);
	buf_putc(edition, ':');
	vtodo_encode_edition(edition, patch->publish);
	if (patch->publish->edition)
		put(patch, VTODO_EDITION, edition->data);
}

static void patch_item(struct patch *patch)
{
	struct vector *seen = vector_copy(patch->mem, patch->seen.vtodo->values);

	seen->value[FIELD_actual_work] = patch->seen.actual_work;
	decide(patch->mem, patch->publish->values, seen, patch->seen.vtodo->recurring,
	       &patch->decision);
	agree_dates(patch);
	patch_head(patch);
	for (int i = 0; i < FIELDS; i++)
		if (patch->decision.touch[i] && i != FIELD_notes)
			put_field(patch, (enum field)i);
	patch_description(patch);
	vtodo_files_patch(patch->mem, patch->item, patch->publish, patch->edit);
}

static struct fault *patch_text(TALLOC_CTX *tmp, TALLOC_CTX *mem, const char *text, size_t len,
				const struct vtodo_publish *publish, char **text_r, size_t *len_r)
{
	struct patch patch = { .mem = tmp, .publish = publish };
	struct vtodo_item item;
	char *last = vtodo_encode_description(tmp, NULL, publish->trailer);

	FAULT_TRY(vtodo_open(tmp, text, len, &item));
	patch.item = &item;
	patch.edit = icaltext_edit_new(tmp, item.ical);
	vtodo_decode_item(tmp, &item, *last ? last : NULL, &patch.seen);
	patch_item(&patch);
	FAULT_TRY(icaltext_apply(tmp, patch.edit, &vtodo_limits, text_r, len_r));
	talloc_steal(mem, *text_r);
	return NULL;
}

struct fault *vtodo_patch(TALLOC_CTX *mem, const char *text, size_t len,
			  const struct vtodo_publish *publish, char **text_r, size_t *len_r)
{
	TALLOC_CTX *tmp = MEM_CONTEXT(mem);
	struct fault *fault = patch_text(tmp, mem, text, len, publish, text_r, len_r);

	if (fault)
		talloc_steal(mem, fault);
	talloc_free(tmp);
	return fault;
}
