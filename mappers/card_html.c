#include "config.h"

#include "mappers/card_html.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/trailer.h"

/* No colours, sizes or fonts: they are the reader's (dark screens, large print). */

#define HEAD "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n"
#define TAIL "</body></html>\n"

/* N bytes of one line. */
static void add_escaped(struct buf *out, const char *text, size_t n)
{
	size_t run;

	for (; (run = strcspn(text, "&<>\"\n")) < n; text += run + 1, n -= run + 1) {
		buf_add(out, text, run);
		buf_puts(out, text_entity(text[run]));
	}
	buf_add(out, text, n);
}

/* Blanks in front count: people indent lists. */
static void add_line(struct buf *out, const char *line, size_t n)
{
	size_t blanks = 0;

	for (; blanks < n && line[blanks] == ' '; blanks++)
		buf_puts(out, "&nbsp;");
	add_escaped(out, line + blanks, n - blanks);
}

static size_t line_length(const char *at)
{
	return strcspn(at, "\n");
}

/* Behind a line of N bytes. */
static const char *next_line(const char *at, size_t n)
{
	return at + n + (at[n] == '\n');
}

/* "Key: value" lines, which stay such lines for who copies or quotes them; returns what stands behind
 * them. */
static const char *add_keys(struct buf *out, const char *at)
{
	bool open = false;

	for (size_t n; *at && *at != '\n'; at = next_line(at, n), open = true) {
		const char *colon;
		size_t key;

		n = line_length(at);
		colon = memchr(at, ':', n);
		key = colon ? (size_t)(colon - at) + 1 : n;

		buf_puts(out, open ? "<br>\n<b>" : "<p><b>");
		add_escaped(out, at, key);
		buf_puts(out, "</b>");
		add_escaped(out, at + key, n - key);
	}
	buf_puts(out, open ? "</p>\n" : "");
	return at;
}

static bool is_separator(const char *at)
{
	return text_starts(at, TRAILER_SEPARATOR) &&
	       line_length(at) == sizeof TRAILER_SEPARATOR - 1;
}

/* Paragraphs, up to the separator or the end. */
static const char *add_notes(struct buf *out, const char *at)
{
	bool open = false;

	for (size_t n; *at && !is_separator(at); at = next_line(at, n)) {
		n = line_length(at);
		if (!n) {
			buf_puts(out, open ? "</p>\n" : "");
			open = false;
			continue;
		}
		buf_puts(out, open ? "<br>\n" : "<p>");
		add_line(out, at, n);
		open = true;
	}
	buf_puts(out, open ? "</p>\n" : "");
	return at;
}

static void add_trailer(struct buf *out, const char *at)
{
	static const char mark[] = TRAILER_MARK " ";
	const char *sep = "";

	buf_puts(out, "<hr>\n<p><small>");
	for (size_t n; *at; at = next_line(at, n)) {
		size_t skip = text_starts(at, mark) ? sizeof mark - 1 : 0;

		buf_puts(out, sep);
		n = line_length(at);
		add_line(out, at + skip, n - skip);
		sep = "<br>\n";
	}
	buf_puts(out, "</small></p>\n");
}

char *card_html(TALLOC_CTX *mem, const char *card)
{
	struct buf out = buf_of(mem, 2 * strlen(card));
	const char *at;

	buf_puts(&out, HEAD);
	at = add_notes(&out, add_keys(&out, card));
	if (*at)
		add_trailer(&out, next_line(at, line_length(at)));
	buf_puts(&out, TAIL);
	return out.data;
}
