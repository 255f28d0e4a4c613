#include "config.h"

#include <stdlib.h>
#include <sys/resource.h>
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

TestSuite(message_parse, .init = begin, .fini = end, .timeout = 300);

struct row {
	const char *what, *text, *shown;
};

static void check(const struct row *row, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *text = kit_crlf(mem, row[i].text);
		char *got = kit_parsed(mem, text, strlen(text));

		cr_expect_str_eq(got, row[i].shown,
				 "%s\n--- message\n%s\n--- expected\n%s\n--- got\n%s\n---",
				 row[i].what, row[i].text, row[i].shown, got);
	}
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

Test(message_parse, fields)
{
	static const struct row rows[] = {
		{ "plain", "Subject: Paint it\n\nx", "subject=[Paint it]card=[x]" },
		{ "no text", "From: a\n\n", "card=[]" },
		{ "header only", "From: a\n", "card=[]" },
		{ "header cut off", "Subject: a", "subject=[a]card=[]" },
		{ "no subject", "Subject:\n\n", "subject=[]card=[]" },
		{ "names in any case, blanks before the colon", "sUBJECT : a\n\n",
		  "subject=[a]card=[]" },
		{ "folded", "Subject: a\n b\n\tc\n\n", "subject=[a b c]card=[]" },
		{ "folded at once", "Subject:\n a\n\n", "subject=[a]card=[]" },
		{ "the first one counts", "Subject: a\nSubject: b\n\n", "subject=[a]card=[]" },
		{ "a line that is no field ends the header", "Subject: a\nhello\nTo: b\n\nx",
		  "subject=[a]card=[hello\nTo: b\n\nx]" },
		{ "ours",
		  "X-Taskferry-UID: u-1\nX-Taskferry-Edition: 12-0123abcd\nMessage-ID: <u@h>\n\n",
		  "uid=[u-1]edition=[12]hash=[0123abcd]id=[u@h]card=[]" },
		{ "an edition without a hash", "X-Taskferry-Edition: 12\n\n",
		  "edition=[12]card=[]" },
		{ "an empty hash", "X-Taskferry-Edition: 12-\n\n", "edition=[12]card=[]" },
		{ "no editions", "X-Taskferry-Edition: x-1\nX-Taskferry-UID: \n\n", "card=[]" },
		{ "a negative edition", "X-Taskferry-Edition: -12-ab\n\n", "card=[]" },
		{ "an edition out of range", "X-Taskferry-Edition: 99999999999999999999\n\n",
		  "card=[]" },
		{ "an id without brackets", "Message-ID: a b@c\n\n", "id=[a b@c]card=[]" },
		{ "an id with a comment", "Message-ID: (x) <a b@c> y\n\n", "id=[a b@c]card=[]" },
		{ "an id of nothing", "Message-ID: <>\n\n", "card=[]" },
		{ "agent", "User-Agent: NeoMutt/2022\nX-Mailer: x\n\n",
		  "agent=[NeoMutt/2022]card=[]" },
		{ "mailer", "X-Mailer: Mail (2.3)\n\n", "agent=[Mail (2.3)]card=[]" },
	};

	check(rows, COUNT_OF(rows));
}

