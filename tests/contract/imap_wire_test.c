#include "config.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "imap_lab.h"

/* What a session sends, byte by byte, and what it makes of the answers: windows, the selected mailbox,
 * IDLE, what a server says about itself. */

/* ---- what goes out ---- */

static void expect_heard(struct imap_lab *lab, const char *text)
{
	char *heard = imap_server_heard(lab->server, lab, NULL);

	cr_expect_not_null(strstr(heard, text), "expected: %s\nin: %s", text, heard);
}

static void expect_not_heard(struct imap_lab *lab, const char *text)
{
	char *heard = imap_server_heard(lab->server, lab, NULL);

	cr_expect_null(strstr(heard, text), "not expected: %s\nin: %s", text, heard);
}

#define SYNC_CAPS "IMAP4rev1 IDLE"

static const struct {
	const char *text, *sent, *sent_sync;
} strings[] = {
	{ "", "\"\"", "\"\"" },
	{ "plain text", "\"plain text\"", "\"plain text\"" },
	{ "(a) {5} % * ]", "\"(a) {5} % * ]\"", "\"(a) {5} % * ]\"" },
	{ "{5}", "\"{5}\"", "\"{5}\"" },
	{ "a\"b", "{3+}\r\na\"b", "{3}\r\na\"b" },
	{ "a\\b", "{3+}\r\na\\b", "{3}\r\na\\b" },
	{ "a\r\nT9 DELETE x", "{14+}\r\na\r\nT9 DELETE x", "{14}\r\na\r\nT9 DELETE x" },
	{ "a\nb", "{3+}\r\na\nb", "{3}\r\na\nb" },
	{ "a\tb", "{3+}\r\na\tb", "{3}\r\na\tb" },
	{ "\x7f", "{1+}\r\n\x7f", "{1}\r\n\x7f" },
	{ "caf\303\251", "{5+}\r\ncaf\303\251", "{5}\r\ncaf\303\251" },
};

static void send_strings(const char *caps)
{
	struct imap_script script = { .caps = caps };
	struct imap_lab *lab = imap_lab_new(&script);

	imap_lab_open(lab);
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		struct imap_line *line = imap_line_new(lab, "XTEST ", false);
		struct imap_answer answer;
		char *sent;

		imap_line_string(line, strings[i].text);
		imap_line_add(line, " END%zu", i);
		imap_lab_none(imap_session_run(lab->session, lab, line, NULL, NULL, &answer),
			      strings[i].text);
		cr_expect_eq(answer.status, IMAP_OK);
		sent = mem_printf(lab, "XTEST %s END%zu\r\n",
				  caps ? strings[i].sent_sync : strings[i].sent, i);
		expect_heard(lab, sent);
	}
	imap_lab_end(lab);
}

Test(wire, strings_are_quoted_or_literal)
{
	send_strings(NULL);
}

Test(wire, literals_wait_where_they_must)
{
	send_strings(SYNC_CAPS);
}

Test(wire, a_long_string_is_a_literal)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *line;
	struct imap_answer answer;
	char text[1002];

	memset(text, 'x', sizeof text - 1);
	text[1001] = '\0';
	imap_lab_open(lab);
	line = imap_line_new(lab, "XTEST ", false);
	imap_line_string(line, text);
	imap_line_add(line, " ");
	imap_line_string(line, text + 1);
	imap_lab_none(imap_session_run(lab->session, lab, line, NULL, NULL, &answer), "long");
	expect_heard(lab, "XTEST {1001+}\r\nxxx");
	expect_heard(lab, "xxx \"xxx");
	imap_lab_end(lab);
}

