/* caldav_round_test.c - whole rounds against a server that lies.
 *
 * waits: yes
 * takes: 100
 */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../unit/round_world.h"
#include "lab.h"
#include "liar.h"

/* Whole rounds against a server that lies: while it does, what can be done is done; once it says the
 * truth again, every assignment has one item, nobody's edit is lost, and nothing is sent any more. */

#define TASKS 5
#define EDITED 1                              /* by the person, while the server lies */
#define CHANGED 2                             /* by the project, while the server lies */
#define WITHDRAWN 0                           /* by the project, too */
#define ROUNDS 8                              /* after which everything has to stand still */
#define PAUSE_US (3 * 3600 * CLOCK_SECOND_US) /* longer than any back-off */

struct story {
	struct round_world *world;
	struct liar *liar;
	struct lab *lab;
};

/* ---- the world ---- */

static void know_folder(struct story *story)
{
	struct store *store = story->world->store;
	struct folder *folder = NULL;

	round_world_must(store_begin(store));
	round_world_must(link_folder(store, story->world, story->world->account->id,
				     story->world->project->id, true, &folder));
	folder->address = LIAR_FOLDER;
	folder->state = FOLDER_OK;
	round_world_must(link_folder_set(store, folder));
	round_world_must(store_commit(store));
}

static struct story story_new(void)
{
	struct story story = { .world = round_world_new(TASKS), .liar = liar_new(NULL) };

	story.lab = lab_new(liar_reply, story.liar);
	know_folder(&story);
	return story;
}

static void story_free(struct story *story)
{
	talloc_free(story->lab);
	talloc_free(story->liar);
	round_world_free(story->world);
}

/* Each by an endpoint of its own, as the engine makes one for each job. A fault is what it is. */
static struct fault *go(struct story *story, bool ensure)
{
	struct round_world *world = story->world;
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };
	struct round_options options = { .ensure = ensure };

	clock_sleep(world->clock, 60 * CLOCK_SECOND_US);
	talloc_free(world->report);
	world->report = round_report_new(world);
	return round_run(story->lab, &env, &world->conf->servers[0], lab_account(story->lab, "/"),
			 world->account, world->project, &options, world->report);
}

static void go_well(struct story *story, bool ensure, const char *what)
{
	struct fault *fault = go(story, ensure);

	cr_assert_null(fault, "%s: %s", what, fault ? fault->text : "");
}

static const char *name_of(struct story *story, size_t number)
{
	struct assignment *assignment = NULL;

	round_world_must(project_assignment(story->world->store, story->lab,
					    story->world->assignments[number], &assignment));
	return mem_printf(story->lab, "%s.ics", assignment->uid);
}

static void edit(struct story *story, size_t number, int percent)
{
	const char *name = name_of(story, number);
	char *text = liar_text(story->liar, story->lab, name);
	char *before = strstr(text, "END:VTODO");

	cr_assert_not_null(before);
	liar_set(story->liar, name,
		 mem_printf(story->lab, "%.*sCOMMENT:mine\r\nPERCENT-COMPLETE:%d\r\n%s",
			    (int)(before - text), text, percent, before));
}

static void withdraw(struct story *story, size_t number)
{
	struct store *store = story->world->store;
	struct assignment *assignment = NULL;

	round_world_must(store_begin(store));
	round_world_must(project_assignment(store, story->lab, story->world->assignments[number],
					    &assignment));
	round_world_must(project_assignment_set_state(store, assignment, ASSIGNMENT_WITHDRAWN,
						      "project:test", NULL));
	round_world_must(store_commit(store));
}

static int percent_of(struct story *story, size_t number)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;

	round_world_must(project_assignment(story->world->store, story->lab,
					    story->world->assignments[number], &assignment));
	round_world_must(project_values(story->world->store, story->lab, assignment, &stamped));
	return (int)vector_get(stamped->values, FIELD_percent, -1);
}

/* ---- the story ---- */

static void expect_peace(struct story *story, const char *what, size_t items)
{
	int writes;

	liar_tell(story->liar, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		clock_sleep(story->world->clock, PAUSE_US);
		go_well(story, true, what);
	}
	cr_assert_eq(liar_count(story->liar), items, "%s: %zu items of %zu", what,
		     liar_count(story->liar), items);
	writes = liar_changes(story->liar);
	go_well(story, false, what);
	cr_assert_eq(liar_changes(story->liar), writes, "%s: it writes on and on", what);
}

static void expect_values(struct story *story, const char *what)
{
	char *text = liar_text(story->liar, story->lab, name_of(story, CHANGED));

	cr_assert_eq(percent_of(story, EDITED), 35, "%s: the edit is lost: %d", what,
		     percent_of(story, EDITED));
	cr_assert(text && strstr(text, "PERCENT-COMPLETE:60"), "%s: not published:\n%s", what,
		  text ? text : "no item");
	text = liar_text(story->liar, story->lab, name_of(story, EDITED));
	cr_assert(text && strstr(text, "COMMENT:mine") && strstr(text, "PERCENT-COMPLETE:35"),
		  "%s: the person's text:\n%s", what, text ? text : "no item");
}

