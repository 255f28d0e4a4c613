#include "config.h"

#define IMAP_KIT_KINDS 2
#include "imap_done_kit.h"
#include "imap_sweep_kit.h"

/* What a person sets on a message without touching its text, on real Dovecots: flags, keywords, and the
 * mailbox for tasks that are done. */

/* Whatever the server tells of flags: what a person set is a change, and told once; that it was read
 * is none. Each look is by a connection of its own, as that of another process. */
static void try_marks(unsigned without)
{
	struct lab *lab = lab_new(DOT, without, without ? "digest" : "marks");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL),
			    two = put(lab, folder, "uid-2", NULL);
	struct endpoint_notice *made = notice(lab, folder, NULL);
	static const struct {
		const char *store, *marks;
	} steps[] = {
		{ "+FLAGS (\\Seen)", NULL },
		{ "+FLAGS (\\Flagged)", " \\Flagged" },
		{ "+FLAGS ($Done)", " $Done \\Flagged" },
		{ "-FLAGS (\\Seen)", NULL },
		{ "-FLAGS (\\Flagged)", " $Done" },
		{ "-FLAGS ($Done)", "" },
	};

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const char *version = NULL;

		lab->world.endpoint = account(lab, lab->url, "secret", without);
		store(lab, folder, one.placed, steps[i].store);
		made = notice(lab, folder, made->token);
		for (size_t j = 0; j < made->count; j++) {
			if (!strcmp(made->changes[j].address, two.placed))
				cr_assert_str_eq(made->changes[j].version, two.version);
			else
				version = made->changes[j].version;
		}
		if (steps[i].marks)
			cr_assert_str_eq(version,
					 mem_printf(lab, "%s%s", one.placed, steps[i].marks),
					 "%x: %s", without, steps[i].store);
		cr_assert_eq(notice(lab, folder, made->token)->count, 0, "%x: %s again", without,
			     steps[i].store);
	}
	lab_end(lab);
}

Test(imap_notice, a_mark_is_told_once)
{
	try_marks(0);
	try_marks(1U << IMAP_CAP_CONDSTORE);
}

/* What we have written is no news, what somebody marked meanwhile is. */
static void try_advance(unsigned without)
{
	struct lab *lab = lab_new(DOT, without, without ? "counted" : "advance");
	struct endpoint *endpoint = lab->world.endpoint;
	char *folder = new_folder(lab), *token;
	struct endpoint_put old, now = { .text = message(lab, "uid-1") };
	struct endpoint_notice *made;

	now.len = strlen(now.text);
	old = put(lab, folder, "uid-1", NULL);
	store(lab, folder, old.placed, "+FLAGS ($Mine)");
	made = notice(lab, folder, NULL);
	now.address = old.placed;
	now.if_version = made->changes[0].version;
	fine(endpoint_put(endpoint, lab, folder, &now, 1), "put");
	fine(now.fault, "put");
	cr_assert_str_eq(now.version, mem_printf(lab, "%s $Mine", now.placed));
	fine(drop(lab, folder, old.placed, now.replaced, now.placed), "old");
	fine(endpoint_advance(endpoint, lab, folder, made->token, &token), "advance");
	cr_assert_str_neq(token, made->token);
	cr_assert_eq(notice(lab, folder, token)->count, 0, "%x: our own work is news", without);
	made = notice(lab, folder, token);
	(void)put(lab, folder, "uid-2", NULL);
	store(lab, folder, now.placed, "+FLAGS (\\Flagged)");
	fine(endpoint_advance(endpoint, lab, folder, made->token, &token), "advance");
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	made = notice(lab, folder, token);
	cr_assert(made->count >= 1, "%x: a mark was lost", without);
	cr_assert_str_eq(made->changes[0].version,
			 mem_printf(lab, "%s $Mine \\Flagged", now.placed));
	lab_end(lab);
}

Test(imap_notice, only_our_own_work_is_passed_over)
{
	try_advance(0);
	try_advance(1U << IMAP_CAP_CONDSTORE);
}

