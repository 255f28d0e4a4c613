#include "config.h"

#include "mappers/mspdi.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/mspdi_private.h"

/* What no program should write and somebody will send: each is a DATA fault that names file and
 * line, nothing is returned, and libxml2 says nothing on standard error. */

#define HEAD "<Project xmlns=\"http://schemas.microsoft.com/project\">"
#define TASK HEAD "<Tasks><Task><UID>1</UID>"
#define TAIL "</Task></Tasks></Project>"

static TALLOC_CTX *mem;

static void setup(void)
{
	struct fault *fault;

	mem = MEM_CONTEXT(NULL);
	fault = zone_use(mem, "UTC");
	cr_assert_null(fault, "%s", fault ? fault->text : "");
}

static void teardown(void)
{
	talloc_free(mem);
}

TestSuite(mspdi_hostile, .init = setup, .fini = teardown);

/* Reads what must be refused; the fault's text. */
static const char *refused(const char *what, const char *text, size_t len)
{
	struct projfile *file = (struct projfile *)mem;
	struct fault *fault = mspdi_read(mem, "bad.xml", text, len, &file);

	cr_assert_not_null(fault, "accepted: %s", what);
	cr_expect_eq(fault->kind, FAULT_DATA, "%s\nkind %s: %s", what, fault_kind_name(fault->kind),
		     fault->text);
	cr_expect_eq(file, (struct projfile *)mem, "%s: something was returned", what);
	cr_expect(text_starts(fault->text, "bad.xml:") && strspn(fault->text + 8, "0123456789") > 0,
		  "%s\nno file and line: %s", what, fault->text);
	return fault->text;
}

static void expect_refused(const char *what, const char *text, size_t len, const char *expected)
{
	const char *got = refused(what, text, len);

	cr_expect(strstr(got, expected), "%s\nexpected '%s', got '%s'", what, expected, got);
}

static const struct {
	const char *text, *expected;
} cases[] = {
	/* no XML */
	{ "", "bad.xml:1: not XML: the file is empty" },
	{ "   \n", "bad.xml:" },
	{ "hello", "bad.xml:1: not XML" },
	{ "{\"tasks\": []}", "bad.xml:1: not XML" },
	{ "PK\x03\x04", "bad.xml:1: not XML" },
	{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "bad.xml:1: not XML" },
	{ "<?xml version=\"1.0\"?>", "bad.xml:1: not XML" },
	{ "<html><body><p>Please log in</p></body></html>", "its root is html" },
	{ "<html><body><br></body></html>", "bad.xml:1: " },
	{ "<!DOCTYPE html>\n<html><body/></html>", "DOCTYPE" },
	/* XML, but no project */
	{ "<Tasks/>", "bad.xml:1: not a Project XML file: its root is Tasks" },
	{ "\n\n<project/>", "bad.xml:3: not a Project XML file: its root is project" },
	{ "<Project xmlns=\"http://schemas.microsoft.com/developer/msbuild/2003\"/>",
	  "its root is Project of namespace http://schemas.microsoft.com/developer/msbuild/2003" },
	{ "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"/>",
	  "its root is project of namespace" },
	{ "<APIBusinessObjects/>", "its root is APIBusinessObjects" },
	/* not well-formed */
	{ HEAD, "bad.xml:1: not XML" },
	{ HEAD "\n<Tasks>\n<Task>\n</Tasks></Project>", "bad.xml:4: not XML" },
	{ HEAD "</Project><Project/>", "bad.xml:1: not XML" },
	{ HEAD "</Project>\njunk", "bad.xml:2: not XML" },
	{ TASK "<Name>a & b</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>a < b</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>&nbsp;</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>&#0;</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>&#x1b;[2J</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name a='1' a='2'/>" TAIL, "bad.xml:1: not XML" },
	/* entities */
	{ "<!DOCTYPE Project [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" TASK
	  "<Name>&x;</Name>" TAIL,
	  "DOCTYPE" },
	{ "<!DOCTYPE Project [<!ENTITY x \"y\">]>" TASK "<Name>&x;</Name>" TAIL, "DOCTYPE" },
	{ "<!DOCTYPE Project SYSTEM \"http://127.0.0.1:1/x.dtd\">" TASK TAIL, "DOCTYPE" },
	{ "<!DOCTYPE Project [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x\"> %p;]>" TASK TAIL,
	  "DOCTYPE" },
	{ "<!DOCTYPE Project [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
	  "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d "
	  "\"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">"
	  "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f "
	  "\"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">"
	  "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\"><!ENTITY h "
	  "\"&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;\">]>" TASK "<Name>&h;</Name>" TAIL,
	  "DOCTYPE" },
	{ "<!-- > --><?x ?>\n<!DOCTYPE Project>" TASK TAIL, "a DOCTYPE is not accepted" },
	/* encodings */
	{ TASK "<Name>M\xfcller</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>\xc0\xaf</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>\xed\xa0\x80</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>\xf4\x90\x80\x80</Name>" TAIL, "bad.xml:1: not XML" },
	{ TASK "<Name>\xe2\x82", "bad.xml:1: not XML" },
	{ "<?xml version='1.0' encoding='windows-1252'?>" TASK "<Name>\x81</Name>" TAIL,
	  "bad.xml:1: not XML" },
	{ "<?xml version='1.0' encoding='ISO-2022-JP'?>" TASK TAIL,
	  "the encoding ISO-2022-JP is not accepted" },
	{ "<?xml version='1.0' encoding='UTF-7'?>" TASK TAIL,
	  "the encoding UTF-7 is not accepted" },
	{ "<?xml version='1.0' encoding='no-such-thing'?>" TASK TAIL, "bad.xml:1: " },
	{ "<?xml version='1.0' encoding='UTF-16'?>" TASK TAIL, "bad.xml:1: " },
};

