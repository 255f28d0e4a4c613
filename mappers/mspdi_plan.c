#include "config.h"

#include "mappers/mspdi_private.h"

#include <string.h>

#include "base/text.h"
#include "model/effort.h"

/* From rows to the plan's tasks, resources and assignments.
 *
 * What a row says is taken as it is. What it says in a form that nobody can read (a broken date) is
 * absent and a warning; a number beyond its range is moved to the range's end with a warning, for
 * absent would mean 0 per cent. Skipped by rule (DESIGN section 10): blank rows (IsNull), UID 0,
 * resources that are not people. What has no UID at all cannot be told from others: skipped with a
 * warning. Inactive tasks (Active) stay, as they are.
 *
 * A parent is the nearest row above with a lower OutlineLevel; OutlineNumber only cross-checks it.
 */

#define QUOTE_CHARS 60 /* of a value in a warning */
#define PERCENT_MAX 100
#define PRIORITY_TOP 1000

/* The children that each context takes; the UID is always the first. */
#define PROJECT_TEXTS(X) X(Name) X(Title) X(GUID)
#define TASK_TEXTS(X)                                                                              \
	X(UID) X(Name) X(IsNull) X(OutlineNumber) X(OutlineLevel) X(Priority) X(Start) X(Finish)   \
	X(Milestone) X(Summary) X(PercentComplete) X(ActualFinish) X(Deadline) X(Notes)
#define LINK_TEXTS(X) X(PredecessorUID)
#define RESOURCE_TEXTS(X) X(UID) X(Name) X(Type) X(IsNull) X(EmailAddress) X(IsCostResource)
#define ASSIGNMENT_TEXTS(X)                                                                        \
	X(UID) X(TaskUID) X(ResourceUID) X(PercentWorkComplete) X(ActualFinish) X(ActualWork)      \
	X(Finish) X(Notes) X(RemainingWork) X(Start) X(Work)

#define NAME(name) #name,
#define PROJECT_SLOT(name) PROJECT_##name,
#define TASK_SLOT(name) TASK_##name,
#define LINK_SLOT(name) LINK_##name,
#define RESOURCE_SLOT(name) RESOURCE_##name,
#define ASSIGNMENT_SLOT(name) ASSIGNMENT_##name,

enum { PROJECT_TEXTS(PROJECT_SLOT) PROJECT_COUNT };
enum { TASK_TEXTS(TASK_SLOT) TASK_COUNT };
enum { LINK_TEXTS(LINK_SLOT) LINK_COUNT };
enum { RESOURCE_TEXTS(RESOURCE_SLOT) RESOURCE_COUNT };
enum { ASSIGNMENT_TEXTS(ASSIGNMENT_SLOT) ASSIGNMENT_COUNT };

#define UID 0 /* the slot of every row's own UID */

static const char *const project_texts[] = { PROJECT_TEXTS(NAME) };
static const char *const task_texts[] = { TASK_TEXTS(NAME) };
static const char *const link_texts[] = { LINK_TEXTS(NAME) };
static const char *const resource_texts[] = { RESOURCE_TEXTS(NAME) };
static const char *const assignment_texts[] = { ASSIGNMENT_TEXTS(NAME) };

_Static_assert(COUNT_OF(project_texts) == PROJECT_COUNT, "one name per slot");
_Static_assert(COUNT_OF(task_texts) == TASK_COUNT && TASK_UID == UID, "one name per slot");
_Static_assert(COUNT_OF(link_texts) == LINK_COUNT, "one name per slot");
_Static_assert(COUNT_OF(resource_texts) == RESOURCE_COUNT && RESOURCE_UID == UID,
	       "one name per slot");
_Static_assert(COUNT_OF(assignment_texts) == ASSIGNMENT_COUNT && ASSIGNMENT_UID == UID,
	       "one name per slot");
