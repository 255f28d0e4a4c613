#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define FFFD "\xef\xbf\xbd"

static void expect_text(const char *what, const char *input, const char *expected, const char *got)
{
	cr_expect(!strcmp(expected, got), "%s of '%s': expected '%s', got '%s'", what, input,
		  expected, got);
}

/* Sequences by RFC 3629 section 4 (UTF8-octets ABNF); the text that comes of them by Unicode 15
 * table 3-8: one U+FFFD per maximal part. */
static const struct {
	const char *bytes;
	size_t n;
	bool good;
	const char *cleaned;
} utf8_rows[] = {
	{ "", 0, true, "" },
	{ "plain", 5, true, "plain" },
	{ "\xc3\xa4", 2, true, "\xc3\xa4" },
	{ "\xe4\xbd\xa0", 3, true, "\xe4\xbd\xa0" },
	{ "\xf0\x9f\x9a\x80", 4, true, "\xf0\x9f\x9a\x80" },
	{ "\xf4\x8f\xbf\xbf", 4, true, "\xf4\x8f\xbf\xbf" }, /* U+10FFFF, the last */
	{ "\xed\x9f\xbf", 3, true, "\xed\x9f\xbf" }, /* U+D7FF, before the surrogates */
	{ "a\0b", 3, false, "a" FFFD "b" }, /* NUL */
	{ "\x80", 1, false, FFFD }, /* a tail alone */
	{ "\xc0\xaf", 2, false, FFFD FFFD }, /* overlong '/' */
	{ "\xe0\x80\xaf", 3, false, FFFD FFFD FFFD }, /* overlong '/' */
	{ "\xf0\x80\x80\xaf", 4, false, FFFD FFFD FFFD FFFD }, /* overlong '/' */
	{ "\xed\xa0\x80", 3, false, FFFD FFFD FFFD }, /* U+D800 */
	{ "\xf4\x90\x80\x80", 4, false, FFFD FFFD FFFD FFFD }, /* U+110000 */
	{ "\xf5\x80\x80\x80", 4, false, FFFD FFFD FFFD FFFD },
	{ "\xff", 1, false, FFFD },
	{ "\xc3", 1, false, FFFD }, /* cut */
	{ "\xe4\xbd", 2, false, FFFD }, /* cut: one part */
	{ "\xf0\x9f\x9a", 3, false, FFFD }, /* cut: one part */
	{ "\xe4\xbd"
	  "A",
	  3, false, FFFD "A" }, /* what follows stays */
	{ "a\xf1\x80\x80\xe1\x80\xc2"
	  "b",
	  8, false, "a" FFFD FFFD FFFD "b" }, /* table 3-8 */
};

Test(text, utf8)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(utf8_rows); i++) {
		const char *cleaned = text_to_utf8(mem, utf8_rows[i].bytes, utf8_rows[i].n);

		cr_expect(text_is_utf8(utf8_rows[i].bytes, utf8_rows[i].n) == utf8_rows[i].good,
			  "row %zu: expected %d", i, utf8_rows[i].good);
		cr_expect(!strcmp(cleaned, utf8_rows[i].cleaned),
			  "row %zu: expected '%s', got '%s'", i, utf8_rows[i].cleaned, cleaned);
		cr_expect(text_is_utf8(cleaned, strlen(cleaned)), "row %zu: cleaned is not clean",
			  i);
	}
	talloc_free(mem);
}

Test(text, every_short_sequence_becomes_utf8)
{
	void *mem = talloc_new(NULL);

	for (unsigned i = 0; i < 0x10000; i++) {
		char bytes[3] = { (char)(i >> 8), (char)i, 'x' };
		char *clean = text_to_utf8(mem, bytes, sizeof bytes);

		cr_assert(text_is_utf8(clean, strlen(clean)), "bytes %04x", i);
		talloc_free(clean);
	}
	talloc_free(mem);
}

