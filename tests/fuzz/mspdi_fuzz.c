#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mappers/mspdi.h"

/* libFuzzer: the bytes are a Project XML file.
 *
 *   F1  it is read or refused, never both; refused with DATA, file and line
 *   F2  keys of tasks and of resources are unique; what names one names one of this file
 *   F3  a task has a subject of at most SUBJECT_MAX_CHARS; percent is 0 to 100; parents make no
 * circle F4  reading it again gives the same
 *
 *   clang -fsanitize=fuzzer,address,undefined ... ; mspdi_fuzz -max_len=8192 CORPUS
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

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault *fault = zone_use(NULL, "Europe/Berlin");

	(void)argc;
	(void)argv;
	MUST(!fault, "no such zone");
	return 0;
}

static const struct projfile_task *find_task(const struct projfile *file, const char *key)
{
	for (size_t i = 0; i < file->task_count; i++)
		if (strcmp(file->tasks[i].key, key) == 0)
			return &file->tasks[i];
	return NULL;
}

static bool has_resource(const struct projfile *file, const char *key)
{
	for (size_t i = 0; i < file->resource_count; i++)
		if (strcmp(file->resources[i].key, key) == 0)
			return true;
	return false;
}

static void check_tasks(const struct projfile *file)
{
	for (size_t i = 0; i < file->task_count; i++) {
		const struct projfile_task *task = &file->tasks[i], *above = task;
		const char *subject = vector_str(task->values, FIELD_subject);
		size_t steps = 0;

		MUST(find_task(file, task->key) == task, "F2: task %s twice", task->key);
		MUST(subject && text_length(subject) <= SUBJECT_MAX_CHARS, "F3: subject");
		while (above->parent_key) {
			above = find_task(file, above->parent_key);
			MUST(above, "F2: parent of %s", task->key);
			MUST(++steps <= file->task_count, "F3: %s is its own parent", task->key);
		}
	}
}

static void check_assignments(const struct projfile *file)
{
	for (size_t i = 0; i < file->assignment_count; i++) {
		const struct projfile_assignment *assignment = &file->assignments[i];
		int64_t percent = vector_get(assignment->values, FIELD_percent, 0);

		MUST(find_task(file, assignment->task_key), "F2: task of assignment");
		MUST(has_resource(file, assignment->resource_key), "F2: resource of assignment");
		MUST(percent >= 0 && percent <= 100, "F3: percent");
	}
}

/* What a file says, as one text. */
static char *shown(TALLOC_CTX *mem, const struct projfile *file)
{
	char *text =
		mem_printf(mem, "%zu %zu %zu %zu %zu %zu %zu\n", file->task_count,
			   file->resource_count, file->assignment_count, file->skipped_tasks,
			   file->skipped_resources, file->skipped_assignments, file->warning_count);

	for (size_t i = 0; i < file->task_count; i++)
		text = mem_printf(mem, "%s%s %s\n", text, file->tasks[i].key,
				  vector_encode(mem, file->tasks[i].values));
	for (size_t i = 0; i < file->assignment_count; i++)
		text = mem_printf(mem, "%s%s\n", text,
				  vector_encode(mem, file->assignments[i].values));
	return text;
}

static void check_file(TALLOC_CTX *mem, const struct projfile *file, const char *text, size_t size)
{
	struct projfile *again = NULL;

	for (size_t i = 0; i < file->resource_count; i++)
		MUST(!file->resources[i].email || text_is_address(file->resources[i].email),
		     "F3: address");
	check_tasks(file);
	check_assignments(file);
	MUST(!mspdi_read(mem, "fuzz.xml", text, size, &again), "F4: refused");
	MUST(strcmp(shown(mem, file), shown(mem, again)) == 0, "F4: not the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct projfile *file = NULL;
	struct fault *fault = mspdi_read(mem, "fuzz.xml", (const char *)data, size, &file);

	MUST(!fault == (file != NULL), "F1");
	MUST(!fault || (fault->kind == FAULT_DATA && text_starts(fault->text, "fuzz.xml:")),
	     "F1: %s", fault->text);
	if (file)
		check_file(mem, file, (const char *)data, size);
	talloc_free(mem);
	return 0;
}
