/* merge_bench.c - what a round costs with one change among many items, and what an item takes in the
 * database.
 *
 * usage: merge_bench [ITEMS ...]; prints figures for each number of items. Nothing is asserted here:
 * tests/unit/round_cost_test.c does that. The server is a table in memory, so the figures are
 * taskferry's own. How fast items are decoded and merged is engine_bench's.
 *
 * Statements and steps are SQLite's (sql_meter.h), pages those that it did not have in its cache, CPU
 * time the process's, allocations calls of the C library's. Bytes are whole pages of the database
 * file, divided by the items. */
#include "config.h"

#include <stdatomic.h>
#include <time.h>

#include "../unit/round_world.h"
#include "../unit/sql_meter.h"
#include "base/buf.h"
#include "base/digest.h"
#include "model/ids.h"

#define ROUNDS 500 /* of each kind; the figures are per round */
#define WARM_UP 20 /* rounds before */
#define EDITED_MAX                                                                                 \
	10000 /* items that are edited for the bytes: each takes a tenth of a millisecond */
#define STATEMENTS_SHOWN 4 /* the costliest of a round */

/* ---- allocations ---- */

static atomic_llong allocations;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
	return __libc_realloc(old, size);
}
#endif

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- rounds ---- */

static void nothing(struct round_world *world, size_t number, int percent)
{
	(void)world;
	(void)number;
	(void)percent;
}

static const struct {
	const char *name;
	void (*happen)(struct round_world *world, size_t number, int percent);
} kinds[] = {
	{ "nothing changed", nothing },
	{ "1 item edited", round_world_edit },
	{ "1 value set in the project", round_world_set },
};

/* What one kind of round took, all ROUNDS of them. */
struct taken {
	double cpu_s;
	int64_t statements, steps, pages, allocations;
};

static int64_t pages_read(void)
{
	int now = 0, most = 0;

	if (sql_meter.handle)
		sqlite3_db_status(sql_meter.handle, SQLITE_DBSTATUS_CACHE_MISS, &now, &most, 1);
	return now;
}

static struct taken take(struct round_world *world, int kind)
{
	struct taken taken = { 0 };

	for (int i = 0; i < WARM_UP; i++)
		round_world_round(world, false);
	sql_meter_start();
	for (int i = 0; i < ROUNDS; i++) {
		struct sql_meter before;
		int64_t allocated;
		double start;

		kinds[kind].happen(world, (size_t)(i * 37) % world->count, 2 + (i + kind) % 90);
		(void)pages_read();
		before = sql_meter;
		allocated = atomic_load(&allocations);
		start = cpu_s();
		round_world_round(world, false);
		taken.cpu_s += cpu_s() - start;
		taken.allocations += atomic_load(&allocations) - allocated;
		taken.statements += sql_meter.runs - before.runs;
		taken.steps += sql_meter.steps - before.steps;
		taken.pages += pages_read();
	}
	return taken;
}

static void show_statements(void)
{
	for (int shown = 0; shown < STATEMENTS_SHOWN; shown++) {
		int best = 0;

		for (int i = 1; i < sql_meter.count; i++)
			if (sql_meter.rows[i].steps > sql_meter.rows[best].steps)
				best = i;
		printf("          %8.0f steps in %.1f runs: %.70s\n",
		       (double)sql_meter.rows[best].steps / ROUNDS,
		       (double)sql_meter.rows[best].runs / ROUNDS, sql_meter.rows[best].text);
		sql_meter.rows[best].steps = -1;
	}
}

static void rounds(struct round_world *world)
{
	printf("  %-28s%12s%12s%12s%12s%12s\n", "a round with", "CPU ms", "statements", "steps",
	       "pages read", "allocations");
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		struct taken taken = take(world, (int)kind);

		printf("  %-28s%12.3f%12.1f%12.0f%12.1f%12.0f\n", kinds[kind].name,
		       taken.cpu_s * 1e3 / ROUNDS, (double)taken.statements / ROUNDS,
		       (double)taken.steps / ROUNDS, (double)taken.pages / ROUNDS,
		       (double)taken.allocations / ROUNDS);
		show_statements();
	}
}

/* ---- bytes ---- */

