// SPDX-License-Identifier: Apache-2.0
// fp8_convert on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call, an
// element a thread; and what becomes of single elements.
#ifndef TRINE_BACKENDS_GPU_FP8_CONVERT_GENERIC_H
#define TRINE_BACKENDS_GPU_FP8_CONVERT_GENERIC_H

#include "backends/gpu/wave.h"
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t fp8_convert_generic_threads = 256;

// Four codes of e4m3fn at once. The sums never carry from one byte into the next.
TRINE_DEVICE uint32_t fnuz_codes(uint32_t w)
{
    const uint32_t magnitude = w & 0x7f7f7f7fu;
    const uint32_t nan = (magnitude + 0x01010101u) & 0x80808080u;
    const uint32_t not_zero = magnitude + 0x7f7f7f7fu;  // in bit 7 of each byte
    const uint32_t code = w & (not_zero | 0x7f7f7f7fu); // no -0
    return (code & ~(nan - (nan >> 7))) | nan;
}

// Each is a ue8m0 code in a byte of its own. 255 is NaN and stays; 254 is the largest there is.
TRINE_DEVICE uint32_t doubled_ue8m0(uint32_t code)
{
    return code + (code < 254);
}

// Offset of element `index` in row-major order.
TRINE_DEVICE int64_t element_offset(const trine_view &v, int64_t index)
{
    int64_t offset = 0;
    for (int32_t d = v.rank - 1; d >= 0; d--) {
        const int64_t rest = index / v.shape[d];
        offset += (index - rest * v.shape[d]) * v.stride[d];
        index = rest;
    }
    return offset;
}

__global__ void __launch_bounds__(fp8_convert_generic_threads)
    fp8_convert_generic(const TRINE_GRID_CONSTANT trine_fp8_convert_problem p)
{
    const int64_t step = (int64_t)gridDim.x * fp8_convert_generic_threads;
    const int64_t first = (int64_t)blockIdx.x * fp8_convert_generic_threads + threadIdx.x;
    const int64_t end = p.elements + p.scale_elements;
    for (int64_t i = first; i < end; i += step) {
        if (i < p.elements) {
            const uint8_t code = static_cast<const uint8_t *>(p.w.data)[element_offset(p.w, i)];
            static_cast<uint8_t *>(p.out.data)[element_offset(p.out, i)] =
                (uint8_t)fnuz_codes(code);
            continue;
        }
        const int64_t from = element_offset(p.scale, i - p.elements);
        const int64_t to = element_offset(p.out_scale, i - p.elements);
        if (p.scale.dtype == TRINE_U8)
            static_cast<uint8_t *>(p.out_scale.data)[to] =
                (uint8_t)doubled_ue8m0(static_cast<const uint8_t *>(p.scale.data)[from]);
        else
            static_cast<float *>(p.out_scale.data)[to] =
                static_cast<const float *>(p.scale.data)[from] * 2.0f;
    }
}

} // namespace trine_gpu

#endif
