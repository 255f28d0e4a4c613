/* vtodo.h - vector <-> VTODO (RFC 5545 section 3.6.2), and patching of the raw text that a server
 * holds.
 *
 * The raw text is the truth (DESIGN section 7): we never re-serialise what somebody else wrote. A
 * patch replaces, inserts or deletes single content lines of the one VTODO; every other byte stays
 * (N4), also properties that stand behind sub-components, odd folding, odd line ends. libical reads
 * values only. Decoding is lenient: what cannot be understood is absent and named in `problems`.
 * Encoding is strict: CRLF, folded at 75 octets behind words or characters, escaped, in UTC or
 * VALUE=DATE.
 *
 * Bounds (DESIGN section 11): text 1 MiB, one line 64 KiB unfolded, nesting 16; anything over is a
 * DATA fault.
 */
#ifndef TASKFERRY_VTODO_H
#define TASKFERRY_VTODO_H

#include <stddef.h>

#include "model/files.h"
#include "model/trailer.h"
#include "model/vector.h"

#define VTODO_TEXT_MAX ((size_t)1 << 20)  /* bytes: one item; DESIGN section 11 */
#define VTODO_LINE_MAX                                                                             \
	((size_t)64 << 10) /* bytes, unfolded; DESIGN section 11; an ATTACH line: as the text */
#define VTODO_DEPTH_MAX 16                /* components in components; DESIGN section 11 */

/* Changes whenever decoding means something new by the same text; part of every group digest. */
#define VTODO_DECODER_VERSION 3

/* An item as read. Its values hold the fields of the table that have a VTODO property, but the
 * actual work, which is output only. A property that is not there is cleared where the client that
 * wrote the item clears it so (model/writer.h), else absent; a value that is not understood is
 * absent, and so are the dates of a recurring item, and a start that its client made of the due
 * date. Numbers are as written (140 per cent). Notes are without the trailer. Attachments are
 * those in the text and links: what the server manages stands in `files` only. */
struct vtodo {
	struct vector *values;
	const char *uid;          /* NULL when the item has none */
	int64_t edition;          /* number of X-TASKFERRY-EDITION, 0 when there is none */
	const char *edition_hash; /* its hash, or NULL */
	const char *description;  /* DESCRIPTION unescaped, with the trailer; NULL when absent */
	const char *prodid;       /* who wrote it last, or NULL */
	int64_t last_modified_us; /* LAST-MODIFIED, else 0 */
	int64_t elapsed_s;        /* X-TASKS-ELAPSED-SECONDS, a timer's sum; -1: none */
	bool recurring;           /* has RRULE, RDATE or RECURRENCE-ID */
	struct files *files;      /* attachments that are understood, also those that the server
				     manages, which have no digest yet; NULL: none */
	const char **problems;    /* what was not understood, one line each; never a secret */
	size_t problem_count;
};

/* What to publish. A value that is absent is not ours to touch; cleared: the property is removed.
 * The parent is a UID. */
struct vtodo_publish {
	const struct vector *values;
	const char *uid;          /* of a new item */
	int64_t edition;          /* 0: none is written */
	const char *edition_hash; /* or NULL */
	const char *trailer;      /* of trailer_text(), or NULL */
	/* Attachments do not follow from the values: what shall stand in the text, which is added
	 * where it does not; and the ids (files_id()) of lines that go. All others stay. */
	const struct files_content *files;
	size_t file_count;
	const char *const *gone;
	size_t gone_count;
	int64_t now_us;           /* DTSTAMP and LAST-MODIFIED */
};

/* Reads an item. LAST is the description that we wrote last, or NULL (see trailer_split()).
 * DATA fault, scope ITEM, next HOLD: not iCalendar, components that do not close (a text cut off),
 * no VTODO in it, more than one (not ours to touch; instances of a series beside the task itself are
 * left alone and not read), over the bounds. */
struct fault *vtodo_decode(TALLOC_CTX *mem, const char *text, size_t len, const char *last,
			   struct vtodo **vtodo_r) ATTR_MUST_CHECK;

/* VALUES, whose texts it shares where they stay, as far as an item can say them, which is what vtodo_decode() reads
 * from an item that publishes them: fields without a VTODO property and the actual work are absent;
 * start takes the kind of due (a date is its local midnight) and is cleared unless it is earlier then;
 * completed_at is cleared unless the status is completed; percent lies in 1 to 100 or is cleared; priority is 1,
 * 5, 9 or cleared; efforts of nothing are cleared; instants have whole seconds; a subject has at
 * most SUBJECT_MAX_CHARS; texts are as carried_texts() has them. */
struct vector *vtodo_normal(TALLOC_CTX *mem, const struct vector *values);

/* The bytes of the attachment of that digest that an item holds in its text. DATA fault: it holds
 * none, or as vtodo_decode(). */
struct fault *vtodo_file_bytes(TALLOC_CTX *mem, const char *text, size_t len, const char *digest,
			       char **bytes_r, size_t *len_r) ATTR_MUST_CHECK;

/* True when an item that decodes to SEEN needs no write to say VALUES: vtodo_patch() would leave
 * all of their properties as they are. By this, not by comparing vectors, a round finds out whether
 * to push (N3; attachments are not looked at): a start that an item cannot say, or an actual work, which is output only, is never
 * a reason to write. SEEN is of an item whose writer clears what is missing. */
bool vtodo_same(const struct vector *values, const struct vector *seen);

/* A new item; publish->uid is needed. The text is owned by MEM; *LEN_R may be NULL. DATA fault:
 * over the bounds. */
struct fault *vtodo_encode(TALLOC_CTX *mem, const struct vtodo_publish *publish, char **text_r,
			   size_t *len_r) ATTR_MUST_CHECK;

/* What vtodo_decode() makes of that text without a LAST, but `description` and `problems`; told from
 * PUBLISH, as reading costs more than writing. NULL: only reading tells (attachments, no trailer, a
 * text or a number that does not come back to the letter). */
struct vtodo *vtodo_foresee(TALLOC_CTX *mem, const struct vtodo_publish *publish);

/* The same item with the values that PUBLISH says. A property whose value already means the same
 * (value_same() against the decoded text) keeps its bytes. DTSTAMP, LAST-MODIFIED,
 * X-TASKFERRY-EDITION and the trailer ride along; X-ALT-DESC and ALTREP go where DESCRIPTION
 * changes. SEQUENCE is left alone, and so are the dates of a recurring item. Values that are absent
 * in PUBLISH stay, but DTSTART and COMPLETED go where they would contradict what is written (DUE,
 * STATUS). publish->uid is not used. DATA fault as vtodo_decode(), or when the new text would be
 * over the bounds. */
struct fault *vtodo_patch(TALLOC_CTX *mem, const char *text, size_t len,
			  const struct vtodo_publish *publish, char **text_r,
			  size_t *len_r) ATTR_MUST_CHECK;

#endif
