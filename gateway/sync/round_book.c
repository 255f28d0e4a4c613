/* round_book.c - the work that a person reports by an item, inside the transaction that decides on
 * it: so a booking, its source's key and what the item shows of it are there together or not. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/booking.h"
#include "store/revisions.h"

struct round_booking {
	struct booking_plan *plan;
	struct vector *unmarked; /* the item if nothing is booked */
};

/* The text of a value; NULL: the item says nothing about it. */
static const char *told(const struct vector *values, enum field field)
{
	const char *text = values ? vector_str(values, field) : NULL;

	if (!values || values->value[field].presence == ABSENT)
		return NULL;
	return text ? text : "";
}

/* What a title's suffix is known by: the edition that it was written to; without one the client's
 * own time, so that a copy of it is the same. */
static const char *edition_key(TALLOC_CTX *mem, const struct link *link,
			       const struct decoded *decoded)
{
	if (!decoded->edition && decoded->last_modified_us)
		return mem_printf(mem, "m%lld", (long long)decoded->last_modified_us);
	return mem_printf(mem, "%lld",
			  (long long)(decoded->edition ? decoded->edition : link->edition));
}

static int32_t local_day(int64_t us)
{
	struct when when = when_instant(us, "UTC");

	return when_local_day(&when);
}

static struct fault *known_sources(struct round *round, TALLOC_CTX *mem, int64_t assignment,
				   struct booking_known **known_r, size_t *count_r)
{
	struct project_source *sources = NULL;
	struct booking_known *known;
	size_t count = 0;

	FAULT_TRY(project_sources(round->env->store, mem, assignment, &sources, &count));
	known = MEM_ARRAY(mem, struct booking_known, count);
	for (size_t i = 0; i < count; i++)
		known[i] = (struct booking_known){ sources[i].key, sources[i].minutes };
	*known_r = known;
	*count_r = count;
	return NULL;
}

static const struct vector *with_text(TALLOC_CTX *mem, const struct vector *values,
				      enum field field, const char *text)
{
	struct vector *copy;

	if (!text)
		return values;
	copy = vector_copy(mem, values);
	vector_text(copy, field, text);
	return copy;
}

/* True when the item is what the person's last text was made into, and no older copy. */
static struct fault *is_latest(struct round *round, TALLOC_CTX *mem, const struct link *link,
			       const struct found *found, bool *latest_r)
{
	int64_t edition = 0;

	if (found->decoded->elapsed_s < 0 || found->keeps_seen || found->base)
		return NULL;
	FAULT_TRY(round_edition_of_seen(round, mem, link, &edition));
	*latest_r = found->decoded->edition == edition;
	return NULL;
}

struct fault *round_book_read(struct round *round, TALLOC_CTX *mem, const struct link *link,
			      const struct found *found, const struct assignment_view *view,
			      struct item_input *input, struct round_booking **booking_r)
{
	const struct vector *own = view->stamped->values, *bare;
	const char *base = told(input->seen, FIELD_notes), *notes = vector_str(own, FIELD_notes);
	const char *title = vector_str(own, FIELD_subject);
	int64_t at_us = merge_mailbox_time(&input->times);
	struct booking_input in = {
		.notes = told(input->item, FIELD_notes),
		.base_notes = base    ? base
			      : notes ? notes
				      : "",
		.title = vector_str(input->item, FIELD_subject),
		.base_title = input->seen ? vector_str(input->seen, FIELD_subject) : NULL,
		.own_title = title ? text_one_line(mem, title, SUBJECT_MAX_CHARS) : "",
		.item = mem_printf(mem, "%lld", (long long)link->id),
		.edition = edition_key(mem, link, found->decoded),
		.elapsed_s = found->decoded->elapsed_s,
		.first = !link->seen,
		.day = local_day(at_us ? at_us : view->context.now_us),
	};
	struct booking_known *known = NULL;
	struct round_booking *booking;

	if (!booking_concerns(&in))
		return NULL;
	FAULT_TRY(is_latest(round, mem, link, found, &in.latest));
	FAULT_TRY(known_sources(round, mem, link->assignment_id, &known, &in.known_count));
	in.known = known;
	booking = MEM_NEW(mem, struct round_booking);
	booking->plan = booking_decide(booking, &in);
	bare = with_text(booking, input->item, FIELD_subject, booking->plan->title);
	booking->unmarked = vector_copy(
		booking, with_text(booking, bare, FIELD_notes, booking->plan->unmarked));
	input->item = with_text(booking, bare, FIELD_notes, booking->plan->notes);
	if (input->seen)
		input->seen =
			with_text(booking, input->seen, FIELD_subject, booking->plan->base_title);
	input->booked = booking->plan->minutes;
	*booking_r = booking;
	return NULL;
}

