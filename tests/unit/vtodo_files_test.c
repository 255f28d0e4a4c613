/* ATTACH lines: read, kept, added, taken away. */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"
#include "mappers/vtodo.h"

#define HEAD                                                                                       \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//X//X//"                                       \
	"EN\r\nBEGIN:VTODO\r\nUID:u\r\nSUMMARY:s\r\n"
#define TAIL "END:VTODO\r\nEND:VCALENDAR\r\n"
#define ALARM                                                                                      \
	"BEGIN:VALARM\r\nACTION:AUDIO\r\nTRIGGER:-PT1H\r\nATTACH;FMTTYPE=audio/basic:http://x/"    \
	"s.au\r\nEND:VALARM\r\n"
#define FOO "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;FILENAME=foo.txt:Zm9v\r\n"
#define ODD "attach ; x=y:rubbish\r\n"
#define CID "ATTACH:CID:part3@x.example\r\n"
#define URL "ATTACH;LABEL=\"a; b\":https://x.example/dir/b.html?c#d\r\n"
#define MANAGED                                                                                    \
	"ATTACH;MANAGED-ID=97S;FMTTYPE=image/png;SIZE=17;FILENAME=p.png:https://cal.example/"      \
	"att/97S\r\n"

static TALLOC_CTX *mem;

static void set_up(void)
{
	mem = talloc_new(NULL);
}

static void tear_down(void)
{
	talloc_free(mem);
}

TestSuite(vtodo_files, .init = set_up, .fini = tear_down);

static char *digest_of(const char *bytes)
{
	return digest_sha256(mem, bytes, strlen(bytes));
}

static struct vtodo *decode(const char *text)
{
	struct vtodo *vtodo = NULL;
	struct fault *fault = vtodo_decode(mem, text, strlen(text), NULL, &vtodo);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	return vtodo;
}

static char *patch(const char *text, const struct files_content *files, size_t count,
		   const char *const *gone, size_t gone_count)
{
	struct vtodo_publish publish = { .values = vector_new(mem),
					 .files = files,
					 .file_count = count,
					 .gone = gone,
					 .gone_count = gone_count };
	char *out = NULL;
	size_t len = 0;
	struct fault *fault = vtodo_patch(mem, text, strlen(text), &publish, &out, &len);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	return out;
}

Test(vtodo_files, decoded)
{
	struct vtodo *vtodo = decode(HEAD FOO CID URL MANAGED ODD ALARM TAIL);
	const char *value = vector_str(vtodo->values, FIELD_attachments);

	cr_assert_not_null(value);
	cr_expect_str_eq(value, mem_printf(mem,
					   "https://x.example/dir/b.html?c#d - - a; b\n%s 3 "
					   "text/plain foo.txt",
					   digest_of("foo")));
	cr_assert_eq(vtodo->files->count, 3);
	cr_expect_str_eq(vtodo->files->list[2].managed_id, "97S");
	cr_expect_eq(vtodo->files->list[2].size, 17);
	cr_expect_str_eq(vtodo->files->list[2].name, "p.png");
	cr_expect_null(vtodo->files->list[2].digest);
}

Test(vtodo_files, none_and_nonsense)
{
	static const char *const lines[] = {
		"",
		CID,
		"ATTACH;ENCODING=BASE64;VALUE=BINARY:\r\n",
		"ATTACH;ENCODING=BASE64;VALUE=BINARY:Zm9v!\r\n",
		"ATTACH:javascript:alert(1)\r\n",
		"ATTACH:\r\n",
		"ATTACH;VALUE=BINARY\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct vtodo *vtodo = decode(mem_printf(mem, HEAD "%s" TAIL, lines[i]));

		cr_expect_null(vector_str(vtodo->values, FIELD_attachments), "%s", lines[i]);
	}
}

