#include "config.h"

#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "spec.h"
#include "store/revisions.h"
#include "store/sql.h"
#include "store_world.h"

/* In this program nobody waits for a lock: the program's 15 s are longer than a test may take. */
int sqlite3_busy_timeout(sqlite3 *handle, int ms)
{
	(void)ms;
	return sqlite3_busy_handler(handle, NULL, NULL);
}

/* ---- making and opening ---- */

Test(store, init_twice_does_nothing_the_second_time)
{
	struct store_world world = store_world_new();
	char *first = NULL, *second = NULL;
	bool created = true;

	STORE_OK(store_meta(world.store, world.mem, "instance", &first));
	STORE_OK(store_init(world.mem, world.dsn, world.clock, NULL, &created));
	cr_expect_not(created);
	STORE_OK(store_meta(world.store, world.mem, "instance", &second));
	cr_assert_not_null(first);
	cr_expect_str_eq(first, second);
	store_world_free(&world);
}

static int64_t frames_synced;

/* What a commit that waits does, and one that does not leaves out. */
int fdatasync(int fd)
{
	(void)fd;
	frames_synced++;
	return 0;
}

static int64_t syncs_of(struct store_world *world, struct fault *(*begin)(struct store *),
			const char *value)
{
	int64_t before = frames_synced;

	STORE_OK(begin(world->store));
	STORE_OK(store_meta_put(world->store, "x", value));
	STORE_OK(store_commit(world->store));
	return frames_synced - before;
}

Test(store, what_may_be_lost_waits_for_no_disk)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;
	char *found = NULL;

	cr_expect_gt(syncs_of(&world, store_begin, "1"), 0);
	cr_expect_eq(syncs_of(&world, store_begin_loose, "2"), 0);
	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &other));
	STORE_OK(store_meta(other, world.mem, "x", &found));
	cr_expect_str_eq(found, "2", "others see it");
	STORE_OK(store_begin_loose(world.store));
	store_rollback(world.store);
	cr_expect_gt(syncs_of(&world, store_begin, "3"), 0, "and the next one waits");
	store_world_free(&world);
}

static long pages_of(const struct store_world *world)
{
	struct stat st;

	cr_assert_eq(stat(world->path, &st), 0);
	return (long)st.st_size / 4096;
}

/* Rows of a page each, in one transaction. */
static void write_pages(struct store_world *world, int first, int count)
{
	char text[3001];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	STORE_OK(store_begin(world->store));
	for (int i = first; i < first + count; i++)
		STORE_OK(store_meta_put(world->store, mem_printf(world->mem, "page%d", i), text));
	STORE_OK(store_commit(world->store));
}

/* The log is not emptied while somebody waits for a commit, unless it is very long; it is when nobody
 * does, also where another connection wrote it. */
Test(store, the_log_is_carried_over_when_nobody_waits)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;
	long before = pages_of(&world);

	write_pages(&world, 0, 500);
	store_settle(world.store);
	cr_expect_eq(pages_of(&world), before, "not worth while");
	write_pages(&world, 500, 2500);
	cr_expect_eq(pages_of(&world), before);
	store_settle(world.store);
	cr_expect_geq(pages_of(&world), before + 3000);
	before = pages_of(&world);
	write_pages(&world, 3000, 1500);
	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &other));
	STORE_OK(store_begin(other));
	STORE_OK(store_meta_put(other, "x", "1"));
	STORE_OK(store_commit(other));
	store_settle(other);
	cr_expect_geq(pages_of(&world), before + 1500);
	before = pages_of(&world);
	write_pages(&world, 4500, 2000);
	write_pages(&world, 6500, 2500);
	cr_expect_geq(pages_of(&world), before + 4500, "it does not grow without end");
	store_world_free(&world);
}

