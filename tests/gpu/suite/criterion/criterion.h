// SPDX-License-Identifier: Apache-2.0
/*
 * As much of Criterion as the tables of tests/ops need, so that the same tables run here, on a
 * machine with a GPU and without Criterion. Failures go to the suite; an assertion ends its part.
 */
#ifndef TRINE_TESTS_GPU_CRITERION_H
#define TRINE_TESTS_GPU_CRITERION_H

/* Criterion's macros may be called without a message, which C11 does not allow a macro of one's
 * own. */
#pragma GCC system_header

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Notes a failed expectation; `fatal` leaves the part. */
void suite_expectation(bool holds, bool fatal, const char *file, int line, const char *text,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));

#define SUITE_HOLDS(condition, fatal, ...)                                                         \
    suite_expectation((condition), fatal, __FILE__, __LINE__, #condition, " " __VA_ARGS__)

#define cr_expect(condition, ...) SUITE_HOLDS(condition, false, __VA_ARGS__)
#define cr_assert(condition, ...) SUITE_HOLDS(condition, true, __VA_ARGS__)

#define cr_expect_eq(a, b, ...)     cr_expect((a) == (b), __VA_ARGS__)
#define cr_assert_eq(a, b, ...)     cr_assert((a) == (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...)     cr_assert((a) < (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...)    cr_assert((a) >= (b), __VA_ARGS__)
#define cr_assert_str_empty(a, ...) cr_assert(!*(a), __VA_ARGS__)

#endif
