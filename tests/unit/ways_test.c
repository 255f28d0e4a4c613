/* How accounts are watched, as a text and back. */
#include "config.h"

#include "gateway/watch/ways.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_way(const char *text, int64_t account, const char *how, int64_t every_s)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct ways_account way = { .how = "" };
	bool found = ways_find(mem, text, account, &way);

	cr_expect_eq(found, how != NULL, "%s: %lld", text, (long long)account);
	if (found && how) {
		cr_expect_str_eq(way.how, how, "%s: %lld", text, (long long)account);
		cr_expect_eq(way.every_s, every_s, "%s: %lld", text, (long long)account);
	}
	talloc_free(mem);
}

Test(ways, there_and_back)
{
	struct ways_account list[] = { { 9, "polled", 60 }, { 3, "idle", 0 },
				       { 1, "idle", 0 },    { 2, "idle", 0 },
				       { 5, "idle", 0 },    { 8, "notify", 900 },
				       { 7, "polled", 60 }, { 10, "polled", 50 } };
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = ways_text(mem, list, COUNT_OF(list), 1000);

	cr_expect_str_eq(text, "idle:1-3,5 notify+900:8 polled+50:10 polled+60:7,9");
	expect_way(text, 1, "idle", 0);
	expect_way(text, 2, "idle", 0);
	expect_way(text, 5, "idle", 0);
	expect_way(text, 8, "notify", 900);
	expect_way(text, 9, "polled", 60);
	expect_way(text, 10, "polled", 50);
	expect_way(text, 4, NULL, 0);
	expect_way(text, 11, NULL, 0);
	cr_expect_str_eq(ways_text(mem, list, 0, 1000), "");
	talloc_free(mem);
}

/* Ten thousand that are not beside one another fit as far as they do. */
Test(ways, no_longer_than_it_may_be)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct ways_account *list = MEM_ARRAY(mem, struct ways_account, 10000);
	char *text;

	for (size_t i = 0; i < 10000; i++)
		list[i] = (struct ways_account){ (int64_t)i * 2, i % 2 ? "idle" : "polled",
						 i % 3 ? 0 : 60 };
	text = ways_text(mem, list, 10000, 2000);
	cr_expect(strlen(text) > 1900 && strlen(text) <= 2000, "%zu", strlen(text));
	expect_way(text, 2, "idle", 0);
	expect_way(text, 3, NULL, 0);
	talloc_free(mem);
}

Test(ways, what_is_none)
{
	static const char *const texts[] = {
		"", " ", "idle", "idle:", "idle:x", "idle:1x", "idle+:", ":", "idle:-", "x:9-,1",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect_way(texts[i], 7, NULL, 0);
}
