/* stale.h - which past state of an item a person edited (M4).
 *
 * Some clients write a whole object that they kept from before our last push, without a condition,
 * with one edit of their own in it. Compared with what stood there a moment ago, everything that we
 * had pushed would look as if the person had taken it back. So the base of the comparison is the
 * state that the writer had: the item names it by its edition; where the writer dropped that, it is
 * looked for in the history of what both sides agreed on.
 */
#ifndef TASKFERRY_STALE_H
#define TASKFERRY_STALE_H

#include "model/vector.h"

/* One agreed state: what was published, or an item as it was read when a person's edit of it was
 * decided. */
struct stale_step {
	int64_t edition; /* that the item carried then */
	bool pushed;     /* published by us */
	const struct vector *values;
};

struct stale_input {
	const struct vector *seen; /* as read last */
	int64_t seen_edition;      /* that it carries; 0: none */
	const struct vector *item; /* as read now */
	int64_t item_edition;
	const struct stale_step *steps; /* oldest first; the last is the newest agreement */
	size_t count;
};

enum stale {
	STALE_NOT,   /* an edit of `seen` */
	STALE_NAMED, /* an edit of an older edition, which the item names: its state when the next
			  one took its place, or an earlier one that it shows exactly */
	STALE_GUESSED, /* the item names none that we know, and what it does not show as `seen` does is
			  as it was before one of our pushes */
	STALES
};

struct stale_verdict {
	enum stale kind;
	const struct vector *base; /* the state that was edited: one of the input's vectors */
	const struct vector
		*other; /* what else may have been edited, where that is not certain: what
				       the item has like BASE and unlike this may be an edit, too; NULL */
};

/* Coupled fields count as one thing here.
 *
 * An item with the edition of `seen` is an edit of `seen`, also where it returns to an old value.
 * One that names an older edition of the history is an edit of that one: of the state that it shows
 * exactly, else of its last. Of any other, an old state is the base when the item shows no thing
 * that has changed since as `seen` does, at least one of them as that state had it and as we pushed
 * it over, and more than one thing speaks for it: two that returned, or an edit beside. So a lone
 * return to an old value is an edit. Of several such states the one counts that the item differs
 * least from, of equals the newest. Pure. */
struct stale_verdict stale_judge(const struct stale_input *input);

#endif
