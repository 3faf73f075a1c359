// SPDX-License-Identifier: Apache-2.0
// fused_moe's bound: imitated kernels stay within it, broken ones are caught, the two stages agree.
#include <criterion/criterion.h>

#include "moe_case.h"
#include "reference/fused_moe_bound.h"
#include "reference/reference.h"

TestSuite(reference_fused_moe_bound, .fini = pool_clear);

static double *doubles(int64_t count)
{
    return pool_alloc((size_t)count * sizeof(double) + 1);
}

static bool is_fp8(const moe_case *c)
{
    return c->w == TRINE_E4M3FN || c->w == TRINE_E4M3FNUZ;
}

/* Ways of summing that suit a mode, with their class; up to three. */
static int ways(const moe_case *c, kernel_sum *sums, trine_accumulation *classes)
{
    int count = 0;
    if (c->quantization == TRINE_MOE_INT8_CHANNEL || c->quantization == TRINE_MOE_INT8_BLOCK) {
        sums[count] = SUM_INT;
        classes[count++] = TRINE_ACCUMULATE_INT;
    } else {
        sums[count] = SUM_SHUFFLED;
        classes[count++] = TRINE_ACCUMULATE_F32;
        sums[count] = SUM_TRUNCATED;
        classes[count++] = TRINE_ACCUMULATE_F32;
    }
    if (is_fp8(c)) {
        sums[count] = SUM_HOPPER;
        classes[count++] = TRINE_ACCUMULATE_HOPPER_FP8;
    }
    return count;
}

static int64_t outside(const trine_view *out, const double *y, const double *value,
                       const double *bound)
{
    int64_t count = 0;
    for (int64_t i = 0; i < element_count(out); i++)
        count += !trine_within(y[i], value[i], bound[i], out->dtype);
    return count;
}

/* Every way of summing and combining that `c` allows; returns the elements compared. */
static int64_t expect_within(const moe_case *c, uint64_t seed)
{
    kernel_sum sums[3];
    trine_accumulation classes[3];
    rng r = {seed};
    void *workspace;
    trine_fused_moe_problem p = moe_problem(c, &r, &workspace);
    int64_t count = element_count(&p.out), compared = 0;
    double *y = doubles(count), *value = doubles(count), *bound = doubles(count),
           *own = doubles(count);
    trine_fused_moe_problem copy = p;
    copy.out = tensor(p.out.dtype, p.out.rank, p.out.shape, 0);
    for (int64_t i = 0; i < count; i++) set(&copy.out, i, get(&p.out, i));
    trine_reference_fused_moe(&copy, workspace);
    for (int64_t i = 0; i < count; i++) own[i] = get(&copy.out, i);
    for (int way = ways(c, sums, classes) - 1; way >= 0; way--)
        for (int combine = 0; combine < 3; combine++) {
            if (combine == TRINE_COMBINE_CLASS_ATOMIC && p.out.dtype != p.x.dtype) continue;
            kernel k = {sums[way], (trine_combine_class)combine, -1, -1, {seed}, NULL, NULL};
            kernel_fused_moe(&k, &p, y);
            for (int typical = 0; typical < 2; typical++) {
                trine_bound_options options = {sizeof options, classes[way], combine, typical};
                cr_assert_eq(trine_bound_fused_moe(&p, &options, value, bound), TRINE_OK);
                cr_assert_eq(outside(&p.out, y, value, bound), 0,
                             "%s seed %d: sum %d combine %d typical %d", moe_name(c->quantization),
                             (int)seed, way, combine, typical);
                cr_assert_eq(outside(&p.out, own, value, bound), 0, "%s seed %d: the reference",
                             moe_name(c->quantization), (int)seed);
                compared += count;
            }
        }
    pool_clear();
    return compared;
}

Test(reference_fused_moe_bound, kernels_stay_within)
{
    int64_t compared = 0;
    uint64_t seed = 1;
    for (int mode = 0; mode < MOE_MODES; mode++)
        for (int variant = 0; variant < 8; variant++) {
            moe_case c = moe_small(moe_modes[mode]);
            c.rounding = variant % 2 ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
            c.bias = variant & 2;
            c.accumulate = c.weight_on_input = variant & 4;
            c.factor = variant & 4 ? -2.5f : 1.0f;
            compared += expect_within(&c, seed++);
        }
    cr_assert_gt(compared, 15 * 8 * 4 * 120);
}

