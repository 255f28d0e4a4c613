/* cmd_plan.c - what changes the project and is to be carried: import, publish, task set. */
#include "config.h"

#include "gateway/cli/cli.h"

#include <string.h>

#include "base/progress.h"
#include "base/text.h"
#include "gateway/sync/import.h"
#include "mappers/mspdi.h"
#include "mappers/people.h"

#define SHOWN_CHARS 200 /* of a value: a note may have a mebibyte */

/* ---- import ---- */

static void import_progress(void *data, int64_t done, int64_t total)
{
	progress_step(data, done, total);
}

static struct fault *read_plan(struct cli *cli, struct projfile **file_r)
{
	struct progress *bar;
	struct fault *fault;

	if (text_ends(text_lower(cli->mem, cli->args[0]), ".json"))
		return fault_new(cli->mem, FAULT_DATA,
				 "%s: this version imports Microsoft Project XML only (save the "
				 "plan as .xml)",
				 cli->args[0]);
	bar = progress_new(cli->mem, cli->clock, cli->err, "reading");
	fault = mspdi_read_file(cli->mem, cli->args[0], import_progress, bar, file_r);
	progress_end(bar);
	return fault;
}

static void print_import(struct cli *cli, const struct import_result *result)
{
	for (size_t i = 0; i < result->note_count; i++)
		fprintf(cli->err, "%s\n", result->notes[i]);
	fprintf(cli->out,
		"%s project %s (%s): %lld tasks (%lld new, %lld changed), %lld assignments (%lld "
		"new, %lld changed), %lld "
		"people (%lld new)",
		result->created ? "New" : "Updated", result->project->code, result->project->name,
		(long long)result->tasks, (long long)result->tasks_new,
		(long long)(result->tasks_changed -
			    (result->tasks_changed ? result->tasks_new : 0)),
		(long long)result->assignments, (long long)result->assignments_new,
		(long long)(result->assignments_changed -
			    (result->assignments_changed ? result->assignments_new : 0)),
		(long long)result->people, (long long)result->people_new);
	if (result->withdrawn)
		fprintf(cli->out, ", %lld withdrawn", (long long)result->withdrawn);
	if (result->losing)
		fprintf(cli->out, ", %lld values of assignees replaced (see: taskferry revisions)",
			(long long)result->losing);
	fprintf(cli->out, ".\n");
	if (result->project->state == PROJECT_DRAFT)
		fprintf(cli->out, "Next: taskferry publish %s\n", result->project->code);
	else if (result->project->state == PROJECT_PUBLISHED && !cli_has(cli, "--dry-run"))
		cli_carry(cli, false);
}

/* People with assignments but without an address or an account are imported and listed; exit 1 says so
 * (DESIGN section 10). */
static void note_people(struct cli *cli, const struct import_result *result)
{
	if (result->without_address)
		cli_attention(cli,
			      "%lld of %lld people have assignments but no e-mail address and "
			      "are not published to; give them one by "
			      "--resources CSV or: taskferry resource set KEY email=ADDRESS",
			      (long long)result->without_address, (long long)result->people);
	if (result->without_account)
		cli_attention(cli,
			      "%lld of %lld people have assignments but no account on any "
			      "server and are not published to; `taskferry resource list` shows "
			      "who has one",
			      (long long)result->without_account, (long long)result->people);
	if (result->attention)
		cli->attention = true;
}

struct fault *cmd_import(struct cli *cli)
{
	struct edit_env env = cli_edit_env(cli);
	struct import_options options = { .code = cli_option(cli, "--project"),
					  .file_name = cli->args[0],
					  .withdraw = cli_has(cli, "--withdraw"),
					  .dry_run = cli_has(cli, "--dry-run"),
					  .progress = import_progress };
	const char *csv = cli_option(cli, "--resources");
	struct import_result *result = NULL;
	struct projfile *file = NULL;
	struct person *people = NULL;
	struct fault *fault;

	if (options.code && strcmp(options.code, text_slug(cli->mem, options.code, 64)))
		return fault_new(cli->mem, FAULT_USAGE,
				 "--project %s: a code is short and made of a-z, 0-9 and '-', for "
				 "example %s",
				 options.code, text_slug(cli->mem, options.code, 40));
	if (csv)
		FAULT_TRY(people_read_file(cli->mem, csv, &people, &options.people_count));
	options.people = people;
	FAULT_TRY(read_plan(cli, &file));
	options.data = progress_new(cli->mem, cli->clock, cli->err, "importing");
	fault = import_file(cli->mem, &env, file, &options, &result);
	progress_end(options.data);
	FAULT_TRY(fault);
	print_import(cli, result);
	note_people(cli, result);
	if (options.dry_run)
		fprintf(cli->out, "(a dry run: nothing was changed)\n");
	return NULL;
}

