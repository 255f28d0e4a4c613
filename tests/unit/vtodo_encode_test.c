#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "mappers/vtodo.h"
#include "tests/unit/vtodo_kept.h"

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

TestSuite(vtodo_encode, .init = set_up, .fini = tear_down);

#define NOW_US INT64_C(1795251600000000) /* 2026-11-21T09:00:00Z */

static struct when parsed_when(const char *text)
{
	struct when when;

	cr_assert(!when_parse(mem, text, &when));
	return when;
}

/* Everything that an item can say, in the one order and form that we write. */
Test(vtodo_encode, whole_item)
{
	static const char expected[] = "BEGIN:VCALENDAR\r\n"
				       "VERSION:2.0\r\n"
				       "PRODID:-//taskferry//taskferry " PACKAGE_VERSION "//EN\r\n"
				       "BEGIN:VTODO\r\n"
				       "UID:0b5d-1\r\n"
				       "DTSTAMP:20261121T090000Z\r\n"
				       "CREATED:20261121T090000Z\r\n"
				       "LAST-MODIFIED:20261121T090000Z\r\n"
				       "SUMMARY:Ship\\, crate\\; \\\\o/\\n\xC3\xBC\r\n"
				       "DTSTART;VALUE=DATE:20260301\r\n"
				       "DUE;VALUE=DATE:20260305\r\n"
				       "STATUS:COMPLETED\r\n"
				       "PERCENT-COMPLETE:100\r\n"
				       "COMPLETED:20260304T100000Z\r\n"
				       "PRIORITY:1\r\n"
				       "CATEGORIES:@ana,dock\\,quay\r\n"
				       "RELATED-TO;RELTYPE=PARENT:0b5d-2\r\n"
				       "ESTIMATED-DURATION:PT8H\r\n"
				       "X-TASKFERRY-ACTUAL-WORK:PT3H30M\r\n"
				       "X-TASKFERRY-EDITION:12-9f86d081\r\n"
				       "DESCRIPTION:mine\r\n"
				       "END:VTODO\r\n"
				       "END:VCALENDAR\r\n";
	struct vector *values = vector_new(mem);
	struct vtodo_publish publish = { .values = values,
					 .uid = "0b5d-1",
					 .edition = 12,
					 .edition_hash = "9f86d081",
					 .now_us = NOW_US };
	size_t len;
	char *text;

	vector_text(values, FIELD_subject, "Ship, crate; \\o/\r\n\xC3\xBC");
	vector_when(values, FIELD_start, parsed_when("2026-03-01"));
	vector_when(values, FIELD_due, parsed_when("2026-03-05"));
	vector_number(values, FIELD_status, STATUS_COMPLETED);
	vector_number(values, FIELD_percent, 100);
	vector_when(values, FIELD_completed_at, parsed_when("2026-03-04T10:00:00.7Z"));
	vector_number(values, FIELD_priority, 3);
	vector_list(values, FIELD_categories, "dock,quay\n@ana");
	vector_text(values, FIELD_parent, "0b5d-2");
	vector_number(values, FIELD_total_work, 480);
	vector_number(values, FIELD_actual_work, 210);
	vector_text(values, FIELD_notes, "mine");
	vector_number(values, FIELD_milestone, 1);
	cr_assert(!vtodo_encode(mem, &publish, &text, &len));
	cr_expect_str_eq(text, expected, "expected [%s], got [%s]", expected, text);
	cr_expect_eq(len, strlen(expected));
}

Test(vtodo_encode, least_item)
{
	struct vtodo_publish publish = { .values = vector_new(mem), .uid = "u", .now_us = NOW_US };
	char *text;

	cr_assert(!vtodo_encode(mem, &publish, &text, NULL));
	cr_expect_str_eq(
		text,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//taskferry//taskferry " PACKAGE_VERSION
		"//"
		"EN\r\nBEGIN:VTODO\r\nUID:u\r\nDTSTAMP:20261121T090000Z\r\nCREATED:"
		"20261121T090000Z\r\n"
		"LAST-MODIFIED:20261121T090000Z\r\nSTATUS:NEEDS-ACTION\r\nEND:VTODO\r\n"
		"END:VCALENDAR\r\n");
}

