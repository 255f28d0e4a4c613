/* round_marks.c - marks of messages (decide/mark.h) in a round.
 *
 * A text never changes at its address where the endpoint `appends`, so an item whose version is
 * another one at the same address has other marks only: its body is not fetched, the text that we
 * know serves, and it is judged at once (flags never wait).
 *
 *   link->marks          as they were judged last: only what is otherwise now is a gesture
 *   link->seen_version   names the marks that stand there; after a write those that we know of, so
 *                        that what a person set meanwhile makes another version, and is looked at
 */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"
#include "decide/mark.h"
#include "store/revisions.h"

/* "TEXT marks": how long the part is that stands for the text. */
static size_t text_part(const char *version)
{
	return strcspn(version, " ");
}

static bool same_text(const char *a, const char *b)
{
	return text_part(a) == text_part(b) && !strncmp(a, b, text_part(a));
}

static const char *marks_in(const char *version)
{
	const char *rest = version + text_part(version);

	return *rest ? rest + 1 : rest;
}

static char *version_with(TALLOC_CTX *mem, const char *version, const char *marks)
{
	return mem_join(mem, mem_strndup(mem, version, text_part(version)), *marks ? " " : "",
			marks, NULL);
}

/* ---- noticing ---- */

bool round_marks_moved(struct round *round, const struct link *link,
		       const struct endpoint_change *change)
{
	struct endpoint_change *moved;

	if (!change->marks || !link->seen_text || !link->seen_version ||
	    link->state == LINK_MISSING || !same_text(link->seen_version, change->version))
		return false;
	round->marked = MEM_GROW(round->mem, round->marked, struct endpoint_change,
				 round->marked_count + 1);
	moved = &round->marked[round->marked_count++];
	*moved = (struct endpoint_change){ .address = mem_strdup(round->mem, change->address),
					   .version = mem_strdup(round->mem, change->version),
					   .marks = mem_strdup(round->mem, change->marks) };
	return true;
}

/* The item as it stands there by what we know. */
static struct fault *find_one(struct round *round, TALLOC_CTX *mem,
			      const struct endpoint_change *moved, struct found *found)
{
	struct endpoint_item *item = MEM_NEW(mem, struct endpoint_item);
	struct link *link = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, moved->address, &link));
	found->address = item->address = moved->address;
	found->item = item;
	item->version = moved->version;
	item->marks = moved->marks;
	if (!link || !link->seen_text) {
		item->fault =
			fault_new(mem, FAULT_CHANGED, "%s is not known any more", moved->address);
		return NULL;
	}
	item->text = link->seen_text;
	item->len = strlen(link->seen_text);
	round_decode(round, mem, found, link);
	return NULL;
}

static struct fault *commit_some(struct round *round, const struct endpoint_change *moved,
				 size_t count)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct found *found = MEM_ARRAY(mem, struct found, count);
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		FAULT_TRY(find_one(round, mem, &moved[i], &found[n]));
		if (!found[n].item->fault) {
			n++;
			continue;
		}
		round_read_add(round, moved[i].address);
		found[n] = (struct found){ .address = NULL };
	}
	FAULT_TRY(round_commit(round, found, n));
	talloc_free(mem);
	return NULL;
}

struct fault *round_marks_commit(struct round *round)
{
	struct endpoint_change *moved = round->marked;
	size_t count = round->marked_count;

	round->marked = NULL;
	round->marked_count = 0;
	for (size_t done = 0; done < count; done += ROUND_BATCH)
		FAULT_TRY(commit_some(round, moved + done,
				      count - done < ROUND_BATCH ? count - done : ROUND_BATCH));
	talloc_free(moved);
	return NULL;
}

/* ---- judging ---- */

