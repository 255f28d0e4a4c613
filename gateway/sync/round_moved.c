/* round_moved.c - where a missing item went (M5): clients move an item by making a new one and
 * removing the old one, some with another UID, some without the properties that are not theirs.
 *
 *   same UID, this folder        round_match.c, when the item is read
 *   same UID, another of ours    held: it does not belong there
 *   our marker, another UID      the marker names one step of one missing link only: it is that
 *                                link's item, and the UID becomes an alias of its assignment
 *   neither                      the same title, one missing link and one item that is new: the same,
 *                                within the grace time, and a person is told
 *
 * The same at first contact (M6): an item that bears our marker and a UID of a client's making is
 * the item of the one assignment of that title that has none.
 *
 * Nobody has to ask the server for this: what is new in any folder of the account and not ours by
 * its UID stands among the strays. So before a deletion is believed, each of these folders must have
 * been looked at after it was found. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/text.h"

/* An item that was there this long before the other one went is somebody's own, whatever its title:
 * clients remove the old one seconds later, and a poll lies between. */
#define NEW_US (10 * 60 * CLOCK_SECOND_US)

/* How long a deletion waits for rounds of other folders, which may be out of reach. */
#define UNSEEN_US (24 * 3600 * CLOCK_SECOND_US)
#define UNSEEN_AGAIN_US (5 * CLOCK_SECOND_US)

/* A marker that an item of a missing link may carry. */
struct marker {
	int64_t link, edition;
	const char *hash;
};

struct lost {
	struct link *link;
	const char *title;
	bool found;
};

/* All that a search needs, read once per round. */
struct search {
	struct stray *strays; /* of all folders of the account */
	int64_t *of;          /* the assignment that a stray's UID names; 0: none */
	size_t stray_count;
	struct lost *lost; /* missing links of the account */
	size_t lost_count;
	struct marker *markers;
	size_t marker_count;
};

/* ---- what is known ---- */

static struct fault *read_strays(struct round *round, TALLOC_CTX *mem, struct search *search)
{
	struct store *store = round->env->store;

	FAULT_TRY(link_strays_foreign(store, mem, round->account->id, &search->strays,
				      &search->stray_count));
	search->of = MEM_ARRAY(mem, int64_t, search->stray_count);
	for (size_t i = 0; i < search->stray_count; i++) {
		struct assignment *assignment = NULL;

		if (search->strays[i].uid)
			FAULT_TRY(project_assignment_by_uid(store, mem, search->strays[i].uid,
							    &assignment));
		search->of[i] = assignment ? assignment->id : 0;
	}
	return NULL;
}

static struct fault *add_markers(struct round *round, TALLOC_CTX *mem, struct search *search,
				 const struct link *link)
{
	struct agreed *steps = NULL;
	size_t count = 0;

	FAULT_TRY(link_history(round->env->store, mem, link->id, &steps, &count));
	search->markers =
		MEM_GROW(mem, search->markers, struct marker, search->marker_count + count);
	for (size_t i = 0; i < count; i++)
		if (steps[i].values)
			search->markers[search->marker_count++] =
				(struct marker){ .link = link->id,
						 .edition = steps[i].edition,
						 .hash = codec_hash(mem, steps[i].values) };
	return NULL;
}

static struct fault *read_lost(struct round *round, TALLOC_CTX *mem, struct search *search)
{
	struct store *store = round->env->store;
	int64_t *ids = NULL;
	size_t count = 0;

	FAULT_TRY(link_missing_of_account(store, mem, round->account->id, &ids, &count));
	search->lost = MEM_ARRAY(mem, struct lost, count);
	for (size_t i = 0; i < count; i++) {
		struct lost *lost = &search->lost[i];
		const struct vector *values;
		const char *title;

		FAULT_TRY(link_get(store, mem, ids[i], &lost->link));
		values = lost->link->seen ? lost->link->seen : lost->link->want;
		title = values ? vector_str(values, FIELD_subject) : NULL;
		lost->title = title ? text_one_line(mem, title, ROUND_SUMMARY_CHARS) : NULL;
		FAULT_TRY(add_markers(round, mem, search, lost->link));
	}
	search->lost_count = count;
	return NULL;
}

static struct fault *search_new(struct round *round, TALLOC_CTX *mem, struct search **search_r)
{
	struct search *search = MEM_NEW(mem, struct search);

