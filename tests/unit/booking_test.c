#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "decide/booking.h"
#include "model/when.h"

#define DAY 20778 /* 2026-11-21 */

/* ---- grammar ---- */

static const struct {
	const char *line;
	int64_t minutes; /* 0: not about work */
	const char *canonical;
} lines_rows[] = {
	{ "+3h review", 180, "180 review" },
	{ "+3h", 180, "180" },
	{ "  + 3 h\treview  the   draft \r", 180, "180 review the draft" },
	{ "+1,5h x", 90, "90 x" },
	{ "+1.25 h: x", 75, "75 x" },
	{ "+0.01h", 1, "1" },
	{ "+90min", 90, "90" },
	{ "+45m, call", 45, "45 call" },
	{ "+1.5m", 2, "2" },
	{ "+1h 30m x", 90, "90 x" },
	{ "+1h30min", 90, "90" },
	{ "+1h 30 pages", 60, "60 30 pages" },
	{ "+1:30 x", 90, "90 x" },
	{ "+12:00", 720, "720" },
	{ "+24h", 1440, "1440" },
	{ "+24:00", 1440, "1440" },
	{ "Work: 3h", 180, "180" },
	{ "work:1:30 x", 90, "90 x" },
	{ "WORK: +2h", 120, "120" },
	{ "2026-03-02 1:30 text", 90, "2026-03-02 90 text" },
	{ "2026-03-02 3h", 180, "2026-03-02 180" },
	{ "2026-03-02 +10:00 x", 600, "2026-03-02 600 x" },
	{ BOOKING_MARK " +3h review", 180, "180 review" },
	{ BOOKING_MARK "\xef\xb8\x8f+3h review", 180, "180 review" },
	{ "+3H Prüfung", 180, "180 Prüfung" },
	/* times of day, and other things that are no work */
	{ "2026-03-02 14:30 call Bob", 0, NULL },
	{ "2026-03-02 09:30 call Bob", 0, NULL },
	{ "2026-03-02 call Bob", 0, NULL },
	{ "2026-02-30 1:30 x", 0, NULL },
	{ "2026-3-2 1:30 x", 0, NULL },
	{ "2026-03-021:30", 0, NULL },
	{ "3h review", 0, NULL },
	{ "1:30", 0, NULL },
	{ "+3 review", 0, NULL },
	{ "+3", 0, NULL },
	{ "+3hours", 0, NULL },
	{ "+3h/week", 0, NULL },
	{ "+3mm", 0, NULL },
	{ "+3h30", 0, NULL },
	{ "+49 170 1234567", 0, NULL },
	{ "+-3h", 0, NULL },
	{ "-3h", 0, NULL },
	{ "++3h", 0, NULL },
	{ "+0h", 0, NULL },
	{ "+0:00", 0, NULL },
	{ "+0.001h", 0, NULL },
	{ "+24:01", 0, NULL },
	{ "+25h", 0, NULL },
	{ "+1:60", 0, NULL },
	{ "+1:3", 0, NULL },
	{ "+100:00", 0, NULL },
	{ "+99999h", 0, NULL },
	{ "+99999999999999999999h", 0, NULL },
	{ "+1e3h", 0, NULL },
	{ "+0x10h", 0, NULL },
	{ "+.5h", 0, NULL },
	{ "+1.h", 0, NULL },
	{ "+1.234h", 0, NULL },
	{ "+\xd9\xa3h", 0, NULL },     /* U+0663 ARABIC-INDIC DIGIT THREE */
	{ "+\xef\xbc\x93h", 0, NULL }, /* U+FF13 FULLWIDTH DIGIT THREE */
	{ "\xef\xbc\x8b"
	  "3h",
	  0, NULL }, /* U+FF0B FULLWIDTH PLUS SIGN */
	{ "+3h\xc3\xa9", 0, NULL },
	{ "+\xff\xfe", 0, NULL },
	{ "> +3h", 0, NULL },
	{ "\"+3h", 0, NULL },
	{ "work", 0, NULL },
	{ "work:", 0, NULL },
	{ "Work: 3", 0, NULL },
	{ "homework: 3h", 0, NULL },
	{ BOOKING_MARK, 0, NULL },
	{ "+", 0, NULL },
	{ "", 0, NULL },
};

