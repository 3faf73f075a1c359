// SPDX-License-Identifier: Apache-2.0
// Gated activations in f32, before the last rounding: for act_and_mul, per_token_group_quant and
// fused_moe. The order of operations is the contract's; the compile-time forms and the run-time
// form give the same bits.
#ifndef TRINE_BACKENDS_GPU_ACTIVATION_H
#define TRINE_BACKENDS_GPU_ACTIVATION_H

#include "backends/gpu/format.h"
#include "backends/gpu/memory.h"
#include "numerics/activation.h"
#include <trine/kernel.h>

namespace trine_gpu
{

// What an activation's result depends on besides gate and up.
struct activation_rule {
    trine_activation activation;
    trine_dtype dtype; // that `each` rounds act(gate) to: f32, bf16 or f16
    bool gated, each;
    float alpha;
    float limit; // 0: none
};

// For act_and_mul's problem and fused_moe's.
template <class Problem>
static inline activation_rule activation_rule_of(const Problem &p)
{
    return {p.activation, p.x.dtype, p.gated, p.intermediate_rounding == TRINE_ROUND_EACH,
            p.alpha,      p.limit};
}

// RN(0.5 g) * RN(1 + t), which numerics/ writes out, with an operation less: halving 1 + t, which
// is 0 or at least 2^-24, is exact, and halving g is where g is not subnormal; where it is, t is so
// small that 1 + t is 1. So both forms round the same product, or the same half of g.
TRINE_DEVICE float gelu_product(float g, float t)
{
    return g * trine_fmaf(0.5f, t, 0.5f);
}

// act(gate); alpha matters to swiglu_oai alone.
template <trine_activation Activation>
TRINE_DEVICE float activate_gate(float gate, float alpha)
{
    static_assert(Activation != TRINE_ACTIVATION_NONE, "that is the caller's to leave out");
    if constexpr (Activation == TRINE_ACTIVATION_SILU) return trine_silu(gate);
    if constexpr (Activation == TRINE_ACTIVATION_GELU_ERF)
        return gelu_product(gate, trine_erff(gate * 0.70710678f));
    if constexpr (Activation == TRINE_ACTIVATION_GELU_TANH) {
        const float cube = gate * gate * gate;
        return gelu_product(gate, trine_tanhf(0.79788456f * (gate + 0.044715f * cube)));
    }
    if constexpr (Activation == TRINE_ACTIVATION_RELU2) return trine_relu2(gate);
    return trine_swiglu_oai_gate(gate, alpha);
}

// What act(gate) is multiplied by; up is already limited.
template <trine_activation Activation>
TRINE_DEVICE float activation_factor(float up)
{
    return Activation == TRINE_ACTIVATION_SWIGLU_OAI ? up + 1.0f : up;
}

// act(gate) * up, or act(gate) where the rule is not gated: any rule, an element at a time.
template <trine_activation Activation>
TRINE_DEVICE float activate_as(const activation_rule &rule, float gate, float up)
{
    float a = activate_gate<Activation>(trine_swiglu_oai_limit_gate(gate, rule.limit), rule.alpha);
    if (!rule.gated) return a;
    if (rule.each) a = round_real(a, rule.dtype);
    return a * activation_factor<Activation>(trine_swiglu_oai_limit_up(up, rule.limit));
}

// The same with the activation looked up. `up` is ignored where the rule is not gated.
TRINE_DEVICE float activate(const activation_rule &rule, float gate, float up)
{
    switch (rule.activation) {
    case TRINE_ACTIVATION_SILU:
        return activate_as<TRINE_ACTIVATION_SILU>(rule, gate, up);
    case TRINE_ACTIVATION_GELU_ERF:
        return activate_as<TRINE_ACTIVATION_GELU_ERF>(rule, gate, up);
    case TRINE_ACTIVATION_GELU_TANH:
        return activate_as<TRINE_ACTIVATION_GELU_TANH>(rule, gate, up);
    case TRINE_ACTIVATION_RELU2:
        return activate_as<TRINE_ACTIVATION_RELU2>(rule, gate, up);
    default:
        return activate_as<TRINE_ACTIVATION_SWIGLU_OAI>(rule, gate, up);
    }
}

// a * up of a word's elements, rounded to X, where a = act(gate); a is used up.
template <class X, trine_activation Activation, bool Each>
TRINE_DEVICE uint32_t multiply_word(float (&a)[X::per_word], const float (&up)[X::per_word])
{
    if constexpr (Each) X::round_word(a);
#pragma unroll
    for (uint32_t j = 0; j < X::per_word; j++) a[j] = a[j] * activation_factor<Activation>(up[j]);
    return X::pack_word(a);
}

// act(gate) * up of a word's elements, limited before, rounded to X; gate is used up.
template <class X, trine_activation Activation, bool Each>
TRINE_DEVICE uint32_t activate_word(float (&gate)[X::per_word], const float (&up)[X::per_word],
                                    float alpha)
{
#pragma unroll
    for (uint32_t j = 0; j < X::per_word; j++) gate[j] = activate_gate<Activation>(gate[j], alpha);
    return multiply_word<X, Activation, Each>(gate, up);
}

// The same for words of gates and as many of ups.
template <class X, trine_activation Activation, bool Each, uint32_t Words>
TRINE_DEVICE void activate_words(uint32_t (&out)[Words], const uint32_t (&gate)[Words],
                                 const uint32_t (&up)[Words], float alpha)
{
#pragma unroll
    for (uint32_t i = 0; i < Words; i++) {
        float g[X::per_word], u[X::per_word];
#pragma unroll
        for (uint32_t j = 0; j < X::per_word; j++) {
            g[j] = X::element(gate, i * X::per_word + j);
            u[j] = X::element(up, i * X::per_word + j);
        }
        out[i] = activate_word<X, Activation, Each>(g, u, alpha);
    }
}

} // namespace trine_gpu

#endif
