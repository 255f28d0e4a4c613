/* round_files.c - attachments in a round.
 *
 *   read     bytes that nobody has yet are stored before anything is decided (outside of its
 *            transaction, since a managed file is downloaded)
 *   resolve  what an item shows, as contents: managed files by what is known of them, without what
 *            could not be stored or was not taken before
 *   plan     with a decision: what has no room is left out, or is to be uploaded
 *   compose  with a push: what comes into the text and what goes from it
 *
 * An item without attachments, of an assignment without any, takes part in nothing of this.
 *
 *   A1  a line of an attachment that we did not agree upon is never touched (N4): only what is in
 *       `seen` and not in `want` goes, and `seen` has only what became the project's
 *   A2  what is in the project has its bytes in the store
 *   A3  bytes move once: what is in `seen` is neither sent nor fetched again
 */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "store/blobs.h"

static const char *lines_of(const struct vector *values)
{
	return values ? vector_str(values, FIELD_attachments) : NULL;
}

/* What of PROJECT's files the server refused for this item. */
static char *refused_of(TALLOC_CTX *mem, const struct vector *project,
			const struct link_file *rows, size_t count)
{
	struct files *all = files_read(mem, lines_of(project)), *refused = MEM_NEW(mem, struct files);

	for (size_t i = 0; i < count; i++) {
		const struct file *file = files_find(all, rows[i].digest);

		if (file && rows[i].how == BLOB_LEFT_OUT && rows[i].error)
			files_add(refused, file);
	}
	return files_write(mem, refused);
}

struct fault *round_room(struct round *round, TALLOC_CTX *mem, const struct link *link,
			 const struct vector *project, const struct shown_room **room_r)
{
	struct shown_room *room = MEM_NEW(mem, struct shown_room);
	struct link_file *rows = NULL;
	size_t count = 0;

	*room = round->room;
	room->inline_max = round->server->inline_max;
	if (round_form(round) == ENDPOINT_MESSAGE) {
		room->inline_max = round->env->conf->site.file_max;
		room->total_max = round->server->message_max / 4 * 3; /* as base64 */
	}
	if (lines_of(project)) {
		FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
		room->refused = refused_of(mem, project, rows, count);
	}
	*room_r = room;
	return NULL;
}

struct fault *round_files_begin(struct round *round)
{
	bool any = false;

	if (!round->endpoint->ops->attaches || round->options->dry_run)
		return NULL;
	FAULT_TRY(blobs_any(round->env->store, &any));
	return any ? endpoint_attaches(round->endpoint, round->mem, &round->room.managed) : NULL;
}

/* ---- read ---- */

/* True when the item at that address is, or may become, one of ours. */
static struct fault *is_ours(struct round *round, TALLOC_CTX *mem, const struct found *found,
			     struct link **link_r, bool *ours_r)
{
	struct assignment *assignment = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, found->address, link_r));
	if (!*link_r && found->decoded->uid)
		FAULT_TRY(project_assignment_by_uid(round->env->store, mem, found->decoded->uid,
						    &assignment));
	*ours_r = *link_r || assignment;
	if (assignment) /* an edit in place stands at another address */
		FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id,
					     assignment->id, false, link_r));
	return NULL;
}

static bool is_wanted_size(const struct round *round, int64_t size)
{
	return size <= round->env->conf->site.file_max;
}

static struct fault *store_bytes(struct round *round, const char *digest, const char *bytes,
				 size_t len)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);

	if (!fault)
		fault = blobs_put(store, digest, bytes, len);
	point_reach(round->env->points, POINT_FILE_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_FILE_STORED);
	return fault;
}

static struct fault *store_inline(struct round *round, const struct found *found,
				  const struct file *file)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	char *bytes = NULL;
	size_t len = 0;
	bool has = false;

	FAULT_TRY(blobs_has(round->env->store, file->digest, &has));
	if (!has && is_wanted_size(round, file->size)) {
		FAULT_TRY(codec_file_bytes(mem, round_form(round), found->item->text, found->item->len, file->digest,
					   &bytes, &len));
		FAULT_TRY(store_bytes(round, file->digest, bytes, len));
	}
	talloc_free(mem);
	return NULL;
}

