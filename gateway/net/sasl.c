#include "config.h"

#include "gateway/net/sasl.h"

#include <assert.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"

/* One function per mechanism makes the message for step N, where 0 is the first that we send:
 * PLAIN, EXTERNAL    0 all
 * OAUTHBEARER, XOAUTH2  0 all; 1 the answer to what the server says against the token
 * LOGIN              0 the name, 1 the password
 * SCRAM              0 the name, 1 the proof, 2 nothing, after the server's own proof
 *
 * libgsasl does SCRAM only. What it holds of the password is wiped before it is freed. */

#define COMPLAINT_CHARS 200

struct sasl {
	enum sasl_mech mech;
	struct sasl_login login;
	unsigned step;
	bool proven;
	char *complaint;
	Gsasl *gsasl; /* SCRAM only, like what follows */
	Gsasl_session *session;
};

/* Message for the step; IN: the challenge, not in base64, with a NUL behind it. */
typedef struct fault *make(struct sasl *sasl, const char *in, size_t n, struct buf *out);

static const struct {
	const char *name;
	bool authorizes;
} mechs[] = {
#define X(mech, name, authorizes) [SASL_##mech] = { name, authorizes },
	SASL_MECH_TABLE(X)
#undef X
};

const char *sasl_mech_name(enum sasl_mech mech)
{
	return mechs[mech].name;
}

bool sasl_mech_authorizes(enum sasl_mech mech)
{
	return mechs[mech].authorizes;
}

bool sasl_mech_begins(enum sasl_mech mech)
{
	return mech != SASL_LOGIN;
}

/* ---- faults ---- */

static struct fault *bad_challenge(struct sasl *sasl, const char *words)
{
	return fault_reaches(
		fault_new(sasl, FAULT_PROTOCOL, "%s: %s", mechs[sasl->mech].name, words),
		FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
}

static struct fault *not_proven(struct sasl *sasl)
{
	return fault_reaches(
		fault_new(sasl, FAULT_PROTOCOL,
			  "%s: the server does not prove that it knows the password: it is not "
			  "the one that it should be, or its data are damaged",
			  mechs[sasl->mech].name),
		FAULT_SCOPE_SERVER, FAULT_NEXT_HOLD);
}

static struct fault *cannot_send(struct sasl *sasl, const char *words)
{
	return fault_reaches(fault_new(sasl, FAULT_DATA, "%s: %s", mechs[sasl->mech].name, words),
			     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

/* ---- the simple ones ---- */

static const char *acts_for(const struct sasl *sasl)
{
	return sasl->login.authorize ? sasl->login.authorize : sasl->login.user;
}

static struct fault *make_plain(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	(void)in;
	(void)n;
	buf_puts(out, sasl->login.authorize ? sasl->login.authorize : "");
	buf_putc(out, '\0');
	buf_puts(out, sasl->login.user);
	buf_putc(out, '\0');
	buf_puts(out, secret_reveal(sasl->login.secret));
	return NULL;
}

static struct fault *make_login(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	(void)in;
	(void)n;
	buf_puts(out, sasl->step ? secret_reveal(sasl->login.secret) : sasl->login.user);
	return NULL;
}

static struct fault *make_external(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	(void)in;
	(void)n;
	buf_puts(out, sasl->login.authorize ? sasl->login.authorize : "");
	return NULL;
}

/* RFC 5801 section 4: a name in a GS2 header. */
static void put_name(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == ',' || *name == '=')
			buf_puts(out, *name == ',' ? "=2C" : "=3D");
		else
			buf_putc(out, *name);
	}
}

static void complain(struct sasl *sasl, const char *in)
{
	if (*in)
		sasl->complaint = text_one_line(sasl, in, COMPLAINT_CHARS);
}

static struct fault *make_oauthbearer(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	(void)n;
	if (sasl->step) {
		complain(sasl, in);
		buf_puts(out, "\1");
		return NULL;
	}
	buf_puts(out, "n,a=");
	put_name(out, acts_for(sasl));
	buf_printf(out, ",\1host=%s\1port=%d\1auth=Bearer ", sasl->login.host, sasl->login.port);
	buf_puts(out, secret_reveal(sasl->login.secret));
	buf_puts(out, "\1\1");
	return NULL;
}

static struct fault *make_xoauth2(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	(void)n;
	if (sasl->step) {
		complain(sasl, in);
		return NULL;
	}
	buf_printf(out, "user=%s\1auth=Bearer ", acts_for(sasl));
	buf_puts(out, secret_reveal(sasl->login.secret));
	buf_puts(out, "\1\1");
	return NULL;
}

/* ---- SCRAM ---- */

static bool scram_start(struct sasl *sasl)
{
	const struct sasl_login *login = &sasl->login;

	if (gsasl_init(&sasl->gsasl) != GSASL_OK ||
	    gsasl_client_start(sasl->gsasl, mechs[sasl->mech].name, &sasl->session) != GSASL_OK)
		return false;
	return gsasl_property_set(sasl->session, GSASL_AUTHID, login->user) == GSASL_OK &&
	       gsasl_property_set(sasl->session, GSASL_PASSWORD, secret_reveal(login->secret)) ==
		       GSASL_OK &&
	       (!login->authorize ||
		gsasl_property_set(sasl->session, GSASL_AUTHZID, login->authorize) == GSASL_OK);
}

/* "r=...,s=...,i=4096": how much work the server asks for. */
static bool iterations_are_fine(const char *in)
{
	const char *at = strstr(in, ",i=");
	char *end;
	long times;

	if (!at || at[3] < '1' || at[3] > '9')
		return false;
	times = strtol(at + 3, &end, 10);
	return (!*end || *end == ',') && times >= SASL_ITERATIONS_MIN &&
	       times <= SASL_ITERATIONS_MAX;
}

static struct fault *scram_fault(struct sasl *sasl, int result)
{
	if (sasl->step == 2)
		return not_proven(sasl);
	if (sasl->step == 0 || result == GSASL_SASLPREP_ERROR || result == GSASL_CRYPTO_ERROR)
		return cannot_send(sasl, gsasl_strerror(result));
	return bad_challenge(sasl, gsasl_strerror(result));
}

static struct fault *make_scram(struct sasl *sasl, const char *in, size_t n, struct buf *out)
{
	char *bytes = NULL;
	size_t len = 0;
	int result;

