#include "config.h"

#include "gateway/sync/import_private.h"

#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/round.h"
#include "queue/queue.h"
#include "store/link.h"

#define CODE_SLUG_MAX 40       /* bytes: people type it */
#define PROGRESS_EVERY 200     /* rows between two calls */
#define VANISHED_SHOWN 20      /* lines; the rest is counted */
#define WITHDRAW_BRAKE_ITEMS 3 /* one or two at once are ordinary */

void import_note(struct import *import, const char *fmt, ...)
{
	struct import_result *result = import->result;
	va_list ap;

	result->notes = MEM_GROW(result, result->notes, char *, result->note_count + 1);
	va_start(ap, fmt);
	result->notes[result->note_count++] = mem_vprintf(result, fmt, ap);
	va_end(ap);
}

void import_key_add(struct import *import, struct keyed **set, const char *key, void *row)
{
	struct keyed *entry = MEM_NEW(import->mem, struct keyed);

	entry->key = key;
	entry->row = row;
	HASH_ADD_KEYPTR(hh, *set, entry->key, strlen(entry->key), entry);
}

struct keyed *import_key_find(struct keyed *set, const char *key)
{
	struct keyed *entry = NULL;

	HASH_FIND_STR(set, key, entry);
	return entry;
}

/* ---- which project ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *stem(TALLOC_CTX *mem, const char *path)
{
	char *name = mem_strdup(mem, base_name(path));

	if (text_ends(name, ".xml"))
		name[strlen(name) - 4] = '\0';
	return name;
}

static struct fault *free_code(struct import *import, const char *name, char **code_r)
{
	char *slug = text_slug(import->mem, name, CODE_SLUG_MAX), *code = slug;

	for (int n = 2;; n++) {
		struct project *other = NULL;

		FAULT_TRY(project_by_code(import->env.store, import->mem, code, &other));
		if (!other)
			break;
		code = mem_printf(import->mem, "%s-%d", slug, n);
	}
	*code_r = code;
	return NULL;
}

static struct fault *find_project(struct import *import)
{
	const struct projfile *file = import->file;
	const char *title = file->title ? file->title : file->name;
	const char *name = title ? title : stem(import->mem, import->options->file_name);
	const char *identity = file->guid ? file->guid : name;
	struct import_result *result = import->result;
	struct project *project = NULL, *fresh;
	char *code = NULL;

	if (import->options->code)
		FAULT_TRY(project_by_code(import->env.store, result, import->options->code,
					  &project));
	else
		FAULT_TRY(project_by_source(import->env.store, result, identity, &project));
	if (project && !text_same(project->name, name) && title) {
		FAULT_TRY(project_rename(import->env.store, project->id, name));
		FAULT_TRY(link_folders_renamed(import->env.store, project->id));
		project->name = mem_strdup(result, name);
	}
	result->project = project;
	if (project)
		return NULL;
	if (!import->options->code)
		FAULT_TRY(free_code(import, name, &code));
	fresh = MEM_NEW(result, struct project);
	fresh->code = mem_strdup(fresh, import->options->code ? import->options->code : code);
	fresh->name = mem_strdup(fresh, name);
	fresh->source_key = import->options->code
				    ? mem_printf(fresh, "code:%s", import->options->code)
				    : mem_strdup(fresh, identity);
	fresh->state = PROJECT_DRAFT;
	FAULT_TRY(project_add(import->env.store, fresh, &fresh->id));
	result->project = fresh;
	result->created = true;
	return NULL;
}

/* ---- what is there ---- */

static struct fault *load(struct import *import)
{
	struct store *store = import->env.store;
	int64_t project = import->result->project->id;
	struct project_base *bases = NULL;
	struct task *tasks = NULL;
	size_t count = 0;

