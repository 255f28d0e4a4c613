/* sogo_test.c - the scenarios over a real SOGo.
 *
 * takes: 40
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_sogo;
