#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "imap_scripted.h"

/* What a server refuses: with a reason, without one, for want of room, for want of rights. */

#define SEVEN "0000000077.0000000007"
#define LISTED(uid, flags) "* 1 FETCH (UID " uid " FLAGS (" flags "))\r\n"
#define ALL_THREE LISTED("7", "") LISTED("8", "") LISTED("9", "")

/* ---- refusals ---- */

static const struct {
	const char *answer;
	enum fault_kind kind;
	enum fault_scope scope;
} refusals[] = {
	{ "$T NO [OVERQUOTA] full\r\n", FAULT_FULL, FAULT_SCOPE_ACCOUNT },
	{ "$T NO [TRYCREATE] no such mailbox\r\n", FAULT_GONE, FAULT_SCOPE_FOLDER },
	{ "$T NO [TOOBIG] no\r\n", FAULT_REFUSED, FAULT_SCOPE_ITEM },
	{ "$T NO [NOPERM] no\r\n", FAULT_REFUSED, FAULT_SCOPE_FOLDER },
	{ "$T NO no\r\n", FAULT_REFUSED, FAULT_SCOPE_ITEM },
	{ "$T BAD what\r\n", FAULT_PROTOCOL, FAULT_SCOPE_ITEM },
};

Test(imap_scripted_refused, refusals_are_what_they_are)
{
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct imap_script_row rows[] = { { .when = "APPEND", .say = refusals[i].answer } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
		struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), refusals[i].answer);
		for (size_t j = 0; j < 2; j++) {
			expect(puts[j].fault, refusals[i].kind, refusals[i].scope,
			       refusals[i].answer);
			cr_assert_not(puts[j].fault->maybe_done);
		}
		lab_end(lab);
	}
}

/* ---- a NO without a reason, of a mailbox that may be full ---- */

#define ALL_CAPS "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND"

static const struct {
	const char *caps, *quota;
	enum fault_kind kind;
} rooms[] = {
	{ ALL_CAPS " QUOTA", "* QUOTA \"\" (STORAGE 512 512)\r\n$T OK done\r\n", FAULT_FULL },
	{ ALL_CAPS " QUOTA", "* QUOTA r (STORAGE 511 512)\r\n$T OK done\r\n", FAULT_FULL },
	{ ALL_CAPS " QUOTA", "* QUOTA r (STORAGE 510 512)\r\n$T OK done\r\n", FAULT_REFUSED },
	{ ALL_CAPS " QUOTA", "* QUOTA r (STORAGE 1 512 MESSAGE 3 3)\r\n$T OK done\r\n", FAULT_FULL },
	{ ALL_CAPS " QUOTA", "* QUOTA r (STORAGE 1 512 MESSAGE 2 3)\r\n$T OK done\r\n",
	  FAULT_REFUSED },
	{ ALL_CAPS " QUOTA", "* QUOTA r (MAILBOX 3 3 STORAGE 1 9)\r\n$T OK done\r\n", FAULT_REFUSED },
	{ ALL_CAPS " QUOTA",
	  "* QUOTA r (STORAGE 1 512)\r\n* QUOTA s (STORAGE 0 0)\r\n$T OK done\r\n", FAULT_FULL },
	{ ALL_CAPS " QUOTA", "* QUOTA r ()\r\n$T OK done\r\n", FAULT_REFUSED },
	{ ALL_CAPS " QUOTA", "* QUOTA (STORAGE 9 9\r\n* QUOTA\r\n$T OK done\r\n", FAULT_REFUSED },
	{ ALL_CAPS " QUOTA", "* QUOTA r (STORAGE 9 x)\r\n$T OK done\r\n", FAULT_REFUSED },
	{ ALL_CAPS " QUOTA", "$T NO not for you\r\n", FAULT_REFUSED },
	{ ALL_CAPS, "* QUOTA r (STORAGE 512 512)\r\n$T OK done\r\n", FAULT_REFUSED },
};