Test(booking, lines)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(lines_rows); i++) {
		struct booking_line line = { .minutes = 0 };
		bool is = booking_line_read(lines_rows[i].line, strlen(lines_rows[i].line), &line);

		cr_assert_eq(line.minutes, lines_rows[i].minutes, "'%s': %lld, expected %lld",
			     lines_rows[i].line, (long long)line.minutes,
			     (long long)lines_rows[i].minutes);
		cr_assert_eq(is, lines_rows[i].minutes > 0, "'%s'", lines_rows[i].line);
		if (is)
			cr_assert_str_eq(booking_line_canonical(mem, &line),
					 lines_rows[i].canonical);
	}
	talloc_free(mem);
}

Test(booking, line_bounds)
{
	char line[BOOKING_LINE_MAX + 2];
	struct booking_line read;

	memset(line, 'x', sizeof line);
	memcpy(line, "+3h ", 4);
	cr_assert(booking_line_read(line, BOOKING_LINE_MAX, &read));
	cr_assert_not(booking_line_read(line, BOOKING_LINE_MAX + 1, &read));
	cr_assert_not(booking_line_read("+3h \0 x", 7, &read));
	for (size_t len = 0; len < 7; len++) /* never read behind the end */
		cr_assert_eq(booking_line_read("+10:00 x", len, &read), len >= 6, "%zu", len);
}

