/* Managed attachments (RFC 8607) over a real Cyrus, which keeps files, and what a real Radicale
 * says, which does not. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fixture.h"
#include "gateway/caldav/caldav.h"
#include "mappers/vtodo.h"

#define OK(call)                                                                                   \
	do {                                                                                       \
		struct fault *ok_fault_ = (call);                                                  \
		cr_assert_null(ok_fault_, "%s: %s", #call, ok_fault_ ? ok_fault_->text : "");      \
	} while (0)

static const char *const servers[] = { "cyrus", "radicale" };
static const char *const urls[] = { "MANAGED_CYRUS_URL", "MANAGED_RADICALE_URL" };
static struct fixture *fixtures[COUNT_OF(servers)]; /* of the runner's process */

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", NULL };

	(void)tests;
	for (size_t i = 0; i < COUNT_OF(servers); i++) {
		fixtures[i] = fixture_start(NULL, servers[i], "start", users);
		if (fixtures[i]->url)
			setenv(urls[i], fixtures[i]->url, 1);
		else if (fixtures[i]->result == FIXTURE_NOT_INSTALLED)
			setenv(urls[i], "", 1);
	}
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	for (size_t i = 0; i < COUNT_OF(servers); i++)
		fixture_close(fixtures[i], stats->tests_failed);
}

/* ---- the world ---- */

struct lab {
	struct endpoint *endpoint;
	char *folder, *address;
};

static struct lab *lab_new(size_t server, const char *path)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
	struct clock *clock = clock_system(lab);
	struct caldav_account account = { .user = "ana", .password = secret_new(lab, "secret", 6) };
	struct endpoint_folder folder = { .path = path, .display = path };
	struct http *http = NULL;
	bool created = false;

	account.url = getenv(urls[server]);
	cr_assert_not_null(account.url, "%s did not start", servers[server]);
	if (!*account.url)
		cr_skip_test("the server is not installed");
	OK(http_new(lab, clock, NULL, &http));
	lab->endpoint = caldav_new(lab, http, clock, &account);
	OK(endpoint_ensure(lab->endpoint, lab, &folder, NULL, &lab->folder, &created));
	lab->address = endpoint_address(lab->endpoint, lab, lab->folder, path);
	return lab;
}

static struct endpoint_item *item_of(struct lab *lab)
{
	const char *address = lab->address;
	struct endpoint_item *items = NULL;

	OK(endpoint_read_back(lab->endpoint, lab, lab->folder, &address, 1, &items));
	cr_assert_null(items[0].fault, "%s", items[0].fault ? items[0].fault->text : "");
	return &items[0];
}

static struct vtodo *todo_of(struct lab *lab)
{
	struct endpoint_item *item = item_of(lab);
	struct vtodo *vtodo = NULL;

	OK(vtodo_decode(lab, item->text, item->len, NULL, &vtodo));
	return vtodo;
}

static void put(struct lab *lab, const char *text, const char *if_version)
{
	struct endpoint_put put = { .address = lab->address,
				    .text = text,
				    .len = strlen(text),
				    .if_version = if_version };

	OK(endpoint_put(lab->endpoint, lab, lab->folder, &put, 1));
	cr_assert_null(put.fault, "%s", put.fault ? put.fault->text : "");
}

static void put_first(struct lab *lab, const char *uid)
{
	put(lab,
	    mem_printf(lab,
		       "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//taskferry//"
		       "test//EN\r\nBEGIN:VTODO\r\nUID:%s\r\nDTSTAMP:20261121T090000Z\r\n"
		       "SUMMARY:Ship crate\r\nX-FOO;BAR=1:a\\,b\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
		       uid),
	    NULL);
}

/* The same item with another percentage, and without the lines named by GONE. */
static void patch(struct lab *lab, int percent, const char *gone)
{
	struct endpoint_item *item = item_of(lab);
	struct vtodo_publish publish = { .values = vector_new(lab),
					 .gone = &gone,
					 .gone_count = gone ? 1 : 0 };
	struct vector *values = vector_new(lab);
	char *text = NULL;

	vector_number(values, FIELD_percent, percent);
	publish.values = values;
	OK(vtodo_patch(lab, item->text, item->len, &publish, &text, NULL));
	put(lab, text, item->version);
}

static struct fault *attach(struct lab *lab, const char *name, const char *version,
			    const char *bytes, size_t len)
{
	return endpoint_attach(lab->endpoint, lab, lab->folder,
			       &(struct endpoint_attach){ .address = lab->address,
							  .if_version = version,
							  .name = name,
							  .type = "text/plain",
							  .bytes = bytes,
							  .len = len });
}

static struct fault *download(struct lab *lab, const char *uri, size_t max, char **bytes_r,
			      size_t *len_r)
{
	return endpoint_download(lab->endpoint, lab, lab->folder, uri, max, bytes_r, len_r);
}

/* ---- who keeps files ---- */

Test(caldav_managed, is_told)
{
	static const bool expected[] = { true, false };

	for (size_t i = 0; i < COUNT_OF(servers); i++) {
		struct lab *lab = lab_new(i, "told");
		bool attaches = !expected[i];
		int64_t requests;

		OK(endpoint_attaches(lab->endpoint, lab, &attaches));
		cr_expect_eq(attaches, expected[i], "%s", servers[i]);
		requests = endpoint_stats(lab->endpoint).requests;
		OK(endpoint_attaches(lab->endpoint, lab, &attaches));
		cr_expect_eq(endpoint_stats(lab->endpoint).requests, requests, "asked once");
		talloc_free(lab);
	}
}

/* ---- what becomes of files ---- */

