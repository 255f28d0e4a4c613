/* courier_test.c - chosen scenarios over a real Courier, with messages.
 *
 * timeout: 400
 */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_courier;
