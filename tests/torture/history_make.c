/* history_make.c - the table of clients says what a gesture writes; it is made of what their sources
 * and their users say. `%d` is a percentage, `%s` a day (YYYYMMDD), `@` the time of writing. */
#include "config.h"

#include "history_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define DONE "STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED:@"

struct client {
	const char *name;
	const char *done, *undo, *undo_too, *progress, *start, *due;
	const char *always; /* what each of its writes does besides; NULL: nothing */
	bool rebuilds;      /* keeps nothing that it does not know */
	bool stale;         /* puts its whole copy without a condition */
};

static const struct client clients[] = {
	{ .name = "thunderbird",
	  .done = DONE,
	  .undo = "COMPLETED | STATUS | PERCENT-COMPLETE",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS | COMPLETED",
	  .start = "STATUS:IN-PROCESS",
	  .due = "DUE:%sT000000",
	  .always = "X-MOZ-GENERATION:1 | LAST-MODIFIED:@" },
	{ .name = "nextcloud",
	  .done = DONE,
	  .undo = "PERCENT-COMPLETE:99 | STATUS:IN-PROCESS | COMPLETED",
	  .undo_too = "PERCENT-COMPLETE | STATUS:NEEDS-ACTION | COMPLETED",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS | COMPLETED",
	  .start = "STATUS:IN-PROCESS | PERCENT-COMPLETE:1",
	  .due = "DUE;VALUE=DATE:%s",
	  .always = "PRODID:-//Nextcloud Tasks v0.16.1 | LAST-MODIFIED:@" },
	{ .name = "tasks.org",
	  .done = DONE,
	  .undo = "COMPLETED | STATUS | PERCENT-COMPLETE",
	  .due = "DUE;TZID=Europe/Berlin:%sT130001",
	  .stale = true },
	{ .name = "jtx",
	  .done = DONE " | X-COMPLETEDTIMEZONE:Europe/Berlin | SEQUENCE:2",
	  .undo = "PERCENT-COMPLETE | STATUS:NEEDS-ACTION | COMPLETED",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS | COMPLETED",
	  .start = "STATUS:IN-PROCESS | PERCENT-COMPLETE:1",
	  .due = "DUE:%sT110000Z" },
	{ .name = "reminders", .done = DONE, .due = "DUE;VALUE=DATE:%s" },
	{ .name = "evolution",
	  .done = DONE,
	  .undo = "COMPLETED | PERCENT-COMPLETE | STATUS:NEEDS-ACTION",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS",
	  .start = "STATUS:IN-PROCESS | PERCENT-COMPLETE:50",
	  .due = "DUE;VALUE=DATE:%s",
	  .always = "PRODID:-//Ximian//NONSGML Evolution Calendar//EN" },
	{ .name = "endeavour",
	  .done = DONE,
	  .undo = "PERCENT-COMPLETE:0 | STATUS:NEEDS-ACTION | COMPLETED:@",
	  .due = "DUE:%sT230000Z" },
	{ .name = "korganizer",
	  .done = DONE,
	  .undo = "PERCENT-COMPLETE:0 | COMPLETED | STATUS",
	  .progress = "PERCENT-COMPLETE:%d | COMPLETED | STATUS",
	  .due = "DUE;VALUE=DATE:%s",
	  .always = "ESTIMATED-DURATION" },
	{ .name = "todoman",
	  .done = DONE " | SEQUENCE:3",
	  .undo = "COMPLETED | PERCENT-COMPLETE:0 | STATUS:NEEDS-ACTION",
	  .progress = "PERCENT-COMPLETE:%d",
	  .due = "DUE:%sT120000Z" },
	{ .name = "2do", .done = "STATUS:COMPLETED | COMPLETED:@" },
	{ .name = "super-productivity", .done = "COMPLETED:@" },
	{ .name = "outlook-sync",
	  .done = DONE,
	  .undo = "STATUS:NEEDS-ACTION | PERCENT-COMPLETE:0 | COMPLETED",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS",
	  .due = "DUE:%sT225959Z",
	  .rebuilds = true },
	{ .name = "davmail",
	  .done = "STATUS:COMPLETED | PERCENT-COMPLETE:100 | COMPLETED;VALUE=DATE:20261121",
	  .undo = "STATUS:NEEDS-ACTION | PERCENT-COMPLETE:0 | COMPLETED",
	  .progress = "PERCENT-COMPLETE:%d | STATUS:IN-PROCESS",
	  .due = "DUE;VALUE=DATE:%s",
	  .rebuilds = true },
};

