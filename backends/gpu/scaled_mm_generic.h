// SPDX-License-Identifier: Apache-2.0
// scaled_mm on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call. Tiles of
// 64 by 64 through shared memory, without matrix units; types and strides are looked up as it goes.
#ifndef TRINE_BACKENDS_GPU_SCALED_MM_GENERIC_H
#define TRINE_BACKENDS_GPU_SCALED_MM_GENERIC_H

#include "backends/gpu/gemm_output.h"

namespace trine_gpu
{

constexpr uint32_t scaled_mm_generic_threads = 256, scaled_mm_generic_tile = 64;

// One code as what is multiplied.
TRINE_DEVICE float decode_code(uint8_t code, trine_dtype dtype, float)
{
    if (dtype == TRINE_E4M3FN) return trine_e4m3fn_to_f32(code);
    // E5M2 is the upper byte of a binary16.
    return dtype == TRINE_E5M2 ? f16::from_bits((uint32_t)code << 8) : trine_e4m3fnuz_to_f32(code);
}

TRINE_DEVICE int32_t decode_code(uint8_t code, trine_dtype, int32_t)
{
    return (int8_t)code;
}

TRINE_DEVICE float multiply_add(float a, float b, float sum)
{
    return trine_fmaf(a, b, sum);
}

TRINE_DEVICE int32_t multiply_add(int32_t a, int32_t b, int32_t sum)
{
    return a * b + sum;
}

// a / b. AMD's compiler divides 64-bit numbers through approximations, which its registers on
// gfx90a make hard to tell from those that exact kernels must not hold: bit by bit instead.
TRINE_DEVICE int64_t quotient(int64_t a, int64_t b)
{
#if defined(__HIP__)
    int64_t rest = 0, result = 0;
    for (int bit = 62; bit >= 0; bit--) {
        if (a >> bit == 0) continue;
        rest = rest << 1 | (a >> bit & 1);
        result = result << 1 | (rest >= b ? 1 : 0);
        if (rest >= b) rest -= b;
    }
    return result;
#else
    return a / b;
#endif
}

// Sum is f32 for fp8 and i32 for i8.
template <class Sum>
__global__ void __launch_bounds__(scaled_mm_generic_threads)
    scaled_mm_generic(const TRINE_GRID_CONSTANT trine_scaled_mm_problem p,
                      const TRINE_GRID_CONSTANT gemm_output o)
{
    constexpr uint32_t tile = scaled_mm_generic_tile, depth = 16, per = 4;
    // What i32 holds for certain, in steps of `depth` products of at most 2^14.
    constexpr uint32_t steps_in_i32 = (1u << 16) / depth;
    __shared__ Sum a[tile][depth + 1], b[tile][depth + 1];
    const uint32_t tx = threadIdx.x % 16, ty = threadIdx.x / 16;
    const uint8_t *a_data = static_cast<const uint8_t *>(p.a.data);
    const uint8_t *b_data = static_cast<const uint8_t *>(p.b.data);
    const float *a_scale = static_cast<const float *>(p.a_scale.data);
    const float *b_scale = static_cast<const float *>(p.b_scale.data);

    for (int64_t m0 = (int64_t)blockIdx.x * tile; m0 < p.m; m0 += (int64_t)gridDim.x * tile) {
        for (int64_t n0 = (int64_t)blockIdx.y * tile; n0 < p.n; n0 += (int64_t)gridDim.y * tile) {
            int64_t a_scale_at[per], b_scale_at[per];
            float result[per][per];
#pragma unroll
            for (uint32_t i = 0; i < per; i++) {
                const int64_t m = m0 + ty + 16 * i, n = n0 + tx + 16 * i;
                a_scale_at[i] = (m < p.m ? m : 0) * p.a_scale_row;
                b_scale_at[i] = quotient(n < p.n ? n : 0, p.b_scale_rows_per) * p.b_scale_row;
#pragma unroll
                for (uint32_t j = 0; j < per; j++) result[i][j] = 0.0f;
            }

            for (int64_t block = 0; block < p.blocks; block++) {
                const int64_t begin = block * p.block_k;
                const int64_t end = begin + smaller(p.k - begin, p.block_k);
                Sum sum[per][per] = {};
                uint32_t steps = 0;
                for (int64_t k0 = begin; k0 < end; k0 += depth) {
                    __syncthreads(); // the last step's values have been read
                    const int64_t k = k0 + tx;
#pragma unroll 1
                    for (uint32_t i = 0; i < per; i++) {
                        const int64_t m = m0 + ty + 16 * i, n = n0 + ty + 16 * i;
                        a[ty + 16 * i][tx] =
                            m < p.m && k < end
                                ? decode_code(a_data[m * p.a.stride[0] + k * p.a.stride[1]],
                                              p.a.dtype, Sum(0))
                                : Sum(0);
                        b[ty + 16 * i][tx] =
                            n < p.n && k < end
                                ? decode_code(b_data[n * p.b.stride[0] + k * p.b.stride[1]],
                                              p.a.dtype, Sum(0))
                                : Sum(0);
                    }
                    __syncthreads();
#pragma unroll 4
                    for (uint32_t d = 0; d < depth; d++)
#pragma unroll
                        for (uint32_t i = 0; i < per; i++)
#pragma unroll
                            for (uint32_t j = 0; j < per; j++)
                                sum[i][j] =
                                    multiply_add(a[ty + 16 * i][d], b[tx + 16 * j][d], sum[i][j]);
                    if (++steps < steps_in_i32 && k0 + depth < end) continue;
                    steps = 0;
#pragma unroll
                    for (uint32_t i = 0; i < per; i++) {
                        const float s = a_scale[a_scale_at[i] + block * p.a_scale_block];
#pragma unroll
                        for (uint32_t j = 0; j < per; j++) {
                            const float t = s * b_scale[b_scale_at[j] + block * p.b_scale_block];
                            result[i][j] = trine_fmaf(t, (float)sum[i][j], result[i][j]);
                            sum[i][j] = 0;
                        }
                    }
                }
            }

#pragma unroll
            for (uint32_t i = 0; i < per; i++)
#pragma unroll
                for (uint32_t j = 0; j < per; j++) {
                    const int64_t m = m0 + ty + 16 * i, n = n0 + tx + 16 * j;
                    if (m < p.m && n < p.n) store_output(o, m, n, result[i][j]);
                }
        }
    }
}

} // namespace trine_gpu

#endif
