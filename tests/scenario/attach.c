#include "config.h"

#include "attach.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "client.h"
#include "gateway/sync/codec.h"
#include "gateway/sync/edit_files.h"
#include "store/blobs.h"

/* SIZE bytes of LETTER. */
static char *bytes_of(TALLOC_CTX *mem, size_t size, char letter)
{
	char *bytes = MEM_ARRAY(mem, char, size + 1);

	memset(bytes, letter, size);
	return bytes;
}

static struct edit_env env_of(struct world *world)
{
	return (struct edit_env){ .conf = world->conf,
				  .store = world->store,
				  .clock = world->clock,
				  .rules = world->rule_set,
				  .author = "project:manager" };
}

void attach_put(struct world *world, const char *title, const char *person, const char *name,
		size_t size, char letter)
{
	struct edit_file file = { .name = name,
				  .bytes = bytes_of(world->mem, size, letter),
				  .len = size };
	struct edit_env env = env_of(world);
	struct edit_result *result = NULL;

	WORLD_OK(edit_files_attach(world->mem, &env, world_assignment(world, title, person)->id,
				   &file, 1, &result));
}

void attach_drop(struct world *world, const char *title, const char *person, const char *name)
{
	struct edit_env env = env_of(world);
	struct edit_result *result = NULL;

	WORLD_OK(edit_files_detach(world->mem, &env, world_assignment(world, title, person)->id,
				   &name, 1, &result));
}

char *attach_names(struct world *world, const char *title, const char *person)
{
	struct stamped *stamped = NULL;
	const char *value;
	struct files *files;

	WORLD_OK(project_values(world->store, world->mem, world_assignment(world, title, person),
				&stamped));
	value = vector_str(stamped->values, FIELD_attachments);
	files = files_read(world->mem, value);
	for (size_t i = 0; i < files->count; i++) {
		char *bytes = NULL;
		size_t len = 0;

		if (!files->list[i].digest)
			continue;
		WORLD_OK(blobs_get(world->store, world->mem, files->list[i].digest, &bytes, &len));
		cr_expect_eq((int64_t)len, files->list[i].size, "%s", files->list[i].name);
	}
	return files_names(world->mem, value);
}

static char *line_of(TALLOC_CTX *mem, const char *name, size_t size, char letter)
{
	struct buf *line = buf_new(mem);

	buf_printf(line,
		   "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=%s:", name);
	base64_encode(line, bytes_of(line, size, letter), size);
	return buf_steal(&line, mem, NULL);
}

/* As mail programs write it. */
static char *part_of(TALLOC_CTX *mem, const char *name, size_t size, char letter)
{
	struct buf *all = buf_new(mem), *part = buf_new(mem);

	base64_encode(all, bytes_of(all, size, letter), size);
	buf_printf(part,
		   "Content-Type: text/plain; name=\"%s\"\r\nContent-Transfer-Encoding: "
		   "base64\r\nContent-Disposition: attachment; filename=\"%s\"\r\n",
		   name, name);
	for (size_t i = 0; i < all->len; i += 76)
		buf_printf(part, "\r\n%.76s", all->data + i);
	return buf_steal(&part, mem, NULL);
}

int64_t attach_transfers(struct world *world, const char *operation)
{
	int64_t *before = &world->transfers[strcmp(operation, "download") == 0], count = 0, since;

	WORLD_OK(memory_count(world->mem, world_server_path(world, "a"), operation, &count));
	since = count - *before;
	*before = count;
	return since;
}

/* By the server, which writes the line. */
static void upload(struct world *world, const char *who, const struct client_item *item,
		   const char *name, size_t size, char letter)
{
	struct endpoint *endpoint = memory_new(world->mem, world_server_url(world, "a"), who,
					       world->clock, NULL);
	struct endpoint_attach attach = { .address = item->address,
					  .if_version = item->version,
					  .name = name,
					  .type = "text/plain",
					  .bytes = bytes_of(world->mem, size, letter),
					  .len = size };

	WORLD_OK(endpoint_attach(endpoint, world->mem, "", &attach));
}

void attach_enclose(struct world *world, const char *who, const char *title, const char *name,
		    size_t size, char letter)
{
	const struct client_item *item = client_find(world, who, title);

	cr_assert_not_null(item, "%s has no '%s'", who, title);
	if (world->messages)
		client_add_part(world, who, title, part_of(world->mem, name, size, letter));
	else if (world->managed)
		upload(world, who, item, name, size, letter);
	else
		client_edit(world, who, title,
			    mem_printf(world->mem, "+%s",
				       line_of(world->mem, name, size, letter)));
}

void attach_strip(struct world *world, const char *who, const char *title, const char *name)
{
	const struct client_item *item = client_find(world, who, title);
	const char *line, *end;
	char *text;

	cr_assert_not_null(item, "%s has no '%s'", who, title);
	if (world->messages) {
		client_remove_part(world, who, title, name);
		return;
	}
	line = strstr(item->text, mem_printf(world->mem, "NAME=%s", name));
	cr_assert_not_null(line, "'%s' has no attachment %s", title, name);
	while (line[-1] != '\n')
		line--;
	end = strchr(line, '\n') + 1;
	text = mem_printf(world->mem, "%.*s%s", (int)(line - item->text), item->text, end);
	client_write(world, who, item, text);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static char *sorted_names(TALLOC_CTX *mem, struct files *files)
{
	struct buf *out = buf_new(mem);

	if (files)
		qsort(files->list, files->count, sizeof *files->list, compare_names);
	for (size_t i = 0; files && i < files->count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", files->list[i].name);
	return out->data;
}

char *attach_shown(struct world *world, const char *who, const char *title)
{
	const struct client_item *item = client_find(world, who, title);
	struct decoded *decoded = NULL;

	if (!item)
		return NULL;
	WORLD_OK(codec_decode(world->mem, world->messages ? ENDPOINT_MESSAGE : ENDPOINT_VTODO,
			      item->raw, strlen(item->raw), NULL, NULL, &decoded));
	return sorted_names(world->mem, decoded->files);
}
