#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "lab.h"

/* CalDAV against servers that no package installs: each test is a table of requests and what comes
 * back. So it shows what Radicale never does: pages, odd addresses, no sync-collection, tokens
 * refused in every way, conditions ignored. */

/* ---- CalDAV: bad servers ---- */

#define DAV                                                                                        \
	"xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                                \
	"xmlns:s=\"http://calendarserver.org/ns/\""
#define OK "<status>HTTP/1.1 200 OK</status>"
#define LINE(href, etag)                                                                           \
	"<response><href>" href "</href><propstat><prop><getetag>" etag "</getetag></prop>" OK     \
	"</propstat></response>"

static struct fault *look(struct lab *lab, struct endpoint *endpoint, const char *token,
			  struct endpoint_notice **notice_r)
{
	return endpoint_notice(endpoint, lab, "/home/p/", token, notice_r);
}

Test(caldav_bad, hangs_and_drips_end_at_the_deadline)
{
	static const struct scripted_answer answers[] = {
		{ SCRIPTED_HANG, NULL, 0, 0 },
		{ SCRIPTED_DRIP, "HTTP/1.1 207 x\r\nContent-Length: 100\r\n\r\n<multistatus", 0,
		  0 },
	};

	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct scripted_answer answer = answers[i];
		struct lab *lab = lab_new(lab_always, &answer);
		struct endpoint_notice *notice = NULL;
		struct endpoint_probe *probe = NULL;
		struct endpoint *looks = lab_account(lab, "/"), *probes = lab_account(lab, "/");
		int64_t start = lab_now_ms();

		lab_deadline(lab, looks, LAB_SHORT_MS);
		lab_deadline(lab, probes, LAB_SHORT_MS);
		lab_expect(look(lab, looks, NULL, &notice), FAULT_UNREACHABLE, "notice");
		lab_expect(endpoint_probe(probes, lab, &probe), FAULT_UNREACHABLE, "probe");
		cr_assert_lt(lab_now_ms() - start, LAB_SOON_MS);
		talloc_free(lab);
	}
}

/* With a length, and without one (what HTTP/1.0 servers send: the end of the connection is the end
 * of the answer). */
Test(caldav_bad, closes_at_every_byte_and_nothing_is_believed)
{
	static const char body[] =
		"<multistatus " DAV
		">" LINE("/home/p/a.ics", "\"1\"") "<sync-token>t1</sync-token></multistatus>";
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *heads[] = {
		mem_printf(mem, "HTTP/1.1 207 Multi-Status\r\nContent-Length: %zu\r\n\r\n",
			   strlen(body)),
		"HTTP/1.0 207 Multi-Status\r\n\r\n"
	};

	for (size_t h = 0; h < COUNT_OF(heads); h++) {
		char *text = mem_printf(mem, "%s%s", heads[h], body);
		struct scripted_answer answer = { SCRIPTED_CUT, text, 0, 0 };
		struct lab *lab = lab_new(lab_always, &answer);

		for (answer.cut = 0; answer.cut <= strlen(text); answer.cut++) {
			struct endpoint_notice *notice = NULL;
			struct fault *fault = look(lab, lab_account(lab, "/"), NULL, &notice);

			if (answer.cut < strlen(text)) {
				cr_assert_not_null(fault, "cut at %zu of %zu: believed", answer.cut,
						   strlen(text));
				cr_assert(fault->kind == FAULT_UNREACHABLE ||
						  fault->kind == FAULT_PROTOCOL,
					  "cut at %zu: %s", answer.cut, fault->text);
				cr_assert_null(notice);
				continue;
			}
			cr_assert_null(fault, "%s", fault->text);
			cr_assert_eq(notice->count, 1);
			cr_assert_str_eq(notice->token, "s:t1");
		}
		talloc_free(lab);
	}
	talloc_free(mem);
}

