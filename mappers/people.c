#include "config.h"

#include "mappers/people.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

/* A CSV file of people (RFC 4180).
 *
 * The text is cut into rows of cells; the first row that is not blank is the header, read once per
 * separator, and the separator under which most columns are known is the file's. Cells are trimmed;
 * a row whose cells are all empty is blank. Lines end by CRLF, LF or CR; a line of a message is
 * where the row begins.
 *
 * The same person twice: the same key, or the same name unless both rows have keys (two people of
 * one name). One address may stand behind several names, for project files spell people in their
 * own ways.
 */

#define PEOPLE_MAX ((size_t)100000) /* rows: the largest organisations' address books */
#define COLUMNS_MAX ((size_t)256)   /* of a header; what programs export has some 90 */
#define CELL_MAX ((size_t)32 << 10) /* bytes: what spreadsheets hold in a cell */
#define QUOTE_CHARS 60              /* of a cell in a message */

enum column { COLUMN_KEY, COLUMN_NAME, COLUMN_EMAIL, COLUMNS };

static const struct {
	const char *name;
	enum column column;
} headers[] = {
	{ "key", COLUMN_KEY },     { "name", COLUMN_NAME },    { "resource", COLUMN_NAME },
	{ "email", COLUMN_EMAIL }, { "e-mail", COLUMN_EMAIL }, { "mail", COLUMN_EMAIL },
};

static const char *const column_names[] = { "key", "name", "email" };
_Static_assert(COUNT_OF(column_names) == COLUMNS, "one name per column");

static const char separators[] = { ',', ';', '\t' };

struct reader {
	TALLOC_CTX *mem; /* of faults */
	const char *name;
	const char *at, *end;
	long line;
	char separator;
};

/* One row: its cells, trimmed; all owned by the row. */
struct row {
	const char **cells;
	size_t count;
	long line;
	bool blank;
};

static struct fault *bad(const struct reader *reader, long line, const char *fmt, ...)
	ATTR_PRINTF(3, 4);

static struct fault *bad(const struct reader *reader, long line, const char *fmt, ...)
{
	struct fault *fault;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(reader->mem, fmt, ap);
	va_end(ap);
	fault = fault_new(reader->mem, FAULT_DATA, "%s:%ld: %s", reader->name, line, text);
	talloc_free(text);
	return fault;
}

/* ---- cells and rows ---- */

static bool at_line_end(const struct reader *reader)
{
	return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r';
}

/* Over CRLF, LF or CR. */
static void next_line(struct reader *reader)
{
	if (reader->at < reader->end && *reader->at == '\r')
		reader->at++;
	else if (reader->at < reader->end)
		reader->at += *reader->at == '\n';
	if (reader->at < reader->end && reader->at[-1] == '\r' && *reader->at == '\n')
		reader->at++;
	reader->line++;
}

/* The rest of a cell in quotes, up to and over the closing one. */
static struct fault *quoted_cell(struct reader *reader, struct buf *cell)
{
	long line = reader->line;

	for (;; reader->at++) {
		if (reader->at == reader->end)
			return bad(reader, line, "a quote is not closed");
		if (*reader->at == '"') {
			if (reader->at + 1 == reader->end || reader->at[1] != '"')
				break;
			reader->at++;
		}
		if (*reader->at == '\n' && reader->at[-1] != '\r')
			reader->line++;
		else if (*reader->at == '\r')
			reader->line++;
		buf_putc(cell, *reader->at);
	}
	reader->at++;
	while (reader->at < reader->end && *reader->at == ' ')
		reader->at++;
	if (!at_line_end(reader) && *reader->at != reader->separator)
		return bad(reader, reader->line, "text behind a closing quote");
	return NULL;
}

static struct fault *plain_cell(struct reader *reader, struct buf *cell)
{
	const char *from = reader->at;

	while (!at_line_end(reader) && *reader->at != reader->separator) {
		if (*reader->at == '"')
			return bad(reader, reader->line, "a quote in the middle of a cell");
		reader->at++;
	}
	buf_add(cell, from, (size_t)(reader->at - from));
	return NULL;
}

static struct fault *read_cell(struct reader *reader, struct row *row)
{
	struct buf *cell = buf_new(row);
	struct fault *fault;

	while (reader->at < reader->end && *reader->at == ' ')
		reader->at++;
	if (reader->at < reader->end && *reader->at == '"') {
		reader->at++;
		fault = quoted_cell(reader, cell);
	} else {
		fault = plain_cell(reader, cell);
	}
	if (!fault && cell->len > CELL_MAX)
		fault = bad(reader, row->line, "a cell larger than %zu KiB", CELL_MAX >> 10);
	if (fault)
		return fault;
	row->cells[row->count++] = text_trim(row, cell->data);
	row->blank = row->blank && *row->cells[row->count - 1] == '\0';
	talloc_free(cell);
	return NULL;
}

