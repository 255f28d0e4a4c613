/* round_commit.c - decide and commit: everything here runs inside one write transaction per batch,
 * so that what a decision is based on cannot move under it. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <stdlib.h>
#include <string.h>

#include "decide/mark.h"
#include "decide/publish.h"
#include "model/ids.h"

#include "store/revisions.h"

#define LOT_FIRST 25
#define LOT_SECOND ROUND_PUSH_BATCH /* with the first */
#define LOT_AHEAD (2 * ROUND_PUSH_BATCH)
#define HOUR_US (3600 * CLOCK_SECOND_US)

void round_hold(struct round *round, struct link *link, const char *why)
{
	link->state = LINK_HELD;
	link->project_ids = NULL; /* what is to be done then is found anew (link_unsettled()) */
	link->error = mem_strdup(link, why);
	round->report->held++;
	round_note(round->report, "held: %s: %s", round_subject(round, link, link->assignment_id),
		   why);
}

/* ---- what was found at an address ---- */

/* The end of an item that was judged: an old copy has said what it had to say, and goes. */
static struct fault *save_judged(struct round *round, struct link *link, const struct found *found)
{
	struct store *store = round->env->store;

	FAULT_TRY(link_pending_drop(store, round->folder->id, found->address));
	FAULT_TRY(link_stray_drop(store, round->folder->id, found->address));
	if (found->keeps_seen)
		FAULT_TRY(link_leftover_put(store, link, found->address, NULL));
	return link_set(store, link);
}

bool round_is_settling(const struct round *round, const struct found *found, int64_t *due_us)
{
	int64_t now = clock_now_us(round->env->clock), since = found->item->modified_us;

	for (size_t i = 0; !since && i < round->pending_count; i++)
		if (!strcmp(round->pending[i].address, found->address))
			since = round->pending[i].first_seen_us;
	if (!since)
		since = now;
	*due_us = since + round->server->settle_us;
	/* an item from the future (a server's clock that runs ahead) is not waited for longer than
	 * the time itself */
	if (*due_us > now + round->server->settle_us)
		*due_us = now + round->server->settle_us;
	return *due_us > now;
}

struct fault *round_wait_for(struct round *round, const struct found *found, const char *reason,
			     int64_t due_us)
{
	struct pending pending = { .address = found->address,
				   .reason = reason,
				   .first_seen_us = clock_now_us(round->env->clock),
				   .due_us = due_us };

	round->report->waiting++;
	if (due_us < round->report->due_us)
		round->report->due_us = due_us;
	return link_pending_put(round->env->store, round->folder->id, &pending);
}

/* An assignee who brings a removed item back takes the task on again: its plan is compared with what
 * was seen last, the progress and notes that it shows count as the person's changes (M6). */
static struct fault *revive(struct round *round, TALLOC_CTX *mem, struct link *link)
{
	struct assignment *assignment = NULL;
	struct assignment_view view;

	if (link->state != LINK_DECLINED && link->state != LINK_IGNORED)
		return NULL;
	FAULT_TRY(project_assignment(round->env->store, mem, link->assignment_id, &assignment));
	FAULT_TRY(project_assignment_set_state(round->env->store, assignment, ASSIGNMENT_ACTIVE,
					       round->author,
					       "the assignee brought the item back"));
	FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	link->want = publish_vector(link, view.stamped->values, round->env->conf->site.dates,
				    view.parent_uid);
	link->want->value[FIELD_attachments].presence = ABSENT; /* those that it has are added */
	if (link->seen)
		for (int f = 0; f < FIELDS; f++)
			if (field_table[f].group == GROUP_PLAN)
				vector_put(link->want, (enum field)f, &link->seen->value[f]);
	link->seen = link->want;
	link->seen_ids = link->project_ids = NULL;
	link->dirty = false;
	return NULL;
}

/* An item whose assignment was withdrawn meanwhile: what the person wrote is kept, then it is
 * removed. */
