/* imap_session.h - one logged-in IMAP connection (RFC 3501, 2177, 4315, 4959, 7162, 7888, 3502).
 *
 *   open: connect -> greeting -> [STARTTLS] -> AUTHENTICATE or LOGIN -> CAPABILITY -> NAMESPACE
 *   then commands, one after the other or pipelined; SELECT; IDLE and DONE
 *
 * A session is used by one thread at a time. Faults: a tagged NO or BAD is the command's own
 * (`struct imap_answer`), not a fault of the session. A fault means that the session is of no use
 * any more: UNREACHABLE (closed, deadline, BYE), LOGIN, TLS, PROTOCOL (not a response, over the
 * limits, out of step), TRY_LATER (the stop descriptor). After one, every further call returns a
 * fault at once. No password is ever in a fault's text (N8). A fault of a function without a MEM
 * belongs to the session: who frees that first moves the fault before (talloc_steal).
 *
 * Two faults leave the session sound, because nothing is out of step: a line that is refused before
 * it is sent (DATA, scope ITEM), and what the caller's own imap_each returned.
 */
#ifndef TASKFERRY_IMAP_SESSION_H
#define TASKFERRY_IMAP_SESSION_H

#include "base/clock.h"
#include "base/point.h"
#include "base/secret.h"
#include "conf/conf_imap.h"
#include "gateway/imap/imap_response.h"
#include "gateway/net/stream.h"

#define IMAP_COMMAND_MS 60000 /* DESIGN section 11: a command's absolute deadline */
#define IMAP_BATCH_MS 600000  /* DESIGN section 11: a batch's */
/* Bytes moved or about to be, after which the rest of a session is compressed (RFC 4978): fewer do
 * not pay for the round trip and the 74 KB of memory. */
#define IMAP_COMPRESS_AFTER ((int64_t)64 << 10)
#define IMAP_WINDOW 100       /* commands under way at once when pipelined */

/* In the order of the table, so that a bit 1 << IMAP_CAP_x is CONF_IMAP_BIT(x). */
enum imap_cap {
#define X(id, word) IMAP_CAP_##id,
	CONF_IMAP_TABLE(X)
#undef X
		IMAP_CAPS
};

/* The word of CAPABILITY. */
const char *imap_cap_word(enum imap_cap cap);

/* How an account is known to its server. */
enum imap_auth {
	IMAP_AUTH_PASSWORD, /* the best of the next three that the server offers */
	IMAP_AUTH_SCRAM,
	IMAP_AUTH_PLAIN,
	IMAP_AUTH_LOGIN,      /* the LOGIN command, else AUTHENTICATE LOGIN */
	IMAP_AUTH_BEARER,     /* the password is a token: OAUTHBEARER, else XOAUTH2 */
	IMAP_AUTH_CERTIFICATE, /* EXTERNAL, by tls_cert */
	IMAP_AUTHS
};

struct imap_session;

struct imap_session_options {
	const char *host;
	int port;
	bool tls;      /* imaps:// */
	bool starttls; /* imap://: demanded, except to loopback unless the configuration says so:
			       the caller has decided */
	const char *tls_ca; /* or NULL */
	const char *tls_cert, *tls_key, *tls_pin; /* or NULL: stream.h */
	struct trusts *trusts;
	int stop_fd; /* -1: none */
	enum imap_auth auth;
	const char *user;
	const char *authorize; /* who is acted for; NULL: the user */
	bool master; /* the login is one for many people: a refusal is the server's affair */
	const struct secret *password; /* outlives the call of open only; CERTIFICATE: NULL */
	struct clock *clock;           /* unused: deadlines are on the monotonic clock */
	struct points *points;         /* may be NULL */
	int32_t command_ms;            /* 0: IMAP_COMMAND_MS; tests want less */
	int64_t compress_after;        /* bytes moved; 0: IMAP_COMPRESS_AFTER, and never to
					  loopback; tests want less */
	uint64_t without;              /* bits 1 << enum imap_cap: as if the server had it not */
};