Test(text, control_characters_are_replaced)
{
	void *mem = talloc_new(NULL);
	const char *in = "a\tb\r\nc\x01\x1b\x7f\xc2\x9bz";

	expect_text("to_utf8", in, "a\tb\r\nc" FFFD FFFD FFFD FFFD "z",
		    text_to_utf8(mem, in, strlen(in)));
	talloc_free(mem);
}

Test(text, lengths)
{
	const char *text = "a\xc3\xa4\xe4\xbd\xa0\xf0\x9f\x9a\x80"; /* 1 + 2 + 3 + 4 bytes */
	static const size_t by_chars[] = { 0, 1, 3, 6, 10, 10 };
	static const size_t by_bytes[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	cr_expect(text_length("") == 0);
	cr_expect(text_length(text) == 4);
	for (size_t i = 0; i < COUNT_OF(by_chars); i++)
		cr_expect(text_prefix_chars(text, i) == by_chars[i],
			  "chars %zu: expected %zu, got %zu", i, by_chars[i],
			  text_prefix_chars(text, i));
	for (size_t i = 0; i < COUNT_OF(by_bytes); i++)
		cr_expect(text_prefix_bytes(text, i) == by_bytes[i],
			  "bytes %zu: expected %zu, got %zu", i, by_bytes[i],
			  text_prefix_bytes(text, i));
	cr_expect(text_prefix_chars(text, SIZE_MAX) == 10);
	cr_expect(text_prefix_bytes(text, SIZE_MAX) == 10);
}

/* The hashes are `printf %s TEXT | sha256sum | cut -c1-8`. */
static const struct {
	const char *text;
	size_t max;
	const char *slug;
} slug_rows[] = {
	{ "Ship crate", 40, "ship-crate" },
	{ "  --Ship / crate!!  ", 40, "ship-crate" },
	{ "Q3_2026", 40, "q3-2026" },
	{ "M\xc3\xbcller & S\xc3\xb6hne \xe2\x80\x93 Stra\xc3\x9f"
	  "e",
	  40, "muller-sohne-strasse" },
	{ "Mu\xcc\x88ller", 40, "muller" }, /* decomposed */
	{ "\xc3\x86r\xc3\xb8 \xc5\x92uvre \xc3\x9eing \xc5\x81\xc3\xb3"
	  "d\xc5\xba",
	  40, "aero-oeuvre-thing-lodz" },
	{ "D\xe1\xbb\xb1 \xc3\xa1n Vi\xe1\xbb\x87t", 40, "du-an-viet" },
	{ "\xc8\x98tefan \xc4\xb0stanbul \xe1\xba\x9e", 40, "stefan-istanbul-ss" },
	{ "\xe9\xa1\xb9\xe7\x9b\xae", 40, "79f326be" }, /* Chinese */
	{ "\xd9\x85\xd8\xb4\xd8\xb1\xd9\x88\xd8\xb9", 40, "4a2b9a3f" }, /* Arabic */
	{ "\xf0\x9f\x9a\x80 Rocket", 40, "rocket-23a155b0" }, /* emoji */
	{ "Stra\xc3\x9f"
	  "e \xe9\xa1\xb9\xe7\x9b\xae",
	  40, "strasse-2faa935e" }, /* both */
	{ "\xd0\x91\xd0\xbe\xd0\xbb\xd1\x8c\xd1\x88\xd0\xbe\xd0\xb9", 40, "05489fd3" },
	{ "", 40, "e3b0c442" },
	{ "!!!", 40, "e84c538e" },
	{ "!!!", 4, "e84c" },
	{ "Ship crate", 10, "ship-crate" },
	{ "Ship crate", 9, "b343a5ab" },
	{ "Ship crates", 10, "s-ba675dd7" },
	{ "a", 1, "a" },
};

Test(text, slug)
{
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(slug_rows); i++)
		expect_text("slug", slug_rows[i].text, slug_rows[i].slug,
			    text_slug(mem, slug_rows[i].text, slug_rows[i].max));
	talloc_free(mem);
}

