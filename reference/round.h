// SPDX-License-Identifier: Apache-2.0
// Rounding as values, and codes of quantized activations.
#ifndef TRINE_REFERENCE_ROUND_H
#define TRINE_REFERENCE_ROUND_H

#include "numerics/group_scale.h"
#include "reference/element.h"

/* One rounding from double to f32, bf16 or f16, as a value. */
static inline double trine_round_f64(trine_dtype dtype, double value)
{
    return dtype == TRINE_BF16  ? trine_bf16_to_f32(trine_f64_to_bf16(value))
           : dtype == TRINE_F16 ? trine_f16_to_f32(trine_f64_to_f16(value))
                                : trine_f64_to_f32(value);
}

/* The quantizer's default maximum of a code dtype. */
static inline float trine_default_q_max(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN ? 448.0f : dtype == TRINE_E4M3FNUZ ? 224.0f : 127.0f;
}

/* per_token_group_quant's floor of a group's maximum. */
#define TRINE_DEFAULT_EPS 1e-10f

/* The code of x / s: e4m3fn, e4m3fnuz or i8 to nearest. */
static inline uint8_t trine_quantize_code(trine_dtype dtype, float x, float s)
{
    float q = trine_group_clamp(trine_group_quotient(x, s), trine_default_q_max(dtype));
    return dtype == TRINE_E4M3FN     ? trine_f32_to_e4m3fn(q)
           : dtype == TRINE_E4M3FNUZ ? trine_f32_to_e4m3fnuz(q)
                                     : (uint8_t)trine_f32_to_i8_nearest(q);
}

#endif