_Static_assert(TASK_COUNT <= MSPDI_TEXTS_MAX && ASSIGNMENT_COUNT <= MSPDI_TEXTS_MAX,
	       "a row holds them all");

/* Resource/Type; absent in files of 2002 and 2003 for people. */
#define TYPE_MATERIAL 0
#define TYPE_WORK 1
#define TYPE_COST 2

/* ---- the plan ---- */

struct mspdi_plan *mspdi_plan_new(TALLOC_CTX *mem, const char *name)
{
	struct mspdi_plan *plan = MEM_NEW(mem, struct mspdi_plan);

	plan->mem = mem;
	plan->name = mem_strdup(plan, name);
	plan->file = MEM_NEW(plan, struct projfile);
	return plan;
}

void *mspdi_plan_room(TALLOC_CTX *mem, void *array, size_t element, size_t count, size_t *size)
{
	char *bytes = array;
	size_t n;

	if (count == *size) {
		*size = *size ? *size * 2 : 16;
		n = *size * element;
		bytes = MEM_GROW(mem, bytes, char, n);
	}
	memset(bytes + count * element, 0, element);
	return bytes;
}

void mspdi_plan_warn(struct mspdi_plan *plan, long line, const char *fmt, ...)
{
	struct projfile *file = plan->file;
	char *text, *whole;
	va_list ap;

	if (file->warning_count >= MSPDI_WARNINGS_MAX) {
		plan->warnings_more++;
		return;
	}
	va_start(ap, fmt);
	text = mem_vprintf(file, fmt, ap);
	va_end(ap);
	whole = mem_printf(file, "%s:%ld: %s", plan->name, line, text);
	talloc_free(text);
	file->warnings = mspdi_plan_room(file, file->warnings, sizeof(*file->warnings),
					 file->warning_count, &plan->warnings_size);
	file->warnings[file->warning_count++] = whole;
}

/* "plan.xml:12: Task 5: Start '2008-12-04T17:-0:00' is no date" */
static void warn_value(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot,
		       const char *what)
{
	const char *uid = mspdi_row_text(row, UID), *value = mspdi_row_text(row, slot);
	TALLOC_CTX *work = MEM_CONTEXT(plan);

	mspdi_plan_warn(plan, row->line, "%s %s: %s '%s' %s", row->context->name,
			uid ? text_one_line(work, uid, QUOTE_CHARS) : "without UID",
			row->context->texts[slot],
			value ? text_one_line(work, value, QUOTE_CHARS) : "", what);
	talloc_free(work);
}

/* Counts a task, resource or assignment against the bound of the file. */
static struct fault *count_row(struct mspdi_plan *plan, const struct mspdi_row *row, size_t count)
{
	if (count < MSPDI_TASKS_MAX)
		return NULL;
	return fault_new(plan->mem, FAULT_DATA, "%s:%ld: more than %zu elements %s", plan->name,
			 row->line, MSPDI_TASKS_MAX, row->context->name);
}

/* ---- single values of a row; each warns of what it cannot read ---- */

static bool has_text(const struct mspdi_row *row, size_t slot)
{
	const char *text = mspdi_row_text(row, slot);

	return text && text[strspn(text, " \t\r\n")] != '\0';
}

static bool row_number(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot,
		       int64_t *number_r)
{
	char *text;
	bool ok;

	if (!has_text(row, slot))
		return false;
	text = text_trim(plan, mspdi_row_text(row, slot));
	ok = text_to_int(text, number_r);
	talloc_free(text);
	if (!ok)
		warn_value(plan, row, slot, "is no whole number");
	return ok;
}

static bool row_number_to(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot,
			  int64_t max, int64_t *number_r)
{
	int64_t number;

	if (!row_number(plan, row, slot, &number))
		return false;
	if (number < 0 || number > max)
		warn_value(plan, row, slot, "is out of range");
	*number_r = number < 0 ? 0 : number > max ? max : number;
	return true;
}

