#include "config.h"

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/message.h"
#include "model/trailer.h"

static struct resource person_of(struct world *world, const char *who)
{
	const char *email = mem_printf(world->mem, "%.*s@example.com", (int)strcspn(who, "@"), who);

	return (struct resource){ .key = email, .email = email };
}

static const char *server_of(const char *who)
{
	const char *at = strchr(who, '@');

	return at ? at + 1 : "a";
}

static struct kind_account reach(struct world *world, const char *who)
{
	struct resource person = person_of(world, who);
	const char *server = server_of(who);
	struct endpoint_folder name;
	struct project *project = NULL;
	struct kind_account account;

	WORLD_OK(project_by_source(world->store, world->mem, "guid-1", &project));
	cr_assert_not_null(project);
	round_folder_name(world->mem, world->conf, project, &name);
	account = kind_of(world, server)->client(world, server, &person, &name);
	if (world->client_folder)
		account.folder = world->client_folder;
	return account;
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

static struct client_item read_item(struct world *world, const struct kind_account *reach,
				    const struct endpoint_item *item)
{
	struct client_item out = { .address = item->address,
				   .version = item->version,
				   .marks = item->marks,
				   .raw = item->text };
	struct message *message = NULL;

	if (reach->endpoint->ops->form == ENDPOINT_VTODO) {
		out.text = unfold(world->mem, item->text, item->len);
		return out;
	}
	WORLD_OK(message_parse(world->mem, item->text, item->len, &message));
	out.card = message->card;
	out.text = message->calendar ? unfold(world->mem, message->calendar, message->calendar_len)
				     : mem_strdup(world->mem, "");
	return out;
}

size_t client_list(struct world *world, const char *who, struct client_item **items_r)
{
	struct kind_account r = reach(world, who);
	struct endpoint_notice *notice = NULL;
	struct endpoint_item *items = NULL;
	struct client_item *out;
	struct fault *fault;
	const char **addresses;

	if (!r.folder)
		return 0;
	fault = endpoint_notice(r.endpoint, world->mem, r.folder, NULL, &notice);
	if (fault && fault->kind == FAULT_GONE) /* no folder */
		return 0;
	WORLD_OK(fault);
	addresses = MEM_ARRAY(world->mem, const char *, notice->count);
	out = MEM_ARRAY(world->mem, struct client_item, notice->count);
	for (size_t i = 0; i < notice->count; i++)
		addresses[i] = notice->changes[i].address;
	WORLD_OK(
		endpoint_fetch(r.endpoint, world->mem, r.folder, addresses, notice->count, &items));
	for (size_t i = 0; i < notice->count; i++)
		out[i] = read_item(world, &r, &items[i]);
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
	size_t count = client_list(world, who, &items);
	char *line = mem_printf(world->mem, "\nSUMMARY:%s\n", title);

	for (size_t i = 0; i < count; i++)
		if (strstr(items[i].text, line))
			return &items[i];
	return NULL;
}

size_t client_count(struct world *world, const char *who)
{
	struct client_item *items = NULL;

	return client_list(world, who, &items);
}

static struct client_item *must_find(struct world *world, const char *who, const char *title)
{
	struct client_item *item = client_find(world, who, title);

	cr_assert_not_null(item, "%s has no item '%s'", who, title);
	return item;
}

static struct buf *with_crlf(TALLOC_CTX *mem, const char *text)
{
	struct buf *crlf = buf_new(mem);

