/* told.h - what a person reads, in the trailer of an item, of values of theirs that did not become
 * the project's: which, against which other, who or what won, and how to get them back; and what
 * was decided. Pure. */
#ifndef TASKFERRY_TOLD_H
#define TASKFERRY_TOLD_H

#include "conf/conf.h"
#include "model/revision.h"

#define TOLD_MAX 3         /* revisions: a trailer is read on a telephone */
#define TOLD_TEXT_CHARS 60 /* code points of a title or a note that is quoted */

/* The revisions of LIST (newest first) that a person wrote and that still mean something, one line
 * each, newest first, at most TOLD_MAX: a proposal until it is decided; anything else until each of
 * its fields got another value in the project. CHANGED_US: when each field of the project got its
 * value. NULL: nothing is to be told. */
char *told_text(TALLOC_CTX *mem, const struct revision *list, size_t count,
		const int64_t changed_us[FIELDS], enum conf_dates dates);

#endif
