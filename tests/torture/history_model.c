#include "config.h"

#include "history_model_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "history_work.h"
#include "store/revisions.h"

static const enum part part_of[SAIDS] = {
	[SAID_STATUS] = PART_REPORT,     [SAID_PERCENT] = PART_REPORT,
	[SAID_COMPLETED] = PART_REPORT,  [SAID_DUE] = PART_DUE,
	[SAID_PRIORITY] = PART_PRIORITY, [SAID_NOTES] = PART_NOTES,
	[SAID_TITLE] = PART_TITLE,
};

static const enum said said_of[PARTS] = { SAID_PERCENT, SAID_NOTES, SAID_DUE, SAID_PRIORITY,
					  SAID_TITLE };

/* ---- rows ---- */

struct history_model *history_model_new(TALLOC_CTX *mem, struct world *world)
{
	struct history_model *model = MEM_NEW(mem, struct history_model);

	model->mem = model;
	model->world = world;
	return model;
}

size_t history_model_count(const struct history_model *model)
{
	return model->count;
}

void history_model_row(const struct history_model *model, size_t i, const char **who_r,
		       const char **title_r)
{
	*who_r = model->rows[i].who;
	*title_r = model->rows[i].title;
}

static struct row *find_row(struct history_model *model, const char *who, const char *title)
{
	for (size_t i = 0; i < model->count; i++)
		if (!strcmp(model->rows[i].who, who) && !strcmp(model->rows[i].title, title))
			return &model->rows[i];
	model->rows = MEM_GROW(model, model->rows, struct row, model->count + 1);
	model->rows[model->count] =
		(struct row){ .who = mem_strdup(model, who), .title = mem_strdup(model, title) };
	for (int i = 0; i < SAIDS; i++)
		model->rows[model->count].written[i] = buf_new(model);
	return &model->rows[model->count++];
}

static void remember(struct row *row, enum said what, const char *text)
{
	buf_printf(row->written[what], "\n%s\n", text);
}

static bool was_written(const struct history_model *model, const struct row *row, enum said what,
			const char *text)
{
	char *word = mem_printf(model->mem, "\n%s\n", text);

	/* a task's value is everybody's who shares it */
	for (size_t i = 0; i < model->count; i++)
		if (!strcmp(model->rows[i].title, row->title) &&
		    model->rows[i].written[what]->len &&
		    strstr(model->rows[i].written[what]->data, word))
			return true;
	return false;
}

static int64_t now_us(struct history_model *model)
{
	return clock_now_us(model->world->clock);
}

/* ---- forecasts ---- */

static void forecast_nothing(struct row *row)
{
	for (int i = 0; i < PARTS; i++)
		row->forecast[i].known = false;
}

/* There and back again while nobody looked: who compares with what was agreed on sees no edit. */
static bool is_back(const struct row *row, enum part part, bool done, const char *text)
{
	const char *agreed = row->agreed[part].text;

	return row->agreed[part].known && !row->forecast[part].settled &&
	       row->agreed[part].done == done && (!text || done || !strcmp(agreed, text));
}

/* A write of the clock's past is not foretold, nor one of the same moment by a weaker hand. */
static void foretell(struct history_model *model, struct row *row, enum part part, enum hand by,
		     bool done, const char *text)
{
	struct forecast *old = &row->forecast[part];
	bool theirs = old->theirs && !old->settled;
	bool tie = by == MANAGER && theirs && row->person_us == now_us(model);

	*old = (struct forecast){ .known = !tie && !is_back(row, part, done, text) &&
					   !row->adopting && now_us(model) >= model->latest_us,
				  .theirs = theirs || by == PERSON,
				  .by = by,
				  .at_us = now_us(model),
				  .done = done,
				  .text = mem_strdup(model, text) };
	if (now_us(model) > model->latest_us)
		model->latest_us = now_us(model);
}

