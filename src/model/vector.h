/* vector.h - the values of all fields of an item or an assignment, decoded.
 *
 * A value is three-valued: absent (this text says nothing about the field), cleared (it says that
 * there is none), set. A vector's texts belong to the talloc context that the vector was made
 * under; those of a decoded one are pieces of one text, and none of them is freed or stolen alone.
 */
#ifndef TASKFERRY_VECTOR_H
#define TASKFERRY_VECTOR_H

#include "base/fault.h"
#include "model/field.h"
#include "model/when.h"

enum presence { ABSENT, CLEARED, SET };

struct value {
	enum presence presence;
	int64_t number;   /* NUMBER, EFFORT (minutes), FLAG (0, 1), STATUS (enum status) */
	struct when when; /* WHEN */
	const char *text; /* TEXT, LIST, FILES */
};

struct vector {
	struct value value[FIELDS];
};

/* All values absent. */
struct vector *vector_new(TALLOC_CTX *mem);
struct vector *vector_copy(TALLOC_CTX *mem, const struct vector *vector);

/* A copy for a while: its texts are those of VECTOR, which outlives it. */
struct vector *vector_view(TALLOC_CTX *mem, const struct vector *vector);

/* Setters. Texts are copied under VECTOR. vector_list takes names separated by newlines, in any
 * order. A NULL or empty text clears. Texts are UTF-8. The setter must fit the field's type, and a
 * status must be one. */
void vector_clear(struct vector *vector, enum field field);
void vector_number(struct vector *vector, enum field field, int64_t number);
void vector_when(struct vector *vector, enum field field, struct when when);
void vector_text(struct vector *vector, enum field field, const char *text);
void vector_list(struct vector *vector, enum field field, const char *lines);

/* Copies any value. */
void vector_put(struct vector *vector, enum field field, const struct value *value);

static inline bool vector_is_set(const struct vector *vector, enum field field)
{
	return vector->value[field].presence == SET;
}

/* The number of a set value, else OTHERWISE; the text of a set value, else NULL. */
int64_t vector_get(const struct vector *vector, enum field field, int64_t otherwise);
const char *vector_str(const struct vector *vector, enum field field);

/* True when two values of FIELD mean the same: absent and cleared are the same; percent and
 * priority absent are 0, status absent is needs-action, a flag absent is false (but no effort is
 * not an effort of 0); an instant equals a date that it is on (when_on_day()), two instants are
 * compared by the minute; priorities are compared by RFC 5545's bands (1-4, 5, 6-9,
 * none); texts after CR, blanks at line ends and blank lines at the end are gone; lists as
 * sets, of files as sets of contents. */
bool value_same(enum field field, const struct value *a, const struct value *b);

/* True when they are the same to the letter, but for absent and cleared, and for an instant's zone.
 */
bool value_identical(enum field field, const struct value *a, const struct value *b);

/* The canonical text of a set value ("60", "2026-11-21", "in-process", "true", minutes); NULL when
 * not set. */
char *value_text(TALLOC_CTX *mem, enum field field, const struct value *value);

/* The reverse, lenient in form ("60 %", "1.5h", "Yes", blanks around); an empty or NULL text
 * clears. DATA fault naming the field when it is no such value. Numbers may lie outside of their
 * range (140 per cent, less than no work): rules judge, not parsers. Days of effort are not read:
 * their length is configuration. */
struct fault *value_parse(TALLOC_CTX *mem, enum field field, const char *text,
			  struct value *value_r) ATTR_MUST_CHECK;

/* One line per field that is not absent, for the database, in the table's order; and back, to the
 * letter. `NAME VALUE` is set (newline and backslash as `\n` and `\\`, an instant's zone behind a
 * blank, its wall day behind a `/`), `NAME!` cleared; each line ends with a newline. Unknown names are skipped, so a newer
 * vector can be read; any other line that is not of that form, or whose value is none, is a DATA
 * fault. NULL decodes as "". */
char *vector_encode(TALLOC_CTX *mem, const struct vector *vector);

/* Adds the lines of that group only. */
void vector_put_group(struct buf *buf, const struct vector *vector, enum field_group group);
struct fault *vector_decode(TALLOC_CTX *mem, const char *text,
			    struct vector **vector_r) ATTR_MUST_CHECK;

/* The short hash (8 hex digits) of what an item publishes: of the fields that have a VTODO
 * property, by meaning. Vectors that are value_same() in all of these hash alike (but for an instant
 * that is on a date by another zone than the site's), and so do those that differ only in the time
 * of a day. */
char *vector_hash(TALLOC_CTX *mem, const struct vector *vector);

#endif
