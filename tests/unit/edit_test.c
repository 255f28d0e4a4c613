#include "config.h"

#include "gateway/sync/edit.h"

#include "spec.h"
#include "store_world.h"

struct edit_world {
	struct store_world store;
	struct edit_env env;
	struct edit_result *result;
};

static struct edit_world edit_world_with(const char *ini)
{
	struct edit_world world = { .store = store_world_new() };
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	cr_assert_null(zone_use(world.store.mem, "Europe/Berlin"));
	STORE_OK(conf_parse(world.store.mem, "test.ini", ini, strlen(ini), 0600, &conf, &report));
	cr_assert_not_null(conf, "%s", ini);
	store_world_fill(&world.store);
	world.env = (struct edit_env){ .conf = conf,
				       .store = world.store.store,
				       .clock = world.store.clock,
				       .rules = rules_new(world.store.mem, conf, report),
				       .author = "project:carla" };
	return world;
}

/* "field=text; field=text" as `task set` gets them. */
static struct fault *set(struct edit_world *world, int64_t assignment, const char *spec)
{
	struct edit_field fields[8];
	char *copy = mem_strdup(world->store.mem, spec), *save = NULL;
	size_t count = 0;

	for (char *word = strtok_r(copy, ";", &save); word;
	     word = strtok_r(NULL, ";", &save), count++) {
		char *name = text_trim(world->store.mem, word), *text = strchr(name, '=');

		cr_assert_not_null(text);
		*text++ = '\0';
		fields[count] = (struct edit_field){ .field = field_find(name), .text = text };
		cr_assert_lt((int)fields[count].field, (int)FIELDS, "%s", name);
	}
	clock_sleep(world->store.clock, CLOCK_SECOND_US);
	return edit_assignment(world->store.mem, &world->env, assignment, fields, count,
			       &world->result);
}

static void must_set(struct edit_world *world, const char *spec)
{
	STORE_OK(set(world, world->store.assignment->id, spec));
}

static char *values(struct edit_world *world, const struct assignment *assignment)
{
	struct stamped *stamped = NULL;

	STORE_OK(project_values(world->store.store, world->store.mem, assignment, &stamped));
	return spec_text(world->store.mem, stamped->values, true);
}

static size_t history(struct edit_world *world)
{
	struct change *list = NULL;
	size_t count = 0;

	STORE_OK(project_history(world->store.store, world->store.mem, world->store.assignment,
				 &list, &count));
	cr_assert_gt(count, 0);
	cr_expect_str_eq(list[0].name, CHANGE_ASSIGNMENT, "it was added");
	for (size_t i = 1; i < count; i++)
		cr_expect_str_eq(list[i].author, "project:carla");
	return count - 1;
}

