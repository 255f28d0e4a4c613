#include "config.h"

#include "mappers/message_private.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* What we write: a text that is 7-bit already goes as it is, so that the card can be read in any
 * program; else the card goes as quoted-printable (most of it is ASCII) and the calendar as base64,
 * which keeps each of its bytes, odd line ends too. Lines that begin with "From " count as not
 * 7-bit: mailboxes in one file change them.
 *
 * A line that would delimit parts is no line of ours: quoted-printable then writes "--" at a line's
 * beginning as "=2D-", and base64 has no '-'.
 *
 * What we read: anything. Nothing a person wrote is dropped: an `=` that begins no escape stands
 * for itself, bytes that their charset does not have become U+FFFD.
 */

#define FIRST_PART 1500 /* bytes of most parts with a text */
#define QP_LINE 75     /* characters before the `=` of a soft line break, RFC 2045 section 6.7 */
#define ICONV_CHUNK 4096
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Character sets */

/* Those that mail is written in, and their names for iconv(): it loads code by name, and its rare
 * converters have had endless loops and crashes, so a name from a message does not get there. What
 * says Latin-1 means Windows' superset of it. */
static const struct {
	const char *name, *iconv;
} charsets[] = {
	{ "iso-8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "windows-1252", "CP1252" },
	{ "cp1252", "CP1252" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-9", "ISO-8859-9" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-1250", "CP1250" },
	{ "windows-1251", "CP1251" },
	{ "windows-1253", "CP1253" },
	{ "windows-1254", "CP1254" },
	{ "windows-1255", "CP1255" },
	{ "windows-1256", "CP1256" },
	{ "windows-1257", "CP1257" },
	{ "windows-1258", "CP1258" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "tis-620", "TIS-620" },
	{ "gb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "big5", "BIG5" },
	{ "euc-jp", "EUC-JP" },
	{ "shift_jis", "SHIFT_JIS" },
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "euc-kr", "EUC-KR" },
	{ "ks_c_5601-1987", "EUC-KR" },
	{ "utf-16", "UTF-16" },
	{ "utf-16le", "UTF-16LE" },
	{ "utf-16be", "UTF-16BE" },
};

/* NULL: none that we convert from. An encoded word may name a language behind a `*` (RFC 2231
 * section 5). */
static const char *iconv_name(const char *charset)
{
	size_t len = strcspn(charset, "*");

	for (size_t i = 0; i < COUNT_OF(charsets); i++)
		if (strlen(charsets[i].name) == len &&
		    strncasecmp(charsets[i].name, charset, len) == 0)
			return charsets[i].iconv;
	return NULL;
}

static void convert(struct buf *out, iconv_t converter, char *bytes, size_t len, bool *clean_r)
{
	char chunk[ICONV_CHUNK];

	while (len > 0) {
		char *to = chunk;
		size_t room = sizeof chunk;
		bool good =
			iconv(converter, &bytes, &len, &to, &room) != (size_t)-1 || errno == E2BIG;

		buf_add(out, chunk, (size_t)(to - chunk));
		if (good)
			continue;
		buf_puts(out, REPLACEMENT);
		*clean_r = false;
		bytes++;
		len--;
	}
}

char *message_body_convert(TALLOC_CTX *mem, const char *charset, const char *bytes, size_t len,
			   size_t *len_r, bool *clean_r)
{
	const char *name = charset ? iconv_name(charset) : NULL;
	struct buf *out;
	iconv_t converter;
	char *copy;

	if (!name)
		return NULL;
	converter = iconv_open("UTF-8", name);
	if (converter == (iconv_t)-1)
		return NULL; /* a system without that converter */
	out = buf_new(mem);
	copy = mem_bytes(out, bytes, len);
	*clean_r = true;
	convert(out, converter, copy, len, clean_r);
	(void)iconv_close(converter);
	talloc_free(copy);
	return buf_steal(&out, mem, len_r);
}

char *message_body_plain(TALLOC_CTX *mem, const char *text, size_t len)
{
	size_t mark = len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
	char *plain = text_to_utf8(mem, text + mark, len - mark), *out = strchr(plain, '\r');

	if (!out)
		return plain;
	for (const char *c = out; *c; c++)
		if (*c != '\r')
			*out++ = *c;
		else if (c[1] != '\n')
			*out++ = '\n';
	*out = '\0';
	return plain;
}

/* Reading */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* One line of N bytes without its line end. */
static void decode_quoted_line(struct buf *out, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = line[i] == '=' && n - i > 2 ? hex_digit(line[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(line[i + 2]) : -1;

		buf_putc(out, low >= 0 ? (char)(high << 4 | low) : line[i]);
		i += low >= 0 ? 2 : 0;
	}
}

/* RFC 2045 section 6.7: blanks at the end of a line are none of the text. */
static char *decode_quoted(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r)
{
	struct buf *out = buf_new(mem);

	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t next = newline ? (size_t)(newline - text) + 1 : len;
		size_t eol = newline ? next - 1 : len, end;

		eol -= newline && eol > at && text[eol - 1] == '\r';
		for (end = eol; end > at && (text[end - 1] == ' ' || text[end - 1] == '\t');)
			end--;
		if (newline && end > at && text[end - 1] == '=') {
			decode_quoted_line(out, text + at, end - 1 - at);
		} else {
			decode_quoted_line(out, text + at, end - at);
			buf_add(out, text + eol, next - eol);
		}
		at = next;
	}
	return buf_steal(&out, mem, len_r);
}

char *message_body_decode(TALLOC_CTX *mem, const struct message_tree *tree,
			  const struct message_part *part, size_t *len_r)
{
	const char *body = tree->text + part->body;
	size_t len = part->to - part->body;

	switch (part->kind.encoding) {
	case MESSAGE_QUOTED_PRINTABLE:
		return decode_quoted(mem, body, len, len_r);
	case MESSAGE_BASE64:
		return message_mime_base64(mem, body, len, len_r);
	default:
		*len_r = len;
		return mem_bytes(mem, body, len);
	}
}

/* Writing */

/* True if a line of TEXT would be taken for a delimiter; other readers want no more than that it
 * begins like one. */
static bool collides(const struct message_boundaries *boundaries, const char *text, size_t len)
{
	const char *end = text + len, *newline;

	for (const char *line = text; boundaries && line < end; line = newline + 1) {
		for (size_t i = 0; i < boundaries->count; i++) {
			size_t n = strlen(boundaries->names[i]);

			if ((size_t)(end - line) >= n + 2 && !memcmp(line, "--", 2) &&
			    !memcmp(line + 2, boundaries->names[i], n))
				return true;
		}
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			break;
	}
	return false;
}

/* How much of a line of at most LEN bytes can go as it is. */
static size_t plain_length(const char *line, size_t len)
{
	size_t n = text_printable(line, len);

	while (n < len && line[n] == '\t')
		n += 1 + text_printable(line + n + 1, len - n - 1);
	if (n >= 5 && memcmp(line, "From ", 5) == 0)
		return 0;
	return n < MESSAGE_BODY_LINE ? n : MESSAGE_BODY_LINE;
}

/* True if LEN bytes, whose lines end with CR LF, can go as they are. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t from = 0; from < len; from += 2) {
		from += plain_length(text + from, len - from);
		if (from < len && (len - from < 2 || memcmp(text + from, "\r\n", 2) != 0))
			return false;
	}
	return true;
}

/* Adds LEN bytes, whose lines end with LF, with CR LF; false, and some of them added, if they cannot go
 * as they are. */
static bool add_plain(struct buf *out, const char *text, size_t len)
{
	for (size_t from = 0, n; from < len; from += n + 1) {
		n = plain_length(text + from, len - from);
		buf_add(out, text + from, n);
		if (from + n == len)
			break;
		if (text[from + n] != '\n')
			return false;
		buf_add(out, "\r\n", 2);
	}
	return true;
}

/* The code point at TEXT in quoted-printable, at most 12 characters; NUL-terminated. */
static size_t quote(const char *text, size_t column, bool guard, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = text_prefix_chars(text, 1), size = 0;
	bool last = text[n] == '\n' || !text[n];
	bool plain = (*text == '\t' || (*text >= ' ' && *text <= '~')) && *text != '=' &&
		     !(last && (*text == ' ' || *text == '\t'));

	if (column == 0 && (text_starts(text, "From ") || (guard && text_starts(text, "--"))))
		plain = false;
	for (size_t i = 0; i < n; i++) {
		if (plain) {
			out[size++] = text[i];
			continue;
		}
		out[size++] = '=';
		out[size++] = digits[(unsigned char)text[i] >> 4];
		out[size++] = digits[text[i] & 0xf];
	}
	out[size] = '\0';
	return n;
}

static void encode_quoted(struct buf *out, const char *text, bool guard)
{
	char quoted[13];
	size_t column = 0;

	while (*text) {
		size_t n;

		if (*text == '\n') {
			buf_puts(out, "\r\n");
			column = 0;
			text++;
			continue;
		}
		n = quote(text, column, guard, quoted);
		if (column + strlen(quoted) > QP_LINE) {
			buf_puts(out, "=\r\n");
			column = 0;
			n = quote(text, column, guard, quoted);
		}
		buf_puts(out, quoted);
		column += strlen(quoted);
		text += n;
	}
}

void message_body_base64(struct buf *out, const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char group[4];

	for (size_t i = 0; i < len; i += 3) {
		const unsigned char *b = (const unsigned char *)bytes + i;
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)b[0] << 16 | (n > 1 ? (uint32_t)b[1] << 8 : 0) |
				(n > 2 ? b[2] : 0);

		for (size_t k = 0; k < sizeof group; k++)
			group[k] = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
		buf_add(out, group, sizeof group);
	}
}