Test(imap_scripted_refused, numbers_and_not_words_say_that_a_mailbox_is_full)
{
	for (size_t i = 0; i < COUNT_OF(rooms); i++) {
		struct imap_script_row rows[] = {
			{ .when = "APPEND", .say = "$T NO Over quota\r\n" },
			{ .when = "GETQUOTAROOT \"" FOLDER "\"", .say = rooms[i].quota },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), rooms[i].caps);
		struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };
		bool full = rooms[i].kind == FAULT_FULL;

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), rooms[i].quota);
		for (size_t j = 0; j < 2; j++)
			expect(puts[j].fault, rooms[i].kind,
			       full ? FAULT_SCOPE_ACCOUNT : FAULT_SCOPE_ITEM, rooms[i].quota);
		cr_assert_eq(heard_times(lab, "APPEND"), full ? 1 : 3, "sent once more: %s",
			     rooms[i].quota);
		lab_end(lab);
	}
}

/* ---- or of a folder where a right is missing ---- */

#define RIGHTS(letters) "* MYRIGHTS \"" FOLDER "\" " letters "\r\n$T OK done\r\n"
#define ROOM "* QUOTA r (STORAGE 1 512)\r\n$T OK done\r\n"
#define NO_ROOM "* QUOTA r (STORAGE 512 512)\r\n$T OK done\r\n"
#define UNSAID "$T NO no\r\n"
#define NOPERM "$T NO [NOPERM] no\r\n"

static const struct {
	const char *caps, *append, *quota, *rights;
	enum fault_kind kind;
	enum fault_scope scope;
	const char *words;         /* of the fault */
	int appends, asked, rooms; /* commands */
} rights_rows[] = {
	{ ALL_CAPS " ACL QUOTA", UNSAID, ROOM, RIGHTS("lrswte"), FAULT_REFUSED, FAULT_SCOPE_FOLDER,
	  FOLDER ": rights are missing: \"i\" (insert); give", 1, 1, 1 },
	{ ALL_CAPS " ACL", UNSAID, ROOM, RIGHTS("lrswte"), FAULT_REFUSED, FAULT_SCOPE_FOLDER,
	  "missing: \"i\" (insert);", 1, 1, 0 },
	{ ALL_CAPS " ACL QUOTA", UNSAID, NO_ROOM, RIGHTS("lr"), FAULT_REFUSED, FAULT_SCOPE_FOLDER,
	  "\"i\" (insert), \"s\" (keep what was read), \"w\" (flag), \"t\" (mark as deleted), "
	  "\"e\"",
	  1, 1, 1 },
	{ ALL_CAPS " ACL QUOTA", UNSAID, NO_ROOM, RIGHTS("lrswite"), FAULT_FULL,
	  FAULT_SCOPE_ACCOUNT, "the mailbox is full", 1, 1, 1 },
	/* it is something else, and each of them is asked about once more */
	{ ALL_CAPS " ACL QUOTA", UNSAID, ROOM, RIGHTS("lri"), FAULT_REFUSED, FAULT_SCOPE_ITEM,
	  "APPEND: no", 3, 2, 2 },
	{ ALL_CAPS " ACL QUOTA", UNSAID, ROOM, "$T NO not for you\r\n", FAULT_REFUSED,
	  FAULT_SCOPE_ITEM, "APPEND: no", 3, 2, 2 },
	{ ALL_CAPS " ACL", UNSAID, ROOM, "$T BAD what\r\n", FAULT_REFUSED, FAULT_SCOPE_ITEM,
	  "APPEND: no", 3, 2, 0 },
	{ ALL_CAPS " ACL", UNSAID, ROOM, "* MYRIGHTS INBOX lr\r\n$T OK done\r\n", FAULT_REFUSED,
	  FAULT_SCOPE_ITEM, "APPEND: no", 3, 2, 0 },
	{ ALL_CAPS " ACL", "$T NO [TOOBIG] no\r\n", ROOM, RIGHTS("lr"), FAULT_REFUSED,
	  FAULT_SCOPE_ITEM, "APPEND: no", 3, 0, 0 },
	/* the server says that it is a right: which one? */
	{ ALL_CAPS " ACL QUOTA", NOPERM, NO_ROOM, RIGHTS("lrswte"), FAULT_REFUSED,
	  FAULT_SCOPE_FOLDER, "missing: \"i\" (insert);", 1, 1, 0 },
	{ ALL_CAPS " ACL QUOTA", NOPERM, NO_ROOM, RIGHTS("lrswite"), FAULT_REFUSED,
	  FAULT_SCOPE_FOLDER, "APPEND: no", 1, 1, 0 },
	/* as without ACL */
	{ ALL_CAPS, UNSAID, ROOM, RIGHTS("lr"), FAULT_REFUSED, FAULT_SCOPE_ITEM, "APPEND: no", 3, 0,
	  0 },
	{ ALL_CAPS, NOPERM, ROOM, RIGHTS("lr"), FAULT_REFUSED, FAULT_SCOPE_FOLDER, "APPEND: no", 1,
	  0, 0 },
};

