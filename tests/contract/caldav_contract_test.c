/* caldav_contract_test.c - the contract of endpoints over a real Radicale.
 *
 * waits: yes
 * takes: 30
 */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "endpoint_contract.h"
#include "fixture.h"
#include "gateway/caldav/caldav.h"

/* The endpoint contract over a real Radicale, and what only a real server can show: logins,
 * certificates, a server that is down. One Radicale of each kind serves the whole program; every
 * test has a folder of its own in it. */

#define SERVER_URL "CALDAV_CONTRACT_URL"
#define SERVER_TLS_URL "CALDAV_CONTRACT_TLS_URL"
#define SERVER_TLS_DIR "CALDAV_CONTRACT_TLS_DIR"
#define SERVER_MISSING "CALDAV_CONTRACT_MISSING"

static struct fixture *plain, *tls; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", "bob:geheim", NULL };

	(void)tests;
	plain = fixture_start(NULL, "radicale", "start", users);
	if (plain->result == FIXTURE_NOT_INSTALLED) {
		setenv(SERVER_MISSING, "1", 1);
		return;
	}
	tls = fixture_start(NULL, "radicale", "start-tls", users);
	if (!plain->url || !tls->url)
		return; /* every test says so */
	setenv(SERVER_URL, plain->url, 1);
	setenv(SERVER_TLS_URL, tls->url, 1);
	setenv(SERVER_TLS_DIR, tls->dir, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	fixture_close(plain, stats->tests_failed);
	fixture_close(tls, stats->tests_failed);
}

/* ---- the world ---- */

struct lab {
	struct contract_world world; /* first */
	struct http *http;
	struct clock *clock;
};

static const char *server(const char *name)
{
	if (getenv(SERVER_MISSING))
		cr_skip_test("Radicale is not installed");
	cr_assert_not_null(getenv(name), "Radicale did not start");
	return getenv(name);
}

static struct lab *lab_new(void)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);

	lab->world.mem = lab;
	lab->clock = clock_system(lab);
	cr_assert_null(http_new(lab, lab->clock, NULL, &lab->http));
	return lab;
}

static struct endpoint *account(struct lab *lab, const char *url, const char *user,
				const char *password, const char *ca)
{
	struct caldav_account one = { .url = url, .user = user, .tls_ca = ca };

	one.password = secret_new(lab, password, strlen(password));
	return caldav_new(lab, lab->http, lab->clock, &one);
}

static int64_t count_writes(struct contract_world *world)
{
	return http_stats(((struct lab *)world)->http).writes;
}

static void drop_folder(struct contract_world *world, const char *folder)
{
	struct lab *lab = (struct lab *)world;
	struct http_site site = { .user = "ana", .password = secret_new(lab, "secret", 6) };
	struct http_request request = { .method = "DELETE", .writes = true };

	request.url = mem_printf(lab, "%s%s", getenv(SERVER_URL), folder + 1);
	http_run(lab->http, lab, &site, &request, 1);
	cr_assert_null(request.fault);
	cr_assert_eq(request.status, 200, "status %d", request.status);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The content lines, unfolded and sorted: Radicale keeps them all, in an order and a folding of its
 * own. */
static char *sorted_lines(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_strdup(mem, text), *to = copy, *save = NULL, *all = mem_strdup(mem, "");
	char *lines[64];
	size_t n = 0;

	for (const char *c = copy; *c; c++) {
		if (!strncmp(c, "\r\n ", 3))
			c += 2;
		else
			*to++ = *c;
	}
	*to = '\0';
	for (char *line = strtok_r(copy, "\r\n", &save); line && n < COUNT_OF(lines);
	     line = strtok_r(NULL, "\r\n", &save))
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, compare_texts);
	for (size_t i = 0; i < n; i++)
		all = mem_printf(mem, "%s%s\n", all, lines[i]);
	return all;
}

static bool same_lines(const char *put, const char *got)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	bool same = !strcmp(sorted_lines(mem, put), sorted_lines(mem, got));

	talloc_free(mem);
	return same;
}

static struct lab *lab_world(const char *name)
{
	const char *url = server(SERVER_URL);
	struct lab *lab = lab_new();

