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

enum endpoint_form round_form(const struct round *round)
{
	return round->endpoint->ops->form;
}

void round_gone_add(struct round *round, const char *address)
{
	round->gone = MEM_GROW(round->mem, round->gone, const char *, round->gone_count + 1);
	round->gone[round->gone_count++] = mem_strdup(round->mem, address);
}

bool round_is_gone(const struct round *round, const char *address)
{
	for (size_t i = 0; i < round->gone_count; i++)
		if (!strcmp(round->gone[i], address))
			return true;
	return false;
}

static const struct pending *find_pending(const struct round *round, const char *address)
{
	for (size_t i = 0; i < round->pending_count; i++)
		if (!strcmp(round->pending[i].address, address))
			return &round->pending[i];
	return NULL;
}

/* What was first seen in the future was seen before the clock was set back. */
static bool is_over(const struct pending *pending, int64_t now)
{
	return pending->due_us <= now ||
	       (pending->first_seen_us > now && pending->due_us < INT64_MAX);
}

bool round_is_quiet(const struct round *round, const char *address)
{
	const struct pending *pending = address ? find_pending(round, address) : NULL;

	return pending && !is_over(pending, clock_now_us(round->env->clock));
}

/* A changed address: ours and as we know it, a stray that we know, or to be read. */
static struct fault *consider(struct round *round, const struct endpoint_change *change)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct link *link = NULL;
	bool leftover = false;
	char *stray = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, change->address, &link));
	if (!link && round->endpoint->ops->appends)
		FAULT_TRY(link_leftover_has(round->env->store, round->folder->id, change->address,
					    &leftover));
	if (leftover) {
		talloc_free(mem);
		return NULL;
	}
	if (change->removed) {
		if (link && link->seen_version && link->state != LINK_REMOVED)
			round_gone_add(round, change->address);
		else
			FAULT_TRY(link_stray_drop(round->env->store, round->folder->id,
						  change->address));
	} else if (link) {
		bool moved = !link->seen_version || strcmp(link->seen_version, change->version) ||
			     link->state == LINK_MISSING;

		if (moved && !round_marks_moved(round, link, change))
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

/* A set of addresses. */
struct present {
	UT_hash_handle hh;
	const char *address;
};

/* Of all that the notice tells; HASH_CLEAR() is the caller's. */
static struct present *told_by(struct round *round)
{
	const struct endpoint_notice *notice = round->notice;
	struct present *set = NULL, *all = MEM_ARRAY(round->mem, struct present, notice->count);

	for (size_t i = 0; i < notice->count; i++) {
		all[i].address = notice->changes[i].address;
		HASH_ADD_KEYPTR(hh, set, all[i].address, strlen(all[i].address), &all[i]);
	}
	return set;
}

/* What was not ours and is not in a complete listing is not there any more. */
static struct fault *forget_strays(struct round *round, const struct present *set)
{
	struct store *store = round->env->store;
	const struct present *found;
	char **strays = NULL;
	size_t count = 0;

	FAULT_TRY(link_stray_addresses(store, round->mem, round->folder->id, &strays, &count));
	for (size_t i = 0; i < count; i++) {
		HASH_FIND_STR(set, strays[i], found);
		if (!found && !round->options->dry_run)
			FAULT_TRY(link_stray_drop(store, round->folder->id, strays[i]));
	}
	return NULL;
}

/* A complete listing: links with an item that is not in it are missing. */
static struct fault *find_missing(struct round *round)
{
	struct present *set = told_by(round), *found;
	struct link *links = NULL;
	struct fault *fault;
	size_t count = 0;

	fault = link_versions(round->env->store, round->mem, round->folder->id, &links, &count);
	for (size_t i = 0; i < count && !fault; i++) {
		if (!links[i].seen_version || links[i].state == LINK_REMOVED ||
		    links[i].state == LINK_DECLINED || links[i].state == LINK_IGNORED)
			continue;
		HASH_FIND_STR(set, links[i].address, found);
		if (!found)
			round_gone_add(round, links[i].address);
	}
	if (!fault)
		fault = forget_strays(round, set);
	HASH_CLEAR(hh, set);
	return fault;
}

/* What we put behind the token, and a person has removed before this look: no change tells of it. */
static struct fault *find_missing_between(struct round *round, const struct endpoint_span *span)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct present *set, *found;
	char **ours = NULL;
	size_t count = 0;

	FAULT_TRY(link_between(round->env->store, mem, round->folder->id, span->from, span->to,
			       &ours, &count));
	set = count ? told_by(round) : NULL;
	for (size_t i = 0; i < count; i++) {
		HASH_FIND_STR(set, ours[i], found);
		if (!found)
			round_gone_add(round, ours[i]);
	}
	HASH_CLEAR(hh, set);
	talloc_free(mem);
	return NULL;
}

