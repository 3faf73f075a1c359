// SPDX-License-Identifier: Apache-2.0
/*
 * fused_moe in tiles: slots are sorted by expert, so that each expert's weights are read once per
 * tile of tokens. Contributions are summed in f32 by whoever owns the columns, experts ascending:
 * one order at any thread count, and no atomics.
 */
#include "backends/host/activate.h"
#include "backends/host/gemm.h"
#include "backends/host/kernels.h"
#include "backends/host/quantize.h"
#include "numerics/fp_env.h"

#define RUN 512 /* columns activated at once */

/* A call: the problem and the parts of its workspace. */
typedef struct moe {
    const trine_fused_moe_problem *p;
    int32_t *sorted, *expert_of_block;
    int64_t positions; /* sorted slots with their padding */
    char *a1, *a2;
    trine_float *a1_scale, *a2_scale;
    float *h, *sum;
    bool quantizes;         /* activations too */
    bool per_block, tensor; /* scales per block; one for all */
} moe;

/* ---------------------------------------------------------------- sorting */

/* The local expert of a slot, or -1 when it is not on this rank. */
static int64_t expert_of_slot(const trine_fused_moe_problem *p, int64_t slot)
{
    const trine_u32 *ids = p->topk_ids.data;
    int64_t id =
        (int32_t)ids[slot / p->k * p->topk_ids.stride[0] + slot % p->k * p->topk_ids.stride[1]];
    if (p->expert_map.rank >= 0) {
        if (id < 0 || id >= p->global_experts) return -1;
        id = (int32_t)((const trine_u32 *)p->expert_map.data)[id * p->expert_map.stride[0]];
    }
    return id >= 0 && id < p->experts ? id : -1;
}

/* Counting sort: slots ascend within an expert, each expert's run is padded to whole blocks. */
static void sort_slots(moe *x, int32_t *next)
{
    const trine_fused_moe_problem *p = x->p;
    int64_t size = p->align_block_size, end = 0;
    memset(next, 0, (size_t)p->experts * sizeof *next);
    for (int64_t slot = 0; slot < p->slots; slot++) {
        int64_t e = expert_of_slot(p, slot);
        if (e >= 0) next[e]++;
    }
    for (int64_t e = 0; e < p->experts; e++) {
        int64_t count = next[e];
        next[e] = (int32_t)end;
        for (int64_t last = end + (count + size - 1) / size * size; end < last; end += size)
            x->expert_of_block[end / size] = (int32_t)e;
    }
    x->positions = end;
    for (int64_t i = 0; i < end; i++) x->sorted[i] = (int32_t)p->slots;
    for (int64_t slot = 0; slot < p->slots; slot++) {
        int64_t e = expert_of_slot(p, slot);
        if (e >= 0) x->sorted[next[e]++] = (int32_t)slot;
    }
}

/* Slots of the expert whose run starts at `block`; 0 where none starts. */
static int64_t run_at(const moe *x, int64_t block)
{
    int64_t size = x->p->align_block_size, blocks = x->positions / size;
    if (block > 0 && x->expert_of_block[block - 1] == x->expert_of_block[block]) return 0;
    int64_t end = block + 1;
    while (end < blocks && x->expert_of_block[end] == x->expert_of_block[block]) end++;
    int64_t count = (end - block) * size;
    while (count > 0 && x->sorted[block * size + count - 1] >= x->p->slots) count--;
    return count;
}

static float weight_of_slot(const trine_fused_moe_problem *p, int64_t slot)
{
    return trine_read_f32(p->topk_weights.data, slot / p->k * p->topk_weights.stride[0] +
                                                    slot % p->k * p->topk_weights.stride[1]);
}

/* ---------------------------------------------------------------- products */