/* The rules left nothing of the work that was reported. */
static bool is_refused(const struct vector *before, const struct item_decision *decision)
{
	return vector_get(before, FIELD_actual_work, 0) ==
	       vector_get(decision->project, FIELD_actual_work, 0);
}

/* Judged, and told in words in what becomes of it. */
static struct item_decision *judge(TALLOC_CTX *mem, const struct item_input *input,
				   const struct booking_plan *plan)
{
	struct item_decision *decision = item_decide(mem, input);

	for (size_t i = 0; plan && i < decision->revision_count; i++) {
		struct revision *revision = decision->revisions[i];

		if (revision->has[FIELD_actual_work])
			revision->message = mem_printf(
				revision, "%s (%s)", revision->message ? revision->message : "work",
				booking_named(revision, plan));
	}
	return decision;
}

struct item_decision *round_book_judge(TALLOC_CTX *mem, struct item_input *input,
				       const struct round_booking *booking)
{
	const struct booking_plan *plan = booking ? booking->plan : NULL;
	struct item_decision *decision = judge(mem, input, plan);

	if (!plan || !plan->count || !is_refused(input->project, decision))
		return decision;
	input->item = booking->unmarked; /* the mark would say that it is booked */
	return judge(mem, input, plan);
}

/* ---- writing ---- */

static struct fault *write_booking(struct round *round, const struct assignment *assignment,
				   const struct booking *booking, bool refused)
{
	struct project_booking row = { .day = booking->day,
				       .minutes = booking->minutes,
				       .text = booking->text,
				       .source_key = booking->key,
				       .author = round->author };

	if (refused)
		return project_unbooked_put(round->env->store, assignment->id, booking->key);
	return project_book(round->env->store, assignment, &row, NULL);
}

/* What a rule made of the sum. */
static struct fault *write_correction(struct round *round, const struct assignment_view *view,
				      const struct item_decision *decision, int64_t minutes)
{
	const char *rule = decision->rule[FIELD_actual_work];
	struct project_booking row = { .day = view->context.today,
				       .minutes = minutes,
				       .text = decision->message[FIELD_actual_work] };
	int64_t seq = 0;

	if (!minutes)
		return NULL;
	FAULT_TRY(store_change_last(round->env->store, &seq));
	row.source_key =
		mem_printf(round->mem, "rule:%s:%lld", rule ? rule : "", (long long)seq + 1);
	row.author = mem_printf(round->mem, "rule:%s", rule ? rule : "");
	return project_book(round->env->store, view->assignment, &row, NULL);
}

static struct fault *propose(struct round *round, const struct assignment_view *view,
			     const struct booking_plan *plan, enum booking_why why, int64_t sum)
{
	struct value ours = { .presence = SET, .number = sum }, theirs = ours;
	struct revision *revision = revision_new(round->mem, REVISION_PROPOSED);
	bool any = false;

	for (size_t i = 0; i < plan->ask_count; i++) {
		if (plan->asks[i].why != why)
			continue;
		theirs.number += plan->asks[i].minutes;
		any = true;
		if (plan->asks[i].key)
			FAULT_TRY(project_unbooked_put(round->env->store, view->assignment->id,
						       plan->asks[i].key));
	}
	if (!any)
		return NULL;
	revision->message = booking_words(revision, plan, why);
	revision_field(revision, FIELD_actual_work, &ours, &theirs, &ours);
	revision->assignment_id = view->assignment->id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = revision->writer = round->author;
	round->report->proposed++;
	return revisions_add(round->env->store, revision);
}

static struct fault *write_plan(struct round *round, const struct assignment_view *view,
				const struct item_decision *decision,
				const struct booking_plan *plan)
{
	bool refused = is_refused(view->stamped->values, decision);
	int64_t before = vector_get(view->stamped->values, FIELD_actual_work, 0);
	int64_t sum = vector_get(decision->project, FIELD_actual_work, 0);

	for (int why = 0; why < BOOKING_WHYS; why++)
		FAULT_TRY(propose(round, view, plan, (enum booking_why)why, sum));
	for (size_t i = 0; i < plan->count; i++)
		FAULT_TRY(write_booking(round, view->assignment, &plan->bookings[i], refused));
	if (!plan->count || refused)
		return NULL;
	return write_correction(round, view, decision, sum - before - plan->minutes);
}