static struct fault *keep_withdrawn(struct round *round, struct link *link,
				    const struct found *found)
{
	const struct vector *base = round_mailbox_base(link, found), *said = found->decoded->values;
	struct revision *revision = revision_new(link, REVISION_LOSING);
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;

	FAULT_TRY(project_assignment(round->env->store, link, link->assignment_id, &assignment));
	FAULT_TRY(project_values(round->env->store, link, assignment, &stamped));
	if (!base) /* what was sent and never seen, or sent by another database */
		base = link->want ? link->want : stamped->values;
	if (found->mark && found->mark->values)
		said = found->mark->values;
	revision->message = "changed while the assignment was withdrawn";
	for (int f = 0; f < FIELDS; f++) {
		const struct value *now = &said->value[f];

		if (now->presence != ABSENT && !value_same((enum field)f, &base->value[f], now))
			revision_field(revision, (enum field)f, &base->value[f], now,
				       &stamped->values->value[f]);
	}
	revision->assignment_id = link->assignment_id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = revision->writer = round->author;
	if (revision_has_any(revision)) {
		FAULT_TRY(revisions_add(round->env->store, revision));
		round->report->losing++;
	}
	FAULT_TRY(round_keep_beaten(round, link, found));
	FAULT_TRY(round_marks_keep(round, link, found));
	if (!found->keeps_seen)
		round_see(round, link, found);
	return save_judged(round, link, found);
}

/* ---- what is done with an item: decide/outcome.h ---- */

static enum outcome_project project_state(const struct link *link)
{
	if (link->state == LINK_WITHDRAWING || link->state == LINK_REMOVED)
		return PROJECT_DELETED;
	if (!link->seen)
		return PROJECT_NEW;
	return link->dirty ? PROJECT_CHANGED : PROJECT_SAME;
}

static bool is_in_flight(const struct link *link)
{
	return link->dirty && (link->want || link->state == LINK_WITHDRAWING);
}

static enum outcome_item item_state(TALLOC_CTX *mem, const struct link *link,
				    const struct found *found)
{
	bool moved[GROUPS];

	if (!link->seen || link->state == LINK_DECLINED || link->state == LINK_IGNORED)
		return ITEM_NEW;
	if (found->base || found->decoded->uneven || found->decoded->beaten ||
	    found->decoded->elapsed_s >= 0 || found->mark || round_carries_want(link, found))
		return ITEM_CHANGED;
	return ids_moved(link->seen_ids, ids_of_vector(mem, CODEC_VERSION, found->decoded->values),
			 moved)
		       ? ITEM_CHANGED
		       : ITEM_SAME;
}

/* What the client changed is its own (flags, alarms, sort order): there is nothing to decide. */
static struct fault *keep_up(struct round *round, struct link *link, const struct found *found)
{
	if (!found->keeps_seen)
		round_see(round, link, found);
	link->state = LINK_OK;
	link->attempts = 0;
	link->error = NULL;
	return save_judged(round, link, found);
}

static struct fault *landed(struct round *round, struct link *link, const struct found *found)
{
	link->dirty = false;
	round_star_landed(round, link, found);
	return keep_up(round, link, found);
}

static struct fault *judge(struct round *round, TALLOC_CTX *mem, struct link *link,
			   struct found *found)
{
	int64_t due_us = 0;
	bool adopt = true;

	if (link->seen && !found->same_text && round_is_settling(round, found, &due_us))
		return round_wait_for(round, found, "settle", due_us);
	FAULT_TRY(revive(round, mem, link));
	if (!link->seen && found->decoded->edition != link->edition)
		FAULT_TRY(round_check_adoption(round, mem, link, found, &adopt));
	if (!adopt)
		return NULL;
	FAULT_TRY(round_decide(round, mem, link, found));
	return save_judged(round, link, found);
}

/* What a person gave up and brought back may have been withdrawn meanwhile. */
static struct fault *notice_withdrawn(struct round *round, TALLOC_CTX *mem, struct link *link)
{
	struct assignment *assignment = NULL;
	bool forgotten = link->state == LINK_REMOVED && !link->seen; /* by a takeover (M10) */

	if (link->state != LINK_DECLINED && link->state != LINK_IGNORED && !forgotten)
		return NULL;
	FAULT_TRY(project_assignment(round->env->store, mem, link->assignment_id, &assignment));
	if (!assignment || assignment->state != ASSIGNMENT_WITHDRAWN)
		return NULL;
	link->state = LINK_WITHDRAWING;
	link->dirty = true;
	return NULL;
}