Test(caldav_managed, comes_back_as_it_went)
{
	struct lab *lab = lab_new(0, "comes-back");
	char bytes[70000], *back = NULL;
	const struct file *file;
	struct vtodo *vtodo;
	size_t len = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 13);
	put_first(lab, "comes-back");
	OK(attach(lab, "plan \xc3\xbc.txt", item_of(lab)->version, bytes, sizeof bytes));
	vtodo = todo_of(lab);
	cr_assert(vtodo->files && vtodo->files->count == 1);
	file = &vtodo->files->list[0];
	cr_expect_not_null(file->managed_id);
	cr_expect_eq(file->size, (int64_t)sizeof bytes);
	cr_expect_not_null(strstr(file->name, "plan"), "%s", file->name);
	OK(download(lab, file->uri, sizeof bytes, &back, &len));
	cr_expect(len == sizeof bytes && !memcmp(back, bytes, len));
	cr_expect_not_null(strstr(item_of(lab)->text, "X-FOO;BAR=1:a"));
	talloc_free(lab);
}

Test(caldav_managed, not_on_another_version)
{
	struct lab *lab = lab_new(0, "version");
	const char *version;
	struct fault *fault;

	put_first(lab, "version");
	version = item_of(lab)->version;
	patch(lab, 10, NULL);
	fault = attach(lab, "a.txt", version, "abc", 3);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_CHANGED, "%s", fault->text);
	cr_expect_null(todo_of(lab)->files);
	talloc_free(lab);
}

/* An item is written without its file's bytes, and keeps the file; without the line it has it no
 * more. */
Test(caldav_managed, stays_with_its_line)
{
	struct lab *lab = lab_new(0, "stays");
	const struct file *file;
	struct files *before;
	int64_t sent;

	put_first(lab, "stays");
	OK(attach(lab, "a.txt", item_of(lab)->version, "abc", 3));
	before = todo_of(lab)->files;
	cr_assert_not_null(before);
	sent = endpoint_stats(lab->endpoint).sent_bytes;
	patch(lab, 30, NULL);
	cr_expect_lt(endpoint_stats(lab->endpoint).sent_bytes - sent, 4000);
	cr_assert_not_null(todo_of(lab)->files);
	file = &todo_of(lab)->files->list[0];
	cr_expect_str_eq(file->managed_id, before->list[0].managed_id);
	cr_expect_eq(vector_get(todo_of(lab)->values, FIELD_percent, 0), 30);
	patch(lab, 40, file->uri);
	cr_expect_null(todo_of(lab)->files);
	talloc_free(lab);
}

/* What is written in an item leads our login nowhere else, and to no more than was asked for. */
Test(caldav_managed, is_fetched_within_bounds)
{
	struct lab *lab = lab_new(0, "bounds");
	const char *uri;
	char *bytes = NULL;
	size_t len = 0;
	struct fault *fault;

	put_first(lab, "bounds");
	OK(attach(lab, "a.txt", item_of(lab)->version, "abcdef", 6));
	uri = todo_of(lab)->files->list[0].uri;
	fault = download(lab, uri, 5, &bytes, &len);
	cr_assert_not_null(fault);
	cr_expect(fault->scope == FAULT_SCOPE_ITEM && fault->next == FAULT_NEXT_HOLD, "%s",
		  fault->text);
	fault = download(lab, "http://elsewhere.example/dav/a.txt", 100, &bytes, &len);
	cr_assert_not_null(fault);
	cr_expect(fault->scope == FAULT_SCOPE_ITEM && fault->next == FAULT_NEXT_HOLD, "%s",
		  fault->text);
	fault = download(lab, mem_printf(lab, "%s-not", uri), 100, &bytes, &len);
	cr_assert_not_null(fault);
	cr_expect(fault->scope == FAULT_SCOPE_ITEM && fault->next == FAULT_NEXT_HOLD, "%s",
		  fault->text);
	talloc_free(lab);
}

/* One that keeps no files says so by refusing, and the item is as it was. */
Test(caldav_managed, is_refused_where_there_are_none)
{
	struct lab *lab = lab_new(1, "refused");
	struct fault *fault;

	put_first(lab, "refused");
	fault = attach(lab, "a.txt", item_of(lab)->version, "abc", 3);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_REFUSED, "%s", fault->text);
	cr_expect_eq(fault->scope, FAULT_SCOPE_ITEM);
	cr_expect_null(todo_of(lab)->files);
	talloc_free(lab);
}

/* Inline files survive on both kinds of server. */
Test(caldav_managed, inline_files_survive)
{
	for (size_t i = 0; i < COUNT_OF(servers); i++) {
		struct lab *lab = lab_new(i, "inline");
		char *bytes = MEM_ARRAY(lab, char, 150000), *text = NULL, *back = NULL;
		struct file file = { .name = "big; \"one\".bin", .type = "application/pdf" };
		struct files_content files[] = { { &file, bytes, 150000 } };
		struct vtodo_publish publish = { .values = vector_new(lab),
						 .uid = "inline",
						 .files = files,
						 .file_count = 1 };
		struct endpoint_item *item;
		size_t len = 0;

		for (size_t k = 0; k < 150000; k++)
			bytes[k] = (char)(k * 7);
		file.name = files_name(lab, file.name);
		OK(vtodo_encode(lab, &publish, &text, NULL));
		put(lab, text, NULL);
		patch(lab, 20, NULL);
		item = item_of(lab);
		cr_assert_eq(todo_of(lab)->files->count, 1);
		cr_expect_eq(todo_of(lab)->files->list[0].size, 150000);
		OK(vtodo_file_bytes(lab, item->text, item->len, todo_of(lab)->files->list[0].digest,
				    &back, &len));
		cr_expect(len == 150000 && !memcmp(back, bytes, len), "%s", servers[i]);
		talloc_free(lab);
	}
}
