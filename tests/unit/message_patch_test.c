#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/message_kit.h"

static TALLOC_CTX *mem;

static void begin(void)
{
	mem = talloc_new(NULL);
}

static void end(void)
{
	talloc_free(mem);
}

TestSuite(message_patch, .init = begin, .fini = end, .timeout = 300);

/* What a patch writes. */
#define FROM "From: \"Harbour\" <taskferry@pm.example.com>\n"
#define TO "To: \"Ana Silva\" <ana@example.com>\n"
#define SUBJECT "Subject: Paint the fence\n"
#define DATE "Date: Sat, 21 Nov 2026 09:00:00 +0000\n"
#define ID "Message-ID: <4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001.3@pm.example.com>\n"
#define UID "X-Taskferry-UID: 4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001\n"
#define EDITION "X-Taskferry-Edition: 3-0123abcd\n"
#define MIME "MIME-Version: 1.0\n"
#define OURS FROM TO SUBJECT DATE ID UID EDITION MIME
#define BOUNDARY "=_taskferry-c97553a1ae0e588b"
#define NEW_MIXED "Content-Type: multipart/mixed;\n boundary=\"" BOUNDARY "\"\n"
#define CARD                                                                                       \
	"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\n"             \
	"Task: Paint the fence\nStatus: in process\nPercent: 40\n\nNotes.\n"
#define CALENDAR                                                                                   \
	"Content-Type: text/calendar; charset=utf-8; component=VTODO;\n name=task.ics\n"           \
	"Content-Transfer-Encoding: 7bit\n"                                                        \
	"Content-Disposition: attachment; filename=task.ics\n\n"                                   \
	"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n"
#define NEW(parts)                                                                                 \
	"--" BOUNDARY "\n" CARD "\n--" BOUNDARY "\n" CALENDAR "\n" parts "--" BOUNDARY "--\n"
#define NEW_PART(part) "--" BOUNDARY "\n" part "\n"

#define MIXED "Content-Type: multipart/mixed; boundary=b\n"
#define PART(headers, body) "--b\n" headers "\n" body "\n"
#define PLAIN "Content-Type: text/plain\n"
#define HTML "Content-Type: text/html\n"
#define ICS "Content-Type: text/calendar\n"
#define NAMED                                                                                      \
	"Content-ID: <a309d5d023b593fd2cfb3d6895483aff.part@taskferry.invalid>\n" /* "1 4.7" */
#define IMAGE "Content-Type: image/png\nContent-Transfer-Encoding: base64\n"
#define ELSEWHERE IMAGE "Content-Disposition: attachment\n\ntaskferry-part 1 70000 4.7"
#define SIGNED "Content-Type: multipart/signed; boundary=d\n\n--d\n"

static void check_read(const char *what, const struct message_publish *publish, const char *text,
		       size_t len)
{
	struct message *message;
	struct fault *fault = message_parse(mem, text, len, &message);

	cr_assert(!fault, "%s: %s\n%s", what, fault->text, text);
	cr_expect(message->card && !strcmp(message->card, publish->card),
		  "%s: the card is read as [%s]\n%s", what, message->card, text);
	cr_expect(message->calendar && message->calendar_len == publish->calendar_len &&
			  !memcmp(message->calendar, publish->calendar, message->calendar_len),
		  "%s: the calendar is read as [%s]\n%s", what, message->calendar, text);
	cr_expect(message->edition == publish->edition && text_same(message->uid, publish->uid) &&
			  text_same(message->subject, publish->subject),
		  "%s\n%s", what, text);
}

/* The patched text; checks that it says what is published and that patching it changes nothing. */
static char *patched(const char *what, const struct message_publish *publish, const char *text,
		     size_t len, size_t *len_r)
{
	char *first = NULL, *second = NULL;
	size_t again;
	struct fault *fault = message_patch(mem, text, len, publish, &first, len_r);

	cr_assert(!fault, "%s: %s\n%s", what, fault->text, text);
	check_read(what, publish, first, *len_r);
	fault = message_patch(mem, first, *len_r, publish, &second, &again);
	cr_assert(!fault, "%s: %s\n%s", what, fault->text, first);
	cr_expect(*len_r == again && !memcmp(first, second, again),
		  "%s: not the same again\n--- first\n%s\n--- second\n%s", what, first, second);
	return first;
}

