// SPDX-License-Identifier: Apache-2.0
/* Does the checker catch broken kernels? */
#ifndef TRINE_CHECK_SELF_TEST_H
#define TRINE_CHECK_SELF_TEST_H

#include "check/mutants.h"
#include "check/suite.h"

typedef struct trine_self_test {
    int32_t op;
    size_t mutants; /* that had a chance to do harm */
    size_t caught;
    size_t survived;
    size_t idle;  /* never had a chance: not counted */
    bool control; /* the unbroken one passed */
    long cases;
    trine_mutants set;
    bool *failed; /* by mutant */
    char (*how)[160];
} trine_self_test;

/* Runs the cases of an op by all its mutants until each has failed once. */
trine_status trine_self_test_run(trine_self_test *test, int32_t op, uint64_t seed, long case_limit);
void trine_self_test_destroy(trine_self_test *test);

#endif
