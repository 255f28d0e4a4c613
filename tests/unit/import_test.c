#include "config.h"

#include "gateway/sync/import.h"

#include <stdio.h>

#include "spec.h"
#include "store/revisions.h"
#include "store_world.h"

/* A project file as a table of text: rows "TASK:fields", people "KEY:NAME:EMAIL", assignments
 * "KEY:TASK:PERSON:fields". */
struct plan {
	const char *guid, *title, *name;
	const char *tasks[8], *people[8], *assignments[8];
};

struct import_world {
	struct store_world store;
	struct edit_env env;
	struct import_options options;
	struct import_result *result; /* of the last import */
};

static struct import_world import_world_with(const char *ini)
{
	struct import_world world = { .store = store_world_new() };
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	cr_assert_null(zone_use(world.store.mem, "Europe/Berlin"));
	STORE_OK(conf_parse(world.store.mem, "test.ini", ini, strlen(ini), 0600, &conf, &report));
	cr_assert_not_null(conf);
	world.env = (struct edit_env){ .conf = conf,
				       .store = world.store.store,
				       .clock = world.store.clock,
				       .rules = rules_new(world.store.mem, conf, report) };
	world.options.file_name = "dir/plan.xml";
	return world;
}

static struct import_world import_world_new(void)
{
	return import_world_with("[site]\nurl = https://pm.example.com/web\n");
}

/* The next part of *REST up to a colon; the last part is the rest. Empty is NULL. */
static const char *part(char **rest)
{
	char *text = *rest, *colon = text ? strchr(text, ':') : NULL;

	if (colon)
		*colon++ = '\0';
	*rest = colon;
	return text && *text ? text : NULL;
}

static struct projfile *file_of(TALLOC_CTX *mem, const struct plan *plan)
{
	struct projfile *file = MEM_NEW(mem, struct projfile);

	file->guid = plan->guid;
	file->title = plan->title;
	file->name = plan->name;
	file->tasks = MEM_ARRAY(mem, struct projfile_task, COUNT_OF(plan->tasks));
	file->resources = MEM_ARRAY(mem, struct projfile_resource, COUNT_OF(plan->people));
	file->assignments = MEM_ARRAY(mem, struct projfile_assignment, COUNT_OF(plan->assignments));
	for (size_t i = 0; i < COUNT_OF(plan->tasks) && plan->tasks[i]; i++) {
		char *row = mem_strdup(mem, plan->tasks[i]);
		const char *key = part(&row);

		file->tasks[file->task_count++] =
			(struct projfile_task){ .key = key,
						.values = spec_vector(mem, row ? row : "") };
	}
	for (size_t i = 0; i < COUNT_OF(plan->people) && plan->people[i]; i++) {
		char *row = mem_strdup(mem, plan->people[i]);
		struct projfile_resource *person = &file->resources[file->resource_count++];

		person->key = part(&row);
		person->name = part(&row);
		person->email = part(&row);
	}
	for (size_t i = 0; i < COUNT_OF(plan->assignments) && plan->assignments[i]; i++) {
		char *row = mem_strdup(mem, plan->assignments[i]);
		struct projfile_assignment *assignment =
			&file->assignments[file->assignment_count++];

		assignment->key = part(&row);
		assignment->task_key = part(&row);
		assignment->resource_key = part(&row);
		assignment->values = spec_vector(mem, row ? row : "");
	}
	return file;
}

static struct fault *try_import(struct import_world *world, const struct plan *plan)
{
	clock_sleep(world->store.clock, CLOCK_SECOND_US);
	return import_file(world->store.mem, &world->env, file_of(world->store.mem, plan),
			   &world->options, &world->result);
}

static void import(struct import_world *world, const struct plan *plan)
{
	STORE_OK(try_import(world, plan));
}

static int64_t last_change(struct import_world *world)
{
	int64_t seq = 0;

	STORE_OK(store_change_last(world->store.store, &seq));
	return seq;
}

