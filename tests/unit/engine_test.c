/* engine_test.c - the engine with real workers: what wakes it, requests, servers, the end.
 *
 * waits: yes
 * takes: 60
 * jobs: 3
 */
#include "config.h"

#include <criterion/criterion.h>

#include <regex.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "engine_park.h"
#include "gateway/sync/sync.h"

/* In this program a busy database is waited for less long than in the program, for which a test has
 * no time. */
#define BUSY_MS 1000
#define BUSY_STEP_MS 10
static int wait_a_little(void *data, int times)
{
	(void)data;
	if (times >= BUSY_MS / BUSY_STEP_MS)
		return 0;
	world_pause(BUSY_STEP_MS);
	return 1;
}

int sqlite3_busy_timeout(sqlite3 *handle, int ms)
{
	(void)ms;
	return sqlite3_busy_handler(handle, wait_a_little, NULL);
}

/* ---- idle ---- */

static int64_t cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* What it had begun is written: nothing for a second. */
static int64_t settled_version(struct engine_world *world)
{
	int64_t version = 0, last = -1, end = world_now_ms() + WORLD_PATIENCE_MS;

	while (version != last) {
		cr_assert_lt(world_now_ms(), end, "it goes on writing\n%s", world_log(world));
		last = version;
		world_pause(1000);
		ENGINE_OK(store_data_version(world->store, &version));
	}
	return version;
}

/* It has nothing to do: no write, and next to no time. */
static void expect_idle(struct engine_world *world)
{
	int64_t before = settled_version(world), after = 0, used;

	used = cpu_ms();
	world_pause(3000);
	used = cpu_ms() - used;
	ENGINE_OK(store_data_version(world->store, &after));
	cr_expect_eq(before, after, "something was written");
	cr_expect_lt(used, 300, "%lld ms of 3 s", (long long)used);
}

Test(engine, idle_it_writes_nothing_and_uses_no_time, .timeout = 300)
{
	struct engine_world *world = world_new("a", 5);

	world_start(world, ENGINE_WORKERS, NULL, true);
	expect_done(world, 5);
	cr_assert(world_until(world_is_idle, world, NULL), "%s", world_log(world));
	expect_idle(world);
	world_free(world);
}

/* Jobs are due, but not for anybody who may be asked: no reason to look, or to write, all the time. */
Test(engine, idle_while_a_server_hangs, .timeout = 300)
{
	struct engine_world *world = world_new("ah", 20);
	int one = 1;

	world_start(world, ENGINE_WORKERS, NULL, true);
	expect_done(world, 20); /* of the other server */
	cr_assert(world_until(busy_are, world, &one), "one finds out, not %d",
		  engine_figures(world->engine).busy);
	expect_idle(world);
	world_free(world);
}

/* ---- what wakes it ---- */

Test(engine, a_poke_and_a_change_of_somebody_else, .timeout = 300)
{
	struct engine_world *world = world_new("a", 2);
	int64_t account = world_account(world, 1, 'a')->id;

	world_start(world, 4, NULL, false);
	world_add_job(world, account, 0);
	engine_poke(world->engine);
	expect_done(world, 1);
	world_add_job(world, account, 0); /* nobody says so */
	expect_done(world, 2);
	world_add_job(world, account, CLOCK_SECOND_US); /* due by and by */
	expect_done(world, 3);
	world_free(world);
}

Test(engine, a_look_brings_what_somebody_changed, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	int64_t ids[2];

	world_start(world, 4, NULL, true);
	expect_done(world, 3);
	cr_assert(world_until(world_is_idle, world, NULL));
	world_edit(world, 2, 'a');
	ids[0] = world_account(world, 1, 'a')->id;
	ids[1] = world_account(world, 2, 'a')->id;
	engine_look(world->engine, ids, 2);
	expect_done(world, 5);
	cr_assert(world_until(world_is_idle, world, NULL));
	cr_expect_eq(world_logged(world, "account=a/p2@a.example.com kind=pull project=- read=1 "
					 "changed=1"),
		     1, "%s", world_log(world));
	world_free(world);
}