Test(reference_fused_moe_bound, kernels_stay_within_for_every_activation)
{
    uint64_t seed = 300;
    for (int act = TRINE_ACTIVATION_SILU; act <= TRINE_ACTIVATION_SWIGLU_OAI; act++)
        for (int variant = 0; variant < 12; variant++) {
            moe_case c = moe_small(moe_modes[variant % 3 == 0 ? 0 : variant % 3 == 1 ? 6 : 1]);
            c.activation = (trine_activation)act;
            c.rounding = variant % 2 ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
            c.limit = variant & 2 ? 0.5f : 0.0f;
            c.ungated = variant % 4 == 3 && act != TRINE_ACTIVATION_SWIGLU_OAI;
            c.layout = variant < 6 ? TRINE_GATE_HALVES : TRINE_GATE_INTERLEAVED;
            c.combine = variant % 5 == 4 ? TRINE_COMBINE_NONE : TRINE_COMBINE_SEPARATE;
            expect_within(&c, seed++);
        }
}

/* Longer sums: the errors of the classes show, and the typical bound stays useful. */
Test(reference_fused_moe_bound, typical_bounds_are_useful)
{
    for (int mode = 0; mode < MOE_MODES; mode++) {
        rng r = {(uint64_t)(500 + mode)};
        void *workspace;
        moe_case c = moe_small(moe_modes[mode]);
        c.hidden = 192;
        c.intermediate = 64;
        c.experts = 3;
        c.block = 128;
        c.tokens = 2;
        c.bias = true;
        expect_within(&c, r.state);
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, (double)(i % c.experts));
        int64_t count = element_count(&p.out);
        double *y = doubles(count), *value = doubles(count), *bound = doubles(count);
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32,
                                       TRINE_COMBINE_CLASS_F32, true};
        if (is_fp8(&c)) options.accumulation = TRINE_ACCUMULATE_HOPPER_FP8;
        trine_bound_fused_moe(&p, &options, value, bound);
        double square = 0.0, mean = 0.0;
        for (int64_t i = 0; i < count; i++) {
            square += value[i] * value[i] / (double)count;
            mean += bound[i] / (double)count;
        }
        /* Rounding h once more than the kernel may move its codes: a few percent at most. */
        cr_assert_lt(mean / sqrt(square), is_fp8(&c) ? 0.2 : 0.05, "%s: %g",
                     moe_name(c.quantization), mean / sqrt(square));
        kernel k = {SUM_EXACT, TRINE_COMBINE_CLASS_F32, -1, 1, r, NULL, NULL};
        kernel_fused_moe(&k, &p, y);
        cr_assert_gt(outside(&p.out, y, value, bound), count / 4, "%s: an expert left out",
                     moe_name(c.quantization));
        pool_clear();
    }
}

/* Data for which every kernel has the reference's bits; what is left out shows. */
Test(reference_fused_moe_bound, exact_data)
{
    static const trine_moe_quantization quantizations[] = {
        TRINE_MOE_NONE,      TRINE_MOE_FP8_TENSOR,   TRINE_MOE_FP8_CHANNEL,
        TRINE_MOE_FP8_BLOCK, TRINE_MOE_INT8_CHANNEL, TRINE_MOE_INT8_BLOCK};
    kernel_sum sums[] = {SUM_SHUFFLED, SUM_TRUNCATED, SUM_INT, SUM_HOPPER};
    for (int i = 0; i < 12; i++) {
        rng r = {(uint64_t)(700 + i)};
        void *workspace;
        moe_case c = moe_small(
            (moe_case){.quantization = quantizations[i % 6], .x = TRINE_F32, .out = TRINE_F32});
        c.w = i % 6 == 0   ? TRINE_F32
              : i % 6 >= 4 ? TRINE_I8
              : i < 6      ? TRINE_E4M3FN
                           : TRINE_E4M3FNUZ;
        c.rounding = (trine_intermediate_rounding)(i / 6);
        c.tokens = 8;
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        moe_make_exact(&p, &r);
        int64_t count = element_count(&p.out), nonzero = 0;
        double *y = doubles(count);
        trine_reference_fused_moe(&p, workspace);
        for (int64_t e = 0; e < count; e++) nonzero += get(&p.out, e) != 0.0;
        cr_assert_gt(nonzero, count * 9 / 10, "%s", moe_name(c.quantization));
        for (int way = 0; way < 4 * 3 * 3; way++) {
            kernel k = {sums[way % 4], (trine_combine_class)(way / 4 % 3), -1, -1, r, NULL, NULL};
            if (way / 12 == 1) k.dropped_block = 0;
            if (way / 12 == 2) k.dropped_expert = 2;
            kernel_fused_moe(&k, &p, y);
            int64_t differing = 0;
            for (int64_t e = 0; e < count; e++) differing += y[e] != get(&p.out, e);
            if (way / 12 == 0)
                cr_assert_eq(differing, 0, "%s way %d", moe_name(c.quantization), way);
            else
                cr_assert_gt(differing, count / 2, "%s way %d", moe_name(c.quantization), way);
        }
        pool_clear();
    }
}

