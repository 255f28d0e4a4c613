/* mark.h - what a person reports by the marks of a message: a star, tags, the sub-folder `Done`.
 *
 * Marks are the words of struct endpoint_item: flags and keywords, and "/Done" in that sub-folder.
 * Only what changed since they were judged last counts, so each gesture counts once, however long
 * its mark stands. What changed is read as one report, in the order of gesture.h (a status before a
 * percentage), what was set before what was taken away:
 *
 *     set       a done mark             completed
 *     set       a number                that percentage; the highest of several
 *     removed   a done mark             open again, if the item shows it as completed
 *     set       a started mark          started, if the item shows it as not started
 *     removed   the last started mark   not started, if no percentage was reported
 *
 * Where the text was edited as well: a status written there counts before any mark, a percentage or
 * date before a number and a started mark. doc/taskferry-sync.7 tells this to people.
 */
#ifndef TASKFERRY_MARK_H
#define TASKFERRY_MARK_H

#include "conf/conf.h"
#include "decide/item.h"
#include "model/vector.h"

/* In the sub-folder [gestures] done_folder, whatever that is called. */
#define MARK_DONE_FOLDER "/Done"

/* True when a flag or keyword of a message is one that people set with a meaning: "\Flagged", and
 * keywords but those that software sets. Without regard to case. */
bool mark_is_one(const char *flag);

struct mark_input {
	const struct conf *conf;
	const char *before; /* as they were judged last; NULL: not known, so none is new */
	const char *now;    /* NULL: this kind of item has none */
	bool replaced; /* it is another message than the one of BEFORE: clients that edit or move
			  lose tags, so what is missing was not taken away by anybody */
	const struct vector *seen; /* the item as the person found it; NULL: first contact */
	const struct vector *item; /* as it was read now */
};

struct mark_report {
	const char *what; /* "star", "tag 40", "moved to Done": for the history */
	const struct vector
		*values; /* the item with what was reported; NULL: nothing that counts */
	bool afresh;     /* started: no earlier percentage comes back with it */
	const struct vector *beaten; /* what the marks say where the text says otherwise; or NULL */
};

/* NULL: no gesture was made. Pure. */
struct mark_report *mark_read(TALLOC_CTX *mem, const struct mark_input *input);

/* Those of MARKS that an item which shows WANT is not to bear: numbers (they have been said), and
 * what contradicts it: done marks on an open task, started marks on one that is not in process.
 * NULL: none. Pure. */
char *mark_drops(TALLOC_CTX *mem, const struct conf *conf, const char *marks,
		 const struct vector *want);

/* MARKS without those of DROPS (NULL: none); those of MARKS that are in OTHER too. NULL as MARKS:
 * NULL. */
char *mark_without(TALLOC_CTX *mem, const char *marks, const char *drops);
char *mark_common(TALLOC_CTX *mem, const char *marks, const char *other);

/* Those of MARKS that say something. */
char *mark_meaning(TALLOC_CTX *mem, const struct conf *conf, const char *marks);

/* True when MARKS (NULL: none) say that the message is in the sub-folder for what is done. */
bool mark_is_in_folder(const char *marks);

/* True when both are of the same marks; NULL is like none. */
bool mark_same(const char *a, const char *b);

/* True when an item that shows this decision tells its person nothing but their own report.
 * PROJECT_MOVED: the project's side has changed since the item was written. Pure. */
bool mark_is_echo(const struct item_decision *decision, bool project_moved);

#endif
