#include "config.h"

#include "mappers/message_private.h"

#include <string.h>

#include "base/text.h"

/* Where a line ends with a blank, its paragraph goes on in the next one. Writers break a line where
 * its next word has no room, at 66 to 78 columns; a blank behind a short line was typed, and what
 * stands behind it (the next key of a card) begins a line of its own. Quoted lines are left as they
 * are. */

#define FLOW_MIN 60 /* bytes: of a line and the next word, where a line is broken */

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

/* RFC 3676 section 4.4: a blank in front may be put there; it guards what follows. */
static const char *unstuffed(const char *line)
{
	return line + (*line == ' ');
}

/* True if the line of N bytes goes on at NEXT. */
static bool goes_on(const char *line, size_t n, const char *next)
{
	const char *more = unstuffed(next);

	return n && line[n - 1] == ' ' && strncmp(line, "-- \n", 4) != 0 &&
	       strncmp(more, "-- \n", 4) != 0 && *next != '>' && *more && *more != '\n' &&
	       n + strcspn(more, " \n") > FLOW_MIN;
}

char *message_flow_join(TALLOC_CTX *mem, const char *text, bool delsp)
{
	struct buf out = buf_of(mem, strlen(text));

	while (*text) {
		const char *line = *text == '>' ? text : unstuffed(text);
		size_t n = line_length(line);
		const char *next = line + n + (line[n] == '\n');
		bool more = *text != '>' && goes_on(line, n, next);

		buf_add(&out, line, more && delsp ? n - 1 : n);
		if (!more && line[n])
			buf_putc(&out, '\n');
		text = next;
	}
	return out.data;
}
