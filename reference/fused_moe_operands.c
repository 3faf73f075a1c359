// SPDX-License-Identifier: Apache-2.0
// What fused_moe's two GEMMs multiply: slots, operands, scales, dequantized weights.
#include "reference/element.h"
#include "reference/fused_moe.h"

trine_moe_slot trine_moe_slot_at(const trine_fused_moe_problem *p, int64_t slot)
{
    int64_t token = slot / p->k, rank = slot % p->k;
    int64_t id = trine_load_i32(&p->topk_ids, trine_at2(&p->topk_ids, token, rank));
    if (p->expert_map.rank >= 0)
        id = id < 0 || id >= p->global_experts
                 ? -1
                 : trine_load_i32(&p->expert_map, trine_at1(&p->expert_map, id));
    trine_moe_slot s = {token, id < 0 || id >= p->experts ? -1 : id,
                        trine_load_f32(&p->topk_weights, trine_at2(&p->topk_weights, token, rank))};
    return s;
}

bool trine_moe_quantizes(const trine_fused_moe_problem *p)
{
    return p->quantization >= TRINE_MOE_FP8_TENSOR && p->quantization <= TRINE_MOE_INT8_BLOCK;
}

static bool per_block(const trine_fused_moe_problem *p)
{
    return p->quantization == TRINE_MOE_FP8_BLOCK || p->quantization == TRINE_MOE_INT8_BLOCK;
}

static trine_view matrix(void *workspace, size_t offset, trine_dtype dtype, int64_t rows,
                         int64_t columns)
{
    trine_view v = {(char *)workspace + offset, dtype, 2, {rows, columns}, {columns, 1}};
    return v;
}

/* Scales of a quantized operand: one a tensor (given or in the workspace), a row, or a block. */
static trine_view activation_scale(const trine_fused_moe_problem *p, const trine_view *given,
                                   void *workspace, size_t offset, int64_t rows, int64_t blocks)
{
    trine_view v = matrix(workspace, offset, TRINE_F32, rows, blocks);
    if (p->quantization == TRINE_MOE_FP8_TENSOR) {
        v.stride[0] = v.stride[1] = 0;
        if (given->rank >= 0) v.data = given->data;
    }
    return v;
}

static trine_moe_gemm make_gemm(const trine_fused_moe_problem *p, int64_t n, int64_t k)
{
    trine_moe_gemm g = {.p = p, .n = n, .k = k, .blocks = 1, .block_length = k};
    if (per_block(p)) {
        g.blocks = (k + p->block_k - 1) / p->block_k;
        g.block_length = p->block_k;
    }
    return g;
}

trine_moe_gemm trine_moe_gemm_1(const trine_fused_moe_problem *p, void *workspace)
{
    trine_moe_gemm g = make_gemm(p, p->n1, p->hidden);
    g.w = &p->w1;
    g.w_scale = &p->w1_scale;
    g.w_zero = &p->w1_zero;
    g.bias = &p->b1;
    g.a = p->x;
    if (trine_moe_quantizes(p)) {
        g.a = matrix(workspace, p->workspace.a1, p->w1.dtype, p->tokens, p->hidden);
        g.a_scale = activation_scale(p, &p->a1_scale, workspace, p->workspace.a1_scale, p->tokens,
                                     g.blocks);
    }
    return g;
}

trine_moe_gemm trine_moe_gemm_2(const trine_fused_moe_problem *p, void *workspace)
{
    bool quantizes = trine_moe_quantizes(p);
    trine_moe_gemm g = make_gemm(p, p->hidden, p->intermediate);
    g.w = &p->w2;
    g.w_scale = &p->w2_scale;
    g.w_zero = &p->w2_zero;
    g.bias = &p->b2;
    g.a = matrix(workspace, p->workspace.a2, quantizes ? p->w2.dtype : p->x.dtype, p->slots,
                 p->intermediate);
    if (quantizes)
        g.a_scale =
            activation_scale(p, &p->a2_scale, workspace, p->workspace.a2_scale, p->slots, g.blocks);
    return g;
}

int64_t trine_moe_block_end(const trine_moe_gemm *g, int64_t block)
{
    int64_t end = (block + 1) * g->block_length;
    return end < g->k ? end : g->k;
}

