/* round_match.c - whose item it is that was found at an address: by its UID, among two of one
 * assignment (M7), at first contact (M6). */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/mark.h"
#include "decide/publish.h"
#include "decide/twin.h"
#include "gateway/sync/older.h"

/* A foreign item that bears the UID of a task of this person in another project stands in the wrong
 * folder: a client has moved it. */
static struct fault *belongs_to(struct round *round, const struct found *found,
				struct project **project_r)
{
	struct assignment *assignment = NULL;

	*project_r = NULL;
	if (found->decoded && found->decoded->uid)
		FAULT_TRY(project_assignment_by_uid(round->env->store, round->mem,
						    found->decoded->uid, &assignment));
	if (!assignment || assignment->project_id == round->project->id ||
	    assignment->resource_id != round->resource->id)
		return NULL;
	return project_by_id(round->env->store, round->mem, assignment->project_id, project_r);
}

static struct fault *note_foreign(struct round *round, const struct found *found,
				  const struct stray *stray)
{
	struct project *other = NULL;

	FAULT_TRY(belongs_to(round, found, &other));
	round->report->foreign++;
	if (other)
		round_note(round->report,
			   "left alone: '%s' in the folder of project %s of %s belongs to project "
			   "%s; move it back there",
			   stray->summary, round->project->code, round->resource->key, other->code);
	else
		round_note(round->report, "%s", round_foreign_note(round, stray->summary));
	return NULL;
}

const char *round_foreign_note(struct round *round, const char *summary)
{
	return mem_printf(round->mem,
			  "left alone: '%s' in the folder of project %s of %s is not taskferry's",
			  summary, round->project->code, round->resource->key);
}

