#include "config.h"

#include "mappers/message_private.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* What is not ours is never written anew, its bytes are copied.
 *
 *   P1  a multipart/mixed stays; in it the part that holds the card, or the outermost
 *       multipart/alternative around it, and the part that holds the calendar are replaced where
 *       they stand
 *   P2  a card that is missing is put first, a calendar that is missing behind the card
 *   P3  anything else becomes a multipart/mixed of card, calendar and what it was, with its own
 *       Content-* fields; nothing of it stays when it was the card or the calendar
 *   P4  an alternative goes with its other forms of the card (text/html and the like); files and
 *       whatever else stands in it follow behind the card
 *   P5  a header field of ours is replaced where it stands; a missing one is put at the end
 *   P6  new texts do not look like a delimiter of the multiparts that they get into; a new boundary
 *       occurs nowhere in the message
 *   P7  files come behind all other parts, and go with one delimiter
 *   P8  files come, go and get names in the message that the other rules make: only there is known
 *       which parts are files, since a part may have been moved out of what is signed, and a
 *       calendar that is no longer the task's is a file
 *
 * The same patch again gives the same text: what it replaces is what it wrote.
 */

struct patch {
	TALLOC_CTX *mem;
	const struct message_tree *tree;
	const struct message_publish *publish;
	struct buf *out;
};

static void copy(struct buf *out, const struct message_tree *tree, size_t from, size_t to)
{
	buf_add(out, tree->text + from, to - from);
}

static void delimit(struct buf *out, const char *boundary)
{
	buf_printf(out, "\r\n--%s\r\n", boundary);
}

/* The header */

/* With its line end, also where the message ends in the middle of it. */
static void copy_field(struct buf *out, const struct message_tree *tree,
		       const struct message_field *field)
{
	copy(out, tree, field->from, field->to);
	if (tree->text[field->to - 1] != '\n')
		buf_puts(out, "\r\n");
}

static bool is_content(const struct message_tree *tree, const struct message_field *field)
{
	static const char prefix[] = "Content-";

	return field->name_len >= sizeof prefix &&
	       strncasecmp(tree->text + field->from, prefix, sizeof prefix - 1) == 0;
}

/* MESSAGE_OWNS: none of ours. */
static enum message_own own_of(const struct message_tree *tree, const struct message_field *field)
{
	int own = 0;

	while (own < MESSAGE_OWNS &&
	       !message_field_is(tree->text, field, message_header_name((enum message_own)own)))
		own++;
	return (enum message_own)own;
}

/* P5. DONE tells which of our fields stand there already. */
static void patch_field(struct patch *patch, const struct message_field *field, bool *done)
{
	enum message_own own = own_of(patch->tree, field);
	bool stays = own == MESSAGE_OWNS || own == MESSAGE_DATE || own == MESSAGE_VERSION;

	if (own != MESSAGE_OWNS && !stays && done[own])
		return;
	if (stays || !message_header_add(patch->mem, patch->out, own, patch->publish))
		copy_field(patch->out, patch->tree, field);
	if (own != MESSAGE_OWNS)
		done[own] = true;
}

/* With the blank line. BOUNDARY: of a new multipart, which the Content-* fields make room for;
 * NULL: they stay. */
static void patch_header(struct patch *patch, const char *boundary)
{
	const struct message_part *top = &patch->tree->parts[0];
	bool done[MESSAGE_OWNS] = { false }, told = !boundary;
	struct message_field field;

	for (size_t at = top->from; message_field_read(patch->tree->text, at, top->body, &field);
	     at = field.to) {
		if (!boundary || !is_content(patch->tree, &field)) {
			patch_field(patch, &field, done);
		} else if (!told) {
			message_header_multipart(patch->out, "mixed", boundary);
			told = true;
		}
	}
	for (int own = 0; own < MESSAGE_OWNS; own++)
		if (!done[own])
			(void)message_header_add(patch->mem, patch->out, (enum message_own)own,
						 patch->publish);
	if (!told)
		message_header_multipart(patch->out, "mixed", boundary);
	buf_puts(patch->out, "\r\n");
}

/* Parts */

static bool within(const struct message_tree *tree, uint32_t index, uint32_t part)
{
	return part != MESSAGE_NONE && part >= index && part < tree->parts[index].past;
}

/* The part that the new card replaces: the outermost alternative around it, or itself. */
static uint32_t card_place(const struct message_tree *tree)
{
	uint32_t place = tree->card;

	for (uint32_t i = tree->card; i != MESSAGE_NONE; i = tree->parts[i].parent)
		if (!strcmp(tree->parts[i].kind.type, "multipart/alternative"))
			place = i;
	return place;
}

