#include "config.h"

#include "store/link.h"

#include <assert.h>

#include "store/rows.h"

static const char *const account_states[] = { "new", "ok", "unreachable", "held" };
_Static_assert(COUNT_OF(account_states) == ACCOUNT_STATES, "one name per state");

static const char *const folder_states[] = { "new", "ok", "gone", "held" };
_Static_assert(COUNT_OF(folder_states) == FOLDER_STATES, "one name per state");

static const char *const link_states[] = { "new",     "ok",          "missing", "declined",
					   "ignored", "withdrawing", "removed", "held" };
_Static_assert(COUNT_OF(link_states) == LINK_STATES, "one name per state");

const char *account_state_name(enum account_state state)
{
	return account_states[state];
}

const char *folder_state_name(enum folder_state state)
{
	return folder_states[state];
}

const char *link_state_name(enum link_state state)
{
	return link_states[state];
}

static void read_account(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct account *account = element;

	account->id = db_int(cursor, 0);
	account->server = db_text(cursor, mem, 1);
	account->resource_id = db_int(cursor, 2);
	account->state = (enum account_state)rows_name(account_states, ACCOUNT_STATES,
						       db_text(cursor, mem, 3));
	account->error = db_text(cursor, mem, 4);
	account->last_seen_us = db_int(cursor, 5);
	account->login_failures = db_int(cursor, 6);
	account->login_since_us = db_int(cursor, 7);
	account->full_since_us = db_int(cursor, 8);
}

static void read_folder(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct folder *folder = element;

	folder->id = db_int(cursor, 0);
	folder->account_id = db_int(cursor, 1);
	folder->project_id = db_int(cursor, 2);
	folder->address = db_text(cursor, mem, 3);
	folder->token = db_text(cursor, mem, 4);
	folder->project_seq = db_int(cursor, 5);
	folder->state =
		(enum folder_state)rows_name(folder_states, FOLDER_STATES, db_text(cursor, mem, 6));
	folder->error = db_text(cursor, mem, 7);
	folder->last_round_us = db_int(cursor, 8);
	folder->reconciled_us = db_int(cursor, 9);
	folder->object_id = db_text(cursor, mem, 10);
	folder->beside = db_text(cursor, mem, 11);
}

/* A vector that cannot be read counts as none: the next round then decodes it anew from the raw
 * text. */
static struct vector *read_vector(struct db_cursor *cursor, TALLOC_CTX *mem, int column)
{
	const char *text = db_peek(cursor, column);
	struct vector *vector = NULL;
	struct fault *fault = text ? vector_decode(mem, text, &vector) : NULL;

	talloc_free(fault);
	return vector;
}

static void read_link(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link *link = element;

	link->id = db_int(cursor, 0);
	link->folder_id = db_int(cursor, 1);
	link->assignment_id = db_int(cursor, 2);
	link->address = db_text(cursor, mem, 3);
	link->state = (enum link_state)rows_name(link_states, LINK_STATES, db_peek(cursor, 4));
	link->seen_text = db_text(cursor, mem, 5);
	link->seen = read_vector(cursor, mem, 6);
	link->seen_version = db_text(cursor, mem, 7);
	link->seen_us = db_int(cursor, 8);
	link->decoder = db_int(cursor, 9);
	link->want = read_vector(cursor, mem, 10);
	link->edition = db_int(cursor, 11);
	link->dirty = db_bool(cursor, 12);
	link->correction = db_text(cursor, mem, 13);
	link->corrections = db_int(cursor, 14);
	link->corrections_since_us = db_int(cursor, 15);
	link->attempts = db_int(cursor, 16);
	link->due_us = db_int(cursor, 17);
	link->error = db_text(cursor, mem, 18);
	link->own_percent = db_int(cursor, 19);
	link->seen_ids = db_text(cursor, mem, 20);
	link->project_ids = db_text(cursor, mem, 21);
	link->marks = db_text(cursor, mem, 22);
	link->quiet = db_bool(cursor, 23);
	link->starred = db_text(cursor, mem, 24);
}

