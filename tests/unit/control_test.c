/* The lines of the control socket both ways, hostile ones too, and the commands' side of it against
 * a service that says what the test wants. */
#include "config.h"

#include "gateway/daemon/control.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

static char *without_end(TALLOC_CTX *mem, const char *line)
{
	size_t len = strlen(line);

	cr_assert(len && line[len - 1] == '\n', "no line end: %s", line);
	cr_assert(!memchr(line, '\n', len - 1), "two lines: %s", line);
	cr_assert_leq(len, CONTROL_LINE_MAX);
	return mem_strndup(mem, line, len - 1);
}

/* ---- requests ---- */

Test(control, a_request_comes_back_as_it_was)
{
	static const struct control_request cases[] = {
		{ .command = CONTROL_POKE },
		{ .command = CONTROL_STATUS, .instance = "8d3f" },
		{ .command = CONTROL_SYNC },
		{ .command = CONTROL_SYNC, .full = true },
		{ .command = CONTROL_SYNC, .account = "mail/ana \"x\"", .account_id = 17 },
		{ .command = CONTROL_SYNC, .project = "harbour", .project_id = INT64_MAX },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *line = without_end(mem, control_request_line(mem, &cases[i]));
		struct control_request got = { .command = CONTROL_COMMANDS };

		cr_assert_null(control_request_parse(mem, line, strlen(line), &got), "%s", line);
		cr_expect_eq(got.command, cases[i].command, "%s", line);
		cr_expect(text_same(got.instance, cases[i].instance), "%s", line);
		cr_expect(text_same(got.account, cases[i].account), "%s", line);
		cr_expect_eq(got.account_id, cases[i].account_id, "%s", line);
		cr_expect(text_same(got.project, cases[i].project), "%s", line);
		cr_expect_eq(got.project_id, cases[i].project_id, "%s", line);
		cr_expect_eq(got.full, cases[i].full, "%s", line);
	}
	talloc_free(mem);
}

Test(control, what_is_no_request_is_refused)
{
	static const char *const cases[] = {
		"",
		" ",
		"poke",
		"[]",
		"{}",
		"{\"command\": null}",
		"{\"command\": 1}",
		"{\"command\": \"stop\"}",
		"{\"command\": \"poke\", \"command\": \"sync\"}",
		"{\"command\": \"poke\"} {\"command\": \"poke\"}",
		"{\"command\": \"po",
		"{\"command\": \"sync\", \"account\": 7}",
		"{\"command\": \"sync\", \"account\": \"mail/ana\"}",
		"{\"command\": \"sync\", \"account_id\": \"7\"}",
		"{\"command\": \"sync\", \"account\": \"mail/ana\", \"account_id\": 7}",
		"{\"command\": \"sync\", \"account\": \"mail/ana\", \"account_id\": \"0\"}",
		"{\"command\": \"sync\", \"account\": \"mail/ana\", \"account_id\": \"-7\"}",
		"{\"command\": \"sync\", \"account\": \"mail/ana\", \"account_id\": \"7x\"}",
		"{\"command\": \"poke\", \"project_id\": \"9999999999999999999\"}",
		"{\"command\": \"sync\", \"project\": [\"a\"], \"project_id\": \"7\"}",
		"{\"command\": \"sync\", \"project\": \"a\", \"project_id\": \"x\"}",
		"{\"command\": \"\xff\xfe\"}",
		"GET / HTTP/1.1",
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct control_request untouched = { .command = CONTROL_COMMANDS };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault *fault =
			control_request_parse(mem, cases[i], strlen(cases[i]), &untouched);

		cr_expect_not_null(fault, "accepted: %s", cases[i]);
		if (fault)
			cr_expect_eq(fault->kind, FAULT_USAGE, "%s", cases[i]);
	}
	cr_expect_eq(untouched.command, CONTROL_COMMANDS);
	cr_expect_not_null(control_request_parse(mem, "{\"command\": \"poke\0\"}", 20, &untouched));
	talloc_free(mem);
}

