/* words.h - revisions as the words of a scenario. */
#ifndef TASKFERRY_TESTS_WORDS_H
#define TASKFERRY_TESTS_WORDS_H

#include "model/revision.h"

/* "losing percent:40>60>50": of each field base, theirs and ours. */
char *words_revision(TALLOC_CTX *mem, const struct revision *revision);

/* True when PART, `base=VALUE`, `theirs=VALUE` or `ours=VALUE`, is so of that field. */
bool words_say(TALLOC_CTX *mem, const struct revision *revision, enum field field,
	       const char *part);

#endif
