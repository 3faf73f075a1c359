// SPDX-License-Identifier: Apache-2.0
/*
 * Selection, on example rows over simulated devices: which row a device takes, and the reason that
 * each other row gives.
 */
#include "tests/core/support.h"

static trine_status launch_nothing(const trine_launch *launch)
{
    (void)launch;
    return TRINE_OK;
}

static const char *refuse_odd_hidden(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    return problem->fused_moe.hidden % 64 ? "needs H to be a multiple of 64" : NULL;
}

/* A bf16 fused_moe call whose tensors lie nowhere: enough for planning. */
typedef struct call {
    int64_t x_shape[2], w1_shape[3], w2_shape[3], k_shape[2];
    DLTensor x, w1, w2, weights, ids, out;
    trine_fused_moe_args args;
} call;

static void call_make(call *c, DLDevice device, int64_t hidden)
{
    const trine_fused_moe_args init = TRINE_FUSED_MOE_ARGS_INIT;
    const int64_t m = 16, k = 4, e = 8, i = 32;
    *c = (call){.x_shape = {m, hidden},
                .w1_shape = {e, 2 * i, hidden},
                .w2_shape = {e, hidden, i},
                .k_shape = {m, k},
                .args = init};
    c->x = tensor_of(TRINE_BF16, device, 2, c->x_shape, NULL);
    c->w1 = tensor_of(TRINE_BF16, device, 3, c->w1_shape, NULL);
    c->w2 = tensor_of(TRINE_BF16, device, 3, c->w2_shape, NULL);
    c->weights = tensor_of(TRINE_F32, device, 2, c->k_shape, NULL);
    c->ids = tensor_of(TRINE_I32, device, 2, c->k_shape, NULL);
    c->out = tensor_of(TRINE_BF16, device, 2, c->x_shape, NULL);
    c->args.x = &c->x;
    c->args.w1 = &c->w1;
    c->args.w2 = &c->w2;
    c->args.topk_weights = &c->weights;
    c->args.topk_ids = &c->ids;
    c->args.out = &c->out;
}

static trine_row row_of(trine_backend backend, const char *name)
{
    return (trine_row){.op = TRINE_OP_FUSED_MOE,
                       .backend = backend,
                       .name = name,
                       .flags = TRINE_ROW_DETERMINISTIC,
                       .accumulation = TRINE_ACCUMULATE_F32,
                       .launch = launch_nothing};
}

/* Adds the rows of both GPU backends that every test chooses from, best first. */
static void rows_add(trine_context *context)
{
    trine_row rows[10];
    size_t n = 0;
    for (int b = TRINE_BACKEND_CUDA; b <= TRINE_BACKEND_HIP; b++) {
        bool cuda = b == TRINE_BACKEND_CUDA;
        trine_row row = row_of((trine_backend)b, "big_tile");
        row.shared_memory = 200 * 1024;
        row.needs = TRINE_FEATURE_BIT(cuda ? TRINE_FEATURE_WGMMA : TRINE_FEATURE_MFMA);
        rows[n++] = row;
        row = row_of((trine_backend)b, "atomic");
        row.needs = TRINE_FEATURE_BIT(TRINE_FEATURE_ATOMIC_ADD_BF16X2);
        row.flags = 0;
        row.refuse = refuse_odd_hidden;
        rows[n++] = row;
        row = row_of((trine_backend)b, "matrix_unit");
        row.needs_any = TRINE_FEATURE_BIT(TRINE_FEATURE_BF16_MATRIX);
        row.alignment = 16;
        rows[n++] = row;
        rows[n++] = row_of((trine_backend)b, "plain");
        row = row_of((trine_backend)b, "wave64");
        row.wave_width = 64;
        rows[n++] = row;
    }
    cr_assert_eq(trine_context_add_rows(context, rows, n), TRINE_OK, "%s", trine_last_error());
}