struct imap_stats {
	int64_t commands, writes, sent_bytes, received_bytes;
};

/* A password is sent only over TLS or to loopback: else CONFIG fault (N9). LOGIN: refused; its text
 * is the server's. A server that answers the login with [UNAVAILABLE] or [INUSE] is BUSY,
 * with [LIMIT] CROWDED, not LOGIN. */
struct fault *imap_session_open(TALLOC_CTX *mem, const struct imap_session_options *options,
				struct imap_session **session_r) ATTR_MUST_CHECK;

/* Says LOGOUT if the session is sound, waits at most a second, and frees it. NULL is allowed;
 * *SESSION becomes NULL. talloc_free() closes without a word. */
void imap_session_close(struct imap_session **session);

bool imap_session_can(const struct imap_session *session, enum imap_cap cap);
const char *imap_session_caps(const struct imap_session *session);   /* as the server wrote them */
const char *imap_session_server(const struct imap_session *session); /* greeting or ID, or "" */
/* Asks it for its ID (RFC 2971), if it has one. */
struct fault *imap_session_ask_server(struct imap_session *session, TALLOC_CTX *mem) ATTR_MUST_CHECK;
const char *imap_session_login(const struct imap_session *session);  /* how: "SCRAM-SHA-256" */

/* True for one that has moved much. It is not for parking: it takes more memory than a watched mailbox
 * may, and Dovecot cannot put it to sleep; end it, and open another. */
bool imap_session_is_compressed(const struct imap_session *session);

/* The personal namespace: what stands before every mailbox name ("" or "INBOX."), and the
 * delimiter ('\0': flat). */
const char *imap_session_prefix(const struct imap_session *session);
char imap_session_delimiter(const struct imap_session *session);

/* A server without NAMESPACE that lets no folder be made at the top may let it be made below INBOX, as
 * Courier does: from here on that is the prefix. False: it is not for us to guess, or was guessed. */
bool imap_session_guess_prefix(struct imap_session *session);

struct imap_stats imap_session_stats(const struct imap_session *session);

/* ---- commands ----
 *
 * A line is built of pieces; the tag and the line end are added when it is sent. */

struct imap_line;
/* WORDS: our own text, visible at the call ("UID FETCH "). WRITES: it changes something on the
 * server (fault points; a lost answer is maybe_done). */
struct imap_line *imap_line_new(TALLOC_CTX *mem, const char *words, bool writes);
void imap_line_add(struct imap_line *line, const char *fmt, ...) ATTR_PRINTF(2, 3); /* our own text:
	asserts that it holds no CR, LF, NUL or 8-bit character */
/* A string from outside: quoted where it may be, a literal where it holds CR, LF, '"', '\\', 8-bit
 * or more than 1000 bytes. NUL: the line is refused when it is sent (DATA, scope ITEM). */
void imap_line_string(struct imap_line *line, const char *text);
/* A mailbox name in UTF-8, in modified UTF-7 on the wire, likewise. */
void imap_line_mailbox(struct imap_line *line, const char *name);
void imap_line_literal(struct imap_line *line, const char *bytes, size_t n);
/* The same with BYTES that stay where they are as long as the line does. */
void imap_line_borrow(struct imap_line *line, const char *bytes, size_t n);

/* How the server ended a command. */
enum imap_result { IMAP_OK, IMAP_NO, IMAP_BAD };

struct imap_answer {
	enum imap_result status;
	const char *code; /* in upper case, or NULL */
	const struct imap_node *code_args;
	const char *text;
};

/* Gets each untagged response that arrives while commands are under way, whoever asked for it; it
 * lives as long as the call. A fault ends the run (the session stays sound: what still comes is read
 * and dropped, no further command is sent). May be NULL. */
typedef struct fault *imap_each(void *context, const struct imap_response *response);

