#include "config.h"

#include "server_contract.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "endpoint_contract.h"
#include "fixture.h"
#include "gateway/caldav/caldav.h"

/* One server serves the whole program; it is started before the first test, with a user for each. */

#define SERVER_URL "CALDAV_SERVER_URL"
#define SERVER_MISSING "CALDAV_SERVER_MISSING"
#define PASSWORD "secret"
#define TEXT_LINES_MAX 64

#define SERVER_TESTS(X)                                                                            \
	X(names)                                                                                   \
	X(bound)                                                                                   \
	X(modified)                                                                                \
	X(percent)                                                                                 \
	X(twice)                                                                                   \
	X(elsewhere)                                                                               \
	X(second)                                                                                  \
	X(probed)

static struct fixture *fixture; /* of the runner's process */

static char *user_lines(TALLOC_CTX *mem)
{
	struct buf *lines = buf_new(mem);

#define X(name) buf_puts(lines, #name "\n");
	ENDPOINT_CONTRACT(X)
	SERVER_TESTS(X)
#undef X
	return buf_steal(&lines, mem, NULL);
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	const char *users[] = { "ana", NULL };

	(void)tests;
	fixture = fixture_start(NULL, server_kind.script, "start", users);
	if (fixture->result == FIXTURE_NOT_INSTALLED)
		setenv(SERVER_MISSING, "1", 1);
	else if (fixture->url && fixture_add_users(fixture, user_lines(fixture)))
		setenv(SERVER_URL, fixture->url, 1);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	fixture_close(fixture, stats->tests_failed);
}

/* ---- the world ---- */

struct lab {
	struct contract_world world; /* first */
	struct http *http;
	struct clock *clock;
	const char *url, *user;
};

static const char *server_url(void)
{
	if (getenv(SERVER_MISSING))
		cr_skip_test("%s is not installed (or cannot be started as this user)",
			     server_kind.name);
	cr_assert_not_null(getenv(SERVER_URL), "%s did not start", server_kind.name);
	return getenv(SERVER_URL);
}

static int64_t count_writes(struct contract_world *world)
{
	return http_stats(((struct lab *)world)->http).writes;
}

static void drop_folder(struct contract_world *world, const char *folder)
{
	struct lab *lab = (struct lab *)world;
	struct http_site site = { .user = lab->user,
				  .password = secret_new(lab, PASSWORD, strlen(PASSWORD)) };
	struct http_request request = { .method = "DELETE", .writes = true };

	request.url = mem_printf(lab, "%s%s", lab->url, folder + 1);
	http_run(lab->http, lab, &site, &request, 1);
	cr_assert_null(request.fault);
	cr_assert(request.status == 200 || request.status == 204, "status %d", request.status);
}

/* ---- what a server may make of a text ---- */

/* The content lines, unfolded; their number. */
static size_t split_lines(TALLOC_CTX *mem, const char *text, char *lines[TEXT_LINES_MAX])
{
	char *copy = mem_strdup(mem, text), *to = copy, *save = NULL;
	size_t n = 0;

	for (const char *c = copy; *c; c++) {
		if (!strncmp(c, "\r\n ", 3))
			c += 2;
		else
			*to++ = *c;
	}
	*to = '\0';
	for (char *line = strtok_r(copy, "\r\n", &save); line && n < TEXT_LINES_MAX;
	     line = strtok_r(NULL, "\r\n", &save))
		lines[n++] = line;
	return n;
}

static bool is_servers_own(const char *line)
{
	for (size_t i = 0; i < SERVER_LINES_MAX && server_kind.lines[i]; i++)
		if (text_starts(line, server_kind.lines[i]))
			return true;
	return false;
}

/* Each of OURS that is not the server's own has its like among THEIRS. */
static bool all_among(char *const *ours, size_t our_count, char *const *theirs, size_t their_count)
{
	for (size_t i = 0; i < our_count; i++) {
		bool found = is_servers_own(ours[i]);

		for (size_t j = 0; j < their_count && !found; j++)
			found = !strcmp(ours[i], theirs[j]);
		if (!found)
			return false;
	}
	return true;
}

