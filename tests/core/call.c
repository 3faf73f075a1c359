// SPDX-License-Identifier: Apache-2.0
/* What holds for the call of any op, beyond its tensors: exec, workspace, bounds, logs. */
#include "tests/core/support.h"

typedef struct sum_call {
    float y_data[8], out_data[4];
    int64_t y_shape[3], out_shape[2];
    DLTensor y, out;
    trine_moe_sum_args args;
} sum_call;

static void sum_call_make(sum_call *c, DLDevice device)
{
    const trine_moe_sum_args init = TRINE_MOE_SUM_ARGS_INIT;
    *c = (sum_call){.y_shape = {2, 2, 2}, .out_shape = {2, 2}, .args = init};
    for (int i = 0; i < 8; i++) c->y_data[i] = (float)i;
    for (int i = 0; i < 4; i++) c->out_data[i] = -1;
    c->y = tensor_of(TRINE_F32, device, 3, c->y_shape, c->y_data);
    c->out = tensor_of(TRINE_F32, device, 2, c->out_shape, c->out_data);
    c->args.y = &c->y;
    c->args.out = &c->out;
}

static void expect_refused(trine_context *context, const trine_exec *exec, sum_call *c,
                           trine_status status, const char *sentence)
{
    cr_expect_eq(trine_moe_sum(context, exec, &c->args), status, "%s: %s", sentence,
                 trine_last_error());
    cr_expect(strstr(trine_last_error(), sentence), "\"%s\" lacks \"%s\"", trine_last_error(),
              sentence);
    for (int i = 0; i < 4; i++) cr_expect_eq(c->out_data[i], -1);
}

Test(call, refuses_bad_exec)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    sum_call c;
    trine_exec exec = TRINE_EXEC_INIT;
    sum_call_make(&c, (DLDevice){kDLCPU, 0});
    exec.flags = 1u << 20;
    expect_refused(context, &exec, &c, TRINE_INVALID_ARGUMENT, "exec.flags");
    exec.flags = TRINE_BATCH_INVARIANT;
    expect_refused(context, &exec, &c, TRINE_UNSUPPORTED, "reserved");
    exec = (trine_exec)TRINE_EXEC_INIT;
    exec.struct_size = sizeof exec + 8;
    expect_refused(context, &exec, &c, TRINE_ABI_MISMATCH, "exec.struct_size");
    expect_refused(NULL, NULL, &c, TRINE_INVALID_ARGUMENT, "context");
    sum_call_make(&c, (DLDevice){kDLCUDA, 4});
    expect_refused(context, NULL, &c, TRINE_INVALID_DEVICE, "(2, 4)");
    cr_expect_eq(trine_op_run(context, NULL, TRINE_OP_COUNT, &c.args), TRINE_INVALID_ARGUMENT);
    cr_expect_eq(trine_moe_sum(context, NULL, NULL), TRINE_INVALID_ARGUMENT);
    trine_context_destroy(&context);
}

Test(call, runs_and_logs)
{
    trine_context *context = context_with(NULL, NULL, "*=reference");
    trine_exec exec = TRINE_EXEC_INIT;
    sum_call c;
    exec.struct_size = sizeof(size_t); /* an older caller: the rest is default */
    exec.flags = ~0u;
    sum_call_make(&c, (DLDevice){kDLCPU, 0});
    cr_expect_eq(trine_moe_sum(context, &exec, &c.args), TRINE_OK, "%s", trine_last_error());
    for (int i = 0; i < 4; i++)
        cr_expect_eq(c.out_data[i], c.y_data[i / 2 * 4 + i % 2] + c.y_data[i / 2 * 4 + 2 + i % 2]);
    size_t size = 1;
    trine_cost cost = {0, 0};
    cr_expect_eq(trine_moe_sum_workspace_size(context, &c.args, &size), TRINE_OK);
    cr_expect_eq(size, 0);
    cr_expect_eq(trine_op_cost(context, TRINE_OP_MOE_SUM, &c.args, &cost), TRINE_OK);
    cr_expect_eq(cost.bytes, 48);
    cr_expect_eq(trine_op_cost(context, TRINE_OP_MOE_SUM, &c.args, NULL), TRINE_INVALID_ARGUMENT);
    cr_expect_eq(trine_moe_sum_workspace_size(context, &c.args, NULL), TRINE_INVALID_ARGUMENT);
    trine_context_destroy(&context);
}