/* As a queue_owner() of the process PID would say. */
static char *owner_of(TALLOC_CTX *mem, pid_t pid)
{
	char host[256] = "", *path = mem_printf(mem, "/proc/%ld/stat", (long)pid);
	long long start = 0;
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file,
			    "%*d (%*[^)]) %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			    "%*s %*s %*s %*s %*s %lld",
			    &start),
		     1);
	fclose(file);
	cr_assert_eq(sscanf(queue_owner(mem), "%255s", host), 1);
	return mem_printf(mem, "%s %ld %lld", host, (long)pid, start);
}

/* One that was killed a moment ago may still be there at the first look, and nobody tells when it is
 * not; and it may stay as a zombie. */
Test(engine, the_job_of_a_process_that_ends_later, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	pid_t child = fork();
	struct job *job = NULL;

	if (child == 0) {
		pause();
		_exit(0);
	}
	world_add_job(world, world_account(world, 1, 'a')->id, 0);
	ENGINE_OK(queue_lease(world->store, world->mem, owner_of(world->mem, child), NULL, &job));
	cr_assert_not_null(job);
	world_start(world, 2, NULL, false);
	world_pause(200); /* the first look */
	cr_assert_eq(kill(child, SIGKILL), 0);
	expect_done(world, 1);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	world_free(world);
}

/* ---- requests ---- */

struct asked {
	pthread_mutex_t lock;
	struct sync_result *result;
	struct fault *fault;
	int calls;
};

static void answered(void *data, struct sync_result *result, const struct fault *fault)
{
	struct asked *asked = data;

	pthread_mutex_lock(&asked->lock);
	asked->calls++;
	asked->result = talloc_steal(NULL, result);
	asked->fault = fault ? fault_new(NULL, fault->kind, "%s", fault->text) : NULL;
	pthread_mutex_unlock(&asked->lock);
}

static void ask(struct engine_world *world, struct asked *asked, const struct account *account,
		int64_t project)
{
	struct project row = { .id = project };
	struct sync_options options = { .account = account, .project = project ? &row : NULL };

	memset(asked, 0, sizeof *asked);
	pthread_mutex_init(&asked->lock, NULL);
	engine_request(world->engine, &options, answered, asked);
}

static bool is_answered(struct engine_world *world, void *data)
{
	struct asked *asked = data;
	int calls;

	(void)world;
	pthread_mutex_lock(&asked->lock);
	calls = asked->calls;
	pthread_mutex_unlock(&asked->lock);
	return calls > 0;
}

static void expect_answered(struct engine_world *world, struct asked *asked)
{
	cr_assert(world_until(is_answered, world, asked), "no answer\n%s", world_log(world));
	cr_assert_eq(asked->calls, 1);
	cr_assert_null(asked->fault, "%s", asked->fault ? asked->fault->text : "");
	cr_assert_not_null(asked->result);
}

static void asked_end(struct asked *asked)
{
	talloc_free(asked->result);
	talloc_free(asked->fault);
	pthread_mutex_destroy(&asked->lock);
}

Test(engine, several_requests_at_once, .timeout = 300)
{
	struct engine_world *world = world_new("ab", 10);
	int64_t second = world_add_project(world, "second", "b", 3);
	struct asked all, one, some, again;

	world_start(world, ENGINE_WORKERS, NULL, false);
	ask(world, &one, world_account(world, 3, 'a'), 0);
	expect_answered(world, &one);
	cr_expect_eq(one.result->served, 1);
	cr_expect_eq(one.result->report->created, 1);
	asked_end(&one);
	ask(world, &all, NULL, 0);
	ask(world, &some, NULL, second);
	ask(world, &one, world_account(world, 3, 'a'), 0);
	expect_answered(world, &all);
	expect_answered(world, &some);
	expect_answered(world, &one);
	cr_expect_eq(all.result->served, 20);
	cr_expect_eq(all.result->report->created, 22, "%lld",
		     (long long)all.result->report->created);
	cr_expect_eq(some.result->served, 3);
	cr_expect_eq(one.result->served, 1);
	ask(world, &again, NULL, 0);
	expect_answered(world, &again);
	cr_expect_eq(again.result->served, 20);
	cr_expect_eq(again.result->report->created + again.result->report->updated, 0);
	cr_expect_eq(again.result->waiting_jobs, 0);
	asked_end(&all);
	asked_end(&one);
	asked_end(&some);
	asked_end(&again);
	world_free(world);
}

