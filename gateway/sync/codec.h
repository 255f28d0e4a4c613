/* codec.h - the text of an item in either of its forms: a VTODO, or a message that carries one.
 *
 * A message says everything twice: on its card, for people, and in its VTODO part, for clients that
 * read those. Each is compared with the last text that we know of the item; the one that changed
 * counts, and where both did, differently, the card does (a person wrote it) and the VTODO's value
 * is told besides.
 */
#ifndef TASKFERRY_CODEC_H
#define TASKFERRY_CODEC_H

#include "gateway/endpoint.h"
#include "mappers/vtodo.h"
#include "model/trailer.h"
#include "model/vector.h"

/* Changes whenever decoding means something new by the same text. */
#define CODEC_VERSION 5

struct decoded {
	struct vector *values;
	const char *uid; /* NULL: none */
	int64_t edition; /* 0: none */
	const char *edition_hash;
	const char *writer;       /* PRODID of who wrote it last, or NULL */
	int64_t last_modified_us; /* 0: not told */
	int64_t elapsed_s;        /* a timer's sum; -1: none */
	bool uneven;              /* a message whose halves do not say the same: worth a write */
	bool card_only;           /* a message without a VTODO that can be read: what a card does not
				     say, or says in another form, is not known */
	struct files *files;      /* attachments, as in struct vtodo; NULL: none */
	struct vector *beaten;    /* what the VTODO says where the card says otherwise and both
				     were edited; NULL: nothing */
};

/* What to publish. A value that is absent is not ours to touch. */
struct codec_publish {
	const struct vector *values;
	const char *uid;
	int64_t edition;
	const char *edition_hash;
	const char *trailer;
	int64_t now_us;
	/* attachments that come and go, as in struct vtodo_publish; in a message files are parts, and
	 * links stand in the VTODO */
	const struct files_content *files;
	size_t file_count;
	const char *const *gone;
	size_t gone_count;
	/* a message's envelope */
	const char *site_host, *project, *thread, *to_name, *to_email;
	const char *reply_to; /* NULL: none */
};

/* The hash that an item carries with its edition: of what it can show of VALUES but its attachments, so that it can be told
 * from the item itself whether that is still what was published. */
char *codec_hash(TALLOC_CTX *mem, const struct vector *values);

/* LAST: the text that we know of the item from before, and SEEN what it was read as; or LAST NULL,
 * and SEEN what both halves of a message said before anybody edited it; or both NULL.
 * DATA fault (scope ITEM, HOLD): the text is not of that form. */
struct fault *codec_decode(TALLOC_CTX *mem, enum endpoint_form form, const char *text, size_t len,
			   const char *last, const struct vector *seen,
			   struct decoded **decoded_r) ATTR_MUST_CHECK;

/* True when FILE, whose bytes are not in its text, says that it is KNOWN, as we wrote it. */
bool codec_claims(const struct file *file, const struct file *known);

/* The bytes of the attachment of that digest in the text. DATA fault: there is none. */
struct fault *codec_file_bytes(TALLOC_CTX *mem, enum endpoint_form form, const char *text,
			       size_t len, const char *digest, char **bytes_r,
			       size_t *len_r) ATTR_MUST_CHECK;

/* OLD: the text that the server holds, in which what is not ours stays byte for byte (N4); NULL: a
 * new item. */
struct fault *codec_encode(TALLOC_CTX *mem, enum endpoint_form form, const char *old,
			   const struct codec_publish *publish, char **text_r,
			   size_t *len_r) ATTR_MUST_CHECK;

/* The same for a new item. *DECODED_R is what codec_decode() makes of the text, where that is known
 * without reading it, and belongs to KEEP; else NULL. */
struct fault *codec_encode_new(TALLOC_CTX *mem, TALLOC_CTX *keep, enum endpoint_form form,
			       const struct codec_publish *publish, char **text_r, size_t *len_r,
			       struct decoded **decoded_r) ATTR_MUST_CHECK;

#endif