/* What the marks of the item are compared with. */
static const char *known_marks(struct round *round, TALLOC_CTX *mem, const struct link *link,
			       const struct found *found)
{
	const struct conf *conf = round->env->conf;

	if (!link->seen)
		return "";
	if (!link->marks) /* read before marks meant anything: a star may have stood there */
		return mark_common(mem, found->item->marks, "\\Flagged");
	if (!round_carries_want(link, found))
		return link->marks;
	return mark_without(mem, link->marks, mark_drops(mem, conf, link->marks, link->want));
}

/* An old copy is not the item, and its marks are of before; but that it stands in the sub-folder for
 * what is done is somebody's doing. */
static const char *marks_of_copy(struct round *round, TALLOC_CTX *mem, const struct link *link,
				 const struct found *found)
{
	const char *known = link->marks ? link->marks : "";

	if (!round->folder->last_round_us || !link->marks || mark_is_in_folder(known) ||
	    !mark_is_in_folder(found->item->marks))
		return NULL;
	return mem_printf(mem, "%s%s%s", known, *known ? " " : "", MARK_DONE_FOLDER);
}

void round_marks_judge(struct round *round, TALLOC_CTX *mem, const struct link *link,
		       struct found *found)
{
	struct mark_input input = { .conf = round->env->conf, .item = found->decoded->values };

	if (!found->item->marks)
		return;
	input.now = found->keeps_seen ? marks_of_copy(round, mem, link, found) : found->item->marks;
	input.before = found->keeps_seen ? link->marks : known_marks(round, mem, link, found);
	input.replaced = link->seen_version && !same_text(link->seen_version, found->item->version);
	input.seen = link->seen ? round_mailbox_base(link, found) : NULL;
	found->mark = mark_read(mem, &input);
	found->same_text = text_same(link->seen_text, found->item->text);
}

struct fault *round_marks_keep(struct round *round, const struct link *link,
			       const struct found *found)
{
	struct revision *revision;

	if (!found->mark || !found->mark->beaten)
		return NULL;
	revision = revision_new(round->mem, REVISION_LOSING);
	revision->message = mem_printf(revision,
				       "%s, and the text was edited as well; what was "
				       "written counts",
				       found->mark->what);
	for (int f = 0; f < FIELDS; f++)
		if (found->mark->beaten->value[f].presence != ABSENT)
			revision_field(revision, (enum field)f, NULL,
				       &found->mark->beaten->value[f],
				       &found->decoded->values->value[f]);
	revision->assignment_id = link->assignment_id;
	revision->at_us = clock_now_us(round->env->clock);
	revision->author = revision->writer = revision->against = round->author;
	round->report->losing++;
	return revisions_add(round->env->store, revision);
}

bool round_marks_tell(const struct round *round, const struct found *found,
		      const struct vector *want)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(NULL);
	bool tell = found->mark && (found->keeps_seen || mark_drops(scratch, round->env->conf,
								    found->item->marks, want));

	talloc_free(scratch);
	return tell;
}

/* ---- writing ---- */

char *round_marks_drop(const struct round *round, TALLOC_CTX *mem, const struct link *link)
{
	return link->seen_version && link->want
		       ? mark_drops(mem, round->env->conf, link->marks, link->want)
		       : NULL;
}

void round_marks_written(const struct round *round, struct link *link, const char *version)
{
	const char *told = marks_in(version), *known;

	if (!round->endpoint->ops->appends)
		return;
	if (!*told) { /* as nearly always: there is nothing to tell apart */
		link->marks = "";
		link->seen_version = mem_strndup(link, version, text_part(version));
		return;
	}
	known = mark_without(link, link->marks ? link->marks : told,
			     round_marks_drop(round, link, link));
	link->marks = mark_common(link, told, known);
	link->seen_version = version_with(link, version, link->marks);
}

char *round_marks_judged(const struct round *round, TALLOC_CTX *mem, const struct link *link)
{
	if (!link->seen_version || !link->marks)
		return NULL;
	return version_with(mem, link->seen_version,
			    mark_meaning(mem, round->env->conf, link->marks));
}
