/* fixture.h - starts and stops a server by a script of tests/servers. */
#ifndef TASKFERRY_FIXTURE_H
#define TASKFERRY_FIXTURE_H

#include <stdbool.h>

#include "base/mem.h"

#define FIXTURE_NOT_INSTALLED 77 /* what a script exits with then */

struct fixture {
	char *script; /* tests/servers/NAME.sh, below $srcdir where that is set */
	char *dir;    /* a directory of its own */
	char *url;    /* what the script wrote; NULL: not started */
	int result;   /* the script's exit */
};

/* Runs "NAME.sh COMMAND DIR ARGUMENTS" (a NULL-terminated list, or NULL). */
struct fixture *fixture_start(TALLOC_CTX *mem, const char *name, const char *command,
			      const char *const *arguments);

/* Runs "NAME.sh add DIR" with LINES (USER[:PASSWORD]) on its standard input; false: it failed. For the
 * servers whose script has that command. */
bool fixture_add_users(struct fixture *fixture, const char *lines);

/* Stops the server, keeps the directory. Harmless when repeated. */
void fixture_stop(struct fixture *fixture);

/* Stops the server and removes the directory. */
void fixture_end(struct fixture *fixture);

/* After all tests, of which so many have FAILED: if any, the last that the server has logged is told
 * first. Ends the fixture and frees it; NULL is harmless. */
void fixture_close(struct fixture *fixture, size_t failed);

#endif
