// SPDX-License-Identifier: Apache-2.0
// The references of scaled_mm and block_scaled_linear, and their bounds.
#include <criterion/criterion.h>

#include "kernels.h"
#include "reference/bound.h"
#include "reference/reference.h"

TestSuite(reference_scaled_mm, .fini = pool_clear);

typedef enum granularity { PER_TENSOR, PER_ROW, PER_BLOCK, PER_BLOCK_COLUMN_MAJOR } granularity;

typedef struct mm_case {
    trine_dtype dtype, out;
    int64_t m, n, k, block_n, block_k;
    granularity a, b;
    int bias; /* 0 none, 1 as out, 2 f32 */
    trine_bias_rounding rounding;
    int64_t pad;
} mm_case;

static int64_t up_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static trine_view scales(rng *r, granularity g, int64_t rows, int64_t blocks, int64_t *row_stride,
                         int64_t *block_stride)
{
    trine_view v;
    *row_stride = *block_stride = 0;
    switch (g) {
    case PER_TENSOR:
        v = tensor1(TRINE_F32, 1);
        break;
    case PER_ROW:
        v = tensor2(TRINE_F32, rows, 1);
        *row_stride = 1;
        break;
    case PER_BLOCK:
        v = tensor2(TRINE_F32, rows, blocks);
        *row_stride = blocks;
        *block_stride = 1;
        break;
    default: /* three more rows than there are */
        v = tensor2(TRINE_F32, blocks, rows + 3);
        *row_stride = 1;
        *block_stride = rows + 3;
    }
    fill_uniform(r, &v, -0.002, 0.004);
    return v;
}

static trine_scaled_mm_problem mm_problem(const mm_case *c, rng *r)
{
    bool blocked = c->a >= PER_BLOCK || c->b >= PER_BLOCK;
    trine_scaled_mm_problem p = {.m = c->m,
                                 .n = c->n,
                                 .k = c->k,
                                 .block_n = c->block_n,
                                 .block_k = c->block_k,
                                 .blocks = blocked ? up_div(c->k, c->block_k) : 1,
                                 .bias_rounding = c->rounding};
    p.a = tensor2(c->dtype, c->m, c->k);
    p.b = tensor2(c->dtype, c->n, c->k);
    p.a.stride[0] += c->pad;
    p.a.data = pool_alloc((size_t)(c->m * (c->k + c->pad)) + 1);
    fill_normal(r, &p.a, c->dtype == TRINE_I8 ? 40.0 : 60.0);
    fill_normal(r, &p.b, c->dtype == TRINE_I8 ? 40.0 : 60.0);
    p.a_scale = scales(r, c->a, c->m, p.blocks, &p.a_scale_row, &p.a_scale_block);
    p.b_scale_rows_per = c->b == PER_TENSOR ? c->n : c->b == PER_ROW ? 1 : c->block_n;
    p.b_scale = scales(r, c->b, c->b == PER_ROW ? c->n : up_div(c->n, c->block_n), p.blocks,
                       &p.b_scale_row, &p.b_scale_block);
    p.bias = c->bias ? tensor1(c->bias == 1 ? c->out : TRINE_F32, c->n) : absent();
    if (c->bias) fill_normal(r, &p.bias, 0.1);
    p.out = tensor(c->out, 2, (int64_t[]){c->m, c->n}, c->pad);
    return p;
}

static double *doubles(int64_t count)
{
    return pool_alloc((size_t)count * sizeof(double) + 1);
}

static const trine_dtype operands[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_E5M2, TRINE_I8};
static const trine_dtype outs[] = {TRINE_BF16, TRINE_F16, TRINE_F32};

