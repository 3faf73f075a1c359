// SPDX-License-Identifier: Apache-2.0
// fused_moe problems of every kind.
#include "moe_case.h"

const moe_case moe_modes[MOE_MODES] = {
    {.quantization = TRINE_MOE_NONE, .x = TRINE_BF16, .w = TRINE_BF16, .out = TRINE_BF16},
    {.quantization = TRINE_MOE_NONE, .x = TRINE_F32, .w = TRINE_F32, .out = TRINE_F32},
    {.quantization = TRINE_MOE_NONE, .x = TRINE_F16, .w = TRINE_F16, .out = TRINE_F32},
    {.quantization = TRINE_MOE_FP8_TENSOR, .x = TRINE_BF16, .w = TRINE_E4M3FN, .out = TRINE_BF16},
    {.quantization = TRINE_MOE_FP8_TENSOR,
     .x = TRINE_F16,
     .w = TRINE_E4M3FNUZ,
     .out = TRINE_F16,
     .static_scales = true},
    {.quantization = TRINE_MOE_FP8_CHANNEL, .x = TRINE_BF16, .w = TRINE_E4M3FN, .out = TRINE_F32},
    {.quantization = TRINE_MOE_FP8_BLOCK, .x = TRINE_BF16, .w = TRINE_E4M3FN, .out = TRINE_BF16},
    {.quantization = TRINE_MOE_FP8_BLOCK, .x = TRINE_F32, .w = TRINE_E4M3FNUZ, .out = TRINE_F32},
    {.quantization = TRINE_MOE_INT8_CHANNEL, .x = TRINE_BF16, .w = TRINE_I8, .out = TRINE_BF16},
    {.quantization = TRINE_MOE_INT8_BLOCK, .x = TRINE_F16, .w = TRINE_I8, .out = TRINE_F16},
    {.quantization = TRINE_MOE_INT8_W8A16, .x = TRINE_BF16, .w = TRINE_I8, .out = TRINE_BF16},
    {.quantization = TRINE_MOE_INT8_W8A16,
     .x = TRINE_F16,
     .w = TRINE_U8,
     .out = TRINE_F16,
     .group = 8},
    {.quantization = TRINE_MOE_INT8_W8A16,
     .x = TRINE_BF16,
     .w = TRINE_U8,
     .out = TRINE_F32,
     .group = 4,
     .zeros = true},
    {.quantization = TRINE_MOE_INT4_W4A16,
     .x = TRINE_BF16,
     .w = TRINE_U8,
     .out = TRINE_BF16,
     .group = 8},
    {.quantization = TRINE_MOE_INT4_W4A16,
     .x = TRINE_F16,
     .w = TRINE_U8,
     .out = TRINE_F16,
     .group = 4,
     .zeros = true},
};
moe_case moe_small(moe_case c)
{
    c.tokens = 3;
    c.hidden = 40;
    c.intermediate = 24;
    c.experts = 4;
    c.k = 3;
    c.block = 16;
    return c;
}

const char *moe_name(trine_moe_quantization quantization)
{
    static const char *names[] = {"none",         "fp8_tensor", "fp8_channel", "fp8_block",
                                  "int8_channel", "int8_block", "int8_w8a16",  "int4_w4a16"};
    return names[quantization];
}

static bool weight_only(const moe_case *c)
{
    return c->quantization == TRINE_MOE_INT8_W8A16 || c->quantization == TRINE_MOE_INT4_W4A16;
}

static int64_t up_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Random codes are large: scales bring weights to about 1 / sqrt(length). */
static trine_view weights(const moe_case *c, rng *r, int64_t rows, int64_t length)
{
    bool int4 = c->quantization == TRINE_MOE_INT4_W4A16;
    trine_view v = tensor(c->w, 3, (int64_t[]){c->experts, rows, int4 ? length / 2 : length},
                          c->strided ? 3 : 0);
    if (c->quantization == TRINE_MOE_NONE)
        fill_normal(r, &v, 1.0 / sqrt((double)length));
    else if (c->w == TRINE_U8)
        for (int64_t i = 0; i < element_count(&v); i++)
            ((uint8_t *)v.data)[offset_of(&v, i)] = (uint8_t)rng_next(r);
    else
        fill_normal(r, &v, c->w == TRINE_I8 ? 40.0 : 100.0);
    return v;
}

