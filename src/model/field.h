/* field.h - the one table of fields: everything that a task or an assignment can say.
 *
 * Code, tests and manual read this table. A new field is a new row.
 */
#ifndef TASKFERRY_FIELD_H
#define TASKFERRY_FIELD_H

#include <stdbool.h>

enum field_type {
	FIELD_TEXT,   /* UTF-8, any number of lines */
	FIELD_NUMBER, /* a whole number */
	FIELD_WHEN,   /* a date or an instant */
	FIELD_EFFORT, /* whole minutes */
	FIELD_FLAG,   /* true or false */
	FIELD_STATUS, /* enum status */
	FIELD_LIST,   /* a set of short texts, one a line, sorted, none twice */
	FIELD_FILES,  /* a set of attachments (model/files.h) */
	FIELD_TYPES
};

/* A task's fields are shared by all of its assignments. Start and due are the assignment's own
 * although DESIGN section 4 marks them `t`: Project XML has a start and a finish per assignment
 * (section 10), and two people on one task do not always work in the same week. */
enum field_scope { SCOPE_TASK, SCOPE_ASSIGNMENT, SCOPES };

enum field_group {
	GROUP_PLAN,
	GROUP_PROGRESS,
	GROUP_NOTES,
	GROUP_FILES,
	GROUP_CUSTOM,
	GROUP_CLIENT,
	GROUPS
};

enum field_owner {
	OWNER_BOTH,    /* changes come from either side */
	OWNER_PROJECT, /* shown in items at most, never read from them */
	OWNER_DERIVED, /* computed, never set by anybody (actual work: the sum of the bookings) */
	OWNERS
};

enum field_merge {
	MERGE_NEWER,   /* M3 for the field alone */
	MERGE_SET,     /* a set: what either side added is in, what either removed is out */
	MERGE_COUPLED, /* M3 for all coupled fields of the group as one */
	MERGE_NONE,    /* not merged: owner is not BOTH */
	MERGES
};

enum status {
	STATUS_NEEDS_ACTION,
	STATUS_IN_PROCESS,
	STATUS_COMPLETED,
	STATUS_CANCELLED,
	STATUSES
};

/* name, type, scope, group, owner, merge, VTODO property, card key, Project XML element */
/* clang-format off */
#define FIELD_TABLE(X)                                                                                                 \
	X(subject, TEXT, TASK, PLAN, BOTH, NEWER, "SUMMARY", "Task", "Task/Name")                                      \
	X(start, WHEN, ASSIGNMENT, PLAN, BOTH, NEWER, "DTSTART", "Start", "Assignment/Start")                          \
	X(due, WHEN, ASSIGNMENT, PLAN, BOTH, NEWER, "DUE", "Due", "Assignment/Finish")                                 \
	X(deadline, WHEN, TASK, PLAN, PROJECT, NONE, NULL, "Deadline", "Task/Deadline")                                \
	X(priority, NUMBER, TASK, PLAN, BOTH, NEWER, "PRIORITY", "Priority", "Task/Priority")                          \
	X(categories, LIST, TASK, PLAN, BOTH, SET, "CATEGORIES", "Categories", NULL)                                   \
	X(parent, TEXT, TASK, PLAN, PROJECT, NONE, "RELATED-TO", "Part of", "Task/OutlineLevel")                       \
	X(milestone, FLAG, TASK, PLAN, PROJECT, NONE, NULL, "Milestone", "Task/Milestone")                             \
	X(summary, FLAG, TASK, PLAN, PROJECT, NONE, NULL, NULL, "Task/Summary")                                        \
	X(predecessors, LIST, TASK, PLAN, PROJECT, NONE, NULL, "After", "Task/PredecessorLink/PredecessorUID")         \
	X(total_work, EFFORT, ASSIGNMENT, PLAN, BOTH, NEWER, "ESTIMATED-DURATION", "Total work", "Assignment/Work")    \
	X(status, STATUS, ASSIGNMENT, PROGRESS, BOTH, COUPLED, "STATUS", "Status", NULL)                               \
	X(percent, NUMBER, ASSIGNMENT, PROGRESS, BOTH, COUPLED, "PERCENT-COMPLETE", "Percent",                         \
	  "Assignment/PercentWorkComplete")                                                                            \
	X(completed_at, WHEN, ASSIGNMENT, PROGRESS, BOTH, COUPLED, "COMPLETED", "Completed", "Assignment/ActualFinish")\
	X(remaining_work, EFFORT, ASSIGNMENT, PROGRESS, PROJECT, NONE, NULL, "Remaining work",                         \
	  "Assignment/RemainingWork")                                                                                  \
	X(actual_work, EFFORT, ASSIGNMENT, PROGRESS, DERIVED, NONE, "X-TASKFERRY-ACTUAL-WORK", "Actual work",          \
	  "Assignment/ActualWork")                                                                                     \
	X(notes, TEXT, ASSIGNMENT, NOTES, BOTH, NEWER, "DESCRIPTION", "Notes", "Assignment/Notes")                     \
	X(description, TEXT, TASK, NOTES, PROJECT, NONE, NULL, "Description", "Task/Notes")                            \
	X(attachments, FILES, ASSIGNMENT, FILES, BOTH, SET, "ATTACH", NULL, NULL)
/* clang-format on */

enum field {
#define X(name, type, scope, group, owner, merge, vtodo, card, mspdi) FIELD_##name,
	FIELD_TABLE(X)
#undef X
		FIELDS
};

struct field_info {
	const char *name;
	enum field_type type;
	enum field_scope scope;
	enum field_group group;
	enum field_owner owner;
	enum field_merge merge;
	const char *vtodo; /* NULL: not in a VTODO */
	const char *card;  /* NULL: not on a card */
	const char *mspdi; /* NULL: not in Project XML */
};

extern const struct field_info field_table[FIELDS];

/* The field of a name; FIELDS if there is none. */
enum field field_find(const char *name);

/* Their names for messages and the manual: "text", "assignment", "progress", "both", "coupled". */
const char *field_type_name(enum field_type type);
const char *field_scope_name(enum field_scope scope);
const char *field_group_name(enum field_group group);
const char *field_owner_name(enum field_owner owner);
const char *field_merge_name(enum field_merge merge);

/* The group of a name; GROUPS if there is none. */
enum field_group field_group_find(const char *name);

/* "needs-action", "in-process", "completed", "cancelled"; STATUSES if there is none. */
const char *status_name(enum status status);
enum status status_find(const char *name);

/* Task priorities: 0 none, 1 high to 9 low (RFC 5545 section 3.8.1.9). */
#define PRIORITY_MAX 9

/* A subject's length in code points (DESIGN section 11; Project XML has the same). */
#define SUBJECT_MAX_CHARS 512

#endif