/* The lie is told while things are published, and again while both sides change. */
static void tell_story(const char *what, const struct liar_lie *lie, size_t at_least)
{
	struct story story = story_new();

	liar_tell(story.liar, lie);
	for (int i = 0; i < 3; i++)
		talloc_free(go(&story, i == 0));
	cr_assert_geq(liar_count(story.liar), at_least, "%s: %zu items were made", what,
		      liar_count(story.liar));
	expect_peace(&story, what, TASKS);
	edit(&story, EDITED, 35);
	round_world_set(story.world, CHANGED, 60);
	withdraw(&story, WITHDRAWN);
	liar_tell(story.liar, lie);
	for (int i = 0; i < 3; i++)
		talloc_free(go(&story, false));
	expect_peace(&story, what, TASKS - 1);
	cr_assert_null(liar_text(story.liar, story.lab, name_of(&story, WITHDRAWN)),
		       "%s: withdrawn", what);
	expect_values(&story, what);
	story_free(&story);
}

static char *page(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "200 OK\r\nETag: \"page\"\r\nContent-Type: text/html",
			   "<!DOCTYPE html><html><form action=/login></form></html>");
}

static char *login(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "302 Found\r\nLocation: /login", "");
}

static char *half(TALLOC_CTX *mem, const char *answer)
{
	return mem_strndup(mem, answer, strlen(answer) * 2 / 3);
}

static char *empty_207(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "207 x", "<multistatus xmlns=\"DAV:\"/>");
}

static char *created(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "201 Created\r\nETag: \"made-up\"", "");
}

#define STATUS(number)                                                                             \
	{                                                                                          \
#number, NULL, SCRIPTED_KEEP,                                                      \
			"HTTP/1.1 " #number " x\r\nContent-Length: 0\r\n\r\n"                      \
	}

static const struct {
	const char *what;
	char *(*twist)(TALLOC_CTX *mem, const char *answer);
	enum scripted_manner manner;
	const char *answer;
} lies[] = {
	STATUS(204),
	STATUS(400),
	STATUS(401),
	STATUS(403),
	STATUS(404),
	STATUS(409),
	STATUS(410),
	STATUS(412),
	STATUS(423),
	STATUS(429),
	STATUS(500),
	STATUS(501),
	STATUS(502),
	STATUS(503),
	STATUS(507),
	{ "a page", page, SCRIPTED_KEEP, NULL },
	{ "a redirect to a login", login, SCRIPTED_KEEP, NULL },
	{ "half an answer", half, SCRIPTED_ANSWER, NULL },
	{ "an empty multistatus", empty_207, SCRIPTED_KEEP, NULL },
	{ "created", created, SCRIPTED_KEEP, NULL },
	{ "no answer", NULL, SCRIPTED_CUT, NULL },
};

static void tell_all(enum caldav_op op, bool undone, int times)
{
	const char *what = op == CALDAV_OPS ? "everything" : caldav_op_words(op);

	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct liar_lie lie = { .op = op,
					.times = times,
					.undone = undone,
					.manner = lies[i].manner,
					.answer = lies[i].answer,
					.twist = lies[i].twist };
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);

		tell_story(mem_printf(mem, "%s: %s%s", what, lies[i].what,
				      undone ? ", undone" : ""),
			   &lie, 0);
		talloc_free(mem);
	}
}

#define STORY_TEST(name, op, undone, times)                                                        \
	Test(caldav_round, lies_about_##name, .timeout = 300)                                      \
	{                                                                                          \
		tell_all(op, undone, times);                                                       \
	}

STORY_TEST(first_listings, CALDAV_OP_START, false, 0)
STORY_TEST(listings, CALDAV_OP_CHANGES, false, 0)
STORY_TEST(looks, CALDAV_OP_LOOK, false, 0)
STORY_TEST(multigets, CALDAV_OP_MULTIGET, false, 0)
STORY_TEST(gets, CALDAV_OP_GET, false, 0)
STORY_TEST(creations_that_were_done, CALDAV_OP_CREATE, false, 0)
STORY_TEST(creations_that_were_not, CALDAV_OP_CREATE, true, 0)
STORY_TEST(replacements_that_were_done, CALDAV_OP_REPLACE, false, 0)
STORY_TEST(replacements_that_were_not, CALDAV_OP_REPLACE, true, 0)
STORY_TEST(removals_that_were_done, CALDAV_OP_REMOVE, false, 0)
STORY_TEST(removals_that_were_not, CALDAV_OP_REMOVE, true, 0)
STORY_TEST(everything, CALDAV_OPS, false, 0)
STORY_TEST(every_write_and_read_once, CALDAV_OPS, true, 1)

/* One bad item, whatever the server says to it, stops no other (N6). */
Test(caldav_round, one_item_that_is_lied_about_stops_no_other, .timeout = 300)
{
	static const char *const whole[] = { "401", "429", "503", "507" };

	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct liar_lie lie = { .op = CALDAV_OP_CREATE,
					.times = 1,
					.undone = true,
					.manner = lies[i].manner,
					.answer = lies[i].answer,
					.twist = lies[i].twist };
		bool of_account = false;

		for (size_t j = 0; j < COUNT_OF(whole); j++)
			of_account = of_account || !strcmp(lies[i].what, whole[j]);
		if (!of_account)
			tell_story(lies[i].what, &lie, TASKS - 1);
	}
}
