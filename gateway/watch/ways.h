/* ways.h - how accounts are watched, as one text for the control socket and back. Pure.
 *
 *     WAY[+SECONDS]:RANGES ...      "idle:1-20,25 notify+60:3 polled+900:7-9"
 *
 * SECONDS: what nobody tells of is asked for about as often.
 */
#ifndef TASKFERRY_WAYS_H
#define TASKFERRY_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct ways_account {
	int64_t account;
	const char *how; /* "notify", "idle" ... of endpoint_listen(), or "polled" */
	int64_t every_s; /* 0: nothing is polled */
};

/* LIST is sorted. A text of at most MAX bytes: what does not fit is left out. */
char *ways_text(TALLOC_CTX *mem, struct ways_account *list, size_t count, size_t max);

/* False: it is not in TEXT. HOW belongs to MEM. */
bool ways_find(TALLOC_CTX *mem, const char *text, int64_t account, struct ways_account *way_r);

#endif