Test(caldav_bad, statuses_of_a_folder)
{
	static const struct {
		const char *line;
		enum fault_kind kind;
		enum fault_scope scope;
		int32_t retry_after_s;
	} cases[] = {
		{ "401 x", FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, 0 },
		{ "403 x", FAULT_REFUSED, FAULT_SCOPE_FOLDER, 0 },
		{ "404 x", FAULT_GONE, FAULT_SCOPE_FOLDER, 0 },
		{ "410 x", FAULT_GONE, FAULT_SCOPE_FOLDER, 0 },
		{ "429 x\r\nRetry-After: 9", FAULT_BUSY, FAULT_SCOPE_ACCOUNT, 9 },
		{ "500 x", FAULT_BUSY, FAULT_SCOPE_FOLDER, 0 },
		{ "503 x\r\nRetry-After: 30", FAULT_BUSY, FAULT_SCOPE_SERVER, 30 },
		{ "507 x", FAULT_FULL, FAULT_SCOPE_FOLDER, 0 },
		{ "200 x", FAULT_PROTOCOL, FAULT_SCOPE_FOLDER, 0 },
		{ "302 x\r\nLocation: /elsewhere/", FAULT_PROTOCOL, FAULT_SCOPE_ACCOUNT, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scripted_answer answer = { SCRIPTED_ANSWER, NULL, 0, 0 };
		struct lab *lab = lab_new(lab_always, &answer);
		struct endpoint_notice *notice = NULL;
		struct fault *fault;

		answer.text =
			mem_printf(lab, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", cases[i].line);
		fault = look(lab, lab_account(lab, "/"), NULL, &notice);
		lab_expect(fault, cases[i].kind, cases[i].line);
		cr_assert_eq(fault->scope, cases[i].scope, "%s: scope %s", cases[i].line,
			     fault_scope_name(fault->scope));
		cr_assert_eq(fault->retry_after_s, cases[i].retry_after_s, "%s", cases[i].line);
		talloc_free(lab);
	}
}

/* ---- CalDAV: a server told by a table of requests ---- */

#define MULTI(lines) "<multistatus " DAV ">" lines "</multistatus>"
#define PROPS(href, props)                                                                         \
	"<response><href>" href "</href><propstat><prop>" props "</prop>" OK                       \
	"</propstat></response>"
#define CALENDAR "<resourcetype><collection/><c:calendar/></resourcetype>"

static struct fault *make(struct lab *lab, struct endpoint *endpoint, char **address_r,
			  bool *created_r)
{
	struct endpoint_folder folder = { .path = "p", .display = "P" };

	return endpoint_ensure(endpoint, lab, &folder, NULL, address_r, created_r);
}

Test(caldav_discovery, by_well_known_and_redirects)
{
	char *address = NULL;
	bool created = false;
	struct fault *fault;
	LAB_PLAY(lab, { "PROPFIND", "/.well-known/caldav", NULL, "301 x\r\nLocation: /dav", "" },
		 { "PROPFIND", "/dav", NULL, "308 x\r\nLocation: dav/", "" },
		 { "PROPFIND", "/dav/", NULL, "207 x",
		   MULTI(PROPS("/dav/", "<current-user-principal><href>/dav/p/ana/</href></"
					"current-user-principal>")) },
		 { "PROPFIND", "/dav/p/ana/", NULL, "207 x",
		   MULTI(PROPS("/dav/p/ana/",
			       "<c:calendar-home-set><href>http://inner:99/dav/c/ana</"
			       "href></c:calendar-home-set>")) },
		 { "MKCALENDAR", "/dav/c/ana/p/", NULL, "201 x", "" });

	fault = make(lab, lab_account(lab, "/"), &address, &created);
	cr_assert_null(fault, "%s", fault->text);
	cr_assert_str_eq(address, "/dav/c/ana/p/");
	cr_assert(created);
	talloc_free(lab);
}

Test(caldav_discovery, a_url_that_is_the_home_itself)
{
	char *address = NULL;
	bool created = false;
	struct fault *fault;
	LAB_PLAY(lab,
		 { "PROPFIND", "/calendars/ana/", NULL, "207 x",
		   MULTI(PROPS("/calendars/ana/", "<resourcetype><collection/></resourcetype>")) },
		 { "MKCALENDAR", "/calendars/ana/p/", NULL, "201 x", "" });

	fault = make(lab, lab_account(lab, "/calendars/ana/"), &address, &created);
	cr_assert_null(fault, "%s", fault->text);
	cr_assert_str_eq(address, "/calendars/ana/p/");
	talloc_free(lab);
}

Test(caldav_discovery, a_redirect_to_another_host_or_port_gets_no_password)
{
	static const char *const places[] = { "http://192.0.2.1/",
					      "https://127.0.0.2:1/",
					      "https://localhost:1/",
					      "http://localhost/",
					      "http://127.0.0.1:1/",
					      "ftp://127.0.0.1/",
					      "http://127.0.0.1.evil.example/" };

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct scripted_answer answer = { SCRIPTED_ANSWER, NULL, 0, 0 };
		struct lab *lab = lab_new(lab_always, &answer);
		char *address = NULL;
		bool created;

		answer.text = mem_printf(
			lab, "HTTP/1.1 301 x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			places[i]);
		lab_expect(make(lab, lab_account(lab, "/"), &address, &created), FAULT_PROTOCOL,
			   places[i]);
		talloc_free(lab);
	}
}

Test(caldav_discovery, redirects_end)
{
	struct scripted_answer answer = {
		SCRIPTED_ANSWER, "HTTP/1.1 302 x\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
		0, 0
	};
	struct lab *lab = lab_new(lab_always, &answer);
	char *address = NULL;
	bool created;

	lab_expect(make(lab, lab_account(lab, "/x"), &address, &created), FAULT_PROTOCOL, "a loop");
	cr_assert_leq(scripted_counts(lab->server).requests, 3 * (CALDAV_REDIRECTS_MAX + 1));
	talloc_free(lab);
}

#define HOME                                                                                       \
	{                                                                                          \
		"PROPFIND", "/", NULL, "207 x",                                                    \
			MULTI(PROPS(                                                               \
				"/",                                                               \
				"<c:calendar-home-set><href>/home/</href></c:calendar-home-set>")) \
	}

Test(caldav_folder, extended_mkcol_where_mkcalendar_is_refused)
{
	char *address = NULL;
	bool created = false;
	struct fault *fault;
	LAB_PLAY(lab, HOME, { "MKCALENDAR", "/home/p/", NULL, "501 x", "" },
		 { "MKCOL", "/home/p/", NULL, "201 x", "" });

	fault = make(lab, lab_account(lab, "/"), &address, &created);
	cr_assert_null(fault, "%s", fault->text);
	cr_assert(created);
	cr_assert_eq(http_stats(lab->http).writes, 2);
	talloc_free(lab);
}

Test(caldav_folder, what_nobody_can_make_is_refused)
{
	char *address = NULL;
	bool created = false;
	struct fault *fault;
	LAB_PLAY(lab, HOME,
		 { "MKCALENDAR", "/home/p/", NULL, "403 x",
		   "<error xmlns=\"DAV:\"><need-privileges/></error>" },
		 { "MKCOL", "/home/p/", NULL, "403 x",
		   "<error xmlns=\"DAV:\"><need-privileges/></error>" });

	fault = make(lab, lab_account(lab, "/"), &address, &created);
	lab_expect(fault, FAULT_REFUSED, "ensure");
	cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER);
	cr_assert_not_null(strstr(fault->text, "(need-privileges)"), "%s", fault->text);
	cr_assert_null(address);
	talloc_free(lab);
}

Test(caldav_folder, what_is_no_calendar_for_tasks_is_left_alone)
{
	static const char *const types[] = {
		MULTI(PROPS("/home/p/", "<resourcetype><collection/></resourcetype>")),
		MULTI(PROPS("/home/p/", "<resourcetype/>")),
		MULTI(PROPS("/home/p/",
			    CALENDAR "<c:supported-calendar-component-set><c:comp name=\"VEVENT\"/>"
				     "</c:supported-calendar-component-set>")),
	};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const struct lab_exchange exchanges[] = {
			HOME, { "PROPFIND", "/home/p/", NULL, "207 x", types[i] }
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		char *address = NULL;
		bool created;
		struct fault *fault = make(lab, lab_account(lab, "/"), &address, &created);

		lab_expect(fault, FAULT_REFUSED, types[i]);
		cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
		cr_assert_eq(http_stats(lab->http).writes, 0);
		talloc_free(lab);
	}
}

Test(caldav_folder, a_name_that_the_server_refuses_is_tried_once)
{
	bool created = true;
	char *address = NULL;
	struct endpoint *endpoint;
	LAB_PLAY(lab, HOME,
		 { "PROPFIND", "/home/p/", NULL, "207 x",
		   MULTI(PROPS("/home/p/", CALENDAR "<displayname>Q</displayname>")) },
		 { "PROPPATCH", "/home/p/", NULL, "207 x",
		   MULTI("<response><href>/home/p/</href><propstat><prop><displayname/></"
			 "prop><status>HTTP/1.1 403 x</status>"
			 "</propstat></response>") });

	endpoint = lab_account(lab, "/");
	for (int i = 0; i < 3; i++)
		cr_assert_null(make(lab, endpoint, &address, &created));
	cr_assert_not(created);
	cr_assert_eq(http_stats(lab->http).writes, 1);
	talloc_free(lab);
}

/* ---- CalDAV: listings ---- */

static char *told(TALLOC_CTX *mem, const struct endpoint_notice *notice)
{
	char *text = mem_printf(mem, "%s %s\n", notice->full ? "full" : "delta",
				notice->token ? notice->token : "-");

	for (size_t i = 0; i < notice->count; i++)
		text = mem_printf(mem, "%s%s %s\n", text, notice->changes[i].address,
				  notice->changes[i].removed ? "removed"
							     : notice->changes[i].version);
	return text;
}

static void expect_notice(struct lab *lab, const char *token, const char *expected)
{
	struct endpoint_notice *notice = NULL;
	struct fault *fault = look(lab, lab_account(lab, "/"), token, &notice);
	char *actual;

	cr_assert_null(fault, "token %s: %s", token ? token : "none", fault->text);
	actual = told(lab, notice);
	cr_assert_str_eq(actual, expected, "token %s\nexpected:\n%s\nactual:\n%s",
			 token ? token : "none", expected, actual);
}

#define FULL_507                                                                                   \
	"<response><href>/home/p/</href><status>HTTP/1.1 507 "                                     \
	"x</status><error><number-of-matches-within-limits/></error></response>"
#define GONE_LINE(href)                                                                            \
	"<response><href>" href "</href><status>HTTP/1.1 404 Not Found</status></response>"

Test(caldav_notice, a_truncated_listing_is_put_together)
{
	LAB_PLAY(lab,
		 { "REPORT", "/home/p/", "<D:sync-token></D:sync-token>", "207 x",
		   MULTI(LINE("/home/p/a.ics", "\"1\"") LINE("b.ics", "\"1\"") FULL_507
			 "<sync-token>t1</sync-token>") },
		 { "REPORT", "/home/p/", "<D:sync-token>t1<", "207 x",
		   MULTI(GONE_LINE("/home/p/a.ics") LINE("/home/p/b.ics", "\"2\"") FULL_507
			 "<sync-token>t2</sync-token>") },
		 { "REPORT", "/home/p/", "<D:sync-token>t2<", "207 x",
		   MULTI(LINE("http://127.0.0.1/home/p/c%3a.ics",
			      "\"1\"") "<sync-token>t3&amp;</sync-token>") },
		 { "REPORT", "/home/p/", "<D:sync-token>t3&amp;<", "207 x",
		   MULTI("<sync-token>t3&amp;</sync-token>") });

	expect_notice(lab, NULL, "full s:t3&\n/home/p/b.ics \"2\"\n/home/p/c%3A.ics \"1\"\n");
	expect_notice(lab, "s:t1",
		      "delta s:t3&\n/home/p/a.ics removed\n/home/p/b.ics \"2\"\n/home/p/c%3A.ics "
		      "\"1\"\n");
	expect_notice(lab, "s:t3&", "delta s:t3&\n");
	talloc_free(lab);
}

Test(caldav_notice, a_listing_without_end_is_a_fault)
{
	struct endpoint_notice *notice = NULL;
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "207 x",
			MULTI(FULL_507 "<sync-token>t1</sync-token>") });

	lab_expect(look(lab, lab_account(lab, "/"), NULL, &notice), FAULT_PROTOCOL,
		   "the same page again");
	talloc_free(lab);
}

