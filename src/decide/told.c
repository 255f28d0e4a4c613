/* told.c - one form of words for each state that a revision can be in. The number comes first, so
 * that it stands there also where a long line is cut. */
#include "config.h"

#include "decide/told.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/effort.h"
#include "model/files.h"

enum values { VALUES_THEIRS, VALUES_OURS };

/* "due", "total work" */
static char *field_words(TALLOC_CTX *mem, enum field field)
{
	char *words = mem_strdup(mem, field_table[field].name);

	for (char *c = words; *c; c++)
		if (*c == '_')
			*c = ' ';
	return words;
}

static char *when_words(TALLOC_CTX *mem, enum field field, const struct when *when,
			enum conf_dates dates)
{
	struct when day = when_date(when_local_day(when));

	if (when->kind == WHEN_INSTANT && (dates == DATES_TIME || field == FIELD_completed_at))
		return when_text(mem, when);
	return when_text(mem, &day);
}

/* What could be taken for the separator of a trailer is not quoted. */
static char *quoted(TALLOC_CTX *mem, const char *text)
{
	char *line = text_one_line(mem, text, TOLD_TEXT_CHARS);

	if (strstr(text_lower(mem, line), "taskferry"))
		return mem_strdup(mem, "(another text)");
	return mem_printf(mem, "\"%s\"", text_trim(mem, line));
}

static void put_value(struct buf *out, enum field field, const struct value *value,
		      enum conf_dates dates)
{
	const char *name = field_words(out, field);

	if (value->presence != SET) {
		buf_printf(out, "no %s", name);
		return;
	}
	switch (field_table[field].type) {
	case FIELD_WHEN:
		buf_printf(out, "%s %s", name, when_words(out, field, &value->when, dates));
		break;
	case FIELD_EFFORT:
		buf_printf(out, "%s %s%s", name, value->number < 0 ? "-" : "",
			   effort_to_text(out, value->number < 0 ? -value->number : value->number));
		break;
	case FIELD_TEXT:
	case FIELD_LIST:
		buf_printf(out, "%s %s", name, quoted(out, value->text));
		break;
	case FIELD_FILES:
		buf_printf(out, "%s %s", name, quoted(out, files_names(out, value->text)));
		break;
	case FIELD_NUMBER:
	case FIELD_FLAG:
	case FIELD_STATUS:
	case FIELD_TYPES:
		buf_printf(out, "%s %s%s", name, value_text(out, field, value),
			   field == FIELD_percent ? " %" : "");
		break;
	}
}

/* "status completed, percent 100 %" */
static char *values_words(TALLOC_CTX *mem, const struct revision *revision, enum values which,
			  enum conf_dates dates)
{
	struct buf *out = buf_new(mem);

	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];

		if (!revision->has[f])
			continue;
		if (out->len)
			buf_puts(out, ", ");
		put_value(out, (enum field)f,
			  which == VALUES_THEIRS ? &field->theirs : &field->ours, dates);
	}
	return buf_steal(&out, mem, NULL);
}

/* " (set by carla)"; who that was stands behind the first colon of an author. */
static char *winner_words(TALLOC_CTX *mem, const struct revision *revision)
{
	const char *against = revision->against, *name = against ? strchr(against, ':') : NULL;

	if (!name || text_same(against, revision->writer))
		return mem_strdup(mem, "");
	if (text_starts(against, "rule:"))
		return mem_printf(mem, " (set by the rule %s)", name + 1);
	if (text_starts(against, "import:"))
		return mem_printf(mem, " (from the project file %s)", name + 1);
	if (text_starts(against, "mailbox:"))
		return mem_printf(mem, " (reported from %s)", name + 1);
	return mem_printf(mem, " (set by %s)", name + 1);
}

