#include "config.h"

#include "store/project.h"

#include "base/text.h"
#include "store/project_private.h"
#include "store/rows.h"

static const char *const project_states[] = { "draft", "published", "archived" };
_Static_assert(COUNT_OF(project_states) == PROJECT_STATES, "one name per state");

static const char *const assignment_states[] = { "active", "declined", "withdrawn" };
_Static_assert(COUNT_OF(assignment_states) == ASSIGNMENT_STATES, "one name per state");

const char *project_state_name(enum project_state state)
{
	return project_states[state];
}

const char *assignment_state_name(enum assignment_state state)
{
	return assignment_states[state];
}

static void read_project(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct project *project = element;

	project->id = db_int(cursor, 0);
	project->code = db_text(cursor, mem, 1);
	project->source_key = db_text(cursor, mem, 2);
	project->name = db_text(cursor, mem, 3);
	project->state = (enum project_state)rows_name(project_states, PROJECT_STATES,
						       db_text(cursor, mem, 4));
}

static void read_task(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct task *task = element;

	task->id = db_int(cursor, 0);
	task->source_key = db_text(cursor, mem, 1);
	task->active = db_bool(cursor, 2);
	task->position = db_int(cursor, 3);
}

static void read_resource(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct resource *resource = element;

	resource->id = db_int(cursor, 0);
	resource->key = db_text(cursor, mem, 1);
	resource->name = db_text(cursor, mem, 2);
	resource->email = db_text(cursor, mem, 3);
}

void project_read_assignment(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct assignment *assignment = element;

	assignment->id = db_int(cursor, 0);
	assignment->project_id = db_int(cursor, 1);
	assignment->task_id = db_int(cursor, 2);
	assignment->resource_id = db_int(cursor, 3);
	assignment->source_key = db_text(cursor, mem, 4);
	assignment->uid = db_text(cursor, mem, 5);
	assignment->state = (enum assignment_state)rows_name(assignment_states, ASSIGNMENT_STATES,
							     db_peek(cursor, 6));
}

struct fault *project_by_code(struct store *store, TALLOC_CTX *mem, const char *code,
			      struct project **project_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PROJECT_BY_CODE, "t", code));
	return rows_one(cursor, mem, read_project, sizeof **project_r, project_r);
}

struct fault *project_by_source(struct store *store, TALLOC_CTX *mem, const char *key,
				struct project **project_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PROJECT_BY_SOURCE, "t", key));
	return rows_one(cursor, mem, read_project, sizeof **project_r, project_r);
}

struct fault *project_by_id(struct store *store, TALLOC_CTX *mem, int64_t id,
			    struct project **project_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PROJECT_BY_ID, "i", id));
	return rows_one(cursor, mem, read_project, sizeof **project_r, project_r);
}

struct fault *project_list(struct store *store, TALLOC_CTX *mem, struct project **list_r,
			   size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PROJECT_ALL, ""));
	return rows_all(cursor, mem, read_project, sizeof **list_r, list_r, count_r);
}

struct fault *project_list_of(struct store *store, TALLOC_CTX *mem, int64_t resource,
			      struct project **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PROJECT_OF_PERSON, "i", resource));
	return rows_all(cursor, mem, read_project, sizeof **list_r, list_r, count_r);
}

struct fault *project_people(struct store *store, TALLOC_CTX *mem, struct resource **list_r,
			     size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_RESOURCE_PUBLISHED, ""));
	return rows_all(cursor, mem, read_resource, sizeof **list_r, list_r, count_r);
}

struct fault *project_add(struct store *store, const struct project *project, int64_t *id_r)
{
	int64_t id;

	FAULT_TRY(store_id(store, &id));
	FAULT_TRY(db_run(store->db, SQL_PROJECT_ADD, "itttti", id, project->code,
			 project->source_key, project->name, project_states[project->state],
			 clock_now_us(store->clock)));
	*id_r = id;
	return NULL;
}

struct fault *project_rename(struct store *store, int64_t id, const char *name)
{
	return db_run(store->db, SQL_PROJECT_NAME, "it", id, name);
}

struct fault *project_set_state(struct store *store, int64_t id, enum project_state state)
{
	return db_run(store->db, SQL_PROJECT_STATE, "it", id, project_states[state]);
}

struct fault *project_counts(struct store *store, int64_t id, int64_t *tasks_r,
			     int64_t *assignments_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_PROJECT_COUNT, "i", id));
	if (db_next(cursor)) {
		*tasks_r = db_int(cursor, 0);
		*assignments_r = db_int(cursor, 1);
	}
	return db_close(&cursor);
}

struct fault *project_tasks(struct store *store, TALLOC_CTX *mem, int64_t project,
			    struct task **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_TASK_OF_PROJECT, "i", project));
	return rows_all(cursor, mem, read_task, sizeof **list_r, list_r, count_r);
}

struct fault *project_task(struct store *store, TALLOC_CTX *mem, int64_t id, struct task **task_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_TASK_BY_ID, "i", id));
	return rows_one(cursor, mem, read_task, sizeof **task_r, task_r);
}

struct fault *project_task_by_key(struct store *store, TALLOC_CTX *mem, int64_t project,
				  const char *key, struct task **task_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_TASK_BY_KEY, "it", project, key));
	return rows_one(cursor, mem, read_task, sizeof **task_r, task_r);
}

struct fault *project_task_is_open(struct store *store, int64_t id, bool *open_r)
{
	struct db_cursor *cursor = NULL;
	int64_t count = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_TASK_OPEN, "i", id));
	FAULT_TRY(rows_int(cursor, 0, &count));
	*open_r = count > 0;
	return NULL;
}

