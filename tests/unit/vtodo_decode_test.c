#include "config.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "mappers/vtodo.h"

/* The site lives in Berlin: +01:00, from 2026-03-29T01:00Z to 2026-10-25T01:00Z +02:00. */
static void *mem;

static void set_up(void)
{
	mem = talloc_new(NULL);
	cr_assert(!zone_use(mem, "Europe/Berlin"));
}

static void tear_down(void)
{
	talloc_free(mem);
}

TestSuite(vtodo_decode, .init = set_up, .fini = tear_down);

static struct vtodo *decoded(const char *text, size_t len)
{
	struct vtodo *vtodo = NULL;
	struct fault *fault = vtodo_decode(mem, text, len, NULL, &vtodo);

	cr_assert(!fault, "%s: %s", fault ? fault->text : "", text);
	return vtodo;
}

/* From a client that edits what it finds. */
static struct vtodo *decoded_body(const char *body)
{
	char *text =
		mem_printf(mem,
			   "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
			   "PRODID:-//taskferry//taskferry 1.0//EN\r\nBEGIN:VTODO\r\n%s\r\nEND:"
			   "VTODO\r\nEND:VCALENDAR\r\n",
			   body);

	return decoded(text, strlen(text));
}

/* "absent", "cleared" or the canonical text. */
static const char *shown(const struct vtodo *vtodo, enum field field)
{
	const struct value *value = &vtodo->values->value[field];

	if (value->presence == SET)
		return value_text(mem, field, value);
	return value->presence == CLEARED ? "cleared" : "absent";
}

static const char *problems(const struct vtodo *vtodo)
{
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < vtodo->problem_count; i++)
		buf_printf(buf, "%s%s", i ? "|" : "", vtodo->problems[i]);
	return buf->data;
}

#define LONG64 "1234567890123456789012345678901234567890123456789012345678901234"
#define LONG512 LONG64 LONG64 LONG64 LONG64 LONG64 LONG64 LONG64 LONG64

