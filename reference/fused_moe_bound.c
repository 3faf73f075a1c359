// SPDX-License-Identifier: Apache-2.0
/*
 * fused_moe's bound: intervals carried through the op's steps. GEMM 1 gives [v - E, v + E]; every
 * later step maps an interval to one that holds the image of each of its points under the step's
 * f32 arithmetic. Additions, products and roundings are monotone in each operand, so the ends'
 * images do; the activations are not, and take their one extremum in.
 */
#include "reference/fused_moe_bound.h"

#include <float.h>
#include <stdlib.h>

#include "numerics/fp_env.h"
#include "reference/reference.h"

/* After an f32 operation that a kernel rounds and the reference doesn't: both are held. */
static trine_interval f32_step(trine_interval y)
{
    return trine_join(y, trine_rounded(TRINE_F32, y));
}

/* Bias and router weight. */
static trine_interval epilogue(trine_interval y, const trine_moe_gemm *g, int64_t expert, int64_t n,
                               bool weighted, float weight)
{
    if (g->bias->rank >= 0) y = f32_step(trine_sum(y, trine_point(trine_moe_bias(g, expert, n))));
    return weighted ? f32_step(trine_scaled(y, weight)) : y;
}

/* ---------------------------------------------------------------- GEMM 1 and activation */

static trine_interval gemm_1(const trine_moe_gemm *g, const trine_bound_options *options,
                             const trine_moe_slot *s, int64_t n)
{
    const trine_fused_moe_problem *p = g->p;
    trine_gemm_sums sums = trine_moe_sums(g, s->token, s->expert, n);
    trine_interval y = trine_around(sums.value, trine_accumulation_bound(options, &sums));
    y = epilogue(y, g, s->expert, n, p->router_weight_on_input, s->weight);
    bool each = p->intermediate_rounding == TRINE_ROUND_EACH;
    return trine_rounded(each ? p->x.dtype : TRINE_F32, y);
}

/* Where act has its extremum; NaN where it has none: g sigmoid(alpha g) at -1.2784645 / alpha. */
static float extremum(const trine_activation_rule *rule)
{
    switch (rule->activation) {
    case TRINE_ACTIVATION_SILU:
        return -1.2784645f;
    case TRINE_ACTIVATION_GELU_ERF:
        return -0.7517916f;
    case TRINE_ACTIVATION_GELU_TANH:
        return -0.7524614f;
    case TRINE_ACTIVATION_SWIGLU_OAI:
        return -1.2784645f / rule->alpha;
    default:
        return NAN;
    }
}

/*
 * act over [gate], times [up]. 2^-20 |gate| takes in that the f32 functions are monotone only
 * within their own error: 4 ulp of a sigmoid, tanh or erf and the roundings around it.
 */
static trine_interval activate(const trine_activation_rule *rule, trine_interval gate,
                               trine_interval up)
{
    float least = (float)gate.lo, largest = (float)gate.hi, x = extremum(rule);
    trine_interval a =
        trine_hull(trine_activate_gate(rule, least), trine_activate_gate(rule, largest));
    if (least < x && x < largest) a = trine_join(a, trine_point(trine_activate_gate(rule, x)));
    trine_interval limited = {trine_swiglu_oai_limit_gate(least, rule->limit),
                              trine_swiglu_oai_limit_gate(largest, rule->limit)};
    a = trine_widen(a, 0x1p-20 * trine_magnitude(limited));
    if (!rule->gated) return a;
    if (rule->rounding == TRINE_ROUND_EACH) a = trine_rounded(rule->dtype, a);
    trine_interval u = {trine_swiglu_oai_limit_up((float)up.lo, rule->limit),
                        trine_swiglu_oai_limit_up((float)up.hi, rule->limit)};
    if (rule->activation == TRINE_ACTIVATION_SWIGLU_OAI)
        u = trine_rounded(TRINE_F32, trine_sum(u, trine_point(1.0)));
    return trine_rounded(TRINE_F32, trine_product(a, u));
}

