#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_flags.h"
#include "gateway/imap/imap_session.h"
#include "imap_scripted.h"

/* The IMAP endpoint over a server that lies, refuses, forgets and closes: what it says of messages
 * is believed only if it can be, and every item ends in one way. */

#define SEVEN "0000000077.0000000007"
#define LISTED(uid, flags) "* 1 FETCH (UID " uid " FLAGS (" flags "))\r\n"
#define ALL_THREE LISTED("7", "") LISTED("8", "") LISTED("9", "")

/* ---- where a message stands ---- */

static const struct {
	const char *answer;
	bool good;
} places[] = {
	{ "$T OK [APPENDUID 77 10] done\r\n", true },
	{ "$T OK [APPENDUID 77 4000000000] done\r\n", true },
	{ "$T OK [APPENDUID 78 10] done\r\n", false }, /* another mailbox */
	{ "$T OK [APPENDUID 0 10] done\r\n", false },
	{ "$T OK [APPENDUID 77 9] done\r\n", false }, /* stood there before */
	{ "$T OK [APPENDUID 77 0] done\r\n", false },
	{ "$T OK [APPENDUID 77 10:11] done\r\n", false }, /* one message, two places */
	{ "$T OK [APPENDUID 77 10,12] done\r\n", false },
	{ "$T OK [APPENDUID 77 1:4294967295] done\r\n", false },
	{ "$T OK [APPENDUID 77 *] done\r\n", false },
	{ "$T OK [APPENDUID 77 10,] done\r\n", false },
	{ "$T OK [APPENDUID 77 4294967296] done\r\n", false },
	{ "$T OK [APPENDUID 77 x] done\r\n", false },
	{ "$T OK [APPENDUID 77] done\r\n", false },
	{ "$T OK [APPENDUID] done\r\n", false },
	{ "$T OK done\r\n", false }, /* and a FETCH that does not know it */
};

Test(imap_scripted, a_place_that_cannot_be_is_not_believed)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct imap_script_row rows[] = { { .when = "APPEND", .say = places[i].answer } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_put put = text_of(lab, "a");

		fine(endpoint_put(lab->endpoint, lab, FOLDER, &put, 1), places[i].answer);
		if (places[i].good) {
			fine(put.fault, places[i].answer);
			cr_assert(text_starts(put.placed, "0000000077."), "%s", put.placed);
		} else {
			expect(put.fault, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, places[i].answer);
			cr_assert(put.fault->maybe_done, "%s", places[i].answer);
			cr_assert_null(put.placed, "%s", places[i].answer);
		}
		lab_end(lab);
	}
}

/* Two messages in one command. */
static const struct {
	const char *answer;
	bool good;
} pairs[] = {
	{ "$T OK [APPENDUID 77 10:11] done\r\n", true },
	{ "$T OK [APPENDUID 77 10,12] done\r\n", true },
	{ "$T OK [APPENDUID 77 10] done\r\n", false },
	{ "$T OK [APPENDUID 77 10:12] done\r\n", false },
	{ "$T OK [APPENDUID 77 12,10] done\r\n", false },
	{ "$T OK [APPENDUID 77 10,10] done\r\n", false },
	{ "$T OK [APPENDUID 77 9:10] done\r\n", false },
};

Test(imap_scripted, places_are_as_many_as_messages)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct imap_script_row rows[] = { { .when = "APPEND", .say = pairs[i].answer } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), pairs[i].answer);
		for (size_t j = 0; j < 2; j++) {
			if (pairs[i].good)
				fine(puts[j].fault, pairs[i].answer);
			else
				expect(puts[j].fault, FAULT_PROTOCOL, FAULT_SCOPE_ITEM,
				       pairs[i].answer);
		}
		if (pairs[i].good)
			cr_assert_lt(strcmp(puts[0].placed, puts[1].placed), 0);
		lab_end(lab);
	}
}

/* One by one, and each time the same place. */
Test(imap_scripted, one_place_holds_one_message)
{
	struct lab *lab = lab_new(NULL, 0, "IMAP4rev1 UIDPLUS LITERAL+");
	struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };

	fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), "put");
	fine(puts[0].fault, "the first");
	expect(puts[1].fault, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, "the second");
	lab_end(lab);
}

