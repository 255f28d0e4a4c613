/* project_private.h - what reads rows of a project, shared by project.c, values.c and sheet.c. */
#ifndef TASKFERRY_PROJECT_PRIVATE_H
#define TASKFERRY_PROJECT_PRIVATE_H

#include "store/project.h"

/* A row of the columns of assignment, which come first (rows_read). */
void project_read_assignment(struct db_cursor *cursor, TALLOC_CTX *mem, void *element);

/* Without any value. */
struct stamped *values_new(TALLOC_CTX *mem);

/* Takes the value that stands in a row from COLUMN on (field, text, seq, changed_at, author). A field of
 * another scope, or one that this program does not know, is skipped; a text that is no value any more is
 * a DATA fault: the database is not what we wrote. *AUTHOR is the last one that was read, NULL at first:
 * they belong to AUTHORS, and most values have the same. */
struct fault *values_take(struct db_cursor *cursor, int column, enum field_scope scope,
			  struct stamped *stamped, TALLOC_CTX *authors,
			  const char **author) ATTR_MUST_CHECK;

#endif
