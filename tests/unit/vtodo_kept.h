/* vtodo_kept.h - checks on iCalendar texts for tests and fuzzing, written without the mapper's own
 * tokenizer, so that a fault in it cannot hide itself.
 */
#ifndef TASKFERRY_TESTS_VTODO_KEPT_H
#define TASKFERRY_TESTS_VTODO_KEPT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

/* Reads content lines as they stand in the text, with folds and line end. */
struct kept_lines {
	const char *text;
	size_t len, pos;
	int depth;      /* of BEGINs */
	int todo_depth; /* depth inside of VTODO itself, or -1 */
};

/* The end of the physical line at POS, line end included. */
static inline size_t kept_physical(const struct kept_lines *lines, size_t pos)
{
	char eol = memchr(lines->text, '\n', lines->len) ? '\n' : '\r';
	const char *end = memchr(lines->text + pos, eol, lines->len - pos);

	return end ? (size_t)(end - lines->text) + 1 : lines->len;
}

/* The length of a line without its line end. */
static inline size_t kept_bare(const char *line, size_t n)
{
	n -= n && line[n - 1] == '\n';
	while (n && line[n - 1] == '\r')
		n--;
	return n;
}

/* Takes the folds out of the beginning of a line: enough of it to see its name. A NUL ends its
 * value, not what stands before that. */
static inline size_t kept_head(const char *line, size_t n, char *head, size_t size)
{
	bool quoted = false, behind = false;
	size_t len = 0;

	for (size_t i = 0; i < n && len + 1 < size; i++) {
		quoted = quoted != (line[i] == '"');
		behind = behind || (line[i] == ':' && !quoted);
		if (line[i] == '\r' && i + 1 < n && line[i + 1] != '\n' && line[i + 1] != ' ' &&
		    line[i + 1] != '\t' && line[i + 1] != '\r' && memchr(line, '\n', n)) {
			head[len++] = line[i];
			continue;
		}
		if (line[i] == '\n' || line[i] == '\r') {
			if (i + 1 < n && (line[i + 1] == ' ' || line[i + 1] == '\t'))
				i++;
			continue;
		}
		head[len++] = line[i] || behind ? line[i] : '?';
	}
	head[len] = '\0';
	return len;
}

/* True for a quoted-printable line that ends in a soft line break, followed by what may continue
 * it. */
static inline bool kept_soft_break(const char *line, size_t n, const char *next, size_t next_len)
{
	size_t bare = kept_bare(line, n), len;
	bool soft = false;
	char *text, *colon;

	if (!bare || line[bare - 1] != '=')
		return false;
	if ((next_len >= 4 && !strncasecmp(next, "END:", 4)) ||
	    (next_len >= 6 && !strncasecmp(next, "BEGIN:", 6)))
		return false;
	text = malloc(n + 1); /* parameters may be as long as the text */
	if (!text)
		abort();
	len = kept_head(line, n, text, n + 1);
	colon = memchr(text, ':', len);
	for (const char *c = text; colon && c + 16 <= colon && !soft; c++)
		soft = !strncasecmp(c, "QUOTED-PRINTABLE", 16);
	free(text);
	return soft;
}

/* The next content line; false at the end. Empty lines are lines of their own. */
static inline bool kept_next(struct kept_lines *lines, const char **line_r, size_t *len_r)
{
	size_t start = lines->pos, end, bare;

	if (start >= lines->len)
		return false;
	end = kept_physical(lines, start);
	bare = kept_bare(lines->text + start, end - start);
	while (bare && end < lines->len) {
		size_t next = kept_physical(lines, end);
		char first = lines->text[end];

		if (first != ' ' && first != '\t' &&
		    !kept_soft_break(lines->text + start, end - start, lines->text + end,
				     lines->len - end))
			break;
		end = next;
	}
	lines->pos = end;
	*line_r = lines->text + start;
	*len_r = end - start;
	return true;
}

static inline bool kept_named(const char *head, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(head, name, n) && (head[n] == ':' || head[n] == ';');
}

static inline bool kept_word(const char *text, const char *word)
{
	text += strspn(text, " \t");
	return !strncasecmp(text, word, strlen(word)) &&
	       !text[strlen(word) + strspn(text + strlen(word), " \t")];
}