void message_body_lines(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += MESSAGE_BASE64_LINE) {
		if (i)
			buf_puts(out, "\r\n");
		message_body_base64(out, bytes + i, len - i < MESSAGE_BASE64_LINE ? len - i : MESSAGE_BASE64_LINE);
	}
}

static void add_encoding(struct buf *out, const char *name)
{
	buf_puts(out, "Content-Transfer-Encoding: ");
	buf_puts(out, name);
	buf_puts(out, "\r\n");
}

/* True if what stands in OUT behind BODY can stay. */
static bool fits(const struct message_boundaries *boundaries, const struct buf *out, size_t body)
{
	return !collides(boundaries, out->data + body, out->len - body);
}

/* False, and nothing added: TEXT cannot go as it is. */
static bool add_as_it_is(struct buf *out, const char *text,
			 const struct message_boundaries *boundaries)
{
	size_t head = out->len, body;

	add_encoding(out, "7bit");
	buf_puts(out, "\r\n");
	body = out->len;
	if (add_plain(out, text, strlen(text)) && fits(boundaries, out, body))
		return true;
	buf_cut(out, head);
	return false;
}

static void add_quoted(struct buf *out, const char *text,
		       const struct message_boundaries *boundaries)
{
	size_t body;

	add_encoding(out, "quoted-printable");
	buf_puts(out, "\r\n");
	body = out->len;
	encode_quoted(out, text, false);
	if (fits(boundaries, out, body))
		return;
	buf_cut(out, body);
	encode_quoted(out, text, true);
}

