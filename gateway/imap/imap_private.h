/* imap_private.h - what the files of the IMAP endpoint share. */
#ifndef TASKFERRY_IMAP_PRIVATE_H
#define TASKFERRY_IMAP_PRIVATE_H

#include "gateway/imap/imap.h"
#include "gateway/imap/imap_flags.h"
#include "gateway/imap/imap_session.h"
#include "gateway/imap/imap_set.h"

#define IMAP_SET_MAX 100 /* messages named by one command: short lines for any server */

/* What tells that flags have changed. */
enum imap_sign {
	IMAP_SIGN_NONE,   /* nothing: not known yet */
	IMAP_SIGN_MODSEQ, /* HIGHESTMODSEQ (RFC 7162) */
	IMAP_SIGN_DIGEST, /* of the marks of all messages, where the server has no such number */
	IMAP_SIGNS
};

/* All that a token says. */
struct imap_counts {
	uint32_t uidvalidity, uidnext, exists; /* uidnext 0: the server does not tell it */
	enum imap_sign sign;
	uint64_t flags; /* by `sign` */
};

struct imap_url {
	char *host;
	int port;
	bool tls;
};

struct imap_listed {
	uint32_t uid;
	const char *marks; /* as in struct endpoint_item; "": none */
	size_t order;      /* of its answer */
	bool deleted;      /* in the mailbox for tasks that are done: \Deleted */
};

/* Ascending, each once. */
struct imap_listing {
	struct imap_listed *list;
	size_t count, size;
};

/* A folder, and what the last notice of it found. */
struct imap_noticed {
	const char *folder;
	struct imap_counts counts;
	uint64_t selection, changes; /* in which one, and how many it had told by then */
	uint32_t appended, removed;  /* by us since */
	struct imap_listing placed;  /* what we have appended since; perhaps not all of it */
	struct imap_listing marked;  /* IMAP_SIGN_DIGEST: those with marks */
};

/* What this account may do in a mailbox. */
struct imap_granted {
	char *mailbox, *rights;
};

struct imap {
	struct endpoint endpoint; /* first */
	struct clock *clock;
	struct points *points;
	struct imap_account account;  /* its texts and the password are copies */
	struct imap_url at;           /* host NULL: the URL is wrong */
	struct imap_session *session; /* NULL: not connected */
	bool is_new; /* the session was opened for the operation that is under way */
	int64_t connections;
	int64_t renewed_us;     /* when the token was asked for anew; 0: never */
	struct imap_stats past; /* of sessions that have ended */
	/* how the selected mailbox was when it was looked at last */
	uint64_t selection;      /* counts SELECT */
	struct imap_uids placed; /* sorted; where puts that overlap have stored something */
	uint64_t changes;
	int64_t writes, selected_us;
	struct imap_selected afar; /* what is stored into without being selected (imap_afar.c) */
	TALLOC_CTX *afar_mem;      /* its texts */
	bool afar_refused;         /* UNSELECT was, also by earlier connections */
	struct imap_noticed *noticed;
	size_t noticed_count;
	const char *
		*refused; /* commands that the server has refused, and that nothing depends on */
	size_t refused_count;
	struct imap_granted *granted; /* as this connection was told */
	size_t granted_count;
	size_t listens;             /* folders that it was told to listen to last */
	struct imap_ahead *ahead;   /* what was asked for the look that follows; NULL: nothing */
	struct imap_notify *notify; /* NULL: it does not listen that way */
	bool notify_plain;          /* the server wants names in UTF-8 there */
	bool notify_refused;        /* or does not tell of all of them */
	bool notify_worked;         /* it did, when it was asked last */
	int64_t notify_quiet;       /* commands sent by then, when it ended without news; else 0 */
	int64_t notify_missed_us; /* when it last turned out to have kept something back; 0: never */
	int64_t notify_again_us;  /* which it did too often: not before */
	int64_t idle_again_us;    /* IDLE was refused, also by earlier connections: not before */
};

/* imaps://host[:port] or imap://host[:port], a slash may stand at the end; an IPv6 address in
 * brackets. False: anything else. */
