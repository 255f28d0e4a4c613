#include "config.h"

#include "decide/mark.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define STAR "\\Flagged"
#define BLANK " "

/* What a mark says. */
enum meaning { MEANS_NOTHING, MEANS_STARTED, MEANS_DONE, MEANS_PERCENT };

struct said {
	enum meaning meaning;
	int64_t percent;
};

/* ---- lists of marks ---- */

/* The next word of LIST, which is cut there; NULL: no more. */
static char *next(char **list)
{
	return strtok_r(NULL, BLANK, list);
}

static char *copy_of(TALLOC_CTX *mem, const char *list)
{
	return mem_strdup(mem, list ? list : "");
}

static bool has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at += strspn(at, BLANK)) {
		size_t n = strcspn(at, BLANK);

		if (n == len && !strncasecmp(at, name, n))
			return true;
		at += n;
	}
	return false;
}

/* Those of LIST that are in OTHER, or are not. NULL: LIST is. */
static char *pick(TALLOC_CTX *mem, const char *list, const char *other, bool in)
{
	char *save, *out;

	if (!list)
		return NULL;
	save = copy_of(mem, list);
	out = mem_strdup(mem, "");
	for (char *word = next(&save); word; word = next(&save))
		if (has(other, word) == in)
			out = mem_printf(mem, "%s%s%s", out, *out ? BLANK : "", word);
	return out;
}

char *mark_without(TALLOC_CTX *mem, const char *marks, const char *drops)
{
	return pick(mem, marks, drops, false);
}

char *mark_common(TALLOC_CTX *mem, const char *marks, const char *other)
{
	return pick(mem, marks, other, true);
}

bool mark_same(const char *a, const char *b)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(NULL);
	bool same = !*pick(scratch, a ? a : "", b, false) && !*pick(scratch, b ? b : "", a, false);

	talloc_free(scratch);
	return same;
}

bool mark_is_one(const char *flag)
{
	static const char by_software[] = "$Forwarded $MDNSent $Junk $NotJunk Junk NonJunk NotJunk "
					  "$Phishing $SubmitPending $Submitted";

	return *flag == '\\' ? !strcasecmp(flag, STAR) : *flag && !has(by_software, flag);
}

/* ---- what they mean ---- */

/* 40, p40, and 40% as it stands there and as Thunderbird spells it. */
static bool is_number(const char *mark, int64_t *percent_r)
{
	const char *digits = *mark == 'p' || *mark == 'P' ? mark + 1 : mark;
	size_t n = strspn(digits, "0123456789");
	const char *rest = digits + n;
	int64_t percent = 0;

	if (!n || n > 3 || (n > 1 && *digits == '0') ||
	    (*rest && strcmp(rest, "%") && strcmp(rest, "_") && strcasecmp(rest, "=25")))
		return false;
	for (size_t i = 0; i < n; i++)
		percent = 10 * percent + (digits[i] - '0');
	if (percent > 100)
		return false;
	*percent_r = percent;
	return true;
}

/* `KEYWORD=MEANING` of [gestures] labels, checked by conf. */
static bool is_label(const char *labels, const char *mark, struct said *said)
{
	size_t len = strlen(mark);

	for (const char *at = labels; at && *at; at += strspn(at, BLANK)) {
		size_t n = strcspn(at, BLANK);
		const char *meaning = at + len + 1;

		if (n > len + 1 && at[len] == '=' && !strncasecmp(at, mark, len) &&
		    !memchr(meaning, '=', n - len - 1)) {
			said->meaning = *meaning == 's'   ? MEANS_STARTED
					: *meaning == 'd' ? MEANS_DONE
							  : MEANS_PERCENT;
			said->percent = strtoll(meaning, NULL, 10);
			return true;
		}
		at += n;
	}
	return false;
}

static struct said said_by(const struct conf *conf, const char *mark)
{
	struct said said = { .meaning = MEANS_NOTHING };

	if (is_label(conf->gestures.labels, mark, &said))
		return said;
	if (!strcasecmp(mark, STAR))
		said.meaning = conf->gestures.star == STAR_STARTED ? MEANS_STARTED : MEANS_NOTHING;
	else if (!strcmp(mark, MARK_DONE_FOLDER))
		said.meaning = conf->gestures.done_folder ? MEANS_DONE : MEANS_NOTHING;
	else if (has(conf->gestures.done, mark))
		said.meaning = MEANS_DONE;
	else if (conf->gestures.percent && is_number(mark, &said.percent))
		said.meaning = MEANS_PERCENT;
	return said;
}