/* A mark that was recorded and taken back before a token took the place of the doubted one. */
static void try_doubted(uint64_t without)
{
	struct lab *lab = lab_new(DOT, without, without ? "doubted" : "counting");
	char *folder = new_folder(lab);
	struct endpoint_put one = put(lab, folder, "uid-1", NULL);
	const char *token = notice(lab, folder, NULL)->token, *doubted;
	struct endpoint_notice *made;

	store(lab, folder, one.placed, "+FLAGS (\\Flagged)");
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	made = notice(lab, folder, token);
	cr_assert_eq(made->count, 1);
	doubted = endpoint_doubt(lab->world.endpoint, lab, token);
	doubted = endpoint_doubt(lab->world.endpoint, lab, doubted); /* by the next round, again */
	store(lab, folder, one.placed, "-FLAGS (\\Flagged)");
	lab->world.endpoint = account(lab, lab->url, "secret", without);
	made = notice(lab, folder, doubted);
	cr_assert_eq(made->count, 1, "%llx: nothing is told",
		     (unsigned long long)without);
	cr_assert_str_eq(made->changes[0].version, one.version);
	cr_assert_eq(notice(lab, folder, made->token)->count, 0);
	lab_end(lab);
}

Test(imap_notice, a_mark_that_was_recorded_and_taken_back)
{
	try_doubted(0);
	try_doubted(1U << IMAP_CAP_CONDSTORE);
}

/* ---- the mailbox for tasks that are done ---- */

/* A person moves a message there and back, in the way of clients without MOVE. */
static void try_there_and_back(int kind, uint64_t without)
{
	struct done_lab it = done_lab_new(kind, without, "moved");
	struct endpoint_put one = put(it.lab, it.folder, "uid-1", NULL);
	struct endpoint_notice *made = look_anew(&it, without, NULL);
	const struct endpoint_change *change;
	struct endpoint_item *item;
	const char *done;

	cr_assert(made->full && made->count == 1, "%zu", made->count);
	cr_assert_neq(*ask(it.lab, "LSUB \"\" ", it.done, "LSUB"), '\0', "not subscribed");
	move_there(&it, it.folder, it.done, one.placed);
	made = look_anew(&it, without, made->token);
	change = find(made, true);
	cr_assert_not_null(change);
	done = change->address;
	cr_assert_gt(strcmp(done, one.placed), 0, "%s does not sort behind %s", done, one.placed);
	cr_assert_str_eq(change->marks, "/Done");
	cr_assert_str_eq(change->version, mem_printf(it.lab, "%s /Done", done));
	item = fetch_one(&it, done);
	fine(item->fault, done);
	cr_assert_str_eq(item->version, change->version);
	cr_assert_str_eq(item->marks, "/Done");
	fine(drop(it.lab, it.folder, one.placed, one.version, done), "the first one");
	made = look_anew(&it, without, made->token);
	cr_assert_eq(look_anew(&it, without, made->token)->count, 0);
	move_there(&it, it.done, it.folder, done);
	made = look_anew(&it, without, made->token);
	change = find(made, true);
	cr_assert(made->full ? !change : change && change->removed, "%s is still there", done);
	cr_assert_not_null(find(made, false), "nothing came back");
	expect(fetch_one(&it, done)->fault, FAULT_GONE, FAULT_SCOPE_ITEM, done);
	lab_end(it.lab);
}

Test(imap_done, a_message_is_moved_there_and_back)
{
	for (int kind = DOT; kind <= SLASH; kind++) {
		try_there_and_back(kind, 0);
		try_there_and_back(kind, UINT64_C(1) << IMAP_CAP_CONDSTORE);
	}
}

/* What stands there is an item like others. */
Test(imap_done, items_there_are_removed)
{
	struct done_lab it = done_lab_new(DOT, 0, "removed");
	struct endpoint_put one = put(it.lab, it.folder, "uid-1", NULL);
	struct endpoint_notice *made;
	struct endpoint_remove both[2];

	append_there(it.lab, it.done, "\\Flagged", NULL, message(it.lab, "uid-2"));
	made = look_anew(&it, 0, NULL);
	cr_assert(made->full && made->count == 2, "%zu", made->count);
	cr_assert_str_eq(find(made, true)->marks, "/Done \\Flagged");
	both[0] = (struct endpoint_remove){ .address = find(made, true)->address,
					    .if_version = find(made, true)->version };
	both[1] = (struct endpoint_remove){ .address = one.placed, .if_version = one.version };
	fine(endpoint_remove(it.lab->world.endpoint, it.lab, it.folder, both, 2), "remove");
	fine(both[0].fault, "there");
	fine(both[1].fault, "here");
	cr_assert_eq(look_anew(&it, 0, NULL)->count, 0);
	lab_end(it.lab);
}