Test(edit, what_people_write)
{
	static const struct {
		const char *set, *values;
	} cases[] = {
		{ "subject=Ship crate", "subject=Ship crate" },
		{ "due=2026-12-01", "due=2026-12-01" },
		{ "due=2026-12-01T08:00", "due=2026-12-01T07:00:00Z" },
		{ "percent=40 %; status=In process", "status=in-process; percent=40" },
		{ "total_work=2h", "total_work=120" },
		{ "total_work=1d", "total_work=480" },
		{ "total_work=90", "total_work=90" },
		{ "categories=b, a,b", "categories=a\nb" },
		{ "milestone=yes", "milestone=true" },
		{ "notes=", "" },
		{ "actual_work=90", "actual_work=90" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct edit_world world = edit_world_with("");

		must_set(&world, cases[i].set);
		cr_expect_str_eq(values(&world, world.store.assignment), cases[i].values,
				 "%s gives {%s}, expected {%s}", cases[i].set,
				 values(&world, world.store.assignment), cases[i].values);
		cr_expect_not(world.result->attention, "%s", cases[i].set);
		store_world_free(&world.store);
	}
}

Test(edit, says_what_changed)
{
	struct edit_world world = edit_world_with("");

	must_set(&world, "subject=Ship; percent=40; status=in-process");
	cr_expect(world.result->changed[FIELD_subject] && world.result->changed[FIELD_percent] &&
		  world.result->changed[FIELD_status]);
	cr_expect_not(world.result->changed[FIELD_notes]);
	cr_expect_eq(history(&world), 3);
	must_set(&world, "subject=Ship; percent=60");
	cr_expect_not(world.result->changed[FIELD_subject], "it stood so already");
	cr_expect_str_eq(spec_text(world.store.mem, world.result->before, true),
			 "subject=Ship; status=in-process; percent=40");
	cr_expect_str_eq(spec_text(world.store.mem, world.result->after, true),
			 "subject=Ship; status=in-process; percent=60");
	cr_expect_eq(history(&world), 4);
	must_set(&world, "subject=");
	cr_expect_str_eq(values(&world, world.store.assignment), "status=in-process; percent=60");
	store_world_free(&world.store);
}

Test(edit, a_tasks_field_is_for_all_who_share_it)
{
	struct edit_world world = edit_world_with("");
	struct assignment other = *world.store.assignment;

	other.uid = "uid-2";
	other.resource_id = world.store.bob;
	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_assignment_add(world.store.store, &other, "project:x", NULL, &other.id));
	STORE_OK(store_commit(world.store.store));
	must_set(&world, "subject=Ship; priority=1; due=2026-12-01; percent=40; status=in-process");
	cr_expect_str_eq(values(&world, &other), "subject=Ship; priority=1");
	store_world_free(&world.store);
}

/* A number that is no beginning and no end says that it has been started; what was said besides counts. */
Test(edit, a_percentage_starts)
{
	static const struct {
		const char *set, *values;
	} steps[] = {
		{ "percent=80", "status=in-process; percent=80" },
		{ "status=needs-action; percent=0", "status=needs-action; percent=0" },
		{ "percent=0", "status=needs-action; percent=0" },
		{ "percent=5", "status=in-process; percent=5" },
	};
	struct edit_world world = edit_world_with("");

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		must_set(&world, steps[i].set);
		cr_expect_str_eq(values(&world, world.store.assignment), steps[i].values, "%s",
				 steps[i].set);
	}
	store_world_free(&world.store);
}

Test(edit, actual_work_is_an_adjustment)
{
	struct edit_world world = edit_world_with("");
	struct project_booking booking = {
		.day = 20778, .minutes = 30, .source_key = "line-1", .author = "project:carla"
	};
	bool booked = false;

	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_book(world.store.store, world.store.assignment, &booking, &booked));
	STORE_OK(store_commit(world.store.store));
	must_set(&world, "actual_work=90");
	cr_expect(world.result->changed[FIELD_actual_work]);
	cr_expect_str_eq(values(&world, world.store.assignment), "actual_work=90");
	must_set(&world, "actual_work=90");
	cr_expect_not(world.result->changed[FIELD_actual_work]);
	must_set(&world, "actual_work=60");
	cr_expect_str_eq(values(&world, world.store.assignment), "actual_work=60");
	must_set(&world, "actual_work=90"); /* the same number again is another change */
	cr_expect_str_eq(values(&world, world.store.assignment), "actual_work=90");
	must_set(&world, "actual_work=");
	cr_expect_str_eq(values(&world, world.store.assignment), "actual_work=0");
	store_world_free(&world.store);
}

Test(edit, rules_correct_and_tell)
{
	struct edit_world world = edit_world_with("");

	must_set(&world, "percent=140");
	cr_expect_str_eq(values(&world, world.store.assignment),
			 "status=completed; percent=100; completed_at=2026-11-21T09:00:01Z");
	cr_expect(world.result->attention);
	cr_assert_eq(world.result->message_count, 2);
	cr_expect_not_null(strstr(world.result->messages[0], "percent-range"), "%s",
			   world.result->messages[0]);
	cr_expect_not_null(strstr(world.result->messages[1], "done-agrees"), "%s",
			   world.result->messages[1]);
	must_set(&world, "percent=40");
	cr_expect_str_eq(values(&world, world.store.assignment), "status=in-process; percent=40");
	store_world_free(&world.store);
}

