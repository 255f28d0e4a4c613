/* imap_messages_test.c - what is about messages alone.
 *
 * timeout: 300
 */
#include "config.h"

#include "imap_gate.h"
#include "mappers/message.h"

/* What only a server of messages can show, on real Dovecots: names of mailboxes, flags, what
 * another client does meanwhile. */

/* ---- folders ---- */

static const char *const awkward_names[] = {
	"Ship crate",
	"100% \"sure\" \\ back",
	"a/b.c//d..e",
	"..",
	".",
	".hid",
	"~",
	"~root",
	"INBOX",
	"inbox",
	"*",
	"%",
	"&",
	"&AOQ-",
	"#news.x",
	"-dash",
	"  blanks   inside ",
	"tab\tand\nline",
	"cur",
	"new",
	"tmp",
	"dbox-Mails",
	"{}()[]<>|^;,'`!$",
	"\xc3\x9c"
	"nic\xc3\xb6"
	"de \xe4\xbb\xbb\xe5\x8a\xa1 \xf0\x9f\x9a\xa2",
	"\xe2\x80\xae"
	"right to left",
	"not UTF-8 \xff\xfe",
	"",
	"a very long name of a project that goes on and on, over all bounds that a server could "
	"have, and then still a little further, until somebody cuts it off at last",
	"\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5"
	"\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb"
	"\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1"
	"\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1\xe4\xbb\xbb\xe5"
	"\x8a\xa1\xe4\xbb\xbb\xe5\x8a\xa1",
};

static void try_names(int kind)
{
	struct lab *lab = lab_new(kind, 0, "names");

	for (size_t i = 0; i < COUNT_OF(awkward_names); i++) {
		bool created = false, again = true;
		char *folder = ensure(lab, awkward_names[i], NULL, &created), *same;
		int64_t before = count_writes(&lab->world);

		cr_assert(created, "%s: %s was there before", awkward_names[i], folder);
		same = ensure(lab, awkward_names[i], NULL, &again);
		cr_assert(!again && !strcmp(same, folder), "%s: made as %s, found as %s",
			  awkward_names[i], folder, same);
		(void)ensure(lab, awkward_names[i], folder, &again);
		cr_assert_eq(count_writes(&lab->world), before, "%s: found, and written to",
			     awkward_names[i]);
		cr_assert_neq(*ask(lab, "LSUB \"\" ", folder, "LSUB"), '\0', "%s: not subscribed",
			      folder);
		(void)put(lab, folder, "uid-1", NULL);
		cr_assert_eq(notice(lab, folder, NULL)->count, 1, "%s", folder);
	}
	lab_end(lab);
}

Test(imap_folders, awkward_names_are_made_and_found_again)
{
	ON_ALL(kind)
	try_names(kind);
}

/* Both levels are subscribed, also the upper one that is no mailbox. */
Test(imap_folders, a_person_sees_both_levels)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "levels");
		char *folder = new_folder(lab), *parent = mem_strdup(lab, folder);

		*strrchr(parent, *kinds[kind].separator) = '\0';
		cr_assert_neq(*ask(lab, "LSUB \"\" ", folder, "LSUB"), '\0', "%s", folder);
		cr_assert_neq(*ask(lab, "LIST \"\" ", parent, "LIST"), '\0', "%s", parent);
		lab_end(lab);
	}
}

/* A sub-folder made by somebody else: ours is in the tree, and is no mailbox yet. */
Test(imap_folders, a_name_without_a_mailbox_becomes_one)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "noselect");
		bool created = false;
		char *folder = new_folder(lab), *child;

		child = mem_printf(lab, "%s%sx", folder, kinds[kind].separator);
		say(lab, "CREATE ", child);
		say(lab, "DELETE ", folder);
		if (kind != DOT && kind != SLASH) /* Dovecot lists it there as if it were one */
			expect_words(ask(lab, "LIST \"\" ", folder, "LIST"), "\\Noselect", true);
		cr_assert_str_eq(ensure(lab, lab->world.path, folder, &created), folder);
		cr_assert(created);
		cr_assert_eq(notice(lab, folder, NULL)->count, 0);
		lab_end(lab);
	}
}

