#include "config.h"

#include <criterion/criterion.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/imap/imap_name.h"

static const char *shown(const char *text)
{
	return text ? text : "(null)";
}

/* ---- modified UTF-7 ---- */

static const struct {
	const char *utf8, *mutf7;
} names[] = {
	{ "", "" },
	{ "INBOX", "INBOX" },
	{ "a&b", "a&-b" },
	{ "&", "&-" },
	{ "&&", "&-&-" },
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	  "~peter/mail/&U,BTFw-/&ZeVnLIqe-" }, /* RFC 3501 section 5.1.3 */
	{ "\xc3\xa4", "&AOQ-" },
	{ "\xc3\xa4\xc3\xb6", "&AOQA9g-" },
	{ "\xc3\xa4&\xc3\xb6", "&AOQ-&-&APY-" },
	{ "\xc3\xa4-", "&AOQ--" },
	{ "\xf0\x9f\x9a\xa2 ship", "&2D3eog- ship" },
	{ "https:\xe2\x88\x95\xe2\x88\x95pm", "https:&IhUiFQ-pm" },
	{ "\xef\xbf\xbf", "&,,8-" },
	{ "\xf4\x8f\xbf\xbf", "&2,,f,w-" },
};

Test(imap_name, modified_utf7_both_ways)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *encoded = imap_name_encode(mem, names[i].utf8),
		     *decoded = imap_name_decode(mem, names[i].mutf7);

		cr_expect(text_same(encoded, names[i].mutf7), "encode %s: expected %s, actual %s",
			  names[i].utf8, names[i].mutf7, shown(encoded));
		cr_expect(text_same(decoded, names[i].utf8), "decode %s: expected %s, actual %s",
			  names[i].mutf7, names[i].utf8, shown(decoded));
		talloc_free(mem);
	}
}

static const char *const not_names[] = {
	"a\tb", "a\nb", "\x1f", "\x7f", "\xc2\x85", "\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80",
};

Test(imap_name, what_is_no_text_has_no_name)
{
	for (size_t i = 0; i < COUNT_OF(not_names); i++) {
		char *encoded = imap_name_encode(NULL, not_names[i]);

		cr_expect_null(encoded, "case %zu: expected NULL, actual %s", i, shown(encoded));
		talloc_free(encoded);
	}
}

static const char *const not_strict[] = {
	"&",          "a&",       "&AOQ",     "&AOQ a", /* no end */
	"&AGE-",      "&AGEA5A-",                       /* printable ASCII inside */
	"&AOQ-&APY-",                                   /* two where one would do */
	"&AOR-",      "&AOQA-",   "&AOQAAA-",           /* bits left over */
	"&A-",        "&AA-",                           /* not even one unit */
	"&AAA-",      "&AAk-",    "&AIU-",              /* control characters */
	"&2D0-",      "&3qI-",    "&2D3YPQ-",           /* half a pair */
	"&2D0A5A-",                                     /* half a pair, then another character */
	"&AO/-",      "&AO=-",    "&A OQ-",             /* not of its base64 */
	"\xc3\xa4",   "a\xff",    "a\tb",               /* raw */
};

Test(imap_name, only_the_canonical_form_is_read)
{
	for (size_t i = 0; i < COUNT_OF(not_strict); i++) {
		char *decoded = imap_name_decode(NULL, not_strict[i]);

		cr_expect_null(decoded, "%s: expected NULL, actual %s", not_strict[i],
			       shown(decoded));
		talloc_free(decoded);
	}
}

/* ---- another implementation as witness ---- */

static char *convert(TALLOC_CTX *mem, const char *to, const char *from, const char *text)
{
	iconv_t converter = iconv_open(to, from);
	char out[4096], *in = mem_strdup(mem, text), *at = out;
	size_t in_left = strlen(text), out_left = sizeof out - 1;

	if (converter == (iconv_t)-1)
		cr_skip_test("this iconv does not know %s or %s", to, from);
	cr_assert_eq(iconv(converter, &in, &in_left, &at, &out_left), 0, "iconv: %s", text);
	cr_assert_eq(iconv(converter, NULL, NULL, &at, &out_left), 0, "iconv, end: %s", text);
	iconv_close(converter);
	*at = '\0';
	return mem_strdup(mem, out);
}

