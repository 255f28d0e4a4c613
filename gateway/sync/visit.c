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
	struct fault *fault = round_run(mem, visit->env, visit->server, visit->endpoint,
					visit->account, project, &visit->options, report);

	visit->rounds++;
	if (fault && fault->scope <= FAULT_SCOPE_FOLDER)
		round_note(report, "project %s of %s on server %s: %s", project->code,
			   visit->resource->key, visit->server->name, fault->text);
	round.fault = fault;
	round.changed = !fault && report->changed > changed;
	round.moved = sum_moved(report) > moved;
	if (visit->seen)
		FAULT_TRY(visit->seen(visit->data, mem, &round));
	if (!fault || fault->scope > FAULT_SCOPE_FOLDER)
		return fault;
	if (!visit->folder_fault)
		visit->folder_fault = fault;
	return NULL;
}

struct fault *visit_run(TALLOC_CTX *mem, struct visit *visit)
{
	FAULT_TRY(project_list_of(visit->env->store, mem, visit->resource->id, &visit->projects,
				  &visit->project_count));
	visit->listed = true;
	for (size_t i = 0; i < visit->project_count; i++) {
		if (visit->project && visit->project != visit->projects[i].id)
			continue;
		if (visit->rounds && visit->goes_on && !visit->goes_on(visit->data))
			return fault_new(mem, FAULT_TRY_LATER, "the service is ending");
		FAULT_TRY(one_round(mem, visit, &visit->projects[i]));
	}
	return NULL;
}
