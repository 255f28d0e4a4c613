#include "config.h"

#include "gateway/net/http_private.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"

/* Who we are, towards a server. Basic, Digest and Bearer speak for one request, so that connections
 * are shared by all users of a host; a certificate of ours belongs to its connection, and curl gives
 * that to nobody with another; Negotiate belongs to its connection too, which curl does not look
 * at: such a request gets a connection of its own, which ends with it.
 *
 * The secret is revealed here, and in http_digest.c to be hashed, and nowhere else (N8). */

#define RENEW_MIN_MS 60000 /* between two new tokens for one login: more do not help */

static bool uses_password(const struct http_site *site)
{
	return site->auth == HTTP_AUTH_PASSWORD || site->auth == HTTP_AUTH_BASIC ||
	       site->auth == HTTP_AUTH_DIGEST;
}

bool http_auth_is_secret(const struct http_site *site)
{
	return site->user || site->password || site->auth == HTTP_AUTH_NEGOTIATE;
}

bool http_has_negotiate(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	return info->features & (CURL_VERSION_GSSNEGOTIATE | CURL_VERSION_GSSAPI);
}

/* ---- what curl is told ---- */

static bool set_text(CURL *easy, CURLoption option, const char *text)
{
	return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

static bool set_long(CURL *easy, CURLoption option, long value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_login(CURL *easy, long scheme, const char *user, const char *password)
{
	return set_long(easy, CURLOPT_HTTPAUTH, scheme) && set_text(easy, CURLOPT_USERNAME, user) &&
	       set_text(easy, CURLOPT_PASSWORD, password);
}

bool http_auth_set(CURL *easy, const struct http_batch *batch)
{
	const struct http_site *site = batch->site;
	const char *secret = batch->password ? secret_reveal(batch->password) : "";

	switch (site->auth) {
	case HTTP_AUTH_PASSWORD:
	case HTTP_AUTH_BASIC:
		return !site->user || batch->challenged ||
		       set_login(easy, CURLAUTH_BASIC, site->user, secret);
	case HTTP_AUTH_BEARER:
		return set_long(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) &&
		       set_text(easy, CURLOPT_XOAUTH2_BEARER, secret);
	case HTTP_AUTH_NEGOTIATE:
		return set_login(easy, CURLAUTH_NEGOTIATE, "", "") &&
		       set_long(easy, CURLOPT_FRESH_CONNECT, 1) &&
		       set_long(easy, CURLOPT_FORBID_REUSE, 1);
	case HTTP_AUTH_DIGEST: /* a header of its own */
	case HTTP_AUTH_CERTIFICATE:
	case HTTP_AUTHS:
		break;
	}
	return true;
}

/* Path and query as curl sends them. */
static const char *uri_of(TALLOC_CTX *mem, const char *url)
{
	const char *authority = strstr(url, "://");
	const char *path = authority ? strchr(authority + 3, '/') : NULL;

	return path ? mem_strndup(mem, path, strcspn(path, "#")) : "/";
}

struct curl_slist *http_auth_headers(struct curl_slist *list, struct http_site *site,
				     const struct http_request *request)
{
	TALLOC_CTX *work;
	char *line;

	if (!site->challenge.known || !site->user || !uses_password(site))
		return list;
	work = MEM_CONTEXT(NULL);
	line = http_digest_line(work, &site->challenge, site->user, site->password, request->method,
				uri_of(work, request->url), digest_uuid4(work));
	if (line)
		list = mem_must(curl_slist_append(list, line));
	talloc_free(work);
	return list;
}

/* ---- after a refusal ---- */

/* Digest in place of Basic only where Basic is not offered, or was never meant; and a password that
 * was refused with a good nonce is a wrong one. */
static bool take_challenge(struct http_site *site, const char *authenticate)
{
	struct http_challenge next;

	if (site->auth == HTTP_AUTH_BASIC || !http_digest_read(authenticate, &next))
		return false;
	if (site->auth == HTTP_AUTH_PASSWORD && http_digest_offers(authenticate, "Basic"))
		return false;
	if (site->challenge.known && !next.stale)
		return false;
	site->challenge = next;
	return true;
}

static bool is_other(const struct secret *before, const struct secret *now)
{
	return now && (!before || strcmp(secret_reveal(before), secret_reveal(now)) != 0);
}

static bool renew(struct http_site *site)
{
	const struct secret *before = site->password, *now = NULL;
	int64_t at = http_net_now_ms();

	if (!site->renew || (site->renewed_ms && at - site->renewed_ms < RENEW_MIN_MS))
		return false;
	site->renewed_ms = at;
	talloc_free(site->renew(site->renew_context, &now));
	if (!is_other(before, now))
		return false;
	site->password = now;
	return true;
}

bool http_auth_again(struct http_site *site, const struct http_request *refused, uint32_t logins)
{
	bool other;

	if (site->logins != logins) /* another batch has met the same meanwhile */
		return true;
	if (site->auth == HTTP_AUTH_BEARER)
		other = renew(site);
	else
		other = site->user && uses_password(site) && refused->authenticate &&
			take_challenge(site, refused->authenticate);
	site->logins += other;
	return other;
}
