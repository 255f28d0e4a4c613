/* engine_replies.c - the mailbox with replies as one of the accounts: who asks for a look gets a job of the
 * kind `report`, and a job of that account reads the mailbox in place of rounds. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#include "gateway/sync/delivery.h"
#include "store/replies.h"

struct fault *engine_replies_open(struct engine_worker *worker, TALLOC_CTX *mem)
{
	struct secret *secret = NULL;

	if (!worker->engine->env.conf->replies.address)
		return NULL;
	FAULT_TRY(delivery_reply_secret(worker->mem, worker->engine->env.conf, &secret));
	(void)mem;
	worker->env.reply_secret = secret;
	return NULL;
}

static struct fault *add_job(struct engine_worker *worker, TALLOC_CTX *mem, int64_t *account_r)
{
	FAULT_TRY(replies_account(worker->store, mem, worker->engine->env.conf->replies.server,
				  true, account_r));
	return queue_add(worker->store, JOB_REPORT, *account_r, 0,
			 clock_now_us(worker->engine->env.clock), NULL);
}

struct fault *engine_replies_ask(struct engine_worker *worker, TALLOC_CTX *mem, int64_t *account_r)
{
	struct engine *engine = worker->engine;
	struct fault *fault;
	int64_t account = 0;

	*account_r = 0;
	if (!engine->env.conf->replies.address)
		return NULL;
	FAULT_TRY(store_begin(worker->store));
	fault = add_job(worker, mem, &account);
	if (!fault)
		fault = store_commit(worker->store);
	store_rollback(worker->store);
	if (fault)
		return fault;
	pthread_mutex_lock(&engine->lock);
	engine->replies = account;
	pthread_mutex_unlock(&engine->lock);
	*account_r = account;
	return NULL;
}

enum job_kind engine_replies_kind(struct engine *engine, int64_t account)
{
	enum job_kind kind;

	pthread_mutex_lock(&engine->lock);
	kind = engine->replies && engine->replies == account ? JOB_REPORT : JOB_PULL;
	pthread_mutex_unlock(&engine->lock);
	return kind;
}
