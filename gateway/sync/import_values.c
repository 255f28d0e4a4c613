/* import_values.c - the file's side of a merge: base = what the last import said, only a difference
 * from it is a change. */
#include "config.h"

#include "gateway/sync/import_private.h"

#include <string.h>

#include "base/text.h"
#include "store/revisions.h"

/* The fields that are taken together or not at all. */
static bool is_coupled(enum field field)
{
	return field_table[field].merge == MERGE_COUPLED;
}

static const struct vector *base_of(struct import *import, const char *owner_key)
{
	struct keyed *found = import_key_find(import->bases, owner_key);

	return found ? ((struct project_base *)found->row)->values : NULL;
}

static bool differs(const struct vector *base, const struct vector *file, enum field field)
{
	static const struct value none = { .presence = ABSENT };

	return !value_identical(field, base ? &base->value[field] : &none, &file->value[field]);
}

/* What a person wrote and the file replaces. */
static void keep_old(struct revision *losing, const struct vector *base, const struct stamped *now,
		     const struct vector *after, enum field field)
{
	revision_field(losing, field, base ? &base->value[field] : NULL, &now->values->value[field],
		       &after->value[field]);
	losing->writer = now->author[field];
}

/* The project's values with the file's differences put in; LOSING gets what people wrote and the
 * file now replaces. */
static struct vector *apply(struct import *import, const struct vector *base,
			    const struct vector *file, const struct stamped *now,
			    struct revision *losing)
{
	struct vector *after = vector_copy(import->mem, now->values);
	bool coupled = false;

	for (int f = 0; f < FIELDS; f++)
		coupled = coupled ||
			  (is_coupled((enum field)f) && differs(base, file, (enum field)f));
	for (int f = 0; f < FIELDS; f++) {
		const struct value *old = &now->values->value[f];
		bool take =
			is_coupled((enum field)f) ? coupled : differs(base, file, (enum field)f);

		if (!take || field_table[f].owner == OWNER_DERIVED)
			continue;
		if (file->value[f].presence == SET)
			vector_put(after, (enum field)f, &file->value[f]);
		else if (old->presence == SET)
			vector_clear(after, (enum field)f);
		if (now->author[f] && text_starts(now->author[f], "mailbox:") &&
		    !value_same((enum field)f, old, &after->value[f]))
			keep_old(losing, base, now, after, (enum field)f);
	}
	return after;
}

static bool any_changed(const bool changed[FIELDS])
{
	for (int f = 0; f < FIELDS; f++)
		if (changed[f])
			return true;
	return false;
}

static struct fault *keep_losing(struct import *import, const struct assignment *assignment,
				 struct revision *losing)
{
	if (!revision_has_any(losing))
		return NULL;
	losing->assignment_id = assignment->id;
	losing->message = "replaced by a newer value of the project file";
	losing->at_us = clock_now_us(import->env.clock);
	losing->author = losing->against = import->env.author;
	import->result->losing++;
	return revisions_add(import->env.store, losing);
}

/* The person's own assignment of a task whose value they wrote: where they find it again. */
static struct fault *assignment_of_writer(struct import *import, int64_t task, const char *writer,
					  struct assignment **assignment_r)
{
	const char *key = strchr(writer, '/');
	struct resource *resource = NULL;
	struct assignment *list = NULL;
	size_t count = 0;

	if (key)
		FAULT_TRY(project_resource_by_key(import->env.store, import->mem, key + 1,
						  &resource));
	if (resource)
		FAULT_TRY(project_assignments_of_task(import->env.store, import->mem, task,
						      resource->id, &list, &count));
	*assignment_r = count ? &list[0] : NULL;
	return NULL;
}

static struct fault *keep_losing_of_task(struct import *import, const struct task *task,
					 struct revision *losing)
{
	struct assignment *assignment = NULL;

