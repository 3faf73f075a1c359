// SPDX-License-Identifier: Apache-2.0
// The reference of fused_moe against a second statement of the op, in long double, for every
// quantization with every combine, rounding, activation and layout.
#include <criterion/criterion.h>

#include "moe_case.h"
#include "reference/reference.h"

TestSuite(reference_fused_moe, .fini = pool_clear);

static int64_t compared;

/* The reference's out, and the second statement's, have the same values (NaN equals NaN). */
static void expect_same(const moe_case *c, uint64_t seed)
{
    rng r = {seed};
    void *workspace;
    trine_fused_moe_problem p = moe_problem(c, &r, &workspace);
    kernel exact = {SUM_EXACT, TRINE_COMBINE_CLASS_F32, -1, -1, {seed}, NULL, NULL};
    int64_t count = element_count(&p.out);
    double *expected = pool_alloc((size_t)count * sizeof *expected);
    kernel_fused_moe(&exact, &p, expected);
    trine_reference_fused_moe(&p, workspace);
    for (int64_t i = 0; i < count; i++) {
        double got = get(&p.out, i);
        cr_assert(got == expected[i] || (isnan(got) && isnan(expected[i])),
                  "%s, seed %d, element %d: %.9g, not %.9g", moe_name(c->quantization), (int)seed,
                  (int)i, got, expected[i]);
        compared += isfinite(got) && got != 0.0;
    }
    pool_clear();
}

Test(reference_fused_moe, every_mode_combine_gate_and_rounding)
{
    uint64_t seed = 1;
    compared = 0;
    for (int mode = 0; mode < MOE_MODES; mode++)
        for (int combine = 1; combine <= 4; combine++)
            for (int gated = 0; gated < 2; gated++)
                for (int each = 0; each < 2; each++) {
                    moe_case c = moe_small(moe_modes[mode]);
                    c.combine = (trine_moe_combine)combine;
                    c.ungated = !gated;
                    c.rounding = each ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
                    expect_same(&c, seed++);
                }
    cr_assert_gt(compared, 15 * 16 * 100, "%d elements", (int)compared);
}

Test(reference_fused_moe, every_mode_with_bias_map_strides_and_accumulation)
{
    uint64_t seed = 1000;
    compared = 0;
    for (int mode = 0; mode < MOE_MODES; mode++)
        for (int on_input = 0; on_input < 2; on_input++)
            for (int each = 0; each < 2; each++) {
                moe_case c = moe_small(moe_modes[mode]);
                c.bias = c.map = c.strided = c.accumulate = true;
                c.weight_on_input = on_input;
                c.rounding = each ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
                c.factor = 2.5f;
                expect_same(&c, seed++);
                c.strided = c.accumulate = false;
                expect_same(&c, seed++);
            }
    cr_assert_gt(compared, 15 * 8 * 60, "%d elements", (int)compared);
}

Test(reference_fused_moe, every_activation_and_gate_layout)
{
    static const int picked[] = {0, 6, 8, 13};
    uint64_t seed = 2000;
    compared = 0;
    for (int i = 0; i < 4; i++)
        for (int act = TRINE_ACTIVATION_SILU; act <= TRINE_ACTIVATION_SWIGLU_OAI; act++)
            for (int layout = 0; layout < 2; layout++)
                for (int limited = 0; limited < 2; limited++) {
                    moe_case c = moe_small(moe_modes[picked[i]]);
                    c.activation = (trine_activation)act;
                    c.layout = (trine_gate_layout)layout;
                    c.limit = limited ? 0.25f : 0.0f;
                    c.rounding = (trine_intermediate_rounding)(layout ^ limited);
                    expect_same(&c, seed++);
                }
    cr_assert_gt(compared, 80 * 60, "%d elements", (int)compared);
}

Test(reference_fused_moe, sums_longer_than_a_chunk)
{
    uint64_t seed = 3000;
    for (int mode = 0; mode < MOE_MODES; mode++) {
        moe_case c = moe_small(moe_modes[mode]);
        c.hidden = 296;
        c.intermediate = 136;
        c.tokens = 2;
        c.k = 2;
        c.block = 128;
        expect_same(&c, seed++);
    }
}

/* Nothing to sum is 0, or what is accumulated on; slots that are not on this rank too. */
Test(reference_fused_moe, empty_sums)
{
    rng r = {7};
    void *workspace;
    for (int variant = 0; variant < 4; variant++) {
        moe_case c = moe_small(moe_modes[6]);
        c.k = variant == 0 ? 0 : 2;
        c.experts = variant == 1 ? 0 : 2;
        c.intermediate = variant == 2 ? 0 : 24;
        c.accumulate = variant == 3;
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        if (variant == 3)
            for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, i % 2 ? -1 : 2);
        trine_fused_moe_problem before = p;
        before.out = tensor2(c.out, p.tokens, p.hidden);
        for (int64_t i = 0; i < element_count(&p.out); i++) set(&before.out, i, get(&p.out, i));
        trine_reference_fused_moe(&p, workspace);
        for (int64_t i = 0; i < element_count(&p.out); i++)
            cr_assert_eq(get(&p.out, i), variant == 3 ? get(&before.out, i) : 0.0, "variant %d",
                         variant);
    }
    /* K = 0: GEMM 1 gives the bias. */
    moe_case c = moe_small(moe_modes[0]);
    c.hidden = 0;
    trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
    trine_reference_fused_moe(&p, workspace);
}

/* A NaN and an Inf reach exactly the tokens they belong to. */
Test(reference_fused_moe, special_values)
{
    for (int mode = 0; mode < MOE_MODES; mode++) {
        rng r = {(uint64_t)(50 + mode)};
        void *workspace;
        moe_case c = moe_small(moe_modes[mode]);
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, (double)(i % c.experts));
        set(&p.x, 5, NAN);
        kernel exact = {SUM_EXACT, TRINE_COMBINE_CLASS_F32, -1, -1, {1}, NULL, NULL};
        double *expected = pool_alloc(120 * sizeof *expected);
        /* The imitation has no NaN code: only i8, where NaN is 0, can be compared. */
        kernel_fused_moe(&exact, &p, expected);
        trine_reference_fused_moe(&p, workspace);
        bool zero =
            c.quantization == TRINE_MOE_INT8_CHANNEL || c.quantization == TRINE_MOE_INT8_BLOCK;
        for (int64_t i = 0; i < 40; i++)
            cr_assert(zero ? isfinite(get(&p.out, i)) : isnan(get(&p.out, i)), "mode %d", mode);
        for (int64_t i = 40; i < 120; i++)
            cr_assert_eq(get(&p.out, i), expected[i], "mode %d", mode);
        pool_clear();
    }
}