static struct fault *commit_item(struct round *round, TALLOC_CTX *mem, struct link *link,
				 struct found *found)
{
	bool alone = false;

	FAULT_TRY(round_check_age(round, mem, link, found, &alone));
	if (alone ||
	    link->state ==
		    LINK_HELD) /* the person's version stays where it is until the hold ends (N1) */
		return round_wait_for(round, found, "held", INT64_MAX);
	FAULT_TRY(notice_withdrawn(round, mem, link));
	FAULT_TRY(round_refresh(round, link));
	FAULT_TRY(round_files_resolve(round, mem, link, found->decoded, found->fetched));
	FAULT_TRY(round_find_base(round, mem, link, found));
	round_marks_judge(round, mem, link, found);
	switch (outcome_of(project_state(link), item_state(mem, link, found), is_in_flight(link))) {
	case OUTCOME_RECOGNISE:
		return round_has_landed(link, found) ? landed(round, link, found)
						     : judge(round, mem, link, found);
	case OUTCOME_TAKE:
	case OUTCOME_MERGE:
	case OUTCOME_ADOPT:
	case OUTCOME_REVIVE:
		return judge(round, mem, link, found);
	case OUTCOME_NOTHING:
	case OUTCOME_PUSH:
		return keep_up(round, link, found);
	case OUTCOME_REMOVE:
	case OUTCOME_KEEP:
		return keep_withdrawn(round, link, found);
	case OUTCOME_LEAVE:
		return round_set_aside(round, found, "foreign", "no title");
	case OUTCOME_CREATE:
	case OUTCOME_ASK:
	case OUTCOME_FORGET:
	case OUTCOMES:
		break;
	}
	return fault_new(mem, FAULT_INTERNAL, "%s was read, and taken for not there",
			 found->address);
}

static struct fault *commit_gone(struct round *round, TALLOC_CTX *mem, struct link *link)
{
	switch (outcome_of(project_state(link), ITEM_DELETED, is_in_flight(link))) {
	case OUTCOME_CREATE:
		return NULL; /* never confirmed to be there: it is still to be made */
	case OUTCOME_ASK:
	case OUTCOME_FORGET:
		return round_missing(round, link);
	case OUTCOME_NOTHING:
	case OUTCOME_TAKE:
	case OUTCOME_MERGE:
	case OUTCOME_RECOGNISE:
	case OUTCOME_PUSH:
	case OUTCOME_ADOPT:
	case OUTCOME_REVIVE:
	case OUTCOME_REMOVE:
	case OUTCOME_KEEP:
	case OUTCOME_LEAVE:
	case OUTCOMES:
		break;
	}
	return fault_new(mem, FAULT_INTERNAL, "%s is gone, and taken for there", link->address);
}

static int64_t item_backoff_us(int64_t attempts)
{
	int64_t pause = ROUND_FIRST_RETRY_US;

	for (int64_t i = 1; i < attempts && pause < HOUR_US; i++)
		pause *= 2;
	return pause;
}

static struct fault *not_read(struct round *round, struct link *link, const struct found *found)
{
	const char *why = found->item->fault->text;
	int64_t attempts = link ? ++link->attempts : 1;

	round_note(round->report, "not read: %s: %s", found->address, why);
	if (link)
		FAULT_TRY(link_set(round->env->store, link));
	return round_wait_for(round, found, why,
			      clock_now_us(round->env->clock) + item_backoff_us(attempts));
}

static struct fault *commit_found(struct round *round, TALLOC_CTX *mem, struct found *found)
{
	struct link *link = NULL;
	int64_t due_us = 0;
	bool booked = false;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, found->address, &link));
	if (found->item->fault && found->item->fault->kind == FAULT_GONE) {
		FAULT_TRY(link_pending_drop(round->env->store, round->folder->id, found->address));
		if (!link)
			return link_stray_drop(round->env->store, round->folder->id,
					       found->address);
		return commit_gone(round, mem, link);
	}
	if (found->item->fault)
		return not_read(round, link, found);
	if (!found->decoded) {
		if (link) {
			link->error = found->fault->text;
			FAULT_TRY(link_set(round->env->store, link));
		}
		return round_set_aside(round, found, "undecodable", found->fault->text);
	}
	if (!link)
		FAULT_TRY(round_check_shared(round, mem, found));
	if (!link)
		FAULT_TRY(round_match(round, mem, found, &link));
	if (!link && round_is_settling(round, found, &due_us))
		return round_wait_for(round, found, "settle", due_us);
	if (!link)
		FAULT_TRY(round_book_child(round, mem, found, &booked));
	if (booked)
		return NULL;
	if (!link)
		return round_set_aside(round, found, "foreign", "no title");
	return commit_item(round, mem, link, found);
}

