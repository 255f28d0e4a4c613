/* What single products do otherwise, told by scripted servers; the products themselves: server_contract.h. */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "lab.h"

#define MULTI(lines)                                                                               \
	"<multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">" lines             \
	"</multistatus>"
#define LINE(href, etag)                                                                           \
	"<response><href>" href "</href><propstat><prop><getetag>" etag "</getetag></prop>"        \
	"<status>HTTP/1.1 200 OK</status></propstat></response>"

static struct fault *create(struct lab *lab, struct endpoint *endpoint, const char *address)
{
	struct endpoint_put put = { .address = address, .text = "text", .len = 4 };

	cr_assert_null(endpoint_put(endpoint, lab, "/home/p/", &put, 1));
	return put.fault;
}

/* Where else the UID stands, as far as the server says so. */
Test(caldav_quirk, a_uid_elsewhere_is_told_with_its_place)
{
	static const struct {
		const char *body, *said;
	} cases[] = {
		{ "<D:error xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
		  "<C:unique-scheduling-object-resource><D:href>/home/other/b.ics</D:href>"
		  "</C:unique-scheduling-object-resource></D:error>",
		  "already: /home/other/b.ics; delete that one" },
		{ "<D:error xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
		  "<C:no-uid-conflict><D:href> /home/p/c.ics "
		  "</D:href></C:no-uid-conflict></D:error>",
		  "already: /home/p/c.ics; delete that one" },
		{ "<D:error xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
		  "<C:no-uid-conflict/></D:error>",
		  "already in another place; delete that one" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct lab_exchange exchanges[] = {
			{ "PUT", "/home/p/a.ics", NULL, "403 x", cases[i].body },
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct fault *fault = create(lab, lab_account(lab, "/"), "/home/p/a.ics");

		lab_expect(fault, FAULT_REFUSED, cases[i].said);
		cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
		cr_assert_not_null(strstr(fault->text, cases[i].said), "expected %s in %s",
				   cases[i].said, fault->text);
		talloc_free(lab);
	}
}

/* Two requests instead of one, where a list of changes may be a full listing in disguise. */
Test(caldav_quirk, a_silent_full_listing_is_told_as_one)
{
	struct endpoint_notice *notice = NULL;
	static const struct lab_exchange exchanges[] = {
		{ "REPORT", "/caldav.php/a/p/", "<D:sync-token>old</D:sync-token>", "207 x",
		  MULTI(LINE("/caldav.php/a/p/a.ics", "\"1\"") "<sync-token>new</sync-token>") },
		{ "REPORT", "/caldav.php/a/p/", "<D:sync-token>gone</D:sync-token>", "207 x",
		  MULTI(LINE("/caldav.php/a/p/a.ics",
			     "\"1\"") "<response><href>/caldav.php/a/p/b.ics"
				      "</href><status>HTTP/1.1 404 x</status></response>"
				      "<sync-token>new</sync-token>") },
		{ "REPORT", "/caldav.php/a/p/", "<D:sync-token>new</D:sync-token>", "207 x",
		  MULTI("<sync-token>new</sync-token>") },
		{ "REPORT", "/caldav.php/a/p/", "<D:sync-token></D:sync-token>", "207 x",
		  MULTI(LINE("/caldav.php/a/p/a.ics", "\"1\"") LINE(
			  "/caldav.php/a/p/c.ics", "\"1\"") "<sync-token>new</sync-token>") }
	};
	static struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
	struct lab *lab = lab_new(lab_play, &p);
	struct endpoint *endpoint = lab_account(lab, "/");

	cr_assert_null(endpoint_notice(endpoint, lab, "/caldav.php/a/p/", "s:old", &notice));
	cr_expect(notice->full, "changes that may be all there is");
	cr_expect_eq(notice->count, 2);
	cr_assert_null(endpoint_notice(endpoint, lab, "/caldav.php/a/p/", "s:gone", &notice));
	cr_expect_not(notice->full, "a removal stands in no full listing");
	cr_expect_eq(notice->count, 2);
	cr_assert_null(endpoint_notice(endpoint, lab, "/caldav.php/a/p/", "s:new", &notice));
	cr_expect_not(notice->full, "the same token: nothing has changed");
	cr_expect_eq(notice->count, 0);
	talloc_free(lab);
}

/* ---- files that the server keeps ---- */

#define FILE_200(type, body) "200 x\r\nContent-Type: " type, body

/* What comes back for the address of a file that stands in an item; NULL: nothing does. */
Test(caldav_quirk, a_file_is_fetched_as_it_is)
{
	static const struct lab_exchange exchanges[] = {
		{ "GET", "/home/f/a?id=2", NULL, FILE_200("text/plain", "two") },
		{ "GET", "/home/f/a", NULL, FILE_200("text/plain", "one") },
		{ "GET", "/home/f/a.svg", NULL, FILE_200("image/svg+xml", "<svg/>") },
		{ "GET", "/home/f/a.html", NULL, FILE_200("text/html", "<html>a</html>") },
		{ "GET", "/home/f/b.pdf", NULL, FILE_200("text/html", "<html>login</html>") },
		{ "GET", "/other/private", NULL, FILE_200("text/plain", "another's") },
		{ "PROPFIND", "/home/", NULL, "207 x",
		  MULTI("<response><href>/home/</href><propstat><prop><resourcetype><collection/>"
			"</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat>"
			"</response>") },
	};
	static const struct {
		const char *host, *path, *file;
		bool proxy; /* by a login that gets at the calendars of others, too */
	} cases[] = {
		{ NULL, "/home/f/a?id=2", "two", false },
		{ NULL, "/home/f/a#x", "one", false },
		{ NULL, "/home/f/a.svg", "<svg/>", false },
		{ NULL, "/home/f/a.html", "<html>a</html>", false },
		{ NULL, "/home/f/b.pdf", NULL, false },
		{ NULL, "/home/f/gone?key=s3cr3t", NULL, false },
		{ "http://ana:s3cr3t@elsewhere.example", "/a", NULL, false },
		{ "http://elsewhere.example", "/home/f/a?key=s3cr3t", NULL, false },
		{ NULL, "/other/private", "another's", false },
		{ NULL, "/home/f/a?id=2", "two", true },
		{ NULL, "/other/private", NULL, true },
		{ NULL, "/home/../other/private", NULL, true },
		{ NULL, "/home/%2e%2e/other/private", NULL, true },
	};
	struct lab_plan p = { exchanges, COUNT_OF(exchanges) };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lab *lab = lab_new(lab_play, &p);
		struct caldav_account account = { .url = scripted_url(lab->server),
						  .user = "ana",
						  .password = lab->site.password,
						  .home = cases[i].proxy ? "/home/" : NULL };
		struct endpoint *endpoint = caldav_new(lab, lab->http, lab->clock, &account);
		const char *host = cases[i].host ? cases[i].host : scripted_url(lab->server);
		char *uri = mem_printf(lab, "%s%s", host, cases[i].path), *bytes = NULL;
		size_t len = 0;
		struct fault *fault =
			endpoint_download(endpoint, lab, "/home/p/", uri, 100, &bytes, &len);

		if (cases[i].file) {
			cr_assert_null(fault, "%s: %s", uri, fault ? fault->text : "");
			cr_expect_str_eq(bytes, cases[i].file, "%s", uri);
		} else {
			lab_expect(fault, FAULT_DATA, uri);
			cr_expect(fault->scope == FAULT_SCOPE_ITEM &&
					  fault->next == FAULT_NEXT_HOLD,
				  "%s: %s", uri, fault->text);
		}
		talloc_free(lab);
	}
}

/* ---- redirects ---- */

/* What becomes of one fault is nothing to the others. */
Test(caldav_quirk, each_redirected_request_has_a_fault_of_its_own)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER,
					  "HTTP/1.1 302 x\r\nContent-Length: 0\r\n"
					  "Location: https://login.elsewhere.example/\r\n\r\n",
					  0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct endpoint *endpoint = lab_account(lab, "/");
	struct endpoint_put puts[2] = {
		{ .address = "/home/p/a.ics", .text = "text", .len = 4 },
		{ .address = "/home/p/b.ics", .text = "text", .len = 4 },
	};

	cr_assert_null(endpoint_put(endpoint, lab, "/home/p/", puts, COUNT_OF(puts)));
	cr_assert(puts[0].fault && puts[1].fault);
	cr_assert_neq(puts[0].fault, puts[1].fault, "one fault for two");
	talloc_free(puts[0].fault);
	lab_expect(puts[1].fault, FAULT_PROTOCOL, "the other one");
	talloc_free(lab);
}

/* A token is known to be refused only when it is named: a server that has no time today may well
 * forget it silently tomorrow. */
Test(caldav_quirk, a_passing_weakness_tells_nothing_of_tokens)
{
	static const struct {
		const char *status, *body, *news;
	} cases[] = {
		{ "500 x", "", NULL },
		{ "403 x", "", NULL },
		{ "403 x", "<error xmlns=\"DAV:\"><valid-sync-token/></error>",
		  "token-refused=yes" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct lab_exchange exchanges[] = {
			{ "REPORT", "/home/p/", NULL, cases[i].status, cases[i].body },
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct endpoint *endpoint = lab_account(lab, "/");
		struct endpoint_notice *notice = NULL;
		char *news;

		endpoint_know(endpoint, "token-refused=no");
		lab_expect(endpoint_notice(endpoint, lab, "/home/p/", "s:old", &notice),
			   FAULT_TOKEN, cases[i].status);
		news = endpoint_traits(endpoint, lab);
		cr_expect(cases[i].news ? news && strstr(news, cases[i].news) : !news, "%s: %s",
			  cases[i].status, news ? news : "nothing");
		talloc_free(lab);
	}
}
