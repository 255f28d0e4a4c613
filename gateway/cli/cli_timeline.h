/* cli_timeline.h - all that happened to an assignment, in one order: changes of its values and of
 * itself, what was booked, revisions and what was decided on them. */
#ifndef TASKFERRY_CLI_TIMELINE_H
#define TASKFERRY_CLI_TIMELINE_H

#include "gateway/cli/cli.h"

struct cli_timeline;

/* Reads it, without bookings unless they are asked for, as one view of the database; the events of a
 * time stand in the order in which they were written. */
struct fault *cli_timeline_read(struct cli *cli, const struct assignment *assignment, bool bookings,
				struct cli_timeline **timeline_r) ATTR_MUST_CHECK;

size_t cli_timeline_count(const struct cli_timeline *timeline);

/* Prints the events from number FIRST on as a table, newest last. */
void cli_timeline_print(struct cli *cli, const struct cli_timeline *timeline, size_t first);

/* All of them as an array. */
json_t *cli_timeline_json(struct cli *cli, const struct cli_timeline *timeline);

#endif
