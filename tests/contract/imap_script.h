/* imap_script.h - an IMAP server on loopback that does what a test says, byte by byte.
 *
 * It is a small, well-behaved server of one account and one mailbox; rows of a script replace what it
 * says to single commands. It keeps all that it is told.
 */
#ifndef TASKFERRY_IMAP_SCRIPT_H
#define TASKFERRY_IMAP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum imap_script_then {
	IMAP_SCRIPT_GO_ON,
	IMAP_SCRIPT_CLOSE,
	IMAP_SCRIPT_HANG,    /* says nothing more, for ever */
	IMAP_SCRIPT_DRIP,    /* the text a byte every 20 ms, again and again */
	IMAP_SCRIPT_ENDLESS, /* the text as fast as it goes, again and again */
};

/* What is said when a command begins with WHEN (behind its tag). "": the greeting; "+": the server is
 * asked to take a literal or the rest of AUTHENTICATE; "DONE"; "REPLY": a line behind a
 * `+` that a row has said to AUTHENTICATE. In SAY `$T` is the tag and `$0` a NUL;
 * NULL: what a good server says. */
struct imap_script_row {
	const char *when, *say;
	enum imap_script_then then;
	const char *again; /* DRIP and ENDLESS: repeated, behind SAY; NULL: SAY itself */
	size_t times; /* that many times, to all clients together; then the next row that fits; 0: always */
};

struct imap_script {
	const char *caps; /* behind CAPABILITY; NULL: all that the session makes use of */
	const struct imap_script_row *rows;
	size_t count;
	size_t cut; /* closes each connection after so many bytes; 0: never */
};

struct imap_server;

/* SCRIPT is copied, its texts are not; freeing it (talloc) ends all of its threads. */
struct imap_server *imap_server_new(TALLOC_CTX *mem, const struct imap_script *script);
int imap_server_port(const struct imap_server *server);

/* All that clients have said, one after another. A copy. */
char *imap_server_heard(struct imap_server *server, TALLOC_CTX *mem, size_t *len_r);

/* Bytes that it has said to the last client. */
size_t imap_server_said(struct imap_server *server);

#endif
