/* imap_plugins_test.c - a real Dovecot with rights, quota and notes on mailboxes.
 *
 * timeout: 120
 */
#include "config.h"

#define IMAP_KIT_FIRST PLUGINS
#define IMAP_KIT_KINDS 1
#include "base/buf.h"
#include "imap_rights_kit.h"

/* What only a server with ACL (RFC 4314), QUOTA (RFC 2087) and METADATA (RFC 5464) can show. */

/* ---- quota: 1 MiB for each user ---- */

#define LARGE (400 << 10) /* bytes: two of them go in, three do not */

static char *large(struct lab *lab, const char *id)
{
	struct buf *text = buf_new(lab);

	buf_puts(text, message(lab, id));
	while (text->len < LARGE)
		buf_puts(text, "All work and no play makes a task a dull thing to look at, it is "
			       "said.\r\n");
	return text->data;
}

static void put_all(struct lab *lab, const char *folder, struct endpoint_put *puts, size_t count)
{
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, count), "put");
}

/* Nothing is half done: what has a fault is not there, and is stored when there is room. */
static void try_full(uint64_t without)
{
	struct lab *lab = lab_new(PLUGINS, without, "full %llx", (unsigned long long)without);
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL), puts[2], again;
	size_t stored = 0;

	append_there(lab, "INBOX", "", NULL, large(lab, "letter"));
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		puts[i] = (struct endpoint_put){ .text = large(lab, "uid-2") };
		puts[i].len = strlen(puts[i].text);
	}
	puts[1].address = puts[1].if_version = first.placed;
	put_all(lab, folder, puts, COUNT_OF(puts));
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		stored += !puts[i].fault;
		if (!puts[i].fault)
			continue;
		expect(puts[i].fault, FAULT_FULL, FAULT_SCOPE_ACCOUNT, "no room");
		cr_assert_eq(puts[i].fault->next, FAULT_NEXT_RETRY);
		cr_assert_not(puts[i].fault->maybe_done);
		cr_assert_null(puts[i].placed);
	}
	cr_assert_lt(stored, COUNT_OF(puts), "there was room");
	cr_assert_eq(notice(lab, folder, NULL)->count, 1 + stored);
	fine(fetch(lab, folder, first.placed), "what was to be replaced");
	select_there(lab, "INBOX");
	say(lab, "STORE 1 +FLAGS (\\Deleted)", NULL);
	say(lab, "EXPUNGE", NULL);
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		if (!puts[i].fault)
			continue;
		again = (struct endpoint_put){ .text = puts[i].text,
					       .len = puts[i].len,
					       .address = puts[i].address,
					       .if_version = puts[i].if_version };
		put_all(lab, folder, &again, 1);
		fine(again.fault, "with room");
	}
	cr_assert_eq(notice(lab, folder, NULL)->count, 3);
	lab_end(lab);
}

Test(imap_plugins, what_has_no_room_is_not_half_stored)
{
	try_full(0);
	try_full(UINT64_C(1) << IMAP_CAP_MULTIAPPEND);
	try_full(UINT64_MAX);
}

/* ---- rights ---- */

static const struct right_row rights[] = {
	{ "lr", "only read", "read only", false, false },
	{ "lrs", "read, and what was read", "\"t\"", false, false },
	{ "lrswi", "not deleted", "\"t\"", true, false },
	{ "lrswit", "marked as deleted, and not expunged", "missing: \"e\" (expunge);", true, false },
	{ "lrsite", "not flagged", "missing: \"w\" (flag);", true, false },
	{ "lrit", "hardly anything", "\"s\" (keep what was read), \"w\" (flag), \"e\"", true, false },
	{ "lrswte", "not inserted", "missing: \"i\" (insert);", false, false },
	{ "lrswite", "all that it takes", "", true, true },
};

Test(imap_plugins, rights_are_told_beforehand)
{
	for (size_t i = 0; i < COUNT_OF(rights); i++)
		try_rights(PLUGINS, &rights[i]);
}

/* Dovecot says NOPERM to their APPEND, and not which right. */
Test(imap_plugins, new_ones_without_the_right_are_the_folders_affair)
{
	try_new_ones(PLUGINS, 0, FAULT_SCOPE_FOLDER);
	try_new_ones(PLUGINS, UINT64_C(1) << IMAP_CAP_MULTIAPPEND, FAULT_SCOPE_FOLDER);
	try_new_ones(PLUGINS, UINT64_C(1) << IMAP_CAP_ACL, FAULT_SCOPE_FOLDER);
	try_new_ones(PLUGINS, UINT64_MAX, FAULT_SCOPE_FOLDER);
}

Test(imap_plugins, only_a_refusal_asks_for_rights)
{
	try_questions(PLUGINS);
}

Test(imap_plugins, doctor_tells_of_rights)
{
	try_probe(PLUGINS, 0, "yes");
	try_probe(PLUGINS, UINT64_C(1) << IMAP_CAP_ACL, "no");
}

Test(imap_plugins, a_removal_without_the_right_leaves_all_as_it_is)
{
	static const char *const without[] = { "lr", "lrswi", "lrswit" };

	for (size_t i = 0; i < COUNT_OF(without); i++)
		try_kept(PLUGINS, without[i]);
}

