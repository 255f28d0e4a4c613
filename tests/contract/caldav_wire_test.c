/* caldav_wire_test.c - answers that are cut, framed wrongly or late, at each operation.
 *
 * waits: yes
 * takes: 30
 */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "liar_drive.h"

/* Each operation over a wire that lies: answers cut at every byte, with wrong lengths, with more
 * behind them, too slow, too late. What comes of it is a fault or the truth; a fault is of the item
 * or folder where the server answers others; and the next answer on a kept connection is the next
 * request's. */

static void next_endpoint(struct drive *drive)
{
	drive->endpoint = lab_account(drive->lab, "/"); /* one that has learnt nothing yet */
}

static void drive_free(struct drive *drive)
{
	talloc_free(drive->lab);
	talloc_free(drive->liar);
}

static bool is_gone(enum caldav_op op, const struct fault *fault)
{
	return op == CALDAV_OP_GET && fault && fault->kind == FAULT_GONE;
}

/* The truth from now on, and nothing of before in it. */
static void expect_truth(struct drive *drive, enum caldav_op op, const char *what)
{
	liar_tell(drive->liar, NULL);
	for (int i = 0; i < 2; i++) {
		struct fault *fault = drive_once(drive, op);

		cr_assert(!fault || is_gone(op, fault), "%s, %s: and afterwards: %s", what,
			  caldav_op_words(op), fault ? fault->text : "");
	}
}

static enum fault_scope widest_of(enum caldav_op op)
{
	switch (op) {
	case CALDAV_OP_GET:
	case CALDAV_OP_CREATE:
	case CALDAV_OP_REPLACE:
	case CALDAV_OP_REMOVE:
		return FAULT_SCOPE_ITEM;
	case CALDAV_OP_LIST:
	case CALDAV_OP_START:
	case CALDAV_OP_CHANGES:
		return FAULT_SCOPE_FOLDER;
	default:
		return FAULT_SCOPE_SERVER;
	}
}

/* One lie to each operation, which waits so long for the truth; *DONE_R, if wanted, counts those that went well all the
 * same. */
static void lie_to_all(const char *what, const struct liar_lie *lie, int32_t ms, int *done_r)
{
	for (int op = 0; op < CALDAV_OPS; op++) {
		struct liar_lie one = *lie;
		struct drive drive;
		struct fault *fault;

		if (!drive_can((enum caldav_op)op))
			continue;
		drive = drive_new();
		one.op = (enum caldav_op)op;
		liar_tell(drive.liar, &one);
		lab_deadline(drive.lab, drive.endpoint, ms);
		fault = drive_once(&drive, (enum caldav_op)op);
		lab_deadline(drive.lab, drive.endpoint, LAB_LONG_MS);
		if (fault)
			cr_assert_leq(fault->scope, widest_of((enum caldav_op)op), "%s, %s: %s: %s",
				      what, caldav_op_words((enum caldav_op)op),
				      fault_scope_name(fault->scope), fault->text);
		if (done_r)
			*done_r += !fault || is_gone((enum caldav_op)op, fault);
		expect_truth(&drive, (enum caldav_op)op, what);
		drive_free(&drive);
	}
}

/* ---- cut ---- */

static void cut_everywhere(enum caldav_op op, char *(*twist)(TALLOC_CTX *mem, const char *answer))
{
	struct drive drive = drive_new();
	struct liar_lie lie = { .op = op, .manner = SCRIPTED_CUT, .twist = twist };
	size_t len = 1;

	for (lie.cut = 0; lie.cut < len; lie.cut++) {
		int before = liar_changes(drive.liar);
		struct fault *fault;

		next_endpoint(&drive);
		liar_tell(drive.liar, &lie);
		fault = drive_once(&drive, op);
		len = liar_last(drive.liar) - (twist ? strlen("Content-Length: xxx\r\n") : 0);
		cr_assert(fault || op == CALDAV_OP_MULTIGET || twist ||
				  (op == CALDAV_OP_NAME && liar_changes(drive.liar) == before),
			  "%s cut at %zu of %zu: believed", caldav_op_words(op), lie.cut, len);
		if (fault)
			cr_assert_leq(fault->scope, widest_of(op), "%s cut at %zu: %s",
				      caldav_op_words(op), lie.cut, fault->text);
	}
	expect_truth(&drive, op, "cut");
	drive_free(&drive);
}

