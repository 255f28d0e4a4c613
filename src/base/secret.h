/* secret.h - a password in memory: wiped when freed, never printed, seen only at the one place
 * that sends it (N8). */
#ifndef TASKFERRY_SECRET_H
#define TASKFERRY_SECRET_H

#include <stddef.h>

#include "base/fault.h"

struct secret;

struct secret *secret_new(TALLOC_CTX *mem, const char *bytes, size_t n);

/* The NUL-terminated text, for the place that sends it. Owned by the secret. */
const char *secret_reveal(const struct secret *secret);

/* TEXT with every occurrence of the secret replaced by "***" (one for a run of them); for what a
 * server or a command said. */
char *secret_mask(TALLOC_CTX *mem, const struct secret *secret, const char *text);

#define SECRET_COMMAND_TIMEOUT_MS 10000 /* a key ring that asks a person must fail */
#define SECRET_OUTPUT_MAX 4096		/* bytes */

/* Names put into a template: %{email} %{local} %{name} %{key}. */
struct secret_names {
	const char *email, *local, *name, *key;
};

/* TEMPLATE with its names put in. DATA fault: an unknown name, a missing one, or a value outside
 * of the strict grammar (text_is_address() for email and local; no `/`, `..`, `*`, control
 * character, leading `-`, not UTF-8, more than 254 bytes for the others). This and all faults
 * below reach the account: held, or tried again where that may help. */
struct fault *secret_expand(TALLOC_CTX *mem, const char *template, const struct secret_names *names,
			    char **text_r) ATTR_MUST_CHECK;

/* Runs a command and takes the first line of its output: split into words (blanks; '...' and
 * "..." quote) before the names are put in, no shell, clean environment (PATH, HOME, LANG, USER,
 * XDG_RUNTIME_DIR, GNUPGHOME only), closed descriptors, standard error dropped, the two limits
 * above; then its process group is killed, whatever is left of it. CONFIG: no such program, an
 * open quote, a name in the first word. DATA: as above, too much output, or none. TRY_LATER: it
 * failed or took too long. A fault never holds the output. */
struct fault *secret_command(TALLOC_CTX *mem, const char *command, const struct secret_names *names,
			     struct secret **secret_r) ATTR_MUST_CHECK;

/* The first line of a file; NOT_PERMITTED when others can read or write it (its group may). */
struct fault *secret_file(TALLOC_CTX *mem, const char *path,
			  struct secret **secret_r) ATTR_MUST_CHECK;

#endif
