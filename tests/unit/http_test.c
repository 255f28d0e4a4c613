#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "gateway/net/http.h"
#include "gateway/net/http_private.h"

/* What can be told without a network: addresses, header fields, the meaning of a status. */

static const struct {
	const char *url;
	bool ok, tls, loopback;
	const char *host;
	int port;
	const char *path;
} urls[] = {
	{ "http://127.0.0.1:17480/ana/", true, false, true, "127.0.0.1", 17480, "/ana/" },
	{ "https://DAV.Example.COM", true, true, false, "dav.example.com", 443, "/" },
	{ "http://localhost", true, false, true, "localhost", 80, "/" },
	{ "https://[::1]:8443/a%20b", true, true, true, "[::1]", 8443, "/a%20b" },
	{ "http://127.9.9.9/", true, false, true, "127.9.9.9", 80, "/" },
	{ "http://127.0.0.1.evil.example/", true, false, false, "127.0.0.1.evil.example", 80, "/" },
	{ "http://localhost.evil.example/", true, false, false, "localhost.evil.example", 80, "/" },
	{ "http://128.0.0.1/", true, false, false, "128.0.0.1", 80, "/" },
	{ "http://evil.example/localhost", true, false, false, "evil.example", 80, "/localhost" },
	{ "http://evil.example#@127.0.0.1/", true, false, false, "evil.example", 80, "/" },
	{ "https://ana:secret@dav.example.com/", false, false, false, NULL, 0, NULL },
	{ "http://evil.example@127.0.0.1/", false, false, false, NULL, 0, NULL },
	{ "ftp://127.0.0.1/", false, false, false, NULL, 0, NULL },
	{ "file:///etc/passwd", false, false, false, NULL, 0, NULL },
	{ "dav.example.com", false, false, false, NULL, 0, NULL },
	{ "/path", false, false, false, NULL, 0, NULL },
	{ "", false, false, false, NULL, 0, NULL },
	{ "http://", false, false, false, NULL, 0, NULL },
	{ "http://h:0x50/", false, false, false, NULL, 0, NULL },
	{ "http://h/\r\nX: y", false, false, false, NULL, 0, NULL },
};

Test(http, url)
{
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct http_url url = { .port = -1 };
		bool ok = http_url_parse(mem, urls[i].url, &url);

		cr_expect_eq(ok, urls[i].ok, "%s: expected %d, actual %d", urls[i].url, urls[i].ok,
			     ok);
		cr_expect_eq(http_is_loopback(urls[i].url), urls[i].loopback,
			     "%s: loopback expected %d", urls[i].url, urls[i].loopback);
		if (!ok)
			cr_expect_eq(url.port, -1, "%s: touched on failure", urls[i].url);
		else
			cr_expect(url.tls == urls[i].tls && !strcmp(url.host, urls[i].host) &&
					  url.port == urls[i].port &&
					  !strcmp(url.path, urls[i].path),
				  "%s: actual tls %d, host %s, port %d, path %s", urls[i].url,
				  url.tls, url.host, url.port, url.path);
		talloc_free(mem);
	}
}

static const struct {
	int status;
	bool writes;
	enum fault_kind kind;
	enum fault_scope scope;
	enum fault_next next;
	bool maybe_done;
} statuses[] = {
	{ 301, false, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 400, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 401, false, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD, false },
	{ 403, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 404, false, FAULT_GONE, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 409, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 410, false, FAULT_GONE, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 412, true, FAULT_CHANGED, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 413, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 415, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 423, true, FAULT_LOCKED, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 429, false, FAULT_BUSY, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY, false },
	{ 500, false, FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
	{ 500, true, FAULT_BUSY, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, true },
	{ 501, true, FAULT_REFUSED, FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD, false },
	{ 502, true, FAULT_BUSY, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY, true },
	{ 503, true, FAULT_BUSY, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY, false },
	{ 504, false, FAULT_BUSY, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY, false },
	{ 504, true, FAULT_BUSY, FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY, true },
	{ 507, true, FAULT_FULL, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY, false },
	{ 999, false, FAULT_PROTOCOL, FAULT_SCOPE_ITEM, FAULT_NEXT_RETRY, false },
};

Test(http, status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct http_request request = { .method = "PUT",
						.url = "https://dav.example.com/a/b.ics" };
		struct fault *fault;
		const char *words;

		request.status = statuses[i].status;
		request.writes = statuses[i].writes;
		request.retry_after_s = 7;
		fault = http_status_fault(mem, &request);
		cr_assert_not_null(fault, "%d", statuses[i].status);
		cr_expect(fault->kind == statuses[i].kind && fault->scope == statuses[i].scope &&
				  fault->next == statuses[i].next &&
				  fault->maybe_done == statuses[i].maybe_done &&
				  fault->retry_after_s == 7,
			  "%d, writes %d: actual %s, scope %s, %s, maybe done %d",
			  statuses[i].status, statuses[i].writes, fault_kind_name(fault->kind),
			  fault_scope_name(fault->scope), fault_next_name(fault->next),
			  fault->maybe_done);
		words = mem_printf(mem, "PUT /a/b.ics: status %d, ", statuses[i].status);
		cr_expect(text_starts(fault->text, words), "%s", fault->text);
		talloc_free(mem);
	}
	for (int status = 200; status < 300; status++) {
		struct http_request request = { .method = "PUT",
						.url = "https://dav.example.com/",
						.status = status };

		cr_expect_null(http_status_fault(NULL, &request), "%d", status);
	}
}

