#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "mappers/icaltext.h"

static const struct icaltext_limits limits = { .text = 1 << 16, .line = 2000, .depth = 4 };

/* A parse shown as text: kind, depth, name, params, value of each line. */
static char *shown(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct icaltext *ical;
	struct fault *fault = icaltext_parse(mem, text, len, &limits, &ical);
	struct buf *buf = buf_new(mem);

	if (fault)
		return mem_printf(mem, "FAULT %s", fault->text);
	for (uint32_t i = 0; i < ical->line_count; i++) {
		const struct icaltext_line *line = &ical->lines[i];
		uint32_t depth = line->component == ICALTEXT_NONE
					 ? 0
					 : ical->components[line->component].depth;

		if (line->kind == ICALTEXT_BLANK || line->kind == ICALTEXT_OTHER)
			buf_printf(buf, "%s%u", icaltext_kind_name(line->kind), depth);
		else
			buf_printf(buf, "%c%u %s", icaltext_kind_name(line->kind)[0], depth,
				   line->name);
		if (line->params[0])
			buf_printf(buf, " {%s}", line->params);
		if (line->value_len)
			buf_printf(buf, " [%.*s]", (int)line->value_len, line->value);
		buf_putc(buf, '|');
	}
	return buf->data;
}

#define TODO(body) "BEGIN:VTODO\r\n" body "END:VTODO\r\n"

static const struct {
	const char *what, *text, *shown;
} parses[] = {
	{ "nothing", "", "" },
	{ "plain", TODO("SUMMARY:a\r\n"), "b1 BEGIN [VTODO]|p1 SUMMARY [a]|e1 END [VTODO]|" },
	{ "lf", "BEGIN:A\nX:1\nEND:A\n", "b1 BEGIN [A]|p1 X [1]|e1 END [A]|" },
	{ "cr", "BEGIN:A\rX:1\r 2\rEND:A\r", "b1 BEGIN [A]|p1 X [12]|e1 END [A]|" },
	{ "mixed", "BEGIN:A\r\nX:1\nY:2\r\n z\nEND:A\n",
	  "b1 BEGIN [A]|p1 X [1]|p1 Y [2z]|e1 END [A]|" },
	{ "cr within lf lines is content", "X:a\rb\r\nY:1\n", "p0 X [a\rb]|p0 Y [1]|" },
	{ "two cr in front of lf", "X:a\r\r\nY:1\r\n", "p0 X [a]|p0 Y [1]|" },
	{ "no final newline", "BEGIN:A\r\nEND:A", "b1 BEGIN [A]|e1 END [A]|" },
	{ "bom",
	  "\xEF\xBB\xBF"
	  "BEGIN:A\r\nEND:A\r\n",
	  "b1 BEGIN [A]|e1 END [A]|" },
	{ "fold before the first line", " BEGIN:A\r\nEND:A\r\n", "b1 BEGIN [A]|e1 END [A]|" },
	{ "folds of any width", "SUMM\r\n ARY;X\r\n\t=1:\r\n \r\n  v\r\n",
	  "p0 SUMMARY {X=1} [ v]|" },
	{ "a fold takes one blank", "X:a\r\n  b\r\n\t\tc\r\n", "p0 X [a b\tc]|" },
	{ "blank lines", "X:1\r\n\r\n\r\nY:2\r\n", "p0 X [1]|blank0|p0 Y [2]|" },
	{ "a fold behind a blank line", "X:1\r\n\r\n Y:2\r\n", "p0 X [1]|blank0|other0 [ Y:2]|" },
	{ "no colon", "hello\r\nX\r\n;a:b\r\n:c\r\n",
	  "other0 [hello]|other0 [X]|other0 [;a:b]|other0 [:c]|" },
	{ "no name", "A B:1\r\n\xC3\xA4:2\r\n", "other0 [A B:1]|other0 [\xC3\xA4:2]|" },
	{ "lower case", "begin:vtodo\nsummary:x\nend:VTODO\n",
	  "b1 begin [vtodo]|p1 summary [x]|e1 end [VTODO]|" },
	{ "blanks around a component's name", "BEGIN: A \r\nEND:A\t\r\n",
	  "b1 BEGIN [A]|e1 END [A]|" },
	{ "nested", "BEGIN:A\nBEGIN:B\nX:1\nEND:B\nY:2\nEND:A\n",
	  "b1 BEGIN [A]|b2 BEGIN [B]|p2 X [1]|e2 END [B]|p1 Y [2]|e1 END [A]|" },
	{ "quoted colon and semicolon", "X;A=\"b:c;d\";E=f:g:h\r\n",
	  "p0 X {A=\"b:c;d\";E=f} [g:h]|" },
	{ "broken quote", "X;A=\"b:c\r\n", "p0 X {A=\"b} [c]|" },
	{ "quote in the value", "X;A=b:\"c:d\r\n", "p0 X {A=b} [\"c:d]|" },
	{ "empty parameter", "X;:v\r\nY;A=:v\r\n", "p0 X [v]|p0 Y {A=} [v]|" },
	{ "soft breaks", "X;ENCODING=QUOTED-PRINTABLE:a=\r\n=C3=\r\nb\r\nY:1\r\n",
	  "p0 X {ENCODING=QUOTED-PRINTABLE} [a=C3b]|p0 Y [1]|" },
	{ "a soft break swallows no END", "BEGIN:A\nX;QUOTED-PRINTABLE:a=\nEND:A\n",
	  "b1 BEGIN [A]|p1 X {QUOTED-PRINTABLE} [a=]|e1 END [A]|" },
	{ "no soft break in plain text", "X:a=\r\nY:1\r\n", "p0 X [a=]|p0 Y [1]|" },
	{ "five deep", "BEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\nBEGIN:A\n",
	  "FAULT not usable iCalendar: components nested too deeply (content line 5)" },
	{ "not closed", "BEGIN:A\r\nX:1\r\n",
	  "FAULT not usable iCalendar: cut off: a component is not closed (content line 3)" },
	{ "closed twice", "BEGIN:A\nEND:A\nEND:A\n",
	  "FAULT not usable iCalendar: END without BEGIN (content line 3)" },
	{ "closed by another name", "BEGIN:A\nBEGIN:B\nEND:A\nEND:B\n",
	  "FAULT not usable iCalendar: END of another component than the open one (content line "
	  "3)" },
};

