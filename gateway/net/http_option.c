#include "config.h"

#include "gateway/net/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What curl is told: whom to trust, who we are, what to send, how long, and where to put what
 * arrives. */

#define HTTP_SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static size_t take_head(char *data, size_t size, size_t n, void *context)
{
	struct http_transfer *t = context;
	size_t len = size * n;

	if (len >= 5 && !t->body_begun &&
	    !memcmp(data, "HTTP/", 5)) { /* after an interim answer another head begins */
		t->head.len = 0;
		t->head_done = false;
		t->answered_us = clock_now_us(t->batch->http->clock);
	}
	t->head_total += len;
	if (t->head_total > HTTP_HEAD_MAX ||
	    (!t->head_done && !http_take_add(&t->head, data, len))) {
		t->over = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (len && (data[0] == '\r' || data[0] == '\n'))
		t->head_done = true; /* what follows the body is a trailer, and not believed */
	return len;
}

/* ---- options ---- */

static const struct {
	CURLoption option;
	long value;
} fixed_options[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	{ CURLOPT_TCP_KEEPALIVE, 1 },
};

static bool set_text(CURL *easy, CURLoption option, const char *text)
{
	return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

/* curl repeats a request by itself when a kept connection turns out to be closed before any byte of an
 * answer. A write with a condition may go twice: if the first was carried out, the second is refused.
 * One without would be done twice, so it gets a connection of its own. */
static bool may_go_twice(const struct http_request *request)
{
	for (const char *const *header = request->headers; header && *header; header++)
		if (!strncasecmp(*header, "If-", 3))
			return true;
	return !request->writes;
}

/* curl tells the key of a server that is not one of the pinned ones only while it is talkative;
 * everything else that it says then, requests with their secrets too, is not listened to. */
static int take_pin(CURL *easy, curl_infotype type, char *data, size_t len, void *context)
{
	static const char mark[] = " public key hash: ";
	const size_t skip = sizeof mark - 1;
	struct http_transfer *t = context;
	size_t n = 0;

	(void)easy;
	if (type != CURLINFO_TEXT || len < skip || memcmp(data, mark, skip) != 0)
		return 0;
	while (skip + n < len && n + 1 < sizeof t->pin && (unsigned char)data[skip + n] > ' ')
		n++;
	memcpy(t->pin, data + skip, n);
	t->pin[n] = '\0';
	return 0;
}

static bool set_pin(CURL *easy, struct http_transfer *t)
{
	const char *pin = t->batch->site->tls_pin;

	return !pin || (set_text(easy, CURLOPT_PINNEDPUBLICKEY, pin) &&
			curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, take_pin) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_DEBUGDATA, t) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK);
}

/* Whom we trust and who we are. */
static bool set_site(CURL *easy, struct http_transfer *t)
{
	const struct http_batch *batch = t->batch;
	const struct http_site *site = batch->site;
	bool ok = set_text(easy, CURLOPT_CAPATH, NULL) &&
		  set_text(easy, CURLOPT_CAINFO, site->tls_ca ? site->tls_ca : HTTP_SYSTEM_CA) &&
		  set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
		  set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");

	if (batch->loopback)
		ok = ok && set_text(easy, CURLOPT_PROXY, "");
	if (site->tls_cert)
		ok = ok && set_text(easy, CURLOPT_SSLCERT, site->tls_cert) &&
		     set_text(easy, CURLOPT_SSLKEY, site->tls_key ? site->tls_key : site->tls_cert);
	return ok && set_pin(easy, t) && http_auth_set(easy, batch);
}

static bool set_request(CURL *easy, struct http_transfer *t)
{
	const struct http_request *request = t->request;
	bool ok = set_text(easy, CURLOPT_URL, request->url) &&
		  set_text(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION) &&
		  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;

	if (!strcmp(request->method, "HEAD"))
		ok = ok && curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	else
		ok = ok && set_text(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body)
		ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				      (curl_off_t)request->body_len) == CURLE_OK;
	if (!may_go_twice(request))
		ok = ok && curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
	/* only listings: a compressing proxy changes the ETag of an item */
	if (!strcmp(request->method, "REPORT") || !strcmp(request->method, "PROPFIND"))
		ok = ok && set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	return ok;
}

static bool set_limits(CURL *easy, struct http_transfer *t)
{
	int32_t asked = t->request->deadline_ms ? t->request->deadline_ms : HTTP_DEADLINE_MS;
	int64_t left = t->batch->deadline_ms - http_net_now_ms();
	long deadline = left < 1 ? 1 : left < asked ? (long)left : asked;
	long connect = deadline < HTTP_CONNECT_TIMEOUT_MS ? deadline : HTTP_CONNECT_TIMEOUT_MS;

	return curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, deadline) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK;
}

bool http_option_set(CURL *easy, struct http_transfer *t)
{
	for (size_t i = 0; i < COUNT_OF(fixed_options); i++)
		if (curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value) !=
		    CURLE_OK)
			return false;
	return set_site(easy, t) && set_request(easy, t) && set_limits(easy, t);
}

struct curl_slist *http_option_headers(const struct http_request *request)
{
	/* curl would add these two by itself; a Content-Type comes from the caller or not at all */
	struct curl_slist *list = mem_must(curl_slist_append(NULL, "Expect:"));
	bool typed = false;

	for (const char *const *header = request->headers; header && *header; header++) {
		typed = typed || !strncasecmp(*header, "Content-Type:", strlen("Content-Type:"));
		list = mem_must(curl_slist_append(list, *header));
	}
	return typed ? list : mem_must(curl_slist_append(list, "Content-Type:"));
}
