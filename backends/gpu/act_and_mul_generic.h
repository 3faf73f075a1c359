// SPDX-License-Identifier: Apache-2.0
// act_and_mul on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call, an
// element a thread.
#ifndef TRINE_BACKENDS_GPU_ACT_AND_MUL_GENERIC_H
#define TRINE_BACKENDS_GPU_ACT_AND_MUL_GENERIC_H

#include "backends/gpu/activation.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"

namespace trine_gpu
{

constexpr uint32_t act_and_mul_generic_block_shift = 8;

__global__ void __launch_bounds__(1u << act_and_mul_generic_block_shift)
    act_and_mul_generic(const TRINE_GRID_CONSTANT trine_act_and_mul_problem p,
                        const activation_rule rule, const row_tiles tiles)
{
    // Columns of x from a gate to the next one, and to its up.
    const bool interleaved = p.gated && p.gate_layout == TRINE_GATE_INTERLEAVED;
    const int64_t step = interleaved ? 2 : 1, up_at = interleaved ? 1 : p.columns;
    for (int64_t m = first_row(tiles); m < tiles.rows; m += row_step(tiles))
        for (int64_t i = first_unit(tiles); i < tiles.units; i += unit_step(tiles)) {
            const int64_t at = m * p.x.stride[0] + i * step * p.x.stride[1];
            const float gate = load_real(p.x.data, p.x.dtype, at);
            const float up =
                p.gated ? load_real(p.x.data, p.x.dtype, at + up_at * p.x.stride[1]) : 0.0f;
            store_real(p.out.data, p.out.dtype, m * p.out.stride[0] + i * p.out.stride[1],
                       activate(rule, gate, up));
        }
}

} // namespace trine_gpu

#endif
