/* The tables of habits and of writers and the manual say the same. */
#include "config.h"

#include "model/habit.h"

#include "manual.h"
#include "model/writer.h"

#define MANUAL TF_SRCDIR "/doc/taskferry-sync.7"

static const struct row {
	const char *name, *who, *writes, *meaning;
} rows[] = {
#define X(name, who, writes, meaning) { #name, who, writes, meaning },
	HABIT_TABLE(X)
#undef X
};

/* What is expected, and what is there, entry by entry: lines that begin with `.It`. */
static void expect_list(TALLOC_CTX *mem, const char *expected, const char *part)
{
	const char *begin = strstr(part, ".It "), *end = strstr(part, "\n.El\n");
	const char *at = expected, *there;
	char *want, *got;

	cr_assert(begin && end && begin < end, "no list: %s", part);
	there = mem_strndup(mem, begin, (size_t)(end + 1 - begin));
	while ((want = manual_line(mem, &at))) {
		got = manual_line(mem, &there);
		cr_assert(text_same(want, got), "the table: %s\nthe manual: %s", want, got);
	}
	cr_expect_null(manual_line(mem, &there), "the table has nothing more, the manual: %s",
		       there);
}

Test(habit_doc, every_habit_stands_in_the_manual)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		buf_printf(text, ".It Cm %s\n.Em %s :\n%s\n.Em Here :\n%s\n", rows[i].name,
			   rows[i].who, rows[i].writes, rows[i].meaning);
	expect_list(mem, text->data,
		    manual_part(mem, manual_load(mem, MANUAL), ".Ss What it means"));
	talloc_free(mem);
}

static void put_writer(struct buf *text, const struct writer *writer)
{
	const char *comma = "";

	buf_printf(text, ".It Em %s\n", writer->name);
	for (int f = 0; f < FIELDS; f++)
		if (writer_clears(writer, (enum field)f)) {
			buf_printf(text, "%s%s", comma, field_table[f].name);
			comma = ", ";
		}
	buf_puts(text, ".\n");
	if (writer->started)
		buf_printf(text, "Invents %d per cent when a task is begun.\n", writer->started);
	if (writer->reopened)
		buf_printf(text, "Invents %d per cent when a task is opened again.\n",
			   writer->reopened);
	if (writer->rolls_up)
		buf_puts(text, "Computes the progress of a task from those below it.\n");
	if (writer->start_is_due)
		buf_puts(text, "Writes the due date as the start, too.\n");
	if (writer->keeps_prodid)
		buf_puts(text, "Leaves the PRODID of others on an item.\n");
}

Test(habit_doc, every_writer_stands_in_the_manual)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);

	for (size_t i = 0; i < writer_count; i++)
		put_writer(text, &writer_table[i]);
	expect_list(mem, text->data,
		    manual_part(mem, manual_load(mem, MANUAL), ".Ss Who wrote it"));
	talloc_free(mem);
}