Test(imap_folders, a_renamed_project_keeps_its_items_and_addresses)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "renamed");
		char *folder = new_folder(lab), *renamed;
		struct endpoint_put one = put(lab, folder, "uid-1", NULL);
		bool created = true;
		int64_t before;

		(void)notice(lab, folder, NULL); /* it is selected */
		renamed = ensure(lab, "renamed to this", folder, &created);
		cr_assert(!created && strcmp(renamed, folder) != 0, "%s", renamed);
		fine(fetch(lab, renamed, one.placed), "after the renaming");
		expect(fetch(lab, folder, one.placed), FAULT_GONE, FAULT_SCOPE_FOLDER, folder);
		cr_assert_str_eq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "", "still subscribed");
		cr_assert_str_neq(ask(lab, "LSUB \"\" ", renamed, "LSUB"), "", "not subscribed");
		before = count_writes(&lab->world);
		cr_assert_str_eq(ensure(lab, "renamed to this", renamed, &created), renamed);
		cr_assert_eq(count_writes(&lab->world), before);
		lab_end(lab);
	}
}

/* The new name is taken: the items stay where they are, and nothing is tried again. */
Test(imap_folders, a_name_that_is_taken_leaves_the_folder_as_it_is)
{
	struct lab *lab = lab_new(DOT, 0, "taken");
	char *folder = new_folder(lab), *foreign;
	bool created;
	int64_t before;

	foreign = ensure(lab, "taken by another", NULL, &created);
	before = count_writes(&lab->world);
	cr_assert_str_eq(ensure(lab, "taken by another", folder, &created), folder);
	cr_assert_not(created);
	cr_assert_eq(count_writes(&lab->world), before);
	cr_assert_str_neq(foreign, folder);
	lab_end(lab);
}

/* A person who does not want to see it. */
Test(imap_folders, unsubscribed_stays_unsubscribed)
{
	struct lab *lab = lab_new(DOT, 0, "unsubscribed");
	char *folder = new_folder(lab);
	bool created;

	say(lab, "UNSUBSCRIBE ", folder);
	(void)ensure(lab, "unsubscribed", folder, &created);
	cr_assert_str_eq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "");
	(void)ensure(lab, "unsubscribed", NULL, &created);
	cr_assert_str_neq(ask(lab, "LSUB \"\" ", folder, "LSUB"), "",
			  "a folder that is new to us is subscribed");
	lab_end(lab);
}

/* As a new database does. */
Test(imap_folders, a_connection_that_finds_it_there_writes_nothing)
{
	ON_ALL(kind)
	{
		struct lab *lab = lab_new(kind, 0, "found");
		char *folder = new_folder(lab);
		bool created = true;

		lab->world.endpoint = account(lab, lab->url, "secret", 0);
		cr_assert_str_eq(ensure(lab, lab->world.path, NULL, &created), folder);
		cr_assert_not(created);
		cr_assert_eq(count_writes(&lab->world), 0, "%s: written to", folder);
		lab_end(lab);
	}
}

Test(imap_folders, another_uidvalidity_is_another_folder)
{
	struct lab *lab = lab_new(DOT, 0, "validity");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL), again = { 0 };
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct fault *fault;

	say(lab, "DELETE ", folder);
	say(lab, "CREATE ", folder);
	append_there(lab, folder, "", NULL, message(lab, "foreign"));
	fault = endpoint_notice(lab->world.endpoint, lab, folder, made->token, &made);
	expect(fault, FAULT_TOKEN, FAULT_SCOPE_FOLDER, "notice");
	expect(fetch(lab, folder, one.placed), FAULT_GONE, FAULT_SCOPE_ITEM, "fetch");
	expect(drop(lab, folder, one.placed, one.placed, NULL), FAULT_GONE, FAULT_SCOPE_ITEM,
	       "remove");
	again.address = again.if_version = one.placed;
	again.text = one.text;
	again.len = one.len;
	fine(endpoint_put(lab->world.endpoint, lab, folder, &again, 1), "put");
	expect(again.fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "put");
	cr_assert_eq(notice(lab, folder, NULL)->count, 1, "what is not ours was touched");
	lab_end(lab);
}

