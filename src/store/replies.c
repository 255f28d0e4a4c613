#include "config.h"

#include "store/replies.h"

#include "store/link.h"
#include "store/project.h"
#include "store/rows.h"

static const char *const outcome_names[] = {
	[REPLY_APPLIED] = "applied",       [REPLY_PROPOSED] = "proposed",
	[REPLY_EMPTY] = "empty",           [REPLY_REFUSED] = "refused",
	[REPLY_MACHINE] = "machine",       [REPLY_FOREIGN] = "foreign",
	[REPLY_FORGED] = "forged",         [REPLY_EXPIRED] = "expired",
	[REPLY_TWICE] = "twice",           [REPLY_TOO_MANY] = "too-many",
	[REPLY_OLDER] = "older",           [REPLY_MALFORMED] = "malformed",
	[REPLY_UNREADABLE] = "unreadable",
};
_Static_assert(COUNT_OF(outcome_names) == REPLY_OUTCOMES, "a name for each");

const char *reply_outcome_name(enum reply_outcome outcome)
{
	return outcome_names[outcome];
}

struct fault *replies_account(struct store *store, TALLOC_CTX *mem, const char *server, bool create,
			      int64_t *account_r)
{
	struct resource *resource = NULL;
	struct account *account = NULL;

	FAULT_TRY(project_resource_by_key(store, mem, REPLIES_KEY, &resource));
	if (!resource && create) {
		struct resource new = { .key = REPLIES_KEY, .name = "replies by mail" };

		FAULT_TRY(project_resource_add(store, &new, &new.id));
		FAULT_TRY(project_resource_by_key(store, mem, REPLIES_KEY, &resource));
	}
	if (resource)
		FAULT_TRY(link_account(store, mem, server, resource->id, create, &account));
	*account_r = account ? account->id : 0;
	return NULL;
}

struct fault *replies_add(struct store *store, const struct replies_row *row)
{
	return db_run(store->db, SQL_REPLY_ADD, "ittiti", row->account_id, row->address,
		      row->message_id, row->assignment_id, outcome_names[row->outcome], row->at_us);
}

struct fault *replies_has(struct store *store, int64_t account, const char *address, bool *has_r)
{
	struct db_cursor *cursor = NULL;
	int64_t count = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_REPLY_HAS, "it", account, address));
	FAULT_TRY(rows_int(cursor, 0, &count));
	*has_r = count > 0;
	return NULL;
}

struct fault *replies_met(struct store *store, int64_t assignment, const char *message_id,
			  bool *met_r)
{
	struct db_cursor *cursor = NULL;
	int64_t count = 0;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_REPLY_MET, "it", assignment, message_id));
	FAULT_TRY(rows_int(cursor, 0, &count));
	*met_r = count > 0;
	return NULL;
}

struct fault *replies_count(struct store *store, int64_t assignment, enum reply_outcome outcome,
			    int64_t since_us, int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_REPLY_COUNT, "iti", assignment,
			   outcome_names[outcome], since_us));
	return rows_int(cursor, 0, count_r);
}

static void read_order(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct replies_order *order = element;

	(void)mem;
	order->sequence = db_int(cursor, 0);
	order->stamp_us = db_int(cursor, 1);
}

struct fault *replies_order(struct store *store, int64_t assignment, struct replies_order *order_r)
{
	TALLOC_CTX *mem = MEM_CONTEXT(store);
	struct replies_order *order = NULL;
	struct db_cursor *cursor = NULL;
	struct fault *fault = db_query(store->db, mem, &cursor, SQL_REPLY_ORDER, "i", assignment);

	if (!fault)
		fault = rows_one(cursor, mem, read_order, sizeof *order, &order);
	if (!fault)
		*order_r = order ? *order : (struct replies_order){ -1, -1 };
	else
		talloc_steal(store, fault);
	talloc_free(mem);
	return fault;
}

struct fault *replies_order_set(struct store *store, int64_t assignment,
				const struct replies_order *order)
{
	return db_run(store->db, SQL_REPLY_ORDER_SET, "iii", assignment, order->sequence,
		      order->stamp_us);
}

static void read_text(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	*(char **)element = db_text(cursor, mem, 0);
}

struct fault *replies_unfiled(struct store *store, TALLOC_CTX *mem, int64_t account, int64_t most,
			      char ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REPLY_UNFILED, "ii", account, most));
	return rows_all(cursor, mem, read_text, sizeof(char *), list_r, count_r);
}

struct fault *replies_filed(struct store *store, int64_t account, const char *address)
{
	return db_run(store->db, SQL_REPLY_FILED, "it", account, address);
}

struct fault *replies_purge(struct store *store, int64_t account, int64_t before_us)
{
	return db_run(store->db, SQL_REPLY_PURGE, "ii", account, before_us);
}

struct fault *replies_answers_purge(struct store *store, int64_t before_us)
{
	return db_run(store->db, SQL_ANSWER_PURGE, "i", before_us);
}

struct fault *replies_token(struct store *store, TALLOC_CTX *mem, int64_t account, char **token_r)
{
	struct db_cursor *cursor = NULL;
	char **token = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_REPLY_TOKEN, "i", account));
	FAULT_TRY(rows_one(cursor, mem, read_text, sizeof *token, &token));
	*token_r = token ? *token : NULL;
	return NULL;
}

struct fault *replies_token_set(struct store *store, int64_t account, const char *token)
{
	return db_run(store->db, SQL_REPLY_TOKEN_SET, "it", account, token);
}

struct fault *replies_answer(struct store *store, int64_t account, const char *message_id,
			     const char *text, int64_t now_us)
{
	int64_t id = 0;

	FAULT_TRY(store_id(store, &id));
	return db_run(store->db, SQL_ANSWER_ADD, "iitti", id, account, message_id, text, now_us);
}

struct fault *replies_answers_since(struct store *store, int64_t account, int64_t since_us,
				    int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_ANSWER_COUNT, "ii", account, since_us));
	return rows_int(cursor, 0, count_r);
}

static void read_answer(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct answer *answer = element;

	answer->id = db_int(cursor, 0);
	answer->message_id = db_text(cursor, mem, 1);
	answer->text = db_text(cursor, mem, 2);
	answer->tried = db_bool(cursor, 3);
}

struct fault *replies_answers(struct store *store, TALLOC_CTX *mem, int64_t account,
			      struct answer **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ANSWER_OPEN, "i", account));
	return rows_all(cursor, mem, read_answer, sizeof **list_r, list_r, count_r);
}

struct fault *replies_answer_tried(struct store *store, int64_t id)
{
	return db_run(store->db, SQL_ANSWER_TRIED, "i", id);
}

struct fault *replies_answer_done(struct store *store, int64_t id)
{
	return db_run(store->db, SQL_ANSWER_DONE, "i", id);
}
