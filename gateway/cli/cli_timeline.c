/* cli_timeline.c - the change log has the order, by its numbers, whatever the clock did; revisions
 * and bookings, which have times only, are put in between. */
#include "config.h"

#include "gateway/cli/cli_timeline.h"

#include <stdlib.h>

#include "gateway/cli/cli_revision.h"
#include "gateway/cli/cli_view.h"
#include "model/effort.h"
#include "store/revisions.h"

enum event_kind { EVENT_CHANGE, EVENT_BOOKING, EVENT_REVISION, EVENT_KINDS };

static const char *const event_kinds[] = { "change", "booking", "revision" };
_Static_assert(COUNT_OF(event_kinds) == EVENT_KINDS, "one name per kind");

/* Exactly one of the pointers is set, as its kind says. */
struct event {
	enum event_kind kind;
	int64_t at_us, id;
	const struct change *change;
	const struct booked *booked;
	const struct revision *revision;
};

struct cli_timeline {
	struct event *events;
	size_t count;
};

/* ---- reading ---- */

static int by_time(const void *a, const void *b)
{
	const struct event *one = a, *other = b;

	if (one->at_us != other->at_us)
		return one->at_us < other->at_us ? -1 : 1;
	return one->id < other->id ? -1 : one->id > other->id;
}

/* What has no number in the change log, sorted. */
static struct fault *read_timed(struct cli *cli, int64_t assignment, bool bookings,
				struct event **events_r, size_t *count_r)
{
	struct revision *revisions = NULL;
	struct booked *booked = NULL;
	size_t revision_count = 0, booked_count = 0, count = 0;
	struct event *events;

	FAULT_TRY(revisions_of(cli->store, cli->mem, assignment, &revisions, &revision_count));
	if (bookings)
		FAULT_TRY(project_booked(cli->store, cli->mem, assignment, &booked, &booked_count));
	events = MEM_ARRAY(cli->mem, struct event, revision_count + booked_count);
	for (size_t i = 0; i < revision_count; i++)
		events[count++] = (struct event){ .kind = EVENT_REVISION,
						  .at_us = revisions[i].at_us,
						  .id = revisions[i].id,
						  .revision = &revisions[i] };
	for (size_t i = 0; i < booked_count; i++)
		events[count++] = (struct event){ .kind = EVENT_BOOKING,
						  .at_us = booked[i].at_us,
						  .id = booked[i].id,
						  .booked = &booked[i] };
	qsort(events, count, sizeof *events, by_time);
	*events_r = events;
	*count_r = count;
	return NULL;
}

static struct fault *read_all(struct cli *cli, const struct assignment *assignment, bool bookings,
			      struct cli_timeline *timeline)
{
	struct change *changes = NULL;
	struct event *timed = NULL;
	size_t change_count = 0, timed_count = 0, next = 0;

	FAULT_TRY(project_history(cli->store, cli->mem, assignment, &changes, &change_count));
	FAULT_TRY(read_timed(cli, assignment->id, bookings, &timed, &timed_count));
	timeline->events = MEM_ARRAY(timeline, struct event, change_count + timed_count);
	for (size_t i = 0; i < change_count; i++) {
		while (next < timed_count && timed[next].at_us < changes[i].at_us)
			timeline->events[timeline->count++] = timed[next++];
		timeline->events[timeline->count++] = (struct event){ .kind = EVENT_CHANGE,
								      .at_us = changes[i].at_us,
								      .change = &changes[i] };
	}
	while (next < timed_count)
		timeline->events[timeline->count++] = timed[next++];
	return NULL;
}

struct fault *cli_timeline_read(struct cli *cli, const struct assignment *assignment, bool bookings,
				struct cli_timeline **timeline_r)
{
	struct cli_timeline *timeline = MEM_NEW(cli->mem, struct cli_timeline);
	struct fault *fault;

	FAULT_TRY(store_begin_read(cli->store));
	fault = read_all(cli, assignment, bookings, timeline);
	store_rollback(cli->store);
	if (fault)
		return fault;
	*timeline_r = timeline;
	return NULL;
}

size_t cli_timeline_count(const struct cli_timeline *timeline)
{
	return timeline->count;
}

/* ---- for people ---- */

/* A text of the change log as people read it; NULL: not set. What is no value of the field any more
 * stands as it is. */
static char *change_text(const struct cli *cli, TALLOC_CTX *mem, const struct change *change,
			 const char *text)
{
	struct value value = { .presence = ABSENT };
	struct fault *fault = NULL;

	if (!text || change->field == FIELDS)
		return mem_strdup(mem, text);
	fault = value_parse(mem, change->field, text, &value);
	if (fault) {
		talloc_free(fault);
		return mem_strdup(mem, text);
	}
	return cli_view_value(cli, mem, change->field, &value);
}

