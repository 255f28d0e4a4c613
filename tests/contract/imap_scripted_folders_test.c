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
		const struct endpoint_trace trace = { .object_id = cases[i].wanted };
		char *address = NULL;

		fine(endpoint_locate(lab->endpoint, lab, &trace, &address), "locate");
		cr_assert(text_same(address, cases[i].expected), "%zu: %s", i,
			  address ? address : "none");
		cr_assert_not(heard(lab, "INBOX.top"));
		lab_end(lab);
	}
}

/* ---- what a folder does not let us do ---- */

static const struct {
	const char *what, *select, *append;
	bool replaces;
	enum fault_kind kind; /* FAULT_KINDS: none */
	enum fault_scope scope;
	size_t appends; /* commands, of two messages */
} unwilling[] = {
	{ "read only", "* 1 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n$T OK [READ-ONLY] done\r\n", NULL,
	  false, FAULT_REFUSED, FAULT_SCOPE_FOLDER, 0 },
	{ "read only, replacing",
	  "* 1 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n$T OK [READ-ONLY] done\r\n", NULL, true,
	  FAULT_REFUSED, FAULT_SCOPE_FOLDER, 0 },
	{ "nothing can be deleted", SELECTED(UIDNEXT, "3", "\\Seen work"), NULL, true,
	  FAULT_REFUSED, FAULT_SCOPE_FOLDER, 0 },
	{ "nothing can be deleted, and need not be", SELECTED(UIDNEXT, "3", "\\Seen work"),
	  "$T OK [APPENDUID 77 10:11] done\r\n", false, FAULT_KINDS, FAULT_SCOPE_ITEM, 1 },
	{ "nothing can be stored", NULL, "$T NO [NOPERM] no\r\n", false, FAULT_REFUSED,
	  FAULT_SCOPE_FOLDER, 1 },
	{ "gone meanwhile", NULL, "$T NO [TRYCREATE] no\r\n", false, FAULT_GONE, FAULT_SCOPE_FOLDER,
	  1 },
	{ "full", NULL, "$T NO [OVERQUOTA] no\r\n", false, FAULT_FULL, FAULT_SCOPE_ACCOUNT, 3 },
	{ "too large", NULL, "$T NO [TOOBIG] no\r\n", false, FAULT_REFUSED, FAULT_SCOPE_ITEM, 3 },
	{ "a passing weakness", NULL, "$T NO [SERVERBUG] internal error\r\n", false, FAULT_BUSY,
	  FAULT_SCOPE_ITEM, 3 },
};

/* Nothing is stored that could not be removed again, and nothing is tried one by one that is refused
 * for the folder's sake. */
Test(imap_scripted_folders, what_a_folder_does_not_allow_is_told_once)
{
	for (size_t i = 0; i < COUNT_OF(unwilling); i++) {
		struct imap_script_row rows[2];
		size_t n = 0;
		struct lab *lab;
		struct endpoint_put puts[2];
		struct fault *fault;

		if (unwilling[i].select)
			rows[n++] = (struct imap_script_row){ .when = "SELECT",
							      .say = unwilling[i].select };
		if (unwilling[i].append)
			rows[n++] = (struct imap_script_row){ .when = "APPEND",
							      .say = unwilling[i].append };
		lab = lab_new(rows, n, NULL);
		puts[0] = text_of(lab, "a");
		puts[1] = text_of(lab, "b");
		if (unwilling[i].replaces)
			puts[0].address = puts[0].if_version = "0000000077.0000000007";
		fault = endpoint_put(lab->endpoint, lab, FOLDER, puts, 2);
		fault = fault ? fault : puts[1].fault;
		if (unwilling[i].kind == FAULT_KINDS)
			fine(fault, unwilling[i].what);
		else
			expect(fault, unwilling[i].kind, unwilling[i].scope, unwilling[i].what);
		cr_assert(!fault || !fault->maybe_done, "%s", unwilling[i].what);
		cr_assert_eq(heard_times(lab, " APPEND \"" FOLDER), unwilling[i].appends, "%s",
			     unwilling[i].what);
		lab_end(lab);
	}
}

/* ---- what has changed, told by SELECT (QRESYNC) ---- */