/* What comes back for a server that does not answer: one line, and every account counted. */
Test(engine, a_request_and_a_server_that_does_not_answer, .timeout = 300)
{
	struct engine_world *world = world_new("ab", 5);
	struct buf *lines = buf_new(world->mem);
	struct asked asked;

	for (int i = 1; i < 100; i++)
		buf_printf(lines, "ensure %d unreachable\nnotice %d unreachable\n", i, i);
	world_script(world, 'b', lines->data);
	world_start(world, ENGINE_WORKERS, NULL, false);
	ask(world, &asked, NULL, 0);
	expect_answered(world, &asked);
	cr_expect_eq(asked.result->served, 5);
	cr_expect_eq(asked.result->unreachable, 5);
	cr_expect_eq(asked.result->waiting_jobs, 5);
	cr_expect_eq(asked.result->report->note_count, 1);
	cr_expect_not_null(strstr(asked.result->report->notes[0], "5 accounts wait"), "%s",
			   asked.result->report->notes[0]);
	for (int i = 1; i <= 5; i++)
		cr_expect_eq(world_account(world, i, 'b')->state, ACCOUNT_UNREACHABLE, "p%d", i);
	cr_expect_eq(world_logged(world, "warning server does not answer; its accounts wait "
					 "server=b error="),
		     1, "%s", world_log(world));
	asked_end(&asked);
	world_free(world);
}

Test(engine, a_request_ends_when_the_engine_does, .timeout = 300)
{
	struct engine_world *world = world_new("h", 1);
	struct asked before, after;
	int one = 1;

	world_start(world, 2, NULL, false);
	ask(world, &before, NULL, 0);
	cr_assert(world_until(busy_are, world, &one));
	engine_stop(world->engine);
	cr_assert(world_until(is_answered, world, &before));
	ask(world, &after, NULL, 0);
	http_cancel(world->http);
	cr_assert(engine_join(world->engine, WORLD_PATIENCE_MS * 1000));
	cr_assert(is_answered(world, &after));
	cr_expect(before.fault && before.fault->kind == FAULT_TRY_LATER);
	cr_expect(after.fault && after.fault->kind == FAULT_TRY_LATER);
	cr_expect(!before.result && !after.result);
	asked_end(&before);
	asked_end(&after);
	world_free(world);
}

/* ---- servers and accounts ---- */

Test(engine, a_server_that_hangs_delays_nobody_else, .timeout = 300)
{
	struct engine_world *world = world_new("ah", 50);
	struct asked asked;
	int one = 1;

	world_start(world, ENGINE_WORKERS, NULL, true);
	expect_done(world, 50);
	cr_assert(world_until(busy_are, world, &one), "%d", engine_figures(world->engine).busy);
	ask(world, &asked, world_account(world, 7, 'a'), 0);
	expect_answered(world, &asked);
	cr_expect_eq(asked.result->served, 1);
	asked_end(&asked);
	world_free(world);
}

static bool is_well(struct engine_world *world, void *data)
{
	return world_account(world, *(int *)data, 'a')->state == ACCOUNT_OK;
}

Test(engine, a_server_that_comes_back, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	int people[] = { 1, 2, 3 };

	world_script(world, 'a', "ensure 1 unreachable\nensure 2 unreachable\n");
	world_start(world, 4, NULL, true);
	for (int i = 0; i < 3; i++)
		cr_assert(world_until(is_well, world, &people[i]), "%s", world_log(world));
	cr_expect_eq(world_logged(world, "warning server does not answer"), 1, "%s",
		     world_log(world));
	cr_expect_eq(world_logged(world, "info server answers again after "), 1, "%s",
		     world_log(world));
	cr_expect_eq(world_logged(world, "result=retry error="), 2);
	world_free(world);
}

