/* cmd_task.c - assignments: listed, shown, their changes. A row is read, turned into its line or
 * object and freed, so that ten thousand assignments cost ten thousand lines, not ten thousand
 * vectors. */
#include "config.h"

#include "gateway/cli/cli_timeline.h"
#include "gateway/cli/cli_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decide/booking.h"
#include "store/blobs.h"

#define LAST_CHANGES 5 /* that `task show` prints */

/* What all rows of a project share. */
struct plan {
	struct cli *cli;
	const struct cli_view *view;
	const struct project *project;
	struct task *tasks; /* sorted by key, to find parents */
	size_t task_count;
};

struct row {
	const struct assignment *assignment;
	const struct resource *person;
	struct stamped *stamped;
	struct link_item *items;
	size_t item_count;
	int64_t changed_us; /* the newest stamp */
	const char *changed_by;
};

/* ---- reading ---- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct task *)a)->source_key, ((const struct task *)b)->source_key);
}

static struct fault *plan_read(struct cli *cli, const struct cli_view *view,
			       const struct project *project, struct plan *plan_r)
{
	struct plan plan = { .cli = cli, .view = view, .project = project };

	FAULT_TRY(project_tasks(cli->store, cli->mem, project->id, &plan.tasks, &plan.task_count));
	qsort(plan.tasks, plan.task_count, sizeof *plan.tasks, by_key);
	*plan_r = plan;
	return NULL;
}

static const struct task *task_of_key(const struct plan *plan, const char *key)
{
	struct task wanted = { .source_key = key };

	return key && plan->task_count
		       ? bsearch(&wanted, plan->tasks, plan->task_count, sizeof wanted, by_key)
		       : NULL;
}

static struct fault *row_read(const struct plan *plan, TALLOC_CTX *mem,
			      const struct assignment *assignment, struct row *row_r)
{
	struct row row = { .assignment = assignment,
			   .person = cli_view_person(plan->view, assignment->resource_id) };
	int64_t newest = 0;

	if (!row.person)
		return fault_new(plan->cli->mem, FAULT_INTERNAL, "assignment %lld is nobody's",
				 (long long)assignment->id);
	FAULT_TRY(project_values(plan->cli->store, mem, assignment, &row.stamped));
	FAULT_TRY(link_items(plan->cli->store, mem, assignment->id, &row.items, &row.item_count));
	for (int f = 0; f < FIELDS; f++) {
		if (row.stamped->seq[f] <= newest)
			continue;
		newest = row.stamped->seq[f];
		row.changed_us = row.stamped->at_us[f];
		row.changed_by = row.stamped->author[f];
	}
	*row_r = row;
	return NULL;
}

static const char *item_state(const struct link_item *item)
{
	return item->dirty && (item->state == LINK_OK || item->state == LINK_NEW)
		       ? "waiting"
		       : link_state_name(item->state);
}

/* What its assignee sees: a task that nobody has begun, until somebody says otherwise. */
static enum status row_status(const struct row *row)
{
	if (row->assignment->state == ASSIGNMENT_DECLINED)
		return STATUS_CANCELLED;
	return (enum status)vector_get(row->stamped->values, FIELD_status, STATUS_NEEDS_ACTION);
}

/* ---- as JSON ---- */

/* In the order of DESIGN section 10; `status` and `parent` are not as they stand. */
static const struct {
	enum field field;
	bool has_default; /* 0, false, none at all: what assignees see when nothing is set */
} json_fields[] = {
	{ FIELD_subject, false },      { FIELD_start, false },
	{ FIELD_due, false },          { FIELD_status, true },
	{ FIELD_percent, true },       { FIELD_actual_work, false },
	{ FIELD_total_work, false },   { FIELD_remaining_work, false },
	{ FIELD_completed_at, false }, { FIELD_priority, true },
	{ FIELD_categories, true },    { FIELD_notes, false },
	{ FIELD_description, false },  { FIELD_parent, false },
	{ FIELD_milestone, true },     { FIELD_summary, true },
	{ FIELD_attachments, true },
};

