#include "config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/imap/imap_response.h"

/* What servers say, in the shapes of three real ones, of the RFCs, and of nobody who means well. A
 * response is compared as text: kind, tag, number, name, then `code=`, `text=`, and the nodes: atoms
 * as they are, strings in single quotes, NIL as a hyphen, lists in brackets. */

static void write_text(struct buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ')
			buf_printf(out, "\\%o", (unsigned)text[i]);
		else
			buf_putc(out, text[i]);
}

static void write_nodes(struct buf *out, const struct imap_node *node)
{
	for (const struct imap_node *first = node; node; node = node->next) {
		if (node != first)
			buf_putc(out, ' ');
		cr_assert_eq(node->text[node->len], '\0', "no NUL behind a text");
		switch (node->kind) {
		case IMAP_ATOM:
			write_text(out, node->text, node->len);
			break;
		case IMAP_STRING:
			buf_putc(out, '\'');
			write_text(out, node->text, node->len);
			buf_putc(out, '\'');
			break;
		case IMAP_NIL:
			buf_putc(out, '-');
			break;
		case IMAP_LIST:
			buf_putc(out, '(');
			write_nodes(out, node->first);
			buf_putc(out, ')');
			break;
		}
	}
}

static char *read_one(TALLOC_CTX *mem, const char *p, size_t n)
{
	static const char *const kinds[] = { "*", "", "+" };
	struct buf *out = buf_new(mem);
	struct imap_response *response;
	struct fault *fault = imap_response_parse(mem, p, n, &response);

	if (fault)
		return mem_printf(mem, "FAULT %s %s", fault_kind_name(fault->kind),
				  fault_scope_name(fault->scope));
	buf_printf(out, "%s%s", kinds[response->kind], response->tag ? response->tag : "");
	if (response->number)
		buf_printf(out, " %u", response->number);
	buf_printf(out, " %s", response->name);
	if (response->code) {
		buf_printf(out, " code=%s:", response->code);
		write_nodes(out, response->code_args);
	}
	if (*response->text) {
		buf_puts(out, " text=");
		write_text(out, response->text, strlen(response->text));
	}
	if (response->args)
		buf_putc(out, ' ');
	write_nodes(out, response->args);
	talloc_free(response);
	return out->data;
}

/* ---- whole responses ---- */

