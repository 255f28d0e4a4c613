/* imap_name.h - names of mailboxes: pure. */
#ifndef TASKFERRY_IMAP_NAME_H
#define TASKFERRY_IMAP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* Bytes of one level, in modified UTF-7 as in UTF-8. Maildir++ makes one directory of all levels of
 * a name, which takes 250 (facts: Dovecot, Courier): two levels, the delimiter, and room for a
 * sub-folder of the person's own. */
#define IMAP_NAME_COMPONENT_MAX 110

/* UTF-8 to modified UTF-7 (RFC 3501 section 5.1.3) and back. NULL: not UTF-8, or a control
 * character; not strict modified UTF-7 (the one canonical encoding only). */
char *imap_name_encode(TALLOC_CTX *mem, const char *utf8);
char *imap_name_decode(TALLOC_CTX *mem, const char *mutf7);

/* In UTF-8, as a server tells it: some send names as they are. */
char *imap_name_told(TALLOC_CTX *mem, const char *told);

/* One level of a name, safe on every server (facts: Dovecot, Cyrus, Courier in all layouts), the
 * same for all of them. Characters outside `[A-Za-z0-9_@:+=#?&-]` and the blank that are ASCII
 * become look-alikes ('/' U+2215, '.' U+2024, '%' U+066A, '*' U+2217, '\' U+2216, '"' U+201D,
 * '|' U+2223, '<' U+2039, '>' U+203A, '~' U+223C, all others their full-width form). ASCII control
 * characters and line separators become '_'; other control characters, and what is not UTF-8,
 * U+FFFD; invisible direction marks go; all else that is not ASCII stays. Blanks are trimmed at both
 * ends and never doubled. Too long: cut on a character, with U+2026 and a short hash of TEXT behind
 * it, so that two long names do not become one. Never empty: "_". "INBOX", "cur", "new", "tmp" and
 * the like, in any case, get a "_" behind them. SUFFIX (at most 32 ASCII letters and digits, or
 * NULL) is put behind it as " (SUFFIX)" in full-width brackets. Never decoded back. */
char *imap_name_level(TALLOC_CTX *mem, const char *text, const char *suffix);

/* The mailbox of a project: PREFIX TOP DELIMITER SUB; with a flat server ('\0') the levels are
 * joined by " - ". TOP and SUB are levels already; where the server's delimiter is one of the
 * characters that levels keep, it becomes '_' in them ('-' where that is it). */
char *imap_name_join(TALLOC_CTX *mem, const char *prefix, char delimiter, const char *top,
		     const char *sub);

/* The mailbox above that one; NULL on a flat server. */
char *imap_name_parent(TALLOC_CTX *mem, const char *prefix, char delimiter, const char *top);

#endif
