#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fixture.h"
#include "gateway/imap/imap_session.h"

/* The session against a real Dovecot: every way to log in, literals of every kind, many commands at
 * once, IDLE. One server for the whole program; every test has a mailbox of its own in it. */

#define SERVER_DIR "IMAP_SESSION_DIR"
#define SERVER_MISSING "IMAP_SESSION_MISSING"
#define WAIT_MS 60000 /* for what the server does by itself: it gathers changes for a while */

static struct fixture *dovecot; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana:s3cr3t", "bob:a\"b (c", NULL };

	(void)tests;
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

/* ---- the world ---- */

enum way { PLAIN, STARTTLS, TLS, WAYS };

static const char *const way_names[WAYS] = { "plain", "STARTTLS", "TLS" };

struct lab {
	struct imap_session_options options;
	struct imap_session *session, *other;
};

static int port_of(struct lab *lab, const char *file)
{
	char *path = mem_printf(lab, "%s/%s", getenv(SERVER_DIR), file), line[200] = "";
	FILE *stream = fopen(path, "r");

	cr_assert_not_null(stream, "%s", path);
	cr_assert_not_null(fgets(line, sizeof line, stream));
	fclose(stream);
	return atoi(strrchr(line, ':') + 1);
}

static struct lab *lab_new(enum way way)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);

	if (getenv(SERVER_MISSING))
		cr_skip_test("Dovecot is not installed");
	cr_assert_not_null(getenv(SERVER_DIR), "Dovecot did not start");
	lab->options.host = "localhost";
	lab->options.port = port_of(lab, way == TLS ? "tls-url" : "url");
	lab->options.tls = way == TLS;
	lab->options.starttls = way == STARTTLS;
	lab->options.tls_ca = mem_printf(lab, "%s/ca.pem", getenv(SERVER_DIR));
	lab->options.trusts = trusts_new(lab);
	lab->options.stop_fd = -1;
	lab->options.user = "ana";
	lab->options.password = secret_new(lab, "s3cr3t", strlen("s3cr3t"));
	return lab;
}

static void lab_end(struct lab *lab)
{
	imap_session_close(&lab->session);
	imap_session_close(&lab->other);
	talloc_free(lab);
}

