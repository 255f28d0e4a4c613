/* href.h - one spelling for every address (RFC 3986 section 6.2).
 *
 * Servers write the same item in many ways: as a path, as a URL with the wrong port or one slash
 * too few, relative, with more or fewer characters escaped. An address here is an absolute path in
 * which all but [A-Za-z0-9-._~] of each segment is percent-encoded, capital digits, no empty and no
 * dot segments; a collection keeps its slash at the end. */
#ifndef TASKFERRY_HREF_H
#define TASKFERRY_HREF_H

#include <stddef.h>

#include "base/mem.h"

#define HREF_MAX 8192 /* bytes; path names of 255 bytes, every byte escaped, ten deep */

enum href_place { HREF_SELF, HREF_CHILD, HREF_DEEPER, HREF_OUTSIDE, HREF_PLACES };

/* HREF as an address. BASE is the address that was asked (for relative ones), HOST "name:port" of
 * the server: only the path of a URL counts, whatever its host says. NULL: empty or longer than
 * HREF_MAX. */
char *href_normalise(TALLOC_CTX *mem, const char *base, const char *host, const char *href);

/* One segment of an address from plain text. */
char *href_segment(TALLOC_CTX *mem, const char *text);

/* With exactly one slash at the end. */
char *href_collection(TALLOC_CTX *mem, const char *address);

/* Where ADDRESS stands, seen from the collection FOLDER; both normalised. A direct member is
 * HREF_CHILD, with a slash at its end as well. */
enum href_place href_place(const char *folder, const char *address);

const char *href_place_name(enum href_place place);

#endif
