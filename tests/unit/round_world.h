/* round_world.h - one person's folder with any number of items, and the rounds over it: for tests
 * and figures of what a round costs.
 *
 * The server is a table in memory that lists what changed since a token without looking at the rest,
 * so that its own cost does not hide the round's. */
#ifndef TASKFERRY_TESTS_ROUND_WORLD_H
#define TASKFERRY_TESTS_ROUND_WORLD_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/text.h"
#include "gateway/sync/round.h"

#define ROUND_WORLD_START_US INT64_C(1795251600000000) /* 2026-11-21T09:00:00Z */
#define ROUND_WORLD_FOLDER "/ana/project/"

struct round_world_item {
	UT_hash_handle hh;
	const char *address;
	char *text; /* NULL: gone */
	int64_t version;
};

struct round_world_server {
	struct endpoint endpoint; /* first */
	struct round_world_item *items;
	struct round_world_item *
		*changes; /* in the order in which they came; a token counts them */
	size_t change_count, change_room;
	int64_t version;
};

struct round_world {
	TALLOC_CTX *mem;
	const char *directory, *path;
	struct clock *clock;
	struct conf *conf;
	struct rules *rules;
	struct store *store;
	struct account *account;
	struct project *project;
	struct resource *resource;
	struct round_world_server *server;
	struct round_report *report; /* of the last round */
	int64_t *assignments;
	size_t count;
};

/* Ends the program: without its world neither a test nor a figure means anything. */
static inline void round_world_must(const struct fault *fault)
{
	if (!fault)
		return;
	fprintf(stderr, "round world: %s\n", fault->text);
	abort();
}

/* ---- the server ---- */

static inline struct round_world_item *round_world_find(struct round_world_server *server,
							const char *address)
{
	struct round_world_item *item;

	HASH_FIND_STR(server->items, address, item);
	return item;
}

/* TEXT NULL: the item goes. */
static inline struct round_world_item *round_world_store(struct round_world_server *server,
							 const char *address, const char *text)
{
	struct round_world_item *item = round_world_find(server, address);

	if (!item) {
		item = MEM_NEW(server, struct round_world_item);
		item->address = mem_strdup(item, address);
		HASH_ADD_KEYPTR(hh, server->items, item->address, strlen(item->address), item);
	}
	talloc_free(item->text);
	item->text = text ? mem_strdup(item, text) : NULL;
	item->version = ++server->version;
	if (server->change_count == server->change_room) {
		server->change_room = server->change_room ? 2 * server->change_room : 64;
		server->changes = MEM_GROW(server, server->changes, struct round_world_item *,
					   server->change_room);
	}
	server->changes[server->change_count++] = item;
	return item;
}

static inline struct fault *round_world_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
					       const struct endpoint_folder *folder,
					       const char *known, char **address_r, bool *created_r)
{
	(void)endpoint;
	(void)folder;
	*created_r = !known;
	*address_r = mem_strdup(mem, ROUND_WORLD_FOLDER);
	return NULL;
}

static inline void round_world_tell(struct endpoint_notice *notice,
				    const struct round_world_item *item)
{
	struct endpoint_change *change = &notice->changes[notice->count++];

	change->address = item->address;
	change->removed = !item->text;
	change->version = item->text ? mem_printf(notice, "%lld", (long long)item->version) : NULL;
}

static inline struct fault *round_world_notice(struct endpoint *endpoint, TALLOC_CTX *mem,
					       const char *folder, const char *token,
					       struct endpoint_notice **notice_r)
{
	struct round_world_server *server = (struct round_world_server *)endpoint;
	struct endpoint_notice *notice = MEM_NEW(mem, struct endpoint_notice);
	struct round_world_item *item, *next;
	int64_t since = 0;

	(void)folder;
	notice->full = !token;
	notice->token = mem_printf(notice, "%zu", server->change_count);
	if (token && !text_to_int(token, &since))
		return fault_new(mem, FAULT_TOKEN, "not a token: %s", token);
	notice->changes =
		MEM_ARRAY(notice, struct endpoint_change,
			  token ? server->change_count - (size_t)since : HASH_COUNT(server->items));
	for (size_t i = (size_t)since; token && i < server->change_count; i++)
		round_world_tell(notice, server->changes[i]);
	if (!token)
		HASH_ITER(hh, server->items, item, next)
	if (item->text)
		round_world_tell(notice, item);
	*notice_r = notice;
	return NULL;
}

