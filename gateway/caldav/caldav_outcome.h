/* caldav_outcome.h - what an answer of a CalDAV server leads to: one table (M5: no status without a
 * defined end).
 *
 *   operation x what was said (a status, or what is none) x the violated condition -> outcome
 *
 * Rows are tried in their order, the first that holds counts; each answer to each operation meets
 * one. doc/taskferry-servers.7 shows the same rows; a test compares the two. Pure.
 */
#ifndef TASKFERRY_CALDAV_OUTCOME_H
#define TASKFERRY_CALDAV_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

#define CALDAV_OP_TABLE(X)                                                                         \
	X(LOOK, "look")           /* PROPFIND of one address: a folder, a principal, the home */   \
	X(LIST, "list")           /* PROPFIND Depth 1 */                                           \
	X(START, "first changes") /* sync-collection without a token */                            \
	X(CHANGES, "changes")     /* sync-collection with one */                                   \
	X(MULTIGET, "get many")   /* calendar-multiget */                                          \
	X(GET, "get")                                                                              \
	X(CREATE, "create")        /* PUT If-None-Match: * */                                      \
	X(REPLACE, "replace")      /* PUT If-Match */                                              \
	X(REMOVE, "remove")        /* DELETE If-Match */                                           \
	X(MKCALENDAR, "make")      /* MKCALENDAR */                                                \
	X(MKCOL, "make otherwise") /* extended MKCOL */                                            \
	X(NAME, "name")            /* PROPPATCH */                                                 \
	X(OPTIONS, "options")                                                                      \
	X(ATTACH, "attach") /* POST ?action=attachment-... */                                      \
	X(OTHER, "other")

/* What came back; STATUS: a whole answer with a status that means what it says. */
#define CALDAV_SAID_TABLE(X)                                                                       \
	X(STATUS, "status")                                                                        \
	X(UNSENT, "not sent")                                                                      \
	X(SILENCE, "no whole answer")                                                              \
	X(NONSENSE, "no HTTP, or too long")                                                        \
	X(PAGE, "200 with a page for people")                                                      \
	X(BROKEN, "207 cut, or not XML")                                                           \
	X(WITHOUT, "207 without what was asked for")                                               \
	X(UNTAGGED, "200 without ETag")                                                            \
	X(HALF, "200 with half an item")

