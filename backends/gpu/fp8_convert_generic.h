// SPDX-License-Identifier: Apache-2.0
// fp8_convert on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call, an
// element a thread; and what becomes of single elements.
#ifndef TRINE_BACKENDS_GPU_FP8_CONVERT_GENERIC_H
#define TRINE_BACKENDS_GPU_FP8_CONVERT_GENERIC_H

#include "backends/gpu/divider.h"
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

// Two tensors of one shape, whose elements are visited in row-major order.
struct element_walk {
    int64_t elements;
    int32_t rank;
    int64_t shape[TRINE_MAX_DIMS], from[TRINE_MAX_DIMS], to[TRINE_MAX_DIMS]; // strides
    wide_divider by[TRINE_MAX_DIMS];
};

static inline element_walk element_walk_of(const trine_view *from, const trine_view *to,
                                           int64_t elements)
{
    element_walk walk = {};
    walk.elements = elements;
    for (int32_t d = 0; d < from->rank && elements; d++) {
        if (from->shape[d] == 1) continue;
        const int32_t at = walk.rank++;
        walk.shape[at] = from->shape[d];
        walk.from[at] = from->stride[d];
        walk.to[at] = to->stride[d];
        walk.by[at] = wide_divider_of(from->shape[d]);
    }
    return walk;
}

// Offsets of element `index`.
TRINE_DEVICE void element_offsets(const element_walk &walk, int64_t index, int64_t &from,
                                  int64_t &to)
{
    from = to = 0;
#pragma unroll 1
    for (int32_t d = walk.rank - 1; d >= 0; d--) {
        const int64_t rest = divide(index, walk.by[d]);
        const int64_t at = index - rest * walk.shape[d];
        from += at * walk.from[d];
        to += at * walk.to[d];
        index = rest;
    }
}

struct fp8_convert_generic_params {
    const void *w, *scale;
    void *out, *out_scale;
    element_walk codes, scales;
    bool ue8m0;
};

__global__ void __launch_bounds__(fp8_convert_generic_threads)
    fp8_convert_generic(const TRINE_GRID_CONSTANT fp8_convert_generic_params p)
{
    const int64_t step = (int64_t)gridDim.x * fp8_convert_generic_threads;
    const int64_t first = (int64_t)blockIdx.x * fp8_convert_generic_threads + threadIdx.x;
    const int64_t end = p.codes.elements + p.scales.elements;
    for (int64_t i = first; i < end; i += step) {
        int64_t from, to;
        if (i < p.codes.elements) {
            element_offsets(p.codes, i, from, to);
            static_cast<uint8_t *>(p.out)[to] =
                (uint8_t)fnuz_codes(static_cast<const uint8_t *>(p.w)[from]);
            continue;
        }
        element_offsets(p.scales, i - p.codes.elements, from, to);
        if (p.ue8m0)
            static_cast<uint8_t *>(p.out_scale)[to] =
                (uint8_t)doubled_ue8m0(static_cast<const uint8_t *>(p.scale)[from]);
        else
            static_cast<float *>(p.out_scale)[to] =
                static_cast<const float *>(p.scale)[from] * 2.0f;
    }
}

} // namespace trine_gpu

#endif
