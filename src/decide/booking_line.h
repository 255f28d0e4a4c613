/* booking_line.h - work as people write it into notes and titles. Strict, so that prose is never
 * taken for work: ASCII digits only, at least a minute and at most a day in one line. Pure.
 *
 *     +3h review      + AMOUNT [text]
 *     Work: 1.5 h     work: AMOUNT [text]
 *     2026-03-02 1:30 text     DATE AMOUNT [text]
 *
 * AMOUNT is `3h`, `1,5 h`, `90 min`, `45m`, `1h 30m` or `1:30`. Without a sign or a key in front
 * of it the hours of `1:30` have one digit: `14:30` and `09:30` are times of day.
 */
#ifndef TASKFERRY_BOOKING_LINE_H
#define TASKFERRY_BOOKING_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define BOOKING_LINE_MAX 1000    /* bytes: what is longer is prose */
#define BOOKING_MINUTES_MAX 1440 /* a day has no more; what is more is a slip */

/* Stands, with a blank behind it, in front of a line that is booked. */
#define BOOKING_MARK "\xe2\x9c\x93" /* U+2713, a check mark */

struct booking_line {
	bool marked, has_day;
	int32_t day; /* since 1970-01-01, where the line says one */
	int64_t minutes;
	const char *text; /* the comment, inside the line; TEXT_LEN may be 0 */
	size_t text_len;
};

/* A line of notes, without its newline. */
bool booking_line_read(const char *line, size_t len, struct booking_line *line_r);

/* What the line says, however it is spelt: "2026-03-02 90 text", "180 review". */
char *booking_line_canonical(TALLOC_CTX *mem, const struct booking_line *line);

/* A title that ends in a blank, `+`, and an amount with a unit: *CUT_R is the length of the title
 * in front of the blank. The title's first LEN bytes are looked at. */
bool booking_line_suffix(const char *title, size_t len, size_t *cut_r, int64_t *minutes_r);

/* The title of a small task that is nothing but work: an amount, with or without `+`, then text.
 * *TEXT_R stands inside the title. */
bool booking_line_title(const char *title, int64_t *minutes_r, const char **text_r);

#endif
