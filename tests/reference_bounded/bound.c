// SPDX-License-Identifier: Apache-2.0
// The pieces of the bounds: roundings, accumulation classes, the rule by which a value passes; and
// the bounds of exact ops against real numbers.
#include <criterion/criterion.h>
#include <float.h>

#include "reference/bound.h"
#include "reference/reference.h"
#include "support.h"

TestSuite(reference_bound, .fini = pool_clear);

/* No rounding of random values, subnormals among them, moves further than u; some nearly do. */
Test(reference_bound, roundings)
{
    static const trine_dtype dtypes[] = {TRINE_BF16, TRINE_F16, TRINE_F32};
    rng r = {1};
    for (int d = 0; d < 3; d++) {
        double largest = 0.0;
        int least = dtypes[d] == TRINE_F16 ? -30 : dtypes[d] == TRINE_BF16 ? -140 : -155;
        for (int i = 0; i < 200000; i++) {
            double z = ldexp(rng_uniform(&r, 1.0, 2.0), least + (int)rng_below(&r, 15 - least));
            double moved = fabs((double)round_to(dtypes[d], z) - z);
            largest = fmax(largest, moved / trine_rounding_bound(dtypes[d], z));
        }
        cr_assert_leq(largest, 1.0);
        cr_assert_gt(largest, 0.98);
    }
}

