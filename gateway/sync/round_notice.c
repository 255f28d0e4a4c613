#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>
#include <uthash.h>

#define DOUBLES_LOOKED_FOR                                                                         \
	64 /* addresses; reading one twice does no harm, looking through thousands does */

void round_read_add(struct round *round, const char *address)
{
	for (size_t i = 0; i < round->read_count && round->read_count < DOUBLES_LOOKED_FOR; i++)
		if (!strcmp(round->read[i], address))
			return;
	round->read = MEM_GROW(round->mem, round->read, const char *, round->read_count + 1);
	round->read[round->read_count++] = mem_strdup(round->mem, address);
}

static const struct pending *find_pending(const struct round *round, const char *address)
{
	for (size_t i = 0; i < round->pending_count; i++)
		if (!strcmp(round->pending[i].address, address))
			return &round->pending[i];
	return NULL;
}

bool round_is_quiet(const struct round *round, const char *address)
{
	const struct pending *pending = address ? find_pending(round, address) : NULL;

	return pending && pending->due_us > clock_now_us(round->env->clock);
}

/* A changed address: ours and as we know it, a stray that we know, or to be read. */
static struct fault *consider(struct round *round, const struct endpoint_change *change)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct link *link = NULL;
	char *stray = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, change->address, &link));
	if (change->removed) {
		if (link && link->seen_version && link->state != LINK_REMOVED)
			round_read_add(round, change->address); /* asked for directly before it is
								   believed (M5) */
		else
			FAULT_TRY(link_stray_drop(round->env->store, round->folder->id,
						  change->address));
	} else if (link) {
		if (!link->seen_version || strcmp(link->seen_version, change->version) ||
		    link->state == LINK_MISSING)
			round_read_add(round, change->address);
	} else {
		FAULT_TRY(link_stray_version(round->env->store, mem, round->folder->id,
					     change->address, &stray));
		if (!stray || strcmp(stray, change->version))
			round_read_add(round, change->address);
	}
	talloc_free(mem);
	return NULL;
}

struct present {
	UT_hash_handle hh;
	const char *address;
};

/* A complete listing: links with an item that is not in it are missing. */
static struct fault *find_missing(struct round *round)
{
	const struct endpoint_notice *notice = round->notice;
	struct present *set = NULL, *all = MEM_ARRAY(round->mem, struct present, notice->count),
		       *found;
	struct link *links = NULL;
	struct fault *fault;
	size_t count = 0;

	for (size_t i = 0; i < notice->count; i++) {
		all[i].address = notice->changes[i].address;
		HASH_ADD_KEYPTR(hh, set, all[i].address, strlen(all[i].address), &all[i]);
	}
	fault = link_versions(round->env->store, round->mem, round->folder->id, &links, &count);
	for (size_t i = 0; i < count && !fault; i++) {
		if (!links[i].seen_version || links[i].state == LINK_REMOVED ||
		    links[i].state == LINK_DECLINED || links[i].state == LINK_IGNORED)
			continue;
		HASH_FIND_STR(set, links[i].address, found);
		if (!found)
			round_read_add(round, links[i].address);
	}
	HASH_CLEAR(hh, set);
	return fault;
}

static struct fault *ask(struct round *round)
{
	const char *token = round->options->full ? NULL : round->folder->token;
	struct fault *fault;

	fault = endpoint_notice(round->endpoint, round->mem, round->folder->address, token,
				&round->notice);
	if (fault && fault->kind == FAULT_TOKEN && token)
		fault = endpoint_notice(round->endpoint, round->mem, round->folder->address, NULL,
					&round->notice);
	return fault;
}

struct fault *round_notice(struct round *round)
{
	int64_t now = clock_now_us(round->env->clock);

	FAULT_TRY(link_pending(round->env->store, round->mem, round->folder->id, &round->pending,
			       &round->pending_count));
	FAULT_TRY(ask(round));
	point_reach(round->env->points, POINT_ROUND_NOTICED);
	for (size_t i = 0; i < round->notice->count; i++)
		FAULT_TRY(consider(round, &round->notice->changes[i]));
	if (round->notice->full)
		FAULT_TRY(find_missing(round));
	for (size_t i = 0; i < round->pending_count; i++) {
		if (round->pending[i].due_us <= now)
			round_read_add(round, round->pending[i].address);
		else if (round->pending[i].due_us < round->report->due_us)
			round->report->due_us = round->pending[i].due_us;
	}
	return NULL;
}

/* The item as it was last seen: its description, so that a trailer is told from notes, and its
 * LAST-MODIFIED (M3). NULL: none. */
static struct fault *last_seen(struct round *round, TALLOC_CTX *mem, const char *address,
			       struct vtodo **seen_r)
{
	struct vtodo *seen = NULL;
	struct link *link = NULL;
	struct fault *fault = NULL;

	FAULT_TRY(link_of_address(round->env->store, mem, round->folder->id, address, &link));
	if (link && link->seen_text)
		fault = vtodo_decode(mem, link->seen_text, strlen(link->seen_text), NULL, &seen);
	talloc_free(fault); /* what we hold of old is not readable: then there is nothing to compare
			       with */
	*seen_r = seen;
	return NULL;
}

static struct fault *decode(struct round *round, TALLOC_CTX *mem, struct found *found)
{
	struct vtodo *seen = NULL;

	found->address = found->item->address;
	if (found->item->fault)
		return NULL;
	FAULT_TRY(last_seen(round, mem, found->address, &seen));
	found->seen_modified_us = seen ? seen->last_modified_us : 0;
	found->fault = vtodo_decode(mem, found->item->text, found->item->len,
				    seen ? seen->description : NULL, &found->vtodo);
	return NULL;
}

/* A fault that reaches further than the item ends the round (N6: but only this round). */
static struct fault *wider_fault(const struct endpoint_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].fault && items[i].fault->scope != FAULT_SCOPE_ITEM)
			return items[i].fault;
	return NULL;
}

struct fault *round_fetch(struct round *round, TALLOC_CTX *mem, struct found **found_r,
			  size_t *count_r)
{
	struct endpoint_item *items = NULL;
	size_t count = round->read_count;
	struct found *found = MEM_ARRAY(mem, struct found, count);

	if (count)
		FAULT_TRY(endpoint_fetch(round->endpoint, mem, round->folder->address, round->read,
					 count, &items));
	FAULT_TRY(wider_fault(items, count));
	for (size_t i = 0; i < count; i++) {
		found[i].item = &items[i];
		FAULT_TRY(decode(round, mem, &found[i]));
		round->report->read++;
	}
	if (count)
		point_reach(round->env->points, POINT_ROUND_READ);
	round->read = NULL;
	round->read_count = 0;
	*found_r = found;
	*count_r = count;
	return NULL;
}
