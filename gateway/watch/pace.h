/* pace.h - how long until an account that announces nothing is asked again. Pure.
 *
 *     interval = the time since something last happened / PACE_SHARE,
 *                not less than `poll`, not more than the ceiling
 *     ceiling  = `poll_max`, divided by 1 + how often something happened at this hour before
 *
 * So an account is asked every `poll` while somebody works in it and for ten times as long afterwards,
 * then less and less often: at night and in holidays every `poll_max`. Where people usually begin at
 * nine, an account is asked more often again from nine on, before anything has happened.
 *
 * What happens is a change that was read or a write that was sent. A change in the project does not wait
 * for any of this: it is sent at once.
 */
#ifndef TASKFERRY_PACE_H
#define TASKFERRY_PACE_H

#include <stdint.h>

#define PACE_SHARE 10 /* a change is noticed after a tenth of the quiet before it, at most */
#define PACE_HABIT_MAX 7
#define PACE_HOURS                                                                                 \
	48 /* of a working day, and of a day of the weekend; UTC, as habits go by no name */

/* One account's; 64 bytes, so that ten thousand are nothing. */
struct pace {
	int64_t active_us;               /* when something last happened */
	int32_t hour;                    /* that it is in, since 1970; 0: none yet */
	unsigned char used;              /* something has happened in it */
	unsigned char habit[PACE_HOURS]; /* how often lately, at most PACE_HABIT_MAX */
};

/* It is NOW_US by a clock that never jumps, and WALL_US by that of the people. An account that nothing
 * is known of begins as if something had just happened. */
void pace_begin(struct pace *pace, int64_t now_us, int64_t wall_us);

/* Something has happened. */
void pace_happened(struct pace *pace, int64_t now_us, int64_t wall_us);

/* From now on, between POLL_US and POLL_MAX_US (POLL_US where that is less); takes notice of hours in
 * which nothing has happened. */
int64_t pace_interval_us(struct pace *pace, int64_t poll_us, int64_t poll_max_us, int64_t now_us,
			 int64_t wall_us);

/* POLL_US more or less, by the dice of one account: one in five (PACE_JITTER_PERCENT), so that accounts
 * that began together do not stay together. */
#define PACE_JITTER_PERCENT 20
int64_t pace_jitter_us(int64_t interval_us, uint64_t *dice);

/* splitmix64 */
uint64_t pace_dice(uint64_t *dice);

#endif