Test(reference_bound, accumulation)
{
    trine_gemm_sums sums = {0.0, 0.0, 0.0, 0.0, 0, 0};
    trine_add_block(&sums, -0.5, 3.0, 4.0, 128);
    trine_add_block(&sums, 2.0, 1.0, 8.0, 72);
    cr_assert_eq(sums.value, 0.5);
    cr_assert_eq(sums.magnitude, 18.0);
    cr_assert_eq(sums.chained, 2.0 * 132 + 16.0 * 76);
    cr_assert_eq(sums.k, 200);
    cr_assert_eq(sums.blocks, 2);
    cr_assert_eq(sums.least, (0.5 * 128 + 3 + 2.0 * 72 + 3) * 0x1p-150);
    struct {
        trine_accumulation accumulation;
        bool typical;
        double expected;
    } cases[] = {
        {TRINE_ACCUMULATE_F32, false, 208.0 * 0x1p-23 * 18.0},
        {TRINE_ACCUMULATE_F32, true, 4.0 * sqrt(200.0) * 0x1p-24 * 18.0},
        {TRINE_ACCUMULATE_HOPPER_FP8, false, 0x1p-13 * 1480.0},
        {TRINE_ACCUMULATE_HOPPER_FP8, true, 0x1p-13 * 18.0},
        {TRINE_ACCUMULATE_INT, false, 5.0 * 0x1p-24 * 18.0},
        {TRINE_ACCUMULATE_INT, true, 5.0 * 0x1p-24 * 18.0},
        {TRINE_ACCUMULATE_EXACT, true, 0.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_bound_options options = {sizeof options, cases[i].accumulation, 0, cases[i].typical};
        double bound = trine_accumulation_bound(&options, &sums);
        cr_assert(fabs(bound - cases[i].expected) <= 1e-15 * cases[i].expected, "case %d: %g",
                  (int)i, bound);
    }
}

Test(reference_bound, within)
{
    const double inf = INFINITY;
    struct {
        double y, v, bound;
        trine_dtype dtype;
        bool passes;
    } cases[] = {
        {1.0, 1.0, 0.0, TRINE_F32, true},          {1.0, 1.5, 0.5, TRINE_F32, true},
        {1.0, 1.5, 0.4999, TRINE_F32, false},      {-1.0, 1.0, 1.0, TRINE_F32, false},
        {NAN, NAN, 0.0, TRINE_BF16, true},         {1.0, NAN, inf, TRINE_BF16, false},
        {NAN, 1.0, 1e300, TRINE_BF16, false},      {NAN, 1.0, inf, TRINE_BF16, true},
        {inf, inf, 0.0, TRINE_BF16, true},         {-inf, inf, 0.0, TRINE_BF16, false},
        {1e30, inf, 0.0, TRINE_BF16, false},       {inf, 65504.0, 1.0, TRINE_F16, true},
        {inf, 65504.0, 0.0, TRINE_F16, false},     {inf, 65500.0, 1.0, TRINE_F16, false},
        {-inf, -65504.0, 1.0, TRINE_F16, true},    {-inf, 65504.0, 1.0, TRINE_F16, false},
        {inf, 65504.0, 1.0, TRINE_BF16, false},    {inf, (double)FLT_MAX, 1e30, TRINE_F32, true},
        {inf, 0x1.fep127, 0.0, TRINE_BF16, false}, {inf, 0x1.fep127, 0x1p120, TRINE_BF16, true},
        {0.0, 5.0, inf, TRINE_F32, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(trine_within(cases[i].y, cases[i].v, cases[i].bound, cases[i].dtype),
                     cases[i].passes, "case %d", (int)i);
}

/* ---------------------------------------------------------------- exact ops */

Test(reference_bound, act_and_mul)
{
    static const trine_dtype dtypes[] = {TRINE_BF16, TRINE_F16, TRINE_F32};
    rng r = {5};
    int64_t compared = 0;
    for (int variant = 0; variant < 3 * 5 * 2 * 2 * 2 * 2; variant++) {
        trine_activation act = (trine_activation)(1 + variant / 3 % 5);
        bool gated = variant / 15 % 2 || act == TRINE_ACTIVATION_SWIGLU_OAI;
        trine_act_and_mul_problem p = {.rows = 3,
                                       .columns = 50,
                                       .activation = act,
                                       .gated = gated,
                                       .gate_layout = (trine_gate_layout)(variant / 30 % 2),
                                       .alpha = 1.702f,
                                       .limit = variant / 60 % 2 ? 1.5f : 0.0f,
                                       .intermediate_rounding =
                                           (trine_intermediate_rounding)(variant / 120)};
        p.x = tensor2(dtypes[variant % 3], 3, gated ? 100 : 50);
        p.out = tensor2(dtypes[variant % 3], 3, 50);
        fill_normal(&r, &p.x, 2.0);
        double value[150], bound[150];
        trine_reference_act_and_mul(&p);
        cr_assert_eq(trine_bound_act_and_mul(&p, value, bound), TRINE_OK);
        for (int64_t i = 0; i < 150; i++) {
            cr_assert(trine_within(get(&p.out, i), value[i], bound[i], p.out.dtype),
                      "variant %d element %d: %g, %g +- %g", variant, (int)i, get(&p.out, i),
                      value[i], bound[i]);
            if (fabs(value[i]) > 0.1) {
                cr_assert_not(trine_within(1.02 * value[i], value[i], bound[i], p.out.dtype),
                              "variant %d: %g +- %g", variant, value[i], bound[i]);
                compared++;
            }
        }
    }
    cr_assert_gt(compared, 10000);
}

Test(reference_bound, topk_gating)
{
    rng r = {6};
    for (int variant = 0; variant < 16; variant++) {
        trine_topk_gating_problem p = {.tokens = 5,
                                       .experts = 32,
                                       .k = 6,
                                       .num_groups = variant & 2 ? 4 : 1,
                                       .topk_groups = variant & 2 ? 2 : 1,
                                       .score = (trine_gating_score)(variant % 2),
                                       .group_score = (trine_group_score)(variant / 2 % 2),
                                       .renormalize = variant & 4,
                                       .scaling_factor = variant & 8 ? 2.5f : 1.0f,
                                       .softcap = variant & 8 ? 5.0f : 0.0f};
        p.logits = tensor2(variant % 3 ? TRINE_F32 : TRINE_BF16, 5, 32);
        p.correction_bias = variant & 2 ? tensor1(TRINE_F32, 32) : absent();
        p.topk_weights = tensor2(TRINE_F32, 5, 6);
        p.topk_ids = tensor2(TRINE_I32, 5, 6);
        fill_normal(&r, &p.logits, 3.0);
        if (variant & 2) fill_normal(&r, &p.correction_bias, 0.1);
        for (int64_t i = 0; i < 32; i++) set(&p.logits, 32 + i, i % 2 ? -INFINITY : NAN);
        set(&p.logits, 70, NAN);
        set(&p.logits, 71, -INFINITY);
        set(&p.logits, 100, INFINITY);
        double value[30], bound[30];
        trine_reference_topk_gating(&p);
        cr_assert_eq(trine_bound_topk_gating(&p, value, bound), TRINE_OK);
        for (int64_t i = 0; i < 30; i++) {
            double w = get(&p.topk_weights, i);
            cr_assert(trine_within(w, value[i], bound[i], TRINE_F32),
                      "variant %d element %d: %.9g, %.9g +- %g", variant, (int)i, w, value[i],
                      bound[i]);
            if (i / 6 == 1) cr_assert_eq(bound[i], 0.0, "no finite logit");
            if (i < 6) cr_assert_lt(bound[i], 1e-5 * value[i]);
        }
    }
}

/* Sanitizers end a program that asks for too much. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif

#ifndef SANITIZED
Test(reference_bound, out_of_memory)
{
    trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, 0, false};
    double value[1], bound[1];
    trine_fused_moe_problem moe = {.workspace = {.size = SIZE_MAX / 4}};
    cr_assert_eq(trine_bound_fused_moe(&moe, &options, value, bound), TRINE_OUT_OF_MEMORY);
    trine_block_scaled_linear_problem linear = {.workspace_size = SIZE_MAX / 4};
    cr_assert_eq(trine_bound_block_scaled_linear(&linear, &options, value, bound),
                 TRINE_OUT_OF_MEMORY);
    trine_topk_gating_problem gating = {.tokens = (int64_t)1 << 56, .k = 1};
    cr_assert_eq(trine_bound_topk_gating(&gating, value, bound), TRINE_OUT_OF_MEMORY);
    cr_assert_neq(trine_last_error()[0], '\0');
}
#endif