Test(wire, what_cannot_be_sent_is_not)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);
	static const char *const names[] = { "a\r\nT9 DELETE x", "a\nb", "\xff\xfe", "\001" };
	struct imap_line *nul = imap_lab_append(lab, "a\0b", 3);
	struct imap_line *lines[2] = { imap_line_new(lab, "XGOOD", false), nul };
	struct imap_answer some[2];
	size_t answered = 4711;
	struct fault *fault;

	imap_lab_open(lab);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		fault = imap_session_select(lab->session, lab, names[i], false, &some[0]);
		imap_lab_fault(fault, FAULT_DATA, "name");
		cr_expect_eq(fault->scope, FAULT_SCOPE_ITEM);
	}
	fault = imap_session_run_all(lab->session, lab, lines, 2, NULL, NULL, some, &answered);
	imap_lab_fault(fault, FAULT_DATA, "NUL");
	cr_expect_eq(fault->maybe_done, false);
	cr_expect_eq(answered, 0);
	imap_lab_none(imap_session_select(lab->session, lab, "box", false, &some[0]),
		      "the session is sound");
	expect_not_heard(lab, "DELETE");
	expect_not_heard(lab, "APPEND");
	expect_not_heard(lab, "XGOOD");
	expect_heard(lab, "SELECT \"box\" (CONDSTORE)\r\n");
	imap_lab_end(lab);
}

static void login_with(const char *caps, const char *user, const char *password, const char *sent)
{
	struct imap_script script = { .caps = caps };
	struct imap_lab *lab = imap_lab_new(&script);

	lab->options.user = user;
	lab->options.password = secret_new(lab, password, strlen(password));
	imap_lab_open(lab);
	expect_heard(lab, sent);
	imap_lab_end(lab);
}

Test(wire, logins)
{
	login_with(NULL, "ana", IMAP_LAB_PASSWORD, "T1 AUTHENTICATE PLAIN " IMAP_LAB_BLOB "\r\n");
	login_with("AUTH=PLAIN", "ana", IMAP_LAB_PASSWORD,
		   "T1 AUTHENTICATE PLAIN\r\n" IMAP_LAB_BLOB "\r\n");
	login_with(NULL, "a", "b", "T1 AUTHENTICATE PLAIN AGEAYg==\r\n");
	login_with(NULL, "a", "bc", "T1 AUTHENTICATE PLAIN AGEAYmM=\r\n");
	login_with(NULL, "a", "bcd", "T1 AUTHENTICATE PLAIN AGEAYmNk\r\n");
	login_with(NULL, "", "", "T1 AUTHENTICATE PLAIN AAA=\r\n");
	login_with("AUTH=LOGIN", "ana", "pa ss", "T1 LOGIN \"ana\" \"pa ss\"\r\n");
	login_with("IDLE", "ana", "a\r\nb", "T1 LOGIN \"ana\" {4}\r\na\r\nb\r\n");
	login_with("IDLE", "a\"", "a\\b", "T1 LOGIN {2}\r\na\" {3}\r\na\\b\r\n");
	login_with("LITERAL+", "\303\274", "p\"", "T1 LOGIN {2+}\r\n\303\274 {2+}\r\np\"\r\n");
}

Test(wire, small_literals_do_not_wait)
{
	struct imap_script script = { .caps = "IMAP4rev1 LITERAL-" };
	struct imap_lab *lab = imap_lab_new(&script);
	char *bytes = MEM_ARRAY(lab, char, 4097);
	struct imap_answer answer;

	memset(bytes, 'x', 4097);
	imap_lab_open(lab);
	imap_lab_none(imap_session_run(lab->session, lab, imap_lab_append(lab, bytes, 4096), NULL,
				       NULL, &answer),
		      "4096");
	imap_lab_none(imap_session_run(lab->session, lab, imap_lab_append(lab, bytes, 4097), NULL,
				       NULL, &answer),
		      "4097");
	expect_heard(lab, "{4096+}\r\nxx");
	expect_heard(lab, "{4097}\r\nxx");
	imap_lab_end(lab);
}

