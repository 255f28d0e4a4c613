/* star.h - the star by which an open task draws attention when it is due ([gestures] flag_due).
 *
 * Given once for each due date, so that a person who takes it away is left in peace; taken away when
 * the task is done or due on another day.
 */
#ifndef TASKFERRY_STAR_H
#define TASKFERRY_STAR_H

#include "model/vector.h"

#define STAR_MARK "\\Flagged"

struct star_input {
	int64_t before_us; /* how long before the end of the day on which it is due; 0: never */
	const struct vector *want; /* what the item shows */
	const char *starred;       /* the due date that it was given a star for; NULL: none */
	int64_t now_us;
};

struct star {
	enum { STAR_STAYS, STAR_ADD, STAR_DROP } what;
	const char *starred; /* what `starred` is then; NULL: none */
};

/* Pure, but for the site's time zone. */
struct star star_decide(TALLOC_CTX *mem, const struct star_input *input);

#endif