Test(text, slug_of_anything_is_short_and_plain)
{
	void *mem = talloc_new(NULL);
	char text[8];

	for (unsigned i = 1; i < 4000; i++) {
		size_t max = i % 24 + 1;
		char *slug;

		for (size_t j = 0; j < sizeof text - 1; j++)
			text[j] = (char)(i * 2654435761u >> (j * 3)); /* any bytes */
		text[sizeof text - 1] = '\0';
		slug = text_slug(mem, text, max);
		cr_assert(*slug && strlen(slug) <= max, "max %zu: '%s'", max, slug);
		cr_assert(strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(slug),
			  "'%s'", slug);
		cr_assert(*slug != '-' && slug[strlen(slug) - 1] != '-' && !strstr(slug, "--"),
			  "'%s'", slug);
		talloc_free(slug);
	}
	talloc_free(mem);
}

Test(text, slug_keeps_lost_names_apart)
{
	void *mem = talloc_new(NULL);
	const char *one = text_slug(mem, "Haus \xe6\x9d\xb1", 40),
		   *two = text_slug(mem, "Haus \xe8\xa5\xbf", 40);

	cr_expect(text_starts(one, "haus-") && text_starts(two, "haus-") && strcmp(one, two) != 0,
		  "'%s' and '%s'", one, two);
	talloc_free(mem);
}

Test(text, lower_starts_ends_equal)
{
	void *mem = talloc_new(NULL);

	expect_text("lower", "AbZ\xc3\x84@", "abz\xc3\x84@", text_lower(mem, "AbZ\xc3\x84@"));
	cr_expect(text_starts("abc", "ab") && text_starts("abc", "") && text_starts("", ""));
	cr_expect(!text_starts("ab", "abc") && !text_starts("abc", "b"));
	cr_expect(text_ends("abc", "bc") && text_ends("abc", "") && text_ends("abc", "abc"));
	cr_expect(!text_ends("bc", "abc") && !text_ends("abc", "b"));
	cr_expect(text_equal_nocase("aBc", "AbC") && text_equal_nocase("", ""));
	cr_expect(!text_equal_nocase("abc", "ab") && !text_equal_nocase("ab", "abc"));
	cr_expect(!text_equal_nocase("[", "{") && !text_equal_nocase("@", "`"));
	cr_expect(text_same(NULL, NULL) && text_same("a", "a"));
	cr_expect(!text_same(NULL, "") && !text_same("", NULL) && !text_same("a", "A"));
	talloc_free(mem);
}

Test(text, to_int)
{
	static const struct {
		const char *text;
		bool good;
		int64_t number;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "007", true, 7 },
		{ "-12", true, -12 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.5", false, 0 },
		{ "0x10", false, 0 },
		{ "--1", false, 0 },
		{ "\xd9\xa1", false, 0 }, /* an Arabic digit */
		{ NULL, false, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t number = 4711;
		bool good = text_to_int(rows[i].text, &number);

		cr_expect(good == rows[i].good && number == (good ? rows[i].number : 4711),
			  "'%s': expected %d %lld, got %d %lld",
			  rows[i].text ? rows[i].text : "NULL", rows[i].good,
			  (long long)rows[i].number, good, (long long)number);
	}
}

Test(text, distance)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "abc", 0 },
		{ "kitten", "sitting", 3 },
		{ "flaw", "lawn", 2 },
		{ "poll", "pol", 1 },
		{ "settle", "setlte", 1 },
		{ "ab", "ba", 1 },
		{ "ca", "abc", 3 },
		{ "Url", "url", 1 },
	};
	char longest[200];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t there = text_distance(rows[i].a, rows[i].b),
		       back = text_distance(rows[i].b, rows[i].a);

		cr_expect(there == rows[i].distance && back == there,
			  "%s, %s: expected %zu, got %zu and %zu", rows[i].a, rows[i].b,
			  rows[i].distance, there, back);
	}
	memset(longest, 'a', sizeof longest);
	longest[64] = '\0';
	cr_expect(text_distance(longest, "a") == 63);
	cr_expect(text_distance(longest, longest) == 0);
	longest[64] = 'a';
	longest[65] = '\0';
	cr_expect(text_distance(longest, "a") == 65);
}

