#include "config.h"

#include "gateway/watch/pace.h"

#include "base/clock.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)
#define WEEK_HOURS (7 * 24)
#define FIRST_HOUR (4 * 24) /* 1970 began on a Thursday: hours until the first Monday */

/* The place of an hour among working days' and weekends' hours. */
static int place_of(int32_t hour)
{
	int of_week = (hour - FIRST_HOUR) % WEEK_HOURS;

	if (of_week < 0)
		of_week += WEEK_HOURS;
	return of_week % 24 + (of_week / 24 >= 5 ? 24 : 0);
}

static int32_t hour_of(int64_t wall_us)
{
	return (int32_t)(wall_us / HOUR_US);
}

/* The hours until now, of which all but the first saw nothing. */
static void pass(struct pace *pace, int64_t wall_us)
{
	int32_t now = hour_of(wall_us);

	if (now < pace->hour || now - pace->hour > WEEK_HOURS) { /* set back, or long ago */
		pace->hour = now;
		pace->used = 0;
	}
	for (; pace->hour < now; pace->hour++) {
		unsigned char *habit = &pace->habit[place_of(pace->hour)];

		if (!pace->used && *habit)
			--*habit;
		pace->used = 0;
	}
}

void pace_begin(struct pace *pace, int64_t now_us, int64_t wall_us)
{
	*pace = (struct pace){ .active_us = now_us, .hour = hour_of(wall_us) };
}

void pace_happened(struct pace *pace, int64_t now_us, int64_t wall_us)
{
	unsigned char *habit;

	pass(pace, wall_us);
	habit = &pace->habit[place_of(pace->hour)];
	if (!pace->used && *habit < PACE_HABIT_MAX)
		++*habit;
	pace->used = 1;
	pace->active_us = now_us;
}

int64_t pace_interval_us(struct pace *pace, int64_t poll_us, int64_t poll_max_us, int64_t now_us,
			 int64_t wall_us)
{
	int64_t interval, ceiling;

	pass(pace, wall_us);
	ceiling = poll_max_us / (1 + pace->habit[place_of(pace->hour)]);
	interval = (now_us - pace->active_us) / PACE_SHARE;
	if (interval > ceiling)
		interval = ceiling;
	return interval > poll_us ? interval : poll_us;
}

uint64_t pace_dice(uint64_t *dice)
{
	uint64_t z = *dice += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t pace_jitter_us(int64_t interval_us, uint64_t *dice)
{
	int64_t spread = interval_us / 100 * PACE_JITTER_PERCENT;

	return interval_us - spread + (int64_t)(pace_dice(dice) % (uint64_t)(2 * spread + 1));
}