static bool row_flag(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot,
		     bool *flag_r)
{
	char *text;
	bool ok;

	if (!has_text(row, slot))
		return false;
	text = text_trim(plan, mspdi_row_text(row, slot));
	ok = mspdi_value_flag(text, flag_r);
	talloc_free(text);
	if (!ok)
		warn_value(plan, row, slot, "is neither 0 nor 1");
	return ok;
}

static bool row_is(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot)
{
	bool flag = false;

	return row_flag(plan, row, slot, &flag) && flag;
}

static struct mspdi_when row_when(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot)
{
	const char *text = mspdi_row_text(row, slot);
	struct mspdi_when when = { .set = false };

	if (text && !mspdi_value_when(text, &when))
		warn_value(plan, row, slot, "is no date");
	return when;
}

static bool row_effort(struct mspdi_plan *plan, const struct mspdi_row *row, size_t slot,
		       int64_t *minutes_r)
{
	char *text;
	bool ok;

	if (!has_text(row, slot))
		return false;
	text = text_trim(plan, mspdi_row_text(row, slot));
	ok = effort_from_iso(text, minutes_r);
	talloc_free(text);
	if (!ok)
		warn_value(plan, row, slot, "is no effort");
	return ok;
}

/* A name as one line of at most SUBJECT_MAX_CHARS; NULL when there is none. */
static char *row_name(TALLOC_CTX *mem, struct mspdi_plan *plan, const struct mspdi_row *row,
		      size_t slot)
{
	char *text, *line;

	if (!has_text(row, slot))
		return NULL;
	text = text_trim(plan, mspdi_row_text(row, slot));
	if (text_length(text) > SUBJECT_MAX_CHARS)
		warn_value(plan, row, slot, "is too long and was cut");
	line = text_one_line(mem, text, SUBJECT_MAX_CHARS);
	talloc_free(text);
	return line;
}

static void put_flag(struct vector *values, enum field field, struct mspdi_plan *plan,
		     const struct mspdi_row *row, size_t slot)
{
	bool flag;

	if (row_flag(plan, row, slot, &flag))
		vector_number(values, field, flag);
}

static void put_when(struct vector *values, enum field field, struct mspdi_when when)
{
	if (when.set)
		vector_when(values, field, when.when);
}

static void put_effort(struct vector *values, enum field field, struct mspdi_plan *plan,
		       const struct mspdi_row *row, size_t slot)
{
	int64_t minutes;

	if (row_effort(plan, row, slot, &minutes))
		vector_number(values, field, minutes);
}

static void put_lines(struct vector *values, enum field field, struct mspdi_plan *plan,
		      const struct mspdi_row *row, size_t slot)
{
	const char *text = mspdi_row_text(row, slot);
	char *lines;

	if (!text)
		return;
	lines = mspdi_value_lines(plan, text);
	vector_text(values, field, lines);
	talloc_free(lines);
}

static void add_uid(struct mspdi_plan *plan, struct mspdi_uids *uids, int64_t uid, bool skipped,
		    size_t place)
{
	struct mspdi_uid *entry;

	uids->list =
		mspdi_plan_room(plan, uids->list, sizeof(*uids->list), uids->count, &uids->size);
	entry = &uids->list[uids->count++];
	entry->uid = uid;
	entry->skipped = skipped;
	entry->place = place;
}

/* ---- Project ---- */

static struct fault *project_done(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	struct projfile *file = plan->file;
	char *name = row_name(file, plan, row, PROJECT_Name);
	size_t len = name ? strlen(name) : 0;

	if (len > 4 && text_equal_nocase(name + len - 4, ".xml"))
		name[len - 4] = '\0';
	file->name = name;
	file->title = row_name(file, plan, row, PROJECT_Title);
	file->guid = row_name(file, plan, row, PROJECT_GUID);
	if (file->guid && file->guid[strspn(file->guid, "{}0-")] == '\0')
		file->guid = NULL; /* all zeros: a program that has none */
	return NULL;
}

