#include "config.h"

#include "plays.h"

const struct kind *const plays_kind = &kind_memory;
