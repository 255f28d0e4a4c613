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
