#include "config.h"

#include "decide/stale.h"

#include "spec.h"

#define STEPS_MAX 8

/* Steps as "EDITION+ SPEC" (published) or "EDITION- SPEC" (read); the base that is found by its
 * index, -1: `seen`. */
struct stale_case {
	const char *label;
	const char *steps[STEPS_MAX];
	const char *seen;
	int64_t seen_edition;
	const char *item;
	int64_t item_edition;
	enum stale expected;
	int base;
	bool doubt;
};

#define OLD "percent=20; due=2026-12-01; notes="
#define NEW "percent=60; due=2026-12-05; notes="

static const struct stale_case cases[] = {
	{ "an edit of the latest",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  NEW "; notes=x",
	  2,
	  STALE_NOT,
	  -1,
	  false },
	{ "a lone return at the latest edition is an edit",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  "percent=20; due=2026-12-05",
	  2,
	  STALE_NOT,
	  -1,
	  false },
	{ "all returned at the latest edition: an edit, too",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  OLD,
	  2,
	  STALE_NOT,
	  -1,
	  false },
	{ "a whole old object", { "1+" OLD, "2+" NEW }, NEW, 2, OLD, 1, STALE_NAMED, 0, false },
	{ "an old object with an edit",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  OLD "; notes=x",
	  1,
	  STALE_NAMED,
	  0,
	  false },
	{ "what was read of that edition last",
	  { "1+" OLD, "1-percent=40; due=2026-12-01", "2+" NEW },
	  NEW,
	  2,
	  "percent=40; due=2026-12-01; notes=x",
	  1,
	  STALE_NAMED,
	  1,
	  false },
	{ "an earlier state of that edition, exactly",
	  { "1+" OLD, "1-percent=40; due=2026-12-01; notes=", "2+" NEW },
	  NEW,
	  2,
	  OLD,
	  1,
	  STALE_NAMED,
	  0,
	  true },
	{ "an edition that was never seen by anybody",
	  { "1+" OLD, "2+" NEW, "3+percent=70" },
	  NEW,
	  2,
	  OLD,
	  1,
	  STALE_NAMED,
	  0,
	  false },
	{ "an edition of long ago, by its looks",
	  { "7+" OLD, "8+" NEW },
	  NEW,
	  8,
	  OLD "; notes=x",
	  1,
	  STALE_GUESSED,
	  0,
	  true },
	{ "no edition: two things returned",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  OLD,
	  0,
	  STALE_GUESSED,
	  0,
	  true },
	{ "no edition: one thing returned, and an edit beside",
	  { "1+percent=20; notes=", "2+percent=60; notes=" },
	  "percent=60; notes=",
	  2,
	  "percent=20; notes=x",
	  0,
	  STALE_GUESSED,
	  0,
	  true },
	{ "no edition: a lone return is an edit",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  "percent=20; due=2026-12-05; notes=",
	  0,
	  STALE_NOT,
	  -1,
	  false },
	{ "no edition: one that knows a part of the latest is no old copy",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  "percent=20; due=2026-12-05; notes=x",
	  0,
	  STALE_NOT,
	  -1,
	  false },
	{ "no edition: an edit of what was pushed over",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  "percent=30; due=2026-12-01; notes=",
	  0,
	  STALE_GUESSED,
	  0,
	  true },
	{ "no edition: status, percent and date are one thing",
	  { "1+percent=20; status=in-process", "2+percent=100; status=completed" },
	  "percent=100; status=completed",
	  2,
	  "percent=20; status=in-process",
	  0,
	  STALE_NOT,
	  -1,
	  false },
	{ "no edition: what nobody pushed over is the person's own to take back",
	  { "1+percent=20; notes=", "1-percent=40; notes=y" },
	  "percent=40; notes=y",
	  0,
	  "percent=20; notes=",
	  0,
	  STALE_NOT,
	  -1,
	  false },
	{ "no edition: the nearest of several",
	  { "1+" OLD, "2+percent=40; due=2026-12-03; notes=", "3+" NEW },
	  NEW,
	  3,
	  "percent=40; due=2026-12-03; notes=x",
	  0,
	  STALE_GUESSED,
	  1,
	  true },
	{ "no edition, and properties dropped",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  "notes=x",
	  0,
	  STALE_NOT,
	  -1,
	  false },
	{ "nothing is known", { NULL }, NEW, 0, OLD, 0, STALE_NOT, -1, false },
	{ "a number from the future",
	  { "1+" OLD, "2+" NEW },
	  NEW,
	  2,
	  NEW "; notes=x",
	  9,
	  STALE_NOT,
	  -1,
	  false },
};

Test(stale, table)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "UTC"));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct stale_case *c = &cases[i];
		struct stale_step steps[STEPS_MAX];
		struct stale_input input = { .seen = spec_vector(mem, c->seen),
					     .seen_edition = c->seen_edition,
					     .item = spec_vector(mem, c->item),
					     .item_edition = c->item_edition,
					     .steps = steps };
		struct stale_verdict verdict;
		int base = -1;

		for (; input.count < STEPS_MAX && c->steps[input.count]; input.count++) {
			const char *text = c->steps[input.count];

			steps[input.count] =
				(struct stale_step){ .edition = text[0] - '0',
						     .pushed = text[1] == '+',
						     .values = spec_vector(mem, text + 2) };
		}
		verdict = stale_judge(&input);
		for (size_t s = 0; s < input.count; s++)
			if (verdict.base == steps[s].values)
				base = (int)s;
		cr_expect_eq(verdict.kind, c->expected, "%s: verdict %d", c->label,
			     (int)verdict.kind);
		cr_expect_eq(base, c->base, "%s: base %d", c->label, base);
		cr_expect_eq(verdict.other != NULL, c->doubt, "%s: doubt", c->label);
		cr_expect(verdict.kind != STALE_NOT || verdict.base == input.seen, "%s", c->label);
	}
	talloc_free(mem);
}
