#include "config.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/imap/imap_flags.h"
#include "gateway/imap/imap_set.h"

/* ---- addresses ---- */

Test(imap_set, addresses_sort_by_arrival)
{
	static const uint32_t uids[] = { 1, 9, 10, 99, 1000, 4294967295U };
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(uids); i++) {
		char *address = imap_set_address(mem, 77, uids[i]);
		uint32_t validity = 0, uid = 0;

		cr_assert(imap_set_address_read(address, &validity, &uid), "%s", address);
		cr_assert(validity == 77 && uid == uids[i], "%s", address);
		if (i)
			cr_assert_gt(strcmp(address, imap_set_address(mem, 77, uids[i - 1])), 0,
				     "%s", address);
	}
	talloc_free(mem);
}

static const char *const not_addresses[] = {
	NULL,
	"",
	"77.7",
	"0000000077",
	"0000000077.",
	"0000000077.000000007",
	"0000000077.00000000007",
	"0000000077,0000000007",
	"0000000077.000000000x",
	"0000000000.0000000007",
	"0000000077.0000000000",
	"9999999999.0000000007",
	"0000000077.4294967296",
	" 000000077.0000000007",
	"+000000077.0000000007",
};

Test(imap_set, nothing_else_is_an_address)
{
	for (size_t i = 0; i < COUNT_OF(not_addresses); i++) {
		uint32_t validity = 1, uid = 2;

		cr_expect_not(imap_set_address_read(not_addresses[i], &validity, &uid), "%s",
			      not_addresses[i]);
		cr_expect(validity == 1 && uid == 2, "%s: touched", not_addresses[i]);
	}
}

/* ---- sets ---- */

static const struct {
	uint32_t uids[8];
	size_t count;
	const char *text;
} sets[] = {
	{ { 7 }, 1, "7" },
	{ { 1, 2, 3, 5, 7, 8 }, 6, "1:3,5,7:8" },
	{ { 8, 1, 7, 2, 3, 5 }, 6, "1:3,5,7:8" },
	{ { 4, 4, 5, 4, 9, 9 }, 6, "4:5,9" },
	{ { 4294967295U, 4294967294U, 1 }, 3, "1,4294967294:4294967295" },
};

Test(imap_set, sets_are_short)
{
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		char *text = imap_set_text(NULL, sets[i].uids, sets[i].count);

		cr_expect_str_eq(text, sets[i].text, "expected %s, actual %s", sets[i].text, text);
		talloc_free(text);
	}
}

static const struct {
	const char *text;
	size_t max;
	uint32_t uids[8];
	size_t count; /* 0: not a set */
} texts[] = {
	{ "7", 10, { 7 }, 1 },
	{ "3:5", 10, { 3, 4, 5 }, 3 },
	{ "5:3", 10, { 3, 4, 5 }, 3 },
	{ "9,3:4,1", 10, { 9, 3, 4, 1 }, 4 },
	{ "4294967295", 1, { 4294967295U }, 1 },
	{ "4294967294:4294967295", 2, { 4294967294U, 4294967295U }, 2 },
	{ "3:5", 3, { 3, 4, 5 }, 3 },
	{ "3:5", 2, { 0 }, 0 },
	{ "1,2,3", 2, { 0 }, 0 },
	{ "1:4294967295", 1000, { 0 }, 0 },
	{ "", 10, { 0 }, 0 },
	{ "0", 10, { 0 }, 0 },
	{ "0:2", 10, { 0 }, 0 },
	{ "*", 10, { 0 }, 0 },
	{ "1:*", 10, { 0 }, 0 },
	{ "1,", 10, { 0 }, 0 },
	{ ",1", 10, { 0 }, 0 },
	{ "1:", 10, { 0 }, 0 },
	{ "1:2:3", 10, { 0 }, 0 },
	{ "1 2", 10, { 0 }, 0 },
	{ "-1", 10, { 0 }, 0 },
	{ "4294967296", 10, { 0 }, 0 },
	{ "99999999999999999999999", 10, { 0 }, 0 },
};

Test(imap_set, sets_are_read_strictly_and_within_bounds)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_uids uids = { 0 };
		bool is = imap_set_read(mem, texts[i].text, texts[i].max, &uids);

		cr_assert_eq(is, texts[i].count > 0, "%s: %d", texts[i].text, is);
		cr_assert_leq(uids.count, texts[i].max, "%s: %zu", texts[i].text, uids.count);
		for (size_t j = 0; j < texts[i].count; j++)
			cr_assert_eq(uids.uid[j], texts[i].uids[j], "%s: %" PRIu32, texts[i].text,
				     uids.uid[j]);
		talloc_free(mem);
	}
}

