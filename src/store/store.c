#include "config.h"

#include "store/store.h"

#include "base/digest.h"
#include "base/text.h"

#define STORE_ID_BLOCK 64 /* ids taken from the sequence at once: one statement for many rows */

static const struct {
	int version;
	const char *text;
} migrations[] = {
#define X(version, text) { version, text },
	SQL_MIGRATION_TABLE(X)
#undef X
};

static struct fault *schema_version(struct db *db, TALLOC_CTX *mem, int64_t *version_r)
{
	struct db_cursor *cursor = NULL;
	int64_t version = 0;
	bool has = false;
	char *text = NULL;

	FAULT_TRY(db_has_table(db, "meta", &has));
	if (has) {
		FAULT_TRY(db_query(db, mem, &cursor, SQL_META_GET, "t", "schema"));
		if (db_next(cursor))
			text = db_text(cursor, mem, 0);
		FAULT_TRY(db_close(&cursor));
		if (!text || !text_to_int(text, &version))
			return fault_new(mem, FAULT_DATA,
					 "the database has a table `meta` that is not taskferry's");
	}
	*version_r = version;
	return NULL;
}

static struct fault *too_new(TALLOC_CTX *mem, int64_t version)
{
	return fault_new(
		mem, FAULT_CONFIG,
		"the database was made by a newer taskferry (its schema is %lld, this program "
		"knows %d); "
		"install that version again, or restore the backup made before the upgrade",
		(long long)version, SQL_SCHEMA_VERSION);
}

static struct store *store_wrap(TALLOC_CTX *mem, struct db *db, struct clock *clock,
				struct points *points)
{
	struct store *store = MEM_NEW(mem, struct store);

	store->db = talloc_steal(store, db);
	store->clock = clock;
	store->points = points;
	return store;
}

struct fault *store_open(TALLOC_CTX *mem, const char *dsn, struct clock *clock,
			 struct points *points, struct store **store_r)
{
	struct db *db = NULL;
	int64_t version = 0;

	FAULT_TRY(db_open(mem, dsn, false, &db));
	FAULT_TRY(schema_version(db, mem, &version));
	if (version > SQL_SCHEMA_VERSION)
		return too_new(mem, version);
	if (version < SQL_SCHEMA_VERSION)
		return fault_new(mem, FAULT_CONFIG, "the database is %s; run: taskferry init",
				 version ? "of an older version" : "empty");
	*store_r = store_wrap(mem, db, clock, points);
	return NULL;
}

static struct fault *migrate(struct store *store, TALLOC_CTX *mem, int64_t version)
{
	for (size_t i = 0; i < COUNT_OF(migrations); i++)
		if (migrations[i].version > version)
			FAULT_TRY(db_execute(store->db, migrations[i].text));
	FAULT_TRY(store_meta_put(store, "schema", mem_printf(mem, "%d", SQL_SCHEMA_VERSION)));
	if (!version)
		FAULT_TRY(store_meta_put(store, "instance", digest_uuid4(mem)));
	point_reach(store->points, POINT_INIT_MIGRATED);
	return NULL;
}

struct fault *store_init(TALLOC_CTX *mem, const char *dsn, struct clock *clock,
			 struct points *points, bool *created_r)
{
	struct store *store;
	struct fault *fault;
	struct db *db = NULL;
	int64_t version = 0;

	FAULT_TRY(db_open(mem, dsn, true, &db));
	store = store_wrap(mem, db, clock, points);
	FAULT_TRY(db_begin(store->db, true));
	fault = schema_version(store->db, mem, &version);
	if (!fault && version > SQL_SCHEMA_VERSION)
		fault = too_new(mem, version);
	if (!fault && version < SQL_SCHEMA_VERSION)
		fault = migrate(store, mem, version);
	if (!fault)
		fault = db_commit(store->db);
	db_rollback(store->db);
	if (!fault) {
		point_reach(points, POINT_INIT_DONE);
		*created_r = version < SQL_SCHEMA_VERSION;
	}
	if (fault)
		talloc_steal(mem, fault);
	talloc_free(store);
	return fault;
}

struct fault *store_begin(struct store *store)
{
	store->id_next = store->id_end = 0;
	return db_begin(store->db, true);
}

struct fault *store_begin_loose(struct store *store)
{
	store->id_next = store->id_end = 0;
	return db_begin_loose(store->db);
}

struct fault *store_begin_read(struct store *store)
{
	return db_begin(store->db, false);
}

struct fault *store_commit(struct store *store)
{
	/* ids that were taken and not used go back, so that numbers that people type stay small */
	if (store->id_next < store->id_end)
		FAULT_TRY(db_run(store->db, SQL_SEQUENCE_SET, "ti", "id", store->id_next));
	return db_commit(store->db);
}

void store_rollback(struct store *store)
{
	store->id_next = store->id_end = 0;
	db_rollback(store->db);
}

static struct fault *take(struct store *store, const char *sequence, int64_t count, int64_t *next_r)
{
	struct db_cursor *cursor = NULL;
	int64_t next = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_SEQUENCE_TAKE, "ti", sequence, count));
	while (db_next(cursor))
		next = db_int(cursor, 0);
	FAULT_TRY(db_close(&cursor));
	*next_r = next;
	return NULL;
}

struct fault *store_id(struct store *store, int64_t *id_r)
{
	if (store->id_next == store->id_end) {
		FAULT_TRY(take(store, "id", STORE_ID_BLOCK, &store->id_end));
		store->id_next = store->id_end - STORE_ID_BLOCK;
	}
	*id_r = store->id_next++;
	return NULL;
}

struct fault *store_change_seq(struct store *store, int64_t *seq_r)
{
	int64_t next;

	FAULT_TRY(take(store, "change", 1, &next));
	*seq_r = next - 1;
	return NULL;
}

struct fault *store_change_last(struct store *store, int64_t *seq_r)
{
	struct db_cursor *cursor = NULL;
	int64_t next = 1;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_SEQUENCE_GET, "t", "change"));
	if (db_next(cursor))
		next = db_int(cursor, 0);
	FAULT_TRY(db_close(&cursor));
	*seq_r = next - 1;
	return NULL;
}

struct fault *store_data_version(struct store *store, int64_t *version_r)
{
	return db_data_version(store->db, version_r);
}

void store_settle(struct store *store)
{
	db_settle(store->db);
}

void store_rest(struct store *store)
{
	db_rest(store->db);
}

struct fault *store_meta(struct store *store, TALLOC_CTX *mem, const char *name, char **value_r)
{
	struct db_cursor *cursor = NULL;
	char *value = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_META_GET, "t", name));
	if (db_next(cursor))
		value = db_text(cursor, mem, 0);
	FAULT_TRY(db_close(&cursor));
	*value_r = value;
	return NULL;
}

struct fault *store_meta_put(struct store *store, const char *name, const char *value)
{
	return db_run(store->db, SQL_META_PUT, "tt", name, value);
}