static void read_own_link(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link *link = MEM_NEW(mem, struct link);

	read_link(cursor, link, link);
	*(struct link **)element = link;
}

static void read_version(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link *link = element;

	link->id = db_int(cursor, 0);
	link->address = db_text(cursor, mem, 1);
	link->seen_version = db_text(cursor, mem, 2);
	link->state = (enum link_state)rows_name(link_states, LINK_STATES, db_text(cursor, mem, 3));
}

static void read_id(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	(void)mem;
	*(int64_t *)element = db_int(cursor, 0);
}

static void read_pending(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct pending *pending = element;

	pending->address = db_text(cursor, mem, 0);
	pending->reason = db_text(cursor, mem, 1);
	pending->first_seen_us = db_int(cursor, 2);
	pending->due_us = db_int(cursor, 3);
}

static void read_stray(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct stray *stray = element;

	stray->folder_id = db_int(cursor, 0);
	stray->address = db_text(cursor, mem, 1);
	stray->state = db_text(cursor, mem, 2);
	stray->summary = db_text(cursor, mem, 3);
	stray->server = db_text(cursor, mem, 4);
	stray->resource = db_text(cursor, mem, 5);
	stray->project = db_text(cursor, mem, 6);
}

static void read_item(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link_item *item = element;

	item->server = db_text(cursor, mem, 0);
	item->resource = db_text(cursor, mem, 1);
	item->state = (enum link_state)rows_name(link_states, LINK_STATES, db_text(cursor, mem, 2));
	item->error = db_text(cursor, mem, 3);
	item->dirty = db_bool(cursor, 4);
}

struct fault *link_account(struct store *store, TALLOC_CTX *mem, const char *server,
			   int64_t resource, bool create, struct account **account_r)
{
	struct account *account = NULL;
	struct db_cursor *cursor = NULL;
	int64_t id;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ACCOUNT_GET, "ti", server, resource));
	FAULT_TRY(rows_one(cursor, mem, read_account, sizeof *account, &account));
	if (!account && create) {
		FAULT_TRY(store_id(store, &id));
		FAULT_TRY(db_run(store->db, SQL_ACCOUNT_ADD, "iti", id, server, resource));
		return link_account(store, mem, server, resource, false, account_r);
	}
	*account_r = account;
	return NULL;
}

struct fault *link_account_by_id(struct store *store, TALLOC_CTX *mem, int64_t id,
				 struct account **account_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ACCOUNT_BY_ID, "i", id));
	return rows_one(cursor, mem, read_account, sizeof **account_r, account_r);
}

struct fault *link_accounts(struct store *store, TALLOC_CTX *mem, struct account **list_r,
			    size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ACCOUNT_ALL, ""));
	return rows_all(cursor, mem, read_account, sizeof **list_r, list_r, count_r);
}

struct fault *link_account_set(struct store *store, const struct account *account)
{
	return db_run(store->db, SQL_ACCOUNT_SET, "ittiiii", account->id,
		      account_states[account->state], account->error, account->last_seen_us,
		      account->login_failures, account->login_since_us, account->full_since_us);
}

struct fault *link_account_waits(struct store *store, TALLOC_CTX *mem, int64_t account,
				 const char *error, bool *waits_r)
{
	struct db_cursor *cursor = NULL;
	int64_t *ids = NULL;
	size_t count = 0;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ACCOUNT_WAITS, "it", account, error));
	FAULT_TRY(rows_all(cursor, mem, read_id, sizeof *ids, &ids, &count));
	*waits_r = count > 0;
	return NULL;
}

struct fault *link_account_release(struct store *store, int64_t account)
{
	return db_run(store->db, SQL_ACCOUNT_RELEASE, "i", account);
}

