/* icaltext.h - iCalendar text as lines with their places, and edits of single lines in it (RFC 5545
 * section 3.1).
 *
 * The raw bytes are never re-written: a parse only points into them. An edit replaces, inserts or
 * deletes content lines of one component and gives a new text in which every other byte stands as
 * before (DESIGN N4), however odd its folding, line ends, order or names are.
 *
 * Reading is lenient in form: CRLF, LF or CR line ends, also mixed; a BOM; no final newline; blank
 * lines; folds of any width; lower-case names; quoted parameters with `:` and `;`; soft line breaks
 * of quoted-printable values. It is strict in structure: a component that is not closed, or closed
 * by another name, is a DATA fault, because a text that was cut off must never be edited.
 */
#ifndef TASKFERRY_ICALTEXT_H
#define TASKFERRY_ICALTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"

#define ICALTEXT_NONE UINT32_MAX   /* no component: a line outside of all */
#define ICALTEXT_FOLD 75           /* octets of a line that we write, RFC 5545 section 3.1 */
#define ICALTEXT_LINES_MAX 100000U /* content lines of one text; 48 bytes of memory each */

enum icaltext_kind {
	ICALTEXT_PROPERTY,
	ICALTEXT_BEGIN,
	ICALTEXT_END,
	ICALTEXT_BLANK, /* a run of empty lines */
	ICALTEXT_OTHER, /* no `name:value` */
	ICALTEXT_KINDS
};

/* One content line. The lines' spans [start, end) lie side by side and cover the whole text. Texts
 * are unfolded and as written (escaped); a NUL stands behind each of them. */
struct icaltext_line {
	uint32_t start, end; /* bytes of the raw text, with folds and the line end */
	uint32_t component;  /* index of the component that it stands in, or opens, or closes */
	enum icaltext_kind kind;
	const char *name;   /* "" for BLANK and OTHER */
	const char *params; /* between the name's `;` and the `:`; "" when there are none */
	const char *value;  /* the whole line for OTHER; may hold NULs of its own */
	uint32_t value_len;
	bool unfinished; /* ends in the middle of a soft line break; nothing may be put behind it */
};

struct icaltext_component {
	const char *name;    /* as written */
	uint32_t begin, end; /* its BEGIN and END lines */
	uint32_t parent;     /* ICALTEXT_NONE at the top */
	uint32_t depth;      /* 1 at the top */
};

struct icaltext {
	const char *text; /* the caller's; it must live as long as this does */
	size_t len;
	const char *eol; /* the line end that most lines have */
	struct icaltext_line *lines;
	uint32_t line_count;
	struct icaltext_component *components; /* in the order of their BEGIN lines */
	uint32_t component_count;
};

struct icaltext_limits {
	size_t text;    /* bytes */
	size_t line;    /* bytes of one line, unfolded */
	size_t attach;  /* bytes of an ATTACH line, whose value may be a file; 0: as any other */
	uint32_t depth; /* components in components */
};

/* Finds the lines and components of LEN bytes. DATA fault (scope ITEM, HOLD): over LIMITS, or
 * components that do not close. A text without any component is no fault. */
struct fault *icaltext_parse(TALLOC_CTX *mem, const char *text, size_t len,
			     const struct icaltext_limits *limits,
			     struct icaltext **ical_r) ATTR_MUST_CHECK;

/* True for a property of that name; case does not count. */
bool icaltext_is(const struct icaltext_line *line, const char *name);

/* The next property NAME that stands in COMPONENT itself, not in its sub-components, behind line
 * AFTER, or the first one when AFTER is NULL; NULL when there is none. */
const struct icaltext_line *icaltext_find(const struct icaltext *ical, uint32_t component,
					  const char *name, const struct icaltext_line *after);

/* A parameter's value without quotes and RFC 6868 escapes; NULL when the line has no such
 * parameter. */
char *icaltext_param(TALLOC_CTX *mem, const struct icaltext_line *line, const char *name);

/* The parameters as they are written, but without those named in the NULL-terminated list: "" or
 * ";A=1;B=2". One with a quote that does not close is dropped: it would swallow a new value. */
char *icaltext_params_without(TALLOC_CTX *mem, const struct icaltext_line *line,
			      const char *const *names);

/* Adds CONTENT, one content line without line end, and EOL; in physical lines of less than
 * ICALTEXT_FOLD octets, cut behind words where there are any, and never within a character. */
void icaltext_fold(struct buf *buf, const char *content, const char *eol);

/* The same with the content line that stands in BUF already, from FROM on. What is made on the way
 * is left to TMP. */
void icaltext_fold_last(TALLOC_CTX *tmp, struct buf *buf, size_t from, const char *eol);

const char *icaltext_kind_name(enum icaltext_kind kind);

/* A list of edits of a parsed text; ICAL must outlive it. A line is replaced or deleted at most
 * once. */
struct icaltext_edit;
struct icaltext_edit *icaltext_edit_new(TALLOC_CTX *mem, const struct icaltext *ical);

/* CONTENT instead of LINE; when it says the same to the letter, the line's own bytes stay. */
void icaltext_replace(struct icaltext_edit *edit, const struct icaltext_line *line,
		      const char *content);
void icaltext_delete(struct icaltext_edit *edit, const struct icaltext_line *line);

/* CONTENT as a new line of COMPONENT: in front of its first sub-component, else in front of its
 * END; what is inserted later stands later. */
void icaltext_insert(struct icaltext_edit *edit, uint32_t component, const char *content);

/* The new text, owned by MEM, and its length. DATA fault as icaltext_parse(): a written line or the
 * text is over LIMITS, so that nothing is written that could not be read again. */
struct fault *icaltext_apply(TALLOC_CTX *mem, const struct icaltext_edit *edit,
			     const struct icaltext_limits *limits, char **text_r,
			     size_t *len_r) ATTR_MUST_CHECK;

#endif
