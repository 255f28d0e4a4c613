#include "config.h"

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

struct reach {
	struct endpoint *endpoint;
	const char *folder;
};

static struct reach reach(struct world *world, const char *who)
{
	const char *at = strchr(who, '@');
	const char *person = at ? mem_strndup(world->mem, who, (size_t)(at - who)) : who;
	char *login = mem_printf(world->mem, "%s@example.com", person);
	struct endpoint_folder name;
	struct project *project = NULL;
	struct reach out;

	WORLD_OK(project_by_source(world->store, world->mem, "guid-1", &project));
	cr_assert_not_null(project);
	round_folder_name(world->mem, world->conf, project, &name);
	out.endpoint = memory_new(world->mem, world_server_path(world, at ? at + 1 : "a"), login,
				  world->clock, NULL);
	out.folder = mem_printf(world->mem, "/%s/%s/", login, name.path);
	return out;
}

/* Unfolded, with LF: how a client holds it. */
static char *unfold(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r')
			continue;
		if (text[i] == '\n' && i + 1 < len && (text[i + 1] == ' ' || text[i + 1] == '\t')) {
			i++;
			continue;
		}
		buf_putc(out, text[i]);
	}
	return buf_steal(&out, mem, NULL);
}

static size_t list(struct world *world, const char *who, struct client_item **items_r)
{
	struct reach r = reach(world, who);
	struct endpoint_notice *notice = NULL;
	struct endpoint_item *items = NULL;
	struct fault *fault = endpoint_notice(r.endpoint, world->mem, r.folder, NULL, &notice);
	struct client_item *out;
	const char **addresses;

	if (fault) /* no folder */
		return 0;
	addresses = MEM_ARRAY(world->mem, const char *, notice->count);
	out = MEM_ARRAY(world->mem, struct client_item, notice->count);
	for (size_t i = 0; i < notice->count; i++)
		addresses[i] = notice->changes[i].address;
	WORLD_OK(
		endpoint_fetch(r.endpoint, world->mem, r.folder, addresses, notice->count, &items));
	for (size_t i = 0; i < notice->count; i++)
		out[i] = (struct client_item){ .address = items[i].address,
					       .version = items[i].version,
					       .text = unfold(world->mem, items[i].text,
							      items[i].len) };
	*items_r = out;
	return notice->count;
}

static bool is_named(const char *line, const char *name, size_t len)
{
	return !strncmp(line, name, len) && (line[len] == ':' || line[len] == ';');
}

struct client_item *client_find(struct world *world, const char *who, const char *title)
{
	struct client_item *items = NULL;
	size_t count = list(world, who, &items);
	char *line = mem_printf(world->mem, "\nSUMMARY:%s\n", title);

	for (size_t i = 0; i < count; i++)
		if (strstr(items[i].text, line))
			return &items[i];
	return NULL;
}

size_t client_count(struct world *world, const char *who)
{
	struct client_item *items = NULL;

	return list(world, who, &items);
}

static struct client_item *must_find(struct world *world, const char *who, const char *title)
{
	struct client_item *item = client_find(world, who, title);

	cr_assert_not_null(item, "%s has no item '%s'", who, title);
	return item;
}

static void write_item(struct world *world, const char *who, const char *address, const char *text,
		       const char *if_version)
{
	struct reach r = reach(world, who);
	struct buf *crlf = buf_new(world->mem);
	struct endpoint_put put = { .address = address, .if_version = if_version };

	for (const char *c = text; *c; c++) {
		if (*c == '\n')
			buf_putc(crlf, '\r');
		buf_putc(crlf, *c);
	}
	put.text = crlf->data;
	put.len = crlf->len;
	WORLD_OK(endpoint_put(r.endpoint, world->mem, r.folder, &put, 1));
	cr_assert_null(put.fault, "a client's write to %s: %s", address,
		       put.fault ? put.fault->text : "");
}

/* TEXT without the lines of NAME, and with LINE (may be NULL) at the end of the to-do; PRODID
 * stands before it. */
static char *replace(TALLOC_CTX *mem, const char *text, const char *name, size_t len,
		     const char *line)
{
	const char *before = text_starts(name, "PRODID") ? "BEGIN:VTODO" : "END:VTODO";
	struct buf *out = buf_new(mem);

	while (*text) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end - text) + 1 : strlen(text);

		if (line && text_starts(text, before))
			buf_printf(out, "%s\n", line);
		if (!is_named(text, name, len))
			buf_add(out, text, n);
		text += n;
	}
	return buf_steal(&out, mem, NULL);
}

