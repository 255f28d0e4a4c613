/* world.h - a site in a temporary folder: a database, one or two servers (in memory, but for
 * kind_real_use()), a clock that is turned by hand.
 *
 * Rounds are run one after the other in this thread, so that nothing depends on chance or real
 * time. */
#ifndef TASKFERRY_TESTS_WORLD_H
#define TASKFERRY_TESTS_WORLD_H

#include <criterion/criterion.h>

#include "gateway/memory/memory.h"
#include "gateway/sync/import.h"
#include "gateway/sync/sync.h"
#include "kind.h"

#define WORLD_START "2026-11-21T09:00:00Z"
#define WORLD_ROWS 64 /* of the plan */

struct world_row {
	const char *title, *people[4];
	struct vector *task, *assignment;
	bool dropped;
};

struct client_item;

struct world {
	TALLOC_CTX *mem;
	const char *directory, *dsn;
	struct buf *site, *server, *rights, *gestures, *rules; /* ini lines, until world_open() */
	int servers;
	bool whole;              /* they make folders with all items by one request */
	bool managed;            /* server a keeps files */
	int64_t transfers[2];    /* attach.h: files to it and from it, as last asked */
	bool messages;           /* the servers hold messages instead of VTODO resources */
	const struct kind *kind; /* of server a; in memory, unless kind_real_use() was called */
	struct real *real;       /* what kind_real.c keeps of it */
	struct conf *conf;
	struct clock *clock;
	struct store *store;
	struct rules *rule_set;
	struct projfile file; /* rebuilt at each import */
	struct world_row plan[WORLD_ROWS];
	size_t plan_count;
	bool other;                  /* there is a second project */
	bool publish;                /* the next sync is a publish job's */
	struct round_report *report; /* of the last sync */
	int64_t writes;              /* items that the last sync wrote or removed, folders that it
					made; where there are none, its requests that write */
	/* runs once, just before the next batch is put or removed: a client that writes in between
	 */
	void (*before_write)(struct world *world);
	bool before_remove; /* not before it writes otherwise */
	const char *before_write_line;
	const char
		*client_folder; /* where clients look; NULL: where the project's folder was made */
	const char *sent; /* the last reply (reply.h) */
	const char *deleted_address, *deleted_text; /* what a client deleted last */
	struct client_item *kept;                   /* what a client read and keeps */
	struct points *points;                      /* NULL: none */
	const char *kill_at;  /* "POINT:N": the next sync is killed there (base/point.h) */
	bool killed;          /* the last sync was */
	const char *template; /* a database just made, to begin with a copy of; NULL: none */
	/* runs after each request that writes; may be NULL */
	void (*observe)(struct world *world);
	void *observer;
	struct client_copy *copies; /* what clients remember (client.h) */
	size_t copy_count;
};

#define WORLD_OK(call)                                                                             \
	do {                                                                                       \
		struct fault *world_fault_ = (call);                                               \
		cr_assert_null(world_fault_, "%s: %s", #call,                                      \
			       world_fault_ ? world_fault_->text : "");                            \
	} while (0)

struct world *world_new(void);

/* Reads the configuration and opens the database, once. */
void world_open(struct world *world);
void world_free(struct world *world);

/* A new database for the same site and servers. */
void world_lose_database(struct world *world);
void world_close_database(struct world *world);
void world_open_database(struct world *world);

/* Imports and publishes a second project ("Quay") with one task of its own for ana. */
void world_other_project(struct world *world);
struct project *world_project(struct world *world, bool other);

/* A person says `run --takeover`. */
void world_take_over(struct world *world);

struct world_row *world_row(struct world *world, const char *title, bool create);
struct import_result *world_import(struct world *world, bool withdraw);
void world_publish(struct world *world);
void world_archive(struct world *world);

/* All rounds that are due, then those that become due within the patience of `sync`. */
void world_sync(struct world *world, bool full);

/* The database closed and opened again. */
void world_restart(struct world *world);

/* The assignment of a task, by its title, to a person ("ana"). */
struct assignment *world_assignment(struct world *world, const char *title, const char *person);

const char *world_server_path(struct world *world, const char *server);

/* The same with what memory_new() needs to know of its form. */
const char *world_server_url(struct world *world, const char *server);

#endif
