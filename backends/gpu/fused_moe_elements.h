// SPDX-License-Identifier: Apache-2.0
// What fused_moe quantizes, an element at a time, and with what scale: for the kernels of its
// steps.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_ELEMENTS_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_ELEMENTS_H

#include "backends/gpu/fused_moe_params.h"
#include "numerics/group_scale.h"

namespace trine_gpu
{

constexpr uint32_t moe_step_threads = 256;

// The largest value of a team, which is 32 lanes or the whole block, on all its lanes.
template <uint32_t Team>
TRINE_DEVICE uint32_t moe_team_max(uint32_t value)
{
    value = team_max<32>(value);
    if constexpr (Team > 32) {
        __shared__ uint32_t part[Team / 32];
        __syncthreads(); // the last round's values have been read
        if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = value;
        __syncthreads();
        for (uint32_t i = 0; i < Team / 32; i++) value = larger(value, part[i]);
    }
    return value;
}

TRINE_FN float moe_q_max(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN     ? e4m3fn::q_max
           : dtype == TRINE_E4M3FNUZ ? e4m3fnuz::q_max
                                     : 127.0f;
}

TRINE_DEVICE float moe_group_scale(uint32_t amax_bits, trine_dtype dtype)
{
    const float eps = 1e-10f, found = trine_f32_from_bits(amax_bits);
    const float amax = found > eps ? found : eps;
    // By a constant each: a division by one that is looked up takes more instructions.
    if (dtype == TRINE_E4M3FN) return trine_group_scale_divide(amax, e4m3fn::q_max);
    if (dtype == TRINE_E4M3FNUZ) return trine_group_scale_divide(amax, e4m3fnuz::q_max);
    return trine_group_scale_divide(amax, 127.0f);
}

// The scale of a whole tensor, which the product gets as well; 0 where blocks have their own.
TRINE_DEVICE float moe_tensor_scale(const moe_quantizer &q)
{
    if (!q.per_tensor) return 0.0f;
    if (q.given) return *q.given;
    const float s = moe_group_scale(*q.amax, q.to_dtype);
    if (first_of_grid()) *q.scale = s;
    return s;
}

TRINE_DEVICE uint8_t moe_quantize_code(float x, float s, trine_dtype dtype)
{
    const float q = trine_group_clamp(trine_group_quotient(x, s), moe_q_max(dtype));
    if (dtype == TRINE_E4M3FN) return trine_f32_to_e4m3fn(q);
    if (dtype == TRINE_E4M3FNUZ) return trine_f32_to_e4m3fnuz(q);
    return (uint8_t)trine_f32_to_i8_nearest(q);
}

// What is quantized at a row's column: x, or the activation's result.
TRINE_DEVICE float moe_quantizer_input(const moe_quantizer &q, int64_t row, int64_t i)
{
    const int64_t at = row * q.from_row;
    if (!q.second) return load_real(q.from, q.from_dtype, at + i * q.from_column);
    const float *h = static_cast<const float *>(q.from) + at;
    const int64_t gate = q.interleaved ? 2 * i : i, up = q.interleaved ? gate + 1 : q.columns + i;
    const float value = activate(q.rule, h[gate], q.rule.gated ? h[up] : 0.0f);
    return q.rule.each ? round_real(value, q.rule.dtype) : value;
}

// Slots of other ranks have no row in the first product.
TRINE_DEVICE bool moe_quantizer_skips(const moe_routes &r, const moe_quantizer &q, int64_t row)
{
    if (!q.second) return false;
    const int64_t token = (uint32_t)row / (uint32_t)r.k;
    return moe_expert(r, token, row - token * r.k) < 0;
}

} // namespace trine_gpu

#endif
