#include "config.h"

#include "model/trailer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/effort.h"

/* Splitting; the first of these that applies decides about a piece of text:
 *
 *   T1  The description is a beginning of the last one, at least its notes: a client cut it off.
 *
 *   T2  A separator ends the notes; what lies between two of them, or behind the last, is below.
 *
 *   T3  The whole last trailer stands in the text, whatever became of blanks, line ends, marks
 *       and dashes: it goes, all else is the person's, also behind its last word.
 *
 *   T4  Below: marked lines and lines of the last trailer go. When all of its lines but one are
 *       there, a line that holds that one and more loses only that.
 *
 *   T5  No separator: lines of the last trailer go, and marked blocks that end with a sentence
 *       how to report.
 *
 * T3 to T5 compare folded text: without white space and marks, long dashes and runs of dashes as
 * one "-", typographic quotes and dots as plain ones. Everything is linear in the text but for
 * wrapped lines, which are bounded.
 */

#define WORD "taskferry"  /* of the separator */
#define WORD_RARE "kK"    /* its letter that texts have fewest of */
#define WORD_RARE_AT 3    /* where it stands */
#define WRAPPED_MAX 32    /* lines that a client may make of one */
#define NAME_MAX_CHARS 80 /* of a predecessor */
#define FIRST_TEXT 500    /* bytes of most trailers */

static const char *const blanks[] = { " ", "\t", "\v", "\f", "\u00a0" };
static const char *const dashes[] = { "-",      "\u2010", "\u2011", "\u2012",
				      "\u2013", "\u2014", "\u2015", "\u2212" };

static const struct {
	const char *from, *to;
} folds[] = {
	{ "\u2018", "'" },  { "\u2019", "'" },  { "\u201a", "'" },   { "\u201c", "\"" },
	{ "\u201d", "\"" }, { "\u201e", "\"" }, { "\u2026", "..." },
};

/* The length of the one of SET that TEXT begins with; 0 if none. */
static size_t one_of(const char *const *set, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (text_starts(text, set[i]))
			return strlen(set[i]);
	return 0;
}

/* The same for what ends at AT. */
static size_t one_before(const char *const *set, size_t count, const char *text, size_t at)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(set[i]);

		if (len <= at && !memcmp(text + at - len, set[i], len))
			return len;
	}
	return 0;
}

/* Most of any text: no sign of these tables begins with it. */
static bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

static size_t blank_at(const char *text)
{
	if (is_ascii(*text))
		return *text == ' ' || *text == '\t' || *text == '\v' || *text == '\f';
	return one_of(blanks, COUNT_OF(blanks), text);
}

static size_t dash_at(const char *text)
{
	if (*text != '-' && is_ascii(*text))
		return 0;
	return one_of(dashes, COUNT_OF(dashes), text);
}

static size_t skip_blanks(const char *text, size_t at)
{
	for (size_t n; (n = blank_at(text + at)); at += n)
		;
	return at;
}

