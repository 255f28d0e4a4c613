/* One request for all folders of a home: what it costs, and that no change is ever passed over, whatever
 * a server's CTags are made from. */
#include "config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "lab.h"

#define HEAD "HTTP/1.1 207 x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s"
#define DAV "xmlns=\"DAV:\" xmlns:s=\"http://calendarserver.org/ns/\""
#define FOLDERS_MAX 5
#define START_US INT64_C(1795251600000000) /* 2026-11-21T09:00:00Z */

/* What a server makes its CTag from. */
enum making {
	BY_COUNT,   /* moves with each change */
	BY_SECOND,  /* of the last change */
	BY_CONTENT, /* returns with what was there before */
	BY_TOKEN,   /* none; its sync-token property counts */
	NEVER,      /* tells neither */
	ALWAYS,     /* another one each time */
	MAKINGS
};

static const char *const making_names[] = {
	"count", "second", "content", "token", "never", "always"
};
_Static_assert(COUNT_OF(making_names) == MAKINGS, "one name per making");

struct home {
	struct lab *lab;
	struct clock *clock;
	enum making making;
	const char *refuses; /* the status line of a sweep; NULL: it is answered */
	size_t count;
	int64_t offset_us; /* of the server's clock */
	int64_t asked;
	struct {
		int64_t changes, content, second;
		bool gone;
		int64_t seen;  /* changes, when it was last asked what they are */
		int64_t known; /* content, as we have read or written it */
		const char *token;
	} folders[FOLDERS_MAX];
	struct endpoint *endpoint;
};

static const char *folder_name(size_t i)
{
	static const char *const names[FOLDERS_MAX] = { "/home/a/", "/home/b/", "/home/c/",
							"/home/d/", "/home/e/" };

	return names[i];
}

static const char *property_of(struct home *home, TALLOC_CTX *mem, size_t i, bool ctag)
{
	int64_t number = home->folders[i].changes;

	if (home->making == NEVER || ctag != (home->making != BY_TOKEN))
		return "<displayname>x</displayname>";
	if (home->making == BY_SECOND)
		number = home->folders[i].second;
	else if (home->making == BY_CONTENT)
		number = home->folders[i].content;
	else if (home->making == ALWAYS)
		number = ++home->asked;
	if (home->making == BY_TOKEN)
		return mem_printf(mem, "<sync-token>data:%lld</sync-token>", (long long)number);
	return mem_printf(mem, "<s:getctag>\"%lld\"</s:getctag>", (long long)number);
}

static void list_home(struct home *home, TALLOC_CTX *mem, struct buf *out, const char *request)
{
	buf_puts(out, "<response><href>/home/</href><propstat><prop/><status>HTTP/1.1 200 "
		      "OK</status></propstat></response>");
	for (size_t i = 0; i < home->count; i++)
		if (!home->folders[i].gone)
			buf_printf(out,
				   "<response><href>%s</href><propstat><prop>%s</prop><status>"
				   "HTTP/1.1 200 OK</status></propstat></response>",
				   folder_name(i),
				   property_of(home, mem, i, strstr(request, "getctag") != NULL));
}

static struct scripted_answer reply(void *context, TALLOC_CTX *mem, const char *method,
				    const char *path, const char *request)
{
	struct home *home = context;
	struct scripted_answer answer = { .manner = SCRIPTED_ANSWER };
	struct buf *out = buf_new(mem);

	buf_puts(out, "<multistatus " DAV ">");
	if (!strcmp(method, "PROPFIND") && !strcmp(path, "/home/")) {
		cr_expect_not_null(strstr(request, "Depth: 1"));
		if (home->refuses)
			return (struct scripted_answer){ .text = home->refuses };
		list_home(home, mem, out, request);
	} else {
		cr_expect_str_eq(method, "REPORT");
		for (size_t i = 0; i < home->count; i++) {
			if (strcmp(path, folder_name(i)))
				continue;
			if (!strstr(request, mem_printf(mem, ">t%lld<",
							(long long)home->folders[i].changes)))
				buf_printf(out,
					   "<response><href>%sx.ics</href><propstat><prop><getetag>"
					   "\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status>"
					   "</propstat></response>",
					   folder_name(i));
			home->folders[i].seen = home->folders[i].changes;
			home->folders[i].known = home->folders[i].content;
			buf_printf(out, "<sync-token>t%lld</sync-token>",
				   (long long)home->folders[i].changes);
		}
	}
	buf_puts(out, "</multistatus>");
	answer.text = mem_printf(mem, HEAD, out->len, out->data);
	return answer;
}

static void change(struct home *home, size_t i, int64_t content)
{
	home->folders[i].changes++;
	home->folders[i].content = content;
	home->folders[i].second = (clock_now_us(home->clock) + home->offset_us) / CLOCK_SECOND_US;
}

