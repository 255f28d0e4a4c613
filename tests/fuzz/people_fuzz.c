#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/people.h"

/* libFuzzer: the bytes are a CSV file of people.
 *
 *   F1  it is read or refused, never both; refused with DATA, file and line
 *   F2  everyone has a name or a key; addresses are such; no key twice
 *   F3  written anew, everything in quotes, it is read as the same
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; people_fuzz -max_len=2048 CORPUS
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, __VA_ARGS__);                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void add_cell(struct buf *buf, const char *cell, const char *end)
{
	buf_putc(buf, '"');
	for (; cell && *cell; cell++) {
		if (*cell == '"')
			buf_putc(buf, '"');
		buf_putc(buf, *cell);
	}
	buf_putc(buf, '"');
	buf_puts(buf, end);
}

static struct buf *written(TALLOC_CTX *mem, const struct person *people, size_t count)
{
	struct buf *buf = buf_new(mem);

	buf_puts(buf, "key;name;email\r\n");
	for (size_t i = 0; i < count; i++) {
		add_cell(buf, people[i].key, ";");
		add_cell(buf, people[i].name, ";");
		add_cell(buf, people[i].email, "\r\n");
	}
	return buf;
}

static void check_people(TALLOC_CTX *mem, const struct person *people, size_t count)
{
	struct buf *text = written(mem, people, count);
	struct person *again = NULL;
	struct fault *fault;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		MUST(people[i].key || people[i].name, "F2: nobody");
		MUST(!people[i].email || text_is_address(people[i].email), "F2: %s",
		     people[i].email);
		for (size_t j = 0; people[i].key && j < i; j++)
			MUST(!text_same(people[i].key, people[j].key), "F2: %s twice",
			     people[i].key);
	}
	fault = people_read(mem, "again.csv", text->data, text->len, &again, &n);
	MUST(!fault, "F3: %s\n%s", fault->text, text->data);
	MUST(n == count, "F3: %zu, then %zu", count, n);
	for (size_t i = 0; i < count; i++)
		MUST(text_same(people[i].key, again[i].key) &&
			     text_same(people[i].name, again[i].name) &&
			     text_same(people[i].email, again[i].email),
		     "F3: person %zu\n%s", i, text->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct person *people = NULL;
	size_t count = 0;
	struct fault *fault =
		people_read(mem, "fuzz.csv", (const char *)data, size, &people, &count);

	MUST(!fault == (people != NULL), "F1");
	MUST(!fault || (fault->kind == FAULT_DATA && text_starts(fault->text, "fuzz.csv:")),
	     "F1: %s", fault->text);
	if (people)
		check_people(mem, people, count);
	talloc_free(mem);
	return 0;
}