static const struct {
	const char *body;
	enum field field;
	const char *value;
	const char *problem; /* the only one, or NULL */
} values[] = {
	/* RFC 5545 section 3.3.11 */
	{ "SUMMARY:Ship crate", FIELD_subject, "Ship crate", NULL },
	{ "summary:a\\nb\\Nc\\\\d\\;e\\,f", FIELD_subject, "a\nb\nc\\d;e,f", NULL },
	{ "SUMMARY:a\\gb\\\"c\\", FIELD_subject, "a\\gb\\\"c\\", NULL },
	{ "SUMMARY:  Pa\r\n  ck", FIELD_subject, "  Pa ck", NULL },
	{ "SUMMARY:x\r\n y\r\n\tz", FIELD_subject, "xyz", NULL },
	{ "SUMMARY;LANGUAGE=de;X-A=\"a:b;c\":v", FIELD_subject, "v", NULL },
	{ "SUMMARY:Gr\xFC\xDF"
	  "e",
	  FIELD_subject,
	  "Gr\xEF\xBF\xBD\xEF\xBF\xBD"
	  "e",
	  "SUMMARY: not UTF-8 or with control characters; they are replaced" },
	{ "SUMMARY;CHARSET=ISO-8859-1:Gr\xFC\xDF"
	  "e",
	  FIELD_subject,
	  "Gr\xC3\xBC\xC3\x9F"
	  "e",
	  NULL },
	{ "SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Gr=C3=BC=\r\n=C3=9Fe=", FIELD_subject,
	  "Gr\xC3\xBC\xC3\x9F"
	  "e=",
	  NULL },
	{ "SUMMARY;QUOTED-PRINTABLE:C:\\new=0Ax", FIELD_subject, "C:\\new\nx", NULL },
	{ "SUMMARY;ENCODING=quoted-printable;CHARSET=iso-8859-1:=FCber=zz", FIELD_subject,
	  "\xC3\xBC"
	  "ber=zz",
	  NULL },
	{ "SUMMARY:", FIELD_subject, "absent", "SUMMARY: empty" },
	{ "X:y", FIELD_subject, "absent", NULL },
	{ "SUMMARY:one\r\nSUMMARY:two", FIELD_subject, "one",
	  "SUMMARY: given more than once; the first one counts" },
	{ "SUMMARY:" LONG512, FIELD_subject, LONG512, NULL },
	{ "SUMMARY:" LONG512 "\xC3\xA4", FIELD_subject, LONG512, "SUMMARY: too long; cut" },

	/* dates: section 3.3.4, 3.3.5, 3.2.19 */
	{ "DUE;VALUE=DATE:20260302", FIELD_due, "2026-03-02", NULL },
	{ "DUE:20260302", FIELD_due, "2026-03-02", NULL },
	{ "due;value=date: 20260302 ", FIELD_due, "2026-03-02", NULL },
	{ "DUE;VALUE=DATE:20260302T090000Z", FIELD_due, "2026-03-02", NULL },
	{ "DUE:20260302T090000Z", FIELD_due, "2026-03-02T09:00:00Z", NULL },
	{ "DUE:20260302t090000z", FIELD_due, "2026-03-02T09:00:00Z", NULL },
	{ "DUE:20260302T0900Z", FIELD_due, "2026-03-02T09:00:00Z", NULL },
	{ "DUE:20260302T090000.123Z", FIELD_due, "2026-03-02T09:00:00Z", NULL },
	{ "DUE:20260302T090060Z", FIELD_due, "2026-03-02T09:00:59Z", NULL },
	{ "DUE:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z", NULL },
	{ "DUE:20260702T090000", FIELD_due, "2026-07-02T07:00:00Z", NULL },
	{ "DUE;TZID=America/New_York:20260302T090000", FIELD_due, "2026-03-02T14:00:00Z", NULL },
	{ "DUE;TZID=America/New_York:20260702T090000", FIELD_due, "2026-07-02T13:00:00Z", NULL },
	{ "DUE;TZID=\"America/New_York\":20260702T090000", FIELD_due, "2026-07-02T13:00:00Z",
	  NULL },
	{ "DUE;TZID=US/Eastern:20260702T090000", FIELD_due, "2026-07-02T13:00:00Z", NULL },
	{ "DUE;TZID=UTC:20260702T090000", FIELD_due, "2026-07-02T09:00:00Z", NULL },
	{ "DUE;TZID=Asia/Kolkata:20260702T090000", FIELD_due, "2026-07-02T03:30:00Z", NULL },
	{ "DUE;TZID=/freeassociation.sourceforge.net/Asia/Tokyo:20260702T090000", FIELD_due,
	  "2026-07-02T00:00:00Z", NULL },
	{ "DUE;TZID=/citadel.org/20210210_1/America/Argentina/Ushuaia:20260702T090000", FIELD_due,
	  "2026-07-02T12:00:00Z", NULL },
	{ "DUE;TZID=Asia/Tokyo:20260302T090000Z", FIELD_due, "2026-03-02T09:00:00Z", NULL },
	{ "DUE;TZID=:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z", NULL },
	{ "DUE;TZID=Mars/Olympus:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: Mars/Olympus; read as the site's time" },
	{ "DUE;TZID=\"W. Europe Standard Time\":20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: W. Europe Standard Time; read as the site's time" },
	{ "DUE;TZID=../../etc/passwd:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: ../../etc/passwd; read as the site's time" },
	{ "DUE;TZID=localtime:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: localtime; read as the site's time" },
	{ "DUE;TZID=right/Asia/Tokyo:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: right/Asia/Tokyo; read as the site's time" },
	{ "DUE;TZID=/etc/passwd:20260302T090000", FIELD_due, "2026-03-02T08:00:00Z",
	  "DUE: time zone not known: /etc/passwd; read as the site's time" },
	/* New York, 2026-03-08T02:30 does not exist: the offset before, -05:00; 2026-11-01T01:30 is
	   the first, -04:00 */
	{ "DUE;TZID=America/New_York:20260308T023000", FIELD_due, "2026-03-08T07:30:00Z", NULL },
	{ "DUE;TZID=America/New_York:20261101T013000", FIELD_due, "2026-11-01T05:30:00Z", NULL },
	{ "DUE;TZID=America/New_York:20401101T120000", FIELD_due, "2040-11-01T16:00:00Z", NULL },
	{ "DUE;VALUE=DATE:20240229", FIELD_due, "2024-02-29", NULL },
	{ "DUE;VALUE=DATE:20260229", FIELD_due, "absent", "DUE: no such date: 20260229" },
	{ "DUE:20261301", FIELD_due, "absent", "DUE: no such date: 20261301" },
	{ "DUE:20260302T250000Z", FIELD_due, "absent", "DUE: no such date: 20260302T250000Z" },
	{ "DUE:20260302T096000Z", FIELD_due, "absent", "DUE: no such date: 20260302T096000Z" },
	{ "DUE:2026-03-02", FIELD_due, "absent", "DUE: no such date: 2026-03-02" },
	{ "DUE:20260302T090000+0100", FIELD_due, "absent",
	  "DUE: no such date: 20260302T090000+0100" },
	{ "DUE:", FIELD_due, "absent", "DUE: no such date: " },
	{ "DUE:30000101", FIELD_due, "absent", "DUE: no such date: 30000101" },
	{ "DUE:tomorrow", FIELD_due, "absent", "DUE: no such date: tomorrow" },
	{ "X:y", FIELD_due, "cleared", NULL },
	{ "X:y", FIELD_start, "cleared", NULL },
	{ "DTSTART:20260230T090000Z", FIELD_start, "absent",
	  "DTSTART: no such date: 20260230T090000Z" },
	/* 23:59:59 is a client's whole day, in its own zone or in the site's */
	{ "DUE:20260302T235959", FIELD_due, "2026-03-02", NULL },
	{ "DUE;TZID=America/New_York:20260302T235959", FIELD_due, "2026-03-02", NULL },
	{ "DUE:20260302T225959Z", FIELD_due, "2026-03-02", NULL },
	{ "DUE:20260702T215959Z", FIELD_due, "2026-07-02", NULL },
	{ "DUE:20260302T235959Z", FIELD_due, "2026-03-02T23:59:59Z", NULL },
	{ "DTSTART:20260302T235959", FIELD_start, "2026-03-02T22:59:59Z", NULL },
	{ "COMPLETED:20260302T225959Z", FIELD_completed_at, "2026-03-02T22:59:59Z", NULL },

	/* DURATION: section 3.6.2 */
	{ "DTSTART:20260301T090000Z\r\nDURATION:P1DT2H", FIELD_due, "2026-03-02T11:00:00Z", NULL },
	{ "DTSTART;VALUE=DATE:20260301\r\nDURATION:P2W", FIELD_due, "2026-03-15", NULL },
	{ "DTSTART;VALUE=DATE:20260301\r\nDURATION:PT36H", FIELD_due, "2026-03-02", NULL },
	/* over the change of 2026-03-29: a day is nominal, hours are exact */
	{ "DTSTART:20260328T120000\r\nDURATION:P1D", FIELD_due, "2026-03-29T10:00:00Z", NULL },
	{ "DTSTART:20260328T120000\r\nDURATION:PT24H", FIELD_due, "2026-03-29T11:00:00Z", NULL },
	{ "DTSTART:20260301T090000Z\r\nDUE:20260302T090000Z\r\nDURATION:PT5H", FIELD_due,
	  "2026-03-02T09:00:00Z", "DURATION: stands beside DUE, which counts" },
	{ "DURATION:PT5H", FIELD_due, "absent", "DURATION: without DTSTART" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:P1Y", FIELD_due, "absent",
	  "DURATION: no such duration: P1Y" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:-PT1H", FIELD_due, "absent",
	  "DURATION: no such duration: -PT1H" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:P", FIELD_due, "absent",
	  "DURATION: no such duration: P" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:P1DT", FIELD_due, "absent",
	  "DURATION: no such duration: P1DT" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:PT1M1H", FIELD_due, "absent",
	  "DURATION: no such duration: PT1M1H" },
	{ "DTSTART:20260301T090000Z\r\nDURATION:P9999999W", FIELD_due, "absent",
	  "DURATION: duration too long: P9999999W" },

	/* recurring items */
	{ "RRULE:FREQ=DAILY\r\nDUE:20260302", FIELD_due, "absent",
	  "RRULE: the item recurs; its dates are left alone" },
	{ "RDATE:20260303\r\nDTSTART:20260302", FIELD_start, "absent",
	  "RRULE: the item recurs; its dates are left alone" },
	{ "RRULE:FREQ=DAILY\r\nPERCENT-COMPLETE:40", FIELD_percent, "40",
	  "RRULE: the item recurs; its dates are left alone" },

	/* progress */
	{ "PERCENT-COMPLETE:40", FIELD_percent, "40", NULL },
	{ "PERCENT-COMPLETE: 40 ", FIELD_percent, "40", NULL },
	{ "PERCENT-COMPLETE:140", FIELD_percent, "140", NULL },
	{ "PERCENT-COMPLETE:-5", FIELD_percent, "-5", NULL },
	{ "PERCENT-COMPLETE:0", FIELD_percent, "0", NULL },
	{ "X:y", FIELD_percent, "cleared", NULL },
	{ "PERCENT-COMPLETE:40%", FIELD_percent, "absent",
	  "PERCENT-COMPLETE: no whole number: 40%" },
	{ "PERCENT-COMPLETE:", FIELD_percent, "absent", "PERCENT-COMPLETE: no whole number: " },
	{ "PERCENT-COMPLETE:99999999999999999999", FIELD_percent, "absent",
	  "PERCENT-COMPLETE: no whole number: 99999999999999999999" },
	{ "PERCENT-COMPLETE:40\r\nPERCENT-COMPLETE:50", FIELD_percent, "40",
	  "PERCENT-COMPLETE: given more than once; the first one counts" },
	{ "STATUS:NEEDS-ACTION", FIELD_status, "needs-action", NULL },
	{ "STATUS:in-process", FIELD_status, "in-process", NULL },
	{ "STATUS:COMPLETED", FIELD_status, "completed", NULL },
	{ "STATUS:CANCELLED", FIELD_status, "cancelled", NULL },
	{ "STATUS:FAILED", FIELD_status, "cancelled", NULL },
	{ "STATUS:PENDING", FIELD_status, "needs-action", NULL },
	{ "STATUS:NEEDS ACTION", FIELD_status, "needs-action", NULL },
	{ "STATUS:CONFIRMED", FIELD_status, "absent", "STATUS: no status of a task: CONFIRMED" },
	{ "STATUS:", FIELD_status, "cleared", NULL },
	{ "X:y", FIELD_status, "cleared", NULL },
	{ "COMPLETED:20260302T090000Z", FIELD_completed_at, "2026-03-02T09:00:00Z", NULL },
	{ "COMPLETED;VALUE=DATE:20260302", FIELD_completed_at, "2026-03-02", NULL },
	{ "COMPLETED;TZID=Europe/Berlin:20260302T090000", FIELD_completed_at,
	  "2026-03-02T08:00:00Z", NULL },
	{ "COMPLETED:00000000T000000Z", FIELD_completed_at, "absent",
	  "COMPLETED: no such date: 00000000T000000Z" },
	{ "X:y", FIELD_completed_at, "cleared", NULL },

	/* the rest */
	{ "PRIORITY:1", FIELD_priority, "1", NULL },
	{ "PRIORITY:0", FIELD_priority, "0", NULL },
	{ "PRIORITY:", FIELD_priority, "cleared", NULL },
	{ "X:y", FIELD_priority, "cleared", NULL },
	{ "PRIORITY:10", FIELD_priority, "absent", "PRIORITY: no number from 0 to 9: 10" },
	{ "PRIORITY:-1", FIELD_priority, "absent", "PRIORITY: no number from 0 to 9: -1" },
	{ "PRIORITY:high", FIELD_priority, "absent", "PRIORITY: no number from 0 to 9: high" },
	{ "CATEGORIES:b,a", FIELD_categories, "a\nb", NULL },
	{ "CATEGORIES:A\\,B,C;D,,E", FIELD_categories, "A,B\nC;D\nE", NULL },
	{ "CATEGORIES:b\r\nX:y\r\nCATEGORIES:a,b", FIELD_categories, "a\nb", NULL },
	{ "CATEGORIES:a\\nb\\\\", FIELD_categories, "a b\\", NULL },
	{ "CATEGORIES:a\\", FIELD_categories, "a\\", NULL },
	{ "CATEGORIES:", FIELD_categories, "cleared", NULL },
	{ "X:y", FIELD_categories, "cleared", NULL },
	{ "RELATED-TO:p1", FIELD_parent, "p1", NULL },
	{ "RELATED-TO;RELTYPE=parent:p1", FIELD_parent, "p1", NULL },
	{ "RELATED-TO;RELTYPE=\"PARENT\":p1", FIELD_parent, "p1", NULL },
	{ "RELATED-TO;RELTYPE=CHILD:c1\r\nRELATED-TO:p1", FIELD_parent, "p1", NULL },
	{ "RELATED-TO;RELTYPE=FINISHTOSTART;GAP=PT1H:c1", FIELD_parent, "absent", NULL },
	{ "RELATED-TO:p1\r\nRELATED-TO:p2", FIELD_parent, "p1",
	  "RELATED-TO: more than one parent; the first one counts" },
	{ "RELATED-TO:", FIELD_parent, "cleared", NULL },
	{ "X:y", FIELD_parent, "absent", NULL },
	{ "ESTIMATED-DURATION:PT8H", FIELD_total_work, "480", NULL },
	{ "ESTIMATED-DURATION:P1DT1H30M", FIELD_total_work, "1530", NULL },
	{ "ESTIMATED-DURATION:P1Y2M", FIELD_total_work, "absent",
	  "ESTIMATED-DURATION: no such duration: P1Y2M" },
	{ "ESTIMATED-DURATION:-PT8H", FIELD_total_work, "absent",
	  "ESTIMATED-DURATION: no such duration: -PT8H" },
	{ "X:y", FIELD_total_work, "absent", NULL },
	{ "X-TASKFERRY-ACTUAL-WORK:PT3H", FIELD_actual_work, "absent", NULL },
	{ "DESCRIPTION:line1\\nBEGIN:VTODO\\nUID:evil", FIELD_notes, "line1\nBEGIN:VTODO\nUID:evil",
	  NULL },
	{ "DESCRIPTION;ALTREP=\"data:text/html,a;b\":x", FIELD_notes, "x", NULL },
	{ "DESCRIPTION:", FIELD_notes, "cleared", NULL },
	{ "X:y", FIELD_notes, "cleared", NULL },
	/* only the VTODO's own properties */
	{ "BEGIN:PARTICIPANT\r\nPERCENT-COMPLETE:40\r\nEND:PARTICIPANT", FIELD_percent, "cleared",
	  NULL },
	{ "BEGIN:VALARM\r\nDESCRIPTION:ring\r\nEND:VALARM\r\nDESCRIPTION:x", FIELD_notes, "x",
	  NULL },
};