struct fault *project_task_add(struct store *store, int64_t project, const char *key,
			       int64_t position, int64_t *id_r)
{
	int64_t id;

	FAULT_TRY(store_id(store, &id));
	FAULT_TRY(db_run(store->db, SQL_TASK_ADD, "iiti", id, project, key, position));
	*id_r = id;
	return NULL;
}

struct fault *project_task_place(struct store *store, int64_t id, bool active, int64_t position)
{
	return db_run(store->db, SQL_TASK_PLACE, "ibi", id, (int)active, position);
}

struct fault *project_resources(struct store *store, TALLOC_CTX *mem, int64_t project,
				struct resource **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	if (project)
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_RESOURCE_OF_PROJECT, "i", project));
	else
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_RESOURCE_ALL, ""));
	return rows_all(cursor, mem, read_resource, sizeof **list_r, list_r, count_r);
}

struct fault *project_resource(struct store *store, TALLOC_CTX *mem, int64_t id,
			       struct resource **resource_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_RESOURCE_BY_ID, "i", id));
	return rows_one(cursor, mem, read_resource, sizeof **resource_r, resource_r);
}

struct fault *project_resource_by_key(struct store *store, TALLOC_CTX *mem, const char *key,
				      struct resource **resource_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_RESOURCE_BY_KEY, "t", key));
	return rows_one(cursor, mem, read_resource, sizeof **resource_r, resource_r);
}

struct fault *project_resource_add(struct store *store, const struct resource *resource,
				   int64_t *id_r)
{
	int64_t id;

	FAULT_TRY(store_id(store, &id));
	FAULT_TRY(db_run(store->db, SQL_RESOURCE_ADD, "ittti", id, resource->key, resource->name,
			 resource->email, clock_now_us(store->clock)));
	*id_r = id;
	return NULL;
}

struct fault *project_resource_set(struct store *store, const struct resource *resource)
{
	return db_run(store->db, SQL_RESOURCE_SET, "ittt", resource->id, resource->key,
		      resource->name, resource->email);
}

struct fault *project_alias(struct store *store, int64_t project, const char *source_key,
			    int64_t *resource_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_ALIAS_GET, "it", project, source_key));
	return rows_int(cursor, 0, resource_r);
}

struct fault *project_alias_put(struct store *store, int64_t project, const char *source_key,
				int64_t resource)
{
	return db_run(store->db, SQL_ALIAS_PUT, "iti", project, source_key, resource);
}

struct fault *project_assignment(struct store *store, TALLOC_CTX *mem, int64_t id,
				 struct assignment **assignment_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_BY_ID, "i", id));
	return rows_one(cursor, mem, project_read_assignment, sizeof **assignment_r, assignment_r);
}

struct fault *project_assignment_by_uid(struct store *store, TALLOC_CTX *mem, const char *uid,
					struct assignment **assignment_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_BY_UID, "t", uid));
	FAULT_TRY(rows_one(cursor, mem, project_read_assignment, sizeof **assignment_r, assignment_r));
	if (*assignment_r)
		return NULL;
	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_BY_ALIAS, "t", uid));
	return rows_one(cursor, mem, project_read_assignment, sizeof **assignment_r, assignment_r);
}

struct fault *project_uid_alias(struct store *store, const char *uid, int64_t assignment)
{
	return db_run(store->db, SQL_UID_ALIAS_PUT, "ti", uid, assignment);
}

struct fault *project_assignments(struct store *store, TALLOC_CTX *mem, int64_t project,
				  int64_t resource, struct assignment **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	if (resource)
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_OF_PERSON, "ii", project,
				   resource));
	else
		FAULT_TRY(
			db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_OF_PROJECT, "i", project));
	return rows_all(cursor, mem, project_read_assignment, sizeof **list_r, list_r, count_r);
}

struct fault *project_assignments_of_task(struct store *store, TALLOC_CTX *mem, int64_t task,
					  int64_t resource, struct assignment **list_r,
					  size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_OF_TASK, "ii", task, resource));
	return rows_all(cursor, mem, project_read_assignment, sizeof **list_r, list_r, count_r);
}

struct fault *project_log(struct store *store, const struct assignment *assignment,
			  const char *name, const char *old, const char *new, const char *author,
			  const char *cause)
{
	int64_t seq;

	FAULT_TRY(store_change_seq(store, &seq));
	return db_run(store->db, SQL_CHANGE_ADD, "iiiitttitt", seq, assignment->project_id,
		      assignment->task_id, assignment->id, name, old, new,
		      clock_now_us(store->clock), author, cause);
}

struct fault *project_assignment_add(struct store *store, const struct assignment *assignment,
				     const char *author, const char *cause, int64_t *id_r)
{
	struct assignment added = *assignment;
	int64_t id;

	FAULT_TRY(store_id(store, &id));
	FAULT_TRY(db_run(store->db, SQL_ASSIGNMENT_ADD, "iiiitt", id, assignment->project_id,
			 assignment->task_id, assignment->resource_id, assignment->source_key,
			 assignment->uid));
	added.id = id;
	FAULT_TRY(project_log(store, &added, CHANGE_ASSIGNMENT, NULL,
			      assignment_states[ASSIGNMENT_ACTIVE], author, cause));
	*id_r = id;
	return NULL;
}

struct fault *project_assignment_set_state(struct store *store, struct assignment *assignment,
					   enum assignment_state state, const char *author,
					   const char *cause)
{
	if (assignment->state == state)
		return NULL;
	FAULT_TRY(db_run(store->db, SQL_ASSIGNMENT_STATE, "it", assignment->id,
			 assignment_states[state]));
	FAULT_TRY(project_log(store, assignment, CHANGE_ASSIGNMENT,
			      assignment_states[assignment->state], assignment_states[state],
			      author, cause));
	assignment->state = state;
	return NULL;
}
