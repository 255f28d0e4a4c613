/* digest.h - hashes and made-up identities (OpenSSL). */
#ifndef TASKFERRY_DIGEST_H
#define TASKFERRY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DIGEST_HEX 64

/* SHA-256 of the bytes as DIGEST_HEX lower-case hex digits. */
char *digest_sha256(TALLOC_CTX *mem, const void *bytes, size_t n);

/* The first CHARS digits of it: for marks that people see. */
char *digest_short(TALLOC_CTX *mem, const void *bytes, size_t n, size_t chars);

/* Adds them to OUT. */
void digest_put(struct buf *out, const void *bytes, size_t n, size_t chars);

#define DIGEST_HMAC_BYTES 32

/* HMAC-SHA-256 (RFC 2104) of the bytes. */
void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t n,
		 unsigned char mac_r[DIGEST_HMAC_BYTES]);

/* True when N bytes are the same; takes as long whatever they are. */
bool digest_equal(const void *a, const void *b, size_t n);

/* A UUID of version 5 (RFC 4122 section 4.3) in the namespace of URLs, made from the N parts; a
 * part may hold any byte and no two lists of parts give the same name (each part goes in as a
 * netstring, "5:hello,"). */
char *digest_uuid5(TALLOC_CTX *mem, const char *const *parts, size_t n);

/* A UUID of version 4. */
char *digest_uuid4(TALLOC_CTX *mem);

/* A random number below BOUND (> 0). */
uint64_t digest_random(uint64_t bound);

#endif
