/* ASSERT stays on in release builds: a broken invariant stops the process before it can lie. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#define ASSERT(condition)                                                                          \
    (__builtin_expect(!!(condition), 1) ? (void)0 : assert_failed(__FILE__, __LINE__, #condition))

_Noreturn void assert_failed(const char *file, int line, const char *condition);

#endif
