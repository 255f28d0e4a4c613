/* base64.h - RFC 4648 section 4. */
#ifndef TASKFERRY_BASE64_H
#define TASKFERRY_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Adds the bytes in base64 with padding, without line ends. */
void base64_encode(struct buf *out, const char *bytes, size_t len);

/* The bytes of LEN characters, with a NUL behind them, owned by MEM. White space is skipped, padding
 * may be missing; false: another character, or a length that cannot be. */
bool base64_decode(TALLOC_CTX *mem, const char *text, size_t len, char **bytes_r, size_t *len_r);

#endif
