/* gesture.c - one function per thing that can have changed; see the delta rule in doc/decisions.md.
 */
#include "config.h"

#include "decide/gesture.h"

#include <string.h>

/* Percentages that clients write by themselves when the status flips (besides 0). Some clients keep
 * the PRODID of an item that they did not make, so 1, and 99 at an un-check, are nobody's
 * measurement; 50 is only where the writer is known for it, for elsewhere it was typed by a person
 * (N1). */
static const struct {
	int64_t percent;
	bool unchecked;     /* only when a done task is opened again */
	const char *writer; /* part of the PRODID; NULL: anybody */
} invented[] = {
	{ 1, false, NULL }, /* Nextcloud Tasks, jtx Board */
	{ 99, true, NULL }, /* Nextcloud Tasks */
	{ 50, false, "Evolution" }, { 50, false, "OpenTasks" }, { 50, false, "org.dmfs" },
};

static enum status agreed_status(const struct gesture_input *in)
{
	return (enum status)vector_get(in->agreed, FIELD_status, STATUS_NEEDS_ACTION);
}

static bool is_invented(const struct gesture_input *in, int64_t percent)
{
	for (size_t i = 0; i < COUNT_OF(invented); i++) {
		if (invented[i].percent != percent)
			continue;
		if (invented[i].unchecked && agreed_status(in) != STATUS_COMPLETED)
			continue;
		if (!invented[i].writer || (in->writer && strstr(in->writer, invented[i].writer)))
			return true;
	}
	return percent == 0;
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

/* Nothing changed: as it was read last time, so that a client's own spelling never counts as an
 * edit. */
static void by_nothing(struct vector *out, const struct gesture_input *in)
{
	static const enum field coupled[] = { FIELD_status, FIELD_percent, FIELD_completed_at };

	for (size_t i = 0; i < COUNT_OF(coupled); i++)
		vector_put(out, coupled[i], &in->seen->value[coupled[i]]);
}

/* Without a past: 100 per cent is done whatever the status says, a date only where there is no
 * status. */
static void by_itself(struct vector *out, const struct gesture_input *in)
{
	int64_t percent = vector_get(in->now, FIELD_percent, 0);
	int64_t status = vector_get(in->now, FIELD_status, -1);
	bool date_says_done = status < 0 && vector_is_set(in->now, FIELD_completed_at);

	if (status == STATUS_CANCELLED)
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
	else if (changed(input, FIELD_status))
		by_status(out, input);
	else if (changed(input, FIELD_percent))
		by_percent(out, input);
	else if (changed(input, FIELD_completed_at))
		by_date(out, input);
	else
		by_nothing(out, input);
	return out;
}