static json_t *default_json(enum field field)
{
	if (field_table[field].type == FIELD_LIST || field_table[field].type == FIELD_FILES)
		return json_array();
	if (field_table[field].type == FIELD_FLAG)
		return json_false();
	return json_integer(0);
}

static json_t *field_json(const struct plan *plan, TALLOC_CTX *mem, const struct row *row,
			  enum field field, bool has_default)
{
	const struct value *value = &row->stamped->values->value[field];
	const struct task *parent;

	if (field == FIELD_status)
		return cli_json_text(status_name(row_status(row)));
	if (field == FIELD_parent) {
		parent = task_of_key(plan, vector_str(row->stamped->values, field));
		return parent ? cli_json_id(parent->id) : json_null();
	}
	if (has_default && value->presence != SET)
		return default_json(field);
	return cli_json_value(mem, field, value);
}

static json_t *items_json(TALLOC_CTX *mem, const struct row *row)
{
	json_t *array = json_array();

	for (size_t i = 0; i < row->item_count; i++) {
		const struct link_item *item = &row->items[i];
		json_t *object = json_object();

		json_object_set_new(
			object, "account",
			cli_json_text(mem_printf(mem, "%s/%s", item->server, item->resource)));
		json_object_set_new(object, "state", cli_json_text(item_state(item)));
		json_object_set_new(object, "error", cli_json_text(item->error));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *row_json(const struct plan *plan, TALLOC_CTX *mem, const struct row *row)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", cli_json_id(row->assignment->id));
	json_object_set_new(object, "task", cli_json_id(row->assignment->task_id));
	json_object_set_new(object, "project", cli_json_text(plan->project->code));
	json_object_set_new(object, "resource", cli_json_text(row->person->key));
	json_object_set_new(object, "email", cli_json_text(row->person->email));
	for (size_t i = 0; i < COUNT_OF(json_fields); i++)
		json_object_set_new(object, field_table[json_fields[i].field].name,
				    field_json(plan, mem, row, json_fields[i].field,
					       json_fields[i].has_default));
	json_object_set_new(object, "changed_at", cli_json_time(mem, row->changed_us));
	json_object_set_new(object, "changed_by", cli_json_text(row->changed_by));
	json_object_set_new(object, "items", items_json(mem, row));
	return object;
}

/* ---- as a table ---- */

static const struct cli_column task_columns[] = {
	{ "ID", CLI_COLUMN_KEY },       { "PROJECT", CLI_COLUMN_WORDS },
	{ "PERSON", CLI_COLUMN_WORDS }, { "TASK", CLI_COLUMN_WORDS },
	{ "DUE", CLI_COLUMN_KEY },      { "STATUS", CLI_COLUMN_KEY },
	{ "DONE", CLI_COLUMN_KEY },     { "WORK", CLI_COLUMN_NUMBER },
	{ "ITEM", CLI_COLUMN_WORDS },
};

/* "3 h of 12 h", "3 h"; NULL when there is none, as on a milestone. */
static char *work_text(const struct cli *cli, TALLOC_CTX *mem, const struct vector *values)
{
	char *actual =
		cli_view_value(cli, mem, FIELD_actual_work, &values->value[FIELD_actual_work]);
	char *total = cli_view_value(cli, mem, FIELD_total_work, &values->value[FIELD_total_work]);

	if (!vector_get(values, FIELD_actual_work, 0) && !vector_get(values, FIELD_total_work, 0))
		return NULL;
	if (!total)
		return actual;
	return mem_printf(mem, "%s of %s", actual ? actual : "0 h", total);
}

static char *items_text(TALLOC_CTX *mem, const struct row *row, const char *mark)
{
	char *text = NULL;

	for (size_t i = 0; i < row->item_count; i++) {
		const struct link_item *item = &row->items[i];

		text = mem_printf(mem, "%s%s%s %s%s%s", text ? text : "", text ? mark : "",
				  item->server, item_state(item), item->error ? ": " : "",
				  item->error ? item->error : "");
	}
	return text;
}

static void row_add(const struct plan *plan, TALLOC_CTX *mem, const struct row *row,
		    struct cli_columns *table)
{
	const struct vector *values = row->stamped->values;

	cli_columns_add(
		table,
		(const char *[]){
			mem_printf(mem, "%lld", (long long)row->assignment->id),
			plan->project->code,
			row->person->name ? row->person->name : row->person->key,
			vector_str(values, FIELD_subject),
			cli_view_value(plan->cli, mem, FIELD_due, &values->value[FIELD_due]),
			status_name(row_status(row)),
			mem_printf(mem, "%lld %%", (long long)vector_get(values, FIELD_percent, 0)),
			work_text(plan->cli, mem, values),
			items_text(mem, row, ", "),
		});
}

/* ---- task list ---- */

/* Goes to ARRAY as objects, or, when that is NULL, to TABLE. */
struct listing {
	json_t *array;
	struct cli_columns *table;
	size_t count;
};

static struct fault *list_project(const struct plan *plan, int64_t person, struct listing *listing)
{
	struct assignment *list = NULL;
	size_t count = 0;

	FAULT_TRY(project_assignments(plan->cli->store, plan->cli->mem, plan->project->id, person,
				      &list, &count));
	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem;
		struct row row;

		if (list[i].state == ASSIGNMENT_WITHDRAWN)
			continue;
		mem = MEM_CONTEXT(plan->cli->mem);
		FAULT_TRY(row_read(plan, mem, &list[i], &row));
		if (listing->array)
			json_array_append_new(listing->array, row_json(plan, mem, &row));
		else
			row_add(plan, mem, &row, listing->table);
		listing->count++;
		talloc_free(mem);
	}
	talloc_free(list);
	return NULL;
}