/* A person removes the mailbox, and makes it again: all that was in it has gone, and no more. */
Test(imap_done, the_mailbox_goes_and_comes)
{
	struct done_lab it = done_lab_new(DOT, 0, "gone");
	struct endpoint_put one = put(it.lab, it.folder, "uid-1", NULL);
	struct endpoint_notice *made;

	append_there(it.lab, it.done, "", NULL, message(it.lab, "uid-2"));
	made = look_anew(&it, 0, NULL);
	cr_assert_eq(made->count, 2);
	say(it.lab, "DELETE ", it.done);
	made = look_anew(&it, 0, made->token);
	cr_assert(made->full && made->count == 1, "%zu", made->count);
	cr_assert_str_eq(made->changes[0].address, one.placed);
	made = look_anew(&it, 0, made->token);
	cr_assert(!made->full && !made->count);
	say(it.lab, "CREATE ", it.done);
	append_there(it.lab, it.done, "", NULL, message(it.lab, "uid-3"));
	made = look_anew(&it, 0, made->token);
	cr_assert(!made->full && made->count == 1, "full %d, %zu", made->full, made->count);
	cr_assert_str_eq(made->changes[0].marks, "/Done");
	lab_end(it.lab);
}

/* A token of a time when there was no such mailbox, or when it was not asked for. */
Test(imap_done, a_token_of_before_serves)
{
	struct done_lab it = done_lab_new(DOT, 0, "before");
	struct endpoint_notice *made;

	(void)put(it.lab, it.folder, "uid-1", NULL);
	it.lab->done_folder = NULL;
	made = look_anew(&it, 0, NULL);
	append_there(it.lab, it.done, "", NULL, message(it.lab, "uid-2"));
	cr_assert_eq(look_anew(&it, 0, made->token)->count, 0, "nobody asked for it");
	it.lab->done_folder = "Done";
	made = look_anew(&it, 0, made->token);
	cr_assert(!made->full && made->count == 1, "full %d, %zu", made->full, made->count);
	cr_assert_eq(look_anew(&it, 0, made->token)->count, 0);
	it.lab->done_folder = NULL;
	made = look_anew(&it, 0, made->token);
	cr_assert(made->full && made->count == 1, "full %d, %zu", made->full, made->count);
	lab_end(it.lab);
}

/* Nothing changed: two commands. */
Test(imap_done, a_look_that_finds_nothing_is_cheap)
{
	struct done_lab it = done_lab_new(DOT, 0, "cheap");
	struct endpoint_notice *made;
	int64_t before;

	(void)put(it.lab, it.folder, "uid-1", NULL);
	append_there(it.lab, it.done, "", NULL, message(it.lab, "uid-2"));
	made = look_anew(&it, 0, NULL);
	made = notice(it.lab, it.folder, made->token);
	before = endpoint_stats(it.lab->world.endpoint).requests;
	for (int i = 0; i < 10; i++)
		made = notice(it.lab, it.folder, made->token);
	cr_assert_eq(endpoint_stats(it.lab->world.endpoint).requests, before + 20);
	lab_end(it.lab);
}

/* ---- many folders at once ---- */

#define SWEPT 12

static struct endpoint_sweep *sweep(struct done_lab *it, struct endpoint_sweep *folders)
{
	for (size_t i = 0; i < SWEPT; i++)
		folders[i].moved = folders[i].asked = false;
	fine(endpoint_sweep(it->lab->world.endpoint, it->lab, folders, SWEPT), "sweep");
	return folders;
}

static size_t moved(const struct endpoint_sweep *folders)
{
	size_t n = 0;

	for (size_t i = 0; i < SWEPT; i++) {
		cr_assert(folders[i].asked, "%s", folders[i].folder);
		n += folders[i].moved;
	}
	return n;
}

/* One command tells of all of them. */
static void try_sweep(uint64_t without, const char *done_folder, int64_t commands)
{
	struct done_lab it = done_lab_new(SLASH, without, done_folder ? "swept both" : "swept");
	struct endpoint_sweep folders[SWEPT] = { 0 };
	bool created;
	int64_t before;

	it.lab->done_folder = done_folder;
	it.lab->world.endpoint = account(it.lab, it.lab->url, "secret", without);
	for (size_t i = 0; i < SWEPT; i++) {
		folders[i].folder =
			ensure(it.lab, mem_printf(it.lab, "f%zu*%%", i), NULL, &created);
		append_there(it.lab, folders[i].folder, "", NULL, message(it.lab, "uid-1"));
		folders[i].token = notice(it.lab, folders[i].folder, NULL)->token;
	}
	before = endpoint_stats(it.lab->world.endpoint).requests;
	cr_assert_eq(moved(sweep(&it, folders)), 0);
	cr_assert_eq(endpoint_stats(it.lab->world.endpoint).requests, before + commands);
	append_there(it.lab, folders[3].folder, "", NULL, message(it.lab, "uid-2"));
	select_there(it.lab, folders[5].folder);
	say(it.lab, "STORE 1 +FLAGS (\\Flagged)", NULL);
	say(it.lab, "DELETE ", folders[7].folder);
	if (done_folder)
		append_there(it.lab, mem_printf(it.lab, "%s/Done", folders[9].folder), "", NULL,
			     message(it.lab, "uid-2"));
	cr_assert_eq(moved(sweep(&it, folders)), done_folder ? 4 : 3);
	cr_assert(folders[3].moved && folders[5].moved && folders[7].moved);
	cr_assert_eq(folders[9].moved, done_folder != NULL);
	lab_end(it.lab);
}