/* Of ASCII, blanks are one byte. */
static size_t skip_blanks_back(const char *text, size_t at)
{
	if (at && is_ascii(text[at - 1]) && !blank_at(text + at - 1))
		return at;
	for (size_t n; (n = one_before(blanks, COUNT_OF(blanks), text, at)); at -= n)
		;
	return at;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_space(const char *text, size_t at)
{
	while (is_space(text[at]) || blank_at(text + at))
		at += is_space(text[at]) ? 1 : blank_at(text + at);
	return at;
}

/* N bytes of TEXT without white space at the end. */
static size_t trimmed_length(const char *text, size_t n)
{
	for (size_t end = n + 1; end != n;) {
		end = n;
		n = skip_blanks_back(text, n);
		n -= n && is_space(text[n - 1]);
	}
	return n;
}

static void add_trimmed(struct buf *buf, const char *text, size_t n)
{
	buf_add(buf, text, trimmed_length(text, n));
}

/* CR LF and CR as LF, no white space at the end. */
static char *plain(TALLOC_CTX *mem, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	char *copy = mem_bytes(mem, text, n), *out = memchr(copy, '\r', n);

	for (const char *c = out; c && *c; c++)
		if (*c != '\r')
			*out++ = *c;
		else if (c[1] != '\n')
			*out++ = '\n';
	copy[trimmed_length(copy, out ? (size_t)(out - copy) : n)] = '\0';
	return copy;
}

/* The separator */

struct separator {
	size_t from, to; /* with its dashes */
	size_t word;     /* where the word stands */
	size_t escapes;  /* backslashes before the word: with any it is text */
};

/* A run of dashes before or behind; a long one counts as two. */
static size_t dashes_back(const char *text, size_t *at)
{
	size_t n, weight = 0;

	for (; (n = one_before(dashes, COUNT_OF(dashes), text, *at)); *at -= n)
		weight += n > 1 ? 2 : 1;
	return weight;
}

static size_t dashes_on(const char *text, size_t *at)
{
	size_t n, weight = 0;

	for (; (n = dash_at(text + *at)); *at += n)
		weight += n > 1 ? 2 : 1;
	return weight;
}

/* True if the line behind AT, which ends one, is marked. */
static bool mark_follows(const char *text, size_t at)
{
	return text_starts(text + skip_space(text, at), TRAILER_MARK);
}

/* Judges the word at SEP->word and fills in the rest; looks no further back than TEXT. */
static bool is_separator(const char *text, struct separator *sep)
{
	size_t left, right, start, end;

	sep->from = sep->word;
	sep->to = sep->word + strlen(WORD);
	while (sep->from && text[sep->from - 1] == '\\')
		sep->from--;
	sep->escapes = sep->word - sep->from;
	start = skip_blanks_back(text, sep->from);
	left = dashes_back(text, &start);
	end = skip_blanks(text, sep->to);
	right = dashes_on(text, &end);
	sep->from = left ? start : sep->from;
	sep->to = right ? end : sep->to;
	start = skip_blanks_back(text, sep->from);
	end = skip_blanks(text, sep->to);
	if ((start && text[start - 1] != '\n') ||
	    (text[end] && text[end] != '\n')) /* within a line */
		return left > 1 && right > 1 &&
		       (start < sep->from || !start || text[start - 1] == '\n') &&
		       (end > sep->to || !text[end] || text[end] == '\n');
	if (left || right)
		return (left && right) || left > 1 || right > 1;
	return mark_follows(text, end);
}

/* The first separator, escaped or not, at or behind FROM. */
static bool find_separator(const char *text, size_t from, struct separator *sep_r)
{
	for (const char *c = text + from; *(c += strcspn(c, WORD_RARE)); c++) {
		struct separator sep = { .word = (size_t)(c - text) - from - WORD_RARE_AT };

		if ((size_t)(c - text) < from + WORD_RARE_AT ||
		    strncasecmp(c - WORD_RARE_AT, WORD, strlen(WORD)) != 0 ||
		    !is_separator(text + from, &sep))
			continue;
		*sep_r = (struct separator){ sep.from + from, sep.to + from, sep.word + from,
					     sep.escapes };
		return true;
	}
	return false;
}

/* The first that is none of a person's own. */
static bool find_cut(const char *text, size_t from, struct separator *sep_r)
{
	while (find_separator(text, from, sep_r)) {
		if (!sep_r->escapes)
			return true;
		from = sep_r->to;
	}
	return false;
}

/* TEXT with one backslash more, or one less, before the word of every separator in it; itself when
 * there is none. */
static const char *escape(TALLOC_CTX *mem, const char *text, bool more)
{
	struct separator sep;
	struct buf *buf;
	size_t at = 0;

	if (!find_separator(text, 0, &sep))
		return text;
	buf = buf_new(mem);
	for (size_t from = 0; find_separator(text, from, &sep); from = sep.to) {
		buf_add(buf, text + at, sep.word - at);
		at = sep.word;
		if (more)
			buf_putc(buf, '\\');
		else if (sep.escapes)
			buf->data[--buf->len] = '\0';
	}
	buf_puts(buf, text + at);
	return buf_steal(&buf, mem, NULL);
}

/* Folded text */

struct folded {
	const char *source;
	char *text;
	size_t len;
	struct place {
		size_t from, to; /* in the source */
	} * places;              /* of every byte of `text` */
};

static const char *fold_of(const char *text, size_t *len_r)
{
	if (is_ascii(*text))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(folds); i++)
		if (text_starts(text, folds[i].from)) {
			*len_r = strlen(folds[i].from);
			return folds[i].to;
		}
	return NULL;
}