	if (sasl->step == 0 && !scram_start(sasl))
		return cannot_send(sasl, "libgsasl cannot do it");
	if (sasl->step == 1 && !iterations_are_fine(in))
		return bad_challenge(sasl, "the server asks for too few or too many hashes");
	if (sasl->step == 2 && n >= 2 && !memcmp(in, "e=", 2)) {
		complain(sasl, in);
		return NULL;
	}
	result = gsasl_step(sasl->session, in, n, &bytes, &len);
	if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
		return scram_fault(sasl, result);
	sasl->proven = result == GSASL_OK;
	buf_add(out, bytes, len);
	gsasl_free(bytes);
	return NULL;
}

/* ---- the steps ---- */

static const struct {
	make *make;
	unsigned steps;
	bool proves; /* the server has to */
} rows[] = {
	[SASL_SCRAM_SHA_256] = { make_scram, 3, true },
	[SASL_PLAIN] = { make_plain, 1, false },
	[SASL_LOGIN] = { make_login, 2, false },
	[SASL_OAUTHBEARER] = { make_oauthbearer, 2, false },
	[SASL_XOAUTH2] = { make_xoauth2, 2, false },
	[SASL_EXTERNAL] = { make_external, 1, false },
};
_Static_assert(COUNT_OF(rows) == SASL_MECHS, "one row per mechanism");

/* libgsasl's copy; it has no word for wiping it. */
static void wipe_password(Gsasl_session *session)
{
	const char *copy = gsasl_property_fast(session, GSASL_PASSWORD);

	if (copy)
		explicit_bzero((char *)(uintptr_t)copy, strlen(copy));
}

static int sasl_free(struct sasl *sasl)
{
	if (sasl->session) {
		wipe_password(sasl->session);
		gsasl_finish(sasl->session);
	}
	if (sasl->gsasl)
		gsasl_done(sasl->gsasl);
	return 0;
}

struct sasl *sasl_new(TALLOC_CTX *mem, enum sasl_mech mech, const struct sasl_login *login)
{
	struct sasl *sasl = MEM_NEW(mem, struct sasl);

	sasl->mech = mech;
	sasl->login = *login;
	talloc_set_destructor(sasl, sasl_free);
	return sasl;
}

/* The buffer's bytes in base64; they are wiped. A buffer that has grown leaves pieces behind, so it
 * is given its size before. */
static struct secret *encoded(TALLOC_CTX *mem, struct buf *bytes)
{
	struct buf *text = buf_new(bytes);
	struct secret *secret;

	text->size = 4 * ((bytes->len + 2) / 3) + 1;
	text->data = MEM_GROW(text, text->data, char, text->size);
	base64_encode(text, bytes->data, bytes->len);
	secret = secret_new(mem, text->data, text->len);
	explicit_bzero(text->data, text->size);
	explicit_bzero(bytes->data, bytes->size);
	talloc_free(bytes);
	return secret;
}

static size_t message_size(const struct sasl_login *login)
{
	return 512 + 3 * (strlen(login->user ? login->user : "") +
			  strlen(login->authorize ? login->authorize : "") +
			  strlen(login->host ? login->host : "") +
			  (login->secret ? strlen(secret_reveal(login->secret)) : 0));
}

struct fault *sasl_step(struct sasl *sasl, TALLOC_CTX *mem, const char *challenge,
			struct secret **message_r)
{
	struct buf *out = buf_new(sasl);
	char *in = NULL;
	size_t n = 0;
	struct fault *fault;

	assert(sasl_goes_on(sasl) && (challenge || sasl_mech_begins(sasl->mech)));
	if (challenge && (strlen(challenge) > SASL_CHALLENGE_MAX ||
			  !base64_decode(out, challenge, strlen(challenge), &in, &n)))
		return bad_challenge(sasl, "a challenge that is not in base64");
	out->size = message_size(&sasl->login);
	out->data = MEM_GROW(out, out->data, char, out->size);
	fault = rows[sasl->mech].make(sasl, in ? in : "", n, out);
	if (fault)
		return fault;
	sasl->step++;
	*message_r = encoded(mem, out);
	return NULL;
}

bool sasl_goes_on(const struct sasl *sasl)
{
	return sasl->step < rows[sasl->mech].steps;
}

bool sasl_is_proven(const struct sasl *sasl)
{
	return sasl->proven || !rows[sasl->mech].proves;
}

const char *sasl_complaint(const struct sasl *sasl)
{
	return sasl->complaint;
}
