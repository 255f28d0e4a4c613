/* trailer_test.c - what clients do to a description, and what must come back: the notes and nothing
 * else.
 *
 * `last` in the table is always LAST below unless a row says otherwise.
 */
#include "config.h"

#include "model/trailer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"

#define SEP "--- taskferry ---"
#define HOW "Tick it off or set the percentage; write notes above the line."
#define TRAILER                                                                                    \
	"Ship the crate.\nUse the big box \xe2\x80\x93 it's blue.\n\nProject: Harbour\nWork: 3 h " \
	"of 12 h\n"                                                                                \
	"Deadline: 2026-12-01\nAfter: Pack crate, Print label\n" HOW "\n"
#define MARKED                                                                                     \
	"| Ship the crate.\n| Use the big box \xe2\x80\x93 it's blue.\n|\n| Project: Harbour\n"    \
	"| Work: 3 h of 12 h\n| Deadline: 2026-12-01\n| After: Pack crate, Print label\n| " HOW
#define LAST "Called them.\n\n" SEP "\n" MARKED
/* An older edition: other description, other work. */
#define STALE "| Ship it soon.\n| Project: Harbour\n| Work: 1 h of 12 h\n| " HOW

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(trailer, .init = begin, .fini = end);

struct row {
	const char *what;
	const char *description;
	const char *last;
	const char *notes;
};

static void check(const struct row *row)
{
	char *notes = trailer_split(mem, row->description, row->last);

	cr_expect_str_eq(notes, row->notes,
			 "%s\n--- input\n%s\n--- expected\n%s\n--- actual\n%s\n---", row->what,
			 row->description ? row->description : "NULL", row->notes, notes);
}