static trine_view weight_scale(const moe_case *c, rng *r, int64_t rows, int64_t length)
{
    trine_view v = absent();
    int64_t e = c->experts;
    double typical = 1.0 / sqrt((double)length) / (c->w == TRINE_I8 ? 40.0 : 100.0);
    switch (c->quantization) {
    case TRINE_MOE_NONE:
        return v;
    case TRINE_MOE_FP8_TENSOR:
        v = tensor1(TRINE_F32, e);
        break;
    case TRINE_MOE_FP8_CHANNEL:
    case TRINE_MOE_INT8_CHANNEL:
        v = tensor(TRINE_F32, 2, (int64_t[]){e, rows}, c->strided);
        break;
    case TRINE_MOE_FP8_BLOCK:
    case TRINE_MOE_INT8_BLOCK:
        v = tensor(TRINE_F32, 3, (int64_t[]){e, up_div(rows, c->block), up_div(length, c->block)},
                   c->strided);
        break;
    default:
        if (c->group == 0)
            v = tensor2(c->x, e, rows);
        else
            v = tensor3(c->strided ? TRINE_F32 : c->x, e, rows, length / c->group);
        if (c->quantization == TRINE_MOE_INT4_W4A16) typical *= 20.0;
    }
    fill_uniform(r, &v, 0.5 * typical, 1.5 * typical);
    return v;
}

static trine_view zeros(const moe_case *c, rng *r, int64_t rows, int64_t length)
{
    if (!c->zeros || !c->group) return absent();
    bool int4 = c->quantization == TRINE_MOE_INT4_W4A16;
    trine_view v = tensor3(TRINE_U8, c->experts, int4 ? rows / 2 : rows, length / c->group);
    for (int64_t i = 0; i < element_count(&v); i++)
        ((uint8_t *)v.data)[offset_of(&v, i)] =
            (uint8_t)(int4 ? rng_next(r) : (uint64_t)(100 + rng_below(r, 50)));
    return v;
}

static size_t reserve(trine_fused_moe_workspace *w, int64_t bytes)
{
    size_t at = w->size;
    w->size += ((size_t)bytes + 255) / 256 * 256;
    return at;
}

/* No more than kernel.h promises: what does not belong to a part is not there. */
static void lay_out(trine_fused_moe_problem *p, bool quantizes, int64_t blocks_1, int64_t blocks_2)
{
    trine_fused_moe_workspace *w = &p->workspace;
    memset(w, 0, sizeof *w);
    int64_t x_size = p->x.dtype == TRINE_F32 ? 4 : 2;
    bool one = p->quantization == TRINE_MOE_FP8_TENSOR;
    if (quantizes) {
        w->a1 = reserve(w, p->tokens * p->hidden);
        w->a1_scale = reserve(w, 4 * (one ? 1 : p->tokens * blocks_1));
        w->a2_scale = reserve(w, 4 * (one ? 1 : p->slots * blocks_2));
    }
    w->h = reserve(w, 4 * p->slots * p->n1);
    w->a2 = reserve(w, p->slots * p->intermediate * (quantizes ? 1 : x_size));
}