/* The next row, also a blank one; NULL at the end of the text. ROW_R hangs from MEM. */
static struct fault *read_row(TALLOC_CTX *mem, struct reader *reader, struct row **row_r)
{
	struct row *row;

	if (reader->at == reader->end) {
		*row_r = NULL;
		return NULL;
	}
	row = MEM_NEW(mem, struct row);
	row->cells = MEM_ARRAY(row, const char *, COLUMNS_MAX);
	row->line = reader->line;
	row->blank = true;
	for (;;) {
		if (row->count == COLUMNS_MAX)
			return bad(reader, row->line, "more than %zu cells", COLUMNS_MAX);
		FAULT_TRY(read_cell(reader, row));
		if (at_line_end(reader))
			break;
		reader->at++;
	}
	next_line(reader);
	*row_r = row;
	return NULL;
}

/* The next row that says something. */
static struct fault *read_full_row(TALLOC_CTX *mem, struct reader *reader, struct row **row_r)
{
	struct row *row = NULL;

	for (;;) {
		FAULT_TRY(read_row(mem, reader, &row));
		if (!row || !row->blank)
			break;
		talloc_free(row);
	}
	*row_r = row;
	return NULL;
}

/* ---- the header ---- */

struct header {
	size_t place[COLUMNS]; /* of the cell, plus one; 0: no such column */
	size_t count, known;
};

static enum column find_column(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(headers); i++)
		if (text_equal_nocase(headers[i].name, name))
			return headers[i].column;
	return COLUMNS;
}

static struct fault *header_from_row(const struct reader *reader, const struct row *row,
				     struct header *header_r)
{
	struct header header = { .count = row->count };

	for (size_t i = 0; i < row->count; i++) {
		enum column column = find_column(row->cells[i]);

		if (column == COLUMNS)
			continue;
		if (header.place[column])
			return bad(reader, row->line, "two columns of the meaning '%s'",
				   column_names[column]);
		header.place[column] = i + 1;
		header.known++;
	}
	*header_r = header;
	return NULL;
}

/* Reads the header with each separator and goes on with the one that knows most columns. */
static struct fault *read_header(TALLOC_CTX *mem, struct reader *reader, struct header *header_r)
{
	struct reader best = *reader;
	struct header best_header = { .known = 0 };
	struct fault *fault = NULL;
	long line = 0;

	for (size_t i = 0; i < COUNT_OF(separators); i++) {
		struct reader trial = *reader;
		struct header header = { .known = 0 };
		struct row *row = NULL;
		struct fault *why;

		trial.separator = separators[i];
		why = read_full_row(mem, &trial, &row);
		if (!why && !row)
			return bad(reader, 1, "no header: the file is empty");
		if (why) {
			fault = why;
			continue;
		}
		FAULT_TRY(header_from_row(&trial, row, &header));
		line = row->line;
		if (header.known > best_header.known) {
			best = trial;
			best_header = header;
		}
	}
	if (fault && best_header.known < 2)
		return fault;
	if (!best_header.place[COLUMN_EMAIL] || best_header.known < 2)
		return bad(reader, line,
			   "no header: columns 'email' and 'name' or 'key' are needed");
	*reader = best;
	*header_r = best_header;
	return NULL;
}

/* ---- people ---- */

/* The cell of a column; NULL when it is empty or missing. */
static const char *column_cell(const struct header *header, const struct row *row,
			       enum column column)
{
	size_t place = header->place[column];

	return place && place <= row->count && *row->cells[place - 1] ? row->cells[place - 1]
								      : NULL;
}

static struct fault *check_width(const struct reader *reader, const struct header *header,
				 const struct row *row)
{
	for (size_t i = header->count; i < row->count; i++)
		if (*row->cells[i])
			return bad(reader, row->line, "%zu cells, but the header has %zu",
				   row->count, header->count);
	return NULL;
}

static struct fault *person_from_row(TALLOC_CTX *mem, const struct reader *reader,
				     const struct header *header, const struct row *row,
				     struct person *person)
{
	const char *key = column_cell(header, row, COLUMN_KEY),
		   *name = column_cell(header, row, COLUMN_NAME);
	const char *email = column_cell(header, row, COLUMN_EMAIL);

	FAULT_TRY(check_width(reader, header, row));
	if (!key && !name)
		return bad(reader, row->line, "neither a name nor a key");
	if (email && !text_is_address(email))
		return bad(reader, row->line, "'%s' is no address that we accept",
			   text_one_line(reader->mem, email, QUOTE_CHARS));
	person->key = mem_strdup(mem, key);
	person->name = mem_strdup(mem, name);
	person->email = email ? text_lower(mem, email) : NULL;
	person->line = row->line;
	return NULL;
}

static int order_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int by_key(const void *a, const void *b)
{
	const struct person *x = *(struct person *const *)a, *y = *(struct person *const *)b;
	int rc = order_text(x->key, y->key);

	return rc ? rc : (x->line > y->line) - (x->line < y->line);
}