/* What is read for long keeps a part of it; neither the commits of others nor their end wait for that. */
Test(store, the_log_is_left_to_who_reads_it)
{
	struct store_world world = store_world_new();
	struct store *reader = NULL;
	char *found = NULL;
	long before = pages_of(&world);

	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &reader));
	STORE_OK(store_begin_read(reader));
	STORE_OK(store_meta(reader, world.mem, "instance", &found));
	write_pages(&world, 0, 4100);
	store_settle(world.store);
	cr_expect_lt(pages_of(&world), before + 4100);
	store_rollback(reader);
	STORE_OK(store_begin(world.store));
	STORE_OK(store_meta_put(world.store, "x", "1"));
	STORE_OK(store_commit(world.store));
	cr_expect_geq(pages_of(&world), before + 4100);
	store_world_free(&world);
}

/* Such a key has no index beside it. */
Test(store, keys_are_numbers_of_rows)
{
	static const char count[] =
		"SELECT COUNT(*), SUM(c.type = 'INTEGER') FROM sqlite_master m, "
		"pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk = 1 AND c.type <> "
		"'TEXT' "
		"AND (SELECT MAX(p.pk) FROM pragma_table_info(m.name) p) = 1";
	struct store_world world = store_world_new();
	sqlite3_stmt *statement = NULL;
	sqlite3 *handle = NULL;

	cr_assert_eq(sqlite3_open(world.path, &handle), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(handle, count, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	cr_expect_geq(sqlite3_column_int(statement, 0), 12);
	cr_expect_eq(sqlite3_column_int(statement, 0), sqlite3_column_int(statement, 1));
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	store_world_free(&world);
}

Test(store, other_people_cannot_read_it)
{
	struct store_world world = store_world_new();
	struct stat st;

	cr_assert_eq(stat(world.path, &st), 0);
	cr_expect_eq(st.st_mode & 077, 0, "mode %o", st.st_mode);
	store_world_free(&world);
}

Test(store, missing_and_empty_databases_name_the_command)
{
	struct store_world world = store_world_empty();
	FILE *file;

	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &world.store),
				 FAULT_NO_INPUT, "taskferry init");
	file = fopen(world.path, "w");
	cr_assert_not_null(file);
	fclose(file);
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &world.store),
				 FAULT_CONFIG, "taskferry init");
	cr_expect_null(world.store);
	store_world_free(&world);
}

Test(store, what_is_no_database_is_refused)
{
	struct store_world world = store_world_empty();
	FILE *file = fopen(world.path, "w");
	bool created = false;

	cr_assert_not_null(file);
	for (int i = 0; i < 4096; i++)
		fputs("no database ", file);
	fclose(file);
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &world.store),
				 FAULT_DATA, world.path);
	store_world_expect_fault(store_init(world.mem, world.dsn, world.clock, NULL, &created),
				 FAULT_DATA, world.path);
	store_world_free(&world);
}

Test(store, a_folder_that_is_not_there)
{
	struct store_world world = store_world_empty();
	char *dsn = mem_printf(world.mem, "sqlite:%s/none/site.db", world.directory);
	bool created = false;

	store_world_expect_fault(store_init(world.mem, dsn, world.clock, NULL, &created),
				 FAULT_CANNOT_CREATE, "unable to open database file; its folder");
	store_world_free(&world);
}

Test(store, a_newer_database_is_refused)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;
	bool created = false;

	STORE_OK(store_begin(world.store));
	STORE_OK(store_meta_put(world.store, "schema", "99"));
	STORE_OK(store_commit(world.store));
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &other),
				 FAULT_CONFIG, "newer");
	store_world_expect_fault(store_init(world.mem, world.dsn, world.clock, NULL, &created),
				 FAULT_CONFIG, "newer");
	cr_expect_null(other);
	store_world_free(&world);
}

Test(store, a_table_of_that_name_of_somebody_else)
{
	struct store_world world = store_world_empty();
	struct db *db = NULL;
	bool created = false;

	STORE_OK(db_open(world.mem, world.dsn, true, &db));
	STORE_OK(db_execute(db, "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)"));
	store_world_expect_fault(store_init(world.mem, world.dsn, world.clock, NULL, &created),
				 FAULT_DATA, "meta");
	store_world_free(&world);
}