/* What explain says of `row` for the call on `device`. */
static trine_explanation explained(trine_context *context, call *c, uint32_t flags,
                                   const char *device, const char *row)
{
    static trine_explanation entries[64];
    size_t count = 0;
    trine_exec exec = TRINE_EXEC_INIT;
    trine_caps caps;
    exec.flags = flags;
    cr_assert_eq(trine_fused_moe_explain(context, &exec, &c->args, device, entries, 64, &count),
                 TRINE_OK, "%s", trine_last_error());
    cr_assert_eq(trine_known_device_caps(device, &caps), TRINE_OK);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(entries[i].row, row) && entries[i].backend == caps.backend) return entries[i];
    cr_assert_fail("%s lists no row %s", device, row);
    return entries[0];
}

static void expect_runs(const char *device, const char *mask, uint32_t flags, const char *row)
{
    trine_context *context = context_with(NULL, mask, NULL);
    call c;
    rows_add(context);
    call_make(&c, (DLDevice){kDLCPU, 0}, 128);
    trine_explanation entry = explained(context, &c, flags, device, row);
    cr_expect(entry.runs, "%s does not run on %s: %s", row, device, entry.reason);
    trine_context_destroy(&context);
}

static void expect_refused(const char *device, const char *mask, uint32_t flags, int64_t hidden,
                           const char *row, const char *reason)
{
    trine_context *context = context_with(NULL, mask, NULL);
    call c;
    rows_add(context);
    call_make(&c, (DLDevice){kDLCPU, 0}, hidden);
    trine_explanation entry = explained(context, &c, flags, device, row);
    cr_expect(!entry.accepts && !entry.runs, "%s runs on %s", row, device);
    cr_expect(strstr(entry.reason, reason), "%s on %s: \"%s\" lacks \"%s\"", row, device,
              entry.reason, reason);
    trine_context_destroy(&context);
}

Test(selection, takes_the_first_row_that_accepts)
{
    expect_runs("sm_90", NULL, 0, "big_tile");
    expect_runs("gfx942", NULL, 0, "atomic"); /* mfma is there, 200 KiB of LDS are not */
    expect_runs("gfx90a", NULL, 0,
                "matrix_unit"); /* packed bf16 atomics only by compare-and-swap */
    expect_runs("gfx1100", NULL, 0, "matrix_unit");
    expect_runs("gfx1030", NULL, 0, "plain"); /* no matrix instruction at all */
    expect_runs("sm_75", NULL, 0, "plain");
}

Test(selection, says_why_not)
{
    expect_refused("gfx942", NULL, 0, 128, "big_tile", "shared memory");
    expect_refused("gfx90a", NULL, 0, 128, "atomic", "by compare-and-swap");
    expect_refused("sm_80", NULL, 0, 128, "atomic", "by compare-and-swap");
    expect_refused("sm_100", NULL, 0, 128, "big_tile", "wgmma native");
    expect_refused("sm_90", NULL, 0, 136, "atomic", "multiple of 64");
    expect_refused("sm_90", NULL, 0, 128, "wave64", "waves of 64");
    expect_refused("gfx1100", NULL, 0, 128, "wave64", "waves of 64");
}

Test(selection, deterministic_flag_leaves_out_atomics)
{
    expect_runs("gfx942", NULL, TRINE_DETERMINISTIC, "matrix_unit");
    expect_refused("gfx942", NULL, TRINE_DETERMINISTIC, 128, "atomic", "not deterministic");
}

Test(selection, mask_takes_features_away)
{
    expect_runs("sm_90", "wgmma", 0, "atomic");
    expect_refused("sm_90", "wgmma", 0, 128, "big_tile", "masked");
    expect_runs("sm_90", "wgmma,atomic_add_bf16x2", 0, "matrix_unit");
}

