#include "config.h"

#include "gateway/sync/verdict.h"

#include "queue/queue.h"
#include "spec.h"
#include "store/revisions.h"
#include "store_world.h"

struct verdict_world {
	struct store_world store;
	struct edit_env env;
	struct verdict_result *result;
	int64_t id; /* of the revision that was kept last */
};

static struct verdict_world world_with(const char *ini)
{
	struct verdict_world world = { .store = store_world_new() };
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
	cr_assert_not_null(world.env.rules, "%s", ini);
	return world;
}

/* The project's values, as if they had always been so. */
static void put(struct verdict_world *world, const char *spec)
{
	bool changed[FIELDS] = { false };
	struct stamped *stamped = NULL;
	struct vector *after;

	STORE_OK(store_begin(world->store.store));
	STORE_OK(project_values(world->store.store, world->store.mem, world->store.assignment,
				&stamped));
	after = vector_copy(world->store.mem, stamped->values);
	spec_put(after, spec);
	STORE_OK(edit_write(&world->env, world->store.assignment, stamped->values, after, NULL,
			    changed));
	STORE_OK(store_commit(world->store.store));
}

static char *values(struct verdict_world *world)
{
	struct stamped *stamped = NULL;

	STORE_OK(project_values(world->store.store, world->store.mem, world->store.assignment,
				&stamped));
	return spec_text(world->store.mem, stamped->values, true);
}

/* A revision whose fields are those of THEIRS. */
static void keep(struct verdict_world *world, enum revision_state state, const char *rule,
		 const char *base, const char *theirs, const char *ours)
{
	TALLOC_CTX *mem = world->store.mem;
	struct vector *was = spec_vector(mem, base), *wrote = spec_vector(mem, theirs),
		      *stands = spec_vector(mem, ours);
	struct revision *revision = revision_new(mem, state), *list = NULL;
	size_t count = 0;

	revision->assignment_id = world->store.assignment->id;
	revision->rule = rule;
	revision->at_us = clock_now_us(world->store.clock);
	revision->author = revision->writer = "mailbox:a/ana@example.com";
	for (int f = 0; f < FIELDS; f++)
		if (wrote->value[f].presence != ABSENT)
			revision_field(revision, (enum field)f, &was->value[f], &wrote->value[f],
				       &stands->value[f]);
	STORE_OK(store_begin(world->store.store));
	STORE_OK(revisions_add(world->store.store, revision));
	STORE_OK(store_commit(world->store.store));
	STORE_OK(revisions_list(world->store.store, mem, REVISION_STATES, &list, &count));
	world->id = list[count - 1].id;
}

static struct fault *give(struct verdict_world *world, enum verdict verdict, const char *comment)
{
	clock_sleep(world->store.clock, CLOCK_SECOND_US);
	return verdict_give(world->store.mem, &world->env, world->id, verdict, comment,
			    &world->result);
}

static struct revision *kept(struct verdict_world *world)
{
	struct revision *revision = NULL;

	STORE_OK(revisions_get(world->store.store, world->store.mem, world->id, &revision));
	cr_assert_not_null(revision);
	return revision;
}

/* The last rows of the change log: "NAME:OLD>NEW by WHO (CAUSE)", newest last. */
static char *last_changes(struct verdict_world *world, size_t wanted)
{
	struct buf *out = buf_new(world->store.mem);
	struct change *list = NULL;
	size_t count = 0;

	STORE_OK(project_history(world->store.store, world->store.mem, world->store.assignment,
				 &list, &count));
	for (size_t i = count > wanted ? count - wanted : 0; i < count; i++)
		buf_printf(out, "%s%s:%s>%s by %s (%s)", out->len ? "; " : "", list[i].name,
			   list[i].old_text ? list[i].old_text : "-",
			   list[i].new_text ? list[i].new_text : "-", list[i].author,
			   list[i].cause ? list[i].cause : "-");
	return buf_steal(&out, world->store.mem, NULL);
}

/* ---- what may be given on what ---- */

