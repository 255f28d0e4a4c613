/* round_missing.c - the ladder of a deletion (M5), from "confirmed by a direct request" on: grace
 * time, brake, policy.
 *
 * Nothing is decided on the spot: a confirmed deletion makes the link MISSING. At the end of the
 * project's side of the round all missing links whose grace has passed are counted together, so
 * that the brake sees what vanished at once. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

/* How long an item that cannot be read stands in the way of believing a deletion: it may be the
 * missing one, edited. Longer ago it is something else that nobody can read. */
#define UNREAD_US (24 * 3600 * CLOCK_SECOND_US)
#define UNREAD_AGAIN_US (60 * CLOCK_SECOND_US)

#define DELETED "its item was deleted by the assignee"

/* M5: before an item is gone it may have been copied: what was taken for a foreign copy of it is
 * looked at again. */
static struct fault *look_for_copies(struct round *round, struct link *link)
{
	struct assignment *assignment = NULL;
	char **copies = NULL;
	size_t count = 0;

	FAULT_TRY(project_assignment(round->env->store, link, link->assignment_id, &assignment));
	if (!assignment)
		return NULL;
	FAULT_TRY(link_strays_of(round->env->store, link, round->folder->id, assignment->uid,
				 &copies, &count));
	for (size_t i = 0; i < count; i++)
		round_read_add(round, copies[i]);
	return NULL;
}

/* A removal that was answered by "no" may have been carried out all the same. */
static struct fault *is_withdrawn(struct round *round, struct link *link, bool *withdrawn_r)
{
	struct assignment *assignment = NULL;

	FAULT_TRY(project_assignment(round->env->store, link, link->assignment_id, &assignment));
	*withdrawn_r = assignment && assignment->state == ASSIGNMENT_WITHDRAWN;
	return NULL;
}

struct fault *round_missing(struct round *round, struct link *link)
{
	int64_t now = clock_now_us(round->env->clock);
	bool withdrawn = link->state == LINK_WITHDRAWING || link->state == LINK_REMOVED;

	if (!link->seen) /* never confirmed to be there: nobody deleted it, it is still to be made
			  */
		return NULL;
	if (!withdrawn)
		FAULT_TRY(is_withdrawn(round, link, &withdrawn));
	if (withdrawn) {
		link->state = LINK_REMOVED;
		link->dirty = false;
		link->attempts = 0;
		link->error = NULL;
	} else if (link->state == LINK_OK || link->state == LINK_HELD) {
		link->state = LINK_MISSING;
		link->dirty = false;
		link->due_us = now + round->env->conf->rights.grace_us;
		link->error = DELETED;
		FAULT_TRY(look_for_copies(round, link));
	}
	link->seen_version = NULL;
	return link_set(round->env->store, link);
}

static struct fault *decline(struct round *round, struct link *link)
{
	struct store *store = round->env->store;
	struct value cancelled = { .presence = SET, .number = STATUS_CANCELLED };
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	struct project_step step = { .field = FIELD_status,
				     .new = &cancelled,
				     .author = round->author,
				     .at_us = clock_now_us(round->env->clock),
				     .cause = "the assignee deleted the item" };

	FAULT_TRY(project_assignment(store, link, link->assignment_id, &assignment));
	FAULT_TRY(project_values(store, link, assignment, &stamped));
	step.project_id = assignment->project_id;
	step.task_id = assignment->task_id;
	step.assignment_id = assignment->id;
	step.old = &stamped->values->value[FIELD_status];
	/* who tidies up what is done takes nothing back */
	if (vector_get(stamped->values, FIELD_status, STATUS_NEEDS_ACTION) != STATUS_COMPLETED)
		FAULT_TRY(project_change(store, &step, NULL));
	FAULT_TRY(project_assignment_set_state(store, assignment, ASSIGNMENT_DECLINED,
					       round->author, step.cause));
	link->state = LINK_DECLINED;
	link->error = DELETED;
	round->report->declined++;
	round_note(round->report, "declined: %s deleted '%s'", round->resource->key,
		   round_subject(round, link, link->assignment_id));
	return NULL;
}

static struct fault *restore(struct round *round, struct link *link)
{
	struct vector *want = link->want;

	link->state = LINK_NEW;
	link->seen = NULL;
	link->seen_text = NULL;
	link->error = NULL;
	round->report->restored++;
	round_note(round->report,
		   round->remakes ? "made again: %s has '%s' no more"
				  : "restored: %s deleted '%s'; it is put back",
		   round->resource->key, round_subject(round, link, link->assignment_id));
	return want ? round_want(round, link, want, false) : NULL;
}

/* True while there is an item that could not be read and may be the missing one, moved or edited
 * (N5). */
static struct fault *may_have_successor(struct round *round, const struct link *link, bool *may_r)
{
	struct store *store = round->env->store;
	int64_t now = clock_now_us(round->env->clock);
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct assignment *assignment = NULL;
	struct pending *pending = NULL;
	char **unread = NULL;
	size_t count = 0;
	bool may = false;

