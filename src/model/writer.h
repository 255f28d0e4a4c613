/* writer.h - the clients that write items, known by their PRODID: what each one edits, and what it
 * writes by itself.
 *
 * One table; the decoder, the reading of gestures, the tests and the manual take it from here. What
 * clients do in general stands in habit.h.
 */
#ifndef TASKFERRY_WRITER_H
#define TASKFERRY_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "model/field.h"

#define WRITER_PARTS_MAX 2 /* names of one writer in PRODIDs */

/* A set of fields. */
#define WRITER_BIT(field) (UINT32_C(1) << (field))
_Static_assert(FIELDS <= 32, "a set of fields is one word");

struct writer {
	const char *name;                     /* as people know it */
	const char *prodid[WRITER_PARTS_MAX]; /* parts of its PRODID; NULL: none */
	/* Fields that it clears by taking the property away. What else is missing was dropped by a
	 * program that does not know it, and nobody meant anything by it. */
	uint32_t clears;
	int started, reopened; /* percentages that it invents when a task is begun, or opened again
				  after it was done; 0: none (0 itself is anybody's invention) */
	bool keeps_prodid;     /* leaves the PRODID of an item that it did not make */
	bool start_is_due;     /* writes DTSTART = DUE where only a due date was chosen */
	bool rolls_up;         /* computes a parent's progress from the tasks below it */
};

/* In the order of looking; the last rows are for whoever is not known. */
extern const struct writer writer_table[];
extern const size_t writer_count;

/* The writer of PRODID (or NULL). Of one that is not known, EDITED_IN_PLACE tells which row holds:
 * an item that still bears what only taskferry writes was edited in place, so what is missing was
 * taken away; one that lost it was made anew. Never NULL. */
const struct writer *writer_find(const char *prodid, bool edited_in_place);

bool writer_clears(const struct writer *writer, enum field field);

/* True when PERCENT beside a change of status is the client's number, not the person's. REOPENED:
 * the task was done. Also the numbers of clients that keep the PRODID of others. */
bool writer_invents(const struct writer *writer, int64_t percent, bool reopened);

#endif
