/* imap_set.h - UIDs: addresses of messages, sets of them on the wire (RFC 3501 section 9,
 * sequence-set), dates. Pure. */
#ifndef TASKFERRY_IMAP_SET_H
#define TASKFERRY_IMAP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* "UIDVALIDITY.UID", ten digits each, so that strcmp() puts them in the order of arrival. */
#define IMAP_ADDRESS_SIZE 23 /* bytes with the NUL, of the longer form */

/* Where a message stands: in the folder's own mailbox, or in that for tasks that are done. There an
 * address has a "d" before it, so that it sorts behind all that stand in the other: who puts a copy
 * there says more than who left the first one where it was. */
struct imap_spot {
	bool done;
	uint32_t uidvalidity, uid;
};

void imap_set_spot_write(char address[IMAP_ADDRESS_SIZE], const struct imap_spot *spot);
/* An address, or a version: its address behind which a blank and marks may stand. */
bool imap_set_spot_read(const char *version, struct imap_spot *spot_r);

/* The same for the folder's own mailbox alone. */
char *imap_set_address(TALLOC_CTX *mem, uint32_t uidvalidity, uint32_t uid);

/* False for anything else; neither number is ever 0. */
bool imap_set_address_read(const char *address, uint32_t *uidvalidity_r, uint32_t *uid_r);

/* The address in a version: that alone, or with marks behind a blank. Likewise. */
bool imap_set_version_read(const char *version, uint32_t *uidvalidity_r, uint32_t *uid_r);

/* A list of UIDs. Zeroed it is empty. */
struct imap_uids {
	uint32_t *uid;
	size_t count, size;
};

void imap_set_add(TALLOC_CTX *mem, struct imap_uids *uids, uint32_t uid);

/* Ascending. False: one of them is there twice. */
bool imap_set_sort(struct imap_uids *uids);
bool imap_set_has(const struct imap_uids *sorted, uint32_t uid);

/* "1:5,7". Sorts, and leaves out what is there twice. COUNT is not 0. */
char *imap_set_text(TALLOC_CTX *mem, const uint32_t *uids, size_t count);

/* Adds the UIDs of a set in the order in which they stand there ("5:3" is 3, 4, 5). False: not a
 * set of UIDs ('*' and 0 are none), or UIDS would have more than MAX of them. */
bool imap_set_read(TALLOC_CTX *mem, const char *text, size_t max, struct imap_uids *uids);

/* "17-Jul-1996 02:44:25 -0700" (date-time of RFC 3501), strictly; microseconds since 1970. */
bool imap_set_date_read(const char *text, int64_t *us_r);

#endif
