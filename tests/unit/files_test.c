/* Attachments as values, their names, base64, and what an item has room for. */
#include "config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "decide/shown.h"
#include "model/files.h"
#include "model/vector.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LINE_A A " 100 text/plain a.txt"
#define LINE_B B " 2000 - b c.bin"
#define LINK "https://x.example/q?a=b - - q"

static TALLOC_CTX *mem;

static void set_up(void)
{
	mem = talloc_new(NULL);
}

static void tear_down(void)
{
	talloc_free(mem);
}

TestSuite(files, .init = set_up, .fini = tear_down);

static void expect_text(const char *label, const char *actual, const char *expected)
{
	cr_expect(text_same(actual, expected), "%s: expected %s, actual %s", label,
		  expected ? expected : "nothing", actual ? actual : "nothing");
}

Test(files, values)
{
	static const struct {
		const char *label, *text;
		bool valid;
		const char *canonical;
	} cases[] = {
		{ "one", LINE_A, true, LINE_A },
		{ "by name", LINK "\n" LINE_B "\n" LINE_A, true, LINE_A "\n" LINE_B "\n" LINK },
		{ "the same bytes once", LINE_A "\n" A " 100 - other", true, LINE_A },
		{ "no digest", "zz 100 - a", false, NULL },
		{ "short digest", "aaaa 100 - a", false, NULL },
		{ "no size", A " - - a", false, NULL },
		{ "negative", A " -1 - a", false, NULL },
		{ "no name", A " 1 -", false, NULL },
		{ "empty name", A " 1 - ", false, NULL },
		{ "no such scheme", "javascript:alert(1) - - a", false, NULL },
		{ "not UTF-8", A " 1 - \xff", false, NULL },
		{ "a bad line among good ones", LINE_A "\nrubbish\n" LINE_B, false,
		  LINE_A "\n" LINE_B },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cr_expect_eq(files_valid(cases[i].text), cases[i].valid, "%s", cases[i].label);
		if (!strstr(cases[i].text, "\xff"))
			expect_text(cases[i].label,
				    files_write(mem, files_read(mem, cases[i].text)),
				    cases[i].canonical);
	}
	expect_text("none", files_write(mem, files_read(mem, NULL)), NULL);
}

Test(files, sets)
{
	expect_text("join", files_join(mem, LINE_A, LINE_B), LINE_A "\n" LINE_B);
	expect_text("join keeps the first", files_join(mem, LINE_A, A " 100 - z\n" LINK),
		    LINE_A "\n" LINK);
	expect_text("join nothing", files_join(mem, NULL, NULL), NULL);
	expect_text("without", files_without(mem, LINE_A "\n" LINE_B, A " 1 - z"), LINE_B);
	expect_text("without all", files_without(mem, LINE_A, LINE_A), NULL);
	expect_text("common", files_common(mem, LINE_A "\n" LINK, LINK "\n" LINE_B), LINK);
	cr_expect_eq(files_total(LINE_A "\n" LINE_B "\n" LINK), 2100);
}

Test(files, values_are_compared_by_contents)
{
	struct vector *a = vector_new(mem), *b = vector_new(mem);
	const struct value *x = &a->value[FIELD_attachments], *y = &b->value[FIELD_attachments];

	vector_text(a, FIELD_attachments, LINE_A "\n" LINK);
	vector_text(b, FIELD_attachments, LINK "\n" A " 100 application/pdf renamed.pdf");
	cr_expect(value_same(FIELD_attachments, x, y));
	cr_expect_not(value_identical(FIELD_attachments, x, y));
	vector_text(b, FIELD_attachments, LINE_A);
	cr_expect_not(value_same(FIELD_attachments, x, y));
	vector_clear(a, FIELD_attachments);
	vector_text(b, FIELD_attachments, NULL);
	cr_expect(value_same(FIELD_attachments, x, y));
}

