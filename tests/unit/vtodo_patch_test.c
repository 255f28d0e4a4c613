#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "mappers/vtodo.h"
#include "tests/unit/vtodo_kept.h"

/* The site lives in Berlin. Every patch here is made at 2026-11-21T09:00:00Z. */
static void *mem;

#define NOW_US INT64_C(1795251600000000)
#define STAMPS "DTSTAMP:20261121T090000Z\r\nLAST-MODIFIED:20261121T090000Z\r\n"

static void set_up(void)
{
	mem = talloc_new(NULL);
	cr_assert(!zone_use(mem, "Europe/Berlin"));
}

static void tear_down(void)
{
	talloc_free(mem);
}

TestSuite(vtodo_patch, .init = set_up, .fini = tear_down);

/* "percent=60|due=|status=completed": an empty value clears; fields that are not named are absent.
 */
static struct vector *vector_of(const char *spec)
{
	struct vector *values = vector_new(mem);

	while (*spec) {
		size_t name = strcspn(spec, "="), value = strcspn(spec + name + 1, "|");
		enum field field = field_find(mem_strndup(mem, spec, name));
		struct value parsed;

		cr_assert(field < FIELDS, "%s", spec);
		cr_assert(
			!value_parse(mem, field, mem_strndup(mem, spec + name + 1, value), &parsed),
			"%s", spec);
		vector_put(values, field, &parsed);
		spec += name + 1 + value;
		spec += *spec == '|';
	}
	return values;
}

static char *patched(const char *text, const char *spec, const char *trailer, int64_t edition)
{
	struct vtodo_publish publish = { .values = vector_of(spec),
					 .edition = edition,
					 .edition_hash = edition ? "0123abcd" : NULL,
					 .trailer = trailer,
					 .now_us = NOW_US };
	struct fault *fault;
	char *got;
	size_t len;

	fault = vtodo_patch(mem, text, strlen(text), &publish, &got, &len);
	cr_assert(!fault, "%s: %s", fault ? fault->text : "", text);
	cr_assert_eq(len, strlen(got));
	return got;
}

#define ITEM(body) "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n" STAMPS body "END:VTODO\r\nEND:VCALENDAR\r\n"