/* A server knows one time for an item: a later edit of one part makes the others later too. */
static void doubt_others(struct row *row, const bool touched[PARTS])
{
	for (int i = 0; i < PARTS; i++)
		if (!touched[i] && row->forecast[i].by == MANAGER && !row->forecast[i].settled)
			row->forecast[i].known = false;
}

/* ---- the database ---- */

struct facts {
	struct assignment *assignment;
	struct vector *values;
	struct change *changes;
	size_t change_count;
	struct revision *revisions;
	size_t revision_count;
};

static bool get_facts(struct history_model *model, TALLOC_CTX *mem, const struct row *row,
		      struct facts *facts)
{
	struct store *store = model->world->store;
	struct assignment *list = NULL;
	struct project *project = NULL;
	struct resource *resource = NULL;
	struct stamped *stamped = NULL;
	size_t count = 0;

	*facts = (struct facts){ .assignment = NULL };
	WORLD_OK(project_by_source(store, mem, "guid-1", &project));
	WORLD_OK(project_resource_by_key(store, mem, mem_printf(mem, "%s@example.com", row->who),
					 &resource));
	if (!project || !resource)
		return false;
	WORLD_OK(project_assignments(store, mem, project->id, resource->id, &list, &count));
	for (size_t i = 0; i < count && !facts->assignment; i++) {
		WORLD_OK(project_values(store, mem, &list[i], &stamped));
		if (text_same(vector_str(stamped->values, FIELD_subject), row->title))
			facts->assignment = &list[i];
	}
	if (!facts->assignment)
		return false;
	facts->values = stamped->values;
	WORLD_OK(project_history(store, mem, facts->assignment, &facts->changes,
				 &facts->change_count));
	WORLD_OK(revisions_list(store, mem, REVISION_STATES, &facts->revisions,
				&facts->revision_count));
	return true;
}

bool history_model_state(struct history_model *model, const char *who, const char *title,
			 enum assignment_state *state_r)
{
	struct facts facts;

	if (!get_facts(model, model, find_row(model, who, title), &facts))
		return false;
	*state_r = facts.assignment->state;
	return true;
}

bool history_model_is_renamed(const struct history_model *model)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->rows[i].touched[PART_TITLE] || model->rows[i].copied)
			return true;
	return false;
}

bool history_model_is_adopting(struct history_model *model, const char *who, const char *title)
{
	return find_row(model, who, title)->adopting;
}

static enum field field_for(enum said what)
{
	return field_find(history_item_name(what));
}

static char *project_says(const struct facts *facts, TALLOC_CTX *mem, enum said what)
{
	enum field field = field_for(what);

	return history_item_normal(mem, what, value_text(mem, field, &facts->values->value[field]));
}

static bool is_done(const struct facts *facts, TALLOC_CTX *mem)
{
	return !strcmp(project_says(facts, mem, SAID_STATUS), "completed");
}

/* ---- claims ---- */

static bool is_met_by_values(const struct claim *claim, TALLOC_CTX *mem, const struct facts *facts)
{
	if (claim->kind == CLAIM_VALUE)
		return !strcmp(project_says(facts, mem, claim->what), claim->text);
	return is_done(facts, mem) == (claim->kind == CLAIM_DONE);
}

static bool is_met_by_change(const struct claim *claim, TALLOC_CTX *mem,
			     const struct change *change)
{
	char *text = history_item_normal(mem, claim->what, change->new_text);
	bool status = change->field == FIELD_status, percent = change->field == FIELD_percent;

	if (change->seq <= claim->change)
		return false;
	if (claim->kind == CLAIM_VALUE)
		return change->field == field_for(claim->what) && !strcmp(text, claim->text);
	text = history_item_normal(mem, status ? SAID_STATUS : SAID_PERCENT, change->new_text);
	if (claim->kind == CLAIM_DONE)
		return (status && !strcmp(text, "completed")) || (percent && !strcmp(text, "100"));
	return (status && strcmp(text, "completed")) || (percent && strcmp(text, "100"));
}

