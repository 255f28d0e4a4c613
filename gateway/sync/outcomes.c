#include "config.h"

#include "gateway/sync/outcomes.h"

#include <uthash.h>

struct outcome {
	int64_t account;
	const char *resource;
	const struct conf_server *server;
	struct fault *fault; /* NULL: served */
	UT_hash_handle hh;   /* in order of arrival */
};

struct outcomes {
	struct outcome *all;
};

static int outcomes_close(struct outcomes *outcomes)
{
	HASH_CLEAR(hh, outcomes->all);
	return 0;
}

struct outcomes *outcomes_new(TALLOC_CTX *mem)
{
	struct outcomes *outcomes = MEM_NEW(mem, struct outcomes);

	talloc_set_destructor(outcomes, outcomes_close);
	return outcomes;
}

static struct outcome *find(const struct outcomes *outcomes, int64_t account)
{
	struct outcome *outcome;

	HASH_FIND(hh, outcomes->all, &account, sizeof account, outcome);
	return outcome;
}

bool outcomes_has(const struct outcomes *outcomes, int64_t account)
{
	return find(outcomes, account) != NULL;
}

void outcomes_set(struct outcomes *outcomes, int64_t account, const char *resource,
		  const struct conf_server *server, const struct fault *fault)
{
	struct outcome *outcome = find(outcomes, account);

	if (!outcome) {
		outcome = MEM_NEW(outcomes, struct outcome);
		outcome->account = account;
		outcome->resource = mem_strdup(outcome, resource);
		outcome->server = server;
		HASH_ADD(hh, outcomes->all, account, sizeof outcome->account, outcome);
	}
	talloc_free(outcome->fault);
	outcome->fault = NULL;
	if (fault)
		outcome->fault = fault_reaches(fault_new(outcome, fault->kind, "%s", fault->text),
					       fault->scope, fault->next);
}

static bool is_of_server(const struct outcome *outcome, const struct conf_server *server)
{
	return outcome->server == server && outcome->fault &&
	       outcome->fault->scope == FAULT_SCOPE_SERVER;
}

/* By the first of its accounts, for all of them. */
static void tell_server(const struct outcomes *outcomes, const struct outcome *first,
			struct round_report *report)
{
	const struct outcome *outcome;
	int64_t accounts = 0;

	for (outcome = outcomes->all; outcome; outcome = outcome->hh.next) {
		if (!is_of_server(outcome, first->server))
			continue;
		if (!accounts++ && outcome != first)
			return; /* told already */
	}
	round_note(report, "server %s (%s): %s; %lld %s", first->server->name, first->server->url,
		   first->fault->text, (long long)accounts,
		   accounts == 1 ? "account waits" : "accounts wait");
}

static void tell(const struct outcomes *outcomes, const struct outcome *outcome,
		 struct round_report *report)
{
	if (outcome->fault->scope == FAULT_SCOPE_SERVER)
		tell_server(outcomes, outcome, report);
	else
		round_note(report, "%s on server %s: %s", outcome->resource, outcome->server->name,
			   outcome->fault->text);
}

void outcomes_tell(const struct outcomes *outcomes, struct sync_result *result)
{
	const struct outcome *outcome;

	for (outcome = outcomes->all; outcome; outcome = outcome->hh.next) {
		if (!outcome->fault)
			result->served++;
		else if (outcome->fault->next == FAULT_NEXT_RETRY)
			result->unreachable++;
		else
			result->held_accounts++;
		if (outcome->fault)
			tell(outcomes, outcome, result->report);
	}
}
