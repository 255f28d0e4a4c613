#include "config.h"

#include "decide/merge.h"

#include "spec.h"

#define ZONE "Europe/Berlin"

/* T1 is before T2; both sides' bases may be none (first contact). */
#define T1 "2026-11-21T09:00:00Z"
#define T2 "2026-11-21T09:00:00.000001Z"

struct merge_case {
	const char *label;
	const char *project_base, *project, *project_at;
	const char *mailbox_base, *mailbox, *mailbox_at;
	const char *outcome; /* set values | who each moved field is from | lost */
};

static const char *const from_names[] = { "neither", "project", "mailbox", "both" };

static char *outcome_of(TALLOC_CTX *mem, const struct merge *merge)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, spec_text(mem, merge->values, true));
	buf_puts(buf, " |");
	for (int f = 0; f < FIELDS; f++)
		if (merge->from[f] != MERGE_FROM_NEITHER)
			buf_printf(buf, " %s<%s%s", field_table[f].name, from_names[merge->from[f]],
				   merge->lost[f] ? "!" : "");
	for (int f = 0; f < FIELDS; f++)
		cr_assert(!merge->lost[f] || merge->from[f] != MERGE_FROM_NEITHER,
			  "%s lost to nobody", field_table[f].name);
	return buf_steal(&buf, mem, NULL);
}

static void check(const struct merge_case *cases, size_t count)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, ZONE));
	for (size_t i = 0; i < count; i++) {
		const struct merge_case *c = &cases[i];
		struct version side[SIDES] = {
			{ .base = spec_vector_or_null(mem, c->project_base),
			  .values = spec_vector(mem, c->project) },
			{ .base = spec_vector_or_null(mem, c->mailbox_base),
			  .values = spec_vector(mem, c->mailbox) },
		};
		char *actual;

		for (int f = 0; f < FIELDS; f++) {
			side[PROJECT].changed_us[f] = spec_time(c->project_at);
			side[MAILBOX].changed_us[f] = spec_time(c->mailbox_at);
		}
		actual = outcome_of(mem, merge_item(mem, side));
		cr_expect_str_eq(actual, c->outcome,
				 "%s: project {%s} -> {%s} at %s, mailbox {%s} -> {%s} at "
				 "%s\nexpected %s\nactual   %s",
				 c->label, c->project_base ? c->project_base : "none", c->project,
				 c->project_at, c->mailbox_base ? c->mailbox_base : "none",
				 c->mailbox, c->mailbox_at, c->outcome, actual);
	}
	talloc_free(mem);
}

Test(merge, sets_by_their_members)
{
	static const struct merge_case cases[] = {
		{ "each adds one", "categories=a,b", "categories=a,b,c", T2, "categories=a,b",
		  "categories=a,b,d", T1, "categories=a\nb\nc\nd | categories<mailbox" },
		{ "each removes one", "categories=a,b,c", "categories=b,c", T1, "categories=a,b,c",
		  "categories=a,c", T2, "categories=c | categories<mailbox" },
		{ "one removes what the other keeps, and adds", "categories=a,b",
		  "categories=a,b,c", T2, "categories=a,b", "categories=b", T1,
		  "categories=b\nc | categories<mailbox" },
		{ "both to the same", "categories=a", "categories=a,b", T1, "categories=a",
		  "categories=a,b", T2, "categories=a\nb | categories<both" },
		{ "project only", "categories=a", "categories=b", T1, "categories=a",
		  "categories=a", T2, "categories=b | categories<project" },
		{ "mailbox only, all of them", "categories=a,b", "categories=a,b", T1,
		  "categories=a,b", "categories=", T2, " | categories<mailbox" },
		{ "a client that drops them says nothing", "categories=a", "categories=a", T1,
		  "categories=a", "notes=x", T2, "categories=a; notes=x | notes<mailbox" },
	};

	check(cases, COUNT_OF(cases));
}

Test(merge, a_group_that_has_not_moved_is_not_compared)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	bool project_moved[GROUPS] = { [GROUP_PLAN] = true },
	     mailbox_moved[GROUPS] = { [GROUP_NOTES] = true };
	struct version side[SIDES] = {
		{ .base = spec_vector(mem, "percent=20; due=2026-12-01"),
		  .values = spec_vector(mem, "percent=60; due=2026-12-05"),
		  .moved = project_moved },
		{ .base = spec_vector(mem, "percent=20; notes=a"),
		  .values = spec_vector(mem, "percent=40; notes=b"),
		  .moved = mailbox_moved },
	};

	cr_expect_str_eq(outcome_of(mem, merge_item(mem, side)),
			 "due=2026-12-05; percent=60; notes=b | due<project notes<mailbox");
	talloc_free(mem);
}

