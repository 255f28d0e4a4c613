#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "gateway/imap/imap_session.h"
#include "imap_scripted.h"

/* The same, of folders: made, renamed, gone. */

/* ---- folders ---- */

static const struct imap_script_row strict_rows[] = {
	{ .when = "LIST \"\" \"INBOX", .say = "$T OK done\r\n" },
	{ .when = "CREATE \"INBOX.site.project\"", .say = "$T NO no such parent\r\n" },
	{ .when = "SUBSCRIBE \"INBOX.site\"", .say = "$T NO no\r\n" },
};

/* A server that makes no parents, and then still refuses: its answer is the fault. */
Test(imap_scripted_folders, a_parent_is_made_where_it_is_needed)
{
	struct lab *lab = lab_new(strict_rows, COUNT_OF(strict_rows), NULL);
	struct endpoint_folder folder = { .top = "site", .sub = "project" };
	char *address = NULL;
	bool created = false;

	expect(endpoint_ensure(lab->endpoint, lab, &folder, NULL, &address, &created),
	       FAULT_REFUSED, FAULT_SCOPE_FOLDER, "ensure");
	cr_assert_eq(heard_times(lab, "CREATE \"INBOX.site.project\"\r\n"), 2);
	cr_assert(heard(lab, "CREATE \"INBOX.site\"\r\n"));
	cr_assert_null(address);
	lab_end(lab);
}

Test(imap_scripted_folders, a_refused_subscription_of_the_parent_is_no_fault)
{
	struct lab *lab = lab_new(strict_rows, COUNT_OF(strict_rows), NULL);
	struct endpoint_folder folder = { .top = "site", .sub = "another" };
	char *address = NULL;
	bool created = false;

	for (int i = 0; i < 2; i++) {
		fine(endpoint_ensure(lab->endpoint, lab, &folder, NULL, &address, &created),
		     "ensure");
		cr_assert(created);
		cr_assert_str_eq(address, "INBOX.site.another");
	}
	cr_assert_eq(heard_times(lab, "SUBSCRIBE \"INBOX.site\"\r\n"), 1, "asked for twice");
	lab_end(lab);
}

static const struct imap_script_row taken_rows[] = {
	{ .when = "LIST \"\" \"INBOX.site.project",
	  .say = "* LIST (\\HasChildren \\Noselect) \".\" INBOX.site.project\r\n$T OK done\r\n" },
	{ .when = "LIST \"\" \"INBOX", .say = "$T OK done\r\n" },
	{ .when = "CREATE", .say = "$T NO [ALREADYEXISTS] it is there\r\n" },
};

Test(imap_scripted_folders, a_name_that_cannot_hold_messages_needs_a_person)
{
	struct lab *lab = lab_new(taken_rows, COUNT_OF(taken_rows), NULL);
	struct endpoint_folder folder = { .top = "site", .sub = "project" };
	char *address = NULL;
	bool created = false;
	struct fault *fault =
		endpoint_ensure(lab->endpoint, lab, &folder, NULL, &address, &created);

	expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, "ensure");
	cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	cr_assert_not_null(strstr(fault->text, "cannot hold messages"), "%s", fault->text);
	lab_end(lab);
}

static const struct imap_script_row stubborn_rows[] = {
	{ .when = "LIST \"\" \"INBOX.site.old",
	  .say = "* LIST () \".\" INBOX.site.old\r\n$T OK done\r\n" },
	{ .when = "LIST \"\" \"INBOX", .say = "$T OK done\r\n" },
	{ .when = "RENAME", .say = "$T NO no\r\n" },
};

/* A server that does not rename: the items stay where they are, and it is asked once only. */
Test(imap_scripted_folders, a_folder_that_cannot_be_renamed_stays)
{
	struct lab *lab = lab_new(stubborn_rows, COUNT_OF(stubborn_rows), NULL);
	struct endpoint_folder folder = { .top = "site", .sub = "fresh" };
	char *address = NULL;
	bool created = true;

	for (int i = 0; i < 3; i++) {
		fine(endpoint_ensure(lab->endpoint, lab, &folder, "INBOX.site.old", &address,
				     &created),
		     "ensure");
		cr_assert_str_eq(address, "INBOX.site.old");
		cr_assert_not(created);
	}
	cr_assert_eq(heard_times(lab, "RENAME \"INBOX.site.old\" \"INBOX.site.fresh\"\r\n"), 2,
		     "once before the parent was made, once after:\n%s",
		     imap_server_heard(lab->server, lab, NULL));
	cr_assert_not(heard(lab, "CREATE \"INBOX.site.fresh\""));
	lab_end(lab);
}

/* ---- a mailbox under another name ---- */

#define OBJECTID_CAPS "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ NAMESPACE OBJECTID"
#define WITH_ID(id)                                                                                \
	"* 0 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" UIDNEXT "* OK [MAILBOXID (" id ")] ok\r\n"    \
	"$T OK done\r\n"

Test(imap_scripted_folders, identities_are_told_as_far_as_they_can_be)
{
	static const struct {
		const char *said, *expected;
	} cases[] = {
		{ WITH_ID("F2212ea87-6097_x"), "F2212ea87-6097_x" },
		{ WITH_ID("F2.1"), NULL },
		{ WITH_ID("\"F2\""), NULL },
		{ WITH_ID(""), NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct imap_script_row rows[] = { { .when = "SELECT", .say = cases[i].said } };
		struct lab *lab = lab_new(rows, COUNT_OF(rows), OBJECTID_CAPS);
		struct endpoint_notice *notice = NULL;

		fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &notice), "notice");
		cr_assert(text_same(notice->object_id, cases[i].expected), "%s: %s", cases[i].said,
			  notice->object_id ? notice->object_id : "none");
		lab_end(lab);
	}
}

Test(imap_scripted_folders, a_renamed_folder_is_found_by_its_identity)
{
	static const struct {
		const char *caps, *wanted, *expected;
	} cases[] = {
		{ OBJECTID_CAPS, "F2", "INBOX.My work" },
		{ OBJECTID_CAPS, "F3", NULL }, /* one that is not told */
		{ OBJECTID_CAPS, "F9", NULL },
		{ "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ NAMESPACE", "F2", NULL },
	};
	static const struct imap_script_row rows[] = {
		{ .when = "LIST \"\" \"*\"",
		  .say = "* LIST () \".\" INBOX\r\n* LIST (\\Noselect) \".\" INBOX.top\r\n"
			 "* LIST () \".\" \"INBOX.My work\"\r\n* LIST () \".\" INBOX.shut\r\n"
			 "$T OK done\r\n" },
		{ .when = "STATUS INBOX (",
		  .say = "* STATUS INBOX (MAILBOXID (F1))\r\n$T OK done\r\n" },
		{ .when = "STATUS \"INBOX.My work\"",
		  .say = "* STATUS \"INBOX.My work\" (MAILBOXID (F2))\r\n$T OK done\r\n" },
		{ .when = "STATUS INBOX.shut", .say = "$T NO [NOPERM] no\r\n" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lab *lab = lab_new(rows, COUNT_OF(rows), cases[i].caps);
		char *address = NULL;

		fine(endpoint_locate(lab->endpoint, lab, cases[i].wanted, &address), "locate");
		cr_assert(text_same(address, cases[i].expected), "%zu: %s", i,
			  address ? address : "none");
		cr_assert_not(heard(lab, "INBOX.top"));
		lab_end(lab);
	}
}