/* Before 1970, and the last second that there is. */
static const struct {
	const char *when, *line;
} stamps[] = {
	{ "1969-12-31T23:59:59.5Z", "\r\nDUE:19691231T235959Z\r\n" },
	{ "1900-01-01", "\r\nDUE;VALUE=DATE:19000101\r\n" },
	{ "2999-12-31T23:59:59Z", "\r\nDUE:29991231T235959Z\r\n" },
	{ "2024-02-29T12:34:56+05:30", "\r\nDUE:20240229T070456Z\r\n" },
};

Test(vtodo_encode, stamps)
{
	for (size_t i = 0; i < COUNT_OF(stamps); i++) {
		struct vector *values = vector_new(mem);
		struct vtodo_publish publish = { .values = values, .uid = "u", .now_us = NOW_US };
		char *text;

		vector_when(values, FIELD_due, parsed_when(stamps[i].when));
		cr_assert(!vtodo_encode(mem, &publish, &text, NULL));
		cr_expect(strstr(text, stamps[i].line), "%s: expected %s, got %s", stamps[i].when,
			  stamps[i].line, text);
	}
}

/* What becomes of single values: before, as vector_decode() reads it, and after. */
static const struct {
	const char *values, *normal;
} normals[] = {
	{ "due 2026-03-05T08:00:00.9Z\n", "due 2026-03-05T08:00:00Z\n" },
	{ "start 1969-12-31T23:59:58.1Z\n", "start 1969-12-31T23:59:58Z\n" },
	{ "start 2026-03-05\ndue 2026-03-05\n", "start!\ndue 2026-03-05\n" },
	{ "start 2026-03-04\ndue 2026-03-05T08:00:00Z\n",
	  "start 2026-03-03T23:00:00Z\ndue 2026-03-05T08:00:00Z\n" },
	{ "start 2026-03-04T23:30:00Z\ndue 2026-03-05\n", "start!\ndue 2026-03-05\n" },
	{ "percent 0\n", "percent!\n" },
	{ "percent -3\n", "percent!\n" },
	{ "percent 101\n", "percent 100\n" },
	{ "priority 4\n", "priority 1\n" },
	{ "priority 5\n", "priority 5\n" },
	{ "priority 6\n", "priority 9\n" },
	{ "priority 10\n", "priority!\n" },
	{ "total_work 0\n", "total_work!\n" },
	{ "actual_work 60\nmilestone true\ndeadline 2026-03-05\n", "" },
	{ "status in-process\ncompleted_at 2026-03-05\n", "status in-process\ncompleted_at!\n" },
	{ "completed_at 2026-03-05\n", "completed_at!\n" },
	{ "status completed\ncompleted_at 2026-03-05\n",
	  "status completed\ncompleted_at 2026-03-05\n" },
};

Test(vtodo_encode, normal_values)
{
	for (size_t i = 0; i < COUNT_OF(normals); i++) {
		struct vector *values;
		char *got;

		cr_assert(!vector_decode(mem, normals[i].values, &values));
		got = vector_encode(mem, vtodo_normal(mem, values));
		cr_expect_str_eq(got, normals[i].normal, "[%s]: expected [%s], got [%s]",
				 normals[i].values, normals[i].normal, got);
	}
}

/* A generator with a fixed seed (Knuth's MMIX constants): the same vectors on every machine. */
struct dice {
	uint64_t state;
};

static uint64_t roll(struct dice *dice, uint64_t n)
{
	dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (dice->state >> 33) % n;
}

static char *random_text(struct dice *dice, size_t max, bool lines)
{
	static const char *const pieces[] = { "a",
					      "B ",
					      "\\",
					      ";",
					      ",",
					      ":",
					      "\"",
					      "\\n",
					      "\xC3\xBC",
					      "^n",
					      "\xE2\x82\xAC",
					      "\xF0\x9F\x98\x80",
					      "\t",
					      "=",
					      "BEGIN:VTODO",
					      "x",
					      "0123456789",
					      "\xE4\xB8\xAD\xE6\x96\x87",
					      "e\xCC\x81",
					      "END:VTODO" };
	struct buf *buf = buf_new(mem);
	size_t count = 1 + roll(dice, max);

	for (size_t i = 0; i < count; i++) {
		if (lines && i && roll(dice, 8) == 0)
			buf_putc(buf, '\n');
		else
			buf_puts(buf, pieces[roll(dice, COUNT_OF(pieces))]);
	}
	buf_putc(buf, '.');
	return buf->data;
}