/* 2026-11-21T09:00:00Z */
#define NINE_US (INT64_C(1795251600) * CLOCK_SECOND_US)

static const struct {
	const char *text;
	int64_t expected;
} dates[] = {
	{ "Sat, 21 Nov 2026 09:00:00 GMT", NINE_US },
	{ "Saturday, 21-Nov-26 09:00:00 GMT", NINE_US },
	{ "Sat Nov 21 09:00:00 2026", NINE_US },
	{ "Sat, 21 Nov 2026 10:00:00 +0100", NINE_US },
	{ "yesterday", 0 },
	{ "", 0 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
};

Test(http, date)
{
	for (size_t i = 0; i < COUNT_OF(dates); i++) {
		int64_t actual = http_date_us(dates[i].text);

		cr_expect_eq(actual, dates[i].expected, "%s: expected %lld, actual %lld",
			     dates[i].text, (long long)dates[i].expected, (long long)actual);
	}
}

static const struct {
	const char *head;
	int32_t expected;
} retries[] = {
	{ "Retry-After: 120\r\n", 120 },
	{ "retry-after:0\r\n", 0 },
	{ "Retry-After: -5\r\n", 0 },
	{ "Retry-After: 99999999\r\n", HTTP_RETRY_AFTER_MAX_S },
	{ "Retry-After: soon\r\n", 0 },
	{ "Retry-After: Sat, 21 Nov 2026 09:01:30 GMT\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n",
	  90 },
	{ "Retry-After: Sat, 21 Nov 2026 08:00:00 GMT\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n",
	  0 },
	{ "Retry-After: Sat, 21 Nov 2026 09:01:00 GMT\r\n", 60 }, /* no Date: our own clock */
	{ "", 0 },
};

Test(http, retry_after)
{
	for (size_t i = 0; i < COUNT_OF(retries); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct http_request request = { .answered_us = NINE_US };
		char *head = mem_printf(mem, "HTTP/1.1 503 Busy\r\n%s\r\n", retries[i].head);

		http_answer_head(mem, &request, head, strlen(head));
		cr_expect_eq(request.retry_after_s, retries[i].expected,
			     "%s: expected %d, actual %d", retries[i].head, retries[i].expected,
			     request.retry_after_s);
		talloc_free(mem);
	}
}

Test(http, head_fields)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct http_request request = { .etag = "left from before", .allow = "left from before" };
	static const char head[] =
		"HTTP/1.1 207 Multi-Status\r\nDAV: 1, 2\r\neTag:\t \"a b\" \r\nDAV: "
		"calendar-access\r\n"
		"ETag: \"second\"\r\nServer: Sm\xc3\xb6rg\r\nLocation: /x\r\n folded: no\r\nno "
		"colon\r\n"
		"Last-Modified: Sat, 21 Nov 2026 09:00:00 GMT\r\nContent-Type:\r\n: empty\r\n\r\n";

	http_answer_head(mem, &request, head, strlen(head));
	cr_expect_str_eq(request.etag, "\"a b\"");
	cr_expect_str_eq(request.dav, "1, 2, calendar-access");
	cr_expect_str_eq(request.location, "/x");
	cr_expect_null(request.server, "not ASCII, and taken");
	cr_expect_null(request.content_type);
	cr_expect_null(request.allow, "left from before");
	cr_expect_eq(request.last_modified_us, NINE_US);
	cr_expect_eq(request.date_us, 0);
	talloc_free(mem);
}
