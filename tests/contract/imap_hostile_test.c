/* imap_hostile_test.c - servers that lie, hang and end.
 *
 * waits: yes
 */
#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "imap_lab.h"

/* The session against a server that cuts, hangs, drips, floods, lies and talks nonsense: what comes
 * of it is always one of the faults of the contract, soon, with no password in it, and the session
 * is never out of step. */

/* ---- a whole session, and what it looked like ---- */

#define APPENDS 20

struct tale {
	size_t fetched; /* FETCH responses */
	size_t before_logout;
};

static struct fault *count_fetches(void *context, const struct imap_response *response)
{
	struct tale *tale = context;

	tale->fetched += !strcmp(response->name, "FETCH");
	return NULL;
}

static struct fault *write_much(struct imap_lab *lab)
{
	struct imap_line *lines[APPENDS];
	struct imap_answer answers[APPENDS];
	struct fault *fault;
	size_t answered = 0;

	for (size_t i = 0; i < APPENDS; i++)
		lines[i] = imap_lab_append(lab, "Subject: x\r\n\r\n", 14);
	fault = imap_session_run_all(lab->session, lab, lines, APPENDS, NULL, NULL, answers,
				     &answered);
	if (fault && imap_session_can(lab->session, IMAP_CAP_LITERAL_PLUS))
		cr_expect_eq(fault->maybe_done, true, "appends: maybe done: %s", fault->text);
	for (size_t i = 0; i < answered; i++)
		cr_expect_str_eq(answers[i].code, "APPENDUID");
	return fault;
}

static struct fault *read_and_idle(struct imap_lab *lab, struct tale *tale)
{
	struct imap_answer answer;
	bool woken;

	FAULT_TRY(imap_session_ask_server(lab->session, lab));
	FAULT_TRY(imap_session_run(lab->session, lab, imap_line_new(lab, "LIST \"\" \"\"", false),
				   NULL, NULL, &answer));
	FAULT_TRY(imap_session_run(lab->session, lab,
				   imap_line_new(lab, "UID FETCH 1:* (BODY[])", false),
				   count_fetches, tale, &answer));
	cr_expect_eq(answer.status, IMAP_OK);
	FAULT_TRY(imap_session_idle(lab->session, &woken));
	FAULT_TRY(imap_session_idle_end(lab->session));
	return NULL;
}

static struct fault *tell(struct imap_lab *lab, struct tale *tale)
{
	const struct imap_selected *selected;
	struct imap_answer answer;

	FAULT_TRY(imap_session_open(lab, &lab->options, &lab->session));
	FAULT_TRY(imap_session_select(lab->session, lab, "box", false, &answer));
	selected = imap_session_selected(lab->session);
	cr_expect_eq(selected->exists, 3, "exists %u", selected->exists);
	cr_expect_eq(selected->uidvalidity, 77);
	cr_expect_eq(selected->uidnext, 10);
	cr_expect_eq(selected->highestmodseq, 900);
	cr_expect_eq(selected->changes, 0);
	cr_expect_eq(selected->any_keyword, true);
	FAULT_TRY(write_much(lab));
	FAULT_TRY(read_and_idle(lab, tale));
	cr_expect_eq(tale->fetched, 2, "%zu fetched", tale->fetched);
	tale->before_logout = imap_server_said(lab->server);
	imap_session_close(&lab->session);
	return NULL;
}

Test(hostile, a_whole_session)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);
	struct tale tale = { 0 };

	imap_lab_none(tell(lab, &tale), "whole");
	imap_lab_end(lab);
}

