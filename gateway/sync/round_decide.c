/* round_decide.c - what an item that was read means for its assignment and its link; runs inside
 * the transaction that keeps the result. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include "decide/gesture.h"
#include "decide/mark.h"
#include "decide/publish.h"
#include "model/ids.h"
#include "store/revisions.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)

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
	if (link->fresh) /* with its row */
		return NULL;
	return link_history_add(round->env->store, link,
				&(struct agreed){ .edition = link->edition,
						  .pushed = true,
						  .values = want,
						  .at_us = clock_now_us(round->env->clock) });
}

void round_see(struct round *round, struct link *link, const struct found *found)
{
	link->seen_text = found->item->text;
	link->seen = found->decoded->values;
	link->seen_version = found->item->version;
	link->marks = found->item->marks;
	link->seen_us = clock_now_us(round->env->clock);
	link->decoder = CODEC_VERSION;
	link->seen_ids = ids_of_vector(link, CODEC_VERSION, link->seen);
	if (found->decoded->edition > link->edition) /* adopted: numbers go on from there */
		link->edition = found->decoded->edition;
}

bool round_has_landed(const struct link *link, const struct found *found)
{
	return !found->keeps_seen && found->decoded->elapsed_s < 0 && !found->mark && link->dirty && link->want &&
	       found->decoded->edition == link->edition &&
	       !publish_differs(link->want, NULL, found->decoded->values);
}

struct fault *round_add_revisions(struct round *round, int64_t assignment,
				  const struct item_decision *decision)
{
	static const size_t counters[REVISION_STATES] = {
		[REVISION_LOSING] = offsetof(struct round_report, losing),
		[REVISION_CORRECTED] = offsetof(struct round_report, corrected),
		[REVISION_REJECTED] = offsetof(struct round_report, rejected),
		[REVISION_PROPOSED] = offsetof(struct round_report, proposed),
	};

	for (size_t i = 0; i < decision->revision_count; i++) {
		struct revision *revision = decision->revisions[i];

		revision->assignment_id = assignment;
		revision->at_us = clock_now_us(round->env->clock);
		revision->author = round->author;
		FAULT_TRY(revisions_add(round->env->store, revision));
		++*(int64_t *)((char *)round->report + counters[revision->state]);
	}
	return NULL;
}

/* Why a field has its new value: what a rule says, or the gesture that said it. */
static const char *cause_of(const struct item_decision *decision, const struct found *found, int f)
{
	bool by_mark = found->mark && found->mark->values && field_table[f].merge == MERGE_COUPLED;

	return decision->message[f] || !by_mark ? decision->message[f] : found->mark->what;
}

static struct fault *write_changes(struct round *round, const struct assignment_view *view,
				   const struct found *found, const struct item_decision *decision)
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
					     .cause = cause_of(decision, found, f) };

		if (!decision->changed[f])
			continue;
		any = true;
		if (field_table[f].owner == OWNER_DERIVED)
			continue; /* booked: round_book_write() */
		if (decision->rule[f])
			step.author = mem_printf(round->mem, "rule:%s", decision->rule[f]);
		FAULT_TRY(project_change(round->env->store, &step, NULL));
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

void round_remember_percent(struct link *link, const struct vector *project)
{
	int64_t percent = vector_get(project, FIELD_percent, 0);

	if (percent > 0 && percent < 100)
		link->own_percent = percent;
}

bool round_carries_want(const struct link *link, const struct found *found)
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

	if (!link->want || !link->seen || !link->dirty || round_carries_want(link, found))
		return link->want;
	base = vector_copy(mem, link->want);
	for (int f = 0; f < FIELDS; f++)
		if (field_table[f].owner == OWNER_BOTH && link->seen->value[f].presence != ABSENT)
			vector_put(base, (enum field)f, &link->seen->value[f]);
	return base;
}

struct fault *round_keep_beaten(struct round *round, const struct link *link,
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
	revision->author = revision->writer = revision->against = round->author;
	round->report->losing++;
	return revisions_add(round->env->store, revision);
}

const struct vector *round_mailbox_base(const struct link *link, const struct found *found)
{
	if (round_carries_want(link, found))
		return link->want;
	return found->base ? found->base : link->seen;
}

/* True when the person said something that the project takes. */
static bool has_report(const struct item_decision *decision)
{
	for (int f = 0; f < FIELDS; f++)
		if (decision->changed[f])
			return true;
	return false;
}

/* The halves of a message that a person wrote into do not say the same: worth a write, so that both
 * show what was reported, also where it is what the project says already. What clients drop by
 * themselves is not. LINK's `seen` is not yet what was found. */
static bool is_uneven(const struct link *link, const struct found *found)
{
	const struct vector *values = found->decoded->values;
	bool reported = !link->seen || link->dirty; /* or was, and is not sent yet */

	for (int f = 0; f < FIELDS && link->seen; f++)
		reported = reported ||
			   (values->value[f].presence != ABSENT &&
			    !value_same((enum field)f, &link->seen->value[f], &values->value[f]));
	return found->decoded->uneven && !found->keeps_seen && reported;
}

/* Which groups can have changed on either side since they agreed (DESIGN section 4); false: any of
 * them, for the item was not made from what we read last, or what we want is not there yet. */