trine_fused_moe_problem moe_problem(const moe_case *c, rng *r, void **workspace)
{
    trine_fused_moe_problem p = {.tokens = c->tokens,
                                 .hidden = c->hidden,
                                 .intermediate = c->intermediate,
                                 .n1 = c->ungated ? c->intermediate : 2 * c->intermediate,
                                 .experts = c->experts,
                                 .k = c->k,
                                 .slots = c->tokens * c->k,
                                 .quantization = c->quantization,
                                 .block_n = c->block,
                                 .block_k = c->block,
                                 .group_size = c->group,
                                 .activation =
                                     c->activation ? c->activation : TRINE_ACTIVATION_SILU,
                                 .gated = !c->ungated,
                                 .gate_layout = c->layout,
                                 .alpha = 1.702f,
                                 .limit = c->limit,
                                 .intermediate_rounding = c->rounding,
                                 .combine = c->combine ? c->combine : TRINE_COMBINE_SEPARATE,
                                 .router_weight_on_input = c->weight_on_input,
                                 .accumulate = c->accumulate,
                                 .routed_scaling_factor = c->factor != 0.0f ? c->factor : 1.0f};
    int64_t pad = c->strided ? 2 : 0;
    p.x = tensor(c->x, 2, (int64_t[]){p.tokens, p.hidden}, pad);
    fill_normal(r, &p.x, 1.0);
    p.w1 = weights(c, r, p.n1, p.hidden);
    p.w2 = weights(c, r, p.hidden, p.intermediate);
    p.w1_scale = weight_scale(c, r, p.n1, p.hidden);
    p.w2_scale = weight_scale(c, r, p.hidden, p.intermediate);
    p.w1_zero = zeros(c, r, p.n1, p.hidden);
    p.w2_zero = zeros(c, r, p.hidden, p.intermediate);
    p.a1_scale = p.a2_scale = p.b1 = p.b2 = p.expert_map = absent();
    if (c->static_scales) {
        p.a1_scale = tensor1(TRINE_F32, 1);
        p.a2_scale = tensor1(TRINE_F32, 1);
        set(&p.a1_scale, 0, 0.004); /* some elements saturate */
        set(&p.a2_scale, 0, 0.003);
    }
    if (c->bias) {
        p.b1 = tensor(c->strided ? TRINE_F32 : c->x, 2, (int64_t[]){c->experts, p.n1}, pad);
        p.b2 = tensor(c->strided ? TRINE_F32 : c->x, 2, (int64_t[]){c->experts, p.hidden}, pad);
        fill_normal(r, &p.b1, 0.5);
        fill_normal(r, &p.b2, 0.5);
    }
    p.global_experts = c->experts;
    if (c->map) {
        p.global_experts = c->experts + 2;
        p.expert_map = tensor1(TRINE_I32, p.global_experts);
        for (int64_t i = 0; i < p.global_experts; i++)
            set(&p.expert_map, i, (double)((i + 3) % (c->experts + 2) - 1));
    }
    p.topk_weights = tensor(TRINE_F32, 2, (int64_t[]){p.tokens, p.k}, pad);
    fill_uniform(r, &p.topk_weights, 0.05, 1.0);
    p.topk_ids = tensor(TRINE_I32, 2, (int64_t[]){p.tokens, p.k}, pad);
    fill_integers(r, &p.topk_ids, -1, p.global_experts);
    p.out = c->combine == TRINE_COMBINE_NONE
                ? tensor(c->out, 3, (int64_t[]){p.tokens, p.k, p.hidden}, pad)
                : tensor(c->out, 2, (int64_t[]){p.tokens, p.hidden}, pad);
    fill_normal(r, &p.out, 1.0);

    bool block_scales =
        c->quantization == TRINE_MOE_FP8_BLOCK || c->quantization == TRINE_MOE_INT8_BLOCK;
    lay_out(&p, c->quantization != TRINE_MOE_NONE && !weight_only(c),
            block_scales ? up_div(p.hidden, c->block) : 1,
            block_scales ? up_div(p.intermediate, c->block) : 1);
    *workspace = pool_alloc(p.workspace.size + 1);
    memset(*workspace, 0x5a, p.workspace.size); /* 1.5e16 as f32: an amax must not see it */
    return p;
}

void moe_make_exact(trine_fused_moe_problem *p, rng *r)
{
    int64_t h = p->hidden, inner = p->intermediate, block = p->block_k;
    double largest = p->quantization == TRINE_MOE_NONE ? 448.0 : q_max_of(p->w1.dtype);
    for (int64_t i = 0; i < p->tokens * h; i++) {
        int64_t column = i % h;
        set(&p->x, i,
            column % block == 0 ? largest
            : column == 1       ? 1.0
                                : (double)rng_below(r, 3) - 1.0);
    }
    for (int64_t i = 0; i < element_count(&p->w1); i++) set(&p->w1, i, 0.0);
    for (int64_t row = 0; row < p->experts * p->n1; row++) {
        int64_t n = row % p->n1, i = n % inner;
        if (n < inner) { /* gate: 2 q_max or -2 q_max */
            set(&p->w1, row * h, i % block == 0 || rng_below(r, 2) ? 2.0 : -2.0);
        } else if (i % block == 0) { /* up: the block's largest h */
            set(&p->w1, row * h + 1, 8.0);
        } else { /* up: at most 4 */
            for (int j = 0; j < 4; j++) {
                int64_t column = rng_below(r, h);
                if (column % block) set(&p->w1, row * h + column, (double)rng_below(r, 3) - 1.0);
            }
        }
    }
    fill_integers(r, &p->w2, -1, 1);
    for (int64_t i = 0; p->w1_scale.rank > 0 && i < element_count(&p->w1_scale); i++)
        set(&p->w1_scale, i, 1.0);
    for (int64_t i = 0; p->w2_scale.rank > 0 && i < element_count(&p->w2_scale); i++)
        set(&p->w2_scale, i, ldexp(1.0, (int)rng_below(r, 3) - 1));
    for (int64_t i = 0; i < p->slots; i++) {
        set(&p->topk_weights, i, ldexp(1.0, (int)rng_below(r, 3) - 2));
        set(&p->topk_ids, i, (double)(i % p->experts));
    }
}
