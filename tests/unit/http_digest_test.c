#include "config.h"

#include "gateway/net/http_digest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"

/* Challenges of RFCs, of servers, and of nobody who means well; answers as the RFCs have them. */

#define MD5_OF_7616                                                                                \
	"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "          \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                 \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define SHA_OF_7616                                                                                \
	"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "      \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                 \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define CNONCE_OF_7616 "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static const struct {
	const char *name, *authenticate, *user, *password, *uri, *cnonce;
	const char *response; /* NULL: nothing to answer */
} cases[] = {
	{ "RFC 7616 section 3.9.1, MD5", MD5_OF_7616, "Mufasa", "Circle of Life", "/dir/index.html",
	  CNONCE_OF_7616, "8ca523f5e9506fed4657c9700eebdbec" },
	{ "the same, SHA-256", SHA_OF_7616, "Mufasa", "Circle of Life", "/dir/index.html",
	  CNONCE_OF_7616, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	{ "both, and others around: the better one",
	  "Basic realm=\"x, Digest\", " MD5_OF_7616 ", Negotiate YII==, " SHA_OF_7616 ", Bearer",
	  "Mufasa", "Circle of Life", "/dir/index.html", CNONCE_OF_7616,
	  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	{ "RFC 2617 section 3.5",
	  "Digest realm=\"testrealm@host.com\",\tqop=\"auth,auth-int\", "
	  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
	  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	  "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b",
	  "6629fae49393a05397450978507c4ef1" },
	{ "RFC 2069 with the erratum: no qop",
	  "digest realm = \"testrealm@host.com\", nonce = dcd98b7102dd2f0e8b11d0f600bfb0c093",
	  "Mufasa", "CircleOfLife", "/dir/index.html", "x", "1949323746fe6a43ef61f9606e7febea" },
	{ "an algorithm that nobody has", "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512-256",
	  "u", "p", "/", "c", NULL },
	{ "with the body's digest only", "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"", "u",
	  "p", "/", "c", NULL },
	{ "without a nonce", "Digest realm=\"a\"", "u", "p", "/", "c", NULL },
	{ "Basic only", "Basic realm=\"Digest nonce=\\\"b\\\"\"", "u", "p", "/", "c", NULL },
	{ "nothing", "", "u", "p", "/", "c", NULL },
	{ "quotes that do not end", "Digest realm=\"a, nonce=b", "u", "p", "/", "c", NULL },
	{ "signs only", "=,\"\" = ,== \"", "u", "p", "/", "c", NULL },
};

Test(http_digest, responses)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct http_challenge challenge = { .known = false };
		struct secret *password =
			secret_new(mem, cases[i].password, strlen(cases[i].password));
		bool known = http_digest_read(cases[i].authenticate, &challenge);
		const char *line, *expected;

		cr_assert_eq(known, cases[i].response != NULL, "%s", cases[i].name);
		cr_assert_eq(challenge.known, known);
		if (known) {
			line = http_digest_line(mem, &challenge, cases[i].user, password, "GET",
						cases[i].uri, cases[i].cnonce);
			expected = mem_printf(mem, ", response=\"%s\"", cases[i].response);
			cr_assert_not_null(line);
			cr_assert_not_null(strstr(line, expected), "%s:\n%s", cases[i].name, line);
			cr_assert_null(strstr(line, cases[i].password), "the password itself");
		}
		talloc_free(mem);
	}
}

Test(http_digest, a_nonce_is_counted)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct http_challenge challenge = { .known = false };
	struct secret *password = secret_new(mem, "p", 1);

	cr_assert(http_digest_read("Digest realm=\"a \\\"b\\\"\", nonce=n, qop=auth, stale=TRUE",
				   &challenge));
	cr_assert(challenge.stale);
	for (int i = 1; i < 4; i++) {
		const char *line =
			http_digest_line(mem, &challenge, "an\"a", password, "GET", "/", "c");

		cr_assert_not_null(strstr(line, mem_printf(mem, ", nc=%08x,", i)), "%s", line);
		cr_assert_not_null(strstr(line, "username=\"an\\\"a\", realm=\"a \\\"b\\\"\""),
				   "%s", line);
	}
	talloc_free(mem);
}

Test(http_digest, a_long_nonce_is_none)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct http_challenge challenge = { .known = false };
	char *nonce = MEM_ARRAY(mem, char, HTTP_DIGEST_TEXT_MAX + 1);

	memset(nonce, 'n', HTTP_DIGEST_TEXT_MAX);
	cr_assert_not(http_digest_read(mem_printf(mem, "Digest realm=a, nonce=\"%s\"", nonce),
				       &challenge));
	nonce[HTTP_DIGEST_TEXT_MAX - 1] = '\0';
	cr_assert(http_digest_read(mem_printf(mem, "Digest realm=a, nonce=\"%s\"", nonce),
				   &challenge));
	talloc_free(mem);
}

Test(http_digest, offers)
{
	cr_assert(http_digest_offers("Digest realm=a, nonce=b, basic realm=\"x\"", "Basic"));
	cr_assert(http_digest_offers("Basic", "Basic"));
	cr_assert_not(http_digest_offers("Digest realm=\"Basic realm\", nonce=b", "Basic"));
	cr_assert_not(http_digest_offers("Digest Basic=1, nonce=b", "Basic"));
}
