/* round_shared.c - two accounts that open one mailbox. Where the server names homes, homes.c knows;
 * for messages only what stands in the folder tells: an item of ours at the very place (a number that
 * is given once in a mailbox's life) at which another account has it. One person's two accounts
 * (`deliver = all`) can both have an item there, made in the same second; of these the folder has to
 * be one by its id as well (RFC 8474). */
#include "config.h"

#include "gateway/sync/round_private.h"

#include "base/text.h"
#include "gateway/sync/homes.h"

/* Who comes into a mailbox with another's items in it is held before anything of theirs is written
 * there. Where both have written already, as two that began at the same time may have, the younger
 * account is. */
static bool is_held(const struct round *round, int64_t other)
{
	bool comes = !round->folder->last_round_us && !round->wrote;

	return comes || other < round->account->id;
}

static struct fault *shared(const struct round *round, const char *other, const struct found *found)
{
	TALLOC_CTX *mem = round->mem;
	const char *title = vector_str(found->decoded->values, FIELD_subject);

	return fault_reaches(
		fault_new(mem, FAULT_CONFIG,
			  "this login opens the mailbox of the account %s: its item '%s' stands "
			  "there "
			  "at the same place, and the items of two accounts do not go into one "
			  "mailbox: give each a `login` of their own, or leave one of them out of "
			  "`resources`, then: taskferry publish %s",
			  other, title ? text_one_line(mem, title, ROUND_SUMMARY_CHARS) : "",
			  round->project->code),
		FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

struct fault *round_check_shared(struct round *round, TALLOC_CTX *mem, const struct found *found)
{
	struct store *store = round->env->store;
	struct assignment *assignment = NULL;
	int64_t *others = NULL;
	size_t count = 0;

	if (!round->endpoint->ops->appends || !found->decoded->uid)
		return NULL;
	FAULT_TRY(project_assignment_by_uid(store, mem, found->decoded->uid, &assignment));
	if (!assignment || assignment->project_id != round->project->id)
		return NULL;
	FAULT_TRY(link_elsewhere(store, mem, assignment->id, found->address, round->account,
				 round->notice ? round->notice->object_id : NULL, &others, &count));
	for (size_t i = 0; i < count; i++) {
		const char *name = NULL;

		if (is_held(round, others[i]))
			FAULT_TRY(homes_account(store, mem, round->env->conf, others[i], &name));
		if (name)
			return shared(round, name, found);
	}
	return NULL;
}
