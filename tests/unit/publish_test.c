#include "config.h"

#include "decide/publish.h"

#include "spec.h"

struct shown_case {
	const char *label;
	const char *project;
	enum conf_dates dates;
	const char *parent_uid;
	const char *shown; /* set fields */
};

Test(publish, what_an_item_shows)
{
	static const struct shown_case cases[] = {
		{ "nothing known", "", DATES_DAY, NULL, "status=needs-action" },
		{ "the local day of a planned time", "due=2026-11-21T23:30:00Z", DATES_DAY, NULL,
		  "due=2026-11-22; status=needs-action" },
		{ "the time itself, where the site wants it", "due=2026-11-21T23:30:00Z",
		  DATES_TIME, NULL, "due=2026-11-21T23:30:00Z; status=needs-action" },
		{ "a date stays a date", "due=2026-11-21", DATES_TIME, NULL,
		  "due=2026-11-21; status=needs-action" },
		{ "a start before the due date",
		  "start=2026-11-20T08:00:00Z; due=2026-11-21T16:00:00Z", DATES_DAY, NULL,
		  "start=2026-11-20; due=2026-11-21; status=needs-action" },
		{ "a start of the same day is not shown",
		  "start=2026-11-21T08:00:00Z; due=2026-11-21T16:00:00Z", DATES_DAY, NULL,
		  "due=2026-11-21; status=needs-action" },
		{ "of the same day, with times",
		  "start=2026-11-21T08:00:00Z; due=2026-11-21T16:00:00Z", DATES_TIME, NULL,
		  "start=2026-11-21T08:00:00Z; due=2026-11-21T16:00:00Z; status=needs-action" },
		{ "a start without a due date", "start=2026-11-21", DATES_DAY, NULL,
		  "start=2026-11-21; status=needs-action" },
		{ "the parent is the UID in this folder, not the task's key", "parent=17",
		  DATES_DAY, "uid-of-17", "parent=uid-of-17; status=needs-action" },
		{ "no parent in this folder", "parent=17", DATES_DAY, NULL, "status=needs-action" },
		{ "a subject is one line", "subject=Ship\nthe crate", DATES_DAY, NULL,
		  "subject=Ship the crate; status=needs-action" },
		{ "nor has it blanks at its ends", "subject=  Ship crate \n", DATES_DAY, NULL,
		  "subject=Ship crate; status=needs-action" },
		{ "texts as items carry them", "notes=a\rb\x01 \n; categories=c\x07", DATES_DAY, NULL,
		  "categories=c\ufffd; status=needs-action; notes=a\nb\ufffd" },
		{ "what items do not carry",
		  "description=d; deadline=2026-12-01; milestone=true; predecessors=3; "
		  "remaining_work=30",
		  DATES_DAY, NULL, "status=needs-action" },
		{ "all of progress",
		  "status=completed; percent=100; completed_at=2026-11-21T09:00:00Z; "
		  "actual_work=90; total_work=120; "
		  "notes=n; priority=1; categories=b,a",
		  DATES_DAY, NULL,
		  "priority=1; categories=a\nb; total_work=120; status=completed; percent=100; "
		  "completed_at=2026-11-21T09:00:00Z; "
		  "actual_work=90; notes=n" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vector *project = spec_vector(mem, cases[i].project);
		struct vector *item =
			publish_vector(mem, project, cases[i].dates, cases[i].parent_uid);
		char *shown = spec_text(mem, item, true);

		cr_expect_str_eq(shown, cases[i].shown, "%s: {%s}\nexpected %s\nactual   %s",
				 cases[i].label, cases[i].project, cases[i].shown, shown);
		for (int f = 0; f < FIELDS; f++)
			cr_expect_eq(item->value[f].presence == ABSENT,
				     !field_table[f].vtodo || f == FIELD_attachments,
				     "%s: %s must be %s", cases[i].label, field_table[f].name,
				     field_table[f].vtodo ? "set or cleared" : "absent");
	}
	talloc_free(mem);
}

Test(publish, a_subject_is_cut)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *project = vector_new(mem);
	char *subject = mem_strdup(mem, "");

	for (int i = 0; i < SUBJECT_MAX_CHARS + 10; i++)
		subject = talloc_strdup_append(subject, "\xc3\xbc"); /* u umlaut, 2 bytes */
	vector_text(project, FIELD_subject, subject);
	cr_expect_leq(text_length(vector_str(publish_vector(mem, project, DATES_DAY, NULL),
					     FIELD_subject)),
		      SUBJECT_MAX_CHARS);
	talloc_free(mem);
}

struct differs_case {
	const char *label;
	const char *want, *before, *seen;
	bool differs;
};

Test(publish, when_an_item_has_to_be_written)
{
	static const struct differs_case cases[] = {
		{ "the same", "percent=40; notes=n", "percent=40; notes=n", "percent=40; notes=n",
		  false },
		{ "another percentage", "percent=60", "percent=40", "percent=40", true },
		{ "an equal priority band", "priority=1", "priority=1", "priority=3", false },
		{ "the same day at another time", "due=2026-11-21", "due=2026-11-21",
		  "due=2026-11-21T10:00:00Z", false },
		{ "cleared by the client", "due=2026-11-21", "due=2026-11-21", "due=", true },
		{ "dropped by the client: not again", "total_work=120", "total_work=120", "",
		  false },
		{ "dropped by the client, and changed since", "total_work=240", "total_work=120",
		  "", true },
		{ "dropped, and nothing known of before", "total_work=120", NULL, "", false },
		{ "output only: unchanged", "actual_work=60; parent=u", "actual_work=60; parent=u",
		  "", false },
		{ "output only: changed", "actual_work=90", "actual_work=60", "", true },
		{ "output only: a parent comes", "parent=u", "parent=", "", true },
		{ "output only: what the item says does not count", "actual_work=60",
		  "actual_work=60", "actual_work=90", false },
		{ "the client's 0 is no difference", "percent=; status=needs-action",
		  "percent=; status=needs-action", "percent=0; status=", false },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "Europe/Berlin"));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct differs_case *c = &cases[i];
		bool differs = publish_differs(spec_vector(mem, c->want),
					       spec_vector_or_null(mem, c->before),
					       spec_vector(mem, c->seen));

		cr_expect_eq(differs, c->differs,
			     "%s: want {%s} before {%s} seen {%s}: expected %d, actual %d",
			     c->label, c->want, c->before ? c->before : "none", c->seen, c->differs,
			     differs);
	}
	talloc_free(mem);
}
