#include "config.h"

#include "mappers/card.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "mappers/card_html.h"
#include "tests/unit/spec.h"

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
	cr_assert(!zone_use(mem, "Europe/Berlin"));
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(card, .init = begin, .fini = end, .timeout = 300);

#define HOW TRAILER_HOW_TO_REPORT
#define TRAILER "Project: Harbour\nWork: 3 h of 12 h\n" HOW "\n"
#define BELOW "--- taskferry ---\n| Project: Harbour\n| Work: 3 h of 12 h\n| " HOW "\n"

/* With the values that a card has no place for, and the notes' newlines as `/`. */
static struct vector *vector_of(const char *spec)
{
	struct vector *values = spec_vector(mem, spec);
	const char *notes = vector_str(values, FIELD_notes);
	char *lines = notes ? mem_strdup(mem, notes) : NULL;

	for (char *c = lines; c && *c; c++)
		if (*c == '/')
			*c = '\n';
	if (lines)
		vector_text(values, FIELD_notes, lines);
	return values;
}

static char *shown(const struct vector *values)
{
	char *text = spec_text(mem, values, false);

	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '/';
	return text;
}

/* Writing */

static const struct {
	const char *what, *values, *trailer, *card;
} writes[] = {
	{ "everything",
	  "subject=Paint the fence; start=2026-12-01; due=2026-12-04; priority=2; "
	  "categories=paint,outside; total_work=720; status=in-process; percent=40; "
	  "completed_at=; notes=Called them./Twice.",
	  TRAILER,
	  "Task: Paint the fence\nStatus: in process\nPercent: 40\nStart: 2026-12-01\n"
	  "Due: 2026-12-04\nPriority: high\nCategories: outside, paint\nTotal work: 12 h\n\n"
	  "Called them.\nTwice.\n\n" BELOW },
	{ "nothing", "", NULL, "" },
	{ "nothing but a trailer", "", TRAILER, BELOW },
	{ "nothing but notes", "notes=Percent: 40//a", NULL, "Notes:\n\nPercent: 40\n\na\n" },
	{ "all of it cleared",
	  "subject=; start=; due=; priority=; categories=; total_work=; status=; percent=; "
	  "completed_at=; notes=",
	  NULL, "Task: -\nStatus: not started\nPercent: 0\nDue: -\n" },
	{ "no notes", "percent=1", TRAILER, "Percent: 1\n\n" BELOW },
	{ "times", "start=2026-12-01T13:00:00Z; due=2026-12-04T22:00:30Z", NULL,
	  "Start: 2026-12-01 14:00\nDue: 2026-12-04 23:00:30\n" },
	{ "done", "status=completed; percent=100; completed_at=2026-06-30T22:30:00Z", NULL,
	  "Status: done\nPercent: 100\nCompleted: 2026-07-01 00:30\n" },
	{ "cancelled", "status=cancelled", NULL, "Status: cancelled\n" },
	{ "medium", "priority=5", NULL, "Priority: medium\n" },
	{ "low", "priority=6", NULL, "Priority: low\n" },
	{ "no priorities", "priority=0; percent=7", NULL, "Percent: 7\n" },
	{ "a priority out of range", "priority=10; percent=7", NULL, "Percent: 7\n" },
	{ "work", "total_work=90", NULL, "Total work: 1 h 30 min\n" },
	{ "work of less than nothing cannot be said", "total_work=-5; percent=7", NULL,
	  "Percent: 7\n" },
	{ "what is no item's",
	  "parent=p; deadline=2026-01-01; actual_work=5; description=d; "
	  "percent=7",
	  NULL, "Percent: 7\n" },
	{ "percents out of range", "percent=140", NULL, "Percent: 140\n" },
};

Test(card, write)
{
	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		char *got = card_write(mem, vector_of(writes[i].values), writes[i].trailer);

		cr_expect_str_eq(got, writes[i].card, "%s\n--- expected\n%s\n--- got\n%s\n---",
				 writes[i].what, writes[i].card, got);
	}
}