static int stderr_to(const char *path)
{
	int old = dup(STDERR_FILENO);

	cr_assert(freopen(path, "w", stderr));
	return old;
}

static off_t stderr_back(int old, const char *path)
{
	struct stat st = { .st_size = -1 };

	fflush(stderr);
	cr_assert(dup2(old, STDERR_FILENO) >= 0 && stat(path, &st) == 0);
	close(old);
	unlink(path);
	return st.st_size;
}

Test(mspdi_hostile, refused_with_line_and_without_a_word_on_stderr)
{
	char *path = mem_printf(mem, "/tmp/mspdi_hostile.%ld", (long)getpid());
	int old = stderr_to(path);
	off_t size;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct projfile *file = NULL;

		talloc_free(
			mspdi_read(mem, "bad.xml", cases[i].text, strlen(cases[i].text), &file));
	}
	size = stderr_back(old, path);
	cr_expect_eq(size, 0, "%lld bytes on standard error", (long long)size);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_refused(cases[i].text, cases[i].text, strlen(cases[i].text),
			       cases[i].expected);
}

Test(mspdi_hostile, bytes_that_a_c_string_cannot_hold)
{
	static const char nul[] = TASK "<Name>a\0b</Name>" TAIL;
	static const char odd[] = "\xff\xfe<\0P\0r\0o";
	static const char wide_doctype[] =
		"\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0p\0>\0<\0p\0/\0>\0";

	expect_refused("a NUL", nul, sizeof(nul) - 1, "bad.xml:1: not XML");
	expect_refused("half a UTF-16 document", odd, sizeof(odd) - 2, "bad.xml:1: ");
	expect_refused("a DOCTYPE in UTF-16", wide_doctype, sizeof(wide_doctype) - 1, "DOCTYPE");
}

static char *read_sample(const char *name, size_t *len_r)
{
	struct buf *buf = buf_new(mem);
	char chunk[4096];
	size_t n;
	FILE *f = fopen(mem_printf(mem, "%s/contrib/samples/%s", TF_SRCDIR, name), "rb");

	cr_assert_not_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(buf, chunk, n);
	fclose(f);
	return buf_steal(&buf, mem, len_r);
}

Test(mspdi_hostile, truncated_anywhere)
{
	size_t len, tries = 0;
	const char *text = read_sample("relocation.xml", &len);

	while (len && text[len - 1] == '\n')
		len--;
	for (size_t n = 0; n < len; n += 97, tries++) {
		char *copy = mem_bytes(mem, text, n);

		(void)refused(mem_printf(mem, "the first %zu bytes", n), copy, n);
		talloc_free(copy);
	}
	(void)refused("all but the last byte", text, len - 1);
	cr_expect(tries > 200, "only %zu tries", tries);
}

/* Every byte of a sample changed in turn gives a result or a fault, never anything else; ASan looks
 * on. */
Test(mspdi_hostile, bits_turned)
{
	size_t len;
	char *text = read_sample("festival.xml", &len);

	for (size_t i = 0; i < len; i += 13) {
		struct projfile *file = NULL;
		struct fault *fault;

		text[i] = (char)(text[i] ^ (1 << i % 8));
		fault = mspdi_read(mem, "bad.xml", text, len, &file);
		cr_assert((fault != NULL) == (file == NULL), "byte %zu", i);
		text[i] = (char)(text[i] ^ (1 << i % 8));
		talloc_free(fault);
		talloc_free(file);
	}
}

/* ---- bounds ---- */

/* HEAD's task with COUNT times PIECE between BEFORE and AFTER. */
static struct buf *repeated(const char *before, const char *piece, size_t count, const char *after)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, before);
	for (size_t i = 0; i < count; i++)
		buf_puts(buf, piece);
	buf_puts(buf, after);
	return buf;
}

