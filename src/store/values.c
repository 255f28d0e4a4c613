/* values.c - the part of project.h that keeps values, the change log, bookings and import bases.
 *
 * A value is one row of field_value, owned by a task or an assignment (their ids come from one
 * sequence). A row with no text says that the value was cleared. The change log is never rewritten;
 * its numbers rise in order of commit. */
#include "config.h"

#include "store/project.h"

#include "base/text.h"
#include "store/blobs.h"
#include "store/project_private.h"
#include "store/rows.h"

int64_t project_owner(const struct assignment *assignment, enum field field)
{
	return field_table[field].scope == SCOPE_TASK ? assignment->task_id : assignment->id;
}

struct fault *values_take(struct db_cursor *cursor, int column, enum field_scope scope,
			  struct stamped *stamped, TALLOC_CTX *authors, const char **author)
{
	enum field field = field_find(db_peek(cursor, column));
	struct value value = { .presence = ABSENT };
	const char *name;

	if (field == FIELDS || field_table[field].scope != scope)
		return NULL;
	FAULT_TRY(value_parse(stamped->values, field, db_peek(cursor, column + 1), &value));
	stamped->values->value[field] = value;
	stamped->seq[field] = db_int(cursor, column + 2);
	stamped->at_us[field] = db_int(cursor, column + 3);
	name = db_peek(cursor, column + 4);
	if (!*author || !text_same(*author, name))
		*author = mem_strdup(authors, name);
	stamped->author[field] = *author;
	return NULL;
}

struct stamped *values_new(TALLOC_CTX *mem)
{
	struct stamped *stamped = MEM_NEW(mem, struct stamped);

	stamped->values = vector_new(stamped);
	return stamped;
}

static struct fault *add_values(struct store *store, int64_t owner, enum field_scope scope,
				struct stamped *stamped)
{
	struct db_cursor *cursor = NULL;
	const char *author = NULL;

	FAULT_TRY(db_query(store->db, stamped, &cursor, SQL_VALUE_OF, "i", owner));
	while (db_next(cursor))
		FAULT_TRY(values_take(cursor, 0, scope, stamped, stamped, &author));
	return db_close(&cursor);
}

struct fault *project_values(struct store *store, TALLOC_CTX *mem,
			     const struct assignment *assignment, struct stamped **stamped_r)
{
	struct stamped *stamped = values_new(mem);

	FAULT_TRY(add_values(store, assignment->task_id, SCOPE_TASK, stamped));
	FAULT_TRY(add_values(store, assignment->id, SCOPE_ASSIGNMENT, stamped));
	*stamped_r = stamped;
	return NULL;
}

struct fault *project_task_values(struct store *store, TALLOC_CTX *mem, int64_t task,
				  struct stamped **stamped_r)
{
	struct stamped *stamped = values_new(mem);

	FAULT_TRY(add_values(store, task, SCOPE_TASK, stamped));
	*stamped_r = stamped;
	return NULL;
}

struct fault *project_change(struct store *store, const struct project_step *step, bool *changed_r)
{
	static const struct value none = { .presence = ABSENT };
	const struct value *old = step->old ? step->old : &none;
	const char *name = field_table[step->field].name;
	int64_t owner =
		field_table[step->field].scope == SCOPE_TASK ? step->task_id : step->assignment_id;
	char *old_text, *new_text;
	struct fault *fault = NULL;
	int64_t seq;

	if (changed_r)
		*changed_r = false;
	if (value_identical(step->field, old, step->new))
		return NULL;
	FAULT_TRY(store_change_seq(store, &seq));
	old_text = value_text(store, step->field, old);
	new_text = value_text(store, step->field, step->new);
	fault = db_run(store->db, SQL_VALUE_PUT, "ittiit", owner, name, new_text, seq, step->at_us,
		       step->author);
	if (!fault)
		fault = db_run(store->db, SQL_CHANGE_ADD, "iiiitttitt", seq, step->project_id,
			       step->task_id,
			       field_table[step->field].scope == SCOPE_TASK ? INT64_C(0)
									    : step->assignment_id,
			       name, old_text, new_text, step->at_us, step->author, step->cause);
	if (!fault && field_table[step->field].type == FIELD_FILES)
		fault = blobs_use(store, owner, new_text);
	talloc_free(old_text);
	talloc_free(new_text);
	if (!fault && changed_r)
		*changed_r = true;
	return fault;
}

