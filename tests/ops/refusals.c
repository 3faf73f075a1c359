// SPDX-License-Identifier: Apache-2.0
/*
 * Every refusal of the library's validation, met at least once: of calls by table, and of the other
 * functions that take an op's args by name. One test, because each Criterion test is a process and
 * the rules that were met are counted in one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ops/context.h"
#include "ops/shape.h"
#include "tests/ops/call_text.h"
#include "tests/ops/calls.h"
#include "tests/ops/refusal_table.h"
#include "tests/ops/rules.h"

static const char *const sources[] = {
    "ops/args.c",
    "ops/bound.c",
    "ops/call.c",
    "ops/select.c",
    "ops/shape.c",
    "ops/tensors.c",
    "ops/rotary_embedding.c",
    "ops/per_token_group_quant.c",
    "ops/dequantize.c",
    "ops/fp8_convert.c",
    "ops/block_scaled_linear.c",
    "ops/topk_gating.c",
    "ops/moe_align_block_size.c",
    "ops/act_and_mul.c",
    "ops/fused_moe.c",
};

#define REFUSED(call, status, says)                                                                \
    do {                                                                                           \
        cr_expect_eq((call), (status), "%s", trine_last_error());                                  \
        cr_expect(strstr(trine_last_error(), says), "\"%s\" does not say \"%s\"",                  \
                  trine_last_error(), says);                                                       \
    } while (0)

static void refuse_args_by_name(void)
{
    trine_moe_sum_args args;
    char text[64];
    REFUSED(trine_args_init(-1, &args), TRINE_INVALID_ARGUMENT, "op is -1");
    REFUSED(trine_args_init(TRINE_OP_MOE_SUM, NULL), TRINE_INVALID_ARGUMENT, "args is NULL");
    trine_args_init(TRINE_OP_MOE_SUM, &args);
    REFUSED(trine_args_set_param(11, &args, "k", "1"), TRINE_INVALID_ARGUMENT, "op is 11");
    REFUSED(trine_args_set_param(TRINE_OP_MOE_SUM, NULL, "k", "1"), TRINE_INVALID_ARGUMENT, "NULL");
    REFUSED(trine_args_set_param(TRINE_OP_MOE_SUM, &args, "k", "1"), TRINE_INVALID_ARGUMENT,
            "no param is named \"k\"");
    REFUSED(trine_args_set_param(TRINE_OP_MOE_SUM, &args, NULL, "1"), TRINE_INVALID_ARGUMENT,
            "no param is named");
    REFUSED(trine_args_set_param(TRINE_OP_MOE_SUM, &args, "accumulate", NULL),
            TRINE_INVALID_ARGUMENT, "value of accumulate is NULL");
    static const struct {
        int32_t op;
        const char *param, *value, *says;
    } values[] = {
        {TRINE_OP_MOE_SUM, "accumulate", "yes", "must be true or false"},
        {TRINE_OP_MOE_SUM, "scaling_factor", "1x", "must be a finite number"},
        {TRINE_OP_MOE_SUM, "scaling_factor", "", "must be a finite number"},
        {TRINE_OP_MOE_SUM, "scaling_factor", "nan", "must be a finite number"},
        {TRINE_OP_MOE_SUM, "scaling_factor", "1e99", "must be a finite number"},
        {TRINE_OP_TOPK_GATING, "k", "1.5", "must be an integer"},
        {TRINE_OP_TOPK_GATING, "k", " 1", "must be an integer"},
        {TRINE_OP_TOPK_GATING, "k", "", "must be an integer"},
        {TRINE_OP_TOPK_GATING, "k", "2147483648", "must be an integer"},
        {TRINE_OP_TOPK_GATING, "k", "99999999999999999999", "must be an integer"},
        {TRINE_OP_TOPK_GATING, "score", "softma", "must be softmax or sigmoid"},
        {TRINE_OP_ACT_AND_MUL, "activation", "none", "must be silu, gelu_erf, gelu_tanh, relu2 or"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char other[512], before[512];
        trine_args_init(values[i].op, other);
        memcpy(before, other, trine_op_describe(values[i].op)->args_size);
        REFUSED(trine_args_set_param(values[i].op, other, values[i].param, values[i].value),
                TRINE_INVALID_ARGUMENT, values[i].says);
        cr_expect_arr_eq(before, other, trine_op_describe(values[i].op)->args_size);
    }
    REFUSED(trine_args_get_param(-1, &args, "k", text, 9), TRINE_INVALID_ARGUMENT, "op is -1");
    REFUSED(trine_args_get_param(TRINE_OP_MOE_SUM, NULL, "k", text, 9), TRINE_INVALID_ARGUMENT,
            "args is NULL");
    REFUSED(trine_args_get_param(TRINE_OP_MOE_SUM, &args, "k", text, 9), TRINE_INVALID_ARGUMENT,
            "no param is named");
    REFUSED(trine_args_get_param(TRINE_OP_MOE_SUM, &args, "accumulate", NULL, 9),
            TRINE_INVALID_ARGUMENT, "has no room");
    REFUSED(trine_args_get_param(TRINE_OP_MOE_SUM, &args, "accumulate", text, 5),
            TRINE_INVALID_ARGUMENT, "has 5 bytes, needs 6");
    REFUSED(trine_args_set_tensor(-1, &args, "y", NULL), TRINE_INVALID_ARGUMENT, "op is -1");
    REFUSED(trine_args_set_tensor(TRINE_OP_MOE_SUM, NULL, "y", NULL), TRINE_INVALID_ARGUMENT,
            "NULL");
    REFUSED(trine_args_set_tensor(TRINE_OP_MOE_SUM, &args, "x", NULL), TRINE_INVALID_ARGUMENT,
            "no tensor is named \"x\"");
    REFUSED(trine_args_set_tensor(TRINE_OP_MOE_SUM, &args, NULL, NULL), TRINE_INVALID_ARGUMENT,
            "no tensor is named");
}

static void refuse_shapes(void)
{
    trine_per_token_group_quant_args args;
    trine_dims dims = {.count = 0};
    int32_t rank;
    int64_t shape[TRINE_MAX_DIMS];
    trine_need need;
    int32_t op = TRINE_OP_PER_TOKEN_GROUP_QUANT;
    trine_args_init(op, &args);
    REFUSED(trine_op_shape(-1, &args, &dims, 0, 0, &rank, shape), TRINE_INVALID_ARGUMENT,
            "op is -1");
    REFUSED(trine_op_shape(op, NULL, &dims, 0, 0, &rank, shape), TRINE_INVALID_ARGUMENT, "NULL");
    REFUSED(trine_op_shape(op, &args, &dims, 4, 0, &rank, shape), TRINE_INVALID_ARGUMENT,
            "tensor is 4, must be below 4");
    REFUSED(trine_op_shape(op, &args, &dims, 0, 0, NULL, shape), TRINE_INVALID_ARGUMENT,
            "rank is NULL");
    REFUSED(trine_op_shape(op, &args, &dims, 0, 0, &rank, NULL), TRINE_INVALID_ARGUMENT,
            "shape is NULL");
    REFUSED(trine_op_shape(op, &args, &dims, 0, 0, &rank, shape), TRINE_INVALID_ARGUMENT,
            "letter E of x is not given");
    REFUSED(trine_op_tensor_need(op, &args, &dims, 0, NULL), TRINE_INVALID_ARGUMENT,
            "need is NULL");
    REFUSED(trine_op_tensor_need(op, &args, &dims, 9, &need), TRINE_INVALID_ARGUMENT,
            "tensor is 9");
    trine_dims_set(&dims, "M", 6);
    trine_dims_set(&dims, "K", 200);
    REFUSED(trine_op_shape(op, &args, &dims, 3, 0, &rank, shape), TRINE_INVALID_SHAPE,
            "K/group_size in the shape of scale has no value");
    REFUSED(trine_op_shape(op, &args, &dims, 1, 0, &rank, shape), TRINE_INVALID_ARGUMENT,
            "masked_m has no shape with these params");
    REFUSED(trine_op_shape(op, &args, &dims, 0, 1, &rank, shape), TRINE_INVALID_ARGUMENT,
            "alternative is 1, x has 1 here");
    trine_dims_set(&dims, "K", -1);
    REFUSED(trine_op_shape(op, &args, &dims, 0, 0, &rank, shape), TRINE_SIZE_OVERFLOW,
            "has no value");
}

/* What no op's own table can bring about. */
static void refuse_by_other_tables(void)
{
    typedef struct other_args {
        size_t struct_size;
        const DLTensor *a, *b;
    } other_args;
    trine_tensor_description tensors[2] = {
        {.name = "a", .offset = offsetof(other_args, a)},
        {.name = "b", .offset = offsetof(other_args, b), .optional = true}};
    trine_op_description d = {
        .name = "other", .args_size = sizeof(other_args), .tensor_count = 2, .tensors = tensors};
    static const struct {
        const char *a, *b;
        int64_t size;
        trine_status status;
        const char *says;
    } cases[] = {
        {"L, up4(L)", "L", INT64_MAX, TRINE_SIZE_OVERFLOW,
         "a dimension 1 must be up4(L), which does not fit 63 bits"},
        {"L/4", "L", INT64_MAX, TRINE_INVALID_SHAPE, "a dimension 0 must be L/4, which no tensor"},
        {"max(L, 0)", "L", 3, TRINE_INVALID_SHAPE, "a needs a letter that no tensor gives"},
    };
    static trine_shape shape;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        other_args args = {sizeof args, NULL, NULL};
        trine_view views[2] = {{.rank = 1 + (i == 0)}, {.rank = -1}};
        views[0].shape[0] = views[0].shape[1] = cases[i].size;
        tensors[0].shape = cases[i].a;
        tensors[1].shape = cases[i].b;
        cr_assert_eq(trine_shape_compile(&d, &shape), TRINE_OK, "%s", trine_last_error());
        REFUSED(trine_shape_match_compiled(&shape, &args, views), cases[i].status, cases[i].says);
    }
}

