/* engine_world.h - an engine with a real database, memory servers and one that hangs, for its
 * tests.
 *
 * People are pN@SERVER.example.com; each has one task in the project. Servers: those of the letters
 * given; 'a' to 'f' are memory servers, 'h' is a CalDAV server that takes connections and never
 * answers. */
#ifndef TASKFERRY_TESTS_ENGINE_WORLD_H
#define TASKFERRY_TESTS_ENGINE_WORLD_H

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/memory/memory.h"
#include "gateway/sync/engine.h"
#include "queue/queue.h"

#define ENGINE_OK(call)                                                                            \
	do {                                                                                       \
		struct fault *engine_fault_ = (call);                                              \
		cr_assert_null(engine_fault_, "%s: %s", #call,                                     \
			       engine_fault_ ? engine_fault_->text : "");                          \
	} while (0)

#define WORLD_PATIENCE_MS 120000 /* for what takes a moment, on a busy machine too */

/* The system's clock, turned by the test. */
struct turned_clock {
	struct clock clock; /* first */
	atomic_llong by_us;
};

static inline int64_t turned_now_us(struct clock *clock)
{
	struct turned_clock *turned = (struct turned_clock *)clock;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000 + atomic_load(&turned->by_us);
}

struct engine_world {
	TALLOC_CTX *mem;
	const char *directory, *dsn, *log_path;
	struct turned_clock *clock;
	struct conf *conf;
	struct store *store;
	FILE *log_file;
	struct log *log;
	struct http *http;
	struct engine *engine;
	int hanging; /* the socket that never answers; -1: none */
	int64_t project;
};