Test(merge, m1_changed_on_one_side)
{
	static const struct merge_case cases[] = {
		{ "nothing moved", "notes=a; due=2026-11-21", "notes=a; due=2026-11-21", T1,
		  "notes=a; due=2026-11-21", "notes=a; due=2026-11-21", T2,
		  "due=2026-11-21; notes=a |" },
		{ "mailbox only", "notes=a", "notes=a", T2, "notes=a", "notes=b", T1,
		  "notes=b | notes<mailbox" },
		{ "project only", "notes=a", "notes=b", T1, "notes=a", "notes=a", T2,
		  "notes=b | notes<project" },
		{ "each another field", "notes=a; due=2026-11-21", "notes=a; due=2026-11-22", T1,
		  "notes=a; due=2026-11-21", "notes=b; due=2026-11-21", T2,
		  "due=2026-11-22; notes=b | due<project notes<mailbox" },
		{ "mailbox clears", "notes=a", "notes=a", T1, "notes=a", "notes=", T2,
		  " | notes<mailbox" },
		{ "project clears", "notes=a", "notes=", T1, "notes=a", "notes=a", T2,
		  " | notes<project" },
		{ "mailbox sets what was not there", "", "", T1, "notes=", "notes=b", T2,
		  "notes=b | notes<mailbox" },
		{ "other spelling is no change", "notes=a", "notes=a", T1, "notes=a", "notes=a  ",
		  T2, "notes=a |" },
		{ "another time of the day is no change", "due=2026-11-21", "due=2026-11-21", T1,
		  "due=2026-11-21", "due=2026-11-21T10:00:00Z", T2, "due=2026-11-21 |" },
		{ "the evening before in UTC is the day in Berlin", "due=2026-11-21",
		  "due=2026-11-21", T1, "due=2026-11-21", "due=2026-11-20T23:30:00Z", T2,
		  "due=2026-11-21 |" },
		{ "priorities of one band are one", "priority=1", "priority=1", T1, "priority=1",
		  "priority=3", T2, "priority=1 |" },
		{ "priorities of two bands are two", "priority=1", "priority=1", T1, "priority=1",
		  "priority=5", T2, "priority=5 | priority<mailbox" },
		{ "categories in another order are no change", "categories=a,b", "categories=a,b",
		  T1, "categories=a,b", "categories=b,a", T2, "categories=a\nb |" },
	};

	check(cases, COUNT_OF(cases));
}

Test(merge, each_side_has_its_own_past)
{
	static const struct merge_case cases[] = {
		/* the client keeps a value in its own spelling: it differs from ours, but it did
		   not move */
		{ "a standing difference is no edit", "notes=ours", "notes=ours", T1,
		  "notes=theirs", "notes=theirs", T2, "notes=ours |" },
		/* 140 was read and corrected to 100, the push is still on its way */
		{ "a correction on its way out is no edit", "percent=100; status=completed",
		  "percent=100; status=completed", T1, "percent=140", "percent=140", T2,
		  "status=completed; percent=100 |" },
		{ "and an edit of the uncorrected item is one", "notes=", "notes=", T1, "notes=a",
		  "notes=b", T2, "notes=b | notes<mailbox" },
	};

	check(cases, COUNT_OF(cases));
}

Test(merge, m2_changed_to_the_same)
{
	static const struct merge_case cases[] = {
		{ "equal", "notes=a", "notes=b", T1, "notes=a", "notes=b", T2,
		  "notes=b | notes<both" },
		{ "equal in meaning", "due=2026-11-21", "due=2026-11-23", T1, "due=2026-11-21",
		  "due=2026-11-23T11:00:00Z", T2, "due=2026-11-23 | due<both" },
		{ "both cleared", "notes=a", "", T1, "notes=a", "notes=", T2, " | notes<both" },
		{ "coupled group, all equal", "percent=0",
		  "percent=100; status=completed; completed_at=2026-11-21T09:00:00Z", T1,
		  "percent=0", "percent=100; status=completed; completed_at=2026-11-21T09:00:00Z",
		  T2,
		  "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z | status<both "
		  "percent<both completed_at<both" },
	};

	check(cases, COUNT_OF(cases));
}

