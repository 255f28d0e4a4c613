/* endpoint.h - the one contract that every kind of server fulfils.
 *
 * An endpoint is one account on one server: a few blocking operations, each with a result per item,
 * because one bad item never stops the others (N6). It decides nothing and keeps nothing that the
 * caller would miss after a crash. Addresses and versions are strings that only the endpoint
 * understands: CalDAV: the item's path and its ETag.
 *
 * Every result belongs to the MEM given. An endpoint is used by one thread at a time.
 */
#ifndef TASKFERRY_ENDPOINT_H
#define TASKFERRY_ENDPOINT_H

#include <stddef.h>

#include "base/fault.h"
#include "base/point.h"

struct endpoint;

/* What a server can do; what it cannot is done another way or, where N1 is touched, reported by
 * `doctor`. */
struct endpoint_caps {
	bool sync_token;     /* lists changes since a token */
	bool ctag;           /* tells cheaply whether a folder changed at all */
	bool strong_version; /* a version stands for the bytes, and put returns it */
	bool create_guard;   /* refuses to create what exists */
	bool replace_guard;  /* refuses to replace what changed */
	bool keeps_bytes;    /* returns what was put, to the letter */
	bool modified_time;  /* knows when an item was changed */
};

struct endpoint_finding {
	const char *probe;   /* "login", "home", "sync-collection" ... */
	const char *result;  /* "yes", "no", "Radicale 3.1.8" ... */
	const char *meaning; /* what follows for the administrator; one sentence */
	enum { FINDING_INFO, FINDING_WARNING, FINDING_ERROR } level;
};

struct endpoint_probe {
	struct endpoint_caps caps;
	struct endpoint_finding *findings;
	size_t count;
};

/* What an item's text is. */
enum endpoint_form { ENDPOINT_VTODO, ENDPOINT_MESSAGE };

/* The folder that holds one project's items, in the terms of both kinds of server. */
struct endpoint_folder {
	const char *path;    /* [A-Za-z0-9_-], at most 200 bytes, stable for the project's life */
	const char *display; /* for people: "Project (site URL)" */
	const char *top;     /* the site as [site] folder says: "https://pm.example.com/web" */
	const char *sub;     /* the project's name */
	const char *suffix;  /* tells it from another project of that name; NULL: none is needed */
	const char *url; /* "https://pm.example.com/web#KEY": what it really is, under any name */
};

/* One line of a listing. */
struct endpoint_change {
	const char *address;
	const char *version; /* NULL when removed */
	const char *marks;   /* as in struct endpoint_item */
	bool removed;        /* the server said so; only where it lists changes */
};

/* Addresses from FROM to TO, both included, which sort as text. */
struct endpoint_span {
	const char *from, *to;
};

#define ENDPOINT_SPANS 2

struct endpoint_notice {
	struct endpoint_change *changes;
	size_t count;
	/* Of these addresses all that are there are among the changes, also where it is not full: what has
	 * come since the token. Who put something there that is not told has it no more. */
	struct endpoint_span spans[ENDPOINT_SPANS];
	size_t span_count;
	bool full; /* a complete listing: what is not in it is not in the folder */
	const char
		*token; /* stands for all of this; give it back next time. NULL: none, list again */
	const char *object_id; /* the folder's, which it keeps when a person renames it (RFC 8474);
				  NULL: the server gives none */
};

/* ... where it `appends`, TEXT may have stand-ins for large parts, here and in a put
 * (mappers/message_elide.h). */
struct endpoint_item {
	const char *address; /* as asked */
	struct fault *fault; /* of this item: GONE, PROTOCOL (over the bounds) ... ; NULL: the rest
				is set */
	const char *version;
	/* `appends`: what a person can set on an item without touching its text: "\Flagged",
	 * keywords, and "/Done" while it stands in that sub-folder of its folder. Sorted by strcmp(),
	 * one blank between two; "": none are set; NULL: this kind has none, or they are not known.
	 * The version stands for them too. */
	const char *marks;
	const char *text;
	size_t len;
	int64_t modified_us; /* when the server changed it, in our clock; 0: not known */
};