/* A table in the way of the tenth statement: nothing of the nine before it stays. */
Test(store, a_migration_is_one_transaction)
{
	struct store_world world = store_world_empty();
	struct fault *fault;
	struct db *db = NULL;
	bool created = false, has = true;

	STORE_OK(db_open(world.mem, world.dsn, true, &db));
	STORE_OK(db_execute(db, "CREATE TABLE booking (x BIGINT)"));
	fault = store_init(world.mem, world.dsn, world.clock, NULL, &created);
	cr_assert_not_null(fault);
	cr_expect_not_null(strstr(fault->text, "booking"), "%s", fault->text);
	STORE_OK(db_has_table(db, "meta", &has));
	cr_expect_not(has);
	STORE_OK(db_has_table(db, "project", &has));
	cr_expect_not(has);
	STORE_OK(db_execute(db, "DROP TABLE booking"));
	STORE_OK(store_init(world.mem, world.dsn, world.clock, NULL, &created));
	cr_expect(created);
	store_world_free(&world);
}

Test(store, anothers_database_is_not_touched)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;

	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	cr_assert_eq(chown(world.path, 1, (gid_t)-1), 0);
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &other),
				 FAULT_NOT_PERMITTED, "belongs to user 1");
	store_world_free(&world);
}

Test(store, another_kind_of_database_is_named)
{
	struct store_world world = store_world_empty();

	store_world_expect_fault(store_open(world.mem, "oracle:x", world.clock, NULL, &world.store),
				 FAULT_CONFIG, "sqlite:");
	store_world_free(&world);
}

/* ---- trouble ---- */

Test(store, a_locked_database_is_for_later)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;
	struct fault *fault;

	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &other));
	STORE_OK(store_begin(other));
	fault = store_begin(world.store);
	store_world_expect_fault(fault, FAULT_TRY_LATER, "try again");
	cr_expect_eq(fault->next, FAULT_NEXT_RETRY);
	store_rollback(world.store); /* harmless: nothing was begun */
	store_rollback(other);
	STORE_OK(store_begin(world.store));
	store_rollback(world.store);
	store_world_free(&world);
}

static int64_t count_projects(struct store_world *world)
{
	struct project *list = NULL;
	size_t count = 0;

	STORE_OK(project_list(world->store, world->mem, &list, &count));
	return (int64_t)count;
}

static struct fault *add_many(struct store_world *world, int count)
{
	char name[2001];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (int i = 0; i < count; i++) {
		struct project project = { .code = mem_printf(world->mem, "p%d", i), .name = name };
		int64_t id;

		project.source_key = project.code;
		FAULT_TRY(project_add(world->store, &project, &id));
	}
	return store_commit(world->store);
}

Test(store, a_full_disk_leaves_nothing_half_done)
{
	struct store_world world = store_world_new();
	struct rlimit full = { 65536, RLIM_INFINITY }, room = { RLIM_INFINITY, RLIM_INFINITY };
	struct fault *fault;

	store_world_fill(&world);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	STORE_OK(store_begin(world.store));
	fault = add_many(&world, 500);
	store_rollback(world.store);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_IO, "%s: %s", fault_kind_name(fault->kind), fault->text);
	cr_expect_eq(fault_exit(fault), 74);
	cr_expect_eq(count_projects(&world), 1);
	STORE_OK(store_begin(world.store)); /* and it goes on where there is room again */
	STORE_OK(add_many(&world, 3));
	cr_expect_eq(count_projects(&world), 4);
	store_world_free(&world);
}

Test(store, a_full_disk_is_told_by_whoever_opens_it)
{
	struct store_world world = store_world_new();
	struct rlimit full = { 8192, RLIM_INFINITY };
	struct store *other = NULL;

	TALLOC_FREE(world.store);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &other),
				 FAULT_IO, "(File too large); make room on its disk");
	store_world_free(&world);
}

Test(store, rolled_back_is_gone_and_ids_stay_small)
{
	struct store_world world = store_world_new();
	int64_t first = 0, second = 0, third = 0;

	STORE_OK(store_begin(world.store));
	STORE_OK(store_id(world.store, &first));
	store_rollback(world.store);
	STORE_OK(store_begin(world.store));
	STORE_OK(store_id(world.store, &second));
	STORE_OK(store_commit(world.store));
	STORE_OK(store_begin(world.store));
	for (int64_t expected = second + 1; expected < second + 200;
	     expected++) { /* over the edge of several blocks */
		STORE_OK(store_id(world.store, &third));
		cr_assert_eq(third, expected);
	}
	STORE_OK(store_commit(world.store));
	cr_expect_eq(first, second);
	store_world_free(&world);
}

