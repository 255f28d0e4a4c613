/* sql_meter.h - counts what SQLite does for the program that is linked with
 * `-Wl,--wrap=sqlite3_reset`: the driver ends each run of a statement by that call. */
#ifndef TASKFERRY_TESTS_SQL_METER_H
#define TASKFERRY_TESTS_SQL_METER_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SQL_METER_ROWS 128 /* different statements that one measurement can tell apart */
#define SQL_METER_TEXT 256 /* bytes: enough to tell them apart */

struct sql_meter {
	int64_t runs;  /* statements */
	int64_t steps; /* instructions of SQLite's machine: each row that is visited takes some */
	int64_t scans; /* rows visited in the scan of a whole table */
	struct {
		char text[SQL_METER_TEXT]; /* a copy: statements end before the program does */
		int64_t runs, steps;
	} rows[SQL_METER_ROWS];
	int count;
	sqlite3 *handle; /* the last one that was used */
};

static struct sql_meter sql_meter;

int __real_sqlite3_reset(sqlite3_stmt *statement);
int __wrap_sqlite3_reset(sqlite3_stmt *statement);

static inline void sql_meter_start(void)
{
	sqlite3 *handle = sql_meter.handle;

	memset(&sql_meter, 0, sizeof sql_meter);
	sql_meter.handle = handle;
}

int __wrap_sqlite3_reset(sqlite3_stmt *statement)
{
	int64_t steps =
		statement ? sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1) : 0;
	const char *text = statement ? sqlite3_sql(statement) : NULL;
	int i = 0;

	if (!text || !steps)
		return __real_sqlite3_reset(statement);
	sql_meter.handle = sqlite3_db_handle(statement);
	sql_meter.runs++;
	sql_meter.steps += steps;
	sql_meter.scans += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
	while (i < sql_meter.count &&
	       strncmp(sql_meter.rows[i].text, text, SQL_METER_TEXT - 1) != 0)
		i++;
	if (i < SQL_METER_ROWS) {
		snprintf(sql_meter.rows[i].text, SQL_METER_TEXT, "%s", text);
		sql_meter.rows[i].runs++;
		sql_meter.rows[i].steps += steps;
		sql_meter.count += i == sql_meter.count;
	}
	return __real_sqlite3_reset(statement);
}

/* Steps of one statement. */
static inline int64_t sql_meter_of(const struct sql_meter *meter, const char *text)
{
	for (int i = 0; i < meter->count; i++)
		if (!strcmp(meter->rows[i].text, text))
			return meter->rows[i].steps;
	return 0;
}

#endif