	for (const char *c = text; *c; c++) {
		if (*c == '\n')
			buf_putc(crlf, '\r');
		buf_putc(crlf, *c);
	}
	return crlf;
}

/* A message with another card (NULL: its own) and another to-do; of nothing, one that has a to-do
 * only. */
static char *message_of(struct world *world, const struct client_item *old, const char *card,
			const struct buf *calendar, size_t *len_r)
{
	struct message_publish publish = { .site_host = "client.example",
					   .from_name = "A client",
					   .calendar = calendar->data,
					   .calendar_len = calendar->len };
	struct message *message = NULL;
	char *text = NULL;

	if (!old) {
		text = mem_printf(world->mem,
				  "MIME-Version: 1.0\r\nContent-Type: text/calendar; "
				  "charset=utf-8\r\n\r\n%s",
				  calendar->data);
		*len_r = strlen(text);
		return text;
	}
	WORLD_OK(message_parse(world->mem, old->raw, strlen(old->raw), &message));
	publish.uid = message->uid ? message->uid : "none";
	publish.edition = message->edition;
	publish.edition_hash = message->edition_hash;
	publish.subject = message->subject ? message->subject : "none";
	publish.card = card ? card : message->card ? message->card : "";
	WORLD_OK(message_patch(world->mem, old->raw, strlen(old->raw), &publish, &text, len_r));
	return text;
}

static void remove_at(struct world *world, const char *who, const struct client_item *item);

static void put_text(struct world *world, const char *who, const char *address, const char *text,
		     size_t len, const char *if_version)
{
	struct kind_account r = reach(world, who);
	struct endpoint_put put = {
		.address = address, .if_version = if_version, .text = text, .len = len
	};

	WORLD_OK(endpoint_put(r.endpoint, world->mem, r.folder, &put, 1));
	cr_assert_null(put.fault, "a client's write to %s: %s", address,
		       put.fault ? put.fault->text : "");
}

/* OLD: what it is an edit of (NULL: something new). In place: the old one is removed. */
static void write_item(struct world *world, const char *who, const char *address, const char *text,
		       const struct client_item *old, bool in_place)
{
	struct buf *crlf = with_crlf(world->mem, text);
	char *message;
	size_t len = 0;

	if (reach(world, who).endpoint->ops->form == ENDPOINT_VTODO) {
		put_text(world, who, address, crlf->data, crlf->len,
			 old && in_place ? old->version : NULL);
		return;
	}
	message = message_of(world, old, NULL, crlf, &len);
	put_text(world, who, NULL, message, len, NULL);
	if (old && in_place)
		remove_at(world, who, old);
}

/* TEXT without the lines of NAME (those of a time zone stay), and with LINE (may be NULL) at the end
 * of the to-do; PRODID stands before it. */
static char *replace(TALLOC_CTX *mem, const char *text, const char *name, size_t len,
		     const char *line)
{
	const char *before = text_starts(name, "PRODID") ? "BEGIN:VTODO" : "END:VTODO";
	struct buf *out = buf_new(mem);
	bool zone = false;

	while (*text) {
		const char *end = strchr(text, '\n');
		size_t n = end ? (size_t)(end - text) + 1 : strlen(text);

		zone = text_starts(text, "BEGIN:VTIMEZONE") ||
		       (zone && !text_starts(text, "END:VTIMEZONE"));
		if (line && text_starts(text, before))
			buf_printf(out, "%s\n", line);
		if (zone || !is_named(text, name, len))
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

static char *edited(TALLOC_CTX *mem, char *text, const char *properties)
{
	char *copy = mem_strdup(mem, properties), *save = NULL;

	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
		char *property = text_trim(mem, word);
		size_t len = strcspn(property, ":;");

		if (text_starts(property, "NOTES:"))
			text = write_notes(mem, text, property + strlen("NOTES:"));
		else if (*property == '+')
			text = replace(mem, text, "\x01", 1, with_newlines(mem, property + 1));
		else
			text = replace(mem, text, property, len, property[len] ? property : NULL);
	}
	return text;
}

void client_edit(struct world *world, const char *who, const char *title, const char *properties)
{
	struct client_item *item = must_find(world, who, title);

	write_item(world, who, item->address, edited(world->mem, item->text, properties), item,
		   true);
}

void client_keep(struct world *world, const char *who, const char *title)
{
	world->kept = must_find(world, who, title);
}

/* The version that stands at ADDRESS now; NULL: nothing does. */
static const char *version_at(struct world *world, const char *who, const char *address)
{
	struct client_item *items = NULL;
	size_t count = client_list(world, who, &items);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(items[i].address, address))
			return items[i].version;
	return NULL;
}

void client_edit_kept(struct world *world, const char *who, const char *properties)
{
	struct client_item kept;

	cr_assert_not_null(world->kept, "nothing was kept");
	kept = *world->kept;
	kept.version = version_at(world, who, kept.address);
	write_item(world, who, kept.address,
		   strcmp(properties, "-") ? edited(world->mem, kept.text, properties) : kept.text,
		   &kept, kept.version != NULL);
}

void client_write(struct world *world, const char *who, const struct client_item *item,
		  const char *text)
{
	write_item(world, who, item->address, text, item, true);
}

/* ---- parts of messages ---- */

static void write_raw(struct world *world, const char *who, const struct client_item *item,
		      const char *head, size_t head_len, const char *middle, const char *tail)
{
	struct buf *out = buf_new(world->mem);

	buf_add(out, head, head_len);
	buf_puts(out, middle);
	buf_puts(out, tail);
	put_text(world, who, NULL, out->data, out->len, NULL);
	remove_at(world, who, item);
}

/* The last delimiter line, with the line end before it. */
static const char *last_delimiter(const char *text)
{
	const char *last = NULL;

	for (const char *at = text; (at = strstr(at, "\r\n--=_")); at += 2)
		last = at;
	cr_assert_not_null(last, "no multipart of ours");
	return last;
}

void client_add_part(struct world *world, const char *who, const char *title, const char *part)
{
	struct client_item *item = must_find(world, who, title);
	const char *last = last_delimiter(item->raw);
	size_t len = strcspn(last + 2, "\r") - strlen("--");

	write_raw(world, who, item, item->raw, (size_t)(last - item->raw),
		  mem_printf(world->mem, "\r\n%.*s\r\n%s", (int)len, last + 2, part), last);
}

void client_remove_part(struct world *world, const char *who, const char *title, const char *name)
{
	struct client_item *item = must_find(world, who, title);
	const char *file = strstr(item->raw, mem_printf(world->mem, "filename=\"%s\"", name)),
		   *from = item->raw;

	if (!file) /* as we write ours */
		file = strstr(item->raw, mem_printf(world->mem, "filename=%s\r\n", name));
	cr_assert_not_null(file, "'%s' has no part %s", title, name);
	for (const char *at = from; (at = strstr(at, "\r\n--=_")) && at < file; at += 2)
		from = at;
	write_raw(world, who, item, item->raw, (size_t)(from - item->raw), "",
		  strstr(file, "\r\n--=_"));
}

/* ---- other ways to write ---- */

/* The lines of a to-do that the plainest client knows. */
static char *plain(TALLOC_CTX *mem, const char *text)
{
	static const char *const known[] = {
		"BEGIN:VCALENDAR", "VERSION",          "PRODID",      "BEGIN:VTODO", "UID",
		"DTSTAMP",         "SUMMARY",          "DESCRIPTION", "DTSTART",     "DUE",
		"STATUS",          "PERCENT-COMPLETE", "COMPLETED",   "PRIORITY",    "END:VTODO",
		"END:VCALENDAR"
	};
	struct buf *out = buf_new(mem);
	int depth = 0;

	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n") + (strchr(line, '\n') ? 1 : 0);
		bool keep = false;

		depth += text_starts(line, "BEGIN:");
		for (size_t i = 0; i < COUNT_OF(known); i++)
			keep = keep || text_starts(line, known[i]);
		if (keep && depth <= 2)
			buf_add(out, line, n);
		depth -= text_starts(line, "END:");
		line += n;
	}
	return buf_steal(&out, mem, NULL);
}

