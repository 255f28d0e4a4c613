#include "config.h"

#include "decide/outcome.h"

#include <assert.h>

#define O(name) OUTCOME_##name

/* [project][item][in flight]; no cell is left out, none is a default. */
static const enum outcome cells[OUTCOME_PROJECTS][OUTCOME_ITEMS][2] = {
	[PROJECT_SAME] = {
		[ITEM_SAME] = { O(NOTHING), O(PUSH) },
		[ITEM_CHANGED] = { O(TAKE), O(RECOGNISE) },
		[ITEM_DELETED] = { O(ASK), O(ASK) },
		[ITEM_NEW] = { O(REVIVE), O(RECOGNISE) },
	},
	[PROJECT_CHANGED] = {
		[ITEM_SAME] = { O(PUSH), O(PUSH) },
		[ITEM_CHANGED] = { O(MERGE), O(RECOGNISE) },
		[ITEM_DELETED] = { O(ASK), O(ASK) },
		[ITEM_NEW] = { O(REVIVE), O(RECOGNISE) },
	},
	[PROJECT_DELETED] = {
		[ITEM_SAME] = { O(REMOVE), O(REMOVE) },
		[ITEM_CHANGED] = { O(KEEP), O(KEEP) },
		[ITEM_DELETED] = { O(FORGET), O(FORGET) },
		[ITEM_NEW] = { O(LEAVE), O(KEEP) },
	},
	[PROJECT_NEW] = {
		[ITEM_SAME] = { O(PUSH), O(PUSH) },
		[ITEM_CHANGED] = { O(MERGE), O(RECOGNISE) },
		[ITEM_DELETED] = { O(CREATE), O(CREATE) },
		[ITEM_NEW] = { O(ADOPT), O(RECOGNISE) },
	},
};

enum outcome outcome_of(enum outcome_project project, enum outcome_item item, bool in_flight)
{
	assert(project < OUTCOME_PROJECTS && item < OUTCOME_ITEMS);
	return cells[project][item][in_flight];
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
#define X(name, words, meaning) words,
		OUTCOME_TABLE(X)
#undef X
	};

	return names[outcome];
}

const char *outcome_meaning(enum outcome outcome)
{
	static const char *const meanings[] = {
#define X(name, words, meaning) meaning,
		OUTCOME_TABLE(X)
#undef X
	};

	return meanings[outcome];
}

const char *outcome_project_words(enum outcome_project project)
{
	static const char *const all[] = {
#define X(name, words) words,
		OUTCOME_PROJECT_TABLE(X)
#undef X
	};

	return all[project];
}

const char *outcome_item_words(enum outcome_item item)
{
	static const char *const all[] = {
#define X(name, words) words,
		OUTCOME_ITEM_TABLE(X)
#undef X
	};

	return all[item];
}