Test(control, a_line_of_brackets_is_refused)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct control_request request;
	struct buf *deep = buf_new(mem);

	buf_puts(deep, "{\"command\": ");
	while (deep->len < CONTROL_LINE_MAX - 1)
		buf_putc(deep, '[');
	cr_expect_not_null(control_request_parse(mem, deep->data, deep->len, &request));
	talloc_free(mem);
}

/* ---- answers ---- */

static struct control_answer parsed(TALLOC_CTX *mem, enum control_command command, const char *line)
{
	struct control_answer answer = { .kind = CONTROL_PROGRESS };
	struct fault *fault;

	line = without_end(mem, line);
	fault = control_answer_parse(mem, command, line, strlen(line), &answer);
	cr_assert_null(fault, "%s: %s", fault ? fault->text : "", line);
	return answer;
}

Test(control, progress_and_poke)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct control_answer answer =
		parsed(mem, CONTROL_SYNC, control_progress_line(mem, "items sent", 7, 40));

	cr_expect_eq(answer.kind, CONTROL_PROGRESS);
	cr_expect_str_eq(answer.what, "items sent");
	cr_expect_eq(answer.done, 7);
	cr_expect_eq(answer.total, 40);
	answer = parsed(mem, CONTROL_POKE, control_poke_line(mem));
	cr_expect_eq(answer.kind, CONTROL_RESULT);
	talloc_free(mem);
}

Test(control, a_status)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const struct control_status status = { .pid = 4711,
					       .version = "0.1.0",
					       .started_us = INT64_C(1795251600000000),
					       .watched = 10000,
					       .listening = 9000,
					       .workers = 16,
					       .busy = 3 };
	struct control_answer answer =
		parsed(mem, CONTROL_STATUS, control_status_line(mem, &status));

	cr_assert_eq(answer.kind, CONTROL_RESULT);
	cr_expect_eq(answer.status->pid, 4711);
	cr_expect_str_eq(answer.status->version, "0.1.0");
	cr_expect_eq(answer.status->started_us, status.started_us);
	cr_expect_eq(answer.status->watched, 10000);
	cr_expect_eq(answer.status->listening, 9000);
	cr_expect_eq(answer.status->workers, 16);
	cr_expect_eq(answer.status->busy, 3);
	talloc_free(mem);
}

static struct sync_result *some_result(TALLOC_CTX *mem)
{
	struct sync_result *result = MEM_NEW(mem, struct sync_result);

	result->report = round_report_new(result);
	result->served = 2;
	result->unreachable = 3;
	result->held_accounts = 4;
	result->waiting_jobs = 5;
	result->dead_jobs = 6;
	result->report->created = 7;
	result->report->losing = 8;
	result->report->waiting = 9;
	result->stats.requests = 10;
	result->stats.received_bytes = INT64_C(1) << 40;
	return result;
}

Test(control, a_result_with_its_notes)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct sync_result *result = some_result(mem), *got;
	struct control_answer answer;

	round_note(result->report, "server mail: \"%s\"", "no answer");
	round_note(result->report, "J\xc3\xb6rg");
	answer = parsed(mem, CONTROL_SYNC, control_sync_line(mem, result));
	cr_assert_eq(answer.kind, CONTROL_RESULT);
	got = answer.sync;
	cr_expect_eq(got->served, 2);
	cr_expect_eq(got->unreachable, 3);
	cr_expect_eq(got->held_accounts, 4);
	cr_expect_eq(got->waiting_jobs, 5);
	cr_expect_eq(got->dead_jobs, 6);
	cr_expect_eq(got->report->created, 7);
	cr_expect_eq(got->report->losing, 8);
	cr_expect_eq(got->report->waiting, 9);
	cr_expect_eq(got->report->updated, 0);
	cr_expect_eq(got->stats.requests, 10);
	cr_expect_eq(got->stats.received_bytes, INT64_C(1) << 40);
	cr_assert_eq(got->report->note_count, 2);
	cr_expect_str_eq(got->report->notes[0], "server mail: \"no answer\"");
	cr_expect_str_eq(got->report->notes[1], "J\xc3\xb6rg");
	talloc_free(mem);
}