Test(card, write_texts)
{
	struct vector *values = vector_new(mem);
	struct buf *text = buf_new(mem);
	char *got;

	vector_text(values, FIELD_subject, "a\r\nStatus: done\n\xc2\xa0 b\x01 ");
	vector_list(values, FIELD_categories, "x,y\nc\\d\nz");
	got = card_write(mem, values, "");
	cr_expect_str_eq(got, "Task: a Status: done b\nCategories: c\\\\d, x\\,y, z\n", "%s", got);
	for (int i = 0; i < 600; i++)
		buf_puts(text, "\xc3\xbc");
	vector_text(values, FIELD_subject, text->data);
	vector_clear(values, FIELD_categories);
	got = card_write(mem, values, NULL);
	cr_expect_eq(text_length(got), 6 + 512 + 1, "%s", got);
	for (int i = 0; i < 600; i++)
		buf_printf(text, "\nname %d", i);
	vector_list(values, FIELD_categories, text->data);
	vector_text(values, FIELD_subject, "a");
	got = card_write(mem, values, NULL);
	cr_expect_str_eq(got, "Task: a\n", "a line that would be too long: %s", got);
}

/* Reading */

#define OPEN "Task: Paint the fence\nStatus: in process\nPercent: 40\nDue: 2026-12-04\n"
#define LAST OPEN "\nCalled them.\n\n" BELOW
#define VALUES "subject=Paint the fence; due=2026-12-04; status=in-process; percent=40; "

