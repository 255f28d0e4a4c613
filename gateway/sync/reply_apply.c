/* reply_apply.c - what a reply changes, inside the transaction that notes that it was read. */
#include "config.h"

#include "gateway/sync/replies_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "decide/booking_line.h"
#include "decide/item.h"
#include "decide/publish.h"
#include "gateway/sync/context.h"
#include "gateway/sync/edit.h"
#include "store/revisions.h"

#define DAY_US (24 * 3600 * CLOCK_SECOND_US)
#define CAUSE "by a reply"

struct booking {
	struct booking_line line;
	char *key, *text;
};

struct work {
	TALLOC_CTX *mem;
	struct reply_mail *mail;
	const struct round_env *env;
	struct project *project;
	struct stamped *stamped;
	struct rules_context context;
	const char *author;
	char *note; /* without what is work */
	struct booking *bookings;
	size_t booking_count;
	int64_t minutes;
	struct vector *base, *item;
};

/* ---- what was said ---- */

/* A line that was meant as work and is none: "Work: 99h", "+30h review". */
static bool is_meant_as_work(const char *line)
{
	return text_glob("work:*", line) || (*line == '+' && strspn(line + 1, "0123456789.,") > 0 &&
					     line[1 + strspn(line + 1, "0123456789.,")] == 'h');
}

static void keep_line(struct work *work, struct buf *note, const char *line, size_t len)
{
	const char *text = text_one_line(work->mem, mem_strndup(work->mem, line, len), 100);

	if (is_meant_as_work(text))
		buf_printf(
			work->mail->complaints,
			"%s: that is no amount of work, such as +1h 30m; a line holds one minute "
			"to 24 hours\n",
			text);
	buf_add(note, line, len);
	buf_putc(note, '\n');
}

/* Lines that are work leave the note, so that they are booked by this mail alone and not once more from the
 * notes. */
static void split_work(struct work *work)
{
	struct buf *note = buf_new(work->mem);
	const char *at = work->mail->said->note;

	while (*at) {
		size_t len = strcspn(at, "\n");
		struct booking_line line;

		if (booking_line_read(at, len, &line) && !line.marked) {
			struct booking *booking;

			work->bookings = MEM_GROW(work->mem, work->bookings, struct booking,
						  work->booking_count + 1);
			booking = &work->bookings[work->booking_count++];
			booking->line = line;
			booking->key = mem_printf(work->mem, "reply:%s#%zu", work->mail->key,
						  work->booking_count);
			booking->text = mem_strndup(work->mem, line.text, line.text_len);
			work->minutes += line.minutes;
		} else {
			keep_line(work, note, at, len);
		}
		at += len + (at[len] == '\n');
	}
	work->note = text_trim(work->mem, note->data);
}

/* ---- what it was said about ---- */

/* The number of the edition whose Message-ID is REF ("UID.EDITION@host"); 0: it is none of this one's. */
static int64_t edition_of(const struct work *work, const char *ref)
{
	const char *uid = work->mail->assignment->uid, *at = strchr(ref, '@');
	size_t len = strlen(uid);
	int64_t edition = 0;

	if (!at || strncmp(ref, uid, len) != 0 || ref[len] != '.' ||
	    !text_to_int(mem_strndup(work->mem, ref + len + 1, (size_t)(at - ref) - len - 1),
			 &edition))
		return 0;
	return edition > 0 ? edition : 0;
}

static int64_t answered_edition(const struct work *work)
{
	const struct message_words *refs = &work->mail->mail->refs;
	int64_t edition = 0;

	for (size_t i = 0; i < refs->count && !edition; i++)
		edition = edition_of(work, refs->list[i]);
	return edition;
}

static struct fault *link_on(struct work *work, const struct conf_server *server,
			     struct link **link_r)
{
	const struct assignment *assignment = work->mail->assignment;
	struct store *store = work->env->store;
	struct account *account = NULL;
	struct folder *folder = NULL;

	FAULT_TRY(link_account(store, work->mem, server->name, assignment->resource_id, false,
			       &account));
	if (account)
		FAULT_TRY(link_folder(store, work->mem, account->id, assignment->project_id, false,
				      &folder));
	return folder ? link_of_assignment(store, work->mem, folder->id, assignment->id, false,
					   link_r)
		      : NULL;
}

