/* round_push.c - push and record: patch what the server holds, write it on its condition, believe
 * only what the server confirmed (N7, N11). */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decide/publish.h"
#include "model/ids.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)

/* One way for all: links that are due are composed, sent, and recorded, batch by batch. Where the
 * endpoint can put and do something else meanwhile, PUSH_AHEAD batches are on their way while the
 * next is composed and the last is recorded, so that the wire is never idle; else one at a time. What
 * is in the database is the same either way: want and edition are committed before anything of them
 * is sent, and a batch is recorded in one transaction. */

#define PUSH_AHEAD                                                                                 \
	2 /* one on the wire and one to follow; more would only be more to lose sight of */

struct batch {
	TALLOC_CTX *mem; /* all of it hangs from here */
	struct endpoint_putting *putting;
	struct link **links;
	struct endpoint_put *puts;
	const char *
		*replaced; /* where the item stood that a put has replaced; NULL: nowhere else */
	struct decoded **own; /* what a put's text is read as; NULL: read it */
	struct endpoint_remove *removes;
	size_t count; /* of links; all of them are saved */
	size_t sent;  /* so many of them, the first ones, have a put */
};

/* ---- what came of it ---- */

static void back_off(struct round *round, struct link *link, const struct fault *fault)
{
	int64_t pause = ROUND_FIRST_RETRY_US;

	for (int64_t i = 0; i < link->attempts && pause < HOUR_US; i++)
		pause *= 2;
	link->attempts++;
	link->error = mem_strdup(link, fault->text);
	link->due_us = clock_now_us(round->env->clock) + pause;
	if (link->due_us < round->report->due_us)
		round->report->due_us = link->due_us;
	if (!round->report->why)
		round->report->why = mem_strdup(round->report, link->error);
	round->report->waiting++;
}

/* A put or a removal that was not carried out, or whose answer did not come. */
static void refused(struct round *round, struct link *link, struct fault *fault)
{
	bool changed = (fault->kind == FAULT_CHANGED || fault->kind == FAULT_GONE) && link->address;

	if (fault->kind == FAULT_TRY_LATER) /* the service ends: no fault of the item's */
		return;
	if (changed && round->pass >= ROUND_PASSES) {
		round_hold(round, link,
			   "it changed on the server each time that it was written; "
			   "run taskferry queue retry --all when the clients are quiet");
	} else if (changed && round->endpoint->ops->appends) {
		round->look_again = true; /* what it changed to stands at another address */
		back_off(round, link, fault);
	} else if (changed) {
		round_read_add(round, link->address);
	} else if (fault->next == FAULT_NEXT_HOLD && fault->scope == FAULT_SCOPE_ITEM) {
		round_hold(round, link, fault->text);
	} else {
		back_off(round, link, fault);
	}
}

static struct fault *decode_own(struct round *round, struct link *link, const char *text,
				size_t len, struct decoded **decoded_r)
{
	FAULT_TRY(codec_decode(link, round_form(round), text, len, NULL, NULL, decoded_r));
	return round_files_resolve(round, link, link, *decoded_r, NULL);
}

static struct fault *decode_put(struct round *round, struct batch *batch, size_t i,
				struct decoded **decoded_r)
{
	struct link *link = batch->links[i];

	*decoded_r = batch->own[i];
	return *decoded_r ? round_files_resolve(round, link, link, *decoded_r, NULL)
			  : decode_own(round, link, batch->puts[i].text, batch->puts[i].len,
				       decoded_r);
}

/* seen := what the server holds, in that version. */
static void confirm(struct round *round, struct link *link, const char *text,
		    const struct decoded *decoded, const char *version)
{
	bool created = !link->seen_version;

	link->seen_text = text;
	link->seen = decoded->values;
	link->seen_version = version;
	link->seen_us = clock_now_us(round->env->clock);
	round_marks_written(round, link, version);
	round_star_written(link);
	link->quiet = false;
	link->decoder = CODEC_VERSION;
	link->seen_ids = ids_of_vector(link, CODEC_VERSION, link->seen);
	link->state = LINK_OK;
	link->dirty = false;
	link->attempts = 0;
	link->error = NULL;
	link->confirmed = true;
	*(created ? &round->report->created : &round->report->updated) += 1;
}

/* True when the item has the attachments that it was sent with: others may be unknown, and so not be
 * among its values. */