/* Planning functions and bounds. */
static void refuse_queries(trine_context *context, DLDevice device)
{
    test_call call;
    size_t size;
    trine_cost cost;
    double value[64], bound[64];
    trine_explanation entries[2];
    trine_bound_options options = {sizeof options, 0, 0, false};
    test_call_make(&call, context, device, MM, NULL);
    int32_t op = call.op->op;
    REFUSED(trine_op_run(context, NULL, 11, &call.args), TRINE_INVALID_ARGUMENT, "number 11");
    REFUSED(trine_op_workspace_size(NULL, op, &call.args, &size), TRINE_INVALID_ARGUMENT,
            "context");
    REFUSED(trine_op_workspace_size(context, op, &call.args, NULL), TRINE_INVALID_ARGUMENT, "size");
    REFUSED(trine_op_cost(NULL, op, &call.args, &cost), TRINE_INVALID_ARGUMENT, "context");
    REFUSED(trine_op_cost(context, op, &call.args, NULL), TRINE_INVALID_ARGUMENT, "cost is NULL");
    REFUSED(trine_op_explain(NULL, NULL, op, &call.args, NULL, entries, 2, &size),
            TRINE_INVALID_ARGUMENT, "context");
    REFUSED(trine_op_explain(context, NULL, op, &call.args, NULL, entries, 2, NULL),
            TRINE_INVALID_ARGUMENT, "count is NULL");
    REFUSED(trine_op_explain(context, NULL, op, &call.args, NULL, NULL, 2, &size),
            TRINE_INVALID_ARGUMENT, "entries is NULL");
    REFUSED(trine_op_bound(NULL, op, &call.args, NULL, value, bound), TRINE_INVALID_ARGUMENT,
            "context");
    REFUSED(trine_op_bound(context, op, &call.args, NULL, NULL, bound), TRINE_INVALID_ARGUMENT,
            "value");
    REFUSED(trine_op_bound(context, op, &call.args, NULL, value, NULL), TRINE_INVALID_ARGUMENT,
            "bound");
    options.struct_size = 1000;
    REFUSED(trine_op_bound(context, op, &call.args, &options, value, bound), TRINE_ABI_MISMATCH,
            "options.struct_size is 1000");
    REFUSED(trine_prepare(context, (DLDevice){kDLCPU, 42}, -1), TRINE_INVALID_DEVICE, "(1, 42)");
    REFUSED(trine_prepare(context, device, 11), TRINE_INVALID_ARGUMENT, "op is 11");
    test_call_free(&call);
    test_call_make(&call, context, device, SUM, NULL);
    REFUSED(trine_op_bound(context, call.op->op, &call.args, NULL, value, bound),
            TRINE_INVALID_ARGUMENT, "moe_sum is exact");
    test_call_free(&call);
}

