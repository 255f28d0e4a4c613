/* round_reconcile.c - a folder compared in full with what is known of it: finds and mends what
 * notices missed. It follows a round that took what they did tell, so what it finds beyond that is
 * worth a line.
 *
 *   listing    every address: unknown, of another version, or gone; rows that refer to nothing
 *   contents   of what may change under its address, RECONCILE_BATCH items at a time, so that the
 *              size of the folder is no matter
 *   database   rows that contradict themselves
 *
 * What is amiss is read again and goes the ordinary way: decided like any change, matched, or up the
 * ladder of a deletion. What a notice would tell by now has only just happened, and is no finding. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>
#include <uthash.h>

#include "base/text.h"

#define RECONCILE_BATCH 100 /* texts of at most 1 MiB each: what is in memory at once */

struct address {
	UT_hash_handle hh;
	const char *address;
};

/* Something to read again, and what will be said of it. */
struct finding {
	const char *address, *what;
	int64_t assignment; /* 0: not ours, as far as is known */
	bool gone;
};

struct comparison {
	TALLOC_CTX *mem;
	struct endpoint_notice *listing;
	struct address *listed; /* hash */
	struct finding *findings;
	size_t count;
	const char *batch[RECONCILE_BATCH]; /* known, of the right version: to be compared */
	size_t batch_count;
};

static void add(struct comparison *comparison, const char *address, int64_t assignment, bool gone,
		const char *what)
{
	comparison->findings = MEM_GROW(comparison->mem, comparison->findings, struct finding,
					comparison->count + 1);
	comparison->findings[comparison->count++] =
		(struct finding){ .address = mem_strdup(comparison->mem, address),
				  .what = what,
				  .assignment = assignment,
				  .gone = gone };
}

static bool is_listed(const struct comparison *comparison, const char *address)
{
	struct address *found;

	HASH_FIND_STR(comparison->listed, address, found);
	return found != NULL;
}

static bool is_pending(const struct round *round, const char *address)
{
	for (size_t i = 0; i < round->pending_count; i++)
		if (!strcmp(round->pending[i].address, address))
			return true;
	return false;
}

static bool has_item(const struct link *link)
{
	return link->seen_version && link->state != LINK_REMOVED && link->state != LINK_DECLINED &&
	       link->state != LINK_IGNORED;
}

/* ---- contents ---- */

static bool same_values(const struct vector *a, const struct vector *b)
{
	for (int f = 0; f < FIELDS; f++)
		if (!value_identical((enum field)f, &a->value[f], &b->value[f]))
			return false;
	return true;
}

/* What nobody edited, but the server tells in another form: the text to patch is that one (N4). */
static struct fault *keep_form(struct round *round, TALLOC_CTX *mem, const char *address,
			       const char *version, const char *text)
{
	struct store *store = round->env->store;
	struct link *link = NULL;
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = link_of_address(store, mem, round->folder->id, address, &link);
	if (!fault && link && link->seen_version && !strcmp(link->seen_version, version)) {
		link->seen_text = text;
		fault = link_set(store, link);
	}
	point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_COMMIT_DONE);
	return fault;
}

/* True when the item shows what it showed; its text is not what it was. */
static bool shows_the_same(struct round *round, TALLOC_CTX *mem, const struct link *link,
			   const struct endpoint_item *item)
{
	struct decoded *was = NULL, *is = NULL;
	struct fault *fault = codec_decode(mem, round_form(round), link->seen_text,
					   strlen(link->seen_text), NULL, NULL, &was);

	if (!fault)
		fault = codec_decode(mem, round_form(round), item->text, item->len, link->seen_text,
				     link->seen, &is);
	talloc_free(fault); /* not readable, so not the same */
	return was && is && was->edition == is->edition && same_values(was->values, is->values) &&
	       round_files_same(was->files, is->files);
}

static struct fault *compare_one(struct round *round, TALLOC_CTX *mem,
				 struct comparison *comparison, const struct endpoint_item *item)
{
	struct link *link = NULL;