static struct assignment *assignments(struct import_world *world, size_t *count_r)
{
	struct assignment *list = NULL;

	STORE_OK(project_assignments(world->store.store, world->store.mem,
				     world->result->project->id, 0, &list, count_r));
	return list;
}

/* "PERSON[state] fields" of each assignment, a line each. */
static char *shown(struct import_world *world)
{
	size_t count = 0;
	struct assignment *list = assignments(world, &count);
	struct buf *out = buf_new(world->store.mem);

	for (size_t i = 0; i < count; i++) {
		struct resource *resource = NULL;
		struct stamped *values = NULL;

		STORE_OK(project_resource(world->store.store, world->store.mem, list[i].resource_id,
					  &resource));
		STORE_OK(project_values(world->store.store, world->store.mem, &list[i], &values));
		buf_printf(out, "%s%s%s: %s", i ? "\n" : "", resource->key,
			   list[i].state == ASSIGNMENT_ACTIVE     ? ""
			   : list[i].state == ASSIGNMENT_DECLINED ? " declined"
								  : " withdrawn",
			   spec_text(world->store.mem, values->values, true));
	}
	return out->len ? out->data : mem_strdup(world->store.mem, "");
}

/* As a round does. */
static void report(struct import_world *world, size_t index, const char *spec, const char *author)
{
	size_t count = 0;
	struct assignment *list = assignments(world, &count);
	struct stamped *values = NULL;
	struct vector *after;
	struct edit_env env = world->env;
	bool changed[FIELDS] = { false };

	cr_assert_lt(index, count);
	env.author = author;
	clock_sleep(world->store.clock, CLOCK_SECOND_US);
	STORE_OK(project_values(world->store.store, world->store.mem, &list[index], &values));
	after = vector_copy(world->store.mem, values->values);
	spec_put(after, spec);
	STORE_OK(store_begin(world->store.store));
	STORE_OK(edit_write(&env, &list[index], values->values, after, NULL, changed));
	STORE_OK(store_commit(world->store.store));
}

static bool noted(const struct import_world *world, const char *words)
{
	for (size_t i = 0; i < world->result->note_count; i++)
		if (strstr(world->result->notes[i], words))
			return true;
	return false;
}

#define ANA "5:Ana:ana@example.com"
#define BOB "6:Bob:bob@example.com"

static const struct plan basic = {
	.guid = "guid-1",
	.title = "Harbour",
	.tasks = { "1:subject=Ship", "2:subject=Load" },
	.people = { ANA, BOB },
	.assignments = { "10:1:5:due=2026-12-01; percent=20", "11:2:6:due=2026-12-02" },
};

Test(import, twice_is_once)
{
	struct import_world world = import_world_new();
	int64_t before;

	import(&world, &basic);
	cr_expect(world.result->created);
	cr_expect_eq(world.result->tasks_new, 2);
	cr_expect_eq(world.result->assignments_new, 2);
	cr_expect_eq(world.result->people_new, 2);
	cr_expect_str_eq(world.result->project->code, "harbour");
	cr_expect_str_eq(shown(&world),
			 "ana@example.com: subject=Ship; due=2026-12-01; percent=20\n"
			 "bob@example.com: subject=Load; due=2026-12-02");
	before = last_change(&world);
	import(&world, &basic);
	cr_expect_eq(last_change(&world), before, "the second import wrote to the change log");
	cr_expect_not(world.result->created);
	cr_expect_eq(world.result->tasks_new + world.result->assignments_new +
			     world.result->people_new,
		     0);
	cr_expect_eq(world.result->tasks_changed + world.result->assignments_changed, 0);
	cr_expect_not(world.result->attention);
	store_world_free(&world.store);
}