/* LAST is what we wrote last, unless a row says otherwise ("": NULL). */
static const struct row {
	const char *what, *text, *last, *values, *problems;
} reads[] = {
	{ "untouched", LAST, NULL, VALUES "notes=Called them.", "" },
	{ "untouched, no last", LAST, "", VALUES "notes=Called them.", "" },
	{ "nothing", "", NULL, "notes=", "" },
	{ "text without a card", "Hello\nworld\n", NULL, "notes=Hello/world", "" },
	{ "percent changed",
	  "Task: Paint the fence\nStatus: in process\nPercent: 60\nDue: 2026-12-04\n\n"
	  "Called them.\n\n" BELOW,
	  NULL,
	  "subject=Paint the fence; due=2026-12-04; status=in-process; percent=60; "
	  "notes=Called them.",
	  "" },
	{ "notes written", OPEN "\nCalled them.\nNobody there.\n\n" BELOW, NULL,
	  VALUES "notes=Called them./Nobody there.", "" },
	{ "notes below the trailer", LAST "\nNobody there.\n", NULL,
	  VALUES "notes=Called them./Nobody there.", "" },
	{ "notes removed", OPEN "\n" BELOW, NULL, VALUES "notes=", "" },
	{ "a line deleted", "Task: Paint the fence\nPercent: 40\n\nCalled them.\n\n" BELOW, NULL,
	  "subject=Paint the fence; percent=40; notes=Called them.", "" },
	{ "the trailer deleted", OPEN "\nCalled them.\n", NULL, VALUES "notes=Called them.", "" },
	{ "all but the key block deleted", OPEN, NULL, VALUES "notes=", "" },
	{ "the key block deleted", "Called them.\n\n" BELOW, NULL, "notes=Called them.", "" },
	{ "blank lines deleted", OPEN BELOW, NULL, VALUES "notes=", "" },
	{ "blank lines deleted, notes kept", OPEN "Called them.\n" BELOW, NULL,
	  VALUES "notes=Called them.", "" },
	{ "CR LF", "Percent: 40\r\n\r\nCalled\r\nthem.\r\n", "", "percent=40; notes=Called/them.",
	  "" },
	{ "CR", "Percent: 40\r\rCalled\rthem.\r", "", "percent=40; notes=Called/them.", "" },
	{ "blank lines in front", "\n \n\xc2\xa0\nPercent: 40\n", "", "percent=40; notes=", "" },
	{ "blanks everywhere",
	  " \t percent :\t40  % \xc2\xa0\n\xc2\xa0"
	  "DUE\xc2\xa0:\xc2\xa0"
	  "2026-12-04 \n"
	  "totalwork:12\xe2\x80\xaf"
	  "h\nTOTAL  WORK: 13 h\n",
	  "", "due=2026-12-04; total_work=720; percent=40; notes=TOTAL  WORK: 13 h",
	  "Total work: stands there more than once" },
	{ "any order", "Due: 2026-12-04\nPercent: 40\nTask: a\n", "",
	  "subject=a; due=2026-12-04; percent=40; notes=", "" },
	{ "cleared",
	  "Task: -\nDue:\nStart: \xe2\x80\x93\nPercent: --\nCategories: \xe2\x80\x94\n"
	  "Total work: none\nPriority: none\nStatus: -\nCompleted: None\n",
	  "",
	  "subject=; start=; due=; priority=; categories=; total_work=; status=; percent=; "
	  "completed_at=; notes=",
	  "" },
	{ "not understood",
	  "Percent: lots\nDue: 1.12.2026\nStatus: so so\nPriority: 11\nTotal work: 1d 4h\n\nx\n",
	  "", "notes=Percent: lots/Due: 1.12.2026/Status: so so/Priority: 11/Total work: 1d 4h//x",
	  "Percent: \"lots\" is not understood/Due: \"1.12.2026\" is not understood/"
	  "Status: \"so so\" is not understood/Priority: \"11\" is not understood/"
	  "Total work: \"1d 4h\" is not understood" },
	{ "not understood, then understood", "Percent: lots\nPercent: 60\n", "",
	  "percent=60; notes=Percent: lots", "Percent: \"lots\" is not understood" },
	{ "other lines in the block are notes",
	  "Task: a\n+2h review\nPercent: 60\nWork: 3h\nnobody there: 5\nhttp://x\n\nold\n", "",
	  "subject=a; percent=60; notes=+2h review/Work: 3h/nobody there: 5/http://x//old", "" },
	{ "keys below the block are notes", "Task: a\n\nPercent: 60\n", "",
	  "subject=a; notes=Percent: 60", "" },
	{ "fields that are not an item's",
	  "Task: a\nDeadline: 2026-01-01\nActual work: 3 h\n"
	  "Part of: b\n",
	  "", "subject=a; notes=Deadline: 2026-01-01/Actual work: 3 h/Part of: b", "" },
	{ "an answer on top", "Done!\n\nThe paint was green.\n\n" LAST, NULL,
	  VALUES "notes=Done!//The paint was green.//Called them.", "" },
	{ "an answer in the first line", "Done!\n" LAST, NULL, VALUES "notes=Done!//Called them.",
	  "" },
	{ "a key for notes", "Percent: 60\nNotes: nobody  there\n\nCalled them.\n", "",
	  "percent=60; notes=nobody  there//Called them.", "" },
	{ "no block", "Notes:\n\nPercent: 40\n\na\n", "", "notes=Percent: 40//a", "" },
	{ "twice, the same", "Percent: 60\nPercent:  60\n", NULL, "percent=60; notes=", "" },
	{ "twice, the new one above", "Percent: 60\nPercent: 40\n", NULL,
	  "percent=60; notes=", "" },
	{ "twice, the new one below", "Percent: 40\nPercent: 60\n", NULL,
	  "percent=60; notes=", "" },
	{ "twice, both new", "Percent: 50\nPercent: 60\n", NULL, "percent=50; notes=Percent: 60",
	  "Percent: stands there more than once" },
	{ "a wrapped line", "Task: Paint\nthe fence\nPercent: 60\n", NULL,
	  "subject=Paint the fence; percent=60; notes=", "" },
	{ "wrapped twice", "Task: Paint\n the\n  fence\nPercent: 60\n", NULL,
	  "subject=Paint the fence; percent=60; notes=", "" },
	{ "no wrapped line", "Task: Paint\nthe shed\nPercent: 60\n", NULL,
	  "subject=Paint; percent=60; notes=the shed", "" },
	{ "not wrapped within a word", "Task: Paint\nthe fen\nPercent: 60\n", NULL,
	  "subject=Paint; percent=60; notes=the fen", "" },
	{ "categories", "Categories: b ,a\\,x,, \\\\ , b,c\\d\n", "",
	  "categories=\\\na\\,x\nb\nc\\d; notes=", "" },
	{ "keys below the separator are the trailer's",
	  "Hello\n\n--- taskferry ---\n| Due: 2026-01-01\nStatus: done\n| " HOW "\n", "",
	  "notes=Hello/Status: done", "" },
	{ "a trailer without marks",
	  OPEN "\nCalled them.\n\n--- taskferry ---\nProject: Harbour\n"
	       "Work: 3 h of 12 h\n" HOW "\n",
	  NULL, VALUES "notes=Called them.", "" },
	{ "a separator that a person wrote", "Percent: 60\n\na \\--- taskferry ---\n", "",
	  "percent=60; notes=a \\--- taskferry ---", "" },
};