bool imap_url_read(TALLOC_CTX *mem, const char *url, struct imap_url *url_r);

/* ---- imap.c: the connection ---- */

/* What an operation does with a session. It may be called twice, if the first time ended with a
 * broken connection before anything was written. */
typedef struct fault *imap_operation(struct imap *imap, TALLOC_CTX *mem, void *context);

/* Connects if need be, and runs OPERATION; MEM is for what it needs on the way. The fault belongs
 * to RESULTS. */
struct fault *imap_do(struct imap *imap, TALLOC_CTX *results, imap_operation *operation,
		      void *context) ATTR_MUST_CHECK;

/* False: the session is of no use any more. */
bool imap_is_connected(struct imap *imap);

/* True when the connection begins in the clear and goes on by STARTTLS. The URL is right. */
bool imap_starts_tls(const struct imap *imap);

/* Ends the session. */
void imap_disconnect(struct imap *imap);

/* How many commands that write have been sent. */
int64_t imap_writes(const struct imap *imap);

/* One command; an answer that is not OK as a fault of that scope. */
struct fault *imap_run(struct imap *imap, TALLOC_CTX *mem, const struct imap_line *line,
		       imap_each *each, void *context, enum fault_scope scope,
		       const char *what) ATTR_MUST_CHECK;
struct fault *imap_noop(struct imap *imap, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* The same fault once more, for another item. */
struct fault *imap_fault_copy(TALLOC_CTX *mem, const struct fault *fault);

/* ---- imap_folder.c ---- */

/* Selects FOLDER. NOW: what the session knows of it is not older than the call; else what it knew
 * will do, unless we have written since. GONE with folder scope: it is not there, or holds no messages. */
struct fault *imap_folder_open(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			       bool now) ATTR_MUST_CHECK;

/* The same, NOW. RESYNC (or NULL) is told what has changed, if it is selected anew for that. ASKED: a NOOP
 * has been answered for this. */
struct fault *imap_folder_open_since(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				     bool asked, struct imap_resync *resync) ATTR_MUST_CHECK;

/* Dovecot says "* NO Internal error" and then OK when another has made the mailbox anew. */
bool imap_folder_is_warning(const struct imap_response *response);

/* What follows from the ANSWER to a SELECT of FOLDER; the fault is as above. */
struct fault *imap_folder_selected(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				   const struct imap_answer *answer) ATTR_MUST_CHECK;
bool imap_folder_is_selected(const struct imap *imap, const char *folder);

/* A command on which nothing depends: WORDS and the mailbox NAME. */
struct imap_wish {
	const char *words, *name;
};

/* In one piece; what the server has refused once is not sent again. */
struct fault *imap_folder_wishes(struct imap *imap, TALLOC_CTX *mem, const struct imap_wish *wishes,
				 size_t count) ATTR_MUST_CHECK;

/* *THERE_R: the server lists it, as one that holds messages. */
struct fault *imap_folder_is_there(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				   bool *there_r) ATTR_MUST_CHECK;

/* ---- imap_afar.c: storing into a mailbox that is not selected ---- */

/* True while none is selected, and MAILBOX was the one that was left for that, last. It says something only
 * as long as answers are due, and right behind them. */
bool imap_afar_is(const struct imap *imap, const char *mailbox);

/* True where COUNT new messages are stored sooner when the selected mailbox is left. */
bool imap_afar_pays(const struct imap *imap, size_t count);

/* No mailbox is selected any more; what was is the one that messages are stored into. Where the server does
 * not let go of it, it stays selected, and is not left again. */
struct fault *imap_afar_leave(struct imap *imap, TALLOC_CTX *mem) ATTR_MUST_CHECK;
void imap_afar_forget(struct imap *imap);

/* What is known of MAILBOX, which is selected or left. */
const struct imap_selected *imap_afar_selected(const struct imap *imap, const char *mailbox);

/* ---- imap_look.c: messages without their text ---- */

struct imap_message {
	uint32_t uid;
	bool there;
	struct imap_flags *flags;
	const char *date; /* INTERNALDATE in its strict form, or NULL */
	uint64_t modseq;  /* 0: not told */
};

/* Messages of the selected mailbox, ascending, each once. */
struct imap_messages {
	struct imap_message *list;
	size_t count;
};

/* Flags, date and mod-sequence of UIDS. Who is not there has been asked for twice. */
struct fault *imap_look(struct imap *imap, TALLOC_CTX *mem, const struct imap_uids *uids,
			struct imap_messages *messages_r) ATTR_MUST_CHECK;

/* The same; further questions go in the same piece, and their answers are not looked at. TAKE gets all
 * responses. Without UIDS nothing is asked. */
struct imap_beside {
	struct imap_line **lines;
	size_t count;
	void (*take)(void *context, const struct imap_response *response);
	void *context;
};
struct fault *imap_look_beside(struct imap *imap, TALLOC_CTX *mem, const struct imap_uids *uids,
			       const struct imap_beside *beside,
			       struct imap_messages *messages_r) ATTR_MUST_CHECK;
struct imap_message *imap_look_find(const struct imap_messages *messages, uint32_t uid);

/* The UIDs that `UID SEARCH CRITERIA` finds, sorted. PROTOCOL with folder scope: numbers that
 * cannot be. */
struct fault *imap_look_search(struct imap *imap, TALLOC_CTX *mem, const char *criteria,
			       struct imap_uids *uids_r) ATTR_MUST_CHECK;

/* ---- imap_listing.c: which messages there are, and their marks ---- */

/* Messages of the selected mailbox, which is that for tasks that are DONE or not, from UID FIRST on.
 * PROTOCOL with folder scope: numbers that cannot be. */
struct fault *imap_listing(struct imap *imap, TALLOC_CTX *mem, bool done, uint32_t first,
			   struct imap_listing *listing_r) ATTR_MUST_CHECK;

/* What has changed since a mod-sequence. */
struct imap_changes {
	TALLOC_CTX *mem;
	bool done;
	struct imap_listing listing;
	struct imap_uids vanished; /* ascending; some of them perhaps long ago, or never there */
	bool lost;                 /* what has vanished is not told, or cannot be */
	size_t marks_len;          /* of all that were told, bytes */
};

struct fault *imap_listing_changed(struct imap *imap, TALLOC_CTX *mem, bool done, uint64_t since,
				   struct imap_changes *changes_r) ATTR_MUST_CHECK;

/* Both halves of the same by SELECT: RESYNC is for imap_folder_open_since(), and then, if it was told,
 * CHANGES are put in order. MEM and `done` of CHANGES are set before. */
void imap_listing_resync(struct imap_changes *changes, const struct imap_counts *since,
			 struct imap_resync *resync_r);
void imap_listing_resynced(struct imap_changes *changes);

/* Adds to the end. Sorting: of two about one message the later one stays. */
void imap_listing_add(TALLOC_CTX *mem, struct imap_listing *listing,
		      const struct imap_listed *listed);
void imap_listing_sort(struct imap_listing *listing);

/* The marks of UID; NULL: it is not in it. */
const char *imap_listing_marks(const struct imap_listing *listing, uint32_t uid);

/* Of those with a UID below BELOW; a sum over those that have marks or are deleted. */
uint64_t imap_listing_digest(const struct imap_listing *listing, uint32_t below);

/* ---- imap_token.c: what a notice is a token of ---- */

/* Of both mailboxes. */
struct imap_token {
	struct imap_counts counts, done;
	bool knows_done; /* false: that one was not looked at */
	bool has_done;   /* it was there: `done` is set */
};

/* False: it is not one of ours, or of a time when flags meant nothing. */
bool imap_token_read(TALLOC_CTX *mem, const char *text, struct imap_token *token_r);

/* NULL: the server does not tell enough (UIDNEXT). */
char *imap_token_write(TALLOC_CTX *mem, const struct imap_token *token);

/* endpoint_doubt(): marks that are taken back make the digest that was there before. */
char *imap_token_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *text);