static const struct row {
	const char *what, *text, *patched;
} rows[] = {
	{ "ours", OURS NEW_MIXED "\n" NEW(""), OURS NEW_MIXED "\n" NEW("") },
	{ "an older one of ours",
	  "From: x\nTo: y\nSubject: z\nDate: then\nMessage-ID: <u.2@x>\nX-Taskferry-UID: u\n"
	  "X-Taskferry-Edition: 2-ff\n" MIME MIXED "\n" PART(PLAIN, "old")
		  PART(ICS, "old") "--b--\n",
	  FROM TO SUBJECT "Date: then\n" ID UID EDITION MIME MIXED "\n--b\n" CARD "\n--b\n" CALENDAR
			  "\n--b--\n" },
	{ "foreign fields, their order, folds and case",
	  "Received: from a\n\tby b;  then\nsubject:old\nX-Label:  Mine \n"
	  "DKIM-Signature: v=1; bh=\n a==\nMIME-version: 1.0 (x)\ncontent-TYPE: Multipart/Mixed;\n"
	  "\tboundary=\"b\"; x=y\nX-Status: R\n\n" PART(PLAIN, "old") PART(ICS, "old") "--b--\n",
	  "Received: from a\n\tby b;  then\n" SUBJECT "X-Label:  Mine \n"
	  "DKIM-Signature: v=1; bh=\n a==\nMIME-version: 1.0 (x)\ncontent-TYPE: Multipart/Mixed;\n"
	  "\tboundary=\"b\"; x=y\nX-Status: R\n" FROM TO DATE ID UID EDITION "\n--b\n" CARD
	  "\n--b\n" CALENDAR "\n--b--\n" },
	{ "a field of ours twice",
	  OURS MIXED "Subject: y\nMessage-ID: <z>\n\n" PART(PLAIN, "old")
		  PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n--b--\n" },
	{ "foreign parts, text around the parts",
	  OURS MIXED "\npreamble\n\n" PART(IMAGE, "AAAA\n") PART(PLAIN "X-Y: z\n", "old")
		  PART(ICS, "old") PART(PLAIN, "a second text")
			  PART(ICS, "a second calendar") "--b--\nepilogue",
	  OURS MIXED "\npreamble\n\n" PART(
		  IMAGE, "AAAA\n") "--b\n" CARD "\n--b\n" CALENDAR "\n" PART(PLAIN, "a second text")
		  PART(ICS, "a second calendar") "--b--\nepilogue" },
	{ "calendar first", OURS MIXED "\n" PART(ICS, "old") PART(PLAIN, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CALENDAR "\n--b\n" CARD "\n--b--\n" },
	{ "no card", OURS MIXED "\n" PART(HTML, "<p>") PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n" PART(HTML, "<p>") "--b\n" CALENDAR "\n--b--\n" },
	{ "no calendar", OURS MIXED "\n" PART(IMAGE, "AA") PART(PLAIN, "old") "--b--\n",
	  OURS MIXED "\n" PART(IMAGE, "AA") "--b\n" CARD "\n--b\n" CALENDAR "\n--b--\n" },
	{ "neither", OURS MIXED "\npre\n" PART(IMAGE, "AA") "--b--\n",
	  OURS MIXED "\npre\n--b\n" CARD "\n--b\n" CALENDAR "\n" PART(IMAGE, "AA") "--b--\n" },
	{ "a text file is no card",
	  OURS MIXED "\n" PART("Content-Type: text/plain; name=a.txt\n", "mine")
		  PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n" PART("Content-Type: text/plain; name=a.txt\n",
					      "mine") "--b\n" CALENDAR "\n--b--\n" },
	{ "an alternative goes",
	  OURS MIXED "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
			       "--c\n" PLAIN "\nold\n--c\n" HTML "\n<p>\n--c--\n") PART(ICS, "old")
		  PART(IMAGE, "AA") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n" PART(IMAGE, "AA") "--b--\n" },
	{ "but not the files in it",
	  OURS MIXED
	  "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
		    "--c\n" PLAIN "\nold\n--c\nContent-Type: multipart/mixed; boundary=d\n\n"
		    "--d\n" HTML "\n<p>\n--d\n" IMAGE "\nAAAA\n\n--d\n" PLAIN "\nmine\n--d\n" HTML
		    "Content-Disposition: attachment\n\n<p>\n--d--\n--c--\n")
		  PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n" PART(IMAGE, "AAAA\n") PART(PLAIN, "mine") PART(
		  HTML "Content-Disposition: attachment\n", "<p>") "--b\n" CALENDAR "\n--b--\n" },
	{ "a calendar goes with the alternative",
	  OURS MIXED
	  "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
		    "--c\n" PLAIN "\nold\n--c\n" ICS "\nold\n--c\n" ICS "\n2\n--c--\n") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n" PART(ICS, "2") "--b--\n" },
	{ "an alternative without a card stays",
	  OURS MIXED "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
			       "--c\n" HTML "\n<p>\n--c\n" ICS "\nold\n--c--\n") "--b--\n",
	  OURS MIXED "\n--b\n" CARD
		     "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
			       "--c\n" HTML "\n<p>\n--c\n" CALENDAR "\n--c--\n") "--b--\n" },
	{ "within another multipart",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\n" PLAIN "\nold\n--c\n" IMAGE "\nAA\n--c--\n") "--b--\n",
	  OURS MIXED
	  "\n" PART("Content-Type: multipart/related; boundary=c\n",
		    "--c\n" CARD "\n--c\n" CALENDAR "\n--c\n" IMAGE "\nAA\n--c--\n") "--b--\n" },
	{ "a calendar like a file that is elsewhere",
	  OURS MIXED "\n" PART(PLAIN, "old") PART(ICS, "taskferry-part 2 70000 4.7") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n--b--\n" },
	{ "a file that is elsewhere, in what is signed",
	  OURS MIXED "\n" PART(PLAIN, "old") PART(ICS, "old")
		  PART("Content-Type: multipart/signed; boundary=c\n",
		       "--c\n" IMAGE "Content-Disposition: attachment\n\ntaskferry-part 3.1 70000 "
		       "4.7\n--c--\n") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR
		     "\n" PART("Content-Type: multipart/signed; boundary=c\n",
			       "--c\n" IMAGE "Content-Disposition: attachment\n\ntaskferry-part "
			       "3.1 70000 4.7\n--c--\n") "--b--\n" },
	{ "empty parts", OURS MIXED "\n--b\n--b\n" ICS "--b\n\n--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n--b\n\n--b--\n" },
	{ "not closed", OURS MIXED "\n" PART(PLAIN, "old") PART(IMAGE, "AA"),
	  OURS MIXED "\n--b\n" CARD "\n--b\n" CALENDAR "\n" PART(IMAGE, "AA") },
	{ "not closed, the card last", OURS MIXED "\n" PART(ICS, "old") PART(PLAIN, "old"),
	  OURS MIXED "\n--b\n" CALENDAR "\n--b\n" CARD },
	{ "cut off in a delimiter", OURS MIXED "\n" PART(IMAGE, "AA") "--b",
	  OURS MIXED "\n" PART(IMAGE, "AA") "--b\n" CARD "\n--b\n" CALENDAR },
	{ "cut off in the end of its line", OURS MIXED "\n" PART(IMAGE, "AA") "--b\r",
	  OURS MIXED "\n" PART(IMAGE, "AA") "--b\n" CARD "\n--b\n" CALENDAR },
	{ "a multipart that ends in a delimiter",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\n" IMAGE "\nAA\n--c") PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\n" IMAGE "\nAA\n--c\n" CARD) "--b\n" CALENDAR "\n--b--\n" },
	{ "in the end of its line",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\n" IMAGE "\nAA\n--c \r") "--b--\n",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\n" IMAGE "\nAA\n--c \n" CARD "\n--c\n" CALENDAR) "--b--\n" },
	{ "in one, within another that ends there",
	  OURS MIXED "\n" PART("Content-Type: multipart/related; boundary=c\n",
			       "--c\nContent-Type: multipart/related; boundary=d\n\n--d")
		  PART(ICS, "old") "--b--",
	  OURS MIXED "\n" PART(
		  "Content-Type: multipart/related; boundary=c\n",
		  "--c\nContent-Type: multipart/related; boundary=d\n\n--d\n" CARD) "--b\n" CALENDAR
										    "\n--b--" },
	/* what was no multipart/mixed */
	{ "a text",
	  "Subject: old\nContent-Type: text/plain; charset=x\nContent-Language: de\nX-Label: "
	  "a\n\nold\n",
	  SUBJECT NEW_MIXED "X-Label: a\n" FROM TO DATE ID UID EDITION MIME "\n" NEW("") },
	{ "no more than a text", "Subject: old\n\nold\n",
	  SUBJECT FROM TO DATE ID UID EDITION MIME NEW_MIXED "\n" NEW("") },
	{ "a header alone", "Subject: old",
	  SUBJECT FROM TO DATE ID UID EDITION MIME NEW_MIXED "\n" NEW("") },
	{ "a header that is cut off", OURS "X-Label: a",
	  OURS "X-Label: a\n" NEW_MIXED "\n" NEW("") },
	{ "a calendar", OURS ICS "\nold\n", OURS NEW_MIXED "\n" NEW("") },
	{ "HTML",
	  OURS HTML "Content-Transfer-Encoding: 8bit\nX-Label: a\nContent-Language: de\n\n<p>\n\n",
	  OURS NEW_MIXED "X-Label: a\n\n" NEW(NEW_PART(
		  HTML "Content-Transfer-Encoding: 8bit\nContent-Language: de\n\n<p>\n\n")) },
	{ "an alternative",
	  OURS "Content-Type: multipart/alternative; boundary=b\n\n" PART(PLAIN, "old")
		  PART(HTML, "<p>") PART(IMAGE, "AA") "--b--\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART(IMAGE "\nAA")) },
	{ "an alternative without a card",
	  OURS "Content-Type: multipart/alternative; boundary=b\n\n" PART(HTML, "<p>")
		  PART(ICS, "old") "--b--\n",
	  OURS NEW_MIXED
	  "\n" NEW(NEW_PART("Content-Type: multipart/alternative; boundary=b\n\n" PART(HTML, "<p>")
				    PART(ICS, "old") "--b--\n")) },
	{ "signed",
	  OURS "Content-Type: multipart/signed; boundary=b\n\n" PART(PLAIN, "old")
		  PART("Content-Type: application/pgp-signature\n", "x") "--b--\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART(
		  "Content-Type: multipart/signed; boundary=b\n\n" PART(PLAIN, "old")
			  PART("Content-Type: application/pgp-signature\n", "x") "--b--\n")) },
	{ "a file that is elsewhere, alone", OURS ELSEWHERE,
	  OURS NEW_MIXED "\n" NEW(NEW_PART(NAMED ELSEWHERE)) },
	{ "one in an alternative without a card",
	  OURS "Content-Type: multipart/alternative; boundary=b\n\n" PART(
		  HTML, "<p>") "--b\n" ELSEWHERE "\n--b--\n",
	  OURS NEW_MIXED
	  "\n" NEW(NEW_PART("Content-Type: multipart/alternative; boundary=b\n\n" PART(
		  HTML, "<p>") "--b\n" NAMED ELSEWHERE "\n--b--\n")) },
	{ "one beside a card that is not ours any more",
	  OURS
	  "Content-Type: multipart/related; boundary=b\n\n" PART(PLAIN, "old") "--b\n" ELSEWHERE,
	  OURS NEW_MIXED "\n" NEW(NEW_PART("Content-Type: multipart/related; boundary=b\n\n" PART(
		  PLAIN, "old") "--b\n" NAMED ELSEWHERE)) },
	{ "one in what was signed, and the card with it",
	  OURS MIXED "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
			       "--c\n" SIGNED PLAIN "\nold\n--d\n" ELSEWHERE "\n--d--\n--c--\n")
		  PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n--b\n" NAMED ELSEWHERE "\n--b\n" CALENDAR "\n--b--\n" },
	{ "a calendar that is only a file any more",
	  OURS "Content-Type: multipart/related; boundary=b\n\n" PART(
		  ICS "Content-Disposition: attachment\n", "taskferry-part 1 70000 4.7") "--b--\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART("Content-Type: multipart/related; boundary=b\n\n" PART(
		  NAMED ICS "Content-Disposition: attachment\n",
		  "taskferry-part 1 70000 4.7") "--b--\n")) },
	{ "one in an alternative",
	  OURS MIXED "\n" PART("Content-Type: multipart/alternative; boundary=c\n",
			       "--c\n" PLAIN "\nold\n--c\n" ELSEWHERE "\n--c--\n")
		  PART(ICS, "old") "--b--\n",
	  OURS MIXED "\n--b\n" CARD "\n" PART(NAMED IMAGE "Content-Disposition: attachment\n",
					      "taskferry-part 1 70000 4.7") "--b\n" CALENDAR
									    "\n--b--\n" },
	{ "a boundary that is nowhere", OURS MIXED "\n--c\n\nold\n--c--\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART(MIXED "\n--c\n\nold\n--c--\n")) },
	{ "no boundary", OURS "Content-Type: multipart/mixed\n\n--c\n\nold\n--c--",
	  OURS NEW_MIXED "\n" NEW(NEW_PART("Content-Type: multipart/mixed\n\n--c\n\nold\n--c--")) },
	{ "an encoded multipart", OURS MIXED "Content-Transfer-Encoding: base64\n\nLS1i\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART(MIXED "Content-Transfer-Encoding: base64\n\nLS1i\n")) },
	{ "a body that begins too early", OURS HTML "hello world\n\nx\n",
	  OURS NEW_MIXED "\n" NEW(NEW_PART(HTML "\nhello world\n\nx\n")) },
};

Test(message_patch, golden)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = kit_crlf(mem, rows[i].text),
		     *expected = kit_crlf(mem, rows[i].patched);
		size_t len;
		char *got = patched(rows[i].what, &kit_publish, text, strlen(text), &len);

		cr_expect_str_eq(got, expected,
				 "%s\n--- message\n%s\n--- expected\n%s\n--- got\n%s\n---",
				 rows[i].what, text, expected, got);
	}
}

