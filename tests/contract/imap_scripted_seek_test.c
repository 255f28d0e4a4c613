#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "imap_scripted.h"

/* A folder that is looked for by the items that stood in it. */

#define CAPS "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ NAMESPACE UIDPLUS"
/* Nothing of it is where it was. */
#define NOT_THERE                                                                                  \
	{                                                                                          \
		.when = "EXAMINE \"INBOX.p\"", .say = "$T NO [NONEXISTENT] no\r\n"                 \
	}
#define FIRST_SEARCH(uids)                                                                         \
	{                                                                                          \
		.when = "UID SEARCH UNDELETED OR HEADER X-Taskferry-UID i-1 OR ",                  \
		.say = "* SEARCH" uids "\r\n$T OK done\r\n", .times = 1                            \
	}
/* All that have our header, of whatever folder. */
#define ALL_ITEMS(uids)                                                                            \
	{                                                                                          \
		.when = "UID SEARCH HEADER X-Taskferry-UID \"\"",                                  \
		.say = "* SEARCH" uids "\r\n$T OK done\r\n"                                        \
	}
#define EXAMINE_OK                                                                                 \
	{                                                                                          \
		.when = "EXAMINE", .say = "* 9 EXISTS\r\n$T OK [READ-ONLY] done\r\n"               \
	}
#define OVER                                                                                       \
	{                                                                                          \
		.when = "CLOSE", .say = "$T OK done\r\n"                                           \
	}
#define FOUND "* SEARCH 1\r\n$T OK done\r\n"
#define NOT_FOUND "* SEARCH\r\n$T OK done\r\n"

/* Three items, of the mailbox 77. */
static const struct endpoint_known known[] = {
	{ "i-1", "0000000077.0000000001" },
	{ "i-2", "0000000077.0000000002" },
	{ "i-3", "0000000077.0000000003" },
	{ "of \"a client\"", NULL }, /* not asked for */
};
static const struct endpoint_trace trace = {
	.folder = FOLDER,
	.known = known,
	.known_count = COUNT_OF(known),
	.items = 3,
	.others = (const char *const[]){ "INBOX.Other" },
	.other_count = 1,
};

static char *locate(struct lab *lab)
{
	char *address = NULL;

	fine(endpoint_locate(lab->endpoint, lab, &trace, &address), "locate");
	return address;
}

/* What it lists then is of no interest here. */
static void select_it(struct lab *lab, const char *mailbox)
{
	struct endpoint_notice *notice = NULL;

	talloc_free(endpoint_notice(lab->endpoint, lab, mailbox, NULL, &notice));
	cr_assert(heard(lab, mem_printf(lab, "SELECT \"%s", mailbox)));
}

#define MAILBOX(name, number, messages)                                                            \
	{                                                                                          \
		.when = "STATUS \"" name "\"", .say = "* STATUS \"" name "\" (UIDVALIDITY " number \
						      " MESSAGES " messages ")\r\n"                \
						      "$T OK done\r\n"                             \
	}

/* With three items a mailbox has two other messages at most. */
static const struct imap_script_row mailboxes[] = {
	{ .when = "LIST \"\" \"*\"",
	  .say = "* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Own\r\n"
		 "* LIST (\\Noselect) \".\" INBOX.top\r\n* LIST () \".\" INBOX.Few\r\n"
		 "* LIST (\\Archive) \".\" INBOX.Archive\r\n* LIST () \".\" INBOX.Other\r\n"
		 "* LIST () \".\" INBOX.Spare\r\n* LIST () \".\" INBOX.Mine\r\n"
		 "* LIST () \".\" INBOX.Trash\r\n* LIST () \".\" INBOX.trash.Mine\r\n"
		 "* LIST () \".\" \"INBOX.Elementos eliminados.Mine\"\r\n"
		 "* LIST (\\Trash) \".\" INBOX.Kosh\r\n* LIST () \".\" INBOX.Kosh.Mine\r\n"
		 "* LIST () \".\" INBOX.Koshka\r\n$T OK done\r\n" },
	MAILBOX("INBOX.Own", "5", "6"),
	MAILBOX("INBOX.Few", "9", "1"),
	MAILBOX("INBOX.Archive", "6", "3"),
	MAILBOX("INBOX.Other", "8", "3"),
	MAILBOX("INBOX.Spare", "7", "5"),
	MAILBOX("INBOX.Mine", "77", "20000"),
	MAILBOX("INBOX.trash.Mine", "77", "3"),
	MAILBOX("INBOX.Elementos eliminados.Mine", "77", "3"),
	MAILBOX("INBOX.Kosh.Mine", "77", "3"),
	{ .when = "STATUS \"INBOX.Koshka\"", .say = "$T NO [NOPERM] no\r\n" },
	{ .when = "STATUS", .say = "* STATUS INBOX (UIDVALIDITY 4 MESSAGES 3)\r\n$T OK done\r\n" },
	NOT_THERE,
};

