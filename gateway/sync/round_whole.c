/* round_whole.c - the first round of a folder where the server can make it with all its items by one
 * request.
 *
 * 1. Until it is made, its address stands in memory only: a round that is killed here leaves a folder
 * that was never made, and the next one looks before it does anything.
 * 2. Want and edition of every item are in the database before the request goes out. So what an
 * unanswered one has made is met as ours: the folder is found, listed and read like any other.
 * 3. Nothing is believed of the items here: they are listed and read in the same round, and what is
 * not among them is put. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#define WHOLE_ITEMS_MAX 20000 /* at some 800 bytes: 16 MB; what is beyond is put as usual */
#define WHOLE_ITEMS_MIN 2     /* for one item it saves nothing */

struct whole {
	struct endpoint_put *puts; /* what they point to hangs from it */
	size_t count, size;
};

/* An item that cannot be written says so when it is put by itself. */
static struct fault *add(struct round *round, struct whole *whole, const struct link *link)
{
	struct endpoint_put put = { .address = mem_strdup(whole->puts, link->address) };
	TALLOC_CTX *scratch = MEM_CONTEXT(round->mem);
	struct composed composed = { .text = NULL };
	struct fault *fault = round_compose(round, scratch, scratch, link, &composed);

	if (fault && fault->scope != FAULT_SCOPE_ITEM)
		return fault;
	put.text = talloc_steal(whole->puts, composed.text);
	put.len = composed.len;
	talloc_free(scratch);
	if (!put.text)
		return NULL;
	if (whole->count == whole->size) {
		whole->size = whole->size ? whole->size * 2 : ROUND_BATCH;
		whole->puts = MEM_GROW(round->mem, whole->puts, struct endpoint_put, whole->size);
	}
	whole->puts[whole->count++] = put;
	return NULL;
}

static bool is_new(const struct link *link)
{
	return link->want && link->address && !link->seen_version &&
	       link->state != LINK_WITHDRAWING;
}

/* All items that are to be there. */
static struct fault *gather(struct round *round, struct whole *whole)
{
	size_t count = ROUND_BATCH;
	struct link_range range = { .folder = round->folder->id,
				    .before = INT64_MAX,
				    .most = ROUND_BATCH };

	while (count == ROUND_BATCH && whole->count < WHOLE_ITEMS_MAX) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
		struct link **links = NULL;

		FAULT_TRY(link_dirty(round->env->store, mem, &range, &links, &count));
		for (size_t i = 0; i < count && whole->count < WHOLE_ITEMS_MAX; i++) {
			range.after = links[i]->id;
			if (is_new(links[i]))
				FAULT_TRY(add(round, whole, links[i]));
		}
		talloc_free(mem);
	}
	return NULL;
}

static struct fault *make(struct round *round, bool *made_r)
{
	struct whole whole = { .puts = MEM_ARRAY(round->mem, struct endpoint_put, 1), .size = 1 };

	FAULT_TRY(round_commit_project(round));
	FAULT_TRY(gather(round, &whole));
	if (whole.count >= WHOLE_ITEMS_MIN) {
		point_reach(round->env->points, POINT_FOLDER_CREATING);
		FAULT_TRY(endpoint_whole_make(round->endpoint, round->mem, round->folder->address,
					      whole.puts, whole.count, made_r));
		point_reach(round->env->points, POINT_FOLDER_CREATED);
		if (*made_r)
			round->report->created += (int64_t)whole.count;
	}
	talloc_free(whole.puts);
	return NULL;
}

struct fault *round_whole(struct round *round)
{
	struct endpoint_folder name;
	struct fault *fault;
	char *address = NULL;
	bool made = false;

	if (!round->options->ensure || round->options->dry_run || round->folder->address)
		return NULL;
	FAULT_TRY(round_name_folder(round, &name));
	FAULT_TRY(endpoint_whole_site(round->endpoint, round->mem, &name, &address));
	if (!address)
		return NULL;
	FAULT_TRY(round_home(round));
	round->folder->address = address;
	round->unmade = true;
	fault = make(round, &made);
	round->unmade = false;
	if (!made)
		round->folder->address = NULL;
	if (fault || !made)
		return fault;
	return round_folder_made(round, false);
}