static bool is_met_by_revision(const struct claim *claim, TALLOC_CTX *mem,
			       const struct revision *revision, int64_t assignment)
{
	enum field field = field_for(claim->what);
	const struct revision_field *of = revision->field;
	char *text;

	if (revision->assignment_id != assignment ||
	    (revision->id <= claim->revision && !claim->proposal))
		return false;
	if (claim->kind == CLAIM_VALUE) {
		text = value_text(mem, field, &of[field].theirs);
		return revision->has[field] &&
		       !strcmp(history_item_normal(mem, claim->what, text), claim->text);
	}
	if (claim->kind == CLAIM_DONE)
		return (revision->has[FIELD_status] && of[FIELD_status].theirs.presence == SET &&
			of[FIELD_status].theirs.number == STATUS_COMPLETED) ||
		       (revision->has[FIELD_percent] && of[FIELD_percent].theirs.number == 100) ||
		       (revision->has[FIELD_completed_at] &&
			of[FIELD_completed_at].theirs.presence == SET);
	return revision->has[FIELD_status] || revision->has[FIELD_percent] ||
	       revision->has[FIELD_completed_at];
}

static bool is_met(const struct claim *claim, TALLOC_CTX *mem, const struct facts *facts)
{
	for (size_t i = 0; i < facts->change_count; i++)
		if (is_met_by_change(claim, mem, &facts->changes[i]))
			return true;
	for (size_t i = 0; i < facts->revision_count; i++)
		if (is_met_by_revision(claim, mem, &facts->revisions[i], facts->assignment->id))
			return true;
	return false;
}