/* The whole text before and after. */
static const struct {
	const char *what, *before, *values, *after;
} bodies[] = {
	{ "nothing to say", ITEM("X-A:1\r\n"), "", ITEM("X-A:1\r\n") },
	{ "insert", ITEM("X-A:1\r\n"), "percent=60", ITEM("X-A:1\r\nPERCENT-COMPLETE:60\r\n") },
	{ "replace in place", ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\n"), "percent=60",
	  ITEM("PERCENT-COMPLETE:60\r\nX-A:1\r\n") },
	{ "the same stays", ITEM("percent-complete;X-P=1: 6\r\n 0\r\n"), "percent=60",
	  ITEM("percent-complete;X-P=1: 6\r\n 0\r\n") },
	{ "name and parameters stay", ITEM("percent-complete;X-P=1: 6\r\n 0\r\n"), "percent=70",
	  ITEM("percent-complete;X-P=1:70\r\n") },
	{ "clear", ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\n"), "percent=", ITEM("X-A:1\r\n") },
	{ "zero is none", ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\n"), "percent=0",
	  ITEM("X-A:1\r\n") },
	{ "their zero stays", ITEM("PERCENT-COMPLETE:0\r\n"),
	  "percent=", ITEM("PERCENT-COMPLETE:0\r\n") },
	{ "too much is corrected", ITEM("PERCENT-COMPLETE:140\r\n"), "percent=100",
	  ITEM("PERCENT-COMPLETE:100\r\n") },
	{ "never more than 100", ITEM("X-A:1\r\n"), "percent=140",
	  ITEM("X-A:1\r\nPERCENT-COMPLETE:100\r\n") },
	{ "garbage is replaced by a value", ITEM("PERCENT-COMPLETE:40%\r\n"), "percent=60",
	  ITEM("PERCENT-COMPLETE:60\r\n") },
	{ "garbage stays where nothing is to be said", ITEM("PERCENT-COMPLETE:40%\r\n"),
	  "percent=", ITEM("PERCENT-COMPLETE:40%\r\n") },
	{ "absent is not ours", ITEM("PERCENT-COMPLETE:140\r\nSTATUS:ODD\r\nDUE:x\r\n"),
	  "subject=s", ITEM("PERCENT-COMPLETE:140\r\nSTATUS:ODD\r\nDUE:x\r\nSUMMARY:s\r\n") },
	{ "a second one goes with the change",
	  ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\nPERCENT-COMPLETE:50\r\n"), "percent=60",
	  ITEM("PERCENT-COMPLETE:60\r\nX-A:1\r\n") },
	{ "a second one stays without a change",
	  ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\nPERCENT-COMPLETE:50\r\n"), "percent=40",
	  ITEM("PERCENT-COMPLETE:40\r\nX-A:1\r\nPERCENT-COMPLETE:50\r\n") },

	{ "text is escaped", ITEM("SUMMARY;LANGUAGE=de;CHARSET=x:a\r\n"), "subject=a\\b;c,d\ne",
	  ITEM("SUMMARY;LANGUAGE=de:a\\\\b\\;c\\,d\\ne\r\n") },
	{ "text is folded", ITEM("X-A:1\r\n"),
	  "subject=0123456789012345678901234567890123456789012345678901234567890123456789",
	  ITEM("X-A:1\r\nSUMMARY:\r\n"
	       " 0123456789012345678901234567890123456789012345678901234567890123456789\r\n") },
	{ "escapes of others stay", ITEM("SUMMARY:a\\gb\\,c\r\n"), "subject=a\\gb,c",
	  ITEM("SUMMARY:a\\gb\\,c\r\n") },

	{ "done", ITEM("STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\n"),
	  "status=completed|percent=100|completed_at=2026-11-20T10:00:00Z",
	  ITEM("STATUS:COMPLETED\r\nPERCENT-COMPLETE:100\r\nCOMPLETED:20261120T100000Z\r\n") },
	{ "done by date is noon", ITEM("STATUS:COMPLETED\r\n"),
	  "status=completed|completed_at=2026-11-20",
	  ITEM("STATUS:COMPLETED\r\nCOMPLETED:20261120T110000Z\r\n") },
	{ "done on the same day stays", ITEM("STATUS:COMPLETED\r\nCOMPLETED:20261120T220000Z\r\n"),
	  "status=completed|completed_at=2026-11-20",
	  ITEM("STATUS:COMPLETED\r\nCOMPLETED:20261120T220000Z\r\n") },
	{ "undone",
	  ITEM("STATUS:COMPLETED\r\nPERCENT-COMPLETE:100\r\nCOMPLETED:20261120T100000Z\r\n"),
	  "status=needs-action|percent=0|completed_at=", ITEM("STATUS:NEEDS-ACTION\r\n") },
	{ "undone, and the date not given",
	  ITEM("STATUS:COMPLETED\r\nCOMPLETED:20261120T100000Z\r\n"), "status=in-process",
	  ITEM("STATUS:IN-PROCESS\r\n") },
	{ "undone by clearing", ITEM("STATUS:COMPLETED\r\n"),
	  "status=", ITEM("STATUS:NEEDS-ACTION\r\n") },
	{ "no status is needs-action", ITEM("X-A:1\r\n"), "status=needs-action",
	  ITEM("X-A:1\r\n") },
	{ "completed only beside its status", ITEM("X-A:1\r\n"),
	  "status=in-process|completed_at=2026-11-20T10:00:00Z",
	  ITEM("X-A:1\r\nSTATUS:IN-PROCESS\r\n") },
	{ "completed as the status of the item says", ITEM("STATUS:COMPLETED\r\n"),
	  "completed_at=2026-11-20T10:00:00Z",
	  ITEM("STATUS:COMPLETED\r\nCOMPLETED:20261120T100000Z\r\n") },

	{ "due", ITEM("DUE;TZID=Europe/Berlin;X-D=1:20260302T090000\r\n"), "due=2026-03-05",
	  ITEM("DUE;VALUE=DATE;X-D=1:20260305\r\n") },
	{ "the same day stays", ITEM("DUE;TZID=Europe/Berlin:20260302T235959\r\n"),
	  "due=2026-03-02", ITEM("DUE;TZID=Europe/Berlin:20260302T235959\r\n") },
	{ "due as a time", ITEM("DUE;VALUE=DATE:20260302\r\n"), "due=2026-03-05T09:00:00Z",
	  ITEM("DUE:20260305T090000Z\r\n") },
	{ "due goes", ITEM("DUE;VALUE=DATE:20260302\r\nDURATION:PT1H\r\nX-A:1\r\n"),
	  "due=", ITEM("X-A:1\r\n") },
	{ "both", ITEM("X-A:1\r\n"), "start=2026-03-01|due=2026-03-05",
	  ITEM("X-A:1\r\nDTSTART;VALUE=DATE:20260301\r\nDUE;VALUE=DATE:20260305\r\n") },
	{ "start not earlier", ITEM("X-A:1\r\n"), "start=2026-03-05|due=2026-03-05",
	  ITEM("X-A:1\r\nDUE;VALUE=DATE:20260305\r\n") },
	{ "start takes the type of due", ITEM("X-A:1\r\n"),
	  "start=2026-03-01|due=2026-03-05T09:00:00Z",
	  ITEM("X-A:1\r\nDTSTART:20260228T230000Z\r\nDUE:20260305T090000Z\r\n") },
	{ "start alone", ITEM("X-A:1\r\n"),
	  "start=2026-03-05|due=", ITEM("X-A:1\r\nDTSTART;VALUE=DATE:20260305\r\n") },
	{ "their start that equals due stays",
	  ITEM("DTSTART;VALUE=DATE:20260305\r\nDUE;VALUE=DATE:20260305\r\n"),
	  "start=2026-03-05|due=2026-03-05",
	  ITEM("DTSTART;VALUE=DATE:20260305\r\nDUE;VALUE=DATE:20260305\r\n") },
	{ "their start goes when due passes it",
	  ITEM("DTSTART;VALUE=DATE:20260304\r\nDUE;VALUE=DATE:20260305\r\n"), "due=2026-03-03",
	  ITEM("DUE;VALUE=DATE:20260303\r\n") },
	{ "due takes the type of their start",
	  ITEM("DTSTART;TZID=Europe/Berlin:20260301T080000\r\nDUE;TZID=Europe/"
	       "Berlin:20260305T080000\r\n"),
	  "start=2026-03-01|due=2026-03-06",
	  ITEM("DTSTART;TZID=Europe/Berlin:20260301T080000\r\nDUE:20260306T225959Z\r\n") },
	{ "start takes the type of their due",
	  ITEM("DTSTART;TZID=Europe/Berlin:20260301T080000\r\nDUE;TZID=Europe/"
	       "Berlin:20260305T080000\r\n"),
	  "start=2026-03-02|due=2026-03-05",
	  ITEM("DTSTART:20260301T230000Z\r\nDUE;TZID=Europe/Berlin:20260305T080000\r\n") },
	{ "start takes the type of their whole-day due",
	  ITEM("DTSTART;VALUE=DATE:20260301\r\nDUE;TZID=Europe/Berlin:20260305T235959\r\n"),
	  "start=2026-03-02",
	  ITEM("DTSTART:20260301T230000Z\r\nDUE;TZID=Europe/Berlin:20260305T235959\r\n") },
	{ "a time takes the type of their date", ITEM("DUE;VALUE=DATE:20260305\r\n"),
	  "start=2026-03-02T09:00:00Z|due=2026-03-05T09:00:00Z",
	  ITEM("DUE;VALUE=DATE:20260305\r\nDTSTART;VALUE=DATE:20260302\r\n") },
	{ "on the day of their date there is no start", ITEM("DUE;VALUE=DATE:20260305\r\n"),
	  "start=2026-03-05T07:00:00Z|due=2026-03-05T09:00:00Z",
	  ITEM("DUE;VALUE=DATE:20260305\r\n") },
	{ "duration becomes due", ITEM("DTSTART:20260301T090000Z\r\nDURATION:P1D\r\n"),
	  "start=2026-03-01T10:00:00Z",
	  ITEM("DTSTART:20260301T100000Z\r\nDUE:20260302T090000Z\r\n") },
	{ "duration beside due says nothing and stays",
	  ITEM("DTSTART:20260301T090000Z\r\nDURATION:P1D\r\nDUE:20260309T090000Z\r\n"),
	  "start=2026-03-02T10:00:00Z",
	  ITEM("DTSTART:20260302T100000Z\r\nDURATION:P1D\r\nDUE:20260309T090000Z\r\n") },
	{ "duration goes when due is written",
	  ITEM("DTSTART:20260301T090000Z\r\nDURATION:P1D\r\nDUE:20260309T090000Z\r\n"),
	  "due=2026-03-10T09:00:00Z",
	  ITEM("DTSTART:20260301T090000Z\r\nDUE:20260310T090000Z\r\n") },
	{ "duration that says due stays", ITEM("DTSTART:20260301T090000Z\r\nDURATION:P1D\r\n"),
	  "start=2026-03-01|due=2026-03-02", ITEM("DTSTART:20260301T090000Z\r\nDURATION:P1D\r\n") },
	{ "dates of a recurring item stay", ITEM("RRULE:FREQ=DAILY\r\nDUE;VALUE=DATE:20260305\r\n"),
	  "start=2026-03-01|due=2026-03-09|percent=5",
	  ITEM("RRULE:FREQ=DAILY\r\nDUE;VALUE=DATE:20260305\r\nPERCENT-COMPLETE:5\r\n") },
	{ "no such dates are replaced", ITEM("DTSTART:20260230\r\nDUE:20261301\r\n"),
	  "start=2026-03-01|due=2026-03-05",
	  ITEM("DTSTART;VALUE=DATE:20260301\r\nDUE;VALUE=DATE:20260305\r\n") },

	{ "priority of the band stays", ITEM("PRIORITY:2\r\n"), "priority=4",
	  ITEM("PRIORITY:2\r\n") },
	{ "priority by bands", ITEM("PRIORITY:2\r\n"), "priority=7", ITEM("PRIORITY:9\r\n") },
	{ "no priority", ITEM("PRIORITY:2\r\nX-A:1\r\n"), "priority=0", ITEM("X-A:1\r\n") },
	{ "categories are a set", ITEM("CATEGORIES:b\r\nX-A:1\r\nCATEGORIES:a,b\r\n"),
	  "categories=b\na", ITEM("CATEGORIES:b\r\nX-A:1\r\nCATEGORIES:a,b\r\n") },
	{ "one property for all categories", ITEM("CATEGORIES:b\r\nX-A:1\r\nCATEGORIES:a,b\r\n"),
	  "categories=c,d\nb", ITEM("CATEGORIES:b,c\\,d\r\nX-A:1\r\n") },
	{ "no categories", ITEM("CATEGORIES:b\r\nX-A:1\r\nCATEGORIES:a,b\r\n"),
	  "categories=", ITEM("X-A:1\r\n") },
	{ "parent",
	  ITEM("RELATED-TO;RELTYPE=CHILD:c\r\nRELATED-TO;X-R=1:p\r\nRELATED-TO;RELTYPE=SIBLING:"
	       "s\r\n"),
	  "parent=q",
	  ITEM("RELATED-TO;RELTYPE=CHILD:c\r\nRELATED-TO;RELTYPE=PARENT;X-R=1:q\r\nRELATED-TO;"
	       "RELTYPE=SIBLING:s\r\n") },
	{ "a first parent", ITEM("RELATED-TO;RELTYPE=CHILD:c\r\n"), "parent=q",
	  ITEM("RELATED-TO;RELTYPE=CHILD:c\r\nRELATED-TO;RELTYPE=PARENT:q\r\n") },
	{ "no parent", ITEM("RELATED-TO;RELTYPE=CHILD:c\r\nRELATED-TO:p\r\n"),
	  "parent=", ITEM("RELATED-TO;RELTYPE=CHILD:c\r\n") },
	{ "effort", ITEM("ESTIMATED-DURATION:P1D\r\n"), "total_work=480|actual_work=90",
	  ITEM("ESTIMATED-DURATION:PT8H\r\nX-TASKFERRY-ACTUAL-WORK:PT1H30M\r\n") },
	{ "the same effort stays",
	  ITEM("ESTIMATED-DURATION:P1D\r\nX-TASKFERRY-ACTUAL-WORK:PT90M\r\n"),
	  "total_work=1440|actual_work=90",
	  ITEM("ESTIMATED-DURATION:P1D\r\nX-TASKFERRY-ACTUAL-WORK:PT90M\r\n") },
	{ "no effort", ITEM("ESTIMATED-DURATION:P1D\r\nX-TASKFERRY-ACTUAL-WORK:PT90M\r\nX-A:1\r\n"),
	  "total_work=|actual_work=0", ITEM("X-A:1\r\n") },

	{ "notes",
	  ITEM("DESCRIPTION;ALTREP=\"data:text/"
	       "html,a:b;c\";LANGUAGE=de:old\r\nX-ALT-DESC;FMTTYPE=text/html:<b>\r\n"
	       "X-A:1\r\n"),
	  "notes=new", ITEM("DESCRIPTION;LANGUAGE=de:new\r\nX-A:1\r\n") },
	{ "the same notes stay",
	  ITEM("DESCRIPTION;ALTREP=\"data:text/html,a:b;c\":ol\r\n d  \\n\r\nX-ALT-DESC:<b>\r\n"),
	  "notes=old",
	  ITEM("DESCRIPTION;ALTREP=\"data:text/html,a:b;c\":ol\r\n d  \\n\r\nX-ALT-DESC:<b>\r\n") },
	{ "notes go", ITEM("DESCRIPTION:old\r\nX-A:1\r\n"), "notes=", ITEM("X-A:1\r\n") },
	{ "quoted-printable is left behind",
	  ITEM("DESCRIPTION;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a=\r\nb=0A\r\n"
	       "X-A:1\r\n"),
	  "notes=\xC3\xA4", ITEM("DESCRIPTION:\xC3\xA4\r\nX-A:1\r\n") },
	{ "behind sub-components",
	  ITEM("BEGIN:VALARM\r\nDESCRIPTION:ring\r\nSUMMARY:ring\r\nEND:VALARM\r\nSUMMARY:a\r\n"),
	  "subject=b|notes=n",
	  ITEM("DESCRIPTION:n\r\nBEGIN:VALARM\r\nDESCRIPTION:ring\r\nSUMMARY:ring\r\nEND:"
	       "VALARM\r\nSUMMARY:b\r\n") },
};

Test(vtodo_patch, bodies)
{
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		char *got = patched(bodies[i].before, bodies[i].values, NULL, 0);

		cr_expect_str_eq(
			got, bodies[i].after, "%s: before [%s], values %s, expected [%s], got [%s]",
			bodies[i].what, bodies[i].before, bodies[i].values, bodies[i].after, got);
		cr_expect_str_eq(patched(got, bodies[i].values, NULL, 0), got, "%s: not a fixpoint",
				 bodies[i].what);
	}
}

