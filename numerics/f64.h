// SPDX-License-Identifier: Apache-2.0
// One rounding from double to the storage formats, for references that sum in double.
#ifndef TRINE_NUMERICS_F64_H
#define TRINE_NUMERICS_F64_H

#include "numerics/bf16.h"
#include "numerics/f16.h"

// x rounded to odd in f32: the last bit remembers whether anything was lost, so that a second
// rounding to a format of at most 22 bits comes out as if it were the only one.
TRINE_FN float trine_f64_to_f32_odd(double x)
{
    float f = (float)x;
    uint32_t u = trine_f32_bits(f);
    double back = (double)f;
    double abs_back = back < 0.0 ? -back : back;
    double abs_x = x < 0.0 ? -x : x;
    uint32_t toward = abs_back > abs_x ? u - 1u : u + 1u;
    // false for NaN (x == x fails) and for exact values
    int inexact = x == x && back != x;
    return trine_f32_from_bits(inexact && (u & 1u) == 0u ? toward : u);
}

TRINE_FN float trine_f64_to_f32(double x)
{
    return (float)x;
}

TRINE_FN uint16_t trine_f64_to_bf16(double x)
{
    return trine_f32_to_bf16(trine_f64_to_f32_odd(x));
}

TRINE_FN uint16_t trine_f64_to_f16(double x)
{
    return trine_f32_to_f16(trine_f64_to_f32_odd(x));
}

#endif
