/* revisions.h - where revisions are kept. */
#ifndef TASKFERRY_REVISIONS_H
#define TASKFERRY_REVISIONS_H

#include "model/revision.h"
#include "store/store.h"

/* Writes it with a new id. A proposal or a losing value that stands there already, to the letter, is
 * not written again: a round that is repeated meets it again, and so does a client that writes the same
 * old copy for ever. Work is: its sources are met once, and twice the
 * same time is more. */
struct fault *revisions_add(struct store *store, const struct revision *revision) ATTR_MUST_CHECK;

/* In order of id; STATE REVISION_STATES: all. */
struct fault *revisions_list(struct store *store, TALLOC_CTX *mem, enum revision_state state,
			     struct revision **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* All of an assignment, in order of id. */
struct fault *revisions_of(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			   struct revision **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* The newest, by when they were made or decided, of what persons wrote; newest first. */
#define REVISIONS_NEWEST 10 /* more than an item tells about */
struct fault *revisions_newest(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			       struct revision **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Writes state, comment and decision of a revision that is kept. */
struct fault *revisions_decide(struct store *store,
			       const struct revision *revision) ATTR_MUST_CHECK;

/* NULL when there is none of that id. */
struct fault *revisions_get(struct store *store, TALLOC_CTX *mem, int64_t id,
			    struct revision **revision_r) ATTR_MUST_CHECK;

#endif
