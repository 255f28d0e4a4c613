#include "config.h"

#include "attach.h"

#include <string.h>

#include "base/base64.h"
#include "gateway/sync/edit_files.h"
#include "store/blobs.h"

char *attach_bytes(TALLOC_CTX *mem, size_t size, char letter)
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
				  .bytes = attach_bytes(world->mem, size, letter),
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

char *attach_line(TALLOC_CTX *mem, const char *name, size_t size, char letter)
{
	struct buf *line = buf_new(mem);

	buf_printf(line,
		   "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=%s:", name);
	base64_encode(line, attach_bytes(line, size, letter), size);
	return buf_steal(&line, mem, NULL);
}
