#include "config.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "fixture.h"
#include "gateway/net/resolve.h"

/* SRV and TXT records from a real name server, and from one that never answers. */

static const char *const records[] = { "srv-host=_caldavs._tcp.one.test,dav.one.test,8443,0,0",
				       "txt-record=_caldavs._tcp.one.test,txtvers=1,path=/dav/",
				       "srv-host=_caldavs._tcp.many.test,c.many.test,3,20,0",
				       "srv-host=_caldavs._tcp.many.test,a.many.test,1,5,0",
				       "srv-host=_caldavs._tcp.many.test,b.many.test,2,10,0",
				       "srv-host=_caldavs._tcp.none.test",
				       "srv-host=_caldavs._tcp.bad.test,-x.bad.test,443",
				       "srv-host=_caldavs._tcp.upper.test,DAV.Upper.test,443",
				       "txt-record=_caldavs._tcp.alone.test,path=/dav/",
				       NULL };

static const struct {
	const char *name, *expected;
} cases[] = {
	{ "_caldavs._tcp.one.test", "dav.one.test:8443 path=/dav/" },
	{ "_caldavs._tcp.many.test", "a.many.test:1 b.many.test:2 c.many.test:3" },
	{ "_caldavs._tcp.none.test", "refused" },
	{ "_caldavs._tcp.bad.test", "" },
	{ "_caldavs._tcp.upper.test", "dav.upper.test:443" },
	{ "_caldavs._tcp.alone.test", "" },
	{ "_caldavs._tcp.nobody.test", "" },
	{ "_caldavs._tcp.elsewhere.example", "UNREACHABLE" }, /* REFUSED by this server */
};

static const char *told(TALLOC_CTX *mem, const char *name, const struct resolve_dns *dns)
{
	struct resolve_service service = { 0 };
	struct fault *fault = resolve_service(mem, name, dns, &service);
	struct buf *out = buf_new(mem);

	if (fault) {
		cr_assert_eq(fault->scope, FAULT_SCOPE_SERVER);
		cr_assert_not_null(strstr(fault->text, name), "%s", fault->text);
		return fault_kind_name(fault->kind);
	}
	for (size_t i = 0; i < service.count; i++)
		buf_printf(out, "%s%s:%d", i ? " " : "", service.targets[i].host,
			   service.targets[i].port);
	if (service.refused)
		buf_puts(out, "refused");
	if (service.path)
		buf_printf(out, " path=%s", service.path);
	return buf_steal(&out, mem, NULL);
}

Test(resolve, records_of_a_real_name_server)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct fixture *names = fixture_start(mem, "names", "start", records);
	struct resolve_dns dns = { 0 };

	if (names->result == FIXTURE_NOT_INSTALLED) {
		fixture_end(names);
		cr_skip_test("dnsmasq is not installed");
	}
	dns.servers = names->url;
	for (size_t i = 0; names->url && i < COUNT_OF(cases); i++) {
		const char *actual = told(mem, cases[i].name, &dns);

		cr_expect_str_eq(actual, cases[i].expected, "%s: expected %s, actual %s",
				 cases[i].name, cases[i].expected, actual);
	}
	fixture_end(names);
	cr_assert_eq(names->result, 0);
	talloc_free(mem);
}

Test(resolve, a_name_server_that_never_answers_ends_at_the_deadline)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	struct resolve_dns dns = { .deadline_ms = 200 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	dns.servers = mem_printf(mem, "127.0.0.1:%d", ntohs(at.sin_port));
	cr_assert_str_eq(told(mem, "_caldavs._tcp.one.test", &dns), "UNREACHABLE");
	close(fd);
	talloc_free(mem);
}

/* ---- the order ---- */

/* Gives what a test wants, and sees what was asked for. */
struct dice {
	uint64_t throws[8], bounds[8];
	size_t count;
};

static uint64_t throw(void *context, uint64_t bound)
{
	struct dice *dice = context;

	dice->bounds[dice->count] = bound;
	return dice->throws[dice->count++];
}

static const struct {
	const char *what;
	struct resolve_target targets[4];
	size_t count;
	uint64_t throws[4];
	const char *order;
} orders[] = {
	{ "priority before weight",
	  { { "b", 1, 2, 100 }, { "a", 1, 1, 1 }, { "c", 1, 3, 50 } },
	  3,
	  { 0 },
	  "abc" },
	{ "by weight: the first's share", { { "a", 1, 0, 3 }, { "b", 1, 0, 1 } }, 2, { 2 }, "ab" },
	{ "by weight: the second's", { { "a", 1, 0, 3 }, { "b", 1, 0, 1 } }, 2, { 3 }, "ba" },
	{ "no weights at all",
	  { { "a", 1, 0, 0 }, { "b", 1, 0, 0 }, { "c", 1, 0, 0 } },
	  3,
	  { 2, 1 },
	  "cab" },
	{ "no weight beside a weight", { { "a", 1, 0, 0 }, { "b", 1, 0, 5 } }, 2, { 0 }, "ba" },
	{ "one behind the others",
	  { { "z", 1, 9, 0 }, { "a", 1, 0, 1 }, { "y", 1, 9, 0 }, { "b", 1, 0, 1 } },
	  4,
	  { 0, 0, 0 },
	  "ab??" },
};

Test(resolve, targets_are_tried_by_priority_then_by_weight)
{
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		struct resolve_target targets[4];
		struct dice dice = { .count = 0 };
		char order[5] = "";

		memcpy(targets, orders[i].targets, sizeof targets);
		memcpy(dice.throws, orders[i].throws, sizeof orders[i].throws);
		resolve_order(targets, orders[i].count, throw, &dice);
		for (size_t j = 0; j < orders[i].count; j++)
			order[j] = orders[i].order[j] == '?' ? '?' : *targets[j].host;
		cr_expect_str_eq(order, orders[i].order, "%s: expected %s, actual %s",
				 orders[i].what, orders[i].order, order);
	}
}

static const struct {
	const char *host, *domain;
	bool within;
} places[] = {
	{ "example.com", "example.com", true },
	{ "dav.example.com", "example.com", true },
	{ "DAV.Example.COM.", "example.com", true },
	{ "dav.example.com", "example.com.", true },
	{ "notexample.com", "example.com", false },
	{ "example.com.evil.org", "example.com", false },
	{ "com", "example.com", false },
	{ "example.com", "", false },
};

Test(resolve, who_stands_within_a_domain)
{
	for (size_t i = 0; i < COUNT_OF(places); i++)
		cr_expect_eq(resolve_is_within(places[i].host, places[i].domain), places[i].within,
			     "%s within %s", places[i].host, places[i].domain);
}