static const struct {
	const char *said, *read;
} responses[] = {
	/* states */
	{ "* OK IMAP4rev1 ready", "* OK text=IMAP4rev1 ready" },
	{ "* OK", "* OK" },
	{ "* OK ", "* OK" },
	{ "* ok lower case", "* OK text=lower case" },
	{ "* PREAUTH hello", "* PREAUTH text=hello" },
	{ "* BYE Courier-IMAP server shutting down",
	  "* BYE text=Courier-IMAP server shutting down" },
	{ "T1 OK done", "T1 OK text=done" },
	{ "T1 NO", "T1 NO" },
	{ "T12 BAD what ( is \" this {5}", "T12 BAD text=what ( is \" this {5}" },
	{ "a.b/c! OK x", "a.b/c! OK text=x" },
	{ "+ idling", "+  text=idling" },
	{ "+ ", "+ " },
	{ "+", "+ " },
	{ "+ AGFuYQBz", "+  text=AGFuYQBz" },
	{ "+ [ALERT] go on", "+  code=ALERT: text=go on" },
	{ "+ send {10}", "+  text=send {10}" },
	/* codes */
	{ "* OK [UIDVALIDITY 3857529045] UIDs valid",
	  "* OK code=UIDVALIDITY:3857529045 text=UIDs valid" },
	{ "* OK [PERMANENTFLAGS (\\Answered \\*)] Limited",
	  "* OK code=PERMANENTFLAGS:(\\Answered \\*) text=Limited" },
	{ "* OK [PERMANENTFLAGS ()] none", "* OK code=PERMANENTFLAGS:() text=none" },
	{ "* OK [PERMANENTFLAGS (\"a\")] hi", "* OK code=PERMANENTFLAGS:('a') text=hi" },
	{ "* OK [PERMANENTFLAGS (] x", "* OK code=PERMANENTFLAGS: text=x" },
	{ "* OK [PERMANENTFLAGS (a] b)] x", "* OK code=PERMANENTFLAGS:(a] b) text=x" },
	{ "* OK [X ))] x", "* OK code=X: text=x" },
	{ "* OK [X \"a] x", "* OK code=X: text=x" },
	{ "* OK [X \"a]\"] x", "* OK code=X:'a]' text=x" },
	{ "* OK [X never closed", "* OK code=X: text=[X never closed" },
	{ "* OK []", "* OK code=:" },
	{ "* OK [] x", "* OK code=: text=x" },
	{ "* OK [", "* OK code=: text=[" },
	{ "* OK[ALERT] glued", "* OK code=ALERT: text=glued" },
	{ "* OK [alert]no blank", "* OK code=ALERT: text=no blank" },
	{ "* OK [REFERRAL imap://u@h/INBOX;a=b] x",
	  "* OK code=REFERRAL:imap://u@h/INBOX;a=b text=x" },
	{ "* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] hi",
	  "* OK code=CAPABILITY:IMAP4rev1 LITERAL+ AUTH=PLAIN text=hi" },
	{ "T2 OK [APPENDUID 1 3:5] x", "T2 OK code=APPENDUID:1 3:5 text=x" },
	{ "T2 OK [COPYUID 38505 304,319:320 3956:3958] x",
	  "T2 OK code=COPYUID:38505 304,319:320 3956:3958 text=x" },
	{ "T2 OK [MODIFIED 7,9] x", "T2 OK code=MODIFIED:7,9 text=x" },
	{ "T2 NO [BADCHARSET (UTF-8 \"US ASCII\")] x",
	  "T2 NO code=BADCHARSET:(UTF-8 'US ASCII') text=x" },
	{ "T2 NO [BADCHARSET ({5}\r\nUTF-8 {2+}\r\n\"])] x",
	  "T2 NO code=BADCHARSET:('UTF-8' '\"]') text=x" },
	{ "* OK [X {3}\r\nabc", "* OK code=X: text=[X {3}" },
	{ "* NO [UNKNOWN-CODE a (b (c)) \"d\" NIL] x",
	  "* NO code=UNKNOWN-CODE:a (b (c)) 'd' - text=x" },
	{ "* OK text [ALERT] later", "* OK text=text [ALERT] later" },
	{ "* OK caf\303\251", "* OK text=caf\303\251" },
	{ "* OK caf\351", "* OK text=caf\357\277\275" },
	{ "* OK a\rb", "* OK text=a" },
	/* data */
	{ "* CAPABILITY IMAP4rev1 SASL-IR", "* CAPABILITY IMAP4rev1 SASL-IR" },
	{ "* FLAGS (\\Seen $TF-Done a+b)", "* FLAGS (\\Seen $TF-Done a+b)" },
	{ "* FLAGS ()", "* FLAGS ()" },
	{ "* 12 EXISTS", "* 12 EXISTS" },
	{ "* 0 RECENT", "* RECENT" },
	{ "* 4294967295 EXPUNGE", "* 4294967295 EXPUNGE" },
	{ "* 12 exists ", "* 12 EXISTS" },
	{ "* SEARCH", "* SEARCH" },
	{ "* SEARCH 2 3 6", "* SEARCH 2 3 6" },
	{ "* SEARCH 2 5 (MODSEQ 917162500)", "* SEARCH 2 5 (MODSEQ 917162500)" },
	{ "* ESEARCH (TAG \"T3\") UID ALL 2,10:15", "* ESEARCH (TAG 'T3') UID ALL 2,10:15" },
	{ "* LIST (\\HasNoChildren) \"/\" INBOX", "* LIST (\\HasNoChildren) '/' INBOX" },
	{ "* LIST () NIL flat", "* LIST () - flat" },
	{ "* LIST () \"\\\\\" \"a\\\"b\"", "* LIST () '\\' 'a\"b'" },
	{ "* LIST () \".\" {5}\r\na\"b c", "* LIST () '.' 'a\"b c'" },
	{ "* LIST () \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))",
	  "* LIST () '/' foo ('CHILDINFO' ('SUBSCRIBED'))" },
	{ "* LIST () \"/\" [Gmail]/x", "* LIST () '/' [Gmail]/x" },
	{ "* STATUS {3}\r\n\303\244x (MESSAGES 1)", "* STATUS '\303\244x' (MESSAGES 1)" },
	{ "* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\"))",
	  "* NAMESPACE (('INBOX.' '.')) - (('#shared.' '.'))" },
	{ "* NAMESPACE ((\"\" \"\"))", "* NAMESPACE (('' ''))" },
	{ "* ID (\"name\" \"Dovecot\")", "* ID ('name' 'Dovecot')" },
	{ "* ID NIL", "* ID -" },
	{ "* ENABLED", "* ENABLED" },
	{ "* VANISHED (EARLIER) 41,43:116", "* VANISHED (EARLIER) 41,43:116" },
	/* fetch */
	{ "* 1 FETCH (UID 7 FLAGS (\\Seen \\Recent) MODSEQ (65))",
	  "* 1 FETCH (UID 7 FLAGS (\\Seen \\Recent) MODSEQ (65))" },
	{ "* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT \"X Y\")]<0> {4}\r\na\r\nb UID 7)",
	  "* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT \"X Y\")]<0> 'a\\15\\12b' UID 7)" },
	{ "* 1 FETCH (BODY[HEADER.FIELDS (\"a]b\")] NIL)",
	  "* 1 FETCH (BODY[HEADER.FIELDS (\"a]b\")] -)" },
	{ "* 1 FETCH (BODY[HEADER.FIELDS ({3}\r\n])()] \"\")",
	  "* 1 FETCH (BODY[HEADER.FIELDS ({3}\\15\\12])()] '')" },
	{ "* 1 FETCH (BODY[] {0}\r\n)", "* 1 FETCH (BODY[] '')" },
	{ "* 1 FETCH (BODY[] ~{3}\r\na\nb)", "* 1 FETCH (BODY[] 'a\\12b')" },
	{ "* 1 FETCH (BODY[1.2.MIME]<5> \"x\" RFC822.SIZE 44)",
	  "* 1 FETCH (BODY[1.2.MIME]<5> 'x' RFC822.SIZE 44)" },
	{ "* 1 FETCH (X-UNKNOWN[a (b] (1 2 (3)) UID 9)",
	  "* 1 FETCH (X-UNKNOWN[a (b] (1 2 (3)) UID 9)" },
	{ "* 1 FETCH (FLAGS (foo[ bar) UID 9)", "* 1 FETCH (FLAGS (foo[ bar) UID 9)" },
	{ "* 1 FETCH ()", "* 1 FETCH ()" },
	{ "*  1 FETCH ()", "FAULT PROTOCOL account" },
	{ "* 1 FETCH  ( UID  7 ) ", "* 1 FETCH (UID 7)" },
	{ "* 1 FETCH (A(b)c\"d\"e)", "* 1 FETCH (A (b) c\"d\"e)" },
	{ "* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" NIL nil Nil NILS)",
	  "* 1 FETCH (INTERNALDATE '17-Jul-1996 02:44:25 -0700' - - - NILS)" },
	/* kinds that we do not know: what can be read is, the rest is dropped */
	{ "* XSTRANGE a (b) \"c\"", "* XSTRANGE a (b) 'c'" },
	{ "* XSTRANGE it's 5\" wide :-(", "* XSTRANGE" },
	{ "* XSTRANGE )))", "* XSTRANGE" },
	{ "* 7 XSTRANGE (", "* 7 XSTRANGE" },
	{ "* XSTRANGE {x} {5}y", "* XSTRANGE {x} {5}y" },
	{ "* X[Y Z]", "* X [Y Z]" },
	/* not responses */
	{ "", "FAULT PROTOCOL account" },
	{ "*", "FAULT PROTOCOL account" },
	{ "* ", "FAULT PROTOCOL account" },
	{ "T1", "FAULT PROTOCOL account" },
	{ "T1 ", "FAULT PROTOCOL account" },
	{ "T1 FETCH x", "FAULT PROTOCOL account" },
	{ "T1 OKAY x", "FAULT PROTOCOL account" },
	{ " T1 OK", "FAULT PROTOCOL account" },
	{ "HTTP/1.1 400 Bad Request", "FAULT PROTOCOL account" },
	{ "SSH-2.0-OpenSSH_9.2p1", "FAULT PROTOCOL account" },
	{ "* 4294967296 EXISTS", "FAULT PROTOCOL account" },
	{ "* 99999999999999999999 EXISTS", "FAULT PROTOCOL account" },
	{ "* 1 FETCH (UID 7", "FAULT PROTOCOL account" },
	{ "* 1 FETCH (UID 7))", "FAULT PROTOCOL account" },
	{ "* 1 FETCH (\"x)", "FAULT PROTOCOL account" },
	{ "* 1 FETCH (\"x\\", "FAULT PROTOCOL account" },
	{ "* LIST () \"/\" {3}\r\nabcd", "FAULT PROTOCOL account" },
	{ "* LIST () \"/\" {9}\r\nabc", "FAULT PROTOCOL account" },
	{ "* LIST () \"/\" {18446744073709551617}\r\nabc", "FAULT PROTOCOL account" },
	{ "* SEARCH 1\r2", "FAULT PROTOCOL account" },
};

