/* projfile.h - a project file as read: what every reader of project files delivers and what import
 * takes.
 *
 * Keys are the file's own, stable ones (Project XML: UID), never positions. Vectors hold only what
 * the file says. All is owned by the projfile.
 */
#ifndef TASKFERRY_PROJFILE_H
#define TASKFERRY_PROJFILE_H

#include <stddef.h>

#include "model/vector.h"

struct projfile_task {
	const char *key;        /* Project XML: Task/UID */
	const char *parent_key; /* the summary task it stands under, or NULL */
	struct vector *values; /* SCOPE_TASK fields; predecessors = keys, one a line; parent is left
				  absent */
	struct when start,
		finish; /* of the task itself, for an assignment that has none of its own */
	bool has_start, has_finish;
	long line; /* where the file has it, for messages */
};

struct projfile_resource {
	const char *key;   /* Resource/UID */
	const char *name;  /* may be NULL */
	const char *email; /* lower case, or NULL */
	long line;
};

struct projfile_assignment {
	const char *key;          /* Assignment/UID, may be NULL when the file has none */
	const char *task_key;     /* names a task of this file */
	const char *resource_key; /* names a resource of this file */
	struct vector *values;    /* SCOPE_ASSIGNMENT fields */
	long line;
};

struct projfile {
	const char *guid;  /* may be NULL */
	const char *title; /* may be NULL */
	const char *name;  /* may be NULL; without ".xml" */
	struct projfile_task *tasks;
	size_t task_count;
	struct projfile_resource *resources;
	size_t resource_count;
	struct projfile_assignment *assignments;
	size_t assignment_count;
	/* what was left out by the rules of DESIGN section 10, for the summary line */
	size_t skipped_tasks, skipped_resources, skipped_assignments;
	/* oddities that did not stop the import, one line each with file and line */
	const char **warnings;
	size_t warning_count;
};

#endif
