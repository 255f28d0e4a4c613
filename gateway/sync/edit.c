#include "config.h"

#include "gateway/sync/edit.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/sync/context.h"
#include "model/effort.h"
#include "queue/queue.h"
#include "store/link.h"

bool edit_is_structure(enum field field)
{
	return field == FIELD_parent || field == FIELD_predecessors || field == FIELD_summary;
}

struct fault *edit_context(TALLOC_CTX *mem, const struct edit_env *env,
			   const struct assignment *assignment, const struct vector *values,
			   const char *actor, struct rules_context *context_r)
{
	struct project *project = NULL;
	struct resource *resource = NULL;
	struct task *task = NULL;

	FAULT_TRY(project_by_id(env->store, mem, assignment->project_id, &project));
	FAULT_TRY(project_resource(env->store, mem, assignment->resource_id, &resource));
	FAULT_TRY(project_task(env->store, mem, assignment->task_id, &task));
	if (!project || !resource || !task)
		return fault_new(mem, FAULT_INTERNAL,
				 "assignment %lld lacks its project, person or task",
				 (long long)assignment->id);
	*context_r = context_make(mem,
				  &(struct context_of){ .conf = env->conf,
							.store = env->store,
							.clock = env->clock,
							.project = project,
							.resource = resource,
							.task = task,
							.values = values },
				  actor, NULL);
	return NULL;
}

struct fault *edit_write(const struct edit_env *env, const struct assignment *assignment,
			 const struct vector *before, const struct vector *after, const char *cause,
			 bool changed_r[FIELDS])
{
	struct project_step step = { .project_id = assignment->project_id,
				     .task_id = assignment->task_id,
				     .assignment_id = assignment->id,
				     .at_us = clock_now_us(env->clock),
				     .author = env->author,
				     .cause = cause };

	for (int f = 0; f < FIELDS; f++) {
		step.field = (enum field)f;
		step.old = &before->value[f];
		step.new = &after->value[f];
		if (field_table[f].owner != OWNER_DERIVED && after->value[f].presence != ABSENT)
			FAULT_TRY(project_change(env->store, &step, &changed_r[f]));
	}
	return NULL;
}

/* Setting actual work to a number books the difference, once, keyed by the change that it makes. */
static struct fault *book_difference(const struct edit_env *env,
				     const struct assignment *assignment, int64_t from, int64_t to,
				     bool *changed)
{
	struct when now = when_instant(clock_now_us(env->clock), "UTC");
	struct project_booking booking = { .day = when_local_day(&now),
					   .minutes = to - from,
					   .text = "set to a number",
					   .author = env->author };
	int64_t seq = 0;
	struct fault *fault;
	char *key;

	if (from == to)
		return NULL;
	FAULT_TRY(store_change_last(env->store, &seq));
	key = mem_printf(env->store, "set:%lld", (long long)seq + 1);
	booking.source_key = key;
	fault = project_book(env->store, assignment, &booking, changed);
	talloc_free(key);
	return fault;
}

static struct fault *ask(TALLOC_CTX *mem, const struct edit_env *env,
			 const struct edit_field *fields, size_t count, struct vector *after)
{
	for (size_t i = 0; i < count; i++) {
		const struct field_info *info = &field_table[fields[i].field];
		struct value value = { .presence = ABSENT };
		int64_t minutes;

		if (edit_is_structure(fields[i].field))
			return fault_new(mem, FAULT_DATA,
					 "%s comes from the plan; change it there and import again",
					 info->name);
		if (info->type == FIELD_FILES)
			return fault_new(mem, FAULT_DATA,
					 "%s are not set like this; see taskferry task attach and "
					 "task detach",
					 info->name);
		if (info->type == FIELD_EFFORT && fields[i].text[0] &&
		    effort_from_text(fields[i].text, env->conf->site.hours_per_day * 60, &minutes))
			value = (struct value){ .presence = SET, .number = minutes };
		else
			FAULT_TRY(value_parse(mem, fields[i].field, fields[i].text, &value));
		if (info->type == FIELD_LIST) { /* people write commas */
			char *names = mem_strdup(mem, fields[i].text);

			for (char *c = names; *c; c++)
				if (*c == ',')
					*c = '\n';
			vector_list(after, fields[i].field, names);
			continue;
		}
		vector_put(after, fields[i].field, &value);
	}
	return NULL;
}

struct fault *edit_judge(TALLOC_CTX *mem, const struct edit_env *env,
			 const struct rules_context *context, const char *done,
			 struct edit_result *result)
{
	struct rules_result *verdict =
		rules_judge(result, env->rules, context, result->before, result->after);

