/* round.c - the order of a round; see round.h and DESIGN section 5.
 *
 *   folder -> notice -> [ read -> decide and commit -> push and record ] -> token
 *                         `---------- at most ROUND_PASSES times --------'
 *
 * The token is written last. What it covers and could not be applied stands in `pending`. The old
 * one does not stand for what is recorded before that, and is one of endpoint_doubt() then. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "gateway/sync/homes.h"
#include "gateway/sync/older.h"

#define FOLDER_SLUG_MAX                                                                            \
	60 /* bytes per part of a folder's path; three parts and marks stay below 200 */

struct round_report *round_report_new(TALLOC_CTX *mem)
{
	struct round_report *report = MEM_NEW(mem, struct round_report);

	report->due_us = INT64_MAX;
	return report;
}

void round_note(struct round_report *report, const char *fmt, ...)
{
	va_list ap;

	report->notes = MEM_GROW(report, report->notes, char *, report->note_count + 1);
	va_start(ap, fmt);
	report->notes[report->note_count++] = mem_vprintf(report, fmt, ap);
	va_end(ap);
}

void round_report_add(struct round_report *a, const struct round_report *b)
{
	int64_t *to = &a->read;
	const int64_t *from = &b->read;

	for (size_t i = 0; i < offsetof(struct round_report, due_us) / sizeof *to; i++)
		to[i] += from[i];
	if (b->due_us < a->due_us)
		a->due_us = b->due_us;
	if (!a->why)
		a->why = mem_strdup(a, b->why);
	for (size_t i = 0; i < b->note_count; i++)
		round_note(a, "%s", b->notes[i]);
}

/* [site] folder = url | host | TEXT */
static const char *top_name(TALLOC_CTX *mem, const struct conf *conf, const char *url,
			    const char *bare)
{
	const char *folder = conf->site.folder ? conf->site.folder : "url";

	if (!strcmp(folder, "url"))
		return url;
	return strcmp(folder, "host") ? folder : mem_strndup(mem, bare, strcspn(bare, "/"));
}

/* The URL without its scheme, its marks turned into dashes: what a path may hold on every server.
 */
void round_folder_name(TALLOC_CTX *mem, const struct conf *conf, const struct project *project,
		       struct endpoint_folder *folder_r)
{
	const char *url = conf->site.url ? conf->site.url : "taskferry";
	const char *bare = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	char *site = text_slug(mem, bare, FOLDER_SLUG_MAX),
	     *code = text_slug(mem, project->code, FOLDER_SLUG_MAX);
	char *both = mem_printf(mem, "%s\n%s", url, project->source_key), *display;

	folder_r->path = mem_printf(mem, "tf-%s-%s-%s", site, code,
				    digest_short(mem, both, strlen(both), 8));
	display = mem_printf(mem, "%s (%s)", project->name, url);
	for (char *c = display; *c; c++)
		if (*c == '%') /* one of the servers answers 500 to it */
			*c = '_';
	folder_r->display = text_one_line(mem, display, 200);
	folder_r->top = top_name(mem, conf, url, bare);
	folder_r->sub = project->name;
	folder_r->suffix = NULL;
	folder_r->url = mem_printf(mem, "%s#%s", url, project->source_key);
}

char *round_uid(TALLOC_CTX *mem, const char *site_url, const char *project_key,
		const char *task_key, const char *resource_key, int ordinal)
{
	char number[16];
	const char *parts[] = { site_url, project_key, task_key, resource_key, number };

	snprintf(number, sizeof number, "%d", ordinal);
	return digest_uuid5(mem, parts, ordinal ? COUNT_OF(parts) : COUNT_OF(parts) - 1);
}

/* ---- the folder ---- */

static struct fault *find_folder(struct round *round)
{
	struct store *store = round->env->store;
	struct fault *fault;

	FAULT_TRY(link_folder(store, round->mem, round->account->id, round->project->id, false,
			      &round->folder));
	if (round->folder)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = link_folder(store, round->mem, round->account->id, round->project->id, true,
			    &round->folder);
	if (!fault && !round->options->dry_run)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* A folder that is made anew (or came back) loses what we thought that it holds; what people have
 * reported until then is in the project already. */
struct fault *round_folder_made(struct round *round, bool again)
{
	struct store *store = round->env->store;
	struct fault *fault;

	round->folder->state = FOLDER_OK;
	round->folder->error = NULL;
	if (again)
		round->folder->token = NULL;
	FAULT_TRY(store_begin(store));
	fault = again ? link_forget(store, round->folder->id) : NULL;
	if (!fault)
		fault = link_folder_set(store, round->folder);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_FOLDER_RECORDED);
	return fault;
}

