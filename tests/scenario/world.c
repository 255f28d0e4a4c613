#include "config.h"

#include "world.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/older.h"
#include "gateway/sync/replies.h"
#include "gateway/sync/visit.h"
#include "reply.h"

struct world *world_new(void)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct world *world = MEM_NEW(mem, struct world);
	const char *tmp = getenv("TMPDIR");
	char *template = mem_printf(mem, "%s/taskferry-scenario-XXXXXX", tmp ? tmp : "/tmp");
	int64_t start = 0;

	cr_assert_not_null(mkdtemp(template));
	cr_assert(clock_from_rfc3339(WORLD_START, &start));
	world->mem = mem;
	world->directory = mem_strdup(mem, template);
	world->dsn = mem_printf(mem, "sqlite:%s/site.db", world->directory);
	world->site = buf_new(mem);
	world->server = buf_new(mem);
	world->rights = buf_new(mem);
	world->gestures = buf_new(mem);
	world->rules = buf_new(mem);
	world->servers = 1;
	world->kind = &kind_memory;
	world->clock = clock_set(mem, start);
	world->report = round_report_new(mem);
	return world;
}

const char *world_server_path(struct world *world, const char *server)
{
	return mem_printf(world->mem, "%s/%s.mem", world->directory, server);
}

/* In a world of messages only the first server holds them: the other shows that both kinds go
 * together. */
static const char *world_form(const struct world *world, char server)
{
	if (server != 'a')
		return "";
	return world->messages ? "?append" : world->managed ? "?managed"
	       : world->whole	? "?whole"
				: "";
}

const char *world_server_url(struct world *world, const char *server)
{
	return mem_printf(world->mem, "%s%s", world_server_path(world, server),
			  world_form(world, *server));
}

static const char *server_name(struct world *world, int number)
{
	return mem_printf(world->mem, "%c", 'a' + number);
}

static int64_t all_writes(struct world *world)
{
	int64_t sum = 0;

	for (int i = 0; i < world->servers; i++) {
		const char *name = server_name(world, i);

		sum += kind_of(world, name)->writes(world, name);
	}
	return sum;
}

static void read_conf(struct world *world)
{
	struct conf_report *report = NULL;
	struct buf *ini = buf_new(world->mem);

	buf_printf(ini,
		   "[site]\nurl = https://pm.example.com/web\nname = Test\ntimezone = "
		   "Europe/Berlin\n%s[store]\ndsn = %s\n",
		   world->site->len ? world->site->data : "", world->dsn);
	for (int i = 0; i < world->servers; i++) {
		const char *name = server_name(world, i);

		buf_printf(ini, "[server %s]\n", name);
		kind_of(world, name)->section(world, name, ini);
		buf_printf(ini, "%s", world->server->len ? world->server->data : "settle = 0s\n");
	}
	buf_printf(ini, "[gestures]\n%s[rights]\n%s%s",
		   world->gestures->len ? world->gestures->data : "",
		   world->rights->len ? world->rights->data : "grace = 0s\n",
		   world->rules->len ? world->rules->data : "");
	WORLD_OK(conf_parse(world->mem, "scenario.ini", ini->data, ini->len, 0600, &world->conf,
			    &report));
	cr_assert_not_null(world->conf, "%s\n%s", ini->data,
			   report->count ? report->findings[0].text : "?");
	world->rule_set = rules_new(world->mem, world->conf, report);
	cr_assert_not_null(world->rule_set, "%s\n%s", ini->data,
			   report->count ? report->findings[0].text : "?");
}

/* Making the schema takes longer than a short story. */
static void copy_template(struct world *world)
{
	FILE *from = fopen(world->template, "rb"),
	     *to = fopen(mem_printf(world->mem, "%s/site.db", world->directory), "wb");
	char *block = MEM_ARRAY(world->mem, char, 65536);
	size_t n;

	cr_assert(from && to, "%s", world->template);
	while ((n = fread(block, 1, 65536, from)) > 0)
		cr_assert_eq(fwrite(block, 1, n, to), n);
	fclose(from);
	cr_assert_eq(fclose(to), 0);
	talloc_free(block);
}

/* Nobody else has it open, and many stories are played in a row. */
static void keep_locks(struct world *world)
{
	if (world->template)
		WORLD_OK(db_execute(world->store->db, "PRAGMA locking_mode = EXCLUSIVE"));
}

