/* text.h - small pure functions on text: UTF-8, slugs, numbers, likeness. */
#ifndef TASKFERRY_TEXT_H
#define TASKFERRY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* True if the bytes are well-formed UTF-8 (RFC 3629) without NUL. */
bool text_is_utf8(const char *text, size_t n);

/* How many of the first N bytes are printable ASCII, without a line end or a TAB among them. */
size_t text_printable(const char *text, size_t n);

/* A copy in which every ill-formed sequence, NUL and control character other than TAB, CR and LF
 * became U+FFFD. */
char *text_to_utf8(TALLOC_CTX *mem, const char *text, size_t n);

/* True when that copy is the same. */
bool text_is_clean(const char *text, size_t n);

/* Number of code points of well-formed UTF-8; the largest prefix, in bytes, of at most N code
 * points / N bytes that does not cut a code point in two. */
size_t text_length(const char *text);
size_t text_prefix_chars(const char *text, size_t chars);
size_t text_prefix_bytes(const char *text, size_t bytes);

/* A short stable name of [a-z0-9-]: lower case, Latin letters with marks lose them, everything
 * else becomes one '-'. When nothing of the text survives (say, all Chinese) or something
 * outside Latin was dropped, a short hash of the text is added, so that two names do not become
 * one; the same when it had to be cut. At most MAX (> 0) bytes. Never empty. The same on every
 * machine, for ever: keys and paths are made of it. */
char *text_slug(TALLOC_CTX *mem, const char *text, size_t max);

/* Lower case in ASCII only. */
char *text_lower(TALLOC_CTX *mem, const char *text);

static inline bool text_starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool text_ends(const char *text, const char *suffix);
bool text_equal_nocase(const char *a, const char *b);

/* Both NULL, or both the same. */
bool text_same(const char *a, const char *b);

/* What stands for C in XML and HTML, between tags and in quoted values; NULL: it stands for
 * itself. */
static inline const char *text_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

/* A whole decimal number with nothing before or behind it; false and untouched otherwise or when
 * out of range. */
bool text_to_int(const char *text, int64_t *number_r);

/* The edit distance (insert, delete, replace, swap of neighbours) of two short words, for "did
 * you mean"; for a word of more than 64 bytes the length of the longer one. */
size_t text_distance(const char *a, const char *b);

/* `*` and `?` (one code point) globbing, ASCII case folded. Time at most the product of the
 * lengths. */
bool text_glob(const char *pattern, const char *text);

/* The text without white space at both ends. */
char *text_trim(TALLOC_CTX *mem, const char *text);

/* True when that would take something off. */
bool text_has_margin(const char *text);

/* True for an e-mail address that we accept anywhere (DESIGN section 9: addresses come from
 * files and get into logins and paths): local@domain, at most 254 bytes, [A-Za-z0-9._%+=-] and
 * UTF-8 letters (in the domain no `_%+=`), on neither side a leading `-` or `.`, a trailing `.`
 * or a `..`, nothing else. Combining marks are no letters: a name has one form. */
bool text_is_address(const char *text);

/* One line for people: control characters, newlines and direction overrides become blanks, what
 * is not UTF-8 becomes U+FFFD; cut with an ellipsis as its last of CHARS code points. */
char *text_one_line(TALLOC_CTX *mem, const char *text, size_t chars);

/* The same without white space at the ends; TEXT itself where that is all. */
const char *text_trim_line(TALLOC_CTX *mem, const char *text, size_t chars);

#endif