struct endpoint_put {
	const char *address; /* in: where; a new item: the folder's address + NAME
				(endpoint_address()) */
	const char *text;
	size_t len; /* stand-ins in it name parts of messages in the same folder; CHANGED: one of
			   * them is not there any more. Such a text, and one with large parts, is never
			   * vouched for (`version` NULL): it reads otherwise than it was put */
	const char *if_version; /* in: replace exactly this version; NULL: create, refuse if it
				   exists */
	/* in, `appends`: marks that it gets, and is to lose, beyond those of the item that it
	 * replaces ("/Done" dropped: back into the folder itself); NULL: none */
	const char *marks_add, *marks_drop;
	bool quiet; /* in, `appends`: it says nothing that is new to its person: as read as the item
		       that it replaces; else it is unread */
	/* out: */
	struct fault *fault;  /* CHANGED: exists, or is another version (where it `appends`: or is
				 gone); GONE; REFUSED; ...; maybe_done when no answer */
	const char *version;  /* strong, and of a text with these very content lines, however it is
			       * folded and ordered; NULL: read back */
	const char *answered; /* the version that the answer named without vouching for the bytes,
			       * or NULL: when a read-back has it, any difference is the server's
			       * doing and not an edit */
	const char *placed; /* the address where it stands now; NULL: the same. Set without a fault
			       * only; always set where the endpoint `appends` */
	const char
		*replaced; /* `appends`, and an item was replaced: what endpoint_remove() wants as
			       * if_version of the old one, which is still there */
};

/* Puts under way. */
struct endpoint_putting;

struct endpoint_remove {
	const char *address;
	const char *if_version; /* `appends`: what endpoint_put() said in `replaced`, or the item's
				   version with the marks that are known ("X marks"): what else was set goes
				   to the successor; without one the item is CHANGED if it bears others;
				   NULL: not known, a crash lay between */
	const char *successor;  /* `appends`: the item that stands in its place; flags that a person
				   set on the old one meanwhile go there. NULL: none */
	struct fault *fault;    /* GONE counts as done by the caller */
};

/* A file to be given into the server's keeping, beside an item (RFC 8607). */
struct endpoint_attach {
	const char *address;
	const char *if_version; /* the item's */
	const char *name, *type;
	const char *bytes;
	size_t len;
};

/* One folder of a sweep. */
struct endpoint_sweep {
	const char *folder;
	const char *token; /* of its last notice; NULL: none */
	bool moved; /* out: it may have changed since, or cannot be told: endpoint_notice() */
	bool asked; /* out: the server was asked about it; false: nothing is saved by that, because
		     * endpoint_notice() costs no more */
};

/* What listening has come to. */
struct endpoint_ear {
	int fd;       /* becomes readable when something may have come; -1: it does not listen */
	bool changed; /* something has come already: look again */
	bool missed; /* and it should have been told before, while it was listened to, not for the first
			  * time within an hour: the server is not relied on for a while */
	bool doubtful;   /* it may miss something: look from time to time all the same */
	size_t count;    /* of the folders, those that it tells of: the first ones */
	const char *how; /* "notify", "idle" ...; NULL: it does not listen */
};

/* Where an account's folders are made. */
struct endpoint_place {
	const char *asked;  /* what of the configuration it follows from: with other words it is not
			      believed any more. No secret in it */
	const char *origin; /* "https://dav.example.com:443": names the server */
	const char *home;   /* with ORIGIN: two accounts that have both in common are one */
	const char *principal; /* NULL: not known */
	const char *how;       /* for people: "SRV record of example.com, principal" */
	int64_t found_us;
};

/* An item that stood in a folder. */
struct endpoint_known {
	const char *uid, *address;
};

