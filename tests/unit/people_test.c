#include "config.h"

#include "mappers/people.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

/* CSV files of people, by the contract in people.h and RFC 4180. */

static TALLOC_CTX *mem;

static void setup(void)
{
	mem = MEM_CONTEXT(NULL);
}

static void teardown(void)
{
	talloc_free(mem);
}

TestSuite(people, .init = setup, .fini = teardown);

/* All people as "LINE key/name/email" lines; "-" for NULL. */
static char *shown(const struct person *people, size_t count)
{
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < count; i++)
		buf_printf(buf, "%ld %s/%s/%s\n", people[i].line,
			   people[i].key ? people[i].key : "-",
			   people[i].name ? people[i].name : "-",
			   people[i].email ? people[i].email : "-");
	return buf->data;
}

static const struct {
	const char *text, *expected;
} good[] = {
	{ "name,email\n", "" },
	{ "name,email", "" },
	{ "name,email\nAna,ana@example.com\n", "2 -/Ana/ana@example.com\n" },
	{ "name,email\r\nAna,ana@example.com\r\nMei,mei@example.com\r\n",
	  "2 -/Ana/ana@example.com\n3 -/Mei/mei@example.com\n" },
	{ "name,email\rAna,ana@example.com\rMei,mei@example.com",
	  "2 -/Ana/ana@example.com\n3 -/Mei/mei@example.com\n" },
	{ "name,email\nAna,ana@example.com", "2 -/Ana/ana@example.com\n" },
	/* columns by name, in any order and spelling */
	{ "E-Mail;Resource\nana@example.com;Ana\n", "2 -/Ana/ana@example.com\n" },
	{ "MAIL\tKEY\nana@example.com\t7\n", "2 7/-/ana@example.com\n" },
	{ "key,name,email\n7,Ana,ana@example.com\n", "2 7/Ana/ana@example.com\n" },
	{ "id,name,phone,email,room\n1,Ana,555,ana@example.com,B\n", "2 -/Ana/ana@example.com\n" },
	{ " name , email \n Ana , ana@example.com \n", "2 -/Ana/ana@example.com\n" },
	{ "\"name\",\"email\"\n\"Ana\",\"ana@example.com\"\n", "2 -/Ana/ana@example.com\n" },
	{ "\xef\xbb\xbfname,email\nJörg,joerg@example.com\n", "2 -/Jörg/joerg@example.com\n" },
	/* quotes */
	{ "name,email\n\"Müller, Jörg\",joerg@example.com\n",
	  "2 -/Müller, Jörg/joerg@example.com\n" },
	{ "name;email\n\"Ana \"\"Nan\"\" Silva\";ana@example.com\n",
	  "2 -/Ana \"Nan\" Silva/ana@example.com\n" },
	{ "name,email\n\"A\r\nB\",a@example.com\nC,c@example.com\n",
	  "2 -/A\r\nB/a@example.com\n4 -/C/c@example.com\n" },
	{ "name,email\n\"A\nB\",a@example.com\nC,c@example.com\n",
	  "2 -/A\nB/a@example.com\n4 -/C/c@example.com\n" },
	{ "name,email\n \"Ana\" ,ana@example.com\n", "2 -/Ana/ana@example.com\n" },
	{ "name,email\n\"\",\"\"\n\"Ana\",\"\"\n", "3 -/Ana/-\n" },
	/* a separator that is none */
	{ "name;email\nMüller, Jörg;joerg@example.com\n", "2 -/Müller, Jörg/joerg@example.com\n" },
	{ "name,email\nA;B,a@example.com\n", "2 -/A;B/a@example.com\n" },
	/* rows that are blank, short or long */
	{ "\n\r\n  \nname,email\n\n,\nAna,ana@example.com\n\n", "7 -/Ana/ana@example.com\n" },
	{ "name,email\nAna\n", "2 -/Ana/-\n" },
	{ "name,email\nAna,ana@example.com,,\n", "2 -/Ana/ana@example.com\n" },
	/* addresses */
	{ "name,email\nAna,Ana.Silva@Example.COM\n", "2 -/Ana/ana.silva@example.com\n" },
	{ "name,email\nAna,\n", "2 -/Ana/-\n" },
	{ "name,email\nAna,a@example.com\nBea,a@example.com\n",
	  "2 -/Ana/a@example.com\n3 -/Bea/a@example.com\n" },
	/* two people of one name, told apart by their keys */
	{ "key,name,email\n1,Ana,a@example.com\n2,Ana,b@example.com\n",
	  "2 1/Ana/a@example.com\n3 2/Ana/b@example.com\n" },
	{ "name,email\nAna,a@example.com\nana,b@example.com\n",
	  "2 -/Ana/a@example.com\n3 -/ana/b@example.com\n" },
};

