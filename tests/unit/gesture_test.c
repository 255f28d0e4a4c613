#include "config.h"

#include "decide/gesture.h"

#include <string.h>

#include "spec.h"

/* What clients write for a gesture (facts: Thunderbird, Nextcloud Tasks, Tasks.org, DAVx5 with jtx
 * Board, Evolution, Endeavour, KDE, todoman, 2Do, DavMail, Kolab, Synology), and what their people
 * meant. NOW holds what the item says of the three; a property that is not there is cleared, as the
 * VTODO mapper reads it. */

#define CHANGED "2026-11-21T09:00:00Z"
#define STAMP "completed_at=2026-11-21T08:59:00Z"
#define OLD_STAMP "completed_at=2026-11-20T08:00:00Z"

#define OPEN "status=needs-action; percent=; completed_at="
#define AT_40 "status=in-process; percent=40; completed_at="
#define DONE "status=completed; percent=100; " OLD_STAMP

struct gesture_case {
	const char *label;
	const char *seen, *now;
	const char *agreed; /* NULL: as SEEN */
	int64_t own_percent;
	const char *meant; /* set fields */
};

/* The PRODID of the client that a label begins with: numbers are invented by those who are known to
 * invent them. */
static const char *writer_of(const char *label)
{
	static const char *const writers[][2] = {
		{ "Nextcloud", "-//Nextcloud Tasks v0.16.1" },
		{ "OpenTasks", "+//IDN bitfire.at//DAVx5/4.3 ical4j/3.2 (org.dmfs.tasks)" },
		{ "Evolution", "-//Ximian//NONSGML Evolution Calendar//EN" },
	};

	for (size_t i = 0; i < COUNT_OF(writers); i++)
		if (!strncmp(label, writers[i][0], strlen(writers[i][0])))
			return writers[i][1];
	return NULL;
}

static void check(const struct gesture_case *cases, size_t count)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	for (size_t i = 0; i < count; i++) {
		const struct gesture_case *c = &cases[i];
		const char *agreed = c->agreed ? c->agreed : c->seen ? c->seen : "";
		struct gesture_input input = { .seen = spec_vector_or_null(mem, c->seen),
					       .now = spec_vector(mem, c->now),
					       .agreed = spec_vector(mem, agreed),
					       .own_percent = c->own_percent,
					       .changed_us = spec_time(CHANGED),
					       .writer = writer_of(c->label) };
		char *actual = spec_text(mem, gesture_read(mem, &input), true);

		cr_expect_str_eq(actual, c->meant,
				 "%s:\nseen     %s\nnow      %s\nagreed   %s, own %lld\nexpected "
				 "%s\nactual   %s",
				 c->label, c->seen ? c->seen : "none", c->now, agreed,
				 (long long)c->own_percent, c->meant, actual);
	}
	talloc_free(mem);
}

