/* revisions.c - the fields of a revision are three vectors in one text: sections "base", "theirs",
 * "ours", each in the vector's own encoding, every line preceded by its section's letter. */
#include "config.h"

#include "store/revisions.h"

#include <string.h>

#include "base/buf.h"
#include "store/blobs.h"
#include "store/rows.h"

static const char section_letters[] = { 'b', 't', 'o' };

static const struct value *section_value(const struct revision_field *field, size_t section)
{
	const struct value *values[] = { &field->base, &field->theirs, &field->ours };

	return values[section];
}

static void add_section(struct buf *out, const struct revision *revision, size_t section)
{
	struct vector *vector = vector_new(out);
	char *text, *save = NULL;

	for (int f = 0; f < FIELDS; f++) {
		const struct value *value = section_value(&revision->field[f], section);

		if (!revision->has[f])
			continue;
		/* absent is kept as cleared: the field's presence in a revision is what counts */
		if (value->presence == SET)
			vector_put(vector, (enum field)f, value);
		else
			vector_clear(vector, (enum field)f);
	}
	text = vector_encode(vector, vector);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		buf_printf(out, "%c%s\n", section_letters[section], line);
	talloc_free(vector);
}

static char *fields_text(TALLOC_CTX *mem, const struct revision *revision)
{
	struct buf *out = buf_new(mem);

	for (size_t s = 0; s < COUNT_OF(section_letters); s++)
		add_section(out, revision, s);
	return buf_steal(&out, mem, NULL);
}

static struct fault *read_section(struct revision *revision, const char *text, size_t section)
{
	struct buf *lines = buf_new(revision);
	struct vector *vector = NULL;

	for (const char *line = text; line && *line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);

		if (*line == section_letters[section]) {
			buf_add(lines, line + 1, len - 1);
			buf_putc(lines, '\n');
		}
		line = end ? end + 1 : NULL;
	}
	FAULT_TRY(vector_decode(revision, lines->data, &vector));
	for (int f = 0; f < FIELDS; f++) {
		struct value *values[] = { &revision->field[f].base, &revision->field[f].theirs,
					   &revision->field[f].ours };

		if (vector->value[f].presence == ABSENT)
			continue;
		revision->has[f] = true;
		*values[section] = vector->value[f];
	}
	talloc_free(lines);
	return NULL;
}

/* The bytes of all attachments that it speaks of, so that each of its values can be taken. */
static struct fault *keep_files(struct store *store, int64_t id, const struct revision *revision)
{
	const struct revision_field *field = &revision->field[FIELD_attachments];
	char *all = NULL;
	struct fault *fault;

	if (!revision->has[FIELD_attachments])
		return NULL;
	for (size_t s = 0; s < COUNT_OF(section_letters); s++)
		if (section_value(field, s)->presence == SET)
			all = files_join(store, all, section_value(field, s)->text);
	fault = blobs_use(store, id, all);
	talloc_free(all);
	return fault;
}

struct fault *revisions_add(struct store *store, const struct revision *revision)
{
	char *fields = fields_text(store, revision);
	struct db_cursor *cursor = NULL;
	struct fault *fault;
	int64_t same = 0, id;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_REVISION_SAME, "itt",
			   revision->assignment_id, revision_state_name(revision->state), fields));
	FAULT_TRY(rows_int(cursor, 0, &same));
	if (same && !revision->has[FIELD_actual_work] &&
	    (revision->state == REVISION_PROPOSED || revision->state == REVISION_LOSING)) {
		talloc_free(fields);
		return NULL;
	}
	fault = store_id(store, &id);
	if (!fault)
		fault = keep_files(store, id, revision);
	if (!fault)
		fault = db_run(store->db, SQL_REVISION_ADD, "iittttittt", id,
			       revision->assignment_id, revision_state_name(revision->state),
			       revision->rule, revision->message, fields, revision->at_us,
			       revision->author, revision->writer, revision->against);
	talloc_free(fields);
	return fault;
}

struct fault *revisions_decide(struct store *store, const struct revision *revision)
{
	return db_run(store->db, SQL_REVISION_DECIDE, "ittit", revision->id,
		      revision_state_name(revision->state), revision->comment, revision->decided_us,
		      revision->decided_by);
}

