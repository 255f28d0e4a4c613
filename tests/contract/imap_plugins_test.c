/* imap_plugins_test.c - a real Dovecot with rights, quota and notes on mailboxes.
 *
 * timeout: 120
 */
#include "config.h"

#define IMAP_KIT_FIRST PLUGINS
#define IMAP_KIT_KINDS 1
#include "base/buf.h"
#include "imap_kit.h"

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

static void set_rights(struct lab *lab, const char *folder, const char *rights)
{
	struct imap_line *line = imap_line_new(lab, "SETACL ", true);

	imap_line_mailbox(line, folder);
	imap_line_add(line, " %s %s", lab->user, rights);
	cr_assert_eq((int)say_line(lab, line, NULL, NULL).status, IMAP_OK, "%s", rights);
}

static const struct {
	const char *rights, *why;
	bool create, replace; /* can be done */
} rights[] = {
	{ "lr", "only read", false, false },
	{ "lrs", "read, and what was read", false, false },
	{ "lrswi", "not deleted", true, false },
	{ "lrswit", "marked as deleted, and not expunged", true, true }, /* told by the removal */
	{ "lrswte", "not inserted", false, false },
	{ "lrswite", "all that it takes", true, true },
};

/* It is told before the first byte, and of the folder; nothing is stored that would have to stay. */
Test(imap_plugins, rights_are_told_beforehand)
{
	for (size_t i = 0; i < COUNT_OF(rights); i++) {
		struct lab *lab = lab_new(PLUGINS, 0, "rights %zu", i);
		char *folder = new_folder(lab);
		struct endpoint_put first = put(lab, folder, "uid-1", NULL), puts[2];
		struct fault *fault;
		size_t there = 1;

		set_rights(lab, folder, rights[i].rights);
		lab->world.endpoint = account(lab, lab->url, "secret", 0);
		for (size_t j = 0; j < COUNT_OF(puts); j++) {
			bool can = j ? rights[i].replace : rights[i].create;

			puts[j] = (struct endpoint_put){ .text = message(lab, "uid-2") };
			puts[j].len = strlen(puts[j].text);
			if (j)
				puts[j].address = puts[j].if_version = first.placed;
			fault = endpoint_put(lab->world.endpoint, lab, folder, &puts[j], 1);
			fault = fault ? fault : puts[j].fault;
			there += can;
			if (can)
				fine(fault, rights[i].why);
			else
				expect(fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, rights[i].why);
		}
		cr_assert_eq(notice(lab, folder, NULL)->count, there, "%s", rights[i].why);
		lab_end(lab);
	}
}

/* Nothing is removed, nothing stays marked, and it is said why. */
Test(imap_plugins, a_removal_without_the_right_leaves_all_as_it_is)
{
	static const char *const without[] = { "lr", "lrswi", "lrswit" };

	for (size_t i = 0; i < COUNT_OF(without); i++) {
		struct lab *lab = lab_new(PLUGINS, 0, "kept %zu", i);
		char *folder = new_folder(lab);
		struct endpoint_put first = put(lab, folder, "uid-1", NULL);
		struct endpoint_remove one = { .address = first.placed,
					       .if_version = first.version };
		struct fault *fault;

		set_rights(lab, folder, without[i]);
		lab->world.endpoint = account(lab, lab->url, "secret", 0);
		fault = endpoint_remove(lab->world.endpoint, lab, folder, &one, 1);
		expect(fault ? fault : one.fault, FAULT_REFUSED, FAULT_SCOPE_FOLDER, without[i]);
		fine(fetch(lab, folder, first.placed), "it is still there");
		lab_end(lab);
	}
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
