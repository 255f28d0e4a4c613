#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fixture.h"
#include "gateway/imap/imap.h"
#include "imap_lab.h"

/* Every way to log in: what is sent and believed, by a scripted server; and that it works, by a
 * Dovecot that takes all of them. */

#define SERVER_DIR "IMAP_AUTH_DIR"
#define SERVER_MISSING "IMAP_AUTH_MISSING"

static struct fixture *dovecot; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana:s3cr3t-pa55", "bob:b", NULL };

	(void)tests;
	setenv("DOVECOT_AUTH", "all", 1);
	dovecot = fixture_start(NULL, "dovecot", "start", users);
	if (dovecot->result == FIXTURE_NOT_INSTALLED)
		setenv(SERVER_MISSING, "1", 1);
	else if (dovecot->url)
		setenv(SERVER_DIR, dovecot->dir, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	(void)stats;
	if (dovecot)
		fixture_end(dovecot);
	talloc_free(dovecot);
}

/* ---- what is sent ---- */

#define IR "SASL-IR "

static const struct sent {
	enum imap_auth auth;
	const char *caps, *user, *authorize, *sent, *how;
} sent[] = {
	{ IMAP_AUTH_PASSWORD, IR "AUTH=PLAIN AUTH=LOGIN", "ana", NULL,
	  "AUTHENTICATE PLAIN " IMAP_LAB_BLOB "\r\n", "PLAIN" },
	{ IMAP_AUTH_PASSWORD, IR "AUTH=PLAIN", "gate", "ana",
	  "AUTHENTICATE PLAIN YW5hAGdhdGUAczNjcjN0LXBhNTU=\r\n", "PLAIN" },
	{ IMAP_AUTH_PASSWORD, "AUTH=LOGIN", "ana", NULL, "LOGIN \"ana\" \"" IMAP_LAB_PASSWORD "\"",
	  "the LOGIN command" },
	{ IMAP_AUTH_PASSWORD, "AUTH=LOGIN LOGINDISABLED", "ana", NULL,
	  "AUTHENTICATE LOGIN\r\nYW5h\r\nczNjcjN0LXBhNTU=\r\n", "LOGIN" },
	{ IMAP_AUTH_LOGIN, IR "AUTH=PLAIN AUTH=LOGIN", "ana", NULL, "LOGIN \"ana\"",
	  "the LOGIN command" },
	{ IMAP_AUTH_PLAIN, IR "AUTH=PLAIN AUTH=SCRAM-SHA-256", "ana", NULL,
	  "AUTHENTICATE PLAIN " IMAP_LAB_BLOB "\r\n", "PLAIN" },
	{ IMAP_AUTH_BEARER, IR "AUTH=XOAUTH2 AUTH=OAUTHBEARER", "ana", NULL,
	  "AUTHENTICATE OAUTHBEARER bixhPWFuYSwBaG9zdD0xMjcuMC4wLjEBcG9ydD", "OAUTHBEARER" },
	{ IMAP_AUTH_BEARER, IR "AUTH=XOAUTH2", "ana", NULL,
	  "AUTHENTICATE XOAUTH2 dXNlcj1hbmEBYXV0aD1CZWFyZXIgczNjcjN0LXBhNTUBAQ==\r\n", "XOAUTH2" },
	{ IMAP_AUTH_PASSWORD, IR "AUTH=SCRAM-SHA-256 AUTH=PLAIN", "gate", "ana",
	  "AUTHENTICATE PLAIN YW5hAGdhdGUAczNjcjN0LXBhNTU=\r\n", "PLAIN" },
	{ IMAP_AUTH_CERTIFICATE, IR "AUTH=EXTERNAL", "ana", NULL, "AUTHENTICATE EXTERNAL =\r\n",
	  "EXTERNAL" },
	{ IMAP_AUTH_CERTIFICATE, IR "AUTH=EXTERNAL", "gate", "ana",
	  "AUTHENTICATE EXTERNAL YW5h\r\n", "EXTERNAL" },
	{ IMAP_AUTH_CERTIFICATE, "AUTH=EXTERNAL", "ana", NULL, "AUTHENTICATE EXTERNAL\r\n\r\n",
	  "EXTERNAL" },
};

static const struct imap_script_row asks[] = {
	{ .when = "AUTHENTICATE LOGIN", .say = "+ VXNlcm5hbWU6\r\n" },
	{ .when = "REPLY YW5h", .say = "+ UGFzc3dvcmQ6\r\n" },
	{ .when = "AUTHENTICATE EXTERNAL YW5h", .say = NULL },
	{ .when = "AUTHENTICATE EXTERNAL =", .say = NULL },
	{ .when = "AUTHENTICATE EXTERNAL", .say = "+ \r\n" },
};

