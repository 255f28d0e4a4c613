/* imap_session_private.h - what the files of the session share. */
#ifndef TASKFERRY_IMAP_SESSION_PRIVATE_H
#define TASKFERRY_IMAP_SESSION_PRIVATE_H

#include "base/buf.h"
#include "gateway/imap/imap_session.h"

#define IMAP_OUT_SIZE 16384 /* bytes of commands gathered before they are sent: a TLS record */
#define IMAP_OUT_MOST 65536 /* the same where there are more: by the record Cyrus takes longer */
#define IMAP_IN_KEPT 1024   /* bytes of input buffer that a parked session keeps */
#define IMAP_IN_BUSY ((size_t)64 << 10)   /* and one between two commands */
#define IMAP_WORDS_MAX ((size_t)16 << 10) /* bytes of capabilities or flags that we keep */
#define IMAP_LITERAL_MINUS_MAX 4096       /* RFC 7888 section 5 */
#define IMAP_INPUT_MAX                                                                             \
	(2 * IMAP_RESPONSE_MAX) /* bytes that a server may answer while it does not take ours */
#define IMAP_WINDOW_BYTES                                                                          \
	((size_t)256                                                                               \
	 << 10) /* of pipelined commands under way: about what buffers on the way hold */

/* ---- lines ---- */

enum imap_piece_kind {
	IMAP_PIECE_TEXT,
	IMAP_PIECE_LITERAL,
	IMAP_PIECE_REPLY, /* what follows the server's `+`: AUTHENTICATE */
};

struct imap_piece {
	enum imap_piece_kind kind;
	bool secret; /* wiped when freed, and wherever it has been */
	struct buf bytes; /* the line's, or of imap_line_borrow() */
};

struct imap_line {
	struct imap_piece *pieces;
	size_t count;
	size_t size; /* bytes of all pieces */
	bool writes, secret;
	bool fetches;        /* UID FETCH, UID STORE: FETCH responses with a UID are its own */
	const char *refused; /* why it cannot be sent, or NULL */
};

/* A string that is wiped when the line is freed; quoted or literal like others. */
void imap_line_secret(struct imap_line *line, const char *text);
/* N bytes as they are, wiped likewise: text of the line, or what is sent after a `+`. */
void imap_line_secret_bytes(struct imap_line *line, enum imap_piece_kind kind, const char *bytes,
			    size_t n);

/* ---- the session ---- */

struct imap_session {
	struct stream *stream;
	struct points *points;
	int32_t command_ms;
	int64_t until_ms; /* monotonic end of whatever is under way; 0: none but the command's */
	uint64_t without;

	struct buf *in; /* bytes read */
	size_t used;    /* of them: taken */
	struct imap_frame frame;
	char *out; /* while something is under way, else NULL */
	size_t out_len, out_size;

	unsigned last_tag;
	struct secret *password, *blob; /* what no text may show: itself, and as base64 */
	const char *login; /* by which mechanism it logged in */
	struct fault *broken;           /* why nothing works any more */
	bool logging_in;                /* what BYE means then */
	bool leaving;                   /* after LOGOUT a BYE is what we want */

	bool resyncs; /* QRESYNC is enabled */

	char *caps;
	uint64_t can;
	char *server, *prefix;
	char delimiter;

	struct imap_selected selected; /* its texts belong to `selected_mem` */
	TALLOC_CTX *selected_mem;
	bool selecting;

	int64_t compress_after; /* bytes; INT64_MAX: never */

	bool idle;
	bool idle_left; /* DONE is said, its answer not read */
	unsigned idle_tag;

	struct imap_waiting *waiting; /* what was sent and is not received; NULL: never anything */

	int64_t commands, writes;
};

/* Monotonic milliseconds. */
int64_t imap_session_now_ms(void);

/* imap_auth.c: logs in by the best way that the options allow and the server offers. LOGIN: refused
 * (scope SERVER for a login that is everybody's), or no such way (scope SERVER). BUSY: not now.
 * PROTOCOL: out of step; or (scope SERVER, hold) a server that does not know the password. */
struct fault *imap_auth_login(struct imap_session *session, TALLOC_CTX *work,
			      const struct imap_session_options *options) ATTR_MUST_CHECK;

/* imap_compress.c: before SIZE bytes of commands, while none is under way: says COMPRESS where it is there
 * and pays. A server that refuses is not asked again. */
struct fault *imap_compress_if_it_pays(struct imap_session *session, TALLOC_CTX *mem,
				       size_t size) ATTR_MUST_CHECK;

/* The stream's deadline for the next command. */
void imap_session_arm(struct imap_session *session);

/* Ends the session by FAULT, which moves to MEM; returns it. */
struct fault *imap_session_break(struct imap_session *session, TALLOC_CTX *mem,
				 struct fault *fault);

/* The fault of a broken session, or NULL. */
struct fault *imap_session_sound(struct imap_session *session, TALLOC_CTX *mem) ATTR_MUST_CHECK;

/* TEXT of the server without our password, in any of the forms in which we send it. */
char *imap_session_hide(const struct imap_session *session, TALLOC_CTX *mem, const char *text);

/* Bytes to send: gathered, then sent in one go. */
struct fault *imap_session_put(struct imap_session *session, const char *bytes,
			       size_t n) ATTR_MUST_CHECK;
struct fault *imap_session_flush(struct imap_session *session) ATTR_MUST_CHECK;

/* The next response; waits for it until the deadline. With TAKE_ONLY what has been read already
 * must do: *RESPONSE_R is NULL when it holds no whole response. */
struct fault *imap_session_next(struct imap_session *session, TALLOC_CTX *mem, bool take_only,
				struct imap_response **response_r) ATTR_MUST_CHECK;

/* What an untagged response tells about the session itself; ASKED: a command under way may be the
 * reason of a FETCH. BYE is a fault. */
struct fault *imap_session_note(struct imap_session *session, const struct imap_response *response,
				bool asked) ATTR_MUST_CHECK;

/* "CAPABILITY" as words of a response or a code. */
void imap_session_set_caps(struct imap_session *session, const struct imap_node *words);
bool imap_session_has(const struct imap_session *session, const char *word);

/* `* BYE` as a fault. */
struct fault *imap_session_bye(struct imap_session *session, const struct imap_response *response);

/* The word of a tagged response as a status; false: PREAUTH, BYE. */
bool imap_session_answer(struct imap_session *session, const struct imap_response *response,
			 struct imap_answer *answer_r);

/* The atoms of a list, blank-separated, those that fit into IMAP_WORDS_MAX. */
char *imap_session_words(TALLOC_CTX *mem, const struct imap_node *words);

/* PROTOCOL, scope ACCOUNT. */
struct fault *imap_session_out_of_step(struct imap_session *session, const char *words);

/* Nothing is under way: gives back the buffers, the one for input only when it is empty and larger
 * than KEEP bytes. */
void imap_session_shrink(struct imap_session *session, size_t keep);

/* What SELECT and later responses tell about the mailbox. */
void imap_session_note_selected(struct imap_session *session, const struct imap_response *response,
				bool asked);
/* imap_idle.c: DONE, to be sent with what follows; nothing when it does not idle, or has said so. */
struct fault *imap_session_idle_put_done(struct imap_session *session) ATTR_MUST_CHECK;
/* The code of an OK, tagged or not. */
void imap_session_note_code(struct imap_session *session, const char *code,
			    const struct imap_node *args);

#endif