	FAULT_TRY(project_bases(store, import->mem, project, &bases, &count));
	for (size_t i = 0; i < count; i++)
		import_key_add(import, &import->bases, bases[i].owner_key, &bases[i]);
	FAULT_TRY(project_tasks(store, import->mem, project, &tasks, &count));
	for (size_t i = 0; i < count; i++)
		import_key_add(import, &import->tasks, tasks[i].source_key, &tasks[i]);
	FAULT_TRY(project_assignments(store, import->mem, project, 0, &import->assignments,
				      &import->assignment_count));
	import->matched = MEM_ARRAY(import->mem, bool, import->assignment_count);
	for (size_t i = 0; i < import->assignment_count; i++)
		import->active_before += import->assignments[i].state != ASSIGNMENT_WITHDRAWN;
	for (size_t i = 0; i < import->file->assignment_count; i++) {
		struct projfile_assignment *row = &import->file->assignments[i];

		if (row->key && !import_key_find(import->rows, row->key))
			import_key_add(import, &import->rows, row->key, row);
	}
	return NULL;
}

/* ---- tasks ---- */

static struct fault *one_task(struct import *import, const struct projfile_task *row)
{
	struct keyed *found = import_key_find(import->tasks, row->key);
	struct task *task = found ? found->row : NULL;
	bool changed = false;

	import->position++;
	if (!task) {
		task = MEM_NEW(import->mem, struct task);
		*task = (struct task){ .source_key = row->key,
				       .active = true,
				       .position = import->position };
		FAULT_TRY(project_task_add(import->env.store, import->result->project->id, row->key,
					   task->position, &task->id));
		import_key_add(import, &import->tasks, row->key, task);
		found = import_key_find(import->tasks, row->key);
		import->result->tasks_new++;
	} else if (!task->active || task->position != import->position) {
		FAULT_TRY(project_task_place(import->env.store, task->id, true, import->position));
	}
	found->used = true;
	import->result->tasks++;
	FAULT_TRY(import_task_values(import, task, row, &changed));
	import->result->tasks_changed += changed;
	return NULL;
}

/* ---- assignments ---- */

/* True when another row of the file, of the same task and person, bears this assignment's key. */
static bool is_of_another_row(const struct import *import, const struct assignment *assignment,
			      const struct projfile_assignment *row)
{
	struct keyed *found = assignment->source_key
				      ? import_key_find(import->rows, assignment->source_key)
				      : NULL;
	const struct projfile_assignment *other = found ? found->row : row;

	return other != row && !strcmp(other->task_key, row->task_key) &&
	       !strcmp(other->resource_key, row->resource_key);
}

/* The assignment that the file's row is: same task and person; among several the one with the
 * file's own key, else the first that neither is taken nor belongs to another row. */
static size_t match(const struct import *import, const struct projfile_assignment *row,
		    int64_t task, int64_t resource, int *ordinal)
{
	size_t best = import->assignment_count;

	*ordinal = 0;
	for (size_t i = 0; i < import->assignment_count; i++) {
		const struct assignment *assignment = &import->assignments[i];

		if (assignment->task_id != task || assignment->resource_id != resource)
			continue;
		++*ordinal;
		if (import->matched[i])
			continue;
		if (text_same(assignment->source_key, row->key))
			return i;
		if (best == import->assignment_count && !is_of_another_row(import, assignment, row))
			best = i;
	}
	return best;
}

static struct fault *new_assignment(struct import *import, const struct projfile_assignment *row,
				    const struct task *task, const struct resource *resource,
				    int ordinal, struct assignment **assignment_r)
{
	const char *url = import->env.conf->site.url ? import->env.conf->site.url : "";
	struct assignment fresh = { .project_id = import->result->project->id,
				    .task_id = task->id,
				    .resource_id = resource->id,
				    .source_key = row->key ? row->key : "" };

	fresh.uid = round_uid(import->mem, url, import->result->project->source_key,
			      task->source_key, resource->key, ordinal);
	FAULT_TRY(project_assignment_add(import->env.store, &fresh, import->env.author,
					 "in the project file", &fresh.id));
	import->assignments = MEM_GROW(import->mem, import->assignments, struct assignment,
				       import->assignment_count + 1);
	import->matched =
		MEM_GROW(import->mem, import->matched, bool, import->assignment_count + 1);
	import->assignments[import->assignment_count] = fresh;
	import->matched[import->assignment_count] = true;
	*assignment_r = &import->assignments[import->assignment_count++];
	import->result->assignments_new++;
	return NULL;
}

