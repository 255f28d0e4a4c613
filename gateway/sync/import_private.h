/* import_private.h - shared by the files of the import. */
#ifndef TASKFERRY_IMPORT_PRIVATE_H
#define TASKFERRY_IMPORT_PRIVATE_H

#include <uthash.h>

#include "gateway/sync/import.h"

/* A row found by a key. */
struct keyed {
	UT_hash_handle hh;
	const char *key;
	void *row;
	bool used; /* met in the file */
};

struct import {
	TALLOC_CTX *mem; /* ends with the import */
	struct edit_env env;
	const struct projfile *file;
	const struct import_options *options;
	struct import_result *result;
	struct keyed *bases;            /* struct project_base by owner key */
	struct keyed *tasks;            /* struct task by source key */
	struct keyed *people;           /* struct resource by the file's resource key */
	struct keyed *rows;             /* struct projfile_assignment by the file's own key */
	struct assignment *assignments; /* as they stood before */
	bool *matched;                  /* which of them the file has */
	size_t assignment_count;
	int64_t active_before; /* what the brake counts against */
	int64_t position;
};

void import_note(struct import *import, const char *fmt, ...) ATTR_PRINTF(2, 3);

void import_key_add(struct import *import, struct keyed **set, const char *key, void *row);
struct keyed *import_key_find(struct keyed *set, const char *key);

/* People (import_people.c): fills import->people. */
struct fault *import_people(struct import *import) ATTR_MUST_CHECK;

/* Counts those of import->people who have an active assignment and are not published to: as publish
 * names them (sync.c), so once the assignments are those that will be. */
void import_people_missed(struct import *import);

/* Values (import_values.c): brings FILE's values of one owner into the project by their difference
 * from the base. */
struct fault *import_task_values(struct import *import, const struct task *task,
				 const struct projfile_task *row, bool *changed_r) ATTR_MUST_CHECK;
struct fault *import_assignment_values(struct import *import, const struct assignment *assignment,
				       const struct projfile_assignment *row,
				       bool *changed_r) ATTR_MUST_CHECK;

#endif
