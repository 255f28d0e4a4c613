/* secret_private.h - for secret.c, log.c and the tests. */
#ifndef TASKFERRY_SECRET_PRIVATE_H
#define TASKFERRY_SECRET_PRIVATE_H

#include "base/secret.h"

/* secret_command() with another limit of time. */
struct fault *secret_command_within(TALLOC_CTX *mem, const char *command,
				    const struct secret_names *names, int timeout_ms,
				    struct secret **secret_r) ATTR_MUST_CHECK;

/* TEXT without any of the N secrets: every byte that belongs to an occurrence of one of them, also
 * where two overlap, is covered; each covered run becomes one "***". */
char *secret_mask_all(TALLOC_CTX *mem, const struct secret *const *secrets, size_t n,
		      const char *text);

#endif
