/* caldav_evidence_test.c - what ordinary work shows of a server (caldav_evidence.c). */
#include "config.h"

#include <criterion/criterion.h>

#include "base/text.h"
#include "lab.h"

static void expect_news(struct lab *lab, struct endpoint *endpoint, const char *expected)
{
	char *news = endpoint_traits(endpoint, lab);

	cr_assert(text_same(news, expected), "expected news %s, got %s", expected ? expected : "-",
		  news ? news : "-");
	cr_assert_null(endpoint_traits(endpoint, lab), "told twice");
}

Test(caldav_evidence, a_create_that_replaced)
{
	struct endpoint *endpoint;
	LAB_PLAY(lab, { "PUT", "/home/p/new.ics", NULL, "201 x", "" },
		 { "PUT", "/home/p/a.ics", NULL, "204 x", "" });

	endpoint = lab_account(lab, "/");
	cr_assert_null(lab_put(lab, endpoint, "/home/p/new.ics", NULL).fault);
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", "\"1\"").fault);
	expect_news(lab, endpoint, NULL);
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", NULL).fault);
	expect_news(lab, endpoint, "create-guard=no");
	lab_expect(lab_put(lab, endpoint, "/home/p/b.ics", NULL).fault, FAULT_GONE,
		   "a look comes first from now on");
	talloc_free(lab);
}

/* The text that lab_put() puts is "text". */
Test(caldav_evidence, a_text_that_came_back_otherwise)
{
	static const struct {
		const char *known, *address, *news;
	} cases[] = {
		{ LAB_TRAITS " keeps-bytes=yes", "/home/p/same.ics", NULL },
		{ LAB_TRAITS " keeps-bytes=yes", "/home/p/other.ics", "keeps-bytes=no" },
		{ LAB_TRAITS " keeps-bytes=yes", "/home/p/edited.ics", NULL },
		{ LAB_TRAITS, "/home/p/other.ics", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint_item *items = NULL;
		struct endpoint *endpoint;
		LAB_PLAY(lab, { "PUT", "/home/p/same.ics", NULL, "201 x\r\nETag: \"1\"", "" },
			 { "PUT", "/home/p/other.ics", NULL, "201 x\r\nETag: \"1\"", "" },
			 { "PUT", "/home/p/edited.ics", NULL, "201 x\r\nETag: \"1\"", "" },
			 { "GET", "/home/p/same.ics", NULL, "200 x\r\nETag: \"1\"", "text" },
			 { "GET", "/home/p/other.ics", NULL, "200 x\r\nETag: \"1\"", "TEXT" },
			 { "GET", "/home/p/edited.ics", NULL, "200 x\r\nETag: \"2\"", "TEXT" });

		endpoint = lab_account(lab, "/");
		endpoint_know(endpoint, cases[i].known);
		cr_assert_null(lab_put(lab, endpoint, cases[i].address, NULL).fault);
		cr_assert_null(
			endpoint_fetch(endpoint, lab, "/home/p/", &cases[i].address, 1, &items));
		if (cases[i].news)
			cr_expect(text_same(endpoint_traits(endpoint, lab),
					    "keeps-bytes=no multiget=no"));
		else
			expect_news(lab, endpoint, "multiget=no");
		talloc_free(lab);
	}
}

Test(caldav_evidence, what_calls_itself_otherwise)
{
	struct endpoint *endpoint;
	LAB_PLAY(lab, { "PUT", "/home/p/a.ics", NULL, "201 x\r\nServer: Cal DAV/2", "" });

	endpoint = lab_account(lab, "/");
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", NULL).fault);
	expect_news(lab, endpoint, "product=Cal_DAV/2");
	endpoint_know(endpoint, "product=Cal_DAV/1");
	expect_news(lab, endpoint, "product=Cal_DAV/2");
	talloc_free(lab);
}