static void cut_everywhere(const char *caps)
{
	struct imap_script script = { .caps = caps };
	struct imap_lab *lab = imap_lab_new(&script);
	struct tale whole = { 0 };

	imap_lab_none(tell(lab, &whole), "whole");
	cr_assert_gt(whole.before_logout, 1000, "a short story: %zu bytes", whole.before_logout);
	imap_lab_end(lab);
	for (script.cut = 1; script.cut <= whole.before_logout + 5; script.cut++) {
		struct tale tale = { 0 };
		struct fault *fault;

		lab = imap_lab_new(&script);
		fault = tell(lab, &tale);
		if (script.cut >= whole.before_logout) {
			imap_lab_none(fault, "cut behind the end");
		} else {
			cr_assert_not_null(fault, "cut at %zu: no fault", script.cut);
			imap_lab_fault(fault, FAULT_UNREACHABLE, "cut");
		}
		if (fault && lab->session) {
			bool woken;

			imap_lab_fault(imap_session_idle(lab->session, &woken), FAULT_UNREACHABLE,
				       "once broken");
			imap_session_close(&lab->session);
		}
		imap_lab_end(lab);
	}
}

Test(hostile, cut_at_every_byte, .timeout = 300)
{
	cut_everywhere(NULL);
}

Test(hostile, cut_at_every_byte_where_literals_wait, .timeout = 300)
{
	cut_everywhere("IMAP4rev1 IDLE UIDPLUS CONDSTORE NAMESPACE ID");
}

/* ---- one thing wrong ---- */

#define FINE FAULT_KINDS /* no fault */

struct wrong {
	const char *what;
	struct imap_script_row row;
	enum fault_kind kind;
	const char *text; /* in the fault, or NULL */
	const char *caps; /* or NULL */
};

/* Open, select, append, fetch, idle: the first fault. */
static struct fault *try_all(struct imap_lab *lab)
{
	struct imap_answer answer;
	struct tale tale = { 0 };

	FAULT_TRY(imap_session_open(lab, &lab->options, &lab->session));
	FAULT_TRY(imap_session_select(lab->session, lab, "box", false, &answer));
	FAULT_TRY(imap_session_run(lab->session, lab, imap_lab_append(lab, "x", 1), NULL, NULL,
				   &answer));
	return read_and_idle(lab, &tale);
}