Test(message_parse, encoded_words)
{
	static const struct row rows[] = {
		{ "Q", "Subject: =?utf-8?Q?M=C3=BCll_raus?=\n\n",
		  "subject=[M\xc3\xbcll raus]card=[]" },
		{ "B", "Subject: =?UTF-8?b?TcO8bGw=?=\n\n", "subject=[M\xc3\xbcll]card=[]" },
		{ "B without padding", "Subject: =?UTF-8?B?TcO8bGw?=\n\n",
		  "subject=[M\xc3\xbcll]card=[]" },
		{ "another charset", "Subject: =?iso-8859-1?Q?M=FCll?=\n\n",
		  "subject=[M\xc3\xbcll]card=[]" },
		{ "a language", "Subject: =?iso-8859-1*de?Q?M=FCll?=\n\n",
		  "subject=[M\xc3\xbcll]card=[]" },
		{ "iso-2022-jp", "Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\n\n",
		  "subject=[\xe6\x97\xa5\xe6\x9c\xac]card=[]" },
		{ "text around", "Subject: a =?utf-8?Q?b?= c\n\n", "subject=[a b c]card=[]" },
		{ "blanks between two are none", "Subject: =?utf-8?Q?a?=\n =?utf-8?Q?b?= c\n\n",
		  "subject=[ab c]card=[]" },
		{ "a character in two words", "Subject: =?utf-8?Q?M=C3?= =?utf-8?Q?=BCll?=\n\n",
		  "subject=[M\xc3\xbcll]card=[]" },
		{ "two charsets", "Subject: =?utf-8?Q?=C3=BC?= =?iso-8859-1?Q?=FC?=\n\n",
		  "subject=[\xc3\xbc\xc3\xbc]card=[]" },
		{ "an unknown charset", "Subject: =?x-y?Q?M=FCll?=\n\n",
		  "subject=[M\xef\xbf\xbdll]card=[]" },
		{ "no words",
		  "Subject: =?utf-8?X?a?= =?utf-8?Q?a =??Q?a?= =?utf-8?Q?=zz?= =?utf-8?Q?=00?=\n\n",
		  "subject=[=?utf-8?X?a?= =?utf-8?Q?a =??Q?a?= =?utf-8?Q?=zz?= "
		  "=?utf-8?Q?=00?=]card=[]" },
		{ "line ends and controls in a word", "Subject: =?utf-8?Q?a=0D=0ABcc:_b=07?=\n\n",
		  "subject=[a  Bcc: b\xef\xbf\xbd]card=[]" },
		{ "raw 8-bit", "Subject: M\xc3\xbcll \xfc\n\n",
		  "subject=[M\xc3\xbcll \xef\xbf\xbd]card=[]" },
	};

	check(rows, COUNT_OF(rows));
}

#define TEXT(headers, body) "Subject: s\n" headers "\n" body
#define QP "Content-Transfer-Encoding: quoted-printable\n"
#define BASE64 "Content-Transfer-Encoding: base64\n"