Test(icaltext, parses)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(parses); i++) {
		char *got = shown(mem, parses[i].text, strlen(parses[i].text));

		cr_expect_str_eq(got, parses[i].shown, "%s: input [%s], expected [%s], got [%s]",
				 parses[i].what, parses[i].text, parses[i].shown, got);
	}
	talloc_free(mem);
}

Test(icaltext, bounds)
{
	void *mem = talloc_new(NULL);
	char *text = talloc_zero_size(mem, (1 << 16) + 1);
	struct icaltext *ical = NULL;
	struct fault *fault;

	memset(text, 'a', (1 << 16) + 1);
	fault = icaltext_parse(mem, text, (1 << 16) + 1, &limits, &ical);
	cr_assert(fault && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM &&
		  fault->next == FAULT_NEXT_HOLD && !ical);
	cr_expect_str_eq(fault->text, "item of 65537 bytes: more than 65536");
	fault = icaltext_parse(mem, text, 2001, &limits, &ical);
	cr_assert(fault && !ical);
	cr_expect_str_eq(fault->text, "not usable iCalendar: line too long (content line 1)");
	/* the same bytes in folds are as long */
	for (size_t i = 99; i < 3000; i += 102)
		memcpy(text + i, "\r\n ", 3);
	fault = icaltext_parse(mem, text, 2001, &limits, &ical);
	cr_expect(!fault, "1,944 bytes without the folds");
	fault = icaltext_parse(mem, text, 3000, &limits, &ical);
	cr_expect(fault);
	talloc_free(mem);
}

Test(icaltext, too_many_lines)
{
	void *mem = talloc_new(NULL);
	struct icaltext_limits wide = { .text = 1 << 20, .line = 100, .depth = 4 };
	char *text = talloc_zero_size(mem, 3 * (ICALTEXT_LINES_MAX + 1));
	struct icaltext *ical = NULL;

	for (size_t i = 0; i <= ICALTEXT_LINES_MAX; i++)
		memcpy(text + 3 * i, "a:\n", 3);
	cr_expect(!icaltext_parse(mem, text, 3 * ICALTEXT_LINES_MAX, &wide, &ical));
	cr_expect(icaltext_parse(mem, text, 3 * (ICALTEXT_LINES_MAX + 1), &wide, &ical));
	talloc_free(mem);
}

