/* people.h - a CSV file of people -> names and e-mail addresses, for `import --resources`.
 *
 * RFC 4180 with a header line; separator `,` `;` or TAB, found from the header; columns by name,
 * any order: `name` (or `resource`), `email` (or `e-mail`, `mail`), optional `key` (the resource's
 * key in the project file). UTF-8, with or without BOM.
 */
#ifndef TASKFERRY_PEOPLE_H
#define TASKFERRY_PEOPLE_H

#include "base/fault.h"

#define PEOPLE_FILE_MAX ((int64_t)16 << 20) /* bytes */

struct person {
	const char *key;   /* may be NULL */
	const char *name;  /* may be NULL when key is given */
	const char *email; /* lower case; NULL when the cell is empty */
	long line;
};

/* DATA fault with file and line: no header, no such columns, a broken quote, not an address, the
 * same person twice. */
struct fault *people_read_file(TALLOC_CTX *mem, const char *path, struct person **people_r,
			       size_t *count_r) ATTR_MUST_CHECK;
struct fault *people_read(TALLOC_CTX *mem, const char *name, const char *text, size_t len,
			  struct person **people_r, size_t *count_r) ATTR_MUST_CHECK;

#endif