struct fault *round_set_aside(struct round *round, const struct found *found, const char *state,
			      const char *why)
{
	struct stray stray = { .folder_id = round->folder->id,
			       .address = found->address,
			       .state = state };
	const char *title =
		found->decoded ? vector_str(found->decoded->values, FIELD_subject) : NULL;

	stray.summary = text_one_line(round->mem, title ? title : why, ROUND_SUMMARY_CHARS);
	if (!strcmp(state, "foreign")) {
		stray.uid = found->decoded->uid;
		stray.edition = found->decoded->edition;
		stray.edition_hash = found->decoded->edition_hash;
		FAULT_TRY(note_foreign(round, found, &stray));
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

/* Whether what stands at ADDRESS was found, and is still to be judged. */
static struct fault *is_waiting(struct round *round, TALLOC_CTX *mem, const char *address,
				bool *waiting_r)
{
	struct pending *pending = NULL;
	size_t count = 0;

	FAULT_TRY(link_pending(round->env->store, mem, round->folder->id, &pending, &count));
	*waiting_r = false;
	for (size_t i = 0; i < count; i++)
		*waiting_r = *waiting_r || text_same(pending[i].address, address);
	return NULL;
}

/* LINK's item stands elsewhere, or did: from now on it is the found one, or the found one is an old
 * copy, whose edits are merged. The other is left to the sweep. */
static struct fault *judge_twin(struct round *round, TALLOC_CTX *mem, struct link *link,
				struct found *found)
{
	struct store *store = round->env->store;
	bool other_place = mark_is_in_folder(found->item->marks) != mark_is_in_folder(link->marks);
	bool later = other_place || strcmp(found->address, link->address) > 0;
	bool gone = !link->seen_version || round_is_gone(round, link->address), waiting = false;
	int64_t known = 0, theirs = found->decoded->edition;

	FAULT_TRY(round_edition_of_seen(round, mem, link, &known));
	if (theirs && theirs != known && !gone) /* alone it is judged as an old copy is (M4) */
		FAULT_TRY(round_find_edition(round, mem, link, found));
	found->keeps_seen = twin_decide(known, theirs, later, gone) == TWIN_MERGE;
	if (round->options->dry_run)
		return NULL;
	if (found->keeps_seen)
		return NULL;
	if (!gone) /* what waits there is merged before it goes */
		FAULT_TRY(is_waiting(round, mem, link->address, &waiting));
	if (!gone && !waiting)
		FAULT_TRY(link_leftover_put(store, link, link->address,
					    round_marks_judged(round, mem, link)));
	link->address = found->address;
	return link_set(store, link);
}

/* An item of ours whose assignment was withdrawn before this database knew of the item, or while it
 * was given up; or a message that somebody edited while it was removed: it is taken over to be
 * removed. */
static struct fault *take_to_remove(struct round *round, TALLOC_CTX *mem, const struct found *found,
				    int64_t assignment, struct link **link_r)
{
	struct link *link = NULL;

	FAULT_TRY(link_of_assignment(round->env->store, mem, round->folder->id, assignment, true,
				     &link));
	link->state = LINK_WITHDRAWING;
	link->dirty = true;
	link->address = found->address;
	*link_r = link;
	return NULL;
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
	if (withdrawn && found->decoded->edition &&
	    (!link || (!link->seen_version &&
		       (link->state != LINK_REMOVED || round->endpoint->ops->appends))))
		return take_to_remove(round, mem, found, assignment->id, link_r);
	if (withdrawn && (!link || !link->seen_version ||
			  (!round->endpoint->ops->appends && !round_is_gone(round, link->address))))
		return NULL; /* its item was removed: what stands here is somebody's own */
	if (link && link->address && strcmp(link->address, found->address)) {
		if (round->endpoint->ops->appends && link->seen_text)
			FAULT_TRY(judge_twin(round, mem, link, found));
		else if (link->seen_version && link->state == LINK_OK &&
			 !round_is_gone(round, link->address))
			link = NULL; /* its item stands elsewhere: this is somebody's copy */
	}
	if (link && !found->keeps_seen && !text_same(link->address, found->address)) {
		bool moved = link->seen_text && link->address && !round->endpoint->ops->appends;

		link->address = found->address;
		if (moved) /* also while it settles or is held: where it stood, nothing is missing */
			FAULT_TRY(link_set(store, link));
	}
	if (link && link->seen_text && (!found->base || found->published))
		round_decode(round, mem, found, link);
	if (link && link->state == LINK_MISSING) { /* moved, not deleted, however long it settles */
		link->state = LINK_OK;
		link->error = NULL;
		FAULT_TRY(link_set(round->env->store, link));
	}
	*link_r = link;
	return NULL;
}

/* A card says some things in a form of its own (one blank between words): what it says of SHOWN is no
 * change. */
static struct fault *read_card_by(struct round *round, TALLOC_CTX *mem, const struct vector *shown,
				  struct found *found)
{
	struct decoded *again = NULL;

	FAULT_TRY(codec_decode(mem, round_form(round), found->item->text, found->item->len, NULL,
			       shown, &again));
	for (int f = 0; f < FIELDS; f++)
		if (f != FIELD_attachments)
			vector_put(found->decoded->values, (enum field)f, &again->values->value[f]);
	return NULL;
}

/* The title is compared with what an item can show of the task's, which is one line of bounded length
 * without control characters. */
struct fault *round_check_adoption(struct round *round, TALLOC_CTX *mem, struct link *link,
				   struct found *found, bool *adopt_r)
{
	const struct value *title = &found->decoded->values->value[FIELD_subject];
	struct assignment_view view;
	struct vector *shown;

	FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	shown = publish_vector(mem, view.stamped->values, round->env->conf->site.dates,
			       view.parent_uid);
	if (found->decoded->card_only)
		FAULT_TRY(read_card_by(round, mem, shown, found));
	*adopt_r = title->presence == ABSENT ||
		   value_same(FIELD_subject, title, &shown->value[FIELD_subject]);
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

static bool has_hash(TALLOC_CTX *mem, const struct agreed *steps, size_t count, const char *hash)
{
	for (size_t i = 0; i < count; i++)
		if (steps[i].values && text_same(codec_hash(mem, steps[i].values), hash))
			return true;
	return false;
}

/* M10. True when that hash is known: of this item, so that only a number was typed, or with that
 * number of another of the person's items, which was copied over this one. */
static struct fault *is_known_hash(struct round *round, TALLOC_CTX *mem, const struct link *link,
				   const struct decoded *item, bool *known_r)
{
	struct store *store = round->env->store;
	struct agreed *steps = NULL;
	size_t count = 0;

	FAULT_TRY(link_history(store, mem, link->id, &steps, &count));
	*known_r = text_same(codec_hash(mem, link->seen), item->edition_hash) ||
		   has_hash(mem, steps, count, item->edition_hash);
	if (*known_r)
		return NULL;
	FAULT_TRY(link_history_of_edition(store, mem, round->account->id, item->edition, &steps,
					  &count));
	*known_r = has_hash(mem, steps, count, item->edition_hash);
	return NULL;
}

struct fault *round_check_age(struct round *round, TALLOC_CTX *mem, struct link *link,
			      const struct found *found, bool *alone_r)
{
	const struct decoded *item = found->decoded;
	bool known = false;

	*alone_r = false;
	if (!link->seen || link->edition <= 0 || item->edition <= link->edition)
		return NULL;
	if (text_same(codec_hash(mem, item->values), item->edition_hash)) {
		FAULT_TRY(is_known_hash(round, mem, link, item, &known));
		if (!known) {
			round->older = mem_printf(
				round->mem,
				"the item '%s' of %s on server %s carries edition %lld, and this "
				"database has published %lld at most",
				round_subject(round, mem, link->assignment_id),
				round->resource->key, round->server->name, (long long)item->edition,
				(long long)link->edition);
			return older_fault(round->mem, round->older);
		}
	}
	*alone_r = true;
	if (link->state == LINK_HELD)
		return NULL;
	round_hold(round, link,
		   "its item carries an edition that was never published, and does not show what "
		   "that would be; remove the line X-TASKFERRY-EDITION from it, or the item, then: "
		   "taskferry queue retry --all");
	return link_set(round->env->store, link);
}
