#include "config.h"

#include "model/revision.h"

#include <string.h>

#include "base/text.h"

static const char *const revision_states[] = { "losing",   "corrected", "rejected",
					       "proposed", "accepted",  "dismissed" };
_Static_assert(COUNT_OF(revision_states) == REVISION_STATES, "one name per state");

const char *revision_state_name(enum revision_state state)
{
	return revision_states[state];
}

enum revision_state revision_state_find(const char *name)
{
	for (int i = 0; i < REVISION_STATES; i++)
		if (!strcmp(revision_states[i], name))
			return (enum revision_state)i;
	return REVISION_STATES;
}

struct revision *revision_new(TALLOC_CTX *mem, enum revision_state state)
{
	struct revision *revision = MEM_NEW(mem, struct revision);

	revision->state = revision->origin = state;
	return revision;
}

bool revision_is_of_person(const struct revision *revision)
{
	return revision->writer && text_starts(revision->writer, "mailbox:");
}

static struct value copy_value(struct revision *revision, enum field field,
			       const struct value *value)
{
	struct vector *holder;

	if (!value)
		return (struct value){ .presence = ABSENT };
	holder = vector_new(revision);
	vector_put(holder, field, value);
	return holder->value[field];
}

void revision_field(struct revision *revision, enum field field, const struct value *base,
		    const struct value *theirs, const struct value *ours)
{
	revision->has[field] = true;
	revision->field[field].base = copy_value(revision, field, base);
	revision->field[field].theirs = copy_value(revision, field, theirs);
	revision->field[field].ours = copy_value(revision, field, ours);
}

bool revision_has_any(const struct revision *revision)
{
	for (int f = 0; f < FIELDS; f++)
		if (revision->has[f])
			return true;
	return false;
}
