// SPDX-License-Identifier: Apache-2.0
// The arithmetic of topk_gating on one expert, for its GPU rows: keys are compared as integers.
#ifndef TRINE_BACKENDS_GPU_TOPK_GATING_KEY_H
#define TRINE_BACKENDS_GPU_TOPK_GATING_KEY_H

#include "backends/gpu/wave.h"
#include "numerics/elementary.h"

namespace trine_gpu
{

constexpr uint32_t topk_minus_infinity = 0xff800000u;

// A number that orders as the float does, -0 and +0 being equal and NaN counting as -Inf. No float
// gives less than topk_lowest, so that 0 stands behind every candidate.
TRINE_DEVICE uint32_t topk_ordered(float key)
{
    uint32_t bits = trine_f32_bits(key);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude == 0) bits = 0;
    if (magnitude > 0x7f800000u) bits = topk_minus_infinity;
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

constexpr uint32_t topk_lowest = ~topk_minus_infinity;

TRINE_DEVICE float topk_from_ordered(uint32_t ordered)
{
    return trine_f32_from_bits(ordered & 0x80000000u ? ordered ^ 0x80000000u : ~ordered);
}

// NaN counts as -Inf, +Inf as the largest finite number.
TRINE_DEVICE float topk_finite_logit(float logit)
{
    const uint32_t bits = trine_f32_bits(logit), magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return trine_f32_from_bits(topk_minus_infinity);
    return bits == 0x7f800000u ? trine_f32_from_bits(0x7f7fffffu) : logit;
}

// `softcap` is not 0.
TRINE_DEVICE float topk_softcap(float logit, float softcap)
{
    const float capped = softcap * trine_tanhf(trine_divf(logit, softcap));
    return trine_f32_bits(logit) == topk_minus_infinity ? logit : capped;
}

} // namespace trine_gpu

#endif
