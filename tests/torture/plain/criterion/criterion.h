/* criterion.h - what the scenarios' world uses of Criterion, for programs that play many stories:
 * a check that fails is told to the program (history_fail()), and a file's own tests are left out. */
#ifndef TASKFERRY_TESTS_PLAIN_CRITERION_H
#define TASKFERRY_TESTS_PLAIN_CRITERION_H

#pragma GCC system_header

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* KIND: two failures of one kind are taken for the same. */
_Noreturn void history_fail(const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define PLAIN_TEXT_(x) #x
#define PLAIN_TEXT(x) PLAIN_TEXT_(x)
/* The place is the kind: another check that fails is another failure. */
#define plain_is(condition, ...)                                                                   \
	((condition) ? (void)0 : history_fail(__FILE__ ":" PLAIN_TEXT(__LINE__), "" __VA_ARGS__))

#define cr_assert(condition, ...) plain_is((condition), __VA_ARGS__)
#define cr_assert_not(condition, ...) plain_is(!(condition), __VA_ARGS__)
#define cr_assert_null(a, ...) plain_is(!(a), __VA_ARGS__)
#define cr_assert_not_null(a, ...) plain_is((a) != NULL, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) plain_is((a) == (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...) plain_is((a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...) plain_is((a) <= (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...) plain_is((a) >= (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...) plain_is((a) > (b), __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) plain_is(!strcmp((a), (b)), __VA_ARGS__)
#define cr_assert_fail(...) plain_is(false, __VA_ARGS__)
#define cr_expect cr_assert
#define cr_expect_not cr_assert_not
#define cr_expect_null cr_assert_null
#define cr_expect_eq cr_assert_eq
#define cr_expect_geq cr_assert_geq
#define cr_expect_str_eq(a, b, ...) plain_is(!strcmp((a), (b)), __VA_ARGS__)

#define PLAIN_UNUSED __attribute__((unused)) static
#define Test(suite, name, ...) PLAIN_UNUSED void suite##_##name(void)
#define ParameterizedTest(param, suite, name, ...) PLAIN_UNUSED void suite##_##name(param)
#define ParameterizedTestParameters(suite, name)                                                   \
	PLAIN_UNUSED struct plain_params suite##_##name##_params(void)

struct plain_params {
	void *list;
	size_t count;
};
#define cr_malloc malloc
#define cr_make_param_array(type, list, count, ...) ((struct plain_params){ (list), (count) })

#endif
