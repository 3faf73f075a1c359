// SPDX-License-Identifier: Apache-2.0
/* Fast rows of the matrix ops: the same bits at every vector level and thread count, and within
 * the bound of their class. */
#include "tests/host/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define FLOATS                                                                                     \
    (TRINE_DTYPE_BIT(TRINE_BF16) | TRINE_DTYPE_BIT(TRINE_F16) | TRINE_DTYPE_BIT(TRINE_F32))
#define CODES                                                                                      \
    (TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ) | TRINE_DTYPE_BIT(TRINE_E5M2))
#define E4M3 (TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ))

/* Around tiles (6, 12 and 32 rows), lanes (16) and slabs (512). */
static int64_t random_size(rng *r, int64_t largest)
{
    static const int64_t near[] = {1, 4, 6, 12, 16, 32, 64, 128, 512};
    int64_t n =
        random_bool(r) ? random_int(r, 1, 70) : near[random_bits(r) % 9] + random_int(r, -1, 2);
    return n < 1 ? 1 : n > largest ? largest : n;
}

static double largest_of(trine_dtype dtype)
{
    return dtype == TRINE_F16 ? 65504.0 : dtype == TRINE_BF16 ? 0x1.fep127 : (double)FLT_MAX;
}

/* Returns the elements compared. */
static int64_t compare(call *c, const DLTensor *out, const char *rows, trine_accumulation class,
                       int number)
{
    char where[160];
    trine_host_level best = trine_host_set_level(TRINE_HOST_AVX512);
    result first = call_run(c, rows, TRINE_HOST_BASELINE, 1);
    for (int level = 0; level <= (int)best; level++) {
        for (int threads = 1; threads <= 3; threads++) {
            result got = call_run(c, rows, (trine_host_level)level, threads);
            cr_assert(same_result(c, &first, &got, where, sizeof where),
                      "case %d, %s, %d threads: %s", number,
                      trine_host_level_name((trine_host_level)level), threads, where);
            result_free(&got);
        }
    }
    int64_t count;
    double *y = result_values(c, &first, out, &count);
    double *v = malloc((size_t)(count + 1) * sizeof *v),
           *b = malloc((size_t)(count + 1) * sizeof *b);
    trine_bound_options options = {sizeof options, class, TRINE_COMBINE_CLASS_F32, false};
    for (int i = 0; i < c->count; i++) memcpy(c->memory[i], c->initial[i], c->size[i]);
    cr_assert_eq(trine_op_bound(context_by(REFERENCE), c->op, &c->args, &options, v, b), TRINE_OK,
                 "%s", trine_last_error());
    double limit = largest_of(trine_dtype_from_dl(out->dtype));
    for (int64_t i = 0; i < count; i++) {
        bool overflow = isinf(y[i]) && fabs(v[i]) + b[i] > limit && (y[i] > 0) == (v[i] > 0);
        cr_assert(fabs(y[i] - v[i]) <= b[i] || overflow || (isnan(y[i]) && isnan(v[i])) ||
                      y[i] == v[i],
                  "case %d, element %lld: %.9g, must be %.9g +- %.3g", number, (long long)i, y[i],
                  v[i], b[i]);
    }
    free(v);
    free(b);
    free(y);
    result_free(&first);
    return count;
}

static const DLTensor *add_bias(call *c, rng *r, trine_dtype dtype, int64_t n)
{
    if (random_bool(r)) return NULL;
    return TENSOR(c, r, random_bool(r) ? dtype : TRINE_F32, FILL_REAL, n);
}

static int64_t mm_case(int number, bool i8)
{
    rng r = {(uint64_t)number * 7919u + (i8 ? 5u : 3u)};
    call c;
    call_begin(&c, TRINE_OP_SCALED_MM);
    trine_scaled_mm_args *a = &c.args.mm;
    trine_dtype code = i8 ? TRINE_I8 : random_dtype(&r, CODES), out = random_dtype(&r, FLOATS);
    int64_t m = random_size(&r, 40), n = random_size(&r, 70),
            k = random_int(&r, 0, 9) ? random_size(&r, 1100) : random_int(&r, 1000, 2100);
    static const int32_t blocks[] = {128, 128, 64, 32, 48, 20, 512};
    a->block_k = blocks[random_bits(&r) % 7];
    a->block_n = blocks[random_bits(&r) % 7];
    a->a = TENSOR(&c, &r, code, FILL_CODE, m, k);
    a->b = TENSOR(&c, &r, code, FILL_CODE, n, k);
    int64_t kb = (k + a->block_k - 1) / a->block_k, nb = (n + a->block_n - 1) / a->block_n;
    switch (random_int(&r, 0, 2)) {
    case 0:
        a->a_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, m, kb);
        a->b_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, nb, kb);
        break;
    case 1:
        a->a_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, m, 1);
        a->b_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, n, 1);
        break;
    default:
        a->a_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, 1);
        a->b_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, 1);
        break;
    }
    a->bias = add_bias(&c, &r, out, n);
    a->bias_rounding = (int32_t)random_int(&r, 0, 1);
    a->out = TENSOR(&c, &r, out, FILL_OUT, m, n);
    int64_t compared = compare(&c, a->out, i8 ? FAST_I8 : FAST,
                               i8 ? TRINE_ACCUMULATE_INT : TRINE_ACCUMULATE_F32, number);
    call_end(&c);
    return compared;
}