static void expect_fault(const struct fault *fault, enum fault_kind kind, const char *text)
{
	cr_assert_not_null(fault, "%s: no fault", text);
	cr_expect_eq(fault->kind, kind, "expected %s, got %s: %s", fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_expect_not_null(strstr(fault->text, text), "no \"%s\" in: %s", text, fault->text);
	cr_expect_null(strstr(fault->text, "s3cr3t"), "password shown: %s", fault->text);
}

static void expect_none(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: %s: %s", what, fault_kind_name(fault->kind), fault->text);
}

static void run_ok(struct lab *lab, const struct imap_line *line, imap_each *each, void *context,
		   struct imap_answer *answer_r)
{
	struct imap_answer answer;

	expect_none(imap_session_run(lab->session, lab, line, each, context, &answer), "run");
	cr_assert_eq(answer.status, IMAP_OK, "%s", answer.text);
	if (answer_r)
		*answer_r = answer;
}

static void select_ok(struct lab *lab, struct imap_session *session, const char *mailbox)
{
	struct imap_answer answer;

	expect_none(imap_session_select(session, lab, mailbox, true, &answer), "select");
	cr_assert_eq(answer.status, IMAP_OK, "%s: %s", mailbox, answer.text);
}

/* A session in a mailbox of its own. */
static void open_in(struct lab *lab, const char *mailbox)
{
	struct imap_line *line = imap_line_new(lab, "CREATE ", true);

	expect_none(imap_session_open(lab, &lab->options, &lab->session), "open");
	imap_line_mailbox(line, mailbox);
	run_ok(lab, line, NULL, NULL, NULL);
	select_ok(lab, lab->session, mailbox);
}

static struct imap_line *append_line(TALLOC_CTX *mem, const char *mailbox, const char *body,
				     size_t n)
{
	struct imap_line *line = imap_line_new(mem, "APPEND ", true);

	imap_line_mailbox(line, mailbox);
	imap_line_add(line, " (\\Seen $TF-%d) ", 1);
	imap_line_literal(line, body, n);
	return line;
}

/* ---- logging in ---- */

static bool has_word(const char *words, const char *word)
{
	char *padded = mem_printf(NULL, " %s ", words), *wanted = mem_printf(NULL, " %s ", word);
	bool has = strstr(padded, wanted) != NULL;

	talloc_free(padded);
	talloc_free(wanted);
	return has;
}

Test(login, works_in_every_way)
{
	for (enum way way = 0; way < WAYS; way++) {
		struct lab *lab = lab_new(way);

		expect_none(imap_session_open(lab, &lab->options, &lab->session), way_names[way]);
		for (int cap = 0; cap < IMAP_CAPS; cap++)
			cr_expect_eq(imap_session_can(lab->session, cap),
				     has_word(imap_session_caps(lab->session),
					      imap_cap_word((enum imap_cap)cap)),
				     "%s: capability %d in %s", way_names[way], cap,
				     imap_session_caps(lab->session));
		cr_expect_str_eq(imap_session_prefix(lab->session), "");
		cr_expect_eq(imap_session_delimiter(lab->session), '.');
		cr_expect(imap_session_is_drained(lab->session));
		/* login, ENABLE, NAMESPACE; what was said before TLS is asked for again */
		cr_expect_eq(imap_session_stats(lab->session).commands, way == STARTTLS ? 5 : 3,
			     "%s: %d commands", way_names[way],
			     (int)imap_session_stats(lab->session).commands);
		expect_none(imap_session_ask_server(lab->session, lab), way_names[way]);
		cr_expect_str_eq(imap_session_server(lab->session), "Dovecot");
		lab_end(lab);
	}
}

Test(login, a_wrong_password_is_refused)
{
	struct lab *lab = lab_new(PLAIN);
	struct fault *fault;

	lab->options.password = secret_new(lab, "s3cr3t!", strlen("s3cr3t!"));
	fault = imap_session_open(lab, &lab->options, &lab->session);
	expect_fault(fault, FAULT_LOGIN, "Authentication failed");
	cr_expect_eq(fault->scope, FAULT_SCOPE_ACCOUNT);
	cr_expect_eq(fault->next, FAULT_NEXT_HOLD);
	lab_end(lab);
}

Test(login, odd_characters_are_no_matter)
{
	struct lab *lab = lab_new(PLAIN);

	lab->options.user = "bob";
	lab->options.password = secret_new(lab, "a\"b (c", strlen("a\"b (c"));
	expect_none(imap_session_open(lab, &lab->options, &lab->session), "bob");
	lab_end(lab);
}

Test(login, a_foreign_server_gets_no_password)
{
	for (enum way way = STARTTLS; way < WAYS; way++) {
		struct lab *lab = lab_new(way);
		struct fault *fault;

		lab->options.tls_ca = mem_printf(lab, "%s/other-ca.pem", getenv(SERVER_DIR));
		fault = imap_session_open(lab, &lab->options, &lab->session);
		expect_fault(fault, FAULT_TLS, "not signed by a known CA");
		cr_expect_eq(fault->scope, FAULT_SCOPE_SERVER);
		lab_end(lab);
	}
}

Test(login, tls_and_plain_do_not_mix)
{
	struct lab *lab = lab_new(PLAIN);

	lab->options.tls = true;
	expect_fault(imap_session_open(lab, &lab->options, &lab->session), FAULT_TLS, "TLS");
	lab_end(lab);
	lab = lab_new(TLS);
	lab->options.tls = false;
	lab->options.command_ms = 500; /* a TLS server waits for our first word */
	expect_fault(imap_session_open(lab, &lab->options, &lab->session), FAULT_UNREACHABLE,
		     "in time");
	lab_end(lab);
}

/* ---- mailboxes ---- */

Test(mailbox, select_tells_its_numbers)
{
	struct lab *lab = lab_new(PLAIN);
	const struct imap_selected *selected;

	open_in(lab, "numbers");
	run_ok(lab, append_line(lab, "numbers", "a: b\r\n\r\nc", 9), NULL, NULL, NULL);
	select_ok(lab, lab->session, "numbers");
	selected = imap_session_selected(lab->session);
	cr_expect_str_eq(selected->mailbox, "numbers");
	cr_expect_gt(selected->uidvalidity, 0);
	cr_expect_eq(selected->uidnext, 2);
	cr_expect_eq(selected->exists, 1);
	cr_expect_gt(selected->highestmodseq, 0);
	cr_expect_eq(selected->read_only, false);
	cr_expect_eq(selected->any_keyword, true);
	cr_expect_not_null(strstr(selected->permanent_flags, "\\Deleted"));
	cr_expect_eq(selected->changes, 0);
	lab_end(lab);
}

Test(mailbox, one_that_is_not_there)
{
	struct lab *lab = lab_new(PLAIN);
	struct imap_answer answer;

	expect_none(imap_session_open(lab, &lab->options, &lab->session), "open");
	expect_none(imap_session_select(lab->session, lab, "nowhere", false, &answer), "select");
	cr_expect_eq(answer.status, IMAP_NO);
	cr_expect_null(imap_session_selected(lab->session)->mailbox);
	expect_none(imap_session_run(lab->session, lab, append_line(lab, "nowhere", "x", 1), NULL,
				     NULL, &answer),
		    "append");
	cr_expect_str_eq(answer.code, "TRYCREATE");
	expect_fault(imap_answer_fault(lab, &answer, FAULT_SCOPE_FOLDER, "append"), FAULT_GONE,
		     "append: ");
	lab_end(lab);
}

Test(mailbox, a_name_in_any_script)
{
	struct lab *lab = lab_new(PLAIN);

	open_in(lab, "h\303\244user & \345\217\260\345\214\227 \360\237\230\200");
	cr_expect_eq(imap_session_selected(lab->session)->exists, 0);
	lab_end(lab);
}

/* ---- literals and windows ---- */

#define MANY 250

static struct fault *note_sizes(void *context, const struct imap_response *response)
{
	const struct imap_node *items = response->args;
	const struct imap_node *body;
	uint32_t *sizes = context, uid;

	if (strcmp(response->name, "FETCH"))
		return NULL;
	body = imap_node_after(items->first, "BODY[]");
	cr_assert(body && imap_node_u32(imap_node_after(items->first, "UID"), &uid));
	cr_assert_leq(uid, MANY);
	sizes[uid - 1] = (uint32_t)body->len;
	return NULL;
}

static void append_many(const char *mailbox, enum way way, unsigned without)
{
	struct lab *lab = lab_new(way);
	struct imap_line *lines[MANY];
	struct imap_answer *answers = MEM_ARRAY(lab, struct imap_answer, MANY);
	uint32_t *sizes = MEM_ARRAY(lab, uint32_t, MANY), uid;
	char *body = MEM_ARRAY(lab, char, 100 * MANY);
	size_t answered;

	lab->options.without = without;
	open_in(lab, mailbox);
	memset(body, 'x', 100 * MANY);
	memcpy(body, "a: b\r\n\r\n", 8);
	for (size_t i = 0; i < MANY; i++)
		lines[i] = append_line(lab, mailbox, body, 100 * (i + 1));
	expect_none(imap_session_run_all(lab->session, lab, lines, MANY, NULL, NULL, answers,
					 &answered),
		    mailbox);
	cr_expect_eq(answered, MANY);
	for (size_t i = 0; i < MANY; i++) {
		cr_assert_str_eq(answers[i].code, "APPENDUID");
		cr_assert(imap_node_u32(answers[i].code_args->next, &uid) && uid == i + 1,
			  "%zu is UID %u", i, uid);
	}
	run_ok(lab, imap_line_new(lab, "UID FETCH 1:* (UID BODY.PEEK[])", false), note_sizes, sizes,
	       NULL);
	for (size_t i = 0; i < MANY; i++)
		cr_assert_eq(sizes[i], 100 * (i + 1), "message %zu has %u bytes", i, sizes[i]);
	cr_expect_eq(imap_session_stats(lab->session).writes, MANY + 1);
	lab_end(lab);
}

Test(window, literals_that_do_not_wait, .timeout = 300)
{
	append_many("plus", PLAIN, 0);
	append_many("plus-tls", TLS, 0);
}

Test(window, literals_that_wait, .timeout = 300)
{
	append_many("sync", PLAIN, 1U << IMAP_CAP_LITERAL_PLUS);
	append_many("sync-tls", STARTTLS, 1U << IMAP_CAP_LITERAL_PLUS);
}

static struct fault *compare_body(void *context, const struct imap_response *response)
{
	const struct buf *sent = context;
	const struct imap_node *body;

	if (strcmp(response->name, "FETCH"))
		return NULL;
	body = imap_node_after(response->args->first, "BODY[]");
	cr_assert_not_null(body);
	cr_assert_eq(body->len, sent->len, "%zu bytes of %zu", body->len, sent->len);
	cr_assert(!memcmp(body->text, sent->data, sent->len));
	return NULL;
}

Test(window, a_megabyte_comes_back_as_it_was, .timeout = 300)
{
	for (enum way way = PLAIN; way < WAYS; way += 2) {
		struct lab *lab = lab_new(way);
		struct buf *body = buf_new(lab);
		const char *mailbox = mem_printf(lab, "large-%d", way);

		buf_puts(body, "Subject: large\r\n\r\n");
		for (unsigned i = 0; body->len < 1 << 20; i++)
			buf_printf(body, "%u ( \" { \\ \303\244 \t {5}\r\n", i);
		open_in(lab, mailbox);
		run_ok(lab, append_line(lab, mailbox, body->data, body->len), NULL, NULL, NULL);
		run_ok(lab, imap_line_new(lab, "UID FETCH 1 (UID BODY.PEEK[])", false),
		       compare_body, body, NULL);
		lab_end(lab);
	}
}

Test(window, several_messages_in_one_command)
{
	struct lab *lab = lab_new(PLAIN);
	struct imap_line *line = imap_line_new(lab, "APPEND ", true);
	struct imap_answer answer;

	open_in(lab, "multi");
	imap_line_mailbox(line, "multi");
	for (int i = 0; i < 3; i++) {
		imap_line_add(line, " (\\Seen) ");
		imap_line_literal(line, "a: b\r\n\r\nc", 9);
	}
	run_ok(lab, line, NULL, NULL, &answer);
	cr_expect_str_eq(answer.code, "APPENDUID");
	cr_expect_str_eq(answer.code_args->next->text, "1:3");
	lab_end(lab);
}

Test(window, a_flag_that_changed_meanwhile)
{
	struct lab *lab = lab_new(PLAIN);
	struct imap_answer answer;

	open_in(lab, "modseq");
	run_ok(lab, append_line(lab, "modseq", "a: b\r\n\r\nc", 9), NULL, NULL, NULL);
	select_ok(lab, lab->session, "modseq");
	run_ok(lab, imap_line_new(lab, "UID STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Deleted)", true),
	       NULL, NULL, &answer);
	cr_expect_str_eq(answer.code, "MODIFIED");
	cr_expect_str_eq(answer.code_args->text, "1");
	cr_expect_eq(imap_session_selected(lab->session)->changes, 0, "all of it was ours");
	lab_end(lab);
}

/* ---- IDLE ---- */

/* Waits for a change as the service does it: on the descriptor. */
static bool wait_for_change(struct imap_session *session)
{
	struct pollfd fd = { .fd = imap_session_fd(session), .events = POLLIN };
	bool woken = false;

	while (!woken) {
		cr_assert(imap_session_is_drained(session), "parked with something left in it");
		if (poll(&fd, 1, WAIT_MS) <= 0)
			return false;
		expect_none(imap_session_idle_ready(session, &woken), "ready");
	}
	return true;
}

static void idle_in(enum way way, const char *mailbox)
{
	struct lab *lab = lab_new(way);
	struct imap_answer answer;
	bool woken;

	open_in(lab, mailbox);
	expect_none(imap_session_open(lab, &lab->options, &lab->other), "other");
	select_ok(lab, lab->other, mailbox);
	expect_none(imap_session_idle(lab->other, &woken), "idle");
	cr_expect_not(woken);
	cr_expect(imap_session_is_idle(lab->other));
	run_ok(lab, append_line(lab, mailbox, "a: b\r\n\r\nc", 9), NULL, NULL, NULL);
	cr_expect(wait_for_change(lab->other), "%s: not woken", way_names[way]);
	cr_expect_eq(imap_session_selected(lab->other)->exists, 1);
	expect_none(imap_session_idle_end(lab->other), "done");
	cr_expect_not(imap_session_is_idle(lab->other));
	expect_none(imap_session_run(lab->other, lab, imap_line_new(lab, "NOOP", false), NULL, NULL,
				     &answer),
		    "noop");
	expect_none(imap_session_idle(lab->other, &woken), "idle again");
	lab_end(lab); /* ends it while it idles */
}

Test(idle, wakes_up, .timeout = 300)
{
	idle_in(PLAIN, "idle");
	idle_in(STARTTLS, "idle-starttls");
	idle_in(TLS, "idle-tls");
}
