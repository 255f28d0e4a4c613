#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/field.h"
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

TestSuite(message_write, .init = begin, .fini = end, .timeout = 300);

static char *written(const struct message_publish *publish, size_t *len_r)
{
	char *text = NULL;
	struct fault *fault = message_write(mem, publish, &text, len_r);

	cr_assert(!fault, "%s", fault->text);
	cr_assert_eq(strlen(text), *len_r);
	return text;
}

#define BOUNDARY "=_taskferry-c97553a1ae0e588b"

static const char golden[] = "From: \"Harbour\" <taskferry@pm.example.com>\n"
			     "To: \"Ana Silva\" <ana@example.com>\n"
			     "Subject: Paint the fence\n"
			     "Date: Sat, 21 Nov 2026 09:00:00 +0000\n"
			     "Message-ID: <4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001.3@pm.example.com>\n"
			     "X-Taskferry-UID: 4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001\n"
			     "X-Taskferry-Edition: 3-0123abcd\n"
			     "MIME-Version: 1.0\n"
			     "Content-Type: multipart/mixed;\n"
			     " boundary=\"" BOUNDARY "\"\n"
			     "\n"
			     "--" BOUNDARY "\n"
			     "Content-Type: text/plain; charset=utf-8\n"
			     "Content-Transfer-Encoding: 7bit\n"
			     "\n"
			     "Task: Paint the fence\n"
			     "Status: in process\n"
			     "Percent: 40\n"
			     "\n"
			     "Notes.\n"
			     "\n"
			     "--" BOUNDARY "\n"
			     "Content-Type: text/calendar; charset=utf-8; component=VTODO;\n"
			     " name=task.ics\n"
			     "Content-Transfer-Encoding: 7bit\n"
			     "Content-Disposition: attachment; filename=task.ics\n"
			     "\n"
			     "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n"
			     "\n"
			     "--" BOUNDARY "--\n";

Test(message_write, golden)
{
	size_t len;
	char *text = written(&kit_publish, &len);

	cr_expect_str_eq(text, kit_crlf(mem, golden), "%s", text);
}

/* Another one than that around it. */
#define INNER "=_taskferry-29ab8a26b893ddb2"

static const char golden_html[] =
	"From: \"Harbour\" <taskferry@pm.example.com>\n"
	"To: \"Ana Silva\" <ana@example.com>\n"
	"Subject: Paint the fence\n"
	"Date: Sat, 21 Nov 2026 09:00:00 +0000\n"
	"Message-ID: <4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001.3@pm.example.com>\n"
	"References: <project.harbour@pm.example.com>\n"
	" <4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001@pm.example.com>\n"
	"X-Taskferry-UID: 4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001\n"
	"X-Taskferry-Edition: 3-0123abcd\n"
	"MIME-Version: 1.0\n"
	"Content-Type: multipart/mixed;\n"
	" boundary=\"" BOUNDARY "\"\n"
	"\n"
	"--" BOUNDARY "\n"
	"Content-Type: multipart/alternative;\n"
	" boundary=\"" INNER "\"\n"
	"\n"
	"--" INNER "\n"
	"Content-Type: text/plain; charset=utf-8\n"
	"Content-Transfer-Encoding: 7bit\n"
	"\n"
	"Task: Paint the fence\n"
	"Status: in process\n"
	"Percent: 40\n"
	"\n"
	"Notes.\n"
	"\n"
	"--" INNER "\n"
	"Content-Type: text/html; charset=utf-8\n"
	"Content-Transfer-Encoding: 7bit\n"
	"\n"
	"<p>Notes.</p>\n"
	"\n"
	"--" INNER "--\n"
	"\n"
	"--" BOUNDARY "\n";

Test(message_write, golden_html)
{
	struct message_publish publish = kit_publish;
	size_t len;
	char *text;

	publish.thread = "harbour";
	publish.html = "<p>Notes.</p>\n";
	text = written(&publish, &len);
	cr_expect(text_starts(text, kit_crlf(mem, golden_html)), "%s", text);
}

