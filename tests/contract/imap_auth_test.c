/* imap_auth_test.c - logins and compression.
 *
 * waits: yes
 */
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
	fixture_close(dovecot, stats->tests_failed);
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
	  "no, {\"status\":\"xyz\"} (as ana, by OAUTHBEARER",
	  false,
	  NULL },
	{ "a master login",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN",
	  { { .when = "AUTHENTICATE", .say = "$T NO [AUTHENTICATIONFAILED] no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_SERVER,
	  "no (by PLAIN; look at the one login for everybody",
	  true,
	  "ana" },
	{ "a master login for somebody who is not there",
	  IMAP_AUTH_PASSWORD,
	  IR "AUTH=PLAIN",
	  { { .when = "AUTHENTICATE", .say = "$T NO [AUTHORIZATIONFAILED] no\r\n" } },
	  FAULT_LOGIN,
	  FAULT_SCOPE_ACCOUNT,
	  "no (as ana for ana, by PLAIN; look at the one login for everybody",
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

struct tokens {
	struct clock *clock; /* they belong to it */
	int asked;
};

static struct fault *next_token(void *context, const struct secret **token_r)
{
	struct tokens *tokens = context;

	tokens->asked++;
	*token_r = secret_new(tokens->clock, "fresh", 5);
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

static void count_stale(const void *block, int depth, int max_depth, int is_reference, void *data)
{
	int *count = data;

	(void)depth;
	(void)max_depth;
	*count += !is_reference && !strcmp(talloc_get_name(block), "struct secret") &&
		  !strcmp(secret_reveal(block), "stale");
}

static struct fault *look(const struct imap_script *script, struct tokens *tokens, int times,
			  int64_t *connections_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct imap_server *server = imap_server_new(mem, script);
	struct imap_account account = { .auth = IMAP_AUTH_BEARER, .user = "ana", .stop_fd = -1 };
	struct endpoint_probe *probe;
	struct endpoint *endpoint;
	struct fault *fault = NULL;
	int stale = 0;

	account.url = mem_printf(mem, "imap://127.0.0.1:%d", imap_server_port(server));
	account.trusts = trusts_new(mem);
	account.password = secret_new(mem, "stale", 5);
	account.renew = next_token;
	account.renew_context = tokens;
	endpoint = imap_new(mem, tokens->clock, NULL, &account);
	for (int i = 0; i < times; i++)
		fault = endpoint_probe(endpoint, mem, &probe);
	*connections_r = endpoint_stats(endpoint).connections;
	talloc_report_depth_cb(endpoint, 0, -1, count_stale, &stale);
	cr_expect_eq(stale, 0, "the old token stays in memory");
	talloc_steal(tokens->clock, fault);
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
	struct tokens tokens = { .clock = clock_system(NULL) };
	int64_t connections;

	imap_lab_none(look(&stale, &tokens, 1, &connections), "stale");
	cr_expect_eq(tokens.asked, 1);
	cr_expect_eq(connections, 2);
	tokens.asked = 0;
	imap_lab_fault(look(&closed, &tokens, 3, &connections), FAULT_LOGIN, "closed");
	cr_expect_eq(tokens.asked, 1, "%d tokens within a minute", tokens.asked);
	cr_expect_eq(connections, 4);
	talloc_free(tokens.clock);
}

/* ---- a real server ---- */

static int port_in(struct imap_lab *lab, const char *name)
{
	FILE *file = fopen(mem_printf(lab, "%s/%s", getenv(SERVER_DIR), name), "r");
	char line[200] = "";

	cr_assert(file && fgets(line, sizeof line, file));
	fclose(file);
	return atoi(strrchr(line, ':') + 1);
}

static struct imap_lab *real_lab(enum imap_auth auth)
{
	static const struct imap_script unused = { .caps = NULL };
	struct imap_lab *lab;

	if (getenv(SERVER_MISSING))
		cr_skip_test("Dovecot is not installed");
	cr_assert_not_null(getenv(SERVER_DIR), "Dovecot did not start");
	lab = imap_lab_new(&unused);
	lab->options.host = "localhost";
	lab->options.port = port_in(lab, "tls-url");
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

Test(auth, every_way_works, .timeout = 300)
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

/* ---- certificates, the server's and ours ---- */

#define OTHER_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct fault *open_once(struct imap_lab *lab)
{
	imap_session_close(&lab->session);
	return imap_session_open(lab, &lab->options, &lab->session);
}

static void expect_text(const struct fault *fault, enum fault_kind kind, const char *text)
{
	imap_lab_fault(fault, kind, text);
	cr_expect_not_null(strstr(fault->text, text), "no \"%s\" in: %s", text, fault->text);
}

Test(auth, a_pin_is_held_against_the_key)
{
	struct imap_lab *lab = real_lab(IMAP_AUTH_PLAIN);
	struct fault *fault;
	const char *pin;

	for (int starttls = 0; starttls < 2; starttls++) {
		lab->options.tls_pin = OTHER_PIN;
		fault = open_once(lab);
		expect_text(fault, FAULT_TLS, "none of those in tls_pin; it has sha256//");
		pin = mem_strndup(lab, strstr(fault->text, "sha256//"), strlen(OTHER_PIN));
		lab->options.tls_pin = mem_printf(lab, "%s;%s", OTHER_PIN, pin);
		imap_lab_none(open_once(lab), "the right pin");
		lab->options.tls_pin = mem_printf(lab, "%.*s", (int)strlen(pin) - 1, pin);
		expect_text(open_once(lab), FAULT_TLS, "none of those");
		lab->options.port = port_in(lab, "url");
		lab->options.tls = false;
		lab->options.starttls = true;
	}
	imap_lab_end(lab);
}

static const struct {
	const char *cert, *key, *text;
} files[] = {
	{ "client.pem", NULL, NULL },
	{ "client.crt", "client.key", NULL },
	{ "nowhere.pem", NULL, "tls_cert" },
	{ "client.crt", "nowhere.key", "tls_key" },
	{ "client.crt", NULL, "no key in PEM form" },
	{ "client.crt", "server.key", "belongs to the certificate" },
	{ "users", NULL, "not a certificate in PEM form" },
};

Test(auth, files_that_are_wrong_are_named)
{
	struct imap_lab *lab = real_lab(IMAP_AUTH_CERTIFICATE);
	const char *dir = getenv(SERVER_DIR);
	struct fault *fault;

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		lab->options.tls_cert = mem_printf(lab, "%s/%s", dir, files[i].cert);
		lab->options.tls_key =
			files[i].key ? mem_printf(lab, "%s/%s", dir, files[i].key) : NULL;
		fault = open_once(lab);
		if (!files[i].text) {
			imap_lab_none(fault, files[i].cert);
			continue;
		}
		expect_text(fault, FAULT_CONFIG, files[i].text);
		cr_expect_eq(fault->next, FAULT_NEXT_RETRY);
	}
	lab->options.tls_ca = "/nowhere/ca.pem";
	expect_text(open_once(lab), FAULT_CONFIG, "tls_ca /nowhere/ca.pem: No such file");
	imap_lab_end(lab);
}

/* ---- COMPRESS ---- */

#define MANY 100

static struct fault *count_bytes(void *context, const struct imap_response *response)
{
	const struct imap_node *body = strcmp(response->name, "FETCH")
					       ? NULL
					       : imap_node_after(response->args->first, "BODY[]");

	*(size_t *)context += body ? body->len : 0;
	return NULL;
}

static void run_ok(struct imap_lab *lab, struct imap_line *line, imap_each *each, void *context)
{
	struct imap_answer answer;

	imap_lab_none(imap_session_run(lab->session, lab, line, each, context, &answer), "run");
	cr_assert_eq(answer.status, IMAP_OK, "%s", answer.text);
}

static void move_much(struct imap_lab *lab, const char *mailbox)
{
	struct imap_line *lines[MANY], *create = imap_line_new(lab, "CREATE ", true);
	struct imap_answer answers[MANY];
	struct buf *body = buf_new(lab);
	size_t answered, got = 0;

	imap_line_mailbox(create, mailbox);
	run_ok(lab, create, NULL, NULL);
	for (int i = 0; i < 200; i++)
		buf_printf(body, "X-Line-%d: a line like any other\r\n", i);
	for (size_t i = 0; i < MANY; i++) {
		lines[i] = imap_line_new(lab, "APPEND ", true);
		imap_line_mailbox(lines[i], mailbox);
		imap_line_add(lines[i], " ");
		imap_line_literal(lines[i], body->data, body->len);
	}
	imap_lab_none(imap_session_run_all(lab->session, lab, lines, MANY, NULL, NULL, answers,
					   &answered),
		      "append");
	cr_expect_eq(answered, MANY);
	imap_lab_none(imap_session_select(lab->session, lab, mailbox, true, &answers[0]), "select");
	run_ok(lab, imap_line_new(lab, "UID FETCH 1:* (UID BODY.PEEK[])", false), count_bytes,
	       &got);
	cr_expect_eq(got, MANY * body->len);
}

Test(compress, begins_when_much_is_moved)
{
	static const struct {
		const char *mailbox;
		int64_t after;
		uint64_t without;
		bool compressed;
	} cases[] = {
		{ "loopback", 0, 0, false },
		{ "at-once", 1, 0, true },
		{ "later", IMAP_COMPRESS_AFTER, 0, true },
		{ "switched-off", 1, UINT64_C(1) << IMAP_CAP_COMPRESS, false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct imap_lab *lab = real_lab(IMAP_AUTH_PLAIN);
		struct imap_stats stats;
		bool woken;

		lab->options.compress_after = cases[i].after;
		lab->options.without = cases[i].without;
		imap_lab_open(lab);
		cr_expect_not(imap_session_is_compressed(lab->session));
		move_much(lab, cases[i].mailbox);
		stats = imap_session_stats(lab->session);
		cr_expect_eq(imap_session_is_compressed(lab->session), cases[i].compressed);
		cr_expect_eq(stats.received_bytes < 100000, cases[i].compressed, "%s: %lld",
			     cases[i].mailbox, (long long)stats.received_bytes);
		cr_expect_eq(stats.sent_bytes < 100000, cases[i].compressed, "%s: %lld",
			     cases[i].mailbox, (long long)stats.sent_bytes);
		imap_lab_none(imap_session_idle(lab->session, &woken), "idle");
		cr_expect(imap_session_is_drained(lab->session));
		imap_lab_none(imap_session_idle_end(lab->session), "done");
		imap_session_close(&lab->session);
		imap_lab_end(lab);
	}
}

/* What a server answers to COMPRESS DEFLATE. */
static const struct {
	const char *what, *say;
	enum fault_kind kind; /* of what comes next; INTERNAL: none */
} answers[] = {
	{ "refused", "$T NO [COMPRESSIONACTIVE] no\r\n", FAULT_INTERNAL },
	{ "not known", "$T BAD what\r\n", FAULT_INTERNAL },
	{ "not meant", "$T OK go\r\n", FAULT_PROTOCOL },
	{ "text behind it", "$T OK go\r\n* 3 EXISTS\r\n", FAULT_PROTOCOL },
	{ "the end of it", "$T OK go\r\n\003$0", FAULT_UNREACHABLE },
};

Test(compress, answers_that_are_none)
{
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct imap_script_row row = { .when = "COMPRESS", .say = answers[i].say };
		struct imap_script script = { .caps = IR "AUTH=PLAIN COMPRESS=DEFLATE",
					      .rows = &row,
					      .count = 1 };
		struct imap_lab *lab = lab_of(IMAP_AUTH_PLAIN, &script);
		struct imap_answer answer;
		struct fault *fault;

		lab->options.compress_after = 1;
		if (answers[i].kind == FAULT_PROTOCOL)
			lab->options.command_ms = 10 * IMAP_LAB_SHORT_MS; /* it may wait for more */
		imap_lab_open(lab);
		fault = imap_session_run(lab->session, lab, imap_line_new(lab, "NOOP", false), NULL,
					 NULL, &answer);
		if (answers[i].kind == FAULT_INTERNAL)
			imap_lab_none(fault, answers[i].what);
		else
			cr_expect(fault && fault->kind != FAULT_INTERNAL, "%s", answers[i].what);
		imap_lab_end(lab);
	}
}
