/* machine.h - a database knows the machine whose service works on it (M10): a copy that is started
 * elsewhere would write the same people's items a second time. */
#ifndef TASKFERRY_MACHINE_H
#define TASKFERRY_MACHINE_H

#include "store/store.h"

/* The first time, and with TAKEOVER always, this machine is noted in the database. CONFIG fault:
 * another one is. */
struct fault *machine_check(TALLOC_CTX *mem, struct store *store, bool takeover) ATTR_MUST_CHECK;

#endif
