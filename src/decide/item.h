/* item.h - the decision on one item: merge, rights, rules, and what follows for both sides. Pure.
 */
#ifndef TASKFERRY_ITEM_H
#define TASKFERRY_ITEM_H

#include "decide/merge.h"
#include "decide/rules.h"
#include "decide/shown.h"
#include "model/revision.h"

struct item_input {
	const struct vector *project;  /* the assignment's values now */
	const int64_t *project_at_us;  /* [FIELDS] when each got its value */
	const char *const *project_by; /* [FIELDS] who gave it; NULL: not known */
	const char *author;            /* who edits the item; NULL: not known */
	const struct vector *want;     /* as last published; NULL: never */
	const struct vector *seen;     /* as last read; NULL: first contact */
	const struct vector
		*item; /* as read now; NULL: nothing was read, only the project's side counts */
	const char *writer; /* PRODID of ITEM, or NULL */
	struct merge_times times;
	int64_t own_percent;
	enum conf_dates dates;
	const char *parent_uid;
	const bool *project_moved, *item_moved; /* [GROUPS] in which that side can have changed;
						   NULL: any */
	const bool *assignee;                   /* [GROUPS] what an assignee may change by right */
	const struct shown_room *room;          /* of the item for attachments; NULL: any */
	int64_t booked; /* minutes of work that the person reported besides */
	struct rules *rules;
	const struct rules_context *context;
};

struct item_decision {
	struct vector *project;      /* the values that are to be the project's */
	bool changed[FIELDS];        /* which of them are new */
	const char *rule[FIELDS];    /* the rule that made a new value; NULL: the person did */
	const char *message[FIELDS]; /* its words */
	struct vector *want;         /* what the item is to show */
	const char *not_taken;       /* attachments that the person added and that did not become
					the project's: theirs, to be left alone; NULL: none */
	struct revision **revisions; /* what did not become the project's, state, fields, rule and
					message filled in */
	size_t revision_count;
	const char *remark; /* what rules warn of, for the trailer; NULL: nothing */
	bool pushed_back;   /* a person's value goes back changed: counts for M8 */
};

struct item_decision *item_decide(TALLOC_CTX *mem, const struct item_input *input);

#endif
