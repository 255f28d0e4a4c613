/* mspdi.h - Microsoft Project XML -> projfile (namespace http://schemas.microsoft.com/project).
 *
 * A streaming reader (libxml2 xmlTextReader): no network, no entities, no DTD (a DOCTYPE is
 * refused), no huge nodes. What is taken and what is skipped: DESIGN section 10 and facts of the
 * format in doc/decisions.md. Local times are read in the site's zone (model/when.h). Encodings:
 * UTF-8, UTF-16, and the one-byte and EUC ones.
 *
 * Every Assignment element counts unless it is skipped by rule: two elements of one task and one
 * resource are two assignments with keys of their own, and a warning.
 */
#ifndef TASKFERRY_MSPDI_H
#define TASKFERRY_MSPDI_H

#include "model/projfile.h"

/* A project file's bounds: each is some hundred times the largest file seen. */
#define MSPDI_FILE_MAX ((int64_t)512 << 20) /* bytes */
#define MSPDI_TASKS_MAX ((size_t)1000000)   /* also resources and assignments */
#define MSPDI_VALUE_MAX ((size_t)1 << 20)   /* bytes of one element's text */

/* Called now and then with how many of how many bytes are read; may be NULL. TOTAL is 0 where it is
 * not known (a pipe). */
typedef void mspdi_progress(void *data, int64_t done, int64_t total);

/* Reads PATH. NO_INPUT: cannot be opened; IO: cannot be read to its end; DATA: not XML, not a
 * project, truncated, over the bounds, a DTD: the text names file and line; nothing is returned
 * then. */
struct fault *mspdi_read_file(TALLOC_CTX *mem, const char *path, mspdi_progress *progress,
			      void *data, struct projfile **file_r) ATTR_MUST_CHECK;

/* The same from memory; NAME is for messages. */
struct fault *mspdi_read(TALLOC_CTX *mem, const char *name, const char *text, size_t len,
			 struct projfile **file_r) ATTR_MUST_CHECK;

#endif
