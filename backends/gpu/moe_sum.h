// SPDX-License-Identifier: Apache-2.0
// moe_sum on a GPU, for CUDA and HIP: the fast row `vector`. (`generic` stands in
// moe_sum_generic.h.)
//
// A thread makes 16 bytes of out. All the k chunks that it adds up are on their way before it adds
// the first: k is known at compile time up to 8, beyond that they come in batches of 4. Tokens lie
// on grid.x, column blocks on grid.y.
#ifndef TRINE_BACKENDS_GPU_MOE_SUM_H
#define TRINE_BACKENDS_GPU_MOE_SUM_H

#include "backends/gpu/format.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t moe_sum_block_shift = 8;
constexpr uint32_t moe_sum_batch = 4;

struct moe_sum_params {
    const void *y;
    void *out;
    int64_t y_token, y_expert, out_token; // bytes
    int64_t k;
    row_tiles tiles; // chunks of 16 bytes
    float scaling_factor;
    bool accumulate;
};

// Eight chunks in flight need registers more than threads.
template <uint32_t K>
constexpr uint32_t moe_sum_resident = K > 6             ? 1024
                                      : K > 4 || K == 0 ? 1280
                                                        : 1536;

template <class X>
TRINE_DEVICE void add_chunk(float (&sum)[4 * X::per_word], const uint32_t (&words)[4])
{
#pragma unroll
    for (uint32_t i = 0; i < 4 * X::per_word; i++) sum[i] = sum[i] + X::element(words, i);
}

// The sum of K chunks, or of k where K is 0.
template <class X, uint32_t K>
TRINE_DEVICE void sum_chunks(float (&sum)[4 * X::per_word], const uint8_t *y, int64_t step,
                             int64_t k)
{
    constexpr uint32_t n = 4 * X::per_word;
    if constexpr (K > 0) {
        uint32_t words[K][4];
#pragma unroll
        for (uint32_t i = 0; i < K; i++) load_streamed(words[i], y + i * step);
            // From y[0], not from 0 + y[0], which would lose -0.
#pragma unroll
        for (uint32_t i = 0; i < n; i++) sum[i] = X::element(words[0], i);
#pragma unroll
        for (uint32_t i = 1; i < K; i++) add_chunk<X>(sum, words[i]);
    } else {
        // -0 + y is y, -0 too.
        const float start = k > 0 ? -0.0f : 0.0f;
#pragma unroll
        for (uint32_t i = 0; i < n; i++) sum[i] = start;
        int64_t left = k;
        for (; left >= moe_sum_batch; left -= moe_sum_batch, y += moe_sum_batch * step) {
            uint32_t words[moe_sum_batch][4];
#pragma unroll
            for (uint32_t i = 0; i < moe_sum_batch; i++) load_streamed(words[i], y + i * step);
#pragma unroll
            for (uint32_t i = 0; i < moe_sum_batch; i++) add_chunk<X>(sum, words[i]);
        }
#pragma unroll 1
        for (; left > 0; left--, y += step) {
            uint32_t words[4];
            load_streamed(words, y);
            add_chunk<X>(sum, words);
        }
    }
}

template <class X, uint32_t K>
__global__ void TRINE_LAUNCH_BOUNDS(1u << moe_sum_block_shift, moe_sum_resident<K>)
    moe_sum_vector(const TRINE_GRID_CONSTANT moe_sum_params p)
{
    constexpr uint32_t n = X::per_word;
    const uint32_t chunk = first_unit<uint32_t>(p.tiles);
    if (chunk >= (uint32_t)p.tiles.units) return;
    const uint8_t *y = static_cast<const uint8_t *>(p.y) + (int64_t)chunk * 16;
    uint8_t *out = static_cast<uint8_t *>(p.out) + (int64_t)chunk * 16;
    for (uint32_t token = first_row<uint32_t>(p.tiles); token < (uint32_t)p.tiles.rows;
         token += row_step<uint32_t>(p.tiles)) {
        uint32_t words[4] = {0, 0, 0, 0};
        if (p.accumulate) load_streamed(words, out + token * p.out_token);
        float sum[4 * n];
        sum_chunks<X, K>(sum, y + token * p.y_token, p.y_expert, p.k);
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            float part[n];
#pragma unroll
            for (uint32_t j = 0; j < n; j++) {
                part[j] = sum[i * n + j] * p.scaling_factor;
                if (p.accumulate) part[j] = X::element(words, i * n + j) + part[j];
            }
            words[i] = X::pack_word(part);
        }
        store_words(out + token * p.out_token, words);
    }
}

// For a problem that trine_gpu_moe_sum_vector_refuse has let through.
static inline trine_gpu_grid moe_sum_plan(const trine_moe_sum_problem *problem, moe_sum_params *p)
{
    const int64_t element = problem->y.dtype == TRINE_F32 ? 4 : 2;
    p->y = problem->y.data;
    p->out = problem->out.data;
    p->y_token = problem->y.stride[0] * element;
    p->y_expert = problem->y.stride[1] * element;
    p->out_token = problem->out.stride[0] * element;
    p->k = problem->k;
    p->scaling_factor = problem->scaling_factor;
    p->accumulate = problem->accumulate;
    return row_tiles_make(&p->tiles, problem->tokens, problem->columns * element / 16,
                          moe_sum_block_shift);
}

template <class X>
static const void *moe_sum_vector_of(int64_t k)
{
    switch (k) {
    case 1:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 1>);
    case 2:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 2>);
    case 3:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 3>);
    case 4:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 4>);
    case 5:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 5>);
    case 6:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 6>);
    case 7:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 7>);
    case 8:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 8>);
    default:
        return reinterpret_cast<const void *>(&moe_sum_vector<X, 0>);
    }
}

} // namespace trine_gpu

#endif
