/* cyrus_test.c - the scenarios over a real Cyrus.
 *
 * takes: 60
 * waits: yes
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_cyrus;
