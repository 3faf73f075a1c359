// SPDX-License-Identifier: Apache-2.0
// bfloat16: the upper half of an f32. Stored as uint16_t.
#ifndef TRINE_NUMERICS_BF16_H
#define TRINE_NUMERICS_BF16_H

#include "numerics/portable.h"

TRINE_FN float trine_bf16_to_f32(uint16_t h)
{
    return trine_f32_from_bits((uint32_t)h << 16);
}

// Nearest even; overflow gives Inf, any NaN gives 0x7FFF.
TRINE_FN uint16_t trine_f32_to_bf16(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : r);
}

// RN_bf16 as a value.
TRINE_FN float trine_round_bf16(float x)
{
    return trine_bf16_to_f32(trine_f32_to_bf16(x));
}

#endif
