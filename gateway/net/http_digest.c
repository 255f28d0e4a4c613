#include "config.h"

#include "gateway/net/http_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

#define WORD_MAX 64 /* bytes of a scheme's or parameter's name: longer ones are none of ours */

/* ---- reading ---- */

/* Walks over "Scheme name=value, name="value", Scheme ...". */
struct walk {
	const char *at;
	char word[WORD_MAX];              /* a scheme, or a parameter's name */
	char value[HTTP_DIGEST_TEXT_MAX]; /* of the parameter */
	bool is_scheme, too_long;
};

static void put(char *text, size_t size, size_t *n, char c, bool *too_long)
{
	if (*n + 1 < size)
		text[(*n)++] = c;
	else
		*too_long = true;
	text[*n] = '\0';
}

static void read_value(struct walk *walk)
{
	bool quoted = *walk->at == '"';
	size_t n = 0;

	walk->at += quoted;
	while (*walk->at && (quoted ? *walk->at != '"' : !strchr(" \t,", *walk->at))) {
		if (quoted && *walk->at == '\\' && walk->at[1])
			walk->at++;
		put(walk->value, sizeof walk->value, &n, *walk->at++, &walk->too_long);
	}
	walk->at += quoted && *walk->at == '"';
}

static bool walk_next(struct walk *walk)
{
	size_t n = 0;
	const char *after;

	walk->too_long = false;
	walk->word[0] = walk->value[0] = '\0';
	walk->at += strspn(walk->at, " \t,");
	if (!*walk->at)
		return false;
	if (*walk->at == '"' || *walk->at == '=') { /* of something that we do not know */
		read_value(walk);
		walk->at += *walk->at == '=';
		return true;
	}
	while (*walk->at && !strchr(" \t,=\"", *walk->at))
		put(walk->word, sizeof walk->word, &n, *walk->at++, &walk->too_long);
	after = walk->at + strspn(walk->at, " \t");
	walk->is_scheme = *after != '=';
	if (!walk->is_scheme) {
		walk->at = after + 1 + strspn(after + 1, " \t");
		read_value(walk);
	}
	return true;
}

bool http_digest_offers(const char *authenticate, const char *scheme)
{
	struct walk walk = { .at = authenticate };

	while (walk_next(&walk))
		if (walk.is_scheme && !strcasecmp(walk.word, scheme))
			return true;
	return false;
}

static bool lists_auth(const char *qop)
{
	while (*qop) {
		size_t n = strcspn(qop, " \t,");

		if (n == 4 && !strncasecmp(qop, "auth", n))
			return true;
		qop += n + strspn(qop + n, " \t,");
	}
	return false;
}

/* False: a value that makes the challenge one that cannot be answered. */
static bool take_parameter(const struct walk *walk, struct http_challenge *challenge)
{
	const char *value = walk->value;
	const struct {
		const char *name;
		char *text;
	} texts[] = { { "realm", challenge->realm },
		      { "nonce", challenge->nonce },
		      { "opaque", challenge->opaque } };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (!strcasecmp(walk->word, texts[i].name)) {
			memcpy(texts[i].text, value, strlen(value) + 1);
			return !walk->too_long;
		}
	if (!strcasecmp(walk->word, "stale"))
		challenge->stale = !strcasecmp(value, "true");
	if (!strcasecmp(walk->word, "qop"))
		return challenge->qop = lists_auth(value);
	if (strcasecmp(walk->word, "algorithm"))
		return true;
	challenge->sha256 = text_starts(value, "SHA-256") || text_starts(value, "sha-256");
	challenge->session = text_ends(value, "-sess") || text_ends(value, "-SESS");
	return !strcasecmp(value, "MD5") || !strcasecmp(value, "MD5-sess") ||
	       !strcasecmp(value, "SHA-256") || !strcasecmp(value, "SHA-256-sess");
}

