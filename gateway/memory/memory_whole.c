#include "config.h"

#include "gateway/memory/memory_private.h"

struct fault *memory_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, char **address_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char *address = mem_printf(mem, "/%s/%s/", memory->user, folder->path);
	struct memory_state *state = NULL;
	struct fault *fault;
	bool there;

	*address_r = NULL;
	if (!memory->whole)
		return NULL;
	fault = memory_load(memory, mem, &state);
	there = !fault && memory_find_folder(state, address);
	fault = memory_finish(memory, mem, state, fault);
	if (!fault)
		*address_r = there ? NULL : address;
	return fault;
}

static struct fault *make(struct memory_endpoint *memory, TALLOC_CTX *mem,
			  struct memory_state *state, const char *address,
			  const struct endpoint_put *puts, size_t count, bool *made)
{
	struct memory_outcome outcome;

	FAULT_TRY(memory_next_outcome(memory, mem, state, OP_ENSURE, &outcome));
	if (outcome.fault && !outcome.denied)
		return outcome.fault;
	if (memory_find_folder(state, address))
		return NULL;
	point_reach(memory->points, POINT_HTTP_SENDING);
	state->counts[OP_WRITES]++;
	memory_make_folder(state, address, "");
	for (size_t i = 0; i < count; i++)
		memory_store_item(memory, state, puts[i].address, puts[i].text, puts[i].len);
	*made = true;
	return outcome.lost ? memory_lost_answer(mem) : outcome.fault;
}

struct fault *memory_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				const struct endpoint_put *puts, size_t count, bool *made_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault;
	bool made = false;

	*made_r = false;
	if (!memory->whole)
		return NULL;
	fault = memory_load(memory, mem, &state);
	if (!fault)
		fault = make(memory, mem, state, address, puts, count, &made);
	fault = memory_finish(memory, mem, state, fault);
	if (fault)
		return fault;
	if (made)
		point_reach(memory->points, POINT_HTTP_ANSWERED);
	*made_r = made;
	return NULL;
}