/* What the message showed that was answered; NULL: that is not known any more. */
static struct fault *find_shown(struct work *work, struct vector **shown_r)
{
	int64_t edition = answered_edition(work);

	for (size_t s = 0; edition && s < work->env->conf->server_count && !*shown_r; s++) {
		struct agreed *steps = NULL;
		struct link *link = NULL;
		size_t count = 0;

		FAULT_TRY(link_on(work, &work->env->conf->servers[s], &link));
		if (link)
			FAULT_TRY(link_history(work->env->store, work->mem, link->id, &steps,
					       &count));
		for (size_t i = 0; i < count; i++)
			if (steps[i].edition == edition && steps[i].pushed)
				*shown_r = steps[i].values;
	}
	return NULL;
}

/* Base and item: the item is what was shown, with what the person says. A note is added to the notes as
 * they are. */
static struct fault *make_item(struct work *work)
{
	const struct vector *said = work->mail->said->values;
	struct vector *now =
		publish_vector(work->mem, work->stamped->values, work->env->conf->site.dates, NULL);
	const char *notes = vector_str(now, FIELD_notes);
	struct vector *shown = NULL;

	FAULT_TRY(find_shown(work, &shown));
	work->base = shown ? vector_copy(work->mem, shown) : now;
	vector_put(work->base, FIELD_notes, &now->value[FIELD_notes]);
	work->base->value[FIELD_attachments].presence = ABSENT;
	work->item = vector_copy(work->mem, work->base);
	for (int f = 0; f < FIELDS; f++)
		if (said->value[f].presence != ABSENT)
			vector_put(work->item, (enum field)f, &said->value[f]);
	if (*work->note)
		vector_text(work->item, FIELD_notes,
			    mem_printf(work->mem, "%s%s%s", notes ? notes : "",
				       notes && *notes ? "\n\n" : "", work->note));
	return NULL;
}

/* ---- as the person's own ---- */

static struct item_decision *decide(struct work *work)
{
	struct item_input input = {
		.project = work->stamped->values,
		.project_at_us = work->stamped->at_us,
		.project_by = work->stamped->author,
		.author = work->author,
		.own_percent = vector_get(work->base, FIELD_percent, 0),
		.want = work->base,
		.seen = work->base,
		.item = work->item,
		.times = { .changed_us = work->mail->at_us, .server_us = work->mail->came_us },
		.dates = work->env->conf->site.dates,
		.assignee = work->env->conf->rights.assignee,
		.booked = work->minutes,
		.rules = work->env->rules,
		.context = &work->context,
	};

	return item_decide(work->mem, &input);
}

static struct fault *write_values(struct work *work, const struct item_decision *decision)
{
	const struct assignment *assignment = work->mail->assignment;

	for (int f = 0; f < FIELDS; f++) {
		struct project_step step = { .project_id = assignment->project_id,
					     .task_id = assignment->task_id,
					     .assignment_id = assignment->id,
					     .field = (enum field)f,
					     .old = &work->stamped->values->value[f],
					     .new = &decision->project->value[f],
					     .at_us = work->mail->at_us,
					     .author = work->author,
					     .cause = CAUSE };

		if (!decision->changed[f] || field_table[f].owner == OWNER_DERIVED)
			continue;
		if (decision->rule[f]) {
			step.author = mem_printf(work->mem, "rule:%s", decision->rule[f]);
			step.cause = decision->message[f];
		}
		FAULT_TRY(project_change(work->env->store, &step, NULL));
	}
	return NULL;
}

static bool is_work_refused(const struct work *work, const struct item_decision *decision)
{
	return vector_get(work->stamped->values, FIELD_actual_work, 0) ==
	       vector_get(decision->project, FIELD_actual_work, 0);
}

/* What a rule made of the sum. */
static struct fault *correct_work(struct work *work, const struct item_decision *decision,
				  int64_t minutes)
{
	const char *rule = decision->rule[FIELD_actual_work];
	struct project_booking row = { .day = work->context.today,
				       .minutes = minutes,
				       .text = decision->message[FIELD_actual_work] };

	if (!minutes)
		return NULL;
	row.source_key = mem_printf(work->mem, "reply:%s:rule", work->mail->key);
	row.author = mem_printf(work->mem, "rule:%s", rule ? rule : "");
	return project_book(work->env->store, work->mail->assignment, &row, NULL);
}

