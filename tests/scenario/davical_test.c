/* davical_test.c - the scenarios over a real DAViCal.
 *
 * takes: 100
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_davical;