/* Written over by the same person: only the last counts. */
static void drop_claims(struct row *row, enum part part)
{
	for (struct claim **at = &row->claims; *at;) {
		if (part_of[(*at)->what] == part)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

static void claim(struct history_model *model, struct row *row, enum claim_kind kind,
		  enum said what, const char *text)
{
	enum part part = part_of[what];
	TALLOC_CTX *mem = MEM_CONTEXT(model);
	struct claim *claim = MEM_NEW(model, struct claim);
	struct facts facts;

	*claim = (struct claim){ .kind = kind, .what = what, .text = mem_strdup(model, text) };
	claim->proposal = part == PART_DUE || part == PART_PRIORITY || part == PART_TITLE;
	claim->when = clock_rfc3339(model, now_us(model));
	if ((row->forecast[part].theirs || row->forecast[part].by == PERSON) &&
	    is_back(row, part, kind == CLAIM_DONE, kind == CLAIM_VALUE ? text : NULL))
		return;
	WORLD_OK(store_change_last(model->world->store, &claim->change));
	if (get_facts(model, mem, row, &facts) && !is_met_by_values(claim, mem, &facts)) {
		if (facts.revision_count)
			claim->revision = facts.revisions[facts.revision_count - 1].id;
		claim->next = row->claims;
		row->claims = claim;
	}
	talloc_free(mem);
}

/* ---- what a person wrote ---- */

/* A number that a client invents when it flips the status (facts of the field: 0, 1, 50, 99). */
static bool is_invented(const char *percent, bool status)
{
	if (!status)
		return !strcmp(percent, "1"); /* hardly anybody's measurement */
	return !strcmp(percent, "0") || !strcmp(percent, "1") || !strcmp(percent, "50") ||
	       !strcmp(percent, "99");
}

static void wrote_report(struct history_model *model, struct row *row, char *const before[SAIDS],
			 char *const after[SAIDS])
{
	bool status = strcmp(before[SAID_STATUS], after[SAID_STATUS]) != 0;
	bool percent = strcmp(before[SAID_PERCENT], after[SAID_PERCENT]) != 0;
	/* what changed counts, a status before a number before a date */
	bool done = status    ? !strcmp(after[SAID_STATUS], "completed")
		    : percent ? atoi(after[SAID_PERCENT]) >= 100
			      : *after[SAID_COMPLETED] != '\0';
	/* half of a report upon one that nobody has read: which counts is not foretold, nor what a
	 * date is that stands beside "not done" */
	bool unread = row->forecast[PART_REPORT].theirs && !row->forecast[PART_REPORT].settled;
	bool half = unread && (!(status && percent) || (!done && *after[SAID_COMPLETED]));
	bool measured = percent && !is_invented(after[SAID_PERCENT], status) && !done;

	drop_claims(row, PART_REPORT);
	/* never to be seen in the project, unless it could not be told from a measurement */
	if (unread || row->adopting || !status ||
	    !(!strcmp(after[SAID_PERCENT], "1") ||
	      (!strcmp(after[SAID_PERCENT], "99") && !strcmp(before[SAID_STATUS], "completed"))))
		remember(row, SAID_PERCENT, after[SAID_PERCENT]);
	else
		row->invented = mem_strdup(model, after[SAID_PERCENT]);
	if (percent && atoi(after[SAID_PERCENT]) > 100)
		claim(model, row, CLAIM_VALUE, SAID_PERCENT, after[SAID_PERCENT]);
	else if (measured)
		claim(model, row, CLAIM_VALUE, SAID_PERCENT, after[SAID_PERCENT]);
	else if (status || percent ||
		 !row->adopting) /* a date alone says little at first contact */
		claim(model, row, done ? CLAIM_DONE : CLAIM_OPEN, SAID_STATUS, NULL);
	foretell(model, row, PART_REPORT, PERSON, done, measured ? after[SAID_PERCENT] : NULL);
	if (half)
		row->forecast[PART_REPORT].known = false;
}

static bool moved(const enum part part, char *const before[SAIDS], char *const after[SAIDS])
{
	for (int i = 0; i < SAIDS; i++)
		if (part_of[i] == part && strcmp(before[i], after[i]) != 0)
			return true;
	return false;
}

static void wrote_part(struct history_model *model, struct row *row, enum part part,
		       char *const before[SAIDS], char *const after[SAIDS], bool stale)
{
	enum said what = said_of[part];

	if (part == PART_REPORT) {
		wrote_report(model, row, before, after);
	} else {
		drop_claims(row, part);
		remember(row, what, after[what]);
		if (!row->adopting || part == PART_NOTES)
			claim(model, row, CLAIM_VALUE, what, after[what]);
		/* the plan is the manager's: what the person wrote is a proposal */
		if (part == PART_NOTES)
			foretell(model, row, part, PERSON, false, after[what]);
	}
	if (stale)
		row->forecast[part].known = false;
}

static void normals(TALLOC_CTX *mem, const struct history_item *item, char *out[SAIDS])
{
	for (int i = 0; i < SAIDS; i++)
		out[i] = history_item_normal(mem, (enum said)i, item->said[i]);
}

static void wrote(struct history_model *model, struct row *row, struct history_item *before,
		  struct history_item *after, bool stale)
{
	bool touched[PARTS];
	char *was[SAIDS], *is[SAIDS];

	normals(model, before, was);
	normals(model, after, is);
	for (int p = 0; p < PARTS; p++)
		touched[p] = moved((enum part)p, was, is);
	if (stale) { /* over all that was there, which nobody may have read */
		row->claims = NULL;
		/* what was not pushed changed no edition: that the copy is old cannot be seen */
		for (int p = 0; p < PARTS; p++)
			if (row->forecast[p].theirs || row->forecast[p].by == PERSON)
				row->forecast[p].known = false;
	}
	row->person_us = now_us(model);
	doubt_others(row, touched);
	for (int p = 0; p < PARTS; p++) {
		row->touched[p] = row->touched[p] || touched[p];
		if (touched[p])
			wrote_part(model, row, (enum part)p, was, is, stale);
	}
}

/* An item without our edition in which several things changed may be an old copy (M4). */
static void doubt_rebuilt(struct row *row, const struct client_item *item)
{
	int parts = 0;

	for (int p = 0; p < PARTS; p++)
		parts += row->touched[p];
	if (parts > 1 && !strstr(item->text, "\nX-TASKFERRY-EDITION:"))
		forecast_nothing(row);
}

void history_model_wrote(struct history_model *model, const char *who, const char *title,
			 const struct client_item *before, const struct client_item *after,
			 bool stale)
{
	struct row *row = find_row(model, who, title);
	bool card = before->card && after->card && strcmp(before->card, after->card) != 0;

	if (card)
		wrote(model, row, history_item_read_card(model, before->card),
		      history_item_read_card(model, after->card), stale);
	else
		wrote(model, row, history_item_read(model, before->text),
		      history_item_read(model, after->text), stale);
	doubt_rebuilt(row, after);
	if (row->copied) /* which of them counts is not foretold */
		row->claims = NULL;
	/* both halves edited: the card counts, whichever was the later one */
	if (row->half && row->half != (card ? HALF_CARD : HALF_TODO))
		history_model_doubt(model, who, title);
	row->half = card ? HALF_CARD : HALF_TODO;
}

void history_model_removed(struct history_model *model, const char *who, const char *title)
{
	for (size_t i = 0; i < model->count; i++) {
		struct row *row = &model->rows[i];

		if (strcmp(row->who, who) != 0 || (title && strcmp(row->title, title) != 0))
			continue;
		row->claims = NULL;
		if (!row->deleted_us)
			row->deleted_us = now_us(model);
		row->forecast[PART_REPORT].known = row->forecast[PART_NOTES].known = false;
	}
}

void history_model_moved(struct history_model *model, const char *who, const char *title)
{
	const bool touched[PARTS] = { false };

	doubt_others(find_row(model, who, title), touched);
}

void history_model_doubt(struct history_model *model, const char *who, const char *title)
{
	struct row *row = find_row(model, who, title);

	forecast_nothing(row);
	row->adopting = true;
}

void history_model_copied(struct history_model *model, const char *who, const char *title)
{
	history_model_doubt(model, who, title);
	find_row(model, who, title)->copied = true;
	find_row(model, who, title)->claims = NULL;
}

/* ---- work ---- */

void history_model_worked(struct history_model *model, const char *who, const char *title,
			  const char *line)
{
	struct row *row = find_row(model, who, title);

	row->work = MEM_GROW(model, row->work, char *, row->work_count + 1);
	row->work[row->work_count++] = mem_strdup(model, line);
}

static struct history_work work_of(const struct row *row, const struct facts *facts)
{
	const struct value *says = &facts->values->value[FIELD_actual_work];

	return (struct history_work){ .who = row->who,
				      .title = row->title,
				      .lines = row->work,
				      .count = row->work_count,
				      .assignment = facts->assignment->id,
				      .says = says->presence == SET ? says->number : 0 };
}

void history_model_lost(struct history_model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->rows[i].invented) /* it cannot be told from a measurement any more */
			remember(&model->rows[i], SAID_PERCENT, model->rows[i].invented);
		model->rows[i].claims = NULL;
		forecast_nothing(&model->rows[i]);
		model->rows[i].adopting = true;
		memset(model->rows[i].planned, 0, sizeof model->rows[i].planned);
	}
}

