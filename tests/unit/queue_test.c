#include "config.h"

#include "queue/queue.h"

#include <stdio.h>
#include <sys/wait.h>

#include "store_world.h"

/* Accounts are rows that jobs refer to: two of Ana's. */
struct queue_world {
	struct store_world store;
	int64_t first, second;
};

static struct queue_world queue_world_new(void)
{
	struct queue_world world = { .store = store_world_new() };
	struct account *account = NULL;

	store_world_fill(&world.store);
	STORE_OK(store_begin(world.store.store));
	STORE_OK(link_account(world.store.store, world.store.mem, "a", world.store.ana, true,
			      &account));
	world.first = account->id;
	STORE_OK(link_account(world.store.store, world.store.mem, "b", world.store.ana, true,
			      &account));
	world.second = account->id;
	STORE_OK(store_commit(world.store.store));
	return world;
}

static bool add(struct queue_world *world, enum job_kind kind, int64_t account, int64_t in_us)
{
	bool added = false;

	STORE_OK(store_begin(world->store.store));
	STORE_OK(queue_add(world->store.store, kind, account, 0,
			   clock_now_us(world->store.clock) + in_us, &added));
	STORE_OK(store_commit(world->store.store));
	return added;
}

static struct job *lease_of(struct queue_world *world, int64_t account, const char *owner)
{
	struct job *job = NULL;

	STORE_OK(queue_lease(world->store.store, world->store.mem, owner,
			     &(struct queue_filter){ .account = account }, &job));
	return job;
}

static struct job *lease(struct queue_world *world)
{
	return lease_of(world, 0, queue_owner(world->store.mem));
}

static struct job *must_lease(struct queue_world *world)
{
	struct job *job = lease(world);

	cr_assert_not_null(job, "no job is due");
	return job;
}

/* "kind:state ..." of all that are not done. */
static char *all(struct queue_world *world)
{
	struct job *list = NULL;
	size_t count = 0;
	char *text = mem_strdup(world->store.mem, "");

	STORE_OK(queue_list(world->store.store, world->store.mem, &list, &count));
	for (size_t i = 0; i < count; i++)
		text = mem_printf(world->store.mem, "%s%s%s:%s", text, i ? " " : "",
				  job_kind_name(list[i].kind), job_state_name(list[i].state));
	return text;
}

static struct job *only(struct queue_world *world)
{
	struct job *list = NULL;
	size_t count = 0;

	STORE_OK(queue_list(world->store.store, world->store.mem, &list, &count));
	cr_assert_eq(count, 1, "%s", all(world));
	return &list[0];
}

static void pass(struct queue_world *world, int64_t us)
{
	clock_sleep(world->store.clock, us);
}

static struct fault *fault_of(struct queue_world *world, enum fault_kind kind)
{
	return fault_new(world->store.mem, kind, "it went wrong");
}

Test(queue, jobs_that_say_the_same_are_one)
{
	struct queue_world world = queue_world_new();

	cr_expect(add(&world, JOB_PULL, world.first, 10 * CLOCK_SECOND_US));
	cr_expect_not(add(&world, JOB_PULL, world.first, 20 * CLOCK_SECOND_US));
	cr_expect_eq(only(&world)->due_us, STORE_START_US + 10 * CLOCK_SECOND_US,
		     "the earlier time stays");
	cr_expect_not(add(&world, JOB_PULL, world.first, 0));
	cr_expect_eq(only(&world)->due_us, STORE_START_US, "an earlier one hastens it");
	cr_expect(add(&world, JOB_PUBLISH, world.first, 0));
	cr_expect(add(&world, JOB_PULL, world.second, 0));
	cr_expect_str_eq(all(&world), "pull:ready publish:ready pull:ready");
	store_world_free(&world.store);
}

Test(queue, one_job_per_account_at_a_time)
{
	struct queue_world world = queue_world_new();
	struct job *one, *two;

	add(&world, JOB_PULL, world.first, 0);
	add(&world, JOB_PUBLISH, world.first, 0);
	add(&world, JOB_PULL, world.second, 1);
	one = must_lease(&world);
	cr_expect_eq(one->account_id, world.first);
	cr_expect_eq(one->state, JOB_LEASED);
	cr_expect_null(lease(&world), "the other account's is not due yet");
	pass(&world, 1);
	two = must_lease(&world);
	cr_expect_eq(two->account_id, world.second);
	cr_expect_null(lease(&world));
	STORE_OK(queue_done(world.store.store, one));
	cr_expect_eq(must_lease(&world)->account_id, world.first);
	store_world_free(&world.store);
}