/* Sends one command and waits for its end. The answer belongs to MEM. */
struct fault *imap_session_run(struct imap_session *session, TALLOC_CTX *mem,
			       const struct imap_line *line, imap_each *each, void *context,
			       struct imap_answer *answer_r) ATTR_MUST_CHECK;

/* COUNT commands, pipelined by at most IMAP_WINDOW where the server needs not be waited for
 * (literals: LITERAL+), one by one else. ANSWERED_R (told on a fault too): how many of the first
 * have an answer, and those ANSWERS are filled in; the next ones may have been carried out
 * (`maybe_done`: one that writes went out whole and has no answer). */
struct fault *imap_session_run_all(struct imap_session *session, TALLOC_CTX *mem,
				   struct imap_line *const *lines, size_t count, imap_each *each,
				   void *context, struct imap_answer *answers,
				   size_t *answered_r) ATTR_MUST_CHECK;

/* Commands that have been sent, and whose answers are for later. Freeing it waits for them, unless the
 * session is broken or gone. */
struct imap_sent;

/* Sends COUNT commands, of which none may have to wait for a `+` (imap_session_sends()), and returns.
 * LINES stay until SENT is freed. What goes wrong from here on is told by imap_session_receive(). Other
 * commands may follow: each waits first for the answers to all that was sent before. A session that
 * idles says DONE in the same piece. EACH (or NULL) gets what comes until the answers are there; its
 * faults are no reason to stop. A fault: nothing was sent. */
struct fault *imap_session_send(struct imap_session *session, TALLOC_CTX *mem,
				struct imap_line *const *lines, size_t count, imap_each *each,
				void *context, struct imap_sent **sent_r) ATTR_MUST_CHECK;
bool imap_session_sends(const struct imap_session *session, struct imap_line *const *lines,
			size_t count);

/* Waits for the answers, as imap_session_run_all(); GONE_R: so many of the first commands may have
 * reached the server. The answers belong to SENT. */
struct fault *imap_session_receive(struct imap_sent *sent, TALLOC_CTX *mem,
				   struct imap_answer *answers, size_t *answered_r,
				   size_t *gone_r) ATTR_MUST_CHECK;

/* True while answers to what was sent are still to come. */
bool imap_session_awaits(const struct imap_session *session);

/* A command's answer as a fault of the scope given, as imap_outcome.h says: NULL for OK. WHAT: the
 * command's name. */
struct fault *imap_answer_fault(TALLOC_CTX *mem, const struct imap_answer *answer,
				enum fault_scope scope, const char *what);

/* ---- the selected mailbox ---- */

/* What SELECT told, and what unsolicited responses told since. */
struct imap_selected {
	const char *mailbox;           /* UTF-8; NULL: none */
	uint32_t uidvalidity, uidnext; /* uidnext 0: not told */
	uint32_t exists;
	uint64_t highestmodseq; /* 0: no CONDSTORE on this mailbox */
	bool read_only;
	bool any_keyword;            /* PERMANENTFLAGS has \* */
	const char *mailbox_id;      /* RFC 8474; NULL: not told, or none that can be */
	const char *permanent_flags; /* as the server wrote them, blank-separated; NULL: not told */
	bool uidnext_found; /* SELECT did not tell it: it is behind the last message's */
	uint64_t changes; /* since SELECT: counts EXISTS, EXPUNGE, VANISHED, and FETCH responses
			      that nobody had asked for (those without a UID, with a mod-sequence
			      above HIGHESTMODSEQ, or while no UID FETCH or UID STORE is under way): if it moved, look again. Too often is
			      harmless, so our own APPEND and EXPUNGE count as well */
};

/* Selects (with CONDSTORE where it is there); no command when MAILBOX is selected already and
 * AGAIN is false. ANSWER_R tells NO (it is not there). */
struct fault *imap_session_select(struct imap_session *session, TALLOC_CTX *mem,
				  const char *mailbox, bool again,
				  struct imap_answer *answer_r) ATTR_MUST_CHECK;