static int64_t linear_case(int number)
{
    rng r = {(uint64_t)number * 104729u + 11u};
    call c;
    call_begin(&c, TRINE_OP_BLOCK_SCALED_LINEAR);
    trine_block_scaled_linear_args *a = &c.args.linear;
    trine_dtype x = random_bool(&r) ? TRINE_BF16 : TRINE_F16, w = random_dtype(&r, E4M3);
    int64_t m = random_size(&r, 30), n = random_size(&r, 140),
            k = random_int(&r, 0, 2) ? random_size(&r, 600) : random_int(&r, 900, 1300);
    a->x = TENSOR(&c, &r, x, FILL_REAL, m, k);
    a->w = TENSOR(&c, &r, w, FILL_CODE, n, k);
    a->w_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, (n + 127) / 128, (k + 127) / 128);
    a->bias = add_bias(&c, &r, x, n);
    a->bias_rounding = (int32_t)random_int(&r, 0, 1);
    a->out = TENSOR(&c, &r, x, FILL_OUT, m, n);
    int64_t compared = compare(&c, a->out, FAST, TRINE_ACCUMULATE_F32, number);
    call_end(&c);
    return compared;
}

/* Weights and their scales of one product [E,n,k]; n even for packed zeros. */
static void add_weights(call *c, rng *r, trine_fused_moe_args *a, trine_dtype x, trine_dtype w,
                        int64_t e, int64_t n, int64_t k, const DLTensor **weight,
                        const DLTensor **scale, const DLTensor **zero)
{
    bool int4 = a->quantization == TRINE_MOE_INT4_W4A16;
    *weight = TENSOR(c, r, w, w == x ? FILL_REAL : FILL_CODE, e, n, int4 ? k / 2 : k);
    trine_dtype group_scale = random_bool(r) ? x : TRINE_F32;
    switch (a->quantization) {
    case TRINE_MOE_NONE:
        return;
    case TRINE_MOE_FP8_TENSOR:
        *scale = TENSOR(c, r, TRINE_F32, FILL_SCALE, e);
        return;
    case TRINE_MOE_FP8_BLOCK:
    case TRINE_MOE_INT8_BLOCK:
        *scale = TENSOR(c, r, TRINE_F32, FILL_SCALE, e, (n + a->block_n - 1) / a->block_n,
                        (k + a->block_k - 1) / a->block_k);
        return;
    case TRINE_MOE_INT8_W8A16:
    case TRINE_MOE_INT4_W4A16:
        if (a->group_size == 0) {
            *scale = TENSOR(c, r, TRINE_F32, FILL_SCALE, e, n);
            return;
        }
        *scale = TENSOR(c, r, group_scale, FILL_SCALE, e, n, k / a->group_size);
        if (random_bool(r))
            *zero = TENSOR(c, r, TRINE_U8, FILL_BYTE, e, int4 ? n / 2 : n, k / a->group_size);
        return;
    default:
        *scale = TENSOR(c, r, TRINE_F32, FILL_SCALE, e, n);
        return;
    }
}

