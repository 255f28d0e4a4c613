/* when_test.c - dates, instants and the site's zone. Expected instants were worked out from the
 * zones' rules:
 *
 *   Europe/Berlin    2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00 (changes at 01:00Z)
 *   America/New_York 2026-03-08 02:00 -> 03:00, 2026-11-01 02:00 -> 01:00 (07:00Z, 06:00Z)
 *   Asia/Kolkata     +05:30, no changes
 *   Pacific/Apia     2011-12-30 did not happen: -10:00 until 2011-12-30T10:00Z, then +14:00
 */
#include "config.h"

#include "model/when.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"

#define DAY_US (INT64_C(86400) * CLOCK_SECOND_US)

static const char *const zones[] = {
	"UTC",          "Europe/Berlin",     "America/New_York",    "Asia/Kolkata",
	"Pacific/Apia", "Africa/Casablanca", "Australia/Lord_Howe", "America/Sao_Paulo"
};

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(when, .init = begin, .fini = end);

static void use(const char *zone)
{
	struct fault *fault = zone_use(mem, zone);

	cr_assert_null(fault, "%s: %s", zone, fault->text);
}

static int32_t day_of(int year, int month, int day)
{
	int32_t n = INT32_MIN;

	cr_assert(when_day_from_civil(year, month, day, &n), "%d-%d-%d", year, month, day);
	return n;
}

static struct when parsed(const char *text)
{
	struct when when = { .kind = WHEN_DATE };
	struct fault *fault = when_parse(mem, text, &when);

	cr_assert_null(fault, "%s: %s", text, fault->text);
	return when;
}

