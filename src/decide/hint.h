/* hint.h - how a person can report by a message, as its card says it: what [gestures] and [replies] of this
 * site make a report, and nothing else.
 */
#ifndef TASKFERRY_HINT_H
#define TASKFERRY_HINT_H

#include "base/mem.h"
#include "conf/conf.h"

/* One line, a sentence. Pure. */
char *hint_message(TALLOC_CTX *mem, const struct conf *conf);

#endif
