/* imap_scripted_listen_test.c - listening to a scripted server.
 *
 * waits: yes
 */
#include "config.h"

#include <poll.h>
#include <sys/socket.h>

#include "gateway/imap/imap_session.h"
#include "imap_scripted.h"

/* The same, of listening to several folders: servers that refuse NOTIFY, or lie about it. */

#define CAPS_NOTIFY "IMAP4rev1 AUTH=PLAIN SASL-IR IDLE CONDSTORE UNSELECT LITERAL+ NOTIFY"
#define A "* STATUS INBOX.p (MESSAGES 0 UIDNEXT 10 UIDVALIDITY 77 HIGHESTMODSEQ 900)\r\n"
#define B "* STATUS INBOX.q (MESSAGES 0 UIDNEXT 10 UIDVALIDITY 77 HIGHESTMODSEQ 900)\r\n"
#define DONE "$T OK done\r\n"

static const struct endpoint_sweep places[] = { { .folder = FOLDER, .token = "77 10 0 m900" },
						{ .folder = "INBOX.q", .token = "77 10 0 m900" } };

/* What it says to NOTIFY SET; whether listening begins, and how; what has changed. */
static const struct {
	const char *what, *say, *how;
	bool changed;
} cases[] = {
	{ "it does", A B DONE, "notify", false },
	{ "twice the same", A B A B DONE, "notify", false },
	{ "a name in UTF-7 is quoted", "* STATUS \"INBOX.q\" (UIDNEXT 10)\r\n" A DONE, "notify",
	  false },
	{ "a name in a literal", "* STATUS {7}\r\nINBOX.q (UIDNEXT 10)\r\n" A DONE, "notify",
	  false },
	{ "others too", "* STATUS INBOX (MESSAGES 9)\r\n" A B DONE, "notify", false },
	{ "refused", "$T NO [BADEVENT (FlagChange)] no\r\n", "idle", false },
	{ "not known", "$T BAD what\r\n", "idle", false },
	{ "one is not told of", A DONE, "idle", false },
	{ "none is", DONE, "idle", false },
	{ "too much", A B "* OK [NOTIFICATIONOVERFLOW] no more\r\n" DONE, "idle", false },
	{ "a new message", A "* STATUS INBOX.q (MESSAGES 1 UIDNEXT 11)\r\n" DONE, NULL, true },
	{ "one less", A "* STATUS INBOX.q (UIDNEXT 10 MESSAGES 4294967295)\r\n" DONE, NULL, true },
	{ "a flag", A "* STATUS INBOX.q (HIGHESTMODSEQ 901)\r\n" DONE, NULL, true },
	{ "made anew", A "* STATUS INBOX.q (UIDVALIDITY 78)\r\n" DONE, NULL, true },
	{ "numbers that are none",
	  A "* STATUS INBOX.q (UIDNEXT x MESSAGES -1 HIGHESTMODSEQ ())\r\n" DONE, "notify", false },
	{ "words without numbers", A "* STATUS INBOX.q (UIDNEXT)\r\n" DONE, "notify", false },
	{ "no name", A B "* STATUS\r\n* STATUS (X 1) (Y 2)\r\n* STATUS INBOX.q\r\n" DONE, "notify",
	  false },
	{ "more behind the answer", A B DONE "* OK [NOTIFICATIONOVERFLOW] no more\r\n", NULL,
	  true },
};

Test(imap_scripted_listen, what_a_server_says_to_notify)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
			{ .when = "NOTIFY SET STATUS", .say = cases[i].say },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
		struct endpoint_ear ear = { .fd = -2 };

		fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), cases[i].what);
		cr_expect_eq(ear.changed, cases[i].changed, "%s", cases[i].what);
		cr_expect_str_eq(ear.how ? ear.how : "", cases[i].how ? cases[i].how : "", "%s",
				 cases[i].what);
		cr_expect_eq(ear.fd >= 0, cases[i].how != NULL, "%s", cases[i].what);
		fine(endpoint_hush(lab->endpoint), cases[i].what);
		lab_end(lab);
	}
}

/* A message that comes at the end of the look before IDLE is told by nothing after it. */
Test(imap_scripted_listen, what_comes_with_the_look_is_news)
{
	const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "1", "\\Deleted \\*") },
		{ .when = "UID FETCH",
		  .say = "* 1 FETCH (UID 5 FLAGS ())\r\n* 2 EXISTS\r\n$T OK done\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), "IMAP4rev1 IDLE LITERAL+");
	struct endpoint_notice *notice = NULL;
	struct endpoint_ear ear = { .fd = -2 };

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &notice), "notice");
	fine(endpoint_notice(lab->endpoint, lab, "INBOX.q", NULL, &notice), "another");
	fine(endpoint_listen(lab->endpoint, places, 1, &ear), "listen");
	cr_assert(ear.changed && ear.fd < 0, "%s", ear.how);
	lab_end(lab);
}

