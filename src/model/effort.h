/* effort.h - work in whole minutes. Hours per day is configuration; a day of effort is never 24
 * hours. */
#ifndef TASKFERRY_EFFORT_H
#define TASKFERRY_EFFORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The largest effort that we take for real: 10,000 person-years of 8 h days. */
#define EFFORT_MAX_MIN (INT64_C(10000) * 260 * 8 * 60)

/* "PT12H30M0S" (ISO 8601 duration of hours, minutes, seconds; also P1DT.. and P1W with 24 h days; a
 * number may have a fraction), rounded to the nearest minute. False: not a duration, negative, or
 * too large; *MINUTES_R untouched. */
bool effort_from_iso(const char *text, int64_t *minutes_r);

/* Adds "PT12H30M", "PT8H"; zero is "PT0M". */
void effort_put_iso(struct buf *out, int64_t minutes);

/* What people write: "90" (minutes), "1.5h", "1,5 h", "2h 30m", "3:15", "2d" (DAY_MIN minutes each;
 * with DAY_MIN 0 days are refused), rounded to the nearest minute. What effort_to_text() writes is
 * read. False, and *MINUTES_R untouched, for anything else, for negative and for too large ones. */
bool effort_from_text(const char *text, int64_t day_min, int64_t *minutes_r);

/* "12 h 30 min", "45 min", "0 h". */
char *effort_to_text(TALLOC_CTX *mem, int64_t minutes);

#endif
