// SPDX-License-Identifier: Apache-2.0
/* What judges a row: guards, poison, threads, and that a run which compares nothing does not pass.
 */
#include "check/self_test.h"
#include "check/settle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* How a kernel with one defect is found out. */
static void expect_caught(const trine_self_test *test, const char *mutant, const char *says)
{
    for (size_t i = 0; i < test->set.count; i++) {
        if (strcmp(test->set.mutants[i].name, mutant) != 0) continue;
        cr_expect(test->failed[i], "%s survived", mutant);
        cr_expect(strstr(test->how[i], says), "%s was caught by \"%s\", not by \"%s\"", mutant,
                  test->how[i], says);
        return;
    }
    cr_expect(false, "there is no mutant %s", mutant);
}

Test(guards, defects_are_told_by_their_names)
{
    trine_self_test test;

    cr_assert_eq(trine_self_test_run(&test, TRINE_OP_MOE_SUM, 1, 60), TRINE_OK, "%s",
                 trine_last_error());
    cr_expect(test.control, "the unbroken kernel failed: %s", test.how[0]);
    cr_expect_eq(test.survived, 0);
    expect_caught(&test, "past_end:out", "behind the last element of out");
    expect_caught(&test, "before_begin:out", "before the first element of out");
    expect_caught(&test, "between_rows:out", "between the elements of out");
    expect_caught(&test, "input_changed:y", "changed the input y");
    expect_caught(&test, "last_row:out", "elements are wrong");
    expect_caught(&test, "nan:out", "elements are wrong");
    trine_self_test_destroy(&test);
}

Test(guards, order_and_workspace_of_bounded_ops)
{
    trine_self_test test;

    cr_assert_eq(trine_self_test_run(&test, TRINE_OP_BLOCK_SCALED_LINEAR, 1, 60), TRINE_OK);
    cr_expect(test.control, "the unbroken kernel failed: %s", test.how[0]);
    cr_expect_eq(test.survived, 0);
    expect_caught(&test, "workspace_overrun:out", "behind the last element of the workspace");
    expect_caught(&test, "less:k", "elements are wrong");
    trine_self_test_destroy(&test);
}

/* Every reference writes the padding that its op promises, as zeros, and leaves other gaps alone.
 */
Test(guards, padding_is_zero)
{
    const trine_request request = {.op = "per_token_group_quant",
                                   .shape = "M=6,K=640",
                                   .names = {"scale_layout"},
                                   .values = {"packed_ue8m0"},
                                   .param_count = 1};
    trine_target target;
    trine_plan plan;
    trine_data data;
    trine_call call;
    trine_outcome outcome;

    cr_assert_eq(trine_target_open(&target, "cpu", NULL, 0), TRINE_OK);
    cr_assert_eq(
        trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device),
        TRINE_OK, "%s", trine_last_error());
    cr_assert_eq(trine_generate(&plan, TRINE_PATTERN_NORMAL, 1, &data), TRINE_OK);
    cr_assert_eq(trine_call_create(&call, &plan, &data, target.oracle, trine_host_device),
                 TRINE_OK);
    cr_assert_eq(trine_call_run(&call, target.oracle, TRINE_POISON_NAN, 0, &outcome), TRINE_OK);
    cr_assert_eq(outcome.status, TRINE_OK, "%s", outcome.error);
    cr_expect_str_eq(outcome.damage, "");
    const int scale = trine_plan_tensor(plan.op, "scale");
    const uint8_t *bytes = trine_outcome_elements(&outcome, &call, scale);
    cr_assert_eq(plan.layout[scale].stride[1], 8);
    /* Rows 6 and 7 of column 0 are padding; column 1 ends with row 5; 5 groups: 3 bytes unused. */
    for (size_t i = 6 * 4; i < 8 * 4; i++) cr_expect_eq(bytes[i], 0);
    for (size_t row = 0; row < 6; row++) {
        for (size_t b = 1; b < 4; b++) cr_expect_eq(bytes[(8 + row) * 4 + b], 0);
    }
    for (size_t i = 14 * 4; i < 16 * 4; i++) cr_expect_eq(bytes[i], 0xFF);
    trine_outcome_destroy(&outcome);
    trine_call_destroy(&call);
    trine_data_destroy(&data);
    trine_target_close(&target);
}

Test(guards, nothing_compared_is_no_pass)
{
    const trine_request request = {.op = "moe_sum", .shape = "M=0,k=2,H=8"};
    trine_target target;
    trine_plan plan;
    trine_data data;
    trine_oracle oracle;
    trine_result result;

    cr_assert_eq(trine_target_open(&target, "cpu", NULL, 0), TRINE_OK);
    cr_assert_eq(
        trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device),
        TRINE_OK);
    cr_assert_eq(trine_generate(&plan, TRINE_PATTERN_NORMAL, 1, &data), TRINE_OK);
    cr_assert_eq(trine_oracle_create(&oracle, &target, &plan, &data), TRINE_OK);
    trine_judge_row(&oracle,
                    trine_target_find_row(&target, plan.op->op, TRINE_BACKEND_HOST, "reference"),
                    NULL, 0, &result);
    cr_expect_eq(result.verdict, TRINE_SKIPPED);
    trine_oracle_destroy(&oracle);
    trine_data_destroy(&data);
    trine_target_close(&target);
}

Test(guards, targets_by_name)
{
    trine_target target;

    cr_expect_eq(trine_target_open(&target, "simulated:gfx942", NULL, 0), TRINE_OK, "%s",
                 trine_last_error());
    cr_expect(target.info->simulated);
    cr_expect_eq(target.info->caps.fp8, TRINE_E4M3FNUZ);
    trine_target_close(&target);
    cr_expect_eq(trine_target_open(&target, "cuda:63", NULL, 0), TRINE_INVALID_DEVICE);
    cr_expect_neq(trine_target_open(&target, "simulated:gfx1", NULL, 0), TRINE_OK);
    cr_expect_neq(trine_target_open(&target, "cuda", NULL, 0), TRINE_OK);
    cr_expect_neq(trine_target_open(&target, "cuda:1x", NULL, 0), TRINE_OK);
}
