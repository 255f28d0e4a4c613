/* round_commit.c - decide and commit: everything here runs inside one write transaction per batch,
 * so that what a decision is based on cannot move under it. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/publish.h"
#include "decide/twin.h"
#include "store/revisions.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)
#define SUMMARY_CHARS 80 /* of a foreign item's title in a report */

void round_hold(struct round *round, struct link *link, const char *why)
{
	link->state = LINK_HELD;
	link->error = mem_strdup(link, why);
	round->report->held++;
	round_note(round->report, "held: %s: %s", round_subject(round, link, link->assignment_id),
		   why);
}

static bool is_wanted_already(const struct link *link, const struct vector *want)
{
	if (!link->want || !link->dirty)
		return false;
	for (int f = 0; f < FIELDS; f++)
		if (!value_identical((enum field)f, &link->want->value[f], &want->value[f]))
			return false;
	return true;
}

struct fault *round_want(struct round *round, struct link *link, struct vector *want, bool uneven)
{
	bool differs = uneven || !link->seen || publish_differs(want, link->want, link->seen);

	if (is_wanted_already(link, want)) /* decided before, not sent yet: the edition stands */
		return NULL;
	if (!differs && !link->dirty) {
		link->want = want; /* what was not worth a write rides on the next one */
		return NULL;
	}
	link->want = want;
	link->dirty = true;
	if (round->options->dry_run) /* nothing is sent: what would be */
		++*(link->seen ? &round->report->updated : &round->report->created);
	link->edition++;
	link->due_us = 0;
	return link_edition_add(round->env->store, link, clock_now_us(round->env->clock));
}

/* ---- what was found at an address ---- */

static struct fault *set_aside(struct round *round, const struct found *found, const char *state,
			       const char *why)
{
	struct stray stray = { .folder_id = round->folder->id,
			       .address = found->address,
			       .state = state };
	const char *title =
		found->decoded ? vector_str(found->decoded->values, FIELD_subject) : NULL;

	stray.summary = text_one_line(round->mem, title ? title : why, SUMMARY_CHARS);
	if (!strcmp(state, "foreign")) {
		round->report->foreign++;
		round_note(round->report,
			   "left alone: '%s' in the folder of project %s of %s is not taskferry's",
			   stray.summary, round->project->code, round->resource->key);
	} else {
		round->report->undecodable++;
		round_note(round->report, "set aside: %s in the folder of project %s of %s: %s",
			   found->address, round->project->code, round->resource->key, why);
	}
	FAULT_TRY(link_pending_drop(round->env->store, round->folder->id, found->address));
	return link_stray_put(round->env->store, &stray, found->item->version, found->item->text,
			      clock_now_us(round->env->clock));
}

/* ---- two items of one assignment (M7) ---- */

static struct fault *edition_of_seen(struct round *round, TALLOC_CTX *mem, const struct link *link,
				     int64_t *edition_r)
{
	struct decoded *decoded = NULL;
	struct fault *fault = NULL;

	if (link->seen_text)
		fault = codec_decode(mem, round_form(round), link->seen_text,
				     strlen(link->seen_text), NULL, NULL, &decoded);
	talloc_free(fault); /* not readable any more: then it has no edition */
	*edition_r = decoded ? decoded->edition : 0;
	return NULL;
}

/* LINK's item stands elsewhere, or did: from now on it is the found one, or the found one is an old
 * copy, whose edits are merged. The other is left to the sweep. */
static struct fault *judge_twin(struct round *round, TALLOC_CTX *mem, struct link *link,
				struct found *found)
{
	struct store *store = round->env->store;
	bool later = strcmp(found->address, link->address) > 0;
	bool gone = !link->seen_version || round_is_gone(round, link->address);
	int64_t known = 0, theirs = found->decoded->edition;

	FAULT_TRY(edition_of_seen(round, mem, link, &known));
	if (theirs && theirs != known)
		FAULT_TRY(link_edition(store, mem, link->id, theirs, &found->base));
	found->keeps_seen = twin_decide(known, theirs, later, gone) == TWIN_MERGE;
	if (round->options->dry_run)
		return NULL;
	if (found->keeps_seen)
		return NULL;
	if (!gone)
		FAULT_TRY(link_leftover_put(store, link, link->address, NULL));
	link->address = found->address;
	return link_set(store, link);
}

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

/* The link that an item at an unknown address belongs to by its UID: ours, of this project and
 * person; where items do not move by being replaced, only one without an item elsewhere. */