#define LISTED(uid, flags) "* 1 FETCH (UID " uid " FLAGS (" flags ") MODSEQ (850))\r\n"
#define SAID(exists, more)                                                                         \
	"* OK [CLOSED] x\r\n* " exists " EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" UIDNEXT           \
	"* OK [HIGHESTMODSEQ 900] ok\r\n" more "$T OK [READ-WRITE] done\r\n"

static const struct {
	const char *what, *token, *said;
	size_t count, removed;
	bool full;
} resyncs[] = {
	{ "nothing", "77 10 2 m900", SAID("2", ""), 0, 0, false },
	{ "one is marked", "77 10 2 m800", SAID("2", LISTED("8", "a")), 1, 0, false },
	{ "one has gone", "77 10 3 m800", SAID("2", "* VANISHED (EARLIER) 9\r\n"), 1, 1, false },
	{ "one has gone, one come", "77 9 2 m800",
	  SAID("2", LISTED("9", "") "* VANISHED (EARLIER) 7\r\n"), 2, 1, false },
	{ "gone long ago are told as well", "77 10 3 m800",
	  SAID("2", "* VANISHED (EARLIER) 1:6,9\r\n"), 7, 7, false },
	{ "gone long ago, and none lately", "77 10 2 m800",
	  SAID("2", "* VANISHED (EARLIER) 1:6\r\n"), 0, 0, false },
	{ "those of the future", "77 10 3 m800", SAID("2", "* VANISHED (EARLIER) 9,10:20\r\n"), 1,
	  1, false },
	{ "twice", "77 10 3 m800",
	  SAID("2", "* VANISHED (EARLIER) 9\r\n* VANISHED (EARLIER) 9\r\n"), 1, 1, false },
	{ "of the mailbox before", "77 10 2 m800",
	  LISTED("3", "x") "* VANISHED 4\r\n" SAID("2", LISTED("8", "")), 1, 0, false },
	{ "gone, and not told", "77 10 4 m800", SAID("2", "* VANISHED (EARLIER) 9\r\n"), 2, 0,
	  true },
	{ "gone, and there", "77 10 3 m800",
	  SAID("2", LISTED("8", "") "* VANISHED (EARLIER) 8\r\n"), 2, 0, true },
	{ "more than there can be", "77 10 3 m800",
	  SAID("2", "* VANISHED (EARLIER) 1:4294967295\r\n"), 2, 0, true },
	{ "no numbers", "77 10 3 m800", SAID("2", "* VANISHED (EARLIER) x\r\n* VANISHED\r\n"), 2, 0,
	  true },
	{ "mod-sequences run backwards", "77 10 2 m901", SAID("2", LISTED("8", "")), 2, 0, true },
};

static void try_resync(size_t i)
{
	struct imap_script_row rows[] = {
		{ .when = "ENABLE", .say = "* ENABLED QRESYNC\r\n$T OK done\r\n" },
		{ .when = "SELECT \"" FOLDER "\" (QRESYNC (77 ", .say = resyncs[i].said },
		{ .when = "UID FETCH 1:* (UID FLAGS)",
		  .say = LISTED("7", "") LISTED("8", "") "$T OK done\r\n" },
	};
	struct lab *lab =
		lab_new(rows, COUNT_OF(rows), "IMAP4rev1 ENABLE CONDSTORE QRESYNC NAMESPACE");
	struct endpoint_notice *made = NULL;
	size_t removed = 0;

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, resyncs[i].token, &made), resyncs[i].what);
	for (size_t j = 0; j < made->count; j++)
		removed += made->changes[j].removed;
	cr_assert_eq(made->count, resyncs[i].count, "%s: expected %zu, got %zu", resyncs[i].what,
		     resyncs[i].count, made->count);
	cr_assert_eq(removed, resyncs[i].removed, "%s: %zu", resyncs[i].what, removed);
	cr_assert_eq(made->full, resyncs[i].full, "%s: full %d", resyncs[i].what, made->full);
	cr_assert_str_eq(made->token, "77 10 2 m900");
	cr_assert_eq(heard_times(lab, "UID FETCH"), resyncs[i].full, "%s", resyncs[i].what);
	lab_end(lab);
}