/* Ten thousand accounts have a note each, of what makes lines long. */
Test(control, a_result_fits_into_a_line)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct sync_result *result = some_result(mem);
	struct control_answer answer;
	size_t count;

	for (int i = 0; i < 10000; i++)
		round_note(result->report, "%d \"\"\"\"\\\\\\\\ \xc3\xb6\xe2\x80\xa6", i);
	answer = parsed(mem, CONTROL_SYNC, control_sync_line(mem, result));
	count = answer.sync->report->note_count;
	cr_expect(count > 500 && count < 10000, "%zu notes", count);
	cr_expect_str_eq(answer.sync->report->notes[count - 1],
			 mem_printf(mem, "and %zu more; see: taskferry status", 10001 - count));
	talloc_free(mem);
}

Test(control, every_kind_of_fault)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		struct fault *fault = fault_new(mem, (enum fault_kind)kind, "no \"%d\"", kind);
		struct control_answer answer =
			parsed(mem, CONTROL_SYNC, control_fault_line(mem, fault));

		cr_assert_eq(answer.kind, CONTROL_ERROR);
		cr_expect_eq((int)answer.fault->kind, kind);
		cr_expect_str_eq(answer.fault->text, fault->text);
	}
	talloc_free(mem);
}

Test(control, what_is_no_answer_is_refused)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{}",
		"{\"result\": {}}",
		"{\"result\": 1}",
		"{\"result\": {\"served\": \"2\"}}",
		"{\"error\": {}}",
		"{\"error\": {\"kind\": \"NICE\", \"text\": \"x\"}}",
		"{\"error\": {\"kind\": \"IO\"}}",
		"{\"progress\": {}}",
		"{\"progress\": {\"what\": null, \"done\": 1, \"total\": 2}}",
		"{\"progress\": {\"what\": \"x\", \"done\": 1.5, \"total\": 2}}",
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct control_answer answer;

		cr_expect_not_null(control_answer_parse(mem, CONTROL_SYNC, cases[i],
							strlen(cases[i]), &answer),
				   "accepted: %s", cases[i]);
		cr_expect_not_null(control_answer_parse(mem, CONTROL_STATUS, cases[i],
							strlen(cases[i]), &answer),
				   "accepted: %s", cases[i]);
	}
	talloc_free(mem);
}

/* ---- a service that says what the test wants ---- */

struct service {
	TALLOC_CTX *mem;
	char folder[32], path[48];
	int listener;
	const char *says; /* after the first line that it gets; then it hangs up */
	size_t count;     /* of SAYS again and again */
	char heard[1024];
	pthread_t thread;
};

