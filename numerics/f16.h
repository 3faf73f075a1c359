// SPDX-License-Identifier: Apache-2.0
// IEEE binary16. Stored as uint16_t. No operation here reads or makes a subnormal f32: those are
// slow on some CPUs.
#ifndef TRINE_NUMERICS_F16_H
#define TRINE_NUMERICS_F16_H

#include "numerics/portable.h"

TRINE_FN float trine_f16_to_f32(uint16_t h)
{
    uint32_t m = ((uint32_t)h & 0x7fffu) << 13; // exponent and mantissa where f32 has them
    uint32_t normal = m + (112u << 23);
    // With the exponent of 2^-14 and a hidden bit too many: taking 2^-14 away again is exact.
    uint32_t subnormal =
        trine_f32_bits(trine_f32_from_bits(m + (113u << 23)) - trine_f32_from_bits(113u << 23));
    uint32_t special = m + (224u << 23);
    uint32_t r = m < (1u << 23) ? subnormal : normal;
    r = m >= (31u << 23) ? special : r;
    return trine_f32_from_bits(r | ((uint32_t)h & 0x8000u) << 16);
}

// Nearest even; from 65520 on Inf; any NaN gives 0x7FFF.
TRINE_FN uint16_t trine_f32_to_f16(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t a = u & 0x7fffffffu;
    uint32_t c = a < (143u << 23) ? a : (143u << 23); // 2^16, already Inf
    uint32_t normal = ((c + 0xfffu + ((c >> 13) & 1u)) >> 13) - (112u << 10);
    // Adding 1/2 leaves the multiple of 2^-24 in the low bits, rounded by the addition itself.
    uint32_t subnormal = trine_f32_bits(trine_f32_from_bits(c) + 0.5f) - (126u << 23);
    uint32_t r = c < (113u << 23) ? subnormal : normal;
    r |= (u >> 16) & 0x8000u;
    return (uint16_t)(a > 0x7f800000u ? 0x7fffu : r);
}

// RN_f16 as a value.
TRINE_FN float trine_round_f16(float x)
{
    return trine_f16_to_f32(trine_f32_to_f16(x));
}

#endif