/* FP8 encodings are dtypes: a row that takes one refuses the other. */
Test(selection, fp8_encodings_are_told_apart)
{
    trine_context *context = context_with("rocm:0=gfx942,cuda:0=sm_90", NULL, NULL);
    trine_row ocp = {.op = TRINE_OP_SCALED_MM, .backend = TRINE_BACKEND_CUDA, .name = "ocp"};
    trine_row fnuz = {.op = TRINE_OP_SCALED_MM, .backend = TRINE_BACKEND_HIP, .name = "fnuz"};
    int64_t a_shape[] = {16, 128}, b_shape[] = {32, 128}, out_shape[] = {16, 32}, one[] = {1};
    ocp.launch = fnuz.launch = launch_nothing;
    ocp.dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN);
    ocp.needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_OCP_CONVERT);
    fnuz.dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FNUZ);
    fnuz.needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_FNUZ_MATRIX);
    cr_assert_eq(trine_context_add_rows(context, &ocp, 1), TRINE_OK);
    cr_assert_eq(trine_context_add_rows(context, &fnuz, 1), TRINE_OK);
    for (int i = 0; i < 4; i++) {
        bool amd = i & 1, fits = (i >> 1 & 1) == amd;
        DLDevice device = {amd ? kDLROCM : kDLCUDA, 0};
        trine_dtype dtype = i >> 1 & 1 ? TRINE_E4M3FNUZ : TRINE_E4M3FN;
        DLTensor a = tensor_of(dtype, device, 2, a_shape, NULL);
        DLTensor b = tensor_of(dtype, device, 2, b_shape, NULL);
        DLTensor scale = tensor_of(TRINE_F32, device, 1, one, NULL);
        DLTensor out = tensor_of(TRINE_BF16, device, 2, out_shape, NULL);
        trine_scaled_mm_args args = TRINE_SCALED_MM_ARGS_INIT;
        trine_explanation entries[32];
        size_t count = 0, runs = 0;
        args.a = &a;
        args.b = &b;
        args.a_scale = args.b_scale = &scale;
        args.out = &out;
        cr_assert_eq(trine_scaled_mm_explain(context, NULL, &args, NULL, entries, 32, &count),
                     TRINE_OK, "%s", trine_last_error());
        for (size_t j = 0; j < count; j++) {
            if (strcmp(entries[j].row, amd ? "fnuz" : "ocp")) continue;
            cr_expect_eq(entries[j].runs, fits, "%s of %s: %s", entries[j].row,
                         trine_dtype_name(dtype), entries[j].reason);
            cr_expect(fits || strstr(entries[j].reason, trine_dtype_name(dtype)), "%s",
                      entries[j].reason);
            runs++;
        }
        cr_expect_eq(runs, 1);
    }
    trine_context_destroy(&context);
}

Test(selection, alignment_is_looked_at_when_there_is_an_address)
{
    trine_context *context = context_with("cuda:0=sm_75", NULL, NULL);
    trine_row rows[2] = {{.op = TRINE_OP_MOE_SUM, .backend = TRINE_BACKEND_CUDA, .name = "wide"},
                         {.op = TRINE_OP_MOE_SUM, .backend = TRINE_BACKEND_CUDA, .name = "narrow"}};
    _Alignas(16) static float y_data[64 + 4], out_data[64];
    int64_t y_shape[] = {2, 2, 16}, out_shape[] = {2, 16};
    trine_moe_sum_args args = TRINE_MOE_SUM_ARGS_INIT;
    trine_explanation entries[32];
    size_t count = 0;
    rows[0].alignment = 16;
    rows[0].launch = rows[1].launch = launch_nothing;
    cr_assert_eq(trine_context_add_rows(context, rows, 2), TRINE_OK);
    for (int offset = 0; offset < 2; offset++) {
        DLTensor y = tensor_of(TRINE_F32, (DLDevice){kDLCUDA, 0}, 3, y_shape, y_data + offset);
        DLTensor out = tensor_of(TRINE_F32, (DLDevice){kDLCUDA, 0}, 2, out_shape, out_data);
        args.y = &y;
        args.out = &out;
        trine_context *logged = context;
        cr_assert_eq(trine_moe_sum(logged, NULL, &args), TRINE_OK, "%s", trine_last_error());
        cr_assert_eq(trine_moe_sum_explain(context, NULL, &args, NULL, entries, 32, &count),
                     TRINE_OK);
        cr_expect_eq(entries[0].runs, offset == 0, "explanations see the address: %s",
                     entries[0].reason);
    }
    trine_context_destroy(&context);
}