/* ---- publish ---- */

static struct fault *publish_one(struct cli *cli, struct project *project)
{
	struct sync_env env = cli_sync_env(cli);
	struct round_report *notes = round_report_new(cli->mem);
	int64_t jobs = 0;

	if (project->state == PROJECT_ARCHIVED)
		cli_attention(cli, "%s was archived; it is published again", project->code);
	FAULT_TRY(sync_publish(cli->mem, &env, cli->store, project, notes, &jobs));
	for (size_t i = 0; i < notes->note_count; i++)
		cli_attention(cli, "%s: %s", project->code, notes->notes[i]);
	fprintf(cli->out, "%s: %lld %s queued.\n", project->code, (long long)jobs,
		jobs == 1 ? "job" : "jobs");
	if (!jobs)
		cli->attention = true;
	return NULL;
}

struct fault *cmd_publish(struct cli *cli)
{
	bool all = cli_has(cli, "--all");
	struct project *projects = NULL;
	size_t count = 0;

	if (all == (cli->arg_count > 0))
		return fault_new(cli->mem, FAULT_USAGE,
				 "usage: taskferry publish PROJECT... | --all");
	if (all)
		FAULT_TRY(project_list(cli->store, cli->mem, &projects, &count));
	for (size_t i = 0; i < count; i++)
		if (projects[i].state != PROJECT_ARCHIVED)
			FAULT_TRY(publish_one(cli, &projects[i]));
	for (int i = 0; i < cli->arg_count; i++) {
		struct project *project = NULL;

		FAULT_TRY(cli_project(cli, cli->args[i], &project));
		FAULT_TRY(publish_one(cli, project));
	}
	cli_carry(cli, false);
	return NULL;
}

/* ---- task set ---- */

static struct fault *parse_field(struct cli *cli, const char *word, struct edit_field *out)
{
	const char *equals = strchr(word, '=');
	const char *best = NULL;
	size_t least = 4;
	char *name;

	if (!equals)
		return fault_new(cli->mem, FAULT_USAGE,
				 "'%s': write FIELD=VALUE, for example percent=60", word);
	name = mem_strndup(cli->mem, word, (size_t)(equals - word));
	out->field = field_find(name);
	out->text = equals + 1;
	if (out->field != FIELDS)
		return NULL;
	for (int f = 0; f < FIELDS; f++) {
		size_t distance = text_distance(name, field_table[f].name);

		if (distance < least) {
			least = distance;
			best = field_table[f].name;
		}
	}
	return fault_new(cli->mem, FAULT_USAGE, "there is no field '%s'%s%s%s", name,
			 best ? "; did you mean '" : "", best ? best : "", best ? "'?" : "");
}

static void print_edit(struct cli *cli, const struct edit_result *result)
{
	bool any = false;

	for (int f = 0; f < FIELDS; f++) {
		char *before = value_text(cli->mem, (enum field)f, &result->before->value[f]);
		char *after = value_text(cli->mem, (enum field)f, &result->after->value[f]);

		if (!result->changed[f])
			continue;
		fprintf(cli->out, "%s: %s -> %s\n", field_table[f].name,
			before ? text_one_line(cli->mem, before, SHOWN_CHARS) : "(not set)",
			after ? text_one_line(cli->mem, after, SHOWN_CHARS) : "(not set)");
		any = true;
	}
	if (!any)
		fprintf(cli->out, "Nothing changed: those values stand already.\n");
	if (result->offered)
		fprintf(cli->out, "The person had declined the task; it is theirs again.\n");
	for (size_t i = 0; i < result->message_count; i++)
		cli_attention(cli, "%s", result->messages[i]);
}

struct fault *cmd_task_set(struct cli *cli)
{
	struct edit_field *fields = MEM_ARRAY(cli->mem, struct edit_field, cli->arg_count);
	struct edit_env env = cli_edit_env(cli);
	struct assignment *assignment = NULL;
	struct edit_result *result = NULL;

	for (int i = 1; i < cli->arg_count; i++)
		FAULT_TRY(parse_field(cli, cli->args[i], &fields[i - 1]));
	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	FAULT_TRY(edit_assignment(cli->mem, &env, assignment->id, fields,
				  (size_t)cli->arg_count - 1, &result));
	print_edit(cli, result);
	cli_carry(cli, true);
	return NULL;
}