static void sql(sqlite3 *handle, const char *text)
{
	if (sqlite3_exec(handle, text, NULL, NULL, NULL) == SQLITE_OK)
		return;
	fprintf(stderr, "merge_bench: %s: %s\n", sqlite3_errmsg(handle), text);
	abort();
}

static sqlite3_stmt *prepare(sqlite3 *handle, const char *text)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(handle, text, -1, &statement, NULL) != SQLITE_OK) {
		fprintf(stderr, "merge_bench: %s: %s\n", sqlite3_errmsg(handle), text);
		abort();
	}
	return statement;
}

/* Pages of tables and indexes, per item. */
static void show_bytes(sqlite3 *handle, size_t count)
{
	sqlite3_stmt *statement = prepare(
		handle,
		"SELECT d.name, SUM(d.pgsize), COALESCE(m.tbl_name <> m.name, FALSE) FROM dbstat d "
		"LEFT JOIN sqlite_master m ON m.name = d.name GROUP BY d.name ORDER BY 2 DESC");
	double tables = 0, indexes = 0;

	while (sqlite3_step(statement) == SQLITE_ROW) {
		double bytes = (double)sqlite3_column_int64(statement, 1) / (double)count;

		*(sqlite3_column_int(statement, 2) ? &indexes : &tables) += bytes;
		if (bytes >= 10)
			printf("  %10.0f %s\n", bytes,
			       (const char *)sqlite3_column_text(statement, 0));
	}
	sqlite3_finalize(statement);
	printf("  %10.0f in all: %.0f tables, %.0f indexes\n", tables + indexes, tables, indexes);
}

/* The ids of one link, field by field, written as ids_of_vector() and ids_of_changes() write them by
 * group. */
static char *ids_by_field(TALLOC_CTX *mem, const struct vector *seen, const struct stamped *stamped)
{
	struct buf *out = buf_new(mem);

	buf_puts(out, "1:");
	for (int f = 0; f < FIELDS; f++) {
		struct vector *one = vector_new(mem);
		const char *text;

		vector_put(one, (enum field)f, &seen->value[f]);
		text = vector_encode(mem, one);
		buf_printf(out, " %s",
			   *text ? digest_short(mem, text, strlen(text), IDS_HASH_CHARS) : "-");
	}
	for (int f = 0; f < FIELDS; f++)
		buf_printf(out, " %lld", (long long)stamped->seq[f]);
	return buf_steal(&out, mem, NULL);
}

static void add_row(sqlite3_stmt *statement, int64_t id, const char *field, const char *ids)
{
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_text(statement, 2, ids, -1, SQLITE_TRANSIENT);
	if (field)
		sqlite3_bind_text(statement, 3, field, -1, SQLITE_TRANSIENT);
	sqlite3_step(statement);
	sqlite3_reset(statement);
}

struct tracking {
	sqlite3 *handle;
	sqlite3_stmt *group, *field, *rows;
	double group_bytes, field_bytes;
};

/* One row per link and property: what other programs of the kind keep. */
static void add_rows(struct tracking *tracking, TALLOC_CTX *mem, int64_t link,
		     const struct vector *seen, const struct stamped *stamped)
{
	for (int f = 0; f < FIELDS; f++) {
		struct vector *one = vector_new(mem);
		const char *text;

		vector_put(one, (enum field)f, &seen->value[f]);
		text = vector_encode(mem, one);
		if (*text || stamped->seq[f])
			add_row(tracking->rows, link, field_table[f].name,
				mem_printf(mem, "1:%s %lld",
					   digest_short(mem, text, strlen(text), IDS_HASH_CHARS),
					   (long long)stamped->seq[f]));
	}
}

static void track(struct round_world *world, size_t number, struct tracking *tracking)
{
	TALLOC_CTX *mem = MEM_CONTEXT(world);
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	struct folder *folder = NULL;
	struct link *link = NULL;
	char *by_group, *by_field;

	round_world_must(link_folder(world->store, mem, world->account->id, world->project->id,
				     false, &folder));
	round_world_must(link_of_assignment(world->store, mem, folder->id,
					    world->assignments[number], false, &link));
	round_world_must(project_assignment(world->store, mem, link->assignment_id, &assignment));
	round_world_must(project_values(world->store, mem, assignment, &stamped));
	by_group = mem_printf(mem, "%s %s", ids_of_vector(mem, 1, link->seen),
			      ids_of_changes(mem, stamped->seq));
	by_field = ids_by_field(mem, link->seen, stamped);
	tracking->group_bytes += (double)strlen(by_group);
	tracking->field_bytes += (double)strlen(by_field);
	add_row(tracking->group, link->id, NULL, by_group);
	add_row(tracking->field, link->id, NULL, by_field);
	add_rows(tracking, mem, link->id, link->seen, stamped);
	talloc_free(mem);
}