Test(selection, tuned_entries_come_first)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    const trine_tuned tuned[] = {{TRINE_OP_FUSED_MOE, "gfx942", "plain", 0, 1e15},
                                 {TRINE_OP_FUSED_MOE, "gfx90a", "plain", 1e15, 1e16},
                                 {TRINE_OP_FUSED_MOE, "sm_90", "wave64", 0, 1e15}};
    call c;
    rows_add(context);
    cr_assert_eq(trine_context_add_tuned(context, tuned, 3), TRINE_OK);
    call_make(&c, (DLDevice){kDLCPU, 0}, 128);
    cr_expect(explained(context, &c, 0, "gfx942", "plain").runs);
    cr_expect(explained(context, &c, 0, "gfx90a", "matrix_unit").runs, "outside the tuned sizes");
    cr_expect(explained(context, &c, 0, "sm_90", "big_tile").runs, "the tuned row refuses");
    const trine_tuned bad = {TRINE_OP_COUNT, "gfx942", "plain", 0, 1};
    cr_expect_eq(trine_context_add_tuned(context, &bad, 1), TRINE_INVALID_ARGUMENT);
    trine_context_destroy(&context);
}

/* Which row runs a silu and group quantization of `rows` by 512 columns on sm_90. */
static const char *quantizes(trine_context *context, int64_t rows)
{
    static trine_explanation entries[64];
    size_t count = 0;
    const DLDevice cpu = {kDLCPU, 0};
    int64_t x_shape[2] = {rows, 1024}, q_shape[2] = {rows, 512}, scale_shape[2] = {rows, 4};
    DLTensor x = tensor_of(TRINE_BF16, cpu, 2, x_shape, NULL);
    DLTensor q = tensor_of(TRINE_E4M3FN, cpu, 2, q_shape, NULL);
    DLTensor scale = tensor_of(TRINE_F32, cpu, 2, scale_shape, NULL);
    trine_per_token_group_quant_args args = TRINE_PER_TOKEN_GROUP_QUANT_ARGS_INIT;
    args.x = &x, args.q = &q, args.scale = &scale;
    args.activation = TRINE_ACTIVATION_SILU;
    cr_assert_eq(
        trine_per_token_group_quant_explain(context, NULL, &args, "sm_90", entries, 64, &count),
        TRINE_OK, "%s", trine_last_error());
    for (size_t i = 0; i < count; i++)
        if (entries[i].runs) return entries[i].row;
    return "none";
}

/* 2564 bytes a row of x, q and scale: the built-in preference begins at 48 MB. */
Test(selection, built_in_preferences_come_after_the_callers)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    if (!strcmp(quantizes(context, 1), "none")) cr_skip("this build holds no code for sm_90");
    cr_expect_str_eq(quantizes(context, 18000), "vector");
    cr_expect_str_eq(quantizes(context, 19000), "table");
    trine_row row = row_of(TRINE_BACKEND_CUDA, "mine");
    row.op = TRINE_OP_PER_TOKEN_GROUP_QUANT;
    cr_assert_eq(trine_context_add_rows(context, &row, 1), TRINE_OK, "%s", trine_last_error());
    cr_expect_str_eq(quantizes(context, 19000), "mine");
    const trine_tuned tuned = {TRINE_OP_PER_TOKEN_GROUP_QUANT, "sm_90", "generic", 0, 1e15};
    cr_assert_eq(trine_context_add_tuned(context, &tuned, 1), TRINE_OK);
    cr_expect_str_eq(quantizes(context, 19000), "generic");
    trine_context_destroy(&context);
}

/* The reference stands in on a simulated device, asked for by name where the device has rows of its
 * own; a named device is taken as the real one. */
Test(selection, named_devices_have_no_stand_in)
{
    trine_context *context = context_with("rocm:0=gfx942", NULL, "fused_moe=reference");
    trine_explanation entries[32];
    size_t count = 0;
    call c;
    for (int named = 0; named < 2; named++) {
        bool runs = false;
        call_make(&c, (DLDevice){kDLROCM, 0}, 128);
        cr_assert_eq(trine_fused_moe_explain(context, NULL, &c.args, named ? "gfx942" : NULL,
                                             entries, 32, &count),
                     TRINE_OK);
        for (size_t i = 0; i < count; i++) runs |= entries[i].runs;
        cr_expect_eq(runs, !named);
    }
    trine_context_destroy(&context);
}