static bool same_lines(const char *put, const char *got)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *ours[TEXT_LINES_MAX], *theirs[TEXT_LINES_MAX];
	size_t our_count = split_lines(mem, put, ours), their_count = split_lines(mem, got, theirs);
	bool same = all_among(ours, our_count, theirs, their_count) &&
		    all_among(theirs, their_count, ours, our_count);

	talloc_free(mem);
	return same;
}

static struct endpoint *new_account(struct lab *lab)
{
	struct caldav_account one = { .user = lab->user };

	one.url = mem_printf(lab, "%s%s", lab->url, server_kind.root);
	one.password = secret_new(lab, PASSWORD, strlen(PASSWORD));
	return caldav_new(lab, lab->http, lab->clock, &one);
}

static struct lab *lab_world(const char *user)
{
	const char *url = server_url();
	struct lab *lab = MEM_NEW(NULL, struct lab);

	lab->world.mem = lab;
	lab->clock = clock_system(lab);
	cr_assert_null(http_new(lab, lab->clock, NULL, &lab->http));
	lab->url = url;
	lab->user = user;
	lab->world.endpoint = new_account(lab);
	lab->world.path = mem_printf(lab, "f-%s", user);
	lab->world.unknown_token = server_kind.unknown_token;
	lab->world.writes = count_writes;
	lab->world.drop_folder = drop_folder;
	lab->world.same_text = same_lines;
	lab->world.makes_folders = server_kind.makes_folders;
	lab->world.repeats = server_kind.repeats;
	lab->world.lists_for_unknown = server_kind.lists_for_unknown;
	return lab;
}