Test(vtodo_decode, values)
{
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct vtodo *vtodo = decoded_body(values[i].body);
		const char *got = shown(vtodo, values[i].field), *named = problems(vtodo);

		cr_expect_str_eq(got, values[i].value, "%s of [%s]: expected [%s], got [%s]",
				 field_table[values[i].field].name, values[i].body, values[i].value,
				 got);
		cr_expect_str_eq(named, values[i].problem ? values[i].problem : "",
				 "problems of [%s]: expected [%s], got [%s]", values[i].body,
				 values[i].problem ? values[i].problem : "", named);
	}
}

/* Instances of a series, and what clients leave behind, stand beside the task itself (RFC 5545
 * section 3.8.4.4). */
Test(vtodo_decode, the_task_among_its_instances)
{
	static const char master[] =
		"BEGIN:VTODO\nUID:a\nSUMMARY:m\nPERCENT-COMPLETE:40\nEND:VTODO\n";
	static const char *const beside[] = {
		("BEGIN:VTODO\nUID:a\nSUMMARY:i\nRECURRENCE-ID:20261201\nSTATUS:COMPLETED\n"
		 "END:VTODO\n"),
		"BEGIN:VTODO\nRECURRENCE-ID:20261201\nSUMMARY:i\nEND:VTODO\n",
		"BEGIN:VTODO\nEND:VTODO\n",
	};

	for (size_t i = 0; i < COUNT_OF(beside); i++)
		for (int before = 0; before < 2; before++) {
			char *text = mem_printf(mem, "BEGIN:VCALENDAR\n%s%s%sEND:VCALENDAR\n",
						before ? beside[i] : "", master,
						before ? "" : beside[i]);
			struct vtodo *vtodo = decoded(text, strlen(text));

			cr_expect_str_eq(shown(vtodo, FIELD_subject), "m", "%s", text);
			cr_expect_str_eq(shown(vtodo, FIELD_percent), "40", "%s", text);
		}
}