static struct fault *list_all(struct cli *cli, const char *code, int64_t person,
			      struct listing *listing)
{
	struct project *projects = NULL;
	struct cli_view *view = NULL;
	size_t count = 1;

	if (code)
		FAULT_TRY(cli_project(cli, code, &projects));
	else
		FAULT_TRY(project_list(cli->store, cli->mem, &projects, &count));
	FAULT_TRY(cli_view_new(cli, &view));
	for (size_t i = 0; i < count; i++) {
		struct plan plan;

		FAULT_TRY(plan_read(cli, view, &projects[i], &plan));
		FAULT_TRY(list_project(&plan, person, listing));
		talloc_free(plan.tasks);
	}
	return NULL;
}

/* An empty list tells what to do next. */
static struct fault *print_none(struct cli *cli)
{
	struct project *projects = NULL;
	size_t count = 0;

	FAULT_TRY(project_list(cli->store, cli->mem, &projects, &count));
	if (!count)
		fprintf(cli->out, "No project yet; import one: taskferry import plan.xml\n");
	else if (cli_has(cli, "--project") || cli_has(cli, "--resource"))
		fprintf(cli->out, "No assignment there; `taskferry task list` shows all.\n");
	else
		fprintf(cli->out,
			"No assignment yet: nobody is assigned to a task in the imported files.\n");
	return NULL;
}

struct fault *cmd_task_list(struct cli *cli)
{
	struct listing listing = { .array = cli_has(cli, "--json") ? json_array() : NULL };
	struct resource *person = NULL;
	struct fault *fault = NULL;