static void run_wrong(const struct wrong *wrong, int32_t command_ms)
{
	struct imap_script script = { .caps = wrong->caps, .rows = &wrong->row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	int64_t start = imap_lab_now_ms(), took;
	struct fault *fault;

	lab->options.command_ms = command_ms;
	fault = try_all(lab);
	took = imap_lab_now_ms() - start;
	if (wrong->kind == FINE)
		imap_lab_none(fault, wrong->what);
	else
		imap_lab_fault(fault, wrong->kind, wrong->what);
	if (fault && wrong->text)
		cr_expect_not_null(strstr(fault->text, wrong->text), "%s: no \"%s\" in: %s",
				   wrong->what, wrong->text, fault->text);
	cr_expect_lt(took, IMAP_LAB_SOON_MS, "%s: took %lld ms", wrong->what, (long long)took);
	imap_lab_end(lab);
}

static void run_all_wrong(const struct wrong *wrong, size_t count, int32_t command_ms)
{
	for (size_t i = 0; i < count; i++)
		run_wrong(&wrong[i], command_ms);
}

#define GREETING(say)                                                                              \
	{                                                                                          \
		"", say, IMAP_SCRIPT_HANG, NULL, 0                                                 \
	}

static const struct wrong greetings[] = {
	{ "bye",
	  { "", "* BYE too many\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FAULT_UNREACHABLE,
	  "too many",
	  NULL },
	{ "bye with a code", GREETING("* BYE [UNAVAILABLE] later\r\n"), FAULT_UNREACHABLE, "later",
	  NULL },
	{ "bye without a text", GREETING("* BYE\r\n"), FAULT_UNREACHABLE, "without a reason",
	  NULL },
	{ "closed", { "", "", IMAP_SCRIPT_CLOSE, NULL, 0 }, FAULT_UNREACHABLE, "closed", NULL },
	{ "HTTP", GREETING("HTTP/1.1 400 Bad Request\r\n\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "SSH", GREETING("SSH-2.0-OpenSSH_9.2p1\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "SMTP", GREETING("220 mail ESMTP\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "data", GREETING("* 1 EXISTS\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "NO", GREETING("* NO x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "a tag", GREETING("T1 OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "a plus", GREETING("+ x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "an empty line", GREETING("\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "NUL", GREETING("* OK hi$0\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "a line without end",
	  { "", "* OK xxxxxxxxxxxxxxxxxxx", IMAP_SCRIPT_ENDLESS, NULL, 0 },
	  FAULT_PROTOCOL,
	  "longer",
	  NULL },
	{ "NULs without end",
	  { "", "$0$0$0$0$0$0$0$0$0$0$0$0", IMAP_SCRIPT_ENDLESS, NULL, 0 },
	  FAULT_PROTOCOL,
	  "longer",
	  NULL },
	{ "a forged answer",
	  { "", "* OK hi\r\nT1 OK you\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "not asked",
	  NULL },
	{ "an open list in a code",
	  { "", "* OK [PERMANENTFLAGS (] x\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "strings in a code",
	  { "", "* OK [PERMANENTFLAGS (\"a\")] hi\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "no text", { "", "* OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 }, FINE, NULL, NULL },
	{ "PREAUTH",
	  { "", "* PREAUTH hi\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_LOGIN,
	  "whose mailbox",
	  NULL },
};

Test(hostile, greetings, .timeout = 300)
{
	run_all_wrong(greetings, COUNT_OF(greetings), IMAP_LAB_LONG_MS);
}

#define LOGIN(say)                                                                                 \
	{                                                                                          \
		"AUTHENTICATE", say, IMAP_SCRIPT_GO_ON, NULL, 0                                    \
	}

static const struct wrong logins[] = {
	{ "refused", LOGIN("$T NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"), FAULT_LOGIN,
	  "Authentication failed", NULL },
	{ "refused without a word", LOGIN("$T NO\r\n"), FAULT_LOGIN, "without a reason", NULL },
	{ "BAD", LOGIN("$T BAD x\r\n"), FAULT_LOGIN, NULL, NULL },
	{ "unavailable", LOGIN("$T NO [UNAVAILABLE] later\r\n"), FAULT_BUSY, "later", NULL },
	{ "in use", LOGIN("$T NO [INUSE] later\r\n"), FAULT_BUSY, NULL, NULL },
	{ "limit", LOGIN("$T NO [limit] later\r\n"), FAULT_CROWDED, NULL, NULL },
	{ "bye: unavailable", LOGIN("* BYE [UNAVAILABLE] x\r\n"), FAULT_BUSY, NULL, NULL },
	{ "bye: wrong", LOGIN("* BYE [AUTHENTICATIONFAILED] x\r\n"), FAULT_LOGIN, NULL, NULL },
	{ "bye", LOGIN("* BYE shutting down\r\n"), FAULT_UNREACHABLE, "shutting down", NULL },
	{ "shows the password", LOGIN("$T NO user ana pw " IMAP_LAB_PASSWORD " is wrong\r\n"),
	  FAULT_LOGIN, "pw *** is", NULL },
	{ "shows what it got", LOGIN("$T BAD AUTHENTICATE PLAIN " IMAP_LAB_BLOB "\r\n"),
	  FAULT_LOGIN, "PLAIN ***", NULL },
	{ "shows a part of what it got", LOGIN("$T BAD AUTHENTICATE PLAIN AGFuYQBzM2N...\r\n"),
	  FAULT_LOGIN, "PLAIN ***", NULL },
	{ "shows the password in a BYE", LOGIN("* BYE " IMAP_LAB_PASSWORD "\r\n"),
	  FAULT_UNREACHABLE, "***", NULL },
	{ "a plus too many", LOGIN("+ \r\n"), FAULT_PROTOCOL, "nobody waits", NULL },
	{ "another tag", LOGIN("X999 OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "a later tag", LOGIN("T2 OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "an old tag", LOGIN("T0 OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "a huge tag", LOGIN("T4294967297 OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "a tag with a tail", LOGIN("T1x OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "a tagged BYE", LOGIN("$T BYE x\r\n"), FAULT_PROTOCOL, "none", NULL },
	{ "a tagged PREAUTH", LOGIN("$T PREAUTH x\r\n"), FAULT_PROTOCOL, "none", NULL },
	{ "two answers", LOGIN("$T OK x\r\n$T OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "OK without capabilities", LOGIN("$T OK x\r\n"), FINE, NULL, NULL },
	{ "capabilities that are not believed", LOGIN("* CAPABILITY IMAP4rev1\r\n$T OK x\r\n"),
	  FINE, NULL, NULL },
	{ "LOGINDISABLED",
	  { "NOOP", NULL, IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_LOGIN,
	  "wants TLS",
	  "IMAP4rev1 LOGINDISABLED" },
	{ "LOGIN only",
	  { "AUTHENTICATE", "* BYE not me\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FINE,
	  NULL,
	  "IMAP4rev1 IDLE" },
	{ "PLAIN without SASL-IR",
	  { "LOGIN", "* BYE not me\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FINE,
	  NULL,
	  "IMAP4rev1 AUTH=PLAIN LOGINDISABLED IDLE" },
	{ "PLAIN refused at the plus",
	  { "+", "$T NO [AUTHENTICATIONFAILED] no\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_LOGIN,
	  NULL,
	  "IMAP4rev1 AUTH=PLAIN IDLE" },
};

Test(hostile, logins, .timeout = 300)
{
	run_all_wrong(logins, COUNT_OF(logins), IMAP_LAB_LONG_MS);
}

#define SELECT(say)                                                                                \
	{                                                                                          \
		"SELECT", say, IMAP_SCRIPT_GO_ON, NULL, 0                                          \
	}
#define SELECT_WITH(data) SELECT(data "\r\n* 3 EXISTS\r\n$T OK done\r\n")

static const struct wrong answers[] = {
	/* kinds and shapes unknown to us */
	{ "unknown", SELECT_WITH("* XFOO bar (baz \"q\") {3}\r\nabc"), FINE, NULL, NULL },
	{ "unknown with a number", SELECT_WITH("* 7 XFOO bar"), FINE, NULL, NULL },
	{ "unknown nonsense", SELECT_WITH("* XFOO ((( \" ] ) :-("), FINE, NULL, NULL },
	{ "unknown code", SELECT_WITH("* OK [XFOO (((] hi"), FINE, NULL, NULL },
	{ "all of IMAP",
	  SELECT_WITH("* METADATA \"\" (/a/b {3}\r\nabc)\r\n* QUOTA \"\" (STORAGE 10 512)\r\n"
		      "* ACL INBOX ana lrs\r\n* THREAD (2)(3 6 (4 23)(44 7 96))\r\n* SORT 2 3\r\n"
		      "* ENABLED CONDSTORE\r\n* VANISHED (EARLIER) 41,43:116\r\n* NO careful\r\n"
		      "* BAD what\r\n* STATUS x (MESSAGES 1 DELETED-STORAGE 8)\r\n"
		      "* LIST () \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
		      "* ESEARCH (TAG \"x\") UID COUNT 5\r\n* LANGUAGE (EN)\r\n* MYRIGHTS x lrs\r\n"
		      "* COMPARATOR i;octet\r\n* GENURLAUTH \"imap://x\"\r\n* XLIST () NIL x\r\n"
		      "* CONVERSION (TAG \"x\") (UID 1)\r\n* JMAPACCESS \"https://x/\""),
	  FINE, NULL, NULL },
	{ "a huge code of OK", SELECT("* OK {99999999999999999999}\r\n* 3 EXISTS\r\n$T OK x\r\n"),
	  FINE, NULL, NULL },
	{ "NO to SELECT", SELECT("$T NO [NONEXISTENT] x\r\n"), FINE, NULL, NULL },
	/* numbers */
	{ "literal of 4294967299", SELECT("* LIST () NIL {4294967299}\r\nabc\r\n$T OK x\r\n"),
	  FAULT_PROTOCOL, "literal", NULL },
	{ "literal of 4294967295", SELECT("* LIST () NIL {4294967295}\r\n"), FAULT_PROTOCOL,
	  "literal", NULL },
	{ "literal of 1e20", SELECT("* LIST () NIL {99999999999999999999}\r\n"), FAULT_PROTOCOL,
	  "literal", NULL },
	{ "literal in an unknown response", SELECT("* XFOO {4294967299}\r\n"), FAULT_PROTOCOL,
	  "literal", NULL },
	{ "EXISTS of 2^32", SELECT("* 4294967296 EXISTS\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL,
	  NULL },
	{ "all of 2^32 - 1 messages gone",
	  SELECT_WITH("* 4294967295 EXISTS\r\n* VANISHED 1:4294967295\r\n* VANISHED 1:4294967295"),
	  FINE, NULL, NULL },
	{ "UIDVALIDITY that is none", SELECT_WITH("* OK [UIDVALIDITY 99999999999] x"), FINE, NULL,
	  NULL },
	{ "a number that is none", SELECT_WITH("* OK [UIDNEXT x] x\r\n* OK [UIDNEXT] x"), FINE,
	  NULL, NULL },
	{ "EXPUNGE of nothing", SELECT_WITH("* 9 EXPUNGE\r\n* 0 EXPUNGE"), FINE, NULL, NULL },
	{ "FETCH without anything", SELECT_WITH("* 9 FETCH\r\n* 9 FETCH x\r\n* 0 FETCH ()"), FINE,
	  NULL, NULL },
	{ "flags that are none",
	  SELECT_WITH("* OK [PERMANENTFLAGS x] x\r\n* OK [PERMANENTFLAGS] x"), FINE, NULL, NULL },
	/* not responses */
	{ "open list", SELECT("* FLAGS (\\Seen\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "closed list", SELECT("* FLAGS \\Seen)\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "open string", SELECT("* FLAGS (\"x)\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "NUL", SELECT("* FLAGS (a$0b)\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "empty line", SELECT("\r\n$T OK x\r\n"), FAULT_PROTOCOL, NULL, NULL },
	{ "a plus", SELECT("+ go on\r\n$T OK x\r\n"), FAULT_PROTOCOL, "nobody waits", NULL },
	{ "another tag", SELECT("T999 OK x\r\n"), FAULT_PROTOCOL, "not asked", NULL },
	{ "bye and closed",
	  { "SELECT", "* BYE bye\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FAULT_UNREACHABLE,
	  "bye",
	  NULL },
	{ "bye without end",
	  { "SELECT", "* BYE bye\r\n", IMAP_SCRIPT_ENDLESS, NULL, 0 },
	  FAULT_UNREACHABLE,
	  "bye",
	  NULL },
	{ "a literal without end",
	  { "SELECT", "* LIST () NIL {2000000}\r\n", IMAP_SCRIPT_ENDLESS, NULL, 0 },
	  FAULT_PROTOCOL,
	  NULL,
	  NULL },
	{ "literals without end",
	  { "SELECT", "* XFOO {9}\r\n012345678{9}\r\n012345678", IMAP_SCRIPT_ENDLESS, NULL, 0 },
	  FAULT_PROTOCOL,
	  NULL,
	  NULL },
	/* later */
	{ "no plus for IDLE",
	  { "IDLE", "$T NO idle yourself\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_REFUSED,
	  "idle yourself",
	  NULL },
	{ "BAD for IDLE",
	  { "IDLE", "$T BAD what\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  NULL,
	  NULL },
	{ "two plusses for IDLE",
	  { "IDLE", "+ a\r\n+ b\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "nobody waits",
	  NULL },
	{ "another tag for IDLE",
	  { "IDLE", "T1 OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "not asked",
	  NULL },
	{ "bye in IDLE",
	  { "IDLE", "+ a\r\n* BYE tired\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FAULT_UNREACHABLE,
	  "tired",
	  NULL },
	{ "another tag for DONE",
	  { "DONE", "DONE OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "not asked",
	  NULL },
	{ "ID with nonsense",
	  { "ID (", "* ID (\"name\" NIL \"version\")\r\n$T OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "NAMESPACE with an empty delimiter",
	  { "NAMESPACE", "* NAMESPACE ((\"\" \"\"))\r\n$T OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "NAMESPACE of nothing",
	  { "NAMESPACE",
	    "* NAMESPACE\r\n* NAMESPACE (x)\r\n* NAMESPACE ((x))\r\n* NAMESPACE (())\r\n$T OK\r\n",
	    IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "NAMESPACE refused",
	  { "NAMESPACE", "$T NO\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "LIST with nonsense",
	  { "LIST", "* LIST\r\n* LIST x\r\n* LIST () ()\r\n$T OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "capabilities that change",
	  { "LIST", "* CAPABILITY IMAP4rev1 IDLE\r\n$T OK\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
	{ "no capabilities",
	  { "CAPABILITY", "$T NO x\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FINE,
	  NULL,
	  NULL },
};

Test(hostile, answers, .timeout = 300)
{
	run_all_wrong(answers, COUNT_OF(answers), IMAP_LAB_LONG_MS);
}

Test(hostile, two_hundred_thousand_brackets)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct buf *text = buf_new(mem);
	struct wrong wrong = { .what = "brackets", .kind = FAULT_PROTOCOL };

	buf_puts(text, "* 1 FETCH (BODYSTRUCTURE ");
	for (int i = 0; i < 200000; i++)
		buf_putc(text, '(');
	buf_puts(text, "\r\n");
	wrong.row = (struct imap_script_row){ "SELECT", text->data, IMAP_SCRIPT_GO_ON, NULL, 0 };
	run_wrong(&wrong, IMAP_LAB_LONG_MS);
	talloc_free(mem);
}

/* At every command: BYE, silence, a byte now and then, lines for ever. */
static const char *const steps[] = { "",       "AUTHENTICATE", "LIST",      "NAMESPACE", "ID (",
				     "SELECT", "APPEND",       "UID FETCH", "IDLE",      "DONE" };

Test(hostile, bye_at_every_command, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct wrong wrong = { steps[i],
				       { steps[i], "* BYE going down\r\n", IMAP_SCRIPT_CLOSE,
					 NULL, 0 },
				       FAULT_UNREACHABLE,
				       "going down",
				       NULL };

		run_wrong(&wrong, IMAP_LAB_LONG_MS);
	}
}

Test(hostile, silence_at_every_command, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct wrong wrong = { steps[i],
				       { steps[i], "* OK wait\r\n* CAP", IMAP_SCRIPT_HANG, NULL, 0 },
				       FAULT_UNREACHABLE,
				       "in time",
				       NULL };

		run_wrong(&wrong, IMAP_LAB_SHORT_MS);
	}
}

Test(hostile, dripping_at_every_command, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct wrong wrong = { steps[i],
				       { steps[i], "* OK Still here\r\n", IMAP_SCRIPT_DRIP, NULL, 0 },
				       FAULT_UNREACHABLE,
				       "in time",
				       NULL };

		run_wrong(&wrong, IMAP_LAB_SHORT_MS);
	}
}

Test(hostile, lines_without_end_at_every_command, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct wrong wrong = { steps[i],
				       { steps[i], "* OK Still here\r\n", IMAP_SCRIPT_ENDLESS,
					 NULL, 0 },
				       FAULT_UNREACHABLE,
				       "in time",
				       NULL };

		run_wrong(&wrong, IMAP_LAB_SHORT_MS);
	}
}

Test(hostile, a_flood_while_parked, .timeout = 300)
{
	static const struct imap_script_row row = { "IDLE", "+ idling\r\n", IMAP_SCRIPT_ENDLESS,
						    "* OK Still here\r\n" , 0};
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	int64_t start = imap_lab_now_ms();
	bool woken = true;

	imap_lab_open(lab);
	imap_lab_none(imap_session_idle(lab->session, &woken), "idle");
	for (int i = 0; i < 100; i++) {
		imap_lab_none(imap_session_idle_ready(lab->session, &woken), "ready");
		cr_expect_eq(woken, false);
	}
	cr_expect_lt(imap_lab_now_ms() - start, IMAP_LAB_SOON_MS);
	imap_lab_end(lab);
}

/* ---- TLS that somebody does not want ---- */

#define TLS_CAPS "IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR IDLE"

static const struct wrong starts[] = {
	{ "not offered",
	  { "NOOP", NULL, IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_TLS,
	  "no STARTTLS",
	  "IMAP4rev1 AUTH=PLAIN" },
	{ "PREAUTH",
	  { "", "* PREAUTH hi\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_TLS,
	  "before TLS",
	  TLS_CAPS },
	{ "refused",
	  { "STARTTLS", "$T NO not now\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_TLS,
	  "not now",
	  TLS_CAPS },
	{ "injected",
	  { "STARTTLS", "$T OK go\r\n* CAPABILITY IMAP4rev1\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "in the clear",
	  TLS_CAPS },
	{ "injected in part",
	  { "STARTTLS", "$T OK go\r\n*", IMAP_SCRIPT_GO_ON, NULL, 0 },
	  FAULT_PROTOCOL,
	  "in the clear",
	  TLS_CAPS },
	{ "closed",
	  { "STARTTLS", "$T OK go\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	  FAULT_UNREACHABLE,
	  NULL,
	  TLS_CAPS },
	{ "silent",
	  { "STARTTLS", "$T OK go\r\n", IMAP_SCRIPT_HANG, NULL, 0 },
	  FAULT_UNREACHABLE,
	  "in time",
	  TLS_CAPS },
};

Test(hostile, starttls_in_the_way, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct imap_script script = { .caps = starts[i].caps,
					      .rows = &starts[i].row,
					      .count = 1 };
		struct imap_lab *lab = imap_lab_new(&script);
		struct fault *fault;

		lab->options.starttls = true;
		if (starts[i].row.then == IMAP_SCRIPT_HANG)
			lab->options.command_ms = 10 * IMAP_LAB_SHORT_MS; /* not before STARTTLS */
		fault = imap_session_open(lab, &lab->options, &lab->session);
		imap_lab_fault(fault, starts[i].kind, starts[i].what);
		if (starts[i].text)
			cr_expect_not_null(strstr(fault->text, starts[i].text), "%s: %s",
					   starts[i].what, fault->text);
		cr_expect_null(strstr(imap_server_heard(lab->server, lab, NULL), "AUTHENTICATE"),
			       "%s: a password was sent", starts[i].what);
		imap_lab_end(lab);
	}
}

/* ---- the end of the service ---- */

static void *stop_soon(void *context)
{
	struct timespec t = { 0, 100 * 1000000L };
	ssize_t n;

	nanosleep(&t, NULL);
	n = write(*(int *)context, "x", 1);
	return n == 1 ? context : NULL;
}

Test(hostile, the_stop_descriptor_ends_waiting)
{
	static const struct imap_script_row row = { "APPEND", "", IMAP_SCRIPT_HANG, NULL, 0 };
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;
	struct fault *fault;
	pthread_t thread;
	int64_t start = imap_lab_now_ms();
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	lab->options.stop_fd = fds[0];
	lab->options.command_ms = 4 * IMAP_LAB_SOON_MS;
	imap_lab_open(lab);
	cr_assert_eq(pthread_create(&thread, NULL, stop_soon, &fds[1]), 0);
	fault = imap_session_run(lab->session, lab, imap_lab_append(lab, "x", 1), NULL, NULL,
				 &answer);
	imap_lab_fault(fault, FAULT_TRY_LATER, "stop");
	cr_expect_eq(fault->maybe_done, true);
	pthread_join(thread, NULL);
	imap_session_close(&lab->session);
	cr_expect_lt(imap_lab_now_ms() - start, IMAP_LAB_SOON_MS, "it took %lld ms",
		     (long long)(imap_lab_now_ms() - start));
	close(fds[0]);
	close(fds[1]);
	imap_lab_end(lab);
}
