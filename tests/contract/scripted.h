/* scripted.h - a web server on loopback that does what a test says, byte by byte. */
#ifndef TASKFERRY_SCRIPTED_H
#define TASKFERRY_SCRIPTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct scripted;

enum scripted_manner {
	SCRIPTED_ANSWER,  /* the answer, then the connection is closed */
	SCRIPTED_KEEP,    /* the answer, and the connection stays open for more */
	SCRIPTED_CUT,     /* the first `cut` bytes of the answer, then closed */
	SCRIPTED_HANG,    /* nothing, for ever */
	SCRIPTED_DRIP,    /* a byte every 50 ms */
	SCRIPTED_ENDLESS, /* the answer's head, then a body without end */
};

struct scripted_answer {
	enum scripted_manner manner;
	const char *text; /* head and body; NULL: nothing */
	size_t cut;       /* of ANSWER and KEEP: the length of a text with NUL in it, else 0 */
	int delay_ms;     /* before the first byte */
};

/* Says what comes back for a request: METHOD, PATH, and all of it, head and body (a long body is
 * cut). Runs on the connection's own thread; MEM is that thread's, and lives until the answer is
 * sent. */
typedef struct scripted_answer scripted_reply(void *context, TALLOC_CTX *mem, const char *method,
					      const char *path, const char *request);

/* Freeing it (talloc) ends all of its threads. CONTEXT outlives it. */
struct scripted *scripted_new(TALLOC_CTX *mem, scripted_reply *reply, void *context);

/* "http://127.0.0.1:PORT" */
const char *scripted_url(const struct scripted *scripted);

struct scripted_counts {
	int connections, requests, open_most;
};
struct scripted_counts scripted_counts(struct scripted *scripted);

/* True if a request has had this text in it. */
bool scripted_heard(struct scripted *scripted, const char *text);

#endif