/* A wide gate interval around an activation's minimum holds the minimum, which v is here. */
Test(reference_fused_moe_bound, minimum_of_an_activation)
{
    static const struct {
        trine_activation activation;
        float at, value;
    } minima[] = {{TRINE_ACTIVATION_SILU, -1.2784645f, -0.27846454f},
                  {TRINE_ACTIVATION_GELU_ERF, -0.7517916f, -0.16997121f},
                  {TRINE_ACTIVATION_GELU_TANH, -0.7524614f, -0.17004076f},
                  {TRINE_ACTIVATION_SWIGLU_OAI, -0.7511542f, -0.16361019f}};
    for (int i = 0; i < 4; i++) {
        rng r = {1};
        void *workspace;
        moe_case c = moe_small(moe_modes[1]);
        c.activation = minima[i].activation;
        c.ungated = c.activation != TRINE_ACTIVATION_SWIGLU_OAI;
        c.bias = true;
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        for (int64_t e = 0; e < p.slots; e++) set(&p.topk_ids, e, 0.0);
        for (int64_t e = 0; e < element_count(&p.x); e++) set(&p.x, e, e % 2 ? 100.0 : -100.0);
        for (int64_t n = 0; n < p.n1; n++) {
            bool gate = n < p.intermediate;
            set(&p.b1, n, gate ? (double)minima[i].at : 0.0);
            for (int64_t k = 0; k < p.hidden; k++) set(&p.w1, n * p.hidden + k, gate ? 1.0 : 0.0);
        }
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, 0, false};
        trine_moe_a2 a2;
        cr_assert_eq(trine_moe_bound_stage_1(&p, &options, workspace, &a2), TRINE_OK);
        for (int64_t e = 0; e < p.slots * p.intermediate; e++) {
            cr_assert_leq(a2.value[e].lo, (double)minima[i].value, "activation %d: %.9g",
                          (int)c.activation, a2.value[e].lo);
            cr_assert_gt(a2.value[e].lo, (double)minima[i].value - 3e-6);
            cr_assert_gt(a2.value[e].hi, (double)minima[i].value + 2e-5);
        }
        trine_moe_a2_free(&a2);
        pool_clear();
    }
}

/* With exact sums what is left of the bound is what the later steps add: here by hand. */
Test(reference_fused_moe_bound, steps_after_the_sums)
{
    static const trine_combine_class classes[] = {
        TRINE_COMBINE_CLASS_F32, TRINE_COMBINE_CLASS_ROUNDED, TRINE_COMBINE_CLASS_ATOMIC};
    for (int i = 0; i < 24; i++) {
        rng r = {(uint64_t)(40 + i)};
        void *workspace;
        moe_case c = moe_small(moe_modes[i % 2]); /* bf16, f32 */
        c.rounding = i / 6 % 2 ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
        c.accumulate = i / 12;
        c.factor = -0.75f;
        c.combine = TRINE_COMBINE_NONE;
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        for (int64_t e = 0; e < p.slots; e++) set(&p.topk_ids, e, (double)(e % c.experts));
        int64_t count = p.tokens * p.hidden;
        double *each = doubles(p.k * count), *value = doubles(p.k * count),
               *bound = doubles(p.k * count);
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_EXACT, classes[i / 2 % 3],
                                       false};
        trine_moe_a2 a2;
        trine_moe_stage_1(&p, workspace);
        cr_assert_eq(trine_moe_a2_of_workspace(&p, workspace, &a2), TRINE_OK);
        trine_moe_bound_stage_2(&p, &options, workspace, &a2, each, bound);
        p.combine = TRINE_COMBINE_SEPARATE;
        p.out = tensor2(c.out, p.tokens, p.hidden);
        fill_normal(&r, &p.out, 1.0);
        trine_moe_bound_stage_2(&p, &options, workspace, &a2, value, bound);
        trine_moe_a2_free(&a2);
        for (int64_t e = 0; e < count; e++) {
            double total = 0.0, old = c.accumulate ? fabs(get(&p.out, e)) : 0.0, sum = 0.0;
            for (int64_t j = 0; j < p.k; j++) {
                double term = each[(e / p.hidden * p.k + j) * p.hidden + e % p.hidden];
                total += 0.75 * fabs(term);
                sum += -0.75 * term;
            }
            if (c.accumulate) sum += get(&p.out, e);
            double u = trine_rounding_bound(p.out.dtype, total + old);
            double radius = 5.0 * 0x1p-24 * (total + old);
            if (classes[i / 2 % 3] == TRINE_COMBINE_CLASS_ATOMIC) radius = 4.0 * u;
            if (classes[i / 2 % 3] == TRINE_COMBINE_CLASS_ROUNDED && c.rounding == TRINE_ROUND_ONCE)
                radius += trine_rounding_bound(p.out.dtype, total);
            double last = trine_rounding_bound(p.out.dtype, fabs(sum) + radius);
            /* The product with the weight is an f32 operation too. */
            double product = c.rounding == TRINE_ROUND_EACH ? 0.0 : 0x1p-24 * total;
            cr_assert(fabs(value[e] - sum) <= 1e-14 * (total + old));
            cr_assert_geq(bound[e] + last, 0.999 * radius, "case %d element %d", i, (int)e);
            cr_assert_leq(bound[e], 1.001 * (radius + last + product), "case %d element %d", i,
                          (int)e);
            if (p.out.dtype == TRINE_F32) cr_assert_geq(bound[e], 0.7 * radius, "case %d", i);
        }
        pool_clear();
    }
}

