/* item.c - the order of a decision:
 *
 *   1. read what the person meant (gesture.h), merge it with the project's side (merge.h)
 *   2. rights: a change of a group that is not the assignee's becomes a proposal, the project's
 * value stands
 *   3. rules judge the step from the project's values to the merged ones
 *   4. every value of a person that is not the project's in the end is in a revision (N1)
 *   5. what the item is to show follows from the project's values alone (N3)
 */
#include "config.h"

#include "decide/item.h"

#include "base/buf.h"
#include "decide/gesture.h"
#include "decide/publish.h"

/* What is worked on; freed with the decision's context. */
struct work {
	const struct item_input *in;
	struct item_decision *out;
	struct vector *published; /* the project's values as an item would show them */
	struct merge *merge;
	struct vector *asked; /* the project's values with all that the person may change */
	bool moved[FIELDS];   /* the person's value is part of `asked` */
};

static void add_revision(struct item_decision *out, struct revision *revision)
{
	if (!revision_has_any(revision)) {
		talloc_free(revision);
		return;
	}
	out->revisions = MEM_GROW(out, out->revisions, struct revision *, out->revision_count + 1);
	out->revisions[out->revision_count++] = revision;
}

static struct merge *merge(struct work *work, TALLOC_CTX *mem)
{
	const struct item_input *in = work->in;
	struct gesture_input progress = { .seen = in->seen,
					  .now = in->item,
					  .agreed = in->project,
					  .own_percent = in->own_percent,
					  .writer = in->writer };
	struct version side[SIDES] = {
		{ .base = in->want, .values = work->published, .moved = in->project_moved },
		{ .base = in->seen, .moved = in->item_moved }
	};
	int64_t mailbox_us = merge_mailbox_time(&in->times);

	progress.changed_us = mailbox_us;
	side[MAILBOX].values = gesture_read(mem, &progress);
	for (int f = 0; f < FIELDS; f++) {
		side[PROJECT].changed_us[f] = in->project_at_us[f];
		side[MAILBOX].changed_us[f] = mailbox_us;
	}
	/* Never published, yet there is an item: first contact on both sides (M6). */
	if (!in->want || !in->seen)
		side[PROJECT].base = side[MAILBOX].base = NULL;
	return merge_item(mem, side);
}

/* Step 2. */
static void apply_rights(struct work *work)
{
	const struct item_input *in = work->in;
	struct revision *proposal = revision_new(work->out, REVISION_PROPOSED);
	struct revision *losing = revision_new(work->out, REVISION_LOSING);

	proposal->message = "the plan is the project manager's; this is kept as a proposal";
	losing->message = "changed on both sides; the newer value won";
	for (int f = 0; f < FIELDS; f++) {
		enum merge_from from = work->merge->from[f];
		const struct value *theirs = &work->merge->values->value[f];
		const struct value *ours = &work->published->value[f];
		bool differs =
			from == MERGE_FROM_MAILBOX && !value_same((enum field)f, theirs, ours);

		if (differs && !in->assignee[field_table[f].group]) {
			revision_field(proposal, (enum field)f,
				       in->seen ? &in->seen->value[f] : NULL, theirs, ours);
			continue;
		}
		if (work->merge->lost[f] && from == MERGE_FROM_PROJECT)
			revision_field(losing, (enum field)f, in->seen ? &in->seen->value[f] : NULL,
				       &in->item->value[f], ours);
		else if (work->merge->lost[f])
			revision_field(losing, (enum field)f, in->seen ? &in->seen->value[f] : NULL,
				       ours, theirs);
		if (differs) {
			vector_put(work->asked, (enum field)f, theirs);
			work->moved[f] = true;
		}
	}
	if (revision_has_any(proposal))
		work->out->pushed_back = true;
	add_revision(work->out, proposal);
	add_revision(work->out, losing);
}

static void propose_work(struct work *work, int64_t sum)
{
	const struct value *ours = &work->in->project->value[FIELD_actual_work];
	struct revision *revision = revision_new(work->out, REVISION_PROPOSED);
	struct value theirs = { .presence = SET, .number = sum };

	revision->message = "progress is the project manager's here; this is kept as a proposal";
	revision_field(revision, FIELD_actual_work, ours, &theirs, ours);
	add_revision(work->out, revision);
	work->out->pushed_back = true;
}

