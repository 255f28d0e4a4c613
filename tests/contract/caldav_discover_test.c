#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "gateway/net/resolve.h"
#include "lab.h"

/* How a server and a person's home on it are found, and whose folder it is. Each case is a table of
 * requests and answers, what the configuration says, and what comes out of it: the folder's address,
 * or the fault. */

#define OK "<status>HTTP/1.1 200 OK</status>"
#define MULTI(lines)                                                                               \
	"<multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                   \
	"xmlns:s=\"http://calendarserver.org/ns/\">" lines "</multistatus>"
#define PROPS(href, props)                                                                         \
	"<response><href>" href "</href><propstat><prop>" props "</prop>" OK                       \
	"</propstat></response>"
#define PRINCIPAL(href) "<current-user-principal><href>" href "</href></current-user-principal>"
#define HOMES(hrefs) "<c:calendar-home-set>" hrefs "</c:calendar-home-set>"
#define HREF(href) "<href>" href "</href>"
#define OWNER(href) "<owner><href>" href "</href></owner>"
#define FOLDERS "<resourcetype><collection/></resourcetype>"
#define CALENDAR "<resourcetype><collection/><c:calendar/></resourcetype>"
#define COLLECTIONS(href)                                                                          \
	"<principal-collection-set><href>" href "</href></principal-collection-set>"
#define ADDRESS(href)                                                                              \
	"<c:calendar-user-address-set><href>" href "</href></c:calendar-user-address-set>"
#define EMAIL(address)                                                                             \
	"<s:email-address-set><s:email-address>" address "</s:email-address></"                    \
	"s:email-address-set>"

#define EXCHANGES_MAX 8

struct exchange {
	const char *method, *path;
	const char *has;    /* in the request, or NULL */
	const char *status; /* "207 x", with more header lines if wanted */
	const char *body;
};

struct discovery {
	const char *what;
	const char *url, *home, *person;
	const char *remembered; /* a home */
	struct exchange exchanges[EXCHANGES_MAX];
	const char *address; /* of the folder; NULL: a fault */
	enum fault_kind kind;
	enum fault_scope scope;
	const char *text;  /* in the fault's text */
	const char *never; /* what no request may have in it */
	int most;          /* requests; 0: any number */
};