static void keep_better(const struct http_challenge *one, bool usable, struct http_challenge *best)
{
	if (usable && *one->nonce && (!best->known || (one->sha256 && !best->sha256))) {
		*best = *one;
		best->known = true;
	}
}

bool http_digest_read(const char *authenticate, struct http_challenge *challenge_r)
{
	struct walk walk = { .at = authenticate };
	struct http_challenge one = { .known = false }, best = { .known = false };
	bool usable = false;

	while (walk_next(&walk)) {
		if (walk.is_scheme) {
			keep_better(&one, usable, &best);
			one = (struct http_challenge){ .known = false };
			usable = !strcasecmp(walk.word, "Digest");
		} else if (usable) {
			usable = take_parameter(&walk, &one);
		}
	}
	keep_better(&one, usable, &best);
	if (best.known)
		*challenge_r = best;
	return best.known;
}

/* ---- answering ---- */

/* In lower-case hexadecimal, and TEXT wiped: there may be a secret in it (N8). */
static char *hash(TALLOC_CTX *mem, const struct http_challenge *challenge, char *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct buf *out = buf_new(mem);
	int ok = EVP_Digest(text, strlen(text), sum, &n,
			    challenge->sha256 ? EVP_sha256() : EVP_md5(), NULL);

	OPENSSL_cleanse(text, strlen(text));
	talloc_free(text);
	for (unsigned i = 0; ok && i < n; i++)
		buf_printf(out, "%02x", sum[i]);
	return ok ? buf_steal(&out, mem, NULL) : NULL;
}

static char *quoted(TALLOC_CTX *mem, const char *text)
{
	struct buf *out = buf_new(mem);

	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *c);
	}
	return buf_steal(&out, mem, NULL);
}

/* RFC 7616 section 3.4.1. */
static char *response_of(TALLOC_CTX *mem, const struct http_challenge *challenge, const char *user,
			 const struct secret *password, const char *method, const char *uri,
			 const char *cnonce)
{
	char *one = hash(mem, challenge,
			 mem_printf(mem, "%s:%s:%s", user, challenge->realm,
				    password ? secret_reveal(password) : ""));
	char *two = hash(mem, challenge, mem_printf(mem, "%s:%s", method, uri));

	if (one && challenge->session)
		one = hash(mem, challenge,
			   mem_printf(mem, "%s:%s:%s", one, challenge->nonce, cnonce));
	if (!one || !two)
		return NULL;
	if (!challenge->qop)
		return hash(mem, challenge,
			    mem_printf(mem, "%s:%s:%s", one, challenge->nonce, two));
	return hash(mem, challenge,
		    mem_printf(mem, "%s:%s:%08x:%s:auth:%s", one, challenge->nonce,
			       challenge->count, cnonce, two));
}

char *http_digest_line(TALLOC_CTX *mem, struct http_challenge *challenge, const char *user,
		       const struct secret *password, const char *method, const char *uri,
		       const char *cnonce)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct buf *line = buf_new(work);
	char *response;

	challenge->count++;
	response = response_of(work, challenge, user, password, method, uri, cnonce);
	buf_printf(line, "Authorization: Digest username=\"%s\", realm=\"%s\"", quoted(work, user),
		   quoted(work, challenge->realm));
	buf_printf(line, ", nonce=\"%s\", uri=\"%s\", response=\"%s\"",
		   quoted(work, challenge->nonce), uri, response ? response : "");
	buf_printf(line, ", algorithm=%s%s", challenge->sha256 ? "SHA-256" : "MD5",
		   challenge->session ? "-sess" : "");
	if (*challenge->opaque)
		buf_printf(line, ", opaque=\"%s\"", quoted(work, challenge->opaque));
	if (challenge->qop)
		buf_printf(line, ", qop=auth, nc=%08x", challenge->count);
	if (challenge->qop || challenge->session)
		buf_printf(line, ", cnonce=\"%s\"", cnonce);
	response = response ? buf_steal(&line, mem, NULL) : NULL;
	talloc_free(work);
	return response;
}