/* What servers and networks do to an operation. */
static const struct {
	const char *operation, *fault;
	bool messages_only;
} faults[] = {
	{ "put", "lost", false },        { "put", "busy", false },
	{ "put", "unreachable", false }, { "put", "changed", false },
	{ "put", "locked", false },      { "put", "refused", false },
	{ "put", "full", false },        { "put", "gone", false },
	{ "put", "protocol", false },    { "put", "late", true },
	{ "fetch", "busy", false },      { "fetch", "unreachable", false },
	{ "fetch", "protocol", false },  { "notice", "token", false },
	{ "notice", "busy", false },     { "notice", "unreachable", false },
	{ "remove", "lost", false },     { "remove", "busy", false },
	{ "remove", "locked", false },   { "remove", "unreachable", false },
	{ "ensure", "lost", false },     { "ensure", "busy", false },
	{ "notice", "login", false },    { "put", "rewrite", false },
};

static const struct {
	const char *title, *people;
} plan[] = { { "Alpha", "ana" }, { "Beta", "ana bob" }, { "Gamma", "bob" }, { "Delta", "cy ana" } };

static const char *const kill_points[] = {
	"COMMIT_STAGED",   "COMMIT_DONE",     "PUSH_STARTING", "PUSH_SENT",     "RECORD_STAGED",
	"RECORD_DONE",     "REMOVE_SENT",     "SWEEP_SENT",    "SWEEP_DONE",    "TOKEN_STAGED",
	"TOKEN_DONE",      "ROUND_READ",      "HTTP_SENDING",  "HTTP_ANSWERED", "FOLDER_CREATED",
	"REMOVE_STARTING", "FOLDER_RECORDED",
};

struct maker {
	struct history *history;
	struct history_dice dice;
	void (*tell)(void *data, const char *line);
	void *data;
	TALLOC_CTX *mem;
	int step;
};

/* ---- chance ---- */

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Neighbouring seeds have nothing in common. */
struct history_dice history_dice_new(uint64_t seed)
{
	return (struct history_dice){ .state = next(&seed) };
}

unsigned history_dice_roll(struct history_dice *dice, unsigned sides)
{
	return (unsigned)(next(&dice->state) % sides);
}

static unsigned roll(struct maker *maker, unsigned sides)
{
	return history_dice_roll(&maker->dice, sides);
}

#define ONE_OF(maker, list) ((list)[roll(maker, COUNT_OF(list))])

bool history_make_messages(uint64_t seed)
{
	return seed % 3 == 2;
}

static bool say(struct maker *maker, const char *fmt, ...) ATTR_PRINTF(2, 3);
static bool say(struct maker *maker, const char *fmt, ...)
{
	char *line;
	va_list ap;

	va_start(ap, fmt);
	line = mem_vprintf(maker->mem, fmt, ap);
	va_end(ap);
	maker->tell(maker->data, line);
	return history_play(maker->history, line);
}

/* ---- what a client writes ---- */

static char *filled(struct maker *maker, const char *gesture)
{
	static const int percents[] = { 10, 20, 30, 40, 60, 70, 80, 90 };
	static const char *const days[] = { "20261203", "20261207", "20261210", "20261215" };
	char *now = clock_rfc3339(maker->mem, clock_now_us(maker->history->world->clock));
	struct buf *out = buf_new(maker->mem);

	for (const char *c = gesture; *c; c++) {
		if (*c == '@') {
			for (const char *t = now; *t; t++)
				if (*t != '-' && *t != ':')
					buf_putc(out, *t);
		} else if (c[0] == '%') {
			if (*++c == 'd')
				buf_printf(out, "%d", ONE_OF(maker, percents));
			else
				buf_puts(out, ONE_OF(maker, days));
		} else {
			buf_putc(out, *c);
		}
	}
	return buf_steal(&out, maker->mem, NULL);
}