/* What stands behind the first colon outside of quotes, or behind the first one. */
static inline const char *kept_value(const char *head)
{
	bool quoted = false;

	for (const char *c = head; *c; c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (*c == ':' && !quoted)
			return c + 1;
	}
	return strchr(head, ':') ? strchr(head, ':') + 1 : NULL;
}

/* True for a property of the VTODO itself that is in the NULL-terminated list OURS. */
static inline bool kept_ours(struct kept_lines *lines, const char *line, size_t n,
			     const char *const *ours)
{
	char head[4096];
	const char *value;
	bool direct;

	if (line == lines->text) {
		size_t skip = n >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)
				      ? 3
				      : 0; /* a BOM, and a fold before it all */

		skip += skip < n && (line[skip] == ' ' || line[skip] == '\t');
		line += skip;
		n -= skip;
	}
	kept_head(line, n, head, sizeof(head));
	value = kept_value(head);
	if (value && kept_named(head, "BEGIN")) {
		lines->depth++;
		if (kept_word(value, "VTODO"))
			lines->todo_depth = lines->depth;
		return false;
	}
	if (value && kept_named(head, "END")) {
		if (lines->todo_depth == lines->depth)
			lines->todo_depth = -1;
		lines->depth--;
		return false;
	}
	direct = lines->todo_depth == lines->depth;
	for (size_t i = 0; ours[i] && direct; i++)
		if (kept_named(head, ours[i]))
			return true;
	return false;
}

static inline bool kept_other(struct kept_lines *lines, const char *const *ours,
			      const char **line_r, size_t *len_r)
{
	while (kept_next(lines, line_r, len_r))
		if (!kept_ours(lines, *line_r, *len_r, ours))
			return true;
	return false;
}

/* N4: but for the VTODO's own properties named in OURS, the lines of BEFORE and AFTER are the same
 * bytes in the same order. NULL when that holds, else what differs. */
static inline char *kept_difference(TALLOC_CTX *mem, const char *before, size_t before_len,
				    const char *after, size_t after_len, const char *const *ours)
{
	struct kept_lines a = { .text = before, .len = before_len, .todo_depth = -1 };
	struct kept_lines b = { .text = after, .len = after_len, .todo_depth = -1 };
	const char *x = "", *y = "";
	size_t m = 0, n = 0;

	for (;;) {
		bool has = kept_other(&a, ours, &x, &m), got = kept_other(&b, ours, &y, &n);

		if (!has && !got)
			return NULL;
		if (!has)
			return mem_printf(mem, "a new line: [%.*s]", (int)n, y);
		if (!got)
			return mem_printf(mem, "a lost line: [%.*s]", (int)m, x);
		if (m != n || memcmp(x, y, m) != 0)
			return mem_printf(mem, "expected [%.*s], got [%.*s]", (int)m, x, (int)n, y);
	}
}

/* RFC 5545 section 3.1 for a text that we wrote alone: CRLF only, at most 75 octets, no character
 * cut, no control character, no blank line, balanced components, name and colon in every line.
 * NULL, or what is wrong. */
static inline char *kept_strict(TALLOC_CTX *mem, const char *text, size_t len)
{
	size_t start = 0;

	if (len < 2 || memcmp(text + len - 2, "\r\n", 2) != 0)
		return mem_printf(mem, "no CRLF at the end");
	for (size_t i = 0; i < len; i++) {
		const char *line = text + start;
		size_t n = i - start;

		if (text[i] != '\r' && text[i] != '\n') {
			if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
				return mem_printf(mem, "control character %d", text[i]);
			continue;
		}
		if (text[i] != '\r' || text[i + 1] != '\n')
			return mem_printf(mem, "a bare line end at byte %zu", i);
		if (n == 0 || n > 75)
			return mem_printf(mem, "a line of %zu octets: %.*s", n, (int)n, line);
		if (!text_is_utf8(line, n))
			return mem_printf(mem, "a character cut in two: %.*s", (int)n, line);
		if (line[0] != ' ' && !isupper((unsigned char)line[0]))
			return mem_printf(mem, "a line without a name: %.*s", (int)n, line);
		i++;
		start = i + 1;
	}
	return NULL;
}

#endif
