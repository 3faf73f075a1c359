// SPDX-License-Identifier: Apache-2.0
// topk_gating on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call.
//
// A block routes a token. Nothing is kept between the rounds of a selection but the last pick: each
// round looks through all experts again for the best of those that rank behind it.
#ifndef TRINE_BACKENDS_GPU_TOPK_GATING_GENERIC_H
#define TRINE_BACKENDS_GPU_TOPK_GATING_GENERIC_H

#include "backends/gpu/memory.h"
#include "backends/gpu/topk_gating_key.h"
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t topk_generic_threads = 128;

struct topk_token {
    int64_t token;
    float max, denominator; // softmax: of the capped logits
};

// A candidate as one number: its key, then its id, the lower the better. 0 is none.
TRINE_DEVICE uint64_t topk_candidate(float key, int64_t id)
{
    return (uint64_t)topk_ordered(key) << 32 | (uint32_t)~id;
}

TRINE_DEVICE int64_t topk_id(uint64_t candidate)
{
    return (int64_t)(uint32_t) ~(uint32_t)candidate;
}

TRINE_DEVICE uint64_t topk_larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// What all threads' values come to, on all threads. `values` is shared memory, kept for such calls.
template <bool Sum>
TRINE_DEVICE uint64_t topk_reduce(uint64_t value, uint64_t *values)
{
    __syncthreads(); // the last result has been read
    values[threadIdx.x] = value;
    __syncthreads();
    for (uint32_t half = topk_generic_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            const uint64_t a = values[threadIdx.x], b = values[threadIdx.x + half];
            values[threadIdx.x] = Sum ? a + b : topk_larger(a, b);
        }
        __syncthreads();
    }
    return values[0];
}

TRINE_DEVICE float topk_logit(const trine_topk_gating_problem &p, const topk_token &t, int64_t e)
{
    const int64_t at = t.token * p.logits.stride[0] + e * p.logits.stride[1];
    return topk_finite_logit(load_real(p.logits.data, p.logits.dtype, at));
}

TRINE_DEVICE float topk_capped_logit(const trine_topk_gating_problem &p, const topk_token &t,
                                     int64_t e)
{
    const float logit = topk_logit(p, t, e);
    return p.softcap == 0.0f ? logit : topk_softcap(logit, p.softcap);
}

TRINE_DEVICE float topk_score(const trine_topk_gating_problem &p, const topk_token &t, int64_t e)
{
    const float logit = topk_capped_logit(p, t, e);
    if (p.score == TRINE_SCORE_SIGMOID) return trine_sigmoidf(logit);
    return trine_divf(trine_expf(logit - t.max), t.denominator);
}

TRINE_DEVICE float topk_key(const trine_topk_gating_problem &p, const topk_token &t, int64_t e)
{
    const bool biased = p.correction_bias.rank >= 0;
    if (!biased && p.group_score == TRINE_GROUP_MAX) return topk_logit(p, t, e);
    const float score = topk_score(p, t, e);
    if (!biased) return score;
    return score +
           static_cast<const float *>(p.correction_bias.data)[e * p.correction_bias.stride[0]];
}

TRINE_DEVICE uint64_t topk_group(const trine_topk_gating_problem &p, const topk_token &t,
                                 int64_t group, int64_t size)
{
    uint32_t first = 0, second = 0;
#pragma unroll 1
    for (int64_t e = group * size; e < (group + 1) * size; e++) {
        const uint32_t key = topk_ordered(topk_key(p, t, e));
        second = larger(second, key < first ? key : first);
        first = larger(first, key);
    }
    float key = topk_from_ordered(first);
    if (p.group_score == TRINE_GROUP_TOP2_SUM) key = key + topk_from_ordered(second);
    return topk_candidate(key, group);
}

// The topk_groups-th best group: it and those before it are kept.
TRINE_DEVICE uint64_t topk_last_group(const trine_topk_gating_problem &p, const topk_token &t,
                                      int64_t size, uint64_t *values)
{
    uint64_t last = ~uint64_t(0);
#pragma unroll 1
    for (int64_t i = 0; i < p.topk_groups; i++) {
        uint64_t best = 0;
#pragma unroll 1
        for (int64_t g = threadIdx.x; g < p.num_groups; g += topk_generic_threads) {
            const uint64_t c = topk_group(p, t, g, size);
            if (c < last) best = topk_larger(best, c);
        }
        last = topk_reduce<false>(best, values);
    }
    return last;
}

