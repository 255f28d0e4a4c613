/* cmd_status.c - how things stand: accounts, queue, what is held, what is not ours. */
#include "config.h"

#include "gateway/cli/cli_view.h"

#include <string.h>

#include "base/text.h"
#include "gateway/daemon/control.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/older.h"
#include "gateway/watch/ways.h"
#include "queue/queue.h"
#include "store/replies.h"
#include "store/rows.h"

struct held_item {
	int64_t assignment_id;
	const char *error;
};

/* A folder that waits for a person: gone, or too much of it at once. */
struct held_folder {
	const char *server, *resource, *project, *error;
};

struct status_view {
	struct cli_view *names;
	struct project *projects; /* in order of code */
	struct account *accounts; /* in order of server and person */
	struct stray *strays;
	struct held_item *items;
	struct held_folder *folders;
	size_t project_count, account_count, stray_count, item_count, folder_count;
	int64_t jobs[JOB_STATES];
	int64_t held;
	struct control_status *service; /* NULL: none answers */
	struct fault *older;            /* why the site holds (M10); NULL: it does not */
};

/* ---- reading ---- */

static void read_held(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct held_item *item = element;

	item->assignment_id = db_int(cursor, 1);
	item->error = db_text(cursor, mem, 2);
}

static void read_folder(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct held_folder *folder = element;

	folder->server = db_text(cursor, mem, 0);
	folder->resource = db_text(cursor, mem, 1);
	folder->project = db_text(cursor, mem, 2);
	folder->error = db_text(cursor, mem, 3);
}

/* Items, folders, accounts and jobs that wait for a person. A job that is held with its account is the same
 * matter. */
static struct fault *count_held(struct cli *cli, struct status_view *view)
{
	struct job *jobs = NULL;
	size_t count = 0;

	FAULT_TRY(queue_list(cli->store, cli->mem, &jobs, &count));
	view->held = (int64_t)(view->item_count + view->folder_count);
	for (size_t i = 0; i < view->account_count; i++)
		view->held += view->accounts[i].state == ACCOUNT_HELD;
	for (size_t i = 0; i < count; i++) {
		const struct account *account = cli_view_account(view->names, jobs[i].account_id);

		view->held +=
			jobs[i].state == JOB_HELD && !(account && account->state == ACCOUNT_HELD);
	}
	return NULL;
}

/* Small tasks whose work is booked are nothing to look into. */
static void drop_booked(struct status_view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < view->stray_count; i++)
		if (strcmp(view->strays[i].state, "booked") != 0)
			view->strays[kept++] = view->strays[i];
	view->stray_count = kept;
}

static struct fault *status_read(struct cli *cli, struct status_view *view)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(cli_view_new(cli, &view->names));
	FAULT_TRY(project_list(cli->store, cli->mem, &view->projects, &view->project_count));
	FAULT_TRY(link_accounts(cli->store, cli->mem, &view->accounts, &view->account_count));
	FAULT_TRY(link_strays(cli->store, cli->mem, &view->strays, &view->stray_count));
	drop_booked(view);
	FAULT_TRY(db_query(cli->store->db, cli->mem, &cursor, SQL_LINK_HELD, ""));
	FAULT_TRY(rows_all(cursor, cli->mem, read_held, sizeof *view->items, &view->items,
			   &view->item_count));
	FAULT_TRY(db_query(cli->store->db, cli->mem, &cursor, SQL_FOLDER_WAITING, ""));
	FAULT_TRY(rows_all(cursor, cli->mem, read_folder, sizeof *view->folders, &view->folders,
			   &view->folder_count));
	FAULT_TRY(queue_counts(cli->store, NULL, view->jobs));
	view->older = older_check(cli->mem, cli->store);
	return count_held(cli, view);
}

/* ---- as JSON ---- */

static int64_t lag_s(const struct cli *cli, const struct account *account)
{
	int64_t lag = (clock_now_us(cli->clock) - account->last_seen_us) / CLOCK_SECOND_US;

	return lag > 0 ? lag : 0;
}

