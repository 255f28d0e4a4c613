#include "config.h"

#include "mappers/mspdi_private.h"

#include <stdlib.h>

/* Joins by UID what the file said, at its end, for nothing promises the order of its parts.
 *
 * 1. UIDs are looked up in sorted lists; of two tasks or resources with one UID the first counts, a
 * kept one before a skipped one.
 * 2. An assignment whose task or resource was skipped by rule is skipped; one that names something
 * unknown is skipped with a warning.
 * 3. Every other assignment stays, also a second one of the same task and resource: it is another
 * element with a UID of its own. Only one with the same UID, task and resource as an earlier one is
 * that one again. A UID used for different pairs tells nothing: the later ones have no key.
 * 4. Percent is the work's where there is work, else the task's (a milestone has no work). Status
 * follows from it.
 */

/* ResourceUIDs of assignments to nobody. */
#define UID_NONE 0
#define UID_UNASSIGNED (-65535)

static int order(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int order_uids(const void *a, const void *b)
{
	const struct mspdi_uid *x = a, *y = b;
	int rc = order(x->uid, y->uid);

	if (!rc)
		rc = order(x->skipped, y->skipped);
	return rc ? rc : order((int64_t)x->place, (int64_t)y->place);
}

static void sort_uids(struct mspdi_uids *uids)
{
	if (uids->count)
		qsort(uids->list, uids->count, sizeof(*uids->list), order_uids);
}

/* The first entry of UID; NULL when the file has none. */
static const struct mspdi_uid *find_uid(const struct mspdi_uids *uids, int64_t uid)
{
	size_t low = 0, high = uids->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (uids->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < uids->count && uids->list[low].uid == uid ? &uids->list[low] : NULL;
}

/* The place of a kept one. */
static bool find_place(const struct mspdi_uids *uids, int64_t uid, size_t *place_r)
{
	const struct mspdi_uid *entry = find_uid(uids, uid);

	if (!entry || entry->skipped)
		return false;
	*place_r = entry->place;
	return true;
}

/* ---- tasks ---- */

static void link_predecessors(struct mspdi_plan *plan, struct mspdi_task *task)
{
	struct buf *keys = buf_new(plan);
	size_t place;

	for (size_t i = 0; i < task->link_count; i++) {
		int64_t uid = plan->links[task->link_first + i];

		if (uid != task->uid && find_place(&plan->task_uids, uid, &place))
			buf_printf(keys, "%s\n", plan->tasks[place].out.key);
		else
			mspdi_plan_warn(plan, task->out.line, "Task %s: predecessor %lld %s",
					task->out.key, (long long)uid,
					uid == task->uid ? "is itself; dropped"
							 : "is unknown; dropped");
	}
	if (keys->len)
		vector_list(task->out.values, FIELD_predecessors, keys->data);
	talloc_free(keys);
}

static void link_tasks(struct mspdi_plan *plan)
{
	struct projfile *file = plan->file;
	size_t place;

	file->tasks = MEM_ARRAY(file, struct projfile_task, plan->task_count);
	for (size_t i = 0; i < plan->task_count; i++) {
		struct mspdi_task *task = &plan->tasks[i];

		if (!find_place(&plan->task_uids, task->uid, &place) || place != i) {
			mspdi_plan_warn(plan, task->out.line, "Task %s again: the first one counts",
					task->out.key);
			file->skipped_tasks++;
			continue;
		}
		if (task->has_parent && find_place(&plan->task_uids, task->parent_uid, &place))
			task->out.parent_key = plan->tasks[place].out.key;
		link_predecessors(plan, task);
		file->tasks[file->task_count++] = task->out;
	}
}

/* ---- resources ---- */

static void link_resources(struct mspdi_plan *plan)
{
	struct projfile *file = plan->file;
	size_t place;

	file->resources = MEM_ARRAY(file, struct projfile_resource, plan->resource_count);
	for (size_t i = 0; i < plan->resource_count; i++) {
		const struct mspdi_resource *resource = &plan->resources[i];

		if (find_place(&plan->resource_uids, resource->uid, &place) && place == i) {
			file->resources[file->resource_count++] = resource->out;
			continue;
		}
		mspdi_plan_warn(plan, resource->out.line, "Resource %s again: the first one counts",
				resource->out.key);
		file->skipped_resources++;
	}
}

/* ---- assignments ---- */

static int order_pairs(const struct mspdi_assignment *x, const struct mspdi_assignment *y)
{
	int rc = order(x->task_uid, y->task_uid);

	return rc ? rc : order(x->resource_uid, y->resource_uid);
}

static int order_keys(const struct mspdi_assignment *x, const struct mspdi_assignment *y)
{
	int rc = order(x->has_uid, y->has_uid);

	return rc ? rc : order(x->uid, y->uid);
}

/* What is the same is ordered by its place in the file, which is that in memory. */
static int order_places(const struct mspdi_assignment *x, const struct mspdi_assignment *y)
{
	return x < y ? -1 : x > y;
}

static int by_pair(const void *a, const void *b)
{
	const struct mspdi_assignment *x = *(struct mspdi_assignment *const *)a;
	const struct mspdi_assignment *y = *(struct mspdi_assignment *const *)b;
	int rc = order_pairs(x, y);

	return rc ? rc : order_places(x, y);
}

static int by_key(const void *a, const void *b)
{
	const struct mspdi_assignment *x = *(struct mspdi_assignment *const *)a;
	const struct mspdi_assignment *y = *(struct mspdi_assignment *const *)b;
	int rc = order_keys(x, y);

	return rc ? rc : order_places(x, y);
}

static int by_key_and_pair(const void *a, const void *b)
{
	const struct mspdi_assignment *x = *(struct mspdi_assignment *const *)a;
	const struct mspdi_assignment *y = *(struct mspdi_assignment *const *)b;
	int rc = order_keys(x, y);

	return rc ? rc : by_pair(a, b);
}

/* False: skipped. */
static bool link_pair(struct mspdi_plan *plan, struct mspdi_assignment *assignment)
{
	const struct mspdi_uid *task = find_uid(&plan->task_uids, assignment->task_uid);
	const struct mspdi_uid *resource = find_uid(&plan->resource_uids, assignment->resource_uid);
	bool nobody = assignment->resource_uid == UID_NONE ||
		      assignment->resource_uid == UID_UNASSIGNED;

	if (nobody || (task && task->skipped) || (task && resource && resource->skipped))
		return false;
	if (!task || !resource) {
		mspdi_plan_warn(
			plan, assignment->out.line,
			"Assignment %s of the unknown %s %lld was skipped",
			assignment->out.key ? assignment->out.key : "without UID",
			task ? "Resource" : "Task",
			(long long)(task ? assignment->resource_uid : assignment->task_uid));
		return false;
	}
	assignment->out.task_key = plan->tasks[task->place].out.key;
	assignment->out.resource_key = plan->resources[resource->place].out.key;
	return true;
}

/* Marks what stands in the file again (3). LIST holds the COUNT assignments that stay. */
static void mark_again(struct mspdi_assignment **list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), by_key_and_pair);
	for (size_t i = 1; i < count; i++)
		list[i]->again = list[i]->has_uid && order_keys(list[i - 1], list[i]) == 0 &&
				 order_pairs(list[i - 1], list[i]) == 0;
	for (size_t i = 0; i < count; i++)
		if (!list[i]->again)
			list[kept++] = list[i];
	qsort(list, kept, sizeof(*list), by_key);
	for (size_t i = 1; i < kept; i++)
		list[i]->same_uid = list[i]->has_uid && order_keys(list[i - 1], list[i]) == 0;
	qsort(list, kept, sizeof(*list), by_pair);
	for (size_t i = 1; i < kept; i++)
		list[i]->same_pair = order_pairs(list[i - 1], list[i]) == 0;
}