/* ---- values and the change log ---- */

static bool change(struct store_world *world, enum field field, const char *old, const char *new,
		   const char *author)
{
	struct value from = { .presence = ABSENT }, to = { .presence = ABSENT };
	struct project_step step = { .project_id = world->project,
				     .task_id = world->task,
				     .assignment_id = world->assignment->id,
				     .field = field,
				     .old = &from,
				     .new = &to,
				     .at_us = clock_now_us(world->clock),
				     .author = author,
				     .cause = "because" };
	bool changed = false;

	STORE_OK(value_parse(world->mem, field, old, &from));
	STORE_OK(value_parse(world->mem, field, new, &to));
	STORE_OK(store_begin(world->store));
	STORE_OK(project_change(world->store, &step, &changed));
	STORE_OK(store_commit(world->store));
	clock_sleep(world->clock, CLOCK_SECOND_US);
	return changed;
}

static char *history_text(struct store_world *world)
{
	struct change *list = NULL;
	struct buf *out = buf_new(world->mem);
	size_t count = 0;
	int64_t last = 0;

	STORE_OK(project_history(world->store, world->mem, world->assignment, &list, &count));
	for (size_t i = 0; i < count; i++) {
		cr_expect_gt(list[i].seq, last, "the numbers of the change log rise");
		last = list[i].seq;
		if (list[i].field == FIELDS) { /* of the assignment itself */
			cr_expect_str_eq(list[i].name, CHANGE_ASSIGNMENT);
			continue;
		}
		cr_expect_str_eq(list[i].name, field_table[list[i].field].name);
		buf_printf(out, "%s:%s>%s by %s; ", list[i].name,
			   list[i].old_text ? list[i].old_text : "-",
			   list[i].new_text ? list[i].new_text : "-", list[i].author);
	}
	return out->len ? out->data : mem_strdup(world->mem, "");
}

Test(store, a_change_writes_the_value_and_the_log)
{
	struct store_world world = store_world_new();
	struct stamped *values = NULL;
	int64_t last = 0;

	store_world_fill(&world);
	cr_expect(change(&world, FIELD_percent, "", "40", "project:x"));
	cr_expect(change(&world, FIELD_subject, "", "Ship crate", "import:f"));
	cr_expect(change(&world, FIELD_percent, "40", "60", "mailbox:a/ana"));
	cr_expect_not(change(&world, FIELD_percent, "60", "60", "mailbox:a/ana"),
		      "nothing is written for what is identical");
	cr_expect_not(change(&world, FIELD_notes, "", "", "mailbox:a/ana"));
	cr_expect(change(&world, FIELD_percent, "60", "", "project:x"));
	cr_expect_str_eq(history_text(&world),
			 "percent:->40 by project:x; subject:->Ship crate by import:f; "
			 "percent:40>60 by mailbox:a/ana; percent:60>- by project:x; ");
	STORE_OK(project_values(world.store, world.mem, world.assignment, &values));
	cr_expect_str_eq(spec_text(world.mem, values->values, true), "subject=Ship crate");
	cr_expect_str_eq(values->author[FIELD_subject], "import:f");
	cr_expect_str_eq(values->author[FIELD_percent], "project:x");
	cr_expect_eq(values->at_us[FIELD_subject], STORE_START_US + CLOCK_SECOND_US);
	cr_expect_gt(values->seq[FIELD_percent], values->seq[FIELD_subject]);
	STORE_OK(store_change_last(world.store, &last));
	cr_expect_eq(last, values->seq[FIELD_percent]);
	store_world_free(&world);
}

