/* link.h - the sync state: accounts, folders, links, what is pending, what is not ours.
 *
 * `seen` is only ever what the server confirmed that it holds (N11); `want` is what we want it to
 * hold; `dirty` says that they differ, so that the work to be done is found by an index. A link's
 * address stays after its item is gone.
 */
#ifndef TASKFERRY_LINK_H
#define TASKFERRY_LINK_H

#include "model/vector.h"
#include "store/store.h"

enum account_state { ACCOUNT_NEW, ACCOUNT_OK, ACCOUNT_UNREACHABLE, ACCOUNT_HELD, ACCOUNT_STATES };

/* NEW: not made on the server yet; GONE: was there, is not any more, held until published again. */
enum folder_state { FOLDER_NEW, FOLDER_OK, FOLDER_GONE, FOLDER_HELD, FOLDER_STATES };

/*                        .-> HELD (waits for a person) -> OK
 *  NEW -> OK (an item) --+-> MISSING (confirmed gone, in its grace time) -> NEW (restore) | DECLINED | IGNORED
 *   \______\_____________+-> WITHDRAWING (item is to be removed) -> REMOVED */
enum link_state {
	LINK_NEW,
	LINK_OK,
	LINK_MISSING,
	LINK_DECLINED,
	LINK_IGNORED,
	LINK_WITHDRAWING,
	LINK_REMOVED,
	LINK_HELD,
	LINK_STATES
};

struct account {
	int64_t id;
	const char *server;
	int64_t resource_id;
	enum account_state state;
	const char *error;
	int64_t last_seen_us; /* the last round that reached it; 0 never */
	int64_t login_failures, login_since_us;
	int64_t full_since_us; /* there was no room for what is to be written, and nothing has
				  found any since; 0: not so */
};

struct folder {
	int64_t id, account_id, project_id;
	const char *address; /* NULL until it was made */
	const char *token;
	int64_t project_seq; /* changes up to this number are in the wants */
	enum folder_state state;
	const char *error;
	int64_t last_round_us;
	int64_t reconciled_us; /* compared in full, or made */
	const char *object_id; /* the server's, the same under any name; NULL: not known */
	const char *beside;    /* what was made below it for done items, if ever; NULL: nothing */
};

struct link {
	int64_t id, folder_id, assignment_id;
	const char *address;
	enum link_state state;
	const char *seen_text; /* raw, as the server holds it; NULL: nothing confirmed */
	struct vector *seen;   /* decoded; NULL likewise */
	const char *seen_version;
	int64_t seen_us;     /* when it was last known to be unchanged */
	int64_t decoder;     /* the version that decoded `seen` */
	struct vector *want; /* NULL: nothing decided yet */
	int64_t edition;     /* number of `want` */
	bool dirty;
	const char *correction; /* what rules remarked on the last report, for the trailer */
	int64_t corrections, corrections_since_us; /* M8 */
	int64_t attempts, due_us;
	const char *error;
	int64_t own_percent;     /* the last percentage below 100 that was agreed: what an un-check
				brings back */
	const char *seen_ids;    /* change ids of `seen`, by group (model/ids.h) */
	const char *project_ids; /* those of the project's values that `want` was made of; NULL: it
				    has to be made anew */
	const char *marks; /* of the item (gateway/endpoint.h), as they were judged last; NULL: never */
	bool quiet;        /* what `want` says besides `seen` is no news to its person */
	const char *starred; /* the due date for which the item was given a star by us; NULL: none */
	bool fresh; /* not stored: it has no row yet, link_set() makes it */
	bool confirmed; /* not stored: by an answer, and what is wanted of it is as it was */
	const char *star_due; /* not stored: what `starred` is to be once it is written */
};

struct pending {
	const char *address;
	const char *reason; /* "settle", "held" ... */
	int64_t first_seen_us, due_us;
};

/* An item of a folder that is not ours or cannot be read: left alone, reported, its text kept. */
struct stray {
	int64_t folder_id;
	const char *address, *state, *summary, *server, *resource, *project;
	const char *uid; /* these four: of foreign ones, as far as they carry it (M5) */
	int64_t edition;
	const char *edition_hash;
	int64_t seen_us; /* first */
};

