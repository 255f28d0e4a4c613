#include "config.h"

#include "decide/mark.h"

#include <string.h>

#include "decide/gesture.h"
#include "decide/hint.h"
#include "decide/star.h"
#include "base/text.h"
#include "spec.h"

#define NEW "status=needs-action; percent=0; completed_at="
#define STARTED "status=in-process; percent=0; completed_at="
#define AT_40 "status=in-process; percent=40; completed_at="
#define DONE "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z"
#define LABELS "done=started $label1=60 $label5=done"

static struct conf conf_with(bool on, const char *labels)
{
	struct conf conf = { .path = NULL };

	conf.gestures.star = on ? STAR_STARTED : STAR_IGNORE;
	conf.gestures.done = on ? "done $done" : NULL;
	conf.gestures.done_folder = on ? "Erledigt" : NULL;
	conf.gestures.percent = on;
	conf.gestures.labels = labels;
	return conf;
}

struct mark_case {
	const char *label;
	const char *seen; /* NULL: first contact */
	const char *before, *now;
	const char *item; /* NULL: as SEEN */
	bool replaced;
	const char *what;  /* NULL: no gesture */
	const char *meant; /* status and percentage, as gesture_read() makes them of it */
};

static const struct mark_case cases[] = {
	{ "star", NEW, "", "\\Flagged", NULL, false, "star", STARTED },
	{ "star, in another spelling", NEW, "", "\\FLAGGED", NULL, false, "star", STARTED },
	{ "star on what is started", AT_40, "", "\\Flagged", NULL, false, "star", AT_40 },
	{ "star on what is done", DONE, "", "\\Flagged", NULL, false, "star", DONE },
	{ "no star any more", STARTED, "\\Flagged", "", NULL, false, "star taken away", NEW },
	{ "no star, but a percentage", AT_40, "\\Flagged", "", NULL, false, NULL, AT_40 },
	{ "a standing star", NEW, "\\Flagged", "\\Flagged", NULL, false, NULL, NEW },
	{ "a star beside a tag of one's own", NEW, "\\Flagged", "\\Flagged work", NULL, false, NULL,
	  NEW },
	{ "tag done", AT_40, "", "done", NULL, false, "tag done", DONE },
	{ "tag Done", AT_40, "", "Done", NULL, false, "tag Done", DONE },
	{ "tag $done", AT_40, "", "$Done", NULL, false, "tag $Done", DONE },
	{ "tag done taken away", DONE, "done", "", NULL, false, "tag done taken away", AT_40 },
	{ "tag done taken away from what is open", AT_40, "done", "", NULL, false, NULL, AT_40 },
	{ "moved to Done", AT_40, "", "/Done", NULL, true, "moved to Erledigt", DONE },
	{ "moved there, its tags lost", AT_40, "\\Flagged work", "/Done", NULL, true,
	  "moved to Erledigt", DONE },
	{ "moved back", DONE, "/Done", "", NULL, true, "moved out of Erledigt", AT_40 },
	{ "moved back, its tag kept", DONE, "/Done done", "done", NULL, true,
	  "moved out of Erledigt", AT_40 },
	{ "tag to folder", DONE, "done", "/Done", NULL, true, "moved to Erledigt", DONE },
	{ "an edit that loses tags", DONE, "done", "", NULL, true, NULL, DONE },
	{ "an edit that loses the star", STARTED, "\\Flagged", "", NULL, true, NULL, STARTED },
	{ "40", NEW, "", "40", NULL, false, "tag 40", AT_40 },
	{ "p40", NEW, "", "p40", NULL, false, "tag p40", AT_40 },
	{ "P40", NEW, "", "P40", NULL, false, "tag P40", AT_40 },
	{ "40%", NEW, "", "40%", NULL, false, "tag 40%", AT_40 },
	{ "40_", NEW, "", "40_", NULL, false, "tag 40_", AT_40 },
	{ "40=25", NEW, "", "40=25", NULL, false, "tag 40=25", AT_40 },
	{ "the highest", NEW, "", "10 40 9", NULL, false, "tag 40", AT_40 },
	{ "a standing number is said already", AT_40, "60", "40 60", NULL, false, "tag 40", AT_40 },
	{ "a number that is gone says nothing", AT_40, "60", "", NULL, false, NULL, AT_40 },
	{ "100", AT_40, "", "100", NULL, false, "tag 100", DONE },
	{ "0", AT_40, "", "0", NULL, false, "tag 0", NEW },
	{ "40 on what is done", DONE, "", "40", NULL, false, "tag 40", AT_40 },
	{ "no percentage: 101", NEW, "", "101", NULL, false, NULL, NEW },
	{ "no percentage: 040", NEW, "", "040", NULL, false, NULL, NEW },
	{ "no percentage: 2026", NEW, "", "2026", NULL, false, NULL, NEW },
	{ "no percentage: 40x", NEW, "", "40x", NULL, false, NULL, NEW },
	{ "no percentage: p", NEW, "", "p", NULL, false, NULL, NEW },
	{ "done and 40", NEW, "", "40 done", NULL, false, "tag done", DONE },
	{ "star and 40", NEW, "", "40 \\Flagged", NULL, false, "tag 40", AT_40 },
	{ "not done, 40", DONE, "done", "40", NULL, false, "tag 40", AT_40 },
	{ "first contact, tag 40", NULL, "", "40", NEW, false, "tag 40", AT_40 },
	{ "first contact, tag 40 on what is done", NULL, "", "40", DONE, false, "tag 40", AT_40 },
	{ "first contact, in Done", NULL, "", "/Done", AT_40, false, "moved to Erledigt", DONE },
	{ "first contact, star", NULL, "", "\\Flagged", NEW, false, "star", STARTED },
	{ "not known what was there", DONE, NULL, "\\Flagged 40", NULL, false, NULL, DONE },
	{ "an item without marks", DONE, "done", NULL, NULL, false, NULL, DONE },
	/* with an edit of the text */
	{ "star and 40 % written", NEW, "", "\\Flagged", "status=needs-action; percent=40", false,
	  "star", "status=needs-action; percent=40" },
	{ "60 and 40 % written", NEW, "", "60", "status=needs-action; percent=40", false, "tag 60",
	  "status=needs-action; percent=40" },
	{ "done and 60 % written", AT_40, "", "done", "status=in-process; percent=60", false,
	  "tag done", DONE },
	{ "done and a status written", STARTED, "", "done", NEW, false, "tag done", NEW },
	{ "done and notes written", AT_40, "", "done", AT_40 "; notes=All aboard", true, "tag done",
	  DONE },
};