Test(message_parse, bodies)
{
	static const struct row rows[] = {
		{ "quoted-printable", TEXT(QP, "M=C3=BCll=3D\n"),
		  "subject=[s]card=[M\xc3\xbcll=\n]" },
		{ "soft breaks", TEXT(QP, "a=\nb= \nc"), "subject=[s]card=[abc]" },
		{ "blanks at line ends", TEXT(QP, "a \t\nb=20\n"), "subject=[s]card=[a\nb \n]" },
		{ "lower case", TEXT(QP, "=c3=bc"), "subject=[s]card=[\xc3\xbc]" },
		{ "no escapes", TEXT(QP, "1=zz =4 = 5\nx="), "subject=[s]card=[1=zz =4 = 5\nx=]" },
		{ "raw 8-bit within", TEXT(QP, "M\xc3\xbcll"), "subject=[s]card=[M\xc3\xbcll]" },
		{ "base64", TEXT(BASE64, "TcO8\nbGw=\n"), "subject=[s]card=[M\xc3\xbcll]" },
		{ "base64 with line ends", TEXT(BASE64, "YQ0KYg0KDQo="),
		  "subject=[s]card=[a\nb\n\n]" },
		{ "base64, broken", TEXT(BASE64, "Y*W\nJj%\nZA"), "subject=[s]card=[abcd]" },
		{ "base64, a footer behind", TEXT(BASE64, "YWI=\n-- \nthe list\n"),
		  "subject=[s]card=[ab]" },
		{ "base64 of nothing", TEXT(BASE64, "\n"), "subject=[s]card=[]" },
		{ "8bit", TEXT("Content-Transfer-Encoding: 8BIT\n", "M\xc3\xbcll"),
		  "subject=[s]card=[M\xc3\xbcll]" },
		{ "an encoding that nobody knows",
		  TEXT("Content-Transfer-Encoding: x-uuencode\n", "M"), "subject=[s]" },
		{ "latin1", TEXT("Content-Type: text/plain; charset=ISO-8859-1\n", "M\xfcll \x80"),
		  "subject=[s]card=[M\xc3\xbcll \xe2\x82\xac]" },
		{ "koi8-r in base64",
		  TEXT("Content-Type: text/plain; charset=\"koi8-r\"\n" BASE64, "xMEK"),
		  "subject=[s]card=[\xd0\xb4\xd0\xb0\n]" },
		{ "utf-16", TEXT("Content-Type: text/plain; charset=utf-16le\n" BASE64, "YQAKAA=="),
		  "subject=[s]card=[a\n]" },
		{ "bytes that the charset does not have",
		  TEXT("Content-Type: text/plain; charset=euc-jp\n", "a\xff\xff"),
		  "subject=[s]card=[a\xef\xbf\xbd\xef\xbf\xbd]" },
		{ "an unknown charset, UTF-8 in it",
		  TEXT("Content-Type: text/plain; charset=x-y\n", "M\xc3\xbcll \xfc"),
		  "subject=[s]card=[M\xc3\xbcll \xef\xbf\xbd]" },
		{ "us-ascii, UTF-8 in it",
		  TEXT("Content-Type: text/plain; charset=us-ascii\n", "M\xc3\xbcll"),
		  "subject=[s]card=[M\xc3\xbcll]" },
		{ "a byte order mark", TEXT("", "\xef\xbb\xbfTask: a"),
		  "subject=[s]card=[Task: a]" },
		{ "controls", TEXT("", "a\x01\tb\x7f"),
		  "subject=[s]card=[a\xef\xbf\xbd\tb\xef\xbf\xbd]" },
		{ "CR alone", TEXT("", "a\rb\r"), "subject=[s]card=[a\nb\n]" },
	};

	check(rows, COUNT_OF(rows));
}

#define PART(headers, body) "--b\n" headers "\n" body "\n"
#define PLAIN "Content-Type: text/plain\n"
#define FLOWED "Content-Type: text/plain; charset=utf-8; format=Flowed"
#define WORD_50 "abcdefghijklmnopqrstuvwxyabcdefghijklmnopqrstuvwxy"
#define AT_66 "The quick brown fox jumps over the lazy dog, and runs away to the"

