// SPDX-License-Identifier: Apache-2.0
/* Does the checker catch broken kernels? */
#include "check/self_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_failure(void *cookie, const trine_failure *failure)
{
    trine_self_test *test = cookie;

    for (size_t i = 0; i < test->set.count; i++) {
        if (strcmp(test->set.mutants[i].name, failure->row) != 0 || test->failed[i]) continue;
        test->failed[i] = true;
        snprintf(test->how[i], sizeof test->how[i], "%.159s", failure->reason);
    }
}

/* All but the control have failed. */
static bool enough(void *cookie)
{
    const trine_self_test *test = cookie;

    for (size_t i = 1; i < test->set.count; i++) {
        if (!test->failed[i]) return false;
    }
    return true;
}

static trine_status run(trine_self_test *test, uint64_t seed, long case_limit)
{
    trine_target target;
    trine_suite suite;
    trine_status status = trine_target_open(&target, "cpu", test->set.rows, test->set.count);

    if (status) return status;
    trine_suite_init(&suite, &target, test->op);
    suite.seed = seed;
    suite.case_limit = suite.case_minimum = case_limit;
    suite.stop_at_failure = true;
    suite.mutants_only = true;
    suite.failed = on_failure;
    suite.enough = enough;
    suite.cookie = test;
    status = trine_suite_run(&suite, NULL);
    test->cases = suite.cases;
    trine_target_close(&target);
    return status;
}

trine_status trine_self_test_run(trine_self_test *test, int32_t op, uint64_t seed, long case_limit)
{
    trine_target target;
    trine_status status = trine_target_open(&target, "cpu", NULL, 0);

    memset(test, 0, sizeof *test);
    test->op = op;
    if (status) return status;
    status = trine_mutants_create(&test->set, target.context, op);
    trine_target_close(&target);
    if (status) return status;
    test->failed = calloc(test->set.count + 1, sizeof *test->failed);
    test->how = calloc(test->set.count + 1, sizeof *test->how);
    status = test->failed && test->how ? run(test, seed, case_limit)
                                       : trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (status) {
        trine_self_test_destroy(test);
        return status;
    }
    test->control = !test->failed[0] && test->set.mutants[0].launches > 0;
    for (size_t i = 1; i < test->set.count; i++) {
        if (test->failed[i])
            test->caught++;
        else if (test->set.mutants[i].chances)
            test->survived++;
        else
            test->idle++;
    }
    test->mutants = test->caught + test->survived;
    return TRINE_OK;
}

void trine_self_test_destroy(trine_self_test *test)
{
    trine_mutants_destroy(&test->set);
    free(test->failed);
    free(test->how);
    test->failed = NULL;
    test->how = NULL;
}