/* What a folder is known by under any name. */
struct endpoint_trace {
	const char *folder;    /* its last address */
	const char *object_id; /* as in struct endpoint_notice; NULL: not known */
	/* what costs more to look for; NULL and none: nobody does */
	const char *url;                    /* as in struct endpoint_folder */
	const struct endpoint_known *known; /* some of its items: it is where most of these are */
	size_t known_count;
	size_t items; /* that stood in it, all told, with what was not ours */
	/* folders that are known as others of this account: never found but by identity */
	const char *const *others;
	size_t other_count;
};

/* What it took, since the endpoint was made. */
struct endpoint_stats {
	int64_t requests, writes, connections, sent_bytes, received_bytes;
};

struct endpoint_ops {
	const char *kind;
	enum endpoint_form form;
	/* A text never changes in its place: a replacement is a new item behind all others (its
	 * address sorts behind theirs by strcmp()), and the old one is the caller's to remove, once
	 * it is recorded where the new one stands (M7). Two items of one assignment can therefore
	 * stand side by side for a while. */
	bool appends;
	struct fault *(*probe)(struct endpoint *endpoint, TALLOC_CTX *mem,
			       struct endpoint_probe **probe_r);
	struct fault *(*ensure)(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_folder *folder, const char *known,
				char **address_r, bool *created_r);
	/* a new folder with all its items by one request; both NULL: there is no such way */
	struct fault *(*whole_site)(struct endpoint *endpoint, TALLOC_CTX *mem,
				    const struct endpoint_folder *folder, char **address_r);
	struct fault *(*whole_make)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				    const struct endpoint_put *puts, size_t count, bool *made_r);
	struct fault *(*notice)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *token, struct endpoint_notice **notice_r);
	struct fault *(*fetch)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       const char *const *addresses, size_t count,
			       struct endpoint_item **items_r);
	struct fault *(*read_back)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   const char *const *addresses, size_t count,
				   struct endpoint_item **items_r); /* NULL: fetch */
	struct fault *(*put)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     struct endpoint_put *puts, size_t count);
	/* both NULL: nothing else can be done while it puts */
	struct fault *(*put_begin)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				   struct endpoint_put *puts, size_t count,
				   struct endpoint_putting **putting_r);
	struct fault *(*put_end)(struct endpoint_putting *putting, TALLOC_CTX *mem);
	struct fault *(*remove)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				struct endpoint_remove *removes, size_t count);
	char *(*address)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			 const char *uid); /* NULL where it `appends`: not known before */
	/* NULL: a token stays as it is */
	struct fault *(*advance)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 const char *token, char **token_r);
	/* NULL: what a token stands for never comes back */
	char *(*doubt)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token);
	/* NULL: a folder's address says all about it */
	struct fault *(*locate)(struct endpoint *endpoint, TALLOC_CTX *mem,
				const struct endpoint_trace *trace, char **address_r);
	/* both NULL: nothing stands beside a folder */
	const char *(*beside)(const struct endpoint *endpoint);
	struct fault *(*beside_make)(struct endpoint *endpoint, TALLOC_CTX *mem,
				     const char *folder);
	/* NULL: who may look into a folder of this kind may read what is in it */
	struct fault *(*may_read)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder);
	/* NULL: each folder is asked */
	struct fault *(*sweep)(struct endpoint *endpoint, TALLOC_CTX *mem,
			       struct endpoint_sweep *folders, size_t count);
	/* all three NULL: nothing is worth finding out */
	struct fault *(*learn)(struct endpoint *endpoint, TALLOC_CTX *mem);
	void (*know)(struct endpoint *endpoint, const char *traits);
	char *(*traits)(struct endpoint *endpoint, TALLOC_CTX *mem);
	/* both NULL: this kind of server keeps no files */
	struct fault *(*attaches)(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r);
	struct fault *(*attach)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const struct endpoint_attach *attach);
	/* NULL: nothing is anywhere but in the text of an item */
	struct fault *(*download)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *uri, size_t max, char **bytes_r, size_t *len_r);
	/* NULL: the login alone says where */
	struct fault *(*place)(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			       struct endpoint_place **place_r);
	/* push; all three NULL: there is none */
	struct fault *(*listen)(struct endpoint *endpoint, const struct endpoint_sweep *folders,
				size_t count, struct endpoint_ear *ear_r);
	struct fault *(*heard)(struct endpoint *endpoint, bool *changed_r);
	struct fault *(*hush)(struct endpoint *endpoint);
	struct fault *(*follow)(struct endpoint *endpoint, bool heard); /* NULL: hush */
	void (*rest)(struct endpoint *endpoint); /* NULL: it keeps no connection */
	/* a mailbox that others write into, beside the folders that are ours; all three NULL: there is
	 * none */
	struct fault *(*mailbox)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
				 char **address_r);
	struct fault *(*shelve)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
				const char *const *addresses, size_t count, const char *into);
	struct fault *(*tell)(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
			      const char *text, size_t len, bool again);
	void (*stats)(struct endpoint *endpoint, struct endpoint_stats *stats_r); /* NULL: none */
};

