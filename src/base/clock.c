#include "config.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Dates are counted by hand in the proleptic Gregorian calendar: gmtime() and its kin know time
 * zones, leap seconds of the system and errors, of which RFC 3339 in UTC needs none. A year has
 * four digits, so a time outside of 0000 to 9999 is written as the nearest that can be.
 */

#define DAY_S INT64_C(86400)
#define DAYS_TO_EPOCH 719528 /* from 0000-01-01 to 1970-01-01 */
#define YEAR_MAX 9999

#define EARLIEST_US (-DAYS_TO_EPOCH * DAY_S * CLOCK_SECOND_US)
#define LATEST_US (INT64_C(253402300800) * CLOCK_SECOND_US - 1) /* before 10000-01-01 */

static int64_t system_now_us(struct clock *clock)
{
	struct timespec now;

	(void)clock;
	clock_gettime(CLOCK_REALTIME, &now); /* fails only for a clock that is not there */
	return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

static void system_sleep_us(struct clock *clock, int64_t us)
{
	struct timespec left = { .tv_sec = us / CLOCK_SECOND_US,
				 .tv_nsec = us % CLOCK_SECOND_US * 1000 };

	(void)clock;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

struct clock *clock_system(TALLOC_CTX *mem)
{
	struct clock *clock = MEM_NEW(mem, struct clock);

	clock->now_us = system_now_us;
	clock->sleep_us = system_sleep_us;
	return clock;
}

static int64_t set_now_us(struct clock *clock)
{
	return clock->set_us;
}

static void set_sleep_us(struct clock *clock, int64_t us)
{
	clock->set_us += us;
}

struct clock *clock_set(TALLOC_CTX *mem, int64_t start_us)
{
	struct clock *clock = MEM_NEW(mem, struct clock);

	clock->now_us = set_now_us;
	clock->sleep_us = set_sleep_us;
	clock->set_us = start_us;
	return clock;
}

int64_t clock_now_us(struct clock *clock)
{
	return clock->now_us(clock);
}

void clock_sleep(struct clock *clock, int64_t us)
{
	if (us > 0)
		clock->sleep_us(clock, us);
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0000-01-01 to the first day of YEAR (>= 0). */
static int year_start(int year)
{
	int before = year - 1;

	return year ? 365 * year + before / 4 - before / 100 + before / 400 + 1 : 0;
}

char *clock_rfc3339(TALLOC_CTX *mem, int64_t us)
{
	int64_t since = (us < EARLIEST_US ? EARLIEST_US
			 : us > LATEST_US ? LATEST_US
					  : us) -
			EARLIEST_US;
	int day = (int)(since / CLOCK_SECOND_US / DAY_S),
	    second = (int)(since / CLOCK_SECOND_US % DAY_S);
	int fraction = (int)(since % CLOCK_SECOND_US);
	int year = day / 366, month = 1; /* never too late */
	char tail[16] = "Z";

	while (year_start(year + 1) <= day)
		year++;
	for (day -= year_start(year); day >= month_days(year, month); month++)
		day -= month_days(year, month);
	if (fraction)
		snprintf(tail, sizeof tail, ".%06dZ", fraction);
	return mem_printf(mem, "%04d-%02d-%02dT%02d:%02d:%02d%s", year, month, day + 1,
			  second / 3600, second / 60 % 60, second % 60, tail);
}

/* The numbers of TEXT where SHAPE has digits; everything else must be equal. Returns what
 * follows, NULL if it is not so. A number in SHAPE is as long as its run of '0'. */
static const char *read_shape(const char *text, const char *shape, int *numbers)
{
	size_t n = 0;

	for (; *shape; shape++, text++) {
		if (*shape != '0') {
			if (*text != *shape)
				return NULL;
			n++;
			continue;
		}
		if (*text < '0' || *text > '9')
			return NULL;
		numbers[n] = numbers[n] * 10 + (*text - '0');
	}
	return text;
}

/* A fraction of a second, if there is one: at most nine digits, of which microseconds count. */
static const char *read_fraction(const char *text, int *us_r)
{
	int digits = 0;

	if (*text != '.')
		return text;
	for (text++; *text >= '0' && *text <= '9' && digits < 9; text++, digits++)
		if (digits < 6)
			*us_r = *us_r * 10 + (*text - '0');
	for (int i = digits; i < 6; i++)
		*us_r *= 10;
	return digits ? text : NULL;
}

bool clock_from_rfc3339(const char *text, int64_t *us_r)
{
	enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, NUMBERS };
	int n[NUMBERS] = { 0 }, fraction = 0, days;

	text = text ? read_shape(text, "0000-00-00T00:00:00", n) : NULL;
	text = text ? read_fraction(text, &fraction) : NULL;
	if (!text || strcmp(text, "Z") != 0)
		return false;
	if (n[MONTH] < 1 || n[MONTH] > 12 || n[DAY] < 1 || n[DAY] > month_days(n[YEAR], n[MONTH]) ||
	    n[HOUR] > 23 || n[MINUTE] > 59 || n[SECOND] > 59)
		return false;
	days = year_start(n[YEAR]) + n[DAY] - 1;
	for (int month = 1; month < n[MONTH]; month++)
		days += month_days(n[YEAR], month);
	*us_r = EARLIEST_US +
		((days * INT64_C(24) + n[HOUR]) * 3600 + n[MINUTE] * 60 + n[SECOND]) *
			CLOCK_SECOND_US +
		fraction;
	return true;
}
