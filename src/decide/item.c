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
	struct vector *published;   /* with an item: the project's values as one would show them */
	const struct vector *meant; /* the item as it was read, gestures understood */
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

/* "Done" and "70 %" in one edit: the status counts, the number is kept. */
static void keep_left(struct work *work, const struct gesture_input *progress,
		      const struct vector *read)
{
	static const enum field kept[] = { FIELD_percent, FIELD_completed_at };
	struct revision *revision = revision_new(work->out, REVISION_LOSING);

	revision->message = "written together; a status counts before a percentage before a date";
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (gesture_leaves(progress, read, kept[i]))
			revision_field(revision, kept[i],
				       progress->seen ? &progress->seen->value[kept[i]] : NULL,
				       &progress->now->value[kept[i]], &read->value[kept[i]]);
	revision->writer = work->in->author;
	add_revision(work->out, revision);
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
	side[MAILBOX].values = work->meant = gesture_read(mem, &progress);
	keep_left(work, &progress, work->meant);
	for (int f = 0; f < FIELDS; f++) {
		side[PROJECT].changed_us[f] = in->project_at_us[f];
		side[MAILBOX].changed_us[f] = mailbox_us;
	}
	/* Never published, yet there is an item: first contact on both sides (M6). */
	if (!in->want || !in->seen)
		side[PROJECT].base = side[MAILBOX].base = NULL;
	return merge_item(mem, side);
}

/* A value of the person that the project's stands against. */
static void of_person(const struct item_input *in, struct revision *revision, enum field field)
{
	revision->writer = in->author;
	if (!revision->against && in->project_by)
		revision->against = in->project_by[field];
}

/* ---- attachments ---- */

/* VALUES as an item that has those of A and B shows them. */
static void show_files(const struct work *work, struct vector *values, const struct vector *a,
		       const struct vector *b)
{
	const char *value = vector_str(values, FIELD_attachments);
	char *there;

	if (!value)
		return;
	there = files_join(values, a ? vector_str(a, FIELD_attachments) : NULL,
			   b ? vector_str(b, FIELD_attachments) : NULL);
	vector_text(values, FIELD_attachments,
		    shown_files(values, value, there, work->in->room));
}

/* What an item has no room for was not merged, and nobody has taken it away. */
static void restore_left_out(struct work *work)
{
	const char *all = vector_str(work->in->project, FIELD_attachments);
	char *left = files_without(work->published, all,
				   vector_str(work->published, FIELD_attachments));
	struct vector *merged = work->merge->values;

	if (!left)
		return;
	vector_text(merged, FIELD_attachments,
		    files_join(merged, vector_str(merged, FIELD_attachments), left));
	vector_text(work->published, FIELD_attachments, all);
}

/* What the person added, and the project did not take. */
static void find_not_taken(struct work *work)
{
	const char *theirs = vector_str(work->in->item, FIELD_attachments);
	char *added;

	if (!theirs)
		return;
	added = files_without(work->out, theirs,
			      work->in->seen ? vector_str(work->in->seen, FIELD_attachments) : NULL);
	work->out->not_taken = files_without(
		work->out, added, vector_str(work->out->project, FIELD_attachments));
}

/* True when a proposal is of attachments that the person added: those stay where they are. */
static bool leaves_all_there(const struct work *work, const struct revision *proposal)
{
	for (int f = 0; f < FIELDS; f++)
		if (proposal->has[f] && f != FIELD_attachments)
			return false;
	return !files_without(work->out, vector_str(work->published, FIELD_attachments),
			      vector_str(work->merge->values, FIELD_attachments));
}