/* I1 and I2 */
Test(icaltext, spans_cover_the_text)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(parses); i++) {
		size_t len = strlen(parses[i].text), got_len;
		struct icaltext *ical;
		uint32_t at = 0;
		char *got;

		if (icaltext_parse(mem, parses[i].text, len, &limits, &ical))
			continue;
		for (uint32_t k = 0; k < ical->line_count; k++) {
			cr_expect_eq(ical->lines[k].start, at, "%s: line %u", parses[i].what, k);
			at = ical->lines[k].end;
		}
		cr_expect_eq(at, len, "%s", parses[i].what);
		cr_assert(!icaltext_apply(mem, icaltext_edit_new(mem, ical), &limits, &got,
					  &got_len));
		cr_expect(got_len == len && memcmp(got, parses[i].text, len) == 0, "%s",
			  parses[i].what);
	}
	talloc_free(mem);
}

static const struct {
	const char *text, *eol;
} eols
	[] = {
		{ "", "\r\n" },           { "a", "\r\n" },        { "a\n", "\n" },
		{ "a\r", "\r" },          { "a\r\nb\n", "\r\n" }, { "a\nb\nc\r\n", "\n" },
		{ "a\nb\rc\rd\r", "\n" }, /* CRs are content there */
	};

Test(icaltext, usual_line_end)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(eols); i++) {
		struct icaltext *ical;

		cr_assert(!icaltext_parse(mem, eols[i].text, strlen(eols[i].text), &limits, &ical));
		cr_expect_str_eq(ical->eol, eols[i].eol, "case %zu", i);
	}
	talloc_free(mem);
}

static const struct {
	const char *line, *name, *value;
} params[] = {
	{ "X;TZID=Europe/Berlin:v", "TZID", "Europe/Berlin" },
	{ "X;tzid=Europe/Berlin:v", "TZID", "Europe/Berlin" },
	{ "X;TZID=\"a;b:c,d\";VALUE=DATE:v", "TZID", "a;b:c,d" },
	{ "X;TZID=\"a;b:c,d\";VALUE=DATE:v", "VALUE", "DATE" },
	{ "X;A=\"TZID=no\":v", "TZID", NULL },
	{ "X;TZIDS=1;TZID=2:v", "TZID", "2" },
	{ "X;TZID:v", "TZID", "" },
	{ "X;TZID=:v", "TZID", "" },
	{ "X;TZID=1;TZID=2:v", "TZID", "1" },
	{ "X:v", "TZID", NULL },
	{ "X;CN=\"He said ^'hi^' ^^ ^n^x\":v", "CN", "He said \"hi\" ^ \n^x" },
	{ "X;A=q1,\"q,2\":v", "A", "q1,q,2" },
};

Test(icaltext, parameters)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(params); i++) {
		struct icaltext *ical;
		char *got;

		cr_assert(!icaltext_parse(mem, params[i].line, strlen(params[i].line), &limits,
					  &ical));
		got = icaltext_param(mem, &ical->lines[0], params[i].name);
		cr_expect(got ? params[i].value && !strcmp(got, params[i].value) : !params[i].value,
			  "%s of %s: expected %s, got %s", params[i].name, params[i].line,
			  params[i].value ? params[i].value : "none", got ? got : "none");
	}
	talloc_free(mem);
}

static const struct {
	const char *line, *kept;
} kept_params[] = {
	{ "X:v", "" },
	{ "X;VALUE=DATE:v", "" },
	{ "X;VALUE=DATE;LANGUAGE=de;tzid=\"a;b\";;X-A=\"1:2\",3;VALUES=x:v",
	  ";LANGUAGE=de;X-A=\"1:2\",3;VALUES=x" },
	{ "X;A=1;B=\"2;C=3:v", ";A=1" }, /* a quote that does not close */
};

Test(icaltext, parameters_without)
{
	static const char *const drop[] = { "VALUE", "TZID", NULL };
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(kept_params); i++) {
		struct icaltext *ical;
		const char *line = kept_params[i].line;
		char *got;

		cr_assert(!icaltext_parse(mem, line, strlen(line), &limits, &ical));
		got = icaltext_params_without(mem, &ical->lines[0], drop);
		cr_expect_str_eq(got, kept_params[i].kept, "%s: expected [%s], got [%s]", line,
				 kept_params[i].kept, got);
	}
	talloc_free(mem);
}

