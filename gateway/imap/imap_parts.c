#include "config.h"

#include "gateway/imap/imap_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/message.h"
#include "mappers/message_elide.h"

/* Messages with large parts: what is in between is read, the parts are elided
 * (mappers/message_elide.h), and read by themselves when somebody wants their bytes.
 *
 * The text is read from its beginning, piece by piece. When the header of a large part has come, its
 * end is known by what BODYSTRUCTURE says of it, and reading goes on behind that. So every byte that
 * is no part's body is as it stands on the server; where the two do not agree about the parts, in
 * the end a delimiter is missing behind one, and the message is not believed. */

#define CHUNK_BYTES ((size_t)1 << 20) /* of one answer: half of the longest literal */
#define BITES_MAX                                                                                  \
	1000 /* answers with less than was asked for: each is a round trip, and no server does so */

struct parts {
	struct imap *imap;
	TALLOC_CTX *mem;
	const char *address;
	uint32_t uid;
	struct message_section *sections;
	const char **encodings; /* of the sections */
	size_t count;
	uint32_t size; /* octets of the message */
	bool told;
	struct buf *bytes;
};

static struct fault *not_told(const struct parts *parts, const char *what)
{
	return fault_new(parts->mem, FAULT_PROTOCOL, "%s: the server does not give %s",
			 parts->address, what);
}

/* ---- what there is ---- */

static const struct imap_node *nth(const struct imap_node *node, int n)
{
	while (node && n--)
		node = node->next;
	return node;
}

static const char *encoding_of(TALLOC_CTX *mem, const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
			       strlen(text)
		       ? mem_strdup(mem, text)
		       : "x-unknown";
}

/* RFC 3501 section 7.4.2: ("text" "plain" (...) id description encoding octets ...) */
static void take_leaf(struct parts *parts, const struct imap_node *first, const char *section)
{
	const struct imap_node *encoding = nth(first, 5);
	uint64_t octets;

	if (!encoding || !imap_node_u64(encoding->next, &octets) || octets > INT64_MAX ||
	    parts->count == MESSAGE_PARTS_MAX)
		return;
	parts->sections =
		MEM_GROW(parts->mem, parts->sections, struct message_section, parts->count + 1);
	parts->encodings = MEM_GROW(parts->mem, parts->encodings, const char *, parts->count + 1);
	parts->sections[parts->count] = (struct message_section){ section, (int64_t)octets };
	parts->encodings[parts->count++] = encoding_of(parts->mem, encoding->text);
}

/* Depth is bounded by that of responses. */
static void take_structure(struct parts *parts, const struct imap_node *first, const char *section)
{
	int number = 0;

	if (!first || first->kind != IMAP_LIST) {
		take_leaf(parts, first, *section ? section : "1");
		return;
	}
	for (; first && first->kind == IMAP_LIST; first = first->next)
		take_structure(
			parts, first->first,
			mem_printf(parts->mem, "%s%s%d", section, *section ? "." : "", ++number));
}

static struct fault *take_answer(void *context, const struct imap_response *response)
{
	struct parts *parts = context;
	const struct imap_node *items = response->args ? response->args->first : NULL, *structure;
	uint32_t uid;

	if (strcmp(response->name, "FETCH") != 0 ||
	    !imap_node_u32(imap_node_after(items, "UID"), &uid) || uid != parts->uid)
		return NULL;
	structure = imap_node_after(items, "BODYSTRUCTURE");
	if (!structure || structure->kind != IMAP_LIST || parts->told)
		return NULL;
	parts->told = imap_node_u32(imap_node_after(items, "RFC822.SIZE"), &parts->size);
	take_structure(parts, structure->first, "");
	return NULL;
}

static struct fault *ask_structure(struct parts *parts)
{
	struct imap_line *line = imap_line_new(parts->mem, "UID FETCH ", false);

	imap_line_add(line, "%" PRIu32 " (UID RFC822.SIZE BODYSTRUCTURE)", parts->uid);
	FAULT_TRY(imap_run(parts->imap, parts->mem, line, take_answer, parts, FAULT_SCOPE_ITEM,
			   "FETCH"));
	return parts->told ? NULL : not_told(parts, "its structure");
}

/* ---- bytes ---- */

/* "BODY[3]<0>", "BINARY[3]<0>": servers write sections in ways of their own. */
static bool is_data(const char *word)
{
	return text_starts(word, "BODY[") || text_starts(word, "BINARY[");
}

static struct fault *take_chunk(void *context, const struct imap_response *response)
{
	struct parts *parts = context;
	const struct imap_node *items = response->args ? response->args->first : NULL;
	uint32_t uid;

	if (strcmp(response->name, "FETCH") != 0 ||
	    !imap_node_u32(imap_node_after(items, "UID"), &uid) || uid != parts->uid)
		return NULL;
	for (const struct imap_node *node = items; node && node->next; node = node->next->next)
		if (node->kind == IMAP_ATOM && is_data(node->text) && !parts->told &&
		    (node->next->kind == IMAP_STRING || node->next->kind == IMAP_NIL)) {
			buf_add(parts->bytes, node->next->text, node->next->len);
			parts->told = true;
		}
	return NULL;
}

