/* manual.h - reading our manuals (mdoc) in tests that compare them with the program. TF_SRCDIR is
 * the root of the source tree. */
#ifndef TASKFERRY_TESTS_MANUAL_H
#define TASKFERRY_TESTS_MANUAL_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static inline char *manual_load(TALLOC_CTX *mem, const char *path)
{
	struct buf *buf = buf_new(mem);
	FILE *file = fopen(path, "r");
	char bytes[4096];
	size_t n;

	cr_assert_not_null(file, "%s", path);
	while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
		buf_add(buf, bytes, n);
	cr_assert_eq(fclose(file), 0);
	return buf_steal(&buf, mem, NULL);
}

/* The next line of a text, in MEM; NULL at its end. */
static inline char *manual_line(TALLOC_CTX *mem, const char **at)
{
	size_t n = strcspn(*at, "\n");
	char *line = **at ? mem_strndup(mem, *at, n) : NULL;

	*at += n + ((*at)[n] == '\n');
	return line;
}

/* The text below HEADING (".Sh NAME" or ".Ss NAME"), up to the next of its rank or above. */
static inline char *manual_part(TALLOC_CTX *mem, const char *manual, const char *heading)
{
	const char *start = strstr(manual, mem_printf(mem, "\n%s\n", heading)), *end, *other;

	cr_assert_not_null(start, "there is no %s", heading);
	start = strchr(start + 1, '\n') + 1;
	end = strstr(start, "\n.Sh ");
	other = text_starts(heading, ".Ss ") ? strstr(start, "\n.Ss ") : NULL;
	if (other && (!end || other < end))
		end = other;
	return mem_strndup(mem, start, end ? (size_t)(end + 1 - start) : strlen(start));
}

/* What the literal blocks of TEXT hold, SEPARATOR before each. */
static inline char *manual_blocks(TALLOC_CTX *mem, const char *text, const char *separator)
{
	struct buf *out = buf_new(mem);
	bool inside = false;
	char *line;

	while ((line = manual_line(mem, &text))) {
		if (inside && strcmp(line, ".Ed"))
			buf_printf(out, "%s\n", line);
		if (text_starts(line, ".Bd -literal"))
			buf_puts(out, separator);
		inside = text_starts(line, ".Bd -literal") || (inside && strcmp(line, ".Ed"));
	}
	return buf_steal(&out, mem, NULL);
}

#endif
