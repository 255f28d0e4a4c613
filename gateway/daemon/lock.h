/* lock.h - the gateway lock: one process carries changes for one database at a time.
 *
 * A lock on the file `DATABASE.lock`, which also names the process. It ends with the process,
 * however that ends. */
#ifndef TASKFERRY_LOCK_H
#define TASKFERRY_LOCK_H

#include "base/fault.h"

struct lock;

/* Takes the lock of the database that DSN names. TRY_LATER: another process has it; the text names
 * that one. Freeing gives it back. */
struct fault *lock_take(TALLOC_CTX *mem, const char *dsn, struct lock **lock_r) ATTR_MUST_CHECK;

#endif
