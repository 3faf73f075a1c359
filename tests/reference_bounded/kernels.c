// SPDX-License-Identifier: Apache-2.0
// Imitated kernels, and the ops stated a second time. Everything is materialized, nothing shared.
#include "kernels.h"

#include "numerics/activation.h"

/* ---------------------------------------------------------------- sums */

static long double truncated(long double value, int exponent_of_step)
{
    return ldexpl(truncl(ldexpl(value, -exponent_of_step)), exponent_of_step);
}

static float shuffled_dot(kernel *k, const double *a, const double *b, int64_t count)
{
    int64_t *order = malloc((size_t)count * sizeof *order + 1);
    rng_shuffle(&k->random, order, count);
    float sum = 0.0f;
    for (int64_t i = 0; i < count; i++) sum = fmaf((float)a[order[i]], (float)b[order[i]], sum);
    free(order);
    return sum;
}

/* Products and the running sum are exact; the new sum keeps 24 bits by truncation. */
static long double truncated_dot(const double *a, const double *b, int64_t count)
{
    long double sum = 0.0L;
    for (int64_t i = 0; i < count; i += 4) {
        for (int64_t j = i; j < count && j < i + 4; j++) sum += (long double)a[j] * b[j];
        int exponent;
        frexpl(sum, &exponent);
        sum = truncated(sum, exponent - 24);
    }
    return sum;
}

/* One instruction takes 32 products: all are aligned to the largest of them and of the sum. */
static long double hopper_dot(const double *a, const double *b, int64_t count)
{
    long double sum = 0.0L;
    for (int64_t i = 0; i < count; i += 32) {
        int64_t end = i + 32 < count ? i + 32 : count;
        long double largest = fabsl(sum);
        for (int64_t j = i; j < end; j++) largest = fmaxl(largest, fabsl((long double)a[j] * b[j]));
        int exponent;
        frexpl(largest, &exponent);
        sum = truncated(sum, exponent - 14);
        for (int64_t j = i; j < end; j++) sum += truncated((long double)a[j] * b[j], exponent - 14);
    }
    return sum;
}

long double kernel_dot(kernel *k, const double *a, const double *b, int64_t count)
{
    long double sum = 0.0L;
    switch (k->sum) {
    case SUM_SHUFFLED:
        return shuffled_dot(k, a, b, count);
    case SUM_TRUNCATED:
        return truncated_dot(a, b, count);
    case SUM_HOPPER: /* promoted to f32 after each chain of 128 */
        for (int64_t i = 0; i < count; i += 128)
            sum = kernel_step(k, sum + hopper_dot(a + i, b + i, count - i < 128 ? count - i : 128));
        return sum;
    default:
        for (int64_t i = 0; i < count; i++) sum += (long double)a[i] * b[i];
        return sum;
    }
}

long double kernel_step(const kernel *k, long double value)
{
    return k->sum == SUM_EXACT ? value : round_to(TRINE_F32, value);
}

/* sum over blocks of (sa sb) dot. */
static long double scaled_sum(kernel *k, const double *a, const double *b, int64_t length,
                              int64_t block, const double *sa, const double *sb)
{
    long double sum = 0.0L;
    for (int64_t begin = 0, i = 0; begin < length; begin += block, i++) {
        if (i == k->dropped_block) continue;
        int64_t count = length - begin < block ? length - begin : block;
        long double scale = kernel_step(k, (long double)sa[i] * sb[i]);
        long double dot = kernel_step(k, kernel_dot(k, a + begin, b + begin, count));
        sum = kernel_step(k, sum + kernel_step(k, scale * dot));
    }
    return sum;
}

/* ---------------------------------------------------------------- scaled_mm */