Test(response, reads_what_servers_say)
{
	static const char *const ends[] = { "\r\n", "\n", "" };

	for (size_t i = 0; i < 2 * sizeof responses / sizeof responses[0]; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *said = mem_printf(mem, "%s%s", responses[i / 2].said, ends[i % 2]);
		char *read = read_one(mem, said, strlen(said));

		cr_expect_str_eq(read, responses[i / 2].read, "%s\n  expected: %s\n  actual:   %s",
				 said, responses[i / 2].read, read);
		talloc_free(mem);
	}
}

/* Exactly N bytes in memory of their own, so that a look beyond is seen by the sanitizers. */
Test(response, never_looks_beyond)
{
	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
		for (size_t n = 0; n <= strlen(responses[i].said); n++) {
			TALLOC_CTX *mem = MEM_CONTEXT(NULL);
			char *bytes = mem_must(malloc(n ? n : 1));

			memcpy(bytes, responses[i].said, n);
			(void)read_one(mem, bytes, n);
			free(bytes);
			talloc_free(mem);
		}
	}
}

Test(response, keeps_nul_in_literals_only)
{
	static const struct {
		const char *said;
		size_t n;
		const char *read;
	} cases[] = {
#define BYTES(text) text, sizeof text - 1
		{ BYTES("* LIST () NIL {3}\r\na\0b\r\n"), "* LIST () - 'a\\0b'" },
		{ BYTES("T1 NO [X {3}\r\na\0b] t\r\n"), "T1 NO code=X:'a\\0b' text=t" },
		{ BYTES("* LIST () NIL a\0b\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* LIST () NIL \"a\0b\"\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* OK a\0b\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* OK [A\0B] b\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* OK [A B] b\0\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("T\0001 OK b\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* O\0K b\r\n"), "FAULT PROTOCOL account" },
		{ BYTES("* XSTRANGE a\0b\r\n"), "* XSTRANGE" },
#undef BYTES
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *read = read_one(mem, cases[i].said, cases[i].n);

		cr_expect_str_eq(read, cases[i].read, "%zu\n  expected: %s\n  actual:   %s", i,
				 cases[i].read, read);
		talloc_free(mem);
	}
}

/* ---- framing ---- */

#define OVER (-1)

static const struct {
	const char *bytes;
	int len; /* of the first response; 0: more; OVER: a fault */
} frames[] = {
	{ "", 0 },
	{ "* OK", 0 },
	{ "* OK x\r", 0 },
	{ "* OK x\r\n", 8 },
	{ "* OK x\n* OK", 7 },
	{ "\r\n* OK\r\n", 2 },
	{ "* LIST () NIL {3}\r\n", 0 },
	{ "* LIST () NIL {3}\r\nab\n", 0 },
	{ "* LIST () NIL {3}\r\nabc\r\nT1", 24 },
	{ "* LIST () NIL {3+}\r\nabc\r\n", 25 },
	{ "* LIST () NIL ~{3}\r\nabc\r\n", 25 },
	{ "* LIST () NIL {3}\r\n\r\n\n\r\n", 24 },
	{ "* LIST () {1}\n. {0}\n\n", 21 },
	{ "* LIST () NIL {3-}\r\n", 20 },
	{ "* LIST () NIL {}\r\n", 18 },
	{ "* LIST () NIL {+}\r\n", 19 },
	{ "* LIST () NIL 3}\r\n", 18 },
	{ "* LIST () NIL {3} \r\n", 20 },
	{ "* LIST () NIL {0000000000000000000000003}\r\nabc\r\n", 48 },
	{ "* LIST () NIL {2097152}\r\n", 0 },
	{ "* LIST () NIL {2097153}\r\n", OVER },
	{ "* LIST () NIL {4294967295}\r\n", OVER },
	{ "* LIST () NIL {4294967299}\r\n", OVER },
	{ "* LIST () NIL {18446744073709551619}\r\n", OVER },
	{ "* LIST () NIL {99999999999999999999}\r\n", OVER },
	{ "* LIST () NIL {99999999999999999999999999999999999999999999}\r\n", OVER },
	/* text for people announces nothing */
	{ "* OK x {3}\r\n", 12 },
	{ "* OK {3}\r\n", 10 },
	{ "T1 NO {99999999999999999999}\r\n", 30 },
	{ "+ {3}\r\n", 7 },
	{ "+{3}\r\n", 6 },
	{ "* BYE [ALERT] {3}\r\n", 19 },
	{ "* OK [X \"]\" {3}\r\n", 0 },
	{ "* OK [X \"]\" {3}\r\n]]]] {3}\r\n", 27 },
	{ "T1 NO [BADCHARSET ({5}\r\nUTF-8)] x {3}\r\n", 39 },
	{ "T1 NO [BADCHARSET ({99999999999}\r\n", OVER },
	{ "* OKAY {3}\r\n", 0 },
	{ "* 3 OK {3}\r\n", 0 },
	{ "* {3}\r\n", 0 },
};

Test(frame, finds_the_end)
{
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		size_t len = 4711;
		struct fault *fault =
			imap_response_frame(mem, frames[i].bytes, strlen(frames[i].bytes), &len);
		int actual = fault ? OVER : (int)len;

		cr_expect_eq(actual, frames[i].len, "%s\n  expected: %d\n  actual:   %d",
			     frames[i].bytes, frames[i].len, actual);
		if (fault) {
			cr_expect_eq(len, 4711, "touched on failure");
			cr_expect_eq(fault->kind, FAULT_PROTOCOL);
			cr_expect_eq(fault->scope, FAULT_SCOPE_ACCOUNT);
		}
		talloc_free(mem);
	}
}

/* Byte by byte, and then all of it: the same end, and no end before. */
static void frame_in_steps(const char *bytes, int expected)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_frame frame = { 0 };
	size_t len = 0;
	int actual = 0;

	for (size_t n = 0; n <= strlen(bytes) && !actual; n++) {
		if (imap_response_frame_on(mem, &frame, bytes, n, &len))
			actual = OVER;
		else if (len)
			actual = (int)len;
		if (actual > 0)
			cr_expect_eq(n, len, "%s: found late", bytes);
	}
	cr_expect_eq(actual, expected, "%s\n  expected: %d\n  actual:   %d", bytes, expected,
		     actual);
	talloc_free(mem);
}