Test(engine, a_refused_login_holds_the_account, .timeout = 300)
{
	struct engine_world *world = world_new("a", 2);
	int64_t account = world_account(world, 1, 'a')->id, count = 0;
	struct job *jobs = NULL;

	world_script(world, 'a', "notice 1 login\nnotice 2 login\nnotice 3 login\n");
	world_start(world, 1, NULL, false);
	engine_look(world->engine, &account, 1);
	expect_failed(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL), "%s", world_log(world));
	cr_expect_eq(world_logged(world, "warning account is held"), 1, "%s", world_log(world));
	cr_assert_eq(world_jobs(world, &jobs), 1);
	cr_expect_eq(jobs[0].state, JOB_HELD);
	engine_look(world->engine, &account, 1); /* which is not what lets it go on */
	world_pause(1500);
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 1);
	for (int i = 2; i <= 4; i++) { /* a `sync` does; the fourth time nobody is asked */
		world_add_job(world, account, 0);
		expect_failed(world, i);
		cr_assert(world_until(world_is_idle, world, NULL));
		cr_expect_eq(world_account(world, 1, 'a')->state, ACCOUNT_HELD);
	}
	cr_expect_eq(world_logged(world, "warning account is held"), 1);
	cr_expect_eq(world_logged(world, "result=held"), 4, "%s", world_log(world));
	cr_expect_eq(world_logged(world, "the login was refused 3 times within the hour"), 1);
	ENGINE_OK(queue_retry(world->store, 0, &count)); /* a person's word */
	expect_done(world, 1);
	world_free(world);
}

/* A round that does not try again what found no room does not make it well. */
Test(engine, a_full_account_is_full_until_something_found_room, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t id = world_account(world, 1, 'a')->id, since;
	int one = 1;

	world_script(world, 'a', "put 1-9 full\n");
	world_start(world, 1, NULL, true);
	expect_failed(world, 1);
	since = world_account(world, 1, 'a')->full_since_us;
	cr_expect_gt(since, 0);
	expect_done(world, 1);
	cr_expect_eq(world_account(world, 1, 'a')->state, ACCOUNT_UNREACHABLE);
	cr_expect_not_null(world_account(world, 1, 'a')->error);
	cr_expect_eq(world_account(world, 1, 'a')->full_since_us, since);
	world_script(world, 'a', "");
	atomic_fetch_add(&world->clock->by_us, 7200 * CLOCK_SECOND_US);
	world_add_job(world, id, 0);
	cr_assert(world_until(is_well, world, &one), "%s", world_log(world));
	cr_expect_null(world_account(world, 1, 'a')->error);
	cr_expect_eq(world_account(world, 1, 'a')->full_since_us, 0);
	world_free(world);
}

Test(engine, a_server_that_is_not_in_the_configuration_any_more, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct account *account = NULL;
	struct resource *person = NULL;
	struct job *jobs = NULL;

	ENGINE_OK(project_resource_by_key(world->store, world->mem, "p1@a.example.com", &person));
	ENGINE_OK(store_begin(world->store));
	ENGINE_OK(link_account(world->store, world->mem, "old", person->id, true, &account));
	ENGINE_OK(store_commit(world->store));
	world_add_job(world, account->id, 0);
	world_start(world, 2, NULL, true);
	expect_done(world, 1);
	expect_failed(world, 1);
	cr_assert_eq(world_jobs(world, &jobs), 1);
	cr_expect_eq(jobs[0].state, JOB_HELD);
	cr_expect(strstr(jobs[0].error, "old is not in the configuration"), "%s", jobs[0].error);
	world_free(world);
}

/* ---- log ---- */

static void expect_line(struct engine_world *world, const char *pattern, bool there)
{
	regex_t regex;
	int found;

	cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	found = regexec(&regex, world_log(world), 0, NULL, 0) == 0;
	regfree(&regex);
	cr_expect_eq(found, there, "%s: expected %d, actual %d in\n%s", pattern, there, found,
		     world_log(world));
}