/* ---- what the manager wrote ---- */

static void manager_wrote(struct history_model *model, struct row *row, enum said what,
			  const char *value)
{
	char *text = history_item_normal(model, what, value);
	enum part part = part_of[what];
	struct facts facts;
	bool done = what == SAID_STATUS ? !strcmp(text, "completed") : !strcmp(text, "100");

	remember(row, what, text);
	if (get_facts(model, model, row, &facts) &&
	    !strcmp(project_says(&facts, model, what), text))
		return; /* it says so: nothing was changed */
	if (part == PART_REPORT)
		foretell(model, row, part, MANAGER, done,
			 what == SAID_PERCENT && !done ? text : NULL);
	else
		foretell(model, row, part, MANAGER, false, text);
}

void history_model_set(struct history_model *model, const char *who, const char *title,
		       const char *assignment)
{
	const char *value = strchr(assignment, '=') + 1;
	enum said what = SAID_STATUS;

	for (; what < SAIDS; what++)
		if (text_starts(assignment, mem_printf(model, "%s=", history_item_name(what))))
			break;
	if (what == SAIDS)
		return;
	for (size_t i = 0; i < model->count; i++) {
		struct row *row = &model->rows[i];

		if (strcmp(row->title, title) != 0)
			continue;
		if (!strcmp(row->who, who) ||
		    what == SAID_PRIORITY) /* a task's, of all its people */
			manager_wrote(model, row, what, value);
	}
}

