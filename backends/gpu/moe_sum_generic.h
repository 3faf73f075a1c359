// SPDX-License-Identifier: Apache-2.0
// moe_sum on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call, an element a
// thread.
#ifndef TRINE_BACKENDS_GPU_MOE_SUM_GENERIC_H
#define TRINE_BACKENDS_GPU_MOE_SUM_GENERIC_H

#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"

namespace trine_gpu
{

constexpr uint32_t moe_sum_generic_block_shift = 8;

__global__ void __launch_bounds__(1u << moe_sum_generic_block_shift)
    moe_sum_generic(const TRINE_GRID_CONSTANT trine_moe_sum_problem p, const row_tiles tiles)
{
    for (int64_t t = first_row(tiles); t < tiles.rows; t += row_step(tiles))
        for (int64_t h = first_unit(tiles); h < tiles.units; h += unit_step(tiles)) {
            int64_t from = t * p.y.stride[0] + h * p.y.stride[2];
            // Starts from y[0], not from 0 + y[0], which would lose -0.
            float sum = p.k > 0 ? load_real(p.y.data, p.y.dtype, from) : 0.0f;
            for (int64_t i = 1; i < p.k; i++) {
                from += p.y.stride[1];
                sum = sum + load_real(p.y.data, p.y.dtype, from);
            }
            sum = sum * p.scaling_factor;
            const int64_t to = t * p.out.stride[0] + h * p.out.stride[1];
            if (p.accumulate) sum = load_real(p.out.data, p.out.dtype, to) + sum;
            store_real(p.out.data, p.out.dtype, to, sum);
        }
}

} // namespace trine_gpu

#endif