/* One edit of each kind on the VTODO of a text. */
static const struct {
	const char *what, *before;
	const char *replace, *replaced; /* property and new line, or NULL */
	const char *remove;             /* property, or NULL */
	const char *insert;             /* new line, or NULL */
	const char *after;
} edits[] = {
	{ "replace", TODO("A:1\r\nB:2\r\nC:3\r\n"), "B", "B:x", NULL, NULL,
	  TODO("A:1\r\nB:x\r\nC:3\r\n") },
	{ "delete", TODO("A:1\r\nB:2\r\n  2\r\nC:3\r\n"), NULL, NULL, "B", NULL,
	  TODO("A:1\r\nC:3\r\n") },
	{ "insert at the end", TODO("A:1\r\n"), NULL, NULL, NULL, "B:2", TODO("A:1\r\nB:2\r\n") },
	{ "insert in front of a sub-component",
	  TODO("A:1\r\nBEGIN:VALARM\r\nA:2\r\nEND:VALARM\r\nC:3\r\n"), NULL, NULL, NULL, "B:2",
	  TODO("A:1\r\nB:2\r\nBEGIN:VALARM\r\nA:2\r\nEND:VALARM\r\nC:3\r\n") },
	{ "behind a sub-component", TODO("BEGIN:VALARM\r\nC:2\r\nEND:VALARM\r\nC:3\r\n"), "C",
	  "C:4", NULL, NULL, TODO("BEGIN:VALARM\r\nC:2\r\nEND:VALARM\r\nC:4\r\n") },
	{ "not behind an open soft break", TODO("A:1\r\nB;QUOTED-PRINTABLE:x=\r\n"), NULL, NULL,
	  NULL, "C:3", TODO("A:1\r\nC:3\r\nB;QUOTED-PRINTABLE:x=\r\n") },
	{ "into nothing", TODO(""), NULL, NULL, NULL, "A:1", TODO("A:1\r\n") },
	{ "all at once", TODO("A:1\r\nB:2\r\nC:3\r\n"), "A", "A:9", "B", "D:4",
	  TODO("A:9\r\nC:3\r\nD:4\r\n") },
	{ "odd folding of others stays", TODO("A:1\r\n 2\r\n\t\r\nB;X\r\n =1:2\r\n"), "A", "A:1",
	  NULL, NULL, TODO("A:1\r\nB;X\r\n =1:2\r\n") },
	{ "the same to the letter stays", TODO("A;X=\"1\":1\r\n 2\r\n\t\r\n"), "A", "A;X=\"1\":12",
	  NULL, NULL, TODO("A;X=\"1\":1\r\n 2\r\n\t\r\n") },
	{ "lf", "BEGIN:VTODO\nA:1\r\nB:2\nEND:VTODO\n", "A", "A:2", NULL, "C:3",
	  "BEGIN:VTODO\nA:2\nB:2\nC:3\nEND:VTODO\n" },
	{ "cr, no end", "BEGIN:VTODO\rA:1\rEND:VTODO", "A", "A:2", NULL, "C:3",
	  "BEGIN:VTODO\rA:2\rC:3\rEND:VTODO" },
	{ "in front of blank lines", "BEGIN:VTODO\n\n\nA:1\n\nEND:VTODO\n", "A", "A:2", NULL, "C:3",
	  "BEGIN:VTODO\n\n\nA:2\n\nC:3\nEND:VTODO\n" },
};

Test(icaltext, edits)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(edits); i++) {
		struct icaltext *ical;
		struct icaltext_edit *edit;
		char *got;
		size_t len;

		cr_assert(!icaltext_parse(mem, edits[i].before, strlen(edits[i].before), &limits,
					  &ical));
		edit = icaltext_edit_new(mem, ical);
		if (edits[i].insert)
			icaltext_insert(edit, 0, edits[i].insert);
		if (edits[i].remove)
			icaltext_delete(edit, icaltext_find(ical, 0, edits[i].remove, NULL));
		if (edits[i].replace)
			icaltext_replace(edit, icaltext_find(ical, 0, edits[i].replace, NULL),
					 edits[i].replaced);
		cr_assert(!icaltext_apply(mem, edit, &limits, &got, &len));
		cr_expect_str_eq(got, edits[i].after, "%s: input [%s], expected [%s], got [%s]",
				 edits[i].what, edits[i].before, edits[i].after, got);
		cr_expect_eq(len, strlen(got));
	}
	talloc_free(mem);
}

