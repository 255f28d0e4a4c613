#include "config.h"

#include "mappers/icaltext.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A parse is one pass over the bytes. Each content line is unfolded into one shared buffer and cut
 * there, in place, into name, parameters and value by putting NULs on the delimiters; since a
 * line's content is never longer than its raw bytes, a buffer of the text's length and a byte holds
 * all of them.
 *
 *   raw    |SUMMARY;LANGUAGE=de:Pa|CRLF|SP|ck|CRLF|
 *   heap   |SUMMARY0LANGUAGE=de0Pack0|
 *
 * Line ends: where the text has any LF, a line ends at an LF, and CRs in front of it belong to the
 * line end; a CR elsewhere is content. Only a text without any LF ends its lines at CRs.
 *
 * Invariants, checked by the tests:
 *   I1  line[0].start is 0, line[i].end is line[i + 1].start, the last end is the text's length
 *   I2  an apply without edits gives the text itself
 *   I3  a component's BEGIN line stands before and its END line behind all of its lines
 */

static const char *const kind_names[] = {
	[ICALTEXT_PROPERTY] = "property", [ICALTEXT_BEGIN] = "begin", [ICALTEXT_END] = "end",
	[ICALTEXT_BLANK] = "blank",       [ICALTEXT_OTHER] = "other",
};
_Static_assert(COUNT_OF(kind_names) == ICALTEXT_KINDS, "a name for every kind");

const char *icaltext_kind_name(enum icaltext_kind kind)
{
	return kind_names[kind];
}

#define FIRST_LINES 64 /* most items have 10 to 40 lines */
#define FIRST_COMPONENTS 8

struct scan {
	struct icaltext *ical;
	const struct icaltext_limits *limits;
	size_t pos;
	bool has_lf;
	char *out;     /* where the next unfolded byte goes */
	uint32_t open; /* the innermost open component */
	uint32_t lines_size, components_size;
};

static struct fault *bad(TALLOC_CTX *mem, const char *what, size_t line)
{
	struct fault *fault = fault_new(
		mem, FAULT_DATA, "not usable iCalendar: %s (content line %zu)", what, line + 1);