/* The mark of LIST that says this, of numbers the highest; NULL: there is none. */
static const char *find(TALLOC_CTX *mem, const struct conf *conf, const char *list,
			enum meaning meaning, int64_t *percent)
{
	char *save = copy_of(mem, list);
	const char *found = NULL;

	*percent = -1;
	for (char *word = next(&save); word; word = next(&save)) {
		struct said said = said_by(conf, word);

		if (said.meaning != meaning || (found && said.percent <= *percent))
			continue;
		found = word;
		*percent = said.percent;
	}
	return found;
}

char *mark_meaning(TALLOC_CTX *mem, const struct conf *conf, const char *marks)
{
	char *save = copy_of(mem, marks), *out = mem_strdup(mem, "");

	for (char *word = next(&save); word; word = next(&save))
		if (said_by(conf, word).meaning != MEANS_NOTHING)
			out = mem_printf(mem, "%s%s%s", out, *out ? BLANK : "", word);
	return out;
}

bool mark_is_in_folder(const char *marks)
{
	return has(marks, MARK_DONE_FOLDER);
}

/* ---- reading ---- */

struct work {
	const struct mark_input *in;
	const char *set, *removed; /* since BEFORE */
	bool wrote_status, wrote_number;
	struct mark_report *out;
	struct vector *values;
};

static bool is_edited(const struct mark_input *in, enum field field)
{
	return in->seen && in->item->value[field].presence != ABSENT &&
	       !value_same(field, &in->seen->value[field], &in->item->value[field]);
}

static enum status shown(const struct work *work)
{
	return (enum status)vector_get(work->in->item, FIELD_status, STATUS_NEEDS_ACTION);
}

/* "star", "tag done", "moved to Done" */
static void tell(struct work *work, const char *mark, bool set)
{
	const struct conf *conf = work->in->conf;
	const char *folder = conf->gestures.done_folder;

	if (!strcmp(mark, MARK_DONE_FOLDER))
		work->out->what =
			mem_printf(work->out, "moved %s %s", set ? "to" : "out of", folder);
	else if (!strcasecmp(mark, STAR))
		work->out->what = set ? "star" : "star taken away";
	else
		work->out->what = mem_printf(work->out, "tag %s%s", mark, set ? "" : " taken away");
}

/* The gesture was made; its values count, or what was written in the text does. */
static void conclude(struct work *work, bool text_counts)
{
	static const enum field coupled[] = { FIELD_status, FIELD_percent };
	struct vector *beaten;
	bool differs = false;

	if (!text_counts) {
		work->out->values = work->values;
		return;
	}
	beaten = vector_new(work->out);
	for (size_t i = 0; i < COUNT_OF(coupled); i++) {
		const struct value *theirs = &work->values->value[coupled[i]];

		if (value_same(coupled[i], theirs, &work->in->item->value[coupled[i]]))
			continue;
		vector_put(beaten, coupled[i], theirs);
		differs = true;
	}
	work->out->beaten = differs ? beaten : NULL;
}

static void set_status(struct work *work, enum status status)
{
	vector_number(work->values, FIELD_status, status);
}

/* Without a past all three count as they stand (gesture.h). */
static void set_percent(struct work *work, int64_t percent)
{
	vector_number(work->values, FIELD_percent, percent);
	if (work->in->seen)
		return;
	set_status(work, percent == 100 ? STATUS_COMPLETED
			 : percent > 0  ? STATUS_IN_PROCESS
					: STATUS_NEEDS_ACTION);
	if (percent < 100)
		vector_clear(work->values, FIELD_completed_at);
}

/* True when one was made. */
static bool read_set(struct work *work, TALLOC_CTX *mem)
{
	const struct conf *conf = work->in->conf;
	bool wrote = work->wrote_status || work->wrote_number;
	const char *mark;
	int64_t percent;

	if ((mark = find(mem, conf, work->set, MEANS_DONE, &percent))) {
		tell(work, mark, true);
		set_status(work, STATUS_COMPLETED);
		if (!work->in->seen)
			vector_number(work->values, FIELD_percent, 100);
		conclude(work, work->wrote_status);
		return true;
	}
	if ((mark = find(mem, conf, work->set, MEANS_PERCENT, &percent))) {
		tell(work, mark, true);
		set_percent(work, percent);
		conclude(work, wrote);
		return true;
	}
	return false;
}