	FAULT_TRY(read_strays(round, mem, search));
	if (search->stray_count)
		FAULT_TRY(read_lost(round, mem, search));
	*search_r = search;
	return NULL;
}

/* ---- whose it is ---- */

/* The one missing link that a stray's marker names, whose UID names nobody. NULL: none, or several. */
static struct lost *by_marker(const struct search *search, size_t stray)
{
	const struct stray *item = &search->strays[stray];
	int64_t link = 0;

	if (search->of[stray] || item->edition <= 0 || !item->edition_hash)
		return NULL;
	for (size_t i = 0; i < search->marker_count; i++) {
		const struct marker *marker = &search->markers[i];

		if (marker->edition != item->edition ||
		    strcmp(marker->hash, item->edition_hash) != 0)
			continue;
		if (link && link != marker->link)
			return NULL;
		link = marker->link;
	}
	for (size_t i = 0; i < search->lost_count && link; i++)
		if (search->lost[i].link->id == link)
			return &search->lost[i];
	return NULL;
}

/* The missing link of the assignment that a stray's UID names: a copy of it, until it was gone. */
static struct lost *by_uid(const struct search *search, size_t stray)
{
	for (size_t i = 0; i < search->lost_count && search->of[stray]; i++)
		if (search->lost[i].link->assignment_id == search->of[stray])
			return &search->lost[i];
	return NULL;
}

static int64_t missing_since(const struct round *round, const struct link *link)
{
	return link->due_us - round->env->conf->rights.grace_us;
}

static bool may_be_by_title(const struct round *round, const struct search *search, size_t stray,
			    const struct lost *lost)
{
	const struct stray *item = &search->strays[stray];

	return item->folder_id == round->folder->id && !search->of[stray] && !item->edition &&
	       text_same(item->summary, lost->title) &&
	       item->seen_us >= missing_since(round, lost->link) - NEW_US;
}

/* The only one of that title, for the only link of that title. SIZE_MAX: none. */
static size_t by_title(const struct round *round, const struct search *search,
		       const struct lost *lost)
{
	size_t found = SIZE_MAX;

	if (!lost->title || lost->link->due_us <= clock_now_us(round->env->clock))
		return SIZE_MAX;
	for (size_t i = 0; i < search->lost_count; i++)
		if (&search->lost[i] != lost && text_same(search->lost[i].title, lost->title))
			return SIZE_MAX;
	for (size_t i = 0; i < search->stray_count; i++) {
		if (!may_be_by_title(round, search, i, lost))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = i;
	}
	return found;
}

/* ---- within this folder ---- */

/* It was said of it, in this very round, that it is not ours. */
static void take_back_note(struct round *round, const struct stray *stray)
{
	struct round_report *report = round->report;
	const char *note = round_foreign_note(round, stray->summary);

	for (size_t i = report->note_count; i-- > 0;) {
		if (strcmp(report->notes[i], note) != 0)
			continue;
		memmove(report->notes + i, report->notes + i + 1,
			(--report->note_count - i) * sizeof *report->notes);
		report->foreign--;
		return;
	}
}

static struct fault *take(struct round *round, struct lost *lost, const struct stray *stray)
{
	struct store *store = round->env->store;
	struct link *link = lost->link;

	lost->found = true;
	link->state = LINK_OK;
	link->address = stray->address;
	link->error = NULL;
	link->due_us = 0;
	if (stray->uid)
		FAULT_TRY(project_uid_alias(store, stray->uid, link->assignment_id));
	FAULT_TRY(link_set(store, link));
	FAULT_TRY(link_stray_drop(store, round->folder->id, stray->address));
	take_back_note(round, stray);
	round_read_add(round, stray->address);
	return NULL;
}

struct fault *round_moved(struct round *round, TALLOC_CTX *mem)
{
	struct search *search = NULL;