Test(verdict, what_may_be_given_on_what)
{
	/* first verdict (VERDICTS: none), then each of the four: a=allowed, h=harmless, - = not */
	static const struct {
		enum revision_state state;
		enum verdict before;
		const char *outcome; /* accept, reject, restore, dismiss */
	} cases[] = {
		{ REVISION_LOSING, VERDICTS, "--aa" },
		{ REVISION_CORRECTED, VERDICTS, "--aa" },
		{ REVISION_REJECTED, VERDICTS, "--aa" },
		{ REVISION_PROPOSED, VERDICTS, "aa-a" },
		{ REVISION_PROPOSED, VERDICT_ACCEPT, "h-h-" },
		{ REVISION_PROPOSED, VERDICT_REJECT, "-ha-" },
		{ REVISION_PROPOSED, VERDICT_DISMISS, "--ah" },
		{ REVISION_LOSING, VERDICT_RESTORE, "h-h-" },
		{ REVISION_LOSING, VERDICT_DISMISS, "--ah" },
		{ REVISION_REJECTED, VERDICT_DISMISS, "--ah" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (int v = 0; v < VERDICTS; v++) {
			struct verdict_world world = world_with("");
			const char *label;
			struct fault *fault;
			char outcome;

			put(&world, "notes=ours");
			keep(&world, cases[i].state, NULL, "notes=base", "notes=theirs",
			     "notes=ours");
			if (cases[i].before != VERDICTS)
				STORE_OK(give(&world, cases[i].before, NULL));
			label = mem_printf(world.store.mem, "case %zu: %s on %s", i,
					   verdict_name((enum verdict)v),
					   revision_state_name(kept(&world)->state));
			fault = give(&world, (enum verdict)v, "because");
			outcome = fault ? '-' : world.result->again ? 'h' : 'a';
			cr_expect_eq(outcome, cases[i].outcome[v], "%s: expected %c, actual %c: %s",
				     label, cases[i].outcome[v], outcome, fault ? fault->text : "");
			if (fault)
				store_world_expect_fault(fault, FAULT_DATA, "cannot be");
			if (outcome == 'a')
				cr_expect_str_eq(kept(&world)->comment, "because", "%s", label);
			else
				cr_expect_null(kept(&world)->comment, "%s", label);
			store_world_free(&world.store);
		}
	}
}

Test(verdict, the_names)
{
	for (int v = 0; v < VERDICTS; v++)
		cr_expect_eq(verdict_find(verdict_name((enum verdict)v)), (enum verdict)v);
	cr_expect_eq(verdict_find("show"), VERDICTS);
}

/* ---- what becomes of the values ---- */

Test(verdict, the_values)
{
	static const struct {
		const char *label, *now, *base, *theirs, *ours, *then, *moved;
		enum revision_state state;
		enum verdict verdict;
	} cases[] = {
		{ "accepted", "due=2026-12-01", "due=2026-12-01", "due=2026-12-24",
		  "due=2026-12-01", "due=2026-12-24", "", REVISION_PROPOSED, VERDICT_ACCEPT },
		{ "a cleared one", "due=2026-12-01", "due=2026-12-01", "due=", "due=2026-12-01", "",
		  "", REVISION_PROPOSED, VERDICT_ACCEPT },
		{ "the same day is no move", "due=2026-12-01T16:00:00Z", "due=2026-12-01",
		  "due=2026-12-24", "due=2026-12-01", "due=2026-12-24", "", REVISION_PROPOSED,
		  VERDICT_ACCEPT },
		{ "over what happened since", "notes=later; percent=20; status=in-process", "",
		  "notes=mine", "notes=theirs", "status=in-process; percent=20; notes=mine",
		  "notes ", REVISION_LOSING, VERDICT_RESTORE },
		{ "those stand already", "notes=mine", "", "notes=mine", "notes=theirs",
		  "notes=mine", "notes ", REVISION_LOSING, VERDICT_RESTORE },
		{ "progress is taken as one",
		  "status=completed; percent=100; completed_at=2026-11-20", "", "percent=30",
		  "percent=60", "status=in-process; percent=30", "percent ", REVISION_LOSING,
		  VERDICT_RESTORE },
		{ "rejected: nothing", "due=2026-12-01", "", "due=2026-12-24", "due=2026-12-01",
		  "due=2026-12-01", "", REVISION_PROPOSED, VERDICT_REJECT },
		{ "dismissed: nothing", "notes=a", "", "notes=b", "notes=a", "notes=a", "",
		  REVISION_LOSING, VERDICT_DISMISS },
		{ "the plan's structure stays", "notes=a; parent=1", "", "notes=b; parent=2",
		  "notes=a; parent=1", "parent=1; notes=b", "", REVISION_LOSING, VERDICT_RESTORE },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct verdict_world world = world_with("");
		struct buf *moved = buf_new(world.store.mem);

		put(&world, cases[i].now);
		keep(&world, cases[i].state, NULL, cases[i].base, cases[i].theirs, cases[i].ours);
		STORE_OK(give(&world, cases[i].verdict, NULL));
		cr_expect_str_eq(values(&world), cases[i].then, "%s: expected %s, actual %s",
				 cases[i].label, cases[i].then, values(&world));
		for (int f = 0; f < FIELDS; f++)
			if (world.result->moved[f])
				buf_printf(moved, "%s ", field_table[f].name);
		cr_expect_str_eq(moved->len ? moved->data : "", cases[i].moved, "%s: moved: %s",
				 cases[i].label, moved->len ? moved->data : "");
		store_world_free(&world.store);
	}
}

Test(verdict, the_history_names_the_revision_and_who_decided)
{
	struct verdict_world world = world_with("");
	struct revision *revision;
	char *expected;

	put(&world, "notes=a");
	keep(&world, REVISION_LOSING, NULL, "", "notes=b", "notes=a");
	STORE_OK(give(&world, VERDICT_DISMISS, NULL));
	STORE_OK(give(&world, VERDICT_RESTORE, "after all"));
	expected = mem_printf(world.store.mem,
			      "revision:%lld:losing>dismissed by project:carla (-); "
			      "notes:a>b by project:carla (revision %lld restored: after all); "
			      "revision:%lld:dismissed>accepted by project:carla (after all)",
			      (long long)world.id, (long long)world.id, (long long)world.id);
	cr_expect_str_eq(last_changes(&world, 3), expected, "%s", last_changes(&world, 3));
	revision = kept(&world);
	cr_expect_eq(revision->state, REVISION_ACCEPTED);
	cr_expect_eq(revision->origin, REVISION_LOSING);
	cr_expect_str_eq(revision->decided_by, "project:carla");
	cr_expect_eq(revision->decided_us, clock_now_us(world.store.clock));
	STORE_OK(give(&world, VERDICT_RESTORE, "twice"));
	cr_expect(world.result->again);
	cr_expect_str_eq(last_changes(&world, 3), expected, "nothing is written twice");
	store_world_free(&world.store);
}

/* ---- work ---- */

Test(verdict, work_is_a_difference_and_is_booked_once)
{
	struct verdict_world world = world_with("");
	struct project_booking booking = {
		.day = 20778, .minutes = 300, .source_key = "line-1", .author = "project:x"
	};
	struct booked *list = NULL;
	bool booked = false;
	size_t count = 0;

	STORE_OK(store_begin(world.store.store));
	STORE_OK(project_book(world.store.store, world.store.assignment, &booking, &booked));
	STORE_OK(store_commit(world.store.store));
	/* two hours of what was booked are taken back: said when three hours stood there */
	keep(&world, REVISION_PROPOSED, NULL, "actual_work=180", "actual_work=60",
	     "actual_work=180");
	STORE_OK(give(&world, VERDICT_ACCEPT, NULL));
	cr_expect_str_eq(values(&world), "actual_work=180", "%s", values(&world));
	cr_expect(world.result->edit->changed[FIELD_actual_work]);
	cr_expect_not(world.result->moved[FIELD_actual_work], "a difference stands on anything");
	STORE_OK(give(&world, VERDICT_ACCEPT, NULL));
	STORE_OK(project_booked(world.store.store, world.store.mem, world.store.assignment->id,
				&list, &count));
	cr_assert_eq(count, 2);
	cr_expect_eq(list[1].minutes, -120);
	cr_expect_str_eq(list[1].source_key,
			 mem_printf(world.store.mem, "revision:%lld", (long long)world.id));
	cr_expect_str_eq(list[1].author, "project:carla");
	/* more than there is */
	keep(&world, REVISION_PROPOSED, NULL, "actual_work=240", "actual_work=", "actual_work=240");
	store_world_expect_fault(give(&world, VERDICT_ACCEPT, NULL), FAULT_DATA,
				 "work-not-negative");
	cr_expect_str_eq(values(&world), "actual_work=180");
	cr_expect_eq(kept(&world)->state, REVISION_PROPOSED);
	store_world_free(&world.store);
}

/* ---- rules ---- */

#define HOLD "[rule r]\nwhen = new.notes = 'x' OR new.percent > 50\naction = hold\nmessage = Ask.\n"
#define REJECT "[rule r]\nwhen = new.notes = 'x'\naction = reject\nmessage = No.\n"
#define OTHER "[rule other]\nwhen = new.notes = 'x'\naction = reject\nmessage = Never.\n"
#define CORRECT                                                                                    \
	"[rule r]\nwhen = new.notes = 'x'\naction = correct\nset.notes = 'a'\nmessage = M.\n"
#define FAILS                                                                                      \
	"[rule r]\nwhen = abs(CAST(new.notes AS INTEGER) - 9223372036854775807 - 1) > 0\n"         \
	"action = hold\n"

Test(verdict, rules_and_the_managers_word)
{
	static const struct {
		const char *label, *ini, *rule, *theirs, *refusal; /* NULL: it is taken */
		enum revision_state state;
		enum verdict verdict;
	} cases[] = {
		{ "the rule that held it", HOLD, "r", "notes=x", NULL, REVISION_PROPOSED,
		  VERDICT_ACCEPT },
		{ "another that refuses", HOLD OTHER, "r", "notes=x",
		  "not accepted: rule other: Never.", REVISION_PROPOSED, VERDICT_ACCEPT },
		{ "it was not this rule that spoke", HOLD, NULL, "notes=x",
		  "not accepted: rule r: Ask.", REVISION_PROPOSED, VERDICT_ACCEPT },
		{ "one of the site's own refused", REJECT, "r", "notes=x", NULL, REVISION_REJECTED,
		  VERDICT_RESTORE },
		{ "it lost, nobody refused", REJECT, NULL, "notes=x", "not restored: rule r: No.",
		  REVISION_LOSING, VERDICT_RESTORE },
		{ "it would be corrected again", CORRECT, "r", "notes=x",
		  "not restored: nothing of it would be left (rule r: M.); change the rule", REVISION_CORRECTED,
		  VERDICT_RESTORE },
		{ "a built-in refusal stands", "", "work-not-negative", "total_work=-5",
		  "not restored: rule work-not-negative", REVISION_REJECTED, VERDICT_RESTORE },
		{ "one that could not be applied", FAILS, "r", "notes=x", NULL, REVISION_PROPOSED,
		  VERDICT_ACCEPT },
		{ "what follows from it is another value", HOLD, "r", "percent=100", NULL,
		  REVISION_PROPOSED, VERDICT_ACCEPT },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct verdict_world world = world_with(cases[i].ini);
		struct fault *fault;
		char *before;

		put(&world, "notes=a");
		keep(&world, cases[i].state, cases[i].rule, "notes=a", cases[i].theirs, "notes=a");
		before = values(&world);
		fault = give(&world, cases[i].verdict, NULL);
		if (cases[i].refusal) {
			cr_assert_not_null(fault, "%s", cases[i].label);
			store_world_expect_fault(fault, FAULT_DATA, cases[i].refusal);
			cr_expect_str_eq(values(&world), before, "%s", cases[i].label);
			cr_expect_eq(kept(&world)->decided_us, 0, "%s", cases[i].label);
		} else {
			cr_expect_null(fault, "%s: %s", cases[i].label, fault ? fault->text : "");
			cr_expect_str_neq(values(&world), before, "%s", cases[i].label);
			cr_expect_eq(kept(&world)->state, REVISION_ACCEPTED, "%s", cases[i].label);
		}
		store_world_free(&world.store);
	}
}

/* ---- where it cannot be ---- */

Test(verdict, of_no_revision)
{
	static const int64_t ids[] = { 0, -1, 999999, INT64_MIN, INT64_MAX };
	struct verdict_world world = world_with("");

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		world.id = ids[i];
		for (int v = 0; v < VERDICTS; v++)
			store_world_expect_fault(give(&world, (enum verdict)v, NULL), FAULT_DATA,
						 "there is no revision");
	}
	store_world_free(&world.store);
}