Test(imap_sweep, all_folders_by_one_command)
{
	try_sweep(0, NULL, 1);
	try_sweep(0, "Done", 1);
	try_sweep(UINT64_C(1) << IMAP_CAP_LIST_STATUS, NULL, SWEPT);
}

Test(imap_sweep, two_hundred_folders_by_one_command)
{
	try_many_folders(SLASH);
}

/* Flags would have to be listed: each folder is to be asked by itself. */
Test(imap_sweep, what_cannot_be_told_is_not_asked)
{
	struct done_lab it = done_lab_new(DOT, UINT64_C(1) << IMAP_CAP_CONDSTORE, "untold");
	struct endpoint_sweep folder = { .folder = it.folder };

	folder.token = notice(it.lab, it.folder, NULL)->token;
	fine(endpoint_sweep(it.lab->world.endpoint, it.lab, &folder, 1), "sweep");
	cr_assert(folder.moved && !folder.asked);
	lab_end(it.lab);
}

/* ---- put there ---- */

static void expect_listed(struct done_lab *it, uint64_t without, const struct endpoint_put *put,
			  const char *marks)
{
	struct endpoint_notice *made = look_anew(it, without, NULL);

	cr_assert_eq(made->count, 1, "%zu messages", made->count);
	cr_assert_str_eq(made->changes[0].address, put->placed);
	cr_assert_str_eq(made->changes[0].version, put->version);
	cr_assert_str_eq(made->changes[0].marks, marks);
}

/* A replacement goes into the mailbox, stays in it, and comes back, with all that it bears. */
static void try_put_there(uint64_t without, const char *name)
{
	struct done_lab it = done_lab_new(DOT, without, name);
	struct endpoint_put one = put_marked(&it, "uid-1", NULL, "\\Flagged work", NULL), two;

	expect_listed(&it, without, &one, "\\Flagged work");
	two = put_marked(&it, "uid-2", &one, "/Done $Ack", "WORK");
	cr_assert_eq(*two.placed, 'd', "%s", two.placed);
	expect_listed(&it, without, &two, "$Ack /Done \\Flagged");
	one = put_marked(&it, "uid-3", &two, NULL, NULL);
	cr_assert_eq(*one.placed, 'd', "%s", one.placed);
	expect_listed(&it, without, &one, "$Ack /Done \\Flagged");
	two = put_marked(&it, "uid-4", &one, NULL, "/Done $ack");
	cr_assert_neq(*two.placed, 'd', "%s", two.placed);
	expect_listed(&it, without, &two, "\\Flagged");
	lab_end(it.lab);
}

Test(imap_done, a_replacement_goes_there_and_back)
{
	try_put_there(0, "put there");
	try_put_there(UINT64_C(1) << IMAP_CAP_CONDSTORE, "put, no CONDSTORE");
	try_put_there(UINT64_C(1) << IMAP_CAP_MULTIAPPEND, "put, no MULTIAPPEND");
	try_put_there(UINT64_C(1) << IMAP_CAP_UIDPLUS, "put, no UIDPLUS");
	try_put_there(~UINT64_C(0), "put, with nothing");
}

/* Of one batch each goes its own way, and what is not there any more is told of each. */
Test(imap_done, a_batch_goes_several_ways)
{
	struct done_lab it = done_lab_new(DOT, 0, "several ways");
	struct endpoint_put here = put_marked(&it, "uid-1", NULL, NULL, NULL),
			    there = put_marked(&it, "uid-2", NULL, "/Done", NULL), puts[5];
	size_t done = 0;

	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		const char *text = message(it.lab, "uid-3");

		puts[i] = (struct endpoint_put){ .text = text, .len = strlen(text) };
	}
	puts[0].marks_add = "/Done";
	puts[1].address = there.placed;
	puts[1].if_version = there.version;
	puts[1].marks_drop = "/done";
	puts[2].address = puts[2].if_version = "d0000000001.0000000001";
	puts[3].address = here.placed;
	puts[3].if_version = here.version;
	fine(endpoint_put(it.lab->world.endpoint, it.lab, it.folder, puts, COUNT_OF(puts)), "put");
	for (size_t i = 0; i < COUNT_OF(puts); i++) {
		if (i == 2)
			expect(puts[i].fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "who is not there");
		else
			fine(puts[i].fault, "put");
		done += puts[i].placed && *puts[i].placed == 'd';
	}
	cr_assert_eq(done, 1);
	cr_assert_eq(*puts[0].placed, 'd');
	cr_assert_not_null(puts[1].replaced);
	cr_assert_not_null(puts[3].replaced);
	cr_assert_eq(look_anew(&it, 0, NULL)->count, 6);
	lab_end(it.lab);
}