/* Booked work is judged as the new sum. */
static void ask_work(struct work *work)
{
	int64_t sum = vector_get(work->asked, FIELD_actual_work, 0) + work->in->booked;

	if (!work->in->booked)
		return;
	if (!work->in->assignee[GROUP_PROGRESS]) {
		propose_work(work, sum);
		return;
	}
	vector_number(work->asked, FIELD_actual_work, sum);
	work->moved[FIELD_actual_work] = true;
}

static enum revision_state hit_state(const struct rules_hit *hit)
{
	static const enum revision_state states[] = {
		[RULE_CORRECT] = REVISION_CORRECTED,
		[RULE_REJECT] = REVISION_REJECTED,
		[RULE_HOLD] = REVISION_PROPOSED,
	};

	return states[hit->action];
}

/* Steps 3 and 4: one revision per rule that changed or refused something that the person wrote. */
static void note_hit(struct work *work, const struct rules_hit *hit, const struct vector *final,
		     struct buf *words)
{
	struct revision *revision;

	if (hit->action == RULE_WARN) {
		buf_printf(words, "%s%s", words->len ? " " : "",
			   hit->message ? hit->message : hit->rule);
		return;
	}
	revision = revision_new(work->out, hit_state(hit));
	revision->rule = mem_strdup(revision, hit->rule);
	revision->message = mem_strdup(revision, hit->message);
	for (int f = 0; f < FIELDS; f++) {
		if (!hit->field[f] ||
		    value_identical((enum field)f, &work->asked->value[f], &final->value[f]))
			continue;
		if (work->moved[f])
			revision_field(revision, (enum field)f, &work->in->project->value[f],
				       &work->asked->value[f], &final->value[f]);
		work->out->rule[f] = mem_strdup(work->out, hit->rule);
		work->out->message[f] = mem_strdup(work->out, hit->message);
	}
	if (revision_has_any(revision)) {
		work->out->pushed_back = true;
		buf_printf(words, "%s%s", words->len ? " " : "",
			   hit->message ? hit->message : hit->rule);
	}
	add_revision(work->out, revision);
}

static void apply_rules(struct work *work, TALLOC_CTX *mem)
{
	const struct item_input *in = work->in;
	struct rules_result *result =
		rules_judge(mem, in->rules, in->context, in->project, work->asked);
	struct buf *words = buf_new(mem);

	for (size_t i = 0; i < result->hit_count; i++)
		note_hit(work, &result->hits[i], result->values, words);
	if (words->len)
		work->out->correction = mem_strdup(work->out, words->data);
	for (int f = 0; f < FIELDS; f++) {
		if (value_identical((enum field)f, &in->project->value[f],
				    &result->values->value[f]))
			continue;
		work->out->changed[f] = true;
		vector_put(work->out->project, (enum field)f, &result->values->value[f]);
	}
}

struct item_decision *item_decide(TALLOC_CTX *mem, const struct item_input *input)
{
	struct item_decision *out = MEM_NEW(mem, struct item_decision);
	TALLOC_CTX *scratch = MEM_CONTEXT(out);
	struct work work = { .in = input, .out = out };
	bool any = false;

	out->project = vector_copy(out, input->project);
	work.published = publish_vector(scratch, input->project, input->dates, input->parent_uid);
	if (input->item || input->booked) {
		work.asked = vector_copy(scratch, input->project);
		if (input->item) {
			work.merge = merge(&work, scratch);
			apply_rights(&work);
		}
		ask_work(&work);
		for (int f = 0; f < FIELDS; f++)
			any = any || work.moved[f];
		if (any)
			apply_rules(&work, scratch);
	}
	out->want = publish_vector(out, out->project, input->dates, input->parent_uid);
	if (out->pushed_back && !out->correction)
		out->correction = mem_strdup(
			out, "Dates, titles and other parts of the plan are the project manager's; "
			     "your change was passed on as a proposal.");
	talloc_free(scratch);
	return out;
}
