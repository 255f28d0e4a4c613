#include "config.h"

#include "model/when.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"

/* The calendar is computed here (proleptic Gregorian); only the offset of the site's zone comes
 * from the C library. Local time is turned into an instant by trying the offset that held a day
 * before and the one that holds a day after: no zone is more than 14 hours from UTC, so the two
 * stand on either side of a change, and mktime(), whose answer inside of a change depends on what
 * it was asked before, is not needed.
 *
 *   overlap  both fit        the offset before: the first of the two
 *   gap      neither fits    the offset before: moved forward by the gap (RFC 5545 section 3.3.5)
 */

#define DAY_S INT64_C(86400)
#define MINUTE_S INT64_C(60)

#define DAY_MIN (-25567) /* 1900-01-01 */
#define DAY_MAX 376199   /* 2999-12-31 */
#define US_MIN (DAY_MIN * DAY_S * CLOCK_SECOND_US)
#define US_MAX ((DAY_MAX + 1) * DAY_S * CLOCK_SECOND_US - 1)

static int64_t clamp(int64_t n, int64_t min, int64_t max)
{
	return n < min ? min : n > max ? max : n;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct when when_date(int32_t day)
{
	struct when when = { .kind = WHEN_DATE, .day = (int32_t)clamp(day, DAY_MIN, DAY_MAX) };

	return when;
}

struct when when_instant(int64_t us, const char *zone)
{
	struct when when = { .kind = WHEN_INSTANT, .us = clamp(us, US_MIN, US_MAX), .zone = zone };

	return when;
}

/* Years begin in March, so that the leap day is the last; an era has 400 of them. */
static int64_t civil_to_day(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool when_day_from_civil(int year, int month, int day, int32_t *day_r)
{
	if (year < WHEN_YEAR_MIN || year > WHEN_YEAR_MAX || month < 1 || month > 12)
		return false;
	if (day < 1 || day > month_days(year, month))
		return false;
	*day_r = (int32_t)civil_to_day(year, month, day);
	return true;
}

void when_day_to_civil(int32_t day, int *year_r, int *month_r, int *day_r)
{
	int64_t n = (int64_t)day + 719468;
	int64_t era = floor_div(n, 146097);
	int64_t day_of_era = n - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	*day_r = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month_r = (int)(m < 10 ? m + 3 : m - 9);
	*year_r = (int)(year_of_era + era * 400 + (m >= 10));
}

bool when_equal(const struct when *a, const struct when *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == WHEN_DATE ? a->day == b->day : a->us == b->us;
}

/* The local wall time of T as if it were UTC. */
static int64_t wall_of(int64_t t)
{
	time_t time = (time_t)t;
	struct tm tm;

	if (!localtime_r(&time, &tm))
		return t;
	return civil_to_day(tm.tm_year + INT64_C(1900), tm.tm_mon + 1, tm.tm_mday) * DAY_S +
	       tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

static int64_t offset_at(int64_t t)
{
	return wall_of(t) - t;
}

static int64_t wall_to_time(int64_t wall)
{
	int64_t before = offset_at(wall - DAY_S);
	int64_t after = offset_at(wall + DAY_S);

	if (offset_at(wall - before) != before && offset_at(wall - after) == after)
		return wall - after;
	return wall - before;
}

int32_t when_local_day(const struct when *when)
{
	if (when->kind == WHEN_DATE)
		return when->day;
	return when_date((int32_t)floor_div(wall_of(floor_div(when->us, CLOCK_SECOND_US)), DAY_S))
		.day;
}

bool when_on_day(const struct when *when, int32_t day)
{
	if (when_local_day(when) == day)
		return true;
	if (when->kind != WHEN_INSTANT)
		return false;
	if (when->wall_day && when->wall_day == day)
		return true;
	return floor_div(when->us, MINUTE_S * CLOCK_SECOND_US) * MINUTE_S == day * DAY_S;
}

struct when when_from_local(int32_t day, int hour, int minute, int second, const char *zone)
{
	int64_t wall = (int64_t)day * DAY_S + hour * INT64_C(3600) + minute * INT64_C(60) + second;

	return when_instant(wall_to_time(wall) * CLOCK_SECOND_US, zone);
}

static int64_t point_of(const struct when *when)
{
	if (when->kind == WHEN_INSTANT)
		return when->us;
	return wall_to_time((int64_t)when->day * DAY_S) * CLOCK_SECOND_US;
}

int when_compare(const struct when *a, const struct when *b)
{
	bool dates = a->kind == WHEN_DATE && b->kind == WHEN_DATE;
	int64_t first = dates ? a->day : point_of(a);
	int64_t second = dates ? b->day : point_of(b);

	return (first > second) - (first < second);
}

void when_put(struct buf *buf, const struct when *when)
{
	int year, month, day;

	if (when->kind == WHEN_INSTANT) {
		char *text = clock_rfc3339(NULL, when->us);

		buf_puts(buf, text);
		talloc_free(text);
		return;
	}
	when_day_to_civil(when->day, &year, &month, &day);
	buf_number(buf, year, 4);
	buf_putc(buf, '-');
	buf_number(buf, month, 2);
	buf_putc(buf, '-');
	buf_number(buf, day, 2);
}

char *when_text(TALLOC_CTX *mem, const struct when *when)
{
	struct buf buf = buf_of(mem, sizeof "2026-11-21");

	when_put(&buf, when);
	return buf.data;
}

/* Reading: a cursor that moves over what fits. */

static bool take(const char **text, const char *any)
{
	if (!**text || !strchr(any, **text))
		return false;
	(*text)++;
	return true;
}

/* A number of MIN to MAX digits. */
static bool take_number(const char **text, int min, int max, int *number_r)
{
	const char *c = *text;
	int number = 0;

	while (c - *text < max && *c >= '0' && *c <= '9')
		number = number * 10 + (*c++ - '0');
	if (c - *text < min)
		return false;
	*text = c;
	*number_r = number;
	return true;
}

static void skip_blanks(const char **text)
{
	while (**text && strchr(" \t\r\n", **text))
		(*text)++;
}

static bool take_date(const char **text, int32_t *day_r)
{
	int year, month, day;

	if (!take_number(text, 4, 4, &year) || !take(text, "-") || !take_number(text, 1, 2, &month))
		return false;
	if (!take(text, "-") || !take_number(text, 1, 2, &day))
		return false;
	return when_day_from_civil(year, month, day, day_r);
}

/* hh:mm[:ss[.fraction]]; second 60 is the leap second of RFC 3339. */
static bool take_time(const char **text, int *second_r, int *us_r)
{
	int hour, minute, second = 0, digit, us = 0;

	if (!take_number(text, 1, 2, &hour) || !take(text, ":") ||
	    !take_number(text, 2, 2, &minute))
		return false;
	if (take(text, ":")) {
		if (!take_number(text, 2, 2, &second))
			return false;
		if (take(text, ".,")) {
			if (!isdigit((unsigned char)**text))
				return false;
			for (int unit = 100000; take_number(text, 1, 1, &digit); unit /= 10)
				us += digit * unit;
		}
	}
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*second_r = hour * 3600 + minute * 60 + second;
	*us_r = us;
	return true;
}

/* +hh:mm, +hhmm, +hh. */
static bool take_offset(const char **text, int *offset_r)
{
	int sign = **text == '-' ? -1 : 1;
	int hour, minute = 0;

	if (!take(text, "+-") || !take_number(text, 2, 2, &hour))
		return false;
	if (take(text, ":")) {
		if (!take_number(text, 2, 2, &minute))
			return false;
	} else {
		(void)take_number(text, 2, 2, &minute);
	}
	if (hour > 23 || minute > 59)
		return false;
	*offset_r = sign * (hour * 3600 + minute * 60);
	return true;
}

/* The rest of an instant behind its date. */
static bool take_instant(TALLOC_CTX *mem, const char **text, int32_t day, struct when *when_r)
{
	int second, us, offset = 0;
	const char *zone = NULL;
	int64_t time;

	if (!take(text, "Tt ") || !take_time(text, &second, &us))
		return false;
	skip_blanks(text);
	time = (int64_t)day * DAY_S + second;
	if (take(text, "Zz")) {
		zone = "UTC";
	} else if (**text) {
		if (!take_offset(text, &offset))
			return false;
		time -= offset;
	} else {
		zone = mem_strdup(mem, getenv("TZ"));
		time = wall_to_time(time);
	}
	time = time * CLOCK_SECOND_US + us;
	if (time < US_MIN || time > US_MAX)
		return false;
	*when_r = when_instant(time, zone);
	return true;
}

static bool read_when(TALLOC_CTX *mem, const char *text, struct when *when_r)
{
	struct when when;
	int32_t day;

	skip_blanks(&text);
	if (!take_date(&text, &day))
		return false;
	when = when_date(day);
	if (*text && strchr("Tt ", *text) && isdigit((unsigned char)text[1]) &&
	    !take_instant(mem, &text, day, &when))
		return false;
	skip_blanks(&text);
	if (*text)
		return false;
	*when_r = when;
	return true;
}

struct fault *when_parse(TALLOC_CTX *mem, const char *text, struct when *when_r)
{
	if (text && read_when(mem, text, when_r))
		return NULL;
	return fault_new(mem, FAULT_DATA,
			 "\"%s\" is no date or time between %d and %d; write 2026-11-21 or "
			 "2026-11-21T08:00:00Z",
			 text_one_line(mem, text ? text : "", 60), WHEN_YEAR_MIN, WHEN_YEAR_MAX);
}

struct fault *zone_use(TALLOC_CTX *mem, const char *name)
{
	if (!zone_is_known(name))
		return fault_new(mem, FAULT_DATA,
				 "\"%s\" is no time zone of this system; write a name such as "
				 "Europe/Berlin or UTC",
				 text_one_line(mem, name ? name : "", 60));
	if (setenv("TZ", name, 1))
		return fault_new(mem, FAULT_INTERNAL, "cannot set the time zone %s", name);
	tzset();
	return NULL;
}