Test(frame, goes_on_where_it_was)
{
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
		frame_in_steps(frames[i].bytes, frames[i].len);
}

/* Every response of the first table ends where it ends, whatever follows. */
Test(frame, takes_each_response_whole)
{
	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
		bool bad = !strncmp(responses[i].read, "FAULT", strlen("FAULT"));
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *bytes =
			mem_printf(mem, "%s\r\nT9 OK next\r\n", bad ? "* OK" : responses[i].said);
		size_t len;

		cr_assert_null(imap_response_frame(mem, bytes, strlen(bytes), &len));
		cr_expect_eq(len, strlen(bytes) - strlen("T9 OK next\r\n"), "%s: %zu", bytes, len);
		talloc_free(mem);
	}
}

/* ---- bounds ---- */

static char *repeat(TALLOC_CTX *mem, const char *head, const char *part, size_t times,
		    const char *tail, size_t *n_r)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, head);
	for (size_t i = 0; i < times; i++)
		buf_puts(buf, part);
	buf_puts(buf, tail);
	return buf_steal(&buf, mem, n_r);
}

/* Quadratic work on a megabyte would take minutes. */
Test(bounds, long_responses_take_linear_time, .timeout = 300)
{
	static const struct {
		const char *head, *part, *tail;
		size_t times;
		bool fault;
	} cases[] = {
		{ "* SEARCH", " 123456789", "\r\n", 100000, false },
		{ "* 1 FETCH (", "a[ ", ")\r\n", 149000, false },
		{ "* 1 FETCH (", "a[\" ", ")\r\n", 200000, false },
		{ "* 1 FETCH (", "a[{1}\r\nx ", "]\r\n", 90000, true },
		{ "* 1 FETCH (", "\"\" ", ")\r\n", 290000, false },
		{ "* 1 FETCH (", "(", ")\r\n", 200000, true },
		{ "* 1 FETCH ", "()", "\r\n", 290000, false },
		{ "* 1 FETCH ", "()", "\r\n", 310000, true },
		{ "* XSTRANGE ", "(", "\r\n", 200000, false },
		{ "* OK [X ", "(", "] x\r\n", 200000, false },
		{ "* OK [X ", "{", "] x\r\n", 1000000, false },
		{ "* OK [", "[", "] x\r\n", 1000000, false },
		{ "* LIST () NIL ", "{1", "\r\n", 400000, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_response *response;
		size_t n;
		char *bytes = repeat(mem, cases[i].head, cases[i].part, cases[i].times,
				     cases[i].tail, &n);
		struct fault *fault = imap_response_parse(mem, bytes, n, &response);

		cr_expect_eq(fault != NULL, cases[i].fault, "case %zu: %s", i,
			     fault ? fault->text : "read");
		talloc_free(mem);
	}
}

Test(bounds, a_line_without_end_is_refused, .timeout = 300)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_frame frame = { 0 };
	struct fault *fault = NULL;
	size_t n, at, len;
	char *bytes = repeat(mem, "* SEARCH", " 1234567", 200000, "", &n);

	for (at = 0; at < n && !fault; at++)
		fault = imap_response_frame_on(mem, &frame, bytes, at, &len);
	cr_assert_not_null(fault);
	cr_expect_leq(at, IMAP_LINE_MAX + 2, "refused at byte %zu", at);
	talloc_free(mem);
}

