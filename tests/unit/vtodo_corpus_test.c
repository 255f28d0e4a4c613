#include "config.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "mappers/vtodo.h"
#include "tests/unit/vtodo_kept.h"

/* Every file of $TASKFERRY_CORPUS/ics is read; what can be read is patched, one field at a time. */
static void *mem;

#define NOW_US INT64_C(1795251600000000) /* 2026-11-21T09:00:00Z */

struct sample {
	char *path, *text;
	size_t len;
};

struct corpus {
	struct sample *file;
	size_t count;
};

static void add_file(struct corpus *files, const char *path, size_t size)
{
	FILE *in = fopen(path, "rb");
	struct sample *file;

	cr_assert(in, "%s", path);
	files->file = MEM_GROW(mem, files->file, struct sample, files->count + 1);
	file = &files->file[files->count++];
	file->path = mem_strdup(mem, path);
	file->text = talloc_zero_size(mem, size + 1);
	file->len = fread(file->text, 1, size, in);
	cr_assert_eq(file->len, size, "%s", path);
	fclose(in);
}

static void add_folder(struct corpus *files, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	cr_assert(dir, "%s", path);
	while ((entry = readdir(dir))) {
		char *name = mem_printf(mem, "%s/%s", path, entry->d_name);
		struct stat st;

		if (entry->d_name[0] == '.' || stat(name, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			add_folder(files, name);
		else
			add_file(files, name, (size_t)st.st_size);
	}
	closedir(dir);
}

static struct corpus corpus(void)
{
	const char *root = getenv("TASKFERRY_CORPUS");
	struct corpus files = { NULL, 0 };

	if (!root)
		cr_skip_test("TASKFERRY_CORPUS is not set: no file of the corpus was read");
	mem = talloc_new(NULL);
	cr_assert(!zone_use(mem, "Europe/Berlin"));
	add_folder(&files, mem_printf(mem, "%s/ics", root));
	cr_assert(files.count > 0, "no file in %s/ics", root);
	return files;
}

Test(vtodo_corpus, decoded_or_set_aside)
{
	struct corpus files = corpus();
	size_t decoded = 0, with_problems = 0, aside = 0;

	for (size_t i = 0; i < files.count; i++) {
		struct sample *file = &files.file[i];
		struct vtodo *vtodo = NULL;
		struct fault *fault = vtodo_decode(mem, file->text, file->len, NULL, &vtodo);

		cr_expect(fault ? fault->kind == FAULT_DATA && *fault->text && !vtodo
				: vtodo != NULL,
			  "%s", file->path);
		if (fault) {
			printf("set aside: %s: %s\n", file->path, fault->text);
			aside++;
			continue;
		}
		decoded++;
		with_problems += vtodo->problem_count > 0;
		for (size_t k = 0; k < vtodo->problem_count; k++)
			printf("problem: %s: %s\n", file->path, vtodo->problems[k]);
	}
	printf("vtodo_corpus: %zu files: %zu decoded (%zu with problems), %zu set aside\n",
	       files.count, decoded, with_problems, aside);
	talloc_free(mem);
}

static const struct {
	enum field field;
	const char *value;   /* "" clears */
	const char *ours[4]; /* besides the stamps and the edition */
} changes[] = {
	{ FIELD_subject, "Changed; subject, with \xE2\x82\xAC", { "SUMMARY" } },
	{ FIELD_start, "2001-02-03", { "DTSTART", "DUE", "DURATION" } }, /* DURATION becomes DUE */
	{ FIELD_start, "2031-02-03", { "DTSTART", "DUE", "DURATION" } },
	{ FIELD_due, "2031-02-04", { "DUE", "DTSTART", "DURATION" } },
	{ FIELD_due, "2031-02-04T10:00:00Z", { "DUE", "DTSTART", "DURATION" } },
	{ FIELD_due, "", { "DUE", "DURATION" } },
	{ FIELD_priority, "1", { "PRIORITY" } },
	{ FIELD_priority, "9", { "PRIORITY" } },
	{ FIELD_categories, "new\nset, of", { "CATEGORIES" } },
	{ FIELD_categories, "", { "CATEGORIES" } },
	{ FIELD_total_work, "495", { "ESTIMATED-DURATION" } },
	{ FIELD_status, "cancelled", { "STATUS", "COMPLETED" } },
	{ FIELD_percent, "61", { "PERCENT-COMPLETE" } },
	{ FIELD_percent, "", { "PERCENT-COMPLETE" } },
	{ FIELD_notes, "changed\nnotes", { "DESCRIPTION", "X-ALT-DESC" } },
	{ FIELD_notes, "", { "DESCRIPTION", "X-ALT-DESC" } },
};

/* Patches one field; returns whether the item takes it (dates of recurring items are left alone).
 */
static void patch_file(const struct sample *file, const struct vtodo *before, size_t change)
{
	const char *ours[8] = { "DTSTAMP", "LAST-MODIFIED", "X-TASKFERRY-EDITION" };
	struct vector *values = vector_new(mem);
	struct vtodo_publish publish = {
		.values = values, .edition = 9, .edition_hash = "0123abcd", .now_us = NOW_US
	};
	enum field field = changes[change].field;
	struct value value;
	struct vtodo *after;
	char *text, *again, *difference;
	size_t len, again_len;

	memcpy(ours + 3, changes[change].ours, sizeof(changes[change].ours));
	cr_assert(!value_parse(mem, field, changes[change].value, &value));
	vector_put(values, field, &value);
	cr_assert(!vtodo_patch(mem, file->text, file->len, &publish, &text, &len), "%s",
		  file->path);
	difference = kept_difference(mem, file->text, file->len, text, len, ours);
	cr_expect_null(difference, "%s, %s: %s", file->path, field_table[field].name, difference);
	cr_assert(!vtodo_decode(mem, text, len, NULL, &after), "%s", file->path);
	cr_expect_eq(after->edition, 9, "%s", file->path);
	if (before->recurring && field_table[field].type == FIELD_WHEN)
		return;
	/* a start later than DUE is not written */
	if (field != FIELD_start || before->values->value[FIELD_due].presence != SET)
		cr_expect(value_same(field, &value, &after->values->value[field]),
			  "%s: %s: expected [%s], got [%s]", file->path, field_table[field].name,
			  changes[change].value,
			  value_text(mem, field, &after->values->value[field]));
	cr_assert(!vtodo_patch(mem, text, len, &publish, &again, &again_len));
	cr_expect(len == again_len && memcmp(text, again, len) == 0, "%s, %s: not a fixpoint",
		  file->path, field_table[field].name);
}

Test(vtodo_corpus, patched)
{
	struct corpus files = corpus();
	size_t patched = 0;

	for (size_t i = 0; i < files.count; i++) {
		struct vtodo *vtodo;

		if (vtodo_decode(mem, files.file[i].text, files.file[i].len, NULL, &vtodo))
			continue;
		for (size_t change = 0; change < COUNT_OF(changes); change++, patched++)
			patch_file(&files.file[i], vtodo, change);
	}
	printf("vtodo_corpus: %zu patches of one field each\n", patched);
	talloc_free(mem);
}
