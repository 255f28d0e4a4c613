/* sogo_test.c - the scenarios over a real SOGo.
 *
 * takes: 150
 * waits: yes
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_sogo;