static void fold_add(struct folded *folded, char c, size_t from, size_t to)
{
	struct place *before = folded->len ? &folded->places[folded->len - 1] : NULL;

	if (c == '-' && before && folded->text[folded->len - 1] == '-' && before->to == from) {
		before->to = to;
		return;
	}
	folded->places[folded->len] = (struct place){ from, to };
	folded->text[folded->len++] = c;
}

/* Folding never makes text longer. */
static struct folded fold(TALLOC_CTX *mem, const char *source, size_t len)
{
	struct folded folded = { .source = source };
	bool line_start = true;

	folded.text = MEM_ARRAY(mem, char, len + 1);
	folded.places = MEM_ARRAY(mem, struct place, len + 1);
	for (size_t at = 0, n; at < len; at += n) {
		const char *c = source + at, *to;

		n = 1;
		if (is_space(*c)) {
			line_start = line_start || *c == '\n';
			continue;
		}
		if ((n = blank_at(c)))
			continue;
		n = 1;
		if (!line_start || !text_starts(c, TRAILER_MARK)) {
			if (dash_at(c))
				fold_add(&folded, '-', at, at + (n = dash_at(c)));
			else if ((to = fold_of(c, &n)))
				for (; *to; to++)
					fold_add(&folded, *to, at, at + n);
			else
				fold_add(&folded, *c, at, at + 1);
		}
		line_start = false;
	}
	folded.text[folded.len] = '\0';
	return folded;
}

/* A line of a folded text. */
struct line {
	size_t from, to;    /* in the source, without the newline */
	size_t first, past; /* in the folded text */
	bool marked;
	bool dropped;
};

struct lines {
	struct folded folded;
	struct line *line;
	size_t count;
};

static struct lines lines_of(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct lines lines = { .folded = fold(mem, text, len) };
	size_t count = 1, place = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	lines.line = MEM_ARRAY(mem, struct line, count);
	for (size_t from = 0; from < len; from = lines.line[lines.count++].to + 1) {
		struct line *line = &lines.line[lines.count];
		const char *end = memchr(text + from, '\n', len - from);

		*line = (struct line){ .from = from,
				       .to = end ? (size_t)(end - text) : len,
				       .first = place };
		line->marked = text_starts(text + skip_blanks(text, from), TRAILER_MARK);
		while (place < lines.folded.len && lines.folded.places[place].from < line->to)
			place++;
		line->past = place;
	}
	return lines;
}

/* What we wrote last */

struct slice {
	const char *text;
	size_t len;
	bool found;
};

struct known {
	char *notes; /* above the trailer; "" */
	struct folded whole;
	struct slice *lines; /* sorted, none twice, none empty */
	size_t count;
	struct slice how_to[2]; /* the last line, and the standard one */
	bool marked;            /* its lines bear marks */
};

