#include "config.h"

#include "store/server.h"

#include "store/rows.h"

static void read_traits(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct server_traits *traits = element;

	traits->server = db_text(cursor, mem, 0);
	traits->traits = db_text(cursor, mem, 1);
	traits->earlier = db_text(cursor, mem, 2);
	traits->changed_us = db_int(cursor, 3);
	traits->probed_us = db_int(cursor, 4);
	traits->due_us = db_int(cursor, 5);
}

struct fault *server_traits(struct store *store, TALLOC_CTX *mem, const char *server,
			    struct server_traits **traits_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_SERVER_TRAITS, "t", server));
	return rows_one(cursor, mem, read_traits, sizeof **traits_r, traits_r);
}

struct fault *server_traits_put(struct store *store, const struct server_traits *traits)
{
	return db_run(store->db, SQL_SERVER_TRAITS_PUT, "tttiii", traits->server, traits->traits,
		      traits->earlier, traits->changed_us, traits->probed_us, traits->due_us);
}
