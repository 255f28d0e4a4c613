/* memory_parts.c - the large parts of messages (mappers/message_elide.h), for `?append`. */
#include "config.h"

#include "gateway/memory/memory_private.h"

#include <string.h>

#include "base/buf.h"
#include "mappers/message_elide.h"

static const struct memory_item *find(const struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].gone && !strcmp(state->items[i].address, address))
			return &state->items[i];
	return NULL;
}

struct fault *memory_parts_fill(TALLOC_CTX *mem, const struct memory_state *state, const char *text,
				size_t len, char **text_r, size_t *len_r)
{
	struct message_piece *pieces = NULL;
	struct buf *out = buf_new(mem);
	size_t count = 0;
	struct fault *fault = message_elide_pieces(out, text, len, &pieces, &count);

	talloc_free(fault); /* no message of ours: whatever it is */
	for (size_t i = 0; i < count; i++) {
		const struct memory_item *item =
			pieces[i].text ? NULL : find(state, pieces[i].standin.address);
		const char *body = pieces[i].text;
		size_t n = pieces[i].len;

		if (!body && (!item || !message_elide_find(out, item->text, item->len,
							   pieces[i].standin.section, &body, &n)))
			return fault_new(mem, FAULT_CHANGED, "a part of %s is not there any more",
					 pieces[i].standin.address);
		buf_add(out, body, n);
	}
	if (!count)
		buf_add(out, text, len);
	*text_r = buf_steal(&out, mem, len_r);
	return NULL;
}

static struct fault *read_part(TALLOC_CTX *mem, const struct memory_state *state, const char *uri,
			       size_t max, char **bytes_r, size_t *len_r)
{
	const char *blank = strchr(uri, ' ');
	const struct memory_item *item = blank ? find(state, blank + 1) : NULL;
	char *section = item ? mem_strndup(mem, uri, (size_t)(blank - uri)) : NULL, *bytes = NULL;
	size_t len = 0;

	if (item)
		bytes = message_elide_decoded(mem, item->text, item->len, section, &len);
	if (!bytes || len > max)
		return fault_reaches(fault_new(mem, FAULT_DATA, "%s: not here, or too large", uri),
				     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	*bytes_r = bytes;
	*len_r = len;
	return NULL;
}

struct fault *memory_parts_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *told = NULL;

	(void)folder;
	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_DOWNLOAD, &outcome);
	if (!fault)
		told = outcome.fault ? outcome.fault
				     : read_part(mem, state, uri, max, bytes_r, len_r);
	fault = memory_finish(memory, mem, state, fault);
	return fault ? fault : told;
}