#define X(name)                                                                                    \
	Test(server_contract, name)                                                                \
	{                                                                                          \
		struct lab *lab = lab_world(#name);                                                \
                                                                                                   \
		endpoint_contract_##name(&lab->world);                                             \
		talloc_free(lab);                                                                  \
	}
ENDPOINT_CONTRACT(X)
#undef X

/* ---- more of items ---- */

static void ok(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: %s", what, fault->text);
}

static void expect(const struct fault *fault, enum fault_kind kind, const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_assert_eq(fault->scope, FAULT_SCOPE_ITEM, "%s: %s", what,
		     fault_scope_name(fault->scope));
}

static const char *home_of(struct lab *lab)
{
	return mem_printf(lab, "%s%s%s", server_kind.home[0], lab->user, server_kind.home[1]);
}

static const char *new_folder(struct lab *lab, const char *path, const char *display)
{
	struct endpoint_folder folder = { .path = path, .display = display };
	char *address = NULL;
	bool created;

	ok(endpoint_ensure(lab->world.endpoint, lab, &folder, NULL, &address, &created), display);
	cr_assert_str_eq(address, mem_printf(lab, "%s%s/", home_of(lab), path));
	return address;
}

static char *task(TALLOC_CTX *mem, const char *uid, const char *summary)
{
	return mem_printf(
		mem,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:%s\r\n"
		"DTSTAMP:20261121T090000Z\r\nSUMMARY:%s\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
		uid, summary);
}

static struct endpoint_put put(struct lab *lab, const char *folder, const char *address,
			       const char *text, const char *if_version)
{
	struct endpoint_put put = { .address = address, .text = text, .if_version = if_version };

	put.len = strlen(text);
	ok(endpoint_put(lab->world.endpoint, lab, folder, &put, 1), address);
	return put;
}

static const struct endpoint_item *fetch(struct lab *lab, const char *folder, const char *address)
{
	struct endpoint_item *items = NULL;

	ok(endpoint_fetch(lab->world.endpoint, lab, folder, &address, 1, &items), address);
	return &items[0];
}

static struct endpoint_notice *notice(struct lab *lab, const char *folder, const char *token)
{
	struct endpoint_notice *notice = NULL;

	ok(endpoint_notice(lab->world.endpoint, lab, folder, token, &notice), folder);
	return notice;
}

static const struct endpoint_change *change_of(const struct endpoint_notice *notice,
					       const char *address)
{
	for (size_t i = 0; i < notice->count; i++)
		if (!strcmp(notice->changes[i].address, address))
			return &notice->changes[i];
	return NULL;
}

/* Written under the strangest names that the server takes, listed and read under the same. */
Test(server_items, strange_names_have_one_address)
{
	struct lab *lab = lab_world("names");
	const char *folder = new_folder(lab, "names", "Names");
	const struct endpoint_notice *listed;
	const char *const *name;

	for (name = server_kind.item_names; *name; name++) {
		const char *address = mem_printf(lab, "%s%s", folder, *name);
		struct endpoint_put made = put(lab, folder, address, task(lab, *name, *name), NULL);

		ok(made.fault, *name);
	}
	listed = notice(lab, folder, NULL);
	cr_assert_eq(listed->count, (size_t)(name - server_kind.item_names), "listed %zu",
		     listed->count);
	for (name = server_kind.item_names; *name; name++) {
		const char *address = mem_printf(lab, "%s%s", folder, *name);

		cr_assert_not_null(change_of(listed, address), "%s is not listed", address);
		ok(fetch(lab, folder, address)->fault, address);
	}
	talloc_free(lab);
}

Test(server_items, what_the_server_refuses_is_one_items_fault)
{
	struct lab *lab = lab_world("bound");
	const char *folder = new_folder(lab, "bound", "Bound");
	struct endpoint_put puts[3] = { 0 };
	char *long_text = MEM_ARRAY(lab, char, CALDAV_ITEM_MAX + 2);

	memset(long_text, 'x', CALDAV_ITEM_MAX + 1);
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		puts[i].address = mem_printf(lab, "%suid-%zu.ics", folder, i);
	puts[0].text = long_text;
	puts[1].text = "not a calendar";
	puts[2].text = task(lab, "uid-2", "good");
	for (size_t i = 0; i < COUNT_OF(puts); i++)
		puts[i].len = strlen(puts[i].text);
	ok(endpoint_put(lab->world.endpoint, lab, folder, puts, COUNT_OF(puts)), "put");
	expect(puts[0].fault, FAULT_REFUSED, "too long");
	expect(puts[1].fault, FAULT_REFUSED, "garbage");
	ok(puts[2].fault, "the good one");
	talloc_free(lab);
}

Test(server_items, modified_time_is_ours)
{
	struct lab *lab = lab_world("modified");
	const char *folder = new_folder(lab, "modified", "Modified");
	int64_t before = clock_now_us(lab->clock), after;
	struct endpoint_put made = put(lab, folder, mem_printf(lab, "%suid-1.ics", folder),
				       task(lab, "uid-1", "x"), NULL);
	const struct endpoint_item *item = fetch(lab, folder, made.address);

	ok(made.fault, "put");
	cr_assert_null(made.version, "no version may be vouched for");
	after = clock_now_us(lab->clock);
	if (server_kind.timeless)
		cr_assert_eq(item->modified_us, 0);
	else
		cr_assert(item->modified_us >= before - 2 * CLOCK_SECOND_US &&
				  item->modified_us <= after,
			  "between %lld and %lld, got %lld", (long long)before, (long long)after,
			  (long long)item->modified_us);
	talloc_free(lab);
}

/* A name for the eye, with what some servers choke on: the folder is there all the same, and works. */
Test(server_folders, awkward_display_names_cost_no_folder)
{
	struct lab *lab = lab_world("percent");
	const char *folder = new_folder(lab, "percent", "100% <Ünï> & \"more\"");
	struct endpoint_folder again = { .path = "percent", .display = "50 %% of %(all)s" };
	char *address = NULL;
	bool created;

	ok(endpoint_ensure(lab->world.endpoint, lab, &again, folder, &address, &created), "again");
	cr_assert_not(created);
	cr_assert_str_eq(address, folder);
	ok(put(lab, folder, mem_printf(lab, "%su.ics", folder), task(lab, "u", "x"), NULL).fault,
	   "put");
	cr_assert_eq(notice(lab, folder, NULL)->count, 1);
	talloc_free(lab);
}

/* ---- UIDs ---- */

/* Two files of one UID in one folder: refused, or both are there under their addresses; never one in
 * the other's place. */
Test(server_uids, a_second_file_of_a_uid_never_takes_the_firsts_place)
{
	struct lab *lab = lab_world("twice");
	const char *folder = new_folder(lab, "twice", "Twice");
	const char *one = mem_printf(lab, "%sone.ics", folder),
		   *two = mem_printf(lab, "%stwo.ics", folder);
	struct endpoint_put second;

	ok(put(lab, folder, one, task(lab, "uid-1", "first"), NULL).fault, "first");
	second = put(lab, folder, two, task(lab, "uid-1", "second"), NULL);
	if (second.fault)
		expect(second.fault, FAULT_REFUSED, "second");
	cr_assert_not_null(strstr(fetch(lab, folder, one)->text, "SUMMARY:first"));
	cr_assert_eq(notice(lab, folder, NULL)->count, second.fault ? 1 : 2);
	talloc_free(lab);
}

/* The same in another calendar of the same person: where that is refused, the fault says where the
 * other one is and what to do. */
Test(server_uids, a_uid_in_another_calendar_is_told_with_its_place)
{
	struct lab *lab = lab_world("elsewhere");
	const char *here = new_folder(lab, "here", "Here"),
		   *there = new_folder(lab, "there", "There");
	const char *one = mem_printf(lab, "%suid-1.ics", there);
	struct endpoint_put second;

	ok(put(lab, there, one, task(lab, "uid-1", "first"), NULL).fault, "first");
	second = put(lab, here, mem_printf(lab, "%suid-1.ics", here), task(lab, "uid-1", "second"),
		     NULL);
	if (!server_kind.one_uid_home) {
		ok(second.fault, "second");
	} else {
		expect(second.fault, FAULT_REFUSED, "second");
		cr_assert_eq(second.fault->next, FAULT_NEXT_HOLD);
		cr_assert_not_null(strstr(second.fault->text, one), "%s", second.fault->text);
	}
	cr_assert_not_null(strstr(fetch(lab, there, one)->text, "SUMMARY:first"));
	talloc_free(lab);
}

/* ---- tokens ---- */

/* Many changes within a second: each is told, whatever a token is made of, and once all is quiet
 * nothing is told any more. */
Test(server_tokens, changes_of_one_second_are_not_lost_and_not_told_for_ever)
{
	struct lab *lab = lab_world("second");
	const char *folder = new_folder(lab, "second", "Second"), *token = NULL;
	const char *address = mem_printf(lab, "%suid-1.ics", folder);
	struct endpoint_notice *seen;

	ok(put(lab, folder, address, task(lab, "uid-1", "0"), NULL).fault, "create");
	for (int i = 1; i <= 5; i++) {
		const char *summary = mem_printf(lab, "%d", i);
		const char *version;

		seen = notice(lab, folder, token);
		cr_assert_not_null(change_of(seen, address), "change %d is not told", i - 1);
		token = seen->token;
		version = fetch(lab, folder, address)->version;
		cr_assert_str_eq(change_of(seen, address)->version, version);
		ok(put(lab, folder, address, task(lab, "uid-1", summary), version).fault, summary);
	}
	seen = notice(lab, folder, token);
	cr_assert_not_null(change_of(seen, address), "the last change is not told");
	/* a token that stands for whole seconds repeats what happened in its own */
	for (int i = 0; seen->count && i < 3; i++) {
		sleep(1);
		seen = notice(lab, folder, seen->token);
	}
	cr_assert_eq(seen->count, 0, "told for ever");
	talloc_free(lab);
}

Test(server_probe, tells_the_home)
{
	struct lab *lab = lab_world("probed");
	struct endpoint_probe *probe = NULL;
	const char *home = home_of(lab), *found = NULL;

	ok(endpoint_probe(lab->world.endpoint, lab, &probe), "probe");
	for (size_t i = 0; i < probe->count; i++)
		if (!strcmp(probe->findings[i].probe, "home"))
			found = probe->findings[i].result;
	cr_assert(text_same(found, home), "expected %s, got %s", home, found ? found : "none");
	talloc_free(lab);
}
