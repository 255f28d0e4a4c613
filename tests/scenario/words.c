#include "config.h"

#include "words.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void words_split(struct line *line, TALLOC_CTX *mem, const char *text)
{
	memset(line->word, 0, sizeof line->word);
	line->count = 0;
	while (*(text += strspn(text, " \t"))) {
		struct buf *word = buf_new(mem);
		bool quoted = false;

		cr_assert_lt(line->count, WORDS_MAX, "%s: too many words", line->where);
		line->rest[line->count] = mem_strdup(mem, text);
		for (; *text && (quoted || (*text != ' ' && *text != '\t')); text++) {
			if (*text == '"')
				quoted = !quoted;
			else
				buf_putc(word, *text);
		}
		cr_assert_not(quoted, "%s: a quote is not closed", line->where);
		line->word[line->count++] = buf_steal(&word, mem, NULL);
	}
}

char *words_revision(TALLOC_CTX *mem, const struct revision *revision)
{
	struct buf *out = buf_new(mem);

	buf_printf(out, "%s", revision_state_name(revision->state));
	for (int f = 0; f < FIELDS; f++) {
		const struct revision_field *field = &revision->field[f];
		char *base = value_text(mem, (enum field)f, &field->base),
		     *theirs = value_text(mem, (enum field)f, &field->theirs);
		char *ours = value_text(mem, (enum field)f, &field->ours);

		if (revision->has[f])
			buf_printf(out, " %s:%s>%s>%s", field_table[f].name, base ? base : "-",
				   theirs ? theirs : "-", ours ? ours : "-");
	}
	return buf_steal(&out, mem, NULL);
}

const int64_t *words_counter(const struct round_report *report, const char *name)
{
	static const char *const names[] = { "read",     "changed",  "created",   "updated",
					     "removed",  "adopted",  "corrected", "rejected",
					     "proposed", "losing",   "foreign",   "undecodable",
					     "declined", "restored", "held",      "waiting",
					     "compared", "folders",  "amiss" };

	_Static_assert(COUNT_OF(names) == offsetof(struct round_report, due_us) / sizeof(int64_t),
		       "one name per counter");
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!strcmp(names[i], name))
			return &report->read + i;
	return NULL;
}

bool words_say(TALLOC_CTX *mem, const struct revision *revision, enum field field, const char *part)
{
	const struct revision_field *values = &revision->field[field];
	const char *equals = strchr(part, '=');
	const struct value *value = text_starts(part, "base=")     ? &values->base
				    : text_starts(part, "theirs=") ? &values->theirs
								   : &values->ours;
	char *text = value_text(mem, field, value);

	return revision->has[field] && equals && !strcmp(text ? text : "", equals + 1);
}