static struct fault *link_by_uid(struct round *round, TALLOC_CTX *mem, struct found *found,
				 struct link **link_r)
{
	struct store *store = round->env->store;
	struct assignment *assignment = NULL;
	struct link *link = NULL;
	bool withdrawn;

	*link_r = NULL;
	if (found->decoded->uid)
		FAULT_TRY(project_assignment_by_uid(store, mem, found->decoded->uid, &assignment));
	if (!assignment || assignment->project_id != round->project->id ||
	    assignment->resource_id != round->resource->id)
		return NULL;
	withdrawn = assignment->state == ASSIGNMENT_WITHDRAWN;
	FAULT_TRY(link_of_assignment(store, mem, round->folder->id, assignment->id, !withdrawn,
				     &link));
	if (withdrawn && (!link || !link->seen_version || !round->endpoint->ops->appends))
		return NULL; /* its item was removed: what stands here is somebody's own */
	if (link && link->address && strcmp(link->address, found->address)) {
		if (round->endpoint->ops->appends && link->seen_text)
			FAULT_TRY(judge_twin(round, mem, link, found));
		else if (link->seen_version && link->state == LINK_OK)
			link = NULL; /* its item stands elsewhere: this is somebody's copy */
	}
	if (link && !found->keeps_seen)
		link->address = found->address;
	/* an old copy is not compared with what stands now, which is of another edition */
	if (link && link->seen_text && !found->base)
		round_decode(round, mem, found, link);
	if (link && link->state == LINK_MISSING) { /* moved, not deleted, however long it settles */
		link->state = LINK_OK;
		link->error = NULL;
		FAULT_TRY(link_set(round->env->store, link));
	}
	*link_r = link;
	return NULL;
}

static bool is_settling(struct round *round, const struct link *link, const struct found *found,
			int64_t *due_us)
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
	return link->seen && *due_us > now;
}

