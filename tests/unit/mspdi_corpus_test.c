#include "config.h"

#include "mappers/mspdi.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Real Project XML files, found through TASKFERRY_CORPUS. What is expected of each is counted here
 * from its DOM, by the rules of DESIGN section 10 and nothing of the reader's. */

static TALLOC_CTX *mem;

static void setup(void)
{
	struct fault *fault;

	mem = MEM_CONTEXT(NULL);
	fault = zone_use(mem, "Europe/Berlin");
	cr_assert_null(fault, "%s", fault ? fault->text : "");
}

static void teardown(void)
{
	talloc_free(mem);
}

TestSuite(mspdi_corpus, .init = setup, .fini = teardown);

struct counts {
	size_t tasks, resources, assignments;
};

static const xmlNode *child(const xmlNode *node, const char *name)
{
	for (const xmlNode *c = node ? node->children : NULL; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0)
			return c;
	return NULL;
}

/* The text of a child, "" when there is none. */
static const char *child_text(const xmlNode *node, const char *name)
{
	const xmlNode *c = child(node, name);
	xmlChar *content = c ? xmlNodeGetContent(c) : NULL;
	char *text = mem_strdup(mem, content ? (const char *)content : "");

	xmlFree(content);
	return text;
}

static bool is_kept_task(const xmlNode *task)
{
	return strcmp(child_text(task, "IsNull"), "1") != 0 &&
	       strcmp(child_text(task, "UID"), "0") != 0;
}

static bool is_kept_resource(const xmlNode *resource)
{
	const char *type = child_text(resource, "Type");

	return strcmp(type, "0") != 0 && strcmp(type, "2") != 0 &&
	       strcmp(child_text(resource, "IsCostResource"), "1") != 0 &&
	       strcmp(child_text(resource, "UID"), "0") != 0;
}

static bool has_uid(const xmlNode *list, const char *uid, bool (*kept)(const xmlNode *))
{
	for (const xmlNode *c = list ? list->children : NULL; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE && strcmp(child_text(c, "UID"), uid) == 0)
			return kept(c);
	return false;
}

static size_t count_kept(const xmlNode *list, bool (*kept)(const xmlNode *))
{
	size_t n = 0;

	for (const xmlNode *c = list ? list->children : NULL; c; c = c->next)
		n += c->type == XML_ELEMENT_NODE && kept(c);
	return n;
}

static struct counts expected_counts(const char *path)
{
	xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
	const xmlNode *root, *tasks, *resources, *assignments;
	struct counts counts;

	cr_assert_not_null(doc, "%s", path);
	root = xmlDocGetRootElement(doc);
	tasks = child(root, "Tasks");
	resources = child(root, "Resources");
	assignments = child(root, "Assignments");
	counts.tasks = count_kept(tasks, is_kept_task);
	counts.resources = count_kept(resources, is_kept_resource);
	counts.assignments = 0;
	for (const xmlNode *a = assignments ? assignments->children : NULL; a; a = a->next) {
		const char *resource;

		if (a->type != XML_ELEMENT_NODE)
			continue;
		resource = child_text(a, "ResourceUID");
		counts.assignments += strcmp(resource, "0") != 0 &&
				      strcmp(resource, "-65535") != 0 &&
				      has_uid(tasks, child_text(a, "TaskUID"), is_kept_task) &&
				      has_uid(resources, resource, is_kept_resource);
	}
	xmlFreeDoc(doc);
	return counts;
}

static bool names_a_task(const struct projfile *file, const char *key)
{
	for (size_t i = 0; i < file->task_count; i++)
		if (strcmp(file->tasks[i].key, key) == 0)
			return true;
	return false;
}

static bool names_a_resource(const struct projfile *file, const char *key)
{
	for (size_t i = 0; i < file->resource_count; i++)
		if (strcmp(file->resources[i].key, key) == 0)
			return true;
	return false;
}

static void check_values(const char *path, const struct projfile *file)
{
	for (size_t i = 0; i < file->task_count; i++) {
		const struct projfile_task *task = &file->tasks[i];

		cr_expect(vector_str(task->values, FIELD_subject), "%s: task %s has no subject",
			  path, task->key);
		cr_expect(!task->parent_key || names_a_task(file, task->parent_key),
			  "%s: task %s: parent %s", path, task->key, task->parent_key);
		cr_expect_eq(task->values->value[FIELD_percent].presence, ABSENT);
	}
	for (size_t i = 0; i < file->assignment_count; i++) {
		const struct projfile_assignment *assignment = &file->assignments[i];
		const struct vector *values = assignment->values;
		int64_t percent = vector_get(values, FIELD_percent, 0);

		cr_expect(names_a_task(file, assignment->task_key), "%s: %s", path,
			  assignment->task_key);
		cr_expect(names_a_resource(file, assignment->resource_key), "%s: %s", path,
			  assignment->resource_key);
		cr_expect(percent >= 0 && percent <= 100, "%s: %lld %%", path, (long long)percent);
		cr_expect(vector_is_set(values, FIELD_due), "%s: assignment %s has no due", path,
			  assignment->key);
		cr_expect_eq(values->value[FIELD_subject].presence, ABSENT);
	}
}

static void check_file(const char *path)
{
	struct counts expected = expected_counts(path);
	struct projfile *file = NULL;
	struct fault *fault = mspdi_read_file(mem, path, NULL, NULL, &file);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_eq(file->task_count, expected.tasks, "%s: tasks: expected %zu, got %zu", path,
		     expected.tasks, file->task_count);
	cr_expect_eq(file->resource_count, expected.resources,
		     "%s: resources: expected %zu, got %zu", path, expected.resources,
		     file->resource_count);
	cr_expect_eq(file->assignment_count, expected.assignments,
		     "%s: assignments: expected %zu, got %zu", path, expected.assignments,
		     file->assignment_count);
	check_values(path, file);
	talloc_free(file);
}

static size_t check_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(dir, "%s", folder);
	while ((entry = readdir(dir)) != NULL)
		if (text_ends(entry->d_name, ".xml")) {
			check_file(mem_printf(mem, "%s/%s", folder, entry->d_name));
			n++;
		}
	closedir(dir);
	return n;
}

Test(mspdi_corpus, every_file_is_read_as_its_dom_counts)
{
	const char *corpus = getenv("TASKFERRY_CORPUS");
	size_t n;

	if (!corpus) {
		teardown(); /* a skipped test does not come to its end */
		cr_skip_test(
			"TASKFERRY_CORPUS is not set: the files of its mspdi folder were not read");
	}
	n = check_folder(mem_printf(mem, "%s/mspdi", corpus));
	cr_expect(n > 0, "no file in %s/mspdi", corpus);
}

/* The same of our own samples, which are always there. */
Test(mspdi_corpus, every_sample_is_read_as_its_dom_counts)
{
	cr_expect_eq(check_folder(TF_SRCDIR "/contrib/samples"), 3);
}