/* As a client that edits what it finds wrote it. */
static char *in_place(const char *text)
{
	const char *todo = strstr(text, "BEGIN:VTODO");

	return mem_printf(mem, "%.*sPRODID:-//taskferry//taskferry 1.0//EN\r\n%s",
			  (int)(todo - text), text, todo);
}

/* vtodo_same() tells beforehand whether a patch writes values. */
Test(vtodo_patch, same_agrees_with_patch)
{
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct vector *values = vector_of(bodies[i].values);
		struct vtodo *seen;
		char *text;
		bool same = !strcmp(bodies[i].before, bodies[i].after);

		/* output only: no reason to write */
		if (vector_is_set(values, FIELD_actual_work))
			continue;
		/* two dates that cannot be read look like a recurring item's in a vector */
		if (strstr(bodies[i].before, "DUE:20261301"))
			continue;
		text = in_place(bodies[i].before);
		cr_assert(!vtodo_decode(mem, text, strlen(text), NULL, &seen));
		cr_expect_eq(vtodo_same(values, seen->values), same, "%s: before [%s], values %s",
			     bodies[i].what, bodies[i].before, bodies[i].values);
		text = in_place(bodies[i].after);
		cr_assert(!vtodo_decode(mem, text, strlen(text), NULL, &seen));
		cr_expect(vtodo_same(values, seen->values), "%s: after [%s], values %s",
			  bodies[i].what, bodies[i].after, bodies[i].values);
	}
}

