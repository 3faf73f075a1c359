// SPDX-License-Identifier: Apache-2.0
/* Rows that leave intermediates are judged by them: right outputs from a wrong A2 do not pass. */
#include "check/generate.h"
#include "check/judge.h"
#include "check/settle.h"

#include <criterion/criterion.h>
#include <string.h>

static trine_launch_fn reference;

static trine_status launch_right(const trine_launch *launch)
{
    return reference(launch);
}

/* The last local slot's first code that is not small gets two steps more. */
static trine_status launch_code(const trine_launch *launch)
{
    const trine_fused_moe_problem *p = &launch->problem->fused_moe;
    uint8_t *codes = (uint8_t *)launch->workspace + p->workspace.a2;
    const trine_status status = reference(launch);

    for (int64_t i = 0; i < p->intermediate; i++) {
        const uint8_t magnitude = codes[i] & 0x7F;
        if (magnitude < 0x40 || magnitude > 0x70) continue;
        codes[i] = (uint8_t)(codes[i] + 2);
        return status;
    }
    return trine_fail(TRINE_BACKEND_ERROR, "there is no code to spoil");
}

static trine_status launch_scale(const trine_launch *launch)
{
    const trine_fused_moe_problem *p = &launch->problem->fused_moe;
    char *scale = (char *)launch->workspace + p->workspace.a2_scale;
    const trine_status status = reference(launch);
    float value;

    memcpy(&value, scale, sizeof value);
    value *= 1.01f;
    memcpy(scale, &value, sizeof value);
    return status;
}

/* What it leaves is not what it multiplied. */
static trine_status launch_other(const trine_launch *launch)
{
    trine_problem problem = *launch->problem;
    trine_launch changed = *launch;

    changed.problem = &problem;
    problem.fused_moe.routed_scaling_factor *= 1.02f;
    return reference(&changed);
}

static const struct {
    const char *name;
    trine_launch_fn launch;
    uint32_t flags;
    const char *says; /* "": passes */
} rows[] = {
    {"right", launch_right, TRINE_ROW_STAGED, ""},
    {"code", launch_code, TRINE_ROW_STAGED, "stage 1: 1 of"},
    {"scale", launch_scale, TRINE_ROW_STAGED, "1 of 24 scales are wrong: scale of slot 0"},
    {"other", launch_other, TRINE_ROW_STAGED, "elements are wrong"},
    {"code_unlooked", launch_code, 0, ""},
};
enum { ROWS = sizeof rows / sizeof *rows };

Test(staged, rows_are_judged_by_what_they_leave)
{
    trine_request request = {.op = "fused_moe",
                             .shape = "M=6,H=64,I=128,E=4,k=2",
                             .names = {"quantization", "block_k"},
                             .values = {"fp8_block", "64"},
                             .param_count = 2};
    trine_row added[ROWS];
    trine_target target;
    trine_plan plan;
    trine_data data;
    trine_oracle oracle;
    trine_result result;
    const trine_row *row;
    char text[256];

    cr_assert_eq(trine_target_open(&target, "cpu", NULL, 0), TRINE_OK);
    for (size_t i = 0; (row = trine_row_at(target.context, TRINE_OP_FUSED_MOE, i)) != NULL; i++) {
        if (row->flags & TRINE_ROW_REFERENCE) reference = row->launch;
    }
    trine_target_close(&target);
    cr_assert(reference);
    for (int i = 0; i < ROWS; i++)
        added[i] = (trine_row){.op = TRINE_OP_FUSED_MOE,
                               .backend = TRINE_BACKEND_HOST,
                               .name = rows[i].name,
                               .doc = "for a test",
                               .flags = rows[i].flags,
                               .accumulation = TRINE_ACCUMULATE_F32,
                               .launch = rows[i].launch};
    cr_assert_eq(trine_target_open(&target, "cpu", added, ROWS), TRINE_OK, "%s",
                 trine_last_error());
    cr_assert_eq(
        trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device),
        TRINE_OK, "%s", trine_last_error());
    cr_assert_eq(trine_generate(&plan, TRINE_PATTERN_NORMAL, 1, &data), TRINE_OK);
    cr_assert_eq(trine_oracle_create(&oracle, &target, &plan, &data), TRINE_OK);
    for (int i = 0; i < ROWS; i++) {
        row = trine_target_find_row(&target, TRINE_OP_FUSED_MOE, TRINE_BACKEND_HOST, rows[i].name);
        cr_assert(row);
        trine_judge_row(&oracle, row, NULL, 0, &result);
        cr_expect_eq(result.verdict, rows[i].says[0] ? TRINE_FAILED : TRINE_PASSED, "%s: %s",
                     rows[i].name, result.reason);
        cr_expect(strstr(result.reason, rows[i].says), "%s: %s", rows[i].name, result.reason);
        trine_staged_print(&result.staged, text, sizeof text);
        cr_expect_eq(result.staged.codes, rows[i].flags ? 12 * 128 : 0, "%s: %s", rows[i].name,
                     text);
        cr_expect_eq(result.staged.scales, rows[i].flags ? 24 : 0, "%s: %s", rows[i].name, text);
        cr_expect_eq(text[0] != 0, rows[i].flags != 0);
        if (strcmp(rows[i].name, "other") == 0)
            cr_expect_gt(result.staged.out.wrong, 0, "stage 2 saw nothing");
    }
    trine_oracle_destroy(&oracle);
    trine_data_destroy(&data);
    trine_target_close(&target);
}