Test(store, what_becomes_of_an_assignment_is_logged)
{
	static const enum assignment_state states[] = { ASSIGNMENT_WITHDRAWN, ASSIGNMENT_WITHDRAWN,
							ASSIGNMENT_ACTIVE, ASSIGNMENT_DECLINED };
	struct store_world world = store_world_new();
	struct buf *out = buf_new(world.mem);
	struct change *list = NULL;
	size_t count = 0;

	store_world_fill(&world);
	for (size_t i = 0; i < COUNT_OF(states); i++) {
		int64_t before = 0, after = 0;
		bool moves = world.assignment->state != states[i];

		STORE_OK(store_begin(world.store));
		STORE_OK(store_change_last(world.store, &before));
		STORE_OK(project_assignment_set_state(world.store, world.assignment, states[i],
						      "import:b.xml", "gone"));
		STORE_OK(store_change_last(world.store, &after));
		STORE_OK(store_commit(world.store));
		cr_expect_eq(after, before + moves, "rounds see it, and only if it moved: %zu", i);
		cr_expect_eq(world.assignment->state, states[i]);
	}
	STORE_OK(project_history(world.store, world.mem, world.assignment, &list, &count));
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s:%s>%s by %s (%s); ", list[i].name,
			   list[i].old_text ? list[i].old_text : "-", list[i].new_text,
			   list[i].author, list[i].cause ? list[i].cause : "-");
	cr_expect_str_eq(out->data, "assignment:->active by project:x (-); "
				    "assignment:active>withdrawn by import:b.xml (gone); "
				    "assignment:withdrawn>active by import:b.xml (gone); "
				    "assignment:active>declined by import:b.xml (gone); ");
	store_world_free(&world);
}

Test(store, a_tasks_value_is_shared_an_assignments_is_not)
{
	struct store_world world = store_world_new();
	struct assignment other = { .source_key = "8", .uid = "uid-2" };
	struct stamped *values = NULL;

	store_world_fill(&world);
	other.project_id = world.project;
	other.task_id = world.task;
	other.resource_id = world.bob;
	STORE_OK(store_begin(world.store));
	STORE_OK(project_assignment_add(world.store, &other, "project:x", NULL, &other.id));
	STORE_OK(store_commit(world.store));
	change(&world, FIELD_percent, "", "40", "project:x");
	change(&world, FIELD_subject, "", "Ship crate", "project:x");
	STORE_OK(project_values(world.store, world.mem, &other, &values));
	cr_expect_str_eq(spec_text(world.mem, values->values, true), "subject=Ship crate");
	STORE_OK(project_task_values(world.store, world.mem, world.task, &values));
	cr_expect_str_eq(spec_text(world.mem, values->values, true), "subject=Ship crate");
	store_world_free(&world);
}

/* Every field's value comes back as it was. */
Test(store, values_round_trip)
{
	static const char *const specs[] = {
		"subject=Schiffskiste \xe5\x8c\x85 \"packen\"; start=2026-11-20T08:00:00Z; "
		"due=2026-11-21; deadline=2026-12-01; "
		"priority=9; categories=a,b c; parent=17; milestone=true; summary=false; "
		"predecessors=3,4; total_work=480; "
		"status=in-process; percent=-5; completed_at=2026-11-21T08:59:59.123456Z; "
		"remaining_work=0; actual_work=90; "
		"notes=first\nsecond\\n; description=d; attachments=https://x.example/a - - a b",
	};
	struct store_world world = store_world_new();
	struct vector *wanted = spec_vector(world.mem, specs[0]);
	struct stamped *values = NULL;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	for (int f = 0; f < FIELDS; f++) {
		struct project_step step = { .project_id = world.project,
					     .task_id = world.task,
					     .assignment_id = world.assignment->id,
					     .field = (enum field)f,
					     .new = &wanted->value[f],
					     .author = "project:x" };

		STORE_OK(project_change(world.store, &step, NULL));
	}
	STORE_OK(store_commit(world.store));
	STORE_OK(project_values(world.store, world.mem, world.assignment, &values));
	for (int f = 0; f < FIELDS; f++) {
		cr_expect_eq(wanted->value[f].presence, SET, "%s is not in the test",
			     field_table[f].name);
		cr_expect(value_identical((enum field)f, &wanted->value[f],
					  &values->values->value[f]),
			  "%s: {%s} became {%s}", field_table[f].name,
			  spec_text(world.mem, wanted, true),
			  spec_text(world.mem, values->values, true));
	}
	store_world_free(&world);
}