static int64_t moe_case(int number)
{
    rng r = {(uint64_t)number * 15485863u + 29u};
    call c;
    call_begin(&c, TRINE_OP_FUSED_MOE);
    trine_fused_moe_args *a = &c.args.moe;
    trine_dtype x = random_dtype(&r, FLOATS), w = x;
    a->quantization = number % 8;
    bool i8 = a->quantization == TRINE_MOE_INT8_CHANNEL || a->quantization == TRINE_MOE_INT8_BLOCK;
    static const int32_t blocks[] = {128, 64, 32, 48};
    a->block_n = blocks[random_bits(&r) % 4];
    a->block_k = blocks[random_bits(&r) % 4];
    if (a->quantization == TRINE_MOE_INT4_W4A16 ||
        (a->quantization == TRINE_MOE_INT8_W8A16 && random_bool(&r)))
        a->group_size = random_bool(&r) ? 32 : 16;
    switch (a->quantization) {
    case TRINE_MOE_NONE:
        break;
    case TRINE_MOE_INT8_W8A16:
        w = a->group_size ? TRINE_U8 : TRINE_I8;
        break;
    case TRINE_MOE_INT4_W4A16:
        w = TRINE_U8;
        break;
    default:
        w = i8 ? TRINE_I8 : random_dtype(&r, E4M3);
        break;
    }
    int64_t unit = a->group_size ? a->group_size : 2;
    int64_t m = random_int(&r, 1, 40), e = random_int(&r, 1, 6), k = random_int(&r, 1, 4);
    int64_t hidden = unit * random_int(&r, 1, 160 / unit),
            inner = unit * random_int(&r, 1, 100 / unit);
    a->gated = random_bits(&r) % 4 != 0;
    a->activation = (int32_t)random_int(
        &r, TRINE_ACTIVATION_SILU, a->gated ? TRINE_ACTIVATION_SWIGLU_OAI : TRINE_ACTIVATION_RELU2);
    a->gate_layout = (int32_t)random_int(&r, 0, 1);
    a->intermediate_rounding = (int32_t)random_int(&r, 0, 1);
    a->combine = (int32_t)random_int(&r, TRINE_COMBINE_AUTO, TRINE_COMBINE_NONE);
    a->router_weight_on_input = (int32_t)random_int(&r, 0, 1);
    if (random_bool(&r)) a->routed_scaling_factor = 2.5f;
    if (random_bool(&r)) a->limit = 2.0f;
    if (a->combine != TRINE_COMBINE_NONE) a->accumulate = (int32_t)random_int(&r, 0, 1);
    int64_t n1 = a->gated ? 2 * inner : inner;
    a->x = TENSOR(&c, &r, x, FILL_REAL, m, hidden);
    add_weights(&c, &r, a, x, w, e, n1, hidden, &a->w1, &a->w1_scale, &a->w1_zero);
    add_weights(&c, &r, a, x, w, e, hidden, inner, &a->w2, &a->w2_scale, &a->w2_zero);
    a->topk_weights = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, m, k);
    DLTensor *ids = PACKED(&c, &r, TRINE_I32, FILL_BYTE, m, k);
    int64_t global = random_bool(&r) ? e : e + 3;
    for (int64_t i = 0; i < m * k; i++) /* ids outside are legal */
        ((int32_t *)ids->data)[i] = (int32_t)random_int(&r, random_bool(&r) ? 0 : -1, global);
    memcpy(c.initial[c.count - 1], c.memory[c.count - 1], c.size[c.count - 1]);
    a->topk_ids = ids;
    if (global != e) {
        DLTensor *map = PACKED(&c, &r, TRINE_I32, FILL_BYTE, global);
        for (int64_t i = 0; i < global; i++)
            ((int32_t *)map->data)[i] = (int32_t)random_int(&r, -1, e - 1);
        memcpy(c.initial[c.count - 1], c.memory[c.count - 1], c.size[c.count - 1]);
        a->expert_map = map;
    }
    if (a->quantization == TRINE_MOE_FP8_TENSOR && random_bool(&r)) {
        a->a1_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, 1);
        a->a2_scale = TENSOR(&c, &r, TRINE_F32, FILL_SCALE, 1);
    }
    if (random_bool(&r)) a->b1 = TENSOR(&c, &r, random_bool(&r) ? x : TRINE_F32, FILL_REAL, e, n1);
    if (random_bool(&r))
        a->b2 = TENSOR(&c, &r, random_bool(&r) ? x : TRINE_F32, FILL_REAL, e, hidden);
    trine_dtype out = a->combine == TRINE_COMBINE_ATOMIC || random_bool(&r) ? x : TRINE_F32;
    filling fill = a->accumulate ? FILL_REAL : FILL_OUT;
    a->out = a->combine == TRINE_COMBINE_NONE ? TENSOR(&c, &r, out, fill, m, k, hidden)
                                              : TENSOR(&c, &r, out, fill, m, hidden);
    c.out[c.count - 1] = true;
    int64_t compared =
        compare(&c, a->out, i8 && number % 16 < 8 ? FAST_I8 : FAST,
                i8 && number % 16 < 8 ? TRINE_ACCUMULATE_INT : TRINE_ACCUMULATE_F32, number);
    call_end(&c);
    return compared;
}

Test(bounded_rows, scaled_mm)
{
    int64_t compared = 0;
    for (int i = 0; i < 60; i++) compared += mm_case(i, false);
    cr_assert_gt(compared, 0);
    contexts_end();
}

Test(bounded_rows, scaled_mm_i8)
{
    int64_t compared = 0;
    for (int i = 0; i < 40; i++) compared += mm_case(i, true);
    cr_assert_gt(compared, 0);
    contexts_end();
}

Test(bounded_rows, block_scaled_linear)
{
    int64_t compared = 0;
    for (int i = 0; i < 40; i++) compared += linear_case(i);
    cr_assert_gt(compared, 0);
    contexts_end();
}

Test(bounded_rows, fused_moe)
{
    int64_t compared = 0;
    for (int i = 0; i < 160; i++) compared += moe_case(i);
    cr_assert_gt(compared, 0);
    contexts_end();
}
