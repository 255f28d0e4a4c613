#include "config.h"

#include "store/db_private.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	const char *text;
} statements[] = {
#define X(name, text) { #name, text },
	SQL_TABLE(X)
#undef X
};
_Static_assert(COUNT_OF(statements) == SQL_STATEMENTS, "one row per statement");

static const struct db_driver *const drivers[] = { &db_sqlite };

const char *db_statement_text(enum sql sql)
{
	return statements[sql].text;
}

const char *db_statement_name(enum sql sql)
{
	return statements[sql].name;
}

static const struct db_driver *find_driver(const char *dsn)
{
	for (size_t i = 0; i < COUNT_OF(drivers); i++)
		if (text_starts(dsn, drivers[i]->scheme))
			return drivers[i];
	return NULL;
}

struct fault *db_known(TALLOC_CTX *mem, const char *dsn)
{
	if (find_driver(dsn))
		return NULL;
	return fault_new(mem, FAULT_CONFIG,
			 "[store] dsn: this program is built for sqlite:PATH only; set for example "
			 "dsn = sqlite:/var/lib/taskferry/taskferry.db");
}

struct fault *db_open(TALLOC_CTX *mem, const char *dsn, bool create, struct db **db_r)
{
	const struct db_driver *driver = find_driver(dsn);

	if (!driver)
		return db_known(mem, dsn);
	return driver->open(mem, dsn + strlen(driver->scheme), create, db_r);
}

static struct fault *begin(struct db *db, bool write)
{
	assert(!db->in_transaction);
	FAULT_TRY(db->driver->begin(db, write));
	db->in_transaction = true;
	return NULL;
}

/* From here on commits wait again. */
static struct fault *tighten(struct db *db)
{
	if (!db->is_loose)
		return NULL;
	FAULT_TRY(db->driver->waits(db, true));
	db->is_loose = false;
	return NULL;
}

struct fault *db_begin(struct db *db, bool write)
{
	FAULT_TRY(tighten(db));
	return begin(db, write);
}

struct fault *db_begin_loose(struct db *db)
{
	FAULT_TRY(db->driver->waits(db, false));
	db->is_loose = true;
	return begin(db, true);
}

struct fault *db_commit(struct db *db)
{
	assert(db->in_transaction);
	FAULT_TRY(db->driver->commit(db));
	db->in_transaction = false;
	return tighten(db);
}

void db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	db->driver->rollback(db);
	db->in_transaction = false;
}

/* LASTING: the texts outlive the cursor. */
static int binds_read(struct db_bind *out, bool lasting, const char *binds, va_list ap)
{
	int n = 0;

	for (const char *b = binds; *b; b++) {
		assert(n < DB_BINDS_MAX);
		out[n].type = *b;
		out[n].lasting = lasting;
		out[n].number = 0;
		out[n].text = NULL;
		if (*b == 't' || *b == 'x')
			out[n].text = va_arg(ap, const char *);
		if (*b == 'x')
			out[n].number = (int64_t)va_arg(ap, size_t);
		else if (*b == 'b')
			out[n].number = va_arg(ap, int) != 0;
		else if (*b == 'i')
			out[n].number = va_arg(ap, int64_t);
		n++;
	}
	return n;
}

struct fault *db_run(struct db *db, enum sql sql, const char *binds, ...)
{
	struct db_bind values[DB_BINDS_MAX];
	struct db_cursor cursor = { .db = db };
	va_list ap;
	int n;

	va_start(ap, binds);
	n = binds_read(values, true, binds, ap);
	va_end(ap);
	FAULT_TRY(db->driver->query(db, sql, values, n, &cursor));
	while (db->driver->next(&cursor))
		;
	return db->driver->close(&cursor);
}

static int cursor_drop(struct db_cursor *cursor)
{
	struct fault *fault = cursor->statement ? cursor->db->driver->close(cursor) : NULL;

	talloc_free(fault); /* the caller gave up on this cursor for another reason */
	return 0;
}

struct fault *db_query(struct db *db, TALLOC_CTX *mem, struct db_cursor **cursor_r, enum sql sql,
		       const char *binds, ...)
{
	struct db_bind values[DB_BINDS_MAX];
	struct db_cursor *cursor = MEM_NEW(mem, struct db_cursor);
	struct fault *fault;
	va_list ap;
	int n;

	cursor->db = db;
	va_start(ap, binds);
	n = binds_read(values, false, binds, ap);
	va_end(ap);
	fault = db->driver->query(db, sql, values, n, cursor);
	if (fault) {
		talloc_free(cursor);
		return fault;
	}
	talloc_set_destructor(cursor, cursor_drop);
	*cursor_r = cursor;
	return NULL;
}

bool db_next(struct db_cursor *cursor)
{
	return cursor->db->driver->next(cursor);
}

int64_t db_int(struct db_cursor *cursor, int column)
{
	return cursor->db->driver->number(cursor, column);
}

bool db_bool(struct db_cursor *cursor, int column)
{
	return cursor->db->driver->number(cursor, column) != 0;
}

const char *db_peek(struct db_cursor *cursor, int column)
{
	return cursor->db->driver->text(cursor, column);
}

char *db_text(struct db_cursor *cursor, TALLOC_CTX *mem, int column)
{
	return mem_strdup(mem, db_peek(cursor, column));
}

char *db_bytes(struct db_cursor *cursor, TALLOC_CTX *mem, int column, size_t *len_r)
{
	const char *bytes;

	*len_r = 0;
	if (cursor->db->driver->is_null(cursor, column))
		return NULL;
	bytes = cursor->db->driver->bytes(cursor, column, len_r);
	return mem_bytes(mem, bytes ? bytes : "", *len_r);
}

struct fault *db_close(struct db_cursor **cursor)
{
	struct fault *fault = NULL;

	if (*cursor) {
		fault = (*cursor)->db->driver->close(*cursor);
		talloc_free(*cursor);
		*cursor = NULL;
	}
	return fault;
}

struct fault *db_execute(struct db *db, const char *text)
{
	return db->driver->execute(db, text);
}

struct fault *db_has_table(struct db *db, const char *name, bool *has_r)
{
	return db->driver->has_table(db, name, has_r);
}

struct fault *db_data_version(struct db *db, int64_t *version_r)
{
	return db->driver->data_version(db, version_r);
}

void db_settle(struct db *db)
{
	assert(!db->in_transaction);
	db->driver->settle(db);
}

void db_rest(struct db *db)
{
	db->driver->rest(db);
}
