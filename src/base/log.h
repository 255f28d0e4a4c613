/* log.h - what happened, one line per event: `level message key=value ...`.
 *
 * Only the top layers log; those below return faults. A value is quoted when it needs it, control
 * characters are escaped, so that nothing from outside makes a line of its own; registered secrets
 * are masked (N8). Under systemd, when the stream is the journal's, a line begins with "<N>", its
 * priority. Any thread may log; a line is written in one piece.
 */
#ifndef TASKFERRY_LOG_H
#define TASKFERRY_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/secret.h"

#define LOG_TEXT_MAX ((size_t)4096) /* bytes of a message or value: the rest is cut, with a "…" */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVELS };

/* "error" ... "debug"; and back: false and untouched for another word. */
const char *log_level_name(enum log_level level);
bool log_level_from_name(const char *name, enum log_level *level_r);

struct log;

/* Writes to OUT (NULL: stderr), which stays the caller's, what is as grave as LEVEL or graver. */
struct log *log_new(TALLOC_CTX *mem, FILE *out, enum log_level level);

/* A log that puts KEY=VALUE behind the message of each of its lines, after the pairs that LOG puts
 * there: account, folder, task. Shares level and secrets with LOG, which outlives it. */
struct log *log_with(TALLOC_CTX *mem, const struct log *log, const char *key, const char *value);

/* A new level for the whole family. Any thread. */
void log_set_level(struct log *log, enum log_level level);

/* True if a line of that level would be written. LOG may be NULL here and below: nothing is. */
bool log_is_on(const struct log *log, enum log_level level);

/* Registers a secret: from now on no line of the family shows it. The log keeps a copy, wiped with
 * the log; the same secret twice is kept once. Any thread. */
void log_hide(struct log *log, const struct secret *secret);

/* A pair whose VALUE is NULL is left out. */
struct log_pair {
	const char *key, *value;
};

/* One line. What comes from outside belongs into pairs, where it is quoted, not into the
 * message. */
void log_line(const struct log *log, enum log_level level, const char *fmt, ...) ATTR_PRINTF(3, 4);
void log_pairs(const struct log *log, enum log_level level, const struct log_pair *pairs, size_t n,
	       const char *fmt, ...) ATTR_PRINTF(5, 6);

/* A line that tells a fault: `level message error=... kind=... scope=... next=...
 * maybe_done=yes` */
void log_fault(const struct log *log, enum log_level level, const struct fault *fault,
	       const char *fmt, ...) ATTR_PRINTF(4, 5);

#endif
