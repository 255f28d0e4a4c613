#include "config.h"

#include "plays.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/contract/fixture.h"
#include "world.h"

#define DIRECTORY TF_SRCDIR "/tests/scenario"
#define MESSAGES "# messages: "
#define SERVERS "# servers: "
#define SERVER_URL "SCENARIO_SERVER_URL"
#define SERVER_MISSING "SCENARIO_SERVER_MISSING"

/* ---- the server ---- */

static struct fixture *fixture; /* of the runner's process */

/* The people of every play, as its file names them. */
static bool add_people(struct fixture *to)
{
	struct play *list = MEM_ARRAY(NULL, struct play, PLAYS_MAX);
	size_t count = plays_find(list);
	struct buf *lines = buf_new(list);
	bool added;

	for (size_t i = 0; i < count; i++) {
		FILE *file = *list[i].skip ? NULL : fopen(list[i].path, "r");
		char text[65536];

		if (!file)
			continue;
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
		kind_real_name_users(text, list[i].number, lines);
	}
	added = fixture_add_users(to, lines->data);
	talloc_free(list);
	return added;
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	(void)tests;
	if (!plays_kind->script)
		return;
	fixture = fixture_start(NULL, plays_kind->script,
				plays_kind->command ? plays_kind->command : "start", NULL);
	if (fixture->result == FIXTURE_NOT_INSTALLED)
		setenv(SERVER_MISSING, "1", 1);
	if (fixture->url &&
	    (plays_kind->adds_users ? add_people(fixture)
				    : kind_real_add_users(plays_kind, fixture->dir)))
		setenv(SERVER_URL, fixture->url, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	fixture_close(fixture, stats->tests_failed);
}

struct world *plays_world(const struct play *play)
{
	struct world *world;

	if (*play->skip)
		cr_skip_test("%s", play->skip);
	if (getenv(SERVER_MISSING))
		cr_skip_test("%s is not installed", plays_kind->name);
	world = world_new();
	world->messages = play->messages;
	if (plays_kind->script) {
		cr_assert_not_null(getenv(SERVER_URL), "%s did not start", plays_kind->name);
		kind_real_use(world, plays_kind, getenv(SERVER_URL), play->number);
	}
	return world;
}

/* ---- the files ---- */

/* "memory dovecot (REASON)": whether the kind is among them; else the reason into PLAY. */
static void read_servers(struct play *play, const char *names)
{
	const char *reason = strchr(names, '(');
	size_t len = strlen(plays_kind->name);

	cr_assert(reason && strchr(reason, ')'), "%s: servers without a reason: %s", play->path,
		  names);
	for (const char *at = names; at < reason; at += strspn(at, " ")) {
		size_t n = strcspn(at, " (");

		if (n == len && !strncmp(at, plays_kind->name, n))
			return;
		at += n;
	}
	snprintf(play->skip, sizeof play->skip, "%.*s", (int)strcspn(reason + 1, ")"), reason + 1);
}

/* The first reason counts. */
static void read_line(struct play *play, const char *text)
{
	bool only = text_starts(text, MESSAGES "only");

	if (only || text_starts(text, MESSAGES "no")) {
		if (only != play->messages)
			snprintf(play->skip, sizeof play->skip, "%s",
				 only ? "it is about messages" : "it is about calendars");
	} else if (text_starts(text, SERVERS) && !*play->skip) {
		read_servers(play, text + strlen(SERVERS));
	}
}

/* All of them, or those whose file's name is among the chosen ones. */
static bool is_chosen(const char *name)
{
	const char *const *chosen = plays_kind->chosen;

	while (chosen && *chosen && !text_starts(name, *chosen))
		chosen++;
	return !chosen || *chosen;
}

static void read_file(struct play *play)
{
	FILE *file = fopen(play->path, "r");
	char text[4096];

	cr_assert_not_null(file, "%s", play->path);
	while (fgets(text, sizeof text, file) && text[0] == '#')
		read_line(play, text);
	fclose(file);
}

static int by_path(const void *a, const void *b)
{
	const struct play *one = a, *other = b;
	int order = strcmp(one->path, other->path);

	return order ? order : (int)one->messages - (int)other->messages;
}

static void add_plays(struct play *list, size_t *count, const char *name)
{
	for (int form = 0; form < 2; form++) {
		struct play play = { .messages = form };

		if (plays_kind->script && play.messages != plays_kind->messages)
			continue;
		if (!is_chosen(name))
			continue;
		snprintf(play.path, sizeof play.path, "%s/%s", DIRECTORY, name);
		read_file(&play);
		if (*play.skip && !plays_kind->script)
			continue; /* in the other form it is played */
		cr_assert_lt(*count, (size_t)PLAYS_MAX);
		list[(*count)++] = play;
	}
}

size_t plays_find(struct play *list)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	size_t count = 0;

	while (directory && (entry = readdir(directory)))
		if (text_ends(entry->d_name, ".scenario"))
			add_plays(list, &count, entry->d_name);
	if (directory)
		closedir(directory);
	qsort(list, count, sizeof *list, by_path);
	for (size_t i = 0; i < count; i++)
		list[i].number = i;
	return count;
}

size_t plays_tell(void)
{
	struct play *list = MEM_ARRAY(NULL, struct play, PLAYS_MAX);
	size_t count = plays_find(list), played = 0;

	for (size_t i = 0; i < count; i++) {
		played += !*list[i].skip;
		fprintf(stderr, "%s: %s%s%s%s\n", plays_kind->name, strrchr(list[i].path, '/') + 1,
			list[i].messages ? " (messages)" : "",
			*list[i].skip ? " is not played: " : "", list[i].skip);
	}
	fprintf(stderr, "%s: %zu of %zu played\n", plays_kind->name, played, count);
	talloc_free(list);
	return played;
}