Test(bounds, many_literals_are_refused)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct buf *buf = buf_new(mem);
	struct fault *fault = NULL;
	size_t len = 0;
	char *body = MEM_ARRAY(mem, char, 1000000);

	memset(body, 'x', 1000000);
	buf_puts(buf, "* 1 FETCH (");
	for (int i = 0; i < 10 && !fault; i++) {
		buf_puts(buf, " B {1000000}\r\n");
		fault = imap_response_frame(mem, buf->data, buf->len, &len);
		buf_add(buf, body, 1000000);
	}
	cr_assert_not_null(fault);
	cr_expect_leq(buf->len, IMAP_RESPONSE_MAX + 1000100);
	talloc_free(mem);
}

Test(bounds, lists_nest_as_deep_as_allowed)
{
	for (size_t depth = IMAP_DEPTH_MAX - 1; depth <= IMAP_DEPTH_MAX + 1; depth++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct buf *buf = buf_new(mem);
		struct imap_response *response;
		struct fault *fault;

		buf_puts(buf, "* 1 FETCH ");
		for (size_t i = 0; i < depth; i++)
			buf_putc(buf, '(');
		for (size_t i = 0; i < depth; i++)
			buf_putc(buf, ')');
		fault = imap_response_parse(mem, buf->data, buf->len, &response);
		cr_expect_eq(fault != NULL, depth > IMAP_DEPTH_MAX, "depth %zu", depth);
		talloc_free(mem);
	}
}

