/* cmd_list.c - projects and people: listed, shown, archived, changed. */
#include "config.h"

#include "gateway/cli/cli_view.h"

#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"

#define NAME_CHARS_MAX 200 /* code points of a person's name */
#define KEY_SLUG_MAX 60    /* bytes; the same as in import_people.c */

/* ---- projects ---- */

static struct fault *projects_json(struct cli *cli, const struct project *projects, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *object = NULL;
		struct fault *fault = cli_view_project_json(cli, &projects[i], &object);

		if (fault) {
			json_decref(array);
			return fault;
		}
		json_array_append_new(array, object);
	}
	cli_json(cli, array);
	return NULL;
}

struct fault *cmd_project_list(struct cli *cli)
{
	struct project *projects = NULL;
	size_t count = 0;

	FAULT_TRY(project_list(cli->store, cli->mem, &projects, &count));
	if (cli_has(cli, "--json"))
		return projects_json(cli, projects, count);
	if (!count)
		fprintf(cli->out, "No project yet; import one: taskferry import plan.xml\n");
	return cli_view_print_projects(cli, projects, count);
}

/* The folders of a project and the accounts that they are in. */
struct places {
	struct folder **folders;
	char **accounts;
	size_t count;
};

static struct fault *find_places(struct cli *cli, const struct project *project,
				 struct places *places_r)
{
	struct places places = { .count = 0 };
	struct cli_view *view = NULL;

	FAULT_TRY(cli_view_new(cli, &view));
	places.folders = MEM_ARRAY(view, struct folder *, view->account_count);
	places.accounts = MEM_ARRAY(view, char *, view->account_count);
	for (size_t i = 0; i < view->account_count; i++) {
		struct folder *folder = NULL;

		FAULT_TRY(link_folder(cli->store, view, view->accounts[i].id, project->id, false,
				      &folder));
		if (!folder)
			continue;
		places.folders[places.count] = folder;
		places.accounts[places.count++] =
			cli_view_account_name(view, view, view->accounts[i].id);
	}
	*places_r = places;
	return NULL;
}

static struct fault *project_json(struct cli *cli, const struct project *project,
				  const struct resource *people, size_t count,
				  const struct places *places)
{
	json_t *object = NULL, *keys, *folders;

	FAULT_TRY(cli_view_project_json(cli, project, &object));
	keys = json_array();
	folders = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(keys, cli_json_text(people[i].key));
	for (size_t i = 0; i < places->count; i++) {
		json_t *folder = json_object();

		json_object_set_new(folder, "account", cli_json_text(places->accounts[i]));
		json_object_set_new(folder, "address", cli_json_text(places->folders[i]->address));
		json_object_set_new(folder, "state",
				    cli_json_text(folder_state_name(places->folders[i]->state)));
		json_object_set_new(folder, "error", cli_json_text(places->folders[i]->error));
		json_object_set_new(folder, "last_round_at",
				    cli_json_time(cli->mem, places->folders[i]->last_round_us));
		json_array_append_new(folders, folder);
	}
	json_object_set_new(object, "source_key", cli_json_text(project->source_key));
	json_object_set_new(object, "resources", keys);
	json_object_set_new(object, "folders", folders);
	cli_json(cli, object);
	return NULL;
}