/* Without APPENDUID: by Message-ID, the newest one, and each message its own. */
static const struct imap_script_row found_rows[] = {
	{ .when = "APPEND", .say = "$T OK done\r\n" },
	{ .when = "UID FETCH 10:* (UID BODY.PEEK[HEADER",
	  .say = "* 1 FETCH (UID 9 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <a@x>\")\r\n"
		 "* 4 FETCH (UID 10 BODY[HEADER.FIELDS (MESSAGE-ID)] {19}\r\nMessage-ID: "
		 "<a@x>\r\n)\r\n"
		 "* 6 FETCH (BODY[HEADER.FIELDS (\"message-id\")] {21}\r\nMESSAGE-ID:\r\n "
		 "<b@x>\r\n UID 12)\r\n"
		 "* 7 FETCH (UID 13 BODY[HEADER.FIELDS (MESSAGE-ID)] NIL)\r\n"
		 "* 5 FETCH (UID 11 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <a@x>\")\r\n"
		 "$T OK done\r\n" },
};

Test(imap_scripted, without_appenduid_the_message_id_tells)
{
	struct lab *lab = lab_new(found_rows, COUNT_OF(found_rows), "IMAP4rev1 LITERAL+");
	struct endpoint_put puts[4] = { text_of(lab, "a"),
					text_of(lab, "b"),
					text_of(lab, "c"),
					{ .text = "no header\r\n", .len = 11 } };

	fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 4), "put");
	fine(puts[0].fault, "a");
	cr_assert_str_eq(puts[0].placed, "0000000077.0000000011");
	fine(puts[1].fault, "b");
	cr_assert_str_eq(puts[1].placed, "0000000077.0000000012");
	for (size_t i = 2; i < 4; i++) {
		expect(puts[i].fault, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, "not found");
		cr_assert(puts[i].fault->maybe_done);
	}
	lab_end(lab);
}

/* Two with one Message-ID stand in two places, in their order. */
Test(imap_scripted, one_place_is_found_for_one_message)
{
	struct lab *lab = lab_new(found_rows, COUNT_OF(found_rows), "IMAP4rev1 LITERAL+");
	struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "a") };

	fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), "put");
	for (size_t i = 0; i < 2; i++)
		fine(puts[i].fault, "a");
	cr_assert_str_eq(puts[0].placed, "0000000077.0000000010");
	cr_assert_str_eq(puts[1].placed, "0000000077.0000000011");
	lab_end(lab);
}

/* ---- connections that end ---- */

static const struct imap_script_row cut_rows[] = {
	{ .when = "APPEND \"" FOLDER "\" {22", .say = "", .then = IMAP_SCRIPT_CLOSE },
};

static void expect_lost(const struct endpoint_put *put, bool maybe_done, const char *what)
{
	expect(put->fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, what);
	cr_assert_eq(put->fault->maybe_done, maybe_done, "%s: maybe done: expected %d, got %d",
		     what, maybe_done, put->fault->maybe_done);
}

Test(imap_scripted, what_was_sent_and_not_answered_may_be_done)
{
	static const char *const caps[] = { "IMAP4rev1 UIDPLUS LITERAL+", "IMAP4rev1 UIDPLUS" };

	for (size_t i = 0; i < COUNT_OF(caps); i++) {
		struct lab *lab = lab_new(cut_rows, COUNT_OF(cut_rows), caps[i]);
		struct endpoint_put puts[3] = { text_of(lab, "a"), text_of(lab, "bb"),
						text_of(lab, "c") };

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 3), caps[i]);
		fine(puts[0].fault, "answered");
		expect_lost(&puts[1], true, "sent");
		expect_lost(&puts[2], i == 0, i ? "not sent" : "sent behind it");
		cr_assert_eq(endpoint_stats(lab->endpoint).connections, 1, "a write was repeated");
		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 1), "afterwards");
		fine(puts[0].fault, "afterwards");
		lab_end(lab);
	}
}

/* The server has ended the session since. */
Test(imap_scripted, a_connection_that_is_found_broken_is_made_again)
{
	static const struct imap_script_row rows[] = {
		{ .when = "NOOP", .say = "* BYE idle for too long\r\n", .then = IMAP_SCRIPT_CLOSE },
		{ .when = "UID FETCH", .say = ALL_THREE "$T OK done\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_notice *made = NULL;
	struct endpoint_put put = text_of(lab, "a");

	for (int i = 1; i <= 3; i++) {
		fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), "notice");
		cr_assert_eq(made->count, 3);
		cr_assert_eq(endpoint_stats(lab->endpoint).connections, i);
	}
	fine(endpoint_put(lab->endpoint, lab, FOLDER, &put, 1), "put");
	fine(put.fault, "put");
	cr_assert_eq(heard_times(lab, "APPEND "), 1);
	lab_end(lab);
}

