#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "lab.h"

/* HTTP against servers that hang, drip, never end, close at any byte or send elsewhere; what goes
 * out, and many at once. */

static struct http_request get(struct lab *lab, const char *path)
{
	struct http_request request = { .method = "GET", .deadline_ms = LAB_LONG_MS };

	request.url = mem_printf(lab, "%s%s", scripted_url(lab->server), path);
	return request;
}

/* ---- HTTP: servers that do not answer properly ---- */

static void run_bad(const char *what, struct scripted_answer answer, enum fault_kind kind)
{
	struct lab *lab = lab_new(lab_always, &answer);
	int64_t start = lab_now_ms(), took;

	for (int writes = 0; writes < 2; writes++) {
		struct http_request request = get(lab, "/x");

		request.method = writes ? "PUT" : "GET";
		request.body = writes ? "text" : NULL;
		request.body_len = writes ? 4 : 0;
		request.body_max = 100000;
		request.writes = writes;
		if (kind == FAULT_UNREACHABLE)
			request.deadline_ms = LAB_SHORT_MS;
		http_run(lab->http, lab, &lab->site, &request, 1);
		lab_expect(request.fault, kind, what);
		cr_assert_eq(request.fault->maybe_done, writes, "%s: maybe done", what);
	}
	took = lab_now_ms() - start;
	cr_assert_lt(took, LAB_SOON_MS, "%s: took %lld ms", what, (long long)took);
	talloc_free(lab);
}

#define HEAD "HTTP/1.1 200 OK\r\nETag: \"e\"\r\n"

Test(http_bad, hangs)
{
	run_bad("hang", (struct scripted_answer){ SCRIPTED_HANG, NULL, 0, 0 }, FAULT_UNREACHABLE);
}

Test(http_bad, drips_its_head)
{
	run_bad("drip",
		(struct scripted_answer){ SCRIPTED_DRIP, HEAD "Content-Length: 4\r\n\r\nabcd", 0,
					  0 },
		FAULT_UNREACHABLE);
}

Test(http_bad, sends_a_body_without_end)
{
	run_bad("endless", (struct scripted_answer){ SCRIPTED_ENDLESS, HEAD "\r\n", 0, 0 },
		FAULT_PROTOCOL);
}

Test(http_bad, announces_a_body_without_end)
{
	run_bad("long",
		(struct scripted_answer){ SCRIPTED_ENDLESS,
					  HEAD "Content-Length: 99999999999\r\n\r\n", 0, 0 },
		FAULT_PROTOCOL);
}

Test(http_bad, sends_a_head_without_end)
{
	run_bad("endless head", (struct scripted_answer){ SCRIPTED_ENDLESS, HEAD "X: ", 0, 0 },
		FAULT_PROTOCOL);
}

Test(http_bad, sends_interim_answers_without_end)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct buf *text = buf_new(mem);

	for (int i = 0; i < 10000; i++)
		buf_puts(text, "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n");
	run_bad("interim", (struct scripted_answer){ SCRIPTED_ANSWER, text->data, 0, 0 },
		FAULT_PROTOCOL);
	talloc_free(mem);
}

Test(http_bad, is_no_web_server)
{
	run_bad("imap",
		(struct scripted_answer){ SCRIPTED_ANSWER, "* OK IMAP4rev1 ready\r\n", 0, 0 },
		FAULT_PROTOCOL);
}

Test(http_bad, lies_about_compression)
{
	struct scripted_answer answer = {
		SCRIPTED_ANSWER,
		"HTTP/1.1 207 x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", 0, 0
	};
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request request = get(lab, "/");

	request.method = "PROPFIND";
	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_PROTOCOL, "gzip");
	talloc_free(lab);
}

Test(http_bad, closes_at_every_byte)
{
	static const char text[] = HEAD "Content-Length: 10\r\n\r\n0123456789";
	struct scripted_answer answer = { SCRIPTED_CUT, text, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);

	for (answer.cut = 0; answer.cut <= strlen(text); answer.cut++) {
		struct http_request request = get(lab, "/x");

		http_run(lab->http, lab, &lab->site, &request, 1);
		if (answer.cut < strlen(text)) {
			cr_assert_not_null(request.fault, "cut at %zu: taken as %s", answer.cut,
					   request.answer);
			continue;
		}
		cr_assert_null(request.fault, "whole: %s", request.fault->text);
		cr_assert_str_eq(request.answer, "0123456789");
		cr_assert_str_eq(request.etag, "\"e\"");
	}
	talloc_free(lab);
}

/* ---- HTTP: what goes out ---- */

Test(http_out, a_password_goes_to_loopback_or_https_only)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, HEAD "Content-Length: 0\r\n\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request request = { .method = "GET",
					.url = "http://192.0.2.1/",
					.deadline_ms = LAB_SHORT_MS };
	struct http_request good = get(lab, "/");

	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_CONFIG, "plain, and not loopback");
	cr_assert_eq(http_stats(lab->http).requests, 0, "something was sent");
	http_run(lab->http, lab, &lab->site, &good, 1);
	cr_assert_null(good.fault);
	cr_assert(scripted_heard(lab->server, "Authorization: Basic YW5hOnMzY3IzdA==\r\n"));
	talloc_free(lab);
}