	listing.table = cli_columns_new(cli->mem, task_columns, COUNT_OF(task_columns));
	if (cli_has(cli, "--resource"))
		fault = cli_resource(cli, cli_option(cli, "--resource"), &person);
	if (!fault)
		fault = store_begin_read(
			cli->store); /* one view, though the service writes meanwhile */
	if (!fault)
		fault = list_all(cli, cli_option(cli, "--project"), person ? person->id : 0,
				 &listing);
	store_rollback(cli->store);
	if (fault) {
		json_decref(listing.array);
		return fault;
	}
	if (listing.array)
		cli_json(cli, listing.array);
	else if (listing.count)
		cli_view_print(cli, listing.table);
	else
		return print_none(cli);
	return NULL;
}

/* ---- history ---- */

struct fault *cmd_history(struct cli *cli)
{
	struct assignment *assignment = NULL;
	struct cli_timeline *timeline = NULL;

	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	FAULT_TRY(cli_timeline_read(cli, assignment, true, &timeline));
	if (cli_has(cli, "--json"))
		cli_json(cli, cli_timeline_json(cli, timeline));
	else if (cli_timeline_count(timeline))
		cli_timeline_print(cli, timeline, 0);
	else
		fprintf(cli->out, "Nothing has ever been changed on assignment %s.\n",
			cli->args[0]);
	return NULL;
}

/* ---- task show ---- */

static struct fault *bookings_json(struct cli *cli, int64_t assignment, json_t *array)
{
	struct booked *list = NULL;
	size_t count = 0;

	FAULT_TRY(project_booked(cli->store, cli->mem, assignment, &list, &count));
	for (size_t i = 0; i < count; i++) {
		struct when day = when_date(list[i].day);
		json_t *object = json_object();

		json_object_set_new(object, "day", cli_json_text(when_text(cli->mem, &day)));
		json_object_set_new(object, "minutes", json_integer(list[i].minutes));
		json_object_set_new(object, "text", cli_json_text(list[i].text));
		json_object_set_new(object, "source",
				    cli_json_text(booking_kind(list[i].source_key)));
		json_object_set_new(object, "at", cli_json_time(cli->mem, list[i].at_us));
		json_object_set_new(object, "by", cli_json_text(list[i].author));
		json_array_append_new(array, object);
	}
	return NULL;
}

/* Attachments that an item does not show. */
static struct fault *left_out_json(struct cli *cli, const struct row *row, json_t *array)
{
	const char *value = vector_str(row->stamped->values, FIELD_attachments);
	struct files *files = files_read(cli->mem, value);
	struct blobs_out_of *list = NULL;
	size_t count = 0;

	FAULT_TRY(blobs_left_out_of(cli->store, cli->mem, row->assignment->id, &list, &count));
	for (size_t i = 0; i < count; i++) {
		const struct file *file = files_find(files, list[i].digest);
		json_t *object;

		if (!file)
			continue;
		object = cli_json_file(file);
		json_object_set_new(object, "account",
				    cli_json_text(mem_printf(cli->mem, "%s/%s", list[i].server,
							     list[i].resource)));
		json_object_set_new(object, "error", cli_json_text(list[i].error));
		json_array_append_new(array, object);
	}
	return NULL;
}

static struct fault *left_out_text(struct cli *cli, const struct row *row)
{
	const char *value = vector_str(row->stamped->values, FIELD_attachments);
	struct files *files = files_read(cli->mem, value);
	struct blobs_out_of *list = NULL;
	const char *head = "Left out";
	size_t count = 0;

	FAULT_TRY(blobs_left_out_of(cli->store, cli->mem, row->assignment->id, &list, &count));
	for (size_t i = 0; i < count; i++) {
		const struct file *file = files_find(files, list[i].digest);

		if (!file)
			continue;
		cli_view_line(cli, head,
			      mem_printf(cli->mem, "%s (%s), on %s: %s", file->name,
					 files_size_text(cli->mem, file->size), list[i].server,
					 list[i].error ? list[i].error
						       : "the item has no room for it"));
		head = "";
	}
	return NULL;
}

