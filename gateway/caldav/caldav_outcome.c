#include "config.h"

#include "gateway/caldav/caldav_outcome.h"

#include <assert.h>
#include <string.h>

/* The order of the table: what is no answer, what is true for everything, then operation by
 * operation, each from the special to the general. Why a row is as it is stands beside it where the
 * RFCs do not say it. */

#define LOOK (1u << CALDAV_OP_LOOK)
#define LIST (1u << CALDAV_OP_LIST)
#define START (1u << CALDAV_OP_START)
#define CHANGES (1u << CALDAV_OP_CHANGES)
#define MULTIGET (1u << CALDAV_OP_MULTIGET)
#define GET (1u << CALDAV_OP_GET)
#define CREATE (1u << CALDAV_OP_CREATE)
#define REPLACE (1u << CALDAV_OP_REPLACE)
#define REMOVE (1u << CALDAV_OP_REMOVE)
#define MKCALENDAR (1u << CALDAV_OP_MKCALENDAR)
#define MKCOL (1u << CALDAV_OP_MKCOL)
#define NAME (1u << CALDAV_OP_NAME)
#define OPTIONS (1u << CALDAV_OP_OPTIONS)
#define ATTACH (1u << CALDAV_OP_ATTACH)
#define OTHER (1u << CALDAV_OP_OTHER)
#define ALL ((1u << CALDAV_OPS) - 1)
#define FOLDERS (LOOK | LIST | START | CHANGES)
#define PUTS (CREATE | REPLACE)
#define WRITES (PUTS | REMOVE | ATTACH)
#define MAKES (MKCALENDAR | MKCOL)
#define POISONS (LIST | START | CHANGES | MULTIGET | GET | WRITES) /* one text may fell a server */

#define NO(ops, said, outcome)                                                                     \
	{                                                                                          \
		ops, CALDAV_SAID_##said, 0, 0, NULL, CALDAV_OUTCOME_##outcome, false               \
	}
#define NO_MAYBE(ops, said, outcome)                                                               \
	{                                                                                          \
		ops, CALDAV_SAID_##said, 0, 0, NULL, CALDAV_OUTCOME_##outcome, true                \
	}
#define ON(ops, from, to, outcome)                                                                 \
	{                                                                                          \
		ops, CALDAV_SAID_STATUS, from, to, NULL, CALDAV_OUTCOME_##outcome, false           \
	}
#define ON_MAYBE(ops, from, to, outcome)                                                           \
	{                                                                                          \
		ops, CALDAV_SAID_STATUS, from, to, NULL, CALDAV_OUTCOME_##outcome, true            \
	}
#define FOR(ops, condition, outcome)                                                               \
	{                                                                                          \
		ops, CALDAV_SAID_STATUS, 400, 599, condition, CALDAV_OUTCOME_##outcome, false      \
	}