Test(people, files_that_are_read)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct person *people = NULL;
		size_t count = 99;
		struct fault *fault = people_read(mem, "p.csv", good[i].text, strlen(good[i].text),
						  &people, &count);

		cr_assert_null(fault, "%s\n%s", good[i].text, fault ? fault->text : "");
		cr_expect_str_eq(shown(people, count), good[i].expected,
				 "%s\nexpected:\n%s\ngot:\n%s", good[i].text, good[i].expected,
				 shown(people, count));
	}
}

static const struct {
	const char *text, *expected;
} bad[] = {
	{ "", "p.csv:1: no header: the file is empty" },
	{ "\n \n", "p.csv:1: no header: the file is empty" },
	{ "Ana,ana@example.com\n",
	  "p.csv:1: no header: columns 'email' and 'name' or 'key' are needed" },
	{ "name\nAna\n", "p.csv:1: no header" },
	{ "email\nana@example.com\n", "p.csv:1: no header" },
	{ "key,name\n1,Ana\n", "p.csv:1: no header" },
	{ "name|email\nAna|ana@example.com\n", "p.csv:1: no header" },
	{ "name,resource,email\nAna,Ana,a@example.com\n",
	  "p.csv:1: two columns of the meaning 'name'" },
	{ "name,email,E-Mail\n", "p.csv:1: two columns of the meaning 'email'" },
	/* quotes */
	{ "name,email\n\"Ana,ana@example.com\n", "p.csv:2: a quote is not closed" },
	{ "name,email\nA,a@example.com\n\"B\n\n", "p.csv:3: a quote is not closed" },
	{ "name,email\n\"Ana\"x,ana@example.com\n", "p.csv:2: text behind a closing quote" },
	{ "name,email\n\"A\nB\"x,ana@example.com\n", "p.csv:3: text behind a closing quote" },
	{ "name,email\nAna \"Nan\",ana@example.com\n", "p.csv:2: a quote in the middle of a cell" },
	{ "name,email\n\"", "p.csv:2: a quote is not closed" },
	{ "\"name,email\nAna,a@example.com\n", "p.csv:1: a quote is not closed" },
	/* rows */
	{ "name,email\nAna,ana@example.com,x\n", "p.csv:2: 3 cells, but the header has 2" },
	{ "name,email\nMüller, Jörg,joerg@example.com\n",
	  "p.csv:2: 3 cells, but the header has 2" },
	{ "name,email\nA,a@example.com\n,b@example.com\n", "p.csv:3: neither a name nor a key" },
	/* addresses */
	{ "name,email\nAna,ana\n", "p.csv:2: 'ana' is no address that we accept" },
	{ "name,email\nAna,-o@example.com\n", "p.csv:2: '-o@example.com' is no address" },
	{ "name,email\nAna,a@b@c\n", "p.csv:2: 'a@b@c' is no address" },
	{ "name,email\nAna,../x@example.com\n", "is no address" },
	{ "name,email\nAna,*@example.com\n", "is no address" },
	{ "name,email\nAna,Ana <ana@example.com>\n", "is no address" },
	/* twice */
	{ "name,email\nAna,a@example.com\nBea,b@example.com\nAna,c@example.com\n",
	  "p.csv:4: the same person as in line 2: Ana" },
	{ "key,name,email\n1,Ana,a@example.com\n1,Bea,b@example.com\n",
	  "p.csv:3: the same person as in line 2: Bea" },
	{ "key,name,email\n1,Ana,a@example.com\n,Ana,b@example.com\n",
	  "p.csv:3: the same person as in line 2: Ana" },
	{ "key,name,email\n,Ana,a@example.com\n1,Ana,b@example.com\n2,Ana,c@example.com\n",
	  "p.csv:3: the same person as in line 2: Ana" },
	/* encodings */
	{ "name,email\nA,a@example.com\nM\xfcller,b@example.com\n", "p.csv:3: not UTF-8" },
	{ "\xff\xfen\xff", "p.csv:1: not UTF-8" },
	{ "name,email\n\xc0\xaf,\n", "p.csv:2: not UTF-8" },
};