static void open_store(struct world *world)
{
	bool created = false;

	if (world->template)
		copy_template(world);
	WORLD_OK(store_init(world->mem, world->dsn, world->clock, NULL, &created));
	WORLD_OK(store_open(world->mem, world->dsn, world->clock, NULL, &world->store));
	keep_locks(world);
}

void world_open(struct world *world)
{
	if (world->store)
		return;
	WORLD_OK(zone_use(world->mem, "Europe/Berlin"));
	read_conf(world);
	open_store(world);
}

void world_restart(struct world *world)
{
	talloc_free(world->store);
	world->store = NULL;
	WORLD_OK(store_open(world->mem, world->dsn, world->clock, NULL, &world->store));
	keep_locks(world);
}

static void remove_files(struct world *world, const char *prefix)
{
	DIR *directory = opendir(world->directory);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (text_starts(entry->d_name, prefix) && entry->d_name[0] != '.')
			(void)unlink(
				mem_printf(world->mem, "%s/%s", world->directory, entry->d_name));
	if (directory)
		closedir(directory);
}

void world_free(struct world *world)
{
	talloc_free(world->store);
	world->store = NULL;
	kind_real_end(world);
	remove_files(world, "");
	(void)rmdir(world->directory);
	talloc_free(world->mem);
}

void world_close_database(struct world *world)
{
	world_open(world);
	talloc_free(world->store);
	world->store = NULL;
}

void world_open_database(struct world *world)
{
	open_store(world);
}

void world_lose_database(struct world *world)
{
	world_close_database(world);
	remove_files(world, "site.db");
	open_store(world);
}

void world_take_over(struct world *world)
{
	WORLD_OK(older_take_over(world->mem, world->store));
}

/* ---- the plan ---- */

struct world_row *world_row(struct world *world, const char *title, bool create)
{
	struct world_row *row;

	for (size_t i = 0; i < world->plan_count; i++)
		if (!strcmp(world->plan[i].title, title))
			return &world->plan[i];
	cr_assert(create, "no task '%s' in the plan", title);
	cr_assert_lt(world->plan_count, (size_t)WORLD_ROWS);
	row = &world->plan[world->plan_count++];
	row->title = mem_strdup(world->mem, title);
	row->task = vector_new(world->mem);
	row->assignment = vector_new(world->mem);
	vector_text(row->task, FIELD_subject, title);
	return row;
}

static void add_person(struct world *world, const char *name)
{
	struct projfile *file = &world->file;

	for (size_t i = 0; i < file->resource_count; i++)
		if (!strcmp(file->resources[i].key, name))
			return;
	file->resources = MEM_GROW(world->mem, file->resources, struct projfile_resource,
				   file->resource_count + 1);
	file->resources[file->resource_count++] =
		(struct projfile_resource){ .key = name,
					    .name = name,
					    .email = mem_printf(world->mem, "%s@example.com", name),
					    .line = 1 };
}

static void add_row(struct world *world, struct world_row *row)
{
	struct projfile *file = &world->file;
	const char *key = mem_printf(world->mem, "%zu", (size_t)(row - world->plan) + 1);

	file->tasks = MEM_GROW(world->mem, file->tasks, struct projfile_task, file->task_count + 1);
	file->tasks[file->task_count++] =
		(struct projfile_task){ .key = key, .values = row->task, .line = 1 };
	for (size_t i = 0; i < COUNT_OF(row->people) && row->people[i]; i++) {
		add_person(world, row->people[i]);
		file->assignments =
			MEM_GROW(world->mem, file->assignments, struct projfile_assignment,
				 file->assignment_count + 1);
		file->assignments[file->assignment_count++] =
			(struct projfile_assignment){ .key = mem_printf(world->mem, "%s-%zu", key,
									i),
						      .task_key = key,
						      .resource_key = row->people[i],
						      .values = row->assignment,
						      .line = 1 };
	}
}

struct import_result *world_import(struct world *world, bool withdraw)
{
	struct edit_env env = { .clock = world->clock };
	struct import_options options = { .file_name = "harbour.xml", .withdraw = withdraw };
	struct import_result *result = NULL;