Test(message_write, same_again)
{
	size_t len, again;

	cr_expect_str_eq(written(&kit_publish, &len), written(&kit_publish, &again));
}

/* The texts go through: what is read is what was published, made fit for a header. */

static const struct {
	const char *subject, *read;
} subjects[] = {
	{ "Paint the fence", NULL },
	{ "", NULL },
	{ "M\xc3\xbcll", NULL },
	{ "a  b", NULL },
	{ " a ", "a" },
	{ "a\tb\x01", "a b" },
	{ "a\r\nBcc: evil@example.com", "a  Bcc: evil@example.com" },
	{ "a\n\nb", "a  b" },
	{ "\xe2\x80\xa8"
	  "a\xc2\x85"
	  "b",
	  "a b" },
	{ "a\xff"
	  "b",
	  "a\xef\xbf\xbd"
	  "b" },
	{ "=?utf-8?Q?a?=", NULL },
	{ "x=?y", NULL },
	{ "a_b=c?d", NULL },
	{ "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
	  "fifteen sixteen seventeen eighteen nineteen twenty twenty-one twenty-two",
	  NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  NULL },
	{ "\xd0\x9f\xd0\xbe\xd0\xba\xd1\x80\xd0\xb0\xd1\x81\xd0\xb8\xd1\x82\xd1\x8c "
	  "\xd0\xb7\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x80 \xd0\xb8 \xd1\x81\xd0\xb0\xd1\x80\xd0\xb0"
	  "\xd0\xb9 \xd0\xb4\xd0\xbe \xd0\xba\xd0\xbe\xd0\xbd\xd1\x86\xd0\xb0 \xd0\xbd\xd0\xb5"
	  "\xd0\xb4\xd0\xb5\xd0\xbb\xd0\xb8",
	  NULL },
	{ "\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2"
	  "\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2"
	  "\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2\xf0\x9f\x9a\xa2 ship",
	  NULL },
	{ "((((((((((((((((((((((((((((((((((((((((((((((((\"", NULL },
};

static const struct {
	const char *name, *read;
} names[] = {
	{ "Harbour", NULL },
	{ "H\xc3\xa4"
	  "fen",
	  NULL },
	{ "\"Harbour\", \\ <x@y>", NULL },
	{ "=?utf-8?Q?a?=", NULL },
	{ "a\r\nBcc: b", "a  Bcc: b" },
	{ "one two three four five six seven eight nine ten eleven twelve thirteen", NULL },
	{ "\xd0\x93\xd0\xb0\xd0\xb2\xd0\xb0\xd0\xbd\xd1\x8c \xd0\xb8 \xd0\xb2\xd0\xb5\xd1\x80"
	  "\xd1\x84\xd1\x8c, \xd0\xbf\xd0\xb5\xd1\x80\xd0\xb2\xd0\xb0\xd1\x8f \xd0\xbe\xd1\x87"
	  "\xd0\xb5\xd1\x80\xd0\xb5\xd0\xb4\xd1\x8c",
	  NULL },
	{ "", NULL },
	{ " \r\n", "" },
	{ "a "
	  "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
	  "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
	  NULL },
};

static const struct {
	const char *card, *read;
} cards[] = {
	{ KIT_CARD, NULL },
	{ "", NULL },
	{ "\n", NULL },
	{ "\n\n\na", NULL },
	{ "Task: M\xc3\xbcll = 3\n", NULL },
	{ "blanks \nat ends\t\n  \n", NULL },
	{ "M\xc3\xbcll \nat ends\t\n  \nFrom me\n.\n", NULL },
	{ "From me\nFrom you", NULL },
	{ "M\xc3\xbcll is a word, and this line has more than seventy-six characters in it: "
	  "\xd0\xb4\xd0\xb0, \xd0\xb4\xd0\xb0, and ends with a blank ",
	  NULL },
	{ "a\r\nb\rc\n", "a\nb\nc\n" },
	{ "a\x01"
	  "b\xff",
	  "a\xef\xbf\xbd"
	  "b\xef\xbf\xbd" },
	{ "--- taskferry ---\n| Project: Harbour\n", NULL },
	{ "--" BOUNDARY "\n--" BOUNDARY "--\n", NULL },
	{ "\xc3\xbc\n--" BOUNDARY "--\n", NULL },
};