Test(engine, one_line_per_job, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;

	world_start(world, 2, NULL, true);
	expect_done(world, 1);
	engine_look(world->engine, &account, 1);
	expect_done(world, 2);
	world_script(world, 'a', "notice 3 gone\n");
	engine_look(world->engine, &account, 1);
	expect_failed(world, 1);
	expect_done(world, 3); /* the same again */
	cr_assert(world_until(world_is_idle, world, NULL));
	expect_line(world,
		    "^info transfer account=a/p1@a.example.com kind=pull project=- read=0 "
		    "changed=0 created=1 updated=0 removed=0 corrected=0 rejected=0 proposed=0 "
		    "losing=0 waiting=0 requests=0 sent=0 received=0 ms=[0-9]+ result=done$",
		    true);
	expect_line(world,
		    "^debug transfer account=a/p1@a.example.com kind=pull project=- read=0 "
		    "changed=0 created=0 .* result=done$",
		    true);
	expect_line(world,
		    "^info transfer account=a/p1@a.example.com .* result=retry error=\".*'gone'\"$",
		    true);
	cr_expect_eq(world_logged(world, " transfer "), 4, "%s", world_log(world));
	world_free(world);
}

/* What waits for a person is said once, however often it is met. */
Test(engine, notes_are_said_once, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;
	FILE *file;
	char *text;

	world_start(world, 2, NULL, true);
	expect_done(world, 1);
	cr_assert(world_until(world_is_idle, world, NULL));
	/* the folder vanishes */
	text = mem_printf(world->mem, "%s/a.mem", world->directory);
	file = fopen(text, "we");
	cr_assert_not_null(file);
	fclose(file);
	for (int64_t i = 2; i <= 4; i++) {
		engine_look(world->engine, &account, 1);
		expect_done(world, i);
	}
	expect_line(world,
		    "^warning note account=a/p1@a.example.com project=first text=\"held: the "
		    "folder of project first",
		    true);
	cr_expect_eq(world_logged(world, "warning note "), 1, "%s", world_log(world));
	world_free(world);
}

/* ---- the end, and the clock ---- */

Test(engine, it_ends_at_once_when_idle, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	int64_t start;

	world_start(world, ENGINE_WORKERS, NULL, true);
	expect_done(world, 3);
	start = world_now_ms();
	engine_stop(world->engine);
	cr_assert(engine_join(world->engine, WORLD_PATIENCE_MS * 1000));
	cr_expect_lt(world_now_ms() - start, 8000, "it waits for its next rest");
	cr_expect_null(engine_fault(world->engine, world->mem));
	world_free(world);
}

/* What the end interrupts has not failed: it is ready as before. */
Test(engine, it_ends_while_a_server_hangs, .timeout = 300)
{
	struct engine_world *world = world_new("h", 3);
	struct job *jobs = NULL;
	int one = 1;

	world_start(world, ENGINE_WORKERS, NULL, true);
	cr_assert(world_until(busy_are, world, &one));
	engine_stop(world->engine);
	cr_expect_not(engine_join(world->engine, 500000), "somebody hangs");
	http_cancel(world->http);
	cr_expect(engine_join(world->engine, WORLD_PATIENCE_MS * 1000));
	cr_assert_eq(world_jobs(world, &jobs), 3);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(jobs[i].state, JOB_READY);
		cr_expect_eq(jobs[i].attempts, 0);
	}
	cr_expect_eq(world_account(world, 1, 'h')->state, ACCOUNT_NEW);
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 0);
	world_free(world);
}

Test(engine, freeing_it_ends_it, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);

	world_start(world, ENGINE_WORKERS, NULL, true);
	talloc_free(world->engine);
	world->engine = NULL;
	world_free(world);
}

