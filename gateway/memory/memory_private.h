/* memory_private.h - what the files of the memory endpoint share. */
#ifndef TASKFERRY_MEMORY_PRIVATE_H
#define TASKFERRY_MEMORY_PRIVATE_H

#include "gateway/memory/memory.h"

enum memory_operation {
	OP_PROBE,
	OP_ENSURE,
	OP_NOTICE,
	OP_FETCH,
	OP_PUT,
	OP_REMOVE,
	OP_WRITES,
	OP_RIGHTS,
	OP_SWEEP,
	OP_ATTACH,
	OP_DOWNLOAD,
	MEMORY_OPERATIONS
};

struct memory_item {
	char *address;
	int64_t version;
	int64_t modified_us;
	char *text;
	size_t len;
	bool gone, late;
	/* `appends` */
	char *flags;	 /* one blank between two; NULL: none */
	int64_t touched; /* the sequence number of their last change; 0: as the text */
};

struct memory_folder {
	char *address;
	char *display;
	char *object_id;
};

struct memory_state {
	int64_t seq, validity;
	int64_t seq_read; /* as the file had it */
	int64_t counts[MEMORY_OPERATIONS];
	struct memory_folder *folders;
	size_t folder_count;
	struct memory_item *items;
	size_t item_count;
	bool changed;
};

struct memory_endpoint {
	struct endpoint endpoint;
	struct endpoint_ops push_ops; /* those with push */
	char *path;
	char *login; /* as it was given */
	char *user;  /* whose mailbox it opens */
	struct clock *clock;
	struct points *points;
	bool appends, managed, whole;
	int lock_fd;
	int push_fd; /* it listens; -1: it does not */
};

/* ---- memory_file.c ---- */

extern const char *const memory_operation_names[MEMORY_OPERATIONS];

/* The file under its lock, as it stands; memory_finish() gives it back, written anew if something
 * `changed`, and frees STATE (NULL: it could not be read). Returns FAULT, or that of writing. */
struct fault *memory_load(struct memory_endpoint *memory, TALLOC_CTX *mem,
			  struct memory_state **state_r) ATTR_MUST_CHECK;
struct fault *memory_finish(struct memory_endpoint *memory, TALLOC_CTX *mem,
			    struct memory_state *state, struct fault *fault) ATTR_MUST_CHECK;
struct fault *memory_save(struct memory_endpoint *memory, TALLOC_CTX *mem,
			  struct memory_state *state) ATTR_MUST_CHECK;
void memory_unlock(struct memory_endpoint *memory);

/* Empty when there is no such file. */
struct fault *memory_read_file(TALLOC_CTX *mem, const char *path, char **text_r,
			       size_t *len_r) ATTR_MUST_CHECK;

struct memory_item *memory_add_item(struct memory_state *state);
void memory_add_folder(struct memory_state *state, const char *address, const char *display,
		       const char *object_id);

/* ---- memory.c ---- */

/* What the script says of an operation. */
struct memory_outcome {
	struct fault *fault;     /* what to answer instead */
	bool denied;             /* do it, and answer that fault all the same */
	bool lost;               /* do it, then answer nothing */
	bool rewrite;            /* do it, but keep another text */
	bool late;               /* do it before the next put, and answer nothing */
	bool empty, open, blind; /* a listing that does not tell all */
};

/* Counts the operation, and looks what the script says of it. */
struct fault *memory_next_outcome(struct memory_endpoint *memory, TALLOC_CTX *mem,
				  struct memory_state *state, enum memory_operation operation,
				  struct memory_outcome *outcome_r) ATTR_MUST_CHECK;

struct memory_folder *memory_find_folder(struct memory_state *state, const char *address);

/* A new folder is empty, whatever stood at its address before. */
void memory_make_folder(struct memory_state *state, const char *address, const char *display);

void memory_store_item(struct memory_endpoint *memory, struct memory_state *state,
		       const char *address, const char *text, size_t len);

/* Of a new message: behind all others. */
char *memory_next_address(TALLOC_CTX *mem, const struct memory_state *state, const char *folder);

struct fault *memory_lost_answer(TALLOC_CTX *mem);

/* False: not a token of this server as it is now. */
bool memory_read_token(const struct memory_state *state, const char *token, int64_t *since_r);

/* ---- memory_whole.c: endpoint_whole_site(), endpoint_whole_make() ---- */

struct fault *memory_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, char **address_r);
struct fault *memory_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				const struct endpoint_put *puts, size_t count, bool *made_r);

/* ---- memory_files.c: attachments ---- */

struct fault *memory_files_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r);
struct fault *memory_files_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const struct endpoint_attach *attach);
struct fault *memory_files_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r);

/* ---- memory_mailbox.c: endpoint_mailbox() and what goes with it ---- */

struct fault *memory_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			     char **address_r);
struct fault *memory_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
			    const char *const *addresses, size_t count, const char *into);
struct fault *memory_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
			  const char *text, size_t len, bool again);

/* ---- memory_marks.c: flags, for `?append` ---- */

/* Those that are marks (endpoint.h); the text's version with them. */
char *memory_marks(TALLOC_CTX *mem, const struct memory_item *item);
char *memory_version(TALLOC_CTX *mem, const struct memory_item *item);

/* True when its marks are those that VERSION says. */
bool memory_bears(TALLOC_CTX *mem, const struct memory_item *item, const char *version);

/* Where a text stands that takes the place of OLD (NULL: of nothing): ADDRESS, or in the sub-folder. */
char *memory_place_of(TALLOC_CTX *mem, const char *address, const struct memory_item *old,
		      const struct endpoint_put *put);

/* ITEM gets the flags of OLD (NULL: a new one). Returns its version, with the marks that the caller
 * knows of. */
char *memory_carry(struct memory_state *state, struct memory_item *item,
		   const struct memory_item *old, const struct endpoint_put *put);

/* Flags that were set on OLD since that version go to SUCCESSOR (NULL: nowhere). */
void memory_hand_over(struct memory_state *state, struct memory_item *old,
		      struct memory_item *successor, const char *if_version);

/* ---- memory_listen.c: push ---- */

struct fault *memory_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			    size_t count, struct endpoint_ear *ear_r);
struct fault *memory_heard(struct endpoint *endpoint, bool *changed_r);
struct fault *memory_hush(struct endpoint *endpoint);
void memory_rest(struct endpoint *endpoint);

/* Tells those that listen what has been written. */
void memory_announce(const struct memory_endpoint *memory, TALLOC_CTX *mem,
		 const struct memory_state *state);

/* ---- memory_sweep.c: endpoint_sweep() ---- */

bool memory_has_moved(struct memory_state *state, const struct endpoint_sweep *folder);

struct fault *memory_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_sweep *folders, size_t count);

/* ---- memory_parts.c ---- */

/* TEXT with the bytes of the parts that it names. CHANGED: one of them is not there. */
struct fault *memory_parts_fill(TALLOC_CTX *mem, const struct memory_state *state, const char *text,
				size_t len, char **text_r, size_t *len_r) ATTR_MUST_CHECK;
struct fault *memory_parts_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				    const char *uri, size_t max, char **bytes_r, size_t *len_r);

#endif
