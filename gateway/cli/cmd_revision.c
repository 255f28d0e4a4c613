/* cmd_revision.c - values that did not become, or not yet, the project's: shown, and decided on. */
#include "config.h"

#include "gateway/cli/cli_revision.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/cli/cli_view.h"
#include "gateway/sync/verdict.h"
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

json_t *cli_revision_json(TALLOC_CTX *mem, const struct revision *revision)
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
	json_object_set_new(object, "origin", cli_json_text(revision_state_name(revision->origin)));
	json_object_set_new(object, "written_by", cli_json_text(revision->writer));
	json_object_set_new(object, "against", cli_json_text(revision->against));
	json_object_set_new(object, "comment", cli_json_text(revision->comment));
	json_object_set_new(object, "decided_at", cli_json_time(mem, revision->decided_us));
	json_object_set_new(object, "decided_by", cli_json_text(revision->decided_by));
	return object;
}

static const char *or_none(const char *text)
{
	return text ? text : "(not set)";
}

char *cli_revision_values(const struct cli *cli, TALLOC_CTX *mem, const struct revision *revision,
			  const char *stands)
{
	struct buf *text = buf_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];

		if (!revision->has[f])
			continue;
		buf_printf(text, "%s%s %s, %s: %s", text->len ? "; " : "", field_table[f].name,
			   or_none(cli_view_value(cli, mem, (enum field)f, &field->theirs)), stands,
			   or_none(cli_view_value(cli, mem, (enum field)f, &field->ours)));
	}
	return buf_steal(&text, mem, NULL);
}

/* The assignment's values now; NULL: there is no such assignment. */
static struct fault *values_of(struct cli *cli, TALLOC_CTX *mem, int64_t id,
			       struct vector **values_r)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;

	FAULT_TRY(project_assignment(cli->store, mem, id, &assignment));
	if (!assignment)
		return NULL;
	FAULT_TRY(project_values(cli->store, mem, assignment, &stamped));
	*values_r = stamped->values;
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
		struct vector *values = NULL;

		FAULT_TRY(values_of(cli, mem, list[i].assignment_id, &values));
		cli_columns_add(
			table,
			(const char *[]){ mem_printf(mem, "%lld", (long long)list[i].id),
					  mem_printf(mem, "%lld", (long long)list[i].assignment_id),
					  values ? vector_str(values, FIELD_subject) : NULL,
					  revision_state_name(list[i].state),
					  cli_view_time(mem, list[i].at_us), list[i].author,
					  cli_revision_values(cli, mem, &list[i],
							      list[i].state == REVISION_ACCEPTED
								      ? "stood"
								      : "stands"),
					  list[i].message });
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
			json_array_append_new(array, cli_revision_json(cli->mem, &list[i]));
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

/* ---- revision show ---- */

static void print_fields(struct cli *cli, const struct revision *revision, const struct vector *now)
{
	static const struct cli_column columns[] = {
		{ "FIELD", CLI_COLUMN_KEY },     { "BEFORE", CLI_COLUMN_WORDS },
		{ "WRITTEN", CLI_COLUMN_WORDS }, { "STANDS", CLI_COLUMN_WORDS },
		{ "NOW", CLI_COLUMN_WORDS },
	};
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];
		enum field id = (enum field)f;

		if (revision->has[f])
			cli_columns_add(table,
					(const char *[]){
						field_table[f].name,
						cli_view_value(cli, table, id, &field->base),
						cli_view_value(cli, table, id, &field->theirs),
						cli_view_value(cli, table, id, &field->ours),
						now ? cli_view_value(cli, table, id, &now->value[f])
						    : NULL });
	}
	fprintf(cli->out, "\n");
	cli_view_print(cli, table);
}

static struct fault *find_revision(struct cli *cli, struct revision **revision_r)
{
	struct revision *revision = NULL;
	int64_t id;

	if (text_to_int(cli->args[0], &id))
		FAULT_TRY(revisions_get(cli->store, cli->mem, id, &revision));
	if (!revision)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no revision '%s'; `taskferry revisions` shows all",
				 cli->args[0]);
	*revision_r = revision;
	return NULL;
}

/* "restored" is said of what was not a proposal. */
static const char *state_words(const struct revision *revision)
{
	if (revision->state == REVISION_ACCEPTED && revision->origin != REVISION_PROPOSED)
		return "restored";
	return revision_state_name(revision->state);
}

