/* reply_token.h - what stands in the address that a message is answered to. Pure.
 *
 * A token is 53 characters of base32 (RFC 4648, in lower case, without padding): it fits into a
 * local part of 64 (RFC 5321 section 4.5.3.1.1) with ten characters before it, and survives being
 * folded to either case on its way. It is 33 bytes:
 *
 *     1   version (1)
 *     2   the day after which it is no good, since 1970-01-01
 *     16  the assignment's UID
 *     14  of HMAC-SHA-256 over all that, and the person's key
 *
 * So nobody can make one without the secret, turn one into another assignment's or person's, or
 * prolong it. That whoever has read it (a forwarded message) can use it is why it is not all that is
 * asked for (gateway/sync/replies.h).
 */
#ifndef TASKFERRY_REPLY_TOKEN_H
#define TASKFERRY_REPLY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "conf/conf.h"

#define REPLY_TOKEN_CHARS CONF_REPLY_TOKEN_CHARS
#define REPLY_TOKEN_SECRET_MIN 16 /* bytes: 128 bits, should they be random */

struct reply_token_secret {
	const void *bytes;
	size_t len;
};

/* NULL: UID is no UUID, or the day has no number in a token. */
char *reply_token_make(TALLOC_CTX *mem, const struct reply_token_secret *secret, const char *uid,
		       const char *key, int32_t last_day);

/* What a token says, nothing of it proven yet. UID is lower case, as assignments have it. */
struct reply_token {
	char *uid;
	int32_t last_day;
};

/* False: it is none. Capitals are as good; 0 for o, 1 for l are not. */
bool reply_token_read(TALLOC_CTX *mem, const char *text, struct reply_token *token_r);

enum reply_token_worth { REPLY_TOKEN_GOOD, REPLY_TOKEN_EXPIRED, REPLY_TOKEN_FORGED };

/* Whether TEXT is the token of that assignment and person, and good on the day TODAY. A forged one
 * is never called expired. */
enum reply_token_worth reply_token_check(TALLOC_CTX *mem, const struct reply_token_secret *secret,
					 const char *text, const char *uid, const char *key,
					 int32_t today);

/* TEMPLATE ("tasks+%{token}@example.com") with a token in it. */
char *reply_token_address(TALLOC_CTX *mem, const char *template, const char *token);

/* The token in ADDRESS, if it is one of the template's addresses (both without regard to case); NULL:
 * it is not. */
char *reply_token_of(TALLOC_CTX *mem, const char *template, const char *address);

#endif
