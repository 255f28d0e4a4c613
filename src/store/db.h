/* db.h - a database connection and the driver contract below it.
 *
 * Statements are named (sql.h), never written elsewhere. A driver is a table of functions; SQLite's
 * is the first, a second one needs no new SQL. One connection belongs to one thread.
 */
#ifndef TASKFERRY_DB_H
#define TASKFERRY_DB_H

#include <stddef.h>

#include "base/fault.h"
#include "store/sql.h"

struct db;
struct db_cursor;

/* A CONFIG fault when this program is not built for such a DSN; nothing is opened. */
struct fault *db_known(TALLOC_CTX *mem, const char *dsn) ATTR_MUST_CHECK;

/* Opens "sqlite:PATH". CREATE makes the file when it is not there; otherwise a missing one is a
 * NO_INPUT fault that names `taskferry init`. */
struct fault *db_open(TALLOC_CTX *mem, const char *dsn, bool create,
		      struct db **db_r) ATTR_MUST_CHECK;

/* A write transaction takes the writer's lock at once (waiting up to DB_BUSY_MS, then TRY_LATER). A
 * read transaction gives several reads one view. They do not nest. */
#define DB_BUSY_MS                                                                                 \
	15000 /* a batch of 500 items commits in well under a second even on slow disks */
struct fault *db_begin(struct db *db, bool write) ATTR_MUST_CHECK;
/* To write what may be lost when the machine fails: its commit waits for no disk, the next one that does
 * makes it last. Other processes see it at once. */
struct fault *db_begin_loose(struct db *db) ATTR_MUST_CHECK;
struct fault *db_commit(struct db *db) ATTR_MUST_CHECK;
void db_rollback(struct db *db); /* harmless without a transaction */

/* Runs a statement whose rows nobody wants. BINDS has a letter per parameter: i int64_t, t const
 * char * (NULL is NULL), b int (a truth value), x const void * and size_t (bytes). */
struct fault *db_run(struct db *db, enum sql sql, const char *binds, ...) ATTR_MUST_CHECK;

/* Runs a statement for its rows. Close the cursor before the same statement is run again. */
struct fault *db_query(struct db *db, TALLOC_CTX *mem, struct db_cursor **cursor_r, enum sql sql,
		       const char *binds, ...) ATTR_MUST_CHECK;
bool db_next(struct db_cursor *cursor);
int64_t db_int(struct db_cursor *cursor, int column); /* NULL is 0 */
bool db_bool(struct db_cursor *cursor, int column);
char *db_text(struct db_cursor *cursor, TALLOC_CTX *mem, int column); /* NULL is NULL */

/* The same where it is, good until the cursor moves or the column is read as something else. */
const char *db_peek(struct db_cursor *cursor, int column);

/* Bytes, with a NUL behind them; NULL is NULL and 0. */
char *db_bytes(struct db_cursor *cursor, TALLOC_CTX *mem, int column, size_t *len_r);

/* Ends a cursor and sets it to NULL; tells whether reading ended well. */
struct fault *db_close(struct db_cursor **cursor) ATTR_MUST_CHECK;

/* Runs the text of a migration. */
struct fault *db_execute(struct db *db, const char *text) ATTR_MUST_CHECK;

/* A number that is another one after any other connection, of this process or another, has changed
 * the database. Cheap; writes nothing. */
struct fault *db_data_version(struct db *db, int64_t *version_r) ATTR_MUST_CHECK;

/* For a moment in which nobody waits, outside of transactions: what commits have put off and takes
 * a while is done, if that is worth while. Others read and write meanwhile. */
void db_settle(struct db *db);

/* Gives back the memory of what was read before, which is read again when it is needed. */
void db_rest(struct db *db);

/* True when a table of that name is there. */
struct fault *db_has_table(struct db *db, const char *name, bool *has_r) ATTR_MUST_CHECK;

#endif