static void put_random_character(struct buf *out)
{
	static const char *const pool[] = { "a",
					    "Z",
					    "0",
					    " ",
					    "&",
					    "-",
					    "+",
					    ",",
					    "/",
					    "~",
					    "\"",
					    "\xc2\xa0",
					    "\xc3\xa4",
					    "\xce\xa9",
					    "\xd0\xb6",
					    "\xe2\x88\x95",
					    "\xe4\xbb\xbb",
					    "\xef\xbf\xbd",
					    "\xf0\x9f\x9a\xa2",
					    "\xf3\xa0\x84\x80" };

	buf_puts(out, pool[(size_t)rand() % COUNT_OF(pool)]);
}

Test(imap_name, iconv_says_the_same)
{
	srand(20261121);
	for (int i = 0; i < 3000; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct buf *text = buf_new(mem);
		char *encoded, *expected, *decoded;

		for (int n = rand() % 40; n > 0; n--)
			put_random_character(text);
		encoded = imap_name_encode(mem, text->data);
		expected = convert(mem, "UTF-7-IMAP", "UTF-8", text->data);
		cr_assert(text_same(encoded, expected), "%s: expected %s, actual %s", text->data,
			  expected, shown(encoded));
		decoded = imap_name_decode(mem, expected);
		cr_assert(text_same(decoded, text->data), "%s: expected %s, actual %s", expected,
			  text->data, shown(decoded));
		talloc_free(mem);
	}
}

/* Whatever the bytes: what is decoded is text, and encodes to the same bytes. */
Test(imap_name, random_bytes_are_read_strictly_or_not_at_all)
{
	static const char digits[] = "&-ABQODUw09+,/ ";

	srand(20261122);
	for (int i = 0; i < 20000; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char bytes[13], *decoded, *again;
		size_t n = (size_t)rand() % sizeof bytes;

		for (size_t j = 0; j < n; j++)
			bytes[j] = digits[(size_t)rand() % (sizeof digits - 1)];
		bytes[n] = '\0';
		decoded = imap_name_decode(mem, bytes);
		again = decoded ? imap_name_encode(mem, decoded) : NULL;
		cr_assert(!decoded || text_same(again, bytes), "%s: expected the same, actual %s",
			  bytes, shown(again));
		talloc_free(mem);
	}
}

/* ---- levels ---- */

#define SLASH "\xe2\x88\x95"
#define DOT "\xe2\x80\xa4"

static const struct {
	const char *text, *suffix, *level;
} levels[] = {
	{ "https://pm.example.com/web", NULL,
	  "https:" SLASH SLASH "pm" DOT "example" DOT "com" SLASH "web" },
	{ "Ship crate", NULL, "Ship crate" },
	{ "Az09_@:+=#?&-", NULL, "Az09_@:+=#?&-" },
	{ "100%", NULL, "100\xd9\xaa" },
	{ "a*b", NULL,
	  "a\xe2\x88\x97"
	  "b" },
	{ "a\\b", NULL,
	  "a\xe2\x88\x96"
	  "b" },
	{ "\"q\"", NULL, "\xe2\x80\x9dq\xe2\x80\x9d" },
	{ "a|b", NULL,
	  "a\xe2\x88\xa3"
	  "b" },
	{ "<x>", NULL, "\xe2\x80\xb9x\xe2\x80\xba" },
	{ "~t", NULL, "\xe2\x88\xbct" },
	{ "(a)!", NULL,
	  "\xef\xbc\x88"
	  "a\xef\xbc\x89\xef\xbc\x81" },
	{ "a,b;c'd`e^f$g[h]i{j}k", NULL,
	  "a\xef\xbc\x8c"
	  "b\xef\xbc\x9b"
	  "c\xef\xbc\x87"
	  "d\xef\xbd\x80"
	  "e\xef\xbc\xbe"
	  "f\xef\xbc\x84g\xef\xbc\xbbh\xef\xbc\xbdi\xef\xbd\x9bj\xef\xbd\x9dk" },
	{ "..", NULL, DOT DOT },
	{ ".hid", NULL, DOT "hid" },
	{ "a\tb\r\nc\x7f", NULL, "a_b__c_" },
	{ "  a   b  ", NULL, "a b" },
	{ "a \xe2\x80\x8f b", NULL, "a b" },
	{ "\xe2\x80\xae"
	  "evil\xe2\x81\xa6",
	  NULL, "evil" },
	{ "a\xff"
	  "b",
	  NULL,
	  "a\xef\xbf\xbd"
	  "b" },
	{ "a\xe2\x80\xa8"
	  "b",
	  NULL, "a_b" },
	{ "\xe4\xbb\xbb\xe5\x8a\xa1 \xc3\xa9", NULL, "\xe4\xbb\xbb\xe5\x8a\xa1 \xc3\xa9" },
	{ "", NULL, "_" },
	{ "   ", NULL, "_" },
	{ "\xe2\x80\x8e", NULL, "_" },
	{ "INBOX", NULL, "INBOX_" },
	{ "iNboX", NULL, "iNboX_" },
	{ "INBOX2", NULL, "INBOX2" },
	{ "cur", NULL, "cur_" },
	{ "New", NULL, "New_" },
	{ "tmp", "1",
	  "tmp_ \xef\xbc\x88"
	  "1\xef\xbc\x89" },
	{ "dbox-mails", NULL, "dbox-mails_" },
	{ "Crate", "3fa9",
	  "Crate \xef\xbc\x88"
	  "3fa9\xef\xbc\x89" },
	{ "", "1",
	  "_ \xef\xbc\x88"
	  "1\xef\xbc\x89" },
};