static struct fault *wait_for(struct round *round, const struct found *found, const char *reason,
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

/* seen := the item as read. */
static void see(struct round *round, struct link *link, const struct found *found)
{
	link->seen_text = found->item->text;
	link->seen = found->decoded->values;
	link->seen_version = found->item->version;
	link->seen_us = clock_now_us(round->env->clock);
	link->decoder = CODEC_VERSION;
	if (found->decoded->edition > link->edition) /* adopted: numbers go on from there */
		link->edition = found->decoded->edition;
}

/* An item that shows all that we want is a push that landed, however its answer was lost. */
static bool has_landed(const struct link *link, const struct found *found)
{
	return !found->keeps_seen && link->dirty && link->want &&
	       found->decoded->edition == link->edition &&
	       !publish_differs(link->want, NULL, found->decoded->values);
}

static struct fault *add_revisions(struct round *round, const struct link *link,
				   struct item_decision *decision)
{
	static const size_t counters[REVISION_STATES] = {
		[REVISION_LOSING] = offsetof(struct round_report, losing),
		[REVISION_CORRECTED] = offsetof(struct round_report, corrected),
		[REVISION_REJECTED] = offsetof(struct round_report, rejected),
		[REVISION_PROPOSED] = offsetof(struct round_report, proposed),
	};

	for (size_t i = 0; i < decision->revision_count; i++) {
		struct revision *revision = decision->revisions[i];

		revision->assignment_id = link->assignment_id;
		revision->at_us = clock_now_us(round->env->clock);
		revision->author = round->author;
		FAULT_TRY(revisions_add(round->env->store, revision));
		++*(int64_t *)((char *)round->report + counters[revision->state]);
	}
	return NULL;
}

static struct fault *write_changes(struct round *round, const struct assignment_view *view,
				   const struct item_decision *decision)
{
	bool any = false;

	for (int f = 0; f < FIELDS; f++) {
		struct project_step step = { .project_id = view->assignment->project_id,
					     .task_id = view->assignment->task_id,
					     .assignment_id = view->assignment->id,
					     .field = (enum field)f,
					     .old = &view->stamped->values->value[f],
					     .new = &decision->project->value[f],
					     .at_us = view->context.now_us,
					     .author = round->author,
					     .cause = decision->message[f] };

		if (!decision->changed[f])
			continue;
		if (decision->rule[f])
			step.author = mem_printf(round->mem, "rule:%s", decision->rule[f]);
		FAULT_TRY(project_change(round->env->store, &step, NULL));
		any = true;
	}
	round->report->changed += any;
	return NULL;
}

/* M8: a client that fights a rule must not loop. */
static void count_correction(struct round *round, struct link *link)
{
	int64_t now = clock_now_us(round->env->clock);

	if (now - link->corrections_since_us > HOUR_US) {
		link->corrections_since_us = now;
		link->corrections = 0;
	}
	if (++link->corrections > ROUND_CORRECTIONS_MAX)
		round_hold(round, link,
			   "its value was put right again and again within the hour; a client "
			   "seems to fight a rule. "
			   "After looking into it: taskferry queue retry --all");
}

static void remember_percent(struct link *link, const struct vector *project)
{
	int64_t percent = vector_get(project, FIELD_percent, 0);

	if (percent > 0 && percent < 100)
		link->own_percent = percent;
}

/* True when the item carries the edition that we are sending: its answer was lost, and a person
 * edited it since. */
static bool carries_want(const struct link *link, const struct found *found)
{
	return link->dirty && link->want && link->edition > 0 &&
	       found->decoded->edition == link->edition;
}

/* The base of the project's side: what both sides last agreed on. A want that was not sent is no
 * agreement: with it as the base the project's change would not count as one (M3). */
static const struct vector *project_base(TALLOC_CTX *mem, const struct link *link,
					 const struct found *found)
{
	struct vector *base;

	if (!link->want || !link->seen || !link->dirty || carries_want(link, found))
		return link->want;
	base = vector_copy(mem, link->want);
	for (int f = 0; f < FIELDS; f++)
		if (field_table[f].owner == OWNER_BOTH && link->seen->value[f].presence != ABSENT)
			vector_put(base, (enum field)f, &link->seen->value[f]);
	return base;
}

/* What the VTODO of a message said where its card said otherwise, and both were edited: the card
 * counts, the other is kept (N1). */
static struct fault *add_beaten(struct round *round, const struct link *link,
				const struct found *found)
{
	struct revision *revision;

	if (!found->decoded->beaten)
		return NULL;
	revision = revision_new(round->mem, REVISION_LOSING);
	revision->message =
		"the message's card and its to-do part were both edited; the card counts";
	for (int f = 0; f < FIELDS; f++) {
		const struct value *theirs = &found->decoded->beaten->value[f];

		if (theirs->presence != ABSENT)
			revision_field(revision, (enum field)f, NULL, theirs,
				       &found->decoded->values->value[f]);
	}
	revision->assignment_id = link->assignment_id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = round->author;
	round->report->losing++;
	return revisions_add(round->env->store, revision);
}

/* The base of the mailbox' side: the edition that the person edited. */
static const struct vector *mailbox_base(const struct link *link, const struct found *found)
{
	if (carries_want(link, found))
		return link->want;
	return found->base ? found->base : link->seen;
}

/* The halves of a message that a person's report is in do not say the same: worth a write, so that
 * both show what was reported. What clients drop by themselves is not. */
static bool is_uneven(const struct found *found, const struct item_decision *decision)
{
	bool reported = false;

	for (int f = 0; f < FIELDS; f++)
		reported = reported || decision->changed[f];
	return found->decoded->uneven && !found->keeps_seen && reported;
}

static struct fault *decide_item(struct round *round, TALLOC_CTX *mem, struct link *link,
				 const struct found *found)
{
	struct assignment_view view;
	struct item_decision *decision;
	struct item_input input = { .want = found->base ? found->base
							: project_base(mem, link, found),
				    .item = found->decoded->values,
				    .writer = found->decoded->writer,
				    .seen = mailbox_base(link, found),
				    .own_percent = link->own_percent,
				    .dates = round->env->conf->site.dates,
				    .rules = round->env->rules,
				    .assignee = round->env->conf->rights.assignee };

	FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	input.project = view.stamped->values;
	input.project_at_us = view.stamped->at_us;
	input.parent_uid = view.parent_uid;
	input.context = &view.context;
	input.times = (struct merge_times){ .server_us = found->item->modified_us,
					    .last_modified_us = found->decoded->last_modified_us,
					    .last_modified_seen_us = found->seen_modified_us,
					    .unchanged_us = link->seen_us,
					    .changed_us = view.context.now_us };
	decision = item_decide(mem, &input);
	FAULT_TRY(write_changes(round, &view, decision));
	FAULT_TRY(add_revisions(round, link, decision));
	if (decision->correction)
		link->correction = decision->correction;
	FAULT_TRY(add_beaten(round, link, found));
	if (!found->keeps_seen)
		see(round, link, found);
	link->state = LINK_OK;
	link->error = NULL;
	link->attempts = 0;
	remember_percent(link, decision->project);
	FAULT_TRY(round_want(round, link, decision->want, is_uneven(found, decision)));
	/* nothing on the way that the item does not show already */
	if (!publish_differs(link->want, NULL, link->seen) && !is_uneven(found, decision))
		link->dirty = false;
	if (decision->pushed_back)
		count_correction(round, link);
	return NULL;
}

/* First contact with an item that bears our UID (M6): adopted when it is the same task, else held.
 */
static struct fault *check_adoption(struct round *round, TALLOC_CTX *mem, struct link *link,
				    const struct found *found, bool *adopt_r)
{
	struct assignment_view view;
	const struct value *title = &found->decoded->values->value[FIELD_subject];

	FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	*adopt_r = title->presence == ABSENT ||
		   value_same(FIELD_subject, title, &view.stamped->values->value[FIELD_subject]);
	if (*adopt_r) {
		round->report->adopted++;
		return NULL;
	}
	FAULT_TRY(set_aside(round, found, "mismatch",
			    "it bears the UID of a task of this project but another title"));
	round_hold(round, link,
		   "an item with its UID but another title stands in the folder; give it the "
		   "task's title, or remove "
		   "it, then: taskferry queue retry --all");
	return link_set(round->env->store, link);
}

/* An assignee who brings a removed item back takes the task on again. */
static struct fault *revive(struct round *round, TALLOC_CTX *mem, struct link *link)
{
	if (link->state != LINK_DECLINED && link->state != LINK_IGNORED)
		return NULL;
	(void)mem;
	FAULT_TRY(project_assignment_set_state(round->env->store, link->assignment_id,
					       ASSIGNMENT_ACTIVE));
	link->seen = link->want = NULL;
	link->dirty = false;
	return NULL;
}

/* An item that was edited while its assignment was withdrawn: what the person wrote is kept, then
 * it is removed. */
static struct fault *keep_withdrawn(struct round *round, struct link *link,
				    const struct found *found)
{
	const struct vector *base = mailbox_base(link, found);
	struct revision *revision = revision_new(link, REVISION_LOSING);

	revision->message = "changed while the assignment was withdrawn";
	for (int f = 0; f < FIELDS; f++) {
		const struct value *now = &found->decoded->values->value[f];

		if (now->presence != ABSENT && !value_same((enum field)f, &base->value[f], now))
			revision_field(revision, (enum field)f, &base->value[f], now, NULL);
	}
	revision->assignment_id = link->assignment_id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = round->author;
	if (revision_has_any(revision)) {
		FAULT_TRY(revisions_add(round->env->store, revision));
		round->report->losing++;
	}
	if (!found->keeps_seen)
		see(round, link, found);
	return save_judged(round, link, found);
}

static struct fault *commit_item(struct round *round, TALLOC_CTX *mem, struct link *link,
				 const struct found *found)
{
	int64_t due_us = 0;
	bool adopt = true;

	if (link->state ==
	    LINK_HELD) /* the person's version stays where it is until the hold ends (N1) */
		return wait_for(round, found, "held", INT64_MAX);
	if (link->state == LINK_WITHDRAWING && link->seen)
		return keep_withdrawn(round, link, found);
	if (has_landed(link, found)) {
		see(round, link, found);
		link->dirty = false;
		link->state = LINK_OK;
		link->attempts = 0;
		link->error = NULL;
		return save_judged(round, link, found);
	}
	if (is_settling(round, link, found, &due_us))
		return wait_for(round, found, "settle", due_us);
	FAULT_TRY(revive(round, mem, link));
	if (!link->seen && found->decoded->edition != link->edition)
		FAULT_TRY(check_adoption(round, mem, link, found, &adopt));
	if (!adopt)
		return NULL;
	FAULT_TRY(decide_item(round, mem, link, found));
	return save_judged(round, link, found);
}

static int64_t item_backoff_us(int64_t attempts)
{
	int64_t pause = ROUND_FIRST_RETRY_US;

	for (int64_t i = 1; i < attempts && pause < HOUR_US; i++)
		pause *= 2;
	return pause;
}

static struct fault *commit_found(struct round *round, TALLOC_CTX *mem, struct found *found)
{
	struct link *link = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, found->address, &link));
	if (found->item->fault && found->item->fault->kind == FAULT_GONE) {
		FAULT_TRY(link_pending_drop(round->env->store, round->folder->id, found->address));
		if (!link)
			return link_stray_drop(round->env->store, round->folder->id,
					       found->address);
		return round_missing(round, link);
	}
	if (found->item->fault) {
		round_note(round->report, "not read: %s: %s", found->address,
			   found->item->fault->text);
		return wait_for(round, found, found->item->fault->text,
				clock_now_us(round->env->clock) +
					item_backoff_us(link ? ++link->attempts : 1));
	}
	if (!found->decoded) {
		if (link) {
			link->error = found->fault->text;
			FAULT_TRY(link_set(round->env->store, link));
		}
		return set_aside(round, found, "undecodable", found->fault->text);
	}
	if (!link)
		FAULT_TRY(link_by_uid(round, mem, found, &link));
	if (!link)
		return set_aside(round, found, "foreign", "no title");
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
	for (size_t done = 0; done < count;) {
		size_t end = count - done < ROUND_BATCH ? count : done + ROUND_BATCH;
		struct fault *fault = store_begin(round->env->store);

		for (; !fault && done < end; done++) {
			TALLOC_CTX *mem = MEM_CONTEXT(round->mem);

			fault = commit_found(round, mem, &found[done]);
			if (!fault)
				talloc_free(mem);
		}
		FAULT_TRY(end_transaction(round, fault));
	}
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