#define CUT_TEST(name, op)                                                                         \
	Test(caldav_wire, name##_cut_at_every_byte, .timeout = 300)                                \
	{                                                                                          \
		cut_everywhere(CALDAV_OP_##op, NULL);                                              \
	}

CUT_TEST(a_look, LOOK)
CUT_TEST(a_listing, LIST)
CUT_TEST(a_first_listing_of_changes, START)
CUT_TEST(a_listing_of_changes, CHANGES)
CUT_TEST(a_multiget, MULTIGET)
CUT_TEST(a_get, GET)
CUT_TEST(a_creation, CREATE)
CUT_TEST(a_replacement, REPLACE)
CUT_TEST(a_removal, REMOVE)
CUT_TEST(the_making_of_a_folder, MKCALENDAR)
CUT_TEST(the_naming_of_a_folder, NAME)

/* As HTTP/1.0 servers do: the end of the connection is the end of the answer. */
static char *without_length(TALLOC_CTX *mem, const char *answer)
{
	const char *from = strstr(answer, "Content-Length:");
	const char *to = from ? strstr(from, "\r\n") + 2 : answer;

	cr_assert_not_null(from);
	return mem_printf(mem, "HTTP/1.0%.*s%s", (int)(from - answer) - 8, answer + 8, to);
}

Test(caldav_wire, listings_without_a_length_cut_at_every_byte, .timeout = 300)
{
	cut_everywhere(CALDAV_OP_LIST, without_length);
	cut_everywhere(CALDAV_OP_START, without_length);
	cut_everywhere(CALDAV_OP_CHANGES, without_length);
	cut_everywhere(CALDAV_OP_MULTIGET, without_length);
}

/* The item that a GET brings: half of it is not taken for a text that somebody has shortened. */
Test(caldav_wire, an_item_without_a_length_cut_at_every_byte, .timeout = 300)
{
	struct drive drive = drive_new();
	struct liar_lie lie = { .op = CALDAV_OPS, .manner = SCRIPTED_CUT };
	char *head = mem_printf(drive.lab, "HTTP/1.0 200 OK\r\nETag: \"%d\"\r\n\r\n", 77);
	char *text = mem_printf(drive.lab, "%s%s", head, drive_a);

	lie.item = "x.ics";
	lie.answer = text;
	for (lie.cut = 0; lie.cut <= strlen(text); lie.cut++) {
		const char *address = LIAR_FOLDER "x.ics";
		struct endpoint_item *items = NULL;

		next_endpoint(&drive);
		liar_tell(drive.liar, &lie);
		cr_assert_null(endpoint_fetch(drive.endpoint, drive.lab, LIAR_FOLDER, &address, 1,
					      &items));
		if (items->fault)
			cr_assert_eq(items->fault->scope, FAULT_SCOPE_ITEM);
		else
			cr_assert(text_starts(items->text, "BEGIN:VCALENDAR")
					  ? strstr(items->text, "END:VCALENDAR") != NULL
					  : strlen(items->text) < strlen("BEGIN:VCALENDAR"),
				  "cut at %zu: %s", lie.cut, items->text);
	}
	drive_free(&drive);
}

/* ---- lengths and framing ---- */

static char *set_length(TALLOC_CTX *mem, const char *answer, const char *line)
{
	const char *from = strstr(answer, "Content-Length:");
	const char *to = strstr(from, "\r\n");

	return mem_printf(mem, "%.*s%s%s", (int)(from - answer), answer, line, to);
}

static size_t body_of(const char *answer)
{
	return strlen(strstr(answer, "\r\n\r\n") + 4);
}

static char *too_short(TALLOC_CTX *mem, const char *answer)
{
	size_t len = body_of(answer);

	return set_length(mem, answer,
			  mem_printf(mem, "Content-Length: %zu", len > 10 ? len - 10 : 0));
}

static char *too_long(TALLOC_CTX *mem, const char *answer)
{
	return set_length(mem, answer, mem_printf(mem, "Content-Length: %zu", body_of(answer) + 9));
}

static char *negative(TALLOC_CTX *mem, const char *answer)
{
	return set_length(mem, answer, "Content-Length: -5");
}

static char *no_number(TALLOC_CTX *mem, const char *answer)
{
	return set_length(mem, answer, "Content-Length: 12abc");
}

static char *huge(TALLOC_CTX *mem, const char *answer)
{
	return set_length(mem, answer, "Content-Length: 99999999999999999999999");
}

static char *two_lengths(TALLOC_CTX *mem, const char *answer)
{
	return set_length(
		mem, answer,
		mem_printf(mem, "Content-Length: %zu\r\nContent-Length: 3", body_of(answer)));
}

static char *chunked(TALLOC_CTX *mem, const char *answer, const char *after)
{
	const char *body = strstr(answer, "\r\n\r\n") + 4;
	char *head = mem_strndup(mem, answer, (size_t)(body - answer));

	return mem_printf(mem, "%s%zx\r\n%s\r\n%s",
			  set_length(mem, head, "Transfer-Encoding: chunked"), strlen(body), body,
			  after);
}

static char *chunks_that_end_early(TALLOC_CTX *mem, const char *answer)
{
	return chunked(mem, answer, "");
}

static char *a_chunk_that_is_none(TALLOC_CTX *mem, const char *answer)
{
	return chunked(mem, answer, "zz\r\nfoo\r\n");
}

static char *chunks_and_a_trailer(TALLOC_CTX *mem, const char *answer)
{
	return chunked(mem, answer, "0\r\nETag: \"forged\"\r\n\r\n");
}

static char *more_behind(TALLOC_CTX *mem, const char *answer)
{
	return mem_printf(mem,
			  "%sHTTP/1.1 207 x\r\nContent-Length: 28\r\n\r\n"
			  "<multistatus xmlns=\"DAV:\"/>\n",
			  answer);
}

static char *interim(TALLOC_CTX *mem, const char *answer)
{
	struct buf *out = buf_new(mem);

	for (int i = 0; i < 20; i++)
		buf_puts(out, "HTTP/1.1 102 Processing\r\nETag: \"of-an-interim-answer\"\r\n\r\n");
	buf_puts(out, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	buf_puts(out, "HTTP/1.1 100 Continue\r\n\r\n");
	buf_puts(out, answer);
	return out->data;
}

static char *bare_lines(TALLOC_CTX *mem, const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n") + 4;
	struct buf *out = buf_new(mem);

	for (const char *c = answer; c < body; c++)
		if (*c != '\r')
			buf_putc(out, *c);
	buf_puts(out, body);
	return out->data;
}

static char *odd_head(TALLOC_CTX *mem, const char *answer)
{
	const char *rest = strstr(answer, "\r\n");

	return mem_printf(mem, "%.*s\r\nno colon here\r\nX-Folded: a\r\n\tb\r\nX-Long: %0500d%s",
			  (int)(rest - answer), answer, 7, rest);
}

static char *no_reason(TALLOC_CTX *mem, const char *answer)
{
	return mem_printf(mem, "%.12s%s", answer, strstr(answer, "\r\n"));
}

static char *no_status(TALLOC_CTX *mem, const char *answer)
{
	return mem_printf(mem, "HTTP/1.1 abc%s", strstr(answer, "\r\n"));
}

static char *other_version(TALLOC_CTX *mem, const char *answer)
{
	return mem_printf(mem, "HTTP/9.9%s", answer + 8);
}

static char *to_login(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "302 Found\r\nLocation: /login?back=1", "<html>Log in</html>");
}

static char *elsewhere_on_this_host(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "307 x\r\nLocation: /moved/", "");
}

static char *with_a_doctype(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(mem, "207 x",
			   "<!DOCTYPE m [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
			   "\"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c SYSTEM "
			   "\"file:///etc/passwd\">]><multistatus xmlns=\"DAV:\">"
			   "<sync-token>&b;&c;</sync-token></multistatus>");
}

static char *in_another_charset(TALLOC_CTX *mem, const char *answer)
{
	(void)answer;
	return liar_answer(
		mem, "207 x\r\nContent-Type: application/xml; charset=utf-16",
		"<?xml version=\"1.0\" encoding=\"ebcdic-cp-us\"?>\xff\xfe<multistatus/>");
}

/* How many of the 12 operations go well all the same: those that must, or none that may. */
static const struct {
	const char *what;
	char *(*twist)(TALLOC_CTX *mem, const char *answer);
	enum scripted_manner manner;
	bool harmless;
} twists[] = {
	{ "a length that is too short", too_short, SCRIPTED_KEEP, false },
	{ "a length that is too long, and the end", too_long, SCRIPTED_ANSWER, false },
	{ "a length that is too long, and nothing more", too_long, SCRIPTED_KEEP, false },
	{ "a negative length", negative, SCRIPTED_KEEP, false },
	{ "a length that is no number", no_number, SCRIPTED_KEEP, false },
	{ "a length without bound", huge, SCRIPTED_KEEP, false },
	{ "two lengths", two_lengths, SCRIPTED_KEEP, false },
	{ "chunks without the last one", chunks_that_end_early, SCRIPTED_ANSWER, false },
	{ "a chunk that is none", a_chunk_that_is_none, SCRIPTED_KEEP, false },
	{ "chunks and a trailer", chunks_and_a_trailer, SCRIPTED_KEEP, true },
	{ "another answer behind it", more_behind, SCRIPTED_KEEP, true },
	{ "interim answers", interim, SCRIPTED_KEEP, true },
	{ "lines that end in LF", bare_lines, SCRIPTED_KEEP, true },
	{ "odd lines in the head", odd_head, SCRIPTED_KEEP, false },
	{ "no reason", no_reason, SCRIPTED_KEEP, true },
	{ "no status", no_status, SCRIPTED_KEEP, false },
	{ "another version of HTTP", other_version, SCRIPTED_KEEP, false },
	{ "no length, HTTP/1.0", without_length, SCRIPTED_ANSWER, true },
	{ "a redirect to a login page", to_login, SCRIPTED_KEEP, false },
	{ "a redirect on this host", elsewhere_on_this_host, SCRIPTED_KEEP, false },
	{ "a DOCTYPE", with_a_doctype, SCRIPTED_KEEP, false },
	{ "a charset that is not its own", in_another_charset, SCRIPTED_KEEP, false },
};

Test(caldav_wire, answers_that_are_framed_wrongly, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(twists); i++) {
		struct liar_lie lie = { .manner = twists[i].manner, .twist = twists[i].twist };
		int done = 0;

		lie_to_all(twists[i].what, &lie, twists[i].harmless ? LAB_LONG_MS : LAB_SHORT_MS,
			   &done);
		cr_expect(!twists[i].harmless || done == 12, "%s: %d of 12", twists[i].what, done);
	}
}

