#include "config.h"

#include "history_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scenario/scenario.h"
#include "base/buf.h"
#include "base/text.h"
#include "store/revisions.h"

#define PATIENCE_SYNCS 8 /* an hour apart: longer than any back-off or grace time of a history */

static void observe(struct world *world)
{
	struct history *history = world->observer;

	history_watch_look(history->watch);
}

struct history *history_new(bool messages, const char *template)
{
	struct world *world = world_new();
	struct history *history = MEM_NEW(world->mem, struct history);

	history->world = world;
	world->messages = messages;
	world->template = template;
	world->observe = observe;
	world->observer = history;
	history->model = history_model_new(world->mem, world);
	history->watch = history_watch_new(world->mem, world);
	return history;
}

void history_free(struct history *history)
{
	world_free(history->world);
}

/* ---- lines ---- */

struct words {
	char *word[8]; /* without quotes: a history's titles have no blanks */
	int count;
};

static void split(TALLOC_CTX *mem, const char *line, struct words *words)
{
	char *copy = mem_strdup(mem, line), *save = NULL;

	memset(words, 0, sizeof *words);
	for (char *word = strtok_r(copy, " ", &save); word && words->count < 8;
	     word = strtok_r(NULL, " ", &save))
		words->word[words->count++] = word;
}

static bool is(const struct words *words, int i, const char *word)
{
	return i < words->count && !strcmp(words->word[i], word);
}

static bool play_scenario(struct history *history, const char *line)
{
	scenario_line(history->world, "history", mem_strdup(history->world->mem, line));
	return true;
}

static bool is_imported(struct history *history)
{
	struct project *project = NULL;

	if (history->world->store)
		WORLD_OK(project_by_source(history->world->store, history->world->mem, "guid-1",
					   &project));
	return project != NULL;
}

/* "...\n+5m step 7": the line behind the last "\n". */
static void note_work(struct history *history, const char *who, const char *title, const char *line)
{
	const char *work = strstr(line, "\\n+");
	char *text;

	if (!work)
		return;
	text = mem_strdup(history->world->mem, work + strlen("\\n"));
	text[strcspn(text, "|")] = '\0';
	history_model_worked(history->model, who, title, text_trim(history->world->mem, text));
}

/* What an edit of BEFORE made: the same item, or of messages the last one. */
static struct client_item *find_edited(struct world *world, const char *who,
				       const struct client_item *before)
{
	const char *uid = strstr(before->text, "\nUID:");
	char *line = mem_strndup(world->mem, uid, strcspn(uid + 1, "\n") + 2);
	struct client_item *items = NULL;

	for (size_t i = client_list(world, who, &items); i > 0; i--)
		if (world->messages ? strstr(items[i - 1].text, line) != NULL
				    : !strcmp(items[i - 1].address, before->address))
			return &items[i - 1];
	return NULL;
}

/* AT is where the person stands among the words, the title behind. */
static bool play_edit(struct history *history, const char *line, const struct words *words, int at)
{
	struct world *world = history->world;
	const char *who = words->word[at], *title = words->word[at + 1];
	struct client_item *before, *after;

	if (at + 2 >= words->count || !is_imported(history) ||
	    !(before = client_find(world, who, title)))
		return false;
	if (text_starts(words->word[0], "card") && !before->card)
		return false;
	if (strstr(line, "SUMMARY:") && history_model_is_adopting(history->model, who, title))
		return false; /* held until it has its title again (M6) */
	play_scenario(history, line);
	history_watch_look(history->watch);
	if (!(after = find_edited(world, who, before)))
		return true;
	history_model_wrote(history->model, who, title, before, after, false);
	note_work(history, who, title, line);
	if (is(words, 0, "card-beside"))
		history_model_doubt(history->model, who, title);
	history->deleted_who = NULL;
	return true;
}

static struct client_copy *find_copy(struct world *world, const struct words *words)
{
	for (size_t i = 0; i < world->copy_count; i++)
		if (is(words, 1, world->copies[i].client) && is(words, 2, world->copies[i].who) &&
		    is(words, 3, world->copies[i].title))
			return &world->copies[i];
	return NULL;
}

static bool play_stale(struct history *history, const char *line, const struct words *words)
{
	struct world *world = history->world;
	struct client_copy *copy;
	struct client_item before = { .text = NULL }, after = { .text = NULL };

	if (words->count < 5 || history->world->messages || !is_imported(history) ||
	    !(copy = find_copy(world, words)) ||
	    !client_find(world, words->word[2], words->word[3]))
		return false;
	before.text = copy->text;
	play_scenario(history, line);
	history_watch_look(history->watch);
	after.text = find_copy(world, words)->text;
	history_model_wrote(history->model, words->word[2], words->word[3], &before, &after, true);
	note_work(history, words->word[2], words->word[3], line);
	history->deleted_who = NULL;
	return true;
}

