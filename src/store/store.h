/* store.h - the project database and the sync state behind one contract.
 *
 * Opening checks the schema's version: an older one is a CONFIG fault that names `taskferry init`
 * (which migrates), a newer one is refused. All times are microseconds UTC, all ids are made here.
 */
#ifndef TASKFERRY_STORE_H
#define TASKFERRY_STORE_H

#include "base/clock.h"
#include "base/point.h"
#include "store/db.h"

struct store {
	struct db *db;
	struct clock *clock;
	struct points *points;
	int64_t id_next, id_end; /* ids taken from the sequence in this transaction, not used yet */
};

/* Opens an initialised database. CLOCK and POINTS outlive it. */
struct fault *store_open(TALLOC_CTX *mem, const char *dsn, struct clock *clock,
			 struct points *points, struct store **store_r) ATTR_MUST_CHECK;

/* Makes or migrates the database, in one transaction; *CREATED_R tells whether anything was done.
 * Harmless when repeated. */
struct fault *store_init(TALLOC_CTX *mem, const char *dsn, struct clock *clock,
			 struct points *points, bool *created_r) ATTR_MUST_CHECK;

struct fault *store_begin(struct store *store) ATTR_MUST_CHECK; /* to write */
struct fault *store_begin_loose(struct store *store) ATTR_MUST_CHECK; /* db_begin_loose() */
struct fault *store_begin_read(struct store *store) ATTR_MUST_CHECK;
struct fault *store_commit(struct store *store) ATTR_MUST_CHECK;
void store_rollback(struct store *store);

/* A new id; only in a write transaction. */
struct fault *store_id(struct store *store, int64_t *id_r) ATTR_MUST_CHECK;

/* The next number of the change log, and the last one given out; writing transaction only for the
 * first. */
struct fault *store_change_seq(struct store *store, int64_t *seq_r) ATTR_MUST_CHECK;
struct fault *store_change_last(struct store *store, int64_t *seq_r) ATTR_MUST_CHECK;

/* A number that is another one after anybody else has changed the database: whether to look. The
 * store's own changes do not count. Writes nothing. */
struct fault *store_data_version(struct store *store, int64_t *version_r) ATTR_MUST_CHECK;

/* Nobody waits just now: db_settle(). */
void store_settle(struct store *store);

/* Nobody will ask it for a while: gives back the memory of what was read before. */
void store_rest(struct store *store);

/* A named text of the database's own ("instance", "site_url"); NULL when not set. */
struct fault *store_meta(struct store *store, TALLOC_CTX *mem, const char *name,
			 char **value_r) ATTR_MUST_CHECK;
struct fault *store_meta_put(struct store *store, const char *name,
			     const char *value) ATTR_MUST_CHECK;

#endif
