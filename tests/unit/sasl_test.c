#include "config.h"

#include <criterion/criterion.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "gateway/net/sasl.h"

/* The messages of every mechanism, and SCRAM against libgsasl's own server, honest and not. */

static const struct {
	enum sasl_mech mech;
	const char *user, *authorize, *secret;
	const char *challenges[2]; /* not in base64; NULL: the first message needs none */
	const char *messages[2];
	size_t sizes[2];
} plays[] = {
	{ SASL_PLAIN, "ana", NULL, "pw", { NULL, NULL }, { "\0ana\0pw" }, { 7 } },
	{ SASL_PLAIN, "gate", "ana", "pw", { NULL, NULL }, { "ana\0gate\0pw" }, { 11 } },
	{ SASL_LOGIN, "ana", NULL, "pw", { "Username:", "Password:" }, { "ana", "pw" }, { 3, 2 } },
	{ SASL_LOGIN, "", NULL, "", { "", "" }, { "", "" }, { 0, 0 } },
	{ SASL_EXTERNAL, "ana", NULL, NULL, { NULL, NULL }, { "" }, { 0 } },
	{ SASL_EXTERNAL, "gate", "ana", NULL, { NULL, NULL }, { "ana" }, { 3 } },
	{ SASL_OAUTHBEARER,
	  "a=n,a",
	  NULL,
	  "tok",
	  { NULL, "{\"status\":\"x\"}" },
	  { "n,a=a=3Dn=2Ca,\1host=h\1port=993\1auth=Bearer tok\1\1", "\1" },
	  { 48, 1 } },
	{ SASL_OAUTHBEARER,
	  "gate",
	  "ana",
	  "tok",
	  { NULL, "" },
	  { "n,a=ana,\1host=h\1port=993\1auth=Bearer tok\1\1", "\1" },
	  { 42, 1 } },
	{ SASL_XOAUTH2,
	  "ana",
	  NULL,
	  "tok",
	  { NULL, "{}" },
	  { "user=ana\1auth=Bearer tok\1\1", "" },
	  { 26, 0 } },
};

static char *in_base64(TALLOC_CTX *mem, const char *bytes, size_t n)
{
	struct buf *text = buf_new(mem);

	base64_encode(text, bytes, n);
	return text->data;
}

static struct sasl *sasl_of(TALLOC_CTX *mem, enum sasl_mech mech, const char *user,
			    const char *authorize, const char *secret)
{
	const struct sasl_login login = { .user = user,
					  .authorize = authorize,
					  .secret = secret ? secret_new(mem, secret, strlen(secret))
							   : NULL,
					  .host = "h",
					  .port = 993 };

	return sasl_new(mem, mech, &login);
}

Test(sasl, messages)
{
	for (size_t i = 0; i < COUNT_OF(plays); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct sasl *sasl = sasl_of(mem, plays[i].mech, plays[i].user, plays[i].authorize,
					    plays[i].secret);
		size_t step = 0;

		for (; sasl_goes_on(sasl); step++) {
			const char *challenge = plays[i].challenges[step];
			struct secret *message = NULL;
			struct fault *fault = sasl_step(
				sasl, mem,
				challenge ? in_base64(mem, challenge, strlen(challenge)) : NULL,
				&message);

			cr_assert_null(fault, "%zu", i);
			cr_expect_str_eq(
				secret_reveal(message),
				in_base64(mem, plays[i].messages[step], plays[i].sizes[step]),
				"play %zu, step %zu: %s", i, step, secret_reveal(message));
		}
		cr_expect(sasl_is_proven(sasl));
		talloc_free(mem);
	}
}

/* ---- SCRAM ---- */

struct honest {
	Gsasl *gsasl;
	Gsasl_session *session;
};

static struct honest server_new(const char *password, const char *iterations)
{
	struct honest server;

	cr_assert_eq(gsasl_init(&server.gsasl), GSASL_OK);
	cr_assert_eq(gsasl_server_start(server.gsasl, "SCRAM-SHA-256", &server.session), GSASL_OK);
	cr_assert_eq(gsasl_property_set(server.session, GSASL_PASSWORD, password), GSASL_OK);
	cr_assert_eq(gsasl_property_set(server.session, GSASL_SCRAM_ITER, iterations), GSASL_OK);
	return server;
}

static void server_end(struct honest *server)
{
	gsasl_finish(server->session);
	gsasl_done(server->gsasl);
}

