/* edit_files.h - the project manager's own attachments: `task attach`, `task detach`. */
#ifndef TASKFERRY_EDIT_FILES_H
#define TASKFERRY_EDIT_FILES_H

#include "gateway/sync/edit.h"
#include "model/files.h"

/* A file to be attached. One of the same name that is there already goes: it is another version. */
struct edit_file {
	const char *name; /* a path will do: its last part counts */
	const char *bytes;
	size_t len;
};

/* Attaches files under the rules, in one transaction, with jobs for the accounts that show them.
 * DATA fault: no such assignment, too large, too many, or a rule that refuses: then nothing is
 * changed. */
struct fault *edit_files_attach(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
				const struct edit_file *files, size_t count,
				struct edit_result **result_r) ATTR_MUST_CHECK;

/* Takes attachments away, likewise. DATA fault also: there is none of that name, or several, which
 * then are told by their digests. */
struct fault *edit_files_detach(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
				const char *const *names, size_t count,
				struct edit_result **result_r) ATTR_MUST_CHECK;

/* The attachment that a person means: by its name, or the first digits of its digest (8 or more). */
struct fault *edit_files_find(TALLOC_CTX *mem, const struct files *files, const char *name,
			      const struct file **file_r) ATTR_MUST_CHECK;

#endif