/* It is not asked for again on this connection. */
Test(imap_scripted_listen, a_refusal_is_remembered)
{
	const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
		{ .when = "NOTIFY SET STATUS", .say = "$T NO no\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
	struct endpoint_ear ear;

	for (int i = 0; i < 3; i++) {
		fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), "listen");
		cr_assert_str_eq(ear.how, "idle");
		fine(endpoint_hush(lab->endpoint), "hush");
	}
	cr_assert_eq(heard_times(lab, "NOTIFY SET STATUS"), 2, "with both kinds of names");
	lab_end(lab);
}

/* It does not let go of the mailbox: one folder is listened to, and it is not asked again. */
Test(imap_scripted_listen, who_may_not_leave_listens_to_one)
{
	static const char *const says[] = { "$T NO not now\r\n", "$T BAD what\r\n" };

	for (size_t i = 0; i < COUNT_OF(says); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
			{ .when = "UNSELECT", .say = says[i] },
			{ .when = "NOTIFY SET STATUS", .say = A B DONE },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
		struct endpoint_notice *notice = NULL;
		struct endpoint_ear ear = { .fd = -2 };

		for (int j = 0; j < 3; j++) {
			fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &notice), says[i]);
			fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), says[i]);
			cr_expect(ear.fd >= 0 && ear.count == 1, "%s", says[i]);
			cr_expect_str_eq(ear.how ? ear.how : "", "idle", "%s", says[i]);
			fine(endpoint_hush(lab->endpoint), says[i]);
		}
		cr_expect_eq(heard_times(lab, "UNSELECT"), 1, "%s", says[i]);
		cr_expect_eq(heard_times(lab, "NOTIFY"), 0, "%s", says[i]);
		lab_end(lab);
	}
}

/* Its connection ends at that: on a new one nothing is selected. */
Test(imap_scripted_listen, who_is_cut_off_at_leaving_listens_to_all)
{
	static const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
		{ .when = "UNSELECT", .say = "", .then = IMAP_SCRIPT_CLOSE },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
	struct endpoint_notice *notice = NULL;
	struct endpoint_ear ear = { .fd = -2 };

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &notice), "notice");
	fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), "listen");
	cr_expect_str_eq(ear.how ? ear.how : "", "notify");
	fine(endpoint_hush(lab->endpoint), "hush");
	lab_end(lab);
}

/* ---- a server that ceases to tell ---- */

/* Another endpoint on LAB's server. COMMAND_MS 0: long. */
static struct endpoint *endpoint_at(struct lab *lab, struct clock *clock, int command_ms)
{
	struct imap_account account = { .user = "ana", .stop_fd = -1, .command_ms = command_ms };

	account.url = mem_printf(lab, "imap://127.0.0.1:%d", imap_server_port(lab->server));
	account.trusts = lab->trusts;
	account.password = secret_new(lab, "s3cret", 6);
	return imap_new(lab, clock, NULL, &account);
}

#define B_NEWS "* STATUS INBOX.q (MESSAGES 1 UIDNEXT 11 UIDVALIDITY 77 HIGHESTMODSEQ 901)\r\n"
#define A_NEWS "* STATUS INBOX.p (MESSAGES 1 UIDNEXT 11 UIDVALIDITY 77 HIGHESTMODSEQ 901)\r\n"

/* What it says to NOOP, with which listening ends, and to the next NOTIFY SET; what comes of that. */
static const struct {
	const char *what, *noop, *then;
	bool changed, missed;
} silences[] = {
	{ "nothing has happened", DONE, A B DONE, false, false },
	{ "it had not come to it yet", B_NEWS DONE, A B_NEWS DONE, true, false },
	{ "it has kept something back", DONE, A B_NEWS DONE, true, true },
	{ "of one it has told, of another not", A_NEWS DONE, A_NEWS B_NEWS DONE, true, false },
	{ "a folder has gone", DONE, A DONE, true, false },
};

static void expect_silence(struct lab *lab, size_t i)
{
	struct endpoint_ear ear = { .fd = -2 };

	fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), silences[i].what);
	cr_assert_str_eq(ear.how, "notify", "%s", silences[i].what);
	fine(endpoint_hush(lab->endpoint), silences[i].what);
	fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), silences[i].what);
	cr_expect_eq(ear.changed, silences[i].changed, "%s", silences[i].what);
	cr_expect_not(ear.missed, "%s", silences[i].what); /* it may have come just then */
	cr_expect_eq(ear.fd >= 0, !silences[i].changed, "%s", silences[i].what);
}