void kernel_scaled_mm(kernel *k, const trine_scaled_mm_problem *p, double *out)
{
    double *a = pool_alloc((size_t)p->k * sizeof *a + 1),
           *b = pool_alloc((size_t)p->k * sizeof *b + 1);
    double *sa = pool_alloc((size_t)p->blocks * sizeof *sa + 1);
    double *sb = pool_alloc((size_t)p->blocks * sizeof *sb + 1);
    const float *a_scale = p->a_scale.data, *b_scale = p->b_scale.data;
    int64_t block = p->blocks > 1 ? p->block_k : p->k;
    for (int64_t m = 0; m < p->m; m++) {
        for (int64_t n = 0; n < p->n; n++) {
            for (int64_t i = 0; i < p->k; i++) {
                a[i] = get(&p->a, m * p->k + i);
                b[i] = get(&p->b, n * p->k + i);
            }
            for (int64_t i = 0; i < p->blocks; i++) {
                sa[i] = a_scale[m * p->a_scale_row + i * p->a_scale_block];
                sb[i] = b_scale[n / p->b_scale_rows_per * p->b_scale_row + i * p->b_scale_block];
            }
            long double v = scaled_sum(k, a, b, p->k, block, sa, sb);
            if (p->bias.rank >= 0) {
                if (p->bias_rounding == TRINE_BIAS_AFTER) v = round_to(p->out.dtype, v);
                v = kernel_step(k, v + get(&p->bias, n));
            }
            out[m * p->n + n] = (double)round_to(p->out.dtype, v);
        }
    }
}

/* ---------------------------------------------------------------- fused_moe */

static bool quantizes(const trine_fused_moe_problem *p)
{
    return p->quantization != TRINE_MOE_NONE && p->quantization != TRINE_MOE_INT8_W8A16 &&
           p->quantization != TRINE_MOE_INT4_W4A16;
}

/* Row of codes' values and its scales, quantized in groups; a fixed scale if there is one. */
static void quantize_row(const double *x, int64_t length, int64_t group, trine_dtype dtype,
                         const double *fixed, double *q, double *scale)
{
    for (int64_t begin = 0, i = 0; begin < length; begin += group, i++) {
        int64_t end = begin + group < length ? begin + group : length;
        double amax = (double)1e-10f;
        for (int64_t c = begin; c < end; c++)
            if (isfinite(x[c])) amax = fmax(amax, fabs(x[c]));
        double s =
            fixed ? *fixed : (double)round_to(TRINE_F32, (long double)amax / q_max_of(dtype));
        scale[i] = s;
        for (int64_t c = begin; c < end; c++) {
            double ratio = (double)round_to(TRINE_F32, (long double)x[c] / s);
            ratio = fmin(fmax(ratio, -q_max_of(dtype)), q_max_of(dtype));
            q[c] = value_of_code(dtype, nearest_code(dtype, ratio));
        }
    }
}

/* Quantizes `rows` rows of [rows, length]; those with local[row] false take no part. */
static void quantize(const trine_fused_moe_problem *p, const double *x, int64_t rows,
                     int64_t length, const bool *local, const trine_view *given, double *q,
                     double *scale, int64_t blocks)
{
    bool per_tensor = p->quantization == TRINE_MOE_FP8_TENSOR;
    int64_t group = blocks > 1 ? p->block_k : length;
    double fixed = (double)1e-10f;
    for (int64_t i = 0; i < rows * length && per_tensor; i++)
        if ((!local || local[i / length]) && isfinite(x[i])) fixed = fmax(fixed, fabs(x[i]));
    fixed = (double)round_to(TRINE_F32, (long double)fixed / q_max_of(p->w1.dtype));
    if (given->rank >= 0) fixed = get(given, 0);
    for (int64_t row = 0; row < rows; row++)
        if (!local || local[row])
            quantize_row(x + row * length, length, group, p->w1.dtype, per_tensor ? &fixed : NULL,
                         q + row * length, scale + row * blocks);
}

