/* sasl.h - the client's side of SASL (RFC 4422): who logs in, and how that is shown.
 *
 * One object is one attempt. It makes messages and reads challenges, both in base64 as mail
 * protocols carry them; it sends nothing itself. A message may hold a password or a token, so all
 * are secrets (N8). Where a mechanism makes the server prove that it knows the password,
 * sasl_is_proven() tells whether it has; an OK without that must not be believed.
 */
#ifndef TASKFERRY_SASL_H
#define TASKFERRY_SASL_H

#include "base/fault.h"
#include "base/secret.h"

/* mechanism, name on the wire, takes an authorisation identity besides the login */
#define SASL_MECH_TABLE(X)                                                                         \
	X(SCRAM_SHA_256, "SCRAM-SHA-256", true) /* RFC 7677, by libgsasl */                        \
	X(PLAIN, "PLAIN", true)                 /* RFC 4616 */                                     \
	X(LOGIN, "LOGIN", false)                /* never standardised */                           \
	X(OAUTHBEARER, "OAUTHBEARER", true)     /* RFC 7628 */                                     \
	X(XOAUTH2, "XOAUTH2", true)             /* what was there before RFC 7628 */               \
	X(EXTERNAL, "EXTERNAL", true)           /* RFC 4422 appendix A: by certificate */

enum sasl_mech {
#define X(mech, name, authorizes) SASL_##mech,
	SASL_MECH_TABLE(X)
#undef X
		SASL_MECHS
};

#define SASL_CHALLENGE_MAX 16384 /* characters: a SCRAM challenge has some hundred */
/* Of SCRAM's hash: fewer are forbidden (RFC 7677 section 4), more would let a server keep us busy. */
#define SASL_ITERATIONS_MIN 4096
#define SASL_ITERATIONS_MAX 1000000

struct sasl_login {
	const char *user;            /* EXTERNAL: unused */
	const char *authorize;       /* who is acted for; NULL: the user itself */
	const struct secret *secret; /* the password, or the token; EXTERNAL: NULL */
	const char *host;            /* OAUTHBEARER tells the server where we think that we are */
	int port;
};

struct sasl;

const char *sasl_mech_name(enum sasl_mech mech);
bool sasl_mech_authorizes(enum sasl_mech mech);

/* False: the server speaks first, even where it takes a first message with the command. */
bool sasl_mech_begins(enum sasl_mech mech);

/* LOGIN's texts and secret outlive it. */
struct sasl *sasl_new(TALLOC_CTX *mem, enum sasl_mech mech, const struct sasl_login *login);

/* The next message, in base64, perhaps "". CHALLENGE NULL: the first, of a mechanism that begins.
 * DATA (scope ACCOUNT, hold): the login or password cannot be sent by this mechanism. PROTOCOL
 * (scope SERVER): a challenge that cannot be. PROTOCOL (scope SERVER, hold): the server does not
 * know the password that it asks for. */
struct fault *sasl_step(struct sasl *sasl, TALLOC_CTX *mem, const char *challenge,
			struct secret **message_r) ATTR_MUST_CHECK;

/* True while the server may send a challenge. */
bool sasl_goes_on(const struct sasl *sasl);

/* False: the server has not shown that it knows the password, and must have. */
bool sasl_is_proven(const struct sasl *sasl);

/* What the server said against a token, one line; NULL: nothing. */
const char *sasl_complaint(const struct sasl *sasl);

#endif
