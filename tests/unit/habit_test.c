/* Every row of model/habit.h, played: an item is published, a client writes it as the row says, and
 * the decision on it must be what the row says. Pure: mappers and src/decide, no server. */
#include "config.h"

#include "model/habit.h"

#include <stdlib.h>

#include "decide/gesture.h"
#include "decide/item.h"
#include "decide/publish.h"
#include "mappers/vtodo.h"
#include "model/writer.h"
#include "spec.h"

#define PARENT "p1"
#define PUBLISHED "2026-11-21T08:00:00Z"
#define CHANGED "2026-11-21T09:00:00Z"
#define CHANGED_UTC "20261121T090000Z"
#define OLD_UTC "20261120T080000Z"

/* PRODIDs as these clients write them. */
#define THUNDERBIRD "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN"
#define NEXTCLOUD "PRODID:-//Nextcloud Tasks v0.16.1"
#define JTX "PRODID:+//IDN bitfire.at//DAVx5/4.5.15 ical4j/4.2 (at.techbee.jtx)"
#define OPENTASKS "PRODID:+//IDN bitfire.at//DAVx5/4.3 ical4j/3.2 (org.dmfs.tasks)"
#define TASKSORG "PRODID:+//IDN tasks.org//android-140901//EN"
#define APPLE "PRODID:-//Apple Inc.//iOS 26.5//EN"
#define EVOLUTION "PRODID:-//Ximian//NONSGML Evolution Calendar//EN"
#define KDE "PRODID:-//K Desktop Environment//NONSGML libkcal 4.3//EN"
#define TODO2 "PRODID:-//Guided Ways//2Do//EN"
#define OUTLOOK "PRODID:-//caldavsynchronizer.org//CalDavSynchronizer 4.4//EN"
#define DAVMAIL "PRODID:-//davmail.sf.net//NONSGML DavMail Calendar V1.1//EN"
#define VIKUNJA "PRODID:-//Vikunja Todo App//EN"
#define SYNOLOGY "PRODID:-//Synology//EN"
#define UNKNOWN "PRODID:-//Example Corp.//CalDAV Client//EN"

#define PLAN "subject=Ship crate; due=2026-12-01"
#define BOTH PLAN "; start=2026-11-25"
#define AT_40 PLAN "; status=in-process; percent=40"
#define DONE PLAN "; status=completed; percent=100; completed_at=2026-11-20T08:00:00Z"
#define TIMED "subject=Ship crate; due=2026-12-01T15:00:00Z"
#define SUMMARY "subject=Ship crate; summary=true"
/* all that some writers drop */
#define ALL                                                                                        \
	BOTH "; total_work=480; priority=1; categories=a,b; notes=mine; status=in-process; "       \
	     "percent=40"

/* The clients of tables in this file know no other zone. */
#define NEW_YORK "TZID=America/New_York:"

struct habit_case {
	enum habit habit;
	const char *project; /* as it was published, and is */
	/* What the client makes of it: `NAME:value` in place of all lines of that name, `NAME` to
	 * remove them, `+NAME:value` another line, all separated by `|`; or a whole item. */
	const char *writes;
	/* "FIELD=VALUE; ..." what became the project's; "STATE FIELD=THEIRS" revisions; "write"
	 * where the item has to be written; separated by ` | ` */
	const char *outcome;
	const char *kept; /* a line that stands there after the next write, `!NAME`: none of that
			     name; NULL: anything */
	int64_t own_percent;
	enum conf_dates dates;
};

#define ANEW(prodid, properties)                                                                   \
	"BEGIN:VCALENDAR\nVERSION:2.0\n" prodid "\nBEGIN:VTODO\nUID:u1\nSUMMARY:Ship "             \
	"crate\n" properties "\nEND:VTODO\nEND:VCALENDAR\n"

#define DONE_NOW "status=completed; percent=100; completed_at=" CHANGED
#define DONE_OLD "status=completed; percent=100; completed_at=2026-11-20T08:00:00Z"