/* ---- imap_status.c: numbers of mailboxes that are not selected ---- */

struct imap_status {
	const char *mailbox;
	bool told;                 /* false: it is not there, or may not be looked into */
	struct imap_counts counts; /* `sign` is never a digest */
};

/* Many by one command where the server has LIST-STATUS (RFC 5819), else by pipelined ones. */
struct fault *imap_status(struct imap *imap, TALLOC_CTX *mem, struct imap_status *list,
			  size_t count) ATTR_MUST_CHECK;

/* The same, always by a command for each. */
struct fault *imap_status_each(struct imap *imap, TALLOC_CTX *mem, struct imap_status *list,
			       size_t count) ATTR_MUST_CHECK;

/* Both halves of the same for one mailbox: the command, and what a response says of it, if anything. */
struct imap_line *imap_status_line(const struct imap *imap, TALLOC_CTX *mem, const char *mailbox);
void imap_status_take(struct imap_status *status, const struct imap_response *response);

/* ---- imap_rights.c ---- */

/* The rights that are missing (RFC 4314) in the selected mailbox, which is one of FOLDER's: to write
 * there, and where something REMOVES, to mark as deleted; or NULL. */
struct fault *imap_rights_check(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				bool removes) ATTR_MUST_CHECK;

/* The same, when it is found out in another way. */
struct fault *imap_rights_fault(TALLOC_CTX *mem, const char *folder, const char *what);