static const struct caldav_outcome_row rows[] = {
	/* no answer, or none that can be one */
	NO(ALL, UNSENT, AS_TOLD),
	NO_MAYBE(POISONS, SILENCE, UNANSWERED),
	NO_MAYBE(ALL, SILENCE, AS_TOLD),
	NO(FOLDERS, NONSENSE, RETRY_FOLDER),
	NO(FOLDERS, PAGE, RETRY_FOLDER),
	NO(FOLDERS, BROKEN, RETRY_FOLDER),
	NO(MULTIGET, NONSENSE, DIRECTLY),
	NO(MULTIGET, PAGE, DIRECTLY),
	NO(MULTIGET, BROKEN, DIRECTLY),
	NO(LOOK, WITHOUT, NO_FOLDER),
	NO(LIST, WITHOUT, RETRY_FOLDER), /* a listing names its folder too (N5) */
	NO(START, WITHOUT, OTHER_WAY),   /* a sync-collection has a token */
	NO(CHANGES, WITHOUT, FORGET_TOKEN),
	NO(MULTIGET, WITHOUT, DIRECTLY),
	NO(NAME | OPTIONS, NONSENSE, LEAVE),
	NO(NAME | OPTIONS, PAGE, LEAVE),
	NO(NAME | OPTIONS, BROKEN, LEAVE),
	NO_MAYBE(MKCALENDAR, PAGE, OTHER_WAY),
	NO_MAYBE(MKCALENDAR, BROKEN, OTHER_WAY),
	NO_MAYBE(MAKES, NONSENSE, RETRY_FOLDER),
	NO_MAYBE(MAKES, PAGE, RETRY_FOLDER),
	NO_MAYBE(MAKES, BROKEN, RETRY_FOLDER),
	NO_MAYBE(REMOVE, PAGE, LOOK_ITEM),
	NO_MAYBE(REMOVE, BROKEN, LOOK_ITEM),
	NO_MAYBE(REMOVE, WITHOUT, LOOK_ITEM),
	NO_MAYBE(ALL, NONSENSE, RETRY_ITEM),
	NO_MAYBE(ALL, PAGE, RETRY_ITEM),
	NO_MAYBE(ALL, BROKEN, RETRY_ITEM),
	NO(ALL, WITHOUT, DONE),
	NO(ALL, UNTAGGED, RETRY_ITEM),
	NO(ALL, HALF, RETRY_ITEM), /* without a length the end of a connection looks like the end */

	/* whatever was asked */
	ON(ALL, 401, 401, LOGIN),
	ON(ALL, 407, 407, PAUSE),
	ON_MAYBE(ALL, 408, 408, PAUSE),
	ON(ALL, 429, 429, WAIT),
	ON(ALL, 503, 503, PAUSE),
	ON(ALL, 511, 511, PAUSE),
	ON_MAYBE(POISONS, 502, 502,
		 UNANSWERED), /* what a proxy says when the program behind it died */
	ON_MAYBE(POISONS, 504, 504, UNANSWERED),
	ON_MAYBE(ALL, 502, 502, PAUSE),
	ON_MAYBE(ALL, 504, 504, PAUSE),

	/* what can be gone without */
	ON(NAME | OPTIONS, 200, 299, DONE),
	ON(NAME | OPTIONS, 100, 599, LEAVE),

	/* folders */
	ON(FOLDERS, 207, 207, READ),
	FOR(FOLDERS, "need-privileges", HOLD_FOLDER),
	FOR(CHANGES, "valid-sync-token", FORGET_TOKEN),
	ON(CHANGES, 400, 400, FORGET_TOKEN), /* five servers refuse a token in four ways */
	ON(CHANGES, 403, 403, FORGET_TOKEN),
	ON(CHANGES, 409, 410, FORGET_TOKEN),
	ON(CHANGES, 412, 412, FORGET_TOKEN),
	ON(CHANGES, 500, 500, FORGET_TOKEN),
	ON(CHANGES, 507, 507, FORGET_TOKEN),
	ON(START, 400, 400, OTHER_WAY),
	ON(START, 403, 403, OTHER_WAY),
	ON(START, 409, 409, OTHER_WAY),
	ON(START, 412, 412, OTHER_WAY),
	ON(START, 500, 500, OTHER_WAY_NOW),
	ON(START, 507, 507, OTHER_WAY_NOW), /* too much at once */
	ON(START | CHANGES, 405, 406, OTHER_WAY),
	ON(START | CHANGES, 415, 415, OTHER_WAY),
	ON(START | CHANGES, 422, 422, OTHER_WAY),
	ON(START | CHANGES, 501, 501, OTHER_WAY),
	ON(FOLDERS, 404, 404, NO_FOLDER),
	ON(FOLDERS, 410, 410, NO_FOLDER),
	ON(FOLDERS, 421, 421, RETRY_FOLDER),
	ON(FOLDERS, 423, 423, RETRY_FOLDER),
	ON(FOLDERS, 425, 425, RETRY_FOLDER),
	ON(FOLDERS, 400, 499, HOLD_FOLDER),
	ON(FOLDERS, 501, 501, HOLD_FOLDER),
	ON(FOLDERS, 100, 599, RETRY_FOLDER), /* 2xx that is no multistatus, 3xx, 5xx */

	/* reading */
	ON(MULTIGET, 207, 207, READ),
	ON(MULTIGET, 100, 599, DIRECTLY),
	ON(GET, 200, 200, DONE),
	ON(GET, 404, 404, GONE),
	ON(GET, 410, 410, GONE),
	ON(GET, 421, 421, RETRY_ITEM),
	ON(GET, 423, 423, RETRY_ITEM),
	ON(GET, 425, 425, RETRY_ITEM),
	ON(GET, 400, 499, HOLD_ITEM),
	ON(GET, 501, 501, HOLD_ITEM),
	ON(GET, 100, 599, RETRY_ITEM),

	/* space and rights, whatever is written */
	FOR(WRITES | MAKES, "quota-not-exceeded", FULL),
	FOR(WRITES | MAKES, "sufficient-disk-space", FULL),
	ON(WRITES | MAKES, 507, 507, FULL),
	FOR(WRITES | MAKES, "need-privileges", HOLD_FOLDER), /* not 10,000 times */

	/* folders that are made; a look follows whatever is not 201 */
	ON(MAKES, 200, 299, DONE),
	ON(MKCALENDAR, 400, 499, OTHER_WAY),
	ON(MKCALENDAR, 501, 501, OTHER_WAY),
	ON(MKCOL, 400, 499, HOLD_FOLDER),
	ON(MKCOL, 501, 501, HOLD_FOLDER),
	ON_MAYBE(MAKES, 100, 599, RETRY_FOLDER),

	/* attachments; what cannot be attached goes into the item */
	ON(ATTACH, 200, 299, DONE),
	ON(ATTACH, 404, 404, LOOK_ITEM),
	ON(ATTACH, 410, 410, LOOK_ITEM),
	ON(ATTACH, 412, 412, CHANGED),
	ON(ATTACH, 421, 421, RETRY_ITEM),
	ON(ATTACH, 423, 423, RETRY_ITEM),
	ON(ATTACH, 425, 425, RETRY_ITEM),
	ON(ATTACH, 400, 499, OTHER_WAY),
	ON(ATTACH, 501, 501, OTHER_WAY),

	/* removing */
	ON_MAYBE(REMOVE, 200, 299, LOOK_ITEM), /* nothing is believed without a look (N7) */
	ON(REMOVE, 404, 404, LOOK_ITEM),
	ON(REMOVE, 410, 410, LOOK_ITEM),
	ON(REMOVE, 412, 412, LOOK_ITEM),

	/* creating and replacing */
	ON(PUTS, 200, 299, DONE),
	FOR(PUTS, "no-uid-conflict", HOLD_ITEM),
	FOR(PUTS, "unique-scheduling-object-resource", HOLD_ITEM),
	FOR(PUTS, "supported-calendar-component", HOLD_ITEM), /* perhaps of this item alone */
	FOR(PUTS, "supported-calendar-data", HOLD_ITEM),
	FOR(PUTS, "valid-calendar-data", HOLD_ITEM),
	FOR(PUTS, "valid-calendar-object-resource", HOLD_ITEM),
	FOR(PUTS, "max-resource-size", HOLD_ITEM),
	ON(CREATE, 412, 412, LOOK_ITEM), /* one product says so of a text that it does not like */
	ON(CREATE, 404, 404, LOOK_FOLDER),
	ON(CREATE, 410, 410, LOOK_FOLDER),
	ON(REPLACE, 404, 404, LOOK_ITEM), /* one product says so of a text that it does not like */
	ON(REPLACE, 410, 410, LOOK_ITEM),
	ON(REPLACE, 412, 412, LOOK_ITEM), /* changed, gone, or a version that never holds */
	ON(PUTS, 403, 403, LOOK_FOLDER),
	ON(PUTS, 409, 409, LOOK_FOLDER), /* RFC 4918 section 9.7.1: a missing parent */

	/* the rest of writing, and what else is asked */
	ON(OTHER, 200, 299, DONE),
	ON(OTHER, 404, 404, GONE),
	ON(OTHER, 410, 410, GONE),
	ON(OTHER, 412, 412, CHANGED),
	ON(ALL, 421, 421, RETRY_ITEM),
	ON(ALL, 423, 423, RETRY_ITEM),
	ON(ALL, 425, 425, RETRY_ITEM),
	ON(ALL, 400, 499, HOLD_ITEM),
	ON(ALL, 501, 501, HOLD_ITEM),
	ON(ALL, 300, 399, RETRY_ITEM), /* not carried out */
	ON_MAYBE(ALL, 100, 599, RETRY_ITEM),
};

