/* outcome.h - what is done with an item, by the state of both sides: one complete table.
 *
 * Before the table only two things are asked: a link that is held waits for a person, and an item
 * inside its quiet time is looked at again. What an outcome leads to in detail is the merge
 * (decide/item.h) and the ladder of a deletion (gateway/sync/round_missing.c).
 * doc/taskferry-sync.7 shows the same table; a test compares the two.
 */
#ifndef TASKFERRY_OUTCOME_H
#define TASKFERRY_OUTCOME_H

#include <stdbool.h>

/* The project's side since the last agreement. */
#define OUTCOME_PROJECT_TABLE(X)                                                                   \
	X(SAME, "unchanged")                                                                       \
	X(CHANGED, "changed")                                                                      \
	X(DELETED, "withdrawn")                                                                    \
	X(NEW, "new") /* never published, or given up and active again */

/* The mailbox' side since it was last read. */
#define OUTCOME_ITEM_TABLE(X)                                                                      \
	X(SAME, "unchanged")                                                                       \
	X(CHANGED, "changed")                                                                      \
	X(DELETED, "not there")                                                                    \
	X(NEW, "new") /* an item where none was known, or where it had been given up */

#define OUTCOME_TABLE(X)                                                                           \
	X(NOTHING, "nothing", "nothing is done")                                                   \
	X(TAKE, "take", "what the person changed is judged and becomes the project's")             \
	X(MERGE, "merge", "both sides' changes are merged field by field, and the result is sent") \
	X(RECOGNISE, "recognise",                                                                  \
	  "what was sent and not confirmed is looked for in the item: the same is a push that "    \
	  "landed; what differs from it is the person's edit of it, or of what stood before")      \
	X(PUSH, "push",                                                                            \
	  "the project's values are sent, on the condition that the item is as read")              \
	X(CREATE, "create", "an item is made, on the condition that there is none")                \
	X(ADOPT, "adopt",                                                                          \
	  "an item that bears the assignment's UID and title is taken as its item; its progress "  \
	  "and notes count as the person's changes, the plan as the project's")                    \
	X(REVIVE, "revive", "the person has taken the task on again; then as adopt")               \
	X(ASK, "ask",                                                                              \
	  "the ladder of a deletion: looked for, asked for, waited for, counted, then the policy") \
	X(REMOVE, "remove", "the item is removed, on the condition that it is as read")            \
	X(KEEP, "keep and remove",                                                                 \
	  "what the person wrote is kept as a revision, then the item is removed")                 \
	X(FORGET, "forget", "both sides gave it up")                                               \
	X(LEAVE, "leave alone", "an item that somebody put where ours was removed is theirs")

enum outcome_project {
#define X(name, words) PROJECT_##name,
	OUTCOME_PROJECT_TABLE(X)
#undef X
		OUTCOME_PROJECTS
};

enum outcome_item {
#define X(name, words) ITEM_##name,
	OUTCOME_ITEM_TABLE(X)
#undef X
		OUTCOME_ITEMS
};

enum outcome {
#define X(name, words, meaning) OUTCOME_##name,
	OUTCOME_TABLE(X)
#undef X
		OUTCOMES
};

/* IN_FLIGHT: a push was decided and is not confirmed; it may have been carried out. */
enum outcome outcome_of(enum outcome_project project, enum outcome_item item, bool in_flight);

const char *outcome_name(enum outcome outcome);
const char *outcome_meaning(enum outcome outcome);
const char *outcome_project_words(enum outcome_project project);
const char *outcome_item_words(enum outcome_item item);

#endif
