// SPDX-License-Identifier: Apache-2.0
// UE8M0: a power of two from 2^-127 (byte 0) to 2^127 (byte 254); 255 is NaN; no sign, no zero.
#ifndef TRINE_NUMERICS_UE8M0_H
#define TRINE_NUMERICS_UE8M0_H

#include "numerics/portable.h"

TRINE_FN float trine_ue8m0_to_f32(uint8_t b)
{
    uint32_t e = b;
    uint32_t r = e == 0u ? 0x00400000u : e << 23;
    return trine_f32_from_bits(e == 255u ? 0x7fc00000u : r);
}

// The code of the smallest power of two at or above x, for x >= 0. NaN, negative x, and what lies
// above 2^127 give 255.
TRINE_FN uint8_t trine_f32_to_ue8m0(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t up = (u + 0x7fffffu) >> 23; // the carry is the +1 for a mantissa that is not zero
    uint32_t r = u <= 0x00400000u ? 0u : up;
    return (uint8_t)(u > 0x7f000000u ? 255u : r);
}

// The same as a value, for x from 2^-126 to 2^127.
TRINE_FN float trine_ceil_pow2(float x)
{
    return trine_f32_from_bits((trine_f32_bits(x) + 0x7fffffu) & 0x7f800000u);
}

#endif
