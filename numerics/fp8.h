// SPDX-License-Identifier: Apache-2.0
// The 8-bit floats: E4M3FN (OCP), E4M3FNUZ (CDNA3), E5M2. Stored as uint8_t. Every conversion from
// f32 rounds to nearest even, keeps subnormals and saturates, Inf too: quantizers clamp before, so
// only NaN has a code of its own.
#ifndef TRINE_NUMERICS_FP8_H
#define TRINE_NUMERICS_FP8_H

#include "numerics/f16.h"
#include "numerics/portable.h"

#define TRINE_E4M3FN_MAX   448.0f
#define TRINE_E4M3FNUZ_MAX 240.0f
#define TRINE_E5M2_MAX     57344.0f

TRINE_FN float trine_e4m3fn_to_f32(uint8_t b)
{
    uint32_t m = ((uint32_t)b & 0x7fu) << 20; // exponent and mantissa where f32 has them
    uint32_t normal = m + (120u << 23);
    // The hidden bit too many, 2^-6, is taken away again exactly.
    uint32_t subnormal =
        trine_f32_bits(trine_f32_from_bits(m + (121u << 23)) - trine_f32_from_bits(121u << 23));
    uint32_t r = m < (1u << 23) ? subnormal : normal;
    r = m == (0x7fu << 20) ? 0x7fc00000u : r;
    return trine_f32_from_bits(r | ((uint32_t)b & 0x80u) << 24);
}

TRINE_FN uint8_t trine_f32_to_e4m3fn(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t a = u & 0x7fffffffu;
    uint32_t c = a < 0x43e00000u ? a : 0x43e00000u; // 448
    uint32_t normal = ((c + 0x7ffffu + ((c >> 20) & 1u)) >> 20) - (120u << 3);
    // Adding 2^14 leaves the multiple of 2^-9 in the low bits, rounded by the addition itself.
    uint32_t subnormal = trine_f32_bits(trine_f32_from_bits(c) + 16384.0f) - (141u << 23);
    uint32_t r = c < (121u << 23) ? subnormal : normal;
    r |= (u >> 24) & 0x80u;
    return (uint8_t)(a > 0x7f800000u ? 0x7fu : r);
}

TRINE_FN float trine_e4m3fnuz_to_f32(uint8_t b)
{
    uint32_t m = ((uint32_t)b & 0x7fu) << 20;
    uint32_t normal = m + (119u << 23);
    uint32_t subnormal =
        trine_f32_bits(trine_f32_from_bits(m + (120u << 23)) - trine_f32_from_bits(120u << 23));
    uint32_t r = m < (1u << 23) ? subnormal : normal;
    r |= ((uint32_t)b & 0x80u) << 24;
    return trine_f32_from_bits(b == 0x80u ? 0x7fc00000u : r);
}

// There is no -0: what rounds to zero from below is 0x00, never 0x80, which is NaN.
TRINE_FN uint8_t trine_f32_to_e4m3fnuz(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t a = u & 0x7fffffffu;
    uint32_t c = a < 0x43700000u ? a : 0x43700000u; // 240
    uint32_t normal = ((c + 0x7ffffu + ((c >> 20) & 1u)) >> 20) - (119u << 3);
    uint32_t subnormal = trine_f32_bits(trine_f32_from_bits(c) + 8192.0f) - (140u << 23);
    uint32_t r = c < (120u << 23) ? subnormal : normal;
    uint32_t sign = (u >> 24) & 0x80u;
    r |= r != 0u ? sign : 0u;
    return (uint8_t)(a > 0x7f800000u ? 0x80u : r);
}

// E5M2 is the upper byte of a binary16, Inf and NaN included.
TRINE_FN float trine_e5m2_to_f32(uint8_t b)
{
    return trine_f16_to_f32((uint16_t)((uint32_t)b << 8));
}

TRINE_FN uint8_t trine_f32_to_e5m2(float x)
{
    uint32_t u = trine_f32_bits(x);
    uint32_t a = u & 0x7fffffffu;
    uint32_t c = a < 0x47600000u ? a : 0x47600000u; // 57344
    uint32_t normal = ((c + 0xfffffu + ((c >> 21) & 1u)) >> 21) - (112u << 2);
    uint32_t subnormal = trine_f32_bits(trine_f32_from_bits(c) + 128.0f) - (134u << 23);
    uint32_t r = c < (113u << 23) ? subnormal : normal;
    r |= (u >> 24) & 0x80u;
    return (uint8_t)(a > 0x7f800000u ? 0x7fu : r);
}

#endif