static bool files_as_sent(struct round *round, struct link *link, const struct endpoint_put *put,
			  const struct decoded *decoded)
{
	struct decoded *sent = NULL;
	struct fault *fault;
	bool same;

	if (!decoded->files)
		return true;
	fault = codec_decode(link, round_form(round), put->text, put->len, NULL, NULL, &sent);
	same = !fault && round_files_same(sent->files, decoded->files);
	talloc_free(fault); /* not what was sent, then */
	return same;
}

/* What a read-back showed: our push, our push as the server keeps it, or already somebody's edit of
 * it. */
static void confirm_read_back(struct round *round, struct link *link,
			      const struct endpoint_put *put, const struct endpoint_item *item)
{
	struct decoded *decoded = NULL;
	struct fault *fault = item->fault;

	if (!fault)
		fault = decode_own(round, link, item->text, item->len, &decoded);
	if (fault) {
		back_off(round, link, fault);
		return;
	}
	if (!files_as_sent(round, link, put, decoded)) {
		round_read_add(round, link->address); /* a person's, or made another sort of */
		return;
	}
	if (decoded->edition == link->edition &&
	    !publish_differs(link->want, NULL, decoded->values)) {
		confirm(round, link, item->text, decoded, item->version);
		return;
	}
	if (!put->answered || strcmp(put->answered, item->version)) {
		if (round->pass < ROUND_PASSES)
			round_read_add(round, link->address);
		else
			back_off(round, link,
				 fault_new(link, FAULT_PROTOCOL,
					   "the server says that it took this item, and shows "
					   "another one each time; it is tried again later"));
		return;
	}
	confirm(round, link, item->text, decoded, item->version);
	link->error = "the server keeps this item in another form than it was sent";
	round_note(round->report, "note: '%s' on server %s: %s",
		   round_subject(round, link, link->assignment_id), round->server->name,
		   link->error);
}

static struct fault *read_back(struct round *round, TALLOC_CTX *mem, struct batch *batch)
{
	const char **addresses = MEM_ARRAY(mem, const char *, batch->count);
	size_t *index = MEM_ARRAY(mem, size_t, batch->count), count = 0;
	struct endpoint_item *items = NULL;

	for (size_t i = 0; i < batch->sent; i++) {
		if (batch->puts[i].fault || batch->puts[i].version)
			continue;
		index[count] = i;
		addresses[count++] = batch->links[i]->address;
	}
	if (!count)
		return NULL;
	FAULT_TRY(endpoint_read_back(round->endpoint, mem, round->folder->address, addresses, count,
				     &items));
	for (size_t i = 0; i < count; i++)
		confirm_read_back(round, batch->links[index[i]], &batch->puts[index[i]], &items[i]);
	return NULL;
}

static struct fault *save_links(struct round *round, struct batch *batch)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);

	if (!fault)
		fault = round_doubt(round);
	for (size_t i = 0; i < batch->count && !fault; i++) {
		struct link *link = batch->links[i];

		fault = link->confirmed ? link_confirm(store, link) : link_set(store, link);
		if (!fault && batch->replaced[i])
			fault = link_leftover_put(store, batch->links[i], batch->replaced[i],
						  batch->puts[i].replaced);
	}
	point_reach(round->env->points, POINT_RECORD_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_RECORD_DONE);
	return fault;
}

/* The first fault of a batch that reaches further than its item: after recording, the round ends
 * with it. */
static struct fault *widest(struct fault *sofar, struct fault *fault)
{
	return sofar || !fault || fault->scope == FAULT_SCOPE_ITEM ? sofar : fault;
}

/* Where the item stands now; the one that it stands in place of is left to the sweep (M7). */
static void placed(struct batch *batch, size_t i)
{
	const struct endpoint_put *put = &batch->puts[i];
	struct link *link = batch->links[i];

	if (!put->placed || text_same(put->placed, link->address))
		return;
	if (put->if_version)
		batch->replaced[i] = link->address;
	link->address = put->placed;
}

/* What is to be sent; links whose item cannot be written go behind the others (N6). */
static struct fault *compose_batch(struct round *round, TALLOC_CTX *mem, struct batch *batch)
{
	TALLOC_CTX *scratch = mem_pool(round->mem, ROUND_SCRATCH_BYTES);