/* Who kept what is ours and has attachments takes them away; who made the item anew did not. */
Test(vtodo_files, missing)
{
	static const struct {
		const char *text;
		enum presence presence;
	} cases[] = {
		{ HEAD TAIL, ABSENT },
		{ HEAD "X-TASKFERRY-EDITION:1-ab\r\n" TAIL, CLEARED },
		{ "BEGIN:VCALENDAR\r\nPRODID:-//Mozilla.org/"
		  "NONSGML\r\nBEGIN:VTODO\r\nUID:u\r\n" TAIL,
		  ABSENT },
		{ "BEGIN:VCALENDAR\r\nPRODID:-//Mozilla.org/"
		  "NONSGML\r\nBEGIN:VTODO\r\nUID:u\r\nX-TASKFERRY-EDITION:1\r\n" TAIL,
		  CLEARED },
		{ "BEGIN:VCALENDAR\r\nPRODID:-//Nextcloud Tasks "
		  "v0\r\nBEGIN:VTODO\r\nUID:u\r\nX-TASKFERRY-EDITION:1\r\n" TAIL,
		  ABSENT },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_expect_eq(decode(cases[i].text)->values->value[FIELD_attachments].presence,
			     cases[i].presence, "%s", cases[i].text);
}

/* A patch of other things leaves every byte of every line (N4). */
Test(vtodo_files, all_lines_stay)
{
	const char *text = HEAD FOO ODD CID URL MANAGED ALARM TAIL;
	char *out = patch(text, NULL, 0, NULL, 0);

	cr_expect_not_null(strstr(out, FOO ODD CID URL MANAGED), "%s", out);
	cr_expect_not_null(strstr(out, ALARM), "%s", out);
}

Test(vtodo_files, added_once_and_taken_away)
{
	struct file foo = { .digest = digest_of("foo"), .size = 3, .name = "other: name" },
		    bar = { .digest = digest_of("bar"), .size = 3, .name = "b^r \"x\"" },
		    link = { .uri = "https://x.example/l", .name = "l", .size = -1 };
	struct files_content files[] = { { &foo, "foo", 3 }, { &bar, "bar", 3 }, { &link, NULL, 0 } };
	const char *gone[] = { foo.digest, "https://cal.example/att/97S",
			       "https://x.example/dir/b.html?c#d" };
	char *out = patch(HEAD FOO CID MANAGED ALARM TAIL, files, 3, NULL, 0), *bytes = NULL;
	size_t len = 0;

	cr_expect_not_null(strstr(out, FOO), "%s", out);
	cr_expect_null(strstr(out, "other"), "there already: %s", out);
	cr_expect_not_null(strstr(out, "ATTACH;FILENAME=b^^r \"x\";ENCODING=BASE64;VALUE=BINARY:"),
			   "%s", out);
	cr_expect_not_null(strstr(out, "ATTACH;FILENAME=l:https://x.example/l\r\n"), "%s", out);
	cr_expect_null(vtodo_file_bytes(mem, out, strlen(out), bar.digest, &bytes, &len));
	cr_expect(len == 3 && !memcmp(bytes, "bar", 3));
	cr_expect_not_null(vtodo_file_bytes(mem, out, strlen(out), digest_of("no"), &bytes, &len));
	out = patch(HEAD FOO CID URL MANAGED ALARM TAIL, NULL, 0, gone, 3);
	cr_expect_null(strstr(out, "foo.txt"), "%s", out);
	cr_expect_null(strstr(out, "97S"), "%s", out);
	cr_expect_null(strstr(out, "b.html"), "%s", out);
	cr_expect(strstr(out, CID) && strstr(out, ALARM), "%s", out);
}

/* A file that is larger than a line may be otherwise; other lines are still bounded. */
Test(vtodo_files, large)
{
	size_t size = 300000, len = 0;
	char *bytes = MEM_ARRAY(mem, char, size + 1), *text = NULL;
	struct file file = { .size = (int64_t)size, .name = "big" };
	struct files_content files[] = { { &file, bytes, size } };
	struct vtodo_publish publish = {
		.values = vector_new(mem), .uid = "u", .files = files, .file_count = 1
	};
	struct vtodo *vtodo = NULL;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31);
	file.digest = digest_sha256(mem, bytes, size);
	cr_assert_null(vtodo_encode(mem, &publish, &text, &len));
	vtodo = decode(text);
	cr_expect_not_null(strstr(vector_str(vtodo->values, FIELD_attachments), file.digest));
	cr_expect_str_eq(patch(text, NULL, 0, NULL, 0) + len - 20, text + len - 20);
	for (size_t i = 0; i < size; i++)
		bytes[i] = 'x';
	text = mem_printf(mem, HEAD "COMMENT:%s\r\n" TAIL, bytes);
	cr_expect_not_null(vtodo_decode(mem, text, strlen(text), NULL, &vtodo));
}
