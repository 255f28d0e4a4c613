/* round_cost_test.c - what a round costs follows what changed, not what there is. Counted in steps of
 * SQLite's machine, which are the same on every computer. */
#include "config.h"

#include <criterion/criterion.h>

#include "round_world.h"
#include "sql_meter.h"

#define FEW 40
#define MANY 400
#define SLACK_STEPS 8 /* per statement: a key that begins another page */

struct happening {
	const char *name;
	void (*happen)(struct round_world *world);
	const char *expected; /* what the round must have done, or the case measures nothing */
};

static void nothing(struct round_world *world)
{
	(void)world;
}

static void an_edit(struct round_world *world)
{
	round_world_edit(world, 7, 35);
}

static void a_set(struct round_world *world)
{
	round_world_set(world, 8, 60);
}

static void a_deletion(struct round_world *world)
{
	round_world_delete(world, 9);
}

static void state(struct round_world *world, size_t number, const char *name)
{
	round_world_must(store_begin(world->store));
	round_world_must(db_run(world->store->db, SQL_ASSIGNMENT_STATE, "it",
				world->assignments[number], name));
	round_world_must(store_commit(world->store));
}

static void a_withdrawal(struct round_world *world)
{
	state(world, 10, "withdrawn");
	round_world_set(world, 10, 5);
}

static void a_return(struct round_world *world)
{
	state(world, 10, "active");
	round_world_set(world, 10, 15);
}

static const struct happening happenings[] = {
	{ "nothing", nothing, "read 0 changed 0 created 0 updated 0 removed 0" },
	{ "an item is edited", an_edit, "read 1 changed 1 created 0 updated 0 removed 0" },
	{ "its own traces", nothing, "read 0 changed 0 created 0 updated 0 removed 0" },
	{ "a value is set in the project", a_set,
	  "read 0 changed 0 created 0 updated 1 removed 0" },
	{ "an item is deleted", a_deletion, "read 1 changed 0 created 0 updated 0 removed 0" },
	{ "an item is missing", nothing, "read 0 changed 0 created 0 updated 0 removed 0" },
	{ "an assignment is withdrawn", a_withdrawal,
	  "read 0 changed 0 created 0 updated 0 removed 1" },
	{ "it comes back", a_return, "read 0 changed 0 created 1 updated 0 removed 0" },
	{ "nothing, in the end", nothing, "read 0 changed 0 created 0 updated 0 removed 0" },
};

/* The meter of each happening in a folder with COUNT items. */
static void measure(size_t count, struct sql_meter meters[COUNT_OF(happenings)])
{
	struct round_world *world = round_world_new(count);

	round_world_round(world, true);
	cr_assert_eq(world->report->created, (int64_t)count);
	round_world_round(world, false); /* notices what it wrote itself */
	for (size_t i = 0; i < COUNT_OF(happenings); i++) {
		const struct round_report *report;

		happenings[i].happen(world);
		sql_meter_start();
		round_world_round(world, false);
		meters[i] = sql_meter;
		report = world->report;
		cr_expect_str_eq(
			mem_printf(world,
				   "read %lld changed %lld created %lld updated %lld removed %lld",
				   (long long)report->read, (long long)report->changed,
				   (long long)report->created, (long long)report->updated,
				   (long long)report->removed),
			happenings[i].expected, "%s", happenings[i].name);
	}
	round_world_free(world);
}

Test(round_cost, follows_what_changed, .timeout = 300)
{
	static struct sql_meter few[COUNT_OF(happenings)], many[COUNT_OF(happenings)];

	measure(FEW, few);
	measure(MANY, many);
	for (size_t i = 0; i < COUNT_OF(happenings); i++) {
		cr_expect_eq(many[i].runs, few[i].runs,
			     "%s: %lld statements among %d items, %lld among %d",
			     happenings[i].name, (long long)few[i].runs, FEW,
			     (long long)many[i].runs, MANY);
		cr_expect_eq(many[i].scans, few[i].scans,
			     "%s: rows scanned: %lld among %d items, %lld among %d",
			     happenings[i].name, (long long)few[i].scans, FEW,
			     (long long)many[i].scans, MANY);
		for (int k = 0; k < many[i].count; k++) {
			int64_t before = sql_meter_of(&few[i], many[i].rows[k].text);

			cr_expect_leq(many[i].rows[k].steps, before + SLACK_STEPS,
				      "%s: %lld steps among %d items, %lld among %d: %s",
				      happenings[i].name, (long long)before, FEW,
				      (long long)many[i].rows[k].steps, MANY, many[i].rows[k].text);
		}
	}
}