static struct imap_lab *lab_of(enum imap_auth auth, const struct imap_script *script)
{
	struct imap_lab *lab = imap_lab_new(script);

	lab->options.auth = auth;
	return lab;
}

Test(auth, the_best_that_is_offered)
{
	for (size_t i = 0; i < COUNT_OF(sent); i++) {
		struct imap_script script = { .caps = sent[i].caps,
					      .rows = asks,
					      .count = COUNT_OF(asks) };
		struct imap_lab *lab = lab_of(sent[i].auth, &script);
		char *heard;

		lab->options.user = sent[i].user;
		lab->options.authorize = sent[i].authorize;
		imap_lab_open(lab);
		heard = imap_server_heard(lab->server, lab, NULL);
		cr_expect_not_null(strstr(heard, sent[i].sent), "%zu: expected: %s\nin: %s", i,
				   sent[i].sent, heard);
		cr_expect_str_eq(imap_session_login(lab->session), sent[i].how);
		imap_lab_end(lab);
	}
}

/* ---- what is refused ---- */

static const struct wrong {
	const char *what;
	enum imap_auth auth;
	const char *caps;
	struct imap_script_row rows[2];
	enum fault_kind kind;
	enum fault_scope scope;
	const char *text;
	bool master;
	const char *authorize;
} wrongs[] = {
	{ "no proof",
	  IMAP_AUTH_SCRAM,
	  IR "AUTH=SCRAM-SHA-256",
	  { { .when = "-" } },
	  FAULT_PROTOCOL,
	  FAULT_SCOPE_SERVER,
	  "has not proved",
	  false,
	  NULL },
	{ "no proof, by the best",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN AUTH=SCRAM-SHA-256",
	  { { .when = "-" } },
	  FAULT_PROTOCOL,
	  FAULT_SCOPE_SERVER,
	  "has not proved",
	  false,
	  NULL },
	{ "a challenge that is none",
	  IMAP_AUTH_SCRAM,
	  IR "AUTH=SCRAM-SHA-256",
	  { { .when = "AUTHENTICATE", .say = "+ not base64!\r\n" } },
	  FAULT_PROTOCOL,
	  FAULT_SCOPE_SERVER,
	  "base64",
	  false,
	  NULL },
	{ "a challenge without sense",
	  IMAP_AUTH_SCRAM,
	  IR "AUTH=SCRAM-SHA-256",
	  { { .when = "AUTHENTICATE", .say = "+ cj14LHM9eCxpPTQwOTY=\r\n" } },
	  FAULT_PROTOCOL,
	  FAULT_SCOPE_SERVER,
	  "SCRAM-SHA-256",
	  false,
	  NULL },
	{ "SCRAM refused, and not left for PLAIN",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN AUTH=SCRAM-SHA-256",
	  { { .when = "AUTHENTICATE SCRAM", .say = "$T NO [AUTHENTICATIONFAILED] no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_ACCOUNT,
	  "auth = plain",
	  false,
	  NULL },
	{ "nothing that suits",
	  IMAP_AUTH_SCRAM,
	  "AUTH=PLAIN AUTH=LOGIN",
	  { { .when = "-" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "it offers PLAIN, LOGIN, the LOGIN command",
	  false,
	  NULL },
	{ "LOGINDISABLED",
	  IMAP_AUTH_LOGIN,
	  "LOGINDISABLED",
	  { { .when = "-" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "offers nothing",
	  false,
	  NULL },
	{ "nobody to act for",
	  IMAP_AUTH_PASSWORD,
	  "AUTH=LOGIN",
	  { { .when = "-" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "takes no login by a password",
	  false,
	  "ana" },
	{ "no EXTERNAL",
	  IMAP_AUTH_CERTIFICATE,
	  "AUTH=PLAIN",
	  { { .when = "-" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "by EXTERNAL here",
	  false,
	  NULL },
	{ "a token that is told to be old",
	  IMAP_AUTH_BEARER,
	  IR "AUTH=OAUTHBEARER",
	  { { .when = "AUTHENTICATE", .say = "+ eyJzdGF0dXMiOiJ4eXoifQ==\r\n" },
	    { .when = "REPLY AQ==", .say = "$T NO no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_ACCOUNT,
	  "no, {\"status\":\"xyz\"} (by OAUTHBEARER",
	  false,
	  NULL },
	{ "a master login",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN",
	  { { .when = "AUTHENTICATE", .say = "$T NO [AUTHENTICATIONFAILED] no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "the one login for everybody",
	  true,
	  "ana" },
	{ "a master login for somebody who is not there",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN",
	  { { .when = "AUTHENTICATE", .say = "$T NO [AUTHORIZATIONFAILED] no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_ACCOUNT,
	  "may act for this person",
	  true,
	  "ana" },
	{ "a plus too many",
	  IMAP_AUTH_LOGIN,
	  "AUTH=LOGIN LOGINDISABLED",
	  { { .when = "AUTHENTICATE", .say = "+ \r\n" }, { .when = "REPLY", .say = "+ \r\n" } },
	  FAULT_PROTOCOL,
	  FAULT_SCOPE_ACCOUNT,
	  "nobody waits",
	  false,
	  NULL },
	{ "the password in base64",
	  IMAP_AUTH_PLAIN,
	  IR "AUTH=PLAIN",
	  { { .when = "AUTHENTICATE", .say = "$T NO got " IMAP_LAB_BLOB "\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_ACCOUNT,
	  "got ***",
	  false,
	  NULL },
};

Test(auth, is_refused_with_words)
{
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct imap_script script = { .caps = wrongs[i].caps,
					      .rows = wrongs[i].rows,
					      .count = wrongs[i].rows[1].when ? 2 : 1 };
		struct imap_lab *lab = lab_of(wrongs[i].auth, &script);
		struct fault *fault;

		lab->options.master = wrongs[i].master;
		lab->options.authorize = wrongs[i].authorize;
		fault = imap_session_open(lab, &lab->options, &lab->session);
		imap_lab_fault(fault, wrongs[i].kind, wrongs[i].what);
		cr_expect_not_null(strstr(fault->text, wrongs[i].text), "%s: %s", wrongs[i].what,
				   fault->text);
		cr_expect_eq(fault->retry_after_s > 0,
			     wrongs[i].master && wrongs[i].scope == FAULT_SCOPE_SERVER);
		cr_expect_eq(fault->scope, wrongs[i].scope, "%s: scope %s", wrongs[i].what,
			     fault_scope_name(fault->scope));
		imap_lab_end(lab);
	}
}

/* ---- a token that is renewed ---- */

static struct fault *next_token(void *context, const struct secret **token_r)
{
	int *asked = context;

	++*asked;
	*token_r = secret_new(NULL, "fresh", 5); /* as long as the test */
	return NULL;
}

/* XOAUTH2 with "fresh" is welcome, with "stale" not. */
static const struct imap_script_row stale_rows[] = {
	{ .when = "AUTHENTICATE XOAUTH2 dXNlcj1hbmEBYXV0aD1CZWFyZXIgc3RhbGU",
	  .say = "$T NO [AUTHENTICATIONFAILED] old\r\n" },
};

static const struct imap_script_row closed_rows[] = {
	{ .when = "AUTHENTICATE", .say = "$T NO [AUTHENTICATIONFAILED] never\r\n" },
};

static struct fault *look(const struct imap_script *script, struct clock *clock, int *asked,
			  int times, int64_t *connections_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct imap_server *server = imap_server_new(mem, script);
	struct imap_account account = { .auth = IMAP_AUTH_BEARER, .user = "ana", .stop_fd = -1 };
	struct endpoint_probe *probe;
	struct endpoint *endpoint;
	struct fault *fault = NULL;

	account.url = mem_printf(mem, "imap://127.0.0.1:%d", imap_server_port(server));
	account.trusts = trusts_new(mem);
	account.password = secret_new(mem, "stale", 5);
	account.renew = next_token;
	account.renew_context = asked;
	endpoint = imap_new(mem, clock, NULL, &account);
	for (int i = 0; i < times; i++)
		fault = endpoint_probe(endpoint, mem, &probe);
	*connections_r = endpoint_stats(endpoint).connections;
	talloc_steal(clock, fault);
	talloc_free(endpoint);
	talloc_free(mem);
	return fault;
}

Test(auth, a_refused_token_is_renewed_once)
{
	struct imap_script stale = { .caps = IR "AUTH=XOAUTH2",
				     .rows = stale_rows,
				     .count = COUNT_OF(stale_rows) };
	struct imap_script closed = { .caps = IR "AUTH=XOAUTH2", .rows = closed_rows, .count = 1 };
	struct clock *clock = clock_system(NULL);
	int64_t connections;
	int asked = 0;

	imap_lab_none(look(&stale, clock, &asked, 1, &connections), "stale");
	cr_expect_eq(asked, 1);
	cr_expect_eq(connections, 2);
	asked = 0;
	imap_lab_fault(look(&closed, clock, &asked, 3, &connections), FAULT_LOGIN, "closed");
	cr_expect_eq(asked, 1, "%d tokens within a minute", asked);
	cr_expect_eq(connections, 4);
	talloc_free(clock);
}

/* ---- a real server ---- */

static struct imap_lab *real_lab(enum imap_auth auth)
{
	static const struct imap_script unused = { .caps = NULL };
	struct imap_lab *lab;
	char line[200] = "";
	FILE *file;

	if (getenv(SERVER_MISSING))
		cr_skip_test("Dovecot is not installed");
	cr_assert_not_null(getenv(SERVER_DIR), "Dovecot did not start");
	lab = imap_lab_new(&unused);
	file = fopen(mem_printf(lab, "%s/tls-url", getenv(SERVER_DIR)), "r");
	cr_assert(file && fgets(line, sizeof line, file));
	fclose(file);
	lab->options.host = "localhost";
	lab->options.port = atoi(strrchr(line, ':') + 1);
	lab->options.tls = true;
	lab->options.tls_ca = mem_printf(lab, "%s/ca.pem", getenv(SERVER_DIR));
	lab->options.auth = auth;
	return lab;
}

static const struct secret *secret_in(struct imap_lab *lab, const char *name)
{
	char *path = mem_printf(lab, "%s/%s", getenv(SERVER_DIR), name), line[4096] = "";
	FILE *file = fopen(path, "r");

	cr_assert(file && fgets(line, sizeof line, file), "%s", path);
	fclose(file);
	return secret_new(lab, line, strcspn(line, "\n"));
}

static const struct {
	enum imap_auth auth;
	const char *user, *authorize, *password, *token, *how;
	bool cert;
	enum fault_kind kind; /* INTERNAL: none */
	const char *text;
} reals[] = {
	{ IMAP_AUTH_PASSWORD, "ana", NULL, NULL, NULL, "SCRAM-SHA-256", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_PLAIN, "ana", NULL, NULL, NULL, "PLAIN", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_LOGIN, "ana", NULL, NULL, NULL, "the LOGIN command", false, FAULT_INTERNAL,
	  "" },
	{ IMAP_AUTH_BEARER, "ana", NULL, NULL, "token", "OAUTHBEARER", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_CERTIFICATE, "", NULL, NULL, NULL, "EXTERNAL", true, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_PLAIN, "gate", "ana", "gatekey", NULL, "PLAIN", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_PASSWORD, "gate", "ana", "gatekey", NULL, "PLAIN", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_SCRAM, "ana", "ana", NULL, NULL, "SCRAM-SHA-256", false, FAULT_INTERNAL, "" },
	{ IMAP_AUTH_LOGIN, "bob*gate", NULL, "gatekey", NULL, "the LOGIN command", false,
	  FAULT_INTERNAL, "" },
	{ IMAP_AUTH_SCRAM, "ana", NULL, "wrong", NULL, NULL, false, FAULT_LOGIN,
	  "the server offers PLAIN, LOGIN, SCRAM-SHA-256, OAUTHBEARER, XOAUTH2, EXTERNAL" },
	{ IMAP_AUTH_BEARER, "ana", NULL, NULL, "other-token", NULL, false, FAULT_LOGIN,
	  "invalid_token" },
	{ IMAP_AUTH_CERTIFICATE, "", NULL, NULL, NULL, NULL, false, FAULT_LOGIN, "tls_cert" },
};

Test(auth, every_way_works, .timeout = 60)
{
	for (size_t i = 0; i < COUNT_OF(reals); i++) {
		struct imap_lab *lab = real_lab(reals[i].auth);
		const char *password = reals[i].password;
		struct fault *fault;

		lab->options.user = reals[i].user;
		lab->options.authorize = reals[i].authorize;
		if (password)
			lab->options.password = secret_new(lab, password, strlen(password));
		if (reals[i].token)
			lab->options.password = secret_in(lab, reals[i].token);
		if (reals[i].cert)
			lab->options.tls_cert =
				mem_printf(lab, "%s/client.pem", getenv(SERVER_DIR));
		fault = imap_session_open(lab, &lab->options, &lab->session);
		if (reals[i].kind == FAULT_INTERNAL) {
			imap_lab_none(fault, mem_printf(lab, "row %zu", i));
			cr_expect_str_eq(imap_session_login(lab->session), reals[i].how);
		} else {
			imap_lab_fault(fault, reals[i].kind, reals[i].user);
			cr_expect_not_null(strstr(fault->text, reals[i].text), "%s", fault->text);
		}
		imap_lab_end(lab);
	}
}
