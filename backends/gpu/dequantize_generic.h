// SPDX-License-Identifier: Apache-2.0
// dequantize on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call, an
// element a thread.
#ifndef TRINE_BACKENDS_GPU_DEQUANTIZE_GENERIC_H
#define TRINE_BACKENDS_GPU_DEQUANTIZE_GENERIC_H

#include "backends/gpu/divider.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t dequantize_generic_block_shift = 8;

// `row` is where the scales of a row of q begin.
TRINE_DEVICE float dequantize_scale(const trine_dequantize_problem &p, int64_t row, int64_t group)
{
    if (!p.packed)
        return static_cast<const float *>(p.scale.data)[row + group * p.scale_column_stride];
    const uint32_t word =
        static_cast<const uint32_t *>(p.scale.data)[row + group / 4 * p.scale_column_stride];
    return trine_ue8m0_to_f32((uint8_t)(word >> (8 * (group % 4))));
}

TRINE_DEVICE float dequantize_code(trine_dtype dtype, uint8_t code)
{
    switch (dtype) {
    case TRINE_E4M3FN:
        return trine_e4m3fn_to_f32(code);
    case TRINE_E4M3FNUZ:
        return trine_e4m3fnuz_to_f32(code);
    case TRINE_E5M2:
        return trine_e5m2_to_f32(code);
    default:
        return (float)(int8_t)code;
    }
}

__global__ void __launch_bounds__(1u << dequantize_generic_block_shift)
    dequantize_generic(const TRINE_GRID_CONSTANT trine_dequantize_problem p,
                       const wide_divider block_rows, const wide_divider group_size,
                       const row_tiles tiles)
{
    for (int64_t m = first_row(tiles); m < tiles.rows; m += row_step(tiles)) {
        const int64_t scales = divide(m, block_rows) * p.scale_row_stride;
        for (int64_t k = first_unit(tiles); k < tiles.units; k += unit_step(tiles)) {
            const uint8_t code =
                static_cast<const uint8_t *>(p.q.data)[m * p.q.stride[0] + k * p.q.stride[1]];
            store_real(p.out.data, p.out.dtype, m * p.out.stride[0] + k * p.out.stride[1],
                       dequantize_code(p.q.dtype, code) *
                           dequantize_scale(p, scales, divide(k, group_size)));
        }
    }
}

} // namespace trine_gpu

#endif