Test(wire, a_refused_literal_is_not_sent)
{
	static const struct imap_script_row row = { "+", "$T NO [TRYCREATE] no such mailbox\r\n",
						    IMAP_SCRIPT_GO_ON, NULL, 0 };
	struct imap_script script = { .caps = SYNC_CAPS, .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;
	struct fault *fault;

	imap_lab_open(lab);
	imap_lab_none(imap_session_run(lab->session, lab, imap_lab_append(lab, "hello", 5), NULL,
				       NULL, &answer),
		      "refused");
	cr_expect_eq(answer.status, IMAP_NO);
	cr_expect_str_eq(answer.code, "TRYCREATE");
	fault = imap_answer_fault(lab, &answer, FAULT_SCOPE_FOLDER, "append");
	imap_lab_fault(fault, FAULT_GONE, "TRYCREATE");
	cr_expect_str_eq(fault->text, "append: no such mailbox");
	imap_lab_none(imap_session_run(lab->session, lab, imap_line_new(lab, "NOOP", false), NULL,
				       NULL, &answer),
		      "next");
	cr_expect_eq(answer.status, IMAP_OK);
	expect_not_heard(lab, "hello");
	imap_lab_end(lab);
}

/* A write that was never sent whole is not done; one that was may be. */
Test(wire, maybe_done_is_what_went_out_whole)
{
	static const struct imap_script_row silent = { "+", "", IMAP_SCRIPT_CLOSE, NULL, 0 };
	struct imap_script script = { .caps = SYNC_CAPS, .rows = &silent, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;
	struct fault *fault;

	imap_lab_open(lab);
	fault = imap_session_run(lab->session, lab, imap_lab_append(lab, "x", 1), NULL, NULL,
				 &answer);
	imap_lab_fault(fault, FAULT_UNREACHABLE, "no plus");
	cr_expect_eq(fault->maybe_done, false, "the literal was never sent");
	imap_lab_end(lab);
}

/* ---- many at once ---- */

Test(window, answers_in_any_order)
{
	/* open takes T1 and T2 */
	static const struct imap_script_row rows[] = {
		{ "XA", "", IMAP_SCRIPT_GO_ON, NULL, 0 },
		{ "XB", "", IMAP_SCRIPT_GO_ON, NULL, 0 },
		{ "XC", "$T OK c\r\n* 1 EXISTS\r\nT3 NO [INUSE] a\r\nT4 BAD b\r\n",
		  IMAP_SCRIPT_GO_ON, NULL, 0 },
	};
	struct imap_script script = { .rows = rows, .count = COUNT_OF(rows) };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *lines[] = { imap_line_new(lab, "XA", false),
				      imap_line_new(lab, "XB", true),
				      imap_line_new(lab, "XC", false) };
	struct imap_answer some[3];
	size_t answered;

	imap_lab_open(lab);
	imap_lab_none(
		imap_session_run_all(lab->session, lab, lines, 3, NULL, NULL, some, &answered),
		"order");
	cr_expect_eq(answered, 3);
	cr_expect_eq(some[0].status, IMAP_NO);
	cr_expect_str_eq(some[0].code, "INUSE");
	cr_expect_str_eq(some[0].text, "a");
	cr_expect_eq(some[1].status, IMAP_BAD);
	cr_expect_eq(some[2].status, IMAP_OK);
	cr_expect_str_eq(some[2].text, "c");
	imap_lab_end(lab);
}

/* What has been sent is answered while its sender does something else, however long that takes. */
Test(window, an_answer_that_waits_for_us_is_not_late)
{
	const struct timespec longer = { .tv_sec = 2, .tv_nsec = 100000000L };
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *line = imap_line_new(lab, "NOOP", false);
	struct imap_answer answer;
	struct imap_sent *sent;

	lab->options.command_ms = 2000;
	imap_lab_open(lab);
	imap_lab_none(imap_session_send(lab->session, lab, &line, 1, NULL, NULL, &sent), "send");
	(void)nanosleep(&longer, NULL);
	imap_lab_none(imap_session_run(lab->session, lab, line, NULL, NULL, &answer), "run");
	talloc_free(sent);
	imap_lab_end(lab);
}

Test(window, one_answer_each)
{
	static const struct imap_script_row rows[] = {
		{ "XA", "$T OK a\r\n$T OK again\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
		{ "XB", "", IMAP_SCRIPT_GO_ON, NULL, 0 },
	};
	struct imap_script script = { .rows = rows, .count = COUNT_OF(rows) };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *lines[] = { imap_line_new(lab, "XA", false),
				      imap_line_new(lab, "XB", true) };
	struct imap_answer some[2];
	struct fault *fault;
	size_t answered;

	imap_lab_open(lab);
	fault = imap_session_run_all(lab->session, lab, lines, 2, NULL, NULL, some, &answered);
	imap_lab_fault(fault, FAULT_PROTOCOL, "twice");
	cr_expect_eq(answered, 1);
	cr_expect_eq(fault->maybe_done, true);
	imap_lab_end(lab);
}

Test(window, the_first_answers_are_told_when_it_breaks)
{
	static const struct imap_script_row rows[] = {
		{ "XB", "", IMAP_SCRIPT_GO_ON, NULL, 0 },
		{ "XC", "$T OK c\r\n* BYE enough\r\n", IMAP_SCRIPT_CLOSE, NULL, 0 },
	};
	struct imap_script script = { .rows = rows, .count = COUNT_OF(rows) };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *lines[] = { imap_line_new(lab, "XA", true),
				      imap_line_new(lab, "XB", false),
				      imap_line_new(lab, "XC", true) };
	struct imap_answer some[3];
	struct fault *fault;
	size_t answered;

	imap_lab_open(lab);
	fault = imap_session_run_all(lab->session, lab, lines, 3, NULL, NULL, some, &answered);
	imap_lab_fault(fault, FAULT_UNREACHABLE, "bye");
	cr_expect_eq(answered, 1);
	cr_expect_eq(some[0].status, IMAP_OK);
	cr_expect_eq(fault->maybe_done, false, "only XB has no answer, and it does not write");
	imap_lab_end(lab);
}

static struct fault *enough(void *context, const struct imap_response *response)
{
	return strcmp(response->name, "SEARCH")
		       ? NULL
		       : fault_new(context, FAULT_DATA, "that is no search of mine");
}

Test(window, a_caller_who_has_enough)
{
	static const struct imap_script_row row = { "XA", "* SEARCH 1\r\n* SEARCH 2\r\n$T OK a\r\n",
						    IMAP_SCRIPT_GO_ON, NULL, 0 };
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_line *lines[300];
	struct imap_answer some[300];
	struct fault *fault;
	size_t answered;

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		lines[i] = imap_line_new(lab, i == 10 ? "XA" : "XB", false);
	imap_lab_open(lab);
	fault = imap_session_run_all(lab->session, lab, lines, COUNT_OF(lines), enough, lab, some,
				     &answered);
	imap_lab_fault(fault, FAULT_DATA, "enough");
	cr_expect_geq(answered, 11, "%zu", answered);
	cr_expect_lt(answered, 300, "no further command is sent: %zu", answered);
	imap_lab_none(imap_session_run(lab->session, lab, lines[0], NULL, NULL, some),
		      "the session is sound");
	imap_lab_end(lab);
}

/* ---- the selected mailbox, and IDLE ---- */

Test(selected, the_old_mailbox_is_not_the_new_one)
{
	static const struct imap_script_row row = {
		"SELECT",
		"* 9 EXISTS\r\n* OK [UIDVALIDITY 1] old\r\n* OK [UIDNEXT 99] old\r\n* OK "
		"[HIGHESTMODSEQ 5] old\r\n* OK [CLOSED] x\r\n* 3 EXISTS\r\n"
		"* OK [UIDVALIDITY 2] x\r\n$T OK [READ-ONLY] done\r\n",
		IMAP_SCRIPT_GO_ON, NULL, 0
	};
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	const struct imap_selected *selected;
	struct imap_answer answer;

	imap_lab_open(lab);
	selected = imap_session_selected(lab->session);
	cr_expect_null(selected->mailbox);
	imap_lab_none(imap_session_select(lab->session, lab, "box", false, &answer), "select");
	cr_expect_str_eq(selected->mailbox, "box");
	cr_expect_eq(selected->exists, 3);
	cr_expect_eq(selected->uidvalidity, 2);
	cr_expect_eq(selected->uidnext, 0);
	cr_expect_eq(selected->highestmodseq, 0);
	cr_expect_eq(selected->read_only, true);
	cr_expect_null(selected->permanent_flags);
	imap_lab_none(imap_session_select(lab->session, lab, selected->mailbox, true, &answer),
		      "again");
	cr_expect_str_eq(selected->mailbox, "box");
	imap_lab_end(lab);
}

Test(selected, none_after_a_failed_select)
{
	static const struct imap_script_row row = { "SELECT \"gone\"",
						    "* 9 EXISTS\r\n$T NO [NONEXISTENT] x\r\n",
						    IMAP_SCRIPT_GO_ON, NULL, 0 };
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;

	imap_lab_open(lab);
	imap_lab_none(imap_session_select(lab->session, lab, "box", false, &answer), "box");
	imap_lab_none(imap_session_select(lab->session, lab, "box", false, &answer), "box again");
	cr_expect_eq(imap_session_stats(lab->session).commands, 3, "no command the second time");
	imap_lab_none(imap_session_select(lab->session, lab, "gone", false, &answer), "gone");
	cr_expect_eq(answer.status, IMAP_NO);
	cr_expect_null(imap_session_selected(lab->session)->mailbox);
	cr_expect_eq(imap_session_selected(lab->session)->exists, 0);
	imap_lab_end(lab);
}

static const struct {
	const char *said;
	uint64_t changes;
} changes[] = {
	{ "* OK Still here\r\n* 0 RECENT\r\n* FLAGS (a)\r\n* XFOO\r\n", 0 },
	{ "* 4 EXISTS\r\n", 1 },
	{ "* 1 EXPUNGE\r\n", 1 },
	{ "* VANISHED 7\r\n", 1 },
	{ "* 1 FETCH (FLAGS (\\Seen))\r\n", 1 },
	{ "* 1 FETCH (UID 7 FLAGS (\\Seen))\r\n", 0 },
	{ "* 1 FETCH (FLAGS (\\Seen) UID 7)\r\n* 2 EXPUNGE\r\n* 2 EXISTS\r\n", 2 },
};

Test(selected, counts_what_nobody_asked_for)
{
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		char *said = mem_printf(NULL, "%s$T OK x\r\n", changes[i].said);
		struct imap_script_row row = { "UID FETCH", said, IMAP_SCRIPT_GO_ON, NULL, 0 };
		struct imap_script script = { .rows = &row, .count = 1 };
		struct imap_lab *lab = imap_lab_new(&script);
		struct imap_answer answer;
		uint64_t counted;

		imap_lab_open(lab);
		imap_lab_none(imap_session_select(lab->session, lab, "box", false, &answer), "box");
		imap_lab_none(imap_session_run(lab->session, lab,
					       imap_line_new(lab, "UID FETCH 7 (FLAGS)", false),
					       NULL, NULL, &answer),
			      changes[i].said);
		counted = imap_session_selected(lab->session)->changes;
		cr_expect_eq(counted, changes[i].changes, "%s: expected %d, actual %d",
			     changes[i].said, (int)changes[i].changes, (int)counted);
		imap_lab_end(lab);
		talloc_free(said);
	}
}

static const struct {
	const char *said;
	bool woken, idle;
} idles[] = {
	{ "+ idling\r\n", false, true },
	{ "+ idling\r\n* OK Still here\r\n", false, true },
	{ "+ idling\r\n* 4 EXISTS\r\n", true, true },
	{ "* 4 EXISTS\r\n+ idling\r\n", true, true },
	{ "+ idling\r\n* 1 FETCH (UID 7 FLAGS ())\r\n", true, true },
	{ "+ idling\r\n* 4 EXI", false, true },
	{ "$T OK no need\r\n", true, false },
	{ "+ idling\r\n$T OK that is enough\r\n", true, false },
};

/* What comes behind the "+" may come in the same read, or a little later. */
static void idle_until(struct imap_lab *lab, bool woken, bool want)
{
	for (int i = 0; i < 6000 && woken != want && imap_session_is_idle(lab->session); i++) {
		struct timespec t = { 0, 10 * 1000000L };

		nanosleep(&t, NULL);
		imap_lab_none(imap_session_idle_ready(lab->session, &woken), "ready");
	}
	cr_expect_eq(woken, want);
}

Test(idle, tells_what_comes_in_the_same_breath)
{
	for (size_t i = 0; i < COUNT_OF(idles); i++) {
		struct imap_script_row row = { "IDLE", idles[i].said, IMAP_SCRIPT_GO_ON, NULL, 0 };
		struct imap_script script = { .rows = &row, .count = 1 };
		struct imap_lab *lab = imap_lab_new(&script);
		struct imap_answer answer;
		bool woken;

		imap_lab_open(lab);
		imap_lab_none(imap_session_select(lab->session, lab, "box", false, &answer), "box");
		imap_lab_none(imap_session_idle(lab->session, &woken), idles[i].said);
		idle_until(lab, woken, idles[i].woken);
		cr_expect_eq(imap_session_is_idle(lab->session), idles[i].idle, "%s: idle",
			     idles[i].said);
		cr_expect_eq(imap_session_is_drained(lab->session), true, "%s: drained",
			     idles[i].said);
		imap_lab_end(lab);
	}
}

Test(idle, a_server_that_refuses_leaves_the_session_sound)
{
	static const struct imap_script_row row = { "IDLE", "$T NO not today\r\n",
						    IMAP_SCRIPT_GO_ON, NULL, 0 };
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;
	bool woken;

	imap_lab_open(lab);
	imap_lab_fault(imap_session_idle(lab->session, &woken), FAULT_REFUSED, "idle");
	cr_expect_eq(imap_session_is_idle(lab->session), false);
	imap_lab_none(imap_session_idle_end(lab->session), "not idle");
	imap_lab_none(imap_session_run(lab->session, lab, imap_line_new(lab, "NOOP", false), NULL,
				       NULL, &answer),
		      "noop");
	imap_lab_end(lab);
}

/* ---- what a server says about itself ---- */

Test(open, learns_prefix_delimiter_and_name)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);

	imap_lab_open(lab);
	cr_expect_str_eq(imap_session_prefix(lab->session), "INBOX.");
	cr_expect_eq(imap_session_delimiter(lab->session), '.');
	imap_lab_none(imap_session_ask_server(lab->session, lab), "ID");
	cr_expect_str_eq(imap_session_server(lab->session), "Scripted 1");
	cr_expect_eq(imap_session_can(lab->session, IMAP_CAP_MULTIAPPEND), true);
	cr_expect_eq(imap_session_can(lab->session, IMAP_CAP_SAVEDATE), false);
	imap_lab_end(lab);
}

