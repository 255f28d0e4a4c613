#include "config.h"

#include "store/link.h"

#include <criterion/criterion.h>
#include <string.h>

#include "spec.h"
#include "store/project.h"
#include "store/sheet.h"
#include "store_world.h"

static struct folder *folder_of(struct store_world *world)
{
	struct account *account = NULL;
	struct folder *folder = NULL;

	STORE_OK(link_account(world->store, world->mem, "calendars", world->ana, true, &account));
	STORE_OK(link_folder(world->store, world->mem, account->id, world->project, true, &folder));
	return folder;
}

Test(store_link, accounts_and_folders_round_trip)
{
	struct store_world world = store_world_new();
	struct account *account = NULL;
	struct folder *folder = NULL, *again = NULL;

	store_world_fill(&world);
	STORE_OK(link_account(world.store, world.mem, "calendars", world.ana, false, &account));
	cr_expect_null(account);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	cr_expect_eq(folder->state, FOLDER_NEW);
	folder->address = "/ana/x/";
	folder->token = "t1";
	folder->project_seq = 12;
	folder->state = FOLDER_GONE;
	folder->error = "gone";
	folder->last_round_us = 5;
	STORE_OK(link_folder_set(world.store, folder));
	STORE_OK(link_account(world.store, world.mem, "calendars", world.ana, false, &account));
	account->state = ACCOUNT_HELD;
	account->error = "no";
	account->login_failures = 2;
	account->login_since_us = 77;
	STORE_OK(link_account_set(world.store, account));
	STORE_OK(store_commit(world.store));
	again = folder_of(&world);
	cr_expect_eq(again->id, folder->id);
	cr_expect_str_eq(again->address, "/ana/x/");
	cr_expect_str_eq(again->token, "t1");
	cr_expect_str_eq(again->error, "gone");
	cr_expect_eq(again->state, FOLDER_GONE);
	cr_expect_eq(again->project_seq, 12);
	STORE_OK(link_account_by_id(world.store, world.mem, account->id, &account));
	cr_expect_eq(account->state, ACCOUNT_HELD);
	cr_expect_eq(account->login_failures, 2);
	cr_expect_eq(account->login_since_us, 77);
	store_world_free(&world);
}

static struct link *link_with_all(struct store_world *world, const struct folder *folder)
{
	struct link *link = NULL;

	STORE_OK(link_of_assignment(world->store, world->mem, folder->id, world->assignment->id,
				    true, &link));
	link->address = "/ana/x/uid-1.ics";
	link->state = LINK_MISSING;
	link->seen_text = "BEGIN:VCALENDAR\r\nX-A:\xc3\xbc\r\n";
	link->seen = spec_vector(world->mem, "percent=140; notes=; subject=S");
	link->seen_version = "\"etag\"";
	link->seen_us = 11;
	link->decoder = 3;
	link->want = spec_vector(world->mem, "percent=100; due=2026-11-21");
	link->edition = 4;
	link->dirty = true;
	link->correction = "too much";
	link->corrections = 2;
	link->corrections_since_us = 22;
	link->attempts = 5;
	link->due_us = 33;
	link->error = "e";
	link->own_percent = 40;
	return link;
}

Test(store_link, a_link_round_trips)
{
	struct store_world world = store_world_new();
	struct link *link, *again = NULL;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	link = link_with_all(&world, folder_of(&world));
	STORE_OK(link_set(world.store, link));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_of_address(world.store, world.mem, link->folder_id, "/ana/x/uid-1.ics",
				 &again));
	cr_assert_not_null(again);
	cr_expect_eq(again->id, link->id);
	cr_expect_eq(again->state, LINK_MISSING);
	cr_expect_str_eq(again->seen_text, link->seen_text);
	cr_expect_str_eq(spec_text(world.mem, again->seen, false),
			 spec_text(world.mem, link->seen, false));
	cr_expect_str_eq(spec_text(world.mem, again->want, false),
			 spec_text(world.mem, link->want, false));
	cr_expect_str_eq(again->seen_version, "\"etag\"");
	cr_expect_str_eq(again->correction, "too much");
	cr_expect_str_eq(again->error, "e");
	cr_expect(again->dirty);
	cr_expect_eq(again->seen_us, 11);
	cr_expect_eq(again->decoder, 3);
	cr_expect_eq(again->edition, 4);
	cr_expect_eq(again->corrections, 2);
	cr_expect_eq(again->corrections_since_us, 22);
	cr_expect_eq(again->attempts, 5);
	cr_expect_eq(again->due_us, 33);
	cr_expect_eq(again->own_percent, 40);
	link->seen = link->want = NULL;
	link->seen_text = link->seen_version = link->correction = link->error = NULL;
	STORE_OK(store_begin(world.store));
	STORE_OK(link_set(world.store, link));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect(!again->seen && !again->want && !again->seen_text && !again->seen_version &&
		  !again->correction && !again->error);
	store_world_free(&world);
}

