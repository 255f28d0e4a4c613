/* notify.h - what the service manager is told (sd_notify(3)). All of it is nothing when the program
 * was not started by systemd. */
#ifndef TASKFERRY_NOTIFY_H
#define TASKFERRY_NOTIFY_H

#include <stdint.h>

#include "base/attr.h"

void notify_ready(void);
void notify_reloading(void); /* notify_ready() follows */
void notify_stopping(void);

/* One line for `systemctl status`. */
void notify_status(const char *fmt, ...) ATTR_PRINTF(1, 2);

/* How often notify_alive() is to be called: half of WatchdogSec= of the unit; 0: never. */
uint64_t notify_watchdog_ms(void);
void notify_alive(void);

#endif
