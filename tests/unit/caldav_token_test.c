#include "config.h"

#include "gateway/caldav/caldav_token.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"

static const struct {
	const char *text, *sync;
	char kind;
	const char *mark;
	int64_t since_s;
} tokens[] = {
	/* as they have always been */
	{ "s:http://example.com/sync/1", "http://example.com/sync/1", 0, NULL, 0 },
	{ "s:", "", 0, NULL, 0 },
	{ "c:abc", NULL, 'c', "abc", 0 },
	{ "c:\"1795251600\"", NULL, 'c', "\"1795251600\"", 0 },
	/* with a mark */
	{ "s:t1\nc:c1", "t1", 'c', "c1", 0 },
	{ "s:t1\nc@1795251600:c1", "t1", 'c', "c1", 1795251600 },
	{ "s:t1\np:data:,12", "t1", 'p', "data:,12", 0 },
	{ "c@12:x:y", NULL, 'c', "x:y", 12 },
	{ "p@12:@", NULL, 'p', "@", 12 },
};

Test(caldav_token, there_and_back)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(tokens); i++) {
		struct caldav_token token;

		cr_assert(caldav_token_read(mem, tokens[i].text, &token), "%s", tokens[i].text);
		if (tokens[i].sync)
			cr_expect_str_eq(token.sync, tokens[i].sync);
		else
			cr_expect_null(token.sync);
		cr_expect_eq(token.mark.kind, tokens[i].kind, "%s", tokens[i].text);
		if (tokens[i].mark)
			cr_expect_str_eq(token.mark.text, tokens[i].mark);
		else
			cr_expect_null(token.mark.text);
		cr_expect_eq(token.mark.since_s, tokens[i].since_s);
		cr_expect_str_eq(caldav_token_text(mem, &token), tokens[i].text);
	}
	talloc_free(mem);
}

Test(caldav_token, what_is_none)
{
	static const char *const texts[] = {
		"", "t", "S:x", "c", "c@", "c@1", "p1:x", "\n", "x:1"
	};
	struct caldav_token token;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		cr_expect_not(caldav_token_read(NULL, texts[i], &token), "%s", texts[i]);
}

Test(caldav_token, what_cannot_be_written_is_left_out)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct caldav_token token = { .sync = "t", .mark = { 'c', "a\nb", 0 } };

	cr_expect_str_eq(caldav_token_text(mem, &token), "s:t");
	token.mark.text = "";
	cr_expect_str_eq(caldav_token_text(mem, &token), "s:t");
	token.sync = NULL;
	cr_expect_null(caldav_token_text(mem, &token));
	/* what another version may have added is passed over */
	cr_assert(caldav_token_read(mem, "s:t\nz:new", &token));
	cr_expect_str_eq(token.sync, "t");
	cr_expect_null(token.mark.text);
	talloc_free(mem);
}

#define NOW 1000

static const struct {
	const char *what;
	struct caldav_mark before;
	bool fine, stands;
	int64_t since_s; /* of the next one */
} marks[] = {
	{ "none before", { 0, NULL, 0 }, false, false, NOW },
	{ "none before, of a fine server", { 0, NULL, 0 }, true, false, 0 },
	{ "another one", { 'c', "other", 0 }, false, false, NOW },
	{ "another kind", { 'p', "now", 0 }, false, false, NOW },
	{ "the same", { 'c', "now", 0 }, false, true, 0 },
	{ "the same, seen in this second", { 'c', "now", NOW }, false, false, NOW },
	{ "the same, not long ago", { 'c', "now", NOW - 2 }, false, false, NOW - 2 },
	{ "the same, for long enough", { 'c', "now", NOW - 3 }, false, false, 0 },
	{ "the same, of a server found to be fine", { 'c', "now", NOW }, true, false, 0 },
	{ "the same, and the clock was set back", { 'c', "now", NOW + 9 }, false, false, NOW },
	{ "another one, and old", { 'c', "other", NOW - 9 }, false, false, NOW },
};

Test(caldav_token, when_a_mark_is_relied_on)
{
	const struct caldav_mark now = { 'c', "now", 0 };

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		struct caldav_mark next =
			caldav_mark_next(&marks[i].before, &now, marks[i].fine, NOW);

		cr_expect_eq(caldav_mark_stands(&marks[i].before, &now), marks[i].stands, "%s",
			     marks[i].what);
		cr_expect_eq(next.since_s, marks[i].since_s, "%s: %lld", marks[i].what,
			     (long long)next.since_s);
		cr_expect_eq(next.kind, 'c');
		cr_expect_str_eq(next.text, "now");
	}
}

Test(caldav_token, nothing_stands_for_nothing)
{
	const struct caldav_mark none = { 'c', NULL, 0 }, empty = { 'c', "", 0 };

	cr_expect_not(caldav_mark_stands(&none, &none));
	cr_expect_not(caldav_mark_stands(&empty, &empty));
}

#define HASH "187829262e5b75d093ec551f807d5677c43a56aa"

/* A token that we have written after: only where it is made from what the folder holds. */
Test(caldav_token, written_since)
{
	static const char *const counted[] = { "",
					       "data:,12",
					       "1795251600",
					       "http://radicale.org/ns/sync/" HASH,
					       "187829262E5B75D093EC551F807D5677C43A56AA",
					       HASH "0" };
	static const char hash[] = HASH;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct caldav_token token = { .sync = hash, .written = true }, again;

	cr_expect(caldav_token_is_content(hash));
	for (size_t i = 0; i < COUNT_OF(counted); i++)
		cr_expect_not(caldav_token_is_content(counted[i]), "%s", counted[i]);
	cr_assert(caldav_token_read(mem, caldav_token_text(mem, &token), &again));
	cr_expect(again.written);
	cr_expect_str_eq(again.sync, hash);
	cr_expect_null(again.mark.text);
	cr_assert(caldav_token_read(mem, "s:t1\nc:w", &again));
	cr_expect_not(again.written);
	talloc_free(mem);
}

Test(caldav_token, looks_of_seconds)
{
	static const char *const coarse[] = { "1795251600", "\"1795251600\"", "-1", "63899999999" };
	static const char *const fine[] = { "",           "c7",   "1795251600123", "1-1795251600",
					    "http://x/1", "\"\"", "1795251600 " };

	for (size_t i = 0; i < COUNT_OF(coarse); i++)
		cr_expect(caldav_mark_is_coarse(coarse[i]), "%s", coarse[i]);
	for (size_t i = 0; i < COUNT_OF(fine); i++)
		cr_expect_not(caldav_mark_is_coarse(fine[i]), "%s", fine[i]);
}
