// SPDX-License-Identifier: Apache-2.0
// fused_moe, step by step. Sums are in double; every rounding that the contract names is made.
#include "reference/fused_moe.h"
#include "numerics/fp_env.h"
#include "reference/reference.h"
#include "reference/round.h"

static bool on_this_rank(const trine_fused_moe_problem *p, int64_t slot)
{
    return trine_moe_slot_at(p, slot).expert >= 0;
}

/* The largest finite |x| of columns [begin, end) of a row, at least `floor`. */
static float row_amax(const trine_view *x, int64_t row, int64_t begin, int64_t end, float floor)
{
    float amax = floor;
    for (int64_t k = begin; k < end; k++) {
        float a = trine_finite_abs(trine_load(x, trine_at2(x, row, k)));
        if (a > amax) amax = a;
    }
    return amax;
}

/* Quantizes row `row` of x into g's a; the scale of a whole tensor is already there. */
static void quantize_row(const trine_moe_gemm *g, const trine_view *x, int64_t row)
{
    float q_max = trine_default_q_max(g->a.dtype);
    for (int64_t block = 0; block < g->blocks; block++) {
        int64_t begin = block * g->block_length, end = trine_moe_block_end(g, block);
        int64_t at = trine_at2(&g->a_scale, row, block);
        if (g->p->quantization != TRINE_MOE_FP8_TENSOR) {
            float amax = row_amax(x, row, begin, end, TRINE_DEFAULT_EPS);
            trine_store_f32(&g->a_scale, at, trine_group_scale_divide(amax, q_max));
        }
        float s = trine_load_f32(&g->a_scale, at);
        for (int64_t k = begin; k < end; k++) {
            float value = trine_load(x, trine_at2(x, row, k));
            trine_store_u8(&g->a, trine_at2(&g->a, row, k),
                           trine_quantize_code(g->a.dtype, value, s));
        }
    }
}

/* Quantizes x, whose rows are tokens (GEMM 1) or slots (GEMM 2; others' slots are skipped). */
static void quantize(const trine_moe_gemm *g, const trine_view *x, bool rows_are_slots,
                     const trine_view *given_scale)
{
    const trine_fused_moe_problem *p = g->p;
    int64_t rows = g->a.shape[0];
    if (p->quantization == TRINE_MOE_FP8_TENSOR && given_scale->rank < 0) {
        trine_fp_env env = trine_fp_enter();
        float amax = TRINE_DEFAULT_EPS;
        for (int64_t row = 0; row < rows; row++)
            if (!rows_are_slots || on_this_rank(p, row)) amax = row_amax(x, row, 0, g->k, amax);
        trine_store_f32(&g->a_scale, 0,
                        trine_group_scale_divide(amax, trine_default_q_max(g->a.dtype)));
        trine_fp_leave(env);
    }
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t row = 0; row < rows; row++)
            if (!rows_are_slots || on_this_rank(p, row)) quantize_row(g, x, row);
        trine_fp_leave(env);
    }
}

/* GEMM 1's result, then in its first I columns the activation's. */
static trine_view intermediate(const trine_fused_moe_problem *p, void *workspace)
{
    trine_view h = {
        (char *)workspace + p->workspace.h, TRINE_F32, 2, {p->slots, p->n1}, {p->n1, 1}};
    return h;
}

void trine_moe_quantize_1(const trine_fused_moe_problem *p, void *workspace)
{
    if (!trine_moe_quantizes(p)) return;
    trine_moe_gemm g = trine_moe_gemm_1(p, workspace);
    quantize(&g, &p->x, false, &p->a1_scale);
}

void trine_moe_multiply_1(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_gemm g = trine_moe_gemm_1(p, workspace);
    trine_view h = intermediate(p, workspace);
    trine_dtype dtype = p->intermediate_rounding == TRINE_ROUND_EACH ? p->x.dtype : TRINE_F32;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t slot = 0; slot < p->slots; slot++) {
            for (int64_t n = 0; n < p->n1; n++) {
                trine_moe_slot s = trine_moe_slot_at(p, slot);
                if (s.expert < 0) continue;
                double value = trine_moe_sums(&g, s.token, s.expert, n).value +
                               trine_moe_bias(&g, s.expert, n);
                if (p->router_weight_on_input) value *= s.weight;
                trine_store_f32(&h, trine_at2(&h, slot, n), (float)trine_round_f64(dtype, value));
            }
        }
        trine_fp_leave(env);
    }
}

