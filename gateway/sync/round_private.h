/* round_private.h - shared by the files of the round. */
#ifndef TASKFERRY_ROUND_PRIVATE_H
#define TASKFERRY_ROUND_PRIVATE_H

#include "decide/item.h"
#include "decide/outcome.h"
#include "gateway/sync/round.h"
#include "gateway/sync/codec.h"

/* An address that was read, and what was found there. */
struct found {
	const char *address;
	struct endpoint_item *item; /* with its own fault */
	struct decoded *decoded;    /* NULL: not ours to read, or gone */
	struct fault *fault;        /* why it could not be decoded */
	int64_t seen_modified_us;   /* LAST-MODIFIED of the text that was there before, 0: none */
	int64_t seen_edition;       /* that it carried, 0: none */
	bool keeps_seen;            /* an old copy: its edits count, but it is not the item (M7) */
	const struct vector *base;  /* the state that it was made from, where that is not `seen` */
	const struct vector *published; /* what its edition said when it was published, where it is
					   an old one's; NULL: not known */
	struct files *fetched;          /* managed attachments that were downloaded; NULL: none */
	struct mark_report *mark; /* what its marks report; NULL: nothing */
	bool same_text;		  /* it has other marks at most: it does not settle */
	const struct vector *other; /* what else may have been edited (decide/stale.h), or NULL */
};

struct round {
	TALLOC_CTX *mem; /* ends with the round */
	const struct round_env *env;
	const struct conf_server *server;
	struct endpoint *endpoint;
	const struct account *account;
	const struct project *project;
	const struct round_options *options;
	struct round_report *report;
	struct resource *resource;
	struct folder *folder;
	const char *author; /* "mailbox:SERVER/RESOURCE" */
	struct endpoint_notice *notice;
	const char **read; /* addresses to read in this pass */
	size_t read_count;
	struct endpoint_change *marked; /* items of which only the marks have changed */
	size_t marked_count;
	const char **gone;            /* addresses that the notice says to be gone */
	size_t gone_count, gone_read; /* so many of them are among those to read */
	struct pending *pending;      /* as it stood at the beginning */
	size_t pending_count;
	bool look_again; /* something changed under our hands, and its successor has another
			    address */
	bool wrote;      /* something was sent that writes */
	bool doubted;    /* the folder's token is one of endpoint_doubt() */
	bool unmade;     /* the folder has an address, and does not stand there yet */
	bool remakes;    /* a person said so, of what is not in it: nothing was deleted there */
	bool renewed;    /* the token of last time was not known any more */
	bool may_read;   /* the account may read in the folder; false: not asked yet */
	int64_t begin_us;
	int64_t project_seq; /* changes up to here are in the wants when the round ends */
	int pass;
	struct shown_room room; /* of all items, from round_files_begin() on */
	const char *host, *hint; /* in all items (round_compose.c); NULL: not made yet */
	struct push *push;      /* under way in this pass; NULL: none */
	struct round_views *views; /* what the last decisions saw; NULL: none */
	int64_t *
		claimed; /* assignments whose items were found under another UID, and are read next */
	size_t claimed_count;
	const char
		*older; /* by what it was found that the database is older than the world (M10) */
};

/* Bytes of a pool for what one item takes while it is decided on or composed: a message of some thousand
 * bytes, which is put together in parts. Of a larger one, the rest comes from the heap. */
#define ROUND_SCRATCH_BYTES (64 * 1024)

#define ROUND_SUMMARY_CHARS 80 /* of a foreign item's title in a report */

/* Decodes what was found; LINK: whose item it is, or NULL: not known (round_notice.c). */
void round_decode(struct round *round, TALLOC_CTX *mem, struct found *found,
		  const struct link *link);

/* Adds an address to what this pass reads; once. */
void round_read_add(struct round *round, const char *address);

/* notice, and the addresses that follow from it (round_notice.c). */
struct fault *round_notice(struct round *round) ATTR_MUST_CHECK;

