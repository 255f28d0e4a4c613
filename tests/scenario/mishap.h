/* mishap.h - what happens to servers and databases behind everybody's back. */
#ifndef TASKFERRY_TESTS_MISHAP_H
#define TASKFERRY_TESTS_MISHAP_H

#include "world.h"

/* The server a, or the database, as it is now; and put back as it was then. Messages get new numbers
 * by that (UIDVALIDITY). */
void mishap_backup(struct world *world, bool database);
void mishap_restore(struct world *world, bool database);

/* All messages of server a get new numbers. */
void mishap_renumber(struct world *world);

/* A person's folder of the project gets another name. */
void mishap_rename_folder(struct world *world, const char *who, const char *name);

/* The bytes FROM, somewhere on server a, become TO, of the same length; no version tells. */
void mishap_tamper(struct world *world, const char *from, const char *to);

#endif
