/* memory_files.c - files in the server's keeping (RFC 8607), for `?managed`. A file is an item that
 * stands in no folder; what it is attached to gets an ATTACH line, as a CalDAV server would write
 * it. */
#include "config.h"

#include "gateway/memory/memory_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define HOST "http://memory.example"
#define PLACE "/attachments/"
#define END "END:VTODO"

static struct memory_item *find(struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].gone && !state->items[i].late &&
		    !strcmp(state->items[i].address, address))
			return &state->items[i];
	return NULL;
}

struct fault *memory_files_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r)
{
	(void)mem;
	*attaches_r = ((struct memory_endpoint *)endpoint)->managed;
	return NULL;
}

/* The item's text with the line of a new file. */
static void write_line(struct memory_endpoint *memory, struct memory_state *state,
		       struct memory_item *item, const struct endpoint_attach *attach, int64_t id)
{
	struct buf *text = buf_new(state);
	const char *end = strstr(item->text, END);
	size_t head = end ? (size_t)(end - item->text) : item->len;

	buf_add(text, item->text, head);
	buf_printf(text,
		   "ATTACH;MANAGED-ID=%" PRId64 ";FMTTYPE=%s;FILENAME=\"%s\";SIZE=%zu:" HOST PLACE
		   "%" PRId64 "\r\n",
		   id, attach->type, attach->name, attach->len, id);
	buf_add(text, item->text + head, item->len - head);
	item->len = text->len;
	item->text = buf_steal(&text, state, NULL);
	item->version = ++state->seq;
	item->modified_us = clock_now_us(memory->clock);
	state->changed = true;
}

static struct fault *attach_to(struct memory_endpoint *memory, TALLOC_CTX *mem,
			       struct memory_state *state, const struct endpoint_attach *attach)
{
	struct memory_item *item = find(state, attach->address), *file;
	int64_t version = -1, id = ++state->seq;

	if (!item)
		return fault_new(mem, FAULT_GONE, "the item is not there");
	if (!text_to_int(attach->if_version, &version) || version != item->version)
		return fault_new(mem, FAULT_CHANGED, "%s is another version", item->address);
	write_line(memory, state, item, attach, id);
	file = memory_add_item(state);
	*file = (struct memory_item){ .address = mem_printf(state, PLACE "%" PRId64, id),
				      .version = id,
				      .text = mem_bytes(state, attach->bytes, attach->len),
				      .len = attach->len };
	return NULL;
}

struct fault *memory_files_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const struct endpoint_attach *attach)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *told = NULL;
	struct endpoint_attach kept = *attach;

	(void)folder;
	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_ATTACH, &outcome);
	kept.len -= outcome.rewrite && kept.len;
	point_reach(memory->points, POINT_HTTP_SENDING);
	if (!fault) {
		state->counts[OP_WRITES]++;
		told = outcome.fault ? outcome.fault : attach_to(memory, mem, state, &kept);
	}
	if (!fault && outcome.lost) {
		told = fault_new(mem, FAULT_UNREACHABLE, "memory server: no answer came");
		told->maybe_done = true;
	}
	fault = memory_finish(memory, mem, state, fault);
	point_reach(memory->points, POINT_HTTP_ANSWERED);
	return fault ? fault : told;
}

struct fault *memory_files_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_outcome outcome = { .fault = NULL };
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *told = NULL;
	const struct memory_item *file = NULL;

	(void)folder;
	if (!fault)
		fault = memory_next_outcome(memory, mem, state, OP_DOWNLOAD, &outcome);
	if (!fault && text_starts(uri, HOST PLACE))
		file = find(state, uri + strlen(HOST));
	if (outcome.fault)
		told = outcome.fault;
	else if (!fault && (!file || file->len > max))
		told = fault_reaches(fault_new(mem, FAULT_DATA, "%s: not here, or too large", uri),
				     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	if (!fault && !told) {
		*bytes_r = mem_bytes(mem, file->text, file->len);
		*len_r = file->len;
	}
	fault = memory_finish(memory, mem, state, fault);
	return fault ? fault : told;
}
