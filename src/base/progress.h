/* progress.h - how far a long piece of work has come, for the person who waits for it.
 *
 * On a terminal one line, redrawn at most ten times a second: bar, numbers, rate, time left.
 * Elsewhere plain lines, at most one in five seconds. Nothing at all for work that ends within a
 * second. One thread.
 */
#ifndef TASKFERRY_PROGRESS_H
#define TASKFERRY_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

#define PROGRESS_QUIET_US CLOCK_SECOND_US	 /* work as short as that is not worth a word */
#define PROGRESS_REDRAW_US (CLOCK_SECOND_US / 10) /* on a terminal: faster cannot be read */
#define PROGRESS_LINE_US (5 * CLOCK_SECOND_US)	 /* elsewhere: a log must not drown in it */

struct progress;

/* Work named WHAT begins now. CLOCK and OUT (NULL: stderr) outlive the progress; whether OUT is a
 * terminal is asked here. Freeing it unended leaves a drawn line complete. */
struct progress *progress_new(TALLOC_CTX *mem, struct clock *clock, FILE *out, const char *what);

/* DONE of TOTAL pieces are done; TOTAL 0: nobody knows how many there are. Cheap: call it often. */
void progress_step(struct progress *progress, int64_t done, int64_t total);

/* The work has ended: a last line with its numbers and the time that it took, if it took longer
 * than PROGRESS_QUIET_US. Once; afterwards nothing is written. NULL is allowed here and above. */
void progress_end(struct progress *progress);

#endif
