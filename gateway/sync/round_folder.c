/* round_folder.c - a folder that is not where it was: renamed, or gone. A whole folder that vanishes is
 * never many deletions (N5), and never a reason to make all its items a second time (N2).
 *
 * Where the server gives folders an object_id the folder is looked for by that, and found under any
 * name. Else it is held, until a person gives it its name back or says that it is to be made again. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"

static struct fault *save(struct round *round)
{
	struct store *store = round->env->store;
	struct fault *fault;

	if (round->options->dry_run)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = link_folder_set(store, round->folder);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_FOLDER_RECORDED);
	return fault;
}

static bool is_gone(const struct fault *fault)
{
	return fault && fault->kind == FAULT_GONE && fault->scope == FAULT_SCOPE_FOLDER;
}

struct fault *round_folder_locate(struct round *round, bool *found_r)
{
	struct folder *folder = round->folder;
	char *address = NULL;

	*found_r = false;
	if (!folder->object_id)
		return NULL;
	FAULT_TRY(endpoint_locate(round->endpoint, round->mem, folder->object_id, &address));
	if (!address || text_same(address, folder->address))
		return NULL;
	round_note(round->report, "the folder of project %s of %s was renamed; it is '%s' now",
		   round->project->code, round->resource->key, address);
	folder->address = address;
	if (folder->state == FOLDER_GONE)
		folder->state = FOLDER_OK;
	folder->error = NULL;
	folder->token = NULL;
	*found_r = true;
	return save(round);
}

struct fault *round_folder_gone(struct round *round)
{
	struct folder *folder = round->folder;

	folder->state = FOLDER_GONE;
	folder->token = NULL;
	folder->error = mem_printf(
		round->mem,
		"the folder is not on the server any more; if it was renamed or moved, put it back "
		"to %s; to make it and its items again: taskferry publish %s",
		folder->address, round->project->code);
	FAULT_TRY(save(round));
	return round_folder_held(round);
}

struct fault *round_folder_held(struct round *round)
{
	round->report->held++;
	round_note(round->report, "held: the folder of project %s of %s: %s", round->project->code,
		   round->resource->key, round->folder->error ? round->folder->error : "gone");
	return NULL;
}

/* A folder of that name is ours when an item stands in it where we know one, or when it held none. */
static struct fault *is_ours(struct round *round, const struct endpoint_notice *notice,
			     bool *ours_r)
{
	struct store *store = round->env->store;
	struct link *links = NULL;
	size_t count = 0;

	if (round->folder->object_id && notice->object_id) {
		*ours_r = !strcmp(round->folder->object_id, notice->object_id);
		return NULL;
	}
	FAULT_TRY(link_versions(store, round->mem, round->folder->id, &links, &count));
	*ours_r = true;
	for (size_t i = 0; i < count && *ours_r; i++)
		*ours_r = !links[i].seen_version;
	for (size_t i = 0; i < notice->count && !*ours_r; i++) {
		struct link *link = NULL;

		FAULT_TRY(link_of_address(store, round->mem, round->folder->id,
					  notice->changes[i].address, &link));
		*ours_r = link && link->seen_version;
	}
	return NULL;
}

struct fault *round_folder_back(struct round *round, bool *back_r)
{
	struct endpoint_notice *notice = NULL;
	struct fault *fault;
	bool ours = false;

	*back_r = false;
	if (!round->folder->address)
		return NULL;
	fault = endpoint_notice(round->endpoint, round->mem, round->folder->address, NULL, &notice);
	if (is_gone(fault))
		return round_folder_locate(round, back_r);
	FAULT_TRY(fault);
	FAULT_TRY(is_ours(round, notice, &ours));
	if (!ours) {
		round->folder->error = mem_printf(
			round->mem,
			"there is a folder %s again, but none of the items that are known stands "
			"in it; to take it, with what it holds, and to make what is missing: "
			"taskferry publish %s",
			round->folder->address, round->project->code);
		return save(round);
	}
	round->folder->state = FOLDER_OK;
	round->folder->error = NULL;
	*back_r = true;
	return save(round);
}

struct fault *round_folder_notice(struct round *round, bool *gone_r)
{
	struct fault *fault = round_notice(round);
	bool found = false;

	*gone_r = false;
	if (!is_gone(fault))
		return fault;
	FAULT_TRY(round_folder_locate(round, &found));
	if (found)
		return round_notice(round);
	*gone_r = true;
	return round_folder_gone(round);
}

struct fault *round_folder_follow(struct round *round, bool *gone_r)
{
	const struct folder *folder = round->folder;
	struct endpoint_notice *notice = NULL;
	struct fault *fault;
	bool found = false;

	*gone_r = false;
	if (!folder->address || !round->endpoint->ops->appends || round->options->dry_run)
		return NULL;
	if (folder->state == FOLDER_GONE)
		return round_folder_locate(round, &found);
	fault = endpoint_notice(round->endpoint, round->mem, folder->address, folder->token,
				&notice);
	if (!is_gone(fault))
		return fault && fault->kind == FAULT_TOKEN ? NULL : fault;
	FAULT_TRY(round_folder_locate(round, &found));
	*gone_r = !found;
	return found ? NULL : round_folder_gone(round);
}

struct fault *round_folder_beside(struct round *round)
{
	const char *beside = endpoint_beside(round->endpoint);

	if (round->options->dry_run || !beside || text_same(round->folder->beside, beside))
		return NULL;
	FAULT_TRY(endpoint_beside_make(round->endpoint, round->mem, round->folder->address));
	round->folder->beside = mem_strdup(round->mem, beside); /* round_advance() keeps it */
	return NULL;
}