/* ---- transactions ---- */

static struct fault *end_transaction(struct round *round, struct fault *fault)
{
	struct store *store = round->env->store;

	point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault && !round->options->dry_run)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_COMMIT_DONE);
	return fault;
}

struct fault *round_commit(struct round *round, struct found *found, size_t count)
{
	TALLOC_CTX *mem = mem_pool(round->mem, ROUND_SCRATCH_BYTES);

	round_first_sort(round, found, count);
	for (size_t done = 0; done < count;) {
		size_t end = count - done < ROUND_BATCH ? count : done + ROUND_BATCH;
		struct fault *fault = store_begin(round->env->store);

		if (!fault)
			fault = round_doubt(round);
		for (; !fault && done < end; done++) {
			fault = commit_found(round, mem, &found[done]);
			if (!fault)
				mem_pool_clear(mem);
		}
		FAULT_TRY(end_transaction(round, fault));
	}
	talloc_free(mem);
	return NULL;
}

/* ---- the project's side ---- */

/* An assignment that was withdrawn or declined and is active again: its item is made anew, or not
 * removed after all. */
static void give_back(struct link *link)
{
	if (link->state == LINK_WITHDRAWING) {
		link->state = LINK_OK;
		link->dirty = false;
		return;
	}
	if (link->state != LINK_REMOVED && link->state != LINK_DECLINED)
		return;
	link->state = LINK_NEW;
	link->seen = link->want = NULL;
	link->seen_text = link->seen_version = link->error = NULL;
	link->attempts = link->due_us = 0;
	link->dirty = false;
}

/* What is to be published; the item was not looked at: it is as it was last seen, or there is none.
 */
static struct fault *publish(struct round *round, TALLOC_CTX *mem, struct link *link,
			     const struct assignment_view *view)
{
	int64_t edition = link->edition;
	bool made = link->fresh;
	struct vector *want;
	struct item_input input = { .rules = round->env->rules,
				    .dates = round->env->conf->site.dates,
				    .assignee = round->env->conf->rights.assignee,
				    .project = view->stamped->values,
				    .seen = link->seen,
				    .parent_uid = view->parent_uid,
				    .context = &view->context };

	FAULT_TRY(round_room(round, mem, link, input.project, &input.room));
	round_remember_percent(link, input.project);
	if (!link->address)
		link->address = endpoint_address(round->endpoint, link, round->folder->address,
						 view->assignment->uid);
	link->project_ids = ids_of_changes(link, view->stamped->seq);
	want = item_decide(mem, &input)->want;
	FAULT_TRY(round_want(round, link, made ? vector_copy(link, want) : want, false));
	link->quiet = link->quiet && link->edition == edition; /* else the project says more */
	if (link->fresh && vector_is_set(input.project, FIELD_attachments)) /* rows will name it */
		FAULT_TRY(link_set(round->env->store, link));
	FAULT_TRY(round_files_plan(round, mem, link, input.project));
	FAULT_TRY(link_set(round->env->store, link));
	if (made)
		round_views_made(round, link);
	return NULL;
}

/* The change waits; once the item can be written again it is published (link_unsettled()). */
static struct fault *put_off(struct round *round, struct link *link)
{
	link->project_ids = NULL;
	return link_set(round->env->store, link);
}

static struct fault *withdraw(struct round *round, TALLOC_CTX *mem, int64_t id)
{
	struct link *link = NULL;
	bool there;