Test(imap_set, lists_are_sorted_and_searched)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_uids uids = { 0 };

	cr_assert(imap_set_sort(&uids));
	cr_assert_not(imap_set_has(&uids, 1));
	for (uint32_t i = 200; i > 0; i -= 2)
		imap_set_add(mem, &uids, i);
	cr_assert(imap_set_sort(&uids));
	for (uint32_t i = 1; i <= 201; i++)
		cr_assert_eq(imap_set_has(&uids, i), i % 2 == 0, "%" PRIu32, i);
	imap_set_add(mem, &uids, 100);
	cr_assert_not(imap_set_sort(&uids), "twice the same");
	talloc_free(mem);
}

/* ---- dates ---- */

static const struct {
	const char *date, *utc; /* NULL: not one */
} dates[] = {
	{ "17-Jul-1996 02:44:25 -0700", "1996-07-17T09:44:25Z" },
	{ " 7-Jul-1996 02:44:25 +0530", "1996-07-06T21:14:25Z" },
	{ "07-jul-1996 02:44:25 +0000", "1996-07-07T02:44:25Z" },
	{ "29-Feb-2024 23:59:59 +0000", "2024-02-29T23:59:59Z" },
	{ "29-Feb-2023 23:59:59 +0000", NULL },
	{ "00-Feb-2023 23:59:59 +0000", NULL },
	{ "7-Jul-1996 02:44:25 -0700", NULL },
	{ "17-Jux-1996 02:44:25 -0700", NULL },
	{ "17-Jul-1996 24:44:25 -0700", NULL },
	{ "17-Jul-1996 02:44:25", NULL },
	{ "17-Jul-1996 02:44:25 0700", NULL },
	{ "17-Jul-1996 02:44:25 -0700\r\n", NULL },
	{ "17-Jul-1996 02:44:25 -0700\"", NULL },
	{ "17 Jul 1996 02:44:25 -0700", NULL },
	{ "", NULL },
};

Test(imap_set, dates_are_read_strictly)
{
	for (size_t i = 0; i < COUNT_OF(dates); i++) {
		int64_t us = -1, expected = -1;
		bool is = imap_set_date_read(dates[i].date, &us);

		cr_expect_eq(is, dates[i].utc != NULL, "%s: %d", dates[i].date, is);
		if (dates[i].utc)
			cr_assert(clock_from_rfc3339(dates[i].utc, &expected));
		cr_expect_eq(us, expected, "%s: expected %" PRId64 ", actual %" PRId64,
			     dates[i].date, expected, us);
	}
}

/* ---- flags ---- */

static const struct {
	const char *text, *flags;
} flag_texts[] = {
	{ "", "" },
	{ "\\Seen work", "\\Seen work" },
	{ "work \\Seen", "\\Seen work" },
	{ "\\Recent \\RECENT a", "a" },
	{ "a A a", "a" },
	{ "a\"b a{5} a(b a)b a%b a*b \\* a\\b a]b \x7f \xc3\xa9", "" },
	{ "\\ $Label1 NonJunk", "$Label1 NonJunk" },
};

Test(imap_flags, only_flags_are_flags)
{
	for (size_t i = 0; i < COUNT_OF(flag_texts); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *text = imap_flags_text(mem, imap_flags_of_text(mem, flag_texts[i].text));

		cr_expect_str_eq(text, flag_texts[i].flags, "%s: expected %s, actual %s",
				 flag_texts[i].text, flag_texts[i].flags, text);
		talloc_free(mem);
	}
}

static const struct {
	const char *a, *b;
	bool same;
	const char *lacking; /* of A in B */
} flag_pairs[] = {
	{ "", "", true, "" },
	{ "\\Seen work", "work \\seen", true, "" },
	{ "\\Seen work", "\\Seen", false, "work" },
	{ "\\Seen", "\\Seen work", false, "" },
	{ "\\Seen \\Deleted a b", "\\Flagged a", false, "\\Seen b" },
};

Test(imap_flags, flags_are_compared_without_case)
{
	for (size_t i = 0; i < COUNT_OF(flag_pairs); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_flags *a = imap_flags_of_text(mem, flag_pairs[i].a),
				  *b = imap_flags_of_text(mem, flag_pairs[i].b);
		char *lacking = imap_flags_text(mem, imap_flags_lacking(mem, a, b));

		cr_expect_eq(imap_flags_same(a, b), flag_pairs[i].same, "%s and %s",
			     flag_pairs[i].a, flag_pairs[i].b);
		cr_expect_str_eq(lacking, flag_pairs[i].lacking, "%s without %s: %s",
				 flag_pairs[i].a, flag_pairs[i].b, lacking);
		talloc_free(mem);
	}
}

Test(imap_flags, a_message_has_not_many_flags)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *text = mem_strdup(mem, "");

	for (int i = 0; i < 3000; i++)
		text = talloc_asprintf_append(text, "k%d ", i);
	cr_assert_eq(imap_flags_of_text(mem, text)->count, 1000);
	talloc_free(mem);
}
