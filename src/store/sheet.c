#include "config.h"

#include "store/sheet.h"

#include <stdlib.h>

#include "store/project_private.h"
#include "store/rows.h"

static void read_row(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct sheet_row *row = element;

	project_read_assignment(cursor, mem, &row->assignment);
	row->task.id = row->assignment.task_id;
	row->task.source_key = db_text(cursor, mem, 7);
	row->task.active = db_bool(cursor, 8);
	row->task.position = db_int(cursor, 9);
	row->linked = db_int(cursor, 10) > 0;
	row->stamped = values_new(mem);
}

static int by_id(const void *a, const void *b)
{
	const int64_t *id = a;
	const struct sheet_row *row = b;

	return (*id > row->assignment.id) - (*id < row->assignment.id);
}

struct sheet_row *sheet_find(struct sheet *sheet, int64_t assignment)
{
	return bsearch(&assignment, sheet->rows, sheet->count, sizeof *sheet->rows, by_id);
}

/* The values of one scope, in the order of the rows. */
static struct fault *add_values(struct store *store, const struct sheet_of *of, struct sheet *sheet,
				enum sql sql, enum field_scope scope)
{
	struct sheet_row *row = sheet->rows, *end = row + sheet->count;
	struct db_cursor *cursor = NULL;
	const char *author = NULL;

	FAULT_TRY(db_query(store->db, sheet, &cursor, sql, "iiii", of->project, of->resource,
			   of->first, of->last));
	while (db_next(cursor)) {
		int64_t id = db_int(cursor, 0);

		while (row < end && row->assignment.id < id)
			row++;
		if (row < end && row->assignment.id == id)
			FAULT_TRY(values_take(cursor, 1, scope, row->stamped, sheet, &author));
	}
	return db_close(&cursor);
}

struct fault *sheet_read(struct store *store, TALLOC_CTX *mem, const struct sheet_of *of,
			 struct sheet **sheet_r)
{
	struct sheet *sheet = MEM_NEW(mem, struct sheet);
	struct db_cursor *cursor = NULL;
	int64_t strays = 0;

	FAULT_TRY(db_query(store->db, sheet, &cursor, SQL_SHEET_ROWS, "iiiii", of->project,
			   of->resource, of->first, of->last, of->folder));
	FAULT_TRY(rows_all(cursor, sheet, read_row, sizeof *sheet->rows, &sheet->rows,
			   &sheet->count));
	FAULT_TRY(add_values(store, of, sheet, SQL_SHEET_TASK_VALUES, SCOPE_TASK));
	FAULT_TRY(add_values(store, of, sheet, SQL_SHEET_OWN_VALUES, SCOPE_ASSIGNMENT));
	FAULT_TRY(db_query(store->db, sheet, &cursor, SQL_STRAY_HAVE_UID, "i", of->folder));
	FAULT_TRY(rows_int(cursor, 0, &strays));
	sheet->strays = strays > 0;
	*sheet_r = sheet;
	return NULL;
}
