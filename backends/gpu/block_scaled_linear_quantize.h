// SPDX-License-Identifier: Apache-2.0
// The first half of block_scaled_linear where per_token_group_quant's fast row can't do it: rows of
// any length, whose last group may be short, and any strides. A team of 32 lanes owns a group.
#ifndef TRINE_BACKENDS_GPU_BLOCK_SCALED_LINEAR_QUANTIZE_H
#define TRINE_BACKENDS_GPU_BLOCK_SCALED_LINEAR_QUANTIZE_H

#include "backends/gpu/memory.h"
#include "numerics/group_scale.h"

namespace trine_gpu
{

constexpr uint32_t row_quantize_threads = 256;

struct row_quantize_params {
    const void *x;
    uint8_t *q;   // [aligned_rows, columns]
    float *scale; // [aligned_rows, groups], strides (1, aligned_rows)
    int64_t x_row, x_column;
    int64_t rows, aligned_rows, columns, groups;
    trine_dtype x_dtype, q_dtype;
    float eps, q_max;
};

// Rows lie on grid.x, groups on grid.y; a grid that is too small goes round. Rows from `rows` on
// are padding, which is zeroed.
static __global__ void __launch_bounds__(row_quantize_threads)
    row_quantize(const TRINE_GRID_CONSTANT row_quantize_params p)
{
    constexpr uint32_t group = 128, team = 32, teams = row_quantize_threads / team;
    const uint32_t lane = threadIdx.x % team;
    for (int64_t first = (int64_t)blockIdx.x * teams; first < p.aligned_rows;
         first += (int64_t)gridDim.x * teams) {
        // A team past the end computes along, so that waves stay whole, and writes nothing.
        const int64_t m = first + threadIdx.x / team;
        for (int64_t j = blockIdx.y; j < p.groups; j += gridDim.y) {
            float x[group / team];
            uint32_t largest = 0;
#pragma unroll
            for (uint32_t i = 0; i < group / team; i++) {
                const int64_t k = j * group + i * team + lane;
                x[i] = m < p.rows && k < p.columns
                           ? load_real(p.x, p.x_dtype, m * p.x_row + k * p.x_column)
                           : 0.0f;
                largest = larger(largest, trine_f32_bits(trine_finite_abs(x[i])));
            }
            float amax = trine_f32_from_bits(team_max<team>(largest));
            amax = p.eps > amax ? p.eps : amax;
            const float s = trine_group_scale_divide(amax, p.q_max);
            if (m >= p.aligned_rows) continue;
#pragma unroll
            for (uint32_t i = 0; i < group / team; i++) {
                const int64_t k = j * group + i * team + lane;
                if (k >= p.columns) break;
                const float v = trine_group_clamp(trine_group_quotient(x[i], s), p.q_max);
                const uint8_t code =
                    p.q_dtype == TRINE_E4M3FN ? trine_f32_to_e4m3fn(v) : trine_f32_to_e4m3fnuz(v);
                p.q[m * p.columns + k] = m < p.rows ? code : 0;
            }
            if (lane == 0) p.scale[j * p.aligned_rows + m] = m < p.rows ? s : 0.0f;
        }
    }
}

} // namespace trine_gpu

#endif