	FAULT_TRY(link_pending(store, mem, round->folder->id, &pending, &count));
	for (size_t i = 0; i < count && !may; i++) {
		struct link *owner = NULL;

		FAULT_TRY(
			link_of_address(store, mem, round->folder->id, pending[i].address, &owner));
		may = !owner && strcmp(pending[i].reason, "held") &&
		      strcmp(pending[i].reason, "settle") &&
		      now - pending[i].first_seen_us < UNREAD_US;
	}
	FAULT_TRY(project_assignment(store, mem, link->assignment_id, &assignment));
	if (!may && assignment) {
		FAULT_TRY(link_strays_with(store, mem, round->folder->id, "undecodable",
					   assignment->uid, &unread, &count));
		may = count > 0;
	}
	talloc_free(mem);
	*may_r = may;
	return NULL;
}

static struct fault *put_off(struct round *round, struct link *link)
{
	link->due_us = clock_now_us(round->env->clock) + UNREAD_AGAIN_US;
	link->error = "its item is gone, and one that may have taken its place cannot be read";
	if (link->due_us < round->report->due_us)
		round->report->due_us = link->due_us;
	round->report->waiting++;
	return link_set(round->env->store, link);
}

/* Later than any grace time: the clock was set back. */
static bool is_waiting(const struct round *round, const struct link *link)
{
	int64_t now = clock_now_us(round->env->clock), grace = round->env->conf->rights.grace_us;

	return link->due_us > now && link->due_us <= now + (grace > UNREAD_US ? grace : UNREAD_US);
}

static struct fault *apply_policy(struct round *round, TALLOC_CTX *mem, int64_t id)
{
	struct link *link = NULL;
	bool may = false;

	FAULT_TRY(link_get(round->env->store, mem, id, &link));
	FAULT_TRY(may_have_successor(round, link, &may));
	if (may)
		return put_off(round, link);
	if (round->remakes) {
		FAULT_TRY(restore(round, link));
		return link_set(round->env->store, link);
	}
	if (is_waiting(round, link)) {
		if (link->due_us < round->report->due_us)
			round->report->due_us = link->due_us;
		round->report->waiting++;
		return NULL;
	}
	switch (round->env->conf->rights.on_delete) {
	case ON_DELETE_RESTORE:
		FAULT_TRY(restore(round, link));
		break;
	case ON_DELETE_IGNORE:
		link->state = LINK_IGNORED;
		break;
	default:
		FAULT_TRY(decline(round, link));
		break;
	}
	return link_set(round->env->store, link);
}

/* True when so large a share of the folder vanished that it looks like an accident (N5). */
static struct fault *brake(struct round *round, size_t missing, bool *brake_r)
{
	int percent = round->env->conf->rights.brake_percent;
	int64_t there = 0, enough = percent ? (int64_t)missing * 100 / percent : INT64_MAX;

	/* that many are too many for the brake: no need to count further */
	FAULT_TRY(link_item_count(round->env->store, round->folder->id, enough, &there));
	*brake_r = missing >= ROUND_BRAKE_ITEMS &&
		   (int64_t)missing * 100 > (there + (int64_t)missing) * percent;
	if (*brake_r) {
		round->report->held += (int64_t)missing;
		round->folder->error = mem_printf(
			round->mem,
			"%zu of %lld items vanished at once, more than the brake of %d %% lets "
			"pass; to put them back: taskferry publish %s; to accept it: set [rights] "
			"brake = 100%%, let a service that runs read it (SIGHUP), and run "
			"taskferry sync",
			missing, (long long)(there + (int64_t)missing), percent,
			round->project->code);
		round_note(round->report, "held: the folder of project %s of %s: %s",
			   round->project->code, round->resource->key, round->folder->error);
	}
	return NULL;
}

static struct fault *policy_for_all(struct round *round, TALLOC_CTX *mem)
{
	int64_t *ids = NULL;
	size_t count = 0;
	bool stop = false;

	FAULT_TRY(round_moved(round, mem));
	FAULT_TRY(link_missing(round->env->store, mem, round->folder->id, &ids, &count));
	if (count)
		FAULT_TRY(round_moved_away(round, mem, ids, &count));
	if (count && !round->remakes)
		FAULT_TRY(brake(round, count, &stop));
	for (size_t i = 0; i < count && !stop; i++)
		FAULT_TRY(apply_policy(round, mem, ids[i]));
	return NULL;
}

struct fault *round_missing_due(struct round *round)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct fault *fault;
	int64_t *ids = NULL;
	size_t count = 0;

	round->folder->error = NULL;
	FAULT_TRY(link_missing(round->env->store, mem, round->folder->id, &ids, &count));
	if (!count)
		return NULL;
	FAULT_TRY(store_begin(round->env->store));
	fault = policy_for_all(round, mem);
	point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault && !round->options->dry_run)
		fault = store_commit(round->env->store);
	store_rollback(round->env->store);
	if (!fault)
		point_reach(round->env->points, POINT_COMMIT_DONE);
	return fault;
}