Test(booking, titles_of_small_tasks)
{
	static const struct {
		const char *title;
		int64_t minutes;
		const char *text;
	} rows[] = {
		{ "3h review", 180, "review" },
		{ "+3h", 180, "" },
		{ "1:30 call", 90, "call" },
		{ "1,5 h: write", 90, "write" },
		{ "90min", 90, "" },
		{ "14:30 call Bob", 0, NULL },
		{ "3 boxes", 0, NULL },
		{ "3hours", 0, NULL },
		{ "review 3h", 0, NULL },
		{ "25h", 0, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t minutes = 0;
		const char *text = NULL;
		bool is = booking_line_title(rows[i].title, &minutes, &text);

		cr_assert_eq(is, rows[i].minutes > 0, "'%s'", rows[i].title);
		cr_assert_eq(minutes, rows[i].minutes, "'%s'", rows[i].title);
		if (is)
			cr_assert_str_eq(text, rows[i].text);
	}
}

/* ---- decisions ---- */

/* "KEY=MINUTES" of all bookings, then "why MINUTES KEY" of all that is asked. */
static char *told(TALLOC_CTX *mem, const struct booking_plan *plan)
{
	static const char *const whys[] = { "gone", "back", "more" };
	struct buf *text = buf_new(mem);

	for (size_t i = 0; i < plan->count; i++)
		buf_printf(text, "%s%s=%lld", text->len ? "; " : "", plan->bookings[i].key,
			   (long long)plan->bookings[i].minutes);
	for (size_t i = 0; i < plan->ask_count; i++)
		buf_printf(text, "%s%s %lld %s", text->len ? "; " : "", whys[plan->asks[i].why],
			   (long long)plan->asks[i].minutes,
			   plan->asks[i].key ? plan->asks[i].key : "-");
	return text->data;
}

/* "KEY=MINUTES" by blanks and semicolons. */
static size_t known_of(TALLOC_CTX *mem, const char *text, struct booking_known *known)
{
	char *copy = mem_strdup(mem, text), *save = NULL;
	size_t count = 0;

	for (char *row = strtok_r(copy, ";", &save); row; row = strtok_r(NULL, ";", &save)) {
		char *equals = strrchr(row, '=');

		*equals = '\0';
		known[count++] = (struct booking_known){ row, atoll(equals + 1) };
	}
	return count;
}

#define M BOOKING_MARK " "

static const struct {
	const char *what, *base, *notes, *known, *expected, *marked;
} notes_rows[] = {
	{ "a line", "", "hello\n+3h review", "", "note:180 review#1=180",
	  "hello\n" M "+3h review" },
	{ "read again before it is marked", "+3h review", "+3h review", "note:180 review#1=180", "",
	  M "+3h review" },
	{ "a stale copy over the marked one", M "+3h review", "+3h review", "note:180 review#1=180",
	  "", M "+3h review" },
	{ "a stale copy, its base not known", "", "+3h review", "note:180 review#1=180", "",
	  M "+3h review" },
	{ "marked", M "+3h review", M "+3h review", "note:180 review#1=180", "", NULL },
	{ "one more of the same", M "+1h", M "+1h\n+1h", "note:60#1=60", "note:60#2=60",
	  M "+1h\n" M "+1h" },
	{ "two at once", "", "+1h\n+1h", "", "note:60#1=60; note:60#2=60", M "+1h\n" M "+1h" },
	{ "the marked note pasted twice", M "+1h", M "+1h\n" M "+1h", "note:60#1=60", "", NULL },
	{ "spelt otherwise", M "+1h x", "work:  60 min   x", "note:60 x#1=60", "",
	  M "work:  60 min   x" },
	{ "removed", M "+3h review", "", "note:180 review#1=180",
	  "gone -180 note-gone:180 review#1", NULL },
	{ "removed, known", "", "", "note:180 review#1=180;note-gone:180 review#1=0", "", NULL },
	{ "removed by the project, not by the person", "", "", "note:180 review#1=180", "", NULL },
	{ "back again", "", M "+3h", "note:180#1=180;note-gone:180#1=0", "back 180 note-back:180#1",
	  NULL },
	{ "back again in a stale copy", "+3h", "+3h", "note:180#1=180;note-gone:180#1=0", "",
	  M "+3h" },
	{ "gone again", M "+3h", "", "note:180#1=180;note-gone:180#1=0;note-back:180#1=0",
	  "gone -180 note-gone:180#2", NULL },
	{ "edited", M "+3h review", M "+4h review", "note:180 review#1=180",
	  "note:240 review#1=240; gone -180 note-gone:180 review#1", NULL },
	{ "one of two removed", M "+1h\n" M "+1h", M "+1h", "note:60#1=60;note:60#2=60",
	  "gone -60 note-gone:60#1", NULL },
	{ "the other one, later", M "+1h", "", "note:60#1=60;note:60#2=60;note-gone:60#1=0",
	  "gone -60 note-gone:60#2", NULL },
	{ "refused by a rule: known, not marked", "+3h", "+3h\nx", "note:180#1=0", "", NULL },
	{ "a refused one removed", "+3h", "", "note:180#1=0", "", NULL },
	{ "stood there before anybody edited", "+3h", "+3h\nx", "", "", NULL },
	{ "of the day", "", "2026-11-20 1:30 x", "", "note:2026-11-20 90 x#1=90",
	  M "2026-11-20 1:30 x" },
	{ "of tomorrow, elsewhere", "", "2026-11-22 1:30 x", "", "note:2026-11-22 90 x#1=90",
	  M "2026-11-22 1:30 x" },
	{ "of days to come", "", "2026-12-24 1:30 x", "", "", NULL },
	{ "database lost: what is marked was booked", "", M "+3h", "", "note:180#1=180", NULL },
	{ "database lost, and the file tells the work", "", M "+3h\n+1h", "import:7=240",
	  "note:60#1=60", M "+3h\n" M "+1h" },
	{ "CR", "", "+1h x\r\n+1h x\r", "", "note:60 x#1=60; note:60 x#2=60",
	  M "+1h x\r\n" M "+1h x\r" },
	{ "a number sign", "", "+1h see #12", "", "note:60 see #12#1=60", M "+1h see #12" },
	{ "a number sign, known", M "+1h see #12", M "+1h see #12", "note:60 see #12#1=60", "",
	  NULL },
	{ "notes not told", M "+1h", NULL, "note:60#1=60", "", NULL },
};

Test(booking, notes)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(notes_rows); i++) {
		struct booking_known known[8];
		struct booking_input in = { .notes = notes_rows[i].notes,
					    .base_notes = notes_rows[i].base,
					    .own_title = "",
					    .item = "7",
					    .edition = "1",
					    .elapsed_s = -1,
					    .first = strstr(notes_rows[i].what, "database lost"),
					    .day = DAY,
					    .known = known };
		struct booking_plan *plan;

		in.known_count = known_of(mem, notes_rows[i].known, known);
		plan = booking_decide(mem, &in);
		cr_assert_str_eq(told(mem, plan), notes_rows[i].expected, "%s: %s, expected %s",
				 notes_rows[i].what, told(mem, plan), notes_rows[i].expected);
		cr_assert_eq(!plan->notes, !notes_rows[i].marked, "%s: notes: %s",
			     notes_rows[i].what, plan->notes ? plan->notes : "as they are");
		if (plan->notes)
			cr_assert_str_eq(plan->notes, notes_rows[i].marked, "%s: %s",
					 notes_rows[i].what, plan->notes);
	}
	talloc_free(mem);
}