/* The activation's own width takes in what real arithmetic gives, and little more. */
Test(reference_fused_moe_bound, width_of_an_activation)
{
    rng r = {9};
    void *workspace;
    moe_case c = moe_small(moe_modes[1]);
    trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
    for (int64_t e = 0; e < p.slots; e++) set(&p.topk_ids, e, (double)(e % c.experts));
    trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_EXACT, 0, false};
    trine_moe_a2 a2;
    trine_moe_stage_1(&p, workspace);
    trine_moe_multiply_1(&p, workspace);
    const float *h = (const float *)((const char *)workspace + p.workspace.h);
    double *gates = doubles(p.slots * p.n1);
    for (int64_t e = 0; e < p.slots * p.n1; e++) gates[e] = h[e];
    cr_assert_eq(trine_moe_bound_stage_1(&p, &options, workspace, &a2), TRINE_OK);
    for (int64_t e = 0; e < p.slots * p.intermediate; e++) {
        const double *row = gates + e / p.intermediate * p.n1;
        double g = row[e % p.intermediate], up = row[p.intermediate + e % p.intermediate];
        double real = g / (1.0 + exp(-g)) * up, width = a2.value[e].hi - a2.value[e].lo;
        cr_assert(a2.value[e].lo <= real && real <= a2.value[e].hi);
        double expected = 2.0 * 0x1p-20 * fabs(g * up);
        cr_assert(width > 0.8 * expected && width < 1.2 * expected, "%g, not %g", width, expected);
    }
    trine_moe_a2_free(&a2);
}

/* ---------------------------------------------------------------- the two stages */

static void store_a2(const trine_fused_moe_problem *p, trine_moe_gemm *g, const kernel *k)
{
    for (int64_t i = 0; i < p->slots * g->k; i++) {
        trine_view element = {(char *)g->a.data +
                                  i * (g->a.dtype == TRINE_F32                               ? 4
                                       : g->a.dtype == TRINE_BF16 || g->a.dtype == TRINE_F16 ? 2
                                                                                             : 1),
                              g->a.dtype,
                              1,
                              {1},
                              {1}};
        set(&element, 0, k->a2[i]);
    }
    for (int64_t i = 0; g->a_scale.data && i < p->slots * g->blocks; i++)
        if (g->a_scale.stride[0] || p->a2_scale.rank < 0)
            ((float *)g->a_scale.data)[g->a_scale.stride[0] ? i : 0] = (float)k->a2_scale[i];
}

