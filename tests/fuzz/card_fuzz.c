#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mappers/card.h"

/* libFuzzer: lines of a vector, as vector_decode() reads them, then a line "=", then a card from
 * somewhere.
 *
 *   F1  a card that is read and one that is written give the same values as card_normal(), with a
 *       trailer and without one
 *   F2  card_normal() of normal values changes nothing
 *   F3  what is read of any text can be written and read again
 *   F4  no line of a text is lost: it stands in the notes, or it is a key line, or the trailer's
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; card_fuzz -max_len=2048 CORPUS
 */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, __VA_ARGS__);                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define TRAILER "Project: Harbour\nWork: 3 h of 12 h\n" TRAILER_HOW_TO_REPORT "\n"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault *fault = zone_use(NULL, "Europe/Berlin");

	(void)argc;
	(void)argv;
	MUST(!fault, "no such zone");
	return 0;
}

static void must_be_same(TALLOC_CTX *mem, const struct vector *a, const struct vector *b,
			 const char *what, const char *text)
{
	for (int i = 0; i < FIELDS; i++)
		MUST(a->value[i].presence == b->value[i].presence &&
			     value_identical((enum field)i, &a->value[i], &b->value[i]),
		     "%s: %s\n%s\n=====\n%s\n=====\n%s", what, field_table[i].name,
		     vector_encode(mem, a), vector_encode(mem, b), text);
}

static void check_values(TALLOC_CTX *mem, const struct vector *values)
{
	struct vector *normal = card_normal(mem, values);
	const char *notes = vector_str(values, FIELD_notes);
	char *with = card_write(mem, values, TRAILER), *without = card_write(mem, values, NULL);
	struct card *card = card_read(mem, with, NULL);

	MUST(card->problem_count == 0, "F1: %s\n%s", card->problems[0], with);
	must_be_same(mem, card->values, normal, "F1", with);
	must_be_same(mem, card_read(mem, with, with)->values, normal, "F1, last", with);
	if (!notes || !strchr(notes, *TRAILER_MARK))
		must_be_same(mem, card_read(mem, without, NULL)->values, normal, "F1, no trailer",
			     without);
	must_be_same(mem, card_normal(mem, normal), normal, "F2", with);
}

static bool is_key_line(TALLOC_CTX *mem, const char *line)
{
	const char *colon = strchr(line, ':');
	char *key = colon ? mem_strndup(mem, line, (size_t)(colon - line)) : NULL, *out = key;

	if (!key)
		return false;
	for (const char *c = key; *c; c++)
		if (!strchr(" \t\v\f\xc2\xa0\xe2\x80\xaf\x89", *c))
			*out++ = *c;
	*out = '\0';
	for (int i = 0; i < FIELDS; i++) {
		char *card = mem_strdup(mem, field_table[i].card ? field_table[i].card : "");
		char *blank = strchr(card, ' ');

		if (blank)
			memmove(blank, blank + 1, strlen(blank));
		if (*card && text_equal_nocase(card, key))
			return true;
	}
	return false;
}

/* Without blanks of any kind: those at a line's end are not kept. */
static char *packed(TALLOC_CTX *mem, const char *text)
{
	static const char *const blanks[] = { " ", "\t", "\v", "\f", "\u00a0", "\u202f", "\u2009" };
	char *copy = mem_strdup(mem, text), *out = copy;

	while (*text) {
		size_t blank = 0;

		for (size_t i = 0; i < COUNT_OF(blanks); i++)
			blank = text_starts(text, blanks[i]) ? strlen(blanks[i]) : blank;
		if (blank)
			text += blank;
		else
			*out++ = *text++;
	}
	*out = '\0';
	return copy;
}

/* With a trailer's marks and words in it, the trailer's own tests tell what may go. */
static void check_lost(TALLOC_CTX *mem, const char *text, const char *notes)
{
	char *copy = mem_strdup(mem, text), *save = NULL;

	notes = packed(mem, notes ? notes : "");
	if (strchr(text, *TRAILER_MARK) || text_glob("*taskferry*", text))
		return;
	for (char *line = strtok_r(copy, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		MUST(is_key_line(mem, line) || strstr(notes, packed(mem, line)),
		     "F4: \"%s\" is gone\n%s\n=====\n%s", line, text, notes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *input = text_to_utf8(mem, (const char *)data, size);
	char *text = strstr(input, "\n=\n");
	struct vector *values = vector_new(mem);
	struct card *card;
	char *last;

	if (text) {
		*++text = '\0';
		text += 2;
		if (vector_decode(mem, input, &values))
			values = vector_new(mem);
	} else {
		text = input;
	}
	check_values(mem, values);
	last = card_write(mem, values, TRAILER);
	card = card_read(mem, text, last);
	check_values(mem, card->values);
	card = card_read(mem, text, NULL);
	check_lost(mem, text, vector_str(card->values, FIELD_notes));
	check_values(mem, card->values);
	talloc_free(mem);
	return 0;
}
