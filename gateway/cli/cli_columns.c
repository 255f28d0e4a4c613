/* cli_columns.c - rows are collected, then measured, then printed. When a terminal is too narrow,
 * the widest column of words gives one place after the other until all fits or none can give any
 * more; then lines wrap as the terminal likes. */
#include "config.h"

#include "gateway/cli/cli_columns.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

#define GAP 2                 /* blanks between two columns */
#define CELL_CHARS_MAX 200    /* code points of a cell: more is read with `show` or --json */
#define WORDS_WIDTH_MIN 8     /* a narrower column of words says nothing */
#define TERMINAL_WIDTH_MIN 40 /* a narrower one wraps */
#define ROOM_FIRST 64         /* rows */

struct cli_columns {
	struct cli_column column[CLI_COLUMNS_MAX];
	size_t count;
	char **cells; /* COUNT per row */
	size_t rows, room;
};

/* Code points whose width is not 1, in order: Unicode's non-spacing marks that European and Hebrew
 * or Arabic text has, and what East Asian Width calls W or F, rounded to blocks. The C library's
 * wcwidth() needs a locale that we do not set. */
static const struct {
	uint32_t first, last;
	int width;
} widths[] = {
	{ 0x0300, 0x036F, 0 },   { 0x0483, 0x0489, 0 },   { 0x0591, 0x05BD, 0 },
	{ 0x064B, 0x065F, 0 },   { 0x1100, 0x115F, 2 },   { 0x1AB0, 0x1AFF, 0 },
	{ 0x1DC0, 0x1DFF, 0 },   { 0x200B, 0x200F, 0 },   { 0x20D0, 0x20FF, 0 },
	{ 0x2E80, 0x303E, 2 },   { 0x3041, 0x4DBF, 2 },   { 0x4E00, 0xA4CF, 2 },
	{ 0xAC00, 0xD7A3, 2 },   { 0xF900, 0xFAFF, 2 },   { 0xFE00, 0xFE0F, 0 },
	{ 0xFE20, 0xFE2F, 0 },   { 0xFE30, 0xFE6F, 2 },   { 0xFF00, 0xFF60, 2 },
	{ 0xFFE0, 0xFFE6, 2 },   { 0x1F300, 0x1F64F, 2 }, { 0x1F900, 0x1F9FF, 2 },
	{ 0x20000, 0x3FFFD, 2 },
};

/* The code point that well-formed text begins with; moves on. */
static uint32_t next_char(const char **at)
{
	const unsigned char *bytes = (const unsigned char *)*at;
	int more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
	uint32_t c = more ? bytes[0] & (0x3FU >> more) : bytes[0];

	for (int i = 1; i <= more && (bytes[i] & 0xC0) == 0x80; i++) {
		c = c << 6 | (bytes[i] & 0x3F);
		++*at;
	}
	++*at;
	return c;
}

static size_t char_width(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(widths) && widths[i].first <= c; i++)
		if (c <= widths[i].last)
			return (size_t)widths[i].width;
	return 1;
}

size_t cli_columns_width(const char *text)
{
	size_t width = 0;

	while (*text)
		width += char_width(next_char(&text));
	return width;
}

struct cli_columns *cli_columns_new(TALLOC_CTX *mem, const struct cli_column *columns, size_t count)
{
	struct cli_columns *table = MEM_NEW(mem, struct cli_columns);

	assert(count <= CLI_COLUMNS_MAX);
	memcpy(table->column, columns, count * sizeof *columns);
	table->count = count;
	return table;
}

void cli_columns_add(struct cli_columns *table, const char *const *cells)
{
	if (table->rows == table->room) {
		table->room = table->room ? 2 * table->room : ROOM_FIRST;
		table->cells = MEM_GROW(table, table->cells, char *, table->room * table->count);
	}
	for (size_t i = 0; i < table->count; i++)
		table->cells[table->rows * table->count + i] = text_one_line(
			table, cells[i] && *cells[i] ? cells[i] : "-", CELL_CHARS_MAX);
	table->rows++;
}

static void measure(const struct cli_columns *table, size_t *widths_r)
{
	for (size_t i = 0; i < table->count; i++)
		widths_r[i] = cli_columns_width(table->column[i].head);
	for (size_t n = 0; n < table->rows * table->count; n++) {
		size_t width = cli_columns_width(table->cells[n]);

		if (width > widths_r[n % table->count])
			widths_r[n % table->count] = width;
	}
}

static void shrink(const struct cli_columns *table, size_t *cell_widths, size_t width)
{
	size_t total = (table->count - 1) * GAP;

	for (size_t i = 0; i < table->count; i++)
		total += cell_widths[i];
	while (total > width) {
		size_t widest = table->count;

		for (size_t i = 0; i < table->count; i++)
			if (table->column[i].kind == CLI_COLUMN_WORDS &&
			    cell_widths[i] > WORDS_WIDTH_MIN &&
			    (widest == table->count || cell_widths[i] > cell_widths[widest]))
				widest = i;
		if (widest == table->count)
			return;
		cell_widths[widest]--;
		total--;
	}
}

static void pad(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

/* A wide character that does not fit whole leaves a blank. */
static void print_cut(FILE *out, const char *text, size_t width, bool last)
{
	size_t used = 0;

	for (const char *at = text, *next = text; *at; at = next) {
		size_t one = char_width(next_char(&next));

		if (used + one > width - 1)
			break;
		fwrite(at, 1, (size_t)(next - at), out);
		used += one;
	}
	fputs("\xE2\x80\xA6", out); /* U+2026 */
	if (!last)
		pad(out, width - 1 - used);
}

static void print_cell(FILE *out, const char *text, size_t width, enum cli_column_kind kind,
		       bool last)
{
	size_t own = cli_columns_width(text);

	if (own > width) {
		print_cut(out, text, width, last);
		return;
	}
	if (kind == CLI_COLUMN_NUMBER)
		pad(out, width - own);
	fputs(text, out);
	if (kind != CLI_COLUMN_NUMBER && !last)
		pad(out, width - own);
}

static void print_row(const struct cli_columns *table, FILE *out, const char *const *cells,
		      const size_t *cell_widths)
{
	for (size_t i = 0; i < table->count; i++) {
		if (i)
			pad(out, GAP);
		print_cell(out, cells[i], cell_widths[i], table->column[i].kind,
			   i + 1 == table->count);
	}
	fputc('\n', out);
}

void cli_columns_print(const struct cli_columns *table, FILE *out, size_t width)
{
	size_t cell_widths[CLI_COLUMNS_MAX];
	const char *heads[CLI_COLUMNS_MAX];

	measure(table, cell_widths);
	if (width)
		shrink(table, cell_widths, width);
	for (size_t i = 0; i < table->count; i++)
		heads[i] = table->column[i].head;
	print_row(table, out, heads, cell_widths);
	for (size_t row = 0; row < table->rows; row++)
		print_row(table, out, (const char *const *)table->cells + row * table->count,
			  cell_widths);
}

size_t cli_columns_terminal(FILE *out)
{
	struct winsize size = { 0 };
	int fd = fileno(out);

	if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) < 0 ||
	    size.ws_col < TERMINAL_WIDTH_MIN)
		return 0;
	return size.ws_col;
}