	if (item->fault && item->fault->scope != FAULT_SCOPE_ITEM)
		return item->fault;
	FAULT_TRY(link_of_address(round->env->store, mem, round->folder->id, item->address, &link));
	if (!link || !link->seen_text)
		return NULL;
	round->report->compared++;
	if (item->fault && item->fault->kind == FAULT_GONE)
		add(comparison, item->address, link->assignment_id, true,
		    "is listed, and was not there");
	if (item->fault || !text_same(item->version, link->seen_version))
		return NULL; /* it changes just now: the next notice tells */
	if (strlen(link->seen_text) == item->len && !memcmp(link->seen_text, item->text, item->len))
		return NULL;
	if (shows_the_same(round, mem, link, item))
		return keep_form(round, mem, item->address, item->version, item->text);
	add(comparison, item->address, link->assignment_id, false,
	    "had changed, and its version had not");
	return NULL;
}

static struct fault *compare_batch(struct round *round, struct comparison *comparison)
{
	TALLOC_CTX *mem = MEM_CONTEXT(comparison->mem);
	struct endpoint_item *items = NULL;
	size_t count = comparison->batch_count;

	comparison->batch_count = 0;
	if (count)
		FAULT_TRY(endpoint_read_back(round->endpoint, mem, round->folder->address,
					     comparison->batch, count, &items));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(compare_one(round, mem, comparison, &items[i]));
	talloc_free(mem);
	return NULL;
}

static struct fault *compare_later(struct round *round, struct comparison *comparison,
				   const char *address)
{
	if (round->endpoint->ops->appends) { /* a message never changes */
		round->report->compared++;
		return NULL;
	}
	comparison->batch[comparison->batch_count++] = address;
	return comparison->batch_count < RECONCILE_BATCH ? NULL : compare_batch(round, comparison);
}

/* ---- the listing ---- */

/* Not as it is known: LINK's, or nobody's. What was set aside in that version is known. */
static struct fault *meet_unknown(struct round *round, TALLOC_CTX *mem,
				  struct comparison *comparison,
				  const struct endpoint_change *change, const struct link *link)
{
	struct store *store = round->env->store;
	int64_t assignment = link ? link->assignment_id : 0;
	char *version = NULL;
	bool leftover = false;

	FAULT_TRY(link_stray_version(store, mem, round->folder->id, change->address, &version));
	if (text_same(version, change->version))
		return NULL;
	if (link && has_item(link)) {
		add(comparison, change->address, assignment, false, "had changed unnoticed");
		return NULL;
	}
	FAULT_TRY(link_leftover_has(store, round->folder->id, change->address, &leftover));
	if (!leftover)
		add(comparison, change->address, assignment, false,
		    version ? "is not ours, and had changed" : "stood there unnoticed");
	return NULL;
}

static struct fault *meet(struct round *round, struct comparison *comparison,
			  const struct endpoint_change *change)
{
	TALLOC_CTX *mem = MEM_CONTEXT(comparison->mem);
	struct link *link = NULL;

	FAULT_TRY(
		link_of_address(round->env->store, mem, round->folder->id, change->address, &link));
	if (is_pending(round, change->address))
		; /* it is known to wait */
	else if (!link || !has_item(link) || strcmp(link->seen_version, change->version) != 0)
		FAULT_TRY(meet_unknown(round, mem, comparison, change, link));
	else
		FAULT_TRY(compare_later(round, comparison, change->address));
	talloc_free(mem);
	return NULL;
}

static struct fault *find_gone(struct round *round, struct comparison *comparison)
{
	struct store *store = round->env->store;
	struct link *links = NULL;
	size_t count = 0;

	FAULT_TRY(link_versions(store, comparison->mem, round->folder->id, &links, &count));
	for (size_t i = 0; i < count; i++) {
		struct link *link = NULL;

		if (!has_item(&links[i]) || is_listed(comparison, links[i].address) ||
		    is_pending(round, links[i].address))
			continue;
		FAULT_TRY(link_get(store, comparison->mem, links[i].id, &link));
		add(comparison, links[i].address, link->assignment_id, true,
		    "was not there any more");
	}
	return NULL;
}

