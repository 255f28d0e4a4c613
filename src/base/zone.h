/* zone.h - the time zones that this system knows. */
#ifndef TASKFERRY_ZONE_H
#define TASKFERRY_ZONE_H

#include <stdbool.h>

/* True for "UTC", and for a name such as "Europe/Berlin" that the system's zone database has. The
 * name cannot lead out of the database's folder; its right/ part is left out, since that counts
 * leap seconds, which POSIX time does not. NULL is no zone. */
bool zone_is_known(const char *name);

#endif
