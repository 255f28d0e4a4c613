/* round_sweep.c - what another item stands in place of is removed, after it was recorded where that
 * one stands (M7). What is not carried out is tried again in a later round: the leftovers stand in
 * the database. */
#include "config.h"

#include "gateway/sync/round_private.h"

#define SWEEP_BATCH 100
#define SWEEP_AGAIN_US (5 * CLOCK_SECOND_US)      /* after a fault that passes */
#define SWEEP_REFUSED_US (3600 * CLOCK_SECOND_US) /* after one that a person has to look at */

/* Those that are due; returns their number. */
static size_t due_ones(struct round *round, const struct leftover *all, size_t count,
		       struct endpoint_remove *removes)
{
	int64_t now = clock_now_us(round->env->clock);
	size_t n = 0;

	for (size_t i = 0; i < count && n < SWEEP_BATCH; i++) {
		/* later than any pause: the clock was set back */
		if (all[i].due_us > now && all[i].due_us <= now + SWEEP_REFUSED_US) {
			if (all[i].due_us < round->report->due_us)
				round->report->due_us = all[i].due_us;
			continue;
		}
		removes[n++] =
			(struct endpoint_remove){ .address = all[i].address,
						  .if_version =
							  all[i].successor ? all[i].version : NULL,
						  .successor = all[i].successor };
	}
	return n;
}

static struct fault *record(struct round *round, const struct endpoint_remove *remove)
{
	struct store *store = round->env->store;
	const struct fault *fault = remove->fault;
	int64_t again = clock_now_us(round->env->clock) + SWEEP_AGAIN_US;

	if (!fault || fault->kind == FAULT_GONE)
		return link_leftover_drop(store, round->folder->id, remove->address);
	if (fault->maybe_done) /* looked at as soon as the server answers again */
		return NULL;
	if (fault->next != FAULT_NEXT_RETRY) {
		again += SWEEP_REFUSED_US - SWEEP_AGAIN_US;
		round_note(round->report,
			   "project %s of %s: a message that was replaced could not be removed, so "
			   "two of one task stand there: %s",
			   round->project->code, round->resource->key, fault->text);
		round->report->held++;
	}
	if (again < round->report->due_us)
		round->report->due_us = again;
	return link_leftover_wait(store, round->folder->id, remove->address, again);
}

static struct fault *record_all(struct round *round, const struct endpoint_remove *removes,
				size_t count)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);

	for (size_t i = 0; i < count && !fault; i++)
		fault = record(round, &removes[i]);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_SWEEP_DONE);
	return fault;
}

static struct fault *sweep(struct round *round, TALLOC_CTX *mem, size_t *count_r)
{
	struct endpoint_remove *removes = MEM_ARRAY(mem, struct endpoint_remove, SWEEP_BATCH);
	struct leftover *all = NULL;
	struct fault *wide = NULL;
	size_t count = 0;

	FAULT_TRY(link_leftovers(round->env->store, mem, round->folder->id, &all, &count));
	count = due_ones(round, all, count, removes);
	*count_r = count;
	if (!count)
		return NULL;
	round->wrote = true;
	point_reach(round->env->points, POINT_SWEEP_STARTING);
	FAULT_TRY(endpoint_remove(round->endpoint, mem, round->folder->address, removes, count));
	point_reach(round->env->points, POINT_SWEEP_SENT);
	for (size_t i = 0; i < count && !wide; i++)
		if (removes[i].fault && removes[i].fault->scope != FAULT_SCOPE_ITEM)
			wide = removes[i].fault;
	FAULT_TRY(record_all(round, removes, count));
	return wide;
}

struct fault *round_sweep(struct round *round)
{
	size_t count = SWEEP_BATCH;

	while (count == SWEEP_BATCH) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);

		FAULT_TRY(sweep(round, mem, &count));
		talloc_free(mem);
	}
	return NULL;
}