	world_open(world);
	env.conf = world->conf;
	env.store = world->store;
	env.rules = world->rule_set;
	world->file = (struct projfile){ .guid = "guid-1", .title = "Harbour", .name = "harbour" };
	for (size_t i = 0; i < world->plan_count; i++)
		if (!world->plan[i].dropped)
			add_row(world, &world->plan[i]);
	WORLD_OK(import_file(world->mem, &env, &world->file, &options, &result));
	return result;
}

struct project *world_project(struct world *world, bool other)
{
	struct project *project = NULL;

	WORLD_OK(
		project_by_source(world->store, world->mem, other ? "guid-2" : "guid-1", &project));
	cr_assert_not_null(project, "nothing was imported yet");
	return project;
}

static struct project *find_project(struct world *world)
{
	return world_project(world, false);
}

void world_other_project(struct world *world)
{
	struct projfile_resource ana = {
		.key = "ana", .name = "ana", .email = "ana@example.com", .line = 1
	};
	struct projfile_task task = { .key = "1", .values = vector_new(world->mem), .line = 1 };
	struct projfile_assignment assignment = { .key = "1-0",
						  .task_key = "1",
						  .resource_key = "ana",
						  .values = vector_new(world->mem),
						  .line = 1 };
	struct projfile file = { .guid = "guid-2",
				 .title = "Quay",
				 .name = "quay",
				 .resources = &ana,
				 .resource_count = 1,
				 .tasks = &task,
				 .task_count = 1,
				 .assignments = &assignment,
				 .assignment_count = 1 };
	struct edit_env env = { .conf = world->conf,
				.store = world->store,
				.clock = world->clock,
				.rules = world->rule_set };
	struct import_options options = { .file_name = "quay.xml" };
	struct sync_env sync = { .conf = world->conf, .clock = world->clock };
	struct import_result *result = NULL;
	int64_t jobs = 0;

	vector_text(task.values, FIELD_subject, "Mend the quay");
	WORLD_OK(import_file(world->mem, &env, &file, &options, &result));
	world->other = true;
	WORLD_OK(sync_publish(world->mem, &sync, world->store, world_project(world, true),
			      world->report, &jobs));
	world->publish = true;
}

void world_publish(struct world *world)
{
	struct sync_env env = { .conf = world->conf, .clock = world->clock };
	int64_t jobs = 0;

	WORLD_OK(sync_publish(world->mem, &env, world->store, find_project(world), world->report,
			      &jobs));
	world->publish = true;
}

void world_archive(struct world *world)
{
	WORLD_OK(store_begin(world->store));
	WORLD_OK(project_set_state(world->store, find_project(world)->id, PROJECT_ARCHIVED));
	WORLD_OK(store_commit(world->store));
}

struct assignment *world_assignment(struct world *world, const char *title, const char *person)
{
	struct project *project = find_project(world);
	struct assignment *list = NULL;
	struct resource *resource = NULL;
	size_t count = 0;

	WORLD_OK(project_resource_by_key(world->store, world->mem,
					 mem_printf(world->mem, "%s@example.com", person),
					 &resource));
	cr_assert_not_null(resource, "no person %s", person);
	WORLD_OK(project_assignments(world->store, world->mem, project->id, resource->id, &list,
				     &count));
	for (size_t i = 0; i < count; i++) {
		struct stamped *values = NULL;

		WORLD_OK(project_values(world->store, world->mem, &list[i], &values));
		if (text_same(vector_str(values->values, FIELD_subject), title))
			return &list[i];
	}
	cr_assert_fail("'%s' is not %s's", title, person);
	return NULL;
}

/* ---- a server with a client that writes in between ---- */

struct meddler {
	struct endpoint endpoint;
	struct endpoint_ops ops;
	struct endpoint *inner;
	struct world *world;
};

static struct endpoint *inner_of(struct endpoint *endpoint)
{
	return ((struct meddler *)endpoint)->inner;
}

static struct fault *meddler_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
					const struct endpoint_folder *folder, char **address_r)
{
	return endpoint_whole_site(inner_of(endpoint), mem, folder, address_r);
}

static struct fault *meddler_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem,
					const char *address, const struct endpoint_put *puts,
					size_t count, bool *made_r)
{
	return endpoint_whole_make(inner_of(endpoint), mem, address, puts, count, made_r);
}

static struct fault *meddler_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				    const struct endpoint_folder *folder, const char *known,
				    char **address_r, bool *created_r)
{
	return endpoint_ensure(inner_of(endpoint), mem, folder, known, address_r, created_r);
}

