/* edit.h - the project manager's own changes: `task set`. */
#ifndef TASKFERRY_EDIT_H
#define TASKFERRY_EDIT_H

#include "decide/rules.h"
#include "store/project.h"

struct edit_env {
	const struct conf *conf;
	struct store *store;
	struct clock *clock;
	struct points *points;
	struct rules *rules;
	const char *author; /* "project:NAME", "import:FILE" */
};

/* One field and its new value as a person writes it; an empty text clears. */
struct edit_field {
	enum field field;
	const char *text;
};

struct edit_result {
	bool changed[FIELDS];
	struct vector *before, *after;
	const char **messages; /* of rules that changed or refused something, or warned */
	size_t message_count;
	bool attention; /* not all is as it was asked for */
	bool offered;   /* the person had declined the task; it is theirs again */
};

/* Changes fields of an assignment under the rules, in one transaction, with jobs for the accounts
 * that show it. A task's field changes for all who share the task. A declined assignment whose status
 * is set to another than cancelled is active again. Actual work becomes an adjustment booking. DATA fault: no such
 * assignment, a value that is none, a field that is not for setting, or a rule that refuses: then
 * nothing is changed. */
struct fault *edit_assignment(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
			      const struct edit_field *fields, size_t count,
			      struct edit_result **result_r) ATTR_MUST_CHECK;

/* Writes the values of AFTER that differ from BEFORE, with the change log; in the caller's
 * transaction. */
struct fault *edit_write(const struct edit_env *env, const struct assignment *assignment,
			 const struct vector *before, const struct vector *after, const char *cause,
			 bool changed_r[FIELDS]) ATTR_MUST_CHECK;

/* Lets the rules judge the step from RESULT's before to its after, which becomes what they make of
 * it; their words are added to the messages. DATA fault "not DONE: ..." when one refuses. */
struct fault *edit_judge(TALLOC_CTX *mem, const struct edit_env *env,
			 const struct rules_context *context, const char *done,
			 struct edit_result *result) ATTR_MUST_CHECK;

/* True for fields that come from the plan's structure only and are not for setting. */
bool edit_is_structure(enum field field);

/* Jobs for all who show what has changed in a project; in the caller's transaction. */
struct fault *edit_carry(TALLOC_CTX *mem, const struct edit_env *env,
			 int64_t project) ATTR_MUST_CHECK;

/* What rules judge a change of this assignment with, by the project manager or an import
 * (gateway/sync/context.h). VALUES, as they stand, live as long as the context. */
struct fault *edit_context(TALLOC_CTX *mem, const struct edit_env *env,
			   const struct assignment *assignment, const struct vector *values,
			   const char *actor, struct rules_context *context_r) ATTR_MUST_CHECK;

#endif
