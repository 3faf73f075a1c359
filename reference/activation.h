// SPDX-License-Identifier: Apache-2.0
// act_and_mul's value before its last rounding; per_token_group_quant and fused_moe use it too.
#ifndef TRINE_REFERENCE_ACTIVATION_H
#define TRINE_REFERENCE_ACTIVATION_H

#include <trine/kernel.h>

#include "numerics/activation.h"
#include "reference/element.h"

typedef struct trine_activation_rule {
    trine_activation activation;
    bool gated;
    float alpha, limit;                   /* limit 0 = none */
    trine_intermediate_rounding rounding; /* each: act(gate) is rounded to dtype */
    trine_dtype dtype;                    /* f32, bf16 or f16 */
} trine_activation_rule;

/* act(gate), limited, in f32. */
static inline float trine_activate_gate(const trine_activation_rule *rule, float gate)
{
    float g = trine_swiglu_oai_limit_gate(gate, rule->limit);
    switch (rule->activation) {
    case TRINE_ACTIVATION_SILU:
        return trine_silu(g);
    case TRINE_ACTIVATION_GELU_ERF:
        return trine_gelu_erf(g);
    case TRINE_ACTIVATION_GELU_TANH:
        return trine_gelu_tanh(g);
    case TRINE_ACTIVATION_RELU2:
        return trine_relu2(g);
    default: /* TRINE_ACTIVATION_SWIGLU_OAI */
        return trine_swiglu_oai_gate(g, rule->alpha);
    }
}

/* act(gate) * up in f32, or act(gate) when there is no up. */
static inline float trine_activate(const trine_activation_rule *rule, float gate, float up)
{
    float a = trine_activate_gate(rule, gate);
    if (!rule->gated) return a;
    if (rule->rounding == TRINE_ROUND_EACH) a = trine_round_to(rule->dtype, a);
    float u = trine_swiglu_oai_limit_up(up, rule->limit);
    return rule->activation == TRINE_ACTIVATION_SWIGLU_OAI ? a * (u + 1.0f) : a * u;
}

#endif