Test(files, names_of_others)
{
	static const struct {
		const char *given, *name;
	} cases[] = {
		{ "report.pdf", "report.pdf" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\Users\\ana\\plan.doc", "plan.doc" },
		{ "/", "attachment" },
		{ "", "attachment" },
		{ NULL, "attachment" },
		{ "...", "attachment" },
		{ ".profile", "profile" },
		{ "-rf", "rf" },
		{ "a\nb\x1b[2J.txt", "a b\xef\xbf\xbd[2J.txt" },
		{ "a:b*c?.txt", "a_b_c_.txt" },
		{ "Übersicht 1.ods", "Übersicht 1.ods" },
		{ "  blank  ", "blank" },
		{ "\xff\xfe.txt", "\xef\xbf\xbd\xef\xbf\xbd.txt" },
	};
	char *longest = mem_strdup(mem, "");

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_text(cases[i].given ? cases[i].given : "NULL",
			    files_name(mem, cases[i].given), cases[i].name);
	for (int i = 0; i < 500; i++)
		longest = mem_printf(mem, "%s\u00fc", longest);
	longest = files_name(mem, mem_printf(mem, "%s.pdf", longest));
	cr_expect_leq(strlen(longest), FILES_NAME_MAX);
	cr_expect(text_is_utf8(longest, strlen(longest)));
}

Test(files, types_links_and_sizes)
{
	expect_text("upper case", files_type(mem, "Text/PLAIN; charset=utf-8"), "text/plain");
	expect_text("no type", files_type(mem, "rubbish"), NULL);
	expect_text("no subtype", files_type(mem, "text/"), NULL);
	expect_text("a blank", files_type(mem, "text/pl ain"), "text/pl");
	expect_text("of a name", files_type_of_name("x.PDF"), "application/pdf");
	expect_text("of no name", files_type_of_name("x"), "application/octet-stream");
	cr_expect(files_is_link("HTTPS://x.example/"));
	cr_expect_not(files_is_link("https:"));
	cr_expect_not(files_is_link("httpsx://a"));
	cr_expect_not(files_is_link("cid:a@b"));
	cr_expect_not(files_is_link("data:text/plain,a"));
	cr_expect_not(files_is_link("http://a b"));
	cr_expect_not(files_is_link(""));
	expect_text("bytes", files_size_text(mem, 999), "999 bytes");
	expect_text("kB", files_size_text(mem, 1500), "2 kB");
	expect_text("MB", files_size_text(mem, 3100000), "3.1 MB");
	expect_text("many MB", files_size_text(mem, 26214400), "26 MB");
}

Test(files, base64)
{
	static const struct {
		const char *text, *bytes; /* NULL: refused */
	} cases[] = {
		{ "", "" },           { "Zg==", "f" },        { "Zm8=", "fo" },
		{ "Zm9v", "foo" },    { "Zm9vYg==", "foob" }, { "Zm9v\r\n Ymc", "foobg" },
		{ "Zm8", "fo" },      { "Z", NULL },          { "Zm9v!", NULL },
		{ "Zg==Zg==", NULL }, { "Zg===", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *bytes = NULL;
		size_t len = 0;
		bool good = base64_decode(mem, cases[i].text, strlen(cases[i].text), &bytes, &len);

		cr_expect_eq(good, cases[i].bytes != NULL, "%s", cases[i].text);
		if (good)
			expect_text(cases[i].text, bytes, cases[i].bytes);
	}
	for (size_t len = 0; len < 300; len++) {
		char in[300], *out = NULL;
		struct buf *text = buf_new(mem);
		size_t out_len = 0;

		for (size_t i = 0; i < len; i++)
			in[i] = (char)(i * 7 + len);
		base64_encode(text, in, len);
		cr_assert(base64_decode(mem, text->data, text->len, &out, &out_len));
		cr_expect(out_len == len && !memcmp(in, out, len), "%zu bytes", len);
	}
}

/* What an item has room for. */
Test(files, shown)
{
	static const struct shown_room managed = { .managed = true },
				       small = { .inline_max = 100 },
				       large = { .inline_max = 5000 };
	static const struct {
		const char *label, *value, *there;
		const struct shown_room *room;
		const char *shown;
	} cases[] = {
		{ "any room", LINE_A "\n" LINE_B, NULL, NULL, LINE_A "\n" LINE_B },
		{ "the small one and the link", LINE_A "\n" LINE_B "\n" LINK, NULL, &small,
		  LINE_A "\n" LINK },
		{ "both fit", LINE_A "\n" LINE_B, NULL, &large, LINE_A "\n" LINE_B },
		{ "what stands there stays", LINE_A "\n" LINE_B, LINE_B, &small,
		  LINE_A "\n" LINE_B },
		{ "what stands there and is not the project's", LINE_A, LINE_B, &small, LINE_A },
		{ "not uploaded yet", LINE_A "\n" LINK, NULL, &managed, LINK },
		{ "uploaded", LINE_A "\n" LINE_B, LINE_B, &managed, LINE_B },
		{ "nothing", NULL, LINE_B, &large, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_text(cases[i].label,
			    shown_files(mem, cases[i].value, cases[i].there, cases[i].room),
			    cases[i].shown);
}

Test(files, shown_has_an_end)
{
	struct shown_room room = { .inline_max = 200 << 10 };
	struct buf *value = buf_new(mem);

	for (int i = 0; i < 5; i++) {
		char digest[65];

		memset(digest, 'a' + i, 64);
		digest[64] = '\0';
		buf_printf(value, "%s%s %d - f%d", i ? "\n" : "", digest, 200 << 10, i);
	}
	cr_expect_leq(files_total(shown_files(mem, value->data, NULL, &room)), SHOWN_INLINE_TOTAL);
	cr_expect_not_null(shown_files(mem, value->data, NULL, &room));
	/* what stands there counts first, wherever it is in the list */
	cr_expect_str_eq(shown_files(mem, LINE_A "\n" B " 600000 - b", B " 600000 - b", &room),
			 B " 600000 - b");
}
