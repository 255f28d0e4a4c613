/* engine_poll.c - polling without the database: what the park has to know to ask an account by itself, and
 * what it found out, which is written now and then for all of them at once. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include <string.h>

#include "base/text.h"

/* So much too old may be what "status" shows; ten thousand accounts cost a transaction in that time. */
#define FLUSH_US (5 * CLOCK_SECOND_US)

static bool is_published(const struct visit *visit, int64_t project)
{
	for (size_t i = 0; i < visit->project_count; i++)
		if (visit->projects[i].id == project)
			return true;
	return false;
}

/* Where something happened in this job, else where it did last, stands in front. */
static void busiest_first(struct engine *engine, int64_t account_id, const char *moved,
			  struct endpoint_sweep *places, size_t count)
{
	struct engine_account *account;
	const char *front;

	pthread_mutex_lock(&engine->lock);
	account = engine_account(engine, account_id);
	front = moved ? moved : account->folder;
	for (size_t i = 1; i < count && front; i++) {
		struct endpoint_sweep place = places[i];

		if (strcmp(place.folder, front) != 0)
			continue;
		places[i] = places[0];
		places[0] = place;
	}
	if (count && !text_same(account->folder, places[0].folder)) {
		talloc_free(account->folder);
		account->folder = mem_strdup(engine->mem, places[0].folder);
	}
	pthread_mutex_unlock(&engine->lock);
}

/* True when no folder waits for anything. */
static struct fault *may_rest(struct engine_worker *worker, TALLOC_CTX *mem,
			      const struct visit *visit, bool *rests_r)
{
	struct folder *folders = NULL;
	size_t count = 0, resting = 0;

	if (visit->report->due_us < INT64_MAX || visit->folder_fault)
		return NULL;
	FAULT_TRY(link_folders_resting(worker->store, mem, visit->account->id, &folders, &count));
	for (size_t i = 0; i < count; i++)
		resting += is_published(visit, folders[i].project_id);
	*rests_r = resting >= visit->project_count;
	return NULL;
}

struct fault *engine_poll_places(struct engine_worker *worker, TALLOC_CTX *mem,
				 const struct visit *visit, int64_t moved_project,
				 struct engine_parked *parked)
{
	struct endpoint_sweep *places;
	struct folder *folders = NULL;
	const char *moved = NULL;
	size_t count = 0, kept = 0;

	FAULT_TRY(link_folders(worker->store, mem, visit->account->id, &folders, &count));
	places = MEM_ARRAY(mem, struct endpoint_sweep, count);
	for (size_t i = 0; i < count; i++) {
		const struct folder *folder = &folders[i];

		if (!folder->address || !is_published(visit, folder->project_id))
			continue;
		places[kept++] = (struct endpoint_sweep){ .folder = folder->address,
							  .token = folder->token };
		if (folder->project_id == moved_project)
			moved = folder->address;
	}
	busiest_first(worker->engine, visit->account->id, moved, places, kept);
	parked->places = places;
	parked->place_count = kept;
	parked->whole = kept >= visit->project_count;
	return may_rest(worker, mem, visit, &parked->rests);
}

void engine_poll_answered(struct engine *engine, int64_t id, int64_t at_us, bool all)
{
	struct engine_account *account;

	pthread_mutex_lock(&engine->lock);
	account = engine_account(engine, id);
	account->seen_us = at_us;
	if (all)
		account->all_us = at_us;
	engine->figures.polls++;
	if (!engine->flush_us)
		engine->flush_us = engine_mono_us() + FLUSH_US;
	pthread_mutex_unlock(&engine->lock);
}

struct seen {
	int64_t account, at_us, all_us;
};

static size_t take_seen(struct engine *engine, TALLOC_CTX *mem, struct seen **list_r)
{
	struct engine_account *account, *next;
	struct seen *list;
	size_t count = 0;

	pthread_mutex_lock(&engine->lock);
	list = MEM_ARRAY(mem, struct seen, HASH_COUNT(engine->accounts));
	HASH_ITER(hh, engine->accounts, account, next)
	{
		if (account->seen_us)
			list[count++] = (struct seen){ account->id, account->seen_us,
						       account->all_us };
		account->seen_us = account->all_us = 0;
	}
	pthread_mutex_unlock(&engine->lock);
	*list_r = list;
	return count;
}

static struct fault *write_seen(struct store *store, const struct seen *list, size_t count)
{
	struct fault *fault = NULL;

	FAULT_TRY(store_begin(store));
	for (size_t i = 0; i < count && !fault; i++)
		fault = link_account_seen(store, list[i].account, list[i].at_us, list[i].all_us);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

static bool is_due(struct engine *engine)
{
	int64_t now = engine_mono_us();
	bool due;

	pthread_mutex_lock(&engine->lock);
	due = engine->flush_us && (now >= engine->flush_us || engine->stopping);
	if (due)
		engine->flush_us = 0;
	pthread_mutex_unlock(&engine->lock);
	return due;
}

struct fault *engine_poll_look(struct engine_worker *worker, TALLOC_CTX *mem)
{
	struct seen *list = NULL;
	size_t count;

	if (!is_due(worker->engine))
		return NULL;
	count = take_seen(worker->engine, mem, &list);
	return write_seen(worker->store, list, count);
}

void engine_poll_wait(struct engine *engine, int64_t *wake_r)
{
	pthread_mutex_lock(&engine->lock);
	if (engine->flush_us && engine->flush_us < *wake_r)
		*wake_r = engine->flush_us;
	pthread_mutex_unlock(&engine->lock);
}
