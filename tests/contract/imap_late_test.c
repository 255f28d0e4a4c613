/* imap_late_test.c - what a person marks at the moment in which a message is removed.
 *
 * timeout: 200
 */
#include "config.h"

#define IMAP_KIT_FIRST SDBOX
#define IMAP_KIT_KINDS 3
#include "imap_done_kit.h"
#include "imap_gate.h"

#include <signal.h>
#include <sys/wait.h>

/* On a real Dovecot, a Cyrus and a Courier: what is set late goes with its task into the other mailbox,
 * and what is set on a message that is to go is looked at first. */

static const uint64_t ways[] = { 0, UINT64_C(1) << IMAP_CAP_CONDSTORE, UINT64_MAX };

static void expect_bears(struct done_lab *it, const char *address, const char *flag, bool there)
{
	bool done = *address == 'd';

	expect_words(look(it->lab, done ? it->done : it->folder, address, "FLAGS"), flag, there);
}

/* ---- into the other mailbox ---- */

/* The old one stands here and its successor THERE, or the other way round. KNOWN: what the old one bore
 * when it was replaced; else as after a crash. */
static void try_crossing(int kind, size_t way, bool there, bool known)
{
	struct endpoint_put one, two;
	struct endpoint_notice *made;
	const char *from, *listed = NULL;
	struct done_lab it;
	char name[64];

	snprintf(name, sizeof name, "crossing %zu %d %d", way, there, known);
	it = done_lab_new(kind, ways[way], name);
	from = there ? it.folder : it.done;
	one = put_beside(&it, "uid-1", NULL, there ? NULL : "/Done", NULL);
	two = put_beside(&it, "uid-2", &one, there ? "/Done" : NULL, there ? NULL : "/Done");
	cr_assert_eq(*two.placed == 'd', there, "%s", two.placed);
	made = look_anew(&it, ways[way], NULL);
	store(it.lab, from, one.placed, "+FLAGS (\\Flagged late \\Seen)");
	fine(drop(it.lab, it.folder, one.placed, known ? two.replaced : NULL, two.placed), "drop");
	expect(fetch(it.lab, it.folder, one.placed), FAULT_GONE, FAULT_SCOPE_ITEM, "the old one");
	expect_bears(&it, two.placed, "\\Flagged", true);
	expect_bears(&it, two.placed, "late", true);
	expect_bears(&it, two.placed, "\\Seen", known);
	expect_bears(&it, two.placed, "\\Deleted", false);
	made = look_anew(&it, ways[way], made->token);
	for (size_t i = 0; i < made->count; i++)
		if (!strcmp(made->changes[i].address, two.placed))
			listed = made->changes[i].marks;
	cr_assert_not_null(listed, "it is no news");
	expect_words(listed, "late", true);
	lab_end(it.lab);
}

static void try_crossings(int kind)
{
	for (size_t way = 0; way < COUNT_OF(ways); way++)
		for (int i = 0; i < 4; i++)
			try_crossing(kind, way, i & 1, i & 2);
}

Test(imap_late, marks_go_into_the_other_mailbox_on_Dovecot)
{
	try_crossings(SDBOX);
}

Test(imap_late, marks_go_into_the_other_mailbox_on_Cyrus)
{
	try_crossings(CYRUS);
}

Test(imap_late, marks_go_into_the_other_mailbox_on_Courier)
{
	try_crossings(COURIER);
}