static inline struct fault *round_world_fetch(struct endpoint *endpoint, TALLOC_CTX *mem,
					      const char *folder, const char *const *addresses,
					      size_t count, struct endpoint_item **items_r)
{
	struct round_world_server *server = (struct round_world_server *)endpoint;
	struct endpoint_item *items = MEM_ARRAY(mem, struct endpoint_item, count);

	(void)folder;
	for (size_t i = 0; i < count; i++) {
		const struct round_world_item *item = round_world_find(server, addresses[i]);

		items[i].address = mem_strdup(items, addresses[i]);
		if (!item || !item->text) {
			items[i].fault = fault_new(items, FAULT_GONE, "not there");
			continue;
		}
		items[i].version = mem_printf(items, "%lld", (long long)item->version);
		items[i].text = mem_strdup(items, item->text);
		items[i].len = strlen(item->text);
	}
	*items_r = items;
	return NULL;
}

static inline struct fault *round_world_put(struct endpoint *endpoint, TALLOC_CTX *mem,
					    const char *folder, struct endpoint_put *puts,
					    size_t count)
{
	struct round_world_server *server = (struct round_world_server *)endpoint;

	(void)folder;
	for (size_t i = 0; i < count; i++) {
		struct round_world_item *item = round_world_find(server, puts[i].address);
		bool there = item && item->text;

		if (there != (puts[i].if_version != NULL) ||
		    (there && strcmp(puts[i].if_version,
				     mem_printf(mem, "%lld", (long long)item->version)) != 0)) {
			puts[i].fault = fault_new(mem, FAULT_CHANGED, "another version");
			continue;
		}
		item = round_world_store(server, puts[i].address, puts[i].text);
		puts[i].version = mem_printf(mem, "%lld", (long long)item->version);
	}
	return NULL;
}

static inline struct fault *round_world_remove(struct endpoint *endpoint, TALLOC_CTX *mem,
					       const char *folder, struct endpoint_remove *removes,
					       size_t count)
{
	(void)mem;
	(void)folder;
	for (size_t i = 0; i < count; i++)
		round_world_store((struct round_world_server *)endpoint, removes[i].address, NULL);
	return NULL;
}

static inline char *round_world_address(struct endpoint *endpoint, TALLOC_CTX *mem,
					const char *folder, const char *uid)
{
	(void)endpoint;
	return mem_printf(mem, "%s%s.ics", folder, uid);
}

static const struct endpoint_ops round_world_ops = {
	.kind = "table",
	.ensure = round_world_ensure,
	.notice = round_world_notice,
	.fetch = round_world_fetch,
	.put = round_world_put,
	.remove = round_world_remove,
	.address = round_world_address,
};

/* ---- the project ---- */

static inline void round_world_value(struct round_world *world, int64_t task, int64_t assignment,
				     enum field field, const struct value *value)
{
	struct project_step step = { .project_id = world->project->id,
				     .task_id = task,
				     .assignment_id = assignment,
				     .field = field,
				     .new = value,
				     .at_us = clock_now_us(world->clock),
				     .author = "import:round" };

	round_world_must(project_change(world->store, &step, NULL));
}

static inline int64_t round_world_add_task(struct round_world *world, size_t number)
{
	TALLOC_CTX *mem = MEM_CONTEXT(world->mem);
	const char *key = mem_printf(mem, "%zu", number);
	struct vector *values = vector_new(mem);
	int64_t task = 0, id = 0;

	vector_text(values, FIELD_subject,
		    mem_printf(mem, "Schiffskiste %zu für den Umzug packen", number));
	vector_when(values, FIELD_start, when_date(20800 + (int32_t)(number % 300)));
	vector_when(values, FIELD_due, when_date(20805 + (int32_t)(number % 300)));
	vector_number(values, FIELD_total_work, 480);
	vector_number(values, FIELD_percent, 0);
	vector_number(values, FIELD_status, STATUS_NEEDS_ACTION);
	round_world_must(
		project_task_add(world->store, world->project->id, key, (int64_t)number, &task));
	round_world_must(store_id(world->store, &id));
	round_world_must(db_run(world->store->db, SQL_ASSIGNMENT_ADD, "iiiitt", id,
				world->project->id, task, world->resource->id, key,
				round_uid(mem, world->conf->site.url, "round", key, "ana", 0)));
	for (int f = 0; f < FIELDS; f++)
		if (values->value[f].presence == SET)
			round_world_value(world, task, id, (enum field)f, &values->value[f]);
	talloc_free(mem);
	return id;
}

static inline void round_world_fill(struct round_world *world, size_t count)
{
	struct project project = { .code = "round", .source_key = "round", .name = "Round" };
	struct resource ana = { .key = "ana@example.com",
				.name = "Ana",
				.email = "ana@example.com" };
	int64_t project_id = 0, person = 0;

	round_world_must(store_begin(world->store));
	round_world_must(project_add(world->store, &project, &project_id));
	round_world_must(project_set_state(world->store, project_id, PROJECT_PUBLISHED));
	round_world_must(project_resource_add(world->store, &ana, &person));
	round_world_must(project_by_id(world->store, world->mem, project_id, &world->project));
	round_world_must(project_resource(world->store, world->mem, person, &world->resource));
	round_world_must(link_account(world->store, world->mem, world->conf->servers[0].name,
				      person, true, &world->account));
	world->assignments = MEM_ARRAY(world->mem, int64_t, count);
	for (world->count = 0; world->count < count; world->count++)
		world->assignments[world->count] = round_world_add_task(world, world->count);
	round_world_must(store_commit(world->store));
}