struct fault *link_folder(struct store *store, TALLOC_CTX *mem, int64_t account, int64_t project,
			  bool create, struct folder **folder_r)
{
	struct folder *folder = NULL;
	struct db_cursor *cursor = NULL;
	int64_t id;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_FOLDER_GET, "ii", account, project));
	FAULT_TRY(rows_one(cursor, mem, read_folder, sizeof *folder, &folder));
	if (!folder && create) {
		FAULT_TRY(store_id(store, &id));
		FAULT_TRY(db_run(store->db, SQL_FOLDER_ADD, "iiii", id, account, project,
				 clock_now_us(store->clock)));
		return link_folder(store, mem, account, project, false, folder_r);
	}
	*folder_r = folder;
	return NULL;
}

struct fault *link_folders(struct store *store, TALLOC_CTX *mem, int64_t account,
			   struct folder **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_FOLDER_OF_ACCOUNT, "i", account));
	return rows_all(cursor, mem, read_folder, sizeof **list_r, list_r, count_r);
}

struct fault *link_folder_set(struct store *store, const struct folder *folder)
{
	return db_run(store->db, SQL_FOLDER_SET, "ittittiitt", folder->id, folder->address,
		      folder->token, folder->project_seq, folder_states[folder->state],
		      folder->error, folder->last_round_us, folder->reconciled_us,
		      folder->object_id, folder->beside);
}

struct fault *link_folder_token(struct store *store, const struct folder *folder)
{
	return db_run(store->db, SQL_FOLDER_TOKEN, "it", folder->id, folder->token);
}

struct fault *link_folders_resting(struct store *store, TALLOC_CTX *mem, int64_t account,
				   struct folder **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_FOLDER_RESTING, "i", account));
	return rows_all(cursor, mem, read_folder, sizeof **list_r, list_r, count_r);
}

struct fault *link_folder_seen(struct store *store, int64_t folder, int64_t now_us)
{
	return db_run(store->db, SQL_FOLDER_SEEN, "ii", folder, now_us);
}

struct fault *link_account_seen(struct store *store, int64_t account, int64_t now_us,
				int64_t all_us)
{
	FAULT_TRY(db_run(store->db, SQL_ACCOUNT_SEEN, "ii", account, now_us));
	return all_us ? db_run(store->db, SQL_FOLDERS_SEEN, "ii", account, all_us) : NULL;
}

struct fault *link_elsewhere(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			     const char *address, const struct account *account,
			     const char *object_id, int64_t **accounts_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_ELSEWHERE, "itiit", assignment, address,
			   account->id, account->resource_id, object_id));
	return rows_all(cursor, mem, read_id, sizeof **accounts_r, accounts_r, count_r);
}

struct fault *link_behind(struct store *store, TALLOC_CTX *mem, int64_t project, int64_t account,
			  int64_t **accounts_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_FOLDER_BEHIND, "ii", project, account));
	return rows_all(cursor, mem, read_id, sizeof **accounts_r, accounts_r, count_r);
}

struct fault *link_folders_renamed(struct store *store, int64_t project)
{
	return db_run(store->db, SQL_FOLDER_RENAMED, "i", project);
}

struct fault *link_get(struct store *store, TALLOC_CTX *mem, int64_t id, struct link **link_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_GET, "i", id));
	return rows_one(cursor, mem, read_link, sizeof **link_r, link_r);
}

struct fault *link_of_assignment(struct store *store, TALLOC_CTX *mem, int64_t folder,
				 int64_t assignment, bool create, struct link **link_r)
{
	struct link *link = NULL;
	struct db_cursor *cursor = NULL;
	int64_t id;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_OF_ASSIGNMENT, "ii", folder,
			   assignment));
	FAULT_TRY(rows_one(cursor, mem, read_link, sizeof *link, &link));
	if (!link && create) {
		FAULT_TRY(store_id(store, &id));
		FAULT_TRY(db_run(store->db, SQL_LINK_ADD, "iii", id, folder, assignment));
		return link_of_assignment(store, mem, folder, assignment, false, link_r);
	}
	*link_r = link;
	return NULL;
}