Test(imap_scripted_folders, what_has_gone_is_told_by_select)
{
	for (size_t i = 0; i < COUNT_OF(resyncs); i++)
		try_resync(i);
}

/* ---- notes on folders ---- */

#define NOTED "IMAP4rev1 UIDPLUS LITERAL+ NAMESPACE METADATA"
#define OUR_URL "https://pm.example.com/web#KEY"
#define THERE "* LIST () \".\" \"INBOX.site.project\"\r\n$T OK done\r\n"
#define NONE "$T OK done\r\n"
#define SAYS(box, url)                                                                             \
	"* METADATA \"" box "\" (/private/vendor/taskferry/url " url ")\r\n$T OK done\r\n"

static const struct {
	const char *what, *caps, *known;
	const char *list, *note, *all, *all_notes, *set; /* answers; NULL: what a good one says */
	const char *address;
	bool created;
	size_t asked, set_times;
} notes[] = {
	{ "made", NOTED, NULL, NONE, NULL, NONE, NULL, NULL, "INBOX.site.project", true, 0, 1 },
	{ "made, and the note is refused", NOTED, NULL, NONE, NULL, NONE, NULL, "$T NO no\r\n",
	  "INBOX.site.project", true, 0, 1 },
	{ "no notes here", "IMAP4rev1 NAMESPACE", NULL, NONE, NULL, NULL, NULL, NULL,
	  "INBOX.site.project", true, 0, 0 },
	{ "known", NOTED, "INBOX.site.project", THERE, NULL, NULL, NULL, NULL, "INBOX.site.project",
	  false, 0, 0 },
	{ "there, and ours", NOTED, NULL, THERE, SAYS("INBOX.site.project", "\"" OUR_URL "\""),
	  NULL, NULL, NULL, "INBOX.site.project", false, 1, 0 },
	{ "there, and it says nothing", NOTED, NULL, THERE, SAYS("INBOX.site.project", "NIL"), NULL,
	  NULL, NULL, "INBOX.site.project", false, 1, 1 },
	{ "there, and it may not be asked", NOTED, NULL, THERE, "$T NO [NOPERM] no\r\n", NULL, NULL,
	  NULL, "INBOX.site.project", false, 1, 1 },
	{ "there, and another's", NOTED, NULL, THERE, SAYS("INBOX.site.project", "{3}\r\nx#y"),
	  NONE, NULL, NULL, "INBOX.site.project ", true, 1, 1 },
	{ "elsewhere", NOTED, NULL, NONE, NULL,
	  "* LIST () \".\" INBOX\r\n* LIST () \".\" \"INBOX.mine\"\r\n$T OK done\r\n",
	  SAYS("INBOX.mine", "\"" OUR_URL "\""), NULL, "INBOX.mine", false, 2, 0 },
	{ "another's, and elsewhere", NOTED, NULL, THERE,
	  SAYS("INBOX.site.project", "\"https://else.example.com#KEY\""),
	  "* LIST () \".\" \"INBOX.mine\"\r\n$T OK done\r\n", SAYS("INBOX.mine", "\"" OUR_URL "\""),
	  NULL, "INBOX.mine", false, 2, 0 },
};

Test(imap_scripted_folders, notes_count_for_more_than_names)
{
	for (size_t i = 0; i < COUNT_OF(notes); i++) {
		const struct imap_script_row all[] = {
			{ .when = "LIST \"\" \"*\"", .say = notes[i].all },
			{ .when = "LIST \"\" \"INBOX.site.project\"", .say = notes[i].list },
			{ .when = "LIST \"\" \"INBOX", .say = NONE },
			{ .when = "GETMETADATA \"INBOX.site.project\"", .say = notes[i].note },
			{ .when = "GETMETADATA", .say = notes[i].all_notes },
			{ .when = "SETMETADATA", .say = notes[i].set },
		};
		struct endpoint_folder folder = {
			.top = "site", .sub = "project", .url = OUR_URL, .display = "Project"
		};
		struct lab *lab = lab_new(all, COUNT_OF(all), notes[i].caps);
		char *address = NULL;
		bool created = !notes[i].created;

		fine(endpoint_ensure(lab->endpoint, lab, &folder, notes[i].known, &address,
				     &created),
		     notes[i].what);
		cr_assert(text_starts(address, notes[i].address), "%s: %s", notes[i].what, address);
		cr_assert_eq(created, notes[i].created, "%s", notes[i].what);
		cr_assert_eq(heard_times(lab, " GETMETADATA "), notes[i].asked, "%s: asked",
			     notes[i].what);
		cr_assert_eq(heard_times(lab, " SETMETADATA "), notes[i].set_times, "%s: noted",
			     notes[i].what);
		lab_end(lab);
	}
}

