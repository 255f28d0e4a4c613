/* memory.c - the file is read at the start of every operation and written at its end, under a lock, as text:
 *
 *     seq NUMBER                                   the last version given out
 *     validity NUMBER                              the generation of a message's number, where it is not 1
 *     count OPERATION NUMBER                       items that the operation has seen, for the script
 *     folder ADDRESS<TAB>DISPLAY<TAB>OBJECT_ID
 *     item ADDRESS<TAB>VERSION<TAB>MODIFIED_US<TAB>LENGTH[<TAB>TOUCHED<TAB>FLAGS], then the text and a newline
 *     late ..., as item: sent, but not there yet
 *     gone ADDRESS<TAB>VERSION
 */
#include "config.h"

#include "gateway/memory/memory_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

const char *const memory_operation_names[] = { "probe",  "ensure", "notice", "fetch", "put",
					       "remove", "writes", "rights", "sweep", "attach",
					       "download" };
_Static_assert(COUNT_OF(memory_operation_names) == MEMORY_OPERATIONS, "one name per operation");

/* ---- the file ---- */

static struct fault *io_fault(TALLOC_CTX *mem, const char *path)
{
	return fault_new(mem, errno == EACCES ? FAULT_NOT_PERMITTED : FAULT_IO, "%s: %s", path,
			 strerror(errno));
}

struct fault *memory_read_file(TALLOC_CTX *mem, const char *path, char **text_r, size_t *len_r)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	char *text;
	size_t n;

	if (!file && errno == ENOENT) {
		*text_r = mem_strdup(mem, "");
		*len_r = 0;
		return NULL;
	}
	if (!file)
		return io_fault(mem, path);
	if (fstat(fileno(file), &st) < 0 || st.st_size < 0 ||
	    (size_t)st.st_size > MEMORY_FILE_MAX) {
		fclose(file);
		return fault_new(mem, FAULT_IO, "%s: too large for a memory server", path);
	}
	text = MEM_ARRAY(mem, char, (size_t)st.st_size + 1);
	n = fread(text, 1, (size_t)st.st_size, file);
	text[n] = '\0';
	fclose(file);
	*text_r = text;
	*len_r = n;
	return NULL;
}

struct memory_item *memory_add_item(struct memory_state *state)
{
	struct memory_item *item;

	state->items = MEM_GROW(state, state->items, struct memory_item, state->item_count + 1);
	item = &state->items[state->item_count++];
	memset(item, 0, sizeof *item);
	return item;
}

void memory_add_folder(struct memory_state *state, const char *address, const char *display,
		       const char *object_id)
{
	state->folders =
		MEM_GROW(state, state->folders, struct memory_folder, state->folder_count + 1);
	state->folders[state->folder_count].address = mem_strdup(state, address);
	state->folders[state->folder_count].object_id = mem_strdup(state, object_id);
	state->folders[state->folder_count++].display = mem_strdup(state, display);
	state->changed = true;
}

static char *next_word(char **line)
{
	char *word = *line, *tab = word ? strchr(word, '\t') : NULL;

	*line = tab ? tab + 1 : NULL;
	if (tab)
		*tab = '\0';
	return word ? word : (char *)"";
}

/* One line; returns where the next one begins. An item's text follows its line. */
static char *parse_line(struct memory_state *state, char *line, char *end)
{
	char *newline = memchr(line, '\n', (size_t)(end - line));
	char *rest, *next = newline ? newline + 1 : end;

	if (newline)
		*newline = '\0';
	rest = strchr(line, ' ');
	if (!rest)
		return next;
	*rest++ = '\0';
	if (!strcmp(line, "seq")) {
		state->seq = state->seq_read = strtoll(rest, NULL, 10);
	} else if (!strcmp(line, "validity")) {
		state->validity = strtoll(rest, NULL, 10);
	} else if (!strcmp(line, "count")) {
		for (int i = 0; i < MEMORY_OPERATIONS; i++)
			if (text_starts(rest, memory_operation_names[i]))
				state->counts[i] =
					strtoll(rest + strlen(memory_operation_names[i]), NULL, 10);
	} else if (!strcmp(line, "folder")) {
		char *address = next_word(&rest), *display = next_word(&rest);

		memory_add_folder(state, address, display, next_word(&rest));
	} else if (!strcmp(line, "item") || !strcmp(line, "gone") || !strcmp(line, "late")) {
		struct memory_item *item = memory_add_item(state);

		item->address = mem_strdup(state, next_word(&rest));
		item->version = strtoll(next_word(&rest), NULL, 10);
		item->gone = *line == 'g';
		item->late = *line == 'l';
		if (!item->gone) {
			item->modified_us = strtoll(next_word(&rest), NULL, 10);
			item->len = (size_t)strtoull(next_word(&rest), NULL, 10);
			item->touched = strtoll(next_word(&rest), NULL, 10);
			item->flags = mem_strdup(state, next_word(&rest));
			if (item->len > (size_t)(end - next))
				item->len = (size_t)(end - next);
			item->text = mem_bytes(state, next, item->len);
			next += item->len + (next + item->len < end ? 1 : 0);
		}
	}
	return next;
}