Test(imap_scripted_refused, rights_and_not_words_say_that_nothing_may_be_stored)
{
	for (size_t i = 0; i < COUNT_OF(rights_rows); i++) {
		struct imap_script_row rows[] = {
			{ .when = "APPEND", .say = rights_rows[i].append },
			{ .when = "GETQUOTAROOT \"" FOLDER "\"", .say = rights_rows[i].quota },
			{ .when = "MYRIGHTS \"" FOLDER "\"", .say = rights_rows[i].rights },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), rights_rows[i].caps);
		struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), rights_rows[i].rights);
		for (size_t j = 0; j < 2; j++) {
			expect(puts[j].fault, rights_rows[i].kind, rights_rows[i].scope,
			       rights_rows[i].rights);
			cr_assert_not_null(strstr(puts[j].fault->text, rights_rows[i].words),
					   "%zu: %s", i, puts[j].fault->text);
			cr_assert_not(puts[j].fault->maybe_done);
		}
		cr_assert_eq((int)heard_times(lab, "APPEND"), rights_rows[i].appends, "%zu", i);
		cr_assert_eq((int)heard_times(lab, "MYRIGHTS"), rights_rows[i].asked, "%zu", i);
		cr_assert_eq((int)heard_times(lab, "GETQUOTAROOT"), rights_rows[i].rooms, "%zu", i);
		lab_end(lab);
	}
}

/* Of two that were asked about together, the one that was said to be a matter of rights is none of room. */
Test(imap_scripted_refused, room_is_not_the_affair_of_what_lacks_a_right)
{
	static const struct imap_script_row rows[] = {
		{ .when = "APPEND \"" FOLDER "\" {21+}", .say = NOPERM },
		{ .when = "APPEND \"" FOLDER "\" {22+}", .say = UNSAID },
		{ .when = "GETQUOTAROOT", .say = NO_ROOM },
		{ .when = "MYRIGHTS", .say = RIGHTS("lrswite") },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), "IMAP4rev1 UIDPLUS LITERAL+ ACL QUOTA");
	struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "bb") };

	fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), "put");
	expect(puts[0].fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, "by right");
	expect(puts[1].fault, FAULT_FULL, FAULT_SCOPE_ACCOUNT, "unsaid");
	cr_assert_eq(heard_times(lab, "GETQUOTAROOT"), 1);
	cr_assert_eq(heard_times(lab, "MYRIGHTS"), 1);
	lab_end(lab);
}

/* What a broken connection does not tell is no reason to hold an item. */
Test(imap_scripted_refused, a_lost_answer_about_room_is_no_refusal)
{
	static const char *const asked[] = { "GETQUOTAROOT", "MYRIGHTS" };

	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		const struct imap_script_row rows[] = {
			{ .when = "APPEND", .say = "$T NO Over quota\r\n" },
			{ .when = asked[i], .say = "* BYE\r\n", .then = IMAP_SCRIPT_CLOSE },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), ALL_CAPS " QUOTA ACL");
		struct endpoint_put one = text_of(lab, "a");

		fine(endpoint_put(lab->endpoint, lab, FOLDER, &one, 1), "put");
		cr_assert_not_null(one.fault);
		cr_assert_eq(one.fault->next, FAULT_NEXT_RETRY, "%s", one.fault->text);
		cr_assert_not(one.fault->maybe_done);
		lab_end(lab);
	}
}