static void read_change(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct change *change = element;

	change->seq = db_int(cursor, 0);
	change->name = db_text(cursor, mem, 1);
	change->field = field_find(change->name);
	change->old_text = db_text(cursor, mem, 2);
	change->new_text = db_text(cursor, mem, 3);
	change->at_us = db_int(cursor, 4);
	change->author = db_text(cursor, mem, 5);
	change->cause = db_text(cursor, mem, 6);
}

struct fault *project_history(struct store *store, TALLOC_CTX *mem,
			      const struct assignment *assignment, struct change **list_r,
			      size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_CHANGE_HISTORY, "ii", assignment->id,
			   assignment->task_id));
	return rows_all(cursor, mem, read_change, sizeof **list_r, list_r, count_r);
}

static void read_booked(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct booked *booked = element;

	booked->id = db_int(cursor, 0);
	booked->day = (int32_t)db_int(cursor, 1);
	booked->minutes = db_int(cursor, 2);
	booked->text = db_text(cursor, mem, 3);
	booked->source_key = db_text(cursor, mem, 4);
	booked->at_us = db_int(cursor, 5);
	booked->author = db_text(cursor, mem, 6);
}

struct fault *project_booked(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			     struct booked **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_BOOKING_OF, "i", assignment));
	return rows_all(cursor, mem, read_booked, sizeof **list_r, list_r, count_r);
}

static struct fault *booked_sum(struct store *store, int64_t assignment, int64_t *sum_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_BOOKING_SUM, "i", assignment));
	return rows_int(cursor, 0, sum_r);
}

struct fault *project_book(struct store *store, const struct assignment *assignment,
			   const struct project_booking *booking, bool *booked_r)
{
	struct value old = { .presence = SET }, new = { .presence = SET };
	struct project_step step = { .project_id = assignment->project_id,
				     .task_id = assignment->task_id,
				     .assignment_id = assignment->id,
				     .field = FIELD_actual_work,
				     .old = &old,
				     .new = &new,
				     .at_us = clock_now_us(store->clock),
				     .author = booking->author,
				     .cause = booking->text };
	int64_t id;

	FAULT_TRY(booked_sum(store, assignment->id, &old.number));
	FAULT_TRY(store_id(store, &id));
	FAULT_TRY(db_run(store->db, SQL_BOOKING_ADD, "iiiittit", id, assignment->id,
			 (int64_t)booking->day, booking->minutes, booking->text,
			 booking->source_key, step.at_us, booking->author));
	FAULT_TRY(booked_sum(store, assignment->id, &new.number));
	return project_change(store, &step, booked_r);
}

struct fault *project_unbooked_put(struct store *store, int64_t assignment, const char *source_key)
{
	int64_t id;

	FAULT_TRY(store_id(store, &id));
	return db_run(store->db, SQL_UNBOOKED_ADD, "iit", id, assignment, source_key);
}

static void read_source(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct project_source *source = element;

	source->key = db_text(cursor, mem, 0);
	source->minutes = db_int(cursor, 1);
}

struct fault *project_sources(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			      struct project_source **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_BOOKING_SOURCES, "i", assignment));
	return rows_all(cursor, mem, read_source, sizeof **list_r, list_r, count_r);
}

static struct fault *base_list(struct db_cursor *cursor, TALLOC_CTX *mem,
			       struct project_base **list_r, size_t *count_r)
{
	struct project_base *list = MEM_ARRAY(mem, struct project_base, 64);
	size_t count = 0, room = 64;

	while (db_next(cursor)) {
		if (count == room)
			list = MEM_GROW(mem, list, struct project_base, room *= 2);
		list[count].owner_key = db_text(cursor, list, 0);
		FAULT_TRY(vector_decode(list, db_text(cursor, list, 1), &list[count].values));
		count++;
	}
	FAULT_TRY(db_close(&cursor));
	*list_r = list;
	*count_r = count;
	return NULL;
}

struct fault *project_bases(struct store *store, TALLOC_CTX *mem, int64_t project,
			    struct project_base **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_BASE_OF_PROJECT, "i", project));
	return base_list(cursor, mem, list_r, count_r);
}

struct fault *project_base_put(struct store *store, int64_t project, const char *owner_key,
			       const struct vector *values)
{
	char *text = vector_encode(store, values);
	struct fault *fault = db_run(store->db, SQL_BASE_PUT, "itt", project, owner_key, text);

	talloc_free(text);
	return fault;
}