static const char *const calendars[] = {
	KIT_CALENDAR,
	"",
	"\r\n",
	"SUMMARY:M\xc3\xbcll\r\n",
	"X:\xff\x01\r\n",
	"A:1\nB:2\rC:3\r\n",
	"From me\r\n",
	"--" BOUNDARY "\r\n",
	"A:1 \r\n\r\n \r\n",
	"a",
	"ab\n",
	"abc\n",
};

/* A line of 1,500 bytes of UNIT. */
static char *long_line(const char *unit)
{
	struct buf *buf = buf_new(mem);

	kit_repeat(buf, unit, 1500 / strlen(unit));
	return buf->data;
}

static void check_read(const struct message_publish *publish, const char *subject, const char *card)
{
	size_t len;
	char *text = written(publish, &len);
	struct message *message;
	struct fault *fault = message_parse(mem, text, len, &message);

	cr_assert(!fault, "%s", fault->text);
	cr_expect_str_eq(message->subject, subject, "expected [%s], got [%s]\n%s", subject,
			 message->subject, text);
	cr_expect(message->card && !strcmp(message->card, card), "expected [%s], got [%s]\n%s",
		  card, message->card, text);
	cr_expect(message->calendar_len == publish->calendar_len &&
			  !memcmp(message->calendar, publish->calendar, message->calendar_len),
		  "expected [%s], got [%s]\n%s", publish->calendar, message->calendar, text);
	cr_expect_str_eq(message->uid, publish->uid, "%s", text);
	cr_expect_eq(message->edition, publish->edition);
	cr_expect_str_eq(message->edition_hash, publish->edition_hash);
}

Test(message_write, read_again)
{
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		struct message_publish publish = kit_publish;

		publish.subject = subjects[i].subject;
		check_read(&publish, subjects[i].read ? subjects[i].read : subjects[i].subject,
			   KIT_CARD);
	}
	for (size_t i = 0; i < COUNT_OF(cards); i++) {
		struct message_publish publish = kit_publish;

		publish.card = cards[i].card;
		check_read(&publish, publish.subject,
			   cards[i].read ? cards[i].read : cards[i].card);
	}
	for (size_t i = 0; i < COUNT_OF(calendars); i++) {
		struct message_publish publish = kit_publish;

		publish.calendar = calendars[i];
		publish.calendar_len = strlen(calendars[i]);
		check_read(&publish, publish.subject, KIT_CARD);
	}
}

Test(message_write, long_lines)
{
	static const char *const units[] = { "x", "\xc3\xbc", "x \xe2\x82\xac", " ", "=" };

	for (size_t i = 0; i < COUNT_OF(units); i++) {
		struct message_publish publish = kit_publish;

		publish.card = publish.calendar = long_line(units[i]);
		publish.calendar_len = strlen(publish.calendar);
		check_read(&publish, publish.subject, publish.card);
	}
}

/* A line that mailboxes in one file would change is not there. */
Test(message_write, no_from_lines)
{
	struct message_publish publish = kit_publish;
	size_t len;
	char *text;

	publish.card = "From me\nFrom you\n\nM\xc3\xbcll\nFrom us";
	publish.calendar = "From me\r\n";
	publish.calendar_len = strlen(publish.calendar);
	check_read(&publish, publish.subject, publish.card);
	text = written(&publish, &len);
	cr_expect(!strstr(text, "\nFrom "), "%s", text);
	publish.card = "From me\n";
	text = written(&publish, &len);
	cr_expect(!strstr(text, "\nFrom "), "%s", text);
}

