/* cmd_revision.c - values that did not become, or not yet, the project's. */
#include "config.h"

#include "gateway/cli/cli_view.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/revisions.h"

static json_t *fields_json(TALLOC_CTX *mem, const struct revision *revision)
{
	json_t *fields = json_object();

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];
		json_t *object;

		if (!revision->has[f])
			continue;
		object = json_object();
		json_object_set_new(object, "base",
				    cli_json_value(mem, (enum field)f, &field->base));
		json_object_set_new(object, "theirs",
				    cli_json_value(mem, (enum field)f, &field->theirs));
		json_object_set_new(object, "ours",
				    cli_json_value(mem, (enum field)f, &field->ours));
		json_object_set_new(fields, field_table[f].name, object);
	}
	return fields;
}

static json_t *revision_json(TALLOC_CTX *mem, const struct revision *revision)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", cli_json_id(revision->id));
	json_object_set_new(object, "assignment", cli_json_id(revision->assignment_id));
	json_object_set_new(object, "state", cli_json_text(revision_state_name(revision->state)));
	json_object_set_new(object, "fields", fields_json(mem, revision));
	json_object_set_new(object, "rule", cli_json_text(revision->rule));
	json_object_set_new(object, "message", cli_json_text(revision->message));
	json_object_set_new(object, "at", cli_json_time(mem, revision->at_us));
	json_object_set_new(object, "by", cli_json_text(revision->author));
	return object;
}

static const char *or_none(const char *text)
{
	return text ? text : "(not set)";
}

/* "percent 140 %, stands: 100 %; status ..." */
static char *fields_text(const struct cli *cli, TALLOC_CTX *mem, const struct revision *revision)
{
	struct buf *text = buf_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];

		if (!revision->has[f])
			continue;
		buf_printf(text, "%s%s %s, stands: %s", text->len ? "; " : "", field_table[f].name,
			   or_none(cli_view_value(cli, mem, (enum field)f, &field->theirs)),
			   or_none(cli_view_value(cli, mem, (enum field)f, &field->ours)));
	}
	return buf_steal(&text, mem, NULL);
}

static struct fault *subject_of(struct cli *cli, TALLOC_CTX *mem, int64_t id,
				const char **subject_r)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;

	FAULT_TRY(project_assignment(cli->store, mem, id, &assignment));
	if (!assignment)
		return NULL;
	FAULT_TRY(project_values(cli->store, mem, assignment, &stamped));
	*subject_r = vector_str(stamped->values, FIELD_subject);
	return NULL;
}

static struct fault *print_revisions(struct cli *cli, const struct revision *list, size_t count)
{
	static const struct cli_column columns[] = {
		{ "ID", CLI_COLUMN_NUMBER },    { "ASSIGNMENT", CLI_COLUMN_NUMBER },
		{ "TASK", CLI_COLUMN_WORDS },   { "STATE", CLI_COLUMN_KEY },
		{ "WHEN", CLI_COLUMN_KEY },     { "BY", CLI_COLUMN_WORDS },
		{ "VALUES", CLI_COLUMN_WORDS }, { "WHY", CLI_COLUMN_WORDS },
	};
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(cli->mem);
		const char *subject = NULL;

		FAULT_TRY(subject_of(cli, mem, list[i].assignment_id, &subject));
		cli_columns_add(
			table,
			(const char *[]){ mem_printf(mem, "%lld", (long long)list[i].id),
					  mem_printf(mem, "%lld", (long long)list[i].assignment_id),
					  subject, revision_state_name(list[i].state),
					  cli_view_time(mem, list[i].at_us), list[i].author,
					  fields_text(cli, mem, &list[i]), list[i].message });
		talloc_free(mem);
	}
	cli_view_print(cli, table);
	return NULL;
}

static struct fault *wanted_state(struct cli *cli, enum revision_state *state_r)
{
	const char *name = cli_option(cli, "--state");

	*state_r = name ? revision_state_find(name) : REVISION_STATES;
	if (!name || *state_r != REVISION_STATES)
		return NULL;
	return fault_new(cli->mem, FAULT_USAGE,
			 "--state %s: there is no such state; one of losing, corrected, rejected, "
			 "proposed, accepted, "
			 "dismissed",
			 name);
}

struct fault *cmd_revisions(struct cli *cli)
{
	struct revision *list = NULL;
	enum revision_state state;
	size_t count = 0;
	json_t *array;

	FAULT_TRY(wanted_state(cli, &state));
	FAULT_TRY(revisions_list(cli->store, cli->mem, state, &list, &count));
	if (cli_has(cli, "--json")) {
		array = json_array();
		for (size_t i = 0; i < count; i++)
			json_array_append_new(array, revision_json(cli->mem, &list[i]));
		cli_json(cli, array);
		return NULL;
	}
	if (count)
		return print_revisions(cli, list, count);
	fprintf(cli->out,
		"No revision%s%s: nothing that a person wrote waits here or was overruled.\n",
		state == REVISION_STATES ? "" : " is ",
		state == REVISION_STATES ? "" : revision_state_name(state));
	return NULL;
}

static void print_fields(struct cli *cli, const struct revision *revision)
{
	static const struct cli_column columns[] = { { "FIELD", CLI_COLUMN_KEY },
						     { "BEFORE", CLI_COLUMN_WORDS },
						     { "WRITTEN", CLI_COLUMN_WORDS },
						     { "STANDS", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];

		if (revision->has[f])
			cli_columns_add(
				table,
				(const char *[]){
					field_table[f].name,
					cli_view_value(cli, table, (enum field)f, &field->base),
					cli_view_value(cli, table, (enum field)f, &field->theirs),
					cli_view_value(cli, table, (enum field)f, &field->ours) });
	}
	fprintf(cli->out, "\n");
	cli_view_print(cli, table);
}

struct fault *cmd_revision_show(struct cli *cli)
{
	struct revision *revision = NULL;
	const char *subject = NULL;
	int64_t id;

	if (text_to_int(cli->args[0], &id))
		FAULT_TRY(revisions_get(cli->store, cli->mem, id, &revision));
	if (!revision)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no revision '%s'; `taskferry revisions` shows all",
				 cli->args[0]);
	if (cli_has(cli, "--json")) {
		cli_json(cli, revision_json(cli->mem, revision));
		return NULL;
	}
	FAULT_TRY(subject_of(cli, cli->mem, revision->assignment_id, &subject));
	fprintf(cli->out, "Revision %lld: %s\n", (long long)revision->id,
		revision_state_name(revision->state));
	cli_view_line(cli, "Assignment",
		      mem_printf(cli->mem, "%lld %s", (long long)revision->assignment_id,
				 subject ? subject : ""));
	cli_view_line(cli, "When", cli_view_time(cli->mem, revision->at_us));
	cli_view_line(cli, "By", revision->author);
	cli_view_line(cli, "Rule", revision->rule);
	cli_view_line(cli, "Why", revision->message);
	print_fields(cli, revision);
	return NULL;
}