/* All kinds of texts into all kinds of messages. */
Test(message_patch, texts)
{
	static const char *const cards[] = {
		"",
		"\n",
		"Task: M\xc3\xbcll \nFrom me\n",
		"--b\n--b--\n--bc\n",
		"\xc3\xbc\n--c--\n",
		"--" BOUNDARY "\n--" BOUNDARY "--",
	};
	static const char *const calendars[] = {
		"", "A:1\nB:2\r", "--b\r\n--b--\r\n", "X:\xff\r\n", "--" BOUNDARY "--\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = kit_crlf(mem, rows[i].text);

		for (size_t k = 0; k < COUNT_OF(cards); k++) {
			struct message_publish publish = kit_publish;
			size_t len;

			publish.card = cards[k];
			(void)patched(rows[i].what, &publish, text, strlen(text), &len);
		}
		for (size_t k = 0; k < COUNT_OF(calendars); k++) {
			struct message_publish publish = kit_publish;
			size_t len;

			publish.calendar = calendars[k];
			publish.calendar_len = strlen(calendars[k]);
			(void)patched(rows[i].what, &publish, text, strlen(text), &len);
		}
	}
}

/* A message that has been through all of the others' hands comes back to what it was. */
/* With HTML the card is an alternative, wherever it gets to; without it again, everything is as if there
 * had never been any. */