struct raw_revision {
	struct revision *revision;
	char *fields;
};

static void read_raw(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct raw_revision *raw = element;
	struct revision *revision = MEM_NEW(mem, struct revision);
	const char *origin;

	revision->id = db_int(cursor, 0);
	revision->assignment_id = db_int(cursor, 1);
	revision->state = revision_state_find(db_text(cursor, revision, 2));
	revision->rule = db_text(cursor, revision, 3);
	revision->message = db_text(cursor, revision, 4);
	raw->fields = db_text(cursor, mem, 5);
	revision->at_us = db_int(cursor, 6);
	revision->author = db_text(cursor, revision, 7);
	revision->comment = db_text(cursor, revision, 8);
	revision->decided_us = db_int(cursor, 9);
	revision->decided_by = db_text(cursor, revision, 10);
	origin = db_text(cursor, revision, 11);
	revision->origin = origin ? revision_state_find(origin) : revision->state;
	revision->writer = db_text(cursor, revision, 12);
	revision->against = db_text(cursor, revision, 13);
	raw->revision = revision;
}

static struct fault *cook(TALLOC_CTX *mem, struct raw_revision *raw, size_t count,
			  struct revision **list_r)
{
	struct revision *list = MEM_ARRAY(mem, struct revision, count);

	talloc_steal(list, raw);
	for (size_t i = 0; i < count; i++) {
		struct revision *revision = raw[i].revision;

		if (revision->state == REVISION_STATES || revision->origin == REVISION_STATES)
			return fault_new(mem, FAULT_DATA, "revision %lld has an unknown state",
					 (long long)revision->id);
		for (size_t s = 0; s < COUNT_OF(section_letters); s++)
			FAULT_TRY(read_section(revision, raw[i].fields, s));
		list[i] = *revision;
	}
	*list_r = list;
	return NULL;
}

struct fault *revisions_list(struct store *store, TALLOC_CTX *mem, enum revision_state state,
			     struct revision **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;
	struct raw_revision *raw = NULL;
	size_t count = 0;

	if (state == REVISION_STATES)
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_ALL, ""));
	else
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_IN, "t",
				   revision_state_name(state)));
	FAULT_TRY(rows_all(cursor, mem, read_raw, sizeof *raw, &raw, &count));
	FAULT_TRY(cook(mem, raw, count, list_r));
	*count_r = count;
	return NULL;
}

struct fault *revisions_of(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			   struct revision **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;
	struct raw_revision *raw = NULL;
	size_t count = 0;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_OF, "i", assignment));
	FAULT_TRY(rows_all(cursor, mem, read_raw, sizeof *raw, &raw, &count));
	FAULT_TRY(cook(mem, raw, count, list_r));
	*count_r = count;
	return NULL;
}

struct fault *revisions_newest(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			       struct revision **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;
	struct raw_revision *raw = NULL;
	size_t count = 0;
	int64_t any = 0;

	/* most have none, and what puts rows in order is dear even without any */
	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_ANY, "i", assignment));
	FAULT_TRY(rows_int(cursor, 0, &any));
	if (!any) {
		*list_r = NULL;
		*count_r = 0;
		return NULL;
	}
	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_NEWEST, "ii", assignment,
			   (int64_t)REVISIONS_NEWEST));
	FAULT_TRY(rows_all(cursor, mem, read_raw, sizeof *raw, &raw, &count));
	FAULT_TRY(cook(mem, raw, count, list_r));
	*count_r = count;
	return NULL;
}

struct fault *revisions_get(struct store *store, TALLOC_CTX *mem, int64_t id,
			    struct revision **revision_r)
{
	struct db_cursor *cursor = NULL;
	struct raw_revision *raw = NULL;
	size_t count = 0;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REVISION_GET, "i", id));
	FAULT_TRY(rows_all(cursor, mem, read_raw, sizeof *raw, &raw, &count));
	if (!count) {
		*revision_r = NULL;
		return NULL;
	}
	return cook(mem, raw, count, revision_r);
}