	FAULT_TRY(link_get(round->env->store, mem, id, &link));
	there = outcome_of(PROJECT_DELETED, link->seen_version ? ITEM_SAME : ITEM_DELETED,
			   is_in_flight(link)) == OUTCOME_REMOVE;
	link->state = there ? LINK_WITHDRAWING : LINK_REMOVED;
	link->dirty = there;
	link->error = NULL; /* whatever held it: there is nothing to wait for any more */
	return link_set(round->env->store, link);
}

static struct fault *commit_withdrawn(struct round *round, TALLOC_CTX *mem, TALLOC_CTX *keep,
				      int64_t id)
{
	(void)keep;
	return withdraw(round, mem, id);
}

/* The item of an assignment that was withdrawn; one that is held goes when it is held no more. */
static struct fault *commit_end(struct round *round, TALLOC_CTX *mem, int64_t assignment)
{
	struct link *link = NULL;

	FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id, assignment, false,
				     &link));
	if (!link)
		return NULL;
	if (link->state == LINK_HELD)
		return put_off(round, link);
	if (link->state != LINK_NEW && link->state != LINK_OK && link->state != LINK_MISSING)
		return NULL;
	return withdraw(round, mem, link->id);
}

/* Declined, and never written here: nothing is to be. */
static struct fault *give_up(struct round *round, struct link *link,
			     const struct assignment_view *view)
{
	link->dirty = false;
	link->project_ids = ids_of_changes(link, view->stamped->seq);
	return link_set(round->env->store, link);
}

/* Where no condition keeps a second item from being made (messages): one that bears the UID and was
 * nobody's until now (M6). */
static struct fault *find_stray(struct round *round, TALLOC_CTX *mem,
				const struct assignment_view *view, const char **address_r)
{
	char **addresses = NULL;
	size_t count = 0;

	if (!round->endpoint->ops->appends || round->options->dry_run || !round_views_strays(round))
		return NULL;
	FAULT_TRY(link_strays_of(round->env->store, mem, round->folder->id, view->assignment->uid,
				 &addresses, &count));
	if (count) {
		FAULT_TRY(link_stray_drop(round->env->store, round->folder->id, addresses[0]));
		*address_r = addresses[0];
	}
	return NULL;
}

static struct fault *commit_assignment(struct round *round, TALLOC_CTX *mem, TALLOC_CTX *keep,
				       int64_t assignment)
{
	struct assignment_view view;
	const char *stray = NULL;
	struct link *link = NULL;
	bool active;

	if (round_is_claimed(round, assignment)) /* its item is read in the next pass */
		return NULL;
	FAULT_TRY(round_view(round, keep, assignment, &view));
	round_views_keep(round, &view);
	active = view.assignment->state == ASSIGNMENT_ACTIVE;
	if (view.assignment->state == ASSIGNMENT_WITHDRAWN)
		return commit_end(round, mem, assignment);
	if (round_views_linked(round, assignment))
		FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id, assignment,
					     false, &link));
	if (!link && active)
		FAULT_TRY(
			link_fresh(round->env->store, keep, round->folder->id, assignment, &link));
	else if (active)
		give_back(link);
	/* a declined one that has an item elsewhere (`deliver = all`) shows there that it is
	 * cancelled */
	if (!link)
		return NULL;
	if (link->state == LINK_NEW && !active)
		return give_up(round, link, &view);
	if (link->state == LINK_HELD)
		return put_off(round, link);
	switch (outcome_of(link->seen ? PROJECT_CHANGED : PROJECT_NEW,
			   link->seen_version ? ITEM_SAME : ITEM_DELETED, is_in_flight(link))) {
	case OUTCOME_CREATE:
		FAULT_TRY(find_stray(round, mem, &view, &stray));
		if (!stray)
			return publish(round, mem, link, &view);
		round_read_add(round, stray);
		round_claim(round, assignment);
		return NULL;
	case OUTCOME_PUSH:
		return publish(round, mem, link, &view);
	case OUTCOME_ASK: /* its ladder ends first */
		return put_off(round, link);
	case OUTCOME_NOTHING:
	case OUTCOME_TAKE:
	case OUTCOME_MERGE:
	case OUTCOME_RECOGNISE:
	case OUTCOME_ADOPT:
	case OUTCOME_REVIVE:
	case OUTCOME_REMOVE:
	case OUTCOME_KEEP:
	case OUTCOME_FORGET:
	case OUTCOME_LEAVE:
	case OUTCOMES:
		break;
	}
	return fault_new(mem, FAULT_INTERNAL, "assignment %lld cannot be published",
			 (long long)assignment);
}

