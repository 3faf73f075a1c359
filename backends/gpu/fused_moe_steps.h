// SPDX-License-Identifier: Apache-2.0
// What fused_moe does around its products, for CUDA and HIP, any legal call: quantization, the
// activation, clearing, the sum.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_STEPS_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_STEPS_H

#include "backends/gpu/atomic.h"
#include "backends/gpu/fused_moe_elements.h"

namespace trine_gpu
{

// Per tensor: bits of the largest finite element. Rows on grid.x.
__global__ void __launch_bounds__(moe_step_threads)
    moe_tensor_amax(const TRINE_GRID_CONSTANT moe_routes r,
                    const TRINE_GRID_CONSTANT moe_quantizer q)
{
    uint32_t largest = 0;
    for (int64_t row = blockIdx.x; row < q.rows; row += gridDim.x) {
        if (moe_quantizer_skips(r, q, row)) continue;
        for (int64_t i = threadIdx.x; i < q.columns; i += moe_step_threads)
            largest =
                larger(largest, trine_f32_bits(trine_finite_abs(moe_quantizer_input(q, row, i))));
    }
    largest = moe_team_max<moe_step_threads>(largest);
    if (threadIdx.x == 0) atomic_max(q.amax, largest);
}

// Rows on grid.x, blocks on grid.y; a team of lanes a pair of them.
template <uint32_t Team>
__global__ void __launch_bounds__(moe_step_threads)
    moe_quantize(const TRINE_GRID_CONSTANT moe_routes r, const TRINE_GRID_CONSTANT moe_quantizer q)
{
    constexpr uint32_t teams = moe_step_threads / Team;
    const uint32_t lane = threadIdx.x % Team;
    const float tensor_scale = moe_tensor_scale(q);
    for (int64_t row0 = (int64_t)blockIdx.x * teams; row0 < q.rows;
         row0 += (int64_t)gridDim.x * teams) {
        // A team past the end computes along, so that waves stay whole, and writes nothing.
        const int64_t row = row0 + threadIdx.x / Team;
        const bool live = row < q.rows && !moe_quantizer_skips(r, q, row);
        for (int64_t block = blockIdx.y; block < q.blocks; block += gridDim.y) {
            const int64_t begin = block * q.block;
            int64_t end = begin + smaller(q.columns - begin, q.block);
            if (!live) end = begin;
            float s = tensor_scale;
            if (q.codes && !q.per_tensor) {
                uint32_t largest = 0;
                for (int64_t i = begin + lane; i < end; i += Team)
                    largest = larger(
                        largest, trine_f32_bits(trine_finite_abs(moe_quantizer_input(q, row, i))));
                s = moe_group_scale(moe_team_max<Team>(largest), q.to_dtype);
                if (live && lane == 0) q.scale[row * q.blocks + block] = s;
            }
            for (int64_t i = begin + lane; i < end; i += Team) {
                const float value = moe_quantizer_input(q, row, i);
                const int64_t at = row * q.columns + i;
                if (q.codes)
                    static_cast<uint8_t *>(q.to)[at] = moe_quantize_code(value, s, q.to_dtype);
                else
                    moe_store(q.to, q.to_dtype, at, value);
            }
        }
    }
}

__global__ void __launch_bounds__(moe_step_threads)
    moe_clear(const TRINE_GRID_CONSTANT moe_routes r, const TRINE_GRID_CONSTANT moe_clearing c)
{
    if (blockIdx.x == 0 && threadIdx.x < 2) c.amax[threadIdx.x] = 0;
    for (int64_t row = blockIdx.x; row < c.rows; row += gridDim.x) {
        int64_t token = row, rank = 0;
        if (c.slots) {
            token = (uint32_t)row / (uint32_t)r.k, rank = row - token * r.k;
            if (moe_expert(r, token, rank) >= 0) continue; // shortcut: the product writes it
        }
        const int64_t at = token * c.token + rank * c.rank;
        for (int64_t n = threadIdx.x; n < c.columns; n += moe_step_threads)
            moe_store(c.data, c.dtype, at + n * c.column, 0.0f);
    }
}

// separate: sums each token's summands by rank; tokens on grid.x, columns on grid.y.
__global__ void __launch_bounds__(moe_step_threads)
    moe_sum_summands(const TRINE_GRID_CONSTANT moe_routes r, const TRINE_GRID_CONSTANT moe_ending e)
{
    for (int64_t t = blockIdx.x; t < r.tokens; t += gridDim.x) {
        for (int64_t n = (int64_t)blockIdx.y * moe_step_threads + threadIdx.x; n < e.hidden;
             n += (int64_t)gridDim.y * moe_step_threads) {
            float sum = 0.0f;
            for (int64_t j = 0; j < r.k; j++)
                if (moe_expert(r, t, j) >= 0)
                    sum = sum + load_real(e.from, e.from_dtype, (t * r.k + j) * e.hidden + n);
            sum = sum * e.factor;
            const int64_t at = t * e.token + n * e.column;
            if (e.accumulate) sum = load_real(e.out, e.dtype, at) + sum;
            moe_store(e.out, e.dtype, at, sum);
        }
    }
}

// atomic_f32: rounds the sums. The grid as above.
__global__ void __launch_bounds__(moe_step_threads)
    moe_round_sums(const TRINE_GRID_CONSTANT moe_routes r, const TRINE_GRID_CONSTANT moe_ending e)
{
    for (int64_t t = blockIdx.x; t < r.tokens; t += gridDim.x) {
        for (int64_t n = (int64_t)blockIdx.y * moe_step_threads + threadIdx.x; n < e.hidden;
             n += (int64_t)gridDim.y * moe_step_threads) {
            float sum = static_cast<const float *>(e.from)[t * e.hidden + n] * e.factor;
            const int64_t at = t * e.token + n * e.column;
            if (e.accumulate) sum = load_real(e.out, e.dtype, at) + sum;
            moe_store(e.out, e.dtype, at, sum);
        }
    }
}

} // namespace trine_gpu

#endif
