#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define S CLOCK_SECOND_US

/* Seconds by Python: datetime.fromisoformat(TEXT) - datetime(1970, 1, 1). */
static const struct {
	int64_t us;
	const char *text;
} both_ways[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ -1 * S, "1969-12-31T23:59:59Z" },
	{ -1, "1969-12-31T23:59:59.999999Z" },
	{ 1, "1970-01-01T00:00:00.000001Z" },
	{ 951782400 * S, "2000-02-29T00:00:00Z" },
	{ 1795251600 * S, "2026-11-21T09:00:00Z" },
	{ 1795251600 * S + 500000, "2026-11-21T09:00:00.500000Z" },
	{ -2203891200 * S, "1900-03-01T00:00:00Z" }, /* 1900 was no leap year */
	{ 4107542399 * S, "2100-02-28T23:59:59Z" },
	{ 13601046896 * S, "2400-12-31T12:34:56Z" }, /* the last day of a leap year */
	{ -62135596800 * S, "0001-01-01T00:00:00Z" },
	{ -62167219200 * S, "0000-01-01T00:00:00Z" },
	{ 253402300800 * S - 1, "9999-12-31T23:59:59.999999Z" },
};

Test(clock, both_ways)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(both_ways); i++) {
		const char *text = clock_rfc3339(mem, both_ways[i].us);
		int64_t us = 4711;

		cr_expect(!strcmp(text, both_ways[i].text), "%lld: expected %s, got %s",
			  (long long)both_ways[i].us, both_ways[i].text, text);
		cr_expect(clock_from_rfc3339(both_ways[i].text, &us) && us == both_ways[i].us,
			  "%s: expected %lld, got %lld", both_ways[i].text,
			  (long long)both_ways[i].us, (long long)us);
	}
	talloc_free(mem);
}

Test(clock, out_of_range_is_the_nearest)
{
	void *mem = talloc_new(NULL);

	cr_expect_str_eq(clock_rfc3339(mem, INT64_MIN), "0000-01-01T00:00:00Z");
	cr_expect_str_eq(clock_rfc3339(mem, INT64_MAX), "9999-12-31T23:59:59.999999Z");
	talloc_free(mem);
}

Test(clock, every_day_of_four_centuries)
{
	void *mem = talloc_new(NULL);

	for (int64_t day = -25567; day < 120530; day += 13) { /* 1900 to 2299 */
		char *text = clock_rfc3339(mem, day * 86400 * S);
		int64_t us = 4711;

		cr_assert(clock_from_rfc3339(text, &us) && us == day * 86400 * S, "day %lld: %s",
			  (long long)day, text);
		talloc_free(text);
	}
	talloc_free(mem);
}

Test(clock, fractions)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{ "1970-01-01T00:00:00.5Z", 500000 },
		{ "1970-01-01T00:00:00.123Z", 123000 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "1970-01-01T00:00:00.000000999Z", 0 },
		{ "1970-01-01T00:00:00.123456789Z", 123456 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t us = 4711;

		cr_expect(clock_from_rfc3339(rows[i].text, &us) && us == rows[i].us,
			  "%s: expected %lld, got %lld", rows[i].text, (long long)rows[i].us,
			  (long long)us);
	}
}

Test(clock, other_forms_are_refused)
{
	static const char *const rows[] = {
		"",
		"Z",
		"2026-11-21",
		"2026-11-21T09:00:00",
		"2026-11-21 09:00:00Z",
		"2026-11-21t09:00:00z",
		"2026-11-21T09:00:00+01:00",
		"2026-11-21T09:00:00ZZ",
		"2026-11-21T09:00:00Z ",
		" 2026-11-21T09:00:00Z",
		"2026-11-21T09:00:00.Z",
		"2026-11-21T09:00:00.1234567890Z",
		"2026-11-21T09:00:00,5Z",
		"2026-11-21T09:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-11-31T00:00:00Z",
		"2026-11-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-11-21T24:00:00Z",
		"2026-11-21T09:60:00Z",
		"2016-12-31T23:59:60Z",
		"-026-11-21T09:00:00Z",
		"20261121T090000Z",
		"12026-11-21T09:00:00Z",
	};
	int64_t us = 4711;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect(!clock_from_rfc3339(rows[i], &us) && us == 4711, "'%s' was taken",
			  rows[i]);
	cr_expect(!clock_from_rfc3339(NULL, &us) && us == 4711);
}

Test(clock, set_clock_moves_by_sleep_alone)
{
	void *mem = talloc_new(NULL);
	struct clock *clock = clock_set(mem, 100 * S);

	cr_expect(clock_now_us(clock) == 100 * S);
	cr_expect(clock_now_us(clock) == 100 * S);
	clock_sleep(clock, 5 * S);
	cr_expect(clock_now_us(clock) == 105 * S);
	clock_sleep(clock, 0);
	clock_sleep(clock, -S);
	cr_expect(clock_now_us(clock) == 105 * S, "a sleep of no time turned the clock");
	talloc_free(mem);
}

Test(clock, system_clock_sleeps)
{
	void *mem = talloc_new(NULL);
	struct clock *clock = clock_system(mem);
	int64_t before = clock_now_us(clock), after;

	cr_expect(before > 1735689600 * S, "before 2025: %lld", (long long)before);
	clock_sleep(clock, 20000);
	after = clock_now_us(clock);
	cr_expect(after - before >= 20000 && after - before < 5 * S, "slept %lld us",
		  (long long)(after - before));
	clock_sleep(clock, -1); /* returns at once */
	talloc_free(mem);
}
