/* older.h - a database that is older than the world holds and asks (M10).
 *
 * After an old backup was restored, or while a copy is started, items carry editions that this
 * database does not know. Whatever it would decide, it would decide from the past: so nothing is
 * written to any server until a person says that this database is the right one.
 */
#ifndef TASKFERRY_OLDER_H
#define TASKFERRY_OLDER_H

#include "store/store.h"

/* The fault that every command ends with while the site holds: TRY_LATER, of the site, waiting for
 * a person. WHY: by what it was found out. */
struct fault *older_fault(TALLOC_CTX *mem, const char *why);

/* Notes in the database that the site holds; a transaction of its own. */
struct fault *older_note(struct store *store, const char *why) ATTR_MUST_CHECK;

/* older_fault() when the site holds. */
struct fault *older_check(TALLOC_CTX *mem, struct store *store) ATTR_MUST_CHECK;

/* A person said that this database is the right one: the site holds no more, and when it did, all
 * that the database believed of the folders' items is forgotten, so that the next rounds adopt what
 * stands there (M6). One transaction. */
struct fault *older_take_over(TALLOC_CTX *mem, struct store *store) ATTR_MUST_CHECK;

#endif
