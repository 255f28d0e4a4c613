#include "config.h"

#include "gateway/sync/visit.h"

static int64_t sum_moved(const struct round_report *report)
{
	return report->read + report->changed + report->created + report->updated + report->removed;
}

static struct fault *one_round(TALLOC_CTX *mem, struct visit *visit, const struct project *project)
{
	struct round_report *report = visit->report;
	struct visit_round round = { .project = project, .first_note = report->note_count };
	int64_t changed = report->changed, moved = sum_moved(report);
	struct round_options options = visit->options;
	struct fault *fault;

	options.ensure |= visit->publish == project->id;
	fault = round_run(mem, visit->env, visit->server, visit->endpoint, visit->account, project,
			  &options, report);
	visit->rounds++;
	if (fault && fault->scope <= FAULT_SCOPE_FOLDER)
		round_note(report, "project %s of %s on server %s: %s", project->code,
			   visit->resource->key, visit->server->name, fault->text);
	round.fault = fault;
	round.changed = report->changed > changed; /* what was committed stands, whatever came then */
	round.moved = sum_moved(report) > moved;
	if (visit->seen)
		FAULT_TRY(visit->seen(visit->data, mem, &round));
	if (!fault || fault->scope > FAULT_SCOPE_FOLDER)
		return fault;
	if (!visit->folder_fault)
		visit->folder_fault = fault;
	return NULL;
}

/* ---- folders that need no round ---- */

static bool may_rest(const struct visit *visit, const struct folder *folder)
{
	if (folder->project_id == visit->publish)
		return false;
	for (size_t i = 0; i < visit->project_count; i++)
		if (visit->projects[i].id == folder->project_id)
			return true;
	return false;
}

static bool is_still(const struct visit *visit, const struct folder *folders, size_t count,
		     int64_t project)
{
	for (size_t i = 0; i < count; i++)
		if (folders[i].project_id == project)
			for (size_t k = 0; k < visit->still_count; k++)
				if (visit->still[k] == folders[i].id)
					return true;
	return false;
}

static struct fault *ask_sweep(TALLOC_CTX *mem, struct visit *visit, const struct folder *folders,
			       size_t count)
{
	struct endpoint_sweep *sweeps = MEM_ARRAY(mem, struct endpoint_sweep, count);

	for (size_t i = 0; i < count; i++)
		sweeps[i] = (struct endpoint_sweep){ .folder = folders[i].address,
						     .token = folders[i].token };
	FAULT_TRY(endpoint_sweep(visit->endpoint, mem, sweeps, count));
	visit->still = MEM_ARRAY(mem, int64_t, count);
	for (size_t i = 0; i < count; i++)
		if (!sweeps[i].moved)
			visit->still[visit->still_count++] = folders[i].id;
	return NULL;
}

/* The projects whose rounds are needed, in their order: all but those of folders that wait for
 * nothing and are as they were. */
static struct fault *choose(TALLOC_CTX *mem, struct visit *visit, bool *needed)
{
	struct folder *folders = NULL;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < visit->project_count; i++)
		needed[i] = !visit->project || visit->project == visit->projects[i].id;
	if (!visit->sweep || visit->project || visit->options.ensure || visit->options.full ||
	    visit->options.reconcile || visit->options.dry_run)
		return NULL;
	FAULT_TRY(
		link_folders_resting(visit->env->store, mem, visit->account->id, &folders, &count));
	for (size_t i = 0; i < count; i++)
		if (may_rest(visit, &folders[i]))
			folders[kept++] = folders[i];
	if (kept < 2)
		return NULL;
	FAULT_TRY(ask_sweep(mem, visit, folders, kept));
	for (size_t i = 0; i < visit->project_count; i++)
		needed[i] = !is_still(visit, folders, kept, visit->projects[i].id);
	visit->rounds += visit->still_count;
	return NULL;
}

struct fault *visit_run(TALLOC_CTX *mem, struct visit *visit)
{
	bool *needed;

	FAULT_TRY(project_list_of(visit->env->store, mem, visit->resource->id, &visit->projects,
				  &visit->project_count));
	visit->listed = true;
	needed = MEM_ARRAY(mem, bool, visit->project_count);
	FAULT_TRY(choose(mem, visit, needed));
	for (size_t i = 0; i < visit->project_count; i++) {
		if (!needed[i])
			continue;
		if (visit->rounds && visit->goes_on && !visit->goes_on(visit->data))
			return fault_new(mem, FAULT_TRY_LATER, "the service is ending");
		FAULT_TRY(one_round(mem, visit, &visit->projects[i]));
	}
	return NULL;
}