static struct when random_when(struct dice *dice, bool date, int32_t from, int32_t days)
{
	int32_t day = from + (int32_t)roll(dice, (uint64_t)days);

	if (date)
		return when_date(day);
	return when_instant(((int64_t)day * 86400 + (int64_t)roll(dice, 86400)) * INT64_C(1000000),
			    "UTC");
}

/* A vector that an item can say as it stands: dates of one kind and in order, progress that agrees.
 */
static struct vector *random_coherent(struct dice *dice)
{
	struct vector *values = vector_new(mem);
	bool date = roll(dice, 2);
	enum status status = (enum status)roll(dice, STATUSES);
	struct buf *names = buf_new(mem);

	vector_text(values, FIELD_subject, random_text(dice, 30, false));
	if (roll(dice, 2))
		vector_when(values, FIELD_start, random_when(dice, date, 20000, 200));
	if (roll(dice, 4))
		vector_when(values, FIELD_due, random_when(dice, date, 20201, 200));
	if (roll(dice, 2))
		vector_number(values, FIELD_priority, (int64_t)roll(dice, 10));
	for (size_t i = roll(dice, 5); i; i--)
		buf_printf(names, "%s\n", random_text(dice, 6, false));
	vector_list(values, FIELD_categories, names->data);
	if (roll(dice, 2))
		vector_text(values, FIELD_parent, random_text(dice, 8, false));
	if (roll(dice, 2))
		vector_number(values, FIELD_total_work, 1 + (int64_t)roll(dice, 100000));
	vector_number(values, FIELD_status, status);
	vector_number(values, FIELD_percent,
		      status == STATUS_COMPLETED ? 100 : (int64_t)roll(dice, 100));
	if (status == STATUS_COMPLETED)
		vector_when(values, FIELD_completed_at, random_when(dice, false, 20000, 400));
	if (roll(dice, 2))
		vector_text(values, FIELD_notes, random_text(dice, 200, true));
	return values;
}

/* Any vector at all. */
static struct vector *random_any(struct dice *dice)
{
	struct vector *values = random_coherent(dice);
	static const enum field dates[] = { FIELD_start, FIELD_due, FIELD_completed_at };

	for (size_t i = 0; i < COUNT_OF(dates); i++)
		if (roll(dice, 3) == 0)
			vector_when(values, dates[i],
				    random_when(dice, roll(dice, 2), -25567, 400000));
	vector_number(values, FIELD_status, (int64_t)roll(dice, STATUSES));
	vector_number(values, FIELD_percent, (int64_t)roll(dice, 300) - 100);
	vector_number(values, FIELD_priority, (int64_t)roll(dice, 20) - 5);
	vector_number(values, FIELD_total_work, (int64_t)roll(dice, 100) - 50);
	vector_number(values, FIELD_actual_work, (int64_t)roll(dice, 100) - 50);
	for (int i = 0; i < FIELDS; i++) {
		if (roll(dice, 10) == 0)
			values->value[i].presence = ABSENT;
		else if (roll(dice, 10) == 0)
			vector_clear(values, (enum field)i);
	}
	return values;
}

static struct vtodo *round_trip(const struct vector *values, const char *trailer, size_t turn)
{
	struct vtodo_publish publish = { .values = values,
					 .uid = "0b5d-1",
					 .edition = (int64_t)turn + 1,
					 .edition_hash = "9f86d081",
					 .trailer = trailer,
					 .now_us = NOW_US };
	struct vtodo *vtodo;
	struct fault *fault;
	char *text, *wrong;
	size_t len;

	fault = vtodo_encode(mem, &publish, &text, &len);
	cr_assert(!fault, "%s", fault ? fault->text : "");
	wrong = kept_strict(mem, text, len);
	cr_expect_null(wrong, "turn %zu: %s in %s", turn, wrong, text);
	fault = vtodo_decode(mem, text, len, NULL, &vtodo);
	cr_assert(!fault, "turn %zu: %s: %s", turn, fault ? fault->text : "", text);
	cr_expect_eq(vtodo->problem_count, 0, "turn %zu: %s: %s", turn,
		     vtodo->problem_count ? vtodo->problems[0] : "", text);
	cr_expect_str_eq(vtodo->uid, "0b5d-1");
	cr_expect_eq(vtodo->edition, (int64_t)turn + 1);
	return vtodo;
}

