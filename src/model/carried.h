/* carried.h - texts as an item can carry them.
 *
 * A project's value may hold what does not come back from an item to the byte: control characters and
 * what is not UTF-8 (U+FFFD is read there), a CR, white space at the end of notes. What is published,
 * its hash, and what an item is compared with are therefore made of the text that comes back; the
 * project's value itself is not touched, and stays as it is where nobody edits the item.
 */
#ifndef TASKFERRY_CARRIED_H
#define TASKFERRY_CARRIED_H

#include "model/vector.h"

/* Makes the texts and lists of VALUES what an item gives back of them; a text of which nothing is left
 * is cleared. Those that come back as they are, nearly all, are not copied. Said again it changes
 * nothing. */
void carried_texts(struct vector *values);

#endif