struct fault *link_of_address(struct store *store, TALLOC_CTX *mem, int64_t folder,
			      const char *address, struct link **link_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_OF_ADDRESS, "it", folder, address));
	return rows_one(cursor, mem, read_link, sizeof **link_r, link_r);
}

struct fault *link_dirty(struct store *store, TALLOC_CTX *mem, const struct link_range *range,
			 struct link ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_DIRTY, "iiii", range->folder,
			   range->after, range->before, range->most));
	return rows_all(cursor, mem, read_own_link, sizeof **list_r, list_r, count_r);
}

struct fault *link_dirty_count(struct store *store, int64_t folder, int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_LINK_DIRTY_COUNT, "i", folder));
	return rows_int(cursor, 0, count_r);
}

struct fault *link_fresh(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t assignment,
			 struct link **link_r)
{
	struct link *link = MEM_NEW(mem, struct link);

	FAULT_TRY(store_id(store, &link->id));
	link->folder_id = folder;
	link->assignment_id = assignment;
	link->state = LINK_NEW;
	link->fresh = true;
	*link_r = link;
	return NULL;
}

static struct fault *insert(struct store *store, TALLOC_CTX *mem, struct link *link)
{
	char *want = link->want ? vector_encode(mem, link->want) : NULL;

	assert(link->state == LINK_NEW && !link->seen_version && !link->attempts);
	FAULT_TRY(db_run(store->db, SQL_LINK_INSERT, "iiittibit", link->id, link->folder_id,
			 link->assignment_id, link->address, want, link->edition, (int)link->dirty,
			 link->own_percent, link->project_ids));
	link->fresh = false;
	return NULL;
}

struct fault *link_first_steps(struct store *store, int64_t first)
{
	return db_run(store->db, SQL_HISTORY_FIRST, "ii", first, clock_now_us(store->clock));
}

static struct fault *update(struct store *store, TALLOC_CTX *mem, const struct link *link)
{
	char *seen = link->seen ? vector_encode(mem, link->seen) : NULL;
	char *want = link->want ? vector_encode(mem, link->want) : NULL;

	return db_run(store->db, SQL_LINK_SET, "itttttiitibtiiiititttbt", link->id, link->address,
		       link_states[link->state], link->seen_text, seen, link->seen_version,
		       link->seen_us, link->decoder, want, link->edition, (int)link->dirty,
		       link->correction, link->corrections, link->corrections_since_us,
		       link->attempts, link->due_us, link->error, link->own_percent, link->seen_ids,
		       link->project_ids, link->marks, (int)link->quiet, link->starred);
}

struct fault *link_set(struct store *store, struct link *link)
{
	TALLOC_CTX *mem = MEM_CONTEXT(store);
	struct fault *fault = link->fresh ? insert(store, mem, link) : update(store, mem, link);

	talloc_free(mem);
	return fault;
}

struct fault *link_confirm(struct store *store, const struct link *link)
{
	char *seen = vector_encode(store, link->seen);
	struct fault *fault =
		db_run(store->db, SQL_LINK_CONFIRM, "ittttiitttt", link->id, link->address,
		       link->seen_text, seen, link->seen_version, link->seen_us, link->decoder,
		       link->error, link->seen_ids, link->marks, link->starred);

	talloc_free(seen);
	return fault;
}

struct fault *link_versions(struct store *store, TALLOC_CTX *mem, int64_t folder,
			    struct link **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_VERSIONS, "i", folder));
	return rows_all(cursor, mem, read_version, sizeof **list_r, list_r, count_r);
}

struct fault *link_missing(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t **list_r,
			   size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_MISSING, "i", folder));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

struct fault *link_unsettled(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t **list_r,
			     size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_UNSETTLED, "i", folder));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

struct fault *link_unmarked(struct store *store, int64_t folder)
{
	return db_run(store->db, SQL_LINK_UNMARKED, "i", folder);
}