/* Not believed, and found out by what stays: nothing is lost either. */
Test(imap_plugins, without_acl_a_missing_right_is_told_by_the_removal)
{
	struct lab *lab = lab_new(PLUGINS, UINT64_C(1) << IMAP_CAP_ACL, "rights not asked for");
	char *folder = new_folder(lab);
	struct endpoint_put first = put(lab, folder, "uid-1", NULL), next;

	set_rights(lab, PLUGINS, folder, "lrswit");
	lab->world.endpoint = account(lab, lab->url, "secret", UINT64_C(1) << IMAP_CAP_ACL);
	next = put(lab, folder, "uid-1", first.placed);
	expect(drop(lab, folder, first.placed, next.replaced, next.placed), FAULT_REFUSED,
	       FAULT_SCOPE_FOLDER, "removal");
	fine(fetch(lab, folder, next.placed), "the new one");
	lab_end(lab);
}

/* By the number of commands: nothing for what is new, one for a connection and a folder. */
Test(imap_plugins, rights_are_asked_for_once)
{
	struct lab *lab = lab_new(PLUGINS, 0, "rights once");
	char *folder = new_folder(lab);
	struct endpoint_put first, next;
	int64_t begun, plain;

	(void)put(lab, folder, "uid-0", NULL);
	begun = endpoint_stats(lab->world.endpoint).requests;
	first = put(lab, folder, "uid-1", NULL);
	plain = endpoint_stats(lab->world.endpoint).requests - begun;
	begun += plain;
	next = put(lab, folder, "uid-1", first.placed);
	cr_assert_eq(endpoint_stats(lab->world.endpoint).requests - begun, plain + 2,
		     "a look at the old one and its rights");
	begun = endpoint_stats(lab->world.endpoint).requests;
	next = put(lab, folder, "uid-1", next.placed);
	cr_assert_eq(endpoint_stats(lab->world.endpoint).requests - begun, plain + 1);
	lab_end(lab);
}

/* A message that goes into the mailbox for tasks that are done: there it takes other rights than here. */
Test(imap_plugins, rights_of_both_mailboxes_are_told)
{
	static const struct {
		const char *here, *there, *words;
	} rows[] = {
		{ "lrswite", "lrs", "Done: rights are missing: \"i\" (insert), \"w\" (flag);" },
		{ "lrst", "lrswi", "both 1: rights are missing: \"e\" (expunge);" },
		{ "lrste", "lrswite", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct lab *lab = lab_new(PLUGINS, 0, "both %zu", i);
		struct endpoint_put first, next;
		struct fault *fault;
		char *folder;

		lab->done_folder = "Done";
		lab->world.endpoint = account(lab, lab->url, "secret", 0);
		folder = new_folder(lab);
		first = put(lab, folder, "uid-1", NULL);
		set_rights(lab, PLUGINS, mem_printf(lab, "%s/Done", folder), rows[i].there);
		set_rights(lab, PLUGINS, folder, rows[i].here);
		lab->world.endpoint = account(lab, lab->url, "secret", 0);
		next = first;
		next.address = next.if_version = first.placed;
		next.marks_add = "/Done";
		fault = endpoint_put(lab->world.endpoint, lab, folder, &next, 1);
		fault = fault ? fault : next.fault;
		if (!rows[i].words) {
			fine(fault, "into the other");
			lab_end(lab);
			continue;
		}
		expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, rows[i].words);
		expect_words(fault->text, rows[i].words, true);
		fine(fetch(lab, folder, first.placed), "it is as it was");
		lab_end(lab);
	}
}

/* A person has removed the one for tasks that are done. */
Test(imap_plugins, rights_of_the_folder_are_told_where_there_is_no_mailbox_for_done_tasks)
{
	try_without_done(PLUGINS);
}

/* ---- notes ---- */

static char *note_of(struct lab *lab, const char *mailbox)
{
	struct heard heard = { "METADATA", mem_strdup(lab, "") };
	struct imap_line *line = imap_line_new(lab, "GETMETADATA ", false);

	imap_line_mailbox(line, mailbox);
	imap_line_add(line, " (/private/vendor/taskferry/url)");
	(void)say_line(lab, line, take_heard, &heard);
	return heard.text;
}

static char *ensure_noted(struct lab *lab, const char *sub, const char *url, bool *created_r)
{
	struct endpoint_folder folder = { .top = TOP, .sub = sub, .url = url, .suffix = "2" };
	char *address = NULL;

	fine(endpoint_ensure(lab->world.endpoint, lab, &folder, NULL, &address, created_r), sub);
	return address;
}

/* A person renames a folder; a database that knows nothing of it finds it by its note, and does not take
 * another project's of that name. */
Test(imap_plugins, a_folder_is_known_by_its_note)
{
	static const char first[] = "https://pm.example.com/web#1",
			  other_url[] = "https://pm.example.com/web#2";
	struct lab *lab = lab_new(PLUGINS, 0, "noted");
	bool created = false;
	char *folder = ensure_noted(lab, "noted", first, &created), *renamed, *second;
	struct imap_line *line = imap_line_new(lab, "RENAME ", true);

	cr_assert(created);
	expect_words(note_of(lab, folder), first, true);
	lab->world.endpoint = account(lab, lab->url, "secret", 0);
	second = ensure_noted(lab, "noted", other_url, &created);
	cr_assert(created, "%s is another project's", second);
	cr_assert_str_neq(second, folder);
	expect_words(note_of(lab, second), other_url, true);
	renamed = mem_printf(lab, "%s of mine", folder);
	imap_line_mailbox(line, folder);
	imap_line_add(line, " ");
	imap_line_mailbox(line, renamed);
	cr_assert_eq((int)say_line(lab, line, NULL, NULL).status, IMAP_OK);
	lab->world.endpoint = account(lab, lab->url, "secret", 0);
	cr_assert_str_eq(ensure_noted(lab, "noted", first, &created), renamed);
	cr_assert_not(created);
	expect_words(note_of(lab, renamed), first, true);
	lab_end(lab);
}
