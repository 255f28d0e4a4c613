#include "config.h"

#include "base/digest.h"
#include "mappers/message_elide.h"
#include "message_kit.h"

#define HEAD "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n"
#define CARD "--b\nContent-Type: text/plain\n\nTask: x\n"
#define END "--b--\n"

static TALLOC_CTX *mem;

static void set_up(void)
{
	mem = MEM_CONTEXT(NULL);
}

static void tear_down(void)
{
	talloc_free(mem);
}

TestSuite(message_files, .init = set_up, .fini = tear_down);

/* "NAME TYPE SIZE|..." */
static char *shown(const char *text, size_t len)
{
	struct message *message = NULL;
	struct fault *fault = message_parse(mem, text, len, &message);
	struct buf *out = buf_new(mem);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	for (size_t i = 0; message->files && i < message->files->count; i++) {
		const struct file *file = &message->files->list[i];

		buf_printf(out, "%s%s %s %" PRId64, i ? "|" : "", file->name,
			   file->type ? file->type : "-", file->size);
	}
	return out->data;
}

Test(message_files, are_read)
{
#define PART(fields) HEAD CARD "--b\n" fields "\n\nhello\n" END
#define PDF "Content-Type: application/pdf\n"
#define NAMED(parameters) PART(PDF "Content-Disposition: attachment; " parameters)
	static const struct {
		const char *label, *text, *shown;
	} cases[] = {
		{ "by disposition", NAMED("filename=a.pdf"), "a.pdf application/pdf 5" },
		{ "quoted", NAMED("filename=\"a \\\"b\\\"; c.pdf\""),
		  "a _b_; c.pdf application/pdf 5" },
		{ "of a parameter that only looks like it",
		  NAMED("xfilename=b.pdf; filename=a.pdf"), "a.pdf application/pdf 5" },
		{ "RFC 2231", NAMED("filename*=utf-8'de'Pl%C3%A4ne.pdf"),
		  "Pläne.pdf application/pdf 5" },
		{ "RFC 2231 in Latin-1", NAMED("filename*=iso-8859-1''Pl%E4ne.pdf"),
		  "Pläne.pdf application/pdf 5" },
		{ "continued", NAMED("filename*1=ne.pdf;\n filename*0*=utf-8''Pl%C3%A4"),
		  "Pläne.pdf application/pdf 5" },
		{ "an encoded word where none may be",
		  NAMED("filename=\"=?utf-8?Q?Pl=C3=A4ne.pdf?=\""), "Pläne.pdf application/pdf 5" },
		{ "a path", NAMED("filename=\"../../etc/passwd\""), "passwd application/pdf 5" },
		{ "by the type's name", PART("Content-Type: image/png; name=p.png"),
		  "p.png image/png 5" },
		{ "without a name", PART("Content-Disposition: attachment"),
		  "attachment text/plain 5" },
		{ "in base64",
		  PART(PDF "Content-Transfer-Encoding: base64\n"
			   "Content-Disposition: attachment; filename=a.pdf\n\naGk=\n"),
		  "a.pdf application/pdf 2" },
		{ "in an encoding that nobody knows",
		  PART(PDF "Content-Transfer-Encoding: x-uu\nContent-Disposition: attachment"),
		  "" },
		{ "no file", PART("Content-Type: text/html"), "" },
		{ "the calendar is none", PART("Content-Type: text/calendar; name=task.ics"), "" },
		{ "an attached message as a whole",
		  PART("Content-Type: message/rfc822\nContent-Disposition: attachment; "
		       "filename=m.eml"),
		  "m.eml message/rfc822 5" },
		{ "not in what is signed",
		  HEAD CARD "--b\nContent-Type: multipart/signed; boundary=s\n\n--s\n" PDF
			    "Content-Disposition: attachment\n\nhello\n--s--\n" END,
		  "" },
		{ "in an alternative",
		  HEAD "--b\nContent-Type: multipart/alternative; boundary=s\n\n--s\nContent-Type: "
		       "text/plain\n\nTask: x\n--s\n" PDF
		       "Content-Disposition: attachment; filename=a.pdf\n\nhello\n--s--\n" END,
		  "a.pdf application/pdf 5" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = kit_crlf(mem, cases[i].text), *actual = shown(text, strlen(text));

		cr_expect_str_eq(actual, cases[i].shown, "%s: %s", cases[i].label, actual);
	}
}

static struct file file_of(const char *name, const char *type, const char *bytes)
{
	return (struct file){ .digest = digest_sha256(mem, bytes, strlen(bytes)),
			      .name = name,
			      .type = type,
			      .size = (int64_t)strlen(bytes) };
}

#define LONG_NAME "Pläne für das Schiff und alles, was noch kommen kann, und so weiter.pdf"

static struct message_publish with_files(struct files_content *list, size_t count)
{
	struct message_publish publish = kit_publish;

	publish.files = list;
	publish.file_count = count;
	return publish;
}

Test(message_files, are_written)
{
	struct file a = file_of("a.pdf", "application/pdf", "hello"),
		    b = file_of(LONG_NAME, "message/rfc822", "From: x");
	struct files_content list[] = { { &a, "hello", 5 }, { &b, "From: x", 7 } };
	struct message_publish publish = with_files(list, 2);
	char *text = NULL, *bytes = NULL;
	size_t len = 0, n = 0;

	cr_assert_null(message_write(mem, &publish, &text, &len));
	cr_expect_str_eq(shown(text, len),
			 "a.pdf application/pdf 5|" LONG_NAME " application/octet-stream 7");
	cr_expect_not_null(strstr(
		text,
		mem_printf(
			mem,
			"Content-Type: application/pdf\r\nContent-Transfer-Encoding: "
			"base64\r\nContent-Disposition: attachment; size=5;\r\n "
			"filename=\"a.pdf\"\r\nContent-ID: <%s@pm.example.com>\r\n\r\naGVsbG8=\r\n",
			a.digest)));
	for (const char *line = text; (line = strstr(line, "\r\n")); line += 2)
		if (!text_starts(line + 2, "Content-ID"))
			cr_expect_leq(strcspn(line + 2, "\r"), 76, "%.90s", line + 2);
	cr_assert_null(message_file_bytes(mem, text, len, b.digest, &bytes, &n));
	cr_expect(n == 7 && !memcmp(bytes, "From: x", 7));
	cr_expect_eq(message_file_bytes(mem, text, len, "abc", &bytes, &n)->kind, FAULT_DATA);
}

#define FILE_(name, text)                                                                          \
	"--b\nContent-Disposition: attachment; filename=" name "\nX-Odd: 1\n\n" text "\n"
#define HTML "--b\nContent-Type: text/html\n\n<p>\n"

static const struct coming {
	const char *label, *text;
	const char *gone[3];
	bool adds;
	const char *shown;
	const char *stays;
} comings[] = {
	{ "one of two",
	  HEAD CARD FILE_("a", "aa") FILE_("b", "bb") END,
	  { "aa" },
	  false,
	  "b text/plain 2",
	  "filename=b\nX-Odd: 1\n\nbb\n--b--" },
	{ "both",
	  HEAD CARD FILE_("a", "aa") FILE_("b", "bb") HTML END,
	  { "aa", "bb" },
	  false,
	  "",
	  HTML "--b--" },
	{ "the last",
	  HEAD CARD FILE_("b", "bb") FILE_("a", "aa") END,
	  { "aa" },
	  false,
	  "b text/plain 2",
	  "filename=b\nX-Odd: 1\n\nbb\n--b--" },
	{ "the first",
	  HEAD FILE_("a", "aa") CARD FILE_("b", "bb") END,
	  { "aa" },
	  false,
	  "b text/plain 2",
	  "filename=b\nX-Odd: 1\n\nbb\n--b--" },
	{ "the first two",
	  HEAD FILE_("a", "aa") FILE_("b", "bb") CARD HTML END,
	  { "aa", "bb" },
	  false,
	  "",
	  HTML "--b--" },
	{ "all that there is", HEAD FILE_("a", "aa") END, { "aa" }, false, "", "--b" },
	{ "one comes",
	  HEAD CARD FILE_("b", "bb") END,
	  { NULL },
	  true,
	  "b text/plain 2|new.pdf application/pdf 3",
	  "X-Odd: 1\n\nbb\n" },
	{ "one for another",
	  HEAD CARD FILE_("b", "bb") END,
	  { "bb" },
	  true,
	  "new.pdf application/pdf 3",
	  "--b--" },
	{ "it stands there already",
	  HEAD CARD FILE_("b", "new") END,
	  { NULL },
	  true,
	  "b text/plain 3",
	  "filename=b\nX-Odd: 1\n\nnew\n--b--" },
	{ "into a text",
	  "From: a@b.example\n\nTask: x\n",
	  { NULL },
	  true,
	  "new.pdf application/pdf 3",
	  "From:" },
	{ "from an alternative",
	  "From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n" CARD FILE_(
		  "a", "aa") FILE_("b", "bb") END,
	  { "aa" },
	  true,
	  "b text/plain 2|new.pdf application/pdf 3",
	  "X-Odd: 1\n\nbb\n" },
	{ "it is no part of a multipart that is not closed",
	  HEAD CARD "--b\nContent-Disposition: attachment; filename=b\n\nbb",
	  { NULL },
	  true,
	  "b text/plain 2|new.pdf application/pdf 3",
	  "\n\nbb" },
	{ "behind a part that ends in half a line end",
	  HEAD CARD "--b\nContent-Disposition: attachment; filename=b\n\nbb\r",
	  { NULL },
	  true,
	  "b text/plain 3|new.pdf application/pdf 3",
	  "\n\nbb\r\n--b" },
	{ "behind a delimiter in which the message ends",
	  HEAD CARD "--b",
	  { NULL },
	  true,
	  "new.pdf application/pdf 3",
	  "\n--b\n\n--b\nContent-Type: application/pdf" },
	{ "in half of its line end",
	  HEAD CARD "--b\r",
	  { NULL },
	  true,
	  "new.pdf application/pdf 3",
	  "\n--b\n\n--b\nContent-Type: application/pdf" },
	{ "behind a multipart in whose delimiter the message ends",
	  HEAD CARD "--b\nContent-Type: multipart/related; boundary=c\n\n--c\r",
	  { NULL },
	  true,
	  "new.pdf application/pdf 3",
	  "\n--c\r\n--b\nContent-Type: application/pdf" },
	{ "it was all of the message",
	  "Content-Disposition: attachment; filename=a\n\naa",
	  { "aa" },
	  false,
	  "",
	  "--\n" },
	{ "from a multipart that is kept as a whole",
	  "Content-Type: multipart/related; boundary=b\n\n" CARD FILE_("a", "aa")
		  FILE_("b", "bb") END,
	  { "aa" },
	  true,
	  "b text/plain 2|new.pdf application/pdf 3",
	  "X-Odd: 1\n\nbb\n--b--" },
	{ "one that was no file where it was signed",
	  HEAD "--b\nContent-Type: multipart/alternative; boundary=c\n\n"
	       "--c\nContent-Type: multipart/signed; boundary=d\n\n"
	       "--d\n\nTask: x\n--d\nContent-Disposition: attachment; filename=a\n\naa\n"
	       "--d--\n--c--\n" FILE_("b", "bb") END,
	  { "aa" },
	  false,
	  "b text/plain 2",
	  "X-Odd: 1\n\nbb\n--b--" },
};

/* What comes and goes; all else stays byte for byte, and the same patch again changes nothing. */
Test(message_files, come_and_go)
{
	struct file file = file_of("new.pdf", "application/pdf", "new");
	struct files_content list[] = { { &file, "new", 3 } };

	for (size_t i = 0; i < COUNT_OF(comings); i++) {
		struct message_publish publish = with_files(list, comings[i].adds);
		char *text = kit_crlf(mem, comings[i].text), *once = NULL, *twice = NULL;
		const char *gone[3];
		size_t len = 0, again = 0;

		for (size_t k = 0; comings[i].gone[k]; k++)
			gone[publish.gone_count++] =
				digest_sha256(mem, comings[i].gone[k], strlen(comings[i].gone[k]));
		publish.gone = gone;
		cr_assert_null(message_patch(mem, text, strlen(text), &publish, &once, &len), "%s",
			       comings[i].label);
		cr_expect_str_eq(shown(once, len), comings[i].shown, "%s: %s", comings[i].label,
				 once);
		cr_expect_not_null(strstr(once, kit_crlf(mem, comings[i].stays)), "%s: %s",
				   comings[i].label, once);
		cr_assert_null(message_patch(mem, once, len, &publish, &twice, &again));
		cr_expect(len == again && !memcmp(once, twice, len), "%s: %s\n--- again:\n%s",
			  comings[i].label, once, twice);
	}
}

/* A message may hold more files than a task has; one that comes is told from them all the same. */
Test(message_files, come_once_beside_many)
{
	struct file file = file_of("new.pdf", "application/pdf", "new");
	struct files_content list[] = { { &file, "new", 3 } };
	struct message_publish publish = with_files(list, 1);
	struct buf *text = buf_new(mem);
	char *once = NULL, *twice = NULL;
	size_t len = 0, again = 0;

	buf_puts(text, kit_crlf(mem, HEAD CARD));
	for (size_t i = 0; i < FILES_COUNT_MAX + 1; i++)
		buf_puts(text, kit_crlf(mem, mem_printf(mem, FILE_("a", "%zu"), i)));
	buf_puts(text, kit_crlf(mem, END));
	cr_assert_null(message_patch(mem, text->data, text->len, &publish, &once, &len));
	cr_assert_null(message_patch(mem, once, len, &publish, &twice, &again));
	cr_expect(len == again && !memcmp(once, twice, len), "%s\n--- again:\n%s", once, twice);
	cr_expect_not_null(strstr(once, "new.pdf"));
}

/* Large parts go and come back, octet for octet; what is no such line is a text. */
Test(message_files, are_elided)
{
#define PART_(body) HEAD CARD "--b\nContent-Disposition: attachment; filename=f\n\n" body "\n" END
	static const struct {
		const char *label, *text;
		size_t standins;
	} cases[] = {
		{ "a file", PART_("0123456789"), 1 },
		{ "the card is never elided", "From: a\n\n0123456789", 0 },
		{ "a small one", PART_("012"), 0 },
		{ "elided already", PART_("taskferry-part 2 100 4.7"), 1 },
	};
	static const char *const others[] = {
		"taskferry-part 2 100",        "taskferry-part 2 x 4.7",
		"taskferry-part .2 100 4.7",   "taskferry-part 2 -1 4.7",
		"taskferry-part 2 100 4.7\nx", "taskferry-part  100 4.7",
		"xtaskferry-part 2 100 4.7",
	};
	struct message_piece *pieces = NULL;
	size_t count = 0, len = 0;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = kit_crlf(mem, cases[i].text),
		     *elided = message_elide_all(mem, text, strlen(text), "4.7", 10, &len);
		struct buf *again = buf_new(mem);

		cr_assert_null(message_elide_pieces(mem, elided, len, &pieces, &count));
		cr_expect_eq(count, 2 * cases[i].standins + 1, "%s: %s", cases[i].label, elided);
		cr_expect(message_elide_sound(mem, elided, len, cases[i].standins));
		for (size_t k = 0; k < count; k++) {
			const char *body = pieces[k].text;
			size_t n = pieces[k].len;

			if (!body && !message_elide_find(mem, text, strlen(text),
							 pieces[k].standin.section, &body, &n))
				cr_assert_fail("%s: %s", cases[i].label, elided);
			buf_add(again, body, n);
		}
		cr_expect_str_eq(again->data, text, "%s: %s", cases[i].label, again->data);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		char *text = kit_crlf(mem, mem_printf(mem,
						      "%s--b\nContent-Disposition: attachment"
						      "\n\n%s\n%s",
						      HEAD CARD, others[i], END));

		cr_assert_null(message_elide_pieces(mem, text, strlen(text), &pieces, &count));
		cr_expect_eq(count, 1, "%s", others[i]);
	}
	cr_expect_eq(message_elide_pieces(
			     mem, kit_crlf(mem, PART_("taskferry-part 2 99999999999 4.7")),
			     strlen(kit_crlf(mem, PART_("taskferry-part 2 99999999999 4.7"))),
			     &pieces, &count)
			     ->kind,
		     FAULT_DATA);
}
