/* vtodo_reply.h - what a person's task program answers: a VTODO with METHOD:REPLY (RFC 5546 section 3.4.3). Pure.
 *
 * What counts is what the attendee says of the own part; all else in it is a copy of the task as that
 * program has it, perhaps an old one:
 *
 *   PARTSTAT, STATUS     COMPLETED or IN-PROCESS in either of them, the farther one. STATUS:NEEDS-ACTION only
 *                        where PARTSTAT says no more; beside ACCEPTED it is a copy.
 *   PERCENT-COMPLETE     1 to 100; 0 only beside a STATUS:NEEDS-ACTION that counts: programs write it when they
 *                        know of no progress.
 *   COMPLETED            where the task is completed
 *   COMMENT              a note; DESCRIPTION is the task's own
 */
#ifndef TASKFERRY_VTODO_REPLY_H
#define TASKFERRY_VTODO_REPLY_H

#include <stddef.h>

#include "base/fault.h"
#include "model/vector.h"

#define VTODO_REPLY_NOTE_MAX 16384 /* bytes of all comments together, as of a reply in words */
#define VTODO_REPLY_SEQUENCE_MAX INT32_MAX /* RFC 5545 section 3.3.8 */

enum vtodo_reply_part {
	VTODO_REPLY_NEEDS_ACTION, /* also TENTATIVE, and where nothing is said */
	VTODO_REPLY_ACCEPTED,     /* also IN-PROCESS and COMPLETED */
	VTODO_REPLY_DECLINED,
	VTODO_REPLY_DELEGATED, /* to somebody; not understood */
	VTODO_REPLY_PARTS
};

struct vtodo_reply {
	const char *uid;
	const char *attendee; /* the address, in lower case, without "mailto:" */
	enum vtodo_reply_part part;
	/* which of two of the same attendee is the newer one: first by the one, then by the other */
	int64_t sequence;      /* 0 where it has none */
	int64_t stamp_us;      /* DTSTAMP */
	struct vector *values; /* status, percent, completed_at, as far as it says them */
	const char *note;      /* "" for none */
	const char **problems; /* what was not understood */
	size_t problem_count;
};

/* DATA fault (scope ITEM): as vtodo_decode(); or no METHOD:REPLY, more than one VTODO, not exactly one ATTENDEE, or
 * one whose address is no mailto:, no UID, no DTSTAMP in UTC, a SEQUENCE that is none, one instance of a series. */
struct fault *vtodo_reply_read(TALLOC_CTX *mem, const char *text, size_t len,
			       struct vtodo_reply **reply_r) ATTR_MUST_CHECK;

const char *vtodo_reply_part_name(enum vtodo_reply_part part);

#endif