void client_rebuild(struct world *world, const char *who, const char *title, const char *properties)
{
	struct client_item *item = must_find(world, who, title);
	char *text = plain(world->mem, item->text);

	write_item(world, who, item->address, edited(world->mem, text, properties), item, true);
}

static struct client_copy *find_copy(struct world *world, const char *client, const char *who,
				     const char *title)
{
	for (size_t i = 0; i < world->copy_count; i++) {
		struct client_copy *copy = &world->copies[i];

		if (text_same(copy->client, client) && text_same(copy->who, who) &&
		    text_same(copy->title, title))
			return copy;
	}
	return NULL;
}

void client_remember(struct world *world, const char *client, const char *who, const char *title)
{
	struct client_item *item = must_find(world, who, title);
	struct client_copy *copy = find_copy(world, client, who, title);

	if (!copy) {
		world->copies = MEM_GROW(world->mem, world->copies, struct client_copy,
					 world->copy_count + 1);
		copy = &world->copies[world->copy_count++];
		*copy = (struct client_copy){ .client = mem_strdup(world->mem, client),
					      .who = mem_strdup(world->mem, who),
					      .title = mem_strdup(world->mem, title) };
	}
	copy->text = item->text;
	copy->address = item->address;
}

bool client_stale(struct world *world, const char *client, const char *who, const char *title,
		  const char *properties)
{
	struct client_copy *copy = find_copy(world, client, who, title);
	struct client_item *item = client_find(world, who, title);

	if (!copy || !item)
		return false;
	copy->text = edited(world->mem, copy->text, properties);
	write_item(world, who, item->address, copy->text, item, true);
	return true;
}