	for (size_t i = 0; i < batch->count; i++) {
		char *text;
		struct link *link = batch->links[i];
		struct composed composed = { .text = NULL };
		struct fault *fault = NULL;

		if (link->want)
			fault = round_compose(round, scratch, link, link, &composed);
		else
			link->dirty = false; /* nobody says what: found anew by link_unsettled() */
		talloc_steal(mem, fault);
		if (fault && fault->scope != FAULT_SCOPE_ITEM)
			return fault;
		if (fault)
			refused(round, link, fault);
		if (!link->want)
			link->project_ids = NULL;
		text = composed.text ? mem_bytes(mem, composed.text, composed.len) : NULL;
		mem_pool_clear(scratch);
		if (!text)
			continue;
		batch->own[batch->sent] = composed.decoded;
		batch->links[i] = batch->links[batch->sent];
		batch->links[batch->sent] = link;
		batch->puts[batch->sent] =
			(struct endpoint_put){ .address = link->address,
					       .text = text,
					       .len = composed.len,
					       .if_version = link->seen_version,
					       .marks_drop = round_marks_drop(round, mem, link),
					       .quiet = link->quiet && link->seen_version };
		round_star_compose(round, link, &batch->puts[batch->sent++]);
	}
	talloc_free(scratch);
	return NULL;
}

/* *ELSE_R: it is to be sent again at once, otherwise; not even that is a reason to hold the item. */
static struct fault *try_without_files(struct round *round, struct link *link,
				       const struct fault *fault, bool *else_r)
{
	int64_t now = clock_now_us(round->env->clock);

	*else_r = false;
	if (fault->kind != FAULT_REFUSED || fault->scope != FAULT_SCOPE_ITEM ||
	    fault->next != FAULT_NEXT_HOLD)
		return NULL;
	FAULT_TRY(round_files_refused(round, link, fault, else_r));
	if (!*else_r)
		return NULL;
	round->report->waiting++;
	if (now < round->report->due_us)
		round->report->due_us = now;
	return NULL;
}

/* Believes what was answered without a read-back. */
static struct fault *take_answers(struct round *round, struct batch *batch, struct fault **wide)
{
	for (size_t i = 0; i < batch->sent; i++) {
		struct endpoint_put *put = &batch->puts[i];
		struct fault *fault = put->fault;
		struct decoded *decoded = NULL;
		bool again = false;

		*wide = widest(*wide, fault);
		if (fault)
			FAULT_TRY(try_without_files(round, batch->links[i], fault, &again));
		if (!fault)
			placed(batch, i);
		if (!fault && put->version)
			fault = decode_put(round, batch, i, &decoded);
		if (fault && !again)
			refused(round, batch->links[i], fault);
		else if (decoded)
			confirm(round, batch->links[i], put->text, decoded, put->version);
	}
	return NULL;
}

/* It was answered: what came of it is recorded. */
static struct fault *land(struct round *round, struct batch *batch)
{
	struct fault *wide = NULL;

	if (batch->sent) {
		point_reach(round->env->points, POINT_PUSH_SENT);
		FAULT_TRY(take_answers(round, batch, &wide));
	}
	if (!wide)
		wide = read_back(round, batch->mem, batch);
	FAULT_TRY(save_links(round, batch));
	return wide;
}

/* Composes and sends; where nothing else can be done meanwhile, and where nothing was sent, it lands
 * at once. */
static struct fault *launch(struct round *round, struct batch *batch)
{
	const char *folder = round->folder->address;
	struct fault *fault = store_begin_read(round->env->store);

	if (!fault)
		fault = round_views_check(round);
	if (!fault)
		fault = compose_batch(round, batch->mem, batch);
	store_rollback(round->env->store);
	if (fault)
		return fault;
	if (!batch->sent)
		return land(round, batch);
	round->wrote = true;
	point_reach(round->env->points, POINT_PUSH_STARTING);
	if (endpoint_overlaps(round->endpoint))
		return endpoint_put_begin(round->endpoint, batch->mem, folder, batch->puts,
					  batch->sent, &batch->putting);
	FAULT_TRY(endpoint_put(round->endpoint, batch->mem, folder, batch->puts, batch->sent));
	return land(round, batch);
}

/* ---- removing ---- */

static void removed(struct round *round, struct link *link, struct fault *fault)
{
	if (fault && fault->kind != FAULT_GONE) {
		if (fault->kind == FAULT_CHANGED && round->pass < ROUND_PASSES)
			round_read_add(round, link->address); /* by its marks, where it `appends` */
		else
			refused(round, link, fault);
		return;
	}
	if (fault && round->endpoint->ops->appends && round->pass < ROUND_PASSES) {
		round->look_again = true; /* perhaps it was edited in place */
		round_gone_add(round, link->address);
		return;
	}
	link->state = LINK_REMOVED;
	link->dirty = false;
	link->seen_version = NULL;
	link->attempts = 0;
	link->error = NULL;
	round->report->removed++;
}