const struct caldav_outcome_row *caldav_outcome_of(enum caldav_op op, enum caldav_said said,
						   int status, const char *condition)
{
	assert(op < CALDAV_OPS && said < CALDAV_SAIDS);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct caldav_outcome_row *row = &rows[i];

		if (!(row->ops & 1u << op) || row->said != said)
			continue;
		if (said == CALDAV_SAID_STATUS && (status < row->from || status > row->to))
			continue;
		if (!row->condition || (condition && !strcmp(condition, row->condition)))
			return row;
	}
	/* a status that is none: the caller has not told it from nonsense */
	return caldav_outcome_of(op, CALDAV_SAID_NONSENSE, 0, NULL);
}

const struct caldav_outcome_row *caldav_outcome_rows(size_t *count_r)
{
	*count_r = COUNT_OF(rows);
	return rows;
}

static const struct {
	enum fault_kind kind;
	enum fault_scope scope;
	enum fault_next next;
	const char *words, *meaning;
} outcomes[] = {
#define X(name, kind, scope, next, words, meaning)                                                 \
	{ FAULT_##kind, FAULT_SCOPE_##scope, FAULT_NEXT_##next, words, meaning },
	CALDAV_OUTCOME_TABLE(X)
#undef X
};
_Static_assert(COUNT_OF(outcomes) == CALDAV_OUTCOMES, "one row per outcome");

bool caldav_outcome_good(enum caldav_outcome outcome)
{
	return outcome == CALDAV_OUTCOME_DONE || outcome == CALDAV_OUTCOME_READ;
}

struct fault *caldav_outcome_shape(struct fault *fault, enum caldav_outcome outcome)
{
	if (caldav_outcome_good(outcome) || outcome == CALDAV_OUTCOME_AS_TOLD)
		return fault;
	if (outcomes[outcome].kind != FAULT_KINDS)
		fault->kind = outcomes[outcome].kind;
	return fault_reaches(fault, outcomes[outcome].scope, outcomes[outcome].next);
}

const char *caldav_op_words(enum caldav_op op)
{
	static const char *const words[] = {
#define X(name, words) words,
		CALDAV_OP_TABLE(X)
#undef X
	};

	return words[op];
}

const char *caldav_said_words(enum caldav_said said)
{
	static const char *const words[] = {
#define X(name, words) words,
		CALDAV_SAID_TABLE(X)
#undef X
	};

	return words[said];
}

const char *caldav_outcome_words(enum caldav_outcome outcome)
{
	return outcomes[outcome].words;
}

const char *caldav_outcome_meaning(enum caldav_outcome outcome)
{
	return outcomes[outcome].meaning;
}
