// SPDX-License-Identifier: Apache-2.0
// The activations of act_and_mul, operation by operation as the contract writes them; each is
// rounded to f32.
#ifndef TRINE_NUMERICS_ACTIVATION_H
#define TRINE_NUMERICS_ACTIVATION_H

#include "numerics/elementary.h"

// g * sigmoid(g): NaN at -Inf, g from 38 on, -0 from -150 on.
TRINE_FN float trine_silu(float g)
{
    return g * trine_sigmoid_no_nan(g);
}

TRINE_FN float trine_gelu_erf(float g)
{
    float half = 0.5f * g;
    float t = trine_erff(g * 0.70710678f);
    return half * (1.0f + t);
}

TRINE_FN float trine_gelu_tanh(float g)
{
    float half = 0.5f * g;
    float cube = g * g * g;
    float inner = 0.79788456f * (g + 0.044715f * cube);
    return half * (1.0f + trine_tanhf(inner));
}

TRINE_FN float trine_relu2(float g)
{
    float square = g * g;
    return g <= 0.0f ? 0.0f : square;
}

// The gate's side of swiglu_oai; the op multiplies it by (up + 1).
TRINE_FN float trine_swiglu_oai_gate(float g, float alpha)
{
    return g * trine_sigmoidf(alpha * g);
}

// limit > 0 bounds the gate from above and up on both sides; NaN stays. limit <= 0 is no limit.
TRINE_FN float trine_swiglu_oai_limit_gate(float g, float limit)
{
    float bounded = trine_min_keep_nan(g, limit);
    return limit > 0.0f ? bounded : g;
}

TRINE_FN float trine_swiglu_oai_limit_up(float up, float limit)
{
    float bounded = trine_max_keep_nan(trine_min_keep_nan(up, limit), -limit);
    return limit > 0.0f ? bounded : up;
}

TRINE_FN float trine_swiglu_oai(float g, float up, float alpha, float limit)
{
    float gate = trine_swiglu_oai_gate(trine_swiglu_oai_limit_gate(g, limit), alpha);
    return gate * (trine_swiglu_oai_limit_up(up, limit) + 1.0f);
}

#endif
