/* ids.h - change ids per group of fields (DESIGN section 4): a group whose id has not moved is not
 * compared.
 *
 * The mailbox' side: a digest of the group as it was decoded, with the version of the decoder. The
 * project's side: the number of the group's last change. Both are kept with a link as one line of
 * text each, GROUPS words, so the state of an item stays bounded however many fields there are.
 */
#ifndef TASKFERRY_IDS_H
#define TASKFERRY_IDS_H

#include <stdint.h>

#include "model/vector.h"

#define EDITION_MAX 1000000000 /* of an item; a larger number was typed by somebody */
#define IDS_HASH_CHARS 8 /* of a group's digest: 32 bits; only ever compared with the one before */

/* "DECODER:HASH HASH ...", in the order of enum field_group; the hash of a group that says nothing
 * is "-". */
char *ids_of_vector(TALLOC_CTX *mem, int64_t decoder, const struct vector *values);

/* "SEQ SEQ ...": SEQ[FIELDS] are the numbers of the fields' last changes. */
char *ids_of_changes(TALLOC_CTX *mem, const int64_t seq[FIELDS]);

/* Which groups moved between two lines of one kind. All did when either is NULL, of another
 * decoder, or not of that form. Returns true when any did. */
bool ids_moved(const char *before, const char *now, bool moved_r[GROUPS]);

#endif