	return fault_reaches(fault, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* The physical line at POS: its content is [pos, *to_r), the next one begins at the returned place.
 */
static size_t physical(const struct scan *scan, size_t pos, size_t *to_r)
{
	const char *text = scan->ical->text;
	size_t len = scan->ical->len;
	const char *end = memchr(text + pos, scan->has_lf ? '\n' : '\r', len - pos);
	size_t next = end ? (size_t)(end - text) + 1 : len;
	size_t to = end ? next - 1 : len;

	while (to > pos && text[to - 1] == '\r')
		to--;
	*to_r = to;
	return next;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool starts_nocase(const char *text, size_t n, const char *prefix)
{
	size_t len = strlen(prefix);

	return n >= len && strncasecmp(text, prefix, len) == 0;
}

static void take(struct scan *scan, size_t from, size_t to)
{
	memcpy(scan->out, scan->ical->text + from, to - from);
	scan->out += to - from;
}

/* Takes the folded rest of the line whose first physical line was just taken. */
static void take_folds(struct scan *scan)
{
	size_t to;

	while (scan->pos < scan->ical->len && is_blank(scan->ical->text[scan->pos])) {
		size_t next = physical(scan, scan->pos, &to);

		if (to > scan->pos)
			take(scan, scan->pos + 1, to);
		scan->pos = next;
	}
}

/* In the parameters of unfolded content. */
static bool is_quoted_printable(const char *content, size_t n)
{
	static const char word[] = "QUOTED-PRINTABLE";
	const char *colon = memchr(content, ':', n);
	size_t head = colon ? (size_t)(colon - content) : 0;

	for (size_t i = 0; i + sizeof(word) - 1 <= head; i++)
		if (starts_nocase(content + i, head - i, word))
			return true;
	return false;
}

/* Joins the soft line breaks of a quoted-printable value (vCalendar 1.0), which are not folds. The
 * lines that open and close components are never swallowed: true when the value ends before it is
 * finished. */
static bool take_soft_breaks(struct scan *scan, const char *content)
{
	size_t to;

	if (!is_quoted_printable(content, (size_t)(scan->out - content)))
		return false;
	while (scan->out[-1] == '=') {
		size_t pos = scan->pos;
		const char *line = scan->ical->text + pos;

		if (pos == scan->ical->len)
			return true;
		scan->pos = physical(scan, pos, &to);
		if (starts_nocase(line, to - pos, "BEGIN:") ||
		    starts_nocase(line, to - pos, "END:")) {
			scan->pos = pos;
			return true;
		}
		scan->out--;
		take(scan, pos, to);
		take_folds(scan);
	}
	return false;
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* Where the name ends: 0 when the content does not begin with a name and a delimiter. */
static size_t name_length(const char *content, size_t n)
{
	size_t len = 0;

	while (len < n && is_name(content[len]))
		len++;
	return len < n && (content[len] == ':' || content[len] == ';') ? len : 0;
}

/* The colon in front of the value: the first one outside of quotes; when the quotes are broken, the
 * first one at all. */
static const char *value_colon(const char *content, size_t n, size_t from)
{
	bool quoted = false;

	for (size_t i = from; i < n; i++) {
		if (content[i] == '"')
			quoted = !quoted;
		else if (content[i] == ':' && !quoted)
			return content + i;
	}
	return memchr(content + from, ':', n - from);
}

/* Cuts the unfolded content in place. */
static void cut(struct icaltext_line *line, char *content, size_t n)
{
	size_t name = name_length(content, n);
	const char *colon = name ? value_colon(content, n, name) : NULL;
	size_t at;

	line->name = line->params = content + n; /* "" */
	line->value = content;
	line->value_len = (uint32_t)n;
	line->kind = ICALTEXT_OTHER;
	if (!colon)
		return;
	at = (size_t)(colon - content);
	content[at] = '\0';
	if (content[name] == ';') {
		content[name] = '\0';
		line->params = content + name + 1;
	}
	line->name = content;
	line->value = content + at + 1;
	line->value_len = (uint32_t)(n - at - 1);
	line->kind = ICALTEXT_PROPERTY;
}

static struct icaltext_line *add_line(struct scan *scan)
{
	struct icaltext *ical = scan->ical;

	if (ical->line_count == scan->lines_size) {
		scan->lines_size = scan->lines_size ? 2 * scan->lines_size : FIRST_LINES;
		ical->lines = MEM_GROW(ical, ical->lines, struct icaltext_line, scan->lines_size);
	}
	return &ical->lines[ical->line_count++];
}

static struct fault *open_component(TALLOC_CTX *mem, struct scan *scan, struct icaltext_line *line)
{
	struct icaltext *ical = scan->ical;
	uint32_t depth = scan->open == ICALTEXT_NONE ? 1 : ical->components[scan->open].depth + 1;

	if (depth > scan->limits->depth)
		return bad(mem, "components nested too deeply", ical->line_count - 1);
	if (ical->component_count == scan->components_size) {
		scan->components_size =
			scan->components_size ? 2 * scan->components_size : FIRST_COMPONENTS;
		ical->components = MEM_GROW(ical, ical->components, struct icaltext_component,
					    scan->components_size);
	}
	ical->components[ical->component_count] = (struct icaltext_component){
		.name = line->value,
		.begin = ical->line_count - 1,
		.parent = scan->open,
		.depth = depth,
	};
	scan->open = line->component = ical->component_count++;
	return NULL;
}

static struct fault *close_component(TALLOC_CTX *mem, struct scan *scan,
				     const struct icaltext_line *line)
{
	struct icaltext *ical = scan->ical;
	struct icaltext_component *component;

	if (scan->open == ICALTEXT_NONE)
		return bad(mem, "END without BEGIN", ical->line_count - 1);
	component = &ical->components[scan->open];
	if (strcasecmp(component->name, line->value) != 0)
		return bad(mem, "END of another component than the open one", ical->line_count - 1);
	component->end = ical->line_count - 1;
	scan->open = component->parent;
	return NULL;
}

/* BEGIN and END lines: their value loses blanks at both ends and becomes the component's name. */
static struct fault *scan_structure(TALLOC_CTX *mem, struct scan *scan, struct icaltext_line *line)
{
	char *end = scan->out - 1; /* the NUL behind the value */
	bool begins;

	line->component = scan->open;
	if (line->kind != ICALTEXT_PROPERTY)
		return NULL;
	begins = strcasecmp(line->name, "BEGIN") == 0;
	if (!begins && strcasecmp(line->name, "END") != 0)
		return NULL;
	line->kind = begins ? ICALTEXT_BEGIN : ICALTEXT_END;
	while (line->value_len && is_blank(line->value[0])) {
		line->value++;
		line->value_len--;
	}
	while (line->value_len && is_blank(end[-1])) {
		*--end = '\0';
		line->value_len--;
	}
	return begins ? open_component(mem, scan, line) : close_component(mem, scan, line);
}

/* A run of empty lines at the scan's place. */
static bool scan_blank(struct scan *scan)
{
	size_t start = scan->pos, to;
	struct icaltext_line *line;

	while (scan->pos < scan->ical->len) {
		size_t next = physical(scan, scan->pos, &to);

		if (to > scan->pos)
			break;
		scan->pos = next;
	}
	if (scan->pos == start)
		return false;
	line = add_line(scan);
	*line = (struct icaltext_line){ .start = (uint32_t)start,
					.end = (uint32_t)scan->pos,
					.component = scan->open,
					.kind = ICALTEXT_BLANK,
					.name = "",
					.params = "",
					.value = "" };
	return true;
}

static size_t line_limit(const struct icaltext_limits *limits, const char *content, size_t n)
{
	bool attach = starts_nocase(content, n, "ATTACH;") || starts_nocase(content, n, "ATTACH:");

	return attach && limits->attach ? limits->attach : limits->line;
}

static struct fault *scan_line(TALLOC_CTX *mem, struct scan *scan)
{
	static const char bom[] = "\xEF\xBB\xBF";
	const char *text = scan->ical->text;
	size_t start = scan->pos, from = start, to;
	char *content = scan->out;
	struct icaltext_line *line;
	bool unfinished;

	scan->pos = physical(scan, start, &to);
	if (start == 0 && to >= 3 && memcmp(text, bom, 3) == 0)
		from = 3;
	if (start == 0 && from < to && is_blank(text[from]))
		from++;
	take(scan, from, to);
	take_folds(scan);
	unfinished = take_soft_breaks(scan, content);
	line = add_line(scan);
	line->start = (uint32_t)start;
	line->end = (uint32_t)scan->pos;
	line->unfinished = unfinished;
	if ((size_t)(scan->out - content) >
	    line_limit(scan->limits, content, (size_t)(scan->out - content)))
		return bad(mem, "line too long", scan->ical->line_count - 1);
	*scan->out = '\0';
	cut(line, content, (size_t)(scan->out - content));
	scan->out++;
	return scan_structure(mem, scan, line);
}

/* The line end that most lines have; CRLF when it is a draw. */
static const char *usual_eol(const char *text, size_t len)
{
	size_t crlf = 0, lf = 0;
	bool cr = false;

	for (const char *c = text, *end = text + len; (c = memchr(c, '\n', (size_t)(end - c))); c++)
		if (c > text && c[-1] == '\r')
			crlf++;
		else
			lf++;
	if (!crlf && !lf)
		cr = len && memchr(text, '\r', len);
	if (cr)
		return "\r";
	return lf > crlf ? "\n" : "\r\n";
}

struct fault *icaltext_parse(TALLOC_CTX *mem, const char *text, size_t len,
			     const struct icaltext_limits *limits, struct icaltext **ical_r)
{
	struct scan scan = { .limits = limits, .open = ICALTEXT_NONE };
	struct fault *fault = NULL;

	if (len > limits->text || len >= UINT32_MAX)
		return fault_reaches(fault_new(mem, FAULT_DATA, "item of %zu bytes: more than %zu",
					       len, limits->text),
				     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	scan.ical = MEM_NEW(mem, struct icaltext);
	scan.ical->text = text;
	scan.ical->len = len;
	scan.ical->eol = usual_eol(text, len);
	scan.has_lf = len && memchr(text, '\n', len);
	scan.out = MEM_ARRAY(scan.ical, char, len + 1);
	while (!fault && scan.pos < len) {
		if (scan.ical->line_count == ICALTEXT_LINES_MAX)
			fault = bad(mem, "too many lines", ICALTEXT_LINES_MAX);
		else if (!scan_blank(&scan))
			fault = scan_line(mem, &scan);
	}
	if (!fault && scan.open != ICALTEXT_NONE)
		fault = bad(mem, "cut off: a component is not closed", scan.ical->line_count);
	if (fault) {
		talloc_free(scan.ical);
		return fault;
	}
	*ical_r = scan.ical;
	return NULL;
}

bool icaltext_is(const struct icaltext_line *line, const char *name)
{
	return line->kind == ICALTEXT_PROPERTY && !((*line->name ^ *name) & ~0x20) &&
	       strcasecmp(line->name, name) == 0;
}

const struct icaltext_line *icaltext_find(const struct icaltext *ical, uint32_t component,
					  const char *name, const struct icaltext_line *after)
{
	const struct icaltext_component *in = &ical->components[component];
	uint32_t i = after ? (uint32_t)(after - ical->lines) + 1 : in->begin + 1;

	for (; i < in->end; i++)
		if (ical->lines[i].component == component && icaltext_is(&ical->lines[i], name))
			return &ical->lines[i];
	return NULL;
}

/* Where the parameter at TEXT ends: its `;` outside of quotes, or the end. */
static const char *param_end(const char *text)
{
	bool quoted = false;

	for (; *text && (quoted || *text != ';'); text++)
		if (*text == '"')
			quoted = !quoted;
	return text;
}

static bool param_is(const char *param, const char *end, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(end - param) >= len && strncasecmp(param, name, len) == 0 &&
	       (param + len == end || param[len] == '=');
}

/* RFC 6868: ^n is a newline, ^^ a caret, ^' a quote; quotes around values are dropped. */
static char *param_value(TALLOC_CTX *mem, const char *text, size_t n)
{
	char *value = MEM_ARRAY(mem, char, n + 1), *out = value;

	for (size_t i = 0; i < n; i++) {
		char next = i + 1 < n ? text[i + 1] : '\0';

		if (text[i] == '"')
			continue;
		if (text[i] == '^' && (next == 'n' || next == '^' || next == '\'')) {
			*out++ = next == 'n' ? '\n' : next == '^' ? '^' : '"';
			i++;
		} else {
			*out++ = text[i];
		}
	}
	*out = '\0';
	return value;
}

char *icaltext_param(TALLOC_CTX *mem, const struct icaltext_line *line, const char *name)
{
	const char *param = line->params;

	while (*param) {
		const char *end = param_end(param);
		const char *value = param + strlen(name) + 1;

		if (param_is(param, end, name))
			return value < end ? param_value(mem, value, (size_t)(end - value))
					   : mem_strdup(mem, "");
		param = *end ? end + 1 : end;
	}
	return NULL;
}

static bool has_open_quote(const char *param, const char *end)
{
	bool open = false;

	for (; param < end; param++)
		open ^= *param == '"';
	return open;
}

char *icaltext_params_without(TALLOC_CTX *mem, const struct icaltext_line *line,
			      const char *const *names)
{
	struct buf *kept = buf_new(mem);
	const char *param = line->params;

	while (*param) {
		const char *end = param_end(param);
		bool drop = end == param || has_open_quote(param, end);

		for (size_t i = 0; names[i] && !drop; i++)
			drop = param_is(param, end, names[i]);
		if (!drop) {
			buf_putc(kept, ';');
			buf_add(kept, param, (size_t)(end - param));
		}
		param = *end ? end + 1 : end;
	}
	return buf_steal(&kept, mem, NULL);
}

/* How much of a content line goes on one physical line, exactly as libical has it: a server that writes
 * items anew with it then keeps what we send to the byte. What is a little too short to need it is
 * cut, too. Behind the last of the signs that words end with; else before the last character that
 * fits. */
static size_t fold_length(const char *text, size_t len)
{
	size_t most = ICALTEXT_FOLD - 1, n;

	if (len < most - 1)
		return len;
	for (n = len < most ? len - 1 : most - 1; n > 0; n--)
		if (text[n] == ';' || text[n] == ':' || text[n] == ' ')
			return n + 1;
	if (len <= most)
		return len;
	for (n = most; n > 0; n--)
		if (((unsigned char)text[n] & 0xC0) != 0x80)
			return n;
	return most;
}

void icaltext_fold(struct buf *buf, const char *content, const char *eol)
{
	size_t len = strlen(content), n = fold_length(content, len);

	buf_add(buf, content, n);
	for (content += n, len -= n; len; content += n, len -= n) {
		buf_puts(buf, eol);
		buf_putc(buf, ' ');
		n = fold_length(content, len);
		buf_add(buf, content, n);
	}
	buf_puts(buf, eol);
}

void icaltext_fold_last(TALLOC_CTX *tmp, struct buf *buf, size_t from, const char *eol)
{
	size_t len = buf->len - from;
	char *content;

	if (fold_length(buf->data + from, len) == len) {
		buf_puts(buf, eol);
		return;
	}
	content = mem_bytes(tmp, buf->data + from, len);
	buf_cut(buf, from);
	icaltext_fold(buf, content, eol);
}

/* One edit. Insertions stand in front of their line, in the order in which they were made. */
struct change {
	uint32_t line;
	uint32_t order;
	bool inserts;        /* in front of the line, which stays; else the line goes */
	const char *content; /* what is written there, or NULL */
};

struct icaltext_edit {
	const struct icaltext *ical;
	struct change *changes;
	uint32_t count;
};

struct icaltext_edit *icaltext_edit_new(TALLOC_CTX *mem, const struct icaltext *ical)
{
	struct icaltext_edit *edit = MEM_NEW(mem, struct icaltext_edit);

	edit->ical = ical;
	return edit;
}

static void add_change(struct icaltext_edit *edit, uint32_t line, bool inserts, const char *content)
{
	edit->changes = MEM_GROW(edit, edit->changes, struct change, edit->count + 1);
	edit->changes[edit->count] = (struct change){
		.line = line,
		.order = edit->count,
		.inserts = inserts,
		.content = mem_strdup(edit, content),
	};
	edit->count++;
}

static bool says(const struct icaltext_line *line, const char *content)
{
	size_t name = strlen(line->name), params = strlen(line->params);

	if (strncmp(content, line->name, name) != 0)
		return false;
	content += name;
	if (params) {
		if (content[0] != ';' || strncmp(content + 1, line->params, params) != 0)
			return false;
		content += params + 1;
	}
	return content[0] == ':' && strlen(content + 1) == line->value_len &&
	       memcmp(content + 1, line->value, line->value_len) == 0;
}

void icaltext_replace(struct icaltext_edit *edit, const struct icaltext_line *line,
		      const char *content)
{
	if (!says(line, content))
		add_change(edit, (uint32_t)(line - edit->ical->lines), false, content);
}

void icaltext_delete(struct icaltext_edit *edit, const struct icaltext_line *line)
{
	add_change(edit, (uint32_t)(line - edit->ical->lines), false, NULL);
}

void icaltext_insert(struct icaltext_edit *edit, uint32_t component, const char *content)
{
	const struct icaltext_component *in = &edit->ical->components[component];
	const struct icaltext_line *lines = edit->ical->lines;
	uint32_t line = in->begin + 1;

	while (line < in->end && lines[line].kind != ICALTEXT_BEGIN)
		line++;
	if (lines[line - 1].unfinished)
		line--;
	add_change(edit, line, true, content);
}

static int change_order(const void *a_, const void *b_)
{
	const struct change *a = a_, *b = b_;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->inserts != b->inserts)
		return a->inserts ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static struct fault *too_long(TALLOC_CTX *mem, const char *what, size_t is, size_t max)
{
	struct fault *fault =
		fault_new(mem, FAULT_DATA, "%s would have %zu bytes: more than %zu", what, is, max);

	return fault_reaches(fault, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* Writes the text with its changes, sorted, into BUF; returns the length of the longest written
 * line that is over its limit, else 0. */
static size_t write_changes(struct buf *buf, const struct icaltext *ical,
			    const struct change *changes, uint32_t count,
			    const struct icaltext_limits *limits)
{
	size_t pos = 0, longest = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct icaltext_line *line = &ical->lines[changes[i].line];
		size_t content = changes[i].content ? strlen(changes[i].content) : 0;

		assert(line->start >= pos);
		buf_add(buf, ical->text + pos, line->start - pos);
		if (changes[i].content)
			icaltext_fold(buf, changes[i].content, ical->eol);
		pos = changes[i].inserts ? line->start : line->end;
		if (content > longest && content > line_limit(limits, changes[i].content, content))
			longest = content;
	}
	buf_add(buf, ical->text + pos, ical->len - pos);
	return longest;
}

struct fault *icaltext_apply(TALLOC_CTX *mem, const struct icaltext_edit *edit,
			     const struct icaltext_limits *limits, char **text_r, size_t *len_r)
{
	struct change *changes = MEM_ARRAY(mem, struct change, edit->count);
	struct buf *buf = buf_new(changes);
	struct fault *fault = NULL;
	size_t longest;

	if (edit->count)
		memcpy(changes, edit->changes, edit->count * sizeof(*changes));
	qsort(changes, edit->count, sizeof(*changes), change_order);
	longest = write_changes(buf, edit->ical, changes, edit->count, limits);
	if (longest)
		fault = too_long(mem, "a line", longest, limits->line);
	else if (buf->len > limits->text)
		fault = too_long(mem, "the item", buf->len, limits->text);
	else
		*text_r = buf_steal(&buf, mem, len_r);
	talloc_free(changes);
	return fault;
}