Test(store_link, sixteen_steps_of_history_are_kept)
{
	struct store_world world = store_world_new();
	struct agreed *steps = NULL;
	struct link *link;
	size_t count = 0;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	link = link_with_all(&world, folder_of(&world));
	for (int64_t i = 1; i <= 20; i++) {
		vector_number(link->want, FIELD_percent, i);
		STORE_OK(link_history_add(world.store, link,
					  &(struct agreed){ .edition = i / 2,
							    .pushed = i % 2 == 0,
							    .values = link->want,
							    .at_us = i * 10 }));
	}
	STORE_OK(store_commit(world.store));
	STORE_OK(link_history(world.store, world.mem, link->id, &steps, &count));
	cr_assert_eq(count, LINK_HISTORY);
	for (size_t i = 0; i < count; i++) {
		int64_t n = (int64_t)i + 5;

		cr_expect_eq(steps[i].edition, n / 2);
		cr_expect_eq(steps[i].pushed, n % 2 == 0);
		cr_expect_eq(vector_get(steps[i].values, FIELD_percent, 0), n);
		cr_expect_eq(steps[i].at_us, n * 10);
	}
	store_world_free(&world);
}

Test(store_link, pending_and_strays)
{
	struct store_world world = store_world_new();
	struct pending first = { .address = "/a",
				 .reason = "settle",
				 .first_seen_us = 10,
				 .due_us = 20 },
		       *list = NULL;
	struct stray stray = { .address = "/s", .state = "foreign", .summary = "Buy milk" },
		     *strays = NULL;
	struct folder *folder;
	char *version = NULL;
	size_t count = 0;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	STORE_OK(link_pending_put(world.store, folder->id, &first));
	first.first_seen_us = 15;
	first.due_us = 25;
	first.reason = "held";
	STORE_OK(link_pending_put(world.store, folder->id, &first));
	stray.folder_id = folder->id;
	STORE_OK(link_stray_put(world.store, &stray, "v1", "text", 1));
	STORE_OK(link_stray_put(world.store, &stray, "v2", "text", 2));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_pending(world.store, world.mem, folder->id, &list, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(list[0].first_seen_us, 10, "when it was seen first stays");
	cr_expect_eq(list[0].due_us, 25);
	cr_expect_str_eq(list[0].reason, "held");
	STORE_OK(link_stray_version(world.store, world.mem, folder->id, "/s", &version));
	cr_expect_str_eq(version, "v2");
	STORE_OK(link_strays(world.store, world.mem, &strays, &count));
	cr_assert_eq(count, 1);
	cr_expect_str_eq(strays[0].server, "calendars");
	cr_expect_str_eq(strays[0].resource, "ana@example.com");
	cr_expect_str_eq(strays[0].project, "harbour");
	STORE_OK(store_begin(world.store));
	STORE_OK(link_stray_drop(world.store, folder->id, "/s"));
	STORE_OK(link_pending_drop(world.store, folder->id, "/a"));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_stray_version(world.store, world.mem, folder->id, "/s", &version));
	cr_expect_null(version);
	STORE_OK(link_pending(world.store, world.mem, folder->id, &list, &count));
	cr_expect_eq(count, 0);
	store_world_free(&world);
}