/* Another form of the card. */
static bool is_rendering(const struct message_kind *kind)
{
	return !kind->file && text_starts(kind->type, "text/") &&
	       strcmp(kind->type, "text/plain") != 0 && strcmp(kind->type, "text/calendar") != 0;
}

/* P4: what stays of the alternative PLACE, each behind a delimiter. */
static void add_kept(const struct patch *patch, struct buf *out, uint32_t place,
		     const char *boundary)
{
	const struct message_tree *tree = patch->tree;

	for (uint32_t i = place + 1; i < tree->parts[place].past;) {
		const struct message_part *part = &tree->parts[i];

		if (message_part_arranges(part) ||
		    (i != tree->card && within(tree, i, tree->card))) {
			i++;
			continue;
		}
		if (i != tree->card && i != tree->calendar && !is_rendering(&part->kind)) {
			delimit(out, boundary);
			copy(out, tree, part->from, part->to);
		}
		i = part->past;
	}
}

/* Edits */

/* A new text for the span [from, to). */
struct edit {
	size_t from, to;
	struct buf *text;
};

struct edits {
	struct edit *list;
	size_t count;
};

static void add_edit(const struct patch *patch, struct edits *edits, struct edit edit)
{
	size_t at = edits->count;

	edits->list = MEM_GROW(patch->mem, edits->list, struct edit, edits->count + 1);
	for (; at && edits->list[at - 1].from > edit.from; at--)
		edits->list[at] = edits->list[at - 1];
	edits->list[at] = edit;
	edits->count++;
}

/* The text from AT on. */
static void apply(const struct patch *patch, const struct edits *edits, size_t at)
{
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->list[i];

		copy(patch->out, patch->tree, at, edit->from);
		buf_add(patch->out, edit->text->data, edit->text->len);
		at = edit->to;
	}
	copy(patch->out, patch->tree, at, patch->tree->len);
}

/* P1, P2 */

/* The boundaries of the multiparts around PART. */
static struct message_boundaries around(const struct message_tree *tree, uint32_t part)
{
	struct message_boundaries boundaries = { .count = 0 };

	for (uint32_t i = tree->parts[part].parent; i != MESSAGE_NONE; i = tree->parts[i].parent)
		boundaries.names[boundaries.count++] = tree->parts[i].kind.boundary;
	return boundaries;
}

static void add_card(const struct patch *patch, struct buf *out, uint32_t place)
{
	struct message_boundaries boundaries = around(patch->tree, place);

	message_body_card(out, patch->publish, &boundaries);
}

static void add_calendar(const struct patch *patch, struct buf *out, uint32_t place)
{
	struct message_boundaries boundaries = around(patch->tree, place);

	message_body_calendar(out, patch->publish->calendar, patch->publish->calendar_len,
			      &boundaries);
}

/* The delimiter before an empty part has no line end, or half of one, where the message ends in it,
 * or where the line end belongs to the delimiter of a multipart around it (S3). */
static void open_part(const struct patch *patch, const struct message_part *part, struct buf *text)
{
	char last = patch->tree->text[part->from - 1];

	if (last != '\n')
		buf_puts(text, last == '\r' ? "\n" : "\r\n");
}

/* An empty part has no line end of its own before the delimiter behind it. */
static void close_part(const struct patch *patch, const struct edit *edit)
{
	size_t to = edit->to;

	if (to < patch->tree->len && patch->tree->text[to] != '\r' && patch->tree->text[to] != '\n')
		buf_puts(edit->text, "\r\n");
}

static struct edit replace_card(const struct patch *patch, uint32_t place, bool with_calendar)
{
	const struct message_tree *tree = patch->tree;
	const struct message_part *part = &tree->parts[place];
	const char *boundary = tree->parts[part->parent].kind.boundary;
	struct edit edit = { part->from, part->to, buf_new(patch->mem) };

	open_part(patch, part, edit.text);
	add_card(patch, edit.text, place);
	if (with_calendar) {
		delimit(edit.text, boundary);
		add_calendar(patch, edit.text, place);
	}
	if (place != tree->card)
		add_kept(patch, edit.text, place, boundary);
	close_part(patch, &edit);
	return edit;
}

