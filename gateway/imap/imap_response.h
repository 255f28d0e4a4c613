/* imap_response.h - what an IMAP server says, as a tree (RFC 3501 section 7 and 9, RFC 4466, RFC
 * 7888; the meaning is above).
 *
 * Two steps. Framing finds one whole response in the bytes read so far: lines, and the literals
 * that they announce; it never looks further than its limits (N10). Parsing makes a tree of atoms,
 * strings and lists of it. Whatever is well-formed is a response, known or not; so an unknown kind
 * or item is skipped by whoever does not ask for it and never puts the session out of step.
 */
#ifndef TASKFERRY_IMAP_RESPONSE_H
#define TASKFERRY_IMAP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define IMAP_LINE_MAX                                                                              \
	((size_t)1 << 20) /* bytes of all lines of one response without its literals:
					   a UID list of 100,000 messages is some 600 KB */
#define IMAP_LITERAL_MAX                                                                           \
	((size_t)2                                                                                 \
	 << 20) /* bytes of one literal that we keep: an item is 1 MiB (DESIGN section   \
			     11), and we fetch no more than that */
#define IMAP_RESPONSE_MAX ((size_t)4 << 20) /* bytes of one response */
#define IMAP_DEPTH_MAX 32                   /* lists in lists; BODYSTRUCTURE of a deep mail */
#define IMAP_NODES_MAX 300000U              /* of one response */

enum imap_node_kind { IMAP_ATOM, IMAP_STRING, IMAP_NIL, IMAP_LIST };

/* An atom keeps brackets and what is inside of them: `BODY[HEADER.FIELDS (Date)]<0>` is one atom.
 * Strings may hold NUL in literals only; a NUL stands behind every text. */
struct imap_node {
	enum imap_node_kind kind;
	const char *text; /* atom and string; "" for others */
	size_t len;
	struct imap_node *first; /* of a list */
	struct imap_node *next;  /* in the same list */
};

enum imap_response_kind { IMAP_UNTAGGED, IMAP_TAGGED, IMAP_CONTINUE };

struct imap_response {
	enum imap_response_kind kind;
	const char *tag;  /* TAGGED only */
	uint32_t number;  /* `* 12 EXISTS`: 12; else 0 */
	const char *name; /* in upper case: "OK", "NO", "BAD", "BYE", "PREAUTH", "FETCH" ...; ""
				 for CONTINUE */
	const char *code; /* of OK NO BAD BYE PREAUTH and CONTINUE: the name in upper case of
				 `[CODE ...]`; NULL: none */
	struct imap_node *code_args; /* what stands behind it inside the brackets; NULL: nothing */
	const char *text;            /* of the same, for people; "" for others */
	struct imap_node *args;      /* of all other names: the nodes behind the name */
};

/* How far framing has come, so that a response that arrives in many reads is looked at once. Zeroed
 * at the start of each response; the bytes before may only grow meanwhile. */
struct imap_frame {
	size_t line;  /* where the last line begins: behind a literal, or at 0 */
	size_t at;    /* all before it has been looked at; inside of a literal: its end */
	size_t lines; /* bytes of whole lines so far, without literals */
	enum { IMAP_FRAME_NEW, IMAP_FRAME_DATA, IMAP_FRAME_CODE, IMAP_FRAME_TEXT } state;
};

/* The length of the first whole response in N bytes at P, its last line end included; 0: more is
 * needed. A literal is announced at the end of a line of data, or inside the brackets of a code;
 * the text for people behind OK, NO, BAD, BYE, PREAUTH and `+` may end in "{5}" and announces none.
 * PROTOCOL fault (scope ACCOUNT): over the limits, a literal size that is none. */
struct fault *imap_response_frame(TALLOC_CTX *mem, const char *p, size_t n,
				  size_t *len_r) ATTR_MUST_CHECK;

/* The same, going on from FRAME. */
struct fault *imap_response_frame_on(TALLOC_CTX *mem, struct imap_frame *frame, const char *p,
				     size_t n, size_t *len_r) ATTR_MUST_CHECK;

/* Parses one framed response. PROTOCOL fault (scope ACCOUNT): not a response. The tree belongs to
 * the response, and points into nothing else. What cannot be read inside a response code's brackets,
 * or behind a name that is not in our table of names, is left out (`code_args`, `args` NULL). */
struct fault *imap_response_parse(TALLOC_CTX *mem, const char *p, size_t n,
				  struct imap_response **response_r) ATTR_MUST_CHECK;

/* ---- looking at trees ---- */

/* Case-insensitive. */
bool imap_node_is(const struct imap_node *node, const char *word);

/* The node behind the one that says WORD in a list of pairs (`(UID 7 FLAGS (...))`); NULL. */
const struct imap_node *imap_node_after(const struct imap_node *first, const char *word);

/* True when LIST has the word in it, itself and not in another list. */
bool imap_node_has(const struct imap_node *list, const char *word);

/* A number: digits only, in the range of the type; false for anything else. NODE may be NULL. */
bool imap_node_u32(const struct imap_node *node, uint32_t *value_r);
bool imap_node_u64(const struct imap_node *node, uint64_t *value_r);

#endif