Test(caldav_notice, the_folder_itself_and_what_is_no_item_are_left_out)
{
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "207 x",
			MULTI(LINE("/home/p/", "\"f\"") LINE("/home/p", "\"f\"") LINE(
				"/home/p/sub/", "\"s\"") LINE("/home/p/sub/x.ics", "\"s\"")
				      PROPS("/home/p/box",
					    "<getetag>\"b\"</getetag><resourcetype><collection/></"
					    "resourcetype>") PROPS("/home/p/no-etag.ics",
								   "<displayname/>")
					      LINE("/home/p/unquoted.ics", "abc") LINE(
						      "/home/p/weak.ics",
						      "W/\"w\"") "<sync-token>t</sync-token>") });

	expect_notice(lab, NULL,
		      "full s:t\n/home/p/unquoted.ics \"abc\"\n/home/p/weak.ics W/\"w\"\n");
	talloc_free(lab);
}

/* One product writes one slash too few, the other way no port, and escapes nothing. */
Test(caldav_notice, odd_addresses_of_servers)
{
	LAB_PLAY(lab,
		 { "REPORT", "/home/p/", NULL, "207 x",
		   MULTI(LINE("http:/127.0.0.1/home/p/a b.ics",
			      "\"1\"") LINE("http://127.0.0.1/home/p/c@d.ics", "\"1\"")
				 LINE("PRJ-1%3Aa.ics", "\"1\"") "<sync-token>t</sync-token>") });

	expect_notice(lab, NULL,
		      "full s:t\n/home/p/PRJ-1%3Aa.ics \"1\"\n/home/p/a%20b.ics "
		      "\"1\"\n/home/p/c%40d.ics \"1\"\n");
	talloc_free(lab);
}