static void import_row(struct history_model *model, const struct world_row *plan, const char *who)
{
	static const enum said kinds[] = { SAID_DUE, SAID_PRIORITY, SAID_PERCENT, SAID_NOTES };
	struct row *row = find_row(model, who, plan->title);

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		enum field field = field_for(kinds[i]);
		const struct vector *from =
			field_table[field].scope == SCOPE_TASK ? plan->task : plan->assignment;
		char *text = value_text(model, field, &from->value[field]);
		const char **last = &row->planned[part_of[kinds[i]]];

		if (text_same(text ? text : "", *last ? *last : ""))
			continue;
		*last = text;
		manager_wrote(model, row, kinds[i], text ? text : "");
	}
}

void history_model_import(struct history_model *model)
{
	struct world *world = model->world;

	for (size_t i = 0; i < world->plan_count; i++)
		for (size_t p = 0; p < COUNT_OF(world->plan[i].people); p++)
			if (world->plan[i].people[p] && !world->plan[i].dropped)
				import_row(model, &world->plan[i], world->plan[i].people[p]);
}

void history_model_dropped(struct history_model *model, const char *title)
{
	for (size_t i = 0; i < model->count; i++)
		if (!strcmp(model->rows[i].title, title)) {
			forecast_nothing(&model->rows[i]);
			model->rows[i].adopting = true;
		}
}

/* ---- the questions ---- */

static void check_claims(struct row *row, TALLOC_CTX *mem, const struct facts *facts)
{
	for (const struct claim *claim = row->claims; claim; claim = claim->next) {
		if (is_met(claim, mem, facts))
			continue;
		history_fail("N1", "%s wrote %s of '%s' at %s: it is in no change and no revision",
			     row->who,
			     claim->kind == CLAIM_DONE ? "done"
			     : claim->kind == CLAIM_OPEN
				     ? "not done"
				     : mem_printf(mem, "%s '%s'", history_item_name(claim->what),
						  claim->text),
			     row->title, claim->when);
	}
	row->claims = NULL;
}

/* No value that nobody wrote. */
static void check_changes(struct history_model *model, const struct row *row, TALLOC_CTX *mem,
			  const struct facts *facts)
{
	static const enum said kinds[] = { SAID_PERCENT, SAID_NOTES, SAID_DUE, SAID_PRIORITY };

	for (size_t i = 0; i < facts->change_count; i++)
		for (size_t k = 0; k < COUNT_OF(kinds); k++) {
			const struct change *change = &facts->changes[i];
			char *text = history_item_normal(mem, kinds[k], change->new_text);

			if (change->field != field_for(kinds[k]) || !change->new_text ||
			    (kinds[k] == SAID_PERCENT &&
			     (!strcmp(text, "100") || !strcmp(text, "0"))))
				continue;
			if (!was_written(model, row, kinds[k], text))
				history_fail("N1",
					     "%s of '%s' of %s became '%s' by %s: nobody "
					     "wrote that",
					     history_item_name(kinds[k]), row->title, row->who,
					     text, change->author);
		}
}

