/* history_watch.h - everything that the memory servers ever held, and what the database says that
 * they hold (N11). */
#ifndef TASKFERRY_TESTS_HISTORY_WATCH_H
#define TASKFERRY_TESTS_HISTORY_WATCH_H

#include "../scenario/world.h"

struct history_watch;

struct history_watch *history_watch_new(TALLOC_CTX *mem, struct world *world);

/* Looks at the servers' files; after every request that writes. */
void history_watch_look(struct history_watch *watch);

/* N11: each link's `seen` is a text that its server held at that address in that version. NOW: it
 * is the one that the server holds. Fails by history_fail(). */
void history_watch_check(struct history_watch *watch, TALLOC_CTX *mem, bool now);

#endif