/* The same for what has happened since, where something changed under our hands. */
struct fault *round_notice_again(struct round *round) ATTR_MUST_CHECK;

/* Marks of messages (decide/mark.h, round_marks.c).
 *   moved    true when CHANGE is of LINK's marks alone: then it is noted, and
 *   commit   decides on all that were noted, without reading them
 *   judge    what the marks of an item that was found report
 *   keep     what of it is kept as a revision
 *   tell     true when an item that shows WANT has to be written because of them
 *   drop     those that the item is to lose when it is written; NULL: none
 *   written  the item was written, and is of that version now
 *   judged   a version of LINK's item with the marks that were judged: what comes later is not among
 *            them; NULL: not known */
bool round_marks_moved(struct round *round, const struct link *link,
		       const struct endpoint_change *change);
struct fault *round_marks_commit(struct round *round) ATTR_MUST_CHECK;
void round_marks_judge(struct round *round, TALLOC_CTX *mem, const struct link *link,
		       struct found *found);
struct fault *round_marks_keep(struct round *round, const struct link *link,
			       const struct found *found) ATTR_MUST_CHECK;
bool round_marks_tell(const struct round *round, const struct found *found,
		      const struct vector *want);
char *round_marks_drop(const struct round *round, TALLOC_CTX *mem, const struct link *link);
void round_marks_written(const struct round *round, struct link *link, const char *version);
char *round_marks_judged(const struct round *round, TALLOC_CTX *mem, const struct link *link);

/* The star of tasks that are due (round_star.c): what is composed with the item; the item was written; it
 * was, and that was found out later, by what stands there; all items that need one are to be written, *FOUND_R becomes true where there are some. */
void round_star_compose(const struct round *round, struct link *link, struct endpoint_put *put);
void round_star_written(struct link *link);
void round_star_landed(const struct round *round, struct link *link, const struct found *found);
struct fault *round_star_find(struct round *round, bool *found_r) ATTR_MUST_CHECK;

/* Reads what stands at COUNT addresses and decodes it (round_notice.c). */
struct fault *round_fetch(struct round *round, TALLOC_CTX *mem, const char *const *addresses,
			  size_t count, struct found **found_r) ATTR_MUST_CHECK;

/* The link that an item at an unknown address belongs to: ours, of this project and person; NULL:
 * none (round_match.c). FOUND is decoded anew where the link's past matters. */
struct fault *round_match(struct round *round, TALLOC_CTX *mem, struct found *found,
			  struct link **link_r) ATTR_MUST_CHECK;

/* The edition that the last text we know of the item carries; 0: none (round_match.c). */
struct fault *round_edition_of_seen(struct round *round, TALLOC_CTX *mem, const struct link *link,
				    int64_t *edition_r) ATTR_MUST_CHECK;

/* First contact with an item that bears our UID (M6): adopted when it is the same task, else held.
 * Of a message that is left with its card alone, FOUND then has the project's values wherever the card
 * says these. */
struct fault *round_check_adoption(struct round *round, TALLOC_CTX *mem, struct link *link,
				   struct found *found, bool *adopt_r) ATTR_MUST_CHECK;

/* M10: an item of a known link that carries a later edition than was ever published. The site's
 * fault when its hash is right for what it shows: this database is old. *ALONE_R: it is not, the
 * item is held by itself. */
struct fault *round_check_age(struct round *round, TALLOC_CTX *mem, struct link *link,
			      const struct found *found, bool *alone_r) ATTR_MUST_CHECK;

/* round_first.c: messages at first contact are judged from the highest edition on. Sorts ADDRESSES for
 * that, where more than one piece is to be read; and what is judged together. */
struct fault *round_first_order(struct round *round, const char **addresses,
				size_t count) ATTR_MUST_CHECK;
void round_first_sort(const struct round *round, struct found *found, size_t count);

/* round_shared.c: CONFIG fault of the account, held, where an item at an address without a link is one
 * that another account has there: both open one mailbox. */