Test(engine, a_database_that_breaks_ends_it, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct asked asked;
	struct fault *fault;

	world_start(world, 4, NULL, true);
	expect_done(world, 1);
	ENGINE_OK(db_execute(world->store->db, "DROP TABLE job"));
	ask(world, &asked, NULL, 0);
	cr_assert(world_until(is_answered, world, &asked));
	cr_assert_not_null(asked.fault);
	cr_expect_eq(asked.fault->kind, FAULT_INTERNAL);
	cr_expect(engine_join(world->engine, WORLD_PATIENCE_MS * 1000));
	fault = engine_fault(world->engine, world->mem);
	cr_assert_not_null(fault);
	cr_expect_str_eq(fault->text, asked.fault->text);
	asked_end(&asked);
	world_free(world);
}

/* Somebody else writes for longer than anybody waits for the lock: nothing is lost, and no attempt is
 * counted. */
Test(engine, a_database_that_is_busy, .timeout = 300)
{
	struct engine_world *world = world_new("a", 6);
	struct test_park test;
	struct engine_park park = park_of(&test, world);
	int one = 1;

	test.slow = 'a';
	world_start(world, 4, &park, true);
	cr_assert(world_until(busy_are, world, &one)); /* one is about to begin */
	ENGINE_OK(store_begin(world->store));
	park_open(&test);
	world_pause(3 * BUSY_MS);
	cr_expect_eq(engine_figures(world->engine).jobs_done, 0);
	store_rollback(world->store);
	expect_done(world, 6);
	cr_assert(world_until(world_is_idle, world, NULL), "%s", world_log(world));
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 0, "%s", world_log(world));
	cr_expect_null(engine_fault(world->engine, world->mem));
	world_free(world);
	park_end(&test);
}

/* A person waits for `sync`, and is told at once. */
Test(engine, sync_and_a_database_that_is_busy, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
	struct sync_options options = { .full = true };
	struct sync_result *result = NULL;
	struct fault *fault;

	ENGINE_OK(store_begin(world->store));
	fault = sync_run(world->mem, &env, &options, &result);
	store_rollback(world->store);
	cr_assert_not_null(fault);
	cr_expect_eq(fault->kind, FAULT_TRY_LATER, "%s", fault->text);
	cr_expect_not_null(strstr(fault->text, "another program holds the database"), "%s",
			   fault->text);
	cr_expect_null(result);
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->served, 1);
	world_free(world);
}

Test(engine, the_clock_is_set_back, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	int64_t account = world_account(world, 1, 'a')->id;

	world_start(world, 4, NULL, false);
	world_add_job(world, account, 3600 * CLOCK_SECOND_US);
	world_pause(1500);
	cr_expect_eq(engine_figures(world->engine).jobs_done, 0);
	atomic_fetch_sub(&world->clock->by_us, 4 * CLOCK_SECOND_US); /* as a clock is disciplined */
	world_pause(1500);
	cr_expect_eq(engine_figures(world->engine).jobs_done, 0);
	atomic_fetch_sub(&world->clock->by_us, 7200 * CLOCK_SECOND_US);
	expect_done(world, 1);
	/* 7204 s, less what a slow machine needs between two looks */
	cr_expect_eq(world_logged(world, "warning the clock was set back by 720") +
			     world_logged(world, "warning the clock was set back by 719"),
		     1, "%s", world_log(world));
	world_add_job(world, account, 3600 * CLOCK_SECOND_US);
	atomic_fetch_add(&world->clock->by_us, 7200 * CLOCK_SECOND_US); /* forward: it is due */
	expect_done(world, 2);
	cr_expect_eq(world_logged(world, "the clock was set back"), 1);
	world_free(world);
}

/* ---- many ---- */

Test(engine, two_hundred_accounts, .timeout = 300)
{
	struct engine_world *world = world_new("abcd", 50);
	struct asked asked;

	world_start(world, ENGINE_WORKERS, NULL, false);
	ask(world, &asked, NULL, 0);
	expect_answered(world, &asked);
	cr_expect_eq(asked.result->served, 200);
	cr_expect_eq(asked.result->report->created, 200);
	cr_expect_eq(asked.result->report->note_count, 0);
	cr_expect_eq(engine_figures(world->engine).jobs_failed, 0);
	asked_end(&asked);
	world_free(world);
}

/* ---- publish, and a look at all of it ---- */