/* name, kind of the fault (KINDS: as the status says), how far it reaches, what next, words, meaning */
#define CALDAV_OUTCOME_TABLE(X)                                                                    \
	X(DONE, KINDS, ITEM, RETRY, "done", "what was written is read back before it is believed") \
	X(READ, KINDS, FOLDER, RETRY, "read",                                                      \
	  "what is said of each address in it counts for that address")                            \
	X(CHANGED, CHANGED, ITEM, RETRY, "changed",                                                \
	  "the item is read and decided again, at most three times in a round, then held")         \
	X(GONE, GONE, ITEM, RETRY, "gone",                                                         \
	  "the item is not there; what follows is said by the ladder of a deletion")               \
	X(NO_FOLDER, GONE, FOLDER, RETRY, "no folder",                                             \
	  "the folder is not there, which says nothing of its items")                              \
	X(LOOK_ITEM, KINDS, ITEM, RETRY, "look at item",                                           \
	  "the item is asked for: not there, it is gone (remove: done; create: the text is "       \
	  "refused); in another version, changed; in the very version that was named, refused, "   \
	  "or (remove) tried again later")                                                         \
	X(LOOK_FOLDER, REFUSED, ITEM, HOLD, "look at folder",                                      \
	  "the folder is asked for: not there, then no folder; else the item is held")             \
	X(DIRECTLY, KINDS, FOLDER, RETRY, "directly",                                              \
	  "each item is asked for by a request of its own")                                        \
	X(OTHER_WAY, REFUSED, FOLDER, HOLD, "other way",                                           \
	  "the server cannot do this: changes are found by listing, a folder is looked for and "   \
	  "then made otherwise, an attachment goes into the item")                                 \
	X(OTHER_WAY_NOW, BUSY, FOLDER, RETRY, "other way now",                                     \
	  "so this time; it may be a passing weakness, so it is not remembered")                   \
	X(FORGET_TOKEN, TOKEN, FOLDER, RETRY, "forget token",                                      \
	  "everything is listed anew and compared")                                                \
	X(LEAVE, KINDS, ITEM, HOLD, "leave", "it is not needed: everything goes on without it")    \
	X(HOLD_ITEM, REFUSED, ITEM, HOLD, "hold item",                                             \
	  "the item is held, with the server's reason, until a person has seen to it; others go "  \
	  "on")                                                                                    \
	X(HOLD_FOLDER, REFUSED, FOLDER, HOLD, "hold folder",                                       \
	  "nothing more is tried in this folder in this round, and the reason is shown")           \
	X(RETRY_ITEM, KINDS, ITEM, RETRY, "retry item",                                            \
	  "the item is tried again, less and less often, down to once an hour; others go on")      \
	X(RETRY_FOLDER, KINDS, FOLDER, RETRY, "retry folder", "the same for the folder")           \
	X(FULL, FULL, ACCOUNT, RETRY, "full", "the account waits until there is space")            \
	X(WAIT, BUSY, ACCOUNT, RETRY, "wait", "the account waits as long as Retry-After says")     \
	X(LOGIN, LOGIN, ACCOUNT, HOLD, "login",                                                    \
	  "the account is held; a login that was refused three times in an hour is not tried "     \
	  "again before the hour is over")                                                         \
	X(UNANSWERED, KINDS, SERVER, RETRY, "does it answer?",                                     \
	  "if the server answered other requests, or answers a look at the folder now, it is "     \
	  "this "                                                                                  \
	  "item or folder (get many: directly) that is tried again later; else as pause")          \
	X(PAUSE, KINDS, SERVER, RETRY, "pause",                                                    \
	  "the server is left alone by all accounts, as long as Retry-After says, or for a while") \
	X(AS_TOLD, KINDS, SERVER, RETRY, "as told",                                                \
	  "no connection, a wrong certificate, a refused login before: that counts")

enum caldav_op {
#define X(name, words) CALDAV_OP_##name,
	CALDAV_OP_TABLE(X)
#undef X
		CALDAV_OPS
};

enum caldav_said {
#define X(name, words) CALDAV_SAID_##name,
	CALDAV_SAID_TABLE(X)
#undef X
		CALDAV_SAIDS
};

enum caldav_outcome {
#define X(name, kind, scope, next, words, meaning) CALDAV_OUTCOME_##name,
	CALDAV_OUTCOME_TABLE(X)
#undef X
		CALDAV_OUTCOMES
};

struct caldav_outcome_row {
	unsigned ops; /* 1 << enum caldav_op, together */
	enum caldav_said said;
	int from, to;          /* STATUS: of these */
	const char *condition; /* the precondition that the answer names; NULL: whatever it names */
	enum caldav_outcome outcome;
	bool maybe; /* a write may have been carried out all the same */
};

/* STATUS (of SAID STATUS only, 100 to 599) and CONDITION (or NULL) as they came. Never NULL. */
const struct caldav_outcome_row *caldav_outcome_of(enum caldav_op op, enum caldav_said said,
						   int status, const char *condition);

/* The whole table, for the manual and for tests. */
const struct caldav_outcome_row *caldav_outcome_rows(size_t *count_r);

/* FAULT with the outcome's kind, reach and next; returns FAULT, changed in place. DONE, READ and
 * AS_TOLD change nothing. */
struct fault *caldav_outcome_shape(struct fault *fault, enum caldav_outcome outcome);

/* True for what is no fault: DONE, READ. */
bool caldav_outcome_good(enum caldav_outcome outcome);

const char *caldav_op_words(enum caldav_op op);
const char *caldav_said_words(enum caldav_said said);
const char *caldav_outcome_words(enum caldav_outcome outcome);
const char *caldav_outcome_meaning(enum caldav_outcome outcome);

#endif