Test(message_patch, with_html)
{
	struct message_publish publish = kit_publish;

	publish.html = "<html><body>\n<p>--b</p>\n<p>--" BOUNDARY "</p>\n</body></html>\n";
	publish.thread = "harbour";
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = kit_crlf(mem, rows[i].text), *html, *plain;
		size_t len, plain_len;

		html = patched(rows[i].what, &publish, text, strlen(text), &len);
		cr_expect(strstr(html, "Content-Type: multipart/alternative;") != NULL, "%s: %s",
			  rows[i].what, html);
		cr_expect(strstr(html,
				 "\r\nReferences: <project.harbour@pm.example.com>\r\n"
				 " <4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001@pm.example.com>\r\n") !=
				  NULL,
			  "%s: %s", rows[i].what, html);
		publish.html = NULL;
		plain = patched(rows[i].what, &publish, html, len, &plain_len);
		cr_expect(!strstr(plain, "text/html; charset=utf-8"), "%s: %s", rows[i].what,
			  plain);
		publish.html = "<p>other</p>\n";
		text = patched(rows[i].what, &publish, plain, plain_len, &len);
		cr_expect(strstr(text, "<p>other</p>") != NULL, "%s: %s", rows[i].what, text);
	}
}

Test(message_patch, from_one_edition_to_the_next)
{
	struct message_publish next = kit_publish;
	char *first, *second, *expected;
	size_t len;

	next.edition = 4;
	next.card = "Task: M\xc3\xbcll\n";
	next.subject = "M\xc3\xbcll";
	cr_assert(!message_write(mem, &kit_publish, &first, &len));
	second = patched("next", &next, first, len, &len);
	expected = patched("back", &kit_publish, second, len, &len);
	cr_expect_str_eq(first, expected, "%s\n%s", first, expected);
}