#define LINE998                                                                                    \
	"X-LONG:" C100 C100 C100 C100 C100 C100 C100 C100 C100                                     \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"890\r\n"
#define C100                                                                                       \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"890123456789"

/* An item as clients leave it: everything that is not the property under change must stay byte for
 * byte. */
static const char rich[] =
	"BEGIN:VCALENDAR\r\n"
	"PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\n"
	"VERSION:2.0\r\n"
	"X-WR-CALNAME;VALUE=TEXT:Sch\xC3\xB6n\r\n"
	"BEGIN:VTIMEZONE\r\nTZID:Europe/"
	"Berlin\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n"
	"DTSTART:19700101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	"BEGIN:VTODO\r\n"
	"uid:a1\r\n"
	"CREATED:20260101T000000Z\r\n"
	"DTSTAMP;X-D=1:20260101T000000Z\r\n"
	"LAST-MODIFIED:20260101T000000Z\r\n"
	"SUMM\r\n ARY;LANGUAGE=en:Ship\r\n   cra\r\n\tte\r\n" LINE998
	"DTSTART;TZID=Europe/Berlin:20260301T090000\r\n"
	"DUE;TZID=Europe/Berlin:20260305T170000\r\n"
	"STATUS:IN-PROCESS\r\n"
	"PERCENT-COMPLETE:40\r\n"
	"PRIORITY:5\r\n"
	"CATEGORIES:dock\r\n"
	"SEQUENCE:3\r\n"
	"X-MOZ-GENERATION:4\r\n"
	"X-EMPTY;:v\r\n"
	"X-BYTES:\xFC\xDF\x01\r\n"
	"no colon here\r\n"
	"\r\n"
	"ATTENDEE;CN=\"He said ^'hi^' ^n; a:b\";ROLE=REQ-PARTICIPANT:mailto:a@example.com\r\n"
	"RELATED-TO;RELTYPE=SIBLING:s1\r\n"
	"COMMENT:one\r\nCOMMENT:two\r\n"
	"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT15M\r\nDESCRIPTION:"
	"ring\r\nSUMMARY:ring\r\n"
	"X-MOZ-LASTACK:20260301T000000Z\r\nEND:VALARM\r\n"
	"BEGIN:PARTICIPANT\r\nUID:p\r\nPERCENT-COMPLETE:7\r\nSTATUS:COMPLETED\r\nEND:"
	"PARTICIPANT\r\n"
	"DESCRIPTION:mine\r\n"
	"X-AFTER;X-P=\"a:b;c\",d:sub\r\n -components\r\n"
	"COLOR:red\r\n"
	"END:VTODO\r\n"
	"X-LAST:1\r\n"
	"END:VCALENDAR\r\n"
	"\r\n";