Test(caldav_notice, an_address_outside_is_a_fault_and_not_a_missing_item)
{
	struct endpoint_notice *notice = NULL;
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "207 x",
			MULTI(LINE("/inner/p/a.ics", "\"1\"") "<sync-token>t</sync-token>") });

	lab_expect(look(lab, lab_account(lab, "/"), NULL, &notice), FAULT_PROTOCOL,
		   "rewritten by a proxy");
	talloc_free(lab);
}

Test(caldav_notice, every_way_to_refuse_a_token)
{
	static const char *const lines[] = { "400 x", "403 x", "409 x", "410 x", "412 x", "500 x" };

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		const struct lab_exchange exchanges[] = {
			{ "REPORT", "/home/p/", "<D:sync-token></D:sync-token>", "207 x",
			  MULTI("<sync-token>t</sync-token>") },
			{ "REPORT", "/home/p/", NULL, lines[i],
			  "<error xmlns=\"DAV:\"><valid-sync-token/></error>" },
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct endpoint_notice *notice = NULL;

		lab_expect(look(lab, lab_account(lab, "/"), "s:old", &notice), FAULT_TOKEN,
			   lines[i]);
		expect_notice(lab, NULL, "full s:t\n");
		talloc_free(lab);
	}
}

Test(caldav_notice, a_token_of_no_kind)
{
	static const char *const tokens[] = { "", "t", "x:1", "S:1" };
	struct scripted_answer answer = { SCRIPTED_ANSWER, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct endpoint_notice *notice = NULL;

	for (size_t i = 0; i < COUNT_OF(tokens); i++)
		lab_expect(look(lab, lab_account(lab, "/"), tokens[i], &notice), FAULT_TOKEN,
			   tokens[i]);
	cr_assert_eq(scripted_counts(lab->server).requests, 0);
	talloc_free(lab);
}

#define FOLDER(ctag) PROPS("/home/p/", CALENDAR "<s:getctag>" ctag "</s:getctag>")

Test(caldav_notice, by_ctag_where_there_is_no_sync_collection)
{
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "501 x", "" },
		 { "PROPFIND", "/home/p/", "Depth: 0", "207 x", MULTI(FOLDER("c7")) },
		 { "PROPFIND", "/home/p/", "Depth: 1", "207 x",
		   MULTI(FOLDER("later") LINE("/home/p/a.ics", "\"1\"")
				 LINE("/home/p/b.ics", "\"2\"")) });

	expect_notice(lab, NULL, "full c:c7\n/home/p/a.ics \"1\"\n/home/p/b.ics \"2\"\n");
	expect_notice(lab, "c:c7", "delta c:c7\n");
	expect_notice(lab, "c:c6", "full c:c7\n/home/p/a.ics \"1\"\n/home/p/b.ics \"2\"\n");
	talloc_free(lab);
}