/* What counts in the end: the text where marks do not. */
static const char *meant(TALLOC_CTX *mem, const struct mark_case *c, const struct vector *item,
			 const struct mark_report *report)
{
	const struct vector *values = report && report->values ? report->values : item;
	const struct vector *seen = spec_vector_or_null(mem, c->seen);
	struct gesture_input input = { .seen = seen,
				       .now = values,
				       .agreed = seen ? seen : item,
				       .own_percent = report && report->afresh ? 0 : 40,
				       .changed_us = spec_time("2026-11-21T09:00:00Z") };
	struct vector *out = report && !report->values && c->item ? vector_copy(mem, item)
								  : gesture_read(mem, &input);

	return mem_printf(mem, "%d %d", (int)vector_get(out, FIELD_status, 0),
			  (int)vector_get(out, FIELD_percent, 0));
}

static const char *expected(TALLOC_CTX *mem, const struct mark_case *c)
{
	struct vector *out = spec_vector(mem, c->meant);

	return mem_printf(mem, "%d %d", (int)vector_get(out, FIELD_status, 0),
			  (int)vector_get(out, FIELD_percent, 0));
}

Test(mark, gestures)
{
	struct conf conf = conf_with(true, NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct mark_case *c = &cases[i];
		TALLOC_CTX *mem = talloc_new(NULL);
		const struct vector *item = spec_vector(mem, c->item ? c->item : c->seen);
		struct mark_input input = { .conf = &conf,
					    .before = c->before,
					    .now = c->now,
					    .replaced = c->replaced,
					    .seen = spec_vector_or_null(mem, c->seen),
					    .item = item };
		struct mark_report *report = mark_read(mem, &input);

		cr_expect(text_same(report ? report->what : NULL, c->what), "%s: %s, not %s",
			  c->label, report ? report->what : "none", c->what ? c->what : "none");
		cr_expect_str_eq(meant(mem, c, item, report), expected(mem, c), "%s", c->label);
		talloc_free(mem);
	}
}

