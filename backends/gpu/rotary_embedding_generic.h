// SPDX-License-Identifier: Apache-2.0
// rotary_embedding on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call. A
// thread owns a pair, or a column that is only copied; types and params are looked up as it goes.
#ifndef TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_GENERIC_H
#define TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_GENERIC_H

#include "backends/gpu/memory.h"
#include <trine/kernel.h>

namespace trine_gpu
{

typedef trine_rotary_embedding_problem rotary_problem;

constexpr uint32_t rotary_generic_threads = 256;
constexpr uint32_t rotary_generic_lanes = 32; // of them along a row

// a c + b s before its rounding to out.
TRINE_DEVICE float rotary_generic_sum(const rotary_problem &p, float a, float c, float b, float s)
{
    if (p.rounding == TRINE_ROUNDING_F32_FMA) return trine_fmaf(b, s, a * c);
    float ac = a * c, bs = b * s;
    if (p.rounding != TRINE_ROUNDING_F32_2MUL) ac = round_real(ac, p.x.dtype);
    if (p.rounding == TRINE_ROUNDING_ALL_LOW) bs = round_real(bs, p.x.dtype);
    return ac + bs;
}

// Offset of column 0 of a head.
TRINE_DEVICE int64_t rotary_generic_at(const trine_view &v, int64_t b, int64_t t, int64_t h)
{
    return b * v.stride[0] + t * v.stride[1] + h * v.stride[2];
}

TRINE_DEVICE void rotary_generic_head(const rotary_problem &p, int64_t b, int64_t t, int64_t h,
                                      uint32_t lane)
{
    const int64_t x = rotary_generic_at(p.x, b, t, h), out = rotary_generic_at(p.out, b, t, h);
    const int64_t cos = rotary_generic_at(p.cos, b, t, h);
    const int64_t sin = rotary_generic_at(p.sin, b, t, h);
    const bool half = p.pairing == TRINE_PAIRING_HALF;
    for (int64_t i = lane; i < p.pairs; i += rotary_generic_lanes) {
        const int64_t first = half ? i : 2 * i, second = half ? i + p.pairs : 2 * i + 1;
        const float c = load_real(p.cos.data, p.cos.dtype, cos + i * p.cos.stride[3]);
        float s = load_real(p.sin.data, p.sin.dtype, sin + i * p.sin.stride[3]);
        if (p.inverse) s = -s;
        // Both are read before either is written: out may be x.
        const float u = load_real(p.x.data, p.x.dtype, x + first * p.x.stride[3]);
        const float v = load_real(p.x.data, p.x.dtype, x + second * p.x.stride[3]);
        store_real(p.out.data, p.out.dtype, out + first * p.out.stride[3],
                   rotary_generic_sum(p, u, c, -v, s));
        store_real(p.out.data, p.out.dtype, out + second * p.out.stride[3],
                   rotary_generic_sum(p, v, c, u, s));
    }
    for (int64_t d = 2 * p.pairs + lane; d < p.head_size; d += rotary_generic_lanes) {
        // As bits, so that a NaN keeps its payload.
        const int64_t from = x + d * p.x.stride[3], to = out + d * p.out.stride[3];
        if (p.x.dtype == TRINE_F32)
            static_cast<uint32_t *>(p.out.data)[to] = static_cast<const uint32_t *>(p.x.data)[from];
        else
            static_cast<uint16_t *>(p.out.data)[to] = static_cast<const uint16_t *>(p.x.data)[from];
    }
}

// Tokens lie on grid.x, heads on grid.y, batches on grid.z; a grid that is too small goes round.
static __global__ void __launch_bounds__(rotary_generic_threads)
    rotary_generic(const TRINE_GRID_CONSTANT rotary_problem p)
{
    constexpr uint32_t rows = rotary_generic_threads / rotary_generic_lanes;
    const uint32_t lane = threadIdx.x % rotary_generic_lanes;
    for (int64_t b = blockIdx.z; b < p.batch; b += gridDim.z)
        for (int64_t t = (int64_t)blockIdx.x * rows + threadIdx.x / rotary_generic_lanes;
             t < p.tokens; t += (int64_t)gridDim.x * rows)
            for (int64_t h = blockIdx.y; h < p.heads; h += gridDim.y)
                rotary_generic_head(p, b, t, h, lane);
}

} // namespace trine_gpu

#endif