Test(vtodo_decode, elapsed_seconds)
{
	static const struct {
		const char *body;
		int64_t seconds; /* -1: none */
		const char *problem;
	} rows[] = {
		{ "X-TASKS-ELAPSED-SECONDS:5400", 5400, "" },
		{ "X-TASKS-ELAPSED-SECONDS:0", 0, "" },
		{ "X:y", -1, "" },
		{ "X-TASKS-ELAPSED-SECONDS:-1", -1,
		  "X-TASKS-ELAPSED-SECONDS: no number of seconds: -1" },
		{ "X-TASKS-ELAPSED-SECONDS:1.5", -1,
		  "X-TASKS-ELAPSED-SECONDS: no number of seconds: 1.5" },
		{ "X-TASKS-ELAPSED-SECONDS:99999999999999999999", -1,
		  "X-TASKS-ELAPSED-SECONDS: no number of seconds: 99999999999999999999" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct vtodo *vtodo = decoded_body(rows[i].body);

		cr_expect_eq(vtodo->elapsed_s, rows[i].seconds, "[%s]: %lld", rows[i].body,
			     (long long)vtodo->elapsed_s);
		cr_expect_str_eq(problems(vtodo), rows[i].problem, "[%s]", rows[i].body);
	}
}

#define BERLIN(start, rule)                                                                        \
	"BEGIN:VTIMEZONE\nTZID:X\nX-LIC-LOCATION:Europe/"                                          \
	"Berlin\nBEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"                           \
	"DTSTART:" start "0329T020000\nRRULE:FREQ=YEARLY;" rule                                    \
	";BYMONTH=3\nEND:DAYLIGHT\nBEGIN:STANDARD\n"                                               \
	"TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nDTSTART:" start "1025T030000\n"                     \
	"RRULE:FREQ=YEARLY;" rule ";BYMONTH=10\nEND:STANDARD\nEND:VTIMEZONE\n"
#define FIXED(sub)                                                                                 \
	"BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0530\nDTSTART:"  \
	"19700101T000000\n" sub "END:STANDARD\nEND:VTIMEZONE\n"

/* Clocks go forward in October, back in April; the two histories begin in this order. */
#define SYDNEY                                                                                     \
	"BEGIN:VTIMEZONE\nTZID:X\nBEGIN:DAYLIGHT\nTZOFFSETFROM:+1000\nTZOFFSETTO:+1100\n"          \
	"DTSTART:20071028T020000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=1SU\nEND:DAYLIGHT\n"          \
	"BEGIN:STANDARD\nTZOFFSETFROM:+1100\nTZOFFSETTO:+1000\nDTSTART:20080406T030000\n"          \
	"RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU\nEND:STANDARD\nEND:VTIMEZONE\n"

/* A wall time in the zone X of a VTIMEZONE, worked out by hand from RFC 5545 section 3.6.5. */
static const struct {
	const char *what, *vtimezone, *wall,
		*utc; /* UTC NULL: the VTIMEZONE is not usable, so the site's zone counts */
} zones[] = {
	{ "winter", BERLIN("1970", "BYDAY=-1SU"), "20260302T090000", "2026-03-02T08:00:00Z" },
	{ "summer", BERLIN("1970", "BYDAY=-1SU"), "20260702T090000", "2026-07-02T07:00:00Z" },
	{ "before the change", BERLIN("1970", "BYDAY=-1SU"), "20260329T015959",
	  "2026-03-29T00:59:59Z" },
	{ "in the gap", BERLIN("1970", "BYDAY=-1SU"), "20260329T023000", "2026-03-29T01:30:00Z" },
	{ "after the gap", BERLIN("1970", "BYDAY=-1SU"), "20260329T030000",
	  "2026-03-29T01:00:00Z" },
	{ "in the overlap", BERLIN("1970", "BYDAY=-1SU"), "20261025T023000",
	  "2026-10-25T00:30:00Z" },
	{ "after the overlap", BERLIN("1970", "BYDAY=-1SU"), "20261025T030000",
	  "2026-10-25T02:00:00Z" },
	{ "far future", BERLIN("1970", "BYDAY=-1SU"), "29980702T090000", "2998-07-02T07:00:00Z" },
	{ "Exchange's first year", BERLIN("1601", "BYDAY=-1SU;INTERVAL=1;WKST=MO"),
	  "20260702T090000", "2026-07-02T07:00:00Z" },
	{ "Lotus' days", BERLIN("1970", "BYMONTHDAY=25,26,27,28,29,30,31;BYDAY=SU"),
	  "20260329T030000", "2026-03-29T01:00:00Z" },
	{ "no day: that of DTSTART", BERLIN("1970", "WKST=SU"), "20260328T120000",
	  "2026-03-28T11:00:00Z" },
	{ "no day: that of DTSTART, after it", BERLIN("1970", "WKST=SU"), "20260329T120000",
	  "2026-03-29T10:00:00Z" },
	{ "ended rules", BERLIN("1970", "BYDAY=-1SU;UNTIL=20201231T000000Z"), "20260702T090000",
	  "2026-07-02T08:00:00Z" },
	{ "rules that still held", BERLIN("1970", "BYDAY=-1SU;UNTIL=20260329T010000Z"),
	  "20260702T090000", "2026-07-02T07:00:00Z" },
	{ "before the first onset", BERLIN("2020", "BYDAY=-1SU"), "20190702T090000",
	  "2019-07-02T08:00:00Z" },
	{ "onset of the year before", SYDNEY, "20260115T120000", "2026-01-15T01:00:00Z" },
	{ "both onsets of this year", SYDNEY, "20261115T120000", "2026-11-15T01:00:00Z" },
	{ "southern winter", SYDNEY, "20260715T120000", "2026-07-15T02:00:00Z" },
	{ "fixed offset", FIXED(""), "20260702T090000", "2026-07-02T03:30:00Z" },
	{ "second of two RDATEs",
	  "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nDTSTART:"
	  "19700101T000000\n"
	  "END:STANDARD\nBEGIN:DAYLIGHT\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0300\nDTSTART:"
	  "20250101T000000\n"
	  "RDATE:20250501T000000,20260501T000000\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETFROM:+"
	  "0300\nTZOFFSETTO:+0000\n"
	  "DTSTART:20251001T000000\nEND:STANDARD\nEND:VTIMEZONE\n",
	  "20260702T090000", "2026-07-02T06:00:00Z" },
	{ "offset with seconds",
	  "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:-012030\n"
	  "DTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\n",
	  "20260702T090000", "2026-07-02T10:20:30Z" },
	{ "hourly", FIXED("RRULE:FREQ=HOURLY\n"), "20260702T090000", NULL },
	{ "every second", FIXED("RRULE:FREQ=YEARLY;BYMONTH=1;BYSECOND=1,2,3\n"), "20260702T090000",
	  NULL },
	{ "counted", FIXED("RRULE:FREQ=YEARLY;BYMONTH=1;COUNT=9\n"), "20260702T090000", NULL },
	{ "fifth of the year", FIXED("RRULE:FREQ=YEARLY;BYDAY=5SU\n"), "20260702T090000", NULL },
	{ "every third year", FIXED("RRULE:FREQ=YEARLY;INTERVAL=3;BYMONTH=1\n"), "20260702T090000",
	  NULL },
	{ "month 13", FIXED("RRULE:FREQ=YEARLY;BYMONTH=13\n"), "20260702T090000", NULL },
	{ "no such weekday", FIXED("RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=XX\n"), "20260702T090000",
	  NULL },
	{ "a day that never comes", FIXED("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n"),
	  "20260702T090000", "2026-07-02T03:30:00Z" },
	{ "no observance", "BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE\n", "20260702T090000", NULL },
	{ "no offset",
	  "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nEND:STANDARD\n"
	  "END:VTIMEZONE\n",
	  "20260702T090000", NULL },
	{ "offset of days",
	  "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:+9900\n"
	  "DTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\n",
	  "20260702T090000", NULL },
	{ "another zone's",
	  "BEGIN:VTIMEZONE\nTZID:Y\nBEGIN:STANDARD\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0900\n"
	  "DTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\n",
	  "20260702T090000", NULL },
};

Test(vtodo_decode, vtimezone)
{
	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		char *text = mem_printf(
			mem,
			"BEGIN:VCALENDAR\n%sBEGIN:VTODO\nDUE;TZID=X:%s\nEND:VTODO\nEND:VCALENDAR\n",
			zones[i].vtimezone, zones[i].wall);
		struct vtodo *vtodo = decoded(text, strlen(text));
		const char *expected = zones[i].utc ? zones[i].utc : "2026-07-02T07:00:00Z";
		const char *got = shown(vtodo, FIELD_due);

		cr_expect_str_eq(got, expected, "%s: %s in [%s]: expected %s, got %s",
				 zones[i].what, zones[i].wall, zones[i].vtimezone, expected, got);
		cr_expect_eq(vtodo->problem_count, zones[i].utc ? 0 : 1, "%s: %s", zones[i].what,
			     problems(vtodo));
	}
}