Test(reference_scaled_mm, every_dtype_granularity_and_bias)
{
    rng r = {11};
    kernel exact = {.sum = SUM_EXACT, .dropped_block = -1, .dropped_expert = -1};
    int64_t compared = 0;
    for (int kind = 0; kind < 4 * 3 * 4 * 4 * 3 * 2; kind++) {
        mm_case c = {operands[kind % 4],
                     outs[kind / 4 % 3],
                     3,
                     19,
                     70,
                     8,
                     32,
                     (granularity)(kind / 12 % 4),
                     (granularity)(kind / 48 % 4),
                     kind / 192 % 3,
                     (trine_bias_rounding)(kind / 576),
                     kind % 5};
        trine_scaled_mm_problem p = mm_problem(&c, &r);
        double *expected = doubles(c.m * c.n);
        kernel_scaled_mm(&exact, &p, expected);
        trine_reference_scaled_mm(&p);
        for (int64_t i = 0; i < c.m * c.n; i++) {
            cr_assert_eq(get(&p.out, i), expected[i], "kind %d, element %d: %.9g, not %.9g", kind,
                         (int)i, get(&p.out, i), expected[i]);
            compared += expected[i] != 0.0;
        }
        pool_clear();
    }
    cr_assert_gt(compared, 1152 * 3 * 19 * 9 / 10);
}

Test(reference_scaled_mm, empty_sums_give_the_bias)
{
    rng r = {12};
    for (int g = 0; g < 4; g++) {
        mm_case c = {
            TRINE_E4M3FN,     TRINE_BF16, 2, 3, 0, 128, 128, (granularity)g, (granularity)g, 1,
            TRINE_BIAS_AFTER, 0};
        trine_scaled_mm_problem p = mm_problem(&c, &r);
        if (g < 2) set(&p.a_scale, 0, INFINITY); /* takes no part */
        double value[6], bound[6];
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, 0, false};
        trine_reference_scaled_mm(&p);
        cr_assert_eq(trine_bound_scaled_mm(&p, &options, value, bound), TRINE_OK);
        for (int64_t i = 0; i < 6; i++) {
            cr_assert_eq(get(&p.out, i), get(&p.bias, i % 3));
            cr_assert_eq(value[i], get(&p.bias, i % 3));
        }
    }
}

/* e5m2 has infinities: they and NaN come out as IEEE has it, and only they pass. */
Test(reference_scaled_mm, infinities)
{
    rng r = {13};
    mm_case c = {TRINE_E5M2, TRINE_F32,        3, 2, 8, 128, 128, PER_TENSOR, PER_TENSOR,
                 2,          TRINE_BIAS_AFTER, 0};
    trine_scaled_mm_problem p = mm_problem(&c, &r);
    set(&p.a_scale, 0, 1.0);
    set(&p.b_scale, 0, 1.0);
    uint8_t *a = p.a.data, *b = p.b.data;
    memset(b, 0x3c, 16); /* 1 */
    a[0] = 0x7c;         /* Inf */
    a[8] = 0xfc;         /* -Inf */
    a[16] = 0x7c, a[17] = 0xfc;
    double value[6], bound[6];
    trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_HOPPER_FP8, 0, false};
    trine_reference_scaled_mm(&p);
    cr_assert_eq(trine_bound_scaled_mm(&p, &options, value, bound), TRINE_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(get(&p.out, i), INFINITY);
        cr_assert_eq(get(&p.out, 2 + i), -INFINITY);
        cr_assert(isnan(get(&p.out, 4 + i)));
        cr_assert(trine_within(INFINITY, value[i], bound[i], TRINE_F32));
        cr_assert_not(trine_within(0.0, value[i], bound[i], TRINE_F32));
        cr_assert_not(trine_within(-INFINITY, value[i], bound[i], TRINE_F32));
        cr_assert(trine_within(NAN, value[4 + i], bound[4 + i], TRINE_F32));
        cr_assert_not(trine_within(1.0, value[4 + i], bound[4 + i], TRINE_F32));
    }
}