/* ---- rows that refer to nothing ---- */

static struct fault *drop_pending(struct round *round, const struct comparison *comparison,
				  int64_t *dropped)
{
	struct store *store = round->env->store;

	for (size_t i = 0; i < round->pending_count; i++) {
		const char *address = round->pending[i].address;
		struct link *link = NULL;

		if (is_listed(comparison, address))
			continue;
		FAULT_TRY(
			link_of_address(store, comparison->mem, round->folder->id, address, &link));
		if (link && has_item(link))
			continue;
		FAULT_TRY(link_pending_drop(store, round->folder->id, address));
		++*dropped;
	}
	return NULL;
}

static struct fault *drop_leftovers(struct round *round, const struct comparison *comparison,
				    int64_t *dropped)
{
	struct store *store = round->env->store;
	struct leftover *leftovers = NULL;
	size_t count = 0;

	FAULT_TRY(link_leftovers(store, comparison->mem, round->folder->id, &leftovers, &count));
	for (size_t i = 0; i < count; i++) {
		if (is_listed(comparison, leftovers[i].address))
			continue;
		FAULT_TRY(link_leftover_drop(store, round->folder->id, leftovers[i].address));
		++*dropped;
	}
	return NULL;
}

/* One transaction; none where nothing is to be dropped. */
static struct fault *drop_rows(struct round *round, const struct comparison *comparison)
{
	struct store *store = round->env->store;
	struct fault *fault;
	int64_t dropped = 0;

	FAULT_TRY(store_begin(store));
	fault = drop_pending(round, comparison, &dropped);
	if (!fault)
		fault = drop_leftovers(round, comparison, &dropped);
	if (dropped)
		point_reach(round->env->points, POINT_COMMIT_STAGED);
	if (!fault && dropped)
		fault = store_commit(store);
	store_rollback(store);
	if (fault || !dropped)
		return fault;
	point_reach(round->env->points, POINT_COMMIT_DONE);
	round->report->amiss++;
	round_note(round->report,
		   "found by comparing everything: project %s of %s: %lld notes on items that are "
		   "not there were dropped",
		   round->project->code, round->resource->key, (long long)dropped);
	return NULL;
}

/* ---- the database ---- */

static void tell(struct round *round, TALLOC_CTX *mem, int64_t assignment, const char *address,
		 const char *what)
{
	round->report->amiss++;
	round_note(round->report, "found by comparing everything: project %s of %s: '%s' %s",
		   round->project->code, round->resource->key,
		   assignment ? round_subject(round, mem, assignment) : address, what);
}

static struct fault *check_rows(struct round *round, TALLOC_CTX *mem)
{
	struct store *store = round->env->store;
	struct link_amiss *rows = NULL;
	size_t count = 0;

	FAULT_TRY(link_amiss(store, mem, round->folder->id, &rows, &count));
	for (size_t i = 0; i < count; i++)
		tell(round, mem, rows[i].assignment_id, NULL,
		     mem_printf(mem,
				"is wrong in the database (link %lld): %s; to put it right: "
				"taskferry publish %s",
				(long long)rows[i].id, rows[i].what, round->project->code));
	FAULT_TRY(link_doubles(store, mem, round->folder->id, &rows, &count));
	for (size_t i = 0; i < count; i++)
		tell(round, mem, rows[i].assignment_id, NULL,
		     mem_printf(mem,
				"is wrong in the database (link %lld): another one has its "
				"item too, at %s",
				(long long)rows[i].id, rows[i].what));
	return NULL;
}

/* ---- all of it ---- */

/* What the next notice tells by itself. */
struct news {
	struct endpoint_notice *notice; /* NULL: nothing */
	struct address *told;           /* hash, of its changes */
};

static struct fault *find_news(struct round *round, TALLOC_CTX *mem, struct news *news)
{
	struct endpoint_notice *notice = NULL;
	struct address *all;

