#include "config.h"

#include "gateway/sync/codec.h"

#include <string.h>

#include "base/text.h"
#include "mappers/card.h"
#include "mappers/card_html.h"
#include "mappers/message.h"
#include "mappers/message_elide.h"

#define ENCODE_POOL ((size_t)48 << 10) /* bytes: what is made on the way to most items */

/* A due time that ends a day is read as that day, and a start on it is then none. */
static struct vector *as_read(TALLOC_CTX *mem, const struct vector *values)
{
	struct vector *normal = vtodo_normal(mem, values);
	struct value *due = &normal->value[FIELD_due];
	int32_t day;

	if (due->presence != SET || due->when.kind == WHEN_DATE)
		return normal;
	day = when_local_day(&due->when);
	if (when_from_local(day, 23, 59, 59, NULL).us != due->when.us)
		return normal;
	due->when = when_date(day);
	return vtodo_normal(mem, normal);
}

char *codec_hash(TALLOC_CTX *mem, const struct vector *values)
{
	struct vector *normal = as_read(mem, values);

	normal->value[FIELD_attachments].presence = ABSENT;
	return vector_hash(mem, normal);
}

/* ---- a VTODO ---- */

static struct decoded *of_vtodo(TALLOC_CTX *mem, const struct vtodo *vtodo)
{
	struct decoded *decoded = MEM_NEW(mem, struct decoded);

	decoded->values = vtodo->values;
	decoded->uid = vtodo->uid;
	decoded->edition = vtodo->edition;
	decoded->edition_hash = vtodo->edition_hash;
	decoded->writer = vtodo->prodid;
	decoded->last_modified_us = vtodo->last_modified_us;
	decoded->elapsed_s = vtodo->elapsed_s;
	decoded->files = vtodo->files;
	return decoded;
}

/* The description that was there before, so that a trailer is told from notes. NULL: none that can
 * be read: then there is nothing to compare with. */
static const char *last_description(TALLOC_CTX *mem, const char *last, size_t len)
{
	struct vtodo *vtodo = NULL;
	struct fault *fault = last ? vtodo_decode(mem, last, len, NULL, &vtodo) : NULL;

	talloc_free(fault);
	return vtodo ? vtodo->description : NULL;
}

static struct fault *decode_vtodo(TALLOC_CTX *mem, const char *text, size_t len, const char *last,
				  struct decoded **decoded_r)
{
	struct vtodo *vtodo = NULL;

	FAULT_TRY(vtodo_decode(mem, text, len, last_description(mem, last, last ? strlen(last) : 0),
			       &vtodo));
	*decoded_r = of_vtodo(mem, vtodo);
	return NULL;
}

static struct vtodo_publish vtodo_publish_of(const struct codec_publish *publish)
{
	return (struct vtodo_publish){ .values = publish->values,
				       .uid = publish->uid,
				       .edition = publish->edition,
				       .edition_hash = publish->edition_hash,
				       .trailer = publish->trailer,
				       .files = publish->files,
				       .file_count = publish->file_count,
				       .gone = publish->gone,
				       .gone_count = publish->gone_count,
				       .now_us = publish->now_us };
}

static struct fault *encode_vtodo(TALLOC_CTX *mem, const char *old, size_t old_len,
				  const struct vtodo_publish *publish, char **text_r, size_t *len_r)
{
	return old ? vtodo_patch(mem, old, old_len, publish, text_r, len_r)
		   : vtodo_encode(mem, publish, text_r, len_r);
}

/* ---- a message ---- */

/* Both halves of a message, as far as they are there. */
struct halves {
	struct message *message;
	struct vtodo *vtodo;
	struct card *card;
};

/* A half that cannot be read is as if it were not there: the other one counts. */
static struct fault *read_halves(TALLOC_CTX *mem, const char *text, size_t len,
				 const struct halves *last, struct halves *halves_r)
{
	struct halves out = { .message = NULL };
	const struct message *before = last ? last->message : NULL;
	struct fault *fault = NULL;

	FAULT_TRY(message_parse(mem, text, len, &out.message));
	if (out.message->calendar)
		fault = vtodo_decode(
			mem, out.message->calendar, out.message->calendar_len,
			before ? last_description(mem, before->calendar, before->calendar_len)
			       : NULL,
			&out.vtodo);
	if (out.message->card)
		out.card = card_read(mem, out.message->card, before ? before->card : NULL);
	if (!out.vtodo && !(out.card && out.message->uid))
		return fault ? fault : fault_new(mem, FAULT_DATA, "a message without a task in it");
	talloc_free(fault);
	*halves_r = out;
	return NULL;
}