struct fault *link_at_rest(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t after,
			   int64_t most, int64_t **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_AT_REST, "iii", folder, after, most));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

struct fault *link_withdrawn(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			     int64_t resource, int64_t **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_WITHDRAWN, "iii", folder->id,
			   folder->project_id, resource));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

struct fault *link_unlinked(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			    int64_t resource, int64_t **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_UNLINKED, "iii", folder->id,
			   folder->project_id, resource));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

/* Few changes are looked through; of many, each assignment of the person asks for its own. */
struct fault *link_touched(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			   int64_t resource, int64_t last, int64_t **list_r, size_t *count_r)
{
	enum sql sql = last - folder->project_seq > LINK_TOUCHED_FEW ? SQL_CHANGE_TOUCHED_LONG
								     : SQL_CHANGE_TOUCHED;
	struct db_cursor *cursor = NULL;

	if (!folder->project_seq) /* each of them has come since then */
		FAULT_TRY(db_query(store->db, mem, &cursor, SQL_ASSIGNMENT_IDS, "ii",
				   folder->project_id, resource));
	else
		FAULT_TRY(db_query(store->db, mem, &cursor, sql, "iii", folder->project_id,
				   folder->project_seq, resource));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

struct fault *link_missing_of_account(struct store *store, TALLOC_CTX *mem, int64_t account,
				      int64_t **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_MISSING_OF_ACCOUNT, "i", account));
	return rows_all(cursor, mem, read_id, sizeof **list_r, list_r, count_r);
}

static void read_amiss(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct link_amiss *amiss = element;

	amiss->id = db_int(cursor, 0);
	amiss->assignment_id = db_int(cursor, 1);
	amiss->what = db_text(cursor, mem, 2);
}

struct fault *link_amiss(struct store *store, TALLOC_CTX *mem, int64_t folder,
			 struct link_amiss **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_AMISS, "i", folder));
	return rows_all(cursor, mem, read_amiss, sizeof **list_r, list_r, count_r);
}

struct fault *link_doubles(struct store *store, TALLOC_CTX *mem, int64_t folder,
			   struct link_amiss **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_DOUBLE, "i", folder));
	return rows_all(cursor, mem, read_amiss, sizeof **list_r, list_r, count_r);
}

struct fault *link_forget_all(struct store *store)
{
	FAULT_TRY(db_run(store->db, SQL_LEFTOVER_FORGET_ALL, ""));
	FAULT_TRY(db_run(store->db, SQL_PENDING_FORGET_ALL, ""));
	FAULT_TRY(db_run(store->db, SQL_STRAY_FORGET_ALL, ""));
	FAULT_TRY(db_run(store->db, SQL_FOLDER_FORGET_ALL, ""));
	FAULT_TRY(db_run(store->db, SQL_LINK_FORGET_ENDED, ""));
	return db_run(store->db, SQL_LINK_FORGET_ALL, "");
}

struct fault *link_item_count(struct store *store, int64_t folder, int64_t at_most,
			      int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_LINK_COUNT, "ii", folder, at_most));
	return rows_int(cursor, 0, count_r);
}

struct fault *link_release(struct store *store, int64_t folder)
{
	FAULT_TRY(db_run(store->db, SQL_PENDING_RELEASE, "i", folder));
	FAULT_TRY(db_run(store->db, SQL_LEFTOVER_RELEASE, "i", folder));
	/* what bears a task's UID is judged anew before an item is made beside it */
	FAULT_TRY(db_run(store->db, SQL_PENDING_MISMATCHED, "i", folder));
	FAULT_TRY(db_run(store->db, SQL_STRAY_MISMATCHED_DROP, "i", folder));
	FAULT_TRY(db_run(store->db, SQL_LINK_HASTEN, "i", folder));
	return db_run(store->db, SQL_LINK_RELEASE, "i", folder);
}

