/* cli_columns.h - a table for people: columns as wide as their content, cut to the terminal only
 * where there is one. */
#ifndef TASKFERRY_CLI_COLUMNS_H
#define TASKFERRY_CLI_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/mem.h"

#define CLI_COLUMNS_MAX 12

enum cli_column_kind {
	CLI_COLUMN_KEY,    /* is typed back by people: never cut */
	CLI_COLUMN_NUMBER, /* right-aligned, never cut */
	CLI_COLUMN_WORDS,  /* gives way when the terminal is too narrow */
};

struct cli_column {
	const char *head;
	enum cli_column_kind kind;
};

struct cli_columns;

/* A table with COUNT (at most CLI_COLUMNS_MAX) columns. */
struct cli_columns *cli_columns_new(TALLOC_CTX *mem, const struct cli_column *columns,
				    size_t count);

/* A row of as many cells as there are columns; copied. NULL or "" is shown as "-". What a terminal
 * could take for more than text (control characters, newlines, direction overrides) becomes blanks.
 */
void cli_columns_add(struct cli_columns *table, const char *const *cells);

/* Prints heads and rows. WIDTH 0: nothing is cut, and no blanks at line ends. */
void cli_columns_print(const struct cli_columns *table, FILE *out, size_t width);

/* The terminal's width; 0 when OUT is none. */
size_t cli_columns_terminal(FILE *out);

/* How many columns of a terminal a text takes: 0 for combining marks, 2 for East Asian wide and
 * emoji. */
size_t cli_columns_width(const char *text);

#endif
