#include "config.h"

#include "base/digest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The EVP functions do the same, but the first of them reads openssl.cnf and sets up providers, which
 * takes longer than a round in which nothing has changed. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/buf.h"
#include "base/digest_private.h"

/* The name of a version 5 UUID is its parts as netstrings ("5:hello,"), so that a part may hold any
 * separator and ("ab", "c") is not ("a", "bc"). UUIDs made here stand on servers for years: the
 * form never changes.
 *
 * OpenSSL fails here only when it is broken or has no randomness: that ends the process, like a
 * lack of memory.
 */

#define SHA256_BYTES 32
#define SHA1_BYTES 20
_Static_assert(SHA256_BYTES == DIGEST_HMAC_BYTES, "an HMAC is a hash");
_Static_assert(2 * SHA256_BYTES == DIGEST_HEX, "two digits a byte");

/* RFC 4122 appendix C: NameSpace_URL */
static const unsigned char namespace_url[DIGEST_UUID_BYTES] = { 0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad,
								0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
								0x4f, 0xd4, 0x30, 0xc8 };

static void must(int ok, const char *what)
{
	if (ok == 1)
		return;
	fprintf(stderr, "taskferry: OpenSSL cannot do %s\n", what);
	abort();
}

static void put_hex(struct buf *out, const unsigned char *bytes, size_t chars)
{
	static const char digits[] = "0123456789abcdef";

	buf_room(out, chars);
	for (size_t i = 0; i < chars; i++)
		out->data[out->len++] = digits[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
	out->data[out->len] = '\0';
}

void digest_put(struct buf *out, const void *bytes, size_t n, size_t chars)
{
	unsigned char hash[SHA256_BYTES];
	SHA256_CTX context;

	assert(chars <= DIGEST_HEX);
	must(SHA256_Init(&context) && SHA256_Update(&context, bytes, n) &&
		     SHA256_Final(hash, &context),
	     "SHA-256");
	put_hex(out, hash, chars);
}

char *digest_short(TALLOC_CTX *mem, const void *bytes, size_t n, size_t chars)
{
	struct buf out = buf_of(mem, chars);

	digest_put(&out, bytes, n, chars);
	return out.data;
}

char *digest_sha256(TALLOC_CTX *mem, const void *bytes, size_t n)
{
	return digest_short(mem, bytes, n, DIGEST_HEX);
}

#define HMAC_BLOCK 64

static void sha256(const unsigned char *pad, const void *bytes, size_t n, unsigned char *hash)
{
	SHA256_CTX context;

	must(SHA256_Init(&context) && (!pad || SHA256_Update(&context, pad, HMAC_BLOCK)) &&
		     SHA256_Update(&context, bytes, n) && SHA256_Final(hash, &context),
	     "SHA-256");
}

void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t n,
		 unsigned char mac_r[DIGEST_HMAC_BYTES])
{
	unsigned char block[HMAC_BLOCK] = { 0 }, inner[HMAC_BLOCK], outer[HMAC_BLOCK];
	unsigned char hash[SHA256_BYTES];

	if (key_len > sizeof block)
		sha256(NULL, key, key_len, block);
	else if (key_len)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof block; i++) {
		inner[i] = block[i] ^ 0x36;
		outer[i] = block[i] ^ 0x5c;
	}
	sha256(inner, bytes, n, hash);
	sha256(outer, hash, sizeof hash, mac_r);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(inner, sizeof inner);
	OPENSSL_cleanse(outer, sizeof outer);
}

bool digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* The 16 bytes as a UUID of the variant of RFC 4122. */
static char *uuid(TALLOC_CTX *mem, unsigned char bytes[DIGEST_UUID_BYTES], unsigned version)
{
	struct buf digits = buf_of(mem, 2 * (size_t)DIGEST_UUID_BYTES);
	char *text;

	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | version << 4);
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	put_hex(&digits, bytes, 2 * (size_t)DIGEST_UUID_BYTES);
	text = mem_printf(mem, "%.8s-%.4s-%.4s-%.4s-%.12s", digits.data, digits.data + 8,
			  digits.data + 12, digits.data + 16, digits.data + 20);
	talloc_free(digits.data);
	return text;
}

char *digest_uuid5_name(TALLOC_CTX *mem, const unsigned char namespace[DIGEST_UUID_BYTES],
			const void *name, size_t n)
{
	struct buf *buf = buf_new(mem);
	unsigned char hash[SHA1_BYTES];
	SHA_CTX context;

	buf_add(buf, namespace, DIGEST_UUID_BYTES);
	buf_add(buf, name, n);
	must(SHA1_Init(&context) && SHA1_Update(&context, buf->data, buf->len) &&
		     SHA1_Final(hash, &context),
	     "SHA-1");
	talloc_free(buf);
	return uuid(mem, hash, 5);
}

char *digest_uuid5(TALLOC_CTX *mem, const char *const *parts, size_t n)
{
	struct buf *name = buf_new(mem);
	char *text;

	for (size_t i = 0; i < n; i++)
		buf_printf(name, "%zu:%s,", strlen(parts[i]), parts[i]);
	text = digest_uuid5_name(mem, namespace_url, name->data, name->len);
	talloc_free(name);
	return text;
}

char *digest_uuid4(TALLOC_CTX *mem)
{
	unsigned char bytes[DIGEST_UUID_BYTES];

	must(RAND_bytes(bytes, sizeof bytes), "random numbers");
	return uuid(mem, bytes, 4);
}

uint64_t digest_random(uint64_t bound)
{
	uint64_t number, limit;

	assert(bound > 0);
	limit = UINT64_MAX - UINT64_MAX % bound; /* below a multiple of BOUND all are as likely */
	do
		must(RAND_bytes((unsigned char *)&number, sizeof number), "random numbers");
	while (number >= limit);
	return number % bound;
}