/* But not when something was written: that may be done. */
Test(imap_scripted, what_has_written_is_not_begun_anew)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID FETCH", .say = ALL_THREE "$T OK done\r\n" },
		{ .when = "SUBSCRIBE", .say = "", .then = IMAP_SCRIPT_CLOSE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_folder folder = { .top = "site", .sub = "project" };
	struct endpoint_notice *made = NULL;
	char *address = NULL;
	bool created = false;
	struct fault *fault;

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), "notice");
	fault = endpoint_ensure(lab->endpoint, lab, &folder, NULL, &address, &created);
	expect(fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "ensure");
	cr_assert(fault->maybe_done);
	cr_assert_eq(heard_times(lab, "CREATE "), 1);
	cr_assert_eq(endpoint_stats(lab->endpoint).connections, 1);
	lab_end(lab);
}

/* A server that tells of nothing by itself: after a write the numbers come from SELECT. */
Test(imap_scripted, what_we_wrote_is_looked_at_anew)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID FETCH", .say = ALL_THREE "$T OK done\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_notice *made = NULL;
	struct endpoint_put put = text_of(lab, "a");

	for (size_t i = 1; i <= 3; i++) {
		fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), "notice");
		cr_assert_eq(heard_times(lab, "SELECT "), i);
		fine(endpoint_put(lab->endpoint, lab, FOLDER, &put, 1), "put");
	}
	lab_end(lab);
}

Test(imap_scripted, a_server_that_always_closes_is_tried_once)
{
	static const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = "", .then = IMAP_SCRIPT_CLOSE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_notice *made = NULL;

	for (int i = 1; i <= 2; i++) {
		expect(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), FAULT_UNREACHABLE,
		       FAULT_SCOPE_SERVER, "notice");
		cr_assert_eq(endpoint_stats(lab->endpoint).connections, i);
	}
	lab_end(lab);
}

/* ---- listings ---- */

static const struct {
	const char *answer;
	bool good;
} listings[] = {
	{ ALL_THREE "$T OK done\r\n", true },
	{ LISTED("9", "") LISTED("7", "a") LISTED("8", "") "$T OK done\r\n", true },
	{ ALL_THREE LISTED("8", "later") "$T OK done\r\n", true }, /* one of them twice */
	{ "* 2 FETCH (FLAGS (\\Seen))\r\n" ALL_THREE "$T OK done\r\n", true },
	{ "* 4 EXISTS\r\n" ALL_THREE LISTED("10", "") "$T OK done\r\n", true }, /* came meanwhile */
	{ ALL_THREE "* 4 EXISTS\r\n$T OK done\r\n", true },
	{ LISTED("7", "") LISTED("8", "") "$T OK done\r\n", false }, /* not complete (N5) */
	{ "$T OK done\r\n", false },
	{ ALL_THREE LISTED("10", "") "$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") LISTED("8", "") "$T OK done\r\n", false },
	{ LISTED("0", "") LISTED("7", "") LISTED("8", "") "$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") LISTED("-9", "") "$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") LISTED("4294967296", "") "$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") LISTED("*", "") "$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") "* 3 FETCH (UID 9)\r\n$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") "* 3 FETCH (UID 9 FLAGS x)\r\n$T OK done\r\n", false },
	{ LISTED("7", "") LISTED("8", "") "* 3 FETCH (FLAGS ())\r\n$T OK done\r\n", false },
	{ "* SEARCH 7 8 9\r\n$T OK done\r\n", false },
	{ "$T BAD no\r\n", false },
};

Test(imap_scripted, a_listing_is_complete_or_a_fault)
{
	for (size_t i = 0; i < COUNT_OF(listings); i++) {
		struct imap_script_row rows[] = { { .when = "UID FETCH 1:*",
						    .say = listings[i].answer } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_notice *made = NULL;
		struct fault *fault = endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made);

		if (listings[i].good) {
			fine(fault, listings[i].answer);
			cr_assert(made->full && made->count >= 3, "%s: %zu", listings[i].answer,
				  made->count);
			cr_assert_str_eq(made->changes[0].address, "0000000077.0000000007");
		} else {
			expect(fault, FAULT_PROTOCOL, FAULT_SCOPE_FOLDER, listings[i].answer);
			cr_assert_null(made);
		}
		lab_end(lab);
	}
}

/* What is new since a token, where three are now, the last one UID 9, and the mod-sequence is 900.
 * Without one the digest of no marks is 0. FOUND answers when only some are asked for. */