static char *day_text(TALLOC_CTX *mem, int32_t day)
{
	struct when when = when_date(day);

	return when_text(mem, &when);
}

/* "2 h", "-30 min" */
static char *work_text(TALLOC_CTX *mem, int64_t minutes)
{
	return mem_printf(mem, "%s%s", minutes < 0 ? "-" : "",
			  effort_to_text(mem, minutes < 0 ? -minutes : minutes));
}

static void add_row(struct cli *cli, struct cli_columns *table, const struct event *event)
{
	const char *when = cli_view_time(table, event->at_us);
	const struct change *change = event->change;
	const struct booked *booked = event->booked;
	const struct revision *revision = event->revision;

	switch (event->kind) {
	case EVENT_CHANGE:
		cli_columns_add(table,
				(const char *[]){ when, change->name,
						  change_text(cli, table, change, change->old_text),
						  change_text(cli, table, change, change->new_text),
						  change->author, change->cause });
		break;
	case EVENT_BOOKING:
		cli_columns_add(table,
				(const char *[]){ when, "booking", NULL,
						  mem_printf(table, "%s on %s",
							     work_text(table, booked->minutes),
							     day_text(table, booked->day)),
						  booked->author, booked->text });
		break;
	case EVENT_REVISION:
		cli_columns_add(
			table,
			(const char *[]){
				when,
				mem_printf(table, CHANGE_REVISION "%lld", (long long)revision->id),
				NULL,
				mem_printf(table, "%s: %s", revision_state_name(revision->origin),
					   cli_revision_values(cli, table, revision, "stands")),
				revision->author, revision->message });
		break;
	case EVENT_KINDS:
		break;
	}
}

void cli_timeline_print(struct cli *cli, const struct cli_timeline *timeline, size_t first)
{
	static const struct cli_column columns[] = {
		{ "WHEN", CLI_COLUMN_KEY },   { "FIELD", CLI_COLUMN_KEY },
		{ "FROM", CLI_COLUMN_WORDS }, { "TO", CLI_COLUMN_WORDS },
		{ "BY", CLI_COLUMN_WORDS },   { "WHY", CLI_COLUMN_WORDS }
	};
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = first; i < timeline->count; i++)
		add_row(cli, table, &timeline->events[i]);
	cli_view_print(cli, table);
}

/* ---- for programs ---- */

static json_t *change_value_json(TALLOC_CTX *mem, const struct change *change, const char *text)
{
	struct value value = { .presence = ABSENT };
	struct fault *fault = NULL;

	if (!text || change->field == FIELDS)
		return cli_json_text(text);
	fault = value_parse(mem, change->field, text, &value);
	if (fault) {
		talloc_free(fault);
		return cli_json_text(text);
	}
	return cli_json_value(mem, change->field, &value);
}

static json_t *booked_json(TALLOC_CTX *mem, const struct booked *booked)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", cli_json_id(booked->id));
	json_object_set_new(object, "day", cli_json_text(day_text(mem, booked->day)));
	json_object_set_new(object, "minutes", json_integer(booked->minutes));
	json_object_set_new(object, "text", cli_json_text(booked->text));
	json_object_set_new(object, "source_key", cli_json_text(booked->source_key));
	return object;
}

static json_t *event_json(TALLOC_CTX *mem, const struct event *event)
{
	const struct change *change = event->change;
	const struct booked *booked = event->booked;
	const struct revision *revision = event->revision;
	json_t *object = json_object();

	json_object_set_new(object, "kind", cli_json_text(event_kinds[event->kind]));
	json_object_set_new(object, "seq", change ? cli_json_id(change->seq) : json_null());
	json_object_set_new(object, "field", cli_json_text(change ? change->name : NULL));
	json_object_set_new(object, "from",
			    change ? change_value_json(mem, change, change->old_text)
				   : json_null());
	json_object_set_new(object, "to",
			    change ? change_value_json(mem, change, change->new_text)
				   : json_null());
	json_object_set_new(object, "at", cli_json_time(mem, event->at_us));
	json_object_set_new(object, "by",
			    cli_json_text(change     ? change->author
					  : revision ? revision->author
						     : booked->author));
	json_object_set_new(object, "cause",
			    cli_json_text(change     ? change->cause
					  : revision ? revision->message
						     : booked->text));
	if (revision)
		json_object_set_new(object, "revision", cli_revision_json(mem, revision));
	if (booked)
		json_object_set_new(object, "booking", booked_json(mem, booked));
	return object;
}

json_t *cli_timeline_json(struct cli *cli, const struct cli_timeline *timeline)
{
	json_t *array = json_array();

	for (size_t i = 0; i < timeline->count; i++)
		json_array_append_new(array, event_json(cli->mem, &timeline->events[i]));
	return array;
}
