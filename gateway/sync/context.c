#include "config.h"

#include "gateway/sync/context.h"

#include <string.h>

/* What predecessors_open() needs; lives with the context. */
struct question {
	struct store *store;
	int64_t project_id;
	const char *keys; /* of the predecessors, one a line */
};

/* A predecessor that is not in the plan any more, or that nobody has to do, holds up nothing. */
static struct fault *predecessors_open(TALLOC_CTX *mem, void *asked, int64_t *open_r)
{
	const struct question *question = asked;
	char *keys = mem_strdup(mem, question->keys), *save = NULL;
	int64_t open = 0;

	for (char *key = strtok_r(keys, "\n", &save); key; key = strtok_r(NULL, "\n", &save)) {
		struct task *task = NULL;
		bool is_open = false;

		FAULT_TRY(project_task_by_key(question->store, mem, question->project_id, key,
					      &task));
		if (task && task->active)
			FAULT_TRY(project_task_is_open(question->store, task->id, &is_open));
		open += is_open;
	}
	*open_r = open;
	return NULL;
}

struct rules_context context_make(TALLOC_CTX *mem, const struct context_of *of, const char *actor,
				  const char *actor_key)
{
	const char *keys = vector_str(of->values, FIELD_predecessors);
	struct when now = { .kind = WHEN_INSTANT, .us = clock_now_us(of->clock) };
	struct question *question;
	struct rules_context context = {
		.task_key = of->task->source_key,
		.milestone = vector_get(of->values, FIELD_milestone, 0) != 0,
		.summary = vector_get(of->values, FIELD_summary, 0) != 0,
		.project_code = of->project->code,
		.project_name = of->project->name,
		.project_state = project_state_name(of->project->state),
		.closed_until = of->conf->site.closed_until,
		.resource_key = of->resource->key,
		.resource_name = of->resource->name,
		.resource_email = of->resource->email,
		.actor = actor,
		.actor_key = actor_key,
		.now_us = now.us,
		.today = when_local_day(&now),
	};

	if (!strcmp(actor, "import"))
		return context;
	question = MEM_NEW(mem, struct question);
	*question = (struct question){ of->store, of->project->id, keys ? keys : "" };
	context.predecessors_open = predecessors_open;
	context.asked = question;
	return context;
}
