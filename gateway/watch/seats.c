#include "config.h"

#include "gateway/watch/seats.h"

#include "gateway/watch/pace.h"

size_t seats_limit(const struct seats *seats, int64_t now_us)
{
	size_t limit = (size_t)seats->server->connections;

	if (now_us < seats->lowered_until_us && seats->lowered < limit)
		return seats->lowered;
	return limit;
}

bool seats_has_room(const struct seats *seats, int64_t now_us)
{
	return seats->taken < seats_limit(seats, now_us);
}

bool seats_crowded(struct seats *seats, int64_t now_us)
{
	size_t leave = (seats->taken + SEATS_CROWDED_SHARE - 1) / SEATS_CROWDED_SHARE;

	if (now_us < seats->lowered_until_us &&
	    now_us - seats->lowered_at_us < SEATS_CROWDED_AGAIN_US)
		return false;
	seats->lowered = seats->taken - leave;
	seats->lowered_at_us = now_us;
	seats->lowered_until_us = now_us + SEATS_CROWDED_US;
	return true;
}

int64_t seats_return_us(struct seats *seats, int64_t now_us, uint64_t *dice)
{
	if (seats->return_us < now_us)
		seats->return_us = now_us;
	else
		seats->return_us += SEATS_RETURN_US;
	return seats->return_us + (int64_t)(pace_dice(dice) % SEATS_RETURN_JITTER_US);
}