Test(merge, m3_the_newer_wins_and_the_other_is_lost)
{
	static const struct merge_case cases[] = {
		{ "mailbox newer", "notes=a", "notes=p", T1, "notes=a", "notes=m", T2,
		  "notes=m | notes<mailbox!" },
		{ "project newer", "notes=a", "notes=p", T2, "notes=a", "notes=m", T1,
		  "notes=p | notes<project!" },
		{ "at the same time the mailbox", "notes=a", "notes=p", T1, "notes=a", "notes=m",
		  T1, "notes=m | notes<mailbox!" },
		{ "clearing against setting, mailbox newer", "notes=a", "notes=p", T1, "notes=a",
		  "notes=", T2, " | notes<mailbox!" },
		{ "clearing against setting, project newer", "notes=a", "notes=", T2, "notes=a",
		  "notes=m", T1, " | notes<project!" },
		{ "per field: only the one in conflict is lost", "notes=a; due=2026-11-21",
		  "notes=p; due=2026-11-21", T2, "notes=a; due=2026-11-21",
		  "notes=m; due=2026-11-25", T1,
		  "due=2026-11-25; notes=p | due<mailbox notes<project!" },
	};

	check(cases, COUNT_OF(cases));
}

/* Status, percent and completion date are decided as one. */
Test(merge, coupled_fields_go_together)
{
	static const struct merge_case cases[] = {
		{ "one of three moves all three", "status=in-process; percent=40",
		  "status=in-process; percent=40", T1, "status=in-process; percent=40",
		  "status=completed; percent=40", T2,
		  "status=completed; percent=40 | status<mailbox percent<mailbox "
		  "completed_at<mailbox" },
		{ "different members moved: one conflict, project newer",
		  "status=in-process; percent=40", "status=in-process; percent=60", T2,
		  "status=in-process; percent=40",
		  "status=completed; percent=40; completed_at=2026-11-21T09:00:00Z", T1,
		  "status=in-process; percent=60 | status<project! percent<project! "
		  "completed_at<project!" },
		{ "different members moved: one conflict, mailbox newer",
		  "status=in-process; percent=40", "status=in-process; percent=60", T1,
		  "status=in-process; percent=40",
		  "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z", T2,
		  "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z | "
		  "status<mailbox! percent<mailbox! completed_at<mailbox!" },
		{ "a member that is equal on both sides is not lost",
		  "status=needs-action; percent=0", "status=in-process; percent=10", T2,
		  "status=needs-action; percent=0", "status=in-process; percent=20", T1,
		  "status=in-process; percent=10 | status<project percent<project! "
		  "completed_at<project" },
		{ "notes are not of the group", "percent=10; notes=a", "percent=20; notes=a", T2,
		  "percent=10; notes=a", "percent=10; notes=b", T1,
		  "percent=20; notes=b | status<project percent<project completed_at<project "
		  "notes<mailbox" },
	};

	check(cases, COUNT_OF(cases));
}

/* M3 for the group looks at the newest change of any of its members. */
Test(merge, coupled_time_is_the_newest_of_the_group)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct version side[SIDES] = {
		{ .base = spec_vector(mem, "status=needs-action; percent=0"),
		  .values = spec_vector(mem, "status=in-process; percent=30") },
		{ .base = spec_vector(mem, "status=needs-action; percent=0"),
		  .values = spec_vector(mem, "status=completed; percent=100") },
	};

	side[PROJECT].changed_us[FIELD_status] = spec_time("2026-11-21T08:00:00Z");
	side[PROJECT].changed_us[FIELD_percent] = spec_time("2026-11-21T10:00:00Z");
	side[MAILBOX].changed_us[FIELD_status] = side[MAILBOX].changed_us[FIELD_percent] =
		spec_time("2026-11-21T09:00:00Z");
	/* the date did not move on the project's side, so that it was set later says nothing */
	side[PROJECT].changed_us[FIELD_completed_at] = spec_time("2026-11-21T07:00:00Z");
	cr_expect_str_eq(outcome_of(mem, merge_item(mem, side)),
			 "status=in-process; percent=30 | status<project! percent<project! "
			 "completed_at<project");
	side[PROJECT].changed_us[FIELD_percent] = spec_time("2026-11-21T08:30:00Z");
	side[PROJECT].changed_us[FIELD_completed_at] = spec_time("2026-11-21T11:00:00Z");
	cr_expect_str_eq(outcome_of(mem, merge_item(mem, side)),
			 "status=completed; percent=100 | status<mailbox! percent<mailbox! "
			 "completed_at<mailbox");
	talloc_free(mem);
}