Test(imap_name, levels_look_like_what_they_stand_for)
{
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *level = imap_name_level(mem, levels[i].text, levels[i].suffix);

		cr_expect_str_eq(level, levels[i].level, "%s: expected %s, actual %s",
				 levels[i].text, levels[i].level, level);
		talloc_free(mem);
	}
}

static char *repeated(TALLOC_CTX *mem, const char *unit, size_t n)
{
	struct buf *out = buf_new(mem);

	while (n--)
		buf_puts(out, unit);
	return buf_steal(&out, mem, NULL);
}

static const char *const units[] = {
	"a",         "&",    "/", ".", "x ", "\xc3\xa4", "\xe4\xbb\xbb", "\xf0\x9f\x9a\xa2",
	"\xc3\xa4x", "\xff", "%&"
};

Test(imap_name, long_levels_are_cut_and_stay_different)
{
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		for (size_t n = 1; n <= 130; n++) {
			TALLOC_CTX *mem = MEM_CONTEXT(NULL);
			char *text = repeated(mem, units[i], n);
			char *more = mem_printf(mem, "%s%s", text, units[i]);
			char *level = imap_name_level(mem, text, "12ab"),
			     *other = imap_name_level(mem, more, "12ab"),
			     *encoded = imap_name_encode(mem, level);

			cr_assert_not_null(encoded, "not UTF-8: %s", level);
			cr_assert_leq(strlen(encoded), IMAP_NAME_COMPONENT_MAX, "%zu bytes: %s",
				      strlen(encoded), encoded);
			cr_assert_leq(strlen(level), IMAP_NAME_COMPONENT_MAX, "%zu bytes: %s",
				      strlen(level), level);
			cr_assert(text_ends(level, "\xef\xbc\x88"
						   "12ab\xef\xbc\x89"),
				  "the suffix is cut: %s", level);
			cr_assert_str_neq(level, other, "two names, one level: %s", level);
			talloc_free(mem);
		}
	}
}

/* ---- mailboxes ---- */

static const struct {
	const char *prefix;
	char delimiter;
	const char *top, *sub, *name, *parent;
} joins[] = {
	{ "", '/', "site", "project", "site/project", "site" },
	{ "", '.', "site", "project", "site.project", "site" },
	{ "INBOX.", '.', "site", "project", "INBOX.site.project", "INBOX.site" },
	{ "", '\0', "site", "project", "site - project", NULL },
	{ "", ':', "https:x", "a:b", "https_x:a_b", "https_x" },
	{ "", '_', "a_b", "c", "a-b_c", "a-b" },
};

Test(imap_name, mailboxes_have_the_servers_delimiter)
{
	for (size_t i = 0; i < COUNT_OF(joins); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *name = imap_name_join(mem, joins[i].prefix, joins[i].delimiter, joins[i].top,
					    joins[i].sub);
		char *parent =
			imap_name_parent(mem, joins[i].prefix, joins[i].delimiter, joins[i].top);

		cr_expect_str_eq(name, joins[i].name, "expected %s, actual %s", joins[i].name,
				 name);
		cr_expect(text_same(parent, joins[i].parent), "expected %s, actual %s",
			  shown(joins[i].parent), shown(parent));
		talloc_free(mem);
	}
}