struct fault *link_forget(struct store *store, int64_t folder)
{
	FAULT_TRY(db_run(store->db, SQL_LEFTOVER_FORGET, "i", folder));
	return db_run(store->db, SQL_LINK_FORGET, "i", folder);
}

struct fault *link_restore_missing(struct store *store, int64_t folder)
{
	return db_run(store->db, SQL_LINK_RESTORE, "i", folder);
}

struct fault *link_items(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			 struct link_item **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_ITEMS, "i", assignment));
	return rows_all(cursor, mem, read_item, sizeof **list_r, list_r, count_r);
}

struct fault *link_held_count(struct store *store, int64_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_LINK_HELD_COUNT, ""));
	return rows_int(cursor, 0, count_r);
}

struct fault *link_history_add(struct store *store, const struct link *link,
			       const struct agreed *agreed)
{
	char *text = vector_encode(store, agreed->values);
	struct fault *fault = db_run(store->db, SQL_HISTORY_ADD, "iibti", link->id, agreed->edition,
				     (int)agreed->pushed, text, agreed->at_us);

	talloc_free(text);
	FAULT_TRY(fault);
	return db_run(store->db, SQL_HISTORY_TRIM, "ii", link->id, (int64_t)LINK_HISTORY);
}

static void read_agreed(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct agreed *agreed = element;

	agreed->edition = db_int(cursor, 0);
	agreed->pushed = db_bool(cursor, 1);
	agreed->values = read_vector(cursor, mem, 2);
	agreed->at_us = db_int(cursor, 3);
}

struct fault *link_history(struct store *store, TALLOC_CTX *mem, int64_t link,
			   struct agreed **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_HISTORY_OF, "i", link));
	return rows_all(cursor, mem, read_agreed, sizeof **list_r, list_r, count_r);
}

struct fault *link_history_of_edition(struct store *store, TALLOC_CTX *mem, int64_t account,
				      int64_t edition, struct agreed **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(
		db_query(store->db, mem, &cursor, SQL_HISTORY_OF_EDITION, "ii", account, edition));
	return rows_all(cursor, mem, read_agreed, sizeof **list_r, list_r, count_r);
}

struct fault *link_pending_put(struct store *store, int64_t folder, const struct pending *pending)
{
	return db_run(store->db, SQL_PENDING_PUT, "ittii", folder, pending->address,
		      pending->reason, pending->first_seen_us, pending->due_us);
}

struct fault *link_pending_drop(struct store *store, int64_t folder, const char *address)
{
	return db_run(store->db, SQL_PENDING_DROP, "it", folder, address);
}

struct fault *link_pending(struct store *store, TALLOC_CTX *mem, int64_t folder,
			   struct pending **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_PENDING_ALL, "i", folder));
	return rows_all(cursor, mem, read_pending, sizeof **list_r, list_r, count_r);
}

struct fault *link_leftover_put(struct store *store, const struct link *link, const char *address,
				const char *version)
{
	return db_run(store->db, SQL_LEFTOVER_PUT, "itti", link->folder_id, address, version,
		      link->id);
}

static void read_leftover(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct leftover *leftover = element;
	char *version = db_text(cursor, mem, 4);

	leftover->address = db_text(cursor, mem, 0);
	leftover->version = db_text(cursor, mem, 1);
	leftover->due_us = db_int(cursor, 2);
	leftover->successor = version ? db_text(cursor, mem, 3) : NULL;
}

struct fault *link_leftovers(struct store *store, TALLOC_CTX *mem, int64_t folder,
			     struct leftover **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LEFTOVER_ALL, "i", folder));
	return rows_all(cursor, mem, read_leftover, sizeof **list_r, list_r, count_r);
}

struct fault *link_leftover_has(struct store *store, int64_t folder, const char *address,
				bool *has_r)
{
	struct db_cursor *cursor = NULL;
	bool has = false;

	FAULT_TRY(db_query(store->db, store, &cursor, SQL_LEFTOVER_HAS, "it", folder, address));
	if (db_next(cursor))
		has = db_int(cursor, 0) > 0;
	FAULT_TRY(db_close(&cursor));
	*has_r = has;
	return NULL;
}