static const struct row what_clients_did[] = {
	{ "untouched", LAST, LAST, "Called them." },
	{ "untouched, no last", LAST, NULL, "Called them." },
	{ "nothing at all", "", LAST, "" },
	{ "NULL", NULL, LAST, "" },
	{ "person's text only", "New text", LAST, "New text" },
	{ "no notes", SEP "\n" MARKED, LAST, "" },
	{ "no notes, no last", SEP "\n" MARKED "\n", NULL, "" },
	{ "text added above", "Called them.\nTwice.\n\n" SEP "\n" MARKED, LAST,
	  "Called them.\nTwice." },
	{ "text below", LAST "\nI did it.", LAST, "Called them.\nI did it." },
	{ "text below, blank line before", LAST "\n\nI did it.\n", LAST,
	  "Called them.\nI did it." },
	{ "text below, no last", LAST "\n\nI did it.\n", NULL, "Called them.\nI did it." },
	{ "text behind the last word", LAST " I did it.", LAST, "Called them.\nI did it." },
	{ "text right below the separator", "Called them.\n\n" SEP "\nI did it.\n" MARKED, LAST,
	  "Called them.\nI did it." },
	{ "text right below, no last", "Called them.\n\n" SEP "\nI did it.\n" MARKED, NULL,
	  "Called them.\nI did it." },
	{ "text behind the separator", "Called them.\n\n" SEP " I did it.\n" MARKED, LAST,
	  "Called them.\nI did it." },
	{ "text between two lines",
	  "Called them.\n\n" SEP
	  "\n| Ship the crate.\n| Use the big box \xe2\x80\x93 it's blue.\n|\n"
	  "Not blue!\n| Project: Harbour\n| Work: 3 h of 12 h\n| Deadline: 2026-12-01\n"
	  "| After: Pack crate, Print label\n| " HOW,
	  LAST, "Called them.\nNot blue!" },
	{ "text at the end of a line",
	  "Called them.\n\n" SEP
	  "\n| Ship the crate.\n| Use the big box \xe2\x80\x93 it's blue.\n|\n"
	  "| Project: Harbour\n| Work: 3 h of 12 h I did 2 more\n| Deadline: 2026-12-01\n"
	  "| After: Pack crate, Print label\n| " HOW,
	  LAST, "Called them.\nI did 2 more" },
	{ "text in front of a line",
	  "Called them.\n\n" SEP
	  "\nDone?| Ship the crate.\n| Use the big box \xe2\x80\x93 it's blue.\n|\n"
	  "| Project: Harbour\n| Work: 3 h of 12 h\n| Deadline: 2026-12-01\n"
	  "| After: Pack crate, Print label\n| " HOW,
	  LAST, "Called them.\nDone?" },
	{ "a line of another edition goes on where ours ends",
	  "Called them.\n\n" SEP "\n| Work: 3 h of 12 h 30 min\n| " HOW, LAST, "Called them." },
	{ "a line was changed in a word",
	  "Called them.\n\n" SEP "\n| Ship the crate.\n| Use the big box \xe2\x80\x93 it's "
	  "blue.\n|\n| Project: Harbours\n"
	  "| Work: 3 h of 12 h\n| Deadline: 2026-12-01\n| After: Pack crate, Print "
	  "label\n| " HOW,
	  LAST, "Called them." },
	{ "runs of dashes as one", "A\n" SEP "\nB \xe2\x80\x94 C\nD - E",
	  "A\n" SEP "\n| B --- C\n| D -- E\n| F", "A" },
	{ "some lines deleted", "Called them.\n\n" SEP "\n| Ship the crate.\n| " HOW, LAST,
	  "Called them." },
	{ "trailer deleted, separator left", "Called them.\n\n" SEP "\n", LAST, "Called them." },
	{ "trailer and separator deleted", "Called them.", LAST, "Called them." },
	{ "notes deleted, trailer left", SEP "\n" MARKED, LAST, "" },
	{ "a read-only line changed",
	  "Called them.\n\n" SEP "\n| Project: Harbour\n| Work: 9 h of 12 h\n", LAST,
	  "Called them." },
	{ "CR LF", "Called them.\r\nTwice.\r\n\r\n" SEP "\r\n| Project: Harbour\r\n| " HOW "\r\n",
	  LAST, "Called them.\nTwice." },
	{ "CR alone", "Called them.\r\r" SEP "\r| Project: Harbour\r| " HOW, NULL, "Called them." },
	{ "blank line between all lines",
	  "Called them.\n\n\n" SEP "\n\n| Project: Harbour\n\n| " HOW "\n\n", NULL,
	  "Called them." },
	{ "trailing blanks", "Called them.  \n\n" SEP "  \n| Project: Harbour  \n| " HOW " \n ",
	  NULL, "Called them." },
	{ "indented", "Called them.\n\n  " SEP "\n  | Project: Harbour\n  | " HOW, NULL,
	  "Called them." },
	{ "no blank behind the mark", "Called them.\n" SEP "\n|Project: Harbour\n|" HOW, LAST,
	  "Called them." },
	{ "no marks", "Called them.\n" SEP "\nProject: Harbour\n" HOW, LAST, "Called them." },
	{ "typographic quotes and dashes",
	  "Called them.\n\n\xe2\x80\x94 taskferry \xe2\x80\x94\nShip the crate.\nUse the "
	  "big box - it\xe2\x80\x99s blue.",
	  LAST, "Called them." },
	{ "notes of one line", "Called them. " SEP " | Project: Harbour | " HOW, LAST,
	  "Called them." },
};

Test(trailer, split_takes_the_notes_whatever_a_client_did)
{
	for (size_t i = 0; i < COUNT_OF(what_clients_did); i++)
		check(&what_clients_did[i]);
}

Test(trailer, split_knows_what_clients_leave_of_the_separator)
{
	static const char *const separators[] = {
		"--- taskferry ---",
		"-- taskferry --",
		"- taskferry -",
		"-taskferry-",
		"\xe2\x80\x94 taskferry \xe2\x80\x94",
		"\xe2\x80\x93 taskferry \xe2\x80\x93",
		"\xe2\x80\x94- taskferry -\xe2\x80\x94",
		"--- taskferry",
		"taskferry ---",
		"\xe2\x80\x94 taskferry",
		"--- Taskferry ---",
		"------- TASKFERRY -------",
		"  --- taskferry ---  ",
		"---\xc2\xa0taskferry\xc2\xa0---",
		"---  taskferry  ---",
		"taskferry",
	};

	for (size_t i = 0; i < COUNT_OF(separators); i++) {
		struct row row = { separators[i], NULL, NULL, "Notes" };

		row.description = mem_printf(mem, "Notes\n\n%s\n%s", separators[i], MARKED);
		check(&row);
		row.description = mem_printf(mem, "Notes\n\n%s\n%s\n", separators[i], STALE);
		row.last = LAST;
		check(&row);
	}
}

