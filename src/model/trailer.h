/* trailer.h - the generated part of an item's description, and how it is told from the person's
 * notes.
 *
 * An item's description is: the notes, a blank line, the separator line, the trailer's lines, each
 * behind a mark:
 *
 *     Called them, waiting for an answer.
 *
 *     --- taskferry ---
 *     | Project: Harbour
 *     | Work: 3 h of 12 h
 *     | Tick it off or set the percentage; write notes above the line.
 *
 * Both kinds of item (VTODO and message) use it. A trailer never becomes notes and never piles up,
 * whatever a client does to it: the marks tell its lines from a person's even where another edition
 * of it comes back, and the last text that we wrote tells where the separator was lost or the lines
 * were wrapped anew.
 */
#ifndef TASKFERRY_TRAILER_H
#define TASKFERRY_TRAILER_H

#include "model/vector.h"

/* The separator line. Also what clients leave of it is accepted: fewer dashes, long ones, none on
 * one side. */
#define TRAILER_SEPARATOR "--- taskferry ---"

/* What stands before each line of a trailer in a description. */
#define TRAILER_MARK "|"

/* The standard sentence at a trailer's end. */
#define TRAILER_HOW_TO_REPORT "Tick it off or set the percentage; write notes above the line."

/* How work is booked. The quotation mark keeps the example from being one where a client breaks the
 * line. */
#define TRAILER_HINT_WORK                                                                          \
	"Work is booked by a line of its own in the notes, for example \"+2h review\"."

/* Bounds, so that a description stays far below the longest line that readers of VTODO take (64
 * KiB): code points of the project's own description, of any other line; predecessors named. */
#define TRAILER_DESCRIPTION_MAX_CHARS 4000
#define TRAILER_LINE_MAX_CHARS 500
#define TRAILER_PREDECESSORS_MAX 20

/* What a trailer tells. All may be NULL or empty. */
struct trailer {
	const struct vector *values; /* description, actual_work, total_work, deadline, milestone */
	const char *project;         /* the project's name */
	const char *predecessors;    /* subjects, one a line */
	const char *outcomes;        /* what became of values of the person, one a line */
	const char *files;           /* attachments that the item does not show, one a line */
	const char *remark;          /* of rules on the last report */
	const char *hint;            /* a line in front of how_to_report, or NULL */
	const char *how_to_report;   /* NULL: the standard sentence */
};

/* The trailer's lines, each ended by a newline, without marks; deterministic. */
char *trailer_text(TALLOC_CTX *mem, const struct trailer *trailer);

/* NOTES and TRAILER (of trailer_text(), or "") as one description, without a newline at the end.
 * Empty notes: the separator comes first. A separator that a person wrote into the notes is escaped
 * by a backslash, so that trailer_split() of the result gives the notes back but for CR and for
 * white space at the end. */
char *trailer_join(TALLOC_CTX *mem, const char *notes, const char *trailer);

/* What trailer_split() gives back of NOTES that were joined with a trailer. */
char *trailer_notes(TALLOC_CTX *mem, const char *notes);

/* The person's notes in DESCRIPTION, with LF only and without blank lines and blanks at the end; ""
 * when there are none (NULL counts as ""). LAST is the description that we wrote last (whole), or
 * NULL.
 *
 * What stands above the first separator is notes. Below it, lines that bear the mark and lines of
 * LAST's trailer are dropped, also when wrapped anew; what a person wrote there, between two lines
 * or at the end of one, is kept. Where no separator is left, LAST's trailer, its lines, and a
 * marked block that ends with the standard sentence are dropped; all else is notes. */
char *trailer_split(TALLOC_CTX *mem, const char *description, const char *last);

#endif