struct endpoint {
	const struct endpoint_ops *ops;
	/* the kind's own struct begins with this one */
};

/* Logs in and tells what the server can do. A fault when that much does not work. */
struct fault *endpoint_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
			     struct endpoint_probe **probe_r) ATTR_MUST_CHECK;

/* The folder's address, made if it is not there; its display name is brought up to date. KNOWN is
 * the address of last time, or NULL. No request that writes is sent when nothing has to change.
 * Safe to repeat. */
struct fault *endpoint_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
			      const struct endpoint_folder *folder, const char *known,
			      char **address_r, bool *created_r) ATTR_MUST_CHECK;

/* The address at which the folder would be made, where the server makes one with all its items by one
 * request, and nothing stands there yet. *ADDRESS_R NULL: endpoint_ensure() makes it. Nothing is
 * written. */
struct fault *endpoint_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				  const struct endpoint_folder *folder,
				  char **address_r) ATTR_MUST_CHECK;

/* Makes it at that ADDRESS with these items, on the condition that nothing stands there: all or
 * nothing. `text`, `len` and `address` of PUTS are read, nothing is set: no version is known, so list
 * and read what the server made of it. The display name is for endpoint_ensure() to set. *MADE_R
 * false: not this time, make the folder and put the items as usual. A fault may be maybe_done: look
 * before anything else. */
struct fault *endpoint_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				  const struct endpoint_put *puts, size_t count,
				  bool *made_r) ATTR_MUST_CHECK;

/* What changed in a folder since TOKEN (NULL: everything). TOKEN fault: the server does not know it
 * any more, ask with NULL. GONE with scope FOLDER: the folder itself is not there (never the same
 * as an empty one, N5). */
struct fault *endpoint_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      const char *token, struct endpoint_notice **notice_r) ATTR_MUST_CHECK;

/* COUNT items by address, in that order; every one has a result. An item that the server says is
 * not there is asked for directly before it is called GONE (N5). */
struct fault *endpoint_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *const *addresses, size_t count,
			     struct endpoint_item **items_r) ATTR_MUST_CHECK;

/* What was put a moment ago, read back: as endpoint_fetch(), but nobody asks when it was changed
 * (modified_us may be 0), which saves a request per item where a server tells that one by one. */
struct fault *endpoint_read_back(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 const char *const *addresses, size_t count,
				 struct endpoint_item **items_r) ATTR_MUST_CHECK;

/* Creates and replaces, each on its condition (N7), many at once; every one has a result. A fault
 * only when nothing at all was tried; a connection that breaks in the middle is a fault of the
 * items concerned. */
struct fault *endpoint_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   struct endpoint_put *puts, size_t count) ATTR_MUST_CHECK;

/* endpoint_put() in two halves: what is begun is on its way, and other items may be prepared, read
 * and recorded meanwhile. PUTS and what they point to stay where they are until the end, which gives
 * them their results and frees the putting; freeing it waits and gives none. Several may be under
 * way; they are ended in the order of their beginning. Only where endpoint_overlaps(). */
struct fault *endpoint_put_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count,
				 struct endpoint_putting **putting_r) ATTR_MUST_CHECK;
