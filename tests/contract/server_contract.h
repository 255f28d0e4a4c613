/* server_contract.h - the endpoint contract over a real CalDAV server, and what only real ones can show.
 *
 * A program of one server defines server_kind and is linked with server_contract.c, which has the
 * tests. Every test has a user of its own, because some servers let a UID stand once per user.
 */
#ifndef TASKFERRY_SERVER_CONTRACT_H
#define TASKFERRY_SERVER_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

#define SERVER_LINES_MAX 16

struct server_kind {
	const char *name;    /* for people */
	const char *script;  /* tests/servers/SCRIPT.sh */
	const char *root;    /* of the DAV tree, behind the server's URL: "dav/" */
	const char *home[2]; /* of a user, an address: what stands before and after the user */
	const char *unknown_token; /* one that it has never given */
	bool lists_for_unknown;    /* ... which it answers with a full listing, silently */
	bool repeats;       /* a token stands for a moment, and repeats what happened in it */
	bool timeless;      /* it does not tell when an item was changed */
	bool makes_folders; /* a failing put into a folder that is not there makes it */
	bool one_uid_home;  /* a UID stands once per user */
	/* Content lines that it adds, changes or leaves out, by their beginnings. */
	const char *lines[SERVER_LINES_MAX];
	/* Names of items that it takes, escaped; NULL ends. */
	const char *item_names[SERVER_LINES_MAX];
};

extern const struct server_kind server_kind;

#endif
