/* http_digest.h - Digest authentication (RFC 7616, and RFC 2069 for servers of old): what a server
 * challenges with, and the answer to it. Pure but for the random number that the caller brings.
 *
 * Ours and not curl's, because curl knows a challenge for one handle only, and asks for it by the
 * same request with an empty body: a server that asks for no login at all would store that. */
#ifndef TASKFERRY_HTTP_DIGEST_H
#define TASKFERRY_HTTP_DIGEST_H

#include "base/mem.h"
#include "base/secret.h"

#define HTTP_DIGEST_TEXT_MAX 512 /* bytes of a realm, nonce or opaque, NUL included */

struct http_challenge {
	bool known;                /* there is one; all else is of it */
	bool sha256, session, qop; /* SHA-256, else MD5; -sess; qop=auth */
	bool stale;                /* the login was right, the nonce was not */
	char realm[HTTP_DIGEST_TEXT_MAX], nonce[HTTP_DIGEST_TEXT_MAX], opaque[HTTP_DIGEST_TEXT_MAX];
	uint32_t count; /* answers made with this nonce */
};

/* Reads the challenges of a WWW-Authenticate field, or of several put together by commas. False:
 * there is none by Digest that can be answered; CHALLENGE_R is untouched. SHA-256 goes before MD5. */
bool http_digest_read(const char *authenticate, struct http_challenge *challenge_r);

/* True if the field has a challenge of that scheme ("Basic"). */
bool http_digest_offers(const char *authenticate, const char *scheme);

/* The header line that answers CHALLENGE for one request; counts it. URI is path and query as they
 * are sent, CNONCE a random text without quotes. NULL: this machine's policy has no such hash. */
char *http_digest_line(TALLOC_CTX *mem, struct http_challenge *challenge, const char *user,
		       const struct secret *password, const char *method, const char *uri,
		       const char *cnonce);

#endif