static struct fault *one_assignment(struct import *import, const struct projfile_assignment *row)
{
	struct keyed *task = import_key_find(import->tasks, row->task_key);
	struct keyed *person = import_key_find(import->people, row->resource_key);
	struct assignment *assignment;
	bool changed = false;
	int ordinal;
	size_t i;

	if (!task || !person)
		return fault_new(import->mem, FAULT_DATA,
				 "%s:%ld: an assignment names a task or a person that is not there",
				 import->options->file_name, row->line);
	i = match(import, row, ((struct task *)task->row)->id, ((struct resource *)person->row)->id,
		  &ordinal);
	if (i == import->assignment_count) {
		FAULT_TRY(
			new_assignment(import, row, task->row, person->row, ordinal, &assignment));
	} else {
		assignment = &import->assignments[i];
		import->matched[i] = true;
		if (assignment->state == ASSIGNMENT_WITHDRAWN)
			FAULT_TRY(project_assignment_set_state(
				import->env.store, assignment, ASSIGNMENT_ACTIVE,
				import->env.author, "in the project file again"));
	}
	import->result->assignments++;
	FAULT_TRY(import_assignment_values(import, assignment, row, &changed));
	import->result->assignments_changed += changed;
	return NULL;
}

/* ---- what vanished ---- */

static void note_vanished(struct import *import, const struct assignment *assignment)
{
	struct resource *resource = NULL;
	struct stamped *values = NULL;
	struct fault *fault = project_values(import->env.store, import->mem, assignment, &values);

	if (!fault)
		fault = project_resource(import->env.store, import->mem, assignment->resource_id,
					 &resource);
	if (!fault && ++import->result->vanished <= VANISHED_SHOWN)
		import_note(import, "not in the file any more: '%s' of %s",
			    vector_str(values->values, FIELD_subject)
				    ? vector_str(values->values, FIELD_subject)
				    : "a task",
			    resource ? resource->key : "somebody");
	talloc_free(fault); /* a line for people, not more */
}

static bool brake(struct import *import)
{
	int64_t gone = import->result->vanished, percent = import->env.conf->rights.brake_percent;

	return gone >= WITHDRAW_BRAKE_ITEMS && gone * 100 > import->active_before * percent;
}

static struct fault *vanished(struct import *import)
{
	struct keyed *entry, *next;
	bool stop;

	for (size_t i = 0; i < import->assignment_count; i++)
		if (!import->matched[i] && import->assignments[i].state != ASSIGNMENT_WITHDRAWN)
			note_vanished(import, &import->assignments[i]);
	stop = brake(import);
	if (import->result->vanished)
		import->result->attention = true;
	if (import->result->vanished && !import->options->withdraw)
		import_note(import,
			    "%lld %s; to withdraw what is not in the file: import again with "
			    "--withdraw",
			    (long long)import->result->vanished,
			    import->result->vanished == 1 ? "assignment stays as it is"
							  : "assignments stay as they are");
	if (import->options->withdraw && stop)
		import_note(import,
			    "not withdrawn: %lld of %lld assignments at once is more than the "
			    "brake of %d %% lets pass; look "
			    "at the file, or set [rights] brake higher for this import",
			    (long long)import->result->vanished, (long long)import->active_before,
			    import->env.conf->rights.brake_percent);
	if (!import->options->withdraw || stop)
		return NULL;
	for (size_t i = 0; i < import->assignment_count; i++) {
		if (import->matched[i] || import->assignments[i].state == ASSIGNMENT_WITHDRAWN)
			continue;
		FAULT_TRY(project_assignment_set_state(import->env.store, &import->assignments[i],
						       ASSIGNMENT_WITHDRAWN, import->env.author,
						       "not in the project file any more"));
		/* its base stays: what comes back in a later file is no news again, nor booked
		 * twice */
		import->result->withdrawn++;
	}
	HASH_ITER(hh, import->tasks, entry, next)
	{
		struct task *task = entry->row;

		if (!entry->used && task->active)
			FAULT_TRY(project_task_place(import->env.store, task->id, false,
						     task->position));
	}
	return NULL;
}