Test(message_write, odd_identities)
{
	static const struct {
		const char *uid, *host, *id;
	} rows[] = {
		{ "u-1", "h", "u-1.3@h" },
		{ "a b", "h", "c8687a08aa5d6ed2044328fa6a697ab8.3@h" },
		{ "M\xc3\xbcll@x", "h", NULL },
		{ "u", "[::1]", "u.3@1" },
		{ "u",
		  "b\xc3\xbc"
		  "cher.example",
		  "u.3@bucher-example" },
		{ "u", "h\r\nX: y", NULL },
		{ "u", "", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct message_publish publish = kit_publish;
		struct message *message;
		size_t len;
		char *text;

		publish.uid = rows[i].uid;
		publish.site_host = rows[i].host;
		text = written(&publish, &len);
		cr_assert(!message_parse(mem, text, len, &message));
		cr_expect_str_eq(message->uid, rows[i].uid, "%s", text);
		if (rows[i].id)
			cr_expect_str_eq(message->message_id, rows[i].id, "%s", text);
		cr_expect(!strpbrk(message->message_id, " \r\n<>"), "%s", text);
		cr_expect(!strstr(text, "\r\nX: y"), "%s", text);
	}
}

Test(message_write, left_out)
{
	struct message_publish publish = kit_publish;
	size_t len;
	char *text;

	publish.to_email = "x@example.com>, <evil@example.com";
	text = written(&publish, &len);
	cr_expect(!strstr(text, "\r\nTo:"), "%s", text);
	publish.to_email = NULL;
	publish.edition = 0;
	text = written(&publish, &len);
	cr_expect(!strstr(text, "\r\nTo:") && !strstr(text, MESSAGE_EDITION_FIELD), "%s", text);
	publish.to_email = "ana@example.com";
	publish.to_name = NULL;
	text = written(&publish, &len);
	cr_expect(strstr(text, "\r\nTo: <ana@example.com>\r\n"), "%s", text);
}

Test(message_write, too_long)
{
	struct message_publish publish = kit_publish;
	struct buf *buf = buf_new(mem);
	struct fault *fault;
	char *text = NULL;
	size_t len = 7;

	kit_repeat(buf, "0123456789012345678901234567890123456789012345678901234567890\r\n", 17000);
	publish.calendar = buf->data;
	publish.calendar_len = buf->len;
	fault = message_write(mem, &publish, &text, &len);
	cr_assert(fault && fault->kind == FAULT_DATA && fault->scope == FAULT_SCOPE_ITEM);
	cr_expect(!text && len == 7);
}

/* Another reader's opinion */

static void put_hex(struct buf *buf, const char *text)
{
	if (!*text)
		buf_putc(buf, '-');
	for (; *text; text++)
		buf_printf(buf, "%02x", (unsigned char)*text);
}

static void expect_line(struct buf *buf, const char *name, const char *first, const char *second)
{
	buf_puts(buf, name);
	buf_putc(buf, ' ');
	put_hex(buf, first);
	if (second) {
		buf_putc(buf, ' ');
		put_hex(buf, second);
	}
	buf_putc(buf, '\n');
}

struct opinion {
	char *folder;
	struct buf *files, *expected;
	size_t count;
};

static void ask(struct opinion *opinion, const struct message_publish *publish, const char *subject,
		const char *name, const char *card)
{
	size_t len;
	char *text = written(publish, &len);
	char *path = mem_printf(mem, "%s/%zu", opinion->folder, opinion->count++);
	FILE *file = fopen(path, "wb");

	cr_assert(file && fwrite(text, 1, len, file) == len && !fclose(file), "%s", path);
	buf_printf(opinion->files, " '%s'", path);
	expect_line(opinion->expected, "subject", subject, NULL);
	expect_line(opinion->expected, "from", name, "taskferry@pm.example.com");
	expect_line(opinion->expected, "to", "Ana Silva", "ana@example.com");
	expect_line(opinion->expected, "date", "2026-11-21 09:00:00+00:00", NULL);
	expect_line(opinion->expected, "message-id",
		    "<4ac53f1e-0d5c-5f0e-8d8f-1b7f0ec3a001.3@pm.example.com>", NULL);
	expect_line(opinion->expected, "x-taskferry-uid", publish->uid, NULL);
	expect_line(opinion->expected, "x-taskferry-edition", "3-0123abcd", NULL);
	expect_line(opinion->expected, "part text/plain utf-8 None None", kit_crlf(mem, card),
		    NULL);
	expect_line(opinion->expected, "part text/calendar utf-8 attachment task.ics",
		    publish->calendar, NULL);
	buf_puts(opinion->expected, "end\n");
}

static void ask_all(struct opinion *opinion)
{
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		struct message_publish publish = kit_publish;

		publish.subject = subjects[i].subject;
		ask(opinion, &publish, subjects[i].read ? subjects[i].read : subjects[i].subject,
		    publish.from_name, KIT_CARD);
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct message_publish publish = kit_publish;

		publish.from_name = names[i].name;
		ask(opinion, &publish, publish.subject,
		    names[i].read ? names[i].read : names[i].name, KIT_CARD);
	}
	for (size_t i = 0; i < COUNT_OF(cards); i++) {
		struct message_publish publish = kit_publish;

		publish.card = cards[i].card;
		ask(opinion, &publish, publish.subject, publish.from_name,
		    cards[i].read ? cards[i].read : cards[i].card);
	}
	for (size_t i = 0; i < COUNT_OF(calendars); i++) {
		struct message_publish publish = kit_publish;

		publish.calendar = calendars[i];
		publish.calendar_len = strlen(calendars[i]);
		ask(opinion, &publish, publish.subject, publish.from_name, KIT_CARD);
	}
}