static char *problems(const struct card *card)
{
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < card->problem_count; i++)
		buf_printf(buf, "%s%s", i ? "/" : "", card->problems[i]);
	return buf->data;
}

Test(card, read)
{
	for (size_t i = 0; i < COUNT_OF(reads); i++) {
		const struct row *row = &reads[i];
		const char *last = !row->last ? LAST : *row->last ? row->last : NULL;
		struct card *card = card_read(mem, row->text, last);
		char *got = shown(card->values), *wanted = mem_strdup(mem, row->values);

		for (char *c = wanted; *c; c++)
			if (*c == '\n')
				*c = '/';
		if (strstr(row->values, "categories=\\")) /* spec.h parts lists at commas */
			wanted = mem_strdup(mem, "categories=\\/a,x/b/c\\d; notes=");
		cr_expect_str_eq(got, wanted,
				 "%s\n--- card\n%s\n--- expected\n%s\n--- got\n%s\n---", row->what,
				 row->text, wanted, got);
		cr_expect_str_eq(problems(card), row->problems, "%s: expected [%s], got [%s]",
				 row->what, row->problems, problems(card));
	}
}

static const struct {
	enum field field;
	const char *text, *value; /* NULL: not understood; "": cleared */
} values[] = {
	{ FIELD_status, "not started", "needs-action" },
	{ FIELD_status, "Not-Started", "needs-action" },
	{ FIELD_status, "needs-action", "needs-action" },
	{ FIELD_status, "NEEDS_ACTION", "needs-action" },
	{ FIELD_status, "to do", "needs-action" },
	{ FIELD_status, "In process", "in-process" },
	{ FIELD_status, "in-process", "in-process" },
	{ FIELD_status, "in progress", "in-process" },
	{ FIELD_status, "STARTED", "in-process" },
	{ FIELD_status, "Done", "completed" },
	{ FIELD_status, "completed", "completed" },
	{ FIELD_status, "cancelled", "cancelled" },
	{ FIELD_status, "canceled", "cancelled" },
	{ FIELD_status, "done!", NULL },
	{ FIELD_status, "1", NULL },
	{ FIELD_percent, "40", "40" },
	{ FIELD_percent, "40%", "40" },
	{ FIELD_percent, "40 %", "40" },
	{ FIELD_percent, "0", "0" },
	{ FIELD_percent, "140", "140" },
	{ FIELD_percent, "-5", "-5" },
	{ FIELD_percent, "40 of 100", NULL },
	{ FIELD_percent, "%", NULL },
	{ FIELD_percent, "99999999999999999999", NULL },
	{ FIELD_due, "2026-12-01", "2026-12-01" },
	{ FIELD_due, "2026-12-1", "2026-12-01" },
	{ FIELD_due, "2026-12-01 14:00", "2026-12-01T13:00:00Z" },
	{ FIELD_due, "2026-07-01T14:00:30", "2026-07-01T12:00:30Z" },
	{ FIELD_due, "2026-07-01T14:00Z", "2026-07-01T14:00:00Z" },
	{ FIELD_due, "2026-02-30", NULL },
	{ FIELD_due, "1.12.2026", NULL },
	{ FIELD_due, "12/01/2026", NULL },
	{ FIELD_due, "tomorrow", NULL },
	{ FIELD_due, "2026-12-01 25:00", NULL },
	{ FIELD_total_work, "12 h", "720" },
	{ FIELD_total_work, "90 min", "90" },
	{ FIELD_total_work, "1,5h", "90" },
	{ FIELD_total_work, "2h 30m", "150" },
	{ FIELD_total_work, "3:15", "195" },
	{ FIELD_total_work, "2 d", NULL },
	{ FIELD_total_work, "-2 h", NULL },
	{ FIELD_priority, "high", "1" },
	{ FIELD_priority, "Medium", "5" },
	{ FIELD_priority, "normal", "5" },
	{ FIELD_priority, "LOW", "9" },
	{ FIELD_priority, "none", "" },
	{ FIELD_priority, "0", "" },
	{ FIELD_priority, "3", "3" },
	{ FIELD_priority, "9", "9" },
	{ FIELD_priority, "10", NULL },
	{ FIELD_priority, "-1", NULL },
	{ FIELD_subject, "none", "none" },
	{ FIELD_subject, "a: b", "a: b" },
	{ FIELD_categories, "none", "none" },
};

