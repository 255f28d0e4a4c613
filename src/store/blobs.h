/* blobs.h - the bytes of attachments, and what of them stands in which mailbox.
 *
 * A file's bytes are kept once, by digest, however many assignments and revisions have them, and in
 * a table of their own that no other query touches. Who has them is kept beside (every value of
 * type FILES that is written says so), so that what nobody has any more is found and dropped.
 */
#ifndef TASKFERRY_BLOBS_H
#define TASKFERRY_BLOBS_H

#include "model/files.h"
#include "store/store.h"

/* How long bytes that nobody has are kept: a file is stored before the change that names it is
 * decided, and what was detached by mistake is there for another day. */
#define BLOBS_KEPT_US (24 * 3600 * CLOCK_SECOND_US)

/* Keeps bytes under their digest; in a write transaction. Harmless when repeated. */
struct fault *blobs_put(struct store *store, const char *digest, const char *bytes,
			size_t len) ATTR_MUST_CHECK;

struct fault *blobs_has(struct store *store, const char *digest, bool *has_r) ATTR_MUST_CHECK;

/* True when anybody has an attachment. */
struct fault *blobs_any(struct store *store, bool *any_r) ATTR_MUST_CHECK;

/* DATA fault: they are not there. */
struct fault *blobs_get(struct store *store, TALLOC_CTX *mem, const char *digest, char **bytes_r,
			size_t *len_r) ATTR_MUST_CHECK;

/* OWNER, an assignment or a revision, has the files of this value and no others. */
struct fault *blobs_use(struct store *store, int64_t owner, const char *value) ATTR_MUST_CHECK;

/* Drops what nobody has, and had not for BLOBS_KEPT_US; in a write transaction. Does nothing when it
 * was done within that time. */
struct fault *blobs_purge(struct store *store) ATTR_MUST_CHECK;

/* What stands of an attachment in a mailbox where that does not follow from the item's text. */
enum blob_how {
	BLOB_MANAGED,  /* the server keeps it, under managed_id (RFC 8607) */
	BLOB_UPLOAD,   /* it is to be given to the server */
	BLOB_LEFT_OUT, /* the item has no room for it, or the server refused it */
	BLOB_HOWS
};
const char *blob_how_name(enum blob_how how);

struct link_file {
	int64_t link_id;
	const char *digest;
	enum blob_how how;
	const char *managed_id, *uri;
	int64_t size; /* as the server tells it; -1: it does not */
	int64_t attempts, due_us;
	const char *error;
};

struct fault *blobs_of_link(struct store *store, TALLOC_CTX *mem, int64_t link,
			    struct link_file **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *blobs_uploads(struct store *store, TALLOC_CTX *mem, int64_t folder,
			    struct link_file **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *blobs_link_put(struct store *store, const struct link_file *file) ATTR_MUST_CHECK;
struct fault *blobs_link_drop(struct store *store, int64_t link,
			      const char *digest) ATTR_MUST_CHECK;

/* Where an assignment's files are left out, and why, where the server refused it. */
struct blobs_out_of {
	const char *digest, *server, *resource, *error;
};
struct fault *blobs_left_out_of(struct store *store, TALLOC_CTX *mem, int64_t assignment,
				struct blobs_out_of **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Per server: how many files are left out, in how many accounts. */
struct blobs_out {
	const char *server;
	int64_t files, accounts;
};
struct fault *blobs_left_out(struct store *store, TALLOC_CTX *mem, struct blobs_out **list_r,
			     size_t *count_r) ATTR_MUST_CHECK;

#endif