/* The VTIMEZONE of the object counts, not what the system knows by its name; it may stand behind
 * the VTODO. */
Test(vtodo_decode, vtimezone_before_iana)
{
	static const char text[] = "BEGIN:VCALENDAR\nBEGIN:VTODO\nDUE;TZID=Europe/"
				   "Berlin:20260702T090000\nEND:VTODO\nBEGIN:VTIMEZONE\n"
				   "TZID:Europe/"
				   "Berlin\nBEGIN:STANDARD\nTZOFFSETFROM:+0500\nTZOFFSETTO:+"
				   "0500\nDTSTART:19700101T000000\n"
				   "END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n";
	struct vtodo *vtodo = decoded(text, strlen(text));

	cr_expect_str_eq(shown(vtodo, FIELD_due), "2026-07-02T04:00:00Z");
	cr_expect_str_eq(vtodo->values->value[FIELD_due].when.zone, "Europe/Berlin");
}

static const struct {
	const char *body, *zone;
} names[] = {
	{ "DUE:20260702T090000Z", "UTC" },
	{ "DUE;TZID=Asia/Tokyo:20260702T090000", "Asia/Tokyo" },
	{ "DUE;TZID=/mozilla.org/20050126_1/Asia/Tokyo:20260702T090000", "Asia/Tokyo" },
	{ "DUE;TZID=Nowhere:20260702T090000", NULL },
	{ "DUE:20260702T090000", NULL },
};

