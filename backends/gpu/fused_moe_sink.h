// SPDX-License-Identifier: Apache-2.0
// Where the results of fused_moe's products go: stored by slot, or added onto their token's row.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_SINK_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_SINK_H

#include "backends/gpu/atomic.h"
#include "backends/gpu/fused_moe_params.h"

namespace trine_gpu
{

// A slot's token and rank, and where its row begins in the output.
struct moe_place {
    uint32_t token, rank;
    int64_t row;
};

TRINE_DEVICE moe_place moe_place_of(const moe_routes &r, const moe_output &o, int32_t slot)
{
    moe_place p;
    p.token = (uint32_t)slot / (uint32_t)r.k;
    p.rank = (uint32_t)slot - p.token * (uint32_t)r.k;
    p.row = p.token * o.token + p.rank * o.rank;
    return p;
}

TRINE_DEVICE float moe_weight_of(const moe_routes &r, const moe_place &p)
{
    return r.weights[p.token * r.weight_token + p.rank * r.weight_rank];
}

template <class Format>
TRINE_DEVICE void moe_add_halves(const moe_output &o, int64_t at, float low, float high, bool both)
{
    uint16_t *out = static_cast<uint16_t *>(o.data) + at;
    if (both)
        atomic_add_halves<Format>(out, o.column, low * o.factor, high * o.factor);
    else
        atomic_add_half<Format>(out, low * o.factor);
}

// Columns n and, with `both`, n + 1 of a row.
TRINE_DEVICE void moe_sink_pair(const moe_output &o, const moe_place &p, int64_t n, float low,
                                float high, bool both)
{
    const int64_t at = p.row + n * o.column;
    if (o.sink == MOE_ADD_TO_SUMS || (o.sink == MOE_ADD_TO_OUT && o.dtype == TRINE_F32)) {
        float *sums = static_cast<float *>(o.data);
        const bool scaled = o.sink == MOE_ADD_TO_OUT;
        atomic_add_f32(sums + at, scaled ? low * o.factor : low);
        if (both) atomic_add_f32(sums + at + o.column, scaled ? high * o.factor : high);
        return;
    }
    if (o.sink != MOE_ADD_TO_OUT) {
        moe_store(o.data, o.dtype, at, low);
        if (both) moe_store(o.data, o.dtype, at + o.column, high);
        return;
    }
    if (o.dtype == TRINE_BF16)
        moe_add_halves<bf16>(o, at, low, high, both);
    else
        moe_add_halves<f16>(o, at, low, high, both);
}

// Columns n to n + 7 of a row, which has a multiple of 8; `wide`: rows begin at multiples of 16
// bytes and are dense.
TRINE_DEVICE void moe_sink_8(const moe_output &o, const moe_place &p, int64_t n,
                             const float (&values)[8], bool wide)
{
    const bool adds = o.sink == MOE_ADD_TO_SUMS || o.sink == MOE_ADD_TO_OUT;
    if (wide && !adds) { // shortcut
        moe_store_8(o.data, o.dtype, p.row + n, values);
        return;
    }
#pragma unroll
    for (uint32_t i = 0; i < 8; i += 2) moe_sink_pair(o, p, n + i, values[i], values[i + 1], true);
}

} // namespace trine_gpu

#endif
