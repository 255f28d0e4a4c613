/* dovecot_test.c - the scenarios over a real Dovecot, with messages. */
#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_dovecot;