Test(verdict, where_values_cannot_be_set_any_more)
{
	struct verdict_world world = world_with("");
	struct store *store = world.store.store;

	put(&world, "notes=a");
	keep(&world, REVISION_LOSING, NULL, "", "notes=b", "notes=a");
	STORE_OK(store_begin(store));
	STORE_OK(project_set_state(store, world.store.project, PROJECT_ARCHIVED));
	STORE_OK(store_commit(store));
	store_world_expect_fault(give(&world, VERDICT_RESTORE, NULL), FAULT_DATA,
				 "project harbour is archived");
	STORE_OK(store_begin(store));
	STORE_OK(project_set_state(store, world.store.project, PROJECT_PUBLISHED));
	STORE_OK(project_assignment_set_state(store, world.store.assignment, ASSIGNMENT_WITHDRAWN,
					      "import:b.xml", "gone"));
	STORE_OK(store_commit(store));
	store_world_expect_fault(give(&world, VERDICT_RESTORE, NULL), FAULT_DATA, "was withdrawn");
	cr_expect_str_eq(values(&world), "notes=a");
	STORE_OK(give(&world, VERDICT_DISMISS, NULL));
	cr_expect_eq(kept(&world)->state, REVISION_DISMISSED, "what sets nothing may be given");
	store_world_free(&world.store);
}

