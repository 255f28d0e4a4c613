/* imap_parts_looks_test.c - a server that gives a long message in small bites. The linker leads calls of
 * message_elide_next() here. */
#include "config.h"

#include "base/buf.h"
#include "imap_scripted.h"
#include "mappers/message_elide.h"

#define SIZE (3 * IMAP_WHOLE_MAX)
#define BITE 1000   /* bytes, however much was asked for */
#define LOOKS_MAX 5 /* one for each IMAP_WHOLE_MAX that came, one at the end, one to spare */

static size_t looks;

bool __real_message_elide_next(TALLOC_CTX *mem, const char *text, size_t len,
			       const struct message_section *sections, size_t count, int64_t min,
			       size_t *body_r, struct message_section *section_r);
bool __wrap_message_elide_next(TALLOC_CTX *mem, const char *text, size_t len,
			       const struct message_section *sections, size_t count, int64_t min,
			       size_t *body_r, struct message_section *section_r);

bool __wrap_message_elide_next(TALLOC_CTX *mem, const char *text, size_t len,
			       const struct message_section *sections, size_t count, int64_t min,
			       size_t *body_r, struct message_section *section_r)
{
	looks++;
	return __real_message_elide_next(mem, text, len, sections, count, min, body_r, section_r);
}

static const char *letters(TALLOC_CTX *mem, const char *begin, size_t len)
{
	struct buf *text = buf_new(mem);

	buf_puts(text, begin);
	while (text->len < len)
		buf_putc(text, text->len % 72 ? 'a' : '\n');
	return text->data;
}

Test(imap_parts_looks, work_does_not_grow_with_the_number_of_bites)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_script_row rows[] = {
		{ .when = "UID FETCH 3 (UID FLAGS",
		  .say = mem_printf(
			  mem, "* 1 FETCH (UID 3 FLAGS () BODY[]<0> {%zu}\r\n%s)\r\n$T OK done\r\n",
			  IMAP_WHOLE_MAX + 1, letters(mem, "Subject: a\n\n", IMAP_WHOLE_MAX + 1)) },
		{ .when = "UID FETCH 3 (UID RFC822.SIZE",
		  .say = mem_printf(
			  mem,
			  "* 1 FETCH (UID 3 RFC822.SIZE %zu BODYSTRUCTURE (\"text\" \"plain\" NIL "
			  "NIL NIL \"7bit\" %zu 9))\r\n$T OK done\r\n",
			  SIZE, SIZE) },
		{ .when = "UID FETCH 3 (UID BODY.PEEK[]<",
		  .say = mem_printf(mem, "* 1 FETCH (UID 3 BODY[]<0> {%d}\r\n%s)\r\n$T OK done\r\n",
				    BITE, letters(mem, "", BITE)) },
	};
	struct lab *lab = lab_new(rows, COUNT_OF(rows), NULL);
	const char *address = "0000000077.0000000003";
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->endpoint, lab, FOLDER, &address, 1, &items), "fetch");
	fine(items[0].fault, "item");
	cr_assert_geq(items[0].len, SIZE);
	cr_assert_geq(heard_times(lab, "BODY.PEEK[]<"), (SIZE - IMAP_WHOLE_MAX) / BITE);
	cr_assert_leq(looks, LOOKS_MAX, "%zu", looks);
	lab_end(lab);
	talloc_free(mem);
}