Test(imap_scripted_listen, who_keeps_something_back_is_found_out)
{
	for (size_t i = 0; i < COUNT_OF(silences); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
			{ .when = "NOTIFY SET STATUS", .say = A B DONE, .times = 1 },
			{ .when = "NOTIFY SET STATUS", .say = silences[i].then, .times = 1 },
			{ .when = "NOTIFY SET STATUS", .say = A B DONE },
			{ .when = "NOOP", .say = silences[i].noop, .times = 1 },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
		struct endpoint_ear ear;

		expect_silence(lab, i);
		fine(endpoint_hush(lab->endpoint), silences[i].what);
		fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear),
		     silences[i].what);
		cr_expect_str_eq(ear.how, "notify", "%s", silences[i].what);
		cr_expect_eq(endpoint_stats(lab->endpoint).connections, silences[i].missed ? 2 : 1,
			     "%s", silences[i].what);
		lab_end(lab);
	}
}

/* The second time within an hour it is IDLE's turn, for an hour. */
Test(imap_scripted_listen, who_keeps_something_back_again_is_listened_to_by_idle)
{
	const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A B_NEWS DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A B_NEWS DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE },
	};
	static const struct {
		int64_t later_s;
		const char *how;
	} turns[] = { { 0, "notify" }, { 60, "" },       { 60, "notify" },  { 60, "" },
		      { 60, "idle" },  { 1800, "idle" }, { 1800, "notify" } };
	struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
	struct clock *clock = clock_set(lab, INT64_C(1790000000) * CLOCK_SECOND_US);
	struct endpoint *endpoint = endpoint_at(lab, clock, 0);

	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		struct endpoint_ear ear;

		clock_sleep(clock, turns[i].later_s * CLOCK_SECOND_US);
		fine(endpoint_listen(endpoint, places, COUNT_OF(places), &ear), "listen");
		cr_expect_str_eq(ear.how ? ear.how : "", turns[i].how, "%zu", i);
		cr_expect_eq(ear.missed, i == 3, "%zu", i);
		fine(endpoint_hush(endpoint), "hush");
	}
	talloc_free(endpoint);
	lab_end(lab);
}

/* What was looked at in between has been changed by us, or was seen then. */
Test(imap_scripted_listen, who_was_asked_in_between_has_kept_nothing_back)
{
	const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A B_NEWS DONE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
	struct endpoint_notice *notice = NULL;
	struct endpoint_ear ear;

	fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), "listen");
	fine(endpoint_hush(lab->endpoint), "hush");
	fine(endpoint_notice(lab->endpoint, lab, FOLDER, places[0].token, &notice), "notice");
	fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), "listen again");
	cr_expect(ear.changed && !ear.missed);
	cr_expect_eq(endpoint_stats(lab->endpoint).connections, 1);
	lab_end(lab);
}

/* One that is not told of any more is news once; then it is a server that does not tell of it. */
Test(imap_scripted_listen, a_folder_that_stays_untold_is_news_once)
{
	const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
		{ .when = "NOTIFY SET STATUS", .say = A B DONE, .times = 1 },
		{ .when = "NOTIFY SET STATUS", .say = A DONE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
	static const char *const hows[] = { "notify", "", "idle", "idle" };

	for (size_t i = 0; i < COUNT_OF(hows); i++) {
		struct endpoint_ear ear;

		fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), "listen");
		cr_expect_str_eq(ear.how ? ear.how : "", hows[i], "%zu", i);
		cr_expect_eq(ear.changed, !*hows[i], "%zu", i);
		fine(endpoint_hush(lab->endpoint), "hush");
	}
	lab_end(lab);
}

/* Nor is IDLE, on no connection of the next hour: the account is polled as one of a server without it. */
Test(imap_scripted_listen, who_refuses_idle_is_not_asked_again_soon)
{
	static const char *const says[] = { "$T NO idle yourself\r\n", "$T BAD what\r\n",
					    "$T NO [LIMIT] too many\r\n" };

	for (size_t i = 0; i < COUNT_OF(says); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\*") },
			{ .when = "IDLE", .say = says[i] },
		};
		struct lab *lab =
			lab_new(rows, COUNT_OF(rows), "IMAP4rev1 IDLE CONDSTORE LITERAL+");
		struct endpoint_ear ear;

		for (int turn = 0; turn < 3; turn++) {
			fine(endpoint_listen(lab->endpoint, places, 1, &ear), says[i]);
			cr_expect(ear.fd < 0 && !ear.changed && !ear.how, "%s", says[i]);
			if (turn)
				endpoint_rest(lab->endpoint);
		}
		cr_expect_eq(heard_times(lab, "IDLE"), 1, "%s: %zu", says[i],
			     heard_times(lab, "IDLE"));
		lab_end(lab);
	}
}