struct fault *endpoint_put_end(struct endpoint *endpoint, struct endpoint_putting *putting,
			       TALLOC_CTX *mem) ATTR_MUST_CHECK;
bool endpoint_overlaps(const struct endpoint *endpoint);

/* The address of a mailbox by the name that the server knows it by ("INBOX"), for endpoint_notice(),
 * endpoint_fetch() and the next: what is in it is not ours. REFUSED with account scope: this kind of
 * server has none. */
struct fault *endpoint_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			       char **address_r) ATTR_MUST_CHECK;

/* Marks messages of a mailbox as read, and moves them INTO another one, which is made if it is not there
 * (NULL: they stay). Those that are gone are no fault. Safe to repeat. */
struct fault *endpoint_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
			      const char *const *addresses, size_t count,
			      const char *into) ATTR_MUST_CHECK;

/* Puts a message into the inbox of the account's person, unread. AGAIN: it may have been put there before,
 * and is not if one of that Message-ID (without < >) is there. */
bool endpoint_can_tell(const struct endpoint *endpoint);
struct fault *endpoint_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
			    const char *text, size_t len, bool again) ATTR_MUST_CHECK;

/* Removes, each on its condition, likewise. */
struct fault *endpoint_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      struct endpoint_remove *removes, size_t count) ATTR_MUST_CHECK;

/* Where an item of that UID will stand; NULL where the server decides that (`appends`). */
char *endpoint_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
		       const char *uid);

/* TOKEN, of this endpoint's last notice of FOLDER, brought up to what the endpoint has written since,
 * when it is certain that nobody else has changed anything meanwhile, so that the next notice does not
 * tell us of our own writes; else TOKEN, without what our writes have made untrue of it. Behind many
 * of them it may be left as it is, for somebody may wait: then the next notice tells of them, as they were
 * written. */
struct fault *endpoint_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       const char *token, char **token_r) ATTR_MUST_CHECK;

/* TOKEN as it is kept from the first record of what was read or written behind it until a later
 * one takes its place, which may never happen: some tokens are made from what the folder holds, and
 * come back with it. By this one the next notice also tells that somebody took back what was
 * recorded. No request. */
char *endpoint_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token);

/* Where the folder of that TRACE is by now; *ADDRESS_R NULL: nowhere, among what was thrown away, or it
 * cannot be told. Unless it is elsewhere by its identity, it is where it was as long as any of its items
 * is there. Nothing is written. */
struct fault *endpoint_locate(struct endpoint *endpoint, TALLOC_CTX *mem,
			      const struct endpoint_trace *trace, char **address_r) ATTR_MUST_CHECK;

/* The name of what endpoint_ensure() makes beside a folder that is new to us: the sub-folder for what is
 * done; NULL: nothing. No request. */
const char *endpoint_beside(const struct endpoint *endpoint);

/* Makes it where it is missing, for a folder that is there and was made when there was no such thing, or
 * one of another name. A refusal by the server is no fault. */
struct fault *endpoint_beside_make(struct endpoint *endpoint, TALLOC_CTX *mem,
				   const char *folder) ATTR_MUST_CHECK;

/* Asked before items that are not there any more are believed to be deleted: a REFUSED fault of the
 * folder when the account may not read in it (any more). */
struct fault *endpoint_may_read(struct endpoint *endpoint, TALLOC_CTX *mem,
				const char *folder) ATTR_MUST_CHECK;

/* Which of an account's folders may have changed, by one request for those that stand side by side.
 * A folder that is not `moved` holds what it held at the notice that gave its token; one that is not
 * there any more is `moved` (endpoint_notice() says what became of it, N5). A fault is of the account
 * or wider: the server did not answer, or refused the login. */
struct fault *endpoint_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			     struct endpoint_sweep *folders, size_t count) ATTR_MUST_CHECK;

/* True when this kind of server has traits: the next three are of use. */
bool endpoint_can_learn(const struct endpoint *endpoint);

