/* visit.h - all rounds of one account, over one endpoint. */
#ifndef TASKFERRY_VISIT_H
#define TASKFERRY_VISIT_H

#include "gateway/sync/round.h"

/* One round of a visit, for visit_seen. */
struct visit_round {
	const struct project *project;
	const struct fault *fault; /* however far it reaches; NULL: it went well */
	bool changed;              /* the project has other values now */
	bool moved;                /* something was read, written or changed */
	size_t first_note;         /* the report's notes from here on are of this round */
};

struct visit {
	const struct round_env *env;
	const struct account *account;
	const struct resource *resource;
	const struct conf_server *server;
	struct endpoint *endpoint;
	int64_t project; /* only this one; 0: all published ones of the person */
	int64_t publish; /* this one's round is with options.ensure, whatever the sweep says; 0: none */
	struct round_options options;
	bool sweep; /* a pull: folders that wait for nothing and have not moved need no round */
	/* after each round; its fault ends the visit. May be NULL */
	struct fault *(*seen)(void *data, TALLOC_CTX *mem, const struct visit_round *round);
	/* before each but the first: false ends the visit with TRY_LATER. May be NULL */
	bool (*goes_on)(void *data);
	void *data;
	/* out: */
	struct round_report *report;  /* also in: made by the caller */
	struct fault *folder_fault;   /* the first that was of one folder only */
	struct project *projects;     /* all published ones of the person */
	size_t project_count, rounds; /* rounds: also those that the sweep made needless */
	bool listed;                  /* the two above are known */
	int64_t *still;               /* folders that have not moved since their last round */
	size_t still_count;
};

/* What concerns one folder only is a note and `folder_fault`, and the others go on (N6). A fault is
 * of the account or wider; what had been done until then stands. */
struct fault *visit_run(TALLOC_CTX *mem, struct visit *visit) ATTR_MUST_CHECK;

#endif