/* ---- time ---- */

Test(caldav_wire, silence_and_drops_end_and_stay_where_they_are, .timeout = 300)
{
	const struct liar_lie silent = { .manner = SCRIPTED_HANG };
	const struct liar_lie drips = { .manner = SCRIPTED_DRIP };

	lie_to_all("silent", &silent, LAB_SHORT_MS, NULL);
	lie_to_all("drips", &drips, LAB_SHORT_MS, NULL);
}

/* Two of many hang; the others are carried out, and those two alone are tried again (N6). */
Test(caldav_wire, two_items_that_hang_stop_no_other, .timeout = 300)
{
	static const char *const names[] = { "p1.ics", "p2.ics", "p3.ics", "p4.ics", "p5.ics" };
	struct drive drive = drive_new();
	struct endpoint_put puts[COUNT_OF(names)] = { 0 };
	struct liar_lie lie = { .op = CALDAV_OP_CREATE, .manner = SCRIPTED_HANG, .undone = true };
	size_t done = 0;

	lie.times = 2;
	lab_deadline(drive.lab, drive.endpoint, 10 * LAB_SHORT_MS); /* the others need some time too */
	for (size_t i = 0; i < COUNT_OF(names); i++)
		puts[i] = (struct endpoint_put){ .address = mem_printf(drive.lab, LIAR_FOLDER "%s",
								       names[i]),
						 .text = drive_b,
						 .len = strlen(drive_b) };
	liar_tell(drive.liar, &lie);
	cr_assert_null(endpoint_put(drive.endpoint, drive.lab, LIAR_FOLDER, puts, COUNT_OF(names)));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		done += !puts[i].fault;
		cr_assert(!puts[i].fault || puts[i].fault->scope == FAULT_SCOPE_ITEM, "%s",
			  puts[i].fault ? puts[i].fault->text : "");
	}
	cr_expect_eq(done, 3);
	cr_expect_eq(liar_count(drive.liar), 6);
	drive_free(&drive);
}

