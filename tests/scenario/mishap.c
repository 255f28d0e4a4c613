#include "config.h"

#include "mishap.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "client.h"

static char *read_file(struct world *world, const char *path, size_t *len_r)
{
	struct buf *out = buf_new(world->mem);
	FILE *file = fopen(path, "r");
	char block[4096];
	size_t n;

	cr_assert_not_null(file, "%s", path);
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		buf_add(out, block, n);
	fclose(file);
	return buf_steal(&out, world->mem, len_r);
}

static void write_file(const char *path, const char *data, size_t len)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(data, 1, len, file), len);
	fclose(file);
}

/* Every FROM becomes TO. */
static size_t replace(struct world *world, const char *path, const char *from, const char *to)
{
	size_t len = 0, count = 0;
	char *text = read_file(world, path, &len);
	struct buf *out = buf_new(world->mem);

	for (size_t i = 0; i < len;) {
		if (len - i >= strlen(from) && !memcmp(text + i, from, strlen(from))) {
			buf_puts(out, to);
			i += strlen(from);
			count++;
		} else {
			buf_putc(out, text[i++]);
		}
	}
	write_file(path, out->data, out->len);
	return count;
}

static const char *database_path(const struct world *world)
{
	return world->dsn + strlen("sqlite:");
}

static const char *path_of(struct world *world, bool database)
{
	return database ? database_path(world) : world_server_path(world, "a");
}

void mishap_backup(struct world *world, bool database)
{
	const char *path = path_of(world, database);
	size_t len = 0;
	char *data;

	if (database)
		world_close_database(world);
	data = read_file(world, path, &len);
	write_file(mem_printf(world->mem, "%s.backup", path), data, len);
	if (database)
		world_open_database(world);
}

void mishap_restore(struct world *world, bool database)
{
	const char *path = path_of(world, database);
	size_t len = 0;
	char *data = read_file(world, mem_printf(world->mem, "%s.backup", path), &len);

	if (database)
		world_close_database(world);
	write_file(path, data, len);
	if (database)
		world_open_database(world);
	else if (world->messages)
		mishap_renumber(world);
}

void mishap_renumber(struct world *world)
{
	const char *path = world_server_path(world, "a");

	replace(world, path, "\ncount probe ", "\nvalidity 2\ncount probe ");
	replace(world, path, "/0000000001.", "/0000000002.");
}

void mishap_rename_folder(struct world *world, const char *who, const char *name)
{
	const char *folder = client_folder(world, who);
	const char *tail = strchr(folder + 1, '/');
	char *renamed = mem_printf(world->mem, "%.*s/%s/", (int)(tail - folder), folder, name);

	cr_assert_gt(replace(world, world_server_path(world, "a"), folder, renamed), (size_t)0);
}

void mishap_tamper(struct world *world, const char *from, const char *to)
{
	cr_assert_eq(strlen(from), strlen(to));
	cr_assert_gt(replace(world, world_server_path(world, "a"), from, to), (size_t)0);
}
