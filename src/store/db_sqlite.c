/* db_sqlite.c - the SQLite driver: WAL, synchronous FULL, one cached statement per row of the
 * statement table.
 *
 * `$n` is a named parameter in SQLite, numbered by first appearance, so its number is asked for by its
 * name, once per statement. */
#include "config.h"

#include "store/db_private.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_CACHE_KIB                                                                               \
	4096 /* page cache of one connection: what a round touches, not what there is */

/* Pages of the log (WAL) from which on it is worth while to carry them over into the database, and
 * from which on a commit does that itself, whoever waits for it: 16 MiB, some thousands of items,
 * which is read in a moment after a crash. */
#define DB_LOG_PAGES_WORTH 1000
#define DB_LOG_PAGES_MOST 4000

struct sqlite_db {
	struct db db;
	sqlite3 *handle;
	char *path;
	sqlite3_stmt *statements[SQL_STATEMENTS];
	unsigned char places[SQL_STATEMENTS]
			    [DB_BINDS_MAX]; /* of the parameters $1, $2 ...; 0: none */
	sqlite3_stmt *data_version;
	int log_pages; /* after its last commit, whoever wrote them */
};

#define MAKE_ROOM "; make room on its disk and run the command again, nothing was half done"

static bool no_room(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static struct fault *sqlite_fault(struct sqlite_db *db, const char *what)
{
	int code = sqlite3_errcode(db->handle) & 0xff;
	int error = sqlite3_system_errno(db->handle); /* of IOERR and CANTOPEN; else an old one */
	/* where it cannot be opened that is of the last of several tries, and misleads */
	bool system = error && (code == SQLITE_IOERR || (code == SQLITE_CANTOPEN && no_room(error)));
	enum fault_kind kind = FAULT_INTERNAL;
	const char *hint = "";

	switch (code) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		kind = FAULT_TRY_LATER;
		hint = "; another program holds the database, try again";
		break;
	case SQLITE_FULL:
		kind = FAULT_IO;
		hint = MAKE_ROOM;
		break;
	case SQLITE_IOERR:
		kind = FAULT_IO;
		hint = no_room(error) ? MAKE_ROOM : "";
		break;
	case SQLITE_CANTOPEN:
		kind = FAULT_CANNOT_CREATE;
		hint = no_room(error) ? MAKE_ROOM : "; its folder must be there and belong to you";
		break;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		kind = FAULT_NOT_PERMITTED;
		hint = "; run the command as the user who owns the database";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		kind = FAULT_DATA;
		hint = "; restore it from a backup";
		break;
	default:
		break;
	}
	return fault_new(db, kind, "%s: %s: %s%s%s%s%s", db->path, what, sqlite3_errmsg(db->handle),
			 system ? " (" : "", system ? strerror(error) : "", system ? ")" : "",
			 hint);
}

/* Where a reader or another checkpoint is in its way it does less, or fails, as it does by the disk: then
 * a later one does the rest. */
