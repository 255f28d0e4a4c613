#include "config.h"

#include "gateway/cli/cli_view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "model/effort.h"
#include "model/files.h"
#include "store/replies.h"

#define LINE_CHARS_MAX 1000 /* code points of one line of a text that is shown */
#define HEAD_WIDTH 14       /* columns before the text of a line */

/* Rows begin with their id. */
static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}
_Static_assert(offsetof(struct project, id) == 0 && offsetof(struct resource, id) == 0 &&
		       offsetof(struct account, id) == 0,
	       "by_id() reads the id at the beginning");

static const void *find(const void *list, size_t count, size_t size, int64_t id)
{
	return count ? bsearch(&id, list, count, size, by_id) : NULL;
}

struct fault *cli_view_new(struct cli *cli, struct cli_view **view_r)
{
	struct cli_view *view = MEM_NEW(cli->mem, struct cli_view);
	struct resource *replies = NULL;

	FAULT_TRY(project_list(cli->store, view, &view->projects, &view->project_count));
	FAULT_TRY(project_resources(cli->store, view, 0, &view->people, &view->person_count));
	FAULT_TRY(link_accounts(cli->store, view, &view->accounts, &view->account_count));
	FAULT_TRY(project_resource_by_key(cli->store, view, REPLIES_KEY, &replies));
	if (replies) { /* in no list of people, but it has an account */
		view->people = MEM_GROW(view, view->people, struct resource, view->person_count + 1);
		view->people[view->person_count++] = *replies;
	}
	qsort(view->projects, view->project_count, sizeof *view->projects, by_id);
	qsort(view->people, view->person_count, sizeof *view->people, by_id);
	qsort(view->accounts, view->account_count, sizeof *view->accounts, by_id);
	*view_r = view;
	return NULL;
}

const struct project *cli_view_project(const struct cli_view *view, int64_t id)
{
	return find(view->projects, view->project_count, sizeof *view->projects, id);
}

const struct resource *cli_view_person(const struct cli_view *view, int64_t id)
{
	return find(view->people, view->person_count, sizeof *view->people, id);
}

const struct account *cli_view_account(const struct cli_view *view, int64_t id)
{
	return find(view->accounts, view->account_count, sizeof *view->accounts, id);
}

char *cli_view_account_name(const struct cli_view *view, TALLOC_CTX *mem, int64_t id)
{
	const struct account *account = cli_view_account(view, id);
	const struct resource *person =
		account ? cli_view_person(view, account->resource_id) : NULL;

	return person ? mem_printf(mem, "%s/%s", account->server, person->key)
		      : mem_strdup(mem, "?");
}

char *cli_view_person_text(TALLOC_CTX *mem, const struct resource *person)
{
	if (person->name && person->email)
		return mem_printf(mem, "%s <%s>", person->name, person->email);
	if (person->name)
		return mem_strdup(mem, person->name);
	return mem_strdup(mem, person->key);
}

char *cli_view_time(TALLOC_CTX *mem, int64_t us)
{
	time_t seconds = (time_t)(us / CLOCK_SECOND_US);
	struct tm tm;
	char text[64];

	if (!us || !localtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm))
		return NULL;
	return mem_strdup(mem, text);
}

/* With `dates = day` the time of a planned day is nobody's business (DESIGN section 4). */
static char *when_for_people(const struct cli *cli, TALLOC_CTX *mem, enum field field,
			     const struct when *when)
{
	int year, month, day;

	if (when->kind == WHEN_INSTANT &&
	    (cli->conf->site.dates == DATES_TIME || field == FIELD_completed_at))
		return cli_view_time(mem, when->us);
	when_day_to_civil(when_local_day(when), &year, &month, &day);
	return mem_printf(mem, "%04d-%02d-%02d", year, month, day);
}

static char *joined(TALLOC_CTX *mem, const char *lines)
{
	char *text = mem_strdup(mem, "");
	char *copy = mem_strdup(mem, lines), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		text = mem_printf(mem, "%s%s%s", text, *text ? ", " : "", line);
	return text;
}

char *cli_view_value(const struct cli *cli, TALLOC_CTX *mem, enum field field,
		     const struct value *value)
{
	if (value->presence != SET)
		return NULL;
	switch (field_table[field].type) {
	case FIELD_WHEN:
		return when_for_people(cli, mem, field, &value->when);
	case FIELD_EFFORT:
		return effort_to_text(mem, value->number);
	case FIELD_FLAG:
		return mem_strdup(mem, value->number ? "yes" : "no");
	case FIELD_LIST:
		return joined(mem, value->text);
	case FIELD_FILES:
		return files_names(mem, value->text);
	default:
		break;
	}
	if (field == FIELD_percent)
		return mem_printf(mem, "%lld %%", (long long)value->number);
	return value_text(mem, field, value);
}

struct fault *cli_view_project_json(struct cli *cli, const struct project *project,
				    json_t **object_r)
{
	int64_t tasks = 0, assignments = 0;
	json_t *object;

	FAULT_TRY(project_counts(cli->store, project->id, &tasks, &assignments));
	object = json_object();
	json_object_set_new(object, "code", cli_json_text(project->code));
	json_object_set_new(object, "name", cli_json_text(project->name));
	json_object_set_new(object, "state", cli_json_text(project_state_name(project->state)));
	json_object_set_new(object, "tasks", json_integer(tasks));
	json_object_set_new(object, "assignments", json_integer(assignments));
	*object_r = object;
	return NULL;
}

struct fault *cli_view_print_projects(struct cli *cli, const struct project *projects, size_t count)
{
	static const struct cli_column columns[] = { { "PROJECT", CLI_COLUMN_KEY },
						     { "NAME", CLI_COLUMN_WORDS },
						     { "STATE", CLI_COLUMN_KEY },
						     { "TASKS", CLI_COLUMN_NUMBER },
						     { "ASSIGNMENTS", CLI_COLUMN_NUMBER } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < count; i++) {
		int64_t tasks = 0, assignments = 0;

		FAULT_TRY(project_counts(cli->store, projects[i].id, &tasks, &assignments));
		cli_columns_add(table, (const char *[]){
					       projects[i].code, projects[i].name,
					       project_state_name(projects[i].state),
					       mem_printf(table, "%lld", (long long)tasks),
					       mem_printf(table, "%lld", (long long)assignments) });
	}
	if (count)
		cli_view_print(cli, table);
	return NULL;
}

void cli_view_print(struct cli *cli, const struct cli_columns *table)
{
	cli_columns_print(table, cli->out, cli_columns_terminal(cli->out));
}

void cli_view_line(struct cli *cli, const char *head, const char *text)
{
	const char *words = head;

	for (const char *at = text; at && *at;) {
		size_t n = strcspn(at, "\n");
		char *line = mem_strndup(cli->mem, at, n);

		fprintf(cli->out, "  %-*s %s\n", HEAD_WIDTH, words,
			text_one_line(cli->mem, line, LINE_CHARS_MAX));
		words = "";
		at += n + (at[n] == '\n');
	}
}

char *cli_view_count(TALLOC_CTX *mem, int64_t count, const char *one, const char *many)
{
	return mem_printf(mem, "%lld %s", (long long)count, count == 1 ? one : many);
}