Test(card, values)
{
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		enum field field = values[i].field;
		char *line = mem_printf(mem, "%s: %s\n", field_table[field].card, values[i].text);
		struct card *card = card_read(mem, line, NULL);
		const struct value *value = &card->values->value[field];
		char *got = value_text(mem, field, value);

		if (!values[i].value)
			cr_expect(value->presence == ABSENT && card->problem_count == 1, "%s",
				  line);
		else if (!*values[i].value)
			cr_expect(value->presence == CLEARED && card->problem_count == 0, "%s",
				  line);
		else
			cr_expect(text_same(got, values[i].value), "%s: expected %s, got %s", line,
				  values[i].value, got ? got : "nothing");
	}
}

/* Long and odd texts */

Test(card, long_lines)
{
	struct buf *text = buf_new(mem);
	struct card *card;

	buf_puts(text, "Task: ");
	for (int i = 0; i < 1994; i++)
		buf_puts(text, "\xc3\xbc");
	card = card_read(mem, text->data, NULL);
	cr_expect(vector_is_set(card->values, FIELD_subject) &&
		  !vector_is_set(card->values, FIELD_notes));
	buf_puts(text, "x");
	card = card_read(mem, text->data, NULL);
	cr_expect(!vector_is_set(card->values, FIELD_subject));
	cr_expect_str_eq(vector_str(card->values, FIELD_notes), text->data);
}

Test(card, hostile_within_time)
{
	static const char *const units[] = {
		"x",
		"\n",
		"\r",
		":",
		"Percent: 1\n",
		"Percent: x\n",
		"taskferry\n",
		"--- taskferry ---\n",
		"| x\n",
		"x\n\n",
		"\xc2\xa0",
		"Task: a\nb\n",
		"\xff",
		"\\",
		"a,",
	};
	size_t size = getenv("TF_VALGRIND") ? 1 << 16 : 1 << 20;
	struct buf *text = buf_new(mem);
	clock_t start = clock();

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		TALLOC_CTX *own = talloc_new(mem);
		struct card *card;

		buf_clear(text);
		while (text->len + strlen(units[i]) < size)
			buf_puts(text, units[i]);
		card = card_read(own, text->data, text->data);
		cr_expect(card->problem_count <= 50);
		talloc_free(own);
	}
	cr_expect_lt((clock() - start) / CLOCKS_PER_SEC, 100);
}

/* Round trips */

static void expect_same(const struct vector *got, const struct vector *expected, const char *text)
{
	for (int i = 0; i < FIELDS; i++)
		cr_expect(
			got->value[i].presence == expected->value[i].presence &&
				value_identical((enum field)i, &got->value[i], &expected->value[i]),
			"%s: expected [%s], got [%s] of\n%s", field_table[i].name, shown(expected),
			shown(got), text);
}

/* Numbers that look random and are the same every time. */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static char *random_text(uint32_t *state)
{
	static const char *const pieces[] = {
		"a",
		"word",
		" ",
		"  ",
		"\n",
		"\n\n",
		"\t",
		":",
		",",
		"-",
		"--",
		"\\",
		"Task: ",
		"Percent:",
		"Percent: 60",
		"Notes:",
		"Status: done",
		"| ",
		"|",
		"Due: -",
		"--- taskferry ---",
		"taskferry",
		"\\--- taskferry ---",
		HOW,
		"\xc3\xbc",
		"\xc2\xa0",
		"\r\n",
		"\r",
		"\x01",
		"\xe2\x80\x93",
		"> ",
		"=20",
		"+2h review",
		"\xe2\x80\xa8",
		"none",
		"\xf0\x9f\x9a\xa2",
	};
	struct buf *text = buf_new(mem);

	for (uint32_t n = next_number(state) % 8; n; n--)
		buf_puts(text, pieces[next_number(state) % COUNT_OF(pieces)]);
	return text->data;
}