#define AT_THEIR_UIDS                                                                              \
	"UID SEARCH UNDELETED UID 1:3 OR OR (UID 1 HEADER X-Taskferry-UID i-1) "                   \
	"(UID 2 HEADER X-Taskferry-UID i-2) (UID 3 HEADER X-Taskferry-UID i-3)"

#define ROWS_MAX 26

static struct lab *lab_of(const struct imap_script_row *rows, size_t count)
{
	static struct imap_script_row all[ROWS_MAX];

	cr_assert_leq(count + COUNT_OF(mailboxes), ROWS_MAX);
	memcpy(all, rows, count * sizeof *rows);
	memcpy(all + count, mailboxes, sizeof mailboxes);
	return lab_new(all, count + COUNT_OF(mailboxes), CAPS);
}

/* Whatever else is in it by now, it is the one in which they stand at their very UIDs under the old
 * UIDVALIDITY; and what stands there is not touched. */
Test(imap_scripted_seek, it_is_where_its_items_have_their_numbers)
{
	static const struct imap_script_row rows[] = {
		{ .when = AT_THEIR_UIDS, .say = "* SEARCH 1 3\r\n$T OK done\r\n" },
		{ .when = "EXAMINE \"INBOX.Mine\"", .say = "$T OK [READ-ONLY] done\r\n" },
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_str_eq(locate(lab), "INBOX.Mine");
	cr_assert_eq(heard_times(lab, "EXAMINE"), 2, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	cr_assert_not(heard(lab, "SELECT "));
	cr_assert_not(heard(lab, "client"));
	lab_end(lab);
}

/* Else only one that holds little besides, has no use of its own, and is not another folder's. */
Test(imap_scripted_seek, by_content_it_is_where_hardly_anything_else_is)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID SEARCH UNDELETED UID", .say = "* SEARCH 2\r\n$T OK done\r\n" },
		FIRST_SEARCH(" 4 5 6"),
		{ .when = "EXAMINE \"INBOX.Mine\"", .say = "$T OK [READ-ONLY] done\r\n" },
		{ .when = "EXAMINE \"INBOX.Spare\"", .say = "$T OK [READ-ONLY] done\r\n" },
		OVER,
		{ .when = "UID SEARCH UID 4:6 HEADER X-Taskferry-UID i-2", .say = NOT_FOUND },
		{ .when = "UID SEARCH UID 4:6 HEADER", .say = FOUND },
		ALL_ITEMS(" 4 5 6"),
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_str_eq(locate(lab), "INBOX.Spare");
	cr_assert_eq(heard_times(lab, "EXAMINE"), 4, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	lab_end(lab);
}

/* Most of the items were moved to what somebody has there: as many messages as would be right. */
Test(imap_scripted_seek, other_mail_is_counted)
{
	static const char *const ours[] = { " 4 5", "" };

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		const struct imap_script_row rows[] = {
			{ .when = "UID SEARCH UNDELETED UID", .say = NOT_FOUND },
			FIRST_SEARCH(" 4 5"),
			NOT_THERE,
			EXAMINE_OK,
			OVER,
			{ .when = "UID SEARCH UID 4:5 HEADER X-Taskferry-UID i-3", .say = NOT_FOUND },
			{ .when = "UID SEARCH UID 4:5 HEADER", .say = FOUND },
			{ .when = "UID SEARCH HEADER X-Taskferry-UID",
			  .say = *ours[i] ? mem_printf(mem, "* SEARCH%s\r\n$T OK done\r\n", ours[i])
					  : "$T NO no\r\n" },
		};
		struct lab *lab = lab_of(rows, COUNT_OF(rows));

		cr_assert_null(locate(lab));
		cr_assert_eq(heard_times(lab, "EXAMINE"), 4, "%s",
			     imap_server_heard(lab->server, lab, NULL));
		lab_end(lab);
		talloc_free(mem);
	}
}

/* What is below the folder for done tasks may stay where that is deleted, and is not the folder. */
Test(imap_scripted_seek, its_own_done_items_are_not_the_folder)
{
	static const struct imap_script_row rows[] = {
		{ .when = "LIST \"\" \"*\"",
		  .say = "* LIST (\\Noselect) \".\" INBOX.p\r\n* LIST () \".\" INBOX.p.Done\r\n"
			 "$T OK done\r\n" },
		{ .when = "STATUS",
		  .say = "* STATUS INBOX.p.Done (UIDVALIDITY 8 MESSAGES 3)\r\n$T OK done\r\n" },
		{ .when = "UID SEARCH", .say = "* SEARCH 1 2 3\r\n$T OK done\r\n" },
		NOT_THERE,
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_new_done(rows, COUNT_OF(rows), CAPS, "Done");

	cr_assert_null(locate(lab));
	lab_end(lab);
}

/* However many items of the folder are copied into what a person has besides, that is not it: own mail, the
 * archive, another folder, INBOX, and what has the old UIDVALIDITY by chance. */
Test(imap_scripted_seek, a_persons_own_mailbox_is_never_taken)
{
	static const struct imap_script_row rows[] = {
		MAILBOX("INBOX.Spare", "77", "6"),
		{ .when = "UID SEARCH", .say = "* SEARCH 1 2 3\r\n$T OK done\r\n" },
		NOT_THERE,
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_null(locate(lab));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 1, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	lab_end(lab);
}

/* The fewer items, the less else: of one item no copy among other mail. */
Test(imap_scripted_seek, other_mail_is_never_more_than_items)
{
	static const struct imap_script_row rows[] = {
		MAILBOX("INBOX.Few", "9", "2"),
		MAILBOX("INBOX.Mine", "5", "2"),
		{ .when = "UID SEARCH", .say = FOUND },
		NOT_THERE,
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));
	struct endpoint_trace one = trace;
	char *address = NULL;

	one.known_count = one.items = 1;
	fine(endpoint_locate(lab->endpoint, lab, &one, &address), "locate");
	cr_assert_null(address);
	cr_assert_eq(heard_times(lab, "EXAMINE"), 1);
	lab_end(lab);
}

/* Whatever is elsewhere: nobody is asked for the others then. */
Test(imap_scripted_seek, it_stays_as_long_as_one_item_is_there)
{
	static const struct imap_script_row rows[] = {
		FIRST_SEARCH(" 9"),
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_str_eq(locate(lab), FOLDER);
	cr_assert_not(heard(lab, "LIST \"\" \"*\""));
	cr_assert_not(heard(lab, "STATUS"));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 1);
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	lab_end(lab);
}

/* ... however many of one of them, and with the others marked as deleted. */
Test(imap_scripted_seek, copies_of_some_do_not_make_it)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID SEARCH UNDELETED UID", .say = NOT_FOUND },
		FIRST_SEARCH(" 4 5 6"),
		NOT_THERE,
		EXAMINE_OK,
		OVER,
		{ .when = "UID SEARCH UID 4:6 HEADER X-Taskferry-UID i-2", .say = FOUND },
		{ .when = "UID SEARCH UID 4:6 HEADER", .say = NOT_FOUND },
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_null(locate(lab));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 3, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	lab_end(lab);
}

/* A project may be called like a trash; at the top, such a name is the trash. */
Test(imap_scripted_seek, a_project_may_be_called_trash)
{
	static const struct {
		const char *folder, *listed, *expected;
	} cases[] = {
		{ "INBOX.site.Trash", "INBOX.Mine.Trash", "INBOX.Mine.Trash" },
		{ "INBOX.site.Trash", "INBOX.Trash", NULL },
		{ "INBOX.site.Trash", "INBOX.Trash.Lab", NULL },
		{ "INBOX.site.Lab", "INBOX.Mine.Trash", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		const char *gone = mem_printf(mem, "EXAMINE \"%s\"", cases[i].folder);
		const char *list =
			mem_printf(mem, "* LIST () \".\" %s\r\n$T OK done\r\n", cases[i].listed);
		const char *status =
			mem_printf(mem, "* STATUS %s (UIDVALIDITY 77 MESSAGES 3)\r\n$T OK\r\n",
				   cases[i].listed);
		const struct imap_script_row rows[] = {
			{ .when = "LIST \"\" \"*\"", .say = list },
			{ .when = "STATUS", .say = status },
			{ .when = gone, .say = "$T NO no\r\n" },
			{ .when = AT_THEIR_UIDS, .say = "* SEARCH 1 2 3\r\n$T OK done\r\n" },
			EXAMINE_OK,
			OVER,
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), CAPS);
		struct endpoint_trace of = trace;
		char *address = NULL;

		of.folder = cases[i].folder;
		fine(endpoint_locate(lab->endpoint, lab, &of, &address), "locate");
		cr_assert(text_same(address, cases[i].expected), "%zu: %s", i,
			  address ? address : "none");
		lab_end(lab);
		talloc_free(mem);
	}
}

/* CLOSE of a mailbox that was selected would expunge what a person has marked there. */
Test(imap_scripted_seek, what_was_not_opened_for_it_is_not_closed)
{
	static const struct imap_script_row shut[] = {
		{ .when = "EXAMINE", .say = "$T NO [NOPERM] no\r\n" },
	};
	static const struct imap_script_row alone[] = {
		{ .when = "LIST \"\" \"*\"", .say = "* LIST () \".\" INBOX\r\n$T OK done\r\n" },
		NOT_THERE,
	};
	struct lab *labs[] = { lab_of(shut, COUNT_OF(shut)),
			       lab_new(alone, COUNT_OF(alone), CAPS) };

	for (size_t i = 0; i < COUNT_OF(labs); i++) {
		select_it(labs[i], FOLDER);
		cr_assert_null(locate(labs[i]));
		cr_assert(heard(labs[i], "EXAMINE"));
		cr_assert_not(heard(labs[i], "CLOSE"));
		lab_end(labs[i]);
	}
}

/* A SEARCH that is refused says nothing. */
Test(imap_scripted_seek, a_mailbox_that_cannot_be_searched_is_passed_over)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID SEARCH", .say = "$T NO no\r\n" },
		NOT_THERE,
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_null(locate(lab));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 3);
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	lab_end(lab);
}