Test(booking, suffixes)
{
	static const struct {
		const char *what, *own, *base, *title, *known, *expected, *bare;
	} rows[] = {
		{ "a suffix", "Ship", "Ship", "Ship +3h", "", "title:7.5:+180#1=180", "Ship" },
		{ "read again", "Ship", "Ship +3h", "Ship +3h", "title:7.5:+180#1=180", "",
		  "Ship" },
		{ "a stale copy", "Ship", "Ship", "Ship +3h", "title:7.5:+180#1=180", "", "Ship" },
		{ "after our restoring push", "Ship", "Ship", "Ship +3h", "title:7.4:+180#1=180",
		  "title:7.5:+180#1=180", "Ship" },
		{ "two", "Ship", "Ship", "Ship +1h +30m", "",
		  "title:7.5:+60#1=60; title:7.5:+30#1=30", "Ship" },
		{ "twice the same", "Ship", "Ship +1h", "Ship +1h +1h", "title:7.5:+60#1=60",
		  "title:7.5:+60#2=60", "Ship" },
		{ "with a new title", "Ship", "Ship", "Ship it +1h", "", "title:7.5:+60#1=60",
		  "Ship it" },
		{ "the project's own", "Buffer +2h", "Buffer +2h", "Buffer +2h", "", "", NULL },
		{ "behind the project's own", "Buffer +2h", "Buffer +2h", "Buffer +2h +1h", "",
		  "title:7.5:+60#1=60", "Buffer +2h" },
		{ "the project's own, renamed", "Buffer +2h", "Buffer +2h", "Buffers +2h", "", "",
		  NULL },
		{ "no blank", "Ship", "Ship", "Ship+3h", "", "", NULL },
		{ "not at the end", "Ship", "Ship", "Ship +3h x", "", "", NULL },
		{ "no unit", "Ship", "Ship", "Ship +3", "", "", NULL },
		{ "too much", "Ship", "Ship", "Ship +25h", "", "", NULL },
		{ "nothing else", "Ship", "Ship", "+3h", "", "", NULL },
		{ "C++", "C++", "C++", "C++ +1h", "", "title:7.5:+60#1=60", "C++" },
	};
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct booking_known known[8];
		struct booking_input in = { .title = rows[i].title,
					    .base_title = rows[i].base,
					    .own_title = rows[i].own,
					    .item = "7",
					    .edition = "5",
					    .elapsed_s = -1,
					    .day = DAY,
					    .known = known };
		struct booking_plan *plan;

		in.known_count = known_of(mem, rows[i].known, known);
		plan = booking_decide(mem, &in);
		cr_assert_str_eq(told(mem, plan), rows[i].expected, "%s: %s", rows[i].what,
				 told(mem, plan));
		cr_assert_eq(!plan->title, !rows[i].bare, "%s: %s", rows[i].what, plan->title);
		if (plan->title)
			cr_assert_str_eq(plan->title, rows[i].bare, "%s", rows[i].what);
	}
	talloc_free(mem);
}