Test(gesture, check_done)
{
	static const struct gesture_case cases[] = {
		{ "Thunderbird, Nextcloud, Tasks.org, DAVx5, Evolution, Endeavour, KDE, todoman, "
		  "Apple",
		  OPEN, "status=completed; percent=100; " STAMP, NULL, 0,
		  "status=completed; percent=100; " STAMP },
		{ "the same from 40 %", AT_40, "status=completed; percent=100; " STAMP, NULL, 40,
		  "status=completed; percent=100; " STAMP },
		{ "2Do: status and date only", OPEN, "status=completed; percent=; " STAMP, NULL, 0,
		  "status=completed; percent=100; " STAMP },
		{ "2Do on an item at 40 %", AT_40, "status=completed; percent=40; " STAMP, NULL, 40,
		  "status=completed; percent=100; " STAMP },
		{ "status alone: the date is when it was changed", AT_40,
		  "status=completed; percent=40; completed_at=", NULL, 40,
		  "status=completed; percent=100; completed_at=" CHANGED },
		{ "Vikunja: status alone, never a percentage", OPEN,
		  "status=completed; percent=; completed_at=", NULL, 0,
		  "status=completed; percent=100; completed_at=" CHANGED },
		{ "Kolab: status and percentage, no date", OPEN,
		  "status=completed; percent=100; completed_at=", NULL, 0,
		  "status=completed; percent=100; completed_at=" CHANGED },
		{ "DavMail: the date is a date", OPEN,
		  "status=completed; percent=100; completed_at=2026-11-21", NULL, 0,
		  "status=completed; percent=100; completed_at=2026-11-21" },
		{ "Synology: completed at 0 %", AT_40, "status=completed; percent=0; " STAMP, NULL,
		  40, "status=completed; percent=100; " STAMP },
		{ "a percentage of 100 alone", AT_40,
		  "status=in-process; percent=100; completed_at=", NULL, 40,
		  "status=completed; percent=100; completed_at=" CHANGED },
		{ "a date alone", AT_40, "status=in-process; percent=40; " STAMP, NULL, 40,
		  "status=completed; percent=100; " STAMP },
	};

	check(cases, COUNT_OF(cases));
}