/* Switched off, nothing is a gesture, and nothing is taken off. */
Test(mark, switched_off)
{
	struct conf conf = conf_with(false, NULL);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *item = spec_vector(mem, AT_40);
	struct mark_input input = { .conf = &conf,
				    .before = "",
				    .now = "$Done /Done 40 \\Flagged done",
				    .seen = item,
				    .item = item };

	cr_expect_null(mark_read(mem, &input));
	cr_expect_null(mark_drops(mem, &conf, input.now, item));
	talloc_free(mem);
}

Test(mark, labels)
{
	struct conf conf = conf_with(true, LABELS);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *item = spec_vector(mem, NEW);
	struct mark_input input = { .conf = &conf, .before = "", .seen = item, .item = item };
	static const struct {
		const char *mark;
		enum status status;
		int64_t percent;
	} said[] = { { "done", STATUS_IN_PROCESS, 0 }, /* a label counts before what is built in */
		     { "$label1", STATUS_NEEDS_ACTION, 60 },
		     { "$LABEL5", STATUS_COMPLETED, 0 } };

	for (size_t i = 0; i < COUNT_OF(said); i++) {
		struct mark_report *report;

		input.now = said[i].mark;
		report = mark_read(mem, &input);
		cr_assert(report && report->values, "%s", said[i].mark);
		cr_expect_eq(vector_get(report->values, FIELD_status, 0), (int64_t)said[i].status);
		cr_expect_eq(vector_get(report->values, FIELD_percent, 0), said[i].percent);
	}
	input.now = "$label2 $label";
	cr_expect_null(mark_read(mem, &input));
	talloc_free(mem);
}

/* What an item of that state bears no more. */
Test(mark, drops)
{
	static const struct {
		const char *want, *marks, *drops;
	} table[] = {
		{ NEW, "\\Flagged done work 40 /Done $label4", "\\Flagged done 40 /Done" },
		{ STARTED, "\\Flagged done work 40 /Done", "done 40 /Done" },
		{ DONE, "\\Flagged $Done work 100 /Done", "\\Flagged 100" },
		{ "status=cancelled", "\\Flagged /Done", "\\Flagged" },
		{ STARTED, "\\Flagged work", NULL },
		{ DONE, "", NULL },
		{ DONE, NULL, NULL },
	};
	struct conf conf = conf_with(true, NULL);
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		char *drops =
			mark_drops(mem, &conf, table[i].marks, spec_vector(mem, table[i].want));

		cr_expect(text_same(drops, table[i].drops), "%s of %s: %s", table[i].want,
			  table[i].marks ? table[i].marks : "none", drops ? drops : "none");
	}
	talloc_free(mem);
}