/* The staged check. */
static void refuse_staged(trine_context *context, DLDevice device)
{
    static char workspace[16];
    test_call call;
    double value[1], bound[1];
    trine_staged_report report = TRINE_STAGED_REPORT_INIT;
    test_call_make(&call, context, device, SUM, NULL);
    int32_t op = call.op->op;
    REFUSED(trine_op_staged(NULL, op, &call.args, NULL, workspace, 16, &report, value, bound),
            TRINE_INVALID_ARGUMENT, "context is NULL");
    REFUSED(trine_op_staged(context, op, &call.args, NULL, workspace, 16, NULL, value, bound),
            TRINE_INVALID_ARGUMENT, "report is NULL");
    REFUSED(trine_op_staged(context, op, &call.args, NULL, workspace, 16, &report, NULL, bound),
            TRINE_INVALID_ARGUMENT, "value is NULL");
    REFUSED(trine_op_staged(context, op, &call.args, NULL, workspace, 16, &report, value, NULL),
            TRINE_INVALID_ARGUMENT, "bound is NULL");
    REFUSED(trine_op_staged(context, op, &call.args, NULL, workspace, 16, &report, value, bound),
            TRINE_UNSUPPORTED, "moe_sum has no stages");
    report.struct_size = 1000;
    REFUSED(trine_op_staged(context, op, &call.args, NULL, workspace, 16, &report, value, bound),
            TRINE_ABI_MISMATCH, "report.struct_size is 1000");
    report.struct_size = sizeof report;
    test_call_free(&call);
    test_call_make(&call, context, device, MOE_BLOCK, NULL);
    REFUSED(trine_op_staged(context, call.op->op, &call.args, NULL, workspace, 16, &report, value,
                            bound),
            TRINE_WORKSPACE_TOO_SMALL, "workspace_size is 16");
    test_call_free(&call);
    test_call_make(&call, context, device, MOE_W4, NULL);
    REFUSED(trine_op_staged(context, call.op->op, &call.args, NULL, call.workspace,
                            call.exec.workspace_size, &report, value, bound),
            TRINE_UNSUPPORTED, "quantization is int4_w4a16");
    test_call_free(&call);
    cr_expect_eq(report.codes, 0);
}

