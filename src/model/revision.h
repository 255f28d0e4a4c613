/* revision.h - values that did not become, or have not yet become, the project's. Nothing that a
 * person wrote is dropped without one (N1). Its id, assignment, time and author are given when it
 * is kept (store/revisions.h). */
#ifndef TASKFERRY_REVISION_H
#define TASKFERRY_REVISION_H

#include "model/vector.h"

enum revision_state {
	REVISION_LOSING,    /* lost a conflict (M3) */
	REVISION_CORRECTED, /* a rule changed it */
	REVISION_REJECTED,  /* a rule refused it */
	REVISION_PROPOSED,  /* waits for the project manager */
	REVISION_ACCEPTED,
	REVISION_DISMISSED,
	REVISION_STATES
};

/* The values of one field in a revision: before, the one that did not become the project's, the one
 * that stands. */
struct revision_field {
	struct value base, theirs, ours;
};

struct revision {
	int64_t id, assignment_id;
	enum revision_state state;
	enum revision_state origin; /* the state that it was made in: one of the first four */
	const char *rule;    /* NULL */
	const char *message; /* NULL */
	bool has[FIELDS];
	struct revision_field field[FIELDS];
	int64_t at_us;
	const char *author;     /* who brought it about: whose round, whose import */
	const char *writer;     /* who wrote THEIRS; NULL: not known */
	const char *against;    /* who wrote OURS; NULL: not known, or nobody */
	int64_t decided_us;     /* 0: by nobody yet */
	const char *decided_by; /* "project:NAME", or NULL */
	const char *comment;    /* of who decided, or NULL */
};

const char *revision_state_name(enum revision_state state);

/* REVISION_STATES when there is no such name. */
enum revision_state revision_state_find(const char *name);

struct revision *revision_new(TALLOC_CTX *mem, enum revision_state state);

/* True when a person wrote, in an account of theirs, the value that did not become the project's. */
bool revision_is_of_person(const struct revision *revision);

/* Adds a field's values; copied. BASE may be NULL. */
void revision_field(struct revision *revision, enum field field, const struct value *base,
		    const struct value *theirs, const struct value *ours);

/* True when it says anything. */
bool revision_has_any(const struct revision *revision);

#endif