static struct fault *write_work(struct work *work, const struct item_decision *decision)
{
	int64_t before = vector_get(work->stamped->values, FIELD_actual_work, 0);
	int64_t sum = vector_get(decision->project, FIELD_actual_work, 0);
	bool refused = is_work_refused(work, decision);

	for (size_t i = 0; i < work->booking_count; i++) {
		const struct booking *booking = &work->bookings[i];
		struct project_booking row = { .day = booking->line.has_day ? booking->line.day
									    : work->context.today,
					       .minutes = booking->line.minutes,
					       .text = booking->text,
					       .source_key = booking->key,
					       .author = work->author };

		if (refused)
			FAULT_TRY(project_unbooked_put(work->env->store, work->mail->assignment->id,
						       booking->key));
		else
			FAULT_TRY(
				project_book(work->env->store, work->mail->assignment, &row, NULL));
	}
	return refused ? NULL : correct_work(work, decision, sum - before - work->minutes);
}

static void complain(struct reply_mail *mail, const struct revision *revision)
{
	static const char *const words[REVISION_STATES] = {
		[REVISION_CORRECTED] = "It was corrected",
		[REVISION_REJECTED] = "It was not accepted",
		[REVISION_PROPOSED] = "It is up to the project manager now",
		[REVISION_LOSING] = "A newer value stands",
	};

	buf_printf(mail->complaints, "%s",
		   words[revision->state] ? words[revision->state] : "It was not taken");
	for (int f = 0, n = 0; f < FIELDS; f++)
		if (revision->has[f])
			buf_printf(mail->complaints, "%s%s", n++ ? ", " : ": ",
				   field_table[f].card ? field_table[f].card : field_table[f].name);
	if (revision->message)
		buf_printf(mail->complaints, ". %s", revision->message);
	buf_putc(mail->complaints, '\n');
}

static struct fault *write_revisions(struct work *work, const struct item_decision *decision)
{
	struct round_report *report = work->mail->replies->report;

	for (size_t i = 0; i < decision->revision_count; i++) {
		struct revision *revision = decision->revisions[i];

		revision->assignment_id = work->mail->assignment->id;
		revision->at_us = work->mail->at_us;
		revision->author = work->author;
		FAULT_TRY(revisions_add(work->env->store, revision));
		report->losing += revision->state == REVISION_LOSING;
		report->corrected += revision->state == REVISION_CORRECTED;
		report->rejected += revision->state == REVISION_REJECTED;
		report->proposed += revision->state == REVISION_PROPOSED;
		complain(work->mail, revision);
	}
	return NULL;
}

/* A person who reports on a task that they had declined does it after all. */
static struct fault *take_on(struct work *work, const struct item_decision *decision)
{
	struct assignment *assignment = work->mail->assignment;

	if (assignment->state != ASSIGNMENT_DECLINED || !decision->changed[FIELD_status] ||
	    vector_get(decision->project, FIELD_status, STATUS_CANCELLED) == STATUS_CANCELLED)
		return NULL;
	return project_assignment_set_state(work->env->store, assignment, ASSIGNMENT_ACTIVE,
					    work->author, CAUSE);
}

static struct fault *apply(struct work *work)
{
	struct edit_env env = { .conf = work->env->conf,
				.store = work->env->store,
				.clock = work->env->clock,
				.points = work->env->points,
				.rules = work->env->rules,
				.author = work->author };
	struct item_decision *decision;
	bool any = false;

	FAULT_TRY(make_item(work));
	decision = decide(work);
	for (int f = 0; f < FIELDS; f++)
		any = any || decision->changed[f];
	FAULT_TRY(write_values(work, decision));
	FAULT_TRY(write_work(work, decision));
	FAULT_TRY(write_revisions(work, decision));
	FAULT_TRY(take_on(work, decision));
	FAULT_TRY(edit_carry(work->mem, &env, work->project->id));
	work->mail->replies->changed = true;
	work->mail->replies->report->changed += any;
	work->mail->outcome = any || !decision->revision_count ? REPLY_APPLIED : REPLY_REFUSED;
	return NULL;
}