/* M9. */
Test(import, last_weeks_plan_does_not_revert_a_week_of_progress)
{
	struct import_world world = import_world_new();
	int64_t before;

	import(&world, &basic);
	report(&world, 0,
	       "status=completed; percent=100; completed_at=2026-11-21T08:00:00Z; notes=n",
	       "mailbox:a/ana");
	report(&world, 1, "due=2026-12-24", "project:x");
	before = last_change(&world);
	import(&world, &basic);
	cr_expect_eq(last_change(&world), before);
	cr_expect_str_eq(
		shown(&world),
		"ana@example.com: subject=Ship; due=2026-12-01; status=completed; percent=100; "
		"completed_at=2026-11-21T08:00:00Z; notes=n\nbob@example.com: subject=Load; "
		"due=2026-12-24");
	store_world_free(&world.store);
}

Test(import, only_what_changed_in_the_file)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	import(&world, &basic);
	report(&world, 0, "percent=60; status=in-process", "mailbox:a/ana");
	plan.assignments[0] = "10:1:5:due=2026-12-05; percent=20";
	plan.tasks[1] = "2:subject=Load it; priority=1";
	import(&world, &plan);
	cr_expect_str_eq(
		shown(&world),
		"ana@example.com: subject=Ship; due=2026-12-05; status=in-process; percent=60\n"
		"bob@example.com: subject=Load it; due=2026-12-02; priority=1");
	cr_expect_eq(world.result->tasks_changed, 1);
	cr_expect_eq(world.result->assignments_changed, 1);
	cr_expect_eq(world.result->losing, 0);
	store_world_free(&world.store);
}

Test(import, what_the_file_takes_away_goes)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	import(&world, &basic);
	plan.assignments[0] = "10:1:5:percent=20";
	import(&world, &plan);
	cr_expect_str_eq(shown(&world),
			 "ana@example.com: subject=Ship; percent=20\nbob@example.com: "
			 "subject=Load; due=2026-12-02");
	store_world_free(&world.store);
}

/* The file's newer value replaces a person's: that one is kept (N1). */
Test(import, a_replaced_report_is_a_revision)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	struct revision *list = NULL;
	size_t count = 0;

	import(&world, &basic);
	report(&world, 0, "percent=60; status=in-process", "mailbox:a/ana");
	plan.assignments[0] = "10:1:5:due=2026-12-01; percent=30";
	import(&world, &plan);
	cr_expect_eq(world.result->losing, 1);
	STORE_OK(
		revisions_list(world.store.store, world.store.mem, REVISION_LOSING, &list, &count));
	cr_assert_eq(count, 1);
	cr_assert(list[0].has[FIELD_percent]);
	cr_expect_eq(list[0].field[FIELD_percent].theirs.number, 60);
	cr_expect_eq(list[0].field[FIELD_percent].ours.number, 30);
	store_world_free(&world.store);
}

Test(import, rules_judge_a_file_too)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	plan.assignments[0] = "10:1:5:percent=140";
	import(&world, &plan);
	cr_expect(strstr(shown(&world), "percent=100"), "%s", shown(&world));
	cr_expect(noted(&world, "percent-range"));
	cr_expect(world.result->attention);
	store_world_free(&world.store);
}

/* The file is the project's own word: who may report what, and when, is not asked of it. */
Test(import, rules_about_reporting_are_not_for_a_file)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	plan.tasks[0] = "1:subject=Ship; summary=true; predecessors=2";
	plan.assignments[0] = "10:1:5:percent=40; status=in-process";
	import(&world, &plan);
	cr_expect(strstr(shown(&world), "percent=40"), "%s", shown(&world));
	cr_expect_not(noted(&world, "rule"));
	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_set_state(world.store.store, world.result->project->id, PROJECT_ARCHIVED));
	STORE_OK(store_commit(world.store.store));
	plan.assignments[0] = "10:1:5:percent=60; status=in-process";
	import(&world, &plan);
	cr_expect(strstr(shown(&world), "percent=60"), "%s", shown(&world));
	cr_expect_not(noted(&world, "rule"));
	store_world_free(&world.store);
}