struct fault *round_check_shared(struct round *round, TALLOC_CTX *mem,
				 const struct found *found) ATTR_MUST_CHECK;

/* What is said of an item that is not ours. */
const char *round_foreign_note(struct round *round, const char *summary);

/* What is not ours or cannot be read is left alone, reported, its text kept. */
struct fault *round_set_aside(struct round *round, const struct found *found, const char *state,
			      const char *why) ATTR_MUST_CHECK;

/* Finds the state that an item was made from, where that is not `seen` (M4, round_stale.c). */
struct fault *round_find_base(struct round *round, TALLOC_CTX *mem, const struct link *link,
			      struct found *found) ATTR_MUST_CHECK;

/* The same, where only the edition that the item names counts. */
struct fault *round_find_edition(struct round *round, TALLOC_CTX *mem, const struct link *link,
				 struct found *found) ATTR_MUST_CHECK;

/* Notes as agreed what was read, if it differs from what was read before. */
struct fault *round_agree(struct round *round, const struct link *link,
			  const struct found *found) ATTR_MUST_CHECK;

/* What was taken for old and not for an edit is kept, where that was a guess (N1). */
struct fault *round_keep_old(struct round *round, const struct link *link,
			     const struct found *found) ATTR_MUST_CHECK;

/* Reads `seen` anew from its text when another decoder has read it. */
struct fault *round_refresh(struct round *round, struct link *link) ATTR_MUST_CHECK;

/* True when the item carries the edition that we are sending: its answer was lost, and a person
 * edited it since (round_decide.c). */
bool round_carries_want(const struct link *link, const struct found *found);

/* Decides on an item that was read: values, changes, revisions, seen, want (round_decide.c). */
struct fault *round_decide(struct round *round, TALLOC_CTX *mem, struct link *link,
			   const struct found *found) ATTR_MUST_CHECK;

/* Keeps the revisions of a decision (round_decide.c). */
struct fault *round_add_revisions(struct round *round, int64_t assignment,
				  const struct item_decision *decision) ATTR_MUST_CHECK;

/* Work that a person reports by an item (decide/booking.h): found out before the item is judged, so
 * that INPUT has its sum, the notes with their marks and the titles without suffixes; judged with
 * it; written with the decision. Nothing is written where nothing is about work (round_book.c). */
struct round_booking;
struct assignment_view;
struct fault *round_book_read(struct round *round, TALLOC_CTX *mem, const struct link *link,
			      const struct found *found, const struct assignment_view *view,
			      struct item_input *input,
			      struct round_booking **booking_r) ATTR_MUST_CHECK;
struct item_decision *round_book_judge(TALLOC_CTX *mem, struct item_input *input,
				       const struct round_booking *booking);
struct fault *round_book_write(struct round *round, const struct assignment_view *view,
			       const struct item_decision *decision,
			       const struct round_booking *booking) ATTR_MUST_CHECK;

/* True when the item has to be written although no value of it is another: the person is told what
 * became of the work, and a copy of before is of an older edition from then on. */
bool round_book_tells(const struct round_booking *booking);

/* A small task below one of the person's items whose title is an amount of work: booked there, and
 * kept as a stray of state "booked". *BOOKED_R false: it is no such task, nothing was done. */
struct fault *round_book_child(struct round *round, TALLOC_CTX *mem, const struct found *found,
			       bool *booked_r) ATTR_MUST_CHECK;

/* True while an item that was changed lately may be changed again by the same gesture; *DUE_US:
 * until when. The item is looked at again then, or at DUE_US (round_commit.c). */
bool round_is_settling(const struct round *round, const struct found *found, int64_t *due_us);
struct fault *round_wait_for(struct round *round, const struct found *found, const char *reason,
			     int64_t due_us) ATTR_MUST_CHECK;

/* seen := the item as read. */
void round_see(struct round *round, struct link *link, const struct found *found);

/* An item that shows all that we want is a push that landed, however its answer was lost. */
bool round_has_landed(const struct link *link, const struct found *found);