Test(verdict, comments)
{
	struct verdict_world world = world_with("");
	char *longest = mem_printf(world.store.mem, "%0*d", VERDICT_COMMENT_CHARS, 0);

	keep(&world, REVISION_PROPOSED, NULL, "", "notes=b", "");
	store_world_expect_fault(give(&world, VERDICT_REJECT, "\xff"), FAULT_DATA, "UTF-8");
	store_world_expect_fault(
		give(&world, VERDICT_REJECT, mem_printf(world.store.mem, "%s0", longest)),
		FAULT_DATA, "longer than");
	cr_expect_eq(kept(&world)->state, REVISION_PROPOSED);
	STORE_OK(give(&world, VERDICT_REJECT, longest));
	cr_expect_str_eq(kept(&world)->comment, longest);
	keep(&world, REVISION_PROPOSED, NULL, "", "notes=c", "");
	STORE_OK(give(&world, VERDICT_REJECT, ""));
	cr_expect_null(kept(&world)->comment);
	store_world_free(&world.store);
}

/* ---- two at once ---- */

Test(verdict, two_managers_at_once)
{
	struct verdict_world world = world_with("");
	struct store *other = NULL;
	struct edit_env env = world.env;
	struct verdict_result *first = NULL, *second = NULL;

	put(&world, "actual_work=0");
	STORE_OK(store_open(world.store.mem, world.store.dsn, world.store.clock, NULL, &other));
	env.store = other;
	env.author = "project:dora";
	keep(&world, REVISION_PROPOSED, NULL, "actual_work=0", "actual_work=60", "actual_work=0");
	STORE_OK(verdict_give(world.store.mem, &world.env, world.id, VERDICT_ACCEPT, NULL, &first));
	STORE_OK(verdict_give(world.store.mem, &env, world.id, VERDICT_ACCEPT, NULL, &second));
	cr_expect_not(first->again);
	cr_expect(second->again);
	cr_expect_str_eq(second->revision->decided_by, "project:carla");
	cr_expect_str_eq(values(&world), "actual_work=60");
	talloc_free(other);
	store_world_free(&world.store);
}