static const struct {
	const char *what, *token, *selected, *found, *all;
	bool modseq;
	size_t count;
	bool full;
	const char *next;
} deltas[] = {
#define THREE SELECTED(UIDNEXT, "3", "\\Deleted \\*")
	{ "one is new", "77 9 2 m800", THREE, LISTED("9", "a"), "", true, 1, false,
	  "77 10 3 m900" },
	{ "nothing is new", "77 10 3 m900", THREE, LISTED("9", "a"), "", true, 0, false,
	  "77 10 3 m900" },
	{ "one is marked", "77 10 3 m899", THREE, LISTED("8", "a"), "", true, 1, false,
	  "77 10 3 m900" },
	{ "one is marked, one is new", "77 9 2 m899", THREE, LISTED("9", "") LISTED("7", ""), "",
	  true, 2, false, "77 10 3 m900" },
	{ "one is new and not told", "77 9 2 m899", THREE, LISTED("7", ""), ALL_THREE, true, 3,
	  true, "77 10 3 m900" },
	{ "one new, one gone", "77 9 3 m800", THREE, LISTED("9", ""), ALL_THREE, true, 3, true,
	  "77 10 3 m900" },
	{ "one gone", "77 10 4 m800", THREE, "", ALL_THREE, true, 3, true, "77 10 3 m900" },
	{ "the numbers run backwards", "77 11 3 m800", THREE, "", ALL_THREE, true, 3, true,
	  "77 10 3 m900" },
	{ "mod-sequences run backwards", "77 10 3 m901", THREE, "", ALL_THREE, true, 3, true,
	  "77 10 3 m900" },
	{ "no mod-sequence any more", "77 10 3 m900",
	  "* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n* OK [HIGHESTMODSEQ 0] x\r\n" UIDNEXT
	  "* OK [NOMODSEQ] no\r\n$T OK [READ-WRITE] done\r\n",
	  "", ALL_THREE, true, 3, true, "77 10 3 d0" },
	{ "mod-sequences since lately", "77 10 3 d0", THREE, "", ALL_THREE, true, 0, false,
	  "77 10 3 m900" },
	{ "one is new", "77 9 2 d0", THREE, "", ALL_THREE, false, 1, false, "77 10 3 d0" },
	{ "nothing is new", "77 10 3 d0", THREE, "", ALL_THREE, false, 0, false, "77 10 3 d0" },
	{ "only seen", "77 10 3 d0", THREE, "",
	  LISTED("7", "\\Seen") LISTED("8", "\\Deleted $Forwarded") LISTED("9", "\\Answered"),
	  false, 0, false, "77 10 3 d0" },
	{ "one was marked", "77 10 3 d5", THREE, "", ALL_THREE, false, 3, true, "77 10 3 d0" },
	{ "one new, one gone", "77 9 3 d0", THREE, "", ALL_THREE, false, 3, true, "77 10 3 d0" },
	{ "one gone", "77 10 4 d0", THREE, "", ALL_THREE, false, 3, true, "77 10 3 d0" },
	{ "all gone", "77 10 4 d0", SELECTED(UIDNEXT, "0", "\\Deleted \\*"), "", "", false, 0, true,
	  "77 10 0 d0" },
	{ "no UIDNEXT", "77 10 3 d0", SELECTED("", "3", "\\Deleted \\*"), "", ALL_THREE, false, 3,
	  true, NULL },
};

static void try_delta(size_t i)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *found = mem_printf(mem, "%s$T OK done\r\n", deltas[i].found),
	     *all = mem_printf(mem, "%s$T OK done\r\n", deltas[i].all);
	struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = deltas[i].selected },
		{ .when = "UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE", .say = found },
		{ .when = "UID FETCH 1:* (UID FLAGS)", .say = all },
		{ .when = "UID FETCH ", .say = found },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows),
				  deltas[i].modseq ? "IMAP4rev1 CONDSTORE" : "IMAP4rev1");
	struct endpoint_notice *made = NULL;

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, deltas[i].token, &made), deltas[i].what);
	cr_assert_eq(made->full, deltas[i].full, "%s: full %d", deltas[i].what, made->full);
	cr_assert_eq(made->count, deltas[i].count, "%s: expected %zu, got %zu", deltas[i].what,
		     deltas[i].count, made->count);
	cr_assert(text_same(made->token, deltas[i].next), "%s: expected %s, got %s", deltas[i].what,
		  deltas[i].next, made->token);
	lab_end(lab);
	talloc_free(mem);
}

Test(imap_scripted, deltas_add_up_or_become_listings)
{
	for (size_t i = 0; i < COUNT_OF(deltas); i++)
		try_delta(i);
}

