/* store_world.h - a database in a temporary folder with a little in it, for tests of what stands on
 * the store. */
#ifndef TASKFERRY_TESTS_STORE_WORLD_H
#define TASKFERRY_TESTS_STORE_WORLD_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/link.h"
#include "store/project.h"

#define STORE_OK(call)                                                                             \
	do {                                                                                       \
		struct fault *store_fault_ = (call);                                               \
		cr_assert_null(store_fault_, "%s: %s", #call,                                      \
			       store_fault_ ? store_fault_->text : "");                            \
	} while (0)

#define STORE_START_US INT64_C(1795251600000000) /* 2026-11-21T09:00:00Z */

struct store_world {
	TALLOC_CTX *mem;
	const char *directory, *path, *dsn;
	struct clock *clock;
	struct store *store;
	/* made by store_world_fill() */
	int64_t project, task, ana, bob;
	struct assignment *assignment; /* of the task to ana */
};

/* A folder and a path in it; no database yet. */
static inline struct store_world store_world_empty(void)
{
	char template[] = "/tmp/taskferry-store-XXXXXX";
	struct store_world world = { .mem = talloc_new(NULL) };

	cr_assert_not_null(mkdtemp(template));
	world.directory = mem_strdup(world.mem, template);
	world.path = mem_printf(world.mem, "%s/site.db", world.directory);
	world.dsn = mem_printf(world.mem, "sqlite:%s", world.path);
	world.clock = clock_set(world.mem, STORE_START_US);
	return world;
}

static inline struct store_world store_world_new(void)
{
	struct store_world world = store_world_empty();
	bool created = false;

	STORE_OK(store_init(world.mem, world.dsn, world.clock, NULL, &created));
	cr_assert(created);
	STORE_OK(store_open(world.mem, world.dsn, world.clock, NULL, &world.store));
	return world;
}

/* A project with a task of Ana's; Bob is known too. */
static inline void store_world_fill(struct store_world *world)
{
	struct project project = { .code = "harbour", .source_key = "guid-1", .name = "Harbour" };
	struct resource ana = { .key = "ana@example.com",
				.name = "Ana",
				.email = "ana@example.com" };
	struct resource bob = { .key = "bob", .name = "Bob" };
	struct assignment assignment = { .source_key = "7", .uid = "uid-1" };

	STORE_OK(store_begin(world->store));
	STORE_OK(project_add(world->store, &project, &world->project));
	STORE_OK(project_task_add(world->store, world->project, "17", 1, &world->task));
	STORE_OK(project_resource_add(world->store, &ana, &world->ana));
	STORE_OK(project_resource_add(world->store, &bob, &world->bob));
	assignment.project_id = world->project;
	assignment.task_id = world->task;
	assignment.resource_id = world->ana;
	STORE_OK(project_assignment_add(world->store, &assignment, "project:x", NULL,
					&assignment.id));
	STORE_OK(store_commit(world->store));
	STORE_OK(project_assignment(world->store, world->mem, assignment.id, &world->assignment));
}

static inline void store_world_free(struct store_world *world)
{
	DIR *directory;
	struct dirent *entry;

	talloc_free(world->store);
	directory = opendir(world->directory);
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlink(
				mem_printf(world->mem, "%s/%s", world->directory, entry->d_name));
	if (directory)
		closedir(directory);
	(void)rmdir(world->directory);
	talloc_free(world->mem);
}

static inline void store_world_expect_fault(struct fault *fault, enum fault_kind kind,
					    const char *words)
{
	cr_assert_not_null(fault, "no fault, expected %s '%s'", fault_kind_name(kind), words);
	cr_expect_eq(fault->kind, kind, "expected %s, actual %s: %s", fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_expect_not_null(strstr(fault->text, words), "expected '%s' in: %s", words, fault->text);
}

#endif