/* Everything of a product but the rows of a. */
static trine_gemm product(const moe *x, bool second, int64_t expert)
{
    const trine_fused_moe_problem *p = x->p;
    const trine_view *w = second ? &p->w2 : &p->w1, *s = second ? &p->w2_scale : &p->w1_scale;
    const trine_view *zero = second ? &p->w2_zero : &p->w1_zero;
    int64_t k = second ? p->intermediate : p->hidden;
    trine_gemm g = {.k = k,
                    .blocks = 1,
                    .block_length = k,
                    .a_dtype = x->quantizes ? w->dtype : p->x.dtype,
                    .a_scale_block = x->per_block ? 1 : 0,
                    .b = trine_element(w, expert * w->stride[0]),
                    .b_row = w->stride[1] * trine_element_size(w->dtype),
                    .b_dtype = w->dtype,
                    .unpack = TRINE_UNPACK_VALUE,
                    .b_scale_rows_per = 1,
                    .round_dtype = p->x.dtype,
                    .group_scale_dtype = s->dtype,
                    .group_size = p->group_size};
    if (x->per_block) {
        g.blocks = (k + p->block_k - 1) / p->block_k;
        g.block_length = p->block_k;
    }
    switch (p->quantization) {
    case TRINE_MOE_FP8_TENSOR:
        g.b_scale = trine_element(s, expert * s->stride[0]);
        break;
    case TRINE_MOE_FP8_CHANNEL:
    case TRINE_MOE_INT8_CHANNEL:
        g.b_scale = trine_element(s, expert * s->stride[0]);
        g.b_scale_row = s->stride[1];
        break;
    case TRINE_MOE_FP8_BLOCK:
    case TRINE_MOE_INT8_BLOCK:
        g.b_scale = trine_element(s, expert * s->stride[0]);
        g.b_scale_rows_per = p->block_n;
        g.b_scale_row = s->stride[1];
        g.b_scale_block = s->stride[2];
        break;
    case TRINE_MOE_INT8_W8A16:
    case TRINE_MOE_INT4_W4A16:
        g.unpack = p->quantization == TRINE_MOE_INT4_W4A16 ? TRINE_UNPACK_GROUP_4
                   : p->group_size > 0                     ? TRINE_UNPACK_GROUP_8
                                                           : TRINE_UNPACK_CHANNEL;
        g.group_scale = trine_element(s, expert * s->stride[0]);
        g.group_scale_row = s->stride[1];
        if (p->group_size == 0) break;
        g.group_scale_group = s->stride[2];
        if (zero->rank < 0) break;
        g.zero = trine_element(zero, expert * zero->stride[0]);
        g.zero_row = zero->stride[1];
        g.zero_group = zero->stride[2];
        break;
    default:
        break;
    }
    return g;
}

/* Adds the bias of columns [n0, n0 + n) and multiplies by the router weight where it belongs. */
static void bias_and_weight(const trine_fused_moe_problem *p, const trine_view *bias,
                            int64_t expert, int64_t slot, bool weighted, int64_t n0, int64_t n,
                            float *row)
{
    if (bias->rank >= 0)
        for (int64_t j = 0; j < n; j++)
            row[j] = row[j] + trine_read_any(bias->data, bias->dtype,
                                             expert * bias->stride[0] + (n0 + j) * bias->stride[1]);
    if (weighted) {
        float weight = weight_of_slot(p, slot);
        for (int64_t j = 0; j < n; j++) row[j] = row[j] * weight;
    }
}

/* GEMM 1 for columns [n0, n0 + n) of the expert's slots. */
static void multiply_1(const moe *x, int64_t expert, const int32_t *slots, int64_t count,
                       int64_t n0, int64_t n)
{
    const trine_fused_moe_problem *p = x->p;
    trine_gemm g = product(x, false, expert);
    int64_t scales = x->tensor ? 0 : g.blocks;
    for (int64_t m0 = 0; m0 < count; m0 += TRINE_GEMM_M) {
        float result[TRINE_GEMM_M * TRINE_GEMM_N];
        const char *a[TRINE_GEMM_M], *a_scale[TRINE_GEMM_M];
        int64_t m = count - m0 < TRINE_GEMM_M ? count - m0 : TRINE_GEMM_M;
        for (int64_t i = 0; i < m; i++) {
            int64_t token = slots[m0 + i] / p->k;
            a[i] = x->quantizes ? x->a1 + token * p->hidden
                                : trine_element(&p->x, token * p->x.stride[0]);
            a_scale[i] = (const char *)(x->a1_scale + token * scales);
        }
        trine_gemm_tile(&g, m, a, x->quantizes ? a_scale : NULL, n0, n, result);
        for (int64_t i = 0; i < m; i++) {
            int64_t slot = slots[m0 + i];
            float *row = result + i * TRINE_GEMM_N;
            bias_and_weight(p, &p->b1, expert, slot, p->router_weight_on_input, n0, n, row);
            if (p->intermediate_rounding == TRINE_ROUND_EACH) trine_round_run(row, p->x.dtype, n);
            memcpy(x->h + slot * p->n1 + n0, row, (size_t)n * sizeof *row);
        }
    }
}