/* ---- as a proposal ---- */

static void propose_field(struct work *work, struct revision *revision, enum field field,
			  const struct value *theirs)
{
	const struct value *ours = &work->base->value[field];

	if (field_table[field].type == FIELD_FILES || value_same(field, ours, theirs))
		return;
	revision_field(revision, field, ours, theirs, ours);
}

static struct fault *propose(struct work *work, const char *why)
{
	struct revision *revision = revision_new(work->mem, REVISION_PROPOSED);
	int64_t sum = vector_get(work->stamped->values, FIELD_actual_work, 0), count = 0;
	struct value ours = { .presence = SET, .number = sum }, theirs = ours;

	FAULT_TRY(replies_count(work->env->store, work->mail->assignment->id, REPLY_PROPOSED,
				work->mail->at_us - DAY_US, &count));
	if (count >= REPLIES_PROPOSALS_MAX) {
		work->mail->outcome = REPLY_TOO_MANY;
		work->mail->why = why;
		return NULL;
	}
	FAULT_TRY(make_item(work));
	for (int f = 0; f < FIELDS; f++)
		if (f != FIELD_actual_work)
			propose_field(work, revision, (enum field)f, &work->item->value[f]);
	theirs.number += work->minutes;
	if (work->minutes)
		revision_field(revision, FIELD_actual_work, &ours, &theirs, &ours);
	revision->message = mem_printf(revision, "reported by a reply: %s", why);
	revision->assignment_id = work->mail->assignment->id;
	revision->at_us = work->mail->at_us;
	revision->author = revision->writer = work->author;
	work->mail->outcome = REPLY_PROPOSED;
	work->mail->why = why;
	if (!revision_has_any(revision))
		return NULL;
	work->mail->replies->report->proposed++;
	return revisions_add(work->env->store, revision);
}

/* ---- either ---- */

static struct fault *prepare(struct work *work)
{
	const struct assignment *assignment = work->mail->assignment;
	struct store *store = work->env->store;
	struct task *task = NULL;

	FAULT_TRY(project_by_id(store, work->mem, assignment->project_id, &work->project));
	FAULT_TRY(project_task(store, work->mem, assignment->task_id, &task));
	FAULT_TRY(project_values(store, work->mem, assignment, &work->stamped));
	if (!work->project || !task)
		return fault_new(work->mem, FAULT_INTERNAL,
				 "assignment %lld lacks its project or task",
				 (long long)assignment->id);
	work->context = context_make(work->mem,
				     &(struct context_of){ .conf = work->env->conf,
							   .store = store,
							   .clock = work->env->clock,
							   .project = work->project,
							   .resource = work->mail->resource,
							   .task = task,
							   .values = work->stamped->values },
				     "mailbox", work->mail->resource->key);
	split_work(work);
	return NULL;
}

struct fault *reply_apply(TALLOC_CTX *mem, struct reply_mail *mail, const char *doubt)
{
	struct work work = { .mem = mem, .mail = mail, .env = mail->replies->env };

	if (mail->assignment->state == ASSIGNMENT_WITHDRAWN) {
		mail->outcome = REPLY_EXPIRED;
		mail->why = "the task is not that person's any more";
		return NULL;
	}
	FAULT_TRY(prepare(&work));
	if (work.project->state == PROJECT_ARCHIVED) { /* its items are not carried any more either */
		mail->outcome = REPLY_EXPIRED;
		mail->why = mem_printf(mem,
				       "the project \"%s\" is archived, so nothing in it changes any "
				       "more: ask the project manager to open it again",
				       work.project->name);
		return NULL;
	}
	for (size_t i = 0; i < mail->said->problem_count; i++)
		buf_printf(mail->complaints, "%s\n", mail->said->problems[i]);
	work.author = doubt ? mem_printf(mem, "reply:%s",
					 mail->mail->from.count
						 ? text_one_line(mem, mail->mail->from.list[0], 254)
						 : "")
			    : mem_printf(mem, "mailbox:%s/%s", work.env->conf->replies.server,
					 mail->resource->key);
	return doubt ? propose(&work, doubt) : apply(&work);
}