struct fault *memory_load(struct memory_endpoint *memory, TALLOC_CTX *mem,
			  struct memory_state **state_r)
{
	struct memory_state *state = MEM_NEW(mem, struct memory_state);
	char *lock = mem_printf(state, "%s.lock", memory->path), *text = NULL;
	size_t len = 0;

	memory->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (memory->lock_fd < 0 || flock(memory->lock_fd, LOCK_EX) < 0)
		return io_fault(mem, lock);
	FAULT_TRY(memory_read_file(state, memory->path, &text, &len));
	state->validity = 1;
	for (char *line = text; line < text + len;)
		line = parse_line(state, line, text + len);
	state->changed = false;
	*state_r = state;
	return NULL;
}

void memory_unlock(struct memory_endpoint *memory)
{
	if (memory->lock_fd >= 0)
		close(memory->lock_fd);
	memory->lock_fd = -1;
}

static char *render(TALLOC_CTX *mem, const struct memory_state *state, size_t *len_r)
{
	struct buf *out = buf_new(mem);

	buf_printf(out, "seq %" PRId64 "\n", state->seq);
	if (state->validity != 1)
		buf_printf(out, "validity %" PRId64 "\n", state->validity);
	for (int i = 0; i < MEMORY_OPERATIONS; i++)
		buf_printf(out, "count %s %" PRId64 "\n", memory_operation_names[i],
			   state->counts[i]);
	for (size_t i = 0; i < state->folder_count; i++)
		buf_printf(out, "folder %s\t%s\t%s\n", state->folders[i].address,
			   state->folders[i].display, state->folders[i].object_id);
	for (size_t i = 0; i < state->item_count; i++) {
		const struct memory_item *item = &state->items[i];

		if (item->gone) {
			buf_printf(out, "gone %s\t%" PRId64 "\n", item->address, item->version);
			continue;
		}
		buf_printf(out, "%s %s\t%" PRId64 "\t%" PRId64 "\t%zu",
			   item->late ? "late" : "item", item->address, item->version,
			   item->modified_us, item->len);
		if (item->touched || (item->flags && *item->flags))
			buf_printf(out, "\t%" PRId64 "\t%s", item->touched,
				   item->flags ? item->flags : "");
		buf_putc(out, '\n');
		buf_add(out, item->text, item->len);
		buf_putc(out, '\n');
	}
	return buf_steal(&out, mem, len_r);
}

struct fault *memory_save(struct memory_endpoint *memory, TALLOC_CTX *mem,
			  struct memory_state *state)
{
	char *temporary = mem_printf(state, "%s.new", memory->path);
	size_t len = 0;
	char *text = render(state, state, &len);
	FILE *file = fopen(temporary, "wbe");
	bool ok;

	if (!file)
		return io_fault(mem, temporary);
	ok = fwrite(text, 1, len, file) == len;
	ok = fclose(file) == 0 && ok;
	if (!ok || rename(temporary, memory->path) < 0)
		return io_fault(mem, memory->path);
	return NULL;
}

struct fault *memory_finish(struct memory_endpoint *memory, TALLOC_CTX *mem,
			    struct memory_state *state, struct fault *fault)
{
	struct fault *late = state && state->changed ? memory_save(memory, mem, state) : NULL;

	memory_unlock(memory);
	if (state && state->changed && !late && state->seq > state->seq_read)
		memory_announce(memory, state, state);
	if (state)
		talloc_free(state);
	return fault ? fault : late;
}