Test(imap_scripted_refused, a_letter_finds_no_room_either)
{
	static const struct imap_script_row rows[] = {
		{ .when = "APPEND", .say = "$T NO Over quota\r\n" },
		{ .when = "GETQUOTAROOT \"INBOX\"", .say = "* QUOTA r (STORAGE 9 9)\r\n$T OK\r\n" },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), ALL_CAPS " QUOTA");

	expect(lab->endpoint->ops->tell(lab->endpoint, lab, "a@x", "a\r\n", 3, false), FAULT_FULL,
	       FAULT_SCOPE_ACCOUNT, "letter");
	lab_end(lab);
}

/* The first message, by which the batch is known as well, is not wanted; the other two are. */
static const struct imap_script_row picky_rows[] = {
	{ .when = "APPEND \"" FOLDER "\" {21+}", .say = "$T NO not that one\r\n" },
	{ .when = "APPEND \"" FOLDER "\" {22+}", .say = "$T OK [APPENDUID 77 10] done\r\n" },
	{ .when = "APPEND \"" FOLDER "\" {23+}", .say = "$T OK [APPENDUID 77 11] done\r\n" },
};

Test(imap_scripted_refused, a_refused_batch_goes_again_one_by_one)
{
	struct lab *lab = lab_new(picky_rows, COUNT_OF(picky_rows), NULL);
	struct endpoint_put puts[3] = { text_of(lab, "a"), text_of(lab, "bb"),
					text_of(lab, "ccc") };

	cr_assert_eq(puts[0].len, 21);
	fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 3), "put");
	expect(puts[0].fault, FAULT_REFUSED, FAULT_SCOPE_ITEM, "the first");
	fine(puts[1].fault, "the second");
	cr_assert_str_eq(puts[1].placed, "0000000077.0000000010");
	fine(puts[2].fault, "the third");
	cr_assert_str_eq(puts[2].placed, "0000000077.0000000011");
	cr_assert_eq(heard_times(lab, "APPEND "), 4);
	lab_end(lab);
}

/* ---- rights (RFC 4314, RFC 2086) ---- */

static const struct {
	const char *answer, *missing; /* NULL: it may */
} own_rights[] = {
	{ "* MYRIGHTS \"" FOLDER "\" lrswipkxtea\r\n$T OK done\r\n", NULL },
	{ "* MYRIGHTS " FOLDER " \"lrswite\"\r\n$T OK done\r\n", NULL },
	{ "* MYRIGHTS {7}\r\n" FOLDER " lrswipcda\r\n$T OK done\r\n", NULL }, /* of old */
	{ "* MYRIGHTS " FOLDER " lrswipc\r\n$T OK done\r\n", "\"t\" (mark as deleted), \"e\"" },
	{ "* MYRIGHTS " FOLDER " lrswidt\r\n$T OK done\r\n", "missing: \"e\" (expunge);" },
	{ "* MYRIGHTS " FOLDER " lrswidx\r\n$T OK done\r\n", "\"t\" (mark as deleted), \"e\"" },
	{ "* MYRIGHTS " FOLDER " lrwde\r\n$T OK done\r\n", "missing: \"i\" (insert), \"s\"" },
	{ "* MYRIGHTS " FOLDER " \"\"\r\n$T OK done\r\n", "missing: \"i\" (insert), \"s\"" },
	{ "$T NO not for you\r\n", NULL },
	{ "$T BAD what\r\n", NULL },
	{ "$T OK done\r\n", NULL },
	{ "* MYRIGHTS\r\n* MYRIGHTS " FOLDER "\r\n$T OK done\r\n", NULL },
	{ "* MYRIGHTS (" FOLDER ") lr\r\n* MYRIGHTS " FOLDER " (lr)\r\n$T OK done\r\n", NULL },
	{ "* MYRIGHTS INBOX lr\r\n$T OK done\r\n", NULL },
};