Test(merge, absent_never_counts)
{
	static const struct merge_case cases[] = {
		{ "a text that says nothing changes nothing",
		  "notes=a; percent=40; due=2026-11-21; total_work=60",
		  "notes=a; percent=40; due=2026-11-21; total_work=60", T1,
		  "notes=a; percent=40; due=2026-11-21; total_work=60", "", T2,
		  "due=2026-11-21; total_work=60; percent=40; notes=a |" },
		{ "also where the project moved", "total_work=60", "total_work=90", T1,
		  "total_work=60", "", T2, "total_work=90 | total_work<project" },
		{ "an absent member of a winning group keeps the project's",
		  "status=in-process; percent=40", "status=in-process; percent=40", T1,
		  "status=in-process; percent=40", "status=needs-action", T2,
		  "status=needs-action; percent=40 | status<mailbox percent<mailbox "
		  "completed_at<mailbox" },
		{ "what was absent and comes is a change", "total_work=60", "total_work=60", T1, "",
		  "total_work=90", T2, "total_work=90 | total_work<mailbox" },
	};

	check(cases, COUNT_OF(cases));
}

/* Owner is not both: the project's, whatever the item says. */
Test(merge, what_is_not_merged_is_the_projects)
{
	static const struct merge_case cases[] = {
		{ "parent, actual work", "parent=1; actual_work=60", "parent=1; actual_work=60", T1,
		  "parent=1; actual_work=60", "parent=2; actual_work=90", T2,
		  "parent=1; actual_work=60 |" },
		{ "fields that items do not carry", "deadline=2026-12-01; description=x",
		  "deadline=2026-12-02; description=y", T1, "",
		  "deadline=2026-12-09; description=z", T2,
		  "deadline=2026-12-02; description=y |" },
	};

	check(cases, COUNT_OF(cases));
}

/* M6: what is found on an adopted item is a mailbox change where people report, and none where they
 * do not. */
Test(merge, first_contact)
{
	static const struct merge_case cases[] = {
		{ "progress and notes are the mailbox'", NULL,
		  "percent=0; status=needs-action; notes=", T2, NULL,
		  "percent=60; status=in-process; notes=n", T1,
		  "status=in-process; percent=60; notes=n | status<mailbox percent<mailbox "
		  "completed_at<mailbox notes<mailbox" },
		{ "the plan is the project's", NULL, "due=2026-11-21; priority=1; subject=S", T1,
		  NULL, "due=2026-12-24; priority=9; subject=T", T2,
		  "subject=S; due=2026-11-21; priority=1 | subject<project due<project "
		  "priority<project" },
		{ "what agrees stays", NULL, "due=2026-11-21; percent=40; status=in-process", T1,
		  NULL, "due=2026-11-21; percent=40; status=in-process", T2,
		  "due=2026-11-21; status=in-process; percent=40 |" },
		{ "an item that says nothing takes nothing away", NULL,
		  "percent=40; notes=n; due=2026-11-21", T1, NULL, "", T2,
		  "due=2026-11-21; percent=40; notes=n | due<project" },
		{ "cleared notes of an adopted item are a mailbox change", NULL, "notes=n", T1,
		  NULL, "notes=", T2, " | notes<mailbox" },
	};

	check(cases, COUNT_OF(cases));
}

struct time_case {
	const char *label;
	const char *server, *last_modified, *last_modified_seen;
	const char *expected;
};

