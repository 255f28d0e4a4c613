/* liar.h - a CalDAV server with one calendar, that keeps what is put and honours conditions, until
 * a lie is told: some answers then are other than what it did.
 *
 * What it holds can be compared with what an endpoint says of it. */
#ifndef TASKFERRY_LIAR_H
#define TASKFERRY_LIAR_H

#include "gateway/caldav/caldav_outcome.h"
#include "scripted.h"

#define LIAR_FOLDER "/home/p/"

struct liar;

struct liar_lie {
	enum caldav_op op; /* to which requests; CALDAV_OPS: to all */
	const char *item;  /* of this item only ("a.ics"); NULL: any */
	int skip, times;   /* the first SKIP are answered truly; TIMES lies, 0: for ever */
	bool undone;       /* what is asked for is not carried out */
	enum scripted_manner manner;
	size_t cut;         /* as in scripted.h */
	const char *answer; /* head and body; NULL: the true one */
	/* NULL, or what is said in place of the true answer */
	char *(*twist)(TALLOC_CTX *mem, const char *answer);
};

struct liar *liar_new(TALLOC_CTX *mem);

/* For scripted_new() or lab_new(), with the liar as context. */
scripted_reply liar_reply;

/* From now on; NULL: the truth. */
void liar_tell(struct liar *liar, const struct liar_lie *lie);

/* Puts an item there, or takes it away (TEXT NULL), as somebody else would. */
void liar_set(struct liar *liar, const char *item, const char *text);

/* What stands there; NULL: nothing. Owned by MEM. */
char *liar_text(struct liar *liar, TALLOC_CTX *mem, const char *item);
char *liar_etag(struct liar *liar, TALLOC_CTX *mem, const char *item);
size_t liar_count(struct liar *liar);

/* How often the calendar has changed, and how many requests of a kind have come. */
int liar_changes(struct liar *liar);
int liar_asked(struct liar *liar, enum caldav_op op);

/* From now on it answers a PUT with the ETag of what it keeps. */
void liar_tags(struct liar *liar);

/* The folder as a whole is there, or not. */
void liar_folder(struct liar *liar, bool there);

/* Removes its name from the display of the folder, so that the next ensure sets it. */
void liar_unname(struct liar *liar);

/* Bytes of the last true answer in whose place a lie was told. */
size_t liar_last(struct liar *liar);

/* An answer with its length. */
char *liar_answer(TALLOC_CTX *mem, const char *status_line, const char *body);

#endif