/* What of a message's flags is in its version. */
static const struct {
	const char *flags, *marks;
} marked[] = {
	{ "", "" },
	{ "\\Seen \\Answered \\Draft \\Deleted \\Recent", "" },
	{ "$Forwarded $MDNSent $Junk $NotJunk Junk NonJunk NotJunk", "" },
	{ "$Phishing $SubmitPending $Submitted $FORWARDED junk", "" },
	{ "work \\Flagged $Done \\Seen Abc", " $Done Abc \\Flagged work" },
	{ "\\FLAGGED", " \\FLAGGED" },
	{ "$done $Done", " $done" },
	{ "\\Odd x", " x" },
};

Test(imap_scripted, marks_are_a_part_of_the_version)
{
	for (size_t i = 0; i < COUNT_OF(marked); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = SELECTED(UIDNEXT, "1", "\\Deleted \\*") },
			{ .when = "UID FETCH",
			  .say = mem_printf(mem,
					    "* 1 FETCH (UID 7 FLAGS (%s) BODY[] \"x\")\r\n"
					    "$T OK done\r\n",
					    marked[i].flags) },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		char *version = mem_printf(lab, "%s%s", SEVEN, marked[i].marks);
		const char *marks = *marked[i].marks ? marked[i].marks + 1 : "", *address = SEVEN;
		struct endpoint_notice *made = NULL;
		struct endpoint_item *items = NULL;

		fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), marked[i].flags);
		cr_assert_str_eq(made->changes[0].address, SEVEN);
		cr_assert_str_eq(made->changes[0].version, version);
		cr_assert_str_eq(made->changes[0].marks, marks);
		fine(endpoint_fetch(lab->endpoint, lab, FOLDER, &address, 1, &items), "fetch");
		fine(items[0].fault, marked[i].flags);
		cr_assert_str_eq(items[0].version, version);
		cr_assert_str_eq(items[0].marks, marks);
		lab_end(lab);
		talloc_free(mem);
	}
}

static const char *const not_tokens[] = {
	"",
	"77",
	"77 10",
	"77 10 ",
	"77 10 3 ",
	" 77 10 3",
	"77 010 3",
	"77 10 x",
	"0 10 3",
	"77 0 3",
	"-7 10 3",
	"77 10 -3",
	"77,10,3",
	"s:77 10 3",
	"78 10 3",
	"77 10 3 4",
	"77 10 3 m",
	"77 10 3 m-1",
	"77 10 3 m01",
	"77 10 3 m18446744073709551616",
	"77 10 3 x5",
	"77 10 3 d5 ",
	"77 10 3  d5",
	"77  10 3",
	"77 10 4294967296",
	"99999999999 10 3",
};

Test(imap_scripted, other_tokens_are_told)
{
	struct lab *lab = lab_new(NULL, 0, NULL);

	for (size_t i = 0; i < COUNT_OF(not_tokens); i++) {
		struct endpoint_notice *made = NULL;

		expect(endpoint_notice(lab->endpoint, lab, FOLDER, not_tokens[i], &made),
		       FAULT_TOKEN, FAULT_SCOPE_FOLDER, not_tokens[i]);
	}
	lab_end(lab);
}

static const struct {
	const char *what, *select, *list;
	enum fault_kind kind;
} folders[] = {
	{ "no UIDVALIDITY", "* 3 EXISTS\r\n* OK [UIDNEXT 10] ok\r\n$T OK done\r\n", NULL,
	  FAULT_PROTOCOL },
	{ "told", "$T NO [NONEXISTENT] no\r\n", NULL, FAULT_GONE },
	{ "not listed", "$T NO no\r\n", "$T OK done\r\n", FAULT_GONE },
	{ "no mailbox", "$T NO no\r\n", "* LIST (\\Noselect) \".\" INBOX.p\r\n$T OK done\r\n",
	  FAULT_GONE },
	{ "listed", "$T NO try later\r\n", "* LIST () \".\" INBOX.p\r\n$T OK done\r\n",
	  FAULT_REFUSED },
	{ "in use", "$T NO [INUSE] try later\r\n", "$T OK done\r\n", FAULT_BUSY },
	{ "forbidden", "$T NO [NOPERM] no\r\n", "* LIST () \".\" INBOX.p\r\n$T OK done\r\n",
	  FAULT_REFUSED },
};

Test(imap_scripted, a_folder_is_gone_only_when_it_is)
{
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct imap_script_row rows[] = {
			{ .when = "SELECT", .say = folders[i].select },
			{ .when = "LIST \"\" \"INBOX.p\"", .say = folders[i].list },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_notice *made = NULL;

		expect(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &made), folders[i].kind,
		       FAULT_SCOPE_FOLDER, folders[i].what);
		lab_end(lab);
	}
}

