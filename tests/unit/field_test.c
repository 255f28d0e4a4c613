/* field_test.c - the table of fields agrees with itself and with DESIGN section 4. */
#include "config.h"

#include "model/field.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "base/attr.h"

Test(field, names_are_found_again_and_are_names)
{
	for (int i = 0; i < FIELDS; i++) {
		const char *name = field_table[i].name;

		cr_expect_eq(field_find(name), (enum field)i, "%s", name);
		for (const char *c = name; *c; c++)
			cr_expect(islower((unsigned char)*c) || *c == '_', "%s", name);
	}
	cr_expect_eq(field_find("Subject"), FIELDS);
	cr_expect_eq(field_find("sub"), FIELDS);
	cr_expect_eq(field_find(""), FIELDS);
	cr_expect_eq(field_find(NULL), FIELDS);
}

/* Two fields of one property or key would be read as each other. */
Test(field, no_property_key_or_element_is_used_twice)
{
	for (int i = 0; i < FIELDS; i++)
		for (int k = 0; k < i; k++) {
			const struct field_info *a = &field_table[i], *b = &field_table[k];

			cr_expect_str_neq(a->name, b->name);
			cr_expect(!a->vtodo || !b->vtodo || strcmp(a->vtodo, b->vtodo) != 0,
				  "%s %s", a->name, b->name);
			cr_expect(!a->card || !b->card || strcmp(a->card, b->card) != 0, "%s %s",
				  a->name, b->name);
			cr_expect(!a->mspdi || !b->mspdi || strcmp(a->mspdi, b->mspdi) != 0,
				  "%s %s", a->name, b->name);
		}
}

Test(field, merge_and_owner_agree)
{
	for (int i = 0; i < FIELDS; i++) {
		const struct field_info *f = &field_table[i];

		cr_expect_eq(f->merge == MERGE_NONE, f->owner != OWNER_BOTH, "%s", f->name);
		cr_expect(f->merge != MERGE_COUPLED || f->group == GROUP_PROGRESS, "%s", f->name);
	}
}

Test(field, rows_are_as_designed)
{
	static const struct {
		enum field field;
		enum field_type type;
		enum field_scope scope;
		enum field_group group;
		enum field_merge merge;
		const char *vtodo;
	} rows[] = {
		{ FIELD_subject, FIELD_TEXT, SCOPE_TASK, GROUP_PLAN, MERGE_NEWER, "SUMMARY" },
		{ FIELD_due, FIELD_WHEN, SCOPE_ASSIGNMENT, GROUP_PLAN, MERGE_NEWER, "DUE" },
		{ FIELD_priority, FIELD_NUMBER, SCOPE_TASK, GROUP_PLAN, MERGE_NEWER, "PRIORITY" },
		{ FIELD_categories, FIELD_LIST, SCOPE_TASK, GROUP_PLAN, MERGE_SET, "CATEGORIES" },
		{ FIELD_total_work, FIELD_EFFORT, SCOPE_ASSIGNMENT, GROUP_PLAN, MERGE_NEWER,
		  "ESTIMATED-DURATION" },
		{ FIELD_status, FIELD_STATUS, SCOPE_ASSIGNMENT, GROUP_PROGRESS, MERGE_COUPLED,
		  "STATUS" },
		{ FIELD_percent, FIELD_NUMBER, SCOPE_ASSIGNMENT, GROUP_PROGRESS, MERGE_COUPLED,
		  "PERCENT-COMPLETE" },
		{ FIELD_completed_at, FIELD_WHEN, SCOPE_ASSIGNMENT, GROUP_PROGRESS, MERGE_COUPLED,
		  "COMPLETED" },
		{ FIELD_actual_work, FIELD_EFFORT, SCOPE_ASSIGNMENT, GROUP_PROGRESS, MERGE_NONE,
		  "X-TASKFERRY-ACTUAL-WORK" },
		{ FIELD_notes, FIELD_TEXT, SCOPE_ASSIGNMENT, GROUP_NOTES, MERGE_NEWER,
		  "DESCRIPTION" },
		{ FIELD_milestone, FIELD_FLAG, SCOPE_TASK, GROUP_PLAN, MERGE_NONE, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct field_info *f = &field_table[rows[i].field];

		cr_expect(f->type == rows[i].type && f->scope == rows[i].scope &&
				  f->group == rows[i].group && f->merge == rows[i].merge,
			  "%s", f->name);
		if (rows[i].vtodo)
			cr_expect_str_eq(f->vtodo, rows[i].vtodo);
		else
			cr_expect_null(f->vtodo, "%s", f->name);
	}
}

Test(field, every_enum_has_its_names)
{
	static const char *const statuses[] = { "needs-action", "in-process", "completed",
						"cancelled" };
	static const char *const groups[] = { "plan",  "progress", "notes",
					      "files", "custom",   "client" };

	cr_assert_eq(COUNT_OF(statuses), STATUSES);
	for (int i = 0; i < STATUSES; i++) {
		cr_expect_str_eq(status_name((enum status)i), statuses[i]);
		cr_expect_eq(status_find(statuses[i]), (enum status)i);
	}
	cr_expect_eq(status_find("done"), STATUSES);
	cr_expect_eq(status_find(NULL), STATUSES);
	cr_assert_eq(COUNT_OF(groups), GROUPS);
	for (int i = 0; i < GROUPS; i++) {
		cr_expect_str_eq(field_group_name((enum field_group)i), groups[i]);
		cr_expect_eq(field_group_find(groups[i]), (enum field_group)i);
	}
	cr_expect_eq(field_group_find("files and more"), GROUPS);
	cr_expect_eq(field_group_find(NULL), GROUPS);
	cr_expect_str_eq(field_type_name(FIELD_TEXT), "text");
	cr_expect_str_eq(field_type_name(FIELD_LIST), "list");
	cr_expect_str_eq(field_scope_name(SCOPE_ASSIGNMENT), "assignment");
	cr_expect_str_eq(field_owner_name(OWNER_DERIVED), "derived");
	cr_expect_str_eq(field_merge_name(MERGE_COUPLED), "coupled");
}