/* imap_look() at messages that are to be replaced, by new ones in FOLDER or (DONE) in its mailbox for tasks
 * that are done; or that are to be removed. Where the server tells rights (ACL, RFC 4314, RFC 2086) and
 * this connection does not know yet that they suffice, it is asked in the same piece: REFUSED with folder
 * scope names those that are missing. One that does not want to tell allows all. */
struct fault *imap_rights_look_replaced(struct imap *imap, TALLOC_CTX *mem, const char *folder,
					bool done, const struct imap_uids *uids,
					struct imap_messages *messages_r) ATTR_MUST_CHECK;
struct fault *imap_rights_look_removed(struct imap *imap, TALLOC_CTX *mem,
				       const struct imap_uids *uids,
				       struct imap_messages *messages_r) ATTR_MUST_CHECK;

/* The mailbox that messages in place of others were to go to is GONE, and they go to FOLDER, of whose rights
 * nothing else may have told: likewise, by a question of its own, if this connection does not know. */
struct fault *imap_rights_fall_back(struct imap *imap, TALLOC_CTX *mem, const char *gone,
				    const char *folder) ATTR_MUST_CHECK;

/* For who asks in another way: whether the server tells rights at all, the question, and what a response
 * says to it. */
struct imap_rights {
	const char *mailbox;
	char *granted; /* NULL: it was not told */
};
bool imap_rights_are_told(const struct imap *imap);
struct imap_line *imap_rights_line(TALLOC_CTX *mem, const char *mailbox);
void imap_rights_take(struct imap_rights *rights, TALLOC_CTX *mem,
		      const struct imap_response *response);

/* An APPEND was refused where these RIGHTS are granted: REFUSED with folder scope names those that are
 * missing, if they are why; or NULL. */
struct fault *imap_rights_refused(struct imap *imap, TALLOC_CTX *mem,
				  const struct imap_rights *rights) ATTR_MUST_CHECK;

/* The connection has ended: rights are asked for again. */
void imap_rights_forget(struct imap *imap);

/* ---- imap_quota.c: how much room there is (RFC 9208) ---- */

struct imap_quota_row {
	const char *resource; /* "STORAGE" in KiB, or "MESSAGE" */
	uint64_t used, limit;
};

struct imap_quota {
	struct imap_quota_row *rows;
	size_t count; /* 0: the server tells of none */
};

/* "KiB" or "messages" */
const char *imap_quota_unit(const struct imap_quota_row *row);

/* Of MAILBOX. A fault is of the session. */
struct fault *imap_quota_ask(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
			     struct imap_quota *quota_r) ATTR_MUST_CHECK;

/* For who asks in another way: the question, and what a response says to it. */
struct imap_line *imap_quota_line(TALLOC_CTX *mem, const char *mailbox);
void imap_quota_take(struct imap_quota *quota, TALLOC_CTX *mem,
		     const struct imap_response *response);