/* ---- cards ---- */

/* CARD with LINE in place of the one of its key, or above the trailer. */
static char *card_line(TALLOC_CTX *mem, const char *card, const char *line)
{
	bool removes = *line == '-', adds = *line == '+', done = false;
	const char *key = removes ? line + 1 : line;
	size_t len = strcspn(key, ":");
	struct buf *out = buf_new(mem);

	for (const char *c = card; *c;) {
		size_t n = strcspn(c, "\n") + (strchr(c, '\n') ? 1 : 0);

		if (adds && !done && text_starts(c, TRAILER_SEPARATOR)) {
			buf_printf(out, "%s\n\n", line + 1);
			done = true;
		}
		if (!adds && !done && !strncmp(c, key, len) && c[len] == ':') {
			if (!removes)
				buf_printf(out, "%s\n", line);
			done = true;
		} else {
			buf_add(out, c, n);
		}
		c += n;
	}
	cr_assert(done, "no line for '%s' in the card:\n%s", line, card);
	return buf_steal(&out, mem, NULL);
}

static void edit_card(struct world *world, const char *who, const char *title, const char *lines,
		      bool in_place)
{
	struct client_item *item = must_find(world, who, title);
	char *copy = mem_strdup(world->mem, lines), *save = NULL, *message;
	const char *card = item->card;
	size_t len = 0;

	cr_assert_not_null(card, "'%s' has no card", title);
	for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save))
		card = card_line(world->mem, card, text_trim(world->mem, word));
	message = message_of(world, item, card, with_crlf(world->mem, item->text), &len);
	put_text(world, who, NULL, message, len, NULL);
	if (in_place)
		remove_at(world, who, item);
}

void client_card(struct world *world, const char *who, const char *title, const char *lines)
{
	edit_card(world, who, title, lines, true);
}

void client_card_beside(struct world *world, const char *who, const char *title, const char *lines)
{
	edit_card(world, who, title, lines, false);
}

void client_put(struct world *world, const char *who, const char *name, const char *text)
{
	write_item(world, who, mem_printf(world->mem, "%s%s", reach(world, who).folder, name),
		   with_newlines(world->mem, text), NULL, false);
}

void client_child(struct world *world, const char *who, const char *title, const char *name,
		  const char *properties)
{
	const char *uid = strstr(must_find(world, who, title)->text, "\nUID:") + 5;
	char *text =
		mem_printf(world->mem,
			   "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VTODO\nUID:%s\n"
			   "DTSTAMP:20261121T090000Z\nRELATED-TO:%.*s\nEND:VTODO\n"
			   "END:VCALENDAR\n",
			   name, (int)strcspn(uid, "\n"), uid);

	write_item(world, who, mem_printf(world->mem, "%s%s.ics", reach(world, who).folder, name),
		   edited(world->mem, text, properties), NULL, false);
}

void client_overwrite(struct world *world, const char *who, const char *title, const char *text)
{
	struct client_item *item = must_find(world, who, title);

	write_item(world, who, item->address, with_newlines(world->mem, text), item, true);
}

void client_copy_over(struct world *world, const char *who, const char *title, const char *source)
{
	struct client_item *item = must_find(world, who, title);
	const char *uid = strstr(item->text, "\nUID:") + strlen("\n");
	char *text = must_find(world, who, source)->text;

	text = edited(world->mem, text, mem_strndup(world->mem, uid, strcspn(uid, "\n")));
	write_item(world, who, item->address, text, item, true);
}

static void remove_at(struct world *world, const char *who, const struct client_item *item)
{
	struct kind_account r = reach(world, who);
	struct endpoint_remove remove = { .address = item->address, .if_version = item->version };

	world->deleted_address = item->address;
	world->deleted_text = item->raw;
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
	size_t count = client_list(world, who, &items);

	for (size_t i = 0; i < count; i++)
		remove_at(world, who, &items[i]);
}

/* What an administrator of the server does. */
void client_delete_folder(struct world *world, const char *who)
{
	struct resource person = person_of(world, who);
	const char *server = server_of(who);

	client_delete_all(world, who);
	kind_of(world, server)->drop_folder(world, server, &person, reach(world, who).folder);
}

void client_undelete(struct world *world, const char *who)
{
	cr_assert_not_null(world->deleted_text, "nothing was deleted");
	put_text(world, who, world->deleted_address, world->deleted_text,
		 strlen(world->deleted_text), NULL);
}