void trine_moe_activate(const trine_fused_moe_problem *p, void *workspace)
{
    trine_activation_rule rule = trine_moe_activation_rule(p);
    trine_view h = intermediate(p, workspace);
    bool each = p->intermediate_rounding == TRINE_ROUND_EACH;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t slot = 0; slot < p->slots; slot++) {
            if (!on_this_rank(p, slot)) continue;
            /* In place: column i is read before it is written, and none to its left is read again.
             */
            for (int64_t i = 0; i < p->intermediate; i++) {
                float gate = trine_load_f32(&h, trine_at2(&h, slot, trine_moe_gate_column(p, i)));
                float up = 0.0f;
                if (p->gated)
                    up = trine_load_f32(&h, trine_at2(&h, slot, trine_moe_up_column(p, i)));
                float value = trine_activate(&rule, gate, up);
                if (each) value = trine_round_to(p->x.dtype, value);
                trine_store_f32(&h, trine_at2(&h, slot, i), value);
            }
        }
        trine_fp_leave(env);
    }
}

void trine_moe_quantize_2(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, workspace);
    trine_view h = intermediate(p, workspace);
    if (trine_moe_quantizes(p)) {
        quantize(&g, &h, true, &p->a2_scale);
        return;
    }
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t slot = 0; slot < p->slots; slot++) {
            if (!on_this_rank(p, slot)) continue;
            for (int64_t i = 0; i < p->intermediate; i++)
                trine_store(&g.a, trine_at2(&g.a, slot, i),
                            trine_load_f32(&h, trine_at2(&h, slot, i)));
        }
        trine_fp_leave(env);
    }
}

/* The contribution of a slot to column n of its token, before any sum. */
static double contribution(const trine_moe_gemm *g, int64_t slot, const trine_moe_slot *s,
                           int64_t n)
{
    const trine_fused_moe_problem *p = g->p;
    double c = trine_moe_sums(g, slot, s->expert, n).value + trine_moe_bias(g, s->expert, n);
    if (!p->router_weight_on_input) c *= s->weight;
    return p->intermediate_rounding == TRINE_ROUND_EACH ? trine_round_f64(p->x.dtype, c) : c;
}

static void combine(const trine_moe_gemm *g, int64_t token, int64_t n)
{
    const trine_fused_moe_problem *p = g->p;
    double sum = 0.0;
    for (int64_t j = 0; j < p->k; j++) {
        int64_t slot = token * p->k + j;
        trine_moe_slot s = trine_moe_slot_at(p, slot);
        double c = s.expert >= 0 ? contribution(g, slot, &s, n) : 0.0;
        if (p->combine == TRINE_COMBINE_NONE)
            trine_store_f64(&p->out, trine_at3(&p->out, token, j, n), c);
        else if (s.expert >= 0)
            sum += c;
    }
    if (p->combine == TRINE_COMBINE_NONE) return;
    int64_t at = trine_at2(&p->out, token, n);
    sum *= p->routed_scaling_factor;
    if (p->accumulate) sum += trine_load(&p->out, at);
    trine_store_f64(&p->out, at, sum);
}

void trine_moe_stage_1(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_quantize_1(p, workspace);
    trine_moe_multiply_1(p, workspace);
    trine_moe_activate(p, workspace);
    trine_moe_quantize_2(p, workspace);
}

void trine_moe_stage_2(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, workspace);
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t token = 0; token < p->tokens; token++)
            for (int64_t n = 0; n < p->hidden; n++) combine(&g, token, n);
        trine_fp_leave(env);
    }
}

void trine_reference_fused_moe(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_stage_1(p, workspace);
    trine_moe_stage_2(p, workspace);
}