/* The same, with what has changed since a mod-sequence of the same UIDVALIDITY (RFC 7162 section
 * 3.2.5): EACH gets the responses, VANISHED (EARLIER) and FETCH among them; what came before an
 * `OK [CLOSED]` is of another mailbox. Only where imap_session_resyncs(). */
struct imap_resync {
	uint32_t uidvalidity;
	uint64_t modseq;
	imap_each *each;
	void *context;
	bool told; /* out: a SELECT was sent with it, and carried out */
};
struct fault *imap_session_select_since(struct imap_session *session, TALLOC_CTX *mem,
					const char *mailbox, bool again, struct imap_resync *resync,
					struct imap_answer *answer_r) ATTR_MUST_CHECK;
bool imap_session_resyncs(const struct imap_session *session);

/* Both halves of the same, for imap_session_send(): the line, which is to be sent now, as the last one;
 * and what follows from its answer. RESYNC's EACH is the caller's to call. */
struct imap_line *imap_session_select_line(struct imap_session *session, TALLOC_CTX *mem,
					   const char *mailbox, const struct imap_resync *resync);
struct fault *imap_session_select_done(struct imap_session *session, TALLOC_CTX *mem,
				       struct imap_resync *resync,
				       const struct imap_answer *answer) ATTR_MUST_CHECK;

const struct imap_selected *imap_session_selected(const struct imap_session *session);

/* Opens a mailbox for a look that leaves no trace (EXAMINE): whatever its ANSWER_R, none counts as selected.
 * MAILBOX NULL: the look is over, which has to be said behind the last OK, and only there; ANSWER_R is not
 * used then. */
struct fault *imap_session_examine(struct imap_session *session, TALLOC_CTX *mem,
				   const char *mailbox,
				   struct imap_answer *answer_r) ATTR_MUST_CHECK;

/* No mailbox is selected any more (RFC 3691: nothing is expunged by that); no command when none is.
 * Only with IMAP_CAP_UNSELECT. */
struct fault *imap_session_unselect(struct imap_session *session, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* ---- IDLE ---- */

/* Says IDLE and waits for the `+`. *WOKEN_R: something came in the same breath (a change of the
 * selected mailbox); the session idles all the same. A server that says NO or BAD: REFUSED or
 * PROTOCOL, and the session is sound and not idle. One that ends IDLE by itself, now or later: woken,
 * and not idle any more. */
struct fault *imap_session_idle(struct imap_session *session, bool *woken_r) ATTR_MUST_CHECK;

/* A parked session became readable: takes what is there, without waiting, and not more than some
 * 64 KiB of it at once (a flood keeps nobody busy for ever: what is left is readable, or makes it
 * "not drained"). *WOKEN_R: a change of the mailbox, or IDLE ended; false: only "* OK Still here". */
struct fault *imap_session_idle_ready(struct imap_session *session, bool *woken_r) ATTR_MUST_CHECK;

/* The same while no command is under way (NOTIFY): EACH gets every response. Its faults are no reason
 * to stop here. */
struct fault *imap_session_ready(struct imap_session *session, imap_each *each,
				 void *context) ATTR_MUST_CHECK;

/* Says DONE and waits for nothing, so that its answer is on its way while others work; the session is
 * still idle. Nothing happens when it is not, or when DONE was said. */
struct fault *imap_session_idle_leave(struct imap_session *session) ATTR_MUST_CHECK;

/* Says DONE and waits for the end of IDLE; nothing happens when it is not idle. */
struct fault *imap_session_idle_end(struct imap_session *session) ATTR_MUST_CHECK;
bool imap_session_is_idle(const struct imap_session *session);
int imap_session_fd(const struct imap_session *session);

/* True when no whole response is left in the frame buffer and nothing inside of TLS: it may be
 * parked on its descriptor. */
bool imap_session_is_drained(struct imap_session *session);

#endif
