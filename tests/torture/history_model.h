/* history_model.h - what must be true of a project and its people's items, by what people wrote.
 *
 * It knows nothing of merging. It keeps what each person and the manager really wrote, where and
 * when, and asks after each sync:
 *
 *   N1  each value that a person wrote is in the change log after that moment, or in a revision, or
 *       was the project's already, or was written over by the same person before it was read; each
 *       value of the manager's is in the change log; no value stands there that nobody wrote
 *   N2  one item for each active assignment, none for others
 *   N4  foreign properties and alarms that stood in an item before a sync stand there after it
 *   M3  where both wrote, the later one's value is the project's (so also M1)
 *   items and project say the same
 */
#ifndef TASKFERRY_TESTS_HISTORY_MODEL_H
#define TASKFERRY_TESTS_HISTORY_MODEL_H

#include "../scenario/client.h"
#include "history_item.h"

struct history_model;

struct history_model *history_model_new(TALLOC_CTX *mem, struct world *world);

/* An item's text became another one by its person's hand. BEFORE and AFTER: what the client had
 * before its edit, and after it; STALE: its copy was not what the server held. */
void history_model_wrote(struct history_model *model, const char *who, const char *title,
			 const struct client_item *before, const struct client_item *after,
			 bool stale);

/* TITLE NULL: all of the folder. */
void history_model_removed(struct history_model *model, const char *who, const char *title);

/* What the item says may count for newer than it is (it was put back, or stands there twice): until
 * a quiet sync nothing is foretold. */
void history_model_doubt(struct history_model *model, const char *who, const char *title);

/* The server's time of the item is now, though nothing was edited. */
void history_model_moved(struct history_model *model, const char *who, const char *title);

/* There is a second item of the same UID, or the first one has got another UID: N2 is not asked any
 * more, nor what a client wrote into which of them. */
void history_model_copied(struct history_model *model, const char *who, const char *title);

/* The person put a line of work into the notes. */
void history_model_worked(struct history_model *model, const char *who, const char *title,
			  const char *line);

/* An item bears another title or UID than its task since the last quiet sync: by those a database
 * that has forgotten it would know it (M6). */
bool history_model_is_renamed(const struct history_model *model);
/* Until a quiet sync the item may be met for the first time. */
bool history_model_is_adopting(struct history_model *model, const char *who, const char *title);

/* Before `set` FIELD=VALUE, or the import of the plan as it stands now, is played. */
void history_model_set(struct history_model *model, const char *who, const char *title,
		       const char *assignment);
void history_model_import(struct history_model *model);

/* The task was taken out of the plan, or put back. */
void history_model_dropped(struct history_model *model, const char *title);
void history_model_lost(struct history_model *model); /* the database */

/* The items as they stand, for N4. */
void history_model_before_sync(struct history_model *model);

/* QUIET: no fault happened, nothing waits and nothing is held. Fails by history_fail(). */
void history_model_after_sync(struct history_model *model, bool quiet);

/* Assignments, by person and title, as the model knows them. False: the database has no such assignment. */
bool history_model_state(struct history_model *model, const char *who, const char *title,
			 enum assignment_state *state_r);

size_t history_model_count(const struct history_model *model);
void history_model_row(const struct history_model *model, size_t i, const char **who_r,
		       const char **title_r);

#endif