static inline int64_t world_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void world_pause(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* True as soon as TEST is, false after WORLD_PATIENCE_MS. */
static inline bool world_until(bool (*test)(struct engine_world *world, void *data),
			       struct engine_world *world, void *data)
{
	int64_t end = world_now_ms() + WORLD_PATIENCE_MS;

	while (!test(world, data)) {
		if (world_now_ms() > end)
			return false;
		world_pause(10);
	}
	return true;
}

/* Listens and never accepts: the system takes connections, and nobody reads. */
static inline int world_hanging_port(struct engine_world *world)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world->hanging = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(world->hanging, 0);
	cr_assert_eq(bind(world->hanging, (struct sockaddr *)&at, sizeof at), 0);
	cr_assert_eq(listen(world->hanging, 64), 0);
	cr_assert_eq(getsockname(world->hanging, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static inline void world_conf(struct engine_world *world, const char *servers)
{
	struct buf *ini = buf_new(world->mem);
	struct conf_report *report = NULL;

	buf_printf(ini,
		   "[site]\nurl = https://pm.example.com/web\ntimezone = UTC\n[store]\ndsn = %s\n",
		   world->dsn);
	for (const char *s = servers; *s; s++) {
		buf_printf(ini, "[server %c]\nresources = *@%c.example.com\nsettle = 0s\n", *s, *s);
		if (*s == 'h')
			buf_printf(ini, "type = caldav\nurl = http://127.0.0.1:%d/\npassword = x\n",
				   world_hanging_port(world));
		else
			buf_printf(ini, "type = memory\nurl = memory:%s/%c.mem\n", world->directory,
				   *s);
	}
	ENGINE_OK(conf_parse(world->mem, "engine.ini", ini->data, ini->len, 0600, &world->conf,
			     &report));
	cr_assert_not_null(world->conf, "%s", report->count ? report->findings[0].text : "?");
}

static inline void world_add_person(struct engine_world *world, int number, char server,
				    int64_t project)
{
	struct resource person = { .name = "Somebody" };
	struct assignment assignment = { .project_id = project };
	struct value subject = { .text = "?" };
	struct vector *values = vector_new(world->mem);
	struct resource *known = NULL;
	int64_t task = 0;

	person.key = mem_printf(world->mem, "p%d@%c.example.com", number, server);
	person.email = person.key;
	assignment.source_key = mem_printf(world->mem, "%lld-%s", (long long)project, person.key);
	assignment.uid = mem_printf(world->mem, "uid-%s", assignment.source_key);
	vector_text(values, FIELD_subject, mem_printf(world->mem, "Task of %s", person.key));
	subject = values->value[FIELD_subject];
	ENGINE_OK(project_resource_by_key(world->store, world->mem, person.key, &known));
	if (known)
		assignment.resource_id = known->id;
	else
		ENGINE_OK(project_resource_add(world->store, &person, &assignment.resource_id));
	ENGINE_OK(project_task_add(world->store, project, assignment.source_key, number, &task));
	assignment.task_id = task;
	ENGINE_OK(project_assignment_add(world->store, &assignment, "project:x", NULL,
					 &assignment.id));
	ENGINE_OK(
		project_change(world->store,
			       &(struct project_step){ .project_id = project,
						       .task_id = task,
						       .field = FIELD_subject,
						       .new = &subject,
						       .at_us = clock_now_us(&world->clock->clock),
						       .author = "import:test" },
			       NULL));
}

/* A published project with COUNT people on each of SERVERS. */
static inline int64_t world_add_project(struct engine_world *world, const char *code,
					const char *servers, int count)
{
	struct project project = { .code = code, .source_key = code, .name = code };
	int64_t id = 0;

	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(project_add(world->store, &project, &id));
	ENGINE_OK(project_set_state(world->store, id, PROJECT_PUBLISHED));
	for (const char *s = servers; *s; s++)
		for (int i = 1; i <= count; i++)
			world_add_person(world, i, *s, id);
	ENGINE_OK(store_commit(world->store));
	return id;
}

static inline struct engine_world *world_new(const char *servers, int people)
{
	char template[] = "/tmp/taskferry-engine-XXXXXX";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct engine_world *world = MEM_NEW(mem, struct engine_world);
	bool created = false;

	cr_assert_not_null(mkdtemp(template));
	world->mem = mem;
	world->hanging = -1;
	world->directory = mem_strdup(mem, template);
	world->dsn = mem_printf(mem, "sqlite:%s/site.db", template);
	world->log_path = mem_printf(mem, "%s/log", template);
	world->clock = MEM_NEW(mem, struct turned_clock);
	world->clock->clock = *clock_system(mem);
	world->clock->clock.now_us = turned_now_us;
	world_conf(world, servers);
	ENGINE_OK(store_init(mem, world->dsn, &world->clock->clock, NULL, &created));
	ENGINE_OK(store_open(mem, world->dsn, &world->clock->clock, NULL, &world->store));
	world->project = world_add_project(world, "first", servers, people);
	world->log_file = fopen(world->log_path, "we");
	cr_assert_not_null(world->log_file);
	world->log = log_new(mem, world->log_file, LOG_LEVEL_DEBUG);
	ENGINE_OK(http_new(mem, &world->clock->clock, NULL, &world->http));
	return world;
}

static inline struct engine_env world_env(struct engine_world *world)
{
	return (struct engine_env){ .conf = world->conf,
				    .clock = &world->clock->clock,
				    .log = world->log,
				    .http = world->http,
				    .stop_fd = -1 };
}

static inline void world_start(struct engine_world *world, int workers,
			       const struct engine_park *park, bool everybody)
{
	struct engine_env env = world_env(world);

	ENGINE_OK(engine_new(world->mem, &env, workers, park, &world->engine));
	ENGINE_OK(engine_start(world->engine, everybody));
}

/* Ends the engine; a server that hangs is not waited for. */
static inline void world_stop(struct engine_world *world)
{
	engine_stop(world->engine);
	http_cancel(world->http);
	cr_assert(engine_join(world->engine, WORLD_PATIENCE_MS * 1000));
	talloc_free(world->engine);
	world->engine = NULL;
}

static inline void world_free(struct engine_world *world)
{
	DIR *directory;
	struct dirent *entry;

	if (world->engine)
		world_stop(world);
	talloc_free(world->http);
	talloc_free(world->store);
	fclose(world->log_file);
	if (world->hanging >= 0)
		close(world->hanging);
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

/* The log so far. */
static inline char *world_log(struct engine_world *world)
{
	struct buf *out = buf_new(world->mem);
	FILE *file = fopen(world->log_path, "re");
	char line[4096];

	while (file && fgets(line, sizeof line, file))
		buf_puts(out, line);
	if (file)
		fclose(file);
	return buf_steal(&out, world->mem, NULL);
}

/* How many lines of the log have WORDS in them. */
static inline int world_logged(struct engine_world *world, const char *words)
{
	int count = 0;

	for (char *at = world_log(world); (at = strstr(at, words)); at += strlen(words))
		count++;
	return count;
}

static inline bool world_is_idle(struct engine_world *world, void *data)
{
	int64_t busy = 0, due = 0;

	(void)data;
	ENGINE_OK(queue_busy(world->store, NULL, &busy));
	ENGINE_OK(queue_next_due(world->store, NULL, &due));
	return !busy && due == INT64_MAX && !engine_figures(world->engine).busy;
}

static inline struct account *world_account(struct engine_world *world, int number, char server)
{
	struct resource *person = NULL;
	struct account *account = NULL;
	char name[] = { server, '\0' };

	ENGINE_OK(project_resource_by_key(
		world->store, world->mem,
		mem_printf(world->mem, "p%d@%c.example.com", number, server), &person));
	cr_assert_not_null(person);
	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(link_account(world->store, world->mem, name, person->id, true, &account));
	ENGINE_OK(store_commit(world->store));
	return account;
}

static inline struct job *world_add_job(struct engine_world *world, int64_t account, int64_t in_us)
{
	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(queue_add(world->store, JOB_PULL, account, 0,
			    clock_now_us(&world->clock->clock) + in_us, NULL));
	ENGINE_OK(store_commit(world->store));
	return NULL;
}

/* All jobs that are not done, of all states. */
static inline size_t world_jobs(struct engine_world *world, struct job **list_r)
{
	size_t count = 0;

	ENGINE_OK(queue_list(world->store, world->mem, list_r, &count));
	return count;
}

/* What happens at the memory server of that letter: lines of memory.h. */
static inline void world_script(struct engine_world *world, char server, const char *lines)
{
	FILE *file =
		fopen(mem_printf(world->mem, "%s/%c.mem.faults", world->directory, server), "we");

	cr_assert_not_null(file);
	fputs(lines, file);
	fclose(file);
}

/* A person ticks the task off by half. */
static inline void world_edit(struct engine_world *world, int number, char server)
{
	struct endpoint *endpoint = memory_new(
		world->mem, mem_printf(world->mem, "%s/%c.mem", world->directory, server),
		mem_printf(world->mem, "p%d@%c.example.com", number, server), &world->clock->clock,
		NULL);
	struct endpoint_folder name;
	struct endpoint_notice *notice = NULL;
	struct endpoint_item *items = NULL;
	struct endpoint_put put = { .address = NULL };
	struct project *project = NULL;
	const char *address, *found;
	char *folder;

	ENGINE_OK(project_by_id(world->store, world->mem, world->project, &project));
	round_folder_name(world->mem, world->conf, project, &name);
	folder = mem_printf(world->mem, "/p%d@%c.example.com/%s/", number, server, name.path);
	ENGINE_OK(endpoint_notice(endpoint, world->mem, folder, NULL, &notice));
	cr_assert_eq(notice->count, 1, "%zu items in %s", notice->count, folder);
	address = notice->changes[0].address;
	ENGINE_OK(endpoint_fetch(endpoint, world->mem, folder, &address, 1, &items));
	found = strstr(items[0].text, "STATUS:NEEDS-ACTION");
	cr_assert_not_null(found, "%s", items[0].text);
	put.address = address;
	put.if_version = items[0].version;
	put.text = mem_printf(world->mem, "%.*sPERCENT-COMPLETE:50\r\nSTATUS:IN-PROCESS%s",
			      (int)(found - items[0].text), items[0].text,
			      found + strlen("STATUS:NEEDS-ACTION"));
	put.len = strlen(put.text);
	ENGINE_OK(endpoint_put(endpoint, world->mem, folder, &put, 1));
	cr_assert_null(put.fault);
}

/* ---- waiting ---- */

static inline bool done_are(struct engine_world *world, void *data)
{
	return engine_figures(world->engine).jobs_done >= *(int64_t *)data;
}

static inline bool failed_are(struct engine_world *world, void *data)
{
	return engine_figures(world->engine).jobs_failed >= *(int64_t *)data;
}

static inline void expect_failed(struct engine_world *world, int64_t count)
{
	cr_assert(world_until(failed_are, world, &count), "%lld of %lld jobs have failed\n%s",
		  (long long)engine_figures(world->engine).jobs_failed, (long long)count,
		  world_log(world));
}

static inline void expect_done(struct engine_world *world, int64_t count)
{
	cr_assert(world_until(done_are, world, &count), "%lld of %lld jobs are done\n%s",
		  (long long)engine_figures(world->engine).jobs_done, (long long)count,
		  world_log(world));
}

static inline bool busy_are(struct engine_world *world, void *data)
{
	return engine_figures(world->engine).busy == *(int *)data;
}

#endif
