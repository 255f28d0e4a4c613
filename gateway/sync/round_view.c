/* round_view.c - what a decision has to know of an assignment, read inside the transaction that
 * decides. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "gateway/sync/context.h"
#include "store/sheet.h"

#define ANCESTORS_MAX                                                                              \
	32 /* levels; Project allows 65,535, people stop at 10; also ends a circle in broken data  \
	    */

struct round_views {
	int64_t seq;		/* of the project's last change when they were read */
	struct assignment_view *list; /* as they were decided on */
	size_t count, next;
	struct sheet *sheet; /* what was read ahead, while its transaction lasts; NULL: nothing */
	struct link **made;  /* with them */
	size_t made_count, made_taken;
};

static struct sheet_row *read_ahead(const struct round *round, int64_t assignment)
{
	return round->views && round->views->sheet ? sheet_find(round->views->sheet, assignment)
						   : NULL;
}

/* The UID of the nearest task above this one that the same person has an item of. */
static struct fault *parent_uid(struct round *round, TALLOC_CTX *mem,
				const struct assignment *assignment, const struct stamped *stamped,
				const char **uid_r)
{
	struct store *store = round->env->store;
	const char *key = vector_str(stamped->values, FIELD_parent);

	for (int level = 0; key && level < ANCESTORS_MAX; level++) {
		struct assignment *others = NULL;
		struct stamped *above = NULL;
		struct task *task = NULL;
		size_t count = 0;

		FAULT_TRY(project_task_by_key(store, mem, assignment->project_id, key, &task));
		if (!task || task->id == assignment->task_id)
			break;
		FAULT_TRY(project_assignments_of_task(store, mem, task->id, assignment->resource_id,
						      &others, &count));
		if (count && others[0].state == ASSIGNMENT_ACTIVE) {
			*uid_r = others[0].uid;
			return NULL;
		}
		FAULT_TRY(project_task_values(store, mem, task->id, &above));
		key = vector_str(above->values, FIELD_parent);
	}
	*uid_r = NULL;
	return NULL;
}

/* Whose assignment it is; NULL: nobody's. */
static struct fault *assignee(struct round *round, TALLOC_CTX *mem,
			      const struct assignment *assignment, struct resource **resource_r)
{
	if (assignment->resource_id != round->resource->id)
		return project_resource(round->env->store, mem, assignment->resource_id,
					resource_r);
	*resource_r = round->resource;
	return NULL;
}

/* The assignment, its task and their values. */
static struct fault *read_rows(struct round *round, TALLOC_CTX *mem, int64_t assignment,
			       struct assignment_view *view)
{
	struct sheet_row *row = read_ahead(round, assignment);
	struct store *store = round->env->store;

	if (row) {
		view->assignment = &row->assignment;
		view->stamped = row->stamped;
		view->task = &row->task;
		return NULL;
	}
	FAULT_TRY(project_assignment(store, mem, assignment, &view->assignment));
	if (!view->assignment)
		return fault_new(mem, FAULT_INTERNAL, "assignment %lld is not there",
				 (long long)assignment);
	FAULT_TRY(project_values(store, mem, view->assignment, &view->stamped));
	return project_task(store, mem, view->assignment->task_id, &view->task);
}

struct fault *round_view(struct round *round, TALLOC_CTX *mem, int64_t assignment,
			 struct assignment_view *view_r)
{
	struct assignment_view view = { .assignment = NULL };
	struct resource *resource = NULL;

	FAULT_TRY(read_rows(round, mem, assignment, &view));
	FAULT_TRY(assignee(round, mem, view.assignment, &resource));
	FAULT_TRY(parent_uid(round, mem, view.assignment, view.stamped, &view.parent_uid));
	if (!view.task || !resource)
		return fault_new(mem, FAULT_INTERNAL, "assignment %lld lacks its task or person",
				 (long long)assignment);
	view.context = context_make(mem,
				    &(struct context_of){ .conf = round->env->conf,
							  .store = round->env->store,
							  .clock = round->env->clock,
							  .project = round->project,
							  .resource = resource,
							  .task = view.task,
							  .values = view.stamped->values },
				    "mailbox", round->resource->key);
	*view_r = view;
	return NULL;
}