/* Step 2. */
static void apply_rights(struct work *work)
{
	const struct item_input *in = work->in;
	struct revision *proposal = revision_new(work->out, REVISION_PROPOSED);
	struct revision *losing = revision_new(work->out, REVISION_LOSING);
	struct revision *beaten = revision_new(work->out, REVISION_LOSING);

	proposal->message = "the plan is the project manager's; this is kept as a proposal";
	losing->message = beaten->message = "changed on both sides; the newer value won";
	for (int f = 0; f < FIELDS; f++) {
		enum merge_from from = work->merge->from[f];
		const struct value *theirs = &work->merge->values->value[f];
		const struct value *ours = &work->published->value[f];
		bool differs =
			from == MERGE_FROM_MAILBOX && !value_same((enum field)f, theirs, ours);

		const struct value *base = in->seen ? &in->seen->value[f] : NULL;

		if (differs && !in->assignee[field_table[f].group]) {
			revision_field(proposal, (enum field)f, base, theirs, ours);
			of_person(in, proposal, (enum field)f);
			continue;
		}
		if (work->merge->lost[f] && from == MERGE_FROM_PROJECT) {
			if (work->meant->value[f].presence == ABSENT)
				continue; /* nothing was said that could be lost */
			revision_field(losing, (enum field)f, base, &work->meant->value[f], ours);
			of_person(in, losing, (enum field)f);
		} else if (work->merge->lost[f] && !value_same((enum field)f, ours, theirs)) {
			/* as the project had it, not as items show it: it may be restored */
			revision_field(beaten, (enum field)f, base, &in->project->value[f], theirs);
			beaten->writer = in->project_by ? in->project_by[f] : NULL;
			beaten->against = in->author;
		}
		if (differs) {
			vector_put(work->asked, (enum field)f, theirs);
			work->moved[f] = true;
		}
	}
	if (revision_has_any(proposal) && !leaves_all_there(work, proposal))
		work->out->pushed_back = true;
	add_revision(work->out, proposal);
	add_revision(work->out, losing);
	add_revision(work->out, beaten);
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

/* What a rule takes back of a coupled field, it takes back of all. */
static bool is_hit(const struct rules_hit *hit, int field)
{
	bool taken_back = hit->action == RULE_REJECT || hit->action == RULE_HOLD;

	for (int f = 0; f < FIELDS; f++)
		if (hit->field[f] &&
		    (f == field || (taken_back && field_table[f].merge == MERGE_COUPLED &&
				    field_table[field].merge == MERGE_COUPLED &&
				    field_table[f].group == field_table[field].group)))
			return true;
	return false;
}

/* Steps 3 and 4: one revision per rule that changed or refused something that the person wrote. */
static void note_hit(struct work *work, const struct rules_hit *hit, const struct vector *final,
		     struct buf *remarks)
{
	struct revision *revision;

	if (hit->action == RULE_WARN) {
		buf_printf(remarks, "%s%s", remarks->len ? " " : "",
			   hit->message ? hit->message : hit->rule);
		return;
	}
	revision = revision_new(work->out, hit_state(hit));
	revision->rule = mem_strdup(revision, hit->rule);
	revision->message = mem_strdup(revision, hit->message);
	for (int f = 0; f < FIELDS; f++) {
		if (!is_hit(hit, f) ||
		    value_identical((enum field)f, &work->asked->value[f], &final->value[f]))
			continue;
		if (work->moved[f])
			revision_field(revision, (enum field)f, &work->in->project->value[f],
				       &work->asked->value[f], &final->value[f]);
		if (!hit->field[f])
			continue;
		work->out->rule[f] = mem_strdup(work->out, hit->rule);
		work->out->message[f] = mem_strdup(work->out, hit->message);
	}
	revision->writer = work->in->author;
	if (revision_has_any(revision))
		work->out->pushed_back = true;
	add_revision(work->out, revision);
}

static void apply_rules(struct work *work, TALLOC_CTX *mem)
{
	const struct item_input *in = work->in;
	struct rules_result *result =
		rules_judge(mem, in->rules, in->context, in->project, work->asked);
	struct buf *remarks = buf_new(mem);

	for (size_t i = 0; i < result->hit_count; i++)
		note_hit(work, &result->hits[i], result->values, remarks);
	if (remarks->len)
		work->out->remark = mem_strdup(work->out, remarks->data);
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
	if (input->item || input->booked) {
		work.asked = vector_copy(scratch, input->project);
		if (input->item) {
			work.published = publish_vector(scratch, input->project, input->dates,
							input->parent_uid);
			show_files(&work, work.published, input->want, input->seen);
			work.merge = merge(&work, scratch);
			restore_left_out(&work);
			apply_rights(&work);
		}
		ask_work(&work);
		for (int f = 0; f < FIELDS; f++)
			any = any || work.moved[f];
		if (any)
			apply_rules(&work, scratch);
	}
	out->want = publish_vector(out, out->project, input->dates, input->parent_uid);
	show_files(&work, out->want, input->item ? input->item : input->seen, NULL);
	if (input->item)
		find_not_taken(&work);
	talloc_free(scratch);
	return out;
}