	lab->world.endpoint = account(lab, url, "ana", "secret", NULL);
	lab->world.path = name;
	lab->world.unknown_token = "s:http://radicale.org/ns/sync/0123456789abcdef";
	lab->world.writes = count_writes;
	lab->world.drop_folder = drop_folder;
	lab->world.same_text = same_lines;
	return lab;
}

#define X(name)                                                                                    \
	Test(caldav_contract, name)                                                                \
	{                                                                                          \
		struct lab *lab = lab_world(#name);                                                \
                                                                                                   \
		endpoint_contract_##name(&lab->world);                                             \
		talloc_free(lab);                                                                  \
	}
ENDPOINT_CONTRACT(X)
#undef X

/* The same over what a probe finds of Radicale: above nothing is known of it. */
#define X(name)                                                                                    \
	Test(caldav_contract_known, name)                                                          \
	{                                                                                          \
		struct lab *lab = lab_world("known_" #name);                                       \
                                                                                                   \
		endpoint_know(lab->world.endpoint,                                                 \
			      "create-guard=yes replace-guard=yes remove-guard=yes ctag=yes "      \
			      "strong-etag=yes fine-etag=yes keeps-bytes=no sync=yes "             \
			      "sync-data=yes token-refused=yes multiget=yes one-uid=yes "          \
			      "whole-put=yes times=no");                                           \
		endpoint_contract_##name(&lab->world);                                             \
		talloc_free(lab);                                                                  \
	}
ENDPOINT_CONTRACT(X)
#undef X

/* ---- accounts ---- */

static struct fault *ensure_at(struct lab *lab, struct endpoint *endpoint, char **address_r)
{
	struct endpoint_folder folder = { .path = "accounts", .display = "Accounts" };
	bool created;

	return endpoint_ensure(endpoint, lab, &folder, NULL, address_r, &created);
}

static void expect(const struct fault *fault, enum fault_kind kind, enum fault_scope scope,
		   const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_assert_eq(fault->scope, scope, "%s: expected scope %s, got %s", what,
		     fault_scope_name(scope), fault_scope_name(fault->scope));
}

Test(caldav_account, every_form_of_url_finds_the_home)
{
	static const char *const paths[] = { "", "ana/", "ana", ".well-known/caldav" };
	const char *url = server(SERVER_URL);
	struct lab *lab = lab_new();

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		char *address = NULL;
		struct fault *fault = ensure_at(
			lab,
			account(lab, mem_printf(lab, "%s%s", url, paths[i]), "ana", "secret", NULL),
			&address);

		cr_assert_null(fault, "%s: %s", paths[i], fault->text);
		cr_assert_str_eq(address, "/ana/accounts/", "%s: %s", paths[i], address);
	}
	talloc_free(lab);
}

Test(caldav_account, wrong_password_is_a_login_fault_without_the_password)
{
	const char *url = server(SERVER_URL);
	struct lab *lab = lab_new();
	struct endpoint *endpoint = account(lab, url, "ana", "wr0ng-pa55", NULL);
	const char *addresses[50];
	struct endpoint_item *items = NULL;
	struct fault *fault = ensure_at(lab, endpoint, &(char *){ NULL });
	int64_t before;

	expect(fault, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, "ensure");
	cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	cr_assert_null(strstr(fault->text, "wr0ng"), "%s", fault->text);
	before = http_stats(lab->http).requests;
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		addresses[i] = mem_printf(lab, "/ana/accounts/%zu.ics", i);
	fault = endpoint_fetch(endpoint, lab, "/ana/accounts/", addresses, COUNT_OF(addresses),
			       &items);
	expect(fault, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, "fetch");
	cr_assert_eq(http_stats(lab->http).requests, before + 1,
		     "a refused password was offered again");
	talloc_free(lab);
}

Test(caldav_account, anothers_folder_is_refused)
{
	const char *url = server(SERVER_URL);
	struct lab *lab = lab_new();
	struct endpoint *ana = account(lab, url, "ana", "secret", NULL),
			*bob = account(lab, url, "bob", "geheim", NULL);
	char *address = NULL;
	struct endpoint_notice *notice = NULL;

	cr_assert_null(ensure_at(lab, ana, &address));
	expect(endpoint_notice(bob, lab, address, NULL, &notice), FAULT_REFUSED, FAULT_SCOPE_FOLDER,
	       "notice");
	talloc_free(lab);
}

Test(caldav_account, a_server_that_is_down_is_unreachable)
{
	struct lab *lab = lab_new();
	struct endpoint *endpoint = account(lab, "http://127.0.0.1:1/", "ana", "secret", NULL);
	struct endpoint_probe *probe = NULL;
	struct fault *fault = endpoint_probe(endpoint, lab, &probe);

	expect(fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "probe");
	cr_assert_not(fault->maybe_done);
	cr_assert_null(strstr(fault->text, "secret"), "%s", fault->text);
	talloc_free(lab);
}

Test(caldav_account, a_wrong_url_is_configuration)
{
	static const char *const urls[] = { "",
					    "dav.example.com:nonsense",
					    "ftp://127.0.0.1/",
					    "https://ana:secret@127.0.0.1/",
					    "http:///nothing",
					    "http://127.0.0.1:99999/" };
	struct lab *lab = lab_new();

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct fault *fault = ensure_at(lab, account(lab, urls[i], "ana", "secret", NULL),
						&(char *){ NULL });

		expect(fault, FAULT_CONFIG, FAULT_SCOPE_SERVER, urls[i]);
		cr_assert_null(strstr(fault->text, "secret"), "%s", fault->text);
	}
	talloc_free(lab);
}

