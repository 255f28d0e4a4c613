/* words.h - the words of a scenario: of its lines, of revisions, of reports. */
#ifndef TASKFERRY_TESTS_WORDS_H
#define TASKFERRY_TESTS_WORDS_H

#include <string.h>

#include "gateway/sync/round.h"
#include "model/revision.h"

#define WORDS_MAX 24

struct line {
	struct world *world;
	const char *where;     /* FILE:LINE */
	char *rest[WORDS_MAX]; /* rest[i]: the text from word i on */
	char *word[WORDS_MAX + 1];
	int count;
};

/* Blank-separated words; a word may be quoted, also behind its `=`. */
void words_split(struct line *line, TALLOC_CTX *mem, const char *text);

/* True when there is a word I, and it is that one. */
static inline bool words_is(const struct line *line, int i, const char *word)
{
	return i < line->count && !strcmp(line->word[i], word);
}

/* The counter of that name; NULL: there is none. */
const int64_t *words_counter(const struct round_report *report, const char *name);

/* "losing percent:40>60>50": of each field base, theirs and ours. */
char *words_revision(TALLOC_CTX *mem, const struct revision *revision);

/* True when PART, `base=VALUE`, `theirs=VALUE` or `ours=VALUE`, is so of that field. */
bool words_say(TALLOC_CTX *mem, const struct revision *revision, enum field field,
	       const char *part);

#endif
