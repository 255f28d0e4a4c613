#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"
#include "gateway/caldav/href.h"

#define BASE "/dav/ana/p/"
#define HOST "dav.example.com:8443"

static const struct {
	const char *href, *expected;
} spellings[] = {
	/* one item, however it is spelt (facts: the hrefs of five servers) */
	{ "/dav/ana/p/PRJ-1%3Aa.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "/dav/ana/p/PRJ-1%3aa.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "/dav/ana/p/PRJ%2D1:%61.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "PRJ-1%3Aa.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "./PRJ-1%3Aa.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "../p/PRJ-1%3Aa.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "/dav//ana/./p/x/../PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "https://dav.example.com:8443/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "http://dav.example.com/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "HTTPS://inner.example.net/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "http:/dav.example.com:8443/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	{ "//dav.example.com:8443/dav/ana/p/PRJ-1:a.ics", "/dav/ana/p/PRJ-1%3Aa.ics" },
	/* collections keep their slash */
	{ "/dav/ana/p/", "/dav/ana/p/" },
	{ "https://dav.example.com:8443", "/" },
	{ "https://dav.example.com:8443/", "/" },
	{ "/", "/" },
	{ "..", "/dav/ana/" },
	{ ".", "/dav/ana/p/" },
	{ "//user0001/x", "/user0001/x" },
	{ "https:/other/x", "/other/x" },
	/* what is not escaped, and should be */
	{ "/a b.ics", "/a%20b.ics" },
	{ "/\xc3\xa9.ics", "/%C3%A9.ics" },
	{ "/100%.ics", "/100%25.ics" },
	{ "/100%2", "/100%252" },
	{ "/a?b#c.ics", "/a%3Fb%23c.ics" },
	{ "/a%2Fb.ics", "/a%2Fb.ics" },
	{ "/a+b@c&d=e;f,g!h'i(j)*.ics", "/a%2Bb%40c%26d%3De%3Bf%2Cg%21h%27i%28j%29%2A.ics" },
	{ "/~user/_x-y.z", "/~user/_x-y.z" },
	/* no way out */
	{ "/../../etc/passwd", "/etc/passwd" },
	{ "/%2e%2e/%2E./x", "/x" },
	{ "/a/%2e%2e/b", "/b" },
	{ "/a%00b", "/a%00b" },
	{ "/a%0d%0ab", "/a%0D%0Ab" },
	{ "", NULL },
};

Test(href, one_spelling_for_every_address)
{
	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *actual = href_normalise(mem, BASE, HOST, spellings[i].href);
		char *twice = actual ? href_normalise(mem, BASE, HOST, actual) : NULL;

		cr_expect_str_eq(actual ? actual : "(null)",
				 spellings[i].expected ? spellings[i].expected : "(null)",
				 "input %s: expected %s, actual %s", spellings[i].href,
				 spellings[i].expected ? spellings[i].expected : "(null)",
				 actual ? actual : "(null)");
		if (actual)
			cr_expect_str_eq(twice, actual, "not stable: %s, then %s", actual, twice);
		talloc_free(mem);
	}
}

Test(href, length_is_bounded)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *href = MEM_ARRAY(mem, char, HREF_MAX + 2);

	memset(href, 'x', HREF_MAX + 1);
	*href = '/';
	cr_assert_null(href_normalise(mem, BASE, HOST, href));
	href[HREF_MAX] = '\0';
	cr_assert_str_eq(href_normalise(mem, BASE, HOST, href), href);
	cr_assert_null(href_normalise(mem, BASE, HOST, NULL));
	talloc_free(mem);
}

static const struct {
	const char *folder, *address;
	enum href_place expected;
} places[] = {
	{ "/a/p/", "/a/p/", HREF_SELF },
	{ "/a/p/", "/a/p", HREF_SELF },
	{ "/a/p", "/a/p/", HREF_SELF },
	{ "/a/p/", "/a/p/x.ics", HREF_CHILD },
	{ "/a/p/", "/a/p/sub/", HREF_CHILD },
	{ "/a/p/", "/a/p/sub/x.ics", HREF_DEEPER },
	{ "/a/p/", "/a/p/sub/sub/", HREF_DEEPER },
	{ "/a/p/", "/a/", HREF_OUTSIDE },
	{ "/a/p/", "/a/p2/x.ics", HREF_OUTSIDE },
	{ "/a/p/", "/a/px.ics", HREF_OUTSIDE },
	{ "/a/p/", "/b/p/x.ics", HREF_OUTSIDE },
	{ "/", "/x.ics", HREF_CHILD },
	{ "/", "/", HREF_SELF },
};

Test(href, place)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		enum href_place actual = href_place(places[i].folder, places[i].address);

		cr_expect_eq(actual, places[i].expected, "%s in %s: expected %s, actual %s",
			     places[i].address, places[i].folder,
			     href_place_name(places[i].expected), href_place_name(actual));
	}
}