Test(when, days_of_the_calendar)
{
	static const struct {
		int year, month, day;
		int32_t number;
	} rows[] = {
		{ 1970, 1, 1, 0 },       { 1969, 12, 31, -1 },    { 1970, 2, 28, 58 },
		{ 1970, 3, 1, 59 },      { 2000, 2, 29, 11016 },  { 2000, 3, 1, 11017 },
		{ 2024, 2, 29, 19782 },  { 2026, 11, 21, 20778 }, { 1900, 1, 1, -25567 },
		{ 1900, 2, 28, -25509 }, { 1900, 3, 1, -25508 },  { 2999, 12, 31, 376199 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int year, month, day;

		cr_expect_eq(day_of(rows[i].year, rows[i].month, rows[i].day), rows[i].number,
			     "%d-%d-%d: %d", rows[i].year, rows[i].month, rows[i].day,
			     day_of(rows[i].year, rows[i].month, rows[i].day));
		when_day_to_civil(rows[i].number, &year, &month, &day);
		cr_expect(year == rows[i].year && month == rows[i].month && day == rows[i].day,
			  "%d: %d-%d-%d", rows[i].number, year, month, day);
	}
}

Test(when, no_such_days)
{
	static const int rows[][3] = {
		{ 2026, 2, 29 }, { 2026, 2, 31 },  { 1900, 2, 29 }, { 2100, 2, 29 },
		{ 2026, 4, 31 }, { 2026, 0, 1 },   { 2026, 13, 1 }, { 2026, 1, 0 },
		{ 2026, 1, 32 }, { 1899, 12, 31 }, { 3000, 1, 1 },  { -1, 1, 1 },
		{ 2026, -1, 1 }, { 2026, 1, -1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int32_t day = 77;

		cr_expect_not(when_day_from_civil(rows[i][0], rows[i][1], rows[i][2], &day));
		cr_expect_eq(day, 77, "untouched");
	}
}

Test(when, every_day_comes_back_and_follows_the_one_before)
{
	int32_t last = day_of(WHEN_YEAR_MAX, 12, 31);

	for (int32_t n = day_of(WHEN_YEAR_MIN, 1, 1); n <= last; n++) {
		int year, month, day;
		int32_t back = INT32_MIN;

		when_day_to_civil(n, &year, &month, &day);
		cr_assert(when_day_from_civil(year, month, day, &back) && back == n, "%d: %d-%d-%d",
			  n, year, month, day);
	}
}

Test(when, text)
{
	struct when when = when_date(day_of(2026, 11, 21));

	cr_expect_str_eq(when_text(mem, &when), "2026-11-21");
	when = when_date(day_of(1900, 1, 1));
	cr_expect_str_eq(when_text(mem, &when), "1900-01-01");
	when = when_instant(20778 * DAY_US + 8 * 3600 * CLOCK_SECOND_US, "Europe/Berlin");
	cr_expect_str_eq(when_text(mem, &when), "2026-11-21T08:00:00Z");
	when = when_instant(-1, NULL);
	cr_expect_str_eq(when_text(mem, &when), "1969-12-31T23:59:59.999999Z");
}

struct row {
	const char *text;
	const char *canonical; /* NULL: refused */
	const char *zone;
};

static void check_parse(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct when when = { .kind = WHEN_DATE, .day = 77 };
		struct fault *fault = when_parse(mem, rows[i].text, &when);
		char *text = fault ? NULL : when_text(mem, &when);

		cr_expect_eq(!fault, rows[i].canonical != NULL, "\"%s\": %s", rows[i].text,
			     fault ? fault->text : text);
		if (fault) {
			cr_expect_eq(fault->kind, FAULT_DATA);
			cr_expect_eq(when.day, 77, "untouched");
			continue;
		}
		cr_expect_str_eq(text, rows[i].canonical, "\"%s\": expected %s, actual %s",
				 rows[i].text, rows[i].canonical, text);
		if (rows[i].zone)
			cr_expect_str_eq(when.zone ? when.zone : "NULL", rows[i].zone, "%s",
					 rows[i].text);
	}
}

Test(when, parse)
{
	static const struct row rows[] = {
		{ "2026-11-21", "2026-11-21", NULL },
		{ " 2026-11-21\n", "2026-11-21", NULL },
		{ "2026-1-5", "2026-01-05", NULL },
		{ "2024-02-29", "2024-02-29", NULL },
		{ "1900-01-01", "1900-01-01", NULL },
		{ "2999-12-31", "2999-12-31", NULL },
		{ "2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z", "UTC" },
		{ "2026-11-21t08:00:00z", "2026-11-21T08:00:00Z", "UTC" },
		{ "2026-11-21 08:00:00 Z", "2026-11-21T08:00:00Z", "UTC" },
		{ "2026-11-21T08:00Z", "2026-11-21T08:00:00Z", "UTC" },
		{ "2026-11-21T08:00:00.5Z", "2026-11-21T08:00:00.500000Z", "UTC" },
		{ "2026-11-21T08:00:00.1234567Z", "2026-11-21T08:00:00.123456Z", "UTC" },
		{ "2026-11-21T08:00:00+01:00", "2026-11-21T07:00:00Z", "NULL" },
		{ "2026-11-21T08:00:00-05:30", "2026-11-21T13:30:00Z", "NULL" },
		{ "2026-11-21T08:00:00+0100", "2026-11-21T07:00:00Z", "NULL" },
		{ "2026-11-21T00:30:00+01", "2026-11-20T23:30:00Z", "NULL" },
		{ "2026-11-21T08:00:00", "2026-11-21T07:00:00Z", "Europe/Berlin" },
		{ "2026-11-21T08:00", "2026-11-21T07:00:00Z", "Europe/Berlin" },
		{ "2026-07-21 8:00", "2026-07-21T06:00:00Z", "Europe/Berlin" },
		{ "2026-11-21T23:59:60Z", "2026-11-22T00:00:00Z", "UTC" },
		{ "2026-02-31", NULL, NULL },
		{ "2026-02-29", NULL, NULL },
		{ "2026-13-01", NULL, NULL },
		{ "2026-00-01", NULL, NULL },
		{ "2026-01-00", NULL, NULL },
		{ "1899-12-31", NULL, NULL },
		{ "3000-01-01", NULL, NULL },
		{ "1900-01-01T00:00:00+01:00", NULL, NULL },
		{ "1900-01-01T00:00", NULL, NULL },
		{ "2999-12-31T23:59:00-01:00", NULL, NULL },
		{ "2026-11-21T24:00:00Z", NULL, NULL },
		{ "2026-11-21T08:60:00Z", NULL, NULL },
		{ "2026-11-21T08:00:61Z", NULL, NULL },
		{ "2026-11-21T08:00:00.Z", NULL, NULL },
		{ "2026-11-21T08:00:00+24:00", NULL, NULL },
		{ "2026-11-21T08:00:00+01:60", NULL, NULL },
		{ "2026-11-21T08:00:00+1", NULL, NULL },
		{ "2026-11-21T", NULL, NULL },
		{ "2026-11-21T8", NULL, NULL },
		{ "2026-11-21Z", NULL, NULL },
		{ "2026-11-21 x", NULL, NULL },
		{ "2026-11-21T08:00:00Zx", NULL, NULL },
		{ "26-11-21", NULL, NULL },
		{ "12026-11-21", NULL, NULL },
		{ "-2026-11-21", NULL, NULL },
		{ "2026/11/21", NULL, NULL },
		{ "20261121", NULL, NULL },
		{ "tomorrow", NULL, NULL },
		{ "", NULL, NULL },
		{ NULL, NULL, NULL },
	};

	use("Europe/Berlin");
	check_parse(rows, COUNT_OF(rows));
}

Test(when, local_times_around_changes)
{
	static const struct {
		const char *zone, *local, *utc;
	} rows[] = {
		/* spring: 02:30 does not exist and is moved forward by the hour */
		{ "Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z" },
		{ "Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z" },
		{ "Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T03:30:00", "2026-03-29T01:30:00Z" },
		/* autumn: 02:30 is there twice, the first counts */
		{ "Europe/Berlin", "2026-10-25T01:59:59", "2026-10-24T23:59:59Z" },
		{ "Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:00:00Z" },
		{ "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z" },
		{ "Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z" },
		{ "America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00Z" },
		{ "America/New_York", "2026-03-08T03:30:00", "2026-03-08T07:30:00Z" },
		{ "America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z" },
		{ "America/New_York", "2026-11-01T00:59:59", "2026-11-01T04:59:59Z" },
		{ "America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z" },
		{ "Asia/Kolkata", "2026-03-29T02:30:00", "2026-03-28T21:00:00Z" },
		{ "Asia/Kolkata", "2024-02-29T00:00:00", "2024-02-28T18:30:00Z" },
		/* a whole day is missing: moved forward by it */
		{ "Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z" },
		{ "Pacific/Apia", "2011-12-30T00:00:00", "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00Z" },
		{ "Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", "2011-12-31T12:00:00", "2011-12-30T22:00:00Z" },
		/* half an hour only: 2026-10-04 02:00 -> 02:30, 2026-04-05 02:00 -> 01:30 */
		{ "Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z" },
		{ "Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z" },
		/* no midnight on that day: 00:00 -> 01:00 */
		{ "America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z" },
		{ "UTC", "2026-03-29T02:30:00", "2026-03-29T02:30:00Z" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct when when;

		use(rows[i].zone);
		when = parsed(rows[i].local);
		cr_expect_str_eq(when_text(mem, &when), rows[i].utc,
				 "%s in %s: expected %s, actual %s", rows[i].local, rows[i].zone,
				 rows[i].utc, when_text(mem, &when));
	}
}

Test(when, local_days)
{
	static const struct {
		const char *zone, *text, *day;
	} rows[] = {
		{ "Europe/Berlin", "2026-11-21T22:59:59Z", "2026-11-21" },
		{ "Europe/Berlin", "2026-11-21T23:00:00Z", "2026-11-22" },
		{ "Europe/Berlin", "2026-07-21T21:59:59.999999Z", "2026-07-21" },
		{ "Europe/Berlin", "2026-07-21T22:00:00Z", "2026-07-22" },
		{ "America/New_York", "2026-11-21T04:59:59Z", "2026-11-20" },
		{ "America/New_York", "2026-11-21T05:00:00Z", "2026-11-21" },
		{ "Asia/Kolkata", "2024-02-28T18:29:59Z", "2024-02-28" },
		{ "Asia/Kolkata", "2024-02-28T18:30:00Z", "2024-02-29" },
		{ "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29" },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31" },
		{ "UTC", "1969-12-31T23:59:59.5Z", "1969-12-31" },
		{ "UTC", "1900-01-01T00:00:00Z", "1900-01-01" },
		/* the ends of our years hold */
		{ "America/New_York", "1900-01-01T00:00:00Z", "1900-01-01" },
		{ "Pacific/Apia", "2999-12-31T23:59:59Z", "2999-12-31" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct when when, day;

		use(rows[i].zone);
		when = parsed(rows[i].text);
		day = when_date(when_local_day(&when));
		cr_expect_str_eq(when_text(mem, &day), rows[i].day,
				 "%s in %s: expected %s, actual %s", rows[i].text, rows[i].zone,
				 rows[i].day, when_text(mem, &day));
	}
}

Test(when, values_stay_within_our_years)
{
	struct when when = when_instant(INT64_MIN, NULL);

	use("Europe/Berlin");
	cr_expect_str_eq(when_text(mem, &when), "1900-01-01T00:00:00Z");
	when = when_instant(INT64_MAX, NULL);
	cr_expect_str_eq(when_text(mem, &when), "2999-12-31T23:59:59.999999Z");
	when = when_date(INT32_MAX);
	cr_expect_str_eq(when_text(mem, &when), "2999-12-31");
	when = when_date(INT32_MIN);
	cr_expect_str_eq(when_text(mem, &when), "1900-01-01");
	when = when_from_local(day_of(1900, 1, 1), 0, 0, 0, NULL);
	cr_expect_str_eq(when_text(mem, &when), "1900-01-01T00:00:00Z");
}

Test(when, equal_knows_no_zone_and_no_day)
{
	struct when a = when_instant(5, "UTC"), b = when_instant(5, "Europe/Berlin"),
		    c = when_instant(6, "UTC");
	struct when d = when_date(0), e = when_date(0), f = when_date(1);
	struct when midnight = when_instant(0, "UTC");

	use("UTC");
	cr_expect(when_equal(&a, &b));
	cr_expect_not(when_equal(&a, &c));
	cr_expect(when_equal(&d, &e));
	cr_expect_not(when_equal(&d, &f));
	cr_expect_not(when_equal(&d, &midnight));
}

Test(when, compare_puts_a_date_at_its_local_midnight)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "2026-11-21", "2026-11-21", 0 },
		{ "2026-11-21", "2026-11-22", -1 },
		{ "2026-11-21", "2026-11-20T23:00:00Z", 0 },
		{ "2026-11-21", "2026-11-20T22:59:59Z", 1 },
		{ "2026-11-21", "2026-11-20T23:00:01Z", -1 },
		{ "2026-11-21T08:00:00Z", "2026-11-21T09:00:00+01:00", 0 },
		{ "2026-11-21T08:00:00Z", "2026-11-21T08:00:00.000001Z", -1 },
		{ "1900-01-01", "2999-12-31", -1 },
	};

	use("Europe/Berlin");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct when a = parsed(rows[i].a), b = parsed(rows[i].b);

		cr_expect_eq(when_compare(&a, &b), rows[i].order, "%s %s", rows[i].a, rows[i].b);
		cr_expect_eq(when_compare(&b, &a), -rows[i].order, "%s %s", rows[i].b, rows[i].a);
	}
}