static bool book(struct store_world *world, const char *key, int64_t minutes)
{
	struct project_booking booking = { .day = 20778,
					   .minutes = minutes,
					   .text = "dug",
					   .source_key = key,
					   .author = "mailbox:a/ana" };
	bool booked = false;

	STORE_OK(store_begin(world->store));
	STORE_OK(project_book(world->store, world->assignment, &booking, &booked));
	STORE_OK(store_commit(world->store));
	return booked;
}

Test(store, a_booking_counts_once)
{
	struct store_world world = store_world_new();
	struct stamped *values = NULL;

	store_world_fill(&world);
	cr_expect(book(&world, "line-1", 60));
	cr_expect_not(book(&world, "line-1", 60));
	cr_expect_not(book(&world, "line-1", 90), "the key decides, not the minutes");
	cr_expect(book(&world, "line-2", 30));
	cr_expect(book(&world, "set:7", -20));
	STORE_OK(project_values(world.store, world.mem, world.assignment, &values));
	cr_expect_eq(vector_get(values->values, FIELD_actual_work, -1), 70);
	cr_expect_str_eq(history_text(&world),
			 "actual_work:0>60 by mailbox:a/ana; actual_work:60>90 by mailbox:a/ana; "
			 "actual_work:90>70 by mailbox:a/ana; ");
	store_world_free(&world);
}

Test(store, sources_of_work_in_the_order_they_were_met)
{
	static const struct project_source expected[] = { { "note:60 b#1", 60 },
							  { "note:60 a#1", 0 },
							  { "note-gone:60 b#1", 0 },
							  { "set:7", -20 } };
	struct store_world world = store_world_new();
	struct project_source *sources = NULL;
	struct booked *booked = NULL;
	size_t count = 0;

	store_world_fill(&world);
	cr_expect(book(&world, "note:60 b#1", 60));
	STORE_OK(store_begin(world.store));
	for (int again = 0; again < 2; again++) {
		STORE_OK(project_unbooked_put(world.store, world.assignment->id, "note:60 a#1"));
		STORE_OK(project_unbooked_put(world.store, world.assignment->id,
					      "note-gone:60 b#1"));
	}
	STORE_OK(store_commit(world.store));
	cr_expect(book(&world, "set:7", -20));
	STORE_OK(project_sources(world.store, world.mem, world.assignment->id, &sources, &count));
	cr_assert_eq(count, COUNT_OF(expected));
	for (size_t i = 0; i < count; i++) {
		cr_expect_str_eq(sources[i].key, expected[i].key);
		cr_expect_eq(sources[i].minutes, expected[i].minutes, "%s", sources[i].key);
	}
	STORE_OK(project_booked(world.store, world.mem, world.assignment->id, &booked, &count));
	cr_assert_eq(count, 2, "what was not booked is not listed");
	cr_expect_eq(booked[0].day, 20778);
	cr_expect_eq(booked[0].minutes, 60);
	cr_expect_str_eq(booked[0].text, "dug");
	cr_expect_str_eq(booked[0].author, "mailbox:a/ana");
	store_world_free(&world);
}

/* ---- the sync state ---- */