Test(text, glob)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "*@example.com", "ana@EXAMPLE.com", true },
		{ "*@example.com", "ana@example.com.evil", false },
		{ "*@example.com", "@example.com", true },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "a?c",
		  "a\xc3\xa4"
		  "c",
		  true },
		{ "a*b*c", "a-b-b-c", true },
		{ "a*b*c", "a-c-b", false },
		{ "**a", "bba", true },
		{ "a**", "a", true },
		{ "?", "", false },
		{ "a", "", false },
		{ "[a]", "a", false },
		{ "*ab", "aab", true },
		{ "*?x", "x", false },
	};
	char text[5000];

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect(text_glob(rows[i].pattern, rows[i].text) == rows[i].matches,
			  "'%s' on '%s': expected %d", rows[i].pattern, rows[i].text,
			  rows[i].matches);
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	cr_expect(!text_glob("*a*a*a*a*a*a*a*a*a*a*b", text)); /* not exponential: it returns */
}

Test(text, trim)
{
	void *mem = talloc_new(NULL);

	expect_text("trim", " \\t a b\\r\\n ", "a b", text_trim(mem, " \t a b\r\n "));
	expect_text("trim", "blanks", "", text_trim(mem, " \t\n"));
	expect_text("trim", "nothing", "", text_trim(mem, ""));
	cr_expect(text_has_margin(" a") && text_has_margin("a\n") && text_has_margin("\t"));
	cr_expect_not(text_has_margin("a b"));
	cr_expect_not(text_has_margin(""));
	expect_text("trim", "a", "a", text_trim(mem, "a"));
	talloc_free(mem);
}

Test(text, address)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "ana@example.com", true },
		{ "a@b", true },
		{ "Ana.Silva+tag_1%x=y-z@mail-1.example.com", true },
		{ "m\xc3\xbcller@ex\xc3\xa4mple.de", true },
		{ "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf\xe5\x91\x8a",
		  true },
		{ "", false },
		{ "@", false },
		{ "ana", false },
		{ "@example.com", false },
		{ "ana@", false },
		{ "a@b@c", false },
		{ "-ana@example.com", false },
		{ ".ana@example.com", false },
		{ "ana.@example.com", false },
		{ "ana@-example.com", false },
		{ "ana@.example.com", false },
		{ "ana@example.com.", false },
		{ "a..b@example.com", false },
		{ "ana@example..com", false },
		{ "../../etc@example.com", false },
		{ "a/b@example.com", false },
		{ "a\\b@example.com", false },
		{ "a*@example.com", false },
		{ "a b@example.com", false },
		{ "a\tb@example.com", false },
		{ "a\nb@example.com", false },
		{ "a;rm@example.com", false },
		{ "$(id)@example.com", false },
		{ "`id`@example.com", false },
		{ "a&b@example.com", false },
		{ "a|b@example.com", false },
		{ "\"a b\"@example.com", false },
		{ "ana@[127.0.0.1]", false },
		{ "ana@ex%61mple.com", false },
		{ "ana@example.com:80", false },
		{ "a\xe2\x88\x95"
		  "b@example.com",
		  false }, /* U+2215, looks like a slash */
		{ "a\xef\xbc\x8f"
		  "b@example.com",
		  false }, /* U+FF0F, fullwidth slash */
		{ "a\xe2\x80\xae"
		  "b@example.com",
		  false }, /* U+202E, turns the direction */
		{ "a\xe2\x80\x8b"
		  "b@example.com",
		  false }, /* U+200B, invisible */
		{ "a\xc2\xa0"
		  "b@example.com",
		  false }, /* U+00A0, a blank */
		{ "\xf0\x9f\x9a\x80@example.com", false },
		{ "mu\xcc\x88ller@example.com", false }, /* decomposed */
		{ "m\xfcller@example.com", false }, /* Latin-1 */
		{ NULL, false },
	};
	char text[300];

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect(text_is_address(rows[i].text) == rows[i].good, "'%s': expected %d",
			  rows[i].text ? rows[i].text : "NULL", rows[i].good);
	memset(text, 'a', sizeof text);
	memcpy(text + 242, "@example.com", 13); /* 254 bytes */
	cr_expect(text_is_address(text));
	memcpy(text + 242, "a@example.com", 14);
	cr_expect(!text_is_address(text));
}