/* What passes when an f16 result overflows, in one rounding or in the first of two. */
Test(reference_scaled_mm, overflow)
{
    rng r = {14};
    mm_case c = {TRINE_I8, TRINE_F16,        1, 1, 8, 128, 128, PER_TENSOR, PER_TENSOR,
                 2,        TRINE_BIAS_AFTER, 0};
    trine_scaled_mm_problem p = mm_problem(&c, &r);
    int8_t *a = p.a.data, *b = p.b.data;
    memset(a, 0, 8);
    memset(b, 0, 8);
    a[0] = 64;
    set(&p.a_scale, 0, 1.0);
    set(&p.b_scale, 0, 32.0);
    double value, bound;
    trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_INT, 0, true};
    struct {
        double b, bias;
        bool finite, infinite;
    } cases[] = {
        {31, 0, true, false},     /* 63488 */
        {32, 0, false, true},     /* 65536 */
        {34, -10000, false, true} /* 69632 - 10000: the first rounding is Inf already */
    };
    for (int i = 0; i < 3; i++) {
        b[0] = (int8_t)cases[i].b;
        set(&p.bias, 0, cases[i].bias);
        trine_reference_scaled_mm(&p);
        trine_bound_scaled_mm(&p, &options, &value, &bound);
        double sum = 2048.0 * cases[i].b + cases[i].bias;
        cr_assert_eq(isinf(get(&p.out, 0)) != 0, cases[i].infinite, "case %d", i);
        cr_assert(trine_within(get(&p.out, 0), value, bound, TRINE_F16), "case %d", i);
        cr_assert_eq(trine_within(INFINITY, value, bound, TRINE_F16), cases[i].infinite, "case %d",
                     i);
        cr_assert_eq(trine_within(fmin(sum, 60000.0), value, bound, TRINE_F16),
                     cases[i].finite && sum < 60000.0, "case %d", i);
        cr_assert_not(trine_within(-INFINITY, value, bound, TRINE_F16), "case %d", i);
    }
    /* 65520 +- a little may round to 65504 or to Inf, and then -100 is added. */
    set(&p.b_scale, 0, 65519.9999 / 64.0);
    b[0] = 1;
    set(&p.bias, 0, -100.0);
    trine_bound_scaled_mm(&p, &options, &value, &bound);
    cr_assert(trine_within(65408.0, value, bound, TRINE_F16));
    cr_assert(trine_within(INFINITY, value, bound, TRINE_F16));
}

typedef struct use {
    double largest, relative; /* of the bound; bound over deviation of v */
    int64_t outside;
} use;

static use used(const trine_view *out, const double *y, const double *value, const double *bound)
{
    use u = {0.0, 0.0, 0};
    int64_t count = element_count(out);
    double square = 0.0, bounds = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (bound[i] > 0.0) u.largest = fmax(u.largest, fabs(y[i] - value[i]) / bound[i]);
        u.outside += !trine_within(y[i], value[i], bound[i], out->dtype);
        square += value[i] * value[i];
        bounds += bound[i];
    }
    u.relative = bounds / (double)count / sqrt(square / (double)count);
    return u;
}

/* Kernels of each class stay within both bounds, for smooth random data. */
Test(reference_scaled_mm, kernels_stay_within_their_bound)
{
    struct {
        kernel_sum sum;
        trine_accumulation accumulation;
        trine_dtype dtype;
        double useful; /* the typical bound is not wider than this, over the results' deviation */
    } kinds[] = {
        {SUM_SHUFFLED, TRINE_ACCUMULATE_F32, TRINE_E4M3FN, 0.01},
        {SUM_TRUNCATED, TRINE_ACCUMULATE_F32, TRINE_E4M3FNUZ, 0.01},
        {SUM_HOPPER, TRINE_ACCUMULATE_HOPPER_FP8, TRINE_E4M3FN, 0.01},
        {SUM_HOPPER, TRINE_ACCUMULATE_HOPPER_FP8, TRINE_E5M2, 0.01},
        {SUM_INT, TRINE_ACCUMULATE_INT, TRINE_I8, 0.01},
    };
    for (int kind = 0; kind < 5; kind++)
        for (int variant = 0; variant < 18; variant++) {
            rng r = {(uint64_t)(100 * kind + variant)};
            mm_case c = {kinds[kind].dtype,
                         outs[variant % 3],
                         4,
                         40,
                         variant < 9 ? 300 : 1000,
                         16,
                         128,
                         PER_BLOCK,
                         PER_BLOCK,
                         variant / 3 % 3,
                         (trine_bias_rounding)(variant % 2),
                         0};
            trine_scaled_mm_problem p = mm_problem(&c, &r);
            double *y = doubles(160), *value = doubles(160), *bound = doubles(160);
            kernel k = {.sum = kinds[kind].sum, .dropped_block = -1, .random = r};
            kernel_scaled_mm(&k, &p, y);
            trine_reference_scaled_mm(&p);
            for (int typical = 0; typical < 2; typical++) {
                trine_bound_options options = {sizeof options, kinds[kind].accumulation, 0,
                                               typical};
                trine_bound_scaled_mm(&p, &options, value, bound);
                use u = used(&p.out, y, value, bound);
                cr_assert_eq(u.outside, 0, "kind %d variant %d typical %d: use %g", kind, variant,
                             typical, u.largest);
                cr_assert_gt(u.largest, 0.0);
                if (typical && c.out == TRINE_BF16)
                    cr_assert_lt(u.relative, kinds[kind].useful, "kind %d: %g", kind, u.relative);
                for (int64_t i = 0; i < 160; i++) y[i] = get(&p.out, i);
                cr_assert_eq(used(&p.out, y, value, bound).outside, 0,
                             "the reference's own result");
            }
            /* A block left out does not pass for one of them. */
            k.dropped_block = 1;
            kernel_scaled_mm(&k, &p, y);
            cr_assert_gt(used(&p.out, y, value, bound).outside, 80, "kind %d variant %d", kind,
                         variant);
            pool_clear();
        }
}

