/* message.h - a mail message as the carrier of an item (RFC 5322, 2045-2047, 2231): its parts, not
 * their meaning.
 *
 *   multipart/mixed
 *     multipart/alternative
 *       text/plain          the card, for people
 *       text/html           the same words, for programs that show this rather
 *     text/calendar         the VTODO
 *     ...                   a part for each file, and whatever else stands in it
 *
 * Read through libetpan inside of limits (hostile input, N10); written by us: deterministic, 7-bit
 * safe, lines of at most 76 characters in headers (but for a Content-ID, which cannot be folded) and
 * 998 in bodies. What others put into a message (header fields, parts, files) is carried over byte
 * for byte when it is replaced (N4).
 */
#ifndef TASKFERRY_MESSAGE_H
#define TASKFERRY_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/files.h"

#define MESSAGE_TEXT_MAX ((size_t)1 << 20)     /* bytes of a message without its files; DESIGN section 11 */
#define MESSAGE_WHOLE_MAX                                                                          \
	((size_t)64 << 20) /* bytes of a message with its files; DESIGN section 11: what goes to disk */
#define MESSAGE_HEADER_MAX ((size_t)256 << 10) /* bytes of a header, facts: libetpan's own limits */
#define MESSAGE_PARTS_MAX 1000                 /* DESIGN section 11 */
#define MESSAGE_DEPTH_MAX 20                   /* DESIGN section 11 */
#define MESSAGE_COMMENT_DEPTH_MAX 32           /* parentheses in a Content-* field: recursion */
#define MESSAGE_BODY_LINE 998                  /* bytes without the end, RFC 5322 section 2.1.1 */

#define MESSAGE_UID_FIELD "X-Taskferry-UID"
#define MESSAGE_EDITION_FIELD "X-Taskferry-Edition" /* NUMBER-HASH */

/* A message as read. Texts are UTF-8 (what is not is made so), LF only, NUL-terminated; what comes
 * out of the header is one line, encoded words decoded. */
struct message {
	const char *uid;          /* MESSAGE_UID_FIELD, or NULL */
	int64_t edition;          /* of MESSAGE_EDITION_FIELD, 0: none */
	const char *edition_hash; /* or NULL */
	const char *message_id;   /* without < >, as written; or NULL */
	const char *subject;      /* decoded; or NULL */
	const char *agent;        /* User-Agent or X-Mailer, or NULL */

	/* The first text/plain part that is not an attachment and has no file's name; NULL: none.
	 * Of a text/html without a plain one: NULL. Attached messages are not looked into. In lines as
	 * they were before format=flowed broke them (RFC 3676). */
	const char *card;

	/* The first text/calendar (or application/ics) part, decoded, and converted where it says a
	 * charset that it is written in, but otherwise to the byte; NULL: none */
	const char *calendar;
	size_t calendar_len;

	struct files *files; /* parts that are attachments, but the calendar; NULL: none */
};

/* No text may be NULL unless it says so. None of them can add a field to a header: what would end a
 * line becomes a blank. */
struct message_publish {
	const char *uid;
	int64_t edition;
	const char *edition_hash;
	const char *site_host; /* "pm.example.com": right side of Message-ID and From */
	const char *from_name; /* the project's name, any UTF-8 */
	const char *to_name;   /* or NULL */
	const char *to_email;  /* or NULL */
	const char *reply_to;  /* an ASCII address, or NULL: none; one that stands there stays */
	const char *subject;   /* any UTF-8; made one line */
	int64_t now_us;        /* Date of a new message */
	const char *thread;    /* the project: messages of one stand together; NULL: alone */
	const char *card;      /* UTF-8, LF */
	const char *html;      /* the card as HTML, UTF-8, LF; NULL: none */
	const char *calendar;  /* CRLF as vtodo_encode() and vtodo_patch() give it */
	size_t calendar_len;
	/* files that shall stand in it, with their bytes: added where they do not; and the ids
	 * (files_id()) of those that go. All others stay. */
	const struct files_content *files;
	size_t file_count;
	const char *const *gone;
	size_t gone_count;
};

/* Reads a message; TEXT needs no NUL behind it. DATA fault (scope ITEM, HOLD): over the limits, no
 * header. A message without card and calendar is no fault. */
struct fault *message_parse(TALLOC_CTX *mem, const char *text, size_t len,
			    struct message **message_r) ATTR_MUST_CHECK;

/* The bytes of the file of that digest. DATA fault: there is none, or as message_parse(). */
struct fault *message_file_bytes(TALLOC_CTX *mem, const char *text, size_t len, const char *digest,
				 char **bytes_r, size_t *len_r) ATTR_MUST_CHECK;

/* A new message: Message-ID `<UID.EDITION@SITE_HOST>`, From `"FROM_NAME" <taskferry@SITE_HOST>`,
 * To, Subject, Date (UTC), References `<project.THREAD@SITE_HOST> <UID@SITE_HOST>` (the same in all
 * editions, so that these and answers to them stand together, and tasks of a project), the two fields of ours, MIME-Version; a boundary made of UID and edition
 * that occurs in no part. No To without an ASCII address (text_is_address()), no edition of 0; a
 * UID or host that a Message-ID cannot hold is replaced there by a digest or a slug. Texts that are
 * 7-bit with lines of at most MESSAGE_BODY_LINE bytes go as they are, else quoted-printable (card)
 * or base64 (calendar, charset=UTF-8). Files follow as attachments in base64, whose Content-ID is
 * `<DIGEST@SITE_HOST>`. CR LF. DATA fault: over the limits. */
struct fault *message_write(TALLOC_CTX *mem, const struct message_publish *publish, char **text_r,
			    size_t *len_r) ATTR_MUST_CHECK;

/* The same message with the texts that PUBLISH says: header fields that are not ours and parts that
 * are neither card nor calendar stay byte for byte, Date too; Message-ID, References, Subject, To,
 * From and our
 * fields are written anew where they stand (To and the edition stay when PUBLISH has none). A
 * single-part message, or one whose top is not multipart/mixed, or is broken, becomes a
 * multipart/mixed whose third part is what it was, with its Content-* fields, when it was neither
 * card nor calendar. A card inside of a multipart/alternative replaces the whole alternative; files
 * and other things than text/html in that follow behind it. message_parse() of the result gives
 * PUBLISH's card and calendar, and the same patch of the result the same text. DATA fault: over the
 * limits. */
struct fault *message_patch(TALLOC_CTX *mem, const char *text, size_t len,
			    const struct message_publish *publish, char **text_r,
			    size_t *len_r) ATTR_MUST_CHECK;

#endif