/* In front of the first part. */
static struct edit insert_card(const struct patch *patch, bool with_calendar)
{
	const uint32_t first = 1;
	const char *boundary = patch->tree->parts[0].kind.boundary;
	size_t at = patch->tree->parts[first].from;
	struct edit edit = { at, at, buf_new(patch->mem) };

	add_card(patch, edit.text, first);
	delimit(edit.text, boundary);
	if (with_calendar) {
		add_calendar(patch, edit.text, first);
		delimit(edit.text, boundary);
	}
	return edit;
}

static struct edit replace_calendar(const struct patch *patch)
{
	const struct message_part *part = &patch->tree->parts[patch->tree->calendar];
	struct edit edit = { part->from, part->to, buf_new(patch->mem) };

	add_calendar(patch, edit.text, patch->tree->calendar);
	close_part(patch, &edit);
	return edit;
}

static void patch_parts(struct patch *patch)
{
	const struct message_tree *tree = patch->tree;
	uint32_t place = card_place(tree);
	bool lost = tree->calendar == MESSAGE_NONE ||
		    (place != MESSAGE_NONE && within(tree, place, tree->calendar));
	struct edits edits = { .count = 0 };

	add_edit(patch, &edits,
		 place == MESSAGE_NONE ? insert_card(patch, lost)
				       : replace_card(patch, place, lost));
	if (!lost)
		add_edit(patch, &edits, replace_calendar(patch));
	patch_header(patch, NULL);
	apply(patch, &edits, tree->parts[0].body);
}

/* P3 */

/* The message as a part: what its Content-* fields say, and its body. */
static void add_whole(const struct patch *patch, struct buf *out)
{
	const struct message_tree *tree = patch->tree;
	const struct message_part *top = &tree->parts[0];
	struct message_field field;

	for (size_t at = top->from; message_field_read(tree->text, at, top->body, &field);
	     at = field.to)
		if (is_content(tree, &field))
			copy_field(out, tree, &field);
	buf_puts(out, "\r\n");
	copy(out, tree, top->body, top->to);
}

static void wrap(struct patch *patch)
{
	const struct message_tree *tree = patch->tree;
	const struct message_publish *publish = patch->publish;
	struct buf *card = buf_new(patch->mem), *calendar = buf_new(patch->mem);
	char *boundary;

	message_body_card(card, publish, NULL);
	message_body_calendar(calendar, publish->calendar, publish->calendar_len, NULL);
	boundary = message_header_boundary(patch->mem, publish, "",
					   (struct message_slice[]){
						   { card->data, card->len },
						   { calendar->data, calendar->len },
						   { tree->text, tree->len },
					   },
					   3);
	patch_header(patch, boundary);
	buf_printf(patch->out, "--%s\r\n", boundary);
	buf_add(patch->out, card->data, card->len);
	delimit(patch->out, boundary);
	buf_add(patch->out, calendar->data, calendar->len);
	if (card_place(tree) == 0 && tree->card != 0) {
		add_kept(patch, patch->out, 0, boundary);
	} else if (tree->card != 0 && tree->calendar != 0) {
		delimit(patch->out, boundary);
		add_whole(patch, patch->out);
	}
	buf_printf(patch->out, "\r\n--%s--\r\n", boundary);
}

/* Files: P7, P8 */

/* A file that is elsewhere gets a name by which its copy is known (message_elide.h): the field, or
 * NULL where it needs none. What else may look like one is none of ours to write into. */
static const char *new_name(const struct patch *patch, uint32_t part)
{
	const struct message_tree *tree = patch->tree;
	struct message_standin standin;
	struct message_field field;

	if (!message_files_is(tree, part) ||
	    !message_elide_read(patch->mem, tree, part, &standin) ||
	    message_field_find(tree->text, tree->parts[part].from, tree->parts[part].body,
			       "Content-ID", &field))
		return NULL;
	return mem_printf(patch->mem, "Content-ID: %s\r\n", message_elide_id(patch->mem, &standin));
}

/* The part in the same multipart behind PART; 0: it is the last one. */
static uint32_t next_part(const struct message_tree *tree, uint32_t part)
{
	uint32_t next = tree->parts[part].past;

	return next < tree->count && tree->parts[next].parent == tree->parts[part].parent ? next
											  : 0;
}

/* The parts of a multipart that go, each with the delimiter before it; the first ones with the one
 * behind them. One that loses all parts keeps an empty one. */