static void warn_again(struct mspdi_plan *plan, struct mspdi_assignment *assignment)
{
	struct projfile_assignment *out = &assignment->out;

	if (assignment->again)
		mspdi_plan_warn(plan, out->line, "Assignment %s again: the first one counts",
				out->key);
	if (assignment->same_pair)
		mspdi_plan_warn(
			plan, out->line, "Assignment %s: Task %s and Resource %s have one already",
			out->key ? out->key : "without UID", out->task_key, out->resource_key);
	if (assignment->same_uid) {
		mspdi_plan_warn(plan, out->line, "Assignment %s: this UID was used for another one",
				out->key);
		out->key = NULL;
	}
}

static enum status status_of(int64_t percent)
{
	return percent >= 100 ? STATUS_COMPLETED
	       : percent > 0  ? STATUS_IN_PROCESS
			      : STATUS_NEEDS_ACTION;
}

/* What the assignment does not say itself its task says (4). */
static void link_values(const struct mspdi_task *task, struct mspdi_assignment *assignment)
{
	struct vector *values = assignment->out.values;
	int64_t percent = assignment->has_work_percent ? assignment->percent : task->percent;

	if (!vector_is_set(values, FIELD_start) && task->out.has_start)
		vector_when(values, FIELD_start, task->out.start);
	if (!vector_is_set(values, FIELD_due) && task->out.has_finish)
		vector_when(values, FIELD_due, task->out.finish);
	if (percent == MSPDI_NO_PERCENT)
		percent = assignment->percent;
	if (percent == MSPDI_NO_PERCENT)
		return;
	vector_number(values, FIELD_percent, percent);
	vector_number(values, FIELD_status, status_of(percent));
	if (percent >= 100 && assignment->actual_finish.set)
		vector_when(values, FIELD_completed_at, assignment->actual_finish.when);
	else if (percent >= 100 && task->actual_finish.set)
		vector_when(values, FIELD_completed_at, task->actual_finish.when);
}

static void link_assignments(struct mspdi_plan *plan)
{
	struct projfile *file = plan->file;
	struct mspdi_assignment **list =
		MEM_ARRAY(plan, struct mspdi_assignment *, plan->assignment_count);
	size_t count = 0, place;

	for (size_t i = 0; i < plan->assignment_count; i++)
		if (link_pair(plan, &plan->assignments[i]))
			list[count++] = &plan->assignments[i];
		else
			plan->assignments[i].skipped = true;
	mark_again(list, count);
	file->assignments = MEM_ARRAY(file, struct projfile_assignment, count);
	for (size_t i = 0; i < plan->assignment_count; i++) {
		struct mspdi_assignment *assignment = &plan->assignments[i];

		if (!assignment->skipped)
			warn_again(plan, assignment);
		if (assignment->skipped || assignment->again) {
			file->skipped_assignments++;
			continue;
		}
		if (find_place(&plan->task_uids, assignment->task_uid, &place))
			link_values(&plan->tasks[place], assignment);
		file->assignments[file->assignment_count++] = assignment->out;
	}
}

static void link_warnings(struct mspdi_plan *plan)
{
	struct projfile *file = plan->file;

	if (!plan->warnings_more)
		return;
	file->warnings[file->warning_count - 1] =
		mem_printf(file, "%s: and %zu more warnings", plan->name, plan->warnings_more + 1);
}

struct projfile *mspdi_link(TALLOC_CTX *mem, struct mspdi_plan *plan)
{
	sort_uids(&plan->task_uids);
	sort_uids(&plan->resource_uids);
	link_tasks(plan);
	link_resources(plan);
	link_assignments(plan);
	link_warnings(plan);
	return talloc_steal(mem, plan->file);
}