Test(queue, a_lease_of_a_chosen_account)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	cr_expect_null(lease_of(&world, world.second, "me 1 1"));
	cr_expect_not_null(lease_of(&world, world.first, queue_owner(world.store.mem)));
	store_world_free(&world.store);
}

Test(queue, a_new_job_is_leased_in_the_transaction_that_adds_it)
{
	struct queue_world world = queue_world_new();
	const char *me = queue_owner(world.store.mem);
	struct job *job = NULL;

	add(&world, JOB_PULL, world.second, 0);
	add(&world, JOB_PULL, world.first, 3600);
	STORE_OK(queue_lease_new(world.store.store, world.store.mem, me, JOB_PULL, world.first,
				 &job));
	cr_assert_not_null(job);
	cr_expect_eq(job->account_id, world.first);
	cr_expect_str_eq(all(&world), "pull:ready pull:leased", "the one that waited is this one");
	job = NULL;
	STORE_OK(queue_lease_new(world.store.store, world.store.mem, me, JOB_PULL, world.first,
				 &job));
	cr_expect_null(job, "it has one that is leased");
	cr_expect_str_eq(all(&world), "pull:ready pull:leased pull:ready");
	store_world_free(&world.store);
}

/* Another of the same may be added while one is worked on: what changed meanwhile is not forgotten.
 */
Test(queue, added_again_while_leased)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	cr_expect(add(&world, JOB_PULL, world.first, 0));
	cr_expect_str_eq(all(&world), "pull:leased pull:ready");
	STORE_OK(queue_wait(world.store.store, job,
			    clock_now_us(world.store.clock) + CLOCK_SECOND_US, "settle"));
	cr_expect_str_eq(all(&world), "pull:ready", "the two are one again");
	store_world_free(&world.store);
}

/* What a look at the whole account found settled, or waits for itself, nobody else waits for. */
Test(queue, absorbs_what_waits_for_the_same)
{
	struct queue_world world = queue_world_new();
	struct store *store = world.store.store;
	int64_t later = STORE_START_US + 3600 * CLOCK_SECOND_US;
	struct job *job;

	add(&world, JOB_PUSH, world.first, 0);
	STORE_OK(queue_wait(store, must_lease(&world), later, "settle"));
	add(&world, JOB_RECONCILE, world.first, 0);
	STORE_OK(queue_wait(store, must_lease(&world), later, "something else"));
	add(&world, JOB_PUSH, world.second, 0);
	STORE_OK(queue_wait(store, must_lease(&world), later, "settle"));
	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(queue_absorb(store, job, "settle"));
	STORE_OK(queue_done(store, job));
	cr_expect_str_eq(all(&world), "reconcile:waiting push:waiting");
	store_world_free(&world.store);
}

Test(queue, a_lease_that_ran_out_is_free)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	pass(&world, QUEUE_LEASE_US - 1);
	cr_expect_null(lease(&world));
	pass(&world, 1);
	cr_expect_eq(must_lease(&world)->id, job->id);
	store_world_free(&world.store);
}

Test(queue, a_dead_owners_lease_is_free_at_once)
{
	struct queue_world world = queue_world_new();
	char *owner = queue_owner(world.store.mem), host[256] = "";
	pid_t child = fork();
	struct job *job;

	if (child == 0)
		_exit(0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(sscanf(owner, "%255s", host), 1);
	add(&world, JOB_PULL, world.first, 0);
	job = lease_of(&world, 0, mem_printf(world.store.mem, "%s %ld 12345", host, (long)child));
	cr_assert_not_null(job);
	cr_expect_eq(must_lease(&world)->id, job->id);
	store_world_free(&world.store);
}

/* The number of a process is given out again: the time at which it started tells. */
Test(queue, another_process_with_the_owners_number)
{
	struct queue_world world = queue_world_new();
	char host[256] = "";

	cr_assert_eq(sscanf(queue_owner(world.store.mem), "%255s", host), 1);
	add(&world, JOB_PULL, world.first, 0);
	cr_assert_not_null(
		lease_of(&world, 0, mem_printf(world.store.mem, "%s %ld 1", host, (long)getpid())));
	cr_expect_not_null(lease(&world));
	store_world_free(&world.store);
}

Test(queue, another_hosts_lease_holds_until_it_runs_out)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	cr_assert_not_null(lease_of(&world, 0, "elsewhere.example.com 1 1"));
	cr_expect_null(lease(&world));
	pass(&world, QUEUE_LEASE_US);
	cr_expect_not_null(lease(&world));
	store_world_free(&world.store);
}