/* ---- noticing ---- */

Test(imap_notice, what_is_new_is_listed_alone)
{
	struct lab *lab = lab_new(DOT, 0, "alone");
	char *folder = new_folder(lab);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct endpoint_put one;

	for (int i = 0; i < 5; i++) {
		one = put(lab, folder, "uid", NULL);
		append_there(lab, folder, "\\Deleted", NULL, message(lab, "foreign"));
		made = notice(lab, folder, made->token);
		cr_assert(!made->full && made->count == 2, "look %d: %zu lines, full %d", i,
			  made->count, made->full);
		cr_assert_str_eq(made->changes[0].address, one.placed);
		cr_assert_str_eq(made->changes[0].version, one.placed);
	}
	lab_end(lab);
}

/* Nothing changed: a look at a selected folder is one NOOP. */
Test(imap_notice, a_look_that_finds_nothing_is_cheap)
{
	struct lab *lab = lab_new(DOT, 0, "cheap");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	int64_t before = endpoint_stats(lab->world.endpoint).requests;

	for (int i = 0; i < 10; i++)
		made = notice(lab, folder, made->token);
	cr_assert_eq(endpoint_stats(lab->world.endpoint).requests, before + 10);
	store(lab, folder, one.placed, "+FLAGS (\\Flagged)");
	made = notice(lab, folder, made->token);
	cr_assert_eq(made->count, 1, "a flag is a change of an item");
	cr_assert_str_eq(made->changes[0].version, mem_printf(lab, "%s \\Flagged", one.placed));
	lab_end(lab);
}

/* Two that do not know of each other. */
Test(imap_notice, two_sessions_see_each_others_work)
{
	struct lab *lab = lab_new(DOT, 0, "two");
	struct endpoint *mine = lab->world.endpoint, *theirs = account(lab, lab->url, "secret", 0);
	char *folder = new_folder(lab);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	struct endpoint_put one;

	lab->world.endpoint = theirs;
	one = put(lab, folder, "uid-1", NULL);
	lab->world.endpoint = mine;
	made = notice(lab, folder, made->token);
	cr_assert_eq(made->count, 1);
	cr_assert_str_eq(made->changes[0].address, one.placed);
	fine(drop(lab, folder, one.placed, one.placed, NULL), "mine");
	lab->world.endpoint = theirs;
	expect(drop(lab, folder, one.placed, one.placed, NULL), FAULT_GONE, FAULT_SCOPE_ITEM,
	       "theirs");
	made = notice(lab, folder, made->token);
	cr_assert(made->full && !made->count, "%zu lines, full %d", made->count, made->full);
	lab_end(lab);
}

/* ---- what belongs to the message and not to its text ---- */

static const uint64_t ways[] = { 0,
				 1U << IMAP_CAP_CONDSTORE,
				 1U << IMAP_CAP_MULTIAPPEND,
				 1U << IMAP_CAP_LITERAL_PLUS,
				 1U << IMAP_CAP_UIDPLUS,
				 UINT64_MAX };

#define ITEMS "FLAGS INTERNALDATE"
#define DATE "03-Feb-2024 04:05:06 +0000"

