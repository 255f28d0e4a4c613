/* history_make.h - random histories: what people, clients, servers and machines do, as lines of the
 * scenarios' language. */
#ifndef TASKFERRY_TESTS_HISTORY_MAKE_H
#define TASKFERRY_TESTS_HISTORY_MAKE_H

#include <stdint.h>

#include "history_play.h"

#define HISTORY_STEPS_MAX 24 /* longer ones find little more, and are played less often */

/* Random numbers of a seed. */
struct history_dice {
	uint64_t state;
};
struct history_dice history_dice_new(uint64_t seed);
unsigned history_dice_roll(struct history_dice *dice, unsigned sides); /* 0 .. SIDES - 1 */

/* Whether the seed's history is one of messages. */
bool history_make_messages(uint64_t seed);

/* Makes up the history of a seed and plays it, line by line; each is told to TELL before it is
 * played. */
void history_make(struct history *history, uint64_t seed,
		  void (*tell)(void *data, const char *line), void *data);

#endif