static bool read_reopened(struct work *work, TALLOC_CTX *mem)
{
	int64_t percent;
	const char *mark = find(mem, work->in->conf, work->removed, MEANS_DONE, &percent);

	if (!mark || (shown(work) != STATUS_COMPLETED && !work->wrote_status))
		return false;
	tell(work, mark, false);
	set_status(work, STATUS_NEEDS_ACTION);
	conclude(work, work->wrote_status);
	return true;
}

/* A star on what is done says nothing; it is a gesture all the same, and goes. */
static bool read_started(struct work *work, TALLOC_CTX *mem)
{
	const struct conf *conf = work->in->conf;
	int64_t percent;
	const char *mark = find(mem, conf, work->set, MEANS_STARTED, &percent);

	if (mark) {
		tell(work, mark, true);
		if (shown(work) != STATUS_NEEDS_ACTION)
			return true;
		set_status(work, STATUS_IN_PROCESS);
		work->out->afresh = true;
		conclude(work, work->wrote_status || work->wrote_number);
		return true;
	}
	mark = find(mem, conf, work->removed, MEANS_STARTED, &percent);
	if (!mark || find(mem, conf, work->in->now, MEANS_STARTED, &percent) ||
	    shown(work) != STATUS_IN_PROCESS || vector_get(work->in->item, FIELD_percent, 0) > 0)
		return false;
	tell(work, mark, false);
	set_status(work, STATUS_NEEDS_ACTION);
	conclude(work, work->wrote_status || work->wrote_number);
	return true;
}

/* Of what is missing on another message only that it stands elsewhere was somebody's doing. */
static const char *removed(TALLOC_CTX *mem, const struct mark_input *in)
{
	if (in->replaced)
		return has(in->before, MARK_DONE_FOLDER) && !has(in->now, MARK_DONE_FOLDER)
			       ? MARK_DONE_FOLDER
			       : "";
	return mark_without(mem, in->before, in->now);
}

struct mark_report *mark_read(TALLOC_CTX *mem, const struct mark_input *input)
{
	struct mark_report *out;
	struct work work = { .in = input };
	TALLOC_CTX *scratch;

	if (!input->now || !input->before || mark_same(input->before, input->now))
		return NULL;
	out = MEM_NEW(mem, struct mark_report);
	scratch = MEM_CONTEXT(out);
	work.out = out;
	work.values = vector_copy(out, input->item);
	work.set = mark_without(scratch, input->now, input->before);
	work.removed = removed(scratch, input);
	work.wrote_status = is_edited(input, FIELD_status);
	work.wrote_number = is_edited(input, FIELD_percent) || is_edited(input, FIELD_completed_at);
	if (!read_set(&work, scratch) && !read_reopened(&work, scratch) &&
	    !read_started(&work, scratch))
		TALLOC_FREE(out);
	else
		talloc_free(scratch);
	return out;
}

/* ---- what follows ---- */

static bool contradicts(const struct said *said, enum status status)
{
	switch (said->meaning) {
	case MEANS_PERCENT:
		return true;
	case MEANS_DONE:
		return status == STATUS_NEEDS_ACTION || status == STATUS_IN_PROCESS;
	case MEANS_STARTED:
		return status != STATUS_IN_PROCESS;
	case MEANS_NOTHING:
		break;
	}
	return false;
}

char *mark_drops(TALLOC_CTX *mem, const struct conf *conf, const char *marks,
		 const struct vector *want)
{
	enum status status = (enum status)vector_get(want, FIELD_status, STATUS_NEEDS_ACTION);
	char *save = copy_of(mem, marks), *drops = NULL;

	for (char *word = next(&save); word; word = next(&save)) {
		struct said said = said_by(conf, word);

		if (!contradicts(&said, status))
			continue;
		drops = drops ? mem_printf(mem, "%s" BLANK "%s", drops, word) : word;
	}
	return drops;
}

bool mark_is_echo(const struct item_decision *decision, bool project_moved)
{
	if (project_moved || decision->pushed_back || decision->remark || decision->revision_count)
		return false;
	for (int f = 0; f < FIELDS; f++)
		if (decision->changed[f] && decision->rule[f])
			return false;
	return true;
}