Test(caldav_notice, by_listing_where_there_is_neither)
{
	LAB_PLAY(
		lab,
		{ "REPORT", "/home/p/", NULL, "207 x",
		  MULTI("") }, /* no token: no answer to a sync-collection */
		{ "PROPFIND", "/home/p/", "Depth: 0", "207 x", MULTI(PROPS("/home/p/", CALENDAR)) },
		{ "PROPFIND", "/home/p/", "Depth: 1", "207 x",
		  MULTI(PROPS("/home/p/", CALENDAR) LINE("/home/p/a.ics", "\"1\"")) });

	expect_notice(lab, NULL, "full -\n/home/p/a.ics \"1\"\n");
	talloc_free(lab);
}

Test(caldav_notice, a_folder_that_is_gone_inside_of_a_207)
{
	struct endpoint_notice *notice = NULL;
	struct fault *fault;
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "501 x", "" },
		 { "PROPFIND", "/home/p/", NULL, "207 x", MULTI(GONE_LINE("/home/p/")) });

	fault = look(lab, lab_account(lab, "/"), NULL, &notice);
	lab_expect(fault, FAULT_GONE, "notice");
	cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER);
	talloc_free(lab);
}

#define PRIVILEGES(list)                                                                           \
	"<response><href>/home/p/</href><propstat><prop><current-user-privilege-set>" list         \
	"</current-user-privilege-set></prop>" OK "</propstat></response>"