/* Whether what was decided on goes out while the next are decided on. */
static bool is_pushed_ahead(const struct round *round, size_t count)
{
	return count > ROUND_PUSH_BATCH && !round->options->dry_run && !round->unmade &&
	       endpoint_overlaps(round->endpoint);
}

/* So many in one transaction. Of those that are pushed ahead few at first, so that the server has something
 * to do soon, then as many as make a full batch with them, and from then on so many that it is busy with what
 * is on its way until the next are decided on. */
static size_t lot(size_t done, size_t count, bool ahead)
{
	size_t most = ROUND_BATCH;

	if (ahead)
		most = !done ? LOT_FIRST : done < LOT_SECOND ? LOT_SECOND - done : LOT_AHEAD;
	return count - done < most ? count - done : most;
}

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct fault *each_id(struct round *round, int64_t *ids, size_t count,
			     struct fault *(*one)(struct round *, TALLOC_CTX *, TALLOC_CTX *,
						  int64_t))
{
	TALLOC_CTX *mem = mem_pool(round->mem, ROUND_SCRATCH_BYTES);
	bool ahead = one == commit_assignment && is_pushed_ahead(round, count);

	if (ahead)
		qsort(ids, count, sizeof *ids, by_id);
	for (size_t done = 0; done < count;) {
		size_t end = done + lot(done, count, ahead);
		struct fault *fault = store_begin(round->env->store);
		TALLOC_CTX *keep = NULL;

		if (!fault)
			fault = round_views_begin(round, &keep);
		if (!fault && !round->folder->project_seq && one == commit_assignment)
			fault = round_views_ahead(round, ids + done, end - done);
		for (; !fault && done < end; done++) {
			fault = one(round, mem, keep, ids[done]);
			if (!fault)
				mem_pool_clear(mem);
		}
		if (!fault && round_views_first_made(round) < INT64_MAX)
			fault = link_first_steps(round->env->store, round_views_first_made(round));
		round_views_end(round);
		FAULT_TRY(end_transaction(round, fault));
		if (ahead && done < count)
			FAULT_TRY(round_push_ahead(round, ids + done, count - done));
	}
	talloc_free(mem);
	return NULL;
}

/* Whether all assignments are looked at, and not only those that the change log names: at first,
 * and when somebody wants to be sure. The cost of any other round follows what changed. */
static bool looks_at_all(const struct round *round)
{
	return round->options->ensure || round->options->full || round->options->reconcile ||
	       !round->folder->project_seq;
}

static struct fault *commit_unlinked(struct round *round)
{
	int64_t *ids = NULL;
	size_t count = 0;

	FAULT_TRY(link_unlinked(round->env->store, round->mem, round->folder, round->resource->id,
				&ids, &count));
	FAULT_TRY(round_moved_first(round, ids, &count));
	return each_id(round, ids, count, commit_assignment);
}

struct fault *round_commit_project(struct round *round)
{
	struct store *store = round->env->store;
	int64_t *ids = NULL, last = 0;
	size_t count = 0;

	FAULT_TRY(store_change_last(store, &last));
	if (last > round->folder->project_seq) {
		FAULT_TRY(link_touched(store, round->mem, round->folder, round->resource->id, last,
				       &ids, &count));
		FAULT_TRY(round_moved_first(round, ids, &count));
		FAULT_TRY(each_id(round, ids, count, commit_assignment));
	}
	if (looks_at_all(round)) {
		if (round->folder->project_seq || !last) /* else it was each of them */
			FAULT_TRY(commit_unlinked(round));
		FAULT_TRY(link_withdrawn(store, round->mem, round->folder, round->resource->id,
					 &ids, &count));
		FAULT_TRY(each_id(round, ids, count, commit_withdrawn));
	}
	FAULT_TRY(round_missing_due(round));
	FAULT_TRY(link_unsettled(store, round->mem, round->folder->id, &ids, &count));
	FAULT_TRY(each_id(round, ids, count, commit_assignment));
	round->project_seq = last;
	return NULL;
}