Test(http_out, an_environment_proxy_is_not_asked_for_loopback)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, HEAD "Content-Length: 0\r\n\r\n", 0, 0 };
	struct lab *lab;
	struct http_request request;

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
	lab = lab_new(lab_always, &answer);
	request = get(lab, "/");
	http_run(lab->http, lab, &lab->site, &request, 1);
	cr_assert_null(request.fault, "%s", request.fault->text);
	talloc_free(lab);
}

Test(http_out, a_redirect_is_shown_and_not_followed)
{
	struct scripted_answer answer = {
		SCRIPTED_ANSWER,
		"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", 0,
		0
	};
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request request = get(lab, "/");

	http_run(lab->http, lab, &lab->site, &request, 1);
	cr_assert_null(request.fault);
	cr_assert_eq(request.status, 302);
	cr_assert_str_eq(request.location, "http://192.0.2.1/");
	cr_assert_eq(scripted_counts(lab->server).requests, 1);
	talloc_free(lab);
}

Test(http_out, a_header_cannot_be_cut_in_two)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, HEAD "Content-Length: 0\r\n\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	const char *headers[] = { "If-Match: \"e\"\r\nX-Evil: yes", NULL };
	struct http_request requests[2] = { get(lab, "/"), get(lab, "/") };

	requests[0].headers = headers;
	http_run(lab->http, lab, &lab->site, requests, 2);
	lab_expect(requests[0].fault, FAULT_PROTOCOL, "header");
	cr_assert_null(requests[1].fault, "the other one was stopped");
	cr_assert_not(scripted_heard(lab->server, "X-Evil"));
	talloc_free(lab);
}

Test(http_out, two_hosts_are_not_one_run)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, HEAD "Content-Length: 0\r\n\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request requests[2] = { get(lab, "/"),
					    { .method = "GET", .url = "https://192.0.2.1/" } };

	http_run(lab->http, lab, &lab->site, requests, 2);
	cr_assert_null(requests[0].fault);
	lab_expect(requests[1].fault, FAULT_INTERNAL, "another host");
	talloc_free(lab);
}

Test(http_out, a_reused_connection_and_a_window)
{
	struct scripted_answer answer = { SCRIPTED_KEEP, HEAD "Content-Length: 2\r\n\r\nok", 0, 2 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request requests[100];
	struct scripted_counts counts;

	for (size_t i = 0; i < COUNT_OF(requests); i++)
		requests[i] = get(lab, "/");
	http_run(lab->http, lab, &lab->site, requests, COUNT_OF(requests));
	for (size_t i = 0; i < COUNT_OF(requests); i++)
		cr_assert(!requests[i].fault && !strcmp(requests[i].answer, "ok"), "%zu", i);
	counts = scripted_counts(lab->server);
	cr_assert_eq(counts.requests, 100);
	cr_assert_leq(counts.open_most, HTTP_HOST_CONNECTIONS, "%d at once", counts.open_most);
	cr_assert_leq(counts.connections, HTTP_HOST_CONNECTIONS, "%d connections",
		      counts.connections);
	cr_assert_eq(http_stats(lab->http).requests, 100);
	talloc_free(lab);
}

Test(http_out, fault_points_stand_around_a_write)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, HEAD "Content-Length: 0\r\n\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	char path[] = "/tmp/taskferry-test.XXXXXX", log[128] = "";
	int fd = mkstemp(path);
	struct http *http = NULL;
	struct http_request requests[2] = { get(lab, "/"), get(lab, "/") };
	ssize_t n;

	cr_assert_geq(fd, 0);
	cr_assert_null(http_new(lab, lab->clock, points_new(lab, NULL, path), &http));
	http_run(http, lab, &lab->site, &requests[0], 1);
	requests[1].method = "DELETE";
	requests[1].writes = true;
	http_run(http, lab, &lab->site, &requests[1], 1);
	n = read(fd, log, sizeof log - 1);
	cr_assert_gt(n, 0);
	cr_assert_str_eq(log, "HTTP_SENDING\nHTTP_ANSWERED\n");
	close(fd);
	unlink(path);
	talloc_free(http);
	talloc_free(lab);
}

/* ---- HTTP: many ---- */

Test(http_many, a_refused_login_is_not_tried_hundreds_of_times)
{
	struct scripted_answer answer = {
		SCRIPTED_ANSWER,
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0, 5
	};
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request requests[200];

	for (size_t i = 0; i < COUNT_OF(requests); i++)
		requests[i] = get(lab, "/");
	http_run(lab->http, lab, &lab->site, requests, COUNT_OF(requests));
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		struct fault *fault = requests[i].fault ? requests[i].fault
							: http_status_fault(lab, &requests[i]);

		lab_expect(fault, FAULT_LOGIN, "every one");
	}
	cr_assert_leq(scripted_counts(lab->server).requests, HTTP_HOST_CONNECTIONS, "%d logins",
		      scripted_counts(lab->server).requests);
	talloc_free(lab);
}