Test(import, vanished_is_listed_and_withdrawn_only_when_asked)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	import(&world, &basic);
	plan.tasks[1] = NULL;
	plan.assignments[1] = NULL;
	import(&world, &plan);
	cr_expect_eq(world.result->vanished, 1);
	cr_expect_eq(world.result->withdrawn, 0);
	cr_expect(world.result->attention);
	cr_expect(noted(&world, "'Load' of bob@example.com"));
	cr_expect_null(strstr(shown(&world), "withdrawn"), "%s", shown(&world));
	world.options.withdraw = true;
	import(&world, &plan);
	cr_expect_eq(world.result->withdrawn, 1);
	cr_expect_not_null(strstr(shown(&world), "bob@example.com withdrawn"), "%s", shown(&world));
	import(&world, &plan);
	cr_expect_eq(world.result->vanished, 0, "withdrawn once is enough");
	world.options.withdraw = false;
	import(&world, &basic);
	cr_expect_null(strstr(shown(&world), "withdrawn"), "back in the file: %s", shown(&world));
	store_world_free(&world.store);
}

Test(import, the_brake_stops_a_mass_withdrawal)
{
	static const struct plan all = {
		.guid = "g",
		.title = "P",
		.tasks = { "1:subject=A" },
		.people = { "1:A:a@example.com", "2:B:b@example.com", "3:C:c@example.com",
			    "4:D:d@example.com" },
		.assignments = { "1:1:1:", "2:1:2:", "3:1:3:", "4:1:4:" },
	};
	struct plan few = all;
	struct import_world world = import_world_new();

	import(&world, &all);
	few.assignments[1] = NULL;
	world.options.withdraw = true;
	import(&world, &few);
	cr_expect_eq(world.result->vanished, 3);
	cr_expect_eq(world.result->withdrawn, 0);
	cr_expect(noted(&world, "brake"));
	store_world_free(&world.store);
}

/* DESIGN section 10: who is not published to is told, also when it is for want of an account. */
Test(import, a_person_without_an_account)
{
	struct import_world world = import_world_with(
		"[site]\nurl = https://pm.example.com/web\n[server s]\ntype = memory\n"
		"url = memory:/m\nresources = ana@*\n");
	struct plan plan = basic;

	import(&world, &plan);
	cr_expect_eq(world.result->people, 2);
	cr_expect_eq(world.result->without_account, 1, "Bob");
	cr_expect_eq(world.result->without_address, 0);
	plan.people[1] = "6:Bob Builder:"; /* an account that is his by name needs no address */
	plan.people[2] = "7:Dora:";
	plan.people[3] = "8:Eve:"; /* misses nothing */
	plan.assignments[2] = "12:2:7:";
	store_world_free(&world.store);
	world = import_world_with("[site]\nurl = https://pm.example.com/web\n[server s]\n"
				  "type = memory\nurl = memory:/m\nresources = ana@*\n"
				  "[account s bob-builder]\nlogin = bob\n");
	import(&world, &plan);
	cr_expect_eq(world.result->people, 4);
	cr_expect_eq(world.result->without_account, 0);
	cr_expect_eq(world.result->without_address, 1, "Dora");
	world.options.withdraw = true;
	plan.assignments[2] = NULL;
	import(&world, &plan);
	cr_expect_eq(world.result->withdrawn, 1);
	cr_expect_eq(world.result->without_address, 0, "withdrawn by this file");
	import(&world, &plan);
	cr_expect_eq(world.result->without_address, 0, "and by one before");
	store_world_free(&world.store);
}

