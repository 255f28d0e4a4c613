/* attr.h - compiler attributes, each under one short name. */
#ifndef TASKFERRY_ATTR_H
#define TASKFERRY_ATTR_H

#define ATTR_MUST_CHECK __attribute__((warn_unused_result))
#define ATTR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define ATTR_SENTINEL __attribute__((sentinel))
#define ATTR_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define ATTR_NORETURN __attribute__((noreturn))

/* Number of elements of a real array. */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