/* ... but where it was, it is left. */
Test(imap_scripted_seek, it_stays_where_it_cannot_be_searched)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID SEARCH", .say = "$T NO [LIMIT] no\r\n", .times = 1 },
		{ .when = "UID SEARCH", .say = "* SEARCH 1 2 3\r\n$T OK done\r\n" },
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_str_eq(locate(lab), FOLDER);
	cr_assert_eq(heard_times(lab, "EXAMINE"), 1);
	lab_end(lab);
}

/* What is done stands below, and is not a folder by itself; after the search it is selected as ever. */
Test(imap_scripted_seek, done_items_count_for_the_folder_above)
{
	static const struct imap_script_row rows[] = {
		{ .when = "LIST \"\" \"*\"",
		  .say = "* LIST () \".\" INBOX.Mine\r\n* LIST () \".\" INBOX.Mine.Done\r\n"
			 "$T OK done\r\n" },
		{ .when = "STATUS \"INBOX.Mine\"",
		  .say = "* STATUS INBOX.Mine (UIDVALIDITY 8 MESSAGES 1)\r\n$T OK done\r\n" },
		{ .when = "STATUS \"INBOX.Mine.Done\"",
		  .say = "* STATUS INBOX.Mine.Done (UIDVALIDITY 77 MESSAGES 2)\r\n$T OK done\r\n" },
		FIRST_SEARCH(" 1"),
		FIRST_SEARCH(" 2"),
		{ .when = "UID SEARCH UID 1 HEADER X-Taskferry-UID i-1", .say = FOUND },
		{ .when = "UID SEARCH UID 2 HEADER X-Taskferry-UID i-3", .say = FOUND },
		{ .when = "UID SEARCH UID", .say = NOT_FOUND },
		ALL_ITEMS(" 1 2"),
		NOT_THERE,
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_new_done(rows, COUNT_OF(rows), CAPS, "Done");

	cr_assert_str_eq(locate(lab), "INBOX.Mine");
	select_it(lab, "INBOX.Mine");
	lab_end(lab);
}