Test(vtodo_decode, names_of_zones)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *got = decoded_body(names[i].body)->values->value[FIELD_due].when.zone;

		cr_expect(got ? names[i].zone && !strcmp(got, names[i].zone) : !names[i].zone,
			  "%s: expected %s, got %s", names[i].body,
			  names[i].zone ? names[i].zone : "none", got ? got : "none");
	}
}

Test(vtodo_decode, beyond_the_fields)
{
	static const char text[] =
		"BEGIN:VCALENDAR\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\n"
		"BEGIN:VTODO\r\nUID:a\\,b\r\nLAST-MODIFIED:20260301T090000Z\r\n"
		"X-TASKFERRY-EDITION:12-9f86d081\r\nDESCRIPTION:a\\nb\r\nRRULE:FREQ=DAILY\r\n"
		"END:VTODO\r\nEND:VCALENDAR\r\n";
	struct vtodo *vtodo = decoded(text, strlen(text));

	cr_expect_str_eq(vtodo->uid, "a,b");
	cr_expect_str_eq(vtodo->prodid, "-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN");
	cr_expect_eq(vtodo->last_modified_us, INT64_C(1772355600000000));
	cr_expect_eq(vtodo->edition, 12);
	cr_expect_str_eq(vtodo->edition_hash, "9f86d081");
	cr_expect_str_eq(vtodo->description, "a\nb");
	cr_expect(vtodo->recurring);
	vtodo = decoded("BEGIN:VTODO\nSUMMARY:x\nEND:VTODO\n",
			strlen("BEGIN:VTODO\nSUMMARY:x\nEND:VTODO\n"));
	cr_expect(!vtodo->uid && !vtodo->prodid && !vtodo->last_modified_us && !vtodo->edition &&
		  !vtodo->edition_hash && !vtodo->description && !vtodo->recurring);
}