/* What is known of a managed file; NULL: nothing. */
static const struct link_file *known_of(const struct link_file *rows, size_t count,
					const struct file *file)
{
	for (size_t i = 0; i < count; i++) {
		const struct link_file *row = &rows[i];

		if (row->how == BLOB_MANAGED &&
		    (file->managed_id ? text_same(file->managed_id, row->managed_id) &&
						(file->size < 0 || file->size == row->size)
				      : text_same(file->uri, row->uri)))
			return row;
	}
	return NULL;
}

/* The file that LINK's item has and FILE says to be; NULL: none. */
static const struct file *agreed_of(TALLOC_CTX *mem, const struct link *link,
				    const struct file *file)
{
	struct files *agreed =
		link ? files_read(mem, files_join(mem, lines_of(link->seen), lines_of(link->want)))
		     : NULL;

	for (size_t i = 0; agreed && i < agreed->count; i++)
		if (codec_claims(file, &agreed->list[i]))
			return &agreed->list[i];
	return NULL;
}

/* Downloads a managed file. One that is refused, or too large, is left alone; what may be otherwise
 * later is the item's fault. */
static struct fault *store_managed(struct round *round, TALLOC_CTX *mem, struct found *found,
				   const struct file *file)
{
	struct file fetched = *file;
	char *bytes = NULL;
	size_t len = 0;
	struct fault *fault;

	if (file->size >= 0 && !is_wanted_size(round, file->size))
		return NULL;
	fault = endpoint_download(round->endpoint, mem, round->folder->address, file->uri,
				  (size_t)round->env->conf->site.file_max, &bytes, &len);
	if (fault && fault->scope != FAULT_SCOPE_ITEM)
		return fault;
	if (fault && fault->next == FAULT_NEXT_RETRY) {
		found->item->fault = fault;
		return NULL;
	}
	if (fault) {
		round_note(round->report, "an attachment of %s was left alone: %s", found->address,
			   fault->text);
		talloc_free(fault);
		return NULL;
	}
	fetched.digest = digest_sha256(mem, bytes, len);
	if (fetched.size < 0)
		fetched.size = (int64_t)len;
	FAULT_TRY(store_bytes(round, fetched.digest, bytes, len));
	if (!found->fetched)
		found->fetched = MEM_NEW(mem, struct files);
	files_add(found->fetched, &fetched);
	talloc_free(bytes);
	return NULL;
}

static struct fault *read_item(struct round *round, TALLOC_CTX *mem, struct found *found)
{
	const struct files *files = found->decoded->files;
	struct link_file *rows = NULL;
	struct link *link = NULL;
	size_t count = 0;
	bool ours = false;

	FAULT_TRY(is_ours(round, mem, found, &link, &ours));
	if (!ours)
		return NULL;
	if (link)
		FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
	for (size_t i = 0; i < files->count && !found->item->fault; i++) {
		const struct file *file = &files->list[i];

		if (file->digest)
			FAULT_TRY(store_inline(round, found, file));
		else if (file->managed_id && !known_of(rows, count, file) &&
			 !agreed_of(mem, link, file))
			FAULT_TRY(store_managed(round, mem, found, file));
	}
	return NULL;
}

struct fault *round_files_read(struct round *round, TALLOC_CTX *mem, struct found *found,
			       size_t count)
{
	if (round->options->dry_run)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (found[i].decoded && found[i].decoded->files)
			FAULT_TRY(read_item(round, mem, &found[i]));
	return NULL;
}

/* ---- resolve ---- */