static const struct {
	const char *what, *before, *piece;
	size_t accepted, refused; /* so often the piece */
	const char *after, *expected;
} bounds[] = {
	{ "depth", TASK, "<a>", MSPDI_DEPTH_MAX - 3, MSPDI_DEPTH_MAX - 2, NULL,
	  "nested deeper than 32" },
	{ "300 levels", HEAD, "<Task>", 1, 300, NULL, "nested deeper than 32" },
	{ "5000 levels", HEAD, "<a>", 1, 5000, NULL, "nested deeper than 32" },
	{ "a value", TASK "<Notes>", "0123456789abcdef", MSPDI_VALUE_MAX / 16,
	  MSPDI_VALUE_MAX / 16 + 1, "</Notes>" TAIL, "Notes: text larger than 1 MiB" },
	{ "a value of escapes", TASK "<Notes>", "&#x41;", MSPDI_VALUE_MAX, MSPDI_VALUE_MAX + 1,
	  "</Notes>" TAIL, "Notes: text larger than 1 MiB" },
	{ "a value in pieces", TASK "<Notes>", "<!-- x -->0123456789abcdef", 1000, 70000,
	  "</Notes>" TAIL, "Notes: text larger than 1 MiB" },
	{ "a text that is skipped", TASK "<Other>", "0123456789abcdef", 400000, 600000,
	  "</Other>" TAIL, "one text or comment is larger than 8192 KiB" },
	{ "a comment", TASK "<!--", "0123456789abcdef", 400000, 600000, "-->" TAIL,
	  "one text or comment is larger than 8192 KiB" },
	{ "a tag", TASK "<Name a='", "0123456789abcde ", 255, 256, "'/>" TAIL,
	  "one tag is larger than 4 KiB" },
	{ "a tag full of '>'", TASK "<Name a='", ">>>>>>>>>>>>>>>>", 255, 500000, "'/>" TAIL,
	  "one tag is larger than 4 KiB" },
	{ "a name", TASK "<", "aaaaaaaaaaaaaaaa", 255, 256, "/>" TAIL,
	  "one tag is larger than 4 KiB" },
	{ "blanks in an end tag", TASK "</Task", "                ", 255, 256,
	  "></Tasks></Project>", "one tag is larger than 4 KiB" },
	{ "a tag behind a comment of '>'", TASK "<!--> <![CDATA[ --><Name a='", "0123456789abcdef",
	  200, 500000, "'/>" TAIL, "one tag is larger than 4 KiB" },
	{ "a tag behind an instruction of '<'", TASK "<?x <!-- ?><Name a='", "0123456789abcdef",
	  200, 500000, "'/>" TAIL, "one tag is larger than 4 KiB" },
	{ "a tag behind quotes in a text", TASK "<X>\"'</X><![CDATA[<!-- \" ]]><Name a='",
	  "0123456789abcdef", 200, 500000, "'/>" TAIL, "one tag is larger than 4 KiB" },
	{ "the first bytes", "<!--", "0123456789abcdef", 3000, 6000, "-->" TASK TAIL,
	  "no element in the first 64 KiB" },
	{ "a DOCTYPE of any length", "<!DOCTYPE p [", "<!ENTITY a \"b\">", 0, 5000, "]>" TASK TAIL,
	  "DOCTYPE" },
};

Test(mspdi_hostile, bounds, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		for (int over = 0; over < 2; over++) {
			size_t count = over ? bounds[i].refused : bounds[i].accepted;
			struct buf *buf;

			if (!count || (!over && !bounds[i].after))
				continue;
			buf = repeated(bounds[i].before, bounds[i].piece, count,
				       bounds[i].after ? bounds[i].after : "");
			if (over) {
				expect_refused(bounds[i].what, buf->data, buf->len,
					       bounds[i].expected);
			} else {
				struct projfile *file = NULL;
				struct fault *fault =
					mspdi_read(mem, "bad.xml", buf->data, buf->len, &file);

				cr_expect_null(fault, "%s: %s", bounds[i].what,
					       fault ? fault->text : "");
				talloc_free(file);
			}
			talloc_free(buf);
		}
	}
}

Test(mspdi_hostile, the_deepest_that_is_accepted)
{
	struct buf *buf = repeated(TASK, "<a>", MSPDI_DEPTH_MAX - 3, "");
	struct projfile *file = NULL;
	struct fault *fault;

	for (int i = 0; i < MSPDI_DEPTH_MAX - 3; i++)
		buf_puts(buf, "</a>");
	buf_puts(buf, TAIL);
	fault = mspdi_read(mem, "deep.xml", buf->data, buf->len, &file);
	cr_expect_null(fault, "%s", fault ? fault->text : "");
}

Test(mspdi_hostile, many_different_names, .timeout = 300)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, TASK);
	for (int i = 0; i < 300000; i++)
		buf_printf(buf, "<a%d/>", i);
	buf_puts(buf, TAIL);
	expect_refused("names", buf->data, buf->len, "more than 10000 different names");
}

Test(mspdi_hostile, more_tasks_than_anybody_has, .timeout = 300)
{
	struct buf *buf = repeated(HEAD "<Tasks>", "<Task><UID>0</UID></Task>", MSPDI_TASKS_MAX + 1,
				   "</Tasks></Project>");

	expect_refused("tasks", buf->data, buf->len, "more than 1000000 elements Task");
}