/* ---- what is published is carried ---- */

static struct fault *pull_person(struct import *import, const struct resource *person)
{
	struct store *store = import->env.store;
	int64_t *accounts = NULL;
	size_t count = 0;

	FAULT_TRY(
		delivery_accounts(import->mem, import->env.conf, store, person, &accounts, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(queue_add(store, JOB_PULL, accounts[i], 0,
				    clock_now_us(import->env.clock), NULL));
	return NULL;
}

static struct fault *queue_pulls(struct import *import)
{
	const struct project *project = import->result->project;
	struct resource *people = NULL;
	size_t count = 0;

	if (project->state != PROJECT_PUBLISHED)
		return NULL;
	FAULT_TRY(project_resources(import->env.store, import->mem, project->id, &people, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(pull_person(import, &people[i]));
	return NULL;
}

/* ---- all of it ---- */

static void step(struct import *import, size_t done, size_t total)
{
	if (import->options->progress && (done % PROGRESS_EVERY == 0 || done == total))
		import->options->progress(import->options->data, (int64_t)done, (int64_t)total);
}

static struct fault *stage(struct import *import)
{
	const struct projfile *file = import->file;
	size_t total = file->task_count + file->assignment_count;

	FAULT_TRY(find_project(import));
	import->env.author =
		mem_printf(import->mem, "import:%s", base_name(import->options->file_name));
	FAULT_TRY(load(import));
	FAULT_TRY(import_people(import));
	for (size_t i = 0; i < file->task_count; i++) {
		FAULT_TRY(one_task(import, &file->tasks[i]));
		step(import, i, total);
	}
	for (size_t i = 0; i < file->assignment_count; i++) {
		FAULT_TRY(one_assignment(import, &file->assignments[i]));
		step(import, file->task_count + i, total);
	}
	FAULT_TRY(vanished(import));
	import_people_missed(import);
	FAULT_TRY(queue_pulls(import));
	step(import, total, total);
	for (size_t i = 0; i < file->warning_count; i++)
		import_note(import, "%s", file->warnings[i]);
	point_reach(import->env.points, POINT_IMPORT_STAGED);
	return NULL;
}

static void drop_sets(struct import *import)
{
	HASH_CLEAR(hh, import->bases);
	HASH_CLEAR(hh, import->tasks);
	HASH_CLEAR(hh, import->people);
	HASH_CLEAR(hh, import->rows);
}

struct fault *import_file(TALLOC_CTX *mem, const struct edit_env *env, const struct projfile *file,
			  const struct import_options *options, struct import_result **result_r)
{
	struct import import = {
		.mem = MEM_CONTEXT(mem), .env = *env, .file = file, .options = options
	};
	struct fault *fault;

	import.result = MEM_NEW(mem, struct import_result);
	fault = store_begin(env->store);
	if (!fault)
		fault = stage(&import);
	if (!fault && !options->dry_run)
		fault = store_commit(env->store);
	store_rollback(env->store);
	if (!fault && !options->dry_run)
		point_reach(env->points, POINT_IMPORT_DONE);
	drop_sets(&import);
	if (fault)
		talloc_steal(mem, fault);
	talloc_free(import.mem);
	if (fault)
		return fault;
	*result_r = import.result;
	return NULL;
}