static char *write_notes(TALLOC_CTX *mem, const char *text, const char *notes)
{
	const char *old = strstr(text, "\nDESCRIPTION:"), *end, *mark;
	char *value;

	if (!old)
		return replace(mem, text, "DESCRIPTION", strlen("DESCRIPTION"),
			       mem_printf(mem, "DESCRIPTION:%s", notes));
	old += strlen("\nDESCRIPTION:");
	end = strchr(old, '\n');
	value = mem_strndup(mem, old, (size_t)(end - old));
	mark = strstr(value, "--- taskferry ---");
	value = mark ? mem_printf(mem, "DESCRIPTION:%s\\n\\n%s", notes, mark)
		     : mem_printf(mem, "DESCRIPTION:%s", notes);
	return replace(mem, text, "DESCRIPTION", strlen("DESCRIPTION"), value);
}

static char *edited(TALLOC_CTX *mem, char *text, const char *properties)
{
	char *copy = mem_strdup(mem, properties), *save = NULL;

	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
		char *property = text_trim(mem, word);
		size_t len = strcspn(property, ":;");

		if (text_starts(property, "NOTES:"))
			text = write_notes(mem, text, property + strlen("NOTES:"));
		else if (*property == '+')
			text = replace(mem, text, "\x01", 1, property + 1);
		else
			text = replace(mem, text, property, len, property[len] ? property : NULL);
	}
	return text;
}

void client_edit(struct world *world, const char *who, const char *title, const char *properties)
{
	struct client_item *item = must_find(world, who, title);

	write_item(world, who, item->address, edited(world->mem, item->text, properties),
		   item->version);
}

static char *with_newlines(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == 'n') {
			buf_putc(out, '\n');
			text++;
		} else {
			buf_putc(out, *text);
		}
	}
	return buf_steal(&out, mem, NULL);
}

void client_put(struct world *world, const char *who, const char *name, const char *text)
{
	write_item(world, who, mem_printf(world->mem, "%s%s", reach(world, who).folder, name),
		   with_newlines(world->mem, text), NULL);
}

void client_overwrite(struct world *world, const char *who, const char *title, const char *text)
{
	struct client_item *item = must_find(world, who, title);

	write_item(world, who, item->address, with_newlines(world->mem, text), item->version);
}

static void remove_at(struct world *world, const char *who, const struct client_item *item)
{
	struct reach r = reach(world, who);
	struct endpoint_remove remove = { .address = item->address, .if_version = item->version };

	world->deleted_address = item->address;
	world->deleted_text = item->text;
	WORLD_OK(endpoint_remove(r.endpoint, world->mem, r.folder, &remove, 1));
	cr_assert_null(remove.fault);
}

void client_delete(struct world *world, const char *who, const char *title)
{
	remove_at(world, who, must_find(world, who, title));
}

void client_delete_all(struct world *world, const char *who)
{
	struct client_item *items = NULL;
	size_t count = list(world, who, &items);

	for (size_t i = 0; i < count; i++)
		remove_at(world, who, &items[i]);
}

/* The server's file without the folder's line: what an administrator of the server does. */
void client_delete_folder(struct world *world, const char *who)
{
	struct reach r = reach(world, who);
	const char *at = strchr(who, '@'), *path = world_server_path(world, at ? at + 1 : "a");
	struct buf *out = buf_new(world->mem);
	FILE *file;
	char line[4096];

	client_delete_all(world, who);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	while (fgets(line, sizeof line, file))
		if (!text_starts(line, mem_printf(world->mem, "folder %s\t", r.folder)))
			buf_puts(out, line);
	fclose(file);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(out->data, 1, out->len, file), out->len);
	fclose(file);
}

void client_undelete(struct world *world, const char *who)
{
	cr_assert_not_null(world->deleted_text, "nothing was deleted");
	write_item(world, who, world->deleted_address, world->deleted_text, NULL);
}

void client_copy(struct world *world, const char *who, const char *title, const char *name)
{
	struct client_item *item = must_find(world, who, title);

	write_item(world, who, mem_printf(world->mem, "%s%s", reach(world, who).folder, name),
		   item->text, NULL);
}

void client_move(struct world *world, const char *who, const char *title, const char *name)
{
	struct client_item *item = must_find(world, who, title);

	client_copy(world, who, title, name);
	remove_at(world, who, item);
}

bool client_has(const struct client_item *item, const char *property)
{
	size_t len = strcspn(property, ":;~");
	const char *line = item->text;

	if (*property == '!') {
		for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
			if (is_named(line, property + 1, strlen(property + 1)))
				return false;
		return true;
	}
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t n = strcspn(line, "\n");

		if (property[len] == '~' && is_named(line, property, len)) {
			const char *found = strstr(line, property + len + 1);

			if (found && found < line + n)
				return true;
		} else if (n == strlen(property) && !strncmp(line, property, n)) {
			return true;
		}
	}
	return false;
}
