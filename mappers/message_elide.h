/* message_elide.h - a message without the bytes of its large parts.
 *
 * In the text that is passed about and that the database keeps, the body of a large part is a
 * stand-in, one line that says where the bytes are; all around it, the part's own header included,
 * stands as it stands on the server:
 *
 *     taskferry-part SECTION OCTETS ADDRESS
 *
 *     SECTION   the part's number (RFC 3501 section 6.4.5): "3", "2.1"
 *     OCTETS    of its body in its transfer encoding
 *     ADDRESS   of the message in which it stands, as its endpoint names it
 *
 * Who does what with it:
 *
 *     endpoint_fetch()     makes stand-ins; never of a card or a calendar
 *     message_parse()      gives such a file no digest and no size; its `uri` is "SECTION ADDRESS",
 *                          by which endpoint_download() gives its bytes, its `managed_id` says what
 *                          it is, wherever the part is copied to: "OCTETS <CONTENT-ID>"
 *     message_claims()     our own Content-ID is a digest: with the right number of octets it is
 *                          believed, and nothing is fetched
 *     message_patch()      carries the part over; where it has no Content-ID it gets one, so that
 *                          the copy is known to be one
 *     endpoint_put()       sends the bytes of the parts that are named, or has the server copy them
 *
 * A text in which somebody else wrote such a line names parts of messages in that person's own
 * folder at worst; what it claims to be is believed of agreed files only.
 */
#ifndef TASKFERRY_MESSAGE_ELIDE_H
#define TASKFERRY_MESSAGE_ELIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "model/files.h"

/* Octets of a body from which on it is elided; on replacement the server copies what is. */
#define MESSAGE_ELIDE_MIN ((int64_t)64 << 10)

/* The same, of a message that would be longer than MESSAGE_TEXT_MAX otherwise. */
#define MESSAGE_ELIDE_LESS ((int64_t)4 << 10)

/* True when FILE, whose bytes are not in its text, says that it is KNOWN, as we wrote it. */
bool message_claims(const struct file *file, const struct file *known);

/* A body that is elsewhere. */
struct message_standin {
	const char *section, *address;
	int64_t octets;
};

/* A text in order: bytes of it, or a stand-in's place. */
struct message_piece {
	const char *text; /* NULL: `standin` */
	size_t len;
	struct message_standin standin;
};

/* Takes a text apart; one piece when it has no stand-ins. The pieces point into TEXT. DATA fault: no
 * message, or with its parts over MESSAGE_WHOLE_MAX. */
struct fault *message_elide_pieces(TALLOC_CTX *mem, const char *text, size_t len,
				   struct message_piece **pieces_r,
				   size_t *count_r) ATTR_MUST_CHECK;

/* What a server says of a part that is not a multipart. */
struct message_section {
	const char *section;
	int64_t octets;
};

/* In TEXT, the beginning of a message: the first part that can be elided: of MIN octets by SECTIONS
 * at least, neither card nor calendar, not elided yet, its header whole. False: there is none so
 * far. *BODY_R: where its body begins. */
bool message_elide_next(TALLOC_CTX *mem, const char *text, size_t len,
			const struct message_section *sections, size_t count, int64_t min,
			size_t *body_r, struct message_section *section_r);

/* The line that takes the place of its body. */
char *message_elide_line(TALLOC_CTX *mem, const struct message_section *section,
			 const char *address);

/* True when every line of that kind in TEXT is all of a part's body, and there are COUNT. */
bool message_elide_sound(TALLOC_CTX *mem, const char *text, size_t len, size_t count);

/* ---- of a whole text ---- */

/* Elides what has MIN octets. */
char *message_elide_all(TALLOC_CTX *mem, const char *text, size_t len, const char *address,
			int64_t min, size_t *len_r);

/* The body of a part in its transfer encoding, in TEXT; false: there is no such part. */
bool message_elide_find(TALLOC_CTX *mem, const char *text, size_t len, const char *section,
			const char **body_r, size_t *body_len_r);

/* The same, decoded; NULL: there is no such part, or nobody knows its encoding. */
char *message_elide_decoded(TALLOC_CTX *mem, const char *text, size_t len, const char *section,
			    size_t *len_r);

#endif
