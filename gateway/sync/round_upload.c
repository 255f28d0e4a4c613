/* round_upload.c - files into the server's keeping (RFC 8607).
 *
 * What is to be uploaded stands in link_file, and its item does not show it until then: so a file
 * that is not there yet is never taken for one that a person removed. The item is written first, as
 * a new edition, so that a copy from before, which has no such file, is known to be one (M4). An upload changes the item; it
 * is read back, and shows which of its lines is the new one.
 *
 *   killed before the upload    the row says that it is to be done
 *   killed after it, or no      the item has changed, so it is read; the file that nobody knows is
 *   answer came                 downloaded, has the contents that were to be uploaded, and is that
 *   it shows another file       likewise; if its contents are others, the server changes files: ours
 *                               is left out, and not given to it again and again
 */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/publish.h"
#include "model/ids.h"
#include "store/blobs.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)
#define ATTEMPTS_MAX 12 /* some hours; then it is left out, with the reason */

struct upload {
	struct link_file *row;
	struct link *link;
	const struct file *file; /* of the project's value */
	char *bytes;
	size_t len;
};

static bool is_due(const struct round *round, const struct link_file *row)
{
	int64_t now = clock_now_us(round->env->clock);

	return row->due_us <= now || row->due_us > now + 3 * HOUR_US;
}

/* *READY_R false: its item is not as it is wanted, or not to be written now. */
static struct fault *prepare(struct round *round, TALLOC_CTX *mem, struct upload *upload,
			     bool *ready_r)
{
	struct store *store = round->env->store;
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	const struct link *link;

	*ready_r = false;
	FAULT_TRY(link_get(store, mem, upload->row->link_id, &upload->link));
	link = upload->link;
	if (!link || link->state != LINK_OK || link->dirty || !link->seen_version || !link->want ||
	    round_is_quiet(round, link->address))
		return NULL;
	FAULT_TRY(project_assignment(store, mem, link->assignment_id, &assignment));
	FAULT_TRY(project_values(store, mem, assignment, &stamped));
	upload->file = files_find(
		files_read(mem, vector_str(stamped->values, FIELD_attachments)),
		upload->row->digest);
	if (!upload->file) /* the change is on its way into the want */
		return NULL;
	FAULT_TRY(blobs_get(store, mem, upload->row->digest, &upload->bytes, &upload->len));
	*ready_r = true;
	return NULL;
}

static struct fault *save(struct round *round, const struct upload *upload, bool link_too)
{
	struct store *store = round->env->store;
	struct fault *fault = store_begin(store);

	if (!fault)
		fault = round_doubt(round);
	if (!fault)
		fault = blobs_link_put(store, upload->row);
	if (!fault && link_too)
		fault = link_set(store, upload->link);
	point_reach(round->env->points, POINT_RECORD_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_RECORD_DONE);
	return fault;
}

/* The line that was not there before; NULL: there is none, or more than one. */
static const struct file *find_new(const struct files *before, const struct files *after,
				   const struct upload *upload)
{
	const struct file *found = NULL;

	for (size_t i = 0; after && i < after->count; i++) {
		const struct file *file = &after->list[i];

		if (before && files_find(before, files_id(file)))
			continue;
		if (found || !file->managed_id ||
		    (file->size >= 0 && file->size != (int64_t)upload->len))
			return NULL;
		found = file;
	}
	return found;
}

/* True when a file stands there that did not before. */
static bool has_new(const struct files *before, const struct files *after)
{
	for (size_t i = 0; after && i < after->count; i++)
		if (after->list[i].managed_id &&
		    !(before && files_find(before, files_id(&after->list[i]))))
			return true;
	return false;
}

/* It is looked at by its contents in the next pass; until then it is not given once more. */
static struct fault *look_closer(struct round *round, struct upload *upload)
{
	round_read_add(round, upload->link->address);
	upload->row->how = BLOB_LEFT_OUT;
	upload->row->error = "the server shows another file than it was given";
	return save(round, upload, false);
}

