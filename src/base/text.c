#include "config.h"

#include "base/text.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

/* Everything here reads UTF-8 through one decoder, utf8_read(), that never trusts its input: what
 * is ill-formed comes out as one U+FFFD per maximal part (Unicode 15, section 3.9), so the length
 * of a loop is bounded by the bytes. Nothing depends on the locale: the same text gives the same
 * slug on every machine.
 */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */
#define ADDRESS_MAX 254 /* bytes: RFC 5321 section 4.5.3.1.3, less the angle brackets */
#define DISTANCE_MAX 64 /* bytes of a word that is compared: key and command names are shorter */
#define SLUG_HASH 8 /* hex digits: 32 bits part the few names of one site */

/* One code point at TEXT, N > 0 bytes: its length, and its value or -1 when the bytes are
 * ill-formed. */
static size_t utf8_read(const char *text, size_t n, int32_t *code_r)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t want = s[0] < 0x80 ? 0 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	unsigned char low = 0x80,
		      high = 0xbf; /* of the second byte: no overlong form, surrogate, > U+10FFFF */
	int32_t code = want ? s[0] & (0x3f >> want) : s[0];
	size_t i;

	*code_r = -1;
	if (want && (s[0] < 0xc2 || s[0] > 0xf4))
		return 1;
	low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
	high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
	for (i = 1; i <= want; i++) {
		if (i == n || s[i] < low || s[i] > high)
			return i;
		code = code << 6 | (s[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*code_r = code;
	return i;
}

static bool is_control(int32_t code)
{
	return (code >= 0 && code < 0x20) || (code >= 0x7f && code < 0xa0);
}

bool text_is_utf8(const char *text, size_t n)
{
	int32_t code;

	for (size_t i = text_printable(text, n); i < n; i += text_printable(text + i, n - i)) {
		i += utf8_read(text + i, n - i, &code);
		if (code <= 0)
			return false;
	}
	return true;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Eight bytes at a time, the first one lowest. The first high bit that is set tells the first byte
 * that is none; those behind it may tell a carry. */
size_t text_printable(const char *text, size_t n)
{
	size_t i = 0;
	uint64_t bytes, odd;

	for (; i + sizeof bytes <= n; i += sizeof bytes) {
		memcpy(&bytes, text + i, sizeof bytes);
		bytes = le64toh(bytes);
		odd = bytes | (bytes + EACH_BYTE) | (bytes - EACH_BYTE * ' ');
		odd &= EACH_BYTE * 0x80;
		if (odd)
			return i + (size_t)__builtin_ctzll(odd) / 8;
	}
	while (i < n && text[i] >= ' ' && text[i] <= '~')
		i++;
	return i;
}

/* How many of the first N bytes are characters that stay as they are, without a closer look. */
static size_t plain_run(const char *text, size_t n)
{
	size_t i = text_printable(text, n);

	while (i < n && (text[i] == '\r' || text[i] == '\n'))
		i += 1 + text_printable(text + i + 1, n - i - 1);
	return i;
}

/* How many of the first N bytes text_to_utf8() leaves as they are. */
static size_t clean_run(const char *text, size_t n)
{
	size_t i, len;

	for (i = plain_run(text, n); i < n; i += len + plain_run(text + i + len, n - i - len)) {
		int32_t code;

		len = utf8_read(text + i, n - i, &code);
		if (code < 0 || (is_control(code) && code != '\t'))
			break;
	}
	return i;
}

bool text_is_clean(const char *text, size_t n)
{
	return clean_run(text, n) == n;
}

char *text_to_utf8(TALLOC_CTX *mem, const char *text, size_t n)
{
	size_t clean = clean_run(text, n);
	struct buf *buf;
	int32_t code;

	if (clean == n)
		return mem_bytes(mem, text, n);
	buf = buf_new_sized(mem, n + sizeof REPLACEMENT);
	for (size_t i = 0; i < n; clean = clean_run(text + i, n - i)) {
		buf_add(buf, text + i, clean);
		i += clean;
		if (i == n)
			break;
		buf_puts(buf, REPLACEMENT);
		i += utf8_read(text + i, n - i, &code);
	}
	return buf_steal(&buf, mem, NULL);
}

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_length(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += !is_tail(*text);
	return count;
}

size_t text_prefix_chars(const char *text, size_t chars)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (!is_tail(text[i]) && chars-- == 0)
			break;
	return i;
}

size_t text_prefix_bytes(const char *text, size_t bytes)
{
	size_t n = strnlen(text, bytes);

	if (n < bytes)
		return n;
	while (n > 0 && is_tail(text[n]))
		n--;
	return n;
}

/* The Latin letters from U+00C0 and from U+1E00 on, without case and marks: a letter, the index
 * of a pair, or '.' for what has no plain form. */
/* clang-format off */
static const char fold_low[] =
	"aaaaaa1ceeeeiiiidnooooo.ouuuuy32aaaaaa1ceeeeiiiidnooooo.ouuuuy3y" /* U+00C0 */
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii55jjkkklllllll" /* U+0100 */
	"lllnnnnnnnnnoooooo44rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" /* U+0140 */
	"b................ff.............oo.............uu..............." /* U+0180 */
	".............aaiioouuuuuuuuuu.aaaa11..ggkkoooo..j...gg..nnaa11oo" /* U+01C0 */
	"aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............" /* U+0200 */;
static const char fold_high[] =
	"aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm" /* U+1E00 */
	"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv" /* U+1E40 */
	"wwwwwwwwwwxxxxyyzzzzzzhtwy.s..2.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee" /* U+1E80 */
	"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......" /* U+1EC0 */;
/* clang-format on */
static const char *const fold_pairs[] = { "", "ae", "ss", "th", "oe", "ij" };
_Static_assert(sizeof fold_low == 0x180 + 1 && sizeof fold_high == 0x100 + 1,
	       "one character per code point");

/* Adds the plain form of a letter or digit; false if the code point has none. */
static bool fold_add(struct buf *slug, int32_t code)
{
	char c = '.';

	if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9'))
		c = (char)code;
	else if (code >= 'A' && code <= 'Z')
		c = (char)(code - 'A' + 'a');
	else if (code >= 0xc0 && code < 0xc0 + 0x180)
		c = fold_low[code - 0xc0];
	else if (code >= 0x1e00 && code < 0x1e00 + 0x100)
		c = fold_high[code - 0x1e00];
	if (c == '.')
		return false;
	if (code > 0x7f && c < 'a')
		buf_puts(slug, fold_pairs[c - '0']);
	else
		buf_putc(slug, c);
	return true;
}

/* Punctuation and blanks, whose loss does not make two names one: ASCII, Latin-1, general
 * punctuation. */
static bool is_separator(int32_t code)
{
	return (code >= 0 && code < 0xa2) || code == 0xa7 || code == 0xab || code == 0xad ||
	       code == 0xb6 || code == 0xb7 || code == 0xbb || code == 0xbf ||
	       (code >= 0x2000 && code < 0x2070);
}

/* The letters of TEXT with single '-' between them; *LOST_R when something other than
 * punctuation fell away. */
static void slug_letters(struct buf *slug, const char *text, bool *lost_r)
{
	size_t n = strlen(text), len;
	bool gap = false;

	for (size_t i = 0; i < n; i += len) {
		int32_t code;
		size_t before = slug->len;

		len = utf8_read(text + i, n - i, &code);
		if (code >= 0x300 && code < 0x370)
			continue; /* a combining mark: a decomposed letter gives the same slug */
		if (gap && before)
			buf_putc(slug, '-');
		if (fold_add(slug, code)) {
			gap = false;
			continue;
		}
		slug->data[slug->len = before] = '\0';
		gap = true;
		*lost_r = *lost_r || !is_separator(code);
	}
}

char *text_slug(TALLOC_CTX *mem, const char *text, size_t max)
{
	struct buf *slug = buf_new(mem);
	bool lost = false;
	size_t room;
	char *hash;

	assert(max > 0);
	slug_letters(slug, text, &lost);
	if (slug->len && slug->len <= max && !lost)
		return buf_steal(&slug, mem, NULL);
	hash = digest_short(slug, text, strlen(text), max < SLUG_HASH ? max : SLUG_HASH);
	room = max > SLUG_HASH + 1 ? max - SLUG_HASH - 1 : 0;
	if (slug->len > room)
		slug->data[slug->len = room] = '\0';
	while (slug->len && slug->data[slug->len - 1] == '-')
		slug->data[--slug->len] = '\0';
	if (slug->len)
		buf_putc(slug, '-');
	buf_puts(slug, hash);
	talloc_free(hash);
	return buf_steal(&slug, mem, NULL);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

char *text_lower(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_strdup(mem, text);

	for (char *c = copy; *c; c++)
		*c = lower(*c);
	return copy;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), tail = strlen(suffix);

	return n >= tail && !memcmp(text + n - tail, suffix, tail);
}

bool text_equal_nocase(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool text_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool text_to_int(const char *text, int64_t *number_r)
{
	bool minus = text && *text == '-';
	int64_t number = 0; /* counted downwards, so that INT64_MIN fits */

	if (!text || !text[minus])
		return false;
	for (const char *c = text + minus; *c; c++) {
		if (*c < '0' || *c > '9' || number < (INT64_MIN + (*c - '0')) / 10)
			return false;
		number = number * 10 - (*c - '0');
	}
	if (!minus && number == INT64_MIN)
		return false;
	*number_r = minus ? number : -number;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
	size_t n = strnlen(a, DISTANCE_MAX + 1), m = strnlen(b, DISTANCE_MAX + 1);
	size_t rows[3][DISTANCE_MAX +
		       1]; /* of the words' starts: this one, the one before, the one before that */

	if (n > DISTANCE_MAX || m > DISTANCE_MAX)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(least(row[j - 1], up[j]) + 1,
				       up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], upper[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

/* The start of the next code point; TEXT is not at its end. */
static const char *next_char(const char *text)
{
	for (text++; is_tail(*text); text++)
		;
	return text;
}

bool text_glob(const char *pattern, const char *text)
{
	const char *star = NULL,
		   *resume = text; /* the last '*', and where its match ends for now */

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == '?') {
			pattern++;
			text = next_char(text);
		} else if (*pattern && lower(*pattern) == lower(*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = resume = next_char(resume);
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool text_has_margin(const char *text)
{
	return *text && (is_blank(*text) || is_blank(text[strlen(text) - 1]));
}

char *text_trim(TALLOC_CTX *mem, const char *text)
{
	size_t n;

	while (is_blank(*text))
		text++;
	n = strlen(text);
	while (n && is_blank(text[n - 1]))
		n--;
	return mem_strndup(mem, text, n);
}

/* Letters, and the marks and digits that their scripts are written with. No symbol, no
 * punctuation, no invisible or fullwidth sign: those imitate what a path or a login gives a
 * meaning to. */
/* clang-format off */
static const struct {
	int32_t first, last;
} letters[] = {
	/* Latin, Greek */
	{ 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2af }, { 0x370, 0x373 },
	/* Greek */
	{ 0x376, 0x377 }, { 0x37b, 0x37d }, { 0x386, 0x386 }, { 0x388, 0x3f5 },
	/* Cyrillic, Armenian */
	{ 0x3f7, 0x481 }, { 0x48a, 0x52f }, { 0x531, 0x556 }, { 0x560, 0x588 },
	/* Hebrew, Arabic */
	{ 0x5d0, 0x5ea }, { 0x620, 0x63f }, { 0x641, 0x65f }, { 0x671, 0x6d3 },
	/* India */
	{ 0x900, 0x963 }, { 0x971, 0x9f1 }, { 0xa01, 0xa75 }, { 0xa81, 0xaef },
	{ 0xb01, 0xb6f }, { 0xb82, 0xbef }, { 0xc00, 0xc6f }, { 0xc85, 0xcf2 },
	/* Malayalam, Thai, Lao */
	{ 0xd00, 0xd4e }, { 0xe01, 0xe3a }, { 0xe40, 0xe4e }, { 0xe81, 0xecd },
	/* Georgian, Ethiopic, Khmer */
	{ 0x10a0, 0x10fa }, { 0x10fc, 0x10ff }, { 0x1200, 0x135a }, { 0x1780, 0x17b3 },
	/* Khmer, Latin, Greek */
	{ 0x17b6, 0x17d1 }, { 0x1e00, 0x1fbc }, { 0x1fc2, 0x1fcc }, { 0x1fd0, 0x1fdb },
	/* Greek, Japanese */
	{ 0x1fe0, 0x1fec }, { 0x1ff2, 0x1ffc }, { 0x3041, 0x3096 }, { 0x30a1, 0x30fa },
	/* Chinese */
	{ 0x30fc, 0x30fc }, { 0x3105, 0x312f }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff },
	/* Korean, Chinese */
	{ 0xac00, 0xd7a3 }, { 0x20000, 0x2a6df },
};
/* clang-format on */

static bool is_letter(int32_t code)
{
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (code >= letters[i].first && code <= letters[i].last)
			return true;
	return false;
}

/* One side of an address: letters, digits and EXTRA; dots only between them; no '-' in front. */
static bool is_address_part(const char *part, size_t n, const char *extra)
{
	size_t len;

	if (!n || *part == '-' || *part == '.' || part[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i += len) {
		int32_t code = (unsigned char)part[i];

		len = code < 0x80 ? 1 : utf8_read(part + i, n - i, &code);
		if (code == '.' && part[i + 1] == '.')
			return false;
		if (code < 0x80
			    ? code <= 0 || !((code >= '0' && code <= '9') ||
					     (code >= 'A' && code <= 'Z') ||
					     (code >= 'a' && code <= 'z') || strchr(extra, code))
			    : !is_letter(code))
			return false;
	}
	return true;
}

bool text_is_address(const char *text)
{
	const char *at = text ? strchr(text, '@') : NULL;

	return at && strlen(text) <= ADDRESS_MAX &&
	       is_address_part(text, (size_t)(at - text), "._%+=-") &&
	       is_address_part(at + 1, strlen(at + 1), ".-");
}

/* What would break or turn a line: control characters, line and paragraph separators, direction
 * overrides. */
static bool breaks_line(int32_t code)
{
	return is_control(code) || code == 0x2028 || code == 0x2029 ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

char *text_one_line(TALLOC_CTX *mem, const char *text, size_t chars)
{
	size_t n = strlen(text), len, cut = 0, count = 0;
	struct buf *buf;

	if (n <= chars && text_printable(text, n) == n)
		return mem_bytes(mem, text, n);
	buf = buf_new_sized(mem, n + sizeof REPLACEMENT);
	for (size_t i = 0; i < n && count <= chars; i += len) {
		int32_t code;

		if (count + 1 == chars)
			cut = buf->len; /* the ellipsis goes here if one more follows than fits */
		len = utf8_read(text + i, n - i, &code);
		if (code < 0)
			buf_puts(buf, REPLACEMENT);
		else if (breaks_line(code))
			buf_putc(buf, ' ');
		else
			buf_add(buf, text + i, len);
		count++;
	}
	if (count > chars) {
		buf->data[buf->len = cut] = '\0';
		if (chars)
			buf_puts(buf, ELLIPSIS);
	}
	return buf_steal(&buf, mem, NULL);
}

const char *text_trim_line(TALLOC_CTX *mem, const char *text, size_t chars)
{
	size_t n = strlen(text);

	if (n && n <= chars && *text != ' ' && text[n - 1] != ' ' && text_printable(text, n) == n)
		return text;
	return text_trim(mem, text_one_line(mem, text, chars));
}
