#include "config.h"

#include "lab.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "gateway/caldav/caldav_private.h"

#define PASSWORD "s3cr3t"

static int lab_close(struct lab *lab)
{
	TALLOC_FREE(lab->server);
	return 0;
}

struct lab *lab_new(scripted_reply *reply, void *context)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);

	lab->deadline_ms = LAB_LONG_MS;
	lab->clock = clock_system(lab);
	cr_assert_null(http_new(lab, lab->clock, NULL, &lab->http));
	lab->site.user = "ana";
	lab->site.password = secret_new(lab, PASSWORD, strlen(PASSWORD));
	lab->server = scripted_new(lab, reply, context);
	talloc_set_destructor(lab, lab_close);
	return lab;
}

struct endpoint *lab_account(struct lab *lab, const char *path)
{
	struct caldav_account one = { .user = "ana", .deadline_ms = lab->deadline_ms };
	struct endpoint *endpoint;

	one.password = lab->site.password;
	one.url = mem_printf(lab, "%s%s", scripted_url(lab->server), path);
	endpoint = caldav_new(lab, lab->http, lab->clock, &one);
	endpoint_know(endpoint, LAB_TRAITS);
	return endpoint;
}

void lab_deadline(struct lab *lab, struct endpoint *account, int32_t ms)
{
	lab->deadline_ms = ms;
	((struct caldav *)account)->deadline_ms = ms;
}

struct scripted_answer lab_always(void *context, TALLOC_CTX *mem, const char *method,
				  const char *path, const char *request)
{
	(void)mem;
	(void)method;
	(void)path;
	(void)request;
	return *(const struct scripted_answer *)context;
}

struct scripted_answer lab_play(void *context, TALLOC_CTX *mem, const char *method,
				const char *path, const char *request)
{
	const struct lab_plan *p = context;
	struct scripted_answer answer = { SCRIPTED_ANSWER,
					  "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 0, 0 };

	for (size_t i = 0; i < p->count; i++) {
		const struct lab_exchange *e = &p->exchanges[i];

		if (strcmp(e->method, method) || strcmp(e->path, path) ||
		    (e->has && !strstr(request, e->has)))
			continue;
		answer.text = mem_printf(mem, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
					 e->status, strlen(e->body), e->body);
		break;
	}
	return answer;
}

void lab_expect(const struct fault *fault, enum fault_kind kind, const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_assert_null(strstr(fault->text, PASSWORD), "%s: a secret in %s", what, fault->text);
	cr_assert_null(strchr(fault->text, '\n'), "%s: two lines", what);
}

int64_t lab_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct endpoint_put lab_put(struct lab *lab, struct endpoint *endpoint, const char *address,
				   const char *if_version)
{
	struct endpoint_put put = {
		.address = address, .text = "text", .len = 4, .if_version = if_version
	};

	cr_assert_null(endpoint_put(endpoint, lab, "/home/p/", &put, 1));
	return put;
}
