/* round_folder.c - a folder that is not where it was: renamed, or gone. A whole folder that vanishes is
 * never many deletions (N5), and never a reason to make all its items a second time (N2).
 *
 * It is looked for under any name: by the object_id that the server gives it, by what was noted on it, and
 * by the items that stood in it. Where it is nowhere, it is held, until a person gives it its name back or
 * says that it is to be made again. A folder in the trash is nowhere. No two folders of an account ever
 * have one address. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"

#define TRACE_ITEMS 8 /* that a folder is known by: so few make one short SEARCH */

/* OTHER: with that one; or NULL. */
static struct fault *save_both(struct round *round, const struct folder *other)
{
	struct store *store = round->env->store;
	struct fault *fault;

	if (round->options->dry_run)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = link_folder_set(store, round->folder);
	if (!fault && other)
		fault = link_folder_set(store, other);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_FOLDER_RECORDED);
	return fault;
}

static struct fault *save(struct round *round)
{
	return save_both(round, NULL);
}

static bool is_gone(const struct fault *fault)
{
	return fault && fault->kind == FAULT_GONE && fault->scope == FAULT_SCOPE_FOLDER;
}

/* How many messages are known to have stood there, and of these the links of LIST that are well. */
static struct fault *count_items(struct round *round, struct endpoint_trace *trace,
				 struct link **list_r, size_t *count_r)
{
	struct store *store = round->env->store;
	struct link *links = NULL;
	char **strays = NULL;
	size_t count = 0, n = 0;

	FAULT_TRY(
		link_stray_addresses(store, round->mem, round->folder->id, &strays, &trace->items));
	FAULT_TRY(link_versions(store, round->mem, round->folder->id, &links, &count));
	for (size_t i = 0; i < count; i++) {
		trace->items += links[i].seen_version && links[i].state != LINK_REMOVED;
		if (links[i].seen_version && links[i].state == LINK_OK)
			links[n++] = links[i];
	}
	*list_r = links;
	*count_r = n;
	return NULL;
}

/* TRACE_ITEMS of them, from all over the folder: what a person has moved away, or removed, stood side by
 * side. */
static struct fault *trace_items(struct round *round, struct endpoint_trace *trace)
{
	struct store *store = round->env->store;
	struct endpoint_known *known = MEM_ARRAY(round->mem, struct endpoint_known, TRACE_ITEMS);
	struct link *links = NULL;
	size_t n = 0, step;

	FAULT_TRY(count_items(round, trace, &links, &n));
	step = n > TRACE_ITEMS ? n / TRACE_ITEMS : 1;
	for (size_t i = 0; i < n && trace->known_count < TRACE_ITEMS; i += step) {
		struct assignment *assignment = NULL;
		struct link *link = NULL;

		FAULT_TRY(link_get(store, round->mem, links[i].id, &link));
		FAULT_TRY(project_assignment(store, round->mem, link->assignment_id, &assignment));
		if (assignment)
			known[trace->known_count++] =
				(struct endpoint_known){ .uid = assignment->uid,
							 .address = links[i].address };
	}
	trace->known = known;
	return NULL;
}

/* The account's folders but this one, those that have an address. */
static struct fault *other_folders(struct round *round, struct folder **list_r, size_t *count_r)
{
	struct folder *folders = NULL;
	size_t count = 0, n = 0;

	FAULT_TRY(
		link_folders(round->env->store, round->mem, round->account->id, &folders, &count));
	for (size_t i = 0; i < count; i++)
		if (folders[i].id != round->folder->id && folders[i].address)
			folders[n++] = folders[i];
	*list_r = folders;
	*count_r = n;
	return NULL;
}

static struct fault *trace_others(struct round *round, struct endpoint_trace *trace)
{
	struct folder *folders = NULL;
	const char **others;
	size_t count = 0;

	FAULT_TRY(other_folders(round, &folders, &count));
	others = MEM_ARRAY(round->mem, const char *, count);
	for (size_t i = 0; i < count; i++)
		others[i] = folders[i].address;
	trace->others = others;
	trace->other_count = count;
	return NULL;
}

/* THOROUGHLY: by what costs a question for each mailbox of the account, too. */
static struct fault *trace_folder(struct round *round, bool thoroughly,
				  struct endpoint_trace *trace)
{
	struct endpoint_folder name;

	trace->object_id = round->folder->object_id;
	trace->folder = round->folder->address;
	if (!thoroughly)
		return NULL;
	round_folder_name(round->mem, round->env->conf, round->project, &name);
	trace->url = name.url;
	FAULT_TRY(trace_others(round, trace));
	return trace_items(round, trace);
}

/* Another folder that has ADDRESS; NULL: none. */
static struct fault *find_other(struct round *round, const char *address, struct folder **other_r)
{
	struct folder *folders = NULL;
	size_t count = 0;

	*other_r = NULL;
	FAULT_TRY(other_folders(round, &folders, &count));
	for (size_t i = 0; i < count && !*other_r; i++)
		if (!strcmp(folders[i].address, address))
			*other_r = &folders[i];
	return NULL;
}

