#include "config.h"

#include "base/point.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct points {
	int kill_at; /* a point, or -1 */
	long kill_count;
	atomic_long seen;
	int log_fd; /* -1: no log */
};

static const struct {
	const char *name;
	const char *words;
} point_rows[] = {
#define X(name, words) { #name, words },
	POINT_TABLE(X)
#undef X
};
_Static_assert(COUNT_OF(point_rows) == POINTS, "one row per point");

static int points_close(struct points *points)
{
	if (points->log_fd >= 0)
		close(points->log_fd);
	return 0;
}

struct points *points_new(TALLOC_CTX *mem, const char *kill, const char *log)
{
	struct points *points = MEM_NEW(mem, struct points);
	const char *colon = kill ? strchr(kill, ':') : NULL;
	size_t len = colon ? (size_t)(colon - kill) : kill ? strlen(kill) : 0;

	points->kill_at = -1;
	points->kill_count = colon ? strtol(colon + 1, NULL, 10) : 1;
	points->log_fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	for (int i = 0; kill && i < POINTS; i++)
		if (strlen(point_rows[i].name) == len && !strncmp(point_rows[i].name, kill, len))
			points->kill_at = i;
	talloc_set_destructor(points, points_close);
	return points;
}

bool points_watched(const struct points *points)
{
	return points && (points->log_fd >= 0 || points->kill_at >= 0);
}

void point_reach(struct points *points, enum point point)
{
	if (!points)
		return;
	if (points->log_fd >= 0) {
		char line[64];
		int n = snprintf(line, sizeof line, "%s\n", point_rows[point].name);

		if (write(points->log_fd, line, (size_t)n) != n)
			return; /* a test's log on a full disk: the runner sees the missing name */
	}
	if (points->kill_at == (int)point &&
	    atomic_fetch_add(&points->seen, 1) + 1 == points->kill_count)
		raise(SIGKILL);
}

const char *point_name(enum point point)
{
	return point_rows[point].name;
}

const char *point_words(enum point point)
{
	return point_rows[point].words;
}
