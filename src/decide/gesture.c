/* gesture.c - one function per thing that can have changed; see the delta rule in doc/decisions.md.
 */
#include "config.h"

#include "decide/gesture.h"

#include "model/writer.h"

static enum status agreed_status(const struct gesture_input *in)
{
	return (enum status)vector_get(in->agreed, FIELD_status, STATUS_NEEDS_ACTION);
}

/* Who leaves the PRODID of others on an item is not known, so their numbers are nobody's
 * measurement; the numbers of all others are, wherever they were not written by them (N1). */
static bool is_invented(const struct gesture_input *in, int64_t percent)
{
	/* reopened by what the project says now, or by what the item showed */
	bool reopened = !in->seen || agreed_status(in) == STATUS_COMPLETED ||
			vector_get(in->seen, FIELD_status, STATUS_NEEDS_ACTION) == STATUS_COMPLETED;

	return writer_invents(writer_find(in->writer, true), percent, reopened);
}

static bool changed(const struct gesture_input *in, enum field field)
{
	return in->now->value[field].presence != ABSENT &&
	       !value_same(field, &in->seen->value[field], &in->now->value[field]);
}

static bool in_range(int64_t percent)
{
	return percent >= 0 && percent <= 100;
}

static void set_done(struct vector *out, const struct gesture_input *in)
{
	vector_number(out, FIELD_status, STATUS_COMPLETED);
	vector_number(out, FIELD_percent, 100);
	if (!vector_is_set(out, FIELD_completed_at))
		vector_when(out, FIELD_completed_at, when_instant(in->changed_us, "UTC"));
}

static void set_open(struct vector *out, int64_t percent)
{
	vector_number(out, FIELD_status, percent > 0 ? STATUS_IN_PROCESS : STATUS_NEEDS_ACTION);
	vector_number(out, FIELD_percent, percent);
	vector_clear(out, FIELD_completed_at);
}

/* Un-checked or started: the number that stands counts only when the person wrote it and it is none
 * of the invented. */
static int64_t open_percent(const struct gesture_input *in)
{
	int64_t percent = vector_get(in->now, FIELD_percent, 0);

	if (changed(in, FIELD_percent) && in_range(percent) && percent < 100 &&
	    !is_invented(in, percent))
		return percent;
	return in->own_percent < 100 && in->own_percent > 0 ? in->own_percent : 0;
}

static void by_status(struct vector *out, const struct gesture_input *in)
{
	enum status status = (enum status)vector_get(in->now, FIELD_status, STATUS_NEEDS_ACTION);
	int64_t percent = vector_get(in->now, FIELD_percent, 0);

	switch (status) {
	case STATUS_COMPLETED:
		set_done(out, in);
		break;
	case STATUS_CANCELLED:
		vector_put(out, FIELD_percent, &in->agreed->value[FIELD_percent]);
		vector_clear(out, FIELD_completed_at);
		break;
	case STATUS_IN_PROCESS:
		set_open(out, open_percent(in));
		vector_number(out, FIELD_status, STATUS_IN_PROCESS);
		break;
	default:
		/* from done: an un-check; from started: back to the beginning, unless a number was
		 * written with it */
		if (agreed_status(in) == STATUS_COMPLETED || agreed_status(in) == STATUS_CANCELLED)
			set_open(out, open_percent(in));
		else
			set_open(out,
				 changed(in, FIELD_percent) && in_range(percent) && percent < 100
					 ? percent
					 : 0);
		break;
	}
}

static void by_percent(struct vector *out, const struct gesture_input *in)
{
	int64_t percent = vector_get(in->now, FIELD_percent, 0);

	if (percent == 100)
		set_done(out, in);
	else if (in_range(percent))
		set_open(out, percent);
}

static void by_date(struct vector *out, const struct gesture_input *in)
{
	if (vector_is_set(in->now, FIELD_completed_at))
		set_done(out, in);
	else if (agreed_status(in) == STATUS_COMPLETED)
		set_open(out, open_percent(in));
}

