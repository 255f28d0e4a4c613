#include "config.h"

#include "store/blobs.h"

#include <string.h>

#include "base/text.h"
#include "store/rows.h"

#define META_PURGED "files_purged" /* when it was done last */

static const char *const how_names[] = { "managed", "upload", "left-out" };
_Static_assert(COUNT_OF(how_names) == BLOB_HOWS, "one name per way");

const char *blob_how_name(enum blob_how how)
{
	return how_names[how];
}

struct fault *blobs_put(struct store *store, const char *digest, const char *bytes, size_t len)
{
	return db_run(store->db, SQL_FILE_PUT, "tixi", digest, (int64_t)len, bytes, len,
		      clock_now_us(store->clock));
}

struct fault *blobs_has(struct store *store, const char *digest, bool *has_r)
{
	struct db_cursor *cursor = NULL;
	int64_t count = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_FILE_HAS, "t", digest));
	FAULT_TRY(rows_int(cursor, 0, &count));
	*has_r = count > 0;
	return NULL;
}

struct fault *blobs_any(struct store *store, bool *any_r)
{
	struct db_cursor *cursor = NULL;
	int64_t count = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_FILE_ANY, ""));
	FAULT_TRY(rows_int(cursor, 0, &count));
	*any_r = count > 0;
	return NULL;
}

struct fault *blobs_get(struct store *store, TALLOC_CTX *mem, const char *digest, char **bytes_r,
			size_t *len_r)
{
	struct db_cursor *cursor = NULL;
	char *bytes = NULL;
	size_t len = 0;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_FILE_BYTES, "t", digest));
	if (db_next(cursor))
		bytes = db_bytes(cursor, mem, 0, &len);
	FAULT_TRY(db_close(&cursor));
	if (!bytes)
		return fault_reaches(fault_new(mem, FAULT_DATA,
					       "the bytes of an attachment are not there (%.12s)",
					       digest),
				     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	*bytes_r = bytes;
	*len_r = len;
	return NULL;
}

struct fault *blobs_use(struct store *store, int64_t owner, const char *value)
{
	struct files *files;
	struct fault *fault = db_run(store->db, SQL_FILE_USE_DROP, "i", owner);

	if (fault || !value)
		return fault;
	files = files_read(store, value);
	for (size_t i = 0; i < files->count && !fault; i++)
		if (files->list[i].digest)
			fault = db_run(store->db, SQL_FILE_USE_PUT, "ti", files->list[i].digest,
				       owner);
	talloc_free(files);
	return fault;
}

struct fault *blobs_purge(struct store *store)
{
	int64_t now = clock_now_us(store->clock), last = 0;
	char *text = NULL, *done;
	struct fault *fault;

	FAULT_TRY(store_meta(store, store, META_PURGED, &text));
	if (text && text_to_int(text, &last) && last <= now && now - last < BLOBS_KEPT_US) {
		talloc_free(text);
		return NULL;
	}
	done = mem_printf(store, "%lld", (long long)now);
	fault = store_meta_put(store, META_PURGED, done);
	talloc_free(done);
	talloc_free(text);
	return fault ? fault : db_run(store->db, SQL_FILE_PURGE, "i", now - BLOBS_KEPT_US);
}

/* ---- in mailboxes ---- */

static void read_link_file(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link_file *file = element;

	file->link_id = db_int(cursor, 0);
	file->digest = db_text(cursor, mem, 1);
	file->how = (enum blob_how)rows_name(how_names, BLOB_HOWS, db_text(cursor, mem, 2));
	file->managed_id = db_text(cursor, mem, 3);
	file->size = db_int(cursor, 4);
	file->uri = db_text(cursor, mem, 5);
	file->attempts = db_int(cursor, 6);
	file->due_us = db_int(cursor, 7);
	file->error = db_text(cursor, mem, 8);
}

struct fault *blobs_of_link(struct store *store, TALLOC_CTX *mem, int64_t link,
			    struct link_file **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_FILE_OF, "i", link));
	return rows_all(cursor, mem, read_link_file, sizeof **list_r, list_r, count_r);
}

struct fault *blobs_uploads(struct store *store, TALLOC_CTX *mem, int64_t folder,
			    struct link_file **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_FILE_UPLOADS, "i", folder));
	return rows_all(cursor, mem, read_link_file, sizeof **list_r, list_r, count_r);
}

struct fault *blobs_link_put(struct store *store, const struct link_file *file)
{
	return db_run(store->db, SQL_LINK_FILE_PUT, "itttitiit", file->link_id, file->digest,
		      blob_how_name(file->how), file->managed_id, file->size, file->uri,
		      file->attempts, file->due_us, file->error);
}

struct fault *blobs_link_drop(struct store *store, int64_t link, const char *digest)
{
	return db_run(store->db, SQL_LINK_FILE_DROP, "it", link, digest);
}

static void read_out_of(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct blobs_out_of *out = element;

	out->digest = db_text(cursor, mem, 0);
	out->server = db_text(cursor, mem, 1);
	out->resource = db_text(cursor, mem, 2);
	out->error = db_text(cursor, mem, 3);
}

struct fault *blobs_left_out_of(struct store *store, TALLOC_CTX *mem, int64_t assignment,
				struct blobs_out_of **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_FILE_OUT_OF, "i", assignment));
	return rows_all(cursor, mem, read_out_of, sizeof **list_r, list_r, count_r);
}

static void read_out(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct blobs_out *out = element;

	out->server = db_text(cursor, mem, 0);
	out->files = db_int(cursor, 1);
	out->accounts = db_int(cursor, 2);
}

struct fault *blobs_left_out(struct store *store, TALLOC_CTX *mem, struct blobs_out **list_r,
			     size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_FILE_OUT, ""));
	return rows_all(cursor, mem, read_out, sizeof **list_r, list_r, count_r);
}