	if (round->folder->token)
		FAULT_TRY(endpoint_notice(round->endpoint, mem, round->folder->address,
					  round->folder->token, &notice));
	if (!notice || notice->full)
		return NULL;
	all = MEM_ARRAY(mem, struct address, notice->count);
	for (size_t i = 0; i < notice->count; i++) {
		all[i].address = notice->changes[i].address;
		HASH_ADD_KEYPTR(hh, news->told, all[i].address, strlen(all[i].address), &all[i]);
	}
	news->notice = notice;
	return NULL;
}

/* What is gone is told by what has come since, too: it is not among that. */
static bool is_news(const struct news *news, const struct finding *finding)
{
	const struct endpoint_notice *notice = news->notice;
	struct address *found;

	HASH_FIND_STR(news->told, finding->address, found);
	if (found || !notice || !finding->gone)
		return found != NULL;
	for (size_t i = 0; i < notice->span_count; i++)
		if (strcmp(notice->spans[i].from, finding->address) <= 0 &&
		    strcmp(finding->address, notice->spans[i].to) <= 0)
			return true;
	return false;
}

static struct fault *take_findings(struct round *round, struct comparison *comparison)
{
	struct news news = { .notice = NULL };

	if (!comparison->count)
		return NULL;
	FAULT_TRY(find_news(round, comparison->mem, &news));
	for (int gone = 0; gone < 2; gone++) /* the gone ones last, as in every round */
		for (size_t i = 0; i < comparison->count; i++) {
			const struct finding *finding = &comparison->findings[i];

			if (finding->gone != (gone != 0))
				continue;
			if (!is_news(&news, finding))
				tell(round, comparison->mem, finding->assignment, finding->address,
				     finding->what);
			if (finding->gone)
				round_gone_add(round, finding->address);
			round_read_add(round, finding->address);
		}
	round->gone_read = round->gone_count;
	HASH_CLEAR(hh, news.told);
	return NULL;
}

static struct fault *compare(struct round *round, struct comparison *comparison)
{
	const struct endpoint_notice *listing = comparison->listing;
	struct address *all = MEM_ARRAY(comparison->mem, struct address, listing->count);

	for (size_t i = 0; i < listing->count; i++) {
		all[i].address = listing->changes[i].address;
		HASH_ADD_KEYPTR(hh, comparison->listed, all[i].address, strlen(all[i].address),
				&all[i]);
	}
	for (size_t i = 0; i < listing->count; i++)
		FAULT_TRY(meet(round, comparison, &listing->changes[i]));
	FAULT_TRY(compare_batch(round, comparison));
	FAULT_TRY(find_gone(round, comparison));
	FAULT_TRY(drop_rows(round, comparison));
	return check_rows(round, comparison->mem);
}

static struct fault *reconcile(struct round *round, struct comparison *comparison)
{
	struct fault *fault;

	FAULT_TRY(endpoint_notice(round->endpoint, round->mem, round->folder->address, NULL,
				  &comparison->listing));
	FAULT_TRY(link_pending(round->env->store, round->mem, round->folder->id, &round->pending,
			       &round->pending_count));
	fault = compare(round, comparison);
	HASH_CLEAR(hh, comparison->listed);
	FAULT_TRY(fault);
	return take_findings(round, comparison);
}

struct fault *round_reconcile(struct round *round)
{
	struct comparison comparison = { .mem = MEM_CONTEXT(round->mem) };
	bool stars = false;

	FAULT_TRY(reconcile(round, &comparison));
	FAULT_TRY(round_files_purge(round));
	FAULT_TRY(round_star_find(round, &stars));
	round->report->folders++;
	round->folder->reconciled_us = clock_now_us(round->env->clock);
	round->notice = comparison.listing;
	round->wrote = false;
	talloc_free(comparison.mem);
	if (round->read_count || stars)
		FAULT_TRY(round_passes(round));
	return round_advance(round);
}
