/* older.c - the database's meta text "older" says why the site holds; without a value it does not. */
#include "config.h"

#include "gateway/sync/older.h"

#include "store/link.h"

#define OLDER "older"

struct fault *older_fault(TALLOC_CTX *mem, const char *why)
{
	struct fault *fault = fault_new(
		mem, FAULT_TRY_LATER,
		"%s; this database is older than what the servers hold, as after an old backup was "
		"restored, so nothing is written to any server; if there is a newer database, go "
		"on "
		"with that one; if this one is to take over what stands in the mailboxes: "
		"taskferry run --takeover",
		why);

	return fault_reaches(fault, FAULT_SCOPE_SITE, FAULT_NEXT_HOLD);
}

static struct fault *end(struct store *store, struct fault *fault)
{
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

struct fault *older_note(struct store *store, const char *why)
{
	FAULT_TRY(store_begin(store));
	return end(store, store_meta_put(store, OLDER, why));
}

struct fault *older_check(TALLOC_CTX *mem, struct store *store)
{
	char *why = NULL;

	FAULT_TRY(store_meta(store, mem, OLDER, &why));
	return why ? older_fault(mem, why) : NULL;
}

struct fault *older_take_over(TALLOC_CTX *mem, struct store *store)
{
	struct fault *fault;
	char *why = NULL;

	FAULT_TRY(store_meta(store, mem, OLDER, &why));
	if (!why)
		return NULL;
	FAULT_TRY(store_begin(store));
	fault = link_forget_all(store);
	if (!fault)
		fault = store_meta_put(store, OLDER, NULL);
	return end(store, fault);
}