Test(booking, timer)
{
	static const struct {
		const char *what;
		int64_t seconds;
		bool older, first;
		const char *known, *expected;
	} rows[] = {
		{ "started", 3600, false, false, "", "elapsed:7.3600=60" },
		{ "read again", 3600, false, false, "elapsed:7.3600=60", "" },
		{ "went on", 5400, false, false, "elapsed:7.3600=60", "elapsed:7.5400=30" },
		{ "not a minute more", 3659, false, false, "elapsed:7.3600=60", "" },
		{ "the seconds are not lost", 3660, false, false, "elapsed:7.3659=60",
		  "elapsed:7.3660=1" },
		{ "a stale copy", 1800, true, false, "elapsed:7.3600=60", "" },
		{ "put back", 1800, false, false, "elapsed:7.3600=60",
		  "gone -30 elapsed-down:7.1800#1" },
		{ "put back, known", 1800, false, false,
		  "elapsed:7.3600=60;elapsed-down:7.1800#1=0", "" },
		{ "and on", 3600, false, false, "elapsed:7.3600=60;elapsed-down:7.1800#1=0",
		  "back 30 elapsed-up:7.3600#1" },
		{ "and further", 7200, false, false, "elapsed:7.3600=60;elapsed-down:7.0#1=0",
		  "elapsed:7.7200=60; back 60 elapsed-up:7.3600#1" },
		{ "to nothing", 0, false, false, "elapsed:7.3600=60",
		  "gone -60 elapsed-down:7.0#1" },
		{ "left on over the week-end", 200000, false, false, "elapsed:7.3600=60",
		  "more 3273 elapsed:7.200000" },
		{ "the same, read again", 200000, false, false,
		  "elapsed:7.3600=60;elapsed:7.200000=0", "" },
		{ "database lost, the file tells the work", 3600, false, true, "import:4=60",
		  "more 60 elapsed:7.3600" },
		{ "out of the world", 999999999999, false, false, "", "" },
		{ "another item's", 1800, false, false, "elapsed:6.3600=60", "elapsed:7.1800=30" },
		{ "not told", -1, false, false, "elapsed:7.3600=60", "" },
	};
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct booking_known known[8];
		struct booking_input in = { .own_title = "",
					    .item = "7",
					    .edition = "5",
					    .elapsed_s = rows[i].seconds,
					    .latest = !rows[i].older,
					    .first = rows[i].first,
					    .day = DAY,
					    .known = known };

		in.known_count = known_of(mem, rows[i].known, known);
		cr_assert_str_eq(told(mem, booking_decide(mem, &in)), rows[i].expected, "%s: %s",
				 rows[i].what, told(mem, booking_decide(mem, &in)));
	}
	talloc_free(mem);
}

Test(booking, children)
{
	static const struct {
		const char *what, *title, *known, *expected;
	} rows[] = {
		{ "new", "3h review", "", "child:u1=180" },
		{ "known", "3h review", "child:u1=180", "" },
		{ "its text changed", "3h reviews", "child:u1=180", "" },
		{ "more", "4h review", "child:u1=180", "back 60 child-now:u1=240#1" },
		{ "less", "1h review", "child:u1=180", "gone -120 child-now:u1=60#1" },
		{ "less, known", "1h review", "child:u1=180;child-now:u1=60#1=0", "" },
		{ "as before again", "3h review", "child:u1=180;child-now:u1=60#1=0",
		  "back 120 child-now:u1=180#2" },
		{ "no amount any more", "Review", "child:u1=180", "gone -180 child-now:u1=0#1" },
		{ "another one", "3h review", "child:u11=180", "child:u1=180" },
	};
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct booking_known known[8];
		struct booking_child child = {
			.uid = "u1", .title = rows[i].title, .day = DAY, .today = DAY
		};
		struct booking_plan *plan = NULL;
		size_t count = known_of(mem, rows[i].known, known);

		cr_assert(booking_child(mem, &child, known, count, &plan));
		cr_assert_str_eq(told(mem, plan), rows[i].expected, "%s: %s", rows[i].what,
				 told(mem, plan));
	}
	talloc_free(mem);
}

/* Ten thousand lines are work for one round, not for ever; what is over the bound is asked once. */
Test(booking, ten_thousand_lines)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct buf *notes = buf_new(mem);
	struct booking_input in = { .base_notes = "",
				    .own_title = "",
				    .item = "7",
				    .edition = "1",
				    .elapsed_s = -1,
				    .day = DAY };
	struct booking_plan *plan;

	for (int i = 0; i < 10000; i++)
		buf_printf(notes, "+1m line %d\n", i);
	in.notes = notes->data;
	plan = booking_decide(mem, &in);
	cr_assert_eq(plan->count, BOOKING_LINES_MAX);
	cr_assert_eq(plan->minutes, BOOKING_LINES_MAX);
	cr_assert_eq(plan->ask_count, 1);
	cr_assert_eq(plan->asks[0].minutes, 10000 - BOOKING_LINES_MAX);
	cr_assert(strstr(booking_words(mem, plan, BOOKING_MORE),
			 "163 h 20 min in 9800 lines at once"));
	cr_assert_null(plan->notes, "too long for marks");
	in.base_notes = in.notes;
	cr_assert_eq(booking_decide(mem, &in)->ask_count, 0);
	talloc_free(mem);
}