Test(open, does_without)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);

	lab->options.without =
		1U << IMAP_CAP_NAMESPACE | 1U << IMAP_CAP_ID | 1U << IMAP_CAP_MULTIAPPEND;
	imap_lab_open(lab);
	cr_expect_str_eq(imap_session_prefix(lab->session), "");
	cr_expect_eq(imap_session_delimiter(lab->session), '/', "from LIST");
	cr_expect_str_eq(imap_session_server(lab->session), "scripted server ready");
	cr_expect_eq(imap_session_can(lab->session, IMAP_CAP_MULTIAPPEND), false);
	imap_lab_end(lab);
}

Test(open, capabilities_of_before_the_login_are_forgotten)
{
	static const struct imap_script_row rows[] = {
		{ "AUTHENTICATE", "$T OK in\r\n", IMAP_SCRIPT_GO_ON, NULL, 0 },
		{ "CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\r\n$T OK x\r\n", IMAP_SCRIPT_GO_ON,
		  NULL, 0 },
	};
	struct imap_script script = { .rows = rows, .count = COUNT_OF(rows) };
	struct imap_lab *lab = imap_lab_new(&script);

	imap_lab_open(lab);
	cr_expect_str_eq(imap_session_caps(lab->session), "IMAP4rev1 IDLE");
	cr_expect_eq(imap_session_can(lab->session, IMAP_CAP_LITERAL_PLUS), false);
	cr_expect_eq(imap_session_can(lab->session, IMAP_CAP_IDLE), true);
	imap_lab_end(lab);
}

