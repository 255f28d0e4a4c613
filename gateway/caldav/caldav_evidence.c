#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

/* What ordinary work shows of the server, free of charge: so one that gets worse is noticed at
 * once. That it got better is found by the next probe: of one good answer nothing follows.
 *
 *   a PUT that was to create is answered as one that replaced   it does not honour If-None-Match
 *   an item comes back otherwise than it was put, under the     it does not keep texts as they are
 *   version that the PUT was answered with
 *
 * and, where they are met: multiget, sync-collection, tokens (caldav_fetch.c, caldav_notice.c). */

void caldav_found(struct caldav *caldav, enum caldav_trait trait, bool does)
{
	caldav->traits.answer[trait] = does ? CALDAV_YES : CALDAV_NO;
}

/* Without CR: XML takes them away. */
static char *digest_of(TALLOC_CTX *mem, const char *text, size_t len)
{
	struct buf *lines = buf_new(mem);
	char *digest;

	while (len) {
		const char *cr = memchr(text, '\r', len);
		size_t n = cr ? (size_t)(cr - text) : len;

		buf_add(lines, text, n);
		text += n + (cr != NULL);
		len -= n + (cr != NULL);
	}
	digest = digest_sha256(mem, lines->data, lines->len);
	talloc_free(lines);
	return digest;
}

static void forget(struct caldav_written *written)
{
	TALLOC_FREE(written->address);
	TALLOC_FREE(written->version);
	TALLOC_FREE(written->digest);
}

void caldav_found_put(struct caldav *caldav, const struct http_request *request, bool created,
		      const char *version)
{
	struct caldav_written *written = &caldav->written[caldav->written_next];

	/* RFC 9110 section 9.3.4: 201 tells that it was not there, 200 and 204 that it was */
	if (created && (request->status == 200 || request->status == 204))
		caldav_found(caldav, CALDAV_TRAIT_CREATE_GUARD, false);
	if (!version || !caldav_does(caldav, CALDAV_TRAIT_KEEPS_BYTES))
		return;
	caldav->written_next = (caldav->written_next + 1) % CALDAV_WRITTEN_MAX;
	forget(written);
	written->address = mem_strdup(caldav, request->url);
	written->version = mem_strdup(caldav, version);
	written->digest = digest_of(caldav, request->body, request->body_len);
}

void caldav_found_item(struct caldav *caldav, const char *address, const char *version,
		       const char *text, size_t len)
{
	for (size_t i = 0; i < CALDAV_WRITTEN_MAX; i++) {
		struct caldav_written *written = &caldav->written[i];
		char *digest;

		if (!written->address || strcmp(written->address, address) ||
		    strcmp(written->version, version))
			continue;
		digest = digest_of(caldav, text, len);
		if (strcmp(written->digest, digest))
			caldav_found(caldav, CALDAV_TRAIT_KEEPS_BYTES, false);
		talloc_free(digest);
		forget(written);
	}
}