static struct fault *remove_batch(struct round *round, struct batch *batch)
{
	struct fault *wide = NULL;

	for (size_t i = 0; i < batch->count; i++)
		batch->removes[i] =
			(struct endpoint_remove){ .address = batch->links[i]->address,
						  .if_version = batch->links[i]->seen_version };
	round->wrote = true;
	point_reach(round->env->points, POINT_REMOVE_STARTING);
	FAULT_TRY(endpoint_remove(round->endpoint, batch->mem, round->folder->address,
				  batch->removes, batch->count));
	point_reach(round->env->points, POINT_REMOVE_SENT);
	for (size_t i = 0; i < batch->count; i++) {
		wide = widest(wide, batch->removes[i].fault);
		removed(round, batch->links[i], batch->removes[i].fault);
	}
	FAULT_TRY(save_links(round, batch));
	return wide;
}

/* ---- all of it ---- */

static bool is_due(const struct round *round, const struct link *link)
{
	int64_t now = clock_now_us(round->env->clock);
	/* later than any back-off: the clock was set back */
	bool due = link->due_us <= now || link->due_us > now + 3 * HOUR_US;

	return due && !round_is_quiet(round, link->address);
}

static struct batch *batch_new(TALLOC_CTX *mem)
{
	struct batch *batch = MEM_NEW(mem, struct batch);

	batch->mem = batch;
	batch->links = MEM_ARRAY(batch, struct link *, ROUND_PUSH_BATCH);
	batch->puts = MEM_ARRAY(batch, struct endpoint_put, ROUND_PUSH_BATCH);
	batch->removes = MEM_ARRAY(batch, struct endpoint_remove, ROUND_PUSH_BATCH);
	batch->own = MEM_ARRAY(batch, struct decoded *, ROUND_PUSH_BATCH);
	batch->replaced = MEM_ARRAY(batch, const char *, ROUND_PUSH_BATCH);
	return batch;
}

/* How far the push of a pass has come. */
struct push {
	int64_t after;                    /* links up to this id have had their turn */
	struct batch *flying[PUSH_AHEAD]; /* the oldest first */
	size_t count;
	int64_t done, total;
	int64_t *had; /* links that have had their turn, in the order of their ids */
	size_t had_count;
	bool ahead; /* it began before all was decided on */
	bool again; /* those are passed over: it is about what was decided on behind them */
	const int64_t *undecided; /* in order; what is about to be decided on anew does not go out */
	size_t undecided_count;
};

static void note_turn(struct push *push, int64_t id)
{
	size_t n = push->had_count;

	if (!(n & (n - 1))) /* full, at powers of two */
		push->had = MEM_GROW(push, push->had, int64_t, n ? 2 * n : 1);
	push->had[push->had_count++] = id;
}

static int compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
	return count && bsearch(&id, ids, count, sizeof *ids, compare_ids);
}

/* True while more decisions are made that may be about this link: its row is not to be written behind
 * their back, when its answer comes. */
static bool is_undecided(const struct push *push, const struct link *link)
{
	return push->undecided &&
	       (!link->project_ids ||
		is_among(push->undecided, push->undecided_count, link->assignment_id) ||
		is_among(push->undecided, push->undecided_count, link->id));
}

/* True when it is this link's turn. */
static bool takes_turn(struct push *push, const struct link *link)
{
	push->after = link->id;
	if (push->again)
		return !is_among(push->had, push->had_count, link->id);
	if (is_undecided(push, link))
		return false;
	note_turn(push, link->id);
	return true;
}

static void wait_until(struct round *round, const struct link *link)
{
	if (link->due_us <= clock_now_us(round->env->clock))
		return;
	if (link->due_us < round->report->due_us)
		round->report->due_us = link->due_us;
	if (link->dirty && !round->report->why)
		round->report->why = mem_strdup(round->report, link->error);
}

/* The next links in the order of their ids. Those that the last decisions have made are at hand, as
 * their rows are, and come last: nobody has made one after them. */
static struct fault *next_links(struct round *round, const struct push *push, TALLOC_CTX *mem,
				struct link ***links_r, size_t *count_r)
{
	struct link_range range = { .folder = round->folder->id,
				    .after = push->after,
				    .before = round_views_first_made(round),
				    .most = ROUND_PUSH_BATCH };

	FAULT_TRY(link_dirty(round->env->store, mem, &range, links_r, count_r));
	if (!*count_r)
		*count_r = round_views_take_made(round, mem, ROUND_PUSH_BATCH, links_r);
	return NULL;
}