/* Where two texts part, with some lines around. */
static char *difference(const char *expected, const char *got)
{
	size_t at = 0, line = 0;

	for (; expected[at] && expected[at] == got[at]; at++)
		if (expected[at] == '\n')
			line = at + 1;
	return mem_printf(mem, "expected\n%.400s\ngot\n%.400s", expected + line, got + line);
}

Test(message_write, as_python_reads_it)
{
	const char *tmp = getenv("TMPDIR");
	struct opinion opinion = { .files = buf_new(mem), .expected = buf_new(mem) };
	struct buf *got = buf_new(mem);
	char chunk[4096];
	FILE *python;
	size_t n;

	if (access("/usr/bin/python3", X_OK))
		cr_skip_test("/usr/bin/python3 is not there: no other reader was asked");
	opinion.folder = mem_printf(mem, "%s/message_write_XXXXXX", tmp ? tmp : "/tmp");
	cr_assert(mkdtemp(opinion.folder));
	ask_all(&opinion);
	python = popen(mem_printf(mem, "/usr/bin/python3 '%s/tests/unit/message_reader.py'%s",
				  TF_SRCDIR, opinion.files->data),
		       "r");
	cr_assert(python);
	while ((n = fread(chunk, 1, sizeof chunk, python)))
		buf_add(got, chunk, n);
	cr_expect_eq(pclose(python), 0);
	cr_expect(!strcmp(got->data, opinion.expected->data), "%s",
		  difference(opinion.expected->data, got->data));
	for (size_t i = 0; i < opinion.count; i++)
		unlink(mem_printf(mem, "%s/%zu", opinion.folder, i));
	rmdir(opinion.folder);
}

/* Of any text, no line of a header gets longer than it should: what makes a name long here is that each
 * of its signs takes a backslash. */
Test(message_write, header_lines_have_their_length)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct message_publish publish = kit_publish;
		size_t len;
		char *text;

		publish.from_name = publish.to_name = publish.subject = names[i].name;
		text = written(&publish, &len);
		*strstr(text, "\r\n\r\n") = '\0';
		for (char *save, *line = strtok_r(text, "\r\n", &save); line;
		     line = strtok_r(NULL, "\r\n", &save))
			cr_expect_leq(strlen(line), 76, "%s", line);
	}
}