Test(imap_scripted_refused, missing_rights_are_told_before_anything_is_stored)
{
	for (size_t i = 0; i < 2 * COUNT_OF(own_rights); i++) {
		const char *answer = own_rights[i / 2].answer, *missing = own_rights[i / 2].missing;
		struct imap_script_row rows[] = {
			{ .when = "UID FETCH", .say = ALL_THREE "$T OK done\r\n" },
			{ .when = "MYRIGHTS \"" FOLDER "\"", .say = answer },
		};
		bool has = i % 2 == 0;
		struct lab *lab = lab_new(rows, COUNT_OF(rows), has ? ALL_CAPS " ACL" : ALL_CAPS);
		struct endpoint_put puts[2] = { text_of(lab, "a"), text_of(lab, "b") };
		struct fault *fault;

		fine(endpoint_put(lab->endpoint, lab, FOLDER, puts, 2), "new ones");
		cr_assert_eq(heard_times(lab, "MYRIGHTS"), 0, "asked before a publish");
		puts[0].address = puts[0].if_version = SEVEN;
		fault = endpoint_put(lab->endpoint, lab, FOLDER, puts, 1);
		if (!has || !missing)
			fine(fault ? fault : puts[0].fault, answer);
		else
			expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, answer);
		if (fault)
			cr_assert_not_null(strstr(fault->text, missing), "%s: %s", answer,
					   fault->text);
		cr_assert_eq(heard_times(lab, "MYRIGHTS"), has);
		cr_assert_eq(heard_times(lab, "APPEND"), fault ? 1 : 2, "%s", answer);
		lab_end(lab);
	}
}

/* Where it is not there any more, the rights of the folder are known by the look at the old one, or are
 * asked for; and one that was made again is another. */
Test(imap_scripted_refused, rights_of_a_folder_without_its_mailbox_for_done_tasks)
{
	static const struct {
		const char *rights;
		bool can;
		size_t asked; /* about the folder, by two puts */
	} rows[] = {
		{ RIGHTS("lrswite"), true, 1 },
		{ RIGHTS("lrsite"), false, 3 }, /* the look knows what it needs from then on */
		{ "$T NO not for you\r\n", true, 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct imap_script_row script[] = {
			{ .when = "SELECT \"" FOLDER ".Done\"",
			  .say = "$T NO [NONEXISTENT] gone\r\n" },
			{ .when = "UID FETCH", .say = ALL_THREE "$T OK done\r\n" },
			{ .when = "MYRIGHTS \"" FOLDER "\"", .say = rows[i].rights },
			{ .when = "MYRIGHTS \"" FOLDER ".Done\"", .say = "$T NO no such\r\n" },
		};
		struct lab *lab =
			lab_new_done(script, COUNT_OF(script), ALL_CAPS " ACL NAMESPACE", "Done");
		struct fault *fault;

		for (size_t j = 0; j < 2; j++) {
			struct endpoint_put one = text_of(lab, "a");

			one.address = one.if_version = SEVEN;
			one.marks_add = "/Done";
			fine(endpoint_put(lab->endpoint, lab, FOLDER, &one, 1), rows[i].rights);
			fault = one.fault;
			if (rows[i].can)
				fine(fault, rows[i].rights);
			else
				expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, rows[i].rights);
		}
		cr_assert_eq(heard_times(lab, "MYRIGHTS \"" FOLDER "\""), rows[i].asked, "%zu: %zu",
			     i, heard_times(lab, "MYRIGHTS \"" FOLDER "\""));
		cr_assert_eq(heard_times(lab, "MYRIGHTS \"" FOLDER ".Done\""), 2, "%zu", i);
		cr_assert_eq(heard_times(lab, "APPEND"), rows[i].can ? 2 : 0, "%zu", i);
		lab_end(lab);
	}
}
