/* card.h - vector <-> card: the text of a message that people read and may edit.
 *
 *     Task: Paint the fence
 *     Status: in process
 *     Percent: 40
 *     Start: 2026-12-01
 *     Due: 2026-12-04
 *     Priority: high
 *     Categories: outside, paint
 *     Total work: 12 h
 *     Completed: -
 *
 *     Notes of the person, any number of lines.
 *
 *     --- taskferry ---
 *     | Project: Harbour
 *     | ...                        (model/trailer.h)
 *
 * The key block ends at the first blank line; behind it stand notes and trailer, as in the
 * description of a VTODO. Keys are those of the field table (card column) of fields that items
 * carry (OWNER_BOTH with a VTODO property) but notes, which has no key; read without regard to
 * case, blanks and order. So that people see what they can set, Task, Status, Percent and Due are
 * written also when they have no value ("-", "not started", "0", "-"); what no person would fill in
 * is left out then: Start, Priority, Categories, Total work, Completed.
 */
#ifndef TASKFERRY_CARD_H
#define TASKFERRY_CARD_H

#include "model/trailer.h"
#include "model/vector.h"

#define CARD_LINE_MAX_CHARS 2000 /* of a key line; longer ones count as notes */

/* What was read. A key that is not there is absent; one with an empty value or "-" is cleared; a
 * value that is not understood is absent and named in `problems`, and its line becomes notes, so
 * that it is not lost; so does every line of the block that is no key line ("+2h review"). Status,
 * percent, dates are read leniently: "done", "Done", "completed", "started", "40", "40 %", "40%",
 * "2026-12-01", "2026-12-01 14:00" (the site's zone), "12 h", "90 min"; "1.12.2026" is not (it is
 * ambiguous), nor "1d 4h" (the length of a day is configuration). */
struct card {
	struct vector *values; /* subject ... notes; notes always set or cleared */
	const char **problems;
	size_t problem_count;
};

/* The card of VALUES (an absent field is not written), with the trailer's lines (trailer_text(), or
 * NULL). Dates are the site's local ones; an instant with a time of day has it. LF; well-formed
 * UTF-8 without control characters; deterministic. */
char *card_write(TALLOC_CTX *mem, const struct vector *values, const char *trailer);

/* Reads a card. LAST: the card that we wrote last, or NULL: for trailer_split(), for a line that
 * was wrapped on its way, and for a key that stands there twice (the line that differs from LAST
 * counts). Text in front of the key block is notes. Quoted reply prefixes ("> ") are not read here.
 * Never fails: text that is no card is notes. */
struct card *card_read(TALLOC_CTX *mem, const char *text, const char *last);

/* VALUES as far as a card can say them: what card_read() makes of card_write(). That differs from
 * VALUES in form (priorities by bands, no fractions of a second, one blank between words), and a
 * field that a card leaves out is absent. Normal values stay as they are. */
struct vector *card_normal(TALLOC_CTX *mem, const struct vector *values);

#endif
