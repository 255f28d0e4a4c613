/* import.h - a project file is a third side with a base of its own (M9).
 *
 * The last imported vector of every task and assignment is kept; only what differs from it is a
 * change, so importing last week's plan again does not revert a week of progress. Tasks are known
 * by the file's task keys, assignments by task and person (and the file's own key where one person
 * has a task twice). All in one transaction, with jobs for the people of a published project: a file
 * that cannot be imported whole is not imported at all.
 */
#ifndef TASKFERRY_IMPORT_H
#define TASKFERRY_IMPORT_H

#include "gateway/sync/edit.h"
#include "mappers/people.h"
#include "model/projfile.h"

struct import_options {
	const char *code;      /* --project, or NULL */
	const char *file_name; /* for messages and the author; its stem is the last resort of a
				  project's name */
	const struct person *people; /* --resources */
	size_t people_count;
	bool withdraw;
	bool dry_run;
	void (*progress)(void *data, int64_t done, int64_t total); /* may be NULL */
	void *data;
};

struct import_result {
	struct project *project;
	bool created;
	int64_t tasks, tasks_new, tasks_changed;
	int64_t assignments, assignments_new, assignments_changed;
	int64_t people, people_new;
	/* people with an assignment here who are not published to, by the reason */
	int64_t without_address, without_account;
	int64_t vanished, withdrawn; /* assignments that the file has no more */
	int64_t losing; /* values of people that a newer value of the file replaced, kept as
			   revisions */
	char **notes;   /* lines for people: what vanished, what was odd */
	size_t note_count;
	bool attention;
};

/* Imports FILE; the author of its changes is made from the file's name. DATA fault: what the file
 * says cannot be right. */
struct fault *import_file(TALLOC_CTX *mem, const struct edit_env *env, const struct projfile *file,
			  const struct import_options *options,
			  struct import_result **result_r) ATTR_MUST_CHECK;

#endif