Test(booking, words)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct booking_known known[] = { { "note:60 a#1", 60 },
					 { "note:60 b#1", 60 },
					 { "note:60 c#1", 60 },
					 { "note:60 d#1", 60 },
					 { "note:60 d#2", 60 } };
	struct booking_input in = { .base_notes = "+1h a\n+1h b\n+1h c\n+1h d\n+1h d",
				    .notes = "+1h b",
				    .own_title = "",
				    .item = "7",
				    .edition = "1",
				    .elapsed_s = -1,
				    .day = DAY,
				    .known = known,
				    .known_count = COUNT_OF(known) };
	struct booking_plan *plan = booking_decide(mem, &in);

	cr_assert_str_eq(booking_words(mem, plan, BOOKING_GONE),
			 "1 h a, 1 h c, 1 h d and 1 more: taken out of the item after it had been "
			 "booked; to accept this takes the time off");
	talloc_free(mem);
}

Test(booking, children_that_are_none)
{
	static const struct {
		const char *title;
		int32_t day;
	} rows[] = { { "Review", DAY }, { "3h review", DAY + 2 }, { "3hours", DAY } };
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct booking_child child = {
			.uid = "u1", .title = rows[i].title, .day = rows[i].day, .today = DAY
		};
		struct booking_plan *plan = NULL;

		cr_assert_not(booking_child(mem, &child, NULL, 0, &plan), "%s", rows[i].title);
		cr_assert_null(plan);
	}
	talloc_free(mem);
}

/* Whatever stands there: what was booked is known, and read again books and asks nothing; with the
 * marks, without them, and over either. */
Test(booking, garbage_is_booked_once)
{
	static const char *const bits[] = { "+",   "1",           "30",         "h",       "m",
					    "min", ":",           ".",          ",",       " ",
					    "\n",  "\n",          "\n+",        "work:",   "-",
					    "\r",  "2026-11-20 ", BOOKING_MARK, M,         "\n+1h",
					    "\nx", "#",           "\xff",       "\xd9\xa3" };
	TALLOC_CTX *all = MEM_CONTEXT(NULL);
	uint32_t seed = 4711;
	size_t booked = 0;

	for (int round = 0; round < 3000; round++) {
		TALLOC_CTX *mem = MEM_CONTEXT(all);
		struct buf *notes = buf_new(mem);
		struct booking_known *known;
		struct booking_plan *plan, *again;
		struct booking_input in = { .base_notes = "",
					    .own_title = "",
					    .item = "7",
					    .edition = "1",
					    .elapsed_s = -1,
					    .day = DAY };

		for (int i = 0; i < 40; i++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(notes, bits[(seed >> 16) % COUNT_OF(bits)]);
		}
		in.notes = notes->data;
		plan = booking_decide(mem, &in);
		known = MEM_ARRAY(mem, struct booking_known, plan->count);
		for (size_t i = 0; i < plan->count; i++)
			known[i] = (struct booking_known){ plan->bookings[i].key,
							   plan->bookings[i].minutes };
		in.known = known;
		in.known_count = plan->count;
		booked += plan->count;
		for (int stale = 0; stale < 4; stale++) {
			const char *marked = plan->notes ? plan->notes : notes->data;

			in.base_notes = stale & 1 ? marked : notes->data;
			in.notes = stale & 2 ? marked : notes->data;
			again = booking_decide(mem, &in);
			cr_assert_eq(again->count + again->ask_count, 0, "%d: '%s': %s", stale,
				     notes->data, told(mem, again));
			cr_assert_str_eq(again->notes ? again->notes : in.notes, marked,
					 "'%s': the marks", notes->data);
		}
		talloc_free(mem);
	}
	cr_assert_gt(booked, 500); /* that it is not garbage only */
	talloc_free(all);
}