/* What the card of this message said before anybody edited it: the last one's card, or what a card
 * would say of what was seen, or else of the VTODO. */
static const struct vector *card_base(TALLOC_CTX *mem, const struct halves *now,
				      const struct halves *last, const struct vector *seen)
{
	struct card *read;

	if (last && last->card && last->message->card) {
		read = card_read(mem, last->message->card, last->message->card);
		return read->values;
	}
	if (!last && seen)
		return card_normal(mem, seen);
	return now->vtodo ? card_normal(mem, now->vtodo->values) : vector_new(mem);
}

/* Without a last text, the hash of the edition tells: true when the card says what was published,
 * so that it is the VTODO that was edited, if any. */
static bool card_is_as_published(TALLOC_CTX *mem, const struct halves *now,
				 const struct decoded *decoded)
{
	struct vector *published = vector_copy(mem, decoded->values);

	for (int f = 0; f < FIELDS; f++)
		if (now->card->values->value[f].presence != ABSENT)
			vector_put(published, (enum field)f, &now->card->values->value[f]);
	return text_same(codec_hash(mem, published), decoded->edition_hash);
}

static bool card_moved(const struct halves *now, const struct vector *base, enum field f)
{
	const struct value *card = &now->card->values->value[f];

	return card->presence != ABSENT && !value_same(f, &base->value[f], card);
}

/* Coupled fields are one thing here too: a percentage on the card stands against a tick in the
 * VTODO. */
static bool card_counts(const struct halves *now, const struct vector *base, enum field field)
{
	bool any = card_moved(now, base, field);

	for (int f = 0; f < FIELDS && field_table[field].merge == MERGE_COUPLED; f++)
		any = any || (field_table[f].merge == MERGE_COUPLED &&
			      card_moved(now, base, (enum field)f));
	return any;
}

/* One field of the two halves: what moved since the last text counts, the card before the VTODO;
 * where nothing did it is what was seen. */
static void join_field(const struct halves *now, const struct halves *last,
		       const struct vector *base, const struct vector *seen, enum field f,
		       struct decoded *decoded)
{
	struct value vtodo = decoded->values->value[f];
	bool by_card = card_counts(now, base, f);
	const struct vector *before = last ? last->vtodo ? last->vtodo->values : NULL : seen;
	bool vtodo_moved =
		before && vtodo.presence != ABSENT && !value_same(f, &before->value[f], &vtodo);

	if (card_moved(now, base, f))
		vector_put(decoded->values, f, &now->card->values->value[f]);
	else if ((by_card || !vtodo_moved) && seen && seen->value[f].presence != ABSENT)
		vector_put(decoded->values, f, &seen->value[f]);
	else if (by_card && vtodo_moved)
		vector_put(decoded->values, f, &base->value[f]);
	if (by_card && vtodo_moved) {
		if (!decoded->beaten)
			decoded->beaten = vector_new(decoded);
		vector_put(decoded->beaten, f, &vtodo);
	}
}

/* The values of the two halves as one; a half that is not there is never even with the other. */
static void join_halves(TALLOC_CTX *mem, const struct halves *now, const struct halves *last,
			const struct vector *seen, struct decoded *decoded)
{
	const struct vector *base = card_base(mem, now, last, seen);
	const struct vector *as_card = card_normal(mem, decoded->values);

	for (int f = 0; f < FIELDS; f++) {
		const struct value *card = &now->card->values->value[f];
		bool even = now->vtodo && value_same((enum field)f, &as_card->value[f], card);

		if (card->presence == ABSENT || !even)
			join_field(now, last, base, seen, (enum field)f, decoded);
		if (card->presence != ABSENT && !even)
			decoded->uneven = true;
	}
}

/* What is known of the past decides; without any, the card is all there is, or the VTODO is where the
 * card says what was published. */
static void join(TALLOC_CTX *mem, const struct halves *now, const struct halves *last,
		 const struct vector *seen, struct decoded *decoded)
{
	if (last || seen || (now->vtodo && !card_is_as_published(mem, now, decoded))) {
		join_halves(mem, now, last, seen, decoded);
	} else if (!now->vtodo) {
		decoded->values = now->card->values;
		decoded->uneven = true;
	}
}

/* Parts of the message, and what stands in its VTODO. Who made the whole message anew has said
 * nothing about them. */