Test(caldav_account, only_the_right_certificate_will_do)
{
	const char *url = server(SERVER_TLS_URL), *dir = getenv(SERVER_TLS_DIR);
	struct lab *lab = lab_new();
	const char *ca = mem_printf(lab, "%s/ca.pem", dir),
		   *other = mem_printf(lab, "%s/other-ca.pem", dir);
	const char *port = strrchr(url, ':');
	const struct {
		const char *what, *url, *ca;
		bool good;
	} cases[] = {
		{ "right CA", url, ca, true },
		{ "right CA, by name", mem_printf(lab, "https://localhost%s", port), ca, true },
		{ "another CA", url, other, false },
		{ "the system's CAs", url, NULL, false },
		{ "no such file", url, "/nonexistent/ca.pem", false },
		{ "another host", mem_printf(lab, "https://wrong.localhost%s", port), ca, false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault *fault =
			ensure_at(lab, account(lab, cases[i].url, "ana", "secret", cases[i].ca),
				  &(char *){ NULL });

		if (cases[i].good)
			cr_assert_null(fault, "%s: %s", cases[i].what, fault->text);
		else
			expect(fault,
			       !strcmp(cases[i].what, "no such file") ? FAULT_CONFIG : FAULT_TLS,
			       FAULT_SCOPE_SERVER, cases[i].what);
	}
	talloc_free(lab);
}

Test(caldav_account, probe_tells_what_there_is)
{
	static const struct {
		const char *probe, *result;
	} expected[] = {
		{ "login", "yes" },
		{ "tls", "loopback" },
		{ "principal", "/ana/" },
		{ "home", "/ana/" },
		{ "calendar-access", "yes" },
		{ "sync-collection", "yes" },
		{ "ctag", "yes" },
		{ "replacing on a condition", "yes" },
		{ "keeps text", "no" },
	};
	const char *url = server(SERVER_URL);
	struct lab *lab = lab_new();
	struct endpoint *endpoint = account(lab, url, "ana", "secret", NULL);
	struct endpoint_probe *probe = NULL;
	struct fault *fault;

	cr_assert_null(ensure_at(lab, endpoint, &(char *){ NULL }));
	cr_assert_null(endpoint_learn(endpoint, lab));
	fault = endpoint_probe(endpoint, lab, &probe);
	cr_assert_null(fault, "%s", fault->text);
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		const char *result = NULL;

		for (size_t j = 0; j < probe->count; j++)
			if (!strcmp(probe->findings[j].probe, expected[i].probe))
				result = probe->findings[j].result;
		cr_assert(text_same(result, expected[i].result), "%s: expected %s, got %s",
			  expected[i].probe, expected[i].result, result ? result : "nothing");
	}
	cr_assert(probe->caps.sync_token && probe->caps.ctag && !probe->caps.keeps_bytes);
	talloc_free(lab);
}

/* ---- items ---- */