Test(when, text_and_parse_round_trip)
{
	unsigned seed = 42;

	use("America/New_York");
	for (int i = 0; i < 5000; i++) {
		int64_t n = ((int64_t)rand_r(&seed) << 31) ^ rand_r(&seed);
		struct when when = i % 2 ? when_instant(n % (DAY_US * 376000), "UTC")
					 : when_date((int32_t)(n % 376000));
		struct when back = parsed(when_text(mem, &when));

		cr_assert(when_equal(&when, &back), "%s", when_text(mem, &when));
		talloc_free_children(mem);
	}
}

/* What may have been made of a date. */
Test(when, on_day)
{
	static const struct {
		const char *zone, *text;
		int wall; /* of the date where it was written, less the date; 9: not known */
		bool on;
	} rows[] = {
		{ "Europe/Berlin", "2026-12-01", 9, true },
		{ "Europe/Berlin", "2026-12-02", 9, false },
		{ "Europe/Berlin", "2026-11-30T23:00:00Z", 9, true },
		{ "Europe/Berlin", "2026-11-30T22:59:59Z", 9, false },
		{ "Europe/Berlin", "2026-12-01T23:00:00Z", 9, false },
		/* in New York it is the first still */
		{ "Europe/Berlin", "2026-12-02T01:00:00Z", 0, true },
		{ "Europe/Berlin", "2026-12-02T01:00:00Z", 9, false },
		/* and where it is the second there, it is the first here */
		{ "Europe/Berlin", "2026-12-01T20:00:00Z", 1, true },
		{ "Europe/Berlin", "2026-12-02T20:00:00Z", 1, false },
		/* midnight UTC of the day, to the minute */
		{ "America/New_York", "2026-12-01T00:00:00Z", 9, true },
		{ "America/New_York", "2026-12-01T00:00:01Z", 9, true },
		{ "America/New_York", "2026-12-01T00:01:00Z", 9, false },
		{ "America/New_York", "2026-12-02T00:00:00Z", 9, true },
		{ "Pacific/Kiritimati", "2026-12-01T00:00:00Z", 9, true },
	};
	int32_t day = 0;

	cr_assert(when_day_from_civil(2026, 12, 1, &day));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct when when;

		use(rows[i].zone);
		when = parsed(rows[i].text);
		if (rows[i].wall != 9)
			when.wall_day = day + rows[i].wall;
		cr_expect_eq(when_on_day(&when, day), rows[i].on, "row %zu: %s in %s", i,
			     rows[i].text, rows[i].zone);
	}
}

