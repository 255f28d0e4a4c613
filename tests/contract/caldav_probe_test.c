/* What a probe finds: on the real servers, held against the table of what they are known to do; and on a
 * small server that can lack each trait, refuse the probe's collection, or go away in the middle.
 *
 * waits: yes
 * takes: 30
 */
#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "caldav_servers.h"
#include "fixture.h"
#include "gateway/caldav/caldav_traits.h"
#include "lab.h"

#define REQUESTS_MAX 40
#define STATUS_SECONDS 3600

/* ---- real servers ---- */

struct real {
	struct http *http;
	struct clock *clock;
	struct fixture *fixture;
};

static struct endpoint *real_endpoint(struct real *real, const char *path)
{
	struct caldav_account one = { .user = "ana" };

	one.password = secret_new(real, "secret", 6);
	one.url = mem_printf(real, "%s%s", real->fixture->url, path);
	return caldav_new(real, real->http, real->clock, &one);
}

static struct real *real_new(const char *script)
{
	const char *users[] = { "ana", NULL };
	struct real *real = MEM_NEW(NULL, struct real);

	real->fixture = fixture_start(real, script, "start", users);
	if (real->fixture->result == FIXTURE_NOT_INSTALLED)
		cr_skip_test("%s is not installed", script);
	cr_assert_not_null(real->fixture->url, "%s did not start", script);
	real->clock = clock_system(real);
	cr_assert_null(http_new(real, real->clock, NULL, &real->http));
	return real;
}

/* What is known of it, without the name by which it calls itself. */
static char *traits_of(TALLOC_CTX *mem, struct endpoint *endpoint)
{
	char *news = endpoint_traits(endpoint, mem);
	struct caldav_traits traits;

	caldav_traits_read(news, &traits);
	*traits.product = '\0';
	return caldav_traits_text(mem, &traits);
}

static void expect_nothing_left(struct real *real, struct endpoint *endpoint, const char *script)
{
	struct endpoint_probe *probe = NULL;

	cr_assert_null(endpoint_probe(endpoint, real, &probe));
	for (size_t i = 0; i < probe->count; i++)
		cr_expect_str_neq(probe->findings[i].probe, "folder left behind", "%s: %s", script,
				  probe->findings[i].result);
}

/* EXPECTED without what a busy machine cannot tell: whether tags are finer than seconds shows only when
 * two writes come within one. */
static const char *as_told(struct real *real, const char *expected, const char *found)
{
	static const char fine[] = " fine-etag=yes";
	const char *at = strstr(expected, fine);

	if (!at || strstr(found, " fine-etag="))
		return expected;
	return mem_printf(real, "%.*s%s", (int)(at - expected), expected, at + strlen(fine));
}

static void expect_server(const char *script, const char *path, const char *expected)
{
	struct real *real = real_new(script);
	struct endpoint *endpoint = real_endpoint(real, path);
	struct endpoint_folder old = { .path = "taskferry-probe-000000000badcafe",
				       .display = "left behind" },
			       mine = { .path = "taskferry-probe-mine", .display = "no probe's" };
	char *left = NULL, *kept = NULL, *found;
	struct endpoint_notice *notice = NULL;
	struct fault *fault;
	bool created = false;

	cr_assert_null(endpoint_ensure(endpoint, real, &old, NULL, &left, &created));
	cr_assert_null(endpoint_ensure(endpoint, real, &mine, NULL, &kept, &created));
	endpoint = real_endpoint(real, path); /* as if it were the first contact */
	fault = endpoint_learn(endpoint, real);
	cr_assert_null(fault, "%s: %s", script, fault->text);
	found = traits_of(real, endpoint);
	expected = as_told(real, expected, found);
	cr_expect_str_eq(found, expected, "%s\nexpected %s\nfound    %s", script, expected, found);
	cr_expect_leq(endpoint_stats(endpoint).requests, REQUESTS_MAX, "%s: %lld requests", script,
		      (long long)endpoint_stats(endpoint).requests);
	fault = endpoint_notice(endpoint, real, left, NULL, &notice);
	cr_expect(fault && fault->kind == FAULT_GONE, "%s: an old collection stayed", script);
	cr_expect_null(endpoint_notice(endpoint, real, kept, NULL, &notice),
		       "%s: what is no probe's was touched", script);
	expect_nothing_left(real, endpoint, script);
	cr_assert_null(endpoint_learn(endpoint, real));
	cr_expect_null(endpoint_traits(endpoint, real), "%s: another time, another result", script);
	fixture_end(real->fixture);
	talloc_free(real);
}

