#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Two texts of an item compared by what they say: their content lines unfolded and sorted, with a line
 * for each category. */

struct lines {
	TALLOC_CTX *mem;
	char **line;
	size_t count;
};

static void add_line(struct lines *lines, const char *text, size_t len)
{
	lines->line = MEM_GROW(lines->mem, lines->line, char *, lines->count + 1);
	lines->line[lines->count++] = mem_strndup(lines->mem, text, len);
}

/* "CATEGORIES:a,b" says the same as two of them. */
static void add_content(struct lines *lines, const char *text, size_t len)
{
	static const char categories[] = "CATEGORIES:";
	size_t at = strlen(categories);

	if (len < at || strncmp(text, categories, at)) {
		add_line(lines, text, len);
		return;
	}
	for (size_t from = at; at <= len; at++) {
		if (at < len && (text[at] != ',' || text[at - 1] == '\\'))
			continue;
		add_line(lines, text + from, at - from);
		from = at + 1;
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct lines lines_of(TALLOC_CTX *mem, const char *text)
{
	struct lines lines = { .mem = mem };
	struct buf *line = buf_new(mem);

	for (; *text; text++) {
		bool end = text[0] == '\r' && text[1] == '\n';

		if (end && text[2] == ' ') {
			text += 2;
		} else if (end) {
			add_content(&lines, line->data, line->len);
			buf_clear(line);
			text++;
		} else {
			buf_putc(line, *text);
		}
	}
	add_content(&lines, line->data, line->len);
	qsort(lines.line, lines.count, sizeof *lines.line, compare_lines);
	return lines;
}

bool caldav_same_content(const char *a, const char *b)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct lines left = lines_of(mem, a), right = lines_of(mem, b);
	bool same = left.count == right.count;

	for (size_t i = 0; i < left.count && same; i++)
		same = !strcmp(left.line[i], right.line[i]);
	talloc_free(mem);
	return same;
}