/* FULL with the words that were SAID, if by these numbers there is no room for SIZE bytes; or NULL. */
struct fault *imap_quota_fault(TALLOC_CTX *mem, const struct imap_quota *quota, size_t size,
			       const char *said) ATTR_MUST_CHECK;

/* ---- imap_refusal.c: why an APPEND was refused, where its answer does not say it ---- */

/* What was refused so that the server can be asked why. */
struct imap_refusal {
	const char *words; /* NULL: it was not */
	bool by_right;     /* NOPERM: only which right is to be found out; else NO without a code */
};

/* Of that ANSWER, whose words stay its own. */
struct imap_refusal imap_refusal_of(const struct imap_answer *answer);

/* FAULT is what the ANSWER to an APPEND of SIZE bytes to MAILBOX came to. Where that was a NO without a
 * code, as Cyrus says of a full mailbox, the server's numbers tell whether it is that. A fault of the
 * session goes before. */
struct fault *imap_refusal_judge(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				 size_t size, const struct imap_answer *answer,
				 struct fault *fault);

/* The same for many, and for rights as well (ACL), both asked in one piece: REFUSALS has one for each put,
 * and is empty afterwards. Without the right to insert, all of them have the same fault, REFUSED with
 * folder scope; a put that finds no room is FULL; others keep their fault, or none. The fault is of the
 * session, and then of all that have one. */
struct fault *imap_refusal_judge_puts(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				      struct endpoint_put *puts, struct imap_refusal *refusals,
				      size_t count) ATTR_MUST_CHECK;

/* ---- imap_done.c: the mailbox for tasks that are done ---- */

#define IMAP_DONE_MARK "/Done" /* whatever it is called */

/* The name of FOLDER's; NULL: none is configured, or names have no levels here. Put a message there
 * by APPEND to this name, and call imap_notice_wrote() and imap_notice_placed() with it. */
char *imap_done_mailbox(struct imap *imap, TALLOC_CTX *mem, const char *folder);

/* Makes and subscribes it below a FOLDER, unless it is there; nothing depends on it. */
struct fault *imap_done_make(struct imap *imap, TALLOC_CTX *mem,
			     const char *folder) ATTR_MUST_CHECK;

const char *imap_done_beside(const struct endpoint *endpoint);
struct fault *imap_done_beside_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder);

/* ---- imap_metadata.c: what we have noted on a mailbox (METADATA, RFC 5464) ---- */

/* "GETMETADATA box (...)", and what its response says: the URL of the project that the mailbox is of;
 * NULL: the response is none, or it says nothing of that. */
struct imap_line *imap_metadata_question(TALLOC_CTX *mem, const char *mailbox);
const char *imap_metadata_url(const struct imap_response *response);

/* *URL_R NULL: nothing is noted, or the server keeps no notes. */
struct fault *imap_metadata_get(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				const char **url_r) ATTR_MUST_CHECK;

/* Notes what MAILBOX is; nothing depends on it. */
struct fault *imap_metadata_set(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				const struct endpoint_folder *folder) ATTR_MUST_CHECK;

/* imap_locate.c: the mailbox on which URL is noted; *MAILBOX_R NULL: none. */
struct fault *imap_locate_noted(struct imap *imap, TALLOC_CTX *mem, const char *url,
				const char **mailbox_r) ATTR_MUST_CHECK;

/* ---- imap_seek.c: a mailbox by what stands in it ---- */

struct imap_seek_name {
	const char *text;
	bool special; /* it has a use of its own (RFC 6154) */
};

/* That of NAMES in which most of TRACE's items are; *MAILBOX_R stays as it is: none. No mailbox is selected
 * afterwards. */
struct fault *imap_seek(struct imap *imap, TALLOC_CTX *mem, const struct imap_seek_name *names,
			size_t count, const struct endpoint_trace *trace,
			const char **mailbox_r) ATTR_MUST_CHECK;

/* *STAYS_R: some of TRACE's items are where they were. Likewise. */
struct fault *imap_seek_stays(struct imap *imap, TALLOC_CTX *mem,
			      const struct endpoint_trace *trace, bool *stays_r) ATTR_MUST_CHECK;