/* Small integers and power-of-two scales: every kernel has the reference's bits, and a block left
 * out, or another scale row, is seen. */
Test(reference_scaled_mm, exact_data)
{
    kernel_sum sums[] = {SUM_SHUFFLED, SUM_TRUNCATED, SUM_HOPPER, SUM_INT};
    for (int variant = 0; variant < 24; variant++) {
        rng r = {(uint64_t)variant};
        mm_case c = {operands[variant % 4],
                     outs[variant / 4 % 3],
                     5,
                     33,
                     290,
                     16,
                     128,
                     PER_BLOCK,
                     PER_BLOCK,
                     1,
                     TRINE_BIAS_BEFORE,
                     0};
        trine_scaled_mm_problem p = mm_problem(&c, &r);
        fill_integers(&r, &p.a, -1, 1);
        fill_integers(&r, &p.b, -1, 1);
        fill_integers(&r, &p.bias, -8, 8);
        for (int64_t i = 0; i < element_count(&p.a_scale); i++)
            set(&p.a_scale, i, ldexp(1.0, (int)rng_below(&r, 2)));
        for (int64_t i = 0; i < element_count(&p.b_scale); i++) set(&p.b_scale, i, 0.5);
        double *y = doubles(165);
        trine_reference_scaled_mm(&p);
        for (int s = 0; s < 4; s++)
            for (int64_t dropped = -1; dropped < 3; dropped++) {
                kernel k = {.sum = sums[s], .dropped_block = dropped, .random = r};
                kernel_scaled_mm(&k, &p, y);
                int64_t differing = 0;
                for (int64_t i = 0; i < 165; i++) differing += y[i] != get(&p.out, i);
                if (dropped < 0)
                    cr_assert_eq(differing, 0, "variant %d sum %d", variant, s);
                else
                    cr_assert_gt(differing, 100, "variant %d sum %d", variant, s);
            }
        pool_clear();
    }
}

/* ---------------------------------------------------------------- block_scaled_linear */

static trine_block_scaled_linear_problem linear_problem(trine_dtype x, trine_dtype w, int64_t m,
                                                        int64_t n, int64_t k, rng *r)
{
    trine_block_scaled_linear_problem p = {.m = m,
                                           .n = n,
                                           .k = k,
                                           .aligned_m = up_div(m, 4) * 4,
                                           .blocks = up_div(k, 128),
                                           .bias_rounding = TRINE_BIAS_AFTER};
    p.x = tensor(x, 2, (int64_t[]){m, k}, 2);
    p.w = tensor2(w, n, k);
    p.w_scale = tensor(TRINE_F32, 2, (int64_t[]){up_div(n, 128), p.blocks}, 1);
    p.bias = tensor1(x, n);
    p.out = tensor(x, 2, (int64_t[]){m, n}, 1);
    fill_normal(r, &p.x, 1.0);
    fill_normal(r, &p.w, 100.0);
    fill_uniform(r, &p.w_scale, 0.0002, 0.0006);
    fill_normal(r, &p.bias, 0.2);
    p.scale_offset = (size_t)(p.aligned_m * k + 255) / 256 * 256;
    p.workspace_size = p.scale_offset + (size_t)(4 * p.aligned_m * p.blocks);
    return p;
}