static bool find_moved(TALLOC_CTX *mem, const struct link *link, const struct found *found,
		       const struct stamped *stamped, bool project_moved[GROUPS],
		       bool item_moved[GROUPS])
{
	if (found->base || link->dirty || !link->seen || !link->want)
		return false;
	ids_moved(link->project_ids, ids_of_changes(mem, stamped->seq), project_moved);
	ids_moved(link->seen_ids, ids_of_vector(mem, CODEC_VERSION, found->decoded->values),
		  item_moved);
	item_moved[GROUP_PROGRESS] = item_moved[GROUP_PROGRESS] || found->mark;
	return true;
}

/* When the item was known to be unchanged. Another text of it may have been read in this very round:
 * then what counts is that nothing was told of it in the round before. */
static int64_t last_unchanged(const struct round *round, const struct link *link)
{
	return link->seen_us < round->begin_us ? link->seen_us : round->folder->last_round_us;
}

/* One item's decision, while it is being made. */
struct judgement {
	struct assignment_view view;
	struct item_input input;
	bool project_moved[GROUPS], item_moved[GROUPS];
	struct round_booking *booking;
	struct item_decision *decision;
	bool uneven; /* the item has to be written whatever the values */
};

/* What is to be judged, by what. */
static struct fault *prepare(struct round *round, TALLOC_CTX *mem, const struct link *link,
			     const struct found *found, struct judgement *j)
{
	struct item_input *input = &j->input;

	FAULT_TRY(round_view(round, mem, link->assignment_id, &j->view));
	*input = (struct item_input){
		.want = found->base ? found->base : project_base(mem, link, found),
		.item = found->decoded->values,
		.writer = found->decoded->writer,
		.seen = round_mailbox_base(link, found),
		.own_percent = link->own_percent,
		.dates = round->env->conf->site.dates,
		.rules = round->env->rules,
		.assignee = round->env->conf->rights.assignee,
		.project = j->view.stamped->values,
		.project_at_us = j->view.stamped->at_us,
		.project_by = j->view.stamped->author,
		.author = round->author,
		.parent_uid = j->view.parent_uid,
		.context = &j->view.context,
		.times = { .server_us = found->item->modified_us,
			   .last_modified_us = found->decoded->last_modified_us,
			   .last_modified_seen_us = found->seen_modified_us,
			   .unchanged_us = last_unchanged(round, link),
			   .changed_us = j->view.context.now_us },
	};
	FAULT_TRY(round_room(round, mem, link, input->project, &input->room));
	gesture_drop_computed(found->decoded->values, input->project, input->writer);
	if (found->mark && found->mark->values)
		input->item = found->mark->values;
	if (found->mark && found->mark->afresh)
		input->own_percent = 0;
	j->uneven = is_uneven(link, found);
	FAULT_TRY(round_book_read(round, mem, link, found, &j->view, input, &j->booking));
	if (find_moved(mem, link, found, j->view.stamped, j->project_moved, j->item_moved)) {
		input->project_moved = j->project_moved;
		input->item_moved = j->item_moved;
	}
	return NULL;
}

/* What the project gets, and what is kept of the rest. */
static struct fault *carry_out(struct round *round, const struct link *link,
			       const struct found *found, struct judgement *j)
{
	FAULT_TRY(round_book_write(round, &j->view, j->decision, j->booking));
	FAULT_TRY(write_changes(round, &j->view, found, j->decision));
	FAULT_TRY(round_add_revisions(round, link->assignment_id, j->decision));
	FAULT_TRY(round_keep_beaten(round, link, found));
	FAULT_TRY(round_marks_keep(round, link, found));
	FAULT_TRY(round_keep_old(round, link, found));
	return round_agree(round, link, found);
}

/* What follows for the link: the item is as it was read, and is to show what was decided. */
static struct fault *follow(struct round *round, struct link *link, const struct found *found,
			    const struct judgement *j)
{
	/* what the item showed of what it does not say */
	const struct vector *shown =
		!link->dirty || round_carries_want(link, found) ? link->want : NULL;
	bool tells = round_marks_tell(round, found, j->decision->want);
	bool uneven = j->uneven || tells || round_book_tells(j->booking);
	const char *ids = ids_of_changes(link, j->view.stamped->seq);
	bool moved[GROUPS];

	if (j->decision->remark || has_report(j->decision))
		link->correction = j->decision->remark;
	link->quiet = (!link->dirty || link->quiet) && link->seen &&
		      mark_is_echo(j->decision, ids_moved(link->project_ids, ids, moved));
	round_files_untaken(found->decoded->values, j->decision->not_taken, j->decision->want);
	if (!found->keeps_seen)
		round_see(round, link, found);
	link->state = LINK_OK;
	link->error = NULL;
	link->attempts = 0;
	round_remember_percent(link, j->decision->project);
	link->project_ids = ids;
	FAULT_TRY(round_want(round, link, j->decision->want, uneven));
	/* nothing on the way that the item does not show already */
	if (!publish_differs(link->want, shown, link->seen) && !uneven)
		link->dirty = false;
	/* a client that writes old copies for ever is no better than one that fights a rule (M8) */
	if (j->decision->pushed_back || (found->base && link->dirty) ||
	    (tells && !has_report(j->decision)))
		count_correction(round, link);
	return NULL;
}

struct fault *round_decide(struct round *round, TALLOC_CTX *mem, struct link *link,
			   const struct found *found)
{
	struct judgement *j = MEM_NEW(mem, struct judgement);

	FAULT_TRY(prepare(round, mem, link, found, j));
	j->decision = round_book_judge(mem, &j->input, j->booking);
	FAULT_TRY(carry_out(round, link, found, j));
	FAULT_TRY(follow(round, link, found, j));
	return round_files_plan(round, mem, link, j->decision->project);
}
