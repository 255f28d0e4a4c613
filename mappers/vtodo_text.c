#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>

#include "base/text.h"

/* Reading keeps what it does not know: an escape that RFC 5545 does not define stands as it was
 * written, so that unescaping and escaping again gives the same text to the reader. */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 2045 section 6.7, leniently: what is no escape stands for itself. */
static char *decode_quoted_printable(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r)
{
	char *bytes = MEM_ARRAY(mem, char, len + 1), *out = bytes;

	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '=' && i + 2 < len ? hex_digit(text[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

		if (low < 0) {
			*out++ = text[i];
			continue;
		}
		*out++ = (char)(high << 4 | low);
		i += 2;
	}
	*len_r = (size_t)(out - bytes);
	return bytes;
}

static char *latin1_to_utf8(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r)
{
	char *bytes = MEM_ARRAY(mem, char, 2 * len + 1), *out = bytes;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			*out++ = (char)(0xC0 | c >> 6);
		*out++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
	}
	*len_r = (size_t)(out - bytes);
	return bytes;
}

/* In place. vCalendar 1.0, which writes newlines as =0D=0A, has no `\n`. */
static void unescape(char *text, bool newlines)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] != '\\' || !text[1]) {
			*out++ = *text;
		} else if (newlines && (text[1] == 'n' || text[1] == 'N')) {
			*out++ = '\n';
			text++;
		} else if (text[1] == ',' || text[1] == ';' || text[1] == '\\') {
			*out++ = *++text;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static bool is_quoted_printable(TALLOC_CTX *mem, const struct icaltext_line *line)
{
	char *encoding, *bare;

	if (!line->params[0])
		return false;
	encoding = icaltext_param(mem, line, "ENCODING");
	bare = icaltext_param(mem, line, "QUOTED-PRINTABLE");
	return bare || (encoding && text_equal_nocase(encoding, "QUOTED-PRINTABLE"));
}

static bool is_latin1(TALLOC_CTX *mem, const struct icaltext_line *line)
{
	static const char *const names[] = { "ISO-8859-1", "LATIN1", "WINDOWS-1252",
					     "ISO-8859-15" };
	char *charset = line->params[0] ? icaltext_param(mem, line, "CHARSET") : NULL;

	for (size_t i = 0; charset && i < COUNT_OF(names); i++)
		if (text_equal_nocase(charset, names[i]))
			return true;
	return false;
}

char *vtodo_text_read(TALLOC_CTX *mem, const struct icaltext_line *line, bool *clean_r)
{
	const char *bytes = line->value;
	size_t len = line->value_len;
	bool encoded = is_quoted_printable(mem, line);
	char *text;

	if (encoded)
		bytes = decode_quoted_printable(mem, bytes, len, &len);
	if (is_latin1(mem, line) && !text_is_utf8(bytes, len))
		bytes = latin1_to_utf8(mem, bytes, len, &len);
	text = text_to_utf8(mem, bytes, len);
	*clean_r = strlen(text) == len && memcmp(text, bytes, len) == 0;
	unescape(text, !encoded);
	return text;
}

void vtodo_text_read_list(TALLOC_CTX *mem, const struct icaltext_line *line, struct buf *names)
{
	char *text = text_to_utf8(mem, line->value, line->value_len), *name = text, *end;

	for (; name; name = end) {
		end = name;
		while (*end && *end != ',')
			end += end[0] == '\\' && end[1] ? 2 : 1;
		if (*end)
			*end++ = '\0';
		else
			end = NULL;
		unescape(name, true);
		for (char *c = name; *c; c++)
			if (*c == '\n' || *c == '\r')
				*c = ' ';
		buf_puts(names, name);
		buf_putc(names, '\n');
	}
}

char *vtodo_text_word(TALLOC_CTX *mem, const struct icaltext_line *line)
{
	return text_trim(mem, text_to_utf8(mem, line->value, line->value_len));
}

void vtodo_text_put_clean(struct buf *out, const char *text)
{
	for (size_t n;; text += n + 1) {
		n = strcspn(text, "\n\r\\;,");
		buf_add(out, text, n);
		if (!text[n])
			break;
		if (text[n] == '\n')
			buf_add(out, "\\n", 2);
		else if (text[n] != '\r')
			buf_add(out, (char[]){ '\\', text[n] }, 2);
	}
}

void vtodo_text_put(struct buf *out, const char *text)
{
	size_t len = strlen(text);
	char *clean = text_is_clean(text, len) ? NULL : text_to_utf8(NULL, text, len);

	vtodo_text_put_clean(out, clean ? clean : text);
	talloc_free(clean);
}
