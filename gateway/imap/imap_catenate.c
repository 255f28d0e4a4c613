#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "mappers/message_elide.h"

/* Texts with stand-ins (mappers/message_elide.h), made whole: by the server, which copies the parts
 * (CATENATE, RFC 4469; one command to a message, so that what one of them is refused for concerns no
 * other), else with bytes that are read from it first. Either way the parts are what stands there,
 * octet for octet.
 *
 *   unknown to the server    BADURL, or whatever it says: once more with the bytes
 *   not there any more       CHANGED, and the item is looked at again */

static bool has_standins(const char *text, size_t len)
{
	static const char word[] = "taskferry-part ";
	const char *end = text + len, *line = text;

	while ((line = memchr(line, '\n', (size_t)(end - line)))) {
		line++;
		if ((size_t)(end - line) >= sizeof word - 1 && !memcmp(line, word, sizeof word - 1))
			return true;
	}
	return false;
}

/* RFC 5092 section 11: what a mailbox's name may hold as it is. */
static void add_encoded(struct buf *url, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-_./+=@";

	for (; *name; name++)
		if (strchr(plain, *name))
			buf_putc(url, *name);
		else
			buf_printf(url, "%%%02X", (unsigned char)*name);
}

static struct fault *changed(TALLOC_CTX *mem, const struct message_standin *standin)
{
	return fault_new(mem, FAULT_CHANGED, "a part of %s is not there any more",
			 standin->address);
}

/* "/folder;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2"; NULL: not an address of ours. */
static char *url_of(struct imap *imap, TALLOC_CTX *mem, const char *folder,
		    const struct message_standin *standin)
{
	struct buf *url = buf_new(mem);
	struct imap_spot spot;

	if (!imap_set_spot_read(standin->address, &spot))
		return NULL;
	if (spot.done)
		folder = imap_done_mailbox(imap, mem, folder);
	if (!folder)
		return NULL;
	buf_putc(url, '/');
	add_encoded(url, folder);
	buf_printf(url, ";UIDVALIDITY=%" PRIu32 "/;UID=%" PRIu32 "/;SECTION=%s", spot.uidvalidity,
		   spot.uid, standin->section);
	return buf_steal(&url, mem, NULL);
}

static struct fault *find_urls(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			       struct imap_body *body)
{
	body->urls = MEM_ARRAY(mem, const char *, body->count);
	for (size_t i = 0; i < body->count; i++) {
		if (body->pieces[i].text)
			continue;
		body->urls[i] = url_of(imap, mem, folder, &body->pieces[i].standin);
		if (!body->urls[i])
			return changed(mem, &body->pieces[i].standin);
	}
	return NULL;
}

struct fault *imap_catenate_prepare(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				    const struct endpoint_put *put, struct imap_body *body_r)
{
	struct imap_body body = { .text = put->text, .len = put->len };

	body.large = put->len >= (size_t)MESSAGE_ELIDE_MIN;
	if (has_standins(put->text, put->len)) {
		FAULT_TRY(
			message_elide_pieces(mem, put->text, put->len, &body.pieces, &body.count));
		if (body.count == 1)
			body.count = 0;
		body.large = body.large || body.count;
		FAULT_TRY(find_urls(imap, mem, folder, &body));
	}
	if (body.count && !imap_session_can(imap->session, IMAP_CAP_CATENATE))
		FAULT_TRY(imap_catenate_fill(imap, mem, folder, &body));
	*body_r = body;
	return NULL;
}

static struct fault *add_part(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			      const struct message_standin *standin, struct buf *whole)
{
	char *bytes = NULL;
	size_t len = 0;
	uint32_t uid = 0;
	struct fault *fault = imap_parts_open(imap, mem, folder, standin->address, &uid);

	if (!fault)
		fault = imap_parts_raw(imap, mem, standin->address, uid, standin->section,
				       (size_t)standin->octets, &bytes, &len);
	if (!imap_is_connected(imap))
		return fault;
	if (fault || (int64_t)len != standin->octets) {
		talloc_free(fault);
		return changed(mem, standin);
	}
	buf_add(whole, bytes, len);
	talloc_free(bytes);
	return NULL;
}

struct fault *imap_catenate_fill(struct imap *imap, TALLOC_CTX *mem, const char *folder,
				 struct imap_body *body)
{
	char *selected = mem_strdup(mem, imap_session_selected(imap->session)->mailbox);
	struct buf *whole = buf_new(mem);
	struct fault *fault = NULL;

	for (size_t i = 0; i < body->count && !fault; i++) {
		const struct message_piece *piece = &body->pieces[i];

		if (piece->text)
			buf_add(whole, piece->text, piece->len);
		else
			fault = add_part(imap, mem, folder, &piece->standin, whole);
	}
	if (imap_is_connected(imap) && selected)
		FAULT_TRY(imap_folder_open(imap, mem, selected, false));
	if (fault)
		return fault;
	if (memchr(whole->data, '\0', whole->len))
		return fault_new(mem, FAULT_REFUSED,
				 "a part has a NUL in it, which cannot be sent");
	body->text = buf_steal(&whole, mem, &body->len);
	body->count = 0;
	return NULL;
}

void imap_catenate_add(struct imap_line *line, const struct imap_body *body)
{
	if (!body->count) {
		imap_line_borrow(line, body->text, body->len);
		return;
	}
	imap_line_add(line, "CATENATE (");
	for (size_t i = 0; i < body->count; i++) {
		const struct message_piece *piece = &body->pieces[i];

		if (piece->text && !piece->len)
			continue;
		imap_line_add(line, "%s%s", i ? " " : "", piece->text ? "TEXT " : "URL ");
		if (piece->text)
			imap_line_borrow(line, piece->text, piece->len);
		else
			imap_line_string(line, body->urls[i]);
	}
	imap_line_add(line, ")");
}