// The best expert of the kept groups that ranks behind `last`: a thread looks through a group, or
// without groups at every so-manieth expert.
TRINE_DEVICE uint64_t topk_next(const trine_topk_gating_problem &p, const topk_token &t,
                                int64_t size, uint64_t last_group, uint64_t last, uint64_t *values)
{
    uint64_t best = 0;
    if (p.num_groups == 1) { // shortcut
#pragma unroll 1
        for (int64_t e = threadIdx.x; e < p.experts; e += topk_generic_threads) {
            const uint64_t c = topk_candidate(topk_key(p, t, e), e);
            if (c < last) best = topk_larger(best, c);
        }
    } else {
#pragma unroll 1
        for (int64_t g = threadIdx.x; g < p.num_groups; g += topk_generic_threads) {
            if (topk_group(p, t, g, size) < last_group) continue;
#pragma unroll 1
            for (int64_t e = g * size; e < (g + 1) * size; e++) {
                const uint64_t c = topk_candidate(topk_key(p, t, e), e);
                if (c < last) best = topk_larger(best, c);
            }
        }
    }
    return topk_reduce<false>(best, values);
}

// Fills max and denominator; false when no logit is finite.
TRINE_DEVICE bool topk_summarize(const trine_topk_gating_problem &p, topk_token &t,
                                 uint64_t *values)
{
    uint32_t largest = 0;
#pragma unroll 1
    for (int64_t e = threadIdx.x; e < p.experts; e += topk_generic_threads)
        largest = larger(largest, topk_ordered(topk_capped_logit(p, t, e)));
    largest = (uint32_t)topk_reduce<false>(largest, values);
    t.max = topk_from_ordered(largest);
    if (largest == topk_lowest) return false;
    if (p.score == TRINE_SCORE_SIGMOID) return true; // shortcut
    uint64_t sum = 0;
#pragma unroll 1
    for (int64_t e = threadIdx.x; e < p.experts; e += topk_generic_threads) {
        const float exponential = trine_expf(topk_capped_logit(p, t, e) - t.max);
        sum += (uint64_t)trine_rintf(exponential * 0x1p40f);
    }
    t.denominator = (float)topk_reduce<true>(sum, values) * 0x1p-40f;
    return true;
}

TRINE_DEVICE void topk_route(const trine_topk_gating_problem &p, int64_t token, uint64_t *values)
{
    float *weights = static_cast<float *>(p.topk_weights.data) + token * p.topk_weights.stride[0];
    int32_t *ids = static_cast<int32_t *>(p.topk_ids.data) + token * p.topk_ids.stride[0];
    const int64_t weight_stride = p.topk_weights.stride[1], id_stride = p.topk_ids.stride[1];
    topk_token t = {token, 0.0f, 0.0f};
    if (!topk_summarize(p, t, values)) {
#pragma unroll 1
        for (int64_t j = threadIdx.x; j < p.k; j += topk_generic_threads) {
            ids[j * id_stride] = (int32_t)j;
            weights[j * weight_stride] = 0.0f;
        }
        return;
    }
    const int64_t size = p.num_groups == 1 ? p.experts : p.experts / p.num_groups;
    const uint64_t last_group = p.num_groups == 1 ? 0 : topk_last_group(p, t, size, values);
    uint64_t last = ~uint64_t(0);
    float sum = 0.0f;
#pragma unroll 1
    for (int64_t j = 0; j < p.k; j++) {
        last = topk_next(p, t, size, last_group, last, values);
        const int64_t id = topk_id(last);
        const float weight = topk_score(p, t, id);
        sum = sum + weight;
        if (threadIdx.x == j % topk_generic_threads) {
            ids[j * id_stride] = (int32_t)id;
            weights[j * weight_stride] = weight;
        }
    }
    // Each thread reads back what it wrote itself.
#pragma unroll 1
    for (int64_t j = threadIdx.x; j < p.k; j += topk_generic_threads) {
        float weight = weights[j * weight_stride];
        if (p.renormalize) weight = trine_divf(weight, sum + 1e-20f);
        weights[j * weight_stride] = weight * p.scaling_factor;
    }
}

static __global__ void __launch_bounds__(topk_generic_threads)
    topk_gating_generic(const TRINE_GRID_CONSTANT trine_topk_gating_problem p)
{
    __shared__ uint64_t values[topk_generic_threads];
    for (int64_t token = blockIdx.x; token < p.tokens; token += gridDim.x)
        topk_route(p, token, values);
}

} // namespace trine_gpu

#endif
