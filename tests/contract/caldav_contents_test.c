#include "config.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/caldav/href.h"
#include "liar_drive.h"

/* Whole answers whose contents lie: addresses of every spelling, the same address twice, items that
 * nobody asked for, compressed bombs, times to wait that are none. */

#define OPEN                                                                                       \
	"<multistatus xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                   \
	"xmlns:s=\"http://calendarserver.org/ns/\">"
#define OK "<status>HTTP/1.1 200 OK</status>"
#define LINE(href, etag)                                                                           \
	"<response><href>" href "</href><propstat><prop><getetag>" etag "</getetag></prop>" OK     \
	"</propstat></response>"
#define ITEM(href, etag, text)                                                                     \
	"<response><href>" href "</href><propstat><prop><getetag>" etag                            \
	"</getetag><getlastmodified>Sat, 21 Nov 2026 09:00:00 GMT</getlastmodified>"               \
	"<c:calendar-data>" text "</c:calendar-data></prop>" OK "</propstat></response>"
#define GONE(href) "<response><href>" href "</href><status>HTTP/1.1 404 x</status></response>"

static void drive_free(struct drive *drive)
{
	talloc_free(drive->lab);
	talloc_free(drive->liar);
}

static void say(struct drive *drive, enum caldav_op op, const char *lines)
{
	struct liar_lie lie = { .op = op, .manner = SCRIPTED_KEEP };

	lie.answer = liar_answer(drive->lab, "207 Multi-Status",
				 mem_printf(drive->lab, OPEN "%s</multistatus>", lines));
	liar_tell(drive->liar, &lie);
}

/* ---- addresses ---- */

/* One line of a listing; what it is taken for: an address, NULL: left out, "!": a fault of the
 * folder. */
static const struct {
	const char *href, *address;
} spellings[] = {
	{ "/home/p/a.ics", "/home/p/a.ics" },
	{ "a.ics", "/home/p/a.ics" },
	{ "./a.ics", "/home/p/a.ics" },
	{ "../p/a.ics", "/home/p/a.ics" },
	{ "/home/p//a.ics", "/home/p/a.ics" },
	{ "/home/x/../p/a.ics", "/home/p/a.ics" },
	{ "/home/p/%61.ics", "/home/p/a.ics" },
	{ "http://127.0.0.1/home/p/a.ics", "/home/p/a.ics" },
	{ "http://other.example:99/home/p/a.ics", "/home/p/a.ics" },
	{ "https://127.0.0.1/home/p/a.ics", "/home/p/a.ics" },
	{ "//other.example/home/p/a.ics", "!" },
	{ "/home/p/a%252Eics", "/home/p/a%252Eics" },
	{ "/home/p/a%zz.ics", "/home/p/a%25zz.ics" },
	{ "/home/p/a%.ics", "/home/p/a%25.ics" },
	{ "/home/p/a b.ics", "/home/p/a%20b.ics" },
	{ "/home/p/\xc3\xa9.ics", "/home/p/%C3%A9.ics" },
	{ "/home/p/a&#10;b.ics", "/home/p/a%0Ab.ics" },
	{ "/home/p/a%00.ics", "/home/p/a%00.ics" },
	{ "/home/p/a.ics/", NULL },
	{ "/home/p/", NULL },
	{ "/home/p", NULL },
	{ "/home/p/sub/a.ics", NULL },
	{ "/home/p2/a.ics", "!" },
	{ "/home/a.ics", "!" },
	{ "/home/p/../a.ics", "!" },
	{ "/home/p/%2e%2e/a.ics", "!" },
	{ "/etc/passwd", "!" },
	{ "http://127.0.0.1", "!" },
	{ "http%3A//127.0.0.1/home/p/a.ics", NULL },
};

