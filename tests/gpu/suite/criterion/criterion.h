// SPDX-License-Identifier: Apache-2.0
/*
 * As much of Criterion as the tables of tests/ops need, so that the same tables run here, on a
 * machine with a GPU and without Criterion. Failures go to the suite; an assertion ends its part.
 */
#ifndef TRINE_TESTS_GPU_CRITERION_H
#define TRINE_TESTS_GPU_CRITERION_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Notes a failed expectation; `fatal` leaves the part. The message may be missing: the macros end
 * each list with a NULL, which then stands where the format would. */
void suite_expectation(bool fatal, const char *file, int line, const char *text, bool holds,
                       const char *format, ...);

#define SUITE_HOLDS(fatal, text, ...)                                                              \
    suite_expectation(fatal, __FILE__, __LINE__, text, __VA_ARGS__, NULL)

#define cr_expect(...) SUITE_HOLDS(false, #__VA_ARGS__, __VA_ARGS__)
#define cr_assert(...) SUITE_HOLDS(true, #__VA_ARGS__, __VA_ARGS__)

/* b and the message are one list, for C11 has no macro arguments that may be missing. */
#define cr_expect_eq(a, ...)     cr_expect((a) == __VA_ARGS__)
#define cr_assert_eq(a, ...)     cr_assert((a) == __VA_ARGS__)
#define cr_assert_lt(a, ...)     cr_assert((a) < __VA_ARGS__)
#define cr_assert_geq(a, ...)    cr_assert((a) >= __VA_ARGS__)
#define cr_assert_str_empty(...) cr_assert(!*__VA_ARGS__)

#endif