/* One line of "where is this assignment": for `task list`. */
struct link_item {
	const char *server, *resource, *error;
	enum link_state state;
	bool dirty;
};

const char *account_state_name(enum account_state state);
const char *folder_state_name(enum folder_state state);
const char *link_state_name(enum link_state state);

/* Found or made; making needs a write transaction, so CREATE false gives NULL when there is none.
 */
struct fault *link_account(struct store *store, TALLOC_CTX *mem, const char *server,
			   int64_t resource, bool create,
			   struct account **account_r) ATTR_MUST_CHECK;
struct fault *link_account_by_id(struct store *store, TALLOC_CTX *mem, int64_t id,
				 struct account **account_r) ATTR_MUST_CHECK;
struct fault *link_accounts(struct store *store, TALLOC_CTX *mem, struct account **list_r,
			    size_t *count_r) ATTR_MUST_CHECK;

/* *WAITS_R: something is to be written there that was refused with that ERROR last. */
struct fault *link_account_waits(struct store *store, TALLOC_CTX *mem, int64_t account,
				 const char *error, bool *waits_r) ATTR_MUST_CHECK;

/* A person looked into it: refused logins of an account (0: of all) are forgotten. */
struct fault *link_account_release(struct store *store, int64_t account) ATTR_MUST_CHECK;
struct fault *link_account_set(struct store *store, const struct account *account) ATTR_MUST_CHECK;

struct fault *link_folder(struct store *store, TALLOC_CTX *mem, int64_t account, int64_t project,
			  bool create, struct folder **folder_r) ATTR_MUST_CHECK;