/* What stands there now is our item with the file, and else as it was: that is recorded. */
static struct fault *take(struct round *round, struct upload *upload,
			  const struct endpoint_item *item)
{
	struct link *link = upload->link;
	struct decoded *before = NULL, *after = NULL;
	const struct file *new;
	char *line;

	FAULT_TRY(codec_decode(link, round_form(round), link->seen_text, strlen(link->seen_text),
			       NULL, NULL, &before));
	FAULT_TRY(codec_decode(link, round_form(round), item->text, item->len, NULL, NULL, &after));
	new = find_new(before->files, after->files, upload);
	if (!new && has_new(before->files, after->files))
		return look_closer(round, upload);
	if (!new || after->edition != before->edition) {
		round_read_add(round, link->address);
		return NULL;
	}
	upload->row->how = BLOB_MANAGED;
	upload->row->managed_id = new->managed_id;
	upload->row->uri = new->uri;
	upload->row->size = new->size >= 0 ? new->size : (int64_t)upload->len;
	upload->row->error = NULL;
	FAULT_TRY(save(round, upload, false));
	FAULT_TRY(round_files_resolve(round, link, link, after, NULL));
	line = files_write(link, &(struct files){ .list = (struct file *)upload->file, .count = 1 });
	vector_text(link->want, FIELD_attachments,
		    files_join(link, vector_str(link->want, FIELD_attachments), line));
	if (publish_differs(link->want, NULL, after->values)) {
		round_read_add(round, link->address); /* somebody was there meanwhile */
		return NULL;
	}
	link->seen_text = item->text;
	link->seen = after->values;
	link->seen_version = item->version;
	link->seen_us = clock_now_us(round->env->clock);
	link->decoder = CODEC_VERSION;
	link->seen_ids = ids_of_vector(link, CODEC_VERSION, link->seen);
	round->report->updated++;
	return save(round, upload, true);
}

static struct fault *put_off(struct round *round, struct upload *upload, const struct fault *fault)
{
	int64_t pause = ROUND_FIRST_RETRY_US;

	for (int64_t i = 0; i < upload->row->attempts && pause < HOUR_US; i++)
		pause *= 2;
	upload->row->attempts++;
	upload->row->due_us = clock_now_us(round->env->clock) + pause;
	upload->row->error = fault->text;
	if (upload->row->due_us < round->report->due_us)
		round->report->due_us = upload->row->due_us;
	round->report->waiting++;
	return save(round, upload, false);
}

/* The server does not take it: the item is without it, and says so. */
static struct fault *leave_out(struct round *round, struct upload *upload,
			       const struct fault *fault)
{
	upload->row->how = BLOB_LEFT_OUT;
	upload->row->error = fault->text;
	round_note(round->report, "note: '%s' is not taken by server %s for '%s': %s",
		   upload->file->name, round->server->name,
		   round_subject(round, upload->link, upload->link->assignment_id), fault->text);
	return save(round, upload, false);
}

static struct fault *refused(struct round *round, struct upload *upload, struct fault *fault)
{
	if (fault->kind == FAULT_CHANGED || fault->kind == FAULT_GONE) {
		if (round->pass < ROUND_PASSES) {
			round_read_add(round, upload->link->address);
			return NULL;
		}
		return put_off(round, upload, fault);
	}
	if (fault->kind == FAULT_REFUSED || upload->row->attempts >= ATTEMPTS_MAX)
		return leave_out(round, upload, fault);
	FAULT_TRY(put_off(round, upload, fault));
	return fault->scope == FAULT_SCOPE_ITEM ? NULL : fault;
}

static struct fault *read_back(struct round *round, TALLOC_CTX *mem, struct upload *upload)
{
	struct endpoint_item *items = NULL;
	const char *address = upload->link->address;

	FAULT_TRY(endpoint_read_back(round->endpoint, mem, round->folder->address, &address, 1,
				     &items));
	if (items[0].fault && items[0].fault->scope != FAULT_SCOPE_ITEM)
		return items[0].fault;
	if (items[0].fault) {
		round_read_add(round, address);
		return NULL;
	}
	return take(round, upload, &items[0]);
}

static struct fault *one(struct round *round, TALLOC_CTX *mem, struct link_file *row)
{
	struct upload upload = { .row = row };
	struct endpoint_attach attach;
	struct fault *fault;
	bool ready = false;

	FAULT_TRY(prepare(round, mem, &upload, &ready));
	if (!ready)
		return NULL;
	attach = (struct endpoint_attach){
		.address = upload.link->address,
		.if_version = upload.link->seen_version,
		.name = upload.file->name,
		.type = upload.file->type ? upload.file->type : "application/octet-stream",
		.bytes = upload.bytes,
		.len = upload.len,
	};
	round->wrote = true;
	point_reach(round->env->points, POINT_ATTACH_STARTING);
	fault = endpoint_attach(round->endpoint, mem, round->folder->address, &attach);
	point_reach(round->env->points, POINT_ATTACH_SENT);
	return fault ? refused(round, &upload, fault) : read_back(round, mem, &upload);
}

struct fault *round_upload(struct round *round)
{
	TALLOC_CTX *list = MEM_CONTEXT(round->mem);
	struct link_file *rows = NULL;
	size_t count = 0;

	if (!round->room.managed)
		return NULL;
	FAULT_TRY(blobs_uploads(round->env->store, list, round->folder->id, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);

		if (is_due(round, &rows[i]))
			FAULT_TRY(one(round, mem, &rows[i]));
		else if (rows[i].due_us < round->report->due_us)
			round->report->due_us = rows[i].due_us;
		talloc_free(mem);
	}
	talloc_free(list);
	return NULL;
}
