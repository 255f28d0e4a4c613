/* clock.h - the time, by pointer, so that tests turn it. All times are microseconds since
 * 1970-01-01 UTC. */
#ifndef TASKFERRY_CLOCK_H
#define TASKFERRY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

#define CLOCK_SECOND_US INT64_C(1000000)

struct clock {
	int64_t (*now_us)(struct clock *clock);
	void (*sleep_us)(struct clock *clock, int64_t us);
	int64_t set_us; /* the time of a set clock; unused by the system's */
};

/* The system's clock; it has no state. */
struct clock *clock_system(TALLOC_CTX *mem);

/* A clock that stands at START_US and moves only by clock_sleep(): for tests. */
struct clock *clock_set(TALLOC_CTX *mem, int64_t start_us);

int64_t clock_now_us(struct clock *clock);
void clock_sleep(struct clock *clock, int64_t us);

/* "2026-11-21T09:00:00Z", with a fraction (six digits) only where there is one; a time outside
 * of the years 0 to 9999 is written as the nearest inside. And back: false if it is not that
 * form; a fraction may have one to nine digits, of which microseconds count. No other zone than
 * Z, no leap second. */
char *clock_rfc3339(TALLOC_CTX *mem, int64_t us);
bool clock_from_rfc3339(const char *text, int64_t *us_r);

#endif
