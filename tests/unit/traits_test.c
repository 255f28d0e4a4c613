#include "config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/caldav/caldav_traits.h"
#include "gateway/sync/traits.h"
#include "../contract/caldav_servers.h"

#define NOW INT64_C(1795000000000000)
#define DAY TRAITS_DAY_US

/* ---- whose they are ---- */

/* What one host does is not believed of another that stands in the same section. */
Test(traits, a_section_of_many_hosts_is_many_servers)
{
	static const struct {
		const char *url, *email, *name;
	} cases[] = {
		{ "https://dav.example.com/", "ana@example.com", "cal" },
		{ "example.com", "ana@example.com", "cal" },
		{ "%{email}", "ana@example.com", "cal example.com" },
		{ "%{email}", "Bob@Other.Example", "cal other.example" },
		{ "%{email}", NULL, "cal" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct conf_server server = { .name = "cal", .url = cases[i].url };
		struct resource resource = { .email = cases[i].email };

		cr_expect_str_eq(traits_name(mem, &server, &resource), cases[i].name);
	}
	talloc_free(mem);
}

/* ---- texts ---- */

Test(traits, a_text_says_what_is_known)
{
	static const struct {
		const char *text, *known;
	} cases[] = {
		{ NULL, "" },
		{ "", "" },
		{ "sync=yes create-guard=no", "create-guard=no sync=yes" },
		{ "  sync=yes   item-max=1048576 ", "sync=yes item-max=1048576" },
		{ "sync=maybe create-guard=unknown", "" },
		{ "sync sync= =yes syn=yes sync=yes1 flies=yes", "" },
		{ "item-max=-5", "" },
		{ "item-max=x", "" },
		{ "cut=yes product=Cal_DAV/2", "cut=yes product=Cal_DAV/2" },
		{ "sync=yes sync=no", "sync=no" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct caldav_traits traits;
		char *known;

		caldav_traits_read(cases[i].text, &traits);
		known = caldav_traits_text(mem, &traits);
		cr_expect_str_eq(known, cases[i].known, "%s: expected %s, got %s", cases[i].text,
				 cases[i].known, known);
	}
	talloc_free(mem);
}

Test(traits, a_product_is_one_word)
{
	char expected[CALDAV_PRODUCT_MAX + 1], longest[200];
	struct caldav_traits traits = { .item_max = 0 };

	caldav_traits_name(&traits, "A\tb\r\nc=d \xC3\xA4");
	cr_expect_str_eq(traits.product, "A_b__c=d___");
	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	caldav_traits_name(&traits, longest);
	memset(expected, 'x', CALDAV_PRODUCT_MAX);
	expected[CALDAV_PRODUCT_MAX] = '\0';
	cr_expect_str_eq(traits.product, expected);
	caldav_traits_name(&traits, NULL);
	cr_expect_str_empty(traits.product);
}

Test(traits, every_trait_has_words)
{
	for (int i = 0; i < CALDAV_TRAITS; i++) {
		const struct caldav_trait_words *words = caldav_trait_words((enum caldav_trait)i);
		const char *const all[] = { words->yes, words->no, words->unknown };

		cr_expect_not_null(words->label, "%d", i);
		for (size_t w = 0; w < COUNT_OF(all); w++)
			cr_expect(all[w] && text_ends(all[w], "."), "%s: not a sentence",
				  words->label);
	}
}

/* ---- what becomes of what is kept ---- */

static const struct server_traits kept_ = { .server = "cal",
					    .traits = "sync=yes multiget=yes product=A/1",
					    .probed_us = NOW - 5 * DAY,
					    .due_us = NOW + 25 * DAY };

Test(traits, are_merged)
{
	static const struct {
		const char *what, *news;
		bool kept, probed, writes;
		const char *traits, *words;
		int64_t due_from, due_to; /* from now */
	} cases[] = {
		{ "a first probe", "sync=yes product=A/1", false, true, true,
		  "sync=yes product=A/1", NULL, 30 * DAY, 33 * DAY },
		{ "one that was cut", "sync=yes cut=yes", false, true, true, "sync=yes cut=yes",
		  NULL, DAY, DAY },
		{ "a probe that finds the same", NULL, true, true, true,
		  "sync=yes multiget=yes product=A/1", NULL, 30 * DAY, 33 * DAY },
		{ "a probe that finds more", "ctag=yes", true, true, true,
		  "sync=yes ctag=yes multiget=yes product=A/1", NULL, 30 * DAY, 33 * DAY },
		{ "a probe of another product", "multiget=no product=A/2", true, true, true,
		  "sync=yes multiget=no product=A/2",
		  "items by multiget: no (was yes); it calls itself A/2 (was A/1)", 30 * DAY,
		  33 * DAY },
		{ "work that shows otherwise", "multiget=no", true, false, true,
		  "sync=yes multiget=no product=A/1", "items by multiget: no (was yes)", 25 * DAY,
		  25 * DAY },
		{ "work that shows nothing new", "sync=yes", true, false, false,
		  "sync=yes multiget=yes product=A/1", NULL, 25 * DAY, 25 * DAY },
		{ "work that shows another name", "product=A/2", true, false, true,
		  "sync=yes multiget=yes product=A/1", NULL, 0, 0 },
		{ "work before any probe", "multiget=no product=A/1", false, false, true,
		  "multiget=no", NULL, -NOW, -NOW },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct server_traits merged = { .server = NULL };
		char *words = NULL;
		bool writes = traits_merge(mem, "cal", cases[i].kept ? &kept_ : NULL, cases[i].news,
					   cases[i].probed, NOW, &merged, &words);

		cr_expect_eq(writes, cases[i].writes, "%s: writes %d", cases[i].what, writes);
		cr_expect_str_eq(merged.traits, cases[i].traits, "%s: %s", cases[i].what,
				 merged.traits);
		cr_expect(text_same(words, cases[i].words), "%s: %s", cases[i].what,
			  words ? words : "-");
		cr_expect(merged.due_us >= NOW + cases[i].due_from &&
				  merged.due_us <= NOW + cases[i].due_to,
			  "%s: due in %lld s", cases[i].what,
			  (long long)((merged.due_us - NOW) / CLOCK_SECOND_US));
		cr_expect_eq(merged.probed_us,
			     cases[i].probed ? NOW
			     : cases[i].kept ? kept_.probed_us
					     : 0,
			     "%s", cases[i].what);
		if (words)
			cr_expect(text_same(traits_last_change(mem, &merged), words), "%s",
				  cases[i].what);
	}
	talloc_free(mem);
}

/* A name that goes to and fro does not make it tried more than once a day. */
Test(traits, a_name_that_goes_to_and_fro)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct server_traits kept = kept_, merged;
	char *words = NULL;

	kept.probed_us = NOW - DAY / 4;
	cr_assert(traits_merge(mem, "cal", &kept, "product=A/2", false, NOW, &merged, &words));
	cr_expect_eq(merged.due_us, kept.probed_us + TRAITS_SOON_US);
	kept = merged;
	cr_expect_not(traits_merge(mem, "cal", &kept, "product=A/2", false, NOW + DAY / 4, &merged,
				   &words),
		      "written again");
	talloc_free(mem);
}

Test(traits, are_due)
{
	struct conf_server tried = { .name = "cal", .probe = true }, left = { .name = "cal" };

	cr_expect(traits_are_due(&tried, NULL, NOW));
	cr_expect_not(traits_are_due(&tried, &kept_, NOW));
	cr_expect(traits_are_due(&tried, &kept_, kept_.due_us));
	cr_expect_not(traits_are_due(&left, NULL, NOW), "probe = no");
}

/* ---- doc/servers.md ---- */

static char *doc_of(TALLOC_CTX *mem)
{
	FILE *file = fopen(TF_SRCDIR "/doc/servers.md", "r");
	struct buf *text = buf_new(mem);
	char part[4096];
	size_t n;

	cr_assert_not_null(file);
	while ((n = fread(part, 1, sizeof part, file)))
		buf_add(text, part, n);
	fclose(file);
	return text->data;
}

Test(traits, the_table_in_the_documentation)
{
	static const char *const texts[] = {
#define X(script, name, path, traits) traits,
		CALDAV_SERVERS(X)
#undef X
	};
	static const char *const names[] = {
#define X(script, name, path, traits) name,
		CALDAV_SERVERS(X)
#undef X
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *doc = doc_of(mem);
	char *head = mem_strdup(mem, "| trait | as `doctor` says it |");

	for (size_t s = 0; s < COUNT_OF(names); s++)
		head = mem_printf(mem, "%s %s |", head, names[s]);
	cr_expect_not_null(strstr(doc, head), "no line: %s", head);
	for (int t = 0; t < CALDAV_TRAITS; t++) {
		char *row =
			mem_printf(mem, "\n| %s | %s |", caldav_trait_name((enum caldav_trait)t),
				   caldav_trait_words((enum caldav_trait)t)->label);

		for (size_t s = 0; s < COUNT_OF(texts); s++) {
			struct caldav_traits traits;

			caldav_traits_read(texts[s], &traits);
			row = mem_printf(mem, "%s %s |", row,
					 caldav_answer_name((enum caldav_answer)traits.answer[t]));
		}
		cr_expect_not_null(strstr(doc, mem_printf(mem, "%s\n", row)), "no line: %s", row);
	}
	talloc_free(mem);
}