/* ---- looking at trees ---- */

static const struct imap_node *nodes_of(TALLOC_CTX *mem, const char *text)
{
	char *said = mem_printf(mem, "* X %s", text);
	struct imap_response *response;

	cr_assert_null(imap_response_parse(mem, said, strlen(said), &response));
	return response->args;
}

Test(nodes, are_found_by_name)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const struct imap_node *list = nodes_of(mem, "UID 7 \"Flags\" (\\Seen) FLAGS 9 (x) y ODD");

	cr_expect_str_eq(imap_node_after(list, "uid")->text, "7");
	cr_expect_eq(imap_node_after(list, "FLAGS")->kind, IMAP_LIST, "the first of two");
	cr_expect_null(imap_node_after(list, "7"), "a value is no name");
	cr_expect_null(imap_node_after(list, "ODD"), "nothing behind it");
	cr_expect_null(imap_node_after(list, "x"));
	cr_expect_null(imap_node_after(NULL, "UID"));
	cr_expect(imap_node_is(list, "Uid"));
	cr_expect_not(imap_node_is(list, "Uids"));
	cr_expect_not(imap_node_is(list->next->next->next, ""), "a list has no text");
	cr_expect_not(imap_node_is(NULL, ""));
	talloc_free(mem);
}

Test(nodes, numbers_are_digits_in_range)
{
	static const struct {
		const char *text;
		bool u32, u64;
		uint64_t value;
	} cases[] = {
		{ "0", true, true, 0 },
		{ "007", true, true, 7 },
		{ "4294967295", true, true, UINT32_MAX },
		{ "4294967296", false, true, UINT64_C(4294967296) },
		{ "18446744073709551615", false, true, UINT64_MAX },
		{ "18446744073709551616", false, false, 0 },
		{ "99999999999999999999999", false, false, 0 },
		{ "-1", false, false, 0 },
		{ "+1", false, false, 0 },
		{ "1x", false, false, 0 },
		{ "1:5", false, false, 0 },
		{ "\"1\"", false, false, 0 },
		{ "NIL", false, false, 0 },
		{ "(1)", false, false, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		const struct imap_node *node = nodes_of(mem, cases[i].text);
		uint32_t u32 = 42;
		uint64_t u64 = 42;

		cr_expect_eq(imap_node_u32(node, &u32), cases[i].u32, "%s", cases[i].text);
		cr_expect_eq(imap_node_u64(node, &u64), cases[i].u64, "%s", cases[i].text);
		cr_expect_eq(u32, cases[i].u32 ? cases[i].value : 42, "%s: %u", cases[i].text, u32);
		cr_expect_eq(u64, cases[i].u64 ? cases[i].value : 42, "%s", cases[i].text);
		talloc_free(mem);
	}
	cr_expect_not(imap_node_u32(NULL, NULL));
}