Test(queue, back_off_doubles_up_to_an_hour)
{
	cr_expect_eq(queue_backoff_us(1), 1 * CLOCK_SECOND_US);
	cr_expect_eq(queue_backoff_us(2), 2 * CLOCK_SECOND_US);
	cr_expect_eq(queue_backoff_us(5), 16 * CLOCK_SECOND_US);
	cr_expect_eq(queue_backoff_us(12), 2048 * CLOCK_SECOND_US);
	cr_expect_eq(queue_backoff_us(13), QUEUE_BACKOFF_MAX_US);
	cr_expect_eq(queue_backoff_us(1000), QUEUE_BACKOFF_MAX_US);
}

Test(queue, a_server_that_is_away_for_long_kills_no_job)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	for (int64_t attempt = 1; attempt <= 2 * QUEUE_ATTEMPTS_MAX; attempt++) {
		struct job *job = must_lease(&world);
		struct fault *away = fault_reaches(fault_of(&world, FAULT_UNREACHABLE),
						   FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);

		STORE_OK(queue_fail(world.store.store, job, away));
		cr_assert_eq(job->state, JOB_WAITING, "attempt %lld", (long long)attempt);
		pass(&world, QUEUE_BACKOFF_MAX_US);
	}
	cr_expect_not_null(lease(&world));
	store_world_free(&world.store);
}

Test(queue, failures_wait_longer_and_longer_and_end)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	for (int64_t attempt = 1; attempt <= QUEUE_ATTEMPTS_MAX; attempt++) {
		struct job *job = must_lease(&world);
		int64_t pause, plain = queue_backoff_us(attempt);

		STORE_OK(queue_fail(world.store.store, job, fault_of(&world, FAULT_PROTOCOL)));
		cr_assert_eq(job->attempts, attempt);
		if (attempt == QUEUE_ATTEMPTS_MAX)
			break;
		cr_assert_eq(job->state, JOB_WAITING);
		pause = job->due_us - clock_now_us(world.store.clock);
		cr_assert(pause >= plain * 3 / 4 && pause <= plain * 5 / 4 &&
				  pause <= QUEUE_BACKOFF_MAX_US,
			  "attempt %lld waits %lld us, %lld and a quarter at most, an hour at most",
			  (long long)attempt, (long long)pause, (long long)plain);
		cr_assert_null(lease(&world), "not before it is due");
		pass(&world, pause);
	}
	cr_expect_str_eq(all(&world), "pull:dead");
	cr_expect_str_eq(only(&world)->error, "it went wrong");
	pass(&world, 24 * 3600 * CLOCK_SECOND_US);
	cr_expect_null(lease(&world));
	store_world_free(&world.store);
}

Test(queue, retry_after_is_obeyed)
{
	struct queue_world world = queue_world_new();
	struct fault *fault = fault_of(&world, FAULT_BUSY);
	struct job *job;

	fault->retry_after_s = 120;
	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(queue_fail(world.store.store, job, fault));
	cr_expect_eq(job->due_us, STORE_START_US + 120 * CLOCK_SECOND_US);
	store_world_free(&world.store);
}