static const struct {
	const char *value;
	int64_t number;
	const char *hash;
} editions[] = {
	{ "7", 7, NULL },          { "7-", 7, NULL },
	{ "7-ab-cd", 7, "ab-cd" }, { "0-ab", 0, NULL },
	{ "-7-ab", 0, NULL },      { "x", 0, NULL },
	{ "", 0, NULL },           { "99999999999999999999-a", 0, NULL },
	{ " 7-ab ", 7, "ab" },
};

Test(vtodo_decode, editions)
{
	for (size_t i = 0; i < COUNT_OF(editions); i++) {
		struct vtodo *vtodo =
			decoded_body(mem_printf(mem, "X-TASKFERRY-EDITION:%s", editions[i].value));
		const char *hash = vtodo->edition_hash;

		cr_expect_eq(vtodo->edition, editions[i].number, "%s: got %" PRId64,
			     editions[i].value, vtodo->edition);
		cr_expect(hash ? editions[i].hash && !strcmp(hash, editions[i].hash)
			       : !editions[i].hash,
			  "%s: got %s", editions[i].value, hash ? hash : "none");
		cr_expect_eq(vtodo->problem_count, editions[i].number ? 0 : 1, "%s",
			     editions[i].value);
	}
}

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "not iCalendar" },
	{ "<!DOCTYPE html><html><body>Login</body></html>", "not iCalendar" },
	{ "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "no VTODO in it" },
	{ "BEGIN:VTODO\nEND:VTODO\nBEGIN:VTODO\nEND:VTODO\n", "more than one VTODO" },
	{ "BEGIN:VTODO\nBEGIN:VTODO\nEND:VTODO\nEND:VTODO\n", "more than one VTODO" },
	{ "BEGIN:VTODO\nUID:a\nBEGIN:VTODO\nEND:VTODO\nEND:VTODO\n", "more than one VTODO" },
	{ "BEGIN:VTODO\nUID:a\nEND:VTODO\nBEGIN:VTODO\nUID:b\nEND:VTODO\n", "more than one VTODO" },
	{ "BEGIN:VTODO\nUID:a\nEND:VTODO\nBEGIN:VTODO\nUID:b\nRECURRENCE-ID:20261201\nEND:VTODO\n",
	  "more than one VTODO" },
	{ "BEGIN:VTODO\nUID:a\nRECURRENCE-ID:20261201\nEND:VTODO\n"
	  "BEGIN:VTODO\nUID:a\nRECURRENCE-ID:20261202\nEND:VTODO\n",
	  "more than one VTODO" },
	{ "BEGIN:VCALENDAR\nBEGIN:X\nBEGIN:VTODO\nEND:VTODO\nEND:X\nEND:VCALENDAR\n",
	  "a VTODO within another component" },
	{ "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:x\r\n",
	  "not usable iCalendar: cut off: a component is not closed (content line 4)" },
};

