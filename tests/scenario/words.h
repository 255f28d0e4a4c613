/* words.h - revisions and reports as the words of a scenario. */
#ifndef TASKFERRY_TESTS_WORDS_H
#define TASKFERRY_TESTS_WORDS_H

#include "gateway/sync/round.h"
#include "model/revision.h"

/* The counter of that name; NULL: there is none. */
const int64_t *words_counter(const struct round_report *report, const char *name);

/* "losing percent:40>60>50": of each field base, theirs and ours. */
char *words_revision(TALLOC_CTX *mem, const struct revision *revision);

/* True when PART, `base=VALUE`, `theirs=VALUE` or `ours=VALUE`, is so of that field. */
bool words_say(TALLOC_CTX *mem, const struct revision *revision, enum field field,
	       const char *part);

#endif
