// SPDX-License-Identifier: Apache-2.0
// Host side: from a call of fused_moe to the parameters of its steps.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_PLAN_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_PLAN_H

#include "backends/gpu/fused_moe_params.h"

namespace trine_gpu
{

static inline void *moe_part(const trine_launch *launch, size_t offset)
{
    return static_cast<char *>(launch->workspace) + offset;
}

static inline bool moe_quantizes(const trine_fused_moe_problem &p)
{
    return p.quantization >= TRINE_MOE_FP8_TENSOR && p.quantization <= TRINE_MOE_INT8_BLOCK;
}

static inline bool moe_per_block(const trine_fused_moe_problem &p)
{
    return p.quantization == TRINE_MOE_FP8_BLOCK || p.quantization == TRINE_MOE_INT8_BLOCK;
}

static inline bool moe_given(const trine_view &view)
{
    return view.rank >= 0;
}

// Entries of the sorted slots, as ops/fused_moe.c has made room for them.
static inline int64_t moe_capacity(const trine_fused_moe_problem &p)
{
    const int64_t more =
        p.slots > p.experts ? (p.slots - p.experts) / p.align_block_size : INT64_C(0);
    const int64_t blocks = p.experts + more;
    return p.align_block_size * (blocks < p.slots ? blocks : p.slots);
}

static inline moe_routes moe_routes_of(const trine_launch *launch)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const trine_fused_moe_workspace &at = p.workspace;
    moe_routes r = {};
    r.ids = static_cast<const int32_t *>(p.topk_ids.data);
    r.id_token = p.topk_ids.stride[0], r.id_rank = p.topk_ids.stride[1];
    r.weights = static_cast<const float *>(p.topk_weights.data);
    r.weight_token = p.topk_weights.stride[0], r.weight_rank = p.topk_weights.stride[1];
    if (moe_given(p.expert_map)) {
        // An empty map maps nothing: any address will do.
        r.map = p.expert_map.data ? static_cast<const int32_t *>(p.expert_map.data) : r.ids;
        r.map_step = p.expert_map.stride[0];
        r.map_length = p.expert_map.shape[0];
    }
    r.tokens = p.tokens;
    r.experts = (int32_t)(p.experts < INT32_MAX ? p.experts : INT32_MAX);
    r.k = (int32_t)(p.slots > 0 ? p.k : 0); // without slots nothing asks
    r.slots = (int32_t)p.slots;
    r.block_size = (int32_t)p.align_block_size;
    r.sorted = static_cast<const int32_t *>(moe_part(launch, at.sorted_token_ids));
    r.expert_of = static_cast<const int32_t *>(moe_part(launch, at.expert_ids));
    r.count = static_cast<const int32_t *>(moe_part(launch, at.num_tokens_post_padded));
    return r;
}

// Bits of the largest elements of x and of the activations, per tensor: two words behind the count,
// whose part of the workspace is 256 bytes.
static inline uint32_t *moe_amax_words(const trine_launch *launch)
{
    return static_cast<uint32_t *>(
               moe_part(launch, launch->problem->fused_moe.workspace.num_tokens_post_padded)) +
           1;
}

static inline void moe_weight_scales(const trine_fused_moe_problem &p, const trine_view &w_scale,
                                     const trine_view &zero, moe_gemm *g)
{
    g->scale_rows_per = 1;
    if (p.quantization == TRINE_MOE_NONE) return;
    g->w_scale = w_scale.data;
    g->scale_dtype = w_scale.dtype;
    g->scale_expert = w_scale.stride[0];
    if (p.quantization == TRINE_MOE_FP8_TENSOR) return;
    g->scale_row = w_scale.stride[1];
    if (moe_per_block(p)) {
        g->segment = p.block_k;
        g->scale_segment = w_scale.stride[2];
        g->scale_rows_per = p.block_n;
    }
    if (moe_quantizes(p) || p.quantization == TRINE_MOE_FP8_CHANNEL) return;
    if (p.quantization != TRINE_MOE_INT8_W8A16 && p.quantization != TRINE_MOE_INT4_W4A16) return;
    g->decode = p.quantization == TRINE_MOE_INT4_W4A16 ? MOE_GROUP_4
                : p.group_size > 0                     ? MOE_GROUP_8
                                                       : MOE_CHANNEL;
    if (g->decode == MOE_CHANNEL) return;
    g->segment = p.group_size;
    g->scale_segment = w_scale.stride[2];
    if (!moe_given(zero)) return;
    g->zero = static_cast<const uint8_t *>(zero.data);
    g->zero_expert = zero.stride[0], g->zero_row = zero.stride[1];
    g->zero_segment = zero.stride[2];
}