static void add_text_part(struct buf *out, const char *subtype, const char *text,
			  const struct message_boundaries *boundaries)
{
	char *plain;

	buf_puts(out, "Content-Type: text/");
	buf_puts(out, subtype);
	buf_puts(out, "; charset=utf-8\r\n");
	if (add_as_it_is(out, text, boundaries))
		return;
	plain = message_body_plain(NULL, text, strlen(text));
	if (!add_as_it_is(out, plain, boundaries))
		add_quoted(out, plain, boundaries);
	talloc_free(plain);
}

static void add_alternative(struct buf *out, const struct message_publish *publish,
			    const struct message_boundaries *boundaries)
{
	struct message_slice slices[2 + COUNT_OF(boundaries->names)];
	struct buf card = buf_of(out, FIRST_PART), html = buf_of(out, FIRST_PART);
	size_t count = 0;
	char *boundary;

	add_text_part(&card, "plain", publish->card, boundaries);
	add_text_part(&html, "html", publish->html, boundaries);
	slices[count++] = (struct message_slice){ card.data, card.len };
	slices[count++] = (struct message_slice){ html.data, html.len };
	for (size_t i = 0; boundaries && i < boundaries->count; i++)
		slices[count++] = (struct message_slice){ boundaries->names[i],
							  strlen(boundaries->names[i]) };
	boundary = message_header_boundary(out, publish, "alternative", slices, count);
	message_header_multipart(out, "alternative", boundary);
	buf_join(out, "\r\n--", boundary, "\r\n", NULL);
	buf_add(out, card.data, card.len);
	buf_join(out, "\r\n--", boundary, "\r\n", NULL);
	buf_add(out, html.data, html.len);
	buf_join(out, "\r\n--", boundary, "--\r\n", NULL);
	talloc_free(boundary);
	talloc_free(card.data);
	talloc_free(html.data);
}

void message_body_card(struct buf *out, const struct message_publish *publish,
		       const struct message_boundaries *boundaries)
{
	if (publish->html)
		add_alternative(out, publish, boundaries);
	else
		add_text_part(out, "plain", publish->card, boundaries);
}

/* An attachment, and without METHOD: what a program shows when it opens the message is then the
 * card, beside which the calendar's data is a file; inline, some show a second, poorer card of
 * their own, or a bar that offers to answer an invitation. */
void message_body_calendar(struct buf *out, const char *calendar, size_t len,
			   const struct message_boundaries *boundaries)
{
	bool plain = is_plain(calendar, len) && !collides(boundaries, calendar, len);

	buf_puts(out, "Content-Type: text/calendar; charset=utf-8; component=VTODO;\r\n"
		      " name=task.ics\r\n");
	add_encoding(out, plain ? "7bit" : "base64");
	buf_puts(out, "Content-Disposition: attachment; filename=task.ics\r\n\r\n");
	if (plain)
		buf_add(out, calendar, len);
	else
		message_body_lines(out, calendar, len);
}