Test(imap_flags, flags_keywords_and_date_are_carried_over)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "carried %zu", i);
		char *folder = new_folder(lab), *seen;
		struct endpoint_notice *made;
		struct endpoint_put two;
		const char *one;

		append_there(lab, folder, "\\Seen \\Flagged \\Deleted work $Tag-1", DATE,
			     message(lab, "uid-1"));
		made = notice(lab, folder, NULL);
		one = made->changes[0].address;
		two = put(lab, folder, "uid-2", one);
		seen = look(lab, folder, two.placed, ITEMS);
		expect_words(seen, "\\Seen", false);
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "\\Deleted", false);
		expect_words(seen, "work", true);
		expect_words(seen, "$Tag-1", true);
		expect_words(seen, DATE, true);
		expect_words(look(lab, folder, one, ITEMS), "\\Flagged", true);
		lab_end(lab);
	}
}

/* What is put with marks has them, and not those that it is to lose; it is read only if it says nothing
 * new and was. */
Test(imap_flags, marks_are_set_and_dropped)
{
	for (size_t i = 0; i < 2 * COUNT_OF(ways); i++) {
		bool quiet = i % 2;
		struct lab *lab = lab_new(DOT, ways[i / 2], "marks %zu", i);
		char *folder = new_folder(lab), *seen;
		struct endpoint_put two = { .text = message(lab, "uid-2"),
					    .marks_add = "$Ack \\Flagged",
					    .marks_drop = "$DONE",
					    .quiet = quiet };

		append_there(lab, folder, "\\Seen $Done work", DATE, message(lab, "uid-1"));
		two.len = strlen(two.text);
		two.address = two.if_version = notice(lab, folder, NULL)->changes[0].address;
		fine(endpoint_put(lab->world.endpoint, lab, folder, &two, 1), "put");
		fine(two.fault, "two");
		seen = look(lab, folder, two.placed, ITEMS);
		expect_words(seen, "\\Seen", quiet);
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "$Ack", true);
		expect_words(seen, "$Done", false);
		expect_words(seen, "work", true);
		expect_words(seen, DATE, true);
		lab_end(lab);
	}
}

/* A person stars the old one while the new one is already there: with the version that put told,
 * and without one, as after a crash. */
Test(imap_flags, late_flags_go_to_the_successor)
{
	for (size_t i = 0; i < 2 * COUNT_OF(ways); i++) {
		uint64_t without = ways[i / 2];
		struct lab *lab = lab_new(DOT, without, "late %zu", i);
		char *folder = new_folder(lab), *seen;
		const char *one = put(lab, folder, "uid-1", NULL).placed;
		struct endpoint_put two = put(lab, folder, "uid-2", one);

		store(lab, folder, one, "+FLAGS (\\Flagged late)");
		store(lab, folder, two.placed, "+FLAGS (\\Answered own)");
		fine(drop(lab, folder, one, i % 2 ? NULL : two.replaced, two.placed), "remove");
		expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the old one");
		seen = look(lab, folder, two.placed, "FLAGS");
		expect_words(seen, "\\Flagged", true);
		expect_words(seen, "late", true);
		expect_words(seen, "\\Answered", true);
		expect_words(seen, "own", true);
		expect_words(seen, "\\Deleted", false);
		lab_end(lab);
	}
}

/* A flag that was on both, and that the person has taken from the new one since, does not come
 * back. */
Test(imap_flags, what_did_not_change_on_the_old_one_is_not_carried)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "taken away %zu", i);
		char *folder = new_folder(lab);
		const char *one;
		struct endpoint_put two;

		append_there(lab, folder, "\\Flagged star", NULL, message(lab, "uid-1"));
		one = notice(lab, folder, NULL)->changes[0].address;
		two = put(lab, folder, "uid-2", one);
		store(lab, folder, two.placed, "-FLAGS (\\Flagged star)");
		fine(drop(lab, folder, one, two.replaced, two.placed), "remove");
		expect_words(look(lab, folder, two.placed, "FLAGS"), "tar", false);
		expect_words(look(lab, folder, two.placed, "FLAGS"), "\\Flagged", false);
		lab_end(lab);
	}
}