/* What was downloaded in this round is known from now on. */
static struct fault *note_fetched(struct round *round, const struct link *link,
				  const struct files *fetched, struct file *file)
{
	for (size_t i = 0; fetched && i < fetched->count; i++) {
		struct link_file row = { .link_id = link->id,
					 .how = BLOB_MANAGED,
					 .digest = fetched->list[i].digest,
					 .managed_id = file->managed_id,
					 .size = fetched->list[i].size,
					 .uri = file->uri };

		if (!text_same(fetched->list[i].managed_id, file->managed_id))
			continue;
		file->digest = row.digest;
		file->size = row.size;
		return blobs_link_put(round->env->store, &row);
	}
	return NULL;
}

/* Finds out what an attachment is. *KNOWN_R: it is a link, or a file whose bytes we have. */
static struct fault *identify(struct round *round, const struct link *link,
			      const struct link_file *rows, size_t count,
			      const struct files *fetched, struct file *file, bool *known_r)
{
	const struct link_file *row = file->digest ? NULL : known_of(rows, count, file);
	const struct file *agreed =
		file->digest || row ? NULL : agreed_of(round->mem, link, file);

	if (agreed) {
		file->digest = agreed->digest;
		file->size = agreed->size;
	}
	if (row) {
		file->digest = row->digest;
		file->size = row->size;
	}
	if (!file->digest && file->managed_id)
		FAULT_TRY(note_fetched(round, link, fetched, file));
	*known_r = !file->managed_id;
	return file->digest ? blobs_has(round->env->store, file->digest, known_r) : NULL;
}

/* All attachments of an item whose bytes are known, by contents. */
static struct fault *known_files(struct round *round, TALLOC_CTX *mem, const struct link *link,
				 const struct files *all, const struct files *fetched,
				 char **lines_r)
{
	struct files *known = MEM_NEW(mem, struct files);
	struct link_file *rows = NULL;
	size_t count = 0;

	*lines_r = NULL;
	if (!all)
		return NULL;
	FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
	for (size_t i = 0; i < all->count; i++) {
		struct file file = all->list[i];
		bool is_known = false;

		FAULT_TRY(identify(round, link, rows, count, fetched, &file, &is_known));
		if (is_known)
			files_add(known, &file);
	}
	*lines_r = files_write(mem, known);
	return NULL;
}

/* What stood in the text of before and did not become the project's then is left alone. */
static struct fault *without_not_taken(struct round *round, TALLOC_CTX *mem,
				       const struct link *link, char **lines)
{
	struct decoded *before = NULL;
	char *agreed = files_join(mem, lines_of(link->seen), lines_of(link->want)), *old = NULL;
	struct fault *fault;

	if (!link->seen_text || link->decoder != CODEC_VERSION ||
	    !files_without(mem, *lines, agreed))
		return NULL;
	fault = codec_decode(mem, round_form(round), link->seen_text, strlen(link->seen_text), NULL,
			     NULL, &before);
	talloc_free(fault); /* not readable any more: then nothing of it is known */
	if (!before)
		return NULL;
	FAULT_TRY(known_files(round, mem, link, before->files, NULL, &old));
	*lines = files_without(mem, *lines, files_without(mem, old, agreed));
	return NULL;
}

struct fault *round_files_resolve(struct round *round, TALLOC_CTX *mem, const struct link *link,
				  struct decoded *decoded, const struct files *fetched)
{
	struct value *value = &decoded->values->value[FIELD_attachments];
	bool any = lines_of(link->seen) || lines_of(link->want);
	char *lines = NULL;

	if (value->presence == ABSENT)
		return NULL;
	if (decoded->files) {
		FAULT_TRY(known_files(round, mem, link, decoded->files, fetched, &lines));
		FAULT_TRY(without_not_taken(round, mem, link, &lines));
	}
	vector_text(decoded->values, FIELD_attachments, lines);
	if (!lines && !any) /* none, as ever: nothing that would have to be kept */
		value->presence = ABSENT;
	return NULL;
}

void round_files_agreed(struct vector *values, const struct vector *seen)
{
	vector_text(values, FIELD_attachments,
		    files_common(values, lines_of(seen), lines_of(values)));
	if (!lines_of(values))
		values->value[FIELD_attachments].presence = ABSENT;
}