Test(reference_fused_moe_bound, stages)
{
    int64_t codes = 0, moved = 0;
    for (int mode = 0; mode < MOE_MODES; mode++) {
        kernel_sum sums[3];
        trine_accumulation classes[3];
        rng r = {(uint64_t)(900 + mode)};
        void *workspace;
        moe_case c = moe_small(moe_modes[mode]);
        c.tokens = 6;
        c.hidden = 256;
        c.intermediate = 64;
        c.bias = true;
        c.weight_on_input = mode % 2;
        int way = ways(&c, sums, classes) - 1;
        trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
        for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, (double)(i % (c.experts - 1)));
        int64_t count = element_count(&p.out);
        double *y = doubles(count), *value = doubles(count), *bound = doubles(count);
        double *whole_value = doubles(count), *whole_bound = doubles(count);
        kernel k = {sums[way], TRINE_COMBINE_CLASS_ROUNDED, -1, -1, r, NULL, NULL};
        k.a2 = doubles(p.slots * p.intermediate);
        k.a2_scale = doubles(p.slots * p.intermediate);
        kernel_fused_moe(&k, &p, y);

        /* Stage 1: the kernel's codes and scales lie in the intervals. */
        trine_bound_options options = {sizeof options, classes[way], TRINE_COMBINE_CLASS_ROUNDED,
                                       true};
        trine_moe_a2 a2;
        cr_assert_eq(trine_moe_bound_stage_1(&p, &options, workspace, &a2), TRINE_OK);
        trine_moe_gemm g = trine_moe_gemm_2(&p, workspace);
        for (int64_t i = 0; i < p.slots * p.intermediate; i++) {
            double own = trine_load(&g.a, i);
            cr_assert(a2.value[i].lo <= own && own <= a2.value[i].hi, "mode %d element %d", mode,
                      (int)i);
            cr_assert(a2.value[i].lo <= k.a2[i] && k.a2[i] <= a2.value[i].hi,
                      "mode %d element %d: %g not in [%g, %g]", mode, (int)i, k.a2[i],
                      a2.value[i].lo, a2.value[i].hi);
            codes++;
            moved += own != k.a2[i];
        }
        for (int64_t i = 0; i < p.slots * a2.blocks; i++)
            cr_assert(a2.scale[i].lo <= k.a2_scale[i] && k.a2_scale[i] <= a2.scale[i].hi);

        /* Both stages together are the op's bound. */
        trine_moe_bound_stage_2(&p, &options, workspace, &a2, value, bound);
        trine_moe_a2_free(&a2);
        trine_bound_fused_moe(&p, &options, whole_value, whole_bound);
        for (int64_t i = 0; i < count; i++) {
            cr_assert_eq(value[i], whole_value[i]);
            cr_assert_eq(bound[i], whole_bound[i]);
        }

        /* Stage 2 on the kernel's own A2: a tighter bound, and the kernel is within it. */
        store_a2(&p, &g, &k);
        cr_assert_eq(trine_moe_a2_of_workspace(&p, workspace, &a2), TRINE_OK);
        trine_moe_bound_stage_2(&p, &options, workspace, &a2, value, bound);
        trine_moe_a2_free(&a2);
        cr_assert_eq(outside(&p.out, y, value, bound), 0, "mode %d", mode);
        double tight = 0.0, wide = 0.0;
        for (int64_t i = 0; i < count; i++) {
            tight += bound[i];
            wide += whole_bound[i];
        }
        if (g.a_scale.data) cr_assert_lt(tight, wide, "mode %d", mode);
        trine_moe_stage_2(&p, workspace);
        for (int64_t i = 0; i < count; i++)
            cr_assert(trine_within(get(&p.out, i), value[i], bound[i], p.out.dtype));
        pool_clear();
    }
    cr_assert_gt(moved, 0, "no kernel rounded differently: nothing was tested");
    cr_assert_lt(moved, codes / 10);
}