/* The next links of one sort that are due; an empty batch: there are no more. */
static struct fault *next_batch(struct round *round, struct push *push, bool withdrawing,
				struct batch **batch_r)
{
	struct batch *batch = batch_new(round->mem);
	size_t count;

	do {
		struct link **links = NULL;

		FAULT_TRY(next_links(round, push, batch, &links, &count));
		for (size_t i = 0; i < count; i++) {
			wait_until(round, links[i]);
			if (takes_turn(push, links[i]) &&
			    (links[i]->state == LINK_WITHDRAWING) == withdrawing &&
			    is_due(round, links[i]))
				batch->links[batch->count++] = links[i];
		}
	} while (!batch->count && count);
	*batch_r = batch;
	return NULL;
}

static void progress(struct round *round, struct push *push, size_t count)
{
	push->done += (int64_t)count;
	if (push->done > push->total)
		push->total = push->done;
	if (round->options->progress)
		round->options->progress(round->options->data, push->done, push->total);
}

static struct fault *land_oldest(struct round *round, struct push *push)
{
	struct batch *batch = push->flying[0];
	struct fault *fault;

	memmove(push->flying, push->flying + 1, --push->count * sizeof(struct batch *));
	fault = endpoint_put_end(round->endpoint, batch->putting, batch->mem);
	batch->putting = NULL;
	if (!fault)
		fault = land(round, batch);
	if (fault)
		return fault;
	progress(round, push, batch->count);
	talloc_free(batch);
	return NULL;
}

/* What is on its way is recorded even where the push ends with a fault. */
static struct fault *land_all(struct round *round, struct push *push, struct fault *fault)
{
	while (push->count) {
		struct fault *another = land_oldest(round, push);

		fault = fault ? fault : another;
	}
	return fault;
}

static struct fault *put_some(struct round *round, struct push *push)
{
	for (;;) {
		struct batch *batch = NULL;

		FAULT_TRY(next_batch(round, push, false, &batch));
		if (!batch->count) {
			talloc_free(batch);
			return NULL;
		}
		if (push->count == PUSH_AHEAD)
			FAULT_TRY(land_oldest(round, push));
		FAULT_TRY(launch(round, batch));
		if (batch->putting) {
			push->flying[push->count++] = batch;
			continue;
		}
		progress(round, push, batch->count);
		talloc_free(batch);
	}
}

static struct fault *push_begin(struct round *round, struct push **push_r)
{
	struct push *push = round->push;

	if (!push) {
		push = MEM_NEW(round->mem, struct push);
		FAULT_TRY(link_dirty_count(round->env->store, round->folder->id, &push->total));
		round->push = push;
	}
	*push_r = push;
	return NULL;
}

struct fault *round_push_ahead(struct round *round, const int64_t *ids, size_t count)
{
	struct push *push = NULL;
	int64_t dirty = 0;
	struct fault *fault;

	if (round->options->dry_run || round->unmade || !endpoint_overlaps(round->endpoint))
		return NULL;
	FAULT_TRY(push_begin(round, &push));
	push->ahead = true;
	FAULT_TRY(link_dirty_count(round->env->store, round->folder->id, &dirty));
	push->total = push->done + dirty + (int64_t)count;
	push->undecided = ids;
	push->undecided_count = count;
	fault = put_some(round, push);
	push->undecided = NULL;
	return fault ? land_all(round, push, fault) : NULL;
}

static struct fault *remove_all(struct round *round, struct push *push)
{
	push->after = 0;
	push->had_count = 0;
	push->again = false;
	for (;;) {
		struct batch *batch = NULL;

		FAULT_TRY(next_batch(round, push, true, &batch));
		if (batch->count) {
			FAULT_TRY(remove_batch(round, batch));
			progress(round, push, batch->count);
		}
		if (!batch->count) {
			talloc_free(batch);
			return NULL;
		}
		talloc_free(batch);
	}
}

struct fault *round_push(struct round *round)
{
	struct push *push = NULL;

	FAULT_TRY(push_begin(round, &push));
	FAULT_TRY(land_all(round, push, put_some(round, push)));
	if (push->ahead) {
		push->after = 0;
		push->again = true;
		FAULT_TRY(land_all(round, push, put_some(round, push)));
	}
	FAULT_TRY(remove_all(round, push));
	talloc_free(push);
	round->push = NULL;
	TALLOC_FREE(round->views);
	return round->endpoint->ops->appends ? round_sweep(round) : NULL;
}