void round_files_untaken(struct vector *values, const char *not_taken, const struct vector *want)
{
	if (!not_taken)
		return;
	vector_text(values, FIELD_attachments, files_without(values, lines_of(values), not_taken));
	if (!lines_of(values) && !lines_of(want))
		values->value[FIELD_attachments].presence = ABSENT;
}

/* The same attachment in two texts, one of which may lack its bytes. */
static bool is_same(const struct file *a, const struct file *b)
{
	if (a->digest && b->digest)
		return !strcmp(a->digest, b->digest);
	if (codec_claims(a, b) || codec_claims(b, a))
		return true;
	return a->managed_id ? text_same(a->managed_id, b->managed_id)
			     : !b->managed_id && text_same(files_id(a), files_id(b));
}

static bool has_same(const struct files *files, const struct file *file)
{
	for (size_t i = 0; i < files->count; i++)
		if (is_same(&files->list[i], file))
			return true;
	return false;
}

bool round_files_same(const struct files *a, const struct files *b)
{
	size_t count = a ? a->count : 0;

	if (count != (b ? b->count : 0))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!has_same(b, &a->list[i]))
			return false;
	return true;
}

/* ---- plan ---- */

static const struct link_file *row_of(const struct link_file *rows, size_t count,
				      const char *digest)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rows[i].digest, digest))
			return &rows[i];
	return NULL;
}

/* What the project has and the item does not show. */
static struct fault *plan_one(struct round *round, const struct link *link,
			      const struct link_file *row, const struct file *file, bool *upload_r)
{
	bool upload = round->room.managed;
	struct link_file out = { .link_id = link->id,
				 .digest = file->digest,
				 .how = upload ? BLOB_UPLOAD : BLOB_LEFT_OUT,
				 .size = file->size };

	if (row && (row->how == out.how || (row->how == BLOB_LEFT_OUT && row->error)))
		return NULL; /* as before, or refused by the server */
	*upload_r = *upload_r || upload;
	return blobs_link_put(round->env->store, &out);
}

struct fault *round_files_plan(struct round *round, TALLOC_CTX *mem, struct link *link,
			       const struct vector *project)
{
	struct link_file *rows = NULL;
	struct files *out, *kept;
	size_t count = 0;
	bool upload = false;

	if (project->value[FIELD_attachments].presence == ABSENT)
		return NULL;
	FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
	out = files_read(mem, files_without(mem, lines_of(project), lines_of(link->want)));
	kept = files_read(mem, files_join(mem, lines_of(link->seen), lines_of(link->want)));
	for (size_t i = 0; i < out->count; i++)
		if (out->list[i].digest)
			FAULT_TRY(plan_one(round, link, row_of(rows, count, out->list[i].digest),
					   &out->list[i], &upload));
	for (size_t i = 0; i < count; i++) {
		bool managed = rows[i].how == BLOB_MANAGED;

		if (!files_find(managed ? kept : out, rows[i].digest) &&
		    !files_find(out, rows[i].digest))
			FAULT_TRY(blobs_link_drop(round->env->store, link->id, rows[i].digest));
	}
	if (upload) /* a new edition, by which a copy without the file is known to be an old one */
		return round_want(round, link, vector_copy(link, link->want), true);
	return NULL;
}

/* ---- compose ---- */

/* Ids of the lines that go: what the server manages is known by its place. */
static void gone_add(struct codec_publish *publish, const char **gone, const struct file *file,
		     const struct link_file *row)
{
	gone[publish->gone_count++] = files_id(file);
	if (row && row->how == BLOB_MANAGED && row->uri)
		gone[publish->gone_count++] = row->uri;
	if (row && row->how == BLOB_MANAGED && row->managed_id)
		gone[publish->gone_count++] = row->managed_id;
}

struct fault *round_files_compose(struct round *round, TALLOC_CTX *mem, const struct link *link,
				  struct codec_publish *publish)
{
	const char *want = lines_of(link->want), *seen = lines_of(link->seen), **gone;
	struct files *put, *drop;
	struct link_file *rows = NULL;
	struct files_content *files;
	size_t count = 0;