static void join_files(const struct halves *now, struct decoded *decoded)
{
	const struct files *sets[] = { now->message->files, now->vtodo ? now->vtodo->files : NULL };
	struct files *files = NULL, *known = NULL;

	for (size_t s = 0; s < COUNT_OF(sets); s++)
		for (size_t i = 0; sets[s] && i < sets[s]->count; i++) {
			if (!files) {
				files = MEM_NEW(decoded, struct files);
				known = MEM_NEW(decoded, struct files);
			}
			files_add(files, &sets[s]->list[i]);
			if (!sets[s]->list[i].managed_id)
				files_add(known, &sets[s]->list[i]);
		}
	decoded->files = files;
	decoded->values->value[FIELD_attachments].presence = ABSENT;
	if (files || now->vtodo)
		vector_text(decoded->values, FIELD_attachments,
			    known ? files_write(decoded, known) : NULL);
}

static struct fault *decode_message(TALLOC_CTX *mem, const char *text, size_t len, const char *last,
				    const struct vector *seen, struct decoded **decoded_r)
{
	struct halves before = { .message = NULL }, now = { .message = NULL };
	struct fault *fault = last ? read_halves(mem, last, strlen(last), NULL, &before) : NULL;
	const struct halves *known = last && !fault ? &before : NULL;
	struct decoded *decoded;

	talloc_free(fault); /* what we hold of old is not readable: nothing to compare with */
	FAULT_TRY(read_halves(mem, text, len, known, &now));
	if (now.vtodo) {
		decoded = of_vtodo(mem, now.vtodo);
		decoded->values->value[FIELD_attachments].presence = ABSENT;
	} else {
		decoded = MEM_NEW(mem, struct decoded);
		decoded->values = vector_new(mem);
		decoded->elapsed_s = -1;
	}
	if (!decoded->uid)
		decoded->uid = now.message->uid;
	if (!decoded->edition) {
		decoded->edition = now.message->edition;
		decoded->edition_hash = now.message->edition_hash;
	}
	if (last && !known)
		seen = NULL;
	decoded->card_only = !now.vtodo;
	if (now.card)
		join(mem, &now, known, seen, decoded);
	join_files(&now, decoded);
	*decoded_r = decoded;
	return NULL;
}

/* Links stand in the VTODO. */
static struct vtodo_publish with_links(TALLOC_CTX *mem, const struct codec_publish *publish)
{
	struct vtodo_publish out = vtodo_publish_of(publish);
	struct files_content *links;

	if (!publish->file_count)
		return out;
	links = MEM_ARRAY(mem, struct files_content, publish->file_count);
	out.file_count = 0;
	for (size_t i = 0; i < publish->file_count; i++)
		if (!publish->files[i].bytes)
			links[out.file_count++] = publish->files[i];
	out.files = links;
	return out;
}

/* All others are parts. */
static void add_parts(TALLOC_CTX *mem, const struct codec_publish *publish,
		      struct message_publish *out)
{
	struct files_content *parts;

	out->gone = publish->gone;
	out->gone_count = publish->gone_count;
	if (!publish->file_count)
		return;
	parts = MEM_ARRAY(mem, struct files_content, publish->file_count);
	for (size_t i = 0; i < publish->file_count; i++)
		if (publish->files[i].bytes)
			parts[out->file_count++] = publish->files[i];
	out->files = parts;
}

/* What decode_message() makes of a new message without parts that carries this VTODO: its card says the
 * same, as nobody has edited either. */
static struct fault *decode_new(TALLOC_CTX *mem, const struct vtodo_publish *publish,
				const char *calendar, size_t len, struct decoded **decoded_r)
{
	const struct message message = { .uid = NULL };
	struct halves now = { .message = (struct message *)(uintptr_t)&message,
			      .vtodo = vtodo_foresee(mem, publish) };
	struct decoded *decoded;

	if (!now.vtodo)
		FAULT_TRY(vtodo_decode(mem, calendar, len, NULL, &now.vtodo));
	decoded = of_vtodo(mem, now.vtodo);
	join_files(&now, decoded);
	*decoded_r = decoded;
	return NULL;
}

/* A calendar part that cannot be read is not written over, for what a person put there would be lost:
 * its new text, or why there is none and what to do then (decision 158). */
static struct fault *encode_half(TALLOC_CTX *mem, const struct message *message,
				 const struct vtodo_publish *publish, char **text_r, size_t *len_r)
{
	struct fault *fault =
		encode_vtodo(mem, message ? message->calendar : NULL,
			     message ? message->calendar_len : 0, publish, text_r, len_r);

	if (!fault || fault->kind != FAULT_DATA || !message || !message->calendar)
		return fault;
	return fault_reaches(
		fault_new(mem, FAULT_DATA,
			  "the calendar part of its message cannot be used (%s) and is not written "
			  "over; put it right, or take that part (an attachment) out of the "
			  "message, then: taskferry queue retry --all",
			  fault->text),
		fault->scope, fault->next);
}

