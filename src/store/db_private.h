/* db_private.h - what a database driver fulfils. */
#ifndef TASKFERRY_DB_PRIVATE_H
#define TASKFERRY_DB_PRIVATE_H

#include "store/db.h"

#define DB_BINDS_MAX 25 /* parameters of the widest statement */

struct db_bind {
	char type; /* i, t, b or x */
	bool lasting; /* the text stays as it is until the statement has been run */
	int64_t number; /* of x: how many bytes */
	const char *text;
};

struct db_driver {
	const char *scheme; /* "sqlite:" */
	struct fault *(*open)(TALLOC_CTX *mem, const char *where, bool create, struct db **db_r);
	struct fault *(*begin)(struct db *db, bool write);
	struct fault *(*commit)(struct db *db);
	void (*rollback)(struct db *db);
	/* whether a commit waits until it outlives a failure of the machine */
	struct fault *(*waits)(struct db *db, bool waits);
	struct fault *(*query)(struct db *db, enum sql sql, const struct db_bind *binds, int count,
			       struct db_cursor *cursor);
	bool (*next)(struct db_cursor *cursor);
	bool (*is_null)(struct db_cursor *cursor, int column);
	int64_t (*number)(struct db_cursor *cursor, int column);
	const char *(*text)(struct db_cursor *cursor, int column); /* NULL is NULL */
	const char *(*bytes)(struct db_cursor *cursor, int column, size_t *len_r);
	struct fault *(*close)(struct db_cursor *cursor);
	struct fault *(*execute)(struct db *db, const char *text);
	struct fault *(*has_table)(struct db *db, const char *name, bool *has_r);
	struct fault *(*data_version)(struct db *db, int64_t *version_r);
	void (*settle)(struct db *db);
	void (*rest)(struct db *db);
};

/* A driver's own struct begins with this one. */
struct db {
	const struct db_driver *driver;
	bool in_transaction;
	bool is_loose; /* commits do not wait just now */
};

struct db_cursor {
	struct db *db;
	void *statement; /* the driver's */
	int last;        /* the driver's last result */
};

extern const struct db_driver db_sqlite;

const char *db_statement_text(enum sql sql);
const char *db_statement_name(enum sql sql);

#endif
