#include "config.h"

#include "decide/told.h"

#include "model/trailer.h"
#include "spec.h"

#define AT_US 1000 /* when a revision was made */

static TALLOC_CTX *mem;

static void setup(void)
{
	mem = talloc_new(NULL);
	cr_assert_null(zone_use(mem, "Europe/Berlin"));
}

static void teardown(void)
{
	talloc_free(mem);
}

TestSuite(told, .init = setup, .fini = teardown);

struct told_case {
	const char *label;
	enum revision_state origin, state;
	const char *theirs, *ours;
	const char *rule, *message, *against, *comment;
	const char *text;
};

static struct revision *revision_of(const struct told_case *c)
{
	struct vector *wrote = spec_vector(mem, c->theirs), *stands = spec_vector(mem, c->ours);
	struct revision *revision = revision_new(mem, c->origin);

	revision->id = 7;
	revision->state = c->state;
	revision->rule = c->rule;
	revision->message = c->message;
	revision->at_us = AT_US;
	revision->author = revision->writer = "mailbox:a/ana@example.com";
	revision->against = c->against;
	revision->comment = c->comment;
	if (c->state != c->origin || c->comment) {
		revision->decided_us = AT_US + 1;
		revision->decided_by = "project:carla";
	}
	for (int f = 0; f < FIELDS; f++)
		if (wrote->value[f].presence != ABSENT)
			revision_field(revision, (enum field)f, NULL, &wrote->value[f],
				       &stands->value[f]);
	return revision;
}

#define LOST REVISION_LOSING, REVISION_LOSING
#define HOW_BACK                                                                                   \
	" To have yours after all, write it again or ask the project manager to restore it.\n"

Test(told, a_form_of_words_for_each_state)
{
	static const struct told_case cases[] = {
		{ "lost", LOST, "percent=30", "percent=60", NULL, "the newer value won",
		  "project:carla", NULL,
		  "Not kept (revision 7): percent 30 %. The project has percent 60 % (set by "
		  "carla). The newer value won." HOW_BACK },
		{ "lost against a file", LOST, "notes=mine", "notes=", NULL, "newer",
		  "import:plan b.xml", NULL,
		  "Not kept (revision 7): notes \"mine\". The project has no notes (from the "
		  "project file plan b.xml). Newer." HOW_BACK },
		{ "lost against another person", LOST, "subject=A", "subject=B", NULL, NULL,
		  "mailbox:a/bob@example.com", NULL,
		  "Not kept (revision 7): subject \"A\". The project has subject \"B\" (reported "
		  "from a/bob@example.com)." HOW_BACK },
		{ "lost against a rule", LOST, "total_work=90", "total_work=60", NULL, "",
		  "rule:cap", NULL,
		  "Not kept (revision 7): total work 1 h 30 min. The project has total work 1 h "
		  "(set by the rule cap)." HOW_BACK },
		{ "lost against oneself", LOST, "percent=30", "percent=60", NULL, "the card counts",
		  "mailbox:a/ana@example.com", NULL,
		  "Not kept (revision 7): percent 30 %. The project has percent 60 %. The card "
		  "counts." HOW_BACK },
		{ "corrected", REVISION_CORRECTED, REVISION_CORRECTED, "percent=140", "percent=100",
		  "percent-range", "Between 0 and 100!", NULL, NULL,
		  "Corrected (revision 7): percent 140 % became percent 100 %. Between 0 and "
		  "100!\n" },
		{ "rejected by a rule", REVISION_REJECTED, REVISION_REJECTED, "percent=20",
		  "percent=40", "no-way-back", "Up only.", NULL, NULL,
		  "Not accepted (revision 7): percent 20 %; it stays at percent 40 %. Up only. To "
		  "have yours after all, ask the project manager to restore it.\n" },
		{ "proposed", REVISION_PROPOSED, REVISION_PROPOSED,
		  "due=2026-12-24; status=completed; completed_at=2026-11-20T10:00:00Z", "", NULL,
		  "kept as a proposal", "project:carla", NULL,
		  "Proposed (revision 7): due 2026-12-24, status completed, completed at "
		  "2026-11-20T10:00:00Z instead of no due, no status, no completed at. Kept as a "
		  "proposal. The project manager decides.\n" },
		{ "accepted", REVISION_PROPOSED, REVISION_ACCEPTED, "due=2026-12-24T16:00:00Z",
		  "due=2026-12-01", NULL, "m", NULL, "good",
		  "Accepted by the project manager (revision 7): due 2026-12-24. Good.\n" },
		{ "restored", REVISION_LOSING, REVISION_ACCEPTED, "percent=30", "percent=60", NULL,
		  "m", NULL, NULL,
		  "Restored by the project manager (revision 7): percent 30 %.\n" },
		{ "refused", REVISION_PROPOSED, REVISION_REJECTED, "due=", "due=2026-12-01", NULL,
		  "m", NULL, NULL,
		  "Refused by the project manager (revision 7): no due; it stays at due "
		  "2026-12-01.\n" },
		{ "a proposal put aside", REVISION_PROPOSED, REVISION_DISMISSED, "priority=1",
		  "priority=5", NULL, "m", NULL, NULL,
		  "Set aside by the project manager (revision 7): priority 1; it stays at priority "
		  "5.\n" },
		{ "a loser put aside", REVISION_LOSING, REVISION_DISMISSED, "percent=30",
		  "percent=60", NULL, "m", NULL, NULL, NULL },
		{ "a loser put aside with a word", REVISION_LOSING, REVISION_DISMISSED,
		  "percent=30", "percent=60", NULL, "m", NULL, "Too early?",
		  "Set aside by the project manager (revision 7): percent 30 %; it stays at "
		  "percent "
		  "60 %. Too early?\n" },
		{ "work taken back", REVISION_PROPOSED, REVISION_PROPOSED, "actual_work=-30",
		  "actual_work=0", NULL, NULL, NULL, NULL,
		  "Proposed (revision 7): actual work -30 min instead of actual work 0 h. The "
		  "project manager decides.\n" },
	};
	int64_t changed_us[FIELDS] = { 0 };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = told_text(mem, revision_of(&cases[i]), 1, changed_us, DATES_DAY);

		cr_expect_str_eq(text ? text : "", cases[i].text ? cases[i].text : "",
				 "%s:\nexpected %s\nactual   %s", cases[i].label,
				 cases[i].text ? cases[i].text : "", text ? text : "");
	}
}