	if (!want && !seen)
		return NULL;
	put = files_read(mem, link->seen_version ? files_without(mem, want, seen) : want);
	drop = files_read(mem, files_without(mem, seen, want));
	if (drop->count)
		FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
	files = MEM_ARRAY(mem, struct files_content, put->count + 1);
	gone = MEM_ARRAY(mem, const char *, 3 * drop->count + 1);
	for (size_t i = 0; i < put->count; i++) {
		char *bytes = NULL;

		files[i].file = &put->list[i];
		if (put->list[i].digest)
			FAULT_TRY(blobs_get(round->env->store, mem, put->list[i].digest, &bytes,
					    &files[i].len));
		files[i].bytes = bytes;
	}
	for (size_t i = 0; i < drop->count; i++)
		gone_add(publish, gone, &drop->list[i],
			 drop->list[i].digest ? row_of(rows, count, drop->list[i].digest) : NULL);
	publish->files = files;
	publish->file_count = put->count;
	publish->gone = gone;
	return NULL;
}

/* ---- refused ---- */

static struct fault *leave_out(struct round *round, struct link *link, const struct files *files,
			       const struct fault *why)
{
	struct vector *want = vector_copy(link, link->want);
	const char *out = files_write(link, files);

	for (size_t i = 0; i < files->count; i++)
		FAULT_TRY(blobs_link_put(round->env->store,
					 &(struct link_file){ .link_id = link->id,
							      .digest = files->list[i].digest,
							      .how = BLOB_LEFT_OUT,
							      .size = files->list[i].size,
							      .error = why->text }));
	vector_text(want, FIELD_attachments, files_without(link, lines_of(want), out));
	FAULT_TRY(round_want(round, link, want, true));
	return link_set(round->env->store, link);
}

struct fault *round_files_refused(struct round *round, struct link *link, const struct fault *why,
				  bool *left_out_r)
{
	struct store *store = round->env->store;
	const char *seen = link->seen_version ? lines_of(link->seen) : NULL;
	struct files *sent = files_read(link, files_without(link, lines_of(link->want), seen)),
		     *out = MEM_NEW(link, struct files);
	struct fault *fault;

	for (size_t i = 0; i < sent->count; i++)
		if (sent->list[i].digest)
			files_add(out, &sent->list[i]);
	*left_out_r = out->count > 0;
	if (!out->count)
		return NULL;
	round_note(round->report, "note: server %s does not take '%s' with %s: %s",
		   round->server->name, round_subject(round, link, link->assignment_id),
		   files_names(link, files_write(link, out)), why->text);
	fault = store_begin(store);
	if (!fault)
		fault = leave_out(round, link, out, why);
	point_reach(round->env->points, POINT_RECORD_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_RECORD_DONE);
	return fault;
}

struct fault *round_files_purge(struct round *round)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);

	if (!fault)
		fault = blobs_purge(store);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* ---- for people ---- */

struct fault *round_files_told(struct round *round, TALLOC_CTX *mem, const struct link *link,
			       const struct vector *project, const char **text_r)
{
	char *left = files_without(mem, lines_of(project), lines_of(link->want));
	struct files *files = files_read(mem, left);
	struct buf *out = buf_new(mem);
	struct link_file *rows = NULL;
	size_t count = 0;

	if (!left)
		return NULL;
	FAULT_TRY(blobs_of_link(round->env->store, mem, link->id, &rows, &count));
	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];
		const struct link_file *row =
			file->digest ? row_of(rows, count, file->digest) : NULL;

		if (row && row->how == BLOB_UPLOAD)
			continue;
		buf_printf(out, "%s%s%s%s is in the project, but %s.\n", file->name,
			   file->digest ? " (" : "",
			   file->digest ? files_size_text(out, file->size) : "",
			   file->digest ? ")" : "",
			   round_form(round) == ENDPOINT_MESSAGE
				   ? "too large for this mail"
				   : "too large for this calendar");
	}
	*text_r = out->len ? out->data : NULL;
	return NULL;
}