/* ---- moving what was read ---- */

static const struct {
	const char *caps, *command, *answer;
	enum fault_kind kind;
} transfers[] = {
	{ "IMAP4rev1 UIDPLUS", "COPY", "$T NO [TRYCREATE] no such mailbox\r\n", FAULT_GONE },
	{ "IMAP4rev1 UIDPLUS MOVE", "MOVE", "$T NO [NONEXISTENT] none\r\n", FAULT_GONE },
	{ "IMAP4rev1 UIDPLUS", "COPY", "$T NO [OVERQUOTA] full\r\n", FAULT_FULL },
	{ "IMAP4rev1 UIDPLUS MOVE", "MOVE", "$T NO [NOPERM] no\r\n", FAULT_REFUSED },
};

/* What the answer leads to is looked up under the command's own name. */
Test(imap_scripted, what_cannot_be_moved_is_said_with_its_command)
{
	for (size_t i = 0; i < COUNT_OF(transfers); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		const char *words = mem_printf(mem, "UID %s", transfers[i].command);
		const struct imap_script_row rows[] = {
			{ .when = "UID FETCH",
			  .say = "* 1 FETCH (UID 7 FLAGS ())\r\n$T OK done\r\n" },
			{ .when = words, .say = transfers[i].answer },
		};
		struct lab *lab = lab_new(rows, COUNT_OF(rows), transfers[i].caps);
		const char *seven = "0000000077.0000000007";
		struct fault *fault =
			endpoint_shelve(lab->endpoint, lab, FOLDER, &seven, 1, "Taken");

		cr_assert(fault && fault->kind == transfers[i].kind, "%s: %s", transfers[i].answer,
			  fault ? fault_kind_name(fault->kind) : "success");
		cr_assert_eq(fault->scope, transfers[i].kind == FAULT_FULL ? FAULT_SCOPE_ACCOUNT
									   : FAULT_SCOPE_FOLDER);
		cr_assert(text_starts(fault->text, mem_printf(mem, "%s: ", transfers[i].command)),
			  "%s", fault->text);
		cr_assert_not(heard(lab, "UID EXPUNGE"));
		lab_end(lab);
		talloc_free(mem);
	}
}

/* The mailbox for tasks that are done goes between the two questions about it: the folder has not gone. */
Test(imap_scripted_folders, a_mailbox_for_done_tasks_goes_while_it_is_looked_at)
{
	static const struct imap_script_row gone_rows[] = {
		{ .when = "STATUS \"INBOX.p.Done\"",
		  .say = "* STATUS INBOX.p.Done (UIDVALIDITY 78 UIDNEXT 5 MESSAGES 1 "
			 "HIGHESTMODSEQ 7)\r\n$T OK done\r\n" },
		{ .when = "SELECT \"INBOX.p.Done\"", .say = "$T NO [NONEXISTENT] gone\r\n" },
		{ .when = "LIST \"\" \"INBOX.p.Done\"", .say = "$T OK done\r\n" },
		{ .when = "SELECT \"INBOX.p\"", .say = SELECTED(UIDNEXT, "2", "\\Seen \\*") },
	};
	struct lab *lab = lab_new_done(gone_rows, COUNT_OF(gone_rows), NULL, "Done");
	struct endpoint_notice *notice = NULL;

	fine(endpoint_notice(lab->endpoint, lab, FOLDER, NULL, &notice), "notice");
	cr_assert(notice->full && notice->count == 2 && text_ends(notice->token, " / -"), "%s",
		  notice->token);
	lab_end(lab);
}
