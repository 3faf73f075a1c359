// SPDX-License-Identifier: Apache-2.0
// fused_moe's products on a GPU, for CUDA and HIP, as the rows `generic*` form them: tiles through
// shared memory, one element at a time, in f32 fma. Types, layouts and strides are looked up.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_GENERIC_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_GENERIC_H

#include "backends/gpu/fused_moe_sink.h"

namespace trine_gpu
{

constexpr uint32_t moe_generic_threads = 256;
constexpr uint32_t moe_generic_columns = 64, moe_generic_depth = 16;

TRINE_DEVICE float moe_code(const void *data, trine_dtype dtype, int64_t at)
{
    const uint8_t code = static_cast<const uint8_t *>(data)[at];
    if (dtype == TRINE_E4M3FN) return trine_e4m3fn_to_f32(code);
    if (dtype == TRINE_E4M3FNUZ) return trine_e4m3fnuz_to_f32(code);
    return (float)(int8_t)code;
}

TRINE_DEVICE float moe_element(const void *data, trine_dtype dtype, int64_t at)
{
    if (dtype == TRINE_F32 || dtype == TRINE_F16 || dtype == TRINE_BF16)
        return load_real(data, dtype, at);
    return moe_code(data, dtype, at);
}

// Weight (row n, column k) of the row that begins at `row`, with the scale and zero of its segment.
TRINE_DEVICE float moe_weight(const moe_gemm &g, int64_t row, int64_t k, float scale, float zero)
{
    if (g.decode == MOE_VALUE) return moe_element(g.w, g.w_dtype, row + k * g.w_column);
    const uint8_t *bytes = static_cast<const uint8_t *>(g.w);
    float q;
    if (g.decode == MOE_GROUP_4) {
        const uint32_t byte = bytes[row + (k >> 1) * g.w_column];
        q = (float)(k & 1 ? byte >> 4 : byte & 15u);
    } else {
        const uint8_t byte = bytes[row + k * g.w_column];
        q = g.decode == MOE_CHANNEL ? (float)(int8_t)byte : (float)byte;
    }
    return round_real((q - zero) * scale, g.x_dtype);
}

TRINE_DEVICE float moe_zero(const moe_gemm &g, int64_t expert, int64_t n, int64_t segment)
{
    if (g.decode == MOE_CHANNEL) return 0.0f;
    if (!g.zero) return g.decode == MOE_GROUP_4 ? 8.0f : 128.0f;
    const int64_t row = g.decode == MOE_GROUP_4 ? n >> 1 : n;
    const uint32_t zero =
        g.zero[expert * g.zero_expert + row * g.zero_row + segment * g.zero_segment];
    if (g.decode != MOE_GROUP_4) return (float)zero;
    return (float)(n & 1 ? zero >> 4 : zero & 15u);
}

TRINE_DEVICE float moe_scale(const moe_gemm &g, int64_t expert, int64_t n, int64_t segment)
{
    return load_real(g.w_scale, g.scale_dtype,
                     expert * g.scale_expert + n / g.scale_rows_per * g.scale_row +
                         segment * g.scale_segment);
}

// Bias, router weight and rounding: from a sum to g, or to c.
TRINE_DEVICE float moe_result(const moe_gemm &g, float sum, int32_t expert, int64_t n, float weight)
{
    if (g.bias)
        sum = sum + load_real(g.bias, g.bias_dtype, expert * g.bias_expert + n * g.bias_column);
    sum = sum * weight;
    return g.each ? round_real(sum, g.x_dtype) : sum;
}

// Rows of a tile: 16 * Rows positions of the sorted slots, all of one expert. Each thread holds
// Rows of them and 4 neighboring columns.
template <uint32_t Rows>
__global__ void TRINE_LAUNCH_BOUNDS(moe_generic_threads, 512)
    moe_generic_product(const TRINE_GRID_CONSTANT moe_routes r,
                        const TRINE_GRID_CONSTANT moe_gemm g,
                        const TRINE_GRID_CONSTANT moe_output o)
{
    constexpr uint32_t rows = 16 * Rows, columns = moe_generic_columns, depth = moe_generic_depth;
    constexpr uint32_t per = columns / 16;
    __shared__ float a[depth][rows + 1], w[depth][columns + 4];
    __shared__ float scale[columns], zero[columns], a_scale[rows];
    __shared__ int32_t slot[rows];
    const uint32_t tx = threadIdx.x % 16, ty = threadIdx.x / 16;
    const int64_t positions = *r.count;

    for (int64_t m0 = (int64_t)blockIdx.x * rows; m0 < positions; m0 += (int64_t)gridDim.x * rows) {
        const int32_t expert = r.expert_of[(uint32_t)m0 / (uint32_t)r.block_size];
        __syncthreads(); // the last tile's slots have been read
        if (threadIdx.x < rows) slot[threadIdx.x] = r.sorted[m0 + threadIdx.x];
        __syncthreads();
        int64_t a_row[Rows]; // of the rows that this thread stages; -1: padding
#pragma unroll
        for (uint32_t i = 0; i < Rows; i++) {
            const int32_t s = slot[ty + 16 * i];
            a_row[i] = s >= r.slots ? -1 : (int64_t)(g.second ? s : s / r.k) * g.a_row;
        }
        for (int64_t n0 = (int64_t)blockIdx.y * columns; n0 < g.n;
             n0 += (int64_t)gridDim.y * columns) {
            float total[Rows][per] = {};
            int64_t segment = 0;
            for (int64_t begin = 0; begin < g.k; begin += g.segment, segment++) {
                const int64_t end = begin + smaller(g.k - begin, g.segment);
                __syncthreads(); // the last segment's scales have been read
                if (threadIdx.x < columns && (g.scaled || g.decode != MOE_VALUE)) {
                    const int64_t n = n0 + threadIdx.x < g.n ? n0 + threadIdx.x : g.n - 1;
                    scale[threadIdx.x] = moe_scale(g, expert, n, segment);
                    zero[threadIdx.x] =
                        g.decode == MOE_VALUE ? 0.0f : moe_zero(g, expert, n, segment);
                }
                if (g.scaled && threadIdx.x < rows) {
                    const int32_t s = slot[threadIdx.x];
                    const int64_t row = s >= r.slots ? 0 : g.second ? s : s / r.k;
                    a_scale[threadIdx.x] =
                        g.a_scale[row * g.a_scale_row + segment * g.a_scale_segment];
                }
                float sum[Rows][per] = {};
                for (int64_t k0 = begin; k0 < end; k0 += depth) {
                    const int64_t k = k0 + tx;
                    __syncthreads(); // scales are there; the last step's values have been read
#pragma unroll
                    for (uint32_t i = 0; i < Rows; i++)
                        a[tx][ty + 16 * i] =
                            a_row[i] >= 0 && k < end
                                ? moe_element(g.a, g.a_dtype, a_row[i] + k * g.a_column)
                                : 0.0f;
#pragma unroll
                    for (uint32_t j = 0; j < per; j++) {
                        const uint32_t c = ty + 16 * j;
                        w[tx][c] = n0 + c < g.n && k < end
                                       ? moe_weight(g, expert * g.w_expert + (n0 + c) * g.w_row, k,
                                                    scale[c], zero[c])
                                       : 0.0f;
                    }
                    __syncthreads();
#pragma unroll
                    for (uint32_t d = 0; d < depth; d++)
#pragma unroll
                        for (uint32_t i = 0; i < Rows; i++)
#pragma unroll
                            for (uint32_t j = 0; j < per; j++)
                                sum[i][j] =
                                    trine_fmaf(a[d][ty + 16 * i], w[d][per * tx + j], sum[i][j]);
                }
#pragma unroll
                for (uint32_t i = 0; i < Rows; i++)
#pragma unroll
                    for (uint32_t j = 0; j < per; j++)
                        total[i][j] = g.scaled
                                          ? trine_fmaf(a_scale[ty + 16 * i] * scale[per * tx + j],
                                                       sum[i][j], total[i][j])
                                          : total[i][j] + sum[i][j];
            }
#pragma unroll
            for (uint32_t i = 0; i < Rows; i++) {
                const int32_t s = slot[ty + 16 * i];
                const int64_t n = n0 + per * tx;
                if (s >= r.slots) continue;
                const moe_place place = moe_place_of(r, o, s);
                const float weight = g.weighted ? moe_weight_of(r, place) : 1.0f;
#pragma unroll
                for (uint32_t j = 0; j < per; j += 2) {
                    if (n + j >= g.n) continue;
                    const bool both = n + j + 1 < g.n;
                    const float low = moe_result(g, total[i][j], expert, n + j, weight);
                    const float high =
                        both ? moe_result(g, total[i][j + 1], expert, n + j + 1, weight) : 0.0f;
                    moe_sink_pair(o, place, n + j, low, high, both);
                }
            }
        }
    }
}

} // namespace trine_gpu

#endif