Test(caldav_items, modified_time_is_ours)
{
	struct lab *lab = lab_world("modified");
	struct endpoint *endpoint = lab->world.endpoint;
	struct endpoint_folder folder = { .path = "modified", .display = "Modified" };
	struct endpoint_put put = { 0 };
	struct endpoint_item *items = NULL;
	char *address = NULL;
	bool created;
	int64_t before = clock_now_us(lab->clock), after;

	cr_assert_null(endpoint_ensure(endpoint, lab, &folder, NULL, &address, &created));
	put.address = endpoint_address(endpoint, lab, address, "uid-1");
	put.text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:uid-"
		   "1\r\nDTSTAMP:20261121T090000Z\r\n"
		   "SUMMARY:x\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
	put.len = strlen(put.text);
	cr_assert_null(endpoint_put(endpoint, lab, address, &put, 1));
	cr_assert_null(put.fault);
	cr_assert_null(put.version,
		       "Radicale rewrites what it gets: no version may be vouched for");
	cr_assert_null(endpoint_fetch(endpoint, lab, address, &put.address, 1, &items));
	after = clock_now_us(lab->clock);
	cr_assert(items[0].modified_us >= before - 2 * CLOCK_SECOND_US &&
			  items[0].modified_us <= after,
		  "between %lld and %lld, got %lld", (long long)before, (long long)after,
		  (long long)items[0].modified_us);
	talloc_free(lab);
}

Test(caldav_items, what_is_over_the_bound_is_one_items_fault)
{
	struct lab *lab = lab_world("bound");
	struct endpoint *endpoint = lab->world.endpoint;
	struct endpoint_folder folder = { .path = "bound", .display = "Bound" };
	struct endpoint_put puts[2] = { 0 };
	char *address = NULL, *long_text = MEM_ARRAY(lab, char, CALDAV_ITEM_MAX + 2);
	bool created;

	memset(long_text, 'x', CALDAV_ITEM_MAX + 1);
	cr_assert_null(endpoint_ensure(endpoint, lab, &folder, NULL, &address, &created));
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		puts[i].address = endpoint_address(endpoint, lab, address, i ? "uid-1" : "uid-0");
	puts[0].text = long_text;
	puts[0].len = CALDAV_ITEM_MAX + 1;
	puts[1].text = "not a calendar";
	puts[1].len = strlen(puts[1].text);
	cr_assert_null(endpoint_put(endpoint, lab, address, puts, COUNT_OF(puts)));
	expect(puts[0].fault, FAULT_REFUSED, FAULT_SCOPE_ITEM, "too long");
	expect(puts[1].fault, FAULT_REFUSED, FAULT_SCOPE_ITEM, "garbage");
	talloc_free(lab);
}

/* The same person's item written by another program in bulk, read with the strangest names that a
 * server takes. */
Test(caldav_items, strange_names_have_one_address)
{
	static const char *const names[] = { "a%3Ab.ics", "a%40b%2Bc.ics", "%C3%A9.ics",
					     "a%20b.ics", "100%25.ics" };
	struct lab *lab = lab_world("names");
	struct endpoint *endpoint = lab->world.endpoint;
	struct endpoint_folder folder = { .path = "names", .display = "Names" };
	char *address = NULL;
	bool created;
	struct endpoint_notice *notice = NULL;
	struct endpoint_put puts[COUNT_OF(names)] = { 0 };

	cr_assert_null(endpoint_ensure(endpoint, lab, &folder, NULL, &address, &created));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		puts[i].address = mem_printf(lab, "%s%s", address, names[i]);
		puts[i].text = mem_printf(
			lab,
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:u%zu\r\n"
			"DTSTAMP:20261121T090000Z\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
			i);
		puts[i].len = strlen(puts[i].text);
	}
	cr_assert_null(endpoint_put(endpoint, lab, address, puts, COUNT_OF(puts)));
	cr_assert_null(endpoint_notice(endpoint, lab, address, NULL, &notice));
	cr_assert_eq(notice->count, COUNT_OF(names), "listed %zu", notice->count);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		bool found = false;

		cr_assert_null(puts[i].fault, "%s: %s", names[i], puts[i].fault->text);
		for (size_t j = 0; j < notice->count; j++)
			found = found || !strcmp(notice->changes[j].address, puts[i].address);
		cr_assert(found, "%s is not listed under that address", puts[i].address);
	}
	talloc_free(lab);
}