static void check_forecast(struct row *row, TALLOC_CTX *mem, const struct facts *facts)
{
	row->adopting = false;
	row->half = HALF_NONE;
	memset(row->touched, 0, sizeof row->touched);
	for (int p = 0; p < PARTS; p++) {
		struct forecast *forecast = &row->forecast[p];
		char *says = project_says(facts, mem, said_of[p]);

		forecast->settled = true;
		row->agreed[p].known = true;
		row->agreed[p].done = p == PART_REPORT && is_done(facts, mem);
		row->agreed[p].text = mem_strdup(row->written[0], says);
		if (!forecast->known || row->copied)
			continue;
		if (p == PART_REPORT && is_done(facts, mem) != forecast->done)
			history_fail("M3", "'%s' of %s is %sdone, by the later hand it is %sdone",
				     row->title, row->who, is_done(facts, mem) ? "" : "not ",
				     forecast->done ? "" : "not ");
		if (forecast->text && strcmp(says, forecast->text) != 0)
			history_fail("M3", "%s of '%s' of %s is '%s', by the later hand '%s'",
				     history_item_name(said_of[p]), row->title, row->who, says,
				     forecast->text);
	}
}

/* What a server gave out last stands in its file's first line. */
static int64_t newest_version(struct history_model *model)
{
	FILE *file = fopen(world_server_path(model->world, "a"), "r");
	long long newest = -1;

	if (file && fscanf(file, "seq %lld", &newest) != 1)
		newest = -1;
	if (file)
		fclose(file);
	return newest;
}

static void forget_shelves(struct history_model *model)
{
	int64_t newest = newest_version(model);

	if (newest >= 0 && newest == model->shelved)
		return;
	model->shelved = newest;
	memset(model->shelves, 0, sizeof model->shelves);
}

static const struct shelf *shelf_of(struct history_model *model, const char *who)
{
	struct shelf *shelf = model->shelves;

	while (shelf->who && strcmp(shelf->who, who) != 0)
		shelf++;
	cr_assert_lt(shelf, model->shelves + COUNT_OF(model->shelves));
	if (!shelf->who) {
		shelf->who = who;
		shelf->count = client_list(model->world, who, &shelf->items);
	}
	return shelf;
}

static size_t find_items(struct history_model *model, const struct row *row, const char *line,
			 struct client_item *item_r)
{
	const struct shelf *shelf = shelf_of(model, row->who);
	size_t n = 0;

	for (size_t i = 0; i < shelf->count; i++) {
		if (!strstr(shelf->items[i].text, line))
			continue;
		if (!n++)
			*item_r = shelf->items[i];
	}
	return n;
}

static bool find_item(struct history_model *model, TALLOC_CTX *mem, const struct row *row,
		      struct client_item *item_r)
{
	return find_items(model, row, mem_printf(mem, "\nSUMMARY:%s\n", row->title), item_r) > 0;
}

static void check_shown(const struct row *row, TALLOC_CTX *mem, const struct facts *facts,
			const struct client_item *item)
{
	struct history_item *read = history_item_read(mem, item->text);

	for (int i = 0; i < SAIDS; i++) {
		char *shown = history_item_normal(mem, (enum said)i, read->said[i]);
		char *says = project_says(facts, mem, (enum said)i);

		if (i == SAID_COMPLETED || !strcmp(shown, says))
			continue;
		if (i == SAID_PERCENT && !strcmp(says, "100") && !*read->said[i] &&
		    is_done(facts, mem))
			continue; /* some clients write no number besides */
		history_fail("agree", "%s of '%s' of %s is '%s', the item shows '%s':\n%s",
			     history_item_name((enum said)i), row->title, row->who, says, shown,
			     item->text);
	}
}