Test(reference_fused_moe_bound, codes_of_a2)
{
    const trine_interval wide = {-1e9, 1e9}, around_448 = {416.0, 448.0}, point = {448.0, 448.0};
    struct {
        trine_dtype dtype;
        uint32_t code, reference;
        trine_interval interval;
        bool allowed;
    } cases[] = {
        {TRINE_E4M3FN, 0x7e, 0x7e, point, true},
        {TRINE_E4M3FN, 0x7d, 0x7e, around_448, true},
        {TRINE_E4M3FN, 0x7d, 0x7e, point, false}, /* no boundary inside */
        {TRINE_E4M3FN, 0x7c, 0x7e, wide, false},  /* two steps */
        {TRINE_E4M3FN, 0x7f, 0x7e, wide, false},  /* NaN is no neighbor */
        {TRINE_E4M3FN, 0x7f, 0x7f, point, true},
        {TRINE_E4M3FN, 0x7e, 0x7f, wide, false},
        {TRINE_E4M3FN, 0x81, 0x00, wide, true}, /* across zero */
        {TRINE_E4M3FN, 0x80, 0x00, point, true},
        {TRINE_E4M3FN, 0x81, 0x01, wide, false},
        {TRINE_E4M3FNUZ, 0x80, 0x00, wide, false},
        {TRINE_E4M3FNUZ, 0x11, 0x10, wide, true},
        {TRINE_I8, 0xff, 0x00, wide, true}, /* -1 and 0 */
        {TRINE_I8, 0xfe, 0x00, wide, false},
        {TRINE_I8, 0x7f, 0x7e, (trine_interval){126.0, 126.0}, false},
        {TRINE_BF16, 0x3f81, 0x3f80, wide, true},
        {TRINE_BF16, 0x3f82, 0x3f80, wide, false},
        {TRINE_F16, 0x3c01, 0x3c00, wide, true},
        {TRINE_F16, 0x7c00, 0x7bff, wide, false}, /* Inf lies outside */
        {TRINE_F32, 0x3f800001, 0x3f800000, wide, true},
        {TRINE_F32, 0x3f800001, 0x3f800000, (trine_interval){1.0, 1.0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(trine_moe_a2_allowed(cases[i].dtype, cases[i].code, cases[i].reference,
                                          cases[i].interval, true),
                     cases[i].allowed, "case %d", (int)i);
    /* Of any data: as far as the interval goes, and no further. */
    cr_assert(trine_moe_a2_allowed(TRINE_I8, 0xfe, 0x00, (trine_interval){-2.0, 2.0}, false));
    cr_assert_not(trine_moe_a2_allowed(TRINE_I8, 0xfd, 0x00, (trine_interval){-2.0, 2.0}, false));
}

/* Where the reference has a NaN or an infinity, only that passes; overflow leaves all open. */
Test(reference_fused_moe_bound, special_values)
{
    rng r = {77};
    void *workspace;
    moe_case c = moe_small(moe_modes[0]);
    c.activation = TRINE_ACTIVATION_RELU2;
    trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
    for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, (double)(i % c.experts));
    set(&p.x, 3, NAN);
    set(&p.x, 43, INFINITY);
    int64_t count = element_count(&p.out);
    double *value = doubles(count), *bound = doubles(count);
    trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, TRINE_COMBINE_CLASS_F32,
                                   false};
    trine_bound_fused_moe(&p, &options, value, bound);
    trine_reference_fused_moe(&p, workspace);
    for (int64_t i = 0; i < count; i++) {
        cr_assert(trine_within(get(&p.out, i), value[i], bound[i], p.out.dtype), "element %d",
                  (int)i);
        if (i < 80) cr_assert_not(trine_within(0.0, value[i], bound[i], p.out.dtype));
        if (i >= 80) cr_assert_not(trine_within(NAN, value[i], bound[i], p.out.dtype));
    }
    /* f16: h may overflow or not, so what it is summed into may be anything but NaN. */
    c = moe_small(moe_modes[2]);
    c.ungated = true;
    c.activation = TRINE_ACTIVATION_RELU2;
    c.bias = true;
    p = moe_problem(&c, &r, &workspace);
    for (int64_t i = 0; i < element_count(&p.w1); i++) set(&p.w1, i, 0.0);
    for (int64_t i = 0; i < element_count(&p.w2); i++) set(&p.w2, i, 1.0);
    for (int64_t i = 0; i < element_count(&p.b1); i++) set(&p.b1, i, 1.0);
    for (int64_t i = 0; i < p.slots; i++) set(&p.topk_ids, i, 0.0);
    for (int64_t i = 0; i < p.tokens * p.hidden; i++) set(&p.x, i, i % p.hidden ? 0.0 : 256.0);
    /* g = 1 - 2^-8 +- E, squared and scaled: just below where f16 rounds to Inf, or at it. */
    for (int64_t n = 0; n < p.n1; n++) set(&p.w1, n * p.hidden, 1.0);
    for (int64_t n = 0; n < p.n1; n++) set(&p.b1, n, -0.0312);
    trine_bound_fused_moe(&p, &options, value, bound);
    bool open = false;
    for (int64_t i = 0; i < element_count(&p.out); i++) {
        open |= bound[i] == INFINITY;
        if (bound[i] == INFINITY && isfinite(value[i]))
            cr_assert(trine_within(INFINITY, value[i], bound[i], p.out.dtype));
    }
    cr_assert(open);
}
