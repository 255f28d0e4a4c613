#include "config.h"

#include "model/ids.h"

#include "spec.h"

static char *moved_groups(TALLOC_CTX *mem, const char *before, const char *now)
{
	bool moved[GROUPS];
	bool any = ids_moved(before, now, moved);
	struct buf *out = buf_new(mem);

	for (int g = 0; g < GROUPS; g++)
		if (moved[g])
			buf_printf(out, "%s%s", out->len ? " " : "",
				   field_group_name((enum field_group)g));
	cr_assert_eq(any, out->len > 0);
	return buf_steal(&out, mem, NULL);
}

Test(ids, of_vectors)
{
	static const struct {
		const char *before, *now, *moved;
	} rows[] = {
		{ "percent=40; due=2026-12-01", "percent=40; due=2026-12-01", "" },
		{ "percent=40; due=2026-12-01", "percent=60; due=2026-12-01", "progress" },
		{ "percent=40; due=2026-12-01", "percent=40; due=2026-12-02", "plan" },
		{ "percent=40", "percent=60; notes=a", "progress notes" },
		{ "notes=a", "notes=", "notes" },
		{ "", "subject=x", "plan" },
		{ "", "", "" },
		/* a new number where the digest is of what was read, not of what it means */
		{ "due=2026-12-01T12:00:00Z", "due=2026-12-01T12:00:01Z", "plan" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_assert_null(zone_use(mem, "UTC"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *before = ids_of_vector(mem, 1, spec_vector(mem, rows[i].before)),
		     *now = ids_of_vector(mem, 1, spec_vector(mem, rows[i].now));

		cr_expect_str_eq(moved_groups(mem, before, now), rows[i].moved,
				 "{%s} -> {%s}: %s -> %s", rows[i].before, rows[i].now, before,
				 now);
	}
	talloc_free(mem);
}

Test(ids, all_moved_where_nothing_can_be_compared)
{
	static const char all[] = "plan progress notes files custom client";
	static const char *const strange[] = {
		NULL, "", "1:", "1:a b", "nonsense", "2:- - - - - -"
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	char *now = ids_of_vector(mem, 1, vector_new(mem));

	cr_expect_str_eq(now, "1:- - - - - -");
	for (size_t i = 0; i < COUNT_OF(strange); i++) {
		const char *moved = moved_groups(mem, strange[i], now);

		if (strange[i] && !strcmp(strange[i], "1:a b"))
			cr_expect_str_eq(moved, all);
		else
			cr_expect_str_eq(moved, all, "'%s': %s", strange[i] ? strange[i] : "none",
					 moved);
	}
	cr_expect_str_eq(moved_groups(mem, now, NULL), all);
	talloc_free(mem);
}

Test(ids, of_changes)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	int64_t seq[FIELDS] = { 0 };
	char *before, *now;

	seq[FIELD_subject] = 3;
	seq[FIELD_due] = 7;
	seq[FIELD_percent] = 5;
	before = ids_of_changes(mem, seq);
	cr_expect_str_eq(before, "7 5 0 0 0 0");
	seq[FIELD_status] = 12;
	now = ids_of_changes(mem, seq);
	cr_expect_str_eq(moved_groups(mem, before, now), "progress");
	cr_expect_str_eq(moved_groups(mem, now, now), "");
	talloc_free(mem);
}

/* State per item is bounded: one id a group. */
Test(ids, are_short)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vector *full = spec_vector(mem, "subject=s; due=2026-12-01; percent=4; notes=n");

	cr_expect_leq(strlen(ids_of_vector(mem, 1, full)), 2 + GROUPS * (IDS_HASH_CHARS + 1));
	talloc_free(mem);
}
