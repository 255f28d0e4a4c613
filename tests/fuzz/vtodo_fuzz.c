#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mappers/vtodo.h"
#include "tests/unit/vtodo_kept.h"

/* libFuzzer: the first byte chooses what is published, the rest is an item from somewhere.
 *
 *   F1  a text is decoded or refused, never both
 *   F2  what was decoded can be patched, unless the new text would be over the bounds
 *   F3  the lines of others stay byte for byte (N4)
 *   F4  a patched text is decoded again and says what was published; nothing more is to be written
 *   F5  the same patch again changes nothing
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; vtodo_fuzz -max_len=4096 CORPUS
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

/* What is published, one line per field as in vector_decode(). */
static const struct {
	const char *values, *trailer;
} publications[] = {
	{ "", NULL },
	{ "percent 60\nstatus in-process\ncompleted_at!\n", NULL },
	{ "percent 100\nstatus completed\ncompleted_at 2026-11-20T10:00:00Z\n",
	  "Actual work: 3 h\n" },
	{ "status needs-action\npercent!\ncompleted_at!\n", NULL },
	{ "subject S;u,b\\\\j\nnotes one\\ntwo\n", "Total work: 8 h\n" },
	{ "start 2026-03-01\ndue 2026-03-05\n", NULL },
	{ "start 2026-03-01T08:00:00Z\n", NULL },
	{ "due 2026-03-05T08:00:00Z\n", NULL },
	{ "start!\ndue!\npriority!\ncategories!\nnotes!\nparent!\ntotal_work!\nactual_work!\n",
	  NULL },
	{ "priority 5\ncategories a\\nb,c\nparent p\ntotal_work 480\nactual_work 90\n", "t\n" },
};

/* Properties that may change. */
static const char *const ours[] = { "DTSTAMP",
				    "LAST-MODIFIED",
				    "X-TASKFERRY-EDITION",
				    "SUMMARY",
				    "DTSTART",
				    "DUE",
				    "DURATION",
				    "STATUS",
				    "COMPLETED",
				    "PRIORITY",
				    "PERCENT-COMPLETE",
				    "CATEGORIES",
				    "RELATED-TO",
				    "DESCRIPTION",
				    "ESTIMATED-DURATION",
				    "X-TASKFERRY-ACTUAL-WORK",
				    "X-ALT-DESC",
				    NULL };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault *fault = zone_use(NULL, "Europe/Berlin");

	(void)argc;
	(void)argv;
	MUST(!fault, "no such zone");
	return 0;
}

static void check_patch(TALLOC_CTX *mem, const char *text, size_t len, uint8_t choice)
{
	size_t row = choice % COUNT_OF(publications);
	struct vector *values;
	struct vtodo_publish publish = { .edition = 3,
					 .edition_hash = "0123abcd",
					 .trailer = publications[row].trailer,
					 .now_us = INT64_C(1795251600000000) };
	char *first, *second, *difference;
	struct vtodo *vtodo;
	struct fault *fault;
	size_t first_len, second_len;

	MUST(!vector_decode(mem, publications[row].values, &values), "publication %zu is no vector",
	     row);
	publish.values = values;
	fault = vtodo_patch(mem, text, len, &publish, &first, &first_len);
	if (fault) {
		MUST(strstr(fault->text, "more than"), "F2: %s", fault->text);
		return;
	}
	difference = kept_difference(mem, text, len, first, first_len, ours);
	MUST(!difference, "F3: %s\n%s", difference, first);
	fault = vtodo_decode(mem, first, first_len, NULL, &vtodo);
	MUST(!fault, "F4: %s\n%s", fault->text, first);
	MUST(vtodo_same(values, vtodo->values), "F4: %s\nis read as %s\n%s",
	     publications[row].values, vector_encode(mem, vtodo->values), first);
	MUST(vtodo->edition == 3, "F4: edition\n%s", first);
	MUST(!vtodo_patch(mem, first, first_len, &publish, &second, &second_len), "F5: refused\n%s",
	     first);
	MUST(first_len == second_len && memcmp(first, second, first_len) == 0, "F5:\n%s\n%s", first,
	     second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *text = (const char *)data + 1;
	struct vtodo *vtodo = NULL;
	struct fault *fault;

	if (size > 0) {
		fault = vtodo_decode(mem, text, size - 1, NULL, &vtodo);
		MUST(!fault == (vtodo != NULL), "F1");
		if (vtodo)
			check_patch(mem, text, size - 1, data[0]);
	}
	talloc_free(mem);
	return 0;
}
