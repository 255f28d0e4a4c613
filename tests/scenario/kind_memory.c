#include "config.h"

#include "kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "world.h"

const struct kind *kind_of(const struct world *world, const char *server)
{
	return text_same(server, "a") ? world->kind : &kind_memory;
}

static void section(struct world *world, const char *server, struct buf *ini)
{
	buf_printf(ini, "type = memory\nurl = memory:%s\n", world_server_url(world, server));
}

static struct endpoint *account(struct world *world, const struct conf_server *server,
				const struct resource *person)
{
	return memory_new(world->mem, world_server_url(world, server->name), person->email,
			  world->clock, world->points);
}

static struct kind_account client(struct world *world, const char *server,
				  const struct resource *person, const struct endpoint_folder *name)
{
	struct kind_account account;

	account.endpoint = memory_new(world->mem, world_server_url(world, server), person->email,
				      world->clock, NULL);
	account.folder = mem_printf(world->mem, "/%s/%s/", person->email, name->path);
	return account;
}

/* The server's file without the folder's line. */
static void drop_folder(struct world *world, const char *server, const struct resource *person,
			const char *folder)
{
	const char *path = world_server_path(world, server);
	struct buf *out = buf_new(world->mem);
	FILE *file = fopen(path, "r");
	char line[4096];

	(void)person;
	cr_assert_not_null(file);
	while (fgets(line, sizeof line, file))
		if (!text_starts(line, mem_printf(world->mem, "folder %s\t", folder)))
			buf_puts(out, line);
	fclose(file);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(out->data, 1, out->len, file), out->len);
	fclose(file);
}

static struct endpoint *account_of(struct world *world, const struct resource *person)
{
	return memory_new(world->mem, world_server_url(world, "a"), person->email, world->clock,
			  NULL);
}

static void flag(struct world *world, const struct resource *person,
		 const struct client_item *item, const char *flags, bool set)
{
	WORLD_OK(memory_mark(account_of(world, person), world->mem, item->address,
			     set ? flags : NULL, set ? NULL : flags));
}

static const char *flags(struct world *world, const struct resource *person,
			 const struct client_item *item)
{
	char *text = NULL;

	WORLD_OK(memory_flags(account_of(world, person), world->mem, item->address, &text));
	return text;
}

static void file(struct world *world, const struct resource *person, const char *folder,
		 const struct client_item *item, bool done, bool keep)
{
	WORLD_OK(memory_move(account_of(world, person), world->mem, folder, item->address, done,
			     keep));
}

static int64_t operations_so_far(struct world *world, const char *path, const char *operation)
{
	char *begin = mem_printf(world->mem, "count %s ", operation), text[4096];
	FILE *file = fopen(path, "r");
	int64_t count = 0;

	while (file && fgets(text, sizeof text, file))
		if (text_starts(text, begin))
			count = strtoll(text + strlen(begin), NULL, 10);
	if (file)
		fclose(file);
	return count;
}

static void order(struct world *world, const char *operation, int64_t from_now, const char *word)
{
	const char *path = world_server_path(world, "a");
	FILE *file = fopen(mem_printf(world->mem, "%s.faults", path), "a");

	cr_assert_not_null(file);
	fprintf(file, "%s %" PRId64 " %s\n", operation,
		operations_so_far(world, path, operation) + from_now, word);
	fclose(file);
}

static int64_t writes(struct world *world, const char *server)
{
	int64_t count = 0;

	WORLD_OK(memory_writes(world->mem, world_server_path(world, server), &count));
	return count;
}

static int64_t rest(struct world *world)
{
	(void)world;
	return 0;
}

const struct kind kind_memory = {
	.name = "memory",
	.required_plays = 100,
	.section = section,
	.account = account,
	.client = client,
	.drop_folder = drop_folder,
	.flag = flag,
	.flags = flags,
	.file = file,
	.order = order,
	.writes = writes,
	.rest = rest,
};