Test(message_parse, format_flowed)
{
	static const struct row rows[] = {
		{ "a paragraph", FLOWED "\n\n" AT_66 " \nharbour.\nx\n", "card=[" AT_66 " harbour.\nx\n]" },
		{ "over three lines", FLOWED "\n\n" AT_66 " \n" AT_66 " \nend",
		  "card=[" AT_66 " " AT_66 " end]" },
		{ "the blanks are none", FLOWED "; delsp=yes\n\n" AT_66 " \nharbour.\n",
		  "card=[" AT_66 "harbour.\n]" },
		{ "guarded lines", FLOWED "\n\n >a\n From b\n  c\n \nd\n", "card=[>a\nFrom b\n c\n\nd\n]" },
		{ "a guard where a line goes on", FLOWED "\n\n" AT_66 " \n >harbour.\n",
		  "card=[" AT_66 " >harbour.\n]" },
		{ "a blank behind a short line was typed", FLOWED "\n\nPercent: 60 \nDue: -\n",
		  "card=[Percent: 60 \nDue: -\n]" },
		{ "a long title with a blank typed behind it, and a report",
		  FLOWED "\n\nTask: " AT_66 " \nStatus: done\nPercent: 60 \n",
		  "card=[Task: " AT_66 " \nStatus: done\nPercent: 60 \n]" },
		{ "as keys are read", FLOWED "\n\nTask: " AT_66 " \n  TOTAL WORK : 2 h\n",
		  "card=[Task: " AT_66 " \n TOTAL WORK : 2 h\n]" },
		{ "a long title", FLOWED "\n\nTask: " AT_66 " \nharbour: now\nDue: -\n",
		  "card=[Task: " AT_66 " harbour: now\nDue: -\n]" },
		{ "categories", FLOWED "\n\nCategories: " AT_66 ", \nb\nDue: -\n",
		  "card=[Categories: " AT_66 ", b\nDue: -\n]" },
		{ "what has room in a line", FLOWED "\n\nPercent: 60 \nhttps://" WORD_50 "\n",
		  "card=[Percent: 60 \nhttps://" WORD_50 "\n]" },
		{ "on top of a card", FLOWED "\n\n" AT_66 " \nnow.\n" AT_66 " \n\n" AT_66 " \nStatus: done\n",
		  "card=[" AT_66 " now.\n" AT_66 " \n\n" AT_66 " \nStatus: done\n]" },
		{ "notes are no keys", FLOWED "\n\nDue: -\n \n" AT_66 " \nstatus: ok\nDue: \n" WORD_50 "_______\n",
		  "card=[Due: -\n\n" AT_66 " status: ok\nDue: " WORD_50 "_______\n]" },
		{ "nor does a blank line go on", FLOWED "\n\nDue: -\n  \n" WORD_50 WORD_50 "\n",
		  "card=[Due: -\n \n" WORD_50 WORD_50 "\n]" },
		{ "a separator", FLOWED "\n\n" AT_66 " \n--- taskferry ---\n" AT_66 " \nDue: -\n",
		  "card=[" AT_66 " \n--- taskferry ---\n" AT_66 " Due: -\n]" },
		{ "a separator with a blank behind it",
		  FLOWED "\n\nDue: -\n--- taskferry --- \n" WORD_50 "\n| Project: x\n",
		  "card=[Due: -\n--- taskferry --- \n" WORD_50 "\n| Project: x\n]" },
		{ "quoted lines", FLOWED "\n\n> " AT_66 " \n> x\n" AT_66 " \n> x\n",
		  "card=[> " AT_66 " \n> x\n" AT_66 " \n> x\n]" },
		{ "no line to go on in", FLOWED "\n\n" AT_66 " \n\n" AT_66 " \n-- \n" AT_66 " ",
		  "card=[" AT_66 " \n\n" AT_66 " \n-- \n" AT_66 " ]" },
		{ "another format", "Content-Type: text/plain; format=fixed\n\n" AT_66 " \n x\n",
		  "card=[" AT_66 " \n x\n]" },
	};

	check(rows, COUNT_OF(rows));
}

#define ICS "Content-Type: text/calendar; charset=utf-8\n"