/* Weights of an expert's row, as multiplied, and what scales each block. */
static void weight_row(const trine_fused_moe_problem *p, bool second, int64_t e, int64_t n,
                       double *w, double *scale, int64_t blocks)
{
    const trine_view *t = second ? &p->w2 : &p->w1, *s = second ? &p->w2_scale : &p->w1_scale;
    const trine_view *z = second ? &p->w2_zero : &p->w1_zero;
    int64_t rows = t->shape[1], length = second ? p->intermediate : p->hidden;
    int64_t row = e * rows + n, groups = p->group_size ? length / p->group_size : 1;
    for (int64_t b = 0; b < blocks; b++) {
        scale[b] = 1.0;
        if (p->quantization == TRINE_MOE_FP8_TENSOR) scale[b] = get(s, e);
        if (p->quantization == TRINE_MOE_FP8_CHANNEL || p->quantization == TRINE_MOE_INT8_CHANNEL)
            scale[b] = get(s, row);
        if (p->quantization == TRINE_MOE_FP8_BLOCK || p->quantization == TRINE_MOE_INT8_BLOCK)
            scale[b] = get(s, (e * s->shape[1] + n / p->block_n) * blocks + b);
    }
    for (int64_t i = 0; i < length; i++) {
        int64_t group = row * groups + (p->group_size ? i / p->group_size : 0);
        double q = 0.0, zero = 0.0;
        switch (p->quantization) {
        case TRINE_MOE_INT8_W8A16:
            q = get(t, row * length + i);
            zero = p->group_size == 0 ? 0.0 : z->rank >= 0 ? get(z, group) : 128.0;
            w[i] = (double)round_to(p->x.dtype, round_to(TRINE_F32, (q - zero) * get(s, group)));
            break;
        case TRINE_MOE_INT4_W4A16:
            q = get(t, (row * length + i) / 2);
            q = fmod(i % 2 ? floor(q / 16.0) : q, 16.0);
            zero = 8.0;
            if (z->rank >= 0) {
                zero = get(z, (e * rows / 2 + n / 2) * groups + i / p->group_size);
                zero = fmod(n % 2 ? floor(zero / 16.0) : zero, 16.0);
            }
            w[i] = (double)round_to(p->x.dtype, round_to(TRINE_F32, (q - zero) * get(s, group)));
            break;
        default:
            w[i] = get(t, row * length + i);
        }
    }
}

static long double activated(const trine_fused_moe_problem *p, float gate, float up)
{
    if (p->limit > 0.0f) {
        gate = gate > p->limit ? p->limit : gate;
        up = up > p->limit ? p->limit : up < -p->limit ? -p->limit : up;
    }
    float a = p->activation == TRINE_ACTIVATION_SILU        ? trine_silu(gate)
              : p->activation == TRINE_ACTIVATION_GELU_ERF  ? trine_gelu_erf(gate)
              : p->activation == TRINE_ACTIVATION_GELU_TANH ? trine_gelu_tanh(gate)
              : p->activation == TRINE_ACTIVATION_RELU2     ? trine_relu2(gate)
                                                            : trine_swiglu_oai_gate(gate, p->alpha);
    bool each = p->intermediate_rounding == TRINE_ROUND_EACH;
    if (p->gated && each) a = (float)round_to(p->x.dtype, a);
    if (p->gated) a = a * (p->activation == TRINE_ACTIVATION_SWIGLU_OAI ? up + 1.0f : up);
    return each || !quantizes(p) ? round_to(p->x.dtype, a) : a;
}

static int64_t expert_of(const trine_fused_moe_problem *p, int64_t slot)
{
    int64_t id = (int64_t)get(&p->topk_ids, slot);
    if (p->expert_map.rank >= 0) {
        if (id < 0 || id >= p->expert_map.shape[0]) return -1;
        id = (int64_t)get(&p->expert_map, id);
    }
    return id >= 0 && id < p->w1.shape[0] ? id : -1;
}

static double *doubles(int64_t count)
{
    return pool_alloc((size_t)count * sizeof(double));
}

/* GEMM over the local slots: rows of a by slot or, for GEMM 1, by token. */
static void multiply(kernel *k, const trine_fused_moe_problem *p, bool second, const double *a,
                     const double *a_scale, int64_t blocks, double *out, bool weighted)
{
    int64_t length = second ? p->intermediate : p->hidden, columns = second ? p->hidden : p->n1;
    const trine_view *bias = second ? &p->b2 : &p->b1;
    double *w = doubles(length), *scale = doubles(blocks);
    int64_t dropped = k->dropped_block;
    if (!second) k->dropped_block = -1;
    for (int64_t slot = 0; slot < p->slots; slot++) {
        int64_t e = expert_of(p, slot), row = second ? slot : slot / p->k;
        for (int64_t n = 0; n < columns && e >= 0; n++) {
            weight_row(p, second, e, n, w, scale, blocks);
            long double y =
                scaled_sum(k, a + row * length, w, length, blocks > 1 ? p->block_k : length,
                           a_scale + row * blocks, scale);
            if (bias->rank >= 0) y = kernel_step(k, y + get(bias, e * columns + n));
            if (weighted) y = kernel_step(k, y * get(&p->topk_weights, slot));
            bool each = p->intermediate_rounding == TRINE_ROUND_EACH;
            if (each || !second) y = round_to(each ? p->x.dtype : TRINE_F32, y);
            out[slot * columns + n] = (double)y;
        }
    }
    k->dropped_block = dropped;
}