Test(trailer, split_leaves_what_only_looks_like_a_separator)
{
	static const char *const notes[] = {
		"taskferry",
		"taskferry is down",
		"- taskferry\n- mail",
		"see https://example.com/--taskferry--/x",
		"| a | b |\n|---|---|\n| 1 | 2 |",
		"---\nRule\n---",
		"Project: mine\nWork: 3 h of 12 h",
	};

	for (size_t i = 0; i < COUNT_OF(notes); i++) {
		struct row row = { "no separator", notes[i], NULL, notes[i] };

		check(&row);
		row.last = LAST;
		check(&row);
		row.what = "joined";
		row.description = trailer_join(mem, notes[i], TRAILER);
		check(&row);
	}
}

Test(trailer, split_strips_the_last_trailer_where_the_separator_is_lost)
{
	static const struct row rows[] = {
		{ "whole trailer", "Called them.\n\n" MARKED, LAST, "Called them." },
		{ "whole trailer, text behind", "Called them.\n\n" MARKED "\nDone.", LAST,
		  "Called them.\nDone." },
		{ "whole trailer first", MARKED "\n\nDone.", LAST, "Done." },
		{ "whole trailer twice", "A\n" MARKED "\nB\n" MARKED "\nC", LAST, "A\nB\nC" },
		{ "marks lost too", "Called them.\n\n" TRAILER, LAST, "Called them." },
		{ "some lines", "Called them.\n| Project: Harbour\n| Work: 3 h of 12 h", LAST,
		  "Called them." },
		{ "text between", "Called them.\n| Project: Harbour\nHm.\n| Work: 3 h of 12 h",
		  LAST, "Called them.\nHm." },
		{ "a person's line that equals one but for the mark",
		  "Project: Harbour\n| Project: Harbour", LAST, "Project: Harbour" },
		{ "another edition", "Called them.\n\n" STALE, LAST, "Called them." },
		{ "another edition, no last", "Called them.\n\n" STALE, NULL, "Called them." },
		{ "a person's table above another edition", "| a | b |\n\n" STALE, LAST,
		  "| a | b |" },
		{ "an unmarked last", "Notes\nProject: X", "Notes\n\n" SEP "\nProject: X\n",
		  "Notes" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&rows[i]);
}

Test(trailer, split_never_piles_up)
{
	static const struct row rows[] = {
		{ "twice", LAST "\n\n" SEP "\n" MARKED, LAST, "Called them." },
		{ "twice, no last", LAST "\n\n" SEP "\n" MARKED, NULL, "Called them." },
		{ "another edition and ours",
		  "Called them.\n\n" SEP "\n" STALE "\n\n" SEP "\n" MARKED, LAST, "Called them." },
		{ "another edition only", "Called them.\n\n" SEP "\n" STALE, LAST, "Called them." },
		{ "text between two trailers", "A\n" SEP "\n" MARKED "\nB\n" SEP "\n" MARKED "\nC",
		  LAST, "A\nB\nC" },
		{ "two copies merged", LAST "\n=====\n" LAST, LAST,
		  "Called them.\n=====\nCalled them." },
		{ "three separators", "A\n" SEP "\n" SEP "\n" SEP "\n" MARKED, LAST, "A" },
		{ "separators in one line", "A\n" SEP " " SEP "\n" MARKED, LAST, "A" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&rows[i]);
}

Test(trailer, split_knows_wrapped_and_joined_lines)
{
	static const struct row rows[] = {
		{ "wrapped",
		  "Called them.\n\n" SEP
		  "\n| Ship the\ncrate.\n| Use the big\nbox \xe2\x80\x93 it's\nblue.\n|\n"
		  "| Project:\nHarbour\n| Work: 3 h of\n12 h\n| Deadline:\n2026-12-01\n| After: "
		  "Pack crate,\n"
		  "Print label\n| Tick it off or set the\npercentage; write notes above\nthe line.",
		  LAST, "Called them." },
		{ "wrapped, a line lost, text between",
		  "Called them.\n\n" SEP
		  "\n| Project:\nHarbour\nGood.\n| Tick it off or set the\npercentage; write notes"
		  " above\nthe line.\n",
		  LAST, "Called them.\nGood." },
		{ "wrapped with marks",
		  "Called them.\n" SEP
		  "\n| Tick it off or set the\n| percentage; write\n| notes above\n",
		  NULL, "Called them." },
		{ "wrapped, separator lost",
		  "Called them.\n| Tick it off or set the\npercentage; write notes above\nthe "
		  "line.\nBye.",
		  LAST, "Called them.\nBye." },
		{ "all in one line",
		  "Called them.\n" SEP "\nShip the crate. Use the big box - it's blue. Project: "
		  "Harbour Work: 3 h of 12 h "
		  "Deadline: 2026-12-01 After: Pack crate, Print label " HOW " Bye.",
		  LAST, "Called them.\nBye." },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&rows[i]);
}

Test(trailer, split_knows_a_description_that_was_cut_off_at_any_place)
{
	static const char last[] = LAST;
	size_t notes = strlen("Called them.");

	for (size_t n = notes; n < sizeof last; n++) {
		struct row row = { "cut off", mem_strndup(mem, last, n), last, "Called them." };

		check(&row);
	}
	for (size_t n = notes + strlen("\n\n" SEP "\n"); n < sizeof last; n++) {
		struct row row = { "cut off below the separator, no last",
				   mem_strndup(mem, last, n), NULL, "Called them." };

		check(&row);
	}
}

Test(trailer, join_escapes_a_persons_own_separator)
{
	static const struct {
		const char *notes, *joined;
	} rows[] = {
		{ "A", "A\n\n" SEP "\n| T" },
		{ "", SEP "\n| T" },
		{ " \n ", SEP "\n| T" },
		{ NULL, SEP "\n| T" },
		{ "A  \n\n", "A\n\n" SEP "\n| T" },
		{ "A\r\nB", "A\nB\n\n" SEP "\n| T" },
		{ "A\n" SEP "\nB", "A\n--- \\taskferry ---\nB\n\n" SEP "\n| T" },
		{ "--- \\taskferry ---", "--- \\\\taskferry ---\n\n" SEP "\n| T" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *joined = trailer_join(mem, rows[i].notes, "T\n");

		cr_expect_str_eq(joined, rows[i].joined, "\"%s\": expected \"%s\", actual \"%s\"",
				 rows[i].notes ? rows[i].notes : "NULL", rows[i].joined, joined);
	}
	cr_expect_str_eq(trailer_join(mem, "A", ""), "A");
	cr_expect_str_eq(trailer_join(mem, "", ""), "");
	cr_expect_str_eq(trailer_join(mem, "A", "T\n\nU\n"), "A\n\n" SEP "\n| T\n|\n| U");
}

Test(trailer, text_has_its_lines_in_order)
{
	struct vector *values = vector_new(mem);
	struct trailer trailer = {
		.values = values,
		.project = "Harbour\nNew",
		.predecessors = "Pack crate\nPrint label\n",
		.outcomes = "Corrected: 140 % became 100 %\nProposed: another day\n",
		.remark = "no more than all",
	};

	vector_text(values, FIELD_description, "\nShip the crate.  \r\n\r\nSoon.\n\n");
	vector_number(values, FIELD_actual_work, 180);
	vector_number(values, FIELD_total_work, 720);
	vector_number(values, FIELD_milestone, 1);
	vector_when(values, FIELD_deadline, when_date(20788)); /* 2026-12-01 */
	cr_expect_str_eq(trailer_text(mem, &trailer),
			 "Ship the crate.\n\nSoon.\nProject: Harbour New\nMilestone: yes\nWork: 3 "
			 "h of 12 h\n"
			 "Deadline: 2026-12-01\nAfter: Pack crate, Print label\n"
			 "Corrected: 140 % became 100 %\nProposed: another day\n"
			 "Note: no more than all\n" HOW "\n");
	cr_expect_str_eq(trailer_text(mem, &trailer), trailer_text(mem, &trailer), "deterministic");
}

Test(trailer, text_leaves_out_what_is_not_there)
{
	struct vector *values = vector_new(mem);
	struct trailer trailer = { 0 };

	cr_expect_str_eq(trailer_text(mem, &trailer), HOW "\n");
	trailer.values = values;
	trailer.project = trailer.outcomes = trailer.remark = trailer.predecessors = "";
	trailer.how_to_report = "Answer this message.";
	cr_expect_str_eq(trailer_text(mem, &trailer), "Answer this message.\n");
	vector_number(values, FIELD_actual_work, 90);
	cr_expect_str_eq(trailer_text(mem, &trailer), "Work: 1 h 30 min\nAnswer this message.\n");
	vector_number(values, FIELD_total_work, 60);
	vector_clear(values, FIELD_actual_work);
	vector_number(values, FIELD_milestone, 0);
	cr_expect_str_eq(trailer_text(mem, &trailer), "Work: 0 h of 1 h\nAnswer this message.\n");
}

Test(trailer, text_is_bounded)
{
	struct vector *values = vector_new(mem);
	struct trailer trailer = { .values = values };
	char *names = mem_strdup(mem, ""), *text;

	vector_text(values, FIELD_description,
		    mem_printf(mem, "%0*d", TRAILER_DESCRIPTION_MAX_CHARS + 1, 0));
	for (int i = 0; i < TRAILER_PREDECESSORS_MAX + 3; i++)
		names = mem_printf(mem, "%sT%d\n", names, i);
	trailer.predecessors = names;
	text = trailer_text(mem, &trailer);
	cr_expect_eq(strcspn(text, "\n"), TRAILER_DESCRIPTION_MAX_CHARS + strlen("\xe2\x80\xa6"));
	cr_expect(strstr(text, "\xe2\x80\xa6\nAfter: T0, T1"), "%s", text);
	cr_expect(strstr(text, ", T19 and 3 more\n"), "%s", text);
}

/* Notes of pieces that are hard to tell from a trailer. */
static char *random_notes(unsigned *seed)
{
	static const char *const pieces[] = {
		"a",  "b c",       "\n",       "\n\n", " ",           "|",        "| ",
		SEP,  "taskferry", "---",      "\\",   "-",           HOW,        "\xe2\x80\x94",
		"\t", "Work: 3 h", "\xc3\xbc", "\r\n", "\n" SEP "\n", "\xc2\xa0",
	};
	char *notes = mem_strdup(mem, "");

	for (int n = rand_r(seed) % 12; n > 0; n--)
		notes = talloc_strdup_append(notes,
					     pieces[(size_t)rand_r(seed) % COUNT_OF(pieces)]);
	return notes;
}

/* The notes as trailer_split() promises them. */
static char *promised(const char *notes)
{
	char *text = mem_strdup(mem, notes), *out = text;
	size_t len;

	for (const char *c = notes; *c; c++)
		if (*c != '\r')
			*out++ = *c;
	*out = '\0';
	for (len = strlen(text); len; text[len] = '\0') {
		if (len > 1 && !memcmp(text + len - 2, "\xc2\xa0", 2))
			len -= 2;
		else if (strchr(" \t\n", text[len - 1]))
			len--;
		else
			break;
	}
	return text;
}

Test(trailer, split_gives_back_what_join_was_given)
{
	unsigned seed = 20261121;

	for (int i = 0; i < 4000; i++) {
		char *notes = random_notes(&seed);
		char *expected = promised(notes);
		char *joined = trailer_join(mem, notes, TRAILER);
		const char *lasts[] = { joined, NULL, LAST,
					trailer_join(mem, random_notes(&seed), TRAILER) };

		for (size_t k = 0; k < COUNT_OF(lasts); k++) {
			char *actual = trailer_split(mem, joined, lasts[k]);

			cr_assert_str_eq(actual, expected,
					 "round %d, last %zu\n%s\n--- expected\n%s\n--- actual\n%s",
					 i, k, joined, expected, actual);
		}
		talloc_free_children(mem);
	}
}

/* A trailer whose own lines look like separators and marks. */
Test(trailer, split_knows_a_nasty_trailer)
{
	const char *trailer = SEP "\n| x\ntaskferry\n| y\n" HOW;
	char *joined = trailer_join(mem, "A", trailer);
	struct row row = { "nasty trailer", joined, joined, "A" };

	check(&row);
	row.last = NULL;
	check(&row);
	row.last = joined;
	row.description = mem_printf(mem, "%s\nB", joined);
	row.notes = "A\nB";
	check(&row);
}

/* What clients do, one after the other; none of them touches the words P1 to P4 of a person. */

static char *replace(const char *text, const char *from, const char *to)
{
	char *out = mem_strdup(mem, "");

	for (const char *hit; (hit = strstr(text, from)); text = hit + strlen(from)) {
		out = talloc_strndup_append(out, text, (size_t)(hit - text));
		out = talloc_strdup_append(out, to);
	}
	return talloc_strdup_append(out, text);
}

static char *mangle(char *text, unsigned *seed)
{
	static const struct {
		const char *from, *to;
	} ways[] = {
		{ "\n", "\r\n" },
		{ "\n", "  \n" },
		{ "\n", "\n\n" },
		{ "---", "\xe2\x80\x94" },
		{ "---", "--" },
		{ "\n" SEP, "" },
		{ "'", "\xe2\x80\x99" },
		{ " ", "\xc2\xa0" },
		{ "| ", "|" },
		{ "\n| Work: 3 h of 12 h", "" },
		{ "Harbour\n", "Harbour\nP3\n" },
		{ SEP "\n", SEP "\nP4\n" },
	};

	for (int n = rand_r(seed) % 4; n > 0; n--) {
		size_t way = (size_t)rand_r(seed) % COUNT_OF(ways);

		text = replace(text, ways[way].from, ways[way].to);
	}
	return text;
}

/* The words of TEXT, each once where it is repeated, each with a blank behind it. */
static char *in_words(const char *text)
{
	char *plain = replace(text, "\xc2\xa0", " "), *rest, *out = mem_strdup(mem, "");
	const char *before = "";

	for (char *word = strtok_r(plain, " \n", &rest); word;
	     word = strtok_r(NULL, " \n", &rest)) {
		if (strcmp(word, before) != 0)
			out = talloc_asprintf_append(out, "%s ", word);
		before = word;
	}
	return out;
}

Test(trailer, split_of_mangled_descriptions_is_the_persons_text)
{
	unsigned seed = 7;

	for (int i = 0; i < 4000; i++) {
		const char *mangled =
			mangle(mem_strdup(mem, "P1 x\n\n" SEP "\n" MARKED "\nP2\n"), &seed);
		const char *notes = trailer_split(mem, mangled, LAST);
		char *words = in_words(notes);
		const char *expected =
			mem_printf(mem, "P1 x %s%sP2 ", strstr(mangled, "P4") ? "P4 " : "",
				   strstr(mangled, "P3") ? "P3 " : "");

		cr_assert_str_eq(words, expected, "round %d\n%s\n--- expected\n%s\n--- actual\n%s",
				 i, mangled, expected, notes);
		talloc_free_children(mem);
	}
}

Test(trailer, split_of_anything_is_a_fixpoint_of_joining)
{
	unsigned seed = 4;

	for (int i = 0; i < 4000; i++) {
		char *wild = mem_printf(mem, "%s\n%s%s", random_notes(&seed),
					rand_r(&seed) % 2 ? SEP "\n" MARKED : MARKED "\n",
					random_notes(&seed));
		char *once = trailer_split(mem, wild, rand_r(&seed) % 2 ? LAST : NULL);
		char *joined = trailer_join(mem, once, TRAILER);
		char *twice = trailer_split(mem, joined, joined);

		cr_assert_str_eq(twice, once, "round %d\n%s\n--- once\n%s\n--- twice\n%s", i, wild,
				 once, twice);
		talloc_free_children(mem);
	}
}
