/* rows.h - reading rows into arrays: the loop that every finder shares. */
#ifndef TASKFERRY_ROWS_H
#define TASKFERRY_ROWS_H

#include "store/db.h"

/* Fills one element from the cursor's row; texts go under MEM. */
typedef void rows_read(struct db_cursor *cursor, TALLOC_CTX *mem, void *element);

/* All rows of an open cursor as an array of elements of SIZE bytes; closes the cursor. */
struct fault *rows_all(struct db_cursor *cursor, TALLOC_CTX *mem, rows_read *read, size_t size,
		       void *list_r, size_t *count_r) ATTR_MUST_CHECK;

/* The first row as one element, NULL when there is none; closes the cursor. */
struct fault *rows_one(struct db_cursor *cursor, TALLOC_CTX *mem, rows_read *read, size_t size,
		       void *element_r) ATTR_MUST_CHECK;

/* The first column of the first row, OTHERWISE when there is none; closes the cursor. */
struct fault *rows_int(struct db_cursor *cursor, int64_t otherwise,
		       int64_t *number_r) ATTR_MUST_CHECK;

/* The place of NAME in a table of names of states. A name that the database should not have is the last one's: every such
 * table ends with its most careful state. */
int rows_name(const char *const *names, int count, const char *name);

#endif