/* Before items that vanished are believed to be deleted. */
Test(caldav_notice, rights_that_shrank_are_told)
{
	static const struct {
		const char *line, *body;
		bool refused;
	} cases[] = {
		{ "207 x", MULTI(PRIVILEGES("<privilege><all/></privilege>")), false },
		{ "207 x",
		  MULTI(PRIVILEGES(
			  "<privilege><write/></privilege><privilege><read/></privilege>")),
		  false },
		{ "207 x",
		  MULTI(PRIVILEGES("<privilege><read-current-user-privilege-set/></privilege>")),
		  true },
		{ "207 x", MULTI(PRIVILEGES("")), true },
		{ "207 x", MULTI(""), false }, /* it does not tell */
		{ "403 x", "", true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct lab_exchange exchanges[] = {
			{ "PROPFIND", "/home/p/", "<D:current-user-privilege-set/>", cases[i].line,
			  cases[i].body },
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct fault *fault = endpoint_may_read(lab_account(lab, "/"), lab, "/home/p/");

		if (cases[i].refused) {
			lab_expect(fault, FAULT_REFUSED, cases[i].body);
			cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER);
		} else {
			cr_assert_null(fault, "%s: %s", cases[i].body, fault ? fault->text : "");
		}
		talloc_free(lab);
	}
}

Test(caldav_notice, a_move_of_the_server_is_followed)
{
	LAB_PLAY(lab, { "REPORT", "/home/p/", NULL, "308 x\r\nLocation: /moved/", "" }, HOME);
	struct endpoint_notice *notice = NULL;

	/* the same origin: discovery changes nothing, and the redirect is told */
	lab_expect(look(lab, lab_account(lab, "/"), NULL, &notice), FAULT_PROTOCOL, "notice");
	talloc_free(lab);
}

/* ---- CalDAV: items ---- */

#define DATE "Date: Sat, 21 Nov 2026 09:00:10 GMT"
#define DATA(href, etag, text)                                                                     \
	PROPS(href, "<getetag>" etag                                                               \
		    "</getetag><getlastmodified>Sat, 21 Nov 2026 09:00:00 GMT</getlastmodified>"   \
		    "<c:calendar-data>" text "</c:calendar-data>")

static struct endpoint_item *fetch(struct lab *lab, struct endpoint *endpoint,
				   const char *const *addresses, size_t count)
{
	struct endpoint_item *items = NULL;
	struct fault *fault = endpoint_fetch(endpoint, lab, "/home/p/", addresses, count, &items);

	cr_assert_null(fault, "fetch: %s", fault->text);
	return items;
}

static void expect_item(const struct endpoint_item *item, const char *version, const char *text)
{
	cr_assert_null(item->fault, "%s: %s", item->address, item->fault->text);
	cr_assert_str_eq(item->version, version, "%s: %s", item->address, item->version);
	cr_assert_str_eq(item->text, text, "%s: expected %s, actual %s", item->address, text,
			 item->text);
	cr_assert_eq(item->len, strlen(text));
}

Test(caldav_fetch, what_multiget_leaves_out_is_asked_for_directly)
{
	static const char *const asked[] = { "/home/p/a.ics",       "/home/p/said-404.ics",
					     "/home/p/silent.ics",  "/home/p/gone.ics",
					     "/home/p/no-data.ics", "/home/p/forbidden.ics",
					     "/home/p/no-etag.ics" };
	struct endpoint_item *items;
	int64_t skew, off;
	LAB_PLAY(lab,
		 { "REPORT", "/home/p/", NULL, "207 x\r\n" DATE,
		   MULTI(DATA("a.ics", "\"1\"", "A\nB\n") GONE_LINE("/home/p/said-404.ics")
				 GONE_LINE("http%3A//x/") LINE("/home/p/no-data.ics", "\"1\"")
					 DATA("/home/p/not-asked.ics", "\"1\"", "X")) },
		 { "GET", "/home/p/said-404.ics", NULL, "200 x\r\nETag: \"s\"", "said" },
		 { "GET", "/home/p/silent.ics", NULL, "200 x\r\nETag: \"q\"", "silent\n" },
		 { "GET", "/home/p/no-data.ics", NULL, "200 x\r\nETag: \"n\"", "data" },
		 { "GET", "/home/p/forbidden.ics", NULL, "403 x", "" },
		 { "GET", "/home/p/no-etag.ics", NULL, "200 x", "text" });

	items = fetch(lab, lab_account(lab, "/"), asked, COUNT_OF(asked));
	expect_item(&items[0], "\"1\"", "A\r\nB\r\n");
	expect_item(&items[1], "\"s\"", "said");
	expect_item(&items[2], "\"q\"", "silent\n");
	lab_expect(items[3].fault, FAULT_GONE, "gone");
	expect_item(&items[4], "\"n\"", "data");
	lab_expect(items[5].fault, FAULT_REFUSED, "forbidden");
	lab_expect(items[6].fault, FAULT_PROTOCOL, "no ETag");
	/* changed ten seconds before the answer, by the server's clock: so by ours */
	skew = clock_now_us(lab->clock) - items[0].modified_us;
	off = skew - 10 * CLOCK_SECOND_US;
	cr_assert(off >= 0 && off < 60 * CLOCK_SECOND_US, "off by %lld us", (long long)off);
	talloc_free(lab);
}

Test(caldav_fetch, a_multiget_that_fails_as_a_whole_is_no_end)
{
	static const char *const answers[] = { "403 x", "501 x", "500 x", "200 x", "207 x" };
	static const char *const asked[] = { "/home/p/a.ics", "/home/p/b.ics" };

	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		const struct lab_exchange exchanges[] = {
			{ "REPORT", "/home/p/", NULL, answers[i], "<oops" },
			{ "GET", "/home/p/a.ics", NULL, "200 x\r\nETag: \"1\"", "A" },
			{ "GET", "/home/p/b.ics", NULL, "200 x\r\nETag: \"2\"", "B" },
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct endpoint *endpoint = lab_account(lab, "/");
		struct endpoint_item *items = fetch(lab, endpoint, asked, 2);
		int64_t before = http_stats(lab->http).requests;

		expect_item(&items[0], "\"1\"", "A");
		expect_item(&items[1], "\"2\"", "B");
		(void)fetch(lab, endpoint, asked, 2);
		cr_assert_eq(http_stats(lab->http).requests - before, 2,
			     "a useless multiget again");
		talloc_free(lab);
	}
}

Test(caldav_fetch, an_item_over_the_bound_is_its_own_fault)
{
	static const char *const asked[] = { "/home/p/big.ics", "/home/p/huge.ics",
					     "/home/p/small.ics" };
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *big = MEM_ARRAY(mem, char, CALDAV_ITEM_MAX + 2);
	struct lab_exchange exchanges[] = {
		{ "REPORT", "/home/p/", NULL, "207 x", NULL },
		{ "GET", "/home/p/huge.ics", NULL, "200 x\r\nETag: \"1\"", big },
	};
	struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
	struct lab *lab = lab_new(lab_play, &p);
	struct endpoint_item *items;

	memset(big, 'x', CALDAV_ITEM_MAX + 1);
	exchanges[0].body = mem_printf(
		mem, "%s%s%s",
		"<multistatus " DAV
		">" DATA("small.ics", "\"1\"",
			 "S") "<response><href>big.ics</href><propstat><prop><getetag>\"1\"</"
			      "getetag><c:calendar-data>",
		big, "</c:calendar-data></prop>" OK "</propstat></response></multistatus>");
	items = fetch(lab, lab_account(lab, "/"), asked, COUNT_OF(asked));
	lab_expect(items[0].fault, FAULT_PROTOCOL, "big, in the multiget");
	lab_expect(items[1].fault, FAULT_PROTOCOL, "huge, by GET");
	cr_assert_eq(items[0].fault->scope, FAULT_SCOPE_ITEM);
	cr_assert_eq(items[1].fault->scope, FAULT_SCOPE_ITEM);
	expect_item(&items[2], "\"1\"", "S");
	talloc_free(lab);
	talloc_free(mem);
}

/* ---- CalDAV: writing ---- */

Test(caldav_write, what_a_207_to_a_put_means)
{
	static const struct {
		const char *body;
		int kind; /* -1: success */
		bool maybe_done;
	} cases[] = {
		{ MULTI("<response><href>/home/p/a.ics</href><status>HTTP/1.1 412 "
			"x</status></response>"),
		  FAULT_CHANGED, false },
		{ MULTI("<response><href>/home/p/a.ics</href><status>HTTP/1.1 403 "
			"x</status></response>"),
		  FAULT_REFUSED, false },
		{ MULTI("<response><href>/home/p/a.ics</href><status>HTTP/1.1 201 "
			"x</status></response>"),
		  -1, false },
		{ MULTI(LINE("/home/p/a.ics", "\"1\"")), -1, false },
		{ "<oops", FAULT_PROTOCOL, true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct lab_exchange exchanges[] = {
			{ "PUT", "/home/p/a.ics", NULL, "207 x", cases[i].body },
			{ "GET", "/home/p/a.ics", NULL, "200 x\r\nETag: \"2\"", "text" },
			{ "PROPFIND", "/home/p/", NULL, "207 x", MULTI(FOLDER("c")) }
		};
		struct lab_plan p = { exchanges, COUNT_OF(exchanges) };
		struct lab *lab = lab_new(lab_play, &p);
		struct endpoint_put put =
			lab_put(lab, lab_account(lab, "/"), "/home/p/a.ics", NULL);

		if (cases[i].kind < 0) {
			cr_assert_null(put.fault, "%s: %s", cases[i].body, put.fault->text);
		} else {
			lab_expect(put.fault, (enum fault_kind)cases[i].kind, cases[i].body);
			cr_assert_eq(put.fault->maybe_done, cases[i].maybe_done, "%s",
				     cases[i].body);
			cr_assert_eq(put.fault->scope, FAULT_SCOPE_ITEM);
		}
		talloc_free(lab);
	}
}

Test(caldav_write, every_write_has_its_condition)
{
	struct endpoint_remove remove = { .address = "/home/p/b.ics", .if_version = "\"v3\"" };
	struct endpoint_remove careless = { .address = "/home/p/b.ics" };
	struct endpoint *endpoint;
	LAB_PLAY(
		lab, { "PUT", "/home/p/a.ics", "\r\nIf-None-Match: *\r\n", "201 x", "" },
		{ "PUT", "/home/p/a.ics", "\r\nIf-Match: \"v1\"\r\n", "204 x\r\nETag: \"v2\"", "" },
		{ "PUT", "/home/p/weak.ics", "\r\nIf-Match: \"v1\"\r\n", "204 x", "" },
		{ "DELETE", "/home/p/b.ics", "\r\nIf-Match: \"v3\"\r\n", "204 x", "" });

	endpoint = lab_account(lab, "/");
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", NULL).fault);
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", "\"v1\"").fault);
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", "\"v1\"").version,
		       "vouched for without certainty");
	cr_assert_str_eq(lab_put(lab, endpoint, "/home/p/a.ics", "\"v1\"").answered, "\"v2\"");
	cr_assert_null(lab_put(lab, endpoint, "/home/p/a.ics", NULL).answered);
	cr_assert_null(lab_put(lab, endpoint, "/home/p/weak.ics", "W/\"v1\"").fault);
	cr_assert_null(endpoint_remove(endpoint, lab, "/home/p/", &remove, 1));
	cr_assert_null(remove.fault);
	cr_assert_null(endpoint_remove(endpoint, lab, "/home/p/", &careless, 1));
	lab_expect(careless.fault, FAULT_REFUSED, "a removal without a version");
	lab_expect(lab_put(lab, endpoint, "/home/other/a.ics", NULL).fault, FAULT_REFUSED,
		   "outside");
	lab_expect(lab_put(lab, endpoint, "/home/p/", NULL).fault, FAULT_REFUSED,
		   "the folder itself");
	lab_expect(lab_put(lab, endpoint, "/home/p/a.ics", "\"v\"\r\nX: y").fault, FAULT_PROTOCOL,
		   "a cut header");
	talloc_free(lab);
}

