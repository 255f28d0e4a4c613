/* effort_test.c - work in minutes, from and to ISO 8601 and what people write. */
#include "config.h"

#include "model/effort.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/attr.h"

#define NONE INT64_C(-77) /* refused: the out parameter is untouched */

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(effort, .init = begin, .fini = end);

struct row {
	const char *text;
	int64_t minutes;
};

Test(effort, from_iso)
{
	static const struct row rows[] = {
		{ "PT12H30M0S", 750 },
		{ "PT0H0M0S", 0 },
		{ "PT0M", 0 },
		{ "PT8H", 480 },
		{ "PT90M", 90 },
		{ "+PT8H", 480 },
		{ "PT1000H0M0S", 60000 },
		{ "P1D", 1440 },
		{ "P1DT2H", 1560 },
		{ "P1W", 10080 },
		{ "P1W1D", 11520 },
		{ "PT29S", 0 },
		{ "PT30S", 1 },
		{ "PT1M29.999999S", 1 },
		{ "PT1M29.9S", 1 },
		{ "PT1M30.0S", 2 },
		{ "PT0.5H", 30 },
		{ "PT1,5H", 90 },
		{ "PT1.123456789M", 1 },
		{ "PT20800000H", EFFORT_MAX_MIN },
		{ "PT1248000000M", EFFORT_MAX_MIN },
		{ "PT20800000H1M", NONE },
		{ "PT20800001H", NONE },
		{ "P99999999W", NONE },
		{ "PT99999999999999999999H", NONE },
		{ "-PT1H", NONE },
		{ "PT-1H", NONE },
		{ "", NONE },
		{ NULL, NONE },
		{ "P", NONE },
		{ "PT", NONE },
		{ "P1DT", NONE },
		{ "PTT1H", NONE },
		{ "PT1HT1M", NONE },
		{ "P1H", NONE },
		{ "PT1D", NONE },
		{ "PT1M1H", NONE },
		{ "PT1H1H", NONE },
		{ "PT1", NONE },
		{ "PTH", NONE },
		{ "P1Y", NONE },
		{ "P1M", NONE },
		{ "PT1H ", NONE },
		{ "pt1h", NONE },
		{ "8h", NONE },
		{ "PT1.H", NONE },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t minutes = NONE;
		bool good = effort_from_iso(rows[i].text, &minutes);

		cr_expect(minutes == rows[i].minutes && good == (rows[i].minutes != NONE),
			  "\"%s\": expected %" PRId64 ", actual %d %" PRId64, rows[i].text,
			  rows[i].minutes, good, minutes);
	}
}

Test(effort, from_text_with_a_day_of_seven_hours)
{
	static const struct row rows[] = {
		{ "90", 90 },
		{ "0", 0 },
		{ " 90 ", 90 },
		{ "90m", 90 },
		{ "90 min", 90 },
		{ "90 minutes", 90 },
		{ "1h", 60 },
		{ "1 H", 60 },
		{ "2 hrs", 120 },
		{ "1 hour", 60 },
		{ "1.5h", 90 },
		{ "1,5 h", 90 },
		{ "0.01h", 1 },
		{ "0.008h", 0 },
		{ "2h 30m", 150 },
		{ "2h30m", 150 },
		{ "2h30", 150 },
		{ "12 h 30 min", 750 },
		{ "3:15", 195 },
		{ "0:05", 5 },
		{ "100:00", 6000 },
		{ "2d", 840 },
		{ "1 day 2 hours", 540 },
		{ "0.5 d", 210 },
		{ "2 days", 840 },
		{ "1248000000", EFFORT_MAX_MIN },
		{ "1248000001", NONE },
		{ "20800000h 1m", NONE },
		{ "99999999d", NONE },
		{ "99999999999999999999", NONE },
		{ "", NONE },
		{ NULL, NONE },
		{ "  ", NONE },
		{ "-1h", NONE },
		{ "+1h", NONE },
		{ "h", NONE },
		{ "1.5", NONE },
		{ "1.h", NONE },
		{ "3:5", NONE },
		{ "3:60", NONE },
		{ "3:155", NONE },
		{ "3:15h", NONE },
		{ "1.5:15", NONE },
		{ "1h 3:15", NONE },
		{ "30m 2h", NONE },
		{ "1h 1h", NONE },
		{ "2d 30", NONE },
		{ "2 weeks", NONE },
		{ "2hx", NONE },
		{ "2 h x", NONE },
		{ "1h 1.5", NONE },
		{ "0000000000000000000000000000000000000000000000000000000000000001", NONE },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t minutes = NONE;
		bool good = effort_from_text(rows[i].text, 420, &minutes);

		cr_expect(minutes == rows[i].minutes && good == (rows[i].minutes != NONE),
			  "\"%s\": expected %" PRId64 ", actual %d %" PRId64, rows[i].text,
			  rows[i].minutes, good, minutes);
	}
}

Test(effort, from_text_without_days)
{
	int64_t minutes = NONE;

	cr_expect_not(effort_from_text("2d", 0, &minutes));
	cr_expect_eq(minutes, NONE);
	cr_expect(effort_from_text("2h", 0, &minutes));
	cr_expect_eq(minutes, 120);
}

static const char *iso_of(int64_t minutes)
{
	struct buf *iso = buf_new(mem);

	effort_put_iso(iso, minutes);
	return iso->data;
}

Test(effort, to_text_and_iso)
{
	static const struct {
		int64_t minutes;
		const char *text, *iso;
	} rows[] = {
		{ 0, "0 h", "PT0M" },
		{ 1, "1 min", "PT1M" },
		{ 45, "45 min", "PT45M" },
		{ 60, "1 h", "PT1H" },
		{ 750, "12 h 30 min", "PT12H30M" },
		{ 1440, "24 h", "PT24H" },
		{ -90, "-1 h 30 min", "-PT1H30M" },
		{ EFFORT_MAX_MIN, "20800000 h", "PT20800000H" },
		{ INT64_MIN, "-153722867280912930 h 8 min", "-PT153722867280912930H8M" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		cr_expect_str_eq(effort_to_text(mem, rows[i].minutes), rows[i].text);
		cr_expect_str_eq(iso_of(rows[i].minutes), rows[i].iso);
	}
}

Test(effort, round_trips)
{
	unsigned seed = 11;

	for (int i = 0; i < 5000; i++) {
		int64_t minutes = (int64_t)rand_r(&seed) % (i % 2 ? 5000 : EFFORT_MAX_MIN);
		int64_t text = NONE, iso = NONE;

		cr_assert(effort_from_text(effort_to_text(mem, minutes), 480, &text), "%" PRId64,
			  minutes);
		cr_assert(effort_from_iso(iso_of(minutes), &iso), "%" PRId64, minutes);
		cr_assert_eq(text, minutes);
		cr_assert_eq(iso, minutes);
		talloc_free_children(mem);
	}
}
