/* spec.h - a vector as a line of text, for tables of cases: "percent=40; due=2026-11-21; notes="
 * (set, set, cleared); a field that is not named is absent. */
#ifndef TASKFERRY_TESTS_SPEC_H
#define TASKFERRY_TESTS_SPEC_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/vector.h"

static inline void spec_put(struct vector *vector, const char *spec)
{
	char *copy = mem_strdup(vector, spec), *save = NULL;

	for (char *word = strtok_r(copy, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		char *name = text_trim(vector, word);
		char *text = strchr(name, '=');
		struct value value = { .presence = ABSENT };
		struct fault *fault;
		enum field field;

		if (!*name)
			continue;
		cr_assert_not_null(text, "no '=' in '%s'", spec);
		*text++ = '\0';
		field = field_find(name);
		cr_assert_lt((int)field, (int)FIELDS, "no field '%s' in '%s'", name, spec);
		fault = value_parse(vector, field, text, &value);
		cr_assert_null(fault, "'%s': %s", spec, fault ? fault->text : "");
		if (field_table[field].type == FIELD_LIST) {
			for (char *c = text; *c; c++)
				if (*c == ',')
					*c = '\n';
			vector_list(vector, field, text);
		} else {
			vector_put(vector, field, &value);
		}
	}
}

static inline struct vector *spec_vector(TALLOC_CTX *mem, const char *spec)
{
	struct vector *vector = vector_new(mem);

	spec_put(vector, spec);
	return vector;
}

/* NULL stays NULL: no vector. */
static inline struct vector *spec_vector_or_null(TALLOC_CTX *mem, const char *spec)
{
	return spec ? spec_vector(mem, spec) : NULL;
}

/* Back, in the order of the field table; only set fields when SET_ONLY. */
static inline char *spec_text(TALLOC_CTX *mem, const struct vector *vector, bool set_only)
{
	struct buf *buf = buf_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		const struct value *value = &vector->value[f];

		if (value->presence == ABSENT || (set_only && value->presence != SET))
			continue;
		buf_printf(buf, "%s%s=%s", buf->len ? "; " : "", field_table[f].name,
			   value->presence == SET ? value_text(mem, (enum field)f, value) : "");
	}
	return buf_steal(&buf, mem, NULL);
}

static inline int64_t spec_time(const char *rfc3339)
{
	int64_t us = 0;

	cr_assert(!rfc3339 || clock_from_rfc3339(rfc3339, &us), "no time: %s",
		  rfc3339 ? rfc3339 : "");
	return us;
}

#endif