/* ---- Task ---- */

static struct mspdi_outline *outline_top(struct mspdi_plan *plan)
{
	return plan->outline_count ? &plan->outline[plan->outline_count - 1] : NULL;
}

/* The OutlineNumber of a child is its parent's and one number more. (Those on top are not looked
 * at: some programs number them below the project's own row.) */
static bool number_fits(const char *number, const struct mspdi_outline *parent)
{
	size_t len = strlen(parent->number);

	return strncmp(number, parent->number, len) == 0 && number[len] == '.' &&
	       !strchr(number + len + 1, '.');
}

static int64_t row_level(struct mspdi_plan *plan, const struct mspdi_row *row, const char *number)
{
	int64_t level = 1;

	if (row_number(plan, row, TASK_OutlineLevel, &level) || !number)
		return level;
	for (const char *c = number; *c; c++)
		level += *c == '.';
	return level;
}

/* Finds the parent and opens the task as a parent of what follows. */
static void outline_place(struct mspdi_plan *plan, const struct mspdi_row *row,
			  struct mspdi_task *task)
{
	char *number = has_text(row, TASK_OutlineNumber)
			       ? text_trim(plan, mspdi_row_text(row, TASK_OutlineNumber))
			       : NULL;
	int64_t level = row_level(plan, row, number);
	struct mspdi_outline *top;

	while ((top = outline_top(plan)) != NULL && top->level >= level) {
		talloc_free(top->number);
		plan->outline_count--;
	}
	task->has_parent = top != NULL;
	task->parent_uid = top ? top->uid : 0;
	if (number && top && top->number && level == top->level + 1 && !number_fits(number, top))
		warn_value(plan, row, TASK_OutlineNumber,
			   "does not fit the OutlineLevel, which counts");
	plan->outline = mspdi_plan_room(plan, plan->outline, sizeof(*plan->outline),
					plan->outline_count, &plan->outline_size);
	top = &plan->outline[plan->outline_count++];
	top->level = level;
	top->uid = task->uid;
	top->number = number;
}

static void task_values(struct mspdi_plan *plan, const struct mspdi_row *row,
			struct mspdi_task *task)
{
	struct vector *values = vector_new(plan->file);
	char *name = row_name(plan, plan, row, TASK_Name);
	struct mspdi_when start = row_when(plan, row, TASK_Start),
			  finish = row_when(plan, row, TASK_Finish);
	int64_t priority;

	if (!name)
		name = mem_printf(plan, "(task %lld)", (long long)task->uid);
	vector_text(values, FIELD_subject, name);
	talloc_free(name);
	put_when(values, FIELD_deadline, row_when(plan, row, TASK_Deadline));
	if (row_number_to(plan, row, TASK_Priority, PRIORITY_TOP, &priority))
		vector_number(values, FIELD_priority, mspdi_value_priority(priority));
	put_flag(values, FIELD_milestone, plan, row, TASK_Milestone);
	put_flag(values, FIELD_summary, plan, row, TASK_Summary);
	put_lines(values, FIELD_description, plan, row, TASK_Notes);
	task->out.values = values;
	task->out.start = start.when;
	task->out.has_start = start.set;
	task->out.finish = finish.when;
	task->out.has_finish = finish.set;
}

static struct mspdi_task *task_new(struct mspdi_plan *plan, const struct mspdi_row *row,
				   int64_t uid)
{
	struct mspdi_task *task;

	plan->tasks = mspdi_plan_room(plan, plan->tasks, sizeof(*plan->tasks), plan->task_count,
				      &plan->task_size);
	task = &plan->tasks[plan->task_count++];
	task->uid = uid;
	task->out.key = mem_printf(plan->file, "%lld", (long long)uid);
	task->out.line = row->line;
	task->percent = MSPDI_NO_PERCENT;
	return task;
}