Test(imap_flags, a_successor_that_has_gone_keeps_nothing_alive)
{
	struct lab *lab = lab_new(DOT, 0, "orphan");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed;
	struct endpoint_put two = put(lab, folder, "uid-2", one);

	store(lab, folder, one, "+FLAGS (\\Flagged)");
	fine(drop(lab, folder, two.placed, two.placed, NULL), "the new one");
	fine(drop(lab, folder, one, two.replaced, two.placed), "the old one");
	cr_assert_eq(notice(lab, folder, NULL)->count, 0);
	lab_end(lab);
}

/* ---- removing ---- */

Test(imap_remove, exactly_that_message_goes)
{
	struct lab *lab = lab_new(DOT, 0, "exactly");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed,
		   *two = put(lab, folder, "uid-2", NULL).placed;

	store(lab, folder, two, "+FLAGS (\\Deleted)");
	fine(drop(lab, folder, one, one, NULL), "remove");
	expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the removed one");
	fine(fetch(lab, folder, two), "the other one");
	expect_words(look(lab, folder, two, "FLAGS"), "\\Deleted", true);
	lab_end(lab);
}

/* Without UIDPLUS: nothing is removed, marked or written while another message is marked. */
Test(imap_remove, without_uidplus_others_are_waited_for)
{
	struct lab *lab = lab_new(DOT, 1U << IMAP_CAP_UIDPLUS, "waits");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed,
		   *two = put(lab, folder, "uid-2", NULL).placed;
	int64_t before = count_writes(&lab->world);
	struct fault *fault;

	store(lab, folder, two, "+FLAGS (\\Deleted)");
	fault = drop(lab, folder, one, one, NULL);
	expect(fault, FAULT_LOCKED, FAULT_SCOPE_ITEM, "while another is marked");
	cr_assert_eq(fault->next, FAULT_NEXT_RETRY);
	cr_assert_eq(count_writes(&lab->world), before);
	expect_words(look(lab, folder, one, "FLAGS"), "\\Deleted", false);
	store(lab, folder, two, "-FLAGS (\\Deleted)");
	fine(drop(lab, folder, one, one, NULL), "afterwards");
	fine(fetch(lab, folder, two), "the other one");
	lab_end(lab);
}

/* Ours is taken back, what the other has marked stays, and nothing is removed. */
Test(imap_remove, without_uidplus_a_mark_that_comes_between_is_seen)
{
	struct lab *lab = lab_new(DOT, 1U << IMAP_CAP_UIDPLUS, "between marks"),
		   *theirs = lab_new(DOT, 0, "between marks");
	struct gate gate = { .theirs = theirs, .flags = "+FLAGS (\\Deleted)" };
	struct endpoint *plain = lab->world.endpoint;
	const char *one, *two;
	pthread_t thread;

	gate.folder = new_folder(lab);
	one = put(lab, gate.folder, "uid-1", NULL).placed;
	two = gate.address = put(lab, gate.folder, "uid-2", NULL).placed;
	(void)other(theirs);
	gate_new(&gate, lab);
	lab->world.endpoint = account(lab, lab->url, "secret", 1U << IMAP_CAP_UIDPLUS);
	cr_assert_eq(pthread_create(&thread, NULL, gate_pass, &gate), 0);
	expect(drop(lab, gate.folder, one, one, NULL), FAULT_LOCKED, FAULT_SCOPE_ITEM, "remove");
	pthread_join(thread, NULL);
	lab->world.endpoint = plain;
	fine(fetch(lab, gate.folder, one), "ours");
	fine(fetch(lab, gate.folder, two), "theirs");
	expect_words(look(lab, gate.folder, one, "FLAGS"), "\\Deleted", false);
	expect_words(look(lab, gate.folder, two, "FLAGS"), "\\Deleted", true);
	gate_end(&gate);
	lab_end(theirs);
	lab_end(lab);
}