static int slice_compare(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool slice_starts(const struct slice *slice, const struct slice *with)
{
	return slice->len >= with->len && !memcmp(slice->text, with->text, with->len);
}

/* The first line that is not less than KEY. */
static size_t known_bound(const struct known *known, const struct slice *key)
{
	size_t low = 0, high = known->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(&known->lines[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct slice slice_of(const struct lines *lines, size_t from, size_t to)
{
	size_t first = lines->line[from].first;

	return (struct slice){ .text = lines->folded.text + first,
			       .len = lines->line[to].past - first };
}

static void known_sort(struct known *known)
{
	size_t count = 0;

	qsort(known->lines, known->count, sizeof *known->lines, slice_compare);
	for (size_t i = 0; i < known->count; i++)
		if (!count || slice_compare(&known->lines[count - 1], &known->lines[i]) != 0)
			known->lines[count++] = known->lines[i];
	known->count = count;
}

/* LAST is plain, or NULL. */
static struct known known_of(TALLOC_CTX *mem, const char *last)
{
	struct folded standard = fold(mem, TRAILER_HOW_TO_REPORT, strlen(TRAILER_HOW_TO_REPORT));
	struct known known = { .notes = mem_strdup(mem, "") };
	struct separator sep;
	struct lines lines;

	known.how_to[0] = known.how_to[1] =
		(struct slice){ .text = standard.text, .len = standard.len };
	if (!last || !find_cut(last, 0, &sep)) {
		known.whole = fold(mem, "", 0);
		return known;
	}
	known.notes = plain(mem, mem_strndup(mem, last, sep.from));
	lines = lines_of(mem, last + sep.to, strlen(last + sep.to));
	known.whole = lines.folded;
	known.lines = MEM_ARRAY(mem, struct slice, lines.count);
	for (size_t i = 0; i < lines.count; i++) {
		struct slice line = slice_of(&lines, i, i);

		if (!line.len)
			continue;
		known.lines[known.count++] = line;
		known.how_to[0] = line;
		known.marked = lines.line[i].marked;
	}
	known_sort(&known);
	return known;
}

/* T3 */

static bool newline_between(const char *text, size_t from, size_t to)
{
	return memchr(text + from, '\n', to - from) != NULL;
}

/* Where a trailer whose first folded byte is at I begins in the source, with its mark; false: in
 * the middle of a line's words. */
static bool whole_begins(const struct folded *in, size_t i, size_t *from_r)
{
	size_t from = in->places[i].from;

	if (i && !newline_between(in->source, in->places[i - 1].to, from)) {
		*from_r = in->places[i - 1].from;
		return in->text[i - 1] == *TRAILER_MARK;
	}
	while (from && in->source[from - 1] != '\n')
		from--;
	*from_r = from;
	return true;
}

/* Adds what is left of TEXT without the whole last trailer; false, and nothing added, when that is
 * not in it. */
static bool drop_whole(struct buf *buf, const struct folded *in, const char *text, size_t len,
		       const struct known *known)
{
	size_t rest = 0, from;
	const char *hit = in->text;
	bool found = false;

	if (!known->whole.len || in->len < known->whole.len)
		return false;
	while ((hit = strstr(hit, known->whole.text))) {
		size_t i = (size_t)(hit - in->text);

		if (!whole_begins(in, i, &from) || from < rest) {
			hit++;
			continue;
		}
		add_trimmed(buf, text + rest, from - rest);
		hit += known->whole.len;
		rest = in->places[i + known->whole.len - 1].to;
		if (buf->len)
			buf_putc(buf, '\n');
		rest = skip_space(text, rest);
		found = true;
	}
	if (found)
		buf_add(buf, text + rest, len - rest);
	return found;
}

/* T4, T5 */

/* How many lines from I on are one line of the last trailer; 0: none. */
static size_t known_match(struct known *known, const struct lines *lines, size_t i)
{
	size_t best = 0, line = 0;

	for (size_t n = 0; n < WRAPPED_MAX && i + n < lines->count; n++) {
		struct slice key = slice_of(lines, i, i + n);
		size_t at = known_bound(known, &key);

		if (lines->line[i + n].first == lines->line[i + n].past)
			break;
		if (at < known->count && !slice_compare(&known->lines[at], &key)) {
			best = n + 1;
			line = at++;
		}
		if (at == known->count || !slice_starts(&known->lines[at], &key))
			break;
	}
	if (best)
		known->lines[line].found = true;
	return best;
}

/* Lines of the last trailer, and its empty ones, which are bare marks, behind them. */
static void drop_known(struct known *known, struct lines *lines, bool marked_only)
{
	bool behind = false;

	for (size_t i = 0, n; i < lines->count; i += n ? n : 1) {
		struct line *line = &lines->line[i];

		n = marked_only && !line->marked ? 0 : known_match(known, lines, i);
		for (size_t k = 0; k < n; k++)
			line[k].dropped = true;
		if (line->first < line->past)
			behind = line->dropped;
		else if (line->marked && behind)
			line->dropped = true;
	}
}

/* Blocks of marked lines that end with a sentence how to report. */
static void drop_blocks(const struct known *known, struct lines *lines)
{
	bool block = false;

	for (size_t i = lines->count; i-- > 0;) {
		struct slice line = slice_of(lines, i, i);

		block = lines->line[i].marked &&
			(block || !slice_compare(&line, &known->how_to[0]) ||
			 !slice_compare(&line, &known->how_to[1]));
		lines->line[i].dropped = lines->line[i].dropped || block;
	}
}

/* The only line of the last trailer that was not found; NULL when there are none or more. */
static const struct slice *known_missing(const struct known *known)
{
	const struct slice *missing = NULL;

	for (size_t i = 0; i < known->count; i++) {
		if (known->lines[i].found)
			continue;
		if (missing)
			return NULL;
		missing = &known->lines[i];
	}
	return missing;
}

/* The place behind the next mark in the middle of a line; PAST when there is none. */
static size_t next_mark(const struct folded *in, size_t at, size_t past)
{
	const char *mark = at < past ? memchr(in->text + at, *TRAILER_MARK, past - at) : NULL;

	return mark ? (size_t)(mark - in->text) + 1 : past;
}

/* Adds what a person wrote before and behind the line MISSING in LINE; false: it is not in it. */
static bool add_around(struct buf *buf, const struct folded *in, const struct line *line,
		       const struct slice *missing)
{
	size_t at = line->first, from, to;

	if (!line->marked)
		at = next_mark(in, at, line->past);
	while (at + missing->len <= line->past &&
	       memcmp(in->text + at, missing->text, missing->len) != 0)
		at = next_mark(in, at, line->past);
	if (at + missing->len > line->past)
		return false;
	from = at > line->first ? in->places[at - 1].from : line->from;
	to = in->places[at + missing->len - 1].to;
	if (to < line->to && !blank_at(in->source + to))
		return false;
	add_trimmed(buf, in->source + line->from, from - line->from);
	if (from > line->from)
		buf_putc(buf, '\n');
	to = skip_blanks(in->source, to);
	if (to < line->to) {
		buf_add(buf, in->source + to, line->to - to);
		buf_putc(buf, '\n');
	}
	return true;
}

static void add_lines(struct buf *buf, const struct lines *lines, const struct slice *missing,
		      bool below)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->line[i];

		if (line->dropped)
			continue;
		if (below && missing && add_around(buf, &lines->folded, line, missing))
			continue;
		if (below && line->marked)
			continue;
		buf_add(buf, lines->folded.source + line->from, line->to - line->from);
		buf_putc(buf, '\n');
	}
}

/* True when all of the LEN bytes are marked lines, and empty ones. */
static bool is_all_marked(const char *text, size_t len)
{
	for (size_t at = 0, end; at < len; at = end + 1) {
		const char *newline = memchr(text + at, '\n', len - at);

		end = newline ? (size_t)(newline - text) : len;
		at = skip_blanks(text, at);
		if (at < end && !text_starts(text + at, TRAILER_MARK))
			return false;
	}
	return true;
}

/* What is a person's in the first LEN bytes of TEXT, which lie below a separator or had none. */
static char *strip(TALLOC_CTX *mem, const char *text, size_t len, struct known *known, bool below)
{
	struct lines lines;
	struct buf *buf;
	char *own;

	if (below && !known->count && is_all_marked(text, len)) /* T4, of nothing */
		return mem_strdup(mem, "");
	own = mem_strndup(mem, text, len);
	lines = lines_of(mem, own, strlen(own));
	buf = buf_new(mem);
	for (size_t i = 0; i < known->count; i++)
		known->lines[i].found = false;
	if (!drop_whole(buf, &lines.folded, own, strlen(own), known)) {
		if (!below)
			drop_blocks(known, &lines);
		drop_known(known, &lines, !below && known->marked);
		add_lines(buf, &lines, known_missing(known), below);
	}
	return plain(mem, buf->data);
}

static char *split(TALLOC_CTX *mem, const char *text, struct known *known)
{
	struct buf *notes = buf_new(mem);
	struct separator sep, next = { 0 };

	if (!find_cut(text, 0, &sep))
		return strip(mem, text, strlen(text), known, false);
	add_trimmed(notes, text, sep.from);
	for (bool more = true; more; sep = next) {
		size_t to = (more = find_cut(text, sep.to, &next)) ? next.from : strlen(text);
		const char *below = strip(mem, text + sep.to, to - sep.to, known, true);

		below += skip_space(below, 0);
		if (notes->len && *below)
			buf_putc(notes, '\n');
		buf_puts(notes, below);
	}
	return notes->data;
}

char *trailer_split(TALLOC_CTX *mem, const char *description, const char *last)
{
	TALLOC_CTX *own = MEM_CONTEXT(NULL);
	char *text = plain(own, description);
	char *before = last ? plain(own, last) : NULL;
	struct known known = known_of(own, before);
	bool cut_off = before && known.whole.len && strlen(text) >= strlen(known.notes) &&
		       text_starts(before, text);
	char *notes = cut_off ? known.notes : split(own, text, &known);

	notes = mem_strdup(mem, escape(own, notes, false));
	talloc_free(own);
	return notes;
}

char *trailer_join(TALLOC_CTX *mem, const char *notes, const char *trailer)
{
	char *below = plain(mem, trailer), *above = plain(mem, notes);
	const char *line = escape(below, below, true);
	struct buf buf = buf_of(mem, strlen(above) + 2 * strlen(line));

	buf_puts(&buf, escape(above, above, true));
	if (*line && buf.len)
		buf_puts(&buf, "\n\n");
	if (*line)
		buf_puts(&buf, TRAILER_SEPARATOR);
	while (*line) {
		size_t len = strcspn(line, "\n");

		buf_puts(&buf, "\n" TRAILER_MARK);
		if (len)
			buf_putc(&buf, ' ');
		buf_add(&buf, line, len);
		line += len + (line[len] == '\n');
	}
	talloc_free(above);
	talloc_free(below);
	return buf.data;
}

char *trailer_notes(TALLOC_CTX *mem, const char *notes)
{
	return plain(mem, notes);
}

/* Making a trailer */

static void put_line(struct buf *buf, const char *key, const char *text)
{
	const char *line = text ? text_trim_line(buf, text, TRAILER_LINE_MAX_CHARS) : NULL;

	if (!line || !*line)
		return;
	buf_puts(buf, key);
	buf_puts(buf, line);
	buf_putc(buf, '\n');
}

static void put_lines(struct buf *buf, const char *lines)
{
	for (size_t len; lines && *lines; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		put_line(buf, "", mem_strndup(buf, lines, len));
	}
}

static void put_description(struct buf *buf, const char *description)
{
	char *text;
	size_t max, len;
	bool cut;

	if (!description)
		return;
	text = plain(buf, description);
	max = text_prefix_chars(text, TRAILER_DESCRIPTION_MAX_CHARS);
	cut = text[max];
	text[max] = '\0';
	text += strspn(text, "\n");
	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		add_trimmed(buf, text, len);
		buf_puts(buf, cut && !text[len] ? "\u2026\n" : "\n");
	}
}

/* "3 h of 12 h"; without a plan only what was done. */
static void put_work(struct buf *buf, const struct vector *values)
{
	int64_t actual = vector_get(values, FIELD_actual_work, 0);

	if (vector_get(values, FIELD_total_work, 0) > 0) /* a milestone has no work to speak of */
		buf_join(buf, "Work: ", effort_to_text(buf, actual), " of ",
			 effort_to_text(buf, vector_get(values, FIELD_total_work, 0)), "\n", NULL);
	else if (actual)
		buf_printf(buf, "Work: %s\n", effort_to_text(buf, actual));
}

static void put_values(struct buf *buf, const struct vector *values)
{
	if (vector_get(values, FIELD_milestone, 0))
		buf_puts(buf, "Milestone: yes\n");
	put_work(buf, values);
	if (vector_is_set(values, FIELD_deadline)) {
		struct when day = when_date(when_local_day(&values->value[FIELD_deadline].when));

		buf_printf(buf, "Deadline: %s\n", when_text(buf, &day));
	}
}

static void put_predecessors(struct buf *buf, const char *lines)
{
	struct buf *names;
	size_t count = 0;

	if (!lines || !*lines)
		return;
	names = buf_new(buf);
	for (const char *line = lines; *line;) {
		size_t len = strcspn(line, "\n");

		if (len && count++ < TRAILER_PREDECESSORS_MAX)
			buf_printf(names, "%s%s", names->len ? ", " : "",
				   text_one_line(names, mem_strndup(names, line, len),
						 NAME_MAX_CHARS));
		line += len + (line[len] == '\n');
	}
	if (count > TRAILER_PREDECESSORS_MAX)
		buf_printf(names, " and %zu more", count - TRAILER_PREDECESSORS_MAX);
	if (count)
		buf_printf(buf, "After: %s\n", names->data);
}

char *trailer_text(TALLOC_CTX *mem, const struct trailer *trailer)
{
	struct buf *buf = buf_new_sized(mem, FIRST_TEXT);
	const struct vector *values = trailer->values;

	if (values)
		put_description(buf, vector_str(values, FIELD_description));
	put_line(buf, "Project: ", trailer->project);
	if (values)
		put_values(buf, values);
	put_predecessors(buf, trailer->predecessors);
	put_lines(buf, trailer->files);
	put_lines(buf, trailer->outcomes);
	put_line(buf, "Note: ", trailer->remark);
	if (trailer->hint)
		put_line(buf, "", trailer->hint);
	put_line(buf, "", trailer->how_to_report ? trailer->how_to_report : TRAILER_HOW_TO_REPORT);
	return buf_steal(&buf, mem, NULL);
}