static void expect_same(const struct vector *expected, const struct vector *got, size_t turn)
{
	for (int i = 0; i < FIELDS; i++)
		if (field_table[i].vtodo && i != FIELD_actual_work)
			cr_expect(value_same((enum field)i, &expected->value[i], &got->value[i]),
				  "turn %zu: %s: expected [%s], got [%s]", turn,
				  field_table[i].name,
				  value_text(mem, (enum field)i, &expected->value[i]),
				  value_text(mem, (enum field)i, &got->value[i]));
}

#define TURNS 3000

Test(vtodo_encode, decodes_to_the_same)
{
	struct dice dice = { 1 };

	for (size_t i = 0; i < TURNS; i++) {
		struct vector *values = random_coherent(&dice);
		struct vtodo *vtodo =
			round_trip(values, i % 2 ? "Actual work: 1 h\nTotal work: 8 h\n" : NULL, i);

		expect_same(values, vtodo->values, i);
		cr_expect(vtodo_same(values, vtodo->values), "turn %zu", i);
	}
}

/* What cannot be said is what vtodo_normal() says, and then there is nothing to write. */
Test(vtodo_encode, anything_decodes_to_normal)
{
	struct dice dice = { 2 };

	for (size_t i = 0; i < TURNS; i++) {
		struct vector *values = random_any(&dice);
		struct vtodo *vtodo = round_trip(values, NULL, i);

		expect_same(vtodo_normal(mem, values), vtodo->values, i);
		cr_expect(vtodo_same(values, vtodo->values), "turn %zu: %s\nread back: %s", i,
			  vector_encode(mem, values), vector_encode(mem, vtodo->values));
	}
}

Test(vtodo_encode, normal_is_normal)
{
	struct dice dice = { 3 };

	for (size_t i = 0; i < TURNS; i++) {
		struct vector *once = vtodo_normal(mem, random_any(&dice)),
			      *twice = vtodo_normal(mem, once);

		cr_expect_str_eq(vector_encode(mem, twice), vector_encode(mem, once), "turn %zu",
				 i);
	}
}

/* A patch of an item with any other vector reads back as that vector; another patch changes
 * nothing. */
Test(vtodo_encode, patches_decode_to_the_same)
{
	struct dice dice = { 4 };

	for (size_t i = 0; i < TURNS; i++) {
		struct vtodo_publish publish = { .values = random_any(&dice),
						 .uid = "u",
						 .now_us = NOW_US };
		char *text, *second, *third;
		struct vtodo *vtodo;
		size_t len;

		cr_assert(!vtodo_encode(mem, &publish, &text, &len));
		publish.values = random_any(&dice);
		cr_assert(!vtodo_patch(mem, text, len, &publish, &second, &len));
		cr_assert(!vtodo_decode(mem, second, len, NULL, &vtodo));
		cr_expect(vtodo_same(publish.values, vtodo->values), "turn %zu: %s\nread back: %s",
			  i, vector_encode(mem, publish.values), vector_encode(mem, vtodo->values));
		cr_assert(!vtodo_patch(mem, second, len, &publish, &third, &len));
		cr_expect_str_eq(third, second, "turn %zu", i);
		cr_expect_null(kept_strict(mem, second, strlen(second)), "turn %zu: %s", i, second);
	}
}

Test(vtodo_encode, over_the_bounds)
{
	struct vector *values = vector_new(mem);
	struct vtodo_publish publish = { .values = values, .uid = "u", .now_us = NOW_US };
	char *notes = talloc_zero_size(mem, VTODO_LINE_MAX + 1), *text = NULL;
	struct fault *fault;

	memset(notes, 'a', VTODO_LINE_MAX);
	vector_text(values, FIELD_notes, notes);
	fault = vtodo_encode(mem, &publish, &text, NULL);
	cr_expect(fault && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM && !text);
}
