#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/caldav/href.h"
#include "gateway/caldav/multistatus.h"

/* libFuzzer target: any bytes as an answer. Nothing may crash, leak, or break a bound; an address,
 * once normalised, may not change by being normalised again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static size_t length(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	must(n <= MULTISTATUS_TEXT_MAX);
	return n;
}

static struct fault *check(void *context, const struct multistatus_response *response)
{
	TALLOC_CTX *mem = MEM_CONTEXT(context);
	char *once = href_normalise(mem, "/home/p/", "dav.example.com:443", response->href);
	char *twice = once ? href_normalise(mem, "/home/p/", "dav.example.com:443", once) : NULL;

	must(response->status == 0 || (response->status >= 100 && response->status < 600));
	must(!once || (*once == '/' && (!twice || !strcmp(once, twice))));
	(void)length(response->etag);
	(void)length(response->last_modified);
	(void)length(response->displayname);
	(void)length(response->ctag);
	(void)length(response->sync_token);
	(void)length(response->principal);
	(void)length(response->owner);
	for (size_t i = 0; i < response->homes.count; i++)
		(void)length(response->homes.items[i]);
	for (size_t i = 0; i < response->addresses.count; i++)
		(void)length(response->addresses.items[i]);
	must(length(response->error) <= 64);
	must(!response->data ||
	     (response->data_len <= MULTISTATUS_DATA_MAX && !response->data[response->data_len]));
	talloc_free(mem);
	return NULL;
}

/* In two pieces, cut where the first byte says: the same must come of it. */
static bool is_read_in_pieces(TALLOC_CTX *mem, const char *data, size_t size)
{
	struct multistatus *reading = multistatus_new(mem, check, mem);
	size_t cut = size ? (size_t)(unsigned char)*data * size / 256 : 0;
	struct fault *fault = multistatus_feed(reading, data, cut);

	if (!fault)
		fault = multistatus_feed(reading, data + cut, size - cut);
	if (!fault)
		fault = multistatus_end(reading, mem, NULL);
	return !fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *token = NULL;
	struct fault *fault = multistatus_read(mem, (const char *)data, size, check, mem, &token);
	char *condition;

	must(!fault || !token);
	must(is_read_in_pieces(mem, (const char *)data, size) == !fault);
	(void)length(token);
	condition = multistatus_error(mem, (const char *)data, size);
	must(!condition || strlen(condition) <= 64);
	talloc_free(mem);
	return 0;
}