/* A dry run of the first round: the folder and all items are new. */
static struct fault *tell_new_folder(struct round *round)
{
	int64_t *ids = NULL;
	size_t count = 0;

	FAULT_TRY(link_unlinked(round->env->store, round->mem, round->folder, round->resource->id,
				&ids, &count));
	round->report->created += (int64_t)count;
	round_note(round->report, "would make the folder of project %s for %s, with %zu item%s",
		   round->project->code, round->resource->key, count, count == 1 ? "" : "s");
	return NULL;
}

/* Names that some server may take for the same: without regard to case, and to signs that are
 * replaced. */
static bool look_alike(TALLOC_CTX *mem, const char *a, const char *b)
{
	const char *slug = text_slug(mem, a, 200);

	return !strcmp(text_lower(mem, a), text_lower(mem, b)) ||
	       (*slug && !strcmp(slug, text_slug(mem, b, 200)));
}

/* Of projects with the same name all but the first bear a suffix where folders go by names. */
static struct fault *name_suffix(struct round *round, const char **suffix_r)
{
	TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
	struct project *all = NULL;
	size_t count = 0;

	FAULT_TRY(project_list(round->env->store, mem, &all, &count));
	for (size_t i = 0; i < count; i++)
		if (all[i].id < round->project->id &&
		    look_alike(mem, all[i].name, round->project->name))
			*suffix_r = digest_short(round->mem, round->project->source_key,
						 strlen(round->project->source_key), 6);
	talloc_free(mem);
	return NULL;
}

struct fault *round_name_folder(struct round *round, struct endpoint_folder *name_r)
{
	round_folder_name(round->mem, round->env->conf, round->project, name_r);
	return name_suffix(round, &name_r->suffix);
}

struct fault *round_home(struct round *round)
{
	struct endpoint_place *place = NULL;

	FAULT_TRY(endpoint_place(round->endpoint, round->mem, true, &place));
	return place ? homes_keep(round->env->store, round->mem, round->env->conf,
				  round->account->id, place)
		     : NULL;
}

static struct fault *ensure_folder(struct round *round)
{
	struct endpoint_folder name;
	char *address = NULL;
	bool created = false, moved, changed, known = round->folder->address != NULL;
	bool gone = round->folder->state == FOLDER_GONE;

	if (round->options->dry_run)
		return round->folder->address ? NULL : tell_new_folder(round);
	FAULT_TRY(round_name_folder(round, &name));
	FAULT_TRY(round_home(round));
	point_reach(round->env->points, POINT_FOLDER_CREATING);
	FAULT_TRY(endpoint_ensure(round->endpoint, round->mem, &name, round->folder->address,
				  &address, &created));
	point_reach(round->env->points, POINT_FOLDER_CREATED);
	moved = !text_same(round->folder->address, address);
	if (moved && !created)
		FAULT_TRY(round_folder_free(round, address));
	changed = created || moved || round->folder->state != FOLDER_OK;
	round->folder->address = address;
	if (created || !known)
		round->folder->beside = endpoint_beside(round->endpoint);
	if (moved) /* it is of another folder, perhaps of another server */
		round->folder->token = NULL;
	if (gone && !created)
		FAULT_TRY(round_folder_other(round, &round->remakes));
	return changed && !round->remakes ? round_folder_made(round, created && known) : NULL;
}

/* A person said "publish": what is held or missing is tried again. */
static struct fault *release(struct round *round)
{
	struct store *store = round->env->store;
	struct fault *fault;

	if (round->options->dry_run || !round->options->ensure)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = link_release(store, round->folder->id);
	if (!fault)
		fault = link_restore_missing(store, round->folder->id);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

/* ---- the end ---- */

struct fault *round_doubt(struct round *round)
{
	const char *token = round->folder->token;

	if (!round->doubted && token) {
		round->folder->token = endpoint_doubt(round->endpoint, round->mem, token);
		round->doubted = !text_same(round->folder->token, token);
	}
	return round->doubted ? link_folder_token(round->env->store, round->folder) : NULL;
}

struct fault *round_advance(struct round *round)
{
	struct store *store = round->env->store;
	const char *token = round->notice->token;
	struct fault *fault;
	char *later = NULL;

