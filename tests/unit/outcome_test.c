#include "config.h"

#include <criterion/criterion.h>

#include "base/attr.h"
#include "decide/outcome.h"

/* Every cell, written down a second time: 4 states of the project's side, 4 of the item, and whether
 * a push is under way. */
static const struct {
	enum outcome_project project;
	enum outcome_item item;
	enum outcome quiet, in_flight;
} rows[] = {
	{ PROJECT_SAME, ITEM_SAME, OUTCOME_NOTHING, OUTCOME_PUSH },
	{ PROJECT_SAME, ITEM_CHANGED, OUTCOME_TAKE, OUTCOME_RECOGNISE },
	{ PROJECT_SAME, ITEM_DELETED, OUTCOME_ASK, OUTCOME_ASK },
	{ PROJECT_SAME, ITEM_NEW, OUTCOME_REVIVE, OUTCOME_RECOGNISE },
	{ PROJECT_CHANGED, ITEM_SAME, OUTCOME_PUSH, OUTCOME_PUSH },
	{ PROJECT_CHANGED, ITEM_CHANGED, OUTCOME_MERGE, OUTCOME_RECOGNISE },
	{ PROJECT_CHANGED, ITEM_DELETED, OUTCOME_ASK, OUTCOME_ASK },
	{ PROJECT_CHANGED, ITEM_NEW, OUTCOME_REVIVE, OUTCOME_RECOGNISE },
	{ PROJECT_DELETED, ITEM_SAME, OUTCOME_REMOVE, OUTCOME_REMOVE },
	{ PROJECT_DELETED, ITEM_CHANGED, OUTCOME_KEEP, OUTCOME_KEEP },
	{ PROJECT_DELETED, ITEM_DELETED, OUTCOME_FORGET, OUTCOME_FORGET },
	{ PROJECT_DELETED, ITEM_NEW, OUTCOME_LEAVE, OUTCOME_KEEP },
	{ PROJECT_NEW, ITEM_SAME, OUTCOME_PUSH, OUTCOME_PUSH },
	{ PROJECT_NEW, ITEM_CHANGED, OUTCOME_MERGE, OUTCOME_RECOGNISE },
	{ PROJECT_NEW, ITEM_DELETED, OUTCOME_CREATE, OUTCOME_CREATE },
	{ PROJECT_NEW, ITEM_NEW, OUTCOME_ADOPT, OUTCOME_RECOGNISE },
};

Test(outcome, every_cell)
{
	bool seen[OUTCOME_PROJECTS][OUTCOME_ITEMS] = { { false } };
	bool used[OUTCOMES] = { false };

	cr_assert_eq(COUNT_OF(rows), OUTCOME_PROJECTS * OUTCOME_ITEMS);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *project = outcome_project_words(rows[i].project),
			   *item = outcome_item_words(rows[i].item);
		enum outcome quiet = outcome_of(rows[i].project, rows[i].item, false),
			     flying = outcome_of(rows[i].project, rows[i].item, true);

		cr_assert_not(seen[rows[i].project][rows[i].item], "%s, %s: twice", project, item);
		seen[rows[i].project][rows[i].item] = true;
		cr_expect_eq(quiet, rows[i].quiet, "%s, %s: %s", project, item,
			     outcome_name(quiet));
		cr_expect_eq(flying, rows[i].in_flight, "%s, %s, in flight: %s", project, item,
			     outcome_name(flying));
		used[quiet] = used[flying] = true;
	}
	for (int o = 0; o < OUTCOMES; o++)
		cr_expect(used[o], "'%s' stands in no cell", outcome_name((enum outcome)o));
}

/* N1: wherever an item differs from what was read, its content is looked at before anything is
 * written or removed. N5: an item that is not there is never simply given up. */
Test(outcome, no_cell_writes_over_an_edit)
{
	for (int p = 0; p < OUTCOME_PROJECTS; p++)
		for (int flying = 0; flying < 2; flying++) {
			enum outcome changed =
				outcome_of((enum outcome_project)p, ITEM_CHANGED, flying);
			enum outcome gone =
				outcome_of((enum outcome_project)p, ITEM_DELETED, flying);

			cr_expect(changed != OUTCOME_PUSH && changed != OUTCOME_REMOVE &&
					  changed != OUTCOME_NOTHING && changed != OUTCOME_CREATE,
				  "%s: %s", outcome_project_words((enum outcome_project)p),
				  outcome_name(changed));
			cr_expect(gone == OUTCOME_ASK || p == PROJECT_DELETED || p == PROJECT_NEW,
				  "%s: %s", outcome_project_words((enum outcome_project)p),
				  outcome_name(gone));
		}
}
