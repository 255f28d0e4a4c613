/* engine_reconcile.c - the slow comparison of everything: each account once a day, at a time of day
 * that follows from its id, so that they spread; by the service only.
 *
 * No job waits for its day: the leader looks from time to time whose time has come since its folders
 * were last compared, and makes the jobs then. So a queue that is empty stays empty. Who was missed
 * while the service did not run is made up for after two days, a few at a time. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#define LOOK_US (60 * CLOCK_SECOND_US) /* between two looks */
#define LOOK_JOBS_MAX 20               /* made at one look: 28,800 accounts a day */

int64_t engine_reconcile_slot_us(int64_t account)
{
	/* multiplied by a large odd number, neighbours end up far apart */
	uint64_t mixed = (uint64_t)account * UINT64_C(0x9e3779b97f4a7c15);

	return (int64_t)((mixed >> 32) % (ENGINE_DAY_US / CLOCK_SECOND_US)) * CLOCK_SECOND_US;
}

bool engine_reconcile_is_due(int64_t account, int64_t last_us, int64_t began_us, int64_t now_us)
{
	int64_t slot = engine_reconcile_slot_us(account);
	int64_t day = now_us - now_us % ENGINE_DAY_US, time = day + slot;

	if (time > now_us)
		time -= ENGINE_DAY_US;
	if (last_us > now_us + ENGINE_DAY_US) /* the clock was set back, by more than it matters */
		last_us = 0;
	return last_us < time && (time >= began_us || now_us - last_us > 2 * ENGINE_DAY_US);
}

/* Those whose time has come, LOOK_JOBS_MAX at most. */
static struct fault *find_due(struct engine_worker *worker, TALLOC_CTX *mem, int64_t *due,
			      size_t *count_r)
{
	int64_t now = clock_now_us(worker->env.clock);
	struct queue_unreconciled *list = NULL;
	size_t count = 0, n = 0;

	FAULT_TRY(queue_unreconciled(worker->store, mem, &list, &count));
	for (size_t i = 0; i < count && n < LOOK_JOBS_MAX; i++)
		if (engine_reconcile_is_due(list[i].account, list[i].last_us,
					    worker->engine->began_us, now))
			due[n++] = list[i].account;
	*count_r = n;
	return NULL;
}

static struct fault *make_jobs(struct engine_worker *worker, TALLOC_CTX *mem)
{
	int64_t now = clock_now_us(worker->env.clock), due[LOOK_JOBS_MAX];
	struct store *store = worker->store;
	struct fault *fault;
	size_t count = 0;

	FAULT_TRY(find_due(worker, mem, due, &count));
	if (!count)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = NULL;
	for (size_t i = 0; i < count && !fault; i++)
		fault = queue_add(store, JOB_RECONCILE, due[i], 0, now, NULL);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(worker->env.points, POINT_JOB_ADDED);
	return fault;
}

struct fault *engine_reconcile_look(struct engine_worker *worker, TALLOC_CTX *mem, int64_t *wake_r)
{
	struct engine *engine = worker->engine;
	int64_t now = engine_mono_us();

	if (!engine->reconciles)
		return NULL;
	if (now >= engine->reconcile_us) {
		FAULT_TRY(make_jobs(worker, mem));
		engine->reconcile_us = now + LOOK_US;
	}
	if (engine->reconcile_us < *wake_r)
		*wake_r = engine->reconcile_us;
	return NULL;
}
