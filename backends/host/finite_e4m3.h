// SPDX-License-Identifier: Apache-2.0
/* f32 to e4m3 for values that are known to be finite and in range: fewer steps than
 * numerics/fp8.h, the same codes. */
#ifndef TRINE_BACKENDS_HOST_FINITE_E4M3_H
#define TRINE_BACKENDS_HOST_FINITE_E4M3_H

#include "backends/host/convert.h"

/* The e4m3 code of a finite q that rounds to no more than the format's largest value; `lowest` is
 * the exponent of the smallest normal, where f32 has it. Adding 2^(e+20) leaves the multiple of
 * 2^(e-3) in the low bits, rounded by the addition itself; 8 of them make the hidden bit. */
TRINE_INLINE uint32_t trine_e4m3_magnitude(float q, int32_t lowest)
{
    int32_t a = (int32_t)(trine_f32_bits(q) & 0x7fffffffu);
    int32_t e = a & 0x7f800000;
    e = e > lowest ? e : lowest;
    int32_t magic = e + (20 << 23);
    float sum = trine_f32_from_bits((uint32_t)a) + trine_f32_from_bits((uint32_t)magic);
    return trine_f32_bits(sum) - (uint32_t)magic + ((uint32_t)(e - lowest) >> 20);
}

/* trine_f32_to_e4m3fn for |q| up to 464, trine_f32_to_e4m3fnuz up to 248, NaN excluded. */
TRINE_INLINE uint32_t trine_finite_to_e4m3fn(float q)
{
    uint32_t sign = trine_f32_bits(q) >> 24 & 0x80u;
    return trine_e4m3_magnitude(q, 121 << 23) | sign;
}

TRINE_INLINE uint32_t trine_finite_to_e4m3fnuz(float q)
{
    uint32_t m = trine_e4m3_magnitude(q, 120 << 23);
    uint32_t sign = trine_f32_bits(q) >> 24 & 0x80u;
    return m != 0u ? m | sign : m;
}

#endif