Test(http_many, a_server_that_hangs_holds_a_long_batch_for_one_deadline)
{
	struct scripted_answer answer = { SCRIPTED_HANG, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct http_request requests[100];

	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		requests[i] = get(lab, "/");
		requests[i].deadline_ms = LAB_SHORT_MS;
	}
	http_run(lab->http, lab, &lab->site, requests, COUNT_OF(requests));
	for (size_t i = 0; i < COUNT_OF(requests); i++)
		lab_expect(requests[i].fault, FAULT_UNREACHABLE, "every one");
	cr_assert_leq(scripted_counts(lab->server).requests, 3 * HTTP_HOST_CONNECTIONS,
		      "%d waited for it", scripted_counts(lab->server).requests);
	talloc_free(lab);
}

struct caller {
	struct lab *lab;
	struct http_request request;
	pthread_t thread;
	int64_t took_ms;
};

static void *call(void *context)
{
	struct caller *caller = context;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL); /* a tree of this thread's own */
	int64_t start = lab_now_ms();

	http_run(caller->lab->http, mem, &caller->lab->site, &caller->request, 1);
	caller->took_ms = lab_now_ms() - start;
	return mem;
}

/* The service ends: nobody waits for a deadline any more, neither those under way nor later ones. */
Test(http_many, cancelled)
{
	struct scripted_answer answer = { SCRIPTED_HANG, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct caller callers[8];

	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		callers[i] = (struct caller){ .lab = lab, .request = get(lab, "/x") };
		callers[i].request.deadline_ms = 0;
		callers[i].request.method = i % 2 ? "PUT" : "GET";
		callers[i].request.writes = i % 2;
		cr_assert_eq(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
	}
	while (scripted_counts(lab->server).requests < (int)COUNT_OF(callers))
		clock_sleep(lab->clock, 1000);
	http_cancel(lab->http);
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		struct caller *caller = &callers[i];
		void *mem = NULL;

		pthread_join(caller->thread, &mem);
		lab_expect(caller->request.fault, FAULT_TRY_LATER, "under way");
		cr_expect_eq(caller->request.fault->scope, FAULT_SCOPE_SERVER);
		cr_expect_eq(caller->request.fault->maybe_done, caller->request.writes);
		cr_expect_lt(caller->took_ms, LAB_SOON_MS, "%lld ms", (long long)caller->took_ms);
		talloc_free(mem);
	}
	callers[1].request.deadline_ms = 0;
	talloc_free(call(&callers[1]));
	cr_expect_lt(callers[1].took_ms, LAB_SOON_MS, "later ones");
	http_cancel(lab->http);
	talloc_free(lab);
}

static struct scripted_answer hang_or_not(void *context, TALLOC_CTX *mem, const char *method,
					  const char *path, const char *request)
{
	(void)context;
	(void)mem;
	(void)method;
	(void)request;
	if (!strcmp(path, "/hang"))
		return (struct scripted_answer){ SCRIPTED_HANG, NULL, 0, 0 };
	return (struct scripted_answer){ SCRIPTED_ANSWER, HEAD "Content-Length: 2\r\n\r\nok", 0,
					 0 };
}

Test(http_many, callers_do_not_wait_for_each_other)
{
	struct lab *lab = lab_new(hang_or_not, NULL);
	struct caller callers[12] = { 0 };

	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		callers[i].lab = lab;
		callers[i].request = get(lab, i < 4 ? "/hang" : "/ok");
		pthread_create(&callers[i].thread, NULL, call, &callers[i]);
	}
	for (size_t i = COUNT_OF(callers); i-- > 0;) {
		void *mem;

		if (i == 3) /* all of those that hang are left, and were when the others ended */
			http_cancel(lab->http);
		pthread_join(callers[i].thread, &mem);
		if (i < 4)
			lab_expect(callers[i].request.fault, FAULT_TRY_LATER, "hang");
		else
			cr_assert_null(callers[i].request.fault, "%zu", i);
		talloc_free(mem);
	}
	talloc_free(lab);
}

Test(http_many, the_end_of_the_service_ends_what_is_open)
{
	struct lab *lab = lab_new(hang_or_not, NULL);
	struct caller callers[3] = { 0 };
	int64_t start = lab_now_ms();

	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		callers[i].lab = lab;
		callers[i].request = get(lab, "/hang");
		callers[i].request.deadline_ms = LAB_LONG_MS;
		callers[i].request.writes = true;
		pthread_create(&callers[i].thread, NULL, call, &callers[i]);
	}
	while (scripted_counts(lab->server).requests < 3)
		clock_sleep(lab->clock, 10000);
	talloc_free(lab->http);
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		void *mem;

		pthread_join(callers[i].thread, &mem);
		lab_expect(callers[i].request.fault, FAULT_TRY_LATER, "at the end");
		cr_assert(callers[i].request.fault->maybe_done, "it was sent");
		talloc_free(mem);
	}
	cr_assert_lt(lab_now_ms() - start, LAB_SOON_MS);
	talloc_free(lab);
}