Test(store_link, leftovers)
{
	struct store_world world = store_world_new();
	struct leftover *list = NULL;
	struct folder *folder;
	struct link *link;
	size_t count = 0;
	bool has = false;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	link = link_with_all(&world, folder);
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_leftover_put(world.store, link, "1.2", "MODSEQ 7"));
	STORE_OK(link_leftover_put(world.store, link, "1.2", NULL));
	STORE_OK(link_leftover_put(world.store, link, "1.1", NULL));
	STORE_OK(link_leftover_wait(world.store, folder->id, "1.1", 99));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_leftovers(world.store, world.mem, folder->id, &list, &count));
	cr_assert_eq(count, 2);
	cr_expect_str_eq(list[0].address, "1.1");
	cr_expect_null(list[0].version);
	cr_expect_eq(list[0].due_us, 99);
	cr_expect_str_eq(list[0].successor, link->address);
	cr_expect_str_eq(list[1].version, "MODSEQ 7", "what is known of it first stays");
	STORE_OK(link_leftover_has(world.store, folder->id, "1.2", &has));
	cr_expect(has);
	STORE_OK(store_begin(world.store));
	STORE_OK(link_leftover_drop(world.store, folder->id, "1.2"));
	link->seen_version = NULL;
	STORE_OK(link_set(world.store, link));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_leftover_has(world.store, folder->id, "1.2", &has));
	cr_expect_not(has);
	STORE_OK(link_leftovers(world.store, world.mem, folder->id, &list, &count));
	cr_assert_eq(count, 1);
	cr_expect_null(list[0].successor, "its link has no item");
	store_world_free(&world);
}

/* What is done again when a person says so. */
Test(store_link, releasing_restoring_forgetting)
{
	struct store_world world = store_world_new();
	struct folder *folder;
	struct link *link, *again = NULL;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	link = link_with_all(&world, folder);
	link->state = LINK_HELD;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_release(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->state, LINK_OK);
	cr_expect_eq(again->corrections, 0);
	cr_expect_not_null(again->seen_version);
	link->state = LINK_OK;
	link->dirty = true;
	link->attempts = 3;
	link->due_us = INT64_MAX;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_release(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->due_us, 0, "what failed is tried at once");
	cr_expect_eq(again->attempts, 0);
	link->attempts = 0;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_release(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->due_us, INT64_MAX, "what settles goes on doing so");
	link->state = LINK_MISSING;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_restore_missing(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->state, LINK_NEW);
	cr_expect(again->dirty && !again->seen_version && !again->seen);
	link->state = LINK_OK;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_forget(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->state, LINK_NEW);
	cr_expect(again->dirty && !again->seen_version && !again->seen);
	link->state = LINK_DECLINED;
	STORE_OK(link_set(world.store, link));
	STORE_OK(link_forget(world.store, folder->id));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->state, LINK_DECLINED, "what was declined stays so");
	STORE_OK(store_commit(world.store));
	store_world_free(&world);
}

/* ---- what a folder has to look at again ---- */

static void change_once(struct store_world *world, int64_t assignment, enum field field,
			const char *text)
{
	struct value to = { .presence = ABSENT };
	struct project_step step = { .project_id = world->project,
				     .task_id = world->task,
				     .assignment_id = assignment,
				     .field = field,
				     .new = &to,
				     .author = "project:x" };

	STORE_OK(value_parse(world->mem, field, text, &to));
	STORE_OK(project_change(world->store, &step, NULL));
}

/* The way by which the change log is asked follows from how long it is; the answer does not. */
Test(store_link, what_changes_touched_is_the_same_by_both_ways)
{
	static const struct {
		int64_t seq;
		bool nobody; /* asked for a person who has nothing to do with it */
		size_t count;
	} cases[] = {
		{ 0, false, 1 },
		{ 1, false, 1 },
		{ 2, false, 0 },
		{ 0, true, 0 },
	};
	struct store_world world = store_world_new();
	struct folder folder = { .id = 0 };
	int64_t first = 0;

	store_world_fill(&world);
	folder.project_id = world.project;
	STORE_OK(store_begin(world.store));
	STORE_OK(store_change_last(world.store, &first));
	change_once(&world, world.assignment->id, FIELD_percent, "30");
	change_once(&world, 0, FIELD_subject, "Dig deeper");
	STORE_OK(store_commit(world.store));
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int way = 0; way < 2; way++) {
			int64_t last = first + 2 + way * (LINK_TOUCHED_FEW + 1), *ids = NULL;
			size_t count = 0;

			folder.project_seq = first + cases[i].seq;
			STORE_OK(link_touched(world.store, world.mem, &folder,
					      world.ana + cases[i].nobody, last, &ids, &count));
			cr_expect_eq(count, cases[i].count, "case %zu, way %d: %zu", i, way, count);
			for (size_t j = 0; j < count; j++)
				cr_expect_eq(ids[j], world.assignment->id);
		}
	store_world_free(&world);
}