/* The database of the first version, with a job in it. */
static void make_first_version(struct store_world *world)
{
	static const struct {
		int version;
		const char *text;
	} migrations[] = {
#define X(version, text) { version, text },
		SQL_MIGRATION_TABLE(X)
#undef X
	};
	static const char *const rows[] = {
		"INSERT INTO meta (name, value) VALUES ('schema', '1')",
		"INSERT INTO resource (id, key, created_at) VALUES (1, 'ana@example.com', 0)",
		"INSERT INTO account (id, server, resource_id, state, login_failures, login_since) "
		"VALUES (2, 'calendars', 1, 'ok', 0, 0)",
		"INSERT INTO job (id, kind, account_id, project_id, state, attempts, due_at, "
		"lease_until, "
		"created_at) VALUES (3, 'pull', 2, 0, 'ready', 0, 0, 0, 0)",
		"INSERT INTO project (id, code, source_key, name, state, created_at) VALUES (4, "
		"'p', 'p', 'p', 'draft', 0)",
		"INSERT INTO task (id, project_id, source_key, active, position) VALUES (5, 4, "
		"'1', TRUE, 1)",
		"INSERT INTO assignment (id, project_id, task_id, resource_id, source_key, uid, "
		"state) VALUES (6, 4, 5, 1, '1', 'u', "
		"'active')",
		"INSERT INTO revision (id, assignment_id, state, fields, created_at, author) "
		"VALUES (7, 6, 'proposed', '', 1, "
		"'mailbox:a/ana')",
		"INSERT INTO revision (id, assignment_id, state, fields, created_at, author) "
		"VALUES (8, 6, 'losing', '', 1, "
		"'mailbox:a/ana')",
	};
	struct db *db = NULL;

	STORE_OK(db_open(world->mem, world->dsn, true, &db));
	STORE_OK(db_begin(db, true));
	for (size_t i = 0; i < COUNT_OF(migrations); i++)
		if (migrations[i].version == 1)
			STORE_OK(db_execute(db, migrations[i].text));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		STORE_OK(db_execute(db, rows[i]));
	STORE_OK(db_commit(db));
	talloc_free(db);
}

Test(store, an_older_database_is_brought_up_to_date)
{
	struct store_world world = store_world_empty();
	struct account *accounts = NULL;
	struct leftover *list = NULL;
	struct revision *revisions = NULL;
	bool created = false;
	size_t count = 7;

	make_first_version(&world);
	store_world_expect_fault(store_open(world.mem, world.dsn, world.clock, NULL, &world.store),
				 FAULT_CONFIG, "taskferry init");
	STORE_OK(store_init(world.mem, world.dsn, world.clock, NULL, &created));
	cr_expect(created);
	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &world.store));
	STORE_OK(link_leftovers(world.store, world.mem, 1, &list, &count));
	cr_expect_eq(count, 0);
	STORE_OK(link_accounts(world.store, world.mem, &accounts, &count));
	cr_assert_eq(count, 1);
	cr_expect_str_eq(accounts[0].server, "calendars");
	STORE_OK(revisions_of(world.store, world.mem, 6, &revisions, &count));
	cr_assert_eq(count, 2);
	cr_expect_eq(revisions[0].origin, REVISION_PROPOSED);
	cr_expect(revision_is_of_person(&revisions[0]));
	cr_expect_eq(revisions[1].origin, REVISION_LOSING);
	cr_expect_not(revision_is_of_person(&revisions[1]), "which side lost was not kept");
	store_world_free(&world);
}

Test(store, import_bases_round_trip)
{
	struct store_world world = store_world_new();
	struct project_base *list = NULL;
	size_t count = 0;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	STORE_OK(project_base_put(world.store, world.project, "t:17",
				  spec_vector(world.mem, "subject=a")));
	STORE_OK(project_base_put(world.store, world.project, "t:17",
				  spec_vector(world.mem, "subject=b; priority=")));
	STORE_OK(store_commit(world.store));
	STORE_OK(project_bases(world.store, world.mem, world.project, &list, &count));
	cr_assert_eq(count, 1);
	cr_expect_str_eq(list[0].owner_key, "t:17");
	cr_expect_str_eq(spec_text(world.mem, list[0].values, false), "subject=b; priority=");
	store_world_free(&world);
}

/* Changes of others are noticed, one's own are not. */
Test(store, data_version)
{
	struct store_world world = store_world_new();
	struct store *other = NULL;
	int64_t mine = 0, theirs = 0, now = 0;

	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &other));
	STORE_OK(store_data_version(world.store, &mine));
	STORE_OK(store_data_version(other, &theirs));
	store_world_fill(&world);
	STORE_OK(store_data_version(world.store, &now));
	cr_expect_eq(now, mine);
	STORE_OK(store_data_version(other, &now));
	cr_expect_neq(now, theirs);
	theirs = now;
	STORE_OK(store_begin(world.store));
	STORE_OK(store_meta_put(world.store, "name", "not committed"));
	STORE_OK(store_data_version(other, &now));
	cr_expect_eq(now, theirs);
	store_rollback(world.store);
	STORE_OK(store_data_version(other, &now));
	cr_expect_eq(now, theirs);
	store_world_free(&world);
}
