// SPDX-License-Identifier: Apache-2.0
// f32 to int8 for values already clamped to [-128, 127]; NaN gives 0.
#ifndef TRINE_NUMERICS_INT8_H
#define TRINE_NUMERICS_INT8_H

#include "numerics/portable.h"

TRINE_FN int8_t trine_f32_to_i8_nearest(float x)
{
    float v = x == x ? x : 0.0f;
    // 1.5 * 2^23 has an ulp of 1, so the addition rounds and the integer stands in the low bits.
    uint32_t u = trine_f32_bits(v + 12582912.0f);
    return (int8_t)(uint8_t)u;
}

TRINE_FN int8_t trine_f32_to_i8_truncate(float x)
{
    float v = x == x ? x : 0.0f;
    return (int8_t)(int32_t)v;
}

#endif