/* Ana's second assignment, of a task of its own. */
static struct assignment *another(struct store_world *world, const char *key)
{
	struct assignment assignment = { .project_id = world->project,
					 .resource_id = world->ana,
					 .source_key = key,
					 .uid = key },
			  *made = NULL;

	STORE_OK(project_task_add(world->store, world->project, key, 2, &assignment.task_id));
	STORE_OK(project_assignment_add(world->store, &assignment, "project:x", NULL,
					&assignment.id));
	STORE_OK(project_assignment(world->store, world->mem, assignment.id, &made));
	return made;
}

static void set_text(struct store_world *world, const struct assignment *assignment,
		     enum field field, const char *text, const char *author)
{
	struct value value = { .presence = SET, .text = text };

	STORE_OK(project_change(world->store,
				&(struct project_step){ .project_id = world->project,
							.task_id = assignment->task_id,
							.assignment_id = assignment->id,
							.field = field,
							.new = &value,
							.at_us = 5,
							.author = author },
				NULL));
}

/* A sheet says what is said one by one. */
static void expect_row(struct store_world *world, struct sheet *sheet,
		       const struct assignment *assignment, bool linked)
{
	struct sheet_row *row = sheet_find(sheet, assignment->id);
	struct stamped *stamped = NULL;
	struct task *task = NULL;

	cr_assert_not_null(row);
	STORE_OK(project_values(world->store, world->mem, assignment, &stamped));
	STORE_OK(project_task(world->store, world->mem, assignment->task_id, &task));
	cr_expect_str_eq(row->assignment.uid, assignment->uid);
	cr_expect_str_eq(row->assignment.source_key, assignment->source_key);
	cr_expect_eq(row->assignment.task_id, assignment->task_id);
	cr_expect_eq(row->assignment.resource_id, assignment->resource_id);
	cr_expect_eq(row->assignment.state, assignment->state);
	cr_expect_eq(row->task.id, task->id);
	cr_expect_str_eq(row->task.source_key, task->source_key);
	cr_expect_eq(row->task.active, task->active);
	cr_expect_eq(row->task.position, task->position);
	cr_expect_eq(row->linked, linked);
	for (int f = 0; f < FIELDS; f++) {
		cr_expect(value_identical((enum field)f, &row->stamped->values->value[f],
					  &stamped->values->value[f]),
			  "%s", field_table[f].name);
		cr_expect_eq(row->stamped->seq[f], stamped->seq[f]);
		cr_expect_eq(row->stamped->at_us[f], stamped->at_us[f]);
		cr_expect_eq(!row->stamped->author[f], !stamped->author[f]);
		if (stamped->author[f])
			cr_expect_str_eq(row->stamped->author[f], stamped->author[f]);
	}
}

Test(store_link, a_sheet_of_many_assignments)
{
	struct store_world world = store_world_new();
	struct assignment *second, *third;
	struct folder *folder;
	struct link *link = NULL;
	struct sheet *sheet = NULL;
	struct sheet_of of = { .first = 0, .last = INT64_MAX };

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	second = another(&world, "18");
	third = another(&world, "19");
	set_text(&world, world.assignment, FIELD_subject, "Ship crate", "project:x");
	set_text(&world, world.assignment, FIELD_notes, "wet", "mailbox:y");
	set_text(&world, world.assignment, FIELD_description, "big", "project:z");
	set_text(&world, third, FIELD_notes, "dry", "mailbox:y");
	folder = folder_of(&world);
	STORE_OK(link_of_assignment(world.store, world.mem, folder->id, second->id, true, &link));
	of.project = world.project;
	of.resource = world.ana;
	of.folder = folder->id;
	STORE_OK(sheet_read(world.store, world.mem, &of, &sheet));
	cr_expect_eq(sheet->count, 3);
	cr_expect_not(sheet->strays);
	expect_row(&world, sheet, world.assignment, false);
	expect_row(&world, sheet, second, true);
	expect_row(&world, sheet, third, false);
	cr_expect_null(sheet_find(sheet, third->id + 1));
	STORE_OK(link_stray_put(world.store,
				&(struct stray){ .folder_id = folder->id,
						 .address = "a",
						 .state = "foreign",
						 .uid = "u" },
				NULL, NULL, 1));
	of.first = of.last = second->id;
	STORE_OK(sheet_read(world.store, world.mem, &of, &sheet));
	cr_expect_eq(sheet->count, 1);
	cr_expect(sheet->strays);
	expect_row(&world, sheet, second, true);
	of.resource = world.bob;
	STORE_OK(sheet_read(world.store, world.mem, &of, &sheet));
	cr_expect_eq(sheet->count, 0);
	STORE_OK(store_commit(world.store));
	store_world_free(&world);
}