/* The outcome, and further fields. */
#define CASE(row, of, by, ...)                                                                     \
	{                                                                                          \
		.habit = HABIT_##row, .project = of, .writes = by, .outcome = __VA_ARGS__          \
	}

static const struct habit_case cases[] = {
	/* the tick */
	CASE(done_in_three, AT_40,
	     THUNDERBIRD " | STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED:" OLD_UTC,
	     DONE_OLD),
	CASE(done_without_percent, PLAN, TODO2 " | STATUS:COMPLETED | COMPLETED:" OLD_UTC,
	     DONE_OLD " | write"),
	CASE(done_without_percent, AT_40, TODO2 " | STATUS:COMPLETED | COMPLETED:" OLD_UTC,
	     DONE_OLD " | write"),
	CASE(done_by_status, AT_40, VIKUNJA " | STATUS:COMPLETED", DONE_NOW " | write"),
	CASE(done_without_date, AT_40, "STATUS:COMPLETED | PERCENT-COMPLETE:100",
	     DONE_NOW " | write"),
	CASE(done_by_date, AT_40, "STATUS | COMPLETED:" OLD_UTC, DONE_OLD " | write"),
	CASE(done_by_date, AT_40, "COMPLETED:" OLD_UTC, DONE_OLD " | write"),
	CASE(done_by_percent, AT_40, "PERCENT-COMPLETE:100", DONE_NOW " | write"),
	CASE(done_on_a_day, AT_40,
	     DAVMAIL " | STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED;VALUE=DATE:20261120",
	     "status=completed; percent=100; completed_at=2026-11-20"),
	CASE(done_on_a_day, DONE, DAVMAIL " | COMPLETED;VALUE=DATE:20261120", ""),
	CASE(done_at_zero, AT_40,
	     SYNOLOGY " | STATUS:COMPLETED | PERCENT-COMPLETE:0 | +PERCENT_COMPLETE:100",
	     DONE_NOW " | write", "PERCENT_COMPLETE:100"),
	CASE(done_with_the_parent, PLAN,
	     TASKSORG " | STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED:" OLD_UTC, DONE_OLD),
	CASE(done_with_the_parent, SUMMARY,
	     TASKSORG " | STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED:" OLD_UTC, ""),

	/* taking the tick back */
	CASE(unchecked_by_removal, DONE, TASKSORG " | STATUS | PERCENT-COMPLETE | COMPLETED",
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(unchecked_by_removal, DONE, THUNDERBIRD " | STATUS | PERCENT-COMPLETE | COMPLETED",
	     "status=needs-action; percent=0; completed_at="),
	CASE(unchecked_by_removal, DONE, UNKNOWN " | STATUS | PERCENT-COMPLETE | COMPLETED",
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(unchecked_by_removal, DONE, ANEW(UNKNOWN, "DUE;VALUE=DATE:20261201"),
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(unchecked_without_percent, DONE,
	     NEXTCLOUD " | STATUS:NEEDS-ACTION | PERCENT-COMPLETE | COMPLETED",
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(unchecked_at_99, DONE,
	     NEXTCLOUD " | STATUS:IN-PROCESS | PERCENT-COMPLETE:99 | COMPLETED",
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	/* Nextcloud Tasks keeps the PRODID of an item that it did not make */
	CASE(unchecked_at_99, DONE, "STATUS:IN-PROCESS | PERCENT-COMPLETE:99 | COMPLETED",
	     "status=in-process; percent=0; completed_at= | write"),
	CASE(unchecked_at_50, DONE,
	     OPENTASKS " | STATUS:IN-PROCESS | PERCENT-COMPLETE:50 | COMPLETED",
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(unchecked_at_50, DONE,
	     THUNDERBIRD " | STATUS:IN-PROCESS | PERCENT-COMPLETE:50 | COMPLETED",
	     "status=in-process; percent=50; completed_at=", .own_percent = 30),
	CASE(unchecked_at_0, DONE, KDE " | STATUS | PERCENT-COMPLETE:0 | COMPLETED",
	     "status=in-process; percent=70; completed_at= | write", .own_percent = 70),
	CASE(unchecked_at_0, DONE, "STATUS:NEEDS-ACTION | PERCENT-COMPLETE:0 | COMPLETED",
	     "status=needs-action; percent=0; completed_at="),
	CASE(unchecked_with_a_date, DONE,
	     EVOLUTION " | STATUS:NEEDS-ACTION | PERCENT-COMPLETE:0 | COMPLETED:" CHANGED_UTC,
	     "status=in-process; percent=30; completed_at= | write", .own_percent = 30),
	CASE(below_100_when_done, DONE, KDE " | STATUS | PERCENT-COMPLETE:75 | COMPLETED",
	     "status=in-process; percent=75; completed_at= | write", .own_percent = 30),

	/* progress */
	CASE(percent_with_status, PLAN, THUNDERBIRD " | STATUS:IN-PROCESS | PERCENT-COMPLETE:40",
	     "status=in-process; percent=40"),
	CASE(percent_without_status, PLAN, KDE " | STATUS | PERCENT-COMPLETE:40",
	     "status=in-process; percent=40 | write"),
	CASE(percent_without_status, PLAN, "PERCENT-COMPLETE:40",
	     "status=in-process; percent=40 | write"),
	CASE(zero_by_removal, AT_40, NEXTCLOUD " | STATUS:IN-PROCESS | PERCENT-COMPLETE",
	     "status=needs-action; percent=0 | write"),
	CASE(zero_added, PLAN, THUNDERBIRD " | PERCENT-COMPLETE:0", ""),
	CASE(percent_dropped, AT_40, VIKUNJA " | PERCENT-COMPLETE", ""),
	CASE(percent_dropped, AT_40, APPLE " | PERCENT-COMPLETE", ""),
	CASE(started_at_1, PLAN, JTX " | STATUS:IN-PROCESS | PERCENT-COMPLETE:1",
	     "status=in-process | write"),
	CASE(started_at_1, PLAN, "STATUS:IN-PROCESS | PERCENT-COMPLETE:1",
	     "status=in-process | write"),
	CASE(started_at_50, PLAN, EVOLUTION " | STATUS:IN-PROCESS | PERCENT-COMPLETE:50",
	     "status=in-process | write"),
	CASE(started_at_50, PLAN, THUNDERBIRD " | STATUS:IN-PROCESS | PERCENT-COMPLETE:50",
	     "status=in-process; percent=50"),
	CASE(status_dropped, PLAN, KDE " | STATUS", ""),
	CASE(newer_status, AT_40, "STATUS:PENDING | PERCENT-COMPLETE",
	     "status=needs-action; percent=0"),
	CASE(newer_status, AT_40, "STATUS:FAILED", "status=cancelled"),
	CASE(parent_averaged, SUMMARY, JTX " | STATUS:IN-PROCESS | PERCENT-COMPLETE:33", ""),
	CASE(parent_reopened, SUMMARY "; status=completed; percent=100",
	     TASKSORG " | STATUS | PERCENT-COMPLETE", ""),

	/* dates */
	CASE(day_at_midnight, PLAN, THUNDERBIRD " | DUE:20261201T000000", ""),
	CASE(day_at_midnight, BOTH,
	     KDE " | DTSTART;TZID=Europe/Berlin:20261125T000000 | "
		 "DUE;TZID=Europe/Berlin:20261201T000000",
	     ""),
	CASE(day_at_midnight, PLAN, THUNDERBIRD " | DUE:20261202T000000",
	     "proposed due=2026-12-01T23:00:00Z | write"),
	CASE(day_elsewhere, PLAN, TASKSORG " | DUE;" NEW_YORK "20261201T200001", ""),
	CASE(day_elsewhere, PLAN, TASKSORG " | DUE;" NEW_YORK "20261202T200001",
	     "proposed due=2026-12-03T01:00:01Z | write"),
	CASE(day_in_utc, PLAN, JTX " | DUE:20261201T000000Z", ""),
	CASE(day_in_utc, PLAN, JTX " | DUE;" NEW_YORK "20261130T190000", ""),
	CASE(day_in_utc, PLAN, JTX " | DUE:20261201T010000", ""),
	CASE(day_to_the_last_second, BOTH, OUTLOOK " | DUE;TZID=Europe/Berlin:20261201T235959", ""),
	CASE(day_to_the_last_second, BOTH, OUTLOOK " | DUE;" NEW_YORK "20261201T235959", ""),
	CASE(second_one, TIMED, TASKSORG " | DUE;TZID=Europe/Berlin:20261201T160001", "",
	     .dates = DATES_TIME),
	CASE(second_one, TIMED, TASKSORG " | DUE;TZID=Europe/Berlin:20261201T160101",
	     "proposed due=2026-12-01T15:01:01Z | write", .dates = DATES_TIME),
	CASE(times_in_utc, TIMED, NEXTCLOUD " | DUE;" NEW_YORK "20261201T100000", "",
	     .dates = DATES_TIME),
	CASE(time_lost, TIMED, APPLE " | DUE;VALUE=DATE:20261201", "", .dates = DATES_TIME),
	CASE(duration_for_due, BOTH, "DUE | DURATION:P6D", "", "DURATION:P6D"),
	CASE(duration_for_due, BOTH, "DURATION:P2D", ""),
	CASE(duration_for_due, BOTH, "DUE | DURATION:P7D", "proposed due=2026-12-02 | write"),
	CASE(start_is_due, PLAN, APPLE " | DTSTART;VALUE=DATE:20261201", "", "!DTSTART"),
	CASE(start_is_due, BOTH, APPLE " | DTSTART;VALUE=DATE:20261201", ""),
	CASE(start_is_due, PLAN, APPLE " | DTSTART;VALUE=DATE:20261203 | DUE;VALUE=DATE:20261203",
	     "proposed due=2026-12-03 | write"),
	CASE(start_is_due, PLAN, THUNDERBIRD " | DTSTART;VALUE=DATE:20261201",
	     "proposed start=2026-12-01 | write"),
	CASE(start_clamped, BOTH,
	     TASKSORG " | DTSTART;VALUE=DATE:20261123 | DUE;VALUE=DATE:20261123",
	     "proposed start=2026-11-23; due=2026-11-23 | write"),
	CASE(start_dropped, BOTH, TODO2 " | DTSTART", ""),
	CASE(start_dropped, BOTH, APPLE " | DTSTART", ""),
	CASE(start_removed, BOTH, THUNDERBIRD " | DTSTART", "proposed start= | write"),

	/* recurrence */
	CASE(rolled_forward, BOTH,
	     NEXTCLOUD " | DTSTART;VALUE=DATE:20261202 | DUE;VALUE=DATE:20261208 | "
		       "+RRULE:FREQ=WEEKLY;COUNT=3",
	     "", "RRULE:FREQ=WEEKLY;COUNT=3"),
	CASE(rolled_forward, PLAN, NEXTCLOUD " | DUE | +RRULE:FREQ=WEEKLY", ""),
	CASE(instance_done, PLAN,
	     THUNDERBIRD
	     " | +RRULE:FREQ=DAILY | +END:VTODO | +BEGIN:VTODO | +UID:u1 | +SUMMARY:Ship crate | "
	     "+RECURRENCE-ID;VALUE=DATE:20261201 | +DUE;VALUE=DATE:20261201 | +STATUS:COMPLETED | "
	     "+PERCENT-COMPLETE:100",
	     "", "RECURRENCE-ID;VALUE=DATE:20261201"),
	CASE(copied_when_done, PLAN, APPLE " | DUE;VALUE=DATE:20261208 | +RRULE:FREQ=WEEKLY", ""),
	CASE(empty_left_behind, PLAN,
	     JTX " | PERCENT-COMPLETE:40 | STATUS:IN-PROCESS | +END:VTODO | +BEGIN:VTODO | "
		 "+DTSTAMP:" OLD_UTC,
	     "status=in-process; percent=40"),

	/* what gets lost or respelled */
	CASE(properties_dropped, ALL,
	     ANEW(OUTLOOK, "SEQUENCE:1\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:40\nPRIORITY:1\n"
			   "CATEGORIES:a,b\nDESCRIPTION:mine\nDTSTART;VALUE=DATE:20261125\n"
			   "DUE;TZID=Europe/Berlin:20261201T235959"),
	     ""),
	CASE(properties_dropped, ALL,
	     ANEW(VIKUNJA,
		  "STATUS:IN-PROCESS\nPRIORITY:1\nDESCRIPTION:mine\nCATEGORIES:a,b\n"
		  "DTSTART:20261125T000000Z\nDUE:20261201T000000Z\nDTEND:20261201T000000Z\n"
		  "COLOR:#ff0000FF"),
	     "", "DTEND:20261201T000000Z"),
	CASE(estimate_dropped, ALL, KDE " | ESTIMATED-DURATION", ""),
	CASE(estimate_edited, ALL, EVOLUTION " | ESTIMATED-DURATION:PT10H",
	     "proposed total_work=600 | write"),
	CASE(estimate_edited, ALL, EVOLUTION " | ESTIMATED-DURATION",
	     "proposed total_work= | write"),
	CASE(parent_rewritten, PLAN, KDE " | RELATED-TO:other", ""),
	CASE(parent_rewritten, PLAN, JTX " | RELATED-TO;RELTYPE=SIBLING:other", "",
	     "RELATED-TO;RELTYPE=SIBLING:other"),
	CASE(core_dropped, ALL, ANEW(UNKNOWN, "STATUS:IN-PROCESS"), ""),
	CASE(core_dropped, ALL, ANEW(UNKNOWN, "STATUS:IN-PROCESS\nX-TASKFERRY-EDITION:3-0000"),
	     "status=needs-action; percent=0; notes= | proposed start=; due=; priority=; "
	     "categories= | write"),
	CASE(core_dropped, ALL, ANEW(UNKNOWN, "STATUS:COMPLETED\nCOMPLETED:" OLD_UTC),
	     DONE_OLD " | write"),
	CASE(notes_removed, ALL, NEXTCLOUD " | DESCRIPTION", "notes="),
	CASE(emptied, ALL, ANEW(UNKNOWN, "STATUS:IN-PROCESS\nDESCRIPTION:\nCATEGORIES:"),
	     "notes= | proposed categories= | write"),
	CASE(notes_styled, ALL,
	     THUNDERBIRD " | DESCRIPTION;ALTREP=\"data:text/html,<b>mine</b>\":mine", ""),
	CASE(notes_styled, ALL,
	     NEXTCLOUD " | DESCRIPTION:yours | +X-ALT-DESC;FMTTYPE=text/html:<b>mine</b>",
	     "notes=yours"),
	CASE(notes_respelled, PLAN "; notes=one\ntwo", "DESCRIPTION:one \\ntwo  \\n\\n", ""),
	CASE(categories_joined, ALL, KDE " | CATEGORIES:b | +CATEGORIES:a", ""),
	CASE(categories_joined, ALL, KDE " | CATEGORIES:b,a,b", ""),
	CASE(categories_joined, ALL, KDE " | CATEGORIES:b", "proposed categories=b | write"),
	CASE(priority_band, ALL, EVOLUTION " | PRIORITY:3", ""),
	CASE(priority_band, PLAN "; priority=7", TASKSORG " | PRIORITY:9", ""),
	CASE(priority_band, ALL, TASKSORG " | PRIORITY:5", "proposed priority=5 | write"),
	CASE(stamps, AT_40,
	     THUNDERBIRD
	     " | LAST-MODIFIED:20361121T091000Z | DTSTAMP:20361121T091000Z | SEQUENCE:4 | "
	     "X-MOZ-GENERATION:2",
	     "", "SEQUENCE:4"),
	CASE(own_properties, AT_40,
	     TASKSORG " | +BEGIN:VALARM | +TRIGGER;RELATED=END:PT0S | +ACTION:DISPLAY | "
		      "+DESCRIPTION:Default Tasks.org description | +END:VALARM | "
		      "+X-APPLE-SORT-ORDER:632144793 | +COLOR:red",
	     "", "X-APPLE-SORT-ORDER:632144793"),
	CASE(loose_text, PLAN,
	     ANEW("PRODID:-//Errands", "STATUS:NEEDS-ACTION\nDUE;VALUE=DATE:20261201\n"
				       "DESCRIPTION:one; two, three"),
	     "notes=one; two, three"),

	/* whole items */
	CASE(moved_with_new_uid, AT_40,
	     ANEW(TASKSORG, "DUE;VALUE=DATE:20261201\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:40"), ""),
	/* the last of three: saved, un-checked, checked */
	CASE(several_writes, PLAN, "STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED:" OLD_UTC,
	     DONE_OLD),
};

/* ---- a client ---- */

static char *unfolded(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (; *text; text++) {
		if (*text == '\n' && text[1] == ' ')
			text++;
		else if (*text != '\r')
			buf_putc(out, *text);
	}
	return buf_steal(&out, mem, NULL);
}

static bool is_named(const char *line, const char *name, size_t len)
{
	return !strncmp(line, name, len) && strchr(":;", line[len]);
}

/* TEXT without the lines of NAME, and with LINE (may be NULL) at the end of the to-do; PRODID
 * stands before it. */
static char *with_line(TALLOC_CTX *mem, const char *text, const char *name, const char *line)
{
	size_t len = strlen(name);
	const char *before = !strcmp(name, "PRODID") ? "BEGIN:VTODO" : "END:VCALENDAR";
	const char *end = strcmp(name, "PRODID") ? "END:VTODO\n" : "";
	struct buf *out = buf_new(mem);

	for (const char *c = text; *c;) {
		size_t n = strcspn(c, "\n") + 1;
		bool last = text_starts(c, "END:VTODO\n") && text_starts(c + n, "END:VCALENDAR");

		if (text_starts(c, before))
			buf_printf(out, "%s%s%s", line ? line : "", line ? "\n" : "", end);
		if (!(last && *end) && !(len && is_named(c, name, len)))
			buf_add(out, c, n);
		c += n;
	}
	return buf_steal(&out, mem, NULL);
}

static char *written(TALLOC_CTX *mem, const char *text, const char *writes)
{
	char *copy = mem_strdup(mem, writes), *save = NULL;

	if (text_starts(writes, "BEGIN:"))
		return copy;
	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
		char *line = text_trim(mem, word);
		size_t len = *line == '+' ? 0 : strcspn(line, ":;");

		text = with_line(mem, text, mem_strndup(mem, line, len),
				 !len        ? line + 1
				 : line[len] ? line
					     : NULL);
	}
	return mem_strdup(mem, text);
}

/* ---- the decision on what it wrote ---- */

struct round {
	TALLOC_CTX *mem;
	const struct habit_case *c;
	struct vector *project, *want, *seen;
	struct vtodo_publish publish;
	struct vtodo *vtodo; /* what the client wrote, read */
	struct item_decision *decision;
};

static struct item_decision *decide(struct round *round)
{
	static const char ini[] = "[site]\nurl = https://pm.example.com\n";
	struct conf_report *report = NULL;
	struct conf *conf = NULL;
	int64_t project_at_us[FIELDS] = { 0 };
	struct rules_context context = { .task_key = "1",
					 .project_code = "p",
					 .project_name = "P",
					 .project_state = "published",
					 .resource_key = "ana@example.com",
					 .actor = "mailbox",
					 .now_us = spec_time(CHANGED) };
	struct item_input input = { .project = round->project,
				    .project_at_us = project_at_us,
				    .want = round->want,
				    .seen = round->seen,
				    .item = round->vtodo->values,
				    .writer = round->vtodo->prodid,
				    .own_percent = round->c->own_percent,
				    .dates = round->c->dates,
				    .parent_uid = PARENT,
				    .context = &context };

	cr_assert_null(conf_parse(round->mem, "test.ini", ini, strlen(ini), 0600, &conf, &report));
	cr_assert_not_null(conf, "%s", report->count ? report->findings[0].text : "?");
	input.rules = rules_new(round->mem, conf, report);
	input.assignee = conf->rights.assignee;
	cr_assert(when_day_from_civil(2026, 11, 21, &context.today));
	input.times = (struct merge_times){ .server_us = spec_time(CHANGED),
					    .unchanged_us = spec_time(PUBLISHED),
					    .changed_us = spec_time(CHANGED) };
	gesture_drop_computed(round->vtodo->values, round->project, round->vtodo->prodid);
	return item_decide(round->mem, &input);
}

static void expect_line(TALLOC_CTX *mem, const char *text, const char *line)
{
	const char *plain = unfolded(mem, text);

	if (*line == '!')
		cr_expect_null(strstr(plain, mem_printf(mem, "\n%s", line + 1)), "%s\n%s", line,
			       plain);
	else
		cr_expect_not_null(strstr(plain, mem_printf(mem, "\n%s\n", line)),
				   "not kept: %s\n%s", line, plain);
}

static void play(struct round *round)
{
	const struct habit_case *c = round->c;
	struct vtodo *seen = NULL;
	char *text = NULL, *edited;
	size_t len;

	round->project = spec_vector(round->mem, c->project);
	round->want = publish_vector(round->mem, round->project, c->dates, PARENT);
	round->publish = (struct vtodo_publish){
		.values = round->want, .uid = "u1", .edition = 3, .now_us = spec_time(PUBLISHED)
	};
	cr_assert_null(vtodo_encode(round->mem, &round->publish, &text, &len));
	cr_assert_null(vtodo_decode(round->mem, text, len, NULL, &seen));
	round->seen = seen->values;
	edited = written(round->mem, unfolded(round->mem, text), c->writes);
	cr_assert_null(vtodo_decode(round->mem, edited, strlen(edited), NULL, &round->vtodo), "%s",
		       edited);
	round->decision = decide(round);
	if (!c->kept)
		return;
	round->publish.values = round->decision->want;
	cr_assert_null(
		vtodo_patch(round->mem, edited, strlen(edited), &round->publish, &text, &len));
	expect_line(round->mem, text, c->kept);
}

static void put_part(struct buf *out, const char *text)
{
	if (*text)
		buf_printf(out, "%s%s", out->len ? " | " : "", text);
}

static char *outcome_of(struct round *round)
{
	const struct item_decision *decision = round->decision;
	struct vector *changed = vector_new(round->mem);
	struct buf *out = buf_new(round->mem);

	for (int f = 0; f < FIELDS; f++)
		if (decision->changed[f])
			vector_put(changed, (enum field)f, &decision->project->value[f]);
	put_part(out, spec_text(round->mem, changed, false));
	for (size_t i = 0; i < decision->revision_count; i++) {
		const struct revision *revision = decision->revisions[i];
		struct vector *theirs = vector_new(round->mem);

		for (int f = 0; f < FIELDS; f++)
			if (revision->has[f])
				vector_put(theirs, (enum field)f, &revision->field[f].theirs);
		put_part(out, mem_printf(round->mem, "%s %s", revision_state_name(revision->state),
					 spec_text(round->mem, theirs, false)));
	}
	if (publish_differs(decision->want, round->want, round->vtodo->values))
		put_part(out, "write");
	return buf_steal(&out, round->mem, NULL);
}

static const char *const names[] = {
#define X(name, who, writes, meaning) #name,
	HABIT_TABLE(X)
#undef X
};

static void set_up(void)
{
	cr_assert_null(zone_use(NULL, "Europe/Berlin"));
}

TestSuite(habit, .init = set_up);

Test(habit, every_case_is_as_its_row_says)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct round round = { .mem = talloc_new(NULL), .c = &cases[i] };
		char *outcome;

		play(&round);
		outcome = outcome_of(&round);
		cr_expect_str_eq(outcome, cases[i].outcome,
				 "%s\nproject  %s\nwrites   %s\nexpected %s\nactual   %s",
				 names[cases[i].habit], cases[i].project, cases[i].writes,
				 cases[i].outcome, outcome);
		talloc_free(round.mem);
	}
}

Test(habit, every_row_has_a_case)
{
	bool has[HABITS] = { false };

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		has[cases[i].habit] = true;
	for (int habit = 0; habit < HABITS; habit++)
		cr_expect(has[habit], "no case of %s", names[habit]);
}

/* What a client did is read the same the second time: nothing is left to do (N3). */
Test(habit, the_next_round_finds_nothing)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct round round = { .mem = talloc_new(NULL), .c = &cases[i] };

		play(&round);
		round.project = round.decision->project;
		round.want = round.decision->want;
		round.seen = round.vtodo->values;
		round.decision = decide(&round);
		for (int f = 0; f < FIELDS; f++)
			cr_expect_not(round.decision->changed[f], "%s: %s changed again: %s",
				      names[cases[i].habit], field_table[f].name, cases[i].writes);
		cr_expect_eq(round.decision->revision_count, (size_t)0, "%s: %s",
			     names[cases[i].habit], cases[i].writes);
		talloc_free(round.mem);
	}
}

/* The item of a moved task is told by nothing but its values. */
Test(habit, a_moved_item_has_no_marks)
{
	struct round round = { .mem = talloc_new(NULL) };
	const char *text = ANEW(TASKSORG, "DUE;VALUE=DATE:20261201");

	cr_assert_null(vtodo_decode(round.mem, text, strlen(text), NULL, &round.vtodo));
	cr_expect_eq(round.vtodo->edition, 0);
	cr_expect_str_eq(round.vtodo->uid, "u1");
	cr_expect_str_eq(vector_str(round.vtodo->values, FIELD_subject), "Ship crate");
	talloc_free(round.mem);
}

Test(habit, writers_are_found)
{
	static const char *const prodids[][2] = {
		{ THUNDERBIRD, "Thunderbird" },
		{ NEXTCLOUD, "Nextcloud Tasks" },
		{ JTX, "jtx Board" },
		{ OPENTASKS, "OpenTasks" },
		{ TASKSORG, "Tasks.org" },
		{ "+//IDN bitfire.at//DAVx5/4.4 ical4j/3.2 (org.tasks)", "Tasks.org" },
		{ "+//IDN bitfire.at//DAVx5/4.4 ical4j/3.2 (x.y)", "DAVx5" },
		{ APPLE, "Apple Reminders" },
		{ "-//Apple Computer\\, Inc//iCal 1.5//EN", "Apple Reminders" },
		{ EVOLUTION, "Evolution, Endeavour" },
		{ KDE, "KOrganizer" },
		{ "io.barrera.todoman", "todoman" },
		{ TODO2, "2Do" },
		{ "-//Errands", "Errands" },
		{ OUTLOOK, "Outlook CalDav Synchronizer" },
		{ DAVMAIL, "DavMail" },
		{ "-//Roundcube libcalendaring 3//Sabre//EN", "Roundcube" },
		{ "-//MailClient.VObject/8.0.3385.0", "eM Client" },
		{ SYNOLOGY, "Synology" },
		{ VIKUNJA, "Vikunja" },
		{ "-//taskferry//taskferry 1.0//EN",
		  "any other that keeps the PRODID of taskferry" },
		{ UNKNOWN, "any other" },
		{ NULL, "any other" },
	};

	for (size_t i = 0; i < COUNT_OF(prodids); i++)
		cr_expect_str_eq(writer_find(prodids[i][0], false)->name, prodids[i][1], "%s",
				 prodids[i][0]);
	cr_expect_str_eq(writer_find(UNKNOWN, true)->name, "any other that keeps the edition");
	for (size_t w = 0; w < writer_count; w++) {
		bool tried = !strcmp(writer_table[w].name, "any other that keeps the edition");

		for (size_t i = 0; i < COUNT_OF(prodids); i++)
			tried |= !strcmp(writer_table[w].name, prodids[i][1]);
		cr_expect(tried, "no PRODID of %s", writer_table[w].name);
	}
}