/* ---- reading ---- */

static const struct {
	const char *answer;
	enum fault_kind kind; /* FAULT_KINDS: none */
} bodies[] = {
	{ "* 1 FETCH (UID 7 BODY[]<0> {5}\r\nhello)\r\n$T OK done\r\n", FAULT_KINDS },
	{ "* 1 FETCH (BODY[]<0> \"hello\" UID 7)\r\n$T OK done\r\n", FAULT_KINDS },
	{ "* 1 FETCH (UID 7 BODY[] {5}\r\nhello)\r\n$T OK done\r\n", FAULT_KINDS },
	{ "* 9 FETCH (UID 70 BODY[]<0> \"other\")\r\n* 1 FETCH (FLAGS (\\Seen) UID 7 BODY[]<0> "
	  "\"hello\")\r\n$T NO [EXPUNGEISSUED] some have gone\r\n",
	  FAULT_KINDS },
	{ "* 1 FETCH (UID 7 BODY[]<0> NIL)\r\n$T OK done\r\n", FAULT_PROTOCOL },
	{ "* 1 FETCH (UID 7 FLAGS ())\r\n$T OK done\r\n", FAULT_GONE },
	{ "$T OK done\r\n", FAULT_GONE },
	{ "$T NO no\r\n", FAULT_REFUSED }, /* not taken for gone (N5) */
	{ "$T BAD no\r\n", FAULT_PROTOCOL },
};

Test(imap_scripted, a_message_is_there_or_not_or_refused)
{
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct imap_script_row rows[] = { { .when = "UID FETCH 7 ",
						    .say = bodies[i].answer } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		const char *address = SEVEN;
		struct endpoint_item *items = NULL;

		fine(endpoint_fetch(lab->endpoint, lab, FOLDER, &address, 1, &items),
		     bodies[i].answer);
		if (bodies[i].kind != FAULT_KINDS) {
			expect(items[0].fault, bodies[i].kind, FAULT_SCOPE_ITEM, bodies[i].answer);
			cr_assert_eq(heard_times(lab, "UID FETCH"), 2, "not asked once more");
		} else {
			fine(items[0].fault, bodies[i].answer);
			cr_assert_str_eq(items[0].text, "hello");
		}
		lab_end(lab);
	}
}

Test(imap_scripted, a_folder_that_is_gone_is_not_many_deletions)
{
	static const struct imap_script_row rows[] = {
		{ .when = "SELECT", .say = "$T NO [NONEXISTENT] no\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	const char *addresses[] = { SEVEN, "0000000077.0000000008" };
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->endpoint, lab, FOLDER, addresses, 2, &items), "fetch");
	for (size_t i = 0; i < 2; i++)
		expect(items[i].fault, FAULT_GONE, FAULT_SCOPE_FOLDER, addresses[i]);
	lab_end(lab);
}

/* ---- flags ---- */

static const struct {
	const char *flags, *permanent;
	struct imap_flags_wish wish;
	const char *carried;
} carried[] = {
	{ "\\Seen work", "\\Seen \\*", { NULL, NULL, true }, " (\\Seen work)" },
	{ "\\Seen work", "\\Seen \\*", { NULL, NULL, false }, " (work)" },
	{ "work", "\\Seen \\*", { NULL, NULL, true }, " (work)" },
	{ "\\Seen work", "\\Seen \\Deleted", { NULL, NULL, true }, " (\\Seen)" },
	{ "\\Seen work play", "\\Seen \\Deleted WORK", { NULL, NULL, true }, " (\\Seen work)" },
	{ "\\Recent \\Deleted \\Draft", "\\*", { NULL, NULL, true }, " (\\Draft)" },
	{ "\\Foo $Ok \\Seen", "\\*", { NULL, NULL, true }, " ($Ok \\Seen)" },
	{ "", "\\*", { NULL, NULL, true }, "" },
	{ "\\Seen \\seen work Work", "\\*", { NULL, NULL, true }, " (\\Seen work)" },
	{ "", "\\*", { "\\Flagged $Done", NULL, false }, " ($Done \\Flagged)" },
	{ "$done", "\\*", { "$Done", NULL, false }, " ($Done)" },
	{ "$DONE \\flagged work", "\\*", { NULL, "$Done \\Flagged", false }, " (work)" },
	{ "work", "\\*", { "a", "A WORK", false }, "" },
	{ "work",
	  "\\Flagged work \\Deleted",
	  { "\\Flagged $Done", NULL, false },
	  " (\\Flagged work)" },
	{ "work", "\\*", { "/Done", "/Done", false }, " (work)" },
	{ "work", "\\*", { "x) \\Deleted", "%", false }, " (work)" },
};