static const struct {
	const char *values;
	const char *ours[6]; /* properties that may change, besides the stamps and the edition */
} changes[] = {
	{ "subject=Ship all crates", { "SUMMARY" } },
	{ "start=2026-03-02", { "DTSTART" } },
	{ "due=2026-03-09", { "DUE" } },
	{ "due=", { "DUE" } },
	{ "start=", { "DTSTART" } },
	{ "priority=1", { "PRIORITY" } },
	{ "priority=", { "PRIORITY" } },
	{ "categories=dock\nquay", { "CATEGORIES" } },
	{ "categories=", { "CATEGORIES" } },
	{ "parent=p2", { "RELATED-TO-PARENT" } },
	{ "total_work=480", { "ESTIMATED-DURATION" } },
	{ "actual_work=180", { "X-TASKFERRY-ACTUAL-WORK" } },
	{ "status=completed|percent=100|completed_at=2026-03-04T10:00:00Z",
	  { "STATUS", "PERCENT-COMPLETE", "COMPLETED" } },
	{ "percent=60", { "PERCENT-COMPLETE" } },
	{ "percent=", { "PERCENT-COMPLETE" } },
	{ "notes=theirs", { "DESCRIPTION" } },
	{ "notes=", { "DESCRIPTION" } },
	{ "", { NULL } },
};

