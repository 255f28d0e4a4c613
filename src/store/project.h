/* project.h - the project database: projects, tasks, resources, assignments, their values and the
 * change log.
 *
 * Rows are plain structs owned by the MEM given; a finder that finds nothing gives NULL and no
 * fault. Every change of a value goes through project_change(): it writes the value, its stamp and
 * one row of the change log.
 */
#ifndef TASKFERRY_PROJECT_H
#define TASKFERRY_PROJECT_H

#include "model/vector.h"
#include "store/store.h"

enum project_state { PROJECT_DRAFT, PROJECT_PUBLISHED, PROJECT_ARCHIVED, PROJECT_STATES };
enum assignment_state {
	ASSIGNMENT_ACTIVE,
	ASSIGNMENT_DECLINED,
	ASSIGNMENT_WITHDRAWN,
	ASSIGNMENT_STATES
};

struct project {
	int64_t id;
	const char *code;
	const char *source_key; /* GUID, else title, else name of the project file */
	const char *name;
	enum project_state state;
};

struct task {
	int64_t id;
	const char *source_key;
	bool active;
	int64_t position;
};

struct resource {
	int64_t id;
	const char *key;
	const char *name;  /* may be NULL */
	const char *email; /* may be NULL */
};

struct assignment {
	int64_t id, project_id, task_id, resource_id;
	const char *source_key;
	const char *uid; /* of its item, fixed at creation (M6) */
	enum assignment_state state;
};

/* Values with the stamp of each one's last change. */
struct stamped {
	struct vector *values;
	int64_t seq[FIELDS];
	int64_t at_us[FIELDS];
	const char *author[FIELDS];
};

/* What rows of the change log are about besides fields: the state of the assignment itself, the
 * state of a revision ("revision:ID"). */
#define CHANGE_ASSIGNMENT "assignment"
#define CHANGE_REVISION "revision:"

struct change {
	int64_t seq;
	enum field field;                /* FIELDS: no field of the table, NAME tells what */
	const char *name;                /* a field's, one of those above, or of a newer program */
	const char *old_text, *new_text; /* NULL: not set */
	int64_t at_us;
	const char
		*author; /* "project:NAME", "mailbox:SERVER/RESOURCE", "import:FILE", "rule:NAME" */
	const char *cause; /* why, or NULL */
};

const char *project_state_name(enum project_state state);
const char *assignment_state_name(enum assignment_state state);

struct fault *project_by_code(struct store *store, TALLOC_CTX *mem, const char *code,
			      struct project **project_r) ATTR_MUST_CHECK;
struct fault *project_by_source(struct store *store, TALLOC_CTX *mem, const char *key,
				struct project **project_r) ATTR_MUST_CHECK;
struct fault *project_by_id(struct store *store, TALLOC_CTX *mem, int64_t id,
			    struct project **project_r) ATTR_MUST_CHECK;
struct fault *project_list(struct store *store, TALLOC_CTX *mem, struct project **list_r,
			   size_t *count_r) ATTR_MUST_CHECK;

/* The published projects that a person has assignments in; the people who have any in a published
 * project. */