Test(caldav_write, changed_and_gone_are_told_apart)
{
	struct endpoint_remove removes[2] = {
		{ .address = "/home/p/changed.ics", .if_version = "\"1\"" },
		{ .address = "/home/p/gone.ics", .if_version = "\"1\"" }
	};
	struct endpoint *endpoint;
	LAB_PLAY(lab, { "PUT", "/home/p/changed.ics", NULL, "412 x", "" },
		 { "PUT", "/home/p/gone.ics", NULL, "412 x", "" },
		 { "DELETE", "/home/p/changed.ics", NULL, "412 x", "" },
		 { "DELETE", "/home/p/gone.ics", NULL, "412 x", "" },
		 { "GET", "/home/p/changed.ics", NULL, "200 x\r\nETag: \"2\"", "text" });

	endpoint = lab_account(lab, "/");
	lab_expect(lab_put(lab, endpoint, "/home/p/changed.ics", "\"1\"").fault, FAULT_CHANGED,
		   "changed");
	lab_expect(lab_put(lab, endpoint, "/home/p/gone.ics", "\"1\"").fault, FAULT_GONE, "gone");
	lab_expect(lab_put(lab, endpoint, "/home/p/changed.ics", NULL).fault, FAULT_CHANGED,
		   "create what is there");
	lab_expect(lab_put(lab, endpoint, "/home/p/gone.ics", NULL).fault, FAULT_REFUSED,
		   "create, refused though nothing is there");
	cr_assert_null(endpoint_remove(endpoint, lab, "/home/p/", removes, 2));
	lab_expect(removes[0].fault, FAULT_CHANGED, "remove, changed");
	lab_expect(removes[1].fault, FAULT_GONE, "remove, gone");
	talloc_free(lab);
}