static const char *gesture(struct maker *maker, const struct client *client, const char *item)
{
	bool done = strstr(item, "STATUS:COMPLETED") != NULL;
	bool started = strstr(item, "STATUS:IN-PROCESS") != NULL;
	unsigned kind = roll(maker, 16);

	if (done && kind < 9)
		return client->undo_too && roll(maker, 2) ? client->undo_too : client->undo;
	if (kind < 4)
		return client->done;
	if (kind < 8)
		return client->progress;
	if (kind < 9)
		return started ? client->progress : client->start;
	if (kind < 10)
		return client->due;
	if (kind < 11)
		return mem_printf(maker->mem, "PRIORITY:%u", 1 + 4 * roll(maker, 3));
	if (kind < 12)
		return "PERCENT-COMPLETE:140";
	if (kind < 14 && roll(maker, 4) == 0)
		return mem_printf(maker->mem, "SUMMARY:Title-%d-by-%s", maker->step, client->name);
	if (kind < 14 && roll(maker, 3) == 0)
		return mem_printf(maker->mem, "NOTES:note %d by %s\\n+%dm step-%d", maker->step,
				  client->name, 5 * maker->step, maker->step);
	if (kind < 14)
		return mem_printf(maker->mem, "NOTES:note %d by %s", maker->step, client->name);
	if (kind < 15)
		return mem_printf(maker->mem, "X-CLIENT-%s:%d", client->name, maker->step);
	return "+BEGIN:VALARM | +ACTION:DISPLAY | +TRIGGER:-PT15M | +END:VALARM";
}

static char *card_gesture(struct maker *maker, bool done)
{
	unsigned kind = roll(maker, 8);

	if (kind < 4)
		return mem_strdup(maker->mem, filled(maker, "Percent: %d"));
	if (kind < 6)
		return mem_strdup(maker->mem, done ? "Status: not started" : "Status: done");
	return mem_printf(maker->mem, "+note %d by mail", maker->step);
}

static const struct client *stale_client(void)
{
	const struct client *client = clients;

	while (!client->stale)
		client++;
	return client;
}

/* Who edits what, and how: a line without the word "before write"; NULL: nothing to edit. */
static char *edit_line(struct maker *maker)
{
	const struct client *client = &ONE_OF(maker, clients);
	const char *who, *title, *does;
	struct client_item *item;
	bool done;

	if (!history_model_count(maker->history->model))
		return NULL;
	history_model_row(maker->history->model,
			  roll(maker, (unsigned)history_model_count(maker->history->model)), &who,
			  &title);
	item = client_find(maker->history->world, who, title);
	if (!item)
		return NULL;
	if (roll(maker, 8) == 0)
		client = stale_client();
	done = strstr(item->text, "STATUS:COMPLETED") != NULL;
	if (item->card && roll(maker, 2))
		return mem_printf(maker->mem, "%s %s %s %s",
				  roll(maker, 5) ? "card" : "card-beside", who, title,
				  card_gesture(maker, done));
	does = gesture(maker, client, item->text);
	if (!does)
		return NULL;
	does = filled(maker, does);
	if (client->always && strncmp(does, "+BEGIN", 6) != 0)
		does = mem_printf(maker->mem, "%s | %s", does, filled(maker, client->always));
	if (client->stale && !maker->history->world->messages) {
		if (roll(maker, 3) == 0)
			return mem_printf(maker->mem, "remember %s %s %s", client->name, who,
					  title);
		return mem_printf(maker->mem, "stale %s %s %s %s", client->name, who, title, does);
	}
	return mem_printf(maker->mem, "%s %s %s %s", client->rebuilds ? "rebuild" : "mailbox", who,
			  title, does);
}

/* ---- steps ---- */

static void make_edit(struct maker *maker)
{
	char *line = edit_line(maker);

	if (line)
		say(maker, "%s", line);
}

static void make_set(struct maker *maker)
{
	static const char *const values[] = { "percent=%d",  "percent=%d", "status=completed",
					      "percent=100", "due=%s",     "priority=1",
					      "priority=9",  "notes=",     "percent=0" };
	const char *who, *title;
	char *value = filled(maker, ONE_OF(maker, values));

	history_model_row(maker->history->model,
			  roll(maker, (unsigned)history_model_count(maker->history->model)), &who,
			  &title);
	if (text_starts(value, "notes="))
		value = mem_printf(maker->mem, "\"notes=note %d by the manager\"", maker->step);
	if (text_starts(value, "due="))
		value = mem_printf(maker->mem, "due=%.4s-%.2s-%.2s", value + 4, value + 8,
				   value + 10);
	say(maker, "set %s of %s %s", title, who, value);
}

static void make_sync(struct maker *maker)
{
	unsigned kind = roll(maker, 12);
	bool faulty = kind < 4, messages = maker->history->world->messages;
	char *line = kind == 5 || kind == 6 ? edit_line(maker) : NULL;

	if (line)
		say(maker, "before write %s", line);
	if (kind == 7)
		say(maker, "kill %s:%u", ONE_OF(maker, kill_points), 1 + roll(maker, 4));
	for (unsigned n = faulty ? 1 + roll(maker, 2) : 0; n > 0; n--) {
		unsigned f = roll(maker, COUNT_OF(faults));

		if (messages || !faults[f].messages_only)
			say(maker, "fault %s +%u %s", faults[f].operation, 1 + roll(maker, 4),
			    faults[f].fault);
	}
	say(maker, roll(maker, 12) ? "sync" : "sync full");
	if (faulty)
		say(maker, "faults over");
}