static struct fault *task_done(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	size_t link_first = plan->link_taken;
	struct mspdi_task *task;
	int64_t uid;
	bool known;

	FAULT_TRY(count_row(plan, row, plan->task_uids.count));
	plan->link_taken = plan->link_count;
	known = row_number(plan, row, UID, &uid);
	if (!known || uid == 0 || row_is(plan, row, TASK_IsNull)) {
		plan->file->skipped_tasks++;
		if (known)
			add_uid(plan, &plan->task_uids, uid, true, 0);
		else
			warn_value(plan, row, TASK_Name, "was skipped");
		return NULL;
	}
	add_uid(plan, &plan->task_uids, uid, false, plan->task_count);
	task = task_new(plan, row, uid);
	task->link_first = link_first;
	task->link_count = plan->link_count - link_first;
	(void)row_number_to(plan, row, TASK_PercentComplete, PERCENT_MAX, &task->percent);
	task->actual_finish = row_when(plan, row, TASK_ActualFinish);
	outline_place(plan, row, task);
	task_values(plan, row, task);
	return NULL;
}

/* Runs inside of a Task, before its task_done(). */
static struct fault *link_done(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	int64_t uid;

	if (!row_number(plan, row, LINK_PredecessorUID, &uid))
		return NULL;
	if (plan->link_count >= MSPDI_LINKS_MAX)
		return fault_new(plan->mem, FAULT_DATA, "%s:%ld: more than %zu elements %s",
				 plan->name, row->line, MSPDI_LINKS_MAX, row->context->name);
	plan->links = mspdi_plan_room(plan, plan->links, sizeof(*plan->links), plan->link_count,
				      &plan->link_size);
	plan->links[plan->link_count++] = uid;
	return NULL;
}

/* ---- Resource ---- */

static bool is_person(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	int64_t type = TYPE_WORK;

	if (row_number(plan, row, RESOURCE_Type, &type) &&
	    (type < TYPE_MATERIAL || type > TYPE_COST))
		warn_value(plan, row, RESOURCE_Type, "is unknown; taken for a person");
	return type != TYPE_MATERIAL && type != TYPE_COST &&
	       !row_is(plan, row, RESOURCE_IsCostResource) && !row_is(plan, row, RESOURCE_IsNull);
}

static char *row_address(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	char *text, *address;

	if (!has_text(row, RESOURCE_EmailAddress))
		return NULL;
	text = text_trim(plan, mspdi_row_text(row, RESOURCE_EmailAddress));
	address = text_lower(plan->file, text);
	talloc_free(text);
	if (text_is_address(address))
		return address;
	warn_value(plan, row, RESOURCE_EmailAddress, "is no address that we accept");
	talloc_free(address);
	return NULL;
}

static struct fault *resource_done(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	struct mspdi_resource *resource;
	int64_t uid;
	bool known;

	FAULT_TRY(count_row(plan, row, plan->resource_uids.count));
	known = row_number(plan, row, UID, &uid);
	if (!known || uid == 0 || !is_person(plan, row)) {
		plan->file->skipped_resources++;
		if (known)
			add_uid(plan, &plan->resource_uids, uid, true, 0);
		else
			warn_value(plan, row, RESOURCE_Name, "was skipped");
		return NULL;
	}
	add_uid(plan, &plan->resource_uids, uid, false, plan->resource_count);
	plan->resources = mspdi_plan_room(plan, plan->resources, sizeof(*plan->resources),
					  plan->resource_count, &plan->resource_size);
	resource = &plan->resources[plan->resource_count++];
	resource->uid = uid;
	resource->out.key = mem_printf(plan->file, "%lld", (long long)uid);
	resource->out.name = row_name(plan->file, plan, row, RESOURCE_Name);
	resource->out.email = row_address(plan, row);
	resource->out.line = row->line;
	return NULL;
}

/* ---- Assignment ---- */