Test(caldav_write, a_conflict_is_named_and_a_missing_folder_is_seen)
{
	struct fault *fault;
	LAB_PLAY(lab,
		 { "PUT", "/home/p/twice.ics", NULL, "403 x",
		   "<D:error xmlns:D=\"DAV:\"><C:no-uid-conflict "
		   "xmlns:C=\"urn:ietf:params:xml:ns:caldav\"/></D:error>" },
		 { "PROPFIND", "/home/p/", NULL, "207 x", MULTI(FOLDER("c")) });

	fault = lab_put(lab, lab_account(lab, "/"), "/home/p/twice.ics", NULL).fault;
	lab_expect(fault, FAULT_REFUSED, "conflict");
	cr_assert_not_null(strstr(fault->text, "(no-uid-conflict)"), "%s", fault->text);
	talloc_free(lab);
	{
		static const struct lab_exchange none[] = { { "PUT", "/home/p/a.ics", NULL, "409 x",
							      "" } };
		struct lab_plan p = { none, 1 };
		struct lab *other = lab_new(lab_play, &p);

		fault = lab_put(other, lab_account(other, "/"), "/home/p/a.ics", NULL).fault;
		lab_expect(fault, FAULT_GONE, "no folder");
		cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER);
		talloc_free(other);
	}
}

/* A server that overwrites and deletes whatever the condition, or of which nobody knows better: it is
 * looked at first. */
Test(caldav_write, a_careless_server_is_looked_at_first)
{
	static const char *const known[] = { NULL,
					     "create-guard=no replace-guard=no remove-guard=no" };

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct endpoint_remove removes[2] = {
			{ .address = "/home/p/other.ics", .if_version = "\"1\"" },
			{ .address = "/home/p/same.ics", .if_version = "\"2\"" }
		};
		struct endpoint *endpoint;
		LAB_PLAY(lab, { "PUT", "/home/p/other.ics", NULL, "204 x", "" },
			 { "PUT", "/home/p/new.ics", NULL, "201 x", "" },
			 { "DELETE", "/home/p/other.ics", NULL, "204 x", "" },
			 { "DELETE", "/home/p/same.ics", NULL, "204 x", "" },
			 { "GET", "/home/p/other.ics", NULL, "200 x\r\nETag: \"2\"", "text" },
			 { "GET", "/home/p/same.ics", NULL, "200 x\r\nETag: \"2\"", "text" });

		endpoint = lab_account(lab, "/");
		endpoint_know(endpoint, known[i]);
		lab_expect(lab_put(lab, endpoint, "/home/p/other.ics", NULL).fault, FAULT_CHANGED,
			   "create over");
		lab_expect(lab_put(lab, endpoint, "/home/p/other.ics", "\"1\"").fault,
			   FAULT_CHANGED, "replace another version");
		cr_assert_null(lab_put(lab, endpoint, "/home/p/other.ics", "\"2\"").fault);
		cr_assert_null(lab_put(lab, endpoint, "/home/p/new.ics", NULL).fault);
		cr_assert_null(endpoint_remove(endpoint, lab, "/home/p/", removes, 2));
		lab_expect(removes[0].fault, FAULT_CHANGED, "remove another version");
		lab_expect(removes[1].fault, FAULT_PROTOCOL, "remove, and it is still there");
		cr_assert_eq(http_stats(lab->http).writes, 3, "%lld writes",
			     (long long)http_stats(lab->http).writes);
		talloc_free(lab);
	}
}