Test(import, a_person_without_an_address)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	struct person people[] = { { .key = "6", .email = "robert@example.com" } };

	plan.people[1] = "6:Bob Builder:";
	import(&world, &plan);
	cr_expect_eq(world.result->without_address, 1);
	cr_expect_not_null(strstr(shown(&world), "bob-builder: subject=Load"), "%s", shown(&world));
	/* an address comes later: the same person, the same assignment */
	world.options.people = people;
	world.options.people_count = 1;
	import(&world, &plan);
	cr_expect_eq(world.result->without_address, 0);
	cr_expect_eq(world.result->people_new, 0);
	cr_expect_eq(world.result->assignments_new, 0);
	cr_expect_not_null(strstr(shown(&world), "robert@example.com: subject=Load"), "%s",
			   shown(&world));
	store_world_free(&world.store);
}

Test(import, an_address_of_somebody_else)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	plan.people[1] = "6:Bob:";
	import(&world, &plan);
	plan.people[1] = "6:Bob:ana@example.com";
	import(&world, &plan);
	cr_expect(world.result->attention);
	cr_expect_not_null(strstr(shown(&world), "\nbob: subject=Load"), "%s", shown(&world));
	store_world_free(&world.store);
}

Test(import, which_project_a_file_is)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	int64_t first;

	import(&world, &basic);
	first = world.result->project->id;
	plan.title = "Harbour, renamed";
	import(&world, &plan);
	cr_expect_eq(world.result->project->id, first, "the GUID decides");
	cr_expect_str_eq(world.result->project->name, "Harbour, renamed");
	cr_expect_str_eq(world.result->project->code, "harbour", "the code stays");
	plan.guid = "guid-2"; /* another file at the same path, of the same title */
	plan.title = "Harbour";
	import(&world, &plan);
	cr_expect_neq(world.result->project->id, first);
	cr_expect_str_eq(world.result->project->code, "harbour-2");
	plan.guid = plan.title = NULL; /* nothing but its name */
	import(&world, &plan);
	cr_expect_str_eq(world.result->project->name, "plan");
	cr_expect_str_eq(world.result->project->source_key, "plan");
	world.options.code = "harbour"; /* --project */
	import(&world, &plan);
	cr_expect_eq(world.result->project->id, first);
	cr_expect_not(world.result->created);
	world.options.code = "new-one";
	import(&world, &plan);
	cr_expect(world.result->created);
	cr_expect_str_eq(world.result->project->code, "new-one");
	import(&world, &plan);
	cr_expect_not(world.result->created);
	store_world_free(&world.store);
}

/* The same person twice on the same task: two assignments with two items. */
Test(import, two_assignments_of_one_pair)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	struct assignment *list;
	size_t count = 0;
	int64_t before;

	plan.assignments[1] = "11:1:5:due=2026-12-09";
	import(&world, &plan);
	cr_expect_str_eq(shown(&world),
			 "ana@example.com: subject=Ship; due=2026-12-01; percent=20\n"
			 "ana@example.com: subject=Ship; due=2026-12-09");
	list = assignments(&world, &count);
	cr_assert_eq(count, 2);
	cr_expect_str_neq(list[0].uid, list[1].uid);
	before = last_change(&world);
	plan.assignments[0] = "11:1:5:due=2026-12-09"; /* in another order */
	plan.assignments[1] = "10:1:5:due=2026-12-01; percent=20";
	import(&world, &plan);
	cr_expect_eq(last_change(&world), before);
	cr_expect_eq(world.result->assignments_new, 0);
	/* a third one is put before them: theirs stay theirs */
	plan.assignments[0] = "9:1:5:due=2026-12-24";
	plan.assignments[1] = "10:1:5:due=2026-12-01; percent=20";
	plan.assignments[2] = "11:1:5:due=2026-12-09";
	import(&world, &plan);
	cr_expect_eq(world.result->assignments_new, 1);
	cr_expect_str_eq(shown(&world),
			 "ana@example.com: subject=Ship; due=2026-12-01; percent=20\n"
			 "ana@example.com: subject=Ship; due=2026-12-09\n"
			 "ana@example.com: subject=Ship; due=2026-12-24");
	store_world_free(&world.store);
}

