/* round_match.c - whose item it is that was found at an address: by its UID, among two of one
 * assignment (M7), at first contact (M6). */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/twin.h"

#define SUMMARY_CHARS 80 /* of a foreign item's title in a report */

struct fault *round_set_aside(struct round *round, const struct found *found, const char *state,
			      const char *why)
{
	struct stray stray = { .folder_id = round->folder->id,
			       .address = found->address,
			       .state = state };
	const char *title =
		found->decoded ? vector_str(found->decoded->values, FIELD_subject) : NULL;

	stray.summary = text_one_line(round->mem, title ? title : why, SUMMARY_CHARS);
	if (!strcmp(state, "foreign")) {
		round->report->foreign++;
		round_note(round->report,
			   "left alone: '%s' in the folder of project %s of %s is not taskferry's",
			   stray.summary, round->project->code, round->resource->key);
	} else {
		round->report->undecodable++;
		round_note(round->report, "set aside: %s in the folder of project %s of %s: %s",
			   found->address, round->project->code, round->resource->key, why);
	}
	FAULT_TRY(link_pending_drop(round->env->store, round->folder->id, found->address));
	return link_stray_put(round->env->store, &stray, found->item->version, found->item->text,
			      clock_now_us(round->env->clock));
}

struct fault *round_edition_of_seen(struct round *round, TALLOC_CTX *mem, const struct link *link,
				    int64_t *edition_r)
{
	struct decoded *decoded = NULL;
	struct fault *fault = NULL;

	if (link->seen_text)
		fault = codec_decode(mem, round_form(round), link->seen_text,
				     strlen(link->seen_text), NULL, NULL, &decoded);
	talloc_free(fault); /* not readable any more: then it has no edition */
	*edition_r = decoded ? decoded->edition : 0;
	return NULL;
}

/* LINK's item stands elsewhere, or did: from now on it is the found one, or the found one is an old
 * copy, whose edits are merged. The other is left to the sweep. */
static struct fault *judge_twin(struct round *round, TALLOC_CTX *mem, struct link *link,
				struct found *found)
{
	struct store *store = round->env->store;
	bool later = strcmp(found->address, link->address) > 0;
	bool gone = !link->seen_version || round_is_gone(round, link->address);
	int64_t known = 0, theirs = found->decoded->edition;

	FAULT_TRY(round_edition_of_seen(round, mem, link, &known));
	if (theirs && theirs != known)
		FAULT_TRY(round_find_edition(round, mem, link, found));
	found->keeps_seen = twin_decide(known, theirs, later, gone) == TWIN_MERGE;
	if (round->options->dry_run)
		return NULL;
	if (found->keeps_seen)
		return NULL;
	if (!gone)
		FAULT_TRY(link_leftover_put(store, link, link->address, NULL));
	link->address = found->address;
	return link_set(store, link);
}

/* Where items do not move by being replaced, only a link without an item elsewhere. */
struct fault *round_match(struct round *round, TALLOC_CTX *mem, struct found *found,
			  struct link **link_r)
{
	struct store *store = round->env->store;
	struct assignment *assignment = NULL;
	struct link *link = NULL;
	bool withdrawn;

	*link_r = NULL;
	if (found->decoded->uid)
		FAULT_TRY(project_assignment_by_uid(store, mem, found->decoded->uid, &assignment));
	if (!assignment || assignment->project_id != round->project->id ||
	    assignment->resource_id != round->resource->id)
		return NULL;
	withdrawn = assignment->state == ASSIGNMENT_WITHDRAWN;
	FAULT_TRY(link_of_assignment(store, mem, round->folder->id, assignment->id, !withdrawn,
				     &link));
	if (withdrawn && (!link || !link->seen_version || !round->endpoint->ops->appends))
		return NULL; /* its item was removed: what stands here is somebody's own */
	if (link && link->address && strcmp(link->address, found->address)) {
		if (round->endpoint->ops->appends && link->seen_text)
			FAULT_TRY(judge_twin(round, mem, link, found));
		else if (link->seen_version && link->state == LINK_OK)
			link = NULL; /* its item stands elsewhere: this is somebody's copy */
	}
	if (link && !found->keeps_seen)
		link->address = found->address;
	/* an old copy is not compared with what stands now, which is of another edition */
	if (link && link->seen_text && !found->base)
		round_decode(round, mem, found, link);
	if (link && link->state == LINK_MISSING) { /* moved, not deleted, however long it settles */
		link->state = LINK_OK;
		link->error = NULL;
		FAULT_TRY(link_set(round->env->store, link));
	}
	*link_r = link;
	return NULL;
}

struct fault *round_check_adoption(struct round *round, TALLOC_CTX *mem, struct link *link,
				   const struct found *found, bool *adopt_r)
{
	struct assignment_view view;
	const struct value *title = &found->decoded->values->value[FIELD_subject];

	FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	*adopt_r = title->presence == ABSENT ||
		   value_same(FIELD_subject, title, &view.stamped->values->value[FIELD_subject]);
	if (*adopt_r) {
		round->report->adopted++;
		return NULL;
	}
	FAULT_TRY(round_set_aside(round, found, "mismatch",
				  "it bears the UID of a task of this project but another title"));
	round_hold(round, link,
		   "an item with its UID but another title stands in the folder; give it the "
		   "task's title, or remove "
		   "it, then: taskferry queue retry --all");
	return link_set(round->env->store, link);
}
