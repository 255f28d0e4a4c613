#include "config.h"

#include "store/place.h"

#include "store/rows.h"

static void read_place(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct place *place = element;

	place->account_id = db_int(cursor, 0);
	place->asked = db_text(cursor, mem, 1);
	place->origin = db_text(cursor, mem, 2);
	place->home = db_text(cursor, mem, 3);
	place->principal = db_text(cursor, mem, 4);
	place->how = db_text(cursor, mem, 5);
	place->found_us = db_int(cursor, 6);
}

struct fault *place_get(struct store *store, TALLOC_CTX *mem, int64_t account,
			struct place **place_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PLACE_GET, "i", account));
	return rows_one(cursor, mem, read_place, sizeof **place_r, place_r);
}

struct fault *place_set(struct store *store, const struct place *place)
{
	return db_run(store->db, SQL_PLACE_SET, "ittttti", place->account_id, place->asked,
		      place->origin, place->home, place->principal, place->how, place->found_us);
}

struct fault *place_same(struct store *store, TALLOC_CTX *mem, const struct place *place,
			 struct place **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PLACE_SAME, "tti", place->origin,
			   place->home, place->account_id));
	return rows_all(cursor, mem, read_place, sizeof **list_r, list_r, count_r);
}