/* COUNT assignments of one person, none of them published yet. */
static inline struct round_world *round_world_new(size_t count)
{
	char template[] = "/tmp/taskferry-round-XXXXXX";
	struct round_world *world = MEM_NEW(NULL, struct round_world);
	struct conf_report *report = NULL;
	bool created = false;
	char *ini, *dsn;

	world->mem = world;
	if (!mkdtemp(template))
		abort();
	world->directory = mem_strdup(world, template);
	world->path = mem_printf(world, "%s/site.db", template);
	dsn = mem_printf(world, "sqlite:%s", world->path);
	ini = mem_printf(
		world,
		"[site]\nurl = https://pm.example.com/web\ntimezone = UTC\n[store]\ndsn = %s\n"
		"[server s]\ntype = memory\nurl = memory:%s/s\nsettle = 0s\n",
		dsn, template);
	world->clock = clock_set(world, ROUND_WORLD_START_US);
	round_world_must(
		conf_parse(world, "round.ini", ini, strlen(ini), 0600, &world->conf, &report));
	world->rules = rules_new(world, world->conf, report);
	round_world_must(store_init(world, dsn, world->clock, NULL, &created));
	round_world_must(store_open(world, dsn, world->clock, NULL, &world->store));
	world->server = MEM_NEW(world, struct round_world_server);
	world->server->endpoint.ops = &round_world_ops;
	round_world_fill(world, count);
	return world;
}

static inline void round_world_free(struct round_world *world)
{
	DIR *directory = opendir(world->directory);
	struct dirent *entry;

	talloc_free(world->store);
	HASH_CLEAR(hh, world->server->items);
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlink(mem_printf(world, "%s/%s", world->directory, entry->d_name));
	if (directory)
		closedir(directory);
	(void)rmdir(world->directory);
	talloc_free(world);
}

/* ---- what happens in it ---- */

/* A round, a minute after the last; ENSURE: as `publish` asks for one. */
static inline void round_world_round(struct round_world *world, bool ensure)
{
	TALLOC_CTX *mem = MEM_CONTEXT(world);
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .rules = world->rules };
	struct round_options options = { .ensure = ensure };

	clock_sleep(world->clock, 60 * CLOCK_SECOND_US);
	talloc_free(world->report);
	world->report = round_report_new(world);
	round_world_must(round_run(mem, &env, &world->conf->servers[0], &world->server->endpoint,
				   world->account, world->project, &options, world->report));
	talloc_free(mem);
}

static inline struct round_world_item *round_world_item_of(struct round_world *world, size_t number)
{
	struct assignment *assignment = NULL;
	struct round_world_item *item;

	round_world_must(
		project_assignment(world->store, world, world->assignments[number], &assignment));
	item = round_world_find(world->server, mem_printf(assignment, "%s%s.ics",
							  ROUND_WORLD_FOLDER, assignment->uid));
	talloc_free(assignment);
	if (!item || !item->text)
		abort();
	return item;
}

/* The person reports a percentage. */
static inline void round_world_edit(struct round_world *world, size_t number, int percent)
{
	struct round_world_item *item = round_world_item_of(world, number);
	char *text = mem_strdup(world, item->text), *at, *out = mem_strdup(world, ""), *save = NULL;

	for (at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save)) {
		if (text_starts(at, "PERCENT-COMPLETE:") || text_starts(at, "STATUS:"))
			continue;
		if (text_starts(at, "END:VTODO"))
			out = talloc_asprintf_append(
				out, "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:%d\r\n", percent);
		out = talloc_asprintf_append(out, "%s\n", at);
	}
	round_world_store(world->server, item->address, out);
	talloc_free(text);
	talloc_free(out);
}

static inline void round_world_delete(struct round_world *world, size_t number)
{
	round_world_store(world->server, round_world_item_of(world, number)->address, NULL);
}

/* The project manager sets a percentage. */
static inline void round_world_set(struct round_world *world, size_t number, int percent)
{
	struct value value = { .presence = SET, .number = percent };
	struct assignment *assignment = NULL;

	round_world_must(store_begin(world->store));
	round_world_must(
		project_assignment(world->store, world, world->assignments[number], &assignment));
	round_world_value(world, assignment->task_id, assignment->id, FIELD_percent, &value);
	round_world_must(store_commit(world->store));
	talloc_free(assignment);
}

#endif
