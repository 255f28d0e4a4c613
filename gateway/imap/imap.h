/* imap.h - the IMAP endpoint: messages as items.
 *
 * Addresses are "UIDVALIDITY.UID" with ten digits each, so that they sort by arrival; a message's
 * text never changes, so its version is its address, and behind a blank its marks where it has any
 * ("0000000001.0000000007 $Done \Flagged"). Tokens: "UIDVALIDITY UIDNEXT EXISTS SIGN", where SIGN
 * tells of changed flags: "m" and HIGHESTMODSEQ, or "d" and a digest of all marks. Messages in the
 * mailbox for tasks that are done have a "d" before their address, and its numbers follow in the
 * token behind " / " ("-": there is no such mailbox). Folders are mailbox names in UTF-8. A replacement is APPEND with flags (but not \Deleted), keywords and
 * INTERNALDATE carried over; the old message is left for the caller to remove (M7), who records
 * first where the new one stands.
 */
#ifndef TASKFERRY_IMAP_H
#define TASKFERRY_IMAP_H

#include "base/clock.h"
#include "gateway/endpoint.h"
#include "gateway/imap/imap_session.h"
#include "gateway/net/stream.h"

/* Bodies per command: twenty of the longest come within a command's deadline over a slow line.
 * Commands are pipelined, so that more would not be faster. */
#define IMAP_FETCH_MAX 20
#define IMAP_ITEM_MAX ((size_t)1 << 20)           /* bytes of one message that we keep */
#define IMAP_WHOLE_MAX ((size_t)96 << 10) /* bytes of one that is read at once: none but large parts
					      * make it longer (mappers/message_elide.h) */
#define IMAP_APPEND_BATCH_BYTES ((size_t)4 << 20) /* of one MULTIAPPEND: it fails as a whole */

typedef struct fault *imap_renew(void *context, const struct secret **token_r);

struct imap_account {
	const char *url; /* imaps://host[:port] or imap://host[:port] */
	bool starttls;   /* STARTTLS on loopback too; elsewhere imap:// always does */
	enum imap_auth auth;
	const char *user;
	const char *authorize;         /* who is acted for; NULL: the user */
	bool master;                   /* one login for many people */
	const struct secret *password; /* copied: the endpoint may live long; CERTIFICATE: NULL */
	/* BEARER: a new token after a refusal, not within a minute of the last; or NULL. The token
	 * belongs to whoever made it, and is copied. */
	imap_renew *renew;
	void *renew_context;
	const char *tls_ca, *tls_cert, *tls_key, *tls_pin; /* stream.h */
	struct trusts *trusts;
	int stop_fd;        /* -1: none */
	int32_t command_ms; /* 0: IMAP_COMMAND_MS */
	/* The mailbox below a folder's for messages of tasks that are done: its messages belong to the
	 * folder, with the mark "/Done". One level, in UTF-8; NULL: there is none. */
	const char *done_folder;
	int64_t compress_after; /* 0: as imap_session.h has it; for tests */
	uint64_t without;   /* capabilities to do without, bits 1 << enum imap_cap */
};

/* Nothing is sent yet: the first operation connects; one that finds the connection broken before it
 * wrote anything connects anew, once. CLOCK, POINTS and TRUSTS outlive it. Freeing says LOGOUT. */
struct endpoint *imap_new(TALLOC_CTX *mem, struct clock *clock, struct points *points,
			  const struct imap_account *account);

#endif