static void remove_from(const struct patch *patch, uint32_t parent, struct edits *edits)
{
	const struct message_tree *tree = patch->tree;
	uint32_t first = parent + 1, before = MESSAGE_NONE;

	for (uint32_t i = first; i; i = next_part(tree, i)) {
		struct edit edit = { 0, tree->parts[i].to, buf_new(patch->mem) };

		if (!message_files_gone(patch->publish, tree, i)) {
			if (before == MESSAGE_NONE && i != first)
				add_edit(patch, edits,
					 (struct edit){ tree->parts[first].from,
							tree->parts[i].from, edit.text });
			before = i;
			continue;
		}
		if (before != MESSAGE_NONE) {
			edit.from = tree->parts[before].to;
			add_edit(patch, edits, edit);
			before = i;
		} else if (!next_part(tree, i)) {
			edit.from = tree->parts[first].from;
			buf_puts(edit.text, "Content-Type: application/octet-stream\r\n\r\n");
			add_edit(patch, edits, edit);
		}
	}
}

static void name_parts(const struct patch *patch, struct edits *edits)
{
	const struct message_tree *tree = patch->tree;

	for (uint32_t i = 0; i < tree->count; i++) {
		const char *name = new_name(patch, i);
		struct edit edit = { tree->parts[i].from, tree->parts[i].from, NULL };

		if (!name || message_files_gone(patch->publish, tree, i))
			continue;
		edit.text = buf_new(patch->mem);
		buf_puts(edit.text, name);
		add_edit(patch, edits, edit);
	}
}

/* Behind the last part of all. */
static void append_files(const struct patch *patch, struct edits *edits)
{
	const struct message_tree *tree = patch->tree;
	struct files *standing = message_files_standing(patch->mem, patch->publish, tree);
	uint32_t last = 1;
	struct edit edit = { .text = buf_new(patch->mem) };

	for (uint32_t i = last; i; i = next_part(tree, i))
		last = i;
	edit.from = edit.to = tree->parts[last].to;
	for (size_t i = 0; i < patch->publish->file_count; i++) {
		if (message_files_stands(patch->publish, standing, i))
			continue;
		if (!edit.text->len)
			open_part(patch, &tree->parts[last], edit.text);
		delimit(edit.text, tree->parts[0].kind.boundary);
		message_files_add(edit.text, patch->publish, &patch->publish->files[i]);
	}
	if (!edit.text->len)
		return;
	close_part(patch, &edit);
	add_edit(patch, edits, edit);
}

/* False: all files are what and where they should be. */
static bool patch_files(const struct patch *patch)
{
	const struct message_tree *tree = patch->tree;
	struct edits edits = { .count = 0 };

	for (uint32_t i = 0; i < tree->count && patch->publish->gone_count; i++)
		if (tree->parts[i].split)
			remove_from(patch, i, &edits);
	name_parts(patch, &edits);
	append_files(patch, &edits);
	if (edits.count)
		apply(patch, &edits, 0);
	return edits.count > 0;
}

/* Nothing is given out that could not be read again. */
static struct fault *patch_text(TALLOC_CTX *tmp, const char *text, size_t len,
				const struct message_publish *publish, struct buf **out_r)
{
	struct patch patch = { .mem = tmp, .publish = publish, .out = buf_new(tmp) };
	struct patch files = { .mem = tmp, .publish = publish, .out = buf_new(tmp) };
	struct message_tree *tree, *again;

	FAULT_TRY(message_tree_parse(tmp, text, len, &tree));
	patch.tree = tree;
	if (tree->parts[0].split && !strcmp(tree->parts[0].kind.type, "multipart/mixed"))
		patch_parts(&patch);
	else
		wrap(&patch);
	FAULT_TRY(message_tree_parse(tmp, patch.out->data, patch.out->len, &again));
	files.tree = again;
	if (patch_files(&files)) {
		patch.out = files.out;
		FAULT_TRY(message_tree_parse(tmp, files.out->data, files.out->len, &again));
	}
	*out_r = patch.out;
	return NULL;
}

struct fault *message_patch(TALLOC_CTX *mem, const char *text, size_t len,
			    const struct message_publish *publish, char **text_r, size_t *len_r)
{
	TALLOC_CTX *tmp = MEM_CONTEXT(mem);
	struct buf *out;
	struct fault *fault;

	assert(publish->uid && publish->subject && publish->card && publish->calendar);
	fault = patch_text(tmp, text, len, publish, &out);
	if (fault)
		talloc_steal(mem, fault);
	else
		*text_r = buf_steal(&out, mem, len_r);
	talloc_free(tmp);
	return fault;
}