Test(edit, what_is_refused_changes_nothing)
{
	static const struct {
		const char *ini, *set, *words;
	} cases[] = {
		{ "", "due=2026-12-01; start=2026-12-05", "due-after-start" },
		{ "", "total_work=-5", "work-not-negative" },
		{ "", "actual_work=-5", "work-not-negative" },
		{ "", "subject=Ship; due=tomorrow", "due" },
		{ "", "percent=half", "percent" },
		{ "", "status=nearly", "status" },
		{ "", "parent=3", "parent" },
		{ "", "predecessors=3", "predecessors" },
		{ "", "summary=true", "summary" },
		{ "[site]\nclosed_until = 2026-10-31\n",
		  "status=completed; completed_at=2026-10-31", "project-open" },
		{ "[rule ask]\nwhen = new.percent > 50\naction = hold\nmessage = Ask first.\n",
		  "percent=60; notes=n", "Ask first" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct edit_world world = edit_world_with(cases[i].ini);

		store_world_expect_fault(set(&world, world.store.assignment->id, cases[i].set),
					 FAULT_DATA, cases[i].words);
		cr_expect_null(world.result);
		cr_expect_str_eq(values(&world, world.store.assignment), "", "%s left {%s}",
				 cases[i].set, values(&world, world.store.assignment));
		cr_expect_eq(history(&world), 0, "%s left a trace", cases[i].set);
		store_world_free(&world.store);
	}
}

Test(edit, no_such_assignment)
{
	struct edit_world world = edit_world_with("");

	store_world_expect_fault(set(&world, 4711, "percent=40"), FAULT_DATA, "4711");
	store_world_free(&world.store);
}

/* A rule that stands in the way of other people does not stand in the manager's: `actor` tells them
 * apart. */
Test(edit, rules_know_who_changes)
{
	struct edit_world world = edit_world_with(
		"[rule theirs]\nwhen = new.percent > 50 AND actor = 'mailbox'\naction = reject\n"
		"[rule ours]\nwhen = new.notes IS NOT NULL AND actor = 'project'\naction = warn\n"
		"message = Notes are the assignee's.\n");

	must_set(&world, "percent=60; status=in-process");
	cr_expect_not(world.result->attention);
	must_set(&world, "notes=n");
	cr_expect_str_eq(values(&world, world.store.assignment),
			 "status=in-process; percent=60; notes=n");
	cr_expect(world.result->attention, "a warning is told");
	cr_expect_eq(world.result->message_count, 1);
	store_world_free(&world.store);
}

static void change(struct edit_world *world, const struct assignment *assignment, const char *spec)
{
	struct vector *old = vector_new(world->store.mem),
		      *new = spec_vector(world->store.mem, spec);
	bool changed[FIELDS] = { false };

	STORE_OK(store_begin(world->store.store));
	STORE_OK(edit_write(&world->env, assignment, old, new, NULL, changed));
	STORE_OK(store_commit(world->store.store));
}

Test(edit, a_summary_task_has_no_progress_of_its_own)
{
	struct edit_world world = edit_world_with("");

	change(&world, world.store.assignment, "summary=true");
	store_world_expect_fault(set(&world, world.store.assignment->id, "percent=60"), FAULT_DATA,
				 "summary-is-computed");
	must_set(&world, "notes=n");
	cr_expect_str_eq(values(&world, world.store.assignment), "summary=true; notes=n");
	store_world_free(&world.store);
}

Test(edit, an_archived_project_has_no_progress)
{
	struct edit_world world = edit_world_with("");

	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_set_state(world.store.store, world.store.project, PROJECT_ARCHIVED));
	STORE_OK(store_commit(world.store.store));
	store_world_expect_fault(set(&world, world.store.assignment->id, "percent=60"), FAULT_DATA,
				 "project-open");
	must_set(&world, "notes=n; due=2026-12-01");
	cr_expect_str_eq(values(&world, world.store.assignment), "due=2026-12-01; notes=n");
	store_world_free(&world.store);
}