/* The base of the mailbox' side: the edition that the person edited. */
const struct vector *round_mailbox_base(const struct link *link, const struct found *found);

/* What the VTODO of a message said where its card said otherwise, and both were edited: the card
 * counts, the other is kept as a revision (N1). */
struct fault *round_keep_beaten(struct round *round, const struct link *link,
				const struct found *found) ATTR_MUST_CHECK;

/* Notes the percentage that an un-check brings back. */
void round_remember_percent(struct link *link, const struct vector *project);

/* Decides on what was read, in write transactions of their own (round_commit.c). */
struct fault *round_commit(struct round *round, struct found *found, size_t count) ATTR_MUST_CHECK;

/* Decides on what changed in the project (round_commit.c). */
struct fault *round_commit_project(struct round *round) ATTR_MUST_CHECK;

struct composed {
	char *text;
	size_t len;
	struct decoded *decoded; /* what it is read as; NULL: read it */
};

/* The text of a link's item: what stands there, patched, or a new one (round_compose.c). `decoded`
 * belongs to KEEP. */
struct fault *round_compose(struct round *round, TALLOC_CTX *mem, TALLOC_CTX *keep,
			    const struct link *link, struct composed *composed_r) ATTR_MUST_CHECK;

/* How the folder is called; its suffix as well (round.c). */
struct fault *round_name_folder(struct round *round,
				struct endpoint_folder *name_r) ATTR_MUST_CHECK;

/* Before a folder is made: where the account's folders are is remembered, and is no other account's
 * (round.c). */
struct fault *round_home(struct round *round) ATTR_MUST_CHECK;

/* The folder stands at its address: recorded. AGAIN: it is another one than before (round.c). */
struct fault *round_folder_made(struct round *round, bool again) ATTR_MUST_CHECK;

/* Makes a folder that was never there with all its items by one request, where the server has that
 * way; else nothing happens (round_whole.c). */
struct fault *round_whole(struct round *round) ATTR_MUST_CHECK;

/* Begins with that while decisions are still to be made on COUNT items, where the endpoint can put in
 * the background: what is decided is on its way meanwhile. IDS, in order, of their assignments or
 * links: those wait, whatever was decided on them before. Between two transactions. */
struct fault *round_push_ahead(struct round *round, const int64_t *ids,
			       size_t count) ATTR_MUST_CHECK;

/* Sends what is wanted and not seen; what turned out to be changed is left in ROUND's addresses to
 * read (round_push.c). */
struct fault *round_push(struct round *round) ATTR_MUST_CHECK;

/* True while an address is inside its quiet time: neither read nor written. */
bool round_is_quiet(const struct round *round, const char *address);

/* Removes what another item stands in place of (round_sweep.c, M7). */
struct fault *round_sweep(struct round *round) ATTR_MUST_CHECK;

/* Notes that the item at ADDRESS is said to be gone: the next look reads it last. */
void round_gone_add(struct round *round, const char *address);

/* True when this round was told that the item at ADDRESS is gone. */
bool round_is_gone(const struct round *round, const char *address);

enum endpoint_form round_form(const struct round *round);

/* What a deletion leads to, in the caller's transaction; and what became due of earlier ones
 * (round_missing.c). */
struct fault *round_missing(struct round *round, struct link *link) ATTR_MUST_CHECK;
struct fault *round_missing_due(struct round *round) ATTR_MUST_CHECK;

/* Missing items that a client has moved (M5): under another UID within this folder, they are read
 * again at their new address; in the caller's transaction. IDS: links of this folder that are
 * missing and still to be judged, the number of those is left in *COUNT: what stands in another of
 * the account's folders waits for a person, what has not been looked for there waits for those
 * folders' rounds (round_moved.c). */