/* The wall time of what when_from_local() gives is what it was given, or, in a gap, that much
 * later. */
Test(when, from_local_agrees_with_the_local_day_in_every_zone)
{
	unsigned seed = 5;

	for (size_t z = 0; z < COUNT_OF(zones); z++) {
		use(zones[z]);
		for (int i = 0; i < 2000; i++) {
			int32_t day = (int32_t)(rand_r(&seed) % 47000) - 10000;
			struct when noon = when_from_local(day, 12, 0, 0, NULL);
			struct when midnight = when_from_local(day, 0, 0, 0, NULL);
			int32_t expected =
				!strcmp(zones[z], "Pacific/Apia") && day == 15338 ? day + 1 : day;

			cr_assert_eq(when_local_day(&noon), expected, "%s day %d", zones[z], day);
			cr_assert_eq(when_local_day(&midnight), expected, "%s day %d", zones[z],
				     day);
			cr_assert(when_compare(&midnight, &noon) < 0);
		}
	}
}

Test(when, from_local_counts_over_the_ends_of_a_day)
{
	struct when a, b;

	use("Europe/Berlin");
	a = when_from_local(day_of(2026, 11, 21), 24, 0, 0, "Europe/Berlin");
	b = when_from_local(day_of(2026, 11, 22), 0, 0, 0, NULL);
	cr_expect(when_equal(&a, &b));
	cr_expect_str_eq(a.zone, "Europe/Berlin");
}

Test(when, zone_use_refuses_what_is_no_zone)
{
	static const char *const bad[] = {
		"",
		"Europe/Atlantis",
		"/usr/share/zoneinfo/UTC",
		"../zoneinfo/UTC",
		"Europe/../UTC",
		"Europe",
		"zone.tab",
		"tzdata.zi",
		":Europe/Berlin",
		"CET-1CEST",
		"Europe/Berlin\n",
		"Europe Berlin",
		"right/Europe/Berlin",
		"europe/berlin/",
		"<x>1",
		"Europe/Berlin/x",
	};

	use("Asia/Kolkata");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fault *fault = zone_use(mem, bad[i]);

		cr_assert_not_null(fault, "\"%s\"", bad[i]);
		cr_expect_eq(fault->kind, FAULT_DATA);
		cr_expect_str_eq(getenv("TZ"), "Asia/Kolkata", "untouched by \"%s\"", bad[i]);
	}
	cr_expect_not_null(zone_use(mem, NULL));
	for (size_t i = 0; i < COUNT_OF(zones); i++)
		use(zones[i]);
}