/* ---------------------------------------------------------------- a driver that says no */

static struct {
    int kind, ordinal, stream_ordinal;
    bool capturing, no_device;
} driver;

static int device_enter(int ordinal)
{
    return driver.no_device ? -1 : ordinal;
}
static void device_leave(int previous)
{
    (void)previous;
}
static trine_status pointer_query(const void *pointer, int *kind, int *ordinal)
{
    (void)pointer;
    *kind = driver.kind;
    *ordinal = driver.ordinal;
    return TRINE_OK;
}
static trine_status stream_query(void *stream, int *ordinal, bool *capturing)
{
    (void)stream;
    *ordinal = driver.stream_ordinal;
    *capturing = driver.capturing;
    return TRINE_OK;
}

static trine_status launch_lost(const trine_launch *launch)
{
    (void)launch;
    return trine_fail(TRINE_DEVICE_LOST, "an illegal address was read");
}

static const char *refuse_all(const trine_problem *problem, const trine_caps *caps)
{
    (void)problem;
    (void)caps;
    return "takes nothing";
}

/* What only a GPU module can bring about: a module of this test's own, in a simulated device's
 * place. */
static void refuse_by_driver(void)
{
    static const trine_module module = {.device_enter = device_enter,
                                        .device_leave = device_leave,
                                        .pointer_query = pointer_query,
                                        .stream_query = stream_query};
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    params.simulate = "cuda:0=sm_90";
    params.kernel = "moe_sum=mine";
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    trine_row row = {.op = TRINE_OP_MOE_SUM,
                     .backend = TRINE_BACKEND_CUDA,
                     .name = "mine",
                     .doc = "refuses",
                     .flags = TRINE_ROW_NOT_CAPTURABLE,
                     .refuse = refuse_all,
                     .launch = launch_lost};
    cr_assert_eq(trine_context_add_rows(context, &row, 1), TRINE_OK, "%s", trine_last_error());
    DLDevice gpu = {kDLCUDA, 0};
    test_call call, bounded;
    double numbers[64];
    test_call_make(&call, context, gpu, SUM, "exec.flags=4");
    test_call_make(&bounded, context, gpu, LINEAR, "exec.flags=4");
    REFUSED(test_call_run(&call), TRINE_UNSUPPORTED, "mine takes nothing");
    /* The row of the context is a copy: let it take calls from here on. */
    ((trine_context_row *)trine_row_at(context, TRINE_OP_MOE_SUM, 0))->row.refuse = NULL;
    trine_context_device *device = trine_context_device_find(context, gpu);
    device->module = &module;
    device->device.simulated = false;
    driver.kind = 1;
    driver.ordinal = 3;
    REFUSED(test_call_run(&call), TRINE_INVALID_DEVICE, "y at");
    REFUSED(test_call_run(&bounded), TRINE_INVALID_DEVICE, "belongs to device 3");
    driver.kind = 0;
    REFUSED(test_call_run(&call), TRINE_INVALID_DEVICE, "is host memory");
    driver.kind = 2;
    driver.stream_ordinal = 5;
    REFUSED(test_call_run(&call), TRINE_INVALID_DEVICE, "exec.stream belongs to device 5");
    driver.stream_ordinal = 0;
    driver.capturing = true;
    REFUSED(test_call_run(&call), TRINE_UNSUPPORTED, "while exec.stream is capturing");
    driver.capturing = false;
    driver.no_device = true;
    REFUSED(test_call_run(&call), TRINE_BACKEND_ERROR, "can't be made current");
    REFUSED(trine_prepare(context, gpu, -1), TRINE_BACKEND_ERROR, "can't be made current");
    driver.no_device = false;
    REFUSED(test_call_run(&call), TRINE_DEVICE_LOST, "an illegal address was read");
    REFUSED(test_call_run(&call), TRINE_DEVICE_LOST, "is lost: an illegal address was read");
    REFUSED(trine_op_bound(context, bounded.op->op, &bounded.args, NULL, numbers, numbers),
            TRINE_INVALID_DEVICE, "a bound is computed from host tensors");
    device->module = NULL;
    cr_expect_eq(test_call_changed(&call), 0);
    cr_expect_eq(test_call_changed(&bounded), 0);
    test_call_free(&call);
    test_call_free(&bounded);
    trine_context_destroy(&context);
}

Test(refusals, every_rule)
{
    static const char *const excused[] = {NULL};
    static const DLDevice devices[] = {{kDLCPU, 0}, {kDLCUDA, 0}, {kDLROCM, 0}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) rules_read(sources[i]);
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    params.simulate = "cuda:0=sm_90,rocm:0=gfx942";
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    size_t tried = 0;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        tried += refusals_by_table(context, devices[i]);
        tried += refusals_by_description(context, devices[i]);
        refuse_queries(context, devices[i]);
        refuse_staged(context, devices[i]);
    }
    refuse_args_by_name();
    refuse_shapes();
    refuse_by_other_tables();
    refuse_by_driver();
    trine_context_destroy(&context);
    printf("%zu calls refused\n", tried);
    cr_assert_gt(tried, 1000);
    cr_assert_eq(rules_report(excused), 0, "rules that no test meets");
}