Test(call, workspace_is_held_to_size_and_alignment)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    _Alignas(256) static char workspace[16384];
    static uint16_t x_data[4 * 128], out_data[4 * 8];
    static uint8_t w_data[8 * 128];
    static float scale_data[1] = {1};
    int64_t x_shape[] = {4, 128}, w_shape[] = {8, 128}, s_shape[] = {1, 1}, out_shape[] = {4, 8};
    DLDevice cpu = {kDLCPU, 0};
    DLTensor x = tensor_of(TRINE_BF16, cpu, 2, x_shape, x_data);
    DLTensor w = tensor_of(TRINE_E4M3FN, cpu, 2, w_shape, w_data);
    DLTensor scale = tensor_of(TRINE_F32, cpu, 2, s_shape, scale_data);
    DLTensor out = tensor_of(TRINE_BF16, cpu, 2, out_shape, out_data);
    trine_block_scaled_linear_args args = TRINE_BLOCK_SCALED_LINEAR_ARGS_INIT;
    trine_exec exec = TRINE_EXEC_INIT;
    size_t size = 0;
    args.x = &x;
    args.w = &w;
    args.w_scale = &scale;
    args.out = &out;
    cr_assert_eq(trine_block_scaled_linear_workspace_size(context, &args, &size), TRINE_OK);
    cr_assert(size > 0 && size + 1 < sizeof workspace);
    memset(out_data, 0x55, sizeof out_data);
    cr_expect_eq(trine_block_scaled_linear(context, NULL, &args), TRINE_WORKSPACE_TOO_SMALL);
    exec.workspace = workspace;
    exec.workspace_size = size - 1;
    cr_expect_eq(trine_block_scaled_linear(context, &exec, &args), TRINE_WORKSPACE_TOO_SMALL);
    exec.workspace_size = sizeof workspace - 1;
    exec.workspace = workspace + 1;
    cr_expect_eq(trine_block_scaled_linear(context, &exec, &args), TRINE_WORKSPACE_TOO_SMALL);
    exec.workspace = workspace;
    x.data = workspace;
    cr_expect_eq(trine_block_scaled_linear(context, &exec, &args), TRINE_OVERLAP);
    for (size_t i = 0; i < 32; i++) cr_expect_eq(out_data[i], 0x5555);
    x.data = x_data;
    cr_expect_eq(trine_block_scaled_linear(context, &exec, &args), TRINE_OK, "%s",
                 trine_last_error());
    for (size_t i = 0; i < 32; i++) cr_expect_eq(out_data[i], 0);
    trine_context_destroy(&context);
}

Test(call, bounds_are_for_bounded_ops_on_host_tensors)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    trine_bound_options options = {sizeof options, 0, 0, false};
    double value[4], bound[4];
    sum_call c;
    sum_call_make(&c, (DLDevice){kDLCPU, 0});
    cr_expect_eq(trine_moe_sum_bound(context, &c.args, NULL, value, bound), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "exact"));
    options.struct_size = 1;
    cr_expect_eq(trine_moe_sum_bound(context, &c.args, &options, value, bound), TRINE_ABI_MISMATCH);
    cr_expect_eq(trine_moe_sum_bound(context, &c.args, NULL, NULL, bound), TRINE_INVALID_ARGUMENT);
    cr_expect_eq(trine_moe_sum_bound(context, &c.args, NULL, value, NULL), TRINE_INVALID_ARGUMENT);
    trine_context_destroy(&context);
}
