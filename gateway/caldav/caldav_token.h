/* caldav_token.h - what stands for a folder's state: the token of endpoint_notice(). Pure.
 *
 *     s:TOKEN                 the sync-token of a sync-collection (RFC 6578)
 *     s:TOKEN NEWLINE MARK    the same, and the folder's mark as it was before that
 *     s:TOKEN NEWLINE w       made from what the folder holds; we have written or recorded since
 *     MARK                    of a server without sync-collection
 *
 * A mark is a property that moves when anything in the folder does, compared for equality only:
 *
 *     c:TEXT                  getctag
 *     p:TEXT                  the sync-token property, where there is no getctag
 *     c@SECONDS:TEXT          the same, but too new to be relied on: see caldav_mark_next()
 */
#ifndef TASKFERRY_CALDAV_TOKEN_H
#define TASKFERRY_CALDAV_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* Some servers' CTag is the second of the last change. What changes later in that second does not
 * move it; after this time nothing more happens in it, whatever is rounded. */
#define CALDAV_MARK_RIPE_S 3

#define CALDAV_MARK_CTAG 'c'
#define CALDAV_MARK_TOKEN 'p'

struct caldav_mark {
	char kind;        /* one of the above; 0: none */
	const char *text; /* NULL: none */
	int64_t since_s;  /* too new: when it was first seen, by our clock; 0: it is relied on */
};

struct caldav_token {
	const char *sync; /* NULL: none */
	struct caldav_mark mark;
	bool written; /* only with a token of caldav_token_is_content() */
};

/* False: not a token of a CalDAV server. */
bool caldav_token_read(TALLOC_CTX *mem, const char *text, struct caldav_token *token_r);

/* Whether a sync-token, by its looks, is made from what the folder holds (a git tree's hash): it returns when a
 * person takes back what we wrote or recorded, and what came and went since is no change to it. */
bool caldav_token_is_content(const char *sync);

/* A mark of which no token can be made is left out; NULL: nothing is left. */
char *caldav_token_text(TALLOC_CTX *mem, const struct caldav_token *token);

/* Whether nothing has changed between BEFORE, of a token, and NOW. */
bool caldav_mark_stands(const struct caldav_mark *before, const struct caldav_mark *now);

/* The mark that a token gets which is asked for after NOW was read at NOW_S. BEFORE is of the token
 * until then. FINE: it is relied on at once; else when it was the same for CALDAV_MARK_RIPE_S. */
struct caldav_mark caldav_mark_next(const struct caldav_mark *before, const struct caldav_mark *now,
				    bool fine, int64_t now_s);

/* Whether a mark may be a time in seconds, by its looks. */
bool caldav_mark_is_coarse(const char *text);

#endif