static const struct row structures[] = {
	{ "card and calendar", MIXED PART(PLAIN, "Task: a") PART(ICS, "BEGIN:X\n") "--b--\n",
	  "card=[Task: a]calendar=[BEGIN:X\\r\n]" },
	{ "calendar first", MIXED PART(ICS, "X") PART(PLAIN, "Task: a") "--b--",
	  "card=[Task: a]calendar=[X]" },
	{ "text around the parts", MIXED "pre\n" PART(PLAIN, "Task: a") "--b--\nepilogue\n",
	  "card=[Task: a]" },
	{ "the first ones",
	  MIXED PART(PLAIN, "1") PART(PLAIN, "2") PART(ICS, "3") PART(ICS, "4") "--b--",
	  "card=[1]calendar=[3]" },
	{ "no header", MIXED PART("", "Task: a") "--b--", "card=[Task: a]" },
	{ "no blank line", MIXED "--b\nTask a\n--b--", "card=[Task a]" },
	{ "nothing in them", MIXED "--b\n--b\n\n--b\n" ICS "\n--b--", "card=[]calendar=[]" },
	{ "not closed", MIXED PART(PLAIN, "Task: a") PART(ICS, "X"),
	  "card=[Task: a]calendar=[X\\r\n]" },
	{ "no parts", MIXED "--b--\n", "" },
	{ "no delimiter", MIXED "Task: a", "" },
	{ "no boundary", "Content-Type: multipart/mixed\n\n--b\n\nTask: a\n--b--", "" },
	{ "an empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\na\n----",
	  "" },
	{ "a boundary with blanks",
	  "Content-Type: multipart/mixed; boundary=\"a b \"\n\n--a b  \n\nTask: a\n--a "
	  "b--\t\n",
	  "card=[Task: a]" },
	{ "delimiters are whole lines",
	  MIXED PART(PLAIN, "--bb\n--b x\n --b\nx--b\n--b-\n---b") "--b--",
	  "card=[--bb\n--b x\n --b\nx--b\n--b-\n---b]" },
	{ "behind the end there is nothing", MIXED PART(PLAIN, "1") "--b--\n" PART(ICS, "2"),
	  "card=[1]" },
	{ "an attached text",
	  MIXED PART(PLAIN "Content-Disposition: attachment\n", "1") PART(PLAIN, "2") "--b--",
	  "card=[2]" },
	{ "a text file",
	  MIXED PART("Content-Type: text/plain; name=a.txt\n", "1")
		  PART(PLAIN "Content-Disposition: inline; filename*=utf-8''a.txt\n", "2")
			  PART(PLAIN "Content-Disposition: inline\n", "3") "--b--",
	  "card=[3]" },
	{ "an attached calendar",
	  MIXED PART("Content-Type: application/ics\nContent-Disposition: attachment; "
		     "filename=x.ics\n",
		     "X") "--b--",
	  "calendar=[X]" },
	{ "only HTML", MIXED PART("Content-Type: text/html\n", "<p>") "--b--", "" },
	{ "alternative",
	  "Content-Type: multipart/alternative; boundary=b\n\n" PART(PLAIN, "Task: a")
		  PART("Content-Type: text/html\n", "<p>") "--b--",
	  "card=[Task: a]" },
	{ "within another",
	  MIXED PART("Content-Type: multipart/related; boundary=\"b 2\"\n",
		     "--b 2\nContent-Type: text/html\n\n<p>\n--b 2\n\nTask: a\n--b 2--")
		  PART(ICS, "X") "--b--",
	  "card=[Task: a]calendar=[X]" },
	{ "within another of the same boundary",
	  MIXED PART(MIXED, "--b\n\nTask: a\n--b--") PART(ICS, "X") "--b--", "card=[Task: a]" },
	{ "one within is not closed",
	  MIXED PART("Content-Type: multipart/mixed; boundary=c\n", "--c\n\nTask: a")
		  PART(ICS, "X") "--b--",
	  "card=[Task: a]calendar=[X]" },
	{ "not in attached messages",
	  MIXED PART("Content-Type: message/rfc822\n", "Subject: x\n\nTask: a") "--b--", "" },
	{ "nor in a digest",
	  "Content-Type: multipart/digest; boundary=b\n\n" PART("", "Subject: x\n\na") "--b--",
	  "" },
	{ "an encoded multipart", BASE64 MIXED PART(PLAIN, "Task: a") "--b--", "" },
	{ "a type that cannot be read", "Content-Type: ;\n\nTask: a", "" },
	{ "a calendar alone", ICS "\nX", "calendar=[X]" },
	{ "a calendar in latin1", "Content-Type: text/calendar; charset=iso-8859-1\n" QP "\nX:=FC",
	  "calendar=[X:\xc3\xbc]" },
	{ "bytes that are no text stay",
	  "Content-Type: text/calendar; charset=utf-8\n" BASE64 "\nWDr8AAo=",
	  "calendar=[X:\xfc\\0\n]" },
	{ "bytes that the charset does not have stay",
	  "Content-Type: text/calendar; charset=euc-jp\n\na\xff", "calendar=[a\xff]" },
	{ "a parenthesis in a quoted string is no comment",
	  "Content-Type: text/plain; x=\"(\\\"(\"; (c\\)d) charset=iso-8859-1\n\n\xfc",
	  "card=[\xc3\xbc]" },
	{ "a type with comments and odd case",
	  "Content-Type: TEXT / Plain (x(y)) ; CHARSET=\"ISO-8859-1\" (z)\n\n\xfc",
	  "card=[\xc3\xbc]" },
};