struct fault *round_book_write(struct round *round, const struct assignment_view *view,
			       const struct item_decision *decision,
			       const struct round_booking *booking)
{
	if (!booking)
		return NULL;
	return write_plan(round, view, decision, booking->plan);
}

bool round_book_tells(const struct round_booking *booking)
{
	return booking && booking->plan->count;
}

/* ---- a task of its own ---- */

/* The assignment that the item stands below; NULL: none of this person's in this project. */
static struct fault *above(struct round *round, TALLOC_CTX *mem, const struct found *found,
			   struct assignment **assignment_r)
{
	const char *parent = vector_str(found->decoded->values, FIELD_parent);
	struct assignment *assignment = NULL;

	if (!parent || !found->decoded->uid || !vector_str(found->decoded->values, FIELD_subject))
		return NULL;
	FAULT_TRY(project_assignment_by_uid(round->env->store, mem, parent, &assignment));
	if (assignment && assignment->project_id == round->project->id &&
	    assignment->resource_id == round->resource->id &&
	    assignment->state != ASSIGNMENT_WITHDRAWN)
		*assignment_r = assignment;
	return NULL;
}

/* The day that the work was done: of completion, else the date that the task is due. */
static int32_t child_day(const struct found *found, int64_t now_us)
{
	const struct vector *values = found->decoded->values;

	if (vector_is_set(values, FIELD_completed_at))
		return when_local_day(&values->value[FIELD_completed_at].when);
	if (vector_is_set(values, FIELD_due))
		return when_local_day(&values->value[FIELD_due].when);
	return local_day(found->item->modified_us ? found->item->modified_us : now_us);
}

static struct fault *keep_child(struct round *round, const struct found *found)
{
	struct stray stray = { .folder_id = round->folder->id,
			       .address = found->address,
			       .state = "booked",
			       .summary = vector_str(found->decoded->values, FIELD_subject) };

	FAULT_TRY(link_pending_drop(round->env->store, round->folder->id, found->address));
	return link_stray_put(round->env->store, &stray, found->item->version, found->item->text,
			      clock_now_us(round->env->clock));
}

static struct fault *write_child(struct round *round, TALLOC_CTX *mem, int64_t assignment,
				 const struct booking_plan *plan)
{
	struct assignment_view view;
	struct item_decision *decision;
	struct link *link = NULL;
	struct item_input input = { .rules = round->env->rules,
				    .dates = round->env->conf->site.dates,
				    .assignee = round->env->conf->rights.assignee,
				    .booked = plan->minutes };

	FAULT_TRY(round_view(round, mem, assignment, &view));
	input.project = view.stamped->values;
	input.parent_uid = view.parent_uid;
	input.project_by = view.stamped->author;
	input.author = round->author;
	input.context = &view.context;
	decision = judge(mem, &input, plan);
	FAULT_TRY(round_add_revisions(round, assignment, decision));
	FAULT_TRY(write_plan(round, &view, decision, plan));
	round->report->changed += decision->changed[FIELD_actual_work];
	FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id, assignment, false,
				     &link));
	if (!link || !decision->remark)
		return NULL;
	link->correction = decision->remark;
	return link_set(round->env->store, link);
}

struct fault *round_book_child(struct round *round, TALLOC_CTX *mem, const struct found *found,
			       bool *booked_r)
{
	int64_t now_us = clock_now_us(round->env->clock);
	struct assignment *assignment = NULL;
	struct booking_plan *plan = NULL;
	struct booking_known *known = NULL;
	struct booking_child child = { .uid = found->decoded->uid,
				       .title = vector_str(found->decoded->values, FIELD_subject),
				       .day = child_day(found, now_us),
				       .today = local_day(now_us) };
	size_t count = 0;

	FAULT_TRY(above(round, mem, found, &assignment));
	if (!assignment)
		return NULL;
	FAULT_TRY(known_sources(round, mem, assignment->id, &known, &count));
	if (!booking_child(mem, &child, known, count, &plan))
		return NULL;
	*booked_r = true;
	FAULT_TRY(write_child(round, mem, assignment->id, plan));
	return keep_child(round, found);
}