Test(queue, what_a_person_has_to_mend_is_held)
{
	struct queue_world world = queue_world_new();
	struct job *job;
	int64_t count = 0;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(queue_fail(world.store.store, job, fault_of(&world, FAULT_LOGIN)));
	cr_expect_str_eq(all(&world), "pull:held");
	pass(&world, 24 * 3600 * CLOCK_SECOND_US);
	cr_expect_null(lease(&world));
	STORE_OK(queue_retry(world.store.store, job->id, &count));
	cr_expect_eq(count, 1);
	job = must_lease(&world);
	cr_expect_eq(job->attempts, 0, "a person's word begins anew");
	STORE_OK(queue_fail(world.store.store, job, fault_of(&world, FAULT_CONFIG)));
	cr_expect_str_eq(all(&world), "pull:dead");
	cr_expect_not(add(&world, JOB_PULL, world.first, 0),
		      "merged into the dead one, which is ready again");
	cr_expect_str_eq(all(&world), "pull:ready");
	store_world_free(&world.store);
}

static void hold(struct queue_world *world, struct job *job)
{
	STORE_OK(queue_fail(world->store.store, job, fault_of(world, FAULT_LOGIN)));
}

/* It was added again while it was worked on: a person looks at it once. */
Test(queue, held_twice_is_one)
{
	struct queue_world world = queue_world_new();
	struct job *first;
	int64_t count = 0;

	add(&world, JOB_PULL, world.first, 0);
	first = must_lease(&world);
	add(&world, JOB_PULL, world.first, 0);
	add(&world, JOB_PUSH, world.first, 0);
	hold(&world, first);
	hold(&world, must_lease(&world));
	hold(&world, must_lease(&world));
	cr_expect_str_eq(all(&world), "pull:held push:held");
	STORE_OK(queue_retry(world.store.store, 0, &count));
	cr_expect_eq(count, 2);
	store_world_free(&world.store);
}

static size_t behind(struct queue_world *world)
{
	int64_t *accounts = NULL;
	size_t count = 0;

	STORE_OK(link_behind(world->store.store, world->store.mem, world->store.project, 0,
			     &accounts, &count));
	return count;
}

static void set_state(struct queue_world *world, enum account_state state)
{
	struct account *account = NULL;

	STORE_OK(store_begin(world->store.store));
	STORE_OK(link_account(world->store.store, world->store.mem, "a", world->store.ana, false,
			      &account));
	account->state = state;
	STORE_OK(link_account_set(world->store.store, account));
	STORE_OK(store_commit(world->store.store));
}

static void change_something(struct queue_world *world)
{
	struct value percent = { .number = 40 };

	STORE_OK(store_begin(world->store.store));
	STORE_OK(
		project_change(world->store.store,
			       &(struct project_step){ .project_id = world->store.project,
						       .assignment_id = world->store.assignment->id,
						       .task_id = world->store.assignment->task_id,
						       .field = FIELD_percent,
						       .new = &percent,
						       .at_us = STORE_START_US,
						       .author = "project:x" },
			       NULL));
	STORE_OK(store_commit(world->store.store));
}

/* Where a held job will bring a change it is not told of it; in all other cases it is. */
Test(queue, a_held_account_is_behind_until_its_job_brings_all)
{
	struct queue_world world = queue_world_new();
	struct folder *folder = NULL;
	int64_t count = 0;

	STORE_OK(store_begin(world.store.store));
	STORE_OK(link_folder(world.store.store, world.store.mem, world.first, world.store.project,
			     true, &folder));
	STORE_OK(store_commit(world.store.store));
	change_something(&world);
	cr_expect_eq(behind(&world), 1);
	add(&world, JOB_PULL, world.first, 0);
	hold(&world, must_lease(&world));
	cr_expect_eq(behind(&world), 1, "the account itself is well");
	set_state(&world, ACCOUNT_HELD);
	cr_expect_eq(behind(&world), 0);
	change_something(&world);
	cr_expect_eq(behind(&world), 0, "nor of what comes later");
	STORE_OK(queue_retry(world.store.store, 0, &count));
	cr_expect_eq(behind(&world), 1, "somebody has mended it");
	STORE_OK(queue_done(world.store.store, must_lease(&world)));
	cr_expect_eq(behind(&world), 1, "no job is left");
	STORE_OK(store_begin(world.store.store));
	STORE_OK(queue_add(world.store.store, JOB_PUSH, world.first, world.store.project + 1000, 0,
			   NULL));
	STORE_OK(store_commit(world.store.store));
	hold(&world, must_lease(&world));
	cr_expect_eq(behind(&world), 1, "that one is another project's");
	store_world_free(&world.store);
}