/* A part that is none of ours may hold anything, also what looks like ours. */
Test(message_patch, foreign_bytes)
{
	static const char foreign[] = "Content-Type: application/octet-stream\r\n"
				      "Content-Disposition: attachment; filename=\"\xff\"\r\n\r\n"
				      "\0\xff\r\r\n\n\n--bb\r\n--b \rx\r\n" BOUNDARY
				      "\r\nContent-Type: text/plain\r\n\r\n \r\n";
	struct buf *text = buf_new(mem);
	char *got;
	size_t len;

	buf_puts(text, "X: \xff\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
	buf_add(text, foreign, sizeof foreign - 1);
	buf_puts(text, "\r\n--b\r\n\r\nold\r\n--b--\r\n");
	got = patched("foreign", &kit_publish, text->data, text->len, &len);
	for (size_t i = 0; i + sizeof foreign - 1 <= len; i++)
		if (!memcmp(got + i, foreign, sizeof foreign - 1))
			return;
	cr_expect(false, "%s", kit_visible(mem, got, len));
}

Test(message_patch, lf_only)
{
	static const char text[] =
		"Subject: old\nX-Label: a\n b\nContent-Type: multipart/mixed; "
		"boundary=b\n\n--b\n\nold\n--b\nContent-Type: image/png\n\nx\n--b--\n";
	size_t len;
	char *got = patched("lf", &kit_publish, text, strlen(text), &len);

	cr_expect(strstr(got, "\nX-Label: a\n b\n"), "%s", got);
	cr_expect(strstr(got, "\n--b\nContent-Type: image/png\n\nx\n--b--\n"), "%s", got);
}

/* An address that went away, and an edition that is none: what stands there stays. */
Test(message_patch, nothing_to_say)
{
	struct message_publish publish = kit_publish;
	static const char text[] = "To: Ana <a@b>\r\nX-Taskferry-Edition: 7-ab\r\n\r\nold";
	char *got;
	size_t len;

	publish.to_email = NULL;
	publish.edition = 0;
	cr_assert(!message_patch(mem, text, strlen(text), &publish, &got, &len));
	cr_expect(text_starts(got, "To: Ana <a@b>\r\nX-Taskferry-Edition: 7-ab\r\n"), "%s", got);
}

Test(message_patch, limits)
{
	struct buf *deep = buf_new(mem), *many = buf_new(mem), *large = buf_new(mem),
		   *fields = buf_new(mem);
	const struct {
		const char *what;
		const struct buf *text;
		const char *fault;
	} cases[] = {
		{ "one deeper than may be", deep, "parts nested more than 20 deep" },
		{ "one part more than may be", many, "more than 1000 parts" },
		{ "longer than may be", large, "a message of " },
		{ "a header longer than may be", fields, "a header of " },
	};

	buf_puts(deep, "Subject: s\r\nContent-Type: multipart/x; boundary=b\r\n\r\n--b\r\n");
	for (int i = 0; i < 19; i++)
		buf_printf(deep, "Content-Type: multipart/x; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	buf_puts(deep, "\r\nx");
	buf_puts(many, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	kit_repeat(many, "--b\r\nContent-Type: image/png\r\n\r\n", 998);
	buf_puts(large, "Content-Type: text/html\r\n\r\n");
	kit_repeat(large, "x", MESSAGE_TEXT_MAX - large->len);
	kit_repeat(fields, "X: y\r\n", 43690);
	buf_puts(fields, "\r\n");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault *fault;
		struct message *message;
		char *text = NULL;
		size_t len = 7;

		fault = message_parse(mem, cases[i].text->data, cases[i].text->len, &message);
		cr_assert(!fault, "%s: %s", cases[i].what, fault ? fault->text : "");
		fault = message_patch(mem, cases[i].text->data, cases[i].text->len, &kit_publish,
				      &text, &len);
		cr_assert(fault && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM &&
				  fault->next == FAULT_NEXT_HOLD,
			  "%s", cases[i].what);
		cr_expect(text_starts(fault->text, cases[i].fault), "%s: %s", cases[i].what,
			  fault->text);
		cr_expect(!text && len == 7);
	}
}

Test(message_patch, corpus)
{
	const char *root = getenv("TASKFERRY_CORPUS");
	char *path, *text;
	FILE *file;
	size_t len;

	if (!root)
		cr_skip_test("TASKFERRY_CORPUS is not set: no mail of the corpus was patched");
	path = mem_printf(mem, "%s/ics/mail/kolab-v3-task.eml", root);
	file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	text = talloc_zero_size(mem, MESSAGE_TEXT_MAX);
	len = fread(text, 1, MESSAGE_TEXT_MAX, file);
	fclose(file);
	text = patched(path, &kit_publish, text, len, &len);
	cr_expect(strstr(text, "X-Kolab-Type: application/x-vnd.kolab.task") &&
			  strstr(text, "filename=kolab.xml") && strstr(text, "</icalendar>"),
		  "%s", text);
}

Test(message_patch, within_time)
{
	static const char *const units[] = { "\r\n--b\r\n\r\n", "\r\n--c", "=_taskferry-", "=",
					     "\n" };
	struct buf *text = buf_new(mem);
	size_t size = getenv("TF_VALGRIND") ? 60000 : 900000;
	clock_t start = clock();

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct fault *fault;
		char *got;
		size_t len;

		buf_clear(text);
		buf_puts(text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
		kit_repeat(text, units[i], size / strlen(units[i]));
		fault = message_patch(mem, text->data, text->len, &kit_publish, &got, &len);
		cr_expect(!fault || strstr(fault->text, "more than"), "%s", fault->text);
	}
	cr_expect_lt((clock() - start) / CLOCKS_PER_SEC, 60);
}