/* Another process removes the old one, and is killed at that point; false: it got through. */
static bool drop_killed(struct done_lab *it, const struct endpoint_put *old,
			const struct endpoint_put *put, const char *at)
{
	pid_t child = fork();
	int status = 0;

	cr_assert_geq(child, 0);
	if (child == 0) {
		struct fault *fault;

		it->lab->points = points_new(it->lab, at, NULL);
		it->lab->world.endpoint = account(it->lab, it->lab->url, "secret", 0);
		fault = drop(it->lab, it->folder, old->placed, put->replaced, put->placed);
		_exit(fault ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0,
		  "%s: the other process failed", at);
	return WIFSIGNALED(status);
}

/* Wherever it is killed: the next one finishes it, and what was late has arrived, once. */
static size_t try_killed(const char *point, int number)
{
	struct endpoint_put one, two;
	struct fault *fault;
	struct done_lab it;
	char at[64];
	bool killed;

	snprintf(at, sizeof at, "%s:%d", point, number);
	it = done_lab_new(SDBOX, 0, at);
	one = put_beside(&it, "uid-1", NULL, NULL, NULL);
	two = put_beside(&it, "uid-2", &one, "/Done", NULL);
	store(it.lab, it.folder, one.placed, "+FLAGS (\\Flagged late)");
	killed = drop_killed(&it, &one, &two, at);
	it.lab->world.endpoint = account(it.lab, it.lab->url, "secret", 0);
	fault = drop(it.lab, it.folder, one.placed, two.replaced, two.placed);
	cr_assert(!fault || fault->kind == FAULT_GONE, "%s: %s", at, fault ? fault->text : "");
	expect_bears(&it, two.placed, "\\Flagged", true);
	expect_bears(&it, two.placed, "late", true);
	cr_assert_eq(look_anew(&it, 0, NULL)->count, 1, "%s", at);
	lab_end(it.lab);
	return killed;
}

/* Carrying, marking, expunging: each is one command that writes. */
Test(imap_late, a_kill_between_any_two_steps_loses_nothing)
{
	size_t killed = 0;

	for (int number = 1; number <= 4; number++)
		killed += try_killed("IMAP_SENDING", number) + try_killed("IMAP_ANSWERED", number);
	cr_assert_eq(killed, 6);
}

/* What was dropped on purpose stays away, and the other mailbox is not even asked for. */
Test(imap_late, what_is_not_late_costs_nothing)
{
	ON_ALL(kind)
	{
		struct done_lab it = done_lab_new(kind, 0, "on purpose");
		struct endpoint_put one = put_beside(&it, "uid-1", NULL, "/Done $40 \\Flagged",
						     NULL),
				    two = put_beside(&it, "uid-2", &one, NULL, "/Done $40"), three;
		int64_t before = endpoint_stats(it.lab->world.endpoint).requests, crossing;

		fine(drop(it.lab, it.folder, one.placed, two.replaced, two.placed), "drop");
		crossing = endpoint_stats(it.lab->world.endpoint).requests - before;
		expect_bears(&it, two.placed, "$40", false);
		expect_bears(&it, two.placed, "\\Flagged", true);
		three = put_beside(&it, "uid-3", &two, NULL, NULL);
		before = endpoint_stats(it.lab->world.endpoint).requests;
		fine(drop(it.lab, it.folder, two.placed, three.replaced, three.placed), "drop");
		/* one more: the mailbox of the old one is selected */
		cr_assert_leq(crossing,
			      endpoint_stats(it.lab->world.endpoint).requests - before + 1);
		lab_end(it.lab);
	}
}

/* Nobody is there to carry to, or nothing: the old one goes all the same. */
Test(imap_late, a_successor_that_has_gone_keeps_nothing_alive)
{
	ON_ALL(kind)
	{
		struct done_lab it = done_lab_new(kind, 0, "orphan");
		struct endpoint_put one = put_beside(&it, "uid-1", NULL, NULL, NULL),
				    two = put_beside(&it, "uid-2", &one, "/Done", NULL),
				    three = put_beside(&it, "uid-3", NULL, NULL, NULL);

		store(it.lab, it.folder, one.placed, "+FLAGS (\\Flagged)");
		store(it.lab, it.folder, three.placed, "+FLAGS (\\Flagged)");
		fine(drop(it.lab, it.folder, two.placed, NULL, NULL), "the new one");
		fine(drop(it.lab, it.folder, one.placed, two.replaced, two.placed), "the old one");
		say(it.lab, "DELETE ", it.done);
		fine(drop(it.lab, it.folder, three.placed, NULL, two.placed), "no such mailbox");
		cr_assert_eq(look_anew(&it, 0, NULL)->count, 0);
		lab_end(it.lab);
	}
}

/* ---- without a successor ---- */

static void try_withdrawn(int kind, size_t way)
{
	struct endpoint_put one, two;
	struct done_lab it;
	char name[64];

	snprintf(name, sizeof name, "withdrawn %zu", way);
	it = done_lab_new(kind, ways[way], name);
	one = put_beside(&it, "uid-1", NULL, NULL, NULL);
	two = put_beside(&it, "uid-2", NULL, "/Done \\Flagged", NULL);
	store(it.lab, it.folder, one.placed, "+FLAGS (\\Flagged)");
	expect(drop(it.lab, it.folder, one.placed, one.version, NULL), FAULT_CHANGED,
	       FAULT_SCOPE_ITEM, "set");
	store(it.lab, it.done, two.placed, "-FLAGS (\\Flagged)");
	expect(drop(it.lab, it.folder, two.placed, two.version, NULL), FAULT_CHANGED,
	       FAULT_SCOPE_ITEM, "taken away");
	expect_bears(&it, one.placed, "\\Deleted", false);
	expect_bears(&it, two.placed, "\\Deleted", false);
	/* what is no mark is no reason to look */
	store(it.lab, it.folder, one.placed, "+FLAGS (\\Seen \\Answered $Forwarded)");
	fine(drop(it.lab, it.folder, one.placed, mem_printf(it.lab, "%s \\Flagged", one.placed),
		  NULL),
	     "as it is now");
	fine(drop(it.lab, it.folder, two.placed, mem_printf(it.lab, "%s /Done", two.placed), NULL),
	     "as it is now");
	cr_assert_eq(look_anew(&it, ways[way], NULL)->count, 0);
	lab_end(it.lab);
}

Test(imap_late, a_message_that_is_to_go_is_looked_at_first)
{
	ON_ALL(kind)
	for (size_t way = 0; way < COUNT_OF(ways); way++)
		try_withdrawn(kind, way);
}

/* Between our look and our \Deleted: where there is CONDSTORE, the server itself says so. */
static void try_between(int kind)
{
	struct done_lab it = done_lab_new(kind, 0, "between"), theirs = it;
	struct endpoint_put one = put_beside(&it, "uid-1", NULL, NULL, NULL),
			    two = put_beside(&it, "uid-2", &one, NULL, NULL),
			    three = put_beside(&it, "uid-3", NULL, NULL, NULL);
	struct endpoint_remove removes[2] = {
		{ .address = one.placed, .if_version = two.replaced, .successor = two.placed },
		{ .address = three.placed, .if_version = three.version },
	};
	struct gate gate = { .folder = it.folder, .address = three.placed };
	struct endpoint *plain = it.lab->world.endpoint;
	pthread_t thread;

	theirs.lab = lab_new(kind, 0, "between %d 0", kind);
	gate.theirs = theirs.lab;
	gate.flags = "+FLAGS (\\Flagged)";
	/* it is carried first, which is the report that the gate waits for */
	store(it.lab, it.folder, one.placed, "+FLAGS (\\Flagged)");
	(void)other(theirs.lab);
	gate_new(&gate, it.lab);
	it.lab->world.endpoint = account(it.lab, it.lab->url, "secret", 0);
	cr_assert_eq(pthread_create(&thread, NULL, gate_pass, &gate), 0);
	fine(endpoint_remove(it.lab->world.endpoint, it.lab, it.folder, removes, 2), "remove");
	pthread_join(thread, NULL);
	it.lab->world.endpoint = plain;
	fine(removes[0].fault, "what has a successor");
	expect(removes[1].fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "what was marked");
	expect_bears(&it, two.placed, "\\Flagged", true);
	expect_bears(&it, three.placed, "\\Flagged", true);
	expect_bears(&it, three.placed, "\\Deleted", false);
	gate_end(&gate);
	lab_end(theirs.lab);
	lab_end(it.lab);
}

Test(imap_late, a_mark_between_look_and_removal_is_seen)
{
	try_between(SDBOX);
	try_between(CYRUS);
}
