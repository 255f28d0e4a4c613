#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/text.h"

/* Which answers to PUT are believed without reading the item back (N7, N11).
 *
 * A strong ETag ought to stand for the very bytes that were sent (RFC 4791 section 5.3.4), and four of
 * five servers send one for others. So it is believed of texts only whose lines all have shapes that
 * the server has been seen to keep: what they are called, which parameters they have, whether they are
 * folded, and how full, whether a comma or a letter beyond ASCII is in them; for a server changes texts
 * by their form, not by their meaning.
 *
 * 1. Only new items: all of their text is ours.
 * 2. A shape is proven when an item with it was read back, in the version that was answered, and is
 * what was sent to the byte. Of each batch a few items with new shapes are read back.
 * 3. So is one without any, another each time. If a server is seen to change that, nothing is
 * believed any more, and this batch is read back as a whole.
 * 4. A server that changes the first text that it gets is not asked again. */

#define NEW_SHAPES_MAX 8 /* items of one batch: read back by one request, with the sample */
#define LINE_ROOM 74     /* octets of a folded line behind its blank (RFC 5545 section 3.1) */

struct asked {
	const struct endpoint_put *put;
	bool proven; /* (3) */
};

struct vouching {
	struct caldav *caldav;
	TALLOC_CTX *mem;
	const char *folder;
	struct endpoint_put *puts;
	size_t count;
	struct caldav_shapes met; /* proven ones, and those of what is asked for */
	struct asked asked[NEW_SHAPES_MAX + 1];
	size_t asked_count;
};

/* ---- shapes ---- */

static uint64_t mix(uint64_t hash, unsigned char c)
{
	return (hash ^ c) * UINT64_C(1099511628211); /* FNV-1a */
}

/* Of a line of LEN bytes without its end; NAME: the beginning of its property. */
static uint64_t shape_of(const char *line, size_t len, const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	bool comma = false, foreign = false;

	for (size_t i = 0; i < len; i++) {
		comma = comma || line[i] == ',';
		foreign = foreign || (unsigned char)line[i] >= 0x80;
	}
	for (const char *c = name; *c && !strchr(":\r\n", *c); c++)
		hash = mix(hash, (unsigned char)*c);
	hash = mix(hash, name == line ? 'l' : 'c');
	hash = mix(hash, comma ? ',' : '.');
	hash = mix(hash, foreign ? 'u' : 'a');
	/* how full it is matters at its very end only */
	return mix(hash, len + 2 >= LINE_ROOM ? (unsigned char)(len + 3 - LINE_ROOM) : 0);
}

static bool has(const struct caldav_shapes *shapes, uint64_t shape)
{
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->list[i] == shape)
			return true;
	return false;
}

/* True when all shapes of TEXT are among these; with ADD they are put there, as far as there is room. */
static bool covers(struct caldav_shapes *shapes, const char *text, bool add)
{
	const char *name = text;
	bool all = true;

	while (*text) {
		size_t len = strcspn(text, "\r\n");
		uint64_t shape;

		if (*text != ' ')
			name = text;
		shape = shape_of(text, len, name);
		if (!has(shapes, shape)) {
			all = false;
			if (add && shapes->count < CALDAV_SHAPES_MAX)
				shapes->list[shapes->count++] = shape;
		}
		if (!all && !add)
			return false;
		text += len;
		text += strspn(text, "\r\n");
	}
	return all;
}

/* ---- what is read back ---- */

/* Strong, so that it stands for bytes. */
static bool is_strong(const char *version)
{
	return version && !text_starts(version, "W/");
}

/* (1) */
static bool is_candidate(const struct endpoint_put *put)
{
	return !put->fault && !put->if_version && is_strong(put->answered);
}

static void ask(struct vouching *vouching, size_t i, bool proven)
{
	vouching->asked[vouching->asked_count++] = (struct asked){ &vouching->puts[i], proven };
}

/* (2), (3) */
static void choose(struct vouching *vouching)
{
	size_t n = 0, *proven = MEM_ARRAY(vouching->mem, size_t, vouching->count);

	vouching->met = vouching->caldav->shapes;
	for (size_t i = 0; i < vouching->count; i++) {
		const struct endpoint_put *put = &vouching->puts[i];

		if (!is_candidate(put))
			continue;
		if (covers(&vouching->caldav->shapes, put->text, false))
			proven[n++] = i;
		else if (vouching->asked_count < NEW_SHAPES_MAX &&
			 !covers(&vouching->met, put->text, true))
			ask(vouching, i, false);
	}
	if (n)
		ask(vouching, proven[vouching->caldav->sample++ % n], true);
}

/* (3), (4) */
static void disbelieve(struct caldav *caldav, bool proven)
{
	if (!proven && caldav->shapes.count)
		return; /* these shapes only */
	caldav->shapes.count = 0;
	caldav->no_vouching = true;
}

/* One that was asked for, as it stands now. */
static void judge(struct caldav *caldav, const struct asked *asked,
		  const struct endpoint_item *item)
{
	if (item->fault || !text_same(item->version, asked->put->answered))
		return; /* somebody else has changed it: that tells nothing of the server */
	if (item->len != asked->put->len || memcmp(item->text, asked->put->text, item->len) != 0)
		disbelieve(caldav, asked->proven);
	else if (!caldav->no_vouching)
		(void)covers(&caldav->shapes, asked->put->text, true);
}

static bool look(struct vouching *vouching)
{
	const char *addresses[NEW_SHAPES_MAX + 1];
	struct endpoint_item *items = NULL;
	struct fault *fault;

	for (size_t i = 0; i < vouching->asked_count; i++)
		addresses[i] = vouching->asked[i].put->address;
	fault = caldav_read_back(&vouching->caldav->endpoint, vouching->mem, vouching->folder,
				 addresses, vouching->asked_count, &items);
	if (fault) /* whoever reads back the rest will be told */
		return false;
	for (size_t i = 0; i < vouching->asked_count; i++)
		judge(vouching->caldav, &vouching->asked[i], &items[i]);
	return !vouching->caldav->no_vouching;
}

void caldav_vouch(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
		  struct endpoint_put *puts, size_t count)
{
	struct vouching *vouching;

	if (caldav->no_vouching || !caldav_does(caldav, CALDAV_TRAIT_STRONG_ETAG))
		return;
	vouching = MEM_NEW(mem, struct vouching);
	*vouching = (struct vouching){
		.caldav = caldav, .mem = vouching, .folder = folder, .puts = puts, .count = count
	};
	choose(vouching);
	if (vouching->asked_count && look(vouching))
		for (size_t i = 0; i < count; i++)
			if (is_candidate(&puts[i]) && covers(&caldav->shapes, puts[i].text, false))
				puts[i].version = puts[i].answered;
	talloc_free(vouching);
}