static struct fault *meddler_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *token, struct endpoint_notice **notice_r)
{
	return endpoint_notice(inner_of(endpoint), mem, folder, token, notice_r);
}

static struct fault *meddler_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   const char *const *addresses, size_t count,
				   struct endpoint_item **items_r)
{
	return endpoint_fetch(inner_of(endpoint), mem, folder, addresses, count, items_r);
}

static struct fault *meddler_read_back(struct endpoint *endpoint, TALLOC_CTX *mem,
				       const char *folder, const char *const *addresses,
				       size_t count, struct endpoint_item **items_r)
{
	return endpoint_read_back(inner_of(endpoint), mem, folder, addresses, count, items_r);
}

/* What the client writes is not ours. */
static void meddle(struct endpoint *endpoint, bool removing)
{
	struct world *world = ((struct meddler *)endpoint)->world;
	void (*client)(struct world *) = world->before_write;
	int64_t before;

	if (!client || (world->before_remove && !removing))
		return;
	world->before_write = NULL;
	before = all_writes(world);
	client(world);
	world->writes -= all_writes(world) - before;
}

static struct fault *observed(struct endpoint *endpoint, struct fault *fault)
{
	struct world *world = ((struct meddler *)endpoint)->world;

	if (world->observe)
		world->observe(world);
	return fault;
}

static struct fault *meddler_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count)
{
	meddle(endpoint, false);
	return observed(endpoint, endpoint_put(inner_of(endpoint), mem, folder, puts, count));
}

static struct fault *meddler_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    struct endpoint_remove *removes, size_t count)
{
	meddle(endpoint, true);
	return observed(endpoint, endpoint_remove(inner_of(endpoint), mem, folder, removes, count));
}

static char *meddler_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *uid)
{
	return endpoint_address(inner_of(endpoint), mem, folder, uid);
}

static struct fault *meddler_locate(struct endpoint *endpoint, TALLOC_CTX *mem,
				    const struct endpoint_trace *trace, char **address_r)
{
	return endpoint_locate(inner_of(endpoint), mem, trace, address_r);
}

static const char *meddler_beside(const struct endpoint *endpoint)
{
	return endpoint_beside(((const struct meddler *)endpoint)->inner);
}

static struct fault *meddler_beside_make(struct endpoint *endpoint, TALLOC_CTX *mem,
					 const char *folder)
{
	return endpoint_beside_make(inner_of(endpoint), mem, folder);
}

static struct fault *meddler_may_read(struct endpoint *endpoint, TALLOC_CTX *mem,
				      const char *folder)
{
	return endpoint_may_read(inner_of(endpoint), mem, folder);
}

static struct fault *meddler_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				     const char *token, char **token_r)
{
	return endpoint_advance(inner_of(endpoint), mem, folder, token, token_r);
}

static char *meddler_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token)
{
	return endpoint_doubt(inner_of(endpoint), mem, token);
}

static struct fault *meddler_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
				   struct endpoint_sweep *folders, size_t count)
{
	return endpoint_sweep(inner_of(endpoint), mem, folders, count);
}

static struct fault *meddler_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r)
{
	return endpoint_attaches(inner_of(endpoint), mem, attaches_r);
}

static struct fault *meddler_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const struct endpoint_attach *attach)
{
	return observed(endpoint, endpoint_attach(inner_of(endpoint), mem, folder, attach));
}

static struct fault *meddler_download(struct endpoint *endpoint, TALLOC_CTX *mem,
				      const char *folder, const char *uri, size_t max,
				      char **bytes_r, size_t *len_r)
{
	return endpoint_download(inner_of(endpoint), mem, folder, uri, max, bytes_r, len_r);
}

static const struct endpoint_ops meddler_ops = {
	.ensure = meddler_ensure,
	.whole_site = meddler_whole_site,
	.whole_make = meddler_whole_make,
	.notice = meddler_notice,
	.fetch = meddler_fetch,
	.read_back = meddler_read_back,
	.put = meddler_put,
	.remove = meddler_remove,
	.address = meddler_address,
	.locate = meddler_locate,
	.beside = meddler_beside,
	.beside_make = meddler_beside_make,
	.may_read = meddler_may_read,
	.advance = meddler_advance,
	.doubt = meddler_doubt,
	.sweep = meddler_sweep,
	.attaches = meddler_attaches,
	.attach = meddler_attach,
	.download = meddler_download,
};