	FAULT_TRY(search_new(round, mem, &search));
	for (size_t i = 0; i < search->stray_count; i++) {
		struct lost *lost = search->of[i] ? by_uid(search, i) : by_marker(search, i);

		if (!lost || lost->found || search->strays[i].folder_id != round->folder->id ||
		    lost->link->folder_id != round->folder->id)
			continue;
		search->of[i] = lost->link->assignment_id;
		FAULT_TRY(take(round, lost, &search->strays[i]));
	}
	for (size_t i = 0; i < search->lost_count; i++) {
		struct lost *lost = &search->lost[i];
		size_t stray = SIZE_MAX;

		if (!lost->found && lost->link->folder_id == round->folder->id)
			stray = by_title(round, search, lost);
		if (stray == SIZE_MAX)
			continue;
		FAULT_TRY(take(round, lost, &search->strays[stray]));
		round_note(round->report,
			   "taken for moved: '%s' of %s is gone, and a new item of that title "
			   "without our marks stands in the folder of project %s; if that is "
			   "somebody's "
			   "own, make it anew under another title",
			   lost->title, round->resource->key, round->project->code);
	}
	return NULL;
}

/* ---- in other folders ---- */

static bool stands_at(const struct round *round, const struct search *search,
		      const struct link *link, size_t stray)
{
	const struct lost *lost;

	if (search->strays[stray].folder_id == round->folder->id)
		return false;
	if (search->of[stray] == link->assignment_id)
		return true;
	lost = by_marker(search, stray);
	return lost && lost->link->id == link->id;
}

/* The grace time begins anew when it is taken away from there as well. */
static struct fault *hold_away(struct round *round, TALLOC_CTX *mem, struct link *link,
			       const struct stray *stray)
{
	int64_t now = clock_now_us(round->env->clock), grace = round->env->conf->rights.grace_us;
	const char *subject = round_subject(round, mem, link->assignment_id);

	round->report->held++;
	round_note(round->report,
		   "held: '%s' of %s was moved from the folder of project %s into that of project "
		   "%s; it is not taken for deleted; move it back",
		   subject, round->resource->key, round->project->code, stray->project);
	if (link->due_us - now >= grace / 2)
		return NULL;
	link->due_us = now + grace;
	link->error = mem_printf(link, "its item was moved into the folder of project %s",
				 stray->project);
	return link_set(round->env->store, link);
}

/* Folders of published projects that no round has looked into since the link is missing. */
static struct fault *has_unseen(struct round *round, TALLOC_CTX *mem, const struct link *link,
				bool *unseen_r)
{
	struct store *store = round->env->store;
	int64_t since = missing_since(round, link);
	struct folder *folders = NULL;
	size_t count = 0;

	*unseen_r = false;
	if (clock_now_us(round->env->clock) - since > UNSEEN_US)
		return NULL;
	FAULT_TRY(link_folders(store, mem, round->account->id, &folders, &count));
	for (size_t i = 0; i < count && !*unseen_r; i++) {
		struct project *project = NULL;

		if (folders[i].id == round->folder->id || folders[i].state != FOLDER_OK ||
		    folders[i].last_round_us >= since)
			continue;
		FAULT_TRY(project_by_id(store, mem, folders[i].project_id, &project));
		*unseen_r = project && project->state == PROJECT_PUBLISHED;
	}
	return NULL;
}

static void wait_for_others(struct round *round)
{
	int64_t again = clock_now_us(round->env->clock) + UNSEEN_AGAIN_US;

	if (again < round->report->due_us)
		round->report->due_us = again;
	round->report->waiting++;
}

static struct fault *judge_away(struct round *round, TALLOC_CTX *mem, const struct search *search,
				int64_t id, bool *stays_r)
{
	struct link *link = NULL;
	bool unseen = false;

	FAULT_TRY(link_get(round->env->store, mem, id, &link));
	*stays_r = false;
	for (size_t i = 0; i < search->stray_count; i++)
		if (stands_at(round, search, link, i))
			return hold_away(round, mem, link, &search->strays[i]);
	FAULT_TRY(has_unseen(round, mem, link, &unseen));
	if (unseen && link->due_us <= clock_now_us(round->env->clock))
		wait_for_others(round);
	*stays_r = !unseen || link->due_us > clock_now_us(round->env->clock);
	return NULL;
}

struct fault *round_moved_away(struct round *round, TALLOC_CTX *mem, int64_t *ids, size_t *count)
{
	struct search *search = NULL;
	size_t kept = 0;

	FAULT_TRY(search_new(round, mem, &search));
	for (size_t i = 0; i < *count; i++) {
		bool stays = false;

		FAULT_TRY(judge_away(round, mem, search, ids[i], &stays));
		if (stays)
			ids[kept++] = ids[i];
	}
	*count = kept;
	return NULL;
}

