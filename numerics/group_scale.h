// SPDX-License-Identifier: Apache-2.0
// The scalar arithmetic of per_token_group_quant: from a group's amax to its scale, from an element
// to what is rounded.
#ifndef TRINE_NUMERICS_GROUP_SCALE_H
#define TRINE_NUMERICS_GROUP_SCALE_H

#include "numerics/portable.h"
#include "numerics/ue8m0.h"

// |x| if x is finite, else 0: amax is taken over the finite elements.
TRINE_FN float trine_finite_abs(float x)
{
    uint32_t a = trine_f32_bits(x) & 0x7fffffffu;
    return trine_f32_from_bits(a < 0x7f800000u ? a : 0u);
}

// arithmetic = divide. amax is already floored at eps.
TRINE_FN float trine_group_scale_divide(float amax, float q_max)
{
    return trine_divf(amax, q_max);
}

// arithmetic = reciprocal.
TRINE_FN float trine_group_scale_reciprocal(float amax, float q_max)
{
    return amax * trine_divf(1.0f, q_max);
}

// scale_format = ue8m0: floored (0 = no floor), then the next power of two at or above.
TRINE_FN float trine_group_scale_ue8m0(float s, float floor)
{
    return trine_ceil_pow2(floor > s ? floor : s);
}

// q before clamping, as the contract defines it. With ue8m0 always the quotient; with arithmetic =
// reciprocal and f32 scales the product x * trine_group_factor(amax, q_max).
TRINE_FN float trine_group_quotient(float x, float s)
{
    return trine_divf(x, s);
}

TRINE_FN float trine_group_factor(float amax, float q_max)
{
    return trine_divf(q_max, amax);
}

// The quotient without a division; r = RN(1/s). Same code as trine_group_quotient after clamping
// and rounding, for every finite |x| <= amax with amax >= 1e-20 and the default q_max. The
// remainder is taken with the sign that keeps x = -0 at -0. x = +-Inf gives NaN: use
// trine_group_quotient_any where Inf may occur.
TRINE_FN float trine_group_quotient_fast(float x, float s, float r)
{
    float q0 = x * r;
    float e = trine_fmaf(q0, s, -x); // minus the remainder
    return trine_fmaf(e, -r, q0);
}

TRINE_FN float trine_group_quotient_any(float x, float s, float r)
{
    float q0 = x * r;
    float e = trine_fmaf(q0, s, -x);
    float q = trine_fmaf(e, -r, q0);
    return trine_absf(x) > 0x1.fffffep+127f ? q0 : q;
}

// NaN stays NaN, so that the conversion gives its code; Inf becomes +-q_max.
TRINE_FN float trine_group_clamp(float q, float q_max)
{
    return trine_max_keep_nan(trine_min_keep_nan(q, q_max), -q_max);
}

#endif