static bool play_remember(struct history *history, const char *line, const struct words *words)
{
	if (words->count < 4 || !is_imported(history) ||
	    !client_find(history->world, words->word[2], words->word[3]))
		return false;
	return play_scenario(history, line);
}

static bool play_delete(struct history *history, const char *line, const struct words *words)
{
	bool folder = is(words, 1, "folder");
	const char *who = words->word[folder ? 2 : 1], *title = folder ? NULL : words->word[2];

	if (words->count < 3 || !is_imported(history) ||
	    (title ? !client_find(history->world, who, title) : !client_count(history->world, who)))
		return false;
	play_scenario(history, line);
	history_watch_look(history->watch);
	history_model_removed(history->model, who, title);
	history->deleted_who = title ? mem_strdup(history->world->mem, who) : NULL;
	history->deleted_title = mem_strdup(history->world->mem, title);
	return true;
}

static bool play_undelete(struct history *history, const char *line, const struct words *words)
{
	const char *who = history->deleted_who, *title = history->deleted_title;
	enum assignment_state state;

	if (!is(words, 1, who ? who : "") || client_find(history->world, who, title) ||
	    !history_model_state(history->model, who, title, &state) ||
	    state == ASSIGNMENT_WITHDRAWN)
		return false;
	play_scenario(history, line);
	history_watch_look(history->watch);
	history_model_doubt(history->model, who, title);
	history->deleted_who = NULL;
	return true;
}

static bool play_move(struct history *history, const char *line, const struct words *words)
{
	if (words->count < 4 || history->world->messages || !is_imported(history) ||
	    !client_find(history->world, words->word[1], words->word[2]))
		return false;
	history->deleted_who = NULL;
	history_model_moved(history->model, words->word[1], words->word[2]);
	play_scenario(history, line);
	history_watch_look(history->watch);
	return true;
}

/* Another item of the same UID, or the same item with another UID. */
static bool play_copy(struct history *history, const char *line, const struct words *words)
{
	if (!is(words, 0, "recreate") && history->world->messages)
		return false;
	if (words->count < 4 || !is_imported(history) ||
	    !client_find(history->world, words->word[1], words->word[2]))
		return false;
	history->deleted_who = NULL;
	history_model_copied(history->model, words->word[1], words->word[2]);
	play_scenario(history, line);
	history_watch_look(history->watch);
	return true;
}

static bool play_set(struct history *history, const char *line, const struct words *words)
{
	char *value;

	enum assignment_state state;

	if (words->count < 5 || !is_imported(history) ||
	    !history_model_state(history->model, words->word[3], words->word[1], &state) ||
	    state != ASSIGNMENT_ACTIVE)
		return false;
	value = mem_strdup(history->world->mem, strstr(line, words->word[4]));
	if (*value == '"') { /* "FIELD=TEXT" */
		value++;
		value[strcspn(value, "\"")] = '\0';
	}
	history_model_set(history->model, words->word[3], words->word[1], value);
	return play_scenario(history, line);
}

/* ---- syncs ---- */

static void meddle(struct world *world)
{
	struct history *history = world->observer;

	history->meddled = history_play(history, history->meddling);
	history_model_before_sync(history->model);
}

static bool is_published(struct history *history)
{
	struct project *project = NULL;

	WORLD_OK(project_by_source(history->world->store, history->world->mem, "guid-1", &project));
	return project && project->state == PROJECT_PUBLISHED;
}

static bool is_quiet(struct history *history)
{
	const struct world *world = history->world;
	int64_t held = 0;

	WORLD_OK(link_held_count(world->store, &held));
	return is_published(history) && !held && !history->faulty && !history->meddled &&
	       !world->killed && world->report->due_us == INT64_MAX && !world->report->held;
}

static void count_facts(struct history *history, int64_t *changes, int64_t *revisions)
{
	struct revision *list = NULL;
	size_t count = 0;

	WORLD_OK(store_change_last(history->world->store, changes));
	WORLD_OK(revisions_list(history->world->store, history->world->mem, REVISION_STATES, &list,
				&count));
	*revisions = (int64_t)count;
}

