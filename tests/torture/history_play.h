/* history_play.h - plays a history: lines of the scenarios' language, with the model's questions
 * between them. */
#ifndef TASKFERRY_TESTS_HISTORY_PLAY_H
#define TASKFERRY_TESTS_HISTORY_PLAY_H

#include "history_model.h"
#include "history_watch.h"

struct history {
	struct world *world;
	struct history_model *model;
	struct history_watch *watch;
	bool faulty;                             /* faults are scripted */
	const char *meddling;                    /* a line for the middle of the next sync */
	bool meddled;                            /* it was played */
	const char *deleted_who, *deleted_title; /* what may be brought back */
	bool quiet;                              /* the last sync was */
};

struct history *history_new(bool messages, const char *template);
void history_free(struct history *history);

/* False: the line made no sense here (no such item ...) and was left out. Fails by history_fail().
 */
bool history_play(struct history *history, const char *line);

/* Until nothing waits; then N3, N11 and once more all the rest. */
void history_finish(struct history *history);

#endif