#define X(script, name, path, traits)                                                              \
	Test(caldav_probe_real, script)                                                            \
	{                                                                                          \
		expect_server(#script, path, traits);                                              \
	}
CALDAV_SERVERS(X)
#undef X

/* ---- a server of one's own ---- */

#define ITEMS_MAX 16

struct item {
	char path[200], body[2000], uid[80];
	int version;
	long at; /* seconds */
	bool there;
};

struct fake {
	pthread_mutex_t lock;
	const char *lacks;  /* a trait that it does not have, or NULL */
	const char *breaks; /* the method that it answers by `how` */
	const char *how;    /* a status line; NULL: it hangs up */
	int after;          /* ... from so many requests of that method on */
	const char *left;   /* a collection that stands in the home already */
	struct item items[ITEMS_MAX];
	char folders[4][100];
	int seq, count;
	bool removed_left;
	bool crowded;           /* it cannot remove a collection in which there are items */
	bool replaces;          /* a whole calendar, whatever the condition */
	bool has_all;           /* any collection in the home, and none can be told from another */
	bool refuses_second;    /* a second item in a collection */
	const char *to_strange; /* status of an answer to a token that it never gave */
	int written;            /* requests that write */
};

static bool lacks(const struct fake *fake, enum caldav_trait trait)
{
	return text_same(fake->lacks, caldav_trait_name(trait));
}

static struct item *item_at(struct fake *fake, const char *path)
{
	for (size_t i = 0; i < ITEMS_MAX; i++)
		if (fake->items[i].there && !strcmp(fake->items[i].path, path))
			return &fake->items[i];
	return NULL;
}

static bool *folder_slot(struct fake *fake, const char *path, bool make)
{
	static bool yes = true;

	for (size_t i = 0; i < COUNT_OF(fake->folders); i++) {
		if (!make && !strcmp(fake->folders[i], path))
			return &yes;
		if (make && !*fake->folders[i]) {
			snprintf(fake->folders[i], sizeof fake->folders[i], "%s", path);
			return &yes;
		}
	}
	return NULL;
}

static char *etag_of(const struct fake *fake, TALLOC_CTX *mem, const struct item *item)
{
	return lacks(fake, CALDAV_TRAIT_FINE_ETAG) ? mem_printf(mem, "\"s%ld\"", item->at)
						   : mem_printf(mem, "\"v%d\"", item->version);
}

static void keep_item(struct fake *fake, const char *path, const char *body)
{
	struct item *item = item_at(fake, path);
	const char *uid = strstr(body, "\r\nUID:");

	for (size_t i = 0; i < ITEMS_MAX && !item; i++)
		if (!fake->items[i].there)
			item = &fake->items[i];
	snprintf(item->path, sizeof item->path, "%s", path);
	snprintf(item->body, sizeof item->body, "%s", body);
	snprintf(item->uid, sizeof item->uid, "%.*s", uid ? (int)strcspn(uid + 6, "\r") : 0,
		 uid ? uid + 6 : "");
	item->version = ++fake->seq;
	item->at = time(NULL) / STATUS_SECONDS;
	item->there = true;
}

static bool same_folder(const char *a, const char *b)
{
	size_t n = (size_t)(strrchr(a, '/') - a);

	return n == (size_t)(strrchr(b, '/') - b) && !strncmp(a, b, n);
}

static bool uid_is_taken(const struct fake *fake, const char *path, const char *body)
{
	for (size_t i = 0; i < ITEMS_MAX; i++) {
		const struct item *item = &fake->items[i];
		bool here = same_folder(item->path, path);

		if (!item->there || !*item->uid || !strstr(body, item->uid) ||
		    !strcmp(item->path, path))
			continue;
		if (here ? !lacks(fake, CALDAV_TRAIT_ONE_UID)
			 : !lacks(fake, CALDAV_TRAIT_ONE_UID_HOME) &&
				    !lacks(fake, CALDAV_TRAIT_ONE_UID))
			return true;
	}
	return false;
}

static const char *put_whole(struct fake *fake, const char *path)
{
	char one[200];

	if (lacks(fake, CALDAV_TRAIT_WHOLE_PUT))
		return "405 x";
	if (folder_slot(fake, path, false))
		return fake->replaces ? "200 x" : "412 x";
	folder_slot(fake, path, true);
	for (int i = 1; i <= 2; i++) {
		snprintf(one, sizeof one, "%sw%d.ics", path, i);
		keep_item(fake, one, "");
	}
	return "201 x";
}

static const char *put_item(struct fake *fake, TALLOC_CTX *mem, const char *path,
			    const char *request)
{
	const struct item *item = item_at(fake, path);
	const char *body = strstr(request, "\r\n\r\n") + 4;
	const char *match = strstr(request, "\r\nIf-Match: ");

	if (strstr(request, "\r\nIf-None-Match: *") && item &&
	    !lacks(fake, CALDAV_TRAIT_CREATE_GUARD))
		return "412 x";
	if (match && item && !lacks(fake, CALDAV_TRAIT_REPLACE_GUARD) &&
	    !text_starts(match + 12, etag_of(fake, mem, item)))
		return "412 x";
	if (uid_is_taken(fake, path, body))
		return "409 x";
	if (fake->refuses_second && text_ends(path, "-b.ics"))
		return "403 x";
	keep_item(fake, path, body);
	return lacks(fake, CALDAV_TRAIT_STRONG_ETAG)
		       ? "201 x"
		       : mem_printf(mem, "201 x\r\nETag: %s",
				    etag_of(fake, mem, item_at(fake, path)));
}

#define NS                                                                                         \
	"<multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                   \
	"xmlns:s=\"http://calendarserver.org/ns/\">"
#define OK "</prop><status>HTTP/1.1 200 OK</status></propstat></response>"

static void add_item(const struct fake *fake, struct buf *out, const struct item *item, bool data,
		     bool times)
{
	buf_printf(out, "<response><href>%s</href><propstat><prop><getetag>%s</getetag>",
		   item->path, etag_of(fake, out, item));
	if (times && !lacks(fake, CALDAV_TRAIT_TIMES))
		buf_puts(out, "<getlastmodified>Sat, 21 Nov 2026 09:00:00 GMT</getlastmodified>");
	if (data)
		buf_puts(out, "<c:calendar-data>text</c:calendar-data>");
	buf_puts(out, OK);
}

static void add_folder(const struct fake *fake, struct buf *out, const char *path)
{
	buf_printf(out,
		   "<response><href>%s</href><propstat><prop><resourcetype><collection/>"
		   "<c:calendar/></resourcetype><s:getctag>c%d</s:getctag><displayname>taskferry "
		   "trial of this server - may be deleted</displayname>"
		   "<c:max-resource-size>5000</c:max-resource-size>"
		   "<c:supported-calendar-component-set><c:comp name=\"VTODO\"/>%s"
		   "</c:supported-calendar-component-set>%s" OK,
		   path, lacks(fake, CALDAV_TRAIT_CTAG) ? 1 : fake->seq,
		   lacks(fake, CALDAV_TRAIT_COMPONENTS) ? "<c:comp name=\"VEVENT\"/>" : "",
		   lacks(fake, CALDAV_TRAIT_PRIVILEGES)
			   ? ""
			   : "<current-user-privilege-set><privilege><read/></privilege>"
			     "</current-user-privilege-set>");
}

static bool is_in(const struct item *item, const char *folder)
{
	return item->there && text_starts(item->path, folder) &&
	       !strchr(item->path + strlen(folder), '/');
}

static const char *propfind(struct fake *fake, struct buf *out, const char *path,
			    const char *request)
{
	bool deep = strstr(request, "\r\nDepth: 1") != NULL;

	buf_puts(out, NS);
	if (!strcmp(path, "/")) {
		buf_puts(out, "<response><href>/</href><propstat><prop><c:calendar-home-set>"
			      "<href>/home/</href></c:calendar-home-set>" OK);
	} else if (!strcmp(path, "/home/")) {
		add_folder(fake, out, "/home/");
		if (fake->left && !fake->removed_left)
			add_folder(fake, out, fake->left);
	} else if (fake->has_all || folder_slot(fake, path, false)) {
		add_folder(fake, out, path);
		for (size_t i = 0; i < ITEMS_MAX && deep; i++)
			if (is_in(&fake->items[i], path))
				add_item(fake, out, &fake->items[i], false, false);
	} else {
		return "404 x";
	}
	buf_puts(out, "</multistatus>");
	return "207 x";
}

static const char *changes(struct fake *fake, struct buf *out, const char *path,
			   const char *request)
{
	const char *token = strstr(request, "<D:sync-token>t");
	int since = token ? atoi(token + 15) : 0, n = 0;
	bool first = strstr(request, "<D:sync-token></D:sync-token>") != NULL;
	bool data = strstr(request, "<C:calendar-data/>") && !lacks(fake, CALDAV_TRAIT_SYNC_DATA);
	bool page = strstr(request, "<D:nresults>1<") && !lacks(fake, CALDAV_TRAIT_PAGES);

	if (!token && !first && fake->to_strange)
		return fake->to_strange;
	if (!token && !first && !lacks(fake, CALDAV_TRAIT_TOKEN_REFUSED))
		return "403 x";
	if (lacks(fake, CALDAV_TRAIT_SYNC) && since)
		since = fake->seq; /* it forgets to tell */
	for (size_t i = 0; i < ITEMS_MAX; i++)
		if (is_in(&fake->items[i], path) && fake->items[i].version > since &&
		    (!page || !n++))
			add_item(fake, out, &fake->items[i], data, false);
	if (page)
		buf_printf(out,
			   "<response><href>%s</href><status>HTTP/1.1 507 x</status></response>",
			   path);
	buf_printf(out, "<sync-token>t%d</sync-token></multistatus>", fake->seq);
	return "207 x";
}

static const char *report(struct fake *fake, struct buf *out, const char *path, const char *request)
{
	buf_puts(out, NS);
	if (strstr(request, "<D:sync-collection"))
		return changes(fake, out, path, request);
	for (size_t i = 0; i < ITEMS_MAX && !lacks(fake, CALDAV_TRAIT_MULTIGET); i++)
		if (is_in(&fake->items[i], path) && strstr(request, fake->items[i].path))
			add_item(fake, out, &fake->items[i], true, true);
	buf_puts(out, "</multistatus>");
	return "207 x";
}

static const char *get(struct fake *fake, TALLOC_CTX *mem, struct buf *out, const char *path)
{
	const struct item *item = item_at(fake, path);

	if (!item)
		return "404 x";
	buf_puts(out, item->body);
	if (lacks(fake, CALDAV_TRAIT_KEEPS_BYTES)) /* one more fold */
		buf_puts(out, "\r\n ");
	if (lacks(fake, CALDAV_TRAIT_KEEPS_LINES))
		buf_puts(out, "CLASS:PUBLIC\r\n");
	if (strstr(item->body, "attached"))
		buf_puts(out, "ATTACH;MANAGED-ID=1:x");
	return mem_printf(mem, "200 x\r\nETag: %s", etag_of(fake, mem, item));
}

static const char *move(struct fake *fake, const char *path, const char *request)
{
	const char *to = strstr(request, "/home/taskferry-probe-");
	struct item *item = item_at(fake, path);

	to = to ? strstr(request, "\r\nDestination: ") : NULL;
	to = to ? strstr(to, "/home/") : NULL;
	if (lacks(fake, CALDAV_TRAIT_MOVE) || !item || !to)
		return "405 x";
	snprintf(item->path, sizeof item->path, "%.*s", (int)strcspn(to, "\r"), to);
	return "201 x";
}

static const char *delete (struct fake *fake, const char *path, const char *request)
{
	struct item *item = item_at(fake, path);

	for (size_t i = 0; i < ITEMS_MAX && fake->crowded && text_ends(path, "/"); i++)
		if (is_in(&fake->items[i], path))
			return "500 x";
	if (text_same(path, fake->left))
		fake->removed_left = true;
	if (strstr(request, "\r\nIf-Match: ") && !lacks(fake, CALDAV_TRAIT_REMOVE_GUARD))
		return "412 x";
	if (item)
		item->there = false;
	for (size_t i = 0; i < COUNT_OF(fake->folders); i++)
		if (!strcmp(fake->folders[i], path))
			*fake->folders[i] = '\0';
	return "204 x";
}

static const char *post(struct fake *fake, const char *path)
{
	char target[200];
	struct item *item;

	snprintf(target, sizeof target, "%.*s", (int)strcspn(path, "?"), path);
	item = item_at(fake, target);
	if (!item || lacks(fake, CALDAV_TRAIT_MANAGED))
		return "405 x";
	strcat(item->body, "attached");
	return "201 x";
}

static const char *answer(struct fake *fake, TALLOC_CTX *mem, struct buf *out, const char *method,
			  const char *path, const char *request)
{
	if (!strcmp(method, "PROPFIND"))
		return propfind(fake, out, path, request);
	if (!strcmp(method, "REPORT"))
		return report(fake, out, path, request);
	if (!strcmp(method, "GET"))
		return get(fake, mem, out, path);
	if (!strcmp(method, "PUT"))
		return text_ends(path, "/") ? put_whole(fake, path)
					    : put_item(fake, mem, path, request);
	if (!strcmp(method, "MOVE"))
		return move(fake, path, request);
	if (!strcmp(method, "DELETE"))
		return delete (fake, path, request);
	if (!strcmp(method, "POST"))
		return post(fake, path);
	if (!strcmp(method, "MKCALENDAR"))
		return folder_slot(fake, path, true) ? "201 x" : "507 x";
	return "200 x\r\nDAV: 1, calendar-access, calendar-managed-attachments";
}

static struct scripted_answer serve(void *context, TALLOC_CTX *mem, const char *method,
				    const char *path, const char *request)
{
	struct fake *fake = context;
	struct scripted_answer reply = { SCRIPTED_KEEP, "", 0, 0 };
	struct buf *out = buf_new(mem);
	const char *status;

	pthread_mutex_lock(&fake->lock);
	fake->written += strcmp(method, "PROPFIND") && strcmp(method, "REPORT") &&
			 strcmp(method, "OPTIONS") && strcmp(method, "GET");
	if (fake->breaks && !strcmp(fake->breaks, method) && fake->count++ >= fake->after) {
		status = fake->how;
		reply.manner = status ? SCRIPTED_KEEP : SCRIPTED_CUT;
	} else {
		status = answer(fake, mem, out, method, path, request);
	}
	pthread_mutex_unlock(&fake->lock);
	if (status && lacks(fake, CALDAV_TRAIT_KEEPS_OPEN))
		reply.manner = SCRIPTED_ANSWER;
	reply.text = mem_printf(mem, "HTTP/1.1 %s%s\r\nContent-Length: %zu\r\n\r\n%s",
				status ? status : "",
				lacks(fake, CALDAV_TRAIT_KEEPS_OPEN) ? "\r\nConnection: close" : "",
				out->len, out->data);
	return reply;
}

static struct fake *fake_new(void)
{
	struct fake *fake = MEM_NEW(NULL, struct fake);

	pthread_mutex_init(&fake->lock, NULL);
	return fake;
}

#define ALL                                                                                        \
	"create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "       \
	"keeps-bytes=yes sync=yes sync-data=yes token-refused=yes pages=yes ctag=yes "             \
	"multiget=yes components=yes one-uid=yes one-uid-home=yes move=yes managed=yes "           \
	"whole-put=yes privileges=yes keeps-open=yes times=yes keeps-lines=yes item-max=5000"

/* Each trait taken away alone; what else changes by it. */
Test(caldav_probe, each_trait_is_found)
{
	static const struct {
		enum caldav_trait lacks;
		const char *besides;
	} others[] = {
		{ CALDAV_TRAIT_FINE_ETAG, "replace-guard=unknown" },
		{ CALDAV_TRAIT_SYNC, "pages=unknown token-refused=unknown" },
		{ CALDAV_TRAIT_ONE_UID, "one-uid-home=no" },
		{ CALDAV_TRAIT_MULTIGET, "times=no" },
		{ CALDAV_TRAIT_KEEPS_LINES, "keeps-bytes=no" },
	};

	for (int t = -1; t < CALDAV_TRAITS; t++) {
		struct fake *fake = fake_new();
		struct lab *lab = lab_new(serve, fake);
		struct endpoint *endpoint = lab_account(lab, "/");
		struct caldav_traits expected, found;
		struct fault *fault;

		fake->lacks = t < 0 ? NULL : caldav_trait_name((enum caldav_trait)t);
		caldav_traits_read(ALL, &expected);
		if (t >= 0)
			expected.answer[t] = CALDAV_NO;
		endpoint_know(endpoint, NULL);
		fault = endpoint_learn(endpoint, lab);
		cr_assert_null(fault, "%s: %s", fake->lacks, fault->text);
		caldav_traits_read(endpoint_traits(endpoint, lab), &found);
		for (size_t i = 0; i < COUNT_OF(others); i++)
			for (int o = 0; o < CALDAV_TRAITS; o++)
				if ((int)others[i].lacks == t &&
				    strstr(others[i].besides,
					   caldav_trait_name((enum caldav_trait)o)))
					expected.answer[o] = found.answer[o];
		cr_expect_str_eq(caldav_traits_text(lab, &found),
				 caldav_traits_text(lab, &expected), "without %s: %s",
				 fake->lacks ? fake->lacks : "lacks",
				 caldav_traits_news(lab, &expected, &found));
		for (size_t i = 0; i < COUNT_OF(fake->folders); i++)
			cr_expect_str_empty(fake->folders[i], "left behind: %s", fake->folders[i]);
		talloc_free(lab);
		talloc_free(fake);
	}
}

/* What the server does in the middle, what becomes of the probe, and whether anything is left there. */
Test(caldav_probe, ends_however_the_server_ends)
{
	static const struct {
		const char *breaks, *how;
		int after;
		int kind;          /* of the fault; -1: none */
		const char *finds; /* in the traits; NULL: nothing is told */
		bool leaves;
	} cases[] = {
		{ "MKCALENDAR", "403 x", 0, -1, "privileges=yes", false },
		{ "MKCALENDAR", NULL, 0, -1, "cut=yes", false },
		{ "PUT", "507 x", 0, -1, "components=yes", false },
		{ "PUT", NULL, 3, -1, "cut=yes", false },
		{ "REPORT", NULL, 0, -1, "whole-put=yes", false },
		{ "REPORT", "500 x", 0, -1, "create-guard=yes", false },
		{ "MOVE", NULL, 0, -1, "remove-guard=yes", false },
		{ "GET", "503 x\r\nRetry-After: 9", 0, -1, "cut=yes", false },
		{ "PUT", "401 x", 2, FAULT_LOGIN, NULL, false },
		{ "PROPFIND", "401 x", 0, FAULT_LOGIN, NULL, false },
		{ "PROPFIND", NULL, 0, FAULT_UNREACHABLE, NULL, false },
		{ "DELETE", NULL, 0, -1, "create-guard=yes", true },
		{ "DELETE", "403 x", 0, -1, "create-guard=yes", true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *fake = fake_new();
		struct lab *lab = lab_new(serve, fake);
		struct endpoint *endpoint = lab_account(lab, "/");
		struct endpoint_probe *probe = NULL;
		struct fault *fault;
		char *news;
		bool left = false;

		fake->breaks = cases[i].breaks;
		fake->how = cases[i].how;
		fake->after = cases[i].after;
		endpoint_know(endpoint, NULL);
		fault = endpoint_learn(endpoint, lab);
		news = endpoint_traits(endpoint, lab);
		if (cases[i].kind >= 0)
			lab_expect(fault, (enum fault_kind)cases[i].kind, cases[i].breaks);
		else
			cr_expect_null(fault, "case %zu: %s", i, fault->text);
		if (cases[i].finds)
			cr_expect(news && strstr(news, cases[i].finds), "case %zu: %s", i,
				  news ? news : "-");
		else
			cr_expect_null(news, "case %zu: %s", i, news);
		for (size_t f = 0; f < COUNT_OF(fake->folders); f++)
			left |= *fake->folders[f] != '\0';
		cr_expect_eq(left, cases[i].leaves, "case %zu: left %d", i, left);
		fake->breaks = NULL;
		if (cases[i].leaves && !endpoint_probe(endpoint, lab, &probe)) {
			for (size_t f = 0; f < probe->count; f++)
				left &= strcmp(probe->findings[f].probe, "folder left behind") != 0;
			cr_expect_not(left, "case %zu: nobody is told", i);
		}
		talloc_free(lab);
		talloc_free(fake);
	}
}

/* As Cyrus 3.6 does where an item has an attachment. */
Test(caldav_probe, folders_that_can_be_removed_only_when_they_are_empty)
{
	static const char left[] = "/home/taskferry-probe-0000000012345678/";
	struct fake *fake = fake_new();
	struct lab *lab = lab_new(serve, fake);
	struct endpoint *endpoint = lab_account(lab, "/");
	struct endpoint_probe *probe = NULL;

	fake->crowded = true;
	fake->left = left;
	folder_slot(fake, left, true);
	keep_item(fake, "/home/taskferry-probe-0000000012345678/a.ics", "");
	keep_item(fake, "/home/taskferry-probe-0000000012345678/b.ics", "");
	cr_assert_null(endpoint_learn(endpoint, lab));
	cr_expect(fake->removed_left);
	for (size_t i = 0; i < COUNT_OF(fake->folders); i++)
		cr_expect_str_empty(fake->folders[i], "left behind: %s", fake->folders[i]);
	cr_assert_null(endpoint_probe(endpoint, lab, &probe));
	for (size_t i = 0; i < probe->count; i++)
		cr_expect_str_neq(probe->findings[i].probe, "folder left behind");
	talloc_free(lab);
	talloc_free(fake);
}

static char *learned(struct lab *lab)
{
	struct endpoint *endpoint = lab_account(lab, "/");

	endpoint_know(endpoint, NULL);
	cr_assert_null(endpoint_learn(endpoint, lab));
	return endpoint_traits(endpoint, lab);
}

/* A "yes" only by what can mean nothing else (N7). */
Test(caldav_probe, is_not_taken_in)
{
	static const struct {
		struct fake fake;
		const char *found, *never;
	} cases[] = {
		{ { .replaces = true }, "whole-put=no", "whole-put=yes" },
		{ { .refuses_second = true }, "create-guard=yes", "remove-guard" },
		{ { .to_strange = "503 x" }, "cut=yes", "token-refused" },
		{ { .to_strange = "502 x" }, "sync=yes", "token-refused" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *fake = fake_new();
		struct lab *lab = lab_new(serve, fake);
		char *news;

		*fake = cases[i].fake;
		pthread_mutex_init(&fake->lock, NULL);
		news = learned(lab);
		cr_expect(strstr(news, cases[i].found), "case %zu: %s", i, news);
		cr_expect_not(strstr(news, cases[i].never), "case %zu: %s", i, news);
		talloc_free(lab);
		talloc_free(fake);
	}
}

/* Where something answers at a name that was never used, nothing is written, and nothing removed. */
Test(caldav_probe, leaves_alone_what_it_has_not_made)
{
	struct fake *fake = fake_new();
	struct lab *lab = lab_new(serve, fake);

	fake->has_all = true;
	(void)learned(lab);
	cr_expect_eq(fake->written, 0, "%d requests that write", fake->written);
	talloc_free(lab);
	talloc_free(fake);
}

/* Only what has exactly the form of a probe's name, and is old. */
Test(caldav_probe, what_was_left_behind)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const struct {
		const char *path;
		bool removed;
	} cases[] = {
		{ "/home/taskferry-probe-0000000012345678/", true },
		{ mem_printf(mem, "/home/taskferry-probe-%08lx12345678/", (long)time(NULL) - 3700),
		  true },
		{ mem_printf(mem, "/home/taskferry-probe-%08lx12345678/", (long)time(NULL) - 3000),
		  false },
		{ "/home/taskferry-probe-000000001234567/", false },
		{ "/home/taskferry-probe-00000000123456789/", false },
		{ "/home/taskferry-probe-mine/", false },
		{ "/other/taskferry-probe-0000000012345678/", false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *fake = fake_new();
		struct lab *lab = lab_new(serve, fake);

		fake->left = cases[i].path;
		cr_assert_null(endpoint_learn(lab_account(lab, "/"), lab));
		cr_expect_eq(fake->removed_left, cases[i].removed, "%s: %d", cases[i].path,
			     fake->removed_left);
		talloc_free(lab);
		talloc_free(fake);
	}
	talloc_free(mem);
}
