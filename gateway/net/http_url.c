#include "config.h"

#include "gateway/net/http_private.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

/* Addresses, taken apart by curl itself, so that nobody reads them in another way than it does. */

static char *url_part(TALLOC_CTX *mem, CURLU *parsed, CURLUPart what, unsigned flags)
{
	char *part = NULL, *copy;

	if (curl_url_get(parsed, what, &part, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(mem, part);
	curl_free(part);
	return copy;
}

bool http_url_parse(TALLOC_CTX *mem, const char *url, struct http_url *url_r)
{
	CURLU *parsed = mem_must(curl_url());
	bool ok = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK;
	char *scheme = ok ? url_part(mem, parsed, CURLUPART_SCHEME, 0) : NULL;
	char *host = ok ? url_part(mem, parsed, CURLUPART_HOST, 0) : NULL;
	char *port = ok ? url_part(mem, parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT) : NULL;
	char *path = ok ? url_part(mem, parsed, CURLUPART_PATH, 0) : NULL;
	int64_t number;

	curl_url_cleanup(parsed);
	if (!scheme || !host || !port || !path || !text_to_int(port, &number))
		return false;
	if (strcmp(scheme, "https") && strcmp(scheme, "http"))
		return false;
	url_r->tls = !strcmp(scheme, "https");
	url_r->host = text_lower(mem, host);
	url_r->port = (int)number;
	url_r->path = path;
	return true;
}

bool http_url_is_loopback(const char *host)
{
	struct in_addr v4;

	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool http_is_loopback(const char *url)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct http_url parsed;
	bool loopback = http_url_parse(mem, url, &parsed) && http_url_is_loopback(parsed.host);

	talloc_free(mem);
	return loopback;
}
