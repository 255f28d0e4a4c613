/* radicale_test.c - the scenarios over a real Radicale.
 *
 * takes: 20
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_radicale;
