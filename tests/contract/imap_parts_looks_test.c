/* imap_parts_looks_test.c - a server that gives a long message in small bites. The linker leads calls of
 * message_elide_next() here. */
#include "config.h"

#include "base/buf.h"
#include "imap_scripted.h"
#include "mappers/message_elide.h"

#define SIZE (3 * IMAP_WHOLE_MAX)
#define BITE 1000      /* bytes, however much was asked for */
#define BITES_MAX 1000 /* of imap_parts.c */
#define LOOKS_MAX 5    /* one for each IMAP_WHOLE_MAX that came, one at the end, one to spare */

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

/* A message of SIZE, of which BITE bytes come at a time; the item that it is fetched as. */
static struct endpoint_item *fetch_in_bites(TALLOC_CTX *mem, size_t bite, struct lab **lab_r)
{
	const struct imap_script_row said[] = {
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
		  .say = mem_printf(mem,
				    "* 1 FETCH (UID 3 BODY[]<0> {%zu}\r\n%s)\r\n$T OK done\r\n",
				    bite, letters(mem, "", bite)) },
	};
	struct imap_script_row *rows = talloc_memdup(mem, said, sizeof said);
	struct lab *lab = lab_new(rows, COUNT_OF(said), NULL);
	const char *address = "0000000077.0000000003";
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->endpoint, lab, FOLDER, &address, 1, &items), "fetch");
	*lab_r = lab;
	return items;
}

Test(imap_parts_looks, work_does_not_grow_with_the_number_of_bites)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct lab *lab = NULL;
	struct endpoint_item *item = fetch_in_bites(mem, BITE, &lab);

	fine(item->fault, "item");
	cr_assert_geq(item->len, SIZE);
	cr_assert_geq(heard_times(lab, "BODY.PEEK[]<"), (SIZE - IMAP_WHOLE_MAX) / BITE);
	cr_assert_leq(looks, LOOKS_MAX, "%zu", looks);
	lab_end(lab);
	talloc_free(mem);
}

Test(imap_parts_looks, bites_have_an_end)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct lab *lab = NULL;
	struct endpoint_item *item = fetch_in_bites(mem, 1, &lab);

	cr_assert_not_null(item->fault);
	cr_assert_eq(item->fault->kind, FAULT_PROTOCOL);
	cr_assert_leq(heard_times(lab, "BODY.PEEK[]<"), BITES_MAX + 2); /* with the first look */
	lab_end(lab);
	talloc_free(mem);
}