static void assignment_values(struct mspdi_plan *plan, const struct mspdi_row *row,
			      struct mspdi_assignment *assignment)
{
	struct vector *values = vector_new(plan->file);

	put_when(values, FIELD_start, row_when(plan, row, ASSIGNMENT_Start));
	put_when(values, FIELD_due, row_when(plan, row, ASSIGNMENT_Finish));
	put_effort(values, FIELD_total_work, plan, row, ASSIGNMENT_Work);
	put_effort(values, FIELD_actual_work, plan, row, ASSIGNMENT_ActualWork);
	put_effort(values, FIELD_remaining_work, plan, row, ASSIGNMENT_RemainingWork);
	put_lines(values, FIELD_notes, plan, row, ASSIGNMENT_Notes);
	assignment->out.values = values;
	assignment->percent = MSPDI_NO_PERCENT;
	assignment->has_work_percent = row_number_to(plan, row, ASSIGNMENT_PercentWorkComplete,
						     PERCENT_MAX, &assignment->percent) &&
				       vector_get(values, FIELD_total_work, 1) != 0;
	assignment->actual_finish = row_when(plan, row, ASSIGNMENT_ActualFinish);
}

static struct fault *assignment_done(struct mspdi_plan *plan, const struct mspdi_row *row)
{
	struct mspdi_assignment assignment = { .out.line = row->line };

	FAULT_TRY(count_row(plan, row, plan->assignment_count));
	assignment.has_uid = row_number(plan, row, UID, &assignment.uid);
	if (!row_number(plan, row, ASSIGNMENT_TaskUID, &assignment.task_uid) ||
	    !row_number(plan, row, ASSIGNMENT_ResourceUID, &assignment.resource_uid)) {
		mspdi_plan_warn(plan, row->line,
				"an assignment without task or resource was skipped");
		plan->file->skipped_assignments++;
		return NULL;
	}
	if (assignment.has_uid)
		assignment.out.key = mem_printf(plan->file, "%lld", (long long)assignment.uid);
	assignment_values(plan, row, &assignment);
	plan->assignments = mspdi_plan_room(plan, plan->assignments, sizeof(*plan->assignments),
					    plan->assignment_count, &plan->assignment_size);
	plan->assignments[plan->assignment_count++] = assignment;
	return NULL;
}

/* ---- the table of contexts ---- */

#define CHILDREN(name) .children = name, .child_count = COUNT_OF(name)
#define TEXTS(name) .texts = name, .text_count = COUNT_OF(name)

static const struct mspdi_context link_context = { .name = "PredecessorLink",
						   TEXTS(link_texts),
						   .done = link_done };

static const struct mspdi_context *const in_task[] = { &link_context };
static const struct mspdi_context task_context = {
	.name = "Task", TEXTS(task_texts), CHILDREN(in_task), .done = task_done
};
static const struct mspdi_context resource_context = { .name = "Resource",
						       TEXTS(resource_texts),
						       .done = resource_done };
static const struct mspdi_context assignment_context = { .name = "Assignment",
							 TEXTS(assignment_texts),
							 .done = assignment_done };

static const struct mspdi_context *const in_tasks[] = { &task_context };
static const struct mspdi_context *const in_resources[] = { &resource_context };
static const struct mspdi_context *const in_assignments[] = { &assignment_context };
static const struct mspdi_context tasks_context = { .name = "Tasks", CHILDREN(in_tasks) };
static const struct mspdi_context resources_context = { .name = "Resources",
							CHILDREN(in_resources) };
static const struct mspdi_context assignments_context = { .name = "Assignments",
							  CHILDREN(in_assignments) };

static const struct mspdi_context *const in_project[] = { &tasks_context, &resources_context,
							  &assignments_context };
const struct mspdi_context mspdi_plan_root = {
	.name = "Project", TEXTS(project_texts), CHILDREN(in_project), .done = project_done
};