/* ---- a kept connection that is closed just when a request is sent ---- */

static struct fault *on_a_dead_connection(struct drive *drive, enum caldav_op op, bool undone)
{
	struct liar_lie lie = { .op = op, .manner = SCRIPTED_CUT, .times = 1, .undone = undone };

	cr_assert_null(drive_once(drive, CALDAV_OP_LOOK)); /* which leaves a connection open */
	liar_tell(drive->liar, &lie);
	return drive_once(drive, op);
}

/* curl sends again by itself. What has a condition is safe: the second is refused when the first was
 * carried out. */
Test(caldav_wire, a_write_with_a_condition_may_go_twice)
{
	static const struct {
		enum caldav_op op;
		enum fault_kind kind;
	} cases[] = {
		{ CALDAV_OP_CREATE, FAULT_CHANGED },
		{ CALDAV_OP_REPLACE, FAULT_CHANGED },
		{ CALDAV_OP_REMOVE, FAULT_GONE },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int undone = 0; undone < 2; undone++) {
			struct drive drive = drive_new();
			struct fault *fault = on_a_dead_connection(&drive, cases[i].op, undone);
			int made = cases[i].op == CALDAV_OP_CREATE ? 1 : 0;

			cr_assert_eq(liar_asked(drive.liar, cases[i].op), 2, "%s went %d times",
				     caldav_op_words(cases[i].op),
				     liar_asked(drive.liar, cases[i].op));
			if (undone)
				cr_assert_null(fault);
			else
				lab_expect(fault, cases[i].kind, caldav_op_words(cases[i].op));
			cr_assert_eq(liar_count(drive.liar), (size_t)(3 + made));
			drive_free(&drive);
		}
}

Test(caldav_wire, a_write_without_a_condition_goes_once)
{
	static const enum caldav_op ops[] = { CALDAV_OP_MKCALENDAR, CALDAV_OP_NAME };

	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		struct drive drive = drive_new();
		struct fault *fault = on_a_dead_connection(&drive, ops[i], false);

		cr_assert_eq(liar_asked(drive.liar, ops[i]), 1, "%s went %d times",
			     caldav_op_words(ops[i]), liar_asked(drive.liar, ops[i]));
		lab_expect(fault, FAULT_UNREACHABLE, caldav_op_words(ops[i]));
		cr_assert(fault->maybe_done);
		drive_free(&drive);
	}
}