static struct fault *ask(struct round *round, const char *token)
{
	struct fault *fault;

	fault = endpoint_notice(round->endpoint, round->mem, round->folder->address, token,
				&round->notice);
	round->renewed = fault && fault->kind == FAULT_TOKEN && token;
	if (round->renewed)
		fault = endpoint_notice(round->endpoint, round->mem, round->folder->address, NULL,
					&round->notice);
	return fault;
}

/* What the notice says, as addresses to read. Those that are gone come last: what stands in their
 * place is met first. They are asked for directly before it is believed (M5). */
static struct fault *sift(struct round *round)
{
	for (size_t i = 0; i < round->notice->count; i++)
		FAULT_TRY(consider(round, &round->notice->changes[i]));
	if (round->notice->full)
		FAULT_TRY(find_missing(round));
	for (size_t i = 0; i < round->notice->span_count && !round->notice->full; i++)
		FAULT_TRY(find_missing_between(round, &round->notice->spans[i]));
	for (; round->gone_read < round->gone_count; round->gone_read++)
		round_read_add(round, round->gone[round->gone_read]);
	return NULL;
}

struct fault *round_notice(struct round *round)
{
	int64_t now = clock_now_us(round->env->clock);

	FAULT_TRY(link_pending(round->env->store, round->mem, round->folder->id, &round->pending,
			       &round->pending_count));
	FAULT_TRY(ask(round, round->options->full ? NULL : round->folder->token));
	point_reach(round->env->points, POINT_ROUND_NOTICED);
	for (size_t i = 0; i < round->pending_count; i++) {
		if (is_over(&round->pending[i], now))
			round_read_add(round, round->pending[i].address);
		else if (round->pending[i].due_us < round->report->due_us)
			round->report->due_us = round->pending[i].due_us;
	}
	return sift(round);
}

struct fault *round_notice_again(struct round *round)
{
	if (!round->look_again)
		return NULL;
	round->look_again = false;
	FAULT_TRY(ask(round, round->notice->token));
	return sift(round);
}

static struct fault *decode(struct round *round, TALLOC_CTX *mem, struct found *found)
{
	struct link *link = NULL;

	found->address = found->item->address;
	if (found->item->fault)
		return NULL;
	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, found->address, &link));
	round_decode(round, mem, found, link);
	return NULL;
}

void round_decode(struct round *round, TALLOC_CTX *mem, struct found *found,
		  const struct link *link)
{
	const char *last = link ? link->seen_text : NULL;
	struct decoded *seen = NULL;
	struct fault *fault = NULL;

	if (last)
		fault = codec_decode(mem, round_form(round), last, strlen(last), NULL, NULL, &seen);
	talloc_free(fault); /* what we hold of old is not readable: nothing to compare with */
	found->seen_modified_us = seen ? seen->last_modified_us : 0;
	found->seen_edition = seen ? seen->edition : 0;
	found->decoded = NULL;
	/* an old copy is not compared with what stands now, which is of another edition */
	found->fault = codec_decode(mem, round_form(round), found->item->text, found->item->len,
				    found->published ? NULL : last,
				    found->published ? found->published
				    : last           ? link->seen
						     : NULL,
				    &found->decoded);
}

/* A fault that reaches further than the item ends the round (N6: but only this round). */
static struct fault *wider_fault(const struct endpoint_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].fault && items[i].fault->scope != FAULT_SCOPE_ITEM)
			return items[i].fault;
	return NULL;
}

/* Where items of ours are not there any more: asked once, before anybody believes that they were
 * deleted (N5). */
static struct fault *check_access(struct round *round, const struct endpoint_item *items,
				  size_t count)
{
	bool gone = false;

	for (size_t i = 0; i < count && !gone; i++)
		gone = items[i].fault && items[i].fault->kind == FAULT_GONE;
	if (!gone || round->may_read)
		return NULL;
	FAULT_TRY(endpoint_may_read(round->endpoint, round->mem, round->folder->address));
	round->may_read = true;
	return NULL;
}

struct fault *round_fetch(struct round *round, TALLOC_CTX *mem, const char *const *addresses,
			  size_t count, struct found **found_r)
{
	struct endpoint_item *items = NULL;
	struct found *found = MEM_ARRAY(mem, struct found, count);

	if (count)
		FAULT_TRY(endpoint_fetch(round->endpoint, mem, round->folder->address, addresses,
					 count, &items));
	FAULT_TRY(wider_fault(items, count));
	FAULT_TRY(check_access(round, items, count));
	for (size_t i = 0; i < count; i++) {
		found[i].item = &items[i];
		FAULT_TRY(decode(round, mem, &found[i]));
		round->report->read++;
	}
	if (count)
		point_reach(round->env->points, POINT_ROUND_READ);
	*found_r = found;
	return NULL;
}
