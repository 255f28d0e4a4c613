/* How often an account is polled: by what happened in it, and when. */
#include "config.h"

#include "gateway/watch/pace.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/clock.h"

#define MINUTE_US (60 * CLOCK_SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define MONDAY_US (INT64_C(20780) * DAY_US) /* 2026-11-23 00:00 UTC */
#define POLL_US MINUTE_US
#define POLL_MAX_US (15 * MINUTE_US)

/* NOW is any clock that does not jump. */
static int64_t interval(struct pace *pace, int64_t wall_us)
{
	return pace_interval_us(pace, POLL_US, POLL_MAX_US, wall_us - MONDAY_US, wall_us);
}

static void happen(struct pace *pace, int64_t wall_us)
{
	pace_happened(pace, wall_us - MONDAY_US, wall_us);
}

static struct pace begin(int64_t wall_us)
{
	struct pace pace;

	pace_begin(&pace, wall_us - MONDAY_US, wall_us);
	return pace;
}

static const struct {
	int64_t quiet_us, interval_us;
} table[] = {
	{ 0, MINUTE_US },
	{ MINUTE_US, MINUTE_US },
	{ 10 * MINUTE_US, MINUTE_US },
	{ 20 * MINUTE_US, 2 * MINUTE_US },
	{ HOUR_US, 6 * MINUTE_US },
	{ 2 * HOUR_US, 12 * MINUTE_US },
	{ 150 * MINUTE_US, 15 * MINUTE_US },
	{ 8 * HOUR_US, 15 * MINUTE_US },
	{ 400 * DAY_US, 15 * MINUTE_US },
};

Test(pace, grows_with_the_quiet)
{
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct pace pace = begin(MONDAY_US);
		int64_t us = interval(&pace, MONDAY_US + table[i].quiet_us);

		cr_expect_eq(us, table[i].interval_us, "after %lld s: %lld s, expected %lld s",
			     (long long)(table[i].quiet_us / CLOCK_SECOND_US),
			     (long long)(us / CLOCK_SECOND_US),
			     (long long)(table[i].interval_us / CLOCK_SECOND_US));
	}
}

Test(pace, whatever_happens_ends_the_quiet_at_once)
{
	struct pace pace = begin(MONDAY_US);

	cr_assert_eq(interval(&pace, MONDAY_US + 8 * HOUR_US), POLL_MAX_US);
	happen(&pace, MONDAY_US + 8 * HOUR_US);
	cr_expect_eq(interval(&pace, MONDAY_US + 8 * HOUR_US), POLL_US);
	cr_expect_eq(interval(&pace, MONDAY_US + 8 * HOUR_US + 10 * MINUTE_US), POLL_US);
}

Test(pace, a_longest_below_the_shortest_is_the_shortest)
{
	struct pace pace = begin(MONDAY_US);

	cr_expect_eq(pace_interval_us(&pace, HOUR_US, MINUTE_US, 9 * DAY_US, MONDAY_US), HOUR_US);
	cr_expect_eq(pace_interval_us(&pace, MINUTE_US, MINUTE_US, 9 * DAY_US, MONDAY_US),
		     MINUTE_US);
}

/* Somebody works from nine to five, Monday to Friday, for three weeks. */
static struct pace worker(void)
{
	struct pace pace = begin(MONDAY_US);

	for (int day = 0; day < 21; day++)
		for (int hour = 0; hour < 24; hour++) {
			int64_t wall_us = MONDAY_US + day * DAY_US + hour * HOUR_US;

			(void)interval(&pace, wall_us);
			if (day % 7 < 5 && hour >= 9 && hour < 17)
				happen(&pace, wall_us + 20 * MINUTE_US);
		}
	return pace;
}

static const struct {
	const char *when;
	int day;
	int64_t time_us, interval_us;
} habits[] = {
	{ "at night", 21, 4 * HOUR_US, POLL_MAX_US },
	{ "before work", 21, 9 * HOUR_US - 1, POLL_MAX_US },
	{ "when work usually begins", 21, 9 * HOUR_US, POLL_MAX_US / (1 + PACE_HABIT_MAX) },
	{ "in the evening", 21, 22 * HOUR_US, POLL_MAX_US },
	{ "on a Saturday morning", 26, 9 * HOUR_US, POLL_MAX_US },
};

