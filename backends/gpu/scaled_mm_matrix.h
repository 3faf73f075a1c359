// SPDX-License-Identifier: Apache-2.0
// scaled_mm on matrix units, for CUDA and HIP: operands, scales and results of the tiles in
// gemm_tile.h and gemm_skinny.h.
#ifndef TRINE_BACKENDS_GPU_SCALED_MM_MATRIX_H
#define TRINE_BACKENDS_GPU_SCALED_MM_MATRIX_H

#include "backends/gpu/gemm_output.h"
#include "backends/gpu/gemm_skinny.h"
#include "backends/gpu/scaled_mm_kernels.h"

namespace trine_gpu
{

// Rows of a or b from `first` on.
template <class Codes>
struct scaled_mm_operand {
    typedef Codes codes;
    const uint8_t *data;
    int64_t stride, first, rows;

    __device__ __forceinline__ const uint8_t *row(uint32_t r) const
    {
        return first + r < rows ? data + (first + r) * stride : nullptr;
    }

    __device__ __forceinline__ void convert(uint32_t (&out)[code_words<Codes>],
                                            const uint32_t (&in)[4], uint32_t, int64_t) const
    {
        Codes::convert(out, in);
    }
};

struct scaled_mm_scales {
    const scaled_mm_params &p;
    int64_t m, n; // of the tile

    __device__ __forceinline__ float row(uint32_t r, int64_t block) const
    {
        const int64_t at = m + r < p.m ? m + r : 0;
        return p.a_scale[at * p.a_scale_row + block * p.a_scale_block];
    }

    __device__ __forceinline__ float column(uint32_t c, int64_t block) const
    {
        const int64_t at = n + c < p.n ? n + c : 0;
        return p.b_scale[(at >> p.b_scale_shift) * p.b_scale_row + block * p.b_scale_block];
    }
};

// Eight results of a row: as one or two accesses of 16 bytes where they fit.
TRINE_DEVICE void store_results(const scaled_mm_params &p, int64_t m, int64_t n,
                                const float (&values)[8])
{
    if (m >= p.m) return;
    if (!p.wide || n + 8 > p.n) { // the long way
#pragma unroll
        for (uint32_t i = 0; i < 8; i++)
            if (n + i < p.n) store_output(p.out, m, n + i, values[i]);
        return;
    }
    float v[8];
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) v[i] = add_bias(p.out, values[i], n + i);
    const int64_t at = m * p.out.row + n;
    if (p.out.dtype == TRINE_F32) {
        float *out = static_cast<float *>(p.out.out) + at;
#pragma unroll
        for (uint32_t i = 0; i < 8; i += 4) {
            const uint32_t words[4] = {trine_f32_bits(v[i]), trine_f32_bits(v[i + 1]),
                                       trine_f32_bits(v[i + 2]), trine_f32_bits(v[i + 3])};
            store_words(out + i, words);
        }
        return;
    }
    uint32_t words[4];
    if (p.out.dtype == TRINE_BF16) {
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) words[i] = bf16::pack(v[2 * i], v[2 * i + 1]);
    } else {
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) words[i] = f16::pack(v[2 * i], v[2 * i + 1]);
    }
    store_words(static_cast<uint16_t *>(p.out.out) + at, words);
}

// Is there a kernel of so many rows a block? The rows that use dot products keep to the smaller.
template <class Codes, uint32_t Rows, uint32_t Small>
constexpr bool scaled_mm_has = matrix_has<typename Codes::type> &&
                               (!matrix_by_dots || Rows <= Small);

// Tiles of `Rows` by `Columns`: rows on grid.x, columns on grid.y.
template <class Codes, uint32_t Rows, uint32_t Columns>
__global__ void __launch_bounds__(gemm_threads)
    scaled_mm_tile([[maybe_unused]] const TRINE_GRID_CONSTANT scaled_mm_params p)
{
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
    if constexpr (scaled_mm_has<Codes, Rows, 64>) {
        extern __shared__ uint4 scaled_mm_shared[];
        uint8_t *shared = reinterpret_cast<uint8_t *>(scaled_mm_shared);
        wait_for_previous();
        const int64_t m = (int64_t)blockIdx.x * Rows, n = (int64_t)blockIdx.y * Columns;
        const scaled_mm_operand<Codes> a = {p.a, p.a_row, m, p.m}, b = {p.b, p.b_row, n, p.n};
        const scaled_mm_scales scales = {p, m, n};
        typedef scaled_mm_operand<Codes> operand;
        gemm_tile<operand, operand, Rows, Columns> tile;
        tile.product(shared, a, b, p.extent, scales);
        tile.finish(shared, [&](uint32_t row, uint32_t column, const float(&values)[8]) {
            store_results(p, m + row, n + column, values);
        });
    }
#endif
}

// Few rows of a, 16 * Down a block: columns on grid.x, rows on grid.y.
template <class Codes, uint32_t Down>
__global__ void __launch_bounds__(gemm_threads)
    scaled_mm_skinny([[maybe_unused]] const TRINE_GRID_CONSTANT scaled_mm_params p)
{
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
    if constexpr (scaled_mm_has<Codes, Down, 1>) {
        extern __shared__ uint4 scaled_mm_shared[];
        uint8_t *shared = reinterpret_cast<uint8_t *>(scaled_mm_shared);
        wait_for_previous();
        constexpr uint32_t across = scaled_mm_skinny_columns / 16;
        const int64_t m = (int64_t)blockIdx.y * 16 * Down;
        const int64_t n = (int64_t)blockIdx.x * scaled_mm_skinny_columns;
        typedef scaled_mm_operand<Codes> operand;
        const operand a = {p.a, p.a_row, m, p.m}, b = {p.b, p.b_row, n, p.n};
        const scaled_mm_scales scales = {p, m, n};
        gemm_skinny<operand, operand, Down, across>::run(
            shared, a, b, p.extent, p.whole, scales,
            [&](uint32_t row, uint32_t column, const float(&values)[8]) {
                store_results(p, m + row, n + column, values);
            });
    }
#endif
}

// The kernels for codes, by shape.
template <class Codes>
static scaled_mm_kernel_set scaled_mm_kernel_set_of()
{
    return {
        {reinterpret_cast<const void *>(&scaled_mm_tile<Codes, 128, 128>),
         gemm_shared_bytes(128, 128)},
        {reinterpret_cast<const void *>(&scaled_mm_tile<Codes, 64, 64>), gemm_shared_bytes(64, 64)},
        {reinterpret_cast<const void *>(&scaled_mm_skinny<Codes, 1>),
         gemm_skinny_shared_bytes(scaled_mm_skinny_columns)},
        {reinterpret_cast<const void *>(&scaled_mm_skinny<Codes, 2>),
         gemm_skinny_shared_bytes(scaled_mm_skinny_columns)},
    };
}

} // namespace trine_gpu

#endif