/* ---- first contact ---- */

static struct fault *title_of(struct round *round, TALLOC_CTX *mem, int64_t id,
			      const char **title_r)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	const char *title = NULL;

	FAULT_TRY(project_assignment(round->env->store, mem, id, &assignment));
	if (assignment)
		FAULT_TRY(project_values(round->env->store, mem, assignment, &stamped));
	if (stamped)
		title = vector_str(stamped->values, FIELD_subject);
	*title_r = title ? text_one_line(mem, title, ROUND_SUMMARY_CHARS) : NULL;
	return NULL;
}

/* The only one of COUNT that says TITLE; SIZE_MAX: none, or several. */
static size_t only_one(const char *const *titles, size_t count, const char *title)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		if (!titles[i] || strcmp(titles[i], title) != 0)
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = i;
	}
	return found;
}

/* Titles of items of this folder that bear our marker and nobody's UID; NULL for all others. */
static const char **marked_titles(const struct round *round, TALLOC_CTX *mem,
				  const struct search *search, size_t *count_r)
{
	const char **titles = MEM_ARRAY(mem, const char *, search->stray_count);
	size_t count = 0;

	for (size_t i = 0; i < search->stray_count; i++) {
		const struct stray *stray = &search->strays[i];

		if (stray->folder_id != round->folder->id || search->of[i] || !stray->edition ||
		    !stray->uid)
			continue;
		titles[i] = stray->summary;
		count++;
	}
	*count_r = count;
	return titles;
}

/* By its UID it is ours from now on; it is read again, and adopted. */
static struct fault *adopt(struct round *round, int64_t assignment, const struct stray *stray)
{
	struct store *store = round->env->store;

	FAULT_TRY(project_uid_alias(store, stray->uid, assignment));
	FAULT_TRY(link_stray_drop(store, round->folder->id, stray->address));
	take_back_note(round, stray);
	round_read_add(round, stray->address);
	round_claim(round, assignment);
	return NULL;
}

void round_claim(struct round *round, int64_t assignment)
{
	round->claimed = MEM_GROW(round->mem, round->claimed, int64_t, round->claimed_count + 1);
	round->claimed[round->claimed_count++] = assignment;
}

bool round_is_claimed(const struct round *round, int64_t assignment)
{
	for (size_t i = 0; i < round->claimed_count; i++)
		if (round->claimed[i] == assignment)
			return true;
	return false;
}

static void drop_claimed(const struct round *round, int64_t *ids, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (!round_is_claimed(round, ids[i]))
			ids[kept++] = ids[i];
	*count = kept;
}

static struct fault *adopt_marked(struct round *round, TALLOC_CTX *mem, int64_t *ids, size_t *count)
{
	const char **wanted = MEM_ARRAY(mem, const char *, *count), **marked;
	struct search search = { .strays = NULL };
	size_t kept = 0, candidates = 0;

	FAULT_TRY(read_strays(round, mem, &search));
	marked = marked_titles(round, mem, &search, &candidates);
	if (!candidates)
		return NULL;
	for (size_t i = 0; i < *count; i++)
		FAULT_TRY(title_of(round, mem, ids[i], &wanted[i]));
	for (size_t i = 0; i < *count; i++) {
		size_t at = wanted[i] ? only_one(marked, search.stray_count, wanted[i]) : SIZE_MAX;

		if (at == SIZE_MAX || only_one(wanted, *count, wanted[i]) != i)
			ids[kept++] = ids[i];
		else
			FAULT_TRY(adopt(round, ids[i], &search.strays[at]));
	}
	*count = kept;
	return NULL;
}

/* Only in the very first round of a folder: later on, an item that bears our marker and is not known
 * is a copy that somebody made. */
struct fault *round_moved_first(struct round *round, int64_t *ids, size_t *count)
{
	struct store *store = round->env->store;
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct fault *fault;

	if (round->folder->last_round_us || round->options->dry_run)
		return NULL;
	if (round->pass == 1)
		drop_claimed(round, ids, count);
	if (!*count)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = adopt_marked(round, mem, ids, count);
	point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_COMMIT_DONE);
	talloc_free(mem);
	return fault;
}