static struct home *home_new(enum making making, size_t count)
{
	struct home *home = MEM_NEW(NULL, struct home);

	home->lab = lab_new(reply, home);
	home->clock = home->lab->clock = clock_set(home->lab, START_US);
	home->making = making;
	home->count = count;
	for (size_t i = 0; i < count; i++)
		change(home, i, 1);
	home->endpoint = lab_account(home->lab, "/home/");
	return home;
}

static void home_free(struct home *home)
{
	talloc_free(home->lab);
	talloc_free(home);
}

static int requests(struct home *home)
{
	return scripted_counts(home->lab->server).requests;
}

static void wait_s(struct home *home, int64_t s)
{
	clock_sleep(home->clock, s * CLOCK_SECOND_US);
}

/* As a visit does it: those that have moved, or of which nothing is known, are asked. Returns how many
 * requests it took. WRITES: we write to the first of them ourselves. */
static int visit_while(struct home *home, bool writes, void (*meanwhile)(struct home *home))
{
	struct endpoint_sweep sweeps[FOLDERS_MAX];
	int before = requests(home);

	for (size_t i = 0; i < home->count; i++)
		sweeps[i] = (struct endpoint_sweep){ .folder = folder_name(i),
						     .token = home->folders[i].token };
	cr_assert_null(endpoint_sweep(home->endpoint, home->lab, sweeps, home->count));
	if (meanwhile)
		meanwhile(home);
	for (size_t i = 0; i < home->count; i++) {
		struct endpoint_notice *notice = NULL;
		char *later = NULL;

		if (!sweeps[i].moved)
			continue;
		cr_assert_null(endpoint_notice(home->endpoint, home->lab, folder_name(i),
					       home->folders[i].token, &notice));
		later = (char *)notice->token;
		if (writes) {
			change(home, i, home->folders[i].content + 1);
			home->folders[i].known = home->folders[i].content;
			cr_assert_null(endpoint_advance(home->endpoint, home->lab, folder_name(i),
							notice->token, &later));
		}
		writes = false;
		home->folders[i].token = later;
	}
	return requests(home) - before;
}

static int visit(struct home *home, bool writes)
{
	return visit_while(home, writes, NULL);
}

Test(caldav_sweep, five_folders_at_rest_take_one_request)
{
	static const enum making makings[] = { BY_COUNT, BY_SECOND, BY_CONTENT, BY_TOKEN };

	for (size_t m = 0; m < COUNT_OF(makings); m++) {
		struct home *home = home_new(makings[m], 5);

		wait_s(home, 5);
		for (int i = 0; i < 4; i++, wait_s(home, 5))
			(void)visit(home, false);
		cr_expect_eq(visit(home, false), 1, "by %s", making_names[makings[m]]);
		change(home, 3, 7);
		wait_s(home, 5);
		cr_expect_eq(visit(home, false), 2, "by %s: one has moved",
			     making_names[makings[m]]);
		wait_s(home, 5);
		cr_expect_eq(visit(home, false), 2, "by %s: and once more, to be sure",
			     making_names[makings[m]]);
		wait_s(home, 5);
		cr_expect_eq(visit(home, false), 1, "by %s: at rest again",
			     making_names[makings[m]]);
		home_free(home);
	}
}

Test(caldav_sweep, one_folder_alone_is_not_asked_that_way)
{
	struct home *home = home_new(BY_COUNT, 1);

	for (int i = 0; i < 4; i++, wait_s(home, 5))
		cr_expect_eq(visit(home, false), 1);
	cr_expect_not(scripted_heard(home->lab->server, "getctag"));
	home_free(home);
}

Test(caldav_sweep, a_folder_that_is_not_listed_has_moved)
{
	struct home *home = home_new(BY_COUNT, 3);
	struct endpoint_sweep sweeps[3];

	for (int i = 0; i < 4; i++, wait_s(home, 5))
		(void)visit(home, false);
	home->folders[1].gone = true;
	for (size_t i = 0; i < 3; i++)
		sweeps[i] = (struct endpoint_sweep){ .folder = folder_name(i),
						     .token = home->folders[i].token };
	cr_assert_null(endpoint_sweep(home->endpoint, home->lab, sweeps, 3));
	for (size_t i = 0; i < 3; i++) {
		cr_expect(sweeps[i].asked);
		cr_expect_eq(sweeps[i].moved, i == 1);
	}
	home_free(home);
}

Test(caldav_sweep, who_tells_nothing_is_not_asked_for_ever)
{
	struct home *home = home_new(NEVER, 2);

	cr_expect_eq(visit(home, false), 3, "CTags");
	cr_expect_eq(visit(home, false), 3, "sync-tokens");
	for (int i = 0; i < 5; i++)
		cr_expect_eq(visit(home, false), 2);
	home_free(home);
	home = home_new(ALWAYS, 2);
	for (int i = 0; i < 20; i++)
		(void)visit(home, false);
	cr_expect_leq(requests(home), 20 * 2 + 8, "asked in vain: %d", requests(home));
	home_free(home);
}