Test(pace, looks_more_often_when_people_usually_work)
{
	for (size_t i = 0; i < COUNT_OF(habits); i++) {
		struct pace pace = worker();
		int64_t us, wall_us = MONDAY_US + habits[i].day * DAY_US + habits[i].time_us;

		/* the hours between have been quiet */
		pace.hour = (int32_t)(wall_us / HOUR_US);
		us = interval(&pace, wall_us);
		cr_expect_eq(us, habits[i].interval_us, "%s: %lld s, expected %lld s",
			     habits[i].when, (long long)(us / CLOCK_SECOND_US),
			     (long long)(habits[i].interval_us / CLOCK_SECOND_US));
	}
}

Test(pace, forgets_a_habit_that_has_ended)
{
	struct pace pace = worker();
	int64_t wall_us = MONDAY_US + 21 * DAY_US;

	for (int hour = 0; hour < 14 * 24; hour++)
		(void)interval(&pace, wall_us + hour * HOUR_US);
	cr_expect_eq(interval(&pace, wall_us + 14 * DAY_US + 9 * HOUR_US), POLL_MAX_US);
}

Test(pace, an_hour_counts_once)
{
	struct pace pace = begin(MONDAY_US);

	for (int i = 0; i < 50; i++)
		happen(&pace, MONDAY_US + 9 * HOUR_US + i * MINUTE_US);
	(void)interval(&pace, MONDAY_US + 33 * HOUR_US - 1);
	cr_expect_eq(interval(&pace, MONDAY_US + 33 * HOUR_US), POLL_MAX_US / 2);
}

/* Whatever happens, and however the clocks go. */
Test(pace, bounds_are_never_left)
{
	unsigned int seed = 1;

	for (int round = 0; round < 2000; round++) {
		int64_t poll_us = (1 + rand_r(&seed) % 3600) * CLOCK_SECOND_US;
		int64_t max_us = poll_us * (1 + rand_r(&seed) % 50);
		int64_t now_us = 0, wall_us = rand_r(&seed) * INT64_C(1000000);
		uint64_t dice = rand_r(&seed);
		struct pace pace;

		pace_begin(&pace, now_us, wall_us);
		for (int step = 0; step < 40; step++) {
			int64_t us, jittered, pass_us = rand_r(&seed) % (2 * DAY_US);

			now_us += pass_us;
			wall_us += rand_r(&seed) % 16 ? pass_us : -pass_us / 2;
			if (rand_r(&seed) % 3 == 0)
				pace_happened(&pace, now_us, wall_us);
			us = pace_interval_us(&pace, poll_us, max_us, now_us, wall_us);
			cr_assert(us >= poll_us && us <= max_us, "%lld of %lld to %lld",
				  (long long)us, (long long)poll_us, (long long)max_us);
			if (now_us == pace.active_us)
				cr_assert_eq(us, poll_us, "something has just happened");
			jittered = pace_jitter_us(us, &dice);
			cr_assert(jittered >= us - us / 5 && jittered <= us + us / 5);
		}
	}
}

Test(pace, longer_quiet_is_never_a_shorter_interval)
{
	struct pace pace = begin(MONDAY_US);
	int64_t last = 0;

	for (int64_t quiet = 0; quiet < 4 * HOUR_US; quiet += 7 * CLOCK_SECOND_US) {
		int64_t us = interval(&pace, MONDAY_US + quiet);

		cr_assert_geq(us, last);
		last = us;
	}
	cr_expect_eq(last, POLL_MAX_US);
}

Test(pace, an_interval_is_a_fifth_more_or_less)
{
	uint64_t dice = 7;
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < 1000; i++) {
		int64_t us = pace_jitter_us(MINUTE_US, &dice);

		least = us < least ? us : least;
		most = us > most ? us : most;
	}
	cr_expect(least >= 48 * CLOCK_SECOND_US && least < 49 * CLOCK_SECOND_US, "least %lld",
		  (long long)least);
	cr_expect(most <= 72 * CLOCK_SECOND_US && most > 71 * CLOCK_SECOND_US, "most %lld",
		  (long long)most);
}

Test(pace, accounts_do_not_come_in_step)
{
	int buckets[24] = { 0 };

	for (int64_t account = 1; account <= 2400; account++) {
		uint64_t dice = (uint64_t)account;

		buckets[(pace_jitter_us(MINUTE_US, &dice) - 48 * CLOCK_SECOND_US) /
			CLOCK_SECOND_US % 24]++;
	}
	for (int i = 0; i < 24; i++)
		cr_expect(buckets[i] > 60 && buckets[i] < 140, "%d accounts in second %d",
			  buckets[i], i);
}