Test(queue, waiting_is_no_attempt)
{
	struct queue_world world = queue_world_new();
	struct job *job;
	int64_t due = 0;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(
		queue_wait(world.store.store, job, STORE_START_US + 5 * CLOCK_SECOND_US, "settle"));
	cr_expect_eq(only(&world)->attempts, 0);
	STORE_OK(queue_next_due(world.store.store, NULL, &due));
	cr_expect_eq(due, STORE_START_US + 5 * CLOCK_SECOND_US);
	STORE_OK(queue_next_due(world.store.store,
				&(struct queue_filter){ .account = world.second }, &due));
	cr_expect_eq(due, INT64_MAX);
	cr_expect_null(lease(&world));
	pass(&world, 5 * CLOCK_SECOND_US);
	STORE_OK(queue_done(world.store.store, must_lease(&world)));
	STORE_OK(queue_next_due(world.store.store, NULL, &due));
	cr_expect_eq(due, INT64_MAX);
	store_world_free(&world.store);
}

Test(queue, retrying_all)
{
	struct queue_world world = queue_world_new();
	int64_t count = 0;

	add(&world, JOB_PULL, world.first, 0);
	STORE_OK(queue_fail(world.store.store, must_lease(&world), fault_of(&world, FAULT_LOGIN)));
	add(&world, JOB_PUBLISH, world.second, 0);
	STORE_OK(queue_fail(world.store.store, must_lease(&world),
			    fault_of(&world, FAULT_UNREACHABLE)));
	cr_expect_str_eq(all(&world), "pull:held publish:waiting");
	STORE_OK(queue_retry(world.store.store, 0, &count));
	cr_expect_eq(count, 2);
	cr_expect_str_eq(all(&world), "pull:ready publish:ready");
	store_world_free(&world.store);
}

Test(queue, retrying_what_is_not_there_or_worked_on)
{
	struct queue_world world = queue_world_new();
	struct job *job;
	int64_t count = 7;

	store_world_expect_fault(queue_retry(world.store.store, 4711, &count), FAULT_DATA, "4711");
	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	store_world_expect_fault(queue_retry(world.store.store, job->id, &count), FAULT_DATA,
				 "worked on");
	cr_expect_eq(count, 7, "untouched on failure");
	cr_expect_str_eq(all(&world), "pull:leased");
	store_world_free(&world.store);
}

/* A held job and a ready one that says the same: retried, they are one. */
Test(queue, retrying_merges)
{
	struct queue_world world = queue_world_new();
	struct job *job;
	int64_t count = 0;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	add(&world, JOB_PULL, world.first, 60 * CLOCK_SECOND_US);
	STORE_OK(queue_fail(world.store.store, job, fault_of(&world, FAULT_LOGIN)));
	cr_expect_str_eq(all(&world), "pull:held pull:ready");
	STORE_OK(queue_retry(world.store.store, job->id, &count));
	cr_expect_str_eq(all(&world), "pull:ready");
	cr_expect_not_null(lease(&world), "and it is due now");
	store_world_free(&world.store);
}

Test(queue, a_lease_that_ran_out_merges_too)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	must_lease(&world);
	add(&world, JOB_PULL, world.first, 0);
	pass(&world, QUEUE_LEASE_US);
	cr_expect_not_null(lease(&world));
	cr_expect_str_eq(all(&world), "pull:leased");
	store_world_free(&world.store);
}

/* The edges of queue.h: what is not leased cannot be ended. */
Test(queue, moves_that_are_not_allowed)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(queue_done(world.store.store, job));
	store_world_expect_fault(queue_done(world.store.store, job), FAULT_INTERNAL,
				 "from done to done");
	store_world_expect_fault(
		queue_fail(world.store.store, job, fault_of(&world, FAULT_UNREACHABLE)),
		FAULT_INTERNAL, "from done to waiting");
	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	STORE_OK(queue_wait(world.store.store, job, STORE_START_US, "settle"));
	store_world_expect_fault(queue_done(world.store.store, job), FAULT_INTERNAL,
				 "from waiting to done");
	cr_expect_str_eq(all(&world), "pull:waiting");
	store_world_free(&world.store);
}

