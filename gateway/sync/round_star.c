/* round_star.c - tasks that are due get a star ([gestures] flag_due; decide/star.h). With each write of
 * the item, and where nothing else is to be written, once a day, when everything is compared. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include "decide/mark.h"
#include "decide/star.h"

#define STAR_BATCH 500 /* links in one transaction */

static bool is_used(const struct round *round)
{
	return round->env->conf->gestures.flag_due_us && round->endpoint->ops->appends;
}

static struct star decide(const struct round *round, TALLOC_CTX *mem, const struct link *link)
{
	return star_decide(
		mem, &(struct star_input){ .before_us = round->env->conf->gestures.flag_due_us,
					   .want = link->want,
					   .starred = link->starred,
					   .now_us = clock_now_us(round->env->clock) });
}

void round_star_compose(const struct round *round, struct link *link, struct endpoint_put *put)
{
	struct star star;

	link->star_due = link->starred;
	if (!is_used(round) || !link->want)
		return;
	star = decide(round, link, link);
	link->star_due = star.starred;
	if (star.what == STAR_ADD)
		put->marks_add = STAR_MARK;
	if (star.what == STAR_DROP)
		put->marks_drop = put->marks_drop
					  ? mem_printf(link, "%s " STAR_MARK, put->marks_drop)
					  : STAR_MARK;
}

void round_star_written(struct link *link)
{
	link->starred = link->star_due;
}

static bool is_starred(TALLOC_CTX *mem, const struct found *found)
{
	const char *marks = found->item->marks;

	return marks && *mark_common(mem, marks, STAR_MARK);
}

void round_star_landed(const struct round *round, struct link *link, const struct found *found)
{
	struct star star;

	if (!is_used(round) || !link->want)
		return;
	star = decide(round, link, link);
	if (star.what != STAR_ADD || is_starred(link, found))
		link->starred = star.starred;
}

static struct fault *look(struct round *round, TALLOC_CTX *mem, int64_t id, bool *found)
{
	struct link *link = NULL;

	FAULT_TRY(link_get(round->env->store, mem, id, &link));
	if (!link || !link->want || decide(round, mem, link).what == STAR_STAYS)
		return NULL;
	*found = true;
	FAULT_TRY(round_want(round, link, link->want, true));
	return link_set(round->env->store, link);
}

static struct fault *look_at_all(struct round *round, TALLOC_CTX *mem, const int64_t *ids,
				 size_t count, bool *found_r)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);
	bool found = false;

	for (size_t i = 0; i < count && !fault; i++)
		fault = look(round, mem, ids[i], &found);
	if (found)
		point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault && found)
		point_reach(round->env->points, POINT_COMMIT_DONE);
	*found_r = *found_r || found;
	return fault;
}

struct fault *round_star_find(struct round *round, bool *found_r)
{
	int64_t *ids = NULL, after = 0;
	size_t count = STAR_BATCH;

	if (!is_used(round) || round->options->dry_run)
		return NULL;
	while (count == STAR_BATCH) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);

		FAULT_TRY(link_at_rest(round->env->store, mem, round->folder->id, after, STAR_BATCH,
				       &ids, &count));
		FAULT_TRY(look_at_all(round, mem, ids, count, found_r));
		after = count ? ids[count - 1] : after;
		talloc_free(mem);
	}
	return NULL;
}
