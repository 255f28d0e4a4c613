/* context.h - what rules judge a change of an assignment with (decide/rules.h), read from the store.
 */
#ifndef TASKFERRY_CONTEXT_H
#define TASKFERRY_CONTEXT_H

#include "decide/rules.h"
#include "store/project.h"

/* What the change is about. */
struct context_of {
	const struct conf *conf;
	struct store *store;
	struct clock *clock;
	const struct project *project;
	const struct resource *resource; /* whose assignment it is */
	const struct task *task;
	const struct vector *values; /* of the assignment, as they stand */
};

/* The context of a change by ACTOR ("mailbox", "project", "import"). ACTOR_KEY is the key of the
 * person whose account it came from, NULL where it came from none. The predecessors' state is
 * looked up in the store when a rule asks for it, so what OF points to has to live as long as the
 * context, which has its own part in MEM. In an import it is not known: the predecessors' values
 * may be further down in the same file. */
struct rules_context context_make(TALLOC_CTX *mem, const struct context_of *of, const char *actor,
				  const char *actor_key);

#endif
