/* history_watch.c - a process that is killed in the middle of its sync has seen what this one has
 * not: so what was held is kept in a file. One record: the server's letter, address, version and
 * length in a line, then the text and a newline. */
#include "config.h"

#include "history_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/link.h"

struct history_watch {
	struct world *world;
	char *path;
	int64_t last[26]; /* of each server, the newest version that is kept */
};

struct history_watch *history_watch_new(TALLOC_CTX *mem, struct world *world)
{
	struct history_watch *watch = MEM_NEW(mem, struct history_watch);

	watch->world = world;
	watch->path = mem_printf(watch, "%s/held", world->directory);
	return watch;
}

static char *read_all(TALLOC_CTX *mem, const char *path, size_t *len_r)
{
	FILE *file = fopen(path, "rb");
	struct buf *out = buf_new(mem);
	char block[16384];
	size_t n;

	while (file && (n = fread(block, 1, sizeof block, file)) > 0)
		buf_add(out, block, n);
	if (file)
		fclose(file);
	return buf_steal(&out, mem, len_r);
}

struct record {
	char server;
	char *address, *version;
	const char *text;
	size_t len;
	const char *next;
};

/* "item ADDRESS<TAB>VERSION<TAB>MODIFIED<TAB>LENGTH" at *AT_R, and its text; false: no more. */
static bool next_item(TALLOC_CTX *mem, const char *at, const char *end, struct record *record)
{
	while (at && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = newline ? (size_t)(newline - at) : (size_t)(end - at);
		char *line = mem_strndup(mem, at, n), *save = NULL;
		bool has_text = text_starts(line, "item ") || text_starts(line, "late ");
		char *words[4] = { strtok_r(line, "\t", &save) };

		for (int i = 1; has_text && i < 4; i++)
			words[i] = strtok_r(NULL, "\t", &save);
		at = newline ? newline + 1 : NULL;
		if (!has_text || !words[3] || !at)
			continue;
		*record = (struct record){ .address = words[0] + strlen("item "),
					   .version = words[1],
					   .text = at,
					   .len = strtoull(words[3], NULL, 10) };
		record->next = at + record->len + 1;
		if (*line == 'i')
			return true;
		at = record->next;
	}
	return false;
}

static void look_at(struct history_watch *watch, TALLOC_CTX *mem, int server, FILE *out)
{
	char name[] = { (char)('a' + server), '\0' };
	size_t len = 0;
	char *text = read_all(mem, world_server_path(watch->world, name), &len);
	struct record record = { .next = text };
	int64_t last = watch->last[server];

	while (next_item(mem, record.next, text + len, &record)) {
		int64_t version = strtoll(record.version, NULL, 10);

		if (version <= last)
			continue;
		if (version > watch->last[server])
			watch->last[server] = version;
		fprintf(out, "\n%c %s\t%s\t%zu\n", *name, record.address, record.version,
			record.len);
		fwrite(record.text, 1, record.len, out);
	}
}

void history_watch_look(struct history_watch *watch)
{
	TALLOC_CTX *mem = MEM_CONTEXT(watch);
	FILE *out = fopen(watch->path, "ab");

	cr_assert_not_null(out, "%s", watch->path);
	for (int i = 0; i < watch->world->servers; i++)
		look_at(watch, mem, i, out);
	fclose(out);
	talloc_free(mem);
}

/* Whether a server's file holds that version at that address now. */
static bool holds_now(struct history_watch *watch, TALLOC_CTX *mem, char server,
		      const struct link *link)
{
	char name[] = { server, '\0' };
	char *text = read_all(mem, world_server_path(watch->world, name), NULL);

	return strstr(text, mem_printf(mem, "\nitem %s\t%s\t", link->address,
				       link->seen_version)) != NULL;
}

/* While an item that was moved, or takes another one's place, settles, the link stands at its address
 * already: then that server held the text in that version somewhere. */
static const char *find_elsewhere(TALLOC_CTX *mem, const char *held, const struct link *link)
{
	char *tail = mem_printf(mem, "\t%s\t%zu\n", link->seen_version, strlen(link->seen_text));
	const char *at = held;

	while ((at = strstr(at, tail))) {
		at += strlen(tail);
		if (!strncmp(at, link->seen_text, strlen(link->seen_text)))
			return at - strlen(tail);
	}
	return NULL;
}

static void check_link(struct history_watch *watch, TALLOC_CTX *mem, char server,
		       const struct link *link, const char *held, bool now)
{
	const char *text = link->seen_text ? link->seen_text : "";
	char *head = mem_printf(mem, "\n%c %s\t%s\t%zu\n", server, link->address,
				link->seen_version, strlen(text));
	const char *record = strstr(held, head);

	if (!record && !now && link->seen_text && find_elsewhere(mem, held, link))
		return;
	if (!record || strncmp(record + strlen(head), text, strlen(text)) != 0)
		history_fail("N11", "the database says that %c holds, at %s in version %s:\n%s",
			     server, link->address, link->seen_version, text);
	if (now && !holds_now(watch, mem, server, link))
		history_fail("N11", "nothing waits, but %c does not hold version %s at %s", server,
			     link->seen_version, link->address);
}

static void check_folder(struct history_watch *watch, TALLOC_CTX *mem, char server,
			 const struct folder *folder, const char *held, bool now)
{
	struct store *store = watch->world->store;
	struct link *links = NULL, *link = NULL;
	size_t count = 0;

	WORLD_OK(link_versions(store, mem, folder->id, &links, &count));
	for (size_t i = 0; i < count; i++) {
		WORLD_OK(link_get(store, mem, links[i].id, &link));
		if (link->seen_version)
			check_link(watch, mem, server, link, held, now && link->state == LINK_OK);
	}
}

void history_watch_check(struct history_watch *watch, TALLOC_CTX *mem, bool now)
{
	struct store *store = watch->world->store;
	struct account *accounts = NULL;
	struct folder *folders = NULL;
	size_t count = 0, folder_count = 0;
	char *held = read_all(mem, watch->path, NULL);

	WORLD_OK(link_accounts(store, mem, &accounts, &count));
	for (size_t i = 0; i < count; i++) {
		WORLD_OK(link_folders(store, mem, accounts[i].id, &folders, &folder_count));
		for (size_t f = 0; f < folder_count; f++)
			check_folder(watch, mem, accounts[i].server[0], &folders[f], held, now);
	}
}
