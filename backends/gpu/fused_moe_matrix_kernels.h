// SPDX-License-Identifier: Apache-2.0
// Kernels of fused_moe's products on matrix units, for their launchers: what they get, and the
// kernels of each kind of operands, which stand in files of their own, so that the files compile
// side by side.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_MATRIX_KERNELS_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_MATRIX_KERNELS_H

#include "backends/gpu/fused_moe_params.h"
#include "backends/gpu/gemm_tile.h"

namespace trine_gpu
{

constexpr uint32_t moe_matrix_columns = 128;

struct moe_matrix_params {
    moe_routes r;
    moe_gemm g;
    moe_output o;
    moe_quantizer q; // of the activations, where they follow at once
    gemm_extent extent;
    int64_t a_row, w_expert, w_row; // bytes
    uint32_t block_shift;           // of the sorted slots' blocks
    uint32_t scale_shift;           // row of the weight's scales: n >> shift
    uint32_t group_shift;           // group of a weight: k >> shift
    bool activates;                 // results go through the activation into q.to
    bool pairs;                     // and come as gates and ups
    bool wide;                      // rows of the output take accesses of 16 bytes
};

// By rows of a tile: 16, 64.
struct moe_matrix_kernels {
    const void *few, *many;
};

} // namespace trine_gpu

// Activations and weights in x's dtype; weights in bytes, or in halves of bytes, with scales.
trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_bf16(trine_gpu::moe_decode decode);
trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_f16(trine_gpu::moe_decode decode);
trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_fp8(trine_dtype dtype);
trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_i8();
// 8-bit floats that the matrix unit itself reads.
trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_native_fp8();

#endif