Test(icaltext, find_walks_one_component)
{
	static const char text[] = "BEGIN:A\nX:1\nBEGIN:B\nX:2\nEND:B\nx:3\nEND:A\nX:4\n";
	void *mem = talloc_new(NULL);
	const struct icaltext_line *line;
	struct icaltext *ical;

	cr_assert(!icaltext_parse(mem, text, strlen(text), &limits, &ical));
	line = icaltext_find(ical, 0, "X", NULL);
	cr_assert(line);
	cr_expect_str_eq(line->value, "1");
	line = icaltext_find(ical, 0, "X", line);
	cr_assert(line);
	cr_expect_str_eq(line->value, "3");
	cr_expect_null(icaltext_find(ical, 0, "X", line));
	cr_expect_str_eq(icaltext_find(ical, 1, "X", NULL)->value, "2");
	cr_expect_null(icaltext_find(ical, 0, "BEGIN", NULL));
	talloc_free(mem);
}

Test(icaltext, what_cannot_be_read_is_not_written)
{
	void *mem = talloc_new(NULL);
	char *line = talloc_zero_size(mem, 2002), *got = NULL;
	struct icaltext_limits tight = { .text = 40, .line = 2000, .depth = 4 };
	struct icaltext_edit *edit;
	struct icaltext *ical;
	size_t len = 7;

	cr_assert(!icaltext_parse(mem, TODO(""), strlen(TODO("")), &limits, &ical));
	edit = icaltext_edit_new(mem, ical);
	memset(line, 'A', 2001);
	icaltext_insert(edit, 0, line);
	cr_expect(icaltext_apply(mem, edit, &limits, &got, &len));
	edit = icaltext_edit_new(mem, ical);
	icaltext_insert(edit, 0, "SUMMARY:1234567890");
	cr_expect(icaltext_apply(mem, edit, &tight, &got, &len));
	cr_expect(!got && len == 7, "out parameters are untouched on failure");
	talloc_free(mem);
}

/* As libical does: behind the last blank, colon or semicolon; else before the last character that fits
 * into 74 octets, with the blank before a second line not counted. */
static const struct {
	const char *begin, *unit; /* BEGIN, then UNIT repeated to more than 200 octets */
	size_t first, second;     /* octets of the first two lines */
} folds[] = {
	{ "X", "a", 74, 75 },
	{ "X:", "a", 2, 75 },
	{ "XY", "\xC3\xA4", 74, 75 },         /* 2 + 36 * 2; 1 + 37 * 2 */
	{ "XY", "\xE2\x82\xAC", 74, 73 },     /* 2 + 24 * 3; 1 + 24 * 3 */
	{ "XY", "\xF0\x9F\x98\x80", 74, 73 }, /* 2 + 18 * 4; 1 + 18 * 4 */
	{ "X", "\x80", 74, 75 },              /* no UTF-8 at all */
	{ "X:", "word by ", 74, 73 },         /* 2 + 9 * 8; 1 + 9 * 8 */
	{ "X", ";ab", 74, 73 },
};

Test(icaltext, folding)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(folds); i++) {
		struct buf *content = buf_new(mem), *out = buf_new(mem), *back = buf_new(mem);
		const char *second, *third;

		buf_puts(content, folds[i].begin);
		while (content->len < 200)
			buf_puts(content, folds[i].unit);
		icaltext_fold(out, content->data, "\r\n");
		second = strstr(out->data, "\r\n") + 2;
		third = strstr(second, "\r\n") + 2;
		cr_expect_eq((size_t)(second - out->data) - 2, folds[i].first, "case %zu", i);
		cr_expect_eq((size_t)(third - second) - 2, folds[i].second, "case %zu", i);
		for (const char *c = out->data; *c; c++)
			if (strncmp(c, "\r\n ", 3) == 0)
				c += 2;
			else
				buf_putc(back, *c);
		buf_puts(content, "\r\n");
		cr_expect_str_eq(back->data, content->data, "case %zu", i);
	}
	talloc_free(mem);
}

Test(icaltext, lines_that_are_not_folded)
{
	void *mem = talloc_new(NULL);
	struct buf *content = buf_new(mem), *out = buf_new(mem);

	while (content->len < 72)
		buf_putc(content, 'x');
	icaltext_fold(out, content->data, "\n");
	cr_expect_eq(out->len, 73);
	buf_clear(out);
	buf_puts(content, "xxy");
	icaltext_fold(out, content->data, "\n");
	cr_expect_eq(out->len, 78);
	cr_expect_str_eq(out->data + 74, "\n y\n");
	buf_clear(out);
	content->data[10] = ' ';
	content->data[73] = '\0';
	icaltext_fold(out, content->data, "\n");
	cr_expect_eq(strcspn(out->data, "\n"), 11, "as short as that it is cut behind a word");
	talloc_free(mem);
}
