#include "config.h"

#include "model/field.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"

const struct field_info field_table[FIELDS] = {
#define X(name, type, scope, group, owner, merge, vtodo, card, mspdi)                              \
	{ #name,         FIELD_##type, SCOPE_##scope, GROUP_##group, OWNER_##owner,                \
	  MERGE_##merge, vtodo,        card,          mspdi },
	FIELD_TABLE(X)
#undef X
};

static const char *const type_names[] = {
	"text", "number", "when", "effort", "flag", "status", "list", "files",
};
_Static_assert(COUNT_OF(type_names) == FIELD_TYPES, "one name per type");

static const char *const scope_names[] = { "task", "assignment" };
_Static_assert(COUNT_OF(scope_names) == SCOPES, "one name per scope");

static const char *const group_names[] = {
	"plan", "progress", "notes", "files", "custom", "client",
};
_Static_assert(COUNT_OF(group_names) == GROUPS, "one name per group");

static const char *const owner_names[] = { "both", "project", "derived" };
_Static_assert(COUNT_OF(owner_names) == OWNERS, "one name per owner");

static const char *const merge_names[] = { "newer", "set", "coupled", "none" };
_Static_assert(COUNT_OF(merge_names) == MERGES, "one name per merge policy");

static const char *const status_names[] = {
	"needs-action",
	"in-process",
	"completed",
	"cancelled",
};
_Static_assert(COUNT_OF(status_names) == STATUSES, "one name per status");

static size_t find(const char *const *names, size_t count, const char *name)
{
	size_t i = 0;

	if (!name)
		return count;
	while (i < count && strcmp(names[i], name) != 0)
		i++;
	return i;
}

enum field field_find(const char *name)
{
	int i = 0;

	if (!name)
		return FIELDS;
	while (i < FIELDS &&
	       (*field_table[i].name != *name || strcmp(field_table[i].name, name) != 0))
		i++;
	return (enum field)i;
}

const char *field_type_name(enum field_type type)
{
	assert(type < FIELD_TYPES);
	return type_names[type];
}

const char *field_scope_name(enum field_scope scope)
{
	assert(scope < SCOPES);
	return scope_names[scope];
}

const char *field_group_name(enum field_group group)
{
	assert(group < GROUPS);
	return group_names[group];
}

const char *field_owner_name(enum field_owner owner)
{
	assert(owner < OWNERS);
	return owner_names[owner];
}

const char *field_merge_name(enum field_merge merge)
{
	assert(merge < MERGES);
	return merge_names[merge];
}

enum field_group field_group_find(const char *name)
{
	return (enum field_group)find(group_names, GROUPS, name);
}

const char *status_name(enum status status)
{
	assert(status < STATUSES);
	return status_names[status];
}

enum status status_find(const char *name)
{
	return (enum status)find(status_names, STATUSES, name);
}