/* What comes later; a fault is the end of the connection. */
static const struct {
	const char *what, *say;
	bool fault, changed;
} later[] = {
	{ "nothing new", "* OK yes\r\n* STATUS INBOX.p (UIDNEXT 10)\r\n", false, false },
	{ "a message", "* STATUS INBOX.p (UIDNEXT 11)\r\n", false, true },
	{ "one goes", "* LIST (\\NonExistent) \".\" INBOX.q\r\n", false, true },
	{ "no name", "* LIST\r\n* LIST () NIL\r\n* LIST () NIL ()\r\n", false, false },
	{ "too much", "* OK [NOTIFICATIONOVERFLOW] no more\r\n", false, true },
	{ "an answer", "T99 OK done\r\n", true, false },
	{ "a question", "+ go on\r\n", true, false },
	{ "a farewell", "* BYE tired\r\n", true, false },
	{ "no response", "what?\r\n", true, false },
};

/* The server says it a moment after the answer, and drips, so that it comes when we listen. */
Test(imap_scripted_listen, what_a_server_tells_later)
{
	for (size_t i = 0; i < COUNT_OF(later); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
			{ .when = "NOTIFY SET STATUS",
			  .say = A B DONE,
			  .then = IMAP_SCRIPT_DRIP,
			  .again = later[i].say },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS_NOTIFY);
		struct endpoint_ear ear = { .fd = -2 };
		struct fault *fault = NULL;
		bool changed = false;

		fine(endpoint_listen(lab->endpoint, places, COUNT_OF(places), &ear), later[i].what);
		cr_assert_str_eq(ear.how, "notify", "%s", later[i].what);
		for (int k = 0; k < 60 && !fault && !changed; k++) {
			struct pollfd pollfd = { .fd = ear.fd, .events = POLLIN };

			cr_assert_eq(poll(&pollfd, 1, 60000), 1, "%s", later[i].what);
			fault = endpoint_heard(lab->endpoint, &changed);
		}
		cr_expect_eq(fault != NULL, later[i].fault, "%s: %s", later[i].what,
			     fault ? fault->text : "no fault");
		cr_expect_eq(changed, later[i].changed, "%s", later[i].what);
		TALLOC_FREE(lab->server); /* else it drips on, and the farewell waits */
		lab_end(lab);
	}
}

/* A connection that died without a word (a firewall forgot it) is found when listening begins anew; the
 * next one knows what has been noticed. */
Test(imap_scripted_listen, a_connection_that_went_silent)
{
	static const struct {
		const char *what, *caps, *how;
		struct imap_script_row last;
	} silent[] = {
		{ "IDLE",
		  "IMAP4rev1 AUTH=PLAIN SASL-IR IDLE CONDSTORE",
		  "idle",
		  { .when = "DONE", .say = "", .then = IMAP_SCRIPT_HANG } },
		{ "NOTIFY",
		  CAPS_NOTIFY,
		  "notify",
		  { .when = "NOTIFY NONE", .say = "", .then = IMAP_SCRIPT_HANG } },
	};

	for (size_t i = 0; i < COUNT_OF(silent); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "0", "\\Deleted \\*") },
			{ .when = "NOTIFY SET STATUS", .say = A B DONE },
			silent[i].last,
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), silent[i].caps);
		struct endpoint_ear ear;
		struct endpoint *endpoint = endpoint_at(lab, clock_system(lab), 1500);
		int alive = 0;
		socklen_t len = sizeof alive;

		for (int round = 1; round <= 2; round++) {
			fine(endpoint_listen(endpoint, places, COUNT_OF(places), &ear),
			     silent[i].what);
			cr_expect_str_eq(ear.how, silent[i].how);
			cr_expect_eq(endpoint_stats(endpoint).connections, round);
			cr_assert_eq(getsockopt(ear.fd, SOL_SOCKET, SO_KEEPALIVE, &alive, &len), 0);
			cr_expect(alive, "the system looks too");
			expect(endpoint_hush(endpoint), FAULT_UNREACHABLE, FAULT_SCOPE_SERVER,
			       silent[i].what);
			endpoint_rest(endpoint);
		}
		talloc_free(endpoint);
		lab_end(lab);
	}
}