	for (size_t i = 0; i < verdict->hit_count; i++) {
		const struct rules_hit *hit = &verdict->hits[i];
		const char *words = hit->message ? hit->message : "";

		result->messages =
			MEM_GROW(result, result->messages, const char *, result->message_count + 1);
		result->messages[result->message_count++] =
			mem_printf(result, "rule %s: %s", hit->rule, words);
		if (hit->action == RULE_REJECT || hit->action == RULE_HOLD)
			return fault_new(mem, FAULT_DATA, "not %s: rule %s: %s", done, hit->rule,
					 words);
	}
	result->attention = result->attention || verdict->hit_count > 0;
	result->after = verdict->values;
	return NULL;
}

static struct fault *judge(TALLOC_CTX *mem, const struct edit_env *env,
			   const struct assignment *assignment, struct edit_result *result)
{
	struct rules_context context;

	FAULT_TRY(edit_context(mem, env, assignment, result->before, "project", &context));
	return edit_judge(mem, env, &context, "changed", result);
}

struct fault *edit_carry(TALLOC_CTX *mem, const struct edit_env *env, int64_t project)
{
	int64_t *accounts = NULL;
	size_t count = 0;

	FAULT_TRY(link_behind(env->store, mem, project, 0, &accounts, &count));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(queue_add(env->store, JOB_PULL, accounts[i], 0, clock_now_us(env->clock),
				    NULL));
	return NULL;
}

/* What its person declined is theirs again when it is not cancelled any more. */
static struct fault *offer_again(const struct edit_env *env, struct assignment *assignment,
				 struct edit_result *result)
{
	if (assignment->state != ASSIGNMENT_DECLINED || !result->changed[FIELD_status] ||
	    vector_get(result->after, FIELD_status, STATUS_CANCELLED) == STATUS_CANCELLED)
		return NULL;
	result->offered = true;
	return project_assignment_set_state(env->store, assignment, ASSIGNMENT_ACTIVE, env->author,
					    "given to the assignee again");
}

/* Who sets a percentage need not say that it has been started. */
static void start(const struct vector *before, struct vector *after)
{
	int64_t percent = vector_get(after, FIELD_percent, 0);

	if (percent > 0 && percent < 100 && percent != vector_get(before, FIELD_percent, 0) &&
	    vector_get(after, FIELD_status, STATUS_NEEDS_ACTION) == STATUS_NEEDS_ACTION &&
	    vector_get(before, FIELD_status, STATUS_NEEDS_ACTION) == STATUS_NEEDS_ACTION)
		vector_number(after, FIELD_status, STATUS_IN_PROCESS);
}

static struct fault *edit(TALLOC_CTX *mem, const struct edit_env *env, int64_t id,
			  const struct edit_field *fields, size_t count, struct edit_result *result)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;

	FAULT_TRY(project_assignment(env->store, result, id, &assignment));
	if (!assignment)
		return fault_new(mem, FAULT_DATA,
				 "there is no assignment %lld; `taskferry task list` shows all",
				 (long long)id);
	FAULT_TRY(project_values(env->store, result, assignment, &stamped));
	result->before = stamped->values;
	result->after = vector_copy(result, stamped->values);
	FAULT_TRY(ask(result, env, fields, count, result->after));
	start(result->before, result->after);
	FAULT_TRY(judge(result, env, assignment, result));
	FAULT_TRY(
		edit_write(env, assignment, result->before, result->after, NULL, result->changed));
	FAULT_TRY(book_difference(env, assignment, vector_get(result->before, FIELD_actual_work, 0),
				  vector_get(result->after, FIELD_actual_work, 0),
				  &result->changed[FIELD_actual_work]));
	FAULT_TRY(offer_again(env, assignment, result));
	return edit_carry(result, env, assignment->project_id);
}

struct fault *edit_assignment(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
			      const struct edit_field *fields, size_t count,
			      struct edit_result **result_r)
{
	struct edit_result *result = MEM_NEW(mem, struct edit_result);
	struct fault *fault;

	FAULT_TRY(store_begin(env->store));
	fault = edit(mem, env, assignment, fields, count, result);
	point_reach(env->points, POINT_SET_STAGED);
	if (!fault)
		fault = store_commit(env->store);
	store_rollback(env->store);
	if (fault)
		return fault;
	point_reach(env->points, POINT_SET_DONE);
	*result_r = result;
	return NULL;
}
