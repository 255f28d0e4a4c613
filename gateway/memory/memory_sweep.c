#include "config.h"

#include "gateway/memory/memory_private.h"

#include "base/text.h"

bool memory_has_moved(struct memory_state *state, const struct endpoint_sweep *folder)
{
	int64_t since = 0;

	if (!folder->token || !memory_find_folder(state, folder->folder) ||
	    !memory_read_token(state, folder->token, &since))
		return true;
	for (size_t i = 0; i < state->item_count; i++) {
		const struct memory_item *item = &state->items[i];

		if (!item->late && (item->version > since || item->touched > since) &&
		    text_starts(item->address, folder->folder))
			return true;
	}
	return false;
}

struct fault *memory_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_sweep *folders, size_t count)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault;

	if (count < 2)
		return NULL;
	fault = memory_load(memory, mem, &state);
	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_SWEEP, &outcome);
	if (!fault)
		fault = outcome.fault;
	for (size_t i = 0; !fault && i < count; i++) {
		folders[i].asked = true;
		folders[i].moved = !outcome.blind && memory_has_moved(state, &folders[i]);
	}
	return memory_finish(memory, mem, state, fault);
}
