/* daemon.h - the service: `taskferry run`.
 *
 * The calling thread becomes the loop: signals, timers, the control socket, the watched accounts.
 * All work is the engine's (gateway/sync/engine.h).
 *
 *   SIGTERM, SIGINT   ends within DAEMON_END_MS; what was under way is done again by the next start
 *   SIGHUP            reads the configuration again; one with errors is reported and changes nothing;
 *                     with a sound one a `sync` that waits begins anew
 */
#ifndef TASKFERRY_DAEMON_H
#define TASKFERRY_DAEMON_H

#include "base/log.h"
#include "conf/conf.h"
#include "store/store.h"

#define DAEMON_CANCEL_MS 3000  /* after a signal to end: waits for servers are broken off */
#define DAEMON_END_MS 4500     /* the process ends, whatever still runs: being killed is safe */
#define DAEMON_RELOAD_MS 20000 /* a reload waits that long for what is under way */

struct daemon_options {
	const char *conf_path;
	struct conf *conf;   /* the content of that file, already checked, rules included */
	struct store *store; /* used before the loop begins only */
	struct clock *clock;
	struct points *points;
	struct log *log;
	bool verbose; /* debug, whatever the configuration's level is */
	bool takeover;
};

/* Returns when the service has ended: NULL, because it was asked to; or why it could not begin, or
 * could not go on (database gone, disk full ...). TRY_LATER: another process works on the
 * database. */
struct fault *daemon_run(TALLOC_CTX *mem, const struct daemon_options *options) ATTR_MUST_CHECK;

#endif