/* What is stored or quantized, for one slot: I intervals of f32 or x's values. */
static void activate_row(const trine_fused_moe_problem *p, const trine_interval *g,
                         trine_interval *out)
{
    trine_activation_rule rule = trine_moe_activation_rule(p);
    bool rounded = p->intermediate_rounding == TRINE_ROUND_EACH || !trine_moe_quantizes(p);
    for (int64_t i = 0; i < p->intermediate; i++) {
        trine_interval up = p->gated ? g[trine_moe_up_column(p, i)] : trine_point(0.0);
        trine_interval h = activate(&rule, g[trine_moe_gate_column(p, i)], up);
        out[i] = trine_rounded(rounded ? p->x.dtype : TRINE_F32, h);
    }
}

/* ---------------------------------------------------------------- quantization of A2 */

/* Where the maximum of the finite magnitudes may lie: at least the largest of the smallest ones.
 * Elements that may be infinite count as the largest finite value at the upper end only. */
static trine_interval amax_interval(const trine_interval *h, int64_t count, trine_interval amax)
{
    for (int64_t i = 0; i < count; i++) {
        double least = trine_mignitude(h[i]), largest = trine_magnitude(h[i]);
        if (isfinite(least) && isfinite(largest)) amax.lo = fmax(amax.lo, least);
        if (isfinite(least)) amax.hi = fmax(amax.hi, fmin(largest, FLT_MAX));
    }
    return amax;
}

static trine_interval scale_interval(trine_interval amax, trine_dtype dtype)
{
    float q_max = trine_default_q_max(dtype);
    return (trine_interval){trine_group_scale_divide((float)amax.lo, q_max),
                            trine_group_scale_divide((float)amax.hi, q_max)};
}

/* The value of a code of any dtype that activations are stored in. */
static float code_value(trine_dtype dtype, uint32_t code)
{
    switch (dtype) {
    case TRINE_F32:
        return trine_f32_from_bits(code);
    case TRINE_F16:
        return trine_f16_to_f32((uint16_t)code);
    case TRINE_BF16:
        return trine_bf16_to_f32((uint16_t)code);
    case TRINE_E4M3FN:
        return trine_e4m3fn_to_f32((uint8_t)code);
    case TRINE_E4M3FNUZ:
        return trine_e4m3fnuz_to_f32((uint8_t)code);
    default:
        return (int8_t)code;
    }
}

static double quantized(trine_dtype dtype, double x, double s)
{
    return code_value(dtype, trine_quantize_code(dtype, (float)x, (float)s));
}

/* Values of the codes that x / s may round to: monotone in both, so the corners hold the rest. */
static trine_interval code_interval(trine_dtype dtype, trine_interval x, trine_interval s)
{
    return trine_join(trine_hull(quantized(dtype, x.lo, s.lo), quantized(dtype, x.hi, s.lo)),
                      trine_hull(quantized(dtype, x.lo, s.hi), quantized(dtype, x.hi, s.hi)));
}

/* Scale and codes of one slot, in place. */
static void quantize_row(const trine_moe_gemm *g, trine_interval tensor_scale, trine_interval *h,
                         trine_interval *scale)
{
    for (int64_t block = 0; block < g->blocks; block++) {
        int64_t begin = block * g->block_length, end = trine_moe_block_end(g, block);
        trine_interval s = tensor_scale;
        if (g->p->quantization != TRINE_MOE_FP8_TENSOR)
            s = scale_interval(
                amax_interval(h + begin, end - begin, trine_point(TRINE_DEFAULT_EPS)), g->a.dtype);
        scale[block] = s;
        for (int64_t i = begin; i < end; i++) h[i] = code_interval(g->a.dtype, h[i], s);
    }
}

static trine_interval tensor_scale(const trine_moe_gemm *g, const trine_moe_a2 *a2)
{
    const trine_fused_moe_problem *p = g->p;
    if (p->a2_scale.rank >= 0) return trine_point(trine_load_f32(&p->a2_scale, 0));
    trine_interval amax = trine_point(TRINE_DEFAULT_EPS);
    for (int64_t slot = 0; slot < p->slots; slot++)
        if (trine_moe_slot_at(p, slot).expert >= 0)
            amax = amax_interval(a2->value + slot * a2->columns, a2->columns, amax);
    return scale_interval(amax, g->a.dtype);
}