static size_t elsewhere(struct store_world *world, const char *server, int64_t person,
			const char *address, const char *object_id)
{
	struct account *account = NULL;
	int64_t *others = NULL;
	size_t count = 0;

	STORE_OK(store_begin(world->store));
	STORE_OK(link_account(world->store, world->mem, server, person, true, &account));
	STORE_OK(link_elsewhere(world->store, world->mem, world->assignment->id, address, account,
				object_id, &others, &count));
	STORE_OK(store_commit(world->store));
	return count;
}

/* Numbers of two mailboxes of one person's may be the same, but not their ids; whose item it is tells
 * between two people. */
Test(store_link, an_item_at_the_same_place_elsewhere)
{
	struct store_world world = store_world_new();
	struct folder *folder;
	struct link *link;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	folder->object_id = "f1";
	STORE_OK(link_folder_set(world.store, folder));
	link = link_with_all(&world, folder);
	STORE_OK(link_set(world.store, link));
	STORE_OK(store_commit(world.store));
	cr_expect_eq(elsewhere(&world, "calendars", world.bob, link->address, NULL), 1);
	cr_expect_eq(elsewhere(&world, "calendars", world.bob, "/ana/x/uid-2.ics", NULL), 0);
	cr_expect_eq(elsewhere(&world, "calendars", world.ana, link->address, "f1"), 0, "its own");
	cr_expect_eq(elsewhere(&world, "other", world.ana, link->address, NULL), 0);
	cr_expect_eq(elsewhere(&world, "other", world.ana, link->address, "f2"), 0);
	cr_expect_eq(elsewhere(&world, "other", world.ana, link->address, "f1"), 1);
	link->seen_version = NULL;
	STORE_OK(store_begin(world.store));
	STORE_OK(link_set(world.store, link));
	STORE_OK(store_commit(world.store));
	cr_expect_eq(elsewhere(&world, "calendars", world.bob, link->address, NULL), 0,
		     "not confirmed");
	store_world_free(&world);
}

static struct link *fresh(struct store_world *world, const struct folder *folder,
			  const struct assignment *assignment, const char *want)
{
	struct link *link = NULL;

	STORE_OK(link_fresh(world->store, world->mem, folder->id, assignment->id, &link));
	if (want) {
		link->want = spec_vector(link, want);
		link->edition = 1;
		link->dirty = true;
	}
	link->address = assignment->uid;
	link->own_percent = 40;
	link->project_ids = "1 2 3 4 5 6";
	STORE_OK(link_set(world->store, link));
	return link;
}

static size_t steps(struct store_world *world, const struct link *link, struct agreed **list_r)
{
	size_t count = 0;

	STORE_OK(link_history(world->store, world->mem, link->id, list_r, &count));
	return count;
}

/* What is made in a transaction is published with its first step, and nothing else is. */
Test(store_link, a_fresh_link_and_its_first_step)
{
	struct store_world world = store_world_new();
	struct link *before, *first, *second, *third, *again = NULL;
	struct agreed *list = NULL;
	struct folder *folder;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	before = link_with_all(&world, folder);
	STORE_OK(link_set(world.store, before));
	first = fresh(&world, folder, another(&world, "18"), "subject=S; percent=40");
	second = fresh(&world, folder, another(&world, "19"), NULL);
	third = fresh(&world, folder, another(&world, "20"), "subject=T");
	cr_expect_not(first->fresh);
	STORE_OK(link_history_add(world.store, third,
				  &(struct agreed){ .edition = 2, .values = third->want }));
	STORE_OK(link_first_steps(world.store, first->id));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_get(world.store, world.mem, first->id, &again));
	cr_expect_eq(again->state, LINK_NEW);
	cr_expect_eq(again->folder_id, folder->id);
	cr_expect_eq(again->assignment_id, first->assignment_id);
	cr_expect_str_eq(again->address, "18");
	cr_expect_str_eq(spec_text(world.mem, again->want, false), "subject=S; percent=40");
	cr_expect_eq(again->edition, 1);
	cr_expect_eq(again->own_percent, 40);
	cr_expect_str_eq(again->project_ids, "1 2 3 4 5 6");
	cr_expect(again->dirty && !again->seen && !again->seen_text && !again->error &&
		  !again->attempts && !again->due_us && !again->quiet);
	cr_assert_eq(steps(&world, first, &list), 1);
	cr_expect_eq(list[0].edition, 1);
	cr_expect(list[0].pushed);
	cr_expect_eq(list[0].at_us, STORE_START_US);
	cr_expect_str_eq(spec_text(world.mem, list[0].values, false), "subject=S; percent=40");
	cr_expect_eq(steps(&world, second, &list), 0);
	cr_assert_eq(steps(&world, third, &list), 1);
	cr_expect_eq(list[0].edition, 2, "which is there already");
	cr_expect_eq(steps(&world, before, &list), 0, "of another transaction, or another making");
	store_world_free(&world);
}