static void *serve(void *data)
{
	struct service *service = data;
	int fd = accept(service->listener, NULL, NULL);
	size_t len = 0, size = strlen(service->says);
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && !strchr(service->heard, '\n')) {
		n = recv(fd, service->heard + len, sizeof service->heard - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	for (size_t i = 0; i < service->count && n > 0; i++) {
		/* in two pieces, as it may come */
		n = send(fd, service->says, size / 2, MSG_NOSIGNAL);
		if (n >= 0)
			n = send(fd, service->says + size / 2, size - size / 2, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static struct service *service_new(TALLOC_CTX *mem, const char *says)
{
	struct service *service = MEM_NEW(mem, struct service);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(service->folder, "/tmp/taskferry-control-XXXXXX");
	cr_assert_not_null(mkdtemp(service->folder));
	snprintf(service->path, sizeof service->path, "%s/s", service->folder);
	strcpy(address.sun_path, service->path);
	service->mem = mem;
	service->says = says;
	service->count = 1;
	service->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(service->listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(service->listener, 4), 0);
	return service;
}

static void service_start(struct service *service)
{
	cr_assert_eq(pthread_create(&service->thread, NULL, serve, service), 0);
}

static void service_end(struct service *service)
{
	pthread_join(service->thread, NULL);
	close(service->listener);
	(void)unlink(service->path);
	(void)rmdir(service->folder);
}

struct steps {
	int count;
	int64_t done, total;
};

static void step(void *data, const char *what, int64_t done, int64_t total)
{
	struct steps *steps = data;

	cr_expect_str_eq(what, "items sent");
	steps->count++;
	steps->done = done;
	steps->total = total;
}

static struct fault *hand_over(struct service *service, struct steps *steps,
			       struct sync_result **result_r)
{
	const struct control_request request = { .command = CONTROL_SYNC, .full = true };
	struct fault *fault;

	service_start(service);
	fault = control_hand_over(service->mem, service->path, &request, step, steps, result_r);
	service_end(service);
	return fault;
}

Test(control, a_poke_is_heard)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct service *service = service_new(mem, "{\"result\":{}}\n");

	service_start(service);
	cr_expect(control_poke(service->path, "id-1"));
	service_end(service);
	cr_expect_str_eq(service->heard, "{\"command\":\"poke\",\"instance\":\"id-1\"}\n");
	cr_expect(!control_poke(service->path, NULL), "nobody is there any more");
	cr_expect(!control_poke("/dev/null", NULL));
	cr_expect(!control_poke("", NULL));
	cr_expect(!control_poke(memset(talloc_zero_size(mem, 300), 'x', 299), NULL), "too long");
	talloc_free(mem);
}

Test(control, a_status_is_asked_for)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const struct control_status status = { .pid = 7, .version = "9" };
	struct service *service = service_new(mem, control_status_line(mem, &status));
	struct control_status *got;

	service_start(service);
	got = control_ask_status(mem, service->path, NULL);
	service_end(service);
	cr_assert_not_null(got);
	cr_expect_eq(got->pid, 7);
	cr_expect_null(control_ask_status(mem, service->path, NULL));
	talloc_free(mem);
}

Test(control, a_sync_is_handed_over)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct service *service;
	struct sync_result *result = NULL;
	struct steps steps = { .count = 0 };
	struct fault *fault;

	service = service_new(mem, mem_printf(mem, "%s%s%s%s",
					      control_progress_line(mem, "accepted", 0, 0),
					      control_progress_line(mem, "items sent", 1, 3),
					      control_progress_line(mem, "items sent", 3, 3),
					      control_sync_line(mem, some_result(mem))));
	fault = hand_over(service, &steps, &result);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_eq(result->served, 2);
	cr_expect_eq(steps.count, 2);
	cr_expect(steps.done == 3 && steps.total == 3);
	cr_expect_not_null(strstr(service->heard, "\"full\":true"));
	talloc_free(mem);
}

Test(control, what_a_service_may_do_to_a_sync)
{
	static const struct {
		const char *says;
		size_t count;
		enum fault_kind kind;
	} cases[] = {
		{ "", 1, FAULT_UNREACHABLE },
		{ "{\"progress\":{\"what\":\"accepted\",\"done\":0,\"total\":0}}\n", 1,
		  FAULT_UNREACHABLE },
		{ "{\"error\":{\"kind\":\"TRY_LATER\",\"text\":\"reloaded\",\"exit\":75}}\n", 1,
		  FAULT_TRY_LATER },
		{ "{\"error\":{\"kind\":\"IO\",\"text\":\"disk full\",\"exit\":74}}\n", 1,
		  FAULT_IO },
		{ "HTTP/1.1 400 Bad Request\r\n", 1, FAULT_USAGE },
		{ "{\"result\":{}}\n", 1, FAULT_USAGE },
		{ "no end", 20000, FAULT_UNREACHABLE },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct service *service = service_new(mem, cases[i].says);
		struct sync_result *result = NULL;
		struct steps steps = { .count = 0 };
		struct fault *fault;

		service->count = cases[i].count;
		fault = hand_over(service, &steps, &result);
		cr_assert_not_null(fault, "case %zu", i);
		cr_expect_eq(fault->kind, cases[i].kind, "case %zu: %s: %s", i,
			     fault_kind_name(fault->kind), fault->text);
		cr_expect_null(result);
	}
	talloc_free(mem);
}