/* What a server says while we log in is not kept. */
Test(open, a_talkative_login_takes_no_memory)
{
	char *say = talloc_strdup(NULL, "");
	struct imap_lab *lab;
	size_t size;

	for (int i = 0; i < 500; i++)
		say = mem_must(talloc_asprintf_append_buffer(say, "* X {1000}\r\n%01000d\r\n", i));
	say = mem_must(talloc_strdup_append_buffer(say, "$T OK done\r\n"));
	lab = imap_lab_new(&(struct imap_script){
		.rows = (const struct imap_script_row[]){ { .when = "AUTHENTICATE", .say = say } },
		.count = 1 });
	imap_lab_open(lab);
	size = talloc_total_size(lab->session);
	cr_expect_lt(size, (size_t)100 << 10, "%zu bytes", size);
	imap_lab_end(lab);
	talloc_free(say);
}

Test(open, a_password_goes_to_loopback_or_tls_only)
{
	struct imap_script script = { .caps = NULL };
	struct imap_lab *lab = imap_lab_new(&script);
	struct fault *fault;

	/* an address of this machine that is not loopback, where there is one */
	lab->options.host = "192.0.2.1";
	lab->options.port = 143;
	lab->options.command_ms = IMAP_LAB_SHORT_MS;
	fault = imap_session_open(lab, &lab->options, &lab->session);
	cr_assert_not_null(fault);
	cr_expect(fault->kind == FAULT_UNREACHABLE || fault->kind == FAULT_CONFIG, "%s",
		  fault->text);
	imap_lab_end(lab);
}