static void expect_refused(const char *text, size_t len, const char *expected)
{
	struct person *people = (struct person *)mem;
	size_t count = 99;
	struct fault *fault = people_read(mem, "p.csv", text, len, &people, &count);

	cr_assert_not_null(fault, "accepted: %.200s", text);
	cr_expect_eq(fault->kind, FAULT_DATA);
	cr_expect(strstr(fault->text, expected), "%.200s\nexpected '%s', got '%s'", text, expected,
		  fault->text);
	cr_expect(people == (struct person *)mem && count == 99, "%.200s: something was returned",
		  text);
}

Test(people, files_that_are_refused)
{
	static const char nul[] = "name,email\nA\0b,a@example.com\n";

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect_refused(bad[i].text, strlen(bad[i].text), bad[i].expected);
	expect_refused(nul, sizeof(nul) - 1, "p.csv:2: not UTF-8");
}

/* The text is not read behind its end, wherever that is. */
Test(people, cut_anywhere)
{
	static const char text[] = "\xef\xbb\xbfkey;name;email\r\n1;\"M\"\"x\"\r\n;\";a@example."
				   "com\r\n2;B;\"b@example.com\"\r\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n ? n : 1);
		struct person *people = NULL;
		size_t count;
		struct fault *fault;

		memcpy(copy, text, n);
		fault = people_read(mem, "p.csv", copy, n, &people, &count);
		cr_expect((fault == NULL) == (people != NULL), "%zu bytes", n);
		free(copy);
	}
}

Test(people, bounds)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, "name,email\n");
	for (int i = 0; i <= 100000; i++)
		buf_printf(buf, "n%d,\n", i);
	expect_refused(buf->data, buf->len, "p.csv:100002: more than 100000 people");
	buf_clear(buf);
	for (int i = 0; i < 257; i++)
		buf_puts(buf, "name,");
	expect_refused(buf->data, buf->len, "p.csv:1: ");
	buf_clear(buf);
	buf_puts(buf, "name,email\n");
	for (int i = 0; i < 40000; i++)
		buf_putc(buf, 'x');
	expect_refused(buf->data, buf->len, "p.csv:2: a cell larger than 32 KiB");
	while ((int64_t)buf->len <= PEOPLE_FILE_MAX)
		buf_puts(buf, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n");
	expect_refused(buf->data, buf->len, "p.csv:1: larger than 16 MiB");
}

Test(people, a_file)
{
	char path[] = "/tmp/people_test.XXXXXX";
	static const char text[] = "name,email\nAna,ana@example.com\n";
	struct person *people = NULL;
	size_t count = 0;
	struct fault *fault;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)(sizeof(text) - 1));
	close(fd);
	fault = people_read_file(mem, path, &people, &count);
	unlink(path);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_str_eq(shown(people, count), "2 -/Ana/ana@example.com\n");
	fault = people_read_file(mem, path, &people, &count);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_NO_INPUT);
	fault = people_read_file(mem, "/tmp", &people, &count);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_NO_INPUT);
}
