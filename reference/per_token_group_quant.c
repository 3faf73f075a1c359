// SPDX-License-Identifier: Apache-2.0
// per_token_group_quant: a scale for each row and group of columns, then the codes.
#include "numerics/fp_env.h"
#include "numerics/group_scale.h"
#include "reference/activation.h"
#include "reference/reference.h"

/* What is quantized at (e, m, k): x, or the activation's result rounded to x's dtype. */
static float input_of(const trine_per_token_group_quant_problem *p, int64_t e, int64_t m, int64_t k)
{
    float x = trine_load(&p->x, trine_at3(&p->x, e, m, k));
    if (p->activation == TRINE_ACTIVATION_NONE) return x;
    trine_activation_rule rule = {p->activation, true, 0.0f, 0.0f, p->intermediate_rounding,
                                  p->x.dtype};
    float up = trine_load(&p->x, trine_at3(&p->x, e, m, p->columns + k));
    return trine_round_to(p->x.dtype, trine_activate(&rule, x, up));
}

/* The largest finite |x| of group j, at least eps. */
static float amax_of(const trine_per_token_group_quant_problem *p, int64_t e, int64_t m, int64_t j)
{
    float amax = p->eps;
    for (int64_t i = 0; i < p->group_size; i++) {
        float a = trine_finite_abs(input_of(p, e, m, j * p->group_size + i));
        if (a > amax) amax = a;
    }
    return amax;
}

static bool is_ue8m0(const trine_per_token_group_quant_problem *p)
{
    return p->packed || p->format == TRINE_SCALE_UE8M0;
}

static float scale_of(const trine_per_token_group_quant_problem *p, float amax)
{
    float s = p->arithmetic == TRINE_ARITHMETIC_RECIPROCAL
                  ? trine_group_scale_reciprocal(amax, p->q_max)
                  : trine_group_scale_divide(amax, p->q_max);
    return is_ue8m0(p) ? trine_group_scale_ue8m0(s, p->ue8m0_floor) : s;
}

static uint8_t code_of(const trine_per_token_group_quant_problem *p, float x, float amax, float s)
{
    float q = p->arithmetic == TRINE_ARITHMETIC_RECIPROCAL && !is_ue8m0(p)
                  ? x * trine_group_factor(amax, p->q_max)
                  : trine_group_quotient(x, s);
    q = trine_group_clamp(q, p->q_max);
    if (p->q.dtype == TRINE_E4M3FN) return trine_f32_to_e4m3fn(q);
    if (p->q.dtype == TRINE_E4M3FNUZ) return trine_f32_to_e4m3fnuz(q);
    return (uint8_t)(p->int_rounding == TRINE_INT_TRUNCATE ? trine_f32_to_i8_truncate(q)
                                                           : trine_f32_to_i8_nearest(q));
}

static void quantize_row(const trine_per_token_group_quant_problem *p, int64_t e, int64_t m)
{
    int64_t base = e * p->scale_expert_stride + m * p->scale_row_stride;
    uint32_t word = 0;
    for (int64_t j = 0; j < p->groups; j++) {
        float amax = amax_of(p, e, m, j);
        float s = scale_of(p, amax);
        for (int64_t i = j * p->group_size; i < (j + 1) * p->group_size; i++)
            trine_store_u8(&p->q, trine_at3(&p->q, e, m, i),
                           code_of(p, input_of(p, e, m, i), amax, s));
        if (!p->packed) {
            trine_store_f32(&p->scale, base + j * p->scale_column_stride, s);
            continue;
        }
        /* Four bytes a word; the unused bytes of the last word stay 0. */
        word |= (uint32_t)trine_f32_to_ue8m0(s) << (8 * (j % 4));
        if (j % 4 == 3 || j == p->groups - 1) {
            trine_store_i32(&p->scale, base + j / 4 * p->scale_column_stride, (int32_t)word);
            word = 0;
        }
    }
}

/* masked_m[e] may be any number: it bounds the row, which is in [0,M) already. */
static bool is_used(const trine_per_token_group_quant_problem *p, int64_t e, int64_t m)
{
    return p->masked_m.rank < 0 || m < trine_load_i32(&p->masked_m, trine_at1(&p->masked_m, e));
}

static void zero_padding(const trine_per_token_group_quant_problem *p, int64_t e)
{
    for (int64_t m = p->rows; m < p->q_rows; m++)
        for (int64_t k = 0; k < p->columns; k++)
            trine_store_u8(&p->q, trine_at3(&p->q, e, m, k), 0);
    if (!p->scale_has_tail) return;
    for (int64_t c = 0; c < p->scale_columns; c++) {
        /* The last column ends where the tensor ends. */
        int64_t tail = c == p->scale_columns - 1 ? p->scale_rows : p->aligned_rows;
        for (int64_t m = p->rows; m < tail; m++)
            trine_store_i32(&p->scale,
                            e * p->scale_expert_stride + m * p->scale_row_stride +
                                c * p->scale_column_stride,
                            0);
    }
}

void trine_reference_per_token_group_quant(const trine_per_token_group_quant_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2) nowait
        for (int64_t e = 0; e < p->experts; e++)
            for (int64_t m = 0; m < p->rows; m++)
                if (is_used(p, e, m)) quantize_row(p, e, m);
        /* The masked form writes no row past masked_m[e], so it has no padding to zero. */
        if (p->masked_m.rank < 0) {
#pragma omp for
            for (int64_t e = 0; e < p->experts; e++) zero_padding(p, e);
        }
        trine_fp_leave(env);
    }
}