Test(queue, counts)
{
	struct queue_world world = queue_world_new();
	int64_t counts[JOB_STATES];

	add(&world, JOB_PULL, world.first, 0);
	STORE_OK(queue_done(world.store.store, must_lease(&world)));
	add(&world, JOB_PULL, world.first, 0);
	add(&world, JOB_PULL, world.second, 0);
	must_lease(&world);
	STORE_OK(queue_counts(world.store.store, NULL, counts));
	cr_expect_eq(counts[JOB_DONE], 1);
	cr_expect_eq(counts[JOB_LEASED], 1);
	cr_expect_eq(counts[JOB_READY], 1);
	cr_expect_eq(counts[JOB_DEAD] + counts[JOB_HELD] + counts[JOB_WAITING], 0);
	store_world_free(&world.store);
}

/* ---- two jobs in one visit ---- */

static void add_of(struct queue_world *world, enum job_kind kind, int64_t project, int64_t in_us)
{
	STORE_OK(store_begin(world->store.store));
	STORE_OK(queue_add(world->store.store, kind, world->first, project,
			   clock_now_us(world->store.clock) + in_us, NULL));
	STORE_OK(store_commit(world->store.store));
}

Test(queue, a_pull_goes_along_with_a_publish)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add_of(&world, JOB_PUBLISH, world.store.project, 0);
	add_of(&world, JOB_PULL, 0, 0);
	job = must_lease(&world);
	cr_expect_eq(job->kind, JOB_PUBLISH);
	cr_assert_not_null(job->along);
	cr_expect_eq(job->along->kind, JOB_PULL);
	cr_expect_eq(job->along->lease_until_us, job->lease_until_us);
	cr_expect_str_eq(all(&world), "publish:leased pull:leased");
	add_of(&world, JOB_PULL, 0, 0); /* what comes from now on is another one */
	cr_expect_null(lease(&world));
	STORE_OK(queue_done(world.store.store, job));
	cr_expect_null(lease(&world), "one of the account is still worked on");
	STORE_OK(queue_done(world.store.store, job->along));
	cr_expect_eq(must_lease(&world)->kind, JOB_PULL);
	store_world_free(&world.store);
}

Test(queue, what_does_not_go_along)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add_of(&world, JOB_PUBLISH, world.store.project, 0);
	add_of(&world, JOB_PULL, 0, 1);
	add_of(&world, JOB_PULL, world.store.project + 1, 0);
	add(&world, JOB_PULL, world.second, 0);
	job = must_lease(&world);
	cr_expect_eq(job->kind, JOB_PUBLISH);
	cr_expect_null(job->along, "not due, of another project, of another account");
	STORE_OK(queue_done(world.store.store, job));
	job = lease_of(&world, world.first, queue_owner(world.store.mem));
	cr_expect_eq(job->kind, JOB_PULL);
	cr_expect_null(job->along, "a pull takes nothing along");
	store_world_free(&world.store);
}

Test(queue, a_pull_of_the_same_project_goes_along_where_there_is_no_wider_one)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add_of(&world, JOB_PUBLISH, world.store.project, 0);
	add_of(&world, JOB_PULL, world.store.project, 0);
	job = must_lease(&world);
	cr_assert_not_null(job->along);
	cr_expect_eq(job->along->project_id, world.store.project);
	STORE_OK(queue_release(world.store.store, job));
	STORE_OK(queue_release(world.store.store, job->along));
	add_of(&world, JOB_PULL, 0, 0);
	job = must_lease(&world);
	cr_assert_not_null(job->along);
	cr_expect_eq(job->along->project_id, 0);
	store_world_free(&world.store);
}

Test(queue, both_leases_lapse)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add_of(&world, JOB_PUBLISH, world.store.project, 0);
	add_of(&world, JOB_PULL, 0, 0);
	must_lease(&world);
	pass(&world, QUEUE_LEASE_US);
	job = must_lease(&world);
	cr_expect_eq(job->kind, JOB_PUBLISH);
	cr_expect_not_null(job->along);
	store_world_free(&world.store);
}

/* ---- what a service needs ---- */

