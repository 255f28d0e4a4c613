/* memory_mailbox.c - mailboxes beside the folders: "/USER/NAME/". */
#include "config.h"

#include "gateway/memory/memory_private.h"

#include <inttypes.h>
#include <string.h>

static char *address_of(const struct memory_endpoint *memory, TALLOC_CTX *mem, const char *name)
{
	return mem_printf(mem, "/%s/%s/", memory->user, name);
}

static void make(struct memory_state *state, const char *address, const char *name)
{
	if (memory_find_folder(state, address))
		return;
	memory_make_folder(state, address, name);
	state->changed = true;
}

struct fault *memory_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			     char **address_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char *address = address_of(memory, mem, name);
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault)
		make(state, address, name);
	FAULT_TRY(memory_finish(memory, mem, state, fault));
	*address_r = address;
	return NULL;
}

static struct memory_item *find(struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].gone && !strcmp(state->items[i].address, address))
			return &state->items[i];
	return NULL;
}

static void put(struct memory_endpoint *memory, struct memory_state *state, const char *mailbox,
		const char *text, size_t len)
{
	char *address = mem_printf(state, "%s%010" PRId64 ".%010" PRId64, mailbox, state->validity,
				   state->seq + 1);

	memory_store_item(memory, state, address, text, len);
}

struct fault *memory_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
			    const char *const *addresses, size_t count, const char *into)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char *there = into ? address_of(memory, mem, into) : NULL;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	(void)mailbox;
	if (!fault && there)
		make(state, there, into);
	for (size_t i = 0; !fault && there && i < count; i++) {
		const struct memory_item *item = find(state, addresses[i]);

		if (!item)
			continue;
		put(memory, state, there, item->text, item->len);
		memory_store_item(memory, state, addresses[i], NULL, 0);
	}
	return memory_finish(memory, mem, state, fault);
}

static bool is_there(const struct memory_state *state, const char *inbox, const char *message_id)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].gone &&
		    !strncmp(state->items[i].address, inbox, strlen(inbox)) &&
		    strstr(state->items[i].text, message_id))
			return true;
	return false;
}

struct fault *memory_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
			  const char *text, size_t len, bool again)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char *inbox = address_of(memory, mem, "INBOX");
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state);

	if (!fault)
		make(state, inbox, "INBOX");
	if (!fault && !(again && is_there(state, inbox, message_id))) {
		point_reach(memory->points, POINT_HTTP_SENDING);
		put(memory, state, inbox, text, len);
	}
	fault = memory_finish(memory, mem, state, fault);
	if (!fault)
		point_reach(memory->points, POINT_HTTP_ANSWERED);
	return fault;
}