static void quantize(const trine_moe_gemm *g, trine_moe_a2 *a2)
{
    const trine_fused_moe_problem *p = g->p;
    trine_interval whole = trine_point(1.0);
    if (p->quantization == TRINE_MOE_FP8_TENSOR) whole = tensor_scale(g, a2);
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t slot = 0; slot < p->slots; slot++)
            if (trine_moe_slot_at(p, slot).expert >= 0)
                quantize_row(g, whole, a2->value + slot * a2->columns,
                             a2->scale + slot * a2->blocks);
        trine_fp_leave(env);
    }
}

/* ---------------------------------------------------------------- A2 */

static trine_status allocate(const trine_moe_gemm *g, trine_moe_a2 *a2)
{
    size_t slots = (size_t)g->p->slots, columns = (size_t)g->k, blocks = (size_t)g->blocks;
    a2->columns = g->k;
    a2->blocks = g->blocks;
    a2->value = calloc(slots * columns + 1, sizeof *a2->value);
    a2->scale = calloc(slots * blocks + 1, sizeof *a2->scale);
    if (a2->value && a2->scale) return TRINE_OK;
    trine_moe_a2_free(a2);
    return trine_fail(TRINE_OUT_OF_MEMORY,
                      "fused_moe: no memory for the bound of %zu x %zu activations", slots,
                      columns);
}

void trine_moe_a2_free(trine_moe_a2 *a2)
{
    free(a2->value);
    free(a2->scale);
    a2->value = a2->scale = NULL;
}

trine_status trine_moe_bound_stage_1(const trine_fused_moe_problem *p,
                                     const trine_bound_options *options, void *workspace,
                                     trine_moe_a2 *a2)
{
    trine_moe_stage_1(p, workspace);
    trine_moe_gemm g1 = trine_moe_gemm_1(p, workspace), g2 = trine_moe_gemm_2(p, workspace);
    trine_status status = allocate(&g2, a2);
    if (status != TRINE_OK) return status;
    trine_interval *g = malloc(((size_t)p->slots * (size_t)p->n1 + 1) * sizeof *g);
    if (!g) {
        trine_moe_a2_free(a2);
        return trine_fail(TRINE_OUT_OF_MEMORY, "fused_moe: no memory for the bound of GEMM 1");
    }
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t slot = 0; slot < p->slots; slot++) {
            for (int64_t n = 0; n < p->n1; n++) {
                trine_moe_slot s = trine_moe_slot_at(p, slot);
                if (s.expert >= 0) g[slot * p->n1 + n] = gemm_1(&g1, options, &s, n);
            }
        }
#pragma omp for
        for (int64_t slot = 0; slot < p->slots; slot++) {
            if (trine_moe_slot_at(p, slot).expert < 0) continue;
            activate_row(p, g + slot * p->n1, a2->value + slot * a2->columns);
            for (int64_t b = 0; b < a2->blocks; b++)
                a2->scale[slot * a2->blocks + b] = trine_point(1.0);
        }
        trine_fp_leave(env);
    }
    free(g);
    if (trine_moe_quantizes(p)) quantize(&g2, a2);
    return TRINE_OK;
}

trine_status trine_moe_a2_of_workspace(const trine_fused_moe_problem *p, void *workspace,
                                       trine_moe_a2 *a2)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, workspace);
    trine_status status = allocate(&g, a2);
    if (status != TRINE_OK) return status;
    for (int64_t slot = 0; slot < p->slots; slot++) {
        if (trine_moe_slot_at(p, slot).expert < 0) continue;
        for (int64_t i = 0; i < g.k; i++)
            a2->value[slot * g.k + i] = trine_point(trine_load(&g.a, trine_at2(&g.a, slot, i)));
        for (int64_t b = 0; b < g.blocks; b++) {
            double s = 1.0;
            if (g.a_scale.data) s = trine_load_f32(&g.a_scale, trine_at2(&g.a_scale, slot, b));
            a2->scale[slot * g.blocks + b] = trine_point(s);
        }
    }
    return TRINE_OK;
}

/* Where a code stands among the format's values: neighbors differ by 1, -0 and 0 by nothing. */
static int64_t position(trine_dtype dtype, uint32_t code)
{
    if (dtype == TRINE_I8) return (int8_t)code;
    uint32_t sign = dtype == TRINE_F32                          ? 0x80000000u
                    : dtype == TRINE_F16 || dtype == TRINE_BF16 ? 0x8000u
                                                                : 0x80u;
    int64_t magnitude = code & (sign - 1);
    return code & sign ? -magnitude : magnitude;
}