/* Who removed the mailbox meant it: the folder itself has to do. */
Test(imap_done, without_the_mailbox_it_stays_in_the_folder)
{
	struct done_lab it = done_lab_new(DOT, 0, "not there");
	struct endpoint_put one = put_marked(&it, "uid-1", NULL, NULL, NULL), two;

	say(it.lab, "DELETE ", it.done);
	two = put_marked(&it, "uid-2", &one, "/Done \\Flagged", NULL);
	cr_assert_neq(*two.placed, 'd', "%s", two.placed);
	expect_listed(&it, 0, &two, "\\Flagged");
	lab_end(it.lab);
}

/* ---- what came there since a token, and went again before the look ---- */

enum coming {
	STAYS, /* all along; only the message goes */
	GOES,  /* with the message */
	COMES, /* behind the token */
	COMES_AND_GOES,
};

static bool in_span(const struct endpoint_notice *notice, const char *address)
{
	for (size_t i = 0; i < notice->span_count; i++)
		if (strcmp(address, notice->spans[i].from) >= 0 &&
		    strcmp(address, notice->spans[i].to) <= 0)
			return true;
	return false;
}

/* Nothing but the span can tell; as long as the mailbox is not there it may have come again. */
static void try_coming(enum coming coming, uint64_t without)
{
	static const char *const names[] = { "stays", "goes", "comes", "comes and goes" };
	struct done_lab it = done_lab_new(DOT, without, names[coming]);
	bool comes = coming == COMES || coming == COMES_AND_GOES,
	     goes = coming == GOES || coming == COMES_AND_GOES;
	struct endpoint_put there, here = put_marked(&it, "uid-1", NULL, NULL, NULL);
	struct endpoint_notice *made;
	const char *token;

	if (comes)
		say(it.lab, "DELETE ", it.done);
	token = look_anew(&it, without, NULL)->token;
	if (comes)
		say(it.lab, "CREATE ", it.done);
	there = put_marked(&it, "uid-2", NULL, "/Done", NULL);
	cr_assert_eq(*there.placed, 'd');
	store(it.lab, it.done, there.placed, "+FLAGS (\\Deleted)");
	say(it.lab, "EXPUNGE", NULL);
	if (goes)
		say(it.lab, "DELETE ", it.done);
	made = look_anew(&it, without, token);
	cr_expect(!made->full && !made->count, "%d: full %d, %zu", (int)coming, made->full,
		  made->count);
	cr_expect(in_span(made, there.placed), "%d: nobody tells", (int)coming);
	cr_expect(!in_span(made, here.placed), "%d", (int)coming);
	expect(fetch(it.lab, it.folder, there.placed), FAULT_GONE, FAULT_SCOPE_ITEM, "there");
	made = look_anew(&it, without, made->token);
	cr_expect_eq(in_span(made, there.placed), goes, "%d: again", (int)coming);
	lab_end(it.lab);
}

Test(imap_done, what_came_there_and_went_is_missing)
{
	for (int coming = STAYS; coming <= COMES_AND_GOES; coming++) {
		try_coming((enum coming)coming, 0);
		try_coming((enum coming)coming, UINT64_C(1) << IMAP_CAP_CONDSTORE);
	}
}

/* Where none is wanted, none is looked for. */
Test(imap_done, without_the_mailbox_nothing_came_there)
{
	struct done_lab it = done_lab_new(DOT, 0, "none wanted");
	const char *token;

	it.lab->done_folder = NULL;
	token = look_anew(&it, 0, NULL)->token;
	cr_expect_eq(look_anew(&it, 0, token)->span_count, 0);
	it.lab->done_folder = "Done";
	token = look_anew(&it, 0, token)->token;
	cr_expect_eq(look_anew(&it, 0, token)->span_count, 0);
	lab_end(it.lab);
}