/* What is wrong with it. An account of before is in no list of a round any more, and would be well for ever. */
static const char *account_error(const struct cli *cli, const struct status_view *view,
				 const struct account *account)
{
	const struct resource *person = cli_view_person(view->names, account->resource_id);

	if (account->error || !person || text_same(person->key, REPLIES_KEY) ||
	    delivery_has(cli->conf, person, account->server))
		return account->error;
	return "the configuration gives this person no account here any more; it is not looked at";
}

/* False: no service tells. */
static bool find_way(struct cli *cli, const struct status_view *view, const struct account *account,
		     struct ways_account *way_r)
{
	return view->service && view->service->ways &&
	       ways_find(cli->mem, view->service->ways, account->id, way_r);
}

static void add_way(struct cli *cli, const struct status_view *view, const struct account *account,
		    json_t *object)
{
	struct ways_account way = { .how = NULL };

	(void)find_way(cli, view, account, &way);
	json_object_set_new(object, "watched", cli_json_text(way.how));
	json_object_set_new(object, "polled_every_s",
			    way.every_s ? json_integer(way.every_s) : json_null());
}

static json_t *accounts_json(struct cli *cli, const struct status_view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->account_count; i++) {
		const struct account *account = &view->accounts[i];
		const struct resource *person = cli_view_person(view->names, account->resource_id);
		json_t *object = json_object();

		json_object_set_new(
			object, "account",
			cli_json_text(cli_view_account_name(view->names, cli->mem, account->id)));
		json_object_set_new(object, "server", cli_json_text(account->server));
		json_object_set_new(object, "resource", cli_json_text(person ? person->key : NULL));
		json_object_set_new(object, "state",
				    cli_json_text(account_state_name(account->state)));
		json_object_set_new(object, "last_seen_at",
				    cli_json_time(cli->mem, account->last_seen_us));
		json_object_set_new(object, "lag_s",
				    account->last_seen_us ? json_integer(lag_s(cli, account))
							  : json_null());
		json_object_set_new(object, "error",
				    cli_json_text(account_error(cli, view, account)));
		json_object_set_new(object, "full_since",
				    cli_json_time(cli->mem, account->full_since_us));
		add_way(cli, view, account, object);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *strays_json(struct cli *cli, const struct status_view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->stray_count; i++) {
		const struct stray *stray = &view->strays[i];
		json_t *object = json_object();

		json_object_set_new(object, "account",
				    cli_json_text(mem_printf(cli->mem, "%s/%s", stray->server,
							     stray->resource)));
		json_object_set_new(object, "project", cli_json_text(stray->project));
		json_object_set_new(object, "address", cli_json_text(stray->address));
		json_object_set_new(object, "summary", cli_json_text(stray->summary));
		json_object_set_new(object, "state", cli_json_text(stray->state));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *service_json(struct cli *cli, const struct control_status *service)
{
	json_t *object;

	if (!service)
		return json_null();
	object = json_object();
	json_object_set_new(object, "pid", json_integer(service->pid));
	json_object_set_new(object, "version", cli_json_text(service->version));
	json_object_set_new(object, "started_at", cli_json_time(cli->mem, service->started_us));
	json_object_set_new(object, "watched", json_integer(service->watched));
	json_object_set_new(object, "listening", json_integer(service->listening));
	json_object_set_new(object, "workers", json_integer(service->workers));
	json_object_set_new(object, "busy", json_integer(service->busy));
	return object;
}

static struct fault *projects_json(struct cli *cli, const struct status_view *view, json_t *array)
{
	for (size_t i = 0; i < view->project_count; i++) {
		json_t *project = NULL;

		FAULT_TRY(cli_view_project_json(cli, &view->projects[i], &project));
		json_array_append_new(array, project);
	}
	return NULL;
}

static struct fault *status_json(struct cli *cli, const struct status_view *view)
{
	json_t *object, *queue = json_object(), *projects = json_array();
	struct fault *fault = projects_json(cli, view, projects);

	if (fault) {
		json_decref(projects);
		json_decref(queue);
		return fault;
	}
	object = json_object();
	for (int state = 0; state < JOB_STATES; state++)
		json_object_set_new(queue, job_state_name((enum job_state)state),
				    json_integer(view->jobs[state]));
	json_object_set_new(object, "version", cli_json_text(PACKAGE_VERSION));
	json_object_set_new(object, "accounts", accounts_json(cli, view));
	json_object_set_new(object, "queue", queue);
	json_object_set_new(object, "held", json_integer(view->held));
	json_object_set_new(object, "projects", projects);
	json_object_set_new(object, "foreign", strays_json(cli, view));
	json_object_set_new(object, "service", service_json(cli, view->service));
	cli_json(cli, object);
	return NULL;
}

/* ---- for people ---- */

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400

static char *lag_text(TALLOC_CTX *mem, int64_t seconds)
{
	if (seconds < MINUTE_S)
		return mem_printf(mem, "%lld s", (long long)seconds);
	if (seconds < HOUR_S)
		return mem_printf(mem, "%lld min", (long long)(seconds / MINUTE_S));
	if (seconds < DAY_S)
		return mem_printf(mem, "%lld h", (long long)(seconds / HOUR_S));
	return mem_printf(mem, "%lld d", (long long)(seconds / DAY_S));
}

/* "notify", "polled each 60 s", or nothing. */
static const char *way_text(struct cli *cli, const struct status_view *view,
			    const struct account *account)
{
	struct ways_account way;

	if (!find_way(cli, view, account, &way))
		return NULL;
	if (!way.every_s)
		return way.how;
	return mem_printf(cli->mem, strcmp(way.how, "polled") ? "%s, polled each %s" : "%s each %s",
			  way.how, lag_text(cli->mem, way.every_s));
}

static void print_accounts(struct cli *cli, const struct status_view *view)
{
	static const struct cli_column columns[] = { { "ACCOUNT", CLI_COLUMN_KEY },
						     { "STATE", CLI_COLUMN_KEY },
						     { "LAST SEEN", CLI_COLUMN_KEY },
						     { "LAG", CLI_COLUMN_NUMBER },
						     { "WATCHED", CLI_COLUMN_KEY },
						     { "ERROR", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < view->account_count; i++) {
		const struct account *account = &view->accounts[i];

		cli_columns_add(
			table,
			(const char *[]){
				cli_view_account_name(view->names, table, account->id),
				account_state_name(account->state),
				cli_view_time(table, account->last_seen_us),
				account->last_seen_us ? lag_text(table, lag_s(cli, account)) : NULL,
				way_text(cli, view, account),
				account_error(cli, view, account) });
	}
	fprintf(cli->out, "\n");
	if (view->account_count)
		cli_view_print(cli, table);
	else
		fprintf(cli->out,
			"No account yet; they come with the first: taskferry publish CODE\n");
}

static void print_queue_line(struct cli *cli, const struct status_view *view)
{
	const char *comma = "";

	fprintf(cli->out, "\nQueue: ");
	for (int state = 0; state < JOB_STATES; state++) {
		if (!view->jobs[state] || state == JOB_DONE)
			continue;
		fprintf(cli->out, "%s%lld %s", comma, (long long)view->jobs[state],
			job_state_name((enum job_state)state));
		comma = ", ";
	}
	fprintf(cli->out, "%s\n", *comma ? " (see: taskferry queue)" : "empty");
}

static void print_service(struct cli *cli, const struct control_status *service)
{
	if (!service) {
		fprintf(cli->out, "Service: not running\n");
		return;
	}
	fprintf(cli->out,
		"Service: runs since %s (process %lld), watches %s, listens to %lld, %lld of %lld "
		"workers busy\n",
		cli_view_time(cli->mem, service->started_us), (long long)service->pid,
		cli_view_count(cli->mem, service->watched, "account", "accounts"),
		(long long)service->listening, (long long)service->busy,
		(long long)service->workers);
}

static void print_held(struct cli *cli, const struct status_view *view)
{
	static const struct cli_column columns[] = { { "ASSIGNMENT", CLI_COLUMN_NUMBER },
						     { "WHY", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < view->item_count; i++)
		cli_columns_add(table, (const char *[]){
					       mem_printf(table, "%lld",
							  (long long)view->items[i].assignment_id),
					       view->items[i].error });
	if (!view->held)
		return;
	/* a held folder says itself what is to be done */
	fprintf(cli->out, "\nHeld: %lld%s\n", (long long)view->held,
		view->held > (int64_t)view->folder_count
			? "; when what is wrong is mended: taskferry queue retry --all"
			: "");
	if (view->item_count)
		cli_view_print(cli, table);
}

static void print_folders(struct cli *cli, const struct status_view *view)
{
	static const struct cli_column columns[] = { { "FOLDER OF", CLI_COLUMN_KEY },
						     { "PROJECT", CLI_COLUMN_WORDS },
						     { "WHY", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < view->folder_count; i++) {
		const struct held_folder *folder = &view->folders[i];

		cli_columns_add(table, (const char *[]){ mem_printf(table, "%s/%s", folder->server,
								    folder->resource),
							 folder->project, folder->error });
	}
	if (!view->folder_count)
		return;
	fprintf(cli->out, "\n");
	cli_view_print(cli, table);
}

static void print_strays(struct cli *cli, const struct status_view *view)
{
	static const struct cli_column columns[] = { { "ACCOUNT", CLI_COLUMN_KEY },
						     { "PROJECT", CLI_COLUMN_WORDS },
						     { "STATE", CLI_COLUMN_KEY },
						     { "SUMMARY", CLI_COLUMN_WORDS },
						     { "ADDRESS", CLI_COLUMN_WORDS } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < view->stray_count; i++) {
		const struct stray *stray = &view->strays[i];

		cli_columns_add(table, (const char *[]){ mem_printf(table, "%s/%s", stray->server,
								    stray->resource),
							 stray->project, stray->state,
							 stray->summary, stray->address });
	}
	if (!view->stray_count)
		return;
	fprintf(cli->out, "\nItems that are not ours, or cannot be read (left alone)\n");
	cli_view_print(cli, table);
}

static struct fault *print_status(struct cli *cli, const struct status_view *view)
{
	fprintf(cli->out, "taskferry %s%s%s\n", PACKAGE_VERSION, cli->conf->site.name ? ", " : "",
		cli->conf->site.name ? cli->conf->site.name : "");
	print_service(cli, view->service);
	fprintf(cli->out, "\n");
	if (!view->project_count)
		fprintf(cli->out, "No project yet; import one: taskferry import plan.xml\n");
	FAULT_TRY(cli_view_print_projects(cli, view->projects, view->project_count));
	print_accounts(cli, view);
	print_queue_line(cli, view);
	print_held(cli, view);
	print_folders(cli, view);
	print_strays(cli, view);
	return NULL;
}

struct fault *cmd_status(struct cli *cli)
{
	struct status_view view = { .held = 0 };
	struct fault *fault;

	view.service = control_ask_status(cli->mem, cli->conf->control_socket, cli_instance(cli));
	FAULT_TRY(store_begin_read(cli->store)); /* one view, though the service writes meanwhile */
	fault = status_read(cli, &view);
	if (!fault)
		fault = cli_has(cli, "--json") ? status_json(cli, &view) : print_status(cli, &view);
	store_rollback(cli->store);
	if (view.held || view.jobs[JOB_DEAD])
		cli->attention = true;
	if (view.older)
		cli_attention(cli, "%s", view.older->text);
	return fault;
}

/* ---- queue ---- */

static void queue_json(struct cli *cli, const struct cli_view *names, const struct job *jobs,
		       size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct project *project = cli_view_project(names, jobs[i].project_id);
		json_t *object = json_object();

		json_object_set_new(object, "id", cli_json_id(jobs[i].id));
		json_object_set_new(object, "kind", cli_json_text(job_kind_name(jobs[i].kind)));
		json_object_set_new(
			object, "account",
			cli_json_text(cli_view_account_name(names, cli->mem, jobs[i].account_id)));
		json_object_set_new(object, "project",
				    cli_json_text(project ? project->code : NULL));
		json_object_set_new(object, "state", cli_json_text(job_state_name(jobs[i].state)));
		json_object_set_new(object, "attempts", json_integer(jobs[i].attempts));
		json_object_set_new(object, "due_at", cli_json_time(cli->mem, jobs[i].due_us));
		json_object_set_new(object, "error", cli_json_text(jobs[i].error));
		json_array_append_new(array, object);
	}
	cli_json(cli, array);
}

static void print_queue(struct cli *cli, const struct cli_view *names, const struct job *jobs,
			size_t count)
{
	static const struct cli_column columns[] = {
		{ "ID", CLI_COLUMN_NUMBER },   { "KIND", CLI_COLUMN_KEY },
		{ "ACCOUNT", CLI_COLUMN_KEY }, { "PROJECT", CLI_COLUMN_WORDS },
		{ "STATE", CLI_COLUMN_KEY },   { "ATTEMPTS", CLI_COLUMN_NUMBER },
		{ "DUE", CLI_COLUMN_KEY },     { "ERROR", CLI_COLUMN_WORDS }
	};
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < count; i++) {
		const struct project *project = cli_view_project(names, jobs[i].project_id);

		cli_columns_add(
			table,
			(const char *[]){ mem_printf(table, "%lld", (long long)jobs[i].id),
					  job_kind_name(jobs[i].kind),
					  cli_view_account_name(names, table, jobs[i].account_id),
					  project ? project->code : "all",
					  job_state_name(jobs[i].state),
					  mem_printf(table, "%lld", (long long)jobs[i].attempts),
					  cli_view_time(table, jobs[i].due_us), jobs[i].error });
	}
	cli_view_print(cli, table);
}

struct fault *cmd_queue(struct cli *cli)
{
	struct cli_view *names = NULL;
	struct job *jobs = NULL;
	size_t count = 0;

	FAULT_TRY(cli_view_new(cli, &names));
	FAULT_TRY(queue_list(cli->store, cli->mem, &jobs, &count));
	if (cli_has(cli, "--json"))
		queue_json(cli, names, jobs, count);
	else if (count)
		print_queue(cli, names, jobs, count);
	else
		fprintf(cli->out, "The queue is empty: nothing waits to be carried.\n");
	return NULL;
}

/* ---- queue retry ---- */

static struct fault *release_folders(struct cli *cli)
{
	struct account *accounts = NULL;
	size_t count = 0;

	FAULT_TRY(link_accounts(cli->store, cli->mem, &accounts, &count));
	for (size_t i = 0; i < count; i++) {
		struct folder *folders = NULL;
		size_t n = 0;

		FAULT_TRY(link_folders(cli->store, cli->mem, accounts[i].id, &folders, &n));
		for (size_t f = 0; f < n; f++)
			FAULT_TRY(link_release(cli->store, folders[f].id));
	}
	return NULL;
}

/* Every held item is tried again; *COUNT_R: how many there were. */
static struct fault *release_all(struct cli *cli, int64_t *count_r)
{
	struct fault *fault;

	FAULT_TRY(store_begin(cli->store));
	fault = link_held_count(cli->store, count_r);
	if (!fault)
		fault = release_folders(cli);
	if (!fault)
		fault = store_commit(cli->store);
	store_rollback(cli->store);
	return fault;
}

static void print_retried(struct cli *cli, int64_t jobs, int64_t items)
{
	if (!jobs && !items) {
		fprintf(cli->out, "Nothing waits and nothing is held.\n");
		return;
	}
	fprintf(cli->out, "%s%s%s will be tried again.\n",
		jobs ? cli_view_count(cli->mem, jobs, "job", "jobs") : "",
		jobs && items ? " and " : "",
		items ? cli_view_count(cli->mem, items, "held item", "held items") : "");
	cli_carry(cli, false);
}

struct fault *cmd_queue_retry(struct cli *cli)
{
	bool all = cli_has(cli, "--all");
	int64_t id = 0, jobs = 0, items = 0;

	if (all == (cli->arg_count == 1))
		return fault_new(cli->mem, FAULT_USAGE, "usage: taskferry queue retry ID | --all");
	if (!all && (!text_to_int(cli->args[0], &id) || id <= 0))
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no job '%s' in the queue; `taskferry queue` shows all",
				 cli->args[0]);
	if (all)
		FAULT_TRY(release_all(cli, &items));
	FAULT_TRY(queue_retry(cli->store, id, &jobs));
	print_retried(cli, jobs, items);
	return NULL;
}