/* A sentence of TEXT: a capital letter in front, a full stop behind; "" for none. */
static char *sentence(TALLOC_CTX *mem, const char *text)
{
	char *words = text ? text_trim(mem, text) : NULL;
	size_t len = words ? strlen(words) : 0;

	if (!len)
		return mem_strdup(mem, "");
	if (*words >= 'a' && *words <= 'z')
		*words = (char)(*words - 'a' + 'A');
	return mem_printf(mem, " %s%s", words, strchr(".!?", words[len - 1]) ? "" : ".");
}

/* The project manager's word on it. */
static void put_decided(struct buf *out, const struct revision *revision, enum conf_dates dates)
{
	static const char *const heads[REVISION_STATES] = {
		[REVISION_REJECTED] = "Refused",
		[REVISION_ACCEPTED] = "Accepted",
		[REVISION_DISMISSED] = "Set aside",
	};
	const char *head = heads[revision->state];
	bool restored =
		revision->state == REVISION_ACCEPTED && revision->origin != REVISION_PROPOSED;

	if (!head)
		return;
	buf_printf(out, "%s by the project manager (revision %lld): %s",
		   restored ? "Restored" : head, (long long)revision->id,
		   values_words(out, revision, VALUES_THEIRS, dates));
	if (revision->state != REVISION_ACCEPTED)
		buf_printf(out, "; it stays at %s",
			   values_words(out, revision, VALUES_OURS, dates));
	buf_printf(out, ".%s", sentence(out, revision->comment));
}

static void put_open(struct buf *out, const struct revision *revision, enum conf_dates dates)
{
	const char *theirs = values_words(out, revision, VALUES_THEIRS, dates);
	const char *ours = values_words(out, revision, VALUES_OURS, dates);
	const char *why = sentence(out, revision->message);
	long long id = revision->id;

	switch (revision->state) {
	case REVISION_LOSING:
		buf_printf(out,
			   "Not kept (revision %lld): %s. The project has %s%s.%s To have yours "
			   "after all, write it again or ask the project manager to restore it.",
			   id, theirs, ours, winner_words(out, revision), why);
		break;
	case REVISION_CORRECTED:
		buf_printf(out, "Corrected (revision %lld): %s became %s.%s", id, theirs, ours,
			   why);
		break;
	case REVISION_REJECTED:
		buf_printf(out,
			   "Not accepted (revision %lld): %s; it stays at %s.%s To have yours "
			   "after all, ask the project manager to restore it.",
			   id, theirs, ours, why);
		break;
	case REVISION_PROPOSED:
		buf_printf(out,
			   "Proposed (revision %lld): %s instead of %s.%s The project manager "
			   "decides.",
			   id, theirs, ours, why);
		break;
	case REVISION_ACCEPTED:
	case REVISION_DISMISSED:
	case REVISION_STATES:
		break;
	}
}

/* A proposal waits until it is decided; the rest is old news when all its fields moved on. */
static bool is_news(const struct revision *revision, const int64_t changed_us[FIELDS])
{
	int64_t at_us = revision->decided_us ? revision->decided_us : revision->at_us;

	if (!revision_is_of_person(revision))
		return false;
	if (revision->state == REVISION_PROPOSED)
		return true;
	if (revision->state == REVISION_DISMISSED && revision->origin != REVISION_PROPOSED &&
	    !revision->comment)
		return false;
	for (int f = 0; f < FIELDS; f++)
		if (revision->has[f] && changed_us[f] <= at_us)
			return true;
	return false;
}

char *told_text(TALLOC_CTX *mem, const struct revision *list, size_t count,
		const int64_t changed_us[FIELDS], enum conf_dates dates)
{
	struct buf *out = buf_new(mem);
	int told = 0;

	for (size_t i = 0; i < count && told < TOLD_MAX; i++) {
		size_t before = out->len;

		if (!is_news(&list[i], changed_us))
			continue;
		if (list[i].decided_us)
			put_decided(out, &list[i], dates);
		else
			put_open(out, &list[i], dates);
		if (out->len > before) {
			buf_putc(out, '\n');
			told++;
		}
	}
	return out->len ? buf_steal(&out, mem, NULL) : NULL;
}
