/* imap_flags.h - the flags and keywords of a message. Pure. */
#ifndef TASKFERRY_IMAP_FLAGS_H
#define TASKFERRY_IMAP_FLAGS_H

#include "gateway/imap/imap_response.h"

/* Without \Recent, in one order, each once; only what is a flag by RFC 3501's grammar, so that all
 * of it may be sent. */
struct imap_flags {
	const char **names;
	size_t count;
};

/* `(\Seen work)` of a response, or the same as text without brackets. */
struct imap_flags *imap_flags_of_list(TALLOC_CTX *mem, const struct imap_node *list);
struct imap_flags *imap_flags_of_text(TALLOC_CTX *mem, const char *text);

/* "\Seen work" */
char *imap_flags_text(TALLOC_CTX *mem, const struct imap_flags *flags);

/* Without case. */
bool imap_flags_have(const struct imap_flags *flags, const char *name);
bool imap_flags_same(const struct imap_flags *a, const struct imap_flags *b);

/* Those that a replacement bears: \Answered, \Draft, \Flagged, \Seen, and keywords if ANY or if they
 * are among PERMANENT (blank-separated as in PERMANENTFLAGS; NULL: not told, so all). */
struct imap_flags *imap_flags_kept(TALLOC_CTX *mem, const struct imap_flags *flags, bool any,
				   const char *permanent);

/* What a person has on an item beyond what is to be carried over: words in ADD get set, those in DROP
 * go (blank-separated, NULL: none; a word that begins with '/' is no flag). QUIET: \Seen stays. */
struct imap_flags_wish {
	const char *add, *drop;
	bool quiet;
};

/* The flags of an item that stands in place of one with OLD (NULL: of none), as imap_flags_kept(). */
struct imap_flags *imap_flags_wished(TALLOC_CTX *mem, const struct imap_flags *old,
				     const struct imap_flags_wish *wish, bool any,
				     const char *permanent);

/* Those of FLAGS that are not in OTHER, nor \Deleted. */
struct imap_flags *imap_flags_lacking(TALLOC_CTX *mem, const struct imap_flags *flags,
				      const struct imap_flags *other);

/* What a person sets on purpose: \Flagged and keywords, without those that software sets by itself
 * ($Forwarded, Junk ...): sorted by strcmp(), one blank between two, no longer than
 * IMAP_MARKS_MAX bytes (what is beyond is left out). "": none. MORE: a mark that is no flag, or NULL.
 */
#define IMAP_MARKS_MAX 1000 /* bytes: they are part of a version */
char *imap_flags_marks(TALLOC_CTX *mem, const struct imap_flags *flags, const char *more);
bool imap_flags_are_marks(const struct imap_node *list); /* of a response: it has any */

#endif