static void carry_over(struct sqlite_db *db)
{
	(void)sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* sqlite3_wal_hook(); in place of SQLite's own, which does that at 1,000 pages. */
static int committed(void *data, sqlite3 *handle, const char *name, int pages)
{
	struct sqlite_db *db = data;

	(void)handle;
	(void)name;
	db->log_pages = pages;
	if (pages >= DB_LOG_PAGES_MOST)
		carry_over(db);
	return SQLITE_OK;
}

static int sqlite_db_free(struct sqlite_db *db)
{
	for (int i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_finalize(db->data_version);
	sqlite3_close(db->handle);
	return 0;
}

static struct fault *pragma(struct sqlite_db *db, const char *text)
{
	if (sqlite3_exec(db->handle, text, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fault(db, "cannot be opened");
	return NULL;
}

/* The file must be ours: opening it as another user (root, say) would leave files that the owner
 * cannot write. */
static struct fault *check_owner(TALLOC_CTX *mem, const char *path, bool create)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT && create)
			return NULL;
		if (errno == ENOENT)
			return fault_new(mem, FAULT_NO_INPUT,
					 "%s: there is no database yet; make it by: taskferry init",
					 path);
		return fault_new(mem, errno == EACCES ? FAULT_NOT_PERMITTED : FAULT_IO, "%s: %s",
				 path, strerror(errno));
	}
	if (st.st_uid != geteuid())
		return fault_new(
			mem, FAULT_NOT_PERMITTED,
			"%s belongs to user %ld; run the command as that user (you are %ld)", path,
			(long)st.st_uid, (long)geteuid());
	return NULL;
}

static struct fault *sqlite_open(TALLOC_CTX *mem, const char *path, bool create, struct db **db_r)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
	struct sqlite_db *db;
	char *cache;
	mode_t mask;
	int rc;

	/* SQLite counts its memory under a lock of the whole process, and nobody asks for that.
	 * Once it has begun this changes nothing. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	FAULT_TRY(check_owner(mem, path, create));
	db = MEM_NEW(mem, struct sqlite_db);
	db->db.driver = &db_sqlite;
	db->path = mem_strdup(db, path);
	mask = umask(077); /* names, notes and addresses of people */
	rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
	umask(mask);
	talloc_set_destructor(db, sqlite_db_free);
	if (rc != SQLITE_OK)
		return talloc_steal(mem, sqlite_fault(db, "cannot be opened"));
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	cache = mem_printf(db, "PRAGMA cache_size = -%d", DB_CACHE_KIB);
	FAULT_TRY(pragma(db, "PRAGMA journal_mode = WAL"));
	FAULT_TRY(pragma(db, "PRAGMA synchronous = FULL"));
	FAULT_TRY(pragma(db, "PRAGMA foreign_keys = ON"));
	FAULT_TRY(pragma(db, "PRAGMA trusted_schema = OFF"));
	FAULT_TRY(pragma(db, cache));
	sqlite3_wal_hook(db->handle, committed, db);
	*db_r = &db->db;
	return NULL;
}