/* KEEP NULL: nobody wants to know what it will be read as. */
static struct fault *encode_message(TALLOC_CTX *mem, const char *old, size_t old_len,
				    const struct codec_publish *publish, TALLOC_CTX *keep,
				    char **text_r, size_t *len_r, struct decoded **decoded_r)
{
	const char *subject = vector_str(publish->values, FIELD_subject);
	struct message_publish out = { .uid = publish->uid,
				       .edition = publish->edition,
				       .edition_hash = publish->edition_hash,
				       .site_host = publish->site_host,
				       .from_name = publish->project,
				       .to_name = publish->to_name,
				       .to_email = publish->to_email,
				       .reply_to = publish->reply_to,
				       .subject = subject ? subject : "",
				       .thread = publish->thread,
				       .now_us = publish->now_us };
	struct vtodo_publish half = with_links(mem, publish);
	struct message *message = NULL;
	char *calendar = NULL;

	if (old)
		FAULT_TRY(message_parse(mem, old, old_len, &message));
	FAULT_TRY(encode_half(mem, message, &half, &calendar, &out.calendar_len));
	out.calendar = calendar;
	if (keep && !old && !publish->file_count)
		FAULT_TRY(decode_new(keep, &half, calendar, out.calendar_len, decoded_r));
	add_parts(mem, publish, &out);
	out.card = card_write(mem, vtodo_normal(mem, publish->values), publish->trailer);
	out.html = card_html(mem, out.card);
	return old ? message_patch(mem, old, old_len, &out, text_r, len_r)
		   : message_write(mem, &out, text_r, len_r);
}

/* ---- either ---- */

struct fault *codec_decode(TALLOC_CTX *mem, enum endpoint_form form, const char *text, size_t len,
			   const char *last, const struct vector *seen, struct decoded **decoded_r)
{
	return form == ENDPOINT_MESSAGE ? decode_message(mem, text, len, last, seen, decoded_r)
					: decode_vtodo(mem, text, len, last, decoded_r);
}

struct fault *codec_file_bytes(TALLOC_CTX *mem, enum endpoint_form form, const char *text,
			       size_t len, const char *digest, char **bytes_r, size_t *len_r)
{
	struct message *message = NULL;
	struct fault *fault;

	if (form == ENDPOINT_VTODO)
		return vtodo_file_bytes(mem, text, len, digest, bytes_r, len_r);
	fault = message_file_bytes(mem, text, len, digest, bytes_r, len_r);
	if (!fault)
		return NULL;
	talloc_free(fault); /* then it stands in the VTODO, where some client put it */
	FAULT_TRY(message_parse(mem, text, len, &message));
	return vtodo_file_bytes(mem, message->calendar ? message->calendar : "",
				message->calendar_len, digest, bytes_r, len_r);
}

bool codec_claims(const struct file *file, const struct file *known)
{
	return message_claims(file, known);
}

static struct fault *encode(TALLOC_CTX *mem, TALLOC_CTX *keep, enum endpoint_form form,
			    const char *old, const struct codec_publish *publish, char **text_r,
			    size_t *len_r, struct decoded **decoded_r)
{
	TALLOC_CTX *own = mem_pool(mem, ENCODE_POOL);
	size_t old_len = old ? strlen(old) : 0, len = 0;
	struct vtodo_publish vtodo = vtodo_publish_of(publish);
	char *text = NULL;
	struct fault *fault =
		form == ENDPOINT_MESSAGE
			? encode_message(own, old, old_len, publish, keep, &text, &len, decoded_r)
			: encode_vtodo(own, old, old_len, &vtodo, &text, &len);

	if (fault) {
		talloc_steal(mem, fault);
	} else {
		*text_r = mem_bytes(mem, text, len);
		if (len_r)
			*len_r = len;
	}
	talloc_free(own);
	return fault;
}

struct fault *codec_encode(TALLOC_CTX *mem, enum endpoint_form form, const char *old,
			   const struct codec_publish *publish, char **text_r, size_t *len_r)
{
	return encode(mem, NULL, form, old, publish, text_r, len_r, NULL);
}

struct fault *codec_encode_new(TALLOC_CTX *mem, TALLOC_CTX *keep, enum endpoint_form form,
			       const struct codec_publish *publish, char **text_r, size_t *len_r,
			       struct decoded **decoded_r)
{
	struct vtodo_publish out = vtodo_publish_of(publish);
	struct vtodo *vtodo = form == ENDPOINT_VTODO ? vtodo_foresee(keep, &out) : NULL;

	*decoded_r = vtodo ? of_vtodo(keep, vtodo) : NULL;
	return encode(mem, keep, form, NULL, publish, text_r, len_r, decoded_r);
}