static const char *const always[] = { "DTSTAMP", "LAST-MODIFIED", "X-TASKFERRY-EDITION" };

/* A text with other line ends; the odd bytes and folds stay. */
static char *with_eol(const char *text, const char *eol)
{
	struct buf *buf = buf_new(mem);

	for (; *text; text++)
		if (text[0] == '\r' && text[1] == '\n')
			buf_puts(buf, eol), text++;
		else
			buf_putc(buf, *text);
	return buf->data;
}

static void check_kept(const char *before, size_t change, const char *trailer)
{
	const char *ours[16] = { NULL };
	struct vector *values = vector_of(changes[change].values);
	struct vtodo *vtodo;
	char *after = patched(before, changes[change].values, trailer, 8), *difference;
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(always); i++)
		ours[n++] = always[i];
	for (size_t i = 0; changes[change].ours[i]; i++)
		ours[n++] = strcmp(changes[change].ours[i], "RELATED-TO-PARENT")
				    ? changes[change].ours[i]
				    : "RELATED-TO";
	if (trailer)
		ours[n++] = "DESCRIPTION";
	difference = kept_difference(mem, before, strlen(before), after, strlen(after), ours);
	cr_expect(!difference || (values->value[FIELD_parent].presence == SET &&
				  strstr(after, "SIBLING:s1")),
		  "%s: %s\nbefore: %s\nafter: %s", changes[change].values, difference, before,
		  after);
	cr_assert(!vtodo_decode(mem, after, strlen(after), NULL, &vtodo));
	for (int i = 0; i < FIELDS; i++)
		if (values->value[i].presence != ABSENT && i != FIELD_actual_work)
			cr_expect(value_same((enum field)i, &values->value[i],
					     &vtodo->values->value[i]),
				  "%s: %s not read back from %s", changes[change].values,
				  field_table[i].name, after);
	cr_expect_eq(vtodo->edition, 8);
	cr_expect_str_eq(patched(after, changes[change].values, trailer, 8), after,
			 "%s: not a fixpoint", changes[change].values);
}