static void print_places(struct cli *cli, const struct places *places)
{
	static const struct cli_column columns[] = { { "ACCOUNT", CLI_COLUMN_KEY },
						     { "STATE", CLI_COLUMN_KEY },
						     { "LAST ROUND", CLI_COLUMN_KEY },
						     { "FOLDER", CLI_COLUMN_WORDS },
						     { "ERROR", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < places->count; i++) {
		const struct folder *folder = places->folders[i];

		cli_columns_add(table,
				(const char *[]){ places->accounts[i],
						  folder_state_name(folder->state),
						  cli_view_time(table, folder->last_round_us),
						  folder->address, folder->error });
	}
	fprintf(cli->out, "\n");
	cli_view_print(cli, table);
}

static struct fault *print_project(struct cli *cli, const struct project *project,
				   const struct resource *people, size_t count,
				   const struct places *places)
{
	char *names = mem_strdup(cli->mem, "");
	int64_t tasks = 0, assignments = 0;

	FAULT_TRY(project_counts(cli->store, project->id, &tasks, &assignments));
	for (size_t i = 0; i < count; i++)
		names = mem_printf(cli->mem, "%s%s%s", names, i ? "\n" : "",
				   cli_view_person_text(cli->mem, &people[i]));
	fprintf(cli->out, "Project %s\n", project->code);
	cli_view_line(cli, "Name", project->name);
	cli_view_line(cli, "Known by", project->source_key);
	cli_view_line(cli, "State", project_state_name(project->state));
	cli_view_line(
		cli, "Holds",
		mem_printf(cli->mem, "%s, %s", cli_view_count(cli->mem, tasks, "task", "tasks"),
			   cli_view_count(cli->mem, assignments, "assignment", "assignments")));
	cli_view_line(cli, "People", names);
	if (places->count)
		print_places(cli, places);
	if (project->state == PROJECT_DRAFT)
		fprintf(cli->out, "\nNext: taskferry publish %s\n", project->code);
	return NULL;
}

struct fault *cmd_project_show(struct cli *cli)
{
	struct project *project = NULL;
	struct resource *people = NULL;
	struct places places;
	size_t count = 0;

	FAULT_TRY(cli_project(cli, cli->args[0], &project));
	FAULT_TRY(project_resources(cli->store, cli->mem, project->id, &people, &count));
	FAULT_TRY(find_places(cli, project, &places));
	if (cli_has(cli, "--json"))
		return project_json(cli, project, people, count, &places);
	return print_project(cli, project, people, count, &places);
}

struct fault *cmd_project_archive(struct cli *cli)
{
	struct project *project = NULL;
	struct fault *fault;

	FAULT_TRY(cli_project(cli, cli->args[0], &project));
	if (project->state == PROJECT_ARCHIVED) {
		fprintf(cli->out, "%s is archived already.\n", project->code);
		return NULL;
	}
	FAULT_TRY(store_begin(cli->store));
	fault = project_set_state(cli->store, project->id, PROJECT_ARCHIVED);
	if (!fault)
		fault = store_commit(cli->store);
	store_rollback(cli->store);
	FAULT_TRY(fault);
	fprintf(cli->out,
		"%s is archived: its items stay where they are, nothing is carried any more. To "
		"open it again: taskferry publish "
		"%s\n",
		project->code, project->code);
	return NULL;
}

/* ---- people ---- */

/* "SERVER/KEY" of every account that the configuration gives a person. */
static size_t accounts_of(struct cli *cli, const struct resource *person, const char ***names_r)
{
	const struct conf_server **servers =
		MEM_ARRAY(cli->mem, const struct conf_server *, cli->conf->server_count);
	const char **names = MEM_ARRAY(cli->mem, const char *, cli->conf->server_count);
	size_t count = delivery_servers(cli->conf, person, servers);

	for (size_t i = 0; i < count; i++)
		names[i] = mem_printf(names, "%s/%s", servers[i]->name, person->key);
	*names_r = names;
	return count;
}

static json_t *person_json(struct cli *cli, const struct resource *person)
{
	json_t *object = json_object(), *accounts = json_array();
	const char **names;
	size_t count = accounts_of(cli, person, &names);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(accounts, cli_json_text(names[i]));
	json_object_set_new(object, "key", cli_json_text(person->key));
	json_object_set_new(object, "name", cli_json_text(person->name));
	json_object_set_new(object, "email", cli_json_text(person->email));
	json_object_set_new(object, "accounts", accounts);
	return object;
}

/* Their accounts as a text, MARK between two; NULL: none. */
static char *accounts_text(struct cli *cli, const struct resource *person, const char *mark)
{
	const char **names;
	size_t count = accounts_of(cli, person, &names);
	char *text = NULL;

	for (size_t i = 0; i < count; i++)
		text = mem_printf(names, "%s%s%s", text ? text : "", text ? mark : "", names[i]);
	return text;
}

static void print_people(struct cli *cli, const struct resource *people, size_t count)
{
	static const struct cli_column columns[] = { { "KEY", CLI_COLUMN_KEY },
						     { "NAME", CLI_COLUMN_WORDS },
						     { "E-MAIL", CLI_COLUMN_WORDS },
						     { "ACCOUNTS", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < count; i++)
		cli_columns_add(table,
				(const char *[]){ people[i].key, people[i].name, people[i].email,
						  accounts_text(cli, &people[i], ", ") });
	cli_view_print(cli, table);
}

struct fault *cmd_resource_list(struct cli *cli)
{
	struct resource *people = NULL;
	size_t count = 0;

	FAULT_TRY(project_resources(cli->store, cli->mem, 0, &people, &count));
	if (cli_has(cli, "--json")) {
		json_t *array = json_array();

		for (size_t i = 0; i < count; i++)
			json_array_append_new(array, person_json(cli, &people[i]));
		cli_json(cli, array);
	} else if (count) {
		print_people(cli, people, count);
	} else {
		fprintf(cli->out,
			"Nobody yet; people come with a project: taskferry import plan.xml\n");
	}
	return NULL;
}

/* The codes of the projects that a person has assignments in, and how many of these there are. */
static struct fault *projects_of(struct cli *cli, const struct resource *person,
				 const char ***codes_r, size_t *count_r, int64_t *assignments_r)
{
	struct project *projects = NULL;
	size_t all = 0, count = 0;
	const char **codes;
	int64_t total = 0;

	FAULT_TRY(project_list(cli->store, cli->mem, &projects, &all));
	codes = MEM_ARRAY(cli->mem, const char *, all);
	for (size_t i = 0; i < all; i++) {
		struct assignment *list = NULL;
		size_t n = 0, here = 0;

		FAULT_TRY(project_assignments(cli->store, cli->mem, projects[i].id, person->id,
					      &list, &n));
		for (size_t a = 0; a < n; a++)
			here += list[a].state != ASSIGNMENT_WITHDRAWN;
		if (here)
			codes[count++] = projects[i].code;
		total += (int64_t)here;
		talloc_free(list);
	}
	*codes_r = codes;
	*count_r = count;
	*assignments_r = total;
	return NULL;
}

static void print_person(struct cli *cli, const struct resource *person, const char *const *codes,
			 size_t count, int64_t assignments)
{
	char *projects = mem_strdup(cli->mem, "");

	for (size_t i = 0; i < count; i++)
		projects = mem_printf(cli->mem, "%s%s%s", projects, i ? ", " : "", codes[i]);
	fprintf(cli->out, "Person %s\n", person->key);
	cli_view_line(cli, "Name", person->name);
	cli_view_line(cli, "E-mail", person->email ? person->email : "not known");
	cli_view_line(cli, "Accounts", accounts_text(cli, person, "\n"));
	cli_view_line(cli, "Projects", projects);
	cli_view_line(cli, "Assignments", mem_printf(cli->mem, "%lld", (long long)assignments));
	if (!person->email)
		fprintf(cli->out, "\nNext: taskferry resource set %s email=ADDRESS\n", person->key);
	else if (!accounts_text(cli, person, ""))
		fprintf(cli->out,
			"\nNo [server] of the configuration has an account for this person.\n");
}

struct fault *cmd_resource_show(struct cli *cli)
{
	struct resource *person = NULL;
	const char **codes = NULL;
	int64_t assignments = 0;
	size_t count = 0;
	json_t *object, *array;

	FAULT_TRY(cli_resource(cli, cli->args[0], &person));
	FAULT_TRY(projects_of(cli, person, &codes, &count, &assignments));
	if (!cli_has(cli, "--json")) {
		print_person(cli, person, codes, count, assignments);
		return NULL;
	}
	object = person_json(cli, person);
	array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, cli_json_text(codes[i]));
	json_object_set_new(object, "projects", array);
	json_object_set_new(object, "assignments", json_integer(assignments));
	cli_json(cli, object);
	return NULL;
}

/* ---- resource set ---- */

/* The key follows the address (DESIGN section 10); who loses theirs is known by their name again.
 */
static struct fault *set_email(struct cli *cli, struct resource *person, const char *text)
{
	char *email = text_lower(cli->mem, text_trim(cli->mem, text));
	struct resource *other = NULL;

	if (*email && !text_is_address(email))
		return fault_new(cli->mem, FAULT_DATA, "email=%s: that is no e-mail address", text);
	person->email = *email ? email : NULL;
	person->key = *email ? email
			     : text_slug(cli->mem, person->name ? person->name : person->key,
					 KEY_SLUG_MAX);
	FAULT_TRY(project_resource_by_key(cli->store, cli->mem, person->key, &other));
	if (other && other->id != person->id)
		return fault_new(cli->mem, FAULT_DATA,
				 "%s belongs to %s already; nothing was changed", person->key,
				 other->name ? other->name : other->key);
	return NULL;
}

static struct fault *set_name(struct cli *cli, struct resource *person, const char *text)
{
	char *name = text_one_line(cli->mem, text_trim(cli->mem, text), NAME_CHARS_MAX);

	person->name = *name ? name : NULL;
	return NULL;
}

static const struct {
	const char *word;
	struct fault *(*set)(struct cli *cli, struct resource *person, const char *text);
} person_fields[] = {
	{ "name=", set_name }, /* before the address: a key may be made of it */
	{ "email=", set_email },
};

static struct fault *check_person_words(struct cli *cli)
{
	for (int i = 1; i < cli->arg_count; i++) {
		bool known = false;

		for (size_t f = 0; f < COUNT_OF(person_fields); f++)
			known |= text_starts(cli->args[i], person_fields[f].word);
		if (!known)
			return fault_new(cli->mem, FAULT_USAGE,
					 "'%s': write name=NAME or email=ADDRESS", cli->args[i]);
		if (!text_is_utf8(cli->args[i], strlen(cli->args[i])))
			return fault_new(cli->mem, FAULT_DATA, "'%s' is not UTF-8", cli->args[i]);
	}
	return NULL;
}

static struct fault *change_person(struct cli *cli, struct resource **before_r,
				   struct resource **after_r)
{
	struct resource *before = NULL, *after = MEM_NEW(cli->mem, struct resource);

	FAULT_TRY(cli_resource(cli, cli->args[0], &before));
	*after = *before;
	for (size_t f = 0; f < COUNT_OF(person_fields); f++)
		for (int i = 1; i < cli->arg_count; i++)
			if (text_starts(cli->args[i], person_fields[f].word))
				FAULT_TRY(person_fields[f].set(
					cli, after, cli->args[i] + strlen(person_fields[f].word)));
	FAULT_TRY(project_resource_set(cli->store, after));
	*before_r = before;
	*after_r = after;
	return store_commit(cli->store);
}

static void print_change(struct cli *cli, const char *what, const char *before, const char *after)
{
	if (!text_same(before, after))
		fprintf(cli->out, "%s: %s -> %s\n", what, before ? before : "(not set)",
			after ? after : "(not set)");
}

/* Who is named by the old key in the configuration, and what has to be published again. */
static struct fault *tell_next(struct cli *cli, const struct resource *before,
			       const struct resource *after)
{
	struct project *projects = NULL;
	size_t count = 0;

	if (text_same(before->key, after->key))
		return NULL;
	for (size_t i = 0; i < cli->conf->account_count; i++)
		if (text_same(cli->conf->accounts[i].resource, before->key))
			cli_attention(cli, "%s:%ld: [account %s %s] names the old key; write %s",
				      cli->conf->path, cli->conf->accounts[i].line,
				      cli->conf->accounts[i].server, before->key, after->key);
	if (!accounts_text(cli, after, "")) {
		cli_attention(cli, "%s has no account on any server now and is not published to",
			      after->key);
		return NULL;
	}
	FAULT_TRY(project_list_of(cli->store, cli->mem, after->id, &projects, &count));
	if (count)
		fprintf(cli->out, "Next: taskferry publish");
	for (size_t i = 0; i < count; i++)
		fprintf(cli->out, " %s", projects[i].code);
	if (count)
		fprintf(cli->out, "\n");
	return NULL;
}

struct fault *cmd_resource_set(struct cli *cli)
{
	struct resource *before = NULL, *after = NULL;
	struct fault *fault;

	FAULT_TRY(check_person_words(cli));
	FAULT_TRY(store_begin(cli->store));
	fault = change_person(cli, &before, &after);
	store_rollback(cli->store);
	FAULT_TRY(fault);
	print_change(cli, "name", before->name, after->name);
	print_change(cli, "email", before->email, after->email);
	print_change(cli, "key", before->key, after->key);
	if (text_same(before->name, after->name) && text_same(before->email, after->email))
		fprintf(cli->out, "Nothing changed: those values stand already.\n");
	cli_carry(cli, true);
	return tell_next(cli, before, after);
}