/* An old one that the person, or we before a crash, have marked already. */
Test(imap_remove, what_is_marked_already_is_removed)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct lab *lab = lab_new(DOT, ways[i], "marked %zu", i);
		char *folder = new_folder(lab);
		const char *one = put(lab, folder, "uid-1", NULL).placed;
		struct endpoint_put two = put(lab, folder, "uid-2", one);

		store(lab, folder, one, "+FLAGS (\\Deleted)");
		fine(drop(lab, folder, one, two.replaced, two.placed), "remove");
		expect(fetch(lab, folder, one), FAULT_GONE, FAULT_SCOPE_ITEM, "the old one");
		expect_words(look(lab, folder, two.placed, "FLAGS"), "\\Deleted", false);
		lab_end(lab);
	}
}

/* ---- sizes ---- */

Test(imap_items, the_bound_is_one_items_affair)
{
	struct lab *lab = lab_new(DOT, 0, "bound");
	char *folder = new_folder(lab), *text = MEM_ARRAY(lab, char, IMAP_ITEM_MAX + 2);
	const char *addresses[3];
	struct endpoint_item *items = NULL;
	struct endpoint_put puts[3] = { { .len = IMAP_ITEM_MAX },
					{ .len = MESSAGE_WHOLE_MAX + 1 }, /* nobody looks */
					{ .text = "x\r\n", .len = 3 } };
	static const char head[] = "Subject: x\r\n\r\n";

	memset(text, 'x', IMAP_ITEM_MAX + 1);
	memcpy(text, head, strlen(head));
	puts[0].text = puts[1].text = text;
	fine(endpoint_put(lab->world.endpoint, lab, folder, puts, 3), "put");
	fine(puts[0].fault, "as long as may be");
	expect(puts[1].fault, FAULT_REFUSED, FAULT_SCOPE_ITEM, "too long to send");
	fine(puts[2].fault, "short");
	append_there(lab, folder, "", NULL, text);
	addresses[0] = puts[0].placed;
	addresses[1] = notice(lab, folder, NULL)->changes[2].address;
	addresses[2] = puts[2].placed;
	fine(endpoint_fetch(lab->world.endpoint, lab, folder, addresses, 3, &items), "fetch");
	fine(items[0].fault, "as long as may be");
	cr_assert(items[0].len == IMAP_ITEM_MAX && !memcmp(items[0].text, text, IMAP_ITEM_MAX));
	expect(items[1].fault, FAULT_DATA, FAULT_SCOPE_ITEM, "too long to read");
	cr_assert_eq(items[1].fault->next, FAULT_NEXT_HOLD);
	fine(items[2].fault, "short");
	lab_end(lab);
}

Test(imap_items, one_message_can_be_asked_for_twice)
{
	struct lab *lab = lab_new(DOT, 0, "twice");
	char *folder = new_folder(lab);
	const char *one = put(lab, folder, "uid-1", NULL).placed;
	const char *addresses[] = { one, "not an address", one, "0000000001.0000000000" };
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, addresses, 4, &items), "fetch");
	for (size_t i = 0; i < 4; i += 2) {
		fine(items[i].fault, "the same");
		cr_assert_str_eq(items[i].text, message(lab, "uid-1"));
		expect(items[i + 1].fault, FAULT_GONE, FAULT_SCOPE_ITEM, addresses[i + 1]);
	}
	lab_end(lab);
}

Test(imap_items, modified_time_is_the_servers)
{
	struct lab *lab = lab_new(DOT, 0, "time");
	char *folder = new_folder(lab);
	int64_t before = clock_now_us(lab->clock), after;
	struct endpoint_item *items = NULL;
	const char *one = put(lab, folder, "uid-1", NULL).placed;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, &one, 1, &items), "fetch");
	after = clock_now_us(lab->clock);
	cr_assert(items[0].modified_us >= before - 2 * CLOCK_SECOND_US &&
			  items[0].modified_us <= after,
		  "between %lld and %lld: %lld", (long long)before, (long long)after,
		  (long long)items[0].modified_us);
	lab_end(lab);
}