Test(vtodo_decode, refused)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct vtodo *vtodo = NULL;
		struct fault *fault =
			vtodo_decode(mem, refused[i].text, strlen(refused[i].text), NULL, &vtodo);

		cr_assert(fault, "[%s] was taken", refused[i].text);
		cr_expect_str_eq(fault->text, refused[i].why, "[%s]: expected %s, got %s",
				 refused[i].text, refused[i].why, fault->text);
		cr_expect(fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM &&
			  fault->next == FAULT_NEXT_HOLD && !vtodo);
	}
}

Test(vtodo_decode, bounds)
{
	struct buf *text = buf_new(mem);
	struct vtodo *vtodo = NULL;

	buf_puts(text, "BEGIN:VTODO\nDESCRIPTION:");
	while (text->len < VTODO_LINE_MAX + 12)
		buf_putc(text, 'a');
	buf_puts(text, "\nEND:VTODO\n");
	cr_expect(!vtodo_decode(mem, text->data, text->len, NULL, &vtodo), "a line of 64 KiB");
	buf_clear(text);
	buf_puts(text, "BEGIN:VTODO\nDESCRIPTION:");
	while (text->len < VTODO_LINE_MAX + 13)
		buf_putc(text, 'a');
	buf_puts(text, "\nEND:VTODO\n");
	cr_expect(vtodo_decode(mem, text->data, text->len, NULL, &vtodo), "a byte more");
	buf_clear(text);
	buf_puts(text, "BEGIN:VTODO\n");
	while (text->len < VTODO_TEXT_MAX)
		buf_puts(text, "COMMENT:0123456789012345678901234567890123456789\n");
	buf_puts(text, "END:VTODO\n");
	cr_expect(vtodo_decode(mem, text->data, text->len, NULL, &vtodo), "more than 1 MiB");
}

static char *nested(int depth)
{
	struct buf *text = buf_new(mem);

	buf_puts(text, "BEGIN:VTODO\n");
	for (int i = 1; i < depth; i++)
		buf_puts(text, "BEGIN:X\n");
	for (int i = 1; i < depth; i++)
		buf_puts(text, "END:X\n");
	buf_puts(text, "END:VTODO\n");
	return text->data;
}

Test(vtodo_decode, nesting)
{
	struct vtodo *vtodo;
	char *at = nested(VTODO_DEPTH_MAX), *over = nested(VTODO_DEPTH_MAX + 1),
	     *far = nested(20000);

	cr_expect(!vtodo_decode(mem, at, strlen(at), NULL, &vtodo));
	cr_expect(vtodo_decode(mem, over, strlen(over), NULL, &vtodo));
	cr_expect(vtodo_decode(mem, far, strlen(far), NULL, &vtodo));
}

Test(vtodo_decode, problems_are_bounded)
{
	struct buf *body = buf_new(mem);

	for (int i = 0; i < 100; i++)
		buf_puts(body, "RELATED-TO:p\r\n");
	buf_puts(body, "X:y");
	cr_expect_leq(decoded_body(body->data)->problem_count, 50);
}

Test(vtodo_decode, trailer_is_not_notes)
{
	const char *trailer = "Actual work: 3 h\nTotal work: 8 h\n";
	char *text = mem_printf(
		mem,
		"BEGIN:VTODO\nDESCRIPTION:mine\\n\\n%s\\nActual work: 3 h\\nTotal work: 8 h\\n\n"
		"END:VTODO\n",
		TRAILER_SEPARATOR);
	char *last = trailer_join(mem, "mine", trailer);
	struct vtodo *vtodo;

	cr_assert(!vtodo_decode(mem, text, strlen(text), last, &vtodo));
	cr_expect_str_eq(vector_str(vtodo->values, FIELD_notes), "mine");
	cr_expect_str_eq(vtodo->description,
			 mem_printf(mem, "mine\n\n%s\n%s", TRAILER_SEPARATOR, trailer));
}

/* Line ends, a BOM and a missing wrapper change nothing. */
static const char *const forms[] = {
	"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:ab\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
	"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:ab\nEND:VTODO\nEND:VCALENDAR",
	"BEGIN:VCALENDAR\rBEGIN:VTODO\rSUMMARY:a\r b\rEND:VTODO\rEND:VCALENDAR\r",
	("\xEF\xBB\xBF"
	 "BEGIN:VCALENDAR\r\nBEGIN:VTODO\nSUMMARY:a\r\n\tb\nEND:VTODO\r\nEND:VCALENDAR\n"),
	"BEGIN:VTODO\r\nSUMM\r\n ARY\r\n :ab\r\nEND:VTODO\r\n",
	" begin:vcalendar\nbegin:vtodo\nsummary:ab\nend:vtodo\nend:vcalendar\n",
	"BEGIN:VCALENDAR\n\n\nBEGIN:VTODO\n\nSUMMARY:ab\n\nEND:VTODO\nEND:VCALENDAR\n\n\n",
	"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:event\nEND:VEVENT\nBEGIN:VTODO\nSUMMARY:ab\nEND:"
	"VTODO\nEND:VCALENDAR\n",
};

Test(vtodo_decode, forms)
{
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		cr_expect_str_eq(shown(decoded(forms[i], strlen(forms[i])), FIELD_subject), "ab",
				 "[%s]", forms[i]);
}
