/* round_stale.c - the history of what both sides agreed on, and what it says of an item (M4). */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "decide/stale.h"
#include "model/ids.h"
#include "store/revisions.h"

struct fault *round_refresh(struct round *round, struct link *link)
{
	struct decoded *decoded = NULL;
	struct fault *fault;

	if (!link->seen_text || (link->seen && link->decoder == CODEC_VERSION))
		return NULL;
	fault = codec_decode(link, round_form(round), link->seen_text, strlen(link->seen_text),
			     NULL, NULL, &decoded);
	talloc_free(fault); /* not readable any more: what it was read as then has to do */
	if (!decoded)
		return NULL;
	/* only what was the project's then was agreed on */
	if (decoded->values->value[FIELD_attachments].presence != ABSENT)
		round_files_agreed(decoded->values, link->seen);
	link->seen = decoded->values;
	link->decoder = CODEC_VERSION;
	link->seen_ids = ids_of_vector(link, CODEC_VERSION, link->seen);
	return NULL;
}

static struct fault *steps_of(struct round *round, TALLOC_CTX *mem, const struct link *link,
			      struct stale_input *input)
{
	struct agreed *agreed = NULL;
	struct stale_step *steps;
	size_t count = 0;

	FAULT_TRY(link_history(round->env->store, mem, link->id, &agreed, &count));
	steps = MEM_ARRAY(mem, struct stale_step, count);
	for (size_t i = 0; i < count; i++)
		if (agreed[i].values) /* readable */
			steps[input->count++] = (struct stale_step){ .edition = agreed[i].edition,
								     .pushed = agreed[i].pushed,
								     .values = agreed[i].values };
	input->steps = steps;
	return NULL;
}

struct fault *round_find_base(struct round *round, TALLOC_CTX *mem, const struct link *link,
			      struct found *found)
{
	struct stale_input input = { .seen = link->seen,
				     .seen_edition = found->seen_edition,
				     .item = found->decoded->values,
				     .item_edition = found->decoded->edition };
	struct stale_verdict verdict;

	if (!link->seen || link->state == LINK_DECLINED || link->state == LINK_IGNORED ||
	    found->base || round_carries_want(link, found) ||
	    (input.item_edition && input.item_edition == input.seen_edition))
		return NULL;
	FAULT_TRY(steps_of(round, mem, link, &input));
	verdict = stale_judge(&input);
	if (verdict.kind != STALE_NOT) {
		found->base = verdict.base;
		found->other = verdict.other;
	}
	return NULL;
}

struct fault *round_find_edition(struct round *round, TALLOC_CTX *mem, const struct link *link,
				 struct found *found)
{
	struct stale_input input = { .count = 0 };

	FAULT_TRY(steps_of(round, mem, link, &input));
	for (size_t i = 0; i < input.count; i++)
		if (input.steps[i].edition == found->decoded->edition) {
			found->base = input.steps[i].values;
			if (input.steps[i].pushed)
				found->published = input.steps[i].values;
		}
	return NULL;
}

struct fault *round_agree(struct round *round, const struct link *link, const struct found *found)
{
	int64_t edition = found->decoded->edition;
	bool moved[GROUPS];
	char *ids = ids_of_vector(round->mem, CODEC_VERSION, found->decoded->values);

	if (!ids_moved(link->seen_ids, ids, moved))
		return NULL;
	return link_history_add(round->env->store, link,
				&(struct agreed){ .edition = edition ? edition : link->edition,
						  .values = found->decoded->values,
						  .at_us = clock_now_us(round->env->clock) });
}

struct fault *round_keep_old(struct round *round, const struct link *link,
			     const struct found *found)
{
	struct revision *revision;

	if (!found->other)
		return NULL;
	revision = revision_new(round->mem, REVISION_LOSING);
	revision->message = "written as it was before taskferry's last write: taken for an old "
			    "copy, not for a change";
	for (int f = 0; f < FIELDS; f++) {
		const struct value *now = &found->decoded->values->value[f];

		if (field_table[f].owner == OWNER_BOTH && now->presence != ABSENT &&
		    !value_same((enum field)f, now, &found->other->value[f]) &&
		    value_same((enum field)f, now, &found->base->value[f]))
			revision_field(revision, (enum field)f, &found->other->value[f], now,
				       &link->seen->value[f]);
	}
	if (!revision_has_any(revision))
		return NULL;
	revision->assignment_id = link->assignment_id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = round->author;
	round->report->losing++;
	return revisions_add(round->env->store, revision);
}