/* N4 */
Test(vtodo_patch, everything_else_stays)
{
	static const char *const eols[] = { "\r\n", "\n", "\r" };

	cr_assert_eq(strlen(LINE998), 1000, "998 bytes and the line end, but %zu", strlen(LINE998));
	for (size_t e = 0; e < COUNT_OF(eols); e++)
		for (size_t i = 0; i < COUNT_OF(changes); i++) {
			check_kept(with_eol(rich, eols[e]), i, NULL);
			check_kept(with_eol(rich, eols[e]), i, "Actual work: 3 h\n");
		}
}

Test(vtodo_patch, other_relations_stay)
{
	char *after = patched(rich, "parent=p2", NULL, 0);
	static const char *const ours[] = { "DTSTAMP", "LAST-MODIFIED", NULL };
	char *with = mem_strdup(mem, rich), *at = strstr(with, "BEGIN:VALARM");

	/* the only new line */
	with = mem_printf(mem, "%.*sRELATED-TO;RELTYPE=PARENT:p2\r\n%s", (int)(at - with), with,
			  at);
	cr_expect_null(kept_difference(mem, with, strlen(with), after, strlen(after), ours), "%s",
		       after);
}

Test(vtodo_patch, inserted_lines_end_as_most_lines_do)
{
	static const char mixed[] = "BEGIN:VTODO\nSUMMARY:a\nX:1\r\nEND:VTODO\n";

	cr_expect_str_eq(patched(mixed, "percent=5", NULL, 0),
			 "BEGIN:VTODO\nSUMMARY:a\nX:1\r\nDTSTAMP:20261121T090000Z\nLAST-MODIFIED:"
			 "20261121T090000Z\n"
			 "PERCENT-COMPLETE:5\nEND:VTODO\n");
}