/* The scaled_mm that is left when x is quantized by hand. */
static trine_scaled_mm_problem by_hand(const trine_block_scaled_linear_problem *p)
{
    trine_scaled_mm_problem mm = {.b = p->w,
                                  .b_scale = p->w_scale,
                                  .bias = p->bias,
                                  .out = p->out,
                                  .m = p->m,
                                  .n = p->n,
                                  .k = p->k,
                                  .block_n = 128,
                                  .block_k = 128,
                                  .blocks = p->blocks,
                                  .a_scale_row = p->blocks,
                                  .a_scale_block = 1,
                                  .b_scale_row = p->w_scale.stride[0],
                                  .b_scale_block = p->w_scale.stride[1],
                                  .b_scale_rows_per = 128};
    mm.a = tensor2(p->w.dtype, p->m, p->k);
    mm.a_scale = tensor2(TRINE_F32, p->m, p->blocks);
    for (int64_t i = 0; i < p->m * p->blocks; i++) {
        int64_t begin = i % p->blocks * 128, row = i / p->blocks * p->k;
        int64_t end = begin + 128 < p->k ? begin + 128 : p->k;
        double amax = (double)1e-10f, q_max = q_max_of(p->w.dtype);
        for (int64_t k = begin; k < end; k++)
            if (isfinite(get(&p->x, row + k))) amax = fmax(amax, fabs(get(&p->x, row + k)));
        double s = (double)round_to(TRINE_F32, (long double)amax / q_max);
        set(&mm.a_scale, i, s);
        for (int64_t k = begin; k < end; k++) {
            double q = (double)round_to(TRINE_F32, (long double)get(&p->x, row + k) / s);
            set(&mm.a, row + k, fmin(fmax(q, -q_max), q_max));
        }
    }
    return mm;
}

Test(reference_scaled_mm, block_scaled_linear)
{
    int64_t sizes[][3] = {{1, 130, 128}, {6, 17, 200}, {4, 128, 384}, {3, 9, 5}};
    for (int i = 0; i < 16; i++) {
        rng r = {(uint64_t)i + 70};
        int64_t *size = sizes[i % 4];
        trine_block_scaled_linear_problem p =
            linear_problem(i / 4 % 2 ? TRINE_F16 : TRINE_BF16,
                           i / 8 ? TRINE_E4M3FN : TRINE_E4M3FNUZ, size[0], size[1], size[2], &r);
        /* A row of zeros, and an infinity that saturates. */
        for (int64_t k = 0; k < p.k; k++) set(&p.x, (p.m - 1) * p.k + k, 0.0);
        set(&p.x, 1, i % 2 ? INFINITY : 1.0);
        uint8_t *workspace = pool_alloc(p.workspace_size);
        memset(workspace, 0xff, p.workspace_size);
        trine_scaled_mm_problem mm = by_hand(&p);
        double *expected = doubles(p.m * p.n), *value = doubles(p.m * p.n),
               *bound = doubles(p.m * p.n);
        kernel exact = {.sum = SUM_EXACT, .dropped_block = -1};
        kernel_scaled_mm(&exact, &mm, expected);
        trine_reference_block_scaled_linear(&p, workspace);
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_HOPPER_FP8, 0, true};
        cr_assert_eq(trine_bound_block_scaled_linear(&p, &options, value, bound), TRINE_OK);
        for (int64_t e = 0; e < p.m * p.n; e++) {
            cr_assert_eq(get(&p.out, e), expected[e], "case %d element %d", i, (int)e);
            cr_assert(trine_within(expected[e], value[e], bound[e], p.out.dtype));
        }
        kernel hopper = {.sum = SUM_HOPPER, .dropped_block = -1, .random = r};
        kernel_scaled_mm(&hopper, &mm, expected);
        cr_assert_eq(used(&p.out, expected, value, bound).outside, 0);
        /* Padding rows of codes and scales are zero. */
        const float *scale = (const float *)(workspace + p.scale_offset);
        for (int64_t m = p.m; m < p.aligned_m; m++) {
            for (int64_t k = 0; k < p.k; k++) cr_assert_eq(workspace[m * p.k + k], 0);
            for (int64_t b = 0; b < p.blocks; b++) cr_assert_eq(scale[b * p.aligned_m + m], 0.0f);
        }
        pool_clear();
    }
}