/* Of one name those without a key come first. */
static int by_name(const void *a, const void *b)
{
	const struct person *x = *(struct person *const *)a, *y = *(struct person *const *)b;
	int rc = order_text(x->name, y->name);

	return rc ? rc : by_key(a, b);
}

static bool same_key(const struct person *a, const struct person *b)
{
	return a->key && b->key && strcmp(a->key, b->key) == 0;
}

static bool same_name(const struct person *a, const struct person *b)
{
	return a->name && b->name && strcmp(a->name, b->name) == 0 && (!a->key || !b->key);
}

static struct fault *find_twice(const struct reader *reader, struct person **list, size_t count,
				int (*compare)(const void *, const void *),
				bool (*same)(const struct person *, const struct person *))
{
	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 1; i < count; i++) {
		const struct person *a = list[i - 1], *b = list[i];
		long first = a->line < b->line ? a->line : b->line,
		     again = a->line < b->line ? b->line : a->line;

		if (same(a, b))
			return bad(reader, again, "the same person as in line %ld: %s", first,
				   text_one_line(reader->mem, b->name ? b->name : b->key,
						 QUOTE_CHARS));
	}
	return NULL;
}

static struct fault *check_twice(TALLOC_CTX *mem, const struct reader *reader,
				 struct person *people, size_t count)
{
	struct person **list = MEM_ARRAY(mem, struct person *, count);

	for (size_t i = 0; i < count; i++)
		list[i] = &people[i];
	FAULT_TRY(find_twice(reader, list, count, by_key, same_key));
	return find_twice(reader, list, count, by_name, same_name);
}

static struct fault *read_people(TALLOC_CTX *work, struct reader *reader, struct person **people_r,
				 size_t *count_r)
{
	struct person *people = MEM_ARRAY(work, struct person, 1);
	size_t count = 0, size = 1;
	struct header header = { .known = 0 };
	struct row *row;

	FAULT_TRY(read_header(work, reader, &header));
	for (;;) {
		FAULT_TRY(read_full_row(work, reader, &row));
		if (!row)
			break;
		if (count == PEOPLE_MAX)
			return bad(reader, row->line, "more than %zu people", PEOPLE_MAX);
		if (count == size)
			people = MEM_GROW(work, people, struct person, size *= 2);
		FAULT_TRY(person_from_row(people, reader, &header, row, &people[count++]));
		talloc_free(row);
	}
	FAULT_TRY(check_twice(work, reader, people, count));
	*people_r = people;
	*count_r = count;
	return NULL;
}

/* The first line that is not UTF-8. */
static long bad_utf8_line(const char *text, size_t len)
{
	const char *end = text + len, *from = text;
	long line = 1;

	for (;; line++) {
		const char *newline = memchr(from, '\n', (size_t)(end - from));

		if (!newline || !text_is_utf8(from, (size_t)(newline - from)))
			return line;
		from = newline + 1;
	}
}

struct fault *people_read(TALLOC_CTX *mem, const char *name, const char *text, size_t len,
			  struct person **people_r, size_t *count_r)
{
	static const char bom[] = { '\xef', '\xbb', '\xbf' };
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct reader reader = {
		.mem = work, .name = name, .at = text, .end = text + len, .line = 1
	};
	struct fault *fault;

	if ((int64_t)len > PEOPLE_FILE_MAX)
		fault = bad(&reader, 1, "larger than %lld MiB", (long long)(PEOPLE_FILE_MAX >> 20));
	else if (!text_is_utf8(text, len))
		fault = bad(&reader, bad_utf8_line(text, len), "not UTF-8");
	else {
		if (len >= sizeof(bom) && memcmp(text, bom, sizeof(bom)) == 0)
			reader.at += sizeof(bom);
		fault = read_people(work, &reader, people_r, count_r);
	}
	(void)talloc_steal(mem, fault ? (void *)fault : (void *)*people_r);
	talloc_free(work);
	return fault;
}

static struct fault *read_all(TALLOC_CTX *mem, const char *path, int fd, struct buf *buf)
{
	char chunk[16384];
	ssize_t n;

	while ((int64_t)buf->len <= PEOPLE_FILE_MAX) {
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			break;
		if (n > 0)
			buf_add(buf, chunk, (size_t)n);
		else if (errno != EINTR)
			return fault_new(mem, FAULT_IO, "%s: cannot be read: %s", path,
					 strerror(errno));
	}
	return NULL;
}

struct fault *people_read_file(TALLOC_CTX *mem, const char *path, struct person **people_r,
			       size_t *count_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct fault *fault;
	struct stat st;
	struct buf *buf;

	if (fd < 0)
		return fault_new(mem, FAULT_NO_INPUT, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return fault_new(mem, FAULT_NO_INPUT, "%s: is not a file that can be read", path);
	}
	buf = buf_new(mem);
	fault = read_all(mem, path, fd, buf);
	close(fd);
	if (!fault)
		fault = people_read(mem, path, buf->data, buf->len, people_r, count_r);
	talloc_free(buf);
	return fault;
}