/* Adds what stands from octet AT on, MOST at most. */
static struct fault *ask_chunk(struct parts *parts, const char *item, int64_t at, size_t most)
{
	struct imap_line *line = imap_line_new(parts->mem, "UID FETCH ", false);

	parts->told = false;
	imap_line_add(line, "%" PRIu32 " (UID %s<%" PRId64 ".%zu>)", parts->uid, item, at, most);
	FAULT_TRY(imap_run(parts->imap, parts->mem, line, take_chunk, parts, FAULT_SCOPE_ITEM,
			   "FETCH"));
	talloc_free(line);
	return parts->told ? NULL : not_told(parts, item);
}

static struct fault *ask_bytes(struct parts *parts, const char *item, size_t max)
{
	size_t before;

	parts->bytes = buf_new(parts->mem);
	do {
		before = parts->bytes->len;
		FAULT_TRY(ask_chunk(parts, item, (int64_t)before, CHUNK_BYTES));
	} while (parts->bytes->len - before >= CHUNK_BYTES && parts->bytes->len <= max);
	return NULL;
}

/* ---- a whole message ---- */

struct reading {
	struct parts *parts;
	struct buf *text; /* with stand-ins */
	int64_t at;       /* octets of the message that are behind us */
	size_t elided;
	size_t unseen; /* bytes that have come since the text was looked at */
	size_t bites;
};

/* The body that begins at BODY goes, as far as it has come, and reading goes on behind it. */
static struct fault *elide(struct reading *reading, size_t body,
			   const struct message_section *section)
{
	const struct parts *parts = reading->parts;
	int64_t came = (int64_t)(reading->text->len - body), from = reading->at - came;
	struct buf *text = buf_new(parts->mem);

	if (section->octets > (int64_t)parts->size - from)
		return not_told(parts, "sizes that can be");
	buf_add(text, reading->text->data, body);
	buf_puts(text, message_elide_line(text, section, parts->address));
	if (came > section->octets)
		buf_add(text, reading->text->data + body + section->octets,
			(size_t)(came - section->octets));
	else
		reading->at = from + section->octets;
	talloc_free(reading->text);
	reading->text = text;
	reading->elided++;
	return NULL;
}