/* A client that has no status for "done" takes away what stood there and writes the date. */
static bool is_ticked_by_date(const struct gesture_input *in)
{
	return !vector_is_set(in->now, FIELD_status) && changed(in, FIELD_completed_at) &&
	       vector_is_set(in->now, FIELD_completed_at) && agreed_status(in) != STATUS_COMPLETED;
}

/* Nothing changed: as it was read last time, so that a client's own spelling never counts as an
 * edit. */
static void by_nothing(struct vector *out, const struct gesture_input *in)
{
	static const enum field coupled[] = { FIELD_status, FIELD_percent, FIELD_completed_at };

	for (size_t i = 0; i < COUNT_OF(coupled); i++)
		vector_put(out, coupled[i], &in->seen->value[coupled[i]]);
}

static bool says_nothing(const struct vector *now)
{
	return now->value[FIELD_status].presence == ABSENT &&
	       now->value[FIELD_percent].presence == ABSENT &&
	       now->value[FIELD_completed_at].presence == ABSENT;
}

/* Without a past: 100 per cent is done whatever the status says, a date only where there is no
 * status. */
static void by_itself(struct vector *out, const struct gesture_input *in)
{
	int64_t percent = vector_get(in->now, FIELD_percent, 0);
	int64_t status = vector_get(in->now, FIELD_status, -1);
	bool date_says_done = status < 0 && vector_is_set(in->now, FIELD_completed_at);

	if (status == STATUS_CANCELLED || says_nothing(in->now))
		return;
	if (status == STATUS_COMPLETED || percent == 100 || date_says_done) {
		set_done(out, in);
	} else if (in_range(percent)) {
		set_open(out, percent);
		if (status == STATUS_IN_PROCESS)
			vector_number(out, FIELD_status, STATUS_IN_PROCESS);
	}
}

/* The number as written, for a rule to judge. A status that a client flipped along with it (to
 * IN-PROCESS, mostly) is not what the person meant to say: the number decides. */
static void by_impossible(struct vector *out, const struct gesture_input *in)
{
	if (vector_get(in->now, FIELD_status, STATUS_NEEDS_ACTION) == STATUS_COMPLETED)
		return;
	vector_put(out, FIELD_status, &in->agreed->value[FIELD_status]);
	vector_put(out, FIELD_completed_at, &in->agreed->value[FIELD_completed_at]);
}

struct vector *gesture_read(TALLOC_CTX *mem, const struct gesture_input *input)
{
	struct vector *out = vector_copy(mem, input->now);
	int64_t percent = vector_get(input->now, FIELD_percent, 0);

	if (!input->seen)
		by_itself(out, input);
	else if (changed(input, FIELD_percent) && !in_range(percent))
		by_impossible(out, input);
	else if (changed(input, FIELD_status) && !is_ticked_by_date(input))
		by_status(out, input);
	else if (changed(input, FIELD_percent) && !is_ticked_by_date(input))
		by_percent(out, input);
	else if (changed(input, FIELD_completed_at))
		by_date(out, input);
	else
		by_nothing(out, input);
	return out;
}

void gesture_drop_computed(struct vector *now, const struct vector *project, const char *writer)
{
	if (!vector_get(project, FIELD_summary, 0) || !writer_find(writer, true)->rolls_up)
		return;
	for (int f = 0; f < FIELDS; f++)
		if (field_table[f].merge == MERGE_COUPLED)
			now->value[f].presence = ABSENT;
}

bool gesture_leaves(const struct gesture_input *input, const struct vector *read, enum field field)
{
	int64_t percent = vector_get(input->now, FIELD_percent, 0);

	if (!vector_is_set(input->now, field) || (input->seen && !changed(input, field)))
		return false;
	/* Endeavour writes one when a task is opened again */
	if (field == FIELD_completed_at)
		return input->seen && !vector_is_set(read, field) &&
		       vector_get(input->seen, FIELD_status, 0) != STATUS_COMPLETED;
	return field == FIELD_percent && percent > 0 && !is_invented(input, percent) &&
	       !value_same(field, &input->now->value[field], &read->value[field]);
}