/* Last seen unchanged at 09:00, seen changed at 10:00. */
Test(merge, mailbox_time_stays_in_its_window)
{
	static const struct time_case cases[] = {
		{ "the server's time", "2026-11-21T09:30:00Z", NULL, NULL, "2026-11-21T09:30:00Z" },
		{ "the server's before the client's", "2026-11-21T09:30:00Z",
		  "2026-11-21T09:40:00Z", "2026-11-21T08:00:00Z", "2026-11-21T09:30:00Z" },
		{ "no server time: the client's", NULL, "2026-11-21T09:40:00Z",
		  "2026-11-21T08:00:00Z", "2026-11-21T09:40:00Z" },
		{ "a client a year ahead", NULL, "2027-11-21T09:40:00Z", "2026-11-21T08:00:00Z",
		  "2026-11-21T10:00:00Z" },
		{ "a client a year behind", NULL, "2025-11-21T09:40:00Z", "2026-11-21T08:00:00Z",
		  "2026-11-21T10:00:00Z" },
		{ "a client's time that did not move", NULL, "2026-11-21T09:40:00Z",
		  "2026-11-21T09:40:00Z", "2026-11-21T10:00:00Z" },
		{ "a client a year ahead, the server knows", "2026-11-21T09:30:00Z",
		  "2027-11-21T09:40:00Z", "2026-11-21T08:00:00Z", "2026-11-21T09:30:00Z" },
		{ "a client a year behind, the server knows", "2026-11-21T09:30:00Z",
		  "2025-11-21T09:40:00Z", "2026-11-21T08:00:00Z", "2026-11-21T09:30:00Z" },
		{ "a server before the window, a good client", "2026-11-21T08:59:59Z",
		  "2026-11-21T09:40:00Z", "2026-11-21T08:00:00Z", "2026-11-21T09:40:00Z" },
		{ "a server behind the window, nothing else", "2026-11-21T10:00:01Z", NULL, NULL,
		  "2026-11-21T10:00:00Z" },
		{ "the window's first moment", "2026-11-21T09:00:00Z", NULL, NULL,
		  "2026-11-21T09:00:00Z" },
		{ "the window's last moment", "2026-11-21T10:00:00Z", NULL, NULL,
		  "2026-11-21T10:00:00Z" },
		{ "nothing known", NULL, NULL, NULL, "2026-11-21T10:00:00Z" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct merge_times times = { .server_us = spec_time(cases[i].server),
					     .last_modified_us = spec_time(cases[i].last_modified),
					     .last_modified_seen_us =
						     spec_time(cases[i].last_modified_seen),
					     .unchanged_us = spec_time("2026-11-21T09:00:00Z"),
					     .changed_us = spec_time("2026-11-21T10:00:00Z") };
		char *actual = clock_rfc3339(mem, merge_mailbox_time(&times));

		cr_expect_str_eq(actual, cases[i].expected, "%s: expected %s, actual %s",
				 cases[i].label, cases[i].expected, actual);
	}
	talloc_free(mem);
}

/* Whatever a client's clock says, a project's change outside of the window is always older or
 * always newer. */
Test(merge, a_wrong_clock_never_decides)
{
	static const char *const client[] = { "2025-11-21T09:30:00Z", "2027-11-21T09:30:00Z" };
	static const struct {
		const char *project_at;
		enum merge_from winner;
	} cases[] = {
		{ "2026-11-21T08:59:00Z",
		  MERGE_FROM_MAILBOX }, /* before the item was last seen unchanged */
		{ "2026-11-21T10:01:00Z", MERGE_FROM_PROJECT }, /* after the change was noticed */
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(client) * COUNT_OF(cases); i++) {
		const char *at = cases[i / 2].project_at;
		struct merge_times times = { .last_modified_us = spec_time(client[i % 2]),
					     .unchanged_us = spec_time("2026-11-21T09:00:00Z"),
					     .changed_us = spec_time("2026-11-21T10:00:00Z") };
		struct version side[SIDES] = {
			{ .base = spec_vector(mem, "notes=a"),
			  .values = spec_vector(mem, "notes=p") },
			{ .base = spec_vector(mem, "notes=a"),
			  .values = spec_vector(mem, "notes=m") },
		};
		struct merge *merge;

		side[PROJECT].changed_us[FIELD_notes] = spec_time(at);
		side[MAILBOX].changed_us[FIELD_notes] = merge_mailbox_time(&times);
		merge = merge_item(mem, side);
		cr_expect_eq(merge->from[FIELD_notes], cases[i / 2].winner,
			     "client's clock %s, project %s: %s won", client[i % 2], at,
			     from_names[merge->from[FIELD_notes]]);
		cr_expect(merge->lost[FIELD_notes]);
	}
	talloc_free(mem);
}