/* ---- the operations of endpoint.h ---- */

struct fault *imap_folder_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
				 const struct endpoint_folder *folder, const char *known,
				 char **address_r, bool *created_r);
struct fault *imap_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  const char *token, struct endpoint_notice **notice_r);
struct fault *imap_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 const char *const *addresses, size_t count,
			 struct endpoint_item **items_r);
struct fault *imap_write_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_put *puts, size_t count);
struct fault *imap_write_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       struct endpoint_put *puts, size_t count,
			       struct endpoint_putting **putting_r);
struct fault *imap_write_end(struct endpoint_putting *write, TALLOC_CTX *mem);
struct fault *imap_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			  struct endpoint_remove *removes, size_t count);
struct fault *imap_sweep(struct endpoint *endpoint, TALLOC_CTX *mem, struct endpoint_sweep *folders,
			 size_t count);
struct fault *imap_doctor_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
				struct endpoint_probe **probe_r);
struct fault *imap_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			  size_t count, struct endpoint_ear *ear_r);
struct fault *imap_listen_heard(struct endpoint *endpoint, bool *changed_r);
struct fault *imap_listen_hush(struct endpoint *endpoint);
struct fault *imap_listen_follow(struct endpoint *endpoint, bool heard);
void imap_listen_rest(struct endpoint *endpoint);

/* ---- imap_ahead.c: what a look asks, asked before it begins ---- */

struct imap_ahead;

/* The questions of a notice of FOLDER (NULL: none), with COUNT lines before them, of which nothing depends;
 * they are ASKED's then. *ASKED_R false: nothing was sent. */
struct fault *imap_ahead_ask(struct imap *imap, const char *folder, struct imap_line *const *before,
			     size_t count, bool *asked_r) ATTR_MUST_CHECK;

/* The questions of a notice of the selected mailbox, of which nothing was heard. It may be that nothing is
 * asked. */
struct fault *imap_ahead_ask_still(struct imap *imap) ATTR_MUST_CHECK;

/* The answers to what was asked, moved to MEM; *AHEAD_R NULL: nothing was. A fault as
 * imap_folder_open(). */
struct fault *imap_ahead_take(struct imap *imap, TALLOC_CTX *mem,
			      struct imap_ahead **ahead_r) ATTR_MUST_CHECK;

/* Nobody wants to know any more. */
struct fault *imap_ahead_drop(struct imap *imap) ATTR_MUST_CHECK;

/* What they say, if it was asked for: STATUS of its mailbox; what has changed in MAILBOX, which is still
 * selected, SINCE. AHEAD may be NULL. */
bool imap_ahead_done(const struct imap_ahead *ahead, struct imap_status *status);
bool imap_ahead_is_still(const struct imap_ahead *ahead,
			 const char *mailbox); /* NOOP was answered */
bool imap_ahead_changes(struct imap *imap, struct imap_ahead *ahead, const char *mailbox,
			const struct imap_counts *since, struct imap_changes *changes_r);

/* ---- imap_notify.c: listening to several folders ---- */

/* EAR stays as it is when that cannot be done, or is not worth it. */
struct fault *imap_notify_begin(struct imap *imap, TALLOC_CTX *mem,
				const struct endpoint_sweep *folders, size_t count,
				struct endpoint_ear *ear) ATTR_MUST_CHECK;
/* While imap->notify is set. */
struct fault *imap_notify_heard(struct imap *imap, bool *changed_r) ATTR_MUST_CHECK;
struct fault *imap_notify_end(struct imap *imap) ATTR_MUST_CHECK;
/* What imap_notify_begin() has seen, and said so by EAR's `missed`, should have been told before; the
 * connection ends. False: it may just as well have come in the moment in which nobody listened, since it
 * is the first time within an hour. */
bool imap_notify_missed(struct imap *imap);

struct fault *imap_locate(struct endpoint *endpoint, TALLOC_CTX *mem,
			  const struct endpoint_trace *trace, char **address_r);
struct fault *imap_notice_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *token, char **token_r);

struct fault *imap_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			   char **address_r);
struct fault *imap_mailbox_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
				  const char *const *addresses, size_t count, const char *into);
