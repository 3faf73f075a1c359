// SPDX-License-Identifier: Apache-2.0
// What the kernels of moe_align_block_size get, and how a problem becomes it: the same for CUDA and
// HIP.
#ifndef TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_PARAMS_H
#define TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_PARAMS_H

#include "backends/gpu/wave.h"
#include <trine/kernel.h>

namespace trine_gpu
{

// n / d for n < 2^31 and 1 <= d < 2^31, as (n * multiplier) >> shift. With 2^l the power of two at
// or above d, multiplier is 2^(31+l) / d rounded up (or one more), which is too large by less than
// 2^l in 2^(31+l): too little to carry n / d past an integer.
struct moe_align_divisor {
    uint32_t multiplier, shift, value;
};

inline moe_align_divisor moe_align_divisor_make(int64_t value)
{
    uint32_t log2 = 0;
    while ((int64_t(1) << log2) < value) log2++;
    const uint64_t multiplier = (uint64_t(1) << (31 + log2)) / (uint64_t)value + 1;
    return {(uint32_t)multiplier, 31 + log2, (uint32_t)value};
}

TRINE_DEVICE uint32_t moe_align_divide(uint32_t n, const moe_align_divisor &by)
{
    return (uint32_t)((uint64_t)n * by.multiplier >> by.shift);
}

constexpr uint32_t moe_align_threads = 256;

// Positions in use are below 2^31: the op refuses what could need more. The tensors may be larger.
struct moe_align_params {
    const int32_t *topk_ids, *expert_map; // expert_map NULL: ids are local experts
    int32_t *sorted_token_ids, *expert_ids, *num_tokens_post_padded;
    int32_t *workspace;                         // rows of `experts` + 1 entries
    int64_t token_stride, k_stride, map_stride; // elements
    int64_t sorted_stride, expert_ids_stride;   // elements
    int64_t capacity, blocks;                   // entries of the outputs
    uint32_t slots, experts, global_experts;    // global_experts: ids that may be named
    uint32_t chunks, chunk;                     // of `chunk` slots, the last is shorter
    uint32_t expert_bits;                       // that tell experts apart
    bool linear;                                // slot s is element s * k_stride
    moe_align_divisor k, block_size;
};

inline moe_align_params moe_align_params_make(const trine_launch *launch)
{
    const trine_moe_align_block_size_problem &p = launch->problem->moe_align_block_size;
    moe_align_params a = {};
    const bool mapped = p.expert_map.rank >= 0;
    a.topk_ids = static_cast<const int32_t *>(p.topk_ids.data);
    // A map without entries has no address, and names no expert either.
    a.expert_map = mapped ? static_cast<const int32_t *>(p.expert_map.data) : nullptr;
    a.sorted_token_ids = static_cast<int32_t *>(p.sorted_token_ids.data);
    a.expert_ids = static_cast<int32_t *>(p.expert_ids.data);
    a.num_tokens_post_padded = static_cast<int32_t *>(p.num_tokens_post_padded.data);
    a.workspace = static_cast<int32_t *>(launch->workspace);
    a.token_stride = p.topk_ids.stride[0], a.k_stride = p.topk_ids.stride[1];
    a.map_stride = mapped ? p.expert_map.stride[0] : 0;
    a.sorted_stride = p.sorted_token_ids.stride[0], a.expert_ids_stride = p.expert_ids.stride[0];
    a.capacity = p.capacity, a.blocks = p.blocks;
    a.slots = (uint32_t)p.slots, a.experts = (uint32_t)p.experts;
    while ((p.experts - 1) >> a.expert_bits) a.expert_bits++;
    // No id reaches 2^31.
    constexpr int64_t most = INT64_C(1) << 31;
    a.global_experts = (uint32_t)(p.global_experts < most ? p.global_experts : most);
    if (mapped && !a.expert_map) a.global_experts = 0;
    a.linear = p.tokens <= 1 || p.k == 1 || a.token_stride == p.k * a.k_stride;
    if (p.k == 1) a.k_stride = a.token_stride;
    a.k = moe_align_divisor_make(p.slots > 0 ? p.k : 1);
    a.block_size = moe_align_divisor_make(p.block_size);
    // As many chunks as trine_moe_align_workspace has rows for, but one.
    const uint32_t chunks = (uint32_t)((p.slots + 1023) / 1024);
    a.chunks = chunks < 512 ? chunks : 512;
    a.chunk = a.chunks ? (a.slots + a.chunks - 1) / a.chunks : 0;
    return a;
}

// The local expert of a slot, -1 when it is not on this rank.
TRINE_DEVICE int32_t moe_align_expert(const moe_align_params &p, uint32_t slot)
{
    int64_t at = (int64_t)slot * p.k_stride;
    if (!p.linear) { // the long way
        const uint32_t token = moe_align_divide(slot, p.k);
        at = token * p.token_stride + (slot - token * p.k.value) * p.k_stride;
    }
    int32_t id = p.topk_ids[at];
    // One comparison each: negative numbers are large ones.
    if ((uint32_t)id >= p.global_experts) return -1;
    if (p.expert_map) id = p.expert_map[id * p.map_stride];
    return (uint32_t)id < p.experts ? id : -1;
}

// The length of a run of `count` slots with its padding.
TRINE_DEVICE uint32_t moe_align_run(const moe_align_params &p, uint32_t count)
{
    return count == 0 ? 0 : (moe_align_divide(count - 1, p.block_size) + 1) * p.block_size.value;
}

TRINE_DEVICE int32_t *moe_align_row(const moe_align_params &p, uint32_t chunk)
{
    return p.workspace + (int64_t)chunk * ((int64_t)p.experts + 1);
}

TRINE_DEVICE uint32_t moe_align_chunk_end(const moe_align_params &p, uint32_t chunk)
{
    return (uint32_t)smaller<uint64_t>(((uint64_t)chunk + 1) * p.chunk, p.slots);
}

} // namespace trine_gpu

#endif