/* Two databases that never met give an assignment the same UID (M6). */
Test(import, uids_are_reproducible)
{
	struct import_world one = import_world_new(), two = import_world_new();
	struct assignment *first, *second;
	size_t count = 0;

	import(&one, &basic);
	import(&two, &basic);
	first = assignments(&one, &count);
	second = assignments(&two, &count);
	cr_expect_str_eq(first[0].uid, second[0].uid);
	cr_expect_str_neq(first[0].uid, first[1].uid);
	store_world_free(&one.store);
	store_world_free(&two.store);
}

Test(import, actual_work_is_booked_by_its_difference)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	struct project_booking booking = {
		.day = 20778, .minutes = 30, .source_key = "line-1", .author = "mailbox:a/ana"
	};
	struct assignment *list;
	size_t count = 0;
	bool booked = false;

	plan.assignments[0] = "10:1:5:actual_work=60";
	import(&world, &plan);
	cr_expect_not_null(strstr(shown(&world), "actual_work=60"), "%s", shown(&world));
	list = assignments(&world, &count);
	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_book(world.store.store, &list[0], &booking, &booked));
	STORE_OK(store_commit(world.store.store));
	import(&world, &plan);
	cr_expect_not_null(strstr(shown(&world), "actual_work=90"), "nothing new in the file: %s",
			   shown(&world));
	plan.assignments[0] = "10:1:5:actual_work=100";
	import(&world, &plan);
	cr_expect_not_null(strstr(shown(&world), "actual_work=130"), "40 more in the file: %s",
			   shown(&world));
	plan.assignments[0] = "10:1:5:actual_work=80";
	import(&world, &plan);
	cr_expect_not_null(strstr(shown(&world), "actual_work=110"), "20 less in the file: %s",
			   shown(&world));
	/* withdrawn and back: not booked again */
	world.options.withdraw = true;
	plan.assignments[0] = plan.assignments[1];
	plan.assignments[1] = NULL;
	import(&world, &plan);
	plan.assignments[1] = "10:1:5:actual_work=80";
	import(&world, &plan);
	cr_expect_not_null(strstr(shown(&world), "actual_work=110"), "%s", shown(&world));
	store_world_free(&world.store);
}

Test(import, reassigning)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;

	import(&world, &basic);
	report(&world, 0, "percent=60; status=in-process", "mailbox:a/ana");
	plan.assignments[0] = "10:1:6:due=2026-12-01";
	world.options.withdraw = true;
	import(&world, &plan);
	cr_expect_eq(world.result->assignments_new, 1);
	cr_expect_eq(world.result->withdrawn, 1);
	cr_expect_str_eq(shown(&world), "ana@example.com withdrawn: subject=Ship; due=2026-12-01; "
					"status=in-process; percent=60\n"
					"bob@example.com: subject=Ship; due=2026-12-01\n"
					"bob@example.com: subject=Load; due=2026-12-02");
	store_world_free(&world.store);
}

Test(import, a_dry_run_writes_nothing)
{
	struct import_world world = import_world_new();
	struct project *list = NULL;
	size_t count = 7;

	world.options.dry_run = true;
	import(&world, &basic);
	cr_expect_eq(world.result->assignments_new, 2);
	STORE_OK(project_list(world.store.store, world.store.mem, &list, &count));
	cr_expect_eq(count, 0);
	store_world_free(&world.store);
}

Test(import, all_or_nothing)
{
	struct import_world world = import_world_new();
	struct plan plan = basic;
	struct project *list = NULL;
	size_t count = 7;

	plan.assignments[1] = "11:99:6:";
	store_world_expect_fault(try_import(&world, &plan), FAULT_DATA, "plan.xml");
	STORE_OK(project_list(world.store.store, world.store.mem, &list, &count));
	cr_expect_eq(count, 0);
	store_world_free(&world.store);
}