/* GEMM 2 for columns [n0, n0 + n) of the expert's slots: into out (combine none) or the sums. */
static void multiply_2(const moe *x, int64_t expert, const int32_t *slots, int64_t count,
                       int64_t n0, int64_t n, float *sum)
{
    const trine_fused_moe_problem *p = x->p;
    trine_gemm g = product(x, true, expert);
    int64_t scales = x->tensor ? 0 : g.blocks;
    int64_t row_bytes = p->intermediate * trine_element_size(g.a_dtype);
    for (int64_t m0 = 0; m0 < count; m0 += TRINE_GEMM_M) {
        float result[TRINE_GEMM_M * TRINE_GEMM_N];
        const char *a[TRINE_GEMM_M], *a_scale[TRINE_GEMM_M];
        int64_t m = count - m0 < TRINE_GEMM_M ? count - m0 : TRINE_GEMM_M;
        for (int64_t i = 0; i < m; i++) {
            a[i] = x->a2 + slots[m0 + i] * row_bytes;
            a_scale[i] = (const char *)(x->a2_scale + slots[m0 + i] * scales);
        }
        trine_gemm_tile(&g, m, a, x->quantizes ? a_scale : NULL, n0, n, result);
        for (int64_t i = 0; i < m; i++) {
            int64_t slot = slots[m0 + i], token = slot / p->k;
            float *row = result + i * TRINE_GEMM_N;
            bias_and_weight(p, &p->b2, expert, slot, !p->router_weight_on_input, n0, n, row);
            if (p->intermediate_rounding == TRINE_ROUND_EACH) trine_round_run(row, p->x.dtype, n);
            if (p->combine == TRINE_COMBINE_NONE) {
                int64_t at = token * p->out.stride[0] + slot % p->k * p->out.stride[1] + n0;
                trine_store_run(trine_element_out(&p->out, at), row, p->out.dtype, n);
            } else {
                float *to = sum + token * n;
                for (int64_t j = 0; j < n; j++) to[j] = to[j] + row[j];
            }
        }
    }
}

/* ---------------------------------------------------------------- between the products */

static trine_host_quantizer quantizer(const trine_fused_moe_problem *p)
{
    return trine_default_quantizer(p->w1.dtype);
}

/* Row `row` of a1 or a2 from x or the activations. */
static void quantize_row(const moe *x, bool second, int64_t row, const char *from,
                         trine_dtype dtype)
{
    const trine_fused_moe_problem *p = x->p;
    trine_host_quantizer q = quantizer(p);
    int64_t k = second ? p->intermediate : p->hidden;
    uint8_t *codes = (uint8_t *)(second ? x->a2 : x->a1) + row * k;
    trine_float *scale = second ? x->a2_scale : x->a1_scale;
    if (x->tensor) {
        trine_host_group group = {0.0f, scale[0], true, false};
        trine_quantize_row_group(&q, from, dtype, k, codes, &group);
        return;
    }
    int64_t length = x->per_block ? p->block_k : k,
            blocks = x->per_block ? (k + length - 1) / length : 1;
    trine_quantize_row(&q, from, dtype, k, length, codes, scale + row * blocks, 1);
}

/* The scale of a whole tensor from its largest element. */
static void set_tensor_scale(const moe *x, trine_float *scale, int32_t largest)
{
    trine_host_quantizer q = quantizer(x->p);
    float amax = trine_f32_from_bits((uint32_t)largest);
    *scale = trine_quantizer_scale(&q, amax > q.eps ? amax : q.eps);
}

