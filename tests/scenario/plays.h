/* plays.h - which *.scenario files are played over the kind of server that a program stands on, and
 * that server, which the program starts once.
 *
 * The first lines of a file say where it is not played, and why:
 *
 *     # messages: only|no, REASON
 *     # servers: memory [dovecot] [radicale] [cyrus] [davical] [xandikos] [sogo] (REASON)
 */
#ifndef TASKFERRY_TESTS_PLAYS_H
#define TASKFERRY_TESTS_PLAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "kind.h"

#define PLAYS_MAX 400

struct play {
	char path[512];
	bool messages;  /* with a server of messages */
	size_t number;  /* a server's account for each */
	char skip[256]; /* why it is not played; "": it is */
};

/* What the program stands on. */
extern const struct kind *const plays_kind;

/* The files by name into LIST (PLAYS_MAX); in memory each once in each form that it is for. */
size_t plays_find(struct play *list);

/* A world for that play; skips the test where it is not played or the server is not installed. */
struct world *plays_world(const struct play *play);

/* Tells which are played on standard error. Returns how many. */
size_t plays_tell(void);

#endif