/* ---- kept from the decision to the composition ---- */

struct fault *round_views_begin(struct round *round, TALLOC_CTX **mem_r)
{
	struct round_views *views = MEM_NEW(round->mem, struct round_views);

	TALLOC_FREE(round->views);
	FAULT_TRY(store_change_last(round->env->store, &views->seq));
	round->views = views;
	*mem_r = views;
	return NULL;
}

struct fault *round_views_ahead(struct round *round, const int64_t *ids, size_t count)
{
	struct sheet_of of = { .project = round->project->id,
			       .resource = round->resource->id,
			       .folder = round->folder->id,
			       .first = ids[0],
			       .last = ids[0] };

	for (size_t i = 0; i < count; i++) {
		of.first = ids[i] < of.first ? ids[i] : of.first;
		of.last = ids[i] > of.last ? ids[i] : of.last;
	}
	return sheet_read(round->env->store, round->views, &of, &round->views->sheet);
}

void round_views_end(struct round *round)
{
	if (round->views)
		round->views->sheet = NULL; /* the views stand on it */
}

bool round_views_linked(const struct round *round, int64_t assignment)
{
	const struct sheet_row *row = read_ahead(round, assignment);

	return !row || row->linked;
}

bool round_views_strays(const struct round *round)
{
	return !round->views || !round->views->sheet || round->views->sheet->strays;
}

void round_views_keep(struct round *round, const struct assignment_view *view)
{
	struct round_views *views = round->views;
	size_t n = views->count;

	if (!(n & (n - 1))) /* full, at powers of two */
		views->list = MEM_GROW(views, views->list, struct assignment_view, n ? 2 * n : 1);
	views->list[views->count++] = *view;
}

void round_views_made(struct round *round, struct link *link)
{
	struct round_views *views = round->views;
	size_t n = views->made_count;

	if (!(n & (n - 1)))
		views->made = MEM_GROW(views, views->made, struct link *, n ? 2 * n : 1);
	views->made[views->made_count++] = link;
}

static bool has_made(const struct round_views *views)
{
	return views && views->made_taken < views->made_count;
}

int64_t round_views_first_made(const struct round *round)
{
	const struct round_views *views = round->views;

	return has_made(views) ? views->made[views->made_taken]->id : INT64_MAX;
}

size_t round_views_take_made(struct round *round, TALLOC_CTX *mem, size_t most,
			     struct link ***links_r)
{
	struct round_views *views = round->views;
	struct link **links = MEM_ARRAY(mem, struct link *, most);
	size_t count = 0;

	for (; count < most && has_made(views); count++)
		links[count] = talloc_steal(links, views->made[views->made_taken++]);
	*links_r = links;
	return count;
}

struct fault *round_views_check(struct round *round)
{
	int64_t last = 0;

	if (!round->views)
		return NULL;
	FAULT_TRY(store_change_last(round->env->store, &last));
	if (last != round->views->seq)
		TALLOC_FREE(round->views);
	return NULL;
}

const struct assignment_view *round_views_find(struct round *round, int64_t assignment)
{
	struct round_views *views = round->views;

	/* asked for in the order that they were kept in, as a rule */
	for (size_t i = 0; views && i < views->count; i++) {
		size_t at = (views->next + i) % views->count;

		if (views->list[at].assignment->id != assignment)
			continue;
		views->next = at + 1;
		return &views->list[at];
	}
	return NULL;
}

const char *round_subject(struct round *round, TALLOC_CTX *mem, int64_t assignment)
{
	struct assignment *row = NULL;
	struct stamped *stamped = NULL;
	struct fault *fault = project_assignment(round->env->store, mem, assignment, &row);

	if (!fault && row)
		fault = project_values(round->env->store, mem, row, &stamped);
	if (fault || !stamped || !vector_str(stamped->values, FIELD_subject)) {
		talloc_free(fault); /* only a word in a message is missing */
		return mem_printf(mem, "assignment %lld", (long long)assignment);
	}
	return vector_str(stamped->values, FIELD_subject);
}
