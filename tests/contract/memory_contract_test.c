/* memory_contract_test.c - the endpoint contract over the server in a file, as one that replaces
 * items in their place and as one that appends. */
#include "config.h"

#include "endpoint_contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "gateway/memory/memory.h"

struct lab {
	struct contract_world world; /* first: the bodies hand it back */
	char *directory, *path;
	struct clock *clock;
};

static int64_t count_writes(struct contract_world *world)
{
	int64_t writes = -1;

	cr_assert_null(memory_writes(world->mem, ((struct lab *)world)->path, &writes));
	return writes;
}

/* Takes the folder's line out of the file. */
static void drop_folder(struct contract_world *world, const char *folder)
{
	struct lab *lab = (struct lab *)world;
	char *mark = mem_printf(lab, "folder %s\t", folder), line[4096];
	struct buf *rest = buf_new(lab);
	FILE *file = fopen(lab->path, "r");

	cr_assert_not_null(file);
	while (fgets(line, sizeof line, file))
		if (strncmp(line, mark, strlen(mark)))
			buf_puts(rest, line);
	fclose(file);
	file = fopen(lab->path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(rest->data, 1, rest->len, file), rest->len);
	fclose(file);
}

static struct lab *lab_new(const char *name, const char *options)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);
	char pattern[] = "/tmp/tf-memory-XXXXXX";

	cr_assert_not_null(mkdtemp(pattern));
	lab->world.mem = lab;
	lab->directory = mem_strdup(lab, pattern);
	lab->path = mem_printf(lab, "%s/state", pattern);
	lab->clock = clock_system(lab);
	lab->world.endpoint = memory_new(lab, mem_printf(lab, "%s%s", lab->path, options), "ana",
					 lab->clock, NULL);
	lab->world.path = name;
	lab->world.unknown_token = "999999";
	lab->world.writes = count_writes;
	lab->world.drop_folder = drop_folder;
	return lab;
}

static void lab_end(struct lab *lab)
{
	unlink(lab->path);
	unlink(mem_printf(lab, "%s.lock", lab->path));
	cr_assert_eq(rmdir(lab->directory), 0, "the memory server leaves files behind");
	talloc_free(lab);
}

static void run(const char *name, const char *options, void body(struct contract_world *world))
{
	struct lab *lab = lab_new(name, options);

	body(&lab->world);
	lab_end(lab);
}

#define X(name)                                                                                    \
	Test(memory_contract, name)                                                                \
	{                                                                                          \
		run(#name, "", endpoint_contract_##name);                                          \
	}                                                                                          \
	Test(memory_append_contract, name)                                                         \
	{                                                                                          \
		run(#name, "?append", endpoint_contract_##name);                                   \
	}                                                                                          \
	Test(memory_whole_contract, name)                                                          \
	{                                                                                          \
		run(#name, "?whole", endpoint_contract_##name);                                    \
	}
ENDPOINT_CONTRACT(X)
#undef X

/* ---- push ---- */

static struct endpoint_ear listen_to(struct endpoint *endpoint, struct endpoint_sweep *place)
{
	struct endpoint_ear ear = { .fd = -2 };

	cr_assert_null(endpoint_listen(endpoint, place, 1, &ear));
	return ear;
}

static bool is_readable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static void put_one(struct lab *lab, struct endpoint *endpoint, const char *folder, const char *uid)
{
	struct endpoint_put one = { .text = "text\n", .len = 5 };

	one.address = endpoint_address(endpoint, lab, folder, uid);
	cr_assert_null(endpoint_put(endpoint, lab, folder, &one, 1));
	cr_assert_null(one.fault);
}

/* Another client of the account writes; one of another account does not wake it. */
Test(memory_push, a_change_is_told)
{
	struct lab *lab = lab_new("push", "?push");
	struct endpoint *mine = lab->world.endpoint;
	struct endpoint *second = memory_new(lab, lab->path, "ana", lab->clock, NULL);
	struct endpoint *ben = memory_new(lab, lab->path, "ben", lab->clock, NULL);
	struct endpoint_folder folder = { .path = "p", .display = "P" };
	struct endpoint_sweep place = { .token = NULL };
	struct endpoint_notice *notice = NULL;
	struct endpoint_ear ear;
	char *address = NULL, *bens = NULL;
	bool created, changed = false;

	cr_assert_null(endpoint_ensure(mine, lab, &folder, NULL, &address, &created));
	cr_assert_null(endpoint_ensure(ben, lab, &folder, NULL, &bens, &created));
	place.folder = address;
	cr_assert(listen_to(mine, &place).changed, "nobody has looked");
	for (int i = 0; i < 3; i++) {
		cr_assert_null(endpoint_notice(mine, lab, address, place.token, &notice));
		place.token = notice->token;
		ear = listen_to(mine, &place);
		cr_assert(ear.fd >= 0 && !ear.changed && ear.count == 1);
		put_one(lab, ben, bens, mem_printf(lab, "of-ben-%d", i));
		cr_assert_not(is_readable(ear.fd));
		put_one(lab, second, address, mem_printf(lab, "of-ana-%d", i));
		cr_assert(is_readable(ear.fd));
		cr_assert_null(endpoint_heard(mine, &changed));
		cr_assert(changed);
		cr_assert_null(endpoint_heard(mine, &changed));
		cr_assert_not(changed);
		cr_assert_null(endpoint_hush(mine));
		cr_assert(listen_to(mine, &place).changed, "until somebody looks");
	}
	cr_assert_eq(system(mem_printf(lab, "rm -f %s.push-*", lab->path)), 0);
	lab_end(lab);
}