/* Accounts that show the value get it. */
Test(verdict, jobs_for_those_who_show_it)
{
	struct verdict_world world = world_with("");
	struct store *store = world.store.store;
	struct account *account = NULL;
	struct folder *folder = NULL;
	struct job *jobs = NULL;
	size_t count = 0;

	put(&world, "notes=a");
	STORE_OK(store_begin(store));
	STORE_OK(link_account(store, world.store.mem, "a", world.store.ana, true, &account));
	STORE_OK(link_folder(store, world.store.mem, account->id, world.store.project, true,
			     &folder));
	STORE_OK(store_change_last(store, &folder->project_seq));
	STORE_OK(link_folder_set(store, folder));
	STORE_OK(store_commit(store));
	keep(&world, REVISION_LOSING, NULL, "", "notes=b", "notes=a");
	STORE_OK(give(&world, VERDICT_DISMISS, NULL));
	STORE_OK(queue_list(store, world.store.mem, &jobs, &count));
	cr_expect_eq(count, 0, "a dismissal is no reason to look");
	STORE_OK(give(&world, VERDICT_RESTORE, NULL));
	STORE_OK(queue_list(store, world.store.mem, &jobs, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(jobs[0].kind, JOB_PULL);
	cr_expect_eq(jobs[0].account_id, account->id);
	store_world_free(&world.store);
}