static double table_bytes(sqlite3 *handle, const char *like)
{
	sqlite3_stmt *statement =
		prepare(handle, "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE $1");
	double bytes;

	sqlite3_bind_text(statement, 1, like, -1, SQLITE_TRANSIENT);
	sqlite3_step(statement);
	bytes = sqlite3_column_double(statement, 0);
	sqlite3_finalize(statement);
	return bytes;
}

/* Ids by group against ids by property, of the links as they stand. */
static void show_tracking(struct round_world *world)
{
	char *path = mem_printf(world, "%s/tracking.db", world->directory);
	struct tracking tracking = { 0 };
	double count = (double)world->count;

	if (sqlite3_open(path, &tracking.handle) != SQLITE_OK)
		abort();
	sql(tracking.handle, "CREATE TABLE by_group (link_id INTEGER PRIMARY KEY, ids TEXT);"
			     "CREATE TABLE by_field (link_id INTEGER PRIMARY KEY, ids TEXT);"
			     "CREATE TABLE rows (link_id BIGINT, field TEXT, ids TEXT, PRIMARY KEY "
			     "(link_id, field));"
			     "BEGIN");
	tracking.group = prepare(tracking.handle, "INSERT INTO by_group VALUES ($1, $2)");
	tracking.field = prepare(tracking.handle, "INSERT INTO by_field VALUES ($1, $2)");
	tracking.rows = prepare(tracking.handle,
				"INSERT INTO rows (link_id, ids, field) VALUES ($1, $2, $3)");
	for (size_t i = 0; i < world->count; i++)
		track(world, i, &tracking);
	sql(tracking.handle, "COMMIT");
	printf("  change ids per item:  %.0f bytes by group (%.0f in the file), %.0f by property "
	       "(%.0f),"
	       " %.0f in a row per property\n",
	       tracking.group_bytes / count, table_bytes(tracking.handle, "by_group") / count,
	       tracking.field_bytes / count, table_bytes(tracking.handle, "by_field") / count,
	       table_bytes(tracking.handle, "%rows%") / count);
	sqlite3_finalize(tracking.group);
	sqlite3_finalize(tracking.field);
	sqlite3_finalize(tracking.rows);
	sqlite3_close(tracking.handle);
}

static void bytes(struct round_world *world)
{
	sqlite3 *handle = NULL;
	double start = cpu_s();

	for (size_t i = 0; i < world->count; i++)
		round_world_edit(world, i, 35);
	round_world_round(world, false);
	printf("  a round with all %zu items edited: %.0f items/s\n", world->count,
	       (double)world->count / (cpu_s() - start));
	if (sqlite3_open_v2(world->path, &handle, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		abort();
	sql(handle, "PRAGMA wal_checkpoint(TRUNCATE)");
	printf("  bytes per item, after publishing and one edit of each:\n");
	show_bytes(handle, world->count);
	sqlite3_close(handle);
	show_tracking(world);
}

static void measure(size_t count)
{
	struct round_world *world = round_world_new(count);
	double start = cpu_s();

	round_world_round(world, true);
	printf("%zu items:\n  publishing, with the database: %.0f items/s\n", count,
	       (double)count / (cpu_s() - start));
	round_world_round(world, false);
	rounds(world);
	if (count <= EDITED_MAX)
		bytes(world);
	fflush(stdout);
	round_world_free(world);
}

int main(int argc, char **argv)
{
	static const size_t usual[] = { 1000, 10000, 100000 };

	round_world_must(zone_use(NULL, "Europe/Berlin"));
	for (int i = 1; i < argc; i++)
		measure((size_t)strtoul(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < COUNT_OF(usual); i++)
		measure(usual[i]);
	return 0;
}