static struct fault *show_json(const struct plan *plan, const struct row *row)
{
	struct cli *cli = plan->cli;
	json_t *object = row_json(plan, cli->mem, row), *array = json_array(),
	       *booked = json_array(), *left_out = json_array();
	struct fault *fault;
	char *keys = mem_strdup(cli->mem, vector_str(row->stamped->values, FIELD_predecessors)),
	     *save = NULL;

	for (char *key = keys ? strtok_r(keys, "\n", &save) : NULL; key;
	     key = strtok_r(NULL, "\n", &save)) {
		const struct task *task = task_of_key(plan, key);

		if (task)
			json_array_append_new(array, cli_json_id(task->id));
	}
	json_object_set_new(object, "uid", cli_json_text(row->assignment->uid));
	json_object_set_new(object, "assignment_state",
			    cli_json_text(assignment_state_name(row->assignment->state)));
	json_object_set_new(object, "deadline",
			    cli_json_value(cli->mem, FIELD_deadline,
					   &row->stamped->values->value[FIELD_deadline]));
	json_object_set_new(object, "predecessors", array);
	json_object_set_new(object, "bookings", booked);
	json_object_set_new(object, "left_out", left_out);
	fault = bookings_json(cli, row->assignment->id, booked);
	if (!fault)
		fault = left_out_json(cli, row, left_out);
	if (fault)
		json_decref(object);
	else
		cli_json(cli, object);
	return fault;
}

static struct fault *parent_subject(const struct plan *plan, const struct row *row,
				    const char **subject_r)
{
	const struct task *parent =
		task_of_key(plan, vector_str(row->stamped->values, FIELD_parent));
	struct stamped *above = NULL;

	if (!parent)
		return NULL;
	FAULT_TRY(project_task_values(plan->cli->store, plan->cli->mem, parent->id, &above));
	*subject_r = vector_str(above->values, FIELD_subject);
	return NULL;
}

/* The fields that stand on a line of their own, as they are. */
static const struct {
	const char *head;
	enum field field;
} shown_fields[] = {
	{ "Start", FIELD_start },
	{ "Due", FIELD_due },
	{ "Deadline", FIELD_deadline },
	{ "Completed", FIELD_completed_at },
	{ "Categories", FIELD_categories },
	{ "Notes", FIELD_notes },
	{ "Description", FIELD_description },
	{ "Attachments", FIELD_attachments },
};

static char *kind_text(struct cli *cli, const struct vector *values)
{
	bool milestone = vector_get(values, FIELD_milestone, 0),
	     summary = vector_get(values, FIELD_summary, 0);

	return milestone || summary
		       ? mem_printf(cli->mem, "%s%s%s", summary ? "summary task" : "",
				    summary && milestone ? ", " : "", milestone ? "milestone" : "")
		       : NULL;
}

static void print_row(const struct plan *plan, const struct row *row, const char *parent)
{
	const struct vector *values = row->stamped->values;
	struct cli *cli = plan->cli;
	char *work = work_text(cli, cli->mem, values);
	char *left = cli_view_value(cli, cli->mem, FIELD_remaining_work,
				    &values->value[FIELD_remaining_work]);
	int64_t priority = vector_get(values, FIELD_priority, 0);

	cli_view_line(cli, "Project",
		      mem_printf(cli->mem, "%s (%s)", plan->project->code, plan->project->name));
	cli_view_line(cli, "Person", cli_view_person_text(cli->mem, row->person));
	cli_view_line(cli, "Part of", parent);
	cli_view_line(cli, "Kind", kind_text(cli, values));
	if (row->assignment->state != ASSIGNMENT_ACTIVE)
		cli_view_line(cli, "Assignment", assignment_state_name(row->assignment->state));
	cli_view_line(cli, "Status",
		      mem_printf(cli->mem, "%s, %lld %%", status_name(row_status(row)),
				 (long long)vector_get(values, FIELD_percent, 0)));
	cli_view_line(cli, "Work",
		      left ? mem_printf(cli->mem, "%s%s%s remaining", work ? work : "",
					work ? ", " : "", left)
			   : work);
	if (priority)
		cli_view_line(cli, "Priority",
			      mem_printf(cli->mem, "%lld (1 high to 9 low)", (long long)priority));
	for (size_t i = 0; i < COUNT_OF(shown_fields); i++)
		cli_view_line(cli, shown_fields[i].head,
			      cli_view_value(cli, cli->mem, shown_fields[i].field,
					     &values->value[shown_fields[i].field]));
	cli_view_line(cli, "Items", row->item_count ? items_text(cli->mem, row, "\n") : "none yet");
}