static struct job *lease_where(struct queue_world *world, const struct queue_filter *filter)
{
	struct job *job = NULL;

	STORE_OK(queue_lease(world->store.store, world->store.mem, queue_owner(world->store.mem),
			     filter, &job));
	return job;
}

static int64_t next_due_where(struct queue_world *world, const struct queue_filter *filter)
{
	int64_t due = 0;

	STORE_OK(queue_next_due(world->store.store, filter, &due));
	return due;
}

Test(queue, servers_left_out)
{
	static const char *const a[] = { "a" }, *const both[] = { "b", "a" },
				 *const others[] = { "A", "aa", "%", "_", "", "c" };
	const struct queue_filter without_a = { .without = a, .without_count = 1 },
				  without_both = { .without = both, .without_count = 2 },
				  without_others = { .without = others, .without_count = 6 };
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	add(&world, JOB_PULL, world.second, 5 * CLOCK_SECOND_US);
	cr_expect_eq(next_due_where(&world, NULL), STORE_START_US);
	cr_expect_eq(next_due_where(&world, &without_others), STORE_START_US);
	cr_expect_eq(next_due_where(&world, &without_a), STORE_START_US + 5 * CLOCK_SECOND_US);
	cr_expect_eq(next_due_where(&world, &without_both), INT64_MAX);
	cr_expect_null(lease_where(&world, &without_a), "the other one is not due yet");
	pass(&world, 5 * CLOCK_SECOND_US);
	cr_expect_null(lease_where(&world, &without_both));
	cr_expect_eq(lease_where(&world, &without_a)->account_id, world.second);
	cr_expect_eq(lease_where(&world, &without_others)->account_id, world.first);
	store_world_free(&world.store);
}

/* Ana has a task in the project, Bob has not. */
Test(queue, accounts_of_a_project)
{
	struct queue_world world = queue_world_new();
	struct queue_filter filter = { .project = world.store.project };
	struct account *bobs = NULL;
	int64_t busy = 7;

	STORE_OK(store_begin(world.store.store));
	STORE_OK(link_account(world.store.store, world.store.mem, "a", world.store.bob, true,
			      &bobs));
	STORE_OK(store_commit(world.store.store));
	add(&world, JOB_PULL, bobs->id, 0);
	cr_expect_eq(next_due_where(&world, &filter), INT64_MAX);
	STORE_OK(queue_busy(world.store.store, &filter, &busy));
	cr_expect_eq(busy, 0);
	add(&world, JOB_PULL, world.first, 0);
	cr_expect_eq(lease_where(&world, &filter)->account_id, world.first);
	STORE_OK(queue_busy(world.store.store, &filter, &busy));
	cr_expect_eq(busy, 1);
	filter.account = world.second;
	STORE_OK(queue_busy(world.store.store, &filter, &busy));
	cr_expect_eq(busy, 0);
	store_world_free(&world.store);
}

/* What cannot be leased now is no reason to look again. */
Test(queue, the_next_due_of_an_account_that_is_worked_on)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 0);
	must_lease(&world);
	add(&world, JOB_PUSH, world.first, 0);
	cr_expect_eq(next_due_where(&world, NULL), INT64_MAX);
	store_world_free(&world.store);
}

static int64_t version_of(struct store *store)
{
	int64_t version = 0;

	STORE_OK(store_data_version(store, &version));
	return version;
}

Test(queue, a_look_that_finds_nothing_writes_nothing)
{
	struct queue_world world = queue_world_new();
	struct store *other = NULL;
	int64_t before;

	STORE_OK(store_open(world.store.mem, world.store.dsn, world.store.clock, NULL, &other));
	add(&world, JOB_PULL, world.first, 60 * CLOCK_SECOND_US);
	before = version_of(other);
	cr_expect_null(lease(&world));
	cr_expect_eq(version_of(other), before);
	pass(&world, 60 * CLOCK_SECOND_US);
	must_lease(&world);
	cr_expect_neq(version_of(other), before);
	before = version_of(other);
	cr_expect_null(lease(&world), "that one is worked on");
	cr_expect_eq(version_of(other), before);
	add(&world, JOB_PULL, world.second, 0);
	before = version_of(other);
	cr_expect_not(add(&world, JOB_PULL, world.second, 10), "said already");
	cr_expect_eq(version_of(other), before);
	store_world_free(&world.store);
}