bool trine_moe_a2_allowed(trine_dtype dtype, uint32_t code, uint32_t reference,
                          trine_interval interval, bool typical)
{
    float value = code_value(dtype, code), own = code_value(dtype, reference);
    if (isnan(value) || isnan(own)) return isnan(value) && isnan(own);
    int64_t difference = position(dtype, code) - position(dtype, reference);
    if (difference == 0) return true;
    if (typical && (difference < -1 || difference > 1)) return false;
    return interval.lo <= value && value <= interval.hi;
}

/* ---------------------------------------------------------------- GEMM 2 and combine */

/* Adds [a] w over a chunk. */
static void add_interval_products(const trine_interval *a, const float *w, int64_t count,
                                  trine_interval *dot, double *magnitude)
{
    for (int64_t i = 0; i < count; i++) {
        double lo = a[i].lo * w[i], hi = a[i].hi * w[i];
        dot->lo += lo < hi ? lo : hi;
        dot->hi += lo < hi ? hi : lo;
        *magnitude += fmax(fabs(lo), fabs(hi));
    }
}

/* GEMM 2's f32 result. A block's codes and its scale are intervals; E is of the largest of them. */
static trine_interval gemm_2(const trine_moe_gemm *g, const trine_bound_options *options,
                             const trine_moe_a2 *a2, int64_t slot, int64_t expert, int64_t n)
{
    trine_gemm_sums sums = {0.0, 0.0, 0.0, 0.0, 0, 0};
    trine_interval y = {0.0, 0.0};
    const trine_interval *a = a2->value + slot * a2->columns;
    for (int64_t block = 0; block < g->blocks && g->k > 0; block++) {
        int64_t begin = block * g->block_length, end = trine_moe_block_end(g, block);
        trine_interval dot = {0.0, 0.0};
        double magnitude = 0.0;
        for (int64_t k = begin; k < end; k += TRINE_CHUNK) {
            float w[TRINE_CHUNK];
            int64_t count = end - k < TRINE_CHUNK ? end - k : TRINE_CHUNK;
            trine_moe_weights(g, expert, n, k, count, w);
            add_interval_products(a + k, w, count, &dot, &magnitude);
        }
        trine_interval scale = trine_scaled(a2->scale[slot * a2->blocks + block],
                                            trine_moe_weight_scale(g, expert, n, block));
        y = trine_sum(y, trine_product(dot, scale));
        trine_add_block(&sums, trine_magnitude(scale), 0.0, magnitude, end - begin);
    }
    return trine_widen(y, trine_accumulation_bound(options, &sums));
}

/* A slot's contribution c: the reference's value, and where a kernel's may lie before its row's
 * own rounding. */
static double contribution(const trine_moe_gemm *g, const trine_bound_options *options,
                           const trine_moe_a2 *a2, int64_t slot, const trine_moe_slot *s, int64_t n,
                           trine_interval *c)
{
    const trine_fused_moe_problem *p = g->p;
    bool weighted = !p->router_weight_on_input;
    double v = trine_moe_sums(g, slot, s->expert, n).value + trine_moe_bias(g, s->expert, n);
    if (weighted) v *= s->weight;
    trine_interval y = gemm_2(g, options, a2, slot, s->expert, n);
    *c = epilogue(y, g, s->expert, n, weighted, s->weight);
    if (p->intermediate_rounding == TRINE_ROUND_ONCE) return v;
    *c = trine_rounded(p->x.dtype, *c);
    return trine_round_f64(p->x.dtype, v);
}

/* B: the farther end of [result], which the last rounding has been through, from v. */
static double distance(double v, trine_interval result)
{
    if (!isfinite(v)) return result.lo == result.hi || isnan(v) ? 0.0 : INFINITY;
    double far = fmax(result.hi - v, v - result.lo);
    return trine_unknown(result) ? INFINITY : far;
}

/* How far rounding to x's dtype, which may overflow, moves a contribution of magnitude z. */
static double summand_rounding(trine_dtype dtype, double z)
{
    double u = trine_rounding_bound(dtype, z);
    return z + u > trine_largest_finite(dtype) ? DBL_MAX : u;
}