Test(text, one_line)
{
	void *mem = talloc_new(NULL);
	static const struct {
		const char *text;
		size_t chars;
		const char *line;
	} rows[] = {
		{ "", 5, "" },
		{ "abc", 3, "abc" },
		{ "abcd", 3, "ab\xe2\x80\xa6" },
		{ "abcd", 1, "\xe2\x80\xa6" },
		{ "abcd", 0, "" },
		{ "", 0, "" },
		{ "a\nb\r\nc\td", 20, "a b  c d" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc", 3, "\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3, "\xc3\xa4\xc3\xb6\xe2\x80\xa6" },
		{ "a\x1b[31mb", 20, "a [31mb" },
		{ "a\xc2\x9b"
		  "b\xe2\x80\xa8"
		  "c\xe2\x80\xae"
		  "d",
		  20, "a b c d" },
		{ "a\xff"
		  "b",
		  20, "a" FFFD "b" },
		{ "long", SIZE_MAX, "long" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text("one_line", rows[i].text, rows[i].line,
			    text_one_line(mem, rows[i].text, rows[i].chars));
	talloc_free(mem);
}

/* Every byte at every place, also across the eight that are looked at together. */
Test(text, printable)
{
	char bytes[19];

	for (size_t at = 0; at < sizeof bytes; at++)
		for (int c = 0; c < 256; c++) {
			bool plain = c >= ' ' && c <= '~';

			memset(bytes, '~', sizeof bytes);
			bytes[at] = (char)c;
			cr_expect_eq(text_printable(bytes, sizeof bytes), plain ? sizeof bytes : at,
				     "byte %d at %zu", c, at);
		}
	cr_expect_eq(text_printable("", 0), 0);
}

Test(text, put_together)
{
	static const struct {
		int64_t number;
		unsigned digits;
		const char *text;
	} numbers[] = {
		{ 0, 0, "0" },
		{ 7, 2, "07" },
		{ 2026, 2, "2026" },
		{ -5, 0, "-5" },
		{ INT64_MAX, 0, "9223372036854775807" },
		{ INT64_MIN, 0, "-9223372036854775808" },
		{ 1, 20, "00000000000000000001" },
	};
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct buf *buf = buf_new_sized(mem, 0);

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		buf_clear(buf);
		buf_number(buf, numbers[i].number, numbers[i].digits);
		cr_expect_str_eq(buf->data, numbers[i].text);
	}
	buf_clear(buf);
	buf_join(buf, "a", "", "bc", NULL);
	for (int i = 0; i < 300; i++)
		buf_printf(buf, "%c%d", 'd', i % 10);
	cr_expect_eq(buf->len, 603);
	cr_expect_eq(strlen(buf->data), buf->len);
	cr_expect_str_eq(buf->data + buf->len - 4, "d8d9");
	cr_expect_str_eq(mem_join(mem, "x", "", "yz", NULL), "xyz");
	cr_expect_str_eq(mem_join(mem, "", NULL), "");
	talloc_free(mem);
}