/* ---- rounds ---- */

static void run_visit(struct world *world, const struct round_env *env,
		      const struct conf_server *server, const struct resource *person, bool full)
{
	struct meddler meddler = { .world = world };
	struct visit visit = { .env = env,
			       .resource = person,
			       .server = server,
			       .endpoint = &meddler.endpoint,
			       .options = { .ensure = world->publish, .reconcile = full },
			       .sweep = true,
			       .report = world->report };
	struct account *account = NULL;
	struct fault *fault;

	WORLD_OK(store_begin(world->store));
	WORLD_OK(link_account(world->store, world->mem, server->name, person->id, true, &account));
	WORLD_OK(store_commit(world->store));
	meddler.inner = kind_of(world, server->name)->account(world, server, person);
	meddler.ops = meddler_ops;
	meddler.ops.kind = meddler.inner->ops->kind;
	meddler.ops.form = meddler.inner->ops->form;
	meddler.ops.appends = meddler.inner->ops->appends;
	meddler.endpoint.ops = &meddler.ops;
	visit.account = account;
	fault = visit_run(world->mem, &visit);
	if (!fault)
		fault = replies_tell(world->mem, env, account->id, meddler.inner, world->report);
	if (fault) /* as a worker does: told, and the rest goes on */
		round_note(world->report, "%s on server %s: %s", person->key, server->name,
			   fault->text);
	fault = fault ? fault : visit.folder_fault;
	if (fault && fault->next == FAULT_NEXT_RETRY &&
	    world->report->due_us > clock_now_us(world->clock) + CLOCK_SECOND_US)
		world->report->due_us = clock_now_us(world->clock) + CLOCK_SECOND_US;
}

static void run_people(struct world *world, bool full)
{
	struct round_env env = { .conf = world->conf,
				 .store = world->store,
				 .clock = world->clock,
				 .points = world->points,
				 .rules = world->rule_set };
	const struct conf_server *servers[8];
	struct resource *people = NULL;
	size_t count = 0;

	reply_read_all(world, &env);
	WORLD_OK(project_people(world->store, world->mem, &people, &count));
	for (size_t i = 0; i < count; i++) {
		size_t n = delivery_servers(world->conf, &people[i], servers);

		for (size_t s = 0; s < n; s++)
			run_visit(world, &env, servers[s], &people[i], full);
	}
}

/* Nothing while the site holds, as the engine does. */
static void run_all(struct world *world, bool full)
{
	struct fault *held = older_check(world->mem, world->store);

	if (held) {
		round_note(world->report, "%s", held->text);
		return;
	}
	run_people(world, full);
	world->publish = false;
}

/* Another process does it and is killed in the middle, or gets through. */
static void sync_killed(struct world *world, bool full)
{
	const char *kill_at = world->kill_at;
	pid_t child;
	int status = 0;

	world->kill_at = NULL;
	talloc_free(world->store);
	world->store = NULL;
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		world->points = points_new(world->mem, kill_at, NULL);
		WORLD_OK(store_open(world->mem, world->dsn, world->clock, world->points,
				    &world->store));
		world_sync(world, full);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0,
		  "the sync that was to be killed at %s ended by itself: %d", kill_at, status);
	clock_sleep(world->clock, ENGINE_PATIENCE_US); /* what it may have waited */
	world_restart(world);
	world->killed = true;
	if (world->observe)
		world->observe(world);
}

void world_sync(struct world *world, bool full)
{
	int64_t patience = ENGINE_PATIENCE_US, requests;

	world_open(world);
	world->writes = -all_writes(world);
	world->report = round_report_new(world->mem);
	world->killed = false;
	if (world->kill_at) {
		sync_killed(world, full);
		world->writes += all_writes(world);
		return;
	}
	for (int turn = 0; turn < 50; turn++) {
		int64_t pause;

		world->report->due_us = INT64_MAX;
		run_all(world, full);
		if (world->report->due_us == INT64_MAX)
			break;
		pause = world->report->due_us - clock_now_us(world->clock);
		if (pause > patience)
			break;
		patience -= pause;
		clock_sleep(world->clock, pause);
	}
	world->writes += all_writes(world);
	requests = world->kind->rest(world);
	if (!world->writes)
		world->writes = requests;
}
