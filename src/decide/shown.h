/* shown.h - which of an assignment's attachments an item shows. Pure. */
#ifndef TASKFERRY_SHOWN_H
#define TASKFERRY_SHOWN_H

#include "model/files.h"

/* Bytes of all files that are put into one item's text by us, so that it stays far below what
 * servers and we take of one item (1 MiB as base64, and other people's files besides). */
#define SHOWN_INLINE_TOTAL ((int64_t)512 << 10)

/* What an item has room for. */
struct shown_room {
	bool managed;       /* files stand beside the item, in the server's keeping (RFC 8607) */
	int64_t inline_max; /* bytes of a file that stands in the item's text; 0: none does */
	int64_t total_max;  /* bytes of all of them; 0: SHOWN_INLINE_TOTAL */
	const char *refused; /* files with which the server did not take the item; may be NULL */
};

/* Those of VALUE that an item shows: what stands there already (THERE, may be NULL) stays; links
 * and, unless the server keeps files, small ones get in; what is too large, or is not uploaded yet,
 * is left out. ROOM NULL: all of them. NULL: none. */
char *shown_files(TALLOC_CTX *mem, const char *value, const char *there,
		  const struct shown_room *room);

#endif
