#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "mappers/message_private.h"

/* Parameters of a Content-* field with their continuations and character sets (RFC 2231), which
 * libetpan does not put together. A value is read leniently: what is no parameter is skipped. */

#define PIECES_MAX 64  /* continuations of one parameter: names are cut at FILES_NAME_MAX anyway */
#define PIECE_CHARS 50 /* of a continuation that we write, so that its line is not over 76 */

struct piece {
	const char *value;
	bool encoded; /* percent-encoded */
};

struct pieces {
	TALLOC_CTX *mem;
	struct piece list[PIECES_MAX];
	struct piece whole; /* NAME= */
};

/* The value at TEXT, unquoted; *END_R is behind it. */
static char *read_value(TALLOC_CTX *mem, const char *text, const char **end_r)
{
	struct buf *out = buf_new(mem);

	text += strspn(text, " \t");
	if (*text == '"') {
		for (text++; *text && *text != '"'; text++) {
			if (*text == '\\' && text[1])
				text++;
			buf_putc(out, *text);
		}
		text += *text == '"';
	} else {
		size_t len = strcspn(text, "; \t");

		buf_add(out, text, len);
		text += len;
	}
	*end_r = text;
	return buf_steal(&out, mem, NULL);
}

/* "NAME", "NAME*", "NAME*3", "NAME*3*" */
static struct piece *piece_of(struct pieces *pieces, const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);
	const char *end = text + len;
	struct piece *piece = &pieces->whole;
	long number = 0;
	char *past;

	if (len < n || strncasecmp(text, name, n) != 0)
		return NULL;
	text += n;
	if (text == end)
		return piece;
	if (*text++ != '*')
		return NULL;
	if (text < end && *text >= '0' && *text <= '9') {
		number = strtol(text, &past, 10);
		if (number >= PIECES_MAX || past > end)
			return NULL;
		text = past;
		piece = &pieces->list[number];
		if (text == end)
			return piece;
		if (*text++ != '*')
			return NULL;
	}
	if (text != end)
		return NULL;
	piece->encoded = true;
	return piece;
}

static void read_pieces(struct pieces *pieces, const char *text, const char *name)
{
	while (*(text += strcspn(text, ";\""))) {
		const char *start, *end;
		struct piece *piece;
		size_t len;
		char *value;

		if (*text == '"') {
			talloc_free(read_value(pieces->mem, text, &text));
			continue;
		}
		start = text + 1 + strspn(text + 1, " \t");
		len = strcspn(start, "= \t;\"");
		end = start + len + strspn(start + len, " \t");
		text++;
		if (*end != '=')
			continue;
		value = read_value(pieces->mem, end + 1, &text);
		piece = piece_of(pieces, start, len, name);
		if (piece && !piece->value)
			piece->value = value;
	}
}

static int digit_of(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) & 15) : -1;
}

static void add_piece(struct buf *out, const struct piece *piece)
{
	for (const char *c = piece->value; *c; c++) {
		int high = piece->encoded && *c == '%' ? digit_of(c[1]) : -1;
		int low = high >= 0 ? digit_of(c[2]) : -1;

		if (low < 0) {
			buf_putc(out, *c);
			continue;
		}
		buf_putc(out, (char)(high << 4 | low));
		c += 2;
	}
}

/* Takes "CHARSET'LANGUAGE'" away from the first piece. */
static char *charset_of(TALLOC_CTX *mem, struct piece *piece)
{
	const char *quote = piece->encoded ? strchr(piece->value, '\'') : NULL,
		   *second = quote ? strchr(quote + 1, '\'') : NULL;
	char *charset;

	if (!second)
		return NULL;
	charset = mem_strndup(mem, piece->value, (size_t)(quote - piece->value));
	piece->value = second + 1;
	return charset;
}

char *message_param(TALLOC_CTX *mem, const char *value, const char *name)
{
	struct pieces pieces = { .mem = MEM_CONTEXT(mem) };
	struct piece *first = &pieces.list[0];
	struct buf *out = buf_new(pieces.mem);
	char *charset, *text = NULL;
	size_t len;
	bool clean;

	read_pieces(&pieces, value, name);
	if (!first->value)
		first = &pieces.whole;
	if (first->value) {
		bool words = !first->encoded && first == &pieces.whole;

		charset = charset_of(pieces.mem, first);
		add_piece(out, first);
		for (int i = 1; i < PIECES_MAX && first == pieces.list && pieces.list[i].value; i++)
			add_piece(out, &pieces.list[i]);
		text = charset ? message_body_convert(mem, charset, out->data, out->len, &len,
						      &clean)
			       : NULL;
		if (words) /* not allowed, and everywhere */
			text = message_mime_decode(mem, out->data);
		if (!text)
			text = text_to_utf8(mem, out->data, out->len);
	}
	talloc_free(pieces.mem);
	return text;
}

/* ---- writing ---- */

static bool is_plain(const char *value)
{
	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			return false;
	return strlen(value) <= PIECE_CHARS && !strstr(value, "=?");
}

/* RFC 2231 section 7: attribute-char */
static bool is_attribute(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-_.", c));
}

void message_param_add(struct buf *out, const char *name, const char *value)
{
	size_t chars = 0;
	int number = 0;

	if (is_plain(value)) {
		buf_printf(out, ";\r\n %s=\"%s\"", name, value);
		return;
	}
	buf_printf(out, ";\r\n %s*0*=utf-8''", name);
	for (const char *c = value; *c; c++) {
		if (chars > PIECE_CHARS - 3) {
			buf_printf(out, ";\r\n %s*%d*=", name, ++number);
			chars = 0;
		}
		if (is_attribute(*c))
			buf_putc(out, *c);
		else
			buf_printf(out, "%%%02X", (unsigned char)*c);
		chars += is_attribute(*c) ? 1 : 3;
	}
}
