#include "config.h"

#include "model/reply_token.h"

#include <string.h>
#include <strings.h>

#include "base/digest.h"

#define TOKEN_VERSION 1
#define DAY_AT 1
#define UID_AT 3
#define UID_BYTES 16
#define UID_CHARS 36
#define MAC_AT (UID_AT + UID_BYTES)
#define MAC_BYTES 14
#define BYTES (MAC_AT + MAC_BYTES)
#define DAY_MAX 0xffff

/* In front of what is signed, so that no other use of the secret gives the same. */
#define PURPOSE "taskferry reply 1"

_Static_assert(REPLY_TOKEN_CHARS == (BYTES * 8 + 4) / 5, "as long as it says");

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static char *encode(TALLOC_CTX *mem, const unsigned char *bytes)
{
	char *text = MEM_ARRAY(mem, char, REPLY_TOKEN_CHARS + 1);
	unsigned held = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < BYTES; i++) {
		held = (held << 8 | bytes[i]) & 0xffff;
		for (bits += 8; bits >= 5; bits -= 5)
			text[n++] = alphabet[held >> (bits - 5) & 31];
	}
	text[n] = alphabet[held << (5 - bits) & 31];
	return text;
}

static int digit(char c)
{
	const char *at;

	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

/* A token has one spelling: the bits that are left over are 0. */
static bool decode(const char *text, unsigned char *bytes)
{
	unsigned held = 0, bits = 0;
	size_t n = 0;

	if (strlen(text) != REPLY_TOKEN_CHARS)
		return false;
	for (; *text; text++) {
		int value = digit(*text);

		if (value < 0)
			return false;
		held = (held << 5 | (unsigned)value) & 0xffff;
		bits += 5;
		if (bits >= 8 && n < BYTES) {
			bits -= 8;
			bytes[n++] = (unsigned char)(held >> bits);
		}
	}
	return n == BYTES && !(held & ((1u << bits) - 1)) && bytes[0] == TOKEN_VERSION;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_dash(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

static bool uid_bytes(const char *uid, unsigned char *bytes)
{
	size_t n = 0;

	if (strlen(uid) != UID_CHARS)
		return false;
	for (size_t i = 0; i < UID_CHARS; i++) {
		if (is_dash(i) ? uid[i] != '-' : hex(uid[i]) < 0)
			return false;
		if (is_dash(i))
			continue;
		bytes[n / 2] = (unsigned char)(bytes[n / 2] << 4 | hex(uid[i]));
		n++;
	}
	return true;
}

static char *uid_text(TALLOC_CTX *mem, const unsigned char *bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = MEM_ARRAY(mem, char, UID_CHARS + 1);
	size_t n = 0;

	for (size_t i = 0; i < UID_CHARS; i++) {
		if (is_dash(i)) {
			text[i] = '-';
			continue;
		}
		text[i] = digits[n % 2 ? bytes[n / 2] & 15 : bytes[n / 2] >> 4];
		n++;
	}
	return text;
}

static void sign(TALLOC_CTX *mem, const struct reply_token_secret *secret,
		 const unsigned char *bytes, const char *key, unsigned char mac[DIGEST_HMAC_BYTES])
{
	size_t purpose = sizeof PURPOSE, key_len = strlen(key); /* with its NUL, as a separator */
	char *text = MEM_ARRAY(mem, char, purpose + MAC_AT + key_len);

	memcpy(text, PURPOSE, purpose);
	memcpy(text + purpose, bytes, MAC_AT);
	memcpy(text + purpose + MAC_AT, key, key_len);
	digest_hmac(secret->bytes, secret->len, text, purpose + MAC_AT + key_len, mac);
	talloc_free(text);
}

char *reply_token_make(TALLOC_CTX *mem, const struct reply_token_secret *secret, const char *uid,
		       const char *key, int32_t last_day)
{
	unsigned char bytes[BYTES] = { TOKEN_VERSION }, mac[DIGEST_HMAC_BYTES];

	if (last_day < 0 || last_day > DAY_MAX || !uid_bytes(uid, bytes + UID_AT))
		return NULL;
	bytes[DAY_AT] = (unsigned char)(last_day >> 8);
	bytes[DAY_AT + 1] = (unsigned char)last_day;
	sign(mem, secret, bytes, key, mac);
	memcpy(bytes + MAC_AT, mac, MAC_BYTES);
	return encode(mem, bytes);
}

bool reply_token_read(TALLOC_CTX *mem, const char *text, struct reply_token *token_r)
{
	unsigned char bytes[BYTES];

	if (!decode(text, bytes))
		return false;
	token_r->uid = uid_text(mem, bytes + UID_AT);
	token_r->last_day = bytes[DAY_AT] << 8 | bytes[DAY_AT + 1];
	return true;
}

enum reply_token_worth reply_token_check(TALLOC_CTX *mem, const struct reply_token_secret *secret,
					 const char *text, const char *uid, const char *key,
					 int32_t today)
{
	unsigned char bytes[BYTES], mac[DIGEST_HMAC_BYTES], own[UID_BYTES] = { 0 };

	if (!decode(text, bytes) || !uid_bytes(uid, own))
		return REPLY_TOKEN_FORGED;
	sign(mem, secret, bytes, key, mac);
	if (!digest_equal(mac, bytes + MAC_AT, MAC_BYTES) ||
	    !digest_equal(own, bytes + UID_AT, UID_BYTES))
		return REPLY_TOKEN_FORGED;
	return (bytes[DAY_AT] << 8 | bytes[DAY_AT + 1]) < today ? REPLY_TOKEN_EXPIRED
								: REPLY_TOKEN_GOOD;
}

/* Where the name stands in a template that has one. */
static const char *name_in(const char *template)
{
	return strstr(template, CONF_REPLY_TOKEN);
}

char *reply_token_address(TALLOC_CTX *mem, const char *template, const char *token)
{
	const char *name = name_in(template);

	return mem_printf(mem, "%.*s%s%s", (int)(name - template), template, token,
			  name + strlen(CONF_REPLY_TOKEN));
}

char *reply_token_of(TALLOC_CTX *mem, const char *template, const char *address)
{
	const char *name = name_in(template), *behind = name + strlen(CONF_REPLY_TOKEN);
	size_t before = (size_t)(name - template), after = strlen(behind), len = strlen(address);

	if (len != before + REPLY_TOKEN_CHARS + after ||
	    strncasecmp(address, template, before) != 0 ||
	    strcasecmp(address + before + REPLY_TOKEN_CHARS, behind) != 0)
		return NULL;
	return mem_strndup(mem, address + before, REPLY_TOKEN_CHARS);
}