double trine_moe_weight_scale(const trine_moe_gemm *g, int64_t expert, int64_t n, int64_t block)
{
    const trine_view *s = g->w_scale;
    switch (g->p->quantization) {
    case TRINE_MOE_FP8_TENSOR:
        return trine_load_f32(s, trine_at1(s, expert));
    case TRINE_MOE_FP8_CHANNEL:
    case TRINE_MOE_INT8_CHANNEL:
        return trine_load_f32(s, trine_at2(s, expert, n));
    case TRINE_MOE_FP8_BLOCK:
    case TRINE_MOE_INT8_BLOCK:
        return trine_load_f32(s, trine_at3(s, expert, n / g->p->block_n, block));
    default:
        return 1.0;
    }
}

/* RN_x((q - zero) * scale), the product in f32 as everywhere. */
static float dequantized(const trine_moe_gemm *g, int64_t expert, int64_t n, int64_t k)
{
    const trine_fused_moe_problem *p = g->p;
    const trine_view *w = g->w, *s = g->w_scale, *z = g->w_zero;
    bool int4 = p->quantization == TRINE_MOE_INT4_W4A16;
    if (!int4 && p->group_size == 0) { /* i8, a scale per channel */
        float q = trine_load(w, trine_at3(w, expert, n, k));
        return trine_round_to(p->x.dtype, q * trine_load(s, trine_at2(s, expert, n)));
    }
    int64_t group = k / p->group_size;
    uint8_t q = trine_load_u8(w, trine_at3(w, expert, n, int4 ? k / 2 : k));
    uint8_t zero = int4 ? 8 : 128;
    if (z->rank >= 0) zero = trine_load_u8(z, trine_at3(z, expert, int4 ? n / 2 : n, group));
    if (int4) {
        q = k % 2 ? q >> 4 : q & 15;
        if (z->rank >= 0) zero = n % 2 ? zero >> 4 : zero & 15;
    }
    float scale = trine_load(s, trine_at3(s, expert, n, group));
    return trine_round_to(p->x.dtype, (float)(q - zero) * scale);
}

void trine_moe_weights(const trine_moe_gemm *g, int64_t expert, int64_t n, int64_t k, int64_t count,
                       float *out)
{
    if (g->p->quantization == TRINE_MOE_INT8_W8A16 || g->p->quantization == TRINE_MOE_INT4_W4A16) {
        for (int64_t i = 0; i < count; i++) out[i] = dequantized(g, expert, n, k + i);
        return;
    }
    trine_decode(g->w, trine_at3(g->w, expert, n, k), g->w->stride[2], count, out);
}

trine_gemm_sums trine_moe_sums(const trine_moe_gemm *g, int64_t row, int64_t expert, int64_t n)
{
    trine_gemm_sums sums = {0.0, 0.0, 0.0, 0.0, 0, 0};
    for (int64_t block = 0; block < g->blocks && g->k > 0; block++) {
        int64_t begin = block * g->block_length, end = trine_moe_block_end(g, block);
        double dot = 0.0, magnitude = 0.0;
        for (int64_t k = begin; k < end; k += TRINE_CHUNK) {
            float a[TRINE_CHUNK], w[TRINE_CHUNK];
            int64_t count = end - k < TRINE_CHUNK ? end - k : TRINE_CHUNK;
            trine_decode(&g->a, trine_at2(&g->a, row, k), g->a.stride[1], count, a);
            trine_moe_weights(g, expert, n, k, count, w);
            trine_add_products(a, w, count, &dot, &magnitude);
        }
        double scale = trine_moe_weight_scale(g, expert, n, block);
        if (g->a_scale.data)
            scale *= trine_load_f32(&g->a_scale, trine_at2(&g->a_scale, row, block));
        trine_add_block(&sums, scale, dot, magnitude, end - begin);
    }
    return sums;
}

double trine_moe_bias(const trine_moe_gemm *g, int64_t expert, int64_t n)
{
    return g->bias->rank >= 0 ? trine_load(g->bias, trine_at2(g->bias, expert, n)) : 0.0;
}

trine_activation_rule trine_moe_activation_rule(const trine_fused_moe_problem *p)
{
    trine_activation_rule rule = {
        p->activation, p->gated, p->alpha, p->limit, p->intermediate_rounding, p->x.dtype};
    return rule;
}

int64_t trine_moe_gate_column(const trine_fused_moe_problem *p, int64_t i)
{
    return p->gated && p->gate_layout == TRINE_GATE_INTERLEAVED ? 2 * i : i;
}

int64_t trine_moe_up_column(const trine_fused_moe_problem *p, int64_t i)
{
    return p->gate_layout == TRINE_GATE_INTERLEAVED ? 2 * i + 1 : p->intermediate + i;
}