static struct sync_result *publish_and_sync(struct engine_world *world)
{
	struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
	struct sync_options options = { .account = NULL };
	struct sync_result *result = NULL;
	struct project *project = NULL;
	int64_t jobs = 0;

	ENGINE_OK(project_by_id(world->store, world->mem, world->project, &project));
	ENGINE_OK(sync_publish(world->mem, &env, world->store, project,
			       round_report_new(world->mem), &jobs));
	cr_assert_eq(jobs, 1);
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	return result;
}

static int64_t asked_for(struct engine_world *world, const char *operation)
{
	int64_t count = 0;

	ENGINE_OK(memory_count(world->mem, mem_printf(world->mem, "%s/a.mem", world->directory),
			       operation, &count));
	return count;
}

/* Both are wanted of one account, and each folder is looked at once. */
Test(engine, what_is_published_and_looked_at_is_visited_once, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct sync_result *result;
	struct job *jobs = NULL;

	world_add_project(world, "second", "a", 1);
	result = publish_and_sync(world);
	cr_expect_eq(result->served, 1);
	cr_expect_eq(result->report->created, 2);
	cr_expect_eq(asked_for(world, "notice"), 2);
	cr_expect_eq(asked_for(world, "ensure"), 2);
	cr_expect_eq(world_jobs(world, &jobs), 0);
	world_edit(world, 1, 'a');
	result = publish_and_sync(world);
	cr_expect_eq(result->report->changed, 1);
	cr_expect_eq(asked_for(world, "ensure"), 3, "that of the project that is published");
	world_free(world);
}

/* What is the matter with another project's folder does not hold what was published. */
Test(engine, a_folder_that_was_only_looked_at, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct sync_result *result;
	struct job *jobs = NULL;

	world_add_project(world, "second", "a", 1);
	world_script(world, 'a', "ensure 2 refused\n");
	result = publish_and_sync(world);
	cr_expect_eq(result->report->created, 1);
	cr_assert_eq(world_jobs(world, &jobs), 1);
	cr_expect_eq(jobs[0].kind, JOB_PULL, "%s", jobs[0].error);
	cr_expect_eq(jobs[0].state, JOB_HELD, "%s", jobs[0].error);
	world_free(world);
}

/* ... nor is what was published forgotten for it, where something of it has to wait. */
Test(engine, a_folder_that_was_only_looked_at_and_an_edit_that_waits, .timeout = 300)
{
	struct engine_world *world = world_new("a", 1);
	struct job *jobs = NULL;

	world->conf->servers[0].settle_us = 3600 * CLOCK_SECOND_US;
	publish_and_sync(world);
	world_edit(world, 1, 'a');
	world_add_project(world, "second", "a", 1);
	world_script(world, 'a', "ensure 3 refused\n");
	publish_and_sync(world);
	cr_assert_eq(world_jobs(world, &jobs), 2);
	cr_expect_eq(jobs[0].kind, JOB_PUBLISH);
	cr_expect_eq(jobs[0].state, JOB_WAITING, "%s", jobs[0].error);
	cr_expect_eq(jobs[1].kind, JOB_PULL);
	cr_expect_eq(jobs[1].state, JOB_HELD, "%s", jobs[1].error);
	world_free(world);
}

/* The command `sync` is an engine with one request. */
Test(engine, sync_of_one_account, .timeout = 300)
{
	struct engine_world *world = world_new("a", 3);
	struct sync_env env = { .conf = world->conf, .clock = &world->clock->clock };
	struct sync_options options = { .account = world_account(world, 2, 'a') };
	struct sync_result *result = NULL;

	world_add_job(world, world_account(world, 3, 'a')->id, 0);
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->served, 1);
	cr_expect_eq(result->report->created, 1);
	cr_expect_eq(result->waiting_jobs, 0, "somebody else's is not told of");
	options.account = NULL;
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->served, 3);
	cr_expect_eq(result->report->created, 2);
	cr_expect_eq(result->waiting_jobs, 0);
	options.dry_run = true;
	ENGINE_OK(sync_run(world->mem, &env, &options, &result));
	cr_expect_eq(result->served, 3);
	world_free(world);
}
