#include "config.h"

#include <criterion/criterion.h>

#include "base/attr.h"
#include "decide/twin.h"

Test(twin, table)
{
	static const struct {
		const char *what;
		int64_t known, found;
		bool later, gone;
		enum twin expected;
	} rows[] = {
		{ "our push, its answer lost", 3, 4, true, false, TWIN_TAKE },
		{ "our push, landed before another", 3, 4, false, false, TWIN_TAKE },
		{ "an edit in place", 3, 3, true, false, TWIN_TAKE },
		{ "an older copy of the same", 3, 3, false, false, TWIN_MERGE },
		{ "an edition of long ago", 3, 2, true, false, TWIN_MERGE },
		{ "an edition of long ago, and nothing else is there", 3, 2, false, true,
		  TWIN_TAKE },
		{ "a client dropped the edition", 3, 0, true, false, TWIN_TAKE },
		{ "the same, of before", 3, 0, false, false, TWIN_MERGE },
		{ "nothing known of the one that is gone", 0, 0, false, true, TWIN_TAKE },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		cr_expect_eq(twin_decide(rows[i].known, rows[i].found, rows[i].later, rows[i].gone),
			     rows[i].expected, "%s: expected %d", rows[i].what, rows[i].expected);
}