/* An assignment of a task of that key to a person. */
static struct assignment *assign(struct edit_world *world, const char *task, int64_t resource)
{
	struct assignment fresh = { .project_id = world->store.project,
				    .resource_id = resource,
				    .source_key = "",
				    .uid = mem_printf(world->store.mem, "uid-%s-%lld", task,
						      (long long)resource) };
	struct assignment *assignment = NULL;
	struct task *found = NULL;

	STORE_OK(store_begin(world->store.store));
	STORE_OK(project_task_by_key(world->store.store, world->store.mem, world->store.project,
				     task, &found));
	fresh.task_id = found ? found->id : 0;
	if (!found)
		STORE_OK(project_task_add(world->store.store, world->store.project, task, 2,
					  &fresh.task_id));
	STORE_OK(project_assignment_add(world->store.store, &fresh, "project:x", NULL, &fresh.id));
	STORE_OK(store_commit(world->store.store));
	STORE_OK(project_assignment(world->store.store, world->store.mem, fresh.id, &assignment));
	return assignment;
}

/* Starts task 18, and says whether there was a warning. */
static bool warned(struct edit_world *world, const struct assignment *assignment)
{
	bool found = false;

	STORE_OK(set(world, assignment->id, "status=in-process"));
	for (size_t i = 0; i < world->result->message_count; i++)
		found |= strstr(world->result->messages[i], "predecessors-first") != NULL;
	cr_expect_eq(world->result->attention, found);
	STORE_OK(set(world, assignment->id, "status=needs-action"));
	return found;
}

/* Task 17 of Ana and Bob goes before task 18. */
Test(edit, a_predecessor_is_open_until_all_are_done)
{
	struct edit_world world = edit_world_with("");
	struct assignment *of_bob = assign(&world, "17", world.store.bob),
			  *after = assign(&world, "18", world.store.ana);
	struct store *store = world.store.store;

	cr_expect_not(warned(&world, after), "nothing goes before it");
	change(&world, after, "predecessors=17,99");
	cr_expect(warned(&world, after), "nobody has begun");
	STORE_OK(set(&world, world.store.assignment->id, "status=completed"));
	cr_expect(warned(&world, after), "bob is not done");
	STORE_OK(set(&world, of_bob->id, "percent=99; status=in-process"));
	cr_expect(warned(&world, after), "bob is nearly done");
	STORE_OK(set(&world, of_bob->id, "percent=100"));
	cr_expect_not(warned(&world, after), "both are done");
	STORE_OK(set(&world, of_bob->id, "status=cancelled"));
	cr_expect_not(warned(&world, after), "one is done, one is cancelled");
	STORE_OK(set(&world, of_bob->id, "status=needs-action"));
	STORE_OK(store_begin(store));
	STORE_OK(project_assignment_set_state(store, of_bob, ASSIGNMENT_WITHDRAWN, "project:x",
					      NULL));
	STORE_OK(store_commit(store));
	cr_expect_not(warned(&world, after), "bob's is withdrawn");
	STORE_OK(store_begin(store));
	STORE_OK(project_assignment_set_state(store, of_bob, ASSIGNMENT_ACTIVE, "project:x", NULL));
	STORE_OK(project_task_place(store, world.store.task, false, 1));
	STORE_OK(store_commit(store));
	cr_expect_not(warned(&world, after), "the task is not in the plan any more");
	store_world_free(&world.store);
}