static void check_items(struct history_model *model, struct row *row, TALLOC_CTX *mem,
			const struct facts *facts)
{
	bool active = facts->assignment->state == ASSIGNMENT_ACTIVE;
	bool ignores = model->world->conf->rights.on_delete == ON_DELETE_IGNORE;
	struct client_item item = { .text = NULL };
	struct history_work work;
	size_t n = find_items(model, row, mem_printf(mem, "\nUID:%s\n", facts->assignment->uid),
			      &item);

	if (row->copied)
		return;
	if (n > 1 || (!active && n) || (active && !n && !ignores))
		history_fail("N2", "'%s' of %s is %s and has %zu items", row->title, row->who,
			     assignment_state_name(facts->assignment->state), n);
	if (active && n) {
		check_shown(row, mem, facts, &item);
		work = work_of(row, facts);
		history_work_check_item(model->world, mem, &work, &item);
	}
}

void history_model_before_sync(struct history_model *model)
{
	forget_shelves(model);
	for (size_t i = 0; i < model->count; i++) {
		struct row *row = &model->rows[i];
		TALLOC_CTX *mem = MEM_CONTEXT(model);
		struct client_item item = { .text = NULL };
		struct history_item *read =
			find_items(model, row, mem_printf(mem, "\nSUMMARY:%s\n", row->title),
				   &item) == 1
				? history_item_read(model, item.text)
				: NULL; /* of two, one gives way */

		row->stood = read != NULL;
		row->foreign = read ? read->foreign : NULL;
		row->foreign_count = read ? read->foreign_count : 0;
		talloc_free(mem);
	}
}

static void check_foreign(struct history_model *model, TALLOC_CTX *mem, const struct row *row)
{
	struct client_item item = { .text = NULL };

	if (!row->stood || !row->foreign_count || row->copied || !find_item(model, mem, row, &item))
		return;
	for (size_t i = 0; i < row->foreign_count; i++)
		if (!strstr(item.text, mem_printf(mem, "\n%s\n", row->foreign[i])))
			history_fail("N4", "'%s' of %s lost the line %s:\n%s", row->title, row->who,
				     row->foreign[i], item.text);
}

/* M5: nothing is declined before the grace time is over. */
static void check_grace(struct history_model *model, struct row *row, TALLOC_CTX *mem,
			const struct facts *facts)
{
	struct client_item item;
	int64_t grace_us = model->world->conf->rights.grace_us;
	bool declined = facts->assignment->state == ASSIGNMENT_DECLINED;

	if (declined && !row->declined && now_us(model) >= model->latest_us &&
	    now_us(model) < row->deleted_us + grace_us)
		history_fail("M5", "'%s' of %s is declined before its grace time is over",
			     row->title, row->who);
	row->declined = declined;
	if (row->deleted_us && find_item(model, mem, row, &item))
		row->deleted_us = 0;
	if (now_us(model) > model->latest_us)
		model->latest_us = now_us(model);
}

void history_model_after_sync(struct history_model *model, bool quiet)
{
	forget_shelves(model);
	WORLD_OK(store_begin_read(model->world->store));
	for (size_t i = 0; i < model->count; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(model);
		struct row *row = &model->rows[i];
		struct history_work work;
		struct facts facts;

		check_foreign(model, mem, row);
		if (get_facts(model, mem, row, &facts)) {
			if (facts.assignment->state != ASSIGNMENT_ACTIVE)
				forecast_nothing(row);
			check_grace(model, row, mem, &facts);
			check_changes(model, row, mem, &facts);
			work = work_of(row, &facts);
			history_work_check(model->world, mem, &work);
			if (quiet) {
				check_claims(row, mem, &facts);
				check_forecast(row, mem, &facts);
				check_items(model, row, mem, &facts);
			}
		}
		talloc_free(mem);
	}
	store_rollback(model->world->store);
}