	if (!revision_has_any(losing))
		return NULL;
	FAULT_TRY(assignment_of_writer(import, task->id, losing->writer, &assignment));
	return assignment ? keep_losing(import, assignment, losing) : NULL;
}

struct fault *import_task_values(struct import *import, const struct task *task,
				 const struct projfile_task *row, bool *changed_r)
{
	struct assignment owner = { .project_id = import->result->project->id,
				    .task_id = task->id };
	char *owner_key = mem_printf(import->mem, "t:%s", row->key);
	struct vector *file = vector_copy(import->mem, row->values);
	const struct vector *base = base_of(import, owner_key);
	struct revision *losing = revision_new(import->mem, REVISION_LOSING);
	bool changed[FIELDS] = { false };
	struct stamped *now = NULL;

	vector_text(file, FIELD_parent, row->parent_key);
	FAULT_TRY(project_task_values(import->env.store, import->mem, task->id, &now));
	FAULT_TRY(edit_write(&import->env, &owner, now->values,
			     apply(import, base, file, now, losing), NULL, changed));
	FAULT_TRY(keep_losing_of_task(import, task, losing));
	*changed_r = any_changed(changed);
	return project_base_put(import->env.store, owner.project_id, owner_key, file);
}

static struct fault *book(struct import *import, const struct assignment *assignment,
			  const struct vector *base, const struct vector *file)
{
	int64_t before = base ? vector_get(base, FIELD_actual_work, 0) : 0,
		after = vector_get(file, FIELD_actual_work, 0);
	struct when now = when_instant(clock_now_us(import->env.clock), "UTC");
	struct project_booking booking = { .day = when_local_day(&now),
					   .minutes = after - before,
					   .text = "from the project file",
					   .author = import->env.author };
	int64_t seq = 0;

	if (before == after)
		return NULL;
	FAULT_TRY(store_change_last(import->env.store, &seq));
	booking.source_key = mem_printf(import->mem, "import:%lld", (long long)seq + 1);
	return project_book(import->env.store, assignment, &booking, NULL);
}

static struct fault *judge(struct import *import, const struct assignment *assignment,
			   const struct vector *before, struct vector **after)
{
	struct rules_context context;
	struct rules_result *verdict;
	bool same = true;

	for (int f = 0; f < FIELDS && same; f++)
		same = value_identical((enum field)f, &before->value[f], &(*after)->value[f]);
	if (same)
		return NULL;
	FAULT_TRY(edit_context(import->mem, &import->env, assignment, *after, "import", &context));
	verdict = rules_judge(import->mem, import->env.rules, &context, before, *after);
	for (size_t i = 0; i < verdict->hit_count; i++) {
		const char *subject = vector_str(*after, FIELD_subject);

		import_note(import, "rule %s on '%s': %s", verdict->hits[i].rule,
			    subject ? subject : "a task",
			    verdict->hits[i].message ? verdict->hits[i].message : "changed");
		import->result->attention = true;
	}
	*after = verdict->values;
	return NULL;
}

struct fault *import_assignment_values(struct import *import, const struct assignment *assignment,
				       const struct projfile_assignment *row, bool *changed_r)
{
	char *owner_key = mem_printf(import->mem, "a:%s", assignment->uid);
	const struct vector *base = base_of(import, owner_key);
	struct revision *losing = revision_new(import->mem, REVISION_LOSING);
	bool changed[FIELDS] = { false };
	struct stamped *now = NULL;
	struct vector *after;

	FAULT_TRY(project_values(import->env.store, import->mem, assignment, &now));
	after = apply(import, base, row->values, now, losing);
	FAULT_TRY(judge(import, assignment, now->values, &after));
	FAULT_TRY(edit_write(&import->env, assignment, now->values, after, NULL, changed));
	FAULT_TRY(book(import, assignment, base, row->values));
	FAULT_TRY(keep_losing(import, assignment, losing));
	*changed_r = any_changed(changed);
	return project_base_put(import->env.store, assignment->project_id, owner_key, row->values);
}
