/* digest_private.h - for digest.c and its test. */
#ifndef TASKFERRY_DIGEST_PRIVATE_H
#define TASKFERRY_DIGEST_PRIVATE_H

#include <stddef.h>

#include "base/mem.h"

#define DIGEST_UUID_BYTES 16

/* RFC 4122 section 4.3 as it stands: the UUID of version 5 of the N bytes of NAME in NAMESPACE. */
char *digest_uuid5_name(TALLOC_CTX *mem, const unsigned char namespace[DIGEST_UUID_BYTES],
			const void *name, size_t n);

#endif