static struct fault *sqlite_execute(struct db *base, const char *text)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	if (sqlite3_exec(db->handle, text, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fault(db, "write failed");
	return NULL;
}

/* The text of a migration. Only a key that is called INTEGER is SQLite's own number of a row, which is
 * found at once and has no index; its values are as large as those of a BIGINT. */
static struct fault *sqlite_migrate(struct db *base, const char *text)
{
	static const char key[] = "BIGINT PRIMARY KEY";
	const char *at = strstr(text, key);
	struct fault *fault;
	char *own;

	if (!at)
		return sqlite_execute(base, text);
	own = mem_printf(base, "%.*sINTEGER PRIMARY KEY%s", (int)(at - text), text,
			 at + strlen(key));
	fault = sqlite_execute(base, own);
	talloc_free(own);
	return fault;
}

static struct fault *sqlite_begin(struct db *base, bool write)
{
	return sqlite_execute(base, write ? "BEGIN IMMEDIATE" : "BEGIN");
}

static struct fault *sqlite_commit(struct db *base)
{
	return sqlite_execute(base, "COMMIT");
}

static void sqlite_rollback(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	/* Fails only when a full disk or an I/O error has already rolled back, which is what is
	 * wanted. */
	(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* In WAL mode a commit that does not wait is atomic and in order all the same: it may be lost, and then
 * nothing that came after it stands. */
static struct fault *sqlite_waits(struct db *base, bool waits)
{
	return sqlite_execute(base, waits ? "PRAGMA synchronous = FULL"
					  : "PRAGMA synchronous = NORMAL");
}

static void find_places(struct sqlite_db *db, enum sql sql)
{
	int count = sqlite3_bind_parameter_count(db->statements[sql]);
	char name[16];

	for (int i = 0; i < count && i < DB_BINDS_MAX; i++) {
		snprintf(name, sizeof name, "$%d", i + 1);
		db->places[sql][i] =
			(unsigned char)sqlite3_bind_parameter_index(db->statements[sql], name);
	}
}

static int bind_one(sqlite3_stmt *statement, int index, const struct db_bind *bind)
{
	sqlite3_destructor_type copied = bind->lasting ? SQLITE_STATIC : SQLITE_TRANSIENT;

	if (!index)
		return SQLITE_RANGE;
	if (bind->type == 'x')
		return sqlite3_bind_blob64(statement, index, bind->text ? bind->text : "",
					   (sqlite3_uint64)bind->number, copied);
	if (bind->type != 't')
		return sqlite3_bind_int64(statement, index, bind->number);
	if (!bind->text)
		return sqlite3_bind_null(statement, index);
	return sqlite3_bind_text(statement, index, bind->text, -1, copied);
}

static struct fault *sqlite_query(struct db *base, enum sql sql, const struct db_bind *binds,
				  int count, struct db_cursor *cursor)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	sqlite3_stmt **statement = &db->statements[sql];

	if (!*statement) {
		if (sqlite3_prepare_v3(db->handle, db_statement_text(sql), -1,
				       SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
			return sqlite_fault(db, db_statement_name(sql));
		find_places(db, sql);
	}
	for (int i = 0; i < count; i++)
		if (bind_one(*statement, db->places[sql][i], &binds[i]) != SQLITE_OK)
			return sqlite_fault(db, db_statement_name(sql));
	cursor->statement = *statement;
	cursor->last = SQLITE_ROW;
	return NULL;
}

static bool sqlite_next(struct db_cursor *cursor)
{
	if (cursor->last == SQLITE_ROW)
		cursor->last = sqlite3_step(cursor->statement);
	return cursor->last == SQLITE_ROW;
}

static struct fault *sqlite_close_cursor(struct db_cursor *cursor)
{
	struct sqlite_db *db = (struct sqlite_db *)cursor->db;
	struct fault *fault = NULL;

	if (cursor->last != SQLITE_ROW && cursor->last != SQLITE_DONE)
		fault = sqlite_fault(db, "failed");
	sqlite3_reset(cursor->statement);
	sqlite3_clear_bindings(cursor->statement);
	cursor->statement = NULL;
	return fault;
}

static bool sqlite_is_null(struct db_cursor *cursor, int column)
{
	return sqlite3_column_type(cursor->statement, column) == SQLITE_NULL;
}

static int64_t sqlite_number(struct db_cursor *cursor, int column)
{
	return sqlite3_column_int64(cursor->statement, column);
}

static const char *sqlite_text(struct db_cursor *cursor, int column)
{
	return (const char *)sqlite3_column_text(cursor->statement, column);
}

static const char *sqlite_bytes(struct db_cursor *cursor, int column, size_t *len_r)
{
	const char *bytes = sqlite3_column_blob(cursor->statement, column);

	*len_r = (size_t)sqlite3_column_bytes(cursor->statement, column);
	return bytes;
}

static struct fault *sqlite_has_table(struct db *base, const char *name, bool *has_r)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	sqlite3_stmt *statement = NULL;
	int rc;

	if (sqlite3_prepare_v2(db->handle,
			       "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", -1,
			       &statement, NULL) != SQLITE_OK)
		return sqlite_fault(db, "cannot be read");
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(statement);
	sqlite3_finalize(statement);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_fault(db, "cannot be read");
	*has_r = rc == SQLITE_ROW;
	return NULL;
}

/* It looks at the WAL's index in shared memory, and waits for nobody. */
static struct fault *sqlite_data_version(struct db *base, int64_t *version_r)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	struct fault *fault = NULL;

	if (!db->data_version &&
	    sqlite3_prepare_v3(db->handle, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT,
			       &db->data_version, NULL) != SQLITE_OK)
		return sqlite_fault(db, "cannot be read");
	if (sqlite3_step(db->data_version) == SQLITE_ROW)
		*version_r = sqlite3_column_int64(db->data_version, 0);
	else
		fault = sqlite_fault(db, "cannot be read");
	sqlite3_reset(db->data_version);
	return fault;
}

static void sqlite_settle(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	if (db->log_pages < DB_LOG_PAGES_WORTH)
		return;
	db->log_pages = 0;
	carry_over(db);
}

static void sqlite_rest(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	(void)sqlite3_db_release_memory(db->handle); /* it always can */
}

const struct db_driver db_sqlite = {
	.scheme = "sqlite:",
	.open = sqlite_open,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.waits = sqlite_waits,
	.query = sqlite_query,
	.next = sqlite_next,
	.is_null = sqlite_is_null,
	.number = sqlite_number,
	.text = sqlite_text,
	.bytes = sqlite_bytes,
	.close = sqlite_close_cursor,
	.execute = sqlite_migrate,
	.has_table = sqlite_has_table,
	.data_version = sqlite_data_version,
	.settle = sqlite_settle,
	.rest = sqlite_rest,
};
