#include "config.h"

#include "gateway/watch/attend.h"

/* An endpoint whose kind cannot listen has no connection that has to be let go. */

enum attend_end attend_rest(struct attend *attend)
{
	attend->ear = ATTEND_DEAF;
	if (endpoint_can_listen(attend->endpoint))
		endpoint_rest(attend->endpoint);
	return ATTEND_QUIET;
}

static enum attend_end lost(struct attend *attend)
{
	(void)attend_rest(attend);
	return ATTEND_LOST;
}

enum attend_end attend_listen(struct attend *attend)
{
	struct endpoint_ear ear = ATTEND_DEAF;

	attend->ear = ATTEND_DEAF;
	if (!attend->sits || !attend->count || !endpoint_can_listen(attend->endpoint))
		return attend_rest(attend);
	if (endpoint_listen(attend->endpoint, attend->folders, attend->count, &ear))
		return lost(attend);
	attend->missed = ear.missed;
	if (ear.changed)
		return ATTEND_MOVED;
	if (ear.fd < 0)
		return attend_rest(attend);
	attend->ear = ear;
	return ATTEND_QUIET;
}

enum attend_end attend_heard(struct attend *attend)
{
	bool changed = false;

	if (endpoint_heard(attend->endpoint, &changed))
		return lost(attend);
	if (!changed)
		return ATTEND_QUIET;
	attend->ear = ATTEND_DEAF;
	return ATTEND_MOVED;
}

enum attend_end attend_renew(struct attend *attend)
{
	if (endpoint_hush(attend->endpoint))
		return lost(attend);
	return attend_listen(attend);
}

enum attend_end attend_poll(struct attend *attend)
{
	size_t first = attend->ear.fd >= 0 ? attend->ear.count : 0;

	if (endpoint_hush(attend->endpoint)) /* what it has heard may have got no job */
		return lost(attend);
	attend->ear = ATTEND_DEAF;
	if (places_moved(attend->places, first, attend->endpoint))
		return ATTEND_MOVED;
	return attend_listen(attend);
}

bool attend_hears_all(const struct endpoint_ear *ear, size_t count)
{
	return ear->fd >= 0 && ear->count >= count && !ear->doubtful;
}