	if (round->options->dry_run)
		return NULL;
	if (round->wrote && token) {
		FAULT_TRY(endpoint_advance(round->endpoint, round->mem, round->folder->address,
					   token, &later));
		token = later;
	}
	round->folder->token = token;
	round->doubted = false;
	if (round->notice->object_id)
		round->folder->object_id = round->notice->object_id;
	round->folder->project_seq = round->project_seq;
	round->folder->last_round_us = clock_now_us(round->env->clock);
	FAULT_TRY(store_begin(store));
	fault = link_folder_set(store, round->folder);
	if (!fault && round->notice->full && round->notice->count &&
	    round->endpoint->ops->appends)
		fault = link_unmarked(store, round->folder->id);
	point_reach(round->env->points, POINT_TOKEN_STAGED);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	if (!fault)
		point_reach(round->env->points, POINT_TOKEN_DONE);
	return fault;
}

/* What is to be read, a part after the other: memory does not depend on how much it is. */
static struct fault *read_all(struct round *round)
{
	const char **addresses = round->read;
	size_t count = round->read_count, done = 0;

	round->read = NULL;
	round->read_count = 0;
	FAULT_TRY(round_first_order(round, addresses, count));
	while (done < count) {
		TALLOC_CTX *mem = MEM_CONTEXT(round->mem);
		size_t left = count - done, n = left < ROUND_BATCH ? left : ROUND_BATCH;
		struct found *found = NULL;

		FAULT_TRY(round_fetch(round, mem, addresses + done, n, &found));
		FAULT_TRY(round_files_read(round, mem, found, n));
		FAULT_TRY(round_commit(round, found, n));
		talloc_free(mem);
		done += n;
	}
	talloc_free(addresses);
	return NULL;
}

struct fault *round_passes(struct round *round)
{
	for (round->pass = 1;; round->pass++) {
		TALLOC_FREE(round->views); /* of decisions that others come behind */
		FAULT_TRY(round_files_begin(round));
		FAULT_TRY(round_marks_commit(round));
		FAULT_TRY(read_all(round));
		/* what this pass found to be inside its quiet time is not to be written */
		if (!round->options->dry_run)
			FAULT_TRY(link_pending(round->env->store, round->mem, round->folder->id,
					       &round->pending, &round->pending_count));
		FAULT_TRY(round_commit_project(round));
		if (round->options->dry_run)
			return NULL;
		FAULT_TRY(round_push(round));
		FAULT_TRY(round_upload(round));
		FAULT_TRY(round_notice_again(round));
		if (!round->read_count && !round->marked_count)
			return NULL;
	}
}

static struct fault *run(struct round *round)
{
	bool back = false, gone = false;

	FAULT_TRY(project_resource(round->env->store, round->mem, round->account->resource_id,
				   &round->resource));
	if (!round->resource)
		return fault_new(round->mem, FAULT_INTERNAL, "account %lld has no resource",
				 (long long)round->account->id);
	round->author =
		mem_printf(round->mem, "mailbox:%s/%s", round->server->name, round->resource->key);
	FAULT_TRY(find_folder(round));
	if (round->folder->state == FOLDER_GONE && !round->options->ensure) {
		FAULT_TRY(round_folder_back(round, &back));
		if (!back)
			return round_folder_held(round);
	}
	if (round->options->ensure || round->folder->state != FOLDER_OK)
		FAULT_TRY(round_folder_follow(round, &gone));
	if (gone)
		return NULL;
	FAULT_TRY(round_whole(round));
	if (round->options->ensure || round->folder->state != FOLDER_OK)
		FAULT_TRY(ensure_folder(round));
	FAULT_TRY(release(round));
	if (!round->folder->address)
		return NULL;
	FAULT_TRY(round_folder_notice(round, &gone));
	if (gone)
		return NULL;
	FAULT_TRY(round_passes(round));
	FAULT_TRY(round_folder_beside(round));
	FAULT_TRY(round_advance(round));
	return round->options->reconcile && !round->options->dry_run ? round_reconcile(round)
								     : NULL;
}

struct fault *round_run(TALLOC_CTX *mem, const struct round_env *env,
			const struct conf_server *server, struct endpoint *endpoint,
			const struct account *account, const struct project *project,
			const struct round_options *options, struct round_report *report)
{
	struct round round = { .mem = MEM_CONTEXT(mem),
			       .env = env,
			       .server = server,
			       .endpoint = endpoint,
			       .account = account,
			       .project = project,
			       .options = options,
			       .report = report,
			       .begin_us = clock_now_us(env->clock) };
	struct fault *fault = run(&round);

	if (fault && round.older && !options->dry_run) {
		struct fault *noted = older_note(env->store, round.older);

		fault = noted ? noted : fault;
	}
	if (fault)
		talloc_steal(mem, fault);
	talloc_free(round.mem);
	return fault;
}
