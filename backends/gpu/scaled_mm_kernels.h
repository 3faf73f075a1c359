// SPDX-License-Identifier: Apache-2.0
// Kernels of scaled_mm on matrix units, for its launchers: what they get, and the kernels of each
// kind of codes, which stand in files of their own, so that the files compile side by side.
#ifndef TRINE_BACKENDS_GPU_SCALED_MM_KERNELS_H
#define TRINE_BACKENDS_GPU_SCALED_MM_KERNELS_H

#include "backends/gpu/gemm_output.h"
#include "backends/gpu/gemm_tile.h"

namespace trine_gpu
{

struct scaled_mm_params {
    const uint8_t *a, *b;
    const float *a_scale, *b_scale;
    int64_t m, n;
    int64_t a_row, b_row; // bytes
    int64_t a_scale_row, a_scale_block, b_scale_row, b_scale_block;
    uint32_t b_scale_shift; // row of b's scales: n >> shift
    gemm_extent extent;
    gemm_output out;
    bool wide;  // rows of out take accesses of 16 bytes
    bool whole; // i8: one scale for all of K, and its sums are exact
};

constexpr uint32_t scaled_mm_skinny_columns = 32;

struct scaled_mm_kernel {
    const void *function;
    uint32_t shared_memory;
};

struct scaled_mm_kernel_set {
    scaled_mm_kernel large, small; // tiles of 128 by 128, of 64 by 64
    scaled_mm_kernel few, some;    // 16 rows, 32 rows by 32
};

} // namespace trine_gpu

trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_e4m3fn();
trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_e4m3fnuz();
trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_e5m2();
trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_i8();
// 8-bit floats that the matrix unit itself reads.
trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_native_e4m3();
trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_native_e5m2();

#endif
