/* davical_test.c - the scenarios over a real DAViCal.
 *
 * takes: 60
 * waits: yes
 * jobs: 3
 * timeout: 600
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_davical;