static struct fault *commit_assignment(struct round *round, TALLOC_CTX *mem, int64_t assignment)
{
	struct assignment_view view;
	struct item_input input = { .rules = round->env->rules,
				    .dates = round->env->conf->site.dates,
				    .assignee = round->env->conf->rights.assignee };
	struct link *link = NULL;
	bool active;

	FAULT_TRY(round_view(round, mem, assignment, &view));
	active = view.assignment->state == ASSIGNMENT_ACTIVE;
	if (view.assignment->state == ASSIGNMENT_WITHDRAWN)
		return NULL;
	FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id, assignment, active,
				     &link));
	if (link && active)
		give_back(link);
	/* a declined one that has an item elsewhere (`deliver = all`) shows there that it is
	 * cancelled */
	if (!link || (link->state != LINK_OK && (link->state != LINK_NEW || !active)))
		return NULL;
	input.project = view.stamped->values;
	input.parent_uid = view.parent_uid;
	input.context = &view.context;
	remember_percent(link, input.project);
	if (!link->address)
		link->address = endpoint_address(round->endpoint, link, round->folder->address,
						 view.assignment->uid);
	FAULT_TRY(round_want(round, link, item_decide(mem, &input)->want, false));
	return link_set(round->env->store, link);
}

static struct fault *commit_withdrawn(struct round *round, TALLOC_CTX *mem, int64_t id)
{
	struct link *link = NULL;