/* Finds out what the server does, by trying it in a place that is made for that purpose, marked as
 * such, and removed in the end; touches nothing else. What cannot be found out stays unknown. A
 * fault only where every other request of this account would meet it as well (no answer from the
 * beginning, a refused login, the end of the process): then nothing is known, and it is tried again
 * some time. */
struct fault *endpoint_learn(struct endpoint *endpoint, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* What is kept of the server, in place of what this endpoint knew; NULL: nothing. */
void endpoint_know(struct endpoint *endpoint, const char *traits);

/* What has been found out about the server that is otherwise than what it was told to know, for the
 * endpoint's maker to keep; from now on it counts as told. NULL: nothing. */
char *endpoint_traits(struct endpoint *endpoint, TALLOC_CTX *mem);

/* Whether the server keeps files beside items (RFC 8607). Asked once, unless it is known. */
struct fault *endpoint_attaches(struct endpoint *endpoint, TALLOC_CTX *mem,
				bool *attaches_r) ATTR_MUST_CHECK;

/* Gives a file to an item. The item's text changes: it gets an ATTACH line with a MANAGED-ID, and
 * another version; read it back. CHANGED: the item is another version; REFUSED and FULL: the server
 * does not want the file; maybe_done where no answer came: the item tells. */
struct fault *endpoint_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      const struct endpoint_attach *attach) ATTR_MUST_CHECK;

/* The bytes of a file that the server keeps, by the URI of its ATTACH line, or of a message's part
 * that has a stand-in, by "SECTION ADDRESS". DATA fault of the item,
 * which is not worth a retry: it is elsewhere than on this server, or has more than MAX bytes. */
struct fault *endpoint_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *uri, size_t max, char **bytes_r,
				size_t *len_r) ATTR_MUST_CHECK;

/* Where the account's folders are made, for the endpoint's maker to remember and give to the next
 * endpoint of that account. If it is not known: found out now with FIND, else *PLACE_R is NULL; so it
 * is where this kind of server has no such thing. A fault reaches the account at least. */
struct fault *endpoint_place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			     struct endpoint_place **place_r) ATTR_MUST_CHECK;

/* True when this kind of server may tell of changes by itself. */
bool endpoint_can_listen(const struct endpoint *endpoint);

/* Begins to listen for changes of COUNT folders (at least one), the most important one first:
 * `moved` and `asked` are not used. The ear's `changed`: in one of those that it tells of
 * something has come since the last endpoint_notice() of that folder by this endpoint, or, where it
 * has made none, since the one that gave the token (neither: always true); so look again; then it
 * does not listen. `fd` -1 and no change: this server does not tell (which is known only now), look
 * from time to time; so it is with the folders behind `count`. No other operation may be called
 * while it listens, but endpoint_heard(), endpoint_hush(), endpoint_follow() and endpoint_rest().
 * UNREACHABLE fault: the connection has gone; the next operation makes another. */
struct fault *endpoint_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			      size_t count, struct endpoint_ear *ear_r) ATTR_MUST_CHECK;

/* The descriptor was readable: takes what has come, without waiting. *CHANGED_R false: nothing of
 * interest, go on listening. True: endpoint_hush(), and look. */
struct fault *endpoint_heard(struct endpoint *endpoint, bool *changed_r) ATTR_MUST_CHECK;

/* Ends listening; harmless when it does not listen. */
struct fault *endpoint_hush(struct endpoint *endpoint) ATTR_MUST_CHECK;

/* The same, for a look that follows at once: what was asked ahead, by the endpoint_heard() just before
 * (HEARD) or by this call, serves the first endpoint_notice(), which then tells of the moment of that call,
 * not of its own. */
struct fault *endpoint_follow(struct endpoint *endpoint, bool heard) ATTR_MUST_CHECK;

/* Lets its connections go, and listening with them; the next operation makes others. Takes a moment
 * (a farewell). */
void endpoint_rest(struct endpoint *endpoint);

struct endpoint_stats endpoint_stats(struct endpoint *endpoint);

#endif