Test(caldav_contents, spellings_of_an_address)
{
	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		struct drive drive = drive_new();
		struct endpoint_notice *notice = NULL;
		const char *expected = spellings[i].address;
		struct fault *fault;

		say(&drive, CALDAV_OP_START,
		    mem_printf(drive.lab, LINE("%s", "\"1\"") "<sync-token>t</sync-token>",
			       spellings[i].href));
		fault = endpoint_notice(drive.endpoint, drive.lab, LIAR_FOLDER, NULL, &notice);
		if (expected && !strcmp(expected, "!")) {
			cr_expect(fault, "%s is taken for %s", spellings[i].href,
				  !fault && notice->count ? notice->changes[0].address : "nothing");
			cr_expect(!fault || (fault->kind == FAULT_PROTOCOL &&
					     fault->scope == FAULT_SCOPE_FOLDER),
				  "%s", fault ? fault->text : "");
		} else {
			cr_assert_null(fault, "%s: %s", spellings[i].href, fault->text);
			cr_expect_eq(notice->count, expected ? 1 : 0, "%s: %zu lines",
				     spellings[i].href, notice->count);
			if (expected && notice->count)
				cr_expect_str_eq(notice->changes[0].address, expected, "%s: %s",
						 spellings[i].href, notice->changes[0].address);
		}
		drive_free(&drive);
	}
}

/* ---- twice, mixed up, not asked for ---- */

static void expect_notice(struct drive *drive, const char *lines, const char *expected)
{
	struct endpoint_notice *notice = NULL;
	struct buf *told = buf_new(drive->lab);

	say(drive, CALDAV_OP_CHANGES, lines);
	cr_assert_null(endpoint_notice(drive->endpoint, drive->lab, LIAR_FOLDER, "s:t1", &notice));
	for (size_t i = 0; i < notice->count; i++)
		buf_printf(told, "%s %s\n", notice->changes[i].address,
			   notice->changes[i].removed ? "removed" : notice->changes[i].version);
	cr_expect_str_eq(told->data, expected, "expected:\n%sactual:\n%s", expected, told->data);
}

Test(caldav_contents, of_several_lines_for_one_address_the_last_counts)
{
	struct drive drive = drive_new();

	expect_notice(&drive,
		      LINE("/home/p/b.ics", "\"9\"") LINE("/home/p/a.ics", "\"1\"")
			      GONE("/home/p/a.ics") "<sync-token>t2</sync-token>",
		      "/home/p/a.ics removed\n/home/p/b.ics \"9\"\n");
	expect_notice(&drive,
		      GONE("/home/p/a.ics") "<sync-token>t2</sync-token>" LINE("/home/p/%61.ics",
									       "\"7\""),
		      "/home/p/a.ics \"7\"\n");
	drive_free(&drive);
}

/* A token that never advances tells the same again; nothing is lost by that, and nothing loops. */
Test(caldav_contents, a_token_that_never_advances)
{
	struct drive drive = drive_new();

	for (int i = 0; i < 3; i++)
		expect_notice(&drive, LINE("/home/p/a.ics", "\"1\"") "<sync-token>t1</sync-token>",
			      "/home/p/a.ics \"1\"\n");
	cr_expect_eq(liar_asked(drive.liar, CALDAV_OP_CHANGES), 3);
	drive_free(&drive);
}

/* What multiget says cannot be trusted; a GET settles it. drive_once() compares with the truth. */
static const struct {
	const char *what, *lines;
	int gets;
} mixed[] = {
	{ "nothing", "", 2 },
	{ "out of order",
	  ITEM("/home/p/b.ics", "\"2\"", "BEGIN:VCALENDAR\nX-NAME:b\nEND:VCALENDAR\n")
		  ITEM("/home/p/a.ics", "\"1\"",
		       "BEGIN:VCALENDAR\nX-NAME:a &amp; &lt;b&gt;\nEND:VCALENDAR\n"),
	  0 },
	{ "the same item twice, different",
	  ITEM("/home/p/a.ics", "\"1\"",
	       "BEGIN:VCALENDAR\nX-NAME:a &amp; &lt;b&gt;\nEND:VCALENDAR\n")
		  ITEM("/home/p/b.ics", "\"2\"", "BEGIN:VCALENDAR\nX-NAME:b\nEND:VCALENDAR\n")
			  ITEM("a.ics", "\"0\"", "BEGIN:VCALENDAR\nX-OLD:a\nEND:VCALENDAR\n"),
	  1 },
	{ "the same item three times",
	  ITEM("/home/p/a.ics", "\"5\"", "X") ITEM("/home/p/a.ics", "\"6\"",
						   "Y") ITEM("/home/p/a.ics", "\"7\"", "Z")
		  ITEM("/home/p/b.ics", "\"2\"", "BEGIN:VCALENDAR\nX-NAME:b\nEND:VCALENDAR\n"),
	  1 },
	{ "another item than was asked for", ITEM("/home/p/c.ics", "\"3\"", "C"), 2 },
	{ "an item of another folder", ITEM("/home/q/a.ics", "\"1\"", "other"), 2 },
	{ "an item without a version", ITEM("/home/p/a.ics", "", "x"), 2 },
	{ "an item without a text", LINE("/home/p/a.ics", "\"1\""), 2 },
	{ "an empty text", ITEM("/home/p/a.ics", "\"1\"", ""), 2 },
	{ "gone, though it is there", GONE("/home/p/a.ics") GONE("/home/p/b.ics"), 2 },
	{ "properties that are refused",
	  "<response><href>/home/p/a.ics</href><propstat><prop><getetag>\"1\"</getetag>"
	  "<c:calendar-data>old</c:calendar-data></prop><status>HTTP/1.1 403 "
	  "x</status></propstat></response>",
	  2 },
};

