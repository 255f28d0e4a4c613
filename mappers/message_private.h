/* message_private.h - what the files of the message mapper share. Not for others. */
#ifndef TASKFERRY_MESSAGE_PRIVATE_H
#define TASKFERRY_MESSAGE_PRIVATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "mappers/message.h"
#include "mappers/message_elide.h"

#define MESSAGE_NONE UINT32_MAX /* no part */
#define MESSAGE_BASE64_LINE 57 /* bytes that make 76 characters, RFC 2045 section 6.8 */
#define MESSAGE_HEADER_LINE 76  /* characters of a header line, RFC 2047 section 2 */

/* A DATA fault that holds one item. */
struct fault *message_fault(TALLOC_CTX *mem, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* message_tree.c: where everything stands in a text. Nothing is copied, nothing decoded. */

/* A header field with its folds and line end: [from, to). */
struct message_field {
	size_t from, to;
	size_t name_len;
	size_t value; /* behind the colon */
};

enum message_encoding {
	MESSAGE_IDENTITY, /* 7bit, 8bit, binary, or nothing said */
	MESSAGE_QUOTED_PRINTABLE,
	MESSAGE_BASE64,
	MESSAGE_OPAQUE, /* some other */
	MESSAGE_ENCODINGS
};

/* What the Content-* fields of a part say. */
struct message_kind {
	const char *type;     /* "text/plain", lower case; "" when it cannot be read */
	const char *charset;  /* or NULL */
	const char *boundary; /* of a multipart; NULL when there is none that can be used */
	enum message_encoding encoding;
	bool file; /* an attachment, or has a file's name */
	bool flowed, delsp; /* RFC 3676 */
};

struct message_part {
	size_t from, to; /* header and body, without the delimiter lines around it */
	size_t body;     /* where its body begins */
	uint32_t parent; /* MESSAGE_NONE: the message itself */
	uint32_t past;   /* the index behind its last part */
	struct message_kind kind;
	bool split; /* a multipart in which delimiters were found: its parts follow it */
};

struct message_tree {
	const char *text; /* the caller's; it must live as long as this does */
	size_t len;
	struct message_part *parts; /* as they stand in the text; the first is the message */
	uint32_t count;
	uint32_t card, calendar; /* the parts that hold them, or MESSAGE_NONE */
};

/* DATA fault: over the limits, no header. */
struct fault *message_tree_parse(TALLOC_CTX *mem, const char *text, size_t len,
				 struct message_tree **tree_r) ATTR_MUST_CHECK;

/* The field that begins at AT, which lies before END; false: what stands there is none, so the
 * header ends. */
bool message_field_read(const char *text, size_t at, size_t end, struct message_field *field_r);

/* The first field NAME between FROM and END; false: there is none. */
bool message_field_find(const char *text, size_t from, size_t end, const char *name,
			struct message_field *field_r);

bool message_field_is(const char *text, const struct message_field *field, const char *name);

/* A multipart that only arranges its parts: mixed, alternative, related. */
bool message_part_arranges(const struct message_part *part);

/* message_mime.c: the meaning of header fields. All that touches libetpan. */

/* KIND_R as the fields between FROM and END say; TYPE where nothing is said. DATA fault: comments
 * over the limit. */
struct fault *message_mime_kind(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
				const char *type, struct message_kind *kind_r) ATTR_MUST_CHECK;

/* The value of a field as one line of UTF-8 without blanks at its ends, encoded words decoded (RFC
 * 2047); NULL when there is no field NAME. */
char *message_mime_words(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
			 const char *name);

/* The value of a field, unfolded, without comments; NULL when there is no field NAME, or it is over
 * the limits. */
char *message_mime_value(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
			 const char *name);

/* Encoded words decoded (RFC 2047). */
char *message_mime_decode(TALLOC_CTX *mem, const char *text);

/* Leniently: what is no base64 is skipped, the padding ends it. */
char *message_mime_base64(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r);

/* message_body.c: transfer encodings and character sets. */

/* The body of PART without its transfer encoding, which is not MESSAGE_OPAQUE. A NUL stands behind
 * it. */
char *message_body_decode(TALLOC_CTX *mem, const struct message_tree *tree,
			  const struct message_part *part, size_t *len_r);

/* The bytes from CHARSET in UTF-8, what is none in it as U+FFFD; *CLEAN_R false then. NULL: not a
 * charset that we convert, or it is UTF-8 already. */
char *message_body_convert(TALLOC_CTX *mem, const char *charset, const char *bytes, size_t len,
			   size_t *len_r, bool *clean_r);

/* message_flow.c: the lines of a text in format=flowed (RFC 3676, LF only) as they were before they
 * were broken and guarded; DELSP: the blanks at which they are broken are none of theirs. */
char *message_flow_join(TALLOC_CTX *mem, const char *text, bool delsp);

/* Texts that lines of a body must not look like: "--" and any of these. */
struct message_boundaries {
	const char *names[MESSAGE_DEPTH_MAX + 1];
	size_t count;
};

/* Header and body of a part that holds the card, or the calendar. BOUNDARIES may be NULL. */
void message_body_card(struct buf *out, const struct message_publish *publish,
		       const struct message_boundaries *boundaries);
void message_body_calendar(struct buf *out, const char *calendar, size_t len,
			   const struct message_boundaries *boundaries);

/* Adds bytes in base64, without line ends. */
void message_body_base64(struct buf *out, const char *bytes, size_t len);

/* The same in lines. */
void message_body_lines(struct buf *out, const char *bytes, size_t len);

/* The card in the form in which it is carried: well-formed UTF-8, LF only. */
char *message_body_plain(TALLOC_CTX *mem, const char *text, size_t len);

/* message_header.c: fields as we write them, each with its line end. */
enum message_own {
	MESSAGE_FROM,
	MESSAGE_TO,
	MESSAGE_REPLY_TO,
	MESSAGE_SUBJECT,
	MESSAGE_DATE,
	MESSAGE_ID,
	MESSAGE_REFERENCES,
	MESSAGE_UID,
	MESSAGE_EDITION,
	MESSAGE_VERSION,
	MESSAGE_OWNS
};

const char *message_header_name(enum message_own own);

/* Adds the field; false, and nothing, where PUBLISH has nothing to say: To without an address,
 * References without a thread, an edition of 0. What is made on the way is left to TMP. */
bool message_header_add(TALLOC_CTX *tmp, struct buf *out, enum message_own own,
			const struct message_publish *publish);

/* SITE_HOST as it can stand in an address: itself, or a text of MEM. */
const char *message_header_host(TALLOC_CTX *mem, const char *site_host);

/* The Content-Type field of a multipart: "mixed", "alternative". */
void message_header_multipart(struct buf *out, const char *subtype, const char *boundary);

/* message_param.c: parameters of a field's value (RFC 2231). NULL: there is none of that NAME. */
char *message_param(TALLOC_CTX *mem, const char *value, const char *name);

/* Adds `; NAME=VALUE`, on a line of its own, in whatever form VALUE needs. */
void message_param_add(struct buf *out, const char *name, const char *value);

/* message_files.c: files as parts. */
bool message_files_is(const struct message_tree *tree, uint32_t part);
void message_files_read(TALLOC_CTX *mem, const struct message_tree *tree, uint32_t part,
			struct file *file_r);
struct files *message_files_all(TALLOC_CTX *mem, const struct message_tree *tree); /* or NULL */

/* Header and body of a part. */
void message_files_add(struct buf *out, const struct message_publish *publish,
		       const struct files_content *content);

/* True when PART is a file that is to go. */
bool message_files_gone(const struct message_publish *publish, const struct message_tree *tree,
			uint32_t part);

/* True when the publish's I-th file is among STANDING. */
bool message_files_stands(const struct message_publish *publish, const struct files *standing,
			  size_t i);

/* What stands in the message and stays. */
struct files *message_files_standing(TALLOC_CTX *mem, const struct message_publish *publish,
				     const struct message_tree *tree);

/* message_elide.c: true when a stand-in is all that PART holds. */
bool message_elide_read(TALLOC_CTX *mem, const struct message_tree *tree, uint32_t part,
			struct message_standin *standin_r);

/* The Content-ID that a part gets which has none. */
char *message_elide_id(TALLOC_CTX *mem, const struct message_standin *standin);

/* What is known of a file without its bytes; ID: its Content-ID, or NULL. */
void message_elide_file(TALLOC_CTX *mem, const struct message_standin *standin, const char *id,
			struct file *file);

struct message_slice {
	const char *text;
	size_t len;
};

/* A boundary made of UID and edition that does not occur in the texts. WITHIN: "" for that of the
 * message, other words for one within, so that they differ from the start. */
char *message_header_boundary(TALLOC_CTX *mem, const struct message_publish *publish,
			      const char *within, const struct message_slice *texts, size_t count);

#endif