Test(queue, a_lease_that_is_renewed)
{
	struct queue_world world = queue_world_new();
	int64_t until = 0;
	struct job *job;

	add(&world, JOB_PULL, world.first, 0);
	job = must_lease(&world);
	pass(&world, QUEUE_LEASE_US - 1);
	STORE_OK(store_begin(world.store.store));
	STORE_OK(queue_renew(world.store.store, job->id, &until));
	STORE_OK(store_commit(world.store.store));
	cr_expect_eq(until, STORE_START_US + 2 * QUEUE_LEASE_US - 1);
	pass(&world, QUEUE_LEASE_US - 1);
	cr_expect_null(lease(&world));
	pass(&world, 1);
	cr_expect_eq(must_lease(&world)->id, job->id);
	store_world_free(&world.store);
}

Test(queue, given_back_as_it_was)
{
	struct queue_world world = queue_world_new();
	struct job *job;

	add(&world, JOB_PULL, world.first, 0);
	STORE_OK(queue_fail(world.store.store, must_lease(&world), fault_of(&world, FAULT_BUSY)));
	pass(&world, 10 * CLOCK_SECOND_US);
	job = must_lease(&world);
	STORE_OK(queue_release(world.store.store, job));
	cr_expect_str_eq(all(&world), "pull:ready");
	cr_expect_eq(only(&world)->attempts, 1);
	cr_expect_eq(must_lease(&world)->id, job->id);
	add(&world, JOB_PULL, world.first, 0);
	job->state = JOB_LEASED;
	STORE_OK(queue_release(world.store.store, job));
	cr_expect_str_eq(all(&world), "pull:ready", "the two are one");
	store_world_free(&world.store);
}

Test(queue, the_clock_was_set_back)
{
	struct queue_world world = queue_world_new();

	add(&world, JOB_PULL, world.first, 3600 * CLOCK_SECOND_US);
	add(&world, JOB_PULL, world.second, 0);
	STORE_OK(queue_wait(world.store.store, must_lease(&world),
			    STORE_START_US + 60 * CLOCK_SECOND_US, "settle"));
	cr_expect_null(lease(&world));
	STORE_OK(queue_clock_set_back(world.store.store));
	cr_expect_eq(must_lease(&world)->account_id, world.first);
	cr_expect_eq(must_lease(&world)->account_id, world.second);
	store_world_free(&world.store);
}

/* Those that are due, of that server, and well until now. */
Test(queue, accounts_of_a_server_that_does_not_answer)
{
	struct queue_world world = queue_world_new();
	struct store *store = world.store.store;
	struct queue_overdue *list = NULL;
	struct account *account = NULL;
	size_t count = 0;

	add(&world, JOB_PULL, world.first, 0);
	add(&world, JOB_PUSH, world.first, 0);
	add(&world, JOB_PULL, world.second, 0);
	STORE_OK(queue_overdue(store, world.store.mem, NULL, "a", &list, &count));
	cr_assert_eq(count, 1, "%zu", count);
	cr_expect_eq(list[0].account, world.first);
	cr_expect_str_eq(list[0].resource, "ana@example.com");
	STORE_OK(queue_overdue(store, world.store.mem,
			       &(struct queue_filter){ .account = world.second }, "a", &list,
			       &count));
	cr_expect_eq(count, 0);
	STORE_OK(store_begin(store));
	STORE_OK(queue_unreachable(store, "a", "it went away"));
	STORE_OK(store_commit(store));
	STORE_OK(link_account_by_id(store, world.store.mem, world.first, &account));
	cr_expect_eq(account->state, ACCOUNT_UNREACHABLE);
	cr_expect_str_eq(account->error, "it went away");
	STORE_OK(link_account_by_id(store, world.store.mem, world.second, &account));
	cr_expect_eq(account->state, ACCOUNT_NEW);
	must_lease(&world);
	STORE_OK(queue_overdue(store, world.store.mem, NULL, "a", &list, &count));
	cr_expect_eq(count, 1, "a second job of it still waits");
	store_world_free(&world.store);
}