Test(caldav_sweep, refusals)
{
	static const struct {
		const char *answer;
		enum fault_kind kind;
		bool ends;
	} cases[] = {
		{ "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n", FAULT_REFUSED, false },
		{ "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", FAULT_GONE, false },
		{ "HTTP/1.1 405 x\r\nContent-Length: 0\r\n\r\n", FAULT_REFUSED, false },
		{ "HTTP/1.1 200 x\r\nContent-Length: 6\r\n\r\n<html>", FAULT_PROTOCOL, false },
		{ "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n", FAULT_LOGIN, true },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct home *home = home_new(BY_COUNT, 2);
		struct endpoint_sweep sweeps[2] = { { .folder = folder_name(0) },
						    { .folder = folder_name(1) } };
		struct fault *fault;

		home->refuses = cases[i].answer;
		fault = endpoint_sweep(home->endpoint, home->lab, sweeps, 2);
		if (cases[i].ends) {
			lab_expect(fault, cases[i].kind, cases[i].answer);
			cr_expect_geq(fault->scope, FAULT_SCOPE_ACCOUNT);
		} else {
			cr_expect_null(fault, "%s: %s", cases[i].answer, fault ? fault->text : "");
			cr_expect(sweeps[0].moved && sweeps[1].moved);
			(void)visit(home, false);
			cr_expect_eq(visit(home, false), 2, "%s: asked again", cases[i].answer);
		}
		home_free(home);
	}
}

/* Changes, our own writes, reverts of these, visits, in any order and as fast as may be. */
static void play(struct home *home, unsigned int *seed)
{
	for (int step = 0; step < 40; step++) {
		size_t i = (size_t)rand_r(seed) % home->count;

		switch (rand_r(seed) % 4) {
		case 0:
			change(home, i, home->folders[i].content + 1);
			break;
		case 1:
			change(home, i, home->folders[i].content - 1);
			break;
		case 2:
			clock_sleep(home->clock, (int64_t)(rand_r(seed) % 1500) * 1000);
			break;
		default:
			(void)visit(home, rand_r(seed) % 3 == 0);
		}
	}
}

/* What is there and back again was never there, unless we have written in between. */
static bool is_known(const struct home *home, size_t i)
{
	if (home->making == BY_CONTENT)
		return home->folders[i].known == home->folders[i].content;
	return home->folders[i].seen == home->folders[i].changes;
}

/* The CTag that we relied on comes back with what stood there before our write. */
Test(caldav_sweep, our_write_taken_back_is_a_change)
{
	struct home *home = home_new(BY_CONTENT, 2);

	(void)visit(home, false);
	wait_s(home, 5);
	(void)visit(home, true);
	change(home, 0, 1);
	wait_s(home, 5);
	(void)visit(home, false);
	cr_expect(is_known(home, 0));
	home_free(home);
}

/* So it does with what was read by a round that came no further than its first record. */
Test(caldav_sweep, a_recorded_change_taken_back_is_one)
{
	struct home *home = home_new(BY_CONTENT, 2);

	for (int i = 0; i < 2; i++, wait_s(home, 5))
		(void)visit(home, false);
	change(home, 0, 2);
	home->folders[0].known = 2;
	home->folders[0].token = endpoint_doubt(home->endpoint, home->lab, home->folders[0].token);
	change(home, 0, 1);
	(void)visit(home, false);
	cr_expect(is_known(home, 0));
	home_free(home);
}

static void change_first(struct home *home)
{
	change(home, 0, 2);
}

Test(caldav_sweep, a_change_between_the_two_requests_taken_back_is_one)
{
	struct home *home = home_new(BY_CONTENT, 2);

	(void)visit(home, false);
	wait_s(home, 5);
	(void)visit_while(home, false, change_first);
	cr_expect_eq(home->folders[0].known, 2);
	change(home, 0, 1);
	wait_s(home, 5);
	(void)visit(home, false);
	cr_expect(is_known(home, 0));
	home_free(home);
}

Test(caldav_sweep, no_change_is_ever_passed_over, .timeout = 300)
{
	for (unsigned int round = 0; round < 60; round++) {
		unsigned int seed = round;
		struct home *home = home_new((enum making)(round % MAKINGS), 3);

		home->offset_us = rand_r(&seed) % 1000000;
		play(home, &seed);
		for (int i = 0; i < 2; i++) {
			wait_s(home, 5);
			(void)visit(home, false);
		}
		for (size_t i = 0; i < home->count; i++)
			cr_expect(is_known(home, i),
				  "round %u, by %s: %lld of %lld changes of %s were asked for",
				  round, making_names[home->making],
				  (long long)home->folders[i].seen,
				  (long long)home->folders[i].changes, folder_name(i));
		home_free(home);
	}
}