struct fault *imap_mailbox_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
				const char *text, size_t len, bool again);

/* imap_notice.c: what imap_notice() does, which alone has a use for what was asked ahead. */
struct fault *imap_notice_do(struct imap *imap, TALLOC_CTX *mem, void *context);

/* imap_notice.c: what the last notice of FOLDER found; NULL: there was none. */
struct imap_noticed *imap_notice_last(struct imap *imap, const char *folder);

/* imap_notice.c: the same, after another listing of flags where nothing else can tell. FOLDER is
 * selected; a fault is of the server. */
struct fault *imap_notice_again(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				bool *current_r) ATTR_MUST_CHECK;

/* imap_notice.c: FOLDER was noticed by another endpoint, which got TOKEN (NULL: it was not), unless it
 * was by this one. */
void imap_notice_believe(struct imap *imap, TALLOC_CTX *mem, const char *folder, const char *token);

/* imap_notice.c: the selected mailbox is FOLDER and as the last notice of it found it. False: not, or
 * it cannot be told. */
bool imap_notice_is_current(struct imap *imap, const char *folder);

/* imap_notice.c: what STATUS says of TOKEN's folder and of its mailbox for tasks that are done (NULL:
 * none is configured). UNKNOWN: not a token, or flags would have to be listed. */
enum imap_moved { IMAP_STILL, IMAP_MOVED, IMAP_MOVED_UNKNOWN };
enum imap_moved imap_notice_moved(TALLOC_CTX *mem, const char *token, const struct imap_status *own,
				  const struct imap_status *done);

/* imap_notice.c: so many messages of FOLDER have been stored and removed by us. */
void imap_notice_wrote(struct imap *imap, const char *folder, uint32_t appended, uint32_t removed);

/* imap_notice.c: one that we have stored has this version: what endpoint_put() vouches for. */
void imap_notice_placed(struct imap *imap, const char *folder, const char *version);

/* imap_notice.c: ADDRESS, or ADDRESS with MARKS behind a blank. */
char *imap_notice_version(TALLOC_CTX *mem, const char *address, const char *marks);

/* ---- imap_parts.c: messages with large parts ---- */

/* Reads on where the text of a message is longer than its first bytes, HEAD: its large parts are
 * elided. DATA fault: over IMAP_ITEM_MAX all the same, or its parts cannot be told apart. */
struct fault *imap_parts_read(struct imap *imap, TALLOC_CTX *mem, const char *address, uint32_t uid,
			      const char *head, size_t head_len, char **text_r,
			      size_t *len_r) ATTR_MUST_CHECK;

/* Selects the mailbox of FOLDER in which a message stands. GONE: there is no such message. */
struct fault *imap_parts_open(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			      const char *address, uint32_t *uid_r) ATTR_MUST_CHECK;

/* The octets of a part as they stand, some more than MAX at most. */
struct fault *imap_parts_raw(struct imap *imap, TALLOC_CTX *mem, const char *address, uint32_t uid,
			     const char *section, size_t max, char **bytes_r,
			     size_t *len_r) ATTR_MUST_CHECK;

struct fault *imap_parts_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *uri, size_t max, char **bytes_r, size_t *len_r);

/* ---- imap_catenate.c: what is sent of a text ---- */

struct message_piece;
struct imap_body {
	const char *text; /* all of it, unless COUNT */
	size_t len;
	struct message_piece *pieces;
	const char **urls; /* of the pieces that are no text */
	size_t count;
	bool large; /* reads otherwise than it was put */
};

/* Of a put into FOLDER, whichever of its mailboxes is selected, which it is afterwards. CHANGED: it
 * names a part that is not there. */
struct fault *imap_catenate_prepare(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				    const struct endpoint_put *put,
				    struct imap_body *body_r) ATTR_MUST_CHECK;

/* Reads the parts, so that BODY is all text; likewise. */
struct fault *imap_catenate_fill(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				 struct imap_body *body) ATTR_MUST_CHECK;

void imap_catenate_add(struct imap_line *line, const struct imap_body *body);

#endif