struct fault *link_leftover_drop(struct store *store, int64_t folder, const char *address)
{
	return db_run(store->db, SQL_LEFTOVER_DROP, "it", folder, address);
}

struct fault *link_leftover_wait(struct store *store, int64_t folder, const char *address,
				 int64_t due_us)
{
	return db_run(store->db, SQL_LEFTOVER_DUE, "iti", folder, address, due_us);
}

struct fault *link_stray_put(struct store *store, const struct stray *stray, const char *version,
			     const char *text, int64_t at_us)
{
	return db_run(store->db, SQL_STRAY_PUT, "itttttitit", stray->folder_id, stray->address,
		      version, stray->state, stray->summary, text, at_us, stray->uid,
		      stray->edition, stray->edition_hash);
}

struct fault *link_stray_drop(struct store *store, int64_t folder, const char *address)
{
	return db_run(store->db, SQL_STRAY_DROP, "it", folder, address);
}

struct fault *link_stray_version(struct store *store, TALLOC_CTX *mem, int64_t folder,
				 const char *address, char **version_r)
{
	struct db_cursor *cursor = NULL;
	char *version = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_GET, "it", folder, address));
	if (db_next(cursor))
		version = db_text(cursor, mem, 0);
	FAULT_TRY(db_close(&cursor));
	*version_r = version;
	return NULL;
}

static void read_address(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	*(char **)element = db_text(cursor, mem, 0);
}

struct fault *link_strays_of(struct store *store, TALLOC_CTX *mem, int64_t folder, const char *uid,
			     char ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_OF_UID, "it", folder, uid));
	return rows_all(cursor, mem, read_address, sizeof **list_r, list_r, count_r);
}

struct fault *link_strays_with(struct store *store, TALLOC_CTX *mem, int64_t folder,
			       const char *state, const char *word, char ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;
	char *pattern = mem_printf(mem, "%%%s%%", word);

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_WITH, "itt", folder, pattern, state));
	return rows_all(cursor, mem, read_address, sizeof **list_r, list_r, count_r);
}

static void read_foreign(struct db_cursor *cursor, TALLOC_CTX *mem, void *element)
{
	struct stray *stray = element;

	stray->folder_id = db_int(cursor, 0);
	stray->address = db_text(cursor, mem, 1);
	stray->state = "foreign";
	stray->summary = db_text(cursor, mem, 2);
	stray->uid = db_text(cursor, mem, 3);
	stray->edition = db_int(cursor, 4);
	stray->edition_hash = db_text(cursor, mem, 5);
	stray->seen_us = db_int(cursor, 6);
	stray->project = db_text(cursor, mem, 7);
}

struct fault *link_strays_foreign(struct store *store, TALLOC_CTX *mem, int64_t account,
				  struct stray **list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_FOREIGN, "i", account));
	return rows_all(cursor, mem, read_foreign, sizeof **list_r, list_r, count_r);
}

struct fault *link_between(struct store *store, TALLOC_CTX *mem, int64_t folder, const char *from,
			   const char *to, char ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_LINK_BETWEEN, "itt", folder, from, to));
	return rows_all(cursor, mem, read_address, sizeof **list_r, list_r, count_r);
}

struct fault *link_stray_addresses(struct store *store, TALLOC_CTX *mem, int64_t folder,
				   char ***list_r, size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_ADDRESSES, "i", folder));
	return rows_all(cursor, mem, read_address, sizeof **list_r, list_r, count_r);
}

struct fault *link_strays(struct store *store, TALLOC_CTX *mem, struct stray **list_r,
			  size_t *count_r)
{
	struct db_cursor *cursor = NULL;

	FAULT_TRY(db_query(store->db, mem, &cursor, SQL_STRAY_ALL, ""));
	return rows_all(cursor, mem, read_stray, sizeof **list_r, list_r, count_r);
}