/* The person's own last percentage comes back; what the client invents does not count. */
Test(gesture, uncheck)
{
	static const struct gesture_case cases[] = {
		{ "Thunderbird, Tasks.org: all three removed", DONE,
		  "status=; percent=; completed_at=", NULL, 40, "status=in-process; percent=40" },
		{ "the same without a percentage of one's own", DONE,
		  "status=; percent=; completed_at=", NULL, 0, "status=needs-action; percent=0" },
		{ "Nextcloud's checkbox, DAVx5, Evolution", DONE,
		  "status=needs-action; percent=; completed_at=", NULL, 60,
		  "status=in-process; percent=60" },
		{ "Nextcloud's status field: 99 and in process", DONE,
		  "status=in-process; percent=99; completed_at=", NULL, 60,
		  "status=in-process; percent=60" },
		{ "Nextcloud's 99 without a percentage of one's own", DONE,
		  "status=in-process; percent=99; completed_at=", NULL, 0,
		  "status=in-process; percent=0" },
		{ "OpenTasks: 50", DONE, "status=in-process; percent=50; completed_at=", NULL, 0,
		  "status=in-process; percent=0" },
		{ "Endeavour: 0, and a new completion date", DONE,
		  "status=needs-action; percent=0; " STAMP, NULL, 25,
		  "status=in-process; percent=25" },
		{ "Endeavour without a percentage of one's own", DONE,
		  "status=needs-action; percent=0; " STAMP, NULL, 0,
		  "status=needs-action; percent=0" },
		{ "KDE: 0 and no status", DONE, "status=; percent=0; completed_at=", NULL, 70,
		  "status=in-process; percent=70" },
		{ "Kolab: percentage 0 only, the status follows", DONE,
		  "status=needs-action; percent=0; completed_at=", NULL, 0,
		  "status=needs-action; percent=0" },
		{ "the date alone is taken away", DONE,
		  "status=completed; percent=100; completed_at=", NULL, 30,
		  "status=in-process; percent=30" },
		{ "99 at an un-check by a client that keeps the item's PRODID", DONE,
		  "status=in-process; percent=99; completed_at=", NULL, 40,
		  "status=in-process; percent=40" },
		{ "a number that nobody invents is a report", DONE,
		  "status=in-process; percent=80; completed_at=", NULL, 40,
		  "status=in-process; percent=80" },
		{ "KDE: a number below 100 on a completed task", DONE,
		  "status=; percent=75; completed_at=", NULL, 40, "status=in-process; percent=75" },
		{ "an own percentage of 100 is none", DONE,
		  "status=needs-action; percent=; completed_at=", NULL, 100,
		  "status=needs-action; percent=0" },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, in_process)
{
	static const struct gesture_case cases[] = {
		{ "Nextcloud, jtx Board: 1", OPEN, "status=in-process; percent=1; completed_at=",
		  NULL, 0, "status=in-process; percent=0" },
		{ "Evolution: 50", OPEN, "status=in-process; percent=50; completed_at=", NULL, 0,
		  "status=in-process; percent=0" },
		{ "Thunderbird: 99 typed by a person", OPEN,
		  "status=in-process; percent=99; completed_at=", NULL, 0,
		  "status=in-process; percent=99" },
		{ "Thunderbird: 50 typed by a person", OPEN,
		  "status=in-process; percent=50; completed_at=", NULL, 0,
		  "status=in-process; percent=50" },
		{ "todoman: the status alone", OPEN, "status=in-process; percent=; completed_at=",
		  NULL, 0, "status=in-process; percent=0" },
		{ "Thunderbird's 0 that was not there", OPEN,
		  "status=in-process; percent=0; completed_at=", NULL, 0,
		  "status=in-process; percent=0" },
		{ "with a number of one's own", OPEN,
		  "status=in-process; percent=30; completed_at=", NULL, 0,
		  "status=in-process; percent=30" },
		{ "a task that was at 40 % and was put back to the beginning", AT_40,
		  "status=needs-action; percent=; completed_at=", NULL, 40,
		  "status=needs-action; percent=0" },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, forty_per_cent)
{
	static const struct gesture_case cases[] = {
		{ "Thunderbird, Nextcloud, DAVx5, Evolution", OPEN,
		  "status=in-process; percent=40; completed_at=", NULL, 0,
		  "status=in-process; percent=40" },
		{ "KDE: the status is only cleared", OPEN,
		  "status=; percent=40; completed_at=", NULL, 0, "status=in-process; percent=40" },
		{ "todoman: the percentage alone", OPEN,
		  "status=needs-action; percent=40; completed_at=", NULL, 0,
		  "status=in-process; percent=40" },
		{ "50 without a change of status is a report", AT_40,
		  "status=in-process; percent=50; completed_at=", NULL, 40,
		  "status=in-process; percent=50" },
		{ "99 likewise", AT_40, "status=in-process; percent=99; completed_at=", NULL, 40,
		  "status=in-process; percent=99" },
		{ "Nextcloud, jtx Board: 0 by removing the property", AT_40,
		  "status=in-process; percent=; completed_at=", NULL, 40,
		  "status=needs-action; percent=0" },
		{ "from done, by the percentage alone", DONE,
		  "status=completed; percent=80; " OLD_STAMP, NULL, 40,
		  "status=in-process; percent=80" },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, impossible_numbers_are_kept_for_the_rules)
{
	static const struct gesture_case cases[] = {
		{ "140 alone", AT_40, "status=in-process; percent=140; completed_at=", NULL, 40,
		  "status=in-process; percent=140" },
		{ "140 with the status that a client flips along", OPEN,
		  "status=in-process; percent=140; completed_at=", NULL, 0,
		  "status=needs-action; percent=140" },
		{ "140 and completed", AT_40, "status=completed; percent=140; " STAMP, NULL, 40,
		  "status=completed; percent=140; " STAMP },
		{ "-5", AT_40, "status=in-process; percent=-5; completed_at=", NULL, 40,
		  "status=in-process; percent=-5" },
		{ "a standing 140 is no report", "status=in-process; percent=140; completed_at=",
		  "status=in-process; percent=140; completed_at=",
		  "status=completed; percent=100; " OLD_STAMP, 40,
		  "status=in-process; percent=140" },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, nothing_changed)
{
	static const struct gesture_case cases[] = {
		{ "as it was", AT_40, AT_40, NULL, 40, "status=in-process; percent=40" },
		{ "Thunderbird adds 0 where nothing was", OPEN,
		  "status=needs-action; percent=0; completed_at=", NULL, 0, "status=needs-action" },
		{ "KDE drops a status of needs-action", OPEN,
		  "status=; percent=; completed_at=", NULL, 0, "status=needs-action" },
		{ "DavMail makes a date of the instant",
		  "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z",
		  "status=completed; percent=100; completed_at=2026-11-20", NULL, 40,
		  "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z" },
		{ "the seconds of a date are no change",
		  "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z",
		  "status=completed; percent=100; completed_at=2026-11-20T08:00:30Z", NULL, 40,
		  "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z" },
		{ "2Do's item as it was left: no percentage", "status=completed; percent=; " STAMP,
		  "status=completed; percent=; " STAMP, "status=completed; percent=100; " STAMP, 0,
		  "status=completed; " STAMP },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, cancelled)
{
	static const struct gesture_case cases[] = {
		{ "keeps its percentage", AT_40, "status=cancelled; percent=40; completed_at=",
		  NULL, 40, "status=cancelled; percent=40" },
		{ "also where the client invents one", AT_40,
		  "status=cancelled; percent=0; completed_at=", NULL, 40,
		  "status=cancelled; percent=40" },
		{ "taken up again", "status=cancelled; percent=40; completed_at=",
		  "status=needs-action; percent=; completed_at=", NULL, 40,
		  "status=in-process; percent=40" },
	};

	check(cases, COUNT_OF(cases));
}

Test(gesture, first_contact_is_as_written)
{
	static const struct gesture_case cases[] = {
		{ "40 %", NULL, AT_40, "", 0, "status=in-process; percent=40" },
		{ "a number without a status", NULL, "status=; percent=40; completed_at=", "", 0,
		  "status=in-process; percent=40" },
		{ "completed without a number", NULL, "status=completed; percent=; completed_at=",
		  "", 0, "status=completed; percent=100; completed_at=" CHANGED },
		{ "a date without a status", NULL, "status=; percent=; " STAMP, "", 0,
		  "status=completed; percent=100; " STAMP },
		{ "Endeavour's un-checked item is open", NULL,
		  "status=needs-action; percent=0; " STAMP, "", 0,
		  "status=needs-action; percent=0" },
		{ "nothing said", NULL, "status=; percent=; completed_at=", "", 0,
		  "status=needs-action; percent=0" },
		{ "nothing said, by who says nothing of it", NULL, "", "", 0, "" },
		{ "cancelled", NULL, "status=cancelled; percent=40; completed_at=", "", 0,
		  "status=cancelled; percent=40" },
		{ "in process at the beginning", NULL, "status=in-process; percent=; completed_at=",
		  "", 0, "status=in-process; percent=0" },
		{ "100 without the status", NULL, "status=needs-action; percent=100; completed_at=",
		  "", 0, "status=completed; percent=100; completed_at=" CHANGED },
		{ "140", NULL, "status=in-process; percent=140; completed_at=", "", 0,
		  "status=in-process; percent=140" },
	};

	check(cases, COUNT_OF(cases));
}

/* All other values pass through untouched, and the input is not changed. */
Test(gesture, touches_nothing_else)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *now = spec_vector(
		mem,
		"subject=S; due=2026-12-01; notes=n; status=completed; percent=99; completed_at=");
	struct vector *seen =
		spec_vector(mem, "subject=R; status=in-process; percent=40; completed_at=");
	struct gesture_input input = { .seen = seen,
				       .now = now,
				       .agreed = seen,
				       .own_percent = 40,
				       .changed_us = spec_time(CHANGED) };
	struct vector *out = gesture_read(mem, &input);

	cr_expect_str_eq(
		spec_text(mem, out, true),
		"subject=S; due=2026-12-01; status=completed; percent=100; completed_at=" CHANGED
		"; notes=n");
	cr_expect_str_eq(spec_text(mem, now, true),
			 "subject=S; due=2026-12-01; status=completed; percent=99; notes=n");
	talloc_free(mem);
}