Test(vtodo_patch, trailer_rides_and_never_piles_up)
{
	char *text = patched(ITEM("DESCRIPTION:mine\r\n"), "percent=5", "Actual work: 1 h\n", 1),
	     *again;
	struct vtodo *vtodo;

	cr_assert(!vtodo_decode(mem, text, strlen(text), NULL, &vtodo));
	cr_expect_str_eq(vtodo->description, trailer_join(mem, "mine", "Actual work: 1 h\n"));
	cr_expect_str_eq(vector_str(vtodo->values, FIELD_notes), "mine");
	again = patched(text, "percent=6", "Actual work: 2 h\n", 2);
	cr_assert(!vtodo_decode(mem, again, strlen(again), NULL, &vtodo));
	cr_expect_str_eq(vtodo->description, trailer_join(mem, "mine", "Actual work: 2 h\n"));
	/* a client lost the separator; the notes are not ours to touch */
	again = patched(ITEM("DESCRIPTION:mine\\nActual work: 2 h\r\n"), "percent=6",
			"Actual work: 2 h\n", 2);
	cr_assert(!vtodo_decode(mem, again, strlen(again), NULL, &vtodo));
	cr_expect_str_eq(vtodo->description, trailer_join(mem, "mine", "Actual work: 2 h\n"));
	again = patched(again, "notes=", "Actual work: 3 h\n", 3);
	cr_assert(!vtodo_decode(mem, again, strlen(again), NULL, &vtodo));
	cr_expect_str_eq(vtodo->description, trailer_join(mem, "", "Actual work: 3 h\n"));
	cr_expect_eq(vtodo->values->value[FIELD_notes].presence, CLEARED);
	cr_expect_eq(vtodo->edition, 3);
}

Test(vtodo_patch, second_patch_changes_the_stamps_only)
{
	static const char *const stamps[] = { "DTSTAMP", "LAST-MODIFIED", NULL };
	struct vtodo_publish publish = {
		.values = vector_of("subject=x|start=2026-03-01|due=2026-03-05|percent=7|"
				    "status=in-process|categories=a\nb|notes=n|parent=p"),
		.edition = 4,
		.edition_hash = "0123abcd",
		.trailer = "t\n",
		.now_us = NOW_US
	};
	char *first, *second, *difference;
	size_t len, second_len;

	cr_assert(!vtodo_patch(mem, rich, strlen(rich), &publish, &first, &len));
	publish.now_us += INT64_C(60000000);
	cr_assert(!vtodo_patch(mem, first, len, &publish, &second, &second_len));
	difference = kept_difference(mem, first, len, second, second_len, stamps);
	cr_expect_null(difference, "%s", difference);
	cr_expect(strstr(second, "DTSTAMP;X-D=1:20261121T090100Z\r\n"), "%s", second);
}

Test(vtodo_patch, refused)
{
	static const char *const texts[] = { "", "BEGIN:VTODO\r\n",
					     "BEGIN:VTODO\nEND:VTODO\nBEGIN:VTODO\nEND:VTODO\n" };
	struct vtodo_publish publish = { .values = vector_of("percent=5"), .now_us = NOW_US };
	char *got = NULL;
	size_t len = 7;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct fault *fault =
			vtodo_patch(mem, texts[i], strlen(texts[i]), &publish, &got, &len);

		cr_expect(fault && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM,
			  "%s", texts[i]);
	}
	cr_expect(!got && len == 7, "untouched on failure");
}

/* Nothing is written that could not be read again. */
Test(vtodo_patch, notes_over_the_bounds)
{
	struct vtodo_publish publish = { .values = vector_new(mem), .now_us = NOW_US };
	char *notes = talloc_zero_size(mem, VTODO_LINE_MAX + 1), *got = NULL;
	struct vector *values = vector_new(mem);
	struct fault *fault;
	size_t len;

	memset(notes, 'a', VTODO_LINE_MAX);
	vector_text(values, FIELD_notes, notes);
	publish.values = values;
	fault = vtodo_patch(mem, rich, strlen(rich), &publish, &got, &len);
	cr_expect(fault && fault->kind == FAULT_DATA && fault->next == FAULT_NEXT_HOLD && !got);
	notes[VTODO_LINE_MAX - strlen("DESCRIPTION:")] = '\0';
	vector_text(values, FIELD_notes, notes);
	cr_expect(!vtodo_patch(mem, rich, strlen(rich), &publish, &got, &len));
}