static struct fault *too_large(const struct parts *parts)
{
	return fault_reaches(fault_new(parts->mem, FAULT_DATA, "%s is larger than %zu bytes",
				       parts->address, IMAP_ITEM_MAX),
			     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

static struct fault *read_on(struct reading *reading)
{
	struct parts *parts = reading->parts;
	size_t before = reading->text->len, came;

	parts->bytes = reading->text;
	FAULT_TRY(ask_chunk(parts, "BODY.PEEK[]", reading->at, IMAP_WHOLE_MAX));
	came = reading->text->len - before;
	reading->at += (int64_t)came;
	reading->unseen += came;
	reading->bites += came < IMAP_WHOLE_MAX;
	if (reading->bites > BITES_MAX)
		return not_told(parts, "as much at once as it is asked for");
	return came ? NULL : not_told(parts, "all of it");
}

/* All of the text is looked at: not each time that a little more has come, however little a server
 * gives at once. */
static bool is_time_to_look(const struct reading *reading)
{
	return reading->unseen >= IMAP_WHOLE_MAX || reading->text->len > IMAP_ITEM_MAX ||
	       reading->at >= reading->parts->size;
}

/* What is found is looked behind at once: `unseen` stays. */
static bool find_large(struct reading *reading, int64_t min, size_t *body_r,
		       struct message_section *section_r)
{
	const struct parts *parts = reading->parts;

	if (!is_time_to_look(reading))
		return false;
	if (message_elide_next(parts->mem, reading->text->data, reading->text->len, parts->sections,
			       parts->count, min, body_r, section_r))
		return true;
	reading->unseen = 0;
	return false;
}

static struct fault *read_all(struct reading *reading)
{
	struct parts *parts = reading->parts;
	int64_t min = MESSAGE_ELIDE_MIN;
	struct message_section section;
	size_t body;

	for (;;) {
		if (find_large(reading, min, &body, &section))
			FAULT_TRY(elide(reading, body, &section));
		else if (reading->text->len > IMAP_ITEM_MAX && min == MESSAGE_ELIDE_LESS)
			return too_large(parts);
		else if (reading->text->len > IMAP_ITEM_MAX)
			min = MESSAGE_ELIDE_LESS;
		else if (reading->at >= parts->size)
			break;
		else
			FAULT_TRY(read_on(reading));
	}
	if (message_elide_sound(parts->mem, reading->text->data, reading->text->len,
				reading->elided))
		return NULL;
	return fault_reaches(fault_new(parts->mem, FAULT_DATA,
				       "%s: its parts are not what the server says of them",
				       parts->address),
			     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

struct fault *imap_parts_read(struct imap *imap, TALLOC_CTX *mem, const char *address, uint32_t uid,
			      const char *head, size_t head_len, char **text_r, size_t *len_r)
{
	struct parts parts = { .imap = imap, .mem = mem, .address = address, .uid = uid };
	struct reading reading = { .parts = &parts, .text = buf_new(mem), .at = (int64_t)head_len };

	buf_add(reading.text, head, head_len);
	reading.unseen = head_len;
	FAULT_TRY(ask_structure(&parts));
	FAULT_TRY(read_all(&reading));
	*text_r = buf_steal(&reading.text, mem, len_r);
	return NULL;
}

/* ---- one part ---- */

struct fault *imap_parts_raw(struct imap *imap, TALLOC_CTX *mem, const char *address, uint32_t uid,
			     const char *section, size_t max, char **bytes_r, size_t *len_r)
{
	struct parts parts = { .imap = imap, .mem = mem, .address = address, .uid = uid };

	FAULT_TRY(ask_bytes(&parts, mem_printf(mem, "BODY.PEEK[%s]", section), max));
	*bytes_r = buf_steal(&parts.bytes, mem, len_r);
	return NULL;
}

struct download {
	const char *folder, *uri;
	size_t max, len;
	char *bytes;
	TALLOC_CTX *results;
};

static struct fault *refused(const struct download *download)
{
	return fault_reaches(fault_new(download->results, FAULT_DATA, "%s: not here, or too large",
				       download->uri),
			     FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
}

/* By the transfer encoding that the server names. */
static void decode(struct parts *parts, const char *encoding)
{
	struct buf *message = buf_new(parts->mem);
	size_t len = 0;
	char *bytes;

	buf_printf(message,
		   "Content-Type: application/octet-stream\r\n"
		   "Content-Transfer-Encoding: %s\r\n\r\n",
		   encoding);
	buf_add(message, parts->bytes->data, parts->bytes->len);
	bytes = message_elide_decoded(parts->mem, message->data, message->len, "1", &len);
	buf_clear(parts->bytes);
	parts->told = bytes != NULL;
	if (bytes)
		buf_add(parts->bytes, bytes, len);
	talloc_free(message);
	talloc_free(bytes);
}

static struct fault *read_decoded(struct parts *parts, const struct message_section *section,
				  const char *encoding, size_t max)
{
	struct fault *fault;

	if (imap_session_can(parts->imap->session, IMAP_CAP_BINARY)) {
		fault = ask_bytes(parts,
				  mem_printf(parts->mem, "BINARY.PEEK[%s]", section->section), max);
		if (!fault || !imap_is_connected(parts->imap))
			return fault;
		talloc_free(fault); /* an encoding that it does not know: then we have to */
	}
	FAULT_TRY(ask_bytes(parts, mem_printf(parts->mem, "BODY.PEEK[%s]", section->section),
			    (size_t)section->octets));
	decode(parts, encoding);
	return parts->told ? NULL : not_told(parts, "an encoding that can be read");
}

struct fault *imap_parts_open(struct imap *imap, TALLOC_CTX *mem, const char *folder,
			      const char *address, uint32_t *uid_r)
{
	struct imap_spot spot;
	const char *mailbox = folder;

	if (!imap_set_spot_read(address, &spot))
		return fault_new(mem, FAULT_GONE, "%s is not in %s", address, folder);
	if (spot.done)
		mailbox = imap_done_mailbox(imap, mem, folder);
	if (mailbox)
		FAULT_TRY(imap_folder_open(imap, mem, mailbox, false));
	if (!mailbox || spot.uidvalidity != imap_session_selected(imap->session)->uidvalidity)
		return fault_new(mem, FAULT_GONE, "%s is not in %s", address, folder);
	*uid_r = spot.uid;
	return NULL;
}

static struct fault *download_one(struct imap *imap, TALLOC_CTX *mem, void *context)
{
	struct download *download = context;
	const char *blank = strchr(download->uri, ' ');
	char *section = mem_strndup(mem, download->uri, strcspn(download->uri, " "));
	struct parts parts = { .imap = imap, .mem = mem, .address = blank ? blank + 1 : "" };
	struct fault *fault =
		imap_parts_open(imap, mem, download->folder, parts.address, &parts.uid);

	if (fault)
		return fault->kind == FAULT_GONE ? refused(download) : fault;
	FAULT_TRY(ask_structure(&parts));
	for (size_t i = 0; i < parts.count; i++) {
		if (strcmp(parts.sections[i].section, section) != 0)
			continue;
		if (parts.sections[i].octets / 4 >
		    (int64_t)download->max) /* of three, and line ends */
			return refused(download);
		FAULT_TRY(read_decoded(&parts, &parts.sections[i], parts.encodings[i],
				       download->max));
		if (parts.bytes->len > download->max)
			return refused(download);
		download->bytes = buf_steal(&parts.bytes, download->results, &download->len);
		return NULL;
	}
	return refused(download);
}

struct fault *imap_parts_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				  const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	struct download download = { .folder = folder, .uri = uri, .max = max, .results = mem };

	FAULT_TRY(imap_do((struct imap *)endpoint, mem, download_one, &download));
	*bytes_r = download.bytes;
	*len_r = download.len;
	return NULL;
}
