/* imap_outcome.h - what an answer of an IMAP server leads to: one table (M5: no answer without a
 * defined end).
 *
 *   command x OK, NO or BAD x response code (RFC 5530, 3501, 4314, 4315, 7162) -> outcome
 *
 * Rows are tried in their order, the first that holds counts; each answer to each command meets one.
 * doc/taskferry-servers.7 shows the same rows; a test compares the two. Pure.
 */
#ifndef TASKFERRY_IMAP_OUTCOME_H
#define TASKFERRY_IMAP_OUTCOME_H

#include <stddef.h>

#include "base/fault.h"
#include "gateway/imap/imap_session.h"

#define IMAP_COMMAND_TABLE(X)                                                                      \
	X(SELECT, "SELECT")                                                                        \
	X(LIST, "LIST")                                                                            \
	X(STATUS, "STATUS")                                                                        \
	X(FETCH, "FETCH")                                                                          \
	X(SEARCH, "SEARCH")                                                                        \
	X(APPEND, "APPEND")                                                                        \
	X(STORE, "STORE")                                                                          \
	X(COPY, "COPY")                                                                            \
	X(MOVE, "MOVE")                                                                            \
	X(EXPUNGE, "EXPUNGE")                                                                      \
	X(CREATE, "CREATE")                                                                        \
	X(OTHER, "other")

/* name, kind of the fault, how far it reaches (SCOPES: as far as what was asked for), what next, words,
 * meaning */
#define IMAP_OUTCOME_TABLE(X)                                                                      \
	X(DONE, KINDS, SCOPES, RETRY, "done",                                                      \
	  "a message that was stored is believed if the answer names a place that can be its own " \
	  "(UIDPLUS), else it is looked for")                                                      \
	X(CHANGED, CHANGED, SCOPES, RETRY, "changed", "it is looked at again and decided again")   \
	X(GONE, GONE, SCOPES, RETRY, "gone",                                                       \
	  "it is not there; what follows is said by the ladder of a deletion")                     \
	X(NO_FOLDER, GONE, FOLDER, RETRY, "no folder",                                             \
	  "the folder is not there, which says nothing of its items: it is followed to its new "   \
	  "name, and held where there is none until a person publishes the project again")         \
	X(HOLD, REFUSED, SCOPES, HOLD, "hold",                                                     \
	  "the item (LIST, SELECT, SEARCH, EXPUNGE, CREATE: the folder) is held, with the "        \
	  "server's reason, until a person has seen to it; others go on")                          \
	X(HOLD_FOLDER, REFUSED, FOLDER, HOLD, "hold folder",                                       \
	  "nothing more is tried in this folder in this round, and the reason is shown")           \
	X(RETRY, BUSY, SCOPES, RETRY, "retry",                                                     \
	  "the item (or the folder) is tried again, less and less often, down to once an hour")    \
	X(NONSENSE, PROTOCOL, SCOPES, RETRY, "retry, and tell",                                    \
	  "likewise; the server did not understand us, which is a mistake of one of the two")      \
	X(FULL, FULL, ACCOUNT, RETRY, "full",                                                      \
	  "the account waits until there is space; what is to be stored stays noted")              \
	X(LOGIN, LOGIN, ACCOUNT, HOLD, "login",                                                    \
	  "the account is held; a login that was refused three times in an hour is not tried "     \
	  "again before the hour is over")

enum imap_command {
#define X(name, words) IMAP_COMMAND_##name,
	IMAP_COMMAND_TABLE(X)
#undef X
		IMAP_COMMANDS
};

enum imap_outcome {
#define X(name, kind, scope, next, words, meaning) IMAP_OUTCOME_##name,
	IMAP_OUTCOME_TABLE(X)
#undef X
		IMAP_OUTCOMES
};

struct imap_outcome_row {
	unsigned commands; /* 1 << enum imap_command, together */
	enum imap_result status;
	const char *code; /* NULL: any, or none */
	enum imap_outcome outcome;
};

/* CODE in upper case, or NULL. Never NULL. */
const struct imap_outcome_row *imap_outcome_of(enum imap_command command, enum imap_result status,
					       const char *code);

/* The whole table, for the manual and for tests. */
const struct imap_outcome_row *imap_outcome_rows(size_t *count_r);

/* FAULT with the outcome's kind, reach (SCOPE: of what was asked for) and next; returns FAULT, changed in
 * place. Not for DONE. */
struct fault *imap_outcome_shape(struct fault *fault, enum imap_outcome outcome,
				 enum fault_scope scope);

/* "STORE"; OTHER: no row names it. */
enum imap_command imap_command_of(const char *words);

const char *imap_command_words(enum imap_command command);
const char *imap_outcome_words(enum imap_outcome outcome);
const char *imap_outcome_meaning(enum imap_outcome outcome);

#endif
