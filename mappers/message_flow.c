#include "config.h"

#include "mappers/message_private.h"

#include <string.h>

#include "base/text.h"
#include "model/cardline.h"

/* Where a line ends with a blank, its paragraph goes on in the next one. Writers break a line where
 * its next word has no room, at 66 to 78 columns; a blank behind a short line was typed, and what
 * stands behind it begins a line of its own. Quoted lines are left as they are.
 *
 * So was a blank at the end of a long line, maybe, and then a report must not become part of a title:
 * down to the end of the card's keys, no line is joined to a key line behind it, and none to a key
 * line whose value has room in one line, as all have but texts and lists. What begins as a key line
 * within a title may be such a one that was broken: that is seen, as a value that is not understood,
 * or in the title. A separator is joined to nothing, wherever it stands. */

#define FLOW_MIN 60 /* bytes: of a line and the next word, where a line is broken */

struct flow {
	TALLOC_CTX *mem;
	bool keys;   /* a key line was met */
	bool behind; /* the keys are over */
};

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

/* RFC 3676 section 4.4: a blank in front may be put there; it guards what follows. */
static const char *unstuffed(const char *line)
{
	return line + (*line == ' ');
}

static bool is_blank(const char *line)
{
	const char *end = cardline_skip_blanks(line);

	return !*end || *end == '\n';
}

static bool is_separator(const struct flow *flow, const char *line)
{
	char *copy = mem_strndup(flow->mem, line, line_length(line));
	bool separator = cardline_is_separator(flow->mem, copy);

	talloc_free(copy);
	return separator;
}

/* The keys of a card are over at the first blank line behind one, or at a separator. */
static void pass(struct flow *flow, const char *line)
{
	if (flow->behind)
		return;
	flow->keys = flow->keys || cardline_field(line, NULL) != FIELDS;
	flow->behind = (flow->keys && is_blank(line)) || is_separator(flow, line);
}

/* True if one of the two lines is a key line that the other has nothing to do with. */
static bool parted(const struct flow *flow, const char *line, const char *next)
{
	enum field field = flow->behind ? FIELDS : cardline_field(line, NULL);
	enum field_type type = field == FIELDS ? FIELD_TEXT : field_table[field].type;

	return (type != FIELD_TEXT && type != FIELD_LIST) ||
	       (!flow->behind && cardline_field(next, NULL) != FIELDS);
}

/* True if the line of N bytes goes on at NEXT. */
static bool goes_on(const struct flow *flow, const char *line, size_t n, const char *next)
{
	const char *more = unstuffed(next);

	return n && line[n - 1] == ' ' && strncmp(line, "-- \n", 4) != 0 &&
	       strncmp(more, "-- \n", 4) != 0 && *next != '>' && *more && *more != '\n' &&
	       n + strcspn(more, " \n") > FLOW_MIN && !is_blank(line) &&
	       !parted(flow, line, more) && !is_separator(flow, line) && !is_separator(flow, more);
}

char *message_flow_join(TALLOC_CTX *mem, const char *text, bool delsp)
{
	struct buf out = buf_of(mem, strlen(text));
	struct flow flow = { .mem = mem };

	while (*text) {
		const char *line = *text == '>' ? text : unstuffed(text);
		size_t n = line_length(line);
		const char *next = line + n + (line[n] == '\n');
		bool more;

		pass(&flow, line);
		more = *text != '>' && goes_on(&flow, line, n, next);
		buf_add(&out, line, more && delsp ? n - 1 : n);
		if (!more && line[n])
			buf_putc(&out, '\n');
		text = next;
	}
	return out.data;
}
