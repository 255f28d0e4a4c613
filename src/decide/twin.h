/* twin.h - a second item of one assignment in one folder: which of the two stands (M7).
 *
 * Where a text never changes in its place (messages), two items of one assignment stand side by
 * side after every replacement for a moment, after an edit in place by a mail client, after a
 * crash, and when an answer was lost and the write lands late. The highest edition stays, of one
 * edition the later arrival; whatever a person wrote into the other is merged before it is removed.
 */
#ifndef TASKFERRY_TWIN_H
#define TASKFERRY_TWIN_H

#include <stdbool.h>
#include <stdint.h>

enum twin {
	TWIN_TAKE,  /* the found one is the item from now on; the one known until now is removed */
	TWIN_MERGE, /* the known one stays; the found one's edits are merged, then it is removed */
	TWINS
};

/* KNOWN: the edition that the item we know carries; FOUND: the other's, 0 when it carries none
 * (then it counts as KNOWN's); LATER: the other arrived later; GONE: the one we know is not there
 * any more. Pure. */
enum twin twin_decide(int64_t known, int64_t found, bool later, bool gone);

#endif