Test(message_parse, structure)
{
	check(structures, COUNT_OF(structures));
}

Test(message_parse, lf_only)
{
	static const char text[] =
		"Subject: a\n b\nContent-Type: multipart/mixed; boundary=b\n\n"
		"--b\n\nTask: a\n\n--b\nContent-Type: text/calendar\n\nX\n--b--\n";
	char *got = kit_parsed(mem, text, strlen(text));

	cr_expect_str_eq(got, "subject=[a b]card=[Task: a\n]calendar=[X]", "%s", got);
}

Test(message_parse, nul_bytes)
{
	static const char text[] =
		"Subject: a\0b\r\nContent-Type: text/plain\0; charset=x\r\n\r\nc\0d";
	char *got = kit_parsed(mem, text, sizeof text - 1);

	cr_expect_str_eq(got,
			 "subject=[a b]card=[c\xef\xbf\xbd"
			 "d]",
			 "%s", got);
}

/* Limits */

static char *nested(size_t depth, const char *type)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, "Subject: s\r\n");
	for (size_t i = 0; i < depth; i++)
		buf_printf(buf, "Content-Type:%s;boundary=%zx\n\n--%zx\n", type, i, i);
	buf_puts(buf, "\r\nTask: a\r\n");
	return buf->data;
}

static char *parts(size_t count)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	kit_repeat(buf, "--b\r\n", count);
	buf_puts(buf, "--b--\r\n");
	return buf->data;
}

static char *field(const char *name, const char *unit, size_t times)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, name);
	kit_repeat(buf, unit, times);
	buf_puts(buf, "\r\n\r\nx");
	return buf->data;
}