/*
 * What the row's way of summing k contributions of total magnitude `total` = R sum |c| onto an old
 * value o adds. Each contribution that a row rounds to x's dtype moves by u, in all u(total) but
 * for the least steps, hence `rounding`, the sum of the single ones. f32: k additions, the scaling
 * and o, each of a partial sum of at most total + |o|, and half a step of the subnormals for each
 * of them and for each contribution's own product. atomic: the roundings of the contributions
 * together, and k additions in out's dtype, one of which may overflow where the whole sum does not.
 */
static double combine_radius(const trine_fused_moe_problem *p, const trine_bound_options *options,
                             double total, double rounding, double old)
{
    double terms = (double)p->k, all = total + fabs(old);
    if (options->combine == TRINE_COMBINE_CLASS_ATOMIC) {
        double radius = (terms + 1.0) * trine_rounding_bound(p->out.dtype, all);
        return all + radius > trine_largest_finite(p->out.dtype) ? INFINITY : radius;
    }
    double radius = (terms + 2.0) * 0x1p-24 * all;
    radius += (terms * fabs(p->routed_scaling_factor) + terms + 2.0) * 0x1p-150;
    if (options->combine == TRINE_COMBINE_CLASS_ROUNDED &&
        p->intermediate_rounding == TRINE_ROUND_ONCE)
        radius += rounding;
    return radius;
}

static void combine(const trine_moe_gemm *g, const trine_bound_options *options,
                    const trine_moe_a2 *a2, int64_t token, int64_t n, double *value, double *bound)
{
    const trine_fused_moe_problem *p = g->p;
    trine_dtype dtype = p->out.dtype;
    double factor = p->routed_scaling_factor, v = 0.0, total = 0.0, rounding = 0.0;
    trine_interval sum = {0.0, 0.0};
    for (int64_t j = 0; j < p->k; j++) {
        int64_t slot = token * p->k + j, at = slot * p->hidden + n;
        trine_moe_slot s = trine_moe_slot_at(p, slot);
        trine_interval c = {0.0, 0.0};
        double vc = s.expert >= 0 ? contribution(g, options, a2, slot, &s, n, &c) : 0.0;
        if (p->combine == TRINE_COMBINE_NONE) {
            value[at] = vc;
            bound[at] = distance(vc, trine_rounded(dtype, c));
        } else if (s.expert >= 0) {
            v += vc;
            sum = trine_sum(sum, c);
            total += fabs(factor) * trine_magnitude(c);
            rounding += fabs(factor) * summand_rounding(p->x.dtype, trine_magnitude(c));
        }
    }
    if (p->combine == TRINE_COMBINE_NONE) return;
    double old = p->accumulate ? trine_load(&p->out, trine_at2(&p->out, token, n)) : 0.0;
    v = v * factor + old;
    sum = trine_sum(trine_scaled(sum, factor), trine_point(old));
    sum = trine_widen(sum, combine_radius(p, options, total, rounding, old));
    value[token * p->hidden + n] = v;
    bound[token * p->hidden + n] = distance(v, trine_rounded(dtype, sum));
}

void trine_moe_bound_stage_2(const trine_fused_moe_problem *p, const trine_bound_options *options,
                             void *workspace, const trine_moe_a2 *a2, double *value, double *bound)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, workspace);
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t token = 0; token < p->tokens; token++)
            for (int64_t n = 0; n < p->hidden; n++)
                combine(&g, options, a2, token, n, value, bound);
        trine_fp_leave(env);
    }
}

trine_status trine_bound_fused_moe(const trine_fused_moe_problem *p,
                                   const trine_bound_options *options, double *value, double *bound)
{
    void *workspace = malloc(p->workspace.size + 1);
    if (!workspace)
        return trine_fail(TRINE_OUT_OF_MEMORY,
                          "fused_moe: no memory for the bound's workspace of %zu bytes",
                          p->workspace.size);
    trine_moe_a2 a2;
    trine_status status = trine_moe_bound_stage_1(p, options, workspace, &a2);
    if (status == TRINE_OK) {
        trine_moe_bound_stage_2(p, options, workspace, &a2, value, bound);
        trine_moe_a2_free(&a2);
    }
    free(workspace);
    return status;
}