static void combine(kernel *k, const trine_fused_moe_problem *p, const double *c, double *out)
{
    int64_t order[64];
    long double r = p->routed_scaling_factor;
    for (int64_t i = 0; i < p->tokens * p->hidden; i++) {
        int64_t token = i / p->hidden, n = i % p->hidden;
        long double old = p->accumulate ? get(&p->out, i) : 0.0;
        bool atomic = k->combine == TRINE_COMBINE_CLASS_ATOMIC;
        long double sum = atomic ? old : 0.0L;
        rng_shuffle(&k->random, order, p->k);
        for (int64_t j = 0; j < p->k; j++) {
            int64_t slot = token * p->k + (k->sum == SUM_EXACT ? j : order[j]);
            int64_t e = expert_of(p, slot);
            if (e < 0 || e == k->dropped_expert) continue;
            long double value = c[slot * p->hidden + n];
            if (atomic) {
                value = round_to(p->x.dtype, kernel_step(k, value * r));
                sum = round_to(p->out.dtype, sum + value);
            } else {
                if (k->combine == TRINE_COMBINE_CLASS_ROUNDED) value = round_to(p->x.dtype, value);
                sum = kernel_step(k, sum + value);
            }
        }
        if (!atomic) sum = kernel_step(k, kernel_step(k, sum * r) + old);
        out[i] = (double)round_to(p->out.dtype, sum);
    }
}

void kernel_fused_moe(kernel *k, const trine_fused_moe_problem *p, double *out)
{
    bool block_scales =
        p->quantization == TRINE_MOE_FP8_BLOCK || p->quantization == TRINE_MOE_INT8_BLOCK;
    int64_t h = p->hidden, inner = p->intermediate;
    int64_t blocks_1 = block_scales ? (h + p->block_k - 1) / p->block_k : 1;
    int64_t blocks_2 = block_scales ? (inner + p->block_k - 1) / p->block_k : 1;
    double *x = doubles(p->tokens * h), *a1 = doubles(p->tokens * h);
    double *s1 = doubles(p->tokens * blocks_1), *g = doubles(p->slots * p->n1);
    double *act = doubles(p->slots * inner), *a2 = doubles(p->slots * inner);
    double *s2 = doubles(p->slots * blocks_2), *c = doubles(p->slots * h);
    bool *local = pool_alloc((size_t)p->slots + 1);
    for (int64_t i = 0; i < p->tokens * h; i++) x[i] = a1[i] = get(&p->x, i);
    for (int64_t i = 0; i < p->tokens * blocks_1; i++) s1[i] = 1.0;
    for (int64_t i = 0; i < p->slots * blocks_2; i++) s2[i] = 1.0;
    for (int64_t slot = 0; slot < p->slots; slot++) local[slot] = expert_of(p, slot) >= 0;

    if (quantizes(p)) quantize(p, x, p->tokens, h, NULL, &p->a1_scale, a1, s1, blocks_1);
    multiply(k, p, false, a1, s1, blocks_1, g, p->router_weight_on_input);
    for (int64_t i = 0; i < p->slots * inner; i++) {
        int64_t slot = i / inner, column = i % inner;
        const double *row = g + slot * p->n1;
        double gate = row[column], up = 0.0;
        if (p->gated && p->gate_layout == TRINE_GATE_INTERLEAVED) {
            gate = row[2 * column];
            up = row[2 * column + 1];
        } else if (p->gated) {
            up = row[inner + column];
        }
        act[i] = a2[i] = (double)activated(p, (float)gate, (float)up);
    }
    if (quantizes(p)) quantize(p, act, p->slots, inner, local, &p->a2_scale, a2, s2, blocks_2);
    if (k->a2) {
        memcpy(k->a2, a2, (size_t)(p->slots * inner) * sizeof *a2);
        memcpy(k->a2_scale, s2, (size_t)(p->slots * blocks_2) * sizeof *s2);
    }
    multiply(k, p, true, a2, s2, blocks_2, c, !p->router_weight_on_input);
    if (p->combine != TRINE_COMBINE_NONE) {
        combine(k, p, c, out);
        return;
    }
    for (int64_t i = 0; i < p->slots * h; i++)
        out[i] = local[i / h] && expert_of(p, i / h) != k->dropped_expert
                     ? (double)round_to(p->out.dtype, c[i])
                     : 0.0;
}