struct fault *round_moved(struct round *round, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* First contact: assignments without an item, of which those are taken out of IDS that have one under a
 * UID of a client's making (round_moved.c). A transaction of its own. */
struct fault *round_moved_first(struct round *round, int64_t *ids, size_t *count) ATTR_MUST_CHECK;

/* Notes an assignment whose item was found and is read in the next pass: it is not to be made. */
void round_claim(struct round *round, int64_t assignment);
bool round_is_claimed(const struct round *round, int64_t assignment);
struct fault *round_moved_away(struct round *round, TALLOC_CTX *mem, int64_t *ids,
			       size_t *count) ATTR_MUST_CHECK;

/* A folder that may have been renamed or be gone (round_folder.c). *GONE_R: it is, which was noted and
 * told; the round is over.
 *   notice   round_notice(), for a folder by its present name
 *   follow   before it is made or named: a folder that people may rename is looked for first
 *   back     one that was gone and is here again, or found under another name
 *   gone     held, held: told again
 *   other    in place of one that was gone there is another, in which no item of ours is known
 *   free     a fault where ADDRESS is that of another project's folder */
struct fault *round_folder_notice(struct round *round, bool *gone_r) ATTR_MUST_CHECK;
struct fault *round_folder_follow(struct round *round, bool *gone_r) ATTR_MUST_CHECK;
struct fault *round_folder_back(struct round *round, bool *back_r) ATTR_MUST_CHECK;
/* Once, what this release makes with a folder that an older one has made. */
struct fault *round_folder_beside(struct round *round) ATTR_MUST_CHECK;
struct fault *round_folder_gone(struct round *round) ATTR_MUST_CHECK;
struct fault *round_folder_held(struct round *round) ATTR_MUST_CHECK;
struct fault *round_folder_other(struct round *round, bool *other_r) ATTR_MUST_CHECK;
struct fault *round_folder_free(struct round *round, const char *address) ATTR_MUST_CHECK;

/* The folder compared with `seen` in full, what is amiss mended by further passes
 * (round_reconcile.c). The round itself is over. */
struct fault *round_reconcile(struct round *round) ATTR_MUST_CHECK;

/* Reads, decides and pushes until nothing is left to read; then the token (round.c).
 *   doubt  in each transaction that records what was read or written: this round may never come to
 *          its token */
struct fault *round_passes(struct round *round) ATTR_MUST_CHECK;
struct fault *round_advance(struct round *round) ATTR_MUST_CHECK;
struct fault *round_doubt(struct round *round) ATTR_MUST_CHECK;

/* Attachments (round_files.c). What LINK's item has room for, of the files of PROJECT. */
struct fault *round_room(struct round *round, TALLOC_CTX *mem, const struct link *link,
			 const struct vector *project,
			 const struct shown_room **room_r) ATTR_MUST_CHECK;

/* Finds out whether the server keeps files, once anybody has one. */
struct fault *round_files_begin(struct round *round) ATTR_MUST_CHECK;

/* Keeps the bytes of attachments that were found on items of ours and that nobody has yet; in
 * transactions of its own. What could not be downloaded now is the item's fault. */
struct fault *round_files_read(struct round *round, TALLOC_CTX *mem, struct found *found,
			       size_t count) ATTR_MUST_CHECK;

/* DECODED's attachments by their contents: without those that cannot be the project's, for their
 * bytes are not known or they did not become its before. FETCHED: found->fetched, in a write
 * transaction, or NULL. */
struct fault *round_files_resolve(struct round *round, TALLOC_CTX *mem, const struct link *link,
				  struct decoded *decoded,
				  const struct files *fetched) ATTR_MUST_CHECK;

/* VALUES were decoded anew from the text of `seen`: only what SEEN had was agreed on. */
void round_files_agreed(struct vector *values, const struct vector *seen);

/* VALUES are to become `seen`: without what did not become the project's. */
void round_files_untaken(struct vector *values, const char *not_taken, const struct vector *want);

/* What of the PROJECT's files LINK's item does not show, now that LINK's want is made: left out, or
 * to be uploaded; in the caller's transaction. */
struct fault *round_files_plan(struct round *round, TALLOC_CTX *mem, struct link *link,
			       const struct vector *project) ATTR_MUST_CHECK;

/* What comes into the text of LINK's item and goes from it. */
struct fault *round_files_compose(struct round *round, TALLOC_CTX *mem, const struct link *link,
				  struct codec_publish *publish) ATTR_MUST_CHECK;

/* The server does not take LINK's item as it was sent (WHY). *LEFT_OUT_R: it was sent with files that were
 * not there before; they are left out from now on, which is recorded, and the item is to be sent again
 * without them. In a transaction of its own. */
struct fault *round_files_refused(struct round *round, struct link *link, const struct fault *why,
				  bool *left_out_r) ATTR_MUST_CHECK;

/* Drops bytes that nobody has any more. */
struct fault *round_files_purge(struct round *round) ATTR_MUST_CHECK;

/* True when two texts have the same attachments, as far as the texts tell. */
bool round_files_same(const struct files *a, const struct files *b);

/* Gives the server what it is to keep beside items that are as they are wanted (round_upload.c). */
struct fault *round_upload(struct round *round) ATTR_MUST_CHECK;

/* What the item does not show, one line each; *TEXT_R is left alone when there is nothing. */
struct fault *round_files_told(struct round *round, TALLOC_CTX *mem, const struct link *link,
			       const struct vector *project, const char **text_r) ATTR_MUST_CHECK;

/* Holds a link for a person, with the reason; the caller writes it. */
void round_hold(struct round *round, struct link *link, const char *why);

/* The subject of an assignment, for messages; never NULL. */
const char *round_subject(struct round *round, TALLOC_CTX *mem, int64_t assignment);

/* All that a decision needs to know of an assignment (round_commit.c). */
struct assignment_view {
	struct assignment *assignment;
	struct stamped *stamped;
	struct task *task;
	const char *parent_uid;
	struct rules_context context;
};
struct fault *round_view(struct round *round, TALLOC_CTX *mem, int64_t assignment,
			 struct assignment_view *view_r) ATTR_MUST_CHECK;

/* What decisions of one write transaction saw is good for composing as long as nothing of the project has
 * been changed since, by anybody (round_view.c).
 *   begin  in a transaction that decides: forgets those of before; views are to be made under *MEM_R
 *   ahead  in it: reads at once what there is to know of the person's assignments from the lowest of COUNT
 *          IDS to the highest, for views that are asked for until its
 *   end
 *   linked false: read ahead, and the assignment has no link yet
 *   strays false: read ahead, and no foreign item bears a UID
 *   keep   one of them
 *   made   a link that was made in it under *MEM_R, with its row, which says the same until somebody
 *          decides again; in the order of their ids
 *   first_made  the id of the first of those that were not taken; INT64_MAX: there are none
 *   take_made   at most MOST of these, under MEM
 *   check  in a transaction that reads: forgets them if anything has changed
 *   find   NULL: it was not kept */
struct fault *round_views_begin(struct round *round, TALLOC_CTX **mem_r) ATTR_MUST_CHECK;
struct fault *round_views_ahead(struct round *round, const int64_t *ids,
				size_t count) ATTR_MUST_CHECK;
void round_views_end(struct round *round);
bool round_views_linked(const struct round *round, int64_t assignment);
bool round_views_strays(const struct round *round);
void round_views_keep(struct round *round, const struct assignment_view *view);
void round_views_made(struct round *round, struct link *link);
int64_t round_views_first_made(const struct round *round);
size_t round_views_take_made(struct round *round, TALLOC_CTX *mem, size_t most,
			     struct link ***links_r);
struct fault *round_views_check(struct round *round) ATTR_MUST_CHECK;
const struct assignment_view *round_views_find(struct round *round, int64_t assignment);

/* Sets WANT on a link: a new edition when something has to be sent; UNEVEN: it has to, whatever
 * the values (round_decide.c). */
struct fault *round_want(struct round *round, struct link *link, struct vector *want,
			 bool uneven) ATTR_MUST_CHECK;

#endif
