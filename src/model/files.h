/* files.h - attachments: the value of a field of type FILES.
 *
 * A value is a set of attachments, one a line, by their names. What an attachment is, is its content: two
 * are the same when their bytes are (their digests), or, of links, their URIs, whatever name or
 * media type a client or server makes of them. A value holds no bytes; these are in the store, by
 * digest, once.
 *
 *     DIGEST SIZE TYPE NAME        a file
 *     URI - - NAME                 a link to something elsewhere, which is never fetched
 */
#ifndef TASKFERRY_FILES_H
#define TASKFERRY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define FILES_NAME_MAX ((size_t)200) /* bytes; file systems take 255, and some add a suffix */
#define FILES_TYPE_MAX ((size_t)127) /* bytes; RFC 6838 section 4.2 */
#define FILES_URI_MAX ((size_t)2000) /* bytes; what browsers take */
#define FILES_COUNT_MAX ((size_t)50) /* of one assignment: more is a folder, not an attachment */

/* Bytes of an assignment's files: one person's mistake does not fill the database. */
#define FILES_TOTAL_MAX ((int64_t)200 << 20)

struct file {
	const char *digest;     /* SHA-256 as hex; NULL: a link, or (managed_id) not known yet */
	const char *uri;        /* of a link, or where a managed one stands; else NULL */
	const char *name;       /* sanitised; never NULL */
	const char *type;       /* NULL: not known */
	int64_t size;           /* bytes; -1: not known */
	const char *managed_id; /* RFC 8607 section 4.3, as the server gave it; else NULL */
};

struct files {
	struct file *list;
	size_t count;
};

/* An attachment that comes into an item: its bytes, or, with BYTES NULL, its link. */
struct files_content {
	const struct file *file;
	const char *bytes;
	size_t len;
};

/* What an attachment is: its digest, or the URI of a link. */
const char *files_id(const struct file *file);

/* The attachments of a value; NULL is none. A line that is none is left out. */
struct files *files_read(TALLOC_CTX *mem, const char *lines);

/* The canonical value: of several that are the same the first one; NULL when there is none. */
char *files_write(TALLOC_CTX *mem, const struct files *files);

/* True when TEXT is a value. */
bool files_valid(const char *text);

/* Adds a copy, unless it is in the set already. */
void files_add(struct files *files, const struct file *file);

/* The one with this id; NULL if there is none. */
const struct file *files_find(const struct files *files, const char *id);

/* The ids of a value, sorted, one a line; "" when there are none. By these values are compared. */
char *files_ids(TALLOC_CTX *mem, const char *lines);

/* Sets of lines, each may be NULL: A and what of B is not in it; A without what is in B; what of A
 * is in B. NULL when nothing is left. */
char *files_join(TALLOC_CTX *mem, const char *a, const char *b);
char *files_without(TALLOC_CTX *mem, const char *a, const char *b);
char *files_common(TALLOC_CTX *mem, const char *a, const char *b);

/* The bytes of all files of a value, links not counted. */
int64_t files_total(const char *lines);

/* A name that is safe to show and to save under: one path component, no control characters, no
 * leading dot or dash, at most FILES_NAME_MAX bytes. Never empty. NAME may be NULL and anything. */
char *files_name(TALLOC_CTX *mem, const char *name);

/* A media type in lower case without parameters; NULL when it is none. */
char *files_type(TALLOC_CTX *mem, const char *type);

/* The media type that a name's ending stands for; "application/octet-stream" if none does. */
const char *files_type_of_name(const char *name);

/* True for a URI that is kept as a link: http, https, ftp, ftps, sftp, smb, file; without blanks
 * and control characters, not too long. */
bool files_is_link(const char *uri);

/* The names of a value for people: "crate.pdf, list.txt"; "" when there are none. */
char *files_names(TALLOC_CTX *mem, const char *lines);

/* "3 MB", "12 kB", "700 bytes" */
char *files_size_text(TALLOC_CTX *mem, int64_t size);

#endif