/* Minutes as people write them down: "1:30", "-0:20". */
static char *minutes_text(TALLOC_CTX *mem, int64_t minutes)
{
	int64_t size = minutes < 0 ? -minutes : minutes;

	return mem_printf(mem, "%s%lld:%02lld", minutes < 0 ? "-" : "", (long long)(size / 60),
			  (long long)(size % 60));
}

static void print_bookings(struct cli *cli, const struct booked *list, size_t count)
{
	static const struct cli_column columns[] = { { "DAY", CLI_COLUMN_KEY },
						     { "WORK", CLI_COLUMN_NUMBER },
						     { "TEXT", CLI_COLUMN_WORDS },
						     { "FROM", CLI_COLUMN_KEY },
						     { "BY", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < count; i++) {
		struct when day = when_date(list[i].day);

		cli_columns_add(table, (const char *[]){
					       when_text(table, &day),
					       minutes_text(table, list[i].minutes), list[i].text,
					       booking_kind(list[i].source_key), list[i].author });
	}
	fprintf(cli->out, "\nBooked work\n");
	cli_view_print(cli, table);
}

static struct fault *show_text(const struct plan *plan, const struct row *row)
{
	struct cli *cli = plan->cli;
	const char *parent = NULL, *subject = vector_str(row->stamped->values, FIELD_subject);
	struct cli_timeline *timeline = NULL;
	struct booked *booked = NULL;
	size_t count, booked_count = 0, skip;

	FAULT_TRY(parent_subject(plan, row, &parent));
	FAULT_TRY(
		project_booked(cli->store, cli->mem, row->assignment->id, &booked, &booked_count));
	FAULT_TRY(cli_timeline_read(cli, row->assignment, false, &timeline));
	count = cli_timeline_count(timeline);
	fprintf(cli->out, "Assignment %lld: %s\n", (long long)row->assignment->id,
		subject ? text_one_line(cli->mem, subject, SUBJECT_MAX_CHARS) : "(no subject)");
	print_row(plan, row, parent);
	FAULT_TRY(left_out_text(cli, row));
	if (booked_count)
		print_bookings(cli, booked, booked_count);
	if (!count)
		return NULL;
	skip = count > LAST_CHANGES ? count - LAST_CHANGES : 0;
	if (skip)
		fprintf(cli->out, "\nLast changes (all: taskferry history %lld)\n",
			(long long)row->assignment->id);
	else
		fprintf(cli->out, "\nChanges\n");
	cli_timeline_print(cli, timeline, skip);
	return NULL;
}

struct fault *cmd_task_show(struct cli *cli)
{
	struct assignment *assignment = NULL;
	struct cli_view *view = NULL;
	struct plan plan = { .cli = cli };
	struct row row;

	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	FAULT_TRY(cli_view_new(cli, &view));
	if (!cli_view_project(view, assignment->project_id))
		return fault_new(cli->mem, FAULT_INTERNAL, "assignment %s is in no project",
				 cli->args[0]);
	FAULT_TRY(plan_read(cli, view, cli_view_project(view, assignment->project_id), &plan));
	FAULT_TRY(row_read(&plan, cli->mem, assignment, &row));
	if (!cli_has(cli, "--json"))
		return show_text(&plan, &row);
	return show_json(&plan, &row);
}