/* Bits of the largest finite |x| of a row: they order as the values do. */
static int32_t row_amax(const char *from, trine_dtype dtype, int64_t k)
{
    float run[RUN], amax = 0.0f;
    bool finite = true;
    for (int64_t i = 0; i < k; i += RUN) {
        int64_t count = k - i < RUN ? k - i : RUN;
        trine_load_run(run, from + i * trine_element_size(dtype), dtype, count);
        amax = trine_amax_run(amax, run, count, &finite);
    }
    return (int32_t)trine_f32_bits(amax);
}

static void quantize_x(const moe *x)
{
    const trine_fused_moe_problem *p = x->p;
    int32_t largest = 0;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
        if (x->tensor && p->a1_scale.rank < 0) {
#pragma omp for reduction(max : largest)
            for (int64_t t = 0; t < p->tokens; t++) {
                int32_t a =
                    row_amax(trine_element(&p->x, t * p->x.stride[0]), p->x.dtype, p->hidden);
                largest = a > largest ? a : largest;
            }
#pragma omp single
            set_tensor_scale(x, x->a1_scale, largest);
        }
#pragma omp for
        for (int64_t t = 0; t < p->tokens; t++)
            quantize_row(x, false, t, trine_element(&p->x, t * p->x.stride[0]), p->x.dtype);
        trine_fp_leave(env);
    }
}

/* The activation of a slot, in f32, in the first columns of its row of h. */
static void activate_row(const moe *x, const trine_host_activation *a, int64_t slot)
{
    const trine_fused_moe_problem *p = x->p;
    float gate[RUN], up[RUN], *row = x->h + slot * p->n1;
    for (int64_t i = 0; i < p->intermediate; i += RUN) {
        int64_t count = p->intermediate - i < RUN ? p->intermediate - i : RUN;
        if (p->gated && p->gate_layout == TRINE_GATE_INTERLEAVED) {
            trine_load_run_2(gate, row + 2 * i, TRINE_F32, count);
            trine_load_run_2(up, row + 2 * i + 1, TRINE_F32, count);
        } else {
            memcpy(gate, row + i, (size_t)count * sizeof *gate);
            if (p->gated) memcpy(up, row + p->intermediate + i, (size_t)count * sizeof *up);
        }
        trine_activate_run(a, gate, up, count);
        if (p->intermediate_rounding == TRINE_ROUND_EACH) trine_round_run(gate, p->x.dtype, count);
        memcpy(row + i, gate, (size_t)count * sizeof *gate);
    }
}

/* h becomes a2. */
static void activate(const moe *x)
{
    const trine_fused_moe_problem *p = x->p;
    trine_host_activation a = {
        p->activation, p->gated, p->alpha, p->limit, p->intermediate_rounding, p->x.dtype};
    bool dynamic = x->tensor && p->a2_scale.rank < 0;
    int64_t size = trine_element_size(p->x.dtype);
    int32_t largest = 0;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for reduction(max : largest)
        for (int64_t i = 0; i < x->positions; i++) {
            int64_t slot = x->sorted[i];
            if (slot >= p->slots) continue;
            activate_row(x, &a, slot);
            if (!dynamic) continue;
            int32_t m = row_amax((const char *)(x->h + slot * p->n1), TRINE_F32, p->intermediate);
            largest = m > largest ? m : largest;
        }
        if (dynamic) {
#pragma omp single
            set_tensor_scale(x, x->a2_scale, largest);
        }
#pragma omp for
        for (int64_t i = 0; i < x->positions; i++) {
            int64_t slot = x->sorted[i];
            if (slot >= p->slots) continue;
            const float *row = x->h + slot * p->n1;
            if (x->quantizes)
                quantize_row(x, true, slot, (const char *)row, TRINE_F32);
            else
                trine_store_run(x->a2 + slot * p->intermediate * size, row, p->x.dtype,
                                p->intermediate);
        }
        trine_fp_leave(env);
    }
}

/* ---------------------------------------------------------------- the steps */