struct fault *link_folders(struct store *store, TALLOC_CTX *mem, int64_t account,
			   struct folder **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_folder_set(struct store *store, const struct folder *folder) ATTR_MUST_CHECK;

/* The folder's token alone; what else its row says stays. */
struct fault *link_folder_token(struct store *store, const struct folder *folder) ATTR_MUST_CHECK;

/* The folders of an account that wait for nothing: a round would find nothing to do, unless
 * something has changed on the server. None while an item of the account is missing: then all its
 * folders are looked at. */
struct fault *link_folders_resting(struct store *store, TALLOC_CTX *mem, int64_t account,
				   struct folder **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* The folder was as after its last round until NOW_US. */
struct fault *link_folder_seen(struct store *store, int64_t folder, int64_t now_us) ATTR_MUST_CHECK;

/* The account answered at NOW_US; so were all its folders until ALL_US (0: that is not known). */
struct fault *link_account_seen(struct store *store, int64_t account, int64_t now_us,
				int64_t all_us) ATTR_MUST_CHECK;

/* Other accounts than ACCOUNT in which the assignment's item stands at that very address, as their
 * server has confirmed; of the same person's only those where the folder has that OBJECT_ID (NULL:
 * none of them). */
struct fault *link_elsewhere(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			     const char *address, const struct account *account,
			     const char *object_id, int64_t **accounts_r,
			     size_t *count_r) ATTR_MUST_CHECK;

/* Other accounts than ACCOUNT whose folder of this project does not have the project's latest
 * changes; not one that is held while a job of its own that would bring them is. */
struct fault *link_behind(struct store *store, TALLOC_CTX *mem, int64_t project, int64_t account,
			  int64_t **accounts_r, size_t *count_r) ATTR_MUST_CHECK;

/* The project has another name: the next round of each of its folders brings the display name up to
 * date. */
struct fault *link_folders_renamed(struct store *store, int64_t project) ATTR_MUST_CHECK;

struct fault *link_get(struct store *store, TALLOC_CTX *mem, int64_t id,
		       struct link **link_r) ATTR_MUST_CHECK;
struct fault *link_of_assignment(struct store *store, TALLOC_CTX *mem, int64_t folder,
				 int64_t assignment, bool create,
				 struct link **link_r) ATTR_MUST_CHECK;
struct fault *link_of_address(struct store *store, TALLOC_CTX *mem, int64_t folder,
			      const char *address, struct link **link_r) ATTR_MUST_CHECK;

/* Links that are to be written or removed, in the order of their ids, each an owner of what it has;
 * and how many there are in all. */
struct link_range {
	int64_t folder;
	int64_t after, before; /* their ids lie between these */
	int64_t most;          /* of them at once */
};
struct fault *link_dirty(struct store *store, TALLOC_CTX *mem, const struct link_range *range,
			 struct link ***list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_dirty_count(struct store *store, int64_t folder,
			       int64_t *count_r) ATTR_MUST_CHECK;
struct fault *link_set(struct store *store, struct link *link) ATTR_MUST_CHECK;

/* An assignment's first link in a folder: its number is taken, link_set() makes the row. Nothing was
 * seen of it yet. Then, in the same transaction, for all that were made so, FIRST being the lowest id
 * of them: the first step of what was agreed on is what is wanted. */
struct fault *link_fresh(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t assignment,
			 struct link **link_r) ATTR_MUST_CHECK;
struct fault *link_first_steps(struct store *store, int64_t first) ATTR_MUST_CHECK;

/* LINK's item is there as it is wanted, by an answer of the server: stores what that has moved
 * (`seen` is set, an error may be), nothing of what is wanted, and not when to try again. */
struct fault *link_confirm(struct store *store, const struct link *link) ATTR_MUST_CHECK;

/* Ids of links whose item is as it is wanted, likewise. */
struct fault *link_at_rest(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t after,
			   int64_t most, int64_t **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Everything in the folder has been listed, and what had marks was judged: all other items have none. */
struct fault *link_unmarked(struct store *store, int64_t folder) ATTR_MUST_CHECK;

/* Addresses from FROM to TO, both included, at which an item of the folder was seen, and is thought to
 * stand; in order. */
struct fault *link_between(struct store *store, TALLOC_CTX *mem, int64_t folder, const char *from,
			   const char *to, char ***list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Id, address, seen_version and state of every link of a folder that has an address. */
struct fault *link_versions(struct store *store, TALLOC_CTX *mem, int64_t folder,
			    struct link **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Assignments whose link can be pushed again and has a want that is not up to date: they were held or
 * missing while the project changed. */
struct fault *link_unsettled(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t **list_r,
			     size_t *count_r) ATTR_MUST_CHECK;

/* Ids: links that are missing; links of withdrawn assignments that have an item; assignments that
 * should have a link and have none, or one whose item was given up before they became active again;
 * assignments touched by a change later than the folder's `project_seq`, of which LAST is the last one
 * of all projects. */
#define LINK_TOUCHED_FEW 1000 /* changes: a millisecond; ten thousand folders begin at 0 */

struct fault *link_missing(struct store *store, TALLOC_CTX *mem, int64_t folder, int64_t **list_r,
			   size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_withdrawn(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			     int64_t resource, int64_t **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_unlinked(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			    int64_t resource, int64_t **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_touched(struct store *store, TALLOC_CTX *mem, const struct folder *folder,
			   int64_t resource, int64_t last, int64_t **list_r,
			   size_t *count_r) ATTR_MUST_CHECK;

/* Ids of the missing links of all folders of an account. */
struct fault *link_missing_of_account(struct store *store, TALLOC_CTX *mem, int64_t account,
				      int64_t **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Rows that contradict themselves or each other: nothing that any round leaves behind. */
struct link_amiss {
	int64_t id, assignment_id;
	const char *what;
};
struct fault *link_amiss(struct store *store, TALLOC_CTX *mem, int64_t folder,
			 struct link_amiss **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Links of a folder whose items are said to stand at one address: the first id, and the address in
 * `what`. */
struct fault *link_doubles(struct store *store, TALLOC_CTX *mem, int64_t folder,
			   struct link_amiss **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* All that is believed of what servers hold is forgotten, for all folders: what stands there is
 * adopted (M10). */
struct fault *link_forget_all(struct store *store) ATTR_MUST_CHECK;

/* How many items the folder is known to hold: what the deletion brake counts against. Not counted
 * further than AT_MOST. */
struct fault *link_item_count(struct store *store, int64_t folder, int64_t at_most,
			      int64_t *count_r) ATTR_MUST_CHECK;

/* Held links of a folder, and those that wait after a failed try, are tried again; every link of a
 * folder that is gone is made anew, where the folder is by then. */
struct fault *link_release(struct store *store, int64_t folder) ATTR_MUST_CHECK;
struct fault *link_forget(struct store *store, int64_t folder) ATTR_MUST_CHECK;

/* Missing items of a folder are put back. */
struct fault *link_restore_missing(struct store *store, int64_t folder) ATTR_MUST_CHECK;

struct fault *link_items(struct store *store, TALLOC_CTX *mem, int64_t assignment,
			 struct link_item **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_held_count(struct store *store, int64_t *count_r) ATTR_MUST_CHECK;

/* What both sides agreed on, step by step (M4): what was published, and the item as it was read when
 * a person's edit of it was decided. The last LINK_HISTORY steps of a link are kept. */
#define LINK_HISTORY 16
struct agreed {
	int64_t edition; /* the one that the item carried then */
	bool pushed;     /* published; else read */
	struct vector *values;
	int64_t at_us;
};

/* Adds a step. */
struct fault *link_history_add(struct store *store, const struct link *link,
			       const struct agreed *agreed) ATTR_MUST_CHECK;

/* Oldest first. */
struct fault *link_history(struct store *store, TALLOC_CTX *mem, int64_t link,
			   struct agreed **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* The steps of one number of all links of an account. */
struct fault *link_history_of_edition(struct store *store, TALLOC_CTX *mem, int64_t account,
				      int64_t edition, struct agreed **list_r,
				      size_t *count_r) ATTR_MUST_CHECK;

struct fault *link_pending_put(struct store *store, int64_t folder,
			       const struct pending *pending) ATTR_MUST_CHECK;
struct fault *link_pending_drop(struct store *store, int64_t folder,
				const char *address) ATTR_MUST_CHECK;
struct fault *link_pending(struct store *store, TALLOC_CTX *mem, int64_t folder,
			   struct pending **list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Items that another one stands in place of, and whose edits are merged: to be removed (M7). VERSION
 * is what endpoint_remove() wants for it, or NULL: not known. */
struct leftover {
	const char *address, *version;
	const char *successor; /* where the item of its link stands now; NULL: it has none */
	int64_t due_us;        /* not tried before */
};
struct fault *link_leftover_put(struct store *store, const struct link *link, const char *address,
				const char *version) ATTR_MUST_CHECK;
struct fault *link_leftovers(struct store *store, TALLOC_CTX *mem, int64_t folder,
			     struct leftover **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_leftover_has(struct store *store, int64_t folder, const char *address,
				bool *has_r) ATTR_MUST_CHECK;
struct fault *link_leftover_drop(struct store *store, int64_t folder,
				 const char *address) ATTR_MUST_CHECK;
struct fault *link_leftover_wait(struct store *store, int64_t folder, const char *address,
				 int64_t due_us) ATTR_MUST_CHECK;

/* STATE is "foreign", "undecodable", "mismatch", or "booked": a small task that was work. */
struct fault *link_stray_put(struct store *store, const struct stray *stray, const char *version,
			     const char *text, int64_t at_us) ATTR_MUST_CHECK;
struct fault *link_stray_drop(struct store *store, int64_t folder,
			      const char *address) ATTR_MUST_CHECK;
struct fault *link_stray_version(struct store *store, TALLOC_CTX *mem, int64_t folder,
				 const char *address, char **version_r) ATTR_MUST_CHECK;

/* Addresses of a folder's foreign items of that UID. */
struct fault *link_strays_of(struct store *store, TALLOC_CTX *mem, int64_t folder, const char *uid,
			     char ***list_r, size_t *count_r) ATTR_MUST_CHECK;

/* Addresses of a folder's strays of that state whose text holds WORD (a UID: no pattern characters).
 */
struct fault *link_strays_with(struct store *store, TALLOC_CTX *mem, int64_t folder,
			       const char *state, const char *word, char ***list_r,
			       size_t *count_r) ATTR_MUST_CHECK;
/* The foreign items of all folders of an account: what a missing one may have become. */
struct fault *link_strays_foreign(struct store *store, TALLOC_CTX *mem, int64_t account,
				  struct stray **list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_stray_addresses(struct store *store, TALLOC_CTX *mem, int64_t folder,
				   char ***list_r, size_t *count_r) ATTR_MUST_CHECK;
struct fault *link_strays(struct store *store, TALLOC_CTX *mem, struct stray **list_r,
			  size_t *count_r) ATTR_MUST_CHECK;

#endif