Test(mark, which_are_marks)
{
	static const char *const yes[] = { "\\Flagged", "\\FLAGGED", "done", "40", "$label1" };
	static const char *const no[] = { "\\Seen",    "\\Answered",     "\\Draft",    "\\Deleted",
					  "\\Recent",  "$Forwarded",     "$MDNSent",   "$Junk",
					  "$NotJunk",  "Junk",           "NonJunk",    "notjunk",
					  "$Phishing", "$SubmitPending", "$Submitted", "" };

	for (size_t i = 0; i < COUNT_OF(yes); i++)
		cr_expect(mark_is_one(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		cr_expect_not(mark_is_one(no[i]), "%s", no[i]);
}

Test(mark, lists)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_expect_str_eq(mark_without(mem, "\\Flagged Done work", "done x"), "\\Flagged work");
	cr_expect_str_eq(mark_without(mem, "a b", NULL), "a b");
	cr_expect_null(mark_without(mem, NULL, "a"));
	cr_expect_str_eq(mark_common(mem, "a B c", "b c d"), "B c");
	cr_expect_str_eq(mark_common(mem, "a", NULL), "");
	cr_expect(mark_same("a B", "b A"));
	cr_expect(mark_same(NULL, ""));
	cr_expect_not(mark_same("a", "a b"));
	cr_expect_not(mark_same("a b", "a"));
	talloc_free(mem);
}

Test(mark, echo)
{
	struct item_decision decision = { .remark = NULL };

	cr_expect(mark_is_echo(&decision, false));
	cr_expect_not(mark_is_echo(&decision, true));
	decision.changed[FIELD_percent] = true;
	cr_expect(mark_is_echo(&decision, false));
	decision.rule[FIELD_percent] = "a-rule";
	cr_expect_not(mark_is_echo(&decision, false));
	decision.rule[FIELD_percent] = NULL;
	decision.pushed_back = true;
	cr_expect_not(mark_is_echo(&decision, false));
	decision.pushed_back = false;
	decision.remark = "late";
	cr_expect_not(mark_is_echo(&decision, false));
	decision.remark = NULL;
	decision.revision_count = 1;
	cr_expect_not(mark_is_echo(&decision, false));
}

/* ---- what a card says of it ---- */

Test(mark, the_card_tells_what_counts)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf conf = conf_with(true, NULL);

	cr_expect_str_eq(
		hint_message(mem, &conf),
		"In a mail program: give it a star when you begin, tag it 40 for 40 %, tag "
		"it done or move it to the folder Erledigt when it is done, or edit a line "
		"at its top, such as Percent: 60, if your program can.");
	conf = conf_with(false, NULL);
	cr_expect_str_eq(hint_message(mem, &conf),
			 "In a mail program: edit a line at its top, such as Percent: 60, if your "
			 "program can.");
	conf.gestures.done_folder = "Done";
	conf.replies.address = "t+%{token}@example.com";
	cr_expect_str_eq(
		hint_message(mem, &conf),
		"In a mail program: move it to the folder Done when it is done, answer it "
		"with the line Percent: 60, or edit a line at its top, such as Percent: 60, "
		"if your program can.");
	talloc_free(mem);
}

/* ---- the star of what is due ---- */

#define DAY_US (24 * 3600 * CLOCK_SECOND_US)

static const struct {
	const char *label, *want, *starred;
	int days; /* before the due day's end: now; 0: just after it */
	int what;
	const char *then;
} stars[] = {
	{ "long before", "due=2026-12-04", NULL, 3, STAR_STAYS, NULL },
	{ "that day", "due=2026-12-04", NULL, 1, STAR_ADD, "2026-12-04" },
	{ "late", "due=2026-12-04; status=in-process", NULL, 0, STAR_ADD, "2026-12-04" },
	{ "once", "due=2026-12-04", "2026-12-04", 1, STAR_STAYS, "2026-12-04" },
	{ "done before", "due=2026-12-04; status=completed", NULL, 1, STAR_STAYS, NULL },
	{ "done after", "due=2026-12-04; status=completed", "2026-12-04", 1, STAR_DROP, NULL },
	{ "no date any more", "due=", "2026-12-04", 1, STAR_DROP, NULL },
	{ "put off", "due=2026-12-04", "2026-12-01", 3, STAR_DROP, NULL },
	{ "put off, and due again", "due=2026-12-04", "2026-12-01", 1, STAR_ADD, "2026-12-04" },
};

Test(mark, star_of_what_is_due)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	int32_t day;

	cr_assert(!zone_use(mem, "Europe/Berlin"));
	cr_assert(when_day_from_civil(2026, 12, 5, &day));
	for (size_t i = 0; i < COUNT_OF(stars); i++) {
		struct star_input input = { .before_us = DAY_US,
					    .want = spec_vector(mem, stars[i].want),
					    .starred = stars[i].starred,
					    .now_us = when_from_local(day, 0, 0, 0, NULL).us -
						      stars[i].days * DAY_US };
		struct star star = star_decide(mem, &input);

		cr_expect_eq((int)star.what, stars[i].what, "%s: %d", stars[i].label, star.what);
		cr_expect(text_same(star.starred, stars[i].then), "%s: %s", stars[i].label,
			  star.starred ? star.starred : "none");
	}
	talloc_free(mem);
}
