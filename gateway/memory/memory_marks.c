/* memory_marks.c - flags of messages and the sub-folder for what is done, for `?append`. A message in
 * that sub-folder has an address that ends with it; it belongs to the folder all the same. */
#include "config.h"

#include "gateway/memory/memory_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "decide/mark.h"

#define SEEN "\\Seen"
#define BLANK " "

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *memory_marks(TALLOC_CTX *mem, const struct memory_item *item)
{
	char *copy = mem_strdup(mem, item->flags ? item->flags : ""), *save = NULL, *out;
	const char **names = MEM_ARRAY(mem, const char *, strlen(copy) + 1);
	size_t count = 0;

	if (text_ends(item->address, MARK_DONE_FOLDER))
		names[count++] = MARK_DONE_FOLDER;
	for (char *word = strtok_r(copy, BLANK, &save); word; word = strtok_r(NULL, BLANK, &save))
		if (mark_is_one(word))
			names[count++] = word;
	qsort(names, count, sizeof *names, by_name);
	out = mem_strdup(mem, count ? names[0] : "");
	for (size_t i = 1; i < count; i++)
		out = mem_printf(mem, "%s" BLANK "%s", out, names[i]);
	return out;
}

char *memory_version(TALLOC_CTX *mem, const struct memory_item *item)
{
	const char *marks = memory_marks(mem, item);

	return mem_printf(mem, "%" PRId64 "%s%s", item->version, *marks ? BLANK : "", marks);
}

/* FLAGS without those of DROP and with those of ADD. */
static char *changed(TALLOC_CTX *mem, const char *flags, const char *add, const char *drop)
{
	char *kept = mark_without(mem, flags ? flags : "", drop);
	char *more = mark_without(mem, add ? add : "", kept);

	return mem_printf(mem, "%s%s%s", kept, *kept && *more ? BLANK : "", more);
}

static void set_flags(struct memory_state *state, struct memory_item *item, const char *flags)
{
	const char *before = memory_marks(state, item);

	item->flags = mem_strdup(state, flags);
	if (!mark_same(before, memory_marks(state, item)))
		item->touched = ++state->seq;
	state->changed = true;
}

char *memory_place_of(TALLOC_CTX *mem, const char *address, const struct memory_item *old,
		      const struct endpoint_put *put)
{
	const char *marks = old ? memory_marks(mem, old) : "";
	bool done = strstr(changed(mem, marks, put->marks_add, put->marks_drop),
			   MARK_DONE_FOLDER) != NULL;

	return mem_printf(mem, "%s%s", address, done ? MARK_DONE_FOLDER : "");
}

/* The marks of a version. */
static const char *marks_in(const char *version)
{
	const char *blank = version ? strchr(version, ' ') : NULL;

	return blank ? blank + 1 : "";
}

bool memory_bears(TALLOC_CTX *mem, const struct memory_item *item, const char *version)
{
	return mark_same(marks_in(version), memory_marks(mem, item));
}

/* Flags go with it, also those that the caller does not know of yet; the version is of those that it
 * knows. */
char *memory_carry(struct memory_state *state, struct memory_item *item,
		   const struct memory_item *old, const struct endpoint_put *put)
{
	const char *drop = mem_printf(state, "%s" BLANK "%s", MARK_DONE_FOLDER,
				      put->marks_drop ? put->marks_drop : "");
	const char *known =
		changed(state, marks_in(put->if_version), put->marks_add, put->marks_drop);

	if (!put->quiet)
		drop = mem_printf(state, "%s" BLANK SEEN, drop);
	item->flags = changed(state, old ? old->flags : "", put->marks_add, drop);
	item->flags = mark_without(state, item->flags, MARK_DONE_FOLDER);
	return mem_printf(state, "%" PRId64 "%s%s", item->version, *known ? BLANK : "", known);
}

void memory_hand_over(struct memory_state *state, struct memory_item *old,
		      struct memory_item *successor, const char *if_version)
{
	const char *known = mem_printf(state, "%s" BLANK SEEN, marks_in(if_version));

	if (!old->flags || !successor || successor->gone)
		return;
	set_flags(state, successor,
		  changed(state, successor->flags, mark_without(state, old->flags, known), NULL));
}

/* ---- what a mail client does ---- */

static struct memory_item *find(struct memory_state *state, const char *address)
{
	for (size_t i = 0; i < state->item_count; i++)
		if (!state->items[i].gone && !state->items[i].late &&
		    !strcmp(state->items[i].address, address))
			return &state->items[i];
	return NULL;
}

static struct fault *not_there(TALLOC_CTX *mem, const char *address)
{
	return fault_new(mem, FAULT_GONE, "%s is not there", address);
}

struct fault *memory_mark(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
			  const char *add, const char *drop)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *missing = NULL;
	struct memory_item *item = fault ? NULL : find(state, address);

	if (item)
		set_flags(state, item, changed(state, item->flags, add, drop));
	else
		missing = not_there(mem, address);
	fault = memory_finish(memory, mem, state, fault);
	return fault ? fault : missing;
}

struct fault *memory_flags(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
			   char **flags_r)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *missing = NULL;
	const struct memory_item *item = fault ? NULL : find(state, address);
	char *flags = item ? mem_strdup(mem, item->flags ? item->flags : "") : NULL;

	if (!item)
		missing = not_there(mem, address);
	fault = memory_finish(memory, mem, state, fault);
	fault = fault ? fault : missing;
	if (!fault)
		*flags_r = flags;
	return fault;
}

static void move(struct memory_endpoint *memory, struct memory_state *state,
		 const struct memory_item *old, const char *folder, bool done)
{
	const char *flags = old->flags, *text = old->text, *address;
	size_t len = old->len;

	address = mem_printf(state, "%s%s", memory_next_address(state, state, folder),
			     done ? MARK_DONE_FOLDER : "");
	memory_store_item(memory, state, address, text, len);
	find(state, address)->flags = mem_strdup(state, flags);
}

struct fault *memory_move(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *address, bool done, bool keep)
{
	struct memory_endpoint *memory = (struct memory_endpoint *)endpoint;
	struct memory_state *state = NULL;
	struct fault *fault = memory_load(memory, mem, &state), *missing = NULL;
	struct memory_item *item = fault ? NULL : find(state, address);

	if (item)
		move(memory, state, item, folder, done);
	else
		missing = not_there(mem, address);
	if (item && !keep)
		memory_store_item(memory, state, address, NULL, 0);
	fault = memory_finish(memory, mem, state, fault);
	return fault ? fault : missing;
}
