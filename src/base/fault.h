/* fault.h - what went wrong, as a value.
 *
 * A function that can fail returns `struct fault *`: NULL is success, anything else tells what
 * happened, how far it reaches (one item, a folder, an account, a server, the whole site), what to
 * do next, and whether a write may have happened although no answer came. Out parameters are
 * untouched on failure. Only the top layer prints.
 */
#ifndef TASKFERRY_FAULT_H
#define TASKFERRY_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/mem.h"

/* How far a fault reaches. Everything outside of that scope goes on (N6). */
enum fault_scope {
	FAULT_SCOPE_ITEM,
	FAULT_SCOPE_FOLDER,
	FAULT_SCOPE_ACCOUNT,
	FAULT_SCOPE_SERVER,
	FAULT_SCOPE_SITE,
	FAULT_SCOPES
};

/* What to do next: try again by itself, wait for a person, or give up for good. */
enum fault_next { FAULT_NEXT_RETRY, FAULT_NEXT_HOLD, FAULT_NEXT_GIVE_UP, FAULT_NEXTS };

/* kind, exit code (sysexits, DESIGN section 10), default scope, default next, words */
#define FAULT_TABLE(X)                                                                             \
	X(USAGE, 64, SITE, GIVE_UP, "wrong usage")                                                 \
	X(DATA, 65, SITE, GIVE_UP, "bad data")                                                     \
	X(NO_INPUT, 66, SITE, GIVE_UP, "no such input")                                            \
	X(UNREACHABLE, 69, SERVER, RETRY, "server unreachable")                                    \
	X(INTERNAL, 70, SITE, GIVE_UP, "internal error")                                           \
	X(CANNOT_CREATE, 73, SITE, GIVE_UP, "cannot create")                                       \
	X(IO, 74, SITE, GIVE_UP, "input/output error")                                             \
	X(TRY_LATER, 75, SITE, RETRY, "try later")                                                 \
	X(NOT_PERMITTED, 77, SITE, GIVE_UP, "not permitted")                                       \
	X(CONFIG, 78, SITE, GIVE_UP, "wrong configuration")                                        \
	/* what servers answer */                                                                  \
	X(GONE, 69, ITEM, RETRY, "not there any more")                                             \
	X(CHANGED, 69, ITEM, RETRY, "changed meanwhile")                                           \
	X(REFUSED, 69, ITEM, HOLD, "refused by the server")                                        \
	X(LOCKED, 69, ITEM, RETRY, "locked")                                                       \
	X(FULL, 69, ACCOUNT, RETRY, "no space left on the server")                                 \
	X(LOGIN, 69, ACCOUNT, HOLD, "login refused")                                               \
	X(TLS, 69, SERVER, RETRY, "certificate not accepted")                                      \
	X(BUSY, 69, SERVER, RETRY, "server busy")                                                  \
	X(CROWDED, 69, ACCOUNT, RETRY, "too many connections")                                     \
	X(PROTOCOL, 69, ITEM, RETRY, "answer not understood")                                      \
	X(TOKEN, 69, FOLDER, RETRY, "sync token not accepted")

enum fault_kind {
#define X(kind, exit, scope, next, words) FAULT_##kind,
	FAULT_TABLE(X)
#undef X
		FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	enum fault_scope scope;
	enum fault_next next;
	bool maybe_done;       /* a write was sent and may have been carried out */
	int32_t retry_after_s; /* what the server asked for, else 0 */
	const char *text;      /* one line for people, without a secret, without a newline */
};

#define FAULT_TEXT_CHARS 2000 /* code points of a text: more than a person reads in one line */

/* A fault with the defaults of its kind. Control characters and what is not UTF-8 in the text are
 * replaced, a text longer than FAULT_TEXT_CHARS is cut. Never NULL. */
struct fault *fault_new(TALLOC_CTX *mem, enum fault_kind kind, const char *fmt, ...)
	ATTR_PRINTF(3, 4);

/* The same fault with words put before its text ("file.xml: ..."); returns FAULT, changed in place.
 */
struct fault *fault_prefix(struct fault *fault, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* The fault with another scope and next; returns FAULT, changed in place. */
struct fault *fault_reaches(struct fault *fault, enum fault_scope scope, enum fault_next next);

/* The name of a kind ("UNREACHABLE"), its words, the exit code of the program that ends by it. */
const char *fault_kind_name(enum fault_kind kind);
const char *fault_kind_words(enum fault_kind kind);
int fault_exit(const struct fault *fault);
const char *fault_scope_name(enum fault_scope scope);
const char *fault_next_name(enum fault_next next);

/* `FAULT_TRY(call)` returns from the calling function when the call failed. */
#define FAULT_TRY(call)                                                                            \
	do {                                                                                       \
		struct fault *fault_try_ = (call);                                                 \
		if (fault_try_)                                                                    \
			return fault_try_;                                                         \
	} while (0)

#endif