Test(selection, forced_row_or_none)
{
    trine_context *context = context_with(NULL, NULL, "fused_moe=plain");
    call c;
    rows_add(context);
    call_make(&c, (DLDevice){kDLCPU, 0}, 128);
    cr_expect(explained(context, &c, 0, "sm_90", "plain").runs);
    cr_expect(strstr(explained(context, &c, 0, "sm_90", "matrix_unit").reason, "plain is forced"));
    trine_context_destroy(&context);
}

Test(selection, unknown_devices_are_refused_by_name)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    trine_explanation entries[4];
    size_t count = 0;
    call c;
    call_make(&c, (DLDevice){kDLCPU, 0}, 128);
    cr_expect_eq(trine_fused_moe_explain(context, NULL, &c.args, "gfx9999", entries, 4, &count),
                 TRINE_INVALID_DEVICE);
    cr_expect(strstr(trine_last_error(), "gfx9999"), "%s", trine_last_error());
    trine_context_destroy(&context);
}

static trine_status launch_seven(const trine_launch *launch)
{
    return launch_mark(launch, 7);
}

/* A simulated device runs the reference in place of a GPU kernel, or the kernel that can do without
 * a GPU. */
Test(selection, simulated_devices_run_the_reference)
{
    trine_row row = {.op = TRINE_OP_MOE_SUM,
                     .backend = TRINE_BACKEND_HIP,
                     .name = "mark",
                     .launch = launch_seven};
    float y_data[4] = {1, 2, 3, 4}, out_data[2];
    int64_t y_shape[] = {1, 2, 2}, out_shape[] = {1, 2};
    DLDevice device = {kDLROCM, 0};
    DLTensor y = tensor_of(TRINE_F32, device, 3, y_shape, y_data);
    DLTensor out = tensor_of(TRINE_F32, device, 2, out_shape, out_data);
    trine_moe_sum_args args = TRINE_MOE_SUM_ARGS_INIT;
    args.y = &y;
    args.out = &out;
    for (int callable = 0; callable < 2; callable++) {
        trine_context *context = context_with("rocm:0=gfx942", NULL, NULL);
        row.flags = callable ? TRINE_ROW_HOST_CALLABLE : 0;
        cr_assert_eq(trine_context_add_rows(context, &row, 1), TRINE_OK);
        cr_assert_eq(trine_moe_sum(context, NULL, &args), TRINE_OK, "%s", trine_last_error());
        cr_expect_eq(out_data[0], callable ? 7 : 4);
        trine_context_destroy(&context);
    }
}

/* When every row of a device refuses, the call is refused with each row's reason: here one lacks
 * its instruction, and no other is forced. */
Test(selection, no_row_is_a_refusal_with_reasons)
{
    trine_context *context = context_with("rocm:0=gfx1030", NULL, "moe_sum=matrix_only");
    trine_row row = {.op = TRINE_OP_MOE_SUM,
                     .backend = TRINE_BACKEND_HIP,
                     .name = "matrix_only",
                     .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_MFMA),
                     .launch = launch_nothing};
    float y_data[4] = {0}, out_data[2] = {5, 5};
    int64_t y_shape[] = {1, 2, 2}, out_shape[] = {1, 2};
    DLTensor y = tensor_of(TRINE_F32, (DLDevice){kDLROCM, 0}, 3, y_shape, y_data);
    DLTensor out = tensor_of(TRINE_F32, (DLDevice){kDLROCM, 0}, 2, out_shape, out_data);
    trine_moe_sum_args args = TRINE_MOE_SUM_ARGS_INIT;
    args.y = &y;
    args.out = &out;
    cr_assert_eq(trine_context_add_rows(context, &row, 1), TRINE_OK);
    cr_expect_eq(trine_moe_sum(context, NULL, &args), TRINE_UNSUPPORTED);
    cr_expect(strstr(trine_last_error(), "matrix_only needs mfma"), "%s", trine_last_error());
    cr_expect(strstr(trine_last_error(), "matrix_only is forced"), "%s", trine_last_error());
    cr_expect_eq(out_data[0], 5);
    trine_context_destroy(&context);
}