/* The server's word to ours; NULL: it refuses. */
static char *server_says(TALLOC_CTX *mem, struct honest *server, const struct secret *message)
{
	char *out = NULL, *copy;
	int result = gsasl_step64(server->session, secret_reveal(message), &out);

	if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
		return NULL;
	copy = mem_strdup(mem, out);
	gsasl_free(out);
	return copy;
}

enum lie { HONEST, WRONG_SIGNATURE, NO_SIGNATURE, GARBAGE, ERROR_WORD };

static const struct scram {
	const char *what, *iterations;
	enum lie lie;
	const char *fault; /* NULL: none */
	bool proven;
} scrams[] = {
	{ "as it should be", "4096", HONEST, NULL, true },
	{ "few hashes", "4095", HONEST, "too few or too many", false },
	{ "many hashes", "1000001", HONEST, "too few or too many", false },
	{ "a signature of something else", "4096", WRONG_SIGNATURE, "does not prove", false },
	{ "no signature", "4096", NO_SIGNATURE, "does not prove", false },
	{ "garbage", "4096", GARBAGE, "base64", false },
	{ "an error that is told", "4096", ERROR_WORD, NULL, false },
};

static const char *bent(TALLOC_CTX *mem, const char *challenge, enum lie lie)
{
	switch (lie) {
	case HONEST:
		break;
	case WRONG_SIGNATURE: {
		static const char other[] = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

		return in_base64(mem, other, strlen(other));
	}
	case NO_SIGNATURE:
		return "";
	case GARBAGE:
		return "\303\244";
	case ERROR_WORD:
		return in_base64(mem, "e=invalid-proof", 15);
	}
	return challenge;
}

static struct fault *play_scram(TALLOC_CTX *mem, struct sasl *sasl, const struct scram *scram)
{
	struct honest server = server_new("pencil", scram->iterations);
	struct secret *message = NULL;
	struct fault *fault = sasl_step(sasl, mem, NULL, &message);
	const char *challenge = fault ? NULL : server_says(mem, &server, message);

	cr_assert_not_null(challenge);
	fault = sasl_step(sasl, mem, challenge, &message);
	if (!fault) {
		cr_expect_not(sasl_is_proven(sasl));
		challenge = server_says(mem, &server, message);
		cr_assert_not_null(challenge, "the server does not know us");
		fault = sasl_step(sasl, mem, bent(mem, challenge, scram->lie), &message);
	}
	if (!fault)
		cr_expect_str_eq(secret_reveal(message), "");
	server_end(&server);
	return fault;
}

Test(sasl, scram_demands_proof)
{
	for (size_t i = 0; i < COUNT_OF(scrams); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct sasl *sasl = sasl_of(mem, SASL_SCRAM_SHA_256, "user", NULL, "pencil");
		struct fault *fault = play_scram(mem, sasl, &scrams[i]);

		if (scrams[i].fault) {
			cr_assert_not_null(fault, "%s", scrams[i].what);
			cr_expect_not_null(strstr(fault->text, scrams[i].fault), "%s: %s",
					   scrams[i].what, fault->text);
			cr_expect_eq(fault->scope, FAULT_SCOPE_SERVER);
		} else {
			cr_assert_null(fault, "%s: %s", scrams[i].what, fault->text);
			cr_expect_not(sasl_goes_on(sasl));
		}
		cr_expect_eq(sasl_is_proven(sasl), scrams[i].proven, "%s", scrams[i].what);
		talloc_free(mem);
	}
}

Test(sasl, scram_refuses_a_wrong_password)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct sasl *sasl = sasl_of(mem, SASL_SCRAM_SHA_256, "user", "ana", "wrong");
	struct honest server = server_new("pencil", "4096");
	struct secret *message = NULL;
	const char *first;

	cr_assert_null(sasl_step(sasl, mem, NULL, &message));
	first = secret_reveal(message);
	cr_expect_eq(strncmp(first, "bixhPWFuYSxuPXVzZXIs", 20), 0, "n,a=ana,n=user,: %s", first);
	cr_assert_null(sasl_step(sasl, mem, server_says(mem, &server, message), &message));
	cr_expect_null(server_says(mem, &server, message));
	cr_expect_not(sasl_is_proven(sasl));
	server_end(&server);
	talloc_free(mem);
}
