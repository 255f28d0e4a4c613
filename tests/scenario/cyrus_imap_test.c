/* cyrus_imap_test.c - chosen scenarios over a real Cyrus by IMAP, with messages.
 *
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_cyrus_imap;