Test(caldav_contents, what_a_multiget_mixes_up)
{
	for (size_t i = 0; i < COUNT_OF(mixed); i++) {
		struct drive drive = drive_new();
		struct fault *fault;

		say(&drive, CALDAV_OP_MULTIGET, mixed[i].lines);
		fault = drive_once(&drive, CALDAV_OP_MULTIGET);
		cr_expect_null(fault, "%s: %s", mixed[i].what, fault ? fault->text : "");
		cr_expect_eq(liar_asked(drive.liar, CALDAV_OP_GET), mixed[i].gets, "%s: %d gets",
			     mixed[i].what, liar_asked(drive.liar, CALDAV_OP_GET));
		drive_free(&drive);
	}
}

/* ---- compressed ---- */

static uint32_t crc_of(const char *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void add_le(struct buf *out, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_putc(out, i < 4 ? (char)(value >> 8 * i) : '\0');
}

static const char gzip_head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";

/* One stored block (RFC 1951 section 3.2.4). */
static void gzip_stored(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_add(out, gzip_head, 10);
	buf_putc(out, 1);
	add_le(out, (uint32_t)len, 2);
	add_le(out, ~(uint32_t)len, 2);
	buf_add(out, text, len);
	add_le(out, crc_of(text, len), 4);
	add_le(out, (uint32_t)len, 4);
}

static struct liar_lie zipped(struct drive *drive, struct buf *body)
{
	struct buf *out = buf_new(drive->lab);
	struct liar_lie lie = { .op = CALDAV_OP_START, .manner = SCRIPTED_KEEP };

	buf_printf(out, "HTTP/1.1 207 x\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		   body->len);
	buf_add(out, body->data, body->len);
	lie.answer = out->data;
	lie.cut = out->len;
	return lie;
}

Test(caldav_contents, a_compressed_listing_whole_and_cut)
{
	static const char listing[] =
		OPEN LINE("/home/p/a.ics", "\"1\"") "<sync-token>t1</sync-token></multistatus>";
	struct drive drive = drive_new();
	struct buf *body = buf_new(drive.lab);
	size_t whole;

	gzip_stored(body, listing);
	whole = body->len;
	for (body->len = 0; body->len <= whole; body->len++) {
		struct endpoint_notice *notice = NULL;
		struct liar_lie lie = zipped(&drive, body);
		struct fault *fault;

		liar_tell(drive.liar, &lie);
		fault = endpoint_notice(drive.endpoint, drive.lab, LIAR_FOLDER, NULL, &notice);
		if (fault)
			cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER, "%s", fault->text);
		cr_assert(fault || notice->count == 1, "cut at %zu of %zu", body->len, whole);
		cr_assert(!fault || body->len < whole, "%s", fault->text);
	}
	drive_free(&drive);
}

struct bits {
	struct buf *out;
	unsigned value;
	int count;
};

static void add_bits(struct bits *bits, unsigned value, int count)
{
	bits->value |= value << bits->count;
	for (bits->count += count; bits->count >= 8; bits->count -= 8) {
		buf_putc(bits->out, (char)bits->value);
		bits->value >>= 8;
	}
}

/* A blank, then again and again "the last 258 bytes once more": 13 bits each (RFC 1951 3.2.6). */
static void gzip_bomb(struct buf *out, size_t bytes)
{
	struct bits bits = { .out = out };

	buf_add(out, gzip_head, 10);
	add_bits(&bits, 3, 3);    /* the last block, with fixed codes */
	add_bits(&bits, 0x0a, 8); /* a blank: 0x30 + 0x20, most significant bit first */
	for (size_t n = 0; n < bytes; n += 258) {
		add_bits(&bits, 0xa3, 8); /* length 258: 11000101 */
		add_bits(&bits, 0, 5);    /* distance 1 */
	}
	add_bits(&bits, 0, 7);
	add_bits(&bits, 0, 7);
	add_le(out, 0, 8);
}

static int64_t peak_kib(void)
{
	struct rusage usage;

	cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

#ifdef __SANITIZE_ADDRESS__
#define BOMB_KIB ((int64_t)512 << 10) /* what is freed is kept for a while */
#else
#define BOMB_KIB ((int64_t)64 << 10)
#endif

/* It is taken while it arrives: what it costs is time, up to the deadline, and no memory. */
Test(caldav_contents, a_bomb_is_bounded, .timeout = 300)
{
	struct drive drive = drive_new();
	struct buf *body = buf_new(drive.lab);
	struct endpoint_notice *notice = NULL;
	int64_t before = peak_kib();
	struct liar_lie lie;
	struct fault *fault;

	gzip_bomb(body, HTTP_BODY_MAX + ((size_t)32 << 20));
	cr_assert_lt(body->len, (size_t)1 << 20);
	lie = zipped(&drive, body);
	liar_tell(drive.liar, &lie);
	fault = endpoint_notice(drive.endpoint, drive.lab, LIAR_FOLDER, NULL, &notice);
	cr_assert_not_null(fault);
	cr_expect_lt(peak_kib() - before, BOMB_KIB, "%lld KiB",
		     (long long)(peak_kib() - before));
	cr_expect_eq(fault->scope, FAULT_SCOPE_FOLDER, "%s", fault->text);
	liar_tell(drive.liar, NULL);
	cr_expect_null(drive_once(&drive, CALDAV_OP_START));
	drive_free(&drive);
}

/* ---- how long to wait ---- */

Test(caldav_contents, retry_after_of_every_kind)
{
	static const struct {
		const char *lines;
		int32_t seconds;
	} cases[] = {
		{ "Retry-After: 30", 30 },
		{ "Retry-After: 0", 0 },
		{ "Retry-After: -5", 0 },
		{ "Retry-After: soon", 0 },
		{ "Retry-After: 1e3", 0 },
		{ "Retry-After: 99999999999999999999", 0 },
		{ "Retry-After: 4000000000", HTTP_RETRY_AFTER_MAX_S },
		{ "Date: Sat, 21 Nov 2026 09:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 09:01:00 "
		  "GMT",
		  60 },
		{ "Date: Sat, 21 Nov 2026 09:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 08:00:00 "
		  "GMT",
		  0 },
		{ "Date: Sat, 21 Nov 2026 09:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2099 09:00:00 "
		  "GMT",
		  HTTP_RETRY_AFTER_MAX_S },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int status = 429; status <= 503; status += 74) {
			struct drive drive = drive_new();
			struct liar_lie lie = { .op = CALDAV_OP_CREATE, .manner = SCRIPTED_KEEP };
			struct fault *fault;

			lie.answer = liar_answer(
				drive.lab,
				mem_printf(drive.lab, "%d x\r\n%s", status, cases[i].lines), "");
			liar_tell(drive.liar, &lie);
			fault = drive_once(&drive, CALDAV_OP_CREATE);
			lab_expect(fault, FAULT_BUSY, cases[i].lines);
			cr_expect_eq(fault->retry_after_s, cases[i].seconds, "%s: %d s",
				     cases[i].lines, fault->retry_after_s);
			cr_expect_eq(fault->scope,
				     status == 429 ? FAULT_SCOPE_ACCOUNT : FAULT_SCOPE_SERVER);
			drive_free(&drive);
		}
}