static void random_value(struct vector *vector, enum field field, uint32_t *state)
{
	static const int64_t numbers[] = { 0, 1, 40, 5, 9, 100, 140, -1, 99999, INT64_MAX };
	int64_t number = numbers[next_number(state) % COUNT_OF(numbers)];
	struct when when;

	switch (field_table[field].type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		vector_text(vector, field, random_text(state));
		break;
	case FIELD_FILES:
		vector_text(vector, field, "https://x.example/a - - a");
		break;
	case FIELD_WHEN:
		when = when_instant((int64_t)next_number(state) * 1234567891, NULL);
		if (next_number(state) % 2)
			when = when_date((int32_t)(next_number(state) % 500000));
		vector_when(vector, field, when);
		break;
	case FIELD_STATUS:
		vector_number(vector, field, next_number(state) % STATUSES);
		break;
	default:
		vector_number(vector, field, number);
		break;
	}
}

static struct vector *random_vector(uint32_t *state)
{
	struct vector *vector = vector_new(mem);

	for (int i = 0; i < FIELDS; i++)
		switch (next_number(state) % 4) {
		case 0:
			break;
		case 1:
			vector_clear(vector, (enum field)i);
			break;
		default:
			random_value(vector, (enum field)i, state);
			break;
		}
	return vector;
}

Test(card, what_is_written_is_read)
{
	uint32_t state = 1;

	for (int i = 0; i < 3000; i++) {
		TALLOC_CTX *outer = mem;
		struct vector *vector, *normal;
		struct card *card;
		char *text;

		mem = talloc_new(outer);
		vector = random_vector(&state);
		normal = card_normal(mem, vector);
		text = card_write(mem, vector, TRAILER);
		card = card_read(mem, text, NULL);
		expect_same(card->values, normal, text);
		cr_expect_eq(card->problem_count, 0, "%s\n%s", problems(card), text);
		expect_same(card_read(mem, text, text)->values, normal, text);
		expect_same(card_normal(mem, normal), normal, text);
		talloc_free(mem);
		mem = outer;
	}
}

/* What a card can say it says: the normal values mean what the values mean. */
Test(card, normal_means_the_same)
{
	static const struct {
		const char *values, *normal;
	} rows[] = {
		{ VALUES "notes=Called them.", VALUES "notes=Called them." },
		{ "", "notes=" },
		{ "subject=; status=; percent=; due=", "subject=; due=; status=needs-action; "
						       "percent=0; notes=" },
		{ "start=; priority=; categories=; total_work=; completed_at=", "notes=" },
		{ "priority=2; total_work=0", "priority=1; total_work=0; notes=" },
		{ "priority=0", "notes=" },
		{ "total_work=-3", "notes=" },
		{ "due=2026-10-25T00:30:00Z", "due=2026-10-25T00:30:00Z; notes=" },
		/* the second of two hours of the same name becomes the first */
		{ "due=2026-10-25T01:30:00Z", "due=2026-10-25T00:30:00Z; notes=" },
		{ "due=2026-03-29T01:00:00.5Z", "due=2026-03-29T01:00:00Z; notes=" },
		{ "due=2999-12-31T23:59:59Z", "due=2999-12-31; notes=" },
		{ "subject=-", "subject=; notes=" },
		{ "parent=p; actual_work=3; milestone=yes", "notes=" },
		{ "notes=Percent: 40", "notes=Percent: 40" },
		{ "notes=/ /a/ ", "notes=a" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *got = shown(card_normal(mem, vector_of(rows[i].values)));
		char *expected = shown(vector_of(rows[i].normal));

		cr_expect_str_eq(got, expected, "%s: expected [%s], got [%s]", rows[i].values,
				 expected, got);
	}
}

/* A person changes one line: that field changes, and no other. */
Test(card, one_line_changed)
{
	static const struct {
		enum field field;
		const char *line, *value;
	} rows[] = {
		{ FIELD_subject, "Task: Paint the shed", "Paint the shed" },
		{ FIELD_status, "Status: done", "completed" },
		{ FIELD_percent, "Percent: 60", "60" },
		{ FIELD_percent, "percent : 60%", "60" },
		{ FIELD_start, "Start: 2026-11-30", "2026-11-30" },
		{ FIELD_due, "Due: 2026-12-05", "2026-12-05" },
		{ FIELD_priority, "Priority: low", "9" },
		{ FIELD_categories, "Categories: outside", "outside" },
		{ FIELD_total_work, "Total work: 13 h", "780" },
		{ FIELD_completed_at, "Completed: 2026-12-02", "2026-12-02" },
	};
	struct vector *published = vector_of(
		"subject=Paint the fence; start=2026-12-01T09:00:00Z; due=2026-12-04; priority=2; "
		"categories=outside,paint; total_work=720; status=in-process; percent=40; "
		"completed_at=2026-12-03; notes=Called them./--- taskferry ---/ Status: done ");
	struct vector *normal = card_normal(mem, published);
	char *last = card_write(mem, published, TRAILER);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum field field = rows[i].field;
		char *key = mem_printf(mem, "%s: ", field_table[field].card),
		     *at = strstr(last, key);
		struct vector *expected = vector_copy(mem, normal);
		struct value value;
		struct card *card;
		char *text;

		cr_assert(at);
		text = mem_printf(mem, "%.*s%s%s", (int)(at - last), last, rows[i].line,
				  strchr(at, '\n'));
		cr_assert(!value_parse(mem, field, rows[i].value, &value));
		vector_put(expected, field, &value);
		card = card_read(mem, text, last);
		expect_same(card->values, expected, text);
		/* deleted: absent, not cleared */
		text = mem_printf(mem, "%.*s%s", (int)(at - last), last, strchr(at, '\n') + 1);
		expected->value[field] = (struct value){ .presence = ABSENT };
		card = card_read(mem, text, last);
		expect_same(card->values, expected, text);
	}
}

