/* when.h - dates and instants, never a bare time_t.
 *
 * A date is a day of the calendar without a zone. An instant is a point in time (microseconds UTC)
 * with the name of the zone in which somebody thought of it. The site has one time zone ([site]
 * timezone); main makes it the process' zone by zone_use(), once, before any thread starts, and all
 * local conversions go through the C library.
 */
#ifndef TASKFERRY_WHEN_H
#define TASKFERRY_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"

enum when_kind { WHEN_DATE, WHEN_INSTANT };

struct when {
	enum when_kind kind;
	int32_t day;      /* WHEN_DATE: days since 1970-01-01 */
	int64_t us;       /* WHEN_INSTANT: microseconds since 1970-01-01T00:00:00Z */
	const char *zone; /* WHEN_INSTANT: an IANA name, "UTC", or NULL when not known; never
			     decides equality */
	int32_t wall_day; /* WHEN_INSTANT: the date in the zone in which it was written, when that
			     need not be the site's; 0 when not known */
};

/* Years that we take seriously; everything outside is bad data. */
#define WHEN_YEAR_MIN 1900
#define WHEN_YEAR_MAX 2999

/* Both stay within those years: what lies outside becomes the nearest value inside, so that every
 * value can be written and read again. ZONE is not copied. */
struct when when_date(int32_t day);
struct when when_instant(int64_t us, const char *zone);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. False: no such
 * day, or out of the years above; *DAY_R untouched. */
bool when_day_from_civil(int year, int month, int day, int32_t *day_r);
void when_day_to_civil(int32_t day, int *year_r, int *month_r, int *day_r);

/* True when both mean the same. A date and an instant are never equal here; see when_on_day(). */
bool when_equal(const struct when *a, const struct when *b);

/* The local date, in the site's zone, of either kind. */
int32_t when_local_day(const struct when *when);

/* True when a program that was given the date DAY may have made WHEN of it: the date itself, an
 * instant of that day in the site's zone or in the one that it was written in, or midnight UTC of
 * it (clients that put a date into a time of day, wherever they stand). */
bool when_on_day(const struct when *when, int32_t day);

/* An instant from local wall time in the site's zone; a time that a clock change skips is moved
 * forward by what was skipped, of one that it repeats the first is taken (RFC 5545 section 3.3.5).
 * Hour 24 is the next day's 0. ZONE is not copied. */
struct when when_from_local(int32_t day, int hour, int minute, int second, const char *zone);

/* Orders two values; a date stands at its local midnight. <0, 0, >0. */
int when_compare(const struct when *a, const struct when *b);

/* Text as in our JSON: "2026-11-21", "2026-11-21T08:00:00Z" (fraction only where there is one). The
 * zone is lost. */
void when_put(struct buf *buf, const struct when *when);
char *when_text(TALLOC_CTX *mem, const struct when *when);

/* Reads "2026-11-21", RFC 3339 with Z or an offset, or local "2026-11-21T08:00[:00]" (site zone).
 * White space around, a blank for the T, one digit for month, day or hour are taken; a day that is
 * not in the calendar, a time that is not on the clock or a year outside of those above is a DATA
 * fault. The zone is "UTC", NULL (offset), or the site's, owned by MEM. */
struct fault *when_parse(TALLOC_CTX *mem, const char *text, struct when *when_r) ATTR_MUST_CHECK;

/* Makes NAME ("Europe/Berlin", "UTC") the process' zone. DATA fault when the system's zone
 * database, below which NAME is looked up, has no such zone. */
struct fault *zone_use(TALLOC_CTX *mem, const char *name) ATTR_MUST_CHECK;

#endif