Test(told, until_the_value_moves_on)
{
	static const struct {
		enum revision_state origin, state;
		int64_t percent_us, status_us;
		bool told;
	} cases[] = {
		{ LOST, AT_US, AT_US, true },
		{ LOST, AT_US + 1, AT_US, true },
		{ LOST, AT_US + 1, AT_US + 1, false },
		{ REVISION_LOSING, REVISION_ACCEPTED, AT_US + 1, AT_US + 1, true },
		{ REVISION_LOSING, REVISION_ACCEPTED, AT_US + 2, AT_US + 2, false },
		{ REVISION_PROPOSED, REVISION_PROPOSED, AT_US + 2, AT_US + 2, true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct told_case c = { .origin = cases[i].origin,
				       .state = cases[i].state,
				       .theirs = "percent=30; status=in-process",
				       .ours = "percent=60; status=completed" };
		int64_t changed_us[FIELDS] = { 0 };

		changed_us[FIELD_percent] = cases[i].percent_us;
		changed_us[FIELD_status] = cases[i].status_us;
		cr_expect_eq(told_text(mem, revision_of(&c), 1, changed_us, DATES_DAY) != NULL,
			     cases[i].told, "case %zu", i);
	}
}

Test(told, only_what_a_person_wrote_and_not_too_much)
{
	struct told_case c = { .theirs = "percent=30", .ours = "percent=60" };
	int64_t changed_us[FIELDS] = { 0 };
	struct revision list[TOLD_MAX + 2];
	char *text;

	for (size_t i = 0; i < COUNT_OF(list); i++) {
		list[i] = *revision_of(&c);
		list[i].id = (int64_t)i;
	}
	list[0].writer = "project:carla";
	text = told_text(mem, list, COUNT_OF(list), changed_us, DATES_DAY);
	cr_assert_not_null(text);
	cr_expect_null(strstr(text, "(revision 0)"), "%s", text);
	cr_expect_not_null(strstr(text, "(revision 3)"), "%s", text);
	cr_expect_null(strstr(text, "(revision 4)"), "%s", text);
	list[0].writer = NULL;
	cr_expect_null(told_text(mem, list, 1, changed_us, DATES_DAY));
	cr_expect_null(told_text(mem, list, 0, changed_us, DATES_DAY));
}

/* N4: a value that is quoted does not become part of the trailer's form. */
Test(told, whatever_a_person_wrote_the_notes_come_back)
{
	static const char *const notes[] = {
		"--- taskferry ---",      "x\n\n--- taskferry ---\n| y",
		"a -- Taskferry -- b",    "| Project: other",
		"\" quotes \"",           "\\--- taskferry ---",
		"\xe2\x80\x94 taskferry", "one\r\ntwo | three",
	};
	int64_t changed_us[FIELDS] = { 0 };

	for (size_t i = 0; i < COUNT_OF(notes); i++) {
		struct told_case c = { .theirs = "notes=x", .ours = "notes=y" };
		struct revision *revision = revision_of(&c);
		struct trailer trailer = { .project = "Harbour" };
		char *description;

		revision->field[FIELD_notes].theirs.text = notes[i];
		revision->field[FIELD_notes].ours.text = notes[i];
		trailer.outcomes = told_text(mem, revision, 1, changed_us, DATES_DAY);
		cr_assert_not_null(trailer.outcomes);
		cr_expect_eq(strcspn(trailer.outcomes, "\n"), strlen(trailer.outcomes) - 1,
			     "one line: %s", trailer.outcomes);
		description = trailer_join(mem, "my notes", trailer_text(mem, &trailer));
		cr_expect_str_eq(trailer_split(mem, description, description), "my notes", "%s",
				 description);
		cr_expect_str_eq(trailer_split(mem, description, NULL), "my notes",
				 "last unknown: %s", description);
	}
}