/* Every field that items carry both ways has its line, but the attachments, which are parts. */
Test(card, every_field_has_a_line)
{
	struct vector *vector = vector_of(
		"subject=a; start=2026-12-01; due=2026-12-04; priority=1; categories=c; "
		"total_work=60; status=completed; percent=100; completed_at=2026-12-03; notes=n; "
		"parent=p");
	struct vector *normal = card_normal(mem, vector);

	for (int i = 0; i < FIELDS; i++) {
		const struct field_info *info = &field_table[i];

		if (info->owner == OWNER_BOTH && info->vtodo && i != FIELD_attachments)
			cr_expect(value_identical((enum field)i, &vector->value[i],
						  &normal->value[i]) &&
					  vector_is_set(normal, (enum field)i),
				  "%s", info->name);
		else
			cr_expect(normal->value[i].presence == ABSENT, "%s", info->name);
	}
}

/* ---- HTML ---- */

#define HTML_HEAD "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n"
#define HTML_TAIL "</body></html>\n"
#define HTML_ROW(key, value) "<b>" key "</b>" value

static const struct {
	const char *card, *html;
} htmls[] = {
	{ "", "" },
	{ "Task: Paint\nPercent: 40\n",
	  "<p>" HTML_ROW("Task:", " Paint") "<br>\n" HTML_ROW("Percent:", " 40") "</p>\n" },
	{ "Task: <b>&\"x\"</b>\n\na < b\n  - item\nc\n\n\nd\n",
	  "<p>" HTML_ROW("Task:",
			 " &lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;") "</p>\n"
								   "<p>a &lt; b<br>\n&nbsp;&nbsp;- "
								   "item<br>\nc</p>\n<p>d</p>\n" },
	{ "Task: a:b\nno key line\nEmpty:\n",
	  "<p>" HTML_ROW("Task:", " a:b") "<br>\n" HTML_ROW("no key line", "") "<br>\n" HTML_ROW(
		  "Empty:", "") "</p>\n" },
	{ "Task: Paint\n\nCalled.\n\n" BELOW,
	  "<p>" HTML_ROW(
		  "Task:",
		  " Paint") "</p>\n<p>Called.</p>\n"
			    "<hr>\n<p><small>Project: Harbour<br>\nWork: 3 h of 12 h<br>\n" HOW
			    "</small></p>\n" },
	{ "Task: Paint\n\n--- taskferry ---\n| <script>alert(1)</script>\n",
	  "<p>" HTML_ROW(
		  "Task:",
		  " Paint") "</p>\n"
			    "<hr>\n<p><small>&lt;script&gt;alert(1)&lt;/script&gt;</small></p>\n" },
};

Test(card, html)
{
	for (size_t i = 0; i < COUNT_OF(htmls); i++) {
		char *expected = mem_printf(mem, HTML_HEAD "%s" HTML_TAIL, htmls[i].html);

		cr_expect_str_eq(card_html(mem, htmls[i].card), expected, "%s", htmls[i].card);
	}
}