Test(open, a_server_that_shows_the_password_later)
{
	static const struct imap_script_row row = {
		"NOOP", "$T NO your password is " IMAP_LAB_PASSWORD "\r\n", IMAP_SCRIPT_GO_ON, NULL, 0
	};
	struct imap_script script = { .rows = &row, .count = 1 };
	struct imap_lab *lab = imap_lab_new(&script);
	struct imap_answer answer;

	imap_lab_open(lab);
	imap_lab_none(imap_session_run(lab->session, lab, imap_line_new(lab, "NOOP", false), NULL,
				       NULL, &answer),
		      "noop");
	cr_expect_str_eq(answer.text, "your password is ***");
	imap_lab_end(lab);
}

static const struct {
	const char *code;
	int status;
	enum fault_kind kind;
	enum fault_scope scope;
} refusals[] = {
	{ NULL, IMAP_NO, FAULT_REFUSED, FAULT_SCOPE_FOLDER },
	{ "XFOO", IMAP_NO, FAULT_REFUSED, FAULT_SCOPE_FOLDER },
	{ "NONEXISTENT", IMAP_NO, FAULT_GONE, FAULT_SCOPE_FOLDER },
	{ "TRYCREATE", IMAP_NO, FAULT_GONE, FAULT_SCOPE_FOLDER },
	{ "OVERQUOTA", IMAP_NO, FAULT_FULL, FAULT_SCOPE_ACCOUNT },
	{ "NOPERM", IMAP_NO, FAULT_REFUSED, FAULT_SCOPE_FOLDER },
	{ "CANNOT", IMAP_NO, FAULT_REFUSED, FAULT_SCOPE_FOLDER },
	{ "INUSE", IMAP_NO, FAULT_BUSY, FAULT_SCOPE_FOLDER },
	{ "UNAVAILABLE", IMAP_NO, FAULT_BUSY, FAULT_SCOPE_FOLDER },
	{ "LIMIT", IMAP_NO, FAULT_BUSY, FAULT_SCOPE_FOLDER },
	{ "ALREADYEXISTS", IMAP_NO, FAULT_CHANGED, FAULT_SCOPE_FOLDER },
	{ "EXPUNGEISSUED", IMAP_NO, FAULT_CHANGED, FAULT_SCOPE_FOLDER },
	{ NULL, IMAP_BAD, FAULT_PROTOCOL, FAULT_SCOPE_FOLDER },
	{ "OVERQUOTA", IMAP_BAD, FAULT_PROTOCOL, FAULT_SCOPE_FOLDER },
};

Test(answer, becomes_a_fault_by_its_code)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_answer answer = { .status = IMAP_OK, .text = "" };

	cr_expect_null(imap_answer_fault(mem, &answer, FAULT_SCOPE_FOLDER, "x"));
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct fault *fault;

		answer.status = refusals[i].status;
		answer.code = refusals[i].code;
		fault = imap_answer_fault(mem, &answer, FAULT_SCOPE_FOLDER, "x");
		imap_lab_fault(fault, refusals[i].kind, refusals[i].code ? refusals[i].code : "-");
		cr_expect_eq(fault->scope, refusals[i].scope, "case %zu", i);
	}
	talloc_free(mem);
}