struct fault *round_folder_free(struct round *round, const char *address)
{
	struct project *project = NULL;
	struct folder *other = NULL;

	FAULT_TRY(find_other(round, address, &other));
	if (!other || other->state != FOLDER_OK)
		return NULL;
	FAULT_TRY(project_by_id(round->env->store, round->mem, other->project_id, &project));
	if (!project || project->state != PROJECT_PUBLISHED)
		return NULL;
	return fault_reaches(fault_new(round->mem, FAULT_REFUSED,
				       "the folder '%s' is that of project %s, which somebody has "
				       "renamed; give it its name back by: taskferry publish %s",
				       address, project->code, project->code),
			     FAULT_SCOPE_FOLDER, FAULT_NEXT_HOLD);
}

/* By its identity, a folder has a name that another one had, which has got a new one, too. */
static bool may_exchange(const struct folder *folder, const struct folder *other)
{
	return folder->object_id && other->object_id &&
	       strcmp(folder->object_id, other->object_id) != 0;
}

/* OTHER had ADDRESS, and is looked for from the old one on; NULL: none. */
static struct fault *move_to(struct round *round, char *address, struct folder *other)
{
	struct folder *folder = round->folder;

	round_note(round->report, "the folder of project %s of %s was renamed; it is '%s' now",
		   round->project->code, round->resource->key, address);
	if (other) {
		other->address = folder->address;
		other->token = NULL;
	}
	folder->address = address;
	if (folder->state == FOLDER_GONE)
		folder->state = FOLDER_OK;
	folder->error = NULL;
	folder->token = NULL;
	return save_both(round, other);
}

static struct fault *locate_by(struct round *round, const struct endpoint_trace *trace,
			       bool *found_r)
{
	struct folder *other = NULL;
	char *address = NULL;

	FAULT_TRY(endpoint_locate(round->endpoint, round->mem, trace, &address));
	if (!address || text_same(address, round->folder->address))
		return NULL;
	FAULT_TRY(find_other(round, address, &other));
	if (other && !may_exchange(round->folder, other))
		return NULL;
	*found_r = true;
	return move_to(round, address, other);
}

static struct fault *locate(struct round *round, bool thoroughly, bool *found_r)
{
	struct endpoint_trace trace = { 0 };

	*found_r = false;
	if (!round->endpoint->ops->locate || !round->folder->address)
		return NULL;
	FAULT_TRY(trace_folder(round, thoroughly, &trace));
	return trace.object_id || thoroughly ? locate_by(round, &trace, found_r) : NULL;
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
	if (is_gone(fault)) /* it was looked for by all means when it was missed, and is when told to */
		return locate(round, round->options->reconcile || round->options->full, back_r);
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

/* That it is there again is recorded at the end of the round: until then the items are still to be made,
 * and are not deleted ones. */
struct fault *round_folder_other(struct round *round, bool *other_r)
{
	struct folder *folder = round->folder;
	struct endpoint_notice *notice = NULL;
	bool ours = false;

	FAULT_TRY(endpoint_notice(round->endpoint, round->mem, folder->address, NULL, &notice));
	FAULT_TRY(is_ours(round, notice, &ours));
	*other_r = !ours;
	if (ours)
		return NULL;
	folder->state = FOLDER_OK;
	folder->error = folder->token = folder->object_id = NULL;
	return NULL;
}

/* Of the name of ours there may be another folder now: a person has renamed ours and made a new one. Only
 * then it is looked for: who moves all items elsewhere has moved them. */
static struct fault *look_elsewhere(struct round *round, bool *found_r)
{
	const char *id = round->folder->object_id, *told = round->notice->object_id;
	struct endpoint_trace trace = { 0 };
	bool ours = false;

	*found_r = false;
	if (!round->endpoint->ops->locate || (id && told ? !strcmp(id, told) : !round->renewed))
		return NULL;
	FAULT_TRY(is_ours(round, round->notice, &ours));
	if (ours)
		return NULL;
	FAULT_TRY(trace_folder(round, true, &trace));
	if (!trace.known_count && !(id && told)) /* all were missed, and looked for, before */
		return NULL;
	return locate_by(round, &trace, found_r);
}

/* In another folder than was noticed first. */
static struct fault *notice_there(struct round *round)
{
	round->read_count = round->marked_count = 0;
	round->gone_count = round->gone_read = 0;
	return round_notice(round);
}

struct fault *round_folder_notice(struct round *round, bool *gone_r)
{
	struct fault *fault = round_notice(round);
	bool found = false;

	*gone_r = false;
	if (!fault)
		FAULT_TRY(look_elsewhere(round, &found));
	else if (!is_gone(fault))
		return fault;
	else
		FAULT_TRY(locate(round, true, &found));
	if (found)
		return notice_there(round);
	if (!fault)
		return NULL;
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
		return locate(round, true, &found);
	fault = endpoint_notice(round->endpoint, round->mem, folder->address, folder->token,
				&notice);
	if (!is_gone(fault))
		return fault && fault->kind == FAULT_TOKEN ? NULL : fault;
	FAULT_TRY(locate(round, true, &found));
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