	FAULT_TRY(link_get(round->env->store, mem, id, &link));
	link->state = link->seen_version ? LINK_WITHDRAWING : LINK_REMOVED;
	link->dirty = link->seen_version != NULL;
	return link_set(round->env->store, link);
}

static struct fault *each_id(struct round *round, const int64_t *ids, size_t count,
			     struct fault *(*one)(struct round *, TALLOC_CTX *, int64_t))
{
	for (size_t done = 0; done < count;) {
		size_t end = count - done < ROUND_BATCH ? count : done + ROUND_BATCH;
		struct fault *fault = store_begin(round->env->store);

		for (; !fault && done < end; done++) {
			TALLOC_CTX *mem = MEM_CONTEXT(round->mem);

			fault = one(round, mem, ids[done]);
			if (!fault)
				talloc_free(mem);
		}
		FAULT_TRY(end_transaction(round, fault));
	}
	return NULL;
}

struct fault *round_commit_project(struct round *round)
{
	struct store *store = round->env->store;
	int64_t *ids = NULL, last = 0;
	size_t count = 0;

	FAULT_TRY(store_change_last(store, &last));
	if (last > round->folder->project_seq) {
		FAULT_TRY(link_touched(store, round->mem, round->folder, round->resource->id, &ids,
				       &count));
		FAULT_TRY(each_id(round, ids, count, commit_assignment));
	}
	FAULT_TRY(
		link_unlinked(store, round->mem, round->folder, round->resource->id, &ids, &count));
	FAULT_TRY(each_id(round, ids, count, commit_assignment));
	FAULT_TRY(link_withdrawn(store, round->mem, round->folder->id, &ids, &count));
	FAULT_TRY(each_id(round, ids, count, commit_withdrawn));
	FAULT_TRY(round_missing_due(round));
	round->project_seq = last;
	return NULL;
}
