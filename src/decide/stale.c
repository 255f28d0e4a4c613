#include "config.h"

#include "decide/stale.h"

/* What is compared: a field that items carry; coupled ones are one, counted at the first of them. */
static bool is_compared(enum field field)
{
	return field_table[field].owner == OWNER_BOTH && field_table[field].vtodo;
}

static bool is_coupled(enum field field)
{
	return field_table[field].merge == MERGE_COUPLED;
}

/* Absent values say nothing: a client that drops a property shows neither state. */
static bool differs(enum field field, const struct vector *a, const struct vector *b)
{
	if (a->value[field].presence == ABSENT || b->value[field].presence == ABSENT)
		return false;
	return !value_same(field, &a->value[field], &b->value[field]);
}

/* The same of the thing that FIELD stands for: itself, or all coupled fields. */
static bool thing_differs(enum field field, const struct vector *a, const struct vector *b)
{
	bool any = false;

	if (!is_coupled(field))
		return differs(field, a, b);
	for (int f = 0; f < FIELDS; f++)
		any = any || (is_coupled((enum field)f) && differs((enum field)f, a, b));
	return any;
}

/* True once for each thing that is compared. */
static bool stands_for_thing(enum field field)
{
	if (!is_compared(field))
		return false;
	for (int f = 0; is_coupled(field) && f < (int)field; f++)
		if (is_compared((enum field)f) && is_coupled((enum field)f))
			return false;
	return true;
}

/* A later step brought a difference that was pushed. */
static bool was_pushed_over(const struct stale_input *in, size_t step, enum field field)
{
	for (size_t i = step + 1; i < in->count; i++)
		if (in->steps[i].pushed &&
		    thing_differs(field, in->steps[step].values, in->steps[i].values))
			return true;
	return false;
}

/* How many things the item differs in from that step, -1: it is not the item's base. */
static int distance(const struct stale_input *in, size_t step)
{
	const struct vector *old = in->steps[step].values;
	int returned = 0, edited = 0;
	bool pushed = false;

	for (int f = 0; f < FIELDS; f++) {
		if (!stands_for_thing((enum field)f))
			continue;
		if (thing_differs((enum field)f, old, in->seen)) {
			if (!thing_differs((enum field)f, in->seen, in->item))
				return -1; /* it knows what came later */
			if (thing_differs((enum field)f, old, in->item)) {
				edited++;
				continue;
			}
			returned++;
			pushed = pushed || was_pushed_over(in, step, (enum field)f);
		} else if (thing_differs((enum field)f, old, in->item)) {
			edited++;
		}
	}
	return pushed && returned && returned + edited > 1 ? edited : -1;
}

static bool shows_exactly(const struct vector *item, const struct vector *state)
{
	for (int f = 0; f < FIELDS; f++)
		if (stands_for_thing((enum field)f) && thing_differs((enum field)f, item, state))
			return false;
	return true;
}

static struct stale_verdict named(const struct stale_input *in)
{
	struct stale_verdict out = { .kind = STALE_NOT, .base = in->seen };

	for (size_t i = in->count; i > 0; i--) {
		const struct stale_step *step = &in->steps[i - 1];

		if (step->edition != in->item_edition)
			continue;
		if (out.kind == STALE_NOT) {
			out = (struct stale_verdict){ .kind = STALE_NAMED, .base = step->values };
			if (shows_exactly(in->item, step->values))
				break;
		} else if (shows_exactly(in->item, step->values)) {
			out.other = out.base;
			out.base = step->values;
			break;
		}
	}
	return out;
}

static struct stale_verdict guessed(const struct stale_input *in)
{
	struct stale_verdict out = { .kind = STALE_NOT, .base = in->seen };
	int best = -1;

	for (size_t i = in->count; i > 0; i--) {
		int found = distance(in, i - 1);

		if (found < 0 || (best >= 0 && found >= best))
			continue;
		best = found;
		out = (struct stale_verdict){ .kind = STALE_GUESSED,
					      .base = in->steps[i - 1].values,
					      .other = in->seen };
	}
	return out;
}

struct stale_verdict stale_judge(const struct stale_input *input)
{
	struct stale_verdict verdict = { .kind = STALE_NOT, .base = input->seen };

	if (input->item_edition && input->item_edition == input->seen_edition)
		return verdict;
	if (input->item_edition)
		verdict = named(input);
	return verdict.kind == STALE_NOT ? guessed(input) : verdict;
}