Test(store_link, a_confirmed_link_keeps_what_is_wanted)
{
	struct store_world world = store_world_new();
	struct link *link, *again = NULL;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	link = fresh(&world, folder_of(&world), world.assignment, "subject=S");
	link->due_us = 44;
	link->attempts = 3;
	link->quiet = true;
	STORE_OK(link_set(world.store, link));
	link->address = "7.1";
	link->seen = link->want;
	link->seen_text = "text";
	link->seen_version = "7.1 S";
	link->seen_us = 55;
	link->decoder = 2;
	link->seen_ids = "2:a";
	link->marks = "S";
	link->starred = "2026-11-21";
	link->error = "kept in another form";
	link->want = NULL;
	link->edition = link->due_us = link->own_percent = 0;
	link->project_ids = NULL;
	STORE_OK(link_confirm(world.store, link));
	STORE_OK(store_commit(world.store));
	STORE_OK(link_get(world.store, world.mem, link->id, &again));
	cr_expect_eq(again->state, LINK_OK);
	cr_expect_not(again->dirty);
	cr_expect_not(again->quiet);
	cr_expect_eq(again->attempts, 0);
	cr_expect_str_eq(again->address, "7.1");
	cr_expect_str_eq(again->seen_text, "text");
	cr_expect_str_eq(spec_text(world.mem, again->seen, false), "subject=S");
	cr_expect_str_eq(again->seen_version, "7.1 S");
	cr_expect_eq(again->seen_us, 55);
	cr_expect_eq(again->decoder, 2);
	cr_expect_str_eq(again->seen_ids, "2:a");
	cr_expect_str_eq(again->marks, "S");
	cr_expect_str_eq(again->starred, "2026-11-21");
	cr_expect_str_eq(again->error, "kept in another form");
	cr_expect_str_eq(spec_text(world.mem, again->want, false), "subject=S");
	cr_expect_eq(again->edition, 1);
	cr_expect_eq(again->due_us, 44);
	cr_expect_eq(again->own_percent, 40);
	cr_expect_str_eq(again->project_ids, "1 2 3 4 5 6");
	store_world_free(&world);
}

Test(store_link, what_is_to_be_written_between_two)
{
	struct store_world world = store_world_new();
	struct link *made[4], **list = NULL;
	struct link_range range = { .before = INT64_MAX, .most = 10 };
	struct folder *folder;
	size_t count = 0;

	store_world_fill(&world);
	STORE_OK(store_begin(world.store));
	folder = folder_of(&world);
	for (int i = 0; i < 4; i++)
		made[i] = fresh(&world, folder, another(&world, mem_printf(world.mem, "%d", i)),
				i == 2 ? NULL : "subject=S");
	range.folder = folder->id;
	STORE_OK(link_dirty(world.store, world.mem, &range, &list, &count));
	cr_assert_eq(count, 3, "one is not to be written");
	cr_expect_eq(list[2]->id, made[3]->id);
	cr_expect_str_eq(spec_text(world.mem, list[2]->want, false), "subject=S");
	range.after = made[0]->id;
	STORE_OK(link_dirty(world.store, world.mem, &range, &list, &count));
	cr_assert_eq(count, 2);
	cr_expect_eq(list[0]->id, made[1]->id);
	range.before = made[3]->id;
	STORE_OK(link_dirty(world.store, world.mem, &range, &list, &count));
	cr_assert_eq(count, 1);
	range.after = 0;
	range.most = 1;
	STORE_OK(link_dirty(world.store, world.mem, &range, &list, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(list[0]->id, made[0]->id);
	STORE_OK(store_commit(world.store));
	store_world_free(&world);
}
