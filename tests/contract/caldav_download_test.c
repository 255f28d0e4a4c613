/* A file that cannot be had: of its item only, where the server answers otherwise (N6). */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "lab.h"

#define ANSWER(status) "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define FOLDER                                                                                     \
	"<multistatus xmlns=\"DAV:\"><response><href>/home/a/</href><propstat><prop>"              \
	"<resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status>"        \
	"</propstat></response></multistatus>"

struct server {
	struct scripted_answer file;
	bool broken; /* nothing else is answered either */
};

static struct scripted_answer reply(void *context, TALLOC_CTX *mem, const char *method,
				    const char *path, const char *request)
{
	const struct server *server = context;

	(void)path;
	(void)request;
	if (!strcmp(method, "GET") || server->broken)
		return server->file;
	return (struct scripted_answer){
		.text = mem_printf(
			mem,
			"HTTP/1.1 207 x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n" FOLDER,
			strlen(FOLDER))
	};
}

static const struct {
	const char *what;
	struct scripted_answer file;
} cases[] = {
	{ "cut", { .manner = SCRIPTED_CUT } },
	{ "502", { .text = ANSWER("502 Bad Gateway") } },
	{ "503", { .text = ANSWER("503 Service Unavailable") } },
	{ "504", { .text = ANSWER("504 Gateway Timeout") } },
	{ "500", { .text = ANSWER("500 Internal Server Error") } },
};

Test(caldav_download, one_file_is_not_the_server)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int broken = 0; broken <= 1; broken++) {
			struct server server = { .file = cases[i].file, .broken = broken };
			struct lab *lab = lab_new(reply, &server);
			struct endpoint *endpoint = lab_account(lab, "/home/");
			struct fault *fault;
			char *bytes = NULL;
			size_t len = 0;

			fault = endpoint_download(endpoint, lab, "/home/a/",
						  "http://127.0.0.1/files/1", 100, &bytes, &len);
			cr_assert(fault, "%s", cases[i].what);
			cr_expect_eq(fault->next, FAULT_NEXT_RETRY, "%s: %s", cases[i].what,
				     fault->text);
			if (!broken)
				cr_expect_eq(fault->scope, FAULT_SCOPE_ITEM, "%s: %s",
					     cases[i].what, fault->text);
			else if (strcmp(cases[i].what, "500") != 0)
				cr_expect_gt(fault->scope, FAULT_SCOPE_FOLDER, "%s: %s",
					     cases[i].what, fault->text);
			talloc_free(lab);
		}
}
