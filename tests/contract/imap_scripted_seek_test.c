#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "imap_scripted.h"

/* A folder that is looked for by the items that stood in it. */

#define CAPS "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ NAMESPACE UIDPLUS"
#define FIRST_SEARCH(uids)                                                                         \
	{                                                                                          \
		.when = "UID SEARCH UNDELETED OR HEADER X-Taskferry-UID i-1 OR ",                  \
		.say = "* SEARCH" uids "\r\n$T OK done\r\n", .times = 1                            \
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
	.folder = FOLDER, .known = known, .known_count = COUNT_OF(known), .items = 3
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

static const struct imap_script_row mailboxes[] = {
	{ .when = "LIST \"\" \"*\"",
	  .say = "* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.Archive\r\n"
		 "* LIST (\\Noselect) \".\" INBOX.top\r\n* LIST () \".\" INBOX.Few\r\n"
		 "* LIST () \".\" INBOX.Huge\r\n* LIST () \".\" INBOX.Mine\r\n"
		 "* LIST () \".\" INBOX.Trash\r\n* LIST () \".\" INBOX.trash.Mine\r\n"
		 "* LIST () \".\" \"INBOX.Deleted Items.Mine\"\r\n"
		 "* LIST (\\Trash) \".\" INBOX.Kosh\r\n* LIST () \".\" INBOX.Kosh.Mine\r\n"
		 "* LIST () \".\" INBOX.Koshka\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Archive\"",
	  .say = "* STATUS INBOX.Archive (UIDVALIDITY 5 MESSAGES 9)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Few\"",
	  .say = "* STATUS INBOX.Few (UIDVALIDITY 77 MESSAGES 1)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Huge\"",
	  .say = "* STATUS INBOX.Huge (UIDVALIDITY 77 MESSAGES 10007)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Mine\"",
	  .say = "* STATUS INBOX.Mine (UIDVALIDITY 77 MESSAGES 3)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.trash.Mine\"",
	  .say = "* STATUS INBOX.trash.Mine (UIDVALIDITY 77 MESSAGES 3)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Deleted Items.Mine\"",
	  .say = "* STATUS \"INBOX.Deleted Items.Mine\" (UIDVALIDITY 77 MESSAGES 3)\r\n"
		 "$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Kosh.Mine\"",
	  .say = "* STATUS INBOX.Kosh.Mine (UIDVALIDITY 77 MESSAGES 3)\r\n$T OK done\r\n" },
	{ .when = "STATUS \"INBOX.Koshka\"", .say = "$T NO [NOPERM] no\r\n" },
	{ .when = "STATUS", .say = "* STATUS INBOX (UIDVALIDITY 6 MESSAGES 9)\r\n$T OK done\r\n" },
};

#define ROWS_MAX 16

static struct lab *lab_of(const struct imap_script_row *rows, size_t count)
{
	static struct imap_script_row all[ROWS_MAX];

	cr_assert_leq(count + COUNT_OF(mailboxes), ROWS_MAX);
	memcpy(all, mailboxes, sizeof mailboxes);
	memcpy(all + COUNT_OF(mailboxes), rows, count * sizeof *rows);
	return lab_new(all, count + COUNT_OF(mailboxes), CAPS);
}

/* What cannot be it is not looked into, the likeliest comes first, and what stands there is not touched. */
Test(imap_scripted_seek, it_is_where_most_of_its_items_are)
{
	static const struct imap_script_row rows[] = {
		FIRST_SEARCH(" 4 5 6"),
		EXAMINE_OK,
		OVER,
		{ .when = "UID SEARCH UID 4:6 HEADER X-Taskferry-UID i-2", .say = NOT_FOUND },
		{ .when = "UID SEARCH UID 4:6 HEADER", .say = FOUND },
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_str_eq(locate(lab), "INBOX.Mine");
	cr_assert(heard(lab, "EXAMINE \"INBOX.Mine\"\r\n"));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 1, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	cr_assert_not(heard(lab, "SELECT "));
	cr_assert_not(heard(lab, "client"));
	lab_end(lab);
}

/* ... however many of one of them, and with the others marked as deleted. */
Test(imap_scripted_seek, copies_of_some_do_not_make_it)
{
	static const struct imap_script_row rows[] = {
		FIRST_SEARCH(" 4 5 6"),
		FIRST_SEARCH(""),
		EXAMINE_OK,
		OVER,
		{ .when = "UID SEARCH UID 4:6 HEADER X-Taskferry-UID i-2", .say = FOUND },
		{ .when = "UID SEARCH UID 4:6 HEADER", .say = NOT_FOUND },
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_null(locate(lab));
	cr_assert(heard(lab, "EXAMINE \"INBOX.Archive\"\r\n"));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 2, "%s",
		     imap_server_heard(lab->server, lab, NULL));
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
	lab_end(lab);
}

/* CLOSE of a mailbox that was selected would expunge what a person has marked there. */
Test(imap_scripted_seek, what_was_not_opened_for_it_is_not_closed)
{
	static const struct imap_script_row shut[] = {
		{ .when = "EXAMINE", .say = "$T NO [NOPERM] no\r\n" },
	};
	static const struct imap_script_row alone[] = {
		{ .when = "LIST \"\" \"*\"", .say = "* LIST () \".\" INBOX\r\n$T OK done\r\n" },
	};
	struct lab *labs[] = { lab_of(shut, COUNT_OF(shut)),
			       lab_new(alone, COUNT_OF(alone), CAPS) };

	for (size_t i = 0; i < COUNT_OF(labs); i++) {
		select_it(labs[i], FOLDER);
		cr_assert_null(locate(labs[i]));
		cr_assert_eq(heard(labs[i], "EXAMINE"), i == 0);
		cr_assert_not(heard(labs[i], "CLOSE"));
		lab_end(labs[i]);
	}
}

/* A SEARCH that is refused says nothing. */
Test(imap_scripted_seek, a_mailbox_that_cannot_be_searched_is_passed_over)
{
	static const struct imap_script_row rows[] = {
		{ .when = "UID SEARCH UNDELETED", .say = "$T NO no\r\n", .times = 1 },
		{ .when = "UID SEARCH UNDELETED", .say = "* SEARCH 4:6\r\n$T OK\r\n", .times = 1 },
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_of(rows, COUNT_OF(rows));

	cr_assert_null(locate(lab));
	cr_assert_eq(heard_times(lab, "EXAMINE"), 2);
	cr_assert_eq(heard_times(lab, "CLOSE\r\n"), 1);
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
		EXAMINE_OK,
		OVER,
	};
	struct lab *lab = lab_new_done(rows, COUNT_OF(rows), CAPS, "Done");

	cr_assert_str_eq(locate(lab), "INBOX.Mine");
	select_it(lab, "INBOX.Mine");
	lab_end(lab);
}