static bool play_sync(struct history *history, const char *line)
{
	struct world *world = history->world;
	TALLOC_CTX *mem = MEM_CONTEXT(world->mem);

	if (!is_imported(history))
		return false;
	if (!history->faulty)
		history_model_before_sync(history->model);
	history->meddled = false;
	world->before_write = history->meddling ? meddle : NULL;
	play_scenario(history, line);
	world->before_write = NULL;
	history->meddling = NULL;
	history->quiet = is_quiet(history);
	if (history->faulty)
		play_scenario(history, "faults over");
	history->faulty = false;
	history_watch_look(history->watch);
	history_watch_check(history->watch, mem, history->quiet);
	history_model_after_sync(history->model, history->quiet);
	talloc_free(mem);
	return true;
}

static bool play_fault(struct history *history, const char *line)
{
	if (!is_imported(history))
		return false;
	if (!history->faulty)
		history_model_before_sync(history->model);
	history->faulty = true;
	return play_scenario(history, line);
}

static bool play_lose(struct history *history, const char *line)
{
	if (!is_imported(history) || history_model_is_renamed(history->model))
		return false;
	history_model_lost(history->model);
	return play_scenario(history, line);
}

static bool play_import(struct history *history, const char *line)
{
	world_open(history->world);
	history_model_import(history->model);
	return play_scenario(history, line);
}

static bool play_drop(struct history *history, const char *line, const struct words *words)
{
	history_model_dropped(history->model, words->word[1]);
	return play_scenario(history, line);
}

bool history_play(struct history *history, const char *line)
{
	struct words words;

	split(history->world->mem, line, &words);
	if (!words.count || line[0] == '#' || is(&words, 0, "expect"))
		return false;
	if (is(&words, 0, "mailbox") || is(&words, 0, "rebuild") ||
	    text_starts(words.word[0], "card"))
		return play_edit(history, line, &words, 1);
	if (is(&words, 0, "stale"))
		return play_stale(history, line, &words);
	if (is(&words, 0, "remember"))
		return play_remember(history, line, &words);
	if (is(&words, 0, "delete"))
		return play_delete(history, line, &words);
	if (is(&words, 0, "undelete"))
		return play_undelete(history, line, &words);
	if (is(&words, 0, "move"))
		return play_move(history, line, &words);
	if (is(&words, 0, "copy") || is(&words, 0, "recreate"))
		return play_copy(history, line, &words);
	if (is(&words, 0, "set"))
		return play_set(history, line, &words);
	if (is(&words, 0, "sync"))
		return play_sync(history, line);
	if (is(&words, 0, "fault"))
		return play_fault(history, line);
	if (is(&words, 0, "lose"))
		return play_lose(history, line);
	if (is(&words, 0, "import"))
		return play_import(history, line);
	if (is(&words, 0, "drop") || (is(&words, 0, "task") && is_imported(history)))
		return play_drop(history, line, &words);
	if (is(&words, 0, "before")) {
		history->meddling = mem_strdup(history->world->mem, line + strlen("before write "));
		return true;
	}
	if ((is(&words, 0, "publish") || is(&words, 0, "kill") || is(&words, 0, "restart")) &&
	    !is_imported(history))
		return false;
	return play_scenario(history, line);
}

/* N3 */
static void check_fixpoint(struct history *history, const char *line)
{
	int64_t changes = 0, revisions = 0, changes_then = 0, revisions_then = 0;
	struct world *world = history->world;

	count_facts(history, &changes, &revisions);
	history_play(history, line);
	count_facts(history, &changes_then, &revisions_then);
	if (world->writes || changes_then != changes || revisions_then != revisions)
		history_fail("N3", "another '%s': %lld writes, %lld changes, %lld revisions", line,
			     (long long)world->writes, (long long)(changes_then - changes),
			     (long long)(revisions_then - revisions));
}

void history_finish(struct history *history)
{
	struct world *world = history->world;

	if (!is_imported(history))
		return; /* nothing is left of it */
	play_scenario(history, "faults over");
	history->faulty = false;
	history->meddling = NULL;
	world->kill_at = NULL;
	history_play(history, "sync"); /* so that a folder that has gone is known to have */
	history_play(history, "publish");
	history->quiet = false;
	for (int i = 0; i < PATIENCE_SYNCS && !history->quiet; i++) {
		history_play(history, "sleep 1h");
		history_play(history, "sync");
	}
	if (!history->quiet)
		history_fail("rest", "after %d syncs something waits or is held: %s",
			     PATIENCE_SYNCS,
			     world->report->note_count ? world->report->notes[0] : "no note");
	history_play(history, "sleep 15m");
	check_fixpoint(history, "sync");
	check_fixpoint(history, "sync full");
}