static void step_1(const moe *x)
{
    const trine_fused_moe_problem *p = x->p;
    int64_t blocks = x->positions / p->align_block_size;
    int64_t tiles = (p->n1 + TRINE_GEMM_N - 1) / TRINE_GEMM_N;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2) schedule(dynamic, 4)
        for (int64_t b = 0; b < blocks; b++) {
            for (int64_t t = 0; t < tiles; t++) {
                int64_t count = run_at(x, b), n0 = t * TRINE_GEMM_N;
                int64_t n = p->n1 - n0 < TRINE_GEMM_N ? p->n1 - n0 : TRINE_GEMM_N;
                if (count > 0)
                    multiply_1(x, x->expert_of_block[b], x->sorted + b * p->align_block_size, count,
                               n0, n);
            }
        }
        trine_fp_leave(env);
    }
}

/* Columns [n0, n0 + n) of every token, from the first product with w2 to out. */
static void columns_2(const moe *x, int64_t n0, int64_t n)
{
    const trine_fused_moe_problem *p = x->p;
    float *sum = x->sum + n0 * p->tokens; /* [tokens, n] */
    int64_t blocks = x->positions / p->align_block_size;
    if (p->combine == TRINE_COMBINE_NONE) {
        /* Slots that are not on this rank stay 0. */
        for (int64_t slot = 0; slot < p->slots; slot++)
            memset(trine_element_out(&p->out, slot / p->k * p->out.stride[0] +
                                                  slot % p->k * p->out.stride[1] + n0),
                   0, (size_t)(n * trine_element_size(p->out.dtype)));
    } else {
        memset(sum, 0, (size_t)(p->tokens * n) * sizeof *sum);
    }
    for (int64_t b = 0; b < blocks; b++) {
        int64_t count = run_at(x, b);
        if (count > 0)
            multiply_2(x, x->expert_of_block[b], x->sorted + b * p->align_block_size, count, n0, n,
                       sum);
    }
    if (p->combine == TRINE_COMBINE_NONE) return;
    for (int64_t t = 0; t < p->tokens; t++) {
        float *row = sum + t * n, old[TRINE_GEMM_N];
        char *out = trine_element_out(&p->out, t * p->out.stride[0] + n0);
        for (int64_t j = 0; j < n; j++) row[j] = row[j] * p->routed_scaling_factor;
        if (p->accumulate) {
            trine_load_run(old, out, p->out.dtype, n);
            for (int64_t j = 0; j < n; j++) row[j] = old[j] + row[j];
        }
        trine_store_run(out, row, p->out.dtype, n);
    }
}

static void step_2(const moe *x)
{
    int64_t hidden = x->p->hidden, tiles = (hidden + TRINE_GEMM_N - 1) / TRINE_GEMM_N;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for schedule(dynamic)
        for (int64_t t = 0; t < tiles; t++) {
            int64_t n0 = t * TRINE_GEMM_N;
            columns_2(x, n0, hidden - n0 < TRINE_GEMM_N ? hidden - n0 : TRINE_GEMM_N);
        }
        trine_fp_leave(env);
    }
}

void TRINE_HOST_SYMBOL(fused_moe)(const trine_fused_moe_problem *p, void *workspace)
{
    char *w = workspace;
    const trine_fused_moe_workspace *at = &p->workspace;
    trine_moe_quantization q = p->quantization;
    moe x = {.p = p,
             .sorted = (int32_t *)(void *)(w + at->sorted_token_ids),
             .expert_of_block = (int32_t *)(void *)(w + at->expert_ids),
             .a1 = w + at->a1,
             .a2 = w + at->a2,
             .a1_scale = (trine_float *)(w + at->a1_scale),
             .a2_scale = (trine_float *)(w + at->a2_scale),
             .h = (float *)(void *)(w + at->h),
             .sum = (float *)(void *)(w + at->c),
             .quantizes = q >= TRINE_MOE_FP8_TENSOR && q <= TRINE_MOE_INT8_BLOCK,
             .per_block = q == TRINE_MOE_FP8_BLOCK || q == TRINE_MOE_INT8_BLOCK,
             .tensor = q == TRINE_MOE_FP8_TENSOR};
    if (p->a1_scale.rank >= 0) x.a1_scale = p->a1_scale.data;
    if (p->a2_scale.rank >= 0) x.a2_scale = p->a2_scale.data;
    sort_slots(&x, (int32_t *)(void *)(w + at->align_scratch));
    if (x.quantizes) quantize_x(&x);
    step_1(&x);
    activate(&x);
    step_2(&x);
}