static void put_named(struct world *world, const char *who, const struct client_item *item,
		      const char *name)
{
	put_text(world, who, mem_printf(world->mem, "%s%s", reach(world, who).folder, name),
		 item->raw, strlen(item->raw), NULL);
}

void client_copy(struct world *world, const char *who, const char *title, const char *name)
{
	put_named(world, who, must_find(world, who, title), name);
}

void client_move(struct world *world, const char *who, const char *title, const char *name)
{
	struct client_item *item = must_find(world, who, title);
	bool first = kind_of(world, server_of(who))->one_of_a_uid;

	if (first)
		remove_at(world, who, item);
	put_named(world, who, item, name);
	if (!first)
		remove_at(world, who, item);
}

static char *without_our_header(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	while (*text) {
		size_t n = strcspn(text, "\n") + (strchr(text, '\n') ? 1 : 0);

		if (!text_starts(text, "X-Taskferry-") && !text_starts(text, "Message-ID:"))
			buf_add(out, text, n);
		text += n;
	}
	return buf_steal(&out, mem, NULL);
}

void client_recreate(struct world *world, const char *who, const char *title, const char *uid,
		     bool unmarked)
{
	struct client_item *item = must_find(world, who, title);
	char *text = edited(world->mem, item->text, mem_printf(world->mem, "UID:%s", uid));
	struct client_item plain = *item;
	struct buf *crlf;
	char *message;
	size_t len = 0;

	if (unmarked)
		text = edited(world->mem, text, "X-TASKFERRY-EDITION|X-TASKFERRY-ACTUAL-WORK");
	crlf = with_crlf(world->mem, text);
	if (!world->messages) {
		put_text(world, who,
			 mem_printf(world->mem, "%s%s.ics", client_folder(world, who), uid),
			 crlf->data, crlf->len, NULL);
	} else {
		message = message_of(world, item, NULL, crlf, &len);
		message = without_our_header(world->mem, message);
		put_text(world, who, NULL, message, strlen(message), NULL);
	}
	remove_at(world, who, &plain);
}

/* The folder of the other project, as reach() says it of the first. */
static const char *other_folder(struct world *world, const char *who)
{
	struct endpoint_folder name;

	round_folder_name(world->mem, world->conf, world_project(world, true), &name);
	return mem_printf(world->mem, "/%s@example.com/%s/", who, name.path);
}

void client_move_away(struct world *world, const char *who, const char *title, bool back)
{
	const char *home = client_folder(world, who), *away = other_folder(world, who);
	const char *to = back ? home : away;
	struct kind_account r = reach(world, who);
	struct endpoint_put put = { .address = mem_printf(world->mem, "%smoved.ics", to) };
	struct endpoint_remove remove = { .address = NULL };
	struct client_item *item;

	world->client_folder = back ? away : NULL;
	item = must_find(world, who, title);
	world->client_folder = NULL;
	put.text = item->raw;
	put.len = strlen(item->raw);
	WORLD_OK(endpoint_put(r.endpoint, world->mem, to, &put, 1));
	cr_assert_null(put.fault);
	remove.address = item->address;
	remove.if_version = item->version;
	WORLD_OK(endpoint_remove(r.endpoint, world->mem, back ? away : home, &remove, 1));
	cr_assert_null(remove.fault);
}

bool client_has_read(struct world *world, const char *who, const struct client_item *item)
{
	struct resource person = person_of(world, who);

	return strstr(kind_of(world, server_of(who))->flags(world, &person, item), "\\Seen") != NULL;
}

void client_flag(struct world *world, const char *who, const char *title, const char *flags,
		 bool set)
{
	struct resource person = person_of(world, who);
	const struct kind *kind = kind_of(world, server_of(who));

	cr_assert_not_null(kind->flag, "%s has no flags", kind->name);
	kind->flag(world, &person, must_find(world, who, title), flags, set);
}

void client_file(struct world *world, const char *who, const char *title, bool done, bool keep)
{
	struct resource person = person_of(world, who);
	const struct kind *kind = kind_of(world, server_of(who));

	cr_assert_not_null(kind->file, "%s has no sub-folder", kind->name);
	kind->file(world, &person, client_folder(world, who), must_find(world, who, title), done,
		   keep);
}

const char *client_folder(struct world *world, const char *who)
{
	return reach(world, who).folder;
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
