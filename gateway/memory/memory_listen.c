#include "config.h"

#include "gateway/memory/memory_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

/* Push: each account that listens has a FIFO beside the server's file, PATH.push-HASH, and whoever
 * writes the file puts a byte into those of the accounts whose items it has changed. A FIFO that
 * nobody reads cannot be opened for writing, so one that is left over costs nothing. */

#define HASH_CHARS 16

static char *fifo_path(TALLOC_CTX *mem, const struct memory_endpoint *memory, const char *user,
		       size_t len)
{
	return mem_printf(mem, "%s.push-%s", memory->path,
			  digest_short(mem, user, len, HASH_CHARS));
}

static void let_go(struct memory_endpoint *memory)
{
	if (memory->push_fd >= 0)
		close(memory->push_fd);
	memory->push_fd = -1;
}

/* It is open before anybody looks whether something has changed. */
static struct fault *open_fifo(struct memory_endpoint *memory)
{
	char *path = fifo_path(memory, memory, memory->user, strlen(memory->user));
	struct fault *fault = NULL;

	let_go(memory);
	if (!mkfifo(path, 0600) || errno == EEXIST)
		memory->push_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (memory->push_fd < 0)
		fault = fault_new(memory, FAULT_UNREACHABLE, "%s: %s", path, strerror(errno));
	talloc_free(path);
	return fault;
}

struct fault *memory_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			    size_t count, struct endpoint_ear *ear_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault;
	bool changed = false;

	FAULT_TRY(open_fifo(memory));
	fault = memory_load(memory, memory, &state);
	for (size_t i = 0; !fault && i < count; i++)
		changed = changed || memory_has_moved(state, &folders[i]);
	FAULT_TRY(memory_finish(memory, memory, state, fault));
	if (changed)
		let_go(memory);
	*ear_r = (struct endpoint_ear){ .fd = memory->push_fd,
					.changed = changed,
					.count = count,
					.how = changed ? NULL : "push" };
	return NULL;
}

struct fault *memory_heard(struct endpoint *endpoint, bool *changed_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	char bytes[64];

	*changed_r = false;
	while (read(memory->push_fd, bytes, sizeof bytes) > 0)
		*changed_r = true;
	return NULL;
}

struct fault *memory_hush(struct endpoint *endpoint)
{
	let_go((struct memory_endpoint *)endpoint);
	return NULL;
}

void memory_rest(struct endpoint *endpoint)
{
	let_go((struct memory_endpoint *)endpoint);
}

static void tell(const struct memory_endpoint *memory, TALLOC_CTX *mem, const char *user,
		 size_t len)
{
	int fd = open(fifo_path(mem, memory, user, len), O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;           /* it does not listen */
	(void)!write(fd, "x", 1); /* full: it will be told */
	close(fd);
}

/* "/USER/folder/item" */
static size_t user_len(const char *address)
{
	return *address == '/' ? strcspn(address + 1, "/") : 0;
}

void memory_announce(const struct memory_endpoint *memory, TALLOC_CTX *mem,
		     const struct memory_state *state)
{
	const char *last = "";
	size_t last_len = 0;

	for (size_t i = 0; i < state->item_count; i++) {
		const struct memory_item *item = &state->items[i];
		size_t len = user_len(item->address);

		if (item->version <= state->seq_read && item->touched <= state->seq_read)
			continue;
		if (len == last_len && !strncmp(item->address + 1, last, len))
			continue;
		last = item->address + 1;
		last_len = len;
		tell(memory, mem, last, len);
	}
}