Test(message_parse, limits)
{
	const struct row rows[] = {
		{ "nothing", "", "FAULT no header: not a message" },
		{ "no header", "\r\nTask: a", "FAULT no header: not a message" },
		{ "no field", "hello world\r\n\r\n", "FAULT no header: not a message" },
		{ "20 deep", nested(20, "multipart/mixed"), "subject=[s]card=[Task: a\n]" },
		{ "21 deep", nested(21, "multipart/mixed"),
		  "FAULT parts nested more than 20 deep" },
		{ "20,000 deep", nested(20000, "multipart/x"),
		  "FAULT parts nested more than 20 deep" },
		{ "19,000 messages in messages", nested(19000, "message/rfc822"), "subject=[s]" },
		{ "999 parts", parts(999), "card=[]" },
		{ "1,000 parts", parts(1000), "FAULT more than 1000 parts" },
		{ "200,000 parts", parts(200000), "FAULT more than 1000 parts" },
		{ "comments 32 deep", field("Content-Type: text/plain ", "(", 32), "card=[x]" },
		{ "comments 33 deep", field("Content-Type: text/plain ", "(", 33),
		  "FAULT Content-Type: comments nested more than 32 deep" },
		{ "200,000 comments", field("Content-Disposition: ", "(", 200000),
		  "FAULT Content-Disposition: comments nested more than 32 deep" },
		{ "many comments side by side", field("Content-Type: text/plain ", "()", 100000),
		  "card=[x]" },
		{ "comments in a field that is none of ours", field("To: ", "(", 200000),
		  "card=[x]" },
		{ "a long header", field("X: ", "x", 256 << 10),
		  "FAULT a header of 262149 bytes: more than 262144" },
		{ "many fields", field("X: y", "\r\nX: y", 40000), "card=[x]" },
		{ "many folds", field("Subject: y", "\r\n ", 80000), "subject=[y]card=[x]" },
		{ "a long boundary", field("Content-Type: multipart/mixed; boundary=", "x", 200000),
		  "" },
		{ "many parameters", field("Content-Type: text/plain", "; a=b", 50000),
		  "card=[x]" },
		{ "too long", field("X: y\r\n\r\n", "x", 1 << 20),
		  "FAULT a message of 1048589 bytes without its files: more than 1048576" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *got = kit_parsed(mem, rows[i].text, strlen(rows[i].text));

		cr_expect_str_eq(got, rows[i].shown, "%s: expected [%s], got [%.200s]",
				 rows[i].what, rows[i].shown, got);
	}
}

/* What costs most within the limits: seconds of processor time, and nothing read that is none. */
Test(message_parse, hostile_within_time)
{
	static const struct {
		const char *what, *head, *unit;
	} rows[] = {
		{ "one line", "Subject: s\r\n\r\n", "x" },
		{ "one line of a part",
		  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n", "x" },
		{ "almost delimiters",
		  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n", "\r\n--bx" },
		{ "empty lines", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n",
		  "\n" },
		{ "escapes", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=41=\n" },
		{ "no escapes", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=" },
		{ "blanks", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", " " },
		{ "broken base64", "Content-Transfer-Encoding: base64\r\n\r\n", "*" },
		{ "base64", "Content-Transfer-Encoding: base64\r\n\r\n", "YWJj" },
		{ "bytes of no charset", "Content-Type: text/plain; charset=euc-kr\r\n\r\n",
		  "\xff" },
		{ "utf-16", "Content-Type: text/plain; charset=utf-16\r\n\r\n", "\xd8" },
	};
	static const struct {
		const char *what, *unit;
	} subjects[] = {
		{ "encoded words", "=?utf-8?Q?a?= " },
		{ "beginnings of words", "=?" },
		{ "words that do not end", "=?utf-8?Q?" },
		{ "charsets by turns", "=?iso-8859-1?Q?=FC?= =?koi8-r?Q?=FC?= " },
		{ "blanks", "=?utf-8?Q?a?=      x" },
		{ "angle brackets", "<" },
	};
	struct buf *buf = buf_new(mem);
	size_t size = getenv("TF_VALGRIND") ? 60000 : 900000;
	clock_t start = clock();

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buf_clear(buf);
		buf_puts(buf, rows[i].head);
		kit_repeat(buf, rows[i].unit, (size - buf->len) / strlen(rows[i].unit));
		cr_expect(!text_starts(kit_parsed(mem, buf->data, buf->len), "FAULT"), "%s",
			  rows[i].what);
	}
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		buf_clear(buf);
		buf_puts(buf, "Subject: ");
		kit_repeat(buf, subjects[i].unit, size / 4 / strlen(subjects[i].unit));
		buf_puts(buf, "\r\n\r\n");
		cr_expect(!text_starts(kit_parsed(mem, buf->data, buf->len), "FAULT"), "%s",
			  subjects[i].what);
	}
	cr_expect_lt((clock() - start) / CLOCKS_PER_SEC, 60);
}

/* The mails of the corpus, when it is there. */
Test(message_parse, corpus)
{
	const char *root = getenv("TASKFERRY_CORPUS");
	char *path, *text, *got;
	FILE *file;
	size_t len;

	if (!root)
		cr_skip_test("TASKFERRY_CORPUS is not set: no mail of the corpus was read");
	path = mem_printf(mem, "%s/ics/mail/kolab-v3-task.eml", root);
	file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	text = talloc_zero_size(mem, MESSAGE_TEXT_MAX);
	len = fread(text, 1, MESSAGE_TEXT_MAX, file);
	fclose(file);
	got = kit_parsed(mem, text, len);
	cr_expect_str_eq(got,
			 "subject=[3f0c5a52-2d0e-4b52-9f43-6f0f7d7c1a01]agent=[taskferry-research]"
			 "card=[This is a Kolab Groupware object.\n]",
			 "%s", got);
}