static void print_decision(struct cli *cli, const struct revision *revision)
{
	char *next = mem_strdup(cli->mem, "");

	if (revision->decided_us)
		cli_view_line(cli, "Decided",
			      mem_printf(cli->mem, "%s, %s by %s",
					 cli_view_time(cli->mem, revision->decided_us),
					 state_words(revision), revision->decided_by));
	cli_view_line(cli, "Comment", revision->comment);
	for (int v = 0; v < VERDICTS; v++)
		if (verdict_is_possible((enum verdict)v, revision))
			next = mem_printf(cli->mem, "%s%s%s", next, *next ? ", " : "",
					  verdict_name((enum verdict)v));
	if (*next)
		cli_view_line(cli, "Possible", next);
}

struct fault *cmd_revision_show(struct cli *cli)
{
	struct revision *revision = NULL;
	struct vector *now = NULL;
	const char *subject;

	FAULT_TRY(find_revision(cli, &revision));
	if (cli_has(cli, "--json")) {
		cli_json(cli, cli_revision_json(cli->mem, revision));
		return NULL;
	}
	FAULT_TRY(values_of(cli, cli->mem, revision->assignment_id, &now));
	subject = now ? vector_str(now, FIELD_subject) : NULL;
	fprintf(cli->out, "Revision %lld: %s\n", (long long)revision->id, state_words(revision));
	if (revision->state != revision->origin)
		cli_view_line(cli, "Kept as", revision_state_name(revision->origin));
	cli_view_line(cli, "Assignment",
		      mem_printf(cli->mem, "%lld %s", (long long)revision->assignment_id,
				 subject ? subject : ""));
	cli_view_line(cli, "When", cli_view_time(cli->mem, revision->at_us));
	cli_view_line(cli, "By", revision->author);
	cli_view_line(cli, "Written by", revision->writer);
	cli_view_line(cli, "Against", revision->against);
	cli_view_line(cli, "Rule", revision->rule);
	cli_view_line(cli, "Why", revision->message);
	print_decision(cli, revision);
	print_fields(cli, revision, now);
	return NULL;
}

/* ---- revision accept, reject, restore, dismiss ---- */

static const char *or_cleared(const char *text)
{
	return text ? text : "(not set)";
}

static void print_changes(struct cli *cli, const struct verdict_result *result)
{
	const struct edit_result *edit = result->edit;
	bool any = false;

	for (int f = 0; f < FIELDS; f++) {
		enum field field = (enum field)f;
		const struct value *was = &edit->before->value[f];

		if (!edit->changed[f])
			continue;
		any = true;
		fprintf(cli->out, "%s: %s -> %s", field_table[f].name,
			or_cleared(cli_view_value(cli, cli->mem, field, was)),
			or_cleared(cli_view_value(cli, cli->mem, field, &edit->after->value[f])));
		if (result->moved[f])
			fprintf(cli->out, " (it was %s when the revision was kept)",
				or_cleared(cli_view_value(cli, cli->mem, field,
							  &result->revision->field[f].ours)));
		fprintf(cli->out, "\n");
	}
	if (!any)
		fprintf(cli->out, "Nothing changed: those values stand already.\n");
	for (size_t i = 0; i < edit->message_count; i++)
		cli_attention(cli, "%s", edit->messages[i]);
}

static void print_verdict(struct cli *cli, const struct verdict_result *result)
{
	const struct revision *revision = result->revision;

	if (result->again) {
		fprintf(cli->out, "Revision %lld was %s already, %s by %s; nothing was done.\n",
			(long long)revision->id, state_words(revision),
			cli_view_time(cli->mem, revision->decided_us), revision->decided_by);
		return;
	}
	fprintf(cli->out, "Revision %lld is %s.\n", (long long)revision->id, state_words(revision));
	if (!result->edit)
		return;
	print_changes(cli, result);
	cli_carry(cli, true);
}

struct fault *cmd_revision_decide(struct cli *cli)
{
	struct edit_env env = cli_edit_env(cli);
	struct verdict_result *result = NULL;
	struct revision *revision = NULL;

	FAULT_TRY(find_revision(cli, &revision));
	FAULT_TRY(verdict_give(cli->mem, &env, revision->id, verdict_find(cli->command->second),
			       cli_option(cli, "--comment"), &result));
	print_verdict(cli, result);
	return NULL;
}