Test(imap_scripted, flags_are_carried_as_far_as_the_mailbox_keeps_them)
{
	for (size_t i = 0; i < COUNT_OF(carried); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_script_row rows[] = {
			{ .when = "SELECT",
			  .say = mem_printf(
				  mem,
				  "* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" UIDNEXT
				  "* OK [PERMANENTFLAGS (\\Deleted %s)] ok\r\n$T OK done\r\n",
				  carried[i].permanent) },
			{ .when = "UID FETCH",
			  .say = mem_printf(mem,
					    "* 1 FETCH (UID 7 FLAGS (%s) INTERNALDATE \" "
					    "1-Feb-2024 01:02:03 +0100\")\r\n$T OK done\r\n",
					    carried[i].flags) },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_put put = text_of(lab, "a");
		char *wire = mem_printf(lab, FOLDER "\"%s \" 1-Feb-2024 01:02:03 +0100\" {",
					carried[i].carried);

		put.marks_add = carried[i].wish.add;
		put.marks_drop = carried[i].wish.drop;
		put.quiet = carried[i].wish.quiet;
		put.address = put.if_version = SEVEN;
		fine(endpoint_put(lab->endpoint, lab, FOLDER, &put, 1), carried[i].flags);
		fine(put.fault, carried[i].flags);
		cr_assert(heard(lab, wire), "%s: expected %s in:\n%s", carried[i].flags, wire,
			  imap_server_heard(lab->server, lab, NULL));
		cr_assert(text_starts(put.replaced, "FLAGS ("), "%s", put.replaced);
		lab_end(lab);
		talloc_free(mem);
	}
}

/* A date that is none is not sent back. */
Test(imap_scripted, what_is_no_date_is_not_carried)
{
	static const char *const dates[] = {
		"\"32-Feb-2024 01:02:03 +0100\"", "\"x\"",        "NIL",
		"\"01-Foo-2024 01:02:03 +0100\"", "{3}\r\na\r\n", "\"01-Feb-2024 01:02:03 +0100 \""
	};

	for (size_t i = 0; i < COUNT_OF(dates); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_script_row rows[] = {
			{ .when = "UID FETCH",
			  .say = mem_printf(mem,
					    "* 1 FETCH (UID 7 FLAGS (a) MODSEQ (5) INTERNALDATE "
					    "%s)\r\n$T OK done\r\n",
					    dates[i]) },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_put put = text_of(lab, "a");

		put.address = put.if_version = SEVEN;
		fine(endpoint_put(lab->endpoint, lab, FOLDER, &put, 1), dates[i]);
		fine(put.fault, dates[i]);
		cr_assert(heard(lab, "APPEND \"" FOLDER "\" (a) {"), "%s:\n%s", dates[i],
			  imap_server_heard(lab->server, lab, NULL));
		cr_assert_str_eq(put.replaced, "MODSEQ 5 FLAGS (a)");
		lab_end(lab);
		talloc_free(mem);
	}
}

/* ---- removing ---- */

#define OLD "* 1 FETCH (UID 7 FLAGS (a) MODSEQ (5))\r\n"
#define NEW "* 3 FETCH (UID 9 FLAGS () MODSEQ (6))\r\n"

static const struct {
	const char *what, *if_version, *look, *store, *search;
	enum fault_kind kind;      /* FAULT_KINDS: none */
	const char *said, *unsaid; /* by us */
} removals[] = {
	{ "nothing changed", "MODSEQ 5", OLD NEW "$T OK done\r\n", "$T OK done\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS,
	  "UID STORE 7 (UNCHANGEDSINCE 900) +FLAGS.SILENT (\\Deleted)\r\n", "UID STORE 9" },
	{ "the flags have changed", "MODSEQ 4", OLD NEW "$T OK done\r\n", "$T OK done\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS, "UID STORE 9 +FLAGS.SILENT (a)\r\n",
	  "EXISTS" },
	{ "other flags than then", "MODSEQ 4 FLAGS (b)", OLD NEW "$T OK done\r\n", "$T OK done\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS, "UID STORE 9 +FLAGS.SILENT (a)\r\n",
	  "EXISTS" },
	{ "a mark that was dropped stays away", "MODSEQ 4 FLAGS (A)", OLD NEW "$T OK done\r\n",
	  "$T OK done\r\n", "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS, "UID EXPUNGE 7\r\n",
	  "UID STORE 9" },
	{ "read meanwhile", NULL,
	  "* 1 FETCH (UID 7 FLAGS (\\Seen late) MODSEQ (5))\r\n" NEW "$T OK done\r\n",
	  "$T OK done\r\n", "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS,
	  "UID STORE 9 +FLAGS.SILENT (late)\r\n", "\\Seen" },
	{ "changed after SELECT", "MODSEQ 5",
	  "* 1 FETCH (UID 7 FLAGS (a) MODSEQ (901))\r\n" NEW "$T OK done\r\n", "$T OK done\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_KINDS, "(UNCHANGEDSINCE 901)", "SINCE 900" },
	{ "changes all the time", "MODSEQ 5", OLD NEW "$T OK done\r\n", "$T OK [MODIFIED 7] no\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_CHANGED, "UID STORE 7", "UID EXPUNGE" },
	{ "the same, refused", "MODSEQ 5", OLD NEW "$T OK done\r\n", "$T NO [MODIFIED 7] no\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_CHANGED, "UID STORE 7", "UID EXPUNGE" },
	{ "modified, which is not said", "MODSEQ 5", OLD NEW "$T OK done\r\n",
	  "$T OK [MODIFIED *] no\r\n", "* SEARCH\r\n$T OK done\r\n", FAULT_CHANGED, "UID STORE 7",
	  "UID EXPUNGE" },
	{ "read-only", "MODSEQ 5", OLD NEW "$T OK done\r\n", "$T NO read-only\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_REFUSED, "UID STORE 7", "UID EXPUNGE" },
	{ "gone", "MODSEQ 5", NEW "$T OK done\r\n", "$T OK done\r\n", "* SEARCH\r\n$T OK done\r\n",
	  FAULT_GONE, "UID FETCH", "UID STORE" },
	{ "not looked at", "MODSEQ 5", "$T NO no\r\n", "$T OK done\r\n",
	  "* SEARCH\r\n$T OK done\r\n", FAULT_REFUSED, "UID FETCH", "UID STORE" },
	{ "said to be removed, and there", "MODSEQ 5", OLD NEW "$T OK done\r\n", "$T OK done\r\n",
	  "* SEARCH 7\r\n$T OK done\r\n", FAULT_REFUSED, "UID EXPUNGE 7\r\n", "EXISTS" },
};

Test(imap_scripted, removing_believes_what_it_sees)
{
	for (size_t i = 0; i < COUNT_OF(removals); i++) {
		struct imap_script_row rows[] = {
			{ .when = "UID FETCH", .say = removals[i].look },
			{ .when = "UID STORE 7", .say = removals[i].store },
			{ .when = "UID SEARCH", .say = removals[i].search },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_remove one = { .address = SEVEN,
					       .if_version = removals[i].if_version,
					       .successor = "0000000077.0000000009" };
		struct fault *fault = endpoint_remove(lab->endpoint, lab, FOLDER, &one, 1);

		fault = fault ? fault : one.fault;
		if (removals[i].kind == FAULT_KINDS)
			fine(fault, removals[i].what);
		else
			cr_assert(fault && fault->kind == removals[i].kind, "%s: got %s (%s)",
				  removals[i].what,
				  fault ? fault_kind_name(fault->kind) : "success",
				  fault ? fault->text : "");
		cr_assert(heard(lab, removals[i].said), "%s: expected %s in:\n%s", removals[i].what,
			  removals[i].said, imap_server_heard(lab->server, lab, NULL));
		cr_assert_not(heard(lab, removals[i].unsaid), "%s: not expected %s in:\n%s",
			      removals[i].what, removals[i].unsaid,
			      imap_server_heard(lab->server, lab, NULL));
		lab_end(lab);
	}
}

/* Of what was removed or not when the connection ended, the caller is told that it may be. */
Test(imap_scripted, a_removal_that_is_cut_may_be_done)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID FETCH", .say = OLD "$T OK done\r\n" },
		{ .when = "UID EXPUNGE", .say = "", .then = IMAP_SCRIPT_CLOSE },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	struct endpoint_remove removes[2] = { { .address = SEVEN },
					      { .address = "0000000001.0000000007" } };

	fine(endpoint_remove(lab->endpoint, lab, FOLDER, removes, 2), "remove");
	expect(removes[0].fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "cut");
	cr_assert(removes[0].fault->maybe_done);
	expect(removes[1].fault, FAULT_GONE, FAULT_SCOPE_ITEM, "another UIDVALIDITY");
	cr_assert_eq(endpoint_stats(lab->endpoint).connections, 1);
	lab_end(lab);
}