struct fault *project_list_of(struct store *store, TALLOC_CTX *mem, int64_t resource,
			      struct project **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *project_people(struct store *store, TALLOC_CTX *mem, struct resource **list_r,
			     size_t *count_r) ATTR_MUST_CHECK;
struct fault *project_add(struct store *store, const struct project *project,
			  int64_t *id_r) ATTR_MUST_CHECK;
struct fault *project_rename(struct store *store, int64_t id, const char *name) ATTR_MUST_CHECK;
struct fault *project_set_state(struct store *store, int64_t id,
				enum project_state state) ATTR_MUST_CHECK;
struct fault *project_counts(struct store *store, int64_t id, int64_t *tasks_r,
			     int64_t *assignments_r) ATTR_MUST_CHECK;

struct fault *project_tasks(struct store *store, TALLOC_CTX *mem, int64_t project,
			    struct task **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *project_task(struct store *store, TALLOC_CTX *mem, int64_t id,
			   struct task **task_r) ATTR_MUST_CHECK;
struct fault *project_task_by_key(struct store *store, TALLOC_CTX *mem, int64_t project,
				  const char *key, struct task **task_r) ATTR_MUST_CHECK;

/* True while somebody who is to do the task has neither completed nor cancelled it. A task that
 * nobody is assigned to is not open: nobody reports on it. */
struct fault *project_task_is_open(struct store *store, int64_t id, bool *open_r) ATTR_MUST_CHECK;
struct fault *project_task_add(struct store *store, int64_t project, const char *key,
			       int64_t position, int64_t *id_r) ATTR_MUST_CHECK;
struct fault *project_task_place(struct store *store, int64_t id, bool active,
				 int64_t position) ATTR_MUST_CHECK;

struct fault *project_resources(struct store *store, TALLOC_CTX *mem, int64_t project,
				struct resource **list_r,
				size_t *count_r) ATTR_MUST_CHECK; /* project 0: all */
struct fault *project_resource(struct store *store, TALLOC_CTX *mem, int64_t id,
			       struct resource **resource_r) ATTR_MUST_CHECK;
struct fault *project_resource_by_key(struct store *store, TALLOC_CTX *mem, const char *key,
				      struct resource **resource_r) ATTR_MUST_CHECK;
struct fault *project_resource_add(struct store *store, const struct resource *resource,
				   int64_t *id_r) ATTR_MUST_CHECK;
struct fault *project_resource_set(struct store *store,
				   const struct resource *resource) ATTR_MUST_CHECK;
struct fault *project_alias(struct store *store, int64_t project, const char *source_key,
			    int64_t *resource_r) ATTR_MUST_CHECK; /* 0: none */
struct fault *project_alias_put(struct store *store, int64_t project, const char *source_key,
				int64_t resource) ATTR_MUST_CHECK;

struct fault *project_assignment(struct store *store, TALLOC_CTX *mem, int64_t id,
				 struct assignment **assignment_r) ATTR_MUST_CHECK;

/* By its own UID, or one that a client gave its item (M6). */
struct fault *project_assignment_by_uid(struct store *store, TALLOC_CTX *mem, const char *uid,
					struct assignment **assignment_r) ATTR_MUST_CHECK;

/* An item of the assignment bears this UID: a client gave it another when it moved it (M6). */
struct fault *project_uid_alias(struct store *store, const char *uid,
				int64_t assignment) ATTR_MUST_CHECK;
struct fault *project_assignments(struct store *store, TALLOC_CTX *mem, int64_t project,
				  int64_t resource, struct assignment **list_r,
				  size_t *count_r) ATTR_MUST_CHECK; /* resource 0: all */
struct fault *project_assignments_of_task(struct store *store, TALLOC_CTX *mem, int64_t task,
					  int64_t resource, struct assignment **list_r,
					  size_t *count_r) ATTR_MUST_CHECK;

/* An assignment comes, or its state moves: with a row CHANGE_ASSIGNMENT in the change log, from the
 * old state (new: not set) to the new one, by which rounds see it. Nothing at all is written when
 * ASSIGNMENT is in that state already; it gets the new one. CAUSE: why, or NULL. */
struct fault *project_assignment_add(struct store *store, const struct assignment *assignment,
				     const char *author, const char *cause,
				     int64_t *id_r) ATTR_MUST_CHECK;
struct fault *project_assignment_set_state(struct store *store, struct assignment *assignment,
					   enum assignment_state state, const char *author,
					   const char *cause) ATTR_MUST_CHECK;

/* A row of the change log about what is no field of an assignment; rounds look at the assignment
 * again. OLD, NEW and CAUSE may be NULL. */
struct fault *project_log(struct store *store, const struct assignment *assignment,
			  const char *name, const char *old, const char *new, const char *author,
			  const char *cause) ATTR_MUST_CHECK;

/* All values of an assignment: its own and its task's. Fields that nobody ever set are absent. */
struct fault *project_values(struct store *store, TALLOC_CTX *mem,
			     const struct assignment *assignment,
			     struct stamped **stamped_r) ATTR_MUST_CHECK;

/* A task's own values only. */
struct fault *project_task_values(struct store *store, TALLOC_CTX *mem, int64_t task,
				  struct stamped **stamped_r) ATTR_MUST_CHECK;

/* The id of the row that a field of this assignment lives on: the assignment or its task. */
int64_t project_owner(const struct assignment *assignment, enum field field);

/* Writes one value and its row in the change log; nothing at all when the value is identical.
 * ASSIGNMENT_ID 0 for a task's value. *CHANGED_R may be NULL. */
struct project_step {
	int64_t project_id, task_id, assignment_id;
	enum field field;
	const struct value *old; /* as it stands; NULL: not set */
	const struct value *new;
	int64_t at_us;
	const char *author, *cause;
};
struct fault *project_change(struct store *store, const struct project_step *step,
			     bool *changed_r) ATTR_MUST_CHECK;

struct fault *project_history(struct store *store, TALLOC_CTX *mem,
			      const struct assignment *assignment, struct change **list_r,
			      size_t *count_r) ATTR_MUST_CHECK;

/* Books work once per source key, however often it is called, and brings the value actual_work up
 * to the sum. *BOOKED_R false: that key was booked before, nothing changed. */
struct project_booking {
	int32_t day;
	int64_t minutes;
	const char *text, *source_key, *author;
};
struct fault *project_book(struct store *store, const struct assignment *assignment,
			   const struct project_booking *booking, bool *booked_r) ATTR_MUST_CHECK;

/* A source of work that was looked at and not booked: refused, or asked about. Noted once. */
struct fault *project_unbooked_put(struct store *store, int64_t assignment,
				   const char *source_key) ATTR_MUST_CHECK;

/* Every source that was ever booked or noted as not booked (0 minutes), oldest first. */
struct project_source {
	const char *key;
	int64_t minutes;
};
struct fault *project_sources(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			      struct project_source **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* All that is booked on an assignment, by day. */
struct booked {
	int64_t id;
	int32_t day;
	int64_t minutes, at_us;
	const char *text, *source_key, *author;
};
struct fault *project_booked(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			     struct booked **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* The vectors that the last import of a project had, by owner key (M9): "t:KEY", "a:KEY". */
struct project_base {
	const char *owner_key;
	struct vector *values;
};
struct fault *project_bases(struct store *store, TALLOC_CTX *mem, int64_t project,
			    struct project_base **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *project_base_put(struct store *store, int64_t project, const char *owner_key,
			       const struct vector *values) ATTR_MUST_CHECK;

#endif