static inline moe_gemm moe_gemm_of(const trine_launch *launch, bool second)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const trine_view &w = second ? p.w2 : p.w1, &bias = second ? p.b2 : p.b1;
    const trine_view &given = second ? p.a2_scale : p.a1_scale;
    moe_gemm g = {};
    g.second = second;
    g.n = second ? p.hidden : p.n1;
    g.k = g.segment = second ? p.intermediate : p.hidden;
    g.w = w.data;
    g.w_dtype = w.dtype, g.x_dtype = p.x.dtype;
    g.w_expert = w.stride[0], g.w_row = w.stride[1], g.w_column = w.stride[2];
    moe_weight_scales(p, second ? p.w2_scale : p.w1_scale, second ? p.w2_zero : p.w1_zero, &g);
    g.scaled = moe_quantizes(p);
    if (g.scaled || second) {
        g.a = moe_part(launch, second ? p.workspace.a2 : p.workspace.a1);
        g.a_row = g.k, g.a_column = 1;
        g.a_dtype = g.scaled ? w.dtype : p.x.dtype;
    } else {
        g.a = p.x.data;
        g.a_row = p.x.stride[0], g.a_column = p.x.stride[1];
        g.a_dtype = p.x.dtype;
    }
    if (g.scaled) {
        g.a_scale = static_cast<const float *>(
            moe_given(given)
                ? given.data
                : moe_part(launch, second ? p.workspace.a2_scale : p.workspace.a1_scale));
        const bool tensor = p.quantization == TRINE_MOE_FP8_TENSOR;
        g.a_scale_row = tensor ? 0 : moe_per_block(p) ? (g.k + p.block_k - 1) / p.block_k : 1;
        g.a_scale_segment = moe_per_block(p) ? 1 : 0;
    }
    if (moe_given(bias)) {
        g.bias = bias.data;
        g.bias_dtype = bias.dtype;
        g.bias_expert = bias.stride[0], g.bias_column = bias.stride[1];
    }
    g.weighted = p.router_weight_on_input != second;
    g.each = p.intermediate_rounding == TRINE_ROUND_EACH;
    return g;
}

// What the launched row does of `combine`: MOE_TO_SUMMANDS, MOE_ADD_TO_OUT or MOE_ADD_TO_SUMS,
// which combine = none overrides.
static inline moe_sink moe_sink_of(const trine_fused_moe_problem &p, moe_sink row)
{
    return p.combine == TRINE_COMBINE_NONE ? MOE_TO_OUT_SLOTS : row;
}

static inline moe_output moe_output_of(const trine_launch *launch, moe_sink sink)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    moe_output o = {};
    o.sink = sink;
    o.column = 1;
    o.dtype = TRINE_F32;
    o.factor = p.routed_scaling_factor;
    switch (sink) {
    case MOE_TO_SLOTS:
        o.data = moe_part(launch, p.workspace.h);
        o.token = p.k * p.n1, o.rank = p.n1;
        break;
    case MOE_TO_SUMMANDS:
        o.data = moe_part(launch, p.workspace.c);
        o.token = p.k * p.hidden, o.rank = p.hidden;
        o.dtype = p.x.dtype;
        break;
    case MOE_ADD_TO_SUMS:
        o.data = moe_part(launch, p.workspace.c);
        o.token = p.hidden;
        break;
    default: // out itself
        o.data = p.out.data;
        o.token = p.out.stride[0];
        if (sink == MOE_TO_OUT_SLOTS) o.rank = p.out.stride[1];
        o.column = p.out.stride[p.out.rank - 1];
        o.dtype = p.out.dtype;
        break;
    }
    return o;
}

static inline moe_quantizer moe_quantizer_of(const trine_launch *launch, bool second)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const trine_fused_moe_workspace &at = p.workspace;
    const trine_view &given = second ? p.a2_scale : p.a1_scale;
    moe_quantizer q = {};
    q.second = second;
    q.from = second ? moe_part(launch, at.h) : p.x.data;
    q.from_row = second ? p.n1 : p.x.stride[0];
    q.from_column = second ? 1 : p.x.stride[1];
    q.from_dtype = second ? TRINE_F32 : p.x.dtype;
    q.interleaved = p.gated && p.gate_layout == TRINE_GATE_INTERLEAVED;
    q.rule = activation_rule_of(p);
    q.rows = second ? p.slots : p.tokens;
    q.columns = q.block = second ? p.intermediate : p.hidden;
    q.blocks = 1;
    q.codes = moe_quantizes(p);
    q.to = moe_part(launch, second ? at.a2 : at.a1);
    q.to_dtype = q.codes ? p.w1.dtype : p.x.dtype;
    q.scale = static_cast<float *>(moe_part(launch, second ? at.a2_scale : at.a1_scale));
    if (moe_given(given)) q.given = static_cast<const float *>(given.data);
    q.amax = moe_amax_words(launch) + (second ? 1 : 0);
    q.per_tensor = p.quantization == TRINE_MOE_FP8_TENSOR;
    if (moe_per_block(p)) {
        q.block = p.block_k;
        q.blocks = (q.columns + p.block_k - 1) / p.block_k;
    }
    return q;
}

static inline moe_ending moe_ending_of(const trine_launch *launch, moe_sink sink)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    moe_ending e = {};
    e.out = p.out.data;
    e.token = p.out.stride[0];
    e.column = p.out.stride[p.out.rank - 1];
    e.hidden = p.hidden;
    e.dtype = p.out.dtype;
    e.from = moe_part(launch, p.workspace.c);
    e.from_dtype = sink == MOE_TO_SUMMANDS ? p.x.dtype : TRINE_F32;
    e.factor = p.routed_scaling_factor;
    e.accumulate = p.accumulate;
    return e;
}

} // namespace trine_gpu

#endif