static struct scripted_answer play(void *context, TALLOC_CTX *mem, const char *method,
				   const char *path, const char *request)
{
	const struct discovery *d = context;
	struct scripted_answer answer = { SCRIPTED_ANSWER,
					  "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 0, 0 };

	for (size_t i = 0; i < EXCHANGES_MAX && d->exchanges[i].method; i++) {
		const struct exchange *e = &d->exchanges[i];

		if (strcmp(e->method, method) || strcmp(e->path, path) ||
		    (e->has && !strstr(request, e->has)))
			continue;
		answer.text = mem_printf(mem, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
					 e->status, strlen(e->body), e->body);
		break;
	}
	return answer;
}

static struct endpoint *account(struct lab *lab, const struct discovery *d,
				const struct endpoint_place *place)
{
	struct caldav_account one = { .user = "ana",
				      .password = lab->site.password,
				      .deadline_ms = LAB_LONG_MS,
				      .home = d->home,
				      .person = d->person,
				      .place = place };

	one.url = mem_printf(lab, "%s%s", scripted_url(lab->server), d->url);
	return caldav_new(lab, lab->http, lab->clock, &one);
}

/* What an endpoint of the same words would have found earlier. */
static struct endpoint_place *place_of(struct lab *lab, const char *url, const char *home)
{
	struct endpoint_place *place = MEM_NEW(lab, struct endpoint_place);

	place->asked = mem_printf(lab, "%s%s\nana\n-\n-", scripted_url(lab->server), url);
	place->origin = scripted_url(lab->server);
	place->home = home;
	place->how = "the URL";
	place->found_us = clock_now_us(lab->clock);
	return place;
}

static void expect_discovery(const struct discovery *d)
{
	struct discovery copy = *d;
	struct lab *lab = lab_new(play, &copy);
	struct endpoint_folder folder = { .path = "p", .display = "P" };
	struct endpoint *endpoint =
		account(lab, d, d->remembered ? place_of(lab, d->url, d->remembered) : NULL);
	bool created = false;
	char *address = NULL;
	struct fault *fault = endpoint_ensure(endpoint, lab, &folder, NULL, &address, &created);

	if (d->address) {
		cr_assert_null(fault, "%s: %s", d->what, fault->text);
		cr_expect_str_eq(address, d->address, "%s: expected %s, actual %s", d->what,
				 d->address, address);
	} else {
		lab_expect(fault, d->kind, d->what);
		cr_expect_eq(fault->scope, d->scope, "%s: scope %s (%s)", d->what,
			     fault_scope_name(fault->scope), fault->text);
		cr_expect(!d->text || strstr(fault->text, d->text), "%s: '%s' is not in '%s'",
			  d->what, d->text, fault->text);
		cr_expect(d->scope < FAULT_SCOPE_ACCOUNT ||
				  !scripted_heard(lab->server, "MKCALENDAR"),
			  "%s: made", d->what);
	}
	cr_expect(!d->never || !scripted_heard(lab->server, d->never), "%s: '%s' was asked",
		  d->what, d->never);
	cr_expect(!d->most || scripted_counts(lab->server).requests <= d->most,
		  "%s: %d requests, at most %d", d->what, scripted_counts(lab->server).requests,
		  d->most);
	talloc_free(lab);
}

#define EXPECT_ALL(cases)                                                                          \
	for (size_t i_ = 0; i_ < COUNT_OF(cases); i_++)                                            \
	expect_discovery(&cases[i_])

#define MADE(path)                                                                                 \
	{                                                                                          \
		"MKCALENDAR", path, NULL, "201 x", ""                                              \
	}
#define ASK(path, props)                                                                           \
	{                                                                                          \
		"PROPFIND", path, NULL, "207 x", MULTI(PROPS(path, props))                         \
	}

/* ---- the home ---- */

static const struct discovery homes[] = {
	{ .what = "of several homes the one that belongs to the principal",
	  .url = "/",
	  .exchanges = { ASK("/", PRINCIPAL("/p/ana/")),
			 ASK("/p/ana/", HOMES(HREF("/c/bo/") HREF("/c/ana/"))),
			 ASK("/c/bo/", FOLDERS OWNER("/p/bo/")),
			 ASK("/c/ana/", FOLDERS OWNER("/p/ana")), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "of several homes the first that is nobody's, as far as is told",
	  .url = "/",
	  .exchanges = { ASK("/", PRINCIPAL("/p/ana/")),
			 ASK("/p/ana/", HOMES(HREF("/c/bo/") HREF("/c/x/") HREF("/c/y/"))),
			 ASK("/c/bo/", FOLDERS OWNER("/p/bo/")), ASK("/c/x/", FOLDERS),
			 ASK("/c/y/", FOLDERS), MADE("/c/x/p/") },
	  .address = "/c/x/p/" },
	{ .what = "several homes, all of them others'",
	  .url = "/",
	  .exchanges = { ASK("/", PRINCIPAL("/p/ana/")),
			 ASK("/p/ana/", HOMES(HREF("/c/bo/") HREF("/c/cy/"))),
			 ASK("/c/bo/", OWNER("/p/bo/")), ASK("/c/cy/", OWNER("/p/cy/")) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "2 calendar homes, and none of them belongs to /p/ana/" },
	{ .what = "of several homes the one that the URL names",
	  .url = "/c/two/",
	  .exchanges = { ASK("/c/two/", PRINCIPAL("/p/ana/")),
			 ASK("/p/ana/", HOMES(HREF("/c/one/") HREF("/c/two/"))),
			 MADE("/c/two/p/") },
	  .address = "/c/two/p/" },
	{ .what = "the same home twice is one",
	  .url = "/",
	  .exchanges = { ASK("/", HOMES(HREF("/c/ana") HREF("/c/%61na/"))), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/",
	  .most = 3 },
	{ .what = "the principal itself as the URL",
	  .url = "/p/ana/",
	  .exchanges = { ASK("/p/ana/", PRINCIPAL("/p/ana/") HOMES(HREF("/c/ana/"))),
			 MADE("/c/ana/p/") },
	  .address = "/c/ana/p/",
	  .most = 3 },
	{ .what = "a calendar of a server that knows no principals: beside it",
	  .url = "/c/ana/tasks/",
	  .exchanges = { ASK("/c/ana/tasks/", CALENDAR), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "a calendar of a server that has principals: in the home",
	  .url = "/c/ana/tasks/",
	  .exchanges = { ASK("/c/ana/tasks/", CALENDAR PRINCIPAL("/p/ana/")),
			 ASK("/p/ana/", HOMES(HREF("/c/ana/"))), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "no login was needed at the root, and so it knows nobody",
	  .url = "/",
	  .exchanges = { ASK("/", "<current-user-principal><unauthenticated/>"
				  "</current-user-principal>"),
			 ASK("/.well-known/caldav", HOMES(HREF("/c/ana/"))), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "another program at the root refuses the login",
	  .url = "/",
	  .exchanges = { { "PROPFIND", "/", NULL, "401 x", "" },
			 ASK("/.well-known/caldav", HOMES(HREF("/c/ana/"))),
			 MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "a refused login is offered twice at most",
	  .url = "/",
	  .exchanges = { { "PROPFIND", "/", NULL, "401 x", "" },
			 { "PROPFIND", "/.well-known/caldav", NULL, "401 x", "" } },
	  .kind = FAULT_LOGIN,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .most = 2 },
	{ .what = "a login refused at the URL's own path is refused",
	  .url = "/dav/",
	  .exchanges = { { "PROPFIND", "/dav/", NULL, "401 x", "" } },
	  .kind = FAULT_LOGIN,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .most = 1 },
	{ .what = "a login refused at the root, and nothing elsewhere",
	  .url = "/",
	  .exchanges = { { "PROPFIND", "/", NULL, "401 x", "" } },
	  .kind = FAULT_LOGIN,
	  .scope = FAULT_SCOPE_ACCOUNT },
	{ .what = "another host, which is told with what to write",
	  .url = "/",
	  .exchanges = { { "PROPFIND", "/.well-known/caldav", NULL,
			   "301 x\r\nLocation: https://dav.example.com:8443/x/", "" } },
	  .kind = FAULT_PROTOCOL,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "write url = https://dav.example.com:8443/x/" },
	{ .what = "a home on another host, when it is not here",
	  .url = "/",
	  .exchanges = { ASK("/", HOMES(HREF("https://p12.example.com/c/ana/"))) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_FOLDER,
	  .text = "https://p12.example.com/c/ana/" },
	{ .what = "a home on another host, which is only what a proxy hides",
	  .url = "/",
	  .exchanges = { ASK("/", HOMES(HREF("https://inner:99/c/ana/"))), MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
};

Test(caldav_discover, the_home_of_the_login)
{
	EXPECT_ALL(homes);
}

/* ---- whose folder ---- */

#define HOME_OF_ANA ASK("/", PRINCIPAL("/p/ana/") HOMES(HREF("/c/ana/")))

static const struct discovery folders[] = {
	{ .what = "a folder that somebody shares is not the person's own",
	  .url = "/",
	  .exchanges = { HOME_OF_ANA, ASK("/c/ana/p/", CALENDAR OWNER("/p/bo/")),
			 ASK("/c/ana/", FOLDERS OWNER("/p/ana/")) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_FOLDER,
	  .text = "belongs to /p/bo/" },
	{ .what = "the person's own",
	  .url = "/",
	  .exchanges = { HOME_OF_ANA,
			 ASK("/c/ana/p/",
			     CALENDAR OWNER("/p/ana") "<displayname>P</displayname>") },
	  .address = "/c/ana/p/",
	  .most = 2 },
	{ .what = "owned by another address of the same person",
	  .url = "/",
	  .exchanges = { HOME_OF_ANA,
			 ASK("/c/ana/p/",
			     CALENDAR OWNER("/uids/1234/") "<displayname>P</displayname>"),
			 ASK("/c/ana/", FOLDERS OWNER("/uids/1234/")) },
	  .address = "/c/ana/p/" },
	{ .what = "owned by somebody, of a server that tells no owner of the home",
	  .url = "/",
	  .exchanges = { HOME_OF_ANA,
			 ASK("/c/ana/p/",
			     CALENDAR OWNER("/uids/1234/") "<displayname>P</displayname>"),
			 ASK("/c/ana/", FOLDERS) },
	  .address = "/c/ana/p/" },
};

Test(caldav_discover, a_folder_that_belongs_to_somebody_else)
{
	EXPECT_ALL(folders);
}

/* ---- another's home ---- */

static const struct discovery proxies[] = {
	{ .what = "by its path",
	  .url = "/",
	  .home = "/c/bo/",
	  .exchanges = { ASK("/c/bo/", FOLDERS OWNER("/p/bo/")), MADE("/c/bo/p/") },
	  .address = "/c/bo/p/",
	  .never = "PROPFIND / ",
	  .most = 3 },
	{ .what = "by its path, which is redirected",
	  .url = "/",
	  .home = "/c/bo/",
	  .exchanges = { { "PROPFIND", "/c/bo/", NULL, "301 x\r\nLocation: /dav/c/bo/", "" },
			 ASK("/dav/c/bo/", FOLDERS),
			 MADE("/dav/c/bo/p/") },
	  .address = "/dav/c/bo/p/" },
	{ .what = "a path where nothing is",
	  .url = "/",
	  .home = "/c/nobody/",
	  .kind = FAULT_GONE,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "no calendar home /c/nobody/" },
	{ .what = "a path of a calendar",
	  .url = "/",
	  .home = "/c/bo/tasks/",
	  .exchanges = { ASK("/c/bo/tasks/", CALENDAR) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "is a calendar" },
	{ .what = "the login is refused there",
	  .url = "/",
	  .home = "/c/bo/",
	  .exchanges = { { "PROPFIND", "/c/bo/", NULL, "401 x", "" } },
	  .kind = FAULT_LOGIN,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .most = 1 },
	{ .what = "the login may not look there",
	  .url = "/",
	  .home = "/c/bo/",
	  .exchanges = { { "PROPFIND", "/c/bo/", NULL, "403 x", "" } },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT },
};

Test(caldav_discover, anothers_home_by_its_path)
{
	EXPECT_ALL(proxies);
}

#define LOGIN ASK("/", PRINCIPAL("/p/tf/") HOMES(HREF("/c/tf/")) COLLECTIONS("/p/"))
#define FOUND(has, responses)                                                                      \
	{                                                                                          \
		"REPORT", "/p/", has, "207 x", MULTI(responses)                                    \
	}

static const struct discovery searches[] = {
	{ .what = "exactly one",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN,
			 FOUND("<D:match>mailto:bo@example.com</D:match>",
			       PROPS("/p/bo/", ADDRESS("MAILTO:Bo@Example.com"))),
			 ASK("/p/bo/", HOMES(HREF("/c/bo/"))), MADE("/c/bo/p/") },
	  .address = "/c/bo/p/" },
	{ .what = "one that has it, and one that has it in it",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN,
			 FOUND(NULL, PROPS("/p/jobo/", ADDRESS("mailto:jobo@example.com"))
					     PROPS("/p/bo/", ADDRESS("mailto:bo@example.com"))),
			 ASK("/p/bo/", HOMES(HREF("/c/bo/"))), MADE("/c/bo/p/") },
	  .address = "/c/bo/p/" },
	{ .what = "by the other property",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN,
			 { "REPORT", "/p/", "calendar-user-address-set/></D:prop><D:match", "403 x",
			   "" },
			 FOUND("<D:match>bo@example.com</D:match>",
			       PROPS("/p/bo/", EMAIL("bo@example.com"))),
			 ASK("/p/bo/", HOMES(HREF("/c/bo/"))),
			 MADE("/c/bo/p/") },
	  .address = "/c/bo/p/" },
	{ .what = "only one that has it in it",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN,
			 FOUND(NULL, PROPS("/p/jobo/", ADDRESS("mailto:jobo@example.com"))) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "no principal of the server has the address bo@example.com" },
	{ .what = "one of which the server does not tell the address",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN, FOUND(NULL, PROPS("/p/bo/", "")) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "1 have a similar one" },
	{ .what = "two",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN, FOUND(NULL, PROPS("/p/bo/", ADDRESS("mailto:bo@example.com")) PROPS(
						    "/p/b2/", ADDRESS("mailto:bo@example.com"))
						    PROPS("/p/bo", ADDRESS("mailto:bo@example."
									   "com"))) },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "2 principals have the address bo@example.com" },
	{ .what = "a server that does not search",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN, { "REPORT", "/p/", NULL, "403 x", "" } },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "status 403" },
	{ .what = "a server that does not say where its principals are: never the login's own home",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { ASK("/", PRINCIPAL("/p/tf/") HOMES(HREF("/c/tf/"))), MADE("/c/tf/p/") },
	  .kind = FAULT_PROTOCOL,
	  .scope = FAULT_SCOPE_ACCOUNT },
	{ .what = "a server that names the asker's home as everybody's (Cyrus)",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN, FOUND(NULL, PROPS("/p/bo/", ADDRESS("mailto:bo@example.com"))),
			 ASK("/p/bo/", HOMES(HREF("/c/tf/"))), MADE("/c/tf/p/") },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "the login's own calendar home" },
	{ .what = "the login itself",
	  .url = "/",
	  .person = "tf@example.com",
	  .exchanges = { LOGIN, FOUND(NULL, PROPS("/p/tf/", ADDRESS("mailto:tf@example.com"))),
			 ASK("/p/tf/", HOMES(HREF("/c/tf/"))), MADE("/c/tf/p/") },
	  .address = "/c/tf/p/" },
	{ .what = "a principal without a home",
	  .url = "/",
	  .person = "bo@example.com",
	  .exchanges = { LOGIN, FOUND(NULL, PROPS("/p/bo/", ADDRESS("mailto:bo@example.com"))),
			 ASK("/p/bo/", "") },
	  .kind = FAULT_REFUSED,
	  .scope = FAULT_SCOPE_ACCOUNT,
	  .text = "where the calendars of bo@example.com are" },
};

Test(caldav_discover, anothers_home_by_a_search)
{
	EXPECT_ALL(searches);
}

/* ---- what is remembered ---- */

static const struct discovery remembered[] = {
	{ .what = "nothing is looked for again",
	  .url = "/",
	  .remembered = "/c/ana/",
	  .exchanges = { MADE("/c/ana/p/") },
	  .address = "/c/ana/p/",
	  .most = 2 },
	{ .what = "until it is over",
	  .url = "/",
	  .remembered = "/old/ana/",
	  .exchanges = { { "MKCALENDAR", "/old/ana/p/", NULL, "409 x", "" },
			 ASK("/", HOMES(HREF("/c/ana/"))),
			 MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
	{ .what = "or redirected",
	  .url = "/",
	  .remembered = "/old/ana/",
	  .exchanges = { { "PROPFIND", "/old/ana/p/", NULL, "301 x\r\nLocation: /c/ana/p/", "" },
			 ASK("/", HOMES(HREF("/c/ana/"))),
			 MADE("/c/ana/p/") },
	  .address = "/c/ana/p/" },
};

Test(caldav_discover, what_is_remembered)
{
	EXPECT_ALL(remembered);
}

Test(caldav_discover, a_place_is_given_to_the_next_endpoint)
{
	struct discovery d = { .url = "/", .exchanges = { HOME_OF_ANA, MADE("/c/ana/p/") } };
	struct lab *lab = lab_new(play, &d);
	struct endpoint_place *place = NULL, *again = NULL, *other = NULL;

	cr_assert_null(endpoint_place(account(lab, &d, NULL), lab, false, &place));
	cr_expect_null(place);
	cr_assert_null(endpoint_place(account(lab, &d, NULL), lab, true, &place));
	cr_expect_str_eq(place->home, "/c/ana/");
	cr_expect_str_eq(place->principal, "/p/ana/");
	cr_expect_str_eq(place->origin, scripted_url(lab->server));
	cr_expect_str_eq(place->how, "the URL");
	cr_expect_eq(scripted_counts(lab->server).requests, 1);
	cr_assert_null(endpoint_place(account(lab, &d, place), lab, true, &again));
	cr_expect_str_eq(again->home, place->home);
	cr_expect_eq(again->found_us, place->found_us);
	cr_expect_eq(scripted_counts(lab->server).requests, 1, "looked for again");
	d.url = "/x/"; /* another configuration */
	cr_assert_null(endpoint_place(account(lab, &d, place), lab, true, &other));
	cr_expect_gt(scripted_counts(lab->server).requests, 1, "believed for another URL");
	talloc_free(lab);
}

/* ---- names ---- */

static const char *const records[] = {
	"srv-host=_caldavs._tcp.hosted.test,caldav.hoster.example,443",
	"srv-host=_caldavs._tcp.odd.test,caldav.hoster.example,8443",
	"txt-record=_caldavs._tcp.odd.test,path=/dav/",
	"srv-host=_caldavs._tcp.none.test",
	"srv-host=_caldavs._tcp.own.test,dav.own.test,1",
	"srv-host=_caldavs._tcp.own.test,dav2.own.test,1,1",
	"srv-host=_caldav._tcp.plain.test,dav.plain.test,80",
	NULL
};

static const struct {
	const char *url;
	enum fault_kind kind;
	enum fault_scope scope;
	const char *text;
} names[] = {
	{ "hosted.test", FAULT_CONFIG, FAULT_SCOPE_ACCOUNT,
	  "names caldav.hoster.example, outside of hosted.test" },
	{ "ana@hosted.test", FAULT_CONFIG, FAULT_SCOPE_ACCOUNT,
	  "write url = https://caldav.hoster.example/" },
	{ "odd.test", FAULT_CONFIG, FAULT_SCOPE_ACCOUNT,
	  "write url = https://caldav.hoster.example:8443/dav/" },
	{ "none.test", FAULT_CONFIG, FAULT_SCOPE_ACCOUNT, "no CalDAV service" },
	{ "own.test", FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "dav2.own.test" },
	{ "plain.test", FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "plain.test" },
	{ "elsewhere.example", FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "_caldavs._tcp.elsewhere" },
	{ "-x", FAULT_CONFIG, FAULT_SCOPE_SERVER, "not the URL" },
	{ "", FAULT_CONFIG, FAULT_SCOPE_SERVER, "not the URL" },
};

Test(caldav_discover, a_name_in_place_of_a_url)
{
	struct scripted_answer nothing = { SCRIPTED_ANSWER, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &nothing);
	struct fixture *server = fixture_start(lab, "names", "start", records);
	struct resolve_dns dns = { .servers = server->url, .deadline_ms = LAB_LONG_MS };

	if (server->result == FIXTURE_NOT_INSTALLED) {
		fixture_end(server);
		cr_skip_test("dnsmasq is not installed");
	}
	for (size_t i = 0; server->url && i < COUNT_OF(names); i++) {
		struct caldav_account one = { .url = names[i].url,
					      .user = "ana",
					      .password = lab->site.password,
					      .deadline_ms = LAB_LONG_MS,
					      .dns = &dns };
		struct endpoint *endpoint = caldav_new(lab, lab->http, lab->clock, &one);
		struct endpoint_notice *notice = NULL;
		struct fault *fault = endpoint_notice(endpoint, lab, "/c/p/", NULL, &notice);

		cr_expect(fault && fault->kind == names[i].kind && fault->scope == names[i].scope &&
				  strstr(fault->text, names[i].text),
			  "%s: expected %s '%s', actual %s '%s'", names[i].url,
			  fault_kind_name(names[i].kind), names[i].text,
			  fault ? fault_kind_name(fault->kind) : "success",
			  fault ? fault->text : "");
	}
	fixture_end(server);
	cr_assert_eq(server->result, 0);
	talloc_free(lab);
}

/* ---- one login for all, on a real server ---- */

/* DAViCal's administrator may write everywhere, and it answers a search by a property that it does
 * not know with everybody. */
Test(caldav_discover, an_administrator_of_davical)
{
	static const char *const users[] = { "ana", "joana", NULL };
	struct scripted_answer nothing = { SCRIPTED_ANSWER, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &nothing);
	struct fixture *server = fixture_start(lab, "davical", "start", users);
	struct endpoint_folder folder = { .path = "tf-p", .display = "P" };
	struct secret *password = secret_new(lab, "secret", strlen("secret"));
	static const struct {
		const char *home, *person, *address;
	} cases[] = {
		{ NULL, "ana@localhost", "/caldav.php/ana/tf-p/" },
		{ "/caldav.php/joana/", NULL, "/caldav.php/joana/tf-p/" },
		{ NULL, "na@localhost", NULL },
		{ "/caldav.php/nobody/", NULL, NULL },
	};

	if (server->result == FIXTURE_NOT_INSTALLED) {
		fixture_end(server);
		cr_skip_test("DAViCal is not installed");
	}
	for (size_t i = 0; server->url && i < COUNT_OF(cases); i++) {
		struct caldav_account one = { .user = "admin",
					      .password = password,
					      .home = cases[i].home,
					      .person = cases[i].person };
		bool created = false;
		char *address = NULL;
		struct fault *fault;

		one.url = mem_printf(lab, "%scaldav.php/", server->url);
		fault = endpoint_ensure(caldav_new(lab, lab->http, lab->clock, &one), lab, &folder,
					NULL, &address, &created);
		cr_expect(cases[i].address ? !fault && !strcmp(address, cases[i].address)
					   : fault && fault->scope == FAULT_SCOPE_ACCOUNT,
			  "case %zu: %s", i, fault ? fault->text : address);
	}
	fixture_end(server);
	cr_assert_eq(server->result, 0);
	talloc_free(lab);
}