static void make_removal(struct maker *maker)
{
	const char *who, *title;

	history_model_row(maker->history->model,
			  roll(maker, (unsigned)history_model_count(maker->history->model)), &who,
			  &title);
	switch (roll(maker, 10)) {
	case 8:
		say(maker, "copy %s %s copied-%d.ics", who, title, maker->step);
		break;
	case 9:
		say(maker, "recreate %s %s other-uid-%d%s", who, title, maker->step,
		    roll(maker, 3) ? "" : " unmarked");
		break;
	case 0:
		say(maker, "delete folder %s", who);
		break;
	case 1:
	case 2:
		say(maker, "move %s %s moved-%d.ics", who, title, maker->step);
		break;
	default:
		if (say(maker, "delete %s %s", who, title) && roll(maker, 2)) {
			if (roll(maker, 2))
				say(maker, "sync");
			say(maker, "undelete %s", who);
		} else if (roll(maker, 2)) { /* only a full listing tells of it */
			say(maker, "fault notice +%u token", 1 + roll(maker, 3));
			say(maker, "sync");
		}
		break;
	}
}

static void make_plan(struct maker *maker)
{
	unsigned row = roll(maker, COUNT_OF(plan));

	switch (roll(maker, 3)) {
	case 0:
		say(maker, "drop %s", plan[row].title);
		say(maker, "import withdraw");
		break;
	case 1:
		say(maker, "task %s", plan[row].title);
		say(maker, "import");
		break;
	default:
		say(maker, "task %s due=2026-12-%02u", plan[row].title, 20 + roll(maker, 5));
		say(maker, "import");
		break;
	}
}

static void make_machine(struct maker *maker)
{
	switch (roll(maker, 6)) {
	case 0:
		say(maker, "lose database");
		say(maker, "import");
		say(maker, "publish");
		say(maker, "sync");
		break;
	case 1:
		say(maker, "sleep -%um", 1 + roll(maker, 20));
		break;
	case 2:
		say(maker, "sleep %ud", 1 + roll(maker, 3));
		break;
	case 3:
		say(maker, "publish");
		break;
	default:
		say(maker, "restart");
		break;
	}
}

static void make_step(struct maker *maker)
{
	static const char *const pauses[] = { "1s", "3s", "20s", "2m", "20m", "2h" };
	unsigned kind = roll(maker, 100);

	if (roll(maker, 3))
		say(maker, "sleep %s", ONE_OF(maker, pauses));
	if (kind < 40)
		make_edit(maker);
	else if (kind < 55)
		make_set(maker);
	else if (kind < 84)
		make_sync(maker);
	else if (kind < 90)
		make_removal(maker);
	else if (kind < 95)
		make_plan(maker);
	else
		make_machine(maker);
}

static void make_beginning(struct maker *maker)
{
	static const char *const settles[] = { "0s", "0s", "5s" };
	static const char *const graces[] = { "0s", "15m" };
	static const char *const policies[] = { "decline", "decline", "restore", "ignore" };

	say(maker, "conf server settle = %s", ONE_OF(maker, settles));
	say(maker, "conf rights grace = %s", ONE_OF(maker, graces));
	say(maker, "conf rights on_delete = %s", ONE_OF(maker, policies));
	if (roll(maker, 3) == 0)
		say(maker, "conf rights brake = 100%%");
	for (size_t i = 0; i < COUNT_OF(plan); i++)
		say(maker, "task %s of %s due=2026-12-%02u%s", plan[i].title, plan[i].people,
		    1 + roll(maker, 20), roll(maker, 3) ? "" : " percent=20");
	say(maker, "import");
	say(maker, "publish");
	say(maker, "sync");
}

void history_make(struct history *history, uint64_t seed,
		  void (*tell)(void *data, const char *line), void *data)
{
	struct maker maker = { .history = history,
			       .dice = history_dice_new(seed),
			       .tell = tell,
			       .data = data,
			       .mem = history->world->mem };
	int steps = 4 + (int)roll(&maker, HISTORY_STEPS_MAX - 3);

	make_beginning(&maker);
	for (maker.step = 1; maker.step <= steps; maker.step++)
		make_step(&maker);
	history_finish(history);
}
