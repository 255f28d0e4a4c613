/* parameterized.h - see criterion.h beside it. */
#include <criterion/criterion.h>
